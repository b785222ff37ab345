/* Rows of an ensemble: for each (theta, realisation) a porosity draw and a solve, by one rank group. */
#include "internal.h"
#include "scoria/phases.h"
#include "porosity.h"
#include "solver.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct ScoriaEnsemble_ {
  ScoriaGroups groups; /* owned */
  const ScoriaProblem *problem;
  void *parameters; /* owned */
  ScoriaShape shape;
  ScoriaDesign design; /* owned; NULL: it was made for any theta */
  ScoriaGrid grid;
  ScoriaPorosity porosity; /* owned */
  ScoriaSolver solver;     /* owned: of the group */
  ScoriaSolver twin;       /* owned unless it is the solver: one-dimensional, for single ranks */
  ScoriaDatasetSpec spec;
  bool law_varies;                           /* whether the twin's porosity hangs on theta */
  int ell;                                   /* index of the correlation length in theta */
  int nderived, derived[MAX_DERIVED_FIELDS]; /* rows of the problem's */
  int outputs; /* fields of the problem, its derived ones last; then comes eps, then lateral standard deviations */
  bool whole;  /* rows hold whole fields */
  bool lateral_sd;
  double twin_eps;
  double *x;       /* owned: (spec_centres) */
  double *profile; /* owned: (nx) */
  double *eps;     /* owned: this rank's own cells */
  double *own;     /* owned: scratch of that size */
};

/* Fields of the deck's dataset: the problem's, the porosity, and what varies laterally. */
static void describe_fields(ScoriaEnsemble e)
{
  static const ScoriaField porosity = {"eps", "", "porosity", true};
  ScoriaDatasetSpec *spec           = &e->spec;
  e->outputs                        = e->shape.unknowns + e->nderived;
  for (int f = 0; f < e->shape.unknowns; f++) spec->field[spec->nfields++] = e->shape.field[f];
  for (int i = 0; i < e->nderived; i++) spec->field[spec->nfields++] = e->problem->derived_fields[e->derived[i]];
  spec->field[spec->nfields++] = porosity;
  for (int f = 0; f <= e->outputs && e->lateral_sd; f++) {
    ScoriaField *to = &spec->field[spec->nfields++];
    snprintf(to->name, sizeof to->name, "%.58s_sd", spec->field[f].name);
    snprintf(to->unit, sizeof to->unit, "%s", spec->field[f].unit);
    to->latent = true;
    snprintf(to->description, sizeof to->description, "lateral standard deviation of %.90s", spec->field[f].name);
  }
}

/* Profiles along x, or whole fields. */
static PetscErrorCode RowShapeFromDeck(ScoriaEnsemble e, ScoriaDeck deck)
{
  ScoriaDatasetSpec *spec = &e->spec;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckBool(deck, "ensemble_whole_fields", &e->whole));
  PetscCall(ScoriaDeckBool(deck, "ensemble_lateral_sd", &e->lateral_sd));
  if (e->lateral_sd && e->grid.dim == 1)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "ensemble_lateral_sd: found true, but ensemble_cells has one axis: nothing is lateral");
  if (e->whole && e->grid.dim == 1)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "ensemble_whole_fields: found true, but ensemble_cells has one axis: profiles are the whole fields");
  if (e->whole && e->lateral_sd)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "ensemble_lateral_sd: found true, but ensemble_whole_fields stores the fields that "
                                   "it is the lateral standard deviation of");
  for (int a = 0; a < 3; a++) spec->shape[a] = a == 0 || e->whole ? e->grid.n[a] : 1;
  if ((double)spec->shape[0] * spec->shape[1] * spec->shape[2] > INT_MAX)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "ensemble_cells: found %d x %d x %d cells, expected at most %d of whole fields",
                spec->shape[0], spec->shape[1], spec->shape[2], INT_MAX);
  spec->cells = spec->shape[0] * spec->shape[1] * spec->shape[2];
  PetscFunctionReturn(0);
}

static PetscErrorCode SpecFromDeck(ScoriaEnsemble e, ScoriaDeck deck, const ScoriaSpace *space)
{
  ScoriaDatasetSpec *spec = &e->spec;
  PetscInt conditions = 0, realisations = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "ensemble_conditions", &conditions));
  PetscCall(ScoriaDeckInt(deck, "ensemble_realisations", &realisations));
  PetscCall(ScoriaDeckBool(deck, "ensemble_float64", &spec->float64));
  PetscCall(RowShapeFromDeck(e, deck));
  if (!space) {
    PetscCall(ScoriaDesignCreate(deck, e->problem, e->parameters, &e->design));
    space = design_space(e->design);
  }
  spec->space        = *space;
  spec->realisations = realisations;
  spec->rows         = (int64_t)conditions * realisations;
  PetscCall(DerivedOfDeck(deck, e->problem, &e->nderived, e->derived));
  describe_fields(e);
  e->ell        = space_find(&spec->space, "ell");
  e->law_varies = space_find(&spec->space, "porosity_mean") >= 0 || space_find(&spec->space, "porosity_sd") >= 0;
  for (const ScoriaParameter *of = e->problem->parameters; of && of->row.name; of++)
    e->law_varies = e->law_varies || space_find(&spec->space, of->row.name) >= 0;
  PetscFunctionReturn(0);
}

static PetscErrorCode SetTransient(ScoriaEnsemble e, ScoriaDeck deck)
{
  const int index = space_find(&e->spec.space, "time");
  double rtol     = 1e-5;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckReal(deck, "ensemble_time_tolerance", &rtol));
  PetscCall(ScoriaSolverSetTime(e->solver, index, rtol));
  PetscCall(ScoriaSolverSetTime(e->twin, index, rtol));
  PetscFunctionReturn(0);
}

/* The homogeneous porosity that stands for those at theta. */
static PetscErrorCode TwinPorosity(ScoriaEnsemble e, const double theta[])
{
  PetscFunctionBeginUser;
  e->problem->at(e->parameters, theta);
  if (!porosity_set(e->porosity, &e->spec.space, theta))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "no porosity between porosity_min and porosity_max has this mean and SD");
  PetscCall(ScoriaPorosityEffective(e->porosity, problem_mean_exponent(e->problem, e->parameters), &e->twin_eps));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateTwin(ScoriaEnsemble e)
{
  ScoriaGrid line = e->grid;
  PetscFunctionBeginUser;
  line.dim  = 1;
  line.n[1] = line.n[2] = 1;
  PetscCall(ScoriaPorosityEffective(e->porosity, problem_mean_exponent(e->problem, e->parameters), &e->twin_eps));
  if (e->groups.group_size > 1 || e->grid.dim > 1)
    PetscCall(ScoriaSolverCreate(PETSC_COMM_SELF, e->problem, e->parameters, &line, &e->twin));
  else
    e->twin = e->solver;
  PetscFunctionReturn(0);
}

/* Of the axes that its rows have; along x as shares of a thickness that varies. */
static void fill_centres(const ScoriaGrid *grid, const ScoriaDatasetSpec *spec, double centres[])
{
  const bool shares = space_thickness(&spec->space) >= 0;
  for (int a = 0; a < (spec_is_whole(spec) ? 3 : 1); a++) {
    const double length = a == 0 && shares ? 1 : grid->length[a];
    for (int i = 0; i < grid->n[a]; i++) *centres++ = (i + 0.5) * length / grid->n[a];
  }
}

/* Cubic cells would have another width in every row. */
static PetscErrorCode CheckLateral(ScoriaEnsemble e, ScoriaDeck deck)
{
  bool given;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckHas(deck, "ensemble_lateral", &given));
  if (space_thickness(&e->spec.space) >= 0 && e->grid.dim > 1 && !given)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "ensemble_lateral: not set; where the thickness is a condition (conditions_L), give the "
                "lateral extents [m]");
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaEnsembleCreateAt(MPI_Comm comm, ScoriaDeck deck, const ScoriaSpace *space, int nx,
                                      ScoriaEnsemble *ens)
{
  ScoriaEnsemble e;
  bool library;
  PetscInt group_size                  = 1;
  double middle[SCORIA_MAX_CONDITIONS] = {0}, theta[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&e));
  PetscCall(ScoriaProblemFromDeck(deck, &e->problem, &e->parameters));
  e->problem->shape(e->parameters, &e->shape);
  PetscCall(ScoriaGridFromDeck(deck, e->shape.L, &e->grid));
  if (nx > 0) e->grid.n[0] = nx;
  PetscCall(SpecFromDeck(e, deck, space));
  PetscCall(CheckLateral(e, deck));
  space_from_unit(&e->spec.space, middle, theta);
  e->problem->at(e->parameters, theta);
  PetscCall(ScoriaDeckInt(deck, "ensemble_group_size", &group_size));
  PetscCall(ScoriaGroupsCreate(comm, group_size, &e->groups));
  PetscCall(ScoriaPorosityIsLibrary(deck, &library));
  if (library && nx == 0)
    PetscCall(ScoriaPorosityOfLibrary(deck, e->groups.group, &e->grid, &e->porosity));
  else
    PetscCall(ScoriaPorosityCreate(deck, e->groups.group, &e->grid, &e->porosity));
  PetscCall(ScoriaPorosityCheck(e->porosity, &e->spec.space));
  PetscCall(ScoriaSolverCreate(e->groups.group, e->problem, e->parameters, &e->grid, &e->solver));
  PetscCall(CreateTwin(e));
  solver_set_derived(e->solver, e->nderived, e->derived);
  solver_set_derived(e->twin, e->nderived, e->derived);
  PetscCall(SetTransient(e, deck));
  const int own = solver_own_cells(e->solver);
  PetscCall(PetscMalloc4(spec_centres(&e->spec), &e->x, e->grid.n[0], &e->profile, own, &e->eps, own, &e->own));
  fill_centres(&e->grid, &e->spec, e->x);
  *ens = e;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaEnsembleCreate(MPI_Comm comm, ScoriaDeck deck, ScoriaEnsemble *ens)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaEnsembleCreateAt(comm, deck, NULL, 0, ens));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaEnsembleDestroy(ScoriaEnsemble *ens)
{
  ScoriaEnsemble e = *ens;
  PetscFunctionBeginUser;
  if (!e) PetscFunctionReturn(0);
  if (e->twin != e->solver) PetscCall(ScoriaSolverDestroy(&e->twin));
  PetscCall(ScoriaSolverDestroy(&e->solver));
  PetscCall(ScoriaPorosityDestroy(&e->porosity));
  PetscCall(ScoriaDesignDestroy(&e->design));
  PetscCall(ScoriaGroupsDestroy(&e->groups));
  PetscCall(PetscFree4(e->x, e->profile, e->eps, e->own));
  PetscCall(PetscFree(e->parameters));
  PetscCall(PetscFree(*ens));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaEnsembleSpec(ScoriaEnsemble e, ScoriaDatasetSpec *spec, const double **x)
{
  PetscFunctionBeginUser;
  *spec = e->spec;
  *x    = e->x;
  PetscFunctionReturn(0);
}

void ensemble_hold_out(ScoriaEnsemble e)
{
  porosity_hold_out(e->porosity, true);
}

const char *ensemble_library(ScoriaEnsemble e)
{
  return porosity_library(e->porosity);
}

PetscErrorCode ScoriaEnsembleSayLibrary(ScoriaRun run, ScoriaEnsemble e)
{
  char held[256];
  PetscFunctionBeginUser;
  porosity_describe(e->porosity, sizeof held, held);
  if (!*held) PetscFunctionReturn(0);
  PetscCall(ScoriaSay(run, "  porosities: crops of %s", ensemble_library(e)));
  PetscCall(ScoriaSay(run, "    %s", held));
  PetscFunctionReturn(0);
}

ScoriaDesign ScoriaEnsembleDesign(ScoriaEnsemble e)
{
  return e->design;
}

const ScoriaGroups *ScoriaEnsembleGroups(ScoriaEnsemble e)
{
  return &e->groups;
}

void ensemble_grid(ScoriaEnsemble e, ScoriaGrid *grid)
{
  *grid = e->grid;
}

double ensemble_reference(ScoriaEnsemble e, int f)
{
  return f < e->shape.unknowns ? e->shape.reference[f] : NAN;
}

bool ensemble_bounds(ScoriaEnsemble e, int f, double bounds[2])
{
  const bool positive = f < e->shape.unknowns && e->shape.positive[e->shape.output[f]];
  bounds[0]           = positive ? 0 : -INFINITY;
  bounds[1]           = INFINITY;
  return positive;
}

ScoriaPorosity ensemble_porosity(ScoriaEnsemble e)
{
  return e->porosity;
}

const int *ensemble_derived(ScoriaEnsemble e, int *n)
{
  *n = e->nderived;
  return e->derived;
}

ScoriaSolver ensemble_solver(ScoriaEnsemble e)
{
  return e->solver;
}

bool ensemble_derives(ScoriaEnsemble e, int f)
{
  return f >= e->shape.unknowns && f < e->outputs;
}

PetscErrorCode ScoriaEnsembleField(ScoriaEnsemble e, int f, double all[])
{
  const bool alone = e->groups.group_size == 1;
  double *own      = alone ? all : e->own;
  PetscFunctionBeginUser;
  if (f < e->outputs)
    PetscCall(ScoriaSolverField(e->solver, f, own));
  else
    PetscCall(PetscArraycpy(own, e->eps, solver_own_cells(e->solver)));
  if (!alone) PetscCall(ScoriaGatherCells(&e->groups, &e->grid, own, all));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- rows ---- */

/* A profile along x in this rank's own cells. */
static void spread_profile(ScoriaEnsemble e, const double profile[])
{
  const int n = e->grid.n[0], cells = solver_own_cells(e->solver);
  int first, number;
  grid_slab(&e->grid, e->groups.group_rank, e->groups.group_size, &first, &number);
  for (int i = 0; i < cells; i++) e->eps[i] = profile[e->grid.dim == 1 ? first + i : i % n];
}

/* Row i of rows from one solve at e->eps. */
static PetscErrorCode ComputeRow(ScoriaEnsemble e, const double theta[], int64_t i, ScoriaRows *rows)
{
  const size_t at = (size_t)i * (size_t)e->spec.cells;
  ScoriaSolveStatus status;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSolverSolve(e->solver, theta, e->eps, &status));
  for (int f = 0; f <= e->outputs; f++) {
    double *sd = e->lateral_sd ? rows->field[e->outputs + 1 + f] + at : NULL;
    if (e->whole)
      PetscCall(ScoriaEnsembleField(e, f, rows->field[f] + at));
    else if (f < e->outputs)
      PetscCall(ScoriaSolverProfile(e->solver, f, rows->field[f] + at, sd));
    else
      PetscCall(ScoriaSolverAverage(e->solver, e->eps, rows->field[f] + at, sd));
  }
  for (int k = 0; k < e->spec.space.n; k++) rows->condition[k][i] = theta[k];
  rows->done[i]     = status.reason > 0 ? SCORIA_ROW_DONE : SCORIA_ROW_FAILED;
  rows->reason[i]   = status.reason;
  rows->newton[i]   = status.newton;
  rows->attempts[i] = (uint8_t)PetscMin(status.attempts, UINT8_MAX);
  rows->residual[i] = status.residual;
  PetscFunctionReturn(0);
}

/* A row, timed and counted.  Beyond one dimension the matrices do not stay in cache: an operation on a sparse matrix of
 * blocks of m x m reals moves a block and its column index for the 2 m^2 flops of its product. */
static PetscErrorCode TimeRow(ScoriaEnsemble e, const double theta[], int64_t i, ScoriaRows *rows)
{
  const double block = (double)e->shape.unknowns * e->shape.unknowns;
  PetscLogDouble before, after;
  PetscFunctionBeginUser;
  phase_begin(SCORIA_PHASE_SOLVE);
  PetscCall(PetscGetFlops(&before));
  PetscCall(ComputeRow(e, theta, i, rows));
  PetscCall(PetscGetFlops(&after));
  if (e->grid.dim > 1) phase_bytes((after - before) * (sizeof(PetscScalar) * block + sizeof(PetscInt)) / (2 * block));
  phase_end(SCORIA_PHASE_SOLVE, e->groups.group_rank == 0); /* once for a group */
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaEnsembleDraw(ScoriaEnsemble e, const double theta[], uint64_t id, double eps[])
{
  PetscFunctionBeginUser;
  if (porosity_set(e->porosity, &e->spec.space, theta))
    PetscCall(ScoriaPorosityDraw(e->porosity, theta[e->ell], id, eps));
  else
    for (int i = 0; i < solver_own_cells(e->solver); i++) eps[i] = NAN;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaEnsembleCompute(ScoriaEnsemble e, int64_t number, const double theta[], const uint64_t ids[],
                                     const double eps[], ScoriaRows *rows)
{
  const int n = e->spec.space.n;
  PetscFunctionBeginUser;
  PetscCheck(number <= rows->capacity, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ, "%lld rows, room for %lld",
             (long long)number, (long long)rows->capacity);
  for (int64_t i = 0; i < number; i++) {
    if (eps)
      spread_profile(e, eps + i * e->grid.n[0]);
    else {
      phase_begin(SCORIA_PHASE_DRAW);
      PetscCall(ScoriaEnsembleDraw(e, theta + i * n, ids[i], e->eps));
      phase_end(SCORIA_PHASE_DRAW, e->groups.group_rank == 0);
    }
    PetscCall(TimeRow(e, theta + i * n, i, rows));
  }
  rows->rows = number;
  PetscFunctionReturn(0);
}

bool ensemble_normals(void *ctx, const double theta[], int64_t cells, const double eps[], double g[])
{
  const ScoriaEnsemble e = ctx;
  return porosity_set(e->porosity, &e->spec.space, theta) && porosity_normals(e->porosity, cells, eps, g);
}

PetscErrorCode ScoriaEnsembleTwinPorosity(ScoriaEnsemble e, const double theta[], double *eps)
{
  PetscFunctionBeginUser;
  if (e->law_varies) PetscCall(TwinPorosity(e, theta));
  *eps = e->twin_eps;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaEnsembleTwin(void *ctx, const double theta[], double fields[])
{
  ScoriaEnsemble e = ctx;
  ScoriaSolveStatus status;
  char at[256];
  double eps;
  PetscFunctionBeginUser;
  PetscCall(ScoriaEnsembleTwinPorosity(e, theta, &eps));
  for (int i = 0; i < e->grid.n[0]; i++) e->profile[i] = eps;
  PetscCall(ScoriaSolverSolve(e->twin, theta, e->profile, &status));
  space_describe(&e->spec.space, theta, sizeof at, at);
  if (status.reason < 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "the homogeneous %s (eps = %.4f) has no solution at %s (reason %d)",
                e->problem->name, e->twin_eps, at, status.reason);
  for (int f = 0; f < e->outputs; f++)
    PetscCall(ScoriaSolverProfile(e->twin, f, fields + (size_t)f * (size_t)e->grid.n[0], NULL));
  PetscFunctionReturn(0);
}

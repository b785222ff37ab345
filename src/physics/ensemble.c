/* An ensemble of a deck: its conditions, its porosity and its solvers, of one rank group. */
#include "ensemble.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Fields of the deck's dataset: the problem's, the porosity, and what varies laterally. */
static void describe_fields(ScoriaEnsemble e)
{
  static const ScoriaField porosity = {.name = "eps", .description = "porosity", .latent = true};
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

bool ensemble_leads(ScoriaEnsemble e, int f)
{
  return f < e->shape.unknowns && e->shape.leading[f];
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

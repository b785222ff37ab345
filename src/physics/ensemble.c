/* Rows of an ensemble: for each (theta, realisation) a porosity draw and a solve, by one rank group. */
#include "internal.h"
#include <math.h>
#include <string.h>

struct ScoriaEnsemble_ {
  ScoriaGroups groups; /* owned */
  ScoriaElectrode el;
  ScoriaPorosity porosity; /* owned */
  ScoriaSolver solver;     /* owned: of the group */
  ScoriaSolver twin;       /* owned where groups are larger: the twin is asked for by single ranks */
  ScoriaDatasetSpec spec;
  double twin_eps;
  double *x;       /* owned: (cells) */
  double *profile; /* owned: (cells) */
};

static PetscErrorCode CellsFromDeck(ScoriaDeck deck, int *cells)
{
  PetscInt n = 0, values[4] = {0, 0, 0, 0};
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInts(deck, "ensemble_cells", 4, &n, values));
  if (n != 1)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "ensemble_cells: found %d numbers, expected one, [nx]: the electrode is one-dimensional", (int)n);
  if (values[0] < 4)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "ensemble_cells: found %d, expected at least 4 cells", (int)values[0]);
  *cells = (int)values[0];
  PetscFunctionReturn(0);
}

/* Fields, sizes and conditions of the deck's dataset. */
static PetscErrorCode SpecFromDeck(ScoriaDeck deck, const ScoriaElectrode *el, ScoriaDatasetSpec *spec)
{
  static const ScoriaField fields[] = {
      {"c", "mol m^-3", "electrolyte concentration"},
      {"phi", "V", "electrolyte potential"},
      {"eps", "", "porosity"},
  };
  PetscInt conditions = 0, realisations = 0;
  PetscFunctionBeginUser;
  memset(spec, 0, sizeof *spec);
  PetscCall(CellsFromDeck(deck, &spec->cells));
  PetscCall(ScoriaDeckInt(deck, "ensemble_conditions", &conditions));
  PetscCall(ScoriaDeckInt(deck, "ensemble_realisations", &realisations));
  PetscCall(ScoriaDeckBool(deck, "ensemble_float64", &spec->float64));
  PetscCall(ScoriaSpaceFromDeck(deck, el, &spec->space));
  spec->realisations = realisations;
  spec->rows         = (int64_t)conditions * realisations;
  spec->nfields      = (int)(sizeof fields / sizeof *fields);
  memcpy(spec->field, fields, sizeof fields);
  PetscFunctionReturn(0);
}

/* One homogeneous porosity stands for both transport exponents: that of their mean. */
static PetscErrorCode CreateTwin(ScoriaEnsemble e)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaPorosityEffective(e->porosity, 0.5 * (e->el.b_kappa + e->el.b_D), &e->twin_eps));
  if (e->groups.group_size > 1)
    PetscCall(ScoriaSolverCreate(PETSC_COMM_SELF, &e->el, e->spec.cells, &e->twin));
  else
    e->twin = e->solver;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaEnsembleCreate(MPI_Comm comm, ScoriaDeck deck, ScoriaEnsemble *ens)
{
  ScoriaEnsemble e;
  PetscInt group_size = 1;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&e));
  PetscCall(ScoriaElectrodeFromDeck(deck, &e->el));
  PetscCall(SpecFromDeck(deck, &e->el, &e->spec));
  const ScoriaGrid grid = {1, {e->spec.cells, 1, 1}, {e->el.L, 0, 0}};
  PetscCall(ScoriaPorosityCreate(deck, PETSC_COMM_SELF, &grid, &e->porosity));
  PetscCall(ScoriaDeckInt(deck, "ensemble_group_size", &group_size));
  PetscCall(ScoriaGroupsCreate(comm, group_size, &e->groups));
  PetscCall(ScoriaSolverCreate(e->groups.group, &e->el, e->spec.cells, &e->solver));
  PetscCall(CreateTwin(e));
  PetscCall(PetscMalloc2(e->spec.cells, &e->x, e->spec.cells, &e->profile));
  for (int i = 0; i < e->spec.cells; i++) e->x[i] = (i + 0.5) * e->el.L / e->spec.cells;
  *ens = e;
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
  PetscCall(ScoriaGroupsDestroy(&e->groups));
  PetscCall(PetscFree2(e->x, e->profile));
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

const ScoriaGroups *ScoriaEnsembleGroups(ScoriaEnsemble e)
{
  return &e->groups;
}

/* Row i of rows from one solve; eps is there already. */
static PetscErrorCode ComputeRow(ScoriaEnsemble e, const double theta[], int64_t i, ScoriaRows *rows)
{
  const size_t at = (size_t)i * (size_t)e->spec.cells;
  ScoriaSolveStatus status;
  PetscFunctionBeginUser;
  PetscCall(
      ScoriaSolverSolve(e->solver, theta, rows->field[2] + at, rows->field[0] + at, rows->field[1] + at, &status));
  for (int k = 0; k < SCORIA_NTHETA; k++) rows->condition[k][i] = theta[k];
  rows->done[i]     = status.reason > 0 ? SCORIA_ROW_DONE : SCORIA_ROW_FAILED;
  rows->reason[i]   = status.reason;
  rows->newton[i]   = status.newton;
  rows->attempts[i] = (uint8_t)PetscMin(status.attempts, UINT8_MAX);
  rows->residual[i] = status.residual;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaEnsembleCompute(ScoriaEnsemble e, int64_t number, const double theta[], const uint64_t ids[],
                                     const double eps[], ScoriaRows *rows)
{
  const size_t cells = (size_t)e->spec.cells;
  PetscFunctionBeginUser;
  PetscCheck(number <= rows->capacity, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ, "%lld rows, room for %lld",
             (long long)number, (long long)rows->capacity);
  for (int64_t i = 0; i < number; i++) {
    double *draw = rows->field[2] + (size_t)i * cells;
    if (eps)
      memcpy(draw, eps + (size_t)i * cells, cells * sizeof(double));
    else
      PetscCall(ScoriaPorosityDraw(e->porosity, theta[i * SCORIA_NTHETA + SCORIA_ELL], ids[i], draw));
    PetscCall(ComputeRow(e, theta + i * SCORIA_NTHETA, i, rows));
  }
  rows->rows = number;
  PetscFunctionReturn(0);
}

/* Training ids are row numbers, below 2^62: the top bit sets the others apart. */
uint64_t ensemble_heldout_id(int64_t condition, int set, int64_t realisation)
{
  return (uint64_t)1 << 63 | (uint64_t)set << 62 | (uint64_t)condition << 40 | (uint64_t)realisation;
}

PetscErrorCode ScoriaEnsembleTwin(void *ctx, const double theta[], double fields[])
{
  ScoriaEnsemble e = ctx;
  const int cells  = e->spec.cells;
  ScoriaSolveStatus status;
  PetscFunctionBeginUser;
  for (int i = 0; i < cells; i++) e->profile[i] = e->twin_eps;
  PetscCall(ScoriaSolverSolve(e->twin, theta, e->profile, fields, fields + cells, &status));
  if (status.reason < 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "the homogeneous electrode (eps = %.4f) has no solution at U0 = %g V, F_right = %g A m^-2, ell = %g m "
                "(reason %d)",
                e->twin_eps, theta[SCORIA_U0], theta[SCORIA_F_RIGHT], theta[SCORIA_ELL], status.reason);
  PetscFunctionReturn(0);
}

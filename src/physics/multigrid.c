/* Geometric multigrid for the Jacobian: PETSc's PCMG over coarser grids of the same problem.
 *
 * Each coarser grid halves the axes that have an even number of cells (at least MIN_X, MIN_LATERAL of them remain).
 * There the problem is discretised anew, with the mean porosity and the mean state of the cells that a coarse cell
 * holds, and its Jacobian assembled by the same code: no matrix products, and as sparse as the fine one.  Corrections
 * are interpolated linearly between cell centres, residuals restricted by the transpose (balances of a coarse cell are
 * sums over its cells, per lateral area); the smoother is Gauss-Seidel by blocks of a cell's unknowns, once down and
 * once up in opposite order. */
#include "petsc_versions.h"
#include "solver.h"
#include <math.h>

#define MIN_X 4
#define MIN_LATERAL 4
#define DIRECT_CELLS 6000 /* a coarsest grid up to this size is factored */

/* The coarser grid of d; false when no axis can be halved. */
static bool coarsen(const ScoriaDiscrete *d, ScoriaGrid *coarse)
{
  const int last = d->grid.dim - 1;
  bool any       = false;
  *coarse        = d->grid;
  for (int axis = 0; axis <= last; axis++) {
    const int n    = d->grid.n[axis];
    const int slab = (n + d->size - 1) / d->size; /* the slabs must stay the same planes */
    if (n % 2 || n / 2 < (axis ? MIN_LATERAL : MIN_X) || (axis == last && d->size > 1 && slab % 2)) continue;
    coarse->n[axis] = n / 2;
    any             = true;
  }
  return any;
}

/* Weights of the two coarse cells that fine cell i along an axis is interpolated from. */
static void weights(int axis, int fine, int coarse, int i, int at[2], double w[2])
{
  at[0] = at[1] = i;
  w[0]          = 1;
  w[1]          = 0;
  if (fine == coarse) return;
  at[0] = i / 2;
  at[1] = at[0] + (i % 2 ? 1 : -1);
  w[0]  = 0.75;
  w[1]  = 0.25;
  if (axis > 0)
    at[1] = (at[1] + coarse) % coarse;
  else if (at[1] < 0 || at[1] >= coarse)
    at[1] = at[0];
}

static PetscErrorCode InterpolateRow(Mat P, const ScoriaDiscrete *f, const ScoriaDiscrete *c, const int i[3])
{
  int at[3][2];
  double w[3][2];
  const PetscInt row = ((PetscInt)i[2] * f->grid.n[1] + i[1]) * f->grid.n[0] + i[0];
  PetscFunctionBeginUser;
  for (int axis = 0; axis < 3; axis++) weights(axis, f->grid.n[axis], c->grid.n[axis], i[axis], at[axis], w[axis]);
  for (int k = 0; k < 8; k++) {
    const int a = k & 1, b = k >> 1 & 1, e = k >> 2;
    const PetscScalar value = w[0][a] * w[1][b] * w[2][e];
    const PetscInt column   = ((PetscInt)at[2][e] * c->grid.n[1] + at[1][b]) * c->grid.n[0] + at[0][a];
    if (value != 0) PetscCall(MatSetValues(P, 1, &row, 1, &column, &value, ADD_VALUES));
  }
  PetscFunctionReturn(0);
}

/* Interpolation from c to f, one number a cell. */
static PetscErrorCode Interpolation(const ScoriaDiscrete *f, const ScoriaDiscrete *c, Mat *P)
{
  int first[3] = {0, 0, 0}, i[3];
  PetscFunctionBeginUser;
  first[f->grid.dim - 1] = f->first;
  PetscCall(MatCreateAIJ(PetscObjectComm((PetscObject)f->dm), f->cells, c->cells, PETSC_DETERMINE, PETSC_DETERMINE, 8,
                         NULL, 8, NULL, P));
  for (i[2] = first[2]; i[2] < first[2] + f->own[2]; i[2]++)
    for (i[1] = first[1]; i[1] < first[1] + f->own[1]; i[1]++)
      for (i[0] = first[0]; i[0] < first[0] + f->own[0]; i[0]++) PetscCall(InterpolateRow(*P, f, c, i));
  PetscCall(MatAssemblyBegin(*P, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(*P, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(0);
}

/* Both ways between level l and the finer one, for all unknowns of a cell alike. */
static PetscErrorCode CreateTransfer(ScoriaMultigrid mg, int l)
{
  const ScoriaDiscrete *f = mg->d[l - 1], *c = mg->d[l];
  double lateral = 1;
  Mat P, R;
  PetscFunctionBeginUser;
  for (int axis = 1; axis < 3; axis++) lateral *= (double)c->grid.n[axis] / f->grid.n[axis];
  PetscCall(Interpolation(f, c, &P));
  PetscCall(MatTranspose(P, MAT_INITIAL_MATRIX, &R));
  PetscCall(MatScale(R, lateral));
  PetscCall(MatCreateMAIJ(P, mg->s->m, &mg->up[l]));
  PetscCall(MatCreateMAIJ(R, mg->s->m, &mg->down[l]));
  PetscCall(MatDestroy(&P));
  PetscCall(MatDestroy(&R));
  PetscFunctionReturn(0);
}

PetscErrorCode MultigridCreate(ScoriaSolver s, ScoriaMultigrid *out)
{
  ScoriaMultigrid mg;
  ScoriaGrid grid;
  PetscFunctionBeginUser;
  *out = NULL;
  PetscCall(PetscNew(&mg));
  mg->s      = s;
  mg->d[0]   = s->d;
  mg->levels = 1;
  while (mg->levels < MAX_LEVELS && coarsen(mg->d[mg->levels - 1], &grid)) {
    const int l = mg->levels++;
    PetscCall(DiscreteCreate(s->group, s->problem, s->p, &grid, &mg->d[l]));
    PetscCall(BlocksCreate(mg->d[l], MATBAIJ, &mg->J[l]));
    PetscCall(DMCreateGlobalVector(mg->d[l]->dm, &mg->x[l]));
    PetscCall(CreateTransfer(mg, l));
  }
  *out = mg;
  PetscFunctionReturn(0);
}

PetscErrorCode MultigridDestroy(ScoriaMultigrid *out)
{
  ScoriaMultigrid mg = *out;
  PetscFunctionBeginUser;
  if (!mg) PetscFunctionReturn(0);
  for (int l = 1; l < mg->levels; l++) {
    PetscCall(MatDestroy(&mg->up[l]));
    PetscCall(MatDestroy(&mg->down[l]));
    PetscCall(VecDestroy(&mg->x[l]));
    PetscCall(BlocksDestroy(&mg->J[l]));
    PetscCall(DiscreteDestroy(&mg->d[l]));
  }
  PetscCall(PetscFree(*out));
  PetscFunctionReturn(0);
}

/* The coarsest system: factored, the same on every rank, or, where the cells of a grid have few factors of two, left to
 * the smoother and a few steps of GMRES. */
static PetscErrorCode ConfigureCoarsest(ScoriaMultigrid mg, KSP ksp)
{
  const ScoriaGrid *g = &mg->d[mg->levels - 1]->grid;
  PC pc;
  PetscFunctionBeginUser;
  PetscCall(KSPGetPC(ksp, &pc));
  if ((int64_t)g->n[0] * g->n[1] * g->n[2] <= DIRECT_CELLS) {
    PetscCall(KSPSetType(ksp, KSPPREONLY));
    PetscCall(PCSetType(pc, mg->s->size > 1 ? PCREDUNDANT : PCLU));
    PetscFunctionReturn(0);
  }
  PetscCall(KSPSetType(ksp, KSPGMRES));
  PetscCall(KSPSetTolerances(ksp, 0.05, PETSC_DEFAULT, PETSC_DEFAULT, 60));
  PetscCall(PCSetType(pc, mg->s->size > 1 ? PCBJACOBI : PCILU));
  PetscFunctionReturn(0);
}

static PetscErrorCode ConfigureSmoother(PC pc, int level)
{
  KSP ksp;
  PC smoother;
  PetscFunctionBeginUser;
  PetscCall(PCMGGetSmoother(pc, level, &ksp));
  PetscCall(KSPSetType(ksp, KSPRICHARDSON));
  PetscCall(KSPSetTolerances(ksp, PETSC_DEFAULT, PETSC_DEFAULT, PETSC_DEFAULT, 1));
  PetscCall(KSPSetNormType(ksp, KSP_NORM_NONE));
  PetscCall(KSPGetPC(ksp, &smoother));
  PetscCall(PCSetType(smoother, PCSOR));
  PetscCall(PCSORSetSymmetric(smoother, SOR_LOCAL_SYMMETRIC_SWEEP));
  PetscFunctionReturn(0);
}

PetscErrorCode MultigridConfigure(ScoriaMultigrid mg, PC pc)
{
  KSP ksp;
  PetscFunctionBeginUser;
  PetscCall(PCSetType(pc, PCMG));
  PetscCall(PCMGSetLevels(pc, mg->levels, NULL));
  PetscCall(PCMGSetType(pc, PC_MG_MULTIPLICATIVE));
  PetscCall(PCMGSetGalerkin(pc, PC_MG_GALERKIN_NONE));
  for (int l = 1; l < mg->levels; l++) {
    const int level = mg->levels - 1 - l; /* PETSc counts from the coarsest */
    PetscCall(PCMGSetInterpolation(pc, level + 1, mg->up[l]));
    PetscCall(PCMGSetRestriction(pc, level + 1, mg->down[l]));
    PetscCall(PCMGGetSmoother(pc, level, &ksp));
    PetscCall(KSPSetOperators(ksp, mg->J[l].J, mg->J[l].J));
    PetscCall(KSPSetDM(ksp, mg->d[l]->dm)); /* the time integrator restricts vectors of its own to it */
    PetscCall(KSPLeaveDMIdle(ksp));
    PetscCall(ConfigureSmoother(pc, level + 1));
  }
  PetscCall(PCMGGetSmoother(pc, 0, &ksp));
  PetscCall(ConfigureCoarsest(mg, ksp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- averages ---- */

/* Means of the fine cells in each coarse one, of `number` interleaved values a cell. */
static void restrict_means(const ScoriaDiscrete *f, const ScoriaDiscrete *c, int number, const double fine[],
                           double coarse[])
{
  int ratio[3];
  for (int axis = 0; axis < 3; axis++) ratio[axis] = f->grid.n[axis] / c->grid.n[axis];
  const double share = 1.0 / (ratio[0] * ratio[1] * ratio[2]);
  for (int i = 0; i < c->cells * number; i++) coarse[i] = 0;
  for (int k = 0; k < f->own[2]; k++)
    for (int j = 0; j < f->own[1]; j++) {
      const double *from = fine + (ptrdiff_t)(k * f->own[1] + j) * f->own[0] * number;
      double *to         = coarse + (ptrdiff_t)(k / ratio[2] * c->own[1] + j / ratio[1]) * c->own[0] * number;
      for (int i = 0; i < f->own[0]; i++)
        for (int v = 0; v < number; v++) to[i / ratio[0] * number + v] += share * from[i * number + v];
    }
}

static PetscErrorCode RestrictVec(const ScoriaDiscrete *f, const ScoriaDiscrete *c, int number, Vec fine, Vec coarse)
{
  const PetscScalar *from;
  PetscScalar *to;
  PetscFunctionBeginUser;
  PetscCall(VecGetArrayRead(fine, &from));
  PetscCall(VecGetArrayWrite(coarse, &to));
  restrict_means(f, c, number, from, to);
  PetscCall(VecRestoreArrayWrite(coarse, &to));
  PetscCall(VecRestoreArrayRead(fine, &from));
  PetscFunctionReturn(0);
}

PetscErrorCode MultigridSet(ScoriaMultigrid mg, bool timed)
{
  PetscFunctionBeginUser;
  for (int l = 1; l < mg->levels; l++) {
    PetscCall(RestrictVec(mg->d[l - 1], mg->d[l], 1, mg->d[l - 1]->eps, mg->d[l]->eps));
    mg->d[l]->timed = timed;
    PetscCall(DiscreteSet(mg->d[l]));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode MultigridFill(ScoriaMultigrid mg, Vec x, double shift)
{
  PetscFunctionBeginUser;
  for (int l = 1; l < mg->levels; l++) {
    bool good; /* means of positive numbers are positive */
    PetscCall(RestrictVec(mg->d[l - 1], mg->d[l], mg->s->m, l == 1 ? x : mg->x[l - 1], mg->x[l]));
    PetscCall(DiscreteLoad(mg->d[l], mg->x[l], &good));
    mg->d[l]->shift = shift;
    PetscCall(BlocksFill(mg->d[l], &mg->J[l]));
  }
  PetscFunctionReturn(0);
}

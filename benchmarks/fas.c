/* Nonlinear multigrid: the full approximation scheme (Brandt, 1977) in place of Newton's method, by PETSc's SNESFAS.
 *
 * Grids, mean porosities and transfers are those of the preconditioner (multigrid.c); on each coarser grid the balances
 * themselves are solved, discretised anew, from the restricted state.  A smoothing step is a step of the chord method:
 * the level's own residual, then Gauss-Seidel by blocks of a cell's unknowns, SWEEPS times there and back, with the
 * Jacobian of the first state of the solve.  A Jacobian at every smoothing step saves no cycle and makes the solve half
 * as dear again: the kinetics are mild once the guess is there.  Relaxation cell by cell would take the logarithms and
 * exponentials of a face on each of its sides, and out of the loops over pencils.
 *
 * Around the V-cycles stands nonlinear GMRES (Washio and Oosterlee, 1997), as flexible GMRES stands around the
 * preconditioner; it saves a fifth of them.  Guess, residual and stopping rule are Newton's own; its step control is
 * not there. */
#include "fas.h"
#include "physics/petsc_versions.h"
#include <petscdmshell.h>
#include <stdio.h>
#include <string.h>

#define SWEEPS 2
#define MAX_CYCLES 50

static PetscErrorCode CoarseResidual(SNES snes, Vec x, Vec r, void *ctx)
{
  ScoriaDiscrete *d = ctx;
  PetscScalar *a;
  bool good;
  PetscFunctionBeginUser;
  PetscCall(DiscreteLoad(d, x, &good));
  if (!good) {
    PetscCall(SNESSetFunctionDomainError(snes));
    PetscCall(VecSet(r, 0));
    PetscFunctionReturn(0);
  }
  PetscCall(VecGetArrayWrite(r, &a));
  discrete_residual(d, NULL, a);
  PetscCall(VecRestoreArrayWrite(r, &a));
  PetscFunctionReturn(0);
}

/* Once a solve, for all levels. */
static PetscErrorCode FineJacobian(SNES snes, Vec x, Mat A, Mat P, void *ctx)
{
  ScoriaSolver s = ctx;
  PetscInt cycle;
  bool good; /* its residual is there */
  PetscFunctionBeginUser;
  (void)snes;
  (void)A;
  (void)P;
  PetscCall(SNESGetIterationNumber(s->snes, &cycle));
  if (cycle > 0) PetscFunctionReturn(0);
  PetscCall(NewtonLoad(s, x, &good));
  PetscCall(NewtonFill(s));
  PetscFunctionReturn(0);
}

typedef struct {
  ScoriaSolver s; /* borrowed */
  Vec before;     /* owned: the state a cycle ago */
} Progress;

static PetscErrorCode FreeProgress(void *ctx)
{
  Progress *p = ctx;
  PetscFunctionBeginUser;
  PetscCall(VecDestroy(&p->before));
  PetscCall(PetscFree(p));
  PetscFunctionReturn(0);
}

/* Newton's rule for what a cycle has changed, which SNESNGMRES does not tell. */
static PetscErrorCode Converged(SNES snes, PetscInt it, PetscReal xnorm, PetscReal snorm, PetscReal fnorm,
                                SNESConvergedReason *reason, void *ctx)
{
  Progress *p = ctx;
  Vec x;
  PetscFunctionBeginUser;
  PetscCall(SNESGetSolution(snes, &x));
  PetscCall(VecAXPY(p->before, -1.0, x));
  PetscCall(VecNorm(p->before, NORM_2, &snorm));
  PetscCall(VecCopy(x, p->before));
  PetscCall(NewtonConverged(snes, it, xnorm, snorm, fnorm, reason, p->s));
  PetscFunctionReturn(0);
}

static PetscErrorCode ConfigureStep(SNES snes, Mat J, KSPType type, PCType preconditioner)
{
  SNESLineSearch search;
  KSP ksp;
  PC pc;
  PetscFunctionBeginUser;
  PetscCall(SNESSetType(snes, SNESNEWTONLS));
  PetscCall(SNESGetLineSearch(snes, &search));
  PetscCall(SNESLineSearchSetType(search, SNESLINESEARCHNONE));
  PetscCall(SNESSetTolerances(snes, PETSC_DEFAULT, PETSC_DEFAULT, PETSC_DEFAULT, 1, PETSC_DEFAULT));
  PetscCall(SNESSetConvergenceTest(snes, SNESConvergedSkip, NULL, NULL));
  PetscCall(SNESSetJacobian(snes, J, J, NULL, NULL));
  PetscCall(SNESSetLagJacobian(snes, -1)); /* what NewtonFill has put there */
  PetscCall(SNESGetKSP(snes, &ksp));
  PetscCall(KSPSetType(ksp, type));
  PetscCall(KSPSetTolerances(ksp, PETSC_DEFAULT, PETSC_DEFAULT, PETSC_DEFAULT, SWEEPS));
  PetscCall(KSPSetNormType(ksp, KSP_NORM_NONE));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PCSetType(pc, preconditioner));
  if (!strcmp(preconditioner, PCSOR)) PetscCall(PCSORSetSymmetric(pc, SOR_LOCAL_SYMMETRIC_SWEEP));
  PetscFunctionReturn(0);
}

static PetscErrorCode ConfigureSmoothers(SNES fas, PetscInt level, Mat J, bool finest)
{
  SNES down, up;
  PetscFunctionBeginUser;
  PetscCall(SNESFASGetSmootherDown(fas, level, &down));
  PetscCall(SNESFASGetSmootherUp(fas, level, &up));
  PetscCall(ConfigureStep(down, J, KSPRICHARDSON, PCSOR));
  PetscCall(ConfigureStep(up, J, KSPRICHARDSON, PCSOR));
  if (finest) PetscCall(SNESSetLagJacobian(down, 1)); /* asks FineJacobian */
  PetscFunctionReturn(0);
}

static PetscErrorCode ConfigureTransfer(SNES fas, PetscInt level, ScoriaMultigrid mg, int l)
{
  Vec scale;
  PetscFunctionBeginUser;
  PetscCall(SNESFASSetInterpolation(fas, level + 1, mg->up[l]));
  PetscCall(SNESFASSetRestriction(fas, level + 1, mg->down[l]));
  PetscCall(VecDuplicate(mg->x[l], &scale)); /* makes weighted means of the sums, for states */
  PetscCall(VecSet(scale, (double)mg->d[l]->grid.n[0] / mg->d[l - 1]->grid.n[0]));
  PetscCall(SNESFASSetRScale(fas, level + 1, scale));
  PetscCall(VecDestroy(&scale));
  PetscFunctionReturn(0);
}

/* Work vectors like x. */
static PetscErrorCode UseVectors(SNES snes, Vec x)
{
  DM dm;
  PetscFunctionBeginUser;
  PetscCall(SNESGetDM(snes, &dm));
  PetscCall(DMShellSetGlobalVector(dm, x));
  PetscFunctionReturn(0);
}

static PetscErrorCode ConfigureCoarser(SNES fas, PetscInt level, ScoriaMultigrid mg, int l)
{
  SNES cycle;
  Vec r;
  PetscFunctionBeginUser;
  PetscCall(ConfigureTransfer(fas, level, mg, l));
  PetscCall(SNESFASGetCycleSNES(fas, level, &cycle));
  PetscCall(UseVectors(cycle, mg->x[l]));
  PetscCall(VecDuplicate(mg->x[l], &r));
  PetscCall(SNESSetFunction(cycle, r, CoarseResidual, mg->d[l]));
  PetscCall(VecDestroy(&r));
  PetscFunctionReturn(0);
}

static PetscErrorCode ConfigureCycle(ScoriaSolver s, SNES fas)
{
  ScoriaMultigrid mg = s->mg;
  const int coarsest = mg->levels - 1;
  char levels[16];
  SNES snes;
  PetscFunctionBeginUser;
  PetscCall(SNESSetType(fas, SNESFAS));
  PetscCall(SNESFASSetLevels(fas, mg->levels, NULL));
  snprintf(levels, sizeof levels, "%d", mg->levels); /* set-up reads the options again and would forget the number */
  PetscCall(PetscOptionsSetValue(NULL, "-npc_snes_fas_levels", levels));
  for (int l = 1; l <= coarsest; l++) PetscCall(ConfigureCoarser(fas, coarsest - l, mg, l));
  for (int l = 0; l < coarsest; l++) PetscCall(ConfigureSmoothers(fas, coarsest - l, l ? mg->J[l].J : s->J.J, l == 0));
  PetscCall(SNESFASGetCoarseSolve(fas, &snes));
  PetscCall(ConfigureStep(snes, mg->J[coarsest].J, KSPPREONLY, s->size > 1 ? PCREDUNDANT : PCLU));
  PetscFunctionReturn(0);
}

PetscErrorCode UseFas(ScoriaSolver s)
{
  SNES snes, fas;
  Progress *progress;
  PetscErrorCode (*residual)(SNES, Vec, Vec, void *);
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&progress));
  progress->s = s;
  PetscCall(VecDuplicate(s->x, &progress->before));
  PetscCall(SNESGetFunction(s->snes, NULL, &residual, NULL));
  PetscCall(SNESCreate(s->group, &snes));
  PetscCall(SNESSetType(snes, SNESNGMRES));
  PetscCall(UseVectors(snes, s->x));
  PetscCall(SNESSetFunction(snes, s->r, residual, s));
  PetscCall(SNESSetJacobian(snes, s->J.J, s->J.J, FineJacobian, s));
  PetscCall(SNESSetConvergenceTest(snes, Converged, progress, FreeProgress));
  PetscCall(SNESSetTolerances(snes, PETSC_DEFAULT, PETSC_DEFAULT, PETSC_DEFAULT, MAX_CYCLES, PETSC_DEFAULT));
  PetscCall(SNESGetNPC(snes, &fas));
  PetscCall(ConfigureCycle(s, fas));
  PetscCall(SNESSetFromOptions(snes));
  PetscCall(SNESDestroy(&s->snes));
  s->snes = snes;
  PetscFunctionReturn(0);
}

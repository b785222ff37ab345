/* uq of several fidelities: draws, and what they cost. */
#include "multilevel.h"

PetscErrorCode LevelsDraw(Levels *l, LevelsPhase phase, unsigned members, uint64_t first, int64_t n)
{
  const ScoriaFidelityCost *cost = fidelities_cost(l->all);
  ScoriaFidelityCost before[LEVELS_MODELS + 1];
  LevelsTally *to = &l->here[phase];
  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(before, cost, l->K + 1));
  PetscCall(ScoriaFidelitiesDraw(l->all, l->q->theta + l->k * l->q->space->n, members, first, n, l->fields));
  for (int a = 0; a <= l->K; a++) {
    to->work[a] += cost[a].work - before[a].work;
    to->solves[a] += cost[a].solves - before[a].solves;
    to->failed[a] += cost[a].failed - before[a].failed;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsShareTallies(Levels *l)
{
  const int n = (int)(sizeof l->here / 8); /* integers of 64 bits */
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, l->here, n, MPI_INT64_T, MPI_SUM, l->workers->all.comm));
  for (int i = 0; i < n; i++) ((int64_t *)l->total)[i] += ((int64_t *)l->here)[i];
  PetscCall(PetscMemzero(l->here, sizeof l->here));
  PetscFunctionReturn(0);
}

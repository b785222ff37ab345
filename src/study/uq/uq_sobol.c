/* uq: Sobol indices, round by round of blocks (uq_blocks.c). */
#include "uq.h"

#define ROUND_BLOCKS 4 /* of each worker between two looks at the clock */

/* Blocks [first, end), dealt to the workers in turn. */
static PetscErrorCode Round(Uq *u, int64_t first, int64_t end, double values[])
{
  const bool works      = u->all.worker < u->all.workers;
  PetscErrorCode failed = 0;
  PetscFunctionBeginUser;
  for (int64_t b = first + u->all.worker; works && b < end && !failed; b += u->all.workers) {
    failed = UqDrawBlock(u, b, values);
    if (!failed) uq_add_block(u, values);
  }
  PetscCall(ScoriaAgreeFailed(u->comm, failed));
  PetscFunctionReturn(0);
}

static void fill(Uq *u)
{
  UqSensitivity *to = &u->a->sobol;
  to->blocks        = sobol_blocks(u->sobol);
  to->failed        = u->all_failed;
  for (int j = 0; j < u->q->nquantities; j++) {
    sobol_moments(u->sobol, j, &to->mean[j], &to->sd[j]);
    for (int i = 0; i < u->q->inputs; i++) sobol_index(u->sobol, j, i, &to->index[j][i]);
  }
}

PetscErrorCode UqSensitivityRun(Uq *u, int64_t done)
{
  double *values;
  PetscFunctionBeginUser;
  if (!u->q->base) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(uq_block_values(u), &values));
  PetscCall(ScoriaProgressCreate(u->run, "sobol", "blocks", (double)u->q->base, &u->bar));
  PetscCall(ScoriaProgressFrom(u->bar, (double)done));
  if (!u->sobol) {
    PetscCall(UqSobolPilot(u, true));
    done = PetscMin(UQ_PILOT_BLOCKS, u->q->base);
  }
  while (done < u->q->base) {
    const int64_t end = PetscMin(done + (int64_t)ROUND_BLOCKS * u->all.workers, u->q->base);
    PetscCall(Round(u, done, end, values));
    done = end;
    PetscCall(ScoriaProgressUpdate(u->bar, (double)done, NULL));
    if (done < u->q->base) PetscCall(UqPause(u, u->q->conditions, done));
  }
  PetscCall(UqSobolReduce(u));
  fill(u);
  PetscCall(ScoriaProgressDestroy(&u->bar));
  PetscCall(PetscFree(values));
  PetscFunctionReturn(0);
}

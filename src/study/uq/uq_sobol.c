/* uq: Sobol indices, round by round of blocks (uq_blocks.c). */
#include "uq.h"

#define ROUND_BLOCKS 4 /* of each worker between two looks at the clock */

/* Blocks [first, end), dealt to the workers in turn. */
static PetscErrorCode Round(UqBlocks *blocks, int64_t first, int64_t end, double values[])
{
  const ScoriaTeam *all = &blocks->all;
  const bool works      = all->worker < all->workers;
  PetscErrorCode failed = 0;
  PetscFunctionBeginUser;
  for (int64_t b = first + all->worker; works && b < end && !failed; b += all->workers) {
    failed = UqDrawBlock(blocks->draws, b, values);
    if (!failed) uq_add_block(blocks, values);
  }
  PetscCall(ScoriaAgreeFailed(all->comm, failed));
  PetscFunctionReturn(0);
}

static void fill(const UqBlocks *blocks, UqSensitivity *to)
{
  const UqQuestion *q = blocks->draws->q;
  to->blocks          = sobol_blocks(blocks->sobol);
  to->failed          = blocks->all_failed;
  for (int j = 0; j < q->nquantities; j++) {
    sobol_moments(blocks->sobol, j, &to->mean[j], &to->sd[j]);
    for (int i = 0; i < q->inputs; i++) sobol_index(blocks->sobol, j, i, &to->index[j][i]);
  }
}

PetscErrorCode UqSensitivityRun(UqBlocks *blocks, UqKeeper *keeper, UqSensitivity *to, int64_t done)
{
  const UqQuestion *q = blocks->draws->q;
  ScoriaProgress bar;
  double *values;
  PetscFunctionBeginUser;
  if (!q->base) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(uq_block_values(q), &values));
  PetscCall(ScoriaProgressCreate(keeper->run, "sobol", "blocks", (double)q->base, &bar));
  PetscCall(ScoriaProgressFrom(bar, (double)done));
  if (!blocks->sobol) {
    PetscCall(UqSobolPilot(blocks, true));
    done = PetscMin(UQ_PILOT_BLOCKS, q->base);
  }
  while (done < q->base) {
    const int64_t end = PetscMin(done + (int64_t)ROUND_BLOCKS * blocks->all.workers, q->base);
    PetscCall(Round(blocks, done, end, values));
    done = end;
    PetscCall(ScoriaProgressUpdate(bar, (double)done, NULL));
    if (done < q->base) PetscCall(UqPause(keeper, q->conditions, done));
  }
  PetscCall(UqSobolReduce(blocks));
  fill(blocks, to);
  PetscCall(ScoriaProgressDestroy(&bar));
  PetscCall(PetscFree(values));
  PetscFunctionReturn(0);
}

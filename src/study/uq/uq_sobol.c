/* uq: Sobol indices, round by round of blocks (uq_blocks.c). */
#include "uq.h"
#include <string.h>
#include <stdio.h>

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

/* One number of the index of every input of quantity j; the first is at `from`. */
static PetscErrorCode PutIndices(ScoriaStore store, const UqQuestion *q, int j, const char *name, const double *from,
                                 const char *description)
{
  const int64_t n = q->inputs;
  double all[UQ_MAX_INPUTS];
  char path[160], group[64];
  PetscFunctionBeginUser;
  for (int i = 0; i < q->inputs; i++) all[i] = from[i * (int)(sizeof(ScoriaSobolIndex) / sizeof(double))];
  PetscCall(
      PetscSNPrintf(path, sizeof path, "/sobol/%s/%s", uq_group_name(q->quantity[j].name, sizeof group, group), name));
  PetscCall(ScoriaStorePutReals(store, path, 1, &n, all, "1", description));
  PetscFunctionReturn(0);
}

PetscErrorCode UqPutSobol(ScoriaStore store, const UqQuestion *q, const UqSensitivity *a)
{
  const int64_t one                             = 1;
  char inputs[UQ_MAX_INPUTS * SCORIA_NAME_SIZE] = "", path[160];
  PetscFunctionBeginUser;
  if (!q->base) PetscFunctionReturn(0);
  for (int i = 0; i < q->inputs; i++)
    snprintf(inputs + strlen(inputs), sizeof inputs - strlen(inputs), "%s%s", i ? "," : "", uq_input_name(q, i));
  PetscCall(ScoriaStorePutText(store, "sobol_inputs", inputs));
  PetscCall(ScoriaStorePutInt(store, "sobol_blocks", a->blocks));
  PetscCall(ScoriaStorePutInt(store, "sobol_draws", q->draws));
  PetscCall(ScoriaStorePutInt(store, "sobol_failed", a->failed));
  for (int j = 0; j < q->nquantities; j++) {
    const ScoriaSobolIndex *index = a->index[j];
    char group[64];
    (void)uq_group_name(q->quantity[j].name, sizeof group, group);
    PetscCall(PetscSNPrintf(path, sizeof path, "/sobol/%s/mean", group));
    PetscCall(ScoriaStorePutReals(store, path, 1, &one, &a->mean[j], q->quantity[j].unit, "over all inputs"));
    PetscCall(PetscSNPrintf(path, sizeof path, "/sobol/%s/sd", group));
    PetscCall(ScoriaStorePutReals(store, path, 1, &one, &a->sd[j], q->quantity[j].unit, "over all inputs"));
    PetscCall(PutIndices(store, q, j, "first", &index->first, "first-order index of each of sobol_inputs"));
    PetscCall(PutIndices(store, q, j, "first_se", &index->first_se, "standard error"));
    PetscCall(PutIndices(store, q, j, "total", &index->total, "total index of each of sobol_inputs"));
    PetscCall(PutIndices(store, q, j, "total_se", &index->total_se, "standard error"));
  }
  PetscFunctionReturn(0);
}

/* Passes over the tiles of a rank.  No rank waits for another within a round; at the end of each all learn whether one
 * has failed, and whether they are to stop. */
#include "normaliser_data.h"
#include <stdlib.h>

#define ROUND_BYTES ((int64_t)192 << 20) /* read by a rank between two looks at whether to stop: seconds at most */
#define GRACE_SECONDS 4                  /* a stop waits so long for what is nearly done, so that it can be kept */

/* SCORIA_GRACE_SECONDS of the environment, or 4. */
static double grace_seconds(void)
{
  const char *text = getenv("SCORIA_GRACE_SECONDS");
  return text ? atof(text) : GRACE_SECONDS;
}

/* Ends a round: whether any rank has failed, in which case all are to leave; and stops where that is asked for. */
static PetscErrorCode EndRound(NormData *data, bool failed, bool *leave)
{
  enum { GO_ON, STOP, FAILED };
  bool stop = false;
  int worst = failed ? FAILED : GO_ON;
  PetscFunctionBeginUser;
  if (data->in.run) PetscCall(ScoriaStopNoticed(data->in.run, &stop));
  if (stop && data->noticed == 0) data->noticed = wall_seconds();
  if (stop && wall_seconds() - data->noticed >= grace_seconds()) worst = PetscMax(worst, STOP);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_INT, MPI_MAX, data->in.comm));
  *leave = worst == FAILED;
  if (worst != STOP) PetscFunctionReturn(0);
  PetscCall(ScoriaStopAsked(data->in.run, &stop));
  PetscCall(
      ScoriaStopped(data->in.run, data->known ? "the normaliser is kept" : "nothing of the training is kept yet"));
  PetscFunctionReturn(0);
}

/* Progress as seen from this rank's share. */
static PetscErrorCode Tell(NormData *data, const char *what, int t)
{
  PetscFunctionBeginUser;
  if (data->bar)
    PetscCall(ScoriaProgressUpdate(
        data->bar, (data->pass + (double)t / PetscMax(data->tiles.tiles, 1)) * (double)data->spec->rows, what));
  PetscFunctionReturn(0);
}

static PetscErrorCode WalkTiles(NormData *data, const char *what, NormStage stage, int first, int end, NormVisit visit,
                                void *ctx)
{
  double *v = NULL;
  PetscFunctionBeginUser;
  for (int t = first; t < end; t++) {
    PetscCall(NormDataLoad(data, t, stage, &v));
    PetscCall(visit(ctx, data, t, v));
    PetscCall(Tell(data, what, t + 1));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode NormDataWalk(NormData *data, const char *what, NormStage stage, NormVisit visit, void *ctx)
{
  const int round       = (int)PetscMax(ROUND_BYTES / (data->capacity * norm_row_bytes(data->spec)), 1);
  PetscErrorCode failed = 0;
  bool leave            = false;
  int64_t first, most;
  int size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(data->in.comm, &size));
  deal_block(data->all_tiles, 0, size, &first, &most); /* nobody has more */
  for (int64_t t = 0; t < PetscMax(most, 1) && !leave; t += round) {
    const int from = (int)PetscMin(t, data->tiles.tiles), end = (int)PetscMin(t + round, data->tiles.tiles);
    failed = WalkTiles(data, what, stage, from, end, visit, ctx);
    PetscCall(EndRound(data, failed != 0, &leave));
  }
  if (leave) PetscCall(ScoriaAgreeFailed(data->in.comm, failed));
  data->pass++;
  PetscFunctionReturn(0);
}

PetscErrorCode NormShare(const NormData *data, size_t n, double values[])
{
  PetscFunctionBeginUser;
  PetscCheck(n <= INT32_MAX, data->in.comm, PETSC_ERR_ARG_OUTOFRANGE, "%zu values", n);
  PetscCallMPI(MPI_Bcast(values, (int)n, MPI_DOUBLE, 0, data->in.comm));
  PetscFunctionReturn(0);
}

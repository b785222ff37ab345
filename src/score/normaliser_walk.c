/* Passes over the tiles of a rank.  No rank waits for another within a round; at the end of each all learn whether one
 * has failed, and whether they are to stop. */
#include "normaliser_data.h"
#include <stdlib.h>

#define ROUND_SECONDS 2 /* between two looks at whether to stop */
#define GRACE_SECONDS 4 /* a stop waits so long for what is nearly done, so that it can be kept */

/* SCORIA_GRACE_SECONDS of the environment, or 4. */
static double grace_seconds(void)
{
  const char *text = getenv("SCORIA_GRACE_SECONDS");
  return text ? atof(text) : GRACE_SECONDS;
}

/* Ends a round: whether any rank has failed, in which case all are to leave; and stops where that is asked for. */
static PetscErrorCode EndRound(NormData *data, bool failed, bool left, bool *leave, bool *go_on)
{
  enum { ALL_WELL, STOP, FAILED };
  bool stop  = false;
  int all[2] = {failed ? FAILED : ALL_WELL, left}, *worst = &all[0];
  PetscFunctionBeginUser;
  if (data->in.run) PetscCall(ScoriaStopNoticed(data->in.run, &stop));
  if (stop && data->noticed == 0) data->noticed = wall_seconds();
  if (stop && wall_seconds() - data->noticed >= grace_seconds()) *worst = PetscMax(*worst, STOP);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, all, 2, MPI_INT, MPI_MAX, data->in.comm));
  *leave = *worst == FAILED;
  *go_on = all[1] && !*leave;
  if (*worst != STOP) PetscFunctionReturn(0);
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

/* Tiles from *t on, for a round. */
static PetscErrorCode WalkRound(NormData *data, const char *what, NormStage stage, int *t, NormVisit visit, void *ctx)
{
  const double start = wall_seconds();
  double *v          = NULL;
  PetscFunctionBeginUser;
  while (*t < data->tiles.tiles && wall_seconds() - start < ROUND_SECONDS) {
    PetscCall(NormDataLoad(data, *t, stage, &v));
    PetscCall(visit(ctx, data, *t, v));
    PetscCall(Tell(data, what, ++*t));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode NormDataWalk(NormData *data, const char *what, NormStage stage, NormVisit visit, void *ctx)
{
  PetscErrorCode failed = 0;
  bool leave = false, go_on = true;
  int t = 0;
  PetscFunctionBeginUser;
  while (go_on) {
    failed = WalkRound(data, what, stage, &t, visit, ctx);
    PetscCall(EndRound(data, failed != 0, t < data->tiles.tiles, &leave, &go_on));
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

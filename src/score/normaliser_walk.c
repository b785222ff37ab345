/* Passes over the tiles of a rank.  No rank waits for another within a round; at the end of each all learn whether one
 * has failed, and whether they are to stop. */
#include "scoria/linalg.h"
#include "normaliser_data.h"
#include <math.h>
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
static PetscErrorCode EndRound(NormPasses *p, bool failed, bool left, bool *leave, bool *go_on)
{
  enum { ALL_WELL, STOP, FAILED };
  bool stop  = false;
  int all[2] = {failed ? FAILED : ALL_WELL, left}, *worst = &all[0];
  PetscFunctionBeginUser;
  if (p->run) PetscCall(ScoriaStopNoticed(p->run, &stop));
  if (stop && p->noticed == 0) p->noticed = wall_seconds();
  if (stop && wall_seconds() - p->noticed >= grace_seconds()) *worst = PetscMax(*worst, STOP);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, all, 2, MPI_INT, MPI_MAX, p->comm));
  *leave = *worst == FAILED;
  *go_on = all[1] && !*leave;
  if (*worst != STOP) PetscFunctionReturn(0);
  PetscCall(ScoriaStopAsked(p->run, &stop));
  PetscCall(ScoriaStopped(p->run, p->known ? "the normaliser is kept" : "nothing of the training is kept yet"));
  PetscFunctionReturn(0);
}

/* Tiles from *t on, for a round; progress as seen from this rank's share. */
static PetscErrorCode WalkRound(NormPasses *p, const char *what, int tiles, int *t, NormTileVisit visit, void *ctx)
{
  const double start = wall_seconds();
  PetscFunctionBeginUser;
  while (*t < tiles && wall_seconds() - start < ROUND_SECONDS) {
    PetscCall(visit(ctx, (*t)++));
    if (p->bar) PetscCall(ScoriaProgressUpdate(p->bar, (p->pass + (double)*t / tiles) * p->rows, what));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode NormPassesWalk(NormPasses *p, const char *what, int tiles, NormTileVisit visit, void *ctx)
{
  PetscErrorCode failed = 0;
  bool leave = false, go_on = true;
  int t = 0;
  PetscFunctionBeginUser;
  while (go_on) {
    failed = WalkRound(p, what, tiles, &t, visit, ctx);
    PetscCall(EndRound(p, failed != 0, t < tiles, &leave, &go_on));
  }
  if (leave) PetscCall(ScoriaAgreeFailed(p->comm, failed));
  p->pass++;
  PetscFunctionReturn(0);
}

/* The ctx of see_tile.  All borrowed. */
typedef struct {
  NormData *data;
  NormStage stage;
  NormVisit visit;
  void *ctx;
} Seeing;

static PetscErrorCode see_tile(void *ctx, int t)
{
  const Seeing *s = ctx;
  double *v       = NULL;
  PetscFunctionBeginUser;
  PetscCall(NormDataLoad(s->data, t, s->stage, &v));
  PetscCall(s->visit(s->ctx, s->data, t, v));
  PetscFunctionReturn(0);
}

PetscErrorCode NormDataWalk(NormData *data, const char *what, NormStage stage, NormVisit visit, void *ctx)
{
  Seeing seeing = {data, stage, visit, ctx};
  PetscFunctionBeginUser;
  data->passes.known = data->known;
  PetscCall(NormPassesWalk(&data->passes, what, data->tiles.tiles, see_tile, &seeing));
  PetscFunctionReturn(0);
}

PetscErrorCode NormShare(MPI_Comm comm, size_t n, double values[])
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaBroadcastMany(comm, 0, (int64_t)n, MPI_DOUBLE, values));
  PetscFunctionReturn(0);
}

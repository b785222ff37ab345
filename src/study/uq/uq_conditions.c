/* uq at its conditions: every one is a stream of samples, with nothing kept of a single one.
 *
 * A condition is shared by all workers, tile by tile (uq_tiles.c).  Where one takes a worker no longer than
 * DEALT_SECONDS, as the first tells, and there are as many as workers, each takes one of its own, and ranks meet once
 * per round of these. */
#include "uq.h"

#define DEALT_SECONDS 8 /* a round of dealt conditions has no checkpoint: what a stop loses */

/* The way through the conditions. */
typedef struct {
  MPI_Comm comm;
  const UqQuestion *q;          /* borrowed, as are the next */
  const ScoriaWorkers *workers; /* of the source */
  UqTiles *tiles;
  UqKeeper *keeper;
  UqAnswer *a;
  ScoriaProgress bar;       /* owned */
  double condition_seconds; /* of one worker alone, on every rank; 0: not known yet */
} Walk;

/* ----------------------------------------------------------------------------------------- one condition ---- */

/* Whether any rank of the team has a reason to stop; of these alone, for the others are elsewhere. */
static PetscErrorCode TeamStops(Walk *w, bool *stop)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaStopNoticed(w->keeper->run, stop));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, stop, 1, MPI_C_BOOL, MPI_LOR, w->tiles->team.comm));
  PetscFunctionReturn(0);
}

/* After a round of tiles.  Alone, a condition is given up when it is time to stop: it restarts from its beginning in
 * the next start. */
static PetscErrorCode AfterTiles(Walk *w, int k, int64_t done, bool *given_up)
{
  PetscFunctionBeginUser;
  if (w->tiles->team.comm != w->comm) {
    PetscCall(TeamStops(w, given_up));
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaProgressUpdate(w->bar, (double)k * (double)w->q->count + (double)done * w->q->tile, NULL));
  PetscCall(UqPause(w->keeper, k, done));
  PetscFunctionReturn(0);
}

/* Condition k from tile `done` on.  Whether all is known is asked after 4, 8, 16, ... tiles: the same places whatever
 * the ranks. */
static PetscErrorCode OneCondition(Walk *w, int k, int64_t done, bool *given_up)
{
  const int64_t tiles = (w->q->count + w->q->tile - 1) / w->q->tile;
  int64_t look        = UQ_PILOT_TILES;
  PetscFunctionBeginUser;
  *given_up = false;
  if (!w->tiles->summary) PetscCall(UqPilot(w->tiles, k));
  while (w->q->tolerance > 0 && look <= done) look *= 2;
  while (done < tiles && !*given_up) {
    const int64_t end = PetscMin(PetscMin(done + w->tiles->team.workers, tiles),
                                 w->q->tolerance > 0 ? PetscMax(look, done + 1) : tiles);
    if (done + w->tiles->team.worker < end) PetscCall(UqAddTile(w->tiles, k, done + w->tiles->team.worker));
    done = end;
    if (w->q->tolerance > 0 && done == look) {
      PetscCall(UqReduce(w->tiles));
      if (uq_known(w->q, w->tiles->summary)) break;
      look *= 2;
    }
    if (done < tiles) PetscCall(AfterTiles(w, k, done, given_up));
  }
  PetscCall(UqReduce(w->tiles));
  PetscCall(UqAnswerFill(w->q, w->a, k, w->tiles->all_failed, w->tiles->summary));
  PetscCall(ScoriaSummaryDestroy(&w->tiles->summary));
  w->tiles->all_failed = 0;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------- all conditions ---- */

/* Conditions [first, first + workers), one for each worker; whole: none was given up. */
static PetscErrorCode DealtConditions(Walk *w, int first, bool *whole)
{
  const int64_t size    = (int64_t)w->a->size;
  const int mine        = first + w->workers->all.worker;
  const bool works      = w->workers->all.worker < w->workers->all.workers;
  bool given_up         = false;
  PetscErrorCode failed = 0;
  PetscFunctionBeginUser;
  w->tiles->team = w->workers->own;
  if (works) failed = OneCondition(w, mine, 0, &given_up);
  w->tiles->team = w->workers->all;
  PetscCall(ScoriaAgreeFailed(w->comm, failed));
  if (works && !w->tiles->leads) PetscCall(PetscArrayzero(w->a->value + mine * size, size));
  /* bits, of which every double has one writer: a sum would change the sign of a zero */
  PetscCall(
      ScoriaReduceMany(w->comm, MPI_BOR, w->workers->all.workers * size, MPI_UINT64_T, w->a->value + first * size));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &given_up, 1, MPI_C_BOOL, MPI_LOR, w->comm));
  *whole = !given_up;
  if (given_up) PetscCall(PetscArrayzero(w->a->value + first * size, size * w->workers->all.workers));
  PetscFunctionReturn(0);
}

/* Condition k, shared; how long it would take one worker is what rank 0 finds. */
static PetscErrorCode SharedCondition(Walk *w, int k, int64_t tiles)
{
  const double start = wall_seconds();
  bool given_up;
  PetscFunctionBeginUser;
  PetscCall(OneCondition(w, k, tiles, &given_up));
  if (tiles == 0) w->condition_seconds = (wall_seconds() - start) * w->workers->all.workers;
  PetscCallMPI(MPI_Bcast(&w->condition_seconds, 1, MPI_DOUBLE, 0, w->comm));
  PetscFunctionReturn(0);
}

/* The next conditions from *k on, of which `tiles` tiles are done. */
static PetscErrorCode SomeConditions(Walk *w, int *k, int64_t tiles)
{
  const int workers = w->workers->all.workers;
  const bool small  = w->condition_seconds > 0 && w->condition_seconds < DEALT_SECONDS;
  bool whole        = true;
  PetscFunctionBeginUser;
  if (small && workers > 1 && w->q->conditions - *k >= workers) {
    PetscCall(DealtConditions(w, *k, &whole));
    if (whole) *k += workers;
  } else {
    PetscCall(SharedCondition(w, *k, tiles));
    ++*k;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode UqConditions(UqTiles *tiles, UqKeeper *keeper, UqAnswer *a, int k, int64_t done)
{
  const UqQuestion *q = tiles->draws->q;
  const double count  = (double)q->count;
  Walk w              = {.comm    = ScoriaRunComm(keeper->run),
                         .q       = q,
                         .workers = source_workers(tiles->draws->source),
                         .tiles   = tiles,
                         .keeper  = keeper,
                         .a       = a};
  PetscFunctionBeginUser;
  if (k == q->conditions) PetscFunctionReturn(0);
  PetscCall(ScoriaProgressCreate(keeper->run, "uq", "fields", count * q->conditions, &w.bar));
  PetscCall(ScoriaProgressFrom(w.bar, k * count + (double)done * q->tile));
  while (k < q->conditions) {
    PetscCall(SomeConditions(&w, &k, done));
    done = 0;
    PetscCall(ScoriaProgressUpdate(w.bar, k * count, NULL));
    if (k < q->conditions || q->base) PetscCall(UqPause(keeper, k, 0));
  }
  PetscCall(ScoriaProgressDestroy(&w.bar));
  PetscFunctionReturn(0);
}

double uq_draws_for(const UqQuestion *q, double n)
{
  double looked = UQ_PILOT_TILES * (double)q->tile;
  while (looked < n && looked < (double)q->count) looked *= 2; /* as UqConditions looks */
  return q->tolerance > 0 ? PetscMin(looked, (double)q->count) : (double)q->count;
}

/* uq at its conditions: every one is a stream of samples, with nothing kept of a single one.
 *
 * A condition is shared by all workers, tile by tile (uq_tiles.c).  Where one takes a worker no longer than
 * DEALT_SECONDS, as the first tells, and there are as many as workers, each takes one of its own, and ranks meet once
 * per round of these. */
#include "uq.h"

#define DEALT_SECONDS 8 /* a round of dealt conditions has no checkpoint: what a stop loses */

/* ----------------------------------------------------------------------------------------- one condition ---- */

/* Whether any rank of the team has a reason to stop; of these alone, for the others are elsewhere. */
static PetscErrorCode TeamStops(Uq *u, bool *stop)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaStopNoticed(u->run, stop));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, stop, 1, MPI_C_BOOL, MPI_LOR, u->team.comm));
  PetscFunctionReturn(0);
}

/* After a round of tiles.  Alone, a condition is given up when it is time to stop: it restarts from its beginning in
 * the next start. */
static PetscErrorCode AfterTiles(Uq *u, int k, int64_t done, bool *given_up)
{
  PetscFunctionBeginUser;
  if (u->team.comm != u->comm) {
    PetscCall(TeamStops(u, given_up));
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaProgressUpdate(u->bar, (double)k * (double)u->q->count + (double)done * UQ_TILE, NULL));
  PetscCall(UqPause(u, k, done));
  PetscFunctionReturn(0);
}

/* Condition k from tile `done` on.  Whether all is known is asked after 4, 8, 16, ... tiles: the same places whatever
 * the ranks. */
static PetscErrorCode OneCondition(Uq *u, int k, int64_t done, bool *given_up)
{
  const int64_t tiles = (u->q->count + UQ_TILE - 1) / UQ_TILE;
  int64_t look        = UQ_PILOT_TILES;
  PetscFunctionBeginUser;
  *given_up = false;
  if (!u->summary) PetscCall(UqPilot(u, k));
  while (u->q->tolerance > 0 && look <= done) look *= 2;
  while (done < tiles && !*given_up) {
    const int64_t end =
        PetscMin(PetscMin(done + u->team.workers, tiles), u->q->tolerance > 0 ? PetscMax(look, done + 1) : tiles);
    if (done + u->team.worker < end) PetscCall(UqAddTile(u, k, done + u->team.worker));
    done = end;
    if (u->q->tolerance > 0 && done == look) {
      PetscCall(UqReduce(u));
      if (uq_known(u->q, u->summary)) break;
      look *= 2;
    }
    if (done < tiles) PetscCall(AfterTiles(u, k, done, given_up));
  }
  PetscCall(UqReduce(u));
  PetscCall(UqAnswerFill(u->q, u->a, k, u->all_failed, u->summary));
  PetscCall(ScoriaSummaryDestroy(&u->summary));
  u->all_failed = 0;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------- all conditions ---- */

/* Conditions [first, first + workers), one for each worker; whole: none was given up. */
static PetscErrorCode DealtConditions(Uq *u, int first, bool *whole)
{
  const int64_t size    = (int64_t)u->a->size;
  const int mine        = first + u->all.worker;
  const bool works      = u->all.worker < u->all.workers;
  bool given_up         = false;
  PetscErrorCode failed = 0;
  PetscFunctionBeginUser;
  u->team = u->own;
  if (works) failed = OneCondition(u, mine, 0, &given_up);
  u->team = u->all;
  PetscCall(ScoriaAgreeFailed(u->comm, failed));
  if (works && !u->leads) PetscCall(PetscArrayzero(u->a->value + mine * size, size));
  /* Bits, of which every double has one writer: a sum would change the sign of a zero.  Condition by condition, as all
   * of them may be more than MPI counts. */
  for (int k = first; k < first + u->all.workers; k++)
    PetscCallMPI(
        MPI_Allreduce(MPI_IN_PLACE, u->a->value + k * size, (PetscMPIInt)size, MPI_UINT64_T, MPI_BOR, u->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &given_up, 1, MPI_C_BOOL, MPI_LOR, u->comm));
  *whole = !given_up;
  if (given_up) PetscCall(PetscArrayzero(u->a->value + first * size, size * u->all.workers));
  PetscFunctionReturn(0);
}

/* Condition k, shared; how long it would take one worker is what rank 0 finds. */
static PetscErrorCode SharedCondition(Uq *u, int k, int64_t tiles)
{
  const double start = wall_seconds();
  bool given_up;
  PetscFunctionBeginUser;
  PetscCall(OneCondition(u, k, tiles, &given_up));
  if (tiles == 0) u->condition_seconds = (wall_seconds() - start) * u->all.workers;
  PetscCallMPI(MPI_Bcast(&u->condition_seconds, 1, MPI_DOUBLE, 0, u->comm));
  PetscFunctionReturn(0);
}

/* The next conditions from *k on, of which `tiles` tiles are done. */
static PetscErrorCode SomeConditions(Uq *u, int *k, int64_t tiles)
{
  const int workers = u->all.workers;
  const bool small  = u->condition_seconds > 0 && u->condition_seconds < DEALT_SECONDS;
  bool whole        = true;
  PetscFunctionBeginUser;
  if (small && workers > 1 && u->q->conditions - *k >= workers) {
    PetscCall(DealtConditions(u, *k, &whole));
    if (whole) *k += workers;
  } else {
    PetscCall(SharedCondition(u, *k, tiles));
    ++*k;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode UqConditions(Uq *u, int k, int64_t tiles)
{
  const double count = (double)u->q->count;
  PetscFunctionBeginUser;
  if (k == u->q->conditions) PetscFunctionReturn(0);
  PetscCall(ScoriaProgressCreate(u->run, "uq", "fields", count * u->q->conditions, &u->bar));
  PetscCall(ScoriaProgressFrom(u->bar, k * count + (double)tiles * UQ_TILE));
  while (k < u->q->conditions) {
    PetscCall(SomeConditions(u, &k, tiles));
    tiles = 0;
    PetscCall(ScoriaProgressUpdate(u->bar, k * count, NULL));
    if (k < u->q->conditions || u->q->base) PetscCall(UqPause(u, k, 0));
  }
  PetscCall(ScoriaProgressDestroy(&u->bar));
  PetscFunctionReturn(0);
}

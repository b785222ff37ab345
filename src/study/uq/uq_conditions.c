/* uq at its conditions: every one is a stream of samples, with nothing kept of a single one.
 *
 * The samples of a condition are cut into tiles of UQ_TILE.  A sample depends on its number alone and sums are
 * associative (stats.h), so that the answer is the same bits on any number of ranks and after any number of starts.
 * A condition is shared by all workers, tile by tile.  Where one takes a worker no longer than DEALT_SECONDS, as the
 * first tells, and there are as many as workers, each takes one of its own, and ranks meet once per round of these. */
#include "uq.h"
#include <string.h>

#define DEALT_SECONDS 60 /* a round of dealt conditions has no checkpoint */

/* ------------------------------------------------------------------------------------------------ drawing ---- */

static PetscErrorCode DrawSolves(Uq *u, const double theta[], uint64_t id, int64_t n)
{
  const int L = u->q.cells, width = u->q.space->n;
  double thetas[UQ_TILE * SCORIA_MAX_CONDITIONS] = {0};
  uint64_t ids[UQ_TILE]                          = {0};
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++) {
    memcpy(thetas + i * width, theta, (size_t)width * sizeof(double));
    ids[i] = id + (uint64_t)i;
  }
  PetscCall(ScoriaEnsembleCompute(u->ens, n, thetas, ids, NULL, &u->rows));
  for (int64_t i = 0; i < n; i++)
    for (int c = 0; c < u->q.channels; c++)
      memcpy(u->fields + (i * u->q.channels + c) * L, u->rows.field[c] + i * L, (size_t)L * sizeof(double));
  PetscFunctionReturn(0);
}

PetscErrorCode UqDraw(Uq *u, const double theta[], uint64_t id, int64_t n)
{
  const double start = wall_seconds();
  PetscFunctionBeginUser;
  if (u->q.pde)
    PetscCall(DrawSolves(u, theta, id, n));
  else
    PetscCall(ScoriaModelSample(u->model, &u->twin, &u->sampler, theta, id, n, false, u->fields));
  u->seconds[0] += wall_seconds() - start;
  PetscFunctionReturn(0);
}

void uq_at(Uq *u, const double theta[])
{
  for (int i = 0; i < u->q.nquantities; i++)
    if (u->q.condition[i] >= 0) u->q.quantity[i].offset = theta[u->q.condition[i]];
}

/* Samples [first, first + n) of condition k, n <= UQ_TILE, into u->fields. */
static PetscErrorCode DrawFields(Uq *u, int k, int64_t first, int64_t n)
{
  /* Numbers of their own: no training row, held-out row or sample of another command has them. */
  const uint64_t id = (uint64_t)1 << 62 | (uint64_t)k << 40 | (uint64_t)first;
  PetscFunctionBeginUser;
  PetscCall(UqDraw(u, u->q.theta + k * u->q.space->n, id, n));
  PetscFunctionReturn(0);
}

/* Rows (n, columns) of the drawn fields from `first` on: the fields and their quantities. */
static void make_rows(Uq *u, int64_t first, int64_t n, double rows[])
{
  for (int64_t i = 0; i < n; i++) {
    const double *from = u->fields + (first + i) * u->q.m;
    double *to         = rows + i * u->a.columns;
    memcpy(to, from, (size_t)u->q.m * sizeof(double));
    quantities_take(u->q.nquantities, u->q.quantity, u->q.cells, from, to + u->q.m);
  }
}

/* A tile of n rows to the summary, part by part: of the pilot, or NULL for the drawn fields. */
static void add_rows(Uq *u, const double *pilot, int64_t n)
{
  const int columns = u->a.columns;
  for (int64_t at = 0; at < n; at += UQ_PART) {
    const int64_t part = PetscMin(UQ_PART, n - at);
    if (pilot)
      memcpy(u->part, pilot + at * columns, (size_t)(part * columns) * sizeof(double));
    else
      make_rows(u, at, part, u->part);
    const int64_t good = stats_keep_finite(part, columns, u->part);
    u->failed += part - good;
    summary_add(u->summary, good, u->part);
  }
  summary_end_tile(u->summary);
}

/* Draws tile t of condition k (or takes it from the pilot) and adds it. */
static PetscErrorCode AddTile(Uq *u, int k, int64_t t)
{
  const int64_t first = t * UQ_TILE, n = PetscMin(UQ_TILE, u->q.count - first);
  const bool of_pilot = t < UQ_PILOT_TILES;
  PetscFunctionBeginUser;
  if (!of_pilot) PetscCall(DrawFields(u, k, first, n));
  if (!u->speaks) PetscFunctionReturn(0);
  const double start = wall_seconds();
  add_rows(u, of_pilot ? u->pilot + first * u->a.columns : NULL, n);
  u->seconds[1] += wall_seconds() - start;
  PetscFunctionReturn(0);
}

/* The first tiles of condition k, each worker of the team drawing a share, on every rank. */
static PetscErrorCode DrawPilot(Uq *u, int k, int64_t n)
{
  const int columns     = u->a.columns;
  PetscErrorCode failed = 0;
  int64_t first, number;
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(u->pilot, n * columns));
  deal_block(n, u->team.worker, u->team.workers, &first, &number);
  for (int64_t at = first; at < first + number; at += UQ_TILE) {
    const int64_t part = PetscMin(UQ_TILE, first + number - at);
    failed             = DrawFields(u, k, at, part);
    if (failed) break;
    const double drawn = wall_seconds();
    make_rows(u, 0, part, u->pilot + at * columns);
    u->seconds[1] += wall_seconds() - drawn;
  }
  PetscCall(ScoriaAgreeFailed(u->team.comm, failed)); /* a rank without a share has not tried */
  if (!u->speaks) PetscCall(PetscArrayzero(u->pilot, n * columns));
  /* Every row is one rank's and zero elsewhere: the sum is exact. */
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, u->pilot, (PetscMPIInt)(n * columns), MPI_DOUBLE, MPI_SUM, u->team.comm));
  PetscFunctionReturn(0);
}

PetscErrorCode UqPilot(Uq *u, int k)
{
  const int columns   = u->a.columns;
  const int64_t n     = PetscMin(UQ_PILOT_TILES * UQ_TILE, u->q.count);
  const UqQuestion *q = &u->q;
  double *good;
  PetscFunctionBeginUser;
  uq_at(u, q->theta + k * q->space->n);
  PetscCall(DrawPilot(u, k, n));
  PetscCall(PetscMalloc1(n * columns, &good));
  PetscCall(PetscArraycpy(good, u->pilot, n * columns));
  const int64_t left = stats_keep_finite(n, columns, good);
  if (left < 10)
    SCORIA_FAIL(SCORIA_EXIT_SOLVES, "uq: condition %d: %lld of the first %lld solves succeeded, expected at least 10",
                k, (long long)left, (long long)n);
  PetscCall(ScoriaSummaryCreate(&(ScoriaSummarySpec){columns, u->a.joint ? q->m : 0, q->nthresholds, q->threshold},
                                left, good, &u->summary));
  PetscCall(PetscFree(good));
  PetscFunctionReturn(0);
}

PetscErrorCode UqReduce(Uq *u)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSummaryReduce(u->summary, u->team.comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &u->failed, 1, MPI_INT64_T, MPI_SUM, u->team.comm));
  u->all_failed += u->failed;
  u->failed = 0;
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------- one condition ---- */

/* Whether any rank of the team has a reason to stop; of these alone, for the others are elsewhere. */
static PetscErrorCode TeamStops(Uq *u, bool *stop)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaStopNoticed(u->run, stop));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, stop, 1, MPI_C_BOOL, MPI_LOR, u->team.comm));
  PetscFunctionReturn(0);
}

/* After a round of tiles.  Alone, a condition is given up when it is time to stop: it begins anew in the next start. */
static PetscErrorCode AfterTiles(Uq *u, int k, int64_t done, bool *given_up)
{
  PetscFunctionBeginUser;
  if (u->team.comm != u->comm) {
    PetscCall(TeamStops(u, given_up));
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaProgressUpdate(u->bar, (double)k * (double)u->q.count + (double)done * UQ_TILE, NULL));
  PetscCall(UqPause(u, k, done));
  PetscFunctionReturn(0);
}

/* Condition k from tile `done` on.  Whether all is known is asked after 4, 8, 16, ... tiles: the same places whatever
 * the ranks. */
static PetscErrorCode OneCondition(Uq *u, int k, int64_t done, bool *given_up)
{
  const int64_t tiles = (u->q.count + UQ_TILE - 1) / UQ_TILE;
  int64_t look        = UQ_PILOT_TILES;
  PetscFunctionBeginUser;
  *given_up = false;
  if (!u->summary) PetscCall(UqPilot(u, k));
  while (u->q.tolerance > 0 && look <= done) look *= 2;
  while (done < tiles && !*given_up) {
    const int64_t end =
        PetscMin(PetscMin(done + u->team.workers, tiles), u->q.tolerance > 0 ? PetscMax(look, done + 1) : tiles);
    if (done + u->team.worker < end) PetscCall(AddTile(u, k, done + u->team.worker));
    done = end;
    if (u->q.tolerance > 0 && done == look) {
      PetscCall(UqReduce(u));
      if (uq_known(&u->q, u->summary)) break;
      look *= 2;
    }
    if (done < tiles) PetscCall(AfterTiles(u, k, done, given_up));
  }
  PetscCall(UqReduce(u));
  PetscCall(UqAnswerFill(&u->q, &u->a, k, u->all_failed, u->summary));
  PetscCall(ScoriaSummaryDestroy(&u->summary));
  u->all_failed = 0;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------- all conditions ---- */

/* Conditions [first, first + workers), one for each worker; whole: none was given up. */
static PetscErrorCode DealtConditions(Uq *u, int first, bool *whole)
{
  const int64_t size    = (int64_t)u->a.size;
  const int mine        = first + u->all.worker;
  const bool works      = u->all.worker < u->all.workers;
  bool given_up         = false;
  PetscErrorCode failed = 0;
  PetscFunctionBeginUser;
  u->team = u->own;
  if (works) failed = OneCondition(u, mine, 0, &given_up);
  u->team = u->all;
  PetscCall(ScoriaAgreeFailed(u->comm, failed));
  if (works && !u->speaks) PetscCall(PetscArrayzero(u->a.value + mine * size, size));
  /* Bits, of which every double has one writer: a sum would change the sign of a zero.  Condition by condition, as all
   * of them may be more than MPI counts. */
  for (int k = first; k < first + u->all.workers; k++)
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, u->a.value + k * size, (PetscMPIInt)size, MPI_UINT64_T, MPI_BOR, u->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &given_up, 1, MPI_C_BOOL, MPI_LOR, u->comm));
  *whole = !given_up;
  if (given_up) PetscCall(PetscArrayzero(u->a.value + first * size, size * u->all.workers));
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
  if (small && workers > 1 && u->q.conditions - *k >= workers) {
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
  const double count = (double)u->q.count;
  PetscFunctionBeginUser;
  if (k == u->q.conditions) PetscFunctionReturn(0);
  PetscCall(ScoriaProgressCreate(u->run, "uq", "fields", count * u->q.conditions, &u->bar));
  PetscCall(ScoriaProgressFrom(u->bar, k * count + (double)tiles * UQ_TILE));
  while (k < u->q.conditions) {
    PetscCall(SomeConditions(u, &k, tiles));
    tiles = 0;
    PetscCall(ScoriaProgressUpdate(u->bar, k * count, NULL));
    if (k < u->q.conditions || u->q.base) PetscCall(UqPause(u, k, 0));
  }
  PetscCall(ScoriaProgressDestroy(&u->bar));
  PetscFunctionReturn(0);
}

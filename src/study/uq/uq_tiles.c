/* uq: the samples of a condition, tile by tile, and the sums of them.
 *
 * The samples of a condition are cut into tiles of UQ_TILE.  A sample depends on its number alone and sums are
 * associative (stats.h), so that the answer is the same bits on any number of ranks and after any number of starts. */
#include "uq.h"
#include <string.h>

void uq_at(Uq *u, const double theta[])
{
  for (int i = 0; i < u->q->nquantities; i++)
    if (u->q->condition[i] >= 0) u->quantity[i].offset = theta[u->q->condition[i]];
}

/* Samples [first, first + n) of condition k, n <= UQ_TILE, into u->fields. */
static PetscErrorCode DrawFields(Uq *u, int k, int64_t first, int64_t n)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSourceDraw(u->source, u->q->theta + k * u->q->space->n, draw_number(SCORIA_DRAWS_UQ, k, first), n,
                             u->fields));
  PetscFunctionReturn(0);
}

/* Rows (n, columns) of the drawn fields from `first` on: the fields and their quantities. */
static void make_rows(Uq *u, int64_t first, int64_t n, double rows[])
{
  for (int64_t i = 0; i < n; i++) {
    const double *from = u->fields + (first + i) * u->q->m;
    double *to         = rows + i * u->a->columns;
    memcpy(to, from, (size_t)u->q->m * sizeof(double));
    quantities_take(u->q->nquantities, u->quantity, u->q->cells, from, to + u->q->m);
  }
}

/* A tile of n rows to the summary, part by part: of the pilot, or NULL for the drawn fields. */
static void add_rows(Uq *u, const double *pilot, int64_t n)
{
  const int columns = u->a->columns;
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

PetscErrorCode UqAddTile(Uq *u, int k, int64_t t)
{
  const int64_t first = t * UQ_TILE, n = PetscMin(UQ_TILE, u->q->count - first);
  const bool of_pilot = t < UQ_PILOT_TILES;
  PetscFunctionBeginUser;
  if (!of_pilot) PetscCall(DrawFields(u, k, first, n));
  if (!u->leads) PetscFunctionReturn(0);
  const double start = wall_seconds();
  add_rows(u, of_pilot ? u->pilot + first * u->a->columns : NULL, n);
  u->statistics += wall_seconds() - start;
  PetscFunctionReturn(0);
}

/* The first tiles of condition k, each worker of the team drawing a share, on every rank. */
static PetscErrorCode DrawPilot(Uq *u, int k, int64_t n)
{
  const int columns     = u->a->columns;
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
    u->statistics += wall_seconds() - drawn;
  }
  PetscCall(ScoriaAgreeFailed(u->team.comm, failed)); /* a rank without a share has not tried */
  if (!u->leads) PetscCall(PetscArrayzero(u->pilot, n * columns));
  /* Every row is one rank's and zero elsewhere: the sum is exact. */
  PetscCall(ScoriaReduceMany(u->team.comm, MPI_SUM, n * columns, MPI_DOUBLE, u->pilot));
  PetscFunctionReturn(0);
}

PetscErrorCode UqPilot(Uq *u, int k)
{
  const int columns   = u->a->columns;
  const int64_t n     = PetscMin(UQ_PILOT_TILES * UQ_TILE, u->q->count);
  const UqQuestion *q = u->q;
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
  PetscCall(ScoriaSummaryCreate(&(ScoriaSummarySpec){columns, u->a->joint ? q->m : 0, q->nthresholds, q->threshold},
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

/* uq: the samples of a condition, tile by tile, and the sums of them.
 *
 * The samples of a condition are cut into tiles, of UQ_TILE or, of whole fields, of fewer.  A sample depends on its
 * number alone and sums are associative (stats.h), so that the answer is the same bits on any number of ranks and after
 * any number of starts. */
#include "uq.h"
#include <string.h>

/* How rows are summed up, after an answer's layout. */
static ScoriaSummarySpec summary_spec(const UqQuestion *q, int columns, bool joint)
{
  return (ScoriaSummarySpec){.columns     = columns,
                             .joint       = joint ? q->m : 0,
                             .coarse      = q->whole ? q->m : 0,
                             .tile        = q->tile,
                             .nthresholds = q->nthresholds,
                             .threshold   = q->threshold};
}

PetscErrorCode UqCheckMemory(ScoriaDeck deck, const UqQuestion *q)
{
  double allowed;
  UqAnswer a;
  PetscFunctionBeginUser;
  if (!q->whole) PetscFunctionReturn(0);
  uq_lay_out(q, &a);
  PetscCall(ScoriaMemoryOfDeck(deck, &allowed));
  const ScoriaSummarySpec spec = summary_spec(q, a.columns, a.joint);
  const double rows = (2.0 * UQ_PILOT_TILES + 1) * q->tile + q->part, each = (double)a.size * sizeof(double),
               sums = summary_bytes(&spec) + rows * a.columns * (double)sizeof(double);
  PetscCall(ScoriaMemoryCheck(sums + each * q->conditions, allowed, "ask uq for fewer conditions or quantiles",
                              "statistics of whole fields of %d values at %d conditions (%.3g GB for each)", q->m,
                              q->conditions, 1e-9 * each));
  PetscFunctionReturn(0);
}

PetscErrorCode UqTilesCreate(UqDraws *draws, const UqAnswer *a, UqTiles *t)
{
  const ScoriaWorkers *workers = source_workers(draws->source);
  PetscFunctionBeginUser;
  *t                   = (UqTiles){.draws   = draws,
                                   .team    = workers->all,
                                   .leads   = workers->leads,
                                   .columns = a->columns,
                                   .joint   = a->joint ? draws->q->m : 0};
  const size_t columns = (size_t)a->columns, tile = (size_t)draws->q->tile;
  PetscCall(
      PetscMalloc2((size_t)draws->q->part * columns, &t->part, (size_t)UQ_PILOT_TILES * tile * columns, &t->pilot));
  PetscFunctionReturn(0);
}

PetscErrorCode UqTilesDestroy(UqTiles *t)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(t->part, t->pilot));
  PetscFunctionReturn(0);
}

/* Samples [first, first + n) of condition k, n <= q->tile, into fields (n, m). */
static PetscErrorCode DrawFields(UqTiles *t, int k, int64_t first, int64_t n, double fields[])
{
  const UqQuestion *q = t->draws->q;
  PetscFunctionBeginUser;
  PetscCall(UqDrawTo(t->draws, q->theta + k * q->space->n, draw_number(SCORIA_DRAWS_UQ, k, first), n, fields));
  PetscFunctionReturn(0);
}

/* Rows (n, columns) of the drawn fields from `first` on: the fields and their quantities. */
static void make_rows(UqTiles *t, int64_t first, int64_t n, double rows[])
{
  const int m = t->draws->q->m;
  for (int64_t i = 0; i < n; i++) {
    double *to = rows + i * t->columns;
    memcpy(to, t->draws->fields + (first + i) * m, (size_t)m * sizeof(double));
    uq_take(t->draws, t->draws->fields + (first + i) * m, to + m);
  }
}

/* Rows (n, columns) of samples [first, first + n) of condition k, each drawn where it stays, and looked at while it is
 * in the cache. */
static PetscErrorCode DrawRows(UqTiles *t, int k, int64_t first, int64_t n, double rows[])
{
  const int m = t->draws->q->m;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++, rows += t->columns) {
    PetscCall(DrawFields(t, k, first + i, 1, rows));
    uq_take(t->draws, rows, rows + m);
  }
  PetscFunctionReturn(0);
}

static void add_rows(UqTiles *t, int64_t n, double rows[])
{
  const int64_t good = stats_keep_finite(n, t->columns, rows);
  t->failed += n - good;
  summary_add(t->summary, good, rows);
}

/* A tile of n rows to the summary, part by part: of the pilot, of the drawn fields, or drawn now, from `first` on. */
static PetscErrorCode AddParts(UqTiles *t, int k, int64_t first, int64_t n, const double *pilot, bool singly)
{
  const int columns = t->columns;
  PetscFunctionBeginUser;
  for (int64_t at = 0; at < n; at += t->draws->q->part) {
    const int64_t part = PetscMin(t->draws->q->part, n - at);
    if (pilot)
      memcpy(t->part, pilot + at * columns, (size_t)(part * columns) * sizeof(double));
    else if (singly)
      PetscCall(DrawRows(t, k, first + at, part, t->part));
    else
      make_rows(t, at, part, t->part);
    add_rows(t, part, t->part);
  }
  summary_end_tile(t->summary);
  PetscFunctionReturn(0);
}

PetscErrorCode UqAddTile(UqTiles *t, int k, int64_t tile)
{
  const int64_t most = t->draws->q->tile, first = tile * most, n = PetscMin(most, t->draws->q->count - first);
  const double *pilot = tile < UQ_PILOT_TILES ? t->pilot + first * t->columns : NULL;
  ScoriaSource source = t->draws->source;
  const bool singly   = t->draws->q->whole && source_draws_singly(source);
  PetscFunctionBeginUser;
  if (!pilot && !singly) PetscCall(DrawFields(t, k, first, n, t->draws->fields));
  if (!t->leads) PetscFunctionReturn(0);
  const double start = wall_seconds(), drawn = source_seconds(source);
  PetscCall(AddParts(t, k, first, n, pilot, singly));
  t->draws->statistics += wall_seconds() - start - (source_seconds(source) - drawn);
  PetscFunctionReturn(0);
}

/* The first tiles of condition k, each worker of the team drawing a share, on every rank. */
static PetscErrorCode DrawPilot(UqTiles *t, int k, int64_t n)
{
  const int columns = t->columns, tile = t->draws->q->tile;
  PetscErrorCode failed = 0;
  int64_t first, number;
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(t->pilot, n * columns));
  deal_block(n, t->team.worker, t->team.workers, &first, &number);
  for (int64_t at = first; at < first + number; at += tile) {
    const int64_t part = PetscMin(tile, first + number - at);
    failed             = DrawFields(t, k, at, part, t->draws->fields);
    if (failed) break;
    if (!t->leads) continue; /* the leader of a group has its fields */
    const double drawn = wall_seconds();
    make_rows(t, 0, part, t->pilot + at * columns);
    t->draws->statistics += wall_seconds() - drawn;
  }
  PetscCall(ScoriaAgreeFailed(t->team.comm, failed)); /* a rank without a share has not tried */
  PetscCall(UqCheckDefined(t->draws, t->team.comm));
  if (!t->leads) PetscCall(PetscArrayzero(t->pilot, n * columns));
  /* Every row is one rank's and zero elsewhere: the sum is exact. */
  PetscCall(ScoriaReduceMany(t->team.comm, MPI_SUM, n * columns, MPI_DOUBLE, t->pilot));
  PetscFunctionReturn(0);
}

PetscErrorCode UqPilot(UqTiles *t, int k)
{
  const int columns   = t->columns;
  const int64_t n     = PetscMin((int64_t)UQ_PILOT_TILES * t->draws->q->tile, t->draws->q->count);
  const UqQuestion *q = t->draws->q;
  char condition[UQ_CONDITION_TEXT];
  double *good;
  PetscFunctionBeginUser;
  PetscCall(DrawPilot(t, k, n));
  PetscCall(PetscMalloc1(n * columns, &good));
  PetscCall(PetscArraycpy(good, t->pilot, n * columns));
  const int64_t left = stats_keep_finite(n, columns, good);
  uq_condition(q, k, sizeof condition, condition);
  if (left < 10)
    SCORIA_FAIL(SCORIA_EXIT_SOLVES, "uq: %s: %lld of the first %lld solves succeeded, expected at least 10", condition,
                (long long)left, (long long)n);
  const ScoriaSummarySpec spec = summary_spec(q, columns, t->joint > 0);
  PetscCall(ScoriaSummaryCreate(&spec, left, good, &t->summary));
  PetscCall(PetscFree(good));
  PetscFunctionReturn(0);
}

PetscErrorCode UqShareFailed(UqDraws *draws, MPI_Comm comm, int64_t *mine, int64_t *all)
{
  PetscFunctionBeginUser;
  PetscCall(UqCheckDefined(draws, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, mine, 1, MPI_INT64_T, MPI_SUM, comm));
  *all += *mine;
  *mine = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode UqReduce(UqTiles *t)
{
  PetscFunctionBeginUser;
  PetscCall(UqShareFailed(t->draws, t->team.comm, &t->failed, &t->all_failed));
  PetscCall(ScoriaSummaryReduce(t->summary, t->team.comm));
  PetscFunctionReturn(0);
}

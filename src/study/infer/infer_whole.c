/* infer of whole fields: exactly, by conditioning on the few normal scores that the readings depend on.
 *
 * Values of a field are functions of a few normal scores t = c + W y each, of latents y that are N(0, I)
 * (ScoriaModelScores).  Readings depend on the scores at the cells about the sensors alone, t_s = c_s + W_s y, which
 * are Gaussian of covariance W_s W_s^T = U diag(l) U^T: with B = diag(l)^-1/2 U^T W_s, whose rows are orthonormal,
 *
 *   t_s = c_s + U diag(l)^1/2 h,   h = B y is N(0, I),   y given h is y_0 + B^T (h - B y_0), y_0 being N(0, I).
 *
 * So the posterior of h, of a few dimensions, is sampled by tempering (stats.h), whatever the functions and the noise,
 * and each of its particles is given a y, and a field, of its own. */
#include "scoria/linalg.h"
#include "infer.h"
#include <math.h>
#include <string.h>

#define LEAST_VARIANCE 1e-10 /* of a direction of the scores, over the largest: below, rounding */
#define TILE_BYTES (1 << 24) /* of the fields of a tile, but for */
#define LEAST_TILE 16        /* so many: the first tile gives the ranges of the histograms */

typedef struct {
  MPI_Comm comm;
  ScoriaSource prior; /* borrowed, as is the next */
  const InferQuestion *q;
  int m, latents, tile;         /* values of a field; rows drawn at once */
  int cells, scores, dimension; /* that readings depend on; their scores; independent ones of these */
  int *cell;                    /* owned (cells) */
  double *mean, *L, *B;         /* owned (scores), (scores, dimension), (dimension, latents): c_s, U diag(l)^1/2, B */
  double *score, *value;        /* owned (scores), (cells) */
  ScoriaPoint *at;              /* owned (sensors): by places in the list of cells */
  InferKeeper *keeper;          /* borrowed; NULL: nothing is kept */
  InferFields side;             /* the one at work */
  ScoriaPace pace;
  ScoriaProgress bar;                       /* owned */
  double *latent, *fields, *profile, *rows; /* owned: of a tile; lateral means of one row */
} Whole;

bool infer_whole(const InferQuestion *q)
{
  return infer_axes(q->shape.shape) > 1;
}

/* ---------------------------------------------------------------------------------------------- the scores ---- */

static int find_cell(Whole *w, int cell)
{
  int i = 0;
  while (i < w->cells && w->cell[i] != cell) i++;
  if (i == w->cells) w->cell[w->cells++] = cell;
  return i;
}

/* The cells about the sensors, every one once. */
static PetscErrorCode ListCells(Whole *w)
{
  const InferSensors *s = &w->q->sensors;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(8 * s->n, &w->cell, s->n, &w->at));
  for (int i = 0; i < s->n; i++) {
    w->at[i] = s->s[i].point;
    for (int k = 0; k < w->at[i].n; k++) w->at[i].cell[k] = find_cell(w, s->s[i].point.cell[k]);
  }
  PetscFunctionReturn(0);
}

/* L and B from the weights W_s (scores, latents) and the eigenvectors of their products. */
static PetscErrorCode SetDirections(Whole *w, const double W[], const double vector[], const double variance[])
{
  const int n = w->scores, first = n - w->dimension, R = w->latents;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)n * w->dimension, &w->L, (size_t)w->dimension * R, &w->B));
  for (int k = 0; k < w->dimension; k++) {
    const double *u = vector + (size_t)(first + k) * n, deviation = sqrt(variance[first + k]);
    double *row = w->B + (size_t)k * R;
    memset(row, 0, sizeof *row * (size_t)R);
    for (int i = 0; i < n; i++) {
      w->L[(size_t)i * w->dimension + k] = u[i] * deviation;
      for (int r = 0; r < R; r++) row[r] += u[i] / deviation * W[(size_t)i * R + r];
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode SetScores(Whole *w)
{
  const int n = w->cells * source_scores_each(w->prior), R = w->latents;
  double *W, *product, *variance;
  PetscFunctionBeginUser;
  w->scores = n;
  PetscCall(PetscMalloc3(n, &w->mean, n, &w->score, w->cells, &w->value));
  PetscCall(PetscMalloc3((size_t)n * R, &W, (size_t)n * n, &product, n, &variance));
  PetscCall(ScoriaSourceScores(w->prior, w->q->theta, w->cells, w->cell, w->mean, W));
  la_gemm(false, true, n, n, R, 1, W, R, W, R, 0, product, n);
  PetscCall(LinalgEigen(n, product, variance));
  while (w->dimension < n && variance[n - 1 - w->dimension] > LEAST_VARIANCE * variance[n - 1]) w->dimension++;
  if (!w->dimension) SCORIA_FAIL(SCORIA_EXIT_INPUT, "infer: the readings are of values that do not vary");
  PetscCall(SetDirections(w, W, product, variance));
  PetscCall(PetscFree3(W, product, variance));
  PetscFunctionReturn(0);
}

/* What the sensors read, without noise, at h. */
static void readings_of(Whole *w, const double h[], double reading[])
{
  for (int i = 0; i < w->scores; i++) {
    w->score[i] = w->mean[i];
    for (int k = 0; k < w->dimension; k++) w->score[i] += w->L[(size_t)i * w->dimension + k] * h[k];
  }
  source_values(w->prior, w->cells, w->cell, w->score, w->value);
  for (int i = 0; i < w->q->sensors.n; i++) reading[i] = point_value(&w->at[i], w->value);
}

/* ------------------------------------------------------------------------ a source of h and of its readings ---- */

/* A row is h, the readings, and a zero behind them. */
static int row_length(const Whole *w)
{
  return w->dimension + w->q->sensors.n + 1;
}

static PetscErrorCode Transport(void *ctx, int64_t first, int64_t n, bool each, const double theta[],
                                const double latent[], double fields[])
{
  Whole *w = ctx;
  (void)first;
  (void)each;
  (void)theta;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++, latent += w->dimension, fields += row_length(w)) {
    PetscCall(PetscArraycpy(fields, latent, w->dimension));
    readings_of(w, latent, fields + w->dimension);
    fields[row_length(w) - 1] = 0;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Latents(void *ctx, int *number)
{
  PetscFunctionBeginUser;
  *number = ((const Whole *)ctx)->dimension;
  PetscFunctionReturn(0);
}

static PetscErrorCode Keep(void *ctx)
{
  (void)ctx;
  PetscFunctionBeginUser;
  PetscFunctionReturn(0);
}

/* The posterior of h: all particles of it are kept in r. */
static PetscErrorCode RunScores(ScoriaRun run, InferKeeper *keeper, Whole *w, InferQuestion *of, InferAnswer *r)
{
  static const ScoriaSourceKind kind = {.name = "scores", .transport = Transport, .latents = Latents, .destroy = Keep};
  const ScoriaField field            = {.name = "scores", .unit = ""};
  ScoriaSource scores;
  PetscFunctionBeginUser;
  *of       = *w->q;
  of->shape = (ScoriaFieldShape){.channels = 1, .cells = row_length(w), .field = &field, .space = w->q->shape.space};
  of->shape.shape[0] = of->shape.cells;
  of->shape.shape[1] = of->shape.shape[2] = 1;
  of->nquantities                         = 0;
  of->keep                                = of->count;
  of->drawn                               = "scores of fields";
  for (int i = 0; i < of->sensors.n; i++) {
    of->sensors.s[i].channel = 0;
    of->sensors.s[i].at      = (ScoriaQuantity){.factor = 1, .cell = w->dimension + i};
  }
  PetscCall(ScoriaSourceCreate(&kind, w, &of->shape, source_workers(w->prior), &scores));
  PetscCall(InferAnswerCreate(of, r));
  PetscCall(InferRun(run, keeper, scores, of, r));
  PetscCall(ScoriaSourceDestroy(&scores));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------- fields of particles ---- */

/* Latents of particles [first, first + n): of the prior, or given their h, rows of `stride`. */
static void set_latents(Whole *w, int64_t first, int64_t n, const double h[], int stride)
{
  for (int64_t i = 0; i < n; i++) {
    double *y = w->latent + (size_t)i * (size_t)w->latents;
    rng_normal(w->q->seed, SCORIA_STREAM_WHOLE, (uint64_t)(first + i), 0, w->latents, y);
    if (!h) continue;
    for (int k = 0; k < w->dimension; k++) { /* rows of B are orthonormal: one after the other */
      const double *b = w->B + (size_t)k * (size_t)w->latents;
      double change   = h[(first + i) * stride + k];
      for (int r = 0; r < w->latents; r++) change -= b[r] * y[r];
      for (int r = 0; r < w->latents; r++) y[r] += change * b[r];
    }
  }
}

/* Columns (n, columns) of these particles. */
static PetscErrorCode Columns(Whole *w, int64_t first, int64_t n, const double h[], int stride, const InferAnswer *a,
                              double rows[])
{
  const InferQuestion *q = w->q;
  PetscFunctionBeginUser;
  set_latents(w, first, n, h, stride);
  PetscCall(ScoriaSourceTransport(w->prior, first, n, false, q->theta, w->latent, w->fields));
  for (int64_t i = 0; i < n; i++) {
    const double *fields = w->fields + (size_t)i * (size_t)w->m;
    double *to           = rows + (size_t)i * (size_t)a->columns;
    PetscCall(PetscArraycpy(to, fields, w->m));
    lateral_means(q->shape.channels, q->shape.shape, fields, w->profile);
    for (int k = 0; k < q->nquantities; k++) {
      ScoriaQuantity of = q->quantity[k];
      const bool at_x   = of.kind == SCORIA_QUANTITY_AT;
      if (q->condition[k] >= 0) of.offset = q->theta[q->condition[k]];
      quantities_take(1, &of, at_x ? q->shape.shape[0] : q->shape.cells, at_x ? w->profile : fields,
                      to + a->at_quantities + k);
    }
    for (int s = 0; s < q->sensors.n; s++) to[a->at_sensors + s] = point_value(&q->sensors.s[s].point, fields);
  }
  PetscFunctionReturn(0);
}

static void keep_rows(const InferQuestion *q, int64_t first, int64_t n, const double rows[], InferAnswer *a)
{
  const size_t columns = (size_t)a->columns;
  for (int64_t i = 0; i < q->keep; i++) {
    const int64_t of = i * q->count / q->keep - first;
    if (of >= 0 && of < n) memcpy(a->kept + (size_t)i * columns, rows + (size_t)of * columns, columns * sizeof *rows);
  }
}

static PetscErrorCode AddTile(Whole *w, int64_t first, int64_t n, const double h[], int stride, ScoriaSummary summary,
                              InferAnswer *a)
{
  PetscFunctionBeginUser;
  PetscCall(Columns(w, first, n, h, stride, a, w->rows));
  summary_add(summary, n, w->rows);
  summary_end_tile(summary);
  if (h) keep_rows(w->q, first, n, w->rows, a);
  PetscFunctionReturn(0);
}

/* The tiles that are left of this side to the summary, one after another dealt to the ranks, which meet between two
 * rounds; the first is made in any case, so that every start gets on. */
static PetscErrorCode AddTiles(Whole *w, const double h[], int stride, ScoriaSummary summary, InferAnswer *a)
{
  const int64_t count = w->q->count, tiles = (count + w->tile - 1) / w->tile;
  int64_t before_meeting = w->pace.step;
  PetscErrorCode failed  = 0;
  PetscMPIInt rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(w->comm, &rank));
  PetscCallMPI(MPI_Comm_size(w->comm, &size));
  for (; w->side.done < tiles; before_meeting--) {
    if (before_meeting == 0) {
      PetscCall(ScoriaAgreeFailed(w->comm, failed));
      PetscCall(InferFieldsMeet(w->keeper, &w->pace, w->q, &w->side, summary, a));
      before_meeting = w->pace.step;
    }
    const int64_t at = (w->side.done + rank) * w->tile, part = PetscMin(w->tile, count - at);
    if (part > 0 && !failed) failed = AddTile(w, at, part, h, stride, summary, a);
    w->side.done        = PetscMin(w->side.done + size, tiles);
    const int64_t drawn = (h ? count : 0) + PetscMin(w->side.done * w->tile, count);
    PetscCall(ScoriaProgressUpdate(w->bar, (double)drawn, h ? "posterior" : "prior"));
  }
  PetscCall(ScoriaAgreeFailed(w->comm, failed));
  PetscFunctionReturn(0);
}

static ScoriaSummarySpec summary_spec(const Whole *w, const InferAnswer *a)
{
  return (ScoriaSummarySpec){.columns = a->columns, .coarse = w->m, .tile = w->tile};
}

/* One side of the answer: of the prior, h is NULL. */
static PetscErrorCode Summarise(Whole *w, const double h[], int stride, InferAnswer *a)
{
  const ScoriaSummarySpec spec = summary_spec(w, a);
  const int64_t pilot          = PetscMin(w->tile, w->q->count);
  const size_t columns         = (size_t)a->columns;
  double *to                   = a->statistics[h ? SCORIA_POSTERIOR : SCORIA_PRIOR], se;
  ScoriaSummary summary;
  PetscFunctionBeginUser;
  PetscCall(Columns(w, 0, pilot, h, stride, a, w->rows)); /* by every rank, so that all sum in the same units */
  PetscCall(ScoriaSummaryCreate(&spec, pilot, w->rows, &summary));
  PetscCall(InferFieldsTake(&w->side, summary));
  PetscCall(AddTiles(w, h, stride, summary, a));
  PetscCall(ScoriaSummaryReduce(summary, w->comm));
  for (size_t j = 0; j < columns; j++, to++) {
    ScoriaMoments moments;
    summary_moments(summary, (int)j, &moments);
    to[INFER_MEAN * columns] = moments.mean;
    to[INFER_SD * columns]   = moments.sd;
    for (int i = 0; i < w->q->nprobabilities; i++)
      (void)summary_quantile(summary, (int)j, w->q->probability[i], to + (INFER_QUANTILES + (size_t)i) * columns, &se);
  }
  PetscCall(ScoriaSummaryDestroy(&summary));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------------- the run ---- */

/* What a rank holds: kept fields, statistics, a tile, weights of the scores, and particles of these (two generations,
 * and their rows). */
static PetscErrorCode CheckMemory(const Whole *w, double memory, const InferAnswer *a)
{
  const InferQuestion *q = w->q;
  const int most = 8 * source_scores_each(w->prior) * q->sensors.n, scores = PetscMin(most, w->latents);
  const ScoriaSummarySpec spec = summary_spec(w, a);
  const double values          = (double)(w->tile + q->keep + 2 * (INFER_QUANTILES + q->nprobabilities)) * a->columns +
                        (double)w->tile * (w->m + w->latents) + 2.0 * most * w->latents +
                        3.0 * (double)q->count * (scores + 2 * q->sensors.n);
  const double need = values * (double)sizeof(double) + summary_bytes(&spec);
  PetscFunctionBeginUser;
  PetscCall(ScoriaMemoryCheck(need, memory, "a smaller infer_keep",
                              "particles of whole fields of %d values (%lld kept fields %.3g GB)", w->m,
                              (long long)q->keep, 1e-9 * (double)q->keep * a->columns * sizeof(double)));
  PetscFunctionReturn(0);
}

static PetscErrorCode Create(ScoriaRun run, ScoriaSource prior, const InferQuestion *q, Whole *w)
{
  PetscFunctionBeginUser;
  *w = (Whole){.comm  = ScoriaRunComm(run),
               .prior = prior,
               .q     = q,
               .m     = q->shape.channels * q->shape.cells,
               .pace  = {.run = run, .step = 1, .most = 1 << 20}};
  PetscCall(ScoriaSourceLatents(prior, &w->latents));
  w->tile = w->side.tile = PetscClipInterval(TILE_BYTES / (int)sizeof(double) / w->m, LEAST_TILE, INFER_TILE);
  PetscFunctionReturn(0);
}

static PetscErrorCode Allocate(Whole *w, const InferAnswer *a)
{
  const size_t tile = (size_t)w->tile;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc4(tile * (size_t)w->latents, &w->latent, tile * (size_t)w->m, &w->fields,
                         w->q->shape.channels * w->q->shape.shape[0], &w->profile, tile * (size_t)a->columns,
                         &w->rows));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(Whole *w)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(w->cell, w->at));
  PetscCall(PetscFree2(w->L, w->B));
  PetscCall(PetscFree3(w->mean, w->score, w->value));
  PetscCall(PetscFree4(w->latent, w->fields, w->profile, w->rows));
  PetscFunctionReturn(0);
}

/* All that is not of columns, from the answer for scores to that for fields. */
static void take_run(InferAnswer *from, InferAnswer *to)
{
  const InferAnswer columns = *to;
  *to                       = *from;
  to->columns               = columns.columns;
  to->at_quantities         = columns.at_quantities;
  to->at_sensors            = columns.at_sensors;
  to->at_unknown            = columns.at_unknown;
  to->kept                  = columns.kept;
  memcpy(to->statistics, columns.statistics, sizeof to->statistics);
  from->stage = NULL;
}

PetscErrorCode InferRunWhole(ScoriaRun run, InferKeeper *keeper, ScoriaSource prior, double memory,
                             const InferQuestion *q, InferAnswer *a)
{
  InferQuestion of;
  InferAnswer scores;
  Whole w;
  PetscFunctionBeginUser;
  PetscCall(Create(run, prior, q, &w));
  w.keeper = keeper;
  PetscCall(CheckMemory(&w, memory, a));
  PetscCall(Allocate(&w, a));
  PetscCall(ListCells(&w));
  PetscCall(SetScores(&w));
  PetscCall(RunScores(run, keeper, &w, &of, &scores));
  PetscCall(ScoriaProgressCreate(run, "infer", "fields", 2 * (double)q->count, &w.bar));
  PetscCall(InferFieldsFind(keeper, q, &w.side, a));
  PetscCall(ScoriaProgressFrom(w.bar, (double)((w.side.posterior ? q->count : 0) + w.side.done * w.tile)));
  if (!w.side.posterior) {
    PetscCall(Summarise(&w, NULL, 0, a));
    w.side.posterior = true;
    w.side.done      = 0;
  }
  PetscCall(Summarise(&w, scores.kept, scores.columns, a));
  PetscCall(ScoriaProgressDestroy(&w.bar));
  PetscCall(ScoriaReduceMany(w.comm, MPI_SUM, q->keep * a->columns, MPI_DOUBLE, a->kept));
  take_run(&scores, a);
  PetscCall(InferAnswerDestroy(&scores));
  PetscCall(Destroy(&w));
  PetscFunctionReturn(0);
}

/* infer of whole fields.
 *
 * What is sampled by tempering (stats.h), with the readings as functions of it, is of the prior that is Gaussian in
 * scores a few of these (infer_whole_scores.c), and of any other its latents and the unknown conditions, as of
 * profiles.  Fields, of many values each, are made of the particles afterwards, side by side on the ranks. */
#include "infer_whole.h"
#include <math.h>
#include <string.h>

#define TILE_BYTES (1 << 24) /* of the fields of a tile, but for */
#define LEAST_TILE 16        /* so many: the first tile gives the ranges of the histograms */

bool infer_whole(const InferQuestion *q)
{
  return infer_most_axes(&q->shape) > 1;
}

/* ------------------------------------------------------- a source of what is sampled, and of its readings ---- */

static PetscErrorCode RowsOfScores(void *ctx, int64_t first, int64_t n, bool each, const double theta[],
                                   const double latent[], double rows[])
{
  (void)first;
  (void)each;
  (void)theta;
  PetscFunctionBeginUser;
  whole_score_rows(ctx, n, latent, rows);
  PetscFunctionReturn(0);
}

/* Of n <= w->tile fields. */
static PetscErrorCode RowsOfLatents(void *ctx, int64_t first, int64_t n, bool each, const double theta[],
                                    const double latent[], double rows[])
{
  const Whole *w = ctx;
  const int S    = w->q->sensors.n;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSourceTransport(w->prior, first, n, each, theta, latent, w->fields));
  for (int64_t i = 0; i < n; i++, rows += whole_row_length(w)) {
    const double *fields = w->fields + (size_t)i * (size_t)w->m;
    PetscCall(PetscArraycpy(rows, latent + (size_t)i * (size_t)w->latents, w->latents));
    for (int s = 0; s < S; s++) rows[w->latents + s] = point_value(&w->q->sensors.s[s].point, fields);
    rows[w->latents + S] = 0;
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

/* The posterior of what is sampled: all particles of it are kept in r. */
static PetscErrorCode RunRows(ScoriaRun run, InferKeeper *keeper, Whole *w, InferQuestion *of, InferAnswer *r)
{
  static const ScoriaSourceKind by_scores = {
      .name = "scores", .transport = RowsOfScores, .latents = Latents, .destroy = Keep};
  static const ScoriaSourceKind by_latents = {
      .name = "latents", .transport = RowsOfLatents, .latents = Latents, .destroy = Keep};
  const ScoriaField field = {.name = "latents", .unit = ""};
  ScoriaSource scores;
  PetscFunctionBeginUser;
  *of = *w->q;
  of->shape =
      (ScoriaFieldShape){.channels = 1, .cells = whole_row_length(w), .field = &field, .space = w->q->shape.space};
  of->shape.shape[0] = of->shape.cells;
  of->shape.shape[1] = of->shape.shape[2] = 1;
  of->nquantities                         = 0;
  of->keep                                = of->count;
  if (w->by_scores) of->drawn = "scores of fields";
  for (int i = 0; i < of->sensors.n; i++) {
    of->sensors.s[i].channel = 0;
    of->sensors.s[i].at      = (ScoriaQuantity){.factor = 1, .cell = w->dimension + i};
  }
  PetscCall(
      ScoriaSourceCreate(w->by_scores ? &by_scores : &by_latents, w, &of->shape, source_workers(w->prior), &scores));
  PetscCall(InferAnswerCreate(of, r));
  PetscCall(InferRun(run, keeper, scores, of, r));
  PetscCall(ScoriaSourceDestroy(&scores));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------- fields of particles ---- */

/* Latents and conditions of particles [first, first + n): of the prior, or those that are kept. */
static void set_particles(Whole *w, int64_t first, int64_t n, const InferAnswer *kept)
{
  const InferQuestion *q = w->q;
  double x[SCORIA_MAX_CONDITIONS];
  for (int64_t i = 0; i < n; i++) {
    const double *row = kept ? kept->kept + (size_t)(first + i) * (size_t)kept->columns : NULL;
    double *latent = w->latent + (size_t)i * (size_t)w->latents, *theta = w->theta + i * q->shape.space->n;
    memcpy(theta, q->theta, sizeof *theta * (size_t)q->shape.space->n);
    if (w->by_scores)
      whole_score_latents(w, first + i, row, latent);
    else if (row) {
      memcpy(latent, row, sizeof *row * (size_t)w->latents);
      for (int k = 0; k < q->nunknown; k++) theta[q->unknown[k]] = row[kept->at_unknown + k];
    } else {
      infer_prior_draw(q, w->latents, first + i, latent, x);
      infer_unit(q->nunknown, x, x);
      infer_take_theta(q, x, theta);
    }
  }
}

/* Quantities of a row: those at a place are of the lateral mean. */
static void take_quantities(const Whole *w, const double theta[], const double fields[], double values[])
{
  const InferQuestion *q = w->q;
  int n[3];
  for (int k = 0; k < q->nquantities; k++) {
    ScoriaQuantity of = q->quantity[k];
    if (q->condition[k] >= 0) of.offset = theta[q->condition[k]];
    if (of.kind != SCORIA_QUANTITY_AT) {
      quantities_take(1, &of, q->shape.cells, fields, values + k);
      continue;
    }
    field_shape(&q->shape.field[of.channel], q->shape.shape, n);
    lateral_means(1, n, fields + (size_t)of.channel * (size_t)q->shape.cells, w->profile);
    of.channel = 0;
    quantities_take(1, &of, n[0], w->profile, values + k);
  }
}

/* Columns (n, columns) of these particles. */
static PetscErrorCode Columns(Whole *w, int64_t first, int64_t n, const InferAnswer *kept, const InferAnswer *a,
                              double rows[])
{
  const InferQuestion *q = w->q;
  const bool each        = q->nunknown > 0;
  PetscFunctionBeginUser;
  set_particles(w, first, n, kept);
  PetscCall(ScoriaSourceTransport(w->prior, first, n, each, each ? w->theta : q->theta, w->latent, w->fields));
  for (int64_t i = 0; i < n; i++) {
    const double *fields = w->fields + (size_t)i * (size_t)w->m, *theta = w->theta + i * q->shape.space->n;
    double *to = rows + (size_t)i * (size_t)a->columns;
    PetscCall(PetscArraycpy(to, fields, w->m));
    take_quantities(w, theta, fields, to + a->at_quantities);
    for (int s = 0; s < q->sensors.n; s++) to[a->at_sensors + s] = point_value(&q->sensors.s[s].point, fields);
    for (int k = 0; k < q->nunknown; k++) to[a->at_unknown + k] = theta[q->unknown[k]];
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

static PetscErrorCode AddTile(Whole *w, int64_t first, int64_t n, const InferAnswer *kept, ScoriaSummary summary,
                              InferAnswer *a)
{
  PetscFunctionBeginUser;
  PetscCall(Columns(w, first, n, kept, a, w->rows));
  summary_add(summary, n, w->rows);
  summary_end_tile(summary);
  if (kept) keep_rows(w->q, first, n, w->rows, a);
  PetscFunctionReturn(0);
}

/* The tiles that are left of this side to the summary, one after another dealt to the ranks, which meet between two
 * rounds; the first is made in any case, so that every start gets on. */
static PetscErrorCode AddTiles(Whole *w, const InferAnswer *kept, ScoriaSummary summary, InferAnswer *a)
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
    if (part > 0 && !failed) failed = AddTile(w, at, part, kept, summary, a);
    w->side.done        = PetscMin(w->side.done + size, tiles);
    const int64_t drawn = (kept ? count : 0) + PetscMin(w->side.done * w->tile, count);
    PetscCall(ScoriaProgressUpdate(w->bar, (double)drawn, kept ? "posterior" : "prior"));
  }
  PetscCall(ScoriaAgreeFailed(w->comm, failed));
  PetscFunctionReturn(0);
}

static ScoriaSummarySpec summary_spec(const Whole *w, const InferAnswer *a)
{
  return (ScoriaSummarySpec){.columns = a->columns, .coarse = w->m, .tile = w->tile};
}

/* One side of the answer: of the prior, kept is NULL. */
static PetscErrorCode Summarise(Whole *w, const InferAnswer *kept, InferAnswer *a)
{
  const ScoriaSummarySpec spec = summary_spec(w, a);
  const int64_t pilot          = PetscMin(w->tile, w->q->count);
  const size_t columns         = (size_t)a->columns;
  double *to                   = a->statistics[kept ? SCORIA_POSTERIOR : SCORIA_PRIOR], se;
  ScoriaSummary summary;
  PetscFunctionBeginUser;
  PetscCall(Columns(w, 0, pilot, kept, a, w->rows)); /* by every rank, so that all sum in the same units */
  PetscCall(ScoriaSummaryCreate(&spec, pilot, w->rows, &summary));
  PetscCall(InferFieldsTake(&w->side, summary));
  PetscCall(AddTiles(w, kept, summary, a));
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
  const InferQuestion *q       = w->q;
  const int most               = w->by_scores ? 8 * source_scores_each(w->prior) * q->sensors.n : 0,
            sampled            = w->by_scores ? PetscMin(most, w->latents) : w->latents;
  const ScoriaSummarySpec spec = summary_spec(w, a);
  const double values          = (double)(w->tile + q->keep + 2 * (INFER_QUANTILES + q->nprobabilities)) * a->columns +
                        (double)w->tile * (w->m + w->latents) + 2.0 * most * w->latents +
                        3.0 * (double)q->count * (sampled + 2 * q->sensors.n);
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
  w->by_scores = source_scores_each(prior) > 0;
  w->dimension = w->by_scores ? 0 : w->latents;
  /* a network works on whole tiles, however many rows are asked for */
  w->tile =
      w->by_scores ? PetscClipInterval(TILE_BYTES / (int)sizeof(double) / w->m, LEAST_TILE, INFER_TILE) : INFER_TILE;
  w->side.tile = w->tile;
  PetscFunctionReturn(0);
}

static PetscErrorCode Allocate(Whole *w, const InferAnswer *a)
{
  const size_t tile             = (size_t)w->tile;
  const ScoriaFieldShape *shape = &w->q->shape;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc5(tile * (size_t)w->latents, &w->latent, tile * (size_t)shape->space->n, &w->theta,
                         tile * (size_t)w->m, &w->fields, fields_along_x(shape->channels, shape->field, shape->shape),
                         &w->profile, tile * (size_t)a->columns, &w->rows));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(Whole *w)
{
  PetscFunctionBeginUser;
  PetscCall(WholeScoresDestroy(w));
  PetscCall(PetscFree5(w->latent, w->theta, w->fields, w->profile, w->rows));
  PetscFunctionReturn(0);
}

/* All that is not of columns, from the answer for what is sampled to that for fields. */
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
  InferAnswer sampled;
  Whole w;
  PetscFunctionBeginUser;
  PetscCall(Create(run, prior, q, &w));
  w.keeper = keeper;
  PetscCall(CheckMemory(&w, memory, a));
  PetscCall(Allocate(&w, a));
  if (w.by_scores) PetscCall(WholeSetScores(&w));
  PetscCall(RunRows(run, keeper, &w, &of, &sampled));
  PetscCall(ScoriaProgressCreate(run, "infer", "fields", 2 * (double)q->count, &w.bar));
  PetscCall(InferFieldsFind(keeper, q, &w.side, a));
  PetscCall(ScoriaProgressFrom(w.bar, (double)((w.side.posterior ? q->count : 0) + w.side.done * w.tile)));
  if (!w.side.posterior) {
    PetscCall(Summarise(&w, NULL, a));
    w.side.posterior = true;
    w.side.done      = 0;
  }
  PetscCall(Summarise(&w, &sampled, a));
  PetscCall(ScoriaProgressDestroy(&w.bar));
  PetscCall(ScoriaReduceMany(w.comm, MPI_SUM, q->keep * a->columns, MPI_DOUBLE, a->kept));
  take_run(&sampled, a);
  PetscCall(InferAnswerDestroy(&sampled));
  PetscCall(Destroy(&w));
  PetscFunctionReturn(0);
}

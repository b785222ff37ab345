/* compare: the verdict from conditions with few rows each, down to one.  No law can be seen in so few, so that the rows
 * of all held-back conditions are judged together, as residuals: field minus the mean, over the standard deviation,
 * that the model has at the row's own condition, value by value.  Residuals of the rows and of as many draws of the
 * model at the same conditions are samples of one law where the model is right, whatever that law is; a mean that is
 * wrong here and there shows as residuals that are too wide, a wrong spread and a wrong shape as they are.
 *
 * The floor is what two samples of so many residuals of the rows' own law differ by: pairs of bootstrap samples of the
 * residuals, which need no model (Bickel and Freedman 1981: the bootstrap of empirical processes).
 *
 * Numbers of a row (extremes, probes, expressions) become residuals in the same way, and their tails are counted as of
 * one condition: of what is common to all conditions, the shape, and of mean and spread. */
#include "compare.h"
#include <math.h>
#include <string.h>

#define MOMENT_BYTES ((int64_t)64 << 20) /* of their draws at one, unless the fewest take more */
#define BATCH_BYTES ((int64_t)16 << 20)  /* of rows of a source that become residuals at a time */

enum {
  MOMENT_DRAWS = 1 << 18, /* of the model for mean and SD, over all conditions */
  LEAST_DRAWS  = 64,      /* at one: their error adds 1 / draws to the variance of every residual, of rows and model */
  MOST_DRAWS   = 1024,
  PAIRS        = 8, /* of bootstrap samples */
};

#define MOMENTS_FROM ((int64_t)1 << 32) /* numbers of their draws at a condition: beyond those that are compared */

/* The sources whose residuals are gathered. */
enum { ROWS, MODEL, GAUSSIAN, TAKEN };
static const ScoriaFrom taken[TAKEN] = {SCORIA_FROM_PDE, SCORIA_FROM_MODEL, SCORIA_FROM_GAUSSIAN};

typedef struct {
  const ComparePooled *asked;
  const ScoriaSource *source;
  const ScoriaFieldShape *shape; /* borrowed */
  int m, values, width;          /* of a row; those that are judged; of its residual */
  int64_t draws, batch;          /* for moments, at each condition; rows at a time */
  double *moment, *mean, *unit;  /* owned (draws, m), (m), (m) */
  double *rows[TAKEN];           /* owned (batch, m) */
  double *share[TAKEN];          /* owned (this rank's conditions * each, width): residuals, failed rows left out */
  double *all[TAKEN];            /* owned, on rank 0 (all conditions * each, width) */
  CompareResiduals numbers;      /* owned, of the rows and the model */
  int64_t good;                  /* rows in share */
} Pooling;

static int residual_width(ScoriaFeatures features, int m)
{
  return features ? features_residual_size(features) : m;
}

static int64_t most_draws(int m)
{
  return PetscClipInterval(MOMENT_BYTES / (int64_t)(m * sizeof(double)), LEAST_DRAWS, MOST_DRAWS);
}

static int64_t batch_rows(int m, int64_t each)
{
  return PetscClipInterval(BATCH_BYTES / (int64_t)(m * sizeof(double)), 1, each);
}

CompareRoom compare_pooled_room(ScoriaFeatures features, int m, int tails, int64_t each)
{
  const double value = sizeof(double), width = residual_width(features, m),
               judged = features ? features_places_size(features) : m; /* columns of one covariance */
  const double blocks = features ? 2 * judged : 0;                     /* copies of them */
  const int row       = features ? m + tails : m;                      /* of whole fields numbers stand behind */
  return (CompareRoom){.fixed = value * (2 * judged * judged + (double)most_draws(row) * (row + tails) +
                                         (double)(TAKEN * batch_rows(row, each)) * row),
                       /* here and on rank 0; of the bootstrap; numbers of three kinds */
                       .row   = value * (2 * TAKEN * width + 2 * width + blocks + 6 * (tails + 1) + 2)};
}

static PetscErrorCode Create(const ComparePooled *asked, const ScoriaSource source[], int64_t conditions_here, int rank,
                             Pooling *p)
{
  const ScoriaFieldShape *shape = source_shape(source[SCORIA_FROM_MODEL]);
  PetscFunctionBeginUser;
  *p        = (Pooling){.asked = asked, .source = source, .shape = shape, .m = shape->channels * shape->cells};
  p->values = asked->features ? features_size(asked->features) : p->m;
  p->width  = residual_width(asked->features, p->values);
  p->batch  = batch_rows(p->m, asked->each);
  p->draws  = PetscMin(PetscClipInterval(MOMENT_DRAWS / asked->conditions, LEAST_DRAWS, MOST_DRAWS), most_draws(p->m));
  PetscCall(PetscMalloc3(p->draws * p->m, &p->moment, p->m, &p->mean, p->m, &p->unit));
  for (int t = 0; t < TAKEN; t++) {
    PetscCall(PetscMalloc1(p->batch * p->m, &p->rows[t]));
    PetscCall(PetscMalloc1(conditions_here * asked->each * p->width, &p->share[t]));
    if (!rank) PetscCall(PetscMalloc1(asked->conditions * asked->each * p->width, &p->all[t]));
  }
  PetscCall(CompareResidualsCreate(asked, shape, p->draws, conditions_here * asked->each,
                                   rank ? 0 : asked->conditions * asked->each, &p->numbers));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(Pooling *p)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree3(p->moment, p->mean, p->unit));
  for (int t = 0; t < TAKEN; t++) {
    PetscCall(PetscFree(p->rows[t]));
    PetscCall(PetscFree(p->share[t]));
    PetscCall(PetscFree(p->all[t]));
  }
  PetscCall(CompareResidualsDestroy(&p->numbers));
  PetscFunctionReturn(0);
}

/* Draws for the moments at condition k, and how many of them are finite. */
static PetscErrorCode DrawMoments(Pooling *p, ScoriaFrom from, int64_t k, const double theta[], int64_t *finite)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSourceDraw(p->source[from], theta, draw_number(compare_numbers[SCORIA_FROM_MODEL], k, MOMENTS_FROM),
                             p->draws, p->moment));
  *finite = stats_keep_finite(p->draws, p->m, p->moment);
  PetscFunctionReturn(0);
}

/* Mean and unit of the residuals at condition k, of draws of the model, of numbers those by its Gaussian too; whether
 * there were enough. */
static PetscErrorCode TakeMoments(Pooling *p, int64_t k, const double theta[], bool *enough)
{
  int64_t finite = 0;
  PetscFunctionBeginUser;
  if (p->numbers.n) {
    PetscCall(DrawMoments(p, SCORIA_FROM_GAUSSIAN, k, theta, &finite));
    compare_residuals_at(&p->numbers, k, theta, true, finite, p->moment);
  }
  PetscCall(DrawMoments(p, SCORIA_FROM_MODEL, k, theta, &finite));
  *enough = finite >= 2;
  if (!*enough) PetscFunctionReturn(0);
  compare_residuals_at(&p->numbers, k, theta, false, finite, p->moment);
  stats_moments(finite, p->m, p->moment, p->mean, p->unit);
  if (p->asked->features)
    features_units(p->asked->features, p->mean, p->unit);
  else
    for (int j = 0; j < p->m; j++) p->unit[j] = stats_unit(p->mean[j], p->unit[j]);
  PetscFunctionReturn(0);
}

/* The residual of a row, which is changed. */
static void take_residual(const Pooling *p, double row[], double out[])
{
  for (int j = 0; j < p->values; j++) row[j] = stats_residual(row[j], p->mean[j], p->unit[j]);
  if (p->asked->features)
    features_residual(p->asked->features, row, out);
  else
    memcpy(out, row, sizeof(double) * (size_t)p->m);
  if (!p->asked->features) fields_blank(1, p->shape->channels, p->shape->field, p->shape->cells, out);
}

/* Residuals of n rows of a condition from the first on behind those that are there; a row that has failed in one source
 * counts in none.  The Gaussian has the model's numbers, and so its noise: of few rows two draws of one law would
 * differ by more than the model and its Gaussian do. */
static PetscErrorCode TakeRows(Pooling *p, int64_t k, const double theta[], int64_t first, int64_t n)
{
  PetscFunctionBeginUser;
  for (int t = 0; t < TAKEN; t++) {
    const ScoriaFrom numbers = taken[t] == SCORIA_FROM_GAUSSIAN ? SCORIA_FROM_MODEL : taken[t];
    PetscCall(
        ScoriaSourceDraw(p->source[taken[t]], theta, draw_number(compare_numbers[numbers], k, first), n, p->rows[t]));
  }
  for (int64_t i = 0; i < n; i++) {
    bool there = true;
    for (int t = 0; t < TAKEN; t++) there = there && isfinite(p->rows[t][i * p->m]);
    if (!there) continue;
    compare_residuals_take(&p->numbers, theta, p->good, p->rows[ROWS] + i * p->m, p->rows[MODEL] + i * p->m);
    for (int t = 0; t < TAKEN; t++) take_residual(p, p->rows[t] + i * p->m, p->share[t] + p->good * p->width);
    p->good++;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Take(Pooling *p, int64_t k)
{
  const int64_t each  = p->asked->each;
  const double *theta = p->asked->theta + k * source_shape(p->source[SCORIA_FROM_MODEL])->space->n;
  bool enough;
  PetscFunctionBeginUser;
  PetscCall(TakeMoments(p, k, theta, &enough));
  for (int64_t i = 0; i < each && enough; i += p->batch)
    PetscCall(TakeRows(p, k, theta, i, PetscMin(p->batch, each - i)));
  PetscFunctionReturn(0);
}

/* All residuals to rank 0, in the order of the conditions; how many. */
static PetscErrorCode Gather(MPI_Comm comm, Pooling *p, int64_t *rows)
{
  int mine = (int)p->good, size, all = 0, *counts, *starts;
  MPI_Datatype row;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscMalloc2(size, &counts, size, &starts));
  PetscCallMPI(MPI_Type_contiguous(p->width, MPI_DOUBLE, &row));
  PetscCallMPI(MPI_Type_commit(&row));
  PetscCallMPI(MPI_Allgather(&mine, 1, MPI_INT, counts, 1, MPI_INT, comm));
  for (int r = 0; r < size; all += counts[r++]) starts[r] = all;
  for (int t = 0; t < TAKEN; t++)
    PetscCallMPI(MPI_Gatherv(p->share[t], mine, row, p->all[t], counts, starts, row, 0, comm));
  PetscCallMPI(MPI_Type_free(&row));
  PetscCall(CompareResidualsGather(comm, mine, counts, starts, &p->numbers));
  PetscCall(PetscFree2(counts, starts));
  *rows = all;
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- measuring ---- */

/* A bootstrap sample (n, m) of rows. */
static void resample(uint64_t seed, uint64_t id, int64_t n, int m, const double rows[], double out[])
{
  double u[2];
  for (int64_t i = 0; i < n; i++) {
    if (i % 2 == 0) rng_uniform(seed, SCORIA_STREAM_RESAMPLE, id, (uint32_t)(i / 2), 2, u);
    const int64_t from = PetscMin((int64_t)(u[i % 2] * (double)n), n - 1);
    memcpy(out + i * m, rows + from * m, sizeof(double) * (size_t)m);
  }
}

/* Between n residuals each of a sample and of the reference. */
static PetscErrorCode Distance(const ComparePooled *asked, int64_t n, int width, const double a[], const double b[],
                               ScoriaDistance *d)
{
  PetscFunctionBeginUser;
  if (asked->features)
    PetscCall(ScoriaResidualDistanceCompute(asked->features, n, a, n, b, d));
  else
    PetscCall(ScoriaDistanceCompute(n, a, n, b, width, asked->seed, asked->directions, d));
  PetscFunctionReturn(0);
}

/* Mean distance between two bootstrap samples of n residuals (n, m). */
static PetscErrorCode BootstrapFloor(const ComparePooled *asked, int64_t n, int m, const double rows[],
                                     ScoriaDistance *floor)
{
  ScoriaDistance pair[PAIRS];
  double *a, *b;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(n * m, &a, n * m, &b));
  for (int i = 0; i < PAIRS; i++) {
    resample(asked->seed, (uint64_t)(2 * i), n, m, rows, a);
    resample(asked->seed, (uint64_t)(2 * i + 1), n, m, rows, b);
    PetscCall(Distance(asked, n, m, a, b, &pair[i]));
  }
  measures_pool(PAIRS, pair, floor);
  PetscCall(PetscFree2(a, b));
  PetscFunctionReturn(0);
}

/* Curves of the residuals of every source, and of a bootstrap sample of the rows'; the residuals are changed. */
static PetscErrorCode FillCurves(const Pooling *p, int64_t rows, ComparisonSet *curves)
{
  double *again;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(rows * p->width, &again));
  resample(p->asked->seed, 0, rows, p->width, p->all[ROWS], again);
  PetscCall(CompareFillCurves(curves, 0, rows, again, SCORIA_FROM_PDE_AGAIN));
  for (int t = 0; t < TAKEN; t++) PetscCall(CompareFillCurves(curves, 0, rows, p->all[t], taken[t]));
  for (int i = 0; i < p->shape->space->n; i++) curves->c[0].theta[i] = NAN;
  for (int s = 0; s < SCORIA_NFROM; s++) curves->c[0].good[s] = rows;
  PetscCall(PetscFree(again));
  PetscFunctionReturn(0);
}

static PetscErrorCode Measure(const Pooling *p, int64_t rows, Comparison *c, CompareBiases *biases)
{
  const ComparePooled *asked = p->asked;
  PetscFunctionBeginUser;
  for (int s = 0; s < SCORIA_NFROM; s++) c->good[s] = rows;
  for (int t = 1; t < TAKEN; t++)
    PetscCall(Distance(asked, rows, p->width, p->all[t], p->all[0], &c->distance[taken[t]]));
  PetscCall(BootstrapFloor(asked, rows, p->width, p->all[0], &c->distance[SCORIA_FROM_PDE_AGAIN]));
  PetscCall(CompareResidualsCount(&p->numbers, rows, c));
  PetscCall(CompareResidualsBiases(&p->numbers, rows, biases));
  if (asked->curves) PetscCall(FillCurves(p, rows, asked->curves));
  PetscFunctionReturn(0);
}

/* This rank's conditions, one a round, in which all may be asked to stop. */
static PetscErrorCode TakeAll(ScoriaRun run, Pooling *p, int64_t first, int64_t number, int size)
{
  const MPI_Comm comm = ScoriaRunComm(run);
  const int64_t most  = (p->asked->conditions + size - 1) / size;
  ScoriaProgress bar;
  bool stop = false;
  PetscFunctionBeginUser;
  PetscCall(ScoriaProgressCreate(run, "compare", "conditions", (double)p->asked->conditions, &bar));
  for (int64_t i = 0; i < most; i++) {
    PetscCall(ScoriaAgreeFailed(comm, i < number ? Take(p, first + i) : 0));
    PetscCall(ScoriaProgressUpdate(bar, (double)PetscMin((i + 1) * size, p->asked->conditions), NULL));
    PetscCall(ScoriaStopAsked(run, &stop));
    if (stop) PetscCall(ScoriaStopped(run, "the comparison restarts from the beginning"));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareMeasurePooled(ScoriaRun run, const ScoriaSource source[SCORIA_NFROM], const ComparePooled *asked,
                                    Comparison *c, CompareBiases *biases)
{
  const MPI_Comm comm = ScoriaRunComm(run);
  int64_t first, number, rows = 0;
  PetscErrorCode failed = 0;
  int rank, size;
  Pooling p;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  deal_block(asked->conditions, rank, size, &first, &number);
  PetscCall(Create(asked, source, number, rank, &p));
  PetscCall(TakeAll(run, &p, first, number, size));
  PetscCall(Gather(comm, &p, &rows));
  if (rows < SCORIA_HOLDOUT_LEAST)
    SCORIA_FAIL(
        SCORIA_EXIT_INPUT,
        "compare: found %lld usable rows among those that were held back from training, expected at least %d; with "
        "import.holdout: 0 none are held back, and run goes without a verdict",
        (long long)rows, SCORIA_HOLDOUT_LEAST);
  if (!rank) failed = Measure(&p, rows, c, biases);
  PetscCall(ScoriaAgreeFailed(comm, failed));
  PetscCallMPI(MPI_Bcast(c, sizeof *c, MPI_BYTE, 0, comm));
  PetscCall(Destroy(&p));
  PetscFunctionReturn(0);
}

/* infer: from particles to fields, their likelihoods, and the statistics of many. */
#include "infer.h"
#include <math.h>
#include <string.h>

#define PILOT_TILES 8

int infer_unknown(const InferQuestion *q, int k)
{
  for (int i = 0; i < q->nunknown; i++)
    if (q->unknown[i] == k) return i;
  return -1;
}

PetscErrorCode InferParticlesDestroy(InferParticles *p)
{
  PetscFunctionBeginUser;
  PetscCall(InferReferenceDestroy(&p->reference));
  PetscCall(PetscFree5(p->fields, p->thetas, p->latent, p->evidence, p->likely));
  PetscFunctionReturn(0);
}

/* Fields and conditions of one tile of particles into p->fields (n, m), p->thetas (n, conditions). */
static PetscErrorCode Fields(InferParticles *p, int64_t first, int64_t n, const double z[])
{
  const int R = p->modes, d = p->q->shape.space->n, nu = p->q->nunknown;
  double x[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++) {
    infer_unit(nu, z + (i + 1) * p->dimension - nu, x);
    infer_take_theta(p->q, x, p->thetas + i * d);
    if (!p->reference) memcpy(p->latent + i * R, z + i * p->dimension, (size_t)R * sizeof(double));
  }
  if (p->reference) infer_reference_particles(p->reference, n, z, p->latent, p->evidence, p->likely);
  PetscCall(InferTransport(p, first, n));
  PetscFunctionReturn(0);
}

/* Columns (n, columns) of particles first + i at z (n, dimension), n <= INFER_TILE. */
static PetscErrorCode Columns(InferParticles *p, int64_t first, int64_t n, const double z[], double rows[])
{
  const InferQuestion *q = p->q;
  const InferAnswer *a   = p->a;
  const int m            = q->shape.channels * q->shape.cells;
  PetscFunctionBeginUser;
  PetscCall(Fields(p, first, n, z));
  for (int64_t i = 0; i < n; i++) {
    const double *fields = p->fields + i * m, *theta = p->thetas + i * q->shape.space->n;
    double *to = rows + i * a->columns;
    memcpy(to, fields, (size_t)m * sizeof(double));
    for (int k = 0; k < q->nquantities; k++)
      if (q->condition[k] >= 0) p->quantity[k].offset = theta[q->condition[k]];
    quantities_take(q->nquantities, p->quantity, q->shape.cells, fields, to + a->at_quantities);
    infer_readings(q, fields, to + a->at_sensors);
    for (int k = 0; k < q->nunknown; k++) to[a->at_unknown + k] = theta[q->unknown[k]];
  }
  PetscFunctionReturn(0);
}

/* Of the readings, given n fields. */
static void likelihoods(const InferQuestion *q, int64_t n, const double fields[], double log_likelihood[])
{
  const int m = q->shape.channels * q->shape.cells;
  double reading[INFER_MAX_SENSORS];
  for (int64_t i = 0; i < n; i++) {
    double sum = 0;
    infer_readings(q, fields + i * m, reading);
    for (int s = 0; s < q->sensors.n; s++) {
      const InferSensor *at = &q->sensors.s[s];
      const double gap      = (reading[s] - at->value) / at->sd;
      sum -= 0.5 * (gap * gap + log(2 * PETSC_PI)) + log(at->sd);
    }
    log_likelihood[i] = sum;
  }
}

/* What one evaluation takes and gives. */
typedef struct {
  int64_t first;
  const double *z;
  double *log_likelihood, *log_base;
} Evaluation;

static PetscErrorCode EvaluateTile(InferParticles *p, int64_t start, int64_t n, void *ctx)
{
  const Evaluation *e = ctx;
  PetscFunctionBeginUser;
  PetscCall(Fields(p, e->first + start, n, e->z + start * p->dimension));
  likelihoods(p->q, n, p->fields, e->log_likelihood + start);
  for (int64_t i = 0; i < n; i++) {
    e->log_likelihood[start + i] -= p->likely[i];
    e->log_base[start + i] = p->evidence[i];
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ConditionsTile(InferParticles *p, int64_t start, int64_t n, void *ctx)
{
  const Evaluation *e = ctx;
  PetscFunctionBeginUser;
  infer_reference_conditions(p->reference, n, e->z + start * p->q->nunknown, e->log_likelihood + start);
  PetscFunctionReturn(0);
}

/* By tiles, of which every rank makes its own. */
static PetscErrorCode Evaluate(InferParticles *p, InferTile tile, int64_t n, Evaluation e)
{
  int64_t most;
  PetscFunctionBeginUser;
  PetscCall(InferMostTiles(p, p->q->count, &most));
  PetscCall(InferRounds(p, n, most, tile, &e));
  PetscFunctionReturn(0);
}

PetscErrorCode InferEvaluate(void *ctx, int64_t first, int64_t n, const double z[], double log_likelihood[],
                             double log_base[])
{
  PetscFunctionBeginUser;
  PetscCall(Evaluate(ctx, EvaluateTile, n, (Evaluation){first, z, log_likelihood, log_base}));
  PetscFunctionReturn(0);
}

PetscErrorCode InferEvaluateConditions(void *ctx, int64_t first, int64_t n, const double z[], double log_likelihood[],
                                       double log_base[])
{
  PetscFunctionBeginUser;
  PetscCall(Evaluate(ctx, ConditionsTile, n, (Evaluation){first, z, log_likelihood, log_base}));
  PetscFunctionReturn(0);
}

/* Of particles [first, first + n), those that are kept.  Resampling leaves the particles that it makes of one side by
 * side: evenly spaced ones have the most ancestors. */
static void keep_rows(const InferQuestion *q, int64_t first, int64_t n, const double rows[], InferAnswer *a)
{
  const size_t row = (size_t)a->columns * sizeof(double);
  for (int64_t i = 0; i < q->keep; i++) {
    const int64_t of = i * q->count / q->keep - first;
    if (of >= 0 && of < n) memcpy(a->kept + i * a->columns, rows + of * a->columns, row);
  }
}

/* Every rank computes the pilot, so that all of them sum in the same units. */
static PetscErrorCode PilotSummary(InferParticles *p, const double z[], double rows[], ScoriaSummary *summary)
{
  const int columns            = p->a->columns;
  const ScoriaSummarySpec spec = {.columns = columns};
  int64_t known                = 0;
  PetscFunctionBeginUser;
  for (int t = 0; t < PILOT_TILES && known < p->q->count; t++) {
    const int64_t part = PetscMin(INFER_TILE, p->q->count - known);
    PetscCall(Columns(p, known, part, z + known * p->dimension, rows + known * columns));
    known += part;
  }
  PetscCall(ScoriaSummaryCreate(&spec, known, rows, summary));
  PetscFunctionReturn(0);
}

/* This rank's block of the tiles to the summary, and what is kept of them to a. */
static PetscErrorCode AddTiles(InferParticles *p, int side, const double z[], double rows[], ScoriaSummary summary,
                               InferAnswer *a)
{
  const int64_t tiles = (p->q->count + INFER_TILE - 1) / INFER_TILE;
  PetscMPIInt rank, size;
  int64_t first, number;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(p->comm, &rank));
  PetscCallMPI(MPI_Comm_size(p->comm, &size));
  deal_block(tiles, rank, size, &first, &number);
  for (int64_t t = first; t < first + number; t++) {
    const int64_t at = t * INFER_TILE, part = PetscMin(INFER_TILE, p->q->count - at);
    PetscCall(Columns(p, at, part, z + at * p->dimension, rows));
    summary_add(summary, part, rows);
    summary_end_tile(summary);
    if (side == SCORIA_POSTERIOR) keep_rows(p->q, at, part, rows, a);
  }
  PetscFunctionReturn(0);
}

static void fill_statistics(const InferQuestion *q, ScoriaSummary summary, int columns, double statistics[])
{
  double se;
  for (int j = 0; j < columns; j++) {
    double *to = statistics + j;
    ScoriaMoments m;
    summary_moments(summary, j, &m);
    to[INFER_MEAN * columns] = m.mean;
    to[INFER_SD * columns]   = m.sd;
    for (int i = 0; i < q->nprobabilities; i++)
      (void)summary_quantile(summary, j, q->probability[i], to + (INFER_QUANTILES + i) * columns, &se);
  }
}

PetscErrorCode InferSummarise(InferParticles *p, int side, const double z[], InferAnswer *a)
{
  ScoriaSummary summary;
  double *rows;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(PILOT_TILES * INFER_TILE * a->columns, &rows));
  PetscCall(PilotSummary(p, z, rows, &summary));
  PetscCall(AddTiles(p, side, z, rows, summary, a));
  PetscCall(ScoriaSummaryReduce(summary, p->comm));
  fill_statistics(p->q, summary, a->columns, a->statistics[side]);
  PetscCall(ScoriaSummaryDestroy(&summary));
  PetscCall(PetscFree(rows));
  if (side == SCORIA_POSTERIOR)
    PetscCall(ScoriaReduceMany(p->comm, MPI_SUM, p->q->keep * a->columns, MPI_DOUBLE, a->kept));
  PetscFunctionReturn(0);
}

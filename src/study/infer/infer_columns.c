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

PetscErrorCode InferParticlesCreate(ScoriaRun run, ScoriaSource prior, const InferQuestion *q, const InferAnswer *a,
                                    InferParticles *p)
{
  const int m = q->shape.channels * q->shape.cells;
  PetscFunctionBeginUser;
  *p = (InferParticles){
      .comm = ScoriaRunComm(run), .q = q, .a = a, .prior = prior, .pace = {.run = run, .step = 1, .most = 1 << 20}};
  PetscCall(ScoriaSourceLatents(prior, &p->modes));
  p->dimension = p->modes + q->nunknown;
  PetscCall(PetscMalloc3(INFER_TILE * m, &p->fields, INFER_TILE * (q->shape.space->n + 1), &p->thetas,
                         INFER_TILE * p->modes, &p->latent));
  PetscCall(PetscArraycpy(p->quantity, q->quantity, q->nquantities));
  PetscFunctionReturn(0);
}

PetscErrorCode InferParticlesDestroy(InferParticles *p)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree3(p->fields, p->thetas, p->latent));
  PetscFunctionReturn(0);
}

/* Unknown conditions are uniform over their training ranges, logarithmic ones in the logarithm: u = 2 Phi(z) - 1. */
static void take_theta(const InferParticles *p, const double z[], double theta[])
{
  const InferQuestion *q          = p->q;
  double u[SCORIA_MAX_CONDITIONS] = {0}, all[SCORIA_MAX_CONDITIONS];
  for (int i = 0; i < q->nunknown; i++) u[q->unknown[i]] = erf(z[p->modes + i] / sqrt(2));
  space_from_unit(q->shape.space, u, all);
  memcpy(theta, q->theta, (size_t)q->shape.space->n * sizeof(double));
  for (int i = 0; i < q->nunknown; i++) theta[q->unknown[i]] = all[q->unknown[i]];
}

/* Fields and conditions of one tile into p->fields (n, m), p->thetas (n, conditions). */
static PetscErrorCode Fields(InferParticles *p, int64_t first, int64_t n, const double z[])
{
  const int R = p->modes, d = p->q->shape.space->n;
  const bool each = p->q->nunknown > 0;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++) {
    take_theta(p, z + i * p->dimension, p->thetas + i * d);
    memcpy(p->latent + i * R, z + i * p->dimension, (size_t)R * sizeof(double));
  }
  PetscCall(ScoriaSourceTransport(p->prior, first, n, each, each ? p->thetas : p->q->theta, p->latent, p->fields));
  PetscFunctionReturn(0);
}

/* What every sensor would read (sensors), without noise. */
static void readings(const InferQuestion *q, const double fields[], double reading[])
{
  for (int i = 0; i < q->sensors.n; i++) quantities_take(1, &q->sensors.s[i].at, q->shape.cells, fields, &reading[i]);
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
    readings(q, fields, to + a->at_sensors);
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
    readings(q, fields + i * m, reading);
    for (int s = 0; s < q->sensors.n; s++) {
      const InferSensor *at = &q->sensors.s[s];
      const double gap      = (reading[s] - at->value) / at->sd;
      sum -= 0.5 * (gap * gap + log(2 * PETSC_PI)) + log(at->sd);
    }
    log_likelihood[i] = sum;
  }
}

PetscErrorCode InferEvaluate(void *ctx, int64_t first, int64_t n, const double z[], double log_likelihood[])
{
  InferParticles *p      = ctx;
  PetscErrorCode failed  = 0; /* on this rank alone: it goes on to meet the others */
  int64_t before_meeting = 0;
  PetscMPIInt size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(p->comm, &size));
  const int64_t tiles = (p->q->count + INFER_TILE - 1) / INFER_TILE, most = (tiles + size - 1) / size;
  for (int64_t tile = 0; tile < most; tile++, before_meeting--) {
    const int64_t start = tile * INFER_TILE, part = PetscMax(0, PetscMin(INFER_TILE, n - start));
    if (before_meeting == 0) {
      PetscCall(ScoriaPaceMeet(&p->pace, "the inference restarts from the beginning"));
      before_meeting = p->pace.step;
    }
    if (part && !failed) failed = Fields(p, first + start, part, z + start * p->dimension);
    if (part && !failed) likelihoods(p->q, part, p->fields, log_likelihood + start);
  }
  PetscFunctionReturn(failed);
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

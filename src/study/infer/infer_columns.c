/* infer: from particles to fields, their likelihoods, and the statistics of many. */
#include "infer.h"
#include <math.h>
#include <string.h>

#define PILOT_TILES 8

int infer_unknown(const Infer *f, int k)
{
  for (int i = 0; i < f->nfree; i++)
    if (f->free[i] == k) return i;
  return -1;
}

/* Unknown conditions are uniform over their training ranges, logarithmic ones in the logarithm: u = 2 Phi(z) - 1. */
static void take_theta(const Infer *f, const double z[], double theta[])
{
  double u[SCORIA_MAX_CONDITIONS] = {0}, all[SCORIA_MAX_CONDITIONS];
  for (int i = 0; i < f->nfree; i++) u[f->free[i]] = erf(z[f->modes + i] / sqrt(2));
  space_from_unit(f->space, u, all);
  memcpy(theta, f->theta, (size_t)f->space->n * sizeof(double));
  for (int i = 0; i < f->nfree; i++) theta[f->free[i]] = all[f->free[i]];
}

/* Fields and conditions of one tile into f->fields (n, m), f->thetas (n, conditions). */
static PetscErrorCode Fields(Infer *f, int64_t first, int64_t n, const double z[])
{
  const int R = f->modes, d = f->space->n;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++) {
    take_theta(f, z + i * f->dimension, f->thetas + i * d);
    memcpy(f->latent + i * R, z + i * f->dimension, (size_t)R * sizeof(double));
  }
  PetscCall(
      ScoriaSourceTransport(f->prior, first, n, f->nfree > 0, f->nfree ? f->thetas : f->theta, f->latent, f->fields));
  PetscFunctionReturn(0);
}

/* What every sensor would read (sensors), without noise. */
static void readings(const Infer *f, const double fields[], double reading[])
{
  for (int i = 0; i < f->sensors.n; i++) quantities_take(1, &f->sensors.s[i].at, f->cells, fields, &reading[i]);
}

PetscErrorCode InferColumns(Infer *f, int64_t first, int64_t n, const double z[], double rows[])
{
  PetscFunctionBeginUser;
  PetscCall(Fields(f, first, n, z));
  for (int64_t i = 0; i < n; i++) {
    const double *fields = f->fields + i * f->m, *theta = f->thetas + i * f->space->n;
    double *to = rows + i * f->columns;
    memcpy(to, fields, (size_t)f->m * sizeof(double));
    for (int k = 0; k < f->nquantities; k++)
      if (f->condition[k] >= 0) f->quantity[k].offset = theta[f->condition[k]];
    quantities_take(f->nquantities, f->quantity, f->cells, fields, to + f->at_quantities);
    readings(f, fields, to + f->at_sensors);
    for (int k = 0; k < f->nfree; k++) to[f->at_free + k] = theta[f->free[k]];
  }
  PetscFunctionReturn(0);
}

/* Of the readings, given the n fields of a tile. */
static void likelihoods(const Infer *f, int64_t n, double log_likelihood[])
{
  double reading[INFER_MAX_SENSORS];
  for (int64_t i = 0; i < n; i++) {
    double sum = 0;
    readings(f, f->fields + i * f->m, reading);
    for (int s = 0; s < f->sensors.n; s++) {
      const InferSensor *at = &f->sensors.s[s];
      const double gap      = (reading[s] - at->value) / at->sd;
      sum -= 0.5 * (gap * gap + log(2 * PETSC_PI)) + log(at->sd);
    }
    log_likelihood[i] = sum;
  }
}

PetscErrorCode InferEvaluate(void *ctx, int64_t first, int64_t n, const double z[], double log_likelihood[])
{
  Infer *f               = ctx;
  PetscErrorCode failed  = 0; /* on this rank alone: it goes on to meet the others */
  int64_t before_meeting = 0;
  PetscMPIInt size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(f->comm, &size));
  const int64_t tiles = (f->count + INFER_TILE - 1) / INFER_TILE, most = (tiles + size - 1) / size;
  for (int64_t tile = 0; tile < most; tile++, before_meeting--) {
    const int64_t start = tile * INFER_TILE, part = PetscMax(0, PetscMin(INFER_TILE, n - start));
    if (before_meeting == 0) {
      PetscCall(ScoriaPaceMeet(&f->pace, "the inference will begin anew"));
      before_meeting = f->pace.step;
    }
    if (part && !failed) failed = Fields(f, first + start, part, z + start * f->dimension);
    if (part && !failed) likelihoods(f, part, log_likelihood + start);
  }
  PetscFunctionReturn(failed);
}

/* Of particles [first, first + n), those that are kept.  Resampling leaves the particles that it makes of one side by
 * side: evenly spaced ones have the most ancestors. */
static void keep_rows(Infer *f, int64_t first, int64_t n, const double rows[])
{
  for (int64_t i = 0; i < f->keep; i++) {
    const int64_t p = i * f->count / f->keep - first;
    if (p >= 0 && p < n) memcpy(f->kept + i * f->columns, rows + p * f->columns, (size_t)f->columns * sizeof(double));
  }
}

/* Every rank computes the pilot, so that all of them sum in the same units. */
static PetscErrorCode Summarise(Infer *f, int side, const double z[], ScoriaSummary *summary)
{
  const int64_t tiles = (f->count + INFER_TILE - 1) / INFER_TILE, pilot = PetscMin(tiles, PILOT_TILES);
  PetscMPIInt rank, size;
  int64_t first, number;
  double *rows;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(f->comm, &rank));
  PetscCallMPI(MPI_Comm_size(f->comm, &size));
  PetscCall(PetscMalloc1(pilot * INFER_TILE * f->columns, &rows));
  int64_t known = 0;
  for (int64_t t = 0; t < pilot; t++) {
    const int64_t part = PetscMin(INFER_TILE, f->count - known);
    PetscCall(InferColumns(f, known, part, z + known * f->dimension, rows + known * f->columns));
    known += part;
  }
  const ScoriaSummarySpec spec = {.columns = f->columns};
  PetscCall(ScoriaSummaryCreate(&spec, known, rows, summary));
  deal_block(tiles, rank, size, &first, &number);
  for (int64_t t = first; t < first + number; t++) {
    const int64_t at = t * INFER_TILE, part = PetscMin(INFER_TILE, f->count - at);
    PetscCall(InferColumns(f, at, part, z + at * f->dimension, rows));
    summary_add(*summary, part, rows);
    summary_end_tile(*summary);
    if (side == INFER_POSTERIOR) keep_rows(f, at, part, rows);
  }
  PetscCall(ScoriaSummaryReduce(*summary, f->comm));
  PetscCall(PetscFree(rows));
  PetscFunctionReturn(0);
}

PetscErrorCode InferTell(Infer *f, int side)
{
  const double *z = tempering_particles(f->particles);
  ScoriaSummary summary;
  double se;
  PetscFunctionBeginUser;
  PetscCall(Summarise(f, side, z, &summary));
  PetscCall(PetscMalloc1((INFER_QUANTILES + f->nprobabilities) * f->columns, &f->told[side]));
  for (int j = 0; j < f->columns; j++) {
    double *to = f->told[side] + j;
    ScoriaMoments m;
    summary_moments(summary, j, &m);
    to[INFER_MEAN * f->columns] = m.mean;
    to[INFER_SD * f->columns]   = m.sd;
    for (int i = 0; i < f->nprobabilities; i++)
      (void)summary_quantile(summary, j, f->probability[i], to + (INFER_QUANTILES + i) * f->columns, &se);
  }
  PetscCall(ScoriaSummaryDestroy(&summary));
  if (side == INFER_POSTERIOR) PetscCall(ScoriaReduceMany(f->comm, MPI_SUM, f->keep * f->columns, MPI_DOUBLE, f->kept));
  PetscFunctionReturn(0);
}

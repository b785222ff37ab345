/* infer: from particles to fields, their likelihoods, and the statistics of many. */
#include "infer.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MORE_MOVES 5   /* times as many moves as asked for, at most, where places are remembered */
#define CHEAP_MOVES 25 /* the same of the conditions alone, which need no fields */

int infer_unknown(const InferQuestion *q, int k)
{
  for (int i = 0; i < q->nunknown; i++)
    if (q->unknown[i] == k) return i;
  return -1;
}

PetscErrorCode InferParticlesDestroy(InferParticles *p)
{
  PetscFunctionBeginUser;
  PetscCall(InferProgressDestroy(&p->progress));
  PetscCall(InferReferenceDestroy(&p->reference));
  PetscCall(ScoriaTemperingDestroy(&p->tempering));
  PetscCall(PetscFree(p->readings));
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

/* What comes after this evaluation: moves of this stage and of those after it, fields where conditions are at work, and
 * the posterior's fields. */
static void expect_more(InferParticles *p, InferKind kind)
{
  const ScoriaTempering t   = p->at_work;
  const bool conditions     = kind == INFER_CONDITIONS;
  const double rounds       = infer_progress_rounds(&p->progress, p->q->count);
  double after[INFER_KINDS] = {[INFER_FIELDS] = p->last};
  char note[sizeof p->progress.note];
  if (conditions || !t) after[INFER_FIELDS] += (INFER_STAGES * p->q->moves + (conditions ? 1 : 0)) * rounds;
  if (t) {
    const int moves = tempering_moves_left(t), later = p->stages_left;
    after[kind] += later < 0 ? NAN : (moves + later * tempering_moves_of_stage(t)) * rounds;
    snprintf(note, sizeof note, "%s, temperature %.2g, stage %d of about %d", conditions ? "conditions" : "fields",
             tempering_temperature(t), p->a->nstages + 1,
             p->a->nstages + 1 + PetscMax(later, 0) + (conditions ? INFER_STAGES : 0));
  } else
    snprintf(note, sizeof note, "particles of the surrogate");
  infer_progress_expect(&p->progress, after[INFER_FIELDS], after[INFER_CONDITIONS], note);
}

/* By tiles, of which every rank makes its own. */
static PetscErrorCode Evaluate(InferParticles *p, InferKind kind, InferTile tile, int64_t n, Evaluation e)
{
  InferShare share;
  PetscFunctionBeginUser;
  expect_more(p, kind);
  PetscCall(InferShareOf(p, p->q->count, &share));
  PetscCall(InferRounds(p, kind, n, share.most, tile, &e));
  PetscFunctionReturn(0);
}

PetscErrorCode InferEvaluate(void *ctx, int64_t first, int64_t n, const double z[], double log_likelihood[],
                             double log_base[])
{
  PetscFunctionBeginUser;
  PetscCall(Evaluate(ctx, INFER_FIELDS, EvaluateTile, n, (Evaluation){first, z, log_likelihood, log_base}));
  PetscFunctionReturn(0);
}

PetscErrorCode InferEvaluateConditions(void *ctx, int64_t first, int64_t n, const double z[], double log_likelihood[],
                                       double log_base[])
{
  PetscFunctionBeginUser;
  PetscCall(Evaluate(ctx, INFER_CONDITIONS, ConditionsTile, n, (Evaluation){first, z, log_likelihood, log_base}));
  PetscFunctionReturn(0);
}

PetscErrorCode InferTemperingCreate(InferParticles *p, bool fields, ScoriaTempering from, bool empty,
                                    ScoriaTempering *t)
{
  const InferQuestion *q   = p->q;
  ScoriaTemperingSpec spec = {.particles = q->count, .tile = INFER_TILE, .moves = q->moves, .seed = q->seed, .ctx = p};
  PetscFunctionBeginUser;
  spec.dimension  = fields ? infer_reference_dimension(p->reference) : q->nunknown;
  spec.most_moves = (fields ? MORE_MOVES : CHEAP_MOVES) * q->moves;
  spec.evaluate   = fields ? InferEvaluate : InferEvaluateConditions;
  spec.from       = from;
  spec.empty      = empty;
  if (fields) p->dimension = spec.dimension;
  PetscCall(ScoriaTemperingCreate(p->comm, &spec, t));
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

/* One side of the answer on its way. */
typedef struct {
  int side;
  int64_t first;   /* particle of this rank's tiles */
  const double *z; /* of all particles */
  double *rows;    /* work */
  ScoriaSummary summary;
  InferAnswer *a;
} Side;

static PetscErrorCode PilotTile(InferParticles *p, int64_t start, int64_t n, void *ctx)
{
  const Side *s = ctx;
  PetscFunctionBeginUser;
  PetscCall(Columns(p, start, n, s->z + start * p->dimension, s->rows + start * p->a->columns));
  PetscFunctionReturn(0);
}

/* Every rank computes the pilot, so that all of them sum in the same units. */
static PetscErrorCode PilotSummary(InferParticles *p, Side *s)
{
  const ScoriaSummarySpec spec = {.columns = p->a->columns};
  const int64_t n              = PetscMin(INFER_PILOT_TILES * INFER_TILE, p->q->count);
  PetscFunctionBeginUser;
  PetscCall(InferRounds(p, INFER_FIELDS, n, (n + INFER_TILE - 1) / INFER_TILE, PilotTile, s));
  PetscCall(ScoriaSummaryCreate(&spec, n, s->rows, &s->summary));
  PetscFunctionReturn(0);
}

/* What the sensors read of the first draws of the prior. */
static void keep_readings(InferParticles *p, int64_t first, int64_t n, const double rows[])
{
  const int m = p->q->sensors.n;
  for (int64_t i = 0; i < n && first + i < p->nreadings; i++)
    memcpy(p->readings + (first + i) * m, rows + i * p->a->columns + p->a->at_sensors, (size_t)m * sizeof(double));
}

static PetscErrorCode SummaryTile(InferParticles *p, int64_t start, int64_t n, void *ctx)
{
  const Side *s    = ctx;
  const int64_t at = s->first + start;
  PetscFunctionBeginUser;
  PetscCall(Columns(p, at, n, s->z + at * p->dimension, s->rows));
  summary_add(s->summary, n, s->rows);
  summary_end_tile(s->summary);
  if (s->side == SCORIA_POSTERIOR)
    keep_rows(p->q, at, n, s->rows, s->a);
  else
    keep_readings(p, at, n, s->rows);
  PetscFunctionReturn(0);
}

/* This rank's block of the tiles to the summary, and what is kept of them. */
static PetscErrorCode AddTiles(InferParticles *p, Side *s)
{
  InferShare share;
  PetscFunctionBeginUser;
  PetscCall(InferShareOf(p, p->q->count, &share));
  s->first = share.first;
  PetscCall(InferRounds(p, INFER_FIELDS, share.n, share.most, SummaryTile, s));
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
  Side s = {.side = side, .z = z, .a = a};
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(INFER_PILOT_TILES * INFER_TILE * a->columns, &s.rows));
  PetscCall(PilotSummary(p, &s));
  PetscCall(AddTiles(p, &s));
  PetscCall(ScoriaSummaryReduce(s.summary, p->comm));
  fill_statistics(p->q, s.summary, a->columns, a->statistics[side]);
  PetscCall(ScoriaSummaryDestroy(&s.summary));
  PetscCall(PetscFree(s.rows));
  if (side == SCORIA_POSTERIOR)
    PetscCall(ScoriaReduceMany(p->comm, MPI_SUM, p->q->keep * a->columns, MPI_DOUBLE, a->kept));
  else
    PetscCall(ScoriaReduceMany(p->comm, MPI_SUM, p->nreadings * p->q->sensors.n, MPI_DOUBLE, p->readings));
  PetscFunctionReturn(0);
}

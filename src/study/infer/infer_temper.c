/* infer: from the prior to the posterior.  What is sampled is the initial noise of the deterministic sampler, N(0, I)
 * beforehand, and, for every unknown condition, a number that is too (infer_columns.c); how, stats.h says. */
#include "infer.h"
#include <math.h>
#include <stdio.h>

PetscErrorCode InferAnswerCreate(const InferQuestion *q, InferAnswer *a)
{
  PetscFunctionBeginUser;
  *a            = (InferAnswer){.at_quantities = q->shape.channels * q->shape.cells};
  a->at_sensors = a->at_quantities + q->nquantities;
  a->at_unknown = a->at_sensors + q->sensors.n;
  a->columns    = a->at_unknown + q->nunknown;
  for (int side = 0; side < SCORIA_POSTERIOR_SIDES; side++)
    PetscCall(PetscMalloc1((INFER_QUANTILES + q->nprobabilities) * a->columns, &a->statistics[side]));
  PetscCall(PetscCalloc1(q->keep * a->columns, &a->kept));
  PetscFunctionReturn(0);
}

PetscErrorCode InferAnswerDestroy(InferAnswer *a)
{
  PetscFunctionBeginUser;
  for (int side = 0; side < SCORIA_POSTERIOR_SIDES; side++) PetscCall(PetscFree(a->statistics[side]));
  PetscCall(PetscFree(a->kept));
  PetscCall(PetscFree(a->stage));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddStage(ScoriaRun run, const ScoriaTemperingStage *stage, InferAnswer *a)
{
  PetscFunctionBeginUser;
  PetscCall(PetscRealloc((size_t)(a->nstages + 1) * sizeof *stage, &a->stage));
  a->stage[a->nstages++] = *stage;
  PetscCall(ScoriaLog(run, "infer",
                      "\"temperature\":%.8g,\"ess\":%.8g,\"acceptance\":%.6g,\"step\":%.6g,\"mixing\":%.6g,"
                      "\"moves\":%d,\"correlation\":%.6g",
                      stage->temperature, stage->ess, stage->acceptance, stage->step, stage->mixing, stage->moves,
                      stage->correlation));
  PetscFunctionReturn(0);
}

double infer_correlation(const InferAnswer *a)
{
  double most = 0;
  for (int i = 0; i < a->nstages; i++) most = fmax(most, a->stage[i].correlation);
  return most;
}

#define FAR_READING 8.0 /* standard deviations: of a Gaussian, once in 10^15 readings */
#define TAIL 0.005      /* probability of what lies beyond as many spreads of a Gaussian: */
#define TAIL_SPREADS 2.576

/* How far readings scatter on the side of the mean where the given one lies, which is less than the SD where the other
 * side has the long tail: of a concentration above a bound, of a condition whose range ends. */
static PetscErrorCode FindSpreads(const InferParticles *p, InferAnswer *a)
{
  const int64_t n = p->nreadings, tail = (int64_t)(TAIL * (double)n);
  const int m = p->q->sensors.n;
  double *of;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(n, &of));
  for (int s = 0; s < m; s++) {
    const double *prior = a->statistics[SCORIA_PRIOR] + a->at_sensors + s;
    const double mean = prior[INFER_MEAN * a->columns], sd = prior[INFER_SD * a->columns];
    for (int64_t i = 0; i < n; i++) of[i] = p->readings[i * m + s];
    stats_sort(n, of);
    const double side = p->q->sensors.s[s].value < mean ? mean - of[tail] : of[n - 1 - tail] - mean;
    a->spread[s]      = fmin(sd, fmax(0, side) / TAIL_SPREADS);
  }
  PetscCall(PetscFree(of));
  PetscFunctionReturn(0);
}

static double distance(const InferQuestion *q, const InferAnswer *a, int i)
{
  const double mean = a->statistics[SCORIA_PRIOR][INFER_MEAN * a->columns + a->at_sensors + i];
  return fabs(q->sensors.s[i].value - mean) / hypot(a->spread[i], q->sensors.s[i].sd);
}

bool infer_reading_is_far(const InferQuestion *q, const InferAnswer *a, int i, char line[INFER_LINE])
{
  const InferSensor *s = &q->sensors.s[i];
  const double *prior  = a->statistics[SCORIA_PRIOR] + a->at_sensors + i;
  const double far     = distance(q, a, i);
  const char *unit     = q->shape.field[s->channel].unit;
  char place[SCORIA_NAME_SIZE + 64];
  infer_sensor_text(&q->sensors, i, " at ", ", ", sizeof place, place);
  snprintf(line, INFER_LINE,
           "reading %d, %s%s: %g is %.3g standard deviations from what the model expects there, %g +- %.3g%s%s", i + 1,
           place, s->places ? space_place_unit(q->shape.space, 0) : "", s->value, far, prior[INFER_MEAN * a->columns],
           a->spread[i], *unit ? " " : "", unit);
  return far > FAR_READING;
}

static bool is_again(const InferSensor *s, const InferSensor *t)
{
  return s->channel == t->channel && s->x == t->x && s->y == t->y && s->z == t->z && s->value == t->value &&
         s->sd == t->sd;
}

/* Whether reading i is one before it to the last digit, as of a line that a file has twice: the noise of the two would
 * count as independent. */
static PetscErrorCode JudgeRepeated(ScoriaRun run, const InferQuestion *q, int i)
{
  PetscFunctionBeginUser;
  for (int j = 0; j < i; j++) {
    if (!is_again(&q->sensors.s[i], &q->sensors.s[j])) continue;
    if (q->strict) SCORIA_FAIL(SCORIA_EXIT_INPUT, "infer: reading %d is reading %d again", i + 1, j + 1);
    PetscCall(ScoriaSay(run,
                        "  WARNING: reading %d is reading %d again, to the last digit: the two count as independent",
                        i + 1, j + 1));
    break;
  }
  PetscFunctionReturn(0);
}

#define COARSE 100 /* prior SDs of noise: such a reading takes 5e-5 of the SD there away */
#define FINE 0.01  /* of the prior's SD: no model of random fields has been seen to be right to that */

/* Whether the noise of reading i is so small that the posterior says of the model what holds of its own law alone, or
 * so large that the reading says nothing, as of a standard deviation in another unit. */
static PetscErrorCode JudgeNoise(ScoriaRun run, const InferQuestion *q, const InferAnswer *a, int i)
{
  const double prior = a->statistics[SCORIA_PRIOR][INFER_SD * a->columns + a->at_sensors + i];
  const double share = q->sensors.s[i].sd / prior;
  PetscFunctionBeginUser;
  if (prior > 0 && share < FINE)
    PetscCall(ScoriaSay(run,
                        "  WARNING: reading %d: its noise is %.2g of the prior's SD there, finer than a model is right "
                        "(compare): the posterior may be too narrow, and wrong",
                        i + 1, share));
  else if (prior > 0 && share > COARSE && q->strict)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "infer: reading %d: its sd %g is %.3g times the prior's there, expected less than %d", i + 1,
                q->sensors.s[i].sd, share, COARSE);
  else if (prior > 0 && share > COARSE)
    PetscCall(ScoriaSay(run,
                        "  WARNING: reading %d: its noise is %.3g times the prior's SD there, %.3g, so that it tells "
                        "nothing: is its sd in the unit of the field?",
                        i + 1, share, prior));
  PetscFunctionReturn(0);
}

/* Before the hours that tempering takes where a unit is wrong. */
static PetscErrorCode JudgeReadings(ScoriaRun run, const InferParticles *p, InferAnswer *a)
{
  const InferQuestion *q = p->q;
  char line[INFER_LINE];
  PetscFunctionBeginUser;
  PetscCall(FindSpreads(p, a));
  for (int i = 0; i < q->sensors.n; i++) {
    PetscCall(JudgeRepeated(run, q, i));
    PetscCall(JudgeNoise(run, q, a, i));
    if (!infer_reading_is_far(q, a, i, line)) continue;
    if (q->far > 0 && distance(q, a, i) > q->far)
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "infer: %s: another unit or sign, or outside what the model knows (-infer_far, now %g, lets it pass)",
                  line, q->far);
    if (q->strict) SCORIA_FAIL(SCORIA_EXIT_INPUT, "infer: %s", line);
    PetscCall(ScoriaSay(run, "  WARNING: %s: a slip of unit or sign, or outside what the model knows", line));
  }
  PetscFunctionReturn(0);
}

/* Temperature by temperature to 1. */
static PetscErrorCode Temper(ScoriaRun run, InferParticles *p, InferAnswer *a)
{
  const ScoriaTempering t = p->tempering;
  PetscFunctionBeginUser;
  p->at_work = t;
  while (!tempering_finished(t)) {
    ScoriaTemperingStage stage;
    const int stages = tempering_stages_left(t);
    p->stages_left   = stages < 0 ? -1 : PetscMax(stages - 1, 0);
    PetscCall(ScoriaTemperingStep(t, &stage));
    PetscCall(AddStage(run, &stage, a));
  }
  p->at_work = NULL;
  PetscFunctionReturn(0);
}

/* Draws of the prior and what they read. */
static PetscErrorCode SummarisePrior(InferParticles *p, InferAnswer *a)
{
  double *z;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(p->q->count * p->dimension, &z));
  for (int64_t i = 0; i < p->q->count; i++)
    infer_prior_draw(p->q, p->modes, i, z + i * p->dimension, z + i * p->dimension + p->modes);
  PetscCall(InferSummarise(p, SCORIA_PRIOR, z, a));
  PetscCall(PetscFree(z));
  PetscFunctionReturn(0);
}

/* The unknown conditions given the readings, by the reference, where there are any. */
static PetscErrorCode TemperConditions(ScoriaRun run, InferParticles *p, InferAnswer *a)
{
  PetscFunctionBeginUser;
  if (p->q->nunknown == 0) PetscFunctionReturn(0);
  if (!p->tempering) PetscCall(InferTemperingCreate(p, false, NULL, false, &p->tempering));
  PetscCall(Temper(run, p, a));
  PetscFunctionReturn(0);
}

/* Of fields and conditions, from the reference, and the conditions given the readings, to the posterior. */
static PetscErrorCode TemperParticles(ScoriaRun run, InferParticles *p, InferAnswer *a)
{
  ScoriaTempering t;
  PetscFunctionBeginUser;
  if (p->done < INFER_CONDITIONED) {
    PetscCall(InferTemperingCreate(p, true, p->tempering, false, &t));
    PetscCall(ScoriaTemperingDestroy(&p->tempering));
    p->tempering = t;
    p->done      = INFER_CONDITIONED;
  }
  PetscCall(Temper(run, p, a));
  a->forgotten = tempering_forgotten(p->q->count, p->dimension);
  PetscFunctionReturn(0);
}

/* Rounds of fields after the prior, and after the reference. */
static void expect_work(InferParticles *p, double *after_prior, double *after_reference)
{
  const InferQuestion *q = p->q;
  const InferProgress *w = &p->progress;
  const double all       = infer_progress_rounds(w, q->count);
  const int64_t pilot    = PetscMin(INFER_PILOT_TILES * INFER_TILE, q->count);
  p->last                = (double)((pilot + INFER_TILE - 1) / INFER_TILE) + all;
  *after_reference       = (1 + INFER_STAGES * q->moves) * all + p->last;
  *after_prior           = *after_reference + infer_progress_rounds(w, infer_reference_draws(q, p->modes));
}

/* What of the prior and the surrogate is not kept by an earlier start. */
static PetscErrorCode Prepare(ScoriaRun run, InferParticles *p, InferAnswer *a)
{
  double after_prior, after_reference;
  PetscFunctionBeginUser;
  expect_work(p, &after_prior, &after_reference);
  infer_progress_expect(&p->progress, after_prior, 0, "prior");
  if (p->done < INFER_PRIOR) PetscCall(SummarisePrior(p, a));
  p->done = PetscMax(p->done, INFER_PRIOR);
  PetscCall(JudgeReadings(run, p, a));
  infer_progress_expect(&p->progress, after_reference, 0, "surrogate");
  if (p->done >= INFER_SURROGATE) PetscFunctionReturn(0);
  InferReference reference; /* fitted, the fields of particles are by it */
  PetscCall(InferReferenceCreate(p, &reference));
  PetscCall(InferReferenceFit(p, reference));
  p->reference = reference;
  p->done      = INFER_SURROGATE;
  PetscFunctionReturn(0);
}

PetscErrorCode InferRun(ScoriaRun run, InferKeeper *keeper, ScoriaSource prior, const InferQuestion *q, InferAnswer *a)
{
  InferParticles p;
  double known = 0; /* ln of the readings' density by the reference, where no condition is unknown */
  PetscFunctionBeginUser;
  PetscCall(InferParticlesCreate(run, prior, q, a, &p));
  PetscCall(InferKept(keeper, &p));
  PetscCall(Prepare(run, &p, a));
  if (p.done < INFER_CONDITIONED) PetscCall(TemperConditions(run, &p, a));
  if (!q->nunknown) infer_reference_conditions(p.reference, 1, NULL, &known);
  PetscCall(TemperParticles(run, &p, a));
  a->log_evidence = known + tempering_log_evidence(p.tempering, &a->log_evidence_se);
  infer_progress_expect(&p.progress, 0, 0, "posterior");
  PetscCall(InferSummarise(&p, SCORIA_POSTERIOR, tempering_particles(p.tempering), a));
  PetscCall(InferParticlesDestroy(&p));
  PetscFunctionReturn(0);
}

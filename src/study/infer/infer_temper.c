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
                      "\"temperature\":%.8g,\"ess\":%.8g,\"acceptance\":%.6g,\"step\":%.6g,\"mixing\":%.6g",
                      stage->temperature, stage->ess, stage->acceptance, stage->step, stage->mixing));
  PetscFunctionReturn(0);
}

#define FAR_READING 8.0 /* standard deviations: of a Gaussian, once in 10^15 readings */

bool infer_reading_is_far(const InferQuestion *q, const InferAnswer *a, int i, char line[INFER_LINE])
{
  const InferSensor *s = &q->sensors.s[i];
  const double *prior  = a->statistics[SCORIA_PRIOR] + a->at_sensors + i;
  const double mean = prior[INFER_MEAN * a->columns], sd = prior[INFER_SD * a->columns];
  const double far = fabs(s->value - mean) / hypot(sd, s->sd);
  snprintf(line, INFER_LINE,
           "reading %d, %s at %g m: %g is %.3g standard deviations from what the model expects there, %g +- %g", i + 1,
           s->field, s->x, s->value, far, mean, sd);
  return far > FAR_READING;
}

/* Before the hours that tempering takes where a unit is wrong; refused under -strict. */
static PetscErrorCode WarnOfReadings(ScoriaRun run, const InferQuestion *q, const InferAnswer *a)
{
  char line[INFER_LINE];
  PetscFunctionBeginUser;
  for (int i = 0; i < q->sensors.n; i++) {
    if (!infer_reading_is_far(q, a, i, line)) continue;
    if (q->strict) SCORIA_FAIL(SCORIA_EXIT_INPUT, "infer: %s", line);
    PetscCall(ScoriaSay(run, "  WARNING: %s: a slip of unit or sign, or outside what the model knows", line));
  }
  PetscFunctionReturn(0);
}

double infer_stages_left(int n, const ScoriaTemperingStage stage[])
{
  const double now = stage[n - 1].temperature, before = n > 1 ? stage[n - 2].temperature : 0;
  if (now >= 1) return 0;
  return before > 0 && now > before ? ceil(log(1 / now) / log(now / before)) : NAN;
}

/* Stages are as long as the last one was: moves become more, not fewer, where the posterior gets narrow. */
static PetscErrorCode Expect(ScoriaProgress bar, double seconds, const InferAnswer *a)
{
  const double left = infer_stages_left(a->nstages, a->stage);
  char note[48];
  PetscFunctionBeginUser;
  PetscCall(ScoriaProgressExpect(bar, a->nstages + (isnan(left) ? 0 : left), seconds * left));
  snprintf(note, sizeof note, "temperature %.2g", a->stage[a->nstages - 1].temperature);
  PetscCall(ScoriaProgressUpdate(bar, a->nstages, note));
  PetscFunctionReturn(0);
}

/* Temperature by temperature to 1. */
static PetscErrorCode Temper(ScoriaRun run, ScoriaTempering t, ScoriaProgress bar, InferAnswer *a)
{
  bool stop = false;
  PetscFunctionBeginUser;
  while (tempering_temperature(t) < 1) {
    const double began = wall_seconds();
    ScoriaTemperingStage stage;
    PetscCall(ScoriaTemperingStep(t, &stage));
    PetscCall(AddStage(run, &stage, a));
    PetscCall(Expect(bar, wall_seconds() - began, a));
    PetscCall(ScoriaStopAsked(run, &stop));
    if (stop && stage.temperature < 1) PetscCall(ScoriaStopped(run, "the inference restarts from the beginning"));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode InferRun(ScoriaRun run, ScoriaSource prior, const InferQuestion *q, InferAnswer *a)
{
  InferParticles particles;
  ScoriaTempering t;
  ScoriaProgress bar;
  PetscFunctionBeginUser;
  PetscCall(InferParticlesCreate(run, prior, q, a, &particles));
  const ScoriaTemperingSpec spec = {.particles = q->count,
                                    .dimension = particles.dimension,
                                    .tile      = INFER_TILE,
                                    .moves     = q->moves,
                                    .seed      = q->seed,
                                    .ctx       = &particles,
                                    .evaluate  = InferEvaluate};
  PetscCall(ScoriaProgressCreate(run, "infer", "stages of tempering", 0, &bar));
  PetscCall(ScoriaTemperingCreate(ScoriaRunComm(run), &spec, &t));
  PetscCall(InferSummarise(&particles, SCORIA_PRIOR, tempering_particles(t), a));
  PetscCall(WarnOfReadings(run, q, a));
  PetscCall(Temper(run, t, bar, a));
  PetscCall(ScoriaProgressDestroy(&bar));
  a->log_evidence = tempering_log_evidence(t, &a->log_evidence_se);
  PetscCall(InferSummarise(&particles, SCORIA_POSTERIOR, tempering_particles(t), a));
  PetscCall(ScoriaTemperingDestroy(&t));
  PetscCall(InferParticlesDestroy(&particles));
  PetscFunctionReturn(0);
}

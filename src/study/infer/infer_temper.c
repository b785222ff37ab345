/* infer: the law of the fields, and of conditions that are not known, given readings of a few noisy sensors, with the
 * model as the prior.  What is sampled is the initial noise of the deterministic sampler, N(0, I) beforehand, and, for
 * every unknown condition, a number that is too (infer_columns.c); how, stats.h says. */
#include "infer.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------ the question ---- */

static PetscErrorCode AddUnknown(Infer *f, const char *word)
{
  char names[256] = "";
  const int k     = space_find(f->space, word);
  PetscFunctionBeginUser;
  for (int i = 0; i < f->space->n; i++)
    snprintf(names + strlen(names), sizeof names - strlen(names), "%s, ", f->space->c[i].name);
  if (k < 0) SCORIA_FAIL(SCORIA_EXIT_INPUT, "infer: conditions: found \"%s\", expected some of %sor all", word, names);
  if (!(f->space->c[k].lo < f->space->c[k].hi))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "infer: conditions: found \"%s\", which has one value only, %g %s", word,
                f->space->c[k].lo, f->space->c[k].unit);
  if (infer_unknown(f, k) >= 0) SCORIA_FAIL(SCORIA_EXIT_INPUT, "infer: conditions: found \"%s\" twice", word);
  f->free[f->nfree++] = k;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadConditions(Infer *f)
{
  const char *text = NULL;
  bool asked;
  char word[SCORIA_NAME_SIZE];
  PetscFunctionBeginUser;
  PetscCall(ScoriaConditionOfSamples(f->deck, f->space, f->theta, &asked));
  PetscCall(ScoriaDeckString(f->deck, "infer_conditions", &text));
  if (text && !strcmp(text, "all")) {
    for (int k = 0; k < f->space->n; k++)
      if (f->space->c[k].lo < f->space->c[k].hi) f->free[f->nfree++] = k;
    text = NULL;
  }
  while (list_next_word(&text, sizeof word, word)) PetscCall(AddUnknown(f, word));
  for (int i = 0; i < f->nfree; i++) /* what samples are at does not matter here */
    f->theta[f->free[i]] = f->space->c[f->free[i]].lo;
  PetscCall(ScoriaConditionCheckRange(f->run, f->deck, "infer", f->space, f->theta));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadQuestion(Infer *f)
{
  PetscInt count = 0, keep = 0, n = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(f->deck, "infer_count", &count));
  PetscCall(ScoriaDeckInt(f->deck, "infer_keep", &keep));
  PetscCall(ScoriaDeckReals(f->deck, "infer_quantiles", INFER_MAX_QUANTILES, &n, f->probability));
  f->count          = count;
  f->keep           = PetscMin(keep, count);
  f->nprobabilities = (int)n;
  PetscCall(ReadConditions(f));
  PetscCall(InferSensorsPlace(&f->sensors, f->channels, f->field, f->cells, f->x));
  PetscCall(ScoriaQuantitiesOfDeck(f->deck, f->channels, f->field, f->cells, f->x, &f->nquantities, f->quantity,
                                   f->condition));
  f->at_quantities = f->m;
  f->at_sensors    = f->at_quantities + f->nquantities;
  f->at_free       = f->at_sensors + f->sensors.n;
  f->columns       = f->at_free + f->nfree;
  f->dimension     = f->modes + f->nfree;
  PetscFunctionReturn(0);
}

/* What the particles are drawn from. */
typedef struct {
  ScoriaTrained trained; /* owned */
  ScoriaSource source;   /* owned */
} Prior;

static PetscErrorCode OpenPrior(ScoriaRun run, ScoriaDeck deck, Prior *prior)
{
  PetscInt kind = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckChoice(deck, "infer_prior", &kind));
  PetscCall(ScoriaTrainedOpen(run, deck, &prior->trained));
  const char *sampler = prior->trained.sampler.kind;
  if (sampler_find(sampler)->stochastic)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "infer: sample_sampler is %s, whose fields are no function of the initial noise; give another",
                sampler);
  PetscCall(ScoriaSourceOfModel(ScoriaRunComm(run), &prior->trained, kind == 1, &prior->source));
  PetscFunctionReturn(0);
}

static PetscErrorCode ClosePrior(Prior *prior)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSourceDestroy(&prior->source));
  PetscCall(ScoriaTrainedClose(&prior->trained));
  PetscFunctionReturn(0);
}

static PetscErrorCode Create(Infer *f, ScoriaSource prior)
{
  const ScoriaFieldShape *shape = source_shape(prior);
  PetscFunctionBeginUser;
  f->prior    = prior;
  f->channels = shape->channels;
  f->cells    = shape->cells;
  f->field    = shape->field;
  f->x        = shape->x;
  f->space    = shape->space;
  f->m        = f->channels * f->cells;
  PetscCall(ScoriaSourceLatents(prior, &f->modes));
  PetscCall(ReadQuestion(f));
  PetscCall(PetscMalloc3(INFER_TILE * f->m, &f->fields, INFER_TILE * (f->space->n + 1), &f->thetas,
                         INFER_TILE * f->modes, &f->latent));
  PetscCall(PetscCalloc1(f->keep * f->columns, &f->kept));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(Infer *f)
{
  PetscFunctionBeginUser;
  for (int side = 0; side < INFER_SIDES; side++) PetscCall(PetscFree(f->told[side]));
  PetscCall(PetscFree(f->sensors.text));
  PetscCall(PetscFree(f->kept));
  PetscCall(PetscFree(f->stage));
  PetscCall(PetscFree3(f->fields, f->thetas, f->latent));
  PetscCall(ScoriaTemperingDestroy(&f->particles));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------------- the answer ---- */

static PetscErrorCode AddStage(Infer *f, const ScoriaTemperingStage *stage)
{
  PetscFunctionBeginUser;
  PetscCall(PetscRealloc((size_t)(f->nstages + 1) * sizeof *stage, &f->stage));
  f->stage[f->nstages++] = *stage;
  PetscCall(ScoriaLog(f->run, "infer",
                      "\"temperature\":%.8g,\"ess\":%.8g,\"acceptance\":%.6g,\"step\":%.6g,\"mixing\":%.6g",
                      stage->temperature, stage->ess, stage->acceptance, stage->step, stage->mixing));
  PetscFunctionReturn(0);
}

/* Told before the hours that the tempering of a slip of the unit takes; refused under -strict. */
static PetscErrorCode WarnOfReadings(const Infer *f)
{
  bool strict = false;
  char line[INFER_LINE];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckBool(f->deck, "strict", &strict));
  for (int i = 0; i < f->sensors.n; i++) {
    if (!infer_reading_is_far(f, i, line)) continue;
    if (strict) SCORIA_FAIL(SCORIA_EXIT_INPUT, "infer: %s", line);
    PetscCall(ScoriaSay(f->run, "  WARNING: %s: a slip of unit or sign, or outside what the model knows", line));
  }
  PetscFunctionReturn(0);
}

/* From the prior to temperature 1. */
static PetscErrorCode Temper(Infer *f)
{
  PetscInt seed = 0, moves = 0;
  ScoriaProgress bar;
  bool stop = false;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(f->deck, "run_seed", &seed));
  PetscCall(ScoriaDeckInt(f->deck, "infer_moves", &moves));
  const ScoriaTemperingSpec spec = {.particles = f->count,
                                    .dimension = f->dimension,
                                    .tile      = INFER_TILE,
                                    .moves     = (int)moves,
                                    .seed      = (uint64_t)seed,
                                    .ctx       = f,
                                    .evaluate  = InferEvaluate};
  PetscCall(ScoriaProgressCreate(f->run, "infer", "of the tempering", 1, &bar));
  PetscCall(ScoriaTemperingCreate(f->comm, &spec, &f->particles));
  PetscCall(InferTell(f, INFER_PRIOR));
  PetscCall(WarnOfReadings(f));
  while (tempering_temperature(f->particles) < 1) {
    ScoriaTemperingStage stage;
    PetscCall(ScoriaTemperingStep(f->particles, &stage));
    PetscCall(AddStage(f, &stage));
    PetscCall(ScoriaProgressUpdate(bar, stage.temperature, NULL));
    PetscCall(ScoriaStopAsked(f->run, &stop));
    if (stop && stage.temperature < 1) PetscCall(ScoriaStopped(f->run, "the inference will begin anew"));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  f->log_evidence = tempering_log_evidence(f->particles, &f->log_evidence_se);
  PetscCall(InferTell(f, INFER_POSTERIOR));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------------ command ----
 */

/* The deck names a file of readings, whose lines may have changed since. */
static PetscErrorCode CheckReadings(const Infer *f, const char *path)
{
  char *stored;
  ScoriaStore store;
  bool same;
  const size_t size = strlen(f->sensors.text) + 2;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(size, &stored));
  PetscCall(ScoriaStoreOpen(f->comm, path, "posterior", &store));
  PetscCall(ScoriaStoreGetText(store, "sensors", size, stored));
  PetscCall(ScoriaStoreClose(&store));
  same = !strcmp(stored, f->sensors.text);
  PetscCall(PetscFree(stored));
  if (!same)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: made from other readings; nothing is overwritten: choose another -infer_file or move the file "
                "away",
                path);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaInfer(ScoriaRun run, ScoriaDeck deck)
{
  char path[PETSC_MAX_PATH_LEN], json[PETSC_MAX_PATH_LEN];
  const char *name = NULL;
  Infer f = {.run = run, .deck = deck, .comm = ScoriaRunComm(run), .pace = {.run = run, .step = 1, .most = 1 << 20}};
  Prior prior = {.source = NULL};
  bool complete;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "infer_file", &name));
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(ScoriaJsonPath(path, sizeof json, json)); /* a name that cannot be, before the work */
  PetscCall(InferSensorsRead(f.comm, deck, &f.sensors));
  PetscCall(ScoriaCompleteStore(run, deck, name, "posterior", SCORIA_OF_POSTERIOR, NULL, &complete));
  if (complete) {
    PetscCall(CheckReadings(&f, path));
    PetscCall(PetscFree(f.sensors.text));
    PetscFunctionReturn(0);
  }
  PetscCall(OpenPrior(run, deck, &prior));
  PetscCall(Create(&f, prior.source));
  PetscCall(Temper(&f));
  PetscCall(InferSayTable(&f));
  PetscCall(InferWriteJson(&f, json));
  PetscCall(InferWriteStore(&f, path)); /* last: it marks the answer as complete */
  PetscCall(ScoriaSay(run, "  wrote %s and %s", path, json));
  PetscCall(Destroy(&f));
  PetscCall(ClosePrior(&prior));
  PetscFunctionReturn(0);
}

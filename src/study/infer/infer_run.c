/* infer: the law of the fields, and of conditions that are not known, given readings of a few noisy sensors, with the
 * model as the prior. */
#include "infer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------ the question ---- */

static PetscErrorCode AddUnknown(InferQuestion *q, const char *word)
{
  char names[256] = "";
  const int k     = space_find(q->shape.space, word);
  PetscFunctionBeginUser;
  for (int i = 0; i < q->shape.space->n; i++)
    snprintf(names + strlen(names), sizeof names - strlen(names), "%s, ", q->shape.space->c[i].name);
  if (k < 0) SCORIA_FAIL(SCORIA_EXIT_INPUT, "infer: conditions: found \"%s\", expected some of %sor all", word, names);
  if (!(q->shape.space->c[k].lo < q->shape.space->c[k].hi))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "infer: conditions: found \"%s\", which has one value only, %g %s", word,
                q->shape.space->c[k].lo, q->shape.space->c[k].unit);
  if (infer_unknown(q, k) >= 0) SCORIA_FAIL(SCORIA_EXIT_INPUT, "infer: conditions: found \"%s\" twice", word);
  q->unknown[q->nunknown++] = k;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadConditions(ScoriaRun run, ScoriaDeck deck, InferQuestion *q)
{
  const char *text = NULL;
  bool asked;
  char word[SCORIA_NAME_SIZE];
  PetscFunctionBeginUser;
  PetscCall(ScoriaConditionOfSamples(deck, q->shape.space, q->theta, &asked));
  PetscCall(ScoriaDeckString(deck, "infer_conditions", &text));
  if (text && !strcmp(text, "all")) {
    for (int k = 0; k < q->shape.space->n; k++)
      if (q->shape.space->c[k].lo < q->shape.space->c[k].hi) q->unknown[q->nunknown++] = k;
    text = NULL;
  }
  while (list_next_word(&text, sizeof word, word)) PetscCall(AddUnknown(q, word));
  for (int i = 0; i < q->nunknown; i++) /* what samples are at does not matter here */
    q->theta[q->unknown[i]] = q->shape.space->c[q->unknown[i]].lo;
  PetscCall(ScoriaConditionCheckRange(run, deck, "infer", q->shape.space, q->theta));
  if (!q->nunknown)
    PetscCall(ScoriaConditionsCheckReach(run, deck, "infer", q->shape.space, q->shape.reach, 1, q->theta));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadQuestion(ScoriaRun run, ScoriaDeck deck, bool by_scores, InferQuestion *q)
{
  PetscInt count = 0, keep = 0, n = 0, seed = 0, moves = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "infer_count", &count));
  PetscCall(ScoriaDeckInt(deck, "infer_keep", &keep));
  PetscCall(ScoriaDeckBool(deck, "strict", &q->strict));
  PetscCall(ScoriaDeckReal(deck, "infer_far", &q->far));
  PetscCall(ScoriaDeckReals(deck, "infer_quantiles", INFER_MAX_QUANTILES, &n, q->probability));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  PetscCall(ScoriaDeckInt(deck, "infer_moves", &moves));
  q->seed           = (uint64_t)seed;
  q->moves          = (int)moves;
  q->count          = count;
  q->keep           = PetscMin(keep, count);
  q->nprobabilities = (int)n;
  PetscCall(ReadConditions(run, deck, q));
  if (by_scores && q->nunknown)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "infer: conditions: found %d to infer, but of whole fields in the basis lateral all are known: give "
                "them as those of samples are",
                q->nunknown);
  const int along = infer_whole(q) ? q->shape.shape[0] : q->shape.cells;
  if (infer_whole(q))
    PetscCall(InferSensorsPlaceWhole(&q->sensors, &q->shape));
  else
    PetscCall(InferSensorsPlace(&q->sensors, &q->shape));
  bool placed = false;
  for (int i = 0; i < q->sensors.n; i++)
    placed = placed || q->sensors.s[i].x != 0 || q->sensors.s[i].y != 0 || q->sensors.s[i].z != 0;
  if (placed) PetscCall(ScoriaPlacesWarn(run, deck, q->shape.space, "infer"));
  PetscCall(ScoriaQuantitiesOfDeck(deck, q->shape.channels, q->shape.field, along, q->shape.x, &q->nquantities,
                                   q->quantity, q->condition));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- the prior ---- */

/* What the particles are drawn from. */
typedef struct {
  ScoriaTrained trained; /* owned */
  ScoriaSource source;   /* owned */
} Prior;

static PetscErrorCode OpenPrior(ScoriaRun run, ScoriaDeck deck, Prior *prior)
{
  bool gaussian;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckIs(deck, "infer_prior", "gaussian", &gaussian));
  PetscCall(ScoriaTrainedOpen(run, deck, &prior->trained));
  const char *sampler = prior->trained.sampler.kind;
  if (sampler_find(sampler)->stochastic)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "infer: sample_sampler is %s, whose fields are no function of the initial noise; give another",
                sampler);
  PetscCall(ScoriaSourceOfModel(ScoriaRunComm(run), &prior->trained, gaussian, &prior->source));
  PetscFunctionReturn(0);
}

static PetscErrorCode ClosePrior(Prior *prior)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSourceDestroy(&prior->source));
  PetscCall(ScoriaTrainedClose(&prior->trained));
  PetscFunctionReturn(0);
}

/* Of whole fields what is not known how to infer is refused. */
static PetscErrorCode CheckWhole(const InferQuestion *q, const Prior *prior)
{
  const int axes = infer_most_axes(&q->shape);
  PetscFunctionBeginUser;
  if (q->sensors.places && q->sensors.places != axes)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "infer: found a model of fields along %d axes, expected along the deck's, %d", axes,
                q->sensors.places);
  if (model_scores_each(prior->trained.model) > 0 && source_scores_each(prior->source) == 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "infer: found whole fields of a network in the basis lateral, expected those of the conditional "
                "Gaussian: give -infer_prior gaussian");
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- the study ---- */

static PetscErrorCode CheckReadings(MPI_Comm comm, const InferSensors *sensors, const char *path)
{
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreOpen(comm, path, "posterior", &store));
  PetscCall(InferSensorsCheck(sensors, path, store));
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

static PetscErrorCode Write(ScoriaRun run, ScoriaDeck deck, const char *path, const char *json, const char *prior,
                            const InferQuestion *q, const InferAnswer *a)
{
  const MPI_Comm comm = ScoriaRunComm(run);
  const char *text;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckText(deck, &text));
  PetscCall(InferSayTable(run, q, a));
  PetscCall(InferWriteJson(comm, json, prior, q, a));
  PetscCall(InferWriteStore(comm, path, text, prior, q, a)); /* last: it marks the answer as complete */
  PetscCall(ScoriaSay(run, "  wrote %s and %s", path, json));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaInfer(ScoriaRun run, ScoriaDeck deck)
{
  char path[PETSC_MAX_PATH_LEN], json[PETSC_MAX_PATH_LEN];
  const char *name = NULL;
  InferQuestion q  = {.count = 0};
  InferAnswer a;
  Prior prior = {.source = NULL};
  InferKeeper keeper;
  double memory;
  bool complete;
  PetscFunctionBeginUser;
  PetscCall(ScoriaMemoryOfDeck(deck, &memory));
  PetscCall(ScoriaDeckString(deck, "infer_file", &name));
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(ScoriaJsonPath(path, sizeof json, json)); /* a name that cannot be, before the work */
  PetscCall(InferSensorsRead(ScoriaRunComm(run), deck, &q.sensors));
  PetscCall(InferKeeperCreate(run, deck, name, &q.sensors, &keeper));
  PetscCall(ScoriaCompleteStore(run, deck, name, "posterior", SCORIA_OF_POSTERIOR, NULL, &complete));
  if (complete) {
    PetscCall(CheckReadings(ScoriaRunComm(run), &q.sensors, path));
    PetscCall(InferForget(&keeper, false));
    PetscCall(InferFieldsForget(&keeper, false));
    PetscCall(PetscFree(q.sensors.text));
    PetscFunctionReturn(0);
  }
  PetscCall(OpenPrior(run, deck, &prior));
  q.shape = *source_shape(prior.source);
  PetscCall(CheckWhole(&q, &prior));
  PetscCall(ReadQuestion(run, deck, source_scores_each(prior.source) > 0, &q));
  PetscCall(ScoriaMadeFromShape(&q.shape, &keeper.made));
  PetscCall(InferAnswerCreate(&q, &a));
  if (infer_whole(&q))
    PetscCall(InferRunWhole(run, &keeper, prior.source, memory, &q, &a));
  else
    PetscCall(InferRun(run, &keeper, prior.source, &q, &a));
  PetscCall(Write(run, deck, path, json, source_name(prior.source), &q, &a));
  PetscCall(InferForget(&keeper, true));
  PetscCall(InferFieldsForget(&keeper, true));
  PetscCall(InferAnswerDestroy(&a));
  PetscCall(PetscFree(q.sensors.text));
  PetscCall(ClosePrior(&prior));
  PetscFunctionReturn(0);
}

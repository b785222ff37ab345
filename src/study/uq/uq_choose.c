/* uq, source auto: which way to the answer is the cheapest that is right.
 *
 * What plain Monte Carlo and several fidelities will take is forecast from pilots, of up to three of the conditions, at
 * counted costs.  A model and its Gaussian are held to what compare has found of them (uq_judge.c), whose solves are
 * paid for: a check at the asked condition that excludes a bias beyond the tolerance takes more solves than the answer
 * itself by plain Monte Carlo, so that uq_check may speak against a model here, not for it.  All of that is the same on
 * any number of ranks, and what was chosen is kept before the work begins. */
#include "scoria/levels.h"
#include "uq.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const uq_ways[UQ_NWAYS] = {[UQ_WAY_PDE]        = SCORIA_SOURCE_PDE,
                                       [UQ_WAY_MULTILEVEL] = SCORIA_SOURCE_MULTILEVEL,
                                       [UQ_WAY_MODEL]      = SCORIA_SOURCE_MODEL,
                                       [UQ_WAY_GAUSSIAN]   = SCORIA_SOURCE_GAUSSIAN};

/* ------------------------------------------------------------------------------------------------ choosing ---- */

bool uq_way_solves(UqWayOf way)
{
  return way == UQ_WAY_PDE || way == UQ_WAY_MULTILEVEL;
}

static void choose(UqChoice *choice)
{
  choice->chosen = UQ_WAY_PDE;
  for (int w = 0; w < UQ_NWAYS; w++)
    if (!*choice->way[w].why && choice->way[w].seconds < choice->way[choice->chosen].seconds)
      choice->chosen = (UqWayOf)w;
}

static PetscErrorCode CheckBudget(ScoriaRun run, const UqChoice *choice, double budget)
{
  const UqWay *way = &choice->way[choice->chosen];
  PetscFunctionBeginUser;
  if (!(budget > 0 && way->seconds > budget)) PetscFunctionReturn(0);
  PetscCall(ScoriaCheckpointRemove(run, UQ_CHECKPOINT)); /* of the pilot: the next question will be another */
  SCORIA_FAIL(SCORIA_EXIT_INPUT,
              "uq: budget: found %g core s, but errors of %.3g SD take some %.3g by source %s, the cheapest", budget,
              choice->errors, way->seconds, uq_ways[choice->chosen]);
}

/* Core seconds of both at each condition. */
typedef struct {
  double pde, multilevel;
} Seconds;

/* At condition k.  The pilot of the first one stays for several fidelities to go on with; false: too few of the draws
 * of another one are solved. */
static PetscErrorCode ForecastAt(ScoriaRun run, ScoriaDeck deck, const UqQuestion *q, const UqOpened *o,
                                 const LevelsOptions *options, int k, bool *known, Seconds *to)
{
  UqQuestion one = *q;
  LevelsForecast f;
  PetscFunctionBeginUser;
  if (k > 0) {
    one.conditions = 1;
    one.theta      = q->theta + k * q->space->n;
  }
  const PetscErrorCode failed =
      LevelsForecastMake(&(LevelsAsked){run, deck, o->source, o->all, k > 0}, options, &one, &f);
  *known = !failed;
  if (failed && (k == 0 || ScoriaFailureCode() != SCORIA_EXIT_SOLVES)) PetscFunctionReturn(failed);
  if (failed) ScoriaFailureReset();
  if (*known) *to = (Seconds){f.solve * uq_draws_for(q, f.draws), f.pilot + f.work};
  PetscFunctionReturn(0);
}

/* The mean over the first condition, the middle one and the last: along a range of correlation lengths work changes by
 * a factor of three. */
static PetscErrorCode ForecastAll(ScoriaRun run, ScoriaDeck deck, const UqQuestion *q, const UqOpened *o,
                                  const LevelsOptions *options, Seconds *mean)
{
  const int at[] = {0, q->conditions / 2, q->conditions - 1};
  int number     = 0;
  bool known;
  Seconds one;
  PetscFunctionBeginUser;
  *mean = (Seconds){0};
  for (int i = 0; i < 3; i++) {
    if (i > 0 && at[i] == at[i - 1]) continue;
    PetscCall(ForecastAt(run, deck, q, o, options, at[i], &known, &one));
    if (!known) continue;
    number++;
    mean->pde += (one.pde - mean->pde) / number;
    mean->multilevel += (one.multilevel - mean->multilevel) / number;
  }
  PetscFunctionReturn(0);
}

/* That the ways are compared at, and what they take is for: uq_count ends them where the tolerance is less. */
static PetscErrorCode TakeErrors(ScoriaDeck deck, UqChoice *choice)
{
  PetscInt count;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "uq_count", &count));
  choice->errors = PetscMax(choice->tolerance, 1 / sqrt((double)count));
  PetscFunctionReturn(0);
}

static PetscErrorCode Weigh(ScoriaRun run, ScoriaDeck deck, const UqQuestion *q, const UqOpened *o, UqChoice *choice)
{
  LevelsOptions options;
  Seconds each;
  UqWay *way = choice->way;
  PetscFunctionBeginUser;
  PetscCall(LevelsOptionsRead(deck, o->all, q, &options));
  const double budget = options.budget;
  if (budget > 0 && !(q->tolerance > 0))
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "uq: budget: found %g core s beside source auto, expected uq_tolerance too, which the sources are "
                "compared at",
                budget);
  options.budget = 0;
  PetscCall(ForecastAll(run, deck, q, o, &options, &each));
  *choice = (UqChoice){.tolerance = q->tolerance > 0 ? q->tolerance : 1 / sqrt((double)q->count)};
  PetscCall(TakeErrors(deck, choice));
  PetscCall(UqJudge(run, deck, q, choice));
  way[UQ_WAY_PDE].seconds        = q->conditions * each.pde;
  way[UQ_WAY_MULTILEVEL].seconds = q->conditions * each.multilevel;
  for (int w = UQ_WAY_MODEL; w <= UQ_WAY_GAUSSIAN; w++) way[w].seconds *= way[UQ_WAY_PDE].seconds;
  choose(choice);
  PetscCall(CheckBudget(run, choice, budget));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------- what is kept ---- */

static PetscErrorCode Keep(ScoriaRun run, ScoriaDeck deck, const UqChoice *choice)
{
  double numbers[UQ_NWAYS][2];
  char name[16];
  ScoriaStore store;
  PetscFunctionBeginUser;
  if (choice->chosen != UQ_WAY_MULTILEVEL) PetscCall(ScoriaCheckpointRemove(run, UQ_CHECKPOINT)); /* of the pilot */
  PetscCall(ScoriaCheckpointBegin(run, deck, UQ_CHOICE, &store));
  PetscCall(ScoriaStorePutInt(store, "chosen", choice->chosen));
  PetscCall(ScoriaStorePutReal(store, "tolerance", choice->tolerance));
  PetscCall(ScoriaStorePutText(store, "model", choice->model));
  for (int w = 0; w < UQ_NWAYS; w++) {
    numbers[w][0] = choice->way[w].seconds;
    numbers[w][1] = choice->way[w].bias;
    snprintf(name, sizeof name, "why_%d", w);
    PetscCall(ScoriaStorePutText(store, name, choice->way[w].why));
  }
  PetscCall(ScoriaStorePutReals(store, "/ways", 2, (const int64_t[]){UQ_NWAYS, 2}, numbers[0], "", "core s, bias"));
  PetscCall(ScoriaCheckpointEnd(run, UQ_CHOICE, &store));
  PetscFunctionReturn(0);
}

/* Of an earlier version too, which knew fewer ways: those are not taken. */
static PetscErrorCode ReadWays(ScoriaStore store, UqChoice *choice)
{
  double numbers[UQ_NWAYS][2];
  char name[16];
  int64_t dims[2];
  int rank;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreShape(store, "/ways", 2, &rank, dims));
  if (rank != 2 || dims[0] < 1 || dims[0] > UQ_NWAYS || dims[1] != 2 || choice->chosen >= dims[0])
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: damaged: source %d of %lld", UQ_CHOICE, (int)choice->chosen,
                (long long)dims[0]);
  PetscCall(ScoriaStoreGetReals(store, "/ways", 2 * dims[0], numbers[0]));
  for (int w = 0; w < UQ_NWAYS; w++) {
    UqWay *way = &choice->way[w];
    *way       = (UqWay){.seconds = NAN, .bias = NAN, .why = "an earlier version has chosen, which did not weigh it"};
    if (w >= dims[0]) continue;
    way->seconds = numbers[w][0];
    way->bias    = numbers[w][1];
    snprintf(name, sizeof name, "why_%d", w);
    PetscCall(ScoriaStoreGetText(store, name, UQ_WHY, way->why));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadKept(void *ctx, ScoriaStore store)
{
  UqChoice *choice = ctx;
  int64_t chosen;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreGetInt(store, "chosen", &chosen));
  PetscCall(ScoriaStoreGetReal(store, "tolerance", &choice->tolerance));
  PetscCall(ScoriaStoreGetText(store, "model", sizeof choice->model, choice->model));
  if (chosen < 0 || chosen >= UQ_NWAYS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: damaged: source %lld", UQ_CHOICE, (long long)chosen);
  choice->chosen = (UqWayOf)chosen;
  PetscCall(ReadWays(store, choice));
  PetscFunctionReturn(0);
}

static PetscErrorCode ClearKept(void *ctx)
{
  PetscFunctionBeginUser;
  *(UqChoice *)ctx = (UqChoice){.chosen = UQ_WAY_PDE};
  PetscFunctionReturn(0);
}

/* A model that was chosen and is another one now was not judged: nothing is known, and its draws are of no use. */
static PetscErrorCode ForgetOther(ScoriaRun run, UqChoice *choice, bool *known)
{
  char now[SCORIA_IDENTITY_SIZE];
  PetscFunctionBeginUser;
  if (!*known || uq_way_solves(choice->chosen)) PetscFunctionReturn(0);
  PetscCall(ScoriaChainModel(run, now));
  *known = !strcmp(now, choice->model);
  if (*known) PetscFunctionReturn(0);
  PetscCall(ScoriaSay(run, "  %s: of another model.h5; sources are compared again", UQ_CHOICE));
  PetscCall(ScoriaCheckpointRemove(run, UQ_CHECKPOINT));
  PetscCall(ClearKept(choice));
  PetscFunctionReturn(0);
}

PetscErrorCode UqChoose(ScoriaRun run, ScoriaDeck deck, UqChoice *choice)
{
  const ScoriaCheckpointReader reader = {.results = SCORIA_OF_UQ, .ctx = choice, .read = ReadKept, .clear = ClearKept};
  UqQuestion q                        = {.automatic = true, .pde = true, .multilevel = true};
  ScoriaCheckpointFound file;
  UqOpened opened;
  PetscFunctionBeginUser;
  PetscCall(ClearKept(choice));
  PetscCall(ScoriaCheckpointFind(run, deck, UQ_CHOICE, &reader, &file));
  PetscCall(ForgetOther(run, choice, &file.whole));
  if (file.whole) PetscCall(TakeErrors(deck, choice));
  if (file.whole) PetscFunctionReturn(0);
  PetscCall(UqOpen(run, deck, &q, &opened));
  PetscCall(Weigh(run, deck, &q, &opened, choice));
  PetscCall(UqClose(&q, &opened));
  PetscCall(Keep(run, deck, choice));
  PetscFunctionReturn(0);
}

PetscErrorCode UqChooseAgain(ScoriaRun run, ScoriaDeck deck, const UqQuestion *q, const UqAnswer *a,
                             const ScoriaUqCheck check[], UqChoice *choice, bool *again)
{
  UqWay *way = &choice->way[choice->chosen];
  PetscFunctionBeginUser;
  *again = false;
  for (int i = 0; check && i < q->conditions * q->nquantities && !*again; i++) {
    const int k = i / q->nquantities, j = i % q->nquantities;
    const double *m = a->value + (size_t)k * a->size + a->moments + q->m + j;
    const double sd = m[UQ_SD * (size_t)a->columns], most = choice->tolerance * sd;
    if (q->aside[j] || !(check[i].low95 > most || check[i].high95 < -most)) continue;
    snprintf(way->why, UQ_WHY, "its check at condition %d finds a bias of %.2g SD in %.40s", k, check[i].bias / sd,
             q->quantity[j].name);
    *again = true;
  }
  if (!*again) PetscFunctionReturn(0);
  choose(choice);
  PetscCall(ScoriaCheckpointRemove(run, UQ_CHECKPOINT)); /* of the model's draws */
  PetscCall(Keep(run, deck, choice));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- words ---- */

void uq_choice_sentence(const UqChoice *choice, size_t size, char text[])
{
  const UqWay *way = &choice->way[choice->chosen], *pde = &choice->way[UQ_WAY_PDE];
  const char *const which =
      choice->chosen == UQ_WAY_GAUSSIAN ? "gaussian (of model, by sample_source)" : uq_ways[choice->chosen];
  const int used =
      snprintf(text, size, "for errors of %.3g SD use source %s: %.3g core s", choice->errors, which, way->seconds);
  if (choice->chosen != UQ_WAY_PDE && (size_t)used < size)
    snprintf(text + used, size - (size_t)used, " in place of %.3g by plain Monte Carlo", pde->seconds);
}

PetscErrorCode UqSayChoice(ScoriaRun run, const UqChoice *choice)
{
  char text[256];
  PetscFunctionBeginUser;
  for (int w = 0; w < UQ_NWAYS; w++) {
    const UqWay *way = &choice->way[w];
    text[0]          = 0;
    if (way->bias > 0) snprintf(text, sizeof text, ", bias up to %.2g SD", way->bias);
    if (*way->why) snprintf(text, sizeof text, ", not taken: %s", way->why);
    if (isfinite(way->seconds))
      PetscCall(ScoriaSay(run, "  source %-10s %9.3g core s%s", uq_ways[w], way->seconds, text));
    else
      PetscCall(ScoriaSay(run, "  source %-10s%s", uq_ways[w], text + (*text == ',')));
  }
  uq_choice_sentence(choice, sizeof text, text);
  PetscCall(ScoriaSay(run, "  %s", text));
  PetscFunctionReturn(0);
}

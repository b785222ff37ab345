/* What several fidelities of the PDE would take for quantities of another study, which compares with them. */
#include "multilevel.h"
#include "scoria/uq_parts.h"
#include <math.h>
#include <string.h>

#define MANY 1000000 /* draws in place of a tolerance: the gain is that of many */

static const double outer = 0.975; /* as of SCORIA_ESTIMATE_Q975 */

static void ask(int n, const ScoriaQuantity quantity[], const int offset[], UqQuestion *q)
{
  q->count          = MANY;
  q->nprobabilities = 1;
  q->probability[0] = outer;
  q->nquantities    = n;
  for (int i = 0; i < n; i++) {
    q->quantity[i]  = quantity[i];
    q->condition[i] = offset[i];
  }
}

static PetscErrorCode Options(ScoriaDeck deck, const char *command, const char *key, ScoriaFidelities all,
                              LevelsOptions *o)
{
  const int least = 2 * fidelities_number(all) + 6;
  PetscInt pilot  = 0;
  int best        = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, key, &pilot));
  if (pilot > 0 && pilot < least)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: pilot: found %d draws, expected 0 or at least %d for %d fidelities", command,
                (int)pilot, least, fidelities_number(all));
  while (strcmp(scoria_estimators[best].name, "mlblue")) best++;
  *o = (LevelsOptions){.estimator = &scoria_estimators[best], .pilot = pilot, .alone = "columns"};
  PetscFunctionReturn(0);
}

/* Solves that fail tell nothing of what the others would take. */
static PetscErrorCode PassOver(ScoriaRun run, PetscErrorCode failed)
{
  PetscFunctionBeginUser;
  if (ScoriaFailureCode() != SCORIA_EXIT_SOLVES) PetscFunctionReturn(failed);
  PetscCall(ScoriaSay(run, "  WARNING: several fidelities are not weighed: %s", ScoriaFailureLine()));
  ScoriaFailureReset();
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------- of whole fields ---- */

/* Fidelities whose fields are the numbers of others' whole fields, which take the memory of a few draws alone. */
typedef struct {
  ScoriaFidelities of; /* borrowed, as are the numbers */
  ScoriaNumbers numbers;
  int members;
  double *fields[LEVELS_MODELS]; /* owned: one draw */
} OfNumbers;

static PetscErrorCode DrawNumbers(void *ctx, const double theta[], unsigned members, uint64_t first, int64_t n,
                                  double *const fields[], ScoriaFidelityCost cost[])
{
  OfNumbers *s    = ctx;
  const int count = numbers_count(s->numbers);
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++) {
    PetscCall(ScoriaFidelitiesDraw(s->of, theta, members, first + (uint64_t)i, 1, s->fields));
    for (int k = 0; k < s->members; k++)
      if (members >> k & 1) numbers_take(s->numbers, theta, 1, s->fields[k], count, fields[k] + i * count);
  }
  PetscCall(PetscArraycpy(cost, fidelities_cost(s->of), s->members + 1));
  PetscFunctionReturn(0);
}

static PetscErrorCode DestroyNumbers(void *ctx)
{
  OfNumbers *s = ctx;
  PetscFunctionBeginUser;
  for (int k = 0; k < s->members; k++) PetscCall(PetscFree(s->fields[k]));
  PetscCall(PetscFree(s));
  PetscFunctionReturn(0);
}

static PetscErrorCode OfTheNumbers(ScoriaFidelities of, ScoriaNumbers numbers, const ScoriaFieldShape *shape,
                                   ScoriaFidelities *all)
{
  static const ScoriaFidelitiesKind kind = {DrawNumbers, DestroyNumbers};
  char names[LEVELS_MODELS][SCORIA_FIDELITY_NAME];
  int same[LEVELS_MODELS]; /* members whose fields have one law have numbers of one law */
  OfNumbers *s;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&s));
  *s = (OfNumbers){.of = of, .numbers = numbers, .members = fidelities_number(of)};
  for (int k = 0; k < s->members; k++) {
    PetscCall(PetscCalloc1((size_t)shape->channels * (size_t)shape->cells, &s->fields[k]));
    PetscCall(PetscStrncpy(names[k], fidelities_name(of, k), sizeof names[k]));
    same[k] = fidelities_same(of, k);
  }
  PetscCall(ScoriaFidelitiesCreate(&kind, s, s->members, names, same, all));
  PetscFunctionReturn(0);
}

/* The question for the same: of one field, whose cells are the numbers. */
static void ask_numbers(ScoriaNumbers numbers, const ScoriaFieldShape *shape, UqQuestion *q)
{
  const int n = numbers_count(numbers);
  uq_take_shape(q, &(ScoriaFieldShape){
                       .channels = 1, .cells = n, .shape = {n, 1, 1}, .field = shape->field, .space = shape->space});
  q->nquantities = n;
  for (int i = 0; i < n; i++) {
    q->quantity[i]        = *numbers_quantity(numbers, i);
    q->condition[i]       = -1;
    q->place[i]           = numbers_place(numbers, i);
    /* the first of two cells, or the second of them */
    q->quantity[i].kind   = SCORIA_QUANTITY_AT;
    q->quantity[i].factor = 1;
    q->quantity[i].offset = q->quantity[i].channel = 0;
    q->quantity[i].cell                            = PetscClipInterval(i, 0, PetscMax(n - 2, 0));
    q->quantity[i].weight                          = i - q->quantity[i].cell;
  }
}

/* -------------------------------------------------------------------------------------------------- forecast ---- */

static PetscErrorCode AskAll(const ScoriaForecastOf *of, UqQuestion *q)
{
  const ScoriaFieldShape *shape = source_shape(of->source);
  PetscFunctionBeginUser;
  uq_take_shape(q, shape);
  ask(of->numbers ? 0 : of->n, of->quantity, of->offset, q);
  if (of->numbers) ask_numbers(of->numbers, shape, q);
  PetscCall(PetscMalloc1(q->space->n, &q->theta));
  PetscCall(PetscArraycpy(q->theta, of->theta, q->space->n));
  PetscFunctionReturn(0);
}

static PetscErrorCode Weigh(ScoriaRun run, const ScoriaForecastOf *of, const LevelsAsked *asked, const LevelsOptions *o,
                            ScoriaForecast *forecast)
{
  UqQuestion q = {.pde = true, .multilevel = true, .conditions = 1};
  LevelsForecast f;
  PetscFunctionBeginUser;
  PetscCall(AskAll(of, &q));
  const PetscErrorCode failed = LevelsForecastMake(asked, o, &q, &f);
  PetscCall(UqQuestionDestroy(&q));
  if (failed) {
    PetscCall(PassOver(run, failed));
    PetscFunctionReturn(0);
  }
  forecast->pilot   = f.pilot / f.solve;
  forecast->columns = f.alone / f.solve;
  for (int i = 0; i < q.nquantities; i++) PetscCall(PetscArraycpy(forecast->gain[i], f.gain[i], SCORIA_NESTIMATES));
  for (int i = 0; i < q.nquantities; i++)
    PetscCall(PetscArraycpy(forecast->columns_bias[i], f.bias[i], SCORIA_NESTIMATES));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaForecastMake(ScoriaRun run, ScoriaDeck deck, const ScoriaForecastOf *of, ScoriaForecast *forecast)
{
  LevelsAsked asked      = {.run = run, .deck = deck, .source = of->source, .passing = true};
  ScoriaFidelities whole = NULL;
  LevelsOptions o;
  char label[64];
  PetscFunctionBeginUser;
  forecast->pilot = forecast->columns = NAN;
  for (int i = 0; i < SCORIA_FORECAST_QUANTITIES; i++)
    for (int e = 0; e < SCORIA_NESTIMATES; e++) forecast->gain[i][e] = NAN;
  PetscCall(PetscSNPrintf(label, sizeof label, "%s: fidelities", of->command));
  PetscCall(ScoriaFidelitiesOfPde(deck, of->ens, label, NULL, &asked.all));
  PetscCall(Options(deck, of->command, of->key, asked.all, &o));
  if (of->numbers) {
    whole = asked.all;
    PetscCall(OfTheNumbers(whole, of->numbers, source_shape(of->source), &asked.all));
  }
  if (o.pilot > 0) PetscCall(Weigh(run, of, &asked, &o, forecast));
  PetscCall(ScoriaFidelitiesDestroy(&asked.all));
  PetscCall(ScoriaFidelitiesDestroy(&whole));
  PetscFunctionReturn(0);
}

/* uq: what the deck asks for. */
#include "uq.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Splits "c:2000" into a channel and a number. */
static PetscErrorCode ReadPair(const UqQuestion *q, const char *key, const char *word, int *channel, double *value)
{
  const char *colon = strchr(word, ':');
  char *end         = NULL;
  PetscFunctionBeginUser;
  if (colon) *value = strtod(colon + 1, &end);
  if (!colon || end == colon + 1 || *end || !isfinite(*value))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: found \"%s\", expected field:number", key, word);
  for (*channel = 0; *channel < q->channels; ++*channel)
    if (!strncmp(q->field[*channel].name, word, (size_t)(colon - word)) && !q->field[*channel].name[colon - word])
      PetscFunctionReturn(0);
  SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: found \"%s\", but there is no field \"%.*s\"", key, word, (int)(colon - word),
              word);
}

typedef PetscErrorCode (*TakePair)(UqQuestion *q, const char *word, int channel, double value);

static PetscErrorCode ReadPairs(ScoriaDeck deck, UqQuestion *q, const char *key, TakePair take)
{
  char name[32], word[64];
  const char *text = NULL;
  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(name, sizeof name, "uq_%s", key));
  PetscCall(ScoriaDeckString(deck, name, &text));
  while (list_next_word(&text, sizeof word, word)) {
    int channel  = 0;
    double value = 0;
    PetscCall(ReadPair(q, key, word, &channel, &value));
    PetscCall(take(q, word, channel, value));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode AddQuantity(UqQuestion *q, ScoriaQuantityKind kind, int channel, ScoriaQuantity **made)
{
  PetscFunctionBeginUser;
  if (q->nquantities == UQ_MAX_QUANTITIES)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: more than %d quantities", UQ_MAX_QUANTITIES);
  q->condition[q->nquantities] = -1;
  *made                        = &q->quantity[q->nquantities++];
  **made                       = (ScoriaQuantity){.kind = kind, .channel = channel, .factor = 1};
  snprintf((*made)->unit, sizeof(*made)->unit, "%s", q->field[channel].unit);
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeProbe(UqQuestion *q, const char *word, int channel, double value)
{
  ScoriaQuantity *made = NULL;
  PetscFunctionBeginUser;
  double end[2];
  cells_ends(q->cells, q->x, end);
  const double slack = 1e-4 * (end[1] - end[0]) / q->cells;
  if (value < end[0] - slack || value > end[1] + slack)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: probes: found \"%s\", allowed %g to %g m", word, end[0], end[1]);
  PetscCall(AddQuantity(q, SCORIA_QUANTITY_AT, channel, &made));
  quantity_place(made, q->cells, q->x, value);
  snprintf(made->name, sizeof made->name, "%s", word);
  snprintf(made->description, sizeof made->description, "%.60s at x = %g m", q->field[channel].description, value);
  PetscFunctionReturn(0);
}

PetscErrorCode UqCheckItem(const char *key, size_t size, const char *item)
{
  PetscFunctionBeginUser;
  if (strlen(item) + 1 >= size)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: \"%.60s...\" is too long, at most %d characters", key, item, (int)size - 2);
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadExpressions(ScoriaDeck deck, UqQuestion *q)
{
  char item[256];
  const char *list = NULL;
  int index;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "uq_quantities", &list));
  while (list_next_text(&list, sizeof item, item)) {
    PetscCall(UqCheckItem("quantities", sizeof item, item));
    PetscCall(UqExpressionAdd(q, "quantities", item, &index));
  }
  PetscFunctionReturn(0);
}

/* Inputs: what varies, then what is not a condition. */
static PetscErrorCode ReadSensitivity(ScoriaDeck deck, UqQuestion *q)
{
  PetscInt seed = 0, base = 0, draws = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  PetscCall(ScoriaDeckInt(deck, "uq_sobol", &base));
  PetscCall(ScoriaDeckInt(deck, "uq_sobol_draws", &draws));
  if (base > 0 && base < UQ_LEAST_BASE)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: sobol: found %lld, expected 0 or at least %d: errors come from the spread",
                (long long)base, UQ_LEAST_BASE);
  q->seed  = (uint64_t)seed;
  q->base  = base;
  q->draws = (int)draws;
  for (int i = 0; i < q->space->n; i++)
    if (q->space->c[i].lo < q->space->c[i].hi) q->input[q->inputs++] = i;
  q->input[q->inputs++] = UQ_UNSEEN;
  PetscFunctionReturn(0);
}

const char *uq_input_name(const UqQuestion *q, int input)
{
  return q->input[input] == UQ_UNSEEN ? UQ_UNSEEN_INPUT : q->space->c[q->input[input]].name;
}

PetscErrorCode UqQuestionRead(ScoriaRun run, ScoriaDeck deck, UqQuestion *q)
{
  PetscInt count = 0, n = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "uq_count", &count));
  PetscCall(ScoriaDeckReal(deck, "uq_tolerance", &q->tolerance));
  PetscCall(ScoriaDeckReals(deck, "uq_quantiles", UQ_MAX_QUANTILES, &n, q->probability));
  q->count          = count;
  q->nprobabilities = (int)n;
  PetscCall(
      ScoriaQuantitiesOfDeck(deck, q->channels, q->field, q->cells, q->x, &q->nquantities, q->quantity, q->condition));
  PetscCall(ReadPairs(deck, q, "probes", TakeProbe));
  PetscCall(ReadExpressions(deck, q));
  PetscCall(UqReadEvents(deck, q));
  PetscCall(UqReadConditions(run, deck, q));
  PetscCall(ReadSensitivity(deck, q));
  PetscFunctionReturn(0);
}

PetscErrorCode UqQuestionDestroy(UqQuestion *q)
{
  PetscFunctionBeginUser;
  PetscCall(UqExpressionsDestroy(&q->expressions));
  PetscCall(PetscFree(q->theta));
  PetscFunctionReturn(0);
}

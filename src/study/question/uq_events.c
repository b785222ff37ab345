/* uq: events whose probabilities are asked.  "c < 200", "c > 2500 everywhere": of a field, in every cell and somewhere
 * or everywhere.  "phi[0] < -0.2", "hot > 3": of a number, an expression or a quantity.  "c:2000" is "c > 2000". */
#include "question.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  char left[UQ_ITEM];
  bool below;
  double value;
  int of;
} Parsed;

static const struct {
  const char *word;
  int of;
} places[] = {{"", SUMMARY_ANY}, {"somewhere", SUMMARY_ANY}, {"everywhere", SUMMARY_ALL}};

/* What stands behind the number; false where it is none of the words. */
static bool take_place(const char *text, int *of)
{
  char word[16];
  const size_t length = strcspn(text + strspn(text, " "), " ");
  snprintf(word, sizeof word, "%.*s", (int)length, text + strspn(text, " "));
  if (text[strspn(text, " ") + length]) return false;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    if (!strcmp(word, places[i].word)) {
      *of = places[i].of;
      return true;
    }
  return false;
}

/* Whether what stands before the last sign compares or joins, but in brackets: the sign would belong to a part of it.
 */
static bool joins(const char *item, const char *sign)
{
  return text_outside(item, sign, "<>&|=!?") != NULL;
}

/* What else stands there: two signs for one, or a word that is none of the places. */
static PetscErrorCode RefuseSpelling(const char *item, const char *sign, const char *behind)
{
  const char *known[sizeof places / sizeof *places];
  char word[UQ_ITEM];
  const int n = (int)(sizeof places / sizeof *places) - 1; /* without the empty word */
  PetscFunctionBeginUser;
  const char *two = sign > item && sign[-1] == '=' ? sign - 1 : (sign[1] == '=' ? sign : NULL);
  if (two) SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: exceed: found \"%.2s\" in \"%s\", expected < or >", two, item);
  for (int i = 0; i < n; i++) known[i] = places[i + 1].word;
  behind += strspn(behind, " ");
  snprintf(word, sizeof word, "%s", behind);
  const char *nearest = behind > sign + 1 ? text_nearest(word, n, known) : NULL;
  if (nearest && strcmp(nearest, word))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: exceed: found \"%s\" in \"%s\" (did you mean \"%s\"?)", word, item, nearest);
  PetscFunctionReturn(0);
}

/* Splits at the last sign, so that an expression may compare. */
static PetscErrorCode Parse(const char *item, Parsed *p)
{
  const char *sign = NULL;
  char *end        = NULL;
  PetscFunctionBeginUser;
  for (const char *at = item; *at; at++)
    if (strchr("<>", *at)) sign = at;
  if (!sign) sign = strchr(item, ':');
  if (sign) {
    p->value = strtod(sign + 1, &end);
    p->below = *sign == '<';
    snprintf(p->left, sizeof p->left, "%.*s", (int)(sign - item), item);
    for (size_t n = strlen(p->left); n && isspace((unsigned char)p->left[n - 1]); n--) p->left[n - 1] = 0;
  }
  if (sign && (end == sign + 1 || (sign > item && sign[-1] == '=') || !take_place(end, &p->of)))
    PetscCall(RefuseSpelling(item, sign, end));
  if (sign && joins(item, sign))
    SCORIA_FAIL(
        SCORIA_EXIT_INPUT,
        "uq: exceed: found \"%s\", expected one comparison; define what holds of several as a quantity, \"both = "
        "(phi[0] < -0.1) && (c[0] > 1000)\", and ask for both > 0.5",
        item);
  if (!sign || end == sign + 1 || !isfinite(p->value) || !*p->left || !take_place(end, &p->of))
    SCORIA_FAIL(
        SCORIA_EXIT_INPUT,
        "uq: exceed: found \"%s\", expected \"c > 2500\", \"c < 200 everywhere\", \"phi[0] < -0.2\": what, < or >, a "
        "number, and of a field somewhere (the default) or everywhere",
        item);
  PetscFunctionReturn(0);
}

PetscErrorCode UqAddEvent(UqQuestion *q, const char *item)
{
  Parsed p  = {.of = SUMMARY_ANY};
  int first = -1, number = 1;
  PetscFunctionBeginUser;
  if (q->nthresholds == UQ_MAX_THRESHOLDS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: exceed: \"%s\" is one too many, at most %d", item, UQ_MAX_THRESHOLDS);
  PetscCall(Parse(item, &p));
  for (int c = 0; c < q->channels && first < 0; c++)
    if (!strcmp(q->field[c].name, p.left)) {
      first  = c * q->cells;
      number = field_cells(&q->field[c], q->cells);
    }
  for (int i = 0; i < q->nquantities && first < 0; i++)
    if (!strcmp(q->quantity[i].name, p.left)) first = q->m + i;
  if (first < 0) {
    int index;
    PetscCall(UqExpressionAdd(q, "exceed", p.left, &index));
    first = q->m + index;
  }
  UqEvent *event = &q->event[q->nthresholds];
  event->of      = p.of;
  snprintf(event->text, sizeof event->text, "%.63s %c %.12g%s", p.left, p.below ? '<' : '>', p.value,
           number == 1 ? "" : (p.of == SUMMARY_ALL ? " everywhere" : " somewhere"));
  q->threshold[q->nthresholds++] = (ScoriaThreshold){first, number, p.value, p.below};
  PetscFunctionReturn(0);
}

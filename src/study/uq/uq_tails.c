/* uq of a model: how far the tails of its quantities were held against the PDE's.  compare has done so, where its
 * result in the run directory is of this model, drawn by this sampler; what is asked beyond that is the model's claim
 * alone. */
#include "uq.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What compare.h5 says, on every rank. */
typedef struct {
  char *names; /* owned: a line of each */
  int64_t n;
  UqTail *tail; /* owned (n, SCORIA_TAILS) */
} Compared;

/* ------------------------------------------------------------------------------------------------- reading ---- */

/* One number of every tail, into what `value` points at of each; untouched where the file does not have it. */
static PetscErrorCode ReadNumber(ScoriaStore store, const char *path, int64_t n, double *value)
{
  double *all;
  int64_t dims[2];
  int rank;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreShape(store, path, 2, &rank, dims));
  if (rank != 2 || dims[0] * dims[1] != n) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(n, &all));
  PetscCall(ScoriaStoreGetReals(store, path, n, all));
  for (int64_t i = 0; i < n; i++) value[i * (int64_t)(sizeof(UqTail) / sizeof(double))] = all[i];
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadCompared(ScoriaStore store, Compared *c)
{
  int64_t dims[2];
  int rank;
  PetscFunctionBeginUser;
  PetscCall(UqComparedNames(store, COMPARE_TAIL_QUANTITIES, COMPARE_TAIL_EXPRESSIONS, &c->names));
  PetscCall(ScoriaStoreShape(store, COMPARE_TAIL_CHECKED, 2, &rank, dims));
  if (rank != 2 || dims[1] != SCORIA_TAILS || dims[0] == 0) PetscFunctionReturn(0);
  c->n = dims[0];
  PetscCall(PetscCalloc1(c->n * SCORIA_TAILS, &c->tail));
  PetscCall(ReadNumber(store, COMPARE_TAIL_CHECKED, c->n * SCORIA_TAILS, &c->tail->checked));
  PetscCall(ReadNumber(store, COMPARE_TAIL_DIFFERS, c->n * SCORIA_TAILS, &c->tail->differs));
  PetscCall(ReadNumber(store, COMPARE_TAIL_RATIO, c->n * SCORIA_TAILS, &c->tail->ratio));
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeCompared(ScoriaRun run, ScoriaDeck deck, const UqQuestion *q, Compared *c, const char **why)
{
  ScoriaStore store;
  bool has = false;
  PetscFunctionBeginUser;
  PetscCall(UqComparedOpen(run, deck, q->made.model, false, &store, why));
  if (!store) PetscFunctionReturn(0);
  PetscCall(ScoriaStoreHas(store, COMPARE_TAIL_QUANTITIES, &has));
  if (has)
    PetscCall(ReadCompared(store, c));
  else
    *why = "compare.h5 has none: it is of an earlier release";
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- looking up ---- */

static void find_tails(const Compared *c, const ScoriaQuantity *q, UqTail tail[SCORIA_TAILS])
{
  const int64_t i = c->names ? uq_compared_find(c->names, q) : -1;
  for (int side = 0; side < SCORIA_TAILS; side++)
    tail[side] = i >= 0 && i < c->n ? c->tail[i * SCORIA_TAILS + side] : (UqTail){NAN, NAN, NAN};
}

/* The number whose law decides a threshold: of a field one of its extremes. */
static ScoriaQuantity number_of(const UqQuestion *q, int t)
{
  const ScoriaThreshold *limit = &q->threshold[t];
  const bool of_min            = limit->below == (q->event[t].of != SUMMARY_ALL);
  ScoriaQuantity extreme       = {.factor = 1};
  if (limit->first >= q->m) return q->quantity[limit->first - q->m];
  snprintf(extreme.name, sizeof extreme.name, "%s_%.58s", of_min ? "min" : "max",
           q->field[limit->first / q->cells].name);
  return extreme;
}

PetscErrorCode UqTailsRead(ScoriaRun run, ScoriaDeck deck, const UqQuestion *q, UqTails **tails)
{
  Compared c = {.names = NULL};
  bool imported;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(tails));
  PetscCall(ScoriaImported(deck, &imported));
  (*tails)->whose  = imported ? "data" : "PDE";
  (*tails)->fields = imported ? "rows" : "solves";
  if (q->gaussian)
    (*tails)->why = "compare checks those of the model, not of its Gaussian";
  else
    PetscCall(TakeCompared(run, deck, q, &c, &(*tails)->why));
  for (int i = 0; i < q->nquantities; i++) find_tails(&c, &q->quantity[i], (*tails)->quantity[i]);
  for (int t = 0; t < q->nthresholds; t++) {
    const ScoriaQuantity number = number_of(q, t);
    find_tails(&c, &number, (*tails)->event[t]);
  }
  PetscCall(PetscFree(c.names));
  PetscCall(PetscFree(c.tail));
  PetscFunctionReturn(0);
}

double uq_event_tail(const UqQuestion *q, int t, double probability, int *side)
{
  const bool rare = probability <= 0.5;
  *side           = rare == q->threshold[t].below ? SCORIA_TAIL_LOW : SCORIA_TAIL_HIGH;
  return rare ? probability : 1 - probability;
}

/* ------------------------------------------------------------------------------------------------- warnings ---- */

static bool is_beyond(double probability, double checked)
{
  return probability < checked * (1 - 1e-9); /* quantile 1 - .998 of a check down to .002 */
}

static const char *const side_names[SCORIA_TAILS] = {[SCORIA_TAIL_LOW] = "lower", [SCORIA_TAIL_HIGH] = "upper"};

/* What compare knows of a tail: how far it agrees, and what lies beyond. */
static const char *down_to(const UqTails *tails, const UqTail *tail, size_t size, char text[])
{
  const bool nowhere = tail->checked >= 1;
  size_t used        = 0;
  if (nowhere)
    used = (size_t)snprintf(text, size, "differs from the %s's in compare", tails->whose);
  else if (isnan(tail->differs))
    used = (size_t)snprintf(text, size, "agrees with the %s's down to %.2g, beyond which compare has too few %s",
                            tails->whose, tail->checked, tails->fields);
  else
    used = (size_t)snprintf(text, size, "agrees with the %s's down to %.2g only", tails->whose, tail->checked);
  if (tail->differs > 0 && used < size)
    snprintf(text + used, size - used, "; at %.2g the model has %.2g times the %s's probability", tail->differs,
             tail->ratio, tails->whose);
  return text;
}

/* An event that is rarer at some of the conditions than what was checked there. */
static void warn_of_event(const UqQuestion *q, const UqAnswer *a, const UqTails *tails, int t, size_t size, char line[])
{
  const int n = uq_shares(q, t), column = q->threshold[t].number + (q->event[t].of == SUMMARY_ALL);
  int beyond = 0, side, worst_side = 0;
  double worst = 1, worst_share = 0;
  char text[160];
  for (int k = 0; k < q->conditions; k++) {
    const double share = a->value[(size_t)k * a->size + uq_shares_at(q, a, t) + (size_t)(UQ_SHARE * n + column)];
    const double tail  = uq_event_tail(q, t, share, &side);
    if (!is_beyond(tail, tails->event[t][side].checked)) continue;
    beyond++;
    if (tail < worst) worst = tail, worst_share = share, worst_side = side;
  }
  *line = 0;
  if (!beyond) return;
  const ScoriaQuantity number = number_of(q, t);
  snprintf(line, size, "P(%s) = %.4g%s: the %s tail of %s %s", q->event[t].text, worst_share,
           q->conditions > 1 ? " at one of the conditions" : "", side_names[worst_side], number.name,
           down_to(tails, &tails->event[t][worst_side], sizeof text, text));
}

/* The outermost quantile that is asked on one side, and the share beyond it. */
static double outermost(const UqQuestion *q, int side, double *share)
{
  double p = 0;
  *share   = 1;
  for (int r = 0; r < q->nprobabilities; r++) {
    const double beyond = side == SCORIA_TAIL_LOW ? q->probability[r] : 1 - q->probability[r];
    if (beyond < *share) *share = beyond, p = q->probability[r];
  }
  return p;
}

/* Whether that quantile of a quantity lies beyond what was checked. */
static bool quantile_beyond(const UqQuestion *q, const UqTails *tails, int i, int side)
{
  double share;
  outermost(q, side, &share);
  return !q->place[i] && is_beyond(share, tails->quantity[i][side].checked); /* a place has few values, and no tails */
}

static void warn_of_quantile(const UqQuestion *q, const UqTails *tails, int i, int side, size_t size, char line[])
{
  double share;
  char text[160];
  *line = 0;
  if (quantile_beyond(q, tails, i, side))
    snprintf(line, size, "quantile %g of %s: the %s tail %s", outermost(q, side, &share), q->quantity[i].name,
             side_names[side], down_to(tails, &tails->quantity[i][side], sizeof text, text));
}

/* Whether compare has merely too few solves or rows there; as a rule it has so of all quantities at once. */
static bool is_short(const UqQuestion *q, const UqTails *tails, int i, int side)
{
  const UqTail *tail = &tails->quantity[i][side];
  return quantile_beyond(q, tails, i, side) && isnan(tail->differs) && tail->checked < 1;
}

/* Appends a word to a list, `before` it; of what there is no room for there are three points. */
static size_t add_word(size_t size, char line[], size_t used, const char *before, const char *word)
{
  static const char rest[] = ", ...";
  if (used + strlen(before) + strlen(word) + sizeof rest <= size)
    return used + (size_t)snprintf(line + used, size - used, "%s%s", before, word);
  if (used >= strlen(rest) && !strcmp(line + used - strlen(rest), rest)) return used;
  return used + (size_t)snprintf(line + used, size - used, "%s", rest);
}

/* One line for all quantiles of which compare has too few rows, by the first of them. */
static void warn_of_short(const UqQuestion *q, const UqTails *tails, const UqTail *first, size_t size, char line[])
{
  char text[160], quantile[64];
  double share;
  size_t used = (size_t)snprintf(line, size, "the tail of each %s: ", down_to(tails, first, sizeof text, text));
  bool any    = false;
  for (int side = 0; side < SCORIA_TAILS; side++) {
    snprintf(quantile, sizeof quantile, "%squantile %g of ", any ? "; " : "", outermost(q, side, &share));
    const char *before = quantile;
    for (int i = 0; i < q->nquantities; i++) {
      if (!is_short(q, tails, i, side) || tails->quantity[i][side].checked != first->checked) continue;
      used   = add_word(size, line, used, before, q->quantity[i].name);
      before = ", ";
      any    = true;
    }
  }
}

/* The first and the number of the quantiles that are short and agree as far as this one. */
static int short_alike(const UqQuestion *q, const UqTails *tails, const UqTail *one, int *first)
{
  int n = 0;
  for (int j = SCORIA_TAILS * q->nquantities - 1; j >= 0; j--) {
    const UqTail *tail = &tails->quantity[j / SCORIA_TAILS][j % SCORIA_TAILS];
    if (!is_short(q, tails, j / SCORIA_TAILS, j % SCORIA_TAILS) || tail->checked != one->checked) continue;
    *first = j;
    n++;
  }
  return n;
}

/* The outermost quantile of a quantity on one side, where it lies beyond; of those that are short of rows alike the
 * first speaks for all. */
static void warn_of_tail(const UqQuestion *q, const UqTails *tails, int number, size_t size, char line[])
{
  const int i = number / SCORIA_TAILS, side = number % SCORIA_TAILS;
  int first   = number;
  const int n = is_short(q, tails, i, side) ? short_alike(q, tails, &tails->quantity[i][side], &first) : 1;
  *line       = 0;
  if (n > 1 && first == number)
    warn_of_short(q, tails, &tails->quantity[i][side], size, line);
  else if (n == 1)
    warn_of_quantile(q, tails, i, side, size, line);
}

/* Quantities that compare does not know, "" where it knows all. */
static void list_unchecked(const UqQuestion *q, const UqTails *tails, size_t size, char line[])
{
  size_t used = 0;
  *line       = 0;
  for (int i = 0; i < q->nquantities; i++)
    if (!q->place[i] && isnan(tails->quantity[i][SCORIA_TAIL_LOW].checked) &&
        isnan(tails->quantity[i][SCORIA_TAIL_HIGH].checked))
      used = add_word(size, line, used, used ? ", " : "not checked by compare: tails of ", q->quantity[i].name);
}

bool uq_few_warning(const UqQuestion *q, const UqAnswer *a, size_t size, char line[])
{
  double fewest = INFINITY, share;
  size_t used   = 0;
  *line         = 0;
  for (int k = 0; k < q->conditions; k++) fewest = fmin(fewest, a->value[(size_t)k * a->size + UQ_SAMPLES]);
  for (int side = 0; side < SCORIA_TAILS && fewest > 0; side++) {
    const double p = outermost(q, side, &share);
    if (fewest * share < 1 - 1e-9)
      used += (size_t)snprintf(line + used, size - used,
                               "%squantile %g of %.0f fields: less than one is expected %s it, "
                               "and the %s stands in its place",
                               used ? "; " : "", p, fewest, side == SCORIA_TAIL_LOW ? "below" : "above",
                               side == SCORIA_TAIL_LOW ? "smallest" : "largest");
  }
  return *line;
}

bool uq_tail_warning(const UqQuestion *q, const UqAnswer *a, const UqTails *tails, int number, size_t size, char line[])
{
  const int of_quantiles = number - 1 - q->nthresholds;
  *line                  = 0;
  if (!tails || of_quantiles >= SCORIA_TAILS * q->nquantities) return false;
  if (tails->why && number == 0) snprintf(line, size, "the model's tails are not checked: %s", tails->why);
  if (tails->why) return number == 0;
  if (number == 0)
    list_unchecked(q, tails, size, line);
  else if (of_quantiles < 0)
    warn_of_event(q, a, tails, number - 1, size, line);
  else
    warn_of_tail(q, tails, of_quantiles, size, line);
  return true;
}

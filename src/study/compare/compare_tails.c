/* How far out the model's laws of the quantities have been held against the PDE's: of each quantity and side the
 * probability down to which the two agree, over all held-out conditions. */
#include "compare.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Number i of uq's as one that is judged. */
static void take_number(CompareQuantities *q, int i)
{
  q->quantity[q->tails] = *numbers_quantity(q->numbers, i);
  q->place[q->tails]    = numbers_place(q->numbers, i);
  q->offset[q->tails++] = -1;
}

static PetscErrorCode OfWhole(ScoriaDeck deck, const ScoriaFieldShape *shape, CompareQuantities *q)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaNumbersOfDeck(deck, shape, &q->numbers));
  const int n = numbers_count(q->numbers);
  for (int i = 0; i < n; i++) take_number(q, i);
  q->own = numbers_own(q->numbers);
  q->n   = n;
  PetscFunctionReturn(0);
}

PetscErrorCode CompareQuantitiesOfDeck(ScoriaDeck deck, const ScoriaFieldShape *shape, CompareQuantities *q)
{
  PetscFunctionBeginUser;
  *q = (CompareQuantities){.whole = shape->cells > shape->shape[0]};
  if (q->whole) PetscCall(OfWhole(deck, shape, q));
  if (q->whole) PetscFunctionReturn(0);
  PetscCall(ScoriaQuantitiesOfDeck(deck, shape->channels, shape->field, shape->cells, shape->x, &q->n, q->quantity,
                                   q->offset));
  q->tails        = q->n;
  const int first = quantities_first(shape->channels, shape->field);
  for (int c = 0; c < shape->channels; c++) {
    if (c == first || field_is_one_value(&shape->field[c])) continue; /* those are among the deck's */
    quantities_of_extremes(&shape->field[c], c, &q->quantity[q->tails]);
    q->offset[q->tails] = q->offset[q->tails + 1] = -1;
    q->tails += 2;
  }
  PetscCall(ScoriaNumbersOfDeck(deck, shape, &q->numbers));
  q->own = PetscMin(numbers_count(q->numbers), COMPARE_MAX_OWN);
  for (int i = 0; i < q->own; i++) take_number(q, i);
  PetscFunctionReturn(0);
}

PetscErrorCode CompareQuantitiesDestroy(CompareQuantities *q)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaNumbersDestroy(&q->numbers));
  PetscFunctionReturn(0);
}

/* On rank 0.  work (held) */
static void pool_tail(const ComparisonSet *set, int quantity, int side, ScoriaTailCounts work[], ScoriaTail *tail)
{
  for (int k = 0; k < set->held; k++) work[k] = set->c[k].tail[quantity];
  tails_pool(set->held, work, side, tail);
}

/* ---------------------------------------------------------------------------------------------------- files ---- */

static void add_tail(cJSON *list, const ScoriaQuantity *q, int side, const ScoriaTail *tail)
{
  cJSON *one = cJSON_CreateObject(), *ranks;
  cJSON_AddItemToArray(list, one);
  members_add(one, scoria_tail_members,
              &(ScoriaTailOf){q->name, q->unit, q->description, scoria_tail_sides[side], tail->checked});
  ranks = cJSON_AddArrayToObject(one, COMPARE_RANKS);
  for (int r = 0; r < tail->n; r++) {
    const ScoriaShare *pde = &tail->rank[r].reference, *model = &tail->rank[r].sample;
    const ScoriaTailAt at = {pde->value, pde->low, pde->high, model->value, model->low, model->high};
    cJSON *rank           = cJSON_CreateObject();
    members_add(rank, scoria_tail_at_members, &at);
    cJSON_AddItemToArray(ranks, rank);
  }
}

PetscErrorCode CompareAddTails(cJSON *root, const ComparisonSet *set, const CompareQuantities *quantities)
{
  cJSON *list = cJSON_AddArrayToObject(root, COMPARE_TAILS);
  ScoriaTailCounts *work;
  ScoriaTail tail;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(set->held, &work));
  for (int i = 0; i < quantities->tails; i++)
    for (int side = 0; side < SCORIA_TAILS; side++) {
      pool_tail(set, i, side, work, &tail);
      if (tail.n && !quantities->place[i]) add_tail(list, &quantities->quantity[i], side, &tail);
    }
  PetscCall(PetscFree(work));
  PetscFunctionReturn(0);
}

/* One number of each tail, (quantities, SCORIA_TAILS), into the array at `path`. */
static PetscErrorCode PutTails(ScoriaStore store, const char *path, int quantities, const double value[],
                               const char *what)
{
  const int64_t dims[2] = {quantities, SCORIA_TAILS};
  PetscFunctionBeginUser;
  PetscCall(ScoriaStorePutReals(store, path, 2, dims, value, "1", what));
  PetscCall(ScoriaStorePutAxes(store, path, "quantity side"));
  PetscFunctionReturn(0);
}

void compare_quantity_names(const CompareQuantities *quantities, size_t size, char names[], size_t own_size, char own[])
{
  *names = *own = 0;
  for (int i = 0; i < quantities->tails; i++) {
    const ScoriaQuantity *q = &quantities->quantity[i];
    if (i < quantities->tails - quantities->own)
      snprintf(names + strlen(names), size - strlen(names), "%s%s", i ? "," : "", q->name);
    else
      snprintf(own + strlen(own), own_size - strlen(own), COMPARE_OWN_LINE "\n", q->name, q->description);
  }
}

PetscErrorCode ComparePutTails(ScoriaStore store, const ComparisonSet *set, const CompareQuantities *quantities)
{
  char names[COMPARE_MAX_TAILS * SCORIA_NAME_SIZE], own[COMPARE_MAX_OWN * sizeof(ScoriaQuantity)];
  double checked[COMPARE_MAX_TAILS * SCORIA_TAILS], differs[COMPARE_MAX_TAILS * SCORIA_TAILS],
      ratio[COMPARE_MAX_TAILS * SCORIA_TAILS];
  ScoriaTailCounts *work;
  ScoriaTail tail;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(set->held, &work));
  for (int i = 0, at = 0; i < quantities->tails; i++)
    for (int side = 0; side < SCORIA_TAILS; side++, at++) {
      pool_tail(set, i, side, work, &tail); /* of rank 0's counts, which are written */
      checked[at] = tail.checked;
      differs[at] = tail.differs;
      ratio[at]   = tail.ratio;
    }
  PetscCall(PetscFree(work));
  compare_quantity_names(quantities, sizeof names, names, sizeof own, own);
  PetscCall(ScoriaStorePutText(store, COMPARE_TAIL_QUANTITIES, names));
  if (*own) PetscCall(ScoriaStorePutText(store, COMPARE_TAIL_EXPRESSIONS, own));
  PetscCall(PutTails(store, COMPARE_TAIL_CHECKED, quantities->tails, checked,
                     "probability down to which the lower and the upper tail of each of tail_quantities "
                     "(and tail_expressions) agree with the reference's; 1: nowhere; NaN: it does not vary, or there "
                     "were too few fields"));
  PetscCall(PutTails(store, COMPARE_TAIL_DIFFERS, quantities->tails, differs,
                     "the reference's probability at the first threshold where they do not agree; NaN: there is none"));
  PetscCall(PutTails(store, COMPARE_TAIL_RATIO, quantities->tails, ratio,
                     "the model's probability beyond that threshold over the reference's"));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- table ---- */

/* Where the two differ first, and by what factor. */
static void disagreement(const ScoriaTail *tail, bool imported, size_t size, char text[])
{
  *text = 0;
  if (isfinite(tail->differs))
    snprintf(text, size, ", at %.2g the model has %.2g of the %s", tail->differs, tail->ratio,
             imported ? "data's" : "PDE's");
}

PetscErrorCode CompareSayTails(ScoriaRun run, const ComparisonSet *set, const CompareQuantities *quantities)
{
  ScoriaTailCounts *work;
  ScoriaTail tail;
  char differs[96], checked[32];
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(set->held, &work));
  PetscCall(ScoriaSay(run, "  tails agree down to a probability of"));
  for (int i = 0; i < quantities->tails; i++)
    for (int side = 0; side < SCORIA_TAILS; side++) {
      pool_tail(set, i, side, work, &tail);
      if (!tail.n || quantities->place[i] || (i >= quantities->n && i < quantities->tails - quantities->own)) continue;
      disagreement(&tail, set->imported, sizeof differs, differs);
      snprintf(checked, sizeof checked, tail.checked < 1 ? "%.2g" : "nowhere", tail.checked);
      PetscCall(ScoriaSay(run, "    %-18s %-5s %9s%s", side ? "" : quantities->quantity[i].name,
                          scoria_tail_sides[side], checked, differs));
    }
  PetscCall(PetscFree(work));
  PetscFunctionReturn(0);
}

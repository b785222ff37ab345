/* The numbers of a field that the deck defines for uq, probes, expressions and those of events: compare holds their
 * tails against the reference's too. */
#include "compare.h"
#include <math.h>

PetscErrorCode CompareOwnRead(ScoriaDeck deck, const ScoriaFieldShape *shape, CompareQuantities *quantities)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaNumbersOfDeck(deck, shape, &quantities->numbers));
  quantities->own = PetscMin(numbers_count(quantities->numbers), COMPARE_MAX_OWN);
  for (int i = 0; i < quantities->own; i++, quantities->tails++) {
    quantities->quantity[quantities->tails] = *numbers_quantity(quantities->numbers, i);
    quantities->offset[quantities->tails]   = -1;
  }
  PetscFunctionReturn(0);
}

/* Column `which` of n rows, ascending; those that are numbers alone, which are so many. */
static int64_t sorted_column(int64_t n, int own, const double values[], int which, double column[])
{
  ScoriaEstimates ignored;
  int64_t good = 0;
  for (int64_t i = 0; i < n; i++)
    if (isfinite(values[i * own + which])) column[good++] = values[i * own + which];
  if (good >= 2 && ScoriaEstimatesTake(good, column, &ignored)) return 0; /* which sorts */
  return good;
}

PetscErrorCode CompareFillOwn(const CompareQuantities *quantities, double *const fields[SCORIA_NFROM], Comparison *c)
{
  const int64_t first = c->good[SCORIA_FROM_PDE], again = c->good[SCORIA_FROM_PDE_AGAIN], both = first + again,
                model = c->good[SCORIA_FROM_MODEL];
  const int own = quantities->own, at = quantities->tails - own;
  double *of_pde, *of_model, *column[2];
  PetscFunctionBeginUser;
  if (!own || both < 2 || model < 2) PetscFunctionReturn(0);
  PetscCall(PetscMalloc4(both * own, &of_pde, model * own, &of_model, both, &column[0], model, &column[1]));
  numbers_take(quantities->numbers, c->theta, first, fields[SCORIA_FROM_PDE], own, of_pde);
  numbers_take(quantities->numbers, c->theta, again, fields[SCORIA_FROM_PDE_AGAIN], own, of_pde + first * own);
  numbers_take(quantities->numbers, c->theta, model, fields[SCORIA_FROM_MODEL], own, of_model);
  for (int i = 0; i < own; i++) {
    const int64_t n = sorted_column(both, own, of_pde, i, column[0]),
                  k = sorted_column(model, own, of_model, i, column[1]);
    if (n >= 2 && k >= 2) tails_count(n, column[0], k, column[1], &c->tail[at + i]);
  }
  PetscCall(PetscFree4(of_pde, of_model, column[0], column[1]));
  PetscFunctionReturn(0);
}

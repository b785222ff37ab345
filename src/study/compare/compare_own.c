/* The numbers of a field that the deck defines for uq, probes, expressions and those of events: compare holds their
 * tails against the reference's too. */
#include "compare.h"
#include "study/uq/uq.h"
#include <math.h>
#include <string.h>

struct CompareOwn_ {
  UqQuestion q; /* its last quantities are the own ones */
  UqDraws draws;
};

PetscErrorCode CompareOwnRead(ScoriaDeck deck, const ScoriaFieldShape *shape, CompareQuantities *quantities)
{
  struct CompareOwn_ *own;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&own));
  quantities->numbers = own;
  PetscCall(UqQuestionOfNumbers(deck, shape, &own->q));
  own->q.tile = 0; /* fields are others' */
  PetscCall(UqDrawsCreate(&own->q, NULL, &own->draws));
  quantities->own = PetscMin(own->q.nquantities - quantities->n, COMPARE_MAX_OWN);
  for (int i = 0; i < quantities->own; i++, quantities->tails++) {
    quantities->quantity[quantities->tails] = own->q.quantity[quantities->n + i];
    quantities->offset[quantities->tails]   = -1;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CompareOwnDestroy(CompareQuantities *quantities)
{
  PetscFunctionBeginUser;
  if (!quantities->numbers) PetscFunctionReturn(0);
  PetscCall(UqDrawsDestroy(&quantities->numbers->draws));
  PetscCall(UqQuestionDestroy(&quantities->numbers->q));
  PetscCall(PetscFree(quantities->numbers));
  PetscFunctionReturn(0);
}

void compare_own_take(const CompareQuantities *quantities, const double theta[], int64_t n, const double fields[],
                      double values[])
{
  struct CompareOwn_ *own = quantities->numbers;
  double all[UQ_MAX_QUANTITIES];
  uq_draws_at(&own->draws, theta);
  for (int64_t i = 0; i < n; i++) {
    uq_take(&own->draws, fields + (size_t)i * (size_t)own->q.m, all);
    memcpy(values + i * quantities->own, all + quantities->n, sizeof *all * (size_t)quantities->own);
  }
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
  compare_own_take(quantities, c->theta, first, fields[SCORIA_FROM_PDE], of_pde);
  compare_own_take(quantities, c->theta, again, fields[SCORIA_FROM_PDE_AGAIN], of_pde + first * own);
  compare_own_take(quantities, c->theta, model, fields[SCORIA_FROM_MODEL], of_model);
  for (int i = 0; i < own; i++) {
    const int64_t n = sorted_column(both, own, of_pde, i, column[0]),
                  k = sorted_column(model, own, of_model, i, column[1]);
    if (n >= 2 && k >= 2) tails_count(n, column[0], k, column[1], &c->tail[at + i]);
  }
  PetscCall(PetscFree4(of_pde, of_model, column[0], column[1]));
  PetscFunctionReturn(0);
}

/* The numbers of a field that the deck defines for uq, for other studies: the quantities of a question behind those of
 * interest. */
#include "question.h"
#include "scoria/uq_parts.h"
#include <string.h>

struct ScoriaNumbers_ {
  UqQuestion q; /* its last quantities are these */
  UqDraws draws;
  int before;
};

PetscErrorCode ScoriaNumbersOfDeck(ScoriaDeck deck, const ScoriaFieldShape *shape, ScoriaNumbers *numbers)
{
  ScoriaNumbers own;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&own));
  *numbers = own;
  PetscCall(UqQuestionOfNumbers(deck, shape, &own->q, &own->before));
  own->q.tile = 0; /* fields are others' */
  PetscCall(UqDrawsCreate(&own->q, NULL, &own->draws));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaNumbersDestroy(ScoriaNumbers *numbers)
{
  PetscFunctionBeginUser;
  if (!*numbers) PetscFunctionReturn(0);
  PetscCall(UqDrawsDestroy(&(*numbers)->draws));
  PetscCall(UqQuestionDestroy(&(*numbers)->q));
  PetscCall(PetscFree(*numbers));
  PetscFunctionReturn(0);
}

int numbers_count(ScoriaNumbers numbers)
{
  return numbers->q.nquantities - numbers->before;
}

const ScoriaQuantity *numbers_quantity(ScoriaNumbers numbers, int i)
{
  return &numbers->q.quantity[numbers->before + i];
}

void numbers_take(ScoriaNumbers numbers, const double theta[], int64_t n, const double fields[], int most,
                  double values[])
{
  double all[UQ_MAX_QUANTITIES];
  uq_draws_at(&numbers->draws, theta);
  for (int64_t i = 0; i < n; i++) {
    uq_take(&numbers->draws, fields + (size_t)i * (size_t)numbers->q.m, all);
    memcpy(values + i * most, all + numbers->before, sizeof *all * (size_t)most);
  }
}

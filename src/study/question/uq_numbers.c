/* The numbers of a field that uq knows, for other studies: quantities of a question, in an order of their own. */
#include "question.h"
#include "scoria/uq_parts.h"

struct ScoriaNumbers_ {
  UqQuestion q;
  UqDraws draws;
  int n, own, at[UQ_MAX_QUANTITIES]; /* where they stand in the question */
};

static void add(ScoriaNumbers numbers, int from, int to)
{
  for (int i = from; i < to; i++) numbers->at[numbers->n++] = i;
}

PetscErrorCode ScoriaNumbersOfDeck(ScoriaDeck deck, const ScoriaFieldShape *shape, ScoriaNumbers *numbers)
{
  ScoriaNumbers own;
  int end[UQ_PARTS];
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&own));
  *numbers = own;
  PetscCall(UqQuestionOfNumbers(deck, shape, &own->q, end));
  if (own->q.whole) add(own, 0, end[UQ_OF_INTEREST]);
  add(own, end[UQ_PROBES], end[UQ_OF_WHOLE]);
  const int known = own->n;
  add(own, end[UQ_OF_INTEREST], end[UQ_PROBES]);
  add(own, end[UQ_OF_WHOLE], end[UQ_EXPRESSED]);
  own->own    = own->n - known;
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
  return numbers ? numbers->n : 0;
}

int numbers_own(ScoriaNumbers numbers)
{
  return numbers->own;
}

const ScoriaQuantity *numbers_quantity(ScoriaNumbers numbers, int i)
{
  return &numbers->q.quantity[numbers->at[i]];
}

bool numbers_place(ScoriaNumbers numbers, int i)
{
  return numbers->q.place[numbers->at[i]];
}

void numbers_take(ScoriaNumbers numbers, const double theta[], int64_t n, const double fields[], int most,
                  double values[])
{
  double all[UQ_MAX_QUANTITIES];
  uq_draws_at(&numbers->draws, theta);
  for (int64_t i = 0; i < n; i++, values += most) {
    uq_take(&numbers->draws, fields + (size_t)i * (size_t)numbers->q.m, all);
    for (int k = 0; k < most; k++) values[k] = all[numbers->at[k]];
  }
}

/* The table of problems, and the one that a deck names. */
#include "internal.h"

#define X(row) extern const ScoriaProblem row;
SCORIA_PROBLEM_ROWS
#undef X
#define X(row) &row,
const ScoriaProblem *const scoria_problems[] = {SCORIA_PROBLEM_ROWS NULL};
#undef X

int problem_key_tables(int most, const ScoriaKey *tables[])
{
  int n = 0;
  for (; scoria_problems[n] && n < most; n++) tables[n] = scoria_problems[n]->keys;
  return n;
}

const char *problem_name(const ScoriaProblem *problem)
{
  return problem->name;
}

PetscErrorCode ScoriaProblemFromDeck(ScoriaDeck deck, const ScoriaProblem **problem, void **parameters)
{
  PetscInt row = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckChoice(deck, "ensemble_problem", &row));
  *problem = scoria_problems[row];
  PetscCall(PetscCalloc1((*problem)->size, (char **)parameters));
  PetscCall((*problem)->read(deck, *parameters));
  PetscFunctionReturn(0);
}

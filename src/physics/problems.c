/* The table of problems, and the one that a deck names. */
#include "internal.h"
#include <stdio.h>
#include <math.h>
#include <string.h>

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

/* Every field at both ends, as T_x0 and T_xL: what the ends are called is known to the problem alone; a field of one
 * value as that.  As far as there is room, which is kept for those of one value: other fields have extremes too. */
static int fields_at_ends(int nfields, const ScoriaField field[], ScoriaProblemQuantity quantity[])
{
  int n = 0, ones = 0;
  for (int f = 0; f < nfields; f++) ones += field_is_one_value(&field[f]);
  for (int f = 0; f < nfields; f++) {
    const bool one = field_is_one_value(&field[f]);
    ones -= one;
    for (int side = 0; side < (one ? 1 : 2) && n + ones < SCORIA_MAX_QUANTITIES; side++) {
      ScoriaProblemQuantity *q = &quantity[n++];
      *q                       = (ScoriaProblemQuantity){.field = f, .side = side, .factor = 1, .condition = -1};
      snprintf(q->name, sizeof q->name, "%.58s%s", field[f].name, one ? "" : side ? "_xL" : "_x0");
      snprintf(q->unit, sizeof q->unit, "%s", field[f].unit);
      snprintf(q->description, sizeof q->description,
               one    ? "%.80s"
               : side ? "%.80s at x = L"
                      : "%.80s at x = 0",
               field[f].description);
    }
  }
  return n;
}

int problem_quantities(const ScoriaProblem *problem, const void *parameters, int nfields, const ScoriaField field[],
                       ScoriaProblemQuantity quantity[])
{
  return problem && problem->quantities ? problem->quantities(parameters, quantity)
                                        : fields_at_ends(nfields, field, quantity);
}

PetscErrorCode ProblemOfDeck(ScoriaDeck deck, const ScoriaProblem **problem)
{
  const char *name = NULL;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "ensemble_problem", &name));
  *problem = NULL;
  for (int i = 0; scoria_problems[i]; i++)
    if (!strcmp(scoria_problems[i]->name, name)) *problem = scoria_problems[i];
  PetscCheck(*problem, PETSC_COMM_SELF, PETSC_ERR_PLIB, "no problem %s", name);
  PetscFunctionReturn(0);
}

static const ScoriaField *derived_row(const ScoriaProblem *problem, int k)
{
  const ScoriaField *row = problem->derived_fields;
  return row && *row[k].name ? &row[k] : NULL;
}

static PetscErrorCode FindDerived(const ScoriaProblem *problem, const char *word, int n, int which[MAX_DERIVED_FIELDS])
{
  char all[MAX_DERIVED_FIELDS * SCORIA_NAME_SIZE] = "";
  const ScoriaField *row;
  int found = -1;
  PetscFunctionBeginUser;
  for (int k = 0; (row = derived_row(problem, k)); k++) {
    snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", k ? ", " : "", row->name);
    if (!strcmp(row->name, word)) found = k;
  }
  if (found < 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "ensemble_derived: found \"%s\", allowed for problem %s: %s", word, problem->name,
                *all ? all : "none");
  for (int i = 0; i < n; i++)
    if (which[i] == found) SCORIA_FAIL(SCORIA_EXIT_INPUT, "ensemble_derived: %s is there twice", word);
  which[n] = found;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDerivedNames(ScoriaDeck deck, size_t size, char names[])
{
  const ScoriaProblem *problem;
  const ScoriaField *row;
  PetscFunctionBeginUser;
  PetscCall(ProblemOfDeck(deck, &problem));
  *names = 0;
  for (int k = 0; (row = derived_row(problem, k)); k++)
    snprintf(names + strlen(names), size - strlen(names), "%s%s", k ? ", " : "", row->name);
  PetscFunctionReturn(0);
}

PetscErrorCode DerivedOfDeck(ScoriaDeck deck, const ScoriaProblem *problem, int *n, int which[MAX_DERIVED_FIELDS])
{
  const char *list = NULL;
  char word[SCORIA_NAME_SIZE];
  PetscFunctionBeginUser;
  *n = 0;
  PetscCall(ScoriaDeckString(deck, "ensemble_derived", &list));
  for (; list_next_word(&list, sizeof word, word); ++*n) PetscCall(FindDerived(problem, word, *n, which));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaProblemFromDeck(ScoriaDeck deck, const ScoriaProblem **problem, void **parameters)
{
  PetscFunctionBeginUser;
  PetscCall(ProblemOfDeck(deck, problem));
  PetscCall(PetscCalloc1((*problem)->size, (char **)parameters));
  PetscCall((*problem)->read(deck, *parameters));
  PetscFunctionReturn(0);
}

double problem_mean_exponent(const ScoriaProblem *problem, void *parameters)
{
  const double eps[2] = {0.3, 0.3 * (1.0 + 1e-6)};
  double C[MAX_COEFFICIENTS][2], *at[MAX_COEFFICIENTS], sum = 0;
  int counted = 0;
  ScoriaShape shape;
  problem->shape(parameters, &shape);
  for (int c = 0; c < MAX_COEFFICIENTS; c++) at[c] = C[c];
  problem->coefficients(parameters, 2, eps, at);
  for (int c = 0; c < shape.coefficients; c++) {
    const double exponent = log(C[c][1] / C[c][0]) / log(eps[1] / eps[0]);
    if (exponent > 0) { /* a solid conducts by what is not pores */
      sum += exponent;
      counted++;
    }
  }
  return counted ? sum / counted : -1.0;
}

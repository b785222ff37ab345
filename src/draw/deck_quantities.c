/* The quantities of interest of every deck: extremes of the first channel that is more than one value, and what the
 * problem names. */
#include "scoria/draw.h"
#include <stdio.h>

static ScoriaQuantity *add(ScoriaQuantityKind kind, int channel, const char *unit, int *n, ScoriaQuantity quantity[])
{
  ScoriaQuantity *made = &quantity[(*n)++];
  *made                = (ScoriaQuantity){.kind = kind, .channel = channel, .factor = 1};
  snprintf(made->unit, sizeof made->unit, "%.15s", unit);
  return made;
}

int quantities_first(int channels, const ScoriaField field[])
{
  int c = 0;
  while (c < channels && field_is_one_value(&field[c])) c++;
  return c;
}

void quantities_of_extremes(const ScoriaField *field, int channel, ScoriaQuantity quantity[2])
{
  static const struct {
    ScoriaQuantityKind kind;
    const char *name, *what;
  } extremes[] = {{SCORIA_QUANTITY_MIN, "min", "smallest"}, {SCORIA_QUANTITY_MAX, "max", "largest"}};
  int n        = 0;
  for (int i = 0; i < 2; i++) {
    ScoriaQuantity *made = add(extremes[i].kind, channel, field->unit, &n, quantity);
    made->cells          = field->cells;
    snprintf(made->name, sizeof made->name, "%s_%.58s", extremes[i].name, field->name);
    snprintf(made->description, sizeof made->description, "%s value of a profile: %.60s", extremes[i].what,
             field->description);
  }
}

static void add_named(const ScoriaProblemQuantity *of, const ScoriaField *field, int cells, const double x[], int *n,
                      ScoriaQuantity quantity[])
{
  ScoriaQuantity *made = add(SCORIA_QUANTITY_AT, of->field, of->unit, n, quantity);
  double end[2];
  cells = field->cells ? field->n[0] : cells;
  x += field->centre[0];
  cells_ends(cells, x, end);
  quantity_place(made, cells, x, end[of->side]);
  snprintf(made->name, sizeof made->name, "%.63s", of->name);
  snprintf(made->description, sizeof made->description, "%.95s", of->description);
  made->factor = of->factor;
}

PetscErrorCode ScoriaQuantitiesOfDeck(ScoriaDeck deck, int channels, const ScoriaField field[], int cells,
                                      const double x[], int *n, ScoriaQuantity quantity[], int condition[])
{
  ScoriaProblemQuantity of[SCORIA_MAX_QUANTITIES];
  const ScoriaProblem *problem = NULL;
  void *parameters             = NULL;
  bool imported;
  PetscFunctionBeginUser;
  PetscCall(ScoriaImported(deck, &imported));
  if (!imported) PetscCall(ScoriaProblemFromDeck(deck, &problem, &parameters));
  const int named = problem_quantities(problem, parameters, channels, field, of);
  PetscCall(PetscFree(parameters));
  const int first = quantities_first(channels, field);
  *n              = first < channels ? 2 : 0;
  if (*n) quantities_of_extremes(&field[first], first, quantity);
  for (int i = 0; i < *n; i++) condition[i] = -1;
  for (int i = 0; i < named; i++) {
    condition[*n] = of[i].condition;
    add_named(&of[i], &field[of[i].field], cells, x, n, quantity);
  }
  PetscFunctionReturn(0);
}

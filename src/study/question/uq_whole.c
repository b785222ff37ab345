/* uq of whole fields: what is asked of all of them, and what the answer takes. */
#include "question.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* "name_field = function(field%s)", of all fields or those but the first whose extremes the deck's quantities have; not
 * of one value. */
static const struct {
  const char *name, *function, *share, *what;
  bool first;
} numbers[] = {{"min", "min", "", "smallest value of a whole field", false},
               {"max", "max", "", "largest value of a whole field", false},
               {"low", "quantile", ", 0.01", "value that 99 % of the cells exceed", true},
               {"high", "quantile", ", 0.99", "value that 1 % of the cells exceed", true},
               {"x_min", "argmin", "", "place along x of the smallest value", true},
               {"x_max", "argmax", "", "place along x of the largest value", true}};

/* Whether an expression can speak of the field. */
static bool has_plain_name(const ScoriaField *field)
{
  bool plain = isalpha((unsigned char)*field->name);
  for (const char *at = field->name; *at; at++) plain = plain && (isalnum((unsigned char)*at) || *at == '_');
  return plain;
}

static PetscErrorCode Describe(UqQuestion *q, int index, const char *what, const ScoriaField *field)
{
  char *to = q->quantity[index].description;
  PetscFunctionBeginUser;
  snprintf(to, sizeof q->quantity[index].description, "%s: %.50s", what, field->description);
  PetscFunctionReturn(0);
}

PetscErrorCode UqAddWhole(UqQuestion *q)
{
  const int first = quantities_first(q->channels, q->field);
  char text[4 * SCORIA_NAME_SIZE];
  int index;
  PetscFunctionBeginUser;
  for (int i = 0; i < q->nquantities && q->whole; i++) {
    const ScoriaQuantity *of = &q->quantity[i];
    if (of->kind == SCORIA_QUANTITY_MIN || of->kind == SCORIA_QUANTITY_MAX)
      PetscCall(Describe(q, i, numbers[of->kind == SCORIA_QUANTITY_MAX].what, &q->field[of->channel]));
  }
  for (size_t k = 0; k < sizeof numbers / sizeof *numbers && q->whole; k++)
    for (int c = 0; c < q->channels; c++) {
      const char *name = q->field[c].name;
      if ((c == first && !numbers[k].first) || !has_plain_name(&q->field[c]) || field_is_one_value(&q->field[c]))
        continue;
      if (q->nquantities >= UQ_MAX_WHOLE) {
        q->left_out++;
        continue;
      }
      snprintf(text, sizeof text, "%s_%s = %s(%s%s)", numbers[k].name, name, numbers[k].function, name,
               numbers[k].share);
      PetscCall(UqExpressionAdd(q, "quantities", text, &index));
      PetscCall(Describe(q, index, numbers[k].what, &q->field[c]));
      q->place[index] = !strncmp(numbers[k].function, "arg", 3);
    }
  PetscFunctionReturn(0);
}

/* uq of whole fields: what is asked of all of them, and what the answer takes. */
#include "uq.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* "name_field = function(field%s)", of the fields from `from` on: the deck's quantities have the extremes of the first.
 */
static const struct {
  const char *name, *function, *share, *what;
  int from;
} numbers[] = {{"min", "min", "", "smallest value of a whole field", 1},
               {"max", "max", "", "largest value of a whole field", 1},
               {"low", "quantile", ", 0.01", "value that 99 % of the cells exceed", 0},
               {"high", "quantile", ", 0.99", "value that 1 % of the cells exceed", 0},
               {"x_min", "argmin", "", "place along x of the smallest value", 0},
               {"x_max", "argmax", "", "place along x of the largest value", 0}};

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
  char text[4 * SCORIA_NAME_SIZE];
  int index;
  PetscFunctionBeginUser;
  for (int i = 0; i < q->nquantities && q->whole; i++) {
    const ScoriaQuantity *of = &q->quantity[i];
    if (of->kind == SCORIA_QUANTITY_MIN || of->kind == SCORIA_QUANTITY_MAX)
      PetscCall(Describe(q, i, numbers[of->kind == SCORIA_QUANTITY_MAX].what, &q->field[of->channel]));
  }
  for (size_t k = 0; k < sizeof numbers / sizeof *numbers && q->whole; k++)
    for (int c = numbers[k].from; c < q->channels; c++) {
      const char *name = q->field[c].name;
      if (!has_plain_name(&q->field[c]) || q->nquantities >= UQ_MAX_WHOLE) continue;
      snprintf(text, sizeof text, "%s_%s = %s(%s%s)", numbers[k].name, name, numbers[k].function, name,
               numbers[k].share);
      PetscCall(UqExpressionAdd(q, "quantities", text, &index));
      PetscCall(Describe(q, index, numbers[k].what, &q->field[c]));
      q->place[index] = !strncmp(numbers[k].function, "arg", 3);
    }
  PetscFunctionReturn(0);
}

PetscErrorCode UqCheckMemory(ScoriaDeck deck, const UqQuestion *q)
{
  PetscReal gigabytes = 0;
  UqAnswer a;
  PetscFunctionBeginUser;
  if (!q->whole) PetscFunctionReturn(0);
  uq_lay_out(q, &a);
  PetscCall(ScoriaDeckReal(deck, "run_memory", &gigabytes));
  const ScoriaSummarySpec spec = uq_summary_spec(q, a.columns, a.joint);
  const double rows = (2.0 * UQ_PILOT_TILES + 1) * q->tile + q->part, each = (double)a.size * sizeof(double),
               sums = summary_bytes(&spec) + rows * a.columns * (double)sizeof(double);
  if (sums + each * q->conditions > 1e9 * gigabytes)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "uq: statistics of whole fields of %d values take %.3g GB of a rank, and %.3g GB for each of %d "
                "conditions; run_memory allows %.3g GB: ask for fewer conditions or quantiles, or set it higher",
                q->m, 1e-9 * sums, 1e-9 * each, q->conditions, gigabytes);
  PetscFunctionReturn(0);
}

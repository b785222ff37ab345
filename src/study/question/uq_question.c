/* uq: what the deck asks for. */
#include "question.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Splits "c:4e-5" or "c:40um" into a channel and a place. */
static PetscErrorCode ReadProbe(const UqQuestion *q, const char *word, int *channel, double *place)
{
  const char *colon = strchr(word, ':');
  bool unit         = false;
  PetscFunctionBeginUser;
  if (!colon || !place_read(colon + 1, strlen(colon + 1), place, &unit))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: probes: found \"%s\", expected field:number, or with a unit, c:40um", word);
  if (unit) PetscCall(ScoriaPlaceCheckUnit(q->space, 0, "uq: probes", word));
  for (*channel = 0; *channel < q->channels; ++*channel)
    if (!strncmp(q->field[*channel].name, word, (size_t)(colon - word)) && !q->field[*channel].name[colon - word])
      PetscFunctionReturn(0);
  SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: probes: found \"%s\", but there is no field \"%.*s\"", word, (int)(colon - word),
              word);
}

static PetscErrorCode TakeProbe(UqQuestion *q, const char *word)
{
  ScoriaQuantity probe = {.factor = 1};
  double value         = 0, end[2];
  int index;
  PetscFunctionBeginUser;
  PetscCall(ReadProbe(q, word, &probe.channel, &value));
  const int cells = uq_cells(q, probe.channel, 0);
  const double *x = uq_centres(q, probe.channel, 0);
  cells_ends(cells, x, end);
  const double slack   = 1e-4 * (end[1] - end[0]) / cells;
  const ScoriaField *f = &q->field[probe.channel];
  if (value < end[0] - slack || value > end[1] + slack)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: probes: found \"%s\", allowed %g to %g%s", word, end[0], end[1],
                space_place_unit(q->space, 0));
  if (space_reads_as_metres(q->space, cells, end, value))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: probes: found \"%s\", a place in metres; %s", word,
                space_places_text(q->space));
  q->placed = q->placed || value != 0;
  quantity_place(&probe, cells, x, value);
  snprintf(probe.name, sizeof probe.name, "%s", word);
  snprintf(probe.unit, sizeof probe.unit, "%s", f->unit);
  snprintf(probe.description, sizeof probe.description, "%.50s at x%s = %g%s%s", f->description,
           space_has_shares(q->space, 0) ? " / L" : "", value, space_place_unit(q->space, 0),
           q->whole ? ", lateral mean" : "");
  PetscCall(UqAddQuantity(q, &probe, &index));
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeExpression(UqQuestion *q, const char *text)
{
  int index;
  PetscFunctionBeginUser;
  PetscCall(UqExpressionAdd(q, "quantities", text, &index));
  PetscFunctionReturn(0);
}

/* Inputs: what varies, then what is not a condition. */
static PetscErrorCode ReadSensitivity(ScoriaDeck deck, UqQuestion *q)
{
  PetscInt seed = 0, base = 0, draws = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  PetscCall(ScoriaDeckInt(deck, "uq_sobol", &base));
  PetscCall(ScoriaDeckInt(deck, "uq_sobol_draws", &draws));
  if (base > 0 && base < UQ_LEAST_BASE)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: sobol: found %lld, expected 0 or at least %d: errors come from the spread",
                (long long)base, UQ_LEAST_BASE);
  q->seed  = (uint64_t)seed;
  q->base  = base;
  q->draws = (int)draws;
  for (int i = 0; i < q->space->n; i++)
    if (q->space->c[i].lo < q->space->c[i].hi) q->input[q->inputs++] = i;
  q->input[q->inputs++] = UQ_NO_CONDITION;
  PetscFunctionReturn(0);
}

const char *uq_input_name(const UqQuestion *q, int input)
{
  return q->input[input] == UQ_NO_CONDITION ? UQ_OTHER_INPUT : q->space->c[q->input[input]].name;
}

/* What the fields are of: equations, which have periodic lateral axes, or data. */
static PetscErrorCode ReadKind(ScoriaDeck deck, UqQuestion *q)
{
  bool imported;
  PetscFunctionBeginUser;
  PetscCall(ScoriaImported(deck, &imported));
  q->periodic = !imported;
  if (!imported) PetscCall(ScoriaDerivedNames(deck, sizeof q->derivable, q->derivable));
  PetscFunctionReturn(0);
}

void uq_take_shape(UqQuestion *q, const ScoriaFieldShape *shape)
{
  q->channels = shape->channels;
  q->cells    = shape->cells;
  q->m        = shape->channels * shape->cells;
  for (int a = 0; a < 3; a++) q->n[a] = PetscMax(shape->shape[a], 1);
  q->whole = q->n[1] > 1 || q->n[2] > 1;
  if (!q->whole) q->n[0] = q->cells;
  q->tile  = q->whole ? PetscClipInterval(UQ_TILE_BYTES / (int)sizeof(double) / q->m, UQ_LEAST_TILE, UQ_TILE) : UQ_TILE;
  q->part  = PetscMin(q->tile, UQ_PART);
  q->field = shape->field;
  q->along = fields_along_x(q->channels, q->field, q->n);
  q->x     = shape->x;
  q->space = shape->space;
  q->reach = shape->reach;
}

/* What is taken of every field, in its parts. */
static PetscErrorCode ReadNumbers(ScoriaDeck deck, UqQuestion *q, int end[UQ_PARTS])
{
  PetscFunctionBeginUser;
  PetscCall(ReadKind(deck, q));
  PetscCall(
      ScoriaQuantitiesOfDeck(deck, q->channels, q->field, q->n[0], q->x, &q->nquantities, q->quantity, q->condition));
  end[UQ_OF_INTEREST] = q->nquantities;
  PetscCall(UqReadItems(deck, q, "probes", TakeProbe));
  end[UQ_PROBES] = q->nquantities;
  PetscCall(UqAddWhole(q));
  end[UQ_OF_WHOLE] = q->nquantities;
  PetscCall(UqReadItems(deck, q, "quantities", TakeExpression));
  PetscCall(UqReadItems(deck, q, "exceed", UqAddEvent));
  end[UQ_EXPRESSED] = q->nquantities;
  PetscFunctionReturn(0);
}

PetscErrorCode UqQuestionOfNumbers(ScoriaDeck deck, const ScoriaFieldShape *shape, UqQuestion *q, int end[UQ_PARTS])
{
  PetscFunctionBeginUser;
  *q = (UqQuestion){.nquantities = 0};
  uq_take_shape(q, shape);
  PetscCall(ReadNumbers(deck, q, end));
  PetscFunctionReturn(0);
}

PetscErrorCode UqQuestionRead(ScoriaRun run, ScoriaDeck deck, UqQuestion *q)
{
  PetscInt count = 0, n = 0, check = 0;
  int end[UQ_PARTS];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "uq_count", &count));
  PetscCall(ScoriaDeckReal(deck, "uq_tolerance", &q->tolerance));
  PetscCall(ScoriaDeckReals(deck, "uq_quantiles", UQ_MAX_QUANTILES, &n, q->probability));
  q->count          = count;
  q->nprobabilities = (int)n;
  PetscCall(ReadNumbers(deck, q, end));
  if (q->left_out)
    PetscCall(ScoriaSay(run,
                        "  WARNING: %d numbers of whole fields are left out, as there is room for %d: name those that "
                        "matter in uq_quantities",
                        q->left_out, UQ_MAX_WHOLE));
  if (q->placed) PetscCall(ScoriaPlacesWarn(run, deck, q->space, "uq"));
  PetscCall(UqReadConditions(run, deck, q));
  PetscCall(ReadSensitivity(deck, q));
  PetscCall(ScoriaDeckInt(deck, "uq_check", &check));
  if (check == 1)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: check: found 1, expected 0 or at least 2: its error comes from their spread");
  if (check && q->pde && !q->automatic)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: check: found %lld, but only fields of source model are checked",
                (long long)check);
  q->check = q->pde ? 0 : check;
  PetscFunctionReturn(0);
}

PetscErrorCode UqQuestionDestroy(UqQuestion *q)
{
  PetscFunctionBeginUser;
  PetscCall(UqExpressionsDestroy(&q->expressions));
  PetscCall(PetscFree(q->theta));
  PetscFunctionReturn(0);
}

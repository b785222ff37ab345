/* uq: expressions that are compiled: their life, and their values for one row of fields. */
#include "uq_expressions.h"
#include <math.h>
#include <string.h>

/* Shares (cells) of an axis that its cells have: between the middles of neighbouring centres.  One cell has all of it,
 * also where the axis of a plane has no length, z = 0.  Returns its length. */
static double set_widths(int cells, const double x[], double width[])
{
  double ends[2];
  cells_ends(cells, x, ends);
  for (int i = 0; i < cells; i++) {
    const double left = i ? (x[i - 1] + x[i]) / 2 : ends[0], right = i + 1 < cells ? (x[i] + x[i + 1]) / 2 : ends[1];
    width[i] = cells > 1 ? (right - left) / (ends[1] - ends[0]) : 1;
  }
  return ends[1] - ends[0];
}

PetscErrorCode UqExpressionsCreate(const UqQuestion *q, UqExpressions *all)
{
  UqExpressions new;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  const int centres = fields_centres(q->channels, q->field, q->n);
  PetscCall(PetscMalloc3(centres, &new->width, q->cells, &new->work, q->cells, &new->sorted));
  for (int c = 0; c < q->channels; c++)
    for (int a = 0; a < (q->whole ? 3 : 1); a++) {
      const double *x     = uq_centres(q, c, a);
      const double length = set_widths(uq_cells(q, c, a), x, new->width + (x - q->x));
      if (!a) new->length[c] = length;
    }
  *all = new;
  PetscFunctionReturn(0);
}

PetscErrorCode UqExpressionsDestroy(UqExpressions *expressions)
{
  UqExpressions all = *expressions;
  PetscFunctionBeginUser;
  if (!all) PetscFunctionReturn(0);
  for (int i = 0; i < all->n; i++) {
    for (int t = 0; t < all->of[i].n; t++)
      if (all->of[i].term[t].argument) mupRelease(all->of[i].term[t].argument);
    if (all->of[i].outer) mupRelease(all->of[i].outer);
  }
  PetscCall(PetscFree3(all->width, all->work, all->sorted));
  PetscCall(PetscFree(*expressions));
  PetscFunctionReturn(0);
}

/* Where a cell of a field is along each axis. */
static void indices(const UqQuestion *q, int channel, int cell, int index[3])
{
  int n[3];
  field_shape(&q->field[channel], q->n, n);
  for (int a = 0; a < 3; cell /= n[a++]) index[a] = cell % n[a];
}

/* Cells of the field, or of the fields, that a term is of. */
static int term_cells(const UqQuestion *q, const Term *term)
{
  return field_cells(&q->field[term->along], q->cells);
}

/* The argument's values in all cells. */
static const double *argument_values(UqExpressions all, const UqQuestion *q, const Term *term, const double fields[])
{
  const double *x[3];
  for (int a = 0; a < 3; a++) x[a] = uq_centres(q, term->along, a);
  if (term->channel >= 0) return fields + (size_t)term->channel * (size_t)q->cells;
  for (int i = 0; i < term_cells(q, term); i++) {
    int index[3];
    indices(q, term->along, i, index);
    for (int c = 0; c < q->channels; c++)
      all->cell[c] = fields[c * q->cells + (field_is_one_value(&q->field[c]) ? 0 : i)];
    for (int a = 0; a < (q->whole ? 3 : 1); a++) all->at[a] = x[a][index[a]];
    all->work[i] = mupEval(term->argument);
  }
  return all->work;
}

/* Mean of (y - less)^power over the cells, by their sizes. */
static double mean_of(UqExpressions all, const UqQuestion *q, int along, const double y[], double less, int power)
{
  const double *w[3];
  double sum = 0;
  int n[3];
  field_shape(&q->field[along], q->n, n);
  for (int a = 0; a < 3; a++) w[a] = all->width + (uq_centres(q, along, a) - q->x);
  for (int k = 0; k < (q->whole ? n[2] : 1); k++)
    for (int j = 0; j < (q->whole ? n[1] : 1); j++, y += n[0]) {
      const double lateral = q->whole ? w[1][j] * w[2][k] : 1;
      double row           = 0;
      for (int i = 0; i < n[0]; i++) row += w[0][i] * (power == 2 ? (y[i] - less) * (y[i] - less) : y[i] - less);
      sum += lateral * row;
    }
  return sum;
}

/* A field's extremes are looked for once a row. */
static const ScoriaExtremes *extremes(UqExpressions all, int cells, const double y[], const Term *term)
{
  if (term->channel < 0) {
    all->of_argument = stats_extremes(cells, y);
    return &all->of_argument;
  }
  if (!all->known[term->channel]) all->extremes[term->channel] = stats_extremes(cells, y);
  all->known[term->channel] = true;
  return &all->extremes[term->channel];
}

static double place_of(const UqQuestion *q, int along, int64_t cell, int axis)
{
  int index[3];
  indices(q, along, (int)cell, index);
  return uq_centres(q, along, axis)[index[axis]];
}

static double of_all_cells(UqExpressions all, const UqQuestion *q, const Term *term, const double y[])
{
  const int cells = term_cells(q, term), along = term->along;
  const ScoriaExtremes *e = extremes(all, cells, y, term);
  if (!e->finite) return NAN; /* which no comparison would show */
  switch (term->kind) {
  case TERM_MIN:
    return y[e->least];
  case TERM_MAX:
    return y[e->most];
  case TERM_ARGMIN:
  case TERM_ARGMIN_Y:
  case TERM_ARGMIN_Z:
    return place_of(q, along, e->least, (int)term->kind - TERM_ARGMIN);
  case TERM_ARGMAX:
  case TERM_ARGMAX_Y:
  case TERM_ARGMAX_Z:
    return place_of(q, along, e->most, (int)term->kind - TERM_ARGMAX);
  case TERM_INTEGRAL:
    return space_length(q->space, all->theta, all->length[along]) * mean_of(all, q, along, y, 0, 1);
  case TERM_SD:
    return sqrt(mean_of(all, q, along, y, mean_of(all, q, along, y, 0, 1), 2));
  case TERM_QUANTILE:
    return stats_quantile_select(cells, y, term->p, all->sorted);
  case TERM_MEAN:
  default:
    return mean_of(all, q, along, y, 0, 1);
  }
}

static double term_value(UqExpressions all, const UqQuestion *q, const Term *term, const double fields[],
                         const double means[])
{
  double value;
  switch (term->at) {
  case TERM_AT_X:
    quantities_take(1, &term->place, means ? q->along : q->cells, means ? means : fields, &value);
    return value;
  case TERM_AT_POINT:
    return point_value(&term->point, fields + (size_t)term->place.channel * (size_t)q->cells);
  case TERM_OF_CELLS:
  default:
    return of_all_cells(all, q, term, argument_values(all, q, term, fields));
  }
}

void uq_evaluate(const UqQuestion *q, const double theta[], const double fields[], const double means[],
                 double quantities[])
{
  UqExpressions all = q->expressions;
  const int plain   = q->nquantities - q->derived;
  memset(all->known, 0, sizeof all->known);
  memcpy(all->theta, theta, (size_t)q->space->n * sizeof *theta);
  memcpy(all->quantity, quantities, (size_t)plain * sizeof *quantities);
  for (int i = 0; i < all->n; i++) {
    const Expression *e = &all->of[i];
    for (int t = 0; t < e->n; t++) all->term[t] = term_value(all, q, &e->term[t], fields, means);
    quantities[plain + i] = all->quantity[plain + i] = mupEval(e->outer);
  }
}

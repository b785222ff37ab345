/* uq: the values of the expressions for one row of fields. */
#include "uq_expressions.h"
#include <math.h>
#include <string.h>

/* The argument's values in all cells. */
static const double *argument_values(UqExpressions all, const UqQuestion *q, const Term *term, const double fields[])
{
  if (term->channel >= 0) return fields + (size_t)term->channel * (size_t)q->cells;
  for (int i = 0; i < q->cells; i++) {
    for (int c = 0; c < q->channels; c++) all->cell[c] = fields[c * q->cells + i];
    all->x       = q->x[i];
    all->work[i] = mupEval(term->argument);
  }
  return all->work;
}

static double mean_of(UqExpressions all, int cells, const double y[], double less, int power)
{
  double sum = 0;
  for (int i = 0; i < cells; i++) sum += all->width[i] * (power == 2 ? (y[i] - less) * (y[i] - less) : y[i] - less);
  return sum;
}

static double of_all_cells(UqExpressions all, const UqQuestion *q, const Term *term, const double y[])
{
  int least = 0, most = 0;
  for (int i = 0; i < q->cells; i++) {
    if (!isfinite(y[i])) return NAN; /* which no comparison would show */
    if (y[i] < y[least]) least = i;
    if (y[i] > y[most]) most = i;
  }
  switch (term->kind) {
  case TERM_MIN:
    return y[least];
  case TERM_MAX:
    return y[most];
  case TERM_ARGMIN:
    return q->x[least];
  case TERM_ARGMAX:
    return q->x[most];
  case TERM_INTEGRAL:
    return all->length * mean_of(all, q->cells, y, 0, 1);
  case TERM_SD:
    return sqrt(mean_of(all, q->cells, y, mean_of(all, q->cells, y, 0, 1), 2));
  case TERM_MEAN:
  default:
    return mean_of(all, q->cells, y, 0, 1);
  }
}

void uq_evaluate(const UqQuestion *q, const double theta[], const double fields[], double quantities[])
{
  UqExpressions all = q->expressions;
  const int plain   = q->nquantities - q->derived;
  memcpy(all->theta, theta, (size_t)q->space->n * sizeof *theta);
  memcpy(all->quantity, quantities, (size_t)plain * sizeof *quantities);
  for (int i = 0; i < all->n; i++) {
    const Expression *e = &all->of[i];
    for (int t = 0; t < e->n; t++) {
      const Term *term = &e->term[t];
      if (term->at_place)
        quantities_take(1, &term->place, q->cells, fields, &all->term[t]);
      else
        all->term[t] = of_all_cells(all, q, term, argument_values(all, q, term, fields));
    }
    quantities[plain + i] = all->quantity[plain + i] = mupEval(e->outer);
  }
}

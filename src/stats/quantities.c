/* Quantities of interest: numbers taken from the fields of one row. */
#include "scoria/stats.h"
#include <math.h>

static double extreme(bool largest, int cells, const double x[])
{
  const ScoriaExtremes e = stats_extremes(cells, x);
  return e.finite ? x[largest ? e.most : e.least] : NAN;
}

static double take(const ScoriaQuantity *q, int cells, const double fields[])
{
  const double *x = fields + (int64_t)q->channel * cells;
  switch (q->kind) {
  case SCORIA_QUANTITY_MIN:
  case SCORIA_QUANTITY_MAX:
    return extreme(q->kind == SCORIA_QUANTITY_MAX, q->cells ? q->cells : cells, x);
  case SCORIA_QUANTITY_AT:
  default:
    return q->offset + q->factor * (cells == 1 ? x[0] : (1 - q->weight) * x[q->cell] + q->weight * x[q->cell + 1]);
  }
}

void quantities_take(int nq, const ScoriaQuantity q[], int cells, const double fields[], double values[])
{
  for (int k = 0; k < nq; k++) values[k] = take(&q[k], cells, fields);
}

void cells_ends(int cells, const double x[], double end[2])
{
  const int last          = cells - 1;
  const bool nodes        = x[0] == 0;
  const double first_half = cells > 1 ? (x[1] - x[0]) / 2 : x[0],
               last_half  = cells > 1 ? (x[last] - x[last - 1]) / 2 : x[0];
  end[0]                  = nodes ? x[0] : x[0] - first_half;
  end[1]                  = nodes ? x[last] : x[last] + last_half;
  if (fabs(end[0]) < 1e-9 * fabs(first_half)) end[0] = 0; /* but for round-off of the centres */
}

void quantity_place(ScoriaQuantity *q, int cells, const double x[], double position)
{
  int cell = 0;
  while (cell + 2 < cells && x[cell + 1] <= position) cell++;
  q->kind   = SCORIA_QUANTITY_AT;
  q->cell   = cell;
  q->weight = cells > 1 ? (position - x[cell]) / (x[cell + 1] - x[cell]) : 0;
}

/* Quantities of interest: numbers taken from the fields of one row. */
#include "scoria/stats.h"
#include <math.h>

static double take(const ScoriaQuantity *q, int cells, const double fields[])
{
  const double *x = fields + (int64_t)q->channel * cells;
  double value    = x[0];
  switch (q->kind) {
  case SCORIA_QUANTITY_MIN:
    for (int i = 1; i < cells; i++) value = PetscMin(value, x[i]);
    return value;
  case SCORIA_QUANTITY_MAX:
    for (int i = 1; i < cells; i++) value = PetscMax(value, x[i]);
    return value;
  case SCORIA_QUANTITY_AT:
  default:
    return q->offset + q->factor * (cells == 1 ? value : (1 - q->weight) * x[q->cell] + q->weight * x[q->cell + 1]);
  }
}

void quantities_take(int nq, const ScoriaQuantity q[], int cells, const double fields[], double values[])
{
  for (int k = 0; k < nq; k++) values[k] = take(&q[k], cells, fields);
}

void quantity_place(ScoriaQuantity *q, int cells, const double x[], double position)
{
  int cell = 0;
  while (cell + 2 < cells && x[cell + 1] <= position) cell++;
  q->kind   = SCORIA_QUANTITY_AT;
  q->cell   = cell;
  q->weight = cells > 1 ? (position - x[cell]) / (x[cell + 1] - x[cell]) : 0;
}

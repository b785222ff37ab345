/* Quantities of interest: numbers taken from the fields of one row. */
#include "scoria/stats.h"
#include <math.h>

static double at_place(const ScoriaQuantity *q, int cells, const double x[])
{
  return q->offset + q->factor * (cells == 1 ? x[0] : (1 - q->weight) * x[q->cell] + q->weight * x[q->cell + 1]);
}

/* Both extremes of a channel are looked for at once. */
void quantities_take(int nq, const ScoriaQuantity q[], int cells, const double fields[], double values[])
{
  int known = -1; /* the channel whose extremes these are */
  ScoriaExtremes e;
  for (int k = 0; k < nq; k++) {
    const double *x = fields + (int64_t)q[k].channel * cells;
    if (q[k].kind != SCORIA_QUANTITY_MIN && q[k].kind != SCORIA_QUANTITY_MAX) {
      values[k] = at_place(&q[k], cells, x);
      continue;
    }
    if (known != q[k].channel) e = stats_extremes(q[k].cells ? q[k].cells : cells, x);
    known     = q[k].channel;
    values[k] = e.finite ? x[q[k].kind == SCORIA_QUANTITY_MAX ? e.most : e.least] : NAN;
  }
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

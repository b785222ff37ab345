/* The curves of a condition: moments and quantiles along x, of the fields and of the fields minus their first cell. */
#include "compare.h"
#include <math.h>
#include <string.h>

PetscErrorCode CompareCreateConditions(ComparisonSet *set)
{
  const size_t m = (size_t)(set->channels * set->cells);
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(set->conditions, &set->c));
  for (int k = 0; k < set->conditions; k++)
    for (int s = 0; s < SCORIA_NFROM; s++) {
      for (int v = 0; v < SCORIA_NVIEWS; v++) PetscCall(PetscCalloc1(SCORIA_NCURVES * m, &set->c[k].curve[v][s]));
      PetscCall(PetscCalloc1(COMPARE_EXAMPLES * m, &set->c[k].example[s]));
    }
  PetscFunctionReturn(0);
}

PetscErrorCode CompareDestroyConditions(ComparisonSet *set)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < set->conditions; k++)
    for (int s = 0; s < SCORIA_NFROM; s++) {
      for (int v = 0; v < SCORIA_NVIEWS; v++) PetscCall(PetscFree(set->c[k].curve[v][s]));
      PetscCall(PetscFree(set->c[k].example[s]));
    }
  PetscCall(PetscFree(set->c));
  PetscFunctionReturn(0);
}

static int ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Mean, SD and quantiles (SCORIA_NCURVES, m); column is (n) scratch. */
static void fill_curves(int64_t n, int m, const double fields[], double column[], double curve[])
{
  stats_moments(n, m, fields, curve + SCORIA_CURVE_MEAN * m, curve + SCORIA_CURVE_SD * m);
  for (int j = 0; j < m; j++) {
    for (int64_t i = 0; i < n; i++) column[i] = fields[i * m + j];
    qsort(column, (size_t)n, sizeof *column, ascending);
    for (int q = 0; q < SCORIA_NCURVES; q++)
      if (!isnan(scoria_curves[q].probability))
        curve[q * m + j] = stats_quantile(n, column, scoria_curves[q].probability);
  }
}

void compare_subtract_first(int64_t n, int channels, int cells, double fields[])
{
  for (int64_t i = 0; i < n * channels; i++) {
    double *field      = fields + i * cells;
    const double first = field[0];
    for (int j = 0; j < cells; j++) field[j] -= first;
  }
}

PetscErrorCode CompareFillCurves(const ComparisonSet *set, int64_t n, double fields[], int source, Comparison *c)
{
  const int m = set->channels * set->cells;
  double *column;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(n, &column));
  for (int e = 0; e < COMPARE_EXAMPLES; e++)
    memcpy(c->example[source] + e * m, fields + (e % n) * m, (size_t)m * sizeof(double));
  fill_curves(n, m, fields, column, c->curve[SCORIA_VIEW_FIELD][source]);
  compare_subtract_first(n, set->channels, set->cells, fields);
  fill_curves(n, m, fields, column, c->curve[SCORIA_VIEW_RELATIVE][source]);
  PetscCall(PetscFree(column));
  PetscFunctionReturn(0);
}

/* Nearest neighbours, and whether samples lie nearer to what was learned than new draws do. */
#include "scoria/linalg.h"
#include "scoria/stats.h"
#include "sort.h"
#include <math.h>

enum { TILE = 256 };

static double square(int d, const double x[])
{
  double sum = 0;
  for (int k = 0; k < d; k++) sum += x[k] * x[k];
  return sum;
}

PetscErrorCode ScoriaNearest(int64_t n, const double a[], int64_t N, const double t[], int d, double nearest[])
{
  double *product, *squares;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(TILE * N, &product, N, &squares));
  for (int64_t j = 0; j < N; j++) squares[j] = square(d, t + j * d);
  for (int64_t first = 0; first < n; first += TILE) {
    const int rows = (int)PetscMin(TILE, n - first);
    la_gemm(false, true, rows, (int)N, d, -2, a + first * d, d, t, d, 0, product, (int)N);
    for (int i = 0; i < rows; i++) {
      const double own = square(d, a + (first + i) * d);
      double least     = INFINITY;
      for (int64_t j = 0; j < N; j++) least = PetscMin(least, product[i * N + j] + squares[j]);
      nearest[first + i] = sqrt(PetscMax(own + least, 0));
    }
  }
  PetscCall(PetscFree2(product, squares));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaMemorisationTake(int64_t n, double sample[], int64_t nr, double reference[],
                                      ScoriaMemorisation *found)
{
  double *work;
  int64_t nearer = 0;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(PetscMax(n, nr), &work));
  sort_ascending(n, sample, work);
  sort_ascending(nr, reference, work);
  PetscCall(PetscFree(work));
  /* The k-th smallest of nr draws has a share k / (nr + 1) of further ones below it on average. */
  const double place  = PetscMax(SCORIA_NEAR_SHARE * (double)(nr + 1), 1) - 1;
  const int64_t below = PetscMin((int64_t)place, nr - 1), above = PetscMin(below + 1, nr - 1);
  const double limit = reference[below] + (place - (double)below) * (reference[above] - reference[below]);
  while (nearer < n && sample[nearer] < limit) nearer++;
  found->median_ratio   = stats_quantile(n, sample, 0.5) / stats_quantile(nr, reference, 0.5);
  found->share_nearer   = (double)nearer / (double)n;
  found->share_expected = (place + 1) / (double)(nr + 1);
  PetscFunctionReturn(0);
}

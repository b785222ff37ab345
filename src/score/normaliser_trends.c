/* Trends that quieter directions have (reduced-rank regression: Izenman 1975).
 *
 * Where the conditions act on fields through few functions of theirs, sin(3 a) at every x say, a direction of little
 * noise tells such a function nearly exactly, and one of much noise then pays for its amplitude alone instead of for
 * every power of its polynomial.  The functions are the principal ones of the trends of all directions that are
 * much quieter than the one in question: their noise is uncorrelated with its, so that they may be regressed on as
 * powers are. */
#include "scoria/linalg.h"
#include "normaliser_fit.h"
#include <math.h>
#include <string.h>

/* G (p - 1, p - 1): the second moments over the quieter directions [first, m) of their trends' coefficients but for
 * the constant's. */
static void sum_trends(int p, int m, int first, const double along[], double G[])
{
  const size_t n = (size_t)p - 1;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j <= i; j++) {
      double sum = 0;
      for (int k = first; k < m; k++)
        sum += along[(i + 1) * (size_t)m + (size_t)k] * along[(j + 1) * (size_t)m + (size_t)k];
      G[i * n + j] = sum;
    }
}

#define LEAST_TREND 1e-14 /* of the largest's squares: rounding */

PetscErrorCode NormFindTrends(MPI_Comm comm, int p, int m, int first, int most, const double along[],
                              NormTrends *trends)
{
  const int n = p - 1;
  double *G, *w;
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PetscArrayzero(trends->V, (size_t)p * NORM_TRENDS));
  trends->r = first < m ? PetscMin(most, PetscMin(n, m - first)) : 0;
  if (trends->r < 1) PetscFunctionReturn(0);
  PetscCall(PetscCalloc2((size_t)n * n, &G, n, &w));
  if (rank == 0) {
    sum_trends(p, m, first, along, G);
    PetscCall(LinalgEigen(n, G, w));
    for (int r = 0; r < trends->r; r++) {
      trends->share[r] = w[n - 1 - r] > LEAST_TREND * w[n - 1] ? sqrt(w[n - 1 - r] / w[n - 1]) : 0;
      for (int i = 0; i < n && trends->share[r] > 0; i++)
        trends->V[(size_t)(i + 1) * NORM_TRENDS + r] = G[(size_t)(n - 1 - r) * n + i];
    }
  }
  PetscCall(PetscFree2(G, w));
  PetscCall(NormShare(comm, NORM_TRENDS, trends->share));
  PetscCall(NormShare(comm, (size_t)p * NORM_TRENDS, trends->V));
  PetscFunctionReturn(0);
}

PetscErrorCode NormTrendsCreate(int64_t slots, int p, NormTrends *trends)
{
  PetscFunctionBeginUser;
  *trends = (NormTrends){0};
  PetscCall(PetscMalloc2((size_t)p * NORM_TRENDS, &trends->V, (size_t)slots * (p + NORM_TRENDS), &trends->X));
  PetscFunctionReturn(0);
}

PetscErrorCode NormTrendsDestroy(NormTrends *trends)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(trends->V, trends->X));
  PetscFunctionReturn(0);
}

void norm_trends_design(const NormTrends *trends, NormDesign *design)
{
  const int p = design->p, width = p + trends->r;
  if (trends->r == 0) return; /* the design is that of the powers */
  for (int t = 0; t < design->tiles.tiles; t++)
    for (int64_t i = design->tiles.start[t]; i < design->tiles.start[t] + design->tiles.used[t]; i++) {
      const double *from = design->X + i * p;
      double *to         = trends->X + i * width;
      memcpy(to, from, (size_t)p * sizeof *to);
      for (int r = 0; r < trends->r; r++) {
        to[p + r] = 0;
        for (int j = 0; j < p; j++) to[p + r] += from[j] * trends->V[(size_t)j * NORM_TRENDS + (size_t)r];
      }
    }
  design->X = trends->X;
  design->p = width;
}

void norm_trends_resolve(const NormTrends *trends, int p, double coef[])
{
  for (int j = 0; j < p; j++)
    for (int r = 0; r < trends->r; r++) coef[j] += coef[p + r] * trends->V[(size_t)j * NORM_TRENDS + (size_t)r];
}

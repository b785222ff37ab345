/* Energy distance (Szekely and Rizzo 2013) with a permutation test.
 *
 * With n rows in each sample, labels s = +1 and -1, and D the distances between all 2 n rows,
 *   2 E|X - Y| - E|X - X'| - E|Y - Y'| = -s^T D s / n^2,
 * so that all permutations of the labels are one matrix product. */
#include "scoria/linalg.h"
#include "scoria/stats.h"
#include "distances.h"
#include <math.h>

enum { PERMUTATIONS = 199 };

/* Rows of a, then of b, in units of the scale; columns without scale are left out. */
static void scale_rows(int64_t n, const double a[], const double b[], int m, const double scale[], double Z[])
{
  for (int64_t i = 0; i < 2 * n; i++) {
    const double *x = i < n ? a + i * m : b + (i - n) * m;
    for (int j = 0; j < m; j++) Z[i * m + j] = scale[j] > 0 ? (x[j] - b[j]) / scale[j] : 0;
  }
}

/* D (N, N) from Z (N, m). */
static void distances(int N, int m, const double Z[], double square[], double D[])
{
  la_gemm(false, true, N, N, m, -2, Z, m, Z, m, 0, D, N);
  for (int i = 0; i < N; i++) square[i] = -D[(size_t)i * N + i] / 2;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      const double gap2    = square[i] + square[j] + D[(size_t)i * N + j];
      D[(size_t)i * N + j] = i != j && gap2 > 0 ? sqrt(gap2) : 0;
    }
}

/* Labels (N, PERMUTATIONS + 1): the true ones first, then permuted ones. */
static PetscErrorCode MakeLabels(int N, uint64_t seed, double S[])
{
  int64_t *order;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(N, &order));
  for (int p = 0; p <= PERMUTATIONS; p++) {
    if (p) rng_permutation(seed, SCORIA_STREAM_PERMUTATION, (uint64_t)p, N, order);
    for (int i = 0; i < N; i++) S[(size_t)(p ? order[i] : i) * (PERMUTATIONS + 1) + p] = i < N / 2 ? 1 : -1;
  }
  PetscCall(PetscFree(order));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaEnergyTest(int64_t n, const double a[], const double b[], int m, const double scale[],
                                uint64_t seed, double *distance, double *p)
{
  const int N = (int)(2 * n), P = PERMUTATIONS + 1;
  double *Z, *D, *S, *DS, *square, value[PERMUTATIONS + 1] = {0};
  int as_large = 0;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc5((size_t)N * m, &Z, (size_t)N * N, &D, (size_t)N * P, &S, (size_t)N * P, &DS, N, &square));
  scale_rows(n, a, b, m, scale, Z);
  distances(N, m, Z, square, D);
  PetscCall(MakeLabels(N, seed, S));
  la_gemm(false, false, N, P, N, 1, D, N, S, P, 0, DS, P);
  for (int i = 0; i < N; i++)
    for (int k = 0; k < P; k++) value[k] -= S[(size_t)i * P + k] * DS[(size_t)i * P + k];
  for (int k = 0; k < P; k++) as_large += value[k] >= value[0]; /* the true labels among them */
  *distance = value[0] / ((double)n * (double)n);
  *p        = (double)as_large / P;
  PetscCall(PetscFree5(Z, D, S, DS, square));
  PetscFunctionReturn(0);
}

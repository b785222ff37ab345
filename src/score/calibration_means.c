/* Regressions whose coefficients are shrunk by what the rows say of their size. */
#include "calibration_fit.h"
#include "scoria/linalg.h"
#include <math.h>

#define LEAST_VARIANCE -17                    /* log2 of s: 10^5 rows would not show it */
#define MOST_VARIANCE -3                      /* .35 of a coordinate's spread */
static const double decay[] = {1, 0.5, 0.25}; /* rho */

static int order_of(const NormPoly *poly, int term)
{
  int order = 0;
  for (int j = 0; j < poly->d; j++) order += poly->power[term * poly->d + j];
  return order;
}

/* A = the precision of the coefficients given the rows, as its Cholesky factor, and B (p, r) their means; what the
 * evidence has of all coordinates. */
static PetscErrorCode Posterior(const NormPoly *poly, const CalibrationSums *rows, double s, double rho, double A[],
                                double B[], double *common)
{
  const int p = rows->p;
  PetscFunctionBeginUser;
  *common = 0;
  PetscCall(PetscArraycpy(A, rows->xx, p * p));
  PetscCall(PetscArraycpy(B, rows->xy, p * rows->r));
  for (int i = 1; i < p; i++) {
    const double variance = s * pow(rho, order_of(poly, i));
    A[i * p + i] += 1 / variance;
    *common -= log(variance);
  }
  PetscCheck(la_cholesky(p, A), PETSC_COMM_SELF, PETSC_ERR_PLIB, "regression of %d terms", p);
  la_cholesky_solve(p, A, rows->r, B);
  for (int i = 0; i < p; i++) *common -= 2 * log(A[i * p + i]);
  PetscFunctionReturn(0);
}

PetscErrorCode CalibrationMeans(const NormPoly *poly, const CalibrationSums *rows, double mean[])
{
  const int p = rows->p, r = rows->r;
  double *A, *B, *best, common;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(p * p, &A, p * r, &B, r, &best));
  for (int k = 0; k < r; k++) best[k] = -INFINITY;
  for (int log2s = LEAST_VARIANCE; log2s <= MOST_VARIANCE; log2s++)
    for (size_t q = 0; q < sizeof decay / sizeof *decay; q++) {
      PetscCall(Posterior(poly, rows, ldexp(1, log2s), decay[q], A, B, &common));
      for (int k = 0; k < r; k++) {
        double evidence = common;
        for (int i = 0; i < p; i++) evidence += B[i * r + k] * rows->xy[i * r + k];
        if (!(evidence > best[k])) continue;
        best[k] = evidence;
        for (int i = 0; i < p; i++) mean[i * r + k] = B[i * r + k];
      }
    }
  PetscCall(PetscFree3(A, B, best));
  PetscFunctionReturn(0);
}

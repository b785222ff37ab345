/* Polynomials in the conditions, and the two regressions over conditions that the normaliser is made of. */
#include "base/linalg.h"
#include "normaliser.h"
#include <math.h>
#include <string.h>

/* Next vector of powers of total degree <= degree, counting up from the last; false past the end. */
static bool next_power(int d, int degree, int power[])
{
  for (int j = d - 1; j >= 0; j--) {
    int total = 0;
    power[j]++;
    for (int k = 0; k < d; k++) total += power[k];
    if (total <= degree) return true;
    power[j] = 0;
  }
  return false;
}

static bool power_allowed(int d, const int levels[], const int power[])
{
  for (int j = 0; j < d; j++)
    if (power[j] >= levels[j]) return false;
  return true;
}

PetscErrorCode NormPolyCreate(int d, int degree, const int levels[], NormPoly *poly)
{
  int power[SCORIA_MAX_CONDITIONS] = {0};
  PetscFunctionBeginUser;
  PetscCheck(degree <= NORM_MAX_DEGREE, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "polynomial of degree %d", degree);
  *poly = (NormPoly){.d = d, .degree = degree};
  do poly->terms += power_allowed(d, levels, power);
  while (next_power(d, degree, power));
  PetscCall(PetscCalloc1((size_t)poly->terms * (d > 0 ? d : 1), &poly->power));
  memset(power, 0, sizeof power);
  int term = 0;
  do
    if (power_allowed(d, levels, power)) {
      for (int j = 0; j < d; j++) poly->power[term * d + j] = power[j];
      term++;
    }
  while (next_power(d, degree, power));
  PetscFunctionReturn(0);
}

PetscErrorCode NormPolyDestroy(NormPoly *poly)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(poly->power));
  PetscFunctionReturn(0);
}

void norm_poly_values(const NormPoly *poly, const double u[], double value[])
{
  double legendre[SCORIA_MAX_CONDITIONS][NORM_MAX_DEGREE + 1];
  for (int j = 0; j < poly->d; j++) {
    double before = 0, now = 1; /* (n + 1) P_{n+1} = (2 n + 1) u P_n - n P_{n-1} */
    for (int n = 0; n <= poly->degree; n++) {
      legendre[j][n]    = sqrt(2 * n + 1) * now;
      const double next = ((2 * n + 1) * u[j] * now - n * before) / (n + 1);
      before            = now;
      now               = next;
    }
  }
  for (int i = 0; i < poly->terms; i++) {
    value[i] = 1;
    for (int j = 0; j < poly->d; j++) value[i] *= legendre[j][poly->power[i * poly->d + j]];
  }
}

/* WX = weights (normalised to sum 1) times X, and the Cholesky factor of X^T W X.  The ridge only keeps conditions on a
 * lower-dimensional set (a line through the space) solvable: 1e-11 of the largest diagonal, far below any sampling
 * error. */
static PetscErrorCode design_factor(const NormDesign *design, double WX[], double factor[])
{
  const int n = design->n, p = design->p;
  double sum = 0, largest = 0;
  PetscFunctionBeginUser;
  for (int i = 0; i < n; i++) sum += design->w[i];
  for (int i = 0; i < n; i++)
    for (int j = 0; j < p; j++) WX[(size_t)i * p + j] = design->w[i] / sum * design->X[(size_t)i * p + j];
  la_gemm(true, false, p, p, n, 1, WX, p, design->X, p, 0, factor, p);
  for (int j = 0; j < p; j++) largest = PetscMax(largest, factor[j * p + j]);
  for (int j = 0; j < p; j++) factor[j * p + j] += 1e-11 * largest;
  PetscCheck(la_cholesky(p, factor), PETSC_COMM_SELF, PETSC_ERR_PLIB, "regression of %d terms on %d conditions", p, n);
  PetscFunctionReturn(0);
}

PetscErrorCode NormLeastSquares(const NormDesign *design, const double Y[], double B[])
{
  const int n = design->n, p = design->p, q = design->q;
  double *WX, *factor;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)n * p, &WX, (size_t)p * p, &factor));
  PetscCall(design_factor(design, WX, factor));
  la_gemm(true, false, p, q, n, 1, WX, p, Y, q, 0, B, q);
  la_cholesky_solve(p, factor, q, B);
  PetscCall(PetscFree2(WX, factor));
  PetscFunctionReturn(0);
}

/* Scales column j of step (p, q) so that no condition's linear predictor (n, q) moves by more than 2: scoring from a
 * poor start can overshoot, as the link is exponential.  Returns the largest move. */
static double damp_step(int n, int p, int q, const double move[], double step[])
{
  double largest = 0;
  for (int j = 0; j < q; j++) {
    double most = 0;
    for (int i = 0; i < n; i++) most = PetscMax(most, fabs(move[(size_t)i * q + j]));
    if (most > 2)
      for (int k = 0; k < p; k++) step[(size_t)k * q + j] *= 2 / most;
    largest = PetscMax(largest, most);
  }
  return largest;
}

PetscErrorCode NormGammaRegression(const NormDesign *design, const double S2[], double B[])
{
  const int n = design->n, p = design->p, q = design->q;
  const size_t nq = (size_t)n * q, pq = (size_t)p * q;
  double *WX, *factor, *eta, *step;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc4((size_t)n * p, &WX, (size_t)p * p, &factor, nq, &eta, pq, &step));
  for (size_t i = 0; i < nq; i++) eta[i] = log(S2[i]);
  PetscCall(NormLeastSquares(design, eta, B));
  PetscCall(design_factor(design, WX, factor));
  for (int iteration = 0; iteration < 200; iteration++) {
    la_gemm(false, false, n, q, p, 1, design->X, p, B, q, 0, eta, q);
    for (size_t i = 0; i < nq; i++) eta[i] = S2[i] * exp(-eta[i]) - 1;
    la_gemm(true, false, p, q, n, 1, WX, p, eta, q, 0, step, q);
    la_cholesky_solve(p, factor, q, step);
    la_gemm(false, false, n, q, p, 1, design->X, p, step, q, 0, eta, q);
    const double moved = damp_step(n, p, q, eta, step);
    for (size_t i = 0; i < pq; i++) B[i] += step[i];
    if (moved < 1e-9) break; /* of a log variance: far below its sampling error */
  }
  PetscCall(PetscFree4(WX, factor, eta, step));
  PetscFunctionReturn(0);
}

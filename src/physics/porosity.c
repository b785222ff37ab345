/* Random porosity in one dimension:
 *
 *   eps = min + (max - min) sigmoid(logit_mean + sigma g),   g ~ GP(0, k(|x - x'|; ell)) at the cell centres,
 *
 * drawn as g = L z, C = L L^T (Cholesky, kept per ell since conditions repeat), z standard normals keyed by the
 * realisation. Kernels after Rasmussen and Williams (2006), chapter 4. */
#include "internal.h"
#include <lapacke.h>
#include <math.h>
#include <string.h>

#define FACTORS 4 /* correlation lengths kept */

typedef double (*Kernel)(double r); /* covariance at distance r, in correlation lengths */

static double kernel_se(double r)
{
  return exp(-0.5 * r * r);
}

static double kernel_matern12(double r)
{
  return exp(-r);
}

static double kernel_matern32(double r)
{
  const double z = sqrt(3.0) * r;
  return (1.0 + z) * exp(-z);
}

static double kernel_matern52(double r)
{
  const double z = sqrt(5.0) * r;
  return (1.0 + z + z * z / 3.0) * exp(-z);
}

/* In the order of the choices of porosity_kernel. */
static const Kernel kernels[] = {kernel_se, kernel_matern12, kernel_matern32, kernel_matern52};

typedef struct {
  double ell; /* 0: empty */
  uint64_t used;
  double *lower; /* owned: rows of the factor, row i has i + 1 entries */
} Factor;

struct ScoriaPorosity_ {
  int cells;
  double L, min, max, mean, sigma;
  uint64_t seed, clock;
  Kernel kernel;
  Factor factor[FACTORS];
  double *z;      /* owned: (cells) */
  double *square; /* owned: (cells, cells), for the factorisation */
};

PetscErrorCode ScoriaPorosityCreate(ScoriaDeck deck, int cells, double L, ScoriaPorosity *por)
{
  ScoriaPorosity p;
  PetscInt kernel = 0, seed = 1;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&p));
  p->cells = cells;
  p->L     = L;
  PetscCall(ScoriaDeckChoice(deck, "porosity_kernel", &kernel));
  PetscCall(ScoriaDeckReal(deck, "porosity_min", &p->min));
  PetscCall(ScoriaDeckReal(deck, "porosity_max", &p->max));
  PetscCall(ScoriaDeckReal(deck, "porosity_logit_mean", &p->mean));
  PetscCall(ScoriaDeckReal(deck, "porosity_sigma", &p->sigma));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  if (p->min > p->max)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "porosity_min: found %g, allowed up to porosity_max = %g", p->min, p->max);
  p->kernel = kernels[kernel];
  p->seed   = (uint64_t)seed;
  PetscCall(PetscMalloc2(cells, &p->z, (size_t)cells * (size_t)cells, &p->square));
  *por = p;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaPorosityDestroy(ScoriaPorosity *por)
{
  ScoriaPorosity p = *por;
  PetscFunctionBeginUser;
  if (!p) PetscFunctionReturn(0);
  for (int i = 0; i < FACTORS; i++) PetscCall(PetscFree(p->factor[i].lower));
  PetscCall(PetscFree2(p->z, p->square));
  PetscCall(PetscFree(*por));
  PetscFunctionReturn(0);
}

static void covariance(const ScoriaPorosity p, double ell, double jitter, double C[])
{
  const int n = p->cells;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) C[(size_t)i * n + j] = p->kernel(abs(i - j) * p->L / (n * ell));
  for (int i = 0; i < n; i++) C[(size_t)i * n + i] += jitter;
}

/* A smooth kernel is singular to rounding on a fine grid.  The jitter starts where Cholesky's own rounding, n times the
 * unit roundoff, is well covered, and ends at 1e-8: a standard deviation of 1e-4, below anything a solution shows. */
static PetscErrorCode FactorCovariance(ScoriaPorosity p, double ell, Factor *f)
{
  const int n     = p->cells;
  lapack_int info = 1;
  PetscFunctionBeginUser;
  for (double jitter = 1e-10; info && jitter < 2e-8; jitter *= 10) {
    covariance(p, ell, jitter, p->square);
    /* column-major upper = row-major lower: rows of the factor are contiguous */
    info = LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'U', n, p->square, n);
  }
  PetscCheck(!info, PETSC_COMM_SELF, PETSC_ERR_LIB, "Covariance of %d cells at ell = %g m is not positive definite", n,
             ell);
  if (!f->lower) PetscCall(PetscMalloc1((size_t)n * ((size_t)n + 1) / 2, &f->lower));
  for (int i = 0; i < n; i++)
    memcpy(f->lower + (size_t)i * ((size_t)i + 1) / 2, p->square + (size_t)i * n, ((size_t)i + 1) * sizeof(double));
  f->ell = ell;
  PetscFunctionReturn(0);
}

/* The factor at ell: kept, or made in the place of the one used longest ago. */
static PetscErrorCode GetFactor(ScoriaPorosity p, double ell, const double **lower)
{
  Factor *f = &p->factor[0];
  PetscFunctionBeginUser;
  for (int i = 0; i < FACTORS && f->ell != ell; i++)
    if (p->factor[i].ell == ell || p->factor[i].used < f->used) f = &p->factor[i];
  if (f->ell != ell) PetscCall(FactorCovariance(p, ell, f));
  f->used = ++p->clock;
  *lower  = f->lower;
  PetscFunctionReturn(0);
}

static double sigmoid_porosity(const ScoriaPorosity p, double g)
{
  return p->min + (p->max - p->min) / (1.0 + exp(-(p->mean + p->sigma * g)));
}

PetscErrorCode ScoriaPorosityDraw(ScoriaPorosity p, double ell, uint64_t id, double eps[])
{
  const double *row = NULL;
  PetscFunctionBeginUser;
  PetscCall(GetFactor(p, ell, &row));
  rng_normal(p->seed, SCORIA_STREAM_POROSITY, id, 0, p->cells, p->z);
  for (int i = 0; i < p->cells; i++) {
    double sum[4] = {0, 0, 0, 0}; /* a fixed order of four chains, which the compiler may run side by side */
    int j         = 0;
    for (; j + 4 <= i + 1; j += 4)
      for (int k = 0; k < 4; k++) sum[k] += row[j + k] * p->z[j + k];
    for (; j <= i; j++) sum[0] += row[j] * p->z[j];
    eps[i] = sigmoid_porosity(p, (sum[0] + sum[1]) + (sum[2] + sum[3]));
    row += i + 1;
  }
  PetscFunctionReturn(0);
}

/* E[eps^-b] over the marginal g ~ N(0, 1) by the trapezoidal rule, which converges geometrically for such integrands.
 */
PetscErrorCode ScoriaPorosityEffective(ScoriaPorosity p, double b, double *eps)
{
  double sum = 0, weights = 0;
  PetscFunctionBeginUser;
  for (int i = -800; i <= 800; i++) {
    const double g = 0.0125 * i, weight = exp(-0.5 * g * g);
    weights += weight;
    sum += weight * pow(sigmoid_porosity(p, g), -b);
  }
  *eps = b == 0 ? sigmoid_porosity(p, 0) : pow(sum / weights, -1.0 / b);
  PetscFunctionReturn(0);
}

/* The Cholesky factors of the covariance of a line of cells, kept per correlation length since conditions repeat. */
#include "porosity_line.h"
#include <lapacke.h>
#include <string.h>

#define FACTORS 4 /* correlation lengths kept */

typedef struct {
  double ell, length; /* ell 0: empty */
  uint64_t used;
  double *lower; /* owned: rows of the factor, row i has i + 1 entries */
} Factor;

struct GaussianLine_ {
  const FieldKernel *kernel; /* borrowed */
  int cells, first, number;
  double L; /* along x */
  uint64_t clock;
  Factor factor[FACTORS];
  double *square; /* owned: (cells, cells), for the factorisation */
};

PetscErrorCode GaussianLineCreate(const ScoriaGrid *grid, const FieldKernel *kernel, int first, int number,
                                  GaussianLine *line)
{
  const size_t n = (size_t)grid->n[0];
  GaussianLine l;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&l));
  l->kernel = kernel;
  l->cells  = grid->n[0];
  l->first  = first;
  l->number = number;
  l->L      = grid->length[0];
  PetscCall(PetscMalloc1(n * n, &l->square));
  *line = l;
  PetscFunctionReturn(0);
}

PetscErrorCode GaussianLineDestroy(GaussianLine *line)
{
  GaussianLine l = *line;
  PetscFunctionBeginUser;
  if (!l) PetscFunctionReturn(0);
  for (int i = 0; i < FACTORS; i++) PetscCall(PetscFree(l->factor[i].lower));
  PetscCall(PetscFree(l->square));
  PetscCall(PetscFree(*line));
  PetscFunctionReturn(0);
}

int gaussian_line_cells(GaussianLine l)
{
  return l->cells;
}

void gaussian_line_set_length(GaussianLine l, double length)
{
  l->L = length;
}

static void covariance(const GaussianLine l, double ell, double jitter, double C[])
{
  const int n = l->cells;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) C[(size_t)i * n + j] = l->kernel->covariance(abs(i - j) * l->L / (n * ell));
  for (int i = 0; i < n; i++) C[(size_t)i * n + i] += jitter;
}

/* A smooth kernel is singular to rounding on a fine grid.  The jitter starts where Cholesky's own rounding, n times the
 * unit roundoff, is well covered, and ends at 1e-8: a standard deviation of 1e-4, below anything a solution shows. */
static PetscErrorCode FactorCovariance(GaussianLine l, double ell, Factor *f)
{
  const int n     = l->cells;
  lapack_int info = 1;
  PetscFunctionBeginUser;
  for (double jitter = 1e-10; info && jitter < 2e-8; jitter *= 10) {
    covariance(l, ell, jitter, l->square);
    /* column-major upper = row-major lower: rows of the factor are contiguous */
    info = LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'U', n, l->square, n);
  }
  PetscCheck(!info, PETSC_COMM_SELF, PETSC_ERR_LIB, "Covariance of %d cells at ell = %g m is not positive definite", n,
             ell);
  if (!f->lower) PetscCall(PetscMalloc1((size_t)n * ((size_t)n + 1) / 2, &f->lower));
  for (int i = 0; i < n; i++)
    memcpy(f->lower + (size_t)i * ((size_t)i + 1) / 2, l->square + (size_t)i * n, ((size_t)i + 1) * sizeof(double));
  f->ell    = ell;
  f->length = l->L;
  PetscFunctionReturn(0);
}

static bool is_factor(const GaussianLine l, double ell, const Factor *f)
{
  return f->ell == ell && f->length == l->L;
}

/* The factor at ell: kept, or made in the place of the one used longest ago. */
static PetscErrorCode GetFactor(GaussianLine l, double ell, const double **lower)
{
  Factor *f = &l->factor[0];
  PetscFunctionBeginUser;
  for (int i = 0; i < FACTORS && !is_factor(l, ell, f); i++)
    if (is_factor(l, ell, &l->factor[i]) || l->factor[i].used < f->used) f = &l->factor[i];
  if (!is_factor(l, ell, f)) PetscCall(FactorCovariance(l, ell, f));
  f->used = ++l->clock;
  *lower  = f->lower;
  PetscFunctionReturn(0);
}

PetscErrorCode GaussianLineFrom(GaussianLine l, double ell, const double z[], double g[])
{
  const double *row = NULL;
  PetscFunctionBeginUser;
  PetscCall(GetFactor(l, ell, &row));
  row += (size_t)l->first * ((size_t)l->first + 1) / 2;
  for (int i = l->first; i < l->first + l->number; i++) {
    double sum[4] = {0, 0, 0, 0}; /* a fixed order of four chains, which the compiler may run side by side */
    int j         = 0;
    for (; j + 4 <= i + 1; j += 4)
      for (int k = 0; k < 4; k++) sum[k] += row[j + k] * z[j + k];
    for (; j <= i; j++) sum[0] += row[j] * z[j];
    g[i - l->first] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    row += i + 1;
  }
  PetscFunctionReturn(0);
}

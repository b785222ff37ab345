/* Polynomials in the conditions, and the two regressions over conditions that the normaliser is made of. */
#include "scoria/linalg.h"
#include "normaliser.h"
#include "tile_sum.h"
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

static bool power_allowed(int d, const int below[], const int power[])
{
  for (int j = 0; j < d; j++)
    if (power[j] >= below[j]) return false;
  return true;
}

PetscErrorCode NormPolyCreate(int d, int degree, const int powers[], NormPoly *poly)
{
  int power[SCORIA_MAX_CONDITIONS] = {0};
  PetscFunctionBeginUser;
  PetscCheck(degree <= NORM_MAX_DEGREE, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "polynomial of degree %d", degree);
  *poly = (NormPoly){.d = d, .degree = degree};
  do poly->terms += power_allowed(d, powers, power);
  while (next_power(d, degree, power));
  PetscCall(PetscCalloc1((size_t)poly->terms * (d > 0 ? d : 1), &poly->power));
  memset(power, 0, sizeof power);
  int term = 0;
  do
    if (power_allowed(d, powers, power)) {
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

/* ------------------------------------------------------------------------------------------------- regressions ----
 *
 * Every rank adds up the normal equations of its tiles; rank 0 solves them and decides, and tells the others, so that
 * unlike processors agree. */

typedef struct {
  const NormDesign *design; /* borrowed */
  int rank;
  int most;     /* conditions of a tile */
  double *WX;   /* owned (most, p) */
  double *work; /* owned (most, q) */
  double *part; /* owned (p p + p q + 1): of a tile */
  double
      *factor; /* owned (p, p): Cholesky factor of X^T W X over the sum of W, on rank 0; or that itself, with masks */
  double *chosen; /* owned (p p + p): the same of the regressors of a response, and its coefficients */
  double *step;   /* owned (p q + 1): of rank 0 to all: B after a step, and how far that went */
  double total;   /* the sum of W, on rank 0 */
  double reach;   /* no condition's |x| is larger */
  TileSum moments, right;
} Regression;

static PetscErrorCode RegressionCreate(const NormDesign *design, Regression *r)
{
  const int p = design->p, q = design->q;
  PetscFunctionBeginUser;
  *r = (Regression){.design = design, .most = 1};
  PetscCallMPI(MPI_Comm_rank(design->tiles.comm, &r->rank));
  for (int t = 0; t < design->tiles.tiles; t++) r->most = PetscMax(r->most, design->tiles.used[t]);
  PetscCall(PetscMalloc6((size_t)r->most * p, &r->WX, (size_t)r->most * q, &r->work, (size_t)p * p + (size_t)p * q + 1,
                         &r->part, (size_t)p * p, &r->factor, (size_t)p * q + 1, &r->step, (size_t)p * p + (size_t)p,
                         &r->chosen));
  PetscCall(TileSumCreate(design->tiles.comm, (int64_t)p * p + 1, &r->moments));
  PetscCall(TileSumCreate(design->tiles.comm, (int64_t)p * q, &r->right));
  PetscFunctionReturn(0);
}

static PetscErrorCode RegressionDestroy(Regression *r)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree6(r->WX, r->work, r->part, r->factor, r->step, r->chosen));
  PetscCall(TileSumDestroy(&r->moments));
  PetscCall(TileSumDestroy(&r->right));
  PetscFunctionReturn(0);
}

/* WX of a tile, and its rows of X. */
static const double *weigh_tile(const Regression *r, int t)
{
  const NormDesign *design = r->design;
  const int64_t start      = design->tiles.start[t];
  const double *X          = design->X + start * design->p;
  for (int i = 0; i < design->tiles.used[t]; i++)
    for (int j = 0; j < design->p; j++)
      r->WX[(size_t)i * design->p + j] = design->w[start + i] * X[(size_t)i * design->p + j];
  return X;
}

/* Adds WX^T y to the right-hand sides, y (used[t], q). */
static void add_right(Regression *r, int t, const double y[])
{
  const int p = r->design->p, q = r->design->q;
  la_gemm(true, false, p, q, r->design->tiles.used[t], 1, r->WX, p, y, q, 0, r->part, q);
  tile_sum_add(&r->right, 0, p * q, r->part);
}

/* factor and total.  The ridge only keeps conditions on a lower-dimensional set (a line through the space) solvable:
 * 1e-11 of the largest diagonal, far below any sampling error. */
static PetscErrorCode Factor(Regression *r)
{
  const int p    = r->design->p;
  double largest = 0;
  PetscFunctionBeginUser;
  PetscCall(TileSumTake(&r->moments, r->part));
  if (r->rank) PetscFunctionReturn(0);
  r->total = r->part[p * p];
  for (int j = 0; j < p * p; j++) r->factor[j] = r->part[j] / r->total;
  for (int j = 0; j < p; j++) largest = PetscMax(largest, r->factor[j * p + j]);
  for (int j = 0; j < p; j++) r->factor[j * p + j] += 1e-11 * largest;
  if (r->design->use) PetscFunctionReturn(0);
  PetscCheck(la_cholesky(p, r->factor), PETSC_COMM_SELF, PETSC_ERR_PLIB, "regression of %d terms", p);
  PetscFunctionReturn(0);
}

/* Column j of B from its right-hand side, by the regressors that it uses. */
static PetscErrorCode SolveMasked(Regression *r, int j, double B[])
{
  const int p = r->design->p, q = r->design->q;
  const bool *use = r->design->use + (size_t)j * p;
  double *own     = r->chosen + (size_t)p * p;
  int n           = 0, k;
  PetscFunctionBeginUser;
  for (int i = 0; i < p; i++) n += use[i];
  k = 0;
  for (int i = 0; i < p; i++) {
    if (!use[i]) continue;
    own[k] = B[(size_t)i * q + j];
    for (int l = 0, at = k++ * n; l < p; l++)
      if (use[l]) r->chosen[at++] = r->factor[i * p + l];
  }
  PetscCheck(la_cholesky(n, r->chosen), PETSC_COMM_SELF, PETSC_ERR_PLIB, "regression of %d terms", n);
  la_cholesky_solve(n, r->chosen, 1, own);
  k = 0;
  for (int i = 0; i < p; i++) B[(size_t)i * q + j] = use[i] ? own[k++] : 0;
  PetscFunctionReturn(0);
}

/* B, or a step to it, from the right-hand sides; on rank 0. */
static PetscErrorCode SolveRight(Regression *r, double B[])
{
  const size_t pq = (size_t)r->design->p * r->design->q;
  PetscFunctionBeginUser;
  PetscCall(TileSumTake(&r->right, B));
  if (r->rank) PetscFunctionReturn(0);
  for (size_t k = 0; k < pq; k++) B[k] /= r->total;
  for (int j = 0; j < r->design->q && r->design->use; j++) PetscCall(SolveMasked(r, j, B));
  if (!r->design->use) la_cholesky_solve(r->design->p, r->factor, r->design->q, B);
  PetscFunctionReturn(0);
}

/* scale (q): powers of two that bring every column of Y to order 1; sets reach. */
static PetscErrorCode FindScales(Regression *r, const double Y[], double scale[])
{
  const NormDesign *design = r->design;
  const int p = design->p, q = design->q;
  PetscFunctionBeginUser;
  memset(scale, 0, ((size_t)q + 1) * sizeof *scale);
  for (int t = 0; t < design->tiles.tiles; t++)
    for (int64_t i = design->tiles.start[t]; i < design->tiles.start[t] + design->tiles.used[t]; i++) {
      double square = 0;
      for (int j = 0; j < p; j++) square += design->X[i * p + j] * design->X[i * p + j];
      for (int j = 0; j < q; j++) scale[j] = PetscMax(scale[j], fabs(Y[i * q + j]));
      scale[q] = PetscMax(scale[q], square);
    }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, scale, q + 1, MPI_DOUBLE, MPI_MAX, design->tiles.comm));
  r->reach = sqrt(scale[q]);
  for (int j = 0; j < q; j++) scale[j] = binary_scale(scale[j]);
  PetscFunctionReturn(0);
}

/* The moments of the regressors of a tile, whose WX is known, to r->moments. */
static void add_moments(Regression *r, int t, const double X[])
{
  const int p = r->design->p, n = r->design->tiles.used[t];
  double sum = 0;
  for (int i = 0; i < n; i++) sum += r->design->w[r->design->tiles.start[t] + i];
  la_gemm(true, false, p, p, n, 1, r->WX, p, X, p, 0, r->part, p);
  r->part[p * p] = sum;
  tile_sum_add(&r->moments, 0, p * p + 1, r->part);
}

/* Least squares, the first step of both regressions. */
static PetscErrorCode Begin(Regression *r, const double Y[], double B[])
{
  const NormDesign *design = r->design;
  const int p = design->p, q = design->q;
  double *scale;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(q + 1, &scale));
  PetscCall(FindScales(r, Y, scale));
  for (int t = 0; t < design->tiles.tiles; t++) {
    const int64_t start = design->tiles.start[t];
    const int n         = design->tiles.used[t];
    const double *X     = weigh_tile(r, t);
    if (n == 0) continue;
    for (int i = 0; i < n; i++)
      for (int j = 0; j < q; j++) r->work[(size_t)i * q + j] = Y[(start + i) * q + j] / scale[j];
    add_moments(r, t, X);
    add_right(r, t, r->work);
  }
  PetscCall(Factor(r));
  PetscCall(SolveRight(r, B));
  for (int k = 0; k < p && r->rank == 0; k++)
    for (int j = 0; j < q; j++) B[(size_t)k * q + j] *= scale[j];
  PetscCallMPI(MPI_Bcast(B, p * q, MPI_DOUBLE, 0, design->tiles.comm));
  PetscCall(PetscFree(scale));
  PetscFunctionReturn(0);
}

PetscErrorCode NormLeastSquares(const NormDesign *design, const double Y[], double B[])
{
  Regression r;
  PetscFunctionBeginUser;
  PetscCall(RegressionCreate(design, &r));
  PetscCall(Begin(&r, Y, B));
  PetscCall(RegressionDestroy(&r));
  PetscFunctionReturn(0);
}

/* |L^-1 x|^2 over the regressors in use, L (n, n) their factor; work (n). */
static double leverage_of(int p, const bool use[], int n, const double L[], const double x[], double work[])
{
  double sum = 0;
  for (int i = 0, k = 0; i < p; i++) {
    if (!use[i]) continue;
    double left = x[i];
    for (int l = 0; l < k; l++) left -= L[k * n + l] * work[l];
    work[k] = left / L[k * n + k];
    sum += work[k] * work[k];
    k++;
  }
  return sum;
}

PetscErrorCode NormLeverages(const NormDesign *design, const double share[], double h[])
{
  const NormTiles *tiles = &design->tiles;
  const int p            = design->p;
  Regression r;
  PetscFunctionBeginUser;
  PetscCall(RegressionCreate(design, &r));
  for (int t = 0; t < tiles->tiles; t++)
    if (tiles->used[t] > 0) add_moments(&r, t, weigh_tile(&r, t));
  PetscCall(Factor(&r));
  PetscCallMPI(MPI_Bcast(r.factor, p * p, MPI_DOUBLE, 0, tiles->comm));
  PetscCallMPI(MPI_Bcast(&r.total, 1, MPI_DOUBLE, 0, tiles->comm));
  for (int j = 0; j < design->q; j++) {
    const bool *use = design->use + (size_t)j * p;
    int n = 0, at = 0;
    for (int i = 0; i < p; i++) n += use[i];
    for (int i = 0; i < p; i++)
      for (int l = 0; l < p && use[i]; l++)
        if (use[l]) r.chosen[at++] = r.factor[i * p + l];
    PetscCheck(la_cholesky(n, r.chosen), PETSC_COMM_SELF, PETSC_ERR_PLIB, "regression of %d terms", n);
    for (int t = 0; t < tiles->tiles; t++)
      for (int64_t i = tiles->start[t]; i < tiles->start[t] + tiles->used[t]; i++)
        h[i] += share[j] * leverage_of(p, use, n, r.chosen, design->X + i * p, r.part) / r.total;
  }
  PetscCall(RegressionDestroy(&r));
  PetscFunctionReturn(0);
}

/* Scales column j of step (p, q) so that no condition's linear predictor can move by more than 2: scoring from a poor
 * start can overshoot, as the link is exponential.  Returns the largest move, |x| |step| at most. */
static double damp_step(double reach, int p, int q, double step[])
{
  double largest = 0;
  for (int j = 0; j < q; j++) {
    double square = 0;
    for (int k = 0; k < p; k++) square += step[(size_t)k * q + j] * step[(size_t)k * q + j];
    const double most = reach * sqrt(square);
    if (most > 2)
      for (int k = 0; k < p; k++) step[(size_t)k * q + j] *= 2 / most;
    largest = PetscMax(largest, most);
  }
  return largest;
}

#define MOST_RATIO 1e6 /* of a mean square to its prediction, in one step */

/* One step of Fisher scoring; moved: how far it went at most. */
static PetscErrorCode Score(Regression *r, const double S2[], double B[], double *moved)
{
  const NormDesign *design = r->design;
  const int p = design->p, q = design->q;
  const size_t pq = (size_t)p * q;
  PetscFunctionBeginUser;
  for (int t = 0; t < design->tiles.tiles; t++) {
    const int n         = design->tiles.used[t];
    const double *X     = weigh_tile(r, t);
    const double *found = S2 + design->tiles.start[t] * q;
    if (n == 0) continue;
    la_gemm(false, false, n, q, p, 1, X, p, B, q, 0, r->work, q);
    for (size_t i = 0; i < (size_t)n * q; i++) r->work[i] = fmin(found[i] * exp(-r->work[i]), MOST_RATIO) - 1;
    add_right(r, t, r->work);
  }
  PetscCall(SolveRight(r, r->step));
  if (r->rank == 0) {
    r->step[pq] = damp_step(r->reach, p, q, r->step);
    for (size_t i = 0; i < pq; i++) r->step[i] += B[i];
  }
  PetscCallMPI(MPI_Bcast(r->step, (int)pq + 1, MPI_DOUBLE, 0, design->tiles.comm));
  memcpy(B, r->step, pq * sizeof *B);
  *moved = r->step[pq];
  PetscFunctionReturn(0);
}

PetscErrorCode NormGammaRegression(const NormDesign *design, const double S2[], double B[])
{
  const NormTiles *tiles = &design->tiles;
  const size_t n = tiles->tiles ? (size_t)tiles->start[tiles->tiles] : 0, q = (size_t)design->q;
  Regression r;
  double *logarithm, moved = 1;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(n * q + 1, &logarithm));
  for (int t = 0; t < tiles->tiles; t++)
    for (size_t i = (size_t)tiles->start[t] * q; i < (size_t)(tiles->start[t] + tiles->used[t]) * q; i++)
      logarithm[i] = log(S2[i]);
  PetscCall(RegressionCreate(design, &r));
  PetscCall(Begin(&r, logarithm, B));
  PetscCall(PetscFree(logarithm));
  /* 1e-9 of a log variance is far below its sampling error */
  for (int step = 0; step < 200 && moved > 1e-9; step++) PetscCall(Score(&r, S2, B, &moved));
  PetscCall(RegressionDestroy(&r));
  PetscFunctionReturn(0);
}

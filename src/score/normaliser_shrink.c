/* Coefficients of a mean shrunk by empirical Bayes, instead of terms chosen.
 *
 * y = X b + e, e of variance sigma^2 / w.  The constant of b is free; coefficients of powers are normal of variance
 *   sigma^2 tau^2 prod_j rho_j^(2 power_j),    rho_j <= 1,
 * those of the trends of quieter directions (normaliser_trends.c) sigma^2 gamma^2 share^alpha, 0 <= alpha <= 2, the
 * trend's share of their size there: a Gaussian process of so many features (Rasmussen and Williams, Gaussian Processes
 * for Machine Learning, 2006, ch. 2 and 5).  A term that the rows do not tell costs its prior variance at most, so that
 * nothing is lost by there being many.  With A = X^T W X and b = X^T W y about the constant, S^2 the variances over
 * sigma^2, M = I + S A S and n pieces, ln p = -n / 2 ln sigma^2 - 1 / 2 ln |M|,    sigma^2 = (y^T W y - b^T S M^-1 S b)
 * / n, is the likelihood once b is integrated out and sigma^2 is the best, and dof = tr (I - M^-1) the number of
 * coefficients that the rows have to pay for.  tau, rho, gamma and alpha are those of the largest ln p - dof: by ln p
 * alone many laws of very different dof are as likely, and those of great dof follow what e has by chance (the showcase
 * electrode's means, 200 rows: .128 SD off, .117 with dof).  The powers alone, the trends alone, and both are three
 * such laws; the best of them is taken. */
#include "scoria/linalg.h"
#include "normaliser_fit.h"
#include "tile_sum.h"
#include <math.h>
#include <string.h>

enum { OF_POWERS = 1, OF_TRENDS = 2 };

/* What rank 0 knows of the regression: moments about the constant, weights in units of their mean. */
typedef struct {
  const NormPoly *poly;     /* borrowed */
  const NormTrends *trends; /* borrowed */
  int p;                    /* regressors but for the constant: powers, then trends */
  double n;                 /* pieces less one */
  double *A, *b, square;    /* owned (p, p), (p); y^T W y */
  double *size;             /* owned (p): S */
  int *active, count;       /* owned (p): regressors of a variance that matters */
  double *factor, *inverse; /* owned (p, p): of M over the active ones */
  double *solved;           /* owned (p): M^-1 S b of these */
} Evidence;

/* of: OF_POWERS, OF_TRENDS, or both; number: ln tau, ln rho_j, ln gamma, alpha. */
typedef struct {
  int of;
  double number[SCORIA_MAX_CONDITIONS + 3];
  double score;
} Law;

static PetscErrorCode EvidenceCreate(const NormPoly *poly, const NormTrends *trends, int p, Evidence *e)
{
  const size_t n = (size_t)p;
  PetscFunctionBeginUser;
  *e = (Evidence){.poly = poly, .trends = trends, .p = p};
  PetscCall(PetscCalloc4(n * n + 1, &e->A, n * n + 1, &e->factor, n * n + 1, &e->inverse, n + 1, &e->active));
  PetscCall(PetscCalloc3(n + 1, &e->b, n + 1, &e->size, n + 1, &e->solved));
  PetscFunctionReturn(0);
}

static PetscErrorCode EvidenceDestroy(Evidence *e)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree4(e->A, e->factor, e->inverse, e->active));
  PetscCall(PetscFree3(e->b, e->size, e->solved));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------------ a law ---- */

#define NO_MATTER 1e-7 /* of the noise's variance, what a regressor adds to all rows together */

/* S, and the regressors that matter. */
static void set_sizes(Evidence *e, const Law *law)
{
  const int d = e->poly->d, powers = e->poly->terms - 1;
  e->count = 0;
  for (int i = 0; i < e->p; i++) {
    double logarithm = i < powers ? law->number[0] : law->number[1 + d];
    for (int j = 0; j < d && i < powers; j++) logarithm += law->number[1 + j] * e->poly->power[(i + 1) * d + j];
    e->size[i] = law->of & (i < powers ? OF_POWERS : OF_TRENDS) ? exp(logarithm) : 0;
    if (i >= powers) e->size[i] *= pow(e->trends->share[i - powers], law->number[2 + d] / 2);
    if (e->size[i] * e->size[i] * e->A[(size_t)i * (size_t)(e->p + 1)] > NO_MATTER) e->active[e->count++] = i;
  }
}

/* factor, inverse and solved; false where rounding leaves no factor. */
static bool solve(Evidence *e)
{
  const int n = e->count;
  for (int k = 0; k < n; k++) {
    const int i = e->active[k];
    for (int l = 0; l < n; l++) {
      const int j                   = e->active[l];
      e->inverse[(size_t)k * n + l] = k == l;
      e->factor[(size_t)k * n + l]  = e->size[i] * e->size[j] * e->A[(size_t)i * e->p + j] + (k == l);
    }
    e->solved[k] = e->size[i] * e->b[i];
  }
  if (n == 0) return true;
  if (!la_cholesky(n, e->factor)) return false;
  la_cholesky_solve(n, e->factor, n, e->inverse);
  la_cholesky_solve(n, e->factor, 1, e->solved);
  return true;
}

/* Of weak priors: ln rho is about -1, give or take 2; of tau and gamma hardly anything is known. */
#define WIDTH_RHO 2
#define WIDTH_TAU 5
/* Of y's squares: moments in fixed point tell no noise below. */
#define LEAST_NOISE 1e-10

/* ln p - dof, and what is known beforehand. */
static double score_of(Evidence *e, Law *law)
{
  const int d      = e->poly->d;
  double explained = 0, score = 0;
  law->score = -INFINITY;
  set_sizes(e, law);
  if (!solve(e)) return law->score;
  for (int k = 0; k < e->count; k++) {
    const size_t at = (size_t)k * (size_t)(e->count + 1);
    explained += e->solved[k] * e->size[e->active[k]] * e->b[e->active[k]];
    score -= log(e->factor[at]) + 1 - e->inverse[at];
  }
  score -= e->n * log(PetscMax(e->square - explained, LEAST_NOISE * e->square + PETSC_MACHINE_EPSILON)) / 2;
  for (int j = 0; j < d && law->of & OF_POWERS; j++) score -= pow((law->number[1 + j] + 1) / WIDTH_RHO, 2) / 2;
  if (law->of & OF_POWERS) score -= pow(law->number[0] / WIDTH_TAU, 2) / 2;
  if (law->of & OF_TRENDS) score -= pow(law->number[1 + d] / WIDTH_TAU, 2) / 2;
  return law->score = score;
}

/* ----------------------------------------------------------------------------------------------------- search ---- */

/* A step of number j up or down, where that is better. */
static bool step(Evidence *e, Law *law, int j, double by)
{
  const int d = e->poly->d;
  for (int sign = -1; sign <= 1; sign += 2) {
    Law other = *law;
    other.number[j] += sign * by;
    if (j >= 1 && j <= d) other.number[j] = PetscClipInterval(other.number[j], -6, 0);
    if (j == 2 + d) other.number[j] = PetscClipInterval(other.number[j], 0, 2);
    if (other.number[j] == law->number[j] || score_of(e, &other) <= law->score) continue;
    *law = other;
    return true;
  }
  return false;
}

#define FIRST_STEP 1.0
#define LAST_STEP 0.06 /* variances are then known to a tenth, far better than the rows tell them */

/* Compass search (Kolda, Lewis and Torczon 2003). */
static void climb(Evidence *e, Law *law)
{
  const int d = e->poly->d;
  (void)score_of(e, law);
  for (double by = FIRST_STEP; by > LAST_STEP; by /= 2)
    for (bool more = true; more;) {
      more = false;
      for (int j = 0; j < 3 + d; j++)
        if (law->of & (j > d ? OF_TRENDS : OF_POWERS) && step(e, law, j, by)) more = true;
    }
}

/* The best of the three laws, those with powers from two starts; leaves e at it. */
static void find_law(Evidence *e)
{
  Law best = {.score = -INFINITY};
  for (int of = OF_POWERS; of <= (e->trends->r ? OF_POWERS + OF_TRENDS : OF_POWERS); of++)
    for (int start = 0; start < (of & OF_POWERS ? 2 : 1); start++) {
      Law law                    = {.of = of};
      law.number[2 + e->poly->d] = 1;
      for (int j = 0; j < e->poly->d; j++) law.number[1 + j] = start ? -1.5 : -0.5;
      climb(e, &law);
      if (law.score > best.score) best = law;
    }
  (void)score_of(e, &best);
}

/* ---------------------------------------------------------------------------------------------------- moments ---- */

/* The weighted mean of y, about which it is taken so that trends on a large offset keep their digits, and a power of
 * two of its size there. */
static PetscErrorCode FindUnits(const NormDesign *design, const double y[], double *centre, double *scale)
{
  NormDesign constant = *design;
  double *coef;
  bool *first;
  PetscFunctionBeginUser;
  *centre = *scale = 0;
  PetscCall(PetscCalloc2(design->p, &first, design->p, &coef));
  first[0]     = true;
  constant.use = first;
  PetscCall(NormLeastSquares(&constant, y, coef));
  *centre = coef[0];
  for (int t = 0; t < design->tiles.tiles; t++)
    for (int64_t i = design->tiles.start[t]; i < design->tiles.start[t] + design->tiles.used[t]; i++)
      *scale = PetscMax(*scale, fabs(y[i] - *centre));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, scale, 1, MPI_DOUBLE, MPI_MAX, design->tiles.comm));
  *scale = binary_scale(*scale);
  PetscCall(PetscFree2(first, coef));
  PetscFunctionReturn(0);
}

/* moments (p + 1, p + 1) on rank 0: Z^T W Z, Z (pieces, p + 1) the regressors and (y - centre) / scale. */
static PetscErrorCode SumMoments(const NormDesign *design, const double y[], double centre, double scale,
                                 double moments[])
{
  const NormTiles *tiles = &design->tiles;
  const int p = design->p, width = p + 1;
  int most = 1;
  double *Z, *WZ;
  TileSum sum;
  PetscFunctionBeginUser;
  for (int t = 0; t < tiles->tiles; t++) most = PetscMax(most, tiles->used[t]);
  PetscCall(PetscMalloc2((size_t)most * width, &Z, (size_t)most * width, &WZ));
  PetscCall(TileSumCreate(tiles->comm, (int64_t)width * width, &sum));
  for (int t = 0; t < tiles->tiles; t++) {
    const int64_t start = tiles->start[t];
    for (int i = 0; i < tiles->used[t]; i++) {
      double *z = Z + (size_t)i * width, *wz = WZ + (size_t)i * width;
      memcpy(z, design->X + (start + i) * p, (size_t)p * sizeof *z);
      z[p] = (y[start + i] - centre) / scale;
      for (int j = 0; j < width; j++) wz[j] = design->w[start + i] * z[j];
    }
    if (tiles->used[t] == 0) continue;
    la_gemm(true, false, width, width, tiles->used[t], 1, WZ, width, Z, width, 0, moments, width);
    tile_sum_add(&sum, 0, width * width, moments);
  }
  PetscCall(TileSumTake(&sum, moments));
  PetscCall(TileSumDestroy(&sum));
  PetscCall(PetscFree2(Z, WZ));
  PetscFunctionReturn(0);
}

/* About the constant, weights in units of their mean. */
static void take_moments(Evidence *e, double pieces, const double moments[])
{
  const int p = e->p, width = p + 2;
  const double total = moments[0], unit = pieces / total;
  for (int i = 0; i < p; i++) {
    const double *row = moments + (size_t)(i + 1) * width;
    for (int j = 0; j < p; j++) e->A[(size_t)i * p + j] = unit * (row[j + 1] - row[0] * moments[j + 1] / total);
    e->b[i] = unit * (row[p + 1] - row[0] * moments[p + 1] / total);
  }
  e->square = unit * (moments[(size_t)width * width - 1] - moments[p + 1] * moments[p + 1] / total);
  e->n      = PetscMax(pieces - 1, 1);
}

/* ------------------------------------------------------------------------------------------------- the answer ---- */

/* What rank 0 tells: coefficients (p + 1), the constant first; the regressors' means (p); S M^-1 S (p, p), the
 * coefficients' covariance over sigma^2; the sum of weights. */
typedef struct {
  double *coef, *mean, *covariance, *total;
} Answer;

static void take_answer(const Evidence *e, const double moments[], Answer *a)
{
  const int n = e->count, p = e->p;
  *a->total  = moments[0];
  a->coef[0] = moments[p + 1] / moments[0];
  for (int i = 0; i < p; i++) a->mean[i] = moments[i + 1] / moments[0];
  for (int k = 0; k < n; k++) {
    const int i    = e->active[k];
    a->coef[i + 1] = e->size[i] * e->solved[k];
    a->coef[0] -= a->coef[i + 1] * a->mean[i];
    for (int l = 0; l < n; l++)
      a->covariance[(size_t)i * p + e->active[l]] = e->size[i] * e->inverse[(size_t)k * n + l] * e->size[e->active[l]];
  }
}

/* h of the rows of a tile, x and Cx (used, p) as work. */
static void find_leverages(const NormDesign *design, const Answer *a, double unit, int t, double x[], double Cx[],
                           double h[])
{
  const int p = design->p - 1, n = design->tiles.used[t];
  const int64_t start = design->tiles.start[t];
  for (int i = 0; i < n; i++)
    for (int j = 0; j < p; j++) x[(size_t)i * p + j] = design->X[(start + i) * (p + 1) + j + 1] - a->mean[j];
  if (n > 0 && p > 0) la_gemm(false, false, n, p, p, 1, x, p, a->covariance, p, 0, Cx, p);
  for (int i = 0; i < n; i++) {
    h[start + i] = 1 / *a->total;
    for (int j = 0; j < p; j++) h[start + i] += unit * x[(size_t)i * p + j] * Cx[(size_t)i * p + j];
  }
}

static PetscErrorCode FindLeverages(const NormDesign *design, const Answer *a, double pieces, double h[])
{
  int most = 1;
  double *x, *Cx;
  PetscFunctionBeginUser;
  for (int t = 0; t < design->tiles.tiles; t++) most = PetscMax(most, design->tiles.used[t]);
  PetscCall(PetscMalloc2((size_t)most * design->p, &x, (size_t)most * design->p, &Cx));
  for (int t = 0; t < design->tiles.tiles; t++) find_leverages(design, a, pieces / *a->total, t, x, Cx, h);
  PetscCall(PetscFree2(x, Cx));
  PetscFunctionReturn(0);
}

PetscErrorCode NormShrink(const NormDesign *design, const NormPoly *poly, const NormTrends *trends, double pieces,
                          const double y[], double coef[], double h[])
{
  const int p         = design->p - 1;
  const size_t shared = (size_t)p * p + 2 * (size_t)p + 2;
  double centre, scale, *moments, *told;
  int rank;
  Evidence e;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(design->tiles.comm, &rank));
  PetscCall(PetscCalloc2((size_t)(p + 2) * (size_t)(p + 2), &moments, shared, &told));
  Answer a = {told, told + p + 1, told + 2 * p + 1, told + shared - 1};
  PetscCall(FindUnits(design, y, &centre, &scale));
  PetscCall(SumMoments(design, y, centre, scale, moments));
  if (rank == 0) {
    PetscCall(EvidenceCreate(poly, trends, p, &e));
    take_moments(&e, pieces, moments);
    find_law(&e);
    take_answer(&e, moments, &a);
    PetscCall(EvidenceDestroy(&e));
  }
  PetscCall(NormShare(design->tiles.comm, shared, told));
  for (int j = 0; j <= p; j++) coef[j] = scale * a.coef[j];
  coef[0] += centre;
  PetscCall(FindLeverages(design, &a, pieces, h));
  PetscCall(PetscFree2(moments, told));
  PetscFunctionReturn(0);
}

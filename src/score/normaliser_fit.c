/* Fits the conditional normaliser: passes over the training rows, each of which every rank does for its own.
 *   1. usable rows, ranges                          -> transforms of the channels
 *   2. mean and spread of every condition           -> m(u) by least squares, ln s(u) by Gamma regression; where there
 *                                                      are few rows, with coefficients of m shrunk and terms of ln s
 *                                                      chosen by cross-validation
 *   3. covariance of z = (w - wtwin - m) / s        -> modes V, lambda
 *   4. first and second moments of the modes        -> ln D(u), mu(u)
 *   5. moments of b = a / D - mu                    -> phi(u) by nested least squares
 *   6. what phi leaves of b                         -> ln d(u).
 * Without whitening only the first two: the coordinates are z itself.
 * What has been computed is broadcast from rank 0, so that unlike processors agree. */
#include "scoria/linalg.h"
#include "levels.h"
#include "normaliser_fit.h"
#include "tile_sum.h"
#include <math.h>
#include <string.h>

#define MOST_CANDIDATES 100 /* terms to choose from */
#define LEAST_CHOOSING 10   /* conditions of repeated rows: fewer say nothing by leaving some out */
/* Where fewer conditions have as many rows each, or more, what is known of one is known well: regressions are not kept
 * to a term per three of them, but have half as many as there are at most (normaliser_terms.c) by what these are worth
 * at conditions left out, and are chosen from a third of this number at most. */
#define FEW_CONDITIONS 60
#define MANY_ROWS 8

/* ---------------------------------------------------------------------------------------------- polynomials ---- */

/* The largest degree <= wanted with `most` coefficients; or, where terms are chosen among them, the largest that there
 * is, with no more than can be compared. */
PetscErrorCode NormChooseDegree(int64_t most, int d, int wanted, bool choose, const int powers[], NormPoly *poly)
{
  PetscFunctionBeginUser;
  for (int degree = choose ? NORM_MAX_DEGREE : PetscMin(wanted, NORM_MAX_DEGREE);; degree--) {
    PetscCall(NormPolyCreate(d, degree, powers, poly));
    if (degree == 0 || (poly->terms <= most && !(choose && poly->terms > MOST_CANDIDATES))) break;
    PetscCall(NormPolyDestroy(poly));
  }
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------- second pass: mean and scale ---- */

/* Mean of every fitted piece, and the mean square about it. */
static PetscErrorCode moments_visit(void *ctx, NormData *data, int t, double v[])
{
  const int m          = data->norm->m;
  NormMoments *moments = ctx;
  PetscFunctionBeginUser;
  for (int64_t i = data->start[t]; i < data->start[t] + data->fitted[t]; i++) {
    const int n           = (int)data->good[i];
    double *restrict mean = moments->mean + i * m, *restrict S2 = moments->S2 + i * m;
    for (int k = 0; k < n; k++)
      for (int j = 0; j < m; j++) mean[j] += v[(size_t)k * m + j];
    for (int j = 0; j < m; j++) mean[j] /= n;
    for (int k = 0; k < n; k++)
      for (int j = 0; j < m; j++) S2[j] += (v[(size_t)k * m + j] - mean[j]) * (v[(size_t)k * m + j] - mean[j]);
    for (int j = 0; j < m; j++) S2[j] /= n;
    v += (size_t)n * m;
  }
  PetscFunctionReturn(0);
}

/* The means become deviations from twin + m(u), which they are regressed on, S2 the mean squares about that, or, of few
 * conditions, what these would be at others. */
static PetscErrorCode FitMean(NormData *data, const ScoriaNormaliserOptions *opt, NormMoments *s)
{
  const NormProfile norm = data->norm;
  const int m = norm->m, p = norm->mean.terms;
  double found[2 * SCORIA_MAX_FIELDS] = {0}; /* within pieces, and between them, of every channel */
  NormDesign design;
  PetscFunctionBeginUser;
  norm_design(data, p, data->mean_X, m, &design);
  for (int t = 0; t < data->tiles.tiles && norm->twin; t++)
    for (int64_t k = data->start[t] * m; k < (data->start[t] + data->fitted[t]) * m; k++) s->mean[k] -= data->twin[k];
  PetscCall(opt->choose_mean ? NormChooseMean(data, &design, s->mean, s->mean_coef)
                             : NormLeastSquares(&design, s->mean, s->mean_coef));
  if (data->few) PetscCall(NormFindUnseen(data, &design));
  for (int t = 0; t < data->tiles.tiles; t++) {
    const int64_t at = data->start[t];
    la_gemm(false, false, data->fitted[t], m, p, -1, data->mean_X + at * p, p, s->mean_coef, m, 1, s->mean + at * m, m);
    for (int64_t k = at * m; k < (at + data->fitted[t]) * m; k++) {
      const double square = norm_square(data, k / m, s->mean[k], s->S2[k]);
      found[2 * (k % m / norm->L)] += s->S2[k];
      found[2 * (k % m / norm->L) + 1] += square - s->S2[k];
      s->S2[k] = square;
    }
  }
  if (data->few) PetscCall(NormTellUnseen(data, found));
  PetscFunctionReturn(0);
}

static PetscErrorCode FloorSpread(NormData *data, NormMoments *s)
{
  const int m = data->norm->m;
  double *varies, *least;
  bool any = false;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(m, &varies, m, &least));
  PetscCall(NormFindFloors(data, s, varies, least));
  for (int j = 0; j < m; j++) {
    data->varies[j] = varies[j] > 0;
    any             = any || data->varies[j];
  }
  for (int t = 0; t < data->tiles.tiles; t++)
    for (int64_t i = data->start[t]; i < data->start[t] + data->fitted[t]; i++)
      for (int j = 0; j < m; j++) s->S2[i * m + j] += least[j];
  PetscCall(PetscFree2(varies, least));
  if (!any)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "the training fields do not vary between realisations: there is nothing to learn");
  PetscFunctionReturn(0);
}

/* Divides s of the first cell of relative channels by sqrt(L): in the trace of the covariance of z the level then
 * weighs what L cells do, and is among the first modes, as it is in v. */
static void weigh_levels(NormData *data, double coef[])
{
  const NormProfile norm = data->norm;
  for (int c = 0; c < norm->C; c++) {
    const size_t first = (size_t)c * norm->L;
    if (!norm->relative[c]) continue;
    coef[first] -= log(norm->L) / 2; /* term 0 is 1 */
    data->rounding[first] *= norm->L;
  }
  for (int j = 0; j < norm->m && data->in.encoder; j++) { /* z as large as the coefficients are beside each other */
    const double weight = data->in.encoder->weight[j];
    coef[j] -= log(weight);
    data->rounding[j] *= weight * weight;
  }
}

#define DERIVED_WEIGHT 0.3

/* Derived channels weigh less, so that the first modes are those of the others: with c, phi and three derived fields of
 * an electrode at equal weights, 12 modes missed the SD of c by 5 %, against 2 % without these fields and with this
 * weight; at a third of it the derived ones began to suffer. */
static void weigh_derived(NormData *data, double coef[])
{
  const NormProfile norm = data->norm;
  for (int j = 0; j < norm->m; j++) {
    if (!norm->derived[j / norm->L]) continue;
    coef[j] -= log(DERIVED_WEIGHT);
    data->rounding[j] *= DERIVED_WEIGHT * DERIVED_WEIGHT;
  }
}

static PetscErrorCode FitScale(NormData *data, const ScoriaNormaliserOptions *opt, NormMoments *s)
{
  const NormProfile norm = data->norm;
  const size_t count     = (size_t)norm->scale.terms * norm->m;
  NormDesign design;
  PetscFunctionBeginUser;
  PetscCall(FloorSpread(data, s));
  norm_design(data, norm->scale.terms, data->scale_X, norm->m, &design);
  if (opt->choose_scale) PetscCall(NormChooseScaleTerms(data, &design, 0, s->S2, &data->scale_use));
  design.use = data->scale_use;
  PetscCall(NormGammaRegression(&design, s->S2, s->scale_coef));
  for (size_t k = 0; k < count; k++) s->scale_coef[k] /= 2; /* of ln s, not ln s^2 */
  if (opt->whitening) weigh_levels(data, s->scale_coef);
  if (opt->whitening) weigh_derived(data, s->scale_coef);
  PetscCall(NormShare(data->in.comm, count, s->scale_coef));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------- third pass: modes ----
 */

typedef struct {
  double *part;   /* owned (m, m): lower triangle, of a tile */
  double *packed; /* owned (m (m + 1) / 2) */
  TileSum sum;
} Covariance;

static PetscErrorCode covariance_visit(void *ctx, NormData *data, int t, double v[])
{
  const int m   = data->norm->m;
  Covariance *c = ctx;
  PetscFunctionBeginUser;
  norm_standardise(data, t, v);
  double *row = v;
  for (int64_t i = data->start[t]; i < data->start[t] + data->fitted[t]; row += (size_t)data->good[i++] * m)
    norm_as_unseen(data, i, m, row);
  memset(c->part, 0, (size_t)m * m * sizeof(double));
  la_syrk(m, data->rows[t].fitted, m, v, c->part);
  int64_t at = 0;
  for (int i = 0; i < m; at += ++i) tile_sum_add(&c->sum, at, i + 1, c->part + (size_t)i * m);
  PetscFunctionReturn(0);
}

void norm_take_mode(int m, const double from[], double to[])
{
  int top = 0;
  for (int j = 1; j < m; j++)
    if (fabs(from[j]) > fabs(from[top])) top = j;
  for (int j = 0; j < m; j++) to[j] = from[top] < 0 ? -from[j] : from[j];
}

/* C (m, m): eigenvectors of the covariance, ascending in w (m); rank 0 finds them. */
static PetscErrorCode FindModes(NormData *data, double C[], double w[])
{
  NormProfile norm = data->norm;
  const int m      = norm->m;
  Covariance c     = {.part = C};
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(data->in.comm, &rank));
  PetscCall(TileSumCreate(data->in.comm, (int64_t)m * (m + 1) / 2, &c.sum));
  PetscCall(NormDataWalk(data, "modes", NORM_DIFFERENCES, covariance_visit, &c));
  PetscCall(PetscMalloc1((int64_t)m * (m + 1) / 2, &c.packed));
  PetscCall(TileSumTake(&c.sum, c.packed));
  PetscCall(TileSumDestroy(&c.sum));
  norm->total = 0;
  for (int i = 0, at = 0; i < m && rank == 0; at += ++i)
    for (int j = 0; j <= i; j++) C[(size_t)i * m + j] = c.packed[at + j] / data->fitted_rows;
  for (int j = 0; j < m && rank == 0; j++) norm->total += C[(size_t)j * m + j];
  if (rank == 0) PetscCall(LinalgEigen(m, C, w));
  PetscCall(PetscFree(c.packed));
  PetscCall(NormShare(data->in.comm, (size_t)m * m, C));
  PetscCall(NormShare(data->in.comm, (size_t)m, w));
  PetscCall(NormShare(data->in.comm, 1, &norm->total));
  PetscFunctionReturn(0);
}

/* Whether a mode v of variance w is more than the round-off of what is stored: the largest variance that independent
 * errors of variance 1 show in as many rows as there are is (1 + sqrt(m / rows))^2, and twice that is beyond doubt. */
static bool is_signal(const NormData *data, const double v[], double w)
{
  const int m       = data->norm->m;
  const double edge = 1 + sqrt(m / data->fitted_rows);
  double rounding   = 0;
  for (int j = 0; j < m; j++) rounding += v[j] * v[j] * data->rounding[j];
  return w > 2 * edge * edge * rounding;
}

/* Which of the m modes, in ascending order of w, are worth having, the largest first; their number is returned. */
static int choose_modes(const NormData *data, const double C[], const double w[], int mode[])
{
  const int m = data->norm->m;
  int exist   = 0;
  for (int k = m - 1; k >= 0 && w[k] > 1e-10 * w[m - 1]; k--)
    if (is_signal(data, C + (size_t)k * m, w[k])) mode[exist++] = k;
  return exist;
}

/* V and lambda: as many modes as are worth having. */
static PetscErrorCode TakeModes(NormData *data, const ScoriaNormaliserOptions *opt)
{
  NormProfile norm = data->norm;
  const int m      = norm->m;
  double *C, *w;
  int *mode;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3((size_t)m * m, &C, m, &w, m, &mode));
  PetscCall(FindModes(data, C, w));
  const int exist = choose_modes(data, C, w, mode);
  if (!exist)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "train: the fields do not vary beyond the round-off of what is stored: there is no "
                                   "law to learn");
  norm->R = PetscMin(PetscMax(opt->modes, opt->all_modes), exist);
  norm->r = PetscMin(opt->modes, norm->R);
  norm->K = PetscMin(norm->R, NORM_MAX_COUPLED);
  PetscCall(ProfileSetUp(norm));
  for (int k = 0; k < norm->R; k++) {
    norm_take_mode(m, C + (size_t)mode[k] * m, norm->V + (size_t)k * m);
    norm->lambda[k] = w[mode[k]];
  }
  PetscCall(PetscFree3(C, w, mode));
  PetscFunctionReturn(0);
}

/* y = z, of what varies: unit vectors for modes, with neither scales nor couplings of their own. */
static PetscErrorCode TakeElements(const NormData *data)
{
  NormProfile norm = data->norm;
  PetscFunctionBeginUser;
  for (int j = 0; j < norm->m; j++) norm->R += data->varies[j];
  norm->r     = norm->R;
  norm->K     = 1;
  norm->total = norm->R;
  PetscCall(ProfileSetUp(norm));
  for (int j = 0, k = 0; j < norm->m; j++) {
    if (!data->varies[j]) continue;
    norm->V[(size_t)k * norm->m + j] = 1;
    norm->lambda[k++]                = 1;
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ all together ---- */

/* m and s, with tables over the pieces that are gone afterwards. */
static PetscErrorCode FitMoments(NormData *data, const ScoriaNormaliserOptions *opt, NormMoments *s)
{
  const size_t slots = (size_t)data->start[data->tiles.tiles] + 1, m = (size_t)data->norm->m;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc2(slots * m, &s->mean, slots * m, &s->S2));
  PetscCall(NormDataWalk(data, "scales", NORM_DIFFERENCES, moments_visit, s));
  PetscCall(FitMean(data, opt, s));
  PetscCall(FitScale(data, opt, s));
  PetscCall(PetscFree2(s->mean, s->S2));
  PetscFunctionReturn(0);
}

int norm_fit_passes(const ScoriaNormaliserOptions *opt)
{
  return opt->whitening ? 6 : 2;
}

PetscErrorCode NormFit(NormData *data, const ScoriaNormaliserOptions *opt)
{
  NormProfile norm              = data->norm;
  const size_t m                = (size_t)norm->m;
  ScoriaNormaliserOptions fixed = *opt;
  int powers[SCORIA_MAX_CONDITIONS];
  NormMoments s;
  PetscFunctionBeginUser;
  fixed.choose_mean = fixed.choose_scale = false;
  PetscCall(NormDataScan(data, opt->relative));
  data->few = norm->d > 0 && data->n < FEW_CONDITIONS && data->fitted_rows >= MANY_ROWS * data->fitted_pieces;
  if (!data->unrepeated && !data->few && (data->fitted_rows >= NORM_FEW_ROWS || data->n < LEAST_CHOOSING)) opt = &fixed;
  const int64_t sure = data->n / 3, half = data->few ? PetscMin(data->n / 2, FEW_CONDITIONS / 3) : sure;
  const int64_t most = data->few ? PetscClipInterval(data->n - 2, 2, FEW_CONDITIONS / 3) : sure;
  PetscCall(LevelsPowers(&data->tiles, norm->d, data->u, powers));
  PetscCall(NormFindLevels(data));
  if (data->few) PetscCall(NormTellLevels(data));
  PetscCall(NormChooseDegree(opt->choose_mean ? most : sure, norm->d, opt->degree_mean, opt->choose_mean, powers,
                             &norm->mean));
  PetscCall(NormChooseDegree(opt->choose_scale ? half : sure, norm->d, opt->degree_scale, opt->choose_scale, powers,
                             &norm->scale));
  PetscCall(NormChooseDegree(sure, norm->d, PetscMin(opt->degree_scale, 2), false, powers, &norm->phi));
  PetscCall(NormDataSetPolynomials(data));
  PetscCall(PetscMalloc2(norm->mean.terms * m, &s.mean_coef, norm->scale.terms * m, &s.scale_coef));
  PetscCall(FitMoments(data, opt, &s));
  data->mean_coef  = s.mean_coef;
  data->scale_coef = s.scale_coef;
  PetscCall(opt->whitening ? TakeModes(data, opt) : TakeElements(data));
  memcpy(norm->mean_coef, s.mean_coef, norm->mean.terms * m * sizeof(double));
  memcpy(norm->scale_coef, s.scale_coef, norm->scale.terms * m * sizeof(double));
  data->mean_coef  = norm->mean_coef;
  data->scale_coef = norm->scale_coef;
  PetscCall(PetscFree2(s.mean_coef, s.scale_coef));
  PetscCall(NormDataSetModes(data));
  if (opt->whitening) PetscCall(NormFitCouplings(data, opt));
  PetscFunctionReturn(0);
}

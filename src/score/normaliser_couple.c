/* Conditional whitening of the modes a.  First their scale and mean as functions of theta, b_k = a_k / D_k(u) -
 * mu_k(u), so that every b_k has unit variance at every condition; then the modified Cholesky decomposition of the
 * correlation that is left (Pourahmadi 1999),
 *
 *   b_k = sum_{l<k} phi_kl(u) b_l + d_k(u) e_k,     phi_kl(u) = sum_j f_klj p_j(u).
 *
 * (Without the scaling by D, least squares would serve the conditions where a mode is large and ruin it where it is
 * small: with the correlation length the variance of a high mode changes by many powers of ten.)
 *
 * For fixed k the f_klj are least squares on the regressors b_l p_j(u).  These are nested in k, and p_0 = 1 makes b_k
 * itself a regressor; so one Cholesky factor L of the Gram matrix of all regressors, ordered (l, j), holds every
 * solution: with q = k P, row (k, 0) of L, cut at q, is L_q^-1 g_k, and f_k = L_q^-T of it.  Within a piece p_j is
 * constant, so that the Gram matrix follows from the second moments of b there: it is summed tile by tile, and nothing
 * but first and second moments of single modes is kept of a piece. */
#include "scoria/linalg.h"
#include "normaliser_fit.h"
#include "tile_sum.h"
#include <math.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------- modes of a tile ---- */

PetscErrorCode NormModesCreate(const NormData *data, NormModes *modes)
{
  const size_t values = norm_tile_slots(data) * data->norm->R, K = (size_t)data->norm->K;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc4(values, &modes->D, values, &modes->mu, values, &modes->d, K * K, &modes->phi));
  PetscFunctionReturn(0);
}

PetscErrorCode NormModesDestroy(NormModes *modes)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree4(modes->D, modes->mu, modes->d, modes->phi));
  PetscFunctionReturn(0);
}

/* out (pieces, R) = sign times the polynomial X coef */
static void evaluate(const NormData *data, int t, double sign, int terms, const double X[], const double coef[],
                     double out[])
{
  const int R = data->norm->R;
  la_gemm(false, false, norm_pieces(data, t), R, terms, sign, X + data->start[t] * terms, terms, coef, R, 0, out, R);
}

void norm_modes_scale(const NormData *data, int t, NormModes *modes, double alpha[])
{
  const NormProfile norm = data->norm;
  const int R            = norm->R;
  evaluate(data, t, -1, norm->scale.terms, data->scale_X, norm->D_coef, modes->D);
  evaluate(data, t, 1, norm->mean.terms, data->mean_X, norm->mu_coef, modes->mu);
  evaluate(data, t, 1, norm->scale.terms, data->scale_X, norm->d_coef, modes->d);
  for (int k = 0; k < norm_pieces(data, t); k++) {
    double *restrict D = modes->D + (size_t)k * R;
    for (int j = 0; j < R; j++) {
      D[j] = exp(D[j]) * sqrt(norm->lambda[j]); /* D_coef is of a, alpha is without lambda */
      modes->d[(size_t)k * R + (size_t)j] = exp(modes->d[(size_t)k * R + (size_t)j]);
    }
    const double *restrict mu = modes->mu + (size_t)k * R;
    for (int i = 0; i < (int)data->good[data->start[t] + k]; i++, alpha += R)
      for (int j = 0; j < R; j++) alpha[j] = alpha[j] * D[j] - mu[j];
  }
}

void norm_modes_phi(const NormData *data, int64_t slot, int rows, NormModes *modes)
{
  const NormProfile norm = data->norm;
  const int K = norm->K, P = norm->phi.terms;
  la_gemm(false, false, 1, rows * K, P, 1, data->phi_X + slot * P, P, norm->phi_coef, K * K, 0, modes->phi, K * K);
}

/* --------------------------------------------------------------------------------------------- scale and mean ---- */

typedef struct {
  double *sum, *square; /* owned (slots, R) */
} ModeMoments;

/* Sums of alpha and alpha^2 within the fitted pieces. */
static PetscErrorCode moment_visit(void *ctx, NormData *data, int t, double alpha[])
{
  const int R          = data->norm->R;
  ModeMoments *moments = ctx;
  PetscFunctionBeginUser;
  for (int64_t i = data->start[t]; i < data->start[t] + data->fitted[t]; i++) {
    double *restrict sum = moments->sum + i * R, *restrict square = moments->square + i * R;
    for (int k = 0; k < (int)data->good[i]; k++, alpha += R)
      for (int j = 0; j < R; j++) {
        sum[j] += alpha[j];
        square[j] += alpha[j] * alpha[j];
      }
  }
  PetscFunctionReturn(0);
}

/* Sums of alpha^2 become variances within pieces, and freedom (slots) what these weigh. */
static void variances_within(const NormData *data, ModeMoments *s, double freedom[])
{
  const int R = data->norm->R;
  for (int t = 0; t < data->tiles.tiles; t++)
    for (int64_t i = data->start[t]; i < data->start[t] + data->fitted[t]; i++) {
      freedom[i] = data->good[i] - 1;
      for (int64_t k = i * R; k < (i + 1) * R; k++)
        s->square[k] = PetscMax(s->square[k] - s->sum[k] * s->sum[k] / data->good[i], 0) / PetscMax(freedom[i], 1);
    }
}

/* The same about 0, the regressed mean: all that can be done where conditions have a single row. */
static void variances_about(const NormData *data, ModeMoments *s, double freedom[])
{
  const int R = data->norm->R;
  for (int t = 0; t < data->tiles.tiles; t++)
    for (int64_t i = data->start[t]; i < data->start[t] + data->fitted[t]; i++) {
      freedom[i] = data->good[i];
      for (int64_t k = i * R; k < (i + 1) * R; k++) s->square[k] *= norm_unbiased(data, i) / data->good[i];
    }
}

/* D from the variances within pieces, with a floor of 1e-5 of the mode's overall scale; square becomes the variances.
 */
static PetscErrorCode FitModeScales(NormData *data, const ScoriaNormaliserOptions *opt, ModeMoments *s)
{
  NormProfile norm   = data->norm;
  const int R        = norm->R;
  const size_t count = (size_t)norm->scale.terms * R;
  double *freedom;
  NormDesign design;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(data->start[data->tiles.tiles] + 1, &freedom));
  if (data->unrepeated)
    variances_about(data, s, freedom);
  else
    variances_within(data, s, freedom);
  for (int t = 0; t < data->tiles.tiles; t++)
    for (int64_t k = data->start[t] * R; k < (data->start[t] + data->fitted[t]) * R; k++) s->square[k] += 1e-10;
  norm_design(data, norm->scale.terms, data->scale_X, R, &design);
  design.w = freedom;
  if (opt->choose_scale)
    PetscCall(NormChooseScaleTerms(data, &design, PetscMin(R, NORM_ALONE), s->square, &data->mode_use));
  design.use = data->mode_use;
  PetscCall(NormGammaRegression(&design, s->square, norm->D_coef));
  for (size_t k = 0; k < count; k++) norm->D_coef[k] /= 2;
  for (int k = 0; k < R; k++) norm->D_coef[k] += log(norm->lambda[k]) / 2; /* of a, not alpha; term 0 is 1 */
  PetscCall(NormShare(data->in.comm, count, norm->D_coef));
  PetscCall(PetscFree(freedom));
  PetscFunctionReturn(0);
}

/* mu from the means of a / D within pieces. */
static PetscErrorCode FitModeMeans(NormData *data, const ScoriaNormaliserOptions *opt, NormModes *modes, ModeMoments *s)
{
  NormProfile norm = data->norm;
  const int R      = norm->R;
  NormDesign design;
  PetscFunctionBeginUser;
  if (data->few) PetscFunctionReturn(0); /* the trend of few conditions has as many terms as it can pay for */
  for (int t = 0; t < data->tiles.tiles; t++) {
    double *mean = s->sum + data->start[t] * R;
    evaluate(data, t, -1, norm->scale.terms, data->scale_X, norm->D_coef, modes->D);
    for (int k = 0; k < data->fitted[t]; k++)
      for (int j = 0; j < R; j++)
        mean[(size_t)k * R + j] *=
            exp(modes->D[(size_t)k * R + j]) * sqrt(norm->lambda[j]) / data->good[data->start[t] + k];
  }
  norm_design(data, norm->mean.terms, data->mean_X, R, &design);
  if (opt->choose_mean)
    PetscCall(NormChooseTerms(data, &norm->mean, &design, PetscMin(R, NORM_ALONE), R, s->sum, &data->mu_use));
  design.use = data->mu_use;
  PetscCall(NormLeastSquares(&design, s->sum, norm->mu_coef));
  PetscFunctionReturn(0);
}

static PetscErrorCode FitModeMoments(NormData *data, const ScoriaNormaliserOptions *opt, NormModes *modes)
{
  const size_t count = (size_t)(data->start[data->tiles.tiles] + 1) * data->norm->R;
  ModeMoments s;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc2(count, &s.sum, count, &s.square));
  PetscCall(NormDataWalk(data, "modes' scales", NORM_MODES, moment_visit, &s));
  PetscCall(FitModeScales(data, opt, &s));
  PetscCall(FitModeMeans(data, opt, modes, &s));
  PetscCall(PetscFree2(s.sum, s.square));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------------- couplings ---- */

typedef struct {
  NormModes *modes; /* borrowed */
  int K, P, pairs, packed;
  int bound;      /* at most so many regressor modes per mode: fifty rows stand behind every coefficient */
  double *square; /* owned (K, K) */
  double *moment; /* owned (width, packed): sums of b_k b_l, l <= k, of every piece */
  double *weight; /* owned (width, pairs): p_i p_j, j <= i */
  double *block;  /* owned (pairs, packed) */
  double *factor; /* owned (K P, K P), on rank 0 */
  TileSum sum;    /* (pairs, packed) */
} Couple;

static PetscErrorCode CoupleCreate(const NormData *data, NormModes *modes, Couple *c)
{
  const int K = data->norm->K, P = data->norm->phi.terms;
  PetscFunctionBeginUser;
  *c       = (Couple){.modes = modes, .K = K, .P = P, .pairs = P * (P + 1) / 2, .packed = K * (K + 1) / 2};
  c->bound = (int)PetscMin(data->fitted_rows / (50.0 * P), (double)K);
  PetscCall(PetscMalloc4((size_t)K * K, &c->square, norm_tile_slots(data) * c->packed, &c->moment,
                         norm_tile_slots(data) * c->pairs, &c->weight, (size_t)c->pairs * c->packed, &c->block));
  PetscCall(TileSumCreate(data->in.comm, (int64_t)c->pairs * c->packed, &c->sum));
  PetscFunctionReturn(0);
}

static PetscErrorCode CoupleDestroy(Couple *c)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree4(c->square, c->moment, c->weight, c->block));
  PetscCall(TileSumDestroy(&c->sum));
  PetscFunctionReturn(0);
}

/* weight and moment of fitted piece k of a tile, whose rows are b (n, R). */
static void piece_moments(const NormData *data, Couple *c, int t, int k, int n, const double b[])
{
  const int K = c->K, P = c->P;
  const double *p = data->phi_X + (data->start[t] + k) * P;
  double *weight = c->weight + (size_t)k * c->pairs, *moment = c->moment + (size_t)k * c->packed;
  for (int i = 0; i < P; i++)
    for (int j = 0; j <= i; j++) *weight++ = p[i] * p[j];
  memset(c->square, 0, (size_t)K * K * sizeof(double));
  la_syrk(K, n, data->norm->R, b, c->square);
  for (int i = 0; i < K; i++, moment += i) memcpy(moment, c->square + (size_t)i * K, (size_t)(i + 1) * sizeof(double));
}

static PetscErrorCode gram_visit(void *ctx, NormData *data, int t, double alpha[])
{
  Couple *c   = ctx;
  const int n = data->fitted[t];
  double *b   = alpha;
  PetscFunctionBeginUser;
  norm_modes_scale(data, t, c->modes, alpha);
  for (int k = 0; k < n; k++) {
    const int rows = (int)data->good[data->start[t] + k];
    norm_as_unseen(data, data->start[t] + k, data->norm->R, b);
    piece_moments(data, c, t, k, rows, b);
    b += (size_t)rows * data->norm->R;
  }
  if (n == 0) PetscFunctionReturn(0);
  la_gemm(true, false, c->pairs, c->packed, n, 1, c->weight, c->pairs, c->moment, c->packed, 0, c->block, c->packed);
  tile_sum_add(&c->sum, 0, c->pairs * c->packed, c->block);
  PetscFunctionReturn(0);
}

static int packed_index(int k, int l)
{
  return k >= l ? k * (k + 1) / 2 + l : l * (l + 1) / 2 + k;
}

/* factor = Cholesky of G / rows, G[(k, i), (l, j)] = sum over pieces of p_i p_j moment_kl; on rank 0. */
static bool gram_factor(Couple *c, double rows)
{
  const int P = c->P, K = c->K, size = K * P;
  for (int k = 0; k < K; k++)
    for (int l = 0; l <= k; l++)
      for (int a = 0; a < P; a++)
        for (int b = 0; b < P; b++)
          c->factor[((size_t)k * P + a) * size + l * P + b] =
              c->block[(size_t)packed_index(a, b) * c->packed + packed_index(k, l)] / rows;
  /* The regressors have unit scale; the ridge matters only where there are fewer rows than regressors. */
  for (int k = 0; k < size; k++) c->factor[(size_t)k * size + k] += 1e-7;
  return la_cholesky(size, c->factor);
}

/* f (P, K, K); work (K P). */
static void solve_couplings(const Couple *c, double work[], double f[])
{
  const int P = c->P, K = c->K, size = K * P;
  for (int k = 1; k < K; k++) {
    const int regressors = PetscMin(k, c->bound);
    memcpy(work, c->factor + (size_t)k * P * size, (size_t)regressors * P * sizeof(double));
    la_solve_transposed(regressors * P, size, c->factor, work);
    for (int l = 0; l < regressors; l++)
      for (int j = 0; j < P; j++) f[((size_t)j * K + k) * K + l] = work[l * P + j];
  }
}

/* phi by rank 0, for all. */
static PetscErrorCode FitCouplings(NormData *data, Couple *c)
{
  const size_t size = (size_t)c->K * c->P;
  double solved     = 1, *work;
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(data->in.comm, &rank));
  PetscCall(NormDataWalk(data, "couplings", NORM_MODES, gram_visit, c));
  PetscCall(TileSumTake(&c->sum, c->block));
  if (rank == 0) {
    PetscCall(PetscMalloc2(size * size, &c->factor, size, &work));
    solved = gram_factor(c, data->fitted_rows);
    if (solved > 0) solve_couplings(c, work, data->norm->phi_coef);
    PetscCall(PetscFree2(c->factor, work));
  }
  PetscCall(NormShare(data->in.comm, 1, &solved));
  if (solved == 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "train: the fields do not vary within their conditions: there is no law to learn");
  PetscCall(NormShare(data->in.comm, (size_t)c->P * c->K * c->K, data->norm->phi_coef));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------------- residuals ---- */

typedef struct {
  NormModes *modes; /* borrowed */
  double rows;      /* fitted */
  int bound;
  double *T, *left; /* owned (K, K); (capacity, K) */
  double *S2;       /* owned (slots, R) */
} Residuals;

/* Mean squares of d_k e_k in a fitted piece, of what T = I - phi(u) leaves of b (n, R); unbiased for the coefficients
 * spent. */
static void residual_variances(const NormData *data, Residuals *s, int64_t slot, int n, const double b[])
{
  const int R = data->norm->R, K = data->norm->K;
  double *restrict S2 = s->S2 + slot * R;
  norm_modes_phi(data, slot, K, s->modes);
  for (int k = 0; k < K; k++)
    for (int l = 0; l < K; l++) s->T[(size_t)k * K + l] = k == l ? 1 : -s->modes->phi[(size_t)k * K + l];
  la_gemm(false, true, n, K, K, 1, b, R, s->T, K, 0, s->left, K);
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < K; k++) S2[k] += s->left[(size_t)i * K + k] * s->left[(size_t)i * K + k];
    for (int k = K; k < R; k++) S2[k] += b[(size_t)i * R + k] * b[(size_t)i * R + k];
  }
  for (int k = 0; k < R; k++) {
    const double spent = k < K ? (double)PetscMin(k, s->bound) * data->norm->phi.terms : 0;
    /* Where one mode is a function of others nothing is left: a floor of 1e-4 of the mode's own scale. */
    S2[k]              = S2[k] / n * s->rows / (s->rows - spent) * norm_unbiased(data, slot) + 1e-8;
  }
}

static PetscErrorCode residual_visit(void *ctx, NormData *data, int t, double alpha[])
{
  Residuals *s = ctx;
  double *b    = alpha;
  PetscFunctionBeginUser;
  norm_modes_scale(data, t, s->modes, alpha);
  for (int64_t i = data->start[t]; i < data->start[t] + data->fitted[t]; i++) {
    norm_as_unseen(data, i, data->norm->R, b);
    residual_variances(data, s, i, (int)data->good[i], b);
    b += (size_t)data->good[i] * data->norm->R;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode FitResidualScales(NormData *data, NormModes *modes, int bound)
{
  NormProfile norm = data->norm;
  const size_t KK = (size_t)norm->K * norm->K, slots = (size_t)data->start[data->tiles.tiles] + 1;
  const size_t count = (size_t)norm->scale.terms * norm->R;
  Residuals s        = {.modes = modes, .rows = data->fitted_rows, .bound = bound};
  NormDesign design;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(KK, &s.T, (size_t)data->capacity * norm->K, &s.left));
  PetscCall(PetscCalloc1(slots * norm->R, &s.S2));
  PetscCall(NormDataWalk(data, "residuals", NORM_MODES, residual_visit, &s));
  norm_design(data, norm->scale.terms, data->scale_X, norm->R, &design);
  design.use = data->mode_use;
  PetscCall(NormGammaRegression(&design, s.S2, norm->d_coef));
  for (size_t i = 0; i < count; i++) norm->d_coef[i] /= 2;
  PetscCall(NormShare(data->in.comm, count, norm->d_coef));
  PetscCall(PetscFree2(s.T, s.left));
  PetscCall(PetscFree(s.S2));
  PetscFunctionReturn(0);
}

PetscErrorCode NormFitCouplings(NormData *data, const ScoriaNormaliserOptions *opt)
{
  NormModes modes;
  Couple c;
  PetscFunctionBeginUser;
  PetscCall(NormModesCreate(data, &modes));
  PetscCall(FitModeMoments(data, opt, &modes));
  PetscCall(CoupleCreate(data, &modes, &c));
  PetscCall(FitCouplings(data, &c));
  PetscCall(FitResidualScales(data, &modes, c.bound));
  PetscCall(CoupleDestroy(&c));
  PetscCall(NormModesDestroy(&modes));
  PetscFunctionReturn(0);
}

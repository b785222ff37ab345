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
 * solution: with q = k P, row (k, 0) of L, cut at q, is L_q^-1 g_k, and f_k = L_q^-T of it.  Within a condition p_j, D
 * and mu are constant, so that all of this follows from the modes' first and second moments per condition: one pass
 * over the rows. */
#include "base/linalg.h"
#include "normaliser_fit.h"
#include <math.h>
#include <string.h>

typedef struct {
  int n, R, K, P;
  int bound;     /* at most this many regressor modes per mode: fifty rows stand behind every coefficient */
  int packed, q; /* K (K + 1) / 2; q = packed + R - K: the variances of the modes beyond K */
  double rows;
  const double *inverse_s;
  double *project; /* (R, m): modes over sqrt(lambda) */
  double *alpha;   /* (capacity, R): a over sqrt(lambda) */
  double *square;  /* (R, R) */
  double *sum;     /* (n, R): sums of alpha per condition, then means of a / D - mu */
  double *moment;  /* (n, q): sums of alpha_k alpha_l per condition, then of b_k b_l */
  double *factor;  /* (K P, K P) */
} Couple;

static int packed_index(int k, int l)
{
  return k >= l ? k * (k + 1) / 2 + l : l * (l + 1) / 2 + k;
}

static PetscErrorCode moment_visit(void *ctx, NormData *data, int i, int n, double v[])
{
  Couple *c   = ctx;
  const int m = data->norm->m, R = c->R;
  double *sum = c->sum + (size_t)i * R, *moment = c->moment + (size_t)i * c->q;
  PetscFunctionBeginUser;
  norm_standardise(data, c->inverse_s, i, n, v);
  la_gemm(false, true, n, R, m, 1, v, m, c->project, m, 0, c->alpha, R);
  for (int row = 0; row < n; row++)
    for (int k = 0; k < R; k++) sum[k] += c->alpha[(size_t)row * R + k];
  memset(c->square, 0, (size_t)R * R * sizeof(double));
  la_syrk(R, n, R, c->alpha, c->square);
  for (int k = 0; k < c->K; k++)
    for (int l = 0; l <= k; l++) moment[packed_index(k, l)] += c->square[(size_t)k * R + l];
  for (int k = c->K; k < R; k++) moment[c->packed + k - c->K] += c->square[(size_t)k * R + k];
  PetscFunctionReturn(0);
}

static int diagonal_index(const Couple *c, int k)
{
  return k < c->K ? packed_index(k, k) : c->packed + k - c->K;
}

/* D from the variances within conditions, with a floor of 1e-5 of the mode's overall scale. */
static PetscErrorCode fit_mode_scales(NormData *data, Couple *c, const double X[], double D[])
{
  ScoriaNormaliser norm = data->norm;
  const int n = c->n, R = c->R, p = norm->scale.terms;
  double *freedom;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(n, &freedom));
  for (int i = 0; i < n; i++) {
    const double rows = data->good[i];
    freedom[i]        = rows - 1;
    for (int k = 0; k < R; k++) {
      const double sum     = c->sum[(size_t)i * R + k];
      const double square  = c->moment[(size_t)i * c->q + diagonal_index(c, k)] - sum * sum / rows;
      D[(size_t)i * R + k] = PetscMax(square, 0) / freedom[i] + 1e-10;
    }
  }
  PetscCall(NormGammaRegression(&(NormDesign){n, p, R, X, freedom}, D, norm->D_coef));
  for (size_t k = 0; k < (size_t)p * R; k++) norm->D_coef[k] /= 2;
  PetscCall(NormShare(data, (size_t)p * R, norm->D_coef));
  la_gemm(false, false, n, R, p, 1, X, p, norm->D_coef, R, 0, D, R);
  for (size_t k = 0; k < (size_t)n * R; k++) D[k] = exp(D[k]);
  for (int k = 0; k < R; k++) norm->D_coef[k] += log(norm->lambda[k]) / 2; /* of a, not alpha; term 0 is 1 */
  PetscCall(PetscFree(freedom));
  PetscFunctionReturn(0);
}

/* mu from the condition means of a / D; c->sum becomes these means less mu, mean (n, R) becomes mu at the conditions.
 */
static PetscErrorCode fit_mode_means(NormData *data, Couple *c, const double X[], const double D[], double mean[])
{
  ScoriaNormaliser norm = data->norm;
  const int n = c->n, R = c->R, p = norm->mean.terms;
  PetscFunctionBeginUser;
  for (int i = 0; i < n; i++)
    for (size_t k = (size_t)i * R; k < (size_t)(i + 1) * R; k++) c->sum[k] /= data->good[i] * D[k];
  PetscCall(NormLeastSquares(&(NormDesign){n, p, R, X, data->good}, c->sum, norm->mu_coef));
  PetscCall(NormShare(data, (size_t)p * R, norm->mu_coef));
  la_gemm(false, false, n, R, p, 1, X, p, norm->mu_coef, R, 0, mean, R);
  for (size_t k = 0; k < (size_t)n * R; k++) c->sum[k] -= mean[k];
  PetscFunctionReturn(0);
}

/* c->moment from sums of alpha_k alpha_l to sums of b_k b_l; with t = a / D, bar its mean, b = t - mu:
 * sum b_k b_l = sum t_k t_l - rows (bar_k bar_l - (bar_k - mu_k) (bar_l - mu_l)). */
static void standardise_moments(const NormData *data, Couple *c, const double D[], const double mu[])
{
  for (int i = 0; i < c->n; i++) {
    const double *Di = D + (size_t)i * c->R, *mui = mu + (size_t)i * c->R, *gap = c->sum + (size_t)i * c->R;
    double *moment = c->moment + (size_t)i * c->q;
    for (int k = 0; k < c->R; k++)
      for (int l = k < c->K ? 0 : k; l <= k; l++) {
        double *to = moment + (k < c->K ? packed_index(k, l) : diagonal_index(c, k));
        *to        = *to / (Di[k] * Di[l]) - data->good[i] * ((gap[k] + mui[k]) * (gap[l] + mui[l]) - gap[k] * gap[l]);
      }
  }
}

static PetscErrorCode standardise_modes(NormData *data, Couple *c, const NormDesigns *X)
{
  double *D, *mu;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)c->n * c->R, &D, (size_t)c->n * c->R, &mu));
  PetscCall(fit_mode_scales(data, c, X->scale, D));
  PetscCall(fit_mode_means(data, c, X->mean, D, mu));
  standardise_moments(data, c, D, mu);
  PetscCall(PetscFree2(D, mu));
  PetscFunctionReturn(0);
}

/* factor = Cholesky of G / rows, G[(k, i), (l, j)] = sum over conditions of p_i p_j moment_kl. */
static PetscErrorCode gram_factor(Couple *c, const double X[])
{
  const int P = c->P, K = c->K, size = K * P;
  double *weight, *block;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)c->n * P * P, &weight, (size_t)P * P * c->packed, &block));
  for (int i = 0; i < c->n; i++)
    for (int a = 0; a < P; a++)
      for (int b = 0; b < P; b++)
        weight[((size_t)i * P + a) * P + b] = X[(size_t)i * P + a] * X[(size_t)i * P + b] / c->rows;
  la_gemm(true, false, P * P, c->packed, c->n, 1, weight, P * P, c->moment, c->q, 0, block, c->packed);
  for (int k = 0; k < K; k++)
    for (int l = 0; l <= k; l++)
      for (int a = 0; a < P; a++)
        for (int b = 0; b < P; b++)
          c->factor[((size_t)k * P + a) * size + l * P + b] =
              block[((size_t)a * P + b) * c->packed + packed_index(k, l)];
  /* The regressors have unit scale; the ridge matters only where there are fewer rows than regressors. */
  for (int k = 0; k < size; k++) c->factor[(size_t)k * size + k] += 1e-7;
  if (!la_cholesky(size, c->factor)) /* the same sums on every rank */
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "train: the fields do not vary within their conditions: there is no law to learn");
  PetscCall(PetscFree2(weight, block));
  PetscFunctionReturn(0);
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

/* Mean squares of d_k e_k in condition i: diagonal of T moment T^T, T = I - phi(u); unbiased for the coefficients
 * spent. */
static void residual_variances(const Couple *c, const double f[], int i, double rows, const double p[], double T[],
                               double full[], double product[], double S2[])
{
  const int K          = c->K;
  const double *moment = c->moment + (size_t)i * c->q;
  la_gemm(false, false, 1, K * K, c->P, -1, p, c->P, f, K * K, 0, T, K * K);
  for (int k = 0; k < K; k++)
    for (int l = 0; l < K; l++) {
      full[(size_t)k * K + l] = moment[packed_index(k, l)];
      if (k == l) T[(size_t)k * K + l] = 1;
    }
  la_gemm(false, false, K, K, K, 1, T, K, full, K, 0, product, K);
  for (int k = 0; k < K; k++) {
    double sum = 0;
    for (int l = 0; l <= k; l++) sum += T[(size_t)k * K + l] * product[(size_t)k * K + l];
    const double spent = (double)PetscMin(k, c->bound) * c->P;
    S2[k]              = sum / rows * c->rows / (c->rows - spent);
  }
  for (int k = K; k < c->R; k++) S2[k] = moment[c->packed + k - K] / rows;
}

static PetscErrorCode fit_residual_scales(NormData *data, Couple *c, const NormDesigns *X)
{
  ScoriaNormaliser norm = data->norm;
  const size_t KK       = (size_t)c->K * c->K;
  const int R = c->R, p = norm->scale.terms;
  double *S2, *T, *full, *product;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc4((size_t)c->n * R, &S2, KK, &T, KK, &full, KK, &product));
  for (int i = 0; i < c->n; i++)
    residual_variances(c, norm->phi_coef, i, data->good[i], X->phi + (size_t)i * c->P, T, full, product,
                       S2 + (size_t)i * R);
  /* Where one mode is a function of others nothing is left: a floor of 1e-4 of the mode's own scale. */
  for (size_t i = 0; i < (size_t)c->n * R; i++) S2[i] = PetscMax(S2[i], 0) + 1e-8;
  PetscCall(NormGammaRegression(&(NormDesign){c->n, p, R, X->scale, data->good}, S2, norm->d_coef));
  for (size_t i = 0; i < (size_t)p * R; i++) norm->d_coef[i] /= 2;
  PetscCall(NormShare(data, (size_t)p * R, norm->d_coef));
  PetscCall(PetscFree4(S2, T, full, product));
  PetscFunctionReturn(0);
}

static PetscErrorCode couple_fit(NormData *data, Couple *c, const NormDesigns *X)
{
  ScoriaNormaliser norm = data->norm;
  PetscFunctionBeginUser;
  for (int k = 0; k < c->R; k++)
    for (int j = 0; j < norm->m; j++)
      c->project[(size_t)k * norm->m + j] = norm->V[(size_t)k * norm->m + j] / sqrt(norm->lambda[k]);
  PetscCall(NormDataWalk(data, moment_visit, c));
  PetscCall(standardise_modes(data, c, X));
  PetscCall(gram_factor(c, X->phi));
  solve_couplings(c, c->alpha, norm->phi_coef);
  PetscCall(NormShare(data, (size_t)c->P * c->K * c->K, norm->phi_coef));
  PetscCall(fit_residual_scales(data, c, X));
  PetscFunctionReturn(0);
}

PetscErrorCode NormFitCouplings(NormData *data, const double inverse_s[], const NormDesigns *X)
{
  ScoriaNormaliser norm = data->norm;
  Couple c              = {.n = data->n, .R = norm->R, .K = norm->K, .P = norm->phi.terms, .inverse_s = inverse_s};
  PetscFunctionBeginUser;
  c.packed = c.K * (c.K + 1) / 2;
  c.q      = c.packed + c.R - c.K;
  for (int i = 0; i < c.n; i++) c.rows += data->good[i];
  c.bound           = (int)PetscMin(c.rows / (50.0 * c.P), (double)c.K);
  const size_t size = (size_t)c.K * c.P, alpha = PetscMax((size_t)data->capacity * c.R, size);
  PetscCall(PetscCalloc6((size_t)c.R * norm->m, &c.project, alpha, &c.alpha, (size_t)c.R * c.R, &c.square,
                         (size_t)c.n * c.R, &c.sum, (size_t)c.n * c.q, &c.moment, size * size, &c.factor));
  PetscCall(couple_fit(data, &c, X));
  PetscCall(PetscFree6(c.project, c.alpha, c.square, c.sum, c.moment, c.factor));
  PetscFunctionReturn(0);
}

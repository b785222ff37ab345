/* The conditional normaliser at work: at a condition it is two affine maps around the transforms x -> v of the
 * channels,
 *
 *   y = E (v - base),  E = d^-1 (I - Phi) D^-1 V S^-1 A      v = base + G y,  G = A^-1 S V^T D (I - Phi)^-1 d,
 *
 * base = transform(twin) + A^-1 (m + S V^T D mu), with y and v columns, A the differences v -> w of relative channels,
 * V (R, m) the modes as rows, S, D and d diagonal.  D scales the modes a = V z to b = D^-1 a - mu; I - Phi and d are
 * the modified Cholesky factors of what correlation b is left with (Pourahmadi 1999).  Everything but V is a function
 * of theta. */
#include "scoria/linalg.h"
#include "normaliser.h"
#include <math.h>
#include <string.h>

static int max_terms(const NormProfile norm)
{
  return PetscMax(norm->mean.terms, PetscMax(norm->scale.terms, norm->phi.terms));
}

/* work: polynomial values, s (m), phi (K, K), d, D and mu (R each), two (R, R), one (R, m). */
PetscErrorCode ProfileSetUp(NormProfile norm)
{
  const size_t m = (size_t)norm->m, R = (size_t)norm->R, K = (size_t)norm->K;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(norm->mean.terms * m, &norm->mean_coef));
  PetscCall(PetscCalloc1(norm->scale.terms * m, &norm->scale_coef));
  PetscCall(PetscCalloc1(R * m, &norm->V));
  PetscCall(PetscCalloc1(R, &norm->lambda));
  PetscCall(PetscCalloc1(norm->scale.terms * R, &norm->D_coef));
  PetscCall(PetscCalloc1(norm->mean.terms * R, &norm->mu_coef));
  PetscCall(PetscCalloc1(norm->phi.terms * K * K, &norm->phi_coef));
  PetscCall(PetscCalloc1(norm->scale.terms * R, &norm->d_coef));
  PetscCall(PetscCalloc1(m, &norm->base));
  PetscCall(PetscCalloc1(m * R, &norm->encode));
  PetscCall(PetscCalloc1(m * R, &norm->decode));
  PetscCall(PetscCalloc1(NORM_TILE * m, &norm->tile));
  PetscCall(PetscCalloc1(max_terms(norm) + m + K * K + 3 * R + 2 * R * R + R * m, &norm->work));
  PetscFunctionReturn(0);
}

PetscErrorCode ProfileDestroy(void *self)
{
  NormProfile norm = self;
  PetscFunctionBeginUser;
  if (!norm) PetscFunctionReturn(0);
  PetscCall(NormPolyDestroy(&norm->mean));
  PetscCall(NormPolyDestroy(&norm->scale));
  PetscCall(NormPolyDestroy(&norm->phi));
  PetscCall(PetscFree(norm->mean_coef));
  PetscCall(PetscFree(norm->scale_coef));
  PetscCall(PetscFree(norm->V));
  PetscCall(PetscFree(norm->lambda));
  PetscCall(PetscFree(norm->D_coef));
  PetscCall(PetscFree(norm->mu_coef));
  PetscCall(PetscFree(norm->phi_coef));
  PetscCall(PetscFree(norm->d_coef));
  PetscCall(PetscFree(norm->base));
  PetscCall(PetscFree(norm->encode));
  PetscCall(PetscFree(norm->decode));
  PetscCall(PetscFree(norm->tile));
  PetscCall(PetscFree(norm->work));
  PetscCall(PetscFree(norm));
  PetscFunctionReturn(0);
}

void profile_sizes(void *self, NormSizes *sizes)
{
  const NormProfile norm = self;
  *sizes                 = (NormSizes){norm->C, norm->L, norm->r, norm->R, {norm->L, 1, 1}};
}

const ScoriaSpace *profile_space(void *self)
{
  return &((NormProfile)self)->space;
}

const double *profile_modes(void *self)
{
  return ((NormProfile)self)->V;
}

void normaliser_unit(const NormProfile norm, const double theta[], double u[])
{
  double all[SCORIA_MAX_CONDITIONS];
  space_to_learned(&norm->space, theta, all);
  for (int j = 0; j < norm->d; j++) u[j] = all[norm->vary[j]];
}

int norm_cells(const NormProfile norm, int c)
{
  return norm->own[c] ? norm->own[c] : norm->L;
}

void normaliser_transform(const NormProfile norm, int64_t n, const double fields[], double v[])
{
  for (int64_t i = 0; i < n; i++)
    for (int c = 0; c < norm->C; c++) {
      const double *x = fields + ((size_t)i * norm->C + c) * norm->L, reference = norm->reference[c],
                   sign = norm->sign[c];
      const int cells   = norm_cells(norm, c);
      double *to        = v + ((size_t)i * norm->C + c) * norm->L;
      if (norm->bounds[c].on)
        for (int j = 0; j < cells; j++) to[j] = bounds_to(&norm->bounds[c], x[j]);
      else if (!norm->logged[c])
        memmove(to, x, (size_t)cells * sizeof(double));
      else
        for (int j = 0; j < cells; j++) {
          const double distance = sign * (x[j] - reference);
          to[j]                 = distance > 0 ? log(distance) : NAN;
        }
      for (int j = cells; j < norm->L; j++) to[j] = 0;
    }
}

void normaliser_subtract_first(const NormProfile norm, int64_t n, double v[])
{
  for (int64_t i = 0; i < n; i++)
    for (int c = 0; c < norm->C; c++) {
      double *cell = v + ((size_t)i * norm->C + c) * norm->L;
      for (int j = 1; j < norm_cells(norm, c) && norm->relative[c]; j++) cell[j] -= cell[0];
    }
}

/* A^-1: w (n, C, L) becomes v. */
static void add_first(const NormProfile norm, int n, double w[])
{
  for (int i = 0; i < n; i++)
    for (int c = 0; c < norm->C; c++) {
      double *cell = w + ((size_t)i * norm->C + c) * norm->L;
      for (int j = 1; j < norm_cells(norm, c) && norm->relative[c]; j++) cell[j] += cell[0];
    }
}

/* encode (m, R) of w becomes that of v = A^-1 w: columns of E A, as rows. */
static void encode_differences(const NormProfile norm, double encode[])
{
  const int R = norm->R;
  for (int c = 0; c < norm->C; c++) {
    double *first = encode + (size_t)c * norm->L * R;
    for (int j = 1; j < norm_cells(norm, c) && norm->relative[c]; j++)
      for (int k = 0; k < R; k++) first[k] -= first[(size_t)j * R + k];
  }
}

static void transform_back(const NormProfile norm, int64_t n, double fields[])
{
  for (int64_t i = 0; i < n; i++)
    for (int c = 0; c < norm->C; c++) {
      double *x              = fields + ((size_t)i * norm->C + c) * norm->L;
      const double reference = norm->reference[c], sign = norm->sign[c];
      if (norm->logged[c])
        for (int j = 0; j < norm->L; j++) x[j] = reference + sign * exp(x[j]);
    }
}

/* out (q) = p(u)^T coef (terms, q) */
static void evaluate(const NormPoly *poly, const double u[], int q, const double coef[], double value[], double out[])
{
  norm_poly_values(poly, u, value);
  la_rows_product(1, poly->terms, q, value, coef, NULL, out);
}

/* T (R, R) = I - Phi, and M (R, R) = its inverse times diag(d). */
static void coupling_matrices(int R, int K, const double phi[], const double d[], double T[], double M[])
{
  memset(T, 0, (size_t)R * R * sizeof(double));
  memset(M, 0, (size_t)R * R * sizeof(double));
  for (int k = 0; k < R; k++) {
    double *Tk = T + (size_t)k * R, *Mk = M + (size_t)k * R;
    Tk[k] = 1;
    Mk[k] = d[k];
    for (int l = 0; k < K && l < k; l++) {
      const double f = phi[(size_t)k * K + l];
      Tk[l]          = -f;
      for (int q = 0; q <= l; q++) Mk[q] += f * M[(size_t)l * R + q];
    }
  }
}

/* The scales and couplings at one condition. */
typedef struct {
  double *s, *phi, *d, *D, *mu; /* (m), (K, K), (R), (R), (R) */
} AtCondition;

static void set_matrices(NormProfile norm, const AtCondition *at, double scratch[])
{
  const int m = norm->m, R = norm->R;
  double *T = scratch, *M = T + (size_t)R * R, *product = M + (size_t)R * R;
  coupling_matrices(R, norm->K, at->phi, at->d, T, M);
  for (int k = 0; k < R; k++)
    for (int l = 0; l < R; l++) {
      M[(size_t)k * R + l] *= at->D[k];
      T[(size_t)k * R + l] /= at->D[l];
    }
  la_gemm(true, false, R, m, R, 1, M, R, norm->V, m, 0, norm->decode, m);
  for (int k = 0; k < R; k++)
    for (int j = 0; j < m; j++) norm->decode[(size_t)k * m + j] *= at->s[j];
  la_gemm(false, false, R, m, R, 1, T, R, norm->V, m, 0, product, m);
  for (int j = 0; j < m; j++)
    for (int k = 0; k < R; k++) norm->encode[(size_t)j * R + k] = product[(size_t)k * m + j] / (at->d[k] * at->s[j]);
  for (int k = 0; k < R; k++)
    for (int j = 0; j < m; j++) norm->base[j] += at->s[j] * norm->V[(size_t)k * m + j] * at->D[k] * at->mu[k];
}

static void exponentials(int n, double x[])
{
  for (int i = 0; i < n; i++) x[i] = exp(x[i]);
}

PetscErrorCode ProfileAt(void *self, const ScoriaTwin *twin, const double theta[])
{
  NormProfile norm = self;
  const int m = norm->m, R = norm->R, K = norm->K;
  double u[SCORIA_MAX_CONDITIONS];
  double *value = norm->work, *s = value + max_terms(norm), *phi = s + m, *d = phi + (size_t)K * K;
  const AtCondition at = {s, phi, d, d + R, d + 2 * R};
  PetscFunctionBeginUser;
  normaliser_unit(norm, theta, u);
  evaluate(&norm->mean, u, m, norm->mean_coef, value, norm->base);
  evaluate(&norm->mean, u, R, norm->mu_coef, value, at.mu);
  evaluate(&norm->phi, u, K * K, norm->phi_coef, value, phi);
  evaluate(&norm->scale, u, m, norm->scale_coef, value, s);
  evaluate(&norm->scale, u, R, norm->d_coef, value, d);
  evaluate(&norm->scale, u, R, norm->D_coef, value, at.D);
  exponentials(m, s);
  exponentials(R, d);
  exponentials(R, at.D);
  set_matrices(norm, &at, d + 3 * R);
  add_first(norm, 1, norm->base);
  add_first(norm, R, norm->decode);
  encode_differences(norm, norm->encode);
  if (norm->twin) {
    if (!twin || !twin->solve)
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "the model was trained with the equations' own solution as a baseline and cannot be used without it");
    double *fields = s; /* (m), no longer needed */
    PetscCall(twin->solve(twin->ctx, theta, fields));
    normaliser_transform(norm, 1, fields, fields);
    for (int j = 0; j < m; j++) norm->base[j] += fields[j];
  }
  for (int j = 0; j < m; j++)
    if (!isfinite(norm->base[j]))
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "no baseline at this condition (%s = %g, ...): it lies outside what the model can represent",
                  norm->space.n > 0 ? norm->space.c[0].name : "", norm->space.n > 0 ? theta[0] : 0.0);
  PetscFunctionReturn(0);
}

void profile_encode(void *self, int64_t n, const double fields[], double y[])
{
  const NormProfile norm = self;
  const int m = norm->m, R = norm->R;
  for (int64_t first = 0; first < n; first += NORM_TILE) {
    const int rows = n - first < NORM_TILE ? (int)(n - first) : NORM_TILE;
    double *v      = norm->tile;
    normaliser_transform(norm, rows, fields + (size_t)first * m, v);
    for (int i = 0; i < rows; i++)
      for (int j = 0; j < m; j++) v[(size_t)i * m + j] -= norm->base[j];
    la_rows_product(rows, m, R, v, norm->encode, NULL, y + (size_t)first * R);
  }
}

/* Behind the cells of a channel its last value. */
static void pad(const NormProfile norm, int64_t n, double fields[])
{
  for (int64_t i = 0; i < n * norm->C; i++) {
    double *x       = fields + (size_t)i * norm->L;
    const int cells = norm_cells(norm, (int)(i % norm->C));
    for (int j = cells; j < norm->L; j++) x[j] = x[cells - 1];
  }
}

void profile_decode(void *self, int64_t n, const double y[], double fields[])
{
  const NormProfile norm = self;
  la_rows_product(n, norm->R, norm->m, y, norm->decode, norm->base, fields);
  transform_back(norm, n, fields);
  bounds_back_all(norm->bounds, n, norm->C, norm->L, fields);
  pad(norm, n, fields);
}

/* J = diag(dx/dv) decode^T, and |dx/dv| = |x - reference| = exp(v) where the logarithm was taken. */
double profile_log_volume(void *self, const double y[], double work[])
{
  const NormProfile norm = self;
  const int m = norm->m, R = norm->R;
  double *v = work, *J = work + m, *gram = J + (size_t)R * m, sum = 0;
  la_rows_product(1, R, m, y, norm->decode, norm->base, v);
  for (int j = 0; j < m; j++) {
    const NormBounds *b = &norm->bounds[j / norm->L];
    if (j % norm->L >= norm_cells(norm, j / norm->L)) {
      v[j] = 0;
      continue;
    }
    v[j] = b->on ? bounds_rate(b, v[j]) : norm->logged[j / norm->L] ? exp(v[j]) : 1;
  }
  for (int k = 0; k < R; k++)
    for (int j = 0; j < m; j++) J[(size_t)k * m + j] = v[j] * norm->decode[(size_t)k * m + j];
  la_gemm(false, true, R, R, m, 1, J, m, J, m, 0, gram, R);
  if (!la_cholesky(R, gram)) return NAN;
  for (int k = 0; k < R; k++) sum += log(gram[(size_t)k * R + k]);
  return sum;
}

size_t profile_volume_work(void *self)
{
  const NormProfile norm = self;
  const size_t m = (size_t)norm->m, R = (size_t)norm->R;
  return m + R * m + R * R;
}

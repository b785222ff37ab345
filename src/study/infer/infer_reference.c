/* infer: the law that tempering starts from, in place of the prior: the posterior of a linear surrogate of the
 * readings.
 *
 * What the sensors read is taken as r = mu(theta) + H(theta) z, z the latents of the source.  Where the prior's fields
 * are Gaussian at given conditions, and nearly so where they are nearly Gaussian, r is that.  mu and H come from
 * central differences of the source along every latent, at points of the space of the unknown conditions, and are
 * polynomials between these; what the surrogate misses is taken as noise of the covariance that it shows over draws of
 * the prior, in addition to that of the sensors: S.
 *
 * With G = H H^T + S the readings y are N(mu, G) at given conditions, so that the conditions can be sampled without
 * the latents, however many these are; and with independent normals w and e,
 *     z = w + H^T G^-1 (y - mu - H w - S^1/2 e)
 * is a draw of the latents given y and theta (Matheron's rule).  Particles are (w, e, theta): a move of the conditions
 * takes along the fields as the readings demand.  Tempering has then to go only from the surrogate's likelihood N(y; mu
 * + H z, S) to that of the source itself, whose ratio is 1 where the surrogate is exact. */
#include "scoria/linalg.h"
#include "infer.h"
#include <math.h>
#include <string.h>

#define MOST_TERMS 64   /* of a polynomial */
#define MOST_DEGREE 12  /* of a polynomial in one condition */
#define BUDGET 65536    /* evaluations of the source for the differences, but for a constant surrogate: at most, */
#define PER_PARTICLE 16 /* and as many times the particles: about as much as two stages of eight moves take */
#define ROWS 16 /* conditions evaluated by one product: all products have the same shape, and so the same bits */

struct InferReference_ {
  const InferQuestion *q; /* borrowed */
  int m, D;               /* readings, latents */
  int terms, points;      /* of the polynomials; of the differences */
  int (*power)[SCORIA_MAX_CONDITIONS];
  double *coefficient;    /* owned (terms, m, D + 1): H, then mu */
  double *S, *root;       /* owned (m, m): covariance of the surrogate's noise, and its Cholesky factor */
  double *phi, *map;      /* owned (ROWS, terms), (ROWS, m, D + 1): work */
  double *G, *gap, *step; /* owned (m, m), (m), (m): work */
};

/* --------------------------------------------------------------------------------------------------- polynomials ----
 */

/* Powers of total degree `degree` at most of n variables; how many. */
static int list_powers(int n, int degree, int most, int (*power)[SCORIA_MAX_CONDITIONS])
{
  int at[SCORIA_MAX_CONDITIONS] = {0}, terms = 0;
  for (;;) {
    int sum = 0, k = 0;
    for (int i = 0; i < n; i++) sum += at[i];
    if (sum <= degree) {
      if (terms == most) return most + 1;
      if (power) memcpy(power[terms], at, sizeof at);
      terms++;
    }
    while (k < n && ++at[k] > degree) at[k++] = 0;
    if (k == n) return terms;
  }
}

/* Chebyshev polynomials of x (n), in [-1, 1]. */
static void take_terms(const InferReference r, const double x[], double phi[])
{
  double T[SCORIA_MAX_CONDITIONS][MOST_DEGREE + 1];
  const int n = r->q->nunknown;
  for (int i = 0; i < n; i++) {
    T[i][0] = 1;
    T[i][1] = x[i];
    for (int k = 2; k <= MOST_DEGREE; k++) T[i][k] = 2 * x[i] * T[i][k - 1] - T[i][k - 2];
  }
  for (int t = 0; t < r->terms; t++) {
    phi[t] = 1;
    for (int i = 0; i < n; i++) phi[t] *= T[i][r->power[t][i]];
  }
}

/* The degree for which the differences stay within the budget; points are twice the terms, which regression wants. */
static int choose_degree(int n, int D, int64_t particles)
{
  const int64_t budget = PetscMin(BUDGET, PER_PARTICLE * particles);
  for (int degree = n ? MOST_DEGREE : 0; degree > 0; degree--) {
    const int terms = list_powers(n, degree, MOST_TERMS, NULL);
    if (terms <= MOST_TERMS && (int64_t)2 * terms * (2 * D + 1) <= budget) return degree;
  }
  return 0;
}

static int choose_points(int n, int degree)
{
  return degree ? 2 * list_powers(n, degree, MOST_TERMS, NULL) : 1;
}

int64_t infer_reference_draws(const InferQuestion *q, int modes)
{
  return (int64_t)(2 * modes + 1) * choose_points(q->nunknown, choose_degree(q->nunknown, modes, q->count));
}

/* Point p, in (-1, 1): a Kronecker sequence of the generalised golden ratio, as dense towards the ends as Chebyshev
 * polynomials want. */
static void take_point(const InferReference r, int p, double x[])
{
  const int n  = r->q->nunknown;
  double ratio = 2;
  for (int i = 0; i < 40; i++) ratio = pow(1 + ratio, 1.0 / (n + 1));
  for (int i = 0; i < n; i++) x[i] = r->points > 1 ? cos(PETSC_PI * fmod(0.5 + (p + 1) * pow(ratio, -(i + 1)), 1)) : 0;
}

/* ------------------------------------------------------------------------------------------------ differences ---- */

/* Probe i of the source: at point i / (2 D + 1), of z = 0 and of 1 and -1 along every latent. */
static void probe_difference(void *ctx, int64_t i, double latent[], double x[])
{
  const InferReference r = ctx;
  const int of           = (int)(i % (2 * r->D + 1));
  memset(latent, 0, (size_t)r->D * sizeof(double));
  if (of) latent[(of - 1) / 2] = of % 2 ? 1 : -1;
  take_point(r, (int)(i / (2 * r->D + 1)), x);
}

/* (m, D + 1) of the readings (2 D + 1, m) at one point.  mu is the mean to second order: half of every second
 * derivative is added to what z = 0 reads. */
static void difference(const InferReference r, const double readings[], double map[])
{
  const int m = r->m, D = r->D;
  for (int s = 0; s < m; s++) {
    double *row = map + s * (D + 1);
    row[D]      = readings[s];
    for (int k = 0; k < D; k++) {
      const double up = readings[(2 * k + 1) * m + s], down = readings[(2 * k + 2) * m + s];
      row[k] = 0.5 * (up - down);
      row[D] += 0.5 * (up + down) - readings[s];
    }
  }
}

/* The polynomials, by regression of the values (points, m, D + 1), which are overwritten. */
static PetscErrorCode Regress(InferReference r, double values[])
{
  const int T = r->terms, P = r->points, width = r->m * (r->D + 1);
  double *A, *normal, x[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc2(P * T, &A, T * T, &normal));
  for (int p = 0; p < P; p++) {
    take_point(r, p, x);
    take_terms(r, x, A + p * T);
  }
  la_syrk(T, P, T, A, normal);
  PetscCheck(la_cholesky(T, normal), PETSC_COMM_SELF, PETSC_ERR_PLIB, "points do not determine the polynomials");
  la_gemm(true, false, T, width, P, 1, A, T, values, width, 0, r->coefficient, width);
  la_cholesky_solve(T, normal, width, r->coefficient);
  PetscCall(PetscFree2(A, normal));
  PetscFunctionReturn(0);
}

static PetscErrorCode FitSurrogate(InferParticles *p, InferReference r)
{
  const int64_t each = 2 * r->D + 1, probes = each * r->points;
  const int64_t width = (int64_t)r->m * (r->D + 1);
  double *readings, *values;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(probes * r->m, &readings, r->points * width, &values));
  PetscCall(InferProbe(p, probes, probe_difference, r, readings));
  for (int i = 0; i < r->points; i++) difference(r, readings + i * each * r->m, values + i * width);
  PetscCall(Regress(r, values));
  PetscCall(PetscFree2(readings, values));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------ what is missed ---- */

/* The surrogate's (m, D + 1) at n <= ROWS points x (n, unknown conditions), into r->map. */
static void take_map(InferReference r, int n, const double x[])
{
  const int width = r->m * (r->D + 1);
  memset(r->phi, 0, sizeof(double) * (size_t)(ROWS * r->terms));
  for (int i = 0; i < n; i++) take_terms(r, x + i * r->q->nunknown, r->phi + i * r->terms);
  la_gemm(false, false, ROWS, width, r->terms, 1, r->phi, r->terms, r->coefficient, width, 0, r->map, width);
}

/* Mean of the discrepancies to mu, and their covariance into S; the mean is taken from (n, m) of them. */
static void take_discrepancy(InferReference r, int64_t n, double gaps[])
{
  const int m = r->m, width = r->D + 1;
  for (int s = 0; s < m; s++) {
    double mean = 0;
    for (int64_t i = 0; i < n; i++) mean += gaps[i * m + s] / (double)n;
    for (int64_t i = 0; i < n; i++) gaps[i * m + s] = (gaps[i * m + s] - mean) / sqrt((double)n);
    r->coefficient[s * width + r->D] += mean; /* the first term is constant */
  }
  memset(r->S, 0, sizeof(double) * (size_t)(m * m));
  la_syrk(m, (int)n, m, gaps, r->S);
  for (int s = 0; s < m; s++) {
    r->S[s * m + s] += r->q->sensors.s[s].sd * r->q->sensors.s[s].sd;
    for (int k = 0; k < s; k++) r->S[k * m + s] = r->S[s * m + k];
  }
}

/* Over the draws of the prior whose readings are known. */
static PetscErrorCode FitNoise(const InferParticles *p, InferReference r)
{
  const int64_t n = p->nreadings;
  const int m = r->m, D = r->D;
  double *readings, *latent, x[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(n * m, &readings, D, &latent));
  PetscCall(PetscArraycpy(readings, p->readings, n * m));
  for (int64_t i = 0; i < n; i++) {
    infer_prior_draw(r->q, r->D, i, latent, x);
    infer_unit(r->q->nunknown, x, x);
    take_map(r, 1, x);
    for (int s = 0; s < m; s++) {
      const double *row = r->map + s * (D + 1);
      double mean       = row[D];
      for (int k = 0; k < D; k++) mean += row[k] * latent[k];
      readings[i * m + s] -= mean;
    }
  }
  take_discrepancy(r, n, readings);
  PetscCall(PetscArraycpy(r->root, r->S, m * m));
  PetscCheck(la_cholesky(m, r->root), PETSC_COMM_SELF, PETSC_ERR_PLIB, "noise without a covariance");
  PetscCall(PetscFree2(readings, latent));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- particles ---- */

/* ln N(y; mu, G) of one condition, whose map is given; G's factor in r->G, y - mu in r->gap. */
static double condition(InferReference r, const double map[])
{
  const int m = r->m, D = r->D;
  double sum = -0.5 * m * log(2 * PETSC_PI);
  memcpy(r->G, r->S, sizeof(double) * (size_t)(m * m));
  la_gemm(false, true, m, m, D, 1, map, D + 1, map, D + 1, 1, r->G, m);
  if (!la_cholesky(m, r->G)) return NAN;
  for (int s = 0; s < m; s++) r->gap[s] = r->step[s] = r->q->sensors.s[s].value - map[s * (D + 1) + D];
  la_cholesky_solve(m, r->G, 1, r->step);
  for (int s = 0; s < m; s++) sum -= 0.5 * r->gap[s] * r->step[s] + log(r->G[s * m + s]);
  return sum;
}

/* Latents (D) of a particle's w (D) and e (m); returns ln N(y; mu + H z, S). */
static double draw_latents(InferReference r, const double map[], const double w[], const double e[], double latent[])
{
  const int m = r->m, D = r->D;
  double sum = -0.5 * m * log(2 * PETSC_PI);
  for (int s = 0; s < m; s++) {
    const double *row = map + s * (D + 1);
    r->step[s]        = r->gap[s];
    for (int k = 0; k < D; k++) r->step[s] -= row[k] * w[k];
    for (int k = 0; k <= s; k++) r->step[s] -= r->root[s * m + k] * e[k];
  }
  la_cholesky_solve(m, r->G, 1, r->step);
  memcpy(latent, w, sizeof(double) * (size_t)D);
  for (int s = 0; s < m; s++)
    for (int k = 0; k < D; k++) latent[k] += r->step[s] * map[s * (D + 1) + k];
  /* y - mu - H z = S^1/2 e + S step */
  for (int k = 0; k < m; k++) {
    double a = e[k];
    for (int s = k; s < m; s++) a += r->root[s * m + k] * r->step[s];
    sum -= 0.5 * a * a + log(r->root[k * m + k]);
  }
  return sum;
}

int infer_reference_dimension(const InferReference r)
{
  return r->D + r->m + r->q->nunknown;
}

void infer_reference_conditions(InferReference r, int64_t n, const double u[], double log_evidence[])
{
  const int nu = r->q->nunknown;
  double x[ROWS * SCORIA_MAX_CONDITIONS];
  for (int64_t at = 0; at < n; at += ROWS) {
    const int rows = (int)PetscMin(ROWS, n - at);
    for (int i = 0; i < rows; i++) infer_unit(nu, u + (at + i) * nu, x + i * nu);
    take_map(r, rows, x);
    for (int i = 0; i < rows; i++)
      log_evidence[at + i] = condition(r, r->map + (size_t)i * (size_t)(r->m * (r->D + 1)));
  }
}

void infer_reference_particles(InferReference r, int64_t n, const double z[], double latent[], double log_evidence[],
                               double log_likelihood[])
{
  const int nu = r->q->nunknown, dimension = infer_reference_dimension(r);
  double x[ROWS * SCORIA_MAX_CONDITIONS];
  for (int64_t at = 0; at < n; at += ROWS) {
    const int rows = (int)PetscMin(ROWS, n - at);
    for (int i = 0; i < rows; i++) infer_unit(nu, z + (at + i + 1) * dimension - nu, x + i * nu);
    take_map(r, rows, x);
    for (int i = 0; i < rows; i++) {
      const double *map = r->map + (size_t)i * (size_t)(r->m * (r->D + 1)), *w = z + (at + i) * dimension;
      const double evidence = condition(r, map);
      const double likely   = draw_latents(r, map, w, w + r->D, latent + (at + i) * r->D);
      if (log_evidence) log_evidence[at + i] = evidence;
      if (log_likelihood) log_likelihood[at + i] = likely;
    }
  }
}

/* ---------------------------------------------------------------------------------------------------- object ---- */

PetscErrorCode InferReferenceCreate(const InferParticles *p, InferReference *out)
{
  const int m = p->q->sensors.n, D = p->modes, nu = p->q->nunknown, degree = choose_degree(nu, D, p->q->count);
  InferReference r;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&r));
  r->q      = p->q;
  r->m      = m;
  r->D      = D;
  r->terms  = list_powers(nu, degree, MOST_TERMS, NULL);
  r->points = choose_points(nu, degree);
  PetscCall(PetscMalloc1(r->terms, &r->power));
  (void)list_powers(nu, degree, MOST_TERMS, r->power);
  PetscCall(PetscMalloc2(r->terms * m * (D + 1), &r->coefficient, ROWS * r->terms, &r->phi));
  PetscCall(PetscMalloc6(m * m, &r->S, m * m, &r->root, (size_t)ROWS * (size_t)m * (size_t)(D + 1), &r->map, m * m,
                         &r->G, m, &r->gap, m, &r->step));
  *out = r;
  PetscFunctionReturn(0);
}

PetscErrorCode InferReferenceFit(InferParticles *p, InferReference r)
{
  PetscFunctionBeginUser;
  PetscCall(FitSurrogate(p, r));
  PetscCall(FitNoise(p, r));
  PetscFunctionReturn(0);
}

PetscErrorCode InferReferencePieces(InferReference r, ScoriaPiece piece, void *ctx)
{
  const int64_t m = r->m;
  PetscFunctionBeginUser;
  PetscCall(piece(ctx, "surrogate", r->terms * m * (r->D + 1), r->coefficient));
  PetscCall(piece(ctx, "noise", m * m, r->S));
  PetscCall(piece(ctx, "noise_root", m * m, r->root));
  PetscFunctionReturn(0);
}

PetscErrorCode InferReferenceDestroy(InferReference *out)
{
  InferReference r = *out;
  PetscFunctionBeginUser;
  if (!r) PetscFunctionReturn(0);
  PetscCall(PetscFree(r->power));
  PetscCall(PetscFree2(r->coefficient, r->phi));
  PetscCall(PetscFree6(r->S, r->root, r->map, r->G, r->gap, r->step));
  PetscCall(PetscFree(*out));
  PetscFunctionReturn(0);
}

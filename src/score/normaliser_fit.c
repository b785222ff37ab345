/* Fits the conditional normaliser: after the scan of NormDataCreate, three passes over the training rows.
 *   1. mean and spread of every condition           -> m(u) by least squares, ln s(u) by Gamma regression
 *   2. covariance of z = (w - wtwin - m) / s        -> modes V, lambda
 *   3. first and second moments of the modes        -> ln D(u), mu(u), phi(u) by nested least squares, ln d(u).
 * Without whitening only the first: the coordinates are z itself.
 * Every rank computes the same; what was computed is broadcast from rank 0 all the same, so that unlike processors
 * agree. */
#include "base/linalg.h"
#include "normaliser_fit.h"
#include <limits.h>
#include <math.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------- polynomials ---- */

/* How many values each u_j takes, counted up to the largest degree + 1. */
static void count_levels(const NormData *data, int levels[])
{
  const int d = data->norm->d;
  for (int j = 0; j < d; j++) {
    double seen[NORM_MAX_DEGREE + 1];
    levels[j] = 0;
    for (int i = 0; i < data->n && levels[j] <= NORM_MAX_DEGREE; i++) {
      const double value = data->u[(size_t)i * d + j];
      bool new_level     = true;
      for (int k = 0; k < levels[j]; k++) new_level = new_level && fabs(value - seen[k]) > 1e-9;
      if (new_level) seen[levels[j]++] = value;
    }
  }
}

/* The largest degree <= wanted with three conditions per coefficient. */
static PetscErrorCode choose_degree(const NormData *data, int wanted, const int levels[], NormPoly *poly)
{
  PetscFunctionBeginUser;
  for (int degree = PetscMin(wanted, NORM_MAX_DEGREE);; degree--) {
    PetscCall(NormPolyCreate(data->norm->d, degree, levels, poly));
    if (degree == 0 || 3 * poly->terms <= data->n) break;
    PetscCall(NormPolyDestroy(poly));
  }
  PetscFunctionReturn(0);
}

/* The polynomials at every condition: X (n, terms), to be freed by the caller. */
static PetscErrorCode design_matrix(const NormData *data, const NormPoly *poly, double **X)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)data->n * poly->terms, X));
  for (int i = 0; i < data->n; i++)
    norm_poly_values(poly, data->u + (size_t)i * data->norm->d, *X + (size_t)i * poly->terms);
  PetscFunctionReturn(0);
}

PetscErrorCode NormShare(const NormData *data, size_t n, double values[])
{
  PetscFunctionBeginUser;
  PetscCheck(n <= INT_MAX, data->comm, PETSC_ERR_ARG_OUTOFRANGE, "%zu values", n);
  PetscCallMPI(MPI_Bcast(values, (int)n, MPI_DOUBLE, 0, data->comm));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------- pass 1: mean and scale ---- */

typedef struct {
  double *count, *mean, *M2; /* (n), (n, m), (n, m) */
} Moments;

/* Merges the rows' moments into the condition's (Chan, Golub and LeVeque 1983). */
static PetscErrorCode moments_visit(void *ctx, NormData *data, int i, int n, double v[])
{
  const int m      = data->norm->m;
  Moments *moments = ctx;
  double *mean = moments->mean + (size_t)i * m, *M2 = moments->M2 + (size_t)i * m;
  PetscFunctionBeginUser;
  for (int k = 0; k < n; k++) {
    const double count = ++moments->count[i];
    for (int j = 0; j < m; j++) {
      const double step = v[(size_t)k * m + j] - mean[j];
      mean[j] += step / count;
      M2[j] += step * (v[(size_t)k * m + j] - mean[j]);
    }
  }
  PetscFunctionReturn(0);
}

/* Adds m(u) to data->base; mean (n, m) becomes the deviations of the condition means from base. */
static PetscErrorCode fit_mean(NormData *data, double mean[], double coef[])
{
  const int n = data->n, m = data->norm->m, p = data->norm->mean.terms;
  double *X;
  PetscFunctionBeginUser;
  PetscCall(design_matrix(data, &data->norm->mean, &X));
  for (size_t i = 0; i < (size_t)n * m; i++) mean[i] -= data->base[i];
  PetscCall(NormLeastSquares(&(NormDesign){n, p, m, X, data->good}, mean, coef));
  PetscCall(NormShare(data, (size_t)p * m, coef));
  la_gemm(false, false, n, m, p, -1, X, p, coef, m, 1, mean, m);
  la_gemm(false, false, n, m, p, 1, X, p, coef, m, 1, data->base, m);
  PetscCall(PetscFree(X));
  PetscFunctionReturn(0);
}

/* Elements of w whose spread is beyond what least squares leave of a constant: 1e-11 of it, by their ridge. */
static PetscErrorCode FindVarying(NormData *data, const double S2[])
{
  const int m = data->norm->m;
  double *varies;
  bool any = false;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(m, &varies));
  for (int j = 0; j < m; j++) {
    double spread = 0, size = 0;
    for (size_t k = (size_t)j; k < (size_t)data->n * m; k += m) {
      spread += S2[k];
      size += data->base[k] * data->base[k];
    }
    varies[j] = spread > 1e-19 * size;
  }
  PetscCall(NormShare(data, (size_t)m, varies));
  for (int j = 0; j < m; j++) {
    data->varies[j] = varies[j] > 0;
    any             = any || data->varies[j];
  }
  PetscCall(PetscFree(varies));
  if (!any)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "the training fields do not vary between realisations: there is nothing to learn");
  PetscFunctionReturn(0);
}

/* S2 (n, m) gets a floor in `cells` elements from `first`: a thousandth of the rms spread of those that vary. */
static void floor_elements(const NormData *data, int first, int cells, double S2[])
{
  const int m   = data->norm->m;
  double sum    = 0;
  int64_t count = 0;
  for (int j = first; j < first + cells; j++)
    for (int i = 0; i < data->n && data->varies[j]; i++, count++) sum += S2[(size_t)i * m + j];
  const double least = count > 0 ? 1e-6 * sum / (double)count : 1;
  for (int i = 0; i < data->n; i++)
    for (int j = first; j < first + cells; j++) S2[(size_t)i * m + j] += least;
}

/* A floor for every channel, so that cells or conditions whose spread vanishes keep a scale; the first cell of a
 * relative channel is of another size than the rest.  A channel that never varies has scale 1: its z is zero and its
 * mean is all there is. */
static PetscErrorCode FloorSpread(NormData *data, double S2[])
{
  const ScoriaNormaliser norm = data->norm;
  PetscFunctionBeginUser;
  PetscCall(FindVarying(data, S2));
  for (int c = 0; c < norm->C; c++) {
    const int first = c * norm->L, apart = norm->relative[c] ? 1 : 0;
    floor_elements(data, first, apart, S2);
    floor_elements(data, first + apart, norm->L - apart, S2);
  }
  PetscFunctionReturn(0);
}

/* Divides s of the first cell of relative channels by sqrt(L): in the trace of the covariance of z the level then
 * weighs what L cells do, and is among the first modes, as it is in v. */
static void weigh_levels(const ScoriaNormaliser norm, double coef[])
{
  for (int c = 0; c < norm->C; c++)
    if (norm->relative[c]) coef[(size_t)c * norm->L] -= log(norm->L) / 2; /* term 0 is 1 */
}

/* From moments about the condition means to s(u): M2 becomes the mean square about base, then 1/s (n, m). */
static PetscErrorCode fit_scale(NormData *data, bool whitening, const double deviation[], double M2[], double coef[])
{
  const int n = data->n, m = data->norm->m, p = data->norm->scale.terms;
  double *X;
  PetscFunctionBeginUser;
  PetscCall(design_matrix(data, &data->norm->scale, &X));
  for (int i = 0; i < n; i++)
    for (size_t k = (size_t)i * m; k < (size_t)(i + 1) * m; k++)
      M2[k] = M2[k] / data->good[i] + deviation[k] * deviation[k];
  PetscCall(FloorSpread(data, M2));
  PetscCall(NormGammaRegression(&(NormDesign){n, p, m, X, data->good}, M2, coef));
  for (size_t k = 0; k < (size_t)p * m; k++) coef[k] /= 2; /* of ln s, not ln s^2 */
  if (whitening) weigh_levels(data->norm, coef);
  PetscCall(NormShare(data, (size_t)p * m, coef));
  la_gemm(false, false, n, m, p, -1, X, p, coef, m, 0, M2, m);
  for (size_t k = 0; k < (size_t)n * m; k++) M2[k] = exp(M2[k]);
  PetscCall(PetscFree(X));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ pass 2: modes ----
 */

void norm_standardise(const NormData *data, const double inverse_s[], int i, int n, double v[])
{
  const int m        = data->norm->m;
  const double *base = data->base + (size_t)i * m, *scale = inverse_s + (size_t)i * m;
  for (int k = 0; k < n; k++)
    for (int j = 0; j < m; j++) v[(size_t)k * m + j] = (v[(size_t)k * m + j] - base[j]) * scale[j];
}

typedef struct {
  const double *inverse_s; /* (n, m) */
  double *C;               /* (m, m) */
} Covariance;

static PetscErrorCode covariance_visit(void *ctx, NormData *data, int i, int n, double v[])
{
  Covariance *covariance = ctx;
  PetscFunctionBeginUser;
  norm_standardise(data, covariance->inverse_s, i, n, v);
  la_syrk(data->norm->m, n, data->norm->m, v, covariance->C);
  PetscFunctionReturn(0);
}

static double total_rows(const NormData *data)
{
  double rows = 0;
  for (int i = 0; i < data->n; i++) rows += data->good[i];
  return rows;
}

/* Row k of C, the eigenvector of the k-th largest variance, to V, its largest element positive. */
static void take_mode(int m, const double from[], double to[])
{
  int top = 0;
  for (int j = 1; j < m; j++)
    if (fabs(from[j]) > fabs(from[top])) top = j;
  for (int j = 0; j < m; j++) to[j] = from[top] < 0 ? -from[j] : from[j];
}

/* Eigenvectors of the covariance in C (m, m), ascending in w (m); says how many are worth having. */
static PetscErrorCode find_modes(NormData *data, const double inverse_s[], const ScoriaNormaliserOptions *opt,
                                 double C[], double w[])
{
  ScoriaNormaliser norm = data->norm;
  const int m           = norm->m;
  PetscFunctionBeginUser;
  memset(C, 0, (size_t)m * m * sizeof(double));
  PetscCall(NormDataWalk(data, covariance_visit, &(Covariance){inverse_s, C}));
  for (size_t i = 0; i < (size_t)m * m; i++) C[i] /= total_rows(data);
  norm->total = 0;
  for (int j = 0; j < m; j++) norm->total += C[(size_t)j * m + j];
  PetscCall(LinalgEigen(m, C, w));
  PetscCall(NormShare(data, (size_t)m * m, C));
  PetscCall(NormShare(data, m, w));
  int exist = 0;
  while (exist < m && w[m - 1 - exist] > 1e-10 * w[m - 1]) exist++;
  norm->R = PetscMin(PetscMax(opt->modes, opt->all_modes), exist);
  norm->r = PetscMin(opt->modes, norm->R);
  norm->K = PetscMin(norm->R, NORM_MAX_COUPLED);
  PetscFunctionReturn(0);
}

/* y = z, of what varies: unit vectors for modes, with neither scales nor couplings of their own. */
static PetscErrorCode TakeElements(const NormData *data)
{
  ScoriaNormaliser norm = data->norm;
  PetscFunctionBeginUser;
  for (int j = 0; j < norm->m; j++) norm->R += data->varies[j];
  norm->r     = norm->R;
  norm->K     = 1;
  norm->total = norm->R;
  PetscCall(NormaliserSetUp(norm));
  for (int j = 0, k = 0; j < norm->m; j++) {
    if (!data->varies[j]) continue;
    norm->V[(size_t)k * norm->m + j] = 1;
    norm->lambda[k++]                = 1;
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- all together ----
 */

typedef struct {
  double *count, *mean, *M2;      /* (n), (n, m), (n, m) */
  double *mean_coef, *scale_coef; /* (terms, m) */
  double *C, *w;                  /* (m, m), (m) */
} Scratch;

/* V and lambda, the second pass. */
static PetscErrorCode TakeModes(NormData *data, const ScoriaNormaliserOptions *opt, Scratch *s)
{
  ScoriaNormaliser norm = data->norm;
  const int m           = norm->m;
  PetscFunctionBeginUser;
  PetscCall(find_modes(data, s->M2, opt, s->C, s->w));
  PetscCall(NormaliserSetUp(norm));
  for (int k = 0; k < norm->R; k++) {
    take_mode(m, s->C + (size_t)(m - 1 - k) * m, norm->V + (size_t)k * m);
    norm->lambda[k] = s->w[m - 1 - k];
  }
  PetscFunctionReturn(0);
}

/* Scales and couplings of the modes, the third pass. */
static PetscErrorCode CoupleModes(NormData *data, const double inverse_s[])
{
  ScoriaNormaliser norm = data->norm;
  NormDesigns X;
  PetscFunctionBeginUser;
  PetscCall(design_matrix(data, &norm->mean, &X.mean));
  PetscCall(design_matrix(data, &norm->scale, &X.scale));
  PetscCall(design_matrix(data, &norm->phi, &X.phi));
  PetscCall(NormFitCouplings(data, inverse_s, &X));
  PetscCall(PetscFree(X.mean));
  PetscCall(PetscFree(X.scale));
  PetscCall(PetscFree(X.phi));
  PetscFunctionReturn(0);
}

static PetscErrorCode fit_all(NormData *data, const ScoriaNormaliserOptions *opt, Scratch *s)
{
  ScoriaNormaliser norm = data->norm;
  const size_t m        = (size_t)norm->m;
  PetscFunctionBeginUser;
  PetscCall(NormDataWalk(data, moments_visit, &(Moments){s->count, s->mean, s->M2}));
  PetscCall(fit_mean(data, s->mean, s->mean_coef));
  PetscCall(fit_scale(data, opt->whitening, s->mean, s->M2, s->scale_coef));
  if (opt->whitening)
    PetscCall(TakeModes(data, opt, s));
  else
    PetscCall(TakeElements(data));
  memcpy(norm->mean_coef, s->mean_coef, (size_t)norm->mean.terms * m * sizeof(double));
  memcpy(norm->scale_coef, s->scale_coef, (size_t)norm->scale.terms * m * sizeof(double));
  if (opt->whitening) PetscCall(CoupleModes(data, s->M2));
  PetscFunctionReturn(0);
}

static PetscErrorCode fit_with_scratch(NormData *data, const ScoriaNormaliserOptions *opt)
{
  ScoriaNormaliser norm = data->norm;
  const size_t n = data->n, m = norm->m;
  int levels[SCORIA_MAX_CONDITIONS];
  Scratch s;
  PetscFunctionBeginUser;
  count_levels(data, levels);
  PetscCall(choose_degree(data, opt->degree_mean, levels, &norm->mean));
  PetscCall(choose_degree(data, opt->degree_scale, levels, &norm->scale));
  PetscCall(choose_degree(data, PetscMin(opt->degree_scale, 2), levels, &norm->phi));
  PetscCall(PetscCalloc7(n, &s.count, n * m, &s.mean, n * m, &s.M2, norm->mean.terms * m, &s.mean_coef,
                         norm->scale.terms * m, &s.scale_coef, m * m, &s.C, m, &s.w));
  PetscCall(fit_all(data, opt, &s));
  PetscCall(PetscFree7(s.count, s.mean, s.M2, s.mean_coef, s.scale_coef, s.C, s.w));
  PetscFunctionReturn(0);
}

static void describe_space(const ScoriaSpace *space, ScoriaNormaliser norm)
{
  norm->space = *space;
  for (int j = 0; j < space->n; j++)
    if (space->c[j].lo < space->c[j].hi) norm->vary[norm->d++] = j;
}

PetscErrorCode ScoriaNormaliserFit(MPI_Comm comm, ScoriaDataset ds, int nchannels, const int channel[],
                                   const bool train[], const ScoriaTwin *twin, const ScoriaNormaliserOptions *opt,
                                   ScoriaNormaliser *norm)
{
  const ScoriaDatasetSpec *spec;
  NormData data;
  ScoriaNormaliser made;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  PetscCheck(nchannels > 0 && nchannels <= spec->nfields && opt->modes > 0, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "%d channels, %d modes", nchannels, opt->modes);
  if (!opt->whitening && nchannels * spec->cells > NORM_MAX_ELEMENTS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "train_whitening is false and the fields have %d values together: at most %d can be learned one by one",
                nchannels * spec->cells, NORM_MAX_ELEMENTS);
  PetscCall(PetscNew(&made));
  describe_space(&spec->space, made);
  made->C    = nchannels;
  made->L    = spec->cells;
  made->m    = nchannels * spec->cells;
  made->twin = twin && twin->solve;
  for (int c = 0; c < nchannels; c++) made->reference[c] = twin ? twin->reference[c] : NAN;
  PetscCall(NormDataCreate(comm, ds, channel, train, twin, opt->relative, made, &data));
  PetscCall(fit_with_scratch(&data, opt));
  PetscCall(NormDataDestroy(&data));
  *norm = made;
  PetscFunctionReturn(0);
}

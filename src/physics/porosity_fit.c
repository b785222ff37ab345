/* The Gaussian process behind a measured structure: eps = min + (max - min) sigmoid(mean + sigma g), by its marginal
 * and its variograms along the axes.
 *
 * Marginal: porosity_marginal.c.  Covariance: with y the logit of eps between its bounds, the variogram of an axis,
 * half the mean square of y(x + h) - y(x), is sigma^2 (1 - k(h / ell)); sigma^2 and the three ell are fitted to the
 * logarithms of the variograms for each kernel, and the kernel is that of the least misfit.  Standard errors: the
 * jackknife over blocks, rows or slabs of the longest axis, which are taken to be independent. */
#include "porosity_fit.h"
#include "porosity_field.h"
#include <math.h>
#include <string.h>

#define LEAST_LAGS 3 /* that a correlation length is fitted to */
#define MOST_LAGS 64
#define NOTHING 1e-12 /* of the variance: a variogram of rounding */
#define GOLDEN 0.6180339887498949

/* ----------------------------------------------------------------------------------------------- variograms ---- */

typedef struct {
  int lags; /* used, 0: the axis has too few windows */
  double window;
  double square[POROSITY_BLOCKS][MOST_LAGS], pairs[POROSITY_BLOCKS][MOST_LAGS];
} Variogram;

/* Which block a window is in: by its row, or its place along the longest axis. */
typedef struct {
  int axis; /* AXIS_ROW, or 0 to 2 */
  int64_t length;
  int blocks;
} Blocking;

static Blocking choose_blocks(const LocalPorosity *local)
{
  Blocking by = {.axis = AXIS_ROW, .length = local->rows};
  if (local->rows < 8)
    for (int a = 0; a < 3; a++)
      if (by.axis == AXIS_ROW || local->n[a] > by.length) {
        by.axis   = a;
        by.length = local->n[a];
      }
  by.blocks = (int)PetscMin(by.axis == AXIS_ROW ? POROSITY_BLOCKS : POROSITY_BLOCKS / 2, by.length);
  return by;
}

static int block_of(const Blocking *by, int64_t row, const int at[3])
{
  const int64_t i = by->axis == AXIS_ROW ? row : at[by->axis];
  return (int)(i * by->blocks / by->length);
}

/* Adds the pairs that begin at one window, along an axis. */
static void add_pairs(const LocalPorosity *local, const double y[], int axis, int64_t i, const int at[3], int block,
                      Variogram *v)
{
  const int64_t stride = axis == 0 ? 1 : axis == 1 ? local->n[0] : (int64_t)local->n[0] * local->n[1];
  const int most       = PetscMin(v->lags, local->n[axis] - 1 - at[axis]);
  for (int lag = 1; lag <= most; lag++) {
    const double difference = y[i + lag * stride] - y[i];
    v->square[block][lag - 1] += 0.5 * difference * difference;
    v->pairs[block][lag - 1]++;
  }
}

static double variogram(const Variogram *v, int lag, int out, int blocks)
{
  double square = 0, pairs = 0;
  for (int b = 0; b < blocks; b++)
    if (b != out) {
      square += v->square[b][lag];
      pairs += v->pairs[b][lag];
    }
  return square / pairs;
}

/* Calls for every window in the order of memory. */
static void each_window(const LocalPorosity *local, const Blocking *by,
                        void (*visit)(void *ctx, int64_t i, const int at[3], int block), void *ctx)
{
  int64_t i = 0;
  int at[3];
  for (int64_t row = 0; row < local->rows; row++)
    for (at[2] = 0; at[2] < local->n[2]; at[2]++)
      for (at[1] = 0; at[1] < local->n[1]; at[1]++)
        for (at[0] = 0; at[0] < local->n[0]; at[0]++) visit(ctx, i++, at, block_of(by, row, at));
}

/* ------------------------------------------------------------------------------------------------ covariance ---- */

typedef struct {
  const FieldKernel *kernel;
  int blocks;
  Variogram axis[3];
} Variograms;

/* Sum over the lags of an axis of (log variogram - log model)^2, without block `out`. */
static double axis_misfit(const Variograms *v, int a, int out, double log_ell, double log_variance)
{
  double sum = 0;
  for (int lag = 0; lag < v->axis[a].lags; lag++) {
    const double r = (lag + 1) * v->axis[a].window * exp(-log_ell), model = fmax(1 - v->kernel->covariance(r), 1e-12);
    const double d = log(fmax(variogram(&v->axis[a], lag, out, v->blocks), 1e-300)) - log_variance - log(model);
    sum += d * d;
  }
  return sum;
}

/* Golden section over log ell from a tenth of a window to thirty times the last lag. */
static double best_ell(const Variograms *v, int a, int out, double log_variance, double *misfit)
{
  double from = log(0.1 * v->axis[a].window), to = log(30 * v->axis[a].lags * v->axis[a].window);
  while (to - from > 1e-5) {
    const double left = to - GOLDEN * (to - from), right = from + GOLDEN * (to - from);
    if (axis_misfit(v, a, out, left, log_variance) < axis_misfit(v, a, out, right, log_variance))
      to = right;
    else
      from = left;
  }
  *misfit = axis_misfit(v, a, out, from, log_variance);
  return from;
}

/* The three ell [log m] at a variance, and what is left. */
static double all_ells(const Variograms *v, int out, double log_variance, double log_ell[3])
{
  double sum = 0;
  for (int a = 0; a < 3; a++) {
    double misfit = 0;
    log_ell[a]    = NAN;
    if (v->axis[a].lags) log_ell[a] = best_ell(v, a, out, log_variance, &misfit);
    sum += misfit;
  }
  return sum;
}

/* Root mean square of the misfit in the logarithm, at the best variance within a factor of e of the marginal's. */
static double fit_covariance(const Variograms *v, int out, double variance, double ell[3])
{
  double from = log(variance) - 1, to = log(variance) + 1, log_ell[3];
  int lags = 0;
  while (to - from > 1e-3) {
    const double left = to - GOLDEN * (to - from), right = from + GOLDEN * (to - from);
    if (all_ells(v, out, left, log_ell) < all_ells(v, out, right, log_ell))
      to = right;
    else
      from = left;
  }
  const double sum = all_ells(v, out, 0.5 * (from + to), log_ell);
  for (int a = 0; a < 3; a++) {
    ell[a] = exp(log_ell[a]);
    lags += v->axis[a].lags;
  }
  return sqrt(sum / PetscMax(lags, 1));
}

/* ---------------------------------------------------------------------------------------------------- all ---- */

typedef struct {
  const LocalPorosity *local;
  const double *eps;
  double *y;
  PorosityHistogram *h;
  Variograms *v;
} Work;

static void add_to_histogram(void *ctx, int64_t i, const int at[3], int block)
{
  Work *w     = ctx;
  const int b = (int)((w->eps[i] - w->h->lo) / (w->h->hi - w->h->lo) * POROSITY_BINS);
  (void)at;
  w->h->count[block][PetscMin(b, POROSITY_BINS - 1)]++;
  w->h->sum[block] += w->eps[i];
  w->h->square[block] += w->eps[i] * w->eps[i];
  w->h->n[block]++;
}

static void add_to_variograms(void *ctx, int64_t i, const int at[3], int block)
{
  Work *w = ctx;
  for (int a = 0; a < 3; a++)
    if (w->v->axis[a].lags) add_pairs(w->local, w->y, a, i, at, block, &w->v->axis[a]);
}

/* The mean and the SD of eps, without block `out`. */
static void moments(const PorosityHistogram *h, int out, int blocks, double *mean, double *sd)
{
  double n = 0, sum = 0, square = 0;
  for (int b = 0; b < blocks; b++)
    if (b != out) {
      n += h->n[b];
      sum += h->sum[b];
      square += h->square[b];
    }
  *mean = sum / n;
  *sd   = sqrt(fmax(square / n - *mean * *mean, 0));
}

#define PARAMETERS 9 /* mean, sd, min, max, logit_mean, sigma, ell along x, y, z */

static void all_parameters(const Work *w, int out, int blocks, const PorosityFitAsked *asked, double p[PARAMETERS])
{
  const PorosityMarginal m = porosity_marginal(w->h, out, blocks, asked);
  moments(w->h, out, blocks, &p[0], &p[1]);
  p[2] = m.min;
  p[3] = m.max;
  p[4] = m.mean;
  p[5] = m.sigma;
  fit_covariance(w->v, out, m.sigma * m.sigma, &p[6]);
}

static double logit_between(const PorosityMarginal *m, double eps)
{
  return log((eps - m->min) / (m->max - eps));
}

/* Lags up to where the correlation has mostly gone, and as many again, but no more than a third of the windows. */
static PetscErrorCode ChooseLags(Work *w, const Blocking *by, double variance)
{
  PetscFunctionBeginUser;
  for (int a = 0; a < 3; a++) {
    Variogram *v = &w->v->axis[a];
    v->window    = w->local->window[a];
    v->lags      = PetscMin(MOST_LAGS, w->local->n[a] / 3);
    if (v->lags < LEAST_LAGS) v->lags = 0;
  }
  each_window(w->local, by, add_to_variograms, w);
  for (int a = 0; a < 3; a++) {
    Variogram *v = &w->v->axis[a];
    int near     = 0;
    for (int lag = 0; lag < v->lags; lag++)
      if (!(variogram(v, lag, -1, w->v->blocks) > NOTHING * variance))
        SCORIA_FAIL(SCORIA_EXIT_INPUT,
                    "fit-porosity: found no difference between windows %g m apart along %c, expected porosities that "
                    "vary along it",
                    (lag + 1) * v->window, "xyz"[a]);
    while (near < v->lags && variogram(v, near, -1, w->v->blocks) < 0.8 * variance) near++;
    v->lags = PetscMin(v->lags, PetscMax(LEAST_LAGS, 2 * (near + 1)));
  }
  PetscFunctionReturn(0);
}

static void choose_kernel(Work *w, double variance, ScoriaPorosityFit *fit)
{
  double ell[3];
  fit->kernels = 0;
  for (const FieldKernel *k = field_kernels; k->name; k++) {
    const int i    = fit->kernels++;
    w->v->kernel   = k;
    fit->name[i]   = k->name;
    fit->misfit[i] = fit_covariance(w->v, -1, variance, ell);
    if (i == 0 || fit->misfit[i] < fit->misfit[fit->kernel]) fit->kernel = i;
  }
  w->v->kernel = &field_kernels[fit->kernel];
}

/* Every block in turn left out. */
static void jackknife(const Work *w, int blocks, const PorosityFitAsked *asked, ScoriaPorosityFit *fit)
{
  ScoriaEstimate *const to[PARAMETERS] = {&fit->mean,  &fit->sd,     &fit->min,    &fit->max,   &fit->logit_mean,
                                          &fit->sigma, &fit->ell[0], &fit->ell[1], &fit->ell[2]};
  double all[PARAMETERS], one[POROSITY_BLOCKS][PARAMETERS];
  all_parameters(w, -1, blocks, asked, all);
  for (int b = 0; b < blocks; b++) all_parameters(w, b, blocks, asked, one[b]);
  for (int p = 0; p < PARAMETERS; p++) {
    double mean = 0, square = 0;
    for (int b = 0; b < blocks; b++) mean += one[b][p] / blocks;
    for (int b = 0; b < blocks; b++) square += (one[b][p] - mean) * (one[b][p] - mean);
    *to[p] = (ScoriaEstimate){all[p], blocks > 3 ? sqrt(square * (blocks - 1) / blocks) : NAN};
  }
}

static PetscErrorCode FitAll(Work *w, const PorosityFitAsked *asked, ScoriaPorosityFit *fit)
{
  const LocalPorosity *local = w->local;
  const int64_t n            = local->rows * local->n[0] * local->n[1] * local->n[2];
  const Blocking by          = choose_blocks(local);
  PetscFunctionBeginUser;
  w->h->lo     = INFINITY;
  w->h->hi     = -INFINITY;
  w->v->blocks = by.blocks;
  for (int64_t i = 0; i < n; i++) {
    w->h->lo = fmin(w->h->lo, w->eps[i]);
    w->h->hi = fmax(w->h->hi, w->eps[i]);
  }
  each_window(local, &by, add_to_histogram, w);
  const PorosityMarginal m = porosity_marginal(w->h, -1, by.blocks, asked);
  for (int64_t i = 0; i < n; i++) w->y[i] = logit_between(&m, w->eps[i]);
  PetscCall(ChooseLags(w, &by, m.sigma * m.sigma));
  choose_kernel(w, m.sigma * m.sigma, fit);
  jackknife(w, by.blocks, asked, fit);
  fit->rows    = local->rows;
  fit->blocks  = by.blocks;
  fit->by_rows = by.axis == AXIS_ROW;
  for (int a = 0; a < 3; a++) {
    fit->n[a]      = local->n[a];
    fit->window[a] = local->window[a];
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckRange(const LocalPorosity *local, const double eps[], const PorosityFitAsked *asked)
{
  const int64_t n = local->rows * local->n[0] * local->n[1] * local->n[2];
  double lo = INFINITY, hi = -INFINITY;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++) {
    lo = fmin(lo, eps[i]);
    hi = fmax(hi, eps[i]);
  }
  if (!(lo < hi)) SCORIA_FAIL(SCORIA_EXIT_INPUT, "fit-porosity: found %g in all windows: nothing varies", lo);
  if (local->n[0] < 3 * LEAST_LAGS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "fit-porosity: found %d windows along x, expected at least %d", local->n[0],
                3 * LEAST_LAGS);
  if (asked->min >= lo || asked->max <= hi)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "fit-porosity: found porosities from %g to %g, expected all inside the bounds given",
                lo, hi);
  PetscFunctionReturn(0);
}

PetscErrorCode PorosityFit(const LocalPorosity *local, const double eps[], const PorosityFitAsked *asked,
                           ScoriaPorosityFit *fit)
{
  Work w = {.local = local, .eps = eps};
  PetscFunctionBeginUser;
  memset(fit, 0, sizeof *fit);
  PetscCall(CheckRange(local, eps, asked));
  PetscCall(PetscMalloc1(local->rows * local->n[0] * local->n[1] * local->n[2], &w.y));
  PetscCall(PetscNew(&w.h));
  PetscCall(PetscNew(&w.v));
  const PetscErrorCode failed = FitAll(&w, asked, fit);
  PetscCall(PetscFree(w.v));
  PetscCall(PetscFree(w.h));
  PetscCall(PetscFree(w.y));
  PetscFunctionReturn(failed);
}

static PetscErrorCode FitHere(ScoriaDeck deck, const char *path, ScoriaPorosityFit *fit)
{
  const ScoriaGrid none  = {.dim = 1, .n = {1, 1, 1}};
  PorosityFitAsked asked = {NAN, NAN};
  LocalPorosityOptions opt;
  LocalPorosity local = {.rows = 0};
  double *eps;
  bool given;
  PetscFunctionBeginUser;
  PetscCall(LocalPorosityOptionsRead(deck, &none, &opt));
  PetscCall(PetscStrncpy(opt.path, path, sizeof opt.path));
  if (!opt.voxels) SCORIA_FAIL(SCORIA_EXIT_INPUT, "porosity_voxel: not set; lengths follow from it [m]");
  PetscCall(ScoriaDeckGiven(deck, "porosity_min", &given));
  if (given) PetscCall(ScoriaDeckReal(deck, "porosity_min", &asked.min));
  PetscCall(ScoriaDeckGiven(deck, "porosity_max", &given));
  if (given) PetscCall(ScoriaDeckReal(deck, "porosity_max", &asked.max));
  PetscCall(LocalPorosityRead(&opt, &local, &eps));
  const PetscErrorCode failed = PorosityFit(&local, eps, &asked, fit);
  PetscCall(PetscFree(eps));
  PetscFunctionReturn(failed);
}

PetscErrorCode ScoriaPorosityFitFile(MPI_Comm comm, ScoriaDeck deck, const char *path, ScoriaPorosityFit *fit)
{
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  memset(fit, 0, sizeof *fit);
  const PetscErrorCode failed = rank ? 0 : FitHere(deck, path, fit);
  PetscCall(ScoriaAgreeFailed(comm, failed));
  PetscFunctionReturn(0);
}

/* Fits the normaliser of whole fields, by passes over the training rows.
 *   1. usable rows, ranges, porosities           -> transforms of the channels, weights of rows (lateral_weights.c)
 *   2. mean and spread of every condition        -> m(u) by least squares, ln s(u) by Gamma regression
 *   3. histograms of z = (v - vtwin - m) / s     -> marginals (lateral_marginal.c)
 *   4. covariance of scores by wave number       -> modes V
 *   5. scores of the leading field               -> size of its waves by its long ones (lateral_swell.c)
 *      scores beside the smooth part of it       -> size of their waves by it (lateral_modulation.c)
 *   6. first and second moments of the modes     -> D(u), mu(u)
 *   7. products of the modes of a wave number    -> R(u) (lateral_couplings.c)
 *   8. powers of fields by wave number           -> factors of waves (lateral_powers.c).
 * Lateral places count like realisations: every row gives ny nz values of each element. */
#include "scoria/linalg.h"
#include "lateral_fit.h"
#include "levels.h"
#include "tile_sum.h"
#include <math.h>
#include <string.h>

/* --------------------------------------------------------------------------------- second pass: mean and scale ---- */

typedef struct {
  double *mean, *S2; /* owned (n, E) */
} Moments;

/* Adds to out (E) the sums over places of v, or of its squares about mean, times a weight. */
static void add_places(const NormLateral norm, double weight, const double v[], const double mean[], double out[])
{
  for (int c = 0; c < norm->C; c++, out += norm->nx)
    for (int p = 0; p < norm->N; p++)
      for (int x = 0; x < norm->nx; x++, v++) {
        const double about = mean ? *v - mean[c * norm->nx + x] : *v;
        out[x] += weight * (mean ? about * about : about);
      }
}

static PetscErrorCode moments_visit(void *ctx, LateralData *data, int64_t i)
{
  const NormLateral norm = data->norm;
  Moments *s             = ctx;
  double *mean = s->mean + i * norm->E, *S2 = s->S2 + i * norm->E;
  const double share = 1 / (data->good[i] * norm->N);
  PetscFunctionBeginUser;
  memset(S2, 0, sizeof *S2 * (size_t)norm->E);
  for (int64_t k = 0; k < data->buffer.rows; k++)
    if (lateral_data_row(data, k, data->v)) add_places(norm, lateral_row_weight(data, i, k), data->v, NULL, mean);
  for (int e = 0; e < norm->E; e++) mean[e] *= share;
  for (int64_t k = 0; k < data->buffer.rows; k++)
    if (lateral_data_row(data, k, data->v)) add_places(norm, lateral_row_weight(data, i, k), data->v, mean, S2);
  for (int e = 0; e < norm->E; e++) S2[e] *= share;
  PetscFunctionReturn(0);
}

/* m, and S2 about it. */
static PetscErrorCode FitMean(LateralData *data, Moments *s)
{
  const NormLateral norm = data->norm;
  const int E = norm->E, p = norm->mean.terms;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < data->n && norm->twin; i++)
    for (int e = 0; e < E && data->weight[i] > 0; e++) s->mean[i * E + e] -= data->twin[i * E + e];
  PetscCall(LateralMeans(data, E, s->mean, norm->mean_coef));
  for (int64_t i = 0; i < data->n; i++) {
    if (!(data->weight[i] > 0)) continue;
    la_rows_product(1, p, E, data->mean_X + i * p, norm->mean_coef, NULL, norm->base);
    for (int e = 0; e < E; e++) s->S2[i * E + e] += pow(s->mean[i * E + e] - norm->base[e], 2);
  }
  PetscFunctionReturn(0);
}

#define FLOOR 1e-6 /* of a mean square, to the mean over its field: where the spread vanishes, a scale is kept */

static PetscErrorCode FitScale(LateralData *data, Moments *s)
{
  const NormLateral norm  = data->norm;
  const int E             = norm->E;
  const NormDesign design = lateral_design(data, norm->scale.terms, data->scale_X, E);
  bool any                = false;
  PetscFunctionBeginUser;
  PetscCall(LateralPooled(data, E, s->S2, norm->profile));
  for (int c = 0; c < norm->C; c++) {
    double least = 0;
    for (int x = 0; x < norm->nx; x++) least += FLOOR * norm->profile[c * norm->nx + x] / norm->nx;
    any = any || least > 0;
    for (int x = 0; x < norm->nx; x++) norm->profile[c * norm->nx + x] = least > 0 ? least : 1;
  }
  if (!any)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "the training fields do not vary between realisations: there is nothing to learn");
  for (int64_t i = 0; i < data->n; i++)
    for (int e = 0; e < E; e++)
      s->S2[i * E + e] = data->weight[i] > 0 ? s->S2[i * E + e] + norm->profile[e] : norm->profile[e];
  PetscCall(NormGammaRegression(&design, s->S2, norm->scale_coef));
  for (size_t k = 0; k < (size_t)norm->scale.terms * E; k++) norm->scale_coef[k] /= 2; /* of ln s, not ln s^2 */
  PetscFunctionReturn(0);
}

static PetscErrorCode FitMoments(LateralData *data)
{
  const size_t count = (size_t)(data->n + 1) * data->norm->E;
  Moments s;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc2(count, &s.mean, count, &s.S2));
  PetscCall(LateralDataWalk(data, "scales", true, moments_visit, &s));
  PetscCall(FitMean(data, &s));
  PetscCall(FitScale(data, &s));
  PetscCall(PetscFree2(s.mean, s.S2));
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------- third pass: marginal laws ---- */

static PetscErrorCode histogram_visit(void *ctx, LateralData *data, int64_t i)
{
  const NormLateral norm = data->norm;
  float *bins            = (float *)ctx + (size_t)i * norm->E * MARGINAL_BINS;
  const float share      = (float)(1 / (data->good[i] * norm->N));
  PetscFunctionBeginUser;
  lateral_set_scale(norm, data->u + i * norm->d, lateral_piece_twin(data, i));
  for (int e = 0; e < norm->E; e++) norm->s[e] = 1 / norm->s[e];
  for (int64_t k = 0; k < data->buffer.rows; k++) {
    if (!lateral_data_row(data, k, data->v)) continue;
    const float weight = (float)lateral_row_weight(data, i, k);
    const double *v    = data->v;
    for (int c = 0; c < norm->C; c++)
      for (int p = 0; p < norm->N; p++)
        for (int x = 0, e = c * norm->nx; x < norm->nx; x++, e++, v++)
          bins[(size_t)e * MARGINAL_BINS + marginal_bin((*v - norm->base[e]) * norm->s[e])] += weight;
  }
  for (int b = 0; b < norm->E * MARGINAL_BINS; b++) bins[b] *= share;
  PetscFunctionReturn(0);
}

static PetscErrorCode FitMarginals(LateralData *data)
{
  int64_t unsettled = 0, edges = 0;
  float *histogram;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)(data->n + 1) * data->norm->E * MARGINAL_BINS, &histogram));
  PetscCall(LateralDataWalk(data, "marginals", true, histogram_visit, histogram));
  PetscCall(LateralFitMarginals(data, histogram, &unsettled));
  for (int e = 0; e < data->norm->E && unsettled; e++)
    edges += data->norm->marginal[e].last - data->norm->marginal[e].first + 1;
  if (unsettled)
    PetscCall(
        ScoriaSay(data->in.run,
                  "  WARNING: marginal laws: %lld of %lld scores at edges have not settled: some conditions have no "
                  "values on one side of these, and tails between conditions are uncertain",
                  (long long)unsettled, (long long)edges));
  PetscCall(PetscFree(histogram));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------- fourth pass: modes ----
 */

typedef struct {
  int64_t each;   /* packed lower triangle of a class */
  double *packed; /* owned (each): of a row, then (classes, each) on rank 0 */
  double *square; /* owned (E, E) */
  TileSum sum;
} Covariance;

static PetscErrorCode covariance_visit(void *ctx, LateralData *data, int64_t i)
{
  const NormLateral norm = data->norm;
  const int E            = norm->E;
  Covariance *s          = ctx;
  PetscFunctionBeginUser;
  lateral_set_piece(data, i);
  for (int64_t k = 0; k < data->buffer.rows; k++) {
    if (!lateral_row_spectrum(data, k)) continue;
    const double root = sqrt(lateral_row_weight(data, i, k));
    for (int c = 0; c < norm->waves.classes; c++) {
      const WaveClass *class = &norm->waves.class[c];
      waves_take(&norm->waves, class, norm->row);
      for (int j = 0; j < wave_coordinates(class) * E; j++) norm->row[j] *= root;
      memset(s->square, 0, sizeof *s->square * (size_t)E * E);
      la_syrk(E, wave_coordinates(class), E, norm->row, s->square);
      for (int a = 0, at = 0; a < E; at += ++a)
        tile_sum_add(&s->sum, c * s->each + at, a + 1, s->square + (size_t)a * E);
    }
  }
  PetscFunctionReturn(0);
}

/* Eigenvalues of all classes, ascending (classes, E), and eigenvectors as rows (classes, E, E), on every rank. */
static PetscErrorCode FindModes(LateralData *data, Covariance *s, double w[], double V[])
{
  const NormLateral norm = data->norm;
  const int E            = norm->E;
  PetscFunctionBeginUser;
  for (int c = 0; c < norm->waves.classes; c++) {
    double *C          = V + (size_t)c * E * E;
    const double *from = s->packed + c * s->each;
    const double rows  = data->fitted_rows * wave_coordinates(&norm->waves.class[c]);
    for (int a = 0; a < E; a++)
      for (int b = 0; b <= a; b++) C[(size_t)a * E + b] = *from++ / rows;
    PetscCall(LinalgEigen(E, C, w + (size_t)c * E));
  }
  PetscFunctionReturn(0);
}

/* The least variance of a coordinate with which modes from the largest on carry the share `energy`, and that share. */
static PetscErrorCode FindLeast(const NormLateral norm, const double w[], double *least)
{
  const int n = norm->waves.classes * norm->E;
  PetscReal *variance;
  PetscInt *which;
  double total = 0, carried = 0;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(n, &variance, n, &which));
  for (int k = 0; k < n; k++) {
    which[k]    = k;
    variance[k] = w[k];
    total += PetscMax(w[k], 0) * wave_coordinates(&norm->waves.class[k / norm->E]);
  }
  PetscCall(PetscSortRealWithArrayInt(n, variance, which));
  *least = 0;
  for (int k = n - 1; k >= 0 && carried < norm->energy * total && variance[k] > 0; k--) {
    carried += variance[k] * wave_coordinates(&norm->waves.class[which[k] / norm->E]);
    *least = variance[k];
  }
  norm->energy = carried / total;
  PetscCall(PetscFree2(variance, which));
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeModes(LateralData *data, const double w[], const double V[])
{
  NormLateral norm = data->norm;
  const int E      = norm->E;
  double least     = 0;
  PetscFunctionBeginUser;
  PetscCall(FindLeast(norm, w, &least));
  norm->Q = 0;
  for (int c = 0; c < norm->waves.classes; c++) {
    norm->kept[c] = 0;
    while (norm->kept[c] < E && w[(size_t)(c + 1) * E - 1 - norm->kept[c]] >= least) norm->kept[c]++;
    norm->Q += norm->kept[c];
  }
  PetscCall(LateralSetModes(norm));
  for (int c = 0; c < norm->waves.classes; c++)
    for (int k = 0; k < norm->kept[c]; k++) {
      norm->lambda[norm->mode[c] + k] = w[(size_t)(c + 1) * E - 1 - k];
      norm_take_mode(E, V + ((size_t)(c + 1) * E - 1 - k) * E, norm->V + (size_t)(norm->mode[c] + k) * E);
    }
  PetscFunctionReturn(0);
}

static PetscErrorCode FitModes(LateralData *data)
{
  const NormLateral norm = data->norm;
  const size_t E = (size_t)norm->E, classes = (size_t)norm->waves.classes;
  Covariance s = {.each = (int64_t)(E * (E + 1) / 2)};
  double *w, *V;
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(data->in.comm, &rank));
  PetscCall(PetscMalloc2(classes * (size_t)s.each, &s.packed, E * E, &s.square));
  PetscCall(TileSumCreate(data->in.comm, (int64_t)classes * s.each, &s.sum));
  PetscCall(LateralDataWalk(data, "modes", true, covariance_visit, &s));
  PetscCall(TileSumTake(&s.sum, s.packed));
  PetscCall(TileSumDestroy(&s.sum));
  PetscCall(PetscCalloc2(classes * E, &w, classes * E * E, &V));
  if (rank == 0) PetscCall(FindModes(data, &s, w, V));
  PetscCall(NormShare(data->in.comm, classes * E, w));
  PetscCall(NormShare(data->in.comm, classes * E * E, V));
  PetscCall(PetscFree2(s.packed, s.square));
  PetscCall(TakeModes(data, w, V));
  PetscCall(PetscFree2(w, V));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------- sixth pass: their scales ----
 */

typedef struct {
  double *S2;   /* owned (n, Q): mean squares of the coordinates of a mode over its deviation */
  double *mean; /* owned (n, kept[0]) */
} Scales;

/* Squares of the modes of a class, its coordinates (width, E), over their variance, times a weight. */
static void add_squares(const NormLateral norm, int c, int width, double weight, double S2[], double mean[])
{
  for (int k = 0; k < norm->kept[c]; k++) {
    const int q = norm->mode[c] + k;
    for (int j = 0; j < width; j++) {
      double a = 0;
      for (int e = 0; e < norm->E; e++) a += norm->row[(size_t)j * norm->E + e] * norm->V[(size_t)q * norm->E + e];
      S2[q] += weight * a * a / (width * norm->lambda[q]);
      if (c == 0) mean[k] += weight * a / sqrt(norm->lambda[q]);
    }
  }
}

static PetscErrorCode scales_visit(void *ctx, LateralData *data, int64_t i)
{
  const NormLateral norm = data->norm;
  Scales *s              = ctx;
  double *S2 = s->S2 + (size_t)i * norm->Q, *mean = s->mean + (size_t)i * norm->kept[0];
  double rows = 0;
  PetscFunctionBeginUser;
  lateral_set_piece(data, i);
  memset(S2, 0, sizeof *S2 * (size_t)norm->Q);
  for (int64_t k = 0; k < data->buffer.rows; k++) {
    if (!lateral_row_spectrum(data, k)) continue;
    const double weight = lateral_row_weight(data, i, k);
    rows += weight;
    for (int c = 0; c < norm->waves.classes; c++) {
      if (!norm->kept[c]) continue;
      waves_take(&norm->waves, &norm->waves.class[c], norm -> row);
      add_squares(norm, c, wave_coordinates(&norm->waves.class[c]), weight, S2, mean);
    }
  }
  for (int q = 0; q < norm->Q; q++) S2[q] = rows > 0 ? S2[q] / rows : 1;
  for (int k = 0; k < norm->kept[0]; k++) mean[k] /= rows > 0 ? rows : 1;
  PetscFunctionReturn(0);
}

#define LEAST_SQUARE 1e-8 /* of a mode over its variance, at a condition */

/* mu of the lateral mean, first in units of its deviation; the squares are then about it. */
static PetscErrorCode FitModeMeans(LateralData *data, Scales *s)
{
  const NormLateral norm = data->norm;
  const int n0 = norm->kept[0], p = norm->mean.terms;
  PetscFunctionBeginUser;
  if (!n0) PetscFunctionReturn(0);
  PetscCall(LateralMeans(data, n0, s->mean, norm->mu_coef));
  for (int64_t i = 0; i < data->n; i++) {
    if (!(data->weight[i] > 0)) continue;
    la_rows_product(1, p, n0, data->mean_X + i * p, norm->mu_coef, NULL, norm->mu);
    for (int k = 0; k < n0; k++)
      s->S2[(size_t)i * norm->Q + k] += norm->mu[k] * (norm->mu[k] - 2 * s->mean[(size_t)i * n0 + k]);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode FitModeScales(LateralData *data)
{
  const NormLateral norm = data->norm;
  const size_t rows = (size_t)data->n + 1, Q = (size_t)norm->Q;
  const NormDesign design = lateral_design(data, norm->scale.terms, data->scale_X, norm->Q);
  Scales s;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc2(rows * Q, &s.S2, rows * (size_t)norm->kept[0] + 1, &s.mean));
  for (size_t k = 0; k < rows * Q; k++) s.S2[k] = 1;
  PetscCall(LateralDataWalk(data, "mode scales", true, scales_visit, &s));
  PetscCall(FitModeMeans(data, &s));
  for (size_t k = 0; k < rows * Q; k++) s.S2[k] = PetscMax(s.S2[k], LEAST_SQUARE);
  PetscCall(NormGammaRegression(&design, s.S2, norm->D_coef));
  for (size_t k = 0; k < (size_t)norm->scale.terms * Q; k++) norm->D_coef[k] /= 2;
  for (size_t q = 0; q < Q; q++) norm->D_coef[q] += log(norm->lambda[q]) / 2; /* term 0 is 1 */
  PetscCall(PetscFree2(s.S2, s.mean));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ all together ---- */

#define SHAPE_DEGREE 2

PetscErrorCode LateralFit(LateralData *data, const ScoriaNormaliserOptions *opt)
{
  NormLateral norm = data->norm;
  const int64_t n  = data->fitted;
  int powers[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  PetscCall(LevelsPowers(&data->tiles, norm->d, data->u, powers));
  PetscCall(NormChooseDegree(n / 3, norm->d, opt->degree_mean, false, powers, &norm->mean));
  PetscCall(NormChooseDegree(n / 3, norm->d, opt->degree_scale, false, powers, &norm->scale));
  PetscCall(NormChooseDegree(n / 3, norm->d, PetscMin(opt->degree_scale, SHAPE_DEGREE), false, powers, &norm->shape));
  PetscCall(LateralCheckCouplings(data));
  PetscCall(LateralSetCoefficients(norm));
  PetscCall(LateralDataSetPolynomials(data));
  PetscCall(LateralCalibrate(data, powers));
  PetscCall(LateralJoinControls(data, powers));
  PetscCall(FitMoments(data));
  PetscCall(FitMarginals(data));
  PetscCall(FitModes(data));
  PetscCall(LateralFitModulation(data));
  PetscCall(FitModeScales(data));
  PetscCall(LateralFitCouplings(data));
  PetscCall(LateralFitPowers(data));
  PetscCall(LateralOrder(norm, opt->modes));
  PetscFunctionReturn(0);
}

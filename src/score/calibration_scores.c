/* The map of a network's scores to normal ones, fitted.
 *
 * Of rows of whole fields a network learns the shape of their joint law, and their marginal laws less well than the
 * normaliser's regressions say them.  At a condition the share of its scores s of an element below an edge e is F(e),
 * which would be Phi(e) by the regressions: it is measured all over the ranges, after means and spreads are
 * calibrated, as a polynomial for (F - Phi) / phi, which is linear in the shares, so that where none lies below an edge
 * no logarithm is asked for.  Scores of e then count as Phi^-1(F(e)), what is between as between, and what is beyond as
 * the outer ones. */
#include "calibration_scores.h"
#include "calibration_fit.h"
#include "normal_law.h"
#include "scoria/linalg.h"
#include <math.h>

#define EDGES NORM_SCORE_EDGES

typedef struct {
  double *count, *y; /* owned (points, elements, EDGES); (R): coordinates of a draw */
  float *remainder;  /* owned (MODEL_TILE, R - r) */
  int r, R, width;
  const CalibrationPoints *points; /* borrowed */
} Scores;

static void count_tile(void *ctx, ScoriaModel m, const CalibrationTile *tile)
{
  const Scores *s        = ctx;
  const NormBasis *basis = m->normaliser->basis;
  const size_t left      = (size_t)(s->R - s->r);
  float at[SCORIA_MAX_CONDITIONS];
  if (tile->number == 0) basis->scores_at(m->normaliser->self, tile->u);
  for (int j = 0; j < m->spec.d; j++) at[j] = (float)tile->u[j];
  model_calibrate(m, at, MODEL_TILE, tile->y);
  calibration_noise(m->seed, s->points, tile, (uint32_t)(s->r + 3) / 4, (int)left, s->remainder);
  for (size_t i = 0; i < MODEL_TILE; i++) {
    const float *learned = tile->y + i * (size_t)s->r, *remainder = s->remainder + i * left;
    for (int k = 0; k < s->R; k++) s->y[k] = (double)(k < s->r ? learned[k] : remainder[k - s->r]);
    basis->count_scores(m->normaliser->self, s->y, s->count + (size_t)tile->point * (size_t)s->width);
  }
}

/* Counts (EDGES) of an element among n scores become (F - Phi) / phi. */
static void finish_element(double n, double count[])
{
  double below = 0;
  for (int k = 0; k < EDGES; k++) {
    const double e = norm_score_edge(k);
    below += count[k];
    count[k] = (below / n - normal_share(e)) / normal_density(e);
  }
}

#define MOST_VARIANCE 6 /* log2 of that of a coefficient, in units of what least squares leave at a point */

/* Standard deviations (width) of what is left of Y (n, width) beside X (n, p) coef. */
static void residual_deviations(int n, int p, int width, const double X[], const double coef[], const double Y[],
                                double deviation[])
{
  for (int k = 0; k < width; k++) {
    double square = 0;
    for (int i = 0; i < n; i++) {
      double residual = Y[(size_t)i * (size_t)width + (size_t)k];
      for (int j = 0; j < p; j++) residual -= X[i * p + j] * coef[(size_t)j * (size_t)width + (size_t)k];
      square += residual * residual;
    }
    deviation[k] = sqrt(fmax(square / PetscMax(n - p, 1), 1e-16)); /* not 0, of an element that does not vary */
  }
}

/* Y (points, width) as polynomials, each coefficient shrunk by what its edge tells: of tails, of which few scores are,
 * that is a constant and a trend. */
static PetscErrorCode Fit(const CalibrationPoints *points, int width, const double Y[], Calibration *c)
{
  const int p = c->poly.terms, n = points->n;
  CalibrationSums sums = {.p = p, .r = width, .n = n};
  double *X, *deviation;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(p * p, &sums.xx, (size_t)p * (size_t)width, &sums.xy));
  PetscCall(PetscMalloc2(n * p, &X, width, &deviation));
  for (int i = 0; i < n; i++) norm_poly_values(&c->poly, points->u + i * c->d, X + i * p);
  la_gemm(true, false, p, p, n, 1, X, p, X, p, 0, sums.xx, p);
  la_gemm(true, false, p, width, n, 1, X, p, Y, width, 0, sums.xy, width);
  PetscCall(CalibrationRegress(&c->poly, points, width, Y, c->scores));
  residual_deviations(n, p, width, X, c->scores, Y, deviation);
  for (size_t i = 0; i < (size_t)p * (size_t)width; i++) sums.xy[i] /= deviation[i % (size_t)width];
  PetscCall(CalibrationShrunk(&c->poly, &sums, MOST_VARIANCE, c->scores));
  for (size_t i = 0; i < (size_t)p * (size_t)width; i++) c->scores[i] *= deviation[i % (size_t)width];
  PetscCall(PetscFree2(X, deviation));
  PetscCall(PetscFree2(sums.xx, sums.xy));
  PetscFunctionReturn(0);
}

PetscErrorCode CalibrationScores(MPI_Comm comm, ScoriaRun run, ScoriaModel m, const CalibrationPoints *points)
{
  Calibration *c = &m->calibration;
  NormSizes sizes;
  PetscFunctionBeginUser;
  if (!score_elements(m->normaliser)) PetscFunctionReturn(0);
  m->normaliser->basis->sizes(m->normaliser->self, &sizes);
  PetscCall(CalibrationSetUpScores(score_elements(m->normaliser), c));
  Scores s              = {.r = sizes.modes, .R = sizes.all_modes, .width = c->elements * EDGES, .points = points};
  const int64_t numbers = (int64_t)points->n * s.width;
  const double n        = (double)points->tiles * MODEL_TILE * (sizes.cells / sizes.shape[0]);
  PetscCall(PetscCalloc3(numbers, &s.count, s.R, &s.y, MODEL_TILE * (s.R - s.r) + 1, &s.remainder));
  PetscCall(CalibrationDraw(comm, run, m, "marginals", points, count_tile, &s));
  PetscCall(ScoriaReduceMany(comm, MPI_SUM, numbers, MPI_DOUBLE, s.count));
  for (int64_t i = 0; i < numbers; i += EDGES) finish_element(n, s.count + i);
  PetscCall(Fit(points, s.width, s.count, c));
  PetscCall(ScoriaBroadcastMany(comm, 0, (int64_t)c->poly.terms * s.width, MPI_DOUBLE, c->scores));
  PetscCall(PetscFree3(s.count, s.y, s.remainder));
  PetscFunctionReturn(0);
}

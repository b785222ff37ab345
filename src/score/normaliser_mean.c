/* The mean as a function of the conditions where there are few rows.
 *
 * Y (pieces, m) are means over the rows of a piece.  Their noise is correlated over the m elements and much larger in
 * some directions than across them, so that terms which one direction cannot pay for are well determined in another:
 *   1. all elements are regressed on the same terms; residuals r, spreads sd;
 *   2. C are the eigenvectors of the correlation of r / sd, lambda the variances along them: noise falls apart into
 *      independent parts;
 *   3. the means along the directions with noise (lambda above 1e-6 of the largest, NORM_ALONE at most) are regressed
 *      each by itself, the quietest first, on the powers and the trends of much quieter ones, with weights of one over
 *      the variance along the direction, a gamma regression of the squared residuals on the conditions; the other
 *      directions share their terms;
 *   4. coefficients go back to the elements: coef = along C sd.
 * Regressions of 3 shrink coefficients by what the rows tell of them (normaliser_shrink.c), and 1 has all terms, so
 * that what these miss is not taken for noise.  Of few conditions, or of conditions of few values, whose likelihood
 * says nothing of what lies between them, terms are chosen (normaliser_select.c), in 1 too. */
#include "scoria/linalg.h"
#include "normaliser_fit.h"
#include "tile_sum.h"
#include <math.h>
#include <string.h>

typedef struct {
  const NormDesign *design; /* borrowed */
  int m, alone;             /* elements; directions with terms of their own */
  bool shrink;              /* coefficients along these are shrunk, not chosen */
  double *table;            /* owned (slots, m): residuals of a first fit, then means along the directions */
  double *sd, *C;           /* owned (m), (m, m): rms residuals; directions as rows, ascending */
  double *lambda;           /* owned (m): their variances */
  double *along;            /* owned (terms, m): coefficients along the directions */
} Directions;

static PetscErrorCode DirectionsCreate(const NormData *data, const NormDesign *design, Directions *s)
{
  const size_t m = (size_t)design->q, slots = (size_t)data->start[data->tiles.tiles] + 1;
  PetscFunctionBeginUser;
  *s = (Directions){.design = design, .m = design->q, .shrink = !data->few && data->levels == 0};
  PetscCall(
      PetscCalloc5(slots * m, &s->table, m, &s->sd, m * m, &s->C, m, &s->lambda, (size_t)design->p * m, &s->along));
  PetscFunctionReturn(0);
}

static PetscErrorCode DirectionsDestroy(Directions *s)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree5(s->table, s->sd, s->C, s->lambda, s->along));
  PetscFunctionReturn(0);
}

#define ROUNDING 3e-10 /* of values: what does not vary has residuals of that size, as where spreads are floored */

/* All elements that do not vary would be one direction of the scatter: that of the rounding of their fits. */
static void forget_element(const NormData *data, Directions *s, int j)
{
  for (int64_t i = 0; i < data->start[data->tiles.tiles]; i++) s->table[i * s->m + j] = 0;
  s->sd[j] = 0;
}

/* table = Y - X coef, coef with the same terms for all; sd becomes its power of two. */
static PetscErrorCode FitTogether(NormData *data, Directions *s, const double Y[], double coef[])
{
  NormDesign design = *s->design;
  const int m = s->m, p = design.p;
  bool *use = NULL;
  PetscFunctionBeginUser;
  if (!s->shrink) PetscCall(NormChooseTerms(data, &data->norm->mean, &design, 0, data->norm->L, Y, &use));
  design.use = use;
  PetscCall(NormLeastSquares(&design, Y, coef));
  PetscCall(PetscFree(use));
  for (int t = 0; t < data->tiles.tiles; t++) {
    const int64_t at = data->start[t];
    const int n      = data->fitted[t];
    memcpy(s->table + at * m, Y + at * m, (size_t)n * m * sizeof *Y);
    la_gemm(false, false, n, m, p, -1, design.X + at * p, p, coef, m, 1, s->table + at * m, m);
    for (int64_t k = at * m; k < (at + n) * m; k++) {
      s->sd[k % m]     = PetscMax(s->sd[k % m], fabs(s->table[k]));
      s->lambda[k % m] = PetscMax(s->lambda[k % m], fabs(Y[k]));
    }
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, s->sd, m, MPI_DOUBLE, MPI_MAX, data->in.comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, s->lambda, m, MPI_DOUBLE, MPI_MAX, data->in.comm));
  for (int j = 0; j < m; j++) {
    if (s->sd[j] <= ROUNDING * s->lambda[j]) forget_element(data, s, j);
    s->sd[j] = s->sd[j] > 0 ? binary_scale(s->sd[j]) : 1;
  }
  PetscFunctionReturn(0);
}

/* C = sum of w r r^T over the pieces, r the residuals over sd; lower triangle, on rank 0. */
static PetscErrorCode SumResiduals(const NormData *data, Directions *s)
{
  const int m = s->m;
  double *row;
  TileSum sum;
  PetscFunctionBeginUser;
  PetscCall(TileSumCreate(data->in.comm, (int64_t)m * (m + 1) / 2, &sum));
  PetscCall(PetscMalloc1((size_t)m * (size_t)(m + 1) / 2, &row));
  for (int t = 0; t < data->tiles.tiles; t++) {
    const int64_t first = data->start[t];
    for (int64_t i = first; i < first + data->fitted[t]; i++)
      for (int j = 0; j < m; j++) s->table[i * m + j] *= sqrt(s->design->w[i]) / s->sd[j];
    memset(s->C, 0, (size_t)m * m * sizeof(double));
    la_syrk(m, data->fitted[t], m, s->table + first * m, s->C);
    int64_t at = 0;
    for (int i = 0; i < m; at += ++i) tile_sum_add(&sum, at, i + 1, s->C + (size_t)i * m);
  }
  PetscCall(TileSumTake(&sum, row));
  for (int i = 0, at = 0; i < m; at += ++i) memcpy(s->C + (size_t)i * m, row + at, ((size_t)i + 1) * sizeof(double));
  PetscCall(PetscFree(row));
  PetscCall(TileSumDestroy(&sum));
  PetscFunctionReturn(0);
}

/* sd, directions of the residuals' correlation, and how many have noise to speak of. */
static PetscErrorCode FindDirections(const NormData *data, Directions *s)
{
  const int m = s->m;
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(data->in.comm, &rank));
  PetscCall(SumResiduals(data, s));
  if (rank == 0) {
    for (int j = 0; j < m; j++)
      s->lambda[j] = s->C[(size_t)j * (size_t)(m + 1)] > 0 ? sqrt(s->C[(size_t)j * (size_t)(m + 1)]) : 1;
    for (int i = 0; i < m; i++)
      for (int j = 0; j <= i; j++) s->C[(size_t)i * m + j] /= s->lambda[i] * s->lambda[j];
    for (int j = 0; j < m; j++) s->sd[j] *= s->lambda[j];
    PetscCall(LinalgEigen(m, s->C, s->lambda));
  }
  PetscCall(NormShare(data->in.comm, (size_t)m, s->sd));
  PetscCall(NormShare(data->in.comm, (size_t)m, s->lambda));
  PetscCall(NormShare(data->in.comm, (size_t)m * m, s->C));
  while (s->alone < PetscMin(m, NORM_ALONE) && s->lambda[m - 1 - s->alone] > 1e-6 * s->lambda[m - 1]) s->alone++;
  for (int i = 0; i < m / 2; i++) /* descending */
    for (int j = 0; j < m; j++) {
      const double other                = s->C[(size_t)i * m + j];
      s->C[(size_t)i * m + j]           = s->C[(size_t)(m - 1 - i) * m + j];
      s->C[(size_t)(m - 1 - i) * m + j] = other;
    }
  PetscFunctionReturn(0);
}

/* Column k of the table and what its regression with `along` leaves, (slots) each; then weights of rows by the spread
 * along the direction as a function of the conditions, which S2 (slots) becomes work for. */
typedef struct {
  double *y, *S2, *w, *coef, *h; /* owned (slots), (slots), (slots), (terms and trends), (slots) */
  NormTrends trends;             /* owned */
} Column;

static void take_column(const NormData *data, const Directions *s, int k, Column *c)
{
  const int m = s->m, p = s->design->p;
  for (int t = 0; t < data->tiles.tiles; t++)
    for (int64_t i = data->start[t]; i < data->start[t] + data->fitted[t]; i++) {
      double left = c->y[i] = s->table[i * m + k];
      for (int j = 0; j < p; j++) left -= s->design->X[i * p + j] * s->along[(size_t)j * m + k];
      c->S2[i] = s->design->w[i] * left * left + 1e-8 * s->lambda[m - 1 - k] / data->fitted_pieces;
    }
}

/* w: the rows of a piece over their variance, of which a hundredth and a hundred times the average are the bounds. */
static PetscErrorCode FindWeights(const NormData *data, const Directions *s, int k, Column *c)
{
  const NormProfile norm = data->norm;
  const int p            = norm->scale.terms;
  const double usual     = s->lambda[s->m - 1 - k] / data->fitted_pieces;
  NormDesign design;
  double *coef;
  bool *use = NULL;
  PetscFunctionBeginUser;
  norm_design(data, p, data->scale_X, 1, &design);
  PetscCall(NormChooseScaleTerms(data, &design, 1, c->S2, &use));
  design.use = use;
  PetscCall(PetscCalloc1(p, &coef));
  PetscCall(NormGammaRegression(&design, c->S2, coef));
  PetscCall(NormShare(data->in.comm, (size_t)p, coef));
  for (int t = 0; t < data->tiles.tiles; t++)
    for (int64_t i = data->start[t]; i < data->start[t] + data->fitted[t]; i++) {
      double logarithm = -log(usual);
      for (int j = 0; j < p; j++) logarithm += data->scale_X[i * p + j] * coef[j];
      c->w[i] = s->design->w[i] * exp(-PetscClipInterval(logarithm, -log(100), log(100)));
    }
  PetscCall(PetscFree(coef));
  PetscCall(PetscFree(use));
  PetscFunctionReturn(0);
}

#define CHOSEN_TRENDS 3 /* that cross-validation has to tell from chance */
#define QUIETER 0.01    /* of a variance: trends of such directions are known ten times as well as noise is large */

/* The first direction that is much quieter than k, or m: none is, or k itself is so quiet that powers pay, or few
 * conditions tell no function between them, however quiet. */
static int quieter(const NormData *data, const Directions *s, int k)
{
  const double *variance = s->lambda + s->m - 1; /* ascending */
  int first              = k + 1;
  if (data->few || variance[-k] < QUIETER * variance[0]) return s->m;
  while (first < s->m && variance[-first] >= QUIETER * variance[-k]) first++;
  return first;
}

/* Column k of `along` with weights, and its share of the leverages. */
static PetscErrorCode FitColumn(NormData *data, Directions *s, int k, double share, Column *c)
{
  const int64_t slots = data->start[data->tiles.tiles];
  const int p         = s->design->p;
  NormDesign design   = *s->design;
  bool *use           = NULL;
  const double one    = 1;
  PetscFunctionBeginUser;
  take_column(data, s, k, c);
  /* What terms miss of few conditions is no noise, whose spread could be regressed. */
  if (data->few)
    memcpy(c->w, design.w, (size_t)slots * sizeof *c->w);
  else
    PetscCall(FindWeights(data, s, k, c));
  design.q = 1;
  design.w = c->w;
  PetscCall(NormFindTrends(data->in.comm, p, s->m, quieter(data, s, k), s->shrink ? NORM_TRENDS : CHOSEN_TRENDS,
                           s->along, &c->trends));
  norm_trends_design(&c->trends, &design);
  memset(c->h, 0, (size_t)slots * sizeof(double));
  memset(c->coef, 0, (size_t)(p + NORM_TRENDS) * sizeof(double));
  if (s->shrink) {
    PetscCall(NormShrink(&design, &data->norm->mean, &c->trends, data->fitted_pieces, c->y, c->coef, c->h));
  } else {
    PetscCall(NormChooseTerms(data, &data->norm->mean, &design, 1, 1, c->y, &use));
    design.use = use;
    PetscCall(NormLeastSquares(&design, c->y, c->coef));
    PetscCall(NormLeverages(&design, &one, c->h));
  }
  norm_trends_resolve(&c->trends, p, c->coef);
  for (int j = 0; j < p; j++) s->along[(size_t)j * s->m + k] = c->coef[j];
  for (int t = 0; t < data->tiles.tiles; t++)
    for (int64_t i = data->start[t]; i < data->start[t] + data->fitted[t]; i++)
      data->leverage[i] += share * c->h[i] * c->w[i] / s->design->w[i];
  PetscCall(PetscFree(use));
  PetscFunctionReturn(0);
}

/* The means along the directions, regressed with terms of their own, those with noise to speak of with weights. */
static PetscErrorCode FitDirections(NormData *data, Directions *s, const double Y[])
{
  const size_t slots = (size_t)data->start[data->tiles.tiles] + 1;
  NormDesign design  = *s->design;
  const int m        = s->m;
  double *scaled, total = 0;
  Column c;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)m * m, &scaled));
  for (int i = 0; i < m * m; i++) scaled[i] = s->C[i] / s->sd[i % m];
  for (int t = 0; t < data->tiles.tiles; t++)
    la_gemm(false, true, data->fitted[t], m, m, 1, Y + data->start[t] * m, m, scaled, m, 0,
            s->table + data->start[t] * m, m);
  PetscCall(PetscFree(scaled));
  PetscCall(NormChooseTerms(data, &data->norm->mean, &design, s->alone, m, s->table, &data->mean_use));
  design.use = data->mean_use;
  PetscCall(NormLeastSquares(&design, s->table, s->along));
  PetscCall(PetscCalloc1(slots, &data->leverage));
  PetscCall(PetscCalloc5(slots, &c.y, slots, &c.S2, slots, &c.w, design.p + NORM_TRENDS, &c.coef, slots, &c.h));
  PetscCall(NormTrendsCreate((int64_t)slots, design.p, &c.trends));
  for (int k = 0; k < s->alone; k++) total += s->lambda[m - 1 - k];
  for (int k = s->alone - 1; k >= 0; k--) PetscCall(FitColumn(data, s, k, s->lambda[m - 1 - k] / total, &c));
  PetscCall(NormTrendsDestroy(&c.trends));
  PetscCall(PetscFree5(c.y, c.S2, c.w, c.coef, c.h));
  PetscFunctionReturn(0);
}

/* The coefficients of the means themselves. */
static PetscErrorCode TurnBack(const NormData *data, const Directions *s, double coef[])
{
  const int m = s->m, p = s->design->p;
  double *scaled;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)m * m, &scaled));
  for (int i = 0; i < m * m; i++) scaled[i] = s->C[i] * s->sd[i % m];
  la_gemm(false, false, p, m, m, 1, s->along, m, scaled, m, 0, coef, m);
  PetscCall(PetscFree(scaled));
  PetscCall(NormShare(data->in.comm, (size_t)p * (size_t)m, coef));
  PetscFunctionReturn(0);
}

PetscErrorCode NormChooseMean(NormData *data, const NormDesign *design, const double Y[], double coef[])
{
  Directions s;
  PetscFunctionBeginUser;
  PetscCall(DirectionsCreate(data, design, &s));
  PetscCall(FitTogether(data, &s, Y, coef));
  PetscCall(FindDirections(data, &s));
  PetscCall(FitDirections(data, &s, Y));
  PetscCall(TurnBack(data, &s, coef));
  PetscCall(DirectionsDestroy(&s));
  PetscFunctionReturn(0);
}

/* Fits how the leading field's own waves swell, by one pass over the training rows.
 *
 * Scores t of the law of lateral_swell.c are, to first order in b1 and b2,
 *   z = t - b1 (m (l - m) - c1 (t^2 - 1)) - b2 (l (t - l) - c2 (t^2 - 1)),
 * with c1 = v (u - v), c2 = u (1 - u), v and u the variances of m and l, as the normal score of a skew q takes its
 * third moment out.  Of Gaussian z the sums of m (z - m)^2 and of l (z - l)^2 over places are 0 on average: two
 * equations for b1 and b2 at every x, whose derivatives, along each of the three, are taken of the rows themselves.
 * They differ from place to place along x, and hardly with the conditions: one number each. */
#include "scoria/linalg.h"
#include "lateral_fit.h"
#include <math.h>

#define LONG 0.045 /* of the largest power of the smooth field: waves of less are short */
#define SURE 4.0   /* standard errors of an exponent; where neither has them, waves of the element are of one size */

enum { ALONG = 3 }; /* m (l - m), l (t - l), t^2 - 1 */
enum { UP, DOWN = UP + SWELLS, SHARE = DOWN + SWELLS * ALONG, SUMS = SHARE + SWELLS }; /* of an element */

typedef struct {
  double *sum;                /* owned (n, nx, SUMS): means over places and rows */
  double *low, *mean, *along; /* owned (N, nx), (nx), (N, nx): of a row */
  double *share;              /* owned (n, SWELLS, nx) */
  double *up, *matrix;        /* owned (n, nx, SWELLS), (n, nx, SWELLS, SWELLS): equations for b */
} Sums;

/* ----------------------------------------------------------------------------------------------------- the pass ----
 */

/* Direction k at every place of scores t. */
static void set_along(const NormLateral norm, const Sums *s, int k, const double t[])
{
  for (int i = 0; i < norm->N * norm->nx; i++) {
    const double l = s->low[i], m = s->mean[i % norm->nx];
    s->along[i] = k == 0 ? m * (l - m) : k == 1 ? l * (t[i] - l) : t[i] * t[i] - 1;
  }
}

/* Adds the derivatives along direction k, of which the own mean and low are those of s->along. */
static void add_derivatives(const NormLateral norm, const Sums *s, int k, double weight, const double t[], double sum[])
{
  const Swell *own = &norm->modulation.own;
  for (int i = 0; i < norm->N * norm->nx; i++) {
    const int x    = i % norm->nx;
    const double m = s->mean[x], l = s->low[i], by_m = own->mean[x], by_l = own->low[i], by = s->along[i];
    double *to = sum + (size_t)x * SUMS + DOWN + k;
    to[0] += weight * (by_m * (t[i] - m) * (t[i] - m) + 2 * m * (t[i] - m) * (by - by_m));
    to[ALONG] += weight * (by_l * (t[i] - l) * (t[i] - l) + 2 * l * (t[i] - l) * (by - by_l));
  }
}

static void add_row(const NormLateral norm, double weight, const double t[], Sums *s, double sum[])
{
  const Swell *own = &norm->modulation.own;
  const int nx = norm->nx, all = norm->N * nx;
  swell_part(norm, t);
  for (int i = 0; i < all; i++) s->low[i] = own->low[i];
  for (int x = 0; x < nx; x++) s->mean[x] = own->mean[x];
  for (int i = 0; i < all; i++) {
    const double m = s->mean[i % nx], l = s->low[i];
    double *to = sum + (size_t)(i % nx) * SUMS;
    to[UP] += weight * m * (t[i] - m) * (t[i] - m);
    to[UP + 1] += weight * l * (t[i] - l) * (t[i] - l);
    to[SHARE + SWELL_MEAN] += weight * m * m;
    to[SHARE + SWELL_LONG] += weight * l * l;
  }
  for (int k = 0; k < ALONG; k++) {
    set_along(norm, s, k, t);
    swell_part(norm, s->along);
    add_derivatives(norm, s, k, weight, t, sum);
  }
}

static PetscErrorCode sums_visit(void *ctx, LateralData *data, int64_t i)
{
  const NormLateral norm = data->norm;
  const int all          = norm->nx * SUMS;
  Sums *s                = ctx;
  double *sum = s->sum + (size_t)i * (size_t)all, rows = 0;
  PetscFunctionBeginUser;
  lateral_set_piece(data, i);
  for (int64_t k = 0; k < data->buffer.rows; k++) {
    if (!lateral_row_scores(data, k)) continue;
    const double weight = lateral_row_weight(data, i, k);
    add_row(norm, weight, norm->waves.grid + (size_t)norm->modulation.channel * norm->N * norm->nx, s, sum);
    rows += weight;
  }
  for (int k = 0; k < all && rows > 0; k++) sum[k] /= rows * norm->N;
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- the exponents ----
 */

/* Shares over the conditions, and the equations of every piece with those at its condition. */
static PetscErrorCode SetEquations(LateralData *data, Sums *s)
{
  const NormLateral norm = data->norm;
  Swell *own             = &norm->modulation.own;
  const int nx = norm->nx, p = norm->shape.terms;
  const NormDesign design = lateral_design(data, p, data->shape_X, SWELLS * nx);
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < data->n; i++)
    for (int k = 0; k < SWELLS * nx; k++)
      s->share[i * SWELLS * nx + k] = s->sum[(i * nx + k % nx) * SUMS + SHARE + k / nx];
  PetscCall(NormLeastSquares(&design, s->share, own->share_coef));
  for (int64_t i = 0; i < data->n; i++) {
    la_rows_product(1, p, SWELLS * nx, data->shape_X + i * p, own->share_coef, NULL, own->share);
    for (int x = 0; x < nx; x++) {
      const double v = own->share[x], u = own->share[nx + x], skew[SWELLS] = {v * (u - v), u * (1 - u)};
      const double *sum = s->sum + (i * nx + x) * SUMS;
      for (int j = 0; j < SWELLS; j++) {
        s->up[(i * nx + x) * SWELLS + j] = sum[UP + j];
        for (int k = 0; k < SWELLS; k++)
          s->matrix[((i * nx + x) * SWELLS + j) * SWELLS + k] =
              sum[DOWN + j * ALONG + k] - skew[k] * sum[DOWN + j * ALONG + ALONG - 1];
      }
    }
  }
  PetscFunctionReturn(0);
}

/* b of A b = up, and the inverse of A; false where it has none. */
static bool solve_pair(const double A[4], const double up[2], double b[2], double inverse[4])
{
  const double det = A[0] * A[3] - A[1] * A[2];
  if (!(A[0] > 0 && A[3] > 0 && det > 0)) return false;
  const double of[4] = {A[3] / det, -A[1] / det, -A[2] / det, A[0] / det};
  for (int k = 0; k < 4; k++) inverse[k] = of[k];
  for (int j = 0; j < 2; j++) b[j] = of[2 * j] * up[0] + of[2 * j + 1] * up[1];
  return true;
}

/* What piece i alone would change the exponents b of element x by, of equations whose inverse is known. */
static void piece_change(const Sums *s, int64_t at, const double b[SWELLS], const double inverse[], double change[])
{
  const double *up = s->up + at * SWELLS, *A = s->matrix + at * SWELLS * SWELLS;
  double left[SWELLS];
  for (int j = 0; j < SWELLS; j++) left[j] = up[j] - A[2 * j] * b[0] - A[2 * j + 1] * b[1];
  for (int j = 0; j < SWELLS; j++) change[j] = inverse[2 * j] * left[0] + inverse[2 * j + 1] * left[1];
}

/* Exponents (nx, SWELLS) from pooled equations, 0 where there are none, and their variances by pieces' scatter. */
static PetscErrorCode Solve(const LateralData *data, const Sums *s, double b[], double variance[])
{
  const int nx = data->norm->nx, pair = SWELLS * SWELLS;
  double *up, *matrix, *square, inverse[SWELLS * SWELLS], change[SWELLS];
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc3(nx * SWELLS, &up, nx * pair, &matrix, (data->n + 1) * nx * SWELLS, &square));
  PetscCall(LateralPooled(data, nx * SWELLS, s->up, up));
  PetscCall(LateralPooled(data, nx * pair, s->matrix, matrix));
  for (int x = 0; x < nx; x++) {
    if (!solve_pair(matrix + x * pair, up + x * SWELLS, b + x * SWELLS, inverse)) continue;
    for (int64_t i = 0; i < data->n; i++) {
      piece_change(s, i * nx + x, b + x * SWELLS, inverse, change);
      for (int k = 0; k < SWELLS; k++) square[(i * nx + x) * SWELLS + k] = change[k] * change[k];
    }
  }
  PetscCall(LateralPooled(data, nx * SWELLS, square, variance));
  for (int k = 0; k < nx * SWELLS; k++) variance[k] /= (double)data->fitted;
  PetscCall(PetscFree3(up, matrix, square));
  PetscFunctionReturn(0);
}

/* Both exponents of an element where either is beyond chance: each without the other is no nearer to the rows. */
static PetscErrorCode FitExponents(LateralData *data, const Sums *s)
{
  const NormLateral norm = data->norm;
  const int nx           = norm->nx;
  Swell *own             = &norm->modulation.own;
  double *b, *variance;
  int places = 0;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc2(nx * SWELLS, &b, nx * SWELLS, &variance));
  PetscCall(Solve(data, s, b, variance));
  for (int x = 0; x < nx; x++) {
    bool sure = false;
    for (int k = 0; k < SWELLS; k++) sure = sure || pow(b[x * SWELLS + k], 2) > SURE * SURE * variance[x * SWELLS + k];
    for (int k = 0; k < SWELLS && sure; k++)
      own->exponent[k * nx + x] = PetscClipInterval(b[x * SWELLS + k], -SWELL_MOST, SWELL_MOST);
    places += sure;
  }
  own->on = places > 0;
  if (own->on && data->in.run)
    PetscCall(ScoriaSay(data->in.run, "  waves of %s swell with their mean and long ones at %d of %d places along x",
                        data->spec->field[data->in.channel[norm->modulation.channel]].name, places, nx));
  PetscCall(PetscFree2(b, variance));
  PetscFunctionReturn(0);
}

PetscErrorCode LateralFitSwell(LateralData *data)
{
  const NormLateral norm = data->norm;
  const size_t n = (size_t)data->n + 1, nx = (size_t)norm->nx, all = (size_t)norm->N * nx;
  Sums s;
  PetscFunctionBeginUser;
  for (int c = 0; c < norm->waves.classes; c++)
    norm->modulation.own.is_long[c] = c == 0 || norm->modulation.filter[c] >= LONG;
  PetscCall(PetscCalloc4(n * nx * SUMS, &s.sum, all, &s.low, nx, &s.mean, all, &s.along));
  PetscCall(PetscCalloc3(n * nx * SWELLS, &s.share, n * nx * SWELLS, &s.up, n * nx * SWELLS * SWELLS, &s.matrix));
  PetscCall(LateralDataWalk(data, "long waves", true, sums_visit, &s));
  PetscCall(SetEquations(data, &s));
  PetscCall(FitExponents(data, &s));
  PetscCall(PetscFree4(s.sum, s.low, s.mean, s.along));
  PetscCall(PetscFree3(s.share, s.up, s.matrix));
  PetscFunctionReturn(0);
}

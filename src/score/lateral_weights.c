/* Weights of training rows by which moments of their porosities are those of the law that these were drawn from.
 *
 * Of a few thousand rows the regressed mean is uncertain by the chance of their draws: by .1 of the standard deviation
 * of a lateral mean in three dimensions.  But most of that chance is known: the normals g behind the porosity have mean
 * 0 and variance 1, and lateral means of the fields follow those of g and g^2 closely (R^2 .99).  So rows are weighted,
 *   w_i = 1 + c_i lambda,   sum_i w_i c_i = 0   for controls c_i,
 * the first cosines along x of the lateral means of g and g^2 - 1 times polynomials in the unit conditions: control
 * variates (calibrated weights: Deville & Saerndal, J. Am. Stat. Assoc. 87, 376 (1992)) for every moment of the fit at
 * once. */
#include "scoria/linalg.h"
#include "lateral_fit.h"
#include "tile_sum.h"
#include <math.h>
#include <string.h>

enum { FIRST = 6, SECOND = LATERAL_CONTROLS - FIRST }; /* cosines of g, of g^2 - 1 */
#define MOST_DEGREE 2
#define ROWS_EACH 20 /* rows per control at least: the weights vary by 1 / sqrt(20) */
#define RIDGE 1e-6   /* of the diagonal: controls that depend on others have no say of their own */
#define LEAST 0.2    /* weight, */
#define MOST 4.0     /* and the most that there is */

PetscErrorCode LateralControlsCreate(LateralData *data)
{
  const ScoriaTwin *twin = data->in.twin;
  const int last         = data->spec->nfields - 1;
  PetscFunctionBeginUser;
  if (!twin || !twin->normals || !data->spec->field[last].latent || strcmp(data->spec->field[last].name, "eps"))
    PetscFunctionReturn(0);
  data->porosity = last;
  PetscCall(PetscCalloc2((data->n + 1) * data->buffer.capacity * LATERAL_CONTROLS, &data->control,
                         (size_t)data->norm->N * (size_t)data->norm->nx, &data->normals));
  PetscFunctionReturn(0);
}

/* Cosines of a profile (nx), orthonormal under the mean over x. */
static void cosines(int nx, const double profile[], int n, double out[])
{
  for (int k = 0; k < n; k++) {
    out[k] = 0;
    for (int x = 0; x < nx; x++) out[k] += profile[x] * cos(PETSC_PI * k * (x + 0.5) / nx);
    out[k] *= (k ? sqrt(2) : 1) / nx;
  }
}

static void take_row(LateralData *data, const double g[], double control[])
{
  const NormLateral norm = data->norm;
  double *first = norm->profile, *second = norm->row; /* (nx) of E each */
  for (int x = 0; x < norm->nx; x++) first[x] = second[x] = 0;
  for (int p = 0; p < norm->N; p++)
    for (int x = 0; x < norm->nx; x++, g++) {
      first[x] += *g / norm->N;
      second[x] += (*g * *g - 1) / norm->N;
    }
  cosines(norm->nx, first, FIRST, control);
  cosines(norm->nx, second, SECOND, control + FIRST);
}

void lateral_controls_take(LateralData *data, int64_t i)
{
  const ScoriaTwin *twin = data->in.twin;
  const int64_t cells    = data->spec->cells;
  for (int64_t k = 0; k < data->buffer.rows && data->control; k++) {
    const double *eps = data->buffer.field[data->porosity] + k * cells;
    double *control   = data->control + (i * data->buffer.capacity + k) * LATERAL_CONTROLS;
    if (!data->usable[k] || data->left_out[k]) {
      data->row_weight[i * data->buffer.capacity + k] = 0; /* no row to learn from */
      continue;
    }
    if (twin->normals(twin->ctx, data->theta + i * data->norm->space.n, cells, eps, data->normals))
      take_row(data, data->normals, control);
    else
      memset(control, 0, sizeof *control * LATERAL_CONTROLS);
  }
}

/* --------------------------------------------------------------------------------------------------- weights ---- */

typedef struct {
  NormPoly poly;
  int p;          /* 1 + controls times terms */
  double *value;  /* owned (terms) */
  double *rows;   /* owned (capacity, p): 1 and the controls of the rows of a piece to learn from */
  double *A;      /* owned (p, p) */
  double *lambda; /* owned (p) */
} Calibration;

/* The rows of piece i to learn from, one after the other; which[]: their places in the buffer. */
static int list_rows(const LateralData *data, const Calibration *s, int64_t i, int64_t which[])
{
  int n = 0;
  norm_poly_values(&s->poly, data->u + i * data->norm->d, s->value);
  for (int64_t k = i * data->buffer.capacity; k < (i + 1) * data->buffer.capacity; k++) {
    if (!(data->row_weight[k] > 0)) continue;
    double *row = s->rows + (size_t)n * s->p;
    which[n++]  = k;
    *row++      = 1;
    for (int c = 0; c < LATERAL_CONTROLS; c++)
      for (int t = 0; t < s->poly.terms; t++) *row++ = data->control[k * LATERAL_CONTROLS + c] * s->value[t];
  }
  return n;
}

/* lambda on every rank: A lambda = (rows, 0 ...) - A e_0, of which the first is 0. */
static PetscErrorCode Solve(const LateralData *data, Calibration *s, int64_t which[])
{
  const int p       = s->p;
  const int64_t all = (int64_t)p * (p + 1) / 2;
  double *packed;
  TileSum sum;
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(data->in.comm, &rank));
  PetscCall(PetscMalloc1(all, &packed));
  PetscCall(TileSumCreate(data->in.comm, all, &sum));
  for (int64_t i = 0; i < data->n; i++) {
    if (data->kind[i] != NORM_FITTED) continue;
    memset(s->A, 0, sizeof *s->A * (size_t)p * (size_t)p);
    la_syrk(p, list_rows(data, s, i, which), p, s->rows, s->A);
    for (int a = 0, at = 0; a < p; at += ++a) tile_sum_add(&sum, at, a + 1, s->A + (size_t)a * p);
  }
  PetscCall(TileSumTake(&sum, packed));
  for (int a = 0, at = 0; a < p && rank == 0; a++)
    for (int b = 0; b <= a; b++) s->A[(size_t)a * p + b] = packed[at++];
  for (int a = 0; a < p && rank == 0; a++) {
    s->lambda[a] = a ? -s->A[(size_t)a * p] : 0;
    s->A[(size_t)a * p + a] += a ? RIDGE * s->A[(size_t)a * p + a] + RIDGE * RIDGE : 0;
  }
  if (rank == 0 && la_cholesky(p, s->A))
    la_cholesky_solve(p, s->A, 1, s->lambda);
  else
    memset(s->lambda, 0, sizeof *s->lambda * (size_t)p);
  PetscCall(NormShare(data->in.comm, (size_t)p, s->lambda));
  PetscCall(TileSumDestroy(&sum));
  PetscCall(PetscFree(packed));
  PetscFunctionReturn(0);
}

/* Weights of rows and of pieces, and their sum. */
static PetscErrorCode Weigh(LateralData *data, const Calibration *s, int64_t which[])
{
  TileSum sum;
  PetscFunctionBeginUser;
  PetscCall(TileSumCreate(data->in.comm, 1, &sum));
  for (int64_t i = 0; i < data->n; i++) {
    if (data->kind[i] != NORM_FITTED) continue;
    const int n     = list_rows(data, s, i, which);
    data->weight[i] = 0;
    for (int k = 0; k < n; k++) {
      double weight = 1;
      for (int j = 0; j < s->p; j++) weight += s->rows[(size_t)k * s->p + j] * s->lambda[j];
      data->row_weight[which[k]] = PetscClipInterval(weight, LEAST, MOST);
      data->weight[i] += data->row_weight[which[k]];
    }
    data->good[i] = data->weight[i];
    tile_sum_add(&sum, 0, 1, &data->weight[i]);
  }
  PetscCall(TileSumTake(&sum, &data->fitted_rows));
  PetscCall(NormShare(data->in.comm, 1, &data->fitted_rows));
  PetscCall(TileSumDestroy(&sum));
  PetscFunctionReturn(0);
}

/* The polynomial of the largest degree that the rows suffice for; degree -1: there is none. */
static PetscErrorCode ChooseTerms(const LateralData *data, const int powers[], NormPoly *poly, int *degree)
{
  PetscFunctionBeginUser;
  for (*degree = MOST_DEGREE; *degree >= 0; --*degree) {
    PetscCall(NormPolyCreate(data->norm->d, *degree, powers, poly));
    if (data->fitted_rows >= (double)ROWS_EACH * LATERAL_CONTROLS * poly->terms) break;
    PetscCall(NormPolyDestroy(poly));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode LateralCalibrate(LateralData *data, const int powers[])
{
  Calibration s = {.p = 1};
  int64_t *which;
  int degree;
  PetscFunctionBeginUser;
  if (!data->control) PetscFunctionReturn(0);
  PetscCall(ChooseTerms(data, powers, &s.poly, &degree));
  if (degree < 0) PetscFunctionReturn(0);
  s.p += LATERAL_CONTROLS * s.poly.terms;
  PetscCall(PetscMalloc5(s.poly.terms, &s.value, data->buffer.capacity * s.p, &s.rows, s.p * s.p, &s.A, s.p, &s.lambda,
                         data->buffer.capacity, &which));
  PetscCall(Solve(data, &s, which));
  PetscCall(Weigh(data, &s, which));
  PetscCall(PetscFree5(s.value, s.rows, s.A, s.lambda, which));
  PetscCall(NormPolyDestroy(&s.poly));
  PetscFunctionReturn(0);
}

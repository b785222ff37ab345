/* Correlations of the modes of a wave number over the conditions.
 *
 * Modes are those of the pooled covariance: uncorrelated over all conditions, but not at one, where correlations of
 * leading modes reach .7 and the power of a field at a wave number is off by a third without them.  So products of
 * modes over their deviations are regressed on the polynomials of the scales, by least squares.  Of thousands of pairs
 * most have no correlation: the coefficients of a pair are shrunk by what chance alone would give them (James and
 * Stein, positive part). */
#include "scoria/linalg.h"
#include "lateral_fit.h"
#include "tile_sum.h"
#include <string.h>

typedef struct {
  int p, P;
  double *b;     /* owned (LATERAL_COUPLED, 4): modes of a class over their deviations */
  double *pairs; /* owned (P): weighted sums over the rows of a piece */
  double *terms; /* owned (p, P): of a piece */
  double *all;   /* owned (p p + p P + 1): moments of the regressors, the right-hand sides and the weight of rows */
  TileSum sum;
} Couplings;

static PetscErrorCode CouplingsCreate(const LateralData *data, Couplings *s)
{
  const NormLateral norm = data->norm;
  PetscFunctionBeginUser;
  *s             = (Couplings){.p = norm->scale.terms, .P = norm->P};
  const size_t p = (size_t)s->p, P = (size_t)s->P;
  PetscCall(PetscMalloc4(LATERAL_COUPLED * 2 * WAVES_MEMBERS, &s->b, P, &s->pairs, p * PetscMax(p, P), &s->terms,
                         p * (p + P) + 1, &s->all));
  PetscCall(TileSumCreate(data->in.comm, (int64_t)(p * (p + P)) + 1, &s->sum));
  PetscFunctionReturn(0);
}

static PetscErrorCode CouplingsDestroy(Couplings *s)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree4(s->b, s->pairs, s->terms, s->all));
  PetscCall(TileSumDestroy(&s->sum));
  PetscFunctionReturn(0);
}

/* Adds to pairs the mean products of the modes of class c over its coordinates, from the rows that waves_take left. */
static void add_products(const NormLateral norm, int c, double weight, double b[], double pairs[])
{
  const int n = lateral_coupled(norm, c), width = wave_coordinates(&norm->waves.class[c]), E = norm->E;
  for (int k = 0; k < n; k++) {
    const int q     = norm->mode[c] + k;
    const double *V = norm->V + (size_t)q * E, mu = c ? 0 : norm->mu[k];
    for (int j = 0; j < width; j++) {
      double a = 0;
      for (int e = 0; e < E; e++) a += norm->row[(size_t)j * E + e] * V[e];
      b[k * width + j] = (a - mu) / norm->D[q];
    }
    for (int i = 0; i < k; i++) {
      double sum = 0;
      for (int j = 0; j < width; j++) sum += b[k * width + j] * b[i * width + j];
      *pairs++ += weight * sum / width;
    }
  }
}

static PetscErrorCode couplings_visit(void *ctx, LateralData *data, int64_t i)
{
  const NormLateral norm = data->norm;
  Couplings *s           = ctx;
  const double *X        = data->scale_X + i * s->p;
  double rows            = 0;
  PetscFunctionBeginUser;
  lateral_set_piece(data, i);
  lateral_set_deviations(norm, data->u + i * norm->d);
  memset(s->pairs, 0, sizeof *s->pairs * (size_t)s->P);
  for (int64_t k = 0; k < data->buffer.rows; k++) {
    if (!lateral_row_spectrum(data, k)) continue;
    const double weight = lateral_row_weight(data, i, k);
    rows += weight;
    for (int c = 0; c < norm->waves.classes; c++) {
      if (lateral_coupled(norm, c) < 2) continue;
      waves_take(&norm->waves, &norm->waves.class[c], norm -> row);
      add_products(norm, c, weight, s->b, s->pairs + norm->pair[c]);
    }
  }
  for (int t = 0; t < s->p; t++)
    for (int a = 0; a < s->p; a++) s->terms[t * s->p + a] = rows * X[t] * X[a];
  tile_sum_add(&s->sum, 0, s->p * s->p, s->terms);
  for (int t = 0; t < s->p; t++)
    for (int a = 0; a < s->P; a++) s->terms[(size_t)t * s->P + a] = X[t] * s->pairs[a];
  tile_sum_add(&s->sum, (int64_t)s->p * s->p, s->p * s->P, s->terms);
  tile_sum_add(&s->sum, (int64_t)s->p * (s->p + s->P), 1, &rows);
  PetscFunctionReturn(0);
}

PetscErrorCode LateralCheckCouplings(const LateralData *data)
{
  const NormLateral norm = data->norm;
  const int n = PetscMin(norm->E, LATERAL_COUPLED), p = norm->scale.terms;
  const double pairs = (double)n * (n - 1) / 2 * norm->waves.classes,
               need = p * (p + pairs) * (2 * sizeof(int64_t) + 3 * sizeof(double)); /* sums; piece, all, coefficients */
  PetscFunctionBeginUser;
  if (data->in.run)
    PetscCall(
        ScoriaMemoryCheck(need, data->in.memory, "fewer cells",
                          "the correlations of the modes of %d x %d x %d cells (%d terms of %.0f pairs at %d wave "
                          "numbers)",
                          norm->nx, norm->ny, norm->nz, p, pairs, norm->waves.classes));
  PetscFunctionReturn(0);
}

#define RIDGE 1e-9 /* of the weight of rows: conditions on a line through the space have a solution too */

/* Coefficients of the pairs of class c, of which B (p, P) are those by least squares, shrunk. */
static void shrink(const NormLateral norm, int c, double rows, double B[])
{
  const int n = lateral_coupled(norm, c), p = norm->scale.terms;
  const double chance = p / (rows * wave_coordinates(&norm->waves.class[c]));
  for (int a = norm->pair[c]; a < norm->pair[c] + n * (n - 1) / 2; a++) {
    double square = 0;
    for (int t = 0; t < p; t++) square += B[(size_t)t * norm->P + a] * B[(size_t)t * norm->P + a];
    const double factor = square > chance ? 1 - chance / square : 0;
    for (int t = 0; t < p; t++) B[(size_t)t * norm->P + a] *= factor;
  }
}

PetscErrorCode LateralFitCouplings(LateralData *data)
{
  const NormLateral norm = data->norm;
  Couplings s;
  int rank;
  PetscFunctionBeginUser;
  if (!norm->P) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Comm_rank(data->in.comm, &rank));
  PetscCall(CouplingsCreate(data, &s));
  PetscCall(LateralDataWalk(data, "couplings", true, couplings_visit, &s));
  PetscCall(TileSumTake(&s.sum, s.all));
  if (rank == 0) {
    const double rows = s.all[s.p * (s.p + s.P)];
    for (int t = 0; t < s.p; t++) s.all[t * s.p + t] += RIDGE * rows;
    PetscCheck(la_cholesky(s.p, s.all), PETSC_COMM_SELF, PETSC_ERR_PLIB, "regression of %d terms", s.p);
    memcpy(norm->R_coef, s.all + s.p * s.p, sizeof *s.all * (size_t)s.p * (size_t)s.P);
    la_cholesky_solve(s.p, s.all, s.P, norm->R_coef);
    for (int c = 0; c < norm->waves.classes; c++) shrink(norm, c, rows, norm->R_coef);
  }
  PetscCall(NormShare(data->in.comm, (size_t)s.p * (size_t)s.P, norm->R_coef));
  PetscCall(CouplingsDestroy(&s));
  PetscFunctionReturn(0);
}

/* Which terms of a polynomial are worth their variance, by cross-validation over conditions.
 *
 * All of it follows from the moments of the regressors and the responses in every fold of the conditions, and at every
 * inner level of those that take few values, which are summed here in fixed point; rank 0 chooses
 * (normaliser_select.c). */
#include "scoria/linalg.h"
#include "normaliser_terms.h"
#include <math.h>
#include <string.h>

enum { MOST_TOGETHER = 64 };

static PetscErrorCode FindBelow(const NormPoly *poly, Terms *s)
{
  const int d = s->d = poly->d;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)s->p * (size_t)d + 1, &s->below));
  for (int i = 0; i < s->p * d; i++) s->below[i] = -1; /* as of terms that are no powers */
  for (int i = 0; i < poly->terms; i++)
    for (int j = 0; j < d; j++) {
      for (int k = 0; k < poly->terms && poly->power[i * d + j] > 0; k++) {
        bool one_less = poly->power[k * d + j] == poly->power[i * d + j] - 1;
        for (int l = 0; l < d && one_less; l++) one_less = l == j || poly->power[k * d + l] == poly->power[i * d + l];
        if (one_less) s->below[i * d + j] = k;
      }
    }
  PetscFunctionReturn(0);
}

static size_t sets_of(const Terms *s)
{
  return TERMS_FOLDS + (size_t)s->levels;
}

/* The columns that choose for themselves, and some, spread evenly, for all others. */
static PetscErrorCode TermsCreate(const NormData *data, const NormPoly *poly, const NormDesign *design, int alone,
                                  int cells, Terms *s)
{
  const int stride = (design->q - alone + MOST_TOGETHER - 1) / MOST_TOGETHER;
  PetscFunctionBeginUser;
  *s         = (Terms){.design = design, .p = design->p, .most = 1, .poly = poly, .alone = alone, .cells = cells};
  s->levels  = data->levels;
  s->level   = data->level;
  s->longest = data->few ? (int)PetscMin((data->n + 1) / 2, design->p) : design->p;
  PetscCall(PetscMalloc1(alone + MOST_TOGETHER, &s->column));
  for (int j = 0; j < alone; j++) s->column[s->q++] = j;
  for (int j = alone; j < design->q; j += stride) s->column[s->q++] = j;
  for (int t = 0; t < data->tiles.tiles; t++) s->most = PetscMax(s->most, data->fitted[t]);
  PetscCall(FindBelow(poly, s));
  s->size = (size_t)s->p * (size_t)(s->p + s->q) + (size_t)s->q + 1;
  PetscCall(PetscCalloc3((size_t)design->p * design->q, &s->centre, s->q, &s->scale, s->q, &s->squares));
  PetscCall(PetscMalloc4((size_t)s->most * s->p, &s->X, (size_t)s->most * (s->p + s->q), &s->Z, s->size, &s->part,
                         sets_of(s) * s->size, &s->moments));
  PetscCall(TileSumCreate(data->in.comm, (int64_t)(sets_of(s) * s->size), &s->sum));
  PetscFunctionReturn(0);
}

static PetscErrorCode TermsDestroy(Terms *s)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(s->column));
  PetscCall(PetscFree(s->below));
  PetscCall(PetscFree3(s->centre, s->scale, s->squares));
  PetscCall(PetscFree4(s->X, s->Z, s->part, s->moments));
  PetscCall(TileSumDestroy(&s->sum));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- moments ---- */

/* Responses are taken about their means, so that a trend on a large offset keeps its digits, and in units of their
 * largest distance from it. */
static PetscErrorCode Centre(const NormData *data, Terms *s, const double Y[])
{
  NormDesign constant = *s->design;
  const int q         = s->design->q;
  bool *first;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)q * s->p, &first));
  for (int j = 0; j < q; j++) first[(size_t)j * s->p] = true;
  constant.use = first;
  PetscCall(NormLeastSquares(&constant, Y, s->centre));
  for (int t = 0; t < data->tiles.tiles; t++)
    for (int64_t i = data->start[t]; i < data->start[t] + data->fitted[t]; i++)
      for (int j = 0; j < s->q; j++)
        s->scale[j] = PetscMax(s->scale[j], fabs(Y[i * q + s->column[j]] - s->centre[s->column[j]]));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, s->scale, s->q, MPI_DOUBLE, MPI_MAX, data->in.comm));
  for (int j = 0; j < s->q; j++) s->scale[j] = binary_scale(s->scale[j]);
  PetscCall(PetscFree(first));
  PetscFunctionReturn(0);
}

/* A row of the design at the end of the n that have been taken. */
static void take_row(const Terms *s, const double Y[], int64_t i, int n)
{
  const NormDesign *design = s->design;
  double *X = s->X + (size_t)n * s->p, *Z = s->Z + (size_t)n * (s->p + s->q);
  for (int j = 0; j < s->p; j++) {
    Z[j] = design->X[i * s->p + j];
    X[j] = design->w[i] * Z[j];
  }
  for (int j = 0; j < s->q; j++)
    Z[s->p + j] = (Y[i * design->q + s->column[j]] - s->centre[s->column[j]]) / s->scale[j];
}

static void add_set(Terms *s, size_t set, int n, double weight)
{
  const int p = s->p, q = s->q;
  la_gemm(true, false, p, p + q, n, 1, s->X, p, s->Z, p + q, 0, s->part, p + q);
  memcpy(s->part + (size_t)p * (p + q), s->squares, (size_t)q * sizeof(double));
  s->part[s->size - 1] = weight;
  tile_sum_add(&s->sum, (int64_t)(set * s->size), (int)s->size, s->part);
}

static bool in_set(const NormData *data, const Terms *s, const ScoriaShuffle *shuffle, int t, int64_t i, size_t set)
{
  if (set < TERMS_FOLDS) return rng_shuffled(shuffle, norm_condition(data, t, i)) % TERMS_FOLDS == (int64_t)set;
  const NormLevel *level = &s->level[set - TERMS_FOLDS];
  const double u         = data->u[i * s->d + level->condition];
  return u >= level->from && u < level->to;
}

static PetscErrorCode SumMoments(const NormData *data, Terms *s, const double Y[])
{
  const NormDesign *design = s->design;
  ScoriaShuffle shuffle;
  PetscFunctionBeginUser;
  rng_shuffle(0, SCORIA_STREAM_VALIDATION, UINT64_MAX - 2, data->conditions, &shuffle);
  for (int t = 0; t < data->tiles.tiles; t++)
    for (size_t set = 0; set < sets_of(s); set++) {
      double weight = 0;
      int n         = 0;
      memset(s->squares, 0, (size_t)s->q * sizeof(double));
      for (int64_t i = data->start[t]; i < data->start[t] + data->fitted[t]; i++) {
        if (!in_set(data, s, &shuffle, t, i, set) || !(design->w[i] > 0)) continue;
        take_row(s, Y, i, n);
        const double *Z = s->Z + (size_t)n++ * (s->p + s->q) + s->p;
        for (int j = 0; j < s->q; j++) s->squares[j] += design->w[i] * Z[j] * Z[j];
        weight += design->w[i];
      }
      if (n > 0) add_set(s, set, n, weight);
    }
  PetscCall(TileSumTake(&s->sum, s->moments));
  PetscFunctionReturn(0);
}

/* chosen (Y's columns, p) by rank 0. */
static PetscErrorCode Select(const Terms *s, double chosen[])
{
  bool *in;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(s->p, &in));
  for (int j = 0; j < s->alone; j++) {
    PetscCall(TermsSelect(s, j, 1, in));
    for (int i = 0; i < s->p; i++) chosen[(size_t)j * s->p + i] = in[i];
  }
  if (s->alone < s->q) PetscCall(TermsSelect(s, s->alone, s->q - s->alone, in));
  for (int j = s->alone; j < s->design->q; j++)
    for (int i = 0; i < s->p; i++) chosen[(size_t)j * s->p + i] = in[i];
  PetscCall(PetscFree(in));
  PetscFunctionReturn(0);
}

PetscErrorCode NormChooseTerms(const NormData *data, const NormPoly *poly, const NormDesign *design, int alone,
                               int cells, const double Y[], bool **use)
{
  const size_t count = (size_t)design->q * (size_t)design->p;
  Terms s;
  double *chosen;
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(data->in.comm, &rank));
  PetscCall(TermsCreate(data, poly, design, alone, cells, &s));
  PetscCall(PetscCalloc1(count, &chosen));
  PetscCall(Centre(data, &s, Y));
  PetscCall(SumMoments(data, &s, Y));
  if (rank == 0) PetscCall(Select(&s, chosen));
  PetscCall(NormShare(data->in.comm, count, chosen));
  PetscCall(PetscFree(*use));
  PetscCall(PetscMalloc1(count, use));
  for (size_t i = 0; i < count; i++) (*use)[i] = chosen[i] != 0;
  PetscCall(PetscFree(chosen));
  PetscCall(TermsDestroy(&s));
  PetscFunctionReturn(0);
}

/* Which terms of a polynomial are worth their variance, by cross-validation over conditions.
 *
 * Terms are added one by one, each time the one that takes most from what is left of the squares (forward selection, or
 * orthogonal matching pursuit: Pati, Rezaiifar and Krishnaprasad 1993), among those whose lower powers are all in.  How
 * many: the fewest that leave hardly more than the least squares on conditions left out; every fold of these has a
 * selection of its own, so that choosing is validated with the rest.
 * All of it follows from the moments of the regressors and the responses in every fold, which are summed in fixed
 * point; rank 0 chooses. */
#include "scoria/linalg.h"
#include "normaliser_fit.h"
#include "tile_sum.h"
#include <math.h>
#include <string.h>

enum { FOLDS = 10, MOST_TOGETHER = 64 };

#define CLEARLY 1 /* standard errors */

/* The moments of a fold: X^T W [X Y] (p, p + q), sums of w y^2 (q), and of w. */
typedef struct {
  const NormDesign *design; /* borrowed */
  int p, q, most;
  int longest;            /* terms of a response at most */
  int *column;            /* owned (q): of Y */
  int d, *below;          /* owned (p, d): the term with a power of u_j less by one, or -1 */
  int alone, cells;       /* see NormChooseTerms */
  double *centre, *scale; /* owned (p, Y's columns), the first row; (q) */
  double *squares;        /* owned (q) */
  double *X, *Z;          /* owned (most, p), (most, p + q): of a fold's rows in a tile */
  double *part;           /* owned (size): of a tile */
  double *moments;        /* owned (FOLDS, size), on rank 0 */
  size_t size;
  TileSum sum;
} Terms;

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

/* The columns that choose for themselves, and some, spread evenly, for all others. */
static PetscErrorCode TermsCreate(const NormData *data, const NormPoly *poly, const NormDesign *design, int alone,
                                  int cells, Terms *s)
{
  const int stride = (design->q - alone + MOST_TOGETHER - 1) / MOST_TOGETHER;
  PetscFunctionBeginUser;
  *s         = (Terms){.design = design, .p = design->p, .most = 1, .alone = alone, .cells = cells};
  s->longest = data->few ? (int)PetscMin((data->n + 1) / 2, design->p) : design->p;
  PetscCall(PetscMalloc1(alone + MOST_TOGETHER, &s->column));
  for (int j = 0; j < alone; j++) s->column[s->q++] = j;
  for (int j = alone; j < design->q; j += stride) s->column[s->q++] = j;
  for (int t = 0; t < data->tiles.tiles; t++) s->most = PetscMax(s->most, data->fitted[t]);
  PetscCall(FindBelow(poly, s));
  s->size = (size_t)s->p * (size_t)(s->p + s->q) + (size_t)s->q + 1;
  PetscCall(PetscCalloc3((size_t)design->p * design->q, &s->centre, s->q, &s->scale, s->q, &s->squares));
  PetscCall(PetscMalloc4((size_t)s->most * s->p, &s->X, (size_t)s->most * (s->p + s->q), &s->Z, s->size, &s->part,
                         FOLDS * s->size, &s->moments));
  PetscCall(TileSumCreate(data->in.comm, (int64_t)(FOLDS * s->size), &s->sum));
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

static void add_fold(Terms *s, int fold, int n, double weight)
{
  const int p = s->p, q = s->q;
  la_gemm(true, false, p, p + q, n, 1, s->X, p, s->Z, p + q, 0, s->part, p + q);
  memcpy(s->part + (size_t)p * (p + q), s->squares, (size_t)q * sizeof(double));
  s->part[s->size - 1] = weight;
  tile_sum_add(&s->sum, (int64_t)(fold * s->size), (int)s->size, s->part);
}

static PetscErrorCode SumMoments(const NormData *data, Terms *s, const double Y[])
{
  const NormDesign *design = s->design;
  ScoriaShuffle shuffle;
  PetscFunctionBeginUser;
  rng_shuffle(0, SCORIA_STREAM_VALIDATION, UINT64_MAX - 2, data->conditions, &shuffle);
  for (int t = 0; t < data->tiles.tiles; t++)
    for (int fold = 0; fold < FOLDS; fold++) {
      double weight = 0;
      int n         = 0;
      memset(s->squares, 0, (size_t)s->q * sizeof(double));
      for (int64_t i = data->start[t]; i < data->start[t] + data->fitted[t]; i++) {
        if (rng_shuffled(&shuffle, norm_condition(data, t, i)) % FOLDS != fold || !(design->w[i] > 0)) continue;
        take_row(s, Y, i, n);
        const double *Z = s->Z + (size_t)n++ * (s->p + s->q) + s->p;
        for (int j = 0; j < s->q; j++) s->squares[j] += design->w[i] * Z[j] * Z[j];
        weight += design->w[i];
      }
      if (n > 0) add_fold(s, fold, n, weight);
    }
  PetscCall(TileSumTake(&s->sum, s->moments));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ selection ---- */

/* A path of selection for responses [first, first + q): the moments A (p, p + q), swept in place, so that rows of terms
 * that are in hold their coefficients. */
typedef struct {
  const Terms *s; /* borrowed */
  int first, q;
  int n;                    /* terms taken */
  int *order;               /* owned (p) */
  bool *in;                 /* owned (p) */
  double *A;                /* owned (p, p + q) */
  double *diagonal, *noise; /* owned (p), (q) */
  double *error;            /* owned (FOLDS, p): after n + 1 terms */
} Path;

static PetscErrorCode PathCreate(const Terms *s, int first, int q, Path *path)
{
  const size_t p = (size_t)s->p;
  PetscFunctionBeginUser;
  *path = (Path){.s = s, .first = first, .q = q};
  PetscCall(PetscCalloc6(p, &path->order, p, &path->in, p * (p + (size_t)q), &path->A, p, &path->diagonal, q,
                         &path->noise, FOLDS * p, &path->error));
  PetscFunctionReturn(0);
}

static PetscErrorCode PathDestroy(Path *path)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree6(path->order, path->in, path->A, path->diagonal, path->noise, path->error));
  PetscFunctionReturn(0);
}

/* Gauss-Jordan on the pivot c. */
static void sweep(Path *path, int c)
{
  const int p = path->s->p, width = p + path->q;
  double *pivot    = path->A + (size_t)c * width;
  const double one = 1 / pivot[c];
  for (int j = 0; j < width; j++) pivot[j] *= one;
  for (int i = 0; i < p; i++) {
    double *row         = path->A + (size_t)i * width;
    const double factor = row[c];
    if (i == c || factor == 0) continue;
    for (int j = 0; j < width; j++) row[j] -= factor * pivot[j];
    row[c] = 0;
  }
  path->in[c]            = true;
  path->order[path->n++] = c;
}

/* Whether all terms of a power less are in: among those that are not yet worth it, few are then compared, and what
 * is the largest of many by chance is not taken for a trend. */
static bool term_allowed(const Path *path, int i)
{
  const Terms *s = path->s;
  for (int j = 0; j < s->d; j++)
    if (s->below[i * s->d + j] >= 0 && !path->in[s->below[i * s->d + j]]) return false;
  return true;
}

/* The term that takes most of the squares in units of the noise, or -1: none is left that differs from those taken. */
static int best_term(const Path *path)
{
  const int p = path->s->p, width = p + path->q;
  double most = 0;
  int best    = -1;
  for (int i = 0; i < p; i++) {
    const double *row = path->A + (size_t)i * width;
    double gain       = 0;
    if (path->in[i] || !term_allowed(path, i) || row[i] < 1e-8 * path->diagonal[i]) continue;
    for (int j = 0; j < path->q; j++) gain += row[p + j] * row[p + j] / path->noise[j];
    gain /= row[i];
    if (gain > most) most = gain, best = i;
  }
  return best;
}

static bool take_best(Path *path)
{
  const int c = best_term(path);
  if (c >= 0) sweep(path, c);
  return c >= 0;
}

/* Moments of all folds but one, or of all (left: -1). */
static void path_begin(Path *path, int left)
{
  const Terms *s = path->s;
  const int p = s->p, q = path->q, width = p + q;
  path->n = 0;
  memset(path->A, 0, (size_t)p * (size_t)width * sizeof(double));
  memset(path->in, 0, (size_t)p * sizeof *path->in);
  for (int fold = 0; fold < FOLDS; fold++)
    for (int i = 0; i < p && fold != left; i++) {
      const double *from = s->moments + (size_t)fold * s->size + (size_t)i * (size_t)(p + s->q);
      double *to         = path->A + (size_t)i * width;
      for (int j = 0; j < p; j++) to[j] += from[j];
      for (int j = 0; j < q; j++) to[p + j] += from[p + path->first + j];
    }
  for (int i = 0; i < p; i++) path->diagonal[i] = path->A[(size_t)i * (size_t)(width + 1)];
  sweep(path, 0);
}

/* Squares that the coefficients of the path leave in response j of a fold. */
static double squares_left(const Path *path, const double fold[], int j)
{
  const int p = path->s->p, from = p + path->s->q, width = p + path->q;
  double left = fold[(size_t)p * from + path->first + j];
  for (int a = 0; a < path->n; a++) {
    const int i      = path->order[a];
    const double *at = fold + (size_t)i * from;
    double product   = -2 * at[p + path->first + j];
    for (int b = 0; b < path->n; b++) product += at[path->order[b]] * path->A[(size_t)path->order[b] * width + p + j];
    left += path->A[(size_t)i * width + p + j] * product;
  }
  return left;
}

/* No less than 1e-4 of the average over the responses of its unit: where there is hardly any noise, the fit is good
 * enough. */
static void floor_noise(const Path *path)
{
  const Terms *s   = path->s;
  const int *of    = s->column + path->first;
  const double *at = s->scale + path->first;
  for (int first = 0, end = 0; first < path->q; first = end) {
    double mean = 0;
    for (end = first; end < path->q && of[end] / s->cells == of[first] / s->cells; end++)
      mean += path->noise[end] * at[end] * at[end];
    mean /= end - first;
    for (int j = first; j < end; j++) path->noise[j] = PetscMax(path->noise[j], 1e-4 * mean / (at[j] * at[j])) + 1e-30;
  }
}

/* What all terms together leave of the squares of a response. */
static void find_noise(Path *path)
{
  const Terms *s = path->s;
  path_begin(path, -1);
  for (int j = 0; j < path->q; j++) path->noise[j] = 1;
  while (take_best(path)) continue;
  for (int j = 0; j < path->q; j++) {
    path->noise[j] = 0;
    for (int fold = 0; fold < FOLDS; fold++)
      path->noise[j] += squares_left(path, s->moments + (size_t)fold * s->size, j);
    path->noise[j] = PetscMax(path->noise[j], 0);
  }
  floor_noise(path);
}

/* By how much the error after n terms more is above that after `best`, in standard errors of it over the folds. */
static double worse(const Path *path, int n, int best)
{
  const int p = path->s->p;
  double sum = 0, square = 0;
  for (int fold = 0; fold < FOLDS; fold++) {
    const double difference = path->error[fold * p + n] - path->error[fold * p + best];
    sum += difference;
    square += difference * difference;
  }
  return sum / sqrt(PetscMax(square - sum * sum / FOLDS, 1e-300) * FOLDS / (FOLDS - 1.0));
}

static double error_of(const Path *path, int n)
{
  double sum = 0;
  for (int fold = 0; fold < FOLDS; fold++) sum += path->error[fold * path->s->p + n];
  return sum;
}

/* The fewest terms whose error is not clearly above the least. */
static int fewest(const Path *path)
{
  int best = 0, n = 0;
  for (int i = 1; i < path->s->longest; i++)
    if (error_of(path, i) < error_of(path, best)) best = i;
  while (n < best && worse(path, n, best) > CLEARLY) n++;
  return n;
}

/* Leaves path->in: by rank 0. */
static void select_terms(Path *path)
{
  const Terms *s = path->s;
  find_noise(path);
  for (int fold = 0; fold < FOLDS; fold++) {
    const double *left = s->moments + (size_t)fold * s->size;
    if (!(left[s->size - 1] > 0)) continue;
    path_begin(path, fold);
    for (int n = 0; n < s->p; n++) {
      if (n) (void)take_best(path); /* the error stays what it is where the path has no more */
      for (int j = 0; j < path->q; j++) path->error[fold * s->p + n] += squares_left(path, left, j) / path->noise[j];
    }
  }
  const int best = fewest(path);
  path_begin(path, -1);
  while (path->n <= best && take_best(path)) continue;
}

/* chosen (Y's columns, p) by rank 0. */
static PetscErrorCode Select(const Terms *s, double chosen[])
{
  Path path;
  PetscFunctionBeginUser;
  for (int j = 0; j < s->alone; j++) {
    PetscCall(PathCreate(s, j, 1, &path));
    select_terms(&path);
    for (int i = 0; i < s->p; i++) chosen[(size_t)j * s->p + i] = path.in[i];
    PetscCall(PathDestroy(&path));
  }
  if (s->alone == s->q) PetscFunctionReturn(0);
  PetscCall(PathCreate(s, s->alone, s->q - s->alone, &path));
  select_terms(&path);
  for (int j = s->alone; j < s->design->q; j++)
    for (int i = 0; i < s->p; i++) chosen[(size_t)j * s->p + i] = path.in[i];
  PetscCall(PathDestroy(&path));
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

/* Chooses terms from the moments of normaliser_terms.c; on rank 0.
 *
 * Terms are added one by one, each time the one that takes most from what is left of the squares (forward selection, or
 * orthogonal matching pursuit: Pati, Rezaiifar and Krishnaprasad 1993), among those whose lower powers are all in.  How
 * many: the fewest that leave hardly more than the least squares on conditions left out; every fold of these has a
 * selection of its own, so that choosing is validated with the rest.  Which powers of a condition of few values: those
 * that predict one of these by the others. */
#include "normaliser_terms.h"
#include <math.h>
#include <string.h>

#define CLEARLY 1 /* standard errors */

/* A path of selection for responses [first, first + q): the moments A (p, p + q), swept in place, so that rows of terms
 * that are in hold their coefficients. */
typedef struct {
  const Terms *s; /* borrowed */
  int first, q;
  int n;                           /* terms taken */
  int *order;                      /* owned (p) */
  bool *in;                        /* owned (p) */
  int most[SCORIA_MAX_CONDITIONS]; /* powers of a condition that terms have at most */
  double *A;                       /* owned (p, p + q) */
  double *diagonal, *noise;        /* owned (p), (q) */
  double *error;                   /* owned (TERMS_FOLDS, p): after n + 1 terms */
} Path;

static PetscErrorCode PathCreate(const Terms *s, int first, int q, Path *path)
{
  const size_t p = (size_t)s->p;
  PetscFunctionBeginUser;
  *path = (Path){.s = s, .first = first, .q = q};
  for (int j = 0; j < s->d; j++) path->most[j] = NORM_MAX_DEGREE;
  PetscCall(PetscCalloc6(p, &path->order, p, &path->in, p * (p + (size_t)q), &path->A, p, &path->diagonal, q,
                         &path->noise, TERMS_FOLDS * p, &path->error));
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

/* Whether its powers are allowed, and all terms of a power less are in: among those that are not yet worth it, few are
 * then compared, and what is the largest of many by chance is not taken for a trend. */
static bool term_allowed(const Path *path, int i)
{
  const Terms *s = path->s;
  for (int j = 0; j < s->d && i < s->poly->terms; j++)
    if (s->poly->power[i * s->d + j] > path->most[j]) return false;
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

static void add_set(Path *path, int set, double sign)
{
  const Terms *s = path->s;
  const int p = s->p, q = path->q;
  for (int i = 0; i < p; i++) {
    const double *from = s->moments + (size_t)set * s->size + (size_t)i * (size_t)(p + s->q);
    double *to         = path->A + (size_t)i * (size_t)(p + q);
    for (int j = 0; j < p; j++) to[j] += sign * from[j];
    for (int j = 0; j < q; j++) to[p + j] += sign * from[p + path->first + j];
  }
}

/* Moments of all pieces but those of a set, or of all (left: -1). */
static void path_begin(Path *path, int left)
{
  const int p = path->s->p, width = p + path->q;
  path->n = 0;
  memset(path->A, 0, (size_t)p * (size_t)width * sizeof(double));
  memset(path->in, 0, (size_t)p * sizeof *path->in);
  for (int fold = 0; fold < TERMS_FOLDS; fold++)
    if (fold != left) add_set(path, fold, 1);
  if (left >= TERMS_FOLDS) add_set(path, left, -1);
  for (int i = 0; i < p; i++) path->diagonal[i] = path->A[(size_t)i * (size_t)(width + 1)];
  sweep(path, 0);
}

/* Squares that the coefficients of the path leave in response j of a set. */
static double squares_left(const Path *path, const double set[], int j)
{
  const int p = path->s->p, from = p + path->s->q, width = p + path->q;
  double left = set[(size_t)p * from + path->first + j];
  for (int a = 0; a < path->n; a++) {
    const int i      = path->order[a];
    const double *at = set + (size_t)i * from;
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
    for (int fold = 0; fold < TERMS_FOLDS; fold++)
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
  for (int fold = 0; fold < TERMS_FOLDS; fold++) {
    const double difference = path->error[fold * p + n] - path->error[fold * p + best];
    sum += difference;
    square += difference * difference;
  }
  return sum / sqrt(PetscMax(square - sum * sum / TERMS_FOLDS, 1e-300) * TERMS_FOLDS / (TERMS_FOLDS - 1.0));
}

static double error_of(const Path *path, int n)
{
  double sum = 0;
  for (int fold = 0; fold < TERMS_FOLDS; fold++) sum += path->error[fold * path->s->p + n];
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

/* Leaves path->in and order. */
static void select_terms(Path *path)
{
  const Terms *s = path->s;
  for (int fold = 0; fold < TERMS_FOLDS; fold++) {
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

/* ---------------------------------------------------------------------------------------------------- levels ---- */

/* What the terms taken, given coefficients by the other levels, leave of a level, in units of the noise; order (n) is
 * work. */
static double missed_at(Path *path, int level, int n, const int order[])
{
  const Terms *s = path->s;
  const int set = TERMS_FOLDS + level, width = s->p + path->q;
  double sum = 0;
  path_begin(path, set);
  for (int k = 1; k < n; k++) /* the constant is in */
    if (path->A[(size_t)order[k] * width + order[k]] > 1e-8 * path->diagonal[order[k]]) sweep(path, order[k]);
  for (int j = 0; j < path->q; j++) sum += squares_left(path, s->moments + (size_t)set * s->size, j) / path->noise[j];
  return sum;
}

/* The same of all inner levels of a condition, after a selection. */
static double missed_between(Path *path, int condition, int order[])
{
  const Terms *s = path->s;
  const int n    = path->n;
  double sum     = 0;
  memcpy(order, path->order, (size_t)n * sizeof *order);
  for (int k = 0; k < s->levels; k++)
    if (s->level[k].condition == condition) sum += missed_at(path, k, n, order);
  return sum;
}

#define MISSED_LESS 0.8 /* of a level's squares: with its neighbours twice as far apart, high powers are worth less */

/* Conditions left out have the levels that the others have, and say nothing of what lies between these.  So the powers
 * of a condition are no more than those with which terms predict its inner levels best, each by the others, where that
 * is much better than with as many as these can tell, two less than there are levels. */
static void bound_powers(Path *path, int order[])
{
  const Terms *s = path->s;
  for (int j = 0; j < s->d; j++) {
    int inner = 0, best = 0;
    double least = INFINITY, missed = 0;
    for (int k = 0; k < s->levels; k++) inner += s->level[k].condition == j;
    for (int most = 1; most <= inner; most++) {
      path->most[j] = most;
      select_terms(path);
      missed = missed_between(path, j, order);
      if (missed < least) least = missed, best = most;
    }
    path->most[j] = least < MISSED_LESS * missed ? best : NORM_MAX_DEGREE;
  }
}

PetscErrorCode TermsSelect(const Terms *s, int first, int q, bool in[])
{
  Path path;
  int *order;
  PetscFunctionBeginUser;
  PetscCall(PathCreate(s, first, q, &path));
  PetscCall(PetscMalloc1(s->p, &order));
  find_noise(&path);
  bound_powers(&path, order);
  select_terms(&path);
  memcpy(in, path.in, (size_t)s->p * sizeof *in);
  PetscCall(PetscFree(order));
  PetscCall(PathDestroy(&path));
  PetscFunctionReturn(0);
}

/* A calibration once it is fitted (calibration_fit.c): evaluated, and in the model's file. */
#include "calibration.h"
#include "normal_law.h"
#include "normaliser_store.h"
#include "trainer.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_TERMS 4096 /* of its polynomials, in a file */

PetscErrorCode CalibrationSetUp(int d, int r, Calibration *c)
{
  const size_t terms = (size_t)c->poly.terms, width = 2 * (size_t)r;
  PetscFunctionBeginUser;
  c->d = d;
  c->r = r;
  PetscCall(PetscCalloc5(terms * width, &c->from, terms * width, &c->to, (size_t)r, &c->shift, (size_t)r, &c->scale,
                         terms + 2 * width, &c->work));
  PetscFunctionReturn(0);
}

PetscErrorCode CalibrationDestroy(Calibration *c)
{
  PetscFunctionBeginUser;
  PetscCall(NormPolyDestroy(&c->poly));
  PetscCall(PetscFree5(c->from, c->to, c->shift, c->scale, c->work));
  PetscCall(PetscFree2(c->scores, c->higher));
  c->elements = 0;
  PetscFunctionReturn(0);
}

void calibration_moments(const Calibration *c, const double coef[], const double u[], double moment[])
{
  const size_t width = 2 * (size_t)c->r;
  double inside[SCORIA_MAX_CONDITIONS], *term = c->work;
  for (int j = 0; j < c->d; j++) inside[j] = fmin(fmax(u[j], -1), 1);
  norm_poly_values(&c->poly, inside, term);
  memset(moment, 0, width * sizeof *moment);
  for (int i = 0; i < c->poly.terms; i++)
    for (size_t k = 0; k < width; k++) moment[k] += term[i] * coef[(size_t)i * width + k];
}

void calibration_at(const Calibration *c, const double u[])
{
  double *from = c->work + c->poly.terms, *to = from + 2 * c->r;
  calibration_moments(c, c->from, u, from);
  calibration_moments(c, c->to, u, to);
  for (int k = 0; k < c->r; k++) {
    c->scale[k] = exp(to[c->r + k] - from[c->r + k]);
    c->shift[k] = to[k] - c->scale[k] * from[k];
  }
}

/* ---------------------------------------------------------------------------------------------------- scores ---- */

#define LEAST_SHARE 0.2 /* of what the normal law has beyond an edge */
#define MOST_FALL 0.45  /* of what scores are moved by, from edge to edge: .9 of their distance */

PetscErrorCode CalibrationSetUpScores(int elements, Calibration *c)
{
  const size_t numbers = (size_t)elements * NORM_SCORE_EDGES;
  PetscFunctionBeginUser;
  c->elements = elements;
  PetscCall(PetscCalloc2((size_t)c->poly.terms * numbers, &c->scores, numbers, &c->higher));
  PetscFunctionReturn(0);
}

/* The normal score of what has `off` densities more below edge e than the normal law. */
static double mapped(double e, double off)
{
  const double side = e > 0 ? -1 : 1, tail = normal_share(side * e);
  return side * normal_quantile(PetscClipInterval(tail + side * off * normal_density(e), LEAST_SHARE * tail, 0.98));
}

void calibration_scores_at(const Calibration *c, const double u[])
{
  double inside[SCORIA_MAX_CONDITIONS], *term = c->work;
  const int width = c->elements * NORM_SCORE_EDGES;
  for (int j = 0; j < c->d; j++) inside[j] = fmin(fmax(u[j], -1), 1);
  norm_poly_values(&c->poly, inside, term);
  memset(c->higher, 0, (size_t)width * sizeof *c->higher);
  for (int i = 0; i < c->poly.terms; i++)
    for (int k = 0; k < width; k++) c->higher[k] += term[i] * c->scores[(size_t)i * width + k];
  for (int k = 0; k < width; k++) {
    const double e = norm_score_edge(k % NORM_SCORE_EDGES);
    c->higher[k]   = mapped(e, c->higher[k]) - e;
    if (k % NORM_SCORE_EDGES) c->higher[k] = fmax(c->higher[k], c->higher[k - 1] - MOST_FALL);
  }
}

/* ------------------------------------------------------------------------------------------------- in a file ---- */

static NormArray from_array(const Calibration *c)
{
  return (NormArray){"from",
                     "@_term @_moment",
                     "coefficients of the mean mu_k and then of l_k, ln of the spread, that the network's samples have "
                     "in the learned coordinates (term, 2 modes)",
                     c->from,
                     2,
                     {c->poly.terms, 2 * c->r}};
}

static NormArray to_array(const Calibration *c)
{
  return (NormArray){"to",
                     "@_term @_moment",
                     "the same that they are given: y_k becomes mu'_k + exp(l'_k - l_k) (y_k - mu_k)",
                     c->to,
                     2,
                     {c->poly.terms, 2 * c->r}};
}

static NormArray scores_array(const Calibration *c)
{
  return (NormArray){
      "scores",
      "@_term score_element score_edge",
      "coefficients of (F - Phi) / phi of the network's scores at edges, of every channel and place along "
      "x (term, channel x place, edge)",
      c->scores,
      3,
      {c->poly.terms, c->elements, NORM_SCORE_EDGES}};
}

static NormArray edges_array(double edge[])
{
  for (int k = 0; k < NORM_SCORE_EDGES; k++) edge[k] = norm_score_edge(k);
  return (NormArray){"score_edges", "score_edge", "edges of normal scores", edge, 1, {NORM_SCORE_EDGES}};
}

/* An array as it is called in a group, by whose name @ stands in its axes. */
typedef struct {
  char name[64], axes[96];
  NormArray array;
} Named;

static void name_array(const char *group, const NormArray *array, Named *named)
{
  size_t n = 0;
  snprintf(named->name, sizeof named->name, "/%s/%s", group, array->name);
  for (const char *from = array->axes; *from && n + 1 < sizeof named->axes; from++) {
    named->axes[n++] = *from;
    if (*from == '@') n += (size_t)snprintf(named->axes + n - 1, sizeof named->axes - n, "%s", group) - 1;
  }
  named->axes[n]    = 0;
  named->array      = *array;
  named->array.name = named->name;
  named->array.axes = named->axes;
}

static PetscErrorCode Put(ScoriaStore store, const char *group, const NormArray *array)
{
  Named named;
  PetscFunctionBeginUser;
  name_array(group, array, &named);
  PetscCall(ScoriaStorePutReals(store, named.name, array->rank, array->dims, array->data, "", array->help));
  PetscCall(ScoriaStorePutAxes(store, named.name, named.axes));
  PetscFunctionReturn(0);
}

PetscErrorCode CalibrationSave(const Calibration *c, ScoriaStore store, const char *group)
{
  static const char powers_help[] =
      "powers of the unit conditions, all of them, in each term: products of sqrt(2 n + 1) P_n(u), P_n Legendre; "
      "conditions outside their ranges count as at the end of these";
  const NormArray powers = {"powers", "@_term condition", "", NULL, 0, {0}};
  double edge[NORM_SCORE_EDGES];
  Named named;
  PetscFunctionBeginUser;
  if (!c->from) PetscFunctionReturn(0);
  const NormArray array[] = {from_array(c), to_array(c), scores_array(c), edges_array(edge)};
  name_array(group, &powers, &named);
  PetscCall(NormPolySave(store, named.name, &c->poly, named.axes, powers_help));
  for (int i = 0; i < (c->elements ? 4 : 2); i++) PetscCall(Put(store, group, &array[i]));
  PetscFunctionReturn(0);
}

static PetscErrorCode Get(ScoriaStore store, const char *group, const NormArray *array)
{
  int64_t n = 1;
  Named named;
  PetscFunctionBeginUser;
  name_array(group, array, &named);
  PetscCall(NormArrayLoad(store, &named.array));
  for (int k = 0; k < array->rank; k++) n *= array->dims[k];
  for (int64_t i = 0; i < n; i++)
    if (!isfinite(array->data[i]))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: number %lld of %s is not finite", (long long)i, named.name);
  PetscFunctionReturn(0);
}

static PetscErrorCode Has(ScoriaStore store, const char *group, const char *name, bool *has)
{
  char path[64];
  int64_t dims[NORM_STORE_RANK];
  int rank;
  PetscFunctionBeginUser;
  snprintf(path, sizeof path, "/%s/%s", group, name);
  PetscCall(ScoriaStoreShape(store, path, NORM_STORE_RANK, &rank, dims));
  *has = rank >= 0;
  PetscFunctionReturn(0);
}

/* The map of scores, where there is one. */
static PetscErrorCode GetScores(ScoriaStore store, const char *group, int elements, Calibration *c)
{
  double edge[NORM_SCORE_EDGES];
  const NormArray edges = edges_array(edge);
  bool has[2]           = {false};
  PetscFunctionBeginUser;
  PetscCall(Has(store, group, "scores", &has[0]));
  PetscCall(Has(store, group, edges.name, &has[1]));
  if (!has[0] && !has[1]) PetscFunctionReturn(0);
  if (!elements) SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: /%s/scores, but its fields have no scores", group);
  PetscCall(CalibrationSetUpScores(elements, c));
  const NormArray scores = scores_array(c);
  PetscCall(Get(store, group, &scores));
  PetscCall(Get(store, group, &edges));
  for (int k = 0; k < NORM_SCORE_EDGES; k++)
    if (edge[k] != norm_score_edge(k))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: number %d of /%s/%s is %g, expected %g", k, group, edges.name,
                  edge[k], norm_score_edge(k));
  PetscFunctionReturn(0);
}

PetscErrorCode CalibrationLoad(ScoriaStore store, const char *group, int d, int r, int elements, Calibration *c)
{
  static const char *const parts[] = {"powers", "from", "to", "scores", "score_edges"};
  char powers[64];
  bool any = false;
  PetscFunctionBeginUser;
  *c = (Calibration){.d = d};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    bool has = false;
    PetscCall(Has(store, group, parts[i], &has));
    any = any || has;
  }
  if (!any) PetscFunctionReturn(0); /* of what is missing of one that is there it is said */
  snprintf(powers, sizeof powers, "/%s/powers", group);
  PetscCall(NormPolyLoad(store, powers, d, &c->poly));
  if (c->poly.terms > MOST_TERMS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: %s has %d terms, more than %d", powers, c->poly.terms, MOST_TERMS);
  PetscCall(CalibrationSetUp(d, r, c));
  const NormArray from = from_array(c), to = to_array(c);
  PetscCall(Get(store, group, &from));
  PetscCall(Get(store, group, &to));
  PetscCall(GetScores(store, group, elements, c));
  PetscFunctionReturn(0);
}

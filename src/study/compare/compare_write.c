/* compare.json (measures, floors, cost) and compare.h5 (the curves behind the figures). */
#include "compare.h"
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static bool is_measured(const ComparisonSet *set, ScoriaFrom from)
{
  return !(set->files && from == SCORIA_FROM_GAUSSIAN);
}

static cJSON *add_source(cJSON *to, const ComparisonSet *set, ScoriaFrom from)
{
  const bool sample = set->files && from == SCORIA_FROM_MODEL;
  return cJSON_AddObjectToObject(to, sample ? "sample" : scoria_from[from].member);
}

/* The distances of a source at every condition; free with PetscFree. */
static PetscErrorCode Distances(const ComparisonSet *set, int source, ScoriaDistance **d)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(set->conditions, d));
  for (int k = 0; k < set->conditions; k++) (*d)[k] = set->c[k].distance[source];
  PetscFunctionReturn(0);
}

PetscErrorCode ComparePool(const ComparisonSet *set, int source, ScoriaDistance *pooled)
{
  ScoriaDistance *d;
  PetscFunctionBeginUser;
  PetscCall(Distances(set, source, &d));
  measures_pool(set->conditions, d, pooled);
  PetscCall(PetscFree(d));
  PetscFunctionReturn(0);
}

static void add_measures(cJSON *to, const ScoriaDistance *d)
{
  for (const ScoriaMeasure *m = scoria_measures; m->name; m++)
    cJSON_AddNumberToObject(to, m->name, measure_value(m, d));
}

/* Of each measure the value at the condition where it is worst. */
static PetscErrorCode AddWorst(cJSON *to, const ComparisonSet *set, int source)
{
  ScoriaDistance *d;
  PetscFunctionBeginUser;
  PetscCall(Distances(set, source, &d));
  for (const ScoriaMeasure *m = scoria_measures; m->name; m++)
    cJSON_AddNumberToObject(to, m->name, measure_worst(m, set->conditions, d));
  PetscCall(PetscFree(d));
  PetscFunctionReturn(0);
}

/* Share of conditions at which the energy test rejects "the same law" at 5 %: .05 is what the same law gives. */
static double energy_rejected(const ComparisonSet *set, int source)
{
  int rejected = 0;
  for (int k = 0; k < set->conditions; k++) rejected += set->c[k].distance[source].energy_p <= 0.05;
  return (double)rejected / set->conditions;
}

static void add_conditions(cJSON *root, const ComparisonSet *set)
{
  cJSON *list = cJSON_AddArrayToObject(root, "conditions");
  for (int k = 0; k < set->conditions; k++) {
    const Comparison *c = &set->c[k];
    cJSON *one          = cJSON_CreateObject();
    cJSON_AddItemToArray(list, one);
    for (int i = 0; i < set->space->n; i++) cJSON_AddNumberToObject(one, set->space->c[i].name, c->theta[i]);
    if (set->files)
      cJSON_AddNumberToObject(one, "rows", (double)c->good[SCORIA_FROM_MODEL]);
    else
      cJSON_AddNumberToObject(one, "failed_pde",
                              (double)(2 * set->count - c->good[SCORIA_FROM_PDE] - c->good[SCORIA_FROM_PDE_AGAIN]));
    for (int t = 0; t < SCORIA_NMEASURED; t++)
      if (is_measured(set, scoria_measured[t]))
        add_measures(add_source(one, set, scoria_measured[t]), &c->distance[scoria_measured[t]]);
  }
}

static void add_cost(cJSON *root, const ComparisonSet *set)
{
  cJSON *cost = cJSON_AddObjectToObject(root, "cost");
  cJSON_AddNumberToObject(cost, "seconds_pde", set->seconds[SCORIA_FROM_PDE]);
  cJSON_AddNumberToObject(cost, "seconds_model", set->seconds[SCORIA_FROM_MODEL]);
  cJSON_AddNumberToObject(cost, "seconds_gaussian", set->seconds[SCORIA_FROM_GAUSSIAN]);
  cJSON_AddNumberToObject(cost, "samples", (double)set->count);
  cJSON_AddStringToObject(cost, "sampler", set->sampler);
  cJSON_AddNumberToObject(cost, "network_evaluations", set->evaluations);
}

PetscErrorCode CompareWriteJson(const ComparisonSet *set, MPI_Comm comm, const char *path)
{
  PetscFunctionBeginUser;
  ScoriaDistance model, floor_;
  cJSON *root = cJSON_CreateObject(), *pooled, *worst, *one;
  PetscCall(ComparePool(set, SCORIA_FROM_MODEL, &model));
  PetscCall(ComparePool(set, SCORIA_FROM_PDE_AGAIN, &floor_));
  add_measures(root, &model);
  cJSON_AddNumberToObject(root, "sliced_w_floor", floor_.sliced_w);
  cJSON_AddNumberToObject(root, "sliced_w_ratio", model.sliced_w / floor_.sliced_w);
  pooled = cJSON_AddObjectToObject(root, "pooled");
  worst  = cJSON_AddObjectToObject(root, "worst");
  for (int t = 0; t < SCORIA_NMEASURED; t++) {
    ScoriaDistance d;
    if (!is_measured(set, scoria_measured[t])) continue;
    PetscCall(ComparePool(set, scoria_measured[t], &d));
    one = add_source(pooled, set, scoria_measured[t]);
    add_measures(one, &d);
    cJSON_AddNumberToObject(one, "energy_rejected", energy_rejected(set, scoria_measured[t]));
    PetscCall(AddWorst(add_source(worst, set, scoria_measured[t]), set, scoria_measured[t]));
  }
  cJSON_AddNumberToObject(pooled, "sliced_w_ratio", model.sliced_w / floor_.sliced_w);
  if (!set->files) {
    add_cost(root, set);
    PetscCall(CompareAddWorth(root, set));
    compare_add_symmetries(root, set);
    compare_add_memorisation(root, set);
  }
  add_conditions(root, set);
  PetscCall(ScoriaWriteJson(comm, path, root));
  PetscFunctionReturn(0);
}

/* Name of the axis over conditions of a group: "condition", "sample_condition". */
static const char *condition_axis(const char *group)
{
  return *group ? "sample_condition" : "condition";
}

/* One array of one channel: of every condition k, `rows` profiles that begin at start[k], channels * cells apart. */
static PetscErrorCode PutProfiles(ScoriaStore store, const ComparisonSet *set, const char *group, const char *name,
                                  int channel, int rows, const double *const start[], const char *what)
{
  double *block;
  char axes[64];
  const int64_t K = set->conditions, L = set->cells, dims3[3] = {K, rows, L}, dims2[2] = {K, L};
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)(K * rows * L), &block));
  for (int64_t k = 0; k < K; k++)
    for (int64_t r = 0; r < rows; r++)
      memcpy(block + (k * rows + r) * L, start[k] + (r * set->channels + channel) * L, (size_t)L * sizeof(double));
  PetscCall(ScoriaStorePutReals(store, name, rows == 1 ? 2 : 3, rows == 1 ? dims2 : dims3, block,
                                set->field[channel].unit, what));
  snprintf(axes, sizeof axes, "%s%s x", condition_axis(group), rows == 1 ? "" : " example");
  PetscCall(ScoriaStorePutAxes(store, name, axes));
  PetscCall(PetscFree(block));
  PetscFunctionReturn(0);
}

/* Curves of all views and examples of one channel of one source. */
static PetscErrorCode PutChannel(ScoriaStore store, const ComparisonSet *set, const char *group, ScoriaFrom from,
                                 int channel)
{
  const int m       = set->channels * set->cells;
  const char *field = set->field[channel].name;
  const double **start;
  char name[128], what[64];
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(set->conditions, &start));
  for (int v = 0; v < SCORIA_NVIEWS; v++)
    for (int q = 0; q < SCORIA_NCURVES; q++) {
      for (int k = 0; k < set->conditions; k++) start[k] = set->c[k].curve[v][from] + q * m;
      compare_curve_path(group, v, from, field, q, sizeof name, name);
      snprintf(what, sizeof what, "%s%s", scoria_curves[q].name, scoria_views[v].what);
      PetscCall(PutProfiles(store, set, group, name, channel, 1, start, what));
    }
  for (int k = 0; k < set->conditions; k++) start[k] = set->c[k].example[from];
  compare_examples_path(group, from, field, sizeof name, name);
  PetscCall(PutProfiles(store, set, group, name, channel, COMPARE_EXAMPLES, start, "examples"));
  PetscCall(PetscFree(start));
  PetscFunctionReturn(0);
}

/* theta of the conditions, and how many fields of each source are behind their curves. */
static PetscErrorCode PutConditions(ScoriaStore store, const ComparisonSet *set, const char *group, const char *what)
{
  const int64_t K = set->conditions, n = set->space->n, dims[2] = {K, n}, good_dims[2] = {K, SCORIA_NFROM};
  double *theta, *good;
  char name[32], axes[64], what_good[128];
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(K * n, &theta, K * SCORIA_NFROM, &good));
  for (int64_t k = 0; k < K; k++) {
    for (int64_t i = 0; i < n; i++) theta[k * n + i] = set->c[k].theta[i];
    for (int f = 0; f < SCORIA_NFROM; f++) good[k * SCORIA_NFROM + f] = (double)set->c[k].good[f];
  }
  compare_theta_path(group, sizeof name, name);
  PetscCall(ScoriaStorePutReals(store, name, 2, dims, theta, "", what));
  snprintf(axes, sizeof axes, "%s column", condition_axis(group));
  PetscCall(ScoriaStorePutAxes(store, name, axes));
  compare_good_path(group, sizeof name, name);
  int length = snprintf(what_good, sizeof what_good, "fields without failure, of ");
  for (int f = 0; f < SCORIA_NFROM; f++)
    length +=
        snprintf(what_good + length, sizeof what_good - (size_t)length, "%s%s", f ? ", " : "", scoria_from[f].group);
  PetscCall(ScoriaStorePutReals(store, name, 2, good_dims, good, "", what_good));
  snprintf(axes, sizeof axes, "%s source", condition_axis(group));
  PetscCall(ScoriaStorePutAxes(store, name, axes));
  PetscCall(PetscFree2(theta, good));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutSet(ScoriaStore store, const ComparisonSet *set, const char *group, const char *what)
{
  PetscFunctionBeginUser;
  if (!set->conditions) PetscFunctionReturn(0);
  PetscCall(PutConditions(store, set, group, what));
  for (int from = 0; from < SCORIA_NFROM; from++)
    for (int c = 0; c < set->channels; c++) PetscCall(PutChannel(store, set, group, from, c));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareWriteStore(const ComparisonSet *set, const ComparisonSet *sample, MPI_Comm comm, const char *path,
                                 const char *deck)
{
  const int64_t cells = set->cells;
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreCreate(comm, path, "compare", deck, &store));
  PetscCall(ScoriaStorePutSpace(store, set->space));
  PetscCall(ScoriaStorePutFields(store, set->channels, set->field));
  PetscCall(ScoriaStorePutReals(store, "/x", 1, &cells, set->x, "m", "cell centres"));
  PetscCall(PutSet(store, set, SCORIA_COMPARE_HELDOUT, "held-out conditions, columns as in /conditions"));
  PetscCall(PutSet(store, sample, SCORIA_COMPARE_SAMPLE, "sample condition of the deck, columns as in /conditions"));
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

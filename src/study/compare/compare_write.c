/* compare.json (measures, floors, cost) and compare.h5 (the curves behind the figures). */
#include "compare.h"
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The measures by their names in compare.json; `rms` ones pool as root mean squares. */
static const struct {
  const char *name;
  size_t offset;
  bool rms;
} measures[] = {
    {"mean_error", offsetof(ScoriaDistance, mean_error), true},
    {"sd_error", offsetof(ScoriaDistance, sd_error), true},
    {"sd_bias", offsetof(ScoriaDistance, sd_bias), false},
    {"band_error", offsetof(ScoriaDistance, band_error), true},
    {"coverage95", offsetof(ScoriaDistance, coverage95), false},
    {"w1", offsetof(ScoriaDistance, w1), false},
    {"ks", offsetof(ScoriaDistance, ks), false},
    {"roughness", offsetof(ScoriaDistance, roughness), false},
    {"sliced_w", offsetof(ScoriaDistance, sliced_w), false},
    {"covariance_error", offsetof(ScoriaDistance, covariance_error), true},
    {"energy_p", offsetof(ScoriaDistance, energy_p), false},
};
#define NMEASURES ((int)(sizeof measures / sizeof measures[0]))

static const struct {
  int source;
  const char *name;
} told[] = {{FROM_MODEL, "model"}, {FROM_GAUSSIAN, "gaussian"}, {FROM_PDE_AGAIN, "floor"}};
#define NTOLD ((int)(sizeof told / sizeof told[0]))

static bool is_told(const ComparisonSet *set, int t)
{
  return !(set->files && told[t].source == FROM_GAUSSIAN);
}

static double get_measure(const ScoriaDistance *d, int i)
{
  double value;
  memcpy(&value, (const char *)d + measures[i].offset, sizeof value);
  return value;
}

void compare_pool(const ComparisonSet *set, int source, ScoriaDistance *pooled)
{
  for (int i = 0; i < NMEASURES; i++) {
    double sum = 0;
    for (int k = 0; k < set->conditions; k++) {
      const double value = get_measure(&set->c[k].distance[source], i);
      sum += measures[i].rms ? value * value : value;
    }
    sum /= set->conditions;
    if (measures[i].rms) sum = sqrt(sum);
    memcpy((char *)pooled + measures[i].offset, &sum, sizeof sum);
  }
}

static void add_measures(cJSON *to, const ScoriaDistance *d)
{
  for (int i = 0; i < NMEASURES; i++) cJSON_AddNumberToObject(to, measures[i].name, get_measure(d, i));
}

/* What a measure is where two laws are the same; of the p value, which is then anything, the side away from it. */
static double ideal(int i)
{
  switch (measures[i].offset) {
  case offsetof(ScoriaDistance, coverage95):
    return 0.95;
  case offsetof(ScoriaDistance, roughness):
  case offsetof(ScoriaDistance, energy_p):
    return 1;
  default:
    return 0;
  }
}

/* Of each measure the value at the condition where it is farthest from its ideal. */
static void add_worst(cJSON *to, const ComparisonSet *set, int source)
{
  for (int i = 0; i < NMEASURES; i++) {
    double worst = get_measure(&set->c[0].distance[source], i);
    for (int k = 1; k < set->conditions; k++) {
      const double value = get_measure(&set->c[k].distance[source], i);
      if (fabs(value - ideal(i)) > fabs(worst - ideal(i))) worst = value;
    }
    cJSON_AddNumberToObject(to, measures[i].name, worst);
  }
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
      cJSON_AddNumberToObject(one, "rows", (double)c->good[FROM_MODEL]);
    else
      cJSON_AddNumberToObject(one, "failed_pde",
                              (double)(2 * set->count - c->good[FROM_PDE] - c->good[FROM_PDE_AGAIN]));
    for (int t = 0; t < NTOLD; t++)
      if (is_told(set, t))
        add_measures(cJSON_AddObjectToObject(one, set->files && told[t].source == FROM_MODEL ? "sample" : told[t].name),
                     &c->distance[told[t].source]);
  }
}

static void add_cost(cJSON *root, const ComparisonSet *set)
{
  cJSON *cost = cJSON_AddObjectToObject(root, "cost");
  cJSON_AddNumberToObject(cost, "seconds_pde", set->seconds[FROM_PDE]);
  cJSON_AddNumberToObject(cost, "seconds_model", set->seconds[FROM_MODEL]);
  cJSON_AddNumberToObject(cost, "seconds_gaussian", set->seconds[FROM_GAUSSIAN]);
  cJSON_AddNumberToObject(cost, "samples", (double)set->count);
  cJSON_AddStringToObject(cost, "sampler", set->sampler);
  cJSON_AddNumberToObject(cost, "network_evaluations", set->evaluations);
}

PetscErrorCode CompareWriteJson(const ComparisonSet *set, MPI_Comm comm, const char *path)
{
  PetscFunctionBeginUser;
  ScoriaDistance model, floor_;
  cJSON *root = cJSON_CreateObject(), *pooled, *worst, *one;
  compare_pool(set, FROM_MODEL, &model);
  compare_pool(set, FROM_PDE_AGAIN, &floor_);
  add_measures(root, &model);
  cJSON_AddNumberToObject(root, "sliced_w_floor", floor_.sliced_w);
  cJSON_AddNumberToObject(root, "sliced_w_ratio", model.sliced_w / floor_.sliced_w);
  pooled = cJSON_AddObjectToObject(root, "pooled");
  worst  = cJSON_AddObjectToObject(root, "worst");
  for (int t = 0; t < NTOLD; t++) {
    ScoriaDistance d;
    if (!is_told(set, t)) continue;
    compare_pool(set, told[t].source, &d);
    one = cJSON_AddObjectToObject(pooled, set->files && told[t].source == FROM_MODEL ? "sample" : told[t].name);
    add_measures(one, &d);
    cJSON_AddNumberToObject(one, "energy_rejected", energy_rejected(set, told[t].source));
    add_worst(cJSON_AddObjectToObject(worst, set->files && told[t].source == FROM_MODEL ? "sample" : told[t].name), set,
              told[t].source);
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

static const struct {
  int source;
  const char *name;
} written[] = {{FROM_PDE, "pde"}, {FROM_PDE_AGAIN, "pde_again"}, {FROM_MODEL, "model"}, {FROM_GAUSSIAN, "gaussian"}};
#define NWRITTEN ((int)(sizeof written / sizeof written[0]))

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

/* /pde/c/mean and the like; in the group /relative those of the fields minus their value in the first cell. */
static PetscErrorCode PutChannel(ScoriaStore store, const ComparisonSet *set, const char *group, int from, int channel)
{
  static const char *const curves[NCURVES]      = {"mean", "sd", "q025", "q500", "q975"},
                           *const views[NVIEWS] = {"", "/relative"},
                           *const of[NVIEWS]    = {"", " of the field minus its value in the first cell"};
  const int m = set->channels * set->cells, source = written[from].source;
  const double **start;
  char name[128], what[64];
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(set->conditions, &start));
  for (int v = 0; v < NVIEWS; v++)
    for (int q = 0; q < NCURVES; q++) {
      for (int k = 0; k < set->conditions; k++) start[k] = set->c[k].curve[v][source] + q * m;
      snprintf(name, sizeof name, "%s%s/%s/%s/%s", group, views[v], written[from].name, set->field[channel].name,
               curves[q]);
      snprintf(what, sizeof what, "%s%s", curves[q], of[v]);
      PetscCall(PutProfiles(store, set, group, name, channel, 1, start, what));
    }
  for (int k = 0; k < set->conditions; k++) start[k] = set->c[k].example[source];
  snprintf(name, sizeof name, "%s/%s/%s/examples", group, written[from].name, set->field[channel].name);
  PetscCall(PutProfiles(store, set, group, name, channel, COMPARE_EXAMPLES, start, "examples"));
  PetscCall(PetscFree(start));
  PetscFunctionReturn(0);
}

/* theta of the conditions, and how many fields of each source are behind their curves. */
static PetscErrorCode PutConditions(ScoriaStore store, const ComparisonSet *set, const char *group, const char *what)
{
  const int64_t K = set->conditions, n = set->space->n, dims[2] = {K, n}, good_dims[2] = {K, NWRITTEN};
  double *theta, *good;
  char name[32], axes[64];
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(K * n, &theta, K * NWRITTEN, &good));
  for (int64_t k = 0; k < K; k++) {
    for (int64_t i = 0; i < n; i++) theta[k * n + i] = set->c[k].theta[i];
    for (int f = 0; f < NWRITTEN; f++) good[k * NWRITTEN + f] = (double)set->c[k].good[written[f].source];
  }
  snprintf(name, sizeof name, "%s/theta", group);
  PetscCall(ScoriaStorePutReals(store, name, 2, dims, theta, "", what));
  snprintf(axes, sizeof axes, "%s column", condition_axis(group));
  PetscCall(ScoriaStorePutAxes(store, name, axes));
  snprintf(name, sizeof name, "%s/good", group);
  PetscCall(ScoriaStorePutReals(store, name, 2, good_dims, good, "",
                                "fields without failure, of pde, pde_again, model, gaussian"));
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
  for (int from = 0; from < NWRITTEN; from++)
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
  PetscCall(ScoriaStorePutMadeFrom(store, &set->made));
  PetscCall(ScoriaStorePutSpace(store, set->space));
  PetscCall(ScoriaStorePutFields(store, set->channels, set->field));
  PetscCall(ScoriaStorePutReals(store, "/x", 1, &cells, set->x, "m", "cell centres"));
  PetscCall(PutSet(store, set, "", "held-out conditions, columns as in /conditions"));
  PetscCall(PutSet(store, sample, "/sample", "sample condition of the deck, columns as in /conditions"));
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

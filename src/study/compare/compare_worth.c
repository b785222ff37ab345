/* What the model is worth: when its data and training are paid back, and how small its errors in quantities of interest
 * can get, beside Monte Carlo with the PDE on the same core. */
#include "compare.h"
#include <math.h>
#include <string.h>

/* A sampler that is faster by less than this is no way to save time: a solve has no bias, and data and training come on
 * top.  Both times are taken in the same minutes, so that their ratio means something on a busy machine too. */
#define LEAST_SPEEDUP 10.0

/* ---------------------------------------------------------------------------------------------- one condition ---- */

/* Values of quantity q in n fields. */
static void take_values(const ComparisonSet *set, const ScoriaQuantity *q, int64_t n, const double fields[],
                        double values[])
{
  const int m = set->channels * set->cells;
  for (int64_t i = 0; i < n; i++) quantities_take(1, q, set->cells, fields + i * m, &values[i]);
}

PetscErrorCode CompareFillEstimates(const ComparisonSet *set, double *const fields[SCORIA_NFROM], Comparison *c)
{
  const int64_t first = c->good[SCORIA_FROM_PDE], both = first + c->good[SCORIA_FROM_PDE_AGAIN],
                model = c->good[SCORIA_FROM_MODEL];
  double *values;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(PetscMax(both, model), &values));
  for (int i = 0; i < set->nquantities; i++) {
    ScoriaQuantity q = set->quantity[i];
    if (set->offset[i] >= 0) q.offset = c->theta[set->offset[i]];
    take_values(set, &q, first, fields[SCORIA_FROM_PDE], values);
    take_values(set, &q, both - first, fields[SCORIA_FROM_PDE_AGAIN], values + first);
    if (both >= 2) PetscCall(ScoriaEstimatesTake(both, values, &c->reference[i]));
    take_values(set, &q, model, fields[SCORIA_FROM_MODEL], values);
    if (model >= 2) PetscCall(ScoriaEstimatesTake(model, values, &c->sample[i]));
  }
  PetscCall(PetscFree(values));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- verdict ---- */

static double invested(const ComparisonSet *set)
{
  return set->seconds_data + set->seconds_training;
}

/* Draws after which data and training are paid back; infinite where a sample costs as much as a solve; NaN where it is
 * not known what they cost. */
static double break_even(const ComparisonSet *set)
{
  const double saved = set->seconds[SCORIA_FROM_PDE] - set->seconds[SCORIA_FROM_MODEL];
  return saved > 0 ? invested(set) / saved : INFINITY;
}

static const char *winner(const ComparisonSet *set)
{
  return set->seconds[SCORIA_FROM_PDE] < LEAST_SPEEDUP * set->seconds[SCORIA_FROM_MODEL] ? "pde" : "model";
}

/* Pools one estimate of one quantity; false where the quantity does not vary. */
static bool pool(const ComparisonSet *set, int quantity, int estimate, ScoriaEstimates work[], ScoriaBias *bias)
{
  ScoriaEstimates *reference = work + set->conditions;
  for (int k = 0; k < set->conditions; k++) {
    work[k]      = set->c[k].sample[quantity];
    reference[k] = set->c[k].reference[quantity];
  }
  return bias_pool(set->conditions, work, reference, estimate, bias);
}

/* --------------------------------------------------------------------------------------------------- files ---- */

/* JSON has no infinity: null. */
static void add_number(cJSON *to, const char *name, double value)
{
  cJSON_AddItemToObject(to, name, isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

static void add_estimate(cJSON *list, const ComparisonSet *set, int estimate, const ScoriaBias *bias)
{
  cJSON *one = cJSON_CreateObject();
  cJSON_AddItemToArray(list, one);
  cJSON_AddStringToObject(one, "name", scoria_estimate_names[estimate]);
  add_number(one, "error_of_one", bias->se1);
  add_number(one, "bias", bias->bias);
  add_number(one, "bias_floor", bias->floor);
  add_number(one, "bias_upper", bias->upper);
  add_number(
      one, "break_even_conditions",
      conditions_to_break_even(bias, set->seconds[SCORIA_FROM_PDE], set->seconds[SCORIA_FROM_MODEL], invested(set)));
}

static void add_quantity(cJSON *list, const ComparisonSet *set, int quantity, ScoriaEstimates work[])
{
  const ScoriaQuantity *q = &set->quantity[quantity];
  cJSON *one, *estimates;
  ScoriaBias bias;
  if (!pool(set, quantity, SCORIA_ESTIMATE_MEAN, work, &bias)) return;
  one = cJSON_CreateObject();
  cJSON_AddItemToArray(list, one);
  cJSON_AddStringToObject(one, "name", q->name);
  cJSON_AddStringToObject(one, "unit", q->unit);
  cJSON_AddStringToObject(one, "description", q->description);
  add_number(one, "sd", bias.sd);
  estimates = cJSON_AddArrayToObject(one, "estimates");
  for (int e = 0; e < SCORIA_NESTIMATES; e++)
    if (pool(set, quantity, e, work, &bias)) add_estimate(estimates, set, e, &bias);
}

PetscErrorCode CompareAddWorth(cJSON *root, const ComparisonSet *set)
{
  cJSON *worth = cJSON_AddObjectToObject(root, "worth"), *list;
  ScoriaEstimates *work;
  PetscFunctionBeginUser;
  add_number(worth, "seconds_pde", set->seconds[SCORIA_FROM_PDE]);
  add_number(worth, "seconds_model", set->seconds[SCORIA_FROM_MODEL]);
  add_number(worth, "seconds_data", set->seconds_data);
  add_number(worth, "seconds_training", set->seconds_training);
  cJSON_AddNumberToObject(worth, "training_rows", (double)set->training_rows);
  add_number(worth, "break_even_samples", break_even(set));
  cJSON_AddStringToObject(worth, "winner", winner(set));
  list = cJSON_AddArrayToObject(worth, "quantities");
  PetscCall(PetscMalloc1(2 * set->conditions, &work));
  for (int i = 0; i < set->nquantities; i++) add_quantity(list, set, i, work);
  PetscCall(PetscFree(work));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareSayWorth(ScoriaRun run, const ComparisonSet *set)
{
  const double draws = break_even(set);
  PetscFunctionBeginUser;
  if (isnan(draws))
    PetscCall(ScoriaSay(run, "  what data and training cost is not recorded in this run directory"));
  else if (isinf(draws))
    PetscCall(ScoriaSay(run, "  data and training are never paid back: a sample costs as much as a solve"));
  else
    PetscCall(ScoriaSay(run, "  data (%.3g s) and training (%.3g s on one core) are paid back after %.2g samples",
                        set->seconds_data, set->seconds_training, draws));
  PetscCall(ScoriaSay(run, "  for many samples: %s",
                      strcmp(winner(set), "pde") ? "the model"
                                                 : "the PDE, which is nearly as fast or faster, and has no bias"));
  PetscFunctionReturn(0);
}

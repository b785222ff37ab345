/* What the model is worth: when its data and training are paid back, and how small its errors in quantities of interest
 * can get, beside Monte Carlo with the PDE on the same core. */
#include "compare.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A sampler that is faster by less than this is no way to save time: a solve has no bias, and data and training come on
 * top.  Both times are taken in the same minutes, so that their ratio means something on a busy machine too. */
#define LEAST_SPEEDUP 10.0

/* ---------------------------------------------------------------------------------------------- one condition ---- */

/* Values of quantity q in n fields. */
static void take_values(const ScoriaFieldShape *shape, const ScoriaQuantity *q, int64_t n, const double fields[],
                        double values[])
{
  const int m = shape->channels * shape->cells;
  for (int64_t i = 0; i < n; i++) quantities_take(1, q, shape->cells, fields + i * m, &values[i]);
}

PetscErrorCode CompareFillEstimates(const CompareQuantities *quantities, const ScoriaFieldShape *shape,
                                    double *const fields[SCORIA_NFROM], Comparison *c)
{
  const int64_t *n = c->good;
  double *values[SCORIA_NFROM];
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(n[SCORIA_FROM_PDE] + n[SCORIA_FROM_PDE_AGAIN], &values[SCORIA_FROM_PDE], n[SCORIA_FROM_MODEL],
                         &values[SCORIA_FROM_MODEL], n[SCORIA_FROM_GAUSSIAN], &values[SCORIA_FROM_GAUSSIAN]));
  values[SCORIA_FROM_PDE_AGAIN] = values[SCORIA_FROM_PDE] + n[SCORIA_FROM_PDE];
  for (int i = 0; i < quantities->tails - quantities->own; i++) {
    ScoriaQuantity q = quantities->quantity[i];
    if (quantities->offset[i] >= 0) q.offset = c->theta[quantities->offset[i]];
    for (int s = 0; s < SCORIA_NFROM; s++) take_values(shape, &q, n[s], fields[s], values[s]);
    PetscCall(CompareFillNumber(i, n, values, c));
  }
  PetscCall(PetscFree3(values[SCORIA_FROM_PDE], values[SCORIA_FROM_MODEL], values[SCORIA_FROM_GAUSSIAN]));
  PetscCall(CompareFillOwn(quantities, fields, c));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- verdict ---- */

static double invested(const CompareCost *cost)
{
  return cost->seconds_data + cost->seconds_training;
}

/* Draws after which data and training are paid back; infinite where a sample costs as much as a solve; NaN where it is
 * not known what they cost. */
static double break_even(const CompareCost *cost)
{
  const double saved = cost->seconds[SCORIA_FROM_PDE] - cost->seconds[SCORIA_FROM_MODEL];
  return saved > 0 ? invested(cost) / saved : INFINITY;
}

static const char *winner(const CompareCost *cost)
{
  return cost->seconds[SCORIA_FROM_PDE] < LEAST_SPEEDUP * cost->seconds[SCORIA_FROM_MODEL] ? SCORIA_SOURCE_PDE
                                                                                           : SCORIA_SOURCE_MODEL;
}

/* --------------------------------------------------------------------------------------------------- files ---- */

static const ScoriaBias *columns_bias(const CompareCost *cost, int quantity, int estimate)
{
  static const ScoriaBias none = {.bias = NAN, .floor = NAN, .upper = NAN};
  return isfinite(cost->levels.columns) ? &cost->levels.columns_bias[quantity][estimate] : &none;
}

static void add_estimate(cJSON *list, const CompareCost *cost, int quantity, int estimate)
{
  const ScoriaBias *bias     = &cost->biases.of[quantity][estimate].model,
                   *gaussian = &cost->biases.of[quantity][estimate].gaussian;
  const double pde = cost->seconds[SCORIA_FROM_PDE], model = cost->seconds[SCORIA_FROM_MODEL];
  const ScoriaWorthEstimate found = {.name                = scoria_estimate_names[estimate],
                                     .error_of_one        = bias->se1,
                                     .bias                = bias->bias,
                                     .bias_floor          = bias->floor,
                                     .bias_upper          = bias->upper,
                                     .gaussian_bias_floor = gaussian->floor,
                                     .gaussian_bias_upper = gaussian->upper,
                                     .columns_bias_floor  = columns_bias(cost, quantity, estimate)->floor,
                                     .columns_bias_upper  = columns_bias(cost, quantity, estimate)->upper,
                                     .multilevel_gain     = cost->levels.gain[quantity][estimate],
                                     .break_even_conditions =
                                         conditions_to_break_even(bias, pde, model, invested(cost))};
  cJSON *one                      = cJSON_CreateObject();
  members_add(one, scoria_worth_estimate_members, &found);
  cJSON_AddItemToArray(list, one);
}

static void add_quantity(cJSON *list, const ScoriaQuantity *q, int quantity, const CompareCost *cost)
{
  const CompareBias *bias = cost->biases.of[quantity];
  cJSON *one, *estimates;
  if (!bias[SCORIA_ESTIMATE_MEAN].varies) return;
  one = cJSON_CreateObject();
  cJSON_AddItemToArray(list, one);
  members_add(one, scoria_worth_quantity_members,
              &(ScoriaWorthQuantity){q->name, q->unit, q->description, bias[SCORIA_ESTIMATE_MEAN].model.sd});
  estimates = cJSON_AddArrayToObject(one, COMPARE_ESTIMATES);
  for (int e = 0; e < SCORIA_NESTIMATES; e++)
    if (bias[e].varies) add_estimate(estimates, cost, quantity, e);
}

/* -------------------------------------------------------------------------------------------------- advice ---- */

enum { WAY_PDE, WAY_MULTILEVEL, WAY_COLUMNS, WAY_GAUSSIAN, WAY_MODEL, NWAYS };
static const char *const way_names[NWAYS] = {"plain Monte Carlo", "multilevel", "independent columns", "the Gaussian",
                                             "the model"};

typedef struct {
  ScoriaWay way[NWAYS];  /* of the hardest estimate that was looked at */
  double seconds[NWAYS]; /* at each condition, of all estimates together: the largest; infinite: it gets there never */
  double bias[NWAYS];
  char bias_of[NWAYS][SCORIA_NAME_SIZE + 32];
  char sentence[320];
} Advice;

static void take_ways(const CompareCost *cost, int quantity, int estimate, ScoriaWay way[NWAYS])
{
  const ScoriaBias *bias     = &cost->biases.of[quantity][estimate].model,
                   *gaussian = &cost->biases.of[quantity][estimate].gaussian;
  const double variance = bias->se1 * bias->se1, pde = cost->seconds[SCORIA_FROM_PDE] * variance;
  way[WAY_PDE]        = (ScoriaWay){.variance_seconds = pde};
  way[WAY_MULTILEVEL] = (ScoriaWay){.each             = cost->levels.pilot * cost->seconds[SCORIA_FROM_PDE],
                                    .variance_seconds = pde / cost->levels.gain[quantity][estimate]};
  way[WAY_COLUMNS]    = (ScoriaWay){.variance_seconds = pde * cost->levels.columns,
                                    .bias             = columns_bias(cost, quantity, estimate)->upper};
  way[WAY_GAUSSIAN]   = (ScoriaWay){.once             = cost->seconds_data,
                                    .variance_seconds = cost->seconds[SCORIA_FROM_GAUSSIAN] * variance,
                                    .bias             = gaussian->upper};
  way[WAY_MODEL]      = (ScoriaWay){
           .once = invested(cost), .variance_seconds = cost->seconds[SCORIA_FROM_MODEL] * variance, .bias = bias->upper};
}

static void add_ways(const ScoriaWay way[NWAYS], const char *quantity, int estimate, double tolerance, Advice *a)
{
  for (int w = 0; w < NWAYS; w++) {
    a->way[w]     = way[w];
    a->seconds[w] = PetscMax(a->seconds[w], way_seconds(&way[w], tolerance));
    if (!(way[w].bias > a->bias[w])) continue;
    a->bias[w] = way[w].bias;
    snprintf(a->bias_of[w], sizeof a->bias_of[w], "%s of %s", scoria_estimate_titles[estimate], quantity);
  }
}

/* The cheapest for one condition, and for so many that what is spent once does not count. */
static void find_best(const Advice *a, int *one, int *many)
{
  *one = *many = WAY_PDE;
  for (int w = 0; w < NWAYS; w++) {
    if (a->way[w].once + a->seconds[w] < a->way[*one].once + a->seconds[*one]) *one = w;
    if (a->seconds[w] < a->seconds[*many]) *many = w;
  }
}

/* 2800, not 2.8e+03. */
static double two_digits(double number)
{
  const double unit = number >= 99.5 && isfinite(number) ? pow(10, floor(log10(number)) - 1) : 0;
  return unit > 0 ? round(number / unit) * unit : number;
}

/* So many seconds, or conditions, as a person writes them. */
static const char *short_number(double number, size_t size, char text[])
{
  snprintf(text, size, number >= 99.5 && number < 1e9 ? "%.0f" : "%.2g", two_digits(number));
  return text;
}

static void write_sentence(const CompareCost *cost, Advice *a)
{
  const size_t size = sizeof a->sentence;
  char time[32], number[32];
  int one, many;
  find_best(a, &one, &many);
  size_t used = (size_t)snprintf(a->sentence, size, "for errors of %g SD use %s: %s s on one core at each condition",
                                 cost->tolerance, way_names[one], short_number(a->seconds[one], sizeof time, time));
  const double from = way_conditions(&a->way[one], a->seconds[one], &a->way[many], a->seconds[many]);
  if (many != one && isfinite(from))
    used += (size_t)snprintf(a->sentence + used, size - used, "; from %s conditions on %s: %s s",
                             short_number(from, sizeof number, number), way_names[many],
                             short_number(a->seconds[many], sizeof time, time));
  else if (many != one)
    used += (size_t)snprintf(a->sentence + used, size - used, "; where it is there already %s: %s s", way_names[many],
                             short_number(a->seconds[many], sizeof time, time));
  if (a->bias[WAY_MODEL] >= cost->tolerance)
    snprintf(a->sentence + used, size - used, "; the model's bias may be %.2g SD (%s)", a->bias[WAY_MODEL],
             a->bias_of[WAY_MODEL]);
}

static void advise(const CompareQuantities *quantities, const CompareCost *cost, Advice *a)
{
  ScoriaWay way[NWAYS];
  *a = (Advice){.sentence = ""};
  for (int i = 0; i < quantities->n; i++)
    for (int e = 0; e < SCORIA_NESTIMATES && !quantities->place[i]; e++) {
      if (!cost->biases.of[i][e].varies) continue;
      take_ways(cost, i, e, way);
      add_ways(way, quantities->quantity[i].name, e, cost->tolerance, a);
    }
  write_sentence(cost, a);
}

static void add_advice(cJSON *worth, const CompareCost *cost, const Advice *a)
{
  cJSON *list = cJSON_AddArrayToObject(worth, COMPARE_WAYS);
  for (int w = 0; w < NWAYS; w++) {
    if (w == WAY_COLUMNS && isnan(cost->levels.columns)) continue; /* the problem, or its grid, has none */
    const ScoriaWorthWay way = {.name         = way_names[w],
                                .seconds_once = a->way[w].once,
                                .seconds_each = a->seconds[w],
                                .bias         = a->bias[w],
                                .bias_of      = *a->bias_of[w] ? a->bias_of[w] : NULL};
    cJSON *one               = cJSON_CreateObject();
    members_add(one, scoria_worth_way_members, &way);
    cJSON_AddItemToArray(list, one);
  }
}

void compare_add_worth(cJSON *root, const CompareQuantities *quantities, const CompareCost *cost)
{
  Advice advice;
  advise(quantities, cost, &advice);
  const ScoriaWorth found = {.seconds_pde        = cost->seconds[SCORIA_FROM_PDE],
                             .seconds_model      = cost->seconds[SCORIA_FROM_MODEL],
                             .seconds_gaussian   = cost->seconds[SCORIA_FROM_GAUSSIAN],
                             .seconds_data       = cost->seconds_data,
                             .seconds_training   = cost->seconds_training,
                             .training_rows      = cost->training_rows,
                             .break_even_samples = break_even(cost),
                             .winner             = winner(cost),
                             .seconds_pilot      = cost->levels.pilot * cost->seconds[SCORIA_FROM_PDE],
                             .seconds_columns    = cost->levels.columns * cost->seconds[SCORIA_FROM_PDE],
                             .tolerance          = cost->tolerance,
                             .sentence           = advice.sentence};
  cJSON *worth            = cJSON_AddObjectToObject(root, COMPARE_WORTH), *list;
  members_add(worth, scoria_worth_members, &found);
  add_advice(worth, cost, &advice);
  list = cJSON_AddArrayToObject(worth, COMPARE_QUANTITIES);
  for (int i = 0; i < quantities->n; i++)
    if (!quantities->place[i]) add_quantity(list, &quantities->quantity[i], i, cost);
}

PetscErrorCode ComparePutWorth(ScoriaStore store, const CompareCost *cost)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaStorePutReal(store, COMPARE_WORTH_PDE, cost->seconds[SCORIA_FROM_PDE]));
  PetscCall(ScoriaStorePutReal(store, COMPARE_WORTH_MODEL, cost->seconds[SCORIA_FROM_MODEL]));
  PetscCall(ScoriaStorePutReal(store, COMPARE_WORTH_GAUSSIAN, cost->seconds[SCORIA_FROM_GAUSSIAN]));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareSayWorth(ScoriaRun run, const CompareQuantities *quantities, const CompareCost *cost)
{
  const double draws = break_even(cost);
  Advice advice;
  PetscFunctionBeginUser;
  if (isnan(draws))
    PetscCall(ScoriaSay(run, "  what data and training cost is not recorded in this run directory"));
  else if (isinf(draws))
    PetscCall(ScoriaSay(run, "  data and training are never paid back: a sample costs as much as a solve"));
  else
    PetscCall(ScoriaSay(run, "  data (%.3g s) and training (%.3g s on one core) are paid back after %.2g samples",
                        cost->seconds_data, cost->seconds_training, draws));
  PetscCall(ScoriaSay(run, "  for many samples: %s",
                      strcmp(winner(cost), SCORIA_SOURCE_PDE)
                          ? "the model, as far as its bias allows"
                          : "the PDE, which is nearly as fast or faster, and has no bias"));
  advise(quantities, cost, &advice);
  PetscCall(ScoriaSay(run, "  %s", advice.sentence));
  PetscFunctionReturn(0);
}

/* uq.json: the quantities, and their indices. */
#include "scoria/levels.h"
#include "uq.h"
#include <math.h>

/* A new object at the end of a list, with the members of `from`. */
static cJSON *add_entry(cJSON *list, const ScoriaMember members[], const void *from)
{
  cJSON *one = cJSON_CreateObject();
  cJSON_AddItemToArray(list, one);
  members_add(one, members, from);
  return one;
}

static void add_histogram(cJSON *to, const double from[])
{
  const ScoriaUqHistogram range = {.lo = from[0], .hi = from[1]};
  cJSON *histogram              = cJSON_AddObjectToObject(to, UQ_HISTOGRAM);
  members_add(histogram, scoria_uq_histogram_members, &range);
  cJSON_AddItemToObject(histogram, UQ_SHARES, cJSON_CreateDoubleArray(from + 2, UQ_BINS));
}

static void add_quantity(cJSON *to, const UqQuestion *q, const UqResult *r, const double at[], int k, int i)
{
  const UqAnswer *a    = &r->a;
  const size_t columns = (size_t)a->columns, j = (size_t)(q->m + i);
  const ScoriaUqQuantity what = {.unit = q->quantity[i].unit, .description = q->quantity[i].description};
  cJSON *one                  = cJSON_AddObjectToObject(to, q->quantity[i].name), *list;
  double moments[SCORIA_UQ_NMOMENTS]; /* a ScoriaUqMoments */
  for (int row = 0; row < SCORIA_UQ_NMOMENTS; row++) moments[row] = at[a->moments + (size_t)row * columns + j];
  members_add(one, scoria_uq_quantity_members, &what);
  members_add(one, scoria_uq_moment_members, moments);
  list = cJSON_AddArrayToObject(one, UQ_QUANTILES);
  for (int p = 0; p < q->nprobabilities; p++) {
    const double *value = at + a->quantiles + (size_t)p * 2 * columns + j;
    add_entry(list, scoria_uq_quantile_members, &(ScoriaUqQuantile){q->probability[p], value[0], value[columns]});
  }
  const bool compared = uq_compared_at(q, k);
  if (r->tails) {
    const UqTail *tail            = r->tails->quantity[i];
    const ScoriaUqChecked checked = {compared ? tail[SCORIA_TAIL_LOW].checked : NAN,
                                     compared ? tail[SCORIA_TAIL_HIGH].checked : NAN};
    members_add(cJSON_AddObjectToObject(one, UQ_CHECKED), scoria_uq_checked_members, &checked);
  }
  if (r->biases)
    members_add(cJSON_AddObjectToObject(one, UQ_BIAS), scoria_uq_bias_members,
                compared ? &r->biases->of[i] : &uq_no_bias);
  if (r->check)
    members_add(cJSON_AddObjectToObject(one, UQ_CHECK), scoria_uq_check_members, &r->check[k * q->nquantities + i]);
  add_histogram(one, at + a->histograms + (size_t)i * (2 + UQ_BINS));
}

/* Of the tail that the event lies in. */
static void add_checked(cJSON *event, const UqQuestion *q, const UqTails *tails, int k, int t, double probability)
{
  int side;
  if (!tails) return;
  uq_event_tail(q, t, probability, &side);
  const double checked = uq_compared_at(q, k) ? tails->event[t][side].checked : NAN;
  cJSON_AddItemToObject(event, UQ_CHECKED, isnan(checked) ? cJSON_CreateNull() : cJSON_CreateNumber(checked));
}

static void add_warnings(cJSON *root, const UqQuestion *q, const UqResult *r)
{
  cJSON *list = r->tails ? cJSON_AddArrayToObject(root, UQ_WARNINGS) : NULL;
  char line[512];
  if (!r->levels.at && uq_few_warning(q, &r->a, sizeof line, line)) cJSON_AddStringToObject(root, UQ_FEW, line);
  for (int i = 0; uq_tail_warning(q, &r->a, r->tails, i, sizeof line, line); i++)
    if (*line) cJSON_AddItemToArray(list, cJSON_CreateString(line));
}

static void add_thresholds(cJSON *to, const UqQuestion *q, const UqResult *r, const double at[], int k)
{
  cJSON *list = cJSON_AddArrayToObject(to, UQ_EXCEED);
  for (int t = 0; t < q->nthresholds; t++) {
    const ScoriaThreshold *limit = &q->threshold[t];
    const int n = uq_shares(q, t), c = limit->number + (q->event[t].of == SUMMARY_ALL);
    const double *share          = at + uq_shares_at(q, &r->a, t);
    const bool of_field          = limit->first < q->m;
    const ScoriaUqExceedance one = {
        .event       = q->event[t].text,
        .field       = of_field ? q->field[limit->first / q->cells].name : q->quantity[limit->first - q->m].name,
        .unit        = of_field ? q->field[limit->first / q->cells].unit : q->quantity[limit->first - q->m].unit,
        .threshold   = limit->value,
        .below       = limit->below,
        .probability = share[UQ_SHARE * n + c],
        .se          = share[UQ_SHARE_SE * n + c],
        .low95       = share[UQ_SHARE_LOW * n + c],
        .high95      = share[UQ_SHARE_HIGH * n + c]};
    add_checked(add_entry(list, scoria_uq_exceedance_members, &one), q, r->tails, k, t, one.probability);
  }
}

static void add_space(cJSON *root, const ScoriaSpace *space)
{
  cJSON *list = cJSON_AddArrayToObject(root, UQ_SPACE);
  for (int i = 0; i < space->n; i++)
    add_entry(list, scoria_uq_axis_members,
              &(ScoriaUqAxis){.name = space->c[i].name, .unit = space->c[i].unit, .log = space->c[i].log});
}

static void add_index(cJSON *list, const char *input, const ScoriaSobolIndex *index)
{
  const ScoriaUqIndex one = {input, index->first, index->first_se, index->total, index->total_se};
  add_entry(list, scoria_uq_index_members, &one);
}

static void add_sobol(cJSON *root, const UqQuestion *q, const UqSensitivity *a)
{
  const ScoriaUqSobol what = {.blocks = a->blocks,
                              .draws  = q->draws,
                              .failed = a->failed,
                              .unseen = q->pde ? "realisation of the porosity" : "noise of the sampler"};
  cJSON *sobol             = cJSON_AddObjectToObject(root, UQ_SOBOL), *quantities;
  members_add(sobol, scoria_uq_sobol_members, &what);
  quantities = cJSON_AddObjectToObject(sobol, UQ_QUANTITIES);
  for (int j = 0; j < q->nquantities; j++) {
    const ScoriaSobolIndex *porosity = &a->index[j][q->inputs - 1];
    const ScoriaSobolIndex all  = {1 - porosity->total, porosity->total_se, 1 - porosity->first, porosity->first_se};
    const ScoriaUqSpread spread = {.unit = q->quantity[j].unit, .mean = a->mean[j], .sd = a->sd[j]};
    cJSON *one                  = cJSON_AddObjectToObject(quantities, q->quantity[j].name), *list;
    members_add(one, scoria_uq_spread_members, &spread);
    list = cJSON_AddArrayToObject(one, UQ_INDICES);
    for (int i = 0; i < q->inputs; i++) add_index(list, uq_input_name(q, i), &a->index[j][i]);
    add_index(list, UQ_ALL_CONDITIONS, &all);
  }
}

static void add_condition(cJSON *list, const UqQuestion *q, const UqResult *r, int k)
{
  const double *at             = r->a.value + (size_t)k * r->a.size;
  const ScoriaUqCondition what = {(int64_t)at[UQ_SAMPLES], (int64_t)at[UQ_FAILED], (int64_t)at[UQ_OUTSIDE]};
  cJSON *one                   = cJSON_CreateObject(), *quantities;
  cJSON_AddItemToArray(list, one);
  for (int i = 0; i < q->space->n; i++)
    cJSON_AddNumberToObject(one, q->space->c[i].name, q->theta[k * q->space->n + i]);
  members_add(one, scoria_uq_condition_members, &what);
  quantities = cJSON_AddObjectToObject(one, UQ_QUANTITIES);
  for (int i = 0; i < q->nquantities; i++) add_quantity(quantities, q, r, at, k, i);
  add_thresholds(one, q, r, at, k);
  if (r->levels.at) levels_add_json(one, q, &r->a, &r->levels, k);
}

static void add_choice(cJSON *root, const UqChoice *choice)
{
  cJSON *to = cJSON_AddObjectToObject(root, UQ_AUTO), *list;
  char sentence[256];
  uq_choice_sentence(choice, sizeof sentence, sentence);
  members_add(to, scoria_uq_auto_members, &(ScoriaUqAuto){choice->tolerance, sentence});
  list = cJSON_AddArrayToObject(to, UQ_WAYS);
  for (int w = 0; w < UQ_NWAYS; w++) {
    const UqWay *way = &choice->way[w];
    add_entry(list, scoria_uq_way_members,
              &(ScoriaUqWay){uq_ways[w], way->seconds, way->bias, *way->why ? way->why : NULL});
  }
}

PetscErrorCode UqWriteJson(const UqQuestion *q, const UqResult *r, MPI_Comm comm, const char *path)
{
  const ScoriaUqCost cost = {.core_seconds_drawing = r->a.seconds[0], .core_seconds_statistics = r->a.seconds[1]};
  cJSON *root             = cJSON_CreateObject(), *list;
  PetscFunctionBeginUser;
  cJSON_AddStringToObject(root, UQ_SOURCE,
                          uq_ways[q->multilevel ? UQ_WAY_MULTILEVEL
                                  : q->pde      ? UQ_WAY_PDE
                                  : q->gaussian ? UQ_WAY_GAUSSIAN
                                                : UQ_WAY_MODEL]);
  if (r->choice) add_choice(root, r->choice);
  add_space(root, q->space);
  list = cJSON_AddArrayToObject(root, UQ_CONDITIONS);
  for (int k = 0; k < q->conditions; k++) add_condition(list, q, r, k);
  if (q->base) add_sobol(root, q, &r->sobol);
  if (r->levels.at) levels_add_family(root, &r->levels);
  add_warnings(root, q, r);
  members_add(cJSON_AddObjectToObject(root, UQ_COST), scoria_uq_cost_members, &cost);
  PetscCall(ScoriaWriteJson(comm, path, root));
  PetscFunctionReturn(0);
}

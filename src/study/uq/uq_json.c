/* uq.json: the quantities, and their indices. */
#include "uq.h"
#include <cJSON.h>

static void add_histogram(cJSON *to, const double from[])
{
  cJSON *histogram = cJSON_AddObjectToObject(to, "histogram");
  cJSON_AddNumberToObject(histogram, "lo", from[0]);
  cJSON_AddNumberToObject(histogram, "hi", from[1]);
  cJSON_AddItemToObject(histogram, "share", cJSON_CreateDoubleArray(from + 2, UQ_BINS));
}

static void add_quantity(cJSON *to, const UqQuestion *q, const UqAnswer *a, const double at[], int i)
{
  const size_t columns = (size_t)a->columns, j = (size_t)(q->m + i);
  cJSON *one = cJSON_AddObjectToObject(to, q->quantity[i].name), *list;
  cJSON_AddStringToObject(one, "unit", q->quantity[i].unit);
  cJSON_AddStringToObject(one, "description", q->quantity[i].description);
  for (int k = 0; k < UQ_NMOMENTS; k++)
    cJSON_AddNumberToObject(one, uq_moment_names[k], at[a->moments + (size_t)k * columns + j]);
  list = cJSON_AddArrayToObject(one, "quantiles");
  for (int k = 0; k < q->nprobabilities; k++) {
    const double *value = at + a->quantiles + (size_t)k * 2 * columns + j;
    cJSON *item         = cJSON_CreateObject();
    cJSON_AddNumberToObject(item, "p", q->probability[k]);
    cJSON_AddNumberToObject(item, "value", value[0]);
    cJSON_AddNumberToObject(item, "se", value[columns]);
    cJSON_AddItemToArray(list, item);
  }
  add_histogram(one, at + a->histograms + (size_t)i * (2 + UQ_BINS));
}

/* Share c of a threshold, with its 95 % interval. */
static void add_share(cJSON *to, const double shares[], int n, int c)
{
  cJSON_AddNumberToObject(to, "probability", shares[UQ_SHARE * n + c]);
  cJSON_AddNumberToObject(to, "se", shares[UQ_SHARE_SE * n + c]);
  cJSON_AddNumberToObject(to, "low95", shares[UQ_SHARE_LOW * n + c]);
  cJSON_AddNumberToObject(to, "high95", shares[UQ_SHARE_HIGH * n + c]);
}

static void add_thresholds(cJSON *to, const UqQuestion *q, const UqAnswer *a, const double at[])
{
  cJSON *list = cJSON_AddArrayToObject(to, "exceed");
  for (int t = 0; t < q->nthresholds; t++) {
    const ScoriaThreshold *limit = &q->threshold[t];
    cJSON *item                  = cJSON_CreateObject();
    cJSON_AddItemToArray(list, item);
    cJSON_AddStringToObject(item, "event", q->event[t].text);
    if (limit->first < q->m)
      cJSON_AddStringToObject(item, "field", q->field[limit->first / q->cells].name);
    else
      cJSON_AddStringToObject(item, "quantity", q->quantity[limit->first - q->m].name);
    cJSON_AddNumberToObject(item, "threshold", limit->value);
    cJSON_AddBoolToObject(item, "below", limit->below);
    add_share(item, at + uq_shares_at(q, a, t), uq_shares(q, t), limit->number + (q->event[t].of == SUMMARY_ALL));
  }
}

static void add_space(cJSON *root, const ScoriaSpace *space)
{
  cJSON *list = cJSON_AddArrayToObject(root, UQ_SPACE);
  for (int i = 0; i < space->n; i++) {
    cJSON *one = cJSON_CreateObject();
    cJSON_AddStringToObject(one, "name", space->c[i].name);
    cJSON_AddStringToObject(one, "unit", space->c[i].unit);
    cJSON_AddBoolToObject(one, "log", space->c[i].log);
    cJSON_AddItemToArray(list, one);
  }
}

static void add_index(cJSON *list, const char *input, const ScoriaSobolIndex *index)
{
  cJSON *one = cJSON_CreateObject();
  cJSON_AddStringToObject(one, "input", input);
  cJSON_AddNumberToObject(one, "first", index->first);
  cJSON_AddNumberToObject(one, "first_se", index->first_se);
  cJSON_AddNumberToObject(one, "total", index->total);
  cJSON_AddNumberToObject(one, "total_se", index->total_se);
  cJSON_AddItemToArray(list, one);
}

static void add_sobol(cJSON *root, const UqQuestion *q, const UqSensitivity *a)
{
  cJSON *sobol = cJSON_AddObjectToObject(root, "sobol"), *quantities;
  cJSON_AddNumberToObject(sobol, "blocks", (double)a->blocks);
  cJSON_AddNumberToObject(sobol, "draws", q->draws);
  cJSON_AddNumberToObject(sobol, "failed", (double)a->failed);
  cJSON_AddStringToObject(sobol, UQ_UNSEEN_MEMBER, q->pde ? "realisation of the porosity" : "noise of the sampler");
  quantities = cJSON_AddObjectToObject(sobol, "quantities");
  for (int j = 0; j < q->nquantities; j++) {
    const ScoriaSobolIndex *porosity = &a->index[j][q->inputs - 1];
    const ScoriaSobolIndex all = {1 - porosity->total, porosity->total_se, 1 - porosity->first, porosity->first_se};
    cJSON *one                 = cJSON_AddObjectToObject(quantities, q->quantity[j].name), *list;
    cJSON_AddStringToObject(one, "unit", q->quantity[j].unit);
    cJSON_AddNumberToObject(one, "mean", a->mean[j]);
    cJSON_AddNumberToObject(one, "sd", a->sd[j]);
    list = cJSON_AddArrayToObject(one, "indices");
    for (int i = 0; i < q->inputs; i++) add_index(list, uq_input_name(q, i), &a->index[j][i]);
    add_index(list, UQ_ALL_CONDITIONS, &all);
  }
}

static void add_cost(cJSON *root, const UqAnswer *a)
{
  cJSON *cost = cJSON_AddObjectToObject(root, "cost");
  cJSON_AddNumberToObject(cost, "core_seconds_drawing", a->seconds[0]);
  cJSON_AddNumberToObject(cost, "core_seconds_statistics", a->seconds[1]);
}

PetscErrorCode UqWriteJson(const UqQuestion *q, const UqAnswer *a, MPI_Comm comm, const char *path)
{
  cJSON *root = cJSON_CreateObject(), *list;
  PetscFunctionBeginUser;
  cJSON_AddStringToObject(root, "source", q->pde ? "pde" : "model");
  add_space(root, q->space);
  list = cJSON_AddArrayToObject(root, "conditions");
  for (int k = 0; k < q->conditions; k++) {
    const double *at = a->value + (size_t)k * a->size;
    cJSON *one       = cJSON_CreateObject(), *quantities;
    cJSON_AddItemToArray(list, one);
    for (int i = 0; i < q->space->n; i++)
      cJSON_AddNumberToObject(one, q->space->c[i].name, q->theta[k * q->space->n + i]);
    cJSON_AddNumberToObject(one, "samples", at[UQ_SAMPLES]);
    cJSON_AddNumberToObject(one, "failed", at[UQ_FAILED]);
    cJSON_AddNumberToObject(one, "quantiles_outside_the_histograms", at[UQ_OUTSIDE]);
    quantities = cJSON_AddObjectToObject(one, "quantities");
    for (int i = 0; i < q->nquantities; i++) add_quantity(quantities, q, a, at, i);
    add_thresholds(one, q, a, at);
  }
  if (q->base) add_sobol(root, q, &a->sobol);
  add_cost(root, a);
  PetscCall(ScoriaWriteJson(comm, path, root));
  PetscFunctionReturn(0);
}

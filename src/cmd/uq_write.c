/* uq.h5 (everything), uq.json (the quantities), and the table on standard output. */
#include "uq.h"
#include <cJSON.h>
#include <stdio.h>
#include <string.h>

static const double *answer_at(const UqAnswer *a, int k)
{
  return a->value + (size_t)k * a->size;
}

/* ---------------------------------------------------------------------------------------------------- HDF5 ---- */

/* An array over conditions, picked from every condition's answer: `parts` runs of `length`, `stride` apart.  axes,
 * "part run", names those two; only what has more than one item is an axis. */
static PetscErrorCode PutPicked(ScoriaStore store, const UqQuestion *q, const UqAnswer *a, const char *name,
                                size_t offset, int parts, size_t stride, int length, const char *axes, const char *unit,
                                const char *description)
{
  const int64_t dims[3] = {q->conditions, parts, length}, flat[2] = {q->conditions, length};
  const char *run = strchr(axes, ' ');
  char named[64];
  double *all;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)q->conditions * parts * length, &all));
  for (int k = 0; k < q->conditions; k++)
    for (int i = 0; i < parts; i++)
      PetscCall(
          PetscArraycpy(all + ((size_t)k * parts + i) * length, answer_at(a, k) + offset + (size_t)i * stride, length));
  if (parts > 1)
    PetscCall(ScoriaStorePutReals(store, name, 3, dims, all, unit, description));
  else
    PetscCall(ScoriaStorePutReals(store, name, length > 1 ? 2 : 1, flat, all, unit, description));
  PetscCall(PetscSNPrintf(named, sizeof named, "condition %s", parts > 1 ? axes : (length > 1 ? run + 1 : "")));
  PetscCall(ScoriaStorePutAxes(store, name, named));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/* All that is known of columns [column, column + length), under a group. */
static PetscErrorCode PutColumns(ScoriaStore store, const UqQuestion *q, const UqAnswer *a, const char *group,
                                 int column, int length, const char *unit)
{
  char name[256];
  const size_t columns = (size_t)a->columns;
  const char *axes     = length > 1 ? "probability x" : "probability value";
  PetscFunctionBeginUser;
  for (int i = 0; i < UQ_NMOMENTS; i++) {
    PetscCall(PetscSNPrintf(name, sizeof name, "%s/%s", group, uq_moment_names[i]));
    PetscCall(PutPicked(store, q, a, name, a->moments + (size_t)i * columns + column, 1, 0, length, "- x",
                        i == UQ_SKEWNESS || i == UQ_SKEWNESS_SE ? "1" : unit, "per condition"));
  }
  PetscCall(PetscSNPrintf(name, sizeof name, "%s/quantile", group));
  PetscCall(PutPicked(store, q, a, name, a->quantiles + column, q->nprobabilities, 2 * columns, length, axes, unit,
                      "per condition and probability"));
  PetscCall(PetscSNPrintf(name, sizeof name, "%s/quantile_se", group));
  PetscCall(PutPicked(store, q, a, name, a->quantiles + columns + column, q->nprobabilities, 2 * columns, length, axes,
                      unit, "Monte Carlo standard error"));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutThresholds(ScoriaStore store, const UqQuestion *q, const UqAnswer *a)
{
  char name[128], what[128];
  PetscFunctionBeginUser;
  for (int t = 0; t < q->nthresholds; t++) {
    const ScoriaField *f = &q->field[q->threshold[t].first / q->cells];
    const size_t at      = a->exceedances + (size_t)t * 2 * (q->cells + 1);
    PetscCall(PetscSNPrintf(name, sizeof name, "/exceed/%d/probability", t));
    PetscCall(PetscSNPrintf(what, sizeof what, "of %s > %g %s in each cell; the last: in any", f->name,
                            q->threshold[t].value, f->unit));
    PetscCall(PutPicked(store, q, a, name, at, 1, 0, q->cells + 1, "- x_or_any", "1", what));
    PetscCall(PetscSNPrintf(name, sizeof name, "/exceed/%d/probability_se", t));
    PetscCall(PutPicked(store, q, a, name, at + q->cells + 1, 1, 0, q->cells + 1, "- x_or_any", "1",
                        "Monte Carlo standard error"));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode PutJoint(ScoriaStore store, const UqQuestion *q, const UqAnswer *a)
{
  const size_t m = (size_t)q->m, variances = a->covariance + m * m;
  PetscFunctionBeginUser;
  if (!a->joint) PetscFunctionReturn(0);
  PetscCall(PutPicked(store, q, a, "/covariance", a->covariance, q->m, m, q->m, "component component_too", "",
                      "of all fields' cells, one field after the other"));
  PetscCall(PutPicked(store, q, a, "/modes/variance", variances, 1, 0, UQ_MODES, "- number", "1",
                      "of the fields in units of their SD, descending"));
  PetscCall(PutPicked(store, q, a, "/modes/mode", variances + UQ_MODES, UQ_MODES, m, q->m, "number component", "1",
                      "orthonormal"));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutConditions(ScoriaStore store, const UqQuestion *q)
{
  const int64_t K = q->conditions, L = q->cells, Q = q->nprobabilities;
  char name[128];
  double *column;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(K, &column));
  for (int i = 0; i < q->space->n; i++) {
    for (int k = 0; k < q->conditions; k++) column[k] = q->theta[k * q->space->n + i];
    PetscCall(PetscSNPrintf(name, sizeof name, "/conditions/%s", q->space->c[i].name));
    PetscCall(ScoriaStorePutReals(store, name, 1, &K, column, q->space->c[i].unit, "operating condition"));
    PetscCall(ScoriaStorePutAxes(store, name, "condition"));
  }
  PetscCall(PetscFree(column));
  PetscCall(ScoriaStorePutReals(store, "/x", 1, &L, q->x, "m", "cell centres"));
  PetscCall(ScoriaStorePutReals(store, "/probability", 1, &Q, q->probability, "1", "of the quantiles"));
  PetscFunctionReturn(0);
}

PetscErrorCode UqWriteStore(const UqQuestion *q, const UqAnswer *a, MPI_Comm comm, const char *path, const char *deck)
{
  char name[128];
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreCreate(comm, path, "uq", deck, &store));
  PetscCall(PutConditions(store, q));
  PetscCall(PutPicked(store, q, a, "/samples", UQ_SAMPLES, 1, 0, 1, "- -", "1", "fields behind the statistics"));
  PetscCall(PutPicked(store, q, a, "/failed", UQ_FAILED, 1, 0, 1, "- -", "1", "solves that failed, left out"));
  for (int c = 0; c < q->channels; c++) {
    PetscCall(PetscSNPrintf(name, sizeof name, "/fields/%s", q->field[c].name));
    PetscCall(PutColumns(store, q, a, name, c * q->cells, q->cells, q->field[c].unit));
  }
  for (int i = 0; i < q->nquantities; i++) {
    const size_t histogram = a->histograms + (size_t)i * (2 + UQ_BINS);
    PetscCall(PetscSNPrintf(name, sizeof name, "/quantities/%s", q->quantity[i].name));
    PetscCall(PutColumns(store, q, a, name, q->m + i, 1, q->quantity[i].unit));
    PetscCall(PetscSNPrintf(name, sizeof name, "/quantities/%s/histogram_range", q->quantity[i].name));
    PetscCall(PutPicked(store, q, a, name, histogram, 1, 0, 2, "- bound", q->quantity[i].unit, "of equal bins"));
    PetscCall(PetscSNPrintf(name, sizeof name, "/quantities/%s/histogram", q->quantity[i].name));
    PetscCall(PutPicked(store, q, a, name, histogram + 2, 1, 0, UQ_BINS, "- bin", "1", "share of the samples"));
  }
  PetscCall(PutThresholds(store, q, a));
  PetscCall(PutJoint(store, q, a));
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- JSON ---- */

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

static void add_thresholds(cJSON *to, const UqQuestion *q, const UqAnswer *a, const double at[])
{
  cJSON *list = cJSON_AddArrayToObject(to, "exceed");
  for (int t = 0; t < q->nthresholds; t++) {
    const double *from = at + a->exceedances + (size_t)t * 2 * (q->cells + 1);
    cJSON *item        = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "field", q->field[q->threshold[t].first / q->cells].name);
    cJSON_AddNumberToObject(item, "threshold", q->threshold[t].value);
    cJSON_AddNumberToObject(item, "probability", from[q->cells]);
    cJSON_AddNumberToObject(item, "se", from[2 * q->cells + 1]);
    cJSON_AddItemToArray(list, item);
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
  list = cJSON_AddArrayToObject(root, "conditions");
  for (int k = 0; k < q->conditions; k++) {
    const double *at = answer_at(a, k);
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
  add_cost(root, a);
  char *text = cJSON_Print(root);
  cJSON_Delete(root);
  PetscCheck(text, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for uq.json");
  const PetscErrorCode failed = ScoriaWriteText(comm, path, text);
  cJSON_free(text);
  PetscCall(failed);
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- table ---- */

#define SHOWN 6 /* conditions in the table */

PetscErrorCode UqSayTable(ScoriaRun run, const UqQuestion *q, const UqAnswer *a)
{
  const size_t columns = (size_t)a->columns;
  PetscFunctionBeginUser;
  for (int k = 0; k < PetscMin(q->conditions, SHOWN); k++) {
    const double *at = answer_at(a, k);
    char theta[256]  = "";
    for (int i = 0; i < q->space->n; i++)
      snprintf(theta + strlen(theta), sizeof theta - strlen(theta), "%s%s %g %s", i ? ", " : "", q->space->c[i].name,
               q->theta[k * q->space->n + i], q->space->c[i].unit);
    PetscCall(
        ScoriaSay(run, "  %s: %.0f fields%s", theta, at[UQ_SAMPLES], at[UQ_FAILED] > 0 ? ", some solves failed" : ""));
    PetscCall(ScoriaSay(run, "    %-18s %-9s %12s %11s %12s %12s %12s", "", "", "mean", "+-", "SD", "low", "high"));
    for (int i = 0; i < q->nquantities; i++) {
      const double *m = at + a->moments + q->m + i, *quantile = at + a->quantiles + q->m + i;
      PetscCall(ScoriaSay(run, "    %-18s %-9s %12.6g %11.2g %12.6g %12.6g %12.6g", q->quantity[i].name,
                          q->quantity[i].unit, m[UQ_MEAN * columns], m[UQ_MEAN_SE * columns], m[UQ_SD * columns],
                          quantile[0], quantile[2 * columns * (size_t)(q->nprobabilities - 1)]));
    }
    for (int t = 0; t < q->nthresholds; t++) {
      const ScoriaField *f = &q->field[q->threshold[t].first / q->cells];
      const double *from   = at + a->exceedances + (size_t)t * 2 * (q->cells + 1);
      PetscCall(ScoriaSay(run, "    P(%s > %g %s anywhere) = %.6g +- %.2g", f->name, q->threshold[t].value, f->unit,
                          from[q->cells], from[2 * q->cells + 1]));
    }
  }
  if (q->conditions > SHOWN) PetscCall(ScoriaSay(run, "  and %d more conditions", q->conditions - SHOWN));
  PetscCall(ScoriaSay(run, "  low, high: quantiles %g and %g; statistics took %.1f %% of the time", q->probability[0],
                      q->probability[q->nprobabilities - 1],
                      100 * a->seconds[1] / PetscMax(a->seconds[0] + a->seconds[1], 1e-9)));
  PetscFunctionReturn(0);
}

/* compare of whole fields: what is measured beside the distances that profiles have. */
#include "compare.h"
#include <stdio.h>

PetscErrorCode CompareMeasureWhole(ScoriaFeatures features, const int64_t n[SCORIA_NFROM],
                                   const double *const rows[SCORIA_NFROM], CompareWhole *whole, Comparison *c)
{
  PetscFunctionBeginUser;
  for (int s = 0; s < SCORIA_NFROM; s++) {
    if (n[s] < 2) continue;
    PetscCall(ScoriaWholeLawTake(features, n[s], rows[s], &whole->law[s]));
    if (s == SCORIA_FROM_PDE || n[SCORIA_FROM_PDE] < 2) continue;
    PetscCall(ScoriaWholeDistanceCompute(features, n[s], rows[s], n[SCORIA_FROM_PDE], rows[SCORIA_FROM_PDE],
                                         &whole->distance[s]));
    c->distance[s] = whole->distance[s].places;
  }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------- over conditions ---- */

/* One number of a channel of a source, over the conditions. */
typedef struct {
  double w1;     /* mean; in SD of the reference, a place in extents along x */
  double inside; /* share of its .01 and .99 quantiles in the reference's 95 % intervals */
} HotPooled;

static int quantiles_inside(const ScoriaHotLaw *law, const ScoriaHotLaw *reference)
{
  return (law->q01 >= reference->q01_low && law->q01 <= reference->q01_high) +
         (law->q99 >= reference->q99_low && law->q99 <= reference->q99_high);
}

static HotPooled pool_hot(const ComparisonSet *set, ScoriaFrom from, int c, int h)
{
  HotPooled pooled = {0};
  for (int k = 0; k < set->held; k++) {
    const CompareWhole *w = &set->whole[k];
    pooled.w1 += w->distance[from].w1[c][h] / set->held;
    pooled.inside += quantiles_inside(&w->law[from].hot[c][h], &w->law[SCORIA_FROM_PDE].hot[c][h]) / (2.0 * set->held);
  }
  return pooled;
}

static double pool_spectrum(const ComparisonSet *set, ScoriaFrom from, int c)
{
  double error = 0;
  for (int k = 0; k < set->held; k++) error += set->whole[k].distance[from].spectrum[c] / set->held;
  return error;
}

static const char *channel_name(const ComparisonSet *set, int c)
{
  return set->shape.field[set->channel[c]].name;
}

/* --------------------------------------------------------------------------------------------------- JSON ---- */

static void add_law(cJSON *to, const char *name, const ScoriaHotLaw *law)
{
  cJSON *one = cJSON_AddObjectToObject(to, name);
  cJSON_AddNumberToObject(one, "mean", law->mean);
  cJSON_AddNumberToObject(one, "sd", law->sd);
  cJSON_AddNumberToObject(one, "q01", law->q01);
  cJSON_AddNumberToObject(one, "q01_low95", law->q01_low);
  cJSON_AddNumberToObject(one, "q01_high95", law->q01_high);
  cJSON_AddNumberToObject(one, "q99", law->q99);
  cJSON_AddNumberToObject(one, "q99_low95", law->q99_low);
  cJSON_AddNumberToObject(one, "q99_high95", law->q99_high);
}

/* One number of a channel: over the conditions, then at each of them. */
static void add_hot(cJSON *to, const ComparisonSet *set, const CompareRows *rows, int c, int h)
{
  cJSON *one = cJSON_AddObjectToObject(to, scoria_hot[h].name);
  cJSON_AddStringToObject(
      one, "unit", scoria_hot[h].place ? space_axis_unit(set->shape.space, 0) : set->shape.field[set->channel[c]].unit);
  cJSON_AddStringToObject(one, COMPARE_HOT_HELP, scoria_hot[h].help);
  for (int i = 0; i < rows->n; i++) {
    const HotPooled pooled = pool_hot(set, rows->row[i].from, c, h);
    cJSON *source          = cJSON_AddObjectToObject(one, rows->row[i].member);
    cJSON_AddNumberToObject(source, COMPARE_HOT_W1, pooled.w1);
    cJSON_AddNumberToObject(source, COMPARE_HOT_INSIDE, pooled.inside);
  }
  cJSON *list = cJSON_AddArrayToObject(one, COMPARE_CONDITIONS);
  for (int k = 0; k < set->held; k++) {
    const CompareWhole *w = &set->whole[k];
    cJSON *at             = cJSON_CreateObject();
    cJSON_AddItemToArray(list, at);
    add_law(at, COMPARE_REFERENCE, &w->law[SCORIA_FROM_PDE].hot[c][h]);
    for (int i = 0; i < rows->n; i++) {
      const ScoriaFrom from = rows->row[i].from;
      add_law(at, rows->row[i].member, &w->law[from].hot[c][h]);
      cJSON_AddNumberToObject(cJSON_GetObjectItem(at, rows->row[i].member), COMPARE_HOT_W1, w->distance[from].w1[c][h]);
    }
  }
}

/* Lateral variance by wave number, mean over the conditions. */
static cJSON *mean_spectrum(const ComparisonSet *set, ScoriaFrom from, int c, int bins)
{
  double mean[SCORIA_FEATURE_BINS] = {0};
  for (int k = 0; k < set->held; k++)
    for (int b = 0; b < bins; b++) mean[b] += set->whole[k].law[from].spectrum[c][b] / set->held;
  return cJSON_CreateDoubleArray(mean, bins);
}

static void add_spectrum(cJSON *to, const ComparisonSet *set, const CompareRows *rows, int c, int bins)
{
  cJSON *one = cJSON_AddObjectToObject(to, COMPARE_SPECTRUM);
  cJSON_AddItemToObject(one, COMPARE_REFERENCE, mean_spectrum(set, SCORIA_FROM_PDE, c, bins));
  for (int i = 0; i < rows->n; i++) {
    cJSON *source = cJSON_AddObjectToObject(one, rows->row[i].member);
    cJSON_AddItemToObject(source, COMPARE_VARIANCE, mean_spectrum(set, rows->row[i].from, c, bins));
    cJSON_AddNumberToObject(source, COMPARE_SPECTRUM_ERROR, pool_spectrum(set, rows->row[i].from, c));
  }
}

static PetscErrorCode AddMeans(cJSON *to, const ComparisonSet *set, const char *name, ScoriaFrom from)
{
  ScoriaDistance *d, pooled;
  cJSON *one = cJSON_AddObjectToObject(to, name);
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(set->held, &d));
  for (int k = 0; k < set->held; k++) d[k] = set->whole[k].distance[from].means;
  measures_pool(set->held, d, &pooled);
  for (const ScoriaMeasure *m = scoria_measures; m->name; m++)
    cJSON_AddNumberToObject(one, m->name, measure_value(m, &pooled));
  PetscCall(PetscFree(d));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareAddWhole(cJSON *root, const ComparisonSet *set, ScoriaFeatures features, bool files)
{
  double number[SCORIA_FEATURE_BINS];
  const int bins = features_wave_numbers(features, number);
  cJSON *whole   = cJSON_AddObjectToObject(root, COMPARE_WHOLE),
        *means   = cJSON_AddObjectToObject(whole, COMPARE_WHOLE_MEANS);
  CompareRows rows;
  PetscFunctionBeginUser;
  compare_rows(files, &rows);
  for (int i = 0; i < rows.n; i++) PetscCall(AddMeans(means, set, rows.row[i].member, rows.row[i].from));
  cJSON_AddItemToObject(whole, COMPARE_WHOLE_WAVES, cJSON_CreateDoubleArray(number, bins));
  cJSON *fields = cJSON_AddObjectToObject(whole, COMPARE_WHOLE_FIELDS);
  for (int c = 0; c < set->shape.channels; c++) {
    cJSON *one = cJSON_AddObjectToObject(fields, channel_name(set, c));
    add_spectrum(one, set, &rows, c, bins);
    for (int h = 0; h < SCORIA_NHOT; h++) add_hot(one, set, &rows, c, h);
  }
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------- standard output ---- */

/* A table of W1 over SD: a row for every number of a channel, a column for every source. */
PetscErrorCode CompareSayWhole(ScoriaRun run, const ComparisonSet *set, bool files)
{
  char line[256];
  CompareRows rows;
  PetscFunctionBeginUser;
  compare_rows(files, &rows);
  PetscCall(ScoriaSay(run, "  sliced W: of whole fields; the other columns: through the thickness at four places"));
  int n = snprintf(line, sizeof line, "  %-24s", "W1/SD of hot spots");
  for (int i = 0; i < rows.n; i++) n += snprintf(line + n, sizeof line - (size_t)n, "%13s", rows.row[i].title);
  PetscCall(ScoriaSay(run, "%s", line));
  for (int c = 0; c < set->shape.channels; c++) {
    for (int h = 0; h < SCORIA_NHOT; h++) {
      if (scoria_hot[h].place) continue;
      n = snprintf(line, sizeof line, "  %-4s %-19.19s", scoria_hot[h].name, channel_name(set, c));
      for (int i = 0; i < rows.n; i++)
        n += snprintf(line + n, sizeof line - (size_t)n, "%13.4f", pool_hot(set, rows.row[i].from, c, h).w1);
      PetscCall(ScoriaSay(run, "%s", line));
    }
    n = snprintf(line, sizeof line, "  spectrum of %-12.12s", channel_name(set, c));
    for (int i = 0; i < rows.n; i++)
      n += snprintf(line + n, sizeof line - (size_t)n, "%11.2f %%", 100 * pool_spectrum(set, rows.row[i].from, c));
    PetscCall(ScoriaSay(run, "%s", line));
  }
  PetscFunctionReturn(0);
}

/* compare of whole fields: what is measured beside the distances that profiles have. */
#include "compare.h"
#include <math.h>
#include <string.h>

PetscErrorCode CompareFeaturesCreate(const ComparisonSet *set, const int n[3], uint64_t seed, int directions,
                                     ScoriaFeatures *features)
{
  ScoriaFeaturesSpec spec = {.channels = set->shape.channels, .directions = directions, .seed = seed};
  const double *x         = set->shape.x;
  PetscFunctionBeginUser;
  for (int a = 0; a < 3; x += n[a++]) {
    double end[2];
    spec.n[a] = n[a];
    cells_ends(n[a], x, end);
    spec.length[a] = n[a] > 1 ? end[1] - end[0] : 2 * x[0];
  }
  PetscCall(ScoriaFeaturesCreate(&spec, features));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareMeasureWhole(ScoriaFeatures features, int64_t rows, const double sample[],
                                   const double reference[], const double again[], CompareWhole *whole)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaWholeLawTake(features, rows, sample, &whole->sample));
  PetscCall(ScoriaWholeLawTake(features, rows, again, &whole->again));
  PetscCall(ScoriaWholeLawTake(features, rows, reference, &whole->reference));
  PetscCall(ScoriaWholeDistanceCompute(features, rows, sample, rows, reference, &whole->of_sample));
  PetscCall(ScoriaWholeDistanceCompute(features, rows, again, rows, reference, &whole->of_again));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------- over conditions ---- */

/* One number of a channel, over the conditions, of the sample and of what gives the floor. */
typedef struct {
  double w1, floor;            /* means; in SD of the reference, a place in extents along x */
  double inside, floor_inside; /* share of their .01 and .99 quantiles in the reference's 95 % intervals */
} HotPooled;

static int quantiles_inside(const ScoriaHotLaw *law, const ScoriaHotLaw *reference)
{
  return (law->q01 >= reference->q01_low && law->q01 <= reference->q01_high) +
         (law->q99 >= reference->q99_low && law->q99 <= reference->q99_high);
}

static HotPooled pool_hot(const ComparisonSet *set, int c, int h)
{
  HotPooled pooled = {0};
  for (int k = 0; k < set->held; k++) {
    const CompareWhole *w         = &set->whole[k];
    const ScoriaHotLaw *reference = &w->reference.hot[c][h];
    pooled.w1 += w->of_sample.w1[c][h] / set->held;
    pooled.floor += w->of_again.w1[c][h] / set->held;
    pooled.inside += quantiles_inside(&w->sample.hot[c][h], reference) / (2.0 * set->held);
    pooled.floor_inside += quantiles_inside(&w->again.hot[c][h], reference) / (2.0 * set->held);
  }
  return pooled;
}

static void pool_spectrum(const ComparisonSet *set, int c, double *error, double *floor)
{
  *error = *floor = 0;
  for (int k = 0; k < set->held; k++) {
    *error += set->whole[k].of_sample.spectrum[c] / set->held;
    *floor += set->whole[k].of_again.spectrum[c] / set->held;
  }
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
static void add_hot(cJSON *to, const ComparisonSet *set, int c, int h)
{
  const HotPooled pooled = pool_hot(set, c, h);
  cJSON *one             = cJSON_AddObjectToObject(to, scoria_hot[h].name);
  cJSON_AddStringToObject(one, "unit", scoria_hot[h].place ? "m" : set->shape.field[set->channel[c]].unit);
  cJSON_AddStringToObject(one, "description", scoria_hot[h].help);
  cJSON_AddNumberToObject(one, "w1", pooled.w1);
  cJSON_AddNumberToObject(one, "w1_floor", pooled.floor);
  cJSON_AddNumberToObject(one, "quantiles_inside", pooled.inside);
  cJSON_AddNumberToObject(one, "quantiles_inside_floor", pooled.floor_inside);
  cJSON *list = cJSON_AddArrayToObject(one, COMPARE_CONDITIONS);
  for (int k = 0; k < set->held; k++) {
    const CompareWhole *w = &set->whole[k];
    cJSON *at             = cJSON_CreateObject();
    cJSON_AddItemToArray(list, at);
    add_law(at, "sample", &w->sample.hot[c][h]);
    add_law(at, "reference", &w->reference.hot[c][h]);
    cJSON_AddNumberToObject(at, "w1", w->of_sample.w1[c][h]);
    cJSON_AddNumberToObject(at, "w1_floor", w->of_again.w1[c][h]);
  }
}

/* Lateral variance by wave number, mean over the conditions. */
static void add_spectrum(cJSON *to, const ComparisonSet *set, int c, int bins)
{
  double law[2][SCORIA_FEATURE_BINS] = {{0}}, error, floor;
  cJSON *one                         = cJSON_AddObjectToObject(to, "spectrum");
  for (int k = 0; k < set->held; k++)
    for (int b = 0; b < bins; b++) {
      law[0][b] += set->whole[k].sample.spectrum[c][b] / set->held;
      law[1][b] += set->whole[k].reference.spectrum[c][b] / set->held;
    }
  cJSON_AddItemToObject(one, "sample", cJSON_CreateDoubleArray(law[0], bins));
  cJSON_AddItemToObject(one, "reference", cJSON_CreateDoubleArray(law[1], bins));
  pool_spectrum(set, c, &error, &floor);
  cJSON_AddNumberToObject(one, "error", error);
  cJSON_AddNumberToObject(one, "error_floor", floor);
}

static PetscErrorCode AddMeans(cJSON *to, const ComparisonSet *set, const char *name, bool again)
{
  ScoriaDistance *d, pooled;
  cJSON *one = cJSON_AddObjectToObject(to, name);
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(set->held, &d));
  for (int k = 0; k < set->held; k++) d[k] = again ? set->whole[k].of_again.means : set->whole[k].of_sample.means;
  measures_pool(set->held, d, &pooled);
  for (const ScoriaMeasure *m = scoria_measures; m->name; m++)
    cJSON_AddNumberToObject(one, m->name, measure_value(m, &pooled));
  PetscCall(PetscFree(d));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareAddWhole(cJSON *root, const ComparisonSet *set, ScoriaFeatures features)
{
  double number[SCORIA_FEATURE_BINS];
  const int bins = features_wave_numbers(features, number);
  cJSON *whole   = cJSON_AddObjectToObject(root, COMPARE_WHOLE);
  PetscFunctionBeginUser;
  cJSON *means = cJSON_AddObjectToObject(whole, "lateral_means");
  PetscCall(AddMeans(means, set, "sample", false));
  PetscCall(AddMeans(means, set, "floor", true));
  cJSON_AddItemToObject(whole, "wave_numbers", cJSON_CreateDoubleArray(number, bins));
  cJSON *fields = cJSON_AddObjectToObject(whole, "fields");
  for (int c = 0; c < set->shape.channels; c++) {
    cJSON *one = cJSON_AddObjectToObject(fields, set->shape.field[set->channel[c]].name);
    add_spectrum(one, set, c, bins);
    for (int h = 0; h < SCORIA_NHOT; h++) add_hot(one, set, c, h);
  }
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------- standard output ---- */

PetscErrorCode CompareSayWhole(ScoriaRun run, const ComparisonSet *set)
{
  double error, floor;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "  sliced W: of whole fields; the other columns: through the thickness at four places"));
  for (int c = 0; c < set->shape.channels; c++) {
    const char *name = set->shape.field[set->channel[c]].name;
    for (int h = 0; h < SCORIA_NHOT; h++) {
      if (scoria_hot[h].place) continue;
      const HotPooled pooled = pool_hot(set, c, h);
      PetscCall(ScoriaSay(run,
                          "  %-4s %-10s W1 %.4f SD, floor %.4f; .01 and .99 quantiles inside the reference's 95 %% "
                          "interval %.2f, floor %.2f",
                          scoria_hot[h].name, name, pooled.w1, pooled.floor, pooled.inside, pooled.floor_inside));
    }
    pool_spectrum(set, c, &error, &floor);
    PetscCall(ScoriaSay(run, "  %-15s lateral spectrum: largest error %.2f %%, floor %.2f %%", name, 100 * error,
                        100 * floor));
  }
  PetscFunctionReturn(0);
}

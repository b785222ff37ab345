/* The descriptions of result files: every row of every table, written and read again. */
#include "scoria/features.h"
#include "scoria/maps.h"
#include "scoria/uq_result.h"
#include "testing.h"
#include <math.h>

/* ------------------------------------------------------------------------------------------------- compare.h5 ---- */

static void every_array_has_a_path_of_its_own(void **state)
{
  enum { PATHS = 2 * (2 + SCORIA_NFROM * (SCORIA_NVIEWS * SCORIA_NCURVES + 1)) };
  static const char *const groups[] = {SCORIA_COMPARE_HELDOUT, SCORIA_COMPARE_SAMPLE};
  static char path[PATHS][96];
  int n = 0;
  (void)state;
  for (int g = 0; g < 2; g++) {
    compare_theta_path(groups[g], sizeof path[0], path[n++]);
    compare_good_path(groups[g], sizeof path[0], path[n++]);
    for (int from = 0; from < SCORIA_NFROM; from++) {
      compare_examples_path(groups[g], from, "c", sizeof path[0], path[n++]);
      for (int v = 0; v < SCORIA_NVIEWS; v++)
        for (int q = 0; q < SCORIA_NCURVES; q++)
          compare_curve_path(groups[g], v, from, "c", q, sizeof path[0], path[n++]);
    }
  }
  assert_int_equal(n, PATHS);
  for (int i = 0; i < n; i++)
    for (int j = 0; j < i; j++) assert_string_not_equal(path[i], path[j]);
}

/* Files of the release have these. */
static void paths_of_the_release_stay(void **state)
{
  char path[96];
  (void)state;
  compare_curve_path(SCORIA_COMPARE_HELDOUT, SCORIA_VIEW_FIELD, SCORIA_FROM_PDE, "c", SCORIA_CURVE_Q975, sizeof path,
                     path);
  assert_string_equal(path, "/pde/c/q975");
  compare_curve_path(SCORIA_COMPARE_SAMPLE, SCORIA_VIEW_RELATIVE, SCORIA_FROM_PDE_AGAIN, "phi", SCORIA_CURVE_SD,
                     sizeof path, path);
  assert_string_equal(path, "/sample/relative/pde_again/phi/sd");
  compare_examples_path(SCORIA_COMPARE_HELDOUT, SCORIA_FROM_GAUSSIAN, "c", sizeof path, path);
  assert_string_equal(path, "/gaussian/c/examples");
  assert_int_equal(SCORIA_FROM_MODEL, 2); /* a column of /good */
}

static void every_source_is_measured_but_the_reference(void **state)
{
  int times[SCORIA_NFROM] = {0};
  (void)state;
  for (int i = 0; i < SCORIA_NMEASURED; i++) times[scoria_measured[i]]++;
  for (int from = 0; from < SCORIA_NFROM; from++) {
    assert_int_equal(times[from], scoria_from[from].member != NULL);
    assert_true(*scoria_from[from].group && *scoria_from[from].title && *scoria_from[from].row);
  }
  assert_null(scoria_from[SCORIA_FROM_PDE].member);
}

static void curves_are_moments_or_quantiles(void **state)
{
  (void)state;
  for (int q = 0; q < SCORIA_NCURVES; q++) {
    const double p = scoria_curves[q].probability;
    assert_true(*scoria_curves[q].name);
    assert_true(q == SCORIA_CURVE_MEAN || q == SCORIA_CURVE_SD ? isnan(p) : p > 0 && p < 1);
  }
}

/* Numbers of whole fields, maps and views: rows that are whole, each of its own name. */
static void rows_of_whole_fields_are_whole(void **state)
{
  char path[SCORIA_NMAPS][96];
  (void)state;
  for (int i = 0; i < SCORIA_NHOT; i++) {
    assert_true(*scoria_hot[i].name && *scoria_hot[i].help);
    for (int j = 0; j < i; j++) assert_string_not_equal(scoria_hot[i].name, scoria_hot[j].name);
  }
  for (int i = 0; i < SCORIA_NMAPS; i++) {
    assert_true(*scoria_maps[i].what);
    compare_map_path(SCORIA_FROM_MODEL, "c", scoria_maps[i].name, sizeof path[i], path[i]);
    for (int j = 0; j < i; j++) assert_string_not_equal(path[i], path[j]);
  }
  assert_string_not_equal(scoria_views[SCORIA_VIEW_FIELD].group, scoria_views[SCORIA_VIEW_RELATIVE].group);
}

/* ---------------------------------------------------------------------------------------- uq.h5, posterior.h5 ---- */

/* The rows of uq's moments are arrays of doubles, in the order of the members. */
static void moments_are_a_row_of_doubles(void **state)
{
  (void)state;
  for (int i = 0; i < SCORIA_UQ_NMOMENTS; i++)
    assert_int_equal(scoria_uq_moment_members[i].offset, (size_t)i * sizeof(double));
  assert_null(scoria_uq_moment_members[SCORIA_UQ_NMOMENTS].name);
  assert_string_equal(scoria_uq_moment_members[UQ_MEAN_SE].name, "mean_se");
  assert_string_equal(scoria_uq_moment_members[UQ_SKEWNESS].name, "skewness");
  assert_string_equal(scoria_uq_moment_members[UQ_MAX].name, "max");
}

static void every_array_of_the_posterior_has_a_path_of_its_own(void **state)
{
  static const char *const groups[] = {POSTERIOR_FIELDS, POSTERIOR_QUANTITIES, POSTERIOR_CONDITIONS};
  char path[64][96];
  int n = 0;
  (void)state;
  for (int side = 0; side < SCORIA_POSTERIOR_SIDES; side++)
    for (int g = 0; g < 3; g++)
      for (int c = 0; c < SCORIA_POSTERIOR_CURVES; c++)
        posterior_path(side, groups[g], "c", c, sizeof path[0], path[n++]);
  assert_string_equal(path[0], "/prior/fields/c/mean"); /* as in files of the release */
  assert_string_equal(path[n - 1], "/conditions/c/quantile");
  for (const ScoriaMember *m = scoria_posterior_sensor_members; m->name; m++) {
    assert_true(*m->title);
    posterior_sensor_path(m->name, sizeof path[0], path[n++]);
  }
  assert_string_equal(path[n - 2], "/sensors/posterior_sd"); /* as in files of the release; residuals were added */
  for (int i = 0; i < n; i++)
    for (int j = 0; j < i; j++) assert_string_not_equal(path[i], path[j]);
}

/* ------------------------------------------------------------------------------------------------------- JSON ---- */

static const struct {
  const ScoriaMember *table;
  size_t size;
} tables[] = {{scoria_field_cost_members, sizeof(ScoriaFieldCost)},
              {scoria_worth_members, sizeof(ScoriaWorth)},
              {scoria_worth_way_members, sizeof(ScoriaWorthWay)},
              {scoria_worth_quantity_members, sizeof(ScoriaWorthQuantity)},
              {scoria_worth_estimate_members, sizeof(ScoriaWorthEstimate)},
              {scoria_law_members, sizeof(ScoriaLawKept)},
              {scoria_nearest_members, sizeof(ScoriaNearestRows)},
              {scoria_held_out_members, sizeof(ScoriaHeldOut)},
              {scoria_tail_members, sizeof(ScoriaTailOf)},
              {scoria_tail_at_members, sizeof(ScoriaTailAt)},
              {scoria_uq_checked_members, sizeof(ScoriaUqChecked)},
              {scoria_uq_bias_members, sizeof(ScoriaUqBias)},
              {scoria_uq_check_members, sizeof(ScoriaUqCheck)},
              {scoria_uq_fidelity_members, sizeof(ScoriaUqFidelity)},
              {scoria_uq_levels_members, sizeof(ScoriaUqLevels)},
              {scoria_uq_member_members, sizeof(ScoriaUqMember)},
              {scoria_uq_group_members, sizeof(ScoriaUqGroup)},
              {scoria_uq_gain_members, sizeof(ScoriaUqGain)},
              {scoria_uq_axis_members, sizeof(ScoriaUqAxis)},
              {scoria_uq_condition_members, sizeof(ScoriaUqCondition)},
              {scoria_uq_quantity_members, sizeof(ScoriaUqQuantity)},
              {scoria_uq_moment_members, sizeof(ScoriaUqMoments)},
              {scoria_uq_quantile_members, sizeof(ScoriaUqQuantile)},
              {scoria_uq_histogram_members, sizeof(ScoriaUqHistogram)},
              {scoria_uq_exceedance_members, sizeof(ScoriaUqExceedance)},
              {scoria_uq_sobol_members, sizeof(ScoriaUqSobol)},
              {scoria_uq_spread_members, sizeof(ScoriaUqSpread)},
              {scoria_uq_index_members, sizeof(ScoriaUqIndex)},
              {scoria_uq_cost_members, sizeof(ScoriaUqCost)},
              {scoria_uq_way_members, sizeof(ScoriaUqWay)},
              {scoria_uq_auto_members, sizeof(ScoriaUqAuto)},
              {scoria_posterior_members, sizeof(ScoriaPosteriorRun)},
              {scoria_posterior_value_members, sizeof(ScoriaPosteriorValue)},
              {scoria_posterior_quantile_members, sizeof(ScoriaPosteriorQuantile)},
              {scoria_posterior_sensor_members, sizeof(ScoriaPosteriorSensor)}};
enum { WORDS = 16 };

/* Every member of the struct has one row, and a value of its own. */
static void fill(const ScoriaMember *table, size_t size, double words[WORDS])
{
  static const char *const texts[WORDS] = {"a", "b", "c", "d", "e", "f", "g", "h",
                                           "i", "j", "k", "l", "m", "n", "o", "p"};
  int rows[WORDS]                       = {0};
  for (const ScoriaMember *m = table; m->name; m++) {
    const size_t word = m->offset / sizeof(double);
    char *at          = (char *)words + m->offset;
    assert_true(m->offset % sizeof(double) == 0 && m->offset < size);
    rows[word]++;
    const double real   = 0.5 + (double)word;
    const int64_t count = 1000 + (int64_t)word, flag = word % 2;
    memcpy(at,
           m->kind == SCORIA_MEMBER_REAL    ? (const void *)&real
           : m->kind == SCORIA_MEMBER_COUNT ? (const void *)&count
           : m->kind == SCORIA_MEMBER_FLAG  ? (const void *)&flag
                                            : (const void *)&texts[word],
           8);
  }
  for (size_t i = 0; i < size / sizeof(double); i++) assert_int_equal(rows[i], 1);
}

static void members_are_read_as_they_were_written(void **state)
{
  (void)state;
  for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
    double from[WORDS], to[WORDS];
    assert_true(tables[t].size <= sizeof from);
    fill(tables[t].table, tables[t].size, from);
    cJSON *object = cJSON_CreateObject();
    members_add(object, tables[t].table, from);
    members_take(object, tables[t].table, to);
    for (const ScoriaMember *m = tables[t].table; m->name; m++) {
      const char *a = (const char *)from + m->offset, *b = (const char *)to + m->offset;
      if (m->kind == SCORIA_MEMBER_TEXT)
        assert_string_equal(*(const char *const *)a, *(const char *const *)b);
      else
        assert_memory_equal(a, b, 8);
    }
    cJSON_Delete(object);
  }
}

static void what_is_missing_or_infinite_is_null(void **state)
{
  ScoriaWorth worth;
  const ScoriaWorth endless = {.break_even_samples = INFINITY, .seconds_data = NAN, .winner = "pde"};
  (void)state;
  members_take(NULL, scoria_worth_members, &worth);
  assert_true(isnan(worth.seconds_pde) && worth.training_rows == -1 && !worth.winner);
  cJSON *object = cJSON_CreateObject();
  members_add(object, scoria_worth_members, &endless);
  assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(object, "break_even_samples")));
  members_take(object, scoria_worth_members, &worth);
  assert_true(isnan(worth.break_even_samples) && isnan(worth.seconds_data) && worth.seconds_pde == 0);
  assert_string_equal(worth.winner, "pde");
  cJSON_Delete(object);
}

/* Ends apart by no more digits than tell, and by as many. */
static void intervals_have_the_digits_that_tell(void **state)
{
  static const struct {
    double low, high;
    const char *text;
  } cases[] = {
      {0.50959, 0.55329, "0.51 to 0.553"},   {2.5647e-05, 0.0028269, "2.6e-05 to 0.0028"},
      {0, 0.001917, "0 to 0.0019"},          {0.99998731, 0.99999512, "0.9999873 to 0.9999951"},
      {0.99808, 1, "0.9981 to 1"},           {0.5, 0.5, "0.5 to 0.5"},
      {0.030021, 0.046752, "0.03 to 0.047"},
  };
  char text[64];
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uq_interval_text(cases[i].low, cases[i].high, sizeof text, text);
    assert_string_equal(text, cases[i].text);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_array_has_a_path_of_its_own),
      cmocka_unit_test(paths_of_the_release_stay),
      cmocka_unit_test(every_source_is_measured_but_the_reference),
      cmocka_unit_test(curves_are_moments_or_quantiles),
      cmocka_unit_test(rows_of_whole_fields_are_whole),
      cmocka_unit_test(moments_are_a_row_of_doubles),
      cmocka_unit_test(every_array_of_the_posterior_has_a_path_of_its_own),
      cmocka_unit_test(members_are_read_as_they_were_written),
      cmocka_unit_test(what_is_missing_or_infinite_is_null),
      cmocka_unit_test(intervals_have_the_digits_that_tell),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

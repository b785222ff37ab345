/* Conditions of every kind: a row at a value of a condition is, to the last bit, that of a deck in which the value is
 * fixed, and so is the twin; laws of given mean and spread have them; what nothing depends on, and what bounds exclude,
 * is refused. */
#include "physics/electrode/electrode.h"
#include "verify_problem.h"

enum { CELLS = 24, MOST = 4 };

static bool open_ensemble(const char *text, ScoriaEnsemble *ens, ScoriaDatasetSpec *spec, const double **x)
{
  static const ScoriaKey *tables[MAX_TABLES + 1] = {scoria_base_keys, scoria_physics_keys};
  ScoriaDeck deck;
  tables[2 + problem_key_tables(MAX_TABLES - 2, tables + 2)] = NULL;
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, text, tables, &deck));
  const bool made = !ScoriaEnsembleCreate(PETSC_COMM_SELF, deck, ens);
  if (made) CHECK(ScoriaEnsembleSpec(*ens, spec, x));
  CHECK(ScoriaDeckDestroy(&deck));
  return made;
}

/* Rows of three porosities and the twin at one condition. */
typedef struct {
  int nfields;
  double row[MOST][3 * CELLS], twin[MOST * CELLS];
  char unit[24];
} Rows;

/* The load in the middle of its range, and `name`, where it is a condition, at its value. */
static void rows_of(const char *text, const char *name, double value, Rows *out)
{
  double theta[3 * SCORIA_MAX_CONDITIONS], middle[SCORIA_MAX_CONDITIONS] = {0};
  const uint64_t ids[3] = {4, 0, 7};
  const double *x;
  ScoriaEnsemble ens;
  ScoriaDatasetSpec spec;
  ScoriaRows rows;
  if (!open_ensemble(text, &ens, &spec, &x)) fail_msg("%s: %s", text, ScoriaFailureLine());
  const int n = spec.space.n, at = space_find(&spec.space, name);
  memset(out, 0, sizeof *out);
  space_from_unit(&spec.space, middle, theta);
  if (at >= 0) {
    theta[at] = value;
    snprintf(out->unit, sizeof out->unit, "%s", spec.space.c[at].unit);
  }
  for (int i = 1; i < 3; i++) memcpy(theta + i * n, theta, sizeof *theta * (size_t)n);
  CHECK(ScoriaRowsCreate(&spec, 3, &rows));
  CHECK(ScoriaEnsembleCompute(ens, 3, theta, ids, NULL, &rows));
  for (int i = 0; i < 3; i++)
    if (rows.done[i] != SCORIA_ROW_DONE) fail_msg("%s: a row failed at %s = %g", text, name, value);
  out->nfields = spec.nfields;
  for (int f = 0; f < spec.nfields; f++) memcpy(out->row[f], rows.field[f], 3 * CELLS * sizeof(double));
  CHECK(ScoriaEnsembleTwin(ens, theta, out->twin));
  CHECK(ScoriaRowsDestroy(&rows));
  CHECK(ScoriaEnsembleDestroy(&ens));
}

/* Whether the two decks have the same rows and twin. */
static bool same_rows(const char *fixed, const char *ranged, const char *name, double value, Rows *of_ranged)
{
  Rows one;
  rows_of(fixed, name, value, &one);
  rows_of(ranged, name, value, of_ranged);
  assert_int_equal(one.nfields, of_ranged->nfields);
  return !memcmp(one.row, of_ranged->row, sizeof one.row) && !memcmp(one.twin, of_ranged->twin, sizeof one.twin);
}

/* ---------------------------------------------------------------------------------------------- parameters ---- */

#define REST "porosity: {ell: 1e-5}\nensemble: {problem: %s, cells: [24], conditions: 4, realisations: 2}\n"

static const char *load_of(const ScoriaProblem *problem)
{
  return problem == &scoria_electrode ? "F_right: [5, 15]" : "q_left: [500, 1000]";
}

/* Where neither the variant nor its set has a value: one that the key allows. */
static double any_value(const ScoriaProblem *problem, const char *key)
{
  const ScoriaKey *k = problem->keys;
  while (strcmp(k->name, key)) k++;
  return k->lo > SCORIA_POSITIVE ? sqrt(k->lo * k->hi) : 1.0;
}

/* A value near that of the variant, inside every key's bounds, and a range about it. */
static double near_value(double now, double range[2])
{
  if (now == 0) now = 1.0;
  range[0] = fmin(0.95 * now, now);
  range[1] = fmax(0.95 * now, now);
  return 0.97 * now;
}

static int varied, refused;

static void each_parameter(const Variant *v)
{
  for (const ScoriaParameter *of = v->problem->parameters; of && of->row.name; of++) {
    char set[48];
    snprintf(set, sizeof set, "%s:", of->row.name);
    const char *there = strstr(v->deck, set);
    if (there && strchr(" {", there[-1])) continue; /* the variant has it */
    const double now = *(const double *)((const char *)v->p + of->offset);
    char fixed[512], ranged[512];
    double range[2], value = near_value(isnan(now) ? any_value(v->problem, of->row.fixed) : now, range);
    const double *x;
    ScoriaEnsemble ens;
    ScoriaDatasetSpec spec;
    Rows rows;
    snprintf(fixed, sizeof fixed, "%.*s, %s: %.17g}\nconditions: {%s}\n" REST, (int)strcspn(v->deck, "}"), v->deck,
             of->row.name, value, load_of(v->problem), v->problem->name);
    snprintf(ranged, sizeof ranged, "%sconditions: {%s, %s: [%.17g, %.17g]}\n" REST, v->deck, load_of(v->problem),
             of->row.name, range[0], range[1], v->problem->name);
    if (!open_ensemble(ranged, &ens, &spec, &x)) {
      if (!strstr(ScoriaFailureLine(), "nothing depends on it")) fail_msg("%s: %s", ranged, ScoriaFailureLine());
      assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
      ScoriaFailureReset();
      refused++;
      continue;
    }
    CHECK(ScoriaEnsembleDestroy(&ens));
    if (!same_rows(fixed, ranged, of->row.name, value, &rows)) fail_msg("%s: other rows than %s", ranged, fixed);
    assert_string_equal(rows.unit, of->row.unit);
    varied++;
  }
}

static void a_parameter_is_what_it_is_where_it_is_fixed(void **state)
{
  (void)state;
  each_variant(each_parameter);
  printf("# %d parameters of variants, %d refused\n", varied, refused);
  assert_true(varied > 100 && refused > 50);
}

/* A condition that is accepted is one that counts: rows at both ends of its range differ. */
static void what_is_accepted_counts(void **state)
{
  static const struct {
    const char *deck, *name;
    double value[2];
  } cases[] = {
      {"electrode: {set: chen2020_negative}\nconditions: {R_p: [4e-6, 8e-6]}\n", "R_p", {4e-6, 8e-6}},
      {"electrode: {set: article}\nconditions: {k_rn: [0.05, 0.2]}\n", "k_rn", {0.05, 0.2}},
      {"electrode: {set: chen2020_negative}\nconditions: {c_R: [800, 1200]}\n", "c_R", {800, 1200}},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[512];
    Rows rows[2];
    snprintf(text, sizeof text, "%.*s, F_right: 10}%sporosity: {ell: 1e-5}\nensemble: {cells: [24]}\n",
             (int)strcspn(cases[i].deck, "}"), cases[i].deck, strchr(cases[i].deck, '}') + 1);
    for (int k = 0; k < 2; k++) rows_of(text, cases[i].name, cases[i].value[k], &rows[k]);
    assert_true(memcmp(rows[0].row[1], rows[1].row[1], sizeof rows[0].row[1]));
    assert_true(memcmp(rows[0].twin, rows[1].twin, sizeof rows[0].twin));
  }
}

/* ----------------------------------------------------------------------------------------------- thickness ---- */

/* A deck, "%s" where its section has the thickness, and "%s" where conditions have it; ell is a length, and no share.
 */
static const char *const of_thickness[] = {
    "electrode: {set: chen2020_negative%s}\nconditions: {F_right: [5, 15]%s}\nporosity: {ell: 1e-5}\n"
    "ensemble: {cells: [24], derived: [j, i_e, eta]}\n",
    "electrode: {set: article, solid: ohmic, sigma: 3%s}\nconditions: {F_right: [5, 15]%s}\nporosity: {ell: 1e-5}\n"
    "ensemble: {cells: [24, 6], lateral: [5e-5], derived: [j, i_e]}\n",
    "electrode: {set: article%s}\nconditions: {F_right: [5, 15]%s}\nporosity: {ell: 1e-5, kernel: matern32}\n"
    "ensemble: {cells: [24, 4, 6], lateral: [5e-5, 4e-5]}\n",
    "electrode: {set: chen2020_positive%s}\nconditions: {F_right: [5, 15]%s}\nporosity: {ell: 1e-5}\n"
    "ensemble: {cells: [24], mode: transient, time: 20}\n",
    "heat: {q: 2000%s}\nconditions: {q_left: [500, 1000]%s}\nporosity: {ell: 1e-2}\n"
    "ensemble: {problem: heat, cells: [24, 5], lateral: [0.05], derived: [flux]}\n"};

/* Rows at two thicknesses, one after the other and back, are those of decks of these thicknesses, whatever the solver
 * and the porosity have been set to before; along x their places are shares. */
static void rows_of_a_thickness_are_those_of_a_deck_of_it(void **state)
{
  enum { ROWS = 3 };
  (void)state;
  for (size_t k = 0; k < sizeof of_thickness / sizeof *of_thickness; k++) {
    const double unit        = strstr(of_thickness[k], "heat") ? 1e3 : 1;
    const double L[ROWS]     = {8e-5 * unit, 1.1e-4 * unit, 8e-5 * unit};
    const uint64_t ids[ROWS] = {3, 3, 5};
    double theta[ROWS * SCORIA_MAX_CONDITIONS], middle[SCORIA_MAX_CONDITIONS] = {0};
    char text[512], section[64], range[64];
    const double *x;
    ScoriaEnsemble ens;
    ScoriaDatasetSpec spec;
    ScoriaRows rows, one;
    snprintf(range, sizeof range, ", L: [%g, %g]", 5e-5 * unit, 2e-4 * unit);
    snprintf(text, sizeof text, of_thickness[k], "", range);
    if (!open_ensemble(text, &ens, &spec, &x)) fail_msg("%s: %s", text, ScoriaFailureLine());
    const int n = spec.space.n, at = space_thickness(&spec.space);
    assert_int_equal(at, space_find(&spec.space, "L"));
    for (int i = 0; i < CELLS; i++) assert_true(x[i] == (i + 0.5) / CELLS);
    for (int i = 0; i < ROWS; i++) {
      space_from_unit(&spec.space, middle, theta + i * n);
      theta[i * n + at] = L[i];
    }
    CHECK(ScoriaRowsCreate(&spec, ROWS, &rows));
    CHECK(ScoriaEnsembleCompute(ens, ROWS, theta, ids, NULL, &rows));
    CHECK(ScoriaEnsembleDestroy(&ens));
    for (int i = 0; i < ROWS; i++) {
      snprintf(section, sizeof section, ", L: %.17g", L[i]);
      snprintf(text, sizeof text, of_thickness[k], section, "");
      if (!open_ensemble(text, &ens, &spec, &x)) fail_msg("%s: %s", text, ScoriaFailureLine());
      assert_int_equal(space_thickness(&spec.space), -1);
      space_from_unit(&spec.space, middle, theta);
      CHECK(ScoriaRowsCreate(&spec, 1, &one));
      CHECK(ScoriaEnsembleCompute(ens, 1, theta, ids + i, NULL, &one));
      assert_int_equal(one.done[0], SCORIA_ROW_DONE);
      for (int f = 0; f < spec.nfields; f++)
        if (memcmp(one.field[f], rows.field[f] + i * CELLS, CELLS * sizeof(double)))
          fail_msg("%s: another %s at L = %g", text, spec.field[f].name, L[i]);
      CHECK(ScoriaRowsDestroy(&one));
      CHECK(ScoriaEnsembleDestroy(&ens));
    }
    CHECK(ScoriaRowsDestroy(&rows));
  }
}

/* ------------------------------------------------------------------------------------------------ porosity ---- */

#define ELECTRODE "electrode: {set: chen2020_negative, F_right: 10, bruggeman_D: 1.8}\n"

static void mean_and_spread_are_conditions(void **state)
{
  static const struct {
    const char *fixed, *ranged, *name;
    double value;
  } cases[] = {
      {"porosity: {ell: 1e-5, mean: 0.22}\nconditions: {U0: [0, 0.1]}\n",
       "porosity: {ell: 1e-5}\nconditions: {U0: [0, 0.1], porosity_mean: [0.2, 0.3]}\n", "porosity_mean", 0.22},
      {"porosity: {ell: 1e-5, sd: 0.03}\nconditions: {U0: [0, 0.1]}\n",
       "porosity: {ell: 1e-5}\nconditions: {U0: [0, 0.1], porosity_sd: [0.02, 0.05]}\n", "porosity_sd", 0.03},
      {"porosity: {ell: 1e-5, mean: 0.3, sd: 0.03}\nconditions: {U0: [0, 0.1]}\n",
       "porosity: {ell: 1e-5, mean: 0.3}\nconditions: {U0: [0, 0.1], porosity_sd: [0.02, 0.05]}\n", "porosity_sd",
       0.03},
  };
  Rows rows;
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char fixed[512], ranged[512];
    snprintf(fixed, sizeof fixed, ELECTRODE "%sensemble: {cells: [24]}\n", cases[i].fixed);
    snprintf(ranged, sizeof ranged, ELECTRODE "%sensemble: {cells: [24]}\n", cases[i].ranged);
    assert_true(same_rows(fixed, ranged, cases[i].name, cases[i].value, &rows));
  }
}

/* Over 20,000 draws of a few cells, in standard errors of the mean and of the SD, 4 of these. */
static void draws_have_their_mean_and_spread(void **state)
{
  enum { DRAWS = 20000 };
  static const double moments[][2] = {{0.25, 0.04}, {0.12, 0.01}, {0.38, 0.02}, {0.25, 0.12}};
  double eps[4], sum, square;
  ScoriaDeck deck;
  ScoriaPorosity por;
  const ScoriaGrid grid            = {.dim = 1, .n = {4, 1, 1}, .length = {4, 4, 4}};
  static const ScoriaKey *tables[] = {scoria_base_keys, scoria_physics_keys, NULL};
  (void)state;
  for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
    char text[128];
    snprintf(text, sizeof text, "porosity: {mean: %g, sd: %g}\n", moments[i][0], moments[i][1]);
    CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, text, tables, &deck));
    CHECK(ScoriaPorosityCreate(deck, PETSC_COMM_SELF, &grid, &por));
    sum = square = 0;
    for (uint64_t id = 0; id < DRAWS; id++) {
      CHECK(ScoriaPorosityDraw(por, 0.1, id, eps)); /* cells a distance of ten correlation lengths apart */
      for (int k = 0; k < 4; k++) {
        assert_true(eps[k] > 0.1 && eps[k] < 0.4);
        sum += eps[k] / (4 * DRAWS);
        square += pow(eps[k] - moments[i][0], 2) / (4 * DRAWS);
      }
    }
    const double error = moments[i][1] / sqrt(4.0 * DRAWS);
    if (!(fabs(sum - moments[i][0]) < 4 * error)) fail_msg("mean %g: found %g", moments[i][0], sum);
    if (!(fabs(sqrt(square) - moments[i][1]) < 4 * error)) fail_msg("sd %g: found %g", moments[i][1], sqrt(square));
    CHECK(ScoriaPorosityDestroy(&por));
    CHECK(ScoriaDeckDestroy(&deck));
  }
}

static void what_bounds_exclude_is_refused(void **state)
{
  static const struct {
    const char *deck, *line;
  } bad[] = {
      {"porosity: {ell: 1e-5}\nconditions: {porosity_mean: [0.05, 0.3]}\n",
       "conditions_porosity_mean: found 0.05, allowed inside the bounds of the porosity, 0.1 to 0.4"},
      {"porosity: {ell: 1e-5, mean: 0.45}\nconditions: {U0: [0, 1]}\n",
       "porosity_mean: found 0.45, allowed inside the bounds of the porosity, 0.1 to 0.4"},
      {"porosity: {ell: 1e-5}\nconditions: {porosity_sd: [0.02, 0.15]}\n",
       "conditions_porosity_sd: found 0.15, allowed"},
      {"porosity: {ell: 1e-5, mean: 0.2, logit_mean: 1}\nconditions: {U0: [0, 1]}\n",
       "porosity_mean: found beside porosity_logit_mean; give one of them"},
      {"porosity: {ell: 1e-5}\nconditions: {U0: [0, 1], T: [280, 320], chi: [0.5, 1], t_plus: [0.2, 0.3], c_R: [900, "
       "1100], "
       "R_p: [4e-6, 6e-6], f_AM: [0.8, 0.9], m: [6e-7, 7e-7]}\n",
       "conditions_f_AM: one condition too many, at most 8"},
      {"porosity: {ell: 1e-5}\nconditions: {L: [5e-5, 1e-4]}\nensemble: {cells: [8, 8]}\n",
       "ensemble_lateral: not set; where the thickness is a condition"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char text[512];
    const double *x;
    ScoriaEnsemble ens;
    ScoriaDatasetSpec spec;
    snprintf(text, sizeof text, ELECTRODE "%s%s", bad[i].deck,
             strstr(bad[i].deck, "ensemble") ? "" : "ensemble: {cells: [24]}\n");
    assert_false(open_ensemble(text, &ens, &spec, &x));
    assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
    if (strncmp(ScoriaFailureLine(), bad[i].line, strlen(bad[i].line)))
      fail_msg("found \"%s\", expected \"%s\"", ScoriaFailureLine(), bad[i].line);
    ScoriaFailureReset();
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_parameter_is_what_it_is_where_it_is_fixed),
                                     cmocka_unit_test(what_is_accepted_counts),
                                     cmocka_unit_test(rows_of_a_thickness_are_those_of_a_deck_of_it),
                                     cmocka_unit_test(mean_and_spread_are_conditions),
                                     cmocka_unit_test(draws_have_their_mean_and_spread),
                                     cmocka_unit_test(what_bounds_exclude_is_refused)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}

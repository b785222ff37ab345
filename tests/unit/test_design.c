/* ranks: 2
 * Designs of conditions: space-filling, reproducible, inside their ranges; the decks that must be refused, and what is
 * said. */
#include "verify/verify_electrode.h"
#include "physics/conditions_design.h"
#include <stdlib.h>
#include <unistd.h>

#define DIMENSIONS SCORIA_MAX_CONDITIONS

/* Every dimension of a net puts one point into each of 2^m equal intervals, and the first two dimensions one point into
 * each box of 2^i x 2^(m-i): the (0, m, 2)-net that Sobol's first two coordinates are, which the digital shift keeps.
 */
static void sobol_is_a_net(void **state)
{
  enum { M = 6, N = 1 << M };
  (void)state;
  for (uint64_t block = 0; block < 3; block++) {
    double u[N][DIMENSIONS];
    for (int i = 0; i < N; i++) sobol_point(5, DIMENSIONS, block * N + (uint64_t)i, u[i]);
    for (int d = 0; d < DIMENSIONS; d++) {
      int count[N] = {0};
      for (int i = 0; i < N; i++) {
        assert_true(u[i][d] > 0 && u[i][d] < 1);
        count[(int)(u[i][d] * N)]++;
      }
      for (int k = 0; k < N; k++) assert_int_equal(count[k], 1);
    }
    for (int a = 0; a <= M; a++) {
      int count[N] = {0};
      for (int i = 0; i < N; i++) count[((int)(u[i][0] * (1 << a)) << (M - a)) + (int)(u[i][1] * (1 << (M - a)))]++;
      for (int k = 0; k < N; k++) assert_int_equal(count[k], 1);
    }
  }
}

/* No two dimensions are the same sequence, and seeds give different shifts. */
static void sobol_dimensions_differ(void **state)
{
  enum { N = 64 };
  double u[N][DIMENSIONS], v[DIMENSIONS];
  (void)state;
  for (int i = 0; i < N; i++) sobol_point(5, DIMENSIONS, (uint64_t)i, u[i]);
  for (int a = 0; a < DIMENSIONS; a++)
    for (int b = 0; b < a; b++) {
      double correlation = 0;
      for (int i = 0; i < N; i++) correlation += (u[i][a] - 0.5) * (u[i][b] - 0.5) * 12.0 / N;
      assert_true(fabs(correlation) <
                  0.5); /* 1 for equal or mirrored sequences; 0.125 is one standard deviation of chance */
    }
  sobol_point(6, DIMENSIONS, 0, v);
  for (int d = 0; d < DIMENSIONS; d++) assert_true(v[d] != u[0][d]);
}

/* prod x_d over 8 dimensions, known integral 2^-8: better than chance, whose standard error at N points is sd /
 * sqrt(N). */
static void sobol_integrates(void **state)
{
  enum { N = 4096 };
  double sum = 0;
  (void)state;
  for (int i = 0; i < N; i++) {
    double u[DIMENSIONS], product = 1;
    sobol_point(1, DIMENSIONS, (uint64_t)i, u);
    for (int d = 0; d < DIMENSIONS; d++) product *= u[d];
    sum += product / N;
  }
  const double exact = ldexp(1.0, -DIMENSIONS), sd = sqrt(pow(1.0 / 3.0, DIMENSIONS) - exact * exact);
  assert_near(sum, exact, 0.5 * sd / sqrt(N));
}

static void lhs_fills_its_strata(void **state)
{
  static const int counts[] = {1, 2, 7, 64, 100, 1000};
  (void)state;
  for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
    const int n       = counts[c];
    int hits[3][1000] = {{0}}, diagonal = 0;
    for (int i = 0; i < n; i++) {
      double u[3];
      lhs_point(9, 3, (uint64_t)i, (uint64_t)n, u);
      for (int d = 0; d < 3; d++) {
        assert_true(u[d] > 0 && u[d] < 1);
        hits[d][(int)(u[d] * n)]++;
      }
      diagonal += (int)(u[0] * n) == (int)(u[1] * n);
    }
    for (int d = 0; d < 3; d++)
      for (int k = 0; k < n; k++) assert_int_equal(hits[d][k], 1);
    if (n >= 64) assert_true(diagonal < 10); /* two permutations agree in one place on average, Poisson */
  }
}

#define SHOWCASE                                                                                                       \
  "electrode: {set: chen2020_negative, state: ocp}\n"                                                                  \
  "conditions: {U0: [0.10, 0.25], F_right: [5, 20], ell: [4.26e-6, 21.3e-6], design: %s}\n"

static void deck_from(const char *text, ScoriaDeck *deck, ScoriaElectrode *el)
{
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, electrode_tables, deck));
  CHECK(ElectrodeFromDeck(*deck, el));
}

/* All designs of the deck, training and held-out: inside the ranges, spread over them, the same when asked again, each
 * its own. */
static void designs_stay_in_range(void **state)
{
  enum { N = 128, MOST = 8 };
  const char *design[MOST];
  char words[SCORIA_CHOICES_SIZE], *save = NULL;
  double first[MOST][2][SCORIA_NTHETA];
  int designs = 0;
  (void)state;
  key_choices(&(const ScoriaKey){.choices = &condition_designs}, words);
  for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
    assert_true(designs < MOST);
    if (strcmp(word, "file")) design[designs++] = word; /* that one has a test of its own */
  }
  assert_true(designs >= 3);
  for (int d = 0; d < designs; d++)
    for (int heldout = 0; heldout < 2; heldout++) {
      char text[512];
      double theta[N][SCORIA_NTHETA], again[SCORIA_NTHETA];
      ScoriaDeck deck;
      ScoriaElectrode el;
      ScoriaDesign of;
      snprintf(text, sizeof text, SHOWCASE, design[d]);
      deck_from(text, &deck, &el);
      CHECK(ScoriaDesignCreate(deck, &scoria_electrode, &el, &of));
      CHECK(ScoriaDeckDestroy(&deck));
      const ScoriaSpace space = *design_space(of);
      assert_true(space.c[SCORIA_ELL].log && !space.c[SCORIA_U0].log);
      for (int i = 0; i < N; i++) CHECK(ScoriaDesignTheta(of, heldout, i, N, theta[i]));
      CHECK(ScoriaDesignTheta(of, heldout, 17, N, again));
      CHECK(ScoriaDesignDestroy(&of));
      assert_memory_equal(again, theta[17], sizeof again);
      memcpy(first[d][heldout], theta[0], sizeof theta[0]);
      for (int k = 0; k < SCORIA_NTHETA; k++) {
        double mean = 0;
        for (int i = 0; i < N; i++) {
          double u[SCORIA_NTHETA];
          space_to_unit(&space, theta[i], u);
          assert_true(u[k] >= -1 && u[k] <= 1);
          mean += u[k] / N;
        }
        assert_near(mean, 0.0, 5.0 / sqrt(3.0 * N)); /* 5 standard errors of uniform points */
      }
    }
  /* held-out points do not depend on the design, and differ from every training design */
  assert_memory_equal(first[0][1], first[1][1], sizeof first[0][1]);
  for (int d = 0; d < designs; d++) assert_memory_not_equal(first[d][0], first[d][1], sizeof first[d][0]);
}

/* A design read from a file: values as written, ranges from the columns, fixed columns fixed. */
static void file_design_is_read(void **state)
{
  char path[] = "/tmp/scoria_design_XXXXXX", text[512];
  double theta[SCORIA_NTHETA];
  int rank;
  ScoriaDeck deck;
  ScoriaElectrode el;
  ScoriaDesign of;
  (void)state;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (rank == 0) {
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    FILE *file = fdopen(descriptor, "w");
    assert_non_null(file);
    fprintf(file, "# U0 F_right ell\n0.1 5 1e-5\n\n0.1, 12.5, 2e-5 # the second\n0.1 20 4e-6\n");
    fclose(file);
  }
  assert_false(MPI_Bcast(path, sizeof path, MPI_CHAR, 0, PETSC_COMM_WORLD));
  snprintf(text, sizeof text,
           "electrode: {set: chen2020_negative}\nconditions: {design: file, file: %s, F_right: [0, 30]}\n", path);
  deck_from(text, &deck, &el);
  CHECK(ScoriaDesignCreate(deck, &scoria_electrode, &el, &of));
  const ScoriaSpace space = *design_space(of);
  assert_true(space.c[SCORIA_U0].lo == 0.1 && space.c[SCORIA_U0].hi == 0.1);
  assert_true(space.c[SCORIA_F_RIGHT].lo == 0 && space.c[SCORIA_F_RIGHT].hi == 30); /* as the deck says */
  assert_true(space.c[SCORIA_ELL].lo == 4e-6 && space.c[SCORIA_ELL].hi == 2e-5);    /* as the column spans */
  CHECK(ScoriaDesignTheta(of, false, 1, 3, theta));
  assert_true(theta[0] == 0.1 && theta[1] == 12.5 && theta[2] == 2e-5);
  assert_true(ScoriaDesignTheta(of, false, 1, 4, theta) != 0);
  assert_non_null(strstr(ScoriaFailureLine(), "found 3 conditions, expected at least 4"));
  ScoriaFailureReset();
  CHECK(ScoriaDesignDestroy(&of));
  CHECK(ScoriaDeckDestroy(&deck));
  snprintf(text, sizeof text,
           "electrode: {set: chen2020_negative}\nconditions: {design: file, file: %s, F_right: [6, 30]}\n", path);
  deck_from(text, &deck, &el);
  assert_true(ScoriaDesignCreate(deck, &scoria_electrode, &el, &of) != 0 && !of);
  assert_non_null(strstr(ScoriaFailureLine(), "found F_right from 5 to 20"));
  ScoriaFailureReset();
  CHECK(ScoriaDeckDestroy(&deck));
  assert_false(MPI_Barrier(PETSC_COMM_WORLD));
  if (rank == 0) unlink(path);
}

/* Any condition of a file that is longer than what is kept of it, in any order, and what lies between them; no rank
 * keeps as much as the file holds. */
static void long_files_are_not_kept(void **state)
{
  enum { ROWS = 30000 };
  const ScoriaSpace space = {.n = 2,
                             .c = {{"a", "1", 0, 0, false, false, false}, {"b", "1", 0, 0, false, false, false}}};
  char path[]             = "/tmp/scoria_design_XXXXXX";
  PetscLogDouble before, after;
  double theta[2];
  int rank;
  ScoriaConditionsFile file;
  (void)state;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (rank == 0) {
    FILE *out = fdopen(mkstemp(path), "w");
    assert_non_null(out);
    fprintf(out, "\xef\xbb\xbf");
    for (int i = 0; i < ROWS; i++)
      fprintf(out, "%s%d %g%s\n", i % 7 ? "" : "# a comment\n\n", i, -0.5 * i, i % 5 ? "" : " # another");
    fclose(out);
  }
  assert_false(MPI_Bcast(path, sizeof path, MPI_CHAR, 0, PETSC_COMM_WORLD));
  CHECK(PetscMallocGetCurrentUsage(&before));
  CHECK(ScoriaConditionsOpen(PETSC_COMM_WORLD, path, &space, &file));
  assert_int_equal(conditions_rows(file), ROWS);
  assert_true(conditions_range(file, 0)[0] == 0 && conditions_range(file, 0)[1] == ROWS - 1);
  assert_true(conditions_range(file, 1)[0] == -0.5 * (ROWS - 1) && conditions_range(file, 1)[1] == 0);
  for (int i = 0; i < 3 * ROWS; i++) { /* one after the other, and here and there */
    const int64_t at = i < ROWS ? i : i % 100 ? -1 : (int64_t)i * 7919 % ROWS;
    if (at < 0) continue;
    CHECK(ScoriaConditionsAt(file, at, theta));
    assert_true(theta[0] == (double)at && theta[1] == -0.5 * (double)at);
  }
  CHECK(PetscMallocGetCurrentUsage(&after));
  assert_true(after > before); /* it is counted */
  assert_true(after - before < 0.1 * ROWS * sizeof theta);
  CHECK(ScoriaConditionsClose(&file));
  assert_false(MPI_Barrier(PETSC_COMM_WORLD));
  if (rank == 0) unlink(path);
}

/* Where nothing varies: the fixed value, the middle of a range; a transient has a time, from the snapshots too, or none
 * and is refused. */
static void fixed_values(void **state)
{
  static const struct {
    const char *ensemble;
    double time; /* NAN: refused */
  } cases[] = {{"time: 40", 40.0}, {"times: [10, 30, 100]", 55.0}, {"float64: true", NAN}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[256];
    ScoriaDeck deck;
    ScoriaSpace space;
    snprintf(text, sizeof text,
             "electrode: {set: article, U0: 0.3}\nconditions: {F_right: [10, 30], ell: [1e-6, 4e-6]}\n"
             "ensemble: {mode: transient, %s}\n",
             cases[i].ensemble);
    CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, electrode_tables, &deck));
    const PetscErrorCode error = ScoriaSpaceFixed(deck, &scoria_electrode, &space);
    if (isnan(cases[i].time)) {
      assert_true(error != 0);
      assert_non_null(strstr(ScoriaFailureLine(), "conditions_time: not set"));
      ScoriaFailureReset();
    } else {
      const double expected[] = {0.3, 20.0, 2e-6, cases[i].time};
      assert_true(!error && space.n == 4);
      for (int c = 0; c < 4; c++) assert_near(space.c[c].lo, expected[c], 1e-12 * fabs(expected[c]));
    }
    CHECK(ScoriaDeckDestroy(&deck));
  }
}

/* Refused decks: what the line must name. */
static const struct {
  const char *deck, *said;
} refused[] = {
    {"electrode: {set: chen2020_negative, state: ocp, F_right: 10}\nporosity: {ell: 1e-5}\nconditions: {U0: [0.05, "
     "0.2]}\n",
     "conditions_U0: found [0.05, 0.2] V, allowed inside the open-circuit curve of chen2020_negative"},
    {"electrode: {set: chen2020_negative, state: ocp, U0: 9}\nporosity: {ell: 1e-5}\nconditions: {F_right: [1, 2]}\n",
     "electrode_U0: found [9, 9] V"},
    {"electrode: {set: chen2020_negative, F_right: 10}\nporosity: {ell: 1e-5}\n", "no condition varies"},
    {"electrode: {set: chen2020_negative}\nporosity: {ell: 1e-5}\nconditions: {U0: [0, 1]}\n",
     "conditions_F_right: not set"},
    {"electrode: {set: chen2020_negative}\nconditions: {F_right: [0, 1]}\n", "conditions_ell: not set"},
    {"electrode: {set: chen2020_negative}\nconditions: {design: file}\n", "conditions_file: not set"},
    {"electrode: {set: chen2020_negative}\nconditions: {design: file, file: /nonexistent/design}\n",
     "/nonexistent/design: cannot be read"},
    {"electrode: {set: article, model: newman}\n",
     "electrode_R_p: not set, but newman needs it and the set article has none"},
    {"electrode: {set: chen2020_negative, model: linear}\n", "electrode_a_s0: not set, but linear needs it"},
    {"electrode: {set: chen2020_negative, electrolyte: constant}\n", "electrode_kappa0: not set"},
    {"electrode: {set: article, state: ocp}\n", "electrode_state: found ocp"},
    {"electrode: {set: chen2020_negative, state: ocp, c_s: 1e4}\n", "electrode_c_s: found with electrode_state ocp"},
    {"electrode: {set: chen2020_negative, c_s: 1e5}\n", "electrode_c_s: found 100000 mol m^-3"},
    {"electrode: {set: chen2020_negative}\nconditions: {F_right: [1, 2], ell: [1e-5, 2e-5]}\nensemble: {cells: [8, "
     "8, 8, 8]}\n",
     "ensemble_cells: found 4 numbers"},
    {"electrode: {set: chen2020_negative}\nconditions: {F_right: [1, 2], ell: [1e-5, 2e-5]}\nensemble: {cells: [2]}\n",
     "ensemble_cells: found 2"},
    /* Other units: micrometres, a share of the thickness, degrees Celsius, mol/l, percent, mV. */
    {"electrode: {set: chen2020_negative}\nporosity: {ell: 1e-5}\nconditions: {F_right: [1, 2], L: [40, 120]}\n",
     "conditions_L: found [40, 120] m, expected numbers from 1e-06 to 0.01 m, as of electrode_L"},
    {"electrode: {set: chen2020_negative, L: 85.2}\n", "electrode: L: found \"85.2\", expected a number from 1e-06 to"},
    {"electrode: {set: chen2020_negative}\nporosity: {ell: 0.1}\nconditions: {F_right: [1, 2]}\n",
     "porosity_ell: found 0.1 m beside a thickness of 8.52e-05 m, expected a length (no share of the thickness)"},
    {"electrode: {set: chen2020_negative}\nconditions: {F_right: [1, 2], ell: [5, 20]}\n", "conditions: ell: found"},
    {"electrode: {set: chen2020_negative, R_p: 5.86}\n", "electrode: R_p: found \"5.86\""},
    {"electrode: {set: chen2020_negative, T: 25}\n", "electrode: T: found \"25\", expected a number from 150 to 600 K"},
    {"electrode: {set: chen2020_negative, c_R: 1}\n",
     "electrode: c_R: found \"1\", expected a number from 10 to 20000"},
    {"porosity: {sd: 5}\n", "porosity: sd: found \"5\""},
    {"porosity: {ell: 1e-5}\nconditions: {porosity_mean: [20, 30]}\n", "conditions: porosity_mean: found \"20,30\""},
    {"conditions: {U0: [100, 250]}\n", "conditions: U0: found \"100,250\""},
    {"electrode: {set: chen2020_negative, F_right: 1}\nporosity: {ell: 1e-5}\nconditions: {U0: [0, 0.1]}\n"
     "ensemble: {cells: [8, 8], lateral: [1000]}\n",
     "ensemble_lateral: found 1000 m beside a thickness of 8.52e-05 m"},
};

static void bad_decks_are_refused(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    ScoriaDeck deck = NULL;
    ScoriaElectrode el;
    ScoriaDesign of;
    ScoriaEnsemble ens;
    PetscErrorCode error = ScoriaDeckCreateFromText(PETSC_COMM_WORLD, refused[i].deck, electrode_tables, &deck);
    if (!error) error = ElectrodeFromDeck(deck, &el);
    if (!error) error = ScoriaDesignCreate(deck, &scoria_electrode, &el, &of);
    if (!error) error = ScoriaEnsembleCreate(PETSC_COMM_WORLD, deck, &ens);
    if (!error) fail_msg("accepted: %s", refused[i].deck);
    assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
    if (!strstr(ScoriaFailureLine(), refused[i].said))
      fail_msg("said \"%s\", expected \"%s\"", ScoriaFailureLine(), refused[i].said);
    assert_null(strchr(ScoriaFailureLine(), '\n'));
    ScoriaFailureReset();
    CHECK(ScoriaDeckDestroy(&deck));
  }
}

/* Every set stands on its own, and an override changes the one value it names. */
static void sets_and_overrides(void **state)
{
  static const char *const sets[] = {"article", "chen2020_negative", "chen2020_positive", "marquis2019_negative",
                                     "marquis2019_positive"};
  (void)state;
  for (int i = 0; i < 5; i++) {
    char text[128];
    ScoriaDeck deck;
    ScoriaElectrode plain, changed;
    snprintf(text, sizeof text, "electrode: {set: %s}\n", sets[i]);
    deck_from(text, &deck, &plain);
    CHECK(ScoriaDeckDestroy(&deck));
    assert_string_equal(plain.set, sets[i]);
    assert_true(plain.L > 0 && plain.T == 298.15 && plain.b_kappa == 1.5 && plain.b_D == 1.5 && plain.g_sep == 0);
    snprintf(text, sizeof text, "electrode: {set: %s, m: 3e-7, bruggeman_D: 2.5}\n", sets[i]);
    deck_from(text, &deck, &changed);
    CHECK(ScoriaDeckDestroy(&deck));
    assert_true(changed.m_rate == 3e-7 && changed.b_D == 2.5);
    changed.m_rate = plain.m_rate;
    changed.b_D    = plain.b_D;
    assert_memory_equal(&changed, &plain, sizeof plain);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sobol_is_a_net),          cmocka_unit_test(sobol_dimensions_differ),
      cmocka_unit_test(sobol_integrates),        cmocka_unit_test(lhs_fills_its_strata),
      cmocka_unit_test(designs_stay_in_range),   cmocka_unit_test(file_design_is_read),
      cmocka_unit_test(long_files_are_not_kept), cmocka_unit_test(fixed_values),
      cmocka_unit_test(bad_decks_are_refused),   cmocka_unit_test(sets_and_overrides)};
  setenv("PETSC_OPTIONS", "-malloc_debug", 1); /* it counts bytes */
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}

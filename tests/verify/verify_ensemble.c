/* The published ensemble of the linear electrode: mean and spread of phi - phi(0) at four cells, and the deterministic
 * twin. */
#include "verify_electrode.h"

#define CELLS 100
#define DRAWS 4000

/* 100 cells, ell = L / 10, U0 = 0, F_right = -25, eps = 0.2 + 0.3 sigmoid(g). */
static const char article_text[] = "electrode: {set: article, F_right: -25}\n"
                                   "porosity: {kernel: se, min: 0.2, max: 0.5}\n"
                                   "conditions: {ell: [2e-6, 2e-5]}\n"
                                   "ensemble: {cells: [100], conditions: 1, realisations: 4000}\n";

/* Standard error of a sample standard deviation, sd sqrt((kurtosis - 1) / 4n). */
static void sample_moments(const double v[], double *mean, double *sd, double *sd_error)
{
  double second = 0, fourth = 0;
  *mean = 0;
  for (int i = 0; i < DRAWS; i++) *mean += v[i] / DRAWS;
  for (int i = 0; i < DRAWS; i++) {
    second += pow(v[i] - *mean, 2) / DRAWS;
    fourth += pow(v[i] - *mean, 4) / DRAWS;
  }
  *sd       = sqrt(second);
  *sd_error = *sd * sqrt((fourth / (second * second) - 1.0) / (4.0 * DRAWS));
}

static void article_statistics(void **state)
{
  static const struct {
    int cell;
    double mean, sd; /* [mV], of 20,000 draws */
  } published[] = {{25, 0.419, 0.125}, {50, 1.642, 0.367}, {75, 3.663, 0.643}, {99, 6.355, 0.926}};
  enum { BATCH = 100 };
  const double theta[SCORIA_NTHETA] = {0.0, -25.0, 1e-5};
  static double value[4][DRAWS];
  double many[BATCH * SCORIA_NTHETA];
  const double *x;
  ScoriaDeck deck;
  ScoriaEnsemble ens;
  ScoriaDatasetSpec spec;
  ScoriaRows rows;
  (void)state;
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, article_text, electrode_tables, &deck));
  CHECK(ScoriaEnsembleCreate(PETSC_COMM_SELF, deck, &ens));
  CHECK(ScoriaEnsembleSpec(ens, &spec, &x));
  CHECK(ScoriaRowsCreate(&spec, BATCH, &rows));
  for (int i = 0; i < BATCH; i++) memcpy(many + i * SCORIA_NTHETA, theta, sizeof theta);
  for (int first = 0; first < DRAWS; first += BATCH) {
    uint64_t ids[BATCH];
    for (int i = 0; i < BATCH; i++) ids[i] = (uint64_t)(first + i);
    CHECK(ScoriaEnsembleCompute(ens, BATCH, many, ids, NULL, &rows));
    for (int i = 0; i < BATCH; i++) {
      assert_int_equal(rows.done[i], SCORIA_ROW_DONE);
      for (int j = 0; j < 4; j++)
        value[j][first + i] = 1e3 * (rows.field[1][i * CELLS + published[j].cell] - rows.field[1][i * CELLS]);
    }
  }
  for (int j = 0; j < 4; j++) {
    double mean, sd, sd_error;
    /* 4.5 standard errors of the difference of both samples, and half a unit of the last printed digit */
    const double both = 4.5 * sqrt(1.0 + DRAWS / 20000.0);
    sample_moments(value[j], &mean, &sd, &sd_error);
    assert_near(mean, published[j].mean, both * sd / sqrt(DRAWS) + 0.0005);
    assert_near(sd, published[j].sd, both * sd_error + 0.0005);
  }
  CHECK(ScoriaRowsDestroy(&rows));
  CHECK(ScoriaEnsembleDestroy(&ens));
  CHECK(ScoriaDeckDestroy(&deck));
}

/* A row depends on (theta, id) alone: computed backwards, and after others, it has the same bits. */
static void rows_do_not_depend_on_order(void **state)
{
  enum { ROWS = 12, NX = 32 };
  static const char text[] = "electrode: {set: chen2020_negative, state: ocp, bruggeman_D: 1.8}\n"
                             "conditions: {U0: [0.1, 0.25], F_right: [5, 20], ell: [4.26e-6, 21.3e-6]}\n"
                             "ensemble: {cells: [32], conditions: 12, realisations: 1}\n";
  double theta[ROWS * SCORIA_NTHETA];
  uint64_t ids[ROWS];
  const double *x;
  ScoriaDeck deck;
  ScoriaEnsemble ens;
  ScoriaDatasetSpec spec;
  ScoriaRows forward, one;
  (void)state;
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, text, electrode_tables, &deck));
  CHECK(ScoriaEnsembleCreate(PETSC_COMM_SELF, deck, &ens));
  CHECK(ScoriaEnsembleSpec(ens, &spec, &x));
  CHECK(ScoriaRowsCreate(&spec, ROWS, &forward));
  CHECK(ScoriaRowsCreate(&spec, 1, &one));
  for (int i = 0; i < ROWS; i++) {
    CHECK(ScoriaDesignTheta(ScoriaEnsembleDesign(ens), false, i, ROWS, theta + i * SCORIA_NTHETA));
    ids[i] = (uint64_t)i;
  }
  CHECK(ScoriaEnsembleCompute(ens, ROWS, theta, ids, NULL, &forward));
  for (int i = ROWS - 1; i >= 0; i--) {
    CHECK(ScoriaEnsembleCompute(ens, 1, theta + i * SCORIA_NTHETA, ids + i, NULL, &one));
    for (int f = 0; f < 3; f++) assert_memory_equal(one.field[f], forward.field[f] + i * NX, NX * sizeof(double));
  }
  CHECK(ScoriaRowsDestroy(&forward));
  CHECK(ScoriaRowsDestroy(&one));
  CHECK(ScoriaEnsembleDestroy(&ens));
  CHECK(ScoriaDeckDestroy(&deck));
}

/* An ensemble of a deck, and a row of it; both owned by the caller (close_row). */
static void open_row(const char *text, ScoriaDeck *deck, ScoriaEnsemble *ens, ScoriaRows *row)
{
  const double *x;
  ScoriaDatasetSpec spec;
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, text, electrode_tables, deck));
  CHECK(ScoriaEnsembleCreate(PETSC_COMM_SELF, *deck, ens));
  CHECK(ScoriaEnsembleSpec(*ens, &spec, &x));
  CHECK(ScoriaRowsCreate(&spec, 1, row));
}

static void close_row(ScoriaDeck *deck, ScoriaEnsemble *ens, ScoriaRows *row)
{
  CHECK(ScoriaRowsDestroy(row));
  CHECK(ScoriaEnsembleDestroy(ens));
  CHECK(ScoriaDeckDestroy(deck));
}

/* sigma = 0: every draw is the homogeneous electrode, and so is the twin.  A twin without solution is one line naming
 * theta. */
static void twin_is_the_homogeneous_electrode(void **state)
{
  enum { NX = 32 };
  static const char text[]          = "electrode: {set: marquis2019_negative, U0: 0.01, bruggeman_D: 2}\n"
                                      "porosity: {sigma: 0, logit_mean: 0.3, ell: 1e-5}\n"
                                      "conditions: {F_right: [5, 20]}\n"
                                      "ensemble: {cells: [32]}\n";
  const double theta[SCORIA_NTHETA] = {0.01, 15.0, 1e-5}, beyond[SCORIA_NTHETA] = {0.01, 800.0, 1e-5};
  const uint64_t id = 3;
  double twin[2 * NX];
  ScoriaDeck deck;
  ScoriaEnsemble ens;
  ScoriaRows row;
  (void)state;
  open_row(text, &deck, &ens, &row);
  CHECK(ScoriaEnsembleCompute(ens, 1, theta, &id, NULL, &row));
  CHECK(ScoriaEnsembleTwin(ens, theta, twin));
  for (int k = 0; k < NX; k++) {
    assert_near(row.field[2][k], 0.1 + 0.3 / (1.0 + exp(-0.3)), 1e-14);
    assert_near(twin[k], row.field[0][k],
                1e-8); /* the effective porosity is known to rounding: 1e-14 of 1000 mol m^-3, amplified */
    assert_near(twin[NX + k], row.field[1][k], 1e-12);
  }
  assert_true(ScoriaEnsembleTwin(ens, beyond, twin) != 0);
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
  assert_non_null(strstr(ScoriaFailureLine(), "F_right = 800"));
  ScoriaFailureReset();
  close_row(&deck, &ens, &row);
}

/* Near ends are the state of rest; far ones the electrode whose pores are the narrowest everywhere, of c alone, and
 * none where that has no solution: the same solver, so that no bit differs. */
static void ends_are_rest_and_the_least_porosity(void **state)
{
  enum { NX = 16 };
  static const char text[]          = "electrode: {set: marquis2019_negative, bruggeman_D: 2}\n"
                                      "porosity: {min: 0.15, ell: 1e-5}\n"
                                      "conditions: {U0: [0.01, 0.1], F_right: [5, 20]}\n"
                                      "ensemble: {cells: [16], derived: [j]}\n";
  const double theta[SCORIA_NTHETA] = {0.05, 15.0, 1e-5}, beyond[SCORIA_NTHETA] = {0.05, 800.0, 1e-5};
  double near[3], far[3 * NX], eps[NX];
  ScoriaDeck deck;
  ScoriaEnsemble ens;
  ScoriaRows row;
  (void)state;
  open_row(text, &deck, &ens, &row);
  for (int k = 0; k < NX; k++) eps[k] = 0.15;
  CHECK(ScoriaEnsembleCompute(ens, 1, theta, NULL, eps, &row));
  CHECK(ScoriaEnsembleEnds(ens, theta, near, far));
  assert_true(near[0] == 1000 && fabs(near[1] + 0.05) < 1e-15 && near[2] == 0);
  for (int k = 0; k < NX; k++) {
    assert_true(far[k] == row.field[0][k] && far[k] > near[0]);
    assert_true(isnan(far[NX + k]) && isnan(far[2 * NX + k]));
  }
  CHECK(ScoriaEnsembleEnds(ens, beyond, near, far));
  for (int k = 0; k < NX; k++) assert_true(isnan(far[k]));
  close_row(&deck, &ens, &row);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(article_statistics), cmocka_unit_test(rows_do_not_depend_on_order),
      cmocka_unit_test(twin_is_the_homogeneous_electrode), cmocka_unit_test(ends_are_rest_and_the_least_porosity)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}

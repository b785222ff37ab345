/* The laws that problems declare: their own solutions keep them, decks without one do not declare it, and a field that
 * breaks one is seen. */
#include "physics/internal.h"
#include "scoria/stats.h"
#include "testing.h"
#include <math.h>

enum { ROWS = 6, MAX_TABLES = 16, MOST = 64 * 2 };

typedef struct {
  const ScoriaProblem *problem;
  void *parameters;   /* owned */
  ScoriaDeck deck;    /* owned */
  ScoriaEnsemble ens; /* owned */
  ScoriaDatasetSpec spec;
  ScoriaRows rows; /* owned */
  int channels, m, n;
  ScoriaSymmetry symmetry[SCORIA_MAX_SYMMETRIES];
  double theta[SCORIA_MAX_CONDITIONS]; /* inside the ranges */
} Case;

static void case_open(const char *text, Case *c)
{
  static const ScoriaKey *tables[MAX_TABLES + 1];
  double inside[SCORIA_MAX_CONDITIONS] = {0.2, -0.3, 0.1, 0.2};
  const double *x;
  ScoriaGrid grid;
  tables[0]                                                  = scoria_base_keys;
  tables[1]                                                  = scoria_physics_keys;
  tables[2 + problem_key_tables(MAX_TABLES - 2, tables + 2)] = NULL;
  *c                                                         = (Case){0};
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, text, tables, &c->deck));
  CHECK(ScoriaProblemFromDeck(c->deck, &c->problem, &c->parameters));
  CHECK(ScoriaEnsembleCreate(PETSC_COMM_SELF, c->deck, &c->ens));
  CHECK(ScoriaEnsembleSpec(c->ens, &c->spec, &x));
  CHECK(ScoriaRowsCreate(&c->spec, ROWS, &c->rows));
  while (field_is_state(&c->spec.field[c->channels])) c->channels++;
  c->m = c->channels * c->spec.cells;
  assert_true(c->m <= MOST);
  ensemble_grid(c->ens, &grid);
  c->n = problem_symmetries(c->problem, c->parameters, &c->spec.space, grid.dim, c->symmetry);
  space_from_unit(&c->spec.space, inside, c->theta);
}

static void case_close(Case *c)
{
  CHECK(ScoriaRowsDestroy(&c->rows));
  CHECK(ScoriaEnsembleDestroy(&c->ens));
  CHECK(ScoriaDeckDestroy(&c->deck));
  CHECK(PetscFree(c->parameters));
}

static const ScoriaSymmetry *find(const Case *c, const char *name)
{
  for (int s = 0; s < c->n; s++)
    if (!strcmp(c->symmetry[s].name, name)) return &c->symmetry[s];
  return NULL;
}

/* The same porosities at theta: fields (ROWS, m). */
static void solve(Case *c, const double theta[], double fields[ROWS * MOST])
{
  double thetas[ROWS * SCORIA_MAX_CONDITIONS];
  uint64_t ids[ROWS];
  for (int i = 0; i < ROWS; i++) {
    ids[i] = (uint64_t)i;
    memcpy(thetas + i * c->spec.space.n, theta, sizeof(double) * (size_t)c->spec.space.n);
  }
  CHECK(ScoriaEnsembleCompute(c->ens, ROWS, thetas, ids, NULL, &c->rows));
  for (int i = 0; i < ROWS; i++) {
    assert_int_equal(c->rows.done[i], SCORIA_ROW_DONE);
    for (int f = 0; f < c->channels; f++)
      memcpy(fields + i * c->m + f * c->spec.cells, c->rows.field[f] + i * c->spec.cells,
             sizeof(double) * (size_t)c->spec.cells);
  }
}

/* Deviation of a law between conditions, in units of the fields' SD; bend is added to one column of the last point. */
static double between(Case *c, const ScoriaSymmetry *law, double bend)
{
  static double at[3][ROWS * MOST];
  double mean[MOST], sd[MOST], shift[SCORIA_MAX_FIELDS], theta[SCORIA_MAX_CONDITIONS];
  const ScoriaCondition *range = &c->spec.space.c[law->condition];
  const double share[3]        = {0.2, 0.8, 0.5};
  for (int p = 0; p < 3; p++) {
    memcpy(theta, c->theta, sizeof theta);
    theta[law->condition] = range->lo + share[p] * (range->hi - range->lo);
    solve(c, theta, at[p]);
  }
  stats_moments(ROWS, c->m, at[0], mean, sd);
  double *last = at[law->kind == SCORIA_SYMMETRY_SHIFT ? 1 : 2];
  for (int i = 0; i < ROWS; i++) last[i * c->m + 1] += bend * sd[1];
  for (int f = 0; f < c->channels; f++) shift[f] = law->shift[f] * 0.6 * (range->hi - range->lo);
  return law->kind == SCORIA_SYMMETRY_SHIFT ? shift_deviation(ROWS, c->channels, c->spec.cells, at[0], at[1], shift, sd)
                                            : affine_deviation(ROWS, c->m, at[0], at[2], at[1], sd);
}

/* Largest residual of a law in the fields at theta, in units of the SD of its field in the middle; bend scales the
 * deviation of that field from its value in the last cell. */
static double within(Case *c, const ScoriaSymmetry *law, double bend)
{
  static double fields[ROWS * MOST];
  double mean[MOST], sd[MOST], residual[ROWS], largest = 0;
  const int L = c->spec.cells, first = law->field * L;
  solve(c, c->theta, fields);
  stats_moments(ROWS, c->m, fields, mean, sd);
  for (int i = 0; i < ROWS; i++) {
    double *f = fields + i * c->m + first;
    for (int j = 0; j < L; j++) f[j] += bend * (f[j] - f[L - 1]);
  }
  symmetry_residuals(law, c->problem, c->parameters, c->theta, ROWS, c->channels, L, fields, residual);
  for (int i = 0; i < ROWS; i++) largest = fmax(largest, fabs(residual[i]) / sd[first + L / 2]);
  return largest;
}

/* Newton's tolerance of 1e-10 on the scaled residual, amplified where the potential's SD is small beside itself. */
#define EXACT 1e-5

static void expect_between(const char *text, const char *name)
{
  Case c;
  case_open(text, &c);
  const ScoriaSymmetry *law = find(&c, name);
  assert_non_null(law);
  assert_true(between(&c, law, 0) < EXACT);
  assert_true(between(&c, law, 0.1) > 0.1 / sqrt(c.m) - EXACT); /* one column of m, off by a tenth of its SD */
  case_close(&c);
}

static void expect_relation(const char *text)
{
  Case c;
  case_open(text, &c);
  const ScoriaSymmetry *law = find(&c, "c_of_phi");
  assert_non_null(law);
  assert_true(within(&c, law, 0) < EXACT);
  assert_true(within(&c, law, 0.01) > 10 * EXACT);
  case_close(&c);
}

#define LINE                                                                                                           \
  "conditions: {U0: [-0.2, 0.2], F_right: [1, 30], ell: [5e-6, 2e-5]}\nensemble: {cells: [40], conditions: 4}\n"
#define ARTICLE "electrode: {set: article}\n"
#define GRAPHITE "electrode: {set: chen2020_negative, state: fixed, bruggeman_kappa: 1.5, bruggeman_D: "

static const char article[]  = ARTICLE "porosity: {min: 0.2, max: 0.5}\n" LINE;
static const char graphite[] = GRAPHITE "1.5}\nporosity: {min: 0.1, max: 0.4}\n" LINE;
static const char showcase[] = "electrode: {set: chen2020_negative, state: ocp, bruggeman_D: 1.8}\n"
                               "conditions: {U0: [0.1, 0.25], F_right: [5, 20], ell: [4.26e-6, 2.13e-5]}\n"
                               "ensemble: {cells: [60], conditions: 4}\n";
static const char in_time[] =
    ARTICLE "porosity: {min: 0.2, max: 0.5}\n"
            "conditions: {U0: [-0.2, 0.2], F_right: [1, 30], ell: [5e-6, 2e-5], time: [10, 90]}\n"
            "ensemble: {cells: [20], conditions: 4, mode: transient}\n";
static const char heat[] = "heat: {n: 0}\nconditions: {T_right: [280, 330], q_left: [50, 200], ell: [5e-3, 2e-2]}\n"
                           "ensemble: {problem: heat, cells: [40], conditions: 4}\n";

static void solutions_keep_the_laws_between_conditions(void **state)
{
  (void)state;
  expect_between(article, "U0_shift");
  expect_between(article, "affine_F_right");
  expect_between(graphite, "U0_shift");
  expect_between(heat, "T_right_shift");
  expect_between(heat, "affine_q_left");
}

static void equal_exponents_tie_c_to_phi(void **state)
{
  (void)state;
  expect_relation(article);
  expect_relation(graphite);
}

static double residual_of(Case *c, const char *name, const double fields[])
{
  double residual;
  const ScoriaSymmetry *law = find(c, name);
  assert_non_null(law);
  symmetry_residuals(law, c->problem, c->parameters, c->theta, 1, c->channels, c->spec.cells, fields, &residual);
  return residual;
}

/* Parabolas, for which extrapolation and one-sided slope are exact: c = c_R + bulge (1 - X^2) + slope (1 - X) + jump.
 */
static void boundary_values_are_taken_at_the_faces(void **state)
{
  static const double offset[3][2] = {{0, 0}, {7, 0}, {0, 3}}; /* slope, jump */
  double fields[MOST];
  Case c;
  (void)state;
  case_open(showcase, &c);
  const int L = c.spec.cells;
  for (int k = 0; k < 3; k++) {
    for (int j = 0; j < L; j++) {
      const double X = (j + 0.5) / L;
      fields[j]      = 1000 + 50 * (1 - X * X) + offset[k][0] * (1 - X) + offset[k][1];
      fields[L + j]  = -0.1 + 0.02 * X * X + 1e-3 * offset[k][0] * X;
    }
    assert_true(fabs(residual_of(&c, "c_separator", fields) - offset[k][1]) < 1e-9);
    assert_true(fabs(residual_of(&c, "c_slope", fields) + offset[k][0]) < 1e-8);
    assert_true(fabs(residual_of(&c, "phi_slope", fields) - 1e-3 * offset[k][0]) < 1e-12);
  }
  case_close(&c);
}

/* In single solutions the porosity bends the fields within cells, which costs a part of the SD in the middle. */
static void solutions_meet_their_boundary_values(void **state)
{
  static const char *const names[] = {"c_separator", "c_slope", "phi_slope"};
  Case c;
  (void)state;
  case_open(showcase, &c);
  for (int i = 0; i < 3; i++) assert_true(within(&c, find(&c, names[i]), 0) < 0.3);
  case_close(&c);
}

static void what_does_not_hold_is_not_declared(void **state)
{
  Case c;
  (void)state;
  case_open(showcase, &c); /* U0 moves the state of charge, exponents differ, Butler-Volmer */
  assert_int_equal(c.n, 3);
  case_close(&c);
  case_open(in_time, &c); /* on the way to the steady state c does not follow phi */
  assert_true(find(&c, "U0_shift") && find(&c, "affine_F_right") && !find(&c, "c_of_phi"));
  case_close(&c);
  case_open(GRAPHITE "1.8, g_sep: 2.5e4}\n" LINE, &c);
  assert_true(!find(&c, "U0_shift") && !find(&c, "affine_F_right") && !find(&c, "c_of_phi"));
  case_close(&c);
  case_open("heat: {n: 0.5}\nconditions: {T_right: [280, 330], q_left: [50, 200], ell: [5e-3, 2e-2]}\n"
            "ensemble: {problem: heat, cells: [40], conditions: 4}\n",
            &c);
  assert_int_equal(c.n, 0);
  case_close(&c);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(solutions_keep_the_laws_between_conditions),
      cmocka_unit_test(equal_exponents_tie_c_to_phi),
      cmocka_unit_test(boundary_values_are_taken_at_the_faces),
      cmocka_unit_test(solutions_meet_their_boundary_values),
      cmocka_unit_test(what_does_not_hold_is_not_declared),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

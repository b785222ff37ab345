/* The way back: draws of our own Gaussian process, of every kernel, in one to three dimensions, give its parameters
 * within their stated standard errors. */
#include "verify/verify_electrode.h"
#include "physics/porosity_field.h"
#include "physics/porosity_fit.h"

typedef struct {
  ScoriaGrid grid;
  int rows;
  double ell, anisotropy[2];
} Case;

static const Case cases[] = {
    {{1, {64, 1, 1}, {64e-6, 1e-6, 1e-6}}, 400, 6e-6, {1, 1}},
    {{2, {64, 48, 1}, {64e-6, 48e-6, 1e-6}}, 20, 5e-6, {0.6, 1}},
    {{3, {128, 24, 24}, {128e-6, 24e-6, 24e-6}}, 1, 3e-6, {0.8, 1.2}}, /* one scan */
};

#define MIN 0.15
#define MAX 0.45
#define LOGIT_MEAN 0.3
#define SIGMA 1.2

/* Realisations from `first` on. */
static void draw(const Case *c, const char *kernel, uint64_t first, LocalPorosity *local, double **eps)
{
  char text[512];
  ScoriaDeck deck;
  ScoriaPorosity por;
  const int cells = c->grid.n[0] * c->grid.n[1] * c->grid.n[2];
  snprintf(
      text, sizeof text,
      "run: {seed: 8}\nporosity: {kernel: %s, min: %g, max: %g, logit_mean: %g, sigma: %g, anisotropy: [%g, %g]}\n",
      kernel, MIN, MAX, LOGIT_MEAN, SIGMA, c->anisotropy[0], c->anisotropy[1]);
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, text, electrode_tables, &deck));
  CHECK(ScoriaPorosityCreate(deck, PETSC_COMM_SELF, &c->grid, &por));
  CHECK(PetscMalloc1(c->rows * cells, eps));
  for (int r = 0; r < c->rows; r++)
    CHECK(ScoriaPorosityDraw(por, c->ell, first + (uint64_t)r, *eps + (size_t)r * (size_t)cells));
  *local = (LocalPorosity){.rows = c->rows};
  for (int a = 0; a < 3; a++) {
    local->n[a]      = c->grid.n[a];
    local->window[a] = c->grid.length[a] / c->grid.n[a];
  }
  CHECK(ScoriaPorosityDestroy(&por));
  CHECK(ScoriaDeckDestroy(&deck));
}

/* Within 4 standard errors, which are below `most`. */
static void expect(const char *kernel, int dim, const char *name, const ScoriaEstimate *e, double truth, double most)
{
  if (!(fabs(e->value - truth) < 4 * e->error && e->error < most))
    fail_msg("%s in %d-D: %s is %g +- %g, expected %g with an error below %g", kernel, dim, name, e->value, e->error,
             truth, most);
}

/* Errors are below what a user of them could still use: a tenth of a length, hundredths of the rest. */
static void check(const Case *c, const char *kernel, const ScoriaPorosityFit *fit)
{
  static const char *const names[3] = {"ell along x", "ell along y", "ell along z"};
  const int dim                     = c->grid.dim;
  assert_string_equal(fit->name[fit->kernel], kernel);
  expect(kernel, dim, "min", &fit->min, MIN, 0.003);
  expect(kernel, dim, "max", &fit->max, MAX, 0.003);
  expect(kernel, dim, "logit_mean", &fit->logit_mean, LOGIT_MEAN, 0.2);
  expect(kernel, dim, "sigma", &fit->sigma, SIGMA, 0.06);
  for (int a = 0; a < 3; a++) {
    const double ell = c->ell * (a ? c->anisotropy[a - 1] : 1);
    if (a < dim)
      expect(kernel, dim, names[a], &fit->ell[a], ell, 0.1 * ell);
    else
      assert_true(isnan(fit->ell[a].value));
  }
}

static void parameters_come_back(void **state)
{
  const PorosityFitAsked asked = {NAN, NAN};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (const FieldKernel *k = porosity_kernels.table; k->name; k++) {
      const Case *c = &cases[i];
      LocalPorosity local;
      ScoriaPorosityFit fit;
      double *eps;
      draw(c, k->name, 0, &local, &eps);
      CHECK(PorosityFit(&local, eps, &asked, &fit));
      CHECK(PetscFree(eps));
      check(c, k->name, &fit);
    }
}

/* Bounds that are known are kept, and what has none to estimate is refused. */
static void bounds_may_be_given(void **state)
{
  const PorosityFitAsked asked = {MIN, MAX}, inside = {0.2, 0.4};
  LocalPorosity local;
  ScoriaPorosityFit fit;
  double *eps;
  (void)state;
  draw(&cases[0], "matern32", 0, &local, &eps);
  CHECK(PorosityFit(&local, eps, &asked, &fit));
  assert_true(fit.min.value == MIN && fit.max.value == MAX && fit.min.error < 1e-15);
  expect("matern32", 1, "logit_mean", &fit.logit_mean, LOGIT_MEAN, 0.05);
  expect("matern32", 1, "sigma", &fit.sigma, SIGMA, 0.03);
  assert_true(PorosityFit(&local, eps, &inside, &fit) != 0);
  assert_non_null(strstr(ScoriaFailureLine(), "expected all inside the bounds given"));
  ScoriaFailureReset();
  for (int64_t i = 0; i < local.rows * local.n[0]; i++) eps[i] = 0.3;
  assert_true(PorosityFit(&local, eps, &asked, &fit) != 0);
  assert_non_null(strstr(ScoriaFailureLine(), "nothing varies"));
  ScoriaFailureReset();
  CHECK(PetscFree(eps));
}

/* Over independent sets of rows, (estimate - truth) / standard error has mean 0 and variance 1: of REPEATS sets their
 * root mean square is known to 9 %, and with errors of a jackknife of 16 blocks it is 1.07; within 3 standard errors.
 */
static void standard_errors_are_calibrated(void **state)
{
  enum { REPEATS = 60, KINDS = 3 };
  static const char *const names[KINDS] = {"logit_mean", "sigma", "ell"};
  const PorosityFitAsked asked          = {MIN, MAX};
  const Case c                          = {cases[0].grid, 160, cases[0].ell, {1, 1}};
  const double truth[KINDS]             = {LOGIT_MEAN, SIGMA, c.ell};
  double square[KINDS]                  = {0};
  (void)state;
  for (uint64_t i = 0; i < REPEATS; i++) {
    LocalPorosity local;
    ScoriaPorosityFit fit;
    double *eps;
    draw(&c, "matern32", 1000 + i * (uint64_t)c.rows, &local, &eps);
    CHECK(PorosityFit(&local, eps, &asked, &fit));
    CHECK(PetscFree(eps));
    const ScoriaEstimate *e[KINDS] = {&fit.logit_mean, &fit.sigma, &fit.ell[0]};
    for (int k = 0; k < KINDS; k++) square[k] += pow((e[k]->value - truth[k]) / e[k]->error, 2) / REPEATS;
  }
  for (int k = 0; k < KINDS; k++) {
    printf("# %s: rms of (estimate - truth) / standard error %.2f\n", names[k], sqrt(square[k]));
    assert_true(sqrt(square[k]) > 0.8 && sqrt(square[k]) < 1.35);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(parameters_come_back), cmocka_unit_test(bounds_may_be_given),
                                     cmocka_unit_test(standard_errors_are_calibrated)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}

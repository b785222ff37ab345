/* Random porosity: marginal and covariance of the Gaussian behind eps, for every kernel; independence of order; bounds.
 */
#include "verify/verify_electrode.h"
#include "unit/covariance_kernels.h"
#include "physics/porosity.h"

#define CELLS 40
#define DRAWS 6000
#define LENGTH 1e-4

static void porosity_from(const char *keys, int cells, ScoriaPorosity *por)
{
  char text[256];
  ScoriaDeck deck;
  snprintf(text, sizeof text, "run: {seed: 11}\nporosity: {min: 0.15, max: 0.45, %s}\n", keys);
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, text, electrode_tables, &deck));
  const ScoriaGrid grid = {1, {cells, 1, 1}, {LENGTH, 0, 0}};
  CHECK(ScoriaPorosityCreate(deck, PETSC_COMM_SELF, &grid, por));
  CHECK(ScoriaDeckDestroy(&deck));
}

/* g of eps, for min 0.15, max 0.45. */
static double logit(double eps)
{
  return log((eps - 0.15) / (0.45 - eps));
}

/* A test of the kernels here that missed one of the deck's choices would let it pass. */
static void every_kernel_is_tested(void **state)
{
  char words[128] = "", choices[SCORIA_CHOICES_SIZE];
  (void)state;
  for (size_t i = 0; i < KERNELS; i++) {
    if (i) strcat(words, " ");
    strcat(words, kernels[i].name);
  }
  for (const ScoriaKey *key = scoria_physics_keys; key->name; key++)
    if (!strcmp(key->name, "porosity_kernel")) {
      key_choices(key, choices);
      assert_string_equal(choices, words);
    }
}

/* Mean and covariances of logit(eps), at 5 standard errors: mean sigma / sqrt(n); covariance sigma^2 sqrt((1 + r^2) /
 * n). */
static void moments_are_the_kernels(void **state)
{
  static const double lengths[] = {LENGTH / 20, LENGTH / 4};
  static const int pair[][2]    = {{0, 0}, {20, 20}, {39, 39}, {0, 1}, {10, 12}, {10, 15}, {5, 20}, {0, 39}};
  static double g[DRAWS][CELLS];
  const double mean = 0.4, sigma = 1.3;
  (void)state;
  for (size_t i = 0; i < KERNELS * 2; i++) {
    const double ell = lengths[i % 2];
    char keys[64];
    ScoriaPorosity por;
    snprintf(keys, sizeof keys, "kernel: %s, logit_mean: %g, sigma: %g", kernels[i / 2].name, mean, sigma);
    porosity_from(keys, CELLS, &por);
    for (int n = 0; n < DRAWS; n++) {
      CHECK(ScoriaPorosityDraw(por, ell, (uint64_t)n, g[n]));
      for (int k = 0; k < CELLS; k++) g[n][k] = logit(g[n][k]);
    }
    CHECK(ScoriaPorosityDestroy(&por));
    for (size_t p = 0; p < sizeof pair / sizeof *pair; p++) {
      const int a = pair[p][0], b = pair[p][1];
      const double r = kernels[i / 2].covariance(abs(a - b) * LENGTH / CELLS / ell);
      double first = 0, second = 0;
      for (int n = 0; n < DRAWS; n++) {
        first += g[n][a] / DRAWS;
        second += (g[n][a] - mean) * (g[n][b] - mean) / DRAWS;
      }
      assert_near(first, mean, 5.0 * sigma / sqrt(DRAWS));
      assert_near(second, sigma * sigma * r, 5.0 * sigma * sigma * sqrt((1.0 + r * r) / DRAWS));
    }
  }
}

/* The showcase's longest correlation on its grid, where the covariance is singular to rounding, is drawn smooth:
 * neighbouring cells of a squared exponential differ by h / ell in g, and jitter of 1e-8 would add 1e-4. */
static void smooth_draws_are_smooth(void **state)
{
  double eps[128], third = 0;
  ScoriaPorosity por;
  (void)state;
  porosity_from("kernel: se", 128, &por);
  for (int n = 0; n < 50; n++) {
    CHECK(ScoriaPorosityDraw(por, LENGTH / 4, (uint64_t)n, eps));
    for (int k = 0; k < 128; k++) assert_true(eps[k] > 0.15 && eps[k] < 0.45);
    for (int k = 1; k + 2 < 128; k++)
      third = fmax(third, fabs(logit(eps[k + 2]) - 3 * logit(eps[k + 1]) + 3 * logit(eps[k]) - logit(eps[k - 1])));
  }
  CHECK(ScoriaPorosityDestroy(&por));
  /* h^3 |g'''|: (4 / 128)^3 times sqrt(15) and 4 to 5 standard deviations, 6e-4; white noise of 1e-4 would give
   * sqrt(20) x 1e-4 x 5 = 2e-3 */
  assert_true(third < 1e-3);
}

/* A realisation depends on (seed, id, ell) alone, also when factors have been evicted in between. */
static void draws_do_not_depend_on_order(void **state)
{
  enum { IDS = 20, LENGTHS = 7 };
  static double kept[LENGTHS][IDS][CELLS];
  double eps[CELLS];
  ScoriaPorosity por;
  (void)state;
  porosity_from("kernel: matern32", CELLS, &por);
  for (int l = 0; l < LENGTHS; l++)
    for (int n = 0; n < IDS; n++) CHECK(ScoriaPorosityDraw(por, 1e-5 * (l + 1), (uint64_t)n, kept[l][n]));
  for (int n = IDS - 1; n >= 0; n--)
    for (int l = 0; l < LENGTHS; l++) {
      CHECK(ScoriaPorosityDraw(por, 1e-5 * (l + 1), (uint64_t)n, eps));
      assert_memory_equal(eps, kept[l][n], sizeof eps);
    }
  /* and differs from one id, or length, to the next */
  assert_memory_not_equal(kept[0][0], kept[0][1], sizeof eps);
  assert_memory_not_equal(kept[0][0], kept[1][0], sizeof eps);
  /* ids that differ in their high words only */
  CHECK(ScoriaPorosityDraw(por, 1e-5, (uint64_t)1 << 32, eps));
  assert_memory_not_equal(eps, kept[0][0], sizeof eps);
  CHECK(ScoriaPorosityDestroy(&por));
}

/* The quadrature against the mean over draws, at 5 standard errors; and exactly where nothing varies. */
static void effective_porosity_is_the_harmonic_mean(void **state)
{
  const double b = 1.5;
  double eps[CELLS], effective, mean = 0, square = 0;
  ScoriaPorosity por;
  (void)state;
  porosity_from("sigma: 1.2, logit_mean: -0.3", CELLS, &por);
  CHECK(ScoriaPorosityEffective(por, b, &effective));
  for (int n = 0; n < DRAWS; n++) {
    CHECK(ScoriaPorosityDraw(por, 1e-5, (uint64_t)n, eps));
    const double inverse = pow(eps[17], -b);
    mean += inverse / DRAWS;
    square += inverse * inverse / DRAWS;
  }
  CHECK(ScoriaPorosityDestroy(&por));
  assert_near(pow(effective, -b), mean, 5.0 * sqrt((square - mean * mean) / DRAWS));
  porosity_from("sigma: 0, logit_mean: 0", CELLS, &por);
  CHECK(ScoriaPorosityEffective(por, b, &effective));
  CHECK(ScoriaPorosityDestroy(&por));
  assert_near(effective, 0.3, 1e-14);
}

static void bounds_are_checked(void **state)
{
  const ScoriaGrid grid = {1, {CELLS, 1, 1}, {LENGTH, 0, 0}};
  ScoriaDeck deck;
  ScoriaPorosity por;
  (void)state;
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, "porosity: {min: 0.5, max: 0.4}\n", electrode_tables, &deck));
  assert_true(ScoriaPorosityCreate(deck, PETSC_COMM_SELF, &grid, &por) != 0);
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
  assert_non_null(strstr(ScoriaFailureLine(), "porosity_min: found 0.5"));
  ScoriaFailureReset();
  CHECK(ScoriaDeckDestroy(&deck));
}

/* A realisation is what its own normals give; the median profile is that of no deviation at all. */
static void normals_make_the_realisation(void **state)
{
  double z[CELLS], drawn[CELLS], made[CELLS];
  ScoriaPorosity por;
  (void)state;
  porosity_from("kernel: matern32, sigma: 0.8, logit_mean: 0.4", CELLS, &por);
  for (uint64_t id = 3; id < 6; id++) {
    rng_normal(11, SCORIA_STREAM_POROSITY, id, 0, CELLS, z);
    CHECK(ScoriaPorosityDraw(por, 2e-5, id, drawn));
    CHECK(ScoriaPorosityFrom(por, 2e-5, z, made));
    assert_memory_equal(drawn, made, sizeof drawn);
  }
  memset(z, 0, sizeof z);
  CHECK(ScoriaPorosityFrom(por, 2e-5, z, made));
  for (int k = 0; k < CELLS; k++) assert_near(made[k], 0.15 + 0.3 / (1 + exp(-0.4)), 1e-15);
  CHECK(ScoriaPorosityDestroy(&por));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_kernel_is_tested),
                                     cmocka_unit_test(moments_are_the_kernels),
                                     cmocka_unit_test(smooth_draws_are_smooth),
                                     cmocka_unit_test(draws_do_not_depend_on_order),
                                     cmocka_unit_test(normals_make_the_realisation),
                                     cmocka_unit_test(effective_porosity_is_the_harmonic_mean),
                                     cmocka_unit_test(bounds_are_checked)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}

/* Cheap rows brought to dear ones: a law that is known, found from pairs; its noise; and the same on all ranks.
 * ranks: 2
 */
#include "score/correction.h"
#include "testing.h"
#include <math.h>
#include <stdlib.h>

enum {
  D          = 2,
  CHANNELS   = 2,
  CELLS      = 12,
  WIDTH      = CHANNELS * CELLS,
  CONDITIONS = 200,
  EACH       = 4,
  PAIRS      = CONDITIONS * EACH
};

#define NOISE 0.05

/* z of three modes and a little of everything; y = shift(u) + (gain + slope u_0) z + noise whose size grows with u_1.
 */
typedef struct {
  int64_t condition[PAIRS];
  double u[PAIRS * D], z[PAIRS * WIDTH], y[PAIRS * WIDTH];
} Law;

static double noise_at(const double u[])
{
  return NOISE * (1 + 0.8 * u[1]);
}

static double expected(const double u[], const double z[], int w, bool shifted)
{
  return shifted ? 0.3 + 0.2 * u[0] - 0.1 * u[1] * u[1] + (0.1 + 0.05 * u[0]) * z[w] : 0;
}

static void draw(uint64_t id, const double u[], bool shifted, double z[], double y[])
{
  double normal[3 + 2 * WIDTH];
  rng_normal(11, SCORIA_STREAM_SAMPLE, id, 0, 3 + 2 * WIDTH, normal);
  for (int w = 0; w < WIDTH; w++) {
    const double s = (w % CELLS + 0.5) / CELLS;
    z[w]           = normal[0] + normal[1] * cos(M_PI * s) + normal[2] * cos(2 * M_PI * s) + 1e-3 * normal[3 + w];
    y[w]           = expected(u, z, w, shifted) + noise_at(u) * normal[3 + WIDTH + w];
  }
}

static void make_law(bool shifted, Law *law)
{
  for (int i = 0; i < PAIRS; i++) {
    law->condition[i] = i / EACH;
    rng_uniform(5, SCORIA_STREAM_CONDITION, (uint64_t)(i / EACH), 0, D, law->u + i * D);
    for (int k = 0; k < D; k++) law->u[i * D + k] = 2 * law->u[i * D + k] - 1;
    draw((uint64_t)i, law->u + i * D, shifted, law->z + i * WIDTH, law->y + i * WIDTH);
  }
}

static void fit(const Law *law, ScoriaCorrection *c)
{
  const ScoriaCorrectionPairs pairs = {D, CHANNELS, CELLS, PAIRS, law->condition, law->u, law->z, law->y};
  CHECK(ScoriaCorrectionFit(&pairs, 3, c));
}

static void a_known_law_is_found(void **state)
{
  enum { N = 2000 };
  Law *law          = malloc(sizeof *law);
  const double u[D] = {0.4, 0.5};
  double z[WIDTH], y[WIDTH], found[WIDTH], mean = 0, square = 0;
  int64_t near[CORRECTION_NEAR];
  ScoriaCorrection c;
  (void)state;
  make_law(true, law);
  fit(law, &c);
  assert_true(c->chosen.crossed && c->chosen.degree == 2 && c->chosen.modes >= 3 && c->chosen.modes <= 4);
  assert_true(c->chosen.before > 0.3);
  /* the mean of (1 + .8 u)^2 over [-1, 1] is 1.21; 800 pairs of 24 values */
  assert_true(fabs(c->chosen.after / (NOISE * sqrt(1.21)) - 1) < 0.08);
  double *work      = malloc(sizeof *work * (size_t)correction_work(c));
  const int nearest = correction_near(c, u, near);
  assert_int_equal(nearest, CORRECTION_NEAR);
  for (int i = 0; i < nearest; i++) /* the area of a disc with 16 of 800 points in the square of 4 */
    assert_true(hypot(c->u[near[i] * D] - u[0], c->u[near[i] * D + 1] - u[1]) < 0.45);
  for (int i = 0; i < N; i++) {
    draw((uint64_t)(PAIRS + i), u, true, z, y);
    correction_apply(c, u, nearest, near, 3, (uint64_t)i, z, work, found);
    for (int w = 0; w < WIDTH; w++) {
      const double off = found[w] - expected(u, z, w, true);
      mean += off / (N * WIDTH);
      square += off * off / (N * WIDTH);
    }
  }
  assert_true(fabs(mean) < 0.4 * noise_at(u)); /* of the residuals of 16 pairs, and of the fit */
  assert_true(fabs(sqrt(square) / noise_at(u) - 1) < 0.25);
  free(work);
  free(law);
  CHECK(ScoriaCorrectionDestroy(&c));
}

/* Differences that nothing tells are not explained, but drawn. */
static void noise_is_left_alone(void **state)
{
  Law *law = malloc(sizeof *law);
  ScoriaCorrection c;
  (void)state;
  make_law(false, law);
  fit(law, &c);
  assert_true(c->chosen.after > 0.98 * c->chosen.before &&
              c->chosen.after <= c->chosen.before); /* the best of 27 choices, by 800 pairs */
  free(law);
  CHECK(ScoriaCorrectionDestroy(&c));
}

static void ranks_apply_the_same(void **state)
{
  Law *law          = malloc(sizeof *law);
  const double u[D] = {-0.2, 0.1};
  double z[WIDTH], y[WIDTH], found[2][WIDTH];
  int64_t near[CORRECTION_NEAR];
  ScoriaCorrection c = NULL;
  int rank;
  (void)state;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  make_law(true, law);
  if (rank == 0) fit(law, &c);
  CHECK(ScoriaCorrectionShare(PETSC_COMM_WORLD, &c));
  double *work = malloc(sizeof *work * (size_t)correction_work(c));
  draw(PAIRS, u, true, z, y);
  const int n = correction_near(c, u, near);
  correction_apply(c, u, n, near, 3, 7, z, work, found[0]);
  memcpy(found[1], found[0], sizeof found[0]);
  MPI_Bcast(found[1], WIDTH, MPI_DOUBLE, 0, PETSC_COMM_WORLD);
  assert_memory_equal(found[0], found[1], sizeof found[0]);
  free(work);
  free(law);
  CHECK(ScoriaCorrectionDestroy(&c));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_known_law_is_found), cmocka_unit_test(noise_is_left_alone),
                                     cmocka_unit_test(ranks_apply_the_same)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}

/* Cheap whole fields brought to dear ones: filters by wave number that are known, found from pairs; invariant under
 * shifts and reflections; noise of the power that pairs have; and the same on all ranks. ranks: 2
 */
#include "score/correction.h"
#include "testing.h"
#include <math.h>
#include <stdlib.h>

enum {
  D          = 2,
  C          = 2,
  NX         = 4,
  NY         = 8,
  NZ         = 4,
  N          = NY * NZ,
  E          = C * NX,
  WIDTH      = E * N,
  CONDITIONS = 100,
  EACH       = 4,
  PAIRS      = CONDITIONS * EACH,
  LOST       = 7 /* a pair that failed */
};

#define NOISE 0.02

static const int shape[3] = {NX, NY, NZ};

/* The law's own transforms. */
typedef struct {
  CorrectionWaves *waves;
  double *z, *y; /* coordinates */
} Law;

static void law_open(Law *law)
{
  CHECK(CorrectionWavesCreate(C, shape, &law->waves));
  law->z = malloc(sizeof *law->z * WIDTH);
  law->y = malloc(sizeof *law->y * WIDTH);
}

static void law_close(Law *law)
{
  CHECK(CorrectionWavesDestroy(&law->waves));
  free(law->z);
  free(law->y);
}

/* What is added at wave number k: less of z the shorter the wave, the more of it the larger u_0. */
static double gain(const double u[], const WaveClass *c)
{
  return (0.2 + 0.1 * u[0]) / (1 + c->ky + c->kz);
}

static double shift(const double u[])
{
  return 0.3 + 0.2 * u[0] - 0.1 * u[1] * u[1];
}

/* z of three modes at every wave number, whose power falls with it; y (of `noise` times the noise). */
static void draw(Law *law, uint64_t id, const double u[], double noise, double z[], double y[])
{
  const Waves *w = &law->waves->waves;
  double *rows = law->z, *to = law->y, normal[3 + E];
  uint64_t coordinate = 0;
  for (int k = 0; k < w->classes; k++)
    for (int j = 0; j < wave_coordinates(&w->class[k]); j++) {
      rng_normal(11, SCORIA_STREAM_SAMPLE, id, coordinate++, 3 + E, normal);
      for (int e = 0; e < E; e++) {
        const double s = M_PI * (e % NX + 0.5) / NX, level = normal[0] + (e / NX ? normal[1] : 0) + normal[2] * cos(s);
        *rows = level / (1 + w->class[k].ky + w->class[k].kz);
        *to   = gain(u, &w->class[k]) * *rows + noise * NOISE * normal[3 + e] + (k ? 0 : shift(u) * sqrt(N));
        rows++;
        to++;
      }
    }
  correction_waves_back(law->waves, law->z, z);
  correction_waves_back(law->waves, law->y, y);
}

static void condition_of(int64_t i, double u[])
{
  rng_uniform(5, SCORIA_STREAM_CONDITION, (uint64_t)(i / EACH), 0, D, u);
  for (int k = 0; k < D; k++) u[k] = 2 * u[k] - 1;
}

static PetscErrorCode give(void *ctx, int64_t i, int64_t *condition, double u[], double z[], double y[])
{
  condition_of(i, u);
  *condition = i == LOST ? -1 : i / EACH;
  draw(ctx, (uint64_t)i, u, 1, z, y);
  return 0;
}

static void fit(Law *law, ScoriaCorrection *c)
{
  const ScoriaCorrectionFields pairs = {D, C, {NX, NY, NZ}, PAIRS, give, law};
  CHECK(ScoriaCorrectionFitFields(&pairs, 3, c));
}

static void known_filters_are_found(void **state)
{
  enum { ROWS = 400 };
  const double u[D] = {0.4, 0.5};
  double z[WIDTH], y[WIDTH], expected[WIDTH], off[WIDTH], power[2] = {0}, mean = 0;
  int64_t near[CORRECTION_NEAR];
  ScoriaCorrection c;
  Law law;
  (void)state;
  law_open(&law);
  fit(&law, &c);
  assert_int_equal(c->chosen.pairs, PAIRS - 1);
  assert_true(c->chosen.before > 0.2 && c->chosen.degree == 2 && c->chosen.crossed);
  /* noise of variance NOISE^2 in every coordinate: 400 pairs of 256 values each, and terms that are estimated */
  assert_true(fabs(c->chosen.after / NOISE - 1) < 0.03);
  double *work      = malloc(sizeof *work * (size_t)correction_work(c));
  const int nearest = correction_near(c, u, near);
  for (int i = 0; i < ROWS; i++) {
    draw(&law, (uint64_t)(PAIRS + i), u, 0, z, expected);
    correction_apply(c, u, nearest, near, 3, (uint64_t)i, z, work, y);
    for (int w = 0; w < WIDTH; w++) off[w] = y[w] - expected[w];
    correction_waves_to(law.waves, off, law.z);
    mean += law.z[0] / sqrt(N) / ROWS;
    for (int w = 0; w < WIDTH; w++) power[w >= WIDTH / 2] += law.z[w] * law.z[w] / (ROWS * WIDTH / 2);
  }
  /* long and short waves; of 16 residuals and of coefficients: those of the lateral mean have 400 values, others more
   */
  for (int half = 0; half < 2; half++) assert_true(fabs(power[half] / (NOISE * NOISE) - 1) < 0.15);
  assert_true(fabs(mean) < 4 * NOISE / sqrt(16 * N));
  free(work);
  law_close(&law);
  CHECK(ScoriaCorrectionDestroy(&c));
}

/* A field that is shifted, or mirrored, is corrected as it was, shifted or mirrored. */
static void filters_know_no_place(void **state)
{
  const uint32_t none[4] = {0};
  const double u[D]      = {-0.3, 0.2};
  double z[WIDTH], moved[WIDTH], y[WIDTH], found[WIDTH];
  float *rest = calloc(WIDTH, sizeof *rest);
  ScoriaCorrection c;
  Law law;
  (void)state;
  law_open(&law);
  fit(&law, &c);
  double *work = malloc(sizeof *work * (size_t)correction_work(c));
  draw(&law, 9999, u, 0, z, y);
  correction_waves_apply(c, u, rest, none, z, work, y);
  for (int mirror = 0; mirror < 4; mirror++) {
    int at[N];
    for (int k = 0; k < NZ; k++)
      for (int j = 0; j < NY; j++)
        at[k * NY + j] = ((mirror & 2 ? NZ - k : k) + 3) % NZ * NY + ((mirror & 1 ? NY - j : j) + 5) % NY;
    for (int w = 0; w < WIDTH; w++) moved[w] = z[w / (N * NX) * N * NX + at[w / NX % N] * NX + w % NX];
    correction_waves_apply(c, u, rest, none, moved, work, found);
    for (int w = 0; w < WIDTH; w++)
      assert_true(fabs(found[w] - y[w / (N * NX) * N * NX + at[w / NX % N] * NX + w % NX]) < 1e-12);
  }
  free(work);
  free(rest);
  law_close(&law);
  CHECK(ScoriaCorrectionDestroy(&c));
}

static void ranks_apply_the_same(void **state)
{
  const double u[D] = {-0.2, 0.1};
  double z[WIDTH], y[WIDTH], found[2][WIDTH];
  int64_t near[CORRECTION_NEAR];
  ScoriaCorrection c = NULL;
  Law law;
  int rank;
  (void)state;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  law_open(&law);
  if (rank == 0) fit(&law, &c);
  CHECK(ScoriaCorrectionShare(PETSC_COMM_WORLD, &c));
  double *work = malloc(sizeof *work * (size_t)correction_work(c));
  draw(&law, PAIRS, u, 1, z, y);
  const int n = correction_near(c, u, near);
  correction_apply(c, u, n, near, 3, 7, z, work, found[0]);
  memcpy(found[1], found[0], sizeof found[0]);
  MPI_Bcast(found[1], WIDTH, MPI_DOUBLE, 0, PETSC_COMM_WORLD);
  assert_memory_equal(found[0], found[1], sizeof found[0]);
  free(work);
  law_close(&law);
  CHECK(ScoriaCorrectionDestroy(&c));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(known_filters_are_found), cmocka_unit_test(filters_know_no_place),
                                     cmocka_unit_test(ranks_apply_the_same)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}

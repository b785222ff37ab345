/* Features of whole fields, and distances between samples of them, on fields that are known in closed form. */
#include "scoria/features.h"
#include "testing.h"
#include <math.h>

enum { C = 2, NX = 3, NY = 8, NZ = 4, ROW = C * NX * NY * NZ, ROWS = 50, DIRECTIONS = 5 };

static const double centres[NX]      = {1e-4, 1.01e-4, 1.2e-4}; /* neither from 0 nor uniform */

static const ScoriaFeaturesSpec spec = {.channels   = C,
                                        .grid       = {.n = {NX, NY, NZ}, .length = {3e-5, 8e-4, 4e-4}, .x = centres},
                                        .directions = DIRECTIONS,
                                        .seed       = 7};

/* (c, z, y, x) */
static int at(int c, int k, int j, int i)
{
  return ((c * NZ + k) * NY + j) * NX + i;
}

/* Waves along y (2 cycles, amplitude a) and z (1 cycle, amplitude b) on a level that depends on x. */
static void wave_row(double a, double b, double phase, double level, double row[])
{
  for (int c = 0; c < C; c++)
    for (int k = 0; k < NZ; k++)
      for (int j = 0; j < NY; j++)
        for (int i = 0; i < NX; i++)
          row[at(c, k, j, i)] =
              (c ? -1 : 1) * (level + i + a * cos(2 * M_PI * 2 * j / NY + phase) + b * cos(2 * M_PI * k / NZ + phase));
}

/* Rows of features of rows that differ in amplitude, phase and level: (ROWS, size); scale and shift of every value. */
static double *sample(ScoriaFeatures f, double scale, double shift)
{
  const int size = features_size(f);
  double row[ROW], *out;
  CHECK(PetscMalloc1((size_t)ROWS * size, &out));
  for (int r = 0; r < ROWS; r++) {
    double u[3];
    rng_uniform(11, SCORIA_STREAM_PROBE, (uint64_t)r, 0, 3, u);
    wave_row(1 + u[0], .5, 2 * M_PI * u[1], u[2], row);
    for (int i = 0; i < ROW; i++) row[i] = scale * row[i] + shift;
    features_take(f, row, out + (size_t)r * size);
  }
  return out;
}

/* The wave along y has 2 cycles on 8e-4 m: 2500 / m, the second bin of 1250 / m; the one along z 1 on 4e-4 m: the same.
 */
static void test_spectrum_and_extremes(void **state)
{
  double row[ROW], number[SCORIA_FEATURE_BINS], *out;
  ScoriaFeatures f;
  ScoriaWholeLaw *law;
  (void)state;
  CHECK(ScoriaFeaturesCreate(&spec, &f));
  const int size = features_size(f), bins = features_wave_numbers(f, number);
  assert_true(bins >= 5 && fabs(number[1] - 2500) < 1e-9);
  CHECK(PetscMalloc1(2 * size, &out));
  CHECK(PetscMalloc1(1, &law));
  wave_row(2, 1, 0, 10, row);
  for (int r = 0; r < 2; r++) features_take(f, row, out + r * size);
  CHECK(ScoriaWholeLawTake(f, 2, out, law));
  for (int c = 0; c < C; c++)
    for (int b = 0; b < bins; b++) /* a^2 / 2 + b^2 / 2 */
      assert_true(fabs(law->spectrum[c][b] - (b == 1 ? 2.5 : 0)) < 1e-12);
  /* the largest of channel 0 at x = 2, the smallest of channel 1 there */
  assert_true(fabs(law->hot[0][SCORIA_HOT_MAX].mean - 15) < 1e-12);
  assert_true(fabs(law->hot[0][SCORIA_HOT_MIN].mean - 7) < 1e-12);
  assert_true(fabs(law->hot[1][SCORIA_HOT_MIN].mean + 15) < 1e-12);
  assert_true(fabs(law->hot[0][SCORIA_HOT_MAX_X].mean - centres[2]) < 1e-18);
  assert_true(fabs(law->hot[0][SCORIA_HOT_MIN_X].mean - centres[0]) < 1e-18);
  assert_true(law->hot[0][SCORIA_HOT_MAX].sd == 0);
  CHECK(PetscFree(out));
  CHECK(PetscFree(law));
  CHECK(ScoriaFeaturesDestroy(&f));
}

/* Moved by 1: extremes and means by 1 over their SD, the spectrum not; a direction by what its normals say of it. */
static void test_shift(void **state)
{
  double expected = 0, *a, *b, sd[C * NX] = {0};
  float g[ROW];
  ScoriaFeatures f;
  ScoriaWholeLaw *law;
  ScoriaWholeDistance d;
  (void)state;
  CHECK(ScoriaFeaturesCreate(&spec, &f));
  a = sample(f, 1, 1);
  b = sample(f, 1, 0);
  CHECK(PetscMalloc1(1, &law));
  CHECK(ScoriaWholeLawTake(f, ROWS, b, law));
  CHECK(ScoriaWholeDistanceCompute(f, ROWS, a, ROWS, b, &d));
  for (int c = 0; c < C; c++) {
    assert_true(fabs(d.w1[c][SCORIA_HOT_MAX] * law->hot[c][SCORIA_HOT_MAX].sd - 1) < 1e-12);
    assert_true(fabs(d.w1[c][SCORIA_HOT_LOW] * law->hot[c][SCORIA_HOT_LOW].sd - 1) < 1e-12);
    assert_true(d.w1[c][SCORIA_HOT_MAX_X] == 0);
    assert_true(d.spectrum[c] < 1e-12);
  }
  /* the SD over rows and places of every (channel, x): that of the level, and half the squares of the amplitudes */
  double level[ROWS], square = 0, mean, spread;
  for (int r = 0; r < ROWS; r++) {
    double u[3];
    rng_uniform(11, SCORIA_STREAM_PROBE, (uint64_t)r, 0, 3, u);
    level[r] = u[2];
    square += ((1 + u[0]) * (1 + u[0]) + .25) / 2 / ROWS;
  }
  stats_moments(ROWS, 1, level, &mean, &spread);
  for (int j = 0; j < C * NX; j++) sd[j] = sqrt(spread * spread + square);
  for (int k = 0; k < DIRECTIONS; k++) {
    double sum = 0, norm = 0;
    rng_normalf(spec.seed, SCORIA_STREAM_DIRECTION, (uint64_t)k, 0, ROW, g);
    for (int i = 0; i < ROW; i++) {
      sum += g[i] / sd[0];
      norm += (double)g[i] * g[i];
    }
    expected += fabs(sum) / sqrt(norm) / DIRECTIONS;
  }
  assert_true(fabs(d.places.sliced_w - expected) < 1e-9 * expected);
  assert_true(fabs(d.means.mean_error * spread - 1) < 1e-9);
  CHECK(PetscFree(law));
  CHECK(PetscFree(a));
  CHECK(PetscFree(b));
  CHECK(ScoriaFeaturesDestroy(&f));
}

/* Stretched by 1.1: variance by 1.21 at every wave number; nothing between a sample and itself. */
static void test_stretch(void **state)
{
  double *a, *b;
  ScoriaFeatures f;
  ScoriaWholeDistance d;
  (void)state;
  CHECK(ScoriaFeaturesCreate(&spec, &f));
  a = sample(f, 1.1, 0);
  b = sample(f, 1, 0);
  CHECK(ScoriaWholeDistanceCompute(f, ROWS, a, ROWS, b, &d));
  for (int c = 0; c < C; c++) assert_true(fabs(d.spectrum[c] - 0.21) < 1e-12);
  assert_true(fabs(d.means.sd_error - 0.1) < 1e-9 && fabs(d.places.sd_error - 0.1) < 1e-9 && d.places.sliced_w > 0.1);
  CHECK(ScoriaWholeDistanceCompute(f, ROWS, b, ROWS, b, &d));
  assert_true(d.places.sliced_w == 0 && d.means.w1 == 0 && d.spectrum[0] == 0 && d.w1[1][SCORIA_HOT_MIN] == 0);
  CHECK(PetscFree(a));
  CHECK(PetscFree(b));
  CHECK(ScoriaFeaturesDestroy(&f));
}

/* Order statistics of 1 ... 1000: the interval of the .99 quantile is 990 -+ 1.96 sqrt(1000 .99 .01) = 6.2 ranks. */
static void test_intervals(void **state)
{
  double row[ROW] = {0}, *out;
  ScoriaFeatures f;
  ScoriaWholeLaw *law;
  (void)state;
  CHECK(ScoriaFeaturesCreate(&spec, &f));
  const int size = features_size(f);
  CHECK(PetscMalloc1((size_t)1000 * size, &out));
  CHECK(PetscMalloc1(1, &law));
  for (int r = 0; r < 1000; r++) {
    row[5] = 1 + (r * 7) % 1000;
    features_take(f, row, out + (size_t)r * size);
  }
  CHECK(ScoriaWholeLawTake(f, 1000, out, law));
  const ScoriaHotLaw *hot = &law->hot[0][SCORIA_HOT_MAX];
  assert_true(fabs(hot->q99 - 990.01) < 1e-9 && hot->q99_low == 984 && hot->q99_high == 998);
  assert_true(fabs(hot->q01 - 10.99) < 1e-9 && hot->q01_low == 4 && hot->q01_high == 18);
  CHECK(PetscFree(out));
  CHECK(PetscFree(law));
  CHECK(ScoriaFeaturesDestroy(&f));
}

/* What features say of residuals is what the whole fields do: the column at the last place, and the projection on the
 * normals of a direction, each (channel, x) in its SD over rows and places. */
static void test_residuals(void **state)
{
  enum { CELLS = NY * NZ, COLUMNS = C * NX };
  static double whole[ROWS * ROW];
  float g[ROW];
  double *rows, *mean, *unit, *out;
  ScoriaFeatures f;
  (void)state;
  CHECK(ScoriaFeaturesCreate(&spec, &f));
  const int size = features_size(f), places = features_places_size(f), width = features_residual_size(f);
  assert_true(places == 4 * COLUMNS && width == places + DIRECTIONS);
  CHECK(PetscMalloc4((size_t)ROWS * size, &rows, size, &mean, size, &unit, width, &out));
  for (int r = 0; r < ROWS; r++) {
    rng_normal(5, SCORIA_STREAM_PROBE, (uint64_t)r, 0, ROW, whole + r * ROW);
    for (int i = 0; i < ROW; i++) whole[r * ROW + i] = 3 + i % NX + (1 + i % NX) * whole[r * ROW + i];
    features_take(f, whole + r * ROW, rows + (size_t)r * size);
  }
  stats_moments(ROWS, size, rows, mean, unit);
  features_units(f, mean, unit);
  for (int i = 0; i < size; i++) rows[i] = (rows[i] - mean[i]) / unit[i];
  features_residual(f, rows, out);

  double centre[ROW], sd[ROW], column[COLUMNS] = {0}, sum = 0, norm = 0;
  stats_moments(ROWS, ROW, whole, centre, sd);
  for (int i = 0; i < NX; i++) {
    const int at_last = at(1, NZ / 2, NY / 2, i);
    assert_true(fabs(out[3 * COLUMNS + NX + i] - (whole[at_last] - centre[at_last]) / sd[at_last]) < 1e-9);
  }
  for (int c = 0; c < C; c++) /* the variance of the lateral means and the mean of the lateral variances */
    for (int i = 0; i < NX; i++) {
      double means[ROWS], level, spread, within = 0;
      for (int r = 0; r < ROWS; r++) {
        double values[CELLS], var;
        for (int l = 0; l < CELLS; l++) values[l] = whole[r * ROW + (c * CELLS + l) * NX + i];
        stats_moments(CELLS, 1, values, &means[r], &var);
        within += var * var * (CELLS - 1) / CELLS / ROWS;
      }
      stats_moments(ROWS, 1, means, &level, &spread);
      column[c * NX + i] = sqrt(spread * spread + within);
    }
  rng_normalf(spec.seed, SCORIA_STREAM_DIRECTION, DIRECTIONS - 1, 0, ROW, g);
  for (int i = 0; i < ROW; i++) {
    sum += g[i] * (whole[i] - centre[i]) / column[i / (CELLS * NX) * NX + i % NX];
    norm += (double)g[i] * g[i];
  }
  assert_true(fabs(out[width - 1] - sum / sqrt(norm)) < 1e-9);
  CHECK(PetscFree4(rows, mean, unit, out));
  CHECK(ScoriaFeaturesDestroy(&f));
}

/* Residuals are at no distance from themselves; a shift of the projections alone shows in sliced_w alone, in units of
 * the rms of their SD. */
static void test_residual_distance(void **state)
{
  double *a, *b;
  ScoriaFeatures f;
  ScoriaDistance d;
  (void)state;
  CHECK(ScoriaFeaturesCreate(&spec, &f));
  const int width = features_residual_size(f), places = features_places_size(f);
  CHECK(PetscMalloc2((size_t)ROWS * width, &a, (size_t)ROWS * width, &b));
  for (int r = 0; r < ROWS; r++) rng_normal(6, SCORIA_STREAM_PROBE, (uint64_t)r, 0, width, b + (size_t)r * width);
  CHECK(PetscArraycpy(a, b, (size_t)ROWS * width));
  CHECK(ScoriaResidualDistanceCompute(f, ROWS, a, ROWS, b, &d));
  assert_true(d.sliced_w == 0 && d.w1 == 0);
  double square = 0;
  for (int k = places; k < width; k++) {
    double column[ROWS], mean, sd;
    for (int r = 0; r < ROWS; r++) column[r] = b[(size_t)r * width + k];
    stats_moments(ROWS, 1, column, &mean, &sd);
    square += sd * sd / DIRECTIONS;
  }
  for (int r = 0; r < ROWS; r++)
    for (int k = places; k < width; k++) a[(size_t)r * width + k] += 2;
  CHECK(ScoriaResidualDistanceCompute(f, ROWS, a, ROWS, b, &d));
  assert_true(d.w1 == 0 && fabs(d.sliced_w - 2 / sqrt(square)) < 1e-12);
  CHECK(PetscFree2(a, b));
  CHECK(ScoriaFeaturesDestroy(&f));
}

/* Of channels on different cells each has the numbers that it has alone, whatever stands behind its own cells. */
static void test_different_cells(void **state)
{
  static const double places[5]   = {0, 1e-4, 2e-4, 3e-4, 4e-4};
  const ScoriaFeaturesGrid own[2] = {spec.grid, {.n = {5, 4, 1}, .length = {4e-4, 2e-4, 0}, .x = places}};
  const ScoriaFeaturesSpec of[3]  = {{.channels = 2, .grid = own[0], .own = own, .directions = DIRECTIONS, .seed = 7},
                                     {.channels = 1, .grid = own[0], .directions = DIRECTIONS, .seed = 7},
                                     {.channels = 1, .grid = own[1], .directions = DIRECTIONS, .seed = 7}};
  enum { CELLS = NX * NY * NZ, FEW = 20, WIDE = 5 };
  double row[2 * CELLS], *rows[3], *means[3], *again;
  ScoriaWholeLaw *law;
  ScoriaFeatures f[3];
  (void)state;
  for (int k = 0; k < 3; k++) {
    CHECK(ScoriaFeaturesCreate(&of[k], &f[k]));
    CHECK(PetscMalloc1((size_t)ROWS * features_size(f[k]), &rows[k]));
  }
  CHECK(PetscMalloc2(3, &law, features_size(f[0]), &again));
  for (int r = 0; r < ROWS; r++) {
    rng_normal(5, SCORIA_STREAM_PROBE, (uint64_t)r, 0, 2 * CELLS, row);
    for (int i = FEW; i < CELLS; i++) row[CELLS + i] = 1e300;
    features_take(f[0], row, again);
    for (int i = FEW; i < CELLS; i++) row[CELLS + i] = -3;
    features_take(f[0], row, rows[0] + (size_t)r * features_size(f[0]));
    assert_memory_equal(again, rows[0] + (size_t)r * features_size(f[0]), (size_t)features_size(f[0]) * sizeof *again);
    features_take(f[1], row, rows[1] + (size_t)r * features_size(f[1]));
    features_take(f[2], row + CELLS, rows[2] + (size_t)r * features_size(f[2]));
  }
  for (int k = 0; k < 3; k++) {
    CHECK(ScoriaWholeLawTake(f[k], ROWS, rows[k], &law[k]));
    CHECK(ScoriaFeaturesMeans(f[k], ROWS, rows[k], &means[k]));
  }
  for (int c = 0; c < 2; c++) {
    const int nx = own[c].n[0];
    assert_memory_equal(law[0].hot[c], law[1 + c].hot[0], sizeof law[0].hot[c]);
    for (int r = 0; r < ROWS; r++)
      for (int i = 0; i < WIDE; i++)
        assert_true(means[0][(r * 2 + c) * WIDE + i] == (i < nx ? means[1 + c][r * nx + i] : 0));
  }
  for (int k = 0; k < 3; k++) {
    CHECK(PetscFree(means[k]));
    CHECK(PetscFree(rows[k]));
    CHECK(ScoriaFeaturesDestroy(&f[k]));
  }
  CHECK(PetscFree2(law, again));
}

/* As many channels as a row of a file has fields, each shifted by its own number of SD. */
static void test_most_channels(void **state)
{
  enum { MOST = SCORIA_FEATURE_CHANNELS };
  ScoriaFeaturesSpec many = spec;
  double *row, *a, *b;
  ScoriaFeatures f;
  ScoriaWholeDistance d;
  (void)state;
  many.channels = MOST;
  CHECK(ScoriaFeaturesCreate(&many, &f));
  const int size = features_size(f), cells = NX * NY * NZ;
  CHECK(PetscMalloc3(MOST * cells, &row, (size_t)ROWS * size, &a, (size_t)ROWS * size, &b));
  for (int r = 0; r < ROWS; r++) {
    rng_normal(5, SCORIA_STREAM_PROBE, (uint64_t)r, 0, MOST * cells, row);
    features_take(f, row, b + (size_t)r * size);
    for (int i = 0; i < MOST * cells; i++) row[i] += i / cells;
    features_take(f, row, a + (size_t)r * size);
  }
  CHECK(ScoriaWholeDistanceCompute(f, ROWS, a, ROWS, b, &d));
  for (int c = 1; c < MOST; c++)
    assert_true(fabs(d.w1[c][SCORIA_HOT_MAX] / d.w1[1][SCORIA_HOT_MAX] / c - 1) < 0.5); /* their SD: within half */
  CHECK(PetscFree3(row, a, b));
  CHECK(ScoriaFeaturesDestroy(&f));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_spectrum_and_extremes),
      cmocka_unit_test(test_shift),
      cmocka_unit_test(test_stretch),
      cmocka_unit_test(test_intervals),
      cmocka_unit_test(test_different_cells),
      cmocka_unit_test(test_most_channels),
      cmocka_unit_test(test_residuals),
      cmocka_unit_test(test_residual_distance),
  };

  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

/* Transforms over the lateral axes against sums of cosines and sines.
 * Cells along an axis are even and odd in number, and some axes have one: neighbours along x are transformed as one
 * complex number where they are even. */
#include "score/waves.h"
#include "testing.h"
#include <math.h>

enum { CHANNELS = 2 };

static double coordinate(int c, int j, int e)
{
  double v;
  rng_normal(3, SCORIA_STREAM_SAMPLE, (uint64_t)(100 * c + j), (uint32_t)e, 1, &v);
  return v;
}

static bool is_used(const WaveClass *c, int most)
{
  return c->ky <= most;
}

static void put(const Waves *w, int most, double rows[])
{
  const int E = w->C * w->nx;
  double *of  = (double *)w->spectrum;
  for (int i = 0; i < 2 * w->C * w->half * w->nx; i++) of[i] = NAN;
  waves_clear(w, most);
  for (int c = 0; c < w->classes; c++) {
    if (!is_used(&w->class[c], most)) continue;
    for (int j = 0; j < wave_coordinates(&w->class[c]); j++)
      for (int e = 0; e < E; e++) rows[j * E + e] = coordinate(c, j, e);
    waves_put(w, &w->class[c], rows);
  }
}

static double sum_of_waves(const Waves *w, int most, int e, int y, int z)
{
  double sum = 0;
  for (int c = 0; c < w->classes; c++)
    for (int j = 0; j < wave_coordinates(&w->class[c]) && is_used(&w->class[c], most); j++)
      sum += coordinate(c, j, e) * wave_value(w, &w->class[c], j, y, z);
  return sum;
}

#define ROUNDING 1e-13 /* of sums of some hundred products, not far from 1 */

static void compare(int nx, int ny, int nz, int most)
{
  double rows[2 * WAVES_MEMBERS * CHANNELS * 4];
  Waves w;
  CHECK(WavesCreate(CHANNELS, nx, ny, nz, &w));
  put(&w, most, rows);
  waves_back(&w, most);
  for (int i = 0; i < CHANNELS * nz * ny * nx; i++) {
    const int row = i / nx, e = row / (ny * nz) * nx + i % nx;
    assert_true(fabs(w.grid[i] - sum_of_waves(&w, most, e, row % ny, row / ny % nz)) < ROUNDING);
  }
  fftw_execute(w.forward);
  for (int c = 0; c < w.classes; c++) {
    waves_take(&w, &w.class[c], rows);
    for (int j = 0; j < wave_coordinates(&w.class[c]); j++)
      for (int e = 0; e < CHANNELS * nx; e++)
        assert_true(fabs(rows[j * CHANNELS * nx + e] - (is_used(&w.class[c], most) ? coordinate(c, j, e) : 0)) <
                    ROUNDING);
  }
  CHECK(WavesDestroy(&w));
}

static void fields_are_sums_of_waves(void **state)
{
  static const int lateral[][2] = {{8, 6}, {9, 4}, {8, 5}, {7, 3}, {12, 1}, {2, 2}, {1, 6}};
  (void)state;
  for (int nx = 1; nx <= 4; nx++)
    for (size_t k = 0; k < sizeof lateral / sizeof *lateral; k++)
      for (int most = 0; most <= lateral[k][0] / 2; most++) compare(nx, lateral[k][0], lateral[k][1], most);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(fields_are_sums_of_waves)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}

/* The curves of compare: moments of the fields, and of the fields minus their value in the first cell. */
#include "testing.h"
#include "study/compare/compare.h"
#include <math.h>

enum { N = 50, C = 2, L = 7 };

/* Volts that fluctuate as a whole, with millivolts along x. */
static void make_fields(double fields[N * C * L])
{
  for (int i = 0; i < N; i++)
    for (int c = 0; c < C; c++)
      for (int j = 0; j < L; j++)
        fields[(i * C + c) * L + j] = (c + 1) * (-5 + sin(1.7 * i)) + 1e-3 * j * (2 + cos(0.9 * i));
}

static void first_cell_is_taken_away(void **state)
{
  double fields[N * C * L], same[N * C * L];
  (void)state;
  make_fields(fields);
  make_fields(same);
  compare_subtract_first(N, C, L, fields);
  for (int i = 0; i < N * C * L; i++) assert_true(fields[i] == same[i] - same[i - i % L]);
}

static void curves_of_both_views_agree(void **state)
{
  ComparisonSet set = {.conditions = 1, .channels = C, .cells = L};
  double fields[N * C * L], first[N * C * L];
  (void)state;
  make_fields(fields);
  make_fields(first);
  CHECK(CompareCreateConditions(&set));
  CHECK(CompareFillCurves(&set, N, fields, SCORIA_FROM_MODEL, set.c));
  const double *mean     = set.c->curve[SCORIA_VIEW_FIELD][SCORIA_FROM_MODEL],
               *relative = set.c->curve[SCORIA_VIEW_RELATIVE][SCORIA_FROM_MODEL];
  for (int i = 0; i < C * L; i++) assert_true(fabs(relative[i] - (mean[i] - mean[i - i % L])) < 1e-13);
  for (int q = 0; q < SCORIA_NCURVES; q++)
    for (int c = 0; c < C; c++) assert_true(relative[(q * C + c) * L] == 0);
  const double *sd = relative + SCORIA_CURVE_SD * C * L;
  assert_true(sd[L - 1] > 3e-3 && sd[L - 1] < 6e-3); /* 6e-3 |cos|, of the whole field 0.7 */
  assert_memory_equal(set.c->example[SCORIA_FROM_MODEL], first, sizeof(double) * COMPARE_EXAMPLES * C * L);
  CHECK(CompareDestroyConditions(&set));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(first_cell_is_taken_away),
      cmocka_unit_test(curves_of_both_views_agree),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

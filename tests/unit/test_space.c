/* The map between conditions and the unit box. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include "scoria/io.h"

static const ScoriaSpace space = {
    .n = 3,
    .c = {{"U0", "V", 0.05, 0.25, false}, {"ell", "m", 1e-6, 1e-4, true}, {"F_right", "mol/m^2/s", 3e-5, 3e-5, false}}};

static void test_ends_and_middle(void **state)
{
  const double lo[3] = {0.05, 1e-6, 3e-5}, mid[3] = {0.15, 1e-5, 3e-5}, hi[3] = {0.25, 1e-4, 3e-5};
  double u[3];
  const double tolerance = 1e-14; /* a few roundings of numbers of order 1 to 14 (the logarithms) */

  (void)state;
  space_to_unit(&space, lo, u);
  assert_true(u[0] == -1.0 && u[1] == -1.0 && u[2] == 0.0);
  space_to_unit(&space, hi, u);
  assert_true(u[0] == 1.0 && u[1] == 1.0 && u[2] == 0.0);
  space_to_unit(&space, mid, u);
  assert_true(fabs(u[0]) < tolerance && fabs(u[1]) < tolerance && u[2] == 0.0);
}

static void test_there_and_back(void **state)
{
  (void)state;
  for (int i = -15; i <= 15; i++) { /* outside of the range too: no clamping */
    const double u[3] = {i / 10.0, -i / 10.0, 0.0};
    double theta[3], again[3];

    space_from_unit(&space, u, theta);
    space_to_unit(&space, theta, again);
    assert_true(theta[2] == 3e-5);
    /* ln theta is about 12 and spans 4.6: its rounding, and exp's, are magnified by less than 10. */
    for (int k = 0; k < 3; k++) assert_true(fabs(again[k] - u[k]) < 20 * 2.3e-16);
  }
}

static void test_find(void **state)
{
  (void)state;
  assert_int_equal(space_find(&space, "ell"), 1);
  assert_int_equal(space_find(&space, "F_right"), 2);
  assert_int_equal(space_find(&space, "F"), -1);
  assert_int_equal(space_find(&space, ""), -1);
}

/* A first cell of 1/64, thicknesses up to 120 um: shares that a user asks for are far above these. */
static void test_places_in_metres(void **state)
{
  const ScoriaSpace thick = {.n = 1, .c = {{"L", "m", 4e-5, 1.2e-4, false, true}}};
  const ScoriaSpace bare  = {.n = 0, .lengths_unknown = true};
  const double share[2] = {0, 1}, um[2] = {0, 100};
  (void)state;
  assert_true(space_reads_as_metres(&thick, 64, share, 4e-5) && space_reads_as_metres(&thick, 64, share, 1.2e-4));
  assert_false(space_reads_as_metres(&thick, 64, share, 0) || space_reads_as_metres(&thick, 64, share, 1e-3));
  assert_false(space_reads_as_metres(&thick, 64, share, 0.5) || space_reads_as_metres(&thick, 64, share, 1));
  assert_false(space_reads_as_metres(&thick, 10000, share, 1.1e-4)); /* in the second half of a cell that small */
  assert_false(space_reads_as_metres(&space, 64, share, 4e-5));      /* no thickness: metres they are */
  /* Numbers of a file, 0 to 100 in 20 cells: what is far below the first cell is not meant as one of them. */
  assert_true(space_reads_as_metres(&bare, 20, um, 4e-5));
  assert_false(space_reads_as_metres(&bare, 20, um, 0) || space_reads_as_metres(&bare, 20, um, 0.1));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ends_and_middle),
      cmocka_unit_test(test_there_and_back),
      cmocka_unit_test(test_find),
      cmocka_unit_test(test_places_in_metres),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}

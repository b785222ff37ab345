/* Units as texts: spellings of one unit agree without any library; others convert where there is udunits2. */
#include "data/units.h"
#include "testing.h"
#include <stdlib.h>

static void spellings_of_one_unit_agree(void **state)
{
  static const char *const same[][2]   = {{"mol m^-3", "mol.m-3"},
                                          {"mol m^-3", "mol/m3"},
                                          {"mol m^-3", "mol*m**-3"},
                                          {"mol m^-3", "m-3 mol"},
                                          {"mol m^-3", "mol m⁻³"},
                                          {"mol m^-3", "mol/m/m2"},
                                          {"µm", "um"},
                                          {"A/m^2", "A.m-2"},
                                          {"1/s", "s^-1"},
                                          {"1", "1"},
                                          {"W/m/K", "W m-1 K-1"}};
  static const char *const others[][2] = {{"mol m^-3", "mol m^-2"},
                                          {"m", "um"},
                                          {"mol", "mol m^-3"},
                                          {"C", "K"},
                                          {"s", "s^-1"},
                                          {"m s", "ms"},
                                          {"M", "m"},
                                          {"1", "m"},
                                          {"mol m^-3", "mol m^"},
                                          {"m2", "m 2"},
                                          {"m/", "m"},
                                          {"", "m"},
                                          {"0.5 m", "0,5 m"},
                                          {"mV", "V m"}};
  (void)state;
  for (size_t i = 0; i < sizeof same / sizeof *same; i++)
    if (!units_same(same[i][0], same[i][1]) || !units_same(same[i][1], same[i][0]))
      fail_msg("%s and %s are taken as different", same[i][0], same[i][1]);
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (units_same(others[i][0], others[i][1]) || units_same(others[i][1], others[i][0]))
      fail_msg("%s and %s are taken as the same", others[i][0], others[i][1]);
}

/* Without udunits2, or its table of units, nothing is converted, and nothing is taken as the same. */
static void what_is_not_known_is_not_converted(void **state)
{
  double scale, offset;
  (void)state;
  setenv("UDUNITS2_XML_PATH", "/nonexistent/udunits2.xml", 1);
  assert_int_equal(units_conversion("mol/m3", "mol m^-3", &scale, &offset), UNITS_SAME);
  assert_int_equal(units_conversion("um", "m", &scale, &offset), UNITS_NO_LIBRARY);
  assert_true(scale == 1 && offset == 0);
  unsetenv("UDUNITS2_XML_PATH");
}

static void units_convert_as_defined(void **state)
{
  static const struct {
    const char *from, *to;
    UnitsOutcome outcome;
    double scale, offset;
  } known[] = {{"um", "m", UNITS_CONVERT, 1e-6, 0},
               {"degC", "K", UNITS_CONVERT, 1, 273.15},
               {"mV", "V", UNITS_CONVERT, 1e-3, 0},
               {"mol/l", "mol m^-3", UNITS_CONVERT, 1000, 0},
               {"degF", "K", UNITS_CONVERT, 5. / 9, 459.67 * 5 / 9},
               {"mA cm^-2", "A/m2", UNITS_CONVERT, 10, 0},
               {"J/(mol K)", "J mol-1 K-1", UNITS_SAME, 1, 0},
               {"volt", "V", UNITS_SAME, 1, 0},
               {"C", "K", UNITS_DIFFER, 1, 0},
               {"1", "V", UNITS_DIFFER, 1, 0},
               {"furlongish", "m", UNITS_UNKNOWN, 1, 0},
               {"m", "my own", UNITS_UNKNOWN, 1, 0}};
  double scale, offset;
  (void)state;
  if (units_conversion("um", "m", &scale, &offset) == UNITS_NO_LIBRARY) skip();
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    assert_int_equal(units_conversion(known[i].from, known[i].to, &scale, &offset), known[i].outcome);
    /* A line through two of the library's values, a few roundings of numbers of that size. */
    assert_true(fabs(scale - known[i].scale) <= 1e-12 * known[i].scale);
    assert_true(fabs(offset - known[i].offset) <= 1e-12 * (1 + known[i].offset));
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(spellings_of_one_unit_agree),
      cmocka_unit_test(what_is_not_known_is_not_converted),
      cmocka_unit_test(units_convert_as_defined),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

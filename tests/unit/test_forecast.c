/* ranks: 2
 * What compare forecasts for several fidelities of whole fields, against the same of their lateral means: a number that
 * both have has one law, and so one gain. */
#include "unit/small_run.h"
#include "cmd/cmd.h"
#include "scoria/uq_parts.h"
#include "study/compare/compare.h"
#include "testing.h"
#include <math.h>

static const double theta[] = {0.175, 10, 1.3e-5};

typedef struct {
  SmallRun r;
  ScoriaDeck deck;
  ScoriaEnsemble ens;
  ScoriaSource source;
  CompareQuantities quantities;
  ScoriaForecast forecast;
} Study;

static void open_study(bool whole, Study *s)
{
  char text[600];
  snprintf(text, sizeof text,
           "run: {seed: 3}\n"
           "electrode: {set: chen2020_negative, model: newman, state: ocp}\n"
           "porosity: {kernel: se, min: 0.1, max: 0.4, anisotropy: [2]}\n"
           "conditions: {U0: [0.10, 0.25], F_right: [5, 20], ell: [8.5e-6, 2.13e-5]}\n"
           "ensemble: {cells: [8, 8], lateral: [1e-4], whole_fields: %s}\n"
           "compare: {pilot: 24}\n",
           whole ? "true" : "false");
  memset(s, 0, sizeof *s);
  small_run_open(&s->r);
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, cmd_tables(), &s->deck));
  CHECK(ScoriaEnsembleCreate(PETSC_COMM_WORLD, s->deck, &s->ens));
  CHECK(ScoriaSourceOfPde(s->ens, &s->source));
  CHECK(CompareQuantitiesOfDeck(s->deck, source_shape(s->source), &s->quantities));
  assert_int_equal(s->quantities.whole, whole);
  const ScoriaForecastOf of = {.command  = "compare",
                               .key      = "compare_pilot",
                               .ens      = s->ens,
                               .source   = s->source,
                               .theta    = theta,
                               .n        = s->quantities.n,
                               .quantity = s->quantities.quantity,
                               .offset   = s->quantities.offset,
                               .numbers  = whole ? s->quantities.numbers : NULL};
  CHECK(ScoriaForecastMake(s->r.run, s->deck, &of, &s->forecast));
}

static void close_study(Study *s)
{
  CHECK(CompareQuantitiesDestroy(&s->quantities));
  CHECK(ScoriaSourceDestroy(&s->source));
  CHECK(ScoriaEnsembleDestroy(&s->ens));
  CHECK(ScoriaDeckDestroy(&s->deck));
  small_run_close(&s->r);
}

static const double *gain(const Study *s, const char *name)
{
  for (int i = 0; i < s->quantities.n; i++)
    if (!strcmp(s->quantities.quantity[i].name, name)) return s->forecast.gain[i];
  fail_msg("no quantity %s", name);
  return NULL;
}

/* Of the mean at the collector, to which line and mirror contribute as two draws of one law: without that, a tenth of
 * it.  Both come from the same draws: means over a plane and of its profile differ by the rounding of solves. */
static void a_number_has_one_gain(void **state)
{
  Study whole, profile;
  (void)state;
  open_study(true, &whole);
  open_study(false, &profile);
  for (int e = 0; e < SCORIA_NESTIMATES; e++) {
    const double a = gain(&whole, "phi_collector")[e], b = gain(&profile, "phi_collector")[e];
    if (!(fabs(a / b - 1) < 1e-3)) fail_msg("estimate %d: gain %g of whole fields, %g of profiles", e, a, b);
  }
  assert_true(gain(&whole, "phi_collector")[SCORIA_ESTIMATE_MEAN] > 30);
  close_study(&whole);
  close_study(&profile);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_number_has_one_gain)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}

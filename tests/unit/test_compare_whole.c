/* ranks: 2
 * compare of whole fields whose law is known: what it measures of the numbers that uq takes of every field. */
#include "unit/known_whole.h"
#include "unit/small_run.h"
#include "cmd/cmd.h"
#include "study/compare/compare.h"
#include "testing.h"
#include <math.h>

enum { CONDITIONS = 3, COUNT = 400 };

/* Imported, for which no equations are asked: the fields are those of the known law. */
static const char deck_text[] = "import: {file: none.h5}\n"
                                "uq: {probes: [\"a:0.5\"], quantities: [\"one = a[0.375, 0.25, 0.5]\"], "
                                "exceed: [\"b > -2\", \"mean(a > 12) > 0.5\"]}\n";

typedef struct {
  SmallRun r;
  ScoriaDeck deck;
  WholeLaw law[SCORIA_NFROM];
  ScoriaSource whole[SCORIA_NFROM], source[SCORIA_NFROM];
  ScoriaFeatures features;
  CompareQuantities quantities;
  CompareDraws draws;
  ComparisonSet set;
} Study;

static void open_study(bool numbers, Study *s)
{
  memset(s, 0, sizeof *s);
  small_run_open(&s->r);
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, deck_text, cmd_tables(), &s->deck));
  for (int i = 0; i < SCORIA_NFROM; i++) whole_source(PETSC_COMM_WORLD, 3 + (uint64_t)i, &s->law[i], &s->whole[i]);
  ScoriaFieldShape shape        = *source_shape(s->whole[0]);
  const ScoriaFeaturesSpec spec = {.channels   = WHOLE_CHANNELS,
                                   .grid       = {.n = {WHOLE_X, WHOLE_Y, WHOLE_Z}, .length = {1, 1, 1}, .x = shape.x},
                                   .directions = 4,
                                   .seed       = 1};
  CHECK(ScoriaFeaturesCreate(&spec, &s->features));
  CHECK(CompareQuantitiesOfDeck(s->deck, &shape, &s->quantities));
  const CompareKept kept = {s->features, numbers ? s->quantities.numbers : NULL};
  for (int i = 0; i < SCORIA_NFROM; i++) CHECK(CompareSourceOfFeatures(s->whole[i], &kept, &s->source[i]));
  CHECK(CompareDrawsCreate(s->r.run, s->source, COUNT, &s->draws));
  shape.cells    = WHOLE_X;
  shape.shape[1] = shape.shape[2] = 1;
  s->set = (ComparisonSet){.conditions = CONDITIONS, .count = COUNT, .wide = true, .shape = shape};
  CHECK(CompareCreateConditions(PETSC_COMM_WORLD, &s->set, true));
  for (int k = 0; k < CONDITIONS && s->draws.rank == 0; k++) {
    s->set.c[k].theta[0] = k;
    s->set.c[k].theta[1] = 0.5 * k;
  }
}

static void measure(Study *s, bool numbers)
{
  const CompareAsked asked = {
      .seed = 1, .directions = 4, .features = s->features, .quantities = numbers ? &s->quantities : NULL};
  double seconds[SCORIA_NFROM];
  CHECK(CompareMeasure(s->r.run, &s->draws, &asked, &s->set, seconds));
}

static void close_study(Study *s)
{
  CHECK(CompareDestroyConditions(&s->set));
  CHECK(CompareDrawsDestroy(&s->draws));
  for (int i = 0; i < SCORIA_NFROM; i++) {
    CHECK(ScoriaSourceDestroy(&s->source[i]));
    CHECK(ScoriaSourceDestroy(&s->whole[i]));
  }
  CHECK(CompareQuantitiesDestroy(&s->quantities));
  CHECK(ScoriaFeaturesDestroy(&s->features));
  CHECK(ScoriaDeckDestroy(&s->deck));
  small_run_close(&s->r);
}

static int find(const Study *s, const char *name)
{
  for (int i = 0; i < s->quantities.tails; i++)
    if (!strcmp(s->quantities.quantity[i].name, name)) return i;
  fail_msg("no %s", name);
  return -1;
}

/* What every field is asked for stands first, under names alone; behind are the deck's own. */
static void all_that_uq_asks_is_judged(void **state)
{
  char names[COMPARE_MAX_TAILS * SCORIA_NAME_SIZE], own[COMPARE_MAX_OWN * sizeof(ScoriaQuantity)];
  Study s;
  (void)state;
  open_study(true, &s);
  compare_quantity_names(&s.quantities, sizeof names, names, sizeof own, own);
  assert_int_equal(strncmp(names, "min_a,max_a,", 12), 0);
  assert_non_null(strstr(names, ",min_b,max_b,low_a,low_b,high_a,high_b,x_min_a,"));
  assert_int_equal(s.quantities.own, 3);
  assert_non_null(strstr(own, "a:0.5 = "));
  assert_non_null(strstr(own, "mean(a > 12) = "));
  assert_true(s.quantities.place[find(&s, "x_min_a")] && !s.quantities.place[find(&s, "max_b")]);
  close_study(&s);
}

/* Largest values of channel 1 in the draws of a source, ascending. */
static void largest(Study *s, ScoriaFrom from, int k, double value[COUNT])
{
  static double fields[COUNT * WHOLE_WIDTH];
  CHECK(ScoriaSourceDraw(s->whole[from], s->set.c[k].theta, draw_number(compare_numbers[from], k, 0), COUNT, fields));
  for (int i = 0; i < COUNT; i++) {
    const double *b = fields + i * WHOLE_WIDTH + WHOLE_CELLS;
    value[i]        = b[0];
    for (int j = 1; j < WHOLE_CELLS; j++) value[i] = fmax(value[i], b[j]);
  }
}

/* A value at a place is Gaussian of known mean and SD; within 4 standard errors.  Tails of an extreme are those of the
 * same draws by hand. */
static void numbers_have_their_law(void **state)
{
  static double reference[2 * COUNT], model[COUNT];
  Study s;
  (void)state;
  open_study(true, &s);
  measure(&s, true);
  const int one = find(&s, "one"), hot = find(&s, "max_b"), cell = (2 * WHOLE_Y + 1) * WHOLE_X + 1;
  for (int k = 0; k < CONDITIONS && s.draws.rank == 0; k++) {
    const Comparison *c = &s.set.c[k];
    const double mean = whole_mean[0] + c->theta[0], sd = whole_sd(c->theta, 0, cell);
    assert_int_equal(c->reference[one].n, 2 * COUNT);
    assert_int_equal(c->gaussian[one].n, COUNT);
    assert_true(fabs(c->reference[one].value[SCORIA_ESTIMATE_MEAN] - mean) < 4 * sd / sqrt(2.0 * COUNT));
    assert_true(fabs(c->sample[one].value[SCORIA_ESTIMATE_MEAN] - mean) < 4 * sd / sqrt(COUNT));
    assert_true(fabs(c->gaussian[one].value[SCORIA_ESTIMATE_SD] / sd - 1) < 4 / sqrt(2.0 * COUNT));
    ScoriaTailCounts expected;
    largest(&s, SCORIA_FROM_PDE, k, reference);
    largest(&s, SCORIA_FROM_PDE_AGAIN, k, reference + COUNT);
    largest(&s, SCORIA_FROM_MODEL, k, model);
    stats_sort(2 * COUNT, reference);
    stats_sort(COUNT, model);
    tails_count(2 * COUNT, reference, COUNT, model, &expected);
    assert_true(expected.beyond[SCORIA_TAIL_HIGH][4].reference == 16);
    assert_memory_equal(&expected, &c->tail[hot], sizeof expected);
  }
  close_study(&s);
}

/* The numbers behind the features change nothing of these, and a failed draw counts in neither. */
static void features_are_as_without_numbers(void **state)
{
  CompareWhole with[CONDITIONS];
  Study s;
  (void)state;
  for (int numbers = 1; numbers >= 0; numbers--) {
    open_study(numbers, &s);
    s.law[SCORIA_FROM_MODEL].fail_every = 4; /* numbers of a condition begin at a multiple of 2^40 */
    measure(&s, numbers);
    for (int k = 0; k < CONDITIONS && s.draws.rank == 0; k++) {
      assert_int_equal(s.set.c[k].good[SCORIA_FROM_MODEL], COUNT - COUNT / 4);
      if (numbers) {
        with[k] = s.set.whole[k];
        assert_int_equal(s.set.c[k].sample[0].n, COUNT - COUNT / 4);
      } else
        assert_memory_equal(&with[k], &s.set.whole[k], sizeof with[k]);
    }
    close_study(&s);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_that_uq_asks_is_judged),
                                     cmocka_unit_test(numbers_have_their_law),
                                     cmocka_unit_test(features_are_as_without_numbers)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}

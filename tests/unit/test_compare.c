/* ranks: 2
 * compare: its curves, and all that it measures of sources whose law is known. */
#include "unit/known_source.h"
#include "unit/small_run.h"
#include "study/compare/compare.h"
#include "testing.h"
#include <math.h>

enum { N = 50, C = 2, L = 7 };

/* Collectives since the last reset, but those of the rounds of draws, of which there are as many as these take time:
 * MPI's profiling interface lets them be counted. */
static int collectives;

#undef MPI_Bcast /* macros of PETSc */
#undef MPI_Gatherv
#undef MPI_Allgather
#undef MPI_Alltoallv

int MPI_Bcast(void *data, int n, MPI_Datatype type, int root, MPI_Comm comm)
{
  collectives++;
  return PMPI_Bcast(data, n, type, root, comm);
}

int MPI_Gatherv(const void *in, int n, MPI_Datatype type, void *out, const int counts[], const int starts[],
                MPI_Datatype to, int root, MPI_Comm comm)
{
  collectives++;
  return PMPI_Gatherv(in, n, type, out, counts, starts, to, root, comm);
}

int MPI_Allgather(const void *in, int n, MPI_Datatype type, void *out, int m, MPI_Datatype to, MPI_Comm comm)
{
  collectives++;
  return PMPI_Allgather(in, n, type, out, m, to, comm);
}

int MPI_Alltoallv(const void *in, const int n[], const int at[], MPI_Datatype type, void *out, const int m[],
                  const int to_at[], MPI_Datatype to, MPI_Comm comm)
{
  collectives++;
  return PMPI_Alltoallv(in, n, at, type, out, m, to_at, to, comm);
}

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
  ComparisonSet set = {.conditions = 1, .shape = {.channels = C, .cells = L}};
  double fields[N * C * L], first[N * C * L];
  (void)state;
  make_fields(fields);
  make_fields(first);
  CHECK(CompareCreateConditions(PETSC_COMM_SELF, &set, true));
  CHECK(CompareFillCurves(&set, 0, N, fields, SCORIA_FROM_MODEL));
  const double *mean     = compare_curve(&set, 0, SCORIA_VIEW_FIELD, SCORIA_FROM_MODEL, SCORIA_CURVE_MEAN);
  const double *relative = compare_curve(&set, 0, SCORIA_VIEW_RELATIVE, SCORIA_FROM_MODEL, SCORIA_CURVE_MEAN);
  for (int i = 0; i < C * L; i++) assert_true(fabs(relative[i] - (mean[i] - mean[i - i % L])) < 1e-13);
  for (int q = 0; q < SCORIA_NCURVES; q++) {
    const double *curve = compare_curve(&set, 0, SCORIA_VIEW_RELATIVE, SCORIA_FROM_MODEL, q);
    for (int c = 0; c < C; c++) assert_true(curve[c * L] == 0);
  }
  const double *sd = compare_curve(&set, 0, SCORIA_VIEW_RELATIVE, SCORIA_FROM_MODEL, SCORIA_CURVE_SD);
  assert_true(sd[L - 1] > 3e-3 && sd[L - 1] < 6e-3); /* 6e-3 |cos|, of the whole field 0.7 */
  assert_memory_equal(compare_example(&set, 0, SCORIA_FROM_MODEL), first, sizeof(double) * COMPARE_EXAMPLES * C * L);
  CHECK(CompareDestroyConditions(&set));
}

/* Curves and examples of all sources lie side by side. */
static void profiles_do_not_overlap(void **state)
{
  ComparisonSet set = {.conditions = 2, .shape = {.channels = C, .cells = L}};
  (void)state;
  CHECK(CompareCreateConditions(PETSC_COMM_SELF, &set, true));
  const double *next = set.profiles;
  for (int k = 0; k < 2; k++) {
    for (int v = 0; v < SCORIA_NVIEWS; v++)
      for (int from = 0; from < SCORIA_NFROM; from++)
        for (int q = 0; q < SCORIA_NCURVES; q++, next += C * L)
          assert_ptr_equal(compare_curve(&set, k, v, from, q), next);
    for (int from = 0; from < SCORIA_NFROM; from++, next += COMPARE_EXAMPLES * C * L)
      assert_ptr_equal(compare_example(&set, k, from), next);
  }
  CHECK(CompareDestroyConditions(&set));
}

/* ------------------------------------------------------------------------------------------ known sources ---- */

enum { CONDITIONS = 3, COUNT = 400 };
static const double shift = 1;

typedef struct {
  SmallRun r;
  KnownLaw law[SCORIA_NFROM];
  ScoriaSource source[SCORIA_NFROM];
  CompareDraws draws;
  CompareQuantities quantities;
  CompareAsked asked;
  ComparisonSet set;
} Study;

/* All of one law, but for the "Gaussian", which is shifted. */
static void open_study(Study *s)
{
  memset(s, 0, sizeof *s);
  small_run_open(&s->r);
  for (int i = 0; i < SCORIA_NFROM; i++) known_source(PETSC_COMM_WORLD, 3, &s->law[i], &s->source[i]);
  s->law[SCORIA_FROM_GAUSSIAN].shift = shift;
  CHECK(CompareDrawsCreate(s->r.run, s->source, COUNT, &s->draws));
  s->quantities = (CompareQuantities){
      .n = 1, .tails = 1, .quantity = {{.name = "a(0)", .kind = SCORIA_QUANTITY_AT, .factor = 1}}, .offset = {-1}};
  s->asked = (CompareAsked){.seed = 1, .directions = 16, .quantities = &s->quantities};
  s->set   = (ComparisonSet){.conditions = CONDITIONS, .count = COUNT, .shape = *source_shape(s->source[0])};
  CHECK(CompareCreateConditions(PETSC_COMM_WORLD, &s->set, true));
  for (int k = 0; k < CONDITIONS && s->draws.rank == 0; k++) {
    s->set.c[k].theta[0] = k;
    s->set.c[k].theta[1] = 0.5 * k;
  }
}

static void close_study(Study *s)
{
  CHECK(CompareDestroyConditions(&s->set));
  CHECK(CompareDrawsDestroy(&s->draws));
  for (int i = 0; i < SCORIA_NFROM; i++) CHECK(ScoriaSourceDestroy(&s->source[i]));
  small_run_close(&s->r);
}

/* rms over cells of the shift in SD, the mean error of the shifted source. */
static double shift_error(const Study *s, const double theta[])
{
  double sum = 0;
  for (int c = 0; c < KNOWN_CHANNELS; c++)
    for (int j = 0; j < KNOWN_CELLS; j++) sum += pow(shift / known_sd(&s->law[0], theta, c, j), 2);
  return sqrt(sum / KNOWN_WIDTH);
}

/* Of two samples of COUNT rows, a difference of means has the standard error sqrt(2 / COUNT) SD in every cell, of means
 * that hang together from cell to cell; here and below 4 of these. */
static void check_distances(const Study *s, const Comparison *c)
{
  const double noise = 4 * sqrt(2.0 / COUNT);
  assert_true(c->distance[SCORIA_FROM_MODEL].mean_error < noise);
  assert_true(c->distance[SCORIA_FROM_PDE_AGAIN].mean_error < noise);
  assert_true(fabs(c->distance[SCORIA_FROM_GAUSSIAN].mean_error - shift_error(s, c->theta)) < noise);
  assert_true(c->distance[SCORIA_FROM_GAUSSIAN].energy_p <= 0.05);
}

/* The reference has both ensembles of the PDE: 2 COUNT rows. */
static void check_estimates(const Study *s, const Comparison *c)
{
  const double mean = known_mean[0] + c->theta[0], sd = known_sd(&s->law[0], c->theta, 0, 0);
  const ScoriaEstimates *both = &c->reference[0], *model = &c->sample[0];
  assert_int_equal(both->n, 2 * COUNT);
  assert_int_equal(model->n, COUNT);
  assert_true(fabs(both->value[SCORIA_ESTIMATE_MEAN] - mean) < 4 * sd / sqrt(2.0 * COUNT));
  assert_true(fabs(model->value[SCORIA_ESTIMATE_MEAN] - mean) < 4 * sd / sqrt(COUNT));
  assert_true(fabs(model->value[SCORIA_ESTIMATE_SD] / sd - 1) < 4 / sqrt(2.0 * COUNT));
  assert_true(fabs(c->gaussian[0].value[SCORIA_ESTIMATE_MEAN] - (mean + shift)) < 4 * sd / sqrt(COUNT));
}

/* The error of an SD is sd / sqrt(2 n); that of a 2.5 % quantile some 2.7 sd / sqrt(n). */
static void check_curves(const Study *s, int k)
{
  const double *theta = s->set.c[k].theta;
  for (int c = 0; c < KNOWN_CHANNELS; c++)
    for (int j = 0; j < KNOWN_CELLS; j++) {
      const double mean = known_mean[c] + theta[0], sd = known_sd(&s->law[0], theta, c, j), one = sd / sqrt(COUNT);
      const int at = c * KNOWN_CELLS + j;
      double found[SCORIA_NCURVES];
      for (int q = 0; q < SCORIA_NCURVES; q++)
        found[q] = compare_curve(&s->set, k, SCORIA_VIEW_FIELD, SCORIA_FROM_MODEL, q)[at];
      assert_true(fabs(found[SCORIA_CURVE_MEAN] - mean) < 4 * one);
      assert_true(fabs(found[SCORIA_CURVE_SD] - sd) < 4 * one / sqrt(2));
      assert_true(fabs(found[SCORIA_CURVE_Q025] - (mean - 1.96 * sd)) < 4 * 2.7 * one);
      assert_true(fabs(found[SCORIA_CURVE_Q975] - (mean + 1.96 * sd)) < 4 * 2.7 * one);
    }
}

/* What one rank alone computes from the same draws. */
static void check_against_draws(Study *s, int k)
{
  static double model[COUNT * KNOWN_WIDTH], pde[COUNT * KNOWN_WIDTH];
  const Comparison *c = &s->set.c[k];
  ScoriaDistance d;
  CHECK(ScoriaSourceDraw(s->source[SCORIA_FROM_PDE], c->theta, draw_number(SCORIA_DRAWS_HELDOUT, k, 0), COUNT, pde));
  CHECK(
      ScoriaSourceDraw(s->source[SCORIA_FROM_MODEL], c->theta, draw_number(SCORIA_DRAWS_COMPARED, k, 0), COUNT, model));
  CHECK(ScoriaDistanceCompute(COUNT, model, COUNT, pde, KNOWN_WIDTH, s->asked.seed, s->asked.directions, &d));
  assert_memory_equal(&d, &c->distance[SCORIA_FROM_MODEL], sizeof d);
}

static void known_laws_are_found_again(void **state)
{
  double seconds[SCORIA_NFROM];
  Study s;
  (void)state;
  open_study(&s);
  CHECK(CompareMeasure(s.r.run, &s.draws, &s.asked, &s.set, seconds));
  assert_int_equal(s.set.held, s.draws.rank ? 1 : CONDITIONS);
  for (int k = 0; k < CONDITIONS && s.draws.rank == 0; k++) {
    for (int i = 0; i < SCORIA_NFROM; i++) assert_int_equal(s.set.c[k].good[i], COUNT);
    check_distances(&s, &s.set.c[k]);
    check_estimates(&s, &s.set.c[k]);
    check_curves(&s, k);
    check_against_draws(&s, k);
  }
  for (int i = 0; i < SCORIA_NFROM; i++) assert_true(seconds[i] >= 0);
  close_study(&s);
}

/* A rank has room for what it measures, and all meet as often whatever the number of ranks: the conditions once, the
 * shares of each source twice, measures and profiles, for as many conditions at a time as there are ranks. */
static void conditions_of_all_ranks_go_at_once(void **state)
{
  double seconds[SCORIA_NFROM];
  Study s;
  int size;
  (void)state;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  open_study(&s);
  collectives = 0;
  CHECK(CompareMeasure(s.r.run, &s.draws, &s.asked, &s.set, seconds));
  assert_int_equal(collectives, (1 + 2 * SCORIA_NFROM + 2) * ((CONDITIONS + size - 1) / size));
  close_study(&s);
}

/* What looking at every pair finds, of conditions that are the same but for round-off, also at the borders of boxes,
 * and of others. */
static void conditions_are_matched(void **state)
{
  enum { A = 400, B = 700, D = 3 };
  static double a[A * D], b[B * D];
  static int64_t match[2 * A];
  const ScoriaSpace space = {.n = D,
                             .c = {{"p", "1", 0, 1, false, false, false},
                                   {"q", "1", -2, 3e3, false, false, false},
                                   {"r", "1", 4, 4, false, false, false}}};
  int64_t number, next = 0, found = 0;
  (void)state;
  for (int l = 0; l < B; l++) {
    double v[D];
    rng_uniform(1, SCORIA_STREAM_HELDOUT, (uint64_t)(l % 600), 0, D, v); /* some of them twice */
    b[l * D]     = l % 3 ? v[0] : 1e-9 * 1024 * floor(1e6 * v[0]);       /* at a border */
    b[l * D + 1] = -2 + 3002 * v[1];
    b[l * D + 2] = 4;
  }
  for (int k = 0; k < A; k++)
    for (int i = 0; i < D; i++)
      a[k * D + i] = b[(7 * k % B) * D + i] + (k % 4 - 1.5) * (k % 5 ? 4e-10 : 8e-8) * (i == 0);
  CHECK(CompareMatch(&space, A, a, B, b, match, &number));
  for (int k = 0; k < A; k++) {
    int64_t first = -1;
    for (int l = 0; l < B && first < 0; l++)
      if (fabs(a[k * D] - b[l * D]) <= 1e-9 && a[k * D + 1] == b[l * D + 1]) first = l;
    if (first < 0) continue;
    found++;
    assert_true(next < number && match[2 * next] == k && match[2 * next + 1] == first);
    next++;
  }
  assert_true(next == number && found > A / 2 && found < A);
}

static void failed_draws_are_left_out(void **state)
{
  double seconds[SCORIA_NFROM];
  Study s;
  (void)state;
  open_study(&s);
  s.law[SCORIA_FROM_MODEL].fail_every = 4; /* numbers of a condition begin at a multiple of 2^40 */
  CHECK(CompareMeasure(s.r.run, &s.draws, &s.asked, &s.set, seconds));
  const Comparison *one = &s.set.c[s.draws.rank ? 0 : 1];
  assert_int_equal(one->good[SCORIA_FROM_MODEL], COUNT - COUNT / 4);
  assert_int_equal(one->good[SCORIA_FROM_PDE], COUNT);
  assert_true(isfinite(one->distance[SCORIA_FROM_MODEL].w1));
  s.law[SCORIA_FROM_MODEL].fail_every = 1;
  assert_int_not_equal(CompareMeasure(s.r.run, &s.draws, &s.asked, &s.set, seconds), 0);
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_SOLVES);
  assert_non_null(strstr(ScoriaFailureLine(), "condition 0 (p 0 1): found 0 good fields of 400"));
  ScoriaFailureReset();
  s.asked.shown = true; /* the caller looks at it */
  CHECK(CompareMeasure(s.r.run, &s.draws, &s.asked, &s.set, seconds));
  if (s.draws.rank == 0) assert_int_equal(compare_lacking(&s.set, 2), SCORIA_FROM_MODEL);
  close_study(&s);
}

/* ------------------------------------------------------------------------------- few rows at a condition ---- */

enum { FEW_CONDITIONS = 150, FEW = 2, LAWS = 8 };

/* The pooled measures of one law against itself, shifted for the Gaussian; `seed` makes other rows of it. */
static void measure_few(uint64_t seed, double gaussian_shift, Comparison *c)
{
  double theta[2 * FEW_CONDITIONS];
  Study s;
  open_study(&s);
  for (int i = 0; i < SCORIA_NFROM; i++) s.law[i].seed = seed;
  s.law[SCORIA_FROM_GAUSSIAN].shift = gaussian_shift;
  s.law[SCORIA_FROM_PDE].fail_every = 151; /* as if a row of the file had failed: every 151st number */
  for (int k = 0; k < FEW_CONDITIONS; k++) {
    theta[2 * k]     = 4.0 * k / FEW_CONDITIONS;
    theta[2 * k + 1] = (k * 7 % FEW_CONDITIONS) / (double)FEW_CONDITIONS;
  }
  const ComparePooled asked = {.conditions = FEW_CONDITIONS, .each = FEW, .theta = theta, .seed = 1, .directions = 16};
  CHECK(CompareMeasurePooled(s.r.run, s.source, &asked, c, NULL));
  close_study(&s);
}

/* The distance of a law to itself is its floor: 8 times, of 300 rows in two dimensions, where both scatter by a third,
 * so that the ratio of their means by an eighth. */
static void floor_of_few_rows_is_that_of_the_law(void **state)
{
  double model = 0, floor = 0, bias = 0;
  (void)state;
  for (int i = 0; i < LAWS; i++) {
    Comparison c = {.theta = {0}};
    measure_few(10 + (uint64_t)i, 0, &c);
    assert_true(c.good[SCORIA_FROM_PDE] > 250 && c.good[SCORIA_FROM_PDE] <= FEW * FEW_CONDITIONS);
    model += c.distance[SCORIA_FROM_MODEL].sliced_w / LAWS;
    floor += c.distance[SCORIA_FROM_PDE_AGAIN].sliced_w / LAWS;
    bias += c.distance[SCORIA_FROM_MODEL].sd_bias / LAWS;
  }
  assert_true(fabs(model / floor - 1) < 0.3);
  assert_true(fabs(bias) < 4 * sqrt(1.0 / (300 * LAWS)));
}

/* A shift by 2 at every condition is 2 / SD there: of residuals, its mean over the conditions. */
static void few_rows_show_a_shift(void **state)
{
  Comparison c = {.theta = {0}};
  (void)state;
  measure_few(3, 2, &c);
  assert_true(c.distance[SCORIA_FROM_GAUSSIAN].mean_error > 0.5);
  assert_true(c.distance[SCORIA_FROM_MODEL].mean_error < 4 * sqrt(2.0 / 300));
  assert_true(c.distance[SCORIA_FROM_GAUSSIAN].energy_p <= 0.05);
  expect_same_on_ranks(&c, sizeof c);
}

/* With few fields of one source, no more are taken of the others. */
static void sources_are_made_alike(void **state)
{
  double seconds[SCORIA_NFROM];
  Study s;
  (void)state;
  open_study(&s);
  s.law[SCORIA_FROM_PDE_AGAIN].fail_every = 4;
  s.asked.alike                           = true;
  CHECK(CompareMeasure(s.r.run, &s.draws, &s.asked, &s.set, seconds));
  for (int i = 0; i < SCORIA_NFROM && !s.draws.rank; i++)
    assert_int_equal(compare_condition(&s.set, 1)->good[i], COUNT - COUNT / 4);
  close_study(&s);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(first_cell_is_taken_away),
      cmocka_unit_test(curves_of_both_views_agree),
      cmocka_unit_test(profiles_do_not_overlap),
      cmocka_unit_test(known_laws_are_found_again),
      cmocka_unit_test(conditions_of_all_ranks_go_at_once),
      cmocka_unit_test(conditions_are_matched),
      cmocka_unit_test(failed_draws_are_left_out),
      cmocka_unit_test(floor_of_few_rows_is_that_of_the_law),
      cmocka_unit_test(few_rows_show_a_shift),
      cmocka_unit_test(sources_are_made_alike),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

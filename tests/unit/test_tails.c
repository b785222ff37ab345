/* How far tails are checked, of laws whose tails are known. */
#include "scoria/stats.h"
#include "testing.h"
#include <math.h>
#include <stdlib.h>

enum { K = 4, N = 8192 };               /* conditions; draws of each at each */
static const double farthest = 4.0 / N; /* of K conditions: 16 draws beyond; at the next rank 8, too few */

/* n sorted normals times `sd`, of which those beyond `from` in the upper tail come `factor` times as far beyond. */
static void draws(uint64_t id, double sd, double from, double factor, double x[N])
{
  rng_normal(11, SCORIA_STREAM_VALIDATION, id, 0, N, x);
  for (int i = 0; i < N; i++) {
    if (x[i] > from) x[i] = from + factor * (x[i] - from);
    x[i] *= sd;
  }
  stats_sort(N, x);
}

/* Each condition has another spread. */
static void take(uint64_t id, double from, double factor, ScoriaTail tail[SCORIA_TAILS])
{
  static double reference[N], sample[N];
  ScoriaTailCounts c[K];
  for (int k = 0; k < K; k++) {
    draws(2 * (K * id + (uint64_t)k), 1 + k, INFINITY, 1, reference);
    draws(2 * (K * id + (uint64_t)k) + 1, 1 + k, from, factor, sample);
    tails_count(N, reference, N, sample, &c[k]);
  }
  for (int side = 0; side < SCORIA_TAILS; side++) tails_pool(K, c, side, &tail[side]);
}

/* Two samples of one law agree as far as there are draws: at each of some 11 ranks the intervals of equal laws miss
 * each other with a probability below 1 %, and ranks share their draws.  Of 100 sides 10 may fall short. */
static void one_law_agrees_as_far_as_can_be_seen(void **state)
{
  ScoriaTail tail[SCORIA_TAILS];
  int short_of = 0;
  (void)state;
  for (uint64_t i = 0; i < 50; i++) {
    take(i, INFINITY, 1, tail);
    for (int side = 0; side < SCORIA_TAILS; side++) {
      assert_int_equal(tail[side].n, 11); /* ranks 4096, 2048 ... 4 of 8192 */
      assert_true(fabs(tail[side].rank[0].reference.value - 0.5) < 1e-12);
      assert_true(fabs(tail[side].rank[10].reference.value - farthest) < 1e-12);
      short_of += tail[side].checked > farthest * (1 + 1e-9);
    }
  }
  assert_true(short_of <= 10);
}

/* Beyond 2 standard deviations, a probability of .0228, the sample reaches half as far: of the PDE's .0062 beyond 2.5
 * it has P(z > 3) = .0013, a fifth.  Ranks are powers of two: the last at which all is well lies above .0228 / 2, and
 * it is seen before .0039, where 128 draws are expected to have 15. */
static void a_tail_too_light_is_found(void **state)
{
  ScoriaTail tail[SCORIA_TAILS];
  (void)state;
  for (uint64_t i = 0; i < 20; i++) {
    take(100 + i, 2, 0.5, tail);
    const ScoriaTail *high = &tail[SCORIA_TAIL_HIGH];
    assert_true(high->checked >= 0.0078 && high->checked < 0.07);
    assert_false(high->rank[high->n - 1].agrees);
    assert_true(high->rank[high->n - 1].sample.value < 0.5 * high->rank[high->n - 1].reference.value);
    assert_true(tail[SCORIA_TAIL_LOW].checked < 0.0078); /* the other side is the same law */
  }
}

static void a_tail_too_heavy_is_found(void **state)
{
  ScoriaTail tail[SCORIA_TAILS];
  (void)state;
  for (uint64_t i = 0; i < 20; i++) {
    take(200 + i, 2, 2, tail); /* of the PDE's .0013 beyond 3 it has P(z > 2.5) = .0062 */
    assert_true(tail[SCORIA_TAIL_HIGH].checked >= 0.0039 && tail[SCORIA_TAIL_HIGH].checked < 0.07);
  }
}

/* A bias that many draws see, and that matters to no tail: a spread 1 % too wide changes P(z > 3) by 9 %, and where
 * 32,768 draws lie beyond, by .0013 of .031, five times the error of the two counts. */
static void a_small_bias_is_no_disagreement(void **state)
{
  enum { MANY = 1 << 20 };
  double *x = malloc(2 * MANY * sizeof *x), *y = x + MANY;
  ScoriaTailCounts c;
  ScoriaTail tail;
  (void)state;
  assert_non_null(x);
  rng_normal(12, SCORIA_STREAM_VALIDATION, 0, 0, 2 * MANY, x);
  for (int i = 0; i < MANY; i++) y[i] *= 1.01;
  stats_sort(MANY, x);
  stats_sort(MANY, y);
  tails_count(MANY, x, MANY, y, &c);
  tails_pool(1, &c, SCORIA_TAIL_HIGH, &tail);
  assert_true(tail.checked < 6e-4); /* 512 draws beyond */
  free(x);
}

static void what_does_not_vary_has_no_tail(void **state)
{
  double one[64], other[64], few[8];
  ScoriaTailCounts c;
  ScoriaTail tail;
  (void)state;
  for (int i = 0; i < 64; i++) one[i] = 3 + 1e-13 * i, other[i] = i;
  for (int i = 0; i < 8; i++) few[i] = i;
  tails_count(64, one, 64, other, &c);
  tails_pool(1, &c, SCORIA_TAIL_HIGH, &tail);
  assert_true(tail.n == 0 && isnan(tail.checked));
  tails_count(8, few, 64, other, &c); /* at most 4 beyond: fewer than are asked */
  tails_pool(1, &c, SCORIA_TAIL_HIGH, &tail);
  assert_true(tail.n == 0 && isnan(tail.checked));
  tails_count(64, other, 64, one, &c); /* none of the sample's beyond the median of the reference */
  tails_pool(1, &c, SCORIA_TAIL_HIGH, &tail);
  assert_true(tail.n == 2 && tail.checked >= 1);
}

/* Of values that are equal, all lie at a threshold. */
static void ties_count(void **state)
{
  double reference[64], sample[64];
  ScoriaTailCounts c;
  (void)state;
  for (int i = 0; i < 64; i++) reference[i] = sample[i] = i < 32 ? 0 : 1;
  tails_count(64, reference, 64, sample, &c);
  for (int k = 0; k <= 5; k++)
    for (int side = 0; side < SCORIA_TAILS; side++)
      assert_true(c.beyond[side][k].reference == 32 && c.beyond[side][k].sample == 32);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(one_law_agrees_as_far_as_can_be_seen),
                                     cmocka_unit_test(a_tail_too_light_is_found),
                                     cmocka_unit_test(a_tail_too_heavy_is_found),
                                     cmocka_unit_test(a_small_bias_is_no_disagreement),
                                     cmocka_unit_test(what_does_not_vary_has_no_tail),
                                     cmocka_unit_test(ties_count)};

  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

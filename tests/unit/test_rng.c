/* Random numbers: published known answers of Philox4x32-10, moments, independence of the order of asking. */
#include "testing.h"
#include <math.h>

static void philox_known_answers(void **state)
{
  /* Salmon et al. (2011), Random123 distribution: counter, key -> output, through our (draw, id, stream; seed) packing.
   */
  uint32_t out[4];
  (void)state;
  rng_block(0, (ScoriaStream)0, 0, 0, out);
  assert_true(out[0] == 0x6627e8d5 && out[1] == 0xe169c58d && out[2] == 0xbc57ac4c && out[3] == 0x9b00dbd8);
  rng_block(0x299f31d0a4093822, (ScoriaStream)0x03707344, 0x13198a2e85a308d3, 0x243f6a88, out);
  assert_true(out[0] == 0xd16cfe09 && out[1] == 0x94fdcceb && out[2] == 0x5001e420 && out[3] == 0x24126ea1);
}

/* First four moments of n numbers. */
static void moments(int n, const double x[], double m[4])
{
  for (int k = 0; k < 4; k++) m[k] = 0;
  for (int i = 0; i < n; i++)
    for (int k = 0; k < 4; k++) m[k] += pow(x[i], k + 1) / n;
}

static void normals_have_normal_moments(void **state)
{
  enum { N = 200000 };
  static double x[N];
  static float f[N];
  double m[4];
  (void)state;
  rng_normal(7, SCORIA_STREAM_SAMPLE, 3, 0, N, x);
  moments(N, x, m);
  /* five standard errors: Var(x^k) is 1, 2, 15, 96 */
  const double se[4] = {1, sqrt(2), sqrt(15), sqrt(96)}, exact[4] = {0, 1, 0, 3};
  for (int k = 0; k < 4; k++) assert_true(fabs(m[k] - exact[k]) < 5 * se[k] / sqrt(N));
  rng_normalf(7, SCORIA_STREAM_SAMPLE, 4, 0, N, f);
  for (int i = 0; i < N; i++) x[i] = f[i];
  moments(N, x, m);
  for (int k = 0; k < 4; k++) assert_true(fabs(m[k] - exact[k]) < 5 * se[k] / sqrt(N));
}

static void numbers_do_not_depend_on_how_many_are_asked(void **state)
{
  double a[10], b[4];
  float c[12], d[5];
  (void)state;
  rng_normal(1, SCORIA_STREAM_POROSITY, 5, 0, 10, a);
  rng_normal(1, SCORIA_STREAM_POROSITY, 5, 2, 3, b); /* draw 2 is the pair (4, 5) */
  assert_true(b[0] == a[4] && b[1] == a[5] && b[2] == a[6]);
  rng_normalf(1, SCORIA_STREAM_POROSITY, 5, 0, 12, c);
  rng_normalf(1, SCORIA_STREAM_POROSITY, 5, 1, 5, d);
  for (int i = 0; i < 5; i++) assert_true(d[i] == c[4 + i]);
}

static void permutation_is_one(void **state)
{
  int64_t p[1000];
  bool seen[1000] = {false};
  int fixed       = 0;
  (void)state;
  rng_permutation(1, SCORIA_STREAM_SHUFFLE, 0, 1000, p);
  for (int i = 0; i < 1000; i++) {
    assert_true(p[i] >= 0 && p[i] < 1000 && !seen[p[i]]);
    seen[p[i]] = true;
    fixed += p[i] == i;
  }
  assert_true(fixed < 10); /* Poisson(1): ten fixed points have probability 1e-7 */
}

/* Every size up to 300 and two large ones are permuted; two epochs differ. */
static void shuffle_is_a_permutation(void **state)
{
  enum { MOST = 10007 };
  static bool seen[MOST];
  static uint32_t turns[MOST];
  const int64_t large[] = {4096, MOST};
  (void)state;
  for (int64_t k = 1; k <= 302; k++) {
    const int64_t n = k <= 300 ? k : large[k - 301];
    ScoriaShuffle shuffle, next;
    int64_t same = 0;
    rng_shuffle(1, SCORIA_STREAM_SHUFFLE, 5, n, &shuffle);
    rng_shuffle(1, SCORIA_STREAM_SHUFFLE, 6, n, &next);
    assert_in_range(rng_shuffle_turns(&shuffle, NULL), 1, MOST);
    (void)rng_shuffle_turns(&shuffle, turns);
    memset(seen, 0, sizeof seen);
    for (int64_t i = 0; i < n; i++) {
      const int64_t to = rng_shuffled(&shuffle, i);
      assert_true(to >= 0 && to < n && !seen[to]);
      assert_true(to == rng_shuffled_by(&shuffle, turns, i));
      seen[to] = true;
      same += to == rng_shuffled(&next, i);
    }
    if (n > 100) assert_true(same < 12); /* Poisson(1): 1e-9 */
  }
  ScoriaShuffle huge;
  rng_shuffle(1, SCORIA_STREAM_SHUFFLE, 0, INT64_C(1) << 40, &huge);
  const int64_t one = rng_shuffled(&huge, 0), two = rng_shuffled(&huge, 1);
  assert_true(one != two && one < INT64_C(1) << 40 && two < INT64_C(1) << 40);
}

/* Over many keys every item comes to every place equally often, and pairs of neighbours are torn apart: chi-squared of
 * the 7 x 7 counts of 20,000 permutations has 36 degrees of freedom, SD 8.5: 36 + 6 SD. */
static void shuffle_is_uniform(void **state)
{
  enum { N = 7, KEYS = 20000 };
  double count[N][N] = {{0}}, apart[N] = {0}, chi = 0, chi_apart = 0;
  (void)state;
  for (int key = 0; key < KEYS; key++) {
    ScoriaShuffle shuffle;
    int64_t to[N];
    rng_shuffle(3, SCORIA_STREAM_SHUFFLE, (uint64_t)key, N, &shuffle);
    for (int i = 0; i < N; i++) to[i] = rng_shuffled(&shuffle, i);
    for (int i = 0; i < N; i++) count[i][to[i]]++;
    apart[(to[1] - to[0] + N) % N]++;
  }
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) chi += pow(count[i][j] - KEYS / (double)N, 2) / (KEYS / (double)N);
  for (int k = 1; k < N; k++) chi_apart += pow(apart[k] - KEYS / (N - 1.0), 2) / (KEYS / (N - 1.0));
  assert_true(chi < 36 + 6 * 8.5);
  assert_true(chi_apart < 5 + 6 * 3.2); /* 5 degrees of freedom */
}

static void blocks_cover_without_overlap(void **state)
{
  (void)state;
  for (int64_t n = 0; n < 40; n++)
    for (int count = 1; count < 9; count++) {
      int64_t next = 0;
      for (int i = 0; i < count; i++) {
        int64_t first, number;
        deal_block(n, i, count, &first, &number);
        assert_true(first == next && number >= n / count && number <= n / count + 1);
        next += number;
      }
      assert_true(next == n);
    }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(philox_known_answers),
      cmocka_unit_test(normals_have_normal_moments),
      cmocka_unit_test(numbers_do_not_depend_on_how_many_are_asked),
      cmocka_unit_test(permutation_is_one),
      cmocka_unit_test(shuffle_is_a_permutation),
      cmocka_unit_test(shuffle_is_uniform),
      cmocka_unit_test(blocks_cover_without_overlap),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

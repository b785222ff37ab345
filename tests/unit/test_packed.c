/* Products in bfloat16: rounding, the fast kernel against loops, convolution, shapes that fill no register. */
#include "score/packed.h"
#include "testing.h"
#include <math.h>

#define MAX_IN 1100 /* more than two passes of the kernel */
#define MAX_OUT 150
#define MAX_ROWS 40

static float in[MAX_ROWS * MAX_IN], W[MAX_IN * MAX_OUT], fast[MAX_ROWS * MAX_OUT + 1], plain[MAX_ROWS * MAX_OUT + 1];
static uint16_t packed[2 * MAX_IN * (MAX_OUT + 16)];

static double to_bfloat16(double x)
{
  int e;
  const double m = frexp(x, &e);
  return ldexp(nearbyint(ldexp(m, 8)), e - 8); /* 8 bits, ties to even */
}

static void fill(int n, int nin, int nout)
{
  rng_normalf(5, SCORIA_STREAM_SAMPLE, 1, 0, n * nin, in);
  rng_normalf(5, SCORIA_STREAM_SAMPLE, 2, 0, nin * nout, W);
  rng_normalf(5, SCORIA_STREAM_SAMPLE, 3, 0, n * nout, fast);
  memcpy(plain, fast, sizeof fast);
  assert_true(packed_size(nin, nout) <= sizeof packed / sizeof packed[0]);
  packed_pack(packed, W, nin, nout);
}

/* Sum and sum of magnitudes of the products of one element, its operands rounded, in double. */
static double exact(int i, int j, int nin, int nout, double *magnitude)
{
  double sum = 0;
  *magnitude = 0;
  for (int k = 0; k < nin; k++) {
    const double term = to_bfloat16((double)in[i * nin + k]) * to_bfloat16((double)W[k * nout + j]);
    sum += term;
    *magnitude += fabs(term);
  }
  return sum;
}

/* Both kernels round operands to the nearest bfloat16 and nothing else: what is left is the rounding of nin additions
 * in single precision, nin 2^-24 of the sum of magnitudes, however they are ordered. */
static void products_round_operands_only(void **state)
{
  static const int shape[][3] = {{1, 1, 1},    {6, 2, 16},     {7, 3, 17},     {13, 33, 64},
                                 {5, 31, 65},  {12, 64, 48},   {40, 21, 150},  {11, 512, 33},
                                 {3, 513, 20}, {8, 1100, 100}, {40, 192, 128}, {2, 17, 112}};
  (void)state;
  for (size_t s = 0; s < sizeof shape / sizeof shape[0]; s++)
    for (int add = 0; add < 2; add++) {
      const int n = shape[s][0], nin = shape[s][1], nout = shape[s][2];
      fill(n, nin, nout);
      const float kept = fast[n * nout]; /* behind the end */
      float before[MAX_ROWS * MAX_OUT + 1];
      memcpy(before, fast, sizeof before);
      packed_product(fast, add, in, packed, n, nin, nout);
      packed_product_plain(plain, add, in, packed, n, nin, nout);
      for (int i = 0; i < n; i++)
        for (int j = 0; j < nout; j++) {
          const int at = i * nout + j;
          double size, sum = exact(i, j, nin, nout, &size) + (add ? (double)before[at] : 0);
          const double room = (nin + 2) * 0x1p-24 * (size + fabs((double)before[at]));
          if (!(fabs((double)fast[at] - sum) <= room) || !(fabs((double)plain[at] - sum) <= room))
            fail_msg("%d x %d x %d, element %d %d: %g fast, %g plain, %g exact", n, nin, nout, i, j, (double)fast[at],
                     (double)plain[at], sum);
        }
      assert_true(fast[n * nout] == kept);
    }
}

/* Every tap's matrix, shifted, as the single precision convolution has it; operands are exact in bfloat16, so only
 * additions differ. */
static void convolution_is_that_of_single_precision(void **state)
{
  enum { TAPS = 5, NIN = 19, NOUT = 23 };
  const Tall tall = {.groups = 3, .span = 7, .gap = 2};
  const int rows = tall_rows(tall), first = tall.gap * NIN;
  (void)state;
  fill(rows + tall.gap, NIN, NOUT);
  rng_normalf(5, SCORIA_STREAM_SAMPLE, 4, 0, TAPS * NIN * NOUT, W);
  for (int i = 0; i < (rows + 2 * tall.gap) * NIN; i++) {
    const int row = i / NIN - tall.gap, inside = row >= 0 && row < rows && row % (tall.span + tall.gap) < tall.span;
    in[i] = inside ? (float)to_bfloat16((double)in[i]) : 0;
  }
  for (int i = 0; i < TAPS * NIN * NOUT; i++) W[i] = (float)to_bfloat16((double)W[i]);
  for (int k = 0; k < TAPS; k++)
    packed_pack(packed + (size_t)k * packed_size(NIN, NOUT), W + k * NIN * NOUT, NIN, NOUT);
  packed_conv1d(fast, false, in + first, packed, tall, TAPS, NIN, NOUT);
  layers()->conv1d_forward_f(plain, false, in + first, W, tall, TAPS, NIN, NOUT);
  for (int i = 0; i < (rows - tall.gap) * NOUT; i++)
    assert_true(fabs((double)(fast[i] - plain[i])) <= 1e-5 * (TAPS * NIN)); /* 100 additions of numbers of order 1 */
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(products_round_operands_only),
      cmocka_unit_test(convolution_is_that_of_single_precision),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

/* Layers, at every level of instructions that the processor has, against loops written out in double, and their
 * gradients against directional derivatives, with sign.
 *
 * <w, f(p + t v)> is differentiated at t = 0 by the four-point formula, whose error at step h is h^4/30 times the fifth
 * derivative, some 1e-13 at h = 1e-3, plus rounding over h, some 1e-13: 1e-9 leaves room for sums of a thousand terms.
 */
#include "scoria/linalg.h"
#include "score/layers.h"
#include "testing.h"
#include <math.h>

#define MAX 4096
#define GRADIENT_TOLERANCE 1e-9

static void fill(double x[], int n, uint64_t id)
{
  rng_normal(7, SCORIA_STREAM_SAMPLE, id, 0, n, x);
}

static double dot(const double a[], const double b[], int n)
{
  double sum = 0;
  for (int i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

static void assert_near(double a, double b, double tolerance)
{
  if (!(fabs(a - b) <= tolerance * (1 + fabs(a) + fabs(b))))
    fail_msg("%.15g and %.15g differ by more than %g", a, b, tolerance);
}

/* A layer as a function of one vector of everything that it is differentiated in. */
typedef struct {
  const char *name;
  int inputs, outputs;
  void (*value)(const double p[], double out[]);
  void (*gradient)(const double p[], const double dout[], double dp[]);
} Case;

/* ------------------------------------------------------------------------------------------------------- cases ---- */

enum { B = 5, NIN = 19, NOUT = 23 }; /* no multiple of a vector's length */

static void linear_value(const double p[], double out[])
{
  layers()->linear_forward_d(out, p, p + B * NIN, p + B * NIN + NIN * NOUT, B, NIN, NOUT);
}

static void linear_gradient(const double p[], const double dout[], double dp[])
{
  double transposed[NOUT * NIN];
  layers()->transpose_d(transposed, p + B * NIN, NIN, NOUT);
  layers()->linear_backward_d(dp, false, dp + B * NIN, 1, dp + B * NIN + NIN * NOUT, dout, p, transposed, B, NIN, NOUT);
}

static const Tall tall = {.groups = 3, .span = 7, .gap = 2};
enum { ROWS = 27, TAPS = 5, WIDTH = 21, TOKENS = 21 };

/* Tokens (21, width) to and from a tall matrix with zero gaps, and `gap` zero rows before it. */
static double *spread(const double tokens[], double memory[], int width)
{
  double *to = memory + tall.gap * width;
  memset(memory, 0, sizeof(double) * (size_t)((ROWS + 2 * tall.gap) * width));
  for (int g = 0; g < tall.groups; g++)
    memcpy(to + g * (tall.span + tall.gap) * width, tokens + g * tall.span * width,
           sizeof(double) * (size_t)(tall.span * width));
  return to;
}

static void collect(const double from[], double tokens[], int width)
{
  for (int g = 0; g < tall.groups; g++)
    memcpy(tokens + g * tall.span * width, from + g * (tall.span + tall.gap) * width,
           sizeof(double) * (size_t)(tall.span * width));
}

static void conv_value(const double p[], double out[])
{
  static double in[MAX], to[MAX];
  layers()->conv1d_forward_d(to, false, spread(p, in, NIN), p + TOKENS * NIN, tall, TAPS, NIN, NOUT);
  collect(to, out, NOUT);
}

static void conv_gradient(const double p[], const double dout[], double dp[])
{
  static double in[MAX], d[MAX], din[MAX], transposed[TAPS * NOUT * NIN];
  for (int k = 0; k < TAPS; k++)
    layers()->transpose_d(transposed + k * NOUT * NIN, p + TOKENS * NIN + k * NIN * NOUT, NIN, NOUT);
  layers()->conv1d_backward_d(din, dp + TOKENS * NIN, 1, spread(dout, d, NOUT), spread(p, in, NIN), transposed, tall,
                              TAPS, NIN, NOUT);
  collect(din, dp, NIN);
}

static void silu_value(const double p[], double out[])
{
  static double a[MAX], to[MAX];
  layers()->silu_forward_d(to, spread(p, a, WIDTH), false, p + TOKENS * WIDTH, tall, WIDTH);
  collect(to, out, WIDTH);
}

static void silu_gradient(const double p[], const double dout[], double dp[])
{
  static double a[MAX], to[MAX], d[MAX];
  double *slope = spread(p, a, WIDTH), *da = spread(dout, d, WIDTH);
  layers()->silu_forward_d(to, slope, true, p + TOKENS * WIDTH, tall, WIDTH);
  layers()->silu_backward_d(da, dp + TOKENS * WIDTH, slope, tall, WIDTH);
  collect(da, dp, WIDTH);
}

/* Outputs: silu(film(norm(h))) and h + bias; inputs: h, film, bias. */
enum { FILM = TOKENS * WIDTH, BIAS = FILM + 3 * 2 * WIDTH };

static void film_value(const double p[], double out[])
{
  static double memory[MAX], to[MAX], n[MAX], rrms[ROWS];
  double *h = spread(p, memory, WIDTH);
  layers()->norm_film_forward_d(to, n, rrms, NULL, h, p + BIAS, p + FILM, 2 * WIDTH, tall, WIDTH);
  collect(to, out, WIDTH);
  collect(h, out + TOKENS * WIDTH, WIDTH);
}

static void film_gradient(const double p[], const double dout[], double dp[])
{
  static double memory[MAX], to[MAX], n[MAX], rrms[ROWS], slope[MAX], d[MAX], residual[MAX];
  double *dh = spread(dout + TOKENS * WIDTH, residual, WIDTH);
  layers()->norm_film_forward_d(to, n, rrms, slope, spread(p, memory, WIDTH), p + BIAS, p + FILM, 2 * WIDTH, tall,
                                WIDTH);
  layers()->norm_film_backward_d(dh, true, dp + FILM, dp + BIAS, spread(dout, d, WIDTH), n, rrms, slope, p + FILM, tall,
                                 WIDTH);
  collect(dh, dp, WIDTH);
}

static const Case cases[] = {
    {"linear", B *NIN + NIN *NOUT + NOUT, B *NOUT, linear_value, linear_gradient},
    {"conv1d", TOKENS *NIN + TAPS *NIN *NOUT, TOKENS *NOUT, conv_value, conv_gradient},
    {"silu", TOKENS *WIDTH + WIDTH, TOKENS *WIDTH, silu_value, silu_gradient},
    {"norm_film", BIAS + WIDTH, 2 * TOKENS *WIDTH, film_value, film_gradient},
};

/* -------------------------------------------------------------------------------------------------------- tests ----
 */

static double along(const Case *c, const double p[], const double v[], const double w[], double t)
{
  static double q[MAX], out[MAX];
  for (int i = 0; i < c->inputs; i++) q[i] = p[i] + t * v[i];
  c->value(q, out);
  return dot(w, out, c->outputs);
}

/* <J v, w> by differences equals <v, J^T w> by the backward pass: the derivative with its sign, and the adjoint, at
 * once. */
static void gradients_match_differences(void **state)
{
  static double p[MAX], v[MAX], w[MAX], dp[MAX];
  const double h = 1e-3;
  (void)state;
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
    const Case *c = &cases[k];
    for (uint64_t trial = 0; trial < 4; trial++) {
      fill(p, c->inputs, 10 * trial), fill(v, c->inputs, 10 * trial + 1), fill(w, c->outputs, 10 * trial + 2);
      memset(dp, 0, sizeof dp);
      c->gradient(p, w, dp);
      const double slope = (8 * (along(c, p, v, w, h) - along(c, p, v, w, -h)) -
                            (along(c, p, v, w, 2 * h) - along(c, p, v, w, -2 * h))) /
                           (12 * h);
      const double scale = sqrt(dot(dp, dp, c->inputs) * dot(v, v, c->inputs));
      if (!(fabs(slope - dot(dp, v, c->inputs)) <= GRADIENT_TOLERANCE * scale))
        fail_msg("%s: %.15g by differences, %.15g by the backward pass", c->name, slope, dot(dp, v, c->inputs));
    }
  }
}

static void convolution_is_the_sum_it_says(void **state)
{
  static double p[MAX], out[MAX];
  (void)state;
  fill(p, cases[1].inputs, 3);
  conv_value(p, out);
  for (int g = 0; g < tall.groups; g++)
    for (int t = 0; t < tall.span; t++)
      for (int o = 0; o < NOUT; o++) {
        double sum = 0;
        for (int k = 0; k < TAPS; k++) {
          const int from = t + k - (TAPS - 1) / 2;
          if (from < 0 || from >= tall.span) continue;
          for (int i = 0; i < NIN; i++)
            sum += p[(g * tall.span + from) * NIN + i] * p[TOKENS * NIN + (k * NIN + i) * NOUT + o];
        }
        assert_near(out[(g * tall.span + t) * NOUT + o], sum, 1e-14 * TAPS * NIN);
      }
}

static void norm_and_film_are_what_they_say(void **state)
{
  static double p[MAX], out[MAX];
  (void)state;
  fill(p, cases[3].inputs, 4);
  film_value(p, out);
  for (int t = 0; t < TOKENS; t++) {
    const double *h = p + t * WIDTH, *film = p + FILM + t / tall.span * 2 * WIDTH;
    const double rms = sqrt(dot(h, h, WIDTH) / WIDTH + 1e-6);
    for (int j = 0; j < WIDTH; j++) {
      const double m = (1 + film[j]) * h[j] / rms + film[WIDTH + j];
      assert_near(out[t * WIDTH + j], m / (1 + exp(-m)), 1e-14);
      assert_near(out[TOKENS * WIDTH + t * WIDTH + j], h[j] + p[BIAS + j], 1e-15);
    }
  }
}

/* One row of film for all samples is the same as that row repeated. */
static void shared_film_is_film_repeated(void **state)
{
  static double p[MAX], memory[MAX], shared[MAX], repeated[MAX], n[MAX], rrms[ROWS];
  (void)state;
  fill(p, cases[3].inputs, 5);
  for (int g = 1; g < tall.groups; g++) memcpy(p + FILM + g * 2 * WIDTH, p + FILM, sizeof(double) * 2 * WIDTH);
  layers()->norm_film_forward_d(shared, n, rrms, NULL, spread(p, memory, WIDTH), NULL, p + FILM, 0, tall, WIDTH);
  layers()->norm_film_forward_d(repeated, n, rrms, NULL, spread(p, memory, WIDTH), NULL, p + FILM, 2 * WIDTH, tall,
                                WIDTH);
  assert_memory_equal(shared, repeated, sizeof(double) * ROWS * WIDTH);
}

static void assert_gaps_are_zero(const double a[])
{
  for (int row = 0; row < ROWS; row++)
    for (int j = 0; j < WIDTH; j++)
      if (row % (tall.span + tall.gap) >= tall.span)
        assert_true(a[row * WIDTH + j] == 0);
      else
        assert_true(a[row * WIDTH + j] != 1e9);
}

/* What a convolution will read is zero between samples, whatever was there. */
static void gap_rows_become_zero(void **state)
{
  static double p[MAX], memory[MAX], out[MAX], n[MAX], slope[MAX], rrms[ROWS], dfilm[MAX], d[MAX], dh[MAX];
  (void)state;
  fill(p, cases[3].inputs, 7);
  for (int i = 0; i < MAX; i++) out[i] = d[i] = dh[i] = 1e9;
  layers()->norm_film_forward_d(out, n, rrms, slope, spread(p, memory, WIDTH), NULL, p + FILM, 2 * WIDTH, tall, WIDTH);
  assert_gaps_are_zero(out);
  layers()->norm_film_backward_d(dh, false, dfilm, NULL, d, n, rrms, slope, p + FILM, tall, WIDTH);
  assert_gaps_are_zero(dh);
  for (int i = 0; i < MAX; i++) out[i] = d[i] = 1e9;
  layers()->silu_forward_d(out, spread(p, memory, WIDTH), false, p, tall, WIDTH);
  assert_gaps_are_zero(out);
  for (int i = 0; i < MAX; i++) slope[i] = 0.5;
  layers()->silu_backward_d(d, dfilm, slope, tall, WIDTH);
  assert_gaps_are_zero(d);
}

/* The logistic function is 1/(1 + exp(-a)) with exp to rounding: the argument reduction, polynomial, sum and quotient
 * round some four times, so 4 units in the last place of the result bound the error. */
static void silu_is_accurate(void **state)
{
  (void)state;
  for (int i = -12000; i <= 12000; i++) {
    const double a = 1e-3 * i + 1e-5;
    float af = (float)a, out, zero = 0;
    const double exact = (double)af / (1 + exp(-(double)af));
    layers()->silu_forward_f(&out, &af, false, &zero, (Tall){1, 1, 0}, 1);
    if (!(fabs((double)out - exact) <= 4 * 0x1p-24 * 2 * fabs(exact)))
      fail_msg("silu(%g) = %.9g, not %.9g", a, (double)out, exact);
    double ad = a, outd, zerod = 0;
    layers()->silu_forward_d(&outd, &ad, false, &zerod, (Tall){1, 1, 0}, 1);
    const double exactd = a / (1 + exp(-a));
    if (!(fabs(outd - exactd) <= 8 * 0x1p-52 * fabs(exactd))) fail_msg("silu(%g) = %.17g, not %.17g", a, outd, exactd);
  }
}

static void silu_takes_extremes(void **state)
{
  float a[] = {-1e30f, -200, 0, 200, 1e30f, NAN}, out[6], zero[6] = {0};
  (void)state;
  layers()->silu_forward_f(out, a, true, zero, (Tall){1, 1, 0}, 6);
  assert_true(fabsf(out[1]) < 1e-30f && out[2] == 0 && out[3] == 200 && out[4] == 1e30f);
  assert_true(isfinite(out[0]));
  assert_true(isnan(out[5]));
  assert_true(a[3] == 1 && a[2] == 0.5f);
}

static void embedding_is_harmonics(void **state)
{
  const double label = -0.83, u[] = {0.4, -1};
  double out[64];
  (void)state;
  layers()->embed_features_d(out, &label, u, 1, 2);
  assert_int_equal(embed_features_count(2), 1 + 2 * 8 + 2 * 7);
  assert_near(out[0], label, 0);
  for (int k = 1; k <= EMBED_LABEL_HARMONICS; k++) {
    assert_near(out[2 * k - 1], sin(k * PETSC_PI / 2 * label), 1e-14);
    assert_near(out[2 * k], cos(k * PETSC_PI / 2 * label), 1e-14);
  }
  assert_near(out[17], 0.4, 0);
  assert_near(out[24], -1, 0);
  assert_near(out[28], cos(PETSC_PI), 1e-14);
}

static void products_by_loops(void **state)
{
  static double p[MAX], out[MAX];
  (void)state;
  fill(p, cases[0].inputs, 6);
  linear_value(p, out);
  for (int i = 0; i < B; i++)
    for (int o = 0; o < NOUT; o++) {
      double sum = p[B * NIN + NIN * NOUT + o];
      for (int k = 0; k < NIN; k++) sum += p[i * NIN + k] * p[B * NIN + k * NOUT + o];
      assert_near(out[i * NOUT + o], sum, 1e-14 * NIN);
    }
}

/* Shapes of whole vectors, for which the kernels are our own: against sums in double, whose products of floats are
 * exact, to the rounding of `depth` additions, 2^-24 of the sum of magnitudes each. */
static void check_product(bool of_tall, bool add, int n, int nin, int nout)
{
  static float in[20 * 40], W[40 * 208], out[40 * 208], before[40 * 208];
  const int rows = of_tall ? nin : n, depth = of_tall ? n : nin;
  rng_normalf(7, SCORIA_STREAM_SAMPLE, 31, 0, n * nin, in);
  rng_normalf(7, SCORIA_STREAM_SAMPLE, 32, 0, (of_tall ? n : nin) * nout, W);
  rng_normalf(7, SCORIA_STREAM_SAMPLE, 33, 0, rows * nout, before);
  memcpy(out, before, sizeof out);
  if (of_tall)
    layers()->product_of_tall_f(out, add ? 1 : 0, in, W, n, nin, nout);
  else
    layers()->product_f(out, add, in, W, n, nin, nout);
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < nout; j++) {
      double sum = add ? (double)before[i * nout + j] : 0, size = fabs(sum);
      for (int k = 0; k < depth; k++) {
        const double term = (double)(of_tall ? in[k * nin + i] : in[i * nin + k]) * (double)W[k * nout + j];
        sum += term;
        size += fabs(term);
      }
      if (!(fabs((double)out[i * nout + j] - sum) <= (depth + 1) * 0x1p-24 * size))
        fail_msg("%d x %d x %d, element %d %d: %g, not %g", n, nin, nout, i, j, (double)out[i * nout + j], sum);
    }
}

static void products_of_whole_vectors(void **state)
{
  static const int n[] = {1, 5, 6, 8, 13, 20}, nin[] = {1, 7, 40}, nout[] = {16, 48, 64, 80, 112, 192, 208};
  (void)state;
  for (int a = 0; a < 6; a++)
    for (int b = 0; b < 3; b++)
      for (int c = 0; c < 7; c++)
        for (int kind = 0; kind < 4; kind++) check_product(kind & 1, kind & 2, n[a], nin[b], nout[c]);
}

/* Every row has the bits of a product of that row alone. */
static void rows_of_a_product_are_alone(void **state)
{
  enum { N = 19, IN = 33, OUT = 112 };
  static float in[N * IN], W[IN * OUT], all[N * OUT], one[OUT];
  (void)state;
  rng_normalf(7, SCORIA_STREAM_SAMPLE, 34, 0, N * IN, in);
  rng_normalf(7, SCORIA_STREAM_SAMPLE, 35, 0, IN * OUT, W);
  layers()->product_f(all, false, in, W, N, IN, OUT);
  for (int i = 0; i < N; i++) {
    layers()->product_f(one, false, in + i * IN, W, 1, IN, OUT);
    assert_memory_equal(one, all + i * OUT, sizeof one);
  }
}

/* keep = 0 overwrites what keep = 1 adds to. */
static void keep_is_a_factor(void **state)
{
  static double p[MAX], d[MAX], once[MAX], twice[MAX];
  (void)state;
  fill(p, cases[0].inputs, 8), fill(d, B * NOUT, 9);
  for (int i = 0; i < NIN * NOUT; i++) once[i] = twice[i] = 1e3;
  layers()->linear_backward_d(NULL, false, once, 0, NULL, d, p, NULL, B, NIN, NOUT);
  layers()->linear_backward_d(NULL, false, twice, 0, NULL, d, p, NULL, B, NIN, NOUT);
  layers()->linear_backward_d(NULL, false, twice, 1, NULL, d, p, NULL, B, NIN, NOUT);
  for (int i = 0; i < NIN * NOUT; i++) assert_near(twice[i], 2 * once[i], 1e-15);
}

/* ------------------------------------------------------------------------------------------------------ levels ---- */

/* The words that the kernel has for what a level is compiled with; processor_best() asks the processor itself. */
static int best_by_cpuinfo(void)
{
  static char text[1 << 16];
  FILE *file = fopen("/proc/cpuinfo", "r");
  if (!file) skip();
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  const bool v3 = strstr(text, " avx2 ") && strstr(text, " fma ");
  const bool v4 = strstr(text, " avx512f ") && strstr(text, " avx512bw ") && strstr(text, " avx512dq ") &&
                  strstr(text, " avx512vl ");
  return v3 ? v4 ? 2 : 1 : 0;
}

static void the_best_level_is_in_use(void **state)
{
  const int best = processor_best();
  (void)state;
  assert_int_equal(processor_level(), best); /* the first test: nobody has chosen */
  assert_int_equal(best, PROCESSOR_LEVELS > 1 ? best_by_cpuinfo() : 0);
  assert_false(processor_use(best + 1));
  assert_false(processor_use(-1));
  assert_int_equal(processor_level(), best);
  assert_string_equal(processor_level_name(0), "base");
  assert_null(processor_level_name(PROCESSOR_LEVELS));
}

/* A level that runs another's kernels would pass every other test. */
static void levels_have_registers_of_their_own(void **state)
{
  static const int bytes[] = {16, 32, 64};
  (void)state;
  for (int level = 0; PROCESSOR_LEVELS > 1 && processor_use(level); level++)
    assert_int_equal(layers()->vector_bytes, bytes[level]);
}

/* The table of a level lacks none of the kernels that kernels.h declares, and no level has a kernel of another. */
static void levels_have_every_kernel(void **state)
{
  enum { KERNELS = sizeof(Layers) / sizeof(void *) };
  const void *first[KERNELS], *kernel[KERNELS];
  (void)state;
  for (int level = 0; processor_use(level); level++) {
    memcpy(kernel, layers(), sizeof kernel);
    for (int k = 1; k < KERNELS; k++) { /* behind vector_bytes */
      assert_non_null(kernel[k]);
      if (level) assert_ptr_not_equal(kernel[k], first[k]);
    }
    memcpy(first, kernel, sizeof first);
  }
}

/* Compiled without fused operations: every element is the same chain of roundings. */
static void rows_products_have_the_same_bits(void **state)
{
  enum { N = 11, P = 37, Q = 71 };
  static double X[N * P], M[P * Q], add[Q], first[N * Q], out[N * Q];
  (void)state;
  fill(X, N * P, 40), fill(M, P * Q, 41), fill(add, Q, 42);
  for (int level = 0; processor_use(level); level++) {
    la_rows_product(N, P, Q, X, M, add, level ? out : first);
    if (level) assert_memory_equal(first, out, sizeof out);
  }
  for (int i = 0; i < N; i++)
    for (int j = 0; j < Q; j++) {
      volatile double sum = 0; /* rounded after every operation */
      for (int k = 0; k < P; k++) {
        volatile double term = X[i * P + k] * M[k * Q + j];
        sum                  = sum + term;
      }
      assert_true(first[i * Q + j] == sum + add[j]);
    }
}

static int use_level(void **state)
{
  return processor_use(*(const int *)*state) ? 0 : -1;
}

int main(int argc, char **argv)
{
  const struct CMUnitTest once[] = {
      cmocka_unit_test(the_best_level_is_in_use),
      cmocka_unit_test(levels_have_registers_of_their_own),
      cmocka_unit_test(levels_have_every_kernel),
      cmocka_unit_test(rows_products_have_the_same_bits),
  };
  const struct CMUnitTest each[] = {
      cmocka_unit_test(gradients_match_differences),
      cmocka_unit_test(convolution_is_the_sum_it_says),
      cmocka_unit_test(norm_and_film_are_what_they_say),
      cmocka_unit_test(shared_film_is_film_repeated),
      cmocka_unit_test(gap_rows_become_zero),
      cmocka_unit_test(silu_is_accurate),
      cmocka_unit_test(silu_takes_extremes),
      cmocka_unit_test(embedding_is_harmonics),
      cmocka_unit_test(products_by_loops),
      cmocka_unit_test(products_of_whole_vectors),
      cmocka_unit_test(rows_of_a_product_are_alone),
      cmocka_unit_test(keep_is_a_factor),
  };
  enum { ONCE = sizeof once / sizeof once[0], EACH = sizeof each / sizeof each[0] };
  static struct CMUnitTest tests[ONCE + PROCESSOR_LEVELS * EACH];
  static char name[PROCESSOR_LEVELS * EACH][64];
  static int levels[PROCESSOR_LEVELS];
  size_t count = ONCE;
  memcpy(tests, once, sizeof once);
  for (int level = 0; level <= processor_best(); level++)
    for (int t = 0; t < EACH; t++, count++) {
      char *its     = name[count - ONCE];
      levels[level] = level;
      snprintf(its, sizeof name[0], "%s, %s", each[t].name, processor_level_name(level));
      tests[count]               = each[t];
      tests[count].name          = its;
      tests[count].setup_func    = use_level;
      tests[count].initial_state = &levels[level];
    }
  return run_test_program(argc, argv, tests, count);
}

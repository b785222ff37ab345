/* Samplers against exact denoisers: each coordinate is a mixture of Gaussians, for which E[y | y + sigma noise] is
 * known. In one dimension the probability flow keeps the order of the points, so that the noise z ends at Q(Phi(z)), Q
 * the quantile function of the law: a deterministic sampler's error is known path by path, free of sampling error. */
#include "scoria/linalg.h"
#include "scoria/score.h"
#include "testing.h"
#include "score/processes.h"
#include "score/samplers/samplers.h"
#include <math.h>
#include <stdlib.h>

enum { PARTS = 2, LAWS = 8 };

typedef struct {
  const char *name;
  double weight[PARTS], mean[PARTS], sd[PARTS];
} Law;

/* Gaussians of the scales that an imperfect normaliser leaves, then unit laws; "skewed" and "heavy" are what principal
 * modes of porous-electrode fields look like. */
static const Law laws[LAWS] = {
    {"gauss .3", {1, 0}, {0, 0}, {0.3, 1}},
    {"gauss .8", {1, 0}, {0, 0}, {0.8, 1}},
    {"gauss 1.25", {1, 0}, {0, 0}, {1.25, 1}},
    {"gauss 2", {1, 0}, {0, 0}, {2, 1}},
    {"skewed", {0.9, 0.1}, {-0.0294, 0.2646}, {0.752, 2.0}},
    {"heavy", {0.93, 0.07}, {-0.0304, 0.4042}, {0.7085, 2.4292}},
    {"flat", {0.5, 0.5}, {-0.65, 0.65}, {0.62, 0.8818}},
    {"bimodal", {0.4, 0.6}, {-1.1599, 0.7733}, {0.3, 0.34}},
};

/* Posterior mean of part i is (mean sigma^2 + x sd^2) / (sd^2 + sigma^2); parts are weighted by their evidence. */
static double posterior_mean(const Law *law, double x, double sigma)
{
  double logs[PARTS], top = -INFINITY, sum = 0, mean = 0;
  for (int i = 0; i < PARTS; i++) {
    const double v = law->sd[i] * law->sd[i] + sigma * sigma, gap = x - law->mean[i];
    logs[i] = log(law->weight[i]) - 0.5 * log(v) - 0.5 * gap * gap / v;
    top     = fmax(top, logs[i]);
  }
  for (int i = 0; i < PARTS; i++) {
    const double v = law->sd[i] * law->sd[i] + sigma * sigma, share = exp(logs[i] - top);
    sum += share;
    mean += share * (law->mean[i] * sigma * sigma + x * law->sd[i] * law->sd[i]) / v;
  }
  return mean / sum;
}

static int calls;

static void exact_denoise(void *ctx, int n, const float x[], double sigma, float D[])
{
  (void)ctx;
  calls++;
  for (int i = 0; i < n * LAWS; i++) D[i] = (float)posterior_mean(&laws[i % LAWS], x[i], sigma);
}

static const ScoriaDenoiser exact = {LAWS, NULL, exact_denoise};

static ScoriaSamplerOptions options(const char *kind, int steps)
{
  return (ScoriaSamplerOptions){kind, steps, 80, 0.002, 1, 17, false, NULL, 0.16, NULL};
}

/* y (n, LAWS) of samples first ... first + n - 1 in tiles of `tile`. */
static void draw(const ScoriaSamplerOptions *opt, int n, int tile, uint64_t first, float y[])
{
  float *work  = malloc(sampler_work_floats(tile, LAWS) * sizeof(float));
  uint64_t *id = malloc((size_t)tile * sizeof(uint64_t));
  assert_true(work && id);
  for (int start = 0; start < n; start += tile) {
    const int rows = n - start < tile ? n - start : tile;
    for (int i = 0; i < rows; i++) id[i] = first + (uint64_t)(start + i);
    sampler_find(opt->kind)->run(opt, &exact, rows, id, work, y + (size_t)start * LAWS);
  }
  free(work);
  free(id);
}

static double law_cdf(const Law *law, double x)
{
  double p = 0;
  for (int i = 0; i < PARTS; i++) p += law->weight[i] * 0.5 * erfc((law->mean[i] - x) / (law->sd[i] * sqrt(2)));
  return p;
}

static double law_quantile(const Law *law, double p)
{
  double lo = -40, hi = 40;
  for (int i = 0; i < 60; i++) {
    const double middle = (lo + hi) / 2;
    if (law_cdf(law, middle) < p)
      lo = middle;
    else
      hi = middle;
  }
  return (lo + hi) / 2;
}

static double law_sd(const Law *law)
{
  double mean = 0, square = 0;
  for (int i = 0; i < PARTS; i++) {
    mean += law->weight[i] * law->mean[i];
    square += law->weight[i] * (law->mean[i] * law->mean[i] + law->sd[i] * law->sd[i]);
  }
  return sqrt(square - mean * mean);
}

enum { PATHS = 4000 };

static float drawn[PATHS * LAWS];
static double target[PATHS * LAWS];

/* Where the exact flow takes the noise of samples 0 ... PATHS - 1. */
static void set_targets(void)
{
  for (int i = 0; i < PATHS; i++) {
    float z[LAWS];
    rng_normalf(17, SCORIA_STREAM_SAMPLE, (uint64_t)i, 0, LAWS, z);
    for (int law = 0; law < LAWS; law++)
      target[i * LAWS + law] = law_quantile(&laws[law], 0.5 * erfc(-z[law] / sqrt(2)));
  }
}

typedef struct {
  double sd, w1, rms; /* SD ratio - 1; mean and rms distance of the paths' ends over the law's SD */
} Error;

static Error error_of(int law)
{
  double mean[2] = {0}, square[2] = {0};
  Error e = {0};
  for (int i = 0; i < PATHS; i++) {
    const double end[2] = {drawn[i * LAWS + law], target[i * LAWS + law]}, gap = (end[0] - end[1]) / law_sd(&laws[law]);
    e.w1 += fabs(gap) / PATHS;
    e.rms += gap * gap / PATHS;
    for (int s = 0; s < 2; s++) {
      mean[s] += end[s] / PATHS;
      square[s] += end[s] * end[s] / PATHS;
    }
  }
  e.rms = sqrt(e.rms);
  e.sd  = sqrt((square[0] - mean[0] * mean[0]) / (square[1] - mean[1] * mean[1])) - 1;
  return e;
}

/* Root mean square of the errors over the laws first ... LAWS - 1. */
static Error error_over(int first)
{
  Error total = {0};
  for (int law = first; law < LAWS; law++) {
    const Error e = error_of(law);
    total.sd += e.sd * e.sd / (LAWS - first);
    total.w1 += e.w1 * e.w1 / (LAWS - first);
    total.rms += e.rms * e.rms / (LAWS - first);
  }
  return (Error){sqrt(total.sd), sqrt(total.w1), sqrt(total.rms)};
}

/* What deterministic samplers reach with 16 evaluations on the unit laws: twice what was found when this was written.
 * heun and dpmpp2m start on EDM's grid from sigma = 80, where 16 evaluations are too few; that, and not a defect, is
 * what their numbers say. */
typedef struct {
  const char *kind;
  double w1, sd;
} Expected;

static const Expected expected[] = {
    {"abm", 4e-4, 4e-4},
    {"ab2", 8e-3, 4e-3},
    {"heun", 0.6, 0.6},
    {"dpmpp2m", 0.11, 0.13},
};

/* Of a sampler without a row here: worse than any in the table is a defect. */
static Expected expected_of(const char *kind)
{
  for (size_t k = 0; k < sizeof expected / sizeof expected[0]; k++)
    if (!strcmp(expected[k].kind, kind)) return expected[k];
  return (Expected){kind, 0.6, 0.6};
}

static int steps_of(const ScoriaSamplerRow *row, int evaluations)
{
  int steps = 1;
  while (row->evaluations(steps + 1) <= evaluations) steps++;
  return steps;
}

/* With any denoiser: one that is tuned has a network of its own. */
static bool follows_the_flow(const ScoriaSamplerRow *row)
{
  return !row->stochastic && !sampler_is_tuned(row);
}

static void table_of_errors(void **state)
{
  (void)state;
  for (int evaluations = 8; evaluations <= 32; evaluations *= 2)
    for (const ScoriaSamplerRow *row = scoria_samplers; row->name; row++) {
      if (!follows_the_flow(row)) continue;
      const ScoriaSamplerOptions opt = options(row->name, steps_of(row, evaluations));
      calls                          = 0;
      draw(&opt, PATHS, PATHS, 0, drawn);
      assert_int_equal(calls, row->evaluations(opt.steps));
      printf("# %2d evaluations, %-8s", calls, row->name);
      for (int law = 0; law < LAWS; law++)
        printf(" %s: %+.2f %% %.2f %%;", laws[law].name, 100 * error_of(law).sd, 100 * error_of(law).w1);
      const Error all = error_over(4);
      printf(" unit laws: %.3f %% %.3f %%\n", 100 * all.sd, 100 * all.w1);
      const Expected most = expected_of(row->name);
      if (evaluations == 16) assert_true(all.w1 < most.w1 && all.sd < most.sd);
    }
}

/* Gaussians of unit variance are exact at any number of steps in angle form; others at many steps for every sampler. */
static void gaussians_keep_their_variance(void **state)
{
  (void)state;
  for (const ScoriaSamplerRow *row = scoria_samplers; row->name; row++) {
    if (!follows_the_flow(row)) continue;
    const ScoriaSamplerOptions opt = options(row->name, 256);
    draw(&opt, PATHS, PATHS, 0, drawn);
    /* second order: an error of some 10 / 256^2 = 1.5e-4 for heun and dpmpp2m from sigma = 80; the start at sigma = 80
     * instead of infinity, 1 / (2 x 80^2) relative for SD 1 and up to 1/80 pi/4 x |SD^2 - 1| / SD elsewhere, rules ab2
     */
    for (int law = 0; law < 4; law++) assert_true(fabs(error_of(law).sd) < 2e-3);
  }
}

/* Samples of a stochastic sampler are not paths of the flow: their variance and W1 carry sampling error, 1/sqrt(2 n) =
 * 1.1 % and about 1.1/sqrt(n) = 2.5 % at n = 2000: four and three times that is allowed for, and 1.5 % for 300 steps of
 * first order and the standing bias of Langevin's steps (the covariances below). */
static int compare_floats(const void *a, const void *b)
{
  const float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static void check_law(const ScoriaSamplerOptions *opt, int law, int n, float column[])
{
  double w1 = 0, square = 0, mean = 0;
  for (int i = 0; i < n; i++) column[i] = drawn[i * LAWS + law];
  qsort(column, (size_t)n, sizeof(float), compare_floats);
  for (int i = 0; i < n; i++) {
    mean += column[i] / n;
    square += column[i] * column[i] / n;
    w1 += fabs(column[i] - law_quantile(&laws[law], (i + 0.5) / n)) / n / law_sd(&laws[law]);
  }
  printf("# %s %s %-10s w1 %.3f, mean %+.3f, sd %+.3f\n", opt->kind, opt->process->name, laws[law].name, w1,
         mean / law_sd(&laws[law]), sqrt(square - mean * mean) / law_sd(&laws[law]) - 1);
  if (law < 4) assert_true(fabs(sqrt(square - mean * mean) / law_sd(&laws[law]) - 1) < 0.06);
  assert_true(w1 < 0.09);
}

static void stochastic_samplers_draw_the_law(void **state)
{
  enum { n = 2000 };
  static float column[n];
  (void)state;
  for (const ScoriaSamplerRow *row = scoria_samplers; row->name; row++)
    for (const ScoriaProcessRow *process = scoria_processes; process->name && row->stochastic && row->order;
         process++) {
      ScoriaSamplerOptions opt = options(row->name, 300);
      opt.process              = process;
      draw(&opt, n, n, 0, drawn);
      for (int law = 0; law < LAWS; law++) check_law(&opt, law, n, column);
    }
}

/* For Gaussian data a sample is a linear function of its noise, y = sum_j c_j z_j over the draws, so that its variance
 * is sum c_j^2: the c_j follow from a few samples and their noise, drawn here again, by least squares, and the
 * variance is known without sampling error. */
static double exact_variance(const ScoriaSamplerOptions *opt, int law)
{
  const int unknowns = sampler_find(opt->kind)->evaluations(opt->steps), n = 2 * unknowns;
  double *Z = malloc((size_t)(n + unknowns) * (size_t)unknowns * sizeof(double)), *G = Z + (size_t)n * unknowns,
         *c = malloc((size_t)unknowns * sizeof(double)), variance = 0;
  assert_true(Z && c && n <= PATHS);
  memset(G, 0, (size_t)unknowns * (size_t)unknowns * sizeof(double));
  memset(c, 0, (size_t)unknowns * sizeof(double));
  for (int i = 0; i < n; i++)
    for (int j = 0; j < unknowns; j++) {
      float z[LAWS];
      rng_normalf(opt->seed, SCORIA_STREAM_SAMPLE, (uint64_t)i, (uint32_t)(j * ((LAWS + 3) / 4)), LAWS, z);
      Z[(size_t)i * unknowns + j] = z[law];
      c[j] += (double)z[law] * drawn[i * LAWS + law];
    }
  la_syrk(unknowns, n, unknowns, Z, G);
  assert_true(la_cholesky(unknowns, G));
  la_cholesky_solve(unknowns, G, 1, c);
  for (int i = 0; i < n; i++) { /* linear indeed, to single precision over the steps */
    double fit = 0;
    for (int j = 0; j < unknowns; j++) fit += c[j] * Z[(size_t)i * unknowns + j];
    assert_true(fabs(fit - drawn[i * LAWS + law]) < 1e-4 * law_sd(&laws[law]));
  }
  for (int j = 0; j < unknowns; j++) variance += c[j] * c[j];
  free(Z);
  free(c);
  return variance;
}

/* Relative errors of the variances of the narrowest and the widest Gaussian, in mean square. */
static double variance_error(const ScoriaSamplerOptions *opt)
{
  double sum = 0;
  draw(opt, 2 * sampler_find(opt->kind)->evaluations(opt->steps), 64, 0, drawn);
  for (int law = 0; law < 4; law += 3) {
    const double error = exact_variance(opt, law) / pow(law_sd(&laws[law]), 2) - 1;
    printf(" %+.5f", error);
    sum += error * error / 2;
  }
  return sqrt(sum);
}

/* The corrector's bias is of the order snr^2: with snr^2 falling as 1 / steps, the whole is of first order.  From 256
 * to 512 evaluations .9 to 1 is found, and above 2 for em on ve: for a Gaussian, increments of a geometric sigma
 * cancel the first order.  Errors are a few percent by then (vp, whose last steps are coarse for the narrow law; 1e-2
 * elsewhere). */
static void covariances_converge_with_the_weak_order(void **state)
{
  (void)state;
  for (const ScoriaSamplerRow *row = scoria_samplers; row->name; row++)
    for (const ScoriaProcessRow *process = scoria_processes; process->name && row->stochastic && row->order;
         process++) {
      double error[2];
      printf("# %-8s %-3s errors of the variances:", row->name, process->name);
      for (int twice = 0; twice < 2; twice++) {
        ScoriaSamplerOptions opt = options(row->name, steps_of(row, 256) << twice);
        opt.process              = process;
        opt.snr                  = twice ? 0.16 / sqrt(2) : 0.16;
        error[twice]             = variance_error(&opt);
        printf(";");
      }
      const double order = log2(error[0] / error[1]);
      printf(" order %.2f\n", order);
      assert_true(order > row->order - 0.2 && error[1] < 0.03);
    }
}

static void a_sample_does_not_depend_on_its_tile(void **state)
{
  enum { n = 37 };
  static float all[n * LAWS], tiles[n * LAWS], later[n * LAWS];
  (void)state;
  for (const ScoriaSamplerRow *row = scoria_samplers; row->name; row++) {
    const ScoriaSamplerOptions opt = options(row->name, 7);
    draw(&opt, n, n, 100, all);
    draw(&opt, n, 5, 100, tiles);
    assert_memory_equal(all, tiles, sizeof all);
    draw(&opt, n - 9, 4, 109, later);
    assert_memory_equal(all + 9 * LAWS, later, (n - 9) * LAWS * sizeof(float));
  }
}

/* From 64 steps (16 of abm, whose error soon meets single precision, 1e-6) to twice as many, over laws whose errors
 * stand clear of that, against the sampler's own converged ends, as the grids start at sigma = 80.  The last step of
 * heun and dpmpp2m, to sigma = 0, is of first order but of size sigma_min.  abm is of third order by its formulas; with
 * slopes that vanish at both ends it converges faster than that until single precision ends it: 3.2 to 3.6 is found. */
static double observed_order(ScoriaSamplerOptions opt, int steps)
{
  enum { FEW = 250, FINE = 1024 };
  static float reference[FEW * LAWS];
  static const int shown[] = {2, 3, 5};
  double error[2]          = {0};
  opt.steps                = FINE;
  draw(&opt, FEW, FEW, 0, reference);
  for (int twice = 0; twice < 2; twice++) {
    opt.steps = steps << twice;
    draw(&opt, FEW, FEW, 0, drawn);
    for (int i = 0; i < FEW; i++)
      for (int j = 0; j < 3; j++)
        error[twice] += pow((double)drawn[i * LAWS + shown[j]] - reference[i * LAWS + shown[j]], 2);
  }
  const double order = log2(error[0] / error[1]) / 2; /* of squares */
  printf("# %-8s %-3s order %.2f, rms error %.1e at %d steps\n", opt.kind, opt.process->name, order,
         sqrt(error[1] / FEW / 3), 2 * steps);
  return order;
}

static void errors_fall_with_the_order_of_the_method(void **state)
{
  (void)state;
  for (const ScoriaSamplerRow *row = scoria_samplers; row->name; row++)
    for (const ScoriaProcessRow *process = scoria_processes; process->name && follows_the_flow(row); process++) {
      ScoriaSamplerOptions opt = options(row->name, 0);
      opt.process              = process;
      const double order       = observed_order(opt, row->order > 2 ? 16 : 64);
      assert_true(order > row->order - 0.2 && order < row->order + (row->order > 2 ? 0.7 : 0.25));
    }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(table_of_errors),
      cmocka_unit_test(gaussians_keep_their_variance),
      cmocka_unit_test(stochastic_samplers_draw_the_law),
      cmocka_unit_test(covariances_converge_with_the_weak_order),
      cmocka_unit_test(a_sample_does_not_depend_on_its_tile),
      cmocka_unit_test(errors_fall_with_the_order_of_the_method),
  };
  set_targets();
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

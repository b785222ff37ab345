/* The basis of whole fields that are not homogeneous (POD), against a dense decomposition of the same rows.  ranks: 2
 * Two channels of a plane: sums of a few modes of known size and a little noise; the second through a logistic
 * function, and so between 0 and 1, which are its bounds. */
#include "scoria/linalg.h"
#include "score/pod.h"
#include "row_dataset.h"
#include "testing.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

enum {
  C            = 2,
  NX           = 16,
  NY           = 12,
  L            = NX * NY,
  M            = C * L,
  CONDITIONS   = 30,
  REALISATIONS = 20,
  ROWS         = CONDITIONS * REALISATIONS
};
enum { MODES = 6 };
#define NOISE 0.01

static const char *path      = "test_pod.h5";
static const ScoriaTwin twin = {.reference = {NAN, NAN}, .bounded = {false, true}, .bounds = {{0, 0}, {0, 1}}};
static const ScoriaNormaliserOptions options = {
    .modes = 4, .all_modes = 0, .degree_mean = 1, .degree_scale = 1, .whitening = true, .energy = 0.998};

static void near(double a, double b, double tolerance)
{
  if (!(fabs(a - b) <= tolerance)) fail_msg("%.15g, expected %.15g within %g", a, b, tolerance);
}

static double *all; /* (ROWS, M) as they are in the file, on every rank */

/* What is between 0 and 1 for the second channel, before the logistic function. */
static double free_value(uint64_t row, int c, int j, const double z[MODES])
{
  const double x = (j % NX + 0.5) / NX, y = ((double)j / NX + 0.5) / NY,
               u = -1 + 2.0 * (double)(row / REALISATIONS) / (CONDITIONS - 1);
  double sum     = 0.5 * u * (1 + x);
  for (int k = 0; k < MODES; k++) sum += z[k] / (1 + k * k) * cos(PETSC_PI * k * x + c) * cos(PETSC_PI * (k % 3) * y);
  return sum;
}

static void make_rows(void)
{
  double z[MODES], *noise;
  CHECK(PetscMalloc2((size_t)ROWS * M, &all, M, &noise));
  for (uint64_t i = 0; i < ROWS; i++) {
    rng_normal(5, SCORIA_STREAM_POROSITY, i, 0, MODES, z);
    rng_normal(5, SCORIA_STREAM_POROSITY, i, 100, M, noise);
    for (int j = 0; j < M; j++) {
      const double v         = free_value(i, j / L, j % L, z) + NOISE * noise[j];
      all[i * M + (size_t)j] = j < L ? 7 + v : 1 / (1 + exp(-v));
    }
  }
}

static void fill_rows(const void *ctx, ScoriaRows *rows)
{
  (void)ctx;
  for (int64_t i = 0; i < rows->rows; i++) {
    rows->condition[0][i] = unit_of(i / REALISATIONS, CONDITIONS);
    rows->done[i]         = SCORIA_ROW_DONE;
    for (int c = 0; c < C; c++) memcpy(rows->field[c] + i * L, all + i * M + c * L, sizeof *all * L);
  }
}

static void make_dataset(void)
{
  const ScoriaDatasetSpec spec = {.rows         = ROWS,
                                  .cells        = L,
                                  .shape        = {NX, NY, 1},
                                  .nfields      = C,
                                  .realisations = REALISATIONS,
                                  .float64      = true,
                                  .field        = {{"a", "", "", false}, {"b", "", "", false}},
                                  .space        = {1, {{"u", "", -1, 1, false}}},
                                  .source       = "test"};
  write_row_dataset(path, &spec, fill_rows, NULL);
}

static ScoriaNormaliser norm;
static Pod *pod;

static int set_up(void **state)
{
  bool train[CONDITIONS];
  const int channel[C] = {0, 1};
  ScoriaDataset ds;
  (void)state;
  make_rows();
  make_dataset();
  for (int k = 0; k < CONDITIONS; k++) train[k] = true;
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, path, &ds));
  CHECK(NormaliserFit(PETSC_COMM_WORLD, ds, C, channel, train, &twin, &options, &norm));
  CHECK(ScoriaDatasetClose(&ds));
  assert_string_equal(norm->basis->name, "pod");
  pod = norm->self;
  return 0;
}

static int tear_down(void **state)
{
  (void)state;
  CHECK(NormaliserDestroy(&norm));
  CHECK(PetscFree(all));
  return 0;
}

/* The covariance (M, M) of the transformed rows about their mean over the scales, and its eigenvalues. */
static void decompose(double G[], double w[])
{
  double mean[M] = {0}, square[C] = {0}, *v;
  CHECK(PetscMalloc1((size_t)ROWS * M, &v));
  for (size_t k = 0; k < (size_t)ROWS * M; k++) v[k] = k % M < L ? all[k] : log(all[k] / (1 - all[k]));
  for (size_t k = 0; k < (size_t)ROWS * M; k++) mean[k % M] += v[k] / ROWS;
  for (size_t k = 0; k < (size_t)ROWS * M; k++) square[k % M / L] += pow(v[k] - mean[k % M], 2) / (ROWS * L);
  for (int j = 0; j < M; j++) near(pod->mean[j], mean[j], 1e-10);
  for (int c = 0; c < C; c++) near(pod->scale[c], sqrt(square[c]), 1e-10);
  for (size_t k = 0; k < (size_t)ROWS * M; k++) v[k] = (v[k] - mean[k % M]) / sqrt(square[k % M / L] * ROWS);
  la_gemm(true, false, M, M, ROWS, 1, v, M, v, M, 0, G, M);
  CHECK(LinalgEigen(M, G, w));
  CHECK(PetscFree(v));
}

/* The modes are orthonormal; they are those of the dense decomposition, and carry what they do there: M values of unit
 * variance in the mean, so that the rest is what is left out. */
static void modes_are_those_of_a_dense_decomposition(void **state)
{
  const int K = pod->K;
  double *G, *w, *gram, kept = 0;
  (void)state;
  CHECK(PetscMalloc3((size_t)M * M, &G, M, &w, (size_t)K * K, &gram));
  la_gemm(false, true, K, K, M, 1, pod->U, M, pod->U, M, 0, gram, K);
  for (int k = 0; k < K * K; k++) near(gram[k], k / K == k % K, 1e-12);
  decompose(G, w);
  for (int k = 0; k < K; k++) {
    double inside      = 0;
    const double *mode = G + (size_t)(M - 1 - k) * M;
    kept += w[M - 1 - k] / M;
    near(pod->weight[k], sqrt(w[M - 1 - k] / w[M - 1]), 1e-6);
    for (int l = 0; l < K; l++) {
      double product = 0;
      for (int j = 0; j < M; j++) product += mode[j] * pod->U[(size_t)l * M + j];
      inside += product * product;
    }
    near(inside, 1, 1e-6); /* of 160 directions at random, whose rest is noise */
  }
  near(pod->kept, kept, 1e-9);
  assert_true(pod->kept >= options.energy && pod->kept - w[M - K] / M < options.energy); /* as few as do */
  CHECK(PetscFree3(G, w, gram));
}

/* Decoding is the adjoint of encoding in the scaled values: coefficients come back, and a field as its projection. */
static void decoding_is_the_adjoint_of_encoding(void **state)
{
  const int K = pod->K;
  double *product, *left;
  (void)state;
  CHECK(PetscMalloc2((size_t)K * K, &product, M, &left));
  la_gemm(false, false, K, K, M, 1, pod->from, M, pod->to, K, 0, product, K);
  for (int k = 0; k < K * K; k++) near(product[k], k / K == k % K, 1e-12);
  for (int row = 0; row < ROWS; row += 37) {
    double coefs[64], square = 0;
    pod_coefficients(pod, 1, all + (size_t)row * M, coefs);
    la_rows_product(1, K, M, coefs, pod->from, pod->mean, left);
    for (int j = 0; j < M; j++) {
      const double x = all[(size_t)row * M + j], v = j < L ? x : log(x / (1 - x));
      left[j] = (left[j] - v) / pod->scale[j / L];
      square += left[j] * left[j] / M;
    }
    for (int j = 0; j < M; j++) left[j] *= pod->scale[j / L];
    la_rows_product(1, M, K, left, pod->to, NULL, coefs);
    for (int k = 0; k < K; k++) near(coefs[k], 0, 1e-10); /* what is left out is orthogonal to the modes */
    assert_true(square < 10 * (1 - pod->kept));
  }
  CHECK(PetscFree2(product, left));
}

static void fields_come_back_and_stay_in_bounds(void **state)
{
  const double theta = 0.3;
  double packed[8 * 64], back[8 * 64], *fields;
  int R;
  (void)state;
  CHECK(ScoriaNormaliserSizes(norm, NULL, NULL, NULL, &R));
  CHECK(ScoriaNormaliserAt(norm, &twin, &theta));
  CHECK(PetscMalloc1(8 * M, &fields));
  for (int size = 1; size <= 1000; size *= 10) {
    for (int i = 0; i < 8; i++) rng_normal(6, SCORIA_STREAM_INIT, (uint64_t)i, 0, R, packed + i * R);
    for (int k = 0; k < 8 * R; k++) packed[k] *= size;
    normaliser_decode(norm, 8, packed, fields);
    for (int k = 0; k < 8 * M; k++)
      if (k % M >= L) assert_true((float)fields[k] >= 0 && (float)fields[k] <= 1);
    normaliser_encode(norm, 8, fields, back);
    for (int k = 0; k < 8 * R && size == 1; k++) near(back[k], packed[k], 1e-8);
  }
  CHECK(PetscFree(fields));
}

/* ln sqrt(det(J J^T)) by central differences. */
static void the_volume_is_that_of_the_jacobian(void **state)
{
  const double theta = -0.4, h = 1e-5;
  double y[64], *work, *J, *gram, *two, sum = 0;
  int R;
  (void)state;
  CHECK(ScoriaNormaliserSizes(norm, NULL, NULL, NULL, &R));
  CHECK(ScoriaNormaliserAt(norm, &twin, &theta));
  CHECK(PetscMalloc4(normaliser_volume_work(norm), &work, (size_t)R * M, &J, (size_t)R * R, &gram, 2 * M, &two));
  rng_normal(7, SCORIA_STREAM_INIT, 1, 0, R, y);
  for (int k = 0; k < R; k++) {
    double pair[2 * 64];
    for (int s = 0; s < 2; s++) {
      memcpy(pair + s * R, y, sizeof *y * (size_t)R);
      pair[s * R + k] += s ? h : -h;
    }
    normaliser_decode(norm, 2, pair, two);
    for (int j = 0; j < M; j++) J[(size_t)k * M + j] = (two[M + j] - two[j]) / (2 * h);
  }
  la_gemm(false, true, R, R, M, 1, J, M, J, M, 0, gram, R);
  assert_true(la_cholesky(R, gram));
  for (int k = 0; k < R; k++) sum += log(gram[(size_t)k * R + k]);
  near(normaliser_log_volume(norm, y, work), sum, 1e-6);
  CHECK(PetscFree4(work, J, gram, two));
}

/* Transforms of one and of two bounds: there and back, their rate, and single precision. */
static void bounds_are_kept_in_single_precision(void **state)
{
  const ScoriaTwin some = {.bounded = {true, true, true}, .bounds = {{-2, 0.1}, {0.1, INFINITY}, {-INFINITY, 3}}};
  (void)state;
  for (int c = 0; c < 3; c++) {
    NormBounds b = bounds_of(&some, c);
    bounds_set_least(&b, 10);
    for (double v = -40; v <= 40; v += 0.37) {
      const double x = bounds_back(&b, v), h = 1e-4;
      assert_true((double)(float)x >= b.lo && (double)(float)x <= b.hi);
      if (fabs(v) > 9) continue;
      near(bounds_to(&b, x), v, 1e-6);
      near(bounds_rate(&b, v), (bounds_back(&b, v + h) - bounds_back(&b, v - h)) / (2 * h),
           1e-6 * (1 + fabs(bounds_rate(&b, v))));
    }
    assert_true(isfinite(bounds_to(&b, bounds_end(&b)))); /* a value on the bound counts as near it */
    assert_true(isnan(bounds_to(&b, c == 2 ? 4 : -3)));
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(modes_are_those_of_a_dense_decomposition), cmocka_unit_test(decoding_is_the_adjoint_of_encoding),
      cmocka_unit_test(fields_come_back_and_stay_in_bounds), cmocka_unit_test(the_volume_is_that_of_the_jacobian),
      cmocka_unit_test(bounds_are_kept_in_single_precision)};
  return run_test_group(argc, argv, tests, sizeof tests / sizeof *tests, set_up, tear_down);
}

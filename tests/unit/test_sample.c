/* Samples of a model.  ranks: 2
 * A small ensemble, a normaliser fitted to it and networks without training: with zero output (as initialised) the law
 * of y is N(0, I) exactly, with random weights it is anything, but the same whoever draws it. */
#include "score/model.h"
#include "testing.h"
#include <math.h>
#include <unistd.h>

enum { C = 2, L = 10, M = C * L, CONDITIONS = 30, REALISATIONS = 40, MODES = 4, ALL_MODES = 9 };

static const ScoriaTwin twin     = {NULL, NULL, {5, NAN}};
static const double middle[1]    = {0.3};
static const char *const FILE_IN = "test_sample.h5";

/* Autoregressive fields around a mean that moves with the condition; channel 0 stays below 5. */
static void fill_rows(ScoriaRows *rows)
{
  rows->rows = CONDITIONS * REALISATIONS;
  for (int i = 0; i < rows->rows; i++) {
    const double u  = -1 + 2.0 * (i / REALISATIONS) / (CONDITIONS - 1);
    double level[C] = {0}, z[C];
    for (int j = 0; j < L; j++) {
      rng_normal(1, SCORIA_STREAM_POROSITY, (uint64_t)i, (uint32_t)j, C, z);
      for (int c = 0; c < C; c++) level[c] = 0.8 * level[c] + z[c];
      rows->field[0][i * L + j] = 5 - exp(0.2 * level[0] + u);
      rows->field[1][i * L + j] = 0.1 * exp(0.3 * u) * (level[1] + 0.5 * level[0]) + u * u;
    }
    rows->condition[0][i] = u;
    rows->done[i]         = SCORIA_ROW_DONE;
  }
}

static void fit_normaliser(ScoriaNormaliser *norm)
{
  const ScoriaDatasetSpec spec      = {.rows         = CONDITIONS * REALISATIONS,
                                       .cells        = L,
                                       .nfields      = C,
                                       .realisations = REALISATIONS,
                                       .float64      = true,
                                       .field        = {{"c", "", ""}, {"phi", "", ""}},
                                       .space        = {1, {{"p", "", -1, 1, false}}}};
  const ScoriaProvenance from       = {"dataset", "run: {seed: 1}\n", 1, 1, 1};
  const ScoriaNormaliserOptions opt = {MODES, ALL_MODES, 2, 2};
  const int channel[C]              = {0, 1};
  const double x[L]                 = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  bool train[CONDITIONS];
  ScoriaDataset ds;
  ScoriaRows rows;
  int rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (rank == 0) (void)unlink(FILE_IN);
  MPI_Barrier(PETSC_COMM_WORLD);
  for (int i = 0; i < CONDITIONS; i++) train[i] = true;
  CHECK(ScoriaRowsCreate(&spec, spec.rows, &rows));
  if (rank == 0) fill_rows(&rows);
  CHECK(ScoriaDatasetCreate(PETSC_COMM_WORLD, FILE_IN, &spec, x, &from, &ds));
  CHECK(ScoriaDatasetWrite(ds, 0, &rows));
  CHECK(ScoriaDatasetFinish(&ds));
  CHECK(ScoriaRowsDestroy(&rows));
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, FILE_IN, &ds));
  CHECK(ScoriaNormaliserFit(PETSC_COMM_WORLD, ds, C, channel, train, &twin, &opt, norm));
  CHECK(ScoriaDatasetClose(&ds));
}

static void make_model(bool random_weights, ScoriaModel *model)
{
  CHECK(PetscNew(model));
  ScoriaModel m = *model;
  fit_normaliser(&m->normaliser);
  m->nchannels = C;
  m->cells     = L;
  m->spec      = (ScoriaNetSpec){.kind     = "modes",
                                 .r        = MODES,
                                 .d        = 1,
                                 .width    = 32,
                                 .depth    = 2,
                                 .embed    = 16,
                                 .channels = C,
                                 .cells    = L,
                                 .kernel   = 5,
                                 .patch    = 1};
  CHECK(ModelNetCreate(m));
  net_initialise(m->net, 1);
  if (!random_weights) return;
  const int n  = (int)net_parameter_count(m->net);
  float *noise = NULL;
  CHECK(PetscMalloc1(n, &noise));
  rng_normalf(3, SCORIA_STREAM_INIT, 1000, 0, n, noise);
  for (int i = 0; i < n; i++) net_parameters(m->net)[i] += 0.05f * noise[i];
  CHECK(PetscFree(noise));
}

static ScoriaSamplerOptions options(const char *kind)
{
  return (ScoriaSamplerOptions){kind, 6, 30, 0.002, 1, 42, false, NULL, 0.16};
}

static void a_sample_has_the_same_bits_whoever_asks(void **state)
{
  enum { N = 300 }; /* more than two tiles */
  static double all[N * M], part[N * M], first[N * M];
  ScoriaModel model;
  (void)state;
  make_model(true, &model);
  for (const ScoriaSamplerRow *row = scoria_samplers; row->name; row++)
    for (int gaussian = 0; gaussian < 2; gaussian++) {
      const ScoriaSamplerOptions opt = options(row->name);
      CHECK(ScoriaModelSample(model, &twin, &opt, middle, 0, N, gaussian, all));
      for (int i = 0; i < N * M; i++) assert_true(isfinite(all[i]));
      CHECK(ScoriaModelSample(model, &twin, &opt, middle, 7, 1, gaussian, part));
      assert_memory_equal(part, all + 7 * M, M * sizeof(double));
      CHECK(ScoriaModelSample(model, &twin, &opt, middle, 131, 140, gaussian, part));
      assert_memory_equal(part, all + 131 * M, 140 * M * sizeof(double));
      memcpy(first, all, sizeof all);
      (void)MPI_Bcast(first, N * M, MPI_DOUBLE, 0, PETSC_COMM_WORLD);
      assert_memory_equal(all, first, sizeof all);
      assert_true(memcmp(all, all + M, M * sizeof(double)) != 0);
    }
  CHECK(ScoriaModelDestroy(&model));
}

/* F = 0: D = x / (1 + sigma^2), whose flow in angle form is at rest: the samplers return their noise, which is what the
 * conditional Gaussian is made from.  Rounding to single precision, a dozen times, of y; fields have unit scale or
 * less. */
static void a_silent_network_gives_the_conditional_gaussian(void **state)
{
  enum { N = 200 };
  static double gauss[N * M], drawn[N * M];
  static const char *const kinds[] = {"ab2", "abm"};
  ScoriaModel model;
  (void)state;
  make_model(false, &model);
  for (int k = 0; k < 2; k++) {
    const ScoriaSamplerOptions opt = options(kinds[k]);
    CHECK(ScoriaModelSample(model, &twin, &opt, middle, 0, N, true, gauss));
    CHECK(ScoriaModelSample(model, &twin, &opt, middle, 0, N, false, drawn));
    for (int i = 0; i < N * M; i++) assert_true(fabs(gauss[i] - drawn[i]) < 2e-5 * (1 + fabs(gauss[i])));
  }
  CHECK(ScoriaModelDestroy(&model));
}

/* Encoded again, samples of the conditional Gaussian are N(0, I) in all R modes, remainder included. */
static void gaussian_samples_are_white(void **state)
{
  enum { N = 20000 };
  static double fields[N * M], y[N * ALL_MODES];
  const ScoriaSamplerOptions opt = options("abm");
  const double theta[1]          = {-0.6};
  ScoriaModel model;
  (void)state;
  make_model(false, &model);
  CHECK(ScoriaModelSample(model, &twin, &opt, theta, 1000, N, true, fields));
  normaliser_encode(ScoriaModelNormaliser(model), N, fields, y);
  for (int k = 0; k < ALL_MODES; k++)
    for (int l = 0; l <= k; l++) {
      double mean = 0, product = 0;
      for (int i = 0; i < N; i++) {
        mean += y[i * ALL_MODES + k] / N;
        product += y[i * ALL_MODES + k] * y[i * ALL_MODES + l] / N;
      }
      assert_true(fabs(mean) < 5 / sqrt(N)); /* five standard errors; of a square, sqrt(2) times as large */
      assert_true(fabs(product - (k == l)) < 5 * sqrt(k == l ? 2 : 1) / sqrt(N));
    }
  CHECK(ScoriaModelDestroy(&model));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_sample_has_the_same_bits_whoever_asks),
      cmocka_unit_test(a_silent_network_gives_the_conditional_gaussian),
      cmocka_unit_test(gaussian_samples_are_white),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

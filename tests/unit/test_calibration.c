/* The calibration of networks of few rows.  ranks: 2
 * What it makes of rows of laws whose mean and spread are known; its map in samples, latents, densities and the file;
 * and its fit on a network with random weights, whose law is not that of the rows. */
#define SMALL_MODEL_FILE "test_calibration.h5"
#include "score/calibration_fit.h"
#include "score/train_few.h"
#include "small_model.h"

static int world_rank(void)
{
  int rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  return rank;
}

enum { WIDE = 12, ROWS = 4000, DEGREE = 4, LOUD = WIDE / 2, TILES = 64 };

static void sums_create(const NormPoly *poly, int r, CalibrationSums *s)
{
  *s = (CalibrationSums){.p = poly->terms, .r = r};
  CHECK(PetscCalloc3(s->p * s->p, &s->xx, s->p * r, &s->xy, r, &s->yy));
}

/* Rows in two dimensions, the first six coordinates with a mean of .2 times term k + 1, and all with that spread. */
static void draw_rows(const NormPoly *poly, double constant, double spread, CalibrationSums *s)
{
  double *x;
  CHECK(PetscMalloc1(poly->terms, &x));
  for (int i = 0; i < ROWS; i++) {
    double u[2], z[WIDE];
    rng_uniform(4, SCORIA_STREAM_VALIDATION, (uint64_t)i, 0, 2, u);
    rng_normal(5, SCORIA_STREAM_VALIDATION, (uint64_t)i, 0, WIDE, z);
    for (int j = 0; j < 2; j++) u[j] = 2 * u[j] - 1;
    norm_poly_values(poly, u, x);
    for (int k = 0; k < WIDE; k++) {
      const double y = constant + (k < LOUD ? 0.2 * x[k + 1] : 0) + spread * z[k];
      s->yy[k] += y * y;
      for (int a = 0; a < s->p; a++) s->xy[a * WIDE + k] += x[a] * y;
    }
    for (int a = 0; a < s->p; a++)
      for (int b = 0; b < s->p; b++) s->xx[a * s->p + b] += x[a] * x[b];
  }
  s->n = ROWS;
  CHECK(PetscFree(x));
}

static void make_polynomial(NormPoly *poly)
{
  const int levels[] = {DEGREE + 1, DEGREE + 1};
  CHECK(NormPolyCreate(2, DEGREE, levels, poly));
}

/* A coefficient of least squares is known to 1 / sqrt(4000) = .0158, and 14 of them to .059 together. Where there is a
 * mean, it is found as well as that; where there is none, what is found is less than half of that. */
static void means_are_shrunk_by_their_evidence(void **state)
{
  const double noise = 1 / sqrt(ROWS);
  double error[2]    = {0}, *mean;
  NormPoly poly;
  CalibrationSums s;
  (void)state;
  make_polynomial(&poly);
  sums_create(&poly, WIDE, &s);
  draw_rows(&poly, 0.05, 1, &s);
  CHECK(PetscMalloc1(s.p * WIDE, &mean));
  CHECK(CalibrationMeans(&poly, &s, mean));
  for (int k = 0; k < WIDE; k++) {
    if (!(fabs(mean[k] - 0.05) < 4 * noise)) fail_msg("coordinate %d: constant %g", k, mean[k]);
    for (int i = 1; i < s.p; i++)
      error[k < LOUD] += pow(mean[i * WIDE + k] - (k < LOUD && i == k + 1 ? 0.2 : 0), 2) / LOUD;
  }
  const double least_squares = sqrt(s.p - 1) * noise;
  if (!(sqrt(error[1]) < least_squares && sqrt(error[0]) < 0.5 * least_squares))
    fail_msg("errors %g with a mean, %g without; least squares %g", sqrt(error[1]), sqrt(error[0]), least_squares);
  CHECK(PetscFree(mean));
  CHECK(PetscFree3(s.xx, s.xy, s.yy));
  CHECK(NormPolyDestroy(&poly));
}

/* Of a network whose moments are anything: over the rows' conditions the means get the average of the rows, and the
 * logarithms of the spreads that of 1.2, known to 1 / sqrt(2 * 4000) = .011; rounding in the former. Of what varies
 * the share of 4000 rows is the network's. */
static void averages_become_those_of_the_rows(void **state)
{
  const double kept = ROWS / (ROWS + 2048.);
  double *mean;
  Calibration c = {0};
  CalibrationSums s;
  (void)state;
  make_polynomial(&c.poly);
  CHECK(CalibrationSetUp(2, WIDE, &c));
  sums_create(&c.poly, WIDE, &s);
  draw_rows(&c.poly, 0.05, 1.2, &s);
  rng_normal(6, SCORIA_STREAM_VALIDATION, 0, 0, s.p * 2 * WIDE, c.from);
  for (int i = 0; i < s.p * 2 * WIDE; i++) c.from[i] *= 0.1;
  CHECK(CalibrationTargets(&s, &c));
  CHECK(PetscMalloc1(s.p * WIDE, &mean));
  CHECK(CalibrationMeans(&c.poly, &s, mean));
  for (int k = 0; k < WIDE; k++) {
    double average[2] = {0};
    for (int q = 0; q < 2; q++)
      for (int i = 0; i < s.p; i++) average[q] += s.xx[i] * c.to[i * 2 * WIDE + q * WIDE + k] / ROWS;
    if (!(fabs(average[0] - s.xy[k] / ROWS) < 1e-12 && fabs(average[1] - log(1.2)) < 0.044))
      fail_msg("coordinate %d: averages %g, of rows %g; ln spread %g, expected %g", k, average[0], s.xy[k] / ROWS,
               average[1], log(1.2));
    for (int i = 1; i < s.p; i++) {
      const double *from = c.from + i * 2 * WIDE + k, *to = c.to + i * 2 * WIDE + k;
      assert_true(fabs(to[0] - kept * from[0] - (1 - kept) * mean[i * WIDE + k]) < 1e-12);
      assert_true(fabs(to[WIDE] - kept * from[WIDE]) < 1e-12);
    }
  }
  CHECK(PetscFree(mean));
  CHECK(PetscFree3(s.xx, s.xy, s.yy));
  CHECK(CalibrationDestroy(&c));
}

/* A calibration of degree 1 with moments of its own for every coordinate. */
static void put_calibration(ScoriaModel model)
{
  const int levels[] = {2};
  Calibration *c     = &model->calibration;
  CHECK(NormPolyCreate(1, 1, levels, &c->poly));
  CHECK(CalibrationSetUp(1, MODES, c));
  for (int k = 0; k < 4 * MODES; k++) c->from[k] = 0.1 * (k % 3) - 0.15 + 0.02 * k;
  for (int k = 0; k < 4 * MODES; k++) c->to[k] = 0.05 * (k % 4) - 0.1;
}

/* The map at theta, written out. */
static void expected_map(const Calibration *c, double theta, double shift[], double scale[])
{
  const double u = fmin(fmax(theta, -1), 1);
  for (int k = 0; k < MODES; k++) {
    const double *from = c->from + k, *to = c->to + k, slope = sqrt(3) * u;
    const double mu = from[0] + slope * from[2 * MODES], l = from[MODES] + slope * from[3 * MODES];
    scale[k] = exp(to[MODES] + slope * to[3 * MODES] - l);
    shift[k] = to[0] + slope * to[2 * MODES] - scale[k] * mu;
  }
}

/* Samples are the uncalibrated ones, mapped; so are those of latents, with one condition for all or with one of their
 * own; beyond the range (1.5) the map is that of its end.  1e-6: single precision of coordinates of order 1, and what
 * decoding and encoding lose. */
static void samples_are_mapped(void **state)
{
  static const double at[]       = {-0.3, 0.8, 1.5};
  const ScoriaSamplerOptions opt = {"abm", 6, 30, 0.002, 1, 42, false, NULL, 0.16, NULL};
  ScoriaModel model, plain;
  (void)state;
  make_model_of("modes", true, &model);
  make_model_of("modes", true, &plain);
  put_calibration(model);
  for (int q = 0; q < 3; q++) {
    double fields[2][8 * M], y[2][8 * ALL_MODES], latent[8 * ALL_MODES], theta[8], shift[MODES], scale[MODES];
    expected_map(&model->calibration, at[q], shift, scale);
    for (int i = 0; i < 8; i++) theta[i] = at[q];
    rng_normal(9, SCORIA_STREAM_SAMPLE, 0, 0, 8 * ALL_MODES, latent);
    for (int way = 0; way < 3; way++) {
      for (int m = 0; m < 2; m++) {
        const ScoriaModel of = m ? model : plain;
        if (way == 0)
          CHECK(ScoriaModelSample(of, &twin, &opt, at + q, 5, 8, false, fields[m]));
        else
          CHECK(ScoriaModelTransport(of, &twin, &opt, false, 3, 8, way == 2, theta, latent, fields[m]));
        CHECK(ScoriaNormaliserAt(of->normaliser, &twin, at + q));
        normaliser_encode(of->normaliser, 8, fields[m], y[m]);
      }
      for (int i = 0; i < 8 * ALL_MODES; i++) {
        const int k           = i % ALL_MODES;
        const double expected = k < MODES ? scale[k] * y[0][i] + shift[k] : y[0][i];
        if (!(fabs(y[1][i] - expected) < 1e-6 * (1 + fabs(expected))))
          fail_msg("way %d, coordinate %d at %g: %.9g, expected %.9g", way, k, at[q], y[1][i], expected);
      }
    }
  }
  CHECK(ScoriaModelDestroy(&model));
  CHECK(ScoriaModelDestroy(&plain));
}

/* Of a silent network the law is a Gaussian that is known, to rounding (single precision is not in it). */
static void densities_are_those_of_the_map(void **state)
{
  const ScoriaSamplerOptions opt          = {"abm", 6, 30, 0.002, 1, 42, false, NULL, 0.16, NULL};
  const ScoriaLikelihoodOptions densities = {.steps = 8, .seed = 3};
  double fields[6 * M], theta[6], density[6], gauss[6], y[ALL_MODES], shift[MODES], scale[MODES], largest = 0;
  uint64_t id[6] = {0, 1, 2, 3, 4, 5};
  ScoriaModel model;
  (void)state;
  make_model_of("modes", false, &model);
  put_calibration(model);
  for (int i = 0; i < 6; i++) {
    theta[i] = -0.5 + 0.2 * i;
    CHECK(ScoriaModelSample(model, &twin, &opt, theta + i, id[i], 1, false, fields + i * M));
  }
  CHECK(ScoriaModelLogDensity(model, &twin, &densities, 0, 6, id, theta, fields,
                              &(ScoriaLogDensity){.log_density = density, .gaussian = gauss}));
  for (int i = 0; i < 6; i++) {
    double sum = -0.5 * ALL_MODES * log(2 * PETSC_PI);
    expected_map(&model->calibration, theta[i], shift, scale);
    CHECK(ScoriaNormaliserAt(model->normaliser, &twin, theta + i));
    normaliser_encode(model->normaliser, 1, fields + i * M, y);
    for (int k = 0; k < ALL_MODES; k++) {
      const double z = k < MODES ? (y[k] - shift[k]) / scale[k] : y[k];
      sum -= 0.5 * z * z + (k < MODES ? log(scale[k]) : 0);
    }
    /* the condition is in single precision for the network, and so for the map: 1e-6 of it, times a few */
    if (!(fabs(density[i] - sum) < 1e-5)) fail_msg("row %d: %.9g, expected %.9g", i, density[i], sum);
    largest = fmax(largest, fabs(density[i] - gauss[i]));
  }
  assert_true(largest > 0.1);
  CHECK(ScoriaModelDestroy(&model));
}

/* Of any network: the density of a field is that of the network alone at the field that the map takes there, over the
 * map's volume. */
static void densities_of_random_weights(void **state)
{
  const ScoriaSamplerOptions opt          = {"abm", 6, 30, 0.002, 1, 42, false, NULL, 0.16, NULL};
  const ScoriaLikelihoodOptions densities = {.steps = 8, .seed = 3};
  double theta[4], mapped[4 * M], fields[4 * M], with[4], without[4], y[ALL_MODES], shift[MODES], scale[MODES],
      volume[4] = {0}, gauss[4], largest = 0;
  uint64_t id[4] = {0, 1, 2, 3};
  ScoriaModel model, plain;
  (void)state;
  make_model_of("modes", true, &model);
  make_model_of("modes", true, &plain);
  put_calibration(model);
  for (int i = 0; i < 4; i++) {
    theta[i] = -0.4 + 0.3 * i;
    CHECK(ScoriaModelSample(model, &twin, &opt, theta + i, id[i], 1, false, mapped + i * M));
    expected_map(&model->calibration, theta[i], shift, scale);
    CHECK(ScoriaNormaliserAt(plain->normaliser, &twin, theta + i));
    normaliser_encode(plain->normaliser, 1, mapped + i * M, y);
    for (int k = 0; k < MODES; k++) {
      y[k] = (y[k] - shift[k]) / scale[k];
      volume[i] += log(scale[k]);
    }
    normaliser_decode(plain->normaliser, 1, y, fields + i * M);
  }
  CHECK(ScoriaModelLogDensity(model, &twin, &densities, 0, 4, id, theta, mapped,
                              &(ScoriaLogDensity){.log_density = with, .gaussian = gauss}));
  CHECK(ScoriaModelLogDensity(plain, &twin, &densities, 0, 4, id, theta, fields,
                              &(ScoriaLogDensity){.log_density = without, .gaussian = gauss}));
  for (int i = 0; i < 4; i++) {
    /* the same steps through the same network in single precision: 1e-6 of its values, some hundred of them */
    if (!(fabs(with[i] - (without[i] - volume[i])) < 1e-4))
      fail_msg("row %d: %.9g, expected %.9g", i, with[i], without[i] - volume[i]);
    largest = fmax(largest, fabs(volume[i]));
  }
  assert_true(largest > 0.05);
  CHECK(ScoriaModelDestroy(&model));
  CHECK(ScoriaModelDestroy(&plain));
}

/* A number that is none would make every sample one. */
static void a_broken_one_is_refused(void **state)
{
  ScoriaModel model, loaded;
  (void)state;
  make_model_of("modes", true, &model);
  CHECK(PetscCalloc1(L, &model->x));
  put_calibration(model);
  for (int broken = 0; broken < 2; broken++) {
    double *at     = broken ? &model->calibration.to[1] : &model->calibration.from[2];
    const double x = *at;
    *at            = broken ? INFINITY : NAN;
    MPI_Barrier(PETSC_COMM_WORLD);
    if (world_rank() == 0) (void)unlink("calibrated.h5");
    MPI_Barrier(PETSC_COMM_WORLD);
    CHECK(ScoriaModelSave(model, PETSC_COMM_WORLD, "calibrated.h5", "run: {}\n"));
    assert_true(ScoriaModelLoad(PETSC_COMM_WORLD, "calibrated.h5", &loaded));
    assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
    assert_non_null(strstr(ScoriaFailureLine(), broken ? "number 1 of /calibration/to is not finite"
                                                       : "number 2 of /calibration/from is not finite"));
    ScoriaFailureReset();
    *at = x;
  }
  CHECK(ScoriaModelDestroy(&model));
}

/* A part of one is no file without: its samples would be others. */
static void half_of_one_is_refused(void **state)
{
  const double to[2 * MODES] = {0};
  ScoriaStore store;
  Calibration c;
  (void)state;
  MPI_Barrier(PETSC_COMM_WORLD);
  if (world_rank() == 0) (void)unlink("half.h5");
  MPI_Barrier(PETSC_COMM_WORLD);
  CHECK(ScoriaStoreCreate(PETSC_COMM_WORLD, "half.h5", "model", "run: {}\n", &store));
  CHECK(ScoriaStorePutReals(store, "/calibration/to", 2, (const int64_t[]){1, 2 * MODES}, to, "", "half of one"));
  CHECK(ScoriaStoreClose(&store));
  CHECK(ScoriaStoreOpen(PETSC_COMM_WORLD, "half.h5", "model", &store));
  assert_true(CalibrationLoad(store, 1, MODES, &c));
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
  assert_non_null(strstr(ScoriaFailureLine(), "/calibration/powers"));
  ScoriaFailureReset();
  CHECK(ScoriaStoreClose(&store));
}

static void the_file_holds_it(void **state)
{
  double map[2][2 * MODES] = {{0}};
  const double u           = 0.37;
  ScoriaModel model, loaded;
  (void)state;
  make_model_of("modes", true, &model);
  CHECK(PetscCalloc1(L, &model->x));
  for (int with = 0; with < 2; with++) {
    if (with) put_calibration(model);
    MPI_Barrier(PETSC_COMM_WORLD); /* a file that is there is not overwritten */
    if (world_rank() == 0) (void)unlink("calibrated.h5");
    MPI_Barrier(PETSC_COMM_WORLD);
    CHECK(ScoriaModelSave(model, PETSC_COMM_WORLD, "calibrated.h5", "run: {}\n"));
    CHECK(ScoriaModelLoad(PETSC_COMM_WORLD, "calibrated.h5", &loaded));
    assert_int_equal(loaded->calibration.from != NULL, with);
    for (int m = 0; m < 2 && with; m++) {
      const Calibration *c = m ? &loaded->calibration : &model->calibration;
      calibration_at(c, &u);
      memcpy(map[m], c->shift, MODES * sizeof(double));
      memcpy(map[m] + MODES, c->scale, MODES * sizeof(double));
    }
    assert_memory_equal(map[0], map[1], sizeof map[0]);
    CHECK(ScoriaModelDestroy(&loaded));
  }
  CHECK(ScoriaModelDestroy(&model));
}

/* Rows of N(0, I) at 30 conditions, all on every rank. */
static void fill_data(float y[], int32_t condition[], float u[], TrainData *data)
{
  for (int i = 0; i < CONDITIONS; i++) u[i] = -1 + 2.0f * (float)i / (CONDITIONS - 1);
  for (int i = 0; i < CONDITIONS * REALISATIONS; i++) {
    condition[i] = i / REALISATIONS;
    rng_normalf(8, SCORIA_STREAM_POROSITY, (uint64_t)i, 0, MODES, y + (size_t)i * MODES);
  }
  *data = (TrainData){.rows = CONDITIONS * REALISATIONS, .y = y, .condition = condition, .u = u};
}

/* Means of the network's samples, pooled over coordinates and conditions between those of the fit: rms. */
static double rms_mean(ScoriaModel model)
{
  static double fields[TILES * MODEL_TILE * M], y[TILES * MODEL_TILE * ALL_MODES];
  const ScoriaSamplerOptions opt = {"abm", 8, 30, 0.002, 1, 42, false, NULL, 0.16, NULL};
  double square                  = 0;
  for (int q = 0; q < 3; q++) {
    const double theta = -0.7 + 0.6 * q;
    double mean[MODES] = {0};
    CHECK(ScoriaModelSample(model, &twin, &opt, &theta, 0, TILES * MODEL_TILE, false, fields));
    CHECK(ScoriaNormaliserAt(model->normaliser, &twin, &theta));
    normaliser_encode(model->normaliser, TILES * MODEL_TILE, fields, y);
    for (int i = 0; i < TILES * MODEL_TILE * ALL_MODES; i++)
      if (i % ALL_MODES < MODES) mean[i % ALL_MODES] += y[i] / (TILES * MODEL_TILE);
    for (int k = 0; k < MODES; k++) square += mean[k] * mean[k] / (3 * MODES);
  }
  return sqrt(square);
}

/* The rows have mean 0, the network has not: .37 of it is left at most, beside the noise of the 1,200 rows' average and
 * of a term or two, .041 (.63 of it where the network's is kept), of the 8,192 samples, .011, and of the fit, of 512
 * conditions of 512 draws with 9 terms, .006; and the same bits by one rank as by all. */
static void a_fit_takes_off_what_the_rows_do_not_have(void **state)
{
  static float y[CONDITIONS * REALISATIONS * MODES], u[CONDITIONS];
  static int32_t condition[CONDITIONS * REALISATIONS];
  double before, moment[2][2 * MODES];
  CalibrationMoves moves;
  TrainData data;
  ScoriaModel model;
  (void)state;
  fill_data(y, condition, u, &data);
  make_model_of("modes", true, &model);
  before = rms_mean(model);
  for (int alone = 0; alone < 2; alone++) {
    const double at = 0.1;
    CHECK(CalibrationDestroy(&model->calibration));
    CHECK(CalibrationFit(alone ? PETSC_COMM_SELF : PETSC_COMM_WORLD, NULL, model, &data, &model->calibration, &moves));
    calibration_moments(&model->calibration, model->calibration.to, &at, moment[alone]);
    assert_true(moves.mean > 0.04); /* .09 less that */
  }
  assert_memory_equal(moment[0], moment[1], sizeof moment[0]);
  const double after = rms_mean(model);
  if (!(before > 0.09 && after < 0.37 * before + 0.043)) fail_msg("rms mean %g before, %g after", before, after);
  net_parameters(model->net)[0] = NAN;
  CHECK(CalibrationDestroy(&model->calibration));
  CHECK(CalibrationFit(PETSC_COMM_WORLD, NULL, model, &data, &model->calibration, &moves));
  assert_null(model->calibration.from); /* of samples that are not finite */
  CHECK(ScoriaModelDestroy(&model));
}

/* As input/README.md says: below 32,768 rows, from 500 steps on, with rows left out. */
static void few_rows_are_calibrated(void **state)
{
  (void)state;
  for (int other = 0; other < 4; other++) {
    Training t  = {.train = {.rows = 32767}, .valid = {.rows = 8}};
    t.opt.steps = other == 1 ? 499 : 500;
    if (other == 2) t.train.rows = 32768;
    if (other == 3) t.valid.rows = 0;
    assert_int_equal(few_calibrates(&t), other == 0);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(means_are_shrunk_by_their_evidence),
                                     cmocka_unit_test(averages_become_those_of_the_rows),
                                     cmocka_unit_test(samples_are_mapped),
                                     cmocka_unit_test(densities_are_those_of_the_map),
                                     cmocka_unit_test(densities_of_random_weights),
                                     cmocka_unit_test(a_broken_one_is_refused),
                                     cmocka_unit_test(half_of_one_is_refused),
                                     cmocka_unit_test(the_file_holds_it),
                                     cmocka_unit_test(a_fit_takes_off_what_the_rows_do_not_have),
                                     cmocka_unit_test(few_rows_are_calibrated)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

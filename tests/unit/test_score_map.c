/* The map of a network's scores to normal ones.  ranks: 2
 * Its samples are those of a silent network, N(0, I), made wider by a calibration: so their marginal laws, and the map
 * that brings these back, are known. */
#include "score/calibration_scores.h"
#include "score/lateral.h"
#include "row_dataset.h"
#include "testing.h"
#include <math.h>
#include <unistd.h>

enum { NX = 3, NY = 8, M = NX * NY, CONDITIONS = 16, REALISATIONS = 30, EDGES = NORM_SCORE_EDGES };

static const char *path = "test_score_map.h5", *file = "score_map_model.h5";
static const double wider = 1.25;

static double thickness(int k, int x)
{
  return k ? (x == 0 ? 0.6 : -0.3) : 1;
}

static void draw(uint64_t id, double u, double field[])
{
  double z[6];
  rng_normal(11, SCORIA_STREAM_POROSITY, id, 0, 6, z);
  for (int i = 0; i < M; i++) {
    const double phase = 2 * PETSC_PI * (i / NX) / NY;
    field[i]           = 3 + u;
    for (int k = 0; k < 2; k++)
      field[i] += exp(0.3 * u) * thickness(k, i % NX) *
                  (z[3 * k] + 0.7 * (z[3 * k + 1] * cos(phase) + z[3 * k + 2] * sin(phase)));
  }
}

static ScoriaModel model; /* on all ranks */

static void fit_normaliser(ScoriaNormaliser *norm)
{
  const ScoriaNormaliserOptions opt = {20, 0, 2, 1, true, true, false, false, 0.99};
  const int channel[1]              = {0};
  bool train[CONDITIONS];
  ScoriaDataset ds;
  write_plane_dataset(path, &(PlaneLaw){NX, NY, CONDITIONS, REALISATIONS, draw});
  for (int i = 0; i < CONDITIONS; i++) train[i] = true;
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, path, &ds));
  CHECK(NormaliserFit(PETSC_COMM_WORLD, ds, 1, channel, train, NULL, &opt, norm));
  CHECK(ScoriaDatasetClose(&ds));
}

/* Every coordinate is learned, and wider at all conditions. */
static int set_up(void **state)
{
  const int levels[] = {2};
  NormSizes sizes;
  (void)state;
  CHECK(PetscNew(&model));
  fit_normaliser(&model->normaliser);
  model->normaliser->basis->sizes(model->normaliser->self, &sizes);
  assert_int_equal(sizes.modes, sizes.all_modes);
  model->nchannels = 1;
  model->cells     = M;
  snprintf(model->field[0].name, sizeof model->field[0].name, "a");
  model->spec = (ScoriaNetSpec){.kind     = "modes",
                                .r        = sizes.modes,
                                .d        = 1,
                                .width    = 8,
                                .depth    = 1,
                                .embed    = 8,
                                .channels = 1,
                                .cells    = M,
                                .kernel   = 5,
                                .patch    = 1};
  CHECK(ModelNetCreate(model));
  net_initialise(model->net, 1);
  CHECK(PetscCalloc1(model_centres(model), &model->x));
  Calibration *c = &model->calibration;
  CHECK(NormPolyCreate(1, 1, levels, &c->poly));
  CHECK(CalibrationSetUp(1, sizes.modes, c));
  for (int k = 0; k < sizes.modes; k++) c->to[sizes.modes + k] = log(wider);
  return 0;
}

static int tear_down(void **state)
{
  (void)state;
  CHECK(ScoriaModelDestroy(&model));
  return 0;
}

static void forget_map(void)
{
  CHECK(PetscFree2(model->calibration.scores, model->calibration.higher));
  model->calibration.elements = 0;
}

static void fit_map(MPI_Comm comm)
{
  const float u[2] = {-1, 1};
  float *y;
  const int32_t condition[2] = {0, 1};
  CalibrationPoints points;
  CHECK(PetscCalloc1(2 * model->spec.r, &y));
  forget_map();
  CHECK(CalibrationPlace(comm, model, &(TrainData){.rows = 2, .y = y, .condition = condition, .u = u}, &points));
  CHECK(CalibrationScores(comm, NULL, model, &points));
  CHECK(CalibrationPointsDestroy(&points));
  CHECK(PetscFree(y));
}

/* A score of e is one of e / 1.25.  Of 262,144 draws in pairs, of some places each, the share below an edge is known to
 * .0003 at most in the middle, .0002 at a score of 3 (2.4 of the normal law): over the density there .001 and .008, and
 * for the two terms of the polynomial, and the best of 51 edges, some five of these. */
static void map_is_the_known_one(void **state)
{
  static double first[3 * EDGES];
  (void)state;
  for (int alone = 0; alone < 2; alone++) {
    fit_map(alone ? PETSC_COMM_SELF : PETSC_COMM_WORLD);
    assert_int_equal(model->calibration.elements, NX);
    for (double u = -1; u <= 1; u += 0.5) {
      calibration_scores_at(&model->calibration, &u);
      for (int k = 0; k < NX * EDGES; k++) {
        const double e = norm_score_edge(k % EDGES), found = e + model->calibration.higher[k];
        if (fabs(e) <= 3 && !(fabs(found - e / wider) < (fabs(e) <= 2 ? 0.01 : 0.04)))
          fail_msg("element %d at %g: a score of %g is %g, expected %g", k / EDGES, u, e, found, e / wider);
      }
    }
    if (alone)
      assert_memory_equal(first, model->calibration.higher, sizeof first); /* by one rank and by all */
    else
      memcpy(first, model->calibration.higher, sizeof first);
  }
}

/* Standard deviation of cells of samples at u, over that of the Gaussian's. */
static double spread(double u, bool gaussian)
{
  enum { COUNT = 4096 };
  const ScoriaSamplerOptions opt = {"abm", 8, 30, 0.002, 1, 42, false, NULL, 0.16, NULL};
  double *fields, square = 0;
  CHECK(PetscMalloc1(COUNT * M, &fields));
  CHECK(ScoriaModelSample(model, NULL, &opt, &u, 0, COUNT, gaussian, fields));
  for (int i = 0; i < COUNT * M; i++) square += pow(fields[i] - 3 - u, 2) / (COUNT * M);
  CHECK(PetscFree(fields));
  return sqrt(square);
}

/* Spreads of cells become those of the Gaussian, of whose own draws they are; without the map they are 1.25 times as
 * large.  .02: that of 4,096 draws of some three independent values is known to .7 %, and the noise is not the same. */
static void samples_have_the_laws_of_the_normaliser(void **state)
{
  (void)state;
  for (double u = -0.6; u < 1; u += 0.6) {
    forget_map();
    const double law = spread(u, true), without = spread(u, false);
    fit_map(PETSC_COMM_WORLD);
    const double with = spread(u, false);
    assert_true(fabs(without / law - wider) < 0.04); /* laws of the normaliser are straight but for its rows' chance */
    if (!(fabs(with / law - 1) < 0.02))
      fail_msg("at %g: %g of the law's spread, without %g", u, with / law, without / law);
    assert_true(spread(u, true) == law); /* the Gaussian has no map */
  }
}

/* Transported noise is the same map of it: one condition for all, or one of their own. */
static void transport_has_the_map(void **state)
{
  const ScoriaSamplerOptions opt = {"abm", 8, 30, 0.002, 1, 42, false, NULL, 0.16, NULL};
  const double theta[2]          = {0.3, 0.3};
  double latent[2 * M], fields[3][2 * M], y[2 * M], expected[2 * M];
  const int r = model->spec.r;
  ModelAt at;
  (void)state;
  rng_normal(9, SCORIA_STREAM_SAMPLE, 0, 0, 2 * r, latent);
  CHECK(ScoriaModelTransport(model, NULL, &opt, false, 0, 2, false, theta, latent, fields[0]));
  CHECK(ScoriaModelTransport(model, NULL, &opt, false, 0, 2, true, theta, latent, fields[1]));
  CHECK(ScoriaModelTransport(model, NULL, &opt, true, 0, 2, true, theta, latent, fields[2]));
  for (int k = 0; k < 2 * r; k++) y[k] = wider * latent[k];
  CHECK(ScoriaNormaliserAt(model->normaliser, NULL, theta));
  normaliser_decode(model->normaliser, 2, latent, expected);
  for (int i = 0; i < 2 * M; i++) assert_true(fabs(fields[2][i] - expected[i]) < 1e-12 * (1 + fabs(expected[i])));
  model_at(model, theta, &at);
  model_map_scores(model, at.u);
  normaliser_decode(model->normaliser, 2, y, expected);
  for (int i = 0; i < 2 * M; i++) { /* coordinates are in single precision */
    assert_true(fabs(fields[0][i] - expected[i]) < 1e-5);
    assert_true(fabs(fields[1][i] - expected[i]) < 1e-5);
  }
}

/* Densities on the surface of the fields, log density less volume, of both laws: what encoding by hand gives. */
static void densities_have_the_map(void **state)
{
  const ScoriaSamplerOptions opt          = {"abm", 8, 30, 0.002, 1, 42, false, NULL, 0.16, NULL};
  const ScoriaLikelihoodOptions densities = {.steps = 8, .seed = 3};
  const uint64_t id[2]                    = {0, 1};
  const double theta[2]                   = {0.3, -0.5};
  double fields[2 * M], density[2], gauss[2], volume[2], y[M], *work;
  const int r = model->spec.r;
  ModelAt at;
  (void)state;
  CHECK(PetscMalloc1(normaliser_volume_work(model->normaliser), &work));
  for (int i = 0; i < 2; i++) CHECK(ScoriaModelSample(model, NULL, &opt, theta + i, id[i], 1, false, fields + i * M));
  CHECK(ScoriaModelLogDensity(model, NULL, &densities, 0, 2, id, theta, fields,
                              &(ScoriaLogDensity){.log_density = density, .gaussian = gauss, .log_volume = volume}));
  for (int i = 0; i < 2; i++)
    for (int mapped = 0; mapped < 2; mapped++) {
      double expected = -0.5 * r * log(2 * PETSC_PI);
      CHECK(ScoriaNormaliserAt(model->normaliser, NULL, theta + i));
      model_at(model, theta + i, &at);
      if (mapped) model_map_scores(model, at.u);
      normaliser_encode(model->normaliser, 1, fields + i * M, y);
      expected -= normaliser_log_volume(model->normaliser, y, work);
      for (int k = 0; k < r; k++) expected -= mapped ? 0.5 * pow(y[k] / wider, 2) + log(wider) : 0.5 * y[k] * y[k];
      const double found = (mapped ? density[i] : gauss[i]) - volume[i];
      if (!(fabs(found - expected) < 1e-5)) /* the network is in single precision */
        fail_msg("row %d, %s: %.9g, expected %.9g", i, mapped ? "network" : "Gaussian", found, expected);
    }
  CHECK(PetscFree(work));
}

/* A file that is there is not overwritten. */
static void forget_file(void)
{
  int rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Barrier(PETSC_COMM_WORLD);
  if (!rank) (void)unlink(file);
  MPI_Barrier(PETSC_COMM_WORLD);
}

static void save(void)
{
  forget_file();
  CHECK(ScoriaModelSave(model, PETSC_COMM_WORLD, file, "run: {}\n"));
}

static void the_file_holds_it(void **state)
{
  static double map[2][NX * EDGES];
  const double u = 0.37;
  ScoriaModel loaded;
  (void)state;
  save();
  CHECK(ScoriaModelLoad(PETSC_COMM_WORLD, file, &loaded));
  for (int k = 0; k < 2; k++) {
    const Calibration *c = k ? &loaded->calibration : &model->calibration;
    calibration_scores_at(c, &u);
    memcpy(map[k], c->higher, sizeof map[k]);
  }
  assert_memory_equal(map[0], map[1], sizeof map[0]);
  CHECK(ScoriaModelDestroy(&loaded));
  /* that of distilled weights beside it, here alone */
  const Calibration own    = model->calibration;
  model->tuned_calibration = own;
  model->calibration       = (Calibration){0};
  save();
  model->calibration       = own;
  model->tuned_calibration = (Calibration){0};
  CHECK(ScoriaModelLoad(PETSC_COMM_WORLD, file, &loaded));
  assert_null(loaded->calibration.from);
  assert_int_equal(loaded->tuned_calibration.elements, NX);
  calibration_scores_at(&loaded->tuned_calibration, &u);
  assert_memory_equal(map[0], loaded->tuned_calibration.higher, sizeof map[0]);
  CHECK(ScoriaModelDestroy(&loaded));
  forget_map();
  save();
  CHECK(ScoriaModelLoad(PETSC_COMM_WORLD, file, &loaded));
  assert_true(loaded->calibration.from && !loaded->calibration.elements); /* as in earlier files */
  CHECK(ScoriaModelDestroy(&loaded));
  fit_map(PETSC_COMM_WORLD);
}

static void refused(const char *line)
{
  ScoriaModel loaded;
  assert_true(ScoriaModelLoad(PETSC_COMM_WORLD, file, &loaded));
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
  if (!strstr(ScoriaFailureLine(), line)) fail_msg("'%s', expected '%s'", ScoriaFailureLine(), line);
  ScoriaFailureReset();
}

/* Numbers that are none, and parts of one: its samples would be others. */
static void a_broken_one_is_refused(void **state)
{
  const double kept                   = model->calibration.scores[5];
  const double edge[NORM_SCORE_EDGES] = {0};
  ScoriaStore store;
  Calibration c;
  (void)state;
  model->calibration.scores[5] = NAN;
  save();
  refused("number 5 of /calibration/scores is not finite");
  model->calibration.scores[5] = kept;
  for (int half = 0; half < 2; half++) {
    const int elements = half ? NX : 0; /* as of a basis without scores */
    forget_file();
    CHECK(ScoriaStoreCreate(PETSC_COMM_WORLD, file, "model", "run: {}\n", &store));
    if (half) {
      const int moved             = model->calibration.elements;
      model->calibration.elements = 0;
      CHECK(CalibrationSave(&model->calibration, store, CALIBRATION));
      CHECK(ScoriaStorePutReals(store, "/calibration/score_edges", 1, (const int64_t[]){EDGES}, edge, "", "of one"));
      model->calibration.elements = moved;
    } else
      CHECK(CalibrationSave(&model->calibration, store, CALIBRATION));
    CHECK(ScoriaStoreClose(&store));
    CHECK(ScoriaStoreOpen(PETSC_COMM_WORLD, file, "model", &store));
    assert_true(CalibrationLoad(store, CALIBRATION, 1, model->spec.r, elements, &c));
    assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
    assert_non_null(strstr(ScoriaFailureLine(), "/calibration/scores"));
    ScoriaFailureReset();
    CHECK(ScoriaStoreClose(&store));
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(map_is_the_known_one),  cmocka_unit_test(samples_have_the_laws_of_the_normaliser),
      cmocka_unit_test(transport_has_the_map), cmocka_unit_test(densities_have_the_map),
      cmocka_unit_test(the_file_holds_it),     cmocka_unit_test(a_broken_one_is_refused)};
  return run_test_group(argc, argv, tests, sizeof tests / sizeof *tests, set_up, tear_down);
}

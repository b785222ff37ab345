/* Densities of whole fields in closed form.  ranks: 2
 * A field is m(u) plus independent normals times orthonormal functions on the grid: of every wave number of y two modes
 * through the thickness, so that its density on the surface that it lies on, of dimension K, is known.  The normaliser
 * of whole fields is fitted to rows of it. */
#include "score/basis.h"
#include "scoria/linalg.h"
#include "unit/row_dataset.h"
#include "testing.h"
#include <math.h>
#include <unistd.h>

enum { NX = 4, NY = 6, M = NX * NY, WAVES = 5, K = 2 * WAVES, CONDITIONS = 20, REALISATIONS = 100 };

static const char *path = "verify_whole_likelihood.h5";

static double thickness(int mode, int x)
{
  return mode ? sqrt(2.0 / NX) * cos(PETSC_PI * (x + 0.5) / NX) : sqrt(1.0 / NX);
}

/* Orthonormal: a constant, cosines and sines of one and two waves. */
static double lateral(int wave, int y)
{
  const double phase = 2 * PETSC_PI * ((wave + 1) / 2) * y / NY;
  if (!wave) return sqrt(1.0 / NY);
  return sqrt(2.0 / NY) * (wave % 2 ? cos(phase) : sin(phase));
}

static double deviation(int wave, int mode, double u)
{
  static const double size[3] = {1, 0.7, 0.5};
  return size[(wave + 1) / 2] * (mode ? 0.6 * exp(0.2 * u) : 1);
}

static double mean_at(int x, double u)
{
  return 3 + 0.2 * x + u;
}

static void draw(uint64_t id, double u, double z[K], double field[M])
{
  rng_normal(11, SCORIA_STREAM_POROSITY, id, 0, K, z);
  for (int i = 0; i < M; i++) field[i] = mean_at(i % NX, u);
  for (int w = 0; w < WAVES; w++)
    for (int k = 0; k < 2; k++)
      for (int i = 0; i < M; i++)
        field[i] += deviation(w, k, u) * z[2 * w + k] * lateral(w, i / NX) * thickness(k, i % NX);
}

static void draw_field(uint64_t id, double u, double field[])
{
  double z[K];
  draw(id, u, z, field);
}

static ScoriaNormaliser fitted; /* on all ranks */

/* Of the energy that is kept: all true coordinates (the least pair has 5 %), none of those that the errors of the
 * marginal laws make. */
static int set_up(void **state)
{
  const ScoriaNormaliserOptions opt = {20, 0, 2, 1, true, true, false, false, 0.99, NULL};
  const int channel[1]              = {0};
  bool train[CONDITIONS];
  ScoriaDataset ds;
  (void)state;
  write_plane_dataset(path, &(PlaneLaw){NX, NY, CONDITIONS, REALISATIONS, draw_field});
  for (int i = 0; i < CONDITIONS; i++) train[i] = true;
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, path, &ds));
  CHECK(NormaliserFit(PETSC_COMM_WORLD, ds, 1, channel, train, NULL, &opt, &fitted));
  CHECK(ScoriaDatasetClose(&ds));
  return 0;
}

static int tear_down(void **state)
{
  (void)state;
  CHECK(NormaliserDestroy(&fitted));
  return 0;
}

static void rank_is_found(void **state)
{
  int R;
  (void)state;
  CHECK(ScoriaNormaliserSizes(fitted, NULL, NULL, NULL, &R));
  assert_int_equal(R, K);
}

/* ln sqrt(det(J^T J)) against differences of decoded fields: of order h^2 = 1e-8. */
static void volumes_are_those_of_the_decoder(void **state)
{
  const double u = 0.4, h = 1e-4;
  double y[K], moved[K], ahead[M], behind[M], J[K * M], gram[K * K], *work;
  (void)state;
  CHECK(ScoriaNormaliserAt(fitted, NULL, &u));
  CHECK(PetscMalloc1(normaliser_volume_work(fitted), &work));
  for (int row = 0; row < 5; row++) {
    rng_normal(5, SCORIA_STREAM_REMAINDER, (uint64_t)row, 0, K, y);
    for (int k = 0; k < K; k++) {
      for (int side = -1; side <= 1; side += 2) {
        memcpy(moved, y, sizeof y);
        moved[k] += side * h;
        normaliser_decode(fitted, 1, moved, side > 0 ? ahead : behind);
      }
      for (int i = 0; i < M; i++) J[k * M + i] = (ahead[i] - behind[i]) / (2 * h);
    }
    la_gemm(false, true, K, K, M, 1, J, M, J, M, 0, gram, K);
    assert_true(la_cholesky(K, gram));
    double sum = 0;
    for (int k = 0; k < K; k++) sum += log(gram[k * K + k]);
    /* the decoder has a kink every quarter of a score, which a difference may straddle */
    assert_true(fabs(normaliser_log_volume(fitted, y, work) - sum) < 1e-3);
  }
  CHECK(PetscFree(work));
}

/* Densities of fresh rows, ln N(y; 0, I) less the volume, against those of the law, ln N(z; 0, I) less ln of the
 * deviations: their mean difference is the distance (Kullback and Leibler's) of the fit from the law. */
static void densities_are_those_of_the_law(void **state)
{
  enum { COUNT = 1500 };
  double z[K], y[K], field[M], *work;
  (void)state;
  CHECK(PetscMalloc1(normaliser_volume_work(fitted), &work));
  for (int at = 0; at < 3; at++) {
    const double u = -0.9 + 0.9 * at;
    double volume = 0, mean = 0, square = 0;
    CHECK(ScoriaNormaliserAt(fitted, NULL, &u));
    for (int k = 0; k < K; k++) volume += log(deviation(k / 2, k % 2, u));
    for (int i = 0; i < COUNT; i++) {
      double difference = volume;
      draw(1000000 + (uint64_t)(at * COUNT + i), u, z, field);
      normaliser_encode(fitted, 1, field, y);
      for (int k = 0; k < K; k++) difference += 0.5 * (z[k] * z[k] - y[k] * y[k]);
      difference -= normaliser_log_volume(fitted, y, work);
      mean += difference / COUNT;
      square += difference * difference / COUNT;
    }
    /* The fit has some 40 numbers from 2000 rows, and so a distance of 40 / 4000 on average over the conditions, four
     * times that at the ends of the range; thrice that.  The difference has twice that variance. */
    assert_true(fabs(mean) < 0.12 && sqrt(square) < 0.5);
  }
  CHECK(PetscFree(work));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(rank_is_found),
                                     cmocka_unit_test(volumes_are_those_of_the_decoder),
                                     cmocka_unit_test(densities_are_those_of_the_law)};
  return run_test_group(argc, argv, tests, sizeof tests / sizeof *tests, set_up, tear_down);
}

/* Powers of whole fields by wave number, of a law that a Gaussian field of its marginal laws does not have.  ranks: 2
 * A skewed lateral mean and, beside it, a Gaussian wave: its size does not depend on the mean.  In normal scores it
 * does, which a Gaussian field of the marginal law and of the covariance of the scores does not know. */
#include "score/lateral_fit.h"
#include "row_dataset.h"
#include "testing.h"
#include <math.h>
#include <unistd.h>

enum { NX = 3, NY = 16, M = NX * NY, CONDITIONS = 24, REALISATIONS = 40 };

static const char *path = "test_lateral_powers.h5";

static double height(int x, double u)
{
  return 0.3 * (1 + 0.3 * u) * (1 + 0.1 * x);
}

static void draw(uint64_t id, double u, double field[])
{
  double g[3];
  rng_normal(11, SCORIA_STREAM_POROSITY, id, 0, 3, g);
  for (int i = 0; i < M; i++) {
    const double phase = 2 * PETSC_PI * (i / NX) / NY;
    field[i]           = exp(0.5 * g[0]) + height(i % NX, u) * (g[1] * cos(phase) + g[2] * sin(phase));
  }
}

/* Power of decoded normals at wave number 1, over that of the law. */
static double power(ScoriaNormaliser fitted, double u)
{
  enum { COUNT = 20000 };
  double *y, field[M], sum = 0;
  int R;
  CHECK(ScoriaNormaliserSizes(fitted, NULL, NULL, NULL, &R));
  CHECK(PetscMalloc1(R, &y));
  CHECK(ScoriaNormaliserAt(fitted, NULL, &u));
  for (int i = 0; i < COUNT; i++) {
    rng_normal(5, SCORIA_STREAM_SAMPLE, (uint64_t)i, 0, R, y);
    normaliser_decode(fitted, 1, y, field);
    for (int x = 0; x < NX; x++) {
      double re = 0, im = 0;
      for (int k = 0; k < NY; k++) {
        re += field[k * NX + x] * cos(2 * PETSC_PI * k / NY);
        im += field[k * NX + x] * sin(2 * PETSC_PI * k / NY);
      }
      sum += (re * re + im * im) / (2 * pow(0.5 * NY * height(x, u), 2)) / (NX * COUNT);
    }
  }
  CHECK(PetscFree(y));
  return sum;
}

/* The factors bring the power to that of the rows, but for the part, up to .07, that other waves make of it; without
 * them it is a third too large.  Of 20,000 draws, each of two squares, chance is .7 %. */
static void powers_are_those_of_the_rows(void **state)
{
  const ScoriaNormaliserOptions opt = {20, 0, 2, 1, true, true, false, false, 0.9999, NULL};
  const int channel[1]              = {0};
  bool train[CONDITIONS];
  ScoriaNormaliser fitted;
  ScoriaDataset ds;
  (void)state;
  write_plane_dataset(path, &(PlaneLaw){NX, NY, CONDITIONS, REALISATIONS, draw});
  for (int i = 0; i < CONDITIONS; i++) train[i] = true;
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, path, &ds));
  CHECK(NormaliserFit(PETSC_COMM_WORLD, ds, 1, channel, train, NULL, &opt, &fitted));
  CHECK(ScoriaDatasetClose(&ds));
  NormLateral norm = fitted->self;
  for (double u = -0.7; u < 1; u += 0.7) {
    const double with = power(fitted, u);
    norm->powers = norm->is_here = false;
    const double without         = power(fitted, u);
    norm->powers                 = true;
    norm->is_here                = false;
    assert_true(fabs(with - 1) < 0.1 && without > 1.2);
  }
  CHECK(NormaliserDestroy(&fitted));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(powers_are_those_of_the_rows)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}

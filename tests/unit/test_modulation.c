/* Whole fields whose waves are as large as a smooth field says, on data whose law is known.  ranks: 2
 * Field "a" is Gaussian; field "b" an increasing function of q = w exp(b s), w being a Gaussian field that is
 * correlated with "a", and s "a" with every wave by its own power. */
#include "leading_field.h"

enum { C = 2, NX = 3, NY = 16, E = C * NX, M = E * NY, CONDITIONS = 40, REALISATIONS = 128, WAVES = 5 };
#define ENERGY .9999

static const char *path                  = "test_modulation.h5";
static const double size[WAVES]          = {.5, .6, .45, .35, .2}; /* of a part of the wave 0, 1, ... */
static const double correlation_of_waves = 0.6;

static double exponent_at(double u)
{
  return 0.15 + 0.05 * u;
}

/* Of a part of a wave in s, over that in the first field: the variance of an orthonormal coordinate, whose waves but
 * the first are worth two parts, over the largest. */
static double filter(int k)
{
  double most = 0;
  for (int i = 0; i < WAVES; i++) most = fmax(most, size[i] * size[i] * (i ? 0.5 : 1));
  return size[k] * size[k] * (k ? 0.5 : 1) / most;
}

/* A field of unit variance of these parts (2, WAVES), filtered or not. */
static double wave_sum(const double part[], bool filtered, int y)
{
  double sum = 0, variance = 0;
  for (int k = 0; k < WAVES; k++) {
    const double a = size[k] * (filtered ? filter(k) : 1), phase = 2 * PETSC_PI * k * y / NY;
    sum += a * (part[2 * k] * cos(phase) + (k ? part[2 * k + 1] * sin(phase) : 0));
    variance += a * a;
  }
  return sum / sqrt(variance);
}

static double value_of(double u, double q)
{
  return 2 + (1 + 0.2 * u) * sinh(0.4 * q);
}

static double q_of(double u, double value)
{
  return asinh((value - 2) / (1 + 0.2 * u)) / 0.4;
}

/* Field number id (M) and s (NY), of exponent b. */
static void draw(uint64_t id, double u, double b, double field[M], double s[NY])
{
  const double r = correlation_of_waves;
  double part[4 * WAVES];
  rng_normal(13, SCORIA_STREAM_POROSITY, id, 0, 4 * WAVES, part);
  for (int y = 0; y < NY; y++) {
    const double leading = wave_sum(part, false, y), own = wave_sum(part + 2 * WAVES, false, y),
                 w = r * leading + sqrt(1 - r * r) * own;
    s[y]           = wave_sum(part, true, y);
    for (int x = 0; x < NX; x++) {
      field[y * NX + x]        = u + (1 + 0.2 * u) * leading;
      field[(NY + y) * NX + x] = value_of(u, w * exp(b * s[y])) + 0.1 * x;
    }
  }
}

static void fill_rows(const void *ctx, ScoriaRows *rows)
{
  const bool modulated = *(const bool *)ctx;
  double field[M], s[NY];
  for (int64_t i = 0; i < rows->rows; i++) {
    const double u = rows->condition[0][i] = unit_of(i / REALISATIONS, CONDITIONS);
    rows->done[i]                          = SCORIA_ROW_DONE;
    draw((uint64_t)i, u, modulated ? exponent_at(u) : 0, field, s);
    for (int c = 0; c < C; c++) memcpy(rows->field[c] + i * NX * NY, field + c * NX * NY, sizeof *field * NX * NY);
  }
}

static void make_dataset(bool modulated)
{
  const ScoriaDatasetSpec spec = {.rows         = CONDITIONS * REALISATIONS,
                                  .cells        = NX * NY,
                                  .shape        = {NX, NY, 1},
                                  .nfields      = C,
                                  .realisations = REALISATIONS,
                                  .float64      = true,
                                  .field        = {{"a", "", "", false}, {"b", "", "", false}},
                                  .space        = {1, {{"p", "", -1, 1, false}}}};
  write_row_dataset(path, &spec, fill_rows, &modulated);
}

static ScoriaNormaliser fitted;

static int set_up(void **state)
{
  (void)state;
  make_dataset(true);
  fit_leading_field(PETSC_COMM_WORLD, path, ENERGY, &fitted);
  return 0;
}

static int tear_down(void **state)
{
  (void)state;
  CHECK(NormaliserDestroy(&fitted));
  return 0;
}

/* Exponents.  5,120 rows of some two independent places; (t^2 - 1) s' has a standard deviation of 1.3, 2 t^2 s'^2 a
 * mean of 1.5, and at the ends of the range a trend of three terms has five times the variance of a mean: .019. */
static void parameters_are_those_of_the_law(void **state)
{
  const NormLateral norm = fitted->self;
  const Modulation *m    = &norm->modulation;
  (void)state;
  assert_true(m->on && m->channel == 0);
  for (double u = -0.8; u < 1; u += 0.8) {
    CHECK(ScoriaNormaliserAt(fitted, NULL, &u));
    for (int x = 0; x < NX; x++) {
      printf("# u %g: exponent %g of %g, correlation %g\n", u, m->exponent[NX + x], exponent_at(u),
             m->correlation[NX + x]);
      assert_true(m->exponent[x] == 0);
      assert_true(fabs(m->exponent[NX + x] - exponent_at(u)) < 0.06);
    }
  }
}

/* Where all waves are as large everywhere, none is modulated. */
static void waves_of_one_size_are_left_alone(void **state)
{
  ScoriaNormaliser plain;
  (void)state;
  make_dataset(false);
  fit_leading_field(PETSC_COMM_WORLD, path, ENERGY, &plain);
  assert_false(((NormLateral)plain->self)->modulation.on);
  CHECK(NormaliserDestroy(&plain));
  make_dataset(true);
}

/* E q^2 s and E q s over fields of the model and of the law: .45 and .6 or so.  2,000 fields of some four places: .03
 * of the law's own draws, and as much of the model's; its exponent is .01 off, which is .04. */
static void fields_have_the_joint_law(void **state)
{
  enum { COUNT = 2000 };
  const double u = 0.3;
  const int R    = all_coordinates(fitted);
  double field[M], s[NY], *y, model[2] = {0}, law[2] = {0};
  (void)state;
  CHECK(PetscMalloc1(R, &y));
  CHECK(ScoriaNormaliserAt(fitted, NULL, &u));
  for (int i = 0; i < COUNT; i++) {
    rng_normal(5, SCORIA_STREAM_SAMPLE, (uint64_t)i, 0, R, y);
    normaliser_decode(fitted, 1, y, field);
    const double *smooth = ((NormLateral)fitted->self)->modulation.s;
    for (int k = 0; k < NY; k++) {
      const double q = q_of(u, field[(NY + k) * NX]);
      model[0] += q * smooth[k] / (COUNT * NY);
      model[1] += q * q * smooth[k] / (COUNT * NY);
    }
    draw(1000000 + (uint64_t)i, u, exponent_at(u), field, s);
    for (int k = 0; k < NY; k++) {
      const double q = q_of(u, field[(NY + k) * NX]);
      law[0] += q * s[k] / (COUNT * NY);
      law[1] += q * q * s[k] / (COUNT * NY);
    }
  }
  printf("# E q s %g, law %g; E q^2 s %g, law %g\n", model[0], law[0], model[1], law[1]);
  assert_true(fabs(model[0] - law[0]) < 0.06);
  assert_true(law[1] > 0.3 && fabs(model[1] - law[1]) < 0.1);
  CHECK(PetscFree(y));
}

/* Coordinates of fresh fields of the law are N(0, 1): the chance of 3,000 rows is .018 of a mean and .026 of a
 * variance, that of the fit of three terms to 5,120 rows .025 and .035. */
static void coordinates_are_standard_normal(void **state)
{
  enum { COUNT = 3000 };
  const double u = -0.3;
  const int R    = all_coordinates(fitted);
  double field[M], s[NY], *y, *mean, *square;
  (void)state;
  CHECK(PetscCalloc3(R, &y, R, &mean, R, &square));
  CHECK(ScoriaNormaliserAt(fitted, NULL, &u));
  for (int i = 0; i < COUNT; i++) {
    draw(2000000 + (uint64_t)i, u, exponent_at(u), field, s);
    normaliser_encode(fitted, 1, field, y);
    for (int k = 0; k < R; k++) {
      mean[k] += y[k] / COUNT;
      square[k] += y[k] * y[k] / COUNT;
    }
  }
  for (int k = 0; k < 2 * (2 * WAVES - 1); k++) {
    assert_true(fabs(mean[k]) < 0.1);
    assert_true(fabs(square[k] - 1) < 0.15);
  }
  CHECK(PetscFree3(y, mean, square));
}

static void decoding_is_inverted(void **state)
{
  (void)state;
  check_inverted(fitted, 0.7, M, 50, 1);
}

static void cells_are_functions_of_scores(void **state)
{
  (void)state;
  check_cells(fitted, -0.6, M, 2);
}

static void volume_is_that_of_differences(void **state)
{
  (void)state;
  check_volume(fitted, 0.2, M);
}

static void bits_are_the_same_everywhere(void **state)
{
  ScoriaNormaliser alone;
  (void)state;
  fit_leading_field(PETSC_COMM_SELF, path, ENERGY, &alone);
  check_bits(fitted, alone, "test_modulation_store.h5", 0.1, M);
  CHECK(NormaliserDestroy(&alone));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parameters_are_those_of_the_law), cmocka_unit_test(fields_have_the_joint_law),
      cmocka_unit_test(coordinates_are_standard_normal), cmocka_unit_test(decoding_is_inverted),
      cmocka_unit_test(cells_are_functions_of_scores),   cmocka_unit_test(volume_is_that_of_differences),
      cmocka_unit_test(bits_are_the_same_everywhere),    cmocka_unit_test(waves_of_one_size_are_left_alone),
  };
  return run_test_group(argc, argv, tests, sizeof tests / sizeof *tests, set_up, tear_down);
}

/* Whole fields whose leading channel's waves are as large as its long ones say, on data whose law is known.  ranks: 2
 * Field "a" is an increasing function of q = m + (l - m) exp(b1 m) + (z - l) exp(b2 l), z being a Gaussian field, m
 * its lateral mean, l its long waves and m; field "b" is Gaussian and correlated with z. */
#include "leading_field.h"
#include "score/knot_loops.h"

enum { C = 2, NX = 2, NY = 16, E = C * NX, M = E * NY, CONDITIONS = 40, REALISATIONS = 512, WAVES = 7, LONGS = 3 };
#define ENERGY .99999

static const char *path                  = "test_swell.h5";
/* Of a part of wave 0, 1, ...: power of a short one is .03 and less of the largest, of a long one .5 and more. */
static const double size[WAVES]          = {.5, .7, .5, .12, .12, .11, .1};
static const double correlation_of_waves = 0.6;

static const double exponent[SWELLS]     = {[SWELL_MEAN] = 0.12, [SWELL_LONG] = 0.2};

/* Waves first ... last of a field of variance 1 at y, of these parts (2, WAVES). */
static double wave_sum(const double part[], int first, int last, int y)
{
  double sum = 0, variance = 0;
  for (int k = 0; k < WAVES; k++) variance += size[k] * size[k];
  for (int k = first; k <= last; k++) {
    const double phase = 2 * PETSC_PI * k * y / NY;
    sum += size[k] * (part[2 * k] * cos(phase) + (k ? part[2 * k + 1] * sin(phase) : 0));
  }
  return sum / sqrt(variance);
}

static double value_of(double u, double q)
{
  return 2 + (1 + 0.2 * u) * sinh(0.3 * q);
}

static double q_of(double u, double value)
{
  return asinh((value - 2) / (1 + 0.2 * u)) / 0.3;
}

/* Field number id (M), its waves of exponents b. */
static void draw(uint64_t id, double u, const double b[SWELLS], double field[M])
{
  const double r = correlation_of_waves;
  double part[4 * WAVES];
  rng_normal(13, SCORIA_STREAM_POROSITY, id, 0, 4 * WAVES, part);
  for (int y = 0; y < NY; y++) {
    const double m = wave_sum(part, 0, 0, y), waves = wave_sum(part, 1, LONGS - 1, y),
                 rest = wave_sum(part, LONGS, WAVES - 1, y), own = wave_sum(part + 2 * WAVES, 0, WAVES - 1, y);
    const double q = m + waves * exp(b[SWELL_MEAN] * m) + rest * exp(b[SWELL_LONG] * (m + waves));
    for (int x = 0; x < NX; x++) {
      field[y * NX + x]        = value_of(u, q) + 0.1 * x;
      field[(NY + y) * NX + x] = u + (1 + 0.2 * u) * (r * (m + waves + rest) + sqrt(1 - r * r) * own);
    }
  }
}

static void set_exponents(bool swollen, double b[SWELLS])
{
  for (int k = 0; k < SWELLS; k++) b[k] = swollen ? exponent[k] : 0;
}

static void fill_rows(const void *ctx, ScoriaRows *rows)
{
  double field[M], b[SWELLS];
  for (int64_t i = 0; i < rows->rows; i++) {
    const double u = rows->condition[0][i] = unit_of(i / REALISATIONS, CONDITIONS);
    rows->done[i]                          = SCORIA_ROW_DONE;
    set_exponents(*(const bool *)ctx, b);
    draw((uint64_t)i, u, b, field);
    for (int c = 0; c < C; c++) memcpy(rows->field[c] + i * NX * NY, field + c * NX * NY, sizeof *field * NX * NY);
  }
}

static void make_dataset(bool swollen)
{
  const ScoriaDatasetSpec spec = {.rows         = CONDITIONS * REALISATIONS,
                                  .cells        = NX * NY,
                                  .shape        = {NX, 1, NY}, /* it is fitted where there is a z */
                                  .nfields      = C,
                                  .realisations = REALISATIONS,
                                  .float64      = true,
                                  .field        = {{"a", "", "", false}, {"b", "", "", false}},
                                  .space        = {.n = 1, .c = {{"p", "", -1, 1, false, false, false}}}};
  write_row_dataset(path, &spec, fill_rows, &swollen);
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

/* m (z - m)^2 summed over the places of a row has a standard deviation of 1.5 times its derivative by b1, l (z - l)^2
 * less; 20,480 rows: .011; second order takes less than .02. */
static void exponents_are_those_of_the_law(void **state)
{
  const NormLateral norm = fitted->self;
  const Swell *own       = &norm->modulation.own;
  (void)state;
  assert_true(own->on && norm->modulation.channel == 0);
  for (int c = 0; c < norm->waves.classes; c++) assert_int_equal(own->is_long[c], c < LONGS);
  for (int x = 0; x < NX; x++)
    for (int k = 0; k < SWELLS; k++) {
      printf("# exponent %g of %g\n", own->exponent[k * NX + x], exponent[k]);
      assert_true(fabs(own->exponent[k * NX + x] - exponent[k]) < 0.05);
    }
}

static void waves_of_one_size_are_left_alone(void **state)
{
  ScoriaNormaliser plain;
  (void)state;
  make_dataset(false);
  fit_leading_field(PETSC_COMM_WORLD, path, ENERGY, &plain);
  assert_false(((NormLateral)plain->self)->modulation.own.on);
  CHECK(NormaliserDestroy(&plain));
  make_dataset(true);
}

/* Adds of q (NY) at every place, over count: q^3, and m (q - m)^2, m being the lateral mean. */
static void add_moments(double u, const double field[M], double count, double sum[2])
{
  double q[NY], m = 0;
  for (int y = 0; y < NY; y++) {
    q[y] = q_of(u, field[y * NX]);
    m += q[y] / NY;
  }
  for (int y = 0; y < NY; y++) {
    sum[0] += pow(q[y], 3) / (count * NY);
    sum[1] += m * pow(q[y] - m, 2) / (count * NY);
  }
}

/* Third moments of fields of the model and of the law, .23 and .056.  Of 4,000 fields of some two places a q^3 of
 * deviation 3.9 is known to .04, m (q - m)^2, of .45 a field, to .007, on either side; b1 is .01 off, which is .005. */
static void fields_have_the_joint_law(void **state)
{
  enum { COUNT = 4000 };
  const double u = 0.3;
  const int R    = all_coordinates(fitted);
  double field[M], b[SWELLS], *y, model[2] = {0}, law[2] = {0};
  (void)state;
  CHECK(PetscMalloc1(R, &y));
  CHECK(ScoriaNormaliserAt(fitted, NULL, &u));
  set_exponents(true, b);
  for (int i = 0; i < COUNT; i++) {
    rng_normal(5, SCORIA_STREAM_SAMPLE, (uint64_t)i, 0, R, y);
    normaliser_decode(fitted, 1, y, field);
    add_moments(u, field, COUNT, model);
    draw(1000000 + (uint64_t)i, u, b, field);
    add_moments(u, field, COUNT, law);
  }
  printf("# E q^3 %g, law %g; E m (q - m)^2 %g, law %g\n", model[0], law[0], model[1], law[1]);
  assert_true(fabs(model[0] - law[0]) < 0.15);
  assert_true(law[1] > 0.04 && fabs(model[1] - law[1]) < 0.025);
  CHECK(PetscFree(y));
}

/* Coordinates of fresh fields of the law are N(0, 1): chance as in test_modulation.c. */
static void coordinates_are_standard_normal(void **state)
{
  enum { COUNT = 3000 };
  const double u = -0.3;
  const int R    = all_coordinates(fitted);
  double field[M], b[SWELLS], *y, *mean, *square;
  (void)state;
  CHECK(PetscCalloc3(R, &y, R, &mean, R, &square));
  CHECK(ScoriaNormaliserAt(fitted, NULL, &u));
  set_exponents(true, b);
  for (int i = 0; i < COUNT; i++) {
    draw(2000000 + (uint64_t)i, u, b, field);
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
  check_inverted(fitted, 0.7, M, 200, 1.3);
}

static void cells_are_functions_of_scores(void **state)
{
  (void)state;
  check_cells(fitted, -0.6, M, LATERAL_SCORES);
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
  check_bits(fitted, alone, "test_swell_store.h5", 0.1, M);
  CHECK(NormaliserDestroy(&alone));
}

enum { LOOP_WIDTH = 7, LOOP_PLACES = 50, LOOP_ALL = LOOP_WIDTH * LOOP_PLACES };

/* Swollen scores at every level of instructions, and by the library's exponential, of which the loops' is .5 % off up
 * to an exponent of 1.2. */
static void swollen_scores_have_the_same_bits_at_every_level(void **state)
{
  const int used = processor_level();
  double unit[LOOP_WIDTH], mean[LOOP_WIDTH], swell[LOOP_WIDTH], b2[LOOP_WIDTH], low[LOOP_ALL], t[LOOP_ALL],
      first[LOOP_ALL], found[LOOP_ALL];
  (void)state;
  for (int x = 0; x < LOOP_WIDTH; x++) {
    unit[x]  = 1 + 0.1 * x;
    mean[x]  = 0.2 * (x - 3);
    swell[x] = 1 + 0.05 * x;
    b2[x]    = 0.1 * (x - 3);
  }
  rng_normal(3, SCORIA_STREAM_REMAINDER, 1, 0, LOOP_ALL, t);
  rng_normal(3, SCORIA_STREAM_REMAINDER, 2, 0, LOOP_ALL, low);
  low[1]             = 30;
  const KnotSwell of = {LOOP_WIDTH, unit, mean, swell, b2, low, 4};
  for (int level = 0; level < PROCESSOR_LEVELS; level++) {
    if (!processor_use(level)) continue;
    memcpy(found, t, sizeof t);
    knot_loops()->swell(&of, LOOP_PLACES, found);
    if (level) assert_memory_equal(found, first, sizeof found);
    memcpy(first, found, sizeof found);
  }
  assert_true(processor_use(used));
  for (int i = 0; i < LOOP_ALL; i++) {
    const int x       = i % LOOP_WIDTH;
    const double held = fmin(fmax(low[i], -of.farthest), of.farthest), rest = t[i] * unit[x] - low[i];
    const double q = mean[x] + (low[i] - mean[x]) * swell[x] + rest * exp(b2[x] * held);
    assert_true(fabs(found[i] * unit[x] - q) < 0.006 * fabs(rest) * exp(b2[x] * held) + 1e-12);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(exponents_are_those_of_the_law),
      cmocka_unit_test(fields_have_the_joint_law),
      cmocka_unit_test(coordinates_are_standard_normal),
      cmocka_unit_test(decoding_is_inverted),
      cmocka_unit_test(cells_are_functions_of_scores),
      cmocka_unit_test(volume_is_that_of_differences),
      cmocka_unit_test(swollen_scores_have_the_same_bits_at_every_level),
      cmocka_unit_test(bits_are_the_same_everywhere),
      cmocka_unit_test(waves_of_one_size_are_left_alone),
  };
  return run_test_group(argc, argv, tests, sizeof tests / sizeof *tests, set_up, tear_down);
}

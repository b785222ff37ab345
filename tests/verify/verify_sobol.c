/* ranks: 2 3
 * Sobol indices against laws whose indices are known: Ishigami and Homma's function and Sobol's g; the standard errors
 * against the spread over replicates, also of blocks whose rows share inputs; the same bits however blocks are dealt.
 */
#include "scoria/stats.h"
#include "testing.h"
#include <math.h>

#define MOST 8      /* inputs */
#define MOST_ROWS 3 /* of a block */
#define PILOT 64

typedef struct {
  const char *name;
  int inputs;
  double (*f)(const double u[]);
  double first[MOST], total[MOST], mean, sd;
} Law;

static double ishigami(const double u[])
{
  const double a = sin(PETSC_PI * (2 * u[0] - 1)), b = sin(PETSC_PI * (2 * u[1] - 1)), c = PETSC_PI * (2 * u[2] - 1);
  return a + 7 * b * b + 0.1 * pow(c, 4) * a;
}

static const double g_weight[MOST] = {0, 1, 4.5, 9, 99, 99, 99, 99};

static double sobol_g(const double u[])
{
  double f = 1;
  for (int i = 0; i < MOST; i++) f *= (fabs(4 * u[i] - 2) + g_weight[i]) / (1 + g_weight[i]);
  return f;
}

/* V_1 = (1 + b pi^4 / 5)^2 / 2, V_2 = a^2 / 8, V_13 = 8 b^2 pi^8 / 225, all else zero; a = 7, b = 0.1. */
static Law ishigami_law(void)
{
  const double p4 = pow(PETSC_PI, 4), V1 = pow(1 + 0.1 * p4 / 5, 2) / 2, V2 = 49.0 / 8, V13 = 8 * 0.01 * p4 * p4 / 225;
  const double V = V1 + V2 + V13;
  return (Law){"ishigami", 3, ishigami, {V1 / V, V2 / V, 0}, {(V1 + V13) / V, V2 / V, V13 / V}, 3.5, sqrt(V)};
}

/* V_i = 1 / (3 (1 + a_i)^2), V = prod (1 + V_i) - 1, T_i = V_i prod_{j != i} (1 + V_j) / V. */
static Law g_law(void)
{
  Law law = {"g", MOST, sobol_g, {0}, {0}, 1, 0};
  double V[MOST], all = 1;
  for (int i = 0; i < MOST; i++) {
    V[i] = 1 / (3 * pow(1 + g_weight[i], 2));
    all *= 1 + V[i];
  }
  for (int i = 0; i < MOST; i++) {
    law.first[i] = V[i] / (all - 1);
    law.total[i] = V[i] * all / (1 + V[i]) / (all - 1);
  }
  law.sd = sqrt(all - 1);
  return law;
}

/* Block `id`: its rows have inputs of their own, but the first `shared`, which are drawn once. */
static void make_block(const Law *law, uint64_t seed, uint64_t id, int rows, int shared, double values[])
{
  double x[2][MOST], own[2][MOST];
  for (int i = 0; i < rows; i++) {
    for (int side = 0; side < 2; side++) {
      rng_uniform(seed, SCORIA_STREAM_CONDITION, id * 64 + (uint64_t)(2 * i + side), 0, law->inputs, own[side]);
      for (int k = i ? shared : 0; k < law->inputs; k++) x[side][k] = own[side][k];
    }
    values[i]        = law->f(x[0]);
    values[rows + i] = law->f(x[1]);
    for (int k = 0; k < law->inputs; k++) {
      const double kept          = x[0][k];
      x[0][k]                    = x[1][k];
      values[(2 + k) * rows + i] = law->f(x[0]);
      x[0][k]                    = kept;
    }
  }
}

/* Blocks [0, blocks); on `comm` every rank adds those that `deal` gives it; reduced after every `every`. */
static ScoriaSobol estimate(const Law *law, uint64_t seed, int blocks, int rows, int shared, MPI_Comm comm, int deal,
                            int every)
{
  double pilot[PILOT], values[(2 + MOST) * MOST_ROWS];
  ScoriaSobol s;
  int rank, size;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  for (int i = 0; i < PILOT; i++) {
    make_block(law, seed, (uint64_t)i, rows, shared, values);
    pilot[i] = values[0];
  }
  CHECK(ScoriaSobolCreate(1, law->inputs, PILOT, pilot, &s));
  for (int b = 0; b < blocks; b++) {
    if (b * deal % size == rank) {
      make_block(law, seed, (uint64_t)b, rows, shared, values);
      sobol_add(s, rows, values);
    }
    if ((b + 1) % every == 0) CHECK(ScoriaSobolReduce(s, comm));
  }
  CHECK(ScoriaSobolReduce(s, comm));
  return s;
}

static ScoriaSobol alone(const Law *law, uint64_t seed, int blocks, int rows, int shared)
{
  return estimate(law, seed, blocks, rows, shared, PETSC_COMM_SELF, 1, blocks);
}

/* Of 22 indices the largest deviation is beyond 4 standard errors once in 700 seeds. */
static void near(const char *what, const Law *law, int input, double found, double se, double exact)
{
  if (fabs(found - exact) > 4 * se || se > 0.02)
    fail_msg("%s %s of input %d: %g +- %g, exactly %g", law->name, what, input, found, se, exact);
}

static void known_laws(void **state)
{
  const Law laws[] = {ishigami_law(), g_law()};
  (void)state;
  for (int l = 0; l < 2; l++) {
    enum { N = 65536 };
    const Law *law = &laws[l];
    ScoriaSobol s  = alone(law, 5, N, 1, 0);
    double mean, sd;
    sobol_moments(s, 0, &mean, &sd);
    assert_int_equal(sobol_blocks(s), N);
    assert_true(fabs(mean - law->mean) < 4 * law->sd / sqrt(2.0 * N));
    assert_true(fabs(sd / law->sd - 1) < 4 / sqrt(2.0 * N)); /* neither law has a kurtosis above 5 */
    for (int i = 0; i < law->inputs; i++) {
      ScoriaSobolIndex index;
      sobol_index(s, 0, i, &index);
      near("first order", law, i, index.first, index.first_se, law->first[i]);
      near("total", law, i, index.total, index.total_se, law->total[i]);
    }
    CHECK(ScoriaSobolDestroy(&s));
  }
}

/* Root mean square deviation from the exact indices, and mean square error told, over replicates. */
static void replicates(const Law *law, int blocks, int rows, int shared, double spread[2][MOST], double told[2][MOST])
{
  enum { REPLICATES = 200 };
  for (int i = 0; i < law->inputs; i++) spread[0][i] = spread[1][i] = told[0][i] = told[1][i] = 0;
  for (uint64_t seed = 100; seed < 100 + REPLICATES; seed++) {
    ScoriaSobol s = alone(law, seed, blocks, rows, shared);
    for (int i = 0; i < law->inputs; i++) {
      ScoriaSobolIndex index;
      sobol_index(s, 0, i, &index);
      spread[0][i] += pow(index.first - law->first[i], 2) / REPLICATES;
      spread[1][i] += pow(index.total - law->total[i], 2) / REPLICATES;
      told[0][i] += pow(index.first_se, 2) / REPLICATES;
      told[1][i] += pow(index.total_se, 2) / REPLICATES;
    }
    CHECK(ScoriaSobolDestroy(&s));
  }
}

/* The variance over 200 replicates is itself known to 10 % for normal errors: 4 of these, and 6 % for terms of 1/n.
 * Four times as many blocks: a quarter of it, with the errors of both. */
static void errors_are_calibrated(void **state)
{
  enum { N = 300 };
  const Law laws[] = {ishigami_law(), g_law()};
  (void)state;
  for (int l = 0; l < 2; l++)
    for (int shared = 0; shared < 3; shared += 2) {
      double few[2][MOST], many[2][MOST], told[2][MOST];
      const int rows = shared ? MOST_ROWS : 1;
      replicates(&laws[l], 4 * N, rows, shared, many, told);
      replicates(&laws[l], N, rows, shared, few, told);
      for (int i = 0; i < laws[l].inputs; i++)
        for (int order = 0; order < 2; order++) {
          const double ratio = few[order][i] / told[order][i], gain = few[order][i] / many[order][i];
          if (fabs(ratio - 1) > 0.46 || gain < 4 * 0.55 || gain > 4 / 0.55)
            fail_msg("%s, %d shared, input %d, order %d: variance %.3g of that told, %.3g times that of four times as "
                     "many",
                     laws[l].name, shared, i, order, ratio, gain);
        }
    }
}

/* However blocks are dealt and however often ranks meet: the same bits as on one rank. */
static void dealing_is_irrelevant(void **state)
{
  const Law law = g_law();
  int64_t n, m, *one, *other;
  (void)state;
  ScoriaSobol whole = alone(&law, 9, 1000, MOST_ROWS, 2);
  sobol_state(whole, &n, &one);
  for (int deal = 1; deal < 6; deal += 2) {
    ScoriaSobol dealt = estimate(&law, 9, 1000, MOST_ROWS, 2, PETSC_COMM_WORLD, deal, 100 * deal + 7);
    sobol_state(dealt, &m, &other);
    assert_int_equal(n, m);
    assert_memory_equal(one, other, (size_t)n * sizeof *one);
    CHECK(ScoriaSobolDestroy(&dealt));
  }
  CHECK(ScoriaSobolDestroy(&whole));
}

/* What does not vary has no indices; what depends on one input only has 1 and 0, to rounding. */
static void degenerate(void **state)
{
  const double pilot[] = {3, 1, 3, 5};
  ScoriaSobolIndex index;
  ScoriaSobol s;
  (void)state;
  CHECK(ScoriaSobolCreate(2, 2, 2, pilot, &s));
  for (uint64_t b = 0; b < 4096; b++) {
    double u[2];
    rng_uniform(1, SCORIA_STREAM_CONDITION, b, 0, 2, u);
    const double A = u[0] * u[0], B = u[1] * u[1];
    sobol_add(s, 1, (const double[]){3, A, 3, B, 3, B, 3, A});
  }
  CHECK(ScoriaSobolReduce(s, PETSC_COMM_SELF));
  sobol_index(s, 0, 0, &index);
  assert_true(isnan(index.first) && isnan(index.total_se));
  sobol_index(s, 1, 0, &index);
  assert_true(fabs(index.first - 1) < 1e-9 && index.first_se < 1e-6);
  assert_true(fabs(index.total - 1) < 1e-9 && index.total_se < 1e-6);
  sobol_index(s, 1, 1, &index);
  assert_true(fabs(index.first) < 1e-9 && fabs(index.total) < 1e-9); /* of fixed point */
  assert_true(index.first_se < 1e-6 && index.total_se < 1e-6);
  CHECK(ScoriaSobolDestroy(&s));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(known_laws), cmocka_unit_test(errors_are_calibrated),
                                     cmocka_unit_test(dealing_is_irrelevant), cmocka_unit_test(degenerate)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}

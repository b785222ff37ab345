/* ranks: 2 3 4
 * The smallest of values on all ranks, in order, equal ones by their number. */
#include "scoria/stats.h"
#include "testing.h"
#include <math.h>
#include <stdlib.h>

enum { N = 97 };

static double value_of(int64_t i)
{
  return (double)((i * 37) % 13); /* every value several times */
}

static int by_value(const void *a, const void *b)
{
  const int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
  const double x = value_of(i), y = value_of(j);
  return x < y ? -1 : x > y ? 1 : (i > j) - (i < j);
}

static void test_smallest(void **state)
{
  int64_t expected[N], found[N], first, number;
  double value[N];
  int rank, size;

  (void)state;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (int i = 0; i < N; i++) expected[i] = i;
  qsort(expected, N, sizeof *expected, by_value);
  deal_block(N, rank, size, &first, &number);
  for (int64_t i = 0; i < number; i++) value[i] = value_of(first + i);
  for (int k = 1; k <= N; k += 12)
    for (int root = 0; root < size; root++) {
      CHECK(ScoriaSmallest(PETSC_COMM_WORLD, first, number, value, k, root, found));
      for (int i = 0; i < k && rank == root; i++) assert_int_equal(found[i], expected[i]);
    }
}

/* Values that are no numbers come last; a rank without values takes part. */
static void test_few(void **state)
{
  const double value[] = {3, NAN, 1};
  int64_t found[2]     = {-1, -1};
  int rank;

  (void)state;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  CHECK(ScoriaSmallest(PETSC_COMM_WORLD, 0, rank ? 0 : 3, value, 2, 0, found));
  if (rank) return;
  assert_int_equal(found[0], 2);
  assert_int_equal(found[1], 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_smallest), cmocka_unit_test(test_few)};

  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

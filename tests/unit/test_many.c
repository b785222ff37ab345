/* ranks: 2 3
 * Collectives on more items than one call takes: all of them, in their places. */
#include "testing.h"
#include "base/many.h"

enum { N = 1001 };

static void check_pieces(int64_t most)
{
  double x[N + 1];
  int64_t sum[N + 1], own[N + 1];
  int rank, size;

  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  many_most = most;
  for (int i = 0; i <= N; i++) {
    x[i]   = rank == size - 1 ? 0.5 * i : -1;
    sum[i] = own[i] = i + rank;
  }
  CHECK(ScoriaBroadcastMany(PETSC_COMM_WORLD, size - 1, N, MPI_DOUBLE, x));
  CHECK(ScoriaReduceMany(PETSC_COMM_WORLD, MPI_SUM, N, MPI_INT64_T, sum));
  CHECK(ScoriaReduceManyTo(PETSC_COMM_WORLD, size - 1, MPI_SUM, N, MPI_INT64_T, own));
  for (int i = 0; i < N; i++) {
    assert_true(x[i] == 0.5 * i);
    assert_int_equal(sum[i], size * i + size * (size - 1) / 2);
    assert_int_equal(own[i], rank == size - 1 ? sum[i] : i + rank);
  }
  assert_true(x[N] == (rank == size - 1 ? 0.5 * N : -1)); /* what lies behind is left alone */
  assert_int_equal(sum[N], N + rank);
  assert_int_equal(own[N], N + rank);
}

static void test_pieces(void **state)
{
  (void)state;
  check_pieces(1);
  check_pieces(7);
  check_pieces(N - 1);
  check_pieces(N);
  check_pieces((int64_t)1 << 28);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_pieces)};

  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

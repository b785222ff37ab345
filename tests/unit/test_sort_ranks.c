/* ranks: 2 3 4 5 7
 * Sorting over ranks. */
#include "testing.h"
#include <math.h>
#include <stdlib.h>

typedef struct {
  double key;
  int64_t number;
} Item;

static int compare(const void *a, const void *b)
{
  const Item *p = a, *q = b;
  if (p->key != q->key) return p->key < q->key ? -1 : 1;
  return (p->number > q->number) - (p->number < q->number);
}

/* The block of rank `rank` of items whose keys have some different values. */
static void make(int n, int values, int rank, Item item[])
{
  for (int i = 0; i < n; i++) {
    double u;
    item[i].number = (int64_t)rank * n + i;
    rng_uniform(5, SCORIA_STREAM_CONDITION, (uint64_t)item[i].number, 0, 1, &u);
    item[i].key = floor(values * u);
  }
}

/* Every rank ends with its block of what one rank sorts; with few different keys and many, and with one item each. */
static void blocks_are_those_of_the_sorted_whole(void **state)
{
  enum { MOST = 200, RANKS = 9 };
  static Item all[MOST * RANKS], mine[MOST];
  int rank, size;
  (void)state;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  assert_true(size <= RANKS);
  for (int n = 1; n <= MOST; n += 66)
    for (int values = 1; values < 1000000; values *= 30) {
      for (int r = 0; r < size; r++) make(n, values, r, all + r * n);
      make(n, values, rank, mine);
      qsort(all, (size_t)(n * size), sizeof *all, compare);
      CHECK(ScoriaSortRanks(PETSC_COMM_WORLD, n, sizeof *mine, mine, compare));
      assert_memory_equal(mine, all + rank * n, (size_t)n * sizeof *mine);
      CHECK(ScoriaSortRanks(PETSC_COMM_WORLD, n, sizeof *mine, mine, compare)); /* in order already */
      assert_memory_equal(mine, all + rank * n, (size_t)n * sizeof *mine);
    }
  CHECK(ScoriaSortRanks(PETSC_COMM_WORLD, 0, sizeof *mine, mine, compare));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(blocks_are_those_of_the_sorted_whole)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}

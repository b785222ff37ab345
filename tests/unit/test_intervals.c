/* ranks: 2 3
 * Sets of rows as intervals, against a map of one byte a row; and of more rows than such a map could hold. */
#include "testing.h"

enum { ROWS = 61 };

static void check_same(const ScoriaIntervals *set, const bool map[ROWS])
{
  int64_t count = 0;

  for (int64_t i = 1; i < set->n; i++) assert_true(set->at[i - 1].end < set->at[i].first);
  for (int64_t r = 0; r < ROWS; r++) {
    int64_t first = r, end = ROWS, gap = r, gap_end;

    assert_int_equal(intervals_count(set, r, r + 1), map[r]);
    count += map[r];
    while (gap < ROWS && map[gap]) gap++;
    for (gap_end = gap; gap_end < ROWS && !map[gap_end];) gap_end++;
    intervals_gap(set, &first, &end);
    assert_int_equal(first, gap);
    assert_int_equal(end, gap_end);
  }
  assert_int_equal(intervals_count(set, 0, INT64_MAX), count);
}

static void test_like_a_map(void **state)
{
  ScoriaIntervals set = {0};
  bool map[ROWS]      = {false};

  (void)state;
  check_same(&set, map);
  for (int i = 0; i < 40; i++) {
    const int64_t first = (i * 23) % ROWS, end = PetscMin(ROWS, first + i % 4);

    CHECK(ScoriaIntervalsAdd(&set, first, end));
    for (int64_t r = first; r < end; r++) map[r] = true;
    check_same(&set, map);
  }
  CHECK(ScoriaIntervalsDestroy(&set));
}

/* Blocks of 10^9 rows, of which every rank knows its own, are one interval but for the rows that are missing. */
static void test_shared(void **state)
{
  const int64_t rows = 1000000000, missing[] = {0, 17, 499999999, 999999998};
  ScoriaIntervals set = {0};
  int64_t first, number, at;
  int rank, size;

  (void)state;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  deal_block(rows, rank, size, &first, &number);
  at = first;
  for (int i = 0; i < 4; i++) {
    if (missing[i] < first || missing[i] >= first + number) continue;
    CHECK(ScoriaIntervalsAdd(&set, at, missing[i]));
    at = missing[i] + 1;
  }
  CHECK(ScoriaIntervalsAdd(&set, at, first + number));
  CHECK(ScoriaIntervalsShare(PETSC_COMM_WORLD, &set));
  assert_int_equal(set.n, 4);
  assert_int_equal(intervals_count(&set, 0, rows), rows - 4);
  for (int i = 0; i < 4; i++) {
    int64_t from = i ? missing[i - 1] + 1 : 0, end = rows;

    intervals_gap(&set, &from, &end);
    assert_int_equal(from, missing[i]);
    assert_int_equal(end, missing[i] + 1);
  }
  assert_true(set.room < 64);
  CHECK(ScoriaIntervalsDestroy(&set));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_like_a_map), cmocka_unit_test(test_shared)};

  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

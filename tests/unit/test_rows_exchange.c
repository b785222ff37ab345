/* ranks: 2 3 4
 * Rows find their way to the ranks that write them, with all columns, wherever they were: fields to the file's
 * precision. */
#include "io_files.h"

/* Chunks of rows lie on ranks drawn at random; the last ranks, `without` of them, have none. */
static void exchange(int64_t first, int64_t number, int64_t chunk, int without, bool float64)
{
  const int rank = world_rank(), size = world_size();
  const ScoriaDatasetSpec spec = small_spec(first + number, float64);
  int64_t where[1000], at, expected_first, expected_number;
  ScoriaRows from, to, expected;

  CHECK(ScoriaRowsCreate(&spec, number, &from));
  CHECK(ScoriaRowsCreate(&spec, number, &to));
  CHECK(ScoriaRowsCreate(&spec, 1, &expected));
  for (int64_t i = number - 1; i >= 0; i--) { /* backwards: their order is free */
    double u;

    rng_uniform(9, SCORIA_STREAM_PERMUTATION, (uint64_t)(i / chunk), 0, 1, &u);
    if ((int)(u * (size - without)) != rank) continue;
    where[from.rows] = first + i;
    fill_row(&spec, first + i, &from, from.rows++);
  }
  CHECK(ScoriaRowsExchange(PETSC_COMM_WORLD, &spec, &from, where, first, number, &at, &to));
  deal_block(number, rank, size, &expected_first, &expected_number);
  assert_int_equal(to.rows, expected_number);
  assert_int_equal(at, first + expected_first);
  for (int64_t i = 0; i < to.rows; i++) {
    ScoriaRows row = rows_from(&spec, &to, i);

    fill_row(&spec, at + i, &expected, 0);
    for (int f = 0; f < spec.nfields; f++)
      for (int k = 0; k < CELLS; k++)
        if (float64)
          assert_true(row.field[f][k] == expected.field[f][k]);
        else
          assert_true((float)row.field[f][k] == (float)expected.field[f][k]);
    for (int c = 0; c < spec.space.n; c++) assert_true(row.condition[c][0] == expected.condition[c][0]);
    for (int c = 0; c < SCORIA_STATUS_COLUMNS; c++)
      assert_memory_equal(rows_status(&row, c), rows_status(&expected, c), type_size(scoria_status[c].type));
  }
  CHECK(ScoriaRowsDestroy(&expected));
  CHECK(ScoriaRowsDestroy(&to));
  CHECK(ScoriaRowsDestroy(&from));
}

static void test_rows_to_their_writers(void **state)
{
  (void)state;
  for (int float64 = 0; float64 < 2; float64++) {
    exchange(0, 1000, 7, 0, float64);
    exchange(12, 333, 1, 0, float64);
    exchange(12, 333, 50, world_size() - 1, float64); /* all from one rank */
    exchange(5, 2, 1, 0, float64);                    /* fewer rows than ranks */
    exchange(5, 0, 1, 0, float64);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rows_to_their_writers),
  };

  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

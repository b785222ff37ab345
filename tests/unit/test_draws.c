/* ranks: 2 3
 * Sources of fields: numbers of draws that no two purposes share; the same fields however they are drawn; one packing.
 */
#include "unit/known_source.h"
#include "unit/small_run.h"
#include "testing.h"
#include "draw/draw_ranges.h"

/* Of every purpose, for the most conditions, rows and blocks that a deck can ask for. */
static void ranges_are_disjoint(void **state)
{
  (void)state;
  for (int a = 0; a < SCORIA_NDRAWS; a++) {
    const ScoriaDrawRange *r = &scoria_draw_ranges[a];
    assert_non_null(r->name);
    assert_true(r->first <= r->last);
    assert_true(draw_number(a, 0, 0) == r->first);
    assert_true(draw_number(a, SCORIA_DRAWS_CONDITIONS - 1, SCORIA_DRAWS_PER_CONDITION - 1) <= r->last);
    for (int b = 0; b < a; b++)
      assert_true(scoria_draw_ranges[b].last < r->first || r->last < scoria_draw_ranges[b].first);
  }
}

/* 1e9 conditions of 1e9 rows are the most that a deck can ask for, of a dataset and of cheap rows beside it. */
static void rows_beside_a_dataset_have_numbers_of_their_own(void **state)
{
  const int64_t most = (int64_t)1000000000 * 1000000000;
  (void)state;
  assert_true(SCORIA_DRAWS_ROWS_END >= most);
  assert_true((uint64_t)(SCORIA_DRAWS_ROWS_END + (most - 1)) <= scoria_draw_ranges[SCORIA_DRAWS_ROWS].last);
}

static void conditions_do_not_overlap(void **state)
{
  (void)state;
  for (int64_t k = 1; k < SCORIA_DRAWS_CONDITIONS; k *= 2)
    assert_true(draw_number(SCORIA_DRAWS_UQ, k - 1, SCORIA_DRAWS_PER_CONDITION - 1) <
                draw_number(SCORIA_DRAWS_UQ, k, 0));
}

/* A release's files and checkpoints hold draws of these numbers. */
static void numbers_of_the_release_stay(void **state)
{
  (void)state;
  assert_true(draw_number(SCORIA_DRAWS_ROWS, 0, 7) == 7);
  assert_true(draw_number(SCORIA_DRAWS_UQ, 3, 5) == ((uint64_t)1 << 62 | (uint64_t)3 << 40 | 5));
  assert_true(draw_number(SCORIA_DRAWS_SOBOL_CONDITIONS, 0, 9) == ((uint64_t)1 << 61 | 9));
  assert_true(draw_number(SCORIA_DRAWS_SOBOL, 0, 4096) == ((uint64_t)3 << 61 | 4096));
  assert_true(draw_number(SCORIA_DRAWS_HELDOUT, 2, 1) == ((uint64_t)1 << 63 | (uint64_t)2 << 40 | 1));
  assert_true(draw_number(SCORIA_DRAWS_HELDOUT_AGAIN, 2, 1) == ((uint64_t)3 << 62 | (uint64_t)2 << 40 | 1));
}

/* All in one draw, and in the shares of all ranks: of one condition to any rank, of one for each rank at once. */
static void shares_are_gathered_in_order(void **state)
{
  enum { N = 37, MOST = 8 };
  static double alone[N * KNOWN_WIDTH], share[(N + MOST) * KNOWN_WIDTH], all[N * KNOWN_WIDTH];
  double theta[MOST][SCORIA_MAX_CONDITIONS] = {{0}};
  uint64_t first[MOST];
  int rank, size;
  KnownLaw law;
  ScoriaSource source;
  SmallRun r;
  (void)state;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  small_run_open(&r);
  ScoriaPace pace = {.run = r.run, .step = 1, .most = 8};
  known_source(PETSC_COMM_WORLD, 3, &law, &source);
  for (int j = 0; j < size; j++) {
    theta[j][0] = 1 + j;
    theta[j][1] = 0.5;
    first[j]    = draw_number(SCORIA_DRAWS_COMPARED, 4 + j, 0);
  }
  CHECK(ScoriaSourceDraw(source, theta[0], first[0], N, alone));
  assert_true(law.first == first[0] && law.last == first[0] + N - 1);
  for (int owner = 0; owner < size; owner++) {
    memset(all, 0, sizeof all);
    CHECK(ScoriaSourceGather(source, &pace, "nothing", 1, theta, first, N, owner, share, all));
    if (rank == owner) assert_memory_equal(all, alone, sizeof all);
  }
  CHECK(ScoriaSourceDraw(source, theta[rank], first[rank], N, alone));
  CHECK(ScoriaSourceGather(source, &pace, "nothing", size, theta, first, N, 0, share, all));
  assert_memory_equal(all, alone, sizeof all);
  assert_true(source_seconds(source) >= 0);
  CHECK(ScoriaSourceDestroy(&source));
  small_run_close(&r);
}

static void packing_is_its_own_inverse(void **state)
{
  enum { N = 3, C = 2, L = 4 };
  ScoriaDatasetSpec spec = {.nfields = C, .cells = L, .shape = {L, 1, 1}, .rows = N, .realisations = N};
  double fields[N * C * L], back[C * L];
  const double theta[1] = {2.5};
  const int swapped[C]  = {1, 0};
  ScoriaRows rows;
  (void)state;
  spec.space.n = 1;
  for (int i = 0; i < N * C * L; i++) fields[i] = i;
  CHECK(ScoriaRowsCreate(&spec, N, &rows));
  rows_unpack(N, C, L, fields, 1, theta, &rows);
  assert_int_equal(rows.rows, N);
  for (int i = 0; i < N; i++) {
    assert_int_equal(rows.done[i], SCORIA_ROW_DONE);
    assert_true(rows.condition[0][i] == 2.5);
    rows_pack(&rows, i, 1, C, NULL, L, back);
    assert_memory_equal(back, fields + i * C * L, sizeof back);
    rows_pack(&rows, i, 1, C, swapped, L, back);
    assert_memory_equal(back, fields + i * C * L + L, L * sizeof *back);
    assert_memory_equal(back + L, fields + i * C * L, L * sizeof *back);
  }
  CHECK(ScoriaRowsDestroy(&rows));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(ranges_are_disjoint),
                                     cmocka_unit_test(conditions_do_not_overlap),
                                     cmocka_unit_test(rows_beside_a_dataset_have_numbers_of_their_own),
                                     cmocka_unit_test(numbers_of_the_release_stay),
                                     cmocka_unit_test(shares_are_gathered_in_order),
                                     cmocka_unit_test(packing_is_its_own_inverse)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}

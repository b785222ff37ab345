/* Rows held back from training: how many, which, and that validation is chosen among the others. */
#include "score/holdout.h"
#include "score/train_split.h"
#include "testing.h"
#include <math.h>

/* The share that is asked for; more where a verdict needs more; a fourth at most of few. */
static void numbers_suffice_for_a_verdict(void **state)
{
  (void)state;
  assert_int_equal(holdout_number(200, 30, 0.1), 20);
  assert_int_equal(holdout_number(500, 1, 0.1), 100); /* single rows: 100 of them */
  assert_int_equal(holdout_number(200, 1, 0.1), 50);  /* a fourth */
  assert_int_equal(holdout_number(20, 30, 0.1), 4);   /* four conditions */
  assert_int_equal(holdout_number(8, 1000, 0.1), 2);  /* a fourth */
  assert_int_equal(holdout_number(100, 30, 0.5), 50); /* the deck wants more */
  assert_int_equal(holdout_number(1000000, 1, 0.1), 4096);
  assert_int_equal(holdout_number(200, 30, 0), 0);
  assert_int_equal(holdout_number(80, 1, 0.1), 20); /* the fewest that can be judged */
  assert_int_equal(holdout_number(79, 1, 0.1), 0);
  assert_int_equal(holdout_number(7, 1000, 0.1), 0);
  assert_int_equal(holdout_rows(1, 5000, 0.1), 500);
  assert_int_equal(holdout_rows(1, 200, 0.1), 50);
  assert_int_equal(holdout_rows(5, 100, 0.1), 20); /* 100 rows in all */
  assert_int_equal(holdout_rows(8, 1000, 0.1), 0);
  assert_int_equal(holdout_rows(3, 4, 0.1), 0); /* too few to spare any */
}

enum { SIDE = 18, CONDITIONS = SIDE * SIDE, HELD = 16, D = 2 };

static void make_grid(double u[CONDITIONS * D])
{
  for (int i = 0; i < CONDITIONS; i++) {
    u[i * D]     = -1 + 2.0 * (i % SIDE) / (SIDE - 1);
    u[i * D + 1] = -1 + 2.0 * (double)(i / SIDE) / (SIDE - 1);
  }
}

/* One in each of the 16 squares of the grid's inside; another seed chooses others in them. */
static void held_conditions_are_spread(void **state)
{
  double u[CONDITIONS * D];
  int64_t chosen[HELD], other[HELD];
  int in[4][4] = {{0}};
  (void)state;
  make_grid(u);
  CHECK(HoldoutSpread(D, u, CONDITIONS, HELD, 3, chosen));
  CHECK(HoldoutSpread(D, u, CONDITIONS, HELD, 4, other));
  for (int i = 0; i < HELD; i++) {
    const double *at = u + chosen[i] * D;
    assert_true(fabs(at[0]) < 1 && fabs(at[1]) < 1); /* nothing at an end */
    if (i) assert_true(chosen[i] > chosen[i - 1]);
    in[(int)(2 * (at[0] + 1))][(int)(2 * (at[1] + 1))]++;
  }
  for (int i = 0; i < HELD; i++) assert_int_equal(in[i / 4][i % 4], 1);
  assert_memory_not_equal(chosen, other, sizeof chosen);
}

/* A coordinate of two values has no inside, and a fixed one none. */
static void coordinates_without_inside_are_left_aside(void **state)
{
  double u[40 * 3];
  int64_t chosen[4];
  (void)state;
  for (int i = 0; i < 40; i++) {
    u[3 * i]     = i % 2 ? 1 : -1;
    u[3 * i + 1] = -1 + (double)(i / 2) / 9.5;
    u[3 * i + 2] = 0;
  }
  CHECK(HoldoutSpread(3, u, 40, 4, 1, chosen));
  for (int i = 0; i < 4; i++) assert_true(fabs(u[3 * chosen[i] + 1]) < 1);
}

static void validation_is_chosen_among_the_others(void **state)
{
  int64_t list[] = {0, 3, 4, 10, 11, 20, 30, 39}, learned = 0, validated = 0;
  const ScoriaHoldout h = {.conditions = 40, .realisations = 5, .number = 8, .condition = list};
  (void)state;
  const TrainSplit split = train_split(40, 0.25, 3, &h), without = train_split(40, 0.25, 3, NULL);
  for (int64_t k = 0; k < 40; k++) {
    const bool held = holdout_has_condition(&h, k);
    for (int64_t r = 0; r < 5; r++) assert_int_equal(train_hides(&split, 5 * k + r), held);
    learned += train_keeps(&split, k);
    validated += !train_keeps(&split, k) && !held;
    if (held) assert_false(train_keeps(&split, k));
    assert_false(train_hides(&without, 5 * k));
  }
  assert_int_equal(validated, 8); /* a fourth of 32 */
  assert_int_equal(learned, 24);
}

/* Of too few conditions to leave one out: rows of each, other than those held back. */
static void rows_are_left_out_where_conditions_are_few(void **state)
{
  ScoriaHoldout h = {.conditions = 3, .realisations = 50, .rows = 5};
  (void)state;
  CHECK(HoldoutOrder(9, &h));
  TrainSplit split = train_split(3, 0.05, 9, &h), many = train_split(40, 0.05, 9, NULL), none = many;
  train_split_rows(&split, 3, 50, 0.05, 9);
  assert_int_equal(split.rows, 45 / 8); /* a hundred in all would be more than an eighth */
  for (int64_t k = 0; k < 3; k++) {
    int64_t left_out = 0;
    for (int64_t row = 50 * k; row < 50 * (k + 1); row++) {
      left_out += train_leaves_row(&split, row);
      assert_false(train_leaves_row(&split, row) && train_hides(&split, row));
    }
    assert_true(train_keeps(&split, k));
    assert_int_equal(left_out, split.rows);
  }
  train_split_rows(&many, 40, 50, 0.05, 9);
  assert_int_equal(many.rows, 0);
  none.left_out = 0;
  train_split_rows(&none, 3, 50, 0, 9); /* none wanted */
  assert_int_equal(none.rows, 0);
  train_split_rows(&none, 3, 7, 0.05, 9); /* none to spare */
  assert_int_equal(none.rows, 0);
  train_split_rows(&none, 2, 100000, 0.05, 9);
  assert_int_equal(none.rows, 5000);
  CHECK(ScoriaHoldoutDestroy(&h));
}

static void rows_of_every_condition_are_numbered(void **state)
{
  ScoriaHoldout h = {.conditions = 3, .realisations = 50, .rows = 5};
  bool taken[150] = {false};
  (void)state;
  CHECK(HoldoutOrder(9, &h));
  assert_int_equal(holdout_conditions(&h), 3);
  assert_int_equal(holdout_each(&h), 5);
  for (int64_t k = 0; k < 3; k++)
    for (int64_t i = 0; i < 5; i++) {
      const int64_t row = holdout_row(&h, k, i);
      assert_true(row >= 50 * k && row < 50 * (k + 1) && !taken[row] && holdout_has(&h, row));
      taken[row] = true;
    }
  for (int64_t row = 0; row < 150; row++) assert_int_equal(holdout_has(&h, row), taken[row]);
  CHECK(ScoriaHoldoutDestroy(&h));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_suffice_for_a_verdict),
      cmocka_unit_test(held_conditions_are_spread),
      cmocka_unit_test(coordinates_without_inside_are_left_aside),
      cmocka_unit_test(validation_is_chosen_among_the_others),
      cmocka_unit_test(rows_are_left_out_where_conditions_are_few),
      cmocka_unit_test(rows_of_every_condition_are_numbered),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

/* ranks: 2 3 4
 * Dealing: every item of a round goes to one group, whole chunks in their order, until the round ends or is
 * cut. */
#include "testing.h"

/* A round as all ranks see it. */
typedef struct {
  int64_t drawn;
  int times[4096];   /* how often each item was dealt */
  int64_t size[512]; /* of the chunks, by their first item; 0 where none begins */
} Dealt;

/* Every member of a group gets what its leader draws. */
static void check_agreed(const ScoriaGroups *groups, int64_t start, int64_t count)
{
  int64_t low[2] = {start, count}, high[2] = {start, count};

  MPI_Allreduce(MPI_IN_PLACE, low, 2, MPI_INT64_T, MPI_MIN, groups->group);
  MPI_Allreduce(MPI_IN_PLACE, high, 2, MPI_INT64_T, MPI_MAX, groups->group);
  assert_true(low[0] == high[0] && low[1] == high[1]);
}

/* Whether this is a last group that is smaller than the others. */
static bool left_over(const ScoriaGroups *groups)
{
  return groups->index && groups->group_size < (groups->rank - groups->group_rank) / groups->index;
}

/* Plays one round; `last` (below 0: none) is the group that cuts it, after `patience` chunks of its own. */
static void play(const ScoriaGroups *groups, ScoriaDealer dealer, int64_t first, int64_t number, int64_t smallest,
                 int64_t largest, int last, int patience, Dealt *round)
{
  int64_t start, count = 1;

  memset(round, 0, sizeof *round);
  CHECK(ScoriaDealerOpen(dealer, first, number, smallest, largest));
  for (int chunks = 0; count; chunks++) {
    CHECK(ScoriaDealerDraw(dealer, groups->index == last && chunks >= patience, &start, &count));
    check_agreed(groups, start, count);
    if (left_over(groups)) assert_int_equal(count, 0);
    if (!count || groups->group_rank) continue;
    assert_true(start >= first && start + count <= first + number);
    if (start - first < 512) round->size[start - first] = count;
    for (int64_t i = start - first; i < start - first + count; i++) round->times[i]++;
  }
  CHECK(ScoriaDealerClose(dealer, &round->drawn));
  MPI_Allreduce(MPI_IN_PLACE, round->times, 4096, MPI_INT, MPI_SUM, groups->comm);
  MPI_Allreduce(MPI_IN_PLACE, round->size, 512, MPI_INT64_T, MPI_SUM, groups->comm);
  for (int64_t i = 0; i < number; i++) assert_int_equal(round->times[i], i < round->drawn ? 1 : 0);
}

/* The chunks are those of the sequence, whoever drew them. */
static void check_chunks(const Dealt *round, int64_t number, int groups, int64_t smallest, int64_t largest)
{
  for (int64_t at = 0; at < round->drawn && at < 512;) {
    const int64_t expected = deal_chunk(number - at, groups, smallest, largest);

    assert_int_equal(round->size[at], expected);
    for (int64_t i = at + 1; i < at + expected && i < 512; i++) assert_int_equal(round->size[i], 0);
    at += expected;
  }
}

static void every_item_once(MPI_Comm comm, int group_size)
{
  static const int64_t numbers[]  = {1000, 0, 1, 3, 4096};
  static const int64_t sizes[][2] = {{1, 1}, {1, 7}, {1, 32}, {1, 5000}, {24, 32}};
  static Dealt round;
  ScoriaGroups groups;
  ScoriaDealer dealer;

  CHECK(ScoriaGroupsCreate(comm, group_size, &groups));
  CHECK(ScoriaDealerCreate(&groups, &dealer));
  for (int n = 0; n < 5; n++) {
    for (int s = 0; s < 5; s++) {
      play(&groups, dealer, 17 * n, numbers[n], sizes[s][0], sizes[s][1], -1, 0, &round);
      assert_int_equal(round.drawn, numbers[n]);
      check_chunks(&round, numbers[n], groups.count, sizes[s][0], sizes[s][1]);
    }
  }
  CHECK(ScoriaDealerDestroy(&dealer));
  assert_null(dealer);
  CHECK(ScoriaGroupsDestroy(&groups));
}

static void test_every_item_once(void **state)
{
  (void)state;
  every_item_once(PETSC_COMM_WORLD, 1);
}

static void test_groups_of_two(void **state)
{
  (void)state;
  every_item_once(PETSC_COMM_WORLD, 2);
}

static void test_one_group(void **state)
{
  (void)state;
  every_item_once(PETSC_COMM_SELF, 1);
  every_item_once(PETSC_COMM_WORLD, 64);
}

/* Half a share each time, never less than one item nor more than the largest; the end comes item by item. */
static void test_chunk_sequence(void **state)
{
  int64_t before = INT64_MAX;

  (void)state;
  for (int64_t left = 1000; left > 0;) {
    const int64_t chunk = deal_chunk(left, 4, 1, 100);

    assert_true(chunk >= 1 && chunk <= 100 && chunk <= before);
    assert_true(chunk <= PetscMax(left / 8, 1));
    before = chunk;
    left -= chunk;
  }
  assert_int_equal(before, 1);
  assert_int_equal(deal_chunk(1000, 4, 1, 1000), 125);
  assert_int_equal(deal_chunk(1000, 4, 1, 32), 32);
  assert_int_equal(deal_chunk(15, 4, 1, 32), 1);
}

/* No chunk but the last is below the smallest, and none is more than remains. */
static void test_smallest_chunk(void **state)
{
  (void)state;
  for (int64_t left = 1000, chunk; left > 0; left -= chunk) {
    chunk = deal_chunk(left, 4, 24, 100);
    assert_true(chunk <= left && (chunk >= 24 || chunk == left));
  }
  assert_int_equal(deal_chunk(1000, 4, 200, 100), 200);
  assert_int_equal(deal_chunk(7, 4, 24, 100), 7);
  assert_int_equal(deal_chunk(0, 4, 24, 100), 0);
}

/* Chunks so large that draws of all groups take a tenth of the counter's time, and as small as that allows; one item
 * where groups are few or solves dear, a bound where solves are too cheap. */
static void test_counter_keeps_up(void **state)
{
  static const int groups[]    = {1, 2, 128, 10000, 1000000};
  static const double solves[] = {3e-5, 1e-3, 1, 100};
  const double draw            = 1e-6;
  const int64_t most           = 512;

  (void)state;
  for (int g = 0; g < 5; g++) {
    for (int s = 0; s < 4; s++) {
      const int64_t chunk = deal_smallest(groups[g], draw, solves[s], most);
      const double busy   = groups[g] * draw / solves[s];

      assert_true(chunk >= 1 && chunk <= most);
      if (chunk < most) assert_true(busy / (double)chunk <= 0.1 * (1 + 1e-12)); /* rounding of the quotients */
      if (chunk > 1) assert_true(busy / (double)(chunk - 1) > 0.1 * (1 - 1e-12));
    }
  }
  assert_int_equal(deal_smallest(10000, draw, 1e-3, most), 100);
  assert_int_equal(deal_smallest(10000, draw, 1, most), 1);
  assert_int_equal(deal_smallest(10000, draw, 1e-9, most), most);
  assert_int_equal(deal_smallest(10000, draw, 0, most), 1); /* no solve has been timed */
}

/* The cost of a draw is the same number on every rank, and something where there is more than one group. */
static void test_draw_is_measured(void **state)
{
  ScoriaGroups groups;
  ScoriaDealer dealer;

  (void)state;
  CHECK(ScoriaGroupsCreate(PETSC_COMM_WORLD, 1, &groups));
  CHECK(ScoriaDealerCreate(&groups, &dealer));
  double low = dealer_draw_seconds(dealer), high = low;
  MPI_Allreduce(MPI_IN_PLACE, &low, 1, MPI_DOUBLE, MPI_MIN, groups.comm);
  MPI_Allreduce(MPI_IN_PLACE, &high, 1, MPI_DOUBLE, MPI_MAX, groups.comm);
  assert_true(low == high && (low > 0) == (groups.count > 1));
  CHECK(ScoriaDealerDestroy(&dealer));
  CHECK(ScoriaGroupsDestroy(&groups));
}

/* Cut by one group or by all, early or late: what was dealt is a leading part, and the next round deals the rest. */
static void cut_rounds(int group_size, int patience)
{
  const int64_t number = 300;
  static Dealt round;
  ScoriaGroups groups;
  ScoriaDealer dealer;
  int64_t first = 5;

  CHECK(ScoriaGroupsCreate(PETSC_COMM_WORLD, group_size, &groups));
  CHECK(ScoriaDealerCreate(&groups, &dealer));
  for (int turn = 0; turn < 6; turn++) {
    const int last = turn % 2 ? groups.index : turn % groups.count;

    play(&groups, dealer, first, number - (first - 5), 1, 4, last, patience, &round);
    check_chunks(&round, number - (first - 5), groups.count, 1, 4);
    if (turn % 2) assert_true(round.drawn <= (int64_t)4 * patience * groups.count);
    first += round.drawn;
  }
  play(&groups, dealer, first, number - (first - 5), 1, 4, -1, 0, &round);
  assert_int_equal(first + round.drawn, number + 5);
  CHECK(ScoriaDealerDestroy(&dealer));
  CHECK(ScoriaGroupsDestroy(&groups));
}

static void test_cut(void **state)
{
  (void)state;
  for (int group_size = 1; group_size <= 2; group_size++)
    for (int patience = 0; patience < 4; patience++) cut_rounds(group_size, patience);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_item_once),  cmocka_unit_test(test_groups_of_two),
      cmocka_unit_test(test_one_group),        cmocka_unit_test(test_chunk_sequence),
      cmocka_unit_test(test_smallest_chunk),   cmocka_unit_test(test_counter_keeps_up),
      cmocka_unit_test(test_draw_is_measured), cmocka_unit_test(test_cut),
  };

  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

/* ranks: 2 3
 * Rounds that take about a second, the same on every rank, and end where the run is to stop. */
#include "testing.h"
#include <stdlib.h>
#include <unistd.h>

static char dir[32] = "pace_XXXXXX";

static void open_run(ScoriaDeck *deck, ScoriaRun *run)
{
  static const ScoriaKey *const tables[] = {scoria_base_keys, NULL};
  char text[64];
  int rank;

  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (rank == 0) assert_non_null(mkdtemp(dir));
  MPI_Bcast(dir, sizeof dir, MPI_CHAR, 0, PETSC_COMM_WORLD);
  snprintf(text, sizeof text, "run: {dir: %s}\n", dir);
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, tables, deck));
  CHECK(ScoriaRunCreate(PETSC_COMM_WORLD, *deck, "test", run));
}

/* What a round took is set by moving its beginning: no time passes. */
static void meet_after(ScoriaPace *pace, double seconds)
{
  int rank;

  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (rank == 0) pace->began = wall_seconds() - seconds; /* the longest of all ranks counts */
  CHECK(ScoriaPaceMeet(pace, "nothing is kept"));
}

static void test_rounds_and_stop(void **state)
{
  ScoriaDeck deck;
  ScoriaRun run;
  char path[64], command[64];
  int rank;

  (void)state;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  open_run(&deck, &run);
  ScoriaPace pace = {.run = run, .step = 1, .most = 6};
  CHECK(ScoriaPaceMeet(&pace, "nothing is kept"));
  assert_int_equal(pace.step, 1); /* nothing is known yet */
  meet_after(&pace, 0.01);
  assert_int_equal(pace.step, 2);
  meet_after(&pace, 1);
  assert_int_equal(pace.step, 2);
  meet_after(&pace, 0.01);
  meet_after(&pace, 0.01);
  assert_int_equal(pace.step, 6);
  meet_after(&pace, 20);
  assert_int_equal(pace.step, 3);
  meet_after(&pace, 20);
  meet_after(&pace, 20);
  assert_int_equal(pace.step, 1);

  sleep(1); /* the file is looked for once a second */
  snprintf(path, sizeof path, "%s/STOP", dir);
  if (rank == 0) fclose(fopen(path, "w"));
  MPI_Barrier(PETSC_COMM_WORLD);
  assert_int_not_equal(ScoriaPaceMeet(&pace, "nothing is kept"), 0);
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_CHECKPOINT);
  assert_non_null(strstr(ScoriaFailureLine(), "nothing is kept"));
  ScoriaFailureReset();
  CHECK(ScoriaRunDestroy(&run));
  CHECK(ScoriaDeckDestroy(&deck));
  snprintf(command, sizeof command, "rm -r %s", dir);
  if (rank == 0) assert_int_equal(system(command), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rounds_and_stop)};

  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

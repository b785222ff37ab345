/* Phases: their seconds are exclusive and add up, counts are summed over ranks, a phase that an error has left open
 * ends with its command, and the log gets a line for each.  ranks: 2 */
#include "scoria/phases.h"
#include "small_run.h"
#include "testing.h"
#include "base/phase_rows.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static double sum_of_seconds(void)
{
  double sum = 0;
  for (int p = 0; p < SCORIA_PHASES; p++) sum += phase_count((ScoriaPhase)p).seconds;
  return sum;
}

/* A solve of 20 ms in which 30 ms of reading lie, then 10 ms of nothing; a write is left open. */
static void work(void)
{
  phase_begin(SCORIA_PHASE_SOLVE);
  usleep(20000);
  CHECK(PetscLogFlops(1000));
  phase_begin(SCORIA_PHASE_READ);
  usleep(30000);
  phase_bytes(64);
  CHECK(PetscLogFlops(7));
  phase_end(SCORIA_PHASE_READ, 8);
  CHECK(PetscLogFlops(500));
  phase_end(SCORIA_PHASE_SOLVE, 3);
  usleep(10000);
  phase_begin(SCORIA_PHASE_WRITE);
}

static void seconds_are_exclusive(void **state)
{
  PetscLogDouble flops;
  (void)state;
  CHECK(PetscGetFlops(&flops));
  const double began = wall_seconds();
  CHECK(ScoriaPhasesBegin("test"));
  work();
  CHECK(ScoriaPhasesEnd());
  const double elapsed         = wall_seconds() - began;
  const ScoriaPhaseCount solve = phase_count(SCORIA_PHASE_SOLVE), read = phase_count(SCORIA_PHASE_READ);
  assert_true(solve.seconds >= 0.02 && read.seconds >= 0.03 && phase_count(SCORIA_PHASE_OTHER).seconds >= 0.01);
  /* Each is what is left of the whole: no moment counts twice, whatever a busy machine adds to a sleep. */
  assert_true(solve.seconds <= elapsed - 0.04 && read.seconds <= elapsed - 0.03);
  assert_true(sum_of_seconds() <= elapsed);
  assert_true(solve.calls == 1 && solve.items == 3 && read.items == 8 && read.bytes == 64 && solve.bytes == 0);
  assert_true(phase_count(SCORIA_PHASE_WRITE).calls == 1); /* left open, ended with the command */
  if (flops > 0) assert_true(solve.flops == 1500 && read.flops == 7);
}

static void a_command_begins_at_zero(void **state)
{
  (void)state;
  CHECK(ScoriaPhasesBegin("test"));
  CHECK(ScoriaPhasesEnd());
  assert_true(phase_count(SCORIA_PHASE_SOLVE).calls == 0 && phase_count(SCORIA_PHASE_READ).bytes == 0);
}

/* The line of a phase in the log, NULL without. */
static char *line_of(char *log, const char *phase)
{
  char wanted[64];
  snprintf(wanted, sizeof wanted, "\"phase\":\"%s\"", phase);
  char *at = strstr(log, wanted);
  if (at && strchr(at, '\n')) *strchr(at, '\n') = 0;
  return at;
}

static void log_has_a_line_a_phase(void **state)
{
  char path[64], *log, expected[64];
  SmallRun r;
  int size;
  (void)state;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  small_run_open(&r);
  CHECK(ScoriaPhasesBegin("test"));
  work();
  CHECK(ScoriaPhasesEnd());
  CHECK(ScoriaPhasesLog(r.run, "test"));
  snprintf(path, sizeof path, "%s/log.jsonl", r.dir);
  CHECK(ScoriaTextRead(PETSC_COMM_WORLD, path, 1 << 20, "a log", &log));
  assert_null(line_of(log, "draw")); /* it has not taken place */
  assert_non_null(line_of(log, "elapsed"));
  snprintf(expected, sizeof expected, "\"items\":%d,\"unit\":\"rows\",\"bytes\":%d", 8 * size, 64 * size);
  const char *read = line_of(log, "read");
  assert_non_null(read);
  assert_non_null(strstr(read, expected));
  assert_non_null(strstr(read, "\"nodes\":1,")); /* the ranks of a test share one */
  CHECK(PetscFree(log));
  small_run_close(&r);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(seconds_are_exclusive),
      cmocka_unit_test(a_command_begins_at_zero),
      cmocka_unit_test(log_has_a_line_a_phase),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

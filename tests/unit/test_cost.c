/* cost.json: what earlier starts have spent counts where their work does, and accounts leave each other alone.  ranks:
 * 2 */
#include "scoria/io.h"
#include "testing.h"
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static double spent(ScoriaRun run, const char *name)
{
  double seconds;
  CHECK(ScoriaCostRead(run, name, &seconds));
  return seconds;
}

/* One start that lasts a little. */
static void start(ScoriaRun run, const char *name, bool goes_on)
{
  ScoriaCost cost;
  CHECK(ScoriaCostBegin(run, name, goes_on, &cost));
  usleep(20000);
  CHECK(ScoriaCostKeep(cost, false));
  CHECK(ScoriaCostEnd(&cost));
}

static void open_run(char dir[], ScoriaDeck *deck, ScoriaRun *run)
{
  static const ScoriaKey *const tables[] = {scoria_base_keys, NULL};
  char text[64];
  int rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (rank == 0) assert_non_null(mkdtemp(dir));
  MPI_Bcast(dir, 32, MPI_CHAR, 0, PETSC_COMM_WORLD);
  snprintf(text, sizeof text, "run: {dir: %s}\n", dir);
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, tables, deck));
  CHECK(ScoriaRunCreate(PETSC_COMM_WORLD, *deck, "test", run));
}

static void close_run(const char *dir, ScoriaDeck *deck, ScoriaRun *run)
{
  static const char *const files[] = {"cost.json", "log.jsonl", "deck.yaml", ".lock"};
  char path[64];
  CHECK(ScoriaRunDestroy(run));
  CHECK(ScoriaDeckDestroy(deck));
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    snprintf(path, sizeof path, "%s/%s", dir, files[i]);
    unlink(path); /* rank 0 finds them, the others may not */
  }
  MPI_Barrier(PETSC_COMM_WORLD);
  rmdir(dir);
}

static void starts_add_up(void **state)
{
  char dir[32] = "/tmp/scoria-cost-XXXXXX", path[64];
  ScoriaDeck deck;
  ScoriaRun run;
  int size;
  (void)state;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  open_run(dir, &deck, &run);
  assert_true(isnan(spent(run, "a.h5")));
  start(run, "a.h5", true); /* nothing was there to go on from */
  const double one = spent(run, "a.h5");
  assert_true(one >= 0.02 * size);
  start(run, "b.h5", false);
  start(run, "a.h5", true);
  const double two = spent(run, "a.h5"), other = spent(run, "b.h5");
  assert_true(two >= one + 0.02 * size && other >= 0.02 * size);
  snprintf(path, sizeof path, "%s/cost.json", dir);
  CHECK(ScoriaWriteText(PETSC_COMM_WORLD, path, "not JSON")); /* an account that cannot be read is none */
  assert_true(isnan(spent(run, "a.h5")));
  start(run, "b.h5", false);
  assert_true(spent(run, "b.h5") >= 0.02 * size && isnan(spent(run, "a.h5")));
  close_run(dir, &deck, &run);
}

static void a_file_made_anew_costs_anew(void **state)
{
  char dir[32] = "/tmp/scoria-cost-XXXXXX", path[64];
  ScoriaDeck deck;
  ScoriaRun run;
  ScoriaCost cost;
  (void)state;
  open_run(dir, &deck, &run);
  snprintf(path, sizeof path, "%s/cost.json", dir);
  CHECK(ScoriaWriteText(PETSC_COMM_WORLD, path, "{\"a.h5\": 1e9}"));
  CHECK(ScoriaCostBegin(run, "a.h5", true, &cost));
  assert_true(spent(run, "a.h5") >= 1e9);
  CHECK(ScoriaCostEnd(&cost));
  CHECK(ScoriaCostBegin(run, "a.h5", false, &cost));
  assert_true(spent(run, "a.h5") < 1e9); /* at once: a kill must not leave the old account */
  CHECK(ScoriaCostEnd(&cost));
  close_run(dir, &deck, &run);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(starts_add_up),
      cmocka_unit_test(a_file_made_anew_costs_anew),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

/* cost.json: what earlier starts have spent counts where their work does, and accounts leave each other alone.
 * ranks: 2 */
#include "scoria/io.h"
#include "small_run.h"
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

static void starts_add_up(void **state)
{
  char path[64];
  SmallRun r;
  int size;
  (void)state;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  small_run_open(&r);
  assert_true(isnan(spent(r.run, "a.h5")));
  start(r.run, "a.h5", true); /* nothing was there to go on from */
  const double one = spent(r.run, "a.h5");
  assert_true(one >= 0.02 * size);
  start(r.run, "b.h5", false);
  start(r.run, "a.h5", true);
  const double two = spent(r.run, "a.h5"), other = spent(r.run, "b.h5");
  assert_true(two >= one + 0.02 * size && other >= 0.02 * size);
  snprintf(path, sizeof path, "%s/cost.json", r.dir);
  CHECK(ScoriaWriteText(PETSC_COMM_WORLD, path, "not JSON")); /* an account that cannot be read is none */
  assert_true(isnan(spent(r.run, "a.h5")));
  start(r.run, "b.h5", false);
  assert_true(spent(r.run, "b.h5") >= 0.02 * size && isnan(spent(r.run, "a.h5")));
  small_run_close(&r);
}

static void a_file_made_anew_costs_anew(void **state)
{
  char path[64];
  SmallRun r;
  ScoriaCost cost;
  (void)state;
  small_run_open(&r);
  snprintf(path, sizeof path, "%s/cost.json", r.dir);
  CHECK(ScoriaWriteText(PETSC_COMM_WORLD, path, "{\"a.h5\": 1e9}"));
  CHECK(ScoriaCostBegin(r.run, "a.h5", true, &cost));
  assert_true(spent(r.run, "a.h5") >= 1e9);
  CHECK(ScoriaCostEnd(&cost));
  CHECK(ScoriaCostBegin(r.run, "a.h5", false, &cost));
  assert_true(spent(r.run, "a.h5") < 1e9); /* at once: a kill must not leave the old account */
  CHECK(ScoriaCostEnd(&cost));
  small_run_close(&r);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(starts_add_up),
      cmocka_unit_test(a_file_made_anew_costs_anew),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

/* ranks: 2 3
 * Reading datasets back: once, with the CRC of the whole file, and with a stop in between. */
#include "io_files.h"
#include <fcntl.h>

enum { ROWS = 20000 };

/* Bytes that all ranks have read so far through system calls; 0 where the kernel does not count. */
static int64_t bytes_read(void)
{
  long long here = 0;
  FILE *in       = fopen("/proc/self/io", "r");

  if (in) assert_int_equal(fscanf(in, "rchar: %lld", &here), 1);
  if (in) fclose(in);
  int64_t all = here;
  MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT64_T, MPI_SUM, PETSC_COMM_WORLD);
  return all;
}

static void check_sum(const char *path)
{
  const ScoriaFileSum sum = files_published_sum_of(path);
  struct stat st;
  uint32_t crc;

  if (world_rank()) return;
  assert_int_equal(stat(path, &st), 0);
  assert_true(sum.known);
  assert_int_equal(sum.size, st.st_size);
  assert_int_equal(file_crc(path, st.st_size, 0, st.st_size, &crc), 0);
  assert_int_equal(sum.crc, crc);
}

/* What finishing a dataset found is the CRC of its bytes, whoever read what. */
static void test_sum_of_the_file(void **state)
{
  static const struct {
    int64_t rows, batch;
    bool float64;
  } cases[] = {{0, 0, false}, {1, 0, false}, {23, 3, false}, {23, 1, true}, {1000, 64, true}};

  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const ScoriaDatasetSpec spec = small_spec(cases[i].rows, cases[i].float64);
    const char *path             = in_scratch("sum.h5");
    ScoriaDataset ds;
    int64_t first, number;

    if (!world_rank()) unlink(path);
    deal_block(spec.rows, world_rank(), world_size(), &first, &number);
    CHECK(create_small(PETSC_COMM_WORLD, path, &spec, &ds));
    ds->batch_rows = cases[i].batch;
    ds->slab_rows  = 2;
    CHECK(write_rows(ds, &spec, first, number));
    CHECK(ScoriaDatasetFinish(&ds));
    check_sum(path);
  }
}

/* The rows are read once by a run that writes them, and once by one that finds them all. */
static void test_read_once(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(ROWS, false);
  const char *path             = in_scratch("once.h5");
  ScoriaIntervals there        = {0};
  ScoriaDataset ds;
  struct stat st;
  int64_t first, number;

  (void)state;
  deal_block(spec.rows, world_rank(), world_size(), &first, &number);
  for (int begun = 0; begun < 2; begun++) {
    MPI_Barrier(PETSC_COMM_WORLD); /* the other ranks still look at the first file */
    if (!world_rank()) unlink(path);
    CHECK(create_small(PETSC_COMM_WORLD, path, &spec, &ds));
    CHECK(write_rows(ds, &spec, first, number));
    if (begun) {
      CHECK(ScoriaDatasetClose(&ds));
      CHECK(ScoriaDatasetResume(PETSC_COMM_WORLD, path, false, &ds));
    }
    const int64_t before = bytes_read();
    if (begun) CHECK(ScoriaDatasetSurvey(ds, &there, NULL, NULL));
    CHECK(ScoriaDatasetFinish(&ds));
    check_sum(path); /* on rank 0 reads all bytes once more */
    const int64_t read = bytes_read() - before;
    assert_int_equal(stat(path, &st), 0);
    if (!before) continue;
    assert_in_range(read, 2 * (int64_t)st.st_size, 5 * (int64_t)st.st_size / 2);
  }
  assert_int_equal(there.n, 1);
  CHECK(ScoriaIntervalsDestroy(&there));
}

/* Rows that are written after the survey are read back. */
static void test_read_again(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(40, false);
  const char *path             = in_scratch("again.h5");
  ScoriaIntervals there        = {0};
  ScoriaDataset ds;
  size_t at, size;

  (void)state;
  CHECK(create_small(PETSC_COMM_WORLD, path, &spec, &ds));
  CHECK(write_rows(ds, &spec, 0, world_rank() ? 0 : 40));
  CHECK(ScoriaDatasetClose(&ds));
  CHECK(ScoriaDatasetResume(PETSC_COMM_WORLD, path, false, &ds));
  CHECK(ScoriaDatasetSurvey(ds, &there, NULL, NULL));
  CHECK(write_rows(ds, &spec, 7, world_rank() ? 0 : 1));
  if (!world_rank()) {
    locate(in_scratch("again.h5.part"), "/fields/c", &at, &size);
    const int fd = open(in_scratch("again.h5.part"), O_WRONLY);
    assert_int_equal(pwrite(fd, "flip", 4, (off_t)at + 60), 4);
    close(fd);
  }
  expect_failure(ScoriaDatasetFinish(&ds), SCORIA_EXIT_IO, "damaged", NULL);
  CHECK(ScoriaIntervalsDestroy(&there));
}

/* ---------------------------------------------------------------------------------------------------- stopping ---- */

static ScoriaDeck deck;
static ScoriaRun run;

static int open_run(void **state)
{
  static const ScoriaKey *const tables[] = {scoria_base_keys, NULL};
  char text[64];

  (void)state;
  snprintf(text, sizeof text, "run: {dir: %s}\n", scratch);
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, tables, &deck));
  CHECK(ScoriaRunCreate(PETSC_COMM_WORLD, deck, "test", &run));
  return 0;
}

static int close_run(void **state)
{
  CHECK(ScoriaRunDestroy(&run));
  CHECK(ScoriaDeckDestroy(&deck));
  return scratch_remove(state);
}

/* The file STOP is looked for no more than once a second. */
static void ask_to_stop(void)
{
  sleep(1);
  if (!world_rank()) spill(in_scratch("STOP"), "", 0);
  MPI_Barrier(PETSC_COMM_WORLD);
}

/* Rows that a survey has seen, and those of them whose fields were read. */
typedef struct {
  int64_t seen, whole;
} Seen;

static void count_seen(void *ctx, int64_t first, const ScoriaRows *rows)
{
  const double *c = rows->stored[0]; /* the spec is of double precision */
  Seen *seen      = ctx;

  for (int64_t i = 0; i < rows->rows; i++) {
    seen->seen += rows->done[i] != 0;
    seen->whole += c[i * CELLS] == value_at(first + i, 0, 0) || isnan(c[i * CELLS]);
  }
}

/* A start that finds the part file and is not stopped: it reads the rows that no start before has read. */
static void expect_survey(const char *path, int64_t there_at_all, int64_t read)
{
  ScoriaIntervals there = {0};
  ScoriaDataset ds;
  Seen seen = {0};

  CHECK(ScoriaDatasetResume(PETSC_COMM_WORLD, path, false, &ds));
  CHECK(ScoriaDatasetWatch(ds, run));
  CHECK(ScoriaDatasetSurvey(ds, &there, count_seen, &seen));
  MPI_Allreduce(MPI_IN_PLACE, &seen, 2, MPI_INT64_T, MPI_SUM, PETSC_COMM_WORLD);
  assert_int_equal(intervals_count(&there, 0, 40), there_at_all);
  assert_int_equal(seen.seen, there_at_all);
  assert_int_equal(seen.whole, read);
  CHECK(ScoriaIntervalsDestroy(&there));
  if (there_at_all < 40)
    CHECK(ScoriaDatasetClose(&ds));
  else
    CHECK(ScoriaDatasetFinish(&ds));
}

/* A start that is stopped after one batch of two rows a rank. */
static void stop_survey(const char *path)
{
  ScoriaIntervals there = {0};
  ScoriaDataset ds;

  CHECK(ScoriaDatasetResume(PETSC_COMM_WORLD, path, false, &ds));
  CHECK(ScoriaDatasetWatch(ds, run));
  ds->batch_rows = 2;
  ask_to_stop();
  expect_failure(ScoriaDatasetSurvey(ds, &there, NULL, NULL), SCORIA_EXIT_CHECKPOINT, "the file STOP", "are kept");
  CHECK(ScoriaDatasetClose(&ds));
}

/* Stops while rows are read back, by the run that wrote them and by the next one: each start gets further, and the last
 * makes the same file. */
static void test_stopped(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(40, true);
  const char *path             = in_scratch("stopped.h5");
  ScoriaDataset ds;
  char so_far[128];

  (void)state;
  CHECK(create_small(PETSC_COMM_WORLD, path, &spec, &ds));
  CHECK(ScoriaDatasetWatch(ds, run));
  ds->batch_rows = 2;
  CHECK(write_rows(ds, &spec, 0, world_rank() ? 0 : 40));
  ask_to_stop();
  snprintf(so_far, sizeof so_far, "are kept, and %d of 40 have been read back in", 2 * world_size());
  expect_failure(ScoriaDatasetFinish(&ds), SCORIA_EXIT_CHECKPOINT, "the file STOP", so_far);
  assert_null(ds);
  assert_int_not_equal(access(path, F_OK), 0);
  stop_survey(path);
  expect_survey(path, 40, 40 - 4 * world_size());
  check_sum(path);
  assert_int_not_equal(access(in_scratch("stopped.h5.ckpt"), F_OK), 0);
}

/* What was read of other rows is dropped: all are read again, and the one that has changed is missing. */
static void test_stopped_and_changed(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(40, true);
  const char *path             = in_scratch("changed.h5");
  ScoriaDataset ds;
  size_t at, size;

  (void)state;
  CHECK(create_small(PETSC_COMM_WORLD, path, &spec, &ds));
  CHECK(write_rows(ds, &spec, 0, world_rank() ? 0 : 40));
  CHECK(ScoriaDatasetClose(&ds));
  stop_survey(path);
  if (!world_rank()) {
    locate(in_scratch("changed.h5.part"), "/crc", &at, &size);
    const int fd = open(in_scratch("changed.h5.part"), O_WRONLY);
    assert_int_equal(pwrite(fd, "flip", 4, (off_t)at), 4);
    close(fd);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
  expect_survey(path, 39, 40);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_sum_of_the_file, scratch_make, NULL),
      cmocka_unit_test(test_read_once),
      cmocka_unit_test(test_read_again),
      cmocka_unit_test_setup_teardown(test_stopped, open_run, NULL),
      cmocka_unit_test_setup_teardown(test_stopped_and_changed, NULL, close_run),
  };

  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

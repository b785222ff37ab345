/* ranks: 2 3
 * Identities of datasets: by content, and read once in a run. */
#include "io_files.h"
#include "small_run.h"
#include <fcntl.h>

static void identity_of(MPI_Comm comm, const char *name, int64_t rows, char identity[SCORIA_IDENTITY_SIZE])
{
  ScoriaDataset ds;

  CHECK(ScoriaDatasetOpen(comm, in_scratch(name), &ds));
  CHECK(ScoriaDatasetIdentity(NULL, ds, rows, identity));
  CHECK(ScoriaDatasetClose(&ds));
}

/* The same for the same rows, on any ranks, in a longer dataset too; another for other rows, names or precision. */
static void test_identity(void **state)
{
  ScoriaDatasetSpec spec = small_spec(23, false);
  char first[SCORIA_IDENTITY_SIZE], other[SCORIA_IDENTITY_SIZE];

  (void)state;
  make_small(PETSC_COMM_WORLD, in_scratch("first.h5"), &spec);
  identity_of(PETSC_COMM_WORLD, "first.h5", 23, first);
  identity_of(PETSC_COMM_SELF, "first.h5", 23, other);
  assert_string_equal(first, other);
  assert_int_equal(identity_rows(first), 23);
  assert_int_equal(identity_rows("CRC32C 23"), 0);
  spec.rows = 30;
  make_small(PETSC_COMM_WORLD, in_scratch("longer.h5"), &spec);
  identity_of(PETSC_COMM_WORLD, "longer.h5", 23, other);
  assert_string_equal(first, other);
  identity_of(PETSC_COMM_WORLD, "longer.h5", 30, other);
  assert_string_not_equal(first, other);
  spec.rows = 23;
  snprintf(spec.field[1].name, sizeof spec.field[1].name, "phi");
  make_small(PETSC_COMM_WORLD, in_scratch("named.h5"), &spec);
  identity_of(PETSC_COMM_WORLD, "named.h5", 23, other);
  assert_string_not_equal(first, other);
  spec = small_spec(23, true);
  make_small(PETSC_COMM_WORLD, in_scratch("precise.h5"), &spec);
  identity_of(PETSC_COMM_WORLD, "precise.h5", 23, other);
  assert_string_not_equal(first, other);
}

static void identity_in(ScoriaRun run, const char *path, int64_t rows, char identity[SCORIA_IDENTITY_SIZE])
{
  ScoriaDataset ds;

  MPI_Barrier(PETSC_COMM_WORLD);
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, path, &ds));
  CHECK(ScoriaDatasetIdentity(run, ds, rows, identity));
  CHECK(ScoriaDatasetClose(&ds));
  MPI_Barrier(PETSC_COMM_WORLD);
}

/* Another first CRC; the file is `later` seconds newer than it was. */
static void change_a_crc(const char *path, time_t later)
{
  struct stat st;
  size_t offset, size, bytes;

  assert_int_equal(stat(path, &st), 0);
  locate(path, "/crc", &offset, &size);
  unsigned char *all = slurp(path, &bytes);
  all[offset] ^= 1 << later;
  spill(path, all, bytes);
  free(all);
  const struct timespec times[2] = {st.st_atim, {st.st_mtim.tv_sec + later, st.st_mtim.tv_nsec}};
  assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* A run reads the CRCs of a file once: bytes that change behind its back show where the date does, or without a run. */
static void test_identity_is_noted(void **state)
{
  const char *path       = in_scratch("noted.h5");
  ScoriaDatasetSpec spec = small_spec(23, false);
  char first[SCORIA_IDENTITY_SIZE], other[SCORIA_IDENTITY_SIZE];
  SmallRun r;
  int64_t noted;

  (void)state;
  small_run_open(&r);
  assert_false(run_noted(r.run, "a", &noted));
  CHECK(ScoriaRunNote(r.run, "a", 1));
  CHECK(ScoriaRunNote(r.run, "b", 2));
  CHECK(ScoriaRunNote(r.run, "a", 3));
  assert_true(run_noted(r.run, "a", &noted) && noted == 3);
  make_small(PETSC_COMM_WORLD, path, &spec);
  identity_in(r.run, path, 23, first);
  if (!world_rank()) change_a_crc(path, 0);
  identity_in(r.run, path, 23, other);
  assert_string_equal(first, other);
  identity_in(NULL, path, 23, other);
  assert_string_not_equal(first, other);
  identity_in(r.run, path, 22, other); /* of fewer rows: not noted */
  assert_int_equal(identity_rows(other), 22);
  if (!world_rank()) change_a_crc(path, 1);
  identity_in(r.run, path, 23, other);
  assert_string_not_equal(first, other);
  small_run_close(&r);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_identity, scratch_make, NULL),
      cmocka_unit_test_setup_teardown(test_identity_is_noted, NULL, scratch_remove),
  };

  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

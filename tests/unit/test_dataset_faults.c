/* ranks: 2 3
 * Datasets in bad order: whatever happens to a file, every rank gets one line that names it, and nothing is
 * overwritten, trusted or published that should not be. */
#include "io_files.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

static void expect_unusable(const char *path, const char *part)
{
  ScoriaDataset ds;

  expect_failure(ScoriaDatasetOpen(PETSC_COMM_WORLD, path, &ds), SCORIA_EXIT_INPUT, path, part);
  assert_null(ds);
}

/* Rank 0 leaves a file for all. */
static void leave(const char *path, const void *bytes, size_t size)
{
  MPI_Barrier(PETSC_COMM_WORLD);
  if (!world_rank()) spill(path, bytes, size);
  MPI_Barrier(PETSC_COMM_WORLD);
}

/* ------------------------------------------------------------------------------------------------ what is no dataset
 * ---- */

static void test_no_file(void **state)
{
  (void)state;
  expect_unusable(in_scratch("missing.h5"), "No such file");
  leave(in_scratch("begun.h5.part"), "x", 1);
  expect_unusable(in_scratch("begun.h5"), "begun.h5.part is there");
  expect_unusable(scratch, "a directory");
}

static void test_no_hdf5(void **state)
{
  static const char text[] = "porosity: {sigma: 1.5}\n# a deck given where a dataset is expected\n";

  (void)state;
  leave(in_scratch("empty.h5"), "", 0);
  expect_unusable(in_scratch("empty.h5"), "empty (0 bytes)");
  leave(in_scratch("text.h5"), text, sizeof text);
  expect_unusable(in_scratch("text.h5"), "not an HDF5 file");
  leave(in_scratch("short.h5"), "\x89HDF\r\n\x1a\n", 8);
  expect_unusable(in_scratch("short.h5"), "truncated to 8 bytes");
}

static void test_foreign_hdf5(void **state)
{
  (void)state;
  if (!world_rank()) {
    const hid_t file = H5Fcreate(in_scratch("foreign.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);

    assert_true(file >= 0);
    H5Fclose(file);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
  expect_unusable(in_scratch("foreign.h5"), "scoria did not write");
  expect_failure(ScoriaDescribeFile(PETSC_COMM_WORLD, in_scratch("foreign.h5")), SCORIA_EXIT_INPUT, "foreign.h5",
                 "scoria did not write");
}

static void test_store_is_no_dataset(void **state)
{
  ScoriaStore store;

  (void)state;
  CHECK(ScoriaStoreCreate(PETSC_COMM_WORLD, in_scratch("model.h5"), "model", "", &store));
  CHECK(ScoriaStoreClose(&store));
  expect_unusable(in_scratch("model.h5"), "kind 'model'");
}

/* One thing changed in a good file by HDF5 itself, so that its own checksums hold. */
static void tamper(const char *what, const char *expected)
{
  const ScoriaDatasetSpec spec = small_spec(4, false);
  const int64_t nine           = 9;
  const hsize_t wrong[2]       = {4, CELLS + 1};
  ScoriaTrouble bad            = {.path = ""};

  if (!world_rank()) unlink(in_scratch("tampered.h5"));
  make_small(PETSC_COMM_WORLD, in_scratch("tampered.h5"), &spec);
  if (!world_rank()) {
    const hid_t file = H5Fopen(in_scratch("tampered.h5"), H5F_ACC_RDWR, H5P_DEFAULT);

    if (!strcmp(what, "version")) {
      H5Adelete(file, "format_version");
      CHECK(PutNumber(file, "format_version", IO_I8, &nine, &bad));
    } else if (!strcmp(what, "order")) {
      H5Adelete(file, "fields");
    } else if (!strcmp(what, "shard")) {
      CHECK(PutNumber(file, "first_row", IO_I8, &nine, &bad));
      CHECK(PutNumber(file, "whole_rows", IO_I8, &nine, &bad));
    } else if (!strcmp(what, "column")) {
      H5Ldelete(file, "/status/newton", H5P_DEFAULT);
    } else {
      H5Ldelete(file, "/fields/eps", H5P_DEFAULT);
      const hid_t space = H5Screate_simple(2, wrong, NULL);
      const hid_t type  = !strcmp(what, "type") ? H5T_STD_I16LE : H5T_IEEE_F32LE;
      hid_t layout;

      CHECK(CreateLayout(&layout));
      H5Dclose(H5Dcreate2(file, "/fields/eps", type, space, H5P_DEFAULT, layout, H5P_DEFAULT));
      H5Pclose(layout);
      H5Sclose(space);
    }
    H5Fclose(file);
    assert_int_equal(bad.code, SCORIA_EXIT_OK);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
  expect_unusable(in_scratch("tampered.h5"), expected);
}

static void test_wrong_contents(void **state)
{
  (void)state;
  tamper("version", "format version 9, expected 1");
  tamper("shard", "a shard of 4 rows from row 9 on of 9");
  tamper("order", "no attribute 'fields'");
  tamper("column", "no array /status/newton");
  tamper("shape", "array /fields/eps has the shape (4, 8), expected (4, 7)");
  tamper("type", "array /fields/eps is of a type");
}

/* ---------------------------------------------------------------------------------------------- damaged files ---- */

static void test_truncated(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(6, false);
  unsigned char *bytes;
  size_t size;

  (void)state;
  make_small(PETSC_COMM_WORLD, in_scratch("whole.h5"), &spec);
  bytes = slurp(in_scratch("whole.h5"), &size);
  for (size_t keep = 9; keep < size; keep += size / 17) {
    leave(in_scratch("cut.h5"), bytes, keep);
    expect_unusable(in_scratch("cut.h5"), "truncated");
  }
  leave(in_scratch("cut.h5"), bytes, size - 1);
  expect_unusable(in_scratch("cut.h5"), "truncated: it has");
  free(bytes);
}

/* A flipped byte in a row is told with the row, also when only one rank reads it. */
static void test_flipped_row(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(6, false);
  const int rank = world_rank(), size = world_size();
  ScoriaDataset ds;
  ScoriaRows rows;
  size_t at, n, whole;
  int64_t first, number;

  (void)state;
  make_small(PETSC_COMM_WORLD, in_scratch("flip.h5"), &spec);
  locate(in_scratch("flip.h5"), "/fields/eps", &at, &n);
  unsigned char *bytes = slurp(in_scratch("flip.h5"), &whole);
  bytes[at + 5 * 4 * CELLS + 2] ^= 0x10; /* a bit of eps in row 5, the last */
  leave(in_scratch("flipped.h5"), bytes, whole);
  free(bytes);
  deal_block(6, rank, size, &first, &number);
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, in_scratch("flipped.h5"), &ds));
  CHECK(ScoriaRowsCreate(&spec, 6, &rows));
  expect_failure(ScoriaDatasetRead(ds, first, number, &rows), SCORIA_EXIT_INPUT, "flipped.h5: row 5 is damaged",
                 "CRC32C");
  CHECK(ScoriaDatasetRead(ds, 0, rank ? 0 : 5, &rows)); /* the others are good still */
  CHECK(ScoriaRowsDestroy(&rows));
  CHECK(ScoriaDatasetClose(&ds));
}

/* Whether a file gives just what was written; a failure must be one of ours. */
static bool reads_the_same(const char *path, const ScoriaDatasetSpec *spec, const ScoriaRows *good, ScoriaRows *rows)
{
  const ScoriaDatasetSpec *found;
  const double *x;
  const char *deck;
  ScoriaDataset ds;
  PetscErrorCode failed = ScoriaDatasetOpen(PETSC_COMM_SELF, path, &ds);
  bool same             = true;

  if (!failed) {
    CHECK(ScoriaDatasetInfo(ds, &found, &x, &deck));
    same = same_spec(found, spec) && !strcmp(deck, "run: {seed: 7}\n");
    for (int i = 0; i < CELLS; i++) same = same && x[i] == x_at(i);
    if (same) failed = ScoriaDatasetRead(ds, 0, spec->rows, rows);
    for (int f = 0; f < spec->nfields && !failed; f++)
      same = same && !memcmp(rows->field[f], good->field[f], (size_t)(spec->rows * CELLS) * 8);
    for (int c = 0; c < spec->space.n && !failed; c++)
      same = same && !memcmp(rows->condition[c], good->condition[c], (size_t)spec->rows * 8);
    for (int i = 0; i < SCORIA_STATUS_COLUMNS && !failed; i++)
      same = same &&
             !memcmp(rows_status(rows, i), rows_status(good, i), (size_t)spec->rows * type_size(scoria_status[i].type));
    CHECK(ScoriaDatasetClose(&ds));
  }
  if (failed) {
    expect_failure(failed, SCORIA_EXIT_INPUT, path, NULL);
    return false;
  }
  if (!same) fail_msg("%s was read, and differs", path);
  return true;
}

/* A flip anywhere is either reported or without consequence. The stride is odd, so all kinds of places are met. */
static void test_flip_anywhere(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(4, false);
  const size_t stride          = 23;
  ScoriaDataset ds;
  ScoriaRows good, rows;
  size_t size, told = 0, tried = 0;

  (void)state;
  if (world_size() > 1) skip();
  make_small(PETSC_COMM_SELF, in_scratch("fine.h5"), &spec);
  CHECK(ScoriaRowsCreate(&spec, 4, &good));
  CHECK(ScoriaRowsCreate(&spec, 4, &rows));
  CHECK(ScoriaDatasetOpen(PETSC_COMM_SELF, in_scratch("fine.h5"), &ds));
  CHECK(ScoriaDatasetRead(ds, 0, 4, &good));
  CHECK(ScoriaDatasetClose(&ds));
  unsigned char *bytes = slurp(in_scratch("fine.h5"), &size);
  for (size_t at = 0; at < size; at += stride, tried++) {
    bytes[at] ^= 0xff;
    spill(in_scratch("one_flip.h5"), bytes, size);
    told += !reads_the_same(in_scratch("one_flip.h5"), &spec, &good, &rows);
    bytes[at] ^= 0xff;
  }
  /* Most of the file is metadata under a checksum; what is left is padding between its blocks. */
  assert_true(told > tried / 2);
  free(bytes);
  CHECK(ScoriaRowsDestroy(&good));
  CHECK(ScoriaRowsDestroy(&rows));
}

/* --------------------------------------------------------------------------------------------- trouble in writing ----
 */

static void test_nothing_overwritten(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(3, false);
  ScoriaDataset ds;
  size_t size;

  (void)state;
  leave(in_scratch("precious.h5"), "precious", 8);
  expect_failure(create_small(PETSC_COMM_WORLD, in_scratch("precious.h5"), &spec, &ds), SCORIA_EXIT_INPUT,
                 "precious.h5", "not overwritten");
  assert_null(ds);
  unsigned char *bytes = slurp(in_scratch("precious.h5"), &size);
  assert_int_equal(size, 8);
  assert_memory_equal(bytes, "precious", 8);
  free(bytes);
  assert_int_not_equal(access(in_scratch("precious.h5.part"), F_OK), 0);
}

static void test_unwritable(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(3, false);
  ScoriaDataset ds;

  (void)state;
  expect_failure(create_small(PETSC_COMM_WORLD, "/dev/null/x.h5", &spec, &ds), SCORIA_EXIT_IO, "/dev/null/x.h5",
                 "Not a directory");
  expect_failure(create_small(PETSC_COMM_WORLD, in_scratch("no/such/x.h5"), &spec, &ds), SCORIA_EXIT_IO, "x.h5",
                 "No such");
}

/* A disk too small is known before the first row: here a limit on file size stands for the disk. */
static void test_no_space(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(100000, true);
  struct rlimit before, small;
  ScoriaDataset ds;
  PetscErrorCode failed;

  (void)state;
  getrlimit(RLIMIT_FSIZE, &before);
  small          = before;
  small.rlim_cur = 1000000; /* 2 fields of 7 cells of 100000 rows are 11.2 MB */
  setrlimit(RLIMIT_FSIZE, &small);
  failed = create_small(PETSC_COMM_WORLD, in_scratch("big.h5"), &spec, &ds);
  setrlimit(RLIMIT_FSIZE, &before);
  expect_failure(failed, SCORIA_EXIT_IO, "big.h5", "MB on disk");
  assert_null(ds);
  assert_int_not_equal(access(in_scratch("big.h5.part"), F_OK), 0);
}

/* A file with rows missing is not published. */
static void test_unfinished_not_published(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(5, false);
  ScoriaDataset ds;

  (void)state;
  CHECK(create_small(PETSC_COMM_WORLD, in_scratch("gap.h5"), &spec, &ds));
  CHECK(write_rows(ds, &spec, 0, world_rank() ? 0 : 4));
  expect_failure(ScoriaDatasetFinish(&ds), SCORIA_EXIT_IO, "gap.h5", "row 4 of 5 was never written");
  assert_null(ds);
  assert_int_not_equal(access(in_scratch("gap.h5"), F_OK), 0);
  assert_int_equal(access(in_scratch("gap.h5.part"), F_OK), 0);
  expect_unusable(in_scratch("gap.h5"), "gap.h5.part is there");
}

/* Rows that a full disk swallowed read back as zeros, without any call having failed: found before publishing. */
static void test_swallowed_rows(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(4, false);
  const char zeros[4 * CELLS]  = {0};
  ScoriaDataset ds;
  size_t at, n;

  (void)state;
  CHECK(create_small(PETSC_COMM_WORLD, in_scratch("swallowed.h5"), &spec, &ds));
  CHECK(write_rows(ds, &spec, 0, world_rank() ? 0 : 4));
  if (!world_rank()) {
    const int fd = open(in_scratch("swallowed.h5.part"), O_WRONLY);

    locate(in_scratch("swallowed.h5.part"), "/fields/c", &at, &n);
    assert_int_equal(pwrite(fd, zeros, sizeof zeros, (off_t)(at + 2 * sizeof zeros)), sizeof zeros);
    close(fd);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
  expect_failure(ScoriaDatasetFinish(&ds), SCORIA_EXIT_IO, "swallowed.h5.part", "row 2 is damaged");
  assert_int_not_equal(access(in_scratch("swallowed.h5"), F_OK), 0);
}

/* A rank that asks for rows there are not is told to all: nobody waits for it. */
static void test_rows_out_of_range(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(4, false);
  ScoriaDataset ds;
  ScoriaRows rows;

  (void)state;
  make_small(PETSC_COMM_WORLD, in_scratch("four.h5"), &spec);
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, in_scratch("four.h5"), &ds));
  CHECK(ScoriaRowsCreate(&spec, 4, &rows));
  expect_failure(ScoriaDatasetRead(ds, world_rank() ? 0 : 1, 4, &rows), SCORIA_EXIT_INTERNAL, "four.h5", "rows 1 to 4");
  CHECK(ScoriaRowsDestroy(&rows));
  CHECK(ScoriaDatasetClose(&ds));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_no_file, scratch_make, NULL),
      cmocka_unit_test(test_no_hdf5),
      cmocka_unit_test(test_foreign_hdf5),
      cmocka_unit_test(test_store_is_no_dataset),
      cmocka_unit_test(test_wrong_contents),
      cmocka_unit_test(test_truncated),
      cmocka_unit_test(test_flipped_row),
      cmocka_unit_test(test_flip_anywhere),
      cmocka_unit_test(test_nothing_overwritten),
      cmocka_unit_test(test_unwritable),
      cmocka_unit_test(test_no_space),
      cmocka_unit_test(test_unfinished_not_published),
      cmocka_unit_test(test_swallowed_rows),
      cmocka_unit_test_setup_teardown(test_rows_out_of_range, NULL, scratch_remove),
  };

  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

/* ranks: 2
 * The deck's hints reach MPI-IO with every dataset that is made or opened. */
#include "io_files.h"

static void set_hints(const char *text)
{
  static const ScoriaKey *const tables[] = {scoria_io_keys, NULL};
  ScoriaDeck deck;

  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, tables, &deck));
  const PetscErrorCode failed = ScoriaHintsFromDeck(deck);
  CHECK(ScoriaDeckDestroy(&deck));
  if (failed) expect_failure(failed, SCORIA_EXIT_INPUT, "io_hints: found", "expected name=value");
}

/* The value of a hint in the access list of an open file; NULL: none. */
static const char *hint(ScoriaDataset ds, const char *name)
{
  static char value[MPI_MAX_INFO_VAL + 1];
  const hid_t access = H5Fget_access_plist(ds->file);
  MPI_Comm comm;
  MPI_Info info;
  int found = 0;

  assert_true(H5Pget_fapl_mpio(access, &comm, &info) >= 0);
  if (info != MPI_INFO_NULL) {
    MPI_Info_get(info, name, MPI_MAX_INFO_VAL, value, &found);
    MPI_Info_free(&info);
  }
  MPI_Comm_free(&comm);
  H5Pclose(access);
  return found ? value : NULL;
}

/* And in the file that MPI has open: what it makes of it is its own affair, but this number it keeps. */
static void expect_nodes(ScoriaDataset ds, const char *expected)
{
  char value[MPI_MAX_INFO_VAL + 1];
  MPI_File *file;
  MPI_Info info;
  int found;

  assert_true(H5Fget_vfd_handle(ds->file, H5P_DEFAULT, (void **)&file) >= 0);
  assert_int_equal(MPI_File_get_info(*file, &info), MPI_SUCCESS);
  MPI_Info_get(info, "cb_nodes", MPI_MAX_INFO_VAL, value, &found);
  assert_true(found);
  assert_string_equal(value, expected);
  MPI_Info_free(&info);
}

static void check_all(ScoriaDataset ds)
{
  assert_string_equal(hint(ds, "cb_nodes"), "1");
  assert_string_equal(hint(ds, "striping_factor"), "4");
  assert_string_equal(hint(ds, "stripe_width"), "4");
  assert_string_equal(hint(ds, "striping_unit"), "1048576");
  assert_string_equal(hint(ds, "cb_buffer_size"), "8388608");
  assert_string_equal(hint(ds, "romio_ds_write"), "disable");
  expect_nodes(ds, "1");
}

static void test_hints_of_datasets(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(5, false);
  ScoriaDataset ds;

  (void)state;
  set_hints("io: {hints: [cb_buffer_size=8388608, romio_ds_write=disable], striping_factor: 4, striping_unit: 1048576, "
            "cb_nodes: 1}\n");
  CHECK(create_small(PETSC_COMM_WORLD, in_scratch("a.h5"), &spec, &ds));
  check_all(ds);
  CHECK(write_rows(ds, &spec, 0, world_rank() ? 0 : 5));
  CHECK(ScoriaDatasetFinish(&ds));
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, in_scratch("a.h5"), &ds));
  check_all(ds);
  CHECK(ScoriaDatasetClose(&ds));
}

static void test_none(void **state)
{
  ScoriaDataset ds;

  (void)state;
  CHECK(ScoriaHintsForget());
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, in_scratch("a.h5"), &ds));
  const char *size = hint(ds, "cb_buffer_size"); /* none, or MPICH's own */
  if (size) assert_string_not_equal(size, "8388608");
  CHECK(ScoriaDatasetClose(&ds));
}

static void test_no_hint(void **state)
{
  (void)state;
  set_hints("io: {hints: [cb_nodes]}\n");
  set_hints("io: {hints: [=4]}\n");
  set_hints("io: {hints: [cb_nodes=]}\n");
  CHECK(ScoriaHintsForget());
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_hints_of_datasets, scratch_make, NULL),
      cmocka_unit_test(test_none),
      cmocka_unit_test_setup_teardown(test_no_hint, NULL, scratch_remove),
  };

  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

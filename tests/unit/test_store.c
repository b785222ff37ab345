/* ranks: 2 3
 * Named arrays: round trips, refusals, damage; and arrays of files that are not ours. */
#include "io_files.h"
#include "scoria/foreign_files.h"
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>

static const ScoriaSpace space = {.n = 2, .c = {{"U0", "V", 0.05, 0.25, false}, {"ell", "m", 1e-6, 1e-4, true}}};

static double real_at(int i)
{
  return cos(0.7 * i) * pow(10.0, i % 7 - 3);
}

enum { NREALS = 60, LONG = 100000 };

static void make_store(const char *path, const char *text)
{
  const int64_t dims[3] = {3, 4, 5}, flat = NREALS, none = 0;
  double reals[NREALS];
  float floats[NREALS];
  ScoriaStore store;

  for (int i = 0; i < NREALS; i++) {
    reals[i]  = real_at(i);
    floats[i] = (float)real_at(i);
  }
  CHECK(ScoriaStoreCreate(PETSC_COMM_WORLD, path, "model", "train: {steps: 5}\n", &store));
  CHECK(ScoriaStorePutReals(store, "/network/block0/W1", 3, dims, reals, "1", "weights"));
  CHECK(ScoriaStorePutFloats(store, "/network/block0/b1", 1, &flat, floats, "", ""));
  CHECK(ScoriaStorePutReals(store, "/scale", 0, NULL, reals + 1, "V", "a single number"));
  CHECK(ScoriaStorePutFloats(store, "/nothing", 1, &none, NULL, "", ""));
  CHECK(ScoriaStorePutText(store, "notes", text));
  CHECK(ScoriaStorePutText(store, "activation", "gelu"));
  CHECK(ScoriaStorePutReal(store, "sigma", 0.1));
  CHECK(ScoriaStorePutInt(store, "steps", INT64_MIN));
  CHECK(ScoriaStorePutSpace(store, &space));
  CHECK(ScoriaStoreClose(&store));
  assert_null(store);
}

static char *long_text(void)
{
  char *text = malloc(LONG + 1);

  for (int i = 0; i < LONG; i++) text[i] = (char)(' ' + i % 90);
  text[LONG] = 0;
  return text;
}

/* ------------------------------------------------------------------------------------------------- round trip ---- */

static void check_arrays(ScoriaStore store)
{
  int64_t dims[4] = {0};
  double reals[NREALS];
  float floats[NREALS];
  int rank;

  CHECK(ScoriaStoreShape(store, "/network/block0/W1", 4, &rank, dims));
  assert_true(rank == 3 && dims[0] == 3 && dims[1] == 4 && dims[2] == 5);
  CHECK(ScoriaStoreShape(store, "/scale", 4, &rank, dims));
  assert_int_equal(rank, 0);
  CHECK(ScoriaStoreShape(store, "/nothing", 4, &rank, dims));
  assert_true(rank == 1 && dims[0] == 0);
  CHECK(ScoriaStoreShape(store, "/network/block1/W1", 4, &rank, dims));
  assert_int_equal(rank, -1);
  CHECK(ScoriaStoreGetReals(store, "/network/block0/W1", NREALS, reals));
  CHECK(ScoriaStoreGetFloats(store, "/network/block0/b1", NREALS, floats));
  for (int i = 0; i < NREALS; i++) assert_true(reals[i] == real_at(i) && floats[i] == (float)real_at(i));
  CHECK(ScoriaStoreGetFloats(store, "/network/block0/W1", NREALS, floats)); /* in the other precision */
  CHECK(ScoriaStoreGetReals(store, "/network/block0/b1", NREALS, reals));
  for (int i = 0; i < NREALS; i++) assert_true(floats[i] == (float)real_at(i) && reals[i] == (double)(float)real_at(i));
  CHECK(ScoriaStoreGetReals(store, "/scale", 1, reals));
  assert_true(reals[0] == real_at(1));
  CHECK(ScoriaStoreGetFloats(store, "/nothing", 0, floats));
}

static void test_round_trip(void **state)
{
  char *text = long_text(), found[LONG + 1], *deck_expected = "train: {steps: 5}\n";
  const char *deck;
  ScoriaStore store;
  ScoriaSpace back;
  int64_t whole;
  double real;

  (void)state;
  make_store(in_scratch("model.h5"), text);
  assert_int_not_equal(access(in_scratch("model.h5.part"), F_OK), 0);
  CHECK(ScoriaStoreOpen(PETSC_COMM_WORLD, in_scratch("model.h5"), "model", &store));
  CHECK(ScoriaStoreDeck(store, &deck));
  assert_string_equal(deck, deck_expected);
  check_arrays(store);
  CHECK(ScoriaStoreGetText(store, "notes", sizeof found, found));
  assert_string_equal(found, text);
  CHECK(ScoriaStoreGetText(store, "activation", sizeof found, found));
  assert_string_equal(found, "gelu");
  CHECK(ScoriaStoreGetReal(store, "sigma", &real));
  assert_true(real == 0.1);
  CHECK(ScoriaStoreGetInt(store, "steps", &whole));
  assert_true(whole == INT64_MIN);
  CHECK(ScoriaStoreGetSpace(store, &back));
  assert_true(same_space(&back, &space));
  CHECK(ScoriaStoreClose(&store));
  free(text);
}

static void test_described(void **state)
{
  static const char *const parts[] = {"kind         model", "activation   gelu", "/network/block0/W1",
                                      "(3, 4, 5)",          "weights",           "2 arrays, 120 values"};
  const int keep                   = dup(STDOUT_FILENO);
  size_t size;

  (void)state;
  fflush(stdout);
  if (!world_rank()) assert_non_null(freopen(in_scratch("out.txt"), "w", stdout));
  CHECK(ScoriaDescribeFile(PETSC_COMM_WORLD, in_scratch("model.h5")));
  fflush(stdout);
  dup2(keep, STDOUT_FILENO);
  close(keep);
  if (world_rank()) return;
  char *text = (char *)slurp(in_scratch("out.txt"), &size);
  text[size] = 0;
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    if (!strstr(text, parts[i])) fail_msg("'%s' is not in:\n%s", parts[i], text);
  free(text);
}

/* --------------------------------------------------------------------------------------------------- refusals ---- */

static void test_refusals(void **state)
{
  ScoriaStore store;
  double reals[NREALS];
  char small[4];
  int64_t whole, dims[4];
  int rank;

  (void)state;
  expect_failure(ScoriaStoreOpen(PETSC_COMM_WORLD, in_scratch("model.h5"), "compare", &store), SCORIA_EXIT_INPUT,
                 "kind 'model'", "expected kind 'compare'");
  assert_null(store);
  expect_failure(ScoriaStoreOpen(PETSC_COMM_WORLD, in_scratch("none.h5"), "model", &store), SCORIA_EXIT_INPUT,
                 "none.h5", "kind 'model'");
  expect_failure(ScoriaStoreCreate(PETSC_COMM_WORLD, in_scratch("model.h5"), "model", "", &store), SCORIA_EXIT_INPUT,
                 "model.h5", "not overwritten");
  expect_failure(ScoriaStoreCreate(PETSC_COMM_WORLD, "/dev/null/m.h5", "model", "", &store), SCORIA_EXIT_IO,
                 "/dev/null/m.h5", "Not a directory");
  CHECK(ScoriaStoreOpen(PETSC_COMM_WORLD, in_scratch("model.h5"), "model", &store));
  expect_failure(ScoriaStoreGetReals(store, "/network/W9", 3, reals), SCORIA_EXIT_INPUT, "model.h5",
                 "no array /network/W9");
  expect_failure(ScoriaStoreGetReals(store, "/scale", 3, reals), SCORIA_EXIT_INPUT, "/scale has 1 values",
                 "expected 3");
  expect_failure(ScoriaStoreGetInt(store, "depth", &whole), SCORIA_EXIT_INPUT, "no attribute 'depth'", "one integer");
  expect_failure(ScoriaStoreGetInt(store, "sigma", &whole), SCORIA_EXIT_INPUT, "'sigma' is not", "one integer");
  expect_failure(ScoriaStoreGetText(store, "activation", sizeof small, small), SCORIA_EXIT_INPUT, "4 characters",
                 "at most 3");
  expect_failure(ScoriaStoreShape(store, "/network/block0/W1", 2, &rank, dims), SCORIA_EXIT_INPUT, "3 dimensions",
                 "at most 2");
  expect_failure(ScoriaStoreShape(store, "/network/block0", 2, &rank, dims), SCORIA_EXIT_INPUT, "model.h5",
                 "/network/block0 cannot");
  CHECK(ScoriaStoreClose(&store));
}

static void test_dataset_is_no_model(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(3, false);
  ScoriaStore store;

  (void)state;
  make_small(PETSC_COMM_WORLD, in_scratch("dataset.h5"), &spec);
  expect_failure(ScoriaStoreOpen(PETSC_COMM_WORLD, in_scratch("dataset.h5"), "model", &store), SCORIA_EXIT_INPUT,
                 "kind 'dataset'", "expected kind 'model'");
}

/* ----------------------------------------------------------------------------------------------------- damage ---- */

/* A flip anywhere in the file is told when opening, or when getting the array it hits. */
static void test_flipped(void **state)
{
  const size_t stride = 1009;
  size_t size, at, n, told = 0;
  double reals[NREALS];
  ScoriaStore store;

  (void)state;
  if (world_size() > 1) skip();
  unsigned char *bytes = slurp(in_scratch("model.h5"), &size);
  locate(in_scratch("model.h5"), "/network/block0/W1", &at, &n);
  bytes[at + 77] ^= 1;
  spill(in_scratch("bad.h5"), bytes, size);
  bytes[at + 77] ^= 1;
  CHECK(ScoriaStoreOpen(PETSC_COMM_SELF, in_scratch("bad.h5"), "model", &store));
  expect_failure(ScoriaStoreGetReals(store, "/network/block0/W1", NREALS, reals), SCORIA_EXIT_INPUT,
                 "/network/block0/W1 is damaged", "CRC32C");
  CHECK(ScoriaStoreClose(&store));
  for (size_t flip = 0; flip < size; flip += stride) {
    PetscErrorCode failed;

    bytes[flip] ^= 0xff;
    spill(in_scratch("bad.h5"), bytes, size);
    bytes[flip] ^= 0xff;
    failed = ScoriaStoreOpen(PETSC_COMM_SELF, in_scratch("bad.h5"), "model", &store);
    if (!failed) failed = ScoriaStoreGetReals(store, "/network/block0/W1", NREALS, reals);
    for (int i = 0; i < NREALS && !failed; i++) assert_true(reals[i] == real_at(i));
    if (failed) told++, expect_failure(failed, SCORIA_EXIT_INPUT, "bad.h5", NULL);
    if (store) CHECK(ScoriaStoreClose(&store));
  }
  assert_true(told > 0); /* the signature at least */
  free(bytes);
}

static void test_truncated(void **state)
{
  ScoriaStore store;
  size_t size;

  (void)state;
  unsigned char *bytes = slurp(in_scratch("model.h5"), &size);
  MPI_Barrier(PETSC_COMM_WORLD);
  if (!world_rank()) spill(in_scratch("short.h5"), bytes, size / 2);
  MPI_Barrier(PETSC_COMM_WORLD);
  expect_failure(ScoriaStoreOpen(PETSC_COMM_WORLD, in_scratch("short.h5"), "model", &store), SCORIA_EXIT_INPUT,
                 "short.h5", "truncated");
  free(bytes);
}

/* A disk that fills up while the file is written: told when it is closed, and nothing is left behind. */
static void test_no_space(void **state)
{
  const int64_t n = 200000; /* 1.6 MB */
  double *reals   = calloc((size_t)n, sizeof *reals);
  struct rlimit before, small;
  PetscErrorCode failed;
  ScoriaStore store;

  (void)state;
  CHECK(ScoriaStoreCreate(PETSC_COMM_WORLD, in_scratch("full.h5"), "model", "", &store));
  getrlimit(RLIMIT_FSIZE, &before);
  small          = before;
  small.rlim_cur = 500000;
  setrlimit(RLIMIT_FSIZE, &small);
  failed = ScoriaStorePutReals(store, "/a", 1, &n, reals, "", "");
  assert_int_equal(failed, 0); /* it is in memory so far */
  failed = ScoriaStoreClose(&store);
  assert_null(store);
  expect_failure(failed, SCORIA_EXIT_IO, "full.h5: its ", "File too large");
  setrlimit(RLIMIT_FSIZE, &before);
  assert_int_not_equal(access(in_scratch("full.h5"), F_OK), 0);
  MPI_Barrier(PETSC_COMM_WORLD);
  assert_int_not_equal(access(in_scratch("full.h5.part"), F_OK), 0);
  free(reals);
}

/* ---------------------------------------------------------------------------------------------- files of others ----
 */

static void make_foreign(const char *path)
{
  const short shorts[6] = {1, -2, 3, -4, 5, -6};
  const float floats[4] = {0.5f, 1.5f, 2.5f, 3.5f};
  const hsize_t six[2] = {2, 3}, four[1] = {4};
  const hid_t file   = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t group  = H5Gcreate2(file, "run", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t matrix = H5Screate_simple(2, six, NULL), vector = H5Screate_simple(1, four, NULL);
  const hid_t text    = H5Tcopy(H5T_C_S1);
  const hid_t chunked = H5Pcreate(H5P_DATASET_CREATE);

  H5Pset_chunk(chunked, 2, six);
  hid_t array = H5Dcreate2(group, "c", H5T_STD_I16BE, matrix, H5P_DEFAULT, chunked, H5P_DEFAULT);
  assert_true(H5Dwrite(array, H5T_NATIVE_SHORT, H5S_ALL, H5S_ALL, H5P_DEFAULT, shorts) >= 0);
  H5Dclose(array);
  array = H5Dcreate2(group, "x", H5T_IEEE_F32LE, vector, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Dwrite(array, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, floats) >= 0);
  H5Dclose(array);
  H5Dclose(H5Dcreate2(group, "label", text, vector, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Pclose(chunked);
  H5Tclose(text);
  H5Sclose(matrix);
  H5Sclose(vector);
  H5Gclose(group);
  H5Fclose(file);
}

static void test_foreign_arrays(void **state)
{
  const char *path;
  double values[6];
  int64_t dims[2];
  int rank;

  (void)state;
  path = in_scratch("user.h5");
  if (!world_rank()) make_foreign(path);
  MPI_Barrier(PETSC_COMM_WORLD);
  CHECK(ScoriaArrayShape(PETSC_COMM_WORLD, path, "run/c", 2, &rank, dims));
  assert_true(rank == 2 && dims[0] == 2 && dims[1] == 3);
  CHECK(ScoriaArrayRead(PETSC_COMM_WORLD, path, "run/c", 6, values));
  for (int i = 0; i < 6; i++) assert_true(values[i] == (i % 2 ? -1 : 1) * (i + 1));
  CHECK(ScoriaArrayRead(PETSC_COMM_WORLD, path, "/run/x", 4, values));
  for (int i = 0; i < 4; i++) assert_true(values[i] == 0.5 + i);
  CHECK(ScoriaArrayShape(PETSC_COMM_WORLD, path, "/run/phi", 2, &rank, dims));
  assert_int_equal(rank, -1);
  CHECK(ScoriaArrayShape(PETSC_COMM_WORLD, path, "/nowhere/phi", 2, &rank, dims));
  assert_int_equal(rank, -1);
}

static void test_foreign_refusals(void **state)
{
  const char *path;
  double values[6];
  int64_t dims[2];
  size_t size;
  int rank;

  (void)state;
  path = in_scratch("user.h5");
  expect_failure(ScoriaArrayShape(PETSC_COMM_WORLD, path, "run/c", 1, &rank, dims), SCORIA_EXIT_INPUT, "2 dimensions",
                 "at most 1");
  expect_failure(ScoriaArrayRead(PETSC_COMM_WORLD, path, "run/c", 5, values), SCORIA_EXIT_INPUT, "6 values",
                 "expected 5");
  expect_failure(ScoriaArrayRead(PETSC_COMM_WORLD, path, "run/phi", 5, values), SCORIA_EXIT_INPUT, "user.h5",
                 "no array run/phi");
  expect_failure(ScoriaArrayRead(PETSC_COMM_WORLD, path, "run", 5, values), SCORIA_EXIT_INPUT, "run is not an array",
                 NULL);
  expect_failure(ScoriaArrayRead(PETSC_COMM_WORLD, path, "run/label", 4, values), SCORIA_EXIT_INPUT, "is of texts",
                 NULL);
  expect_failure(ScoriaArrayRead(PETSC_COMM_WORLD, in_scratch("no.h5"), "c", 4, values), SCORIA_EXIT_INPUT, "no.h5",
                 "No such");
  unsigned char *bytes = slurp(path, &size);
  MPI_Barrier(PETSC_COMM_WORLD);
  if (!world_rank()) spill(in_scratch("half.h5"), bytes, size / 2);
  free(bytes);
  MPI_Barrier(PETSC_COMM_WORLD);
  expect_failure(ScoriaArrayRead(PETSC_COMM_WORLD, in_scratch("half.h5"), "run/c", 6, values), SCORIA_EXIT_INPUT,
                 "half.h5", "truncated");
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_round_trip, scratch_make, NULL),
      cmocka_unit_test(test_described),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_dataset_is_no_model),
      cmocka_unit_test(test_flipped),
      cmocka_unit_test(test_truncated),
      cmocka_unit_test(test_no_space),
      cmocka_unit_test(test_foreign_arrays),
      cmocka_unit_test_setup_teardown(test_foreign_refusals, NULL, scratch_remove),
  };

  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

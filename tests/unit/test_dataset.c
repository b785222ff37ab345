/* ranks: 2 3 4
 * Datasets in good order: what is written comes back bit for bit, whoever wrote and whoever reads. */
#include "io_files.h"
#include <fcntl.h>

/* ---------------------------------------------------------------------------------------------- round trips ---- */

static void check_row(const ScoriaDatasetSpec *spec, const ScoriaRows *rows, int64_t at, int64_t row)
{
  ScoriaRows expected;

  CHECK(ScoriaRowsCreate(spec, 1, &expected));
  fill_row(spec, row, &expected, 0);
  for (int f = 0; f < spec->nfields; f++) {
    for (int i = 0; i < spec->cells; i++) {
      const double v = expected.field[f][i], found = rows->field[f][at * spec->cells + i];

      if (expected.done[0] == SCORIA_ROW_FAILED)
        assert_true(isnan(found));
      else
        assert_true(found == (spec->float64 ? v : (double)(float)v));
    }
  }
  for (int c = 0; c < spec->space.n; c++) assert_true(rows->condition[c][at] == expected.condition[c][0]);
  assert_int_equal(rows->done[at], expected.done[0]);
  assert_int_equal(rows->reason[at], expected.reason[0]);
  assert_int_equal(rows->newton[at], expected.newton[0]);
  assert_int_equal(rows->attempts[at], expected.attempts[0]);
  assert_true(rows->residual[at] == expected.residual[0]);
  CHECK(ScoriaRowsDestroy(&expected));
}

/* Three batches; in each, rank r gets r + 1 rows but the last rank none (unless it is alone). */
static void write_unevenly(ScoriaDataset ds, const ScoriaDatasetSpec *spec, int64_t per_batch)
{
  const int rank = world_rank(), size = world_size();

  for (int b = 0; b < 3; b++) {
    const int64_t start = b * per_batch + rank * (rank + 1) / 2;

    CHECK(write_rows(ds, spec, start, rank == size - 1 && size > 1 ? 0 : rank + 1));
  }
}

/* slab: rows per transfer, small so that batches are split as large ones are. */
static void round_trip(ScoriaDatasetSpec spec, int64_t slab)
{
  const int rank = world_rank(), size = world_size();
  const int64_t per_batch = size == 1 ? 1 : (int64_t)size * (size - 1) / 2, n = 3 * per_batch;
  const ScoriaDatasetSpec *found;
  const char *path = in_scratch("round.h5"), *deck;
  const double *x;
  ScoriaDataset ds;
  ScoriaRows rows;

  spec.rows = n;
  if (!rank) unlink(path);
  CHECK(create_small(PETSC_COMM_WORLD, path, &spec, &ds));
  if (slab) ds->slab_rows = slab;
  write_unevenly(ds, &spec, per_batch);
  CHECK(ScoriaDatasetFinish(&ds));
  assert_int_equal(access(path, F_OK), 0);
  assert_int_not_equal(access(in_scratch("round.h5.part"), F_OK), 0);

  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, path, &ds));
  if (slab) ds->slab_rows = slab;
  CHECK(ScoriaDatasetInfo(ds, &found, &x, &deck));
  assert_true(same_spec(found, &spec));
  assert_string_equal(deck, "run: {seed: 7}\n");
  for (int i = 0; i < spec_centres(found); i++) assert_true(x[i] == x_at(i));
  CHECK(ScoriaRowsCreate(found, n, &rows));
  /* Every rank but the second its own overlapping range, up to all rows; the second none. */
  const int64_t first = rank < n ? rank : 0, number = rank == 1 ? 0 : n - first;
  CHECK(ScoriaDatasetRead(ds, first, number, &rows));
  assert_int_equal(rows.rows, number);
  for (int64_t r = 0; r < number; r++) check_row(&spec, &rows, r, first + r);
  CHECK(ScoriaRowsDestroy(&rows));
  CHECK(ScoriaDatasetClose(&ds));
}

static void test_round_trip_single(void **state)
{
  (void)state;
  round_trip(small_spec(0, false), 0);
}

static void test_round_trip_double(void **state)
{
  (void)state;
  round_trip(small_spec(0, true), 0);
}

static void test_round_trip_in_slabs(void **state)
{
  (void)state;
  round_trip(small_spec(0, false), 1);
  round_trip(small_spec(0, true), 2);
}

/* The second in two dimensions. */
static const int whole_shape[][3] = {{3, 2, 4}, {7, 5, 1}};

static void test_round_trip_of_whole_fields(void **state)
{
  (void)state;
  for (int i = 0; i < 2; i++) {
    round_trip(whole_spec(0, whole_shape[i], false), 0);
    round_trip(whole_spec(0, whole_shape[i], true), 2);
  }
}

/* What others read: (rows, z, y, x), x fastest, with the coordinates of each axis. */
static void test_whole_fields_in_hdf5(void **state)
{
  const ScoriaDatasetSpec spec = whole_spec(3, whole_shape[0], false);
  const char *path             = in_scratch("whole.h5");
  const hsize_t expected[4]    = {3, 4, 2, 3};
  float field[3][4][2][3];
  double z[4];
  hsize_t found[4];

  (void)state;
  make_small(PETSC_COMM_WORLD, path, &spec);
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), c = H5Dopen2(file, "/fields/c", H5P_DEFAULT);
  const hid_t axis = H5Dopen2(file, "/z", H5P_DEFAULT), space = H5Dget_space(c);

  assert_int_equal(H5Sget_simple_extent_ndims(space), 4);
  H5Sget_simple_extent_dims(space, found, NULL);
  assert_memory_equal(found, expected, sizeof found);
  assert_true(H5Dread(c, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, field) >= 0);
  assert_true(H5Dread(axis, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, z) >= 0);
  for (int k = 0; k < 4; k++) {
    assert_true(z[k] == x_at(3 + 2 + k));
    for (int j = 0; j < 2; j++)
      for (int i = 0; i < 3; i++) assert_true(field[2][k][j][i] == (float)value_at(2, 0, (k * 2 + j) * 3 + i));
  }
  H5Sclose(space);
  H5Dclose(axis);
  H5Dclose(c);
  H5Fclose(file);
}

static void test_no_conditions_no_rows(void **state)
{
  ScoriaDatasetSpec spec = small_spec(0, false);
  const ScoriaDatasetSpec *found;
  ScoriaDataset ds;

  (void)state;
  spec.space.n = 0;
  make_small(PETSC_COMM_WORLD, in_scratch("none.h5"), &spec);
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, in_scratch("none.h5"), &ds));
  CHECK(ScoriaDatasetInfo(ds, &found, NULL, NULL));
  assert_int_equal(found->rows, 0);
  assert_int_equal(found->space.n, 0);
  CHECK(ScoriaDatasetClose(&ds));
}

/* ------------------------------------------------------------------------------------------ independence of ranks ----
 */

/* The arrays lie at the same place with the same bytes, whether one rank wrote the file or all. */
static void test_same_bytes_for_any_ranks(void **state)
{
  static const char *const arrays[] = {"/x",          "/crc",           "/conditions/U0",   "/conditions/ell",
                                       "/fields/c",   "/fields/eps",    "/status/done",     "/status/reason",
                                       "/status/crc", "/status/newton", "/status/attempts", "/status/residual"};
  const ScoriaDatasetSpec spec      = small_spec(23, false);
  size_t size_one, size_all;

  (void)state;
  make_small(PETSC_COMM_WORLD, in_scratch("all.h5"), &spec);
  if (world_rank()) return;
  make_small(PETSC_COMM_SELF, in_scratch("one.h5"), &spec);
  unsigned char *one = slurp(in_scratch("one.h5"), &size_one), *all = slurp(in_scratch("all.h5"), &size_all);
  assert_int_equal(size_one, size_all);
  for (size_t a = 0; a < sizeof arrays / sizeof arrays[0]; a++) {
    size_t at_one, at_all, bytes_one, bytes_all;

    locate(in_scratch("one.h5"), arrays[a], &at_one, &bytes_one);
    locate(in_scratch("all.h5"), arrays[a], &at_all, &bytes_all);
    assert_int_equal(at_one, at_all);
    assert_int_equal(bytes_one, bytes_all);
    assert_true(bytes_one >= 23 || a == 0);
    assert_memory_equal(one + at_one, all + at_all, bytes_one);
  }
  free(one);
  free(all);
}

/* The rows of `from` to a file of its own without their being converted; what a failed row holds is no matter. */
static void copy_as_stored(const char *from, const char *to, const ScoriaDatasetSpec *spec)
{
  ScoriaDataset in, out;
  ScoriaRows rows;
  int64_t first, number;

  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, from, &in));
  CHECK(create_small(PETSC_COMM_WORLD, to, spec, &out));
  in->slab_rows = 2;
  deal_block(spec->rows, world_rank(), world_size(), &first, &number);
  CHECK(ScoriaRowsCreateStored(spec, number, &rows));
  CHECK(ScoriaDatasetRead(in, first, number, &rows));
  for (int f = 0; f < spec->nfields; f++)
    for (int64_t i = 0; i < number; i++)
      if (rows.done[i] == SCORIA_ROW_FAILED)
        memset((char *)rows.stored[f] + (size_t)i * field_row_size(spec, f), 1, field_row_size(spec, f));
  CHECK(ScoriaDatasetWrite(out, first, &rows));
  CHECK(ScoriaDatasetFinish(&out));
  CHECK(ScoriaDatasetClose(&in));
  CHECK(ScoriaRowsDestroy(&rows));
}

static void test_rows_as_stored(void **state)
{
  (void)state;
  for (int wide = 0; wide < 2; wide++) {
    const ScoriaDatasetSpec spec = small_spec(23, wide);
    const char *from = in_scratch("converted.h5"), *to = in_scratch("as_stored.h5");
    size_t size, copied;

    if (!world_rank()) {
      unlink(from);
      unlink(to);
    }
    make_small(PETSC_COMM_WORLD, from, &spec);
    copy_as_stored(from, to, &spec);
    if (world_rank()) continue;
    unsigned char *a = slurp(from, &size), *b = slurp(to, &copied);
    assert_int_equal(size, copied);
    for (int i = 0; i < 3; i++) {
      static const char *const arrays[] = {"/fields/c", "/fields/eps", "/crc"};
      size_t at, bytes;

      locate(from, arrays[i], &at, &bytes);
      assert_memory_equal(a + at, b + at, bytes);
    }
    free(a);
    free(b);
  }
}

/* The CRC is what the documentation says: conditions, then fields, as stored. */
static void test_crc_of_stored_bytes(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(5, false);
  size_t size, crc_at, c_at, eps_at, U0_at, ell_at, n;

  (void)state;
  make_small(PETSC_COMM_WORLD, in_scratch("crc.h5"), &spec);
  if (world_rank()) return;
  unsigned char *bytes = slurp(in_scratch("crc.h5"), &size);
  locate(in_scratch("crc.h5"), "/crc", &crc_at, &n);
  locate(in_scratch("crc.h5"), "/fields/c", &c_at, &n);
  locate(in_scratch("crc.h5"), "/fields/eps", &eps_at, &n);
  locate(in_scratch("crc.h5"), "/conditions/U0", &U0_at, &n);
  locate(in_scratch("crc.h5"), "/conditions/ell", &ell_at, &n);
  for (size_t row = 0; row < 5; row++) {
    uint32_t crc = crc32c(0, bytes + U0_at + 8 * row, 8), stored;

    crc          = crc32c(crc, bytes + ell_at + 8 * row, 8);
    crc          = crc32c(crc, bytes + c_at + 4 * CELLS * row, 4 * CELLS);
    crc          = crc32c(crc, bytes + eps_at + 4 * CELLS * row, 4 * CELLS);
    memcpy(&stored, bytes + crc_at + 4 * row, 4);
    assert_int_equal(crc, stored);
  }
  free(bytes);
}

/* A topology must not reach MPI-IO. */
static void test_cartesian_communicator(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(9, false);
  int dims[1] = {world_size()}, periodic[1] = {1};
  MPI_Comm line;

  (void)state;
  MPI_Cart_create(PETSC_COMM_WORLD, 1, dims, periodic, 0, &line);
  make_small(line, in_scratch("cartesian.h5"), &spec);
  MPI_Comm_free(&line);
}

/* ---------------------------------------------------------------------------------------------- provenance ---- */

static void long_deck(size_t length)
{
  const ScoriaDatasetSpec spec = small_spec(1, false);
  char *deck                   = malloc(length + 1);
  ScoriaProvenance from        = {.kind = "samples", .deck = deck, .seed = UINT64_MAX, .ranks = 2, .group_size = 1};
  const double x[CELLS]        = {0};
  const char *found;
  ScoriaDataset ds;

  for (size_t i = 0; i < length; i++) deck[i] = (char)('a' + i % 26);
  deck[length] = 0;
  if (!world_rank()) unlink(in_scratch("deck.h5"));
  CHECK(ScoriaDatasetCreate(PETSC_COMM_WORLD, in_scratch("deck.h5"), &spec, x, &from, &ds));
  CHECK(write_rows(ds, &spec, 0, world_rank() ? 0 : 1));
  CHECK(ScoriaDatasetFinish(&ds));
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, in_scratch("deck.h5"), &ds));
  CHECK(ScoriaDatasetInfo(ds, NULL, NULL, &found));
  assert_string_equal(found, deck);
  CHECK(ScoriaDatasetClose(&ds));
  if (!world_rank()) {
    const hid_t file      = H5Fopen(in_scratch("deck.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t attribute = H5Aopen(file, "seed", H5P_DEFAULT);
    uint64_t seed         = 0;

    assert_true(H5Aread(attribute, H5T_NATIVE_UINT64, &seed) >= 0);
    assert_true(seed == UINT64_MAX);
    H5Aclose(attribute);
    H5Fclose(file);
  }
  MPI_Barrier(PETSC_COMM_WORLD); /* the file is replaced next */
  free(deck);
}

/* 64 KiB is where the old format of attributes ends. */
static void test_long_decks(void **state)
{
  (void)state;
  long_deck(0);
  long_deck(20000);
  long_deck(200000);
}

/* Runs ScoriaDescribeFile with rank 0's standard output in a file, and gives that text on rank 0. */
static char *described(const char *path)
{
  const int keep = dup(STDOUT_FILENO);
  size_t size;
  char *text = NULL;

  fflush(stdout);
  if (!world_rank()) assert_non_null(freopen(in_scratch("out.txt"), "w", stdout));
  CHECK(ScoriaDescribeFile(PETSC_COMM_WORLD, path));
  fflush(stdout);
  dup2(keep, STDOUT_FILENO);
  close(keep);
  if (!world_rank()) {
    text       = (char *)slurp(in_scratch("out.txt"), &size);
    text[size] = 0;
  }
  return text;
}

static void test_described(void **state)
{
  static const char *const parts[] = {"kind         dataset",
                                      "rows         23: 20 solved, 3 failed;",
                                      "U0 ",
                                      "logarithmic",
                                      "mol/m^3",
                                      "concentration",
                                      "single precision",
                                      "h5py.File"};
  const ScoriaDatasetSpec spec     = small_spec(23, false);

  (void)state;
  make_small(PETSC_COMM_WORLD, in_scratch("words.h5"), &spec);
  char *text = described(in_scratch("words.h5"));
  for (size_t i = 0; text && i < sizeof parts / sizeof parts[0]; i++)
    if (!strstr(text, parts[i])) fail_msg("'%s' is not in:\n%s", parts[i], text);
  free(text);
}

/* An unfinished file is described too, with what is missing. */
static void test_described_unfinished(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(8, true);
  ScoriaDataset ds;

  (void)state;
  CHECK(create_small(PETSC_COMM_WORLD, in_scratch("half.h5"), &spec, &ds));
  CHECK(write_rows(ds, &spec, 0, world_rank() ? 0 : 3));
  CHECK(ScoriaDatasetClose(&ds));
  char *text = described(in_scratch("half.h5.part"));
  if (text) assert_non_null(strstr(text, "8: 3 solved, 0 failed, 5 NOT WRITTEN"));
  free(text);
}

static void test_write_text(void **state)
{
  size_t size;

  (void)state;
  CHECK(ScoriaWriteText(PETSC_COMM_WORLD, in_scratch("a.json"), "{\"old\": 1}\n"));
  CHECK(ScoriaWriteText(PETSC_COMM_WORLD, in_scratch("a.json"), "{}\n"));
  unsigned char *text = slurp(in_scratch("a.json"), &size);
  assert_int_equal(size, 3);
  assert_memory_equal(text, "{}\n", 3);
  free(text);
  assert_int_not_equal(access(in_scratch("a.json.part"), F_OK), 0);
  expect_failure(ScoriaWriteText(PETSC_COMM_WORLD, "/dev/null/a.json", "x"), SCORIA_EXIT_IO, "/dev/null/a.json", NULL);
}

/* Conditions of several rows each: theta is that of the first. */
static void test_theta(void **state)
{
  ScoriaDatasetSpec spec = small_spec(30, false);
  ScoriaDataset ds;
  double theta[20];
  int64_t first, number;

  (void)state;
  spec.realisations = 3;
  make_small(PETSC_COMM_WORLD, in_scratch("theta.h5"), &spec);
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, in_scratch("theta.h5"), &ds));
  deal_block(10, world_rank(), world_size(), &first, &number);
  if (world_rank() == 1) number = 0;
  CHECK(ScoriaDatasetReadTheta(ds, first, number, theta));
  for (int64_t k = 0; k < number; k++)
    for (int c = 0; c < 2; c++)
      assert_true(theta[2 * k + c] == 0.1 + (double)(3 * (first + k)) + 100.0 * c); /* as in fill_row */
  CHECK(ScoriaDatasetClose(&ds));
}

/* A shard knows its place, and says so. */
static void test_shard(void **state)
{
  ScoriaDatasetSpec spec = small_spec(4, false);
  const ScoriaDatasetSpec *found;
  ScoriaDataset ds;

  (void)state;
  spec.first = 8;
  spec.whole = 12;
  make_small(PETSC_COMM_WORLD, in_scratch("shard.h5"), &spec);
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, in_scratch("shard.h5"), &ds));
  CHECK(ScoriaDatasetInfo(ds, &found, NULL, NULL));
  assert_true(same_spec(found, &spec));
  CHECK(ScoriaDatasetClose(&ds));
}

/* Which fields are latent is told by the file; one of the first release, which does not, is known by their names. */
static void test_latent(void **state)
{
  ScoriaDatasetSpec spec = small_spec(5, false);
  const ScoriaDatasetSpec *found;
  const char *path = in_scratch("latent.h5");
  ScoriaDataset ds;
  int rank;
  (void)state;
  spec.field[0].latent = true; /* and eps, say a strain, is not */
  spec.field[1].latent = false;
  make_small(PETSC_COMM_WORLD, path, &spec);
  for (int old = 0; old < 2; old++) {
    CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, path, &ds));
    CHECK(ScoriaDatasetInfo(ds, &found, NULL, NULL));
    assert_int_equal(field_is_state(&found->field[0]), old);
    assert_int_equal(field_is_state(&found->field[1]), !old);
    CHECK(ScoriaDatasetClose(&ds));
    MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
    if (!old && !rank) {
      const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
      assert_true(H5Adelete(file, "latent") >= 0);
      H5Fclose(file);
    }
    MPI_Barrier(PETSC_COMM_WORLD);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_round_trip_single, scratch_make, NULL),
      cmocka_unit_test(test_round_trip_double),
      cmocka_unit_test(test_round_trip_in_slabs),
      cmocka_unit_test(test_round_trip_of_whole_fields),
      cmocka_unit_test(test_whole_fields_in_hdf5),
      cmocka_unit_test(test_no_conditions_no_rows),
      cmocka_unit_test(test_same_bytes_for_any_ranks),
      cmocka_unit_test(test_rows_as_stored),
      cmocka_unit_test(test_crc_of_stored_bytes),
      cmocka_unit_test(test_cartesian_communicator),
      cmocka_unit_test(test_long_decks),
      cmocka_unit_test(test_theta),
      cmocka_unit_test(test_shard),
      cmocka_unit_test(test_latent),
      cmocka_unit_test(test_described),
      cmocka_unit_test(test_described_unfinished),
      cmocka_unit_test_setup_teardown(test_write_text, NULL, scratch_remove),
  };

  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

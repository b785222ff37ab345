/* Readers in a child process: crashes, endless loops and greed stay there, and end as one line.  The readers here are
 * stand-ins for a library that does so on a malformed file. */
#include "io_files.h"
#include <signal.h>

static const ScoriaTrialLimits limits = {1, 64 << 20, 0}; /* a second, 64 MiB */

static PetscErrorCode Loop(void *ctx, ScoriaTrouble *bad)
{
  (void)bad;
  for (;;) ++*(volatile int *)ctx;
  return 0;
}

static PetscErrorCode Sleep(void *ctx, ScoriaTrouble *bad)
{
  (void)ctx;
  (void)bad;
  for (;;) pause();
  return 0;
}

static PetscErrorCode Crash(void *ctx, ScoriaTrouble *bad)
{
  (void)ctx;
  (void)bad;
  raise(SIGSEGV);
  return 0;
}

static PetscErrorCode Leave(void *ctx, ScoriaTrouble *bad)
{
  (void)ctx;
  (void)bad;
  _exit(7);
}

/* As libhdf5 does: an error code where memory is not to be had. */
static PetscErrorCode Hoard(void *ctx, ScoriaTrouble *bad)
{
  char *memory = malloc((size_t)1 << 30);
  (void)ctx;
  if (!memory) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "no memory");
    return 0;
  }
  for (size_t i = 0; i < (size_t)1 << 30; i += 4096) memory[i] = 1;
  free(memory);
  return 0;
}

static PetscErrorCode Defect(void *ctx, ScoriaTrouble *bad)
{
  (void)ctx;
  (void)bad;
  return PETSC_ERR_LIB;
}

static PetscErrorCode Succeed(void *ctx, ScoriaTrouble *bad)
{
  (void)bad;
  *(int *)ctx = 1;
  return 0;
}

static ScoriaTrouble try(PetscErrorCode (*read)(void *ctx, ScoriaTrouble *bad))
{
  ScoriaTrouble bad = {.path = "user.h5"};
  int touched       = 0;

  CHECK(TrialRun("user.h5", &limits, read, &touched, &bad));
  assert_int_equal(touched, 0); /* nothing that the child does reaches the job */
  return bad;
}

static void refused(PetscErrorCode (*read)(void *ctx, ScoriaTrouble *bad), const char *part)
{
  const ScoriaTrouble bad = try(read);

  assert_int_equal(bad.code, SCORIA_EXIT_INPUT);
  if (strncmp(bad.line, "user.h5: ", 9) || !strstr(bad.line, part)) fail_msg("'%s' is not in: %s", part, bad.line);
}

static void limits_hold(void **state)
{
  (void)state;
  refused(Loop, "never ends");
  refused(Sleep, "Alarm clock");
  refused(Crash, "Segmentation fault");
  refused(Leave, "ends the program");
  refused(Defect, "malformed");
  refused(Hoard, ""); /* "no memory", or what a sanitizer makes of it */
  assert_int_equal(try(Succeed).code, SCORIA_EXIT_OK);
}

/* A file that says it is ours: tried, then opened; and one whose bytes are someone else's. */
static void files_said_to_be_ours(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(9, false);
  const char *good = in_scratch("good.h5"), *bad = in_scratch("bad.h5");
  size_t size;

  (void)state;
  make_small(PETSC_COMM_WORLD, good, &spec);
  CHECK(ScoriaFileTrial(PETSC_COMM_WORLD, good));
  unsigned char *bytes = slurp(good, &size);
  memset(bytes + 48, 0x5a, size - 48); /* all but the superblock */
  spill(bad, bytes, size);
  free(bytes);
  expect_failure(ScoriaFileTrial(PETSC_COMM_WORLD, bad), SCORIA_EXIT_INPUT, "bad.h5", "damaged");
}

/* An array that says it is larger than its file. */
static void arrays_fit_their_file(void **state)
{
  const ScoriaDatasetSpec spec = small_spec(9, false);
  const char *path             = in_scratch("large.h5");
  const hsize_t extent[2] = {(hsize_t)1 << 40, CELLS}, chunk[2] = {1, CELLS};
  ScoriaDataset ds;

  (void)state;
  make_small(PETSC_COMM_WORLD, path, &spec);
  const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), space = H5Screate_simple(2, extent, NULL);
  const hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
  assert_true(H5Ldelete(file, "/fields/c", H5P_DEFAULT) >= 0 && H5Pset_chunk(layout, 2, chunk) >= 0);
  H5Dclose(H5Dcreate2(file, "/fields/c", H5T_IEEE_F32LE, space, H5P_DEFAULT, layout, H5P_DEFAULT));
  H5Pclose(layout);
  H5Sclose(space);
  H5Fclose(file);
  expect_failure(ScoriaDatasetOpen(PETSC_COMM_WORLD, path, &ds), SCORIA_EXIT_INPUT, "/fields/c", "not in the file");
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(limits_hold, scratch_make, NULL),
      cmocka_unit_test(files_said_to_be_ours),
      cmocka_unit_test_setup_teardown(arrays_fit_their_file, NULL, scratch_remove),
  };

  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}

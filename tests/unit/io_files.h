/* What the tests of files share: a scratch directory of the program's own, the datasets they write, and failures
 * expected. */
#ifndef SCORIA_TESTS_IO_FILES_H
#define SCORIA_TESTS_IO_FILES_H

#include "io/private.h"
#include "testing.h"
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[] = "io_XXXXXX";

/* Path of a file in the scratch directory; up to four in use at a time. */
static inline const char *in_scratch(const char *name)
{
  static char path[4][PETSC_MAX_PATH_LEN];
  static int next;

  next = (next + 1) % 4;
  snprintf(path[next], sizeof path[next], "%s/%s", scratch, name);
  return path[next];
}

static inline int world_rank(void)
{
  int rank;

  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  return rank;
}

static inline int world_size(void)
{
  int size;

  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  return size;
}

/* Group set-up and tear-down. */
static inline int scratch_make(void **state)
{
  (void)state;
  if (!world_rank() && !mkdtemp(scratch)) return 1;
  return MPI_Bcast(scratch, (int)sizeof scratch, MPI_CHAR, 0, PETSC_COMM_WORLD);
}

static inline int scratch_remove(void **state)
{
  char command[64];

  (void)state;
  MPI_Barrier(PETSC_COMM_WORLD);
  if (world_rank()) return 0;
  snprintf(command, sizeof command, "rm -r %s", scratch);
  return system(command);
}

/* The call failed, on every rank, with this code and a line that holds these parts (NULL: none). */
static inline void expect_failure(PetscErrorCode failed, ScoriaExit code, const char *part1, const char *part2)
{
  const char *line = ScoriaFailureLine();

  assert_int_not_equal(failed, 0);
  if (ScoriaFailureCode() != code) fail_msg("code %d, expected %d: %s", ScoriaFailureCode(), code, line);
  if (part1 && !strstr(line, part1)) fail_msg("'%s' is not in: %s", part1, line);
  if (part2 && !strstr(line, part2)) fail_msg("'%s' is not in: %s", part2, line);
  if (strchr(line, '\n')) fail_msg("more than one line: %s", line);
  ScoriaFailureReset();
}

/* ---------------------------------------------------------------------------------- datasets to write and read ---- */

enum { CELLS = 7, MOST_CENTRES = 16 };

static inline ScoriaDatasetSpec small_spec(int64_t rows, bool float64)
{
  ScoriaDatasetSpec spec = {.rows    = rows,
                            .cells   = CELLS,
                            .shape   = {CELLS, 1, 1},
                            .nfields = 2,
                            .field   = {{"c", "mol/m^3", "concentration", false}, {"eps", "1", "porosity", true}},
                            .space   = {.n = 2, .c = {{"U0", "V", 0.1, 0.9, false}, {"ell", "m", 1e-6, 1e-4, true}}},
                            .realisations = 1,
                            .float64      = float64};

  return spec;
}

/* The same of whole fields. */
static inline ScoriaDatasetSpec whole_spec(int64_t rows, const int shape[3], bool float64)
{
  ScoriaDatasetSpec spec = small_spec(rows, float64);

  memcpy(spec.shape, shape, sizeof spec.shape);
  spec.cells = shape[0] * shape[1] * shape[2];
  assert_in_range(spec_centres(&spec), 1, MOST_CENTRES);
  return spec;
}

/* Member by member: padding may hold anything. */
static inline bool same_space(const ScoriaSpace *a, const ScoriaSpace *b)
{
  bool same = a->n == b->n;

  for (int i = 0; same && i < a->n; i++) {
    const ScoriaCondition *p = &a->c[i], *q = &b->c[i];

    same =
        !strcmp(p->name, q->name) && !strcmp(p->unit, q->unit) && p->lo == q->lo && p->hi == q->hi && p->log == q->log;
  }
  return same;
}

static inline bool same_spec(const ScoriaDatasetSpec *a, const ScoriaDatasetSpec *b)
{
  bool same = a->rows == b->rows && a->cells == b->cells && a->nfields == b->nfields &&
              a->realisations == b->realisations && a->float64 == b->float64 && a->first == b->first &&
              a->whole == b->whole && a->cells == b->cells && !memcmp(a->shape, b->shape, sizeof a->shape) &&
              same_space(&a->space, &b->space);

  for (int f = 0; same && f < a->nfields; f++) {
    const ScoriaField *p = &a->field[f], *q = &b->field[f];

    same = !strcmp(p->name, q->name) && !strcmp(p->unit, q->unit) && !strcmp(p->description, q->description) &&
           p->latent == q->latent;
  }
  return same;
}

static inline double value_at(int64_t row, int f, int cell)
{
  return sin(1.0 + 0.37 * (double)row + 11.0 * f + 0.011 * cell) * (f ? 1.0 : 1e3);
}

/* Row `row` as the tests know it; every ninth is one that failed. */
static inline void fill_row(const ScoriaDatasetSpec *spec, int64_t row, ScoriaRows *rows, int64_t at)
{
  const bool failed = row % 9 == 4;

  for (int f = 0; f < spec->nfields; f++)
    for (int i = 0; i < spec->cells; i++) rows->field[f][at * spec->cells + i] = value_at(row, f, i);
  for (int c = 0; c < spec->space.n; c++) rows->condition[c][at] = 0.1 + (double)row + 100.0 * c;
  rows->done[at]     = failed ? SCORIA_ROW_FAILED : SCORIA_ROW_DONE;
  rows->reason[at]   = failed ? -3 : 2;
  rows->newton[at]   = (int32_t)(row + 4);
  rows->attempts[at] = (uint8_t)(1 + row % 3);
  rows->residual[at] = 1e-9 * (double)(row + 1);
}

static inline double x_at(int i)
{
  return 1e-5 * (i + 0.5);
}

static inline PetscErrorCode create_small(MPI_Comm comm, const char *path, const ScoriaDatasetSpec *spec,
                                          ScoriaDataset *ds)
{
  const ScoriaProvenance from = {.kind = "dataset", .deck = "run: {seed: 7}\n", .seed = 7, .ranks = 1, .group_size = 1};
  double x[MOST_CENTRES];

  for (int i = 0; i < spec_centres(spec); i++) x[i] = x_at(i);
  return ScoriaDatasetCreate(comm, path, spec, x, &from, ds);
}

/* Writes rows [first, first + number) of this rank. */
static inline PetscErrorCode write_rows(ScoriaDataset ds, const ScoriaDatasetSpec *spec, int64_t first, int64_t number)
{
  ScoriaRows rows;
  PetscErrorCode failed;

  CHECK(ScoriaRowsCreate(spec, number, &rows));
  rows.rows = number;
  for (int64_t r = 0; r < number; r++) fill_row(spec, first + r, &rows, r);
  failed = ScoriaDatasetWrite(ds, first, &rows);
  CHECK(ScoriaRowsDestroy(&rows));
  return failed;
}

/* A finished dataset, its rows dealt over the ranks of comm. */
static inline void make_small(MPI_Comm comm, const char *path, const ScoriaDatasetSpec *spec)
{
  ScoriaDataset ds;
  int64_t first, number;
  int rank, size;

  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  deal_block(spec->rows, rank, size, &first, &number);
  CHECK(create_small(comm, path, spec, &ds));
  CHECK(write_rows(ds, spec, first, number));
  CHECK(ScoriaDatasetFinish(&ds));
  assert_null(ds);
}

/* ------------------------------------------------------------------------------------------- files, byte by byte ----
 */

static inline unsigned char *slurp(const char *path, size_t *size)
{
  FILE *in = fopen(path, "rb");
  unsigned char *bytes;

  assert_non_null(in);
  fseek(in, 0, SEEK_END);
  *size = (size_t)ftell(in);
  rewind(in);
  bytes = malloc(*size + 1);
  assert_int_equal(fread(bytes, 1, *size, in), *size);
  fclose(in);
  return bytes;
}

static inline void spill(const char *path, const void *bytes, size_t size)
{
  FILE *out = fopen(path, "wb");

  assert_non_null(out);
  assert_int_equal(fwrite(bytes, 1, size, out), size);
  assert_int_equal(fclose(out), 0);
}

/* Where an array lies in a file, asked of HDF5. */
static inline void locate(const char *path, const char *name, size_t *offset, size_t *size)
{
  const hid_t file  = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t array = H5Dopen2(file, name, H5P_DEFAULT);

  assert_true(file >= 0 && array >= 0);
  *offset = (size_t)H5Dget_offset(array);
  *size   = (size_t)H5Dget_storage_size(array);
  H5Dclose(array);
  H5Fclose(file);
}

#endif

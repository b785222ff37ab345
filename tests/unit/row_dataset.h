/* A dataset of rows that a test fills itself, for tests of what is fitted to one. */
#ifndef SCORIA_TESTS_ROW_DATASET_H
#define SCORIA_TESTS_ROW_DATASET_H

#include "scoria/io.h"
#include "testing.h"
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* Condition i of n, spread over [-1, 1]. */
static inline double unit_of(int64_t i, int n)
{
  return -1 + 2.0 * (double)i / (n - 1);
}

/* Row i: two autoregressive fields of n cells around a mean that moves with the condition u; the first stays below 5.
 */
static inline void autoregressive_row(ScoriaRows *rows, int64_t i, int n, double u)
{
  double level[2] = {0}, z[2];
  for (int j = 0; j < n; j++) {
    rng_normal(1, SCORIA_STREAM_POROSITY, (uint64_t)i, (uint32_t)j, 2, z);
    for (int c = 0; c < 2; c++) level[c] = 0.8 * level[c] + z[c];
    rows->field[0][i * n + j] = 5 - exp(0.2 * level[0] + u);
    rows->field[1][i * n + j] = 0.1 * exp(0.3 * u) * (level[1] + 0.5 * level[0]) + u * u;
  }
  rows->condition[0][i] = u;
  rows->done[i]         = SCORIA_ROW_DONE;
}

/* Writes the rows of spec, all of them filled by rank 0, over what was at path; cells are one apart along every axis.
 * Collective on PETSC_COMM_WORLD. */
static inline void write_row_dataset(const char *path, const ScoriaDatasetSpec *spec,
                                     void (*fill)(const void *ctx, ScoriaRows *rows), const void *ctx)
{
  const ScoriaProvenance from = {"dataset", "run: {seed: 1}\n", 1, 1, 1, {.model = ""}};
  double *x                   = calloc((size_t)(spec->shape[0] + spec->shape[1] + spec->shape[2]), sizeof *x);
  ScoriaDataset ds;
  ScoriaRows rows;
  int rank;
  assert_non_null(x);
  for (int axis = 0, at = 0; axis < 3; axis++)
    for (int i = 0; i < spec->shape[axis]; i++) x[at++] = i;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Barrier(PETSC_COMM_WORLD); /* until all have read the one before */
  if (rank == 0) (void)unlink(path);
  MPI_Barrier(PETSC_COMM_WORLD);
  CHECK(ScoriaRowsCreate(spec, spec->rows, &rows));
  rows.rows = rank ? 0 : spec->rows;
  if (rank == 0) fill(ctx, &rows);
  CHECK(ScoriaDatasetCreate(PETSC_COMM_WORLD, path, spec, x, &from, &ds));
  CHECK(ScoriaDatasetWrite(ds, 0, &rows));
  CHECK(ScoriaDatasetFinish(&ds));
  CHECK(ScoriaRowsDestroy(&rows));
  free(x);
}

/* A law of a field "a" (ny, nx) at conditions u in [-1, 1]; draw number id. */
typedef struct {
  int nx, ny, conditions, realisations;
  void (*draw)(uint64_t id, double u, double field[]);
} PlaneLaw;

static inline void fill_planes(const void *ctx, ScoriaRows *rows)
{
  const PlaneLaw *law = ctx;
  for (int64_t i = 0; i < rows->rows; i++) {
    rows->condition[0][i] = unit_of(i / law->realisations, law->conditions);
    rows->done[i]         = SCORIA_ROW_DONE;
    law->draw((uint64_t)i, rows->condition[0][i], rows->field[0] + i * law->nx * law->ny);
  }
}

/* Realisations of the law at conditions spread over the range.  Collective on PETSC_COMM_WORLD. */
static inline void write_plane_dataset(const char *path, const PlaneLaw *law)
{
  const ScoriaDatasetSpec spec = {.rows         = (int64_t)law->conditions * law->realisations,
                                  .cells        = law->nx * law->ny,
                                  .shape        = {law->nx, law->ny, 1},
                                  .nfields      = 1,
                                  .realisations = law->realisations,
                                  .float64      = true,
                                  .field        = {{"a", "", "", false}},
                                  .space        = {1, {{"p", "", -1, 1, false}}}};
  write_row_dataset(path, &spec, fill_planes, law);
}

#endif

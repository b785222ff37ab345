/* A run directory of a deck with base keys alone, for tests of what writes, logs or may be stopped. */
#ifndef SCORIA_TESTS_SMALL_RUN_H
#define SCORIA_TESTS_SMALL_RUN_H

#include "scoria/base.h"
#include "testing.h"
#include <stdlib.h>

typedef struct {
  char dir[40];
  ScoriaDeck deck;
  ScoriaRun run;
} SmallRun;

/* On PETSC_COMM_WORLD. */
static inline void small_run_open(SmallRun *r)
{
  static const ScoriaKey *const tables[] = {scoria_base_keys, NULL};
  char text[64];
  int rank;
  snprintf(r->dir, sizeof r->dir, "small_run_XXXXXX");
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (rank == 0) assert_non_null(mkdtemp(r->dir));
  MPI_Bcast(r->dir, sizeof r->dir, MPI_CHAR, 0, PETSC_COMM_WORLD);
  snprintf(text, sizeof text, "run: {dir: %s}\n", r->dir);
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, tables, &r->deck));
  CHECK(ScoriaRunCreate(PETSC_COMM_WORLD, r->deck, "test", &r->run));
}

static inline void small_run_close(SmallRun *r)
{
  char command[64];
  int rank;
  CHECK(ScoriaRunDestroy(&r->run));
  CHECK(ScoriaDeckDestroy(&r->deck));
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  snprintf(command, sizeof command, "rm -rf %s", r->dir);
  if (rank == 0 && system(command)) fail_msg("%s", command);
  MPI_Barrier(PETSC_COMM_WORLD);
}

/* That every rank has the bytes of rank 0. */
static inline void expect_same_on_ranks(const void *bytes, size_t n)
{
  void *first = malloc(n);
  assert_non_null(first);
  memcpy(first, bytes, n);
  MPI_Bcast(first, (int)n, MPI_BYTE, 0, PETSC_COMM_WORLD);
  assert_memory_equal(first, bytes, n);
  free(first);
}

#endif

/* What every cmocka program here shares: PETSc started and ended, failures checked, one verdict over all ranks. */
#ifndef SCORIA_TESTING_H
#define SCORIA_TESTING_H

#include "scoria/base.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <math.h>

/* A call that must succeed. */
#define CHECK(call)                                                                                                    \
  do {                                                                                                                 \
    const PetscErrorCode check_failed_ = (call);                                                                       \
    if (check_failed_) fail_msg("%s failed: %s", #call, ScoriaFailureLine());                                          \
  } while (0)

/* Probability of a standard normal above x. */
static inline double upper_tail(double x)
{
  return 0.5 * erfc(x / sqrt(2));
}

/* On more ranks there is nothing to see of what has the same bits on any number of them, and is seen on one. */
static inline bool on_one_rank(void)
{
  int size;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  return size == 1;
}

/* The body of main: collective, so that a test that fails on one rank fails the program.  set_up and tear_down of all
 * tests together may be NULL. */
static inline int run_test_group(int argc, char **argv, const struct CMUnitTest tests[], size_t count,
                                 CMFixtureFunction set_up, CMFixtureFunction tear_down)
{
  int failed;
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  if (PetscPushErrorHandler(ScoriaErrorHandler, NULL)) return 1;
  failed = _cmocka_run_group_tests("tests", tests, count, set_up, tear_down);
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, PETSC_COMM_WORLD);
  if (PetscFinalize()) return 1;
  return failed ? 1 : 0;
}

static inline int run_test_program(int argc, char **argv, const struct CMUnitTest tests[], size_t count)
{
  return run_test_group(argc, argv, tests, count, NULL, NULL);
}

#endif

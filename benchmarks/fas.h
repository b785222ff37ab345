/* Nonlinear multigrid for a solver: see fas.c. */
#ifndef SCORIA_BENCHMARKS_FAS_H
#define SCORIA_BENCHMARKS_FAS_H

#include "physics/solver.h"

/* From now on s, of two or three dimensions, solves for steady states by FAS cycles.  Collective. */
PetscErrorCode UseFas(ScoriaSolver s);

#endif

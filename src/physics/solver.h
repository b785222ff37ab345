/* The solver's inside, shared by the solve itself (solver.c) and its Newton iteration (newton.c). */
#ifndef SCORIA_PHYSICS_SOLVER_H
#define SCORIA_PHYSICS_SOLVER_H

#include "internal.h"
#include <petscsnes.h>

struct ScoriaSolver_ {
  MPI_Comm group; /* owned: a duplicate */
  int rank, size, cells, first, n;
  ScoriaElectrode el;          /* owned copy */
  Balance whole;               /* owned: all cells, for the guess and the invariants; the only one on one rank */
  Balance part;                /* owned: this rank's cells, more than one rank */
  Balance *mine;               /* borrowed: whole or part */
  Mat J;                       /* owned */
  Vec x, r;                    /* owned */
  SNES snes;                   /* owned */
  double *blocks;              /* owned: (n, 3, 2, 2), more than one rank */
  double *state, *kept;        /* owned: (cells, 2) interleaved u, w */
  int *counts, *starts;        /* owned: (size) of interleaved unknowns */
  bool fast;                   /* values go straight into the matrix */
  bool limited;                /* the last step was shortened */
  double monotone[2], U0, c_s; /* open-circuit interval; c_s(U0), the last one asked */
};

/* The matrix, the vectors and the SNES of s, whose balances are there.  Collective on s->group. */
PetscErrorCode NewtonCreate(ScoriaSolver s);
PetscErrorCode NewtonDestroy(ScoriaSolver s);
/* Newton from s->state, which gets the solution when it converges; adds to status.  Collective on s->group. */
PetscErrorCode NewtonSolve(ScoriaSolver s, ScoriaSolveStatus *status);

#endif

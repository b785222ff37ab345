/* The solver's inside: solver.c tries what may work, newton.c iterates, multigrid.c preconditions, transient.c marches.
 */
#ifndef SCORIA_PHYSICS_SOLVER_H
#define SCORIA_PHYSICS_SOLVER_H

#include "multigrid.h"
#include <petscts.h>

#define STEP_TOLERANCE 1e-7 /* see newton.c */

struct ScoriaSolver_ {
  MPI_Comm group; /* owned: a duplicate */
  int rank, size;
  const ScoriaProblem *problem; /* borrowed */
  void *p;                      /* owned copy of the parameters, at the theta last solved */
  ScoriaGrid grid;
  int m;                  /* unknowns */
  ScoriaDiscrete *d;      /* owned */
  ScoriaBlocks J;         /* owned */
  Vec x, r, kept;         /* owned: state, residual, a state to go back to */
  double *rate;           /* owned: (cells, m) ds/dt, where time derivatives are in */
  SNES snes;              /* owned: of steady states and of single implicit steps */
  ScoriaMultigrid mg;     /* owned; NULL: the linear systems are factored */
  ScoriaSolver line;      /* owned: one-dimensional, on this rank alone: for guesses; NULL where this is one itself */
  bool inner;             /* the line of another solver: takes no options */
  double *profile;        /* owned: (nx) */
  PetscObjectState state; /* of the vector that d holds */
  Vec loaded;             /* which it is; borrowed */
  struct {
    Vec x;                                   /* owned */
    double shift;                            /* negative: nothing is known of it */
  } at_J, at_mg;                             /* where the Jacobian and the preconditioner were made */
  bool chord;                                /* the Jacobian at hand is an earlier state's */
  double step_tolerance;                     /* Newton ends when a full step is below this */
  bool limited;                              /* the last step was shortened */
  int64_t accepted;                          /* states that the stopping rule has found converged */
  double linear_first;                       /* residual that the linear solve at hand began with */
  bool solved;                               /* x is a solution */
  bool linearised;                           /* kept is the twin's, and J its Jacobian, factored */
  int nderived, derived[MAX_DERIVED_FIELDS]; /* fields behind those of the unknowns: rows of the problem's */
  /* single implicit steps: ds/dt = shift (s - kept) */
  bool stepping;
  double shift;
  /* transient mode */
  int time_index; /* of theta; -1: steady */
  double rtol;
  TS ts; /* owned */
};

/* The matrix, the vectors and the SNES of s, whose discrete problem is there.  Collective on s->group. */
PetscErrorCode NewtonCreate(ScoriaSolver s);
PetscErrorCode NewtonDestroy(ScoriaSolver s);
/* Newton from s->x, which gets the solution when it converges; adds to status.  Collective on s->group. */
PetscErrorCode NewtonSolve(ScoriaSolver s, ScoriaSolveStatus *status);
/* The options, step control and stopping rule of an SNES of s, whose functions are set. */
PetscErrorCode NewtonConfigure(ScoriaSolver s, SNES snes);
/* The stopping rule: an iteration that changed the state by snorm and left the residual fnorm. */
PetscErrorCode NewtonConverged(SNES snes, PetscInt it, PetscReal xnorm, PetscReal snorm, PetscReal fnorm,
                               SNESConvergedReason *reason, void *s);
/* Shortens step y from x where an unknown would leave its range or move too far.  Collective on s->group. */
PetscErrorCode NewtonLimit(ScoriaSolver s, Vec x, Vec y);
/* Porosity, parameters or load are new: nothing made before is of use. */
void newton_forget(ScoriaSolver s);
/* Loads x unless it is loaded; agreed on. */
PetscErrorCode NewtonLoad(ScoriaSolver s, Vec x, bool *good);
/* The Jacobian at the loaded state, and the preconditioner from it, unless what there is will do. */
PetscErrorCode NewtonFill(ScoriaSolver s);

/* The state at time [s] after the state at rest, in s->x. */
PetscErrorCode TransientSolve(ScoriaSolver s, double time, ScoriaSolveStatus *status);
/* The last rung: the steady state of the problem that is set, in s->x, by implicit steps from rest and Newton at their
 * end. */
PetscErrorCode PseudoTransient(ScoriaSolver s, ScoriaSolveStatus *status);
/* One implicit Euler step of length dt [s] from s->kept, by Newton from s->x. */
PetscErrorCode ImplicitStep(ScoriaSolver s, double dt, ScoriaSolveStatus *status);

#endif

/* The finite-volume balances of a problem on one grid, in the slab of one rank: see discrete.c. */
#ifndef SCORIA_PHYSICS_DISCRETE_H
#define SCORIA_PHYSICS_DISCRETE_H

#include "internal.h"
#include <petscdmda.h>

/* Neighbours of a cell in the order of their global numbers, unless periodicity wraps: below and above along z, y, x.
 */
enum { SIDE_Z0, SIDE_Y0, SIDE_X0, SIDE_SELF, SIDE_X1, SIDE_Y1, SIDE_Z1, SIDES };

struct ScoriaDiscrete {
  const ScoriaProblem *problem; /* borrowed */
  const void *p;                /* borrowed: its parameters */
  ScoriaShape shape;
  ScoriaGrid grid;
  DM dm, dm_eps;               /* owned: the unknowns, one number a cell */
  Vec local, eps, eps_local;   /* owned: with neighbours; own cells; with neighbours */
  int rank, size;              /* in the group */
  int own[3];                  /* cells of this rank: whole axes but the last */
  int first;                   /* its first plane of the last axis */
  int cells;                   /* own[0] own[1] own[2] */
  int box[3];                  /* own cells and one neighbour on each side of every axis of the grid */
  ptrdiff_t stride[3], corner; /* of the box; corner: index of the first own cell */
  int box_cells;
  bool collector, separator; /* whether the slab reaches x = 0, x = L */
  bool timed;                /* capacities are wanted */
  double shift;              /* the Jacobian's derivative of ds/dt by s [s^-1], where timed */
  /* All in one arena.  Boxes: */
  double *s[MAX_STATE], *C[MAX_COEFFICIENTS];
  /* own cells: */
  double *a[MAX_LOCALS], *capacity[MAX_UNKNOWNS], *added[MAX_UNKNOWNS]; /* added: source for manufactured solutions */
  /* faces: pencils of x have own[0] + 1 of them, y has own[1] + 1 rows of own[0], z own[2] + 1 planes: */
  double *g[3][MAX_COEFFICIENTS];
  /* one pencil, own[0] + 1 long: */
  double *F[MAX_UNKNOWNS], *F_a[MAX_UNKNOWNS * MAX_UNKNOWNS], *F_b[MAX_UNKNOWNS * MAX_UNKNOWNS];
  double *S[MAX_UNKNOWNS], *S_s[MAX_UNKNOWNS * MAX_UNKNOWNS], *work;
  bool derivatives; /* one-dimensional: the pencil's derivatives are those of the loaded state */
  double *arena;    /* owned */
};

/* First own cell of pencil (j, k) in the boxes; -1 and own[] are neighbours. */
static inline ptrdiff_t pencil_at(const ScoriaDiscrete *d, int j, int k)
{
  return d->corner + j * d->stride[1] + k * d->stride[2];
}

/* Collective on group; p is read whenever something is evaluated. */
PetscErrorCode DiscreteCreate(MPI_Comm group, const ScoriaProblem *problem, const void *p, const ScoriaGrid *grid,
                              ScoriaDiscrete **d);
PetscErrorCode DiscreteDestroy(ScoriaDiscrete **d);
/* Everything that the porosity (d->eps) and the parameters decide: call it when either has changed.  Collective. */
PetscErrorCode DiscreteSet(ScoriaDiscrete *d);
/* The state x (a global vector of d->dm) with neighbours and derived numbers; good: whether what must be positive is,
 * on every rank.  Collective. */
PetscErrorCode DiscreteLoad(ScoriaDiscrete *d, Vec x, bool *good);
/* The same from d->s, filled in by the caller; one rank in one dimension. */
bool discrete_derive(ScoriaDiscrete *d);
/* R (cells, unknowns) at the loaded state; rate: ds/dt alike, NULL in steady state. */
void discrete_residual(ScoriaDiscrete *d, const double rate[], double R[]);
/* Jacobian blocks, column-major (unknowns, unknowns), to value + bs^2 at[cell * SIDES + side]; at < 0: beside +
 * bs^2 (-1 - at).  Blocks of all existing neighbours are written. */
void discrete_jacobian(ScoriaDiscrete *d, const int at[], double value[], double beside[]);
/* Whether own cell (i, j, k) has a neighbour on that side in the grid. */
bool discrete_neighbour(const ScoriaDiscrete *d, int i, int j, int k, int side);
/* Fluxes and sources of the pencil at the loaded state, with derivatives: for guesses, in one dimension on one rank. */
void discrete_pencil(ScoriaDiscrete *d);
/* Sums over own cells at the loaded state: what leaves through x = 0 and L and what is produced, less what is stored at
 * rate, per equation (unknowns), per cell of lateral area. */
void discrete_totals(ScoriaDiscrete *d, const double rate[], double outflow[], double production[]);

/* Row k of the problem's derived fields at the loaded state, in own cells. */
void discrete_derived(ScoriaDiscrete *d, int k, double own[]);

/* A matrix of the Jacobian's blocks, filled in place where its format allows. */
typedef struct {
  Mat J;          /* owned */
  int *at;        /* owned: (cells, SIDES), see discrete_jacobian */
  double *blocks; /* owned: (cells, SIDES, bs^2) where values go through MatSetValues, else NULL */
  Mat own, other; /* borrowed from J: its blocks of this rank's columns, and of others' */
} ScoriaBlocks;

/* type: MATBAIJ or MATAIJ.  Collective. */
PetscErrorCode BlocksCreate(ScoriaDiscrete *d, MatType type, ScoriaBlocks *b);
PetscErrorCode BlocksDestroy(ScoriaBlocks *b);
/* The Jacobian at the loaded state.  Collective. */
PetscErrorCode BlocksFill(ScoriaDiscrete *d, ScoriaBlocks *b);

#endif

/* The levels of the multigrid preconditioner: multigrid_levels.c makes them, multigrid_fill.c their operators,
 * multigrid.c works with them. */
#ifndef SCORIA_PHYSICS_MULTIGRID_LEVELS_H
#define SCORIA_PHYSICS_MULTIGRID_LEVELS_H

#include "lines.h"
#include "multigrid.h"

#define MAX_LEVELS 64

typedef struct {
  ScoriaLines *v;    /* owned */
  ScoriaLines *part; /* this rank's share: v itself, or, where v has the lines of all ranks, owned */
  int N[2];          /* all lines along y and z */
  int first[2];      /* the first of this rank's share */
  int *share;        /* owned (ranks): lines of each rank along the axis that they share */
  double *width[2];  /* owned (N): of the lines, in those of the finest level */
  double h[2];       /* mean distance of the lines [m] */
  /* How it follows from the next finer level: */
  bool halved[2];   /* axes along which lines are joined */
  float *ratio[2];  /* owned (N + 1): distance of the finer lines on both sides of a face over that of these lines,
                       for the face before each line; 0 where there is only one line */
  float *weight[2]; /* owned (share of the finer level): in a finer line's correction, of the neighbour of the line
                       that it is part of; along y even lines first, then odd ones */
  bool mixed;       /* some neighbours are of one colour */
} Level;

struct ScoriaMultigrid_ {
  ScoriaDiscrete *d; /* borrowed */
  MPI_Comm group;    /* borrowed */
  int size, m, nx;
  int axis; /* that the ranks of the group share: 0 (y) or 1 (z) */
  int levels;
  Level level[MAX_LEVELS];
  float *row;                 /* owned: some entries of a plane's lines in natural order */
  float *gathered;            /* owned: numbers of all lines of the gathered level; NULL where there is none */
  int *number, *displacement; /* owned (ranks): numbers of one gather */
};

/* The levels of mg, whose first fields are set, without values.  Collective. */
PetscErrorCode LevelsCreate(ScoriaMultigrid mg);
PetscErrorCode LevelsDestroy(ScoriaMultigrid mg);
/* The finer planes that plane k of c joins: from *first on, before *end. */
void level_planes(const Level *f, const Level *c, int k, int *first, int *end);
/* `entries` rows of n lines in natural order into rows of even and of odd lines, `step` apart. */
void level_deal_rows(int entries, int n, const float row[], int step, float even[], float odd[]);
/* `entries` numbers of each line of all ranks, `to_step` apart in the rows of l->v, from those of their shares,
 * `from_step` apart in l->part, in the order of ranks: that of the lines.  Collective. */
PetscErrorCode LevelGather(ScoriaMultigrid mg, const Level *l, float *from, int from_step, float *to, int to_step,
                           int entries);

#endif

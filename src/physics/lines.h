/* Lines of cells along x on one level of the multigrid preconditioner, each a block tridiagonal system: see lines.c. */
#ifndef SCORIA_PHYSICS_LINES_H
#define SCORIA_PHYSICS_LINES_H

#include "internal.h"

/* Blocks of a cell.  What relaxation reads: the coupling below along x, the inverse of the eliminated diagonal, that
 * times the coupling above, and the couplings with the four lines beside it.  What only coarser levels need. */
enum { LINE_BELOW, LINE_INVERSE, LINE_BACK, LINE_Y0, LINE_Y1, LINE_Z0, LINE_Z1, LINE_BLOCKS };
enum { CELL_SELF, CELL_ABOVE, CELL_BLOCKS };

/* Line (j, k) is number j / 2 of row (k, j % 2), its colour (j + k) % 2: the lines of a row, of one colour and no
 * neighbours of each other, are relaxed side by side.  In a row, entry (i, c) of a vector is `row` numbers: the lines,
 * with one neighbour on each side; block entry (i, block, c, e) is `half` numbers. */
typedef struct {
  int m, nx;
  int n[2];        /* own lines along y and z; 1 beyond the dimensions of the grid */
  int half, row;   /* lines in a row, and with neighbours */
  int shared;      /* 0 or 1: the axis whose lines the ranks of the group share; -1: every rank has all of them */
  int sides;       /* couplings with lines beside: 2 along y, or 4 with those along z */
  float *b, *x;    /* in the arena: right-hand side and solution */
  float *A, *cell; /* likewise: LINE_BLOCKS and CELL_BLOCKS of every cell */
  float *residual; /* likewise: (nx, m, half) */
  float *edge;     /* likewise: (4, nx, m), lines to send and received */
  const float *none;
  float *arena; /* owned */
  MPI_Comm group;
} ScoriaLines;

/* n, sides, shared: as above.  Local; the group is used in LinesExchange. */
PetscErrorCode LinesCreate(MPI_Comm group, int m, int nx, const int n[2], int sides, int shared, ScoriaLines **lines);
PetscErrorCode LinesDestroy(ScoriaLines **lines);

/* Row (k, parity); k may be a neighbour, -1 or n[1]. */
static inline ptrdiff_t lines_row(const ScoriaLines *v, int k, int parity)
{
  const int plane = v->shared == 1 ? k + 1 : (k + v->n[1]) % v->n[1];
  return 2 * (ptrdiff_t)plane + parity;
}

/* How many lines of that parity a row has. */
static inline int lines_in_row(const ScoriaLines *v, int parity)
{
  return (v->n[0] + 1 - parity) / 2;
}

/* Entries of a row of vector a, the first line's. */
static inline float *lines_vector(const ScoriaLines *v, float *a, int k, int parity)
{
  return a + lines_row(v, k, parity) * v->nx * v->m * v->row + 1;
}

/* Entry (i, block) of a row of A or cell, which have so many blocks. */
static inline float *lines_block(const ScoriaLines *v, float *a, int blocks, int k, int parity, int i, int block)
{
  return a + ((lines_row(v, k, parity) * v->nx + i) * blocks + block) * v->m * v->m * v->half;
}

/* Inverses and products of the elimination along every own line, from cell and A's LINE_BELOW. */
void lines_factor(ScoriaLines *v);
void lines_clear(ScoriaLines *v); /* x = 0 */
/* Solves the lines of a colour for what the others leave of b; alone: where x is zero everywhere else. */
void lines_relax(ScoriaLines *v, int colour, bool alone);
/* What the lines beside row (k, parity) add to the residual of lines that were relaxed alone, in v->residual. */
void lines_residual(ScoriaLines *v, int k, int parity);
/* x of the neighbours across the periodic boundary of y, of row (k, parity) where it has changed; relaxing does it. */
void lines_wrap(ScoriaLines *v, int k, int parity);
/* x of the neighbours that other ranks have.  Collective on the group where the lines are shared. */
PetscErrorCode LinesExchange(ScoriaLines *v);

#endif

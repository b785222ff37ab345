/* Private to porosity: the local porosity of a measured structure, and crops of it. */
#ifndef SCORIA_PHYSICS_LOCAL_POROSITY_H
#define SCORIA_PHYSICS_LOCAL_POROSITY_H

#include "internal.h"

enum { AXIS_X, AXIS_Y, AXIS_Z, AXIS_ROW, AXES };

/* How a structure becomes porosity: what the deck says, and what follows from the grid where it says nothing. */
typedef struct {
  char path[PETSC_MAX_PATH_LEN], array[512], axes[64];
  char phases[256]; /* "0,2=0.47": porosity of these values, 1 where none is given; "": none */
  double threshold; /* values below it are pores; NaN: none */
  bool pores_above; /* ... above it are */
  int voxels;       /* how many of voxel are given */
  double voxel[3];  /* [m] along x, y, z */
  int windows;
  double window[3]; /* [m] */
  ScoriaGrid grid;  /* that voxel and window follow from where they are not given */
} LocalPorosityOptions;

/* Porosity of windows of a structure, or of many rows of such; the numbers are in memory that the ranks of a node
 * share.
 */
typedef struct {
  char source[SCORIA_SOURCE_SIZE]; /* identity of the file */
  int64_t rows;
  int n[3];          /* windows along x, y, z */
  double window[3];  /* their extents [m]; whole voxels */
  double voxel[3];   /* [m] */
  const double *eps; /* (rows, n[z], n[y], n[x]) */
} LocalPorosity;

static inline int64_t window_count(const LocalPorosity *local)
{
  return local->rows * local->n[0] * local->n[1] * local->n[2];
}

/* Reads the options of a deck; whether porosity_file is set is the caller's to know. */
PetscErrorCode LocalPorosityOptionsRead(ScoriaDeck deck, const ScoriaGrid *grid, LocalPorosityOptions *opt);
/* The same numbers on every rank, read by rank 0, held once a node: borrowed until it is released, as often as it was
 * got.  What nobody uses stays until another structure is asked for or PETSc is finalised.  Collective on
 * PETSC_COMM_WORLD. */
PetscErrorCode LocalPorosityGet(const LocalPorosityOptions *opt, const LocalPorosity **local);
void local_porosity_release(const LocalPorosity *local); /* local */
/* The sums of one structure on the rank that calls; eps (owned by the caller) by PetscFree. */
PetscErrorCode LocalPorosityRead(const LocalPorosityOptions *opt, LocalPorosity *local, double **eps);

/* Crops of the size of a grid: realisation id is one of a row drawn at random, at an offset of whole windows, reflected
 * along axes and shifted laterally, averaged over the grid's cells. */
typedef struct Crops_ *Crops;
/* Takes over a use of local, also where it fails. */
PetscErrorCode CropsCreate(ScoriaDeck deck, const ScoriaGrid *grid, const LocalPorosity *local, Crops *crops);
PetscErrorCode CropsDestroy(Crops *crops);
void crops_hold_out(Crops crops, bool held_out); /* from now on crops of the part held out, or of the other */
/* Planes [first, first + number) of the last axis, in the layout of ScoriaPorosityDraw.  Local. */
void crops_draw(Crops crops, uint64_t id, int first, int number, double eps[]);
/* E[eps^-b]^(-1/b) over all cells that tile the part for training; the mean where b is 0. */
double crops_effective(Crops crops, double b);
/* "40 x 2 x 2 windows of ..., 0.1 MB a node; ... held out" */
void crops_describe(Crops crops, size_t size, char text[]);

#endif

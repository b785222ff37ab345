/* Conditions that take few values: how many each takes, what polynomials they bear, and by which coordinate a model
 * learns them.  What regresses on conditions asks here which powers of each there are. */
#ifndef SCORIA_SCORE_LEVELS_H
#define SCORIA_SCORE_LEVELS_H

#include "normaliser.h"

#define LEVELS_SAME 1e-9 /* of unit conditions: rounding */
/* Values that are nearer to each other tell of no power what lies between them and the next: a temperature that was set
 * to three values and recorded has three levels. */
#define LEVELS_APART 0.02
#define LEVELS_MOST 32 /* a condition of more values counts as continuous */

/* The values of a unit condition, ascending; n above LEVELS_MOST: there are more than are told. */
typedef struct {
  int n;
  double at[LEVELS_MOST + 1];
} Levels;

/* Of every u_j, those within `apart` above another being one with it; u (rows of the tiles, d).  The same on any number
 * of ranks.  Collective. */
PetscErrorCode LevelsFind(const NormTiles *tiles, int d, const double u[], double apart, Levels level[]);
/* The largest power of u_j that the levels bear: least squares through them do not swing between (levels.c). */
int levels_degree(const Levels *level);
/* powers[j]: the powers of u_j that polynomials have stay below, for NormPolyCreate.  As LevelsFind. */
PetscErrorCode LevelsPowers(const NormTiles *tiles, int d, const double u[], int powers[]);
/* theta (space->n): of the conditions that the deck has learned from, the nearest to the middle of the ranges as they
 * are learned.  Collective. */
PetscErrorCode LevelsMiddle(MPI_Comm comm, ScoriaDeck deck, ScoriaDataset ds, const ScoriaHoldout *holdout,
                            const ScoriaSpace *space, double theta[]);

#endif

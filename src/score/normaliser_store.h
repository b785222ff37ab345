/* Parts of a normaliser's file that bases share. */
#ifndef SCORIA_SCORE_NORMALISER_STORE_H
#define SCORIA_SCORE_NORMALISER_STORE_H

#include "normaliser.h"

/* The powers of a polynomial (terms, conditions that vary). */
PetscErrorCode NormPolySave(ScoriaStore store, const char *name, const NormPoly *poly, const char *axes,
                            const char *help);
PetscErrorCode NormPolyLoad(ScoriaStore store, const char *name, int d, NormPoly *poly);
enum { NORM_STORE_RANK = 3 };
/* One array: where it is in the object, what it is called, and its shape. */
typedef struct {
  const char *name, *axes, *help;
  double *data;
  int rank;
  int64_t dims[NORM_STORE_RANK];
} NormArray;
/* Reads its values; an array of another shape is a user error. */
PetscErrorCode NormArrayLoad(ScoriaStore store, const NormArray *array);
/* One number for each of C channels, of an array that a file may lack. */
PetscErrorCode NormChannelsLoad(ScoriaStore store, const char *name, int C, double value[], bool *there);
/* The transforms of C channels, without the names of their axes. */
PetscErrorCode NormTransformSave(ScoriaStore store, int C, const bool logged[], const double reference[],
                                 const double sign[]);
PetscErrorCode NormTransformLoad(ScoriaStore store, int C, bool logged[], double reference[], double sign[]);
/* Shape of an array that must be there with that rank, at most 3. */
PetscErrorCode NormStoreShape(ScoriaStore store, const char *name, int rank, int64_t dims[NORM_STORE_RANK]);

#endif

/* Parts of a normaliser's file that bases share. */
#ifndef SCORIA_SCORE_NORMALISER_STORE_H
#define SCORIA_SCORE_NORMALISER_STORE_H

#include "normaliser.h"

/* The powers of a polynomial (terms, conditions that vary). */
PetscErrorCode NormPolySave(ScoriaStore store, const char *name, const NormPoly *poly, const char *axes,
                            const char *help);
PetscErrorCode NormPolyLoad(ScoriaStore store, const char *name, int d, NormPoly *poly);
/* Shape of an array that must be there with that rank, at most 3. */
PetscErrorCode NormStoreShape(ScoriaStore store, const char *name, int rank, int64_t dims[3]);

#endif

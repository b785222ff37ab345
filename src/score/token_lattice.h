/* Tokens of a network that convolves over a periodic grid in one or two dimensions: every sample has the grid's places
 * with a halo around them that repeats those at the other ends, so that a convolution is a matrix product per tap over
 * all rows at once, shifted by the tap, and nothing is copied but the halo. */
#ifndef SCORIA_SCORE_TOKEN_LATTICE_H
#define SCORIA_SCORE_TOKEN_LATTICE_H

#include "layers.h"
#include <petscsys.h>

typedef struct {
  int tokens, places;   /* of a sample: with the halo, without */
  int *place;           /* owned (places): the token of each, y fastest */
  int halo, *to, *from; /* owned (halo): its tokens, and the places' tokens that they repeat */
  int taps, *shift;     /* owned (taps): tokens from one to its neighbours */
  int margin;           /* the largest shift */
} TokenLattice;

/* kernel: taps along each axis that has more than one place, odd. */
PetscErrorCode TokenLatticeCreate(int ny, int nz, int kernel, TokenLattice **lattice);
PetscErrorCode TokenLatticeDestroy(TokenLattice **lattice);

#define BODY "token_lattice_kernels.h"
#include "twice.h"

#endif

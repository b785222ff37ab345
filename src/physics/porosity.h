/* Private to physics: what an ensemble asks of its porosity beside draws. */
#ifndef SCORIA_PHYSICS_POROSITY_H
#define SCORIA_PHYSICS_POROSITY_H

#include "scoria/physics.h"

/* A user error where the deck's law, or one of a space with the conditions porosity_mean and porosity_sd, is one that
 * the bounds exclude. */
PetscErrorCode ScoriaPorosityCheck(ScoriaPorosity por, const ScoriaSpace *space);
/* The homogeneous porosity whose eps^b equals the harmonic mean of the draws' eps^b (quadrature of the marginal). */
PetscErrorCode ScoriaPorosityEffective(ScoriaPorosity por, double b, double *eps);
/* From now on crops of the part of a library that is held out (porosity_holdout), or of the other, as at first. */
void porosity_hold_out(ScoriaPorosity por, bool held_out);
void porosity_describe(ScoriaPorosity por, size_t size, char text[]); /* what is held of it, "" without one */
/* Crops of the measured structure porosity_file, of the size of the grid, at random, from averages over windows that
 * every node holds once.  A structure that is too small is a user error.  Collective on PETSC_COMM_WORLD. */
PetscErrorCode ScoriaPorosityOfLibrary(ScoriaDeck deck, MPI_Comm group, const ScoriaGrid *grid, ScoriaPorosity *por);

#endif

/* The preconditioner of two and three dimensions: see multigrid.c. */
#ifndef SCORIA_PHYSICS_MULTIGRID_H
#define SCORIA_PHYSICS_MULTIGRID_H

#include "discrete.h"
#include <petscksp.h>

typedef struct ScoriaMultigrid_ *ScoriaMultigrid;

/* For the Jacobian of d, which is borrowed.  Collective. */
PetscErrorCode MultigridCreate(ScoriaDiscrete *d, ScoriaMultigrid *mg);
PetscErrorCode MultigridDestroy(ScoriaMultigrid *mg);
/* Makes pc, a PCSHELL from then on, apply one cycle of mg, which is borrowed. */
PetscErrorCode MultigridConfigure(ScoriaMultigrid mg, PC pc);
/* Every level from the values of the Jacobian, a block matrix.  Collective. */
PetscErrorCode MultigridFill(ScoriaMultigrid mg, const ScoriaBlocks *J);

#endif

/* What the versions of PETSc, 3.18 to 3.26, do differently. */
#ifndef SCORIA_PHYSICS_PETSC_VERSIONS_H
#define SCORIA_PHYSICS_PETSC_VERSIONS_H

#include <petsc/private/petscimpl.h> /* PetscObjectStateGet */
#include <petscsnes.h>

#if PETSC_VERSION_LT(3, 25, 0)
#define SNES_DIVERGED_FUNCTION_NANORINF SNES_DIVERGED_FNORM_NAN
#endif

#ifndef SNESLINESEARCHNONE /* before 3.26 */
#define SNESLINESEARCHNONE SNESLINESEARCHBASIC
#endif

#endif

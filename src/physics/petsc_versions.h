/* What the versions of PETSc, 3.18 to 3.26, do differently. */
#ifndef SCORIA_PHYSICS_PETSC_VERSIONS_H
#define SCORIA_PHYSICS_PETSC_VERSIONS_H

#include <petsc/private/matimpl.h>
#include <petscsnes.h>

#if PETSC_VERSION_LT(3, 25, 0)
#define SNES_DIVERGED_FUNCTION_NANORINF SNES_DIVERGED_FNORM_NAN
#endif

#ifndef SNESLINESEARCHNONE /* before 3.26 */
#define SNESLINESEARCHNONE SNESLINESEARCHBASIC
#endif

/* The DM of ksp computes nothing: operators and right-hand sides are set by hand. */
static inline PetscErrorCode KSPLeaveDMIdle(KSP ksp)
{
#if PETSC_VERSION_LT(3, 25, 0)
  return KSPSetDMActive(ksp, PETSC_FALSE);
#else
  return KSPSetDMActive(ksp, KSP_DMACTIVE_ALL, PETSC_FALSE);
#endif
}

/* Before new values of J, a sequential block matrix, are assembled.  PCSOR keeps the inverses of the blocks on the
 * diagonal, and assembly drops them; from 3.21 to 3.25 only if the matrix seems not to have been assembled before: else
 * it returns early for a pattern that has not changed.  (3.26 compares the state of the matrix.) */
static inline void MatSeqBAIJDropInverse(Mat J)
{
#if PETSC_VERSION_GE(3, 21, 0) && PETSC_VERSION_LT(3, 26, 0)
  J->assembled = J->was_assembled = PETSC_FALSE;
#else
  (void)J;
#endif
}

#endif

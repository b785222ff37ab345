/* Unit Gaussian fields on grids of two and three dimensions.  Private to the porosity. */
#ifndef SCORIA_POROSITY_FIELD_H
#define SCORIA_POROSITY_FIELD_H

#include "scoria/physics.h"

typedef struct {
  const char *name;
  double (*covariance)(double r); /* at distance r, in correlation lengths; 1 at r = 0, falling */
} FieldKernel;
extern const FieldKernel field_kernels[]; /* ends with a NULL name */
/* The distance from which on a kernel is negligible; and the kernel at lag (dx, d) summed over the periods of the two
 * lateral axes, of the images within that reach.  All in correlation lengths.  Local. */
double kernel_reach(const FieldKernel *kernel);
double kernel_periodised(const FieldKernel *kernel, double reach, double dx, const double d[2], const double period[2]);

typedef struct GaussianField_ *GaussianField;

/* anisotropy: correlation lengths along y and z in units of that along x.  group and kernel are borrowed.  Collective
 * on group, like everything here. */
PetscErrorCode GaussianFieldCreate(MPI_Comm group, const ScoriaGrid *grid, const FieldKernel *kernel,
                                   const double anisotropy[2], uint64_t seed, GaussianField *field);
PetscErrorCode GaussianFieldDestroy(GaussianField *field);
/* From now on the extent along x is this one [m], and no longer that of the grid.  Local. */
void gaussian_field_set_length(GaussianField field, double length);
/* Makes the spectrum at ell [m]; an ell out of reach is a user error, the same on every rank of the group. */
PetscErrorCode GaussianFieldPrepare(GaussianField field, double ell);
/* Realisation id at ell: g at this rank's cells, in the layout of ScoriaPorosityDraw. */
PetscErrorCode GaussianFieldDraw(GaussianField field, double ell, uint64_t id, double g[]);

#endif

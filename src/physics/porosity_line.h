/* Unit Gaussian fields on a line of cells, g = L z with C = L L^T and z standard normals.  Private to the porosity. */
#ifndef SCORIA_POROSITY_LINE_H
#define SCORIA_POROSITY_LINE_H

#include "porosity_field.h"

typedef struct GaussianLine_ *GaussianLine;

/* For the cells first ... first + number - 1 of a grid of one axis.  kernel is borrowed.  Local, like all of them. */
PetscErrorCode GaussianLineCreate(const ScoriaGrid *grid, const FieldKernel *kernel, int first, int number,
                                  GaussianLine *line);
PetscErrorCode GaussianLineDestroy(GaussianLine *line);          /* none (NULL): nothing is done */
int gaussian_line_cells(GaussianLine line);                      /* of the grid: length of z */
void gaussian_line_set_length(GaussianLine line, double length); /* from now on, in place of the grid's [m] */
/* g (number) at ell [m] from z (cells).  The same bits whichever cells are asked for. */
PetscErrorCode GaussianLineFrom(GaussianLine line, double ell, const double z[], double g[]);

#endif

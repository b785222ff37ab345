/* The axes of an array, for the files that tell which is which.  All local. */
#ifndef SCORIA_DATA_IMPORT_AXES_H
#define SCORIA_DATA_IMPORT_AXES_H

#include "import.h"

typedef char ImportNames[SCORIA_FOREIGN_RANK][SCORIA_NAME_SIZE];

/* User errors about an array of `what`: a shape that is none of those expected; a choice of the axis `of` that the
 * program does not take. */
PetscErrorCode ImportWrongShape(const Import *im, const char *what, const ImportColumn *c, const char *expected);
PetscErrorCode ImportAmbiguous(const Import *im, const char *what, const ImportColumn *c, const char *of, bool field);
bool import_matters(const ImportColumn *c, int a); /* its extent is not 1 */
bool import_same_scale(const ScoriaForeignAxis *a, const ScoriaForeignAxis *b);
/* The axis of that name where the deck names them; -1: none. */
int import_named(const ImportColumn *c, ImportNames name, const char *wanted);
/* Cells of a field along axis d of cells, and of the whole field. */
int import_extent(const Import *im, const ImportColumn *field, int d);
int import_cells(const Import *im, const ImportColumn *field);
/* Whether it lies along an axis that the deck has: x may be none. */
bool import_has_cells(const Import *im, const ImportColumn *field);
/* Whether a field, whose axis is named, has that along x, y or z of its own. */
bool import_has_own(const ScoriaField *field, int d);
bool import_is_cell(const ImportColumn *c, int a);
/* The axes of cells of a field, which may lack some. */
PetscErrorCode ImportFindCells(const Import *im, const char *what, ImportNames name, ImportColumn *c);
int import_lacks(const Import *im, const ImportColumn *c); /* the first axis of cells that a field lacks; -1: none */
bool import_is_scalar(const Import *im, const ImportColumn *c); /* that it lacks all */
PetscErrorCode ImportSayRepeated(const Import *im, int f);
/* A user error: what was expected of an array without an axis of cells. */
PetscErrorCode ImportWrongCells(const Import *im, const char *what, const ImportColumn *c, int missing);

#endif

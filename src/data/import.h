/* Private to import: a file of the user's and what the deck's section `import` makes of it. */
#ifndef SCORIA_CMD_IMPORT_H
#define SCORIA_CMD_IMPORT_H

#include "scoria/data.h"

/* Where the values of a row of the dataset stand in an array of the file. */
typedef struct {
  char path[256];
  int array;         /* index in the file; -1: one value for all rows */
  int64_t component; /* of "path:component"; -1: none is named */
  double factor;     /* from the file's unit to ours; the value itself where there is no array */
  bool transposed;   /* fields (L, N) */
  int64_t group;     /* fields (K, R, L): R; conditions given for runs of so many rows; else 1 */
} ImportColumn;

typedef struct {
  MPI_Comm comm;
  const char *path;   /* borrowed from the deck */
  ScoriaForeign file; /* owned */
  int64_t found;      /* N: rows of the file */
  ScoriaDatasetSpec spec;
  ImportColumn field[SCORIA_MAX_FIELDS], condition[SCORIA_MAX_CONDITIONS], x;
  double *centres; /* owned (cells) */
  double *theta;   /* owned (found, space.n) */
  int64_t *from;   /* owned (spec.rows): row of the file; -1: none, as the condition has fewer */
  int64_t *first;  /* owned (conditions): the first row of the file at each */
  int64_t lacking; /* rows that are not in the file */
} Import;

/* Reads the section, opens the file, and finds out what stands where: spec but its rows, the columns, x.  Collective.
 */
PetscErrorCode ImportMap(ScoriaRun run, ScoriaDeck deck, Import *im);
/* Reads the conditions, finds the rows of each, and ranges.  Collective. */
PetscErrorCode ImportGroup(Import *im);
PetscErrorCode ImportDestroy(Import *im);
/* Rows [first, first + number) of the dataset into rows.  Local; trouble is told by ScoriaForeignAgree. */
PetscErrorCode ImportRead(const Import *im, int64_t first, int64_t number, ScoriaRows *rows);
/* import_reference of the channels of a model, in the order of the fields; those not named are left.  Local. */
PetscErrorCode ScoriaImportedReferences(ScoriaDeck deck, double reference[SCORIA_MAX_FIELDS]);

#endif

/* Private to import: a file of the user's and what the deck's section `import` makes of it. */
#ifndef SCORIA_DATA_IMPORT_H
#define SCORIA_DATA_IMPORT_H

#include "making.h"
#include "scoria/foreign_files.h"

#define IMPORT_PATH 512
#define IMPORT_GRID 3 /* axes of cells at most */

/* Where the values of a row of the file stand in an array of it. */
typedef struct {
  char path[IMPORT_PATH];
  char order[256];      /* names of its axes, "x,row"; "": not given */
  int array;            /* index in the file; -1: one value for all rows */
  int64_t channel;      /* index along the axis of channels; -1: it has none */
  double value;         /* for all rows, where there is no array */
  double scale, offset; /* from the file's unit to ours */
  bool scaled;          /* the deck has given them */
  char unit[24];        /* of cell centres: the file's, by the deck alone; "": not given */
  int rank;
  int64_t dims[SCORIA_FOREIGN_RANK];
  int cells[IMPORT_GRID];              /* axes of cells along x, y, z; -1: none, a field is the same along it */
  int channels;                        /* axis of channels; -1: none */
  int axis[SCORIA_FOREIGN_RANK];       /* index of the axis of rows; IMPORT_ALONE: it lies along rows as they are
                                          numbered; -1: no axis of rows */
  int64_t stride[SCORIA_FOREIGN_RANK]; /* in rows, for an axis of rows; else 0 */
  int64_t step[SCORIA_FOREIGN_RANK];   /* in cells, for an axis of cells; else 0 */
} ImportColumn;

#define IMPORT_ALONE SCORIA_FOREIGN_RANK

/* An axis along which rows of the file lie. */
typedef struct {
  char name[SCORIA_NAME_SIZE]; /* "": not known */
  ScoriaForeignAxis scale;
  int64_t length, stride;
  bool conditioned; /* a condition varies along it */
} ImportAxis;

/* A row of the file, and its place in the dataset. */
typedef struct {
  double theta[SCORIA_MAX_CONDITIONS]; /* zeros beyond space.n */
  double key;                          /* what it is sorted by */
  int64_t row;                         /* of the file; IMPORT_NO_ROW: none, behind all others */
  int64_t first;                       /* the first row of the file at its condition */
  int64_t at;                          /* its index among the rows of its condition; at last, its row of the dataset */
} ImportRow;

#define IMPORT_NO_ROW INT64_MAX

typedef struct {
  MPI_Comm comm;
  ScoriaRun run;      /* borrowed */
  const char *path;   /* borrowed from the deck */
  ScoriaForeign file; /* owned */
  int64_t found;      /* N: rows of the file */
  int naxes;
  ImportAxis axis[SCORIA_FOREIGN_RANK]; /* in the order of the array of field `told` */
  int told;                             /* the first field whose array has most of them */
  bool flat;                            /* an array numbers rows in that order */
  ScoriaDatasetSpec spec;
  ImportColumn field[SCORIA_MAX_FIELDS], condition[SCORIA_MAX_CONDITIONS];
  ImportColumn own[SCORIA_MAX_FIELDS][IMPORT_GRID]; /* centres of a field's own; path "": it has none */
  ScoriaForeignAxis own_along[SCORIA_MAX_FIELDS][IMPORT_GRID];
  bool bounded[SCORIA_MAX_FIELDS]; /* fields that stay in an interval: */
  double bounds[SCORIA_MAX_FIELDS][2];
  int grid; /* axes of cells: 1 of profiles, whose centre[0] has no path where there are none, 2 or 3 of whole fields */
  ImportColumn centre[IMPORT_GRID];     /* cell centres along x, y, z */
  ScoriaForeignAxis along[IMPORT_GRID]; /* their scales */
  int extent[IMPORT_GRID];              /* and how many there are; 1 along axes that there are not */
  double *centres;                      /* owned (spec_centres) */
  int64_t block, rows;                  /* room for rows of the file, on every rank; and those that are here */
  ImportRow *row;                       /* owned (block): in the order of the dataset at last */
  int64_t begin, end; /* rows of the dataset that this rank writes: up to the first of the next rank */
  int64_t lacking;    /* rows that are not in the file */
  int64_t
      without[SCORIA_MAX_CONDITIONS + 1]; /* rows of the file left out, as this condition is no number; all of them */
} Import;

/* Reads the section: names, units, columns as far as the deck says.  Local. */
PetscErrorCode ImportReadDeck(ScoriaDeck deck, Import *im);
extern const char *const import_grid_names[IMPORT_GRID]; /* "x", "y", "z" */
/* Has columns converted from the file's units to the deck's, and cell centres to metres, and says so.  What converts
 * by nothing that is known is a user error, as are places in metres in the deck where nothing says what x is in.
 * Collective. */
PetscErrorCode ImportUnits(ScoriaDeck deck, Import *im);
/* Finds out what the axes of an array are: of the cell centres, of fields in their order, from which the shapes of all
 * follow, of conditions after all fields; and the numbering of rows at last.  Local, alike on every rank; what does not
 * fit is a user error. */
PetscErrorCode ImportPlaceCentres(Import *im);
PetscErrorCode ImportPlaceFields(Import *im);
PetscErrorCode ImportSettleShapes(Import *im);
PetscErrorCode ImportPlaceCondition(Import *im, int k);
PetscErrorCode ImportNumberRows(Import *im);
/* Reads the section, opens the file, and finds out what stands where: spec but its rows, the columns, x.  Says what is
 * applied.  Collective. */
PetscErrorCode ImportMap(ScoriaRun run, ScoriaDeck deck, Import *im);
/* Reads the conditions of the file's rows, a block of them on each rank, and sets ranges.  Values that differ by
 * round-off become one.  Collective. */
PetscErrorCode ImportReadConditions(Import *im);
/* Finds the rows of each condition, and their order.  Collective. */
PetscErrorCode ImportGroup(Import *im);
/* Stores fields in double precision where single does not resolve how the rows of a condition differ.  Collective. */
PetscErrorCode ImportPrecision(Import *im);
/* Sorts the rows of all ranks.  Collective. */
PetscErrorCode ImportSort(Import *im, int (*compare)(const void *, const void *));
/* The last of this rank's rows at or before a row of the dataset, which is this rank's.  Local. */
int64_t import_find(const Import *im, int64_t place);
PetscErrorCode ImportDestroy(Import *im);
/* import_list.c: whether the deck maps anything; and where it does not, what import_file holds, and a deck to start
 * from, told and as import.yaml in the run directory.  Collective. */
PetscErrorCode ImportHasMapping(ScoriaDeck deck, bool *has);
PetscErrorCode ImportList(ScoriaRun run, ScoriaDeck deck);
/* The axes of rows of an array, the fastest first, by their strides: how many.  Local. */
int import_sorted_axes(const ImportColumn *c, int axis[SCORIA_FOREIGN_RANK]);
/* A row of the file, and which of a batch it is. */
typedef struct {
  int64_t row, at;
} ImportWanted;
/* Room for the reading of a batch of so many rows. */
typedef struct {
  ImportWanted *wanted; /* owned, as are the others */
  bool *finite;
  void *block; /* (rows, cells) double */
} ImportRoom;
PetscErrorCode ImportRoomCreate(const ScoriaDatasetSpec *spec, int64_t rows, ImportRoom *room);
PetscErrorCode ImportRoomDestroy(ImportRoom *room);
/* Rows [first, first + number) of the dataset, which are this rank's, into rows, fields as stored; those that are not
 * in the file (SCORIA_ROW_LACKING) have any.  not_finite (fields), may be NULL: how many rows have a value in the field
 * that is no number is added.  Local; trouble is told by ScoriaForeignAgree. */
PetscErrorCode ImportRead(const Import *im, int64_t first, int64_t number, ImportRoom *room, ScoriaRows *rows,
                          int64_t not_finite[]);

#endif

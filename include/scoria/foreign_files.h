/* scoria/foreign_files.h - files that are not ours: numeric arrays of HDF5, and measured structures. */
#ifndef SCORIA_FOREIGN_FILES_H
#define SCORIA_FOREIGN_FILES_H

#include "io.h"

/* One numeric array of any HDF5 file, also one not ours: its shape (rank -1 where there is none of that name), and its
 * values as doubles.  Rank 0 reads, every rank gets them; a file that cannot be read is a user error.  Collective. */
PetscErrorCode ScoriaArrayShape(MPI_Comm comm, const char *path, const char *name, int max_rank, int *rank,
                                int64_t dims[]);
PetscErrorCode ScoriaArrayRead(MPI_Comm comm, const char *path, const char *name, int64_t count, double data[]);

/* Blocks of numeric arrays of an HDF5 file that is not ours, whatever their types, layouts and filters, as doubles. */
typedef struct ScoriaForeign_ *ScoriaForeign;
#define SCORIA_FOREIGN_RANK 8 /* dimensions of an array, at most */

/* The dimension scale of an axis (HDF5 Dimension Scale Specification, which netCDF-4 uses): axes with the same one are
 * the same axis. */
typedef struct {
  uint64_t known, file; /* address in that file; 0: the axis has none */
  char name[SCORIA_NAME_SIZE];
} ScoriaForeignAxis;

/* An array of numbers of such a file. */
typedef struct {
  char path[512];
  int rank;
  int64_t dims[SCORIA_FOREIGN_RANK];
  ScoriaForeignAxis axis[SCORIA_FOREIGN_RANK];
  char unit[SCORIA_NAME_SIZE]; /* "": none */
} ScoriaForeignArray;

/* A file that is no HDF5 file is a user error.  Collective. */
PetscErrorCode ScoriaForeignProbe(MPI_Comm comm, const char *path);
/* Arrays that are passed over: as their elements have several members, or as a deck cannot have their names. */
typedef struct {
  int n;
  char first[256]; /* path */
  int unnamed;     /* with control characters, or not UTF-8 */
} ScoriaForeignTables;

/* The arrays of numbers of a file, `most` at most, in the order of their paths, to list (most), after a child process
 * of rank 0 has listed them within limits on time and memory.  Collective on comm. */
PetscErrorCode ScoriaForeignList(MPI_Comm comm, const char *path, int most, ScoriaForeignArray list[], int *n,
                                 ScoriaForeignTables *tables);
/* Opens n arrays (by their paths), on every rank, after a child process of rank 0 has read every value of them within
 * limits on time and memory.  What cannot be read is a user error.  Collective on comm. */
PetscErrorCode ScoriaForeignOpen(MPI_Comm comm, const char *path, int n, const char *const name[], ScoriaForeign *file);
PetscErrorCode ScoriaForeignClose(ScoriaForeign *file);
int64_t foreign_modified(ScoriaForeign file); /* its date [ns] */
/* The name of the file, its size and CRC32C, and those of the files that it refers to; of array i its number of
 * dimensions (0: one value) and their lengths, their scales, what is applied to its raw numbers ("scale_factor 0.01";
 * "": nothing), and its attribute units or, without one, the unit in brackets at the
 * end of its name, "" where there is none; and which of the two. */
const char *foreign_source(ScoriaForeign file);
const ScoriaForeignAxis *foreign_axes(ScoriaForeign file, int i);
const char *foreign_packing(ScoriaForeign file, int i);
const char *foreign_unit(ScoriaForeign file, int i);
const char *foreign_unit_from(ScoriaForeign file, int i);
bool foreign_single(ScoriaForeign file, int i); /* whether it holds reals of single precision */
bool foreign_plain(ScoriaForeign file, int i);  /* whether these are IEEE's, in any order of bytes, and not packed */
void foreign_shape(ScoriaForeign file, int i, int *rank, int64_t dims[SCORIA_FOREIGN_RANK]);
/* The block of array i from start on, count (rank) values along each axis, in the order of the file: unpacked by the
 * netCDF conventions (scale_factor, add_offset, _FillValue, ...), NaN where there is no value.  Local; what goes
 * wrong is kept for the next Agree, which is collective: a user error on every rank where any has met one. */
PetscErrorCode ScoriaForeignRead(ScoriaForeign file, int i, const int64_t start[], const int64_t count[],
                                 double data[]);
/* The same of an array of plain numbers (foreign_plain), as they are. */
PetscErrorCode ScoriaForeignReadPlain(ScoriaForeign file, int i, const int64_t start[], const int64_t count[],
                                      float data[]);
PetscErrorCode ScoriaForeignAgree(ScoriaForeign file);

/* A measured structure: numbers over (row,) z, y, x, in whatever order, of an array of HDF5 (by its path), an NPY file,
 * a CSV file (a row a line), or TIFF images, the pages of a file or the files of a directory by their names.  Opened
 * and read by the rank that calls alone; what cannot be read is a user error of that rank, for ScoriaAgreeFailed. */
typedef struct ScoriaStructure_ *ScoriaStructure;
#define SCORIA_STRUCTURE_RANK 4
PetscErrorCode ScoriaStructureOpen(const char *path, const char *array, ScoriaStructure *structure);
PetscErrorCode ScoriaStructureClose(ScoriaStructure *structure);
/* Lengths of its axes, the slowest first, 2 to SCORIA_STRUCTURE_RANK of them: what has one less than 2 has a first one
 * of length 1, as have images, (images, lines, pixels), where there is one. */
void structure_shape(ScoriaStructure structure, int *rank, int64_t dims[SCORIA_STRUCTURE_RANK]);
bool structure_images(ScoriaStructure structure);
/* The values at `index` of the first axis, (dims[1], ...): one after the other is what is fast. */
PetscErrorCode ScoriaStructureSlab(ScoriaStructure structure, int64_t index, double values[]);
/* "name, 1234 bytes, CRC32C 0badcafe" of such a file, or of all images of a directory, as it is now; "" where there is
 * none that can be read.  Collective on comm. */
PetscErrorCode ScoriaStructureNow(MPI_Comm comm, const char *path, char now[SCORIA_SOURCE_SIZE]);

#endif

/* Private to the readers of measured structures: the formats, one file each. */
#ifndef SCORIA_IO_STRUCTURE_H
#define SCORIA_IO_STRUCTURE_H

#include "private.h"
#include "scoria/foreign_files.h"

/* What a reader tells of a file: an array, dims[0] slabs of equal shape. */
typedef struct {
  int rank;
  int64_t dims[SCORIA_STRUCTURE_RANK];
  bool images;
} StructureShape;

/* A format, recognised by the first bytes of a file (`n` of them in head).  What cannot be read is noted in `bad`. */
typedef struct {
  const char *name;
  bool (*is)(const unsigned char head[], size_t n);
  PetscErrorCode (*open)(const char *path, const char *array, StructureShape *shape, void **ctx, ScoriaTrouble *bad);
  PetscErrorCode (*slab)(void *ctx, const StructureShape *shape, int64_t index, double values[], ScoriaTrouble *bad);
  PetscErrorCode (*close)(void *ctx);
} StructureFormat;

extern const StructureFormat structure_array, structure_npy, structure_tiff, structure_csv;

/* The TIFF files of a directory by their names, numbers in them by their value; free with StackFree.  n is 0 where
 * there are none, or where it cannot be read. */
PetscErrorCode StackList(const char *directory, int *n, char ***paths);
PetscErrorCode StackFree(int n, char ***paths);

/* Notes a length that no axis has, or slabs that no memory holds: what a header claims may be damaged. */
void structure_check_lengths(const StructureShape *shape, ScoriaTrouble *bad);

/* Values of a slab: the product of the lengths of all axes but the first. */
static inline int64_t slab_values(const StructureShape *shape)
{
  int64_t values = 1;
  for (int a = 1; a < shape->rank; a++) values *= shape->dims[a];
  return values;
}

#endif

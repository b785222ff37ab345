/* Private to the readers of files that are not ours: an array of one, and what the file says about its values. */
#ifndef SCORIA_FOREIGN_H
#define SCORIA_FOREIGN_H

#include "private.h"
#include "scoria/foreign_files.h"

/* How numbers are packed, by the attributes of the netCDF conventions (CF 1.11, sections 2.5.1 and 8.1). */
#define SCORIA_MISSING 8
typedef struct {
  double scale, offset; /* value = raw * scale + offset */
  double wrap;          /* added to raw numbers below 0 (attribute _Unsigned); 0: none */
  int nmissing;
  double missing[SCORIA_MISSING]; /* raw numbers that stand for no value */
  double lo, hi;                  /* values outside are none; of raw numbers, or of unpacked ones */
  bool unpacked;
  char text[200]; /* what is applied; "": nothing */
  char unit[SCORIA_NAME_SIZE];
  bool named; /* the unit is that of the array's name */
} ScoriaPacking;

/* Attributes that make no sense are trouble. */
PetscErrorCode PackingRead(hid_t array, const char *name, ScoriaPacking *packing, ScoriaTrouble *bad);
/* Raw numbers to values, NaN for those that are none. */
void packing_apply(const ScoriaPacking *packing, size_t n, double v[]);

/* The dimension scale of every axis of an array, or itself where it is one: known 0 where there is none. */
PetscErrorCode AxesRead(hid_t array, int rank, ScoriaForeignAxis axis[], ScoriaTrouble *bad);

/* Other files that hold values of the arrays: targets of external links, sources of virtual datasets, raw data. */
typedef struct {
  int n, capacity;
  char **path; /* owned */
} ScoriaSources;

/* Notes the files behind an array of the file at `path`, and how many bytes they have; a source that is missing is
 * trouble, as HDF5 would read fill values in its place. */
PetscErrorCode SourcesAdd(ScoriaSources *sources, const char *path, hid_t array, const char *name, uint64_t *bytes,
                          ScoriaTrouble *bad);
PetscErrorCode SourcesDestroy(ScoriaSources *sources);
/* Notes why an array, or a source of it, cannot be read: names a filter that this HDF5 does not have. */
PetscErrorCode NoteUnreadable(const char *path, hid_t array, const char *name, ScoriaTrouble *bad);

/* Whether values of a type are read as numbers: integers, reals, and enumerations, among them h5py's truth values. */
bool type_is_number(hid_t type);
/* Whether a name is UTF-8 without control characters, as that of an array in a deck is. */
bool name_is_plain(const char *name);
/* Notes what an array is of instead. */
void note_not_numbers(hid_t type, const char *name, ScoriaTrouble *bad);
/* What an enumeration is read as, "enumeration FALSE 0, TRUE 1". */
void enumeration_text(hid_t type, size_t size, char text[]);
/* Notes what stands in the way along a path that leads to no array: a link to nothing, or an array in place of a group.
 * Nothing where it is just not there. */
void note_path(hid_t file, const char *name, ScoriaTrouble *bad);

/* Notes that a file has no array of that name, and the array whose name is most like it.  In a trial at first. */
PetscErrorCode NoteMissing(hid_t file, const char *name, ScoriaTrouble *bad);

#endif

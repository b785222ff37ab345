/* Private to import: what numbers of a file look as if they were none. */
#ifndef SCORIA_DATA_IMPORT_SUSPECT_H
#define SCORIA_DATA_IMPORT_SUSPECT_H

#include "import.h"

/* Of a set of values the two least that differ, those of opposite sign likewise (the two largest, times -1), and in how
 * many rows the outermost is. */
typedef struct {
  double end[2][2];
  int64_t rows[2];
} ImportEnds;

typedef struct {
  ImportEnds field[SCORIA_MAX_FIELDS];
  int64_t zero[SCORIA_MAX_FIELDS], varied[SCORIA_MAX_FIELDS]; /* rows that are 0 in all cells of the field; that vary */
  int64_t rows, empty, varying; /* that were looked at; of these, 0 in all fields; more than one value in some field */
  uint64_t *key;                /* owned (room): of the varying ones, by their condition and all their values */
} ImportSuspects;

/* Room for `most` rows. */
PetscErrorCode ImportSuspectsCreate(int64_t most, ImportSuspects *s);
PetscErrorCode ImportSuspectsDestroy(ImportSuspects *s);
/* Takes in a batch of rows of the dataset from `first` on that have been written; those that are marked as failed are
 * passed over.  Local. */
void import_suspect_rows(const ScoriaDatasetSpec *spec, int64_t first, const ScoriaRows *rows, ImportSuspects *s);
/* Warns of what the rows of all ranks look like, as far as they were read in this start, and of conditions likewise:
 * a value far from all others, as of a gap that is not marked; rows that were never written; rows that are there twice;
 * a field that does not vary.  Collective. */
PetscErrorCode ImportWarn(const Import *im, ImportSuspects *s);

#endif

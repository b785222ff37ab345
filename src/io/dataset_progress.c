/* How far a reading back of all rows has come, when it is stopped: the next start goes on from there, so that a time
 * limit shorter than the whole reading does no more than divide it.
 *
 * `path`.ckpt is a text: the number of leading rows that were read, the CRC of that part of every column, which of the
 * rows are there and whole, and its own CRC.  It counts only for a part file whose CRCs of rows are those that it was
 * made of (8 bytes a row to read), and is removed before a row is written. */
#include "private.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LINE 64 /* bytes of a line, at most */

static PetscErrorCode CheckpointPath(ScoriaDataset ds, size_t size, char path[])
{
  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(path, size, "%s.ckpt", ds->path));
  PetscFunctionReturn(0);
}

PetscErrorCode ReadingKeep(ScoriaDataset ds, const ScoriaReading *reading)
{
  const size_t room = LINE * (size_t)(2 + SCORIA_MAX_COLUMNS + reading->there.n);
  char path[PETSC_MAX_PATH_LEN], *text;
  size_t at = 0;

  PetscFunctionBeginUser;
  PetscCall(CheckpointPath(ds, sizeof path, path));
  PetscCall(PetscMalloc1(room, &text));
  at += (size_t)snprintf(text + at, room - at, "rows %" PRId64 " columns %d intervals %" PRId64 "\n", reading->rows,
                         reading->columns, reading->there.n);
  for (int i = 0; i < reading->columns; i++)
    at += (size_t)snprintf(text + at, room - at, "%08" PRIx32 "\n", reading->crc[i]);
  for (int64_t i = 0; i < reading->there.n; i++)
    at += (size_t)snprintf(text + at, room - at, "%" PRId64 " %" PRId64 "\n", reading->there.at[i].first,
                           reading->there.at[i].end);
  snprintf(text + at, room - at, "crc %08" PRIx32 "\n", crc32c(0, text, at));
  PetscCall(ScoriaWriteText(ds->comm, path, text));
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}

PetscErrorCode ReadingForget(ScoriaDataset ds)
{
  char path[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  PetscCall(CheckpointPath(ds, sizeof path, path));
  PetscCall(ScoriaFileRemove(ds->comm, path));
  PetscFunctionReturn(0);
}

/* Rank 0's part: false where there is nothing, or nothing that can be used. */
static bool parse(FILE *in, int64_t rows, int columns, ScoriaReading *reading)
{
  char line[2 * LINE];
  uint32_t crc = 0, kept;
  int64_t n;

  if (!fgets(line, sizeof line, in) ||
      sscanf(line, "rows %" SCNd64 " columns %d intervals %" SCNd64, &reading->rows, &reading->columns, &n) != 3)
    return false;
  if (reading->rows < 0 || reading->rows > rows || reading->columns != columns || n < 0 || n > rows) return false;
  crc = crc32c(crc, line, strlen(line));
  for (int i = 0; i < columns; i++) {
    if (!fgets(line, sizeof line, in) || sscanf(line, "%" SCNx32, &reading->crc[i]) != 1) return false;
    crc = crc32c(crc, line, strlen(line));
  }
  for (int64_t i = 0; i < n; i++) {
    ScoriaInterval one;

    if (!fgets(line, sizeof line, in) || sscanf(line, "%" SCNd64 " %" SCNd64, &one.first, &one.end) != 2) return false;
    if (ScoriaIntervalsAdd(&reading->there, one.first, one.end)) return false;
    crc = crc32c(crc, line, strlen(line));
  }
  return fgets(line, sizeof line, in) && sscanf(line, "crc %" SCNx32, &kept) == 1 && kept == crc;
}

/* Whether the rows that were read are those of the file. */
static PetscErrorCode CheckSame(ScoriaDataset ds, ScoriaReading *reading)
{
  const uint32_t *last  = reading->crc + reading->columns - 2; /* the columns of CRCs: of the status, of the rest */
  const uint32_t crc[2] = {last[1], last[0]};
  uint32_t digest;

  PetscFunctionBeginUser;
  if (!reading->rows) PetscFunctionReturn(0);
  PetscCall(ScoriaDatasetDigest(NULL, ds, reading->rows, &digest));
  if (digest != crc32c(0, crc, sizeof crc)) reading->rows = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode ReadingFind(ScoriaDataset ds, ScoriaReading *reading)
{
  ScoriaColumn *column[SCORIA_MAX_COLUMNS];
  const int n = dataset_columns(ds, column);
  char path[PETSC_MAX_PATH_LEN];
  FILE *in = NULL;

  PetscFunctionBeginUser;
  *reading = (ScoriaReading){0};
  PetscCall(CheckpointPath(ds, sizeof path, path));
  if (!ds->rank) in = fopen(path, "r");
  if (in && !parse(in, ds->spec.rows, n, reading)) reading->rows = 0;
  if (in) fclose(in);
  reading->columns = n;
  PetscCallMPI(MPI_Bcast(&reading->rows, 1, MPI_INT64_T, 0, ds->comm));
  PetscCallMPI(MPI_Bcast(reading->crc, SCORIA_MAX_COLUMNS, MPI_UINT32_T, 0, ds->comm));
  PetscCall(CheckSame(ds, reading));
  if (!reading->rows) {
    PetscCall(ScoriaIntervalsDestroy(&reading->there));
    memset(reading->crc, 0, sizeof reading->crc);
  }
  PetscCall(ScoriaIntervalsShare(ds->comm, &reading->there));
  PetscFunctionReturn(0);
}

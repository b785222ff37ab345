/* Rows in memory: every array of a ScoriaRows lies in one zeroed arena, widest types first so that all are aligned. */
#include "private.h"
#include <string.h>

const ScoriaStatusColumn scoria_status[SCORIA_STATUS_COLUMNS] = {
    {"done", IO_U1, "1", "1: solved; 2: failed, the fields are NaN; 0: not computed"},
    {"reason", IO_I4, "1", "SNESConvergedReason of the last attempt; 0 for a sample"},
    {"newton", IO_I4, "1", "Newton iterations"},
    {"attempts", IO_U1, "1", "attempts made at the solve"},
    {"residual", IO_F8, "1", "final residual norm, scaled as the solver states"},
};

void *rows_status(const ScoriaRows *rows, int i)
{
  void *const column[SCORIA_STATUS_COLUMNS] = {rows->done, rows->reason, rows->newton, rows->attempts, rows->residual};

  return column[i];
}

/* The next n items of `size` bytes in the arena; a NULL base only measures. */
static void *arena_take(char *base, size_t *used, size_t n, size_t size)
{
  char *p = base ? base + *used : NULL;

  *used += n * size;
  return p;
}

static size_t arena_deal(const ScoriaDatasetSpec *spec, bool stored, char *base, ScoriaRows *rows)
{
  const size_t n = (size_t)rows->capacity;
  size_t used    = 0;

  for (int f = 0; f < spec->nfields && !stored; f++)
    rows->field[f] = arena_take(base, &used, n * (size_t)spec->cells, 8);
  for (int c = 0; c < spec->space.n; c++) rows->condition[c] = arena_take(base, &used, n, 8);
  rows->residual = arena_take(base, &used, n, 8);
  for (int f = 0; f < spec->nfields && stored; f++)
    rows->stored[f] = arena_take(base, &used, n, field_row_size(spec, f));
  rows->reason   = arena_take(base, &used, n, 4);
  rows->newton   = arena_take(base, &used, n, 4);
  rows->crc      = arena_take(base, &used, n, 4);
  rows->done     = arena_take(base, &used, n, 1);
  rows->attempts = arena_take(base, &used, n, 1);
  return used;
}

static PetscErrorCode Create(const ScoriaDatasetSpec *spec, int64_t capacity, bool stored, ScoriaRows *rows)
{
  char *arena;
  size_t size;

  PetscFunctionBeginUser;
  PetscCheck(capacity >= 0 && spec->nfields <= SCORIA_MAX_FIELDS && spec->space.n <= SCORIA_MAX_CONDITIONS,
             PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "capacity %lld, %d fields, %d conditions", (long long)capacity,
             spec->nfields, spec->space.n);
  PetscCall(PetscMemzero(rows, sizeof(*rows)));
  rows->capacity = capacity;
  size           = arena_deal(spec, stored, NULL, rows);
  PetscCall(PetscCalloc1(size + 1, &arena)); /* one more: never an empty arena, whose pointers would be NULL */
  rows->arena = arena;
  arena_deal(spec, stored, arena, rows);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaRowsCreate(const ScoriaDatasetSpec *spec, int64_t capacity, ScoriaRows *rows)
{
  PetscFunctionBeginUser;
  PetscCall(Create(spec, capacity, false, rows));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaRowsCreateStored(const ScoriaDatasetSpec *spec, int64_t capacity, ScoriaRows *rows)
{
  PetscFunctionBeginUser;
  PetscCall(Create(spec, capacity, true, rows));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaRowsDestroy(ScoriaRows *rows)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(rows->arena));
  PetscCall(PetscMemzero(rows, sizeof(*rows)));
  PetscFunctionReturn(0);
}

ScoriaRows rows_from(const ScoriaDatasetSpec *spec, const ScoriaRows *rows, int64_t offset)
{
  ScoriaRows part = {.capacity = rows->capacity - offset};

  for (int f = 0; f < spec->nfields; f++) part.field[f] = rows->field[f] + offset * spec->cells;
  for (int c = 0; c < spec->space.n; c++) part.condition[c] = rows->condition[c] + offset;
  part.residual = rows->residual + offset;
  part.reason   = rows->reason + offset;
  part.newton   = rows->newton + offset;
  part.crc      = rows->crc + offset;
  part.done     = rows->done + offset;
  part.attempts = rows->attempts + offset;
  return part;
}

size_t field_row_size(const ScoriaDatasetSpec *spec, int f)
{
  return (size_t)field_cells(&spec->field[f], spec->cells) * (spec->float64 ? sizeof(double) : sizeof(float));
}

size_t fields_row_size(const ScoriaDatasetSpec *spec)
{
  size_t size = 0;
  for (int f = 0; f < spec->nfields; f++) size += field_row_size(spec, f);
  return size;
}

void rows_pack(const ScoriaRows *rows, int64_t first, int64_t n, int channels, const int field[], int cells,
               double fields[])
{
  for (int64_t i = 0; i < n; i++)
    for (int c = 0; c < channels; c++)
      memcpy(fields + (i * channels + c) * cells, rows->field[field ? field[c] : c] + (first + i) * cells,
             (size_t)cells * sizeof(double));
}

void rows_set_status(ScoriaRows *rows, int64_t i, uint8_t done)
{
  rows->done[i]     = done;
  rows->reason[i]   = 0;
  rows->newton[i]   = 0;
  rows->attempts[i] = 0;
  rows->residual[i] = 0;
}

void rows_unpack(int64_t n, int channels, int cells, const double fields[], int conditions, const double theta[],
                 ScoriaRows *rows)
{
  rows->rows = n;
  for (int64_t i = 0; i < n; i++) {
    for (int c = 0; c < channels; c++)
      memcpy(rows->field[c] + i * cells, fields + (i * channels + c) * cells, (size_t)cells * sizeof(double));
    for (int k = 0; k < conditions; k++) rows->condition[k][i] = theta[k];
    rows_set_status(rows, i, SCORIA_ROW_DONE);
  }
}

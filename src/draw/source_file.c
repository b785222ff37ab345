/* Fields that a file holds: its rows by their numbers, at whatever condition they are. */
#include "scoria/draw.h"
#include <math.h>
#include <string.h>

typedef struct {
  ScoriaDataset ds;              /* borrowed */
  const ScoriaDatasetSpec *spec; /* borrowed */
  ScoriaRows rows;               /* owned */
  int channels, index[SCORIA_MAX_FIELDS];
  ScoriaField field[SCORIA_MAX_FIELDS];
} File;

static PetscErrorCode Draw(void *ctx, const double theta[], uint64_t first, int64_t n, double fields[])
{
  (void)theta;
  File *f         = ctx;
  const int width = f->channels * f->spec->cells;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetRead(f->ds, (int64_t)first, n, &f->rows));
  rows_pack(&f->rows, 0, n, f->channels, f->index, f->spec->cells, fields);
  for (int64_t i = 0; i < n; i++)
    if (f->rows.done[i] != SCORIA_ROW_DONE) fields[i * width] = NAN;
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(void *ctx)
{
  File *f = ctx;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRowsDestroy(&f->rows));
  PetscCall(PetscFree(f));
  PetscFunctionReturn(0);
}

static const ScoriaRows *rows_of(void *ctx)
{
  return &((File *)ctx)->rows;
}

static const ScoriaSourceKind source_of_file = {.name = "file", .draw = Draw, .destroy = Destroy, .rows = rows_of};

PetscErrorCode ScoriaSourceOfFile(MPI_Comm comm, ScoriaDataset ds, int channels, const int field[], int64_t most,
                                  ScoriaSource *source)
{
  ScoriaWorkers workers = {.all = {.comm = comm}, .own = {comm, 0, 1}, .leads = true};
  const double *x;
  File *f;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&f));
  f->ds       = ds;
  f->channels = channels;
  PetscCall(ScoriaDatasetInfo(ds, &f->spec, &x, NULL));
  for (int c = 0; c < channels; c++) {
    f->index[c] = field[c];
    f->field[c] = f->spec->field[field[c]];
  }
  PetscCall(ScoriaRowsCreate(f->spec, most, &f->rows));
  PetscCallMPI(MPI_Comm_rank(comm, &workers.all.worker));
  PetscCallMPI(MPI_Comm_size(comm, &workers.all.workers));
  ScoriaFieldShape shape = {.channels = channels,
                            .cells    = f->spec->cells,
                            .field    = f->field,
                            .x        = x,
                            .space    = &f->spec->space,
                            .float64  = f->spec->float64};
  memcpy(shape.shape, f->spec->shape, sizeof shape.shape);
  PetscCall(ScoriaSourceCreate(&source_of_file, f, &shape, &workers, source));
  PetscFunctionReturn(0);
}

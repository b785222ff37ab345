/* Fields of a file's rows that were held back from training, by condition: each drawn once. */
#include "scoria/draw.h"
#include "draw_ranges.h"
#include <math.h>
#include <string.h>

#define CHUNK_ROWS 256 /* read at once, and fewer where they take more than: */
#define CHUNK_BYTES ((int64_t)32 << 20)

typedef struct {
  ScoriaDataset ds;              /* borrowed */
  const ScoriaDatasetSpec *spec; /* borrowed */
  const ScoriaHoldout *holdout;  /* borrowed */
  ScoriaRows rows;               /* owned (chunk) */
  int64_t chunk;                 /* rows */
  const int64_t *index;          /* borrowed: condition k is the index[k]-th that has such rows */
  int part, parts;
  int channels, column[SCORIA_MAX_FIELDS];
  ScoriaField field[SCORIA_MAX_FIELDS];
} HeldOut;

/* How many of n draws from the i-th on lie within a chunk of the file from the first of them on. */
static int64_t count_near(const HeldOut *h, int64_t k, int64_t i, int64_t n)
{
  const int64_t first = holdout_row(h->holdout, k, i * h->parts + h->part);
  int64_t near        = 1;
  while (near < n && holdout_row(h->holdout, k, (i + near) * h->parts + h->part) < first + h->chunk) near++;
  return near;
}

/* The near ones, in one read. */
static PetscErrorCode ReadNear(HeldOut *h, int64_t k, int64_t i, int64_t n, double fields[])
{
  const int width     = h->channels * h->spec->cells;
  const int64_t first = holdout_row(h->holdout, k, i * h->parts + h->part);
  const int64_t last  = holdout_row(h->holdout, k, (i + n - 1) * h->parts + h->part);
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetReadAlone(h->ds, first, last - first + 1, &h->rows));
  for (int64_t j = 0; j < n; j++) {
    const int64_t at = holdout_row(h->holdout, k, (i + j) * h->parts + h->part) - first;
    rows_pack(&h->rows, at, 1, h->channels, h->column, h->spec->cells, fields + j * width);
    if (h->rows.done[at] != SCORIA_ROW_DONE)
      for (int c = 0; c < width; c++) fields[j * width + c] = NAN;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Draw(void *ctx, const double theta[], uint64_t first, int64_t n, double fields[])
{
  (void)theta;
  HeldOut *h      = ctx;
  const int width = h->channels * h->spec->cells;
  const int64_t k = h->index[draw_condition(first)], i = draw_realisation(first);
  const int64_t all   = (holdout_each(h->holdout) - h->part + h->parts - 1) / h->parts;
  const int64_t there = PetscClipInterval(all - i, 0, n);
  PetscFunctionBeginUser;
  for (int64_t j = 0, near; j < there; j += near) {
    near = count_near(h, k, i + j, there - j);
    PetscCall(ReadNear(h, k, i + j, near, fields + j * width));
  }
  for (int64_t j = there * width; j < n * width; j++) fields[j] = NAN;
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(void *ctx)
{
  HeldOut *h = ctx;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRowsDestroy(&h->rows));
  PetscCall(PetscFree(h));
  PetscFunctionReturn(0);
}

static const ScoriaRows *rows_of(void *ctx)
{
  return &((HeldOut *)ctx)->rows;
}

static const ScoriaSourceKind source_of_held_out = {
    .name = "held out", .draw = Draw, .destroy = Destroy, .rows = rows_of};

PetscErrorCode ScoriaSourceOfHeldOut(MPI_Comm comm, ScoriaDataset ds, const ScoriaHoldout *holdout,
                                     const int64_t index[], int channels, const int field[], int part, int parts,
                                     ScoriaSource *source)
{
  ScoriaWorkers workers = {.all = {.comm = comm}, .own = {PETSC_COMM_SELF, 0, 1}, .leads = true};
  const double *x;
  HeldOut *h;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&h));
  *h = (HeldOut){.ds = ds, .holdout = holdout, .index = index, .part = part, .parts = parts, .channels = channels};
  PetscCall(ScoriaDatasetInfo(ds, &h->spec, &x, NULL));
  for (int c = 0; c < channels; c++) {
    h->column[c] = field[c];
    h->field[c]  = h->spec->field[field[c]];
  }
  const int64_t row = (int64_t)sizeof(double) * h->spec->nfields * h->spec->cells;
  h->chunk          = PetscClipInterval(CHUNK_BYTES / row, 1, CHUNK_ROWS);
  PetscCall(ScoriaRowsCreate(h->spec, h->chunk, &h->rows));
  PetscCallMPI(MPI_Comm_rank(comm, &workers.all.worker));
  PetscCallMPI(MPI_Comm_size(comm, &workers.all.workers));
  ScoriaFieldShape shape = {.channels = channels,
                            .cells    = h->spec->cells,
                            .field    = h->field,
                            .x        = x,
                            .space    = &h->spec->space,
                            .float64  = h->spec->float64};
  memcpy(shape.shape, h->spec->shape, sizeof shape.shape);
  PetscCall(ScoriaSourceCreate(&source_of_held_out, h, &shape, &workers, source));
  PetscFunctionReturn(0);
}

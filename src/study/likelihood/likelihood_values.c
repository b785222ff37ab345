/* likelihood: the log densities of a list of rows.
 *
 * The rows are dealt over ranks in blocks; every rank reads and evaluates its own, and hands them in chunk by chunk to
 * rank 0, which writes the file. */
#include "likelihood.h"
#include <math.h>
#include <string.h>

#define CHUNK_ROWS 1024                /* of every rank, at most, before it looks whether to stop */
#define CHUNK_BYTES ((size_t)32 << 20) /* of their fields, at most, unless one row takes more */

int64_t likelihood_condition(LikelihoodList *list, int64_t i)
{
  const int64_t place = i * list->asked / list->conditions;
  if (!list->split) return place;
  if (place < list->place) list->place = list->at = 0;
  while (!split_leaves_out(list->split, list->at) || list->place < place)
    list->place += split_leaves_out(list->split, list->at++);
  return list->at;
}

static PetscErrorCode Allocate(int64_t rows, int n, LikelihoodAnswer *a)
{
  PetscFunctionBeginUser;
  for (int c = 0; c < LIKELIHOOD_COLUMNS; c++) PetscCall(PetscMalloc1(rows, &a->column[c]));
  PetscCall(PetscMalloc1(rows * PetscMax(n, 1), &a->theta));
  PetscFunctionReturn(0);
}

PetscErrorCode LikelihoodAnswerCreate(MPI_Comm comm, const LikelihoodList *list, int n, bool volume,
                                      LikelihoodAnswer *a)
{
  PetscMPIInt rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  *a = (LikelihoodAnswer){
      .conditions = list->conditions, .rows = list->conditions * list->each, .n = n, .volume = volume};
  if (!rank) PetscCall(Allocate(a->rows, n, a));
  PetscFunctionReturn(0);
}

PetscErrorCode LikelihoodAnswerDestroy(LikelihoodAnswer *a)
{
  PetscFunctionBeginUser;
  for (int c = 0; c < LIKELIHOOD_COLUMNS; c++) PetscCall(PetscFree(a->column[c]));
  PetscCall(PetscFree(a->theta));
  PetscFunctionReturn(0);
}

/* What the source tells of the rows that were drawn last, which are rows [row, row + n) of it, [at, at + n) of the
 * chunk. */
static void take_rows(const ScoriaRows *rows, const LikelihoodList *list, int64_t row, int64_t n, int64_t at,
                      LikelihoodAnswer *chunk)
{
  for (int64_t i = 0; i < n; i++) {
    chunk->column[LIKELIHOOD_ROW][at + i]    = (double)(row + i);
    chunk->column[LIKELIHOOD_FAILED][at + i] = rows->done[i] != SCORIA_ROW_DONE;
    for (int k = 0; k < chunk->n; k++) chunk->theta[(at + i) * chunk->n + k] = rows->condition[list->condition[k]][i];
  }
}

/* The fields (number, C, L) of rows [first, first + number) of the list.  Every rank draws the same number of times.
 * Collective. */
static PetscErrorCode ReadRows(MPI_Comm comm, ScoriaSource given, LikelihoodList *list, int64_t first, int64_t number,
                               double fields[], LikelihoodAnswer *chunk)
{
  const int width    = source_shape(given)->channels * source_shape(given)->cells;
  const int64_t each = list->each;
  int64_t pieces     = number ? (first + number - 1) / each - first / each + 1 : 0;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &pieces, 1, MPI_INT64_T, MPI_MAX, comm));
  for (int64_t at = first; pieces > 0; pieces--) {
    const int64_t from = at % each, part = PetscMax(PetscMin(each - from, first + number - at), 0),
                  row = part ? likelihood_condition(list, at / each) * list->realisations + from : 0;
    PetscCall(ScoriaSourceDraw(given, NULL, (uint64_t)row, part, fields + (at - first) * width));
    take_rows(source_rows(given), list, row, part, at - first, chunk);
    at += part;
  }
  PetscFunctionReturn(0);
}

/* Of this rank's rows [first, first + number).  What one rank meets alone, all fail with. */
static PetscErrorCode EvaluateRows(MPI_Comm comm, ScoriaSource law, const ScoriaLikelihoodOptions *opt, int64_t first,
                                   int64_t number, const double fields[], LikelihoodAnswer *chunk)
{
  const ScoriaLogDensity out = {chunk->column[LIKELIHOOD_LOG_DENSITY], chunk->column[LIKELIHOOD_GAUSSIAN],
                                chunk->volume ? chunk->column[LIKELIHOOD_LOG_VOLUME] : NULL};
  uint64_t id[CHUNK_ROWS];
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < number; i++) id[i] = (uint64_t)chunk->column[LIKELIHOOD_ROW][i];
  const PetscErrorCode bad = ScoriaSourceDensity(law, opt, first, number, id, chunk->theta, fields, &out);
  if (bad && ScoriaFailureCode() == SCORIA_EXIT_OK) PetscCall(bad);
  PetscCall(ScoriaAgree(comm, ScoriaFailureCode(), ScoriaFailureLine()));
  for (int64_t i = 0; i < number; i++)
    if (chunk->column[LIKELIHOOD_FAILED][i] > 0 || !chunk->volume) chunk->column[LIKELIHOOD_LOG_VOLUME][i] = NAN;
  for (int64_t i = 0; i < number; i++)
    if (chunk->column[LIKELIHOOD_FAILED][i] > 0) out.log_density[i] = out.gaussian[i] = NAN;
  PetscFunctionReturn(0);
}

/* Rank r's rows of a batch, whole tiles but for the last. */
static void deal_tiles(int64_t batch, int64_t tile, int r, int size, int64_t *first, int64_t *rows)
{
  deal_block((batch + tile - 1) / tile, r, size, first, rows);
  *first = PetscMin(*first * tile, batch);
  *rows  = PetscMin(*rows * tile, batch - *first);
}

/* Rows of a chunk to rank 0, as records of all their values: row `at` of the answer is the first of rank 0's. */
static PetscErrorCode HandIn(MPI_Comm comm, int64_t batch, int64_t tile, int64_t at, int64_t number,
                             const LikelihoodAnswer *chunk, LikelihoodAnswer *a)
{
  const int width = LIKELIHOOD_COLUMNS + a->n;
  int rank, size, *counts, *starts;
  double *mine, *all;
  MPI_Datatype record;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscMalloc4(number * width, &mine, rank ? 0 : batch * width, &all, rank ? 0 : size, &counts,
                         rank ? 0 : size, &starts));
  for (int64_t i = 0; i < number; i++) {
    for (int c = 0; c < LIKELIHOOD_COLUMNS; c++) mine[i * width + c] = chunk->column[c][i];
    memcpy(mine + i * width + LIKELIHOOD_COLUMNS, chunk->theta + i * a->n, sizeof(double) * (size_t)a->n);
  }
  for (int r = 0; r < size && !rank; r++) {
    int64_t first, rows;
    deal_tiles(batch, tile, r, size, &first, &rows);
    counts[r] = (int)rows;
    starts[r] = (int)first;
  }
  PetscCallMPI(MPI_Type_contiguous(width, MPI_DOUBLE, &record));
  PetscCallMPI(MPI_Type_commit(&record));
  PetscCallMPI(MPI_Gatherv(mine, (int)number, record, all, counts, starts, record, 0, comm));
  PetscCallMPI(MPI_Type_free(&record));
  for (int64_t i = 0; i < batch && !rank; i++) {
    for (int c = 0; c < LIKELIHOOD_COLUMNS; c++) a->column[c][at + i] = all[i * width + c];
    memcpy(a->theta + (at + i) * a->n, all + i * width + LIKELIHOOD_COLUMNS, sizeof(double) * (size_t)a->n);
  }
  PetscCall(PetscFree4(mine, all, counts, starts));
  PetscFunctionReturn(0);
}

/* Rows of all ranks, as far as this one's tell: a tile of whole fields takes seconds. */
typedef struct {
  ScoriaProgress bar; /* borrowed */
  double done, share; /* rows; of all, for one of this rank's */
} Shown;

static void show_rows(void *to, double rows)
{
  Shown *shown = to;
  shown->done += shown->share * rows;
  (void)ScoriaProgressUpdate(shown->bar, shown->done, NULL);
}

PetscErrorCode LikelihoodEvaluate(ScoriaRun run, LikelihoodKeeper *keeper, ScoriaSource law,
                                  const ScoriaLikelihoodOptions *opt, ScoriaSource given, LikelihoodList *list,
                                  LikelihoodAnswer *a)
{
  const MPI_Comm comm    = ScoriaRunComm(run);
  const size_t width     = (size_t)source_shape(given)->channels * (size_t)source_shape(given)->cells;
  const int64_t most     = PetscClipInterval((int64_t)(CHUNK_BYTES / (width * sizeof(double))), 1, CHUNK_ROWS);
  const int64_t tile     = list->tile > 1 && list->tile <= most ? list->tile : 1;
  ScoriaPace pace        = {.run = run, .step = tile > 1 ? 1 : PetscMin(16, most), .most = most / tile}; /* of tiles */
  LikelihoodAnswer chunk = {.n = a->n, .volume = a->volume};
  const int64_t begun    = keeper ? keeper->done : 0;
  ScoriaLikelihoodOptions shown_opt = *opt;
  PetscMPIInt rank, size;
  ScoriaProgress bar;
  Shown shown;
  double *fields;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscMalloc1((size_t)most * width, &fields));
  PetscCall(Allocate(CHUNK_ROWS, a->n, &chunk));
  PetscCall(ScoriaProgressCreate(run, "likelihood", "rows", (double)a->rows, &bar));
  shown_opt.passed = show_rows;
  shown_opt.to     = &shown;
  PetscCall(ScoriaProgressFrom(bar, (double)begun));
  for (int64_t base = begun, batch; base < a->rows; base += batch) { /* one in any case, so that every start gets on */
    int64_t first, number;
    if (base > begun) PetscCall(LikelihoodMeet(keeper, &pace, base, a));
    batch = PetscMin(pace.step * tile * size, a->rows - base);
    deal_tiles(batch, tile, rank, size, &first, &number);
    PetscCall(ReadRows(comm, given, list, base + first, number, fields, &chunk));
    shown = (Shown){bar, (double)base, (double)batch / (double)PetscMax(number, 1)};
    PetscCall(EvaluateRows(comm, law, &shown_opt, base + first, number, fields, &chunk));
    PetscCall(HandIn(comm, batch, tile, base, number, &chunk, a));
    PetscCall(ScoriaProgressUpdate(bar, (double)(base + batch), NULL));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  PetscCall(LikelihoodAnswerDestroy(&chunk));
  PetscCall(PetscFree(fields));
  PetscFunctionReturn(0);
}

LikelihoodMean likelihood_mean(const LikelihoodAnswer *a, const double x[], const double y[])
{
  const int64_t parts = a->conditions > 1 ? a->conditions : a->rows, size = a->rows / parts;
  double mean = 0, square = 0;
  int64_t good = 0;
  for (int64_t i = 0; i < a->rows; i++) good += isfinite(x[i]);
  for (int64_t i = 0; i < a->rows; i++)
    if (isfinite(x[i])) mean += (x[i] - (y ? y[i] : 0)) / (double)good;
  for (int64_t p = 0; p < parts; p++) {
    double sum = 0;
    for (int64_t i = p * size; i < (p + 1) * size; i++)
      if (isfinite(x[i])) sum += x[i] - (y ? y[i] : 0) - mean;
    square += sum * sum;
  }
  return (LikelihoodMean){good, mean,
                          parts > 1 ? sqrt(square * (double)parts / (double)(parts - 1)) / (double)good : NAN};
}

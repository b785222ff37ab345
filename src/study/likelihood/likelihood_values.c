/* likelihood: the log densities of a list of rows.
 *
 * The rows are dealt over ranks in blocks; every rank reads and evaluates its own, and each value is one rank's and
 * zero elsewhere, so that their sums are exact. */
#include "likelihood.h"
#include <math.h>

#define CHUNK_ROWS 1024 /* of every rank, at most, before it looks whether to stop */

PetscErrorCode LikelihoodAnswerCreate(const LikelihoodList *list, int n, LikelihoodAnswer *a)
{
  PetscFunctionBeginUser;
  *a = (LikelihoodAnswer){.conditions = list->conditions, .rows = list->conditions * list->each, .n = n};
  for (int c = 0; c < LIKELIHOOD_COLUMNS; c++) PetscCall(PetscCalloc1(a->rows, &a->column[c]));
  PetscCall(PetscCalloc1(a->rows * PetscMax(n, 1), &a->theta));
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
 * list.
 */
static void take_rows(const ScoriaRows *rows, const LikelihoodList *list, int64_t row, int64_t n, int64_t at,
                      LikelihoodAnswer *a)
{
  for (int64_t i = 0; i < n; i++) {
    a->column[LIKELIHOOD_ROW][at + i]    = (double)(row + i);
    a->column[LIKELIHOOD_FAILED][at + i] = rows->done[i] != SCORIA_ROW_DONE;
    for (int k = 0; k < a->n; k++) a->theta[(at + i) * a->n + k] = rows->condition[list->condition[k]][i];
  }
}

/* The fields (number, C, L) of rows [first, first + number) of the list.  Every rank draws the same number of times.
 * Collective. */
static PetscErrorCode ReadRows(MPI_Comm comm, ScoriaSource given, const LikelihoodList *list, int64_t first,
                               int64_t number, double fields[], LikelihoodAnswer *a)
{
  const int width    = source_shape(given)->channels * source_shape(given)->cells;
  const int64_t each = list->each;
  int64_t pieces     = number ? (first + number - 1) / each - first / each + 1 : 0;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &pieces, 1, MPI_INT64_T, MPI_MAX, comm));
  for (int64_t at = first; pieces > 0; pieces--) {
    const int64_t from = at % each, part = PetscMax(PetscMin(each - from, first + number - at), 0),
                  row = part ? list->chosen[at / each] * list->realisations + from : 0;
    PetscCall(ScoriaSourceDraw(given, NULL, (uint64_t)row, part, fields + (at - first) * width));
    take_rows(source_rows(given), list, row, part, at, a);
    at += part;
  }
  PetscFunctionReturn(0);
}

/* Of this rank's rows [first, first + number).  What one rank meets alone, all fail with. */
static PetscErrorCode EvaluateRows(MPI_Comm comm, ScoriaSource law, const ScoriaLikelihoodOptions *opt, int64_t first,
                                   int64_t number, const double fields[], LikelihoodAnswer *a)
{
  const ScoriaLogDensity out = {a->column[LIKELIHOOD_LOG_DENSITY] + first, a->column[LIKELIHOOD_GAUSSIAN] + first,
                                a->column[LIKELIHOOD_LOG_VOLUME] + first};
  uint64_t *id;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(number + 1, &id));
  for (int64_t i = 0; i < number; i++) id[i] = (uint64_t)a->column[LIKELIHOOD_ROW][first + i];
  const PetscErrorCode bad = ScoriaSourceDensity(law, opt, first, number, id, a->theta + first * a->n, fields, &out);
  if (bad && ScoriaFailureCode() == SCORIA_EXIT_OK) PetscCall(bad);
  PetscCall(ScoriaAgree(comm, ScoriaFailureCode(), ScoriaFailureLine()));
  for (int64_t i = 0; i < number; i++)
    if (a->column[LIKELIHOOD_FAILED][first + i] > 0) out.log_density[i] = out.gaussian[i] = out.log_volume[i] = NAN;
  PetscCall(PetscFree(id));
  PetscFunctionReturn(0);
}

static PetscErrorCode ShareRows(MPI_Comm comm, LikelihoodAnswer *a)
{
  PetscFunctionBeginUser;
  for (int c = 0; c < LIKELIHOOD_COLUMNS; c++)
    PetscCall(ScoriaReduceMany(comm, MPI_SUM, a->rows, MPI_DOUBLE, a->column[c]));
  PetscCall(ScoriaReduceMany(comm, MPI_SUM, a->rows * a->n, MPI_DOUBLE, a->theta));
  PetscFunctionReturn(0);
}

PetscErrorCode LikelihoodEvaluate(ScoriaRun run, ScoriaSource law, const ScoriaLikelihoodOptions *opt,
                                  ScoriaSource given, const LikelihoodList *list, LikelihoodAnswer *a)
{
  const MPI_Comm comm = ScoriaRunComm(run);
  const int width     = source_shape(given)->channels * source_shape(given)->cells;
  ScoriaPace pace     = {.run = run, .step = 16, .most = CHUNK_ROWS};
  PetscMPIInt rank, size;
  ScoriaProgress bar;
  double *fields;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscMalloc1((size_t)CHUNK_ROWS * (size_t)width, &fields));
  PetscCall(ScoriaProgressCreate(run, "likelihood", "rows", (double)a->rows, &bar));
  for (int64_t base = 0, batch; base < a->rows; base += batch) {
    int64_t first, number;
    PetscCall(ScoriaPaceMeet(&pace, "the evaluation restarts from the beginning"));
    batch = PetscMin(pace.step * size, a->rows - base);
    deal_block(batch, rank, size, &first, &number);
    PetscCall(ReadRows(comm, given, list, base + first, number, fields, a));
    PetscCall(EvaluateRows(comm, law, opt, base + first, number, fields, a));
    PetscCall(ScoriaProgressUpdate(bar, (double)(base + batch), NULL));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  PetscCall(PetscFree(fields));
  PetscCall(ShareRows(comm, a));
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

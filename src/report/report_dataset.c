/* What the report tells of dataset.h5: how its solves ended, and a few realisations to look at. */
#include "report_dataset.h"
#include <math.h>
#include <string.h>

#define BLOCK_ROWS 4096

static void count_row(const ScoriaRows *rows, int64_t i, ReportDataset *data)
{
  if (rows->done[i] == SCORIA_ROW_DONE) {
    data->done++;
    data->newton += rows->newton[i];
    data->newton_max = PetscMax(data->newton_max, rows->newton[i]);
    if (rows->attempts[i] > 1) data->continued++;
  } else if (rows->done[i] == SCORIA_ROW_FAILED) {
    data->failed++;
    data->reason[PetscMax(0, PetscMin(REPORT_REASONS - 1, -rows->reason[i]))]++;
  } else
    data->missing++;
}

static void count_rows(void *ctx, int64_t first, const ScoriaRows *rows)
{
  (void)first;
  for (int64_t i = 0; i < rows->rows; i++) count_row(rows, i, ctx);
}

/* The conditions that are shown are the nearest to low, middle and high along the correlation length, or along the
 * first condition that varies; of several, the first. */
static void choose_targets(ReportDataset *data)
{
  const ScoriaSpace *space = &data->spec.space;
  data->axis               = shown_axis(space, space_find(space, "ell"));
  data->nshown             = data->axis < 0 ? 1 : (int)PetscMin(REPORT_SHOWN, data->conditions);
  for (int s = 0; s < data->nshown && data->axis >= 0; s++) {
    const ScoriaCondition *c = &space->c[data->axis];
    const double t           = data->nshown == 1 ? 0.5 : (double)s / (data->nshown - 1);
    data->target[s]          = c->log ? c->lo * pow(c->hi / c->lo, t) : c->lo + (c->hi - c->lo) * t;
    data->away[s]            = INFINITY;
  }
}

static void note_condition(int64_t condition, const ScoriaRows *rows, int64_t i, ReportDataset *data)
{
  for (int s = 0; s < data->nshown && data->axis >= 0; s++) {
    const double away = fabs(rows->condition[data->axis][i] - data->target[s]);
    if (!(away < data->away[s])) continue;
    data->away[s]  = away;
    data->shown[s] = condition;
  }
}

/* The nearest of all ranks. */
static PetscErrorCode ReduceShown(MPI_Comm comm, ReportDataset *data)
{
  double least[REPORT_SHOWN];
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(data->away, least, REPORT_SHOWN, MPI_DOUBLE, MPI_MIN, comm));
  for (int s = 0; s < data->nshown; s++)
    if (data->away[s] > least[s]) data->shown[s] = data->conditions - 1;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, data->shown, REPORT_SHOWN, MPI_INT64_T, MPI_MIN, comm));
  PetscFunctionReturn(0);
}

#define LISTED_CONDITIONS 65536 /* whose times are known to every rank; beyond, every second, third ... of them */
#define KEPT_ROWS 20000         /* for the figure of profiles against time, on all ranks together */

static PetscErrorCode KeepBegin(ReportDataset *data, int64_t number)
{
  const ScoriaCondition *c = data->spec.space.c;
  PetscFunctionBeginUser;
  data->time = space_find(&data->spec.space, "time");
  if (data->time >= 0 && !(c[data->time].lo < c[data->time].hi)) data->time = -1;
  data->every  = PetscMax(1, data->conditions / LISTED_CONDITIONS) | 1;
  data->listed = (data->conditions + data->every - 1) / data->every;
  if (data->time >= 0) PetscCall(PetscMalloc1(data->listed, &data->times));
  for (int64_t i = 0; i < data->listed && data->times; i++) data->times[i] = -INFINITY;
  while (data->channel < data->spec.nfields - 1 && !field_is_state(&data->spec.field[data->channel])) data->channel++;
  /* Odd: it meets every time of a design whose times and realisations are powers of two. */
  data->stride = PetscMax(1, data->spec.rows / KEPT_ROWS) | 1;
  if (data->time >= 0) PetscCall(PetscMalloc1((number / data->stride + 1) * (data->spec.cells + 1), &data->row));
  PetscFunctionReturn(0);
}

static void keep_row(const ScoriaRows *rows, int64_t i, int64_t number, ReportDataset *data)
{
  const int cells = data->spec.cells;
  if (data->time < 0 || number % data->stride || rows->done[i] != SCORIA_ROW_DONE) return;
  double *to = data->row + data->kept++ * (cells + 1);
  memcpy(to, rows->field[data->channel] + i * cells, (size_t)cells * sizeof(double));
  to[cells] = rows->condition[data->time][i];
}

/* What the ranks have kept goes to rank 0. */
static PetscErrorCode KeepGather(MPI_Comm comm, ReportDataset *data)
{
  int rank, size, mine = (int)data->kept, all = 0, *count, *place;
  double *row = NULL;
  MPI_Datatype type;
  PetscFunctionBeginUser;
  if (data->time < 0) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscMalloc2(size, &count, size, &place));
  PetscCallMPI(MPI_Gather(&mine, 1, MPI_INT, count, 1, MPI_INT, 0, comm));
  for (int r = 0; r < size && rank == 0; all += count[r++]) place[r] = all;
  PetscCall(PetscMalloc1((int64_t)all * (data->spec.cells + 1), &row));
  PetscCallMPI(MPI_Type_contiguous(data->spec.cells + 1, MPI_DOUBLE, &type));
  PetscCallMPI(MPI_Type_commit(&type));
  PetscCallMPI(MPI_Gatherv(data->row, mine, type, row, count, place, type, 0, comm));
  PetscCallMPI(MPI_Type_free(&type));
  PetscCall(PetscFree2(count, place));
  PetscCall(PetscFree(data->row));
  data->row  = row;
  data->kept = all;
  PetscFunctionReturn(0);
}

/* Reads this rank's part in blocks; every rank takes part in as many blocks as the one with most rows. */
static PetscErrorCode Scan(ScoriaRun run, ScoriaDataset ds, ReportDataset *data)
{
  const MPI_Comm comm = ScoriaRunComm(run);
  bool stop           = false;
  ScoriaRows rows;
  int rank, size;
  int64_t first, number, most;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  deal_block(data->spec.rows, rank, size, &first, &number);
  most = (data->spec.rows + size - 1) / size;
  PetscCall(ScoriaRowsCreate(&data->spec, BLOCK_ROWS, &rows));
  PetscCall(KeepBegin(data, number));
  for (int64_t start = 0; start < most && !stop; start += BLOCK_ROWS) {
    const int64_t n = PetscMax(0, PetscMin(BLOCK_ROWS, number - start));
    PetscCall(ScoriaDatasetRead(ds, n > 0 ? first + start : 0, n, &rows));
    for (int64_t i = 0; i < n; i++) {
      const int64_t k = (first + start + i) / data->spec.realisations;
      count_row(&rows, i, data);
      keep_row(&rows, i, start + i, data);
      note_condition(k, &rows, i, data);
      if (data->times && k % data->every == 0) data->times[k / data->every] = rows.condition[data->time][i];
    }
    if (start + BLOCK_ROWS < most) PetscCall(ScoriaStopAsked(run, &stop));
  }
  PetscCall(ScoriaRowsDestroy(&rows));
  if (stop) PetscCall(ScoriaStopped(run, "the report restarts from the beginning"));
  PetscCall(KeepGather(comm, data));
  PetscFunctionReturn(0);
}

static PetscErrorCode Reduce(MPI_Comm comm, ReportDataset *data)
{
  int64_t sums[5 + REPORT_REASONS] = {data->done, data->failed, data->missing, data->continued, data->newton};
  PetscFunctionBeginUser;
  memcpy(sums + 5, data->reason, sizeof data->reason);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, 5 + REPORT_REASONS, MPI_INT64_T, MPI_SUM, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &data->newton_max, 1, MPI_INT64_T, MPI_MAX, comm));
  PetscCall(ReduceShown(comm, data));
  if (data->times) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, data->times, (int)data->listed, MPI_DOUBLE, MPI_MAX, comm));
  data->done      = sums[0];
  data->failed    = sums[1];
  data->missing   = sums[2];
  data->continued = sums[3];
  data->newton    = sums[4];
  memcpy(data->reason, sums + 5, sizeof data->reason);
  if (*data->spec.source) data->lacking = data->reason[-SCORIA_ROW_LACKING];
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadShown(MPI_Comm comm, ScoriaDataset ds, ReportDataset *data)
{
  int rank;
  const int64_t draws = PetscMin(REPORT_DRAWS, data->spec.realisations);
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  for (int s = 0; s < data->nshown; s++) {
    PetscCall(ScoriaRowsCreate(&data->spec, draws, &data->draws[s]));
    PetscCall(ScoriaDatasetRead(ds, data->shown[s] * data->spec.realisations, rank ? 0 : draws, &data->draws[s]));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDatasetRead(ScoriaRun run, ReportDataset *data)
{
  const ScoriaDatasetSpec *spec;
  const double *x;
  char path[PETSC_MAX_PATH_LEN];
  ScoriaDataset ds;
  MPI_Comm comm = ScoriaRunComm(run);
  PetscFunctionBeginUser;
  memset(data, 0, sizeof *data);
  PetscCall(ScoriaRunPath(run, "dataset.h5", sizeof path, path));
  PetscCall(ScoriaFileExists(comm, path, &data->present));
  if (!data->present) PetscFunctionReturn(0);
  PetscCall(ScoriaDatasetOpen(comm, path, &ds));
  PetscCall(ScoriaDatasetInfo(ds, &spec, &x, NULL));
  if (spec_is_whole(spec)) { /* shown by what compare has measured of them */
    data->present    = false;
    data->whole      = spec->rows;
    data->spec       = *spec;
    data->conditions = spec->rows / spec->realisations;
    PetscCall(ScoriaDatasetVisit(ds, count_rows, data));
    PetscCall(Reduce(comm, data));
    PetscCall(ScoriaDatasetClose(&ds));
    PetscFunctionReturn(0);
  }
  data->spec       = *spec;
  data->conditions = spec->rows / spec->realisations;
  PetscCall(PetscMalloc1(spec_centres(spec), &data->x));
  PetscCall(PetscArraycpy(data->x, x, spec_centres(spec)));
  report_axis(&spec->space, 0, x[spec->cells - 1], &data->along);
  choose_targets(data);
  PetscCall(Scan(run, ds, data));
  PetscCall(Reduce(comm, data));
  PetscCall(ReadShown(comm, ds, data));
  PetscCall(ScoriaDatasetClose(&ds));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDatasetDestroy(ReportDataset *data)
{
  PetscFunctionBeginUser;
  for (int s = 0; s < data->nshown; s++) PetscCall(ScoriaRowsDestroy(&data->draws[s]));
  PetscCall(PetscFree(data->x));
  PetscCall(PetscFree(data->times));
  PetscCall(PetscFree(data->row));
  memset(data, 0, sizeof *data);
  PetscFunctionReturn(0);
}

/* What the report tells of dataset.h5: how its solves ended, and a few realisations to look at. */
#include "report.h"
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

#define KEPT_ROWS 20000 /* for the figure of profiles against time, on all ranks together */

static PetscErrorCode KeepBegin(ReportDataset *data, int64_t number)
{
  const ScoriaCondition *c = data->spec.space.c;
  PetscFunctionBeginUser;
  data->time = space_find(&data->spec.space, "time");
  if (data->time >= 0 && !(c[data->time].lo < c[data->time].hi)) data->time = -1;
  while (data->channel < data->spec.nfields - 1 && !field_is_state(data->spec.field[data->channel].name))
    data->channel++;
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
static PetscErrorCode Scan(MPI_Comm comm, ScoriaDataset ds, ReportDataset *data)
{
  ScoriaRows rows;
  int rank, size;
  int64_t first, number, most;
  const int nc = data->spec.space.n;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  deal_block(data->spec.rows, rank, size, &first, &number);
  most = (data->spec.rows + size - 1) / size;
  PetscCall(ScoriaRowsCreate(&data->spec, BLOCK_ROWS, &rows));
  PetscCall(KeepBegin(data, number));
  for (int64_t start = 0; start < most; start += BLOCK_ROWS) {
    const int64_t n = PetscMax(0, PetscMin(BLOCK_ROWS, number - start));
    PetscCall(ScoriaDatasetRead(ds, n > 0 ? first + start : 0, n, &rows));
    for (int64_t i = 0; i < n; i++) {
      const int64_t k = (first + start + i) / data->spec.realisations;
      count_row(&rows, i, data);
      keep_row(&rows, i, start + i, data);
      for (int c = 0; c < nc; c++) data->theta[k * nc + c] = rows.condition[c][i];
    }
  }
  PetscCall(ScoriaRowsDestroy(&rows));
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
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, data->theta, (int)(data->conditions * data->spec.space.n), MPI_DOUBLE,
                             MPI_MAX, comm));
  data->done      = sums[0];
  data->failed    = sums[1];
  data->missing   = sums[2];
  data->continued = sums[3];
  data->newton    = sums[4];
  memcpy(data->reason, sums + 5, sizeof data->reason);
  PetscFunctionReturn(0);
}

/* The condition whose value on the axis comes nearest to `target`. */
static int64_t nearest_condition(const ReportDataset *data, double target)
{
  const int nc = data->spec.space.n;
  int64_t best = 0;
  for (int64_t k = 1; k < data->conditions; k++)
    if (fabs(data->theta[k * nc + data->axis] - target) < fabs(data->theta[best * nc + data->axis] - target)) best = k;
  return best;
}

/* The shown conditions: low, middle and high along the correlation length, or along the first condition that varies. */
static void choose_shown(ReportDataset *data)
{
  const ScoriaSpace *space = &data->spec.space;
  data->axis               = shown_axis(space, space_find(space, "ell"));
  data->nshown             = data->axis < 0 ? 1 : (int)PetscMin(REPORT_SHOWN, data->conditions);
  for (int s = 0; s < data->nshown && data->axis >= 0; s++) {
    const ScoriaCondition *c = &space->c[data->axis];
    const double t           = data->nshown == 1 ? 0.5 : (double)s / (data->nshown - 1);
    const double target      = c->log ? c->lo * pow(c->hi / c->lo, t) : c->lo + (c->hi - c->lo) * t;
    data->shown[s]           = nearest_condition(data, target);
  }
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

PetscErrorCode ReportDatasetRead(ScoriaRun run, ScoriaDeck deck, ReportDataset *data)
{
  static const char *const sections[] = {SCORIA_PROBLEM_SECTIONS "porosity", "conditions", SCORIA_ENSEMBLE_KEYS,
                                         "run_seed", NULL};
  const ScoriaDatasetSpec *spec;
  const double *x;
  const char *text;
  char path[PETSC_MAX_PATH_LEN];
  ScoriaDataset ds;
  MPI_Comm comm = ScoriaRunComm(run);
  PetscFunctionBeginUser;
  memset(data, 0, sizeof *data);
  PetscCall(ScoriaRunPath(run, "dataset.h5", sizeof path, path));
  PetscCall(ScoriaFileExists(comm, path, &data->present));
  if (!data->present) PetscFunctionReturn(0);
  PetscCall(ScoriaDatasetOpen(comm, path, &ds));
  PetscCall(ScoriaDatasetInfo(ds, &spec, &x, &text));
  data->spec       = *spec;
  data->conditions = spec->rows / spec->realisations;
  PetscCall(PetscMalloc1(spec->cells, &data->x));
  PetscCall(PetscArraycpy(data->x, x, spec->cells));
  report_quantity("x", "m", x[spec->cells - 1], &data->along);
  PetscCall(PetscMalloc1(data->conditions * spec->space.n, &data->theta));
  for (int64_t i = 0; i < data->conditions * spec->space.n; i++) data->theta[i] = -INFINITY;
  PetscCall(ScoriaDeckDifference(deck, text, sections, sizeof data->difference, data->difference));
  PetscCall(Scan(comm, ds, data));
  PetscCall(Reduce(comm, data));
  choose_shown(data);
  PetscCall(ReadShown(comm, ds, data));
  PetscCall(ScoriaDatasetClose(&ds));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDatasetDestroy(ReportDataset *data)
{
  PetscFunctionBeginUser;
  for (int s = 0; s < data->nshown; s++) PetscCall(ScoriaRowsDestroy(&data->draws[s]));
  PetscCall(PetscFree(data->x));
  PetscCall(PetscFree(data->theta));
  PetscCall(PetscFree(data->row));
  memset(data, 0, sizeof *data);
  PetscFunctionReturn(0);
}

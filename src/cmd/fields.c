/* Whole fields of a few rows, as one file beside the dataset: what profiles along x leave out. */
#include "cmd.h"
#include <math.h>

/* This rank's own cells to the leader of its group, which keeps them in the order of the grid. */
static PetscErrorCode GatherField(const ScoriaGroups *groups, int number, const double own[], int first, double all[])
{
  int *count, *place;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(groups->group_size, &count, groups->group_size, &place));
  PetscCallMPI(MPI_Gather(&number, 1, MPI_INT, count, 1, MPI_INT, 0, groups->group));
  PetscCallMPI(MPI_Gather(&first, 1, MPI_INT, place, 1, MPI_INT, 0, groups->group));
  PetscCallMPI(MPI_Gatherv(own, number, MPI_DOUBLE, all, count, place, MPI_DOUBLE, 0, groups->group));
  PetscCall(PetscFree2(count, place));
  PetscFunctionReturn(0);
}

/* The fields and the porosity of one row, by the first group; all (fields + 1, cells of the grid). */
static PetscErrorCode OneRow(ScoriaEnsemble ens, const ScoriaGrid *grid, int nfields, double own[], double all[])
{
  const ScoriaGroups *groups = ScoriaEnsembleGroups(ens);
  const int64_t cells        = (int64_t)grid->n[0] * grid->n[1] * grid->n[2];
  const double *eps;
  ScoriaSolver solver = ScoriaEnsembleSolver(ens, &eps);
  int first, planes;
  PetscFunctionBeginUser;
  grid_slab(grid, groups->group_rank, groups->group_size, &first, &planes);
  const int start = first * (int)(cells / grid->n[grid->dim - 1]);
  for (int f = 0; f <= nfields; f++) {
    if (f < nfields) PetscCall(ScoriaSolverField(solver, f, own));
    PetscCall(GatherField(groups, solver_own_cells(solver), f < nfields ? own : eps, start, all + f * cells));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteStore(ScoriaRun run, ScoriaDeck deck, const char *path, const ScoriaDatasetSpec *spec,
                                 const ScoriaGrid *grid, int nfields, int64_t number, const double theta[],
                                 const double values[])
{
  static const char *const axis[] = {"/x", "/y", "/z"};
  const int64_t cells             = (int64_t)grid->n[0] * grid->n[1] * grid->n[2],
                dims[4]           = {number, grid->n[2], grid->n[1], grid->n[0]};
  const char *text;
  double *buffer;
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(number * PetscMax(cells, spec->space.n), &buffer));
  PetscCall(ScoriaDeckText(deck, &text));
  PetscCall(ScoriaStoreCreate(ScoriaRunComm(run), path, "fields", text, &store));
  PetscCall(ScoriaStorePutFields(store, nfields + 1, spec->field));
  for (int a = 0; a < grid->dim; a++) {
    const int64_t n = grid->n[a];
    for (int64_t i = 0; i < n; i++) buffer[i] = (i + 0.5) * grid->length[a] / (double)n;
    PetscCall(ScoriaStorePutReals(store, axis[a], 1, &n, buffer, "m", "cell centres"));
  }
  for (int f = 0; f <= nfields; f++) {
    char name[SCORIA_NAME_SIZE + 16];
    PetscCall(PetscSNPrintf(name, sizeof name, "/fields/%s", spec->field[f].name));
    for (int64_t r = 0; r < number; r++)
      PetscCall(PetscArraycpy(buffer + r * cells, values + (r * (nfields + 1) + f) * cells, cells));
    PetscCall(ScoriaStorePutReals(store, name, 4, dims, buffer, spec->field[f].unit, spec->field[f].description));
  }
  for (int c = 0; c < spec->space.n; c++) {
    char name[SCORIA_NAME_SIZE + 16];
    PetscCall(PetscSNPrintf(name, sizeof name, "/conditions/%s", spec->space.c[c].name));
    for (int64_t r = 0; r < number; r++) buffer[r] = theta[r * spec->space.n + c];
    PetscCall(ScoriaStorePutReals(store, name, 1, &number, buffer, spec->space.c[c].unit, "operating condition"));
  }
  PetscCall(ScoriaStoreClose(&store));
  PetscCall(PetscFree(buffer));
  PetscFunctionReturn(0);
}

PetscErrorCode CmdWriteFields(ScoriaRun run, ScoriaDeck deck, ScoriaEnsemble ens, int64_t rows, const double theta[],
                              const uint64_t ids[], const double eps[], const char *name)
{
  char path[PETSC_MAX_PATH_LEN];
  const double *x;
  double *own, *values;
  PetscInt wanted = 0;
  ScoriaDatasetSpec spec;
  ScoriaGrid grid;
  ScoriaRows one;
  int nfields = 0;
  bool there;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "ensemble_full_fields", &wanted));
  const int64_t number = PetscMin(wanted, rows);
  if (number == 0) PetscFunctionReturn(0);
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, &there));
  if (there) PetscFunctionReturn(0);
  PetscCall(ScoriaEnsembleSpec(ens, &spec, &x));
  ensemble_grid(ens, &grid);
  while (field_is_state(spec.field[nfields].name)) nfields++;
  const int64_t cells = (int64_t)grid.n[0] * grid.n[1] * grid.n[2];
  PetscCall(PetscMalloc2(cells, &own, number * (nfields + 1) * cells, &values));
  PetscCall(ScoriaRowsCreate(&spec, 1, &one));
  for (int64_t r = 0; r < number && ScoriaEnsembleGroups(ens)->index == 0; r++) {
    PetscCall(
        ScoriaEnsembleCompute(ens, 1, theta + r * spec.space.n, ids + r, eps ? eps + r * spec.cells : NULL, &one));
    PetscCall(OneRow(ens, &grid, nfields, own, values + r * (nfields + 1) * cells));
  }
  PetscCall(WriteStore(run, deck, path, &spec, &grid, nfields, number, theta, values));
  PetscCall(ScoriaRowsDestroy(&one));
  PetscCall(PetscFree2(own, values));
  PetscCall(ScoriaSay(run, "  wrote %s (whole fields of %lld rows)", path, (long long)number));
  PetscFunctionReturn(0);
}

PetscErrorCode CmdWriteFirstFields(ScoriaRun run, ScoriaDeck deck, ScoriaEnsemble ens, const double theta[])
{
  ScoriaDatasetSpec spec;
  PetscInt wanted = 0;
  const double *x;
  double *of;
  uint64_t *ids;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "ensemble_full_fields", &wanted));
  PetscCall(ScoriaEnsembleSpec(ens, &spec, &x));
  const int64_t number = PetscMin(wanted, spec.rows), width = spec.space.n;
  PetscCall(PetscMalloc2(number * width, &of, number, &ids));
  for (int64_t r = 0; r < number; r++) {
    ids[r] = (uint64_t)r;
    PetscCall(PetscArraycpy(of + r * width, theta + r / spec.realisations * width, width));
  }
  PetscCall(CmdWriteFields(run, deck, ens, number, of, ids, NULL, "fields.h5"));
  PetscCall(PetscFree2(of, ids));
  PetscFunctionReturn(0);
}

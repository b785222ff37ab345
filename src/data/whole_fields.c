/* Whole fields of a few rows, as one file beside the dataset: what profiles along x leave out. */
#include "making.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Rows whose fields are kept: their numbers, and what they are computed from. */
typedef struct {
  int64_t number;
  int64_t *row;  /* owned */
  double *theta; /* owned: (number, space.n) */
  uint64_t *id;  /* owned */
  double *eps;   /* owned: (number, nx), or NULL */
} Chosen;

/* What ParaView and VisIt need beside the HDF5 file: its fields as cells of a grid, a row a time step.  By their place
 * in the file, as readers of XDMF do not agree on how a row of an array is selected. */
static PetscErrorCode WriteXdmf(ScoriaRun run, const char *path, const ScoriaDatasetSpec *spec, const ScoriaGrid *grid,
                                int nfields, const Chosen *c, const int64_t offset[])
{
  const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
  const int *n        = grid->n;
  const int64_t bytes = (int64_t)sizeof(double) * n[0] * n[1] * n[2];
  char xdmf[PETSC_MAX_PATH_LEN], *text = NULL, width[3][32];
  size_t size = 0;
  PetscFunctionBeginUser;
  FILE *out = open_memstream(&text, &size);
  PetscCheck(out, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for the description of %s", path);
  fprintf(out, "<?xml version=\"1.0\"?>\n<Xdmf Version=\"2.0\">\n<Domain>\n"
               "  <Grid Name=\"rows\" GridType=\"Collection\" CollectionType=\"Temporal\">\n");
  for (int a = 0; a < 3; a++) number_text(grid->length[a] / n[a], sizeof width[a], width[a]);
  for (int64_t r = 0; r < c->number; r++) {
    fprintf(out,
            "    <Grid Name=\"row %lld\" GridType=\"Uniform\">\n      <Time Value=\"%lld\"/>\n"
            "      <Topology TopologyType=\"3DCoRectMesh\" Dimensions=\"%d %d %d\"/>\n"
            "      <Geometry GeometryType=\"ORIGIN_DXDYDZ\">\n"
            "        <DataItem Dimensions=\"3\" Format=\"XML\">0 0 0</DataItem>\n"
            "        <DataItem Dimensions=\"3\" Format=\"XML\">%s %s %s</DataItem>\n      </Geometry>\n",
            (long long)c->row[r], (long long)r, n[2] + 1, n[1] + 1, n[0] + 1, width[2], width[1], width[0]);
    for (int f = 0; f <= nfields; f++)
      fprintf(out,
              "      <Attribute Name=\"%s\" AttributeType=\"Scalar\" Center=\"Cell\">\n"
              "        <DataItem Dimensions=\"%d %d %d\" NumberType=\"Float\" Precision=\"8\" Format=\"Binary\" "
              "Endian=\"Little\" Seek=\"%lld\">%s</DataItem>\n      </Attribute>\n",
              spec->field[f].name, n[2], n[1], n[0], (long long)(offset[f] + r * bytes), file);
    fprintf(out, "    </Grid>\n");
  }
  fprintf(out, "  </Grid>\n</Domain>\n</Xdmf>\n");
  fclose(out);
  PetscCall(PetscSNPrintf(xdmf, sizeof xdmf, "%.*s.xdmf", (int)(strlen(path) - strlen(".h5")), path));
  const PetscErrorCode failed = ScoriaWriteText(ScoriaRunComm(run), xdmf, text);
  free(text);
  PetscCall(failed);
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteStore(ScoriaRun run, ScoriaDeck deck, const char *path, const ScoriaDatasetSpec *spec,
                                 const ScoriaGrid *grid, int nfields, const Chosen *c, const double values[])
{
  static const char *const axis[] = {"/x", "/y", "/z"};
  const int64_t cells             = (int64_t)grid->n[0] * grid->n[1] * grid->n[2],
                dims[4] = {c->number, grid->n[2], grid->n[1], grid->n[0]}, number = c->number;
  const char *text;
  int64_t offset[SCORIA_MAX_FIELDS];
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
  for (int64_t r = 0; r < number; r++) buffer[r] = (double)c->row[r];
  PetscCall(ScoriaStorePutReals(store, "/row", 1, &number, buffer, "", "row of the dataset"));
  for (int f = 0; f <= nfields; f++) {
    char name[SCORIA_NAME_SIZE + 16];
    PetscCall(PetscSNPrintf(name, sizeof name, "/fields/%s", spec->field[f].name));
    for (int64_t r = 0; r < number; r++)
      PetscCall(PetscArraycpy(buffer + r * cells, values + (r * (nfields + 1) + f) * cells, cells));
    PetscCall(ScoriaStorePutReals(store, name, 4, dims, buffer, spec->field[f].unit, spec->field[f].description));
    PetscCall(ScoriaStorePutAxes(store, name, "row z y x"));
    PetscCall(ScoriaStoreOffset(store, name, &offset[f]));
  }
  for (int k = 0; k < spec->space.n; k++) {
    char name[SCORIA_NAME_SIZE + 16];
    PetscCall(PetscSNPrintf(name, sizeof name, "/conditions/%s", spec->space.c[k].name));
    for (int64_t r = 0; r < number; r++) buffer[r] = c->theta[r * spec->space.n + k];
    PetscCall(ScoriaStorePutReals(store, name, 1, &number, buffer, spec->space.c[k].unit, "operating condition"));
    PetscCall(ScoriaStorePutAxes(store, name, "row"));
  }
  /* before the file whose presence says that all is done */
  if (grid->dim > 1) PetscCall(WriteXdmf(run, path, spec, grid, nfields, c, offset));
  PetscCall(ScoriaStoreClose(&store));
  PetscCall(PetscFree(buffer));
  PetscFunctionReturn(0);
}

#define MOST_ROWS 1000 /* that a deck can name */

/* The rows that ensemble_full_rows names, or the first ensemble_full_fields, as far as there are `rows` of them. */
static PetscErrorCode ChooseRows(ScoriaDeck deck, int64_t rows, int64_t *number, int64_t **row)
{
  PetscInt first = 0, n = 0, named[MOST_ROWS];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "ensemble_full_fields", &first));
  PetscCall(ScoriaDeckInts(deck, "ensemble_full_rows", MOST_ROWS, &n, named));
  PetscCall(PetscMalloc1(PetscMax(n, first), row));
  *number = 0;
  for (int64_t i = 0; i < (n ? n : first); i++) {
    const int64_t which = n ? named[i] : i;
    if (which < rows) (*row)[(*number)++] = which;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode WholeFieldsCheck(ScoriaDeck deck, int64_t rows)
{
  PetscInt n = 0, named[MOST_ROWS];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInts(deck, "ensemble_full_rows", MOST_ROWS, &n, named));
  for (PetscInt i = 0; i < n; i++)
    if (named[i] >= rows)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "ensemble_full_rows: found %lld, expected rows from 0 to %lld",
                  (long long)named[i], (long long)(rows - 1));
  PetscFunctionReturn(0);
}

static PetscErrorCode DestroyChosen(Chosen *c)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(c->row));
  PetscCall(PetscFree(c->theta));
  PetscCall(PetscFree(c->id));
  PetscCall(PetscFree(c->eps));
  PetscFunctionReturn(0);
}

/* Between two rows, of which one may take long: the first group solves them, all look. */
static PetscErrorCode StopBetween(ScoriaRun run, const char *path)
{
  bool stop;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStopAsked(run, &stop));
  if (stop) PetscCall(ScoriaStopped(run, "the whole fields of %s restart from the beginning", path));
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteChosen(ScoriaRun run, ScoriaDeck deck, ScoriaEnsemble ens, const Chosen *c, const char *name)
{
  char path[PETSC_MAX_PATH_LEN];
  const double *x;
  double *own, *values;
  ScoriaDatasetSpec spec;
  ScoriaGrid grid;
  ScoriaRows one;
  int nfields = 0;
  bool there;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, &there));
  if (there || c->number == 0) PetscFunctionReturn(0);
  PetscCall(ScoriaEnsembleSpec(ens, &spec, &x));
  ensemble_grid(ens, &grid);
  while (field_is_state(&spec.field[nfields])) nfields++;
  const int64_t cells = (int64_t)grid.n[0] * grid.n[1] * grid.n[2];
  PetscCall(PetscMalloc2(cells, &own, c->number * (nfields + 1) * cells, &values));
  PetscCall(ScoriaRowsCreate(&spec, 1, &one));
  for (int64_t i = 0; i < c->number; i++) {
    PetscCall(StopBetween(run, path));
    if (ScoriaEnsembleGroups(ens)->index) continue;
    PetscCall(ScoriaEnsembleCompute(ens, 1, c->theta + i * spec.space.n, c->id + i,
                                    c->eps ? c->eps + i * spec.cells : NULL, &one));
    PetscCall(OneRow(ens, &grid, nfields, own, values + i * (nfields + 1) * cells));
  }
  PetscCall(WriteStore(run, deck, path, &spec, &grid, nfields, c, values));
  PetscCall(ScoriaRowsDestroy(&one));
  PetscCall(PetscFree2(own, values));
  PetscCall(ScoriaSay(run, "  wrote %s (whole fields of %lld rows)", path, (long long)c->number));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaWholeFieldsWrite(ScoriaRun run, ScoriaDeck deck, ScoriaEnsemble ens, int64_t rows,
                                      ScoriaGiveRow give, void *ctx, bool with_eps, const char *name)
{
  ScoriaDatasetSpec spec;
  const double *x;
  Chosen c = {0};
  PetscFunctionBeginUser;
  PetscCall(ScoriaEnsembleSpec(ens, &spec, &x));
  const int64_t width = spec.space.n, cells = spec.cells;
  PetscCall(ChooseRows(deck, rows, &c.number, &c.row));
  PetscCall(PetscMalloc1(c.number * width, &c.theta));
  PetscCall(PetscMalloc1(c.number, &c.id));
  if (with_eps) PetscCall(PetscMalloc1(c.number * cells, &c.eps));
  for (int64_t i = 0; i < c.number; i++) {
    c.id[i] = (uint64_t)c.row[i];
    PetscCall(give(ctx, c.row[i], c.theta + i * width, with_eps ? c.eps + i * cells : NULL));
  }
  PetscCall(WriteChosen(run, deck, ens, &c, name));
  PetscCall(DestroyChosen(&c));
  PetscFunctionReturn(0);
}

/* What ParaView and VisIt need beside an HDF5 file of whole fields: its fields as cells of a grid, a row a time step.
 * By their place in the file, as readers of XDMF do not agree on how a row of an array is selected. */
#include "private.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A grid of row r with its fields. */
static void print_grid(FILE *out, const ScoriaXdmf *of, int g, const char *name, bool timed, const char *file,
                       int64_t r)
{
  const ScoriaXdmfGrid *grid = &of->grid[g];
  const int *n = grid->n, bytes = of->float64 ? 8 : 4;
  const int64_t cells = (int64_t)n[0] * n[1] * n[2];
  char width[3][32], corner[3][32];

  for (int a = 0; a < 3; a++) {
    const double unit = a == 0 && of->length ? of->length[r] : 1;
    number_text(unit * grid->spacing[a], sizeof width[a], width[a]);
    number_text(unit * grid->origin[a], sizeof corner[a], corner[a]);
  }
  fprintf(out, "    <Grid Name=\"%s\" GridType=\"Uniform\">\n", name);
  if (timed) fprintf(out, "      <Time Value=\"%lld\"/>\n", (long long)r);
  fprintf(out,
          "      <Topology TopologyType=\"3DCoRectMesh\" Dimensions=\"%d %d %d\"/>\n"
          "      <Geometry GeometryType=\"ORIGIN_DXDYDZ\">\n"
          "        <DataItem Dimensions=\"3\" Format=\"XML\">%s %s %s</DataItem>\n"
          "        <DataItem Dimensions=\"3\" Format=\"XML\">%s %s %s</DataItem>\n      </Geometry>\n",
          n[2] + 1, n[1] + 1, n[0] + 1, corner[2], corner[1], corner[0], width[2], width[1], width[0]);
  for (int f = 0; f < of->nfields; f++)
    if (of->on[f] == g)
      fprintf(out,
              "      <Attribute Name=\"%s\" AttributeType=\"Scalar\" Center=\"Cell\">\n"
              "        <DataItem Dimensions=\"%d %d %d\" NumberType=\"Float\" Precision=\"%d\" Format=\"Binary\" "
              "Endian=\"Little\" Seek=\"%lld\">%s</DataItem>\n      </Attribute>\n",
              of->field[f].name, n[2], n[1], n[0], bytes, (long long)(of->offset[f] + r * cells * bytes), file);
  fprintf(out, "    </Grid>\n");
}

/* A row is a grid, or where fields lie on different cells the collection of theirs, each by the name of its first. */
static void print_row(FILE *out, const ScoriaXdmf *of, const char *file, int64_t r)
{
  char name[32];

  snprintf(name, sizeof name, "row %lld", (long long)(of->row ? of->row[r] : r));
  if (of->grids == 1) {
    print_grid(out, of, 0, name, true, file, r);
    return;
  }
  fprintf(out,
          "    <Grid Name=\"%s\" GridType=\"Collection\" CollectionType=\"Spatial\">\n"
          "      <Time Value=\"%lld\"/>\n",
          name, (long long)r);
  for (int g = 0; g < of->grids; g++) {
    int f = 0;
    while (of->on[f] != g) f++;
    print_grid(out, of, g, of->field[f].name, false, file, r);
  }
  fprintf(out, "    </Grid>\n");
}

PetscErrorCode ScoriaXdmfWrite(MPI_Comm comm, const char *path, const ScoriaXdmf *of)
{
  const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
  char xdmf[PETSC_MAX_PATH_LEN], *text          = NULL;
  size_t size = 0, stem;

  PetscFunctionBeginUser;
  PetscCall(PetscStrlen(path, &stem));
  if (stem > 3 && !strcmp(path + stem - 3, ".h5")) stem -= 3;
  PetscCall(PetscSNPrintf(xdmf, sizeof xdmf, "%.*s.xdmf", (int)stem, path));
  FILE *out = open_memstream(&text, &size);
  PetscCheck(out, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for the description of %s", path);
  fprintf(out, "<?xml version=\"1.0\"?>\n<Xdmf Version=\"2.0\">\n<Domain>\n"
               "  <Grid Name=\"rows\" GridType=\"Collection\" CollectionType=\"Temporal\">\n");
  for (int64_t r = 0; r < of->rows; r++) print_row(out, of, file, r);
  fprintf(out, "  </Grid>\n</Domain>\n</Xdmf>\n");
  fclose(out);
  const PetscErrorCode failed = ScoriaWriteText(comm, xdmf, text);
  free(text);
  PetscCall(failed);
  PetscFunctionReturn(0);
}

/* Cells of one size on every axis: its grid has no other.  An axis of one cell has that of x where nothing tells it. */
static bool geometry_of(const ScoriaDatasetSpec *spec, const ScoriaField *field, const double all[],
                        ScoriaXdmfGrid *grid)
{
  bool uniform = true;

  field_shape(field, spec->shape, grid->n);
  for (int a = 0; a < 3; a++) {
    const double *x = field_centres(field, spec->shape, all, a);
    const int n     = grid->n[a];
    double *spacing = &grid->spacing[a];

    *spacing        = n > 1 ? (x[n - 1] - x[0]) / (n - 1) : x[0] > 0 ? 2 * x[0] : grid->spacing[0];
    grid->origin[a] = n > 1 || x[0] > 0 ? x[0] - *spacing / 2 : 0;
    for (int i = 1; i < n; i++) uniform = uniform && fabs(x[i] - x[0] - i * *spacing) <= 1e-6 * fabs(*spacing);
  }
  return uniform;
}

/* The different cells of the fields; whether all are uniform. */
static bool list_grids(const ScoriaDatasetSpec *spec, const double x[], ScoriaXdmf *of)
{
  bool uniform = true;

  for (int f = 0; f < spec->nfields; f++) {
    int like = 0;
    while (!field_is_beside(&spec->field[like], &spec->field[f])) like++;
    of->on[f] = like < f ? of->on[like] : of->grids;
    if (like == f) uniform = geometry_of(spec, &spec->field[f], x, &of->grid[of->grids++]) && uniform;
  }
  return uniform;
}

/* The thickness of each of the first rows, where it is a condition.  Collective. */
static PetscErrorCode Lengths(ScoriaDataset ds, int64_t rows, double **length)
{
  const int thickness = space_thickness(&ds->spec.space);
  ScoriaTrouble bad   = {.path = ds->part};

  PetscFunctionBeginUser;
  if (thickness < 0) PetscFunctionReturn(0);
  PetscCall(ScoriaDatasetSettle(ds));
  PetscCall(PetscMalloc1(rows, length));
  PetscCall(ColumnTransfer(ds, FROM_FILE, &ds->condition[thickness], 0, rows, *length, &bad));
  PetscCall(ScoriaAgree(ds->comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}

PetscErrorCode DatasetDescribeGrid(ScoriaDataset ds)
{
  const ScoriaDatasetSpec *spec = &ds->spec;
  ScoriaXdmf of                 = {.rows    = PetscMin(spec->rows, SCORIA_XDMF_ROWS),
                                   .nfields = spec->nfields,
                                   .field   = spec->field,
                                   .float64 = spec->float64};
  double *length                = NULL;

  PetscFunctionBeginUser;
  if (!spec_is_whole(spec) || !list_grids(spec, ds->x, &of)) PetscFunctionReturn(0);
  PetscCall(Lengths(ds, of.rows, &length));
  of.length = length;
  for (int f = 0; f < spec->nfields && spec->rows; f++) of.offset[f] = (int64_t)H5Dget_offset(ds->field[f].id);
  PetscCall(ScoriaXdmfWrite(ds->comm, ds->path, &of));
  PetscCall(PetscFree(length));
  PetscFunctionReturn(0);
}

/* Any file of ours in words, on rank 0's standard output.  A dataset is read by all ranks, a share of the rows each,
 * with damaged and missing rows counted instead of refused, so that an unfinished file can be described too. */
#include "private.h"
#include "scoria/run_files.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH_BYTES (16LL << 20) /* rows read at a time, per rank */

/* ---------------------------------------------------------------------------------------------- statistics ---- */

/* Of one column or field, over the rows that were solved. */
typedef struct {
  double low, high, sum;
  int64_t n;
} Range;

static void range_add(Range *range, int64_t n, const double values[])
{
  for (int64_t i = 0; i < n; i++) {
    range->low  = fmin(range->low, values[i]);
    range->high = fmax(range->high, values[i]);
    range->sum += values[i];
  }
  range->n += n;
}

typedef struct {
  Range condition[SCORIA_MAX_CONDITIONS], field[SCORIA_MAX_FIELDS];
  int64_t solved, failed, damaged;
} Summary;

static void summary_add(const ScoriaDatasetSpec *spec, const ScoriaRows *rows, Summary *all)
{
  for (int64_t r = 0; r < rows->rows; r++) {
    if (rows->done[r] == SCORIA_ROW_FAILED) all->failed++;
    if (rows->done[r] != SCORIA_ROW_DONE) continue;
    all->solved++;
    for (int c = 0; c < spec->space.n; c++) range_add(&all->condition[c], 1, &rows->condition[c][r]);
    for (int f = 0; f < spec->nfields; f++)
      range_add(&all->field[f], field_cells(&spec->field[f], spec->cells), rows->field[f] + r * spec->cells);
  }
}

static PetscErrorCode ReduceRange(MPI_Comm comm, Range *range)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &range->low, 1, MPI_DOUBLE, MPI_MIN, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &range->high, 1, MPI_DOUBLE, MPI_MAX, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &range->sum, 1, MPI_DOUBLE, MPI_SUM, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &range->n, 1, MPI_INT64_T, MPI_SUM, comm));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReduceSummary(ScoriaDataset ds, Summary *all)
{
  int64_t counts[3] = {all->solved, all->failed, ds->damaged};

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, counts, 3, MPI_INT64_T, MPI_SUM, ds->comm));
  all->solved  = counts[0];
  all->failed  = counts[1];
  all->damaged = counts[2];
  for (int c = 0; c < ds->spec.space.n; c++) PetscCall(ReduceRange(ds->comm, &all->condition[c]));
  for (int f = 0; f < ds->spec.nfields; f++) PetscCall(ReduceRange(ds->comm, &all->field[f]));
  PetscFunctionReturn(0);
}

static PetscErrorCode Summarise(ScoriaDataset ds, Summary *all)
{
  const int64_t width = (int64_t)ds->spec.cells * 8 * (ds->spec.nfields + 1);
  const int64_t batch = BATCH_BYTES / width > 0 ? BATCH_BYTES / width : 1;
  const int64_t share = (ds->spec.rows + ds->size - 1) / ds->size;
  int64_t first, number;
  ScoriaRows rows;

  PetscFunctionBeginUser;
  PetscCall(PetscMemzero(all, sizeof(*all)));
  for (int i = 0; i < SCORIA_MAX_CONDITIONS; i++) all->condition[i] = (Range){INFINITY, -INFINITY, 0.0, 0};
  for (int i = 0; i < SCORIA_MAX_FIELDS; i++) all->field[i] = (Range){INFINITY, -INFINITY, 0.0, 0};
  deal_block(ds->spec.rows, ds->rank, ds->size, &first, &number);
  PetscCall(ScoriaRowsCreate(&ds->spec, share < batch ? share : batch, &rows));
  for (int64_t at = 0; at < share; at += batch) {
    const int64_t left = number > at ? number - at : 0;

    PetscCall(ScoriaDatasetRead(ds, first + number - left, left < batch ? left : batch, &rows));
    summary_add(&ds->spec, &rows, all);
  }
  PetscCall(ScoriaRowsDestroy(&rows));
  PetscCall(ReduceSummary(ds, all));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- dataset ---- */

static void print_range(const char *name, const char *unit, const Range *range, const char *more)
{
  printf("  %-12s %-10s ", name, unit);
  if (range->n)
    printf("%12.5g %12.5g %12.5g", range->low, range->sum / (double)range->n, range->high);
  else
    printf("%12s %12s %12s", "-", "-", "-");
  printf("   %s\n", more);
}

static void print_cells(const ScoriaDatasetSpec *spec, const double x[])
{
  const int *n     = spec->shape;
  const bool share = space_has_shares(&spec->space, 0);
  const char *unit = space_place_unit(&spec->space, 0), *across = space_place_unit(&spec->space, 1);

  if (fields_differ(spec->nfields, spec->field)) {
    ScoriaFieldAxis axis[SCORIA_MAX_AXES];
    const int axes = fields_axes(spec->nfields, spec->field, spec->shape, axis);

    for (int a = 0; a < axes; a++) {
      const double *own = x + axis[a].centre;

      printf("cells        %d, %s%s from %.5g to %.5g%s\n", axis[a].n, axis[a].name,
             share && !axis[a].along ? " / L" : "", own[0], own[axis[a].n - 1], axis[a].along ? across : unit);
    }
    printf("fields in %s precision\n\n", spec->float64 ? "double" : "single");
    return;
  }
  printf("cells        %d, x%s from %.5g to %.5g%s", spec->cells, share ? " / L" : "", x[0], x[n[0] - 1], unit);
  if (spec_is_whole(spec)) {
    x += n[0];
    printf(" (%d), y from %.5g to %.5g%s (%d), z from %.5g to %.5g%s (%d)", n[0], x[0], x[n[1] - 1], across, n[1],
           x[n[1]], x[n[1] + n[2] - 1], across, n[2]);
  }
  printf(", fields in %s precision\n\n", spec->float64 ? "double" : "single");
}

static void print_dataset(const char *path, const ScoriaDatasetSpec *spec, const double x[], const Summary *all,
                          const char *identity, const ScoriaMadeFrom *made)
{
  const int64_t missing = spec->rows - all->solved - all->failed - all->damaged;
  int64_t dims[SCORIA_FIELD_RANK];
  char shape[96];

  printf("rows         %lld: %lld solved, %lld failed", (long long)spec->rows, (long long)all->solved,
         (long long)all->failed);
  if (missing) printf(", %lld NOT WRITTEN", (long long)missing);
  if (all->damaged) printf(", %lld DAMAGED", (long long)all->damaged);
  printf("; %lld per condition\n", (long long)spec->realisations);
  if (spec->whole)
    printf("shard        rows %lld to %lld of %lld\n", (long long)spec->first,
           (long long)(spec->first + spec->rows - 1), (long long)spec->whole);
  if (*spec->source) printf("imported     from %s\n", spec->source);
  printf("identity     %s\n", identity);
  if (*made->model) printf("made from    a model of %s\n", made->model);
  if (*made->dataset) printf("made from    a dataset of %s\n", made->dataset);
  if (*made->file) printf("made from    a file of %s\n", made->file);
  if (*made->library) printf("porosities   of %s\n", made->library);
  print_cells(spec, x);
  printf("  %-12s %-10s %12s %12s %12s\n", "condition", "unit", "min", "mean", "max");
  for (int c = 0; c < spec->space.n; c++) {
    const ScoriaCondition *theta = &spec->space.c[c];
    char more[128];

    snprintf(more, sizeof more, theta->lo == theta->hi ? "fixed" : "range %.5g to %.5g, %s", theta->lo, theta->hi,
             theta->log           ? "logarithmic"
             : theta->log_learned ? "linear, learned by its logarithm"
                                  : "linear");
    print_range(theta->name, theta->unit, &all->condition[c], more);
  }
  printf("\n  %-12s %-10s %12s %12s %12s\n", "field", "unit", "min", "mean", "max");
  for (int f = 0; f < spec->nfields; f++)
    print_range(spec->field[f].name, spec->field[f].unit, &all->field[f], spec->field[f].description);
  printf("\nIn Python:\n  import h5py\n  f = h5py.File(\"%s\")\n  solved = f[\"status/done\"][:] == 1\n", path);
  const int rank = field_array_shape(spec, 0, dims);
  dims[0]        = all->solved;
  shape_text(rank, dims, sizeof shape, shape);
  if (spec->nfields) printf("  %s = f[\"fields/%s\"][solved]  # %s\n", spec->field[0].name, spec->field[0].name, shape);
  printf("  print(f.attrs[\"deck\"].decode())\n");
}

static PetscErrorCode DescribeDataset(MPI_Comm comm, const char *path)
{
  ScoriaDataset ds;
  Summary all;
  PetscErrorCode failed;
  char identity[SCORIA_IDENTITY_SIZE] = "";

  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetOpen(comm, path, &ds));
  ds->tolerant = true;
  failed       = Summarise(ds, &all);
  if (!failed) failed = ScoriaDatasetIdentity(NULL, ds, ds->spec.rows, identity);
  if (!failed && !ds->rank) print_dataset(path, &ds->spec, ds->x, &all, identity, &ds->made);
  PetscCall(ScoriaDatasetClose(&ds));
  PetscCall(failed);
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------------- any ---- */

static PetscErrorCode PrintOrigin(hid_t file, const char *path, const char *kind, ScoriaTrouble *bad)
{
  char date[64], version[64], revision[128];

  PetscFunctionBeginUser;
  PetscCall(GetShortText(file, "date", sizeof date, date, bad));
  PetscCall(GetShortText(file, "program_version", sizeof version, version, bad));
  PetscCall(GetShortText(file, "git_revision", sizeof revision, revision, bad));
  if (bad->code == SCORIA_EXIT_OK)
    printf("%s\nkind         %s\nmade         %s by scoria %s (%s)\n", path, kind, date, version, revision);
  PetscFunctionReturn(0);
}

/* A file that a command leaves as text under a name of its own, in a run directory: that has a manifest; 0: it is none.
 */
static int describe_text(const char *path, const struct stat *st)
{
  const char *slash         = strrchr(path, '/');
  const ScoriaRunFile *file = run_file_find(slash ? slash + 1 : path, NULL);
  const size_t length       = file ? strlen(file->name) : 0;
  char beside[PETSC_MAX_PATH_LEN];
  if (!file || !file->text || !S_ISREG(st->st_mode) || !strcmp(file->name + length - 3, ".h5")) return 0;
  snprintf(beside, sizeof beside, "%.*s%s", slash ? (int)(slash + 1 - path) : 0, path, MANIFEST_FILE);
  if (access(beside, R_OK)) return 0;
  printf("%s\n%-12s %s%s%s\n%-12s %lld bytes of text\n", path, "holds", file->command ? file->command : "",
         file->command ? ": " : "", file->text, "size", (long long)st->st_size);
  return 1;
}

PetscErrorCode ScoriaDescribeFile(MPI_Comm comm, const char *path)
{
  ScoriaTrouble bad = {.path = path};
  char format[SCORIA_NAME_SIZE], kind[SCORIA_NAME_SIZE];
  int64_t size;
  hid_t file = H5I_INVALID_HID;
  struct stat st;
  int rank, is_dataset = 0, is[2] = {0, 0}; /* a directory, a text */

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank && !stat(path, &st)) {
    is[0] = S_ISDIR(st.st_mode);
    is[1] = describe_text(path, &st);
  }
  PetscCallMPI(MPI_Bcast(is, 2, MPI_INT, 0, comm));
  if (is[0]) PetscCall(ManifestVerify(comm, path));
  if (!rank) fflush(stdout);
  if (is[0] || is[1]) PetscFunctionReturn(0);
  PetscCall(ScoriaFileTrial(comm, path));
  if (!rank) {
    PetscCall(OpenOurs(path, "a file of scoria's", &size, &file, format, kind, &bad));
    if (bad.code == SCORIA_EXIT_OK) PetscCall(PrintOrigin(file, path, kind, &bad));
    is_dataset = !strcmp(format, SCORIA_DATASET_FORMAT);
    if (bad.code == SCORIA_EXIT_OK && !is_dataset) {
      PetscCall(DescribeStore(file, &bad));
      printf("\nIn Python:\n  import h5py\n  f = h5py.File(\"%s\")\n  print(f.attrs[\"deck\"].decode())\n", path);
    }
    if (file >= 0) H5Fclose(file);
  }
  PetscCall(ScoriaAgree(comm, bad.code, bad.line));
  PetscCallMPI(MPI_Bcast(&is_dataset, 1, MPI_INT, 0, comm));
  if (is_dataset) PetscCall(DescribeDataset(comm, path));
  if (!rank) fflush(stdout);
  PetscFunctionReturn(0);
}

/* compare of two dataset files (ensembles or samples): the rows of a sample against those of a reference at the
 * conditions that both hold.  The first half of the reference's rows is the reference, its second half gives the floor,
 * and as many rows are taken from the sample, so that all distances are between samples of one size. */
#include "compare.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SAMPLE, REFERENCE, NFILES };

typedef struct {
  const char *path; /* borrowed from the deck */
  ScoriaDataset ds; /* owned */
  const ScoriaDatasetSpec *spec;
  int64_t conditions;
  double *theta;                /* owned (conditions, space.n) on rank 0, which matches them; else NULL */
  int field[SCORIA_MAX_FIELDS]; /* where the channels that are compared stand in this file */
  ScoriaSource source;          /* owned: of these channels */
} File;

typedef struct {
  MPI_Comm comm;
  int rank, size;
  File file[NFILES];
  int64_t at[NFILES]; /* conditions of both that this rank measures now; -1: none */
  int64_t *match;     /* owned (set->conditions, 2) on rank 0: condition of the sample, of the reference */
  /* Of whole fields, whose rows are read a few at a time. */
  ScoriaFeatures features; /* owned */
  CompareBatch batch;      /* owned */
} Files;

/* ------------------------------------------------------------------------------------------------- opening ---- */

#define READ_AT_ONCE 65536 /* conditions, of every rank */

/* theta of every condition to rank 0, block by block of all ranks. */
static PetscErrorCode ReadConditions(const Files *f, File *file)
{
  const int n = file->spec->space.n;
  int *counts, *starts;
  double *some;
  PetscFunctionBeginUser;
  file->conditions   = file->spec->rows / file->spec->realisations;
  const int64_t most = PetscMin(READ_AT_ONCE, file->conditions / f->size + 1);
  if (!f->rank) PetscCall(PetscMalloc1(file->conditions * n + 1, &file->theta));
  PetscCall(PetscMalloc3(most * n + 1, &some, f->size, &counts, f->size, &starts));
  for (int64_t base = 0, batch; base < file->conditions; base += batch) {
    int64_t first, number;
    batch = PetscMin(most * f->size, file->conditions - base);
    for (int r = 0; r < f->size; r++) {
      deal_block(batch, r, f->size, &first, &number);
      counts[r] = (int)number * n;
      starts[r] = (int)first * n;
    }
    deal_block(batch, f->rank, f->size, &first, &number);
    PetscCall(ScoriaDatasetReadTheta(file->ds, base + first, number, some));
    PetscCallMPI(MPI_Gatherv(some, counts[f->rank], MPI_DOUBLE, f->rank ? NULL : file->theta + base * n, counts, starts,
                             MPI_DOUBLE, 0, f->comm));
  }
  PetscCall(PetscFree3(some, counts, starts));
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenFile(const Files *f, File *file, const double **x)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaFileTrial(f->comm, file->path));
  PetscCall(ScoriaDatasetOpen(f->comm, file->path, &file->ds));
  PetscCall(ScoriaDatasetInfo(file->ds, &file->spec, x, NULL));
  PetscFunctionReturn(0);
}

/* The cells of one field in both files, whose numbers agree. */
static PetscErrorCode MatchCentres(const File *a, const ScoriaField *of_a, const double xa[], const File *b,
                                   const ScoriaField *of_b, const double xb[])
{
  int n[3];
  PetscFunctionBeginUser;
  field_shape(of_a, a->spec->shape, n);
  for (int d = 0; d < (spec_is_whole(a->spec) ? 3 : 1); d++) {
    const double *x = field_centres(of_a, a->spec->shape, xa, d), *y = field_centres(of_b, b->spec->shape, xb, d);
    for (int j = 0; j < n[d]; j++)
      if (fabs(x[j] - y[j]) > 1e-9 * fabs(y[n[d] - 1]))
        SCORIA_FAIL(SCORIA_EXIT_INPUT, "compare: cell %d lies at %g%s in %s and at %g%s in %s", j, x[j],
                    space_place_unit(&a->spec->space, d), a->path, y[j], space_place_unit(&b->spec->space, d), b->path);
  }
  PetscFunctionReturn(0);
}

/* The sample's fields of state, which must be in the reference too, in the same units on the same cells. */
static PetscErrorCode MatchFields(Files *f, ComparisonSet *set, const double *const x[NFILES])
{
  File *a = &f->file[SAMPLE], *b = &f->file[REFERENCE];
  PetscFunctionBeginUser;
  if (memcmp(a->spec->shape, b->spec->shape, sizeof a->spec->shape)) {
    char cells[NFILES][64];
    for (int i = 0; i < NFILES; i++) spec_cells_text(f->file[i].spec, sizeof cells[i], cells[i]);
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "compare: %s has %s, %s has %s", a->path, cells[SAMPLE], b->path, cells[REFERENCE]);
  }
  for (int i = 0; i < a->spec->nfields; i++) {
    if (!field_is_state(&a->spec->field[i])) continue;
    const int j = field_find(b->spec->nfields, b->spec->field, a->spec->field[i].name);
    if (j < 0 || !field_is_beside(&a->spec->field[i], &b->spec->field[j]) ||
        memcmp(a->spec->field[i].n, b->spec->field[j].n, sizeof a->spec->field[i].n) ||
        strcmp(a->spec->field[i].unit, b->spec->field[j].unit))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "compare: %s has the field %s [%s], %s has not", a->path, a->spec->field[i].name,
                  a->spec->field[i].unit, b->path);
    PetscCall(MatchCentres(a, &a->spec->field[i], x[SAMPLE], b, &b->spec->field[j], x[REFERENCE]));
    set->channel[set->shape.channels] = i;
    a->field[set->shape.channels]     = i;
    b->field[set->shape.channels++]   = j;
  }
  set->wide        = spec_is_whole(a->spec);
  set->shape.cells = a->spec->cells;
  set->shape.x     = x[SAMPLE];
  set->shape.field = a->spec->field;
  set->shape.space = &a->spec->space;
  PetscFunctionReturn(0);
}

static PetscErrorCode MatchConditions(Files *f, ComparisonSet *set)
{
  const File *a = &f->file[SAMPLE], *b = &f->file[REFERENCE];
  const int n = a->spec->space.n;
  PetscFunctionBeginUser;
  bool named = n == b->spec->space.n;
  for (int i = 0; named && i < n; i++) named = !strcmp(a->spec->space.c[i].name, b->spec->space.c[i].name);
  if (!named) SCORIA_FAIL(SCORIA_EXIT_INPUT, "compare: %s and %s have other conditions", a->path, b->path);
  int64_t number = 0;
  if (!f->rank) {
    PetscCall(PetscMalloc1(2 * a->conditions, &f->match));
    PetscCall(CompareMatch(&a->spec->space, a->conditions, a->theta, b->conditions, b->theta, f->match, &number));
  }
  PetscCallMPI(MPI_Bcast(&number, 1, MPI_INT64_T, 0, f->comm));
  if (number > INT_MAX)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "compare: found %lld conditions in both files, expected at most %d",
                (long long)number, INT_MAX);
  set->conditions = (int)number;
  if (!set->conditions)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "compare: no condition is in both %s (%lld) and %s (%lld)", a->path,
                (long long)a->conditions, b->path, (long long)b->conditions);
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------- measuring ---- */

/* Good rows of condition k of a file, (n, channels, cells), in out; nothing where k < 0.  Collective. */
static PetscErrorCode ReadGood(const File *file, const ComparisonSet *set, int64_t k, double out[], int64_t *n)
{
  const int64_t R = k < 0 ? 0 : file->spec->realisations;
  const int m     = set->shape.channels * set->shape.cells;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSourceDraw(file->source, NULL, k < 0 ? 0 : (uint64_t)(k * R), R, out));
  *n = 0;
  for (int64_t i = 0; i < R; i++)
    if (source_rows(file->source)->done[i] == SCORIA_ROW_DONE)
      memmove(out + (*n)++ * m, out + i * m, (size_t)m * sizeof *out);
  PetscFunctionReturn(0);
}

/* The same, of whole fields: their features (n, features_size). */
static PetscErrorCode ReadFeatures(const Files *f, const File *file, int64_t k, double out[], int64_t *n)
{
  const int64_t R = file->spec->realisations, number = k < 0 ? 0 : R;
  PetscFunctionBeginUser;
  PetscCall(CompareDrawFeatures(file->source, &(CompareKept){.features = f->features}, &f->batch, NULL,
                                k < 0 ? 0 : (uint64_t)(k * R), number, R, out));
  *n = stats_keep_finite(number, features_size(f->features), out);
  PetscFunctionReturn(0);
}

/* Features of na and nb rows: the reference is the first half of b. */
static PetscErrorCode MeasureOneWhole(ScoriaFeatures features, int64_t na, const double a[], int64_t nb,
                                      const double b[], Comparison *c, CompareWhole *whole)
{
  const int64_t half = nb / 2, rows = PetscMin(na, half);
  const int64_t n[SCORIA_NFROM] = {
      [SCORIA_FROM_MODEL] = rows, [SCORIA_FROM_PDE] = rows, [SCORIA_FROM_PDE_AGAIN] = rows};
  const double *const of[SCORIA_NFROM] = {
      [SCORIA_FROM_MODEL] = a, [SCORIA_FROM_PDE] = b, [SCORIA_FROM_PDE_AGAIN] = b + half * features_size(features)};
  PetscFunctionBeginUser;
  c->good[SCORIA_FROM_MODEL] = c->good[SCORIA_FROM_PDE_AGAIN] = c->good[SCORIA_FROM_PDE] = rows;
  PetscCall(CompareMeasureWhole(features, n, of, whole, c));
  PetscFunctionReturn(0);
}

static PetscErrorCode MeasureOne(const ComparisonSet *set, uint64_t seed, int directions, int64_t na, const double a[],
                                 int64_t nb, const double b[], Comparison *c)
{
  const int m        = set->shape.channels * set->shape.cells;
  const int64_t half = nb / 2, rows = PetscMin(na, half);
  PetscFunctionBeginUser;
  c->good[SCORIA_FROM_MODEL] = c->good[SCORIA_FROM_PDE_AGAIN] = c->good[SCORIA_FROM_PDE] = rows;
  if (rows < 2) PetscFunctionReturn(0);
  PetscCall(ScoriaDistanceCompute(rows, a, rows, b, m, seed, directions, &c->distance[SCORIA_FROM_MODEL]));
  PetscCall(
      ScoriaDistanceCompute(rows, b + half * m, rows, b, m, seed, directions, &c->distance[SCORIA_FROM_PDE_AGAIN]));
  PetscFunctionReturn(0);
}

/* Which conditions of the files this rank measures of [base, base + size), from rank 0; -1: none. */
static PetscErrorCode TellMatch(const Files *f, const ComparisonSet *set, int base, int64_t all[],
                                int64_t match[NFILES])
{
  PetscFunctionBeginUser;
  for (int r = 0; r < f->size && !f->rank; r++)
    for (int i = 0; i < NFILES; i++)
      all[NFILES * r + i] = base + r < set->conditions ? f->match[NFILES * (base + r) + i] : -1;
  PetscCallMPI(MPI_Scatter(all, NFILES, MPI_INT64_T, match, NFILES, MPI_INT64_T, 0, f->comm));
  PetscFunctionReturn(0);
}

/* What is kept of a row: all of it, or its features. */
static PetscErrorCode OpenRows(Files *f, ScoriaDeck deck, const ComparisonSet *set, size_t *width)
{
  PetscFunctionBeginUser;
  *width       = (size_t)set->shape.channels * set->shape.cells;
  int64_t most = INT64_MAX;
  if (set->wide) {
    PetscCall(CompareFeaturesCreate(deck, set->shape.channels, set->shape.field, f->file[SAMPLE].spec->shape,
                                    set->shape.x, &f->features));
    PetscCall(CompareBatchCreate(&set->shape, &f->batch));
    *width = (size_t)features_size(f->features);
    most   = f->batch.rows;
  }
  for (int i = 0; i < NFILES; i++)
    PetscCall(ScoriaSourceOfFile(f->comm, f->file[i].ds, set->shape.channels, f->file[i].field,
                                 PetscMin(f->file[i].spec->realisations, most), &f->file[i].source));
  PetscFunctionReturn(0);
}

/* Good rows of both files at one condition each, and what this rank makes of its own. */
static PetscErrorCode MeasureRound(Files *f, ComparisonSet *set, uint64_t seed, int directions, int k,
                                   double *const rows[NFILES])
{
  const bool mine       = k < set->conditions;
  PetscErrorCode failed = 0;
  int64_t n[NFILES];
  PetscFunctionBeginUser;
  for (int i = 0; i < NFILES; i++) {
    if (set->wide)
      PetscCall(ReadFeatures(f, &f->file[i], f->at[i], rows[i], &n[i]));
    else
      PetscCall(ReadGood(&f->file[i], set, f->at[i], rows[i], &n[i]));
  }
  if (mine && f->rank) PetscCall(CompareForget(set));
  for (int i = 0; i < NFILES && mine && !set->wide; i++)
    fields_blank(n[i], set->shape.channels, set->shape.field, set->shape.cells, rows[i]);
  if (mine && set->wide)
    failed = MeasureOneWhole(f->features, n[SAMPLE], rows[SAMPLE], n[REFERENCE], rows[REFERENCE],
                             compare_condition(set, k), &set->whole[k % set->held]);
  else if (mine)
    failed = MeasureOne(set, seed, directions, n[SAMPLE], rows[SAMPLE], n[REFERENCE], rows[REFERENCE],
                        compare_condition(set, k));
  PetscCall(ScoriaAgreeFailed(f->comm, failed));
  PetscFunctionReturn(0);
}

/* Conditions are dealt to ranks, a round at a time. */
static PetscErrorCode MeasureAll(ScoriaRun run, ScoriaDeck deck, Files *f, ComparisonSet *set)
{
  size_t width;
  double *rows[NFILES];
  int64_t *all;
  PetscInt seed = 0, directions = 0;
  ScoriaProgress bar;
  bool stop = false;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  PetscCall(ScoriaDeckInt(deck, "compare_directions", &directions));
  PetscCall(OpenRows(f, deck, set, &width));
  for (int i = 0; i < NFILES; i++) PetscCall(PetscMalloc1((size_t)f->file[i].spec->realisations * width, &rows[i]));
  PetscCall(PetscMalloc1(f->rank ? 0 : NFILES * f->size, &all));
  PetscCall(ScoriaProgressCreate(run, "compare", "conditions", set->conditions, &bar));
  for (int base = 0; base < set->conditions; base += f->size) {
    PetscCall(TellMatch(f, set, base, all, f->at));
    PetscCall(MeasureRound(f, set, (uint64_t)seed, (int)directions, base + f->rank, rows));
    PetscCall(CompareHandIn(f->comm, set, base, PetscMin(f->size, set->conditions - base)));
    PetscCall(ScoriaProgressUpdate(bar, PetscMin(base + f->size, set->conditions), NULL));
    PetscCall(ScoriaStopAsked(run, &stop));
    if (stop && base + f->size < set->conditions)
      PetscCall(ScoriaStopped(run, "the comparison restarts from the beginning"));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  for (int i = 0; i < NFILES; i++) PetscCall(PetscFree(rows[i]));
  PetscCall(PetscFree(all));
  PetscCall(CompareBatchDestroy(&f->batch));
  PetscFunctionReturn(0);
}

/* Rank 0's part. */
static PetscErrorCode CheckCounts(const Files *f, ComparisonSet *set)
{
  PetscFunctionBeginUser;
  set->count = set->c[0].good[SCORIA_FROM_MODEL];
  for (int k = 0; k < set->conditions; k++) {
    set->count = PetscMin(set->count, set->c[k].good[SCORIA_FROM_MODEL]);
    memcpy(set->c[k].theta, f->file[SAMPLE].theta + f->match[2 * k] * set->shape.space->n,
           sizeof(double) * set->shape.space->n);
  }
  if (set->count < 2)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "compare: %lld rows at a condition, expected at least 2 good ones in the sample and 4 in the reference",
                (long long)set->count);
  PetscFunctionReturn(0);
}

/* Whether the two may differ so much, if the deck says how much.  Rank 0's part. */
static PetscErrorCode CheckLimit(ScoriaDeck deck, const Files *f, const ComparisonSet *set)
{
  ScoriaDistance sample, again;
  PetscReal limit;
  bool limited;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckHas(deck, "compare_limit", &limited));
  if (!limited) PetscFunctionReturn(0);
  PetscCall(ScoriaDeckReal(deck, "compare_limit", &limit));
  PetscCall(ComparePool(set, SCORIA_FROM_MODEL, &sample));
  PetscCall(ComparePool(set, SCORIA_FROM_PDE_AGAIN, &again));
  if (!(sample.sliced_w <= limit * again.sliced_w))
    SCORIA_FAIL(SCORIA_EXIT_DIFFERENT,
                "%s: its sliced Wasserstein distance to %s is %.2f times the floor, compare_limit allows %g",
                f->file[SAMPLE].path, f->file[REFERENCE].path, sample.sliced_w / again.sliced_w, limit);
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteJson(const Files *f, const ComparisonSet *set, const char *path)
{
  static const char *const names[NFILES] = {[SAMPLE] = "sample", [REFERENCE] = "reference"};
  cJSON *root = cJSON_CreateObject(), *made = cJSON_AddObjectToObject(root, "made_from");
  PetscFunctionBeginUser;
  for (int i = 0; i < NFILES; i++) {
    char identity[SCORIA_IDENTITY_SIZE];
    PetscCall(ScoriaDatasetIdentity(NULL, f->file[i].ds, dataset_rows(f->file[i].ds), identity));
    cJSON_AddStringToObject(made, names[i], identity);
  }
  if (!f->rank) {
    PetscCall(CompareAddMeasures(root, set, true));
    compare_add_conditions(root, set, true);
    if (set->wide) PetscCall(CompareAddWhole(root, set, f->features, true));
  }
  PetscCall(ScoriaWriteJson(f->comm, path, root));
  PetscFunctionReturn(0);
}

/* The conditions of both files, and which of them are in both. */
static PetscErrorCode FindConditions(Files *f, ComparisonSet *set)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < NFILES; i++) PetscCall(ReadConditions(f, &f->file[i]));
  PetscCall(MatchConditions(f, set));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCompareFiles(ScoriaRun run, ScoriaDeck deck, const char *sample, const char *reference)
{
  char json[PETSC_MAX_PATH_LEN];
  const double *x[NFILES];
  const char *name;
  Files f           = {.comm = ScoriaRunComm(run)};
  ComparisonSet set = {0};
  bool there;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(f.comm, &f.rank));
  PetscCallMPI(MPI_Comm_size(f.comm, &f.size));
  PetscCall(ScoriaDeckString(deck, "compare_output", &name));
  PetscCall(ScoriaRunPath(run, name, sizeof json, json));
  PetscCall(ScoriaFileExists(f.comm, json, &there));
  if (there)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: it exists already and is not overwritten; move it away, or choose another -compare_output", json);
  f.file[SAMPLE].path    = sample;
  f.file[REFERENCE].path = reference;
  for (int i = 0; i < NFILES; i++) PetscCall(OpenFile(&f, &f.file[i], &x[i]));
  PetscCall(MatchFields(&f, &set, x));
  PetscCall(ScoriaStopAtOnce(run, "the comparison restarts from the beginning"));
  const PetscErrorCode failed = FindConditions(&f, &set);
  stop_in_order();
  PetscCall(failed);
  PetscCall(CompareCreateConditions(f.comm, &set, false));
  PetscCall(MeasureAll(run, deck, &f, &set));
  PetscCall(ScoriaAgreeFailed(f.comm, f.rank ? 0 : CheckCounts(&f, &set)));
  if (!f.rank) PetscCall(CompareSayMeasures(run, &set, true));
  if (!f.rank && set.wide) PetscCall(CompareSayWhole(run, &set, true));
  PetscCall(WriteJson(&f, &set, json));
  PetscCall(ScoriaSay(run, "  wrote %s", json));
  PetscCall(ScoriaAgreeFailed(f.comm, f.rank ? 0 : CheckLimit(deck, &f, &set)));
  for (int i = 0; i < NFILES; i++) {
    PetscCall(ScoriaSourceDestroy(&f.file[i].source));
    PetscCall(ScoriaDatasetClose(&f.file[i].ds));
    PetscCall(PetscFree(f.file[i].theta));
  }
  PetscCall(PetscFree(f.match));
  PetscCall(ScoriaFeaturesDestroy(&f.features));
  PetscCall(CompareDestroyConditions(&set));
  PetscFunctionReturn(0);
}

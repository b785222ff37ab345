/* What the report reads: the comparison's arrays and the training log. */
#include "report_compare.h"
#include "report_logs.h"
#include "scoria/run_files.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double json_number(const cJSON *object, const char *name)
{
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
  return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

/* ------------------------------------------------------------------------------------------------- comparison ---- */

/* Behind the cells of a field that has fewer than others its last value: of lines (n, cells) data becomes (n, L). */
static PetscErrorCode Widen(const ScoriaField *field, int64_t n, int64_t L, double **data)
{
  const int cells = field_cells(field, (int)L);
  double *wide;
  PetscFunctionBeginUser;
  if (!*data || cells == L) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(n * L, &wide));
  for (int64_t i = 0; i < n; i++) {
    memcpy(wide + i * L, *data + i * cells, (size_t)cells * sizeof(double));
    field_pad(field, (int)L, wide + i * L);
  }
  PetscCall(PetscFree(*data));
  *data = wide;
  PetscFunctionReturn(0);
}

/* The array `name` when it has the shape (d0, d1) or (d0, d1, d2) that is expected; *data stays NULL when the file has
 * none. */
static PetscErrorCode ReadArray(ScoriaStore store, const char *name, int rank, const int64_t dims[], double **data)
{
  int found;
  int64_t shape[4], count = 1;
  PetscFunctionBeginUser;
  *data = NULL;
  PetscCall(ScoriaStoreShape(store, name, 4, &found, shape));
  if (found < 0) PetscFunctionReturn(0);
  bool same = found == rank;
  for (int i = 0; same && i < rank; i++) same = shape[i] == dims[i];
  if (!same) SCORIA_FAIL(SCORIA_EXIT_INPUT, "compare.h5: %s does not have the shape that /theta and /x ask for", name);
  for (int i = 0; i < rank; i++) count *= dims[i];
  PetscCall(PetscMalloc1(count, data));
  PetscCall(ScoriaStoreGetReals(store, name, count, *data));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadChannel(ScoriaStore store, const char *group, int side, int channel, ReportCompare *cmp)
{
  const char *field   = cmp->field[channel].name;
  const int64_t cells = field_cells(&cmp->field[channel], (int)cmp->L);
  char name[128];
  int rank;
  int64_t shape[4];
  PetscFunctionBeginUser;
  for (int v = 0; v < SCORIA_NVIEWS; v++)
    for (int s = 0; s < SCORIA_NCURVES; s++) {
      const int64_t dims[2] = {cmp->K, cells};
      compare_curve_path(group, v, side, field, s, sizeof name, name);
      PetscCall(ReadArray(store, name, 2, dims, &cmp->stat[v][side][channel][s]));
      PetscCall(Widen(&cmp->field[channel], cmp->K, cmp->L, &cmp->stat[v][side][channel][s]));
    }
  if (side != SCORIA_FROM_PDE && side != SCORIA_FROM_MODEL) PetscFunctionReturn(0); /* no others are drawn */
  compare_examples_path(group, side, field, sizeof name, name);
  PetscCall(ScoriaStoreShape(store, name, 4, &rank, shape));
  if (rank != 3) PetscFunctionReturn(0);
  if (!cmp->examples) cmp->examples = shape[1];
  const int64_t dims[3] = {cmp->K, cmp->examples, cells};
  PetscCall(ReadArray(store, name, 3, dims, &cmp->example[side][channel]));
  PetscCall(Widen(&cmp->field[channel], cmp->K * cmp->examples, cmp->L, &cmp->example[side][channel]));
  PetscFunctionReturn(0);
}

/* The largest value of a channel, by the bands of the PDE. */
static double largest_of(const ReportCompare *cmp, int channel)
{
  static const int limits[] = {SCORIA_CURVE_Q025, SCORIA_CURVE_Q975};
  double largest            = 0;
  for (int s = 0; s < 2; s++) {
    const double *stat = cmp->stat[SCORIA_VIEW_FIELD][SCORIA_FROM_PDE][channel][limits[s]];
    for (int64_t i = 0; stat && i < cmp->K * cmp->L; i++) largest = fmax(largest, fabs(stat[i]));
  }
  return largest;
}

static PetscErrorCode ReadFields(ScoriaStore store, const char *group, ReportCompare *cmp)
{
  PetscFunctionBeginUser;
  for (int c = 0; c < cmp->nchannels; c++) {
    for (int side = 0; side < SCORIA_NFROM; side++) PetscCall(ReadChannel(store, group, side, c, cmp));
    report_quantity(cmp->field[c].name, cmp->field[c].unit, largest_of(cmp, c), &cmp->channel[c]);
  }
  report_axis(&cmp->space, 0, cmp->x[cmp->L - 1], &cmp->along);
  PetscFunctionReturn(0);
}

/* theta decides whether the group is there at all. */
static PetscErrorCode ReadConditions(ScoriaStore store, const char *path, const char *group, ReportCompare *cmp)
{
  char name[32];
  int rank;
  int64_t dims[4];
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreGetSpace(store, &cmp->space));
  compare_theta_path(group, sizeof name, name);
  PetscCall(ScoriaStoreShape(store, name, 4, &rank, dims));
  if (rank < 0) PetscFunctionReturn(0); /* imported rows that are judged together have no curves */
  if (rank != 2 || dims[0] < 1 || dims[1] != cmp->space.n)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: expected %s of shape (conditions, %d)", path, name, cmp->space.n);
  PetscCall(ReadArray(store, name, 2, dims, &cmp->theta));
  cmp->K  = dims[0];
  dims[1] = SCORIA_NFROM;
  compare_good_path(group, sizeof name, name);
  PetscCall(ReadArray(store, name, 2, dims, &cmp->good));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadCells(ScoriaStore store, const char *path, ReportCompare *cmp)
{
  int rank;
  int64_t dims[4];
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreGetFields(store, &cmp->nchannels, cmp->field));
  for (int c = 0; c < cmp->nchannels; c++) cmp->L = PetscMax(cmp->L, cmp->field[c].cells);
  if (!fields_differ(cmp->nchannels, cmp->field)) {
    PetscCall(ScoriaStoreShape(store, scoria_file_axes[0], 4, &rank, dims));
    if (rank != 1 || dims[0] < 2) SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: expected /x of shape (cells)", path);
    cmp->L = dims[0];
  }
  const int shape[3] = {(int)cmp->L, 1, 1};
  PetscCall(PetscMalloc1(fields_centres(cmp->nchannels, cmp->field, shape), &cmp->x));
  PetscCall(ScoriaStoreGetCentres(store, cmp->nchannels, cmp->field, shape, cmp->x));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportCompareRead(MPI_Comm comm, const char *path, const char *group, ReportCompare *cmp)
{
  ScoriaStore store;
  bool exists;
  PetscFunctionBeginUser;
  memset(cmp, 0, sizeof *cmp);
  PetscCall(ScoriaFileExists(comm, path, &exists));
  if (!exists) PetscFunctionReturn(0);
  PetscCall(ScoriaStoreOpen(comm, path, "compare", &store));
  PetscCall(ReadConditions(store, path, group, cmp));
  if (cmp->K) {
    PetscCall(ReadCells(store, path, cmp));
    PetscCall(ReadFields(store, group, cmp));
  }
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

/* "500", or "493 to 500" where the conditions differ. */
static void count_text(const ReportCompare *cmp, int column, size_t size, char text[])
{
  double lo = cmp->good[column], hi = lo;
  for (int64_t k = 1; k < cmp->K; k++) {
    lo = fmin(lo, cmp->good[k * SCORIA_NFROM + column]);
    hi = fmax(hi, cmp->good[k * SCORIA_NFROM + column]);
  }
  if (lo < hi)
    snprintf(text, size, "%.0f to %.0f", lo, hi);
  else
    snprintf(text, size, "%.0f", hi);
}

void compare_counts(const ReportCompare *cmp, size_t size, char text[])
{
  char pde[48], model[48];
  text[0] = 0;
  if (!cmp->K || !cmp->good) return;
  count_text(cmp, SCORIA_FROM_PDE, sizeof pde, pde);
  count_text(cmp, SCORIA_FROM_MODEL, sizeof model, model);
  snprintf(text, size, " %s fields of the %s and %s of the model at each.", pde, cmp->words->law, model);
}

PetscErrorCode ReportCompareDestroy(ReportCompare *cmp)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(cmp->x));
  PetscCall(PetscFree(cmp->theta));
  PetscCall(PetscFree(cmp->good));
  for (int v = 0; v < SCORIA_NVIEWS; v++)
    for (int side = 0; side < SCORIA_NFROM; side++)
      for (int c = 0; c < cmp->nchannels; c++)
        for (int s = 0; s < SCORIA_NCURVES; s++) PetscCall(PetscFree(cmp->stat[v][side][c][s]));
  for (int side = 0; side < SCORIA_NFROM; side++)
    for (int c = 0; c < cmp->nchannels; c++) PetscCall(PetscFree(cmp->example[side][c]));
  memset(cmp, 0, sizeof *cmp);
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- training ---- */

static int64_t count_lines(const char *s)
{
  int64_t n = 1;
  for (; *s; s++) n += *s == '\n';
  return n;
}

static bool training_entry(const char *line, size_t length, ReportTraining *train)
{
  cJSON *object     = cJSON_ParseWithLength(line, length);
  const double step = json_number(object, TRAIN_STEP);
  const double kept = json_number(object, TRAIN_KEPT_STEP);
  const bool good   = isfinite(step);
  if (isfinite(kept)) {
    train->kept_step  = kept;
    train->kept_loss  = json_number(object, TRAIN_KEPT_LOSS);
    train->width      = json_number(object, TRAIN_WIDTH);
    train->lengthened = json_number(object, TRAIN_LENGTHENED);
  } else if (good) {
    const int64_t i      = train->n++;
    train->step[i]       = step;
    train->loss[i]       = json_number(object, TRAIN_LOSS);
    train->validation[i] = json_number(object, TRAIN_VALIDATION);
    train->lr[i]         = json_number(object, TRAIN_RATE);
    train->seconds[i]    = json_number(object, TRAIN_SECONDS);
    train->baseline[i]   = json_number(object, TRAIN_BASELINE);
  }
  cJSON_Delete(object);
  return good;
}

PetscErrorCode ReportTrainingParse(const char *jsonl, ReportTraining *train)
{
  PetscFunctionBeginUser;
  memset(train, 0, sizeof *train);
  train->kept_step = train->kept_loss = train->width = train->lengthened = NAN;
  if (!jsonl) PetscFunctionReturn(0);
  const int64_t capacity = train->capacity = count_lines(jsonl);
  PetscCall(PetscMalloc1(6 * capacity, &train->arena));
  train->step       = train->arena;
  train->loss       = train->arena + capacity;
  train->validation = train->arena + 2 * capacity;
  train->lr         = train->arena + 3 * capacity;
  train->seconds    = train->arena + 4 * capacity;
  train->baseline   = train->arena + 5 * capacity;
  while (*jsonl) {
    const size_t length = strcspn(jsonl, "\n");
    if (length > 0 && !training_entry(jsonl, length, train)) train->unread++;
    jsonl += length + (jsonl[length] == '\n');
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportTrainingDestroy(ReportTraining *train)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(train->arena));
  memset(train, 0, sizeof *train);
  PetscFunctionReturn(0);
}

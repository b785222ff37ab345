/* likelihood: log densities of given fields under the model, against those under the conditional Gaussian.
 *
 * The rows are a list of the same number of realisations from every condition, dealt over ranks in blocks; every rank
 * reads and evaluates its own, and each value is one rank's and zero elsewhere, so that their sums are exact. */
#include "scoria/study.h"
#include <math.h>
#include <string.h>

#define CHUNK_ROWS 1024 /* of every rank, at most, before it looks whether to stop */

/* What is known of every row of the list; owned (rows) each, one arena. */
enum { LOG_DENSITY, GAUSSIAN, LOG_VOLUME, ROW, FAILED, NCOLUMNS };

typedef struct {
  MPI_Comm comm;
  int rank, size;
  ScoriaLikelihoodOptions opt;
  ScoriaTrained trained; /* owned */
  ScoriaModel model;     /* its */
  const char *name;      /* of the file, as the user knows it */
  ScoriaDataset ds;
  const ScoriaDatasetSpec *spec;
  int channels, cells;
  int field[SCORIA_MAX_FIELDS], condition[SCORIA_MAX_CONDITIONS]; /* where the model's stand in the file */
  int64_t conditions, each, rows;                                 /* of the list: rows = conditions * each */
  int64_t *chosen;                                                /* owned (conditions): their index in the file */
  double *column[NCOLUMNS];                                       /* owned (rows) */
  double *theta;                                                  /* owned (rows, space.n) */
} Likelihood;

/* ------------------------------------------------------------------------------------------------- the rows ---- */

/* The model's fields, cells and conditions in the file. */
static PetscErrorCode MatchFile(Likelihood *l)
{
  const ScoriaSpace *space = ScoriaModelSpace(l->model);
  const ScoriaField *field;
  PetscFunctionBeginUser;
  PetscCall(ScoriaModelFields(l->model, &l->channels, &field, &l->cells, NULL));
  if (l->spec->cells != l->cells)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "likelihood: %s has %d cells, the model was trained on %d", l->name, l->spec->cells,
                l->cells);
  for (int c = 0; c < l->channels; c++) {
    l->field[c] = field_find(l->spec->nfields, l->spec->field, field[c].name);
    if (l->field[c] < 0)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "likelihood: %s has no field %s, which the model was trained on", l->name,
                  field[c].name);
  }
  for (int k = 0; k < space->n; k++) {
    l->condition[k] = space_find(&l->spec->space, space->c[k].name);
    if (l->condition[k] < 0)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "likelihood: %s has no condition %s, which the model was trained on", l->name,
                  space->c[k].name);
  }
  PetscFunctionReturn(0);
}

/* A file that was named: all of it.  Otherwise the dataset: the conditions that the model was not trained on, which the
 * model's own seed and share tell. */
static PetscErrorCode OpenFile(ScoriaRun run, ScoriaDeck deck, Likelihood *l, bool *held_out)
{
  char path[PETSC_MAX_PATH_LEN], difference[512];
  const char *stored;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckHas(deck, "likelihood_file", held_out));
  *held_out = !*held_out;
  PetscCall(ScoriaRunPath(run, "dataset.h5", sizeof path, path));
  l->name = "dataset.h5";
  if (!*held_out) {
    PetscCall(ScoriaDeckString(deck, "likelihood_file", &l->name));
    PetscCall(PetscStrncpy(path, l->name, sizeof path));
  }
  PetscCall(ScoriaDatasetOpen(l->comm, path, &l->ds));
  PetscCall(ScoriaDatasetInfo(l->ds, &l->spec, NULL, &stored));
  PetscCall(MatchFile(l));
  if (*held_out) {
    PetscCall(ScoriaModelDeck(l->model, &stored));
    PetscCall(ScoriaDeckDifference(deck, stored, SCORIA_OF_SPLIT, sizeof difference, difference));
    if (*difference)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "likelihood: model.h5 was trained on other rows (%s): name a file", difference);
  }
  PetscFunctionReturn(0);
}

/* The first realisations of conditions evenly spaced among those asked for, `count` rows at most. */
static PetscErrorCode ChooseRows(ScoriaRun run, ScoriaDeck deck, Likelihood *l, bool held_out)
{
  const int64_t all = l->spec->rows / l->spec->realisations;
  int64_t *asked, number = 0, left_out = 0;
  PetscInt count = 0;
  bool *train;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "likelihood_count", &count));
  PetscCall(PetscMalloc2(all, &asked, all, &train));
  if (held_out) PetscCall(ScoriaTrainingSplit(deck, all, train, &left_out));
  if (held_out && !left_out)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "likelihood: training left no condition of dataset.h5 out (train_validation): name "
                                   "a file");
  for (int64_t i = 0; i < all; i++)
    if (!held_out || !train[i]) asked[number++] = i;
  l->conditions = PetscMin(number, count);
  l->each       = PetscMin(l->spec->realisations, count / l->conditions);
  l->rows       = l->conditions * l->each;
  PetscCall(PetscMalloc1(l->conditions, &l->chosen));
  for (int64_t i = 0; i < l->conditions; i++) l->chosen[i] = asked[i * number / l->conditions];
  PetscCall(PetscFree2(asked, train));
  PetscCall(ScoriaSay(run, "  %lld rows of %s at %lld %sconditions", (long long)l->rows, l->name,
                      (long long)l->conditions, held_out ? "held-out " : ""));
  PetscFunctionReturn(0);
}

/* The fields (number, C, L) of rows [first, first + number) of the list, and what the file tells of them.  Every rank
 * reads the same number of pieces.  Collective. */
static PetscErrorCode ReadRows(Likelihood *l, ScoriaSource source, int64_t first, int64_t number, double fields[])
{
  const ScoriaRows *rows = source_rows(source);
  const int n            = ScoriaModelSpace(l->model)->n;
  int64_t pieces         = number ? (first + number - 1) / l->each - first / l->each + 1 : 0;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &pieces, 1, MPI_INT64_T, MPI_MAX, l->comm));
  for (int64_t at = first; pieces > 0; pieces--) {
    const int64_t condition = at / l->each, from = at % l->each,
                  part = PetscMax(PetscMin(l->each - from, first + number - at), 0),
                  row  = part ? l->chosen[condition] * l->spec->realisations + from : 0;
    PetscCall(ScoriaSourceDraw(source, NULL, (uint64_t)row, part, fields + (at - first) * l->channels * l->cells));
    for (int64_t i = 0; i < part; i++) {
      l->column[ROW][at + i]    = (double)(row + i);
      l->column[FAILED][at + i] = rows->done[i] != SCORIA_ROW_DONE;
      for (int k = 0; k < n; k++) l->theta[(at + i) * n + k] = rows->condition[l->condition[k]][i];
    }
    at += part;
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ the values ---- */

static PetscErrorCode EvaluateRows(Likelihood *l, int64_t first, int64_t number, const double fields[])
{
  const ScoriaLogDensity out = {l->column[LOG_DENSITY] + first, l->column[GAUSSIAN] + first,
                                l->column[LOG_VOLUME] + first};
  uint64_t *id;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(number + 1, &id));
  for (int64_t i = 0; i < number; i++) id[i] = (uint64_t)l->column[ROW][first + i];
  /* A condition without a twin is known to the rank that meets it alone. */
  const PetscErrorCode bad = ScoriaModelLogDensity(l->model, &l->trained.twin, &l->opt, first, number, id,
                                                   l->theta + first * ScoriaModelSpace(l->model)->n, fields, &out);
  if (bad && ScoriaFailureCode() == SCORIA_EXIT_OK) PetscCall(bad);
  PetscCall(ScoriaAgree(l->comm, ScoriaFailureCode(), ScoriaFailureLine()));
  for (int64_t i = 0; i < number; i++)
    if (l->column[FAILED][first + i] > 0) out.log_density[i] = out.gaussian[i] = out.log_volume[i] = NAN;
  PetscCall(PetscFree(id));
  PetscFunctionReturn(0);
}

static PetscErrorCode ShareRows(Likelihood *l)
{
  PetscFunctionBeginUser;
  for (int c = 0; c < NCOLUMNS; c++) PetscCall(ScoriaReduceMany(l->comm, MPI_SUM, l->rows, MPI_DOUBLE, l->column[c]));
  PetscCall(ScoriaReduceMany(l->comm, MPI_SUM, l->rows * ScoriaModelSpace(l->model)->n, MPI_DOUBLE, l->theta));
  PetscFunctionReturn(0);
}

static PetscErrorCode EvaluateAll(ScoriaRun run, Likelihood *l)
{
  ScoriaProgress bar;
  ScoriaSource source;
  double *fields;
  ScoriaPace pace = {.run = run, .step = 16, .most = CHUNK_ROWS};
  PetscFunctionBeginUser;
  PetscCall(ScoriaSourceOfFile(l->comm, l->ds, l->channels, l->field, l->each, &source));
  PetscCall(PetscMalloc1((size_t)CHUNK_ROWS * (size_t)(l->channels * l->cells), &fields));
  PetscCall(ScoriaProgressCreate(run, "likelihood", "rows", (double)l->rows, &bar));
  for (int64_t base = 0, batch; base < l->rows; base += batch) {
    int64_t first, number;
    PetscCall(ScoriaPaceMeet(&pace, "the likelihoods will begin anew"));
    batch = PetscMin(pace.step * l->size, l->rows - base);
    deal_block(batch, l->rank, l->size, &first, &number);
    PetscCall(ReadRows(l, source, base + first, number, fields));
    PetscCall(EvaluateRows(l, base + first, number, fields));
    PetscCall(ScoriaProgressUpdate(bar, (double)(base + batch), NULL));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  PetscCall(PetscFree(fields));
  PetscCall(ScoriaSourceDestroy(&source));
  PetscCall(ShareRows(l));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------- the answer ---- */

static PetscErrorCode WriteStore(ScoriaDeck deck, const Likelihood *l, const char *path)
{
  static const struct {
    const char *name, *what;
  } told[] = {[LOG_DENSITY] = {"/log_density", "nats, of the whitened coordinates of the row under the model"},
              [GAUSSIAN]    = {"/log_density_gaussian", "the same under the conditional Gaussian"},
              [LOG_VOLUME]  = {"/log_volume", "to subtract from both: densities on the surface of the model's fields"},
              [ROW]         = {"/row", "row of the file"},
              [FAILED]      = {"/failed", "1: the row is marked as failed there"}};
  const ScoriaSpace *space = ScoriaModelSpace(l->model);
  const char *text;
  double *one;
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(l->rows, &one));
  PetscCall(ScoriaDeckText(deck, &text));
  PetscCall(ScoriaStoreCreate(l->comm, path, "likelihood", text, &store));
  PetscCall(ScoriaStorePutText(store, "file", l->name));
  for (int c = 0; c < NCOLUMNS; c++)
    PetscCall(ScoriaStorePutReals(store, told[c].name, 1, &l->rows, l->column[c], "1", told[c].what));
  for (int c = 0; c < NCOLUMNS; c++) /* along /row, which thereby becomes their coordinate */
    if (c != ROW) PetscCall(ScoriaStorePutAxes(store, told[c].name, "row"));
  for (int k = 0; k < space->n; k++) {
    char name[SCORIA_NAME_SIZE + 16];
    PetscCall(PetscSNPrintf(name, sizeof name, "/conditions/%s", space->c[k].name));
    for (int64_t i = 0; i < l->rows; i++) one[i] = l->theta[i * space->n + k];
    PetscCall(ScoriaStorePutReals(store, name, 1, &l->rows, one, space->c[k].unit, "operating condition"));
    PetscCall(ScoriaStorePutAxes(store, name, "row"));
  }
  PetscCall(ScoriaStoreClose(&store));
  PetscCall(PetscFree(one));
  PetscFunctionReturn(0);
}

typedef struct {
  double mean, error;
} Estimate;

/* Mean over the n rows that have a density of a - b (b may be NULL), with its standard error: rows of one condition
 * share their regression's error, so where there are several conditions, these are what is independent. */
static Estimate mean_over_rows(const Likelihood *l, const double a[], const double b[], int64_t n)
{
  const int64_t parts = l->conditions > 1 ? l->conditions : l->rows, size = l->rows / parts;
  double mean = 0, square = 0;
  for (int64_t i = 0; i < l->rows; i++)
    if (isfinite(a[i])) mean += (a[i] - (b ? b[i] : 0)) / (double)n;
  for (int64_t p = 0; p < parts; p++) {
    double sum = 0;
    for (int64_t i = p * size; i < (p + 1) * size; i++)
      if (isfinite(a[i])) sum += a[i] - (b ? b[i] : 0) - mean;
    square += sum * sum;
  }
  return (Estimate){mean, parts > 1 ? sqrt(square * (double)parts / (double)(parts - 1)) / (double)n : NAN};
}

static PetscErrorCode Report(ScoriaRun run, const Likelihood *l)
{
  const double *model = l->column[LOG_DENSITY], *gaussian = l->column[GAUSSIAN];
  int64_t failed = 0, good = 0;
  int r, R;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < l->rows; i++) {
    failed += l->column[FAILED][i] > 0;
    good += isfinite(model[i]);
  }
  PetscCall(ScoriaNormaliserSizes(ScoriaModelNormaliser(l->model), NULL, NULL, &r, &R));
  if (good < l->rows)
    PetscCall(ScoriaSay(run, "  left out: %lld rows that failed, %lld that the model cannot represent",
                        (long long)failed, (long long)(l->rows - good - failed)));
  if (!good) PetscFunctionReturn(0);
  const Estimate under[] = {mean_over_rows(l, model, NULL, good), mean_over_rows(l, gaussian, NULL, good),
                            mean_over_rows(l, model, gaussian, good)};
  PetscCall(ScoriaSay(run, "  log density of the %d coordinates, nats per row", R));
  PetscCall(ScoriaSay(run, "                              mean        SE"));
  PetscCall(ScoriaSay(run, "    model               %10.4f %9.4f", under[0].mean, under[0].error));
  PetscCall(ScoriaSay(run, "    conditional Gaussian%10.4f %9.4f", under[1].mean, under[1].error));
  PetscCall(ScoriaSay(run, "    gain                %10.4f %9.4f   %.4f bits per learned mode (%d)", under[2].mean,
                      under[2].error, under[2].mean / r / log(2), r));
  PetscCall(ScoriaLog(run, "likelihood", "\"rows\":%lld,\"mean\":%.8g,\"gaussian\":%.8g,\"gain\":%.8g,\"gain_se\":%.8g",
                      (long long)good, under[0].mean, under[1].mean, under[2].mean,
                      isfinite(under[2].error) ? under[2].error : 0));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- command ---- */

static PetscErrorCode Create(ScoriaRun run, ScoriaDeck deck, Likelihood *l)
{
  PetscInt steps = 0, probes = 0, seed = 0;
  bool held_out;
  const char *sampler;
  PetscFunctionBeginUser;
  *l = (Likelihood){.comm = ScoriaRunComm(run)};
  PetscCallMPI(MPI_Comm_rank(l->comm, &l->rank));
  PetscCallMPI(MPI_Comm_size(l->comm, &l->size));
  PetscCall(ScoriaDeckInt(deck, "likelihood_steps", &steps));
  PetscCall(ScoriaDeckInt(deck, "likelihood_probes", &probes));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  l->opt = (ScoriaLikelihoodOptions){(int)steps, (int)probes, (uint64_t)seed};
  PetscCall(ScoriaDeckString(deck, "sample_sampler", &sampler));
  if (sampler_is_tuned(sampler_find(sampler)))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "likelihood: sample_sampler is %s, whose network has no density; give another",
                sampler);
  PetscCall(ScoriaTrainedOpen(run, deck, &l->trained));
  l->model = l->trained.model;
  PetscCall(OpenFile(run, deck, l, &held_out));
  PetscCall(ChooseRows(run, deck, l, held_out));
  for (int c = 0; c < NCOLUMNS; c++) PetscCall(PetscCalloc1(l->rows, &l->column[c]));
  PetscCall(PetscCalloc1(l->rows * PetscMax(ScoriaModelSpace(l->model)->n, 1), &l->theta));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(Likelihood *l)
{
  PetscFunctionBeginUser;
  for (int c = 0; c < NCOLUMNS; c++) PetscCall(PetscFree(l->column[c]));
  PetscCall(PetscFree(l->theta));
  PetscCall(PetscFree(l->chosen));
  PetscCall(ScoriaDatasetClose(&l->ds));
  PetscCall(ScoriaTrainedClose(&l->trained));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaLikelihood(ScoriaRun run, ScoriaDeck deck)
{
  char path[PETSC_MAX_PATH_LEN];
  const char *name = NULL;
  Likelihood l;
  bool complete;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "likelihood_output", &name));
  PetscCall(ScoriaCompleteStore(run, deck, name, "likelihood", SCORIA_OF_LIKELIHOOD, &complete));
  if (complete) PetscFunctionReturn(0);
  PetscCall(Create(run, deck, &l));
  PetscCall(EvaluateAll(run, &l));
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(WriteStore(deck, &l, path));
  PetscCall(Report(run, &l));
  PetscCall(ScoriaSay(run, "  wrote %s", path));
  PetscCall(Destroy(&l));
  PetscFunctionReturn(0);
}

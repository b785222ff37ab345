/* likelihood: log densities of given fields under the model, against those under the conditional Gaussian, of a list of
 * the same number of realisations from every condition of a file. */
#include "likelihood.h"
#include "scoria/run_files.h"
#include <math.h>
#include <string.h>

typedef struct {
  MPI_Comm comm;
  ScoriaLikelihoodOptions opt;
  ScoriaTrained trained; /* owned */
  ScoriaModel model;     /* its */
  const char *name;      /* of the file, as the user knows it */
  ScoriaMadeFrom made;
  ScoriaDataset ds;
  const ScoriaDatasetSpec *spec;
  int channels;
  bool whole, volume;           /* rows are whole fields; their log volumes are wanted */
  int field[SCORIA_MAX_FIELDS]; /* where the model's stand in the file */
  ScoriaSplit split;            /* of the dataset's conditions */
  LikelihoodList list;
} Likelihood;

/* ------------------------------------------------------------------------------------------------- the rows ---- */

/* The model's fields, cells and conditions in the file. */
static PetscErrorCode MatchFile(Likelihood *l)
{
  const ScoriaSpace *space = ScoriaModelSpace(l->model);
  const ScoriaField *field;
  PetscFunctionBeginUser;
  PetscCall(ScoriaModelFields(l->model, &l->channels, &field, NULL, NULL));
  int shape[3];
  model_shape(l->model, shape);
  for (int axis = 0; axis < 3; axis++)
    if (shape[axis] != l->spec->shape[axis])
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "likelihood: %s has %d x %d x %d cells, the model was trained on %d x %d x %d",
                  l->name, l->spec->shape[0], l->spec->shape[1], l->spec->shape[2], shape[0], shape[1], shape[2]);
  l->whole = spec_is_whole(l->spec);
  for (int c = 0; c < l->channels; c++) {
    l->field[c] = field_find(l->spec->nfields, l->spec->field, field[c].name);
    if (l->field[c] < 0 || memcmp(l->spec->field[l->field[c]].n, field[c].n, sizeof field[c].n))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "likelihood: %s has no field %s%s, which the model was trained on", l->name,
                  field[c].name, l->field[c] < 0 ? "" : " on these cells");
  }
  for (int k = 0; k < space->n; k++) {
    l->list.condition[k] = space_find(&l->spec->space, space->c[k].name);
    if (l->list.condition[k] < 0)
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
  PetscCall(PetscStrncpy(l->made.model, model_identity(l->model), sizeof l->made.model));
  PetscCall(ScoriaDatasetIdentity(run, l->ds, l->spec->rows, *held_out ? l->made.dataset : l->made.file));
  PetscFunctionReturn(0);
}

/* The first realisations of conditions evenly spaced among those asked for, `count` rows at most. */
static PetscErrorCode ChooseRows(ScoriaRun run, ScoriaDeck deck, Likelihood *l, bool held_out)
{
  const int64_t trained = held_out ? identity_rows(model_dataset(l->model)) : 0; /* the dataset may have grown since */
  const int64_t all     = (trained ? trained : l->spec->rows) / l->spec->realisations;
  LikelihoodList *list  = &l->list;
  PetscInt count        = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "likelihood_count", &count));
  if (held_out) PetscCall(ScoriaTrainingSplit(deck, all, l->spec->realisations, model_holdout(l->model), &l->split));
  if (held_out && !l->split.left_out)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "likelihood: training left no condition of dataset.h5 out (train_validation): name "
                                   "a file");
  list->split        = held_out ? &l->split : NULL;
  list->asked        = held_out ? l->split.left_out : all;
  list->realisations = l->spec->realisations;
  list->conditions   = PetscMin(list->asked, count);
  list->each         = PetscMin(list->realisations, count / list->conditions);
  list->tile         = model_is_gaussian(l->model) ? 1 : LIKELIHOOD_TILE;
  PetscCall(ScoriaSay(run, "  %lld rows of %s at %lld %scondition%s", (long long)(list->conditions * list->each),
                      l->name, (long long)list->conditions, held_out ? "held-out " : "",
                      list->conditions == 1 ? "" : "s"));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------- the answer ---- */

/* The means, of which rank 0 knows. */
static PetscErrorCode PutMeans(ScoriaStore store, const LikelihoodAnswer *a, int rank)
{
  const double *model = a->column[LIKELIHOOD_LOG_DENSITY], *gaussian = a->column[LIKELIHOOD_GAUSSIAN];
  LikelihoodMean of_model = {0}, of_gaussian = {0}, gain = {0};
  PetscFunctionBeginUser;
  if (!rank) {
    of_model    = likelihood_mean(a, model, NULL);
    of_gaussian = likelihood_mean(a, gaussian, NULL);
    gain        = likelihood_mean(a, model, gaussian);
  }
  PetscCall(ScoriaStorePutInt(store, LIKELIHOOD_ROWS, gain.good));
  PetscCall(ScoriaStorePutReal(store, LIKELIHOOD_MEAN, of_model.mean));
  PetscCall(ScoriaStorePutReal(store, LIKELIHOOD_MEAN_GAUSSIAN, of_gaussian.mean));
  PetscCall(ScoriaStorePutReal(store, LIKELIHOOD_GAIN, gain.mean));
  PetscCall(ScoriaStorePutReal(store, LIKELIHOOD_GAIN_ERROR, gain.error));
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteStore(ScoriaDeck deck, const Likelihood *l, const LikelihoodAnswer *a, const char *path)
{
  static const struct {
    const char *name, *what;
  } columns[LIKELIHOOD_COLUMNS] = {
      [LIKELIHOOD_LOG_DENSITY] = {"/log_density", "nats, of the whitened coordinates of the row under the model"},
      [LIKELIHOOD_GAUSSIAN]    = {"/log_density_gaussian", "the same under the conditional Gaussian"},
      [LIKELIHOOD_LOG_VOLUME]  = {"/log_volume",
                                  "to subtract from both: densities on the surface of the model's fields"},
      [LIKELIHOOD_ROW]         = {"/row", "row of the file"},
      [LIKELIHOOD_FAILED]      = {"/failed", "1: the row is marked as failed there"}};
  const ScoriaSpace *space = ScoriaModelSpace(l->model);
  const char *text;
  double *one;
  int rank;
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(l->comm, &rank));
  PetscCall(PetscMalloc1(rank ? 0 : a->rows, &one));
  PetscCall(ScoriaDeckText(deck, &text));
  PetscCall(ScoriaStoreCreate(l->comm, path, "likelihood", text, &store));
  PetscCall(ScoriaStorePutMadeFrom(store, &l->made));
  PetscCall(ScoriaStorePutText(store, LIKELIHOOD_FILE, l->name));
  PetscCall(PutMeans(store, a, rank));
  for (int c = 0; c < LIKELIHOOD_COLUMNS; c++)
    if (c != LIKELIHOOD_LOG_VOLUME || a->volume)
      PetscCall(ScoriaStorePutReals(store, columns[c].name, 1, &a->rows, a->column[c], "1", columns[c].what));
  for (int c = 0; c < LIKELIHOOD_COLUMNS; c++) /* along /row, which thereby becomes their coordinate */
    if (c != LIKELIHOOD_ROW && (c != LIKELIHOOD_LOG_VOLUME || a->volume))
      PetscCall(ScoriaStorePutAxes(store, columns[c].name, "row"));
  for (int k = 0; k < space->n; k++) {
    char name[SCORIA_NAME_SIZE + 16];
    file_condition_path(space->c[k].name, sizeof name, name);
    for (int64_t i = 0; i < a->rows && !rank; i++) one[i] = a->theta[i * space->n + k];
    PetscCall(ScoriaStorePutReals(store, name, 1, &a->rows, one, space->c[k].unit, "operating condition"));
    PetscCall(ScoriaStorePutAxes(store, name, "row"));
  }
  PetscCall(ScoriaStoreClose(&store));
  PetscCall(PetscFree(one));
  PetscFunctionReturn(0);
}

/* By rank 0. */
static PetscErrorCode Report(ScoriaRun run, const LikelihoodAnswer *a, ScoriaNormaliser norm)
{
  const double *model = a->column[LIKELIHOOD_LOG_DENSITY], *gaussian = a->column[LIKELIHOOD_GAUSSIAN];
  const LikelihoodMean of_model = likelihood_mean(a, model, NULL), of_gaussian = likelihood_mean(a, gaussian, NULL),
                       gain = likelihood_mean(a, model, gaussian);
  int64_t failed            = 0;
  int r, R;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < a->rows; i++) failed += a->column[LIKELIHOOD_FAILED][i] > 0;
  PetscCall(ScoriaNormaliserSizes(norm, NULL, NULL, &r, &R));
  if (gain.good < a->rows)
    PetscCall(ScoriaSay(run, "  left out: %lld rows that failed, %lld that the model cannot represent",
                        (long long)failed, (long long)(a->rows - gain.good - failed)));
  if (!gain.good) PetscFunctionReturn(0);
  PetscCall(ScoriaSay(run, "  log density of the %d coordinates, nats per row", R));
  PetscCall(ScoriaSay(run, "                              mean        SE"));
  PetscCall(ScoriaSay(run, "    model               %10.4f %9.4f", of_model.mean, of_model.error));
  PetscCall(ScoriaSay(run, "    conditional Gaussian%10.4f %9.4f", of_gaussian.mean, of_gaussian.error));
  PetscCall(ScoriaSay(run, "    gain                %10.4f %9.4f   %.4f bits per learned mode (%d)", gain.mean,
                      gain.error, gain.mean / r / log(2), r));
  PetscCall(ScoriaLog(run, "likelihood", "\"rows\":%lld,\"mean\":%.8g,\"gaussian\":%.8g,\"gain\":%.8g,\"gain_se\":%.8g",
                      (long long)gain.good, of_model.mean, of_gaussian.mean, gain.mean,
                      isfinite(gain.error) ? gain.error : 0));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- command ---- */

/* Whether log volumes are wanted, within run_memory; and what densities of whole fields leave out. */
static PetscErrorCode ChooseVolume(ScoriaRun run, ScoriaDeck deck, Likelihood *l)
{
  double memory;
  bool always, never;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckIs(deck, "likelihood_volume", "always", &always));
  PetscCall(ScoriaDeckIs(deck, "likelihood_volume", "never", &never));
  PetscCall(ScoriaMemoryOfDeck(deck, &memory));
  l->volume = !never && (always || !l->whole);
  if (l->volume && l->whole)
    PetscCall(
        ScoriaMemoryCheck(model_volume_bytes(l->model), memory, "likelihood_volume never", "volumes of whole fields"));
  if (l->whole)
    PetscCall(ScoriaSay(run,
                        "  whole fields: densities are of the modes' coordinates; what a row has beside the modes, "
                        "as little as train told, is not judged"));
  PetscFunctionReturn(0);
}

static PetscErrorCode Create(ScoriaRun run, ScoriaDeck deck, Likelihood *l)
{
  PetscInt steps = 0, probes = 0, seed = 0;
  bool held_out;
  const char *sampler;
  PetscFunctionBeginUser;
  *l = (Likelihood){.comm = ScoriaRunComm(run)};
  PetscCall(ScoriaDeckInt(deck, "likelihood_steps", &steps));
  PetscCall(ScoriaDeckInt(deck, "likelihood_probes", &probes));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  l->opt = (ScoriaLikelihoodOptions){.steps = (int)steps, .probes = (int)probes, .seed = (uint64_t)seed};
  PetscCall(ScoriaDeckString(deck, "sample_sampler", &sampler));
  if (sampler_is_tuned(sampler_find(sampler)))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "likelihood: sample_sampler is %s, whose network has no density; give another",
                sampler);
  PetscCall(ScoriaTrainedOpen(run, deck, &l->trained));
  l->model = l->trained.model;
  PetscCall(OpenFile(run, deck, l, &held_out));
  PetscCall(ChooseRows(run, deck, l, held_out));
  PetscCall(ChooseVolume(run, deck, l));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(Likelihood *l)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetClose(&l->ds));
  PetscCall(ScoriaTrainedClose(&l->trained));
  PetscFunctionReturn(0);
}

static PetscErrorCode Evaluate(ScoriaRun run, LikelihoodKeeper *keeper, Likelihood *l, LikelihoodAnswer *a)
{
  ScoriaSource law, given;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSourceOfModel(l->comm, &l->trained, false, &law));
  PetscCall(ScoriaSourceOfFile(l->comm, l->ds, l->channels, l->field, l->list.each, &given));
  PetscCall(LikelihoodAnswerCreate(l->comm, &l->list, ScoriaModelSpace(l->model)->n, l->volume, a));
  keeper->made = l->made;
  PetscCall(LikelihoodKept(keeper, a));
  PetscCall(LikelihoodEvaluate(run, keeper, law, &l->opt, given, &l->list, a));
  PetscCall(ScoriaSourceDestroy(&given));
  PetscCall(ScoriaSourceDestroy(&law));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaLikelihood(ScoriaRun run, ScoriaDeck deck)
{
  char path[PETSC_MAX_PATH_LEN];
  const char *name = NULL, *file = NULL;
  LikelihoodAnswer a;
  Likelihood l;
  bool complete;
  int rank;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "likelihood_output", &name));
  PetscCall(ScoriaDeckString(deck, "likelihood_file", &file));
  LikelihoodKeeper keeper = {.run = run, .deck = deck, .file = file, .saved = wall_seconds()};
  PetscCall(PetscSNPrintf(keeper.name, sizeof keeper.name, "%s.ckpt", name));
  PetscCall(ScoriaCompleteStore(run, deck, name, "likelihood", SCORIA_OF_LIKELIHOOD, file, &complete));
  if (complete) {
    PetscCall(ScoriaCheckpointForget(run, deck, keeper.name, SCORIA_OF_LIKELIHOOD));
    PetscFunctionReturn(0);
  }
  PetscCall(Create(run, deck, &l));
  PetscCall(Evaluate(run, &keeper, &l, &a));
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(WriteStore(deck, &l, &a, path));
  PetscCall(ScoriaCheckpointRemove(run, keeper.name));
  PetscCallMPI(MPI_Comm_rank(l.comm, &rank));
  if (!rank) PetscCall(Report(run, &a, ScoriaModelNormaliser(l.model)));
  PetscCall(ScoriaSay(run, "  wrote %s", path));
  PetscCall(LikelihoodAnswerDestroy(&a));
  PetscCall(Destroy(&l));
  PetscFunctionReturn(0);
}

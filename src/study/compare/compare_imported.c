/* compare of a model of imported data: no equations make fresh fields, so that the rows that were held back from its
 * training are the reference.  Where every condition has rows enough, one half of a condition's rows is the reference
 * there, the other half gives the floor, and as many fields are drawn of the model and of its Gaussian.  Where it has
 * few, the rows of all conditions are judged together (compare_pooled.c). */
#include "compare_kept.h"
#include "scoria/run_files.h"
#include <string.h>

enum {
  HALF            = 50,      /* rows of a half, at least */
  MOST_CONDITIONS = 64,      /* judged one by one, unless the deck says how many: each has its curves on every rank */
  MOST_ROWS       = 1 << 14, /* judged together, and fewer where they take more than: */
};
#define MOST_BYTES 1e9 /* of rank 0 */

typedef struct {
  ScoriaDataset ds; /* owned */
  const ScoriaDatasetSpec *spec;
  ScoriaTrained trained;        /* owned */
  const ScoriaHoldout *holdout; /* borrowed from the model */
  int channels;
  int field[SCORIA_MAX_FIELDS];      /* where the model's channels stand in the dataset */
  ScoriaSource source[SCORIA_NFROM]; /* owned */
  CompareQuantities quantities;      /* owned; whose tails are looked at */
  ScoriaFeatures features; /* owned; of whole fields, whose sources give features and numbers of the rows of: */
  ScoriaSource whole[SCORIA_NFROM]; /* owned */
  bool halves;                      /* judged condition by condition */
  int64_t conditions, each;         /* judged; fields of each source at each, at most */
  int64_t *index;                   /* owned (conditions): of those that are held back */
  double *theta;                    /* owned (conditions, space.n) */
} Imported;

/* ------------------------------------------------------------------------------------------------- opening ---- */

static PetscErrorCode FindFields(Imported *im)
{
  const ScoriaField *field;
  int cells;
  PetscFunctionBeginUser;
  PetscCall(ScoriaModelFields(im->trained.model, &im->channels, &field, &cells, NULL));
  for (int c = 0; c < im->channels; c++) {
    im->field[c] = field_find(im->spec->nfields, im->spec->field, field[c].name);
    if (im->field[c] < 0 || im->spec->cells != cells ||
        memcmp(im->spec->field[im->field[c]].n, field[c].n, sizeof field[c].n))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "compare: dataset.h5 has no field %s of %d cells, which the model was trained on",
                  field[c].name, field_cells(&field[c], cells));
  }
  if (im->holdout->conditions * im->holdout->realisations > im->spec->rows ||
      im->holdout->realisations != im->spec->realisations)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "compare: dataset.h5 has %lld rows, %lld of a condition; model.h5 was trained on "
                "%lld conditions of %lld",
                (long long)im->spec->rows, (long long)im->spec->realisations, (long long)im->holdout->conditions,
                (long long)im->holdout->realisations);
  PetscFunctionReturn(0);
}

/* How many a key says, where the deck sets it. */
static PetscErrorCode Limit(ScoriaDeck deck, const char *key, int64_t *most)
{
  PetscInt number = 0;
  bool set;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckChanged(deck, key, &set));
  PetscCall(ScoriaDeckInt(deck, key, &number));
  if (set) *most = number;
  PetscFunctionReturn(0);
}

/* Of whole fields with the rows of three sources that are drawn at a time, and those that are read of the file. */
static CompareRoom room(const Imported *im)
{
  const int m        = im->channels * im->spec->cells;
  const double batch = PetscMax((double)COMPARE_BATCH_BYTES, (double)sizeof(double) * m);
  CompareRoom all =
      compare_pooled_room(im->features, im->features ? features_size(im->features) : m, im->quantities.tails, im->each);
  if (im->features) all.fixed += 4 * batch;
  return all;
}

/* Conditions that are judged together: of as many rows as there is room for, or as are needed for a verdict. */
static int64_t most_together(const Imported *im)
{
  const int64_t fit = PetscMin(MOST_ROWS, (int64_t)(MOST_BYTES / room(im).row));
  return PetscMax(fit / im->each, (SCORIA_HOLDOUT_LEAST + im->each - 1) / im->each);
}

static PetscErrorCode CheckMemory(ScoriaDeck deck, const Imported *im)
{
  const double need = room(im).fixed + room(im).row * (double)(im->conditions * im->each);
  double allowed;
  PetscFunctionBeginUser;
  PetscCall(ScoriaMemoryOfDeck(deck, &allowed));
  PetscCall(
      ScoriaMemoryCheck(need, allowed, "fewer compare_conditions or compare_count",
                        "%lld rows at %lld conditions, of %d x %d cells (%.3g GB of which for any number of rows)",
                        (long long)(im->conditions * im->each), (long long)im->conditions, im->channels,
                        im->spec->cells, 1e-9 * room(im).fixed));
  PetscFunctionReturn(0);
}

/* Which conditions, evenly spaced in the list, and how many rows of each: those that there are come first, and where
 * conditions have very different numbers, twice the mean is enough. */
static PetscErrorCode Choose(ScoriaDeck deck, Imported *im)
{
  const int64_t number = holdout_conditions(im->holdout);
  int64_t rows         = holdout_each(im->holdout), failed;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetCountFailed(im->ds, &failed));
  const int64_t typical = holdout_typical(im->spec, failed);
  if (im->holdout->number && typical < rows) rows = PetscMin(rows, 2 * typical);
  im->halves        = rows >= 2 * HALF && !spec_is_whole(im->spec); /* whose curves are of profiles */
  im->each          = im->halves ? rows / 2 : rows;
  int64_t most_each = im->each;
  int64_t most      = im->halves ? MOST_CONDITIONS : most_together(im);
  PetscCall(Limit(deck, "compare_conditions", &most));
  PetscCall(Limit(deck, "compare_count", &most_each));
  im->each       = PetscMin(im->each, most_each);
  im->conditions = PetscMin(number, most);
  if (!im->halves) PetscCall(CheckMemory(deck, im));
  PetscCall(PetscMalloc2(im->conditions, &im->index, im->conditions * im->spec->space.n, &im->theta));
  for (int64_t k = 0; k < im->conditions; k++) im->index[k] = k * number / im->conditions;
  PetscFunctionReturn(0);
}

/* theta of the conditions: dealt to ranks, known to all. */
static PetscErrorCode ReadTheta(MPI_Comm comm, Imported *im)
{
  const int n           = im->spec->space.n;
  PetscErrorCode failed = 0;
  int64_t first, number;
  ScoriaRows row;
  int rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  deal_block(im->conditions, rank, size, &first, &number);
  PetscCall(PetscArrayzero(im->theta, im->conditions * n));
  PetscCall(ScoriaRowsCreate(im->spec, 1, &row));
  for (int64_t k = first; k < first + number && !failed; k++) {
    failed = ScoriaDatasetReadAlone(im->ds, holdout_row(im->holdout, im->index[k], 0), 1, &row);
    for (int i = 0; i < n && !failed; i++) im->theta[k * n + i] = row.condition[i][0];
  }
  PetscCall(ScoriaAgreeFailed(comm, failed));
  PetscCall(ScoriaRowsDestroy(&row));
  PetscCall(ScoriaReduceMany(comm, MPI_SUM, im->conditions * n, MPI_DOUBLE, im->theta));
  PetscFunctionReturn(0);
}

/* The model's, and what is asked of its fields. */
static PetscErrorCode OpenModel(MPI_Comm comm, ScoriaDeck deck, const double x[], Imported *im)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSourceOfModel(comm, &im->trained, false, &im->source[SCORIA_FROM_MODEL]));
  PetscCall(ScoriaSourceOfModel(comm, &im->trained, true, &im->source[SCORIA_FROM_GAUSSIAN]));
  PetscCall(CompareQuantitiesOfDeck(deck, source_shape(im->source[SCORIA_FROM_MODEL]), &im->quantities));
  if (spec_is_whole(im->spec))
    PetscCall(CompareFeaturesCreate(deck, im->channels, source_shape(im->source[SCORIA_FROM_MODEL])->field,
                                    im->spec->shape, x, &im->features));
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenRows(MPI_Comm comm, Imported *im)
{
  const CompareKept kept = {im->features, im->quantities.numbers};
  const int parts        = im->halves ? 2 : 1;
  PetscFunctionBeginUser;
  for (int part = 0; part < parts; part++)
    PetscCall(ScoriaSourceOfHeldOut(comm, im->ds, im->holdout, im->index, im->channels, im->field, part, parts,
                                    &im->source[part ? SCORIA_FROM_PDE_AGAIN : SCORIA_FROM_PDE]));
  for (int s = 0; s < SCORIA_NFROM && im->features; s++) {
    if (!im->source[s]) continue;
    im->whole[s] = im->source[s];
    PetscCall(CompareSourceOfFeatures(im->whole[s], &kept, &im->source[s]));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Open(ScoriaRun run, ScoriaDeck deck, Imported *im)
{
  char path[PETSC_MAX_PATH_LEN];
  const double *x;
  PetscFunctionBeginUser;
  PetscCall(ScoriaTrainedOpen(run, deck, &im->trained));
  im->holdout = model_holdout(im->trained.model);
  if (!holdout_each(im->holdout))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "compare: model.h5 was trained on all conditions of its dataset: nothing was held "
                                   "back to compare with (import_holdout)");
  PetscCall(ScoriaRunPath(run, "dataset.h5", sizeof path, path));
  PetscCall(ScoriaDatasetOpen(ScoriaRunComm(run), path, &im->ds));
  PetscCall(ScoriaDatasetInfo(im->ds, &im->spec, &x, NULL));
  PetscCall(FindFields(im));
  PetscCall(OpenModel(ScoriaRunComm(run), deck, x, im));
  PetscCall(Choose(deck, im));
  PetscCall(ReadTheta(ScoriaRunComm(run), im));
  PetscCall(OpenRows(ScoriaRunComm(run), im));
  PetscFunctionReturn(0);
}

static PetscErrorCode Close(Imported *im)
{
  PetscFunctionBeginUser;
  for (int s = 0; s < SCORIA_NFROM; s++) {
    PetscCall(ScoriaSourceDestroy(&im->source[s]));
    PetscCall(ScoriaSourceDestroy(&im->whole[s]));
  }
  PetscCall(ScoriaFeaturesDestroy(&im->features));
  PetscCall(CompareQuantitiesDestroy(&im->quantities));
  PetscCall(PetscFree2(im->index, im->theta));
  PetscCall(ScoriaDatasetClose(&im->ds));
  PetscCall(ScoriaTrainedClose(&im->trained));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- measuring ---- */

/* Conditions one by one, with their curves, and with the nearest training rows where whole conditions are held back. */
static PetscErrorCode MeasureHalves(ScoriaRun run, ScoriaDeck deck, Imported *im, uint64_t seed, int directions,
                                    ComparisonSet *set, CompareBiases *biases, CompareMemory *memory)
{
  CompareAsked asked = {.seed = seed, .directions = directions, .quantities = &im->quantities, .alike = true};
  const int n        = im->spec->space.n;
  double seconds[SCORIA_NFROM];
  CompareKeeper keeper;
  CompareDraws draws;
  PetscFunctionBeginUser;
  PetscCall(CompareCreateConditions(ScoriaRunComm(run), set, true));
  for (int k = 0; k < PetscMin(set->held, set->conditions); k++)
    memcpy(set->c[k].theta, im->theta + k * n, sizeof(double) * (size_t)n);
  if (im->holdout->number) {
    PetscCall(CompareMemoryCreate(run, deck, &im->trained, &set->shape, set->count, memory));
    asked.memory = memory;
  }
  PetscCall(CompareDrawsCreate(run, im->source, set->count, &draws));
  PetscCall(CompareKeep(run, deck, &draws, set, &keeper));
  PetscCall(CompareMeasure(run, &draws, &asked, set, seconds));
  PetscCall(CompareDrawsDestroy(&draws));
  PetscCall(CompareBiasesOfConditions(set, &im->quantities, biases));
  PetscFunctionReturn(0);
}

/* All together: a set of one; of profiles with the curves of their residuals. */
static PetscErrorCode MeasureTogether(ScoriaRun run, Imported *im, uint64_t seed, int directions, ComparisonSet *set,
                                      ComparisonSet *residuals, CompareBiases *biases)
{
  const ComparePooled asked = {.conditions = im->conditions,
                               .each       = im->each,
                               .theta      = im->theta,
                               .seed       = seed,
                               .directions = directions,
                               .features   = im->features,
                               .quantities = &im->quantities,
                               .curves     = im->features ? NULL : residuals};
  PetscFunctionBeginUser;
  *residuals = (ComparisonSet){.conditions = !im->features, .shape = set->shape};
  PetscCall(CompareCreateConditions(ScoriaRunComm(run), residuals, !im->features));
  set->conditions = 1;
  PetscCall(CompareCreateConditions(ScoriaRunComm(run), set, false));
  PetscCall(CompareMeasurePooled(run, im->source, &asked, &set->c[0], biases));
  set->count                 = set->c[0].good[SCORIA_FROM_PDE];
  const CompareMapped mapped = {.conditions = im->conditions, .each = im->each, .theta = im->theta, .paired = true};
  if (im->features) PetscCall(CompareMapsMake(run, im->whole, &mapped, &set->maps));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- writing ---- */

static ScoriaHeldOut describe(const Imported *im, const ComparisonSet *set)
{
  int64_t rows = 0;
  for (int k = 0; k < set->held; k++) /* rank 0's are all */
    rows += set->c[k].good[SCORIA_FROM_PDE] + (im->halves ? set->c[k].good[SCORIA_FROM_PDE_AGAIN] : 0);
  return (ScoriaHeldOut){.method         = im->halves ? COMPARE_METHOD_HALVES : COMPARE_METHOD_RESIDUALS,
                         .of             = im->holdout->rows ? "rows" : "conditions",
                         .conditions     = im->conditions,
                         .rows           = rows,
                         .held_back      = holdout_conditions(im->holdout),
                         .held_back_rows = holdout_conditions(im->holdout) * holdout_each(im->holdout),
                         .of_conditions  = im->holdout->conditions,
                         .of_rows        = im->holdout->conditions * im->holdout->realisations,
                         .model =
                             model_is_gaussian(im->trained.model) ? SCORIA_SOURCE_GAUSSIAN : SCORIA_SOURCE_NETWORK};
}

static PetscErrorCode WriteJson(ScoriaRun run, const char *path, const ComparisonSet *set, const ScoriaHeldOut *held,
                                const CompareQuantities *quantities, const CompareMemory *memory)
{
  cJSON *root = cJSON_CreateObject();
  PetscFunctionBeginUser;
  members_add(cJSON_AddObjectToObject(root, COMPARE_HELD_OUT), scoria_held_out_members, held);
  PetscCall(CompareAddMeasures(root, set, false));
  compare_add_memorisation(root, set, memory);
  PetscCall(CompareAddTails(root, set, quantities));
  if (set->profiles) compare_add_conditions(root, set, false);
  PetscCall(ScoriaWriteJson(ScoriaRunComm(run), path, root));
  PetscFunctionReturn(0);
}

static PetscErrorCode Say(ScoriaRun run, const ComparisonSet *set, const ScoriaHeldOut *held,
                          const CompareQuantities *quantities, const CompareMemory *memory)
{
  PetscFunctionBeginUser;
  if (set->profiles)
    PetscCall(ScoriaSay(run,
                        "  %lld rows held back from training at %lld condition%s; half of a condition's rows is the "
                        "reference there (data again, the floor: the other half)",
                        (long long)held->rows, (long long)held->conditions, held->conditions == 1 ? "" : "s"));
  else
    PetscCall(ScoriaSay(run,
                        "  %lld rows held back from training at %lld condition%s, all together, as residuals: minus "
                        "the model's mean, over its SD, at the row's condition (data again, the floor: bootstrap)",
                        (long long)held->rows, (long long)held->conditions, held->conditions == 1 ? "" : "s"));
  if (set->shape.cells > set->shape.shape[0])
    PetscCall(ScoriaSay(run, "  sliced W: of whole fields; the other columns: through the thickness at four places"));
  PetscCall(CompareSayMeasures(run, set, false));
  if (!strcmp(held->model, SCORIA_SOURCE_GAUSSIAN))
    PetscCall(ScoriaSay(run, "  the model is its conditional Gaussian: the two differ by their draws at most"));
  else
    PetscCall(CompareSayNearer(run, set));
  PetscCall(CompareSayTails(run, set, quantities));
  if (set->profiles) PetscCall(CompareSayMemorisation(run, set, memory));
  PetscFunctionReturn(0);
}

/* compare.h5 comes last: it marks the comparison as complete. */
static PetscErrorCode Write(ScoriaRun run, ScoriaDeck deck, const ComparisonSet *set, const ComparisonSet *residuals,
                            const ScoriaHeldOut *held, const CompareQuantities *quantities, const CompareBiases *biases,
                            const CompareMemory *memory)
{
  const ComparisonSet none = {.shape = set->shape};
  ComparisonSet curves     = *set;
  char store[PETSC_MAX_PATH_LEN], json[PETSC_MAX_PATH_LEN];
  const char *text;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckText(deck, &text));
  PetscCall(ScoriaRunPath(run, "compare.json", sizeof json, json));
  PetscCall(WriteJson(run, json, set, held, quantities, memory));
  PetscCall(ScoriaRunPath(run, "compare.h5", sizeof store, store));
  if (!set->profiles) curves.conditions = 0;
  PetscCall(CompareWriteStore(&curves, &none, residuals, quantities, biases, NULL, ScoriaRunComm(run), store, text));
  PetscCall(ScoriaSay(run, "  wrote %s and %s", store, json));
  PetscFunctionReturn(0);
}

static PetscErrorCode Compare(ScoriaRun run, ScoriaDeck deck, Imported *im)
{
  ComparisonSet set       = {.conditions = (int)im->conditions,
                             .count      = im->each,
                             .imported   = true,
                             .shape      = *source_shape((im->features ? im->whole : im->source)[SCORIA_FROM_MODEL])};
  ComparisonSet residuals = {.conditions = 0};
  CompareMemory memory    = {.ds = NULL};
  CompareBiases biases;
  PetscInt seed = 0, directions = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  PetscCall(ScoriaDeckInt(deck, "compare_directions", &directions));
  PetscCall(ScoriaMadeFromShape(&set.shape, &set.made));
  PetscCall(PetscStrncpy(set.made.dataset, model_dataset(im->trained.model), sizeof set.made.dataset));
  if (im->halves)
    PetscCall(MeasureHalves(run, deck, im, (uint64_t)seed, (int)directions, &set, &biases, &memory));
  else
    PetscCall(MeasureTogether(run, im, (uint64_t)seed, (int)directions, &set, &residuals, &biases));
  const ScoriaHeldOut held = describe(im, &set);
  PetscCall(Say(run, &set, &held, &im->quantities, &memory));
  PetscCall(Write(run, deck, &set, &residuals, &held, &im->quantities, &biases, &memory));
  PetscCall(CompareKeepForget(run, deck, true));
  PetscCall(CompareDestroyConditions(&set));
  PetscCall(CompareDestroyConditions(&residuals));
  PetscCall(CompareMemoryDestroy(&memory));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCompareImported(ScoriaRun run, ScoriaDeck deck)
{
  Imported im = {.ds = NULL};
  bool complete;
  PetscFunctionBeginUser;
  PetscCall(ScoriaCompleteStore(run, deck, "compare.h5", "compare", SCORIA_OF_COMPARE, NULL, &complete));
  if (complete) PetscCall(CompareKeepForget(run, deck, false));
  if (complete) PetscFunctionReturn(0);
  PetscCall(Open(run, deck, &im));
  PetscCall(Compare(run, deck, &im));
  PetscCall(Close(&im));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaHeldBack(ScoriaRun run, bool *any)
{
  char path[PETSC_MAX_PATH_LEN];
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, "model.h5", sizeof path, path));
  PetscCall(ScoriaStoreOpen(ScoriaRunComm(run), path, "model", &store));
  PetscCall(ScoriaStoreHas(store, MODEL_HOLDOUT_ROWS, any));
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

/* compare: the model against fresh PDE ensembles at conditions that it was not trained on, with a second PDE ensemble
 * as the sampling floor and the conditional Gaussian as the baseline. */
#include "compare_kept.h"
#include <math.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------ sources ---- */

/* Two ensembles of fresh solves, the model, its conditional Gaussian; all owned.  Of whole fields, source gives
 * features of the rows of `whole`. */
typedef struct {
  ScoriaEnsemble ens;
  ScoriaTrained trained;
  ScoriaSource source[SCORIA_NFROM], whole[SCORIA_NFROM];
  ScoriaFeatures features;
  ScoriaFieldShape shape; /* of the fields, or of their lateral means */
  CompareQuantities quantities;
} Opened;

/* Of whole fields: sources of what is kept of them. */
static PetscErrorCode OpenFeatures(ScoriaDeck deck, Opened *o)
{
  PetscFunctionBeginUser;
  PetscCall(CompareFeaturesCreate(deck, o->shape.channels, o->shape.field, o->shape.shape, o->shape.x, &o->features));
  for (int s = 0; s < SCORIA_NFROM; s++) {
    o->whole[s] = o->source[s];
    PetscCall(CompareSourceOfFeatures(o->whole[s], &(CompareKept){o->features, o->quantities.numbers}, &o->source[s]));
  }
  o->shape.cells    = o->shape.shape[0];
  o->shape.shape[1] = o->shape.shape[2] = 1;
  PetscFunctionReturn(0);
}

static PetscErrorCode Open(ScoriaRun run, ScoriaDeck deck, Opened *o)
{
  const MPI_Comm comm = ScoriaRunComm(run);
  PetscFunctionBeginUser;
  PetscCall(ScoriaTrainedOpen(run, deck, &o->trained));
  PetscCall(ScoriaEnsembleCreate(comm, deck, &o->ens));
  ensemble_hold_out(o->ens);
  PetscCall(ScoriaSourceOfPde(o->ens, &o->source[SCORIA_FROM_PDE]));
  PetscCall(ScoriaSourceOfPde(o->ens, &o->source[SCORIA_FROM_PDE_AGAIN]));
  PetscCall(ScoriaSourceOfModel(comm, &o->trained, false, &o->source[SCORIA_FROM_MODEL]));
  PetscCall(ScoriaSourceOfModel(comm, &o->trained, true, &o->source[SCORIA_FROM_GAUSSIAN]));
  o->shape = *source_shape(o->source[SCORIA_FROM_MODEL]);
  PetscCall(CompareQuantitiesOfDeck(deck, &o->shape, &o->quantities));
  if (o->shape.cells > o->shape.shape[0]) PetscCall(OpenFeatures(deck, o));
  PetscFunctionReturn(0);
}

static PetscErrorCode Close(Opened *o)
{
  PetscFunctionBeginUser;
  for (int s = 0; s < SCORIA_NFROM; s++) {
    PetscCall(ScoriaSourceDestroy(&o->source[s]));
    if (o->features) PetscCall(ScoriaSourceDestroy(&o->whole[s]));
  }
  PetscCall(ScoriaFeaturesDestroy(&o->features));
  PetscCall(CompareQuantitiesDestroy(&o->quantities));
  PetscCall(ScoriaEnsembleDestroy(&o->ens));
  PetscCall(ScoriaTrainedClose(&o->trained));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------- conditions ---- */

/* The held-out conditions of the deck's design. */
static PetscErrorCode CreateSet(MPI_Comm comm, ScoriaDeck deck, const Opened *o, ComparisonSet *set,
                                int64_t *training_rows)
{
  PetscInt conditions = 0, count = 0;
  ScoriaDatasetSpec spec;
  const double *x;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "compare_conditions", &conditions));
  PetscCall(ScoriaDeckInt(deck, "compare_count", &count));
  PetscCall(ScoriaEnsembleSpec(o->ens, &spec, &x));
  *training_rows = spec.rows;
  *set = (ComparisonSet){.conditions = (int)conditions, .count = count, .wide = o->features != NULL, .shape = o->shape};
  for (int c = 0; c < o->shape.channels; c++) set->channel[c] = c;
  PetscCall(ScoriaMadeFromShape(&set->shape, &set->made));
  PetscCall(PetscStrncpy(set->made.library, ensemble_library(o->ens), sizeof set->made.library));
  PetscCall(CompareCreateConditions(comm, set, true));
  for (int k = 0; k < set->held; k++)
    PetscCall(ScoriaDesignTheta(ScoriaEnsembleDesign(o->ens), true, k, set->conditions, set->c[k].theta));
  PetscFunctionReturn(0);
}

/* The deck's own sample condition, apart from the held-out ones: none where it is not asked for, or where the model was
 * not trained. */
static PetscErrorCode CreateSample(ScoriaRun run, ScoriaDeck deck, const ComparisonSet *set, ComparisonSet *sample)
{
  const ScoriaSpace *space = set->shape.space;
  double theta[SCORIA_MAX_CONDITIONS];
  bool asked, inside = true;
  PetscFunctionBeginUser;
  PetscCall(ScoriaConditionOfSamples(deck, space, theta, &asked));
  for (int i = 0; i < space->n; i++) inside = inside && condition_inside(&space->c[i], theta[i]);
  if (asked && !inside) PetscCall(ScoriaSay(run, "  the sample condition is outside the training ranges: left out"));
  *sample = (ComparisonSet){.conditions = asked && inside,
                            .first      = COMPARE_SAMPLE_INDEX,
                            .count      = set->count,
                            .wide       = set->wide,
                            .shape      = set->shape};
  PetscCall(CompareCreateConditions(ScoriaRunComm(run), sample, true));
  if (sample->conditions) memcpy(sample->c[0].theta, theta, sizeof theta);
  PetscFunctionReturn(0);
}

/* The sample condition is shown, not judged: without good fields it is left out. */
static PetscErrorCode MeasureSample(ScoriaRun run, CompareDraws *draws, const CompareAsked *of_set,
                                    ComparisonSet *sample)
{
  const CompareAsked asked = {
      .seed = of_set->seed, .directions = of_set->directions, .features = of_set->features, .shown = true};
  double seconds[SCORIA_NFROM];
  PetscFunctionBeginUser;
  if (!sample->conditions) PetscFunctionReturn(0);
  PetscCall(CompareMeasure(run, draws, &asked, sample, seconds));
  int lacking = compare_lacking(sample, 0);
  PetscCallMPI(MPI_Bcast(&lacking, 1, MPI_INT, 0, draws->comm));
  if (lacking < 0) PetscFunctionReturn(0);
  PetscCall(ScoriaSay(run, "  the sample condition has fewer than 2 good fields: left out"));
  PetscCall(CompareDestroyConditions(sample));
  sample->conditions = 0;
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------- measures ---- */

/* All that is measured of the held-out conditions. */
typedef struct {
  CompareAsked asked;
  CompareLaws laws;
  CompareMemory memory;
} Measures;

static PetscErrorCode CreateMeasures(ScoriaRun run, ScoriaDeck deck, const Opened *o, const ComparisonSet *set,
                                     Measures *m)
{
  const ScoriaFieldShape *shape = &set->shape;
  PetscInt directions = 0, seed = 0;
  ScoriaGrid grid;
  PetscFunctionBeginUser;
  memset(m, 0, sizeof *m);
  PetscCall(ScoriaDeckInt(deck, "compare_directions", &directions));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  m->asked = (CompareAsked){
      .seed = (uint64_t)seed, .directions = (int)directions, .features = o->features, .quantities = &o->quantities};
  if (o->features) PetscFunctionReturn(0); /* of whole fields neither laws nor nearest rows are known */
  ensemble_grid(o->ens, &grid);
  PetscCall(CompareLawsCreate(deck, shape->space, grid.dim, &m->laws));
  PetscCall(CompareMemoryCreate(run, deck, &o->trained, shape, set->count, &m->memory));
  m->asked.laws   = &m->laws;
  m->asked.memory = &m->memory;
  PetscFunctionReturn(0);
}

static PetscErrorCode DestroyMeasures(Measures *m)
{
  PetscFunctionBeginUser;
  PetscCall(CompareLawsDestroy(&m->laws));
  PetscCall(CompareMemoryDestroy(&m->memory));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- writing ---- */

/* Of the network for a sample: none where the model is its Gaussian. */
static int evaluations(const ScoriaTrained *trained)
{
  const ScoriaSamplerOptions *sampler = &trained->sampler;
  return model_is_gaussian(trained->model) ? 0 : sampler_find(sampler->kind)->evaluations(sampler->steps);
}

static const char *sampler_name(const ScoriaTrained *trained)
{
  return model_is_gaussian(trained->model) ? SCORIA_SOURCE_GAUSSIAN : trained->sampler.kind;
}

static PetscErrorCode Say(ScoriaRun run, const ComparisonSet *set, const Measures *m, const CompareCost *cost,
                          const ScoriaTrained *trained)
{
  const CompareQuantities *quantities = m->asked.quantities;
  const int network                   = evaluations(trained);
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(ScoriaRunComm(run), &rank));
  if (rank) PetscFunctionReturn(0); /* which knows one condition */
  PetscCall(CompareSayMeasures(run, set, false));
  if (!model_is_gaussian(trained->model)) PetscCall(CompareSayNearer(run, set));
  if (set->wide) PetscCall(CompareSayWhole(run, set, false));
  PetscCall(ScoriaSay(run, "  one field on one core: PDE %.1f us, model %.1f us (%s, %d evaluation%s)",
                      1e6 * cost->seconds[SCORIA_FROM_PDE], 1e6 * cost->seconds[SCORIA_FROM_MODEL],
                      sampler_name(trained), network, network == 1 ? "" : "s"));
  PetscCall(CompareSayWorth(run, quantities, cost));
  if (!set->wide) PetscCall(CompareSayLaws(run, &m->laws));
  PetscCall(CompareSayTails(run, set, quantities));
  if (!set->wide) PetscCall(CompareSayMemorisation(run, set, &m->memory));
  PetscFunctionReturn(0);
}

/* On rank 0, which knows all conditions. */
static PetscErrorCode FillJson(cJSON *root, const ComparisonSet *set, const Measures *m, const CompareCost *cost,
                               const ScoriaFieldCost *field)
{
  PetscFunctionBeginUser;
  PetscCall(CompareAddMeasures(root, set, false));
  members_add(cJSON_AddObjectToObject(root, COMPARE_COST), scoria_field_cost_members, field);
  if (set->wide) PetscCall(CompareAddWhole(root, set, m->asked.features, false));
  compare_add_worth(root, m->asked.quantities, cost);
  if (!set->wide) compare_add_laws(root, &m->laws);
  PetscCall(CompareAddTails(root, set, m->asked.quantities));
  if (!set->wide) compare_add_memorisation(root, set, &m->memory);
  compare_add_conditions(root, set, false);
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteJson(ScoriaRun run, const char *path, const ComparisonSet *set, const Measures *m,
                                const CompareCost *cost, const ScoriaTrained *trained)
{
  const ScoriaFieldCost field = {.seconds_pde         = cost->seconds[SCORIA_FROM_PDE],
                                 .seconds_model       = cost->seconds[SCORIA_FROM_MODEL],
                                 .seconds_gaussian    = cost->seconds[SCORIA_FROM_GAUSSIAN],
                                 .samples             = set->count,
                                 .sampler             = sampler_name(trained),
                                 .network_evaluations = evaluations(trained)};
  cJSON *root                 = cJSON_CreateObject();
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(ScoriaRunComm(run), &rank));
  if (!rank) PetscCall(FillJson(root, set, m, cost, &field));
  PetscCall(ScoriaWriteJson(ScoriaRunComm(run), path, root));
  PetscFunctionReturn(0);
}

/* compare.h5 comes last: it marks the comparison as complete. */
static PetscErrorCode Write(ScoriaRun run, ScoriaDeck deck, const ComparisonSet *set, const ComparisonSet *sample,
                            const Measures *m, const CompareCost *cost, const ScoriaTrained *trained)
{
  char store[PETSC_MAX_PATH_LEN], json[PETSC_MAX_PATH_LEN];
  const char *text;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckText(deck, &text));
  PetscCall(ScoriaRunPath(run, "compare.json", sizeof json, json));
  PetscCall(WriteJson(run, json, set, m, cost, trained));
  PetscCall(ScoriaRunPath(run, "compare.h5", sizeof store, store));
  PetscCall(
      CompareWriteStore(set, sample, NULL, m->asked.quantities, &cost->biases, cost, ScoriaRunComm(run), store, text));
  PetscCall(ScoriaSay(run, "  wrote %s and %s", store, json));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- the study ---- */

/* Of all rows that the model was trained on: corrected.h5 has an account where cheap ones were used. */
static PetscErrorCode DataSeconds(ScoriaRun run, double *seconds)
{
  double cheap, corrected;
  PetscFunctionBeginUser;
  PetscCall(ScoriaCostRead(run, "dataset.h5", seconds));
  PetscCall(ScoriaCostRead(run, "cheap.h5", &cheap));
  PetscCall(ScoriaCostRead(run, "corrected.h5", &corrected));
  if (isfinite(corrected)) *seconds += corrected + (isfinite(cheap) ? cheap : 0);
  PetscFunctionReturn(0);
}

/* The first held-out condition, which rank 0 knows. */
static PetscErrorCode FirstCondition(ScoriaRun run, const ComparisonSet *set, double theta[SCORIA_MAX_CONDITIONS])
{
  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(theta, set->c[0].theta, SCORIA_MAX_CONDITIONS));
  PetscCallMPI(MPI_Bcast(theta, SCORIA_MAX_CONDITIONS, MPI_DOUBLE, 0, ScoriaRunComm(run)));
  PetscFunctionReturn(0);
}

static PetscErrorCode Forecast(ScoriaRun run, ScoriaDeck deck, const Opened *o, const ComparisonSet *set,
                               CompareCost *cost)
{
  const CompareQuantities *quantities = &o->quantities;
  double theta[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckReal(deck, "compare_tolerance", &cost->tolerance));
  PetscCall(FirstCondition(run, set, theta));
  const ScoriaForecastOf of = {.command  = "compare",
                               .key      = "compare_pilot",
                               .ens      = o->ens,
                               .source   = (o->features ? o->whole : o->source)[SCORIA_FROM_PDE],
                               .theta    = theta,
                               .n        = quantities->n,
                               .quantity = quantities->quantity,
                               .offset   = quantities->offset,
                               .numbers  = quantities->whole ? quantities->numbers : NULL};
  PetscCall(ScoriaForecastMake(run, deck, &of, &cost->levels));
  PetscFunctionReturn(0);
}

static PetscErrorCode MakeMaps(ScoriaRun run, const Opened *o, ComparisonSet *set)
{
  double theta[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  PetscCall(FirstCondition(run, set, theta));
  const CompareMapped asked = {.conditions = 1, .each = set->count, .theta = theta};
  PetscCall(CompareMapsMake(run, o->whole, &asked, &set->maps));
  PetscFunctionReturn(0);
}

static PetscErrorCode Compare(ScoriaRun run, ScoriaDeck deck, const Opened *o)
{
  ComparisonSet set, sample;
  CompareDraws draws;
  CompareKeeper keeper;
  CompareCost cost;
  Measures m;
  PetscFunctionBeginUser;
  PetscCall(CreateSet(ScoriaRunComm(run), deck, o, &set, &cost.training_rows));
  PetscCall(CreateMeasures(run, deck, o, &set, &m));
  PetscCall(PetscStrncpy(set.made.dataset, m.memory.dataset, sizeof set.made.dataset));
  PetscCall(DataSeconds(run, &cost.seconds_data));
  PetscCall(ScoriaCostRead(run, "model.h5", &cost.seconds_training));
  PetscCall(CompareDrawsCreate(run, o->source, set.count, &draws));
  for (int s = 0; s < SCORIA_NFROM && set.wide; s++) draws.timed[s] = o->whole[s]; /* without what is made of a field */
  PetscCall(CompareKeep(run, deck, &draws, &set, &keeper));
  PetscCall(CreateSample(run, deck, &set, &sample));
  PetscCall(CompareMeasure(run, &draws, &m.asked, &set, cost.seconds));
  if (set.wide)
    PetscCall(MakeMaps(run, o, &set));
  else
    PetscCall(CompareLawsMeasure(&draws, &set, &m.laws));
  PetscCall(Forecast(run, deck, o, &set, &cost));
  PetscCall(CompareBiasesOfConditions(&set, &o->quantities, &cost.biases));
  PetscCall(MeasureSample(run, &draws, &m.asked, &sample));
  PetscCall(Say(run, &set, &m, &cost, &o->trained));
  PetscCall(Write(run, deck, &set, &sample, &m, &cost, &o->trained));
  PetscCall(CompareKeepForget(run, deck, true));
  PetscCall(CompareDestroyConditions(&set));
  PetscCall(CompareDestroyConditions(&sample));
  PetscCall(CompareDrawsDestroy(&draws));
  PetscCall(DestroyMeasures(&m));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCompareModel(ScoriaRun run, ScoriaDeck deck)
{
  Opened opened = {.ens = NULL};
  bool complete;
  PetscFunctionBeginUser;
  PetscCall(ScoriaCompleteStore(run, deck, "compare.h5", "compare", SCORIA_OF_COMPARE, NULL, &complete));
  if (complete) PetscCall(CompareKeepForget(run, deck, false));
  if (complete) PetscFunctionReturn(0);
  PetscCall(Open(run, deck, &opened));
  PetscCall(Compare(run, deck, &opened));
  PetscCall(Close(&opened));
  PetscFunctionReturn(0);
}

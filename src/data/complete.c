/* What several commands share: provenance, and the rule that nothing is overwritten. */
#include "cmd/cmd.h"
#include "import.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Coordinates u beyond which no sample is made: half the width of a training range (u from -1 to 1) outside of it. */
#define FARTHEST 2.0

const char *const cmd_dataset_sections[] = {"run_seed", SCORIA_PROBLEM_SECTIONS "porosity", "conditions",
                                            SCORIA_ENSEMBLE_KEYS, NULL};
const char *const cmd_model_sections[]   = {
      "run_seed", SCORIA_PROBLEM_SECTIONS "porosity", "conditions", SCORIA_ENSEMBLE_KEYS, "train", NULL};
const char *const cmd_law_sections[] = {SCORIA_PROBLEM_SECTIONS "porosity",
                                        "conditions",
                                        "ensemble_problem",
                                        "ensemble_cells",
                                        "ensemble_lateral",
                                        "ensemble_mode",
                                        "ensemble_time",
                                        "ensemble_times",
                                        "import",
                                        NULL};

PetscErrorCode CmdCheckComplete(ScoriaDeck deck, const char *path, const char *stored, const char *const sections[])
{
  char difference[512];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckDifference(deck, stored, sections, sizeof difference, difference));
  if (*difference)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: made by another deck (%s); nothing is overwritten: choose another -run_dir or move the file away",
                path, difference);
  PetscFunctionReturn(0);
}

PetscErrorCode CmdDatasetComplete(ScoriaRun run, ScoriaDeck deck, const char *name, const char *const sections[],
                                  bool *complete)
{
  char path[PETSC_MAX_PATH_LEN];
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, complete));
  if (*complete) {
    ScoriaDataset ds;
    const char *stored;
    PetscCall(ScoriaDatasetOpen(ScoriaRunComm(run), path, &ds));
    PetscCall(ScoriaDatasetInfo(ds, NULL, NULL, &stored));
    PetscCall(CmdCheckComplete(deck, path, stored, sections));
    PetscCall(ScoriaDatasetClose(&ds));
    PetscCall(ScoriaSay(run, "  %s is complete", path));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CmdStoreComplete(ScoriaRun run, ScoriaDeck deck, const char *name, const char *kind,
                                const char *const sections[], bool *complete)
{
  char path[PETSC_MAX_PATH_LEN];
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, complete));
  if (*complete) {
    ScoriaStore store;
    const char *stored;
    PetscCall(ScoriaStoreOpen(ScoriaRunComm(run), path, kind, &store));
    PetscCall(ScoriaStoreDeck(store, &stored));
    PetscCall(CmdCheckComplete(deck, path, stored, sections));
    PetscCall(ScoriaStoreClose(&store));
    PetscCall(ScoriaSay(run, "  %s is complete", path));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CmdLoadModel(ScoriaRun run, ScoriaDeck deck, ScoriaModel *model)
{
  char path[PETSC_MAX_PATH_LEN], difference[512];
  const char *stored;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, "model.h5", sizeof path, path));
  PetscCall(ScoriaModelLoad(ScoriaRunComm(run), path, model));
  PetscCall(ScoriaModelDeck(*model, &stored));
  PetscCall(ScoriaDeckDifference(deck, stored, cmd_law_sections, sizeof difference, difference));
  if (*difference) SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: trained for another problem (%s)", path, difference);
  PetscCall(ScoriaModelChoose(*model, deck, path));
  PetscFunctionReturn(0);
}

bool cmd_next_word(const char **list, size_t size, char word[])
{
  if (!*list || !**list) return false;
  const size_t length = strcspn(*list, ",");
  snprintf(word, size, "%.*s", (int)PetscMin(length, size - 1), *list);
  *list += length + ((*list)[length] == ',');
  return true;
}

PetscErrorCode CmdWriteJson(MPI_Comm comm, const char *path, cJSON *root)
{
  char *text = cJSON_Print(root);
  PetscFunctionBeginUser;
  cJSON_Delete(root);
  PetscCheck(text, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for %s", path);
  const PetscErrorCode failed = ScoriaWriteText(comm, path, text);
  cJSON_free(text);
  PetscFunctionReturn(failed);
}

PetscErrorCode CmdSampler(ScoriaRun run, ScoriaDeck deck, ScoriaSamplerOptions *opt)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSamplerFromDeck(deck, opt));
  if (opt->bfloat16)
    PetscCall(ScoriaSay(run, "  the network's products in bfloat16, %s",
                        sampler_bfloat16_is_fast()
                            ? "by the processor"
                            : "which this processor does not multiply: float32 would be faster"));
  PetscFunctionReturn(0);
}

bool cmd_inside(const ScoriaCondition *c, double value)
{
  const double slack = 1e-12 * PetscMax(PetscAbsReal(c->lo), PetscAbsReal(c->hi));
  return value >= c->lo - slack && value <= c->hi + slack;
}

/* Conditions that imported data have brought, [rate=1.5]: no key is declared for them. */
static PetscErrorCode SampleAt(ScoriaDeck deck, const ScoriaSpace *space, double theta[], bool *asked)
{
  const char *list = NULL;
  char name[SCORIA_NAME_SIZE], value[64];
  bool found;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "sample_at", &list));
  for (;;) {
    PetscCall(CmdNextPair("sample_at", &list, sizeof value, name, value, &found));
    if (!found) break;
    const int i = space_find(space, name);
    if (i < 0) SCORIA_FAIL(SCORIA_EXIT_INPUT, "sample_at: found \"%s\", which is no condition of the model", name);
    PetscCall(CmdNumber("sample_at", name, value, &theta[i]));
    *asked = true;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CmdRefuseUnused(ScoriaDeck deck, const ScoriaSpace *space, const char *section)
{
  static const char ranges[] = "conditions_";
  PetscFunctionBeginUser;
  for (const ScoriaKey *const *table = cmd_tables(); *table; table++)
    for (const ScoriaKey *row = *table; row->name; row++) {
      const char *name = row->name + sizeof ranges - 1;
      char key[2 * SCORIA_NAME_SIZE];
      bool set;
      if (row->type != SCORIA_KEY_RANGE || strncmp(row->name, ranges, sizeof ranges - 1)) continue;
      if (space_find(space, name) >= 0) continue;
      PetscCall(PetscSNPrintf(key, sizeof key, "%s_%s", section, name));
      if (!deck_declares(deck, key)) continue;
      PetscCall(ScoriaDeckHas(deck, key, &set));
      if (set) SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s is no condition here, and would change nothing", key, name);
    }
  PetscFunctionReturn(0);
}

PetscErrorCode CmdSampleTheta(ScoriaDeck deck, const ScoriaSpace *space, double theta[], bool *asked)
{
  double middle[SCORIA_MAX_CONDITIONS] = {0};
  PetscFunctionBeginUser;
  PetscCall(CmdRefuseUnused(deck, space, "sample"));
  *asked = false;
  space_from_unit(space, middle, theta);
  PetscCall(SampleAt(deck, space, theta, asked));
  for (int i = 0; i < space->n; i++) {
    char key[SCORIA_NAME_SIZE + 8];
    bool set;
    PetscCall(PetscSNPrintf(key, sizeof key, "sample_%s", space->c[i].name));
    if (!deck_declares(deck, key)) continue;
    PetscCall(ScoriaDeckReal(deck, key, &theta[i]));
    PetscCall(ScoriaDeckHas(deck, key, &set));
    *asked = *asked || set;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CmdCheckRange(ScoriaRun run, ScoriaDeck deck, const char *command, const ScoriaSpace *space,
                             const double theta[])
{
  double u[SCORIA_MAX_CONDITIONS];
  bool strict = false;
  PetscFunctionBeginUser;
  space_to_unit(space, theta, u);
  PetscCall(ScoriaDeckBool(deck, "strict", &strict));
  for (int i = 0; i < space->n; i++) {
    const ScoriaCondition *c = &space->c[i];
    if (cmd_inside(c, theta[i])) continue;
    if (strict || c->lo == c->hi)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found %g %s, the model was trained %s [%g, %g]", command, c->name,
                  theta[i], c->unit, c->lo == c->hi ? "at one value only:" : "on", c->lo, c->hi);
    if (!(fabs(u[i]) <= FARTHEST))
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "%s: %s: found %g %s, the model was trained on [%g, %g]: more than half of that beyond its end the "
                  "model's polynomials run away",
                  command, c->name, theta[i], c->unit, c->lo, c->hi);
    PetscCall(ScoriaSay(run, "  WARNING: %s = %g %s is outside the training range [%g, %g]: the model extrapolates",
                        c->name, theta[i], c->unit, c->lo, c->hi));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CmdTwinCreate(ScoriaDeck deck, ScoriaEnsemble *ens, ScoriaTwin *twin)
{
  ScoriaDatasetSpec spec;
  const double *x;
  bool imported;
  PetscFunctionBeginUser;
  *ens  = NULL;
  *twin = (ScoriaTwin){.solve = NULL};
  for (int i = 0; i < SCORIA_MAX_FIELDS; i++) twin->reference[i] = NAN;
  PetscCall(CmdImported(deck, &imported));
  if (imported) {
    PetscCall(ImportReferences(deck, twin->reference));
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaEnsembleCreate(PETSC_COMM_SELF, deck, ens)); /* every rank evaluates its own */
  PetscCall(ScoriaEnsembleSpec(*ens, &spec, &x));
  twin->solve = ScoriaEnsembleTwin;
  twin->ctx   = *ens;
  for (int f = 0; field_is_state(spec.field[f].name); f++) twin->reference[f] = ensemble_reference(*ens, f);
  PetscFunctionReturn(0);
}

PetscErrorCode CmdProvenance(ScoriaRun run, ScoriaDeck deck, const char *kind, int group_size, ScoriaProvenance *from)
{
  PetscInt seed = 0;
  int ranks;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(ScoriaRunComm(run), &ranks));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  *from = (ScoriaProvenance){.kind = kind, .seed = (uint64_t)seed, .ranks = ranks, .group_size = group_size};
  PetscCall(ScoriaDeckText(deck, &from->deck));
  PetscFunctionReturn(0);
}

PetscErrorCode CmdWarnOfRest(ScoriaRun run, const ScoriaGroups *groups)
{
  const int rest = groups->size % groups->full_size;
  PetscFunctionBeginUser;
  if (groups->asked_size > groups->size)
    PetscCall(ScoriaSay(run, "  WARNING: ensemble: group_size is %d, but there are %d ranks, which share one solve",
                        groups->asked_size, groups->size));
  if (rest)
    PetscCall(ScoriaSay(run, "  WARNING: %d ranks make %d groups of ensemble: group_size %d; %d of them stay idle",
                        groups->size, groups->count, groups->full_size, rest));
  PetscFunctionReturn(0);
}

PetscErrorCode CmdJsonPath(const char *store, size_t size, char json[])
{
  static const char *const others[] = {"manifest.json", "cost.json", "compare.json"};
  PetscFunctionBeginUser;
  PetscCall(PetscStrncpy(json, store, size - 5));
  char *dot = strrchr(json, '.');
  if (dot && !strchr(dot, '/')) *dot = 0;
  strcat(json, ".json");
  const char *slash = strrchr(json, '/'), *name = slash ? slash + 1 : json;
  bool taken = !strcmp(json, store);
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) taken = taken || !strcmp(name, others[i]);
  if (taken)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: its summary would be %s, which is another file's name; expected another, as in "
                "mine.h5",
                store, name);
  PetscFunctionReturn(0);
}

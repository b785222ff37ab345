/* What several commands share: the key tables, provenance, and the rule that nothing is overwritten. */
#include "cmd.h"
#include <math.h>

const ScoriaKey scoria_command_keys[] = {
    {"solve_count", SCORIA_KEY_INT, "", "1", 1, 1e9, NULL,
     "realisations that solve draws when no porosity file is given"},
    {"compare_conditions", SCORIA_KEY_INT, "", "8", 1, 1e6, NULL,
     "held-out conditions, drawn inside the training ranges"},
    {"compare_count", SCORIA_KEY_INT, "", "2000", 20, 1e8, NULL,
     "fields per condition, of the PDE (twice) and of the model"},
    {"compare_directions", SCORIA_KEY_INT, "", "128", 1, 1e5, NULL, "directions of the sliced Wasserstein distance"},
    {NULL, SCORIA_KEY_INT, NULL, NULL, 0, 0, NULL, NULL},
};

const ScoriaKey *const scoria_tables[] = {scoria_base_keys, scoria_physics_keys, scoria_score_keys, scoria_command_keys,
                                          NULL};

const char *const cmd_dataset_sections[] = {"run_seed", "electrode", "porosity", "conditions", "ensemble", NULL};
const char *const cmd_model_sections[] = {"run_seed", "electrode", "porosity", "conditions", "ensemble", "train", NULL};
const char *const cmd_law_sections[] = {"electrode", "porosity", "conditions", "ensemble_cells", "ensemble_mode", NULL};

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
  PetscFunctionReturn(0);
}

PetscErrorCode CmdTwinCreate(ScoriaDeck deck, ScoriaEnsemble *ens, ScoriaTwin *twin)
{
  ScoriaElectrode el;
  PetscFunctionBeginUser;
  PetscCall(ScoriaElectrodeFromDeck(deck, &el));
  PetscCall(ScoriaEnsembleCreate(PETSC_COMM_SELF, deck, ens)); /* every rank evaluates its own */
  *twin = (ScoriaTwin){.solve = ScoriaEnsembleTwin, .ctx = *ens};
  for (int i = 0; i < SCORIA_MAX_FIELDS; i++) twin->reference[i] = NAN;
  twin->reference[0] = el.c_R; /* channel 0 is the concentration */
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

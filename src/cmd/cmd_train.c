/* train: the score model of dataset.h5. */
#include "cmd.h"

/* The dataset must be this deck's, as far as the law of its rows goes: a model trained on another's would be
 * mislabelled. */
static PetscErrorCode OpenDataset(ScoriaRun run, ScoriaDeck deck, ScoriaDataset *ds)
{
  char path[PETSC_MAX_PATH_LEN], difference[512];
  const char *stored;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, "dataset.h5", sizeof path, path));
  PetscCall(ScoriaDatasetOpen(ScoriaRunComm(run), path, ds));
  PetscCall(ScoriaDatasetInfo(*ds, NULL, NULL, &stored));
  PetscCall(ScoriaDeckDifference(deck, stored, SCORIA_OF_LAW, sizeof difference, difference));
  if (*difference) SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: generated for another problem (%s)", path, difference);
  PetscFunctionReturn(0);
}

static PetscErrorCode Train(ScoriaRun run, ScoriaDeck deck)
{
  char path[PETSC_MAX_PATH_LEN], cheap[PETSC_MAX_PATH_LEN];
  ScoriaEnsemble ens;
  ScoriaDataset ds, corrected;
  ScoriaTwin twin;
  ScoriaModel model;
  const char *text;
  bool complete;
  PetscFunctionBeginUser;
  PetscCall(ScoriaCheapPath(run, deck, cheap));
  PetscCall(ScoriaCompleteStore(run, deck, "model.h5", "model", SCORIA_OF_MODEL, *cheap ? cheap : NULL, &complete));
  if (complete) {
    PetscCall(ScoriaModelTrained(run)); /* one that was killed just after its end has left checkpoints */
    PetscFunctionReturn(0);
  }
  PetscCall(OpenDataset(run, deck, &ds));
  PetscCall(ScoriaChainCheckDatasetLibrary(run, deck));
  PetscCall(ScoriaTwinCreate(deck, &ens, &twin));
  PetscCall(ScoriaCorrect(run, deck, ds, &twin, &corrected));
  PetscCall(ScoriaModelTrain(run, deck, ds, corrected, &twin, &model));
  PetscCall(ScoriaRunPath(run, "model.h5", sizeof path, path));
  PetscCall(ScoriaDeckText(deck, &text));
  PetscCall(ScoriaModelSave(model, ScoriaRunComm(run), path, text));
  PetscCall(ScoriaSay(run, "  wrote %s", path));
  PetscCall(ScoriaModelTrained(run));
  PetscCall(ScoriaModelDestroy(&model));
  PetscCall(ScoriaEnsembleDestroy(&ens));
  PetscCall(ScoriaDatasetClose(&ds));
  if (corrected) PetscCall(ScoriaDatasetClose(&corrected));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandTrain(ScoriaRun run, ScoriaDeck deck)
{
  ScoriaDeck own;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "train"));
  PetscCall(ScoriaDeckOfFile(run, deck, "dataset.h5", SCORIA_SAID_BY_DATASET, &own));
  PetscCall(Train(run, own));
  PetscCall(ScoriaDeckDestroy(&own));
  PetscFunctionReturn(0);
}

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

/* Over a model that lacked only what this one has besides: it is gone when this one is whole. */
static PetscErrorCode SaveOver(ScoriaRun run, ScoriaModel model, const char *path, const char *text)
{
  char next[PETSC_MAX_PATH_LEN];
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, "model.h5.next", sizeof next, next));
  PetscCall(ScoriaFileRemove(ScoriaRunComm(run), next)); /* left by a run killed between writing and renaming */
  PetscCall(ScoriaModelSave(model, ScoriaRunComm(run), next, text));
  PetscCall(ScoriaFileReplace(ScoriaRunComm(run), next, path));
  PetscCall(ScoriaSay(run,
                      "  %s holds the weights of before, too; results made from it without the new ones name "
                      "another file: move them away to make them again",
                      path));
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
  bool complete, untuned;
  PetscFunctionBeginUser;
  PetscCall(ScoriaCheapPath(run, deck, cheap));
  PetscCall(ScoriaModelUntuned(run, deck, &untuned));
  PetscCall(ScoriaCompleteStore(run, deck, "model.h5", "model", untuned ? SCORIA_OF_TRAINED : SCORIA_OF_MODEL,
                                *cheap ? cheap : NULL, &complete));
  if (complete && !untuned) {
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
  PetscCall(untuned ? SaveOver(run, model, path, text) : ScoriaModelSave(model, ScoriaRunComm(run), path, text));
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

/* uq of a model: what compare has found of it, where its result in the run directory is of this model, drawn by this
 * sampler. */
#include "uq.h"
#include <string.h>

static PetscErrorCode Fits(ScoriaDeck deck, const char *model, ScoriaStore store, const char **why)
{
  ScoriaMadeFrom made;
  char difference[128];
  const char *stored;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreMadeFrom(store, &made));
  PetscCall(ScoriaStoreDeck(store, &stored));
  PetscCall(ScoriaDeckDifference(deck, stored, SCORIA_DECIDES_DRAWS, sizeof difference, difference));
  if (!*made.model || strcmp(made.model, model))
    *why = "compare.h5 is of another model";
  else if (*difference)
    *why = "compare.h5 has other settings of the sampler";
  PetscFunctionReturn(0);
}

PetscErrorCode UqComparedOpen(ScoriaRun run, ScoriaDeck deck, const char *model, ScoriaStore *store, const char **why)
{
  char path[PETSC_MAX_PATH_LEN];
  bool there;
  PetscFunctionBeginUser;
  *store = NULL;
  PetscCall(ScoriaRunPath(run, "compare.h5", sizeof path, path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, &there));
  *why = there ? NULL : "there is no compare.h5 in the run directory";
  if (!there) PetscFunctionReturn(0);
  const PetscErrorCode failed = ScoriaStoreOpen(ScoriaRunComm(run), path, "compare", store);
  if (failed && ScoriaFailureCode() != SCORIA_EXIT_INPUT) PetscFunctionReturn(failed);
  if (failed) {
    ScoriaFailureReset();
    *store = NULL;
    *why   = "compare.h5 cannot be read";
    PetscFunctionReturn(0);
  }
  PetscCall(Fits(deck, model, *store, why));
  if (*why) PetscCall(ScoriaStoreClose(store));
  PetscFunctionReturn(0);
}

/* refine: the file whose rows are refined. */
#include "refine.h"

PetscErrorCode RefineGivenName(ScoriaRun run, ScoriaDeck deck, RefineGiven *given)
{
  const char *name = NULL;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "refine_sample", &name));
  given->own = !name;
  if (name)
    PetscCall(PetscStrncpy(given->path, name, sizeof given->path));
  else {
    PetscCall(ScoriaDeckString(deck, "sample_file", &name));
    PetscCall(ScoriaRunPath(run, name, sizeof given->path, given->path));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode RefineGivenOpen(ScoriaRun run, ScoriaDeck deck, RefineGiven *given)
{
  const char *stored;
  char difference[512];
  PetscFunctionBeginUser;
  PetscCall(ScoriaFileTrial(ScoriaRunComm(run), given->path));
  PetscCall(ScoriaDatasetOpenProfiles(ScoriaRunComm(run), given->path, &given->ds));
  PetscCall(ScoriaDatasetInfo(given->ds, &given->spec, NULL, &stored));
  PetscCall(ScoriaDeckDifference(deck, stored, SCORIA_OF_LAW, sizeof difference, difference));
  if (*difference)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: made for another problem (%s): its fields are solutions of other equations",
                given->path, difference);
  if (given->own) {
    PetscCall(ScoriaChainCheck(run, given->path, dataset_made_from(given->ds)));
    given->made = *dataset_made_from(given->ds);
  }
  PetscCall(ScoriaDatasetIdentity(run, given->ds, given->spec->rows, given->made.file));
  PetscFunctionReturn(0);
}

PetscErrorCode RefineGivenClose(RefineGiven *given)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetClose(&given->ds));
  PetscFunctionReturn(0);
}

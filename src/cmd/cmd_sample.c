/* sample: fields of the model at one operating condition. */
#include "cmd.h"

PetscErrorCode CommandSample(ScoriaRun run, ScoriaDeck deck)
{
  ScoriaMade made;
  ScoriaDeck own;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "sample"));
  PetscCall(ScoriaDeckOfFile(run, deck, "model.h5", SCORIA_SAID_BY_MODEL, &own));
  PetscCall(ScoriaSample(run, own, &made));
  PetscCall(ScoriaDeckDestroy(&own));
  if (!made.complete) PetscCall(ScoriaSay(run, "  wrote %s", made.path));
  PetscFunctionReturn(0);
}

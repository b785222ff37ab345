/* sample: fields of the model at one operating condition. */
#include "cmd.h"

PetscErrorCode CommandSample(ScoriaRun run, ScoriaDeck deck)
{
  ScoriaMade made;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "sample"));
  PetscCall(ScoriaSample(run, deck, &made));
  if (!made.complete) PetscCall(ScoriaSay(run, "  wrote %s", made.path));
  PetscFunctionReturn(0);
}

/* deck: what a deck and the command line say together, as the commands would read it. */
#include "cmd.h"

PetscErrorCode CommandDeck(ScoriaRun run, ScoriaDeck deck)
{
  const char *text;
  PetscFunctionBeginUser;
  (void)run;
  PetscCall(ScoriaDeckText(deck, &text));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s", text));
  PetscFunctionReturn(0);
}

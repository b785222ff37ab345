/* deck: what a deck and the command line say together, as the commands would read it, and whether its keys agree. */
#include "cmd.h"
#include "scoria/uq_parts.h"

PetscErrorCode CmdCheckDeck(ScoriaDeck deck)
{
  ScoriaSamplerOptions sampler;
  ScoriaNumbers numbers;
  ScoriaEnsemble ens;
  ScoriaSource source;
  bool imported;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSamplerFromDeck(deck, &sampler));
  PetscCall(ScoriaImported(deck, &imported));
  if (imported) PetscFunctionReturn(0); /* the fields are those of a file */
  PetscCall(ScoriaEnsembleCreate(PETSC_COMM_WORLD, deck, &ens));
  PetscCall(ScoriaSourceOfPde(ens, &source));
  PetscCall(ScoriaNumbersOfDeck(deck, source_shape(source), &numbers));
  PetscCall(ScoriaNumbersDestroy(&numbers));
  PetscCall(ScoriaSourceDestroy(&source));
  PetscCall(ScoriaEnsembleDestroy(&ens));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandDeck(ScoriaRun run, ScoriaDeck deck)
{
  const char *text;
  PetscFunctionBeginUser;
  (void)run;
  PetscCall(CmdCheckDeck(deck));
  PetscCall(CmdWarnOfIdle("# ", deck, "deck")); /* what it prints is YAML */
  PetscCall(ScoriaDeckText(deck, &text));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s", text));
  PetscFunctionReturn(0);
}

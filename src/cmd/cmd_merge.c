/* merge: the shards of an ensemble as one dataset. */
#include "cmd.h"

PetscErrorCode CommandMerge(ScoriaRun run, ScoriaDeck deck)
{
  ScoriaMade made;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "merge"));
  PetscCall(ScoriaNeedEquations(deck, "merge", "import makes dataset.h5 of them"));
  PetscCall(ScoriaMerge(run, deck, &made));
  if (!made.complete) {
    const long long rows = made.spec.rows;
    PetscCall(ScoriaSay(run, "  wrote %s: %lld rows of %d shards", made.path, rows, made.shards));
    PetscCall(ScoriaLog(run, "merge", "\"rows\":%lld,\"shards\":%d", rows, made.shards));
  }
  PetscCall(ScoriaGeneratedCheck(run, deck, made.path));
  PetscFunctionReturn(0);
}

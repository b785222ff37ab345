/* import: rows of a user's file as a dataset. */
#include "cmd.h"

static PetscErrorCode Report(ScoriaRun run, const ScoriaMade *made)
{
  const ScoriaDatasetSpec *spec = &made->spec;
  const long long conditions = spec->rows / spec->realisations, unusable = made->failed - made->lacking;
  char cells[256];
  PetscFunctionBeginUser;
  spec_cells_text(spec, sizeof cells, cells);
  PetscCall(ScoriaSay(run, "  %s", spec->source));
  PetscCall(ScoriaSay(run,
                      "  %lld condition%s x %lld row%s of %s; %lld marked as failed: %lld not finite, %lld "
                      "not in the file, where a condition has fewer rows than another",
                      conditions, conditions == 1 ? "" : "s", (long long)spec->realisations,
                      spec->realisations == 1 ? "" : "s", cells, (long long)made->failed, unusable,
                      (long long)made->lacking));
  PetscCall(ScoriaSay(run, "  wrote %s", made->path));
  PetscCall(ScoriaLog(run, "import", "\"rows\":%lld,\"conditions\":%lld,\"not_finite\":%lld,\"lacking\":%lld",
                      (long long)spec->rows, conditions, unusable, (long long)made->lacking));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandImport(ScoriaRun run, ScoriaDeck deck)
{
  ScoriaMade made;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "import"));
  PetscCall(ScoriaImport(run, deck, &made));
  if (!made.complete && !made.listed) PetscCall(Report(run, &made));
  PetscFunctionReturn(0);
}

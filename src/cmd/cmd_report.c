/* report: figures and one self-contained page of whatever the run directory holds. */
#include "cmd.h"
#include "report/report.h"

PetscErrorCode CommandReport(ScoriaRun run, ScoriaDeck deck)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "report"));
  PetscCall(ScoriaReportWrite(run, deck));
  PetscFunctionReturn(0);
}

/* report: figures and one self-contained page of whatever the run directory holds. */
#include "cmd.h"
#include "report/report.h"
#include "scoria/phases.h"

PetscErrorCode CommandReport(ScoriaRun run, ScoriaDeck deck)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "report"));
  phase_begin(SCORIA_PHASE_REPORT);
  PetscCall(ScoriaReportWrite(run, deck));
  phase_end(SCORIA_PHASE_REPORT, 0);
  PetscFunctionReturn(0);
}

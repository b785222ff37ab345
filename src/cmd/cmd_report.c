/* report: figures and one self-contained page of whatever the run directory holds. */
#include "cmd.h"
#include "scoria/report.h"
#include "scoria/phases.h"

/* One page is of one chain: what stands in the run directory was made from one another. */
static PetscErrorCode CheckChain(ScoriaRun run)
{
  static const struct {
    const char *name, *kind; /* kind NULL: a dataset */
  } results[] = {{"model.h5", "model"}, {"samples.h5", NULL},          {"compare.h5", "compare"},
                 {"uq.h5", "uq"},       {"posterior.h5", "posterior"}, {"likelihood.h5", "likelihood"},
                 {"refined.h5", NULL}};
  PetscFunctionBeginUser;
  for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
    PetscCall(ScoriaChainCheckResult(run, results[i].name, results[i].kind));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandReport(ScoriaRun run, ScoriaDeck deck)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "report"));
  PetscCall(CheckChain(run));
  phase_begin(SCORIA_PHASE_REPORT);
  PetscCall(ScoriaReportWrite(run, deck));
  phase_end(SCORIA_PHASE_REPORT, 0);
  PetscFunctionReturn(0);
}

/* uq: what its fields come from. */
#include "scoria/levels.h"
#include "uq.h"

static PetscErrorCode OpenPde(ScoriaRun run, ScoriaDeck deck, const UqQuestion *q, UqOpened *o)
{
  const char *list = NULL;
  PetscFunctionBeginUser;
  PetscCall(ScoriaChainCheckDatasetLibrary(run, deck));
  PetscCall(ScoriaEnsembleCreate(ScoriaRunComm(run), deck, &o->ens));
  PetscCall(ScoriaWarnOfRest(run, ScoriaEnsembleGroups(o->ens)));
  PetscCall(ScoriaSourceOfPde(o->ens, &o->source));
  PetscCall(ScoriaDeckString(deck, "uq_fidelities", &list));
  if (q->multilevel) PetscCall(ScoriaFidelitiesOfPde(deck, o->ens, "uq: fidelities", list, &o->all));
  PetscFunctionReturn(0);
}

PetscErrorCode UqOpen(ScoriaRun run, ScoriaDeck deck, UqQuestion *q, UqOpened *o)
{
  const char *file = NULL;
  double own[UQ_MAX_QUANTITIES];
  PetscFunctionBeginUser;
  *o = (UqOpened){.source = NULL};
  if (q->pde)
    PetscCall(OpenPde(run, deck, q, o));
  else {
    PetscCall(ScoriaTrainedOpen(run, deck, &o->trained));
    PetscCall(ScoriaSourceOfModel(ScoriaRunComm(run), &o->trained, q->gaussian, &o->source));
  }
  uq_take_shape(q, source_shape(o->source));
  PetscCall(ScoriaMadeFromShape(source_shape(o->source), &q->made));
  PetscCall(ScoriaDeckString(deck, "uq_conditions", &file));
  if (file) PetscCall(ScoriaSourceNow(ScoriaRunComm(run), file, NULL, 0, q->made.file));
  PetscCall(UqQuestionRead(run, deck, q));
  if (q->automatic) PetscCall(LevelsPromiseRead(deck, q, &q->means, q->aside, own));
  PetscCall(UqCheckMemory(deck, q));
  PetscFunctionReturn(0);
}

PetscErrorCode UqClose(UqQuestion *q, UqOpened *o)
{
  PetscFunctionBeginUser;
  PetscCall(UqQuestionDestroy(q));
  PetscCall(ScoriaFidelitiesDestroy(&o->all));
  PetscCall(ScoriaSourceDestroy(&o->source));
  PetscCall(ScoriaTrainedClose(&o->trained));
  PetscCall(ScoriaEnsembleDestroy(&o->ens));
  PetscFunctionReturn(0);
}

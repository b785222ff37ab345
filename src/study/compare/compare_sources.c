/* Where the fields of compare come from, and how they are numbered. */
#include "compare.h"

/* Who draws the fields of a source. */
static const ScoriaDraws draws[SCORIA_NFROM] = {[SCORIA_FROM_PDE]       = SCORIA_DRAWS_HELDOUT,
                                                [SCORIA_FROM_PDE_AGAIN] = SCORIA_DRAWS_HELDOUT_AGAIN,
                                                [SCORIA_FROM_MODEL]     = SCORIA_DRAWS_COMPARED,
                                                [SCORIA_FROM_GAUSSIAN]  = SCORIA_DRAWS_GAUSSIAN};

PetscErrorCode CompareOpenSources(ScoriaRun run, ScoriaDeck deck, Comparer *cmp)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaTrainedOpen(run, deck, &cmp->trained));
  PetscCall(ScoriaEnsembleCreate(cmp->comm, deck, &cmp->ens));
  PetscCall(ScoriaSourceOfPde(cmp->ens, &cmp->source[SCORIA_FROM_PDE]));
  PetscCall(ScoriaSourceOfPde(cmp->ens, &cmp->source[SCORIA_FROM_PDE_AGAIN]));
  PetscCall(ScoriaSourceOfModel(cmp->comm, &cmp->trained, false, &cmp->source[SCORIA_FROM_MODEL]));
  PetscCall(ScoriaSourceOfModel(cmp->comm, &cmp->trained, true, &cmp->source[SCORIA_FROM_GAUSSIAN]));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareCloseSources(Comparer *cmp)
{
  PetscFunctionBeginUser;
  for (int s = 0; s < SCORIA_NFROM; s++) PetscCall(ScoriaSourceDestroy(&cmp->source[s]));
  PetscCall(ScoriaEnsembleDestroy(&cmp->ens));
  PetscCall(ScoriaTrainedClose(&cmp->trained));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareFields(Comparer *cmp, ComparisonSet *set, int condition, const double theta[], int source,
                             int64_t count, int owner, double all[])
{
  const uint64_t first = draw_number(draws[source], set->first + condition, 0);
  PetscFunctionBeginUser;
  PetscCall(ScoriaSourceGather(cmp->source[source], &cmp->pace[source], "the comparison will begin anew", theta, first,
                               count, owner, cmp->share, all));
  PetscFunctionReturn(0);
}

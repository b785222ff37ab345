/* uq of several fidelities: draws of the base alone, after the pilot, that tell where the screened member's outer
 * quantiles are: those of the pilot are too few. */
#include "multilevel.h"

#define PLACING 0.25    /* of the pilot's cost goes to them, */
#define PLACING_MOST 16 /* by so many draws for each of the pilot's at most */
#define PLACING_PART (SCORIA_DRAWS_PARTS / 2)

PetscErrorCode LevelsToPlace(Levels *l)
{
  double cost[LEVELS_MODELS + 1], all = 0;
  PetscFunctionBeginUser;
  levels_costs(l, cost);
  for (int a = 0; a <= l->K; a++) all += levels_screens(l, a) ? 0 : cost[a];
  const double each = cost[l->o.screen] + cost[l->K];
  l->asked          = levels_plain_draws(l);
  l->thrift         = each / (cost[0] + cost[l->K]);
  l->to_place       = (int64_t)((double)l->o.pilot * PetscClipInterval(PLACING * all / each, 1, PLACING_MOST));
  PetscCall(PetscFree(l->placed));
  PetscCall(PetscCalloc1(l->to_place * l->q->nquantities, &l->placed));
  l->placed_done          = 0;
  l->here[LEVELS_PLACING] = l->total[LEVELS_PLACING] = (LevelsTally){.work = {0}};
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsPlacingDraw(Levels *l, int64_t i)
{
  const uint64_t draw = draw_part(SCORIA_DRAWS_UQ, l->k, PLACING_PART, i);
  PetscFunctionBeginUser;
  PetscCall(LevelsDraw(l, LEVELS_PLACING, 1u << l->o.screen, draw, 1, 0));
  if (l->workers->leads) uq_take(l->draws, l->fields[l->o.screen], l->placed + i * l->q->nquantities);
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsPlacingShare(Levels *l)
{
  const int64_t n = l->to_place * l->q->nquantities;
  PetscFunctionBeginUser;
  PetscCall(ScoriaReduceMany(l->workers->all.comm, MPI_BOR, n, MPI_UINT64_T, l->placed));
  PetscFunctionReturn(0);
}

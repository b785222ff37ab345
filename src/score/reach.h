/* How far out inside their ranges the conditions of a training lie, from inside the room: how that is found, and kept
 * in a model file. */
#ifndef SCORIA_SCORE_REACH_H
#define SCORIA_SCORE_REACH_H

#include "scoria/score.h"

/* Of the conditions of ds that training sees; says of which two go together.  The same bits on any number of ranks.
 * Collective on the run's comm. */
PetscErrorCode ReachFind(ScoriaRun run, ScoriaDataset ds, const ScoriaHoldout *holdout, ScoriaReach *reach);
PetscErrorCode ReachSave(const ScoriaReach *reach, ScoriaStore store);
/* d: conditions of the model.  reach->d is 0 where the file, of an earlier version, does not tell. */
PetscErrorCode ReachLoad(ScoriaStore store, int d, ScoriaReach *reach);

#endif

/* What comes before the first step of a training: the split, the normaliser and the whitened rows. */
#ifndef SCORIA_SCORE_PREPARATION_H
#define SCORIA_SCORE_PREPARATION_H

#include "train_data.h"

/* Fits the normaliser of the deck to ds, unless *norm is one that is known (of a checkpoint) or an earlier start has
 * kept one of the same rows in the run directory; whitens all rows.  A normaliser that was fitted is kept there, for
 * PreparationForget.  Told to `run` on the way, which may stop it.  Collective. */
PetscErrorCode PreparationRun(ScoriaRun run, ScoriaDeck deck, ScoriaDataset ds, const ScoriaTwin *twin,
                              const ScoriaHoldout *holdout, ScoriaNormaliser *norm, TrainData *train, TrainData *valid);
/* A normaliser of this deck and dataset that an earlier start has kept, or NULL.  Collective. */
PetscErrorCode PreparationFind(ScoriaRun run, ScoriaDeck deck, ScoriaDataset ds, ScoriaNormaliser *norm);
/* Removes what an earlier start has kept.  Collective. */
PetscErrorCode PreparationForget(ScoriaRun run);

#endif

/* The samples of a network against those of the Gaussian, on rows that were left out. */
#ifndef SCORIA_SCORE_TRAIN_JUDGE_H
#define SCORIA_SCORE_TRAIN_JUDGE_H

#include "model.h"
#include "training.h"

/* By how much the energy score of the network's samples at rows of valid lies below that of the Gaussian's, in SDs of
 * a coordinate, and what it would have to be above to be sure, as TrainerGain says it; NaN where a sample is none.
 * Coordinates count as worth (r) says, NULL: all alike.  Collective; the same on any number of ranks. */
PetscErrorCode TrainJudgeSamples(MPI_Comm comm, ScoriaModel m, const TrainData *valid, const float worth[],
                                 double *gain, double *sure);

#endif

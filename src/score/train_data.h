/* Training data from a dataset: the split by condition, and the whitened rows. */
#ifndef SCORIA_SCORE_TRAIN_DATA_H
#define SCORIA_SCORE_TRAIN_DATA_H

#include "train.h"

/* Fields of ds that a model learns: all but the porosity, which is never seen. */
void train_channels(const ScoriaDatasetSpec *spec, int *nchannels, int channel[]);

/* train (conditions): true for those to learn from; a keyed permutation leaves `share` of them, rounded, out; never
 * all. */
PetscErrorCode TrainSplit(int64_t conditions, double share, uint64_t seed, bool train[], int64_t *left_out);

/* Encodes the rows of the conditions whose train[] equals `which`; failed rows, and rows that the normaliser's
 * transform cannot take, are left out and counted in dropped.  Every rank holds all of it.  Collective. */
PetscErrorCode TrainDataCreate(ScoriaDataset ds, ScoriaNormaliser norm, const ScoriaTwin *twin, const bool train[],
                               bool which, TrainData *data, int64_t *dropped);
PetscErrorCode TrainDataDestroy(TrainData *data);

#endif

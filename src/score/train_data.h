/* Training data from a dataset: the whitened rows, each on the rank that read it. */
#ifndef SCORIA_SCORE_TRAIN_DATA_H
#define SCORIA_SCORE_TRAIN_DATA_H

#include "normaliser_data.h"
#include "trainer.h"

/* Fields of ds that a model learns: all but the porosity, which is never seen. */
void train_channels(const ScoriaDatasetSpec *spec, int *nchannels, int channel[]);

/* The first r whitened coordinates of the usable rows, to learn from and to validate on; rows that the normaliser's
 * transform cannot take are left out, as failed ones are, and counted in dropped.  One pass.  Collective. */
PetscErrorCode TrainDataCreate(NormData *rows, TrainData *train, TrainData *valid, int64_t *dropped);
PetscErrorCode TrainDataDestroy(TrainData *data);
/* CRC32C of the rows and their conditions, the same on any number of ranks: two sets that differ anywhere that matters
 * differ in it.  Collective. */
PetscErrorCode TrainDataDigest(MPI_Comm comm, const TrainData *data, int r, int d, uint32_t *digest);

#endif

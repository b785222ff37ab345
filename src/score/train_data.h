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
/* Rows of one of the two sets on this rank, as they come: room for `more`; and all of them as one set over the ranks,
 * with the unit conditions u (slots, d), which it takes over. */
typedef struct {
  float *y;           /* owned (room, r) */
  int32_t *condition; /* owned (room): slot */
  int64_t rows, room;
} Gathered;
PetscErrorCode GatheredGrow(Gathered *set, int r, int64_t more);
PetscErrorCode GatheredPublish(MPI_Comm comm, Gathered *from, const float *u, TrainData *to);
/* Unit coordinates (n, space->n) of conditions theta; owned by the caller.  Local. */
PetscErrorCode UnitConditions(const ScoriaSpace *space, int64_t n, const double theta[], float **u);
PetscErrorCode TrainDataDestroy(TrainData *data);
/* CRC32C of the rows and their conditions, the same on any number of ranks: two sets that differ anywhere that matters
 * differ in it.  Collective. */
PetscErrorCode TrainDataDigest(MPI_Comm comm, const TrainData *data, int r, int d, uint32_t *digest);

#endif

/* Rows of the training data brought to the rank that uses them, many at a time. */
#ifndef SCORIA_SCORE_TRAIN_ROWS_H
#define SCORIA_SCORE_TRAIN_ROWS_H

#include "trainer.h"

/* out (n, r + d): coordinates and unit conditions of n rows, wherever they are.  Collective on comm, unless data->start
 * is NULL. */
PetscErrorCode TrainRowsFetch(MPI_Comm comm, const TrainData *data, int r, int d, int64_t n, const int64_t row[],
                              float out[]);

#endif

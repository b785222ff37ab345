/* A training on its way: what ScoriaModelTrain sets up, and the loop of steps, evaluations and checkpoints over it. */
#ifndef SCORIA_SCORE_TRAINING_H
#define SCORIA_SCORE_TRAINING_H

#include "checkpoint.h"
#include "curve.h"
#include "kept.h"
#include "train.h"

typedef struct {
  ScoriaRun run;
  ScoriaDeck deck;
  MPI_Comm comm;
  TrainOptions opt;
  TrainData train, valid; /* valid.rows = 0: no condition was left out */
  int64_t patience;       /* evaluations without improvement after which it ends; 0: never */
  bool keep_last;
  Trainer trainer;
  Kept kept;
  ScoriaProgress bar;
  Curve curve;
  int64_t last; /* step it ended at */
  double start, loss, validation, baseline;
  double *part;          /* owned (kept.parts): of the last validation loss */
  ScoriaNormaliser norm; /* borrowed */
  ScoriaCost cost;       /* owned */
  Checkpoint begin;      /* where an interrupted training had come to */
  uint32_t data;         /* CRC of the rows, for checkpoints */
  double every, saved;   /* seconds between checkpoints; when the last one was written */
} Training;

/* Trains the network `spec` to its last step, or until patience ends, and chooses the average that is the model.  On
 * return t->trainer is gone, and t->kept holds what was kept.  Collective. */
PetscErrorCode TrainingRun(Training *t, const ScoriaNetSpec *spec);

#endif

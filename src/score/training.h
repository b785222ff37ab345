/* A training on its way: what ScoriaModelTrain sets up, and the loop of steps, evaluations and checkpoints over it. */
#ifndef SCORIA_SCORE_TRAINING_H
#define SCORIA_SCORE_TRAINING_H

#include "checkpoint.h"
#include "curve.h"
#include "kept.h"
#include "trainer.h"

typedef struct {
  ScoriaRun run;
  ScoriaDeck deck;
  MPI_Comm comm;
  TrainOptions opt;
  TrainData train, valid; /* valid.rows = 0: nothing was left out */
  int64_t patience;       /* evaluations without improvement after which it ends; 0: never */
  bool keep_last;
  bool calibrates;      /* when it has ended: then its last step is in the checkpoint, as that takes a while */
  ScoriaModel from;     /* owned: trained before, and now only tuned; NULL: none */
  TrainKind tuning;     /* what follows, for a sampler of few evaluations; TRAIN_DENOISER: nothing */
  int64_t tuning_steps; /* of it */
  double tuning_rate;
  float *share; /* owned (r): TrainOptions.share of distillation */
  float *worth; /* owned (r): TrainOptions.worth; NULL: all alike */
  float *tuned; /* owned (count): the tuned weights, NULL without */
  Trainer trainer;
  Kept kept;
  ScoriaProgress bar;
  Curve curve;
  double start, loss, validation, baseline;
  double *part;          /* owned (kept.parts): of the last validation loss */
  ScoriaNormaliser norm; /* borrowed */
  ScoriaCost cost;       /* owned */
  Checkpoint begin;      /* where an interrupted training had come to */
  bool blurred;          /* conditions get noise, as opt says */
  int64_t lengthened;    /* step at which train_steps was raised last, 0: never */
  uint32_t data;         /* CRC of the rows, for checkpoints */
  double every, saved;   /* seconds between checkpoints; when the last one was written */
} Training;

/* model_tune.c: the model of the run directory where it lacks the weights that the deck asks for (ScoriaModelUntuned),
 * else NULL; its training as what t->kept holds, where TrainingRun would have come to it.  Collective. */
PetscErrorCode TunedFrom(ScoriaRun run, ScoriaDeck deck, ScoriaModel *from);
PetscErrorCode TunedKept(Training *t);

/* Trains the network `spec` to its last step, or until patience ends, chooses the average that is the model, and tunes
 * it for few evaluations where that is asked for; with t->from only the last.  On return t->trainer is gone, t->kept
 * holds what was kept, t->tuned the tuned weights.  Collective. */
PetscErrorCode TrainingRun(Training *t, const ScoriaNetSpec *spec);

#endif

/* Checkpoints of a training: train.ckpt in the run directory, and the one before it. */
#ifndef SCORIA_SCORE_CHECKPOINT_H
#define SCORIA_SCORE_CHECKPOINT_H

#include "kept.h"
#include "basis.h"
#include "trainer.h"

typedef struct {
  bool found;
  ScoriaNormaliser norm; /* owned until taken */
  TrainKind tuning;      /* which one is on, after the training; TRAIN_DENOISER: the training itself */
  int64_t step, taken;   /* steps done; updates among them */
  int skips;             /* steps without update, in a row, up to here */
  int64_t lengthened;    /* step at which train_steps was raised last, 0: never */
  double loss, seconds;  /* smoothed training loss; time trained */
  bool blurred;          /* conditions get noise, as the deck says: not in checkpoints from before it could be */
  uint32_t data;         /* CRC32C of the rows learned from */
  int64_t count;         /* parameters */
  int vectors;           /* of the trainer */
  float *vector;         /* owned (vectors, count) */
  Kept kept;             /* owned until taken */
} Checkpoint;

/* The last checkpoint of this run directory that is whole, if there is one; a damaged one is told and passed over.
 * Refused: one of another deck, or none whole where there are some; but a training may have been begun with fewer
 * train_steps.  Collective. */
PetscErrorCode CheckpointFind(ScoriaRun run, ScoriaDeck deck, Checkpoint *found);
/* Puts the trainer, and what was kept so far, where the checkpoint was.  `data` is the CRC of the rows at hand, which
 * must be the same.  Collective. */
PetscErrorCode CheckpointApply(ScoriaRun run, Checkpoint *from, uint32_t data, Trainer trainer, Kept *kept);
/* Writes norm, the trainer and what is kept as the newest checkpoint.  now: tuning, lengthened, loss, seconds, skips
 * and data are read. Collective. */
PetscErrorCode CheckpointSave(ScoriaRun run, ScoriaDeck deck, ScoriaNormaliser norm, Trainer trainer, const Kept *kept,
                              const Checkpoint *now);
PetscErrorCode CheckpointDestroy(Checkpoint *c);
/* Removes the checkpoints of the run directory.  Collective. */
PetscErrorCode CheckpointForget(ScoriaRun run);

#endif

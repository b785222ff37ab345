/* What is kept of a training on its way: the averages at its best evaluation, snapshots for other lengths, and how long
 * it has not become better. */
#ifndef SCORIA_SCORE_KEPT_H
#define SCORIA_SCORE_KEPT_H

#include "ema.h"
#include "trainer.h"

typedef struct {
  int lengths;       /* of the averages: 1 or 2 */
  bool last;         /* keep the last evaluation, not the best */
  EmaSet set;        /* owned: the kept averages, one of each length, then the snapshots */
  int64_t step;      /* of the evaluation kept, 0: none yet */
  double loss;       /* validation loss there, of the first length */
  int64_t waited;    /* evaluations since the reference */
  int64_t parts;     /* of a validation loss */
  double *reference; /* owned (parts): the last evaluation that was better beyond the noise, all 0: none yet */
  double width;      /* relative width of the average chosen in the end, 0: not yet */
  int64_t ended;     /* step at which the training ended */
  double train_loss, baseline; /* of training there; of validation at F = 0 */
  bool gaussian;               /* in the end: the network adds nothing to the Gaussian, by validation */
} Kept;

PetscErrorCode KeptCreate(int lengths, bool last, int64_t count, int64_t parts, Kept *kept);
PetscErrorCode KeptDestroy(Kept *kept);

/* An evaluation after `step`: loss, and its parts (parts).  Local; the same arguments everywhere. */
void kept_offer(Kept *kept, Trainer trainer, int64_t step, double loss, const double part[]);
/* Stores the averages where step of steps is one at which that is planned; nothing with one length. */
void kept_snapshot(Kept *kept, Trainer trainer, int64_t step, int64_t steps);

/* The mean of reference - part is above twice its standard error, so that the difference is not one of the rows drawn.
 */
bool kept_improved(int64_t parts, const double reference[], const double part[]);

#endif

/* What a training of few rows (NORM_FEW_ROWS, normaliser.h) does that others do not. */
#ifndef SCORIA_SCORE_TRAIN_FEW_H
#define SCORIA_SCORE_TRAIN_FEW_H

#include "model.h"
#include "training.h"

/* t->patience, where the deck does not set it.  Local. */
PetscErrorCode FewPatience(ScoriaDeck deck, Training *t);
/* t->opt.blur: the noise on the conditions.  Local. */
PetscErrorCode FewBlur(ScoriaDeck deck, Training *t);
/* Whether the model that is trained will be calibrated.  Local. */
bool few_calibrates(const Training *t);
/* t->calibrates: the same, unless the deck has it left out.  Local. */
PetscErrorCode FewCalibrates(ScoriaDeck deck, Training *t);
/* m->gaussian: of a short training, whose loss says little of its samples.  Collective. */
PetscErrorCode FewJudge(const Training *t, ScoriaModel m);
/* m->calibration, where t->calibrates, of the model that was trained.  Collective. */
PetscErrorCode FewCalibrate(const Training *t, ScoriaModel m);

#endif

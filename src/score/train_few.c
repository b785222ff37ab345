/* What a training of few rows does that others do not: it ends early, blurs the conditions, and calibrates. */
#include "train_few.h"
#include "calibration_fit.h"
#include "train_judge.h"
#include "scoria/phases.h"
#include <math.h>

enum {
  CALIBRATED_ROWS = 32768, /* with as many it would leave 94 % of what the network says */
  FEW_PATIENCE    = 10,    /* evaluations: a fifth of the training */
  FEW_STEPS_LEAST = 500    /* a shorter training costs less than its calibration, and its evaluations follow closely */
};

/* Whether there are so few rows that a training learns them by heart, and rows that are left out tell. */
static bool learns_few(const Training *t)
{
  return t->valid.rows > 0 && t->train.rows < NORM_FEW_ROWS && t->opt.steps >= FEW_STEPS_LEAST;
}

/* On few rows the validation loss soon turns round for good, and the model is that of its lowest point; the last step
 * is only reached where it is asked for. */
PetscErrorCode FewPatience(ScoriaDeck deck, Training *t)
{
  bool set;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckHas(deck, "train_patience", &set));
  if (!set && !t->keep_last && learns_few(t)) t->patience = FEW_PATIENCE;
  PetscFunctionReturn(0);
}

#define FEW_BLUR 0.25 /* measured, benchmarks/few_rows.md */

/* With few rows the network would know the conditions of the training set one by one, and what lies between them only
 * by chance: it is shown conditions with noise, on those that vary. */
PetscErrorCode FewBlur(ScoriaDeck deck, Training *t)
{
  const ScoriaSpace *space = ScoriaNormaliserSpace(t->norm);
  bool adapt;
  double blur;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckBool(deck, "train_adapt", &adapt));
  blur = adapt && t->train.rows < NORM_FEW_ROWS ? FEW_BLUR : 0;
  PetscCall(ScoriaDeckReal(deck, "train_blur", &blur));
  for (int i = 0; i < space->n; i++) t->opt.blur[i] = space->c[i].lo < space->c[i].hi ? blur : 0;
  PetscFunctionReturn(0);
}

/* Where rows are so few that they do not tell the network's mean and spread at other conditions. */
bool few_calibrates(const Training *t)
{
  return learns_few(t) && t->train.rows < CALIBRATED_ROWS;
}

/* Not of whole fields, of whose coordinates a network learns a few: their means are known. */
PetscErrorCode FewCalibrates(ScoriaDeck deck, Training *t)
{
  bool asked;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckBool(deck, "train_calibrate", &asked));
  t->calibrates = asked && few_calibrates(t) && !t->train.move;
  PetscFunctionReturn(0);
}

/* A network of fewer steps is not calibrated, and is judged by its samples. */
PetscErrorCode FewJudge(const Training *t, ScoriaModel m)
{
  double gain, sure;
  PetscFunctionBeginUser;
  if (m->gaussian || t->keep_last || t->from || t->opt.steps >= FEW_STEPS_LEAST || t->train.rows >= NORM_FEW_ROWS ||
      !t->valid.rows || t->train.move)
    PetscFunctionReturn(0);
  phase_begin(SCORIA_PHASE_VALIDATE);
  PetscCall(TrainJudgeSamples(t->comm, m, &t->valid, t->worth, &gain, &sure));
  phase_end(SCORIA_PHASE_VALIDATE, 0);
  m->gaussian = !(gain > sure);
  PetscCall(ScoriaLog(t->run, "judged", "\"samples_gain\":%.6g,\"least_samples_gain\":%.6g,\"adopted\":\"%s\"",
                      isfinite(gain) ? gain : 0, isfinite(sure) ? sure : 0, m->gaussian ? "gaussian" : "network"));
  if (m->gaussian)
    PetscCall(ScoriaSay(t->run, "  after so few steps its samples are not nearer to the rows left out than the "
                                "Gaussian's, beyond chance: the Gaussian is what is sampled (sample_source)"));
  PetscFunctionReturn(0);
}

PetscErrorCode FewCalibrate(const Training *t, ScoriaModel m)
{
  CalibrationMoves moves;
  PetscFunctionBeginUser;
  if (!t->calibrates) PetscFunctionReturn(0);
  PetscCall(CalibrationFit(t->comm, t->run, m, &t->train, &m->calibration, &moves));
  if (m->calibration.from)
    PetscCall(CalibrationSay(t->run, &moves));
  else
    PetscCall(ScoriaSay(t->run,
                        "  WARNING: not calibrated against the training rows: some of the network's samples are "
                        "not finite"));
  PetscFunctionReturn(0);
}

/* Weights for a sampler of few evaluations, learned from a model that was trained without: its network stays, bit for
 * bit, and both are those of one training that was asked for the tuning at once. */
#include "model.h"
#include "training.h"
#include <stdio.h>

/* Steps of all tunings in a stored deck, or (NULL) in this one. */
static PetscErrorCode TuningSteps(ScoriaDeck deck, const char *stored, int64_t *steps)
{
  char key[64];
  PetscFunctionBeginUser;
  *steps = 0;
  for (TrainKind kind = TRAIN_CONSISTENCY; kind < TRAIN_KINDS; kind++) {
    PetscInt n = 0;
    snprintf(key, sizeof key, "train_%s_steps", train_kind_names[kind]);
    PetscCall(stored ? ScoriaDeckStoredInt(deck, stored, key, &n) : ScoriaDeckInt(deck, key, &n));
    *steps += n;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaModelUntuned(ScoriaRun run, ScoriaDeck deck, bool *untuned)
{
  char path[PETSC_MAX_PATH_LEN], difference[512];
  const char *stored;
  int64_t here, there;
  ScoriaStore store;
  bool exists;
  PetscFunctionBeginUser;
  *untuned = false;
  PetscCall(TuningSteps(deck, NULL, &here));
  PetscCall(ScoriaRunPath(run, "model.h5", sizeof path, path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, &exists));
  if (!exists || here == 0) PetscFunctionReturn(0);
  PetscCall(ScoriaStoreOpen(ScoriaRunComm(run), path, "model", &store));
  PetscCall(ScoriaStoreDeck(store, &stored));
  PetscCall(TuningSteps(deck, stored, &there));
  PetscCall(ScoriaDeckDifference(deck, stored, SCORIA_OF_TRAINED, sizeof difference, difference));
  PetscCall(ScoriaStoreClose(&store));
  *untuned = there == 0 && !*difference;
  PetscFunctionReturn(0);
}

PetscErrorCode TunedFrom(ScoriaRun run, ScoriaDeck deck, ScoriaModel *from)
{
  char path[PETSC_MAX_PATH_LEN];
  bool untuned;
  PetscFunctionBeginUser;
  *from = NULL;
  PetscCall(ScoriaModelUntuned(run, deck, &untuned));
  if (!untuned) PetscFunctionReturn(0);
  PetscCall(ScoriaRunPath(run, "model.h5", sizeof path, path));
  PetscCall(ScoriaModelLoad(ScoriaRunComm(run), path, from));
  PetscFunctionReturn(0);
}

/* The averages of both lengths, or the one that is the model: of the first length, as nothing else is left of it. */
static PetscErrorCode TakeAverages(Training *t, EmaSet *set)
{
  ScoriaModel m = t->from;
  PetscFunctionBeginUser;
  if (m->averages.n > 0) {
    PetscCall(EmaSetDestroy(set));
    *set          = m->averages;
    m->averages   = (EmaSet){0};
    t->kept.width = m->width;
    PetscFunctionReturn(0);
  }
  set->n          = 1;
  set->profile[0] = (EmaProfile){(double)m->steps, ema_exponent(t->opt.adam.ema[0])};
  t->kept.width   = t->opt.adam.ema[0];
  PetscCall(PetscArraycpy(set->weights, net_parameters(m->net), set->count));
  PetscFunctionReturn(0);
}

PetscErrorCode TunedKept(Training *t)
{
  const ScoriaModel m = t->from;
  PetscFunctionBeginUser;
  PetscCall(TakeAverages(t, &t->kept.set));
  t->lengthened      = m->lengthened;
  t->kept.ended      = m->steps;
  t->kept.step       = m->kept;
  t->kept.train_loss = m->loss;
  t->kept.loss       = m->validation;
  t->kept.baseline   = m->baseline;
  t->kept.gaussian   = m->gaussian;
  PetscFunctionReturn(0);
}

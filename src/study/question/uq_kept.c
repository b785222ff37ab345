/* uq: what its checkpoints, and those of several fidelities, have alike. */
#include "scoria/uq_question.h"

PetscErrorCode UqPutIntegers(ScoriaStore store, const char *name, int64_t n, const int64_t value[])
{
  double *half;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(2 * n, &half));
  for (int64_t i = 0; i < n; i++) {
    half[2 * i]     = (double)(value[i] >> 32);
    half[2 * i + 1] = (double)(value[i] & 0xffffffff);
  }
  PetscCall(ScoriaStorePutReals(store, name, 1, &(const int64_t){2 * n}, half, "", "high and low half of integers"));
  PetscCall(PetscFree(half));
  PetscFunctionReturn(0);
}

PetscErrorCode UqGetIntegers(ScoriaStore store, const char *name, int64_t n, int64_t value[])
{
  double *half;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(2 * n, &half));
  PetscCall(ScoriaStoreGetReals(store, name, 2 * n, half));
  for (int64_t i = 0; i < n; i++) value[i] = (int64_t)half[2 * i] * ((int64_t)1 << 32) + (int64_t)half[2 * i + 1];
  PetscCall(PetscFree(half));
  PetscFunctionReturn(0);
}

/* Sums of one model must not go on with samples of another, nor at other conditions. */
PetscErrorCode UqCheckMade(ScoriaRun run, ScoriaDeck deck, const char *path, ScoriaStore store)
{
  const char *file = NULL;
  ScoriaMadeFrom made;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreMadeFrom(store, &made));
  PetscCall(ScoriaChainCheck(run, path, &made));
  PetscCall(ScoriaChainCheckLibrary(run, deck, path, &made));
  PetscCall(ScoriaDeckString(deck, "uq_conditions", &file));
  if (file) PetscCall(ScoriaChainCheckFile(run, path, &made, file));
  PetscFunctionReturn(0);
}

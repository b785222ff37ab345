/* The fields of compare: how they are numbered, drawn and gathered. */
#include "compare.h"
#include <stdio.h>

const ScoriaDraws compare_numbers[SCORIA_NFROM] = {[SCORIA_FROM_PDE]       = SCORIA_DRAWS_HELDOUT,
                                                   [SCORIA_FROM_PDE_AGAIN] = SCORIA_DRAWS_HELDOUT_AGAIN,
                                                   [SCORIA_FROM_MODEL]     = SCORIA_DRAWS_COMPARED,
                                                   [SCORIA_FROM_GAUSSIAN]  = SCORIA_DRAWS_GAUSSIAN};

PetscErrorCode CompareDrawsCreate(ScoriaRun run, const ScoriaSource source[SCORIA_NFROM], int64_t count,
                                  CompareDraws *draws)
{
  const ScoriaFieldShape *shape = source_shape(source[SCORIA_FROM_MODEL]);
  PetscFunctionBeginUser;
  *draws           = (CompareDraws){.comm = ScoriaRunComm(run), .m = shape->channels * shape->cells};
  const size_t all = (size_t)count * (size_t)draws->m;
  PetscCallMPI(MPI_Comm_rank(draws->comm, &draws->rank));
  PetscCallMPI(MPI_Comm_size(draws->comm, &draws->size));
  snprintf(draws->kept, sizeof draws->kept, "the comparison restarts from the beginning");
  size_t share = 0; /* of as many conditions as there are workers, or all of one */
  for (int s = 0; s < SCORIA_NFROM; s++) {
    const bool solves = s == SCORIA_FROM_PDE || s == SCORIA_FROM_PDE_AGAIN;
    draws->source[s] = draws->timed[s] = source[s];
    draws->pace[s]                     = solves ? (ScoriaPace){.run = run, .step = 1, .most = 1024}
                                                : (ScoriaPace){.run = run, .step = 256, .most = 1 << 16};
    PetscCall(PetscMalloc1(all, &draws->gathered[s]));
    const int64_t workers = source_workers(source[s])->all.workers;
    share                 = PetscMax(share, (size_t)(workers * ((count + workers - 1) / workers)));
  }
  PetscCall(PetscMalloc1(share * (size_t)draws->m, &draws->share));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareDrawsDestroy(CompareDraws *draws)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(draws->share));
  for (int s = 0; s < SCORIA_NFROM; s++) PetscCall(PetscFree(draws->gathered[s]));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareFields(CompareDraws *draws, int index, int k, const double theta[][SCORIA_MAX_CONDITIONS],
                             ScoriaFrom from, int64_t count, double all[])
{
  const int most = source_workers(draws->source[from])->all.workers;
  uint64_t *first;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(k, &first));
  for (int j = 0; j < k; j++) first[j] = draw_number(compare_numbers[from], index + j, 0);
  for (int j = 0; j < k; j += most)
    PetscCall(ScoriaSourceGather(draws->source[from], &draws->pace[from], draws->kept, PetscMin(most, k - j), theta + j,
                                 first + j, count, j, draws->share, all));
  PetscCall(PetscFree(first));
  PetscFunctionReturn(0);
}

/* Where the fields of compare come from: PDE ensembles of held-out porosities, and samples of the model. */
#include "compare.h"
#include <string.h>

/* Fields [first, first + number) of a PDE ensemble at theta into out (number, C, L); failed rows are NaN. */
static PetscErrorCode SolveShare(Comparer *cmp, const ComparisonSet *set, int condition, int again,
                                 const double theta[], int64_t first, int64_t number, double out[])
{
  const int width = set->space->n;
  double thetas[COMPARE_CHUNK * SCORIA_MAX_CONDITIONS];
  uint64_t id[COMPARE_CHUNK];
  PetscFunctionBeginUser;
  for (int64_t base = 0; base < number; base += COMPARE_CHUNK) {
    const int64_t n = PetscMin(COMPARE_CHUNK, number - base);
    for (int64_t i = 0; i < n; i++) {
      memcpy(thetas + i * width, theta, (size_t)width * sizeof(double));
      id[i] = ensemble_heldout_id(set->first + condition, again, first + base + i);
    }
    PetscCall(ScoriaEnsembleCompute(cmp->ens, n, thetas, id, NULL, &cmp->rows));
    for (int64_t i = 0; i < n; i++)
      for (int c = 0; c < set->channels; c++)
        memcpy(out + ((base + i) * set->channels + c) * set->cells, cmp->rows.field[c] + i * set->cells,
               (size_t)set->cells * sizeof(double));
  }
  PetscFunctionReturn(0);
}

/* This rank's share of a source.  PDE fields are dealt to groups, samples to ranks. */
static PetscErrorCode FillShare(Comparer *cmp, ComparisonSet *set, int condition, const double theta[], int source,
                                int64_t count, int64_t *number)
{
  const ScoriaGroups *groups = ScoriaEnsembleGroups(cmp->ens);
  const bool pde             = source == FROM_PDE || source == FROM_PDE_AGAIN;
  int64_t first;
  PetscFunctionBeginUser;
  deal_block(count, pde ? groups->index : cmp->rank, pde ? groups->count : cmp->size, &first, number);
  if (pde)
    PetscCall(SolveShare(cmp, set, condition, source == FROM_PDE_AGAIN, theta, first, *number, cmp->share));
  else {
    const uint64_t id = (uint64_t)(set->first + condition) * (uint64_t)set->count + (uint64_t)first;
    PetscCall(ScoriaModelSample(cmp->model, &cmp->twin, &cmp->sampler, theta, id, *number, source == FROM_GAUSSIAN,
                                cmp->share));
  }
  if (pde && groups->group_rank) *number = 0; /* the leader hands in its group's fields */
  PetscFunctionReturn(0);
}

/* The owner of a condition gets all its fields, in row order, whoever made them. */
static PetscErrorCode GatherShare(Comparer *cmp, int owner, int64_t number, double all[])
{
  int mine = (int)number, *counts, *starts;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(cmp->size, &counts, cmp->size, &starts));
  PetscCallMPI(MPI_Allgather(&mine, 1, MPI_INT, counts, 1, MPI_INT, cmp->comm));
  for (int r = 0, at = 0; r < cmp->size; at += counts[r++]) starts[r] = at;
  PetscCallMPI(MPI_Gatherv(cmp->share, mine, cmp->row_type, all, counts, starts, cmp->row_type, owner, cmp->comm));
  PetscCall(PetscFree2(counts, starts));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareFields(Comparer *cmp, ComparisonSet *set, int condition, const double theta[], int source,
                             int64_t count, int owner, double all[])
{
  const double start = wall_seconds();
  int64_t number;
  PetscFunctionBeginUser;
  PetscCall(FillShare(cmp, set, condition, theta, source, count, &number));
  set->seconds[source] += wall_seconds() - start;
  PetscCall(GatherShare(cmp, owner, number, all));
  PetscFunctionReturn(0);
}

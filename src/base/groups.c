/* Rank groups: consecutive ranks share a solve; items are dealt in nearly equal contiguous blocks. */
#include "scoria/base.h"

PetscErrorCode ScoriaGroupsCreate(MPI_Comm comm, PetscInt group_size, ScoriaGroups *groups)
{
  PetscFunctionBeginUser;
  groups->comm = comm;
  PetscCallMPI(MPI_Comm_rank(comm, &groups->rank));
  PetscCallMPI(MPI_Comm_size(comm, &groups->size));
  groups->asked_size = (int)PetscMax(group_size, 1);
  groups->full_size  = PetscMin(groups->asked_size, groups->size);
  groups->index      = groups->rank / groups->full_size;
  groups->count      = groups->size / groups->full_size;
  PetscCallMPI(MPI_Comm_split(comm, groups->index, groups->rank, &groups->group));
  PetscCallMPI(MPI_Comm_rank(groups->group, &groups->group_rank));
  PetscCallMPI(MPI_Comm_size(groups->group, &groups->group_size));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaGroupsDestroy(ScoriaGroups *groups)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_free(&groups->group));
  PetscFunctionReturn(0);
}

bool groups_leads(const ScoriaGroups *groups)
{
  return groups->group_rank == 0 && groups->index < groups->count;
}

void deal_block(int64_t n, int index, int count, int64_t *first, int64_t *number)
{
  const int64_t share = n / count, more = n % count;
  *first  = share * index + (index < more ? index : more);
  *number = index < count ? share + (index < more ? 1 : 0) : 0;
}

/* Collectives on more items than MPI counts: piece by piece. */
#include "scoria/base.h"
#include "many.h"

int64_t many_most = (int64_t)1 << 28;

/* The piece that begins with item `at`, and its number of items. */
static void *piece(void *data, MPI_Aint size, int64_t at, int64_t n, int *number)
{
  *number = (int)PetscMin(n - at, many_most);
  return (char *)data + at * size;
}

PetscErrorCode ScoriaBroadcastMany(MPI_Comm comm, int root, int64_t n, MPI_Datatype type, void *data)
{
  MPI_Aint low, size;
  int number;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Type_get_extent(type, &low, &size));
  for (int64_t at = 0; at < n; at += number) {
    void *from = piece(data, size, at, n, &number);
    PetscCallMPI(MPI_Bcast(from, number, type, root, comm));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaReduceMany(MPI_Comm comm, MPI_Op op, int64_t n, MPI_Datatype type, void *data)
{
  MPI_Aint low, size;
  int number;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Type_get_extent(type, &low, &size));
  for (int64_t at = 0; at < n; at += number) {
    void *from = piece(data, size, at, n, &number);
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, from, number, type, op, comm));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaReduceManyTo(MPI_Comm comm, int root, MPI_Op op, int64_t n, MPI_Datatype type, void *data)
{
  MPI_Aint low, size;
  int number, rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Type_get_extent(type, &low, &size));
  for (int64_t at = 0; at < n; at += number) {
    void *from = piece(data, size, at, n, &number);
    PetscCallMPI(MPI_Reduce(rank == root ? MPI_IN_PLACE : from, from, number, type, op, root, comm));
  }
  PetscFunctionReturn(0);
}

/* The few smallest of many values that lie on all ranks: every rank keeps a list of its own, and lists are merged on
 * their way to the root, so that no rank ever holds more than two. */
#include "scoria/stats.h"
#include <math.h>
#include <string.h>

typedef struct {
  double value;
  int64_t item;
} Entry;

static bool before(const Entry *a, const Entry *b)
{
  return a->value < b->value || (a->value <= b->value && a->item < b->item);
}

/* Puts e in its place in a sorted list of k, whose last falls out. */
static void insert(int64_t k, Entry list[], Entry e)
{
  int64_t lo = 0, hi = k;
  if (!before(&e, &list[k - 1])) return;
  while (lo < hi) {
    const int64_t middle = lo + (hi - lo) / 2;
    if (before(&e, &list[middle]))
      hi = middle;
    else
      lo = middle + 1;
  }
  memmove(list + lo + 1, list + lo, (size_t)(k - 1 - lo) * sizeof *list);
  list[lo] = e;
}

/* The k first of two lists, in place of the second. */
static void merge(void *in, void *in_out, int *number, MPI_Datatype *type)
{
  int size;
  MPI_Type_size(*type, &size);
  const int64_t k = size / (int)sizeof(Entry);
  for (int64_t i = 0; i < *number; i++)
    for (int64_t j = 0; j < k; j++) insert(k, (Entry *)in_out + i * k, ((const Entry *)in)[i * k + j]);
}

PetscErrorCode ScoriaSmallest(MPI_Comm comm, int64_t first, int64_t n, const double value[], int k, int root,
                              int64_t item[])
{
  Entry *list, *all;
  MPI_Datatype type;
  MPI_Op op;
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PetscMalloc2(k, &list, k, &all));
  for (int i = 0; i < k; i++) list[i] = (Entry){INFINITY, INT64_MAX};
  for (int64_t i = 0; i < n; i++) insert(k, list, (Entry){value[i], first + i});
  PetscCallMPI(MPI_Type_contiguous(k * (int)sizeof(Entry), MPI_BYTE, &type));
  PetscCallMPI(MPI_Type_commit(&type));
  PetscCallMPI(MPI_Op_create(merge, 1, &op));
  PetscCallMPI(MPI_Reduce(list, all, 1, type, op, root, comm));
  PetscCallMPI(MPI_Op_free(&op));
  PetscCallMPI(MPI_Type_free(&type));
  for (int i = 0; i < k && rank == root; i++) item[i] = all[i].item;
  PetscCall(PetscFree2(list, all));
  PetscFunctionReturn(0);
}

/* Sorting what lies on all ranks: Batcher's merge exchange (Knuth, The Art of Computer Programming 3, 5.2.2, algorithm
 * M), whose comparisons of two items are merges of the sorted blocks of two ranks here.  Every rank holds its block and
 * two more, whatever the items are. */
#include "scoria/base.h"
#include <stdlib.h>
#include <string.h>

typedef int (*Compare)(const void *, const void *);

typedef struct {
  MPI_Comm comm;
  MPI_Datatype item;
  size_t size;
  int64_t n;
  char *items, *theirs, *kept;
  Compare compare;
} Sort;

/* The n first of both blocks, or the n last. */
static void keep(const Sort *s, bool low)
{
  const int64_t step = low ? 1 : -1;
  int64_t mine = low ? 0 : s->n - 1, theirs = mine;
  for (int64_t i = 0, to = mine; i < s->n; i++, to += step) {
    const char *a = s->items + mine * (int64_t)s->size, *b = s->theirs + theirs * (int64_t)s->size;
    const int order = s->compare(a, b);
    const bool ours = low ? order <= 0 : order >= 0;
    memcpy(s->kept + to * (int64_t)s->size, ours ? a : b, s->size);
    *(ours ? &mine : &theirs) += step;
  }
  memcpy(s->items, s->kept, (size_t)s->n * s->size);
}

/* With another rank, of which the lower one keeps the low half of both blocks. */
static PetscErrorCode MergeWith(const Sort *s, int other, bool low)
{
  const int n      = (int)s->n;
  const char *edge = s->items + (low ? s->n - 1 : 0) * (int64_t)s->size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Sendrecv(edge, 1, s->item, other, 0, s->theirs, 1, s->item, other, 0, s->comm, MPI_STATUS_IGNORE));
  const int order = s->compare(edge, s->theirs);
  if (low ? order <= 0 : order >= 0) PetscFunctionReturn(0); /* they are in order; the other finds the same */
  PetscCallMPI(
      MPI_Sendrecv(s->items, n, s->item, other, 1, s->theirs, n, s->item, other, 1, s->comm, MPI_STATUS_IGNORE));
  keep(s, low);
  PetscFunctionReturn(0);
}

/* The comparisons of one step of the network, of which a rank takes part in one at most. */
static PetscErrorCode Step(const Sort *s, int rank, int ranks, int p, int r, int d)
{
  PetscFunctionBeginUser;
  if ((rank & p) == r && rank + d < ranks)
    PetscCall(MergeWith(s, rank + d, true));
  else if (rank >= d && ((rank - d) & p) == r)
    PetscCall(MergeWith(s, rank - d, false));
  PetscFunctionReturn(0);
}

/* Often they are, and qsort would move them all the same. */
static bool in_order(const Sort *s)
{
  int64_t i = 1;
  while (i < s->n && s->compare(s->items + (i - 1) * (int64_t)s->size, s->items + i * (int64_t)s->size) <= 0) i++;
  return i >= s->n;
}

PetscErrorCode ScoriaSortRanks(MPI_Comm comm, int64_t n, size_t size, void *items, Compare compare)
{
  Sort s = {.comm = comm, .size = size, .n = n, .items = items, .compare = compare};
  int rank, ranks, top = 1;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  if (!in_order(&s)) qsort(items, (size_t)n, size, compare);
  if (ranks == 1 || !n) PetscFunctionReturn(0);
  PetscCheck(n <= INT32_MAX, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "%lld items on a rank", (long long)n);
  PetscCall(PetscMalloc2((size_t)n * size, &s.theirs, (size_t)n * size, &s.kept));
  PetscCallMPI(MPI_Type_contiguous((int)size, MPI_BYTE, &s.item));
  PetscCallMPI(MPI_Type_commit(&s.item));
  while (2 * top < ranks) top *= 2;
  for (int p = top; p > 0; p /= 2) {
    PetscCall(Step(&s, rank, ranks, p, 0, p));
    for (int q = top; q != p; q /= 2) PetscCall(Step(&s, rank, ranks, p, p, q - p));
  }
  PetscCallMPI(MPI_Type_free(&s.item));
  PetscCall(PetscFree2(s.theirs, s.kept));
  PetscFunctionReturn(0);
}

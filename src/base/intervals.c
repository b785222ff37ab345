/* Sets of row numbers as sorted intervals.  A set that grows from the front, or in a few places, is a few intervals
 * whatever the number of rows; what is kept of it is 16 bytes an interval. */
#include "scoria/base.h"
#include <string.h>

/* The first interval that ends behind `row`; n where there is none. */
static int64_t find(const ScoriaIntervals *set, int64_t row)
{
  int64_t lo = 0, hi = set->n;
  while (lo < hi) {
    const int64_t middle = lo + (hi - lo) / 2;
    if (set->at[middle].end > row)
      hi = middle;
    else
      lo = middle + 1;
  }
  return lo;
}

static PetscErrorCode Reserve(ScoriaIntervals *set, int64_t n)
{
  PetscFunctionBeginUser;
  if (n <= set->room) PetscFunctionReturn(0);
  set->room = PetscMax(n, 2 * set->room + 16);
  PetscCall(PetscRealloc((size_t)set->room * sizeof *set->at, &set->at));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaIntervalsAdd(ScoriaIntervals *set, int64_t first, int64_t end)
{
  PetscFunctionBeginUser;
  if (first >= end) PetscFunctionReturn(0);
  const int64_t from = find(set, first - 1); /* one that ends at `first` is taken in too */
  int64_t to         = from;
  PetscCall(Reserve(set, set->n + 1));
  for (; to < set->n && set->at[to].first <= end; to++) {
    first = PetscMin(first, set->at[to].first);
    end   = PetscMax(end, set->at[to].end);
  }
  memmove(set->at + from + 1, set->at + to, (size_t)(set->n - to) * sizeof *set->at);
  set->n += 1 - (to - from);
  set->at[from] = (ScoriaInterval){first, end};
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaIntervalsShare(MPI_Comm comm, ScoriaIntervals *set)
{
  int mine, size, all = 0, *count, *start;
  ScoriaInterval *found;
  MPI_Datatype pair;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCheck(set->n < PETSC_MPI_INT_MAX, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "%lld intervals",
             (long long)set->n);
  mine = (int)set->n;
  PetscCall(PetscMalloc2(size, &count, size, &start));
  PetscCallMPI(MPI_Allgather(&mine, 1, MPI_INT, count, 1, MPI_INT, comm));
  for (int r = 0; r < size; all += count[r++]) start[r] = all;
  PetscCall(PetscMalloc1(all + 1, &found));
  PetscCallMPI(MPI_Type_contiguous(2, MPI_INT64_T, &pair));
  PetscCallMPI(MPI_Type_commit(&pair));
  PetscCallMPI(MPI_Allgatherv(set->at, mine, pair, found, count, start, pair, comm));
  PetscCallMPI(MPI_Type_free(&pair));
  set->n = 0;
  for (int i = 0; i < all; i++) PetscCall(ScoriaIntervalsAdd(set, found[i].first, found[i].end));
  PetscCall(PetscFree(found));
  PetscCall(PetscFree2(count, start));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaIntervalsDestroy(ScoriaIntervals *set)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(set->at));
  *set = (ScoriaIntervals){0};
  PetscFunctionReturn(0);
}

int64_t intervals_count(const ScoriaIntervals *set, int64_t first, int64_t end)
{
  int64_t count = 0;
  for (int64_t i = find(set, first); i < set->n && set->at[i].first < end; i++)
    count += PetscMin(set->at[i].end, end) - PetscMax(set->at[i].first, first);
  return count;
}

void intervals_gap(const ScoriaIntervals *set, int64_t *first, int64_t *end)
{
  int64_t i = find(set, *first);
  if (i < set->n && set->at[i].first <= *first) *first = set->at[i++].end;
  if (i < set->n) *end = PetscMin(*end, set->at[i].first);
  *end = PetscMax(*end, *first);
}

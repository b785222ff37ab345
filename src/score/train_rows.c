/* The rank that needs rows names them to the ranks that have them, and these answer: three exchanges for however many
 * rows, so that one call serves many steps. */
#include "train_rows.h"
#include <limits.h>
#include <string.h>

typedef struct {
  int size;
  int *wanted, *wanted_at;  /* owned (size): rows that this rank wants of every other, and where they begin */
  int *asked, *asked_at;    /* owned (size): rows that others want of this one */
  int64_t *names;           /* owned: rows wanted, in order of their ranks */
  int64_t *place;           /* owned: their places in the caller's list */
  int64_t *requests;        /* owned: rows asked for */
  float *replies, *answers; /* owned: what comes, what goes */
} Exchange;

/* The rank that has a row: the last whose rows begin at or before it. */
static int owner(const int64_t start[], int size, int64_t row)
{
  int low = 0, high = size - 1;
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (start[middle] <= row)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

static int accumulate(int n, const int count[], int at[])
{
  int sum = 0;
  for (int i = 0; i < n; i++) {
    at[i] = sum;
    sum += count[i];
  }
  return sum;
}

static void copy_row(const TrainData *data, int r, int d, int64_t row, float to[])
{
  memcpy(to, data->y + row * r, sizeof(float) * (size_t)r);
  if (d) memcpy(to + r, data->u + (int64_t)data->condition[row] * d, sizeof(float) * (size_t)d);
}

/* Sorts the rows wanted by their owners and tells these how many there are. */
static PetscErrorCode Ask(MPI_Comm comm, const TrainData *data, int width, int64_t n, const int64_t row[], Exchange *x)
{
  int *next;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(comm, &x->size));
  PetscCheck(n <= INT_MAX, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "%lld rows at once", (long long)n);
  PetscCall(PetscCalloc4(x->size, &x->wanted, x->size, &x->wanted_at, x->size, &x->asked, x->size, &x->asked_at));
  PetscCall(PetscMalloc3(n, &x->names, n, &x->place, (size_t)n * (size_t)width, &x->replies));
  PetscCall(PetscMalloc1(x->size, &next));
  for (int64_t i = 0; i < n; i++) x->wanted[owner(data->start, x->size, row[i])]++;
  (void)accumulate(x->size, x->wanted, x->wanted_at);
  PetscCall(PetscArraycpy(next, x->wanted_at, x->size));
  for (int64_t i = 0; i < n; i++) {
    const int k = owner(data->start, x->size, row[i]), at = next[k]++;
    x->names[at] = row[i] - data->start[k];
    x->place[at] = i;
  }
  PetscCallMPI(MPI_Alltoall(x->wanted, 1, MPI_INT, x->asked, 1, MPI_INT, comm));
  const int asked = accumulate(x->size, x->asked, x->asked_at);
  PetscCall(PetscMalloc2(asked, &x->requests, (size_t)asked * (size_t)width, &x->answers));
  PetscCallMPI(MPI_Alltoallv(x->names, x->wanted, x->wanted_at, MPI_INT64_T, x->requests, x->asked, x->asked_at,
                             MPI_INT64_T, comm));
  PetscCall(PetscFree(next));
  PetscFunctionReturn(0);
}

static PetscErrorCode Answer(MPI_Comm comm, const TrainData *data, int r, int d, Exchange *x)
{
  const int asked = x->asked_at[x->size - 1] + x->asked[x->size - 1];
  MPI_Datatype record;
  PetscFunctionBeginUser;
  for (int i = 0; i < asked; i++) copy_row(data, r, d, x->requests[i], x->answers + (size_t)i * (size_t)(r + d));
  PetscCallMPI(MPI_Type_contiguous(r + d, MPI_FLOAT, &record));
  PetscCallMPI(MPI_Type_commit(&record));
  PetscCallMPI(
      MPI_Alltoallv(x->answers, x->asked, x->asked_at, record, x->replies, x->wanted, x->wanted_at, record, comm));
  PetscCallMPI(MPI_Type_free(&record));
  PetscFunctionReturn(0);
}

PetscErrorCode TrainRowsFetch(MPI_Comm comm, const TrainData *data, int r, int d, int64_t n, const int64_t row[],
                              float out[])
{
  const size_t width = (size_t)(r + d);
  Exchange x         = {0};
  PetscFunctionBeginUser;
  if (!data->start) {
    for (int64_t i = 0; i < n; i++) copy_row(data, r, d, row[i], out + (size_t)i * width);
    PetscFunctionReturn(0);
  }
  PetscCall(Ask(comm, data, r + d, n, row, &x));
  PetscCall(Answer(comm, data, r, d, &x));
  for (int64_t i = 0; i < n; i++)
    memcpy(out + (size_t)x.place[i] * width, x.replies + (size_t)i * width, width * sizeof(float));
  PetscCall(PetscFree2(x.requests, x.answers));
  PetscCall(PetscFree3(x.names, x.place, x.replies));
  PetscCall(PetscFree4(x.wanted, x.wanted_at, x.asked, x.asked_at));
  PetscFunctionReturn(0);
}

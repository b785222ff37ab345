/* What the learned coordinates carry of the fields.  A unit step of coordinate k from the centre changes a value j by
 * d_jk, whose squares over all R coordinates are the variance of the value, to first order: the share of k is the mean
 * over values of d_jk^2 / sum_l d_jl^2.  Of modes of profiles the first carries most, the twelfth next to nothing.
 *
 * Coordinates are dealt to the ranks in rounds, one to each; every sum is taken in the order of the coordinates, or of
 * the values, by one rank: the same bits on any number of them. */
#include "train_shares.h"
#include "scoria/base.h"
#include <math.h>

typedef struct {
  MPI_Comm comm;
  int rank, size, R;
  int64_t values;
  double *y, *fields, *square, *total; /* (2 R), (2 values), (values), (values) */
  double *arrived;                     /* (size, part of a rank): squares of its values, of a round's coordinates */
  int *counts;                         /* (4, size): of parts, their firsts; of what arrives, its firsts */
} Shares;

static PetscErrorCode Create(ScoriaNormaliser norm, MPI_Comm comm, Shares *s)
{
  int C, L;
  PetscFunctionBeginUser;
  *s = (Shares){.comm = comm};
  PetscCallMPI(MPI_Comm_rank(comm, &s->rank));
  PetscCallMPI(MPI_Comm_size(comm, &s->size));
  PetscCall(ScoriaNormaliserSizes(norm, &C, &L, NULL, &s->R));
  s->values = (int64_t)C * L;
  PetscCall(PetscMalloc1(4 * s->size, &s->counts));
  for (int r = 0; r < s->size; r++) {
    s->counts[s->size + r] = (int)(s->values * r / s->size);
    s->counts[r]           = (int)(s->values * (r + 1) / s->size) - s->counts[s->size + r];
  }
  const int part = s->counts[s->rank];
  for (int r = 0; r < s->size; r++) {
    s->counts[2 * s->size + r] = part;
    s->counts[3 * s->size + r] = part * r;
  }
  PetscCall(PetscCalloc5(2 * s->R, &s->y, 2 * s->values, &s->fields, s->values, &s->square, s->values, &s->total,
                         (int64_t)s->size * part, &s->arrived));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(Shares *s)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree5(s->y, s->fields, s->square, s->total, s->arrived));
  PetscCall(PetscFree(s->counts));
  PetscFunctionReturn(0);
}

/* Squared differences of fields half a step to either side in coordinate k; 0 beyond the last. */
static void step(ScoriaNormaliser norm, Shares *s, int k)
{
  for (int i = 0; i < 2 * s->R; i++) s->y[i] = 0;
  for (int64_t j = 0; j < s->values && k >= s->R; j++) s->square[j] = 0;
  if (k >= s->R) return;
  s->y[k]        = 0.5;
  s->y[s->R + k] = -0.5;
  normaliser_decode(norm, 2, s->y, s->fields);
  for (int64_t j = 0; j < s->values; j++)
    s->square[j] = (s->fields[j] - s->fields[s->values + j]) * (s->fields[j] - s->fields[s->values + j]);
}

/* The sums over all coordinates, to every rank. */
static PetscErrorCode Total(ScoriaNormaliser norm, Shares *s)
{
  const int *counts = s->counts, n = s->size, part = counts[s->rank], first = counts[n + s->rank];
  PetscFunctionBeginUser;
  for (int k = 0; k < s->R; k += n) {
    step(norm, s, k + s->rank);
    PetscCallMPI(MPI_Alltoallv(s->square, counts, counts + n, MPI_DOUBLE, s->arrived, counts + 2 * n, counts + 3 * n,
                               MPI_DOUBLE, s->comm));
    for (int r = 0; r < n && k + r < s->R; r++)
      for (int j = 0; j < part; j++) s->total[first + j] += s->arrived[r * part + j];
  }
  PetscCallMPI(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, s->total, counts, counts + n, MPI_DOUBLE, s->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode CoordinateShares(ScoriaNormaliser norm, const ScoriaTwin *twin, MPI_Comm comm, const double theta[],
                                double share[])
{
  Shares s;
  int r;
  PetscFunctionBeginUser;
  PetscCall(ScoriaNormaliserAt(norm, twin, theta));
  PetscCall(ScoriaNormaliserSizes(norm, NULL, NULL, &r, NULL));
  PetscCall(Create(norm, comm, &s));
  PetscCall(Total(norm, &s));
  for (int k = 0; k < r; k++) {
    share[k] = 0;
    if (k % s.size != s.rank) continue;
    step(norm, &s, k);
    for (int64_t j = 0; j < s.values; j++) share[k] += s.total[j] > 0 ? s.square[j] / s.total[j] / (double)s.values : 0;
  }
  /* bits, of which every double has one writer */
  if (s.size > 1) PetscCall(ScoriaReduceMany(comm, MPI_BOR, r, MPI_UINT64_T, share));
  PetscCall(Destroy(&s));
  PetscFunctionReturn(0);
}

PetscErrorCode CoordinateWeights(ScoriaNormaliser norm, const ScoriaTwin *twin, MPI_Comm comm, const double theta[],
                                 double power, float **weight)
{
  double *share, sum = 0;
  int r;
  PetscFunctionBeginUser;
  PetscCall(ScoriaNormaliserSizes(norm, NULL, NULL, &r, NULL));
  PetscCall(PetscMalloc1(r, &share));
  PetscCall(PetscMalloc1(r, weight));
  PetscCall(CoordinateShares(norm, twin, comm, theta, share));
  for (int k = 0; k < r; k++) sum += pow(share[k], power) / r;
  for (int k = 0; k < r; k++) (*weight)[k] = sum > 0 ? (float)(pow(share[k], power) / sum) : 1;
  PetscCall(PetscFree(share));
  PetscFunctionReturn(0);
}

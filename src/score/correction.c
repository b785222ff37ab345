/* A correction of cheap rows once it is fitted (correction_fit.c): shared with all ranks, and applied. */
#include "correction.h"
#include "scoria/linalg.h"

/* Room on the other ranks for what rank 0 has. */
static PetscErrorCode Allocate(Correction *c)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)c->places * (size_t)PetscMax(c->modes, 1), &c->V));
  PetscCall(PetscMalloc1(c->places, &c->centre));
  PetscCall(PetscMalloc1((size_t)c->terms * (size_t)c->width, &c->B));
  PetscCall(PetscMalloc1(c->kept * c->width, &c->residual));
  PetscFunctionReturn(0);
}

static PetscErrorCode ShareProfiles(MPI_Comm comm, int rank, Correction *c)
{
  PetscFunctionBeginUser;
  if (rank) PetscCall(Allocate(c));
  PetscCall(ScoriaBroadcastMany(comm, 0, (int64_t)c->places * c->modes, MPI_DOUBLE, c->V));
  PetscCallMPI(MPI_Bcast(c->centre, c->places, MPI_DOUBLE, 0, comm));
  PetscCall(ScoriaBroadcastMany(comm, 0, (int64_t)c->terms * c->width, MPI_DOUBLE, c->B));
  PetscCall(ScoriaBroadcastMany(comm, 0, c->kept * c->width, MPI_DOUBLE, c->residual));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCorrectionShare(MPI_Comm comm, ScoriaCorrection *correction)
{
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank) PetscCall(PetscNew(correction));
  Correction *c = *correction;
  PetscCallMPI(MPI_Bcast(c, sizeof *c, MPI_BYTE, 0, comm)); /* its numbers; the pointers are rank 0's */
  if (rank) {
    PetscCall(PetscMalloc1(c->poly.terms * PetscMax(c->d, 1), &c->poly.power));
    PetscCall(PetscMalloc1(c->kept * PetscMax(c->d, 1), &c->u));
  }
  PetscCallMPI(MPI_Bcast(c->poly.power, c->poly.terms * PetscMax(c->d, 1), MPI_INT, 0, comm));
  PetscCall(ScoriaBroadcastMany(comm, 0, c->kept * c->d, MPI_DOUBLE, c->u));
  PetscCall(c->of_waves ? CorrectionWavesShare(comm, c) : ShareProfiles(comm, rank, c));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCorrectionDestroy(ScoriaCorrection *correction)
{
  Correction *c = *correction;
  PetscFunctionBeginUser;
  if (!c) PetscFunctionReturn(0);
  PetscCall(NormPolyDestroy(&c->poly));
  PetscCall(PetscFree(c->V));
  PetscCall(PetscFree(c->centre));
  PetscCall(PetscFree(c->B));
  PetscCall(PetscFree(c->u));
  PetscCall(PetscFree(c->residual));
  PetscCall(CorrectionWavesDestroy(&c->of_waves));
  PetscCall(PetscFree(*correction));
  PetscFunctionReturn(0);
}

ScoriaCorrectionChoice correction_choice(ScoriaCorrection c)
{
  return c->chosen;
}

int correction_work(ScoriaCorrection c)
{
  return c->of_waves ? correction_waves_work(c) : c->terms + c->places;
}

int correction_near(ScoriaCorrection c, const double u[], int64_t near[CORRECTION_NEAR])
{
  double distance[CORRECTION_NEAR];
  int n = 0;
  for (int64_t i = 0; i < c->kept; i++) {
    double sum = 0;
    for (int j = 0; j < c->d; j++) sum += (c->u[i * c->d + j] - u[j]) * (c->u[i * c->d + j] - u[j]);
    if (n == CORRECTION_NEAR && !(sum < distance[n - 1])) continue;
    int at = n < CORRECTION_NEAR ? n++ : n - 1;
    for (; at > 0 && distance[at - 1] > sum; at--) {
      distance[at] = distance[at - 1];
      near[at]     = near[at - 1];
    }
    distance[at] = sum;
    near[at]     = i;
  }
  return n;
}

void correction_apply(ScoriaCorrection c, const double u[], int nnear, const int64_t near[], uint64_t seed,
                      uint64_t number, const double z[], double work[], double y[])
{
  uint32_t bits[4];
  rng_block(seed, SCORIA_STREAM_PAIR, number, 1, bits);
  const int64_t pair = near[bits[0] % (uint32_t)nnear];
  if (c->of_waves) {
    correction_waves_apply(c, u, c->of_waves->rest + pair * c->width, bits, z, work, y);
    return;
  }
  correction_terms(c, u, z, work + c->terms, work);
  la_rows_product(1, c->terms, c->width, work, c->B, c->residual + pair * c->width, y);
}

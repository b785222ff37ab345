/* A correction of cheap rows once it is fitted (correction_fit.c): shared with all ranks, and applied. */
#include "correction.h"
#include "scoria/linalg.h"

void correction_terms(const Correction *c, const double u[], const double z[], double picked[], double x[])
{
  for (int i = 0; i < c->places; i++) picked[i] = z[(size_t)i * (size_t)c->stride] - c->centre[i];
  norm_poly_values(&c->poly, u, x);
  double *a = x + c->polynomials;
  la_rows_product(1, c->places, c->modes, picked, c->V, NULL, a);
  double *product = a + c->modes;
  for (int k = 0; k < c->modes; k++)
    for (int j = 0; j < c->d; j++) *product++ = a[k] * u[j];
}

/* Room on the other ranks for what rank 0 has. */
static PetscErrorCode Allocate(Correction *c)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(c->poly.terms * PetscMax(c->d, 1), &c->poly.power));
  PetscCall(PetscMalloc1((size_t)c->places * (size_t)PetscMax(c->modes, 1), &c->V));
  PetscCall(PetscMalloc1(c->places, &c->centre));
  PetscCall(PetscMalloc1((size_t)c->terms * (size_t)c->width, &c->B));
  PetscCall(PetscMalloc2(c->chosen.pairs * PetscMax(c->d, 1), &c->u, c->chosen.pairs * c->width, &c->residual));
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
  if (rank) PetscCall(Allocate(c));
  PetscCallMPI(MPI_Bcast(c->poly.power, c->poly.terms * PetscMax(c->d, 1), MPI_INT, 0, comm));
  PetscCall(ScoriaBroadcastMany(comm, 0, (int64_t)c->places * c->modes, MPI_DOUBLE, c->V));
  PetscCallMPI(MPI_Bcast(c->centre, c->places, MPI_DOUBLE, 0, comm));
  PetscCall(ScoriaBroadcastMany(comm, 0, (int64_t)c->terms * c->width, MPI_DOUBLE, c->B));
  PetscCall(ScoriaBroadcastMany(comm, 0, c->chosen.pairs * c->d, MPI_DOUBLE, c->u));
  PetscCall(ScoriaBroadcastMany(comm, 0, c->chosen.pairs * c->width, MPI_DOUBLE, c->residual));
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
  PetscCall(PetscFree2(c->u, c->residual));
  PetscCall(PetscFree(*correction));
  PetscFunctionReturn(0);
}

ScoriaCorrectionChoice correction_choice(ScoriaCorrection c)
{
  return c->chosen;
}

int correction_work(ScoriaCorrection c)
{
  return c->terms + c->places;
}

int correction_near(ScoriaCorrection c, const double u[], int64_t near[CORRECTION_NEAR])
{
  double distance[CORRECTION_NEAR];
  int n = 0;
  for (int64_t i = 0; i < c->chosen.pairs; i++) {
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
  const double *residual = c->residual + near[bits[0] % (uint32_t)nnear] * c->width;
  correction_terms(c, u, z, work + c->terms, work);
  la_rows_product(1, c->terms, c->width, work, c->B, residual, y);
}

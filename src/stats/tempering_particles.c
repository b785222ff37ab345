/* Particles of a tempering: which rank has which, their likelihoods, and the random numbers of their moves. */
#include "tempering.h"
#include <math.h>

void tempering_block(ScoriaTempering t, int rank, int64_t *first, int64_t *number)
{
  const int64_t N = t->spec.particles, tile = t->spec.tile, tiles = (N + tile - 1) / tile;
  deal_block(tiles, rank, t->size, first, number);
  *number = PetscMin((*first + *number) * tile, N) - *first * tile;
  *first *= tile;
  *number = PetscMax(*number, 0);
}

PetscErrorCode TemperingGather(ScoriaTempering t, int width, double x[])
{
  PetscMPIInt *counts, *starts;
  MPI_Datatype row;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(t->size, &counts, t->size, &starts));
  PetscCallMPI(MPI_Type_contiguous(width, MPI_DOUBLE, &row)); /* particles are counted, not their numbers */
  PetscCallMPI(MPI_Type_commit(&row));
  for (int r = 0; r < t->size; r++) {
    int64_t first, number;
    tempering_block(t, r, &first, &number);
    starts[r] = (PetscMPIInt)first;
    counts[r] = (PetscMPIInt)number;
  }
  PetscCallMPI(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, x, counts, starts, row, t->comm));
  PetscCallMPI(MPI_Type_free(&row));
  PetscCall(PetscFree2(counts, starts));
  PetscFunctionReturn(0);
}

PetscErrorCode TemperingEvaluate(ScoriaTempering t, const double z[], double l[], double base[])
{
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(base, t->number));
  const PetscErrorCode bad = t->spec.evaluate(t->spec.ctx, t->first, t->number, z, l, base);
  if (bad && ScoriaFailureCode() == SCORIA_EXIT_OK) PetscCall(bad);
  PetscCall(ScoriaAgree(t->comm, ScoriaFailureCode(), ScoriaFailureLine()));
  for (int64_t i = 0; i < t->number; i++)
    if (!isfinite(l[i]) || !isfinite(base[i])) {
      l[i]    = -INFINITY;
      base[i] = 0;
    }
  PetscFunctionReturn(0);
}

static uint32_t draws_of_a_move(ScoriaTempering t)
{
  return (uint32_t)(t->spec.dimension + 1) / 2 + 1; /* normals, then the uniform number that accepts */
}

uint32_t tempering_draw(ScoriaTempering t, uint32_t move)
{
  return t->first_draw + move * draws_of_a_move(t);
}

void tempering_normals(ScoriaTempering t, uint32_t move, int64_t i, double xi[])
{
  rng_normal(t->spec.seed, SCORIA_STREAM_PARTICLE, (uint64_t)i, tempering_draw(t, move), t->spec.dimension, xi);
}

double tempering_uniform(ScoriaTempering t, uint32_t move, int64_t i)
{
  double u;
  rng_uniform(t->spec.seed, SCORIA_STREAM_PARTICLE, (uint64_t)i, tempering_draw(t, move + 1) - 1, 1, &u);
  return u;
}

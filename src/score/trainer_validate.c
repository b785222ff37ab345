/* The loss on fixed rows at fixed noise levels, so that two evaluations differ by their weights alone. */
#include "scoria/phases.h"
#include "train_rows.h"
#include "trainer_private.h"
#include <string.h>

/* The fixed rows [first, first + n) of `rows` to this rank; rows of data are used again where there are fewer. */
static PetscErrorCode FetchFixed(Trainer t, const TrainData *data, int64_t rows, int64_t first, int64_t n)
{
  Fixed *f = &t->fixed;
  ScoriaShuffle shuffle;
  int64_t *row;
  PetscFunctionBeginUser;
  if (data->start && f->of == data && f->rows == rows) PetscFunctionReturn(0);
  PetscCall(PetscFree(f->values));
  PetscCall(PetscMalloc1(n * (t->r + t->d) + 1, &f->values));
  PetscCall(PetscMalloc1(n + 1, &row));
  rng_shuffle(t->opt.seed, SCORIA_STREAM_VALIDATION, UINT64_MAX, data->rows, &shuffle);
  for (int64_t i = 0; i < n; i++) row[i] = rng_shuffled(&shuffle, (first + i) % data->rows);
  PetscCall(TrainRowsFetch(t->comm, data, t->r, t->d, n, row, f->values));
  PetscCall(PetscFree(row));
  f->of    = data;
  f->rows  = rows;
  f->first = first;
  PetscFunctionReturn(0);
}

/* Loss of one tile of the fixed rows, and of F = 0. */
static void validate_tile(Trainer t, int64_t first, int n, double sums[2])
{
  const Fixed *f = &t->fixed;
  for (int k = 0; k < n; k++)
    put_row(t, fetched_row(t, f->values, first + k - f->first), k,
            stratified_level(&t->opt.process, first + k, f->rows, 0.5), SCORIA_STREAM_VALIDATION,
            (uint64_t)(first + k));
  memset(t->F, 0, sizeof(float) * (size_t)(n * t->r));
  sums[1] = tile_loss(t, n, 0);
  net_forward(t->net, n, t->x, t->label, t->u, t->F);
  sums[0] = tile_loss(t, n, 0);
}

int64_t trainer_parts(Trainer t, int64_t rows)
{
  return (rows + t->tile - 1) / t->tile;
}

PetscErrorCode TrainerValidate(Trainer t, float weights[], const TrainData *data, int64_t rows, double *loss,
                               double *baseline, double part[])
{
  const int64_t tiles = trainer_parts(t, rows);
  int64_t first, local;
  double *sums;
  int rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(t->comm, &rank));
  PetscCallMPI(MPI_Comm_size(t->comm, &size));
  phase_begin(SCORIA_PHASE_VALIDATE);
  PetscCall(PetscCalloc1(2 * tiles, &sums));
  deal_block(tiles, rank, size, &first, &local);
  PetscCall(FetchFixed(t, data, rows, first * t->tile,
                       PetscMin((first + local) * t->tile, rows) - PetscMin(first * t->tile, rows)));
  float *own    = t->net->param;
  t->net->param = weights;
  for (int64_t i = first; i < first + local; i++)
    validate_tile(t, i * t->tile, (int)PetscMin(t->tile, rows - i * t->tile), sums + 2 * i);
  t->net->param = own;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, (PetscMPIInt)(2 * tiles), MPI_DOUBLE, MPI_SUM, t->comm));
  *loss = *baseline = 0;
  for (int64_t i = 0; i < tiles; i++) {
    *loss += sums[2 * i] / ((double)rows * t->r);
    *baseline += sums[2 * i + 1] / ((double)rows * t->r);
    for (int k = 0; k < 2 && part; k++)
      part[k * tiles + i] = sums[2 * i + k] / ((double)PetscMin(t->tile, rows - i * t->tile) * t->r);
  }
  PetscCall(PetscFree(sums));
  PetscCall(PetscLogFlops((double)rows / size * net_flops(t->net)));
  phase_end(SCORIA_PHASE_VALIDATE, (double)rows / size);
  PetscFunctionReturn(0);
}

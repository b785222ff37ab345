/* The loss on fixed rows at fixed noise levels, so that two evaluations differ by their weights alone. */
#include "scoria/phases.h"
#include "train_rows.h"
#include "trainer_private.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Row of the data that is the i-th fixed one. */
static int64_t fixed_row(const ScoriaShuffle *shuffle, const TrainData *data, int64_t i)
{
  return rng_shuffled(shuffle, i % data->rows);
}

static void fixed_shuffle(Trainer t, const TrainData *data, ScoriaShuffle *shuffle)
{
  rng_shuffle(t->opt.seed, SCORIA_STREAM_VALIDATION, UINT64_MAX, data->rows, shuffle);
}

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
  fixed_shuffle(t, data, &shuffle);
  for (int64_t i = 0; i < n; i++) row[i] = fixed_row(&shuffle, data, first + i);
  PetscCall(TrainRowsFetch(t->comm, data, t->r, t->d, n, row, f->values));
  PetscCall(PetscFree(row));
  f->of    = data;
  f->rows  = rows;
  f->first = first;
  PetscFunctionReturn(0);
}

/* The n fixed rows from `first` on become the tile. */
static void put_tile(Trainer t, int64_t first, int n)
{
  const Fixed *f = &t->fixed;
  for (int k = 0; k < n; k++)
    put_row(t, fetched_row(t, f->values, first + k - f->first), k,
            stratified_level(&t->opt.process, first + k, f->rows, 0.5), SCORIA_STREAM_VALIDATION,
            (uint64_t)(first + k));
}

/* Loss of one tile of the fixed rows, and of F = 0. */
static void validate_tile(Trainer t, int64_t first, int n, double sums[2])
{
  put_tile(t, first, n);
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
    if (part) part[i] = sums[2 * i] / ((double)PetscMin(t->tile, rows - i * t->tile) * t->r);
  }
  PetscCall(PetscFree(sums));
  PetscCall(PetscLogFlops((double)rows / size * net_flops(t->net)));
  phase_end(SCORIA_PHASE_VALIDATE, (double)rows / size);
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------- the network against F = 0 ---- */

/* What the network lowers the loss of the rows of a tile by: gain (n). */
static void gain_of_tile(Trainer t, int64_t first, int n, double gain[])
{
  put_tile(t, first, n);
  net_forward(t->net, n, t->x, t->label, t->u, t->F);
  for (int k = 0; k < n; k++) {
    const float *F = t->F + (size_t)k * t->r, *target = t->target + (size_t)k * t->r;
    gain[k] = 0;
    for (int j = 0; j < t->r; j++) {
      const double with = (double)F[j] - (double)target[j], without = (double)target[j];
      const double worth = t->opt.worth ? (double)t->opt.worth[j] : 1;
      gain[k] += worth * t->weight[k] * (without * without - with * with) / t->r;
    }
  }
}

static int by_group(const void *a, const void *b)
{
  const TrainGain *p = a, *q = b;
  return (p->group > q->group) - (p->group < q->group);
}

double train_gain_error(int64_t n, TrainGain gain[], int64_t *number)
{
  int64_t groups = 0;
  double mean = 0, squares = 0;
  qsort(gain, (size_t)n, sizeof *gain, by_group);
  for (int64_t i = 0; i < n; i++) mean += gain[i].gain / (double)n;
  for (int64_t i = 0; i < n; groups++) {
    const double group = gain[i].group;
    double sum         = 0;
    for (; i < n && gain[i].group == group; i++) sum += gain[i].gain - mean;
    squares += sum * sum;
  }
  *number = groups;
  return groups > 1 ? sqrt(squares * (double)groups / (double)(groups - 1)) / (double)n : 0;
}

/* Student's distribution at 1 - 1/40, by the series of Cornish and Fisher to the fourth order. */
double train_gain_chance(int64_t rows)
{
  static const double term[] = {1.959964, 2.372272, 2.822497, 2.555849, 1.589536};
  double chance = 0, power = 1;
  if (rows < 2) return 0;
  for (int i = 0; i < 5; i++) {
    chance += term[i] * power;
    power /= (double)(rows - 1);
  }
  return chance;
}

/* table (rows, 3) of the fixed rows of this rank: gain, row of the data, and a number that is one of its condition. */
static PetscErrorCode GainTable(Trainer t, float weights[], const TrainData *data, int64_t rows, double table[])
{
  const int64_t tiles = trainer_parts(t, rows);
  int64_t first, local;
  double *gain;
  ScoriaShuffle shuffle;
  int rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(t->comm, &rank));
  PetscCallMPI(MPI_Comm_size(t->comm, &size));
  deal_block(tiles, rank, size, &first, &local);
  const int64_t begin = PetscMin(first * t->tile, rows), end = PetscMin((first + local) * t->tile, rows);
  PetscCall(FetchFixed(t, data, rows, begin, end - begin));
  fixed_shuffle(t, data, &shuffle);
  PetscCall(PetscMalloc1(t->tile, &gain));
  float *own    = t->net->param;
  t->net->param = weights;
  for (int64_t i = begin; i < end; i += t->tile) {
    const int n = (int)PetscMin(t->tile, rows - i);
    gain_of_tile(t, i, n, gain);
    for (int k = 0; k < n; k++) {
      const TrainRow row     = fetched_row(t, t->fixed.values, i + k - begin);
      table[3 * (i + k)]     = gain[k];
      table[3 * (i + k) + 1] = (double)fixed_row(&shuffle, data, i + k);
      table[3 * (i + k) + 2] = t->d ? (double)crc32c(0, row.u, sizeof *row.u * (size_t)t->d) : 0;
    }
  }
  t->net->param = own;
  PetscCall(PetscFree(gain));
  PetscFunctionReturn(0);
}

PetscErrorCode TrainGainJudge(int64_t rows, const double table[], double *gain, double *sure)
{
  int64_t groups;
  TrainGain *of;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(rows, &of));
  *gain = *sure = 0;
  for (int64_t i = 0; i < rows; i++) *gain += table[3 * i] / (double)rows;
  for (int by = 1; by <= 2; by++) {
    for (int64_t i = 0; i < rows; i++) of[i] = (TrainGain){table[3 * i + by], table[3 * i]};
    const double error = train_gain_error(rows, of, &groups);
    *sure              = PetscMax(*sure, (by == 1 ? train_gain_chance(groups) : 2) * error);
  }
  PetscCall(PetscFree(of));
  PetscFunctionReturn(0);
}

PetscErrorCode TrainerGain(Trainer t, float weights[], const TrainData *data, int64_t rows, double *gain, double *sure)
{
  double *table;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(3 * rows, &table));
  PetscCall(GainTable(t, weights, data, rows, table));
  PetscCall(ScoriaReduceMany(t->comm, MPI_SUM, 3 * rows, MPI_DOUBLE, table));
  PetscCall(TrainGainJudge(rows, table, gain, sure));
  PetscCall(PetscFree(table));
  PetscFunctionReturn(0);
}

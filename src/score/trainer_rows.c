/* The rows of a tile: which rows of the data a step takes, how they come to this rank, and their noise levels and
 * noise. All of it is a function of (seed, step, index in the global batch). */
#include "scoria/phases.h"
#include "train_rows.h"
#include "trainer_private.h"
#include "processes.h"
#include <math.h>
#include <string.h>

/* Rows are fetched for so many steps at once that about this many come. */
#define ROWS_AHEAD 65536
#define STEPS_AHEAD 256

/* Micro-batches of a rank are neighbours, and so are its rows of a batch. */
PetscErrorCode TrainerAheadCreate(Trainer t)
{
  int64_t number;
  PetscFunctionBeginUser;
  for (int64_t j = t->first; j < t->first + t->local; j++) {
    int64_t first;
    deal_block(t->opt.batch, (int)j, t->opt.micro, &first, &number);
    if (j == t->first) t->begin = first;
    t->each += number;
  }
  if (!t->data.start) PetscFunctionReturn(0);
  int64_t most = (t->opt.batch + t->opt.micro - 1) / t->opt.micro; /* of a micro-batch: the same on every rank */
  int size;
  PetscCallMPI(MPI_Comm_size(t->comm, &size));
  most *= (t->opt.micro + size - 1) / size;
  t->ahead.room     = PetscClipInterval(ROWS_AHEAD / most, 1, STEPS_AHEAD);
  const size_t rows = (size_t)(t->ahead.room * t->each);
  PetscCall(PetscMalloc2(rows, &t->ahead.row, rows * (size_t)(t->r + t->d), &t->ahead.values));
  PetscFunctionReturn(0);
}

/* Row of the data behind place `at` of the endless shuffled sequence: epoch after epoch, each a permutation. */
static int64_t shuffled_row(Trainer t, int64_t at)
{
  const int64_t epoch = at / t->data.rows;
  if (epoch != t->epoch) {
    rng_shuffle(t->opt.seed, SCORIA_STREAM_SHUFFLE, (uint64_t)epoch, t->data.rows, &t->shuffle);
    (void)rng_shuffle_turns(&t->shuffle, t->turns);
  }
  t->epoch = epoch;
  return rng_shuffled_by(&t->shuffle, t->turns, at % t->data.rows);
}

int64_t sequence_place(Trainer t, int64_t step, int64_t i)
{
  return (t->opt.origin + step) * t->opt.batch + i;
}

PetscErrorCode TrainerLookAhead(Trainer t)
{
  Ahead *a = &t->ahead;
  PetscFunctionBeginUser;
  if (!t->data.start || (t->step >= a->first && t->step < a->first + a->steps)) PetscFunctionReturn(0);
  phase_begin(SCORIA_PHASE_EXCHANGE);
  a->first  = t->step;
  a->steps  = PetscClipInterval(t->opt.steps - t->step, 1, a->room);
  int64_t n = 0;
  for (int64_t s = a->first; s < a->first + a->steps; s++)
    for (int64_t i = t->begin; i < t->begin + t->each; i++) a->row[n++] = shuffled_row(t, sequence_place(t, s, i));
  PetscCall(TrainRowsFetch(t->comm, &t->data, t->r, t->d, n, a->row, a->values));
  phase_bytes((double)(n * (t->r + t->d)) * sizeof *a->values);
  phase_end(SCORIA_PHASE_EXCHANGE, (double)n);
  PetscFunctionReturn(0);
}

static TrainRow data_row(Trainer t, const TrainData *data, int64_t row)
{
  return (TrainRow){data->y + row * t->r, t->d ? data->u + (int64_t)data->condition[row] * t->d : NULL};
}

TrainRow fetched_row(Trainer t, const float values[], int64_t i)
{
  const float *y = values + i * (t->r + t->d);
  return (TrainRow){y, y + t->r};
}

TrainRow batch_row(Trainer t, int64_t i)
{
  if (!t->data.start) return data_row(t, &t->data, shuffled_row(t, sequence_place(t, t->step, i)));
  return fetched_row(t, t->ahead.values, (t->step - t->ahead.first) * t->each + i - t->begin);
}

static int64_t common_divisor(int64_t a, int64_t b)
{
  while (b) {
    const int64_t rest = a % b;
    a                  = b;
    b                  = rest;
  }
  return a;
}

static const ScoriaProcessRow *process_row(const ScoriaProcess *process)
{
  return process->row ? process->row : &scoria_processes[0];
}

/* A number in (0, 1) for index i of n: stratum i * stride mod n, so that every micro-batch sees all of them. */
static double stratum(int64_t i, int64_t n, double shift)
{
  int64_t stride = (int64_t)(0.618 * (double)n) + 1;
  while (common_divisor(stride, n) != 1) stride++;
  return ((double)(i * stride % n) + shift) / (double)n;
}

double stratified_level(const ScoriaProcess *process, int64_t i, int64_t n, double shift)
{
  return process_row(process)->draw(process, stratum(i, n, shift));
}

double training_level(Trainer t, int64_t i, double shift)
{
  const int64_t batch = t->opt.batch;
  return t->opt.kind == TRAIN_CONSISTENCY ? consistency_level(stratum(i, batch, shift))
                                          : stratified_level(&t->opt.process, i, batch, shift);
}

/* The noise of conditions comes after the r normals of the coordinates. */
static void blur_conditions(Trainer t, uint64_t id, float u[])
{
  float e[SCORIA_MAX_CONDITIONS];
  bool any = false;
  for (int i = 0; i < t->d; i++) any = any || t->opt.blur[i] > 0;
  if (!any) return;
  rng_normalf(t->opt.seed, SCORIA_STREAM_TRAIN_NOISE, id, (uint32_t)(t->r + 3) / 4, t->d, e);
  for (int i = 0; i < t->d; i++) u[i] += (float)t->opt.blur[i] * e[i];
}

/* The row as the law may as well have drawn it, in room (r); the draws come after the noise of the conditions. */
static const float *moved_row(Trainer t, const float y[], uint64_t id, float room[])
{
  double draw[4];
  if (!t->data.move) return y;
  rng_uniform(t->opt.seed, SCORIA_STREAM_TRAIN_NOISE, id, (uint32_t)(t->r + 3) / 4 + (uint32_t)(t->d + 3) / 4, 4, draw);
  memcpy(room, y, sizeof *room * (size_t)t->r);
  t->data.move(t->data.ctx, draw, room);
  return room;
}

void put_row(Trainer t, TrainRow row, int k, double level, ScoriaStream stream, uint64_t id)
{
  const size_t r = (size_t)t->r, d = (size_t)t->d;
  float *x = t->x + (size_t)k * r, *target = t->target + (size_t)k * r;
  const float *y = stream == SCORIA_STREAM_TRAIN_NOISE ? moved_row(t, row.y, id, target) : row.y;
  rng_normalf(t->opt.seed, stream, id, 0, t->r, x);
  train_noisy_row(t->r, y, level, x, target, t->label + k);
  t->weight[k] = (float)process_row(&t->opt.process)->weight(exp(level));
  if (d) memcpy(t->u + (size_t)k * d, row.u, sizeof(float) * d);
  if (d && stream == SCORIA_STREAM_TRAIN_NOISE) blur_conditions(t, id, t->u + (size_t)k * d);
}

void put_noise(Trainer t, TrainRow row, int k, uint64_t id)
{
  const size_t d = (size_t)t->d;
  rng_normalf(t->opt.seed, SCORIA_STREAM_TRAIN_NOISE, id, 0, t->r, t->x + (size_t)k * (size_t)t->r);
  t->label[k]  = 0; /* ln 1 */
  t->weight[k] = 1;
  if (d) memcpy(t->u + (size_t)k * d, row.u, sizeof(float) * d);
  if (d) blur_conditions(t, id, t->u + (size_t)k * d);
}

double tile_loss(Trainer t, int n, float factor)
{
  double part[8] = {0}, sum = 0;
  const int count = n * t->r;
  for (int i = 0; i < count; i++) {
    const float residual = t->F[i] - t->target[i];
    const float weight   = t->weight[i / t->r] * (t->opt.share ? t->opt.share[i % t->r] : 1);
    part[i % 8] += (double)weight * ((double)residual * (double)residual);
    t->F[i] = factor * weight * residual;
  }
  for (int l = 0; l < 8; l++) sum += part[l];
  return sum;
}

/* The training loop.  The global batch is cut into micro-batches of fixed shape, each computed by one rank; their
 * gradients are added in fixed point (fixedpoint.h) and their losses in a fixed order, so the weights are the same bits
 * on any number of ranks.  A gradient that is not finite anywhere makes every rank skip the step. */
#include "train.h"
#include "ema.h"
#include "fixedpoint.h"
#include "scoria/phases.h"
#include "train_rows.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows are fetched for so many steps at once that about this many come. */
#define ROWS_AHEAD 65536
#define STEPS_AHEAD 256

/* Rows of this rank's part of `steps` batches from step `first` on, (steps, rows of a step, r + d). */
typedef struct {
  int64_t first, steps; /* steps: 0 before the first fetch */
  int64_t room;         /* steps that fit */
  int64_t *row;         /* owned */
  float *values;        /* owned */
} Ahead;

/* This rank's rows of the fixed ones to validate on. */
typedef struct {
  const TrainData *of; /* that they are from, borrowed; NULL: none yet */
  int64_t rows, first; /* of all ranks; the first of this one */
  float *values;       /* owned (rows here, r + d) */
} Fixed;

struct Trainer_ {
  MPI_Comm comm; /* borrowed */
  TrainOptions opt;
  TrainData data;       /* its arrays borrowed */
  ScoriaNet net;        /* owned */
  float *slots;         /* net->grad as it was made, owned by net */
  int64_t first, local; /* micro-batches of this rank */
  int64_t begin, each;  /* rows of the batch that these are */
  int r, d, tile;
  int64_t step, epoch;
  ScoriaShuffle shuffle; /* of `epoch` */
  Ahead ahead;
  Fixed fixed;
  float **grad;  /* owned: one vector per micro-batch of this rank, at least one */
  int64_t *acc;  /* owned (parameters) */
  double *votes; /* owned (2 micro): loss and largest gradient of every micro-batch */
  float *arena;  /* owned: m, v, averages, then the tile's buffers */
  float *x, *target, *F, *label, *weight, *u, *partner, *partner_label; /* the last two: consistency tuning only */
  Optimiser adam;
};

static PetscErrorCode CheckOptions(const TrainOptions *opt, const TrainData *data)
{
  PetscFunctionBeginUser;
  if (opt->micro > opt->batch)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "train_micro_batches is %d, more than train_batch, %lld", opt->micro,
                (long long)opt->batch);
  if (data->rows < 1) SCORIA_FAIL(SCORIA_EXIT_INPUT, "training: the dataset has no row that can be used");
  PetscFunctionReturn(0);
}

/* Buffers of one tile and the optimiser's vectors. */
static PetscErrorCode ArenaCreate(Trainer t)
{
  const size_t P = (size_t)net_parameter_count(t->net), rows = (size_t)t->tile, r = (size_t)t->r;
  const size_t vectors = (size_t)(2 + t->adam.averages);
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(vectors * P + rows * (4 * r + 3 + (size_t)t->d), &t->arena));
  t->adam.m = t->arena;
  t->adam.v = t->arena + P;
  for (int k = 0; k < t->adam.averages; k++) t->adam.average[k] = t->arena + (size_t)(2 + k) * P;
  t->x             = t->arena + vectors * P;
  t->target        = t->x + rows * r;
  t->F             = t->target + rows * r;
  t->label         = t->F + rows * r;
  t->weight        = t->label + rows;
  t->partner       = t->weight + rows;
  t->partner_label = t->partner + rows * r;
  t->u             = t->partner_label + rows;
  PetscFunctionReturn(0);
}

static PetscErrorCode GradientsCreate(Trainer t)
{
  const size_t P = (size_t)net_parameter_count(t->net);
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(PetscMax(t->local, 1), &t->grad));
  t->slots   = net_gradient(t->net);
  t->grad[0] = t->slots;
  for (int64_t j = 1; j < t->local; j++) {
    t->grad[j] = aligned_alloc(64, (P * sizeof(float) + 63) / 64 * 64);
    PetscCheck(t->grad[j], PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for %zu floats", P);
  }
  PetscFunctionReturn(0);
}

/* Micro-batches of a rank are neighbours, and so are its rows of a batch. */
static PetscErrorCode AheadCreate(Trainer t)
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

PetscErrorCode TrainerCreate(MPI_Comm comm, const ScoriaNetSpec *spec, const TrainOptions *opt, const TrainData *data,
                             Trainer *trainer)
{
  Trainer t;
  int rank, size;
  PetscFunctionBeginUser;
  PetscCall(CheckOptions(opt, data));
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscNew(&t));
  *t = (struct Trainer_){.comm = comm, .opt = *opt, .data = *data, .r = spec->r, .d = spec->d, .epoch = -1};
  deal_block(opt->micro, rank, size, &t->first, &t->local);
  const NetworkRow *row = network_find(spec->kind);
  t->tile               = (int)PetscMin((opt->batch + opt->micro - 1) / opt->micro, row ? row->tile : 1);
  PetscCall(ScoriaNetCreate(spec, t->tile, true, &t->net));
  net_initialise(t->net, opt->seed);
  const int64_t P  = net_parameter_count(t->net);
  t->adam.averages = opt->adam.ema[1] > 0 ? 2 : 1;
  PetscCall(ArenaCreate(t));
  PetscCall(GradientsCreate(t));
  PetscCall(PetscMalloc2(P, &t->acc, 2 * opt->micro, &t->votes));
  PetscCall(AheadCreate(t));
  for (int k = 0; k < t->adam.averages; k++) {
    t->adam.exponent[k] = ema_exponent(opt->adam.ema[k]);
    memcpy(t->adam.average[k], t->net->param, sizeof(float) * (size_t)P);
  }
  *trainer = t;
  PetscFunctionReturn(0);
}

PetscErrorCode TrainerDestroy(Trainer *trainer)
{
  Trainer t = *trainer;
  PetscFunctionBeginUser;
  if (!t) PetscFunctionReturn(0);
  for (int64_t j = 1; j < t->local; j++) free(t->grad[j]);
  PetscCall(PetscFree(t->grad));
  PetscCall(PetscFree2(t->acc, t->votes));
  PetscCall(PetscFree2(t->ahead.row, t->ahead.values));
  PetscCall(PetscFree(t->fixed.values));
  PetscCall(PetscFree(t->arena));
  t->net->grad = t->slots;
  PetscCall(ScoriaNetDestroy(&t->net));
  PetscCall(PetscFree(*trainer));
  PetscFunctionReturn(0);
}

ScoriaNet trainer_net(Trainer t)
{
  return t->net;
}

float *trainer_average(Trainer t, int k)
{
  return t->adam.average[k];
}

EmaProfile trainer_profile(Trainer t, int k)
{
  return (EmaProfile){(double)t->adam.taken, t->adam.exponent[k]};
}

void trainer_state(Trainer t, TrainerState *state)
{
  *state =
      (TrainerState){.step    = t->step,
                     .taken   = t->adam.taken,
                     .count   = net_parameter_count(t->net),
                     .vectors = 3 + t->adam.averages,
                     .vector  = {net_parameters(t->net), t->adam.m, t->adam.v, t->adam.average[0], t->adam.average[1]}};
}

void trainer_set(Trainer t, int64_t step, int64_t taken)
{
  t->step       = step;
  t->adam.taken = taken;
}

/* Row of the data behind place `at` of the endless shuffled sequence: epoch after epoch, each a permutation. */
static int64_t shuffled_row(Trainer t, int64_t at)
{
  const int64_t epoch = at / t->data.rows;
  if (epoch != t->epoch) rng_shuffle(t->opt.seed, SCORIA_STREAM_SHUFFLE, (uint64_t)epoch, t->data.rows, &t->shuffle);
  t->epoch = epoch;
  return rng_shuffled(&t->shuffle, at % t->data.rows);
}

/* Where row i of the global batch of a step stands in that sequence. */
static int64_t sequence_place(Trainer t, int64_t step, int64_t i)
{
  return (t->opt.origin + step) * t->opt.batch + i;
}

/* Brings the rows of the next steps to this rank, when those of this step are not here. */
static PetscErrorCode LookAhead(Trainer t)
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

/* A row of data, and its unit conditions (NULL where d = 0). */
typedef struct {
  const float *y, *u;
} Row;

static Row data_row(Trainer t, const TrainData *data, int64_t row)
{
  return (Row){data->y + row * t->r, t->d ? data->u + (int64_t)data->condition[row] * t->d : NULL};
}

static Row fetched_row(Trainer t, const float values[], int64_t i)
{
  const float *y = values + i * (t->r + t->d);
  return (Row){y, y + t->r};
}

/* Row i of the global batch of this step, of this rank's. */
static Row batch_row(Trainer t, int64_t i)
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

static double stratified_level(const ScoriaProcess *process, int64_t i, int64_t n, double shift)
{
  return process_row(process)->draw(process, stratum(i, n, shift));
}

static double training_level(Trainer t, int64_t i, double shift)
{
  const int64_t batch = t->opt.batch;
  return t->opt.consistency ? consistency_level(stratum(i, batch, shift))
                            : stratified_level(&t->opt.process, i, batch, shift);
}

/* A row at ln sigma, with noise `id` of a stream, as row k of the tile. */
static void put_row(Trainer t, Row row, int k, double level, ScoriaStream stream, uint64_t id)
{
  const size_t r = (size_t)t->r, d = (size_t)t->d;
  float *x = t->x + (size_t)k * r;
  rng_normalf(t->opt.seed, stream, id, 0, t->r, x);
  train_noisy_row(t->r, row.y, level, x, t->target + (size_t)k * r, t->label + k);
  t->weight[k] = (float)process_row(&t->opt.process)->weight(exp(level));
  if (d) memcpy(t->u + (size_t)k * d, row.u, sizeof(float) * d);
}

/* Sum over the tile of weight |F - target|^2; F becomes factor weight (F - target). */
static double tile_loss(Trainer t, int n, float factor)
{
  double part[8] = {0}, sum = 0;
  const int count = n * t->r;
  for (int i = 0; i < count; i++) {
    const float residual = t->F[i] - t->target[i];
    const float weight   = t->weight[i / t->r];
    part[i % 8] += (double)weight * ((double)residual * (double)residual);
    t->F[i] = factor * weight * residual;
  }
  for (int l = 0; l < 8; l++) sum += part[l];
  return sum;
}

/* The targets of n rows become those of consistency, by the weights as they are. */
static void tune_tile(Trainer t, int n)
{
  const size_t r   = (size_t)t->r;
  const double gap = consistency_gap(t->step, t->opt.steps);
  for (size_t k = 0; k < (size_t)n; k++)
    consistency_partner(t->r, gap, t->label[k], t->x + k * r, t->target + k * r, t->partner + k * r,
                        t->partner_label + k);
  net_forward(t->net, n, t->partner, t->partner_label, t->u, t->F);
  for (size_t k = 0; k < (size_t)n; k++)
    consistency_target(t->r, gap, t->label[k], t->x + k * r, t->F + k * r, t->target + k * r);
}

/* Loss and gradient of micro-batch j, tile by tile. */
static double micro_batch(Trainer t, int64_t j, double shift, float grad[])
{
  const int64_t batch = t->opt.batch;
  int64_t first, number;
  double loss = 0;
  deal_block(batch, (int)j, t->opt.micro, &first, &number);
  t->net->grad = grad;
  for (int64_t i = first; i < first + number; i += t->tile) {
    const int n = (int)PetscMin(t->tile, first + number - i);
    for (int k = 0; k < n; k++)
      put_row(t, batch_row(t, i + k), k, training_level(t, i + k, shift), SCORIA_STREAM_TRAIN_NOISE,
              (uint64_t)sequence_place(t, t->step, i + k));
    if (t->opt.consistency) tune_tile(t, n);
    net_forward(t->net, n, t->x, t->label, t->u, t->F);
    loss += tile_loss(t, n, (float)(2 / ((double)batch * t->r)));
    if (i == first)
      net_backward_first(t->net, n, t->F, NULL);
    else
      net_backward(t->net, n, t->F, NULL);
  }
  return loss;
}

/* The sum of all ranks' gradients, into grad[0]. */
static PetscErrorCode SumGradients(Trainer t, float largest)
{
  const int64_t P = net_parameter_count(t->net);
  const int shift = fixed_shift(largest, t->opt.micro);
  PetscFunctionBeginUser;
  fixed_sum(P, (int)t->local, t->grad, shift, t->acc);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, t->acc, (PetscMPIInt)P, MPI_INT64_T, MPI_SUM, t->comm));
  fixed_value(P, t->acc, shift, t->grad[0]);
  PetscFunctionReturn(0);
}

/* Loss and largest gradient over all micro-batches: each is set by one rank and 0 elsewhere, so the sums are exact. */
static PetscErrorCode ShareVotes(Trainer t, double *loss, double *largest)
{
  const int S = t->opt.micro;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, t->votes, 2 * S, MPI_DOUBLE, MPI_SUM, t->comm));
  *loss = *largest = 0;
  for (int j = 0; j < S; j++) {
    *loss += t->votes[j];
    *largest = PetscMax(*largest, t->votes[S + j]);
  }
  *loss /= (double)t->opt.batch * t->r;
  PetscFunctionReturn(0);
}

/* Ends the phase of this rank's gradients: rows of its micro-batches, and the operations of their matrix products. */
static PetscErrorCode CountStep(Trainer t)
{
  int64_t first, number, rows = 0;
  PetscFunctionBeginUser;
  for (int64_t j = 0; j < t->local; j++) {
    deal_block(t->opt.batch, (int)(t->first + j), t->opt.micro, &first, &number);
    rows += number;
  }
  PetscCall(PetscLogFlops((double)rows * net_training_flops(t->net)));
  phase_end(SCORIA_PHASE_STEP, (double)rows);
  PetscFunctionReturn(0);
}

PetscErrorCode TrainerStep(Trainer t, TrainStep *result)
{
  const int S     = t->opt.micro;
  const int64_t P = net_parameter_count(t->net);
  double shift, largest;
  PetscFunctionBeginUser;
  PetscCall(LookAhead(t));
  phase_begin(SCORIA_PHASE_STEP);
  rng_uniform(t->opt.seed, SCORIA_STREAM_TRAIN_LEVEL, (uint64_t)(t->opt.origin + t->step), 0, 1, &shift);
  memset(t->votes, 0, sizeof(double) * 2 * (size_t)S);
  for (int64_t j = 0; j < t->local; j++) {
    t->votes[t->first + j]     = micro_batch(t, t->first + j, shift, t->grad[j]);
    t->votes[S + t->first + j] = fixed_largest(P, t->grad[j]);
  }
  PetscCall(CountStep(t));
  *result = (TrainStep){.rate = optimiser_rate(&t->opt.adam, t->step, t->opt.steps)};
  t->step++;
  phase_begin(SCORIA_PHASE_ALLREDUCE);
  PetscCall(ShareVotes(t, &result->loss, &largest));
  result->skipped = !isfinite(largest) || !isfinite(result->loss);
  if (!result->skipped) PetscCall(SumGradients(t, (float)largest));
  phase_bytes((double)(sizeof *t->acc * (size_t)P) + (double)(sizeof *t->votes * 2 * (size_t)S));
  phase_end(SCORIA_PHASE_ALLREDUCE, t->first == 0 && t->local > 0); /* a step is counted once */
  if (result->skipped) PetscFunctionReturn(0);
  phase_begin(SCORIA_PHASE_UPDATE);
  result->norm = vector_norm(P, t->grad[0]);
  optimiser_update(&t->adam, &t->opt.adam, result->rate,
                   result->norm > t->opt.adam.clip ? t->opt.adam.clip / result->norm : 1, P, t->grad[0],
                   net_parameters(t->net));
  /* the gradient is read; moments, averages and weights are read and written */
  phase_bytes((double)(1 + 2 * (3 + t->adam.averages)) * sizeof(float) * (double)P);
  phase_end(SCORIA_PHASE_UPDATE, t->first == 0 && t->local > 0);
  PetscFunctionReturn(0);
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
    if (part) part[i] = sums[2 * i] / ((double)PetscMin(t->tile, rows - i * t->tile) * t->r);
  }
  PetscCall(PetscFree(sums));
  PetscCall(PetscLogFlops((double)rows / size * net_flops(t->net)));
  phase_end(SCORIA_PHASE_VALIDATE, (double)rows / size);
  PetscFunctionReturn(0);
}

PetscErrorCode TrainerCheck(Trainer t)
{
  const size_t bytes = sizeof(float) * (size_t)net_parameter_count(t->net);
  PetscFunctionBeginUser;
  const uint32_t crc = crc32c(crc32c(0, t->net->param, bytes), t->adam.average[0], bytes);
  uint32_t range[2]  = {crc, ~crc}; /* the largest, and the complement of the smallest */
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, range, 2, MPI_UINT32_T, MPI_MAX, t->comm));
  PetscCheck(range[0] == ~range[1], t->comm, PETSC_ERR_PLIB, "step %lld: the weights differ over ranks",
             (long long)t->step);
  PetscFunctionReturn(0);
}

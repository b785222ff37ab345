/* The training loop.  The global batch is cut into micro-batches of fixed shape, each computed by one rank; their
 * gradients are added in fixed point (fixedpoint.h) and their losses in a fixed order, so the weights are the same bits
 * on any number of ranks.  A gradient that is not finite anywhere makes every rank skip the step.
 *
 * Here: what a trainer holds, from its making to its end. */
#include "trainer_private.h"
#include <stdlib.h>
#include <string.h>

const char *const train_kind_names[TRAIN_KINDS] = {"denoiser", "consistency", "distilled"};

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
  PetscCall(NetCreate(spec, t->tile, true, &t->net));
  net_initialise(t->net, opt->seed);
  const int64_t P  = net_parameter_count(t->net);
  t->adam.averages = opt->adam.ema[1] > 0 ? 2 : 1;
  PetscCall(ArenaCreate(t));
  PetscCall(GradientsCreate(t));
  PetscCall(PetscMalloc2(P, &t->acc, 2 * opt->micro, &t->votes));
  rng_shuffle(opt->seed, SCORIA_STREAM_SHUFFLE, 0, data->rows, &t->shuffle);
  PetscCall(PetscMalloc1(rng_shuffle_turns(&t->shuffle, NULL), &t->turns));
  PetscCall(TrainerAheadCreate(t));
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
  PetscCall(PetscFree(t->turns));
  PetscCall(PetscFree2(t->ahead.row, t->ahead.values));
  PetscCall(PetscFree(t->fixed.values));
  PetscCall(PetscFree(t->arena));
  t->net->grad = t->slots;
  PetscCall(NetDestroy(&t->net));
  PetscCall(NetDestroy(&t->teacher));
  PetscCall(PetscFree(t->flow));
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

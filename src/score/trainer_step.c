/* A step: the gradient of this rank's micro-batches, its sum over ranks, and the update. */
#include "fixedpoint.h"
#include "scoria/phases.h"
#include "trainer_private.h"
#include <math.h>
#include <string.h>

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

/* Rows i, i + 1, ... of the batch as the n rows of the tile, with their targets. */
static void put_tile(Trainer t, int64_t i, int n, double shift)
{
  if (t->opt.kind == TRAIN_DISTILLED) {
    distil_tile(t, i, n);
    return;
  }
  for (int k = 0; k < n; k++)
    put_row(t, batch_row(t, i + k), k, training_level(t, i + k, shift), SCORIA_STREAM_TRAIN_NOISE,
            (uint64_t)sequence_place(t, t->step, i + k));
  if (t->opt.kind == TRAIN_CONSISTENCY) tune_tile(t, n);
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
    put_tile(t, i, n, shift);
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

/* Operations of a row: the gradient, and what a target takes besides. */
static double row_flops(Trainer t)
{
  const double gradient = net_training_flops(t->net);
  if (t->opt.kind == TRAIN_CONSISTENCY) return gradient + net_flops(t->net);
  return t->teacher ? gradient + DISTIL_EVALUATIONS * net_flops(t->teacher) : gradient;
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
  PetscCall(PetscLogFlops((double)rows * row_flops(t)));
  phase_end(SCORIA_PHASE_STEP, (double)rows);
  PetscFunctionReturn(0);
}

PetscErrorCode TrainerStep(Trainer t, TrainStep *result)
{
  const int S     = t->opt.micro;
  const int64_t P = net_parameter_count(t->net);
  double shift, largest;
  PetscFunctionBeginUser;
  PetscCall(TrainerLookAhead(t));
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

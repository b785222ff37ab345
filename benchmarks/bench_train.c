/* Training rate against the matrix product rate of this machine.
 *
 * For each network: the rate of sgemm for its own hidden layers (rows of a tile x width x width, the three products
 * that a layer takes in training), then the rate of whole optimiser steps (noise, forward, loss, backward, fixed-point
 * sum, Adam, average) on synthetic rows, counting the floating-point operations of matrix products only.  Their ratio
 * is what all else costs.
 *
 *   bench_train [-seconds 3] [-batch 1024] [-micro 8] [-width W] [-depth 1] [-embed 128] [-modes 12] [-kernel 5]
 * [-patch 4] [-kernels best|base|v3|v4] */
#include "scoria/processor.h"
#include "score/trainer.h"
#include <math.h>
#include <stdlib.h>

#define CELLS 100
#define CHANNELS 2
#define ROWS 4096
#define SITES 64 /* conditions */

typedef struct {
  PetscInt batch, micro, width, depth, embed, modes, kernel, patch;
  PetscReal seconds;
} Options;

static PetscErrorCode ReadOptions(Options *o)
{
  char kernels[16] = "best";
  PetscFunctionBeginUser;
  *o = (Options){.batch   = 1024,
                 .micro   = 8,
                 .width   = 0,
                 .depth   = 1,
                 .embed   = 128,
                 .modes   = 12,
                 .kernel  = 5,
                 .patch   = 4,
                 .seconds = 3};
  PetscCall(PetscOptionsGetString(NULL, NULL, "-kernels", kernels, sizeof kernels, NULL));
  PetscCheck(processor_use(processor_find(kernels)), PETSC_COMM_WORLD, PETSC_ERR_USER, "no kernels '%s' here", kernels);
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-seconds", &o->seconds, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-batch", &o->batch, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-micro", &o->micro, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-width", &o->width, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-depth", &o->depth, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-embed", &o->embed, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-modes", &o->modes, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-kernel", &o->kernel, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-patch", &o->patch, NULL));
  PetscFunctionReturn(0);
}

/* GFLOP/s of the three products of a layer (n, K) x (K, N), best of five rounds. */
static double gemm_rate(int n, int K, int N, float *in, float *W, float *out)
{
  double best       = 0;
  const int repeats = 1 + (int)(4e8 / (6.0 * n * K * N));
  for (int round = 0; round < 5; round++) {
    const double start = wall_seconds();
    for (int i = 0; i < repeats; i++) {
      gemm_f(false, false, n, N, K, 1, in, K, W, N, 0, out, N);
      gemm_f(false, true, n, K, N, 1, out, N, W, N, 0, in, K);
      gemm_f(true, false, K, N, n, 1e-3f, in, K, out, N, 0, W, N);
    }
    best = fmax(best, 6e-9 * n * K * N * repeats / (wall_seconds() - start));
  }
  return best;
}

static PetscErrorCode PeakRate(ScoriaNet net, int tile, double *rate)
{
  const int n = tile * (net->plan.span + net->plan.gap), W = net->plan.width;
  float *memory;
  PetscFunctionBeginUser;
  const size_t rows = (size_t)n * (size_t)W, count = 2 * rows + (size_t)W * (size_t)W + 48;
  PetscCall(PetscMalloc1(count, &memory));
  float *aligned = (float *)(((uintptr_t)memory + 63) / 64 * 64);
  for (size_t i = 0; i < count - 16; i++) aligned[i] = 1e-3f * (float)(i % 17);
  *rate = gemm_rate(n, W, W, aligned, aligned + 2 * rows, aligned + rows);
  PetscCall(PetscFree(memory));
  PetscFunctionReturn(0);
}

static PetscErrorCode Rate(const NetworkRow *row, const Options *o, const TrainData *data, const float basis[])
{
  ScoriaNetSpec spec = {.r        = o->modes,
                        .d        = 3,
                        .width    = o->width > 0 ? o->width : row->width,
                        .depth    = o->depth,
                        .embed    = o->embed,
                        .channels = CHANNELS,
                        .cells    = CELLS,
                        .kernel   = o->kernel,
                        .patch    = o->patch,
                        .basis    = basis};
  TrainOptions opt   = {.steps   = 1000000,
                        .batch   = o->batch,
                        .micro   = (int)o->micro,
                        .process = {-0.2, 1},
                        .seed    = 1,
                        .adam    = {1e-3, .03, .9, .99, 1e-8, 1, {.07}}};
  Trainer trainer;
  TrainStep step;
  double peak, start;
  int64_t steps = 0;
  PetscMPIInt rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(PetscStrncpy(spec.kind, row->name, sizeof spec.kind));
  PetscCall(TrainerCreate(PETSC_COMM_WORLD, &spec, &opt, data, &trainer));
  ScoriaNet net = trainer_net(trainer);
  PetscCall(PeakRate(net, (int)PetscMin(row->tile, (o->batch + o->micro - 1) / o->micro), &peak));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &peak, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
  PetscCall(TrainerStep(trainer, &step));
  double seconds = 0, best = 1e300;
  for (start = wall_seconds(); seconds < o->seconds; steps++) {
    const double before = wall_seconds();
    PetscCall(TrainerStep(trainer, &step));
    best    = fmin(best, wall_seconds() - before);
    seconds = wall_seconds() - start;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD));
  }
  const double flops = net_training_flops(net) * (double)o->batch, mean = flops * (double)steps / seconds * 1e-9;
  if (rank == 0)
    printf("%-6s %8lld %6d %8.2f %10.1f %10.1f %10.1f %8.2f %8.2f\n", row->name, (long long)net_parameter_count(net),
           size, net_flops(net) * 1e-6, (double)(steps * o->batch) / seconds, peak, mean, mean / peak,
           flops * 1e-9 / best / peak);
  PetscCall(TrainerDestroy(&trainer));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  Options o;
  float *y, *basis, *u;
  int32_t *condition;
  PetscMPIInt rank;
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCall(ReadOptions(&o));
  PetscCall(PetscMalloc4(ROWS * o.modes, &y, o.modes * CHANNELS * CELLS, &basis, 3 * SITES, &u, ROWS, &condition));
  rng_normalf(1, SCORIA_STREAM_SAMPLE, 0, 0, (int)(ROWS * o.modes), y);
  rng_normalf(1, SCORIA_STREAM_SAMPLE, 1, 0, 3 * SITES, u);
  for (int i = 0; i < ROWS; i++) condition[i] = i % SITES;
  for (int k = 0; k < o.modes; k++)
    for (int i = 0; i < CHANNELS * CELLS; i++)
      basis[k * CHANNELS * CELLS + i] =
          (float)(cos(PETSC_PI * k * (i + 0.5) / (CHANNELS * CELLS)) * sqrt(2.0 / (CHANNELS * CELLS)));
  const TrainData data = {.rows = ROWS, .y = y, .condition = condition, .u = u};
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank == 0) printf("network  weights  ranks  MFLOP/row     rows/s sgemm GF/s  step GF/s    ratio     best\n");
  for (const NetworkRow *row = scoria_networks; row->name; row++) PetscCall(Rate(row, &o, &data, basis));
  PetscCall(PetscFree4(y, basis, u, condition));
  PetscCall(PetscFinalize());
  return 0;
}

/* What a training step costs beside its products, and what that means for many ranks.
 *
 * First the sum of gradients: in 64-bit fixed point, whose bits are the same on any number of ranks, against a plain
 * single precision allreduce of the same vectors.  Then whole steps on one rank for smaller and smaller shares of a
 * batch, T1(rows), which includes all that every rank does for itself.  From these a model of strong scaling,
 *
 *   T(P) = T1(batch / P) + 2 ceil(log2 P) a + 2 (P - 1)/P bytes / b + log2 P a',
 *
 * the allreduce of the gradient (Rabenseifner's: a reduction scattered, then gathered; 8 bytes a weight) at latency a
 * and bandwidth b of a network link, and the one of the largest gradients, a latency per stage.
 *
 *   mpirun -n 2 bench_scaling [-batch 2048] [-latency 2e-6] [-bandwidth 12e9] [-seconds 1] [-width 192] */
#include "score/fixedpoint.h"
#include "score/trainer.h"
#include <math.h>

#define MODES 12
#define EMBED 128
#define ROWS 16384
#define SITES 64

typedef struct {
  PetscInt batch, width;
  PetscReal latency, bandwidth, seconds;
} Options;

static PetscErrorCode ReadOptions(Options *o)
{
  PetscFunctionBeginUser;
  *o = (Options){2048, 192, 2e-6, 12e9, 1};
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-batch", &o->batch, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-width", &o->width, NULL));
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-latency", &o->latency, NULL));
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-bandwidth", &o->bandwidth, NULL));
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-seconds", &o->seconds, NULL));
  PetscFunctionReturn(0);
}

/* Seconds of a step over `rows` rows in micro-batches of up to 128, which stay in cache, on one rank, best of those
 * that fit into the time. */
static PetscErrorCode StepTime(const Options *o, const TrainData *data, int64_t rows, double *best, int64_t *weights)
{
  const ScoriaNetSpec spec = {.kind     = "modes",
                              .r        = MODES,
                              .d        = 3,
                              .width    = (int)o->width,
                              .depth    = 1,
                              .embed    = EMBED,
                              .channels = 2,
                              .cells    = 100};
  const TrainOptions opt   = {.steps   = 1000000,
                              .batch   = rows,
                              .micro   = (int)((rows + 127) / 128),
                              .process = {-0.2, 1},
                              .seed    = 1,
                              .adam    = {1e-3, .03, .9, .99, 1e-8, 1, {.07}}};
  Trainer trainer;
  TrainStep step;
  PetscFunctionBeginUser;
  PetscCall(TrainerCreate(PETSC_COMM_SELF, &spec, &opt, data, &trainer));
  *best = 1e300;
  for (const double start = wall_seconds(); wall_seconds() - start < o->seconds;) {
    const double before = wall_seconds();
    PetscCall(TrainerStep(trainer, &step));
    *best = fmin(*best, wall_seconds() - before);
  }
  *weights = net_parameter_count(trainer_net(trainer));
  PetscCall(TrainerDestroy(&trainer));
  PetscFunctionReturn(0);
}

/* Seconds of both sums of one vector per rank, and of the largest element; the best of many, of the slowest rank. */
typedef struct {
  double fixed, plain;
} SumTimes;

static PetscErrorCode TimeSums(const Options *o, int64_t n, SumTimes *t)
{
  float *g, *out;
  int64_t *acc;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(n, &g, n, &out, n, &acc));
  rng_normalf(1, SCORIA_STREAM_SAMPLE, 0, 0, (int)n, g);
  *t             = (SumTimes){1e300, 1e300};
  PetscMPIInt go = 1;
  for (const double start = wall_seconds(); go;) {
    double times[2];
    float largest = 0;
    PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
    times[0]         = wall_seconds();
    const float mine = fixed_largest(n, g);
    PetscCallMPI(MPI_Allreduce(&mine, &largest, 1, MPI_FLOAT, MPI_MAX, PETSC_COMM_WORLD));
    const int shift = fixed_shift(largest, 4096);
    fixed_sum(n, 1, &g, shift, acc);
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, acc, (PetscMPIInt)n, MPI_INT64_T, MPI_SUM, PETSC_COMM_WORLD));
    fixed_value(n, acc, shift, out);
    times[0] = wall_seconds() - times[0];
    PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
    times[1] = wall_seconds();
    PetscCallMPI(MPI_Allreduce(g, out, (PetscMPIInt)n, MPI_FLOAT, MPI_SUM, PETSC_COMM_WORLD));
    times[1] = wall_seconds() - times[1];
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, times, 2, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD));
    t->fixed = fmin(t->fixed, times[0]);
    t->plain = fmin(t->plain, times[1]);
    go       = wall_seconds() - start < o->seconds;
    PetscCallMPI(MPI_Bcast(&go, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  }
  PetscCall(PetscFree3(g, out, acc));
  PetscFunctionReturn(0);
}

static double network_time(const Options *o, int64_t weights, int ranks)
{
  const double stages = ceil(log2(ranks));
  return 3 * stages * o->latency + 2.0 * (ranks - 1) / ranks * 8 * (double)weights / o->bandwidth;
}

static PetscErrorCode PrintModel(const Options *o, const TrainData *data)
{
  double whole = 0;
  PetscFunctionBeginUser;
  PetscCall(PetscPrintf(PETSC_COMM_SELF,
                        "\nmodel of a step, batch %d, links of %g us and %g GB/s\n ranks  rows  step, one rank's share "
                        "ms  allreduce ms  step ms  speed-up  efficiency\n",
                        (int)o->batch, 1e6 * o->latency, 1e-9 * o->bandwidth));
  for (int ranks = 1; ranks <= 4096 && ranks <= o->batch; ranks *= 4) {
    double share;
    int64_t weights;
    PetscCall(StepTime(o, data, o->batch / ranks, &share, &weights));
    const double net = ranks > 1 ? network_time(o, weights, ranks) : 0, step = share + net;
    if (ranks == 1) whole = step;
    PetscCall(PetscPrintf(PETSC_COMM_SELF, "%6d %5d %26.3f %13.3f %8.3f %9.1f %11.2f\n", ranks, (int)(o->batch / ranks),
                          1e3 * share, 1e3 * net, 1e3 * step, whole / step, whole / step / ranks));
  }
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  Options o;
  float *y, *u;
  int32_t *condition;
  PetscMPIInt rank, size;
  double alone;
  int64_t weights;
  SumTimes sums = {0, 0};
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCall(ReadOptions(&o));
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(PetscMalloc3(ROWS * MODES, &y, 3 * SITES, &u, ROWS, &condition));
  rng_normalf(1, SCORIA_STREAM_SAMPLE, 0, 0, ROWS * MODES, y);
  rng_normalf(1, SCORIA_STREAM_SAMPLE, 1, 0, 3 * SITES, u);
  for (int i = 0; i < ROWS; i++) condition[i] = i % SITES;
  const TrainData data = {ROWS, y, condition, u, NULL, NULL, NULL};
  PetscCall(StepTime(&o, &data, PetscMax(1, o.batch / size), &alone, &weights));
  PetscCall(TimeSums(&o, weights, &sums));
  if (rank == 0) {
    printf("%d ranks, %lld weights: sum of gradients in fixed point %.3f ms, plain float allreduce %.3f ms; a rank's "
           "share of "
           "a step %.3f ms (the difference is %.1f %% of it)\n",
           size, (long long)weights, 1e3 * sums.fixed, 1e3 * sums.plain, 1e3 * alone,
           100 * (sums.fixed - sums.plain) / (alone + sums.plain));
    PetscCall(PrintModel(&o, &data));
  }
  PetscCall(PetscFree3(y, u, condition));
  return PetscFinalize() != 0;
}

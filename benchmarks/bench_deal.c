/* How long rank groups wait when solves differ in cost: dealt as groups get free, against equal blocks.
 * mpirun -n 2 bench_deal [-bench_items n] [-bench_seconds s] [-bench_group_size n]
 *
 * The items sleep, so that it is the dealing that is measured and not what else the machine does; as a solve they keep
 * rank 0 away from MPI meanwhile. */
#include "scoria/base.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Cost of an item from a standard normal number, in any unit. */
static double cost_alike(double g)
{
  (void)g;
  return 1;
}

static double cost_dear(double g)
{
  return g > 1.2816 ? 10 : 1;
}

static const struct {
  const char *name;
  double (*cost)(double g);
} mixes[] = {
    {"all alike", cost_alike},
    {"one in ten 10 x dearer", cost_dear},
    {"lognormal, sigma 1", exp},
};

static void work(double seconds)
{
  const struct timespec nap = {(time_t)seconds, (long)(1e9 * fmod(seconds, 1))};
  nanosleep(&nap, NULL);
}

static void work_items(const double cost[], int64_t start, int64_t count)
{
  for (int64_t i = start; i < start + count; i++) work(cost[i]);
}

/* Seconds that this rank is busy. */
static PetscErrorCode PlayDealt(const ScoriaGroups *groups, const double cost[], int64_t items, double *busy)
{
  ScoriaDealer dealer;
  int64_t start, count = 1, drawn;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDealerCreate(groups, &dealer));
  PetscCall(ScoriaDealerOpen(dealer, 0, items, 1));
  while (count) {
    PetscCall(ScoriaDealerDraw(dealer, false, &start, &count));
    const double began = wall_seconds();
    work_items(cost, start, count);
    *busy += wall_seconds() - began;
  }
  PetscCall(ScoriaDealerClose(dealer, &drawn));
  PetscCall(ScoriaDealerDestroy(&dealer));
  PetscFunctionReturn(0);
}

static PetscErrorCode PlayBlocks(const ScoriaGroups *groups, const double cost[], int64_t items, double *busy)
{
  const double began = wall_seconds();
  int64_t start, count;
  PetscFunctionBeginUser;
  deal_block(items, groups->index, groups->count, &start, &count);
  work_items(cost, start, count);
  *busy += wall_seconds() - began;
  PetscFunctionReturn(0);
}

/* Shares of the run that groups wait: the mean, and the group that waits most. */
static PetscErrorCode Measure(PetscErrorCode (*play)(const ScoriaGroups *, const double *, int64_t, double *),
                              const ScoriaGroups *groups, const double cost[], int64_t items, double idle[2])
{
  double busy = 0, sum, least;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Barrier(groups->comm));
  const double began = wall_seconds();
  PetscCall(play(groups, cost, items, &busy));
  PetscCallMPI(MPI_Allreduce(&busy, &sum, 1, MPI_DOUBLE, MPI_SUM, groups->comm));
  const double run = wall_seconds() - began;
  PetscCallMPI(MPI_Allreduce(&busy, &least, 1, MPI_DOUBLE, MPI_MIN, groups->comm));
  idle[0] = 1 - sum / groups->size / run;
  idle[1] = 1 - least / run;
  PetscFunctionReturn(0);
}

/* Costs (items) [s] of a mix, `seconds` in all. */
static void draw_costs(double (*cost)(double), int64_t items, double seconds, double costs[])
{
  double sum = 0;
  rng_normal(1, SCORIA_STREAM_CONDITION, 0, 0, (int)items, costs);
  for (int64_t i = 0; i < items; i++) sum += costs[i] = cost(costs[i]);
  for (int64_t i = 0; i < items; i++) costs[i] *= seconds / sum;
}

static PetscErrorCode Bench(void)
{
  PetscInt items = 240, group_size = 1;
  PetscReal seconds = 10;
  ScoriaGroups groups;
  double *cost, dealt[2], blocks[2];
  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_items", &items, NULL));
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-bench_seconds", &seconds, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_group_size", &group_size, NULL));
  PetscCall(ScoriaGroupsCreate(PETSC_COMM_WORLD, group_size, &groups));
  PetscCall(PetscMalloc1(items, &cost));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        "%d items, %.1f s of work, %d groups; idle share of the mean and the worst group\n", (int)items,
                        (double)seconds, groups.count));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  %-24s %14s %18s\n", "", "dealt", "equal blocks"));
  for (size_t m = 0; m < sizeof mixes / sizeof mixes[0]; m++) {
    draw_costs(mixes[m].cost, items, seconds, cost);
    PetscCall(Measure(PlayDealt, &groups, cost, items, dealt));
    PetscCall(Measure(PlayBlocks, &groups, cost, items, blocks));
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  %-24s %5.1f %% %5.1f %% %9.1f %% %5.1f %%\n", mixes[m].name,
                          100 * dealt[0], 100 * dealt[1], 100 * blocks[0], 100 * blocks[1]));
  }
  PetscCall(PetscFree(cost));
  PetscCall(ScoriaGroupsDestroy(&groups));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return EXIT_FAILURE;
  const PetscErrorCode ierr = Bench();
  if (PetscFinalize() || ierr) return EXIT_FAILURE;
  return EXIT_SUCCESS;
}

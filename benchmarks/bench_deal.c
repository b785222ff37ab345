/* How long rank groups wait when solves differ in cost: dealt as groups get free, against equal blocks.
 * mpirun -n 2 bench_deal [-bench_items n] [-bench_seconds s] [-bench_group_size n]
 *                        [-bench_draw_seconds s] [-bench_round n]
 *
 * Then what a draw from the counter takes, and from it (or from -bench_draw_seconds, of a network) the share of the
 * time that the counter is busy in a round of -bench_round items a group, by the number of groups and the cost of an
 * item: above 100 % it is the counter that limits.
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
  PetscCall(ScoriaDealerOpen(dealer, 0, items, 1, 1));
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

/* Seconds of a draw: of one group alone, as the group waits for it. */
static PetscErrorCode DrawAlone(const ScoriaGroups *groups, double *seconds)
{
  const int draws = 1000;
  ScoriaDealer dealer;
  int64_t start, count, drawn;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDealerCreate(groups, &dealer));
  PetscCall(ScoriaDealerOpen(dealer, 0, draws, 1, 1));
  const double began = wall_seconds();
  for (int i = 0; i < draws && groups->index == groups->count - 1; i++)
    PetscCall(ScoriaDealerDraw(dealer, false, &start, &count));
  *seconds = (wall_seconds() - began) / draws;
  PetscCallMPI(MPI_Bcast(seconds, 1, MPI_DOUBLE, (groups->count - 1) * groups->full_size, groups->comm));
  PetscCall(ScoriaDealerDraw(dealer, true, &start, &count));
  PetscCall(ScoriaDealerClose(dealer, &drawn));
  PetscCall(ScoriaDealerDestroy(&dealer));
  PetscFunctionReturn(0);
}

/* Seconds of a draw where all groups draw at once, as the dealer finds. */
static PetscErrorCode DrawTogether(const ScoriaGroups *groups, double *seconds)
{
  ScoriaDealer dealer;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDealerCreate(groups, &dealer));
  *seconds = dealer_draw_seconds(dealer);
  PetscCall(ScoriaDealerDestroy(&dealer));
  PetscFunctionReturn(0);
}

/* Chunks of a round, and the seconds that a group needs to walk through all of them. */
static int64_t walk_round(int64_t number, int groups, int64_t smallest, int64_t largest, double *seconds)
{
  const double began = wall_seconds();
  int64_t chunks     = 0;
  for (int64_t at = 0; at < number; chunks++) at += deal_chunk(number - at, groups, smallest, largest);
  *seconds = wall_seconds() - began;
  return chunks;
}

/* Of a round of `share` items a group: how busy the counter is, chunks that end in single items against chunks that
 * grow with the groups.  Largest chunks as generate takes them. */
static PetscErrorCode Saturation(double draw, int64_t share)
{
  static const int groups[]   = {128, 1024, 10000, 100000};
  static const double costs[] = {30e-6, 1e-3, 30e-3, 1};
  PetscFunctionBeginUser;
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "counter busy, %.3g us a draw, %lld items a group and round:\n", 1e6 * draw,
                        (long long)share));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  %8s %10s %14s %18s %10s %14s\n", "groups", "item [s]", "from 1 item",
                        "smallest chunk", "busy", "walk [s]"));
  for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
    for (size_t c = 0; c < sizeof costs / sizeof costs[0]; c++) {
      const int64_t smallest = deal_smallest(groups[g], draw, costs[c], PetscMax(share / 4, 1));
      const int64_t largest = PetscClipInterval((int64_t)(20e-3 / costs[c]), 1, 256), number = share * groups[g];
      const double round = costs[c] * (double)share;
      double seconds;
      const double before = (double)walk_round(number, groups[g], 1, largest, &seconds) * draw / round;
      const double now    = (double)walk_round(number, groups[g], smallest, largest, &seconds) * draw / round;
      PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  %8d %10.1e %12.2f %% %18lld %8.2f %% %14.1e\n", groups[g], costs[c],
                            100 * before, (long long)smallest, 100 * now, seconds));
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode BenchCounter(const ScoriaGroups *groups)
{
  PetscInt share = 2048;
  PetscReal draw;
  PetscBool given;
  double alone, together = 0;
  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_round", &share, NULL));
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-bench_draw_seconds", &draw, &given));
  PetscCall(DrawAlone(groups, &alone));
  PetscCall(DrawTogether(groups, &together));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "a draw: %.3g us alone, %.3g us where all groups draw\n", 1e6 * alone,
                        1e6 * together));
  PetscCall(Saturation(given ? draw : together, share));
  PetscFunctionReturn(0);
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
  PetscCall(BenchCounter(&groups));
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

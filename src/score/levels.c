/* What few values of a condition bear.
 *
 * Least squares of degree g through values f at n levels u_i give sum_i f_i l_i(u) between them, whose error is at most
 * 1 + Lambda times that of the best polynomial of that degree, and which makes Lambda of an error in the f_i,
 *   Lambda = max over u of sum_i |l_i(u)|,
 * Lebesgue's constant (Rivlin, An Introduction to the Approximation of Functions, 1969, ch. 4).  It knows of uneven
 * levels what their number does not: of degree 3 it is 1.5 for six that are even, and 9.7, of degree 5 18,866, for 10,
 * 30, 100, 300, 1000 and 3000 s, so that a polynomial through these swings by orders of magnitude between them.
 *
 * In their logarithm those six are even.  So a condition of few positive values is learned by it where they are more
 * even so; what a law of the conditions (a range to draw from, its middle) is keeps its own spacing. */
#include "levels.h"
#include "train_split.h"
#include "scoria/linalg.h"
#include <math.h>
#include <string.h>

/* Seven even levels bear degree 5 (2.4) and not 6 (4.5); of fewer even ones all degrees stay below. */
#define LARGEST_LEBESGUE 4
#define BETWEEN 400 /* places between the first level and the last: the maximum is then known to .1 % */

/* An axis in the logarithm is taken where its largest gap, over the mean gap, is by this factor smaller. */
#define MORE_EVEN 0.8

/* ------------------------------------------------------------------------------------------------------ finding ----
 */

/* The least value above the last level, again and again. */
PetscErrorCode LevelsFind(const NormTiles *tiles, int d, const double u[], double apart, Levels level[])
{
  double above[SCORIA_MAX_CONDITIONS], next[SCORIA_MAX_CONDITIONS];
  bool more = d > 0;
  PetscFunctionBeginUser;
  for (int j = 0; j < d; j++) above[j] = -INFINITY, level[j].n = 0;
  while (more) {
    for (int j = 0; j < d; j++) next[j] = INFINITY;
    for (int t = 0; t < tiles->tiles; t++)
      for (int64_t i = tiles->start[t]; i < tiles->start[t] + tiles->used[t]; i++)
        for (int j = 0; j < d; j++)
          if (u[i * d + j] > above[j]) next[j] = PetscMin(next[j], u[i * d + j]);
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, next, d, MPI_DOUBLE, MPI_MIN, tiles->comm));
    more = false;
    for (int j = 0; j < d; j++) {
      above[j] = INFINITY;
      if (!isfinite(next[j])) continue;
      level[j].at[level[j].n++] = next[j];
      if (level[j].n > LEVELS_MOST) continue;
      above[j] = next[j] + apart;
      more     = true;
    }
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------------ degrees ----
 */

/* sqrt(2 k + 1) P_k(u) for k = 0 ... g, u from -1 at the first level to 1 at the last. */
static void legendre(const Levels *level, int g, double u, double value[])
{
  const double first = level->at[0], last = level->at[level->n - 1];
  const double x = (u - first) / (last - first) - (last - u) / (last - first);
  double before = 0, now = 1;
  for (int k = 0; k <= g; k++) {
    const double next = ((2 * k + 1) * x * now - k * before) / (k + 1);
    value[k]          = sqrt(2 * k + 1) * now;
    before            = now;
    now               = next;
  }
}

/* Lambda of degree g < n; infinite where the levels do not tell it. */
static double lebesgue(const Levels *level, int g)
{
  const int n = level->n, p = g + 1;
  double G[(NORM_MAX_DEGREE + 1) * (NORM_MAX_DEGREE + 1)] = {0}, P[LEVELS_MOST][NORM_MAX_DEGREE + 1], worst = 0;
  for (int i = 0; i < n; i++) {
    legendre(level, g, level->at[i], P[i]);
    la_syrk(p, 1, p, P[i], G);
  }
  if (!la_cholesky(p, G)) return INFINITY;
  for (int k = 0; k <= BETWEEN; k++) {
    const double t = (double)k / BETWEEN, u = level->at[0] * (1 - t) + level->at[n - 1] * t;
    double value[NORM_MAX_DEGREE + 1], sum  = 0;
    legendre(level, g, u, value);
    la_cholesky_solve(p, G, 1, value);
    for (int i = 0; i < n; i++) {
      double l = 0;
      for (int j = 0; j < p; j++) l += value[j] * P[i][j];
      sum += fabs(l);
    }
    worst = fmax(worst, sum);
  }
  return worst;
}

int levels_degree(const Levels *level)
{
  int g = 0;
  if (level->n > LEVELS_MOST) return NORM_MAX_DEGREE;
  while (g + 1 < PetscMin(level->n, NORM_MAX_DEGREE + 1) && lebesgue(level, g + 1) <= LARGEST_LEBESGUE) g++;
  return g;
}

PetscErrorCode LevelsPowers(const NormTiles *tiles, int d, const double u[], int powers[])
{
  Levels level[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  PetscCall(LevelsFind(tiles, d, u, LEVELS_APART, level));
  for (int j = 0; j < d; j++) powers[j] = 1 + levels_degree(&level[j]);
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------- conditions of a dataset ----
 */

/* The conditions of this rank's block, as one tile. */
typedef struct {
  int64_t first, start[2];
  int used[1];
  double *theta, *u; /* owned (number, n) */
} Block;

static PetscErrorCode BlockRead(MPI_Comm comm, ScoriaDataset ds, int64_t conditions, Block *block)
{
  const ScoriaDatasetSpec *spec;
  int64_t number;
  int rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  deal_block(conditions, rank, size, &block->first, &number);
  block->start[0] = 0;
  block->start[1] = number;
  block->used[0]  = (int)number;
  PetscCall(PetscMalloc2(number * spec->space.n + 1, &block->theta, number * spec->space.n + 1, &block->u));
  PetscCall(ScoriaDatasetReadTheta(ds, block->first, number, block->theta));
  PetscFunctionReturn(0);
}

static PetscErrorCode BlockDestroy(Block *block)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(block->theta, block->u));
  PetscFunctionReturn(0);
}

/* The largest gap over the mean gap. */
static double unevenness(int n, const double at[])
{
  double largest = 0;
  for (int i = 1; i < n; i++) largest = fmax(largest, at[i] - at[i - 1]);
  return largest * (n - 1) / (at[n - 1] - at[0]);
}

static bool more_even_in_logarithm(const ScoriaCondition *c, const Levels *level)
{
  double logarithm[LEVELS_MOST];
  if (c->log || !(c->lo > 0) || level->n < 3 || level->n > LEVELS_MOST) return false;
  for (int i = 0; i < level->n; i++) {
    const double u = level->at[i], theta = 0.5 * ((1 - u) * c->lo + (1 + u) * c->hi);
    if (!(theta > 0)) return false; /* below a range that was given */
    logarithm[i] = log(theta);
  }
  return unevenness(level->n, logarithm) <= MORE_EVEN * unevenness(level->n, level->at);
}

PetscErrorCode ScoriaSpaceLearned(MPI_Comm comm, ScoriaDataset ds, ScoriaSpace *space)
{
  const ScoriaDatasetSpec *spec;
  Levels level[SCORIA_MAX_CONDITIONS];
  Block block;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  PetscCall(BlockRead(comm, ds, spec->rows / spec->realisations, &block));
  for (int64_t i = 0; i < block.start[1]; i++) space_to_unit(space, block.theta + i * space->n, block.u + i * space->n);
  const NormTiles tiles = {comm, 1, block.start, block.used};
  PetscCall(LevelsFind(&tiles, space->n, block.u, LEVELS_SAME, level));
  for (int j = 0; j < space->n; j++) space->c[j].log_learned = more_even_in_logarithm(&space->c[j], &level[j]);
  PetscCall(BlockDestroy(&block));
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsMiddle(MPI_Comm comm, ScoriaDeck deck, ScoriaDataset ds, const ScoriaHoldout *holdout,
                            const ScoriaSpace *space, double theta[])
{
  const ScoriaDatasetSpec *spec;
  int64_t mine = INT64_MAX, chosen;
  double least = INFINITY, share = 0, nearest;
  PetscInt seed = 0;
  Block block;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckReal(deck, "train_validation", &share));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  const int64_t conditions = spec->rows / spec->realisations;
  const TrainSplit split   = train_split(conditions, share, (uint64_t)seed, holdout);
  PetscCall(BlockRead(comm, ds, conditions, &block));
  for (int64_t i = 0; i < block.start[1]; i++) {
    double u[SCORIA_MAX_CONDITIONS], square = 0;
    if (!train_keeps(&split, block.first + i)) continue;
    space_to_learned(space, block.theta + i * space->n, u);
    for (int j = 0; j < space->n; j++) square += u[j] * u[j];
    if (square < least) least = square, mine = block.first + i;
  }
  nearest = least;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &nearest, 1, MPI_DOUBLE, MPI_MIN, comm));
  chosen = least == nearest ? mine : INT64_MAX;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &chosen, 1, MPI_INT64_T, MPI_MIN, comm));
  PetscCheck(chosen < INT64_MAX, comm, PETSC_ERR_PLIB, "no condition to learn from");
  PetscCall(ScoriaDatasetReadTheta(ds, chosen, 1, theta));
  PetscCall(BlockDestroy(&block));
  PetscFunctionReturn(0);
}

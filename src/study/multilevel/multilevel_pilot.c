/* uq of several fidelities: the pilot, in which all members solve every draw.  It chooses the groups, their sizes and
 * the weights; its own draws are not averaged, so that these are independent of what they are applied to. */
#include "multilevel.h"
#include <math.h>
#include <stdlib.h>

#define ROUNDING 1e-12 /* what values differ by that are the same but for their rounding */
#define TINY 1e-150    /* of which the square is a number */

static double *pilot_row(const Levels *l, int64_t i, int member)
{
  return l->pilot + (i * l->K + member) * l->columns;
}

PetscErrorCode LevelsPilotDraw(Levels *l, int64_t i)
{
  const UqQuestion *q = l->q;
  PetscFunctionBeginUser;
  PetscCall(LevelsDraw(l, LEVELS_PILOT, (1u << l->K) - 1, draw_part(SCORIA_DRAWS_UQ, l->k, 0, i), 1));
  if (!l->workers->leads) PetscFunctionReturn(0);
  for (int a = 0; a < l->K; a++) {
    double *to = pilot_row(l, i, a);
    PetscCall(PetscArraycpy(to, l->fields[a], q->m));
    uq_take(l->draws, l->fields[a], to + q->m);
  }
  PetscFunctionReturn(0);
}

/* Bits, of which every double has one writer: they may be joined again and again. */
PetscErrorCode LevelsPilotShare(Levels *l)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaReduceMany(l->workers->all.comm, MPI_BOR, l->o.pilot * l->K * l->columns, MPI_UINT64_T, l->pilot));
  PetscFunctionReturn(0);
}

static bool row_is_good(const Levels *l, int64_t i)
{
  const double *row = pilot_row(l, i, 0);
  for (int j = 0; j < l->K * l->columns; j++)
    if (!isfinite(row[j])) return false;
  return true;
}

static int ascending(const void *one, const void *other)
{
  const double a = *(const double *)one, b = *(const double *)other;
  return (a > b) - (a < b);
}

/* A law with a lump, as an event's or that of what is 0 in most draws: how many draws lie outside of it.  Of any other
 * law, all: no value has a third of the draws. */
static int64_t outside_lump(const Levels *l, int column, double value[])
{
  int64_t most = 1;
  for (int64_t i = 0; i < l->good; i++) value[i] = pilot_row(l, i, 0)[column];
  qsort(value, (size_t)l->good, sizeof *value, ascending);
  for (int64_t i = 0, from = 0; i < l->good; i++) {
    if (value[i] - value[from] > ROUNDING * fabs(value[from])) from = i;
    most = PetscMax(most, i - from + 1);
  }
  return 3 * most >= l->good ? l->good - most : l->good;
}

/* Of n draws outside a lump, members may agree on all and yet differ in as many as 2 of n + 2: covariances are lowered
 * to that, down to none at n = 0, or the plan would have too few draws to see the members differ.  A member that does
 * not vary is of no known use. */
static void doubt(int K, int64_t n, double C[])
{
  const double share = sqrt((double)n / (double)(n + 2));
  for (int a = 0; a < K; a++)
    for (int b = 0; b < K; b++)
      if (a != b) C[a * K + b] *= share;
  for (int a = 0; a < K; a++)
    if (!(C[a * K + a] > 0)) C[a * K + a] = 1;
}

static void column_statistics(Levels *l, int column, double work[])
{
  const int K                = l->K;
  double mean[LEVELS_MODELS] = {0}, *C = l->C + (size_t)column * (size_t)(K * K);
  const double n = (double)l->good;
  for (int64_t i = 0; i < l->good; i++)
    for (int a = 0; a < K; a++) mean[a] += pilot_row(l, i, a)[column] / n;
  for (int a = 0; a < K; a++)
    for (int b = 0; b < K; b++) {
      C[a * K + b] = 0;
      for (int64_t i = 0; i < l->good; i++)
        C[a * K + b] += (pilot_row(l, i, a)[column] - mean[a]) * (pilot_row(l, i, b)[column] - mean[b]) / (n - 1);
    }
  l->centre[column] = mean[0];
  const double sd   = sqrt(C[0]);
  const bool varies = sd > PetscMax(ROUNDING * fabs(mean[0]), TINY);
  l->varies[column] = varies;
  l->scale[column]  = varies ? sd : (fabs(mean[0]) > TINY ? fabs(mean[0]) : 1);
  for (int i = 0; i < K * K; i++) C[i] = varies ? C[i] / (sd * sd) : i % (K + 1) == 0;
  const int64_t outside = outside_lump(l, column, work);
  l->lump[column]       = outside < l->good;
  if (varies && l->lump[column]) doubt(K, outside, C);
}

PetscErrorCode LevelsPilotStatistics(Levels *l)
{
  const int least = l->K + 4;
  double *work;
  PetscFunctionBeginUser;
  PetscCall(LevelsPilotShare(l));
  PetscCall(UqCheckDefined(l->draws, l->workers->all.comm));
  l->good = 0;
  for (int64_t i = 0; i < l->o.pilot; i++) {
    if (!row_is_good(l, i)) continue;
    if (i > l->good) PetscCall(PetscArraycpy(pilot_row(l, l->good, 0), pilot_row(l, i, 0), l->K * l->columns));
    l->good++;
  }
  for (int64_t j = l->good * l->K * l->columns; j < l->o.pilot * l->K * l->columns; j++) l->pilot[j] = NAN;
  if (l->good < least)
    SCORIA_FAIL(SCORIA_EXIT_SOLVES,
                "uq: condition %d: all fidelities solved %lld of the %lld draws of the pilot, expected at least %d",
                l->k, (long long)l->good, (long long)l->o.pilot, least);
  PetscCall(PetscMalloc1(l->good, &work));
  for (int j = 0; j < l->columns; j++) column_statistics(l, j, work);
  PetscCall(PetscFree(work));
  PetscFunctionReturn(0);
}

/* Of a cell its value; of any cell beyond the threshold the most extreme one, of all cells the least extreme. */
static double deciding(const ScoriaThreshold *limit, int cell, const double row[])
{
  const double sign = limit->below ? -1 : 1;
  double v          = sign * row[limit->first + PetscMax(cell, 0)];
  for (int j = 1; j < limit->number && cell < 0; j++) {
    const double x = sign * row[limit->first + j];
    v              = cell == SUMMARY_ANY ? PetscMax(v, x) : PetscMin(v, x);
  }
  return v;
}

void levels_threshold(const Levels *l, int t, int cell, double C[], double *p)
{
  const ScoriaThreshold *limit = &l->q->threshold[t];
  const int K                  = l->K;
  const double n = (double)l->good, sign = limit->below ? -1 : 1;
  double mean[LEVELS_MODELS] = {0}, x[LEVELS_MODELS];
  for (int i = 0; i < K * K; i++) C[i] = 0;
  for (int64_t i = 0; i < l->good; i++)
    for (int a = 0; a < K; a++) mean[a] += deciding(limit, cell, pilot_row(l, i, a)) / n;
  for (int64_t i = 0; i < l->good; i++) {
    for (int a = 0; a < K; a++) x[a] = deciding(limit, cell, pilot_row(l, i, a)) - mean[a];
    for (int a = 0; a < K; a++)
      for (int b = 0; b < K; b++) C[a * K + b] += x[a] * x[b] / (n - 1);
  }
  const double z = C[0] > 0 ? (sign * limit->value - mean[0]) / sqrt(C[0]) : 0;
  *p             = PetscMax(1e-4, PetscMin(1 - 1e-4, 0.5 * erfc(z / sqrt(2))));
}

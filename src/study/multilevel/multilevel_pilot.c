/* uq of several fidelities: the pilot, in which all members solve every draw.  It chooses the groups, their sizes and
 * the weights; its own draws are not averaged, so that these are independent of what they are applied to. */
#include "multilevel.h"
#include <math.h>

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
  PetscCall(
      LevelsDraw(l, LEVELS_PILOT, (1u << fidelities_number(l->all)) - 1, draw_part(SCORIA_DRAWS_UQ, l->k, 0, i), 1, 0));
  if (!l->workers->leads) PetscFunctionReturn(0);
  for (int a = 0; a < l->K; a++) {
    double *to   = pilot_row(l, i, a);
    const int of = levels_screens(l, a) ? l->o.screen : a; /* its own row follows from the whole pilot */
    PetscCall(PetscArraycpy(to, l->fields[of], q->m));
    uq_take(l->draws, l->fields[of], to + q->m);
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
  for (int64_t j = 0; j < l->K * l->columns; j++)
    if (!isfinite(row[j])) return false;
  return true;
}

/* A law with a lump, as an event's or that of what is 0 in most draws: how many of n values, which are sorted, lie
 * outside of it.  Of any other law, all: no value has a third of the draws. */
static int64_t outside_lump(int64_t n, double value[])
{
  int64_t most = 1;
  stats_sort(n, value);
  for (int64_t i = 0, from = 0; i < n; i++) {
    if (value[i] - value[from] > ROUNDING * fabs(value[from])) from = i;
    most = PetscMax(most, i - from + 1);
  }
  return 3 * most >= n ? n - most : n;
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

/* Means (K) and covariance (K, K) of a column. */
static void column_moments(const Levels *l, int column, double mean[], double C[])
{
  const int K    = l->K;
  const double n = (double)l->good;
  for (int a = 0; a < K; a++) mean[a] = 0;
  for (int i = 0; i < K * K; i++) C[i] = 0;
  for (int64_t i = 0; i < l->good; i++)
    for (int a = 0; a < K; a++) mean[a] += pilot_row(l, i, a)[column] / n;
  for (int64_t i = 0; i < l->good; i++)
    for (int a = 0; a < K; a++)
      for (int b = 0; b < K; b++)
        C[a * K + b] += (pilot_row(l, i, a)[column] - mean[a]) * (pilot_row(l, i, b)[column] - mean[b]) / (n - 1);
}

static bool exceeds_rounding(double sd, double mean)
{
  return sd > PetscMax(ROUNDING * fabs(mean), TINY);
}

/* The member whose law, as far as places and scales go, member a has: its own, or that of its like. */
static int law_of(const Levels *l, int a)
{
  const int same = levels_same(l, a);
  return same ? same - 1 : a;
}

/* Members have their own centres and scales, if not their laws are said to be the same, so that a value of one is as
 * rare as that of another.  But a lump stays where it is, and what has a constant scale stays in that of the first. */
static void take_scales(Levels *l, int column, const double mean[], const double C[])
{
  const int K    = l->K;
  const double s = sqrt(C[0]);
  for (int a = 0; a < K; a++) {
    const int of    = law_of(l, a);
    const double sd = sqrt(C[of * K + of]);
    const bool own = l->varies[column] && !l->lump[column], scaled = own && l->o.estimator->rescales;
    double *centre = l->centre + a * l->columns + column, *scale = l->scale + a * l->columns + column;
    *centre = mean[own ? of : 0];
    *scale  = l->varies[column] ? s : (fabs(mean[0]) > TINY ? fabs(mean[0]) : 1);
    if (scaled && exceeds_rounding(sd, mean[of])) *scale = sd;
  }
}

static void column_statistics(Levels *l, int column, bool screened, double work[])
{
  const int K = l->K;
  double mean[LEVELS_MODELS], *C = l->C + (size_t)column * (size_t)(K * K);
  column_moments(l, column, mean, C);
  for (int64_t i = 0; i < l->good; i++) work[i] = pilot_row(l, i, 0)[column];
  const int64_t outside = outside_lump(l->good, work);
  l->varies[column]     = exceeds_rounding(sqrt(C[0]), mean[0]);
  l->lump[column]       = outside < l->good;
  take_scales(l, column, mean, C);
  for (int a = 0; a < K; a++)
    for (int b = 0; b < K; b++) {
      const double unit = l->scale[a * l->columns + column] * l->scale[b * l->columns + column];
      C[a * K + b]      = l->varies[column] ? C[a * K + b] / unit : a == b;
    }
  if (l->varies[column] && l->lump[column]) doubt(K, outside, C);
  if (screened && l->varies[column]) C[K * K - 1] += levels_excess_moment(l, column, 1);
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

void levels_threshold(const Levels *l, int t, int cell, double C[], double *p, double to[])
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
  for (int a = 0; a < K; a++) {
    const int of    = law_of(l, a);
    const double sd = sqrt(C[of * K + of]);
    to[a]           = limit->value;
    if (of > 0 && exceeds_rounding(sd, mean[of]) && exceeds_rounding(sqrt(C[0]), mean[0]))
      to[a] = sign * (mean[of] + z * sd);
  }
}

void levels_beyond(const Levels *l, int t, int cell, double to[])
{
  const ScoriaThreshold *limit = &l->q->threshold[t];
  const int K = l->K, quantity = limit->first - l->q->m;
  const double sign = limit->below ? -1 : 1;
  double C[LEVELS_MODELS * LEVELS_MODELS], own[LEVELS_MODELS], p;
  levels_threshold(l, t, cell, C, &p, own);
  covariance_of_indicators(K, C, p, to);
  if (!l->o.screen) return;
  for (int64_t k = 0; k < l->good; k++) {
    double *base = &l->pairs[l->o.pilot + k];
    l->pairs[k]  = sign * deciding(limit, cell, pilot_row(l, k, 0));
    *base        = sign * deciding(limit, cell, pilot_row(l, k, l->o.screen));
    if (quantity >= 0) *base = l->screened[quantity].shift + l->screened[quantity].factor * *base;
  }
  to[K * K - 1] += levels_excess_beyond(l, limit->value);
}

/* A lump keeps its limit, as of columns. */
static bool decides_in_lumps(const Levels *l, const ScoriaThreshold *limit, int cell, double work[])
{
  for (int64_t i = 0; i < l->good; i++) work[i] = deciding(limit, cell, pilot_row(l, i, 0));
  return outside_lump(l->good, work) < l->good;
}

static void take_limits(Levels *l, double work[])
{
  double C[LEVELS_MODELS * LEVELS_MODELS], p, own[LEVELS_MODELS];
  int at = 0;
  for (int t = 0; t < l->q->nthresholds; t++) {
    const ScoriaThreshold *limit = &l->q->threshold[t];
    for (int j = 0; j < limit->number + 2; j++, at++) {
      const int cell = j < limit->number ? j : (j == limit->number ? SUMMARY_ANY : SUMMARY_ALL);
      const bool raw = decides_in_lumps(l, limit, cell, work);
      levels_threshold(l, t, cell, C, &p, own);
      for (int a = 0; a < l->K; a++) l->limit[a * l->cells + at] = raw ? limit->value : own[a];
    }
  }
}

int levels_least(const Levels *l)
{
  return l->K + 4;
}

PetscErrorCode LevelsPilotForget(Levels *l)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMemzero(l->total, sizeof l->total));
  PetscCall(PetscArrayzero(l->pilot, l->o.pilot * l->K * l->columns));
  PetscCall(PetscArrayzero(l->wide, l->columns));
  l->pilot_done = 0;
  l->good       = -1;
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsPilotStatistics(Levels *l)
{
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
  if (l->good < levels_least(l)) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(l->good, &work));
  for (int j = 0; j < l->columns; j++) column_statistics(l, j, false, work);
  if (!l->o.screen) take_limits(l, work);
  PetscCall(PetscFree(work));
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsPilotScreen(Levels *l)
{
  double *work;
  PetscFunctionBeginUser;
  PetscCall(LevelsScreenTake(l));
  PetscCall(PetscMalloc1(l->good, &work));
  for (int j = 0; j < l->columns; j++) column_statistics(l, j, true, work);
  take_limits(l, work);
  PetscCall(PetscFree(work));
  PetscFunctionReturn(0);
}

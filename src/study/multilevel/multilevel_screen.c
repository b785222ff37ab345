/* uq of several fidelities: a member for outer quantiles.
 *
 * Whether a value is beyond an outer quantile is settled by a cheap fidelity's in most draws, as most lie far from it.
 * So the screened member has the base's values, brought to the deck's own by a regression in the pilot, and the deck's
 * own solve where these values lie near an outer quantile that is asked for, or beyond it: there it agrees with the
 * first member on nearly all draws, at the cost of the base and of a few solves.  It is a function of the draw as any
 * other member is: what it misses costs draws, and biases nothing.  Compare two-phase sampling (Cochran, Sampling
 * Techniques, ch. 12). */
#include "multilevel.h"
#include <math.h>

#define OUTER 0.025  /* quantiles this far out or farther */
#define MARGIN 2.5   /* residual SDs of the regression, by which draws are near */
#define DIFFERS 2e-3 /* of the variance of an indicator, by which the member is thought to differ from the first */
#define SAME_P 1e-12 /* probabilities of the deck, but for rounding */
/* The error of draws beyond the quantile whose cheap value lies far from it, which the fine draws may not have seen:
 * that of HALF a draw among them, or of a share MISSED of the tail, whichever is less.  Over numbers of draws of both
 * kinds from 60 and 2,000 to 10,000 and 300,000 the 95 % intervals of shares of .01 and .02 then hold at least 93 % at
 * any share that is missed up to MISSED, 78 % without (as of binomial numbers). */
#define HALF 0.5
#define MISSED 0.1

bool levels_screens(const Levels *l, int member)
{
  return l->o.screen > 0 && member == l->K - 1;
}

bool levels_is_outer(double tail)
{
  return tail < OUTER + SAME_P;
}

/* Moments of quantity i of the first member and of the base in the pilot. */
typedef struct {
  double mean[2], sd[2], r;
} Pair;

static const double *pilot_of(const Levels *l, int64_t draw, int member)
{
  return l->pilot + (draw * l->K + member) * l->columns + l->q->m;
}

static Pair pair_of(const Levels *l, int i)
{
  const double n = (double)l->good;
  Pair p         = {.r = 0};
  for (int64_t k = 0; k < l->good; k++) {
    p.mean[0] += pilot_of(l, k, 0)[i] / n;
    p.mean[1] += pilot_of(l, k, l->o.screen)[i] / n;
  }
  for (int64_t k = 0; k < l->good; k++) {
    const double x = pilot_of(l, k, 0)[i] - p.mean[0], y = pilot_of(l, k, l->o.screen)[i] - p.mean[1];
    p.sd[0] += x * x / (n - 1);
    p.sd[1] += y * y / (n - 1);
    p.r += x * y / (n - 1);
  }
  for (int a = 0; a < 2; a++) p.sd[a] = sqrt(p.sd[a]);
  p.r = p.sd[0] * p.sd[1] > 0 ? p.r / (p.sd[0] * p.sd[1]) : 0;
  return p;
}

/* Where, in SDs from the mean towards a tail, the quantile with `tail` beyond may begin: of the normal law or of the
 * pilot's draws, sorted, whichever is nearer, less its standard error. */
static double may_begin(const Levels *l, int side, double tail, const Pair *p, const double sorted[])
{
  const double normal = normal_place(1 - tail), n = (double)l->good;
  const int64_t from_end = PetscMin((int64_t)(tail * n), l->good - 1);
  const double drawn     = side ? sorted[l->good - 1 - from_end] - p->mean[0] : p->mean[0] - sorted[from_end];
  return PetscMin(normal, drawn / p->sd[0]) - sqrt(tail * (1 - tail) / n) / normal_density(normal);
}

static void take_quantity(Levels *l, int i, double work[])
{
  const Pair p      = pair_of(l, i);
  LevelsScreened *s = &l->screened[i];
  *s                = (LevelsScreened){.factor = 1, .from = {INFINITY, INFINITY}, .near = {INFINITY, INFINITY}};
  if (!l->varies[l->q->m + i] || !(p.sd[1] > 0)) return;
  s->factor = p.r * p.sd[0] / p.sd[1];
  s->mean   = p.mean[0];
  s->shift  = p.mean[0] - s->factor * p.mean[1];
  s->sd     = p.sd[0];
  if (l->lump[l->q->m + i] || l->o.aside[i]) return;
  for (int64_t k = 0; k < l->good; k++) work[k] = pilot_of(l, k, 0)[i];
  stats_sort(l->good, work);
  for (int t = 0; t < l->q->nprobabilities; t++) {
    const int side    = l->q->probability[t] > 0.5;
    const double tail = side ? 1 - l->q->probability[t] : l->q->probability[t];
    if (!levels_is_outer(tail)) continue;
    s->from[side] = PetscMin(s->from[side], may_begin(l, side, tail, &p, work));
    s->near[side] = s->from[side] - MARGIN * sqrt(PetscMax(1 - p.r * p.r, 0));
  }
}

/* The base's quantities as the regression brings them to the first member's. */
static void bring(const Levels *l, double quantity[])
{
  for (int i = 0; i < l->q->nquantities; i++) quantity[i] = l->screened[i].shift + l->screened[i].factor * quantity[i];
}

bool levels_is_near(const Levels *l, const double quantity[])
{
  for (int i = 0; i < l->q->nquantities; i++) {
    const LevelsScreened *s = &l->screened[i];
    if (!isfinite(s->near[0]) && !isfinite(s->near[1])) continue;
    const double z = (s->shift + s->factor * quantity[i] - s->mean) / s->sd;
    if (-z >= s->near[0] || z >= s->near[1]) return true;
  }
  return false;
}

void levels_screen_row(const Levels *l, bool near, double row[])
{
  if (!near) bring(l, row + l->q->m);
}

void levels_screen_take(Levels *l, double work[])
{
  int64_t near = 0;
  for (int i = 0; i < l->q->nquantities; i++) take_quantity(l, i, work);
  for (int64_t k = 0; k < l->good; k++) {
    double *row         = l->pilot + (k * l->K + l->K - 1) * l->columns;
    const bool is_near  = levels_is_near(l, pilot_of(l, k, l->o.screen));
    const double *value = l->pilot + (k * l->K + (is_near ? 0 : l->o.screen)) * l->columns;
    for (int j = 0; j < l->columns; j++) row[j] = value[j];
    levels_screen_row(l, is_near, row);
    near += is_near;
  }
  l->near = ((double)near + 0.5) / ((double)l->good + 1);
}

/* Whether the member is for such a place, z SDs of the first from its mean. */
static bool is_screened(const Levels *l, int column, double z)
{
  const int i = column - l->q->m;
  return levels_screens(l, l->K - 1) && i >= 0 && (-z >= l->screened[i].from[0] || z >= l->screened[i].from[1]);
}

double levels_missed(const Levels *l, int column, double z, double share, double fine)
{
  if (!is_screened(l, column, z)) return 0;
  const double most = MISSED * PetscMin(share, 1 - share);
  return fine > 0 ? PetscMin(sqrt(HALF) / fine, most) : most;
}

double levels_missed_draws(double tail, double part)
{
  return sqrt(HALF) / (sqrt(part) * MISSED * tail);
}

/* As of a normal law; but where it is screened for an outer quantile, the member's indicator is that of the first one
 * and, by DIFFERS, a number of its own: a covariance, however well another member agrees with the first. */
void levels_indicators(const Levels *l, int column, double p, double z, int smoothing, double to[])
{
  const int K = l->K, a = K - 1;
  covariance_of_smoothed(K, levels_covariance(l, column), p, smoothing, coupled_edge(1) - coupled_edge(0), to);
  if (!is_screened(l, column, z)) return;
  for (int b = 0; b < a; b++) to[a * K + b] = to[b * K + a] = (1 - DIFFERS) * to[b];
  to[a * K + a] = to[0];
}

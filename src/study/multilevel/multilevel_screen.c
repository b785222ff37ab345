/* uq of several fidelities: a member for outer quantiles.
 *
 * On which side of an outer quantile a draw lies is settled by a cheap fidelity in most draws, as most lie far from it.
 * So the screened member has the base's values, brought to the deck's own by a regression in the pilot, and in a sample
 * of its draws the deck's own solve in place of these, as many times as makes up for the draws that were not sampled:
 * its mean is the deck's own, whatever is averaged (Horvitz and Thompson 1952).  The nearer a draw's cheap value lies
 * to an outer quantile that is asked for, the likelier it is solved: with a probability in proportion to the SD of what
 * is not known of its indicator, which is Neyman's allocation (1934; two phases: Cochran, Sampling Techniques, ch. 12).
 */
#include "multilevel.h"
#include <math.h>

#define SQUARE(x) ((x) * (x))
#define OUTER 0.025      /* quantiles this far out or farther */
#define MOST_TIMES 64    /* that a solve counts: one in so many draws is solved wherever it lies */
#define JUMP 0.25        /* of F about a quantile, by one solve, */
#define MARGIN 3.0       /* residual SDs of the base and errors of the place, in which a draw is beside a quantile */
#define LEAST_R 0.5      /* of a base that tells less its own places are not much use */
#define SAME_P 1e-12     /* probabilities of the deck, but for rounding */
#define STEPS_OF_WIDTH 4 /* of an integral over places, to a per cent, */
#define WIDTHS 4         /* on both sides */
/* The error of draws beyond the quantile whose cheap value lies far from it, which the solves may not have shown: that
 * of HALF a draw among them, or of a share MISSED of the tail, whichever is less.  Over numbers of draws of both
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

int levels_same(const Levels *l, int member)
{
  return levels_screens(l, member) ? 1 : fidelities_same(l->all, member);
}

double levels_sampled_anywhere(const Levels *l, double draws)
{
  return l->o.screen > 0 ? draws / MOST_TIMES : 0;
}

/* ------------------------------------------------------------------------------------------------ the rule ---- */

/* Moments of quantity i of the first member and of the base in the pilot. */
typedef struct {
  double mean[2], sd[2], r;
} Pair;

static const double *pilot_of(const Levels *l, int64_t draw, int member)
{
  return l->pilot + (draw * l->K + member) * l->columns;
}

static Pair pair_of(const Levels *l, int column)
{
  const double n = (double)l->good;
  Pair p         = {.r = 0};
  for (int64_t k = 0; k < l->good; k++) {
    p.mean[0] += pilot_of(l, k, 0)[column] / n;
    p.mean[1] += pilot_of(l, k, l->o.screen)[column] / n;
  }
  for (int64_t k = 0; k < l->good; k++) {
    const double x = pilot_of(l, k, 0)[column] - p.mean[0], y = pilot_of(l, k, l->o.screen)[column] - p.mean[1];
    p.sd[0] += x * x / (n - 1);
    p.sd[1] += y * y / (n - 1);
    p.r += x * y / (n - 1);
  }
  for (int a = 0; a < 2; a++) p.sd[a] = sqrt(p.sd[a]);
  p.r = p.sd[0] * p.sd[1] > 0 ? p.r / (p.sd[0] * p.sd[1]) : 0;
  return p;
}

/* Outer quantiles as the base's draws have them, sorted; the first's lie as much farther out as its SD is larger than
 * what the base tells of it. */
static void place(const Levels *l, int64_t n, const double sorted[], double r, LevelsScreened *s)
{
  for (int t = 0; t < l->q->nprobabilities; t++) {
    const double p = l->q->probability[t], tail = PetscMin(p, 1 - p);
    const int side = p > 0.5;
    if (!levels_is_outer(tail)) continue;
    const int64_t from_end = PetscMin((int64_t)(tail * (double)n), n - 1);
    const double drawn     = (s->shift + s->factor * sorted[side == (s->factor > 0) ? n - 1 - from_end : from_end]);
    const double z         = (drawn - s->mean) / s->sd / PetscMax(fabs(r), LEAST_R);
    const double se        = sqrt(tail * (1 - tail) / (double)n) / normal_density(normal_place(tail));
    s->at[s->n++]          = (LevelsPlace){p, z, se};
    s->from[side]          = PetscMin(s->from[side], (side ? z : -z) - MARGIN * hypot(s->left, se));
  }
}

/* work (to_place) */
static void take_quantity(Levels *l, int i, double work[])
{
  const int column  = l->q->m + i;
  const Pair p      = pair_of(l, column);
  LevelsScreened *s = &l->screened[i];
  int64_t n         = 0;
  *s                = (LevelsScreened){.factor = 1, .from = {INFINITY, INFINITY}};
  if (!l->varies[column] || !(p.sd[1] > 0)) return;
  s->factor = p.r * p.sd[0] / p.sd[1];
  s->mean   = p.mean[0];
  s->shift  = p.mean[0] - s->factor * p.mean[1];
  s->sd     = p.sd[0];
  s->left   = sqrt(PetscMax(1 - p.r * p.r, 0));
  if (l->lump[column] || l->o.aside[i]) return;
  for (int64_t k = 0; k < l->to_place; k++) {
    const double x = l->placed[k * l->q->nquantities + i];
    if (isfinite(x)) work[n++] = x;
  }
  stats_sort(n, work);
  if (n > 0) place(l, n, work, p.r, s);
}

double levels_place(const Levels *l, int column, double p)
{
  const LevelsScreened *s = &l->screened[PetscMax(column - l->q->m, 0)];
  for (int t = 0; t < s->n && column >= l->q->m; t++)
    if (s->at[t].p == p) return s->at[t].z;
  return normal_place(p);
}

/* A quantile is looked for where F is p.  A solve that counts w times of n draws moves F by w / n between its cheap
 * value and its own: by no more than JUMP of what F differs from p there, and of its error.  Beyond the quantile that
 * is less than the tail, and every draw is solved. */
static double visible(const Levels *l, const LevelsPlace *at, double inside)
{
  const double tail = PetscMin(at->p, 1 - at->p), n = l->asked;
  const double z = -normal_place(tail) - PetscMax(0, inside - at->se), further = 0.5 * erfc(z * M_SQRT1_2) - tail;
  return 1 / (JUMP * (n * further + sqrt(n * tail * (1 - tail))));
}

/* The square of the probability that a draw is solved of which a quantity's cheap value lies z SDs from the mean. */
static double square_at(const Levels *l, const LevelsScreened *s, double z)
{
  double sum = 0;
  for (int t = 0; t < s->n; t++) {
    const LevelsPlace *at = &s->at[t];
    const double inside   = PetscMax(0, at->z > 0 ? at->z - z : z - at->z);
    const double unknown  = 0.5 * erfc(inside / (hypot(s->left, at->se) * M_SQRT2)) / (at->p * (1 - at->p));
    sum += l->thrift * unknown + SQUARE(visible(l, at, inside));
  }
  return sum;
}

/* A power of two, so that sums of what is counted are integers: the probability is off by 1.5 at most. */
static int times_of(double square)
{
  int times = 1;
  while (times < MOST_TIMES && 2 * SQUARE(times) * square < 1) times *= 2;
  return times;
}

int levels_times(const Levels *l, const double quantity[])
{
  double sum = 0;
  for (int i = 0; i < l->q->nquantities; i++) {
    const LevelsScreened *s = &l->screened[i];
    if (s->n > 0) sum += square_at(l, s, (s->shift + s->factor * quantity[i] - s->mean) / s->sd);
  }
  return times_of(sum);
}

int levels_sampled(const Levels *l, uint64_t draw, int times)
{
  double u;
  rng_uniform(l->o.seed, SCORIA_STREAM_SCREEN, draw, 0, 1, &u);
  return u * times < 1 ? times : 0;
}

/* The base's quantities as the regression brings them to the first member's. */
void levels_bring(const Levels *l, double quantity[])
{
  for (int i = 0; i < l->q->nquantities; i++) quantity[i] = l->screened[i].shift + l->screened[i].factor * quantity[i];
}

/* In the pilot every draw is solved, and the member is the first one. */
static void take_pilot(Levels *l)
{
  double near = 0;
  for (int64_t k = 0; k < l->good; k++) {
    double *row = l->pilot + (k * l->K + l->K - 1) * l->columns;
    for (int j = 0; j < l->columns; j++) row[j] = pilot_of(l, k, 0)[j];
    l->pilot_times[k] = levels_times(l, pilot_of(l, k, l->o.screen) + l->q->m);
  }
  for (int64_t k = 0; k < l->to_place; k++)
    near += 1.0 / levels_times(l, l->placed + k * l->q->nquantities) / (double)l->to_place;
  l->near = near;
}

PetscErrorCode LevelsScreenTake(Levels *l)
{
  double *work;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(l->to_place, &work));
  for (int i = 0; i < l->q->nquantities; i++) take_quantity(l, i, work);
  PetscCall(PetscFree(work));
  take_pilot(l);
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------- what sampling costs ---- */

/* The first member's and the base's number of a draw of the pilot, in SDs of the first from its mean. */
static void both_of(const Levels *l, int64_t k, int column, double *first, double *base)
{
  const int i     = column - l->q->m;
  const double *x = pilot_of(l, k, 0), *y = pilot_of(l, k, l->o.screen);
  const double brought = i >= 0 ? l->screened[i].shift + l->screened[i].factor * y[column] : y[column];
  *first               = (x[column] - l->centre[column]) / l->scale[column];
  *base                = (brought - l->centre[column]) / l->scale[column];
}

void levels_pilot_z(const Levels *l, int64_t draw, int member, int column, int times, double z[2])
{
  const int64_t place = member * l->columns + column;
  double base;
  if (levels_screens(l, member)) {
    both_of(l, draw, column, &z[0], &base);
    z[1] = base * base + times * (z[0] * z[0] - base * base);
    z[0] = base + times * (z[0] - base);
  } else {
    z[0] = (pilot_of(l, draw, member)[column] - l->centre[place]) / l->scale[place];
    z[1] = z[0] * z[0];
  }
}

double levels_excess_moment(const Levels *l, int column, int power)
{
  double sum = 0, x, y;
  for (int64_t k = 0; k < l->good; k++) {
    both_of(l, k, column, &x, &y);
    const double gap = power == 1 ? x - y : x * x - y * y;
    sum += (l->pilot_times[k] - 1) * gap * gap / (double)l->good;
  }
  return sum;
}

double levels_excess_beyond(const Levels *l, double limit)
{
  const double *first = l->pairs, *base = l->pairs + l->o.pilot;
  double square = 0, sum = 0;
  for (int64_t k = 0; k < l->good; k++) square += SQUARE(first[k] - base[k]) / (double)l->good;
  for (int64_t k = 0; k < l->good && square > 0; k++)
    sum += (l->pilot_times[k] - 1) * 0.5 * erfc(fabs(limit - base[k]) / sqrt(2 * square)) / (double)l->good;
  return sum;
}

static double excess_of_cell(const Levels *l, int column, double z)
{
  for (int64_t k = 0; k < l->good; k++) both_of(l, k, column, &l->pairs[k], &l->pairs[l->o.pilot + k]);
  return levels_excess_beyond(l, z);
}

/* What sampling adds to the variance of an indicator at z SDs, below which is p: of a quantity by what its own outer
 * quantiles let be solved, over a normal residual and a density that is the same all about. */
static double excess_of_indicator(const Levels *l, int column, double p, double z)
{
  const LevelsScreened *s = &l->screened[PetscMax(column - l->q->m, 0)];
  const double step       = 1.0 / STEPS_OF_WIDTH;
  double sum              = 0;
  if (column < l->q->m) return excess_of_cell(l, column, z);
  for (int i = -WIDTHS * STEPS_OF_WIDTH; i <= WIDTHS * STEPS_OF_WIDTH; i++)
    sum += (times_of(square_at(l, s, z + s->left * i * step)) - 1) * 0.5 * erfc(fabs(i * step) * M_SQRT1_2) * step;
  return normal_density(normal_place(p)) * s->left * sum;
}

/* As of a normal law, of which the screened member has the first one's part. */
static void normal_part(const Levels *l, int column, double C[])
{
  const int K = l->K, a = K - 1;
  for (int i = 0; i < K * K; i++) C[i] = l->C[(size_t)column * (size_t)(K * K) + (size_t)i];
  if (levels_screens(l, a)) C[a * K + a] = C[0];
}

void levels_squares(const Levels *l, int column, double to[])
{
  const int K = l->K, a = K - 1;
  double C[LEVELS_MODELS * LEVELS_MODELS];
  normal_part(l, column, C);
  covariance_of_squares(K, C, to);
  if (levels_screens(l, a) && l->varies[column]) to[a * K + a] += levels_excess_moment(l, column, 2);
}

void levels_indicators(const Levels *l, int column, double p, double z, int smoothing, double to[])
{
  const int K = l->K, a = K - 1;
  double C[LEVELS_MODELS * LEVELS_MODELS];
  normal_part(l, column, C);
  covariance_of_smoothed(K, C, p, smoothing, coupled_edge(1) - coupled_edge(0), to);
  if (levels_screens(l, a) && l->varies[column]) to[a * K + a] += excess_of_indicator(l, column, p, z);
}

/* --------------------------------------------------------------------------------------------- what is missed ---- */

/* Whether a place, z SDs of the first from its mean, is beside an outer quantile or beyond it. */
static bool is_screened(const Levels *l, int column, double z)
{
  const int i = column - l->q->m;
  return levels_screens(l, l->K - 1) && i >= 0 && (-z >= l->screened[i].from[0] || z >= l->screened[i].from[1]);
}

double levels_missed(const Levels *l, int column, double z, double share, double solved)
{
  if (!is_screened(l, column, z)) return 0;
  const double most = MISSED * PetscMin(share, 1 - share);
  return solved > 0 ? PetscMin(sqrt(HALF) / solved, most) : most;
}

double levels_missed_draws(double tail, double part)
{
  return sqrt(HALF) / (sqrt(part) * MISSED * tail);
}

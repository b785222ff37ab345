/* uq of several fidelities: distribution functions, quantiles and exceedances, with intervals that hold where members
 * seldom differ. */
#include "multilevel.h"
#include <math.h>

#define SQUARE(x) ((x) * (x))

typedef struct {
  int column, edge;
} Edge;

static void take_below(const void *ctx, ScoriaCoupled sums, double mean[], double covariance[])
{
  const Edge *at = ctx;
  coupled_below(sums, at->column, at->edge, mean, covariance);
}

#define SMOOTHING 3 /* edges on both sides, .1 SD: biases a quantile by .002 SD where the law is normal */
#define STEEP 0.75  /* change of the share below, over the smaller tail: .6 where the law is normal and p = .005 */
#define NORMAL95 1.959963984540054

int levels_smoothing(const Levels *l, int column, double p)
{
  const double change = 2 * (coupled_edge(1) - coupled_edge(0)) * normal_density(normal_place(p));
  return l->lump[column] ? 0 : (int)PetscMin(SMOOTHING, STEEP * PetscMin(p, 1 - p) / change);
}

/* Edges on both sides to smooth by: fewer where the law is so steep that the share below changes by much among them. */
static int smoothing_at(const double raw[], double p)
{
  int edge = 0, to = SMOOTHING;
  while (edge < COUPLED_BINS && raw[edge] < p) edge++;
  while (to > 0 && raw[PetscMin(COUPLED_BINS, edge + to)] - raw[PetscMax(0, edge - to)] > STEEP * PetscMin(p, 1 - p))
    to--;
  return to;
}

/* The distribution function at all edges, (COUPLED_BINS + 1), with the weights for p.  It is smoothed: differences of
 * models are noisy from one edge to the next; but a lump stays where it is.  Returns by how many edges on both sides.
 */
static int distribution(const Levels *l, int column, double p, double F[])
{
  ScoriaPlan plan;
  double C[LEVELS_MODELS * LEVELS_MODELS], w[PLAN_GROUPS * LEVELS_MODELS], raw[COUPLED_BINS + 1] = {0};
  double share[(COUPLED_BINS + 1) * LEVELS_MODELS];
  int of[LEVELS_MODELS];
  levels_indicators(l, column, p, levels_place(l, column, p), levels_smoothing(l, column, p), C);
  levels_weights(l, C, &plan, w);
  for (int j = 0; j < plan.groups; j++) {
    const int n = levels_members(l, j, of);
    coupled_shares(l->groups.sums[j], column, share);
    for (int k = 0; k <= COUPLED_BINS; k++)
      for (int a = 0; a < n; a++) raw[k] += w[j * l->K + of[a]] * share[k * n + a];
  }
  const int smoothing = l->lump[column] ? 0 : smoothing_at(raw, p);
  for (int k = 0; k <= COUPLED_BINS; k++) {
    F[k] = 0;
    for (int i = -smoothing; i <= smoothing; i++)
      F[k] += raw[PetscMax(0, PetscMin(COUPLED_BINS, k + i))] / (2 * smoothing + 1);
  }
  return smoothing;
}

/* z between edges k - 1 and k at which F is p. */
static double crossing(const double F[], int k, double p)
{
  return coupled_edge(k - 1) + (p - F[k - 1]) / (F[k] - F[k - 1]) * (coupled_edge(k) - coupled_edge(k - 1));
}

/* z at which F is p: where it falls in between, the middle of the first and the last place; false beyond the edges. */
static bool invert(const double F[], double p, double *z, int *edge)
{
  int first = 1, last = COUPLED_BINS;
  while (first < COUPLED_BINS && F[first] < p) first++;
  while (last > 1 && F[last - 1] >= p) last--;
  const bool inside = F[0] < p && F[COUPLED_BINS] >= p;
  *z    = inside ? (crossing(F, first, p) + crossing(F, last, p)) / 2 : coupled_edge(F[0] < p ? COUPLED_BINS : 0);
  *edge = (first + last) / 2;
  return inside;
}

/* The error of F at an edge, with weights chosen for p: what of the variance is left of each group's where F is
 * smoothed; how much of F is counted by a screened member alone; and solves of the first one, wherever they lie. */
typedef struct {
  int column;
  double C[LEVELS_MODELS * LEVELS_MODELS], left[PLAN_GROUPS], screened, fine;
} AtEdge;

/* What smoothing takes from the covariance (K, K) of indicators, by how far apart the members lie in the pilot's draws,
 * or one lies from the mirror image of the other: whatever the law of that is, as rare differences that are large are
 * not smoothed.  density: of the law, over that of a normal one.  What smoothing takes from a member of a normal law by
 * itself, some 3 % of its error, is left for the noise of the interval's own width. */
static void take_smoothing(const Levels *l, int column, double p, double density, int smoothing, double to[])
{
  const int K     = l->K;
  const double *C = levels_covariance(l, column);
  const double q = normal_place(p), step = coupled_edge(1) - coupled_edge(0);
  double z[LEVELS_MODELS];
  for (int i = 0; i < K * K; i++) to[i] = 0;
  for (int64_t i = 0; i < l->good; i++) {
    for (int a = 0; a < K; a++) {
      const int64_t of = a * l->columns + column;
      const double *x  = l->pilot + i * K * l->columns;
      z[a]             = (x[of] - l->centre[of]) / l->scale[of];
    }
    for (int a = 0; a < K; a++)
      for (int b = 0; b < K; b++)
        to[a * K + b] += C[a * K + b] >= 0 ? smoothing_takes(z[a] - z[b], smoothing, step)
                                           : -smoothing_takes(2 * q - z[a] - z[b], smoothing, step);
  }
  const double own = smoothing_takes(0, smoothing, step);
  for (int i = 0; i < K * K; i++) to[i] = normal_density(q) * (density * to[i] / (double)l->good - own);
}

static double quadratic(int K, const double v[], const double C[])
{
  double sum = 0;
  for (int a = 0; a < K; a++)
    for (int b = 0; b < K; b++) sum += v[a] * v[b] * C[a * K + b];
  return sum;
}

#define LEAST_LEFT 0.05 /* some 100 draws of the pilot tell no smaller part */

#define AROUND 8 /* edges on both sides, .25 SD */

/* The law's density at an edge over that of a normal law at p, which lies there. */
static double density_at(const double F[], int edge, double p)
{
  const int lo = PetscMax(0, edge - AROUND), hi = PetscMin(COUPLED_BINS, edge + AROUND);
  return PetscMax(0, F[hi] - F[lo]) / (coupled_edge(hi) - coupled_edge(lo)) / normal_density(normal_place(p));
}

/* Of F at `edge`, where it is p. */
static AtEdge at_quantile(const Levels *l, int column, double p, int smoothing, const double F[], int edge)
{
  const int K = l->K;
  AtEdge at   = {.column = column};
  double w[PLAN_GROUPS * LEVELS_MODELS], C[LEVELS_MODELS * LEVELS_MODELS], taken[LEVELS_MODELS * LEVELS_MODELS];
  ScoriaPlan plan;
  levels_indicators(l, column, p, levels_place(l, column, p), levels_smoothing(l, column, p), at.C);
  levels_weights(l, at.C, &plan, w);
  levels_indicators(l, column, p, levels_place(l, column, p), 0, C);
  const double density = density_at(F, edge, p); /* what members differ by, and smoothing, are in proportion to it */
  take_smoothing(l, column, p, density, smoothing, taken);
  for (int i = 0; i < K * K; i++) C[i] = p * (1 - p) + density * (C[i] - p * (1 - p));
  for (int j = 0; j < plan.groups; j++) {
    const bool fine = plan.members[j] & 1;
    const double *v = w + j * K, all = quadratic(K, v, C);
    at.left[j] = all > 0 ? PetscMax(LEAST_LEFT, PetscMin(1, 1 - quadratic(K, v, taken) / all)) : 1;
    if (fine)
      at.fine += plan.draws[j];
    else if (plan.members[j] >> (K - 1) & 1 && levels_screens(l, K - 1)) {
      at.fine += levels_sampled_anywhere(l, plan.draws[j]);
      at.screened += w[j * K + K - 1];
    }
  }
  return at;
}

/* The share beyond the outermost of all draws is expected to be no less than one in their number. */
static double all_draws(const Levels *l)
{
  double all = 0;
  for (int j = 0; j < l->groups.plan.groups; j++) all += (double)coupled_count(l->groups.sums[j]);
  return all;
}

static double error_at(const Levels *l, const AtEdge *of, int edge, double F)
{
  double expected[LEVELS_MODELS * LEVELS_MODELS], share, se;
  const Edge at     = {.column = of->column, .edge = edge};
  const double rare = PetscMin(0.5, 1 / all_draws(l));
  levels_indicators(l, of->column, PetscMax(rare, PetscMin(1 - rare, F)), coupled_edge(edge), 0, expected);
  levels_estimate(l, of->C, expected, of->left, take_below, &at, &share, &se);
  return hypot(se, of->screened * levels_missed(l, of->column, coupled_edge(edge), F, of->fine));
}

/* How far F at an edge is from the 95 % interval of p, towards `sign`: below 0 within it. */
static double beyond(const Levels *l, const AtEdge *of, const double F[], double p, int sign, int edge)
{
  return sign * (F[edge] - p) - NORMAL95 * error_at(l, of, edge, F[edge]);
}

/* The place nearest to edge `from`, towards `end`, at which F leaves the interval: z; false: nowhere. */
static bool leaves(const Levels *l, const AtEdge *of, const double F[], double p, int from, int end, double *z)
{
  const int sign = end > from ? 1 : -1;
  int within = from, without = end;
  double at[2] = {beyond(l, of, F, p, sign, from), beyond(l, of, F, p, sign, end)};
  while (abs(without - within) > 1) {
    const int middle            = (within + without) / 2;
    const double found          = beyond(l, of, F, p, sign, middle);
    const bool out              = found > 0;
    *(out ? &without : &within) = middle;
    at[out]                     = found;
  }
  const double part = at[0] < 0 && at[1] > 0 ? at[0] / (at[0] - at[1]) : at[0] < 0;
  *z                = coupled_edge(within) + part * (coupled_edge(without) - coupled_edge(within));
  return at[1] > 0;
}

/* The error is of the interval of Woodruff (1952): of places at which the distribution function may be p. */
bool levels_quantile(const Levels *l, int column, double p, double *value, double *se)
{
  double F[COUPLED_BINS + 1], z, lo, hi;
  int edge;
  *value = l->centre[column];
  *se    = 0;
  if (!l->varies[column] && !levels_awake(l, column)) return false;
  const int smoothing   = distribution(l, column, p, F);
  const bool inside     = invert(F, p, &z, &edge);
  const AtEdge at       = at_quantile(l, column, p, smoothing, F, edge);
  const bool bounded[2] = {leaves(l, &at, F, p, edge, 0, &lo), leaves(l, &at, F, p, edge, COUPLED_BINS, &hi)};
  *value                = l->centre[column] + l->scale[column] * z;
  *se                   = l->scale[column] * (hi - lo) / (2 * NORMAL95);
  return inside && bounded[0] && bounded[1];
}

typedef struct {
  int threshold, cell;
} Beyond;

static void take_beyond(const void *ctx, ScoriaCoupled sums, double mean[], double covariance[])
{
  const Beyond *at = ctx;
  coupled_exceedance(sums, at->threshold, at->cell, mean, covariance);
}

/* The wider of p +- 1.96 SE and Wilson's interval for as many draws as would have that error, of a share no smaller
 * than the error; of what was never so, or always, for those of the first member. */
static void share_interval(const Levels *l, double p, double se, double to[], size_t stride)
{
  double n = 0;
  for (int j = 0; j < l->groups.plan.groups; j++)
    if (l->groups.plan.members[j] & 1) n += (double)coupled_count(l->groups.sums[j]);
  p                 = PetscMax(0, PetscMin(1, p));
  const double some = PetscMax(se, PetscMin(1 - se, p)), z2 = SQUARE(NORMAL95);
  if (se > 0) n = PetscMax(n, some * (1 - some) / SQUARE(se));
  const double middle        = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half          = NORMAL95 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  to[UQ_SHARE * stride]      = p;
  to[UQ_SHARE_SE * stride]   = se;
  to[UQ_SHARE_LOW * stride]  = PetscMax(0, PetscMin(p - NORMAL95 * se, p > 0 ? middle - half : 0));
  to[UQ_SHARE_HIGH * stride] = PetscMin(1, PetscMax(p + NORMAL95 * se, p < 1 ? middle + half : 1));
}

void levels_fill_exceedances(const Levels *l, int first, int step, double at[])
{
  const UqQuestion *q = l->q;
  double of[LEVELS_MODELS * LEVELS_MODELS], value, se;
  for (int t = 0, before = 0; t < q->nthresholds; t++) {
    const int n = uq_shares(q, t), cells = q->threshold[t].number;
    for (int c = 0; c < n; c++, before++) {
      if (before % step != first) continue;
      const Beyond beyond = {t, c < cells ? c : (c == cells ? SUMMARY_ANY : SUMMARY_ALL)};
      levels_beyond(l, t, beyond.cell, of);
      levels_estimate(l, of, of, NULL, take_beyond, &beyond, &value, &se);
      share_interval(l, value, se, at + uq_shares_at(q, l->a, t) + c, (size_t)n);
    }
  }
}

void levels_fill_histogram(const Levels *l, int column, double to[])
{
  double F[COUPLED_BINS + 1], lo, hi;
  int edge;
  (void)distribution(l, column, 0.5, F);
  (void)invert(F, 0.001, &lo, &edge);
  (void)invert(F, 0.999, &hi, &edge);
  to[0] = l->centre[column] + l->scale[column] * lo;
  to[1] = l->centre[column] + l->scale[column] * hi;
  for (int b = 0; b < UQ_BINS; b++) {
    double at[2];
    for (int side = 0; side < 2; side++) {
      const double z     = lo + (b + side) * (hi - lo) / UQ_BINS;
      const double place = (z + COUPLED_RANGE) * (COUPLED_BINS / (2 * COUPLED_RANGE));
      const int k        = (int)PetscMax(0, PetscMin(COUPLED_BINS - 1, floor(place)));
      at[side]           = F[k] + PetscMax(0, PetscMin(1, place - k)) * (F[k + 1] - F[k]);
    }
    to[2 + b] = PetscMax(0, at[1] - at[0]);
  }
}

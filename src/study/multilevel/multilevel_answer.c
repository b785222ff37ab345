/* uq of several fidelities: estimates from the sums of the groups, with weights that the pilot has chosen. */
#include "multilevel.h"
#include <math.h>

#define SQUARE(x) ((x) * (x))

/* Members of group j, in ascending order; returns how many. */
static int members_of(const Levels *l, int j, int member[])
{
  int n = 0;
  for (int a = 0; a < l->K; a++)
    if (l->groups.plan.members[j] >> a & 1) member[n++] = a;
  return n;
}

/* The numbers of draws are those that did not fail: the weights are exact for any. */
static void drawn_plan(const Levels *l, ScoriaPlan *plan)
{
  *plan = l->groups.plan;
  for (int j = 0; j < plan->groups; j++) plan->draws[j] = (double)coupled_count(l->groups.sums[j]);
}

static void weights_of(const Levels *l, const double C[], ScoriaPlan *plan, double w[])
{
  drawn_plan(l, plan);
  l->o.estimator->weights(plan, l->K, C, w);
}

void levels_estimate(const Levels *l, const double C[], LevelsTake take, const void *ctx, double *value, double *se)
{
  ScoriaPlan plan;
  double w[PLAN_GROUPS * LEVELS_MODELS], mean[2 * LEVELS_MODELS], S[4 * LEVELS_MODELS * LEVELS_MODELS], sum = 0;
  int of[LEVELS_MODELS];
  weights_of(l, C, &plan, w);
  *value = 0;
  for (int j = 0; j < plan.groups; j++) {
    const int n     = members_of(l, j, of);
    const double *v = w + j * l->K;
    take(ctx, l->groups.sums[j], mean, S);
    for (int a = 0; a < n; a++) {
      *value += v[of[a]] * mean[a];
      for (int b = 0; b < n; b++) sum += v[of[a]] * v[of[b]] * S[a * n + b] / plan.draws[j];
    }
  }
  *se = sqrt(PetscMax(sum, 0));
}

/* ------------------------------------------------------------------------------------------- mean and SD ---- */

static const double *covariance_of(const Levels *l, int column)
{
  return l->C + (size_t)column * (size_t)(l->K * l->K);
}

/* Means of z and of z^2, each with its own weights, and the variance of the mean and of the influence of the variance,
 * z^2 - 2 m z. */
static void raw_moments(const Levels *l, int column, double m[2], double variance[2])
{
  ScoriaPlan plan;
  double w[2][PLAN_GROUPS * LEVELS_MODELS], squares[LEVELS_MODELS * LEVELS_MODELS];
  double mean[PLAN_GROUPS][2 * LEVELS_MODELS], S[4 * LEVELS_MODELS * LEVELS_MODELS];
  int of[LEVELS_MODELS];
  covariance_of_squares(l->K, covariance_of(l, column), squares);
  weights_of(l, covariance_of(l, column), &plan, w[0]);
  weights_of(l, squares, &plan, w[1]);
  m[0] = m[1] = variance[0] = variance[1] = 0;
  for (int pass = 0; pass < 2; pass++)
    for (int j = 0; j < plan.groups; j++) {
      const int n = members_of(l, j, of);
      coupled_moments(l->groups.sums[j], column, mean[j], S);
      for (int a = 0; a < n && pass == 0; a++) {
        m[0] += w[0][j * l->K + of[a]] * mean[j][a];
        m[1] += w[1][j * l->K + of[a]] * mean[j][n + a];
      }
      for (int a = 0; a < 2 * n && pass == 1; a++)
        for (int b = 0; b < 2 * n; b++) {
          const double v0 = w[0][j * l->K + of[a % n]] * w[0][j * l->K + of[b % n]];
          const double va = a < n ? -2 * m[0] * w[0][j * l->K + of[a]] : w[1][j * l->K + of[a - n]];
          const double vb = b < n ? -2 * m[0] * w[0][j * l->K + of[b]] : w[1][j * l->K + of[b - n]];
          if (a < n && b < n) variance[0] += v0 * S[a * 2 * n + b] / plan.draws[j];
          variance[1] += va * vb * S[a * 2 * n + b] / plan.draws[j];
        }
    }
}

void levels_mean(const Levels *l, int column, double *mean, double *se)
{
  double m[2], variance[2];
  raw_moments(l, column, m, variance);
  *mean = l->centre[column] + l->scale[column] * m[0];
  *se   = l->scale[column] * sqrt(PetscMax(variance[0], 0));
}

/* E m^2 exceeds the squared mean by the variance of m. */
void levels_sd(const Levels *l, int column, double *sd, double *se)
{
  double m[2], variance[2];
  raw_moments(l, column, m, variance);
  const double v = PetscMax(m[1] - m[0] * m[0] + variance[0], 0);
  *sd            = l->scale[column] * sqrt(v);
  *se            = v > 0 ? l->scale[column] * sqrt(PetscMax(variance[1], 0)) / (2 * sqrt(v)) : 0;
}

/* ------------------------------------------------------------------------------------- laws and quantiles ---- */

typedef struct {
  int column, edge;
} Edge;

static void take_below(const void *ctx, ScoriaCoupled sums, double mean[], double covariance[])
{
  const Edge *at = ctx;
  coupled_below(sums, at->column, at->edge, mean, covariance);
}

#define SMOOTHING 3 /* edges on both sides, .1 SD: biases a quantile by .002 SD where the law is normal */
#define SLOPE 8     /* the same, .25 SD: of the density by 3 % at the quantile .025 */

/* The distribution function at all edges, (COUPLED_BINS + 1), with the weights for p.  It is smoothed: differences of
 * models are noisy from one edge to the next; but a lump stays where it is. */
static void distribution(const Levels *l, int column, double p, double F[])
{
  ScoriaPlan plan;
  double C[LEVELS_MODELS * LEVELS_MODELS], w[PLAN_GROUPS * LEVELS_MODELS], raw[COUPLED_BINS + 1] = {0};
  double share[(COUPLED_BINS + 1) * LEVELS_MODELS];
  int of[LEVELS_MODELS];
  covariance_of_indicators(l->K, covariance_of(l, column), p, C);
  weights_of(l, C, &plan, w);
  for (int j = 0; j < plan.groups; j++) {
    const int n = members_of(l, j, of);
    coupled_shares(l->groups.sums[j], column, share);
    for (int k = 0; k <= COUPLED_BINS; k++)
      for (int a = 0; a < n; a++) raw[k] += w[j * l->K + of[a]] * share[k * n + a];
  }
  const int smoothing = l->lump[column] ? 0 : SMOOTHING;
  for (int k = 0; k <= COUPLED_BINS; k++) {
    F[k] = 0;
    for (int i = -smoothing; i <= smoothing; i++)
      F[k] += raw[PetscMax(0, PetscMin(COUPLED_BINS, k + i))] / (2 * smoothing + 1);
  }
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

bool levels_quantile(const Levels *l, int column, double p, double *value, double *se)
{
  double F[COUPLED_BINS + 1], C[LEVELS_MODELS * LEVELS_MODELS], z, share, share_se;
  Edge at = {.column = column};
  distribution(l, column, p, F);
  const bool inside = invert(F, p, &z, &at.edge);
  covariance_of_indicators(l->K, covariance_of(l, column), p, C);
  levels_estimate(l, C, take_below, &at, &share, &share_se);
  const int lo = PetscMax(0, at.edge - SLOPE), hi = PetscMin(COUPLED_BINS, at.edge + SLOPE);
  const double normal  = normal_density(normal_place(p)); /* what keeps a noisy slope from being none at all */
  const double density = PetscMax((F[hi] - F[lo]) / (coupled_edge(hi) - coupled_edge(lo)), 0.2 * normal);
  *value               = l->centre[column] + l->scale[column] * z;
  *se                  = l->scale[column] * share_se / density;
  return inside && (l->varies[column] || levels_awake(l, column));
}

typedef struct {
  int threshold, cell;
} Beyond;

static void take_beyond(const void *ctx, ScoriaCoupled sums, double mean[], double covariance[])
{
  const Beyond *at = ctx;
  coupled_exceedance(sums, at->threshold, at->cell, mean, covariance);
}

/* Wilson's interval, for as many draws as would have that error: of what was never so, or always, those of the first
 * member. */
static void share_interval(const Levels *l, double p, double se, double to[], size_t stride)
{
  double n = 0;
  for (int j = 0; j < l->groups.plan.groups; j++)
    if (l->groups.plan.members[j] & 1) n += (double)coupled_count(l->groups.sums[j]);
  p = PetscMax(0, PetscMin(1, p));
  if (se > 0 && p > 0 && p < 1) n = PetscMax(n, p * (1 - p) / (se * se));
  const double z2 = 3.841458820694124, middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half          = sqrt(z2) / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  to[UQ_SHARE * stride]      = p;
  to[UQ_SHARE_SE * stride]   = se;
  to[UQ_SHARE_LOW * stride]  = p > 0 ? PetscMax(0, middle - half) : 0;
  to[UQ_SHARE_HIGH * stride] = p < 1 ? PetscMin(1, middle + half) : 1;
}

static void fill_exceedances(const Levels *l, double at[])
{
  const UqQuestion *q = l->q;
  double C[LEVELS_MODELS * LEVELS_MODELS], of[LEVELS_MODELS * LEVELS_MODELS], p, value, se;
  for (int t = 0; t < q->nthresholds; t++) {
    const int n = uq_shares(q, t), cells = q->threshold[t].number;
    for (int c = 0; c < n; c++) {
      const Beyond beyond = {t, c < cells ? c : (c == cells ? SUMMARY_ANY : SUMMARY_ALL)};
      levels_threshold(l, t, beyond.cell, C, &p);
      covariance_of_indicators(l->K, C, p, of);
      levels_estimate(l, of, take_beyond, &beyond, &value, &se);
      share_interval(l, value, se, at + uq_shares_at(q, l->a, t) + c, (size_t)n);
    }
  }
}

/* Shares of equal bins between the outer quantiles of the law, .001 and .999; from F at the median's weights. */
static void fill_histogram(const Levels *l, int column, double to[])
{
  double F[COUPLED_BINS + 1], lo, hi;
  int edge;
  distribution(l, column, 0.5, F);
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

/* -------------------------------------------------------------------------------------------------- all of it ---- */

/* A quantile in a lump is known to a bin of the histogram, which may reach beyond all values. */
static void keep_within(const Levels *l, int column, double least, double largest, double *value, double *se)
{
  const double bin = l->scale[column] * (coupled_edge(1) - coupled_edge(0));
  *value           = PetscMax(least, PetscMin(largest, *value));
  *se              = PetscMax(*se, largest > least ? bin : 0);
}

static void fill_column(const Levels *l, int column, double at[])
{
  const size_t columns = (size_t)l->columns;
  double *m            = at + l->a->moments + column;
  levels_mean(l, column, m + UQ_MEAN * columns, m + UQ_MEAN_SE * columns);
  levels_sd(l, column, m + UQ_SD * columns, m + UQ_SD_SE * columns);
  m[UQ_SKEWNESS * columns] = m[UQ_SKEWNESS_SE * columns] = NAN;
  m[UQ_MIN * columns]                                    = INFINITY;
  m[UQ_MAX * columns]                                    = -INFINITY;
  for (int j = 0; j < l->groups.plan.groups; j++) {
    double least, largest;
    if (!(l->groups.plan.members[j] & 1)) continue; /* solves of the first member alone */
    coupled_extremes(l->groups.sums[j], column, &least, &largest);
    m[UQ_MIN * columns] = PetscMin(m[UQ_MIN * columns], least);
    m[UQ_MAX * columns] = PetscMax(m[UQ_MAX * columns], largest);
  }
  for (int i = 0; i < l->q->nprobabilities; i++) {
    double *value = at + l->a->quantiles + (size_t)i * 2 * columns + column;
    if (!levels_quantile(l, column, l->q->probability[i], value, value + columns)) at[UQ_OUTSIDE]++;
    if (l->lump[column]) keep_within(l, column, m[UQ_MIN * columns], m[UQ_MAX * columns], value, value + columns);
  }
}

/* The error of the grid at coarsening h is c h^order: from the differences of the pilot's means on grids 1, h and h^2,
 * or, without the last, of second order. */
static void fill_bias(const Levels *l, int i, struct LevelsAnswer_ *to)
{
  const int column = l->q->m + i;
  int h = 0, fine = 0, coarse = 0;
  to->bias[i] = to->bias_se[i] = to->order[i] = NAN;
  for (int a = 1; a < l->K; a++) {
    const int c = fidelities_coarsening(l->all, a);
    if (c > 1 && (!h || c < h)) h = c, fine = a;
  }
  if (!h) return;
  for (int a = 1; a < l->K; a++)
    if (fidelities_coarsening(l->all, a) == h * h) coarse = a;
  const double n = (double)l->good;
  double d[2] = {0, 0}, square = 0;
  for (int64_t r = 0; r < l->good; r++) {
    const double *row = l->pilot + r * l->K * l->columns + column;
    const double one  = row[0] - row[fine * l->columns];
    d[0] += one / n;
    square += one * one / n;
    if (coarse) d[1] += (row[fine * l->columns] - row[coarse * l->columns]) / n;
  }
  double rate = (double)h * h;
  if (coarse && d[1] / d[0] >= sqrt(h) && d[1] / d[0] <= pow(h, 4)) rate = d[1] / d[0];
  to->bias[i]    = -d[0] / (rate - 1);
  to->bias_se[i] = sqrt(PetscMax(square - d[0] * d[0], 0) / (n - 1)) / (rate - 1);
  to->order[i]   = log(rate) / log(h);
}

static void fill_levels(const Levels *l, const double at[])
{
  struct LevelsAnswer_ *to = &l->a->levels[l->k];
  const ScoriaPlan *plan   = &l->groups.plan;
  to->groups               = plan->groups;
  to->pilot                = (double)l->o.pilot;
  to->work                 = 0;
  for (int j = 0; j < plan->groups; j++) {
    to->members[j] = plan->members[j];
    to->draws[j]   = plan->draws[j];
  }
  for (int a = 0; a <= l->K; a++) {
    to->solves[a] = (double)(l->total[LEVELS_PILOT].solves[a] + l->total[LEVELS_GROUPS].solves[a]);
    to->work += to->solves[a] * to->cost[a];
    if (a < l->K) to->failed[a] = (double)(l->total[LEVELS_PILOT].failed[a] + l->total[LEVELS_GROUPS].failed[a]);
  }
  for (int i = 0; i < l->q->nquantities; i++) {
    const double *C = covariance_of(l, l->q->m + i), *m = at + l->a->moments + l->q->m + i;
    const double se = m[UQ_MEAN_SE * (size_t)l->columns], sd = m[UQ_SD * (size_t)l->columns];
    const bool varies = l->varies[l->q->m + i];
    for (int a = 0; a < l->K; a++) {
      to->sd[i][a]          = varies ? l->scale[l->q->m + i] * sqrt(PetscMax(C[a * l->K + a], 0)) : 0;
      const double scale    = sqrt(PetscMax(C[0] * C[a * l->K + a], 0));
      to->correlation[i][a] = varies && scale > 0 ? C[a] / scale : NAN;
    }
    to->gain[i] = se > 0 ? SQUARE(sd / se) * (to->cost[0] + to->cost[l->K]) / to->work : NAN;
    fill_bias(l, i, to);
  }
}

PetscErrorCode LevelsAnswerFill(Levels *l)
{
  const UqQuestion *q = l->q;
  double *at          = l->a->value + (size_t)l->k * l->a->size;
  int64_t failed      = 0;
  PetscFunctionBeginUser;
  at[UQ_SAMPLES] = at[UQ_OUTSIDE] = 0;
  for (int j = 0; j < l->groups.plan.groups; j++) {
    const int64_t count = coupled_count(l->groups.sums[j]);
    failed += (int64_t)l->groups.plan.draws[j] - count;
    if (l->groups.plan.members[j] & 1) at[UQ_SAMPLES] += (double)count;
    if (count < 10)
      SCORIA_FAIL(SCORIA_EXIT_SOLVES, "uq: condition %d: %lld of %.0f draws succeeded, expected at least 10", l->k,
                  (long long)count, l->groups.plan.draws[j]);
  }
  at[UQ_FAILED] = (double)failed;
  for (int j = 0; j < l->columns; j++) fill_column(l, j, at);
  fill_exceedances(l, at);
  for (int i = 0; i < q->nquantities; i++)
    fill_histogram(l, q->m + i, at + l->a->histograms + (size_t)i * (2 + UQ_BINS));
  fill_levels(l, at);
  PetscFunctionReturn(0);
}

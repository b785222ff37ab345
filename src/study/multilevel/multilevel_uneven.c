/* uq of several fidelities: how much wider intervals are to be than 1.96 standard errors, of laws with uneven tails.
 *
 * A mean and its standard error come from the same draws.  Of a law with a long tail the draws that have missed it have
 * too small a mean, of squares say, and too small an error as well: then the interval ends before the truth. */
#include "multilevel.h"
#include <math.h>
#include <string.h>

#define SQUARE(x) ((x) * (x))
#define ROUNDING 1e-8 /* see multilevel_estimate.c */

enum { POWERS = 4, SQUARED = 2 * POWERS };

/* Central moments 2 to 4 of a law, at their numbers, from sums of powers 1 to 4 over it. */
static void centre_moments(const double sum[POWERS + 1], double to[POWERS + 1])
{
  const double m = sum[1];
  to[2]          = sum[2] - m * m;
  to[3]          = sum[3] - 3 * m * sum[2] + 2 * m * m * m;
  to[4]          = sum[4] - 4 * m * sum[3] + 6 * m * m * sum[2] - 3 * m * m * m * m;
}

/* What is averaged in a group, v (2 n) on z and z^2 of its n members, of a draw of the pilot; times: how often a solve
 * of the screened member counts there, 0: it is not solved. */
static double pilot_value(const Levels *l, int64_t draw, int column, int n, const int of[], const double v[], int times)
{
  double y = 0, z[2];
  for (int a = 0; a < n; a++) {
    levels_pilot_z(l, draw, of[a], column, times, z);
    y += v[a] * z[0] + v[n + a] * z[1];
  }
  return y;
}

/* Of that, y, and of the part x that member `most` of them has in it, over the draws of the pilot, those that the
 * screened member has solved in as many cases as they are sampled: central moments, and the factor of the regression of
 * y on x. */
typedef struct {
  double of_y[POWERS + 1], of_x[POWERS + 1], factor;
} Piloted;

static Piloted pilot_moments(const Levels *l, int column, int n, const int of[], const double v[], int most)
{
  const bool screened      = levels_screens(l, of[n - 1]);
  double y_sum[POWERS + 1] = {0}, x_sum[POWERS + 1] = {0}, both = 0;
  Piloted p;
  for (int64_t i = 0; i < l->good; i++) {
    const int times = screened ? l->pilot_times[i] : 1;
    for (int solved = times > 1 ? 0 : 1; solved < 2; solved++) {
      const double share = (solved ? 1.0 / times : 1 - 1.0 / times) / (double)l->good;
      const double y     = pilot_value(l, i, column, n, of, v, solved * times);
      const double x     = most < 0 ? 0 : pilot_value(l, i, column, 1, of + most, (double[]){v[most], v[n + most]}, 1);
      double power[2]    = {share, share};
      for (int k = 1; k <= POWERS; k++) {
        y_sum[k] += power[0] *= y;
        x_sum[k] += power[1] *= x;
      }
      both += share * x * y;
    }
  }
  centre_moments(y_sum, p.of_y);
  centre_moments(x_sum, p.of_x);
  const bool varies = p.of_x[2] > ROUNDING * SQUARE(x_sum[1]);
  p.factor          = varies ? (both - x_sum[1] * y_sum[1]) / p.of_x[2] : 0;
  return p;
}

/* ------------------------------------------------------------------------------------ from the groups' draws ---- */

/* Draws of member a in the bins of a column, of all groups that have it: (COUPLED_BINS + 2).  Returns how many. */
static double count_draws(const Levels *l, int column, int a, double bin[])
{
  double share[(COUPLED_BINS + 1) * LEVELS_MODELS], all = 0;
  int of[LEVELS_MODELS];
  memset(bin, 0, (COUPLED_BINS + 2) * sizeof *bin);
  for (int j = 0; j < l->groups.plan.groups; j++) {
    const int n        = levels_members(l, j, of);
    const double draws = (double)coupled_count(l->groups.sums[j]);
    int at             = 0;
    while (at < n && of[at] != a) at++;
    if (at == n || !(draws > 0)) continue;
    coupled_shares(l->groups.sums[j], column, share);
    for (int k = 0; k < COUPLED_BINS + 2; k++)
      bin[k] += draws * ((k <= COUPLED_BINS ? share[k * n + at] : 1) - (k > 0 ? share[(k - 1) * n + at] : 0));
    all += draws;
  }
  return all;
}

/* A tail, of the last draws of a law: those beyond `edge` number `draws`, on average `excess` farther. */
#define TAIL 0.05
#define TAIL_LEAST 4
typedef struct {
  int edge;
  double draws, excess;
} Tail;

/* Place of bin k on the side of `sign`: its middle; the outer bins begin at the last edges. */
static double place_of(int k, int sign)
{
  if (k == 0 || k == COUPLED_BINS + 1) return sign * (k ? COUPLED_RANGE : -COUPLED_RANGE);
  return sign * (coupled_edge(k - 1) + coupled_edge(k)) / 2;
}

static Tail tail_of(const double bin[], double all, int sign)
{
  const double most = PetscMax(TAIL * all, TAIL_LEAST);
  Tail tail         = {sign > 0 ? COUPLED_BINS : 0, 0, 0};
  double sum        = 0;
  int k             = sign > 0 ? COUPLED_BINS + 1 : 0;
  for (; k >= 0 && k < COUPLED_BINS + 2 && tail.draws + bin[k] <= most; k -= sign) {
    tail.draws += bin[k];
    sum += bin[k] * place_of(k, sign);
  }
  k += sign;
  tail.edge   = sign > 0 ? k - 1 : k;
  tail.excess = tail.draws > 0 ? PetscMax(0, sum / tail.draws - sign * coupled_edge(tail.edge)) : 0;
  return tail;
}

/* To the sums over a law of powers 0 to 8 of z, those of a tail as of an exponential law: of the highest powers, draws
 * that may well be missing have the larger part. */
static void add_tail(const Tail *tail, int sign, double sum[])
{
  const double from = sign * coupled_edge(tail->edge);
  double moment = 1, power = 1;
  for (int p = 0; p <= SQUARED; p++) {
    sum[p] += (p % 2 ? sign : 1) * tail->draws * moment;
    power *= from;
    moment = power + (p + 1) * tail->excess * moment;
  }
}

static double binomial(int n, int k)
{
  double c = 1;
  for (int i = 0; i < k; i++) c *= (double)(n - i) / (i + 1);
  return c;
}

/* Central moments of v[0] z + v[1] z^2 of member a. */
static void drawn_moments(const Levels *l, int column, int a, const double v[2], double to[POWERS + 1])
{
  double bin[COUPLED_BINS + 2], z[SQUARED + 1] = {0}, sum[POWERS + 1] = {0};
  const double all = count_draws(l, column, a, bin);
  const Tail right = tail_of(bin, all, 1), left = tail_of(bin, all, -1);
  for (int k = left.edge + 1; k <= right.edge; k++) {
    double power = bin[k];
    for (int p = 0; p <= SQUARED; p++, power *= place_of(k, 1)) z[p] += power;
  }
  add_tail(&right, 1, z);
  add_tail(&left, -1, z);
  for (int p = 1; p <= POWERS; p++)
    for (int i = 0; i <= p; i++) sum[p] += binomial(p, i) * pow(v[0], p - i) * pow(v[1], i) * z[p + i] / all;
  centre_moments(sum, to);
}

/* The member that weighs most, but not a sampled one; -1: there is none, or no histogram of what it is to be. */
static int weighs_most(const Levels *l, int column, int n, const int of[], const double v[])
{
  int most = -1;
  for (int a = 0; a < n; a++)
    if (!levels_screens(l, of[a]) && (most < 0 || fabs(v[n + a]) + fabs(v[a]) > fabs(v[n + most]) + fabs(v[most])))
      most = a;
  return column < l->plain || l->lump[column] ? -1 : most;
}

/* Moments that the pilot has of all members together are corrected by what those of one are in the groups' draws, as a
 * control variate is: all of it where the group has no other, next to nothing where members are differences. */
void levels_shape(const Levels *l, int column, int n, const int of[], const double v[], LevelsShape *shape)
{
  const int most  = weighs_most(l, column, n, of, v);
  const Piloted p = pilot_moments(l, column, n, of, v, most);
  double moment[POWERS + 1], drawn[POWERS + 1], factor = p.factor;
  memcpy(moment, p.of_y, sizeof moment);
  if (most >= 0 && factor != 0) {
    drawn_moments(l, column, of[most], (double[]){v[most], v[n + most]}, drawn);
    for (int k = 2; k <= POWERS; k++) moment[k] += (factor *= p.factor) * (drawn[k] - p.of_x[k]);
  }
  *shape = (LevelsShape){0, 0};
  if (!(p.of_y[2] > 0 && moment[2] > 0)) return;
  shape->skewness = moment[3] / pow(moment[2], 1.5);
  shape->excess   = moment[4] / SQUARE(moment[2]) - 3;
}

void levels_add_spread(LevelsSpread *to, double part, double draws, const LevelsShape *shape)
{
  to->sum += part;
  if (!(part > 0)) return;
  to->squares += part * part / draws;
  to->third += shape->skewness * part * sqrt(part / draws);
  to->fourth += shape->excess * part * part / draws;
}

/* Student's statistic of n draws is within z in as many cases as a normal number within z less
 *
 *   z (g^2 (z^4 + 2 z^2 - 3) / 18 - k (z^2 - 3) / 12 + (z^2 + 1) / 4) / n,
 *
 * g the skewness of the draws and k their kurtosis less 3 (Hall 1988, Annals of Statistics 16, 927; his has 1 / (2 n)
 * more, as he divides by n what we do by n - 1); g^2 / n and k / n are those of the mean, which those of groups add up
 * to.  No less than of a normal law, and no more than WIDEST. */
#define WIDEST 2.2 /* Student's at two degrees of freedom: from fewer draws, no error is known */
double levels_widened(const LevelsSpread *s)
{
  const double z2 = SQUARE(1.959963984540054);
  if (!(s->sum > 0)) return 0;
  const double normal = s->squares * (z2 + 1) / 4 / SQUARE(s->sum);
  const double tails  = SQUARE(s->third) / (SQUARE(s->sum) * s->sum) * ((z2 + 2) * z2 - 3) / 18 -
                       s->fourth / SQUARE(s->sum) * (z2 - 3) / 12;
  return s->sum * SQUARE(PetscMin(WIDEST, 1 + normal + PetscMax(0, tails)));
}

/* Power-function averages and their reconstruction after the training (Karras et al. 2024, "Analyzing and improving the
 * training dynamics of diffusion models", section 3 and appendix C).  The profile is p_{t,g}(s) = (g+1) s^g / t^(g+1)
 * for s <= t: its width is a fixed share of the training, however long that is.  Two of them overlap, ta <= tb, by
 *
 *   int p_a p_b ds = (ga+1) (gb+1) (ta/tb)^gb / ((ga+gb+1) tb),
 *
 * and averages are linear in the profile: the combination of stored averages whose profile is nearest to one asked for,
 * in the least squares of s, is nearly the average that would have been accumulated with it. */
#include "ema.h"
#include "scoria/linalg.h"
#include "step_loops.h"
#include <math.h>
#include <stdbool.h>

double ema_width(double g)
{
  return sqrt((g + 1) / ((g + 2) * (g + 2) * (g + 3)));
}

double ema_exponent(double width)
{
  double lo = 0, hi = 1e6; /* the width falls from .289 at 0 as 1/g */
  for (int i = 0; i < 100; i++) {
    const double mid = 0.5 * (lo + hi);
    if (ema_width(mid) > width)
      lo = mid;
    else
      hi = mid;
  }
  return 0.5 * (lo + hi);
}

void ema_update(EmaProfile profile, int64_t n, const float p[], float average[])
{
  const float mix = (float)(1 - pow(1 - 1 / profile.time, profile.exponent + 1));
  step_loops()->average(n, mix, p, average);
}

static double overlap(EmaProfile a, EmaProfile b)
{
  if (a.time > b.time) return overlap(b, a);
  return (a.exponent + 1) * (b.exponent + 1) * pow(a.time / b.time, b.exponent) /
         ((a.exponent + b.exponent + 1) * b.time);
}

/* Solves (A + ridge) x = b, A the overlaps.  The ridge keeps A definite where two profiles are nearly the same, and x
 * small.  Should rounding win nevertheless, x stays b, and the distance tells. */
static void solve_overlaps(int n, const EmaProfile from[], double x[])
{
  double L[EMA_MOST * EMA_MOST];
  for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++) L[i * n + j] = overlap(from[i], from[j]) * (i == j ? 1 + 1e-9 : 1);
  if (la_cholesky(n, L)) la_cholesky_solve(n, L, 1, x);
}

/* x (n) with sum 1, for which sum_i x_i from_i is nearest to the profile `to`, n <= EMA_MOST; a profile that is among
 * them is taken as it is.  Returns the distance over the norm of `to`. */
static double combination(int n, const EmaProfile from[], EmaProfile to, double x[])
{
  double sum = 0, square = overlap(to, to), distance = square;
  int same = -1;
  for (int i = 0; i < n; i++) {
    x[i] = overlap(from[i], to);
    if (from[i].time == to.time && fabs(from[i].exponent - to.exponent) <= 1e-9 * (1 + to.exponent)) same = i;
  }
  if (same < 0) solve_overlaps(n, from, x);
  for (int i = 0; i < n; i++) {
    if (same >= 0) x[i] = i == same;
    sum += x[i];
  }
  for (int i = 0; i < n; i++) x[i] /= sum;
  for (int i = 0; i < n; i++) {
    distance -= 2 * x[i] * overlap(from[i], to);
    for (int j = 0; j < n; j++) distance += x[i] * x[j] * overlap(from[i], from[j]);
  }
  return same < 0 ? sqrt(PetscMax(distance, 0) / square) : 0;
}

PetscErrorCode EmaSetCreate(int64_t count, EmaSet *set)
{
  PetscFunctionBeginUser;
  *set = (EmaSet){.count = count};
  PetscCall(PetscCalloc1(EMA_MOST * count, &set->weights));
  PetscFunctionReturn(0);
}

PetscErrorCode EmaSetDestroy(EmaSet *set)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(set->weights));
  *set = (EmaSet){0};
  PetscFunctionReturn(0);
}

static bool is_among(EmaProfile p, int n, const EmaProfile list[])
{
  for (int i = 0; i < n; i++)
    if (list[i].time == p.time && list[i].exponent == p.exponent) return true;
  return false;
}

double ema_rebuild(const EmaSet *set, double width, float out[])
{
  const EmaProfile to = {set->profile[0].time, ema_exponent(width)};
  EmaProfile used[EMA_MOST];
  const float *weights[EMA_MOST];
  double x[EMA_MOST];
  int n = 0;
  for (int i = 0; i < set->n; i++) {
    if (set->profile[i].time > to.time || is_among(set->profile[i], n, used)) continue;
    used[n]      = set->profile[i];
    weights[n++] = set->weights + i * set->count;
  }
  const double error = combination(n, used, to, x);
  for (int64_t j = 0; j < set->count; j++) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i] * (double)weights[i][j];
    out[j] = (float)sum;
  }
  return error;
}

/* The first guess of a solve, a function of (theta, eps) alone.
 *
 * A uniform reaction carries the current; then a few sweeps of a decoupled iteration: the potentials by one Newton step
 * at frozen concentrations (a tridiagonal system), and the concentrations by marching from the separator, since in
 * steady state the salt flux is everywhere proportional to the current, N = beta I.  A sweep costs a fraction of a
 * coupled Newton step and leaves that step only the coupling between c and phi. */
#include "electrode.h"
#include "physics/discrete.h"
#include <math.h>

#define SWEEPS 3

/* The current through the separator if the reaction were uniform and ohmic losses were those of a uniform source. */
static double guess_current(const ScoriaElectrode *el, const ScoriaDiscrete *d, double area)
{
  const int n       = d->own[0];
  const double far  = d->a[ELECTRODE_POTENTIAL][n - 1];
  const double open = el->at.drive + el->at.gamma * far; /* with no losses: the answer lies between 0 and this */
  double resistance = 0, lo = open < 0 ? open : 0, hi = open > 0 ? open : 0;
  if (el->at.gamma == 0) return el->at.drive;
  for (int f = 1; f < n; f++) resistance += 1.0 / d->g[0][0][f];
  for (int halving = 0; halving < 60; halving++) {
    const double i   = 0.5 * (lo + hi);
    const double u_L = far - scoria_kinetics[el->model]->overpotential(i / area) - i * resistance / 3.0;
    if (i > el->at.drive + el->at.gamma * u_L)
      hi = i;
    else
      lo = i;
  }
  return 0.5 * (lo + hi);
}

/* One Newton step of the charge balances at frozen w: Thomas' algorithm on the tridiagonal part of the Jacobian; the
 * currents follow. */
static void potential_step(ScoriaDiscrete *d)
{
  const int n = d->own[0], m = d->shape.unknowns;
  double *upper = d->work, *step = d->work + n + 1, *current = d->F[U];
  const double *K = d->F_a[U * m + U], *rho_u = d->S_s[U * m + U];
  for (int k = 0; k < n; k++) {
    const double residual = current[k + 1] - current[k] - d->S[U][k] - (d->added[U] ? d->added[U][k] : 0);
    const double lower    = k > 0 ? -K[k] : 0.0;
    const double pivot    = 1.0 / (K[k + 1] - lower - rho_u[k] - (k > 0 ? lower * upper[k - 1] : 0.0));
    upper[k]              = k + 1 < n ? -K[k + 1] * pivot : 0.0;
    step[k]               = (-residual - (k > 0 ? lower * step[k - 1] : 0.0)) * pivot;
  }
  for (int k = n - 2; k >= 0; k--) step[k] -= upper[k] * step[k + 1];
  for (int k = 0; k < n; k++) d->s[U][k + 1] += step[k];
  for (int f = 1; f < n; f++) current[f] -= K[f] * (step[f] - step[f - 1]);
  current[n] += K[n] * step[n - 1];
}

/* w from the separator inwards, N = beta I; no cell loses more than four fifths at once where w must stay positive. */
static void march_concentration(const ScoriaElectrode *el, ScoriaDiscrete *d)
{
  const int n = d->own[0], m = d->shape.unknowns;
  const double *by_a = d->F_a[W * m + W], *by_b = d->F_b[W * m + W]; /* M - M'/2 (b - a) and -M - M'/2 (b - a) */
  double ahead = 1.0;
  for (int f = n; f >= 1; f--) {
    const double M = f < n ? 0.5 * (by_a[f] - by_b[f]) : by_a[f];
    const double w = ahead + el->at.beta * d->F[U][f] / M, least = 0.2 * d->s[W][f];
    ahead = d->s[W][f] = d->shape.positive[W] && !(w > least) ? least : w;
  }
}

void electrode_guess(const void *p, ScoriaDiscrete *d)
{
  const ScoriaElectrode *el = p;
  const int n               = d->own[0];
  double area               = 0;
  for (int k = 0; k < n; k++) area += d->a[ELECTRODE_AREA][k];
  const double eta = scoria_kinetics[el->model]->overpotential(guess_current(el, d, area) / area);
  for (int k = 0; k < n; k++) {
    d->s[U][k + 1] = d->a[ELECTRODE_POTENTIAL][k] - eta;
    d->s[W][k + 1] = 1.0;
    if (el->ohmic) d->s[V][k + 1] = 0.0;
  }
  for (int sweep = 0; sweep < SWEEPS; sweep++) {
    discrete_derive(d);
    discrete_pencil(d);
    potential_step(d);
    march_concentration(el, d);
  }
}

/* The first guess of a solve, a function of (theta, eps) alone.
 *
 * A uniform reaction carries the current; then a few sweeps of a decoupled iteration: the potentials by one Newton step
 * at frozen concentrations (a tridiagonal system), and the concentrations by marching from the separator, since in
 * steady state the salt flux is everywhere proportional to the current, Q = -beta I.  A sweep costs a fraction of a
 * coupled Newton step and leaves that step only the coupling between c and phi. */
#include "internal.h"
#include <math.h>

#define SWEEPS 3

/* The current through the separator if the reaction were uniform and ohmic losses were those of a uniform source. */
static double guess_current(const Balance *b, double area)
{
  const double far  = b->shift[b->n - 1];
  const double open = b->drive + b->gamma * far; /* with no losses: the answer lies between 0 and this */
  double resistance = 0, lo = open < 0 ? open : 0, hi = open > 0 ? open : 0;
  if (b->gamma == 0) return b->drive;
  for (int f = 1; f < b->n; f++) resistance += 1.0 / b->geo_kappa[f];
  for (int halving = 0; halving < 60; halving++) {
    const double i = 0.5 * (lo + hi), u_L = far - b->problem->overpotential(i / area) - i * resistance / 3.0;
    if (i > b->drive + b->gamma * u_L)
      hi = i;
    else
      lo = i;
  }
  return 0.5 * (lo + hi);
}

/* One Newton step of the charge balances at frozen w: Thomas' algorithm on the tridiagonal part of the Jacobian. */
static void potential_step(Balance *b)
{
  const int n   = b->n;
  double *upper = b->face_u, *step = b->face_w;
  const double last = b->K[n] * b->gamma / (b->K[n] + b->gamma);
  for (int k = 0; k < n; k++) {
    const double residual = b->ie[k + 1] - b->ie[k] - b->rho[k] + b->source_u[k];
    const double right = k + 1 < n ? b->K[k + 1] : last, lower = -b->K[k];
    const double pivot = 1.0 / (b->K[k] + right - b->rho_u[k] - (k > 0 ? lower * upper[k - 1] : 0.0));
    upper[k]           = -right * pivot;
    step[k]            = (-residual - (k > 0 ? lower * step[k - 1] : 0.0)) * pivot;
  }
  for (int k = n - 2; k >= 0; k--) step[k] -= upper[k] * step[k + 1];
  for (int k = 0; k < n; k++) b->u[k + 1] += step[k];
  for (int f = 1; f < n; f++) b->ie[f] -= b->K[f] * (step[f] - step[f - 1]);
  b->ie[n] += last * step[n - 1];
}

/* w from the separator inwards, Q = -beta I; no cell loses more than four fifths at once where w must stay positive. */
static void march_concentration(Balance *b)
{
  for (int f = b->n; f >= 1; f--) {
    const double w = b->w[f + 1] + b->beta * b->ie[f] / b->M[f], least = 0.2 * b->w[f];
    b->w[f] = b->positive && w < least ? least : w;
  }
}

void balance_guess(Balance *b)
{
  const int n = b->n;
  double area = 0;
  for (int k = 0; k < n; k++) area += b->A[k];
  const double eta = b->problem->overpotential(guess_current(b, area) / area);
  for (int k = 0; k < n; k++) {
    b->u[k + 1] = b->shift[k] - eta;
    b->w[k + 1] = 1.0;
  }
  for (int sweep = 0; sweep < SWEEPS; sweep++) {
    balance_evaluate(b);
    potential_step(b);
    march_concentration(b);
  }
}

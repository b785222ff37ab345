/* The density of the probability flow's samples.  In angle form (samplers/ab2.c) dx/dt = k = (cos t x - D) / sin t
 * takes data at t = 0 to noise at t = pi/2, and along a path
 *
 *   ln p(y) = ln N(x(pi/2); 0, I) + integral of div k dt,   div k = (r cos t - tr(dD/dx) / cos t) / sin t
 *
 * (Chen et al. 2018; Song et al. 2021).  Both vanish at the two ends (samplers/abm.c), so that neither a smallest nor a
 * largest noise level is needed, and everywhere for data that is N(0, I): only what the network adds is integrated, by
 * the classical Runge-Kutta method of order 4 on a uniform grid of t. */
#include "log_density.h"
#include <math.h>
#include <string.h>

/* One solve for n rows. */
typedef struct {
  const ScoriaLikelihoodOptions *opt;
  const ScoriaTracedDenoiser *den;
  int n;
  const uint64_t *id;
  double *scaled, *v, *vJ; /* (n, r) each: work */
} Flow;

size_t likelihood_work_doubles(int n, int r)
{
  return (size_t)n * (6 * (size_t)r + 2);
}

/* Probe p of every row, +1 or -1: fixed during a solve, a function of seed, id, and p. */
static void set_probe(const Flow *f, int p)
{
  const int r = f->den->r, blocks = (r + 127) / 128;
  uint32_t bits[4];
  for (int i = 0; i < f->n; i++)
    for (int k = 0; k < r; k++) {
      if (k % 128 == 0) rng_block(f->opt->seed, SCORIA_STREAM_PROBE, f->id[i], (uint32_t)(p * blocks + k / 128), bits);
      f->v[(size_t)i * r + k] = bits[k % 128 / 32] >> (k % 32) & 1 ? 1 : -1;
    }
}

/* trace (n) of dD/dx where the denoiser was called last: by unit vectors, or in expectation by probes. */
static void jacobian_trace(const Flow *f, double trace[])
{
  const int r = f->den->r, probes = f->opt->probes;
  memset(trace, 0, (size_t)f->n * sizeof(double));
  for (int p = 0; p < (probes ? probes : r); p++) {
    if (probes)
      set_probe(f, p);
    else
      for (size_t i = 0; i < (size_t)f->n * r; i++) f->v[i] = (int)(i % (size_t)r) == p;
    f->den->pull(f->den->ctx, f->n, f->v, f->vJ);
    for (int i = 0; i < f->n; i++) {
      double product = 0;
      for (int k = 0; k < r; k++) product += f->v[(size_t)i * r + k] * f->vJ[(size_t)i * r + k];
      trace[i] += product / (probes ? probes : 1);
    }
  }
}

/* k (n, r) and div k (n) at step i of `intervals` from 0 to pi/2. */
static void flow_rates(const Flow *f, int i, int intervals, const double x[], double k[], double div[])
{
  const size_t m = (size_t)f->n * f->den->r;
  const double t = PETSC_PI / 2 * i / intervals, c = cos(t), s = sin(t);
  if (i == 0 || i == intervals) {
    memset(k, 0, m * sizeof(double));
    memset(div, 0, (size_t)f->n * sizeof(double));
    return;
  }
  for (size_t j = 0; j < m; j++) f->scaled[j] = x[j] / c;
  f->den->denoise(f->den->ctx, f->n, f->scaled, s / c, k);
  jacobian_trace(f, div);
  for (size_t j = 0; j < m; j++) k[j] = (c * x[j] - k[j]) / s;
  for (int j = 0; j < f->n; j++) div[j] = (f->den->r * c - div[j] / c) / s;
}

void likelihood_flow(const ScoriaLikelihoodOptions *opt, const ScoriaTracedDenoiser *den, int n, const uint64_t id[],
                     double work[], double y[], double log_density[])
{
  static const double weight[4] = {1. / 6, 1. / 3, 1. / 3, 1. / 6}, reach[4] = {0, 0.5, 0.5, 1};
  const size_t m = (size_t)n * den->r;
  double *stage = work, *k = work + m, *sum = work + 2 * m, *div = work + 6 * m;
  const Flow f   = {opt, den, n, id, work + 3 * m, work + 4 * m, work + 5 * m};
  const double h = PETSC_PI / 2 / opt->steps;
  for (int i = 0; i < n; i++) log_density[i] = -0.5 * den->r * log(2 * PETSC_PI);
  for (int step = 0; step < opt->steps; step++) {
    memset(sum, 0, m * sizeof(double));
    memset(k, 0, m * sizeof(double));
    for (int q = 0; q < 4; q++) {
      for (size_t j = 0; j < m; j++) stage[j] = y[j] + h * reach[q] * k[j];
      flow_rates(&f, 2 * step + (int)(2 * reach[q]), 2 * opt->steps, stage, k, div);
      for (size_t j = 0; j < m; j++) sum[j] += weight[q] * k[j];
      for (int i = 0; i < n; i++) log_density[i] += h * weight[q] * div[i];
    }
    for (size_t j = 0; j < m; j++) y[j] += h * sum[j];
    if (opt->passed) opt->passed(opt->to, (double)n / opt->steps);
  }
  for (size_t j = 0; j < m; j++) log_density[j / (size_t)den->r] -= 0.5 * y[j] * y[j];
}

/* The size of the waves of whole fields goes by a smooth field.
 *
 * Large currents lie in wide places: the waves of a Gaussian field of scores are as large everywhere, those of solves
 * larger where the electrode is porous over a correlation length, which the smooth part of the potential tells.  With
 * s, its leading mode, every wave by its own power, of variance 1, and w a Gaussian score of another channel,
 *
 *   q = w exp(b s),   t = Phi^-1(F(q)),   F being the law of q,
 *
 * has scores t normal at every place, and jointly what they have in solves: the largest local current comes from 2 and
 * 3 times the sampling floor of its distance to it (benchmarks/whole_fields.md).  The leading channel has a form of its
 * own (lateral_swell.c), so that its scores give s and s the w of the others: the way back is exact.
 *
 * s and w being jointly normal with correlation r, F(q) = E Phi(W(q exp(-b sqrt(1 - r^2) h))), h standard normal, where
 * W(y) exp(b r W(y)) = y (Lambert's function).  A piecewise linear table of v over q would need uneven knots, as the q
 * of a w that goes with s is nearly w exp(b r w); so it is one over q / (1 + b r q), which is nearly w. */
#include "lateral.h"
#include "knot_loops.h"
#include "scoria/linalg.h"
#include <math.h>
#include <string.h>

#define LARGEST_EXPONENT 0.25
#define LARGEST_CORRELATION 0.98
#define FARTHEST 8.0 /* s */

static PetscErrorCode OwnCreate(NormLateral norm)
{
  Swell *own      = &norm->modulation.own;
  const size_t nx = (size_t)norm->nx, shares = SWELLS * nx;
  PetscFunctionBeginUser;
  PetscCall(WavesCreate(1, norm->nx, norm->ny, norm->nz, &own->waves));
  PetscCall(PetscCalloc4(norm->waves.classes, &own->is_long, (size_t)norm->shape.terms * shares, &own->share_coef,
                         shares, &own->exponent, (size_t)(norm->N + 1) * nx, &own->row));
  PetscCall(PetscCalloc3(shares, &own->share, nx, &own->mean, (size_t)norm->N * nx, &own->low));
  PetscCall(PetscCalloc4((size_t)norm->N * nx, &own->q, (size_t)norm->N * nx, &own->rest, (size_t)(norm->N + 1) * nx,
                         &own->size, nx, &own->level));
  PetscFunctionReturn(0);
}

PetscErrorCode ModulationCreate(NormLateral norm)
{
  Modulation *m      = &norm->modulation;
  const size_t terms = (size_t)norm->shape.terms, E = (size_t)norm->E;
  PetscFunctionBeginUser;
  PetscCall(WavesCreate(1, 1, norm->ny, norm->nz, &m->smooth));
  PetscCall(PetscCalloc5(norm->nx, &m->mode, norm->waves.classes, &m->filter, terms, &m->log_spread_coef, terms * E,
                         &m->correlation_coef, terms * E, &m->exponent_coef));
  PetscCall(
      PetscCalloc5(E, &m->exponent, E, &m->bend, E, &m->correlation, E * MARGINAL_KNOTS, &m->plain, norm->N, &m->s));
  PetscCall(PetscCalloc2(E * MARGINAL_KNOTS, &m->normal, norm->nx, &m->weight));
  m->spread = 1;
  PetscCall(OwnCreate(norm));
  PetscFunctionReturn(0);
}

PetscErrorCode ModulationDestroy(NormLateral norm)
{
  Modulation *m = &norm->modulation;
  PetscFunctionBeginUser;
  if (m->s) PetscCall(WavesDestroy(&m->smooth));
  if (m->s) PetscCall(WavesDestroy(&m->own.waves));
  PetscCall(PetscFree4(m->own.is_long, m->own.share_coef, m->own.exponent, m->own.row));
  PetscCall(PetscFree3(m->own.share, m->own.mean, m->own.low));
  PetscCall(PetscFree4(m->own.q, m->own.rest, m->own.size, m->own.level));
  PetscCall(PetscFree5(m->mode, m->filter, m->log_spread_coef, m->correlation_coef, m->exponent_coef));
  PetscCall(PetscFree2(m->normal, m->weight));
  PetscCall(PetscFree5(m->exponent, m->bend, m->correlation, m->plain, m->s));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------- at a condition ---- */

/* W(y) of W exp(a W) = y, on the branch through 0; beyond its end, which normals do not reach, linear. */
static double lambert(double a, double y)
{
  const double x = a * y, end = -exp(-1);
  if (fabs(x) < 1e-8) return y;
  if (x <= end) return -x / (end * a);
  double w = x < 0.6 * end ? sqrt(2 * (1 - x / end)) - 1 : x / (1 + x);
  for (int i = 0; i < 3; i++) { /* Halley's, to 1e-6 and better */
    const double e = exp(w), f = w * e - x;
    w -= f / (e * (w + 1) - 0.5 * (w + 2) * f / (w + 1));
  }
  return w / a;
}

#define NODES 4  /* on either side of 0, */
#define STEP 1.1 /* between them: the rule is exact for normals to 1e-7 */

/* The normal score of q = w exp(b s), of correlation r. */
static double score_of_law(double b, double r, double q)
{
  double below = 0, above = 0, all = 0;
  for (int i = -NODES; i <= NODES; i++) {
    const double h = i * STEP, weight = exp(-0.5 * h * h), w = lambert(b * r, q * exp(-b * sqrt(1 - r * r) * h));
    below += weight * 0.5 * erfc(-w / sqrt(2));
    above += weight * 0.5 * erfc(w / sqrt(2));
    all += weight;
  }
  return below < above ? normal_quantile(below / all) : -normal_quantile(above / all);
}

bool modulation_bends(const NormLateral norm)
{
  return norm->modulation.on || norm->modulation.own.on;
}

static void set_normals(const NormLateral norm, int e)
{
  const Modulation *m = &norm->modulation;
  double *normal      = m->normal + (size_t)e * MARGINAL_KNOTS;
  for (int k = 0; k < MARGINAL_KNOTS; k++) {
    const double place = k - MARGINAL_KNOTS / 2, q = knot_unbent(place, m->bend[e]) * LATERAL_STEP;
    normal[k] = m->exponent[e] == 0 ? place : score_of_law(m->exponent[e], m->correlation[e], q) / LATERAL_STEP;
  }
}

void modulation_bend(NormLateral norm)
{
  const Modulation *m = &norm->modulation;
  double slope;
  for (int i = 0; i < norm->E * MARGINAL_KNOTS; i++)
    norm->knot[i] = marginal_between(m->plain + (size_t)(i / MARGINAL_KNOTS) * MARGINAL_KNOTS, m->normal[i], &slope);
}

void modulation_set(NormLateral norm, const double u[])
{
  Modulation *m = &norm->modulation;
  const int p   = norm->shape.terms;
  norm_poly_values(&norm->shape, u, norm->value);
  la_rows_product(1, p, 1, norm->value, m->log_spread_coef, NULL, &m->spread);
  la_rows_product(1, p, norm->E, norm->value, m->correlation_coef, NULL, m->correlation);
  la_rows_product(1, p, norm->E, norm->value, m->exponent_coef, NULL, m->exponent);
  m->spread = exp(m->spread);
  for (int e = 0; e < norm->E; e++) {
    m->correlation[e] = PetscClipInterval(m->correlation[e], -LARGEST_CORRELATION, LARGEST_CORRELATION);
    m->exponent[e]    = PetscClipInterval(m->exponent[e], -LARGEST_EXPONENT, LARGEST_EXPONENT);
    m->bend[e]        = m->exponent[e] * m->correlation[e] * LATERAL_STEP;
    set_normals(norm, e);
  }
  if (m->own.on) swell_set(norm, norm->value);
}

/* -------------------------------------------------------------------------------------------------- of a field ---- */

/* Of a standardised score of the leading channel at x in s, before it is filtered. */
static double weight_of(const NormLateral norm, int x)
{
  const Modulation *m = &norm->modulation;
  return m->mode[x] * norm->rate[m->channel * norm->nx + x] * LATERAL_STEP / m->spread;
}

double modulation_share(const NormLateral norm, int c, const double t[])
{
  double sum = 0;
  for (int x = 0; x < norm->nx; x++) sum += weight_of(norm, x) * t[norm->modulation.channel * norm->nx + x];
  return sum * norm->modulation.filter[c];
}

void modulation_smooth(NormLateral norm, const double t[])
{
  Modulation *m  = &norm->modulation;
  const Waves *w = &m->smooth;
  double part[2 * WAVES_MEMBERS], *weight = m->weight;
  for (int x = 0; x < norm->nx; x++) weight[x] = weight_of(norm, x);
  t += (size_t)m->channel * norm->N * norm->nx;
  for (int p = 0; p < norm->N; p++, t += norm->nx) {
    w->grid[p] = 0;
    for (int x = 0; x < norm->nx; x++) w->grid[p] += weight[x] * t[x];
  }
  fftw_execute(w->forward);
  for (int c = 0; c < w->classes; c++) {
    waves_take(w, &w->class[c], part);
    for (int j = 0; j < wave_coordinates(&w->class[c]); j++) part[j] *= m->filter[c];
    waves_put(w, &w->class[c], part);
  }
  waves_back(w, w->ny / 2);
  for (int p = 0; p < norm->N; p++) m->s[p] = m->on ? PetscClipInterval(w->grid[p], -FARTHEST, FARTHEST) : w->grid[p];
}

void modulation_take_out(const NormLateral norm, double t[])
{
  const Modulation *m = &norm->modulation;
  for (int c = 0; c < norm->C; c++)
    for (int p = 0; p < norm->N; p++)
      for (int x = 0; x < norm->nx; x++, t++) {
        const int e = c * norm->nx + x;
        if (m->exponent[e] == 0) continue;
        const double swell = knot_bent(1, m->exponent[e], m->s[p], 0);
        *t                 = knot_unbent(*t * norm->rate[e], m->bend[e]) / (swell * norm->rate[e]);
      }
}

/* Of another channel than the leading one, before it is bent: t swell(exponent s). */
static double modulated(const NormLateral norm, int e, const double score[], double slope[])
{
  const Modulation *m = &norm->modulation;
  const double at = score[0] * norm->rate[e], s = PetscClipInterval(score[1], -FARTHEST, FARTHEST),
               x = m->exponent[e] * s;
  slope[0]       = norm->rate[e] * knot_swell(x);
  slope[1]       = s == score[1] ? at * knot_swell_slope(x) * m->exponent[e] : 0;
  slope[2]       = 0;
  return at * knot_swell(x);
}

double modulation_position(const NormLateral norm, int e, const double score[], double slope[])
{
  const Modulation *m = &norm->modulation;
  if (!modulation_bends(norm)) {
    slope[0] = norm->rate[e];
    slope[1] = slope[2] = 0;
    return score[0] * norm->rate[e];
  }
  const double q    = swell_has(norm, e) ? swell_position(norm, e, score, slope) : modulated(norm, e, score, slope);
  const double over = 1 + m->bend[e] * q, divisor = PetscClipInterval(over, KNOT_LEAST, KNOT_MOST),
               by_q = over == divisor ? 1 / (over * over) : 1 / divisor;
  for (int k = 0; k < LATERAL_SCORES; k++) slope[k] *= by_q;
  return q / divisor;
}

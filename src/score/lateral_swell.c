/* The waves of the leading field swell with its own long ones.
 *
 * A Gaussian field of scores has waves of one size; those of solves' potential are smaller where its lateral mean is
 * low, and its short waves are larger where its long ones are high, by which the least potential of a field in three
 * dimensions came out too low (benchmarks/whole_fields.md).  With z a Gaussian score of variance 1, m its lateral mean
 * at its x and l its long waves there, the mean among them,
 *
 *   q = m + (l - m) exp(b1 m) + (z - l) exp(b2 l),   t = Phi^-1(F(q)),   F being the law of q.
 *
 * So a value depends on z, l and m at its place, which are linear in the coordinates.  The way back: with l given, z -
 * l is (q - m - (l - m) exp(b1 m)) / exp(b2 l) less what that has of long waves, and with this given, m + (l - m)
 * exp(b1 m) are the long waves of q - (z - l) exp(b2 l); in turn, from those of q, they converge as the square of how
 * exp(b2 l) varies over a field does, a digit a step.  exp is the quotient of knot_loops.h. */
#include "lateral.h"
#include "knot_loops.h"
#include "scoria/linalg.h"
#include <math.h>
#include <string.h>

#define FARTHEST 8.0      /* m, l: beyond, waves are as large as there */
#define LEAST_SHARE 0.005 /* of a variance, of the lateral mean, of the other long waves, of the short ones */
#define STEPS 60
#define SETTLED 1e-10 /* change of l in a step: a tenth of it is left */

bool swell_has(const NormLateral norm, int e)
{
  return norm->modulation.own.on && e / norm->nx == norm->modulation.channel;
}

static double held(double a)
{
  return PetscClipInterval(a, -FARTHEST, FARTHEST);
}

/* ---------------------------------------------------------------------------------------------- at a condition ---- */

#define NODES 4  /* on either side of 0, */
#define STEP 1.1 /* between them: the rule is exact for normals to 1e-7 */
#define ROUNDS 6 /* each brings a wave ten times nearer */

typedef struct {
  double mean, waves, rest; /* deviations of m, of l - m, of z - l */
  double b1, b2;
} Law;

/* l - m, over its deviation, where q is reached with this m and z - l. */
static double wave_at(const Law *law, double q, double m, double rest)
{
  const double swell = knot_swell(law->b1 * held(m));
  double wave        = q - m - rest;
  for (int i = 0; i < ROUNDS; i++) wave = (q - m - rest * knot_swell(law->b2 * held(m + wave))) / swell;
  return wave / law->waves;
}

/* Phi^-1(F(q)) */
static double score_of_law(const Law *law, double q)
{
  double below = 0, above = 0, all = 0;
  for (int i = -NODES; i <= NODES; i++)
    for (int j = -NODES; j <= NODES; j++) {
      const double a = i * STEP, b = j * STEP, weight = exp(-0.5 * (a * a + b * b)),
                   w = wave_at(law, q, a * law->mean, b * law->rest);
      below += weight * 0.5 * erfc(-w / sqrt(2));
      above += weight * 0.5 * erfc(w / sqrt(2));
      all += weight;
    }
  return below < above ? normal_quantile(below / all) : -normal_quantile(above / all);
}

static void set_element(NormLateral norm, int x)
{
  Modulation *m = &norm->modulation;
  const int e   = m->channel * norm->nx + x;
  double *share = m->own.share + x, *normal = m->normal + (size_t)e * MARGINAL_KNOTS;
  const int nx    = norm->nx;
  const double *b = m->own.exponent + x;
  if (b[SWELL_MEAN * nx] == 0 && b[SWELL_LONG * nx] == 0) return;
  const double a = share[SWELL_MEAN * nx] = PetscClipInterval(share[SWELL_MEAN * nx], LEAST_SHARE, 1 - 2 * LEAST_SHARE);
  const double l = share[SWELL_LONG * nx] = PetscClipInterval(share[SWELL_LONG * nx], a + LEAST_SHARE, 1 - LEAST_SHARE);
  const Law law                           = {sqrt(a), sqrt(l - a), sqrt(1 - l), b[SWELL_MEAN * nx], b[SWELL_LONG * nx]};
  m->bend[e] = LATERAL_STEP * (law.b1 * a * (l - a) + law.b2 * l * (1 - l)); /* a sixth of q's third moment */
  for (int k = 0; k < MARGINAL_KNOTS; k++) {
    const double q = knot_unbent(k - MARGINAL_KNOTS / 2, m->bend[e]) * LATERAL_STEP;
    normal[k]      = score_of_law(&law, q) / LATERAL_STEP;
  }
}

void swell_set(NormLateral norm, const double terms[])
{
  Swell *own  = &norm->modulation.own;
  const int p = norm->shape.terms, q = SWELLS * norm->nx;
  la_rows_product(1, p, q, terms, own->share_coef, NULL, own->share);
  for (int x = 0; x < norm->nx; x++) set_element(norm, x);
}

double swell_power(const NormLateral norm, int c, int e)
{
  const Swell *own = &norm->modulation.own;
  if (!swell_has(norm, e) || c == 0) return 1;
  const int i    = (own->is_long[c] > 0 ? SWELL_MEAN : SWELL_LONG) * norm->nx + e % norm->nx;
  const double b = own->exponent[i];
  return exp(2 * b * b * own->share[i]);
}

/* -------------------------------------------------------------------------------------------------- of a field ---- */

/* Scores per unit of t. */
static double unit_of(const NormLateral norm, int x)
{
  return norm->rate[norm->modulation.channel * norm->nx + x] * LATERAL_STEP;
}

/* Of long waves. */
static int largest_ky(const Swell *own)
{
  int most = 0;
  for (int c = 0; c < own->waves.classes; c++)
    if (own->is_long[c] > 0) most = PetscMax(most, own->waves.class[c].ky);
  return most;
}

/* Of what is in waves.grid its mean, and its long waves in waves.grid. */
static void take_long(Swell *own)
{
  const Waves *w = &own->waves;
  const int most = largest_ky(own);
  double *row    = own->row;
  fftw_execute(w->forward);
  for (int c = 0; c < w->classes; c++) {
    if (!(own->is_long[c] > 0)) continue;
    waves_take(w, &w->class[c], row);
    row += wave_coordinates(&w->class[c]) * w->nx;
  }
  for (int x = 0; x < w->nx; x++) own->mean[x] = own->row[x] * wave_value(w, &w->class[0], 0, 0, 0);
  waves_clear(w, most);
  row = own->row;
  for (int c = 0; c < w->classes; c++) {
    if (!(own->is_long[c] > 0)) continue;
    waves_put(w, &w->class[c], row);
    row += wave_coordinates(&w->class[c]) * w->nx;
  }
  waves_back(w, most);
}

void swell_part(NormLateral norm, const double t[])
{
  Swell *own   = &norm->modulation.own;
  const int nx = norm->nx, all = norm->N * nx;
  for (int i = 0; i < all; i++) own->waves.grid[i] = t[i] * unit_of(norm, i % nx);
  take_long(own);
  memcpy(own->low, own->waves.grid, sizeof *own->low * (size_t)all);
}

/* A wave of a half spectrum (half, nx) of complex numbers times units; none where at < 0. */
static void copy_wave(const NormLateral norm, int at, const double *from, double *to)
{
  const int nx = norm->nx, first = 2 * at * nx;
  for (int i = 0; i < 2 * nx && at >= 0; i++) to[first + i] = from[first + i] * unit_of(norm, i / 2);
}

void swell_part_of_spectrum(NormLateral norm)
{
  Swell *own         = &norm->modulation.own;
  const Waves *w     = &own->waves;
  const int most     = largest_ky(own);
  const double *from = (const double *)(norm->waves.spectrum + (size_t)norm->modulation.channel * w->half * w->nx);
  double *to         = (double *)w->spectrum;
  waves_clear(w, most);
  for (int c = 0; c < w->classes; c++)
    for (int k = 0; k < w->class[c].members && own->is_long[c] > 0; k++) {
      copy_wave(norm, w->class[c].at[k], from, to);
      copy_wave(norm, w->class[c].conjugate[k], from, to);
    }
  for (int x = 0; x < w->nx; x++) own->mean[x] = to[2 * (w->class[0].at[0] * w->nx + x)];
  waves_back(w, most);
  memcpy(own->low, w->grid, sizeof *own->low * (size_t)norm->N * w->nx);
}

void swell_apply(NormLateral norm, double t[])
{
  Swell *own   = &norm->modulation.own;
  const int nx = norm->nx;
  double *unit = own->row, *mean_swell = own->row + nx;
  for (int x = 0; x < nx; x++) {
    unit[x]       = unit_of(norm, x);
    mean_swell[x] = knot_swell(own->exponent[SWELL_MEAN * nx + x] * held(own->mean[x]));
  }
  const KnotSwell of = {nx, unit, own->mean, mean_swell, own->exponent + SWELL_LONG * nx, own->low, FARTHEST};
  knot_loops()->swell(&of, norm->N, t);
}

/* What waves are larger by at places (N, nx), and long ones (nx), for this low and level. */
static void set_sizes(const NormLateral norm)
{
  const Swell *own = &norm->modulation.own;
  const int nx     = norm->nx;
  const double *b1 = own->exponent + SWELL_MEAN * nx, *b2 = own->exponent + SWELL_LONG * nx, *low = own->low;
  double *size = own->size, *long_size = own->size + norm->N * nx;
  for (int p = 0; p < norm->N; p++, low += nx, size += nx)
    for (int x = 0; x < nx; x++) size[x] = knot_swell(b2[x] * held(low[x]));
  for (int x = 0; x < nx; x++) long_size[x] = knot_swell(b1[x] * held(own->level[x]));
}

/* One step of the way back: short waves from the long ones, and these from what short ones leave of q.  The largest
 * change; planes where it is NaN stay so. */
static double improve(const NormLateral norm)
{
  Swell *own   = &norm->modulation.own;
  const int nx = norm->nx, all = norm->N * nx;
  const double *size = own->size, *long_size = own->size + all, *q = own->q;
  double *grid = own->waves.grid, *rest = own->rest, *level = own->level, *low = own->low, largest = 0;
  set_sizes(norm);
  for (int i = 0; i < all; i += nx)
    for (int x = 0; x < nx; x++)
      rest[i + x] = grid[i + x] = (q[i + x] - level[x] - (low[i + x] - level[x]) * long_size[x]) / size[i + x];
  take_long(own);
  for (int i = 0; i < all; i++) {
    rest[i] -= grid[i];
    grid[i] = q[i] - rest[i] * size[i];
  }
  take_long(own);
  for (int x = 0; x < nx; x++) {
    level[x]           = own->mean[x];
    own->size[all + x] = knot_swell(own->exponent[SWELL_MEAN * nx + x] * held(level[x]));
  }
  for (int i = 0; i < all; i += nx)
    for (int x = 0; x < nx; x++) {
      const double now = level[x] + (grid[i + x] - level[x]) / long_size[x], change = fabs(now - low[i + x]);
      low[i + x] = now;
      largest    = change > largest ? change : largest;
    }
  return largest;
}

void swell_take_out(NormLateral norm, double t[])
{
  Swell *own   = &norm->modulation.own;
  const int nx = norm->nx, all = norm->N * nx, first = norm->modulation.channel * nx;
  double change = INFINITY;
  for (int i = 0; i < all; i++) {
    const int e        = first + i % nx;
    own->q[i]          = knot_unbent(t[i] * norm->rate[e], norm->modulation.bend[e]) * LATERAL_STEP;
    own->waves.grid[i] = own->q[i];
  }
  take_long(own);
  memcpy(own->low, own->waves.grid, sizeof *own->low * (size_t)all);
  memcpy(own->level, own->mean, sizeof *own->level * (size_t)nx);
  for (int k = 0; k < STEPS && change > SETTLED; k++) change = improve(norm);
  for (int i = 0; i < all; i++) t[i] = change <= SETTLED ? (own->low[i] + own->rest[i]) / unit_of(norm, i % nx) : NAN;
}

/* f(b a) and its derivative by a, where a is held. */
static double swell_slope(double b, double a, double *slope)
{
  const double x = b * held(a);
  *slope         = held(a) == a ? b * knot_swell_slope(x) : 0;
  return knot_swell(x);
}

double swell_position(const NormLateral norm, int e, const double score[], double slope[])
{
  const Swell *own  = &norm->modulation.own;
  const int x       = e % norm->nx;
  const double unit = unit_of(norm, x), z = score[0] * unit, low = score[1], mean = score[2];
  double by_mean, by_low;
  const double a = swell_slope(own->exponent[SWELL_MEAN * norm->nx + x], mean, &by_mean),
               b = swell_slope(own->exponent[SWELL_LONG * norm->nx + x], low, &by_low);
  slope[0]       = unit * b / LATERAL_STEP;
  slope[1]       = (a - b + (z - low) * by_low) / LATERAL_STEP;
  slope[2]       = (1 - a + (low - mean) * by_mean) / LATERAL_STEP;
  return (mean + (low - mean) * a + (z - low) * b) / LATERAL_STEP;
}

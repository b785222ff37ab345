/* The normaliser of whole fields at work: fields to coordinates and back. */
#include "lateral.h"
#include "knot_loops.h"
#include "scoria/linalg.h"
#include <math.h>
#include <string.h>

PetscErrorCode LateralSetUp(NormLateral norm)
{
  PetscFunctionBeginUser;
  norm->E = norm->C * norm->nx;
  norm->N = norm->ny * norm->nz;
  norm->m = norm->E * norm->N;
  PetscCall(WavesCreate(norm->C, norm->nx, norm->ny, norm->nz, &norm->waves));
  const size_t E = (size_t)norm->E, rows = 2 * WAVES_MEMBERS;
  PetscCall(PetscCalloc5(E, &norm->base, E, &norm->s, E * MARGINAL_KNOTS, &norm->knot, E, &norm->profile,
                         (size_t)norm->m, &norm->t));
  const int classes = norm->waves.classes;
  PetscCall(PetscCalloc6(rows * E, &norm->row, E, &norm->marginal, classes, &norm->kept, classes, &norm->mode, classes,
                         &norm->pair, classes, &norm->factor));
  PetscCall(PetscCalloc5(E * MARGINAL_BINS * MARGINAL_TILT, &norm->feature, E, &norm->rate, norm->C, &norm->near, E,
                         &norm->far, 2 * E * MARGINAL_KNOTS, &norm->span));
  PetscFunctionReturn(0);
}

PetscErrorCode LateralSetCoefficients(NormLateral norm)
{
  const size_t E    = (size_t)norm->E;
  const int largest = PetscMax(norm->mean.terms, PetscMax(norm->scale.terms, norm->shape.terms));
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc5(norm->mean.terms * E, &norm->mean_coef, norm->scale.terms * E, &norm->scale_coef,
                         norm->shape.terms * E * MARGINAL_TILT, &norm->tilt_coef, largest, &norm->value,
                         E * MARGINAL_TILT, &norm->tilt));
  const size_t channels = (size_t)(norm->waves.classes * norm->C);
  PetscCall(PetscCalloc2(norm->shape.terms * channels, &norm->power_coef, channels, &norm->power));
  PetscCall(PetscCalloc2(norm->shape.terms * E * MARGINAL_EDGES, &norm->score_coef, E * MARGINAL_EDGES, &norm->score));
  PetscFunctionReturn(0);
}

PetscErrorCode LateralSetModes(NormLateral norm)
{
  const size_t Q = (size_t)norm->Q;
  PetscFunctionBeginUser;
  int Q_before = 0, L = 0;
  norm->P = 0;
  for (int c = 0; c < norm->waves.classes; c++) {
    const int n     = lateral_coupled(norm, c);
    norm->mode[c]   = Q_before;
    norm->pair[c]   = norm->P;
    norm->factor[c] = L;
    Q_before += norm->kept[c];
    norm->P += n * (n - 1) / 2;
    L += n * (n + 1) / 2;
  }
  PetscCall(PetscCalloc5(Q * norm->E, &norm->V, Q, &norm->lambda, norm->scale.terms * Q, &norm->D_coef,
                         (size_t)norm->mean.terms * norm->kept[0] + 1, &norm->mu_coef, Q, &norm->place));
  PetscCall(PetscCalloc2(Q, &norm->D, norm->kept[0] + 1, &norm->mu));
  PetscCall(PetscCalloc5((size_t)norm->scale.terms * norm->P + 1, &norm->R_coef, norm->P + 1, &norm->correlation, L,
                         &norm->L, Q * norm->E, &norm->W, norm->E, &norm->middle));
  PetscFunctionReturn(0);
}

PetscErrorCode LateralDestroy(void *self)
{
  NormLateral norm = self;
  PetscFunctionBeginUser;
  PetscCall(WavesDestroy(&norm->waves));
  PetscCall(NormPolyDestroy(&norm->mean));
  PetscCall(NormPolyDestroy(&norm->scale));
  PetscCall(NormPolyDestroy(&norm->shape));
  PetscCall(PetscFree5(norm->base, norm->s, norm->knot, norm->profile, norm->t));
  PetscCall(PetscFree6(norm->row, norm->marginal, norm->kept, norm->mode, norm->pair, norm->factor));
  PetscCall(PetscFree5(norm->feature, norm->rate, norm->near, norm->far, norm->span));
  PetscCall(PetscFree5(norm->mean_coef, norm->scale_coef, norm->tilt_coef, norm->value, norm->tilt));
  PetscCall(PetscFree2(norm->score_coef, norm->score));
  PetscCall(PetscFree2(norm->power_coef, norm->power));
  PetscCall(PetscFree5(norm->V, norm->lambda, norm->D_coef, norm->mu_coef, norm->place));
  PetscCall(PetscFree2(norm->D, norm->mu));
  PetscCall(ModulationDestroy(norm));
  PetscCall(PetscFree5(norm->R_coef, norm->correlation, norm->L, norm->W, norm->middle));
  PetscCall(PetscFree(norm));
  PetscFunctionReturn(0);
}

/* Which of two modes comes first: larger variance, then longer waves. */
static bool mode_before(const NormLateral norm, int p, int q)
{
  return norm->lambda[p] != norm->lambda[q] ? norm->lambda[p] > norm->lambda[q] : p < q;
}

PetscErrorCode LateralOrder(NormLateral norm, int modes)
{
  int *order, *width;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(norm->Q, &order, norm->Q, &width));
  for (int c = 0; c < norm->waves.classes; c++)
    for (int k = 0; k < norm->kept[c]; k++) width[norm->mode[c] + k] = wave_coordinates(&norm->waves.class[c]);
  for (int q = 0; q < norm->Q; q++) { /* by insertion: modes of a class are in order, and so are the classes nearly */
    int at = q;
    for (; at > 0 && mode_before(norm, q, order[at - 1]); at--) order[at] = order[at - 1];
    order[at] = q;
  }
  norm->R = norm->r = 0;
  bool learned      = true;
  for (int k = 0; k < norm->Q; k++) {
    norm->place[order[k]] = norm->R;
    norm->R += width[order[k]];
    learned = learned && (k == 0 || norm->R <= modes);
    if (learned) norm->r = norm->R;
  }
  PetscCall(PetscFree2(order, width));
  PetscFunctionReturn(0);
}

void lateral_sizes(void *self, NormSizes *sizes)
{
  const NormLateral norm = self;
  *sizes                 = (NormSizes){norm->C, norm->nx * norm->N, norm->r, norm->R, {norm->nx, norm->ny, norm->nz}};
}

const ScoriaSpace *lateral_space(void *self)
{
  return &((NormLateral)self)->space;
}

const double *lateral_modes(void *self)
{
  (void)self;
  return NULL;
}

/* --------------------------------------------------------------------------------------------- encode, decode ---- */

/* t at v between knots, of which there are `rate` per unit, or on the line through the outer ones. */
static double score_of(const double knot[], double rate, double v)
{
  const int middle = MARGINAL_KNOTS / 2, last = MARGINAL_KNOTS - 2;
  const double guess = (v - knot[middle]) / (knot[middle + 1] - knot[middle - 1]) * 2 + middle;
  if (!(fabs(guess) < 1e6)) return v - v; /* NaN where v is */
  int k = guess > 0 ? (guess < last ? (int)guess : last) : 0;
  while (k > 0 && v < knot[k]) k--;
  while (k < last && v >= knot[k + 1]) k++;
  return (k - middle + (v - knot[k]) / (knot[k + 1] - knot[k])) / rate;
}

void lateral_scores(const NormLateral norm, double v[])
{
  double *t = v;
  for (int c = 0; c < norm->C; c++)
    for (int p = 0; p < norm->N; p++)
      for (int x = 0; x < norm->nx; x++, v++) {
        const int e = c * norm->nx + x;
        *v          = score_of(norm->knot + e * MARGINAL_KNOTS, norm->rate[e], *v);
      }
  if (norm->modulation.own.on) swell_take_out(norm, t + (size_t)norm->modulation.channel * norm->N * norm->nx);
  if (!norm->modulation.on) return;
  modulation_smooth(norm, t);
  modulation_take_out(norm, t);
}

/* Exponentials of v (N, nx) of a channel between two ends become its values. */
static void exponentials_back(const NormLateral norm, int c, double field[])
{
  const double near = norm->near[c], *far = norm->far + c * norm->nx;
  for (int p = 0; p < norm->N; p++, field += norm->nx)
    for (int x = 0; x < norm->nx; x++) field[x] = near + (far[x] - near) * (field[x] / (1 + field[x]));
}

/* What the loops make of scores of channel c: its values, those of bounds before they are back, or between two ends
 * exponentials. */
static KnotField knot_field(const NormLateral norm, int c)
{
  const size_t first         = (size_t)c * norm->nx;
  const LateralEndsKind ends = norm->ends[c];
  const double *span         = norm->span + first * 2 * MARGINAL_KNOTS;
  KnotField of               = {.nx        = norm->nx,
                                .knots     = MARGINAL_KNOTS,
                                .knot      = norm->knot + first * MARGINAL_KNOTS,
                                .rate      = norm->rate + first,
                                .s         = modulation_bends(norm) ? norm->modulation.s : NULL,
                                .exponent  = norm->modulation.exponent + first,
                                .bend      = norm->modulation.bend + first,
                                .span      = norm->logged[c] || ends != LATERAL_ENDS_NONE ? span : NULL,
                                .reference = norm->reference[c],
                                .sign      = norm->sign[c]};
  if (ends != LATERAL_ENDS_NONE) {
    of.reference = ends == LATERAL_ENDS_BOTH ? 0 : norm->near[c];
    of.sign      = ends == LATERAL_ENDS_BELOW ? -1 : 1;
  }
  return of;
}

/* Scores t (m) become a field; they are changed. */
static void scores_back(const NormLateral norm, double t[], double field[])
{
  if (norm->modulation.on) modulation_smooth(norm, t);
  if (norm->modulation.own.on) swell_apply(norm, t + (size_t)norm->modulation.channel * norm->N * norm->nx);
  for (int c = 0; c < norm->C; c++) {
    const size_t first = (size_t)c * norm->nx;
    const KnotField of = knot_field(norm, c);
    double *to         = field + first * norm->N;
    knot_loops()->field(&of, norm->N, t + first * norm->N, to);
    if (norm->ends[c] == LATERAL_ENDS_BOTH)
      exponentials_back(norm, c, to);
    else if (norm->ends[c] == LATERAL_ENDS_NONE && norm->bounds[c].on)
      lateral_values_back(norm, (int)first, (int64_t)norm->nx * norm->N, to);
  }
}

static double dot(int n, const double a[], const double b[])
{
  double part[4] = {0};
  int i          = 0;
  for (; i + 4 <= n; i += 4)
    for (int l = 0; l < 4; l++) part[l] += a[i + l] * b[i + l];
  for (; i < n; i++) part[0] += a[i] * b[i];
  return (part[0] + part[1]) + (part[2] + part[3]);
}

/* Coupled modes of class c over their deviations, at their places in y, become independent. */
static void uncouple(const NormLateral norm, int c, int width, double y[])
{
  const double *L = norm->L + norm->factor[c];
  for (int k = 0; k < lateral_coupled(norm, c); k++, L++) {
    double *here = y + norm->place[norm->mode[c] + k];
    for (int i = 0; i < k; i++, L++)
      for (int j = 0; j < width; j++) here[j] -= *L * y[norm->place[norm->mode[c] + i] + j];
    for (int j = 0; j < width; j++) here[j] /= *L;
  }
}

/* Waves of class c, in norm->row, become those of the modes. */
static void divide_powers(const NormLateral norm, int c, int width)
{
  for (int j = 0; j < width; j++)
    for (int i = 0; i < norm->C; i++) {
      double *row         = norm->row + (size_t)j * norm->E + (size_t)i * norm->nx;
      const double factor = 1 / norm->power[c * norm->C + i];
      for (int x = 0; x < norm->nx; x++) row[x] *= factor;
    }
}

void lateral_coordinates(const NormLateral norm, double y[])
{
  const Waves *w = &norm->waves;
  for (int c = 0; c < w->classes; c++) {
    const int width = norm->kept[c] ? wave_coordinates(&w->class[c]) : 0;
    if (width) waves_take(w, &w->class[c], norm -> row);
    if (norm->powers) divide_powers(norm, c, width);
    for (int k = 0; k < norm->kept[c]; k++) {
      const int q        = norm->mode[c] + k;
      const double *mode = norm->V + (size_t)q * norm->E, mu = c ? 0 : norm->mu[k];
      for (int j = 0; j < width; j++)
        y[norm->place[q] + j] = (dot(norm->E, norm->row + (size_t)j * norm->E, mode) - mu) / norm->D[q];
    }
    uncouple(norm, c, width, y);
  }
}

void lateral_move(void *self, const double draw[4], float y[])
{
  const NormLateral norm = self;
  const Waves *w         = &norm->waves;
  const int sy = (int)(draw[0] * w->ny), sz = (int)(draw[1] * w->nz);
  for (int c = 0; c < w->classes; c++)
    for (int k = 0; k < norm->kept[c] && norm->place[norm->mode[c] + k] < norm->r; k++)
      waves_move(w, &w->class[c], sy, sz, draw[2] < 0.5, draw[3] < 0.5, y + norm->place[norm->mode[c] + k]);
}

void lateral_encode(void *self, int64_t n, const double fields[], double y[])
{
  const NormLateral norm = self;
  for (int64_t i = 0; i < n; i++) {
    lateral_transform(norm, norm->N, fields + i * norm->m, norm->waves.grid);
    lateral_scores(norm, norm->waves.grid);
    fftw_execute(norm->waves.forward);
    lateral_coordinates(norm, y + i * norm->R);
  }
}

#define TOGETHER 4 /* modes */

/* to (E) becomes ((to + a_0 W_0) + a_1 W_1) + ..., of n <= TOGETHER modes W (n, E): rows are read and written once. */
static inline void add_modes(int n, int E, const double a[], const double *restrict W, double *restrict to)
{
  const double *second = W + E, *third = second + E, *fourth = third + E;
  for (int e = 0; e < E && n == TOGETHER; e++)
    to[e] = (((to[e] + a[0] * W[e]) + a[1] * second[e]) + a[2] * third[e]) + a[3] * fourth[e];
  for (int k = 0; k < n && n < TOGETHER; k++)
    for (int e = 0; e < E; e++) to[e] += a[k] * W[(size_t)k * (size_t)E + e];
}

/* Of waves that have modes or are the long ones of the leading channel. */
static int largest_ky(const NormLateral norm)
{
  const Swell *own = &norm->modulation.own;
  int most         = 0;
  for (int c = 0; c < norm->waves.classes; c++)
    if (norm->kept[c] || (own->on && own->is_long[c] > 0)) most = PetscMax(most, norm->waves.class[c].ky);
  return most;
}

/* The transform of scores from coordinates y (R). */
static void set_spectrum(const NormLateral norm, const double y[], bool about_mean)
{
  const Waves *w = &norm->waves;
  waves_clear(w, largest_ky(norm));
  for (int c = 0; c < w->classes; c++) {
    const int width = norm->kept[c] ? wave_coordinates(&w->class[c]) : 0;
    memset(norm->row, 0, sizeof *norm->row * (size_t)width * norm->E);
    if (c == 0 && !about_mean) memcpy(norm->row, norm->middle, sizeof *norm->row * (size_t)width * norm->E);
    for (int k = 0, n; k < norm->kept[c]; k += n) {
      const int q = norm->mode[c] + k;
      n           = PetscMin(TOGETHER, norm->kept[c] - k);
      for (int j = 0; j < width; j++) {
        double a[TOGETHER];
        for (int i = 0; i < n; i++) a[i] = y[norm->place[q + i] + j];
        add_modes(n, norm->E, a, norm->W + (size_t)q * norm->E, norm->row + (size_t)j * norm->E);
      }
    }
    if (width) waves_put(w, &w->class[c], norm -> row);
  }
}

void lateral_scores_of(const NormLateral norm, const double y[], bool about_mean)
{
  set_spectrum(norm, y, about_mean);
  if (norm->modulation.own.on) swell_part_of_spectrum(norm);
  waves_back(&norm->waves, largest_ky(norm));
}

void lateral_decode(void *self, int64_t n, const double y[], double fields[])
{
  const NormLateral norm = self;
  for (int64_t i = 0; i < n; i++) {
    lateral_scores_of(norm, y + i * norm->R, false);
    scores_back(norm, norm->waves.grid, fields + i * norm->m);
  }
}

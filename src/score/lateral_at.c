/* The normaliser of whole fields at a condition. */
#include "knot_loops.h"
#include "lateral.h"
#include "scoria/linalg.h"
#include <math.h>
#include <string.h>

void lateral_unit(const NormLateral norm, const double theta[], double u[])
{
  double all[SCORIA_MAX_CONDITIONS];
  space_to_learned(&norm->space, theta, all);
  for (int j = 0; j < norm->d; j++) u[j] = all[norm->vary[j]];
}

/* out (q) = p(u)^T coef (terms, q) */
static void evaluate(const NormPoly *poly, const double u[], int q, const double coef[], double value[], double out[])
{
  norm_poly_values(poly, u, value);
  la_rows_product(1, poly->terms, q, value, coef, NULL, out);
}

void lateral_set_scale(NormLateral norm, const double u[], const double twin[])
{
  norm->is_here = false;
  evaluate(&norm->mean, u, norm->E, norm->mean_coef, norm->value, norm->base);
  evaluate(&norm->scale, u, norm->E, norm->scale_coef, norm->value, norm->s);
  for (int e = 0; e < norm->E; e++) {
    norm->base[e] += norm->twin ? twin[e] : 0;
    norm->s[e] = exp(norm->s[e]);
  }
}

static void set_scores(NormLateral norm, const double u[])
{
  if (norm->edges) {
    evaluate(&norm->shape, u, norm->E * MARGINAL_EDGES, norm->score_coef, norm->value, norm->score);
    for (int e = 0; e < norm->E; e++) marginal_order(&norm->marginal[e], norm->score + (size_t)e * MARGINAL_EDGES);
    return;
  }
  evaluate(&norm->shape, u, norm->E * MARGINAL_TILT, norm->tilt_coef, norm->value, norm->tilt);
  for (int e = 0; e < norm->E; e++)
    marginal_scores(&norm->marginal[e], norm->feature + (size_t)e * MARGINAL_BINS * MARGINAL_TILT,
                    norm->tilt + e * MARGINAL_TILT, norm->score + (size_t)e * MARGINAL_EDGES);
}

void lateral_set_knots(NormLateral norm, const double u[])
{
  norm->is_here = false;
  set_scores(norm, u);
  for (int e = 0; e < norm->E; e++) {
    double *knot = norm->knot + (size_t)e * MARGINAL_KNOTS;
    marginal_knots(&norm->marginal[e], norm->score + (size_t)e * MARGINAL_EDGES, knot);
    if (norm->standard) marginal_standardise(knot);
    norm->rate[e] = 1 / LATERAL_STEP;
    for (int k = 0; k < MARGINAL_KNOTS; k++) knot[k] = norm->base[e] + norm->s[e] * knot[k];
  }
  if (modulation_bends(norm)) {
    memcpy(norm->modulation.plain, norm->knot, sizeof *norm->knot * (size_t)norm->E * MARGINAL_KNOTS);
    modulation_set(norm, u);
    modulation_bend(norm);
  }
  knot_spans(norm->E, MARGINAL_KNOTS, norm->knot, norm->span);
}

/* Variance (E) of t by W: per lateral place the mean over the orthonormal coordinates of all wave numbers. */
static void score_variance(const NormLateral norm, double variance[])
{
  memset(variance, 0, sizeof *variance * (size_t)norm->E);
  for (int c = 0; c < norm->waves.classes; c++)
    for (int k = 0; k < norm->kept[c]; k++) {
      const double *unit = norm->W + (size_t)(norm->mode[c] + k) * norm->E;
      const double share = wave_coordinates(&norm->waves.class[c]) / (double)norm->N;
      for (int e = 0; e < norm->E; e++) variance[e] += share * unit[e] * unit[e];
    }
}

#define LEAST_VARIANCE 1e-6 /* of t: an element that does not vary keeps its knots */

/* Knots where t has the variance of its modes. */
static void set_rates(NormLateral norm)
{
  double *variance = norm->profile;
  score_variance(norm, variance);
  for (int e = 0; e < norm->E; e++)
    if (variance[e] > LEAST_VARIANCE) norm->rate[e] = 1 / (LATERAL_STEP * sqrt(variance[e]));
}

void lateral_set_deviations(NormLateral norm, const double u[])
{
  evaluate(&norm->scale, u, norm->Q, norm->D_coef, norm->value, norm->D);
  for (int q = 0; q < norm->Q; q++) norm->D[q] = exp(norm->D[q]);
  if (norm->kept[0]) evaluate(&norm->mean, u, norm->kept[0], norm->mu_coef, norm->value, norm->mu);
  for (int k = 0; k < norm->kept[0]; k++) norm->mu[k] *= sqrt(norm->lambda[k]);
}

int lateral_coupled(const NormLateral norm, int c)
{
  return PetscMin(norm->kept[c], LATERAL_COUPLED);
}

#define LEAST_PIVOT 0.2 /* deviation of a mode, given those before it, over its own */
#define DAMPING 0.8     /* of correlations that are regressed to no such law */
#define LEAST_DAMPED 0.01

/* A factor (n, n) of unit correlations and R below the diagonal, damped until it is one. */
static void factor_correlations(int n, const double R[], double L[])
{
  bool good = n == 0;
  for (double damp = 1; !good; damp = damp > LEAST_DAMPED ? DAMPING * damp : 0) {
    for (int i = 0, at = 0; i < n; i++)
      for (int j = 0; j < n; j++) L[i * n + j] = i == j ? 1 : j < i && damp > 0 ? damp * R[at++] : 0;
    good = la_cholesky(n, L) || damp <= 0;
    for (int i = 0; i < n && damp > 0; i++) good = good && L[i * n + i] > LEAST_PIVOT;
  }
}

#define LARGEST_POWER 0.7 /* of the ln of a factor: of waves that are noise alone it is none */

static void set_powers(NormLateral norm, const double u[])
{
  const int channels = norm->waves.classes * norm->C;
  evaluate(&norm->shape, u, channels, norm->power_coef, norm->value, norm->power);
  for (int k = 0; k < channels; k++)
    norm->power[k] = exp(PetscClipInterval(norm->power[k], -LARGEST_POWER, LARGEST_POWER));
}

static void scale_waves(const NormLateral norm, int c, double t[])
{
  for (int e = 0; e < norm->E && norm->powers; e++) t[e] *= norm->power[c * norm->C + e / norm->nx];
}

/* L, and W of a class. */
static void set_class(NormLateral norm, int c)
{
  const int n = lateral_coupled(norm, c), E            = norm->E;
  double square[LATERAL_COUPLED * LATERAL_COUPLED], *L = norm->L + norm->factor[c];
  factor_correlations(n, norm->correlation + norm->pair[c], square);
  for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++) *L++ = square[i * n + j];
  for (int k = 0; k < norm->kept[c]; k++) {
    const int q = norm->mode[c] + k;
    double *to  = norm->W + (size_t)q * E;
    memset(to, 0, sizeof *to * (size_t)E);
    for (int i = k; i < PetscMax(n, k + 1); i++) {
      const double *V = norm->V + (size_t)(norm->mode[c] + i) * E;
      const double a  = (k < n ? square[i * n + k] : 1) * norm->D[norm->mode[c] + i];
      for (int e = 0; e < E; e++) to[e] += a * V[e];
    }
    scale_waves(norm, c, to);
  }
}

void lateral_set_modes(NormLateral norm, const double u[])
{
  norm->is_here = false;
  lateral_set_deviations(norm, u);
  if (norm->P) evaluate(&norm->scale, u, norm->P, norm->R_coef, norm->value, norm->correlation);
  if (norm->powers) set_powers(norm, u);
  for (int c = 0; c < norm->waves.classes; c++) set_class(norm, c);
  memset(norm->middle, 0, sizeof *norm->middle * (size_t)norm->E);
  for (int k = 0; k < norm->kept[0]; k++)
    for (int e = 0; e < norm->E; e++) norm->middle[e] += norm->mu[k] * norm->V[(size_t)k * norm->E + e];
  scale_waves(norm, 0, norm->middle);
  if (norm->standard) set_rates(norm);
}

/* The twin (E) at theta in v, once the ends are set. */
static PetscErrorCode Twin(NormLateral norm, const ScoriaTwin *twin, const double theta[], double v[])
{
  PetscFunctionBeginUser;
  if (!twin || !twin->solve)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "the model was trained with the equations' own solution as a baseline and cannot be used without it");
  PetscCall(twin->solve(twin->ctx, theta, v));
  lateral_transform(norm, 1, v, v);
  for (int e = 0; e < norm->E; e++)
    if (!isfinite(v[e]))
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "no baseline at this condition (%s = %g, ...): it lies outside what the model can represent",
                  norm->space.n > 0 ? norm->space.c[0].name : "", norm->space.n > 0 ? theta[0] : 0.0);
  PetscFunctionReturn(0);
}

/* Many draws of one condition come in pieces: what they share is made once. */
PetscErrorCode LateralAt(void *self, const ScoriaTwin *twin, const double theta[])
{
  NormLateral norm  = self;
  const size_t size = sizeof *theta * (size_t)norm->space.n;
  double u[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  if (norm->is_here && !memcmp(norm->here, theta, size)) PetscFunctionReturn(0);
  norm->is_here = false;
  lateral_unit(norm, theta, u);
  PetscCall(LateralEnds(norm, twin, theta));
  if (norm->twin) PetscCall(Twin(norm, twin, theta, norm->profile));
  lateral_set_scale(norm, u, norm->profile);
  lateral_set_knots(norm, u);
  lateral_set_modes(norm, u);
  memcpy(norm->here, theta, size);
  norm->is_here = true;
  PetscFunctionReturn(0);
}

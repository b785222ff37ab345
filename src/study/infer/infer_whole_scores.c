/* infer of whole fields whose prior is Gaussian in scores: exactly, by conditioning on the few that readings depend on.
 *
 * Values of a field are functions of a few normal scores t = c + W y each, of latents y that are N(0, I)
 * (ScoriaModelScores).  Readings depend on the scores at the cells about the sensors alone, t_s = c_s + W_s y, which
 * are Gaussian of covariance W_s W_s^T = U diag(l) U^T: with B = diag(l)^-1/2 U^T W_s, whose rows are orthonormal,
 *
 *   t_s = c_s + U diag(l)^1/2 h,   h = B y is N(0, I),   y given h is y_0 + B^T (h - B y_0), y_0 being N(0, I).
 *
 * So the posterior of h, of a few dimensions, is sampled by tempering (stats.h), whatever the functions and the noise,
 * and each of its particles is given a y, and a field, of its own. */
#include "scoria/linalg.h"
#include "infer_whole.h"
#include <math.h>
#include <string.h>

#define LEAST_VARIANCE 1e-10 /* of a direction of the scores, over the largest: below, rounding */

static int find_cell(Whole *w, int cell)
{
  int i = 0;
  while (i < w->cells && w->cell[i] != cell) i++;
  if (i == w->cells) w->cell[w->cells++] = cell;
  return i;
}

/* The cells about the sensors, every one once. */
static PetscErrorCode ListCells(Whole *w)
{
  const InferSensors *s = &w->q->sensors;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(8 * s->n, &w->cell, s->n, &w->at));
  for (int i = 0; i < s->n; i++) {
    w->at[i] = s->s[i].point;
    for (int k = 0; k < w->at[i].n; k++) w->at[i].cell[k] = find_cell(w, s->s[i].point.cell[k]);
  }
  PetscFunctionReturn(0);
}

/* L and B from the weights W_s (scores, latents) and the eigenvectors of their products. */
static PetscErrorCode SetDirections(Whole *w, const double W[], const double vector[], const double variance[])
{
  const int n = w->scores, first = n - w->dimension, R = w->latents;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)n * w->dimension, &w->L, (size_t)w->dimension * R, &w->B));
  for (int k = 0; k < w->dimension; k++) {
    const double *u = vector + (size_t)(first + k) * n, deviation = sqrt(variance[first + k]);
    double *row = w->B + (size_t)k * R;
    memset(row, 0, sizeof *row * (size_t)R);
    for (int i = 0; i < n; i++) {
      w->L[(size_t)i * w->dimension + k] = u[i] * deviation;
      for (int r = 0; r < R; r++) row[r] += u[i] / deviation * W[(size_t)i * R + r];
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode WholeSetScores(Whole *w)
{
  double *W, *product, *variance;
  PetscFunctionBeginUser;
  PetscCall(ListCells(w));
  const int n = w->cells * source_scores_each(w->prior), R = w->latents;
  w->scores = n;
  PetscCall(PetscMalloc3(n, &w->mean, n, &w->score, w->cells, &w->value));
  PetscCall(PetscMalloc3((size_t)n * R, &W, (size_t)n * n, &product, n, &variance));
  PetscCall(ScoriaSourceScores(w->prior, w->q->theta, w->cells, w->cell, w->mean, W));
  la_gemm(false, true, n, n, R, 1, W, R, W, R, 0, product, n);
  PetscCall(LinalgEigen(n, product, variance));
  while (w->dimension < n && variance[n - 1 - w->dimension] > LEAST_VARIANCE * variance[n - 1]) w->dimension++;
  if (!w->dimension) SCORIA_FAIL(SCORIA_EXIT_INPUT, "infer: the readings are of values that do not vary");
  PetscCall(SetDirections(w, W, product, variance));
  PetscCall(PetscFree3(W, product, variance));
  PetscFunctionReturn(0);
}

/* What the sensors read, without noise, at h. */
static void readings_of(Whole *w, const double h[], double reading[])
{
  for (int i = 0; i < w->scores; i++) {
    w->score[i] = w->mean[i];
    for (int k = 0; k < w->dimension; k++) w->score[i] += w->L[(size_t)i * w->dimension + k] * h[k];
  }
  source_values(w->prior, w->cells, w->cell, w->score, w->value);
  for (int i = 0; i < w->q->sensors.n; i++) reading[i] = point_value(&w->at[i], w->value);
}

int whole_row_length(const Whole *w)
{
  return w->dimension + w->q->sensors.n + 1;
}

void whole_score_rows(Whole *w, int64_t n, const double h[], double rows[])
{
  for (int64_t i = 0; i < n; i++, h += w->dimension, rows += whole_row_length(w)) {
    memcpy(rows, h, sizeof *h * (size_t)w->dimension);
    readings_of(w, h, rows + w->dimension);
    rows[whole_row_length(w) - 1] = 0;
  }
}

void whole_score_latents(const Whole *w, int64_t i, const double h[], double y[])
{
  rng_normal(w->q->seed, SCORIA_STREAM_WHOLE, (uint64_t)i, 0, w->latents, y);
  for (int k = 0; h && k < w->dimension; k++) { /* rows of B are orthonormal: one after the other */
    const double *b = w->B + (size_t)k * (size_t)w->latents;
    double change   = h[k];
    for (int r = 0; r < w->latents; r++) change -= b[r] * y[r];
    for (int r = 0; r < w->latents; r++) y[r] += change * b[r];
  }
}

PetscErrorCode WholeScoresDestroy(Whole *w)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(w->cell, w->at));
  PetscCall(PetscFree2(w->L, w->B));
  PetscCall(PetscFree3(w->mean, w->score, w->value));
  PetscFunctionReturn(0);
}

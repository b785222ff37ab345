/* Fields whose coordinates have another law than N(0, I), that of a network: how its scores are distributed at every
 * element, and marginal laws for such scores.
 *
 * Scores are counted as the knots see them: t over its standard deviation, or modulated the normal score that its law
 * gives it, less the mean that the normaliser gives t, so that of Gaussian coordinates they are N(0, 1) at every
 * element. */
#include "lateral.h"
#include <math.h>
#include <string.h>

#define EDGES NORM_SCORE_EDGES

/* The mean of t of a Gaussian y, in steps of the knots. */
static double middle_of(const NormLateral norm, int e)
{
  return norm->middle[e] / sqrt((double)norm->N) * norm->rate[e];
}

void lateral_scores_at(void *self, const double u[])
{
  NormLateral norm = self;
  double varying[SCORIA_MAX_CONDITIONS];
  for (int j = 0; j < norm->d; j++) varying[j] = u[norm->vary[j]];
  for (int e = 0; e < norm->E; e++) norm->rate[e] = 1 / LATERAL_STEP;
  if (norm->modulation.on) modulation_set(norm, varying);
  lateral_set_modes(norm, varying);
}

void lateral_count_scores(void *self, const double y[], double count[])
{
  const NormLateral norm = self;
  const double first = norm_score_edge(0), step = norm_score_edge(1) - first, *t = norm->waves.grid;
  double *middle = norm->profile;
  for (int e = 0; e < norm->E; e++) middle[e] = middle_of(norm, e);
  lateral_scores_of(norm, y);
  if (norm->modulation.on) modulation_smooth(norm, t);
  for (int c = 0; c < norm->C; c++)
    for (int p = 0; p < norm->N; p++)
      for (int x = 0; x < norm->nx; x++, t++) {
        const int e        = c * norm->nx + x;
        const double score = modulation_score(norm, e, *t, norm->modulation.on ? norm->modulation.s[p] : 0) - middle[e],
                     above = (score * LATERAL_STEP - first) / step;
        const int edge     = above < 0 ? 0 : above < EDGES - 1 ? (int)above + 1 : EDGES;
        if (edge < EDGES) count[e * EDGES + edge] += 1;
      }
}

/* The shift (EDGES) at a score. */
static double shift_at(const double shift[], double score)
{
  const double first = norm_score_edge(0), step = norm_score_edge(1) - first;
  const double at = PetscClipInterval((score - first) / step, 0, EDGES - 1);
  const int k     = PetscMin((int)at, EDGES - 2);
  return shift[k] + (at - k) * (shift[k + 1] - shift[k]);
}

void lateral_map_scores(void *self, const double shift[])
{
  const NormLateral norm = self;
  double *variance = norm->profile, *table = norm->modulation.on ? norm->modulation.plain : norm->knot,
         old[MARGINAL_KNOTS], slope;
  lateral_score_variance(norm, variance);
  for (int e = 0; e < norm->E; e++) {
    double *knot = table + (size_t)e * MARGINAL_KNOTS;
    if (!(variance[e] > LATERAL_LEAST_VARIANCE)) continue;
    memcpy(old, knot, sizeof old);
    for (int k = 0; k < MARGINAL_KNOTS; k++) {
      const double score = (k - MARGINAL_KNOTS / 2 - middle_of(norm, e)) * LATERAL_STEP,
                   moved = shift_at(shift + (size_t)e * EDGES, score) / LATERAL_STEP;
      knot[k]            = marginal_between(old, k - MARGINAL_KNOTS / 2 + moved, &slope);
    }
  }
  if (norm->modulation.on) modulation_bend(norm);
}

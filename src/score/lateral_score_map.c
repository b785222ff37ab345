/* Fields whose coordinates have another law than N(0, I), that of a network: how its scores are distributed at every
 * element, and marginal laws for such scores.
 *
 * Scores are counted as the knots see them: t over its standard deviation, less the mean that the normaliser gives t,
 * so that of Gaussian coordinates they are N(0, 1) at every element. */
#include "lateral.h"
#include <math.h>
#include <string.h>

#define EDGES NORM_SCORE_EDGES

/* The mean of t of a Gaussian y, as a score. */
static double middle_of(const NormLateral norm, int e)
{
  return norm->middle[e] / sqrt((double)norm->N) * norm->rate[e] * LATERAL_STEP;
}

/* At knots stand, instead of v, the scores themselves: where waves are modulated, those of what is bent. */
void lateral_scores_at(void *self, const double u[])
{
  NormLateral norm = self;
  double varying[SCORIA_MAX_CONDITIONS];
  for (int j = 0; j < norm->d; j++) varying[j] = u[norm->vary[j]];
  for (int e = 0; e < norm->E; e++) {
    norm->rate[e] = 1 / LATERAL_STEP;
    for (int k = 0; k < MARGINAL_KNOTS; k++)
      norm->knot[e * MARGINAL_KNOTS + k] = (k - MARGINAL_KNOTS / 2) * LATERAL_STEP;
  }
  if (norm->modulation.on) modulation_set(norm, varying);
  lateral_set_modes(norm, varying);
}

/* What stands at a place between knots, or on the line through the outer ones. */
static double value_at(const double knot[], double place)
{
  const int k = (int)PetscClipInterval(place, 0, MARGINAL_KNOTS - 2);
  return knot[k] + (place - k) * (knot[k + 1] - knot[k]);
}

void lateral_count_scores(void *self, const double y[], double count[])
{
  const NormLateral norm = self;
  const double first = norm_score_edge(0), step = norm_score_edge(1) - first, *t = norm->waves.grid;
  double by_t, by_s;
  lateral_scores_of(norm, y);
  if (norm->modulation.on) modulation_smooth(norm, t);
  for (int c = 0; c < norm->C; c++)
    for (int p = 0; p < norm->N; p++)
      for (int x = 0; x < norm->nx; x++, t++) {
        const int e        = c * norm->nx + x;
        const double s     = norm->modulation.on ? norm->modulation.s[p] : 0,
                     place = modulation_position(norm, e, *t, s, &by_t, &by_s) + MARGINAL_KNOTS / 2,
                     above = (value_at(norm->knot + e * MARGINAL_KNOTS, place) - middle_of(norm, e) - first) / step;
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
  double *variance       = norm->profile, old[MARGINAL_KNOTS];
  lateral_score_variance(norm, variance);
  for (int e = 0; e < norm->E; e++) {
    double *knot       = norm->knot + (size_t)e * MARGINAL_KNOTS;
    const double *from = norm->modulation.on ? norm->modulation.plain + (size_t)e * MARGINAL_KNOTS : knot;
    memcpy(old, from, sizeof old);
    memcpy(knot, old, sizeof old);
    for (int k = 0; k < MARGINAL_KNOTS && variance[e] > LATERAL_LEAST_VARIANCE; k++) {
      const double score = (k - MARGINAL_KNOTS / 2) * LATERAL_STEP - middle_of(norm, e);
      knot[k]            = value_at(old, k + shift_at(shift + (size_t)e * EDGES, score) / LATERAL_STEP);
    }
  }
  if (norm->modulation.on) modulation_bend(norm);
}

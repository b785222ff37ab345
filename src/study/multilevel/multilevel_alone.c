/* uq of several fidelities: what the answers of one member alone would be off by, from the pilot's draws, which all
 * members solve. */
#include "multilevel.h"
#include <math.h>

enum { RESAMPLES = 200 }; /* their spread is the variance of a difference, to a twentieth of its error */

static double pilot_value(const Levels *l, int64_t draw, int member, int i)
{
  return l->pilot[(draw * l->K + member) * l->columns + l->q->m + i];
}

/* Estimates by the member minus those by the first, over draws that are chosen; work (l->good). */
static PetscErrorCode Gap(const Levels *l, int member, int i, const int64_t chosen[], double work[],
                          double gap[SCORIA_NESTIMATES])
{
  ScoriaEstimates e[2];
  PetscFunctionBeginUser;
  for (int side = 0; side < 2; side++) {
    for (int64_t k = 0; k < l->good; k++) work[k] = pilot_value(l, chosen[k], side ? member : 0, i);
    PetscCall(ScoriaEstimatesTake(l->good, work, &e[side]));
  }
  for (int k = 0; k < SCORIA_NESTIMATES; k++) gap[k] = e[1].value[k] - e[0].value[k];
  PetscFunctionReturn(0);
}

/* Draws with replacement: both members of a pair stay together. */
static void resample(const Levels *l, int number, int64_t chosen[])
{
  double u[2];
  for (int64_t k = 0; k < l->good; k++) {
    if (k % 2 == 0) rng_uniform(0, SCORIA_STREAM_RESAMPLE, (uint64_t)number, (uint32_t)(k / 2), 2, u);
    chosen[k] = PetscMin((int64_t)(u[k % 2] * (double)l->good), l->good - 1);
  }
}

PetscErrorCode LevelsAlone(const Levels *l, int member, int i, ScoriaBias bias[SCORIA_NESTIMATES])
{
  const double sd = l->scale[l->q->m + i];
  double gap[SCORIA_NESTIMATES], one[SCORIA_NESTIMATES], sum[SCORIA_NESTIMATES] = {0}, square[SCORIA_NESTIMATES] = {0},
                                                         *work;
  int64_t *chosen;
  PetscFunctionBeginUser;
  for (int e = 0; e < SCORIA_NESTIMATES; e++) bias[e] = (ScoriaBias){.bias = NAN, .floor = NAN, .upper = NAN};
  if (!l->varies[l->q->m + i]) PetscFunctionReturn(0);
  PetscCall(PetscMalloc2(l->good, &work, l->good, &chosen));
  for (int64_t k = 0; k < l->good; k++) chosen[k] = k;
  PetscCall(Gap(l, member, i, chosen, work, gap));
  for (int r = 0; r < RESAMPLES; r++) {
    resample(l, r, chosen);
    PetscCall(Gap(l, member, i, chosen, work, one));
    for (int e = 0; e < SCORIA_NESTIMATES; e++) {
      sum[e] += (one[e] - gap[e]) / sd;
      square[e] += (one[e] - gap[e]) / sd * (one[e] - gap[e]) / sd;
    }
  }
  for (int e = 0; e < SCORIA_NESTIMATES; e++)
    bias_of_gap(gap[e] / sd, (square[e] - sum[e] * sum[e] / RESAMPLES) / (RESAMPLES - 1), &bias[e]);
  PetscCall(PetscFree2(work, chosen));
  PetscFunctionReturn(0);
}

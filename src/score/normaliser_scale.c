/* Mean squares of what a regression leaves: without its bias, and the terms that predict their logarithm. */
#include "normaliser_fit.h"
#include <math.h>

#define LARGEST_LEVERAGE 0.9 /* of a row whose residual still counts */

bool norm_knows_mean(const NormData *data, int64_t slot)
{
  return data->good[slot] >= NORM_OWN_MEAN;
}

void norm_centre(const NormData *data, int64_t slot, int width, double v[])
{
  const int n        = (int)data->good[slot];
  const double scale = sqrt(n / (n - 1.0));
  if (!norm_knows_mean(data, slot)) return;
  for (int j = 0; j < width; j++) {
    double mean = 0;
    for (int k = 0; k < n; k++) mean += v[(size_t)k * width + j];
    mean /= n;
    for (int k = 0; k < n; k++) v[(size_t)k * width + j] = (v[(size_t)k * width + j] - mean) * scale;
  }
}

double norm_unbiased(const NormData *data, int64_t slot)
{
  return data->leverage && !norm_knows_mean(data, slot) ? 1 / (1 - PetscMin(data->leverage[slot], LARGEST_LEVERAGE))
                                                        : 1;
}

PetscErrorCode NormChooseScaleTerms(const NormData *data, const NormDesign *design, int alone, const double S2[],
                                    bool **use)
{
  const size_t q     = (size_t)design->q;
  const size_t count = (size_t)data->start[data->tiles.tiles] * q;
  double *logarithm;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(count + 1, &logarithm));
  for (int t = 0; t < data->tiles.tiles; t++)
    for (size_t i = (size_t)data->start[t] * q; i < (size_t)(data->start[t] + data->fitted[t]) * q; i++)
      logarithm[i] = log(S2[i]);
  PetscCall(NormChooseTerms(data, &data->norm->scale, design, alone, design->q, logarithm, use));
  PetscCall(PetscFree(logarithm));
  PetscFunctionReturn(0);
}

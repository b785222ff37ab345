/* Mean squares of what a regression leaves: without its bias, and the terms that predict their logarithm. */
#include "normaliser_fit.h"
#include <math.h>

#define LARGEST_LEVERAGE 0.9 /* of a row whose residual still counts */

double norm_unbiased(const NormData *data, int64_t slot)
{
  return data->leverage ? 1 / (1 - PetscMin(data->leverage[slot], LARGEST_LEVERAGE)) : 1;
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

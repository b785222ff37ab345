/* Mean squares of what a regression leaves: without its bias, and the terms that predict their logarithm. */
#include "levels.h"
#include "normaliser_fit.h"
#include <math.h>

#define LARGEST_LEVERAGE 0.9 /* of a row, or a condition, whose residual still counts */

double norm_unbiased(const NormData *data, int64_t slot)
{
  return data->leverage && !data->few ? 1 / (1 - PetscMin(data->leverage[slot], LARGEST_LEVERAGE)) : 1;
}

/* Leverages h (slots) of the conditions in the regression of the mean: those of rows for each of theirs. */
static PetscErrorCode FindLeverages(NormData *data, const NormDesign *design, double h[])
{
  const double one  = 1;
  NormDesign single = *design;
  bool *all;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(design->p, &all));
  for (int j = 0; j < design->p; j++) all[j] = true;
  single.q   = 1;
  single.use = all;
  if (data->leverage)
    PetscCall(PetscArraycpy(h, data->leverage, data->start[data->tiles.tiles]));
  else
    PetscCall(NormLeverages(&single, &one, h));
  for (int64_t i = 0; i < data->start[data->tiles.tiles]; i++)
    h[i] = PetscMin(h[i] * data->good[i] * data->parts, LARGEST_LEVERAGE);
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/* The average of n rows of variance W deviates from the regressed mean by r; left out of the regression the condition
 * would by r / (1 - h), h its leverage.  Where conditions scatter by B about the trend, that squared is (B + W / n) /
 * (1 - h) on average, of which W / n / (1 - h) is noise of these rows, and a share h of W / n that of a mean.  So
 *   r^2 / (1 - h)^2 + W (1 - (1 / (1 - h) - h) / n)
 * is what a row of such a condition deviates by, squared.  Beside rows so few that they are in the noise of their mean,
 * a quarter of W stands. */
PetscErrorCode NormFindUnseen(NormData *data, const NormDesign *design)
{
  const int64_t slots = data->start[data->tiles.tiles];
  double *h;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(slots + 1, &h));
  PetscCall(PetscCalloc2(slots + 1, &data->own, slots + 1, &data->within));
  PetscCall(FindLeverages(data, design, h));
  for (int64_t i = 0; i < slots; i++) {
    const double n = data->good[i], noise = 1 / (1 - h[i]) - h[i];
    data->own[i]    = 1 / (1 - h[i]);
    data->within[i] = n > 1 ? sqrt(PetscMax(n - noise, n / 4) / (n - 1)) : 1;
  }
  PetscCall(PetscFree(h));
  PetscFunctionReturn(0);
}

void norm_as_unseen(const NormData *data, int64_t slot, int width, double v[])
{
  const int n = (int)data->good[slot];
  for (int j = 0; j < width && data->few; j++) {
    double mean = 0;
    for (int k = 0; k < n; k++) mean += v[(size_t)k * width + j] / n;
    for (int k = 0; k < n; k++) {
      double *x = v + (size_t)k * width + j;
      *x        = mean * data->own[slot] + (*x - mean) * data->within[slot];
    }
  }
}

double norm_square(const NormData *data, int64_t slot, double mean, double S2)
{
  if (!data->few) return (S2 + mean * mean) * norm_unbiased(data, slot);
  return pow(data->own[slot] * mean, 2) + pow(data->within[slot], 2) * S2;
}

#define FAR_OFF 0.5 /* SD of a condition's rows: a fifth of their variance is then between conditions */

PetscErrorCode NormTellUnseen(const NormData *data, double found[])
{
  const NormProfile norm = data->norm;
  double off             = 0;
  int worst              = 0;
  PetscFunctionBeginUser;
  if (!data->in.run) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, found, 2 * norm->C, MPI_DOUBLE, MPI_SUM, data->in.comm));
  for (int c = 0; c < norm->C; c++) {
    const double of = found[2 * c] > 0 ? sqrt(PetscMax(found[2 * c + 1], 0) / found[2 * c]) : 0;
    if (of <= off) continue;
    off   = of;
    worst = c;
  }
  if (off > FAR_OFF)
    PetscCall(ScoriaSay(data->in.run,
                        "  WARNING: %lld conditions do not tell how means change between them: at one left out that "
                        "of %s is off by about %.2g SD of its rows, ends of the ranges among them; the law is wider by "
                        "that; further conditions would tell, further rows of these would not",
                        (long long)data->n,
                        data->in.encoder ? "a field" : data->spec->field[data->in.channel[worst]].name, off));
  PetscFunctionReturn(0);
}

/* Of three, what is left tells a line, and of more than degrees count there is enough beside every one. */
PetscErrorCode NormFindLevels(NormData *data)
{
  const NormProfile norm = data->norm;
  Levels level[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  PetscCall(LevelsFind(&data->tiles, norm->d, data->u, LEVELS_APART, level));
  PetscCall(PetscMalloc1(norm->d * NORM_MAX_DEGREE + 1, &data->level));
  for (int j = 0; j < norm->d; j++)
    for (int k = 1; k < level[j].n - 1 && level[j].n > 3 && level[j].n <= NORM_MAX_DEGREE + 2; k++)
      data->level[data->levels++] = (NormLevel){j, level[j].at[k], level[j].at[k] + LEVELS_APART};
  PetscFunctionReturn(0);
}

PetscErrorCode NormTellLevels(const NormData *data)
{
  const NormProfile norm = data->norm;
  Levels level[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  PetscCall(LevelsFind(&data->tiles, norm->d, data->u, LEVELS_SAME, level));
  for (int j = 0; j < norm->d && data->in.run; j++)
    if (level[j].n == 2)
      PetscCall(ScoriaSay(data->in.run,
                          "  WARNING: %s takes two values: what lies between them is taken to change in proportion, "
                          "and nothing here tells whether it does",
                          norm->space.c[norm->vary[j]].name));
  PetscFunctionReturn(0);
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

/* The measures of a distance between two laws, one row each, and how they are pooled over conditions. */
#include "scoria/stats.h"
#include <math.h>
#include <string.h>

#define AT(member) offsetof(ScoriaDistance, member)

const ScoriaMeasure scoria_measures[] = {
    {"mean_error", AT(mean_error), SCORIA_POOL_RMS, SCORIA_WORST_FARTHEST, 0, false, "SD", "mean error", "mean/SD",
     "rms over cells of the difference of the means, in standard deviations"},
    {"sd_error", AT(sd_error), SCORIA_POOL_RMS, SCORIA_WORST_FARTHEST, 0, false, "%", "SD error", "SD",
     "rms over cells of the relative error of the standard deviation"},
    {"sd_bias", AT(sd_bias), SCORIA_POOL_MEAN, SCORIA_WORST_FARTHEST, 0, true, "%", "SD bias", "bias SD",
     "mean over cells of the same, with its sign: negative is too narrow"},
    {"band_error", AT(band_error), SCORIA_POOL_RMS, SCORIA_WORST_FARTHEST, 0, false, "%", "95 % band error", "band",
     "rms over cells of the relative error of the width of the central 95 % band"},
    {"coverage95", AT(coverage95), SCORIA_POOL_MEAN, SCORIA_WORST_FARTHEST, 0.95, false, "%", "coverage", "cover95",
     "share of PDE values inside the predicted central 95 % band"},
    {"w1", AT(w1), SCORIA_POOL_MEAN, SCORIA_WORST_FARTHEST, 0, false, "SD", "W_1", "W1/SD",
     "1-Wasserstein distance per cell, in standard deviations, mean over cells"},
    {"ks", AT(ks), SCORIA_POOL_MEAN, SCORIA_WORST_FARTHEST, 0, false, "", "Kolmogorov-Smirnov", NULL,
     "largest gap between distribution functions, the worst cell"},
    {"roughness", AT(roughness), SCORIA_POOL_MEAN, SCORIA_WORST_FARTHEST, 1, false, "", "roughness", NULL,
     "SD of the difference between neighbouring cells, over that of the PDE fields, median over cells"},
    {"sliced_w", AT(sliced_w), SCORIA_POOL_MEAN, SCORIA_WORST_FARTHEST, 0, false, "SD", "sliced W_1", "sliced W",
     "1-Wasserstein distance along random directions of all fields together"},
    {"covariance_error", AT(covariance_error), SCORIA_POOL_RMS, SCORIA_WORST_FARTHEST, 0, false, "%",
     "covariance error", NULL, "relative Frobenius error of the covariance of all fields together"},
    {"energy_p", AT(energy_p), SCORIA_POOL_MEAN, SCORIA_WORST_LEAST, 0.5, false, "", "energy test, p", NULL,
     "p value of a permutation test on the energy distance, mean over conditions: .5 for fields of one law"},
    {.name = NULL},
};

const ScoriaMeasure *measure_find(const char *name)
{
  const ScoriaMeasure *m = scoria_measures;
  while (m->name && strcmp(m->name, name)) m++;
  return m->name ? m : NULL;
}

double measure_value(const ScoriaMeasure *m, const ScoriaDistance *d)
{
  double value;
  memcpy(&value, (const char *)d + m->offset, sizeof value);
  return value;
}

static double pool(const ScoriaMeasure *m, int64_t n, const ScoriaDistance d[])
{
  double sum = 0;
  for (int64_t k = 0; k < n; k++) {
    const double value = measure_value(m, &d[k]);
    sum += m->pooling == SCORIA_POOL_RMS ? value * value : value;
  }
  sum /= (double)n;
  return m->pooling == SCORIA_POOL_RMS ? sqrt(sum) : sum;
}

void measures_pool(int64_t n, const ScoriaDistance d[], ScoriaDistance *pooled)
{
  for (const ScoriaMeasure *m = scoria_measures; m->name; m++) {
    const double value = pool(m, n, d);
    memcpy((char *)pooled + m->offset, &value, sizeof value);
  }
}

double measure_worst(const ScoriaMeasure *m, int64_t n, const ScoriaDistance d[])
{
  double worst = measure_value(m, &d[0]);
  for (int64_t k = 1; k < n; k++) {
    const double value = measure_value(m, &d[k]);
    const bool worse = m->worst == SCORIA_WORST_LEAST ? value < worst : fabs(value - m->ideal) > fabs(worst - m->ideal);
    if (worse) worst = value;
  }
  return worst;
}

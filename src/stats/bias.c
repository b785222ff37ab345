/* Estimates of one number's law, their Monte Carlo errors, and the bias of one sampler against another. */
#include "scoria/stats.h"
#include "sort.h"
#include <math.h>

const char *const scoria_estimate_names[SCORIA_NESTIMATES]  = {"mean", "sd", "q975"};
const char *const scoria_estimate_titles[SCORIA_NESTIMATES] = {"mean", "SD", "97.5 % quantile"};

/* Of quantile p, by the distance between the quantiles one standard error of the share below to either side (Woodruff
 * 1952): needs no density. */
static double quantile_se1(int64_t n, const double sorted[], double p)
{
  const double one = sqrt(p * (1 - p)), step = one / sqrt((double)n), lo = PetscMax(p - step, 0),
               hi = PetscMin(p + step, 1);
  return one * (stats_quantile(n, sorted, hi) - stats_quantile(n, sorted, lo)) / (hi - lo);
}

PetscErrorCode ScoriaEstimatesTake(int64_t n, double values[], ScoriaEstimates *e)
{
  double mean, sd, fourth = 0, *work;
  PetscFunctionBeginUser;
  stats_moments(n, 1, values, &mean, &sd);
  for (int64_t i = 0; i < n; i++) fourth += pow(values[i] - mean, 4) / (double)n;
  PetscCall(PetscMalloc1(n, &work));
  sort_ascending(n, values, work);
  PetscCall(PetscFree(work));
  *e        = (ScoriaEstimates){.n = n, .value = {mean, sd, stats_quantile(n, values, 0.975)}};
  e->se1[0] = sd;
  e->se1[1] = sd > 0 ? sqrt(PetscMax(fourth - pow(sd, 4), 0)) / (2 * sd) : 0;
  e->se1[2] = quantile_se1(n, values, 0.975);
  PetscFunctionReturn(0);
}

bool bias_pool(int conditions, const ScoriaEstimates sample[], const ScoriaEstimates reference[], int estimate,
               ScoriaBias *pooled)
{
  double noise = 0, square = 0, error = 0;
  int counted = 0;
  *pooled     = (ScoriaBias){0};
  for (int k = 0; k < conditions; k++) {
    const ScoriaEstimates *a = &sample[k], *b = &reference[k];
    const double sd = b->value[SCORIA_ESTIMATE_SD];
    if (a->n < 2 || b->n < 2 || !(sd > 1e-9 * fabs(b->value[SCORIA_ESTIMATE_MEAN]))) continue;
    const double gap = (a->value[estimate] - b->value[estimate]) / sd, se_a = a->se1[estimate] / sd,
                 se_b = b->se1[estimate] / sd, variance = se_a * se_a / (double)a->n + se_b * se_b / (double)b->n;
    pooled->sd += sd * sd;
    pooled->bias += gap;
    square += gap * gap - variance;
    noise += 2 * variance * variance + 4 * variance * PetscMax(gap * gap - variance, 0);
    error += se_b * se_b;
    counted++;
  }
  if (!counted) {
    *pooled = (ScoriaBias){NAN, NAN, NAN, NAN, NAN};
    return false;
  }
  pooled->sd    = sqrt(pooled->sd / counted);
  pooled->se1   = sqrt(error / counted);
  pooled->bias  = pooled->bias / counted;
  square        = PetscMax(square / counted, 0);
  pooled->floor = sqrt(square);
  pooled->upper = sqrt(square + 2 * sqrt(noise) / counted);
  return true;
}

void bias_of_gap(double gap, double variance, ScoriaBias *bias)
{
  const double square = PetscMax(gap * gap - variance, 0);
  bias->bias          = gap;
  bias->floor         = sqrt(square);
  bias->upper         = sqrt(square + 2 * sqrt(2 * variance * variance + 4 * variance * square));
}

double conditions_to_break_even(const ScoriaBias *bias, double seconds_reference, double seconds_sample,
                                double invested)
{
  const double rest = 1 - sqrt(seconds_sample / seconds_reference);
  if (!(rest > 0)) return INFINITY;
  return PetscMax(invested * bias->upper * bias->upper / (bias->se1 * bias->se1 * seconds_reference * rest * rest), 1);
}

double way_seconds(const ScoriaWay *way, double error)
{
  const double seconds = way->each + way->variance_seconds / (error * error - way->bias * way->bias);
  return way->bias < error && seconds >= 0 ? seconds : INFINITY; /* NaN compares false */
}

double way_conditions(const ScoriaWay *first, double first_seconds, const ScoriaWay *other, double other_seconds)
{
  const double more = other->once - first->once, less = first_seconds - other_seconds;
  if (!(less > 0) || isnan(more)) return INFINITY;
  return PetscMax(1, floor(more / less) + 1);
}

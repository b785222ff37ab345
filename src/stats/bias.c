/* Estimates of one number's law, their Monte Carlo errors, and the bias of one sampler against another. */
#include "scoria/bias.h"
#include "scoria/stats.h"
#include "sort.h"
#include <math.h>

#define LEAST_FREEDOM 16 /* of a variance, which is known to a third then: sqrt(2 / 16) */

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

static const ScoriaBias none = {NAN, NAN, NAN, NAN, NAN, NAN};

bool bias_pool(int conditions, const ScoriaEstimates sample[], const ScoriaEstimates reference[], int estimate,
               ScoriaBias *pooled)
{
  double noise = 0, square = 0, error = 0;
  int counted = 0;
  *pooled     = (ScoriaBias){.se = NAN};
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
    *pooled = none;
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

/* Mean square of the rows around their conditions' means, and its degrees of freedom. */
static double within_conditions(int64_t conditions, const ScoriaResiduals r[], double *freedom)
{
  double square = 0;
  *freedom      = 0;
  for (int64_t k = 0; k < conditions; k++) {
    if (r[k].n < 1) continue;
    square += r[k].square;
    *freedom += (double)(r[k].n - 1);
  }
  return square / *freedom;
}

/* The mean of the conditions' gaps, its error by their own scatter, and how many they are. */
static int64_t mean_gap(int64_t conditions, const ScoriaResiduals r[], double sd, ScoriaBias *mean)
{
  double sum = 0, square = 0;
  int64_t counted = 0;
  for (int64_t k = 0; k < conditions; k++)
    if (r[k].n >= 1) sum -= r[k].mean / sd, counted++;
  mean->bias = sum / (double)counted;
  for (int64_t k = 0; k < conditions; k++)
    if (r[k].n >= 1) square += pow(r[k].mean / sd + mean->bias, 2);
  mean->se = sqrt(square / (double)(counted - 1) / (double)counted);
  return counted;
}

/* Mean square of the conditions' gaps, less what their finite numbers leave, whose own error is that of the spread
 * within conditions too. */
static void rms_gap(int64_t conditions, const ScoriaResiduals r[], int64_t counted, double sd, double freedom,
                    int64_t draws, ScoriaBias *mean)
{
  double square = 0, noise = 0, inverse = 0;
  for (int64_t k = 0; k < conditions; k++) {
    if (r[k].n < 1) continue;
    const double gap = r[k].mean / sd, variance = 1 / (double)r[k].n + 1 / ((double)draws * sd * sd);
    square += (gap * gap - variance) / (double)counted;
    noise += (2 * variance * variance + 4 * variance * PetscMax(gap * gap - variance, 0)) / pow((double)counted, 2);
    inverse += 1 / (double)r[k].n / (double)counted;
  }
  noise += 2 * inverse * inverse / freedom;
  square      = PetscMax(square, 0);
  mean->floor = sqrt(square);
  mean->upper = sqrt(square + 2 * sqrt(noise));
}

void bias_of_residuals(int64_t conditions, const ScoriaResiduals r[], int64_t draws, ScoriaBias bias[SCORIA_NESTIMATES])
{
  /* 1 / variance of so many normal draws is this much too large on average */
  const double inflated = (double)(draws - 1) / (double)(draws - 3);
  double freedom, within = within_conditions(conditions, r, &freedom) / inflated;
  const bool known = freedom >= LEAST_FREEDOM;
  const double sd  = known ? sqrt(within) : 1;
  ScoriaBias mean  = none;
  for (int e = 0; e < SCORIA_NESTIMATES; e++) bias[e] = none;
  const int64_t counted = mean_gap(conditions, r, sd, &mean);
  if (counted < 2 || !isfinite(mean.bias) || !isfinite(mean.se)) return;
  if (known) rms_gap(conditions, r, counted, sd, freedom, draws, &mean);
  if (known) bias[SCORIA_ESTIMATE_SD].bias = 1 / sd - 1;
  bias[SCORIA_ESTIMATE_MEAN] = mean;
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

/* scoria/bias.h - what an estimate is worth: its Monte Carlo error, its bias over conditions, and what a way to it
 * takes. */
#ifndef SCORIA_BIAS_H
#define SCORIA_BIAS_H

#include "base.h"

enum { SCORIA_ESTIMATE_MEAN, SCORIA_ESTIMATE_SD, SCORIA_ESTIMATE_Q975, SCORIA_NESTIMATES };
extern const char *const scoria_estimate_names[SCORIA_NESTIMATES], *const scoria_estimate_titles[SCORIA_NESTIMATES];

/* Mean, SD and 97.5 % quantile of n draws of one number; the standard error of such an estimate from N draws is
 * se1 / sqrt(N). */
typedef struct {
  int64_t n;
  double value[SCORIA_NESTIMATES], se1[SCORIA_NESTIMATES];
} ScoriaEstimates;

/* Of values (n), n >= 2, which end in ascending order.  Allocates. */
PetscErrorCode ScoriaEstimatesTake(int64_t n, double values[], ScoriaEstimates *estimates);

/* One estimate's error over conditions, in units of the reference's SD at each condition. */
typedef struct {
  double sd;    /* rms over conditions of that SD, in the number's own unit */
  double se1;   /* rms of the standard error of one draw: from N draws, se1 / sqrt(N) */
  double bias;  /* mean of sample - reference, with its sign */
  double floor; /* rms of the same, the variance that both have from their finite numbers of draws subtracted; never
                   below 0 */
  double upper; /* the same, two of its standard errors higher: what the draws cannot exclude */
  double se;    /* standard error of bias over the conditions; NaN: not asked for */
} ScoriaBias;

/* Conditions where the reference does not vary, or that have fewer than 2 draws, are left out; false, and all NaN,
 * where none is left. */
bool bias_pool(int conditions, const ScoriaEstimates sample[], const ScoriaEstimates reference[], int estimate,
               ScoriaBias *pooled);

/* At one condition, rows of the reference as residuals: minus the mean, over the SD, of a sample there. */
typedef struct {
  int64_t n;
  double mean, square; /* of their squared deviations from it: the sum */
} ScoriaResiduals;

/* Biases of a sample whose mean and SD at each condition are of so many draws, > 3, in units of the reference's SD:
 * bias, floor and upper of the mean, bias of the SD; all else is NaN.  With fewer than 16 rows more than conditions a
 * bias that changes from one condition to another cannot be told from the reference's spread: then the unit is the
 * sample's SD, and bias and se of the mean are all there is.  Conditions without rows are left out; where fewer than 2
 * are left, or a residual is not finite, all is NaN. */
void bias_of_residuals(int64_t conditions, const ScoriaResiduals residuals[], int64_t draws,
                       ScoriaBias bias[SCORIA_NESTIMATES]);

/* bias, floor and upper of one gap that was found with this variance. */
void bias_of_gap(double gap, double variance, ScoriaBias *bias);

/* How many conditions must be asked for until a sampler that cost `invested` seconds beforehand, and then
 * seconds_sample a draw, has at some time a smaller error than Monte Carlo with the reference at seconds_reference a
 * draw has after the same time.  With c = invested / conditions the two errors are, after t seconds at each,
 *   se1^2 s_r / t   and   upper^2 + se1^2 s_s / (t - c);
 * their gap is widest at t = c / (1 - sqrt(s_s / s_r)), and there it vanishes for
 * conditions = invested upper^2 / (se1^2 s_r (1 - sqrt(s_s / s_r))^2).  At least 1; infinite where s_s >= s_r. */
double conditions_to_break_even(const ScoriaBias *bias, double seconds_reference, double seconds_sample,
                                double invested);

/* A way to an estimate: seconds before the first condition, at every condition whatever the error, and those times the
 * variance of the error; its bias, in the unit of errors. */
typedef struct {
  double once, each, variance_seconds, bias;
} ScoriaWay;
/* Seconds at a condition for a root mean square error, without what is spent once; infinite where the bias alone is as
 * large, or something is not known (NaN). */
double way_seconds(const ScoriaWay *way, double error);
/* Conditions from which on `other` takes less in all than `first`, at these seconds at each; infinite: never. */
double way_conditions(const ScoriaWay *first, double first_seconds, const ScoriaWay *other, double other_seconds);

#endif

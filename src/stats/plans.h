/* Private to the estimators: the rows of their table. */
#ifndef SCORIA_STATS_PLANS_H
#define SCORIA_STATS_PLANS_H

#include "scoria/estimators.h"

double plan_group_cost(const ScoriaPlanning *p, unsigned members);

void mlmc_plan(const ScoriaPlanning *p, ScoriaPlan *plan);
void mlmc_weights(const ScoriaPlan *plan, int models, const double C[], double w[]);
void mfmc_plan(const ScoriaPlanning *p, ScoriaPlan *plan);
void mfmc_weights(const ScoriaPlan *plan, int models, const double C[], double w[]);
void mlblue_plan(const ScoriaPlanning *p, ScoriaPlan *plan);
void mlblue_weights(const ScoriaPlan *plan, int models, const double C[], double w[]);

/* Variance of one target, C (models, models) being its covariance. */
double plan_variance(const ScoriaEstimator *e, const ScoriaPlan *plan, int models, const double C[]);
/* Probability that of two standard normals of correlation r the first is below x and the second below y: by quadrature
 * over the correlation. */
double bivariate_below(double x, double y, double r);

#endif

/* scoria/estimators.h - unbiased estimates of the mean of an expensive model from few draws of it and many of cheaper
 * models that are correlated with it.
 *
 * The draws fall into independent groups; every draw of group j is evaluated by the models of a set S_j.  An estimate
 * is
 *
 *   sum_j sum_{k in S_j} w_jk mean_j(f_k),   sum_j w_j0 = 1,   sum_j w_jk = 0 for k > 0,
 *
 * whatever function f of a draw is averaged: its mean is that of model 0, its variance sum_j w_j^T C_j w_j / n_j, with
 * C_j the covariance of the models in group j.  Estimators differ in their groups and weights:
 *
 *   mlmc    pairs of neighbouring models, weights 1 and -1 (Giles 2008)
 *   mfmc    nested sets, one control variate a model (Peherstorfer, Willcox and Gunzburger 2016)
 *   mlblue  any sets, the least variance of all weights (Schaden and Ullmann 2020); models may share a law, as that of
 *           an antithetic draw does: then their weights together add up to 1 or 0
 *
 * Weights that are chosen from other draws than those that are averaged leave the estimate unbiased.  Everything here
 * is local and cannot fail unless it says so. */
#ifndef SCORIA_ESTIMATORS_H
#define SCORIA_ESTIMATORS_H

#include "stats.h"

#define PLAN_MODELS 6
#define PLAN_GROUPS ((1 << PLAN_MODELS) - 1)
#define PLAN_LEAST 32 /* draws of a group: its covariance is known from them, to 1 / sqrt(2 LEAST) of a variance */

/* Groups of draws. */
typedef struct {
  int models, order[PLAN_MODELS]; /* that are used: 0 first, then as the estimator goes through them */
  int same[PLAN_MODELS];          /* of the planning */
  int groups;
  unsigned members[PLAN_GROUPS]; /* bits */
  double draws[PLAN_GROUPS];     /* whole numbers, once it is rounded */
} ScoriaPlan;

/* What a plan is made for. */
typedef struct {
  int models;
  int same[PLAN_MODELS]; /* the model whose law a model shares, at another place of the same draw, plus 1; 0: none */
  double draw, solve[PLAN_MODELS]; /* cost of a draw, and of each model beside it */
  /* The model, 0: none, that has the values of model `base` and, in a share `near` of the draws, those of model 0: a
   * group that has these too does not pay for them again. */
  int screened, base;
  double near;
  int targets;
  const double *covariance; /* (targets, models, models), each in units of the variance that is allowed */
} ScoriaPlanning;

typedef struct {
  const char *name, *help;
  /* Real numbers of draws for which no target's variance exceeds 1, at the least cost. */
  void (*plan)(const ScoriaPlanning *p, ScoriaPlan *plan);
  /* w (groups, models) for functions of covariance C (models, models). */
  void (*weights)(const ScoriaPlan *plan, int models, const double C[], double w[]);
  bool rescales; /* weights of models in other units are those in one unit, each over its model's unit */
} ScoriaEstimator;

extern const ScoriaEstimator scoria_estimators[]; /* ends with a NULL name */

/* The plan at which no target's variance exceeds 1, or, of a budget > 0 in units of the costs, the least largest one
 * within it.  Every group has PLAN_LEAST draws at least, of which the budget may fall short: then it is exceeded. */
void estimator_plan(const ScoriaEstimator *e, const ScoriaPlanning *p, double budget, ScoriaPlan *plan);
double plan_cost(const ScoriaPlanning *p, const ScoriaPlan *plan);
/* Largest variance of the targets. */
double plan_worst(const ScoriaEstimator *e, const ScoriaPlanning *p, const ScoriaPlan *plan);

/* Covariance of the indicators of x_k < q over models, for which x are jointly normal with the correlations of C
 * (models, models), and p the probability that model 0 lies below q. */
void covariance_of_indicators(int models, const double C[], double p, double to[]);
/* The same of the means of such indicators over places q + i step, i = -n .. n, in SDs of x. */
void covariance_of_smoothed(int models, const double C[], double p, int n, double step, double to[]);
/* What that takes from the covariance of the indicators of x and x + d where the density of x is 1 all about: P(x < q,
 * x
 * + d < q + h) is P(x < q) - max(0, d - h). */
double smoothing_takes(double d, int n, double step);
/* The same of squares of the deviations from the mean: 2 C^2. */
void covariance_of_squares(int models, const double C[], double to[]);
double normal_place(double p); /* below which lies the probability p */
double normal_density(double x);

/* ------------------------------------------------------------------------------------------- sums of a group ---- */

/* What is kept of the draws of a group, each evaluated by `models` models: moments of z = (x - centre) / scale, with
 * their covariance over models; histograms of every model and of the larger of two, which tell how often both are below
 * an edge; how often thresholds are exceeded.  Every model has a centre, a scale and limits of its own, so that squares
 * and indicators of models that differ by a shift and a factor are as correlated as the models are: as weights of
 * models but the first add up to 0, any will do.  Sums are integers, as those of ScoriaSummary: associative. */
typedef struct ScoriaCoupled_ *ScoriaCoupled;

typedef struct {
  int models, columns;
  int plain; /* columns [0, plain) have moments and extremes alone, no histogram: those of many cells */
  const double *const *centre, *const *scale; /* (models), each (columns), scale > 0; copied */
  int nthresholds;
  const ScoriaThreshold *threshold; /* copied */
  const double *const *limit; /* (models), each of all thresholds (number + 2): beyond what a cell of the model, the
                                 most extreme of the cells, and the least extreme are beyond the threshold; copied */
  int sampled; /* the model that is sampled, plus 1; 0: none.  Some of its draws have another row in place of their own
                  that counts `times` times, and their own 1 - times: where a draw has one with probability 1 / times,
                  whatever is averaged has the mean of the rows in place (Horvitz and Thompson 1952) */
} ScoriaCoupledSpec;

#define COUPLED_BINS 512
#define COUPLED_RANGE 8.0 /* of z, on both sides; beyond lie two bins more */

double coupled_bytes(const ScoriaCoupledSpec *spec); /* of a rank, without the thresholds */
PetscErrorCode ScoriaCoupledCreate(const ScoriaCoupledSpec *spec, ScoriaCoupled *c);
PetscErrorCode ScoriaCoupledDestroy(ScoriaCoupled *c);
/* One tile: rows[a] (n, columns) of model a, finite.  Of the sampled model, if there is one, the rows in place (n,
 * columns) where times (n) is not 0. */
void coupled_add(ScoriaCoupled c, int64_t n, const double *const rows[], const double in_place[], const int times[]);
/* What all ranks have added since the last call goes into the total, which all ranks then have.  Collective. */
PetscErrorCode ScoriaCoupledReduce(ScoriaCoupled c, MPI_Comm comm);

/* Of the total.  Means and covariance of one draw over models, (models) and (models, models). */
int64_t coupled_count(ScoriaCoupled c);
/* Of (z_0 .. z_{m-1}, z_0^2 .. z_{m-1}^2): (2 m), (2 m, 2 m). */
void coupled_moments(ScoriaCoupled c, int column, double mean[], double covariance[]);
/* Of z being below edge `edge`, 0 to COUPLED_BINS; of a column with a histogram, as is the next. */
void coupled_below(ScoriaCoupled c, int column, int edge, double mean[], double covariance[]);
/* Shares alone, of all edges: (COUPLED_BINS + 1, models). */
void coupled_shares(ScoriaCoupled c, int column, double mean[]);
double coupled_edge(int edge); /* in z */
/* Of a value beyond threshold t in its cell, or SUMMARY_ANY, SUMMARY_ALL. */
void coupled_exceedance(ScoriaCoupled c, int t, int cell, double mean[], double covariance[]);
/* Least and largest x of model 0 of the group. */
void coupled_extremes(ScoriaCoupled c, int column, double *least, double *largest);
/* Whether values lie too far from the centre for their moments to be summed, beyond 8192 scales or many of them beyond
 * some hundred: moments and what follows from them are wrong then. */
bool coupled_overflows(ScoriaCoupled c, int column);
/* The total as integers and extremes, for checkpoints: borrowed. */
void coupled_state(ScoriaCoupled c, int64_t *nsums, int64_t **sums, int64_t *nextremes, double **extremes);

#endif

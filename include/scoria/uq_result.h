/* scoria/uq_result.h - what uq.json holds, described once for those who write it and those who read it. */
#ifndef SCORIA_UQ_RESULT_H
#define SCORIA_UQ_RESULT_H

#include "results.h"

#define UQ_SOURCE "source"         /* SCORIA_SOURCE_PDE, _MULTILEVEL, _MODEL or _GAUSSIAN */
#define UQ_SPACE "space"           /* array of ScoriaUqAxis */
#define UQ_CONDITIONS "conditions" /* array: the conditions by name, ScoriaUqCondition, UQ_QUANTITIES, UQ_EXCEED */
#define UQ_QUANTITIES                                                                                                  \
  "quantities"                       /* object by name: ScoriaUqQuantity, ScoriaUqMoments, UQ_QUANTILES, UQ_HISTOGRAM; \
                                        of UQ_SOBOL: ScoriaUqSpread, UQ_INDICES */
#define UQ_QUANTILES "quantiles"     /* array of ScoriaUqQuantile, ascending */
#define UQ_HISTOGRAM "histogram"     /* ScoriaUqHistogram, UQ_SHARES */
#define UQ_SHARES "share"            /* array: of the samples in equal bins */
#define UQ_EXCEED "exceed"           /* array of ScoriaUqExceedance */
#define UQ_SOBOL "sobol"             /* ScoriaUqSobol, UQ_QUANTITIES; not there unless asked for */
#define UQ_INDICES "indices"         /* array of ScoriaUqIndex: of every input, and of all conditions */
#define UQ_COST "cost"               /* ScoriaUqCost */
#define UQ_CHECKED "checked"         /* of a quantity of a model: ScoriaUqChecked; of an event: the probability */
#define UQ_BIAS "compared"           /* of a quantity of a model: ScoriaUqBias */
#define UQ_WARNINGS "warnings"       /* array of lines: what lies beyond what compare has checked */
#define UQ_FEW "few_fields"          /* a line: quantiles that lie beyond the fields drawn; not there where none does */
#define UQ_CHECK "check"             /* of a quantity, of a model that is checked: ScoriaUqCheck */
#define UQ_AUTO "auto"               /* of source auto: ScoriaUqAuto, UQ_WAYS; "source" is what was chosen */
#define UQ_WAYS "ways"               /* array of ScoriaUqWay */
#define UQ_ESTIMATOR "estimator"     /* of source multilevel, as is all that follows: how fidelities are combined */
#define UQ_FIDELITIES "fidelities"   /* array of ScoriaUqFidelity: the first is what is asked for */
#define UQ_LEVELS "multilevel"       /* of a condition: ScoriaUqLevels, UQ_MEMBERS, UQ_GROUPS, UQ_QUANTITIES */
#define UQ_MEMBERS "fidelities"      /* array of ScoriaUqMember, in the order of UQ_FIDELITIES */
#define UQ_GROUPS "groups"           /* array of ScoriaUqGroup */
#define UQ_CORRELATION "correlation" /* of a quantity of UQ_LEVELS beside ScoriaUqGain: array over fidelities */
#define UQ_LEVEL_SD "sd"             /* the same */
#define UQ_OTHER_INPUT "unseen"      /* name of what is not a condition as an input */
#define UQ_ALL_CONDITIONS "all conditions" /* their name as one input of the indices, the last */

typedef struct {
  const char *name, *unit;
  int64_t log;
} ScoriaUqAxis;

typedef struct {
  int64_t samples, failed; /* fields behind the statistics; solves that failed, left out */
  int64_t quantiles_outside_the_histograms;
} ScoriaUqCondition;

typedef struct {
  const char *unit, *description;
} ScoriaUqQuantity;

/* Also the arrays of uq.h5 under a field or a quantity, in this order. */
enum { UQ_MEAN, UQ_MEAN_SE, UQ_SD, UQ_SD_SE, UQ_SKEWNESS, UQ_SKEWNESS_SE, UQ_MIN, UQ_MAX, SCORIA_UQ_NMOMENTS };
typedef struct {
  double mean, mean_se, sd, sd_se, skewness, skewness_se, min, max;
} ScoriaUqMoments;

typedef struct {
  double p, value, se;
} ScoriaUqQuantile;

typedef struct {
  double lo, hi;
} ScoriaUqHistogram;

/* Of an event: a field or a quantity, `field`, beyond its threshold; in any cell, or in all where the event says so. */
typedef struct {
  const char *event, *field, *unit; /* of the threshold */
  double threshold;
  int64_t below;
  double probability, se, low95, high95; /* ScoriaShare */
} ScoriaUqExceedance;

typedef struct {
  int64_t blocks, draws, failed; /* pairs of conditions; draws of what is not a condition at each */
  const char *unseen;            /* what is not a condition, in words */
} ScoriaUqSobol;

/* Over all inputs. */
typedef struct {
  const char *unit;
  double mean, sd;
} ScoriaUqSpread;

typedef struct {
  const char *input;
  double first, first_se, total, total_se;
} ScoriaUqIndex;

typedef struct {
  double core_seconds_drawing, core_seconds_statistics;
} ScoriaUqCost;

/* Fresh solves at a condition, their mean, and that of the model less theirs, with its 95 % interval. */
typedef struct {
  int64_t solves, failed;
  double pde_mean, pde_mean_se, bias, bias_se, low95, high95;
} ScoriaUqCheck;

/* Probabilities down to which compare has found the tails of the model to be the reference's; NaN: it has not. */
typedef struct {
  double low, high;
} ScoriaUqChecked;

/* What compare has found of the model's estimates of a quantity over its own conditions, in units of the reference's
 * SD: mean bias with its sign, and the root mean square that its draws do not exclude; of imported rows that were
 * judged as residuals the standard error of the first.  NaN: it has not. */
typedef struct {
  double mean_bias, mean_bias_upper, sd_bias, sd_bias_upper, q975_bias, q975_bias_upper, mean_bias_se;
} ScoriaUqBias;

/* Of source multilevel.  Seconds are measured, over all conditions; costs are what the plan was made with. */
typedef struct {
  const char *name;
  double core_seconds;
} ScoriaUqFidelity;

typedef struct {
  int64_t pilot;
  double work;   /* [core s] at these costs, with the pilot */
  double excess; /* largest standard error over what uq_tolerance or uq_count allows; NAN of a budget alone */
} ScoriaUqLevels;

typedef struct {
  double cost; /* [core s] of a solve; of the last, a draw of the porosity */
  int64_t solves, failed;
} ScoriaUqMember;

typedef struct {
  const char *fidelities; /* that solve every draw of it */
  int64_t draws;
} ScoriaUqGroup;

/* gain: work of plain Monte Carlo at the same error of the mean, over this.  bias of the mean, from the grid; it is
 * extrapolated to no width of the cells, with an error of that order. */
typedef struct {
  double gain, grid_bias, grid_bias_se, grid_order, richardson;
} ScoriaUqGain;

/* What source auto has weighed: core seconds as counted, at all conditions; bias [SD] that compare does not exclude;
 * why it is not taken, NULL: it may be. */
typedef struct {
  const char *source;
  double core_seconds, bias;
  const char *why;
} ScoriaUqWay;

typedef struct {
  double tolerance; /* [SD] */
  const char *sentence;
} ScoriaUqAuto;

/* Ends of an interval of a probability as a reader wants them, "0.51 to 0.553": to the second digit of its width, what
 * is smaller than that to two digits. */
void uq_interval_text(double low, double high, size_t size, char text[]);

extern const ScoriaMember scoria_uq_way_members[], scoria_uq_auto_members[];
extern const ScoriaMember scoria_uq_bias_members[];
extern const ScoriaMember scoria_uq_checked_members[], scoria_uq_check_members[], scoria_uq_fidelity_members[],
    scoria_uq_levels_members[], scoria_uq_member_members[], scoria_uq_group_members[], scoria_uq_gain_members[];
extern const ScoriaMember scoria_uq_moment_members[SCORIA_UQ_NMOMENTS + 1];
extern const ScoriaMember scoria_uq_axis_members[], scoria_uq_condition_members[], scoria_uq_quantity_members[],
    scoria_uq_quantile_members[], scoria_uq_histogram_members[], scoria_uq_exceedance_members[],
    scoria_uq_sobol_members[], scoria_uq_spread_members[], scoria_uq_index_members[], scoria_uq_cost_members[];

#endif

/* scoria/results.h - what the result files hold, described once for those who write them (src/study) and those who read
 * them (src/report). */
#ifndef SCORIA_RESULTS_H
#define SCORIA_RESULTS_H

#include "bias.h"
#include "stats.h"
#include <cJSON.h>

/* Where fields come from, by the words of decks and results. */
#define SCORIA_SOURCE_PDE "pde"
#define SCORIA_SOURCE_MULTILEVEL "multilevel" /* the PDE by several fidelities */
#define SCORIA_SOURCE_MODEL "model"
#define SCORIA_SOURCE_GAUSSIAN "gaussian" /* the model's conditional Gaussian */
#define SCORIA_SOURCE_NETWORK "network"   /* the model with its network, where that is to be said */

/* ------------------------------------------------------------------------------------- arrays of compare.h5 ---- */

/* Where the fields that compare measures come from, in the order of the columns of /good.  PDE and PDE_AGAIN are
 * independent ensembles: their distance is the sampling floor. */
typedef enum {
  SCORIA_FROM_PDE,
  SCORIA_FROM_PDE_AGAIN,
  SCORIA_FROM_MODEL,
  SCORIA_FROM_GAUSSIAN, /* the conditional Gaussian, which is the model without its network */
  SCORIA_NFROM
} ScoriaFrom;

typedef struct {
  const char *group;  /* of compare.h5 */
  const char *member; /* of compare.json's pooled, worst and conditions; NULL: the reference, that others are measured
                         against */
  const char *title;  /* in tables for people, plain text */
  const char *row;    /* on standard output */
} ScoriaFromRow;

extern const ScoriaFromRow scoria_from[SCORIA_NFROM];
/* Those that are measured against the reference, in the order of tables, figures and compare.json. */
enum { SCORIA_NMEASURED = SCORIA_NFROM - 1 };
extern const ScoriaFrom scoria_measured[SCORIA_NMEASURED];

/* Profiles along x. */
typedef enum {
  SCORIA_CURVE_MEAN,
  SCORIA_CURVE_SD,
  SCORIA_CURVE_Q025,
  SCORIA_CURVE_Q500,
  SCORIA_CURVE_Q975,
  SCORIA_NCURVES
} ScoriaCurve;

typedef struct {
  const char *name;
  double probability; /* of the quantile; NaN: none */
} ScoriaCurveRow;

extern const ScoriaCurveRow scoria_curves[SCORIA_NCURVES];

/* What the profiles are of: the fields, or the fields minus their value in the first cell, in which a field that
 * fluctuates as a whole shows how it varies along x. */
typedef enum { SCORIA_VIEW_FIELD, SCORIA_VIEW_RELATIVE, SCORIA_NVIEWS } ScoriaView;

typedef struct {
  const char *group, *what; /* what: appended to an array's description */
} ScoriaViewRow;

extern const ScoriaViewRow scoria_views[SCORIA_NVIEWS];

/* Groups of conditions: the held-out ones; the sample condition of the deck; as one the residuals of imported profiles
 * that are judged together, of whom theta is NaN, and the second sample of the reference is a bootstrap sample. */
#define SCORIA_COMPARE_HELDOUT ""
#define SCORIA_COMPARE_SAMPLE "/sample"
#define SCORIA_COMPARE_RESIDUALS "/residuals"

/* Paths in compare.h5: theta (conditions, space.n), good (conditions, SCORIA_NFROM), a curve (conditions, cells) and
 * the examples (conditions, examples, cells) of a field. */
void compare_theta_path(const char *group, size_t size, char path[]);
void compare_good_path(const char *group, size_t size, char path[]);
void compare_curve_path(const char *group, ScoriaView view, ScoriaFrom from, const char *field, ScoriaCurve curve,
                        size_t size, char path[]);
void compare_examples_path(const char *group, ScoriaFrom from, const char *field, size_t size, char path[]);
/* Tails, not in files without them: an attribute, the names of the quantities with commas between, and arrays
 * (quantities, SCORIA_TAILS) of ScoriaTail.checked, differs and ratio; older files have the first alone. */
#define COMPARE_TAIL_QUANTITIES "tail_quantities"
#define COMPARE_TAIL_EXPRESSIONS "tail_expressions" /* behind these: the deck's own, a line each, */
#define COMPARE_OWN_LINE "%s = %s"                  /* of name and description: names are other numbers' elsewhere */
#define COMPARE_TAIL_CHECKED "/tails/checked"
#define COMPARE_TAIL_DIFFERS "/tails/differs"
#define COMPARE_TAIL_RATIO "/tails/ratio"

/* ----------------------------------------------------------------------------------------- objects of JSON ---- */

/* A member of a struct as a member of a JSON object.  Numbers that are not finite are null there. */
typedef enum {
  SCORIA_MEMBER_REAL,  /* double */
  SCORIA_MEMBER_COUNT, /* int64_t */
  SCORIA_MEMBER_FLAG,  /* int64_t: 0 or 1, true and false there */
  SCORIA_MEMBER_TEXT   /* const char *, borrowed from whatever the struct is filled from */
} ScoriaMemberKind;

typedef struct {
  const char *name;
  ScoriaMemberKind kind;
  size_t offset;     /* in the struct */
  const char *title; /* in tables for people, plain text; NULL: it has none */
  double scale;      /* value times scale is in the unit that the title names; 0: 1 */
} ScoriaMember;

/* The members of `from` to an object, in the order of the table, which ends with a NULL name. */
void members_add(cJSON *object, const ScoriaMember table[], const void *from);
/* The struct `to` from an object, which may be NULL; what the object lacks is NaN, -1, or NULL. */
void members_take(const cJSON *object, const ScoriaMember table[], void *to);
/* The name of the member at that offset of the struct. */
const char *member_name(const ScoriaMember table[], size_t offset);

/* ------------------------------------------------------------------------------------------- compare.json ---- */

/* The measures of the model (or the sample) pooled, flat; then: */
#define COMPARE_POOLED "pooled"         /* object of objects per source: the measures, and energy_rejected */
#define COMPARE_WORST "worst"           /* the same at the worst condition of each measure */
#define COMPARE_COST "cost"             /* ScoriaFieldCost; not of two files, as all that follows but the conditions */
#define COMPARE_WORTH "worth"           /* ScoriaWorth, with the array COMPARE_QUANTITIES */
#define COMPARE_QUANTITIES "quantities" /* each ScoriaWorthQuantity, with the array COMPARE_ESTIMATES */
#define COMPARE_ESTIMATES "estimates"   /* each ScoriaWorthEstimate */
#define COMPARE_LAWS "symmetries"       /* array of ScoriaLawKept */
#define COMPARE_TAILS "tails"           /* array of ScoriaTailOf, each with the array COMPARE_RANKS */
#define COMPARE_RANKS "ranks"           /* each ScoriaTailAt, from the bulk outwards */
#define COMPARE_MEMORISATION "memorisation" /* ScoriaNearestRows; null where it is not known */
#define COMPARE_WHOLE "whole_fields"        /* of two files of whole fields */
/* Of COMPARE_WHOLE: measures of the lateral means by source; wave numbers; by field the numbers of scoria_hot, each
 * with its help, the law of the reference and by source the distance, and COMPARE_SPECTRUM. */
#define COMPARE_WHOLE_MEANS "lateral_means"
#define COMPARE_WHOLE_WAVES "wave_numbers"
#define COMPARE_WHOLE_FIELDS "fields"
#define COMPARE_HOT_HELP "description"
#define COMPARE_HOT_W1 "w1"
#define COMPARE_HOT_INSIDE "quantiles_inside"
#define COMPARE_REFERENCE "reference"
#define COMPARE_SPECTRUM "spectrum"    /* the reference's; by source COMPARE_VARIANCE and COMPARE_SPECTRUM_ERROR */
#define COMPARE_VARIANCE "variance"    /* array over the wave numbers */
#define COMPARE_SPECTRUM_ERROR "error" /* one number */
#define COMPARE_HELD_OUT "held_out"    /* ScoriaHeldOut: of imported data alone, which have no cost, worth or laws */
#define COMPARE_CONDITIONS                                                                                             \
  "conditions"                      /* array: the conditions by name, COMPARE_FAILED or COMPARE_ROWS, an object of     \
                                       measures per source */
#define COMPARE_FAILED "failed_pde" /* solves that failed */
#define COMPARE_ROWS "rows"         /* of two files: of each */
#define COMPARE_REJECTED "energy_rejected"
#define COMPARE_WAYS "ways"                                      /* of the worth: array of ScoriaWorthWay */
#define COMPARE_WORTH_QUANTITIES "worth_quantities"              /* of compare.h5: names, commas between; */
#define COMPARE_WORTH_EXPRESSIONS "worth_expressions"            /* behind these, as COMPARE_TAIL_EXPRESSIONS; */
#define COMPARE_WORTH_BIAS "/worth/bias_upper"                   /* (these, SCORIA_NESTIMATES), */
#define COMPARE_WORTH_GAUSSIAN_BIAS "/worth/gaussian_bias_upper" /* which older files lack, as they do */
#define COMPARE_WORTH_SIGNED "/worth/bias"                       /* means over the conditions, with their signs, */
#define COMPARE_WORTH_GAUSSIAN_SIGNED "/worth/gaussian_bias"     /* of both; and attributes: */
#define COMPARE_WORTH_ERROR "/worth/bias_se"                     /* of these the standard errors, of imported rows; */
#define COMPARE_WORTH_GAUSSIAN_ERROR "/worth/gaussian_bias_se"   /* which have none of the: */
#define COMPARE_WORTH_PDE "worth_seconds_pde"                    /* core seconds of a solve, */
#define COMPARE_WORTH_MODEL "worth_seconds_model"                /* of a sample, */
#define COMPARE_WORTH_GAUSSIAN "worth_seconds_gaussian"          /* and of one of the Gaussian */
#define COMPARE_FLOOR "sliced_w_floor"
#define COMPARE_RATIO "sliced_w_ratio" /* of the sliced Wasserstein distance and its floor */

/* Seconds are of one core, for one field. */
typedef struct {
  double seconds_pde, seconds_model, seconds_gaussian;
  int64_t samples;             /* fields per condition */
  const char *sampler;         /* SCORIA_SOURCE_GAUSSIAN where the model is that */
  int64_t network_evaluations; /* per sample; of such a model 0 */
} ScoriaFieldCost;

typedef struct {
  double seconds_pde, seconds_model, seconds_gaussian;
  double seconds_data, seconds_training; /* of the whole; NaN: not recorded */
  int64_t training_rows;
  double break_even_samples; /* infinite, or NaN: null */
  const char *winner;        /* for many samples: SCORIA_SOURCE_MODEL or _PDE */
  double seconds_pilot;      /* of several fidelities, at a condition; NaN: there are none */
  double seconds_columns;    /* of independent columns; NaN likewise */
  double tolerance;          /* [SD] of every estimate: what is advised is for it */
  const char *sentence;
} ScoriaWorth;

/* Ways to all estimates within that tolerance: seconds on one core before the first condition, and at each; NaN: it
 * does not get there.  bias: the largest [SD], and of which estimate. */
typedef struct {
  const char *name;
  double seconds_once, seconds_each, bias;
  const char *bias_of;
} ScoriaWorthWay;

typedef struct {
  const char *name, *unit, *description;
  double sd; /* rms over conditions of the PDE's SD */
} ScoriaWorthQuantity;

/* In units of that SD. */
typedef struct {
  const char *name;    /* scoria_estimate_names */
  double error_of_one; /* standard error from one draw */
  double bias, bias_floor, bias_upper;
  double gaussian_bias_floor, gaussian_bias_upper; /* those of the Gaussian baseline */
  double columns_bias_floor, columns_bias_upper;   /* of independent columns, by the pilot */
  double multilevel_gain; /* work of plain Monte Carlo over that of several fidelities, without the pilot */
  double break_even_conditions;
} ScoriaWorthEstimate;

/* rms deviations from a law of the problem. */
typedef struct {
  const char *name;
  double model, pde;
  const char *unit, *help;
} ScoriaLawKept;

/* A tail of a quantity, "low" or "high", and the probability down to which the model's agrees with the reference's;
 * NaN: nowhere. */
typedef struct {
  const char *quantity, *unit, *description, *side;
  double checked;
} ScoriaTailOf;

extern const char *const scoria_tail_sides[SCORIA_TAILS];

/* Probabilities beyond a threshold that the reference has set, with their 95 % intervals. */
typedef struct {
  double probability, low95, high95, model, model_low95, model_high95;
} ScoriaTailAt;

typedef struct {
  double median_ratio, share_nearer, share_expected; /* ScoriaMemorisation, mean over conditions */
  double share_se;
  int64_t training_conditions, training_rows, samples; /* at each condition */
} ScoriaNearestRows;

/* How held-back rows of imported data were judged: condition by condition, half of a condition's rows against the model
 * and against the other half, the floor; or all together, as residuals, with a bootstrap's floor. */
#define COMPARE_METHOD_HALVES "halves"
#define COMPARE_METHOD_RESIDUALS "residuals"
typedef struct {
  const char *method;
  const char *of;                    /* held back whole: "conditions", or "rows" of each */
  int64_t conditions, rows;          /* judged; usable ones */
  int64_t held_back, held_back_rows; /* conditions with such rows, and rows, usable or not */
  int64_t of_conditions, of_rows;    /* of the dataset */
  const char *model;                 /* what was drawn: SCORIA_SOURCE_NETWORK or _GAUSSIAN */
} ScoriaHeldOut;

extern const ScoriaMember scoria_held_out_members[];
extern const ScoriaMember scoria_field_cost_members[], scoria_worth_members[], scoria_worth_way_members[],
    scoria_worth_quantity_members[], scoria_worth_estimate_members[], scoria_law_members[], scoria_tail_members[],
    scoria_tail_at_members[], scoria_nearest_members[];

/* ------------------------------------------------------------------------- posterior.h5 and posterior.json ---- */

typedef enum { SCORIA_PRIOR, SCORIA_POSTERIOR, SCORIA_POSTERIOR_SIDES } ScoriaPosteriorSide;
typedef enum {
  SCORIA_POSTERIOR_MEAN,
  SCORIA_POSTERIOR_SD,
  SCORIA_POSTERIOR_QUANTILE,
  SCORIA_POSTERIOR_CURVES
} ScoriaPosteriorCurve;

/* Groups of posterior.h5, and of posterior.json but for the fields: objects by name of ScoriaPosteriorValue with the
 * array POSTERIOR_QUANTILES. */
#define POSTERIOR_FIELDS "fields"
#define POSTERIOR_QUANTITIES "quantities"
#define POSTERIOR_CONDITIONS "conditions"    /* those that were inferred */
#define POSTERIOR_QUANTILES "quantiles"      /* array of ScoriaPosteriorQuantile */
#define POSTERIOR_GIVEN "given"              /* the other conditions: numbers by name */
#define POSTERIOR_SENSORS "sensors"          /* array of ScoriaPosteriorSensor; in posterior.h5 an array per member */
#define POSTERIOR_WARNINGS "warnings"        /* array of lines on readings far from the prior or the posterior */
#define POSTERIOR_PROBABILITY "/probability" /* of the quantiles */

/* Paths in posterior.h5: (length) of mean and SD, (probabilities, length) of quantiles; length: cells of a field, else
 * 1. */
void posterior_path(ScoriaPosteriorSide side, const char *group, const char *name, ScoriaPosteriorCurve curve,
                    size_t size, char path[]);
/* (readings), by the name of a member of ScoriaPosteriorSensor, of its field the number; of whole fields also by
 * posterior_places, along y and z. */
void posterior_sensor_path(const char *column, size_t size, char path[]);
extern const char *const posterior_places[2];

/* The members of posterior.json itself. */
typedef struct {
  const char *prior; /* name of the source */
  int64_t particles, stages;
  double log_evidence, log_evidence_se;
  double acceptance, mixing; /* at the last temperature */
  double correlation,
      correlation_limit; /* the largest, of places before and after moves; up to which these are forgotten */
  double misfit, misfit_probability; /* sum of the squares of residuals; a bound on the probability of one as large */
} ScoriaPosteriorRun;

typedef struct {
  const char *unit;
  double prior_mean, prior_sd, mean, sd;
} ScoriaPosteriorValue;

typedef struct {
  double p, value;
} ScoriaPosteriorQuantile;

typedef struct {
  const char *field;
  double x, value, sd; /* place [m], reading, SD of its noise */
  double prior_mean, prior_sd, mean, posterior_sd;
  double residual; /* (value - mean) / sqrt(sd^2 + posterior_sd^2) */
} ScoriaPosteriorSensor;

extern const ScoriaMember scoria_posterior_members[], scoria_posterior_value_members[],
    scoria_posterior_quantile_members[], scoria_posterior_sensor_members[];

/* ------------------------------------------------------------------------------------------- likelihood.h5 ---- */

/* Attributes: rows that have a density, of which the means are; the file that they are of. */
#define LIKELIHOOD_ROWS "rows_with_density"
#define LIKELIHOOD_MEAN "mean_log_density"
#define LIKELIHOOD_MEAN_GAUSSIAN "mean_log_density_gaussian"
#define LIKELIHOOD_GAIN "mean_gain" /* of the model's over the Gaussian's, and its standard error */
#define LIKELIHOOD_GAIN_ERROR "mean_gain_error"
#define LIKELIHOOD_FILE "file"

#endif

/* compare.h5 and compare.json: what they hold, and under which names. */
#include "rows.h"
#include "scoria/maps.h"
#include <math.h>
#include <stdio.h>

const ScoriaFromRow scoria_from[SCORIA_NFROM] = {
    [SCORIA_FROM_PDE]       = {SCORIA_SOURCE_PDE, NULL, "PDE", "PDE"},
    [SCORIA_FROM_PDE_AGAIN] = {"pde_again", "floor", "floor (PDE vs PDE)", "PDE again"},
    [SCORIA_FROM_MODEL]     = {SCORIA_SOURCE_MODEL, SCORIA_SOURCE_MODEL, "model", "model"},
    [SCORIA_FROM_GAUSSIAN]  = {SCORIA_SOURCE_GAUSSIAN, SCORIA_SOURCE_GAUSSIAN, "Gaussian baseline", "gaussian"},
};

const ScoriaFrom scoria_measured[SCORIA_NMEASURED] = {SCORIA_FROM_MODEL, SCORIA_FROM_GAUSSIAN, SCORIA_FROM_PDE_AGAIN};

const ScoriaCurveRow scoria_curves[SCORIA_NCURVES] = {[SCORIA_CURVE_MEAN] = {"mean", NAN},
                                                      [SCORIA_CURVE_SD]   = {"sd", NAN},
                                                      [SCORIA_CURVE_Q025] = {"q025", 0.025},
                                                      [SCORIA_CURVE_Q500] = {"q500", 0.500},
                                                      [SCORIA_CURVE_Q975] = {"q975", 0.975}};

const ScoriaViewRow scoria_views[SCORIA_NVIEWS]    = {
       [SCORIA_VIEW_FIELD]    = {"", ""},
       [SCORIA_VIEW_RELATIVE] = {"/relative", " of the field minus its value in the first cell"}};

/* ------------------------------------------------------------------------------------------------- compare.h5 ---- */

void compare_theta_path(const char *group, size_t size, char path[])
{
  snprintf(path, size, "%s/theta", group);
}

void compare_good_path(const char *group, size_t size, char path[])
{
  snprintf(path, size, "%s/good", group);
}

void compare_curve_path(const char *group, ScoriaView view, ScoriaFrom from, const char *field, ScoriaCurve curve,
                        size_t size, char path[])
{
  snprintf(path, size, "%s%s/%s/%s/%s", group, scoria_views[view].group, scoria_from[from].group, field,
           scoria_curves[curve].name);
}

void compare_examples_path(const char *group, ScoriaFrom from, const char *field, size_t size, char path[])
{
  snprintf(path, size, "%s/%s/%s/examples", group, scoria_from[from].group, field);
}

const ScoriaMapRow scoria_maps[SCORIA_NMAPS] = {
    [SCORIA_MAP_MEAN]   = {"mean", "mean in the plane in the middle of z"},
    [SCORIA_MAP_SD]     = {"sd", "standard deviation there"},
    [SCORIA_MAP_EXCEED] = {"exceed", "share of the rows above /maps/level there"},
    [SCORIA_MAP_DRAWN]  = {"draws", "single rows there"},
};

const char *const scoria_map_extremes[2] = {"max", "min"};

double map_probability(int quantile)
{
  return (quantile + 0.5) / SCORIA_MAP_QUANTILES;
}

void compare_map_centres(const char *centres, const char *field, size_t size, char path[])
{
  snprintf(path, size, "%s%s%s", centres, field ? "_" : "", field ? field : "");
}

void compare_map_path(ScoriaFrom from, const char *field, const char *name, size_t size, char path[])
{
  snprintf(path, size, "/maps/%s/%s/%s", scoria_from[from].group, field, name);
}

/* ----------------------------------------------------------------------------------------------- compare.json ---- */

const ScoriaMember scoria_held_out_members[] = {
    TEXT(ScoriaHeldOut, method, NULL, 0),         TEXT(ScoriaHeldOut, of, NULL, 0),
    COUNT(ScoriaHeldOut, conditions, NULL, 0),    COUNT(ScoriaHeldOut, rows, NULL, 0),
    COUNT(ScoriaHeldOut, held_back, NULL, 0),     COUNT(ScoriaHeldOut, held_back_rows, NULL, 0),
    COUNT(ScoriaHeldOut, of_conditions, NULL, 0), COUNT(ScoriaHeldOut, of_rows, NULL, 0),
    TEXT(ScoriaHeldOut, model, NULL, 0),          END,
};

const ScoriaMember scoria_field_cost_members[] = {
    REAL(ScoriaFieldCost, seconds_pde, "one PDE solve [core ms]", 1e3),
    REAL(ScoriaFieldCost, seconds_model, "one sample of the model [core ms]", 1e3),
    REAL(ScoriaFieldCost, seconds_gaussian, "one sample of the Gaussian baseline [core ms]", 1e3),
    COUNT(ScoriaFieldCost, samples, "fields per held-out condition", 0),
    TEXT(ScoriaFieldCost, sampler, "sampler", 0),
    COUNT(ScoriaFieldCost, network_evaluations, "network evaluations per sample", 0),
    END,
};

const ScoriaMember scoria_worth_members[] = {
    REAL(ScoriaWorth, seconds_pde, NULL, 0),
    REAL(ScoriaWorth, seconds_model, NULL, 0),
    REAL(ScoriaWorth, seconds_gaussian, NULL, 0),
    REAL(ScoriaWorth, seconds_data, NULL, 0),
    REAL(ScoriaWorth, seconds_training, NULL, 0),
    COUNT(ScoriaWorth, training_rows, NULL, 0),
    REAL(ScoriaWorth, break_even_samples, NULL, 0),
    TEXT(ScoriaWorth, winner, NULL, 0),
    REAL(ScoriaWorth, seconds_pilot, NULL, 0),
    REAL(ScoriaWorth, seconds_columns, NULL, 0),
    REAL(ScoriaWorth, tolerance, NULL, 0),
    TEXT(ScoriaWorth, sentence, NULL, 0),
    END,
};

const ScoriaMember scoria_worth_way_members[] = {
    TEXT(ScoriaWorthWay, name, NULL, 0),         REAL(ScoriaWorthWay, seconds_once, NULL, 0),
    REAL(ScoriaWorthWay, seconds_each, NULL, 0), REAL(ScoriaWorthWay, bias, NULL, 0),
    TEXT(ScoriaWorthWay, bias_of, NULL, 0),      END,
};

const ScoriaMember scoria_worth_quantity_members[] = {
    TEXT(ScoriaWorthQuantity, name, NULL, 0),
    TEXT(ScoriaWorthQuantity, unit, NULL, 0),
    TEXT(ScoriaWorthQuantity, description, NULL, 0),
    REAL(ScoriaWorthQuantity, sd, NULL, 0),
    END,
};

const ScoriaMember scoria_worth_estimate_members[] = {
    TEXT(ScoriaWorthEstimate, name, NULL, 0),
    REAL(ScoriaWorthEstimate, error_of_one, NULL, 0),
    REAL(ScoriaWorthEstimate, bias, NULL, 0),
    REAL(ScoriaWorthEstimate, bias_floor, NULL, 0),
    REAL(ScoriaWorthEstimate, bias_upper, NULL, 0),
    REAL(ScoriaWorthEstimate, gaussian_bias_floor, NULL, 0),
    REAL(ScoriaWorthEstimate, gaussian_bias_upper, NULL, 0),
    REAL(ScoriaWorthEstimate, columns_bias_floor, NULL, 0),
    REAL(ScoriaWorthEstimate, columns_bias_upper, NULL, 0),
    REAL(ScoriaWorthEstimate, multilevel_gain, NULL, 0),
    REAL(ScoriaWorthEstimate, break_even_conditions, NULL, 0),
    END,
};

const ScoriaMember scoria_law_members[] = {
    TEXT(ScoriaLawKept, name, NULL, 0), REAL(ScoriaLawKept, model, NULL, 0), REAL(ScoriaLawKept, pde, NULL, 0),
    TEXT(ScoriaLawKept, unit, NULL, 0), TEXT(ScoriaLawKept, help, NULL, 0),  END,
};

const char *const scoria_tail_sides[SCORIA_TAILS] = {[SCORIA_TAIL_LOW] = "low", [SCORIA_TAIL_HIGH] = "high"};

const ScoriaMember scoria_tail_members[]          = {
             TEXT(ScoriaTailOf, quantity, NULL, 0),    TEXT(ScoriaTailOf, unit, NULL, 0),
             TEXT(ScoriaTailOf, description, NULL, 0), TEXT(ScoriaTailOf, side, NULL, 0),
             REAL(ScoriaTailOf, checked, NULL, 0),     END,
};

const ScoriaMember scoria_tail_at_members[] = {
    REAL(ScoriaTailAt, probability, NULL, 0),
    REAL(ScoriaTailAt, low95, NULL, 0),
    REAL(ScoriaTailAt, high95, NULL, 0),
    REAL(ScoriaTailAt, model, NULL, 0),
    REAL(ScoriaTailAt, model_low95, NULL, 0),
    REAL(ScoriaTailAt, model_high95, NULL, 0),
    END,
};

const ScoriaMember scoria_nearest_members[] = {
    REAL(ScoriaNearestRows, median_ratio, NULL, 0),
    REAL(ScoriaNearestRows, share_nearer, NULL, 0),
    REAL(ScoriaNearestRows, share_expected, NULL, 0),
    REAL(ScoriaNearestRows, share_se, NULL, 0),
    COUNT(ScoriaNearestRows, training_conditions, NULL, 0),
    COUNT(ScoriaNearestRows, training_rows, NULL, 0),
    COUNT(ScoriaNearestRows, samples, NULL, 0),
    END,
};

/* uq.json and uq.h5: what they hold, and under which names. */
#include "rows.h"
#include "scoria/uq_result.h"
#include <math.h>
#include <stdio.h>

/* Digits of an end to the second of the width. */
static int digits_of(double end, double width)
{
  return width > 0 && fabs(end) > width ? 2 + (int)floor(log10(fabs(end) / width)) : 2;
}

void uq_interval_text(double low, double high, size_t size, char text[])
{
  snprintf(text, size, "%.*g to %.*g", digits_of(low, high - low), low, digits_of(high, high - low), high);
}

const ScoriaMember scoria_uq_axis_members[] = {
    TEXT(ScoriaUqAxis, name, NULL, 0),
    TEXT(ScoriaUqAxis, unit, NULL, 0),
    FLAG(ScoriaUqAxis, log, NULL, 0),
    END,
};

const ScoriaMember scoria_uq_condition_members[] = {
    COUNT(ScoriaUqCondition, samples, NULL, 0),
    COUNT(ScoriaUqCondition, failed, NULL, 0),
    COUNT(ScoriaUqCondition, quantiles_outside_the_histograms, NULL, 0),
    END,
};

const ScoriaMember scoria_uq_quantity_members[] = {
    TEXT(ScoriaUqQuantity, unit, NULL, 0),
    TEXT(ScoriaUqQuantity, description, NULL, 0),
    END,
};

const ScoriaMember scoria_uq_moment_members[SCORIA_UQ_NMOMENTS + 1] = {
    REAL(ScoriaUqMoments, mean, NULL, 0),
    REAL(ScoriaUqMoments, mean_se, NULL, 0),
    REAL(ScoriaUqMoments, sd, NULL, 0),
    REAL(ScoriaUqMoments, sd_se, NULL, 0),
    REAL(ScoriaUqMoments, skewness, NULL, 0),
    REAL(ScoriaUqMoments, skewness_se, NULL, 0),
    REAL(ScoriaUqMoments, min, NULL, 0),
    REAL(ScoriaUqMoments, max, NULL, 0),
    END,
};

const ScoriaMember scoria_uq_quantile_members[] = {
    REAL(ScoriaUqQuantile, p, NULL, 0),
    REAL(ScoriaUqQuantile, value, NULL, 0),
    REAL(ScoriaUqQuantile, se, NULL, 0),
    END,
};

const ScoriaMember scoria_uq_histogram_members[] = {
    REAL(ScoriaUqHistogram, lo, NULL, 0),
    REAL(ScoriaUqHistogram, hi, NULL, 0),
    END,
};

const ScoriaMember scoria_uq_exceedance_members[] = {
    TEXT(ScoriaUqExceedance, event, NULL, 0),  TEXT(ScoriaUqExceedance, unit, NULL, 0),
    TEXT(ScoriaUqExceedance, field, NULL, 0),  REAL(ScoriaUqExceedance, threshold, NULL, 0),
    FLAG(ScoriaUqExceedance, below, NULL, 0),  REAL(ScoriaUqExceedance, probability, NULL, 0),
    REAL(ScoriaUqExceedance, se, NULL, 0),     REAL(ScoriaUqExceedance, low95, NULL, 0),
    REAL(ScoriaUqExceedance, high95, NULL, 0), END,
};

const ScoriaMember scoria_uq_sobol_members[] = {
    COUNT(ScoriaUqSobol, blocks, NULL, 0),
    COUNT(ScoriaUqSobol, draws, NULL, 0),
    COUNT(ScoriaUqSobol, failed, NULL, 0),
    TEXT(ScoriaUqSobol, unseen, NULL, 0),
    END,
};

const ScoriaMember scoria_uq_spread_members[] = {
    TEXT(ScoriaUqSpread, unit, NULL, 0),
    REAL(ScoriaUqSpread, mean, NULL, 0),
    REAL(ScoriaUqSpread, sd, NULL, 0),
    END,
};

const ScoriaMember scoria_uq_index_members[] = {
    TEXT(ScoriaUqIndex, input, NULL, 0), REAL(ScoriaUqIndex, first, NULL, 0),    REAL(ScoriaUqIndex, first_se, NULL, 0),
    REAL(ScoriaUqIndex, total, NULL, 0), REAL(ScoriaUqIndex, total_se, NULL, 0), END,
};

const ScoriaMember scoria_uq_cost_members[] = {
    REAL(ScoriaUqCost, core_seconds_drawing, NULL, 0),
    REAL(ScoriaUqCost, core_seconds_statistics, NULL, 0),
    END,
};

const ScoriaMember scoria_uq_fidelity_members[] = {
    TEXT(ScoriaUqFidelity, name, NULL, 0),
    REAL(ScoriaUqFidelity, core_seconds, NULL, 0),
    END,
};

const ScoriaMember scoria_uq_levels_members[] = {
    COUNT(ScoriaUqLevels, pilot, NULL, 0),
    REAL(ScoriaUqLevels, work, NULL, 0),
    REAL(ScoriaUqLevels, excess, NULL, 0),
    END,
};

const ScoriaMember scoria_uq_member_members[] = {
    REAL(ScoriaUqMember, cost, NULL, 0),
    COUNT(ScoriaUqMember, solves, NULL, 0),
    COUNT(ScoriaUqMember, failed, NULL, 0),
    END,
};

const ScoriaMember scoria_uq_group_members[] = {
    TEXT(ScoriaUqGroup, fidelities, NULL, 0),
    COUNT(ScoriaUqGroup, draws, NULL, 0),
    END,
};

const ScoriaMember scoria_uq_gain_members[] = {
    REAL(ScoriaUqGain, gain, NULL, 0),         REAL(ScoriaUqGain, grid_bias, NULL, 0),
    REAL(ScoriaUqGain, grid_bias_se, NULL, 0), REAL(ScoriaUqGain, grid_order, NULL, 0),
    REAL(ScoriaUqGain, richardson, NULL, 0),   END,
};

const ScoriaMember scoria_uq_checked_members[] = {
    REAL(ScoriaUqChecked, low, NULL, 0),
    REAL(ScoriaUqChecked, high, NULL, 0),
    END,
};

const ScoriaMember scoria_uq_bias_members[] = {
    REAL(ScoriaUqBias, mean_bias, NULL, 0),    REAL(ScoriaUqBias, mean_bias_upper, NULL, 0),
    REAL(ScoriaUqBias, sd_bias, NULL, 0),      REAL(ScoriaUqBias, sd_bias_upper, NULL, 0),
    REAL(ScoriaUqBias, q975_bias, NULL, 0),    REAL(ScoriaUqBias, q975_bias_upper, NULL, 0),
    REAL(ScoriaUqBias, mean_bias_se, NULL, 0), END,
};

const ScoriaMember scoria_uq_check_members[] = {
    COUNT(ScoriaUqCheck, solves, NULL, 0),
    COUNT(ScoriaUqCheck, failed, NULL, 0),
    REAL(ScoriaUqCheck, pde_mean, NULL, 0),
    REAL(ScoriaUqCheck, pde_mean_se, NULL, 0),
    REAL(ScoriaUqCheck, bias, NULL, 0),
    REAL(ScoriaUqCheck, bias_se, NULL, 0),
    REAL(ScoriaUqCheck, low95, NULL, 0),
    REAL(ScoriaUqCheck, high95, NULL, 0),
    END,
};

const ScoriaMember scoria_uq_way_members[] = {
    TEXT(ScoriaUqWay, source, NULL, 0),
    REAL(ScoriaUqWay, core_seconds, NULL, 0),
    REAL(ScoriaUqWay, bias, NULL, 0),
    TEXT(ScoriaUqWay, why, NULL, 0),
    END,
};

const ScoriaMember scoria_uq_auto_members[] = {
    REAL(ScoriaUqAuto, tolerance, NULL, 0),
    TEXT(ScoriaUqAuto, sentence, NULL, 0),
    END,
};

/* posterior.h5 and posterior.json: what they hold, and under which names. */
#include "rows.h"
#include <stdio.h>

static const char *const groups[SCORIA_POSTERIOR_SIDES]  = {[SCORIA_PRIOR] = "/prior", [SCORIA_POSTERIOR] = ""};

static const char *const curves[SCORIA_POSTERIOR_CURVES] = {
    [SCORIA_POSTERIOR_MEAN] = "mean", [SCORIA_POSTERIOR_SD] = "sd", [SCORIA_POSTERIOR_QUANTILE] = "quantile"};

void posterior_path(ScoriaPosteriorSide side, const char *group, const char *name, ScoriaPosteriorCurve curve,
                    size_t size, char path[])
{
  snprintf(path, size, "%s/%s/%s/%s", groups[side], group, name, curves[curve]);
}

void posterior_sensor_path(const char *column, size_t size, char path[])
{
  snprintf(path, size, "/%s/%s", POSTERIOR_SENSORS, column);
}

const char *const posterior_places[2]         = {"y", "z"};

const ScoriaMember scoria_posterior_members[] = {
    TEXT(ScoriaPosteriorRun, prior, NULL, 0),
    COUNT(ScoriaPosteriorRun, particles, NULL, 0),
    COUNT(ScoriaPosteriorRun, stages, NULL, 0),
    REAL(ScoriaPosteriorRun, log_evidence, NULL, 0),
    REAL(ScoriaPosteriorRun, log_evidence_se, NULL, 0),
    REAL(ScoriaPosteriorRun, acceptance, NULL, 0),
    REAL(ScoriaPosteriorRun, mixing, NULL, 0),
    REAL(ScoriaPosteriorRun, correlation, NULL, 0),
    REAL(ScoriaPosteriorRun, correlation_limit, NULL, 0),
    REAL(ScoriaPosteriorRun, misfit, NULL, 0),
    REAL(ScoriaPosteriorRun, misfit_probability, NULL, 0),
    END,
};

const ScoriaMember scoria_posterior_value_members[] = {
    TEXT(ScoriaPosteriorValue, unit, NULL, 0),     REAL(ScoriaPosteriorValue, prior_mean, NULL, 0),
    REAL(ScoriaPosteriorValue, prior_sd, NULL, 0), REAL(ScoriaPosteriorValue, mean, NULL, 0),
    REAL(ScoriaPosteriorValue, sd, NULL, 0),       END,
};

const ScoriaMember scoria_posterior_quantile_members[] = {
    REAL(ScoriaPosteriorQuantile, p, NULL, 0),
    REAL(ScoriaPosteriorQuantile, value, NULL, 0),
    END,
};

const ScoriaMember scoria_posterior_sensor_members[] = {
    TEXT(ScoriaPosteriorSensor, field, "number of the field, from 0", 0),
    REAL(ScoriaPosteriorSensor, x, "place along x, as x of the fields", 0),
    REAL(ScoriaPosteriorSensor, value, "as read, in the unit of the field", 0),
    REAL(ScoriaPosteriorSensor, sd, "standard deviation of the noise", 0),
    REAL(ScoriaPosteriorSensor, prior_mean, "of the field there, before the readings", 0),
    REAL(ScoriaPosteriorSensor, prior_sd, "likewise", 0),
    REAL(ScoriaPosteriorSensor, mean, "of the field there, given the readings", 0),
    REAL(ScoriaPosteriorSensor, posterior_sd, "likewise", 0),
    REAL(ScoriaPosteriorSensor, residual, "reading less mean, in units of both standard deviations", 0),
    END,
};

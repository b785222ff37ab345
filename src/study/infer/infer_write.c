/* infer: posterior.h5, which has everything, posterior.json, and the table on standard output. */
#include "infer.h"
#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const side_groups[INFER_SIDES] = {"/prior", ""};

static const double *told(const Infer *f, int side, int what, int column)
{
  return f->told[side] + (size_t)what * f->columns + column;
}

#define FAR_READING 8.0 /* standard deviations: of a Gaussian, once in 10^15 readings */

bool infer_reading_is_far(const Infer *f, int i, char line[INFER_LINE])
{
  const InferSensor *s = &f->sensors.s[i];
  const int column     = f->at_sensors + i;
  const double mean = *told(f, INFER_PRIOR, INFER_MEAN, column), sd = *told(f, INFER_PRIOR, INFER_SD, column);
  const double far = fabs(s->value - mean) / hypot(sd, s->sd);
  snprintf(line, INFER_LINE,
           "reading %d, %s at %g m: %g is %.3g standard deviations from what the model expects there, %g +- %g", i + 1,
           s->field, s->x, s->value, far, mean, sd);
  return far > FAR_READING;
}

/* Of readings that are far from what was expected: an empty list where none is. */
static void add_warnings(cJSON *root, const Infer *f)
{
  cJSON *list = cJSON_AddArrayToObject(root, "warnings");
  char line[INFER_LINE];
  for (int i = 0; i < f->sensors.n; i++)
    if (infer_reading_is_far(f, i, line)) cJSON_AddItemToArray(list, cJSON_CreateString(line));
}

/* ---------------------------------------------------------------------------------------------------- HDF5 ---- */

/* Mean, SD and quantiles of columns [column, column + length) under a group; one column alone has no axis of its own.
 */
static PetscErrorCode PutColumns(ScoriaStore store, const Infer *f, int side, const char *group, int column, int length,
                                 const char *unit)
{
  const int64_t L = length, Q = f->nprobabilities, dims[2] = {Q, L};
  const char *axis = length > 1 ? "x" : "value";
  char name[192], axes[32];
  double *all;
  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(name, sizeof name, "%s%s/mean", side_groups[side], group));
  PetscCall(ScoriaStorePutReals(store, name, 1, &L, told(f, side, INFER_MEAN, column), unit, ""));
  PetscCall(ScoriaStorePutAxes(store, name, axis));
  PetscCall(PetscSNPrintf(name, sizeof name, "%s%s/sd", side_groups[side], group));
  PetscCall(ScoriaStorePutReals(store, name, 1, &L, told(f, side, INFER_SD, column), unit, ""));
  PetscCall(ScoriaStorePutAxes(store, name, axis));
  PetscCall(PetscMalloc1(Q * L, &all));
  for (int i = 0; i < f->nprobabilities; i++)
    PetscCall(PetscArraycpy(all + i * L, told(f, side, INFER_QUANTILES + i, column), L));
  PetscCall(PetscSNPrintf(name, sizeof name, "%s%s/quantile", side_groups[side], group));
  PetscCall(PetscSNPrintf(axes, sizeof axes, "probability %s", axis));
  PetscCall(ScoriaStorePutReals(store, name, 2, dims, all, unit, "per probability"));
  PetscCall(ScoriaStorePutAxes(store, name, axes));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/* Columns of the kept particles. */
static PetscErrorCode PutKept(ScoriaStore store, const Infer *f, const char *name, int column, int length,
                              const char *unit, const char *what)
{
  const int64_t dims[2] = {f->keep, length};
  double *all;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(f->keep * length, &all));
  for (int64_t i = 0; i < f->keep; i++)
    PetscCall(PetscArraycpy(all + i * length, f->kept + i * f->columns + column, length));
  PetscCall(ScoriaStorePutReals(store, name, length > 1 ? 2 : 1, dims, all, unit, what));
  PetscCall(ScoriaStorePutAxes(store, name, length > 1 ? "particle x" : "particle"));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutFields(ScoriaStore store, const Infer *f)
{
  char name[128];
  PetscFunctionBeginUser;
  for (int c = 0; c < f->channels; c++) {
    PetscCall(PetscSNPrintf(name, sizeof name, "/fields/%s", f->field[c].name));
    for (int side = 0; side < INFER_SIDES; side++)
      PetscCall(PutColumns(store, f, side, name, c * f->cells, f->cells, f->field[c].unit));
    PetscCall(PetscSNPrintf(name, sizeof name, "/particles/%s", f->field[c].name));
    PetscCall(PutKept(store, f, name, c * f->cells, f->cells, f->field[c].unit, "fields of the posterior"));
  }
  for (int k = 0; k < f->nquantities; k++) {
    PetscCall(PetscSNPrintf(name, sizeof name, "/quantities/%s", f->quantity[k].name));
    for (int side = 0; side < INFER_SIDES; side++)
      PetscCall(PutColumns(store, f, side, name, f->at_quantities + k, 1, f->quantity[k].unit));
  }
  PetscFunctionReturn(0);
}

/* What was given is one number; what was inferred is told as the fields are. */
static PetscErrorCode PutConditions(ScoriaStore store, const Infer *f)
{
  const int64_t one = 1;
  char name[SCORIA_NAME_SIZE + 32];
  PetscFunctionBeginUser;
  for (int k = 0; k < f->space->n; k++) {
    const ScoriaCondition *c = &f->space->c[k];
    const int unknown        = infer_unknown(f, k);
    if (unknown < 0) {
      PetscCall(PetscSNPrintf(name, sizeof name, "/given/%s", c->name));
      PetscCall(ScoriaStorePutReals(store, name, 1, &one, &f->theta[k], c->unit, "operating condition"));
      PetscCall(ScoriaStorePutAxes(store, name, "value"));
      continue;
    }
    PetscCall(PetscSNPrintf(name, sizeof name, "/conditions/%s", c->name));
    for (int side = 0; side < INFER_SIDES; side++)
      PetscCall(PutColumns(store, f, side, name, f->at_free + unknown, 1, c->unit));
    PetscCall(PetscSNPrintf(name, sizeof name, "/particles/%s", c->name));
    PetscCall(PutKept(store, f, name, f->at_free + unknown, 1, c->unit, "condition of the posterior"));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode PutSensors(ScoriaStore store, const Infer *f)
{
  enum { PLACE, VALUE, NOISE, CHANNEL, PRIOR_MEAN, PRIOR_SD, MEAN, SD, COLUMNS };
  static const char *const names[COLUMNS] = {"x",          "value",    "sd",   "field",
                                             "prior_mean", "prior_sd", "mean", "posterior_sd"};
  static const char *const what[COLUMNS]  = {"place [m]",
                                             "as read, in the unit of the field",
                                             "standard deviation of the noise",
                                             "number of the field, from 0",
                                             "of the field there, before the readings",
                                             "likewise",
                                             "of the field there, given the readings",
                                             "likewise"};
  const int64_t n                         = f->sensors.n;
  double all[COLUMNS][INFER_MAX_SENSORS];
  char name[64];
  PetscFunctionBeginUser;
  for (int i = 0; i < f->sensors.n; i++) {
    const InferSensor *s = &f->sensors.s[i];
    const int column     = f->at_sensors + i;
    all[PLACE][i]        = s->x;
    all[VALUE][i]        = s->value;
    all[NOISE][i]        = s->sd;
    all[CHANNEL][i]      = s->channel;
    all[PRIOR_MEAN][i]   = *told(f, INFER_PRIOR, INFER_MEAN, column);
    all[PRIOR_SD][i]     = *told(f, INFER_PRIOR, INFER_SD, column);
    all[MEAN][i]         = *told(f, INFER_POSTERIOR, INFER_MEAN, column);
    all[SD][i]           = *told(f, INFER_POSTERIOR, INFER_SD, column);
  }
  for (int c = 0; c < COLUMNS; c++) {
    PetscCall(PetscSNPrintf(name, sizeof name, "/sensors/%s", names[c]));
    PetscCall(ScoriaStorePutReals(store, name, 1, &n, all[c], c == PLACE ? "m" : "", what[c]));
    PetscCall(ScoriaStorePutAxes(store, name, "sensor"));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode PutStages(ScoriaStore store, const Infer *f)
{
  static const char *const names[] = {"temperature", "ess", "acceptance", "step", "mixing"};
  static const char *const what[]  = {"power of the likelihood", "effective number of particles before resampling",
                                      "share of the moves accepted", "of the last move; 1 forgets the particle's place",
                                      "sum over the moves of acceptance times step squared"};
  const int64_t n                  = f->nstages;
  char name[64];
  double *column;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(n, &column));
  for (int c = 0; c < 5; c++) {
    for (int i = 0; i < f->nstages; i++) {
      const ScoriaTemperingStage *s = &f->stage[i];
      const double all[]            = {s->temperature, s->ess, s->acceptance, s->step, s->mixing};
      column[i]                     = all[c];
    }
    PetscCall(PetscSNPrintf(name, sizeof name, "/stages/%s", names[c]));
    PetscCall(ScoriaStorePutReals(store, name, 1, &n, column, "1", what[c]));
    PetscCall(ScoriaStorePutAxes(store, name, "stage"));
  }
  PetscCall(PetscFree(column));
  PetscFunctionReturn(0);
}

PetscErrorCode InferWriteStore(const Infer *f, const char *path)
{
  const int64_t L = f->cells, Q = f->nprobabilities;
  const char *deck;
  ScoriaMadeFrom made;
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckText(f->deck, &deck));
  PetscCall(ScoriaStoreCreate(f->comm, path, "posterior", deck, &store));
  PetscCall(ScoriaMadeFromShape(source_shape(f->prior), &made));
  PetscCall(ScoriaStorePutMadeFrom(store, &made));
  PetscCall(ScoriaStorePutReals(store, "/x", 1, &L, f->x, "m", "cell centres"));
  PetscCall(ScoriaStorePutReals(store, "/probability", 1, &Q, f->probability, "1", "of the quantiles"));
  PetscCall(ScoriaStorePutFields(store, f->channels, f->field));
  PetscCall(ScoriaStorePutText(store, "sensors", f->sensors.text));
  PetscCall(ScoriaStorePutText(store, "prior", source_name(f->prior)));
  PetscCall(ScoriaStorePutInt(store, "particles", f->count));
  PetscCall(ScoriaStorePutReal(store, "log_evidence", f->log_evidence));
  PetscCall(ScoriaStorePutReal(store, "log_evidence_se", f->log_evidence_se));
  PetscCall(PutFields(store, f));
  PetscCall(PutConditions(store, f));
  PetscCall(PutSensors(store, f));
  PetscCall(PutStages(store, f));
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- JSON ---- */

static void add_column(cJSON *to, const Infer *f, const char *name, const char *unit, int column)
{
  cJSON *one = cJSON_AddObjectToObject(to, name), *list;
  cJSON_AddStringToObject(one, "unit", unit);
  cJSON_AddNumberToObject(one, "prior_mean", *told(f, INFER_PRIOR, INFER_MEAN, column));
  cJSON_AddNumberToObject(one, "prior_sd", *told(f, INFER_PRIOR, INFER_SD, column));
  cJSON_AddNumberToObject(one, "mean", *told(f, INFER_POSTERIOR, INFER_MEAN, column));
  cJSON_AddNumberToObject(one, "sd", *told(f, INFER_POSTERIOR, INFER_SD, column));
  list = cJSON_AddArrayToObject(one, "quantiles");
  for (int i = 0; i < f->nprobabilities; i++) {
    cJSON *item = cJSON_CreateObject();
    cJSON_AddNumberToObject(item, "p", f->probability[i]);
    cJSON_AddNumberToObject(item, "value", *told(f, INFER_POSTERIOR, INFER_QUANTILES + i, column));
    cJSON_AddItemToArray(list, item);
  }
}

static void add_sensors(cJSON *root, const Infer *f)
{
  cJSON *list = cJSON_AddArrayToObject(root, "sensors");
  for (int i = 0; i < f->sensors.n; i++) {
    const InferSensor *s = &f->sensors.s[i];
    const int column     = f->at_sensors + i;
    cJSON *one           = cJSON_CreateObject();
    cJSON_AddStringToObject(one, "field", s->field);
    cJSON_AddNumberToObject(one, "x", s->x);
    cJSON_AddNumberToObject(one, "value", s->value);
    cJSON_AddNumberToObject(one, "sd", s->sd);
    cJSON_AddNumberToObject(one, "prior_mean", *told(f, INFER_PRIOR, INFER_MEAN, column));
    cJSON_AddNumberToObject(one, "prior_sd", *told(f, INFER_PRIOR, INFER_SD, column));
    cJSON_AddNumberToObject(one, "mean", *told(f, INFER_POSTERIOR, INFER_MEAN, column));
    cJSON_AddNumberToObject(one, "posterior_sd", *told(f, INFER_POSTERIOR, INFER_SD, column));
    cJSON_AddItemToArray(list, one);
  }
}

PetscErrorCode InferWriteJson(const Infer *f, const char *path)
{
  cJSON *root = cJSON_CreateObject(), *given, *group;
  PetscFunctionBeginUser;
  cJSON_AddStringToObject(root, "prior", source_name(f->prior));
  cJSON_AddNumberToObject(root, "particles", (double)f->count);
  cJSON_AddNumberToObject(root, "stages", f->nstages);
  cJSON_AddNumberToObject(root, "log_evidence", f->log_evidence);
  cJSON_AddNumberToObject(root, "log_evidence_se", f->log_evidence_se);
  cJSON_AddNumberToObject(root, "acceptance", f->stage[f->nstages - 1].acceptance);
  cJSON_AddNumberToObject(root, "mixing", f->stage[f->nstages - 1].mixing);
  given = cJSON_AddObjectToObject(root, "given");
  group = cJSON_AddObjectToObject(root, "conditions");
  for (int k = 0; k < f->space->n; k++) {
    const int unknown = infer_unknown(f, k);
    if (unknown < 0)
      cJSON_AddNumberToObject(given, f->space->c[k].name, f->theta[k]);
    else
      add_column(group, f, f->space->c[k].name, f->space->c[k].unit, f->at_free + unknown);
  }
  add_warnings(root, f);
  add_sensors(root, f);
  group = cJSON_AddObjectToObject(root, "quantities");
  for (int k = 0; k < f->nquantities; k++)
    add_column(group, f, f->quantity[k].name, f->quantity[k].unit, f->at_quantities + k);
  PetscCall(ScoriaWriteJson(f->comm, path, root));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- table ---- */

#define SHOWN 12    /* sensors in the table */
#define LITTLE 0.25 /* mixing at the last temperature that is warned of */

static PetscErrorCode SayColumn(const Infer *f, const char *name, const char *unit, int column)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(f->run, "    %-18s %-9s %12.6g %12.6g %12.6g %12.6g", name, unit,
                      *told(f, INFER_PRIOR, INFER_MEAN, column), *told(f, INFER_PRIOR, INFER_SD, column),
                      *told(f, INFER_POSTERIOR, INFER_MEAN, column), *told(f, INFER_POSTERIOR, INFER_SD, column)));
  PetscFunctionReturn(0);
}

PetscErrorCode InferSayTable(const Infer *f)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(f->run, "  %d readings, %lld particles, %d temperatures, %.0f %% of the last moves accepted",
                      f->sensors.n, (long long)f->count, f->nstages, 100 * f->stage[f->nstages - 1].acceptance));
  if (f->stage[f->nstages - 1].mixing < LITTLE)
    PetscCall(ScoriaSay(f->run,
                        "  WARNING: the last moves were short (step %.3g): the posterior may be told too narrow; raise "
                        "infer_moves, or ask whether noise so small is below the model's own error",
                        f->stage[f->nstages - 1].step));
  PetscCall(ScoriaSay(f->run, "  ln evidence %.4f +- %.4f", f->log_evidence, f->log_evidence_se));
  PetscCall(ScoriaSay(f->run, "    %-18s %-9s %12s %12s %12s %12s %12s %12s", "", "", "prior mean", "SD", "mean", "SD",
                      "read", "noise"));
  for (int i = 0; i < PetscMin(f->sensors.n, SHOWN); i++) {
    const InferSensor *s = &f->sensors.s[i];
    const int column     = f->at_sensors + i;
    char name[SCORIA_NAME_SIZE + 32];
    snprintf(name, sizeof name, "%s:%g", s->field, s->x);
    PetscCall(ScoriaSay(f->run, "    %-18s %-9s %12.6g %12.6g %12.6g %12.6g %12.6g %12.6g", name,
                        f->field[s->channel].unit, *told(f, INFER_PRIOR, INFER_MEAN, column),
                        *told(f, INFER_PRIOR, INFER_SD, column), *told(f, INFER_POSTERIOR, INFER_MEAN, column),
                        *told(f, INFER_POSTERIOR, INFER_SD, column), s->value, s->sd));
  }
  if (f->sensors.n > SHOWN) PetscCall(ScoriaSay(f->run, "    and %d more readings", f->sensors.n - SHOWN));
  for (int i = 0; i < f->nfree; i++)
    PetscCall(SayColumn(f, f->space->c[f->free[i]].name, f->space->c[f->free[i]].unit, f->at_free + i));
  for (int k = 0; k < f->nquantities; k++)
    PetscCall(SayColumn(f, f->quantity[k].name, f->quantity[k].unit, f->at_quantities + k));
  PetscFunctionReturn(0);
}

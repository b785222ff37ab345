/* infer: posterior.h5, which has everything, posterior.json, and the table on standard output. */
#include "infer.h"
#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const side_groups[INFER_SIDES] = {"/prior", ""};

static const double *statistic(const InferAnswer *a, int side, int what, int column)
{
  return a->statistics[side] + (size_t)what * a->columns + column;
}

/* ---------------------------------------------------------------------------------------------------- HDF5 ---- */

/* Mean, SD and quantiles of columns [column, column + length) under a group; one column alone has no axis of its own.
 */
static PetscErrorCode PutColumns(ScoriaStore store, const InferQuestion *q, const InferAnswer *a, int side,
                                 const char *group, int column, int length, const char *unit)
{
  const int64_t L = length, Q = q->nprobabilities, dims[2] = {Q, L};
  const char *axis = length > 1 ? "x" : "value";
  char name[192], axes[32];
  double *all;
  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(name, sizeof name, "%s%s/mean", side_groups[side], group));
  PetscCall(ScoriaStorePutReals(store, name, 1, &L, statistic(a, side, INFER_MEAN, column), unit, ""));
  PetscCall(ScoriaStorePutAxes(store, name, axis));
  PetscCall(PetscSNPrintf(name, sizeof name, "%s%s/sd", side_groups[side], group));
  PetscCall(ScoriaStorePutReals(store, name, 1, &L, statistic(a, side, INFER_SD, column), unit, ""));
  PetscCall(ScoriaStorePutAxes(store, name, axis));
  PetscCall(PetscMalloc1(Q * L, &all));
  for (int i = 0; i < q->nprobabilities; i++)
    PetscCall(PetscArraycpy(all + i * L, statistic(a, side, INFER_QUANTILES + i, column), L));
  PetscCall(PetscSNPrintf(name, sizeof name, "%s%s/quantile", side_groups[side], group));
  PetscCall(PetscSNPrintf(axes, sizeof axes, "probability %s", axis));
  PetscCall(ScoriaStorePutReals(store, name, 2, dims, all, unit, "per probability"));
  PetscCall(ScoriaStorePutAxes(store, name, axes));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/* Columns of the kept particles. */
static PetscErrorCode PutKept(ScoriaStore store, const InferQuestion *q, const InferAnswer *a, const char *name,
                              int column, int length, const char *unit, const char *what)
{
  const int64_t dims[2] = {q->keep, length};
  double *all;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(q->keep * length, &all));
  for (int64_t i = 0; i < q->keep; i++)
    PetscCall(PetscArraycpy(all + i * length, a->kept + i * a->columns + column, length));
  PetscCall(ScoriaStorePutReals(store, name, length > 1 ? 2 : 1, dims, all, unit, what));
  PetscCall(ScoriaStorePutAxes(store, name, length > 1 ? "particle x" : "particle"));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutFields(ScoriaStore store, const InferQuestion *q, const InferAnswer *a)
{
  char name[128];
  PetscFunctionBeginUser;
  for (int c = 0; c < q->shape.channels; c++) {
    PetscCall(PetscSNPrintf(name, sizeof name, "/fields/%s", q->shape.field[c].name));
    for (int side = 0; side < INFER_SIDES; side++)
      PetscCall(PutColumns(store, q, a, side, name, c * q->shape.cells, q->shape.cells, q->shape.field[c].unit));
    PetscCall(PetscSNPrintf(name, sizeof name, "/particles/%s", q->shape.field[c].name));
    PetscCall(PutKept(store, q, a, name, c * q->shape.cells, q->shape.cells, q->shape.field[c].unit,
                      "fields of the posterior"));
  }
  for (int k = 0; k < q->nquantities; k++) {
    PetscCall(PetscSNPrintf(name, sizeof name, "/quantities/%s", q->quantity[k].name));
    for (int side = 0; side < INFER_SIDES; side++)
      PetscCall(PutColumns(store, q, a, side, name, a->at_quantities + k, 1, q->quantity[k].unit));
  }
  PetscFunctionReturn(0);
}

/* What was given is one number; what was inferred has the statistics that the fields have. */
static PetscErrorCode PutConditions(ScoriaStore store, const InferQuestion *q, const InferAnswer *a)
{
  const int64_t one = 1;
  char name[SCORIA_NAME_SIZE + 32];
  PetscFunctionBeginUser;
  for (int k = 0; k < q->shape.space->n; k++) {
    const ScoriaCondition *c = &q->shape.space->c[k];
    const int unknown        = infer_unknown(q, k);
    if (unknown < 0) {
      PetscCall(PetscSNPrintf(name, sizeof name, "/given/%s", c->name));
      PetscCall(ScoriaStorePutReals(store, name, 1, &one, &q->theta[k], c->unit, "operating condition"));
      PetscCall(ScoriaStorePutAxes(store, name, "value"));
      continue;
    }
    PetscCall(PetscSNPrintf(name, sizeof name, "/conditions/%s", c->name));
    for (int side = 0; side < INFER_SIDES; side++)
      PetscCall(PutColumns(store, q, a, side, name, a->at_unknown + unknown, 1, c->unit));
    PetscCall(PetscSNPrintf(name, sizeof name, "/particles/%s", c->name));
    PetscCall(PutKept(store, q, a, name, a->at_unknown + unknown, 1, c->unit, "condition of the posterior"));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode PutSensors(ScoriaStore store, const InferQuestion *q, const InferAnswer *a)
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
  const int64_t n                         = q->sensors.n;
  double all[COLUMNS][INFER_MAX_SENSORS];
  char name[64];
  PetscFunctionBeginUser;
  for (int i = 0; i < q->sensors.n; i++) {
    const InferSensor *s = &q->sensors.s[i];
    const int column     = a->at_sensors + i;
    all[PLACE][i]        = s->x;
    all[VALUE][i]        = s->value;
    all[NOISE][i]        = s->sd;
    all[CHANNEL][i]      = s->channel;
    all[PRIOR_MEAN][i]   = *statistic(a, INFER_PRIOR, INFER_MEAN, column);
    all[PRIOR_SD][i]     = *statistic(a, INFER_PRIOR, INFER_SD, column);
    all[MEAN][i]         = *statistic(a, INFER_POSTERIOR, INFER_MEAN, column);
    all[SD][i]           = *statistic(a, INFER_POSTERIOR, INFER_SD, column);
  }
  for (int c = 0; c < COLUMNS; c++) {
    PetscCall(PetscSNPrintf(name, sizeof name, "/sensors/%s", names[c]));
    PetscCall(ScoriaStorePutReals(store, name, 1, &n, all[c], c == PLACE ? "m" : "", what[c]));
    PetscCall(ScoriaStorePutAxes(store, name, "sensor"));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode PutStages(ScoriaStore store, const InferAnswer *a)
{
  static const char *const names[] = {"temperature", "ess", "acceptance", "step", "mixing"};
  static const char *const what[]  = {"power of the likelihood", "effective number of particles before resampling",
                                      "share of the moves accepted", "of the last move; 1 forgets the particle's place",
                                      "sum over the moves of acceptance times step squared"};
  const int64_t n                  = a->nstages;
  char name[64];
  double *column;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(n, &column));
  for (int c = 0; c < 5; c++) {
    for (int i = 0; i < a->nstages; i++) {
      const ScoriaTemperingStage *s = &a->stage[i];
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

PetscErrorCode InferWriteStore(MPI_Comm comm, const char *path, const char *deck, const char *prior,
                               const InferQuestion *q, const InferAnswer *a)
{
  const int64_t L = q->shape.cells, Q = q->nprobabilities;
  ScoriaMadeFrom made;
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreCreate(comm, path, "posterior", deck, &store));
  PetscCall(ScoriaMadeFromShape(&q->shape, &made));
  PetscCall(ScoriaStorePutMadeFrom(store, &made));
  PetscCall(ScoriaStorePutReals(store, "/x", 1, &L, q->shape.x, "m", "cell centres"));
  PetscCall(ScoriaStorePutReals(store, "/probability", 1, &Q, q->probability, "1", "of the quantiles"));
  PetscCall(ScoriaStorePutFields(store, q->shape.channels, q->shape.field));
  PetscCall(ScoriaStorePutText(store, "sensors", q->sensors.text));
  PetscCall(ScoriaStorePutText(store, "prior", prior));
  PetscCall(ScoriaStorePutInt(store, "particles", q->count));
  PetscCall(ScoriaStorePutReal(store, "log_evidence", a->log_evidence));
  PetscCall(ScoriaStorePutReal(store, "log_evidence_se", a->log_evidence_se));
  PetscCall(PutFields(store, q, a));
  PetscCall(PutConditions(store, q, a));
  PetscCall(PutSensors(store, q, a));
  PetscCall(PutStages(store, a));
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- JSON ---- */

static void add_column(cJSON *to, const InferQuestion *q, const InferAnswer *a, const char *name, const char *unit,
                       int column)
{
  cJSON *one = cJSON_AddObjectToObject(to, name), *list;
  cJSON_AddStringToObject(one, "unit", unit);
  cJSON_AddNumberToObject(one, "prior_mean", *statistic(a, INFER_PRIOR, INFER_MEAN, column));
  cJSON_AddNumberToObject(one, "prior_sd", *statistic(a, INFER_PRIOR, INFER_SD, column));
  cJSON_AddNumberToObject(one, "mean", *statistic(a, INFER_POSTERIOR, INFER_MEAN, column));
  cJSON_AddNumberToObject(one, "sd", *statistic(a, INFER_POSTERIOR, INFER_SD, column));
  list = cJSON_AddArrayToObject(one, "quantiles");
  for (int i = 0; i < q->nprobabilities; i++) {
    cJSON *item = cJSON_CreateObject();
    cJSON_AddNumberToObject(item, "p", q->probability[i]);
    cJSON_AddNumberToObject(item, "value", *statistic(a, INFER_POSTERIOR, INFER_QUANTILES + i, column));
    cJSON_AddItemToArray(list, item);
  }
}

/* Of readings that are far from what was expected: an empty list where none is. */
static void add_warnings(cJSON *root, const InferQuestion *q, const InferAnswer *a)
{
  cJSON *list = cJSON_AddArrayToObject(root, "warnings");
  char line[INFER_LINE];
  for (int i = 0; i < q->sensors.n; i++)
    if (infer_reading_is_far(q, a, i, line)) cJSON_AddItemToArray(list, cJSON_CreateString(line));
}

static void add_sensors(cJSON *root, const InferQuestion *q, const InferAnswer *a)
{
  cJSON *list = cJSON_AddArrayToObject(root, "sensors");
  for (int i = 0; i < q->sensors.n; i++) {
    const InferSensor *s = &q->sensors.s[i];
    const int column     = a->at_sensors + i;
    cJSON *one           = cJSON_CreateObject();
    cJSON_AddStringToObject(one, "field", s->field);
    cJSON_AddNumberToObject(one, "x", s->x);
    cJSON_AddNumberToObject(one, "value", s->value);
    cJSON_AddNumberToObject(one, "sd", s->sd);
    cJSON_AddNumberToObject(one, "prior_mean", *statistic(a, INFER_PRIOR, INFER_MEAN, column));
    cJSON_AddNumberToObject(one, "prior_sd", *statistic(a, INFER_PRIOR, INFER_SD, column));
    cJSON_AddNumberToObject(one, "mean", *statistic(a, INFER_POSTERIOR, INFER_MEAN, column));
    cJSON_AddNumberToObject(one, "posterior_sd", *statistic(a, INFER_POSTERIOR, INFER_SD, column));
    cJSON_AddItemToArray(list, one);
  }
}

PetscErrorCode InferWriteJson(MPI_Comm comm, const char *path, const char *prior, const InferQuestion *q,
                              const InferAnswer *a)
{
  cJSON *root = cJSON_CreateObject(), *given, *group;
  PetscFunctionBeginUser;
  cJSON_AddStringToObject(root, "prior", prior);
  cJSON_AddNumberToObject(root, "particles", (double)q->count);
  cJSON_AddNumberToObject(root, "stages", a->nstages);
  cJSON_AddNumberToObject(root, "log_evidence", a->log_evidence);
  cJSON_AddNumberToObject(root, "log_evidence_se", a->log_evidence_se);
  cJSON_AddNumberToObject(root, "acceptance", a->stage[a->nstages - 1].acceptance);
  cJSON_AddNumberToObject(root, "mixing", a->stage[a->nstages - 1].mixing);
  given = cJSON_AddObjectToObject(root, "given");
  group = cJSON_AddObjectToObject(root, "conditions");
  for (int k = 0; k < q->shape.space->n; k++) {
    const int unknown = infer_unknown(q, k);
    if (unknown < 0)
      cJSON_AddNumberToObject(given, q->shape.space->c[k].name, q->theta[k]);
    else
      add_column(group, q, a, q->shape.space->c[k].name, q->shape.space->c[k].unit, a->at_unknown + unknown);
  }
  add_warnings(root, q, a);
  add_sensors(root, q, a);
  group = cJSON_AddObjectToObject(root, "quantities");
  for (int k = 0; k < q->nquantities; k++)
    add_column(group, q, a, q->quantity[k].name, q->quantity[k].unit, a->at_quantities + k);
  PetscCall(ScoriaWriteJson(comm, path, root));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- table ---- */

#define SHOWN 12    /* sensors in the table */
#define LITTLE 0.25 /* mixing at the last temperature that is warned of */

static PetscErrorCode SayColumn(ScoriaRun run, const InferAnswer *a, const char *name, const char *unit, int column)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "    %-18s %-9s %12.6g %12.6g %12.6g %12.6g", name, unit,
                      *statistic(a, INFER_PRIOR, INFER_MEAN, column), *statistic(a, INFER_PRIOR, INFER_SD, column),
                      *statistic(a, INFER_POSTERIOR, INFER_MEAN, column),
                      *statistic(a, INFER_POSTERIOR, INFER_SD, column)));
  PetscFunctionReturn(0);
}

PetscErrorCode InferSayTable(ScoriaRun run, const InferQuestion *q, const InferAnswer *a)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "  %d readings, %lld particles, %d temperatures, %.0f %% of the last moves accepted",
                      q->sensors.n, (long long)q->count, a->nstages, 100 * a->stage[a->nstages - 1].acceptance));
  if (a->stage[a->nstages - 1].mixing < LITTLE)
    PetscCall(ScoriaSay(run,
                        "  WARNING: the last moves were short (step %.3g): the posterior may be too narrow; raise "
                        "infer_moves, or ask whether noise so small is below the model's own error",
                        a->stage[a->nstages - 1].step));
  PetscCall(ScoriaSay(run, "  ln evidence %.4f +- %.4f", a->log_evidence, a->log_evidence_se));
  PetscCall(ScoriaSay(run, "    %-18s %-9s %12s %12s %12s %12s %12s %12s", "", "", "prior mean", "SD", "mean", "SD",
                      "read", "noise"));
  for (int i = 0; i < PetscMin(q->sensors.n, SHOWN); i++) {
    const InferSensor *s = &q->sensors.s[i];
    const int column     = a->at_sensors + i;
    char name[SCORIA_NAME_SIZE + 32];
    snprintf(name, sizeof name, "%s:%g", s->field, s->x);
    PetscCall(ScoriaSay(run, "    %-18s %-9s %12.6g %12.6g %12.6g %12.6g %12.6g %12.6g", name,
                        q->shape.field[s->channel].unit, *statistic(a, INFER_PRIOR, INFER_MEAN, column),
                        *statistic(a, INFER_PRIOR, INFER_SD, column),
                        *statistic(a, INFER_POSTERIOR, INFER_MEAN, column),
                        *statistic(a, INFER_POSTERIOR, INFER_SD, column), s->value, s->sd));
  }
  if (q->sensors.n > SHOWN) PetscCall(ScoriaSay(run, "    and %d more readings", q->sensors.n - SHOWN));
  for (int i = 0; i < q->nunknown; i++)
    PetscCall(SayColumn(run, a, q->shape.space->c[q->unknown[i]].name, q->shape.space->c[q->unknown[i]].unit,
                        a->at_unknown + i));
  for (int k = 0; k < q->nquantities; k++)
    PetscCall(SayColumn(run, a, q->quantity[k].name, q->quantity[k].unit, a->at_quantities + k));
  PetscFunctionReturn(0);
}

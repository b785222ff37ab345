/* infer: posterior.h5, which has everything, posterior.json, and the table on standard output. */
#include "infer.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double *statistic(const InferAnswer *a, int side, int what, int column)
{
  return a->statistics[side] + (size_t)what * a->columns + column;
}

/* ---------------------------------------------------------------------------------------------------- HDF5 ---- */

#define AXES (3 * SCORIA_NAME_SIZE + 32)

/* The axes of an array, with `before` in front of those of the cells where it has a value for each: dims from the first
 * on, names, and how many.  Columns of cells are those of one field, from `column` on. */
static int axes_of(const InferQuestion *q, const char *before, int64_t first, int column, int length, int64_t dims[5],
                   char axes[AXES])
{
  const int cells          = q->shape.cells;
  const bool of_field      = column < q->shape.channels * cells;
  const ScoriaField *field = of_field ? &q->shape.field[column / cells] : NULL;
  int rank                 = 0, n[3];
  char own[AXES]           = "value";
  if (*before) dims[rank++] = first;
  if (of_field) {
    field_shape(field, q->shape.shape, n);
    field_axes_text(field, infer_whole(q), sizeof own, own);
  }
  for (int axis = 2; axis >= 0 && of_field && infer_whole(q); axis--) dims[rank++] = n[axis];
  if (!of_field || !infer_whole(q)) dims[rank++] = length;
  snprintf(axes, AXES, "%s%s%s", before, *before ? " " : "", own);
  return rank;
}

/* Mean, SD and quantiles of columns [column, column + length) under a group; one column alone has no axis of its own.
 */
static PetscErrorCode PutColumns(ScoriaStore store, const InferQuestion *q, const InferAnswer *a, int side,
                                 const char *group, const char *of, int column, int length, const char *unit)
{
  const int64_t L = length, Q = q->nprobabilities;
  char name[192], axis[AXES], axes[AXES];
  int64_t dims[5], quantile_dims[5];
  double *all;
  PetscFunctionBeginUser;
  const int rank = axes_of(q, "", 0, column, length, dims, axis);
  posterior_path(side, group, of, SCORIA_POSTERIOR_MEAN, sizeof name, name);
  PetscCall(ScoriaStorePutReals(store, name, rank, dims, statistic(a, side, INFER_MEAN, column), unit, ""));
  PetscCall(ScoriaStorePutAxes(store, name, axis));
  posterior_path(side, group, of, SCORIA_POSTERIOR_SD, sizeof name, name);
  PetscCall(ScoriaStorePutReals(store, name, rank, dims, statistic(a, side, INFER_SD, column), unit, ""));
  PetscCall(ScoriaStorePutAxes(store, name, axis));
  PetscCall(PetscMalloc1(Q * L, &all));
  for (int i = 0; i < q->nprobabilities; i++)
    PetscCall(PetscArraycpy(all + i * L, statistic(a, side, INFER_QUANTILES + i, column), L));
  posterior_path(side, group, of, SCORIA_POSTERIOR_QUANTILE, sizeof name, name);
  const int quantile_rank = axes_of(q, "probability", Q, column, length, quantile_dims, axes);
  PetscCall(ScoriaStorePutReals(store, name, quantile_rank, quantile_dims, all, unit, "per probability"));
  PetscCall(ScoriaStorePutAxes(store, name, axes));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/* Columns of the kept particles. */
static PetscErrorCode PutKept(ScoriaStore store, const InferQuestion *q, const InferAnswer *a, const char *name,
                              int column, int length, const char *unit, const char *what)
{
  char axes[AXES] = "particle";
  int64_t dims[5];
  int rank = 1;
  double *all;
  PetscFunctionBeginUser;
  dims[0] = q->keep;
  if (column < a->at_quantities) rank = axes_of(q, "particle", q->keep, column, length, dims, axes);
  PetscCall(PetscMalloc1(q->keep * length, &all));
  for (int64_t i = 0; i < q->keep; i++)
    PetscCall(PetscArraycpy(all + i * length, a->kept + i * a->columns + column, length));
  PetscCall(ScoriaStorePutReals(store, name, rank, dims, all, unit, what));
  PetscCall(ScoriaStorePutAxes(store, name, axes));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutFields(ScoriaStore store, const InferQuestion *q, const InferAnswer *a)
{
  char name[128];
  PetscFunctionBeginUser;
  for (int c = 0; c < q->shape.channels; c++) {
    const ScoriaField *field = &q->shape.field[c];
    const int column = c * q->shape.cells, cells = field_cells(field, q->shape.cells);
    for (int side = 0; side < SCORIA_POSTERIOR_SIDES; side++)
      PetscCall(PutColumns(store, q, a, side, POSTERIOR_FIELDS, field->name, column, cells, field->unit));
    PetscCall(PetscSNPrintf(name, sizeof name, "/particles/%s", field->name));
    PetscCall(PutKept(store, q, a, name, column, cells, field->unit, "fields of the posterior"));
  }
  for (int k = 0; k < q->nquantities; k++)
    for (int side = 0; side < SCORIA_POSTERIOR_SIDES; side++)
      PetscCall(PutColumns(store, q, a, side, POSTERIOR_QUANTITIES, q->quantity[k].name, a->at_quantities + k, 1,
                           q->quantity[k].unit));
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
      PetscCall(PetscSNPrintf(name, sizeof name, "/" POSTERIOR_GIVEN "/%s", c->name));
      PetscCall(ScoriaStorePutReals(store, name, 1, &one, &q->theta[k], c->unit, "operating condition"));
      PetscCall(ScoriaStorePutAxes(store, name, "value"));
      continue;
    }
    for (int side = 0; side < SCORIA_POSTERIOR_SIDES; side++)
      PetscCall(PutColumns(store, q, a, side, POSTERIOR_CONDITIONS, c->name, a->at_unknown + unknown, 1, c->unit));
    PetscCall(PetscSNPrintf(name, sizeof name, "/particles/%s", c->name));
    PetscCall(PutKept(store, q, a, name, a->at_unknown + unknown, 1, c->unit, "condition of the posterior"));
  }
  PetscFunctionReturn(0);
}

/* Reading i and what became of the field there. */
static ScoriaPosteriorSensor sensor_at(const InferQuestion *q, const InferAnswer *a, int i)
{
  const InferSensor *s = &q->sensors.s[i];
  const int column     = a->at_sensors + i;
  return (ScoriaPosteriorSensor){.field        = s->field,
                                 .x            = infer_place(&q->sensors, i, 0),
                                 .value        = s->value,
                                 .sd           = s->sd,
                                 .prior_mean   = *statistic(a, SCORIA_PRIOR, INFER_MEAN, column),
                                 .prior_sd     = *statistic(a, SCORIA_PRIOR, INFER_SD, column),
                                 .mean         = *statistic(a, SCORIA_POSTERIOR, INFER_MEAN, column),
                                 .posterior_sd = *statistic(a, SCORIA_POSTERIOR, INFER_SD, column),
                                 .residual     = infer_residual(q, a, i)};
}

/* Of the field, which is a text in JSON, its number. */
static PetscErrorCode PutSensors(ScoriaStore store, const InferQuestion *q, const InferAnswer *a)
{
  const int64_t n = q->sensors.n;
  double all[INFER_MAX_SENSORS];
  char name[64];
  PetscFunctionBeginUser;
  for (const ScoriaMember *m = scoria_posterior_sensor_members; m->name; m++) {
    for (int i = 0; i < q->sensors.n; i++) {
      const ScoriaPosteriorSensor one = sensor_at(q, a, i);
      all[i]                          = q->sensors.s[i].channel;
      if (m->kind == SCORIA_MEMBER_REAL) memcpy(&all[i], (const char *)&one + m->offset, sizeof all[i]);
    }
    posterior_sensor_path(m->name, sizeof name, name);
    PetscCall(ScoriaStorePutReals(
        store, name, 1, &n, all,
        m->offset != offsetof(ScoriaPosteriorSensor, x) ? "" : space_axis_unit(q->shape.space, 0), m->title));
    PetscCall(ScoriaStorePutAxes(store, name, "sensor"));
  }
  PetscFunctionReturn(0);
}

/* Where the sensors are along y and z. */
static PetscErrorCode PutLateral(ScoriaStore store, const InferQuestion *q)
{
  const int64_t n = q->sensors.n;
  double all[INFER_MAX_SENSORS];
  char name[64];
  PetscFunctionBeginUser;
  for (int axis = 1; axis < infer_most_axes(&q->shape); axis++) {
    for (int i = 0; i < q->sensors.n; i++) all[i] = infer_place(&q->sensors, i, axis);
    posterior_sensor_path(posterior_places[axis - 1], sizeof name, name);
    PetscCall(ScoriaStorePutReals(store, name, 1, &n, all, space_axis_unit(q->shape.space, axis),
                                  "place; NaN: that field has none along this axis"));
    PetscCall(ScoriaStorePutAxes(store, name, "sensor"));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode PutStages(ScoriaStore store, const InferAnswer *a)
{
  static const char *const names[] = {"temperature", "ess", "acceptance", "step", "mixing", "moves", "correlation"};
  static const char *const what[]  = {"power of the likelihood",
                                      "effective number of particles before resampling",
                                      "share of the moves accepted",
                                      "of the last move; 1 forgets the particle's place",
                                      "sum over the moves of acceptance times step squared",
                                      "of every particle",
                                      "the largest, over the coordinates, of places before and after the moves"};
  const int64_t n                  = a->nstages;
  char name[64];
  double *column;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(n, &column));
  for (int c = 0; c < 7; c++) {
    for (int i = 0; i < a->nstages; i++) {
      const ScoriaTemperingStage *s = &a->stage[i];
      const double all[] = {s->temperature, s->ess, s->acceptance, s->step, s->mixing, s->moves, s->correlation};
      column[i]          = all[c];
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
  const int64_t Q = q->nprobabilities;
  ScoriaMadeFrom made;
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreCreate(comm, path, "posterior", deck, &store));
  PetscCall(ScoriaMadeFromShape(&q->shape, &made));
  PetscCall(ScoriaStorePutMadeFrom(store, &made));
  const int along[3] = {q->shape.cells, 1, 1};
  PetscCall(ScoriaStorePutCentres(store, q->shape.channels, q->shape.field, infer_whole(q) ? q->shape.shape : along,
                                  q->shape.space, q->shape.x));
  PetscCall(ScoriaStorePutReals(store, POSTERIOR_PROBABILITY, 1, &Q, q->probability, "1", "of the quantiles"));
  PetscCall(ScoriaStorePutFields(store, q->shape.channels, q->shape.field));
  PetscCall(ScoriaStorePutText(store, INFER_SENSORS, q->sensors.text));
  PetscCall(ScoriaStorePutText(store, "prior", prior));
  PetscCall(ScoriaStorePutInt(store, "particles", q->count));
  PetscCall(ScoriaStorePutReal(store, "log_evidence", a->log_evidence));
  PetscCall(ScoriaStorePutReal(store, "log_evidence_se", a->log_evidence_se));
  PetscCall(PutFields(store, q, a));
  PetscCall(PutConditions(store, q, a));
  PetscCall(PutSensors(store, q, a));
  PetscCall(PutLateral(store, q));
  PetscCall(PutStages(store, a));
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- JSON ---- */

static void add_column(cJSON *to, const InferQuestion *q, const InferAnswer *a, const char *name, const char *unit,
                       int column)
{
  const ScoriaPosteriorValue value = {.unit       = unit,
                                      .prior_mean = *statistic(a, SCORIA_PRIOR, INFER_MEAN, column),
                                      .prior_sd   = *statistic(a, SCORIA_PRIOR, INFER_SD, column),
                                      .mean       = *statistic(a, SCORIA_POSTERIOR, INFER_MEAN, column),
                                      .sd         = *statistic(a, SCORIA_POSTERIOR, INFER_SD, column)};
  cJSON *one                       = cJSON_AddObjectToObject(to, name), *list;
  members_add(one, scoria_posterior_value_members, &value);
  list = cJSON_AddArrayToObject(one, POSTERIOR_QUANTILES);
  for (int i = 0; i < q->nprobabilities; i++) {
    const double at = *statistic(a, SCORIA_POSTERIOR, INFER_QUANTILES + i, column);
    cJSON *item     = cJSON_CreateObject();
    cJSON_AddItemToArray(list, item);
    members_add(item, scoria_posterior_quantile_members, &(ScoriaPosteriorQuantile){q->probability[i], at});
  }
}

#define REMEMBERED 2 /* times the correlation up to which places count as forgotten: warned of */

/* Whether particles have not moved far enough for their number to count. */
static bool remembers(const InferAnswer *a, char line[INFER_LINE])
{
  snprintf(line, INFER_LINE,
           "the moves have left particles where they were (correlation %.2f, expected %.2f): the posterior may be too "
           "narrow; raise infer_moves, or ask whether noise so small is below the model's own error",
           infer_correlation(a), a->forgotten);
  return infer_correlation(a) > REMEMBERED * a->forgotten;
}

/* Of readings that are far from what was expected, and from the posterior, and of moves too short: an empty list where
 * there is nothing to say. */
static void add_warnings(cJSON *root, const InferQuestion *q, const InferAnswer *a)
{
  cJSON *list = cJSON_AddArrayToObject(root, POSTERIOR_WARNINGS);
  char line[INFER_LINE];
  InferMisfit misfit;
  for (int i = 0; i < q->sensors.n; i++)
    if (infer_reading_is_far(q, a, i, line)) cJSON_AddItemToArray(list, cJSON_CreateString(line));
  if (remembers(a, line)) cJSON_AddItemToArray(list, cJSON_CreateString(line));
  if (infer_misfit(q, a, &misfit, line)) cJSON_AddItemToArray(list, cJSON_CreateString(line));
}

static void add_sensors(cJSON *root, const InferQuestion *q, const InferAnswer *a)
{
  cJSON *list = cJSON_AddArrayToObject(root, POSTERIOR_SENSORS);
  for (int i = 0; i < q->sensors.n; i++) {
    const ScoriaPosteriorSensor sensor = sensor_at(q, a, i);
    cJSON *one                         = cJSON_CreateObject();
    cJSON_AddItemToArray(list, one);
    members_add(one, scoria_posterior_sensor_members, &sensor);
    for (int axis = 1; axis < q->sensors.s[i].places; axis++)
      cJSON_AddNumberToObject(one, posterior_places[axis - 1], infer_place(&q->sensors, i, axis));
  }
}

static void add_conditions(cJSON *root, const InferQuestion *q, const InferAnswer *a)
{
  cJSON *given = cJSON_AddObjectToObject(root, POSTERIOR_GIVEN);
  cJSON *group = cJSON_AddObjectToObject(root, POSTERIOR_CONDITIONS);
  for (int k = 0; k < q->shape.space->n; k++) {
    const ScoriaCondition *c = &q->shape.space->c[k];
    const int unknown        = infer_unknown(q, k);
    if (unknown < 0)
      cJSON_AddNumberToObject(given, c->name, q->theta[k]);
    else
      add_column(group, q, a, c->name, c->unit, a->at_unknown + unknown);
  }
}

PetscErrorCode InferWriteJson(MPI_Comm comm, const char *path, const char *prior, const InferQuestion *q,
                              const InferAnswer *a)
{
  const ScoriaTemperingStage *last = &a->stage[a->nstages - 1];
  char line[INFER_LINE];
  InferMisfit misfit;
  (void)infer_misfit(q, a, &misfit, line);
  const ScoriaPosteriorRun all = {.prior              = prior,
                                  .particles          = q->count,
                                  .stages             = a->nstages,
                                  .log_evidence       = a->log_evidence,
                                  .log_evidence_se    = a->log_evidence_se,
                                  .acceptance         = last->acceptance,
                                  .mixing             = last->mixing,
                                  .correlation        = infer_correlation(a),
                                  .correlation_limit  = a->forgotten,
                                  .misfit             = misfit.squares,
                                  .misfit_probability = misfit.probability};
  cJSON *root                  = cJSON_CreateObject(), *group;
  PetscFunctionBeginUser;
  members_add(root, scoria_posterior_members, &all);
  add_conditions(root, q, a);
  add_warnings(root, q, a);
  add_sensors(root, q, a);
  group = cJSON_AddObjectToObject(root, POSTERIOR_QUANTITIES);
  for (int k = 0; k < q->nquantities; k++)
    add_column(group, q, a, q->quantity[k].name, q->quantity[k].unit, a->at_quantities + k);
  PetscCall(ScoriaWriteJson(comm, path, root));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- table ---- */

#define SHOWN 12 /* sensors in the table */

static PetscErrorCode SayColumn(ScoriaRun run, const InferAnswer *a, const char *name, const char *unit, int column)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "    %-18s %-9s %12.6g %12.6g %12.6g %12.6g", name, unit,
                      *statistic(a, SCORIA_PRIOR, INFER_MEAN, column), *statistic(a, SCORIA_PRIOR, INFER_SD, column),
                      *statistic(a, SCORIA_POSTERIOR, INFER_MEAN, column),
                      *statistic(a, SCORIA_POSTERIOR, INFER_SD, column)));
  PetscFunctionReturn(0);
}

static PetscErrorCode SayMisfit(ScoriaRun run, const InferQuestion *q, const InferAnswer *a)
{
  char line[INFER_LINE];
  InferMisfit misfit;
  PetscFunctionBeginUser;
  if (infer_misfit(q, a, &misfit, line)) PetscCall(ScoriaSay(run, "  WARNING: %s", line));
  PetscFunctionReturn(0);
}

PetscErrorCode InferSayTable(ScoriaRun run, const InferQuestion *q, const InferAnswer *a)
{
  char line[INFER_LINE];
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "  %d readings, %lld particles, %d temperatures, %.0f %% of the last moves accepted",
                      q->sensors.n, (long long)q->count, a->nstages, 100 * a->stage[a->nstages - 1].acceptance));
  if (remembers(a, line)) PetscCall(ScoriaSay(run, "  WARNING: %s", line));
  PetscCall(SayMisfit(run, q, a));
  PetscCall(ScoriaSay(run, "  ln evidence %.4f +- %.4f", a->log_evidence, a->log_evidence_se));
  PetscCall(ScoriaSay(run, "    %-18s %-9s %12s %12s %12s %12s %12s %12s", "", "", "prior mean", "SD", "mean", "SD",
                      "read", "noise"));
  for (int i = 0; i < PetscMin(q->sensors.n, SHOWN); i++) {
    const InferSensor *s = &q->sensors.s[i];
    const int column     = a->at_sensors + i;
    char name[SCORIA_NAME_SIZE + 64];
    infer_sensor_text(&q->sensors, i, ":", ":", sizeof name, name);
    PetscCall(ScoriaSay(run, "    %-18s %-9s %12.6g %12.6g %12.6g %12.6g %12.6g %12.6g", name,
                        q->shape.field[s->channel].unit, *statistic(a, SCORIA_PRIOR, INFER_MEAN, column),
                        *statistic(a, SCORIA_PRIOR, INFER_SD, column),
                        *statistic(a, SCORIA_POSTERIOR, INFER_MEAN, column),
                        *statistic(a, SCORIA_POSTERIOR, INFER_SD, column), s->value, s->sd));
  }
  if (q->sensors.n > SHOWN) PetscCall(ScoriaSay(run, "    and %d more readings", q->sensors.n - SHOWN));
  for (int i = 0; i < q->nunknown; i++)
    PetscCall(SayColumn(run, a, q->shape.space->c[q->unknown[i]].name, q->shape.space->c[q->unknown[i]].unit,
                        a->at_unknown + i));
  for (int k = 0; k < q->nquantities; k++)
    PetscCall(SayColumn(run, a, q->quantity[k].name, q->quantity[k].unit, a->at_quantities + k));
  PetscFunctionReturn(0);
}

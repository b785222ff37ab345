/* uq.h5, which has everything, and the table on standard output. */
#include "scoria/levels.h"
#include "uq.h"
#include "scoria/run_files.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double *answer_at(const UqAnswer *a, int k)
{
  return a->value + (size_t)k * a->size;
}

/* ---------------------------------------------------------------------------------------------------- HDF5 ---- */

/* The field of a run "cells" of this name: one of the field's own, or of a threshold. */
static const ScoriaField *field_of(const UqQuestion *q, const char *name)
{
  const ScoriaField *found = &q->field[0];
  int t;
  if (sscanf(name, "/exceed/%d/", &t) == 1) return &q->field[q->threshold[t].first / q->cells];
  char path[SCORIA_NAME_SIZE + 16];
  for (int c = 0; c < q->channels; c++) {
    file_field_path(q->field[c].name, sizeof path, path);
    const size_t length = strlen(path);
    if (!strncmp(path, name, length) && name[length] == '/') found = &q->field[c];
  }
  return found;
}

/* An array over conditions, picked from every condition's answer: `parts` runs of `length`, `stride` apart.  axes,
 * "part run", names those two; only what has more than one item is an axis, and a run "cells" has those of the field
 * that is in the name. */
static PetscErrorCode PutPicked(ScoriaStore store, const UqQuestion *q, const UqAnswer *a, const char *name,
                                size_t offset, int parts, size_t stride, int length, const char *axes, const char *unit,
                                const char *description)
{
  const char *run  = strchr(axes, ' ') + 1;
  const bool cells = length > 1 && !strcmp(run, "cells"), whole = cells && q->whole;
  int64_t dims[5]                       = {q->conditions};
  int rank                              = 1;
  char named[3 * SCORIA_NAME_SIZE + 96] = "condition ", of_cells[3 * SCORIA_NAME_SIZE];
  int n[3];
  double *all;
  PetscFunctionBeginUser;
  if (parts > 1) dims[rank++] = parts;
  if (cells) field_shape(field_of(q, name), q->n, n);
  if (cells) field_axes_text(field_of(q, name), q->whole, sizeof of_cells, of_cells);
  for (int axis = 2; axis >= 0 && whole; axis--) dims[rank++] = n[axis];
  if ((length > 1 || parts > 1) && !whole) dims[rank++] = length;
  if (parts > 1) snprintf(named, sizeof named, "condition %.*s ", (int)(run - axes - 1), axes);
  if (length > 1 || parts > 1)
    snprintf(named + strlen(named), sizeof named - strlen(named), "%s", cells ? of_cells : run);
  PetscCall(PetscMalloc1((size_t)q->conditions * parts * length, &all));
  for (int k = 0; k < q->conditions; k++)
    for (int i = 0; i < parts; i++)
      PetscCall(
          PetscArraycpy(all + ((size_t)k * parts + i) * length, answer_at(a, k) + offset + (size_t)i * stride, length));
  PetscCall(ScoriaStorePutReals(store, name, rank, dims, all, unit, description));
  PetscCall(ScoriaStorePutAxes(store, name, named));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/* All that is known of columns [column, column + length), under a group. */
static PetscErrorCode PutColumns(ScoriaStore store, const UqQuestion *q, const UqAnswer *a, const char *group,
                                 int column, int length, const char *unit)
{
  char name[256];
  const size_t columns = (size_t)a->columns;
  const char *axes     = length > 1 ? "probability cells" : "probability value";
  PetscFunctionBeginUser;
  for (int i = 0; i < SCORIA_UQ_NMOMENTS; i++) {
    PetscCall(PetscSNPrintf(name, sizeof name, "%s/%s", group, scoria_uq_moment_members[i].name));
    PetscCall(PutPicked(store, q, a, name, a->moments + (size_t)i * columns + column, 1, 0, length, "- cells",
                        i == UQ_SKEWNESS || i == UQ_SKEWNESS_SE ? "1" : unit, "per condition"));
  }
  PetscCall(PetscSNPrintf(name, sizeof name, "%s/quantile", group));
  PetscCall(PutPicked(store, q, a, name, a->quantiles + column, q->nprobabilities, 2 * columns, length, axes, unit,
                      "per condition and probability"));
  PetscCall(PetscSNPrintf(name, sizeof name, "%s/quantile_se", group));
  PetscCall(PutPicked(store, q, a, name, a->quantiles + columns + column, q->nprobabilities, 2 * columns, length, axes,
                      unit, "Monte Carlo standard error"));
  PetscFunctionReturn(0);
}

/* A number of threshold t: a number itself; in each cell of a field, of profiles with "any" behind them, and in all. */
static PetscErrorCode PutShare(ScoriaStore store, const UqQuestion *q, const UqAnswer *a, int t, const char *row,
                               size_t at, const char *what)
{
  const int cells     = q->threshold[t].number;
  const bool of_field = q->threshold[t].first < q->m;
  char any[SCORIA_NAME_SIZE + 16];
  snprintf(any, sizeof any, "- %s_or_any", field_axis(&q->field[of_field ? q->threshold[t].first / q->cells : 0], 0));
  const struct {
    const char *where, *axes;
    bool put;
    size_t at;
    int length;
    const char *what; /* of the probability itself */
  } parts[] = {{"", "- -", !of_field, 0, 1, ""},
               {"", any, of_field && !q->whole, 0, cells + 1, ", in each cell; the last: in any"},
               {"", "- cells", of_field && q->whole, 0, cells, ", in each cell"},
               {"somewhere_", "- -", of_field && q->whole, (size_t)cells, 1, ", in any cell"},
               {"everywhere_", "- -", of_field, (size_t)cells + 1, 1, ", in all cells at once"}};
  char name[128], text[192];
  PetscFunctionBeginUser;
  for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
    if (!parts[k].put) continue;
    PetscCall(PetscSNPrintf(name, sizeof name, "/exceed/%d/%s%s", t, parts[k].where, row));
    PetscCall(PetscSNPrintf(text, sizeof text, "of %s%s", q->event[t].text, parts[k].what));
    PetscCall(
        PutPicked(store, q, a, name, at + parts[k].at, 1, 0, parts[k].length, parts[k].axes, "1", what ? what : text));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode PutThresholds(ScoriaStore store, const UqQuestion *q, const UqAnswer *a)
{
  static const char *const rows[UQ_NSHARES]  = {"probability", "probability_se", "probability_low", "probability_high"};
  static const char *const whats[UQ_NSHARES] = {NULL, "Monte Carlo standard error",
                                                "95 % interval of Wilson, modified for rare events, lower end",
                                                "95 % interval of Wilson, modified for rare events, upper end"};
  PetscFunctionBeginUser;
  for (int t = 0; t < q->nthresholds; t++)
    for (int row = 0; row < UQ_NSHARES; row++)
      PetscCall(PutShare(store, q, a, t, rows[row], uq_shares_at(q, a, t) + (size_t)row * uq_shares(q, t), whats[row]));
  PetscFunctionReturn(0);
}

/* Lines and columns of a matrix of m columns. */
static PetscErrorCode PutMatrix(ScoriaStore store, const UqQuestion *q, const UqAnswer *a, const char *name,
                                size_t offset, int lines, const int line[], int columns, const int column[],
                                const char *axes, const char *unit, const char *description)
{
  const int64_t dims[3] = {q->conditions, lines, columns};
  double *all, *to;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)q->conditions * lines * columns, &all));
  to = all;
  for (int k = 0; k < q->conditions; k++)
    for (int i = 0; i < lines; i++)
      for (int j = 0; j < columns; j++) *to++ = answer_at(a, k)[offset + (size_t)line[i] * q->m + column[j]];
  PetscCall(ScoriaStorePutReals(store, name, 3, dims, all, unit, description));
  PetscCall(ScoriaStorePutAxes(store, name, axes));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutJoint(ScoriaStore store, const UqQuestion *q, const UqAnswer *a)
{
  const size_t m = (size_t)q->m, variances = a->covariance + m * m;
  int *component, number                   = 0, modes[UQ_MODES];
  PetscFunctionBeginUser;
  if (!a->joint) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(m, &component));
  for (int c = 0; c < q->channels; c++)
    for (int i = 0; i < field_cells(&q->field[c], q->cells); i++) component[number++] = c * q->cells + i;
  for (int i = 0; i < UQ_MODES; i++) modes[i] = i;
  PetscCall(PutMatrix(store, q, a, "/covariance", a->covariance, number, component, number, component,
                      "condition component component_too", "", "of all fields' cells, one field after the other"));
  PetscCall(PutPicked(store, q, a, "/modes/variance", variances, 1, 0, UQ_MODES, "- number", "1",
                      "of the fields in units of their SD, descending"));
  PetscCall(PutMatrix(store, q, a, "/modes/mode", variances + UQ_MODES, UQ_MODES, modes, number, component,
                      "condition number component", "1", "orthonormal"));
  PetscCall(PetscFree(component));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutConditions(ScoriaStore store, const UqQuestion *q)
{
  const int64_t K = q->conditions, Q = q->nprobabilities;
  char name[128];
  double *column;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(K, &column));
  for (int i = 0; i < q->space->n; i++) {
    for (int k = 0; k < q->conditions; k++) column[k] = q->theta[k * q->space->n + i];
    file_condition_path(q->space->c[i].name, sizeof name, name);
    PetscCall(ScoriaStorePutReals(store, name, 1, &K, column, q->space->c[i].unit, "operating condition"));
    PetscCall(ScoriaStorePutAxes(store, name, "condition"));
  }
  PetscCall(PetscFree(column));
  PetscCall(ScoriaStorePutCentres(store, q->channels, q->field, q->n, q->space, q->x));
  PetscCall(ScoriaStorePutReals(store, "/probability", 1, &Q, q->probability, "1", "of the quantiles"));
  PetscFunctionReturn(0);
}

PetscErrorCode UqWriteStore(const UqQuestion *q, const UqResult *r, MPI_Comm comm, const char *path, const char *deck)
{
  const UqAnswer *a = &r->a;
  char name[128], group[64];
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreCreate(comm, path, "uq", deck, &store));
  PetscCall(ScoriaStorePutMadeFrom(store, &q->made));
  PetscCall(PutConditions(store, q));
  PetscCall(PutPicked(store, q, a, "/samples", UQ_SAMPLES, 1, 0, 1, "- -", "1", "fields behind the statistics"));
  PetscCall(PutPicked(store, q, a, "/failed", UQ_FAILED, 1, 0, 1, "- -", "1", "solves that failed, left out"));
  for (int c = 0; c < q->channels; c++) {
    file_field_path(q->field[c].name, sizeof name, name);
    PetscCall(PutColumns(store, q, a, name, c * q->cells, field_cells(&q->field[c], q->cells), q->field[c].unit));
  }
  for (int i = 0; i < q->nquantities; i++) {
    const size_t histogram = a->histograms + (size_t)i * (2 + UQ_BINS);
    PetscCall(
        PetscSNPrintf(name, sizeof name, "/quantities/%s", uq_group_name(q->quantity[i].name, sizeof group, group)));
    PetscCall(PutColumns(store, q, a, name, q->m + i, 1, q->quantity[i].unit));
    PetscCall(PetscSNPrintf(name, sizeof name, "/quantities/%s/histogram_range", group));
    PetscCall(PutPicked(store, q, a, name, histogram, 1, 0, 2, "- bound", q->quantity[i].unit, "of equal bins"));
    PetscCall(PetscSNPrintf(name, sizeof name, "/quantities/%s/histogram", group));
    PetscCall(PutPicked(store, q, a, name, histogram + 2, 1, 0, UQ_BINS, "- bin", "1", "share of the samples"));
  }
  PetscCall(PutThresholds(store, q, a));
  PetscCall(PutJoint(store, q, a));
  PetscCall(UqPutSobol(store, q, &r->sobol));
  if (r->levels.at) PetscCall(LevelsPutStore(store, q, &r->levels));
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- table ---- */

#define SHOWN 6 /* conditions in the table */

/* A number without a dimension has none to show. */
static const char *unit_shown(const char *unit)
{
  return strcmp(unit, "1") ? unit : "";
}

static PetscErrorCode SayCondition(ScoriaRun run, const UqQuestion *q, const UqResult *r, int k)
{
  const UqAnswer *a    = &r->a;
  const size_t columns = (size_t)a->columns;
  PetscFunctionBeginUser;
  const double *at = answer_at(a, k);
  char theta[256]  = "", interval[64];
  for (int i = 0; i < q->space->n; i++)
    snprintf(theta + strlen(theta), sizeof theta - strlen(theta), "%s%s %g%s%s", i ? ", " : "", q->space->c[i].name,
             q->theta[k * q->space->n + i], *unit_shown(q->space->c[i].unit) ? " " : "",
             unit_shown(q->space->c[i].unit));
  PetscCall(
      ScoriaSay(run, "  %s: %.0f fields%s", theta, at[UQ_SAMPLES], at[UQ_FAILED] > 0 ? ", some solves failed" : ""));
  PetscCall(ScoriaSay(run, "    %-18s %-9s %12s %11s %12s %12s %12s%s", "", "", "mean", "+-", "SD", "low", "high",
                      r->biases ? "  bias [SD]" : ""));
  for (int i = 0; i < q->nquantities; i++) {
    const double *m = at + a->moments + q->m + i, *quantile = at + a->quantiles + q->m + i;
    char bias[48] = "";
    if (r->biases) uq_bias_text(uq_compared_at(q, k) ? &r->biases->of[i] : &uq_no_bias, sizeof bias, bias);
    PetscCall(ScoriaSay(run, "    %-18s %-9s %12.6g %11.2g %12.6g %12.6g %12.6g%s%s", q->quantity[i].name,
                        unit_shown(q->quantity[i].unit), m[UQ_MEAN * columns], m[UQ_MEAN_SE * columns],
                        m[UQ_SD * columns], quantile[0], quantile[2 * columns * (size_t)(q->nprobabilities - 1)],
                        *bias ? "  " : "", bias));
  }
  for (int i = 0; i < q->nquantities && r->check; i++) {
    const ScoriaUqCheck *c = &r->check[k * q->nquantities + i];
    const double *m        = at + a->moments + q->m + i;
    PetscCall(ScoriaSay(run, "    %-18s model %.6g +- %.2g, PDE %.6g +- %.2g of %lld solves: bias %.3g to %.3g",
                        q->quantity[i].name, m[0], m[UQ_MEAN_SE * columns], c->pde_mean, c->pde_mean_se,
                        (long long)c->solves, c->low95, c->high95));
  }
  for (int t = 0; t < q->nthresholds; t++) {
    const int n = uq_shares(q, t), c = q->threshold[t].number + (q->event[t].of == SUMMARY_ALL);
    const double *shares = at + uq_shares_at(q, a, t);
    uq_interval_text(shares[UQ_SHARE_LOW * n + c], shares[UQ_SHARE_HIGH * n + c], sizeof interval, interval);
    PetscCall(
        ScoriaSay(run, "    P(%s) = %.6g, 95 %% interval %s", q->event[t].text, shares[UQ_SHARE * n + c], interval));
  }
  PetscFunctionReturn(0);
}

/* Per quantity a line of first-order indices and one of totals; what the conditions together explain comes last. */
static PetscErrorCode SaySobol(ScoriaRun run, const UqQuestion *q, const UqSensitivity *a)
{
  char head[256] = "", line[2][256];
  PetscFunctionBeginUser;
  if (!q->base) PetscFunctionReturn(0);
  PetscCall(ScoriaSay(run, "  Sobol indices over the ranges of the conditions, %lld blocks of %d rows%s",
                      (long long)a->blocks, q->draws, a->failed ? ", some solves failed" : ""));
  for (int i = 0; i <= q->inputs; i++)
    snprintf(head + strlen(head), sizeof head - strlen(head), " %15s",
             i < q->inputs ? uq_input_name(q, i) : UQ_ALL_CONDITIONS);
  PetscCall(ScoriaSay(run, "    %-18s %-11s%s", "", "", head));
  for (int j = 0; j < q->nquantities; j++) {
    const ScoriaSobolIndex *porosity = &a->index[j][q->inputs - 1];
    line[0][0] = line[1][0] = 0;
    if (a->sd[j] == 0 || isnan(porosity->total)) {
      PetscCall(ScoriaSay(run, "    %-18s %-11s no index: it is %.6g in every row", q->quantity[j].name, "constant",
                          a->mean[j]));
      continue;
    }
    for (int i = 0; i <= q->inputs; i++) {
      const ScoriaSobolIndex all = {1 - porosity->total, porosity->total_se, 1 - porosity->first, porosity->first_se};
      const ScoriaSobolIndex *of = i < q->inputs ? &a->index[j][i] : &all;
      snprintf(line[0] + strlen(line[0]), sizeof line[0] - strlen(line[0]), " %7.4f+-%6.4f", of->first, of->first_se);
      snprintf(line[1] + strlen(line[1]), sizeof line[1] - strlen(line[1]), " %7.4f+-%6.4f", of->total, of->total_se);
    }
    PetscCall(ScoriaSay(run, "    %-18s %-11s%s", q->quantity[j].name, "first order", line[0]));
    PetscCall(ScoriaSay(run, "    %-18s %-11s%s", "", "total", line[1]));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode SayTails(ScoriaRun run, const UqQuestion *q, const UqResult *r)
{
  char line[512];
  PetscFunctionBeginUser;
  if (!r->levels.at && uq_few_warning(q, &r->a, sizeof line, line)) PetscCall(ScoriaSay(run, "  WARNING: %s", line));
  for (int i = 0; uq_tail_warning(q, &r->a, r->tails, i, sizeof line, line); i++)
    if (*line) PetscCall(ScoriaSay(run, "  %s%s", i ? "WARNING: " : "", line));
  PetscFunctionReturn(0);
}

static bool biases_of_single_rows(const UqBiases *biases, int n)
{
  for (int i = 0; i < n; i++)
    if (isnan(biases->of[i].mean_bias_upper) && isfinite(biases->of[i].mean_bias_se)) return true;
  return false;
}

static PetscErrorCode SayBiases(ScoriaRun run, const UqBiases *biases, int n)
{
  PetscFunctionBeginUser;
  if (biases && biases->why)
    PetscCall(ScoriaSay(run, "  bias: the model's is not checked: %s", biases->why));
  else if (biases)
    PetscCall(ScoriaSay(run,
                        "  bias: of the mean against the %s's, as compare found it over its conditions, in SDs; (<): "
                        "its draws exclude no less%s",
                        biases->whose,
                        biases_of_single_rows(biases, n) ? "; +-: the standard error of their mean alone, as single "
                                                           "rows do not tell a bias that changes from spread"
                                                         : ""));
  PetscFunctionReturn(0);
}

PetscErrorCode UqSayTable(ScoriaRun run, const UqQuestion *q, const UqResult *r)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < PetscMin(q->conditions, SHOWN); k++) PetscCall(SayCondition(run, q, r, k));
  if (q->conditions > SHOWN) PetscCall(ScoriaSay(run, "  and %d more conditions", q->conditions - SHOWN));
  PetscCall(SaySobol(run, q, &r->sobol));
  if (r->levels.at) PetscCall(LevelsSay(run, q, &r->levels));
  PetscCall(UqSayTolerance(run, q, r));
  PetscCall(SayBiases(run, r->biases, q->nquantities));
  PetscCall(SayTails(run, q, r));
  PetscCall(ScoriaSay(run, "  low, high: quantiles %g and %g; statistics took %.1f %% of the time", q->probability[0],
                      q->probability[q->nprobabilities - 1],
                      100 * r->a.seconds[1] / PetscMax(r->a.seconds[0] + r->a.seconds[1], 1e-9)));
  PetscFunctionReturn(0);
}

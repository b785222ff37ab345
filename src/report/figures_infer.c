/* What the report shows of posterior.h5 and posterior.json: the fields before and after the readings. */
#include "report_answers.h"
#include "report_compare.h"
#include "scoria/results.h"
#include "scoria/run_files.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define HEAD 45 /* points above the panels */

enum { PLACE, VALUE, NOISE, FIELD };     /* of a sensor */
enum { MEAN, LOW, HIGH, CURVES };        /* curves of a side */
#define LARGEST_COUNT ((int64_t)1 << 22) /* of quantiles times cells */

/* --------------------------------------------------------------------------------------------------- reading ---- */

/* Curves of one field on one side: the mean, and the outermost quantiles. */
static PetscErrorCode ReadCurves(ScoriaStore store, ScoriaPosteriorSide side, const ScoriaField *field, int low,
                                 int high, const ReportPosterior *p, double **curves)
{
  char name[SCORIA_NAME_SIZE + 32];
  double *all;
  PetscFunctionBeginUser;
  const int64_t L = field_cells(field, (int)p->L);
  PetscCall(PetscCalloc1(CURVES * p->L, curves));
  PetscCall(PetscMalloc1(p->Q * L, &all));
  posterior_path(side, POSTERIOR_FIELDS, field->name, SCORIA_POSTERIOR_MEAN, sizeof name, name);
  PetscCall(ScoriaStoreGetReals(store, name, L, *curves + MEAN * p->L));
  posterior_path(side, POSTERIOR_FIELDS, field->name, SCORIA_POSTERIOR_QUANTILE, sizeof name, name);
  PetscCall(ScoriaStoreGetReals(store, name, p->Q * L, all));
  PetscCall(PetscArraycpy(*curves + LOW * p->L, all + low * L, L));
  PetscCall(PetscArraycpy(*curves + HIGH * p->L, all + high * L, L));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadFields(ScoriaStore store, ReportPosterior *p)
{
  double *probability;
  int low = 0, high = 0;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(p->Q, &probability));
  PetscCall(ScoriaStoreGetReals(store, POSTERIOR_PROBABILITY, p->Q, probability));
  for (int i = 0; i < p->Q; i++) {
    if (probability[i] < probability[low]) low = i;
    if (probability[i] > probability[high]) high = i;
  }
  p->low  = probability[low];
  p->high = probability[high];
  PetscCall(PetscFree(probability));
  for (int f = 0; f < p->nfields; f++) {
    double largest = 0;
    for (int side = 0; side < SCORIA_POSTERIOR_SIDES; side++)
      PetscCall(ReadCurves(store, side, &p->field[f], low, high, p, &p->curves[side][f]));
    for (int64_t i = 0; i < CURVES * p->L; i++) largest = fmax(largest, fabs(p->curves[SCORIA_PRIOR][f][i]));
    report_quantity(p->field[f].name, p->field[f].unit, largest, &p->quantity[f]);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadSensors(ScoriaStore store, ReportPosterior *p)
{
  static const size_t member[] = {[PLACE] = offsetof(ScoriaPosteriorSensor, x),
                                  [VALUE] = offsetof(ScoriaPosteriorSensor, value),
                                  [NOISE] = offsetof(ScoriaPosteriorSensor, sd),
                                  [FIELD] = offsetof(ScoriaPosteriorSensor, field)};
  char path[64];
  PetscFunctionBeginUser;
  for (int c = 0; c < 4; c++) {
    posterior_sensor_path(member_name(scoria_posterior_sensor_members, member[c]), sizeof path, path);
    PetscCall(PetscMalloc1(p->sensors, &p->sensor[c]));
    PetscCall(ScoriaStoreGetReals(store, path, p->sensors, p->sensor[c]));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Length(ScoriaStore store, const char *path, const char *name, int64_t *n)
{
  int64_t dims[4];
  int rank;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreShape(store, name, 4, &rank, dims));
  if (rank != 1 || dims[0] < 1) SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: expected %s of one axis", path, name);
  *n = dims[0];
  PetscFunctionReturn(0);
}

/* The cells of the set: where fields lie on different ones, those of the one that has most. */
static PetscErrorCode ReadShape(ScoriaStore store, const char *path, ReportPosterior *p)
{
  int64_t n = 1;
  int rank;
  PetscFunctionBeginUser;
  for (int a = 0; a < 3; a++) p->shape[a] = 1;
  if (fields_differ(p->nfields, p->field)) {
    for (int f = 0; f < p->nfields; f++) {
      if (p->field[f].cells > p->L) memcpy(p->shape, p->field[f].n, sizeof p->shape);
      p->L     = PetscMax(p->L, p->field[f].cells);
      p->whole = p->whole || p->field[f].n[1] > 1 || p->field[f].n[2] > 1;
    }
    PetscFunctionReturn(0);
  }
  PetscCall(Length(store, path, scoria_file_axes[0], &p->L));
  p->shape[0] = (int)p->L;
  PetscCall(ScoriaStoreShape(store, scoria_file_axes[1], 1, &rank, &n));
  p->whole = rank == 1;
  for (int a = 1; a < 3 && p->whole; a++) {
    PetscCall(Length(store, path, scoria_file_axes[a], &n));
    p->shape[a] = (int)PetscMin(n, LARGEST_COUNT);
    p->L *= n;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportPosteriorRead(MPI_Comm comm, const char *path, ReportPosterior *p)
{
  ScoriaStore store;
  char place[64], unit[16], axis[SCORIA_NAME_SIZE + 1];
  PetscFunctionBeginUser;
  memset(p, 0, sizeof *p);
  PetscCall(ScoriaFileExists(comm, path, &p->present));
  if (!p->present) PetscFunctionReturn(0);
  PetscCall(ScoriaStoreOpen(comm, path, "posterior", &store));
  PetscCall(ScoriaStoreGetFields(store, &p->nfields, p->field));
  PetscCall(ReadShape(store, path, p));
  PetscCall(Length(store, path, POSTERIOR_PROBABILITY, &p->Q));
  posterior_sensor_path(member_name(scoria_posterior_sensor_members, offsetof(ScoriaPosteriorSensor, x)), sizeof place,
                        place);
  PetscCall(Length(store, path, place, &p->sensors));
  if (p->L < 2 || (!p->whole && p->Q * p->L > LARGEST_COUNT))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found %lld cells and %lld quantiles", path, (long long)p->L, (long long)p->Q);
  PetscCall(PetscMalloc1(fields_centres(p->nfields, p->field, p->shape), &p->x));
  PetscCall(ScoriaStoreGetCentres(store, p->nfields, p->field, p->shape, p->x));
  snprintf(axis, sizeof axis, "/%s", field_axis(&p->field[0], 0));
  PetscCall(ScoriaStoreUnit(store, axis, sizeof unit, unit));
  report_axis_x(unit, p->x[p->field[0].centre[0] + (p->field[0].cells ? p->field[0].n[0] : p->shape[0]) - 1],
                &p->along);
  PetscCall(ReadSensors(store, p));
  if (p->whole)
    PetscCall(ReportPosteriorPlaneRead(store, p));
  else
    PetscCall(ReadFields(store, p));
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportPosteriorDestroy(ReportPosterior *p)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(p->x));
  PetscCall(ReportPosteriorPlaneDestroy(p));
  for (int f = 0; f < p->nfields; f++)
    for (int side = 0; side < 2; side++) PetscCall(PetscFree(p->curves[side][f]));
  for (int c = 0; c < 4; c++) PetscCall(PetscFree(p->sensor[c]));
  memset(p, 0, sizeof *p);
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- figure ---- */

/* Blocks 2 f and 2 f + 1: x, mean and limits of prior and posterior; place, value and twice the noise of the sensors,
 * NaN where field f has none. */
static PetscErrorCode Data(ReportFigures *figs, const ReportPosterior *p)
{
  ReportText text = {0};
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(&text, "# two blocks per field: x, then mean and limits of prior and posterior; sensors\n"));
  for (int f = 0; f < p->nfields; f++) {
    const double scale = p->quantity[f].scale;
    for (int64_t i = 0; i < field_cells(&p->field[f], (int)p->L); i++) {
      PetscCall(ReportPrint(&text, "%.6g", p->x[p->field[f].centre[0] + i] * p->along.scale));
      for (int side = 0; side < 2; side++)
        for (int c = 0; c < CURVES; c++)
          PetscCall(ReportPrint(&text, " %.8g", p->curves[side][f][c * p->L + i] * scale));
      PetscCall(ReportPrint(&text, "\n"));
    }
    PetscCall(ReportPrint(&text, "\n\nNaN NaN NaN\n"));
    for (int64_t i = 0; i < p->sensors; i++)
      if (lround(p->sensor[FIELD][i]) == f)
        PetscCall(ReportPrint(&text, "%.6g %.8g %.6g\n", p->sensor[PLACE][i] * p->along.scale,
                              p->sensor[VALUE][i] * scale, 2 * p->sensor[NOISE][i] * scale));
    PetscCall(ReportPrint(&text, "\n\n"));
  }
  PetscCall(ReportFiguresData(figs, "posterior.dat", &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

#define BLUE "fillcolor rgb '#56B4E9' fillstyle transparent solid 0.5 noborder"
#define SENSORS "linecolor rgb '#D55E00' linewidth 1.5 pointtype 7 pointsize 0.7"

static PetscErrorCode Panel(ReportText *body, const ReportPosterior *p, int f, int n)
{
  PetscFunctionBeginUser;
  PetscCall(ReportFieldPanel(body, f, n, HEAD));
  PetscCall(ReportPrint(body, "set xlabel '%s' offset 0,0.3\nset ylabel '%s' offset 1,0\n", p->along.axis,
                        p->quantity[f].axis));
  PetscCall(ReportPrint(body,
                        "f = 'data/posterior.dat'\nplot f index %d using 1:3:4 with filledcurves linestyle 4, "
                        "f index %d using 1:2 with lines linecolor rgb '#8A8A8A' linewidth 2 dashtype (8,6), "
                        "f index %d using 1:6:7 with filledcurves " BLUE
                        ", f index %d using 1:5 with lines linestyle 2 "
                        "linewidth 2.5, f index %d using 1:2:3 with yerrorbars " SENSORS "\n",
                        2 * f, 2 * f, 2 * f, 2 * f, 2 * f + 1));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDrawPosterior(ReportFigures *figs, const ReportPosterior *p)
{
  const int n = (int)PetscMin(p->nfields, REPORT_FIELDS), height = report_fields_height(n, HEAD);
  ReportText body = {0};
  char caption[512], drawn[64];
  PetscFunctionBeginUser;
  if (p->present && p->whole) PetscCall(ReportDrawPosteriorPlane(figs, p));
  if (!p->present || p->whole) PetscFunctionReturn(0);
  PetscCall(Data(figs, p));
  PetscCall(ReportPrint(&body, "set multiplot\n"));
  PetscCall(ReportLegendFrom(&body,
                             "NaN with filledcurves linestyle 4 title 'prior, band', NaN with lines linecolor rgb "
                             "'#8A8A8A' linewidth 2 dashtype (8,6) title 'prior, mean', NaN with filledcurves " BLUE
                             " title 'posterior, band', NaN with lines linestyle 2 linewidth 2.5 title 'posterior, "
                             "mean', NaN with points " SENSORS " title 'readings'",
                             1 - 28.0 / height));
  PetscCall(ReportRangeX(&body, &p->along, p->nfields, p->field, (int)p->L, p->x));
  for (int f = 0; f < n; f++) PetscCall(Panel(&body, p, f, n));
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  report_fields_drawn(n, (int)p->nfields, sizeof drawn, drawn);
  snprintf(caption, sizeof caption,
           "Mean and band between the quantiles %g and %g of the fields, before (grey) and after (blue) %lld readings; "
           "their bars are two standard deviations of the sensors' noise.%s%s",
           p->low, p->high, (long long)p->sensors, figs->imported ? "" : " The porosity is not known to either.",
           drawn);
  PetscCall(ReportFiguresDraw(figs, "posterior", 1180, height, &body, "Fields inferred from sensor readings", caption));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------------- table ---- */

static PetscErrorCode Row(ReportText *html, const cJSON *entry, const char *name)
{
  ScoriaPosteriorValue value;
  double largest = 0;
  ReportQuantity q;
  PetscFunctionBeginUser;
  members_take(entry, scoria_posterior_value_members, &value);
  const double numbers[4] = {value.prior_mean, value.prior_sd, value.mean, value.sd};
  for (int i = 0; i < 4; i++) largest = fmax(largest, isfinite(numbers[i]) ? fabs(numbers[i]) : 0);
  report_quantity(name, value.unit ? value.unit : "", largest, &q);
  PetscCall(ReportPrint(html, "<tr><td><code>"));
  PetscCall(ReportEscape(html, name));
  PetscCall(ReportPrint(html, "</code></td><td class=\"u\">"));
  PetscCall(ReportEnhanced(html, q.unit));
  PetscCall(ReportPrint(html, "</td>"));
  for (int i = 0; i < 4; i++) PetscCall(ReportPrint(html, "<td class=\"n\">%.5g</td>", numbers[i] * q.scale));
  PetscCall(ReportPrint(html, "</tr>\n"));
  PetscFunctionReturn(0);
}

/* How the readings lie to the posterior, and what infer warned of. */
static PetscErrorCode Diagnosis(ReportText *html, const cJSON *posterior, const ScoriaPosteriorRun *all, int readings)
{
  const cJSON *line;
  PetscFunctionBeginUser;
  if (isfinite(all->misfit) && isfinite(all->misfit_probability))
    PetscCall(
        ReportPrint(html,
                    "<p>Readings less posterior means, in units of noise and posterior SD together: sum of squares "
                    "%.3g for %d readings; a chi-square of as many degrees is larger with probability %.2g.</p>\n",
                    all->misfit, readings, all->misfit_probability));
  cJSON_ArrayForEach(line, cJSON_GetObjectItemCaseSensitive(posterior, POSTERIOR_WARNINGS))
  {
    PetscCall(ReportPrint(html, "<p><strong>Warning:</strong> "));
    PetscCall(ReportEscape(html, cJSON_GetStringValue(line)));
    PetscCall(ReportPrint(html, "</p>\n"));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportPosteriorTable(const cJSON *posterior, const ScoriaSpace *space, ReportText *html)
{
  static const char *const groups[] = {POSTERIOR_CONDITIONS, POSTERIOR_QUANTITIES};
  const cJSON *entry;
  ScoriaPosteriorRun all;
  PetscFunctionBeginUser;
  if (!posterior) PetscFunctionReturn(0);
  members_take(posterior, scoria_posterior_members, &all);
  const int readings = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(posterior, POSTERIOR_SENSORS));
  PetscCall(
      ReportPrint(html, "<p>%d readings, %lld particles, %lld temperatures; ln evidence %.3f &plusmn; %.3f.</p>\n",
                  readings, (long long)all.particles, (long long)all.stages, all.log_evidence, all.log_evidence_se));
  PetscCall(Diagnosis(html, posterior, &all, readings));
  PetscCall(ReportHeld(cJSON_GetObjectItemCaseSensitive(posterior, POSTERIOR_GIVEN), NULL, NULL, space, html));
  PetscCall(ReportPrint(html, "<div class=\"scroll\"><table>\n<thead><tr><th>quantity</th><th>unit</th>"
                              "<th class=\"n\">prior mean</th><th class=\"n\">prior SD</th><th class=\"n\">mean</th>"
                              "<th class=\"n\">SD</th></tr></thead>\n<tbody>\n"));
  for (int g = 0; g < 2; g++)
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(posterior, groups[g]))
        PetscCall(Row(html, entry, entry->string));
  PetscCall(ReportPrint(html, "</tbody>\n</table></div>\n"));
  PetscFunctionReturn(0);
}

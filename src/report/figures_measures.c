/* Figure of compare.json: the pooled measures of model, Gaussian baseline and floor side by side, the coverage, and the
 * sliced Wasserstein distance of every held-out condition. */
#include "report_measures.h"
#include "report_words.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The object of a source, the s-th of those measured, in one of objects per source. */
static const cJSON *source_of(const cJSON *object, int s)
{
  return cJSON_GetObjectItemCaseSensitive(object, scoria_from[scoria_measured[s]].member);
}

/* The measures that a perfect model brings to zero; coverage has a panel of its own. */
static bool is_error(const ScoriaMeasure *m)
{
  return m->ideal == 0 && !m->sign;
}

/* The name of a measure as gnuplot's tic labels want it: they are formats. */
static PetscErrorCode TicLabel(ReportText *body, const ScoriaMeasure *m)
{
  char name[64];
  PetscFunctionBeginUser;
  report_measure_name(m, sizeof name, name);
  for (const char *c = name; *c; c++) PetscCall(ReportPrint(body, *c == '%' ? "%%%%" : "%c", *c));
  PetscFunctionReturn(0);
}

/* Rows "value label", from the bottom of the axis upwards, one block per side. */
static PetscErrorCode PooledData(ReportText *text, const cJSON *pooled, int *rows)
{
  PetscFunctionBeginUser;
  for (int s = 0; s < SCORIA_NMEASURED; s++) {
    const cJSON *side = source_of(pooled, s);
    *rows             = 0;
    for (const ScoriaMeasure *m = scoria_measures; m->name; m++)
      if (is_error(m)) PetscCall(ReportPrint(text, "%.6g %d\n", json_number(side, m->name), -(*rows)++));
    PetscCall(ReportPrint(text, "\n\n"));
  }
  PetscFunctionReturn(0);
}

/* Rows "condition value" of one measure, one block per side. */
static PetscErrorCode ConditionData(ReportText *text, const cJSON *compare, const char *key)
{
  const cJSON *conditions = cJSON_GetObjectItemCaseSensitive(compare, COMPARE_CONDITIONS), *condition;
  PetscFunctionBeginUser;
  for (int s = 0; s < SCORIA_NMEASURED; s++) {
    int k = 0;
    cJSON_ArrayForEach(condition, conditions)
    {
      const cJSON *side = source_of(condition, s);
      PetscCall(ReportPrint(text, "%d %.6g\n", ++k, json_number(side, key)));
    }
    PetscCall(ReportPrint(text, "\n\n"));
  }
  PetscFunctionReturn(0);
}

/* A logarithmic axis ("x" or "y") a little wider than the positive values from `lo` to `hi`, marked at 1, 2, 5, 10, ...
 */
static PetscErrorCode LogAxis(ReportText *body, const char *axis, double lo, double hi)
{
  static const double mantissa[3] = {1, 2, 5};
  const char *comma               = "";
  PetscFunctionBeginUser;
  if (!(lo < INFINITY)) lo = hi = 0.1; /* no value at all */
  lo /= 1.4;
  hi *= 1.4;
  PetscCall(ReportPrint(body, "set logscale %s\nset %srange [%g:%g]\nset %stics (", axis, axis, lo, hi, axis));
  for (int i = -24; i <= 12; i++) {
    const double tic = mantissa[(i + 24) % 3] * pow(10, floor(i / 3.0));
    if (tic < lo || tic > hi) continue;
    PetscCall(ReportPrint(body, "%s%g", comma, tic));
    comma = ", ";
  }
  PetscCall(ReportPrint(body, ")\n"));
  PetscFunctionReturn(0);
}

/* Widens lo, hi by the positive values of a measure in one object per side. */
static void widen(const cJSON *object, const char *key, double *lo, double *hi)
{
  for (int s = 0; s < SCORIA_NMEASURED; s++) {
    const double value = json_number(source_of(object, s), key);
    if (!(value > 0)) continue;
    *lo = fmin(*lo, value);
    *hi = fmax(*hi, value);
  }
}

static const char *const looks[SCORIA_NFROM] = {[SCORIA_FROM_MODEL]    = "points linestyle 2 pointtype 7 pointsize 1.1",
                                                [SCORIA_FROM_GAUSSIAN] = "points linestyle 3 pointtype 5 pointsize 0.9",
                                                [SCORIA_FROM_PDE_AGAIN] =
                                                    "points linestyle 1 pointtype 12 pointsize 1.2"};

/* Points of the three sides from three blocks of the data file, beginning at block `index`, after the words `before`.
 */
static PetscErrorCode Points(ReportText *body, int index, const char *before)
{
  PetscFunctionBeginUser;
  for (int s = 0; s < SCORIA_NMEASURED; s++)
    PetscCall(ReportPrint(body, "%s'data/measures.dat' index %d using 1:2 with %s", s ? ", \\\n     " : before,
                          index + s, looks[scoria_measured[s]]));
  PetscCall(ReportPrint(body, "\n"));
  PetscFunctionReturn(0);
}

static PetscErrorCode PointsLegend(const ReportWords *words, ReportText *body)
{
  ReportText entries = {0};
  PetscFunctionBeginUser;
  for (int s = 0; s < SCORIA_NMEASURED; s++)
    PetscCall(ReportPrint(&entries, "%sNaN with %s title '%s'", s ? ", \\\n     " : "", looks[scoria_measured[s]],
                          words->title[scoria_measured[s]]));
  PetscCall(ReportLegend(body, entries.s));
  PetscCall(ReportTextDestroy(&entries));
  PetscFunctionReturn(0);
}

static PetscErrorCode PooledPanel(ReportText *body, const cJSON *pooled, int rows)
{
  int row   = 0;
  double lo = INFINITY, hi = 0;
  PetscFunctionBeginUser;
  PetscCall(
      ReportPrint(body,
                  "set lmargin at screen 0.215\nset rmargin at screen 0.56\nset bmargin at screen 0.15\n"
                  "set tmargin at screen 0.87\nset format x '%%g'\nset grid ytics linetype 1 linecolor rgb '#D0D0D0'\n"
                  "set xlabel 'error, all held-out conditions (0 is perfect)'\n"
                  "set yrange [%g:0.6]\nset ytics (",
                  0.4 - rows));
  for (const ScoriaMeasure *m = scoria_measures; m->name; m++)
    if (is_error(m)) {
      PetscCall(ReportPrint(body, "%s'", row ? ", " : ""));
      PetscCall(TicLabel(body, m));
      PetscCall(ReportPrint(body, "' %d", -row));
      row++;
      widen(pooled, m->name, &lo, &hi);
    }
  PetscCall(ReportPrint(body, ")\n"));
  PetscCall(LogAxis(body, "x", lo, hi));
  PetscCall(Points(body, 0, "plot "));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDrawMeasures(ReportFigures *figs, const cJSON *compare)
{
  ReportText data = {0}, body = {0};
  int rows;
  const cJSON *pooled  = cJSON_GetObjectItemCaseSensitive(compare, COMPARE_POOLED);
  const cJSON *list    = cJSON_GetObjectItemCaseSensitive(compare, COMPARE_CONDITIONS), *condition;
  const int conditions = cJSON_GetArraySize(list);
  double lo = INFINITY, hi      = 0;
  char caption[640], fields[80] = "";
  ScoriaFieldCost cost;
  PetscFunctionBeginUser;
  if (!cJSON_IsObject(pooled) || conditions == 0) PetscFunctionReturn(0);
  members_take(cJSON_GetObjectItemCaseSensitive(compare, COMPARE_COST), scoria_field_cost_members, &cost);
  PetscCall(PooledData(&data, pooled, &rows));
  PetscCall(ConditionData(&data, compare, "sliced_w"));
  PetscCall(ConditionData(&data, compare, "coverage95"));
  PetscCall(ReportFiguresData(figs, "measures.dat", &data));
  PetscCall(ReportPrint(&body, "set multiplot\n"));
  PetscCall(PointsLegend(report_words_of(compare), &body));
  PetscCall(PooledPanel(&body, pooled, rows));
  PetscCall(ReportPrint(&body,
                        "unset grid\nunset logscale x\nset xrange [0.5:%g]\nset xtics %d\n"
                        "set lmargin at screen 0.655\nset rmargin at screen 0.985\nset bmargin at screen 0.55\n"
                        "set xlabel ''\nset format x ''\n"
                        "set format y '%%g'\nset ylabel 'sliced W_1 / SD'\n",
                        conditions + 0.5, PetscMax(1, conditions / 8)));
  cJSON_ArrayForEach(condition, list) widen(condition, "sliced_w", &lo, &hi);
  PetscCall(LogAxis(&body, "y", lo, hi));
  PetscCall(Points(&body, SCORIA_NMEASURED, "plot "));
  PetscCall(ReportPrint(
      &body,
      "unset logscale y\nset ytics auto\nset bmargin at screen 0.15\nset tmargin at screen 0.49\nset format x '%%g'\n"
      "set xlabel 'held-out condition'\nset ylabel 'coverage of 95 %% band'\n"
      "set yrange [*<0.93:0.97<*]\n"));
  PetscCall(Points(&body, 2 * SCORIA_NMEASURED, "plot 0.95 with lines linecolor rgb '#999999', \\\n     "));
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  if (cost.samples > 0)
    snprintf(fields, sizeof fields, " %.0f fields of each kind per condition.", (double)cost.samples);
  snprintf(
      caption, sizeof caption,
      "Left: errors of the model and of the Gaussian baseline over all %d held-out conditions, and the floor: what "
      "%s differ by, so that no model can be expected to do better. "
      "Right: per condition, the sliced Wasserstein distance and the share of %s values inside the predicted 95 %% "
      "band.%s",
      conditions, report_words_of(compare)->two, report_words_of(compare)->law, fields);
  PetscCall(ReportFiguresDraw(figs, "measures", 1180, 470, &body, "Errors against the floor", caption));
  PetscCall(ReportTextDestroy(&data));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}

/* Figure of what uq says over many conditions: a quantity's mean and band over one or two of them. */
#include "scoria/uq_result.h"
#include "report_answers.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_VALUES 64 /* of an axis */
#define LEAST_CURVE 3

/* A condition that the list varies. */
typedef struct {
  const char *name; /* borrowed */
  ReportQuantity q;
  bool log;
  int n;
  double value[MOST_VALUES]; /* ascending */
} Axis;

typedef struct {
  const cJSON *list; /* of conditions, borrowed */
  int naxes;         /* 0: nothing to draw */
  Axis axis[2];
  const cJSON **at; /* owned (axis[0].n, axis[1].n): the list's entry there; one axis: (n) */
  int nquantities;
  char label[REPORT_QUANTITIES][64];
  ReportQuantity quantity[REPORT_QUANTITIES];
  double band; /* per cent between the outer quantiles */
} Response;

/* ------------------------------------------------------------------------------------------------- reading ---- */

static const cJSON *member(const cJSON *object, const char *name)
{
  return cJSON_GetObjectItemCaseSensitive(object, name);
}

static int place_of(const Axis *axis, double value)
{
  int at = 0;
  while (at < axis->n && axis->value[at] < value) at++;
  return at < axis->n && !(axis->value[at] > value) ? at : -1;
}

/* The different values of a condition; n = 0 where there are more than an axis takes. */
static void read_axis(const cJSON *list, const cJSON *space, const char *name, Axis *axis)
{
  const cJSON *condition, *entry;
  const char *unit = "";
  *axis            = (Axis){.name = name};
  cJSON_ArrayForEach(condition, list)
  {
    const double value = json_number(condition, name);
    if (place_of(axis, value) >= 0) continue;
    if (axis->n == MOST_VALUES) {
      axis->n = 0;
      return;
    }
    axis->value[axis->n++] = value;
    stats_sort(axis->n, axis->value);
  }
  cJSON_ArrayForEach(entry, space)
  {
    ScoriaUqAxis of;
    members_take(entry, scoria_uq_axis_members, &of);
    if (!of.name || strcmp(of.name, name)) continue;
    if (of.unit) unit = of.unit;
    axis->log = of.log == 1;
  }
  /* Of conditions a leading zero is no trouble. */
  report_quantity(name, unit, 10 * fmax(fabs(axis->value[0]), fabs(axis->value[axis->n - 1])), &axis->q);
}

/* The conditions that vary, with naxes = 0 where they are no curve and no grid. */
static void read_axes(const cJSON *uq, Response *r)
{
  const cJSON *space = member(uq, UQ_SPACE), *condition;
  cJSON_ArrayForEach(condition, space)
  {
    ScoriaUqAxis of;
    Axis axis;
    members_take(condition, scoria_uq_axis_members, &of);
    if (!of.name) continue;
    read_axis(r->list, space, of.name, &axis);
    if (axis.n == 1) continue;
    if (axis.n == 0 || r->naxes == 2) {
      r->naxes = 0;
      return;
    }
    r->axis[r->naxes++] = axis;
  }
  if (!r->naxes) return;
  const int most = r->naxes == 1 ? r->axis[0].n : r->axis[0].n * r->axis[1].n;
  if (cJSON_GetArraySize(r->list) != most || (r->naxes == 1 && most < LEAST_CURVE)) r->naxes = 0;
}

/* Where each condition of the list lies; naxes = 0 where two lie on one place. */
static PetscErrorCode Arrange(Response *r)
{
  const int n = r->axis[0].n, m = r->naxes == 2 ? r->axis[1].n : 1;
  const cJSON *condition;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(n * m, &r->at));
  cJSON_ArrayForEach(condition, r->list)
  {
    const int i      = place_of(&r->axis[0], json_number(condition, r->axis[0].name));
    const int j      = r->naxes == 2 ? place_of(&r->axis[1], json_number(condition, r->axis[1].name)) : 0;
    r->at[i * m + j] = condition;
  }
  for (int k = 0; k < n * m; k++)
    if (!r->at[k]) r->naxes = 0;
  PetscFunctionReturn(0);
}

/* The lowest and the highest quantile. */
static void read_ends(const cJSON *quantity, ScoriaUqQuantile ends[2])
{
  const cJSON *quantiles = member(quantity, UQ_QUANTILES);
  members_take(cJSON_GetArrayItem(quantiles, 0), scoria_uq_quantile_members, &ends[0]);
  members_take(cJSON_GetArrayItem(quantiles, cJSON_GetArraySize(quantiles) - 1), scoria_uq_quantile_members, &ends[1]);
}

/* Mean, lowest and highest quantile of a quantity at a condition. */
static void read_values(const cJSON *condition, const char *name, double values[3])
{
  const cJSON *quantity = member(member(condition, UQ_QUANTITIES), name);
  ScoriaUqMoments moments;
  ScoriaUqQuantile ends[2];
  members_take(quantity, scoria_uq_moment_members, &moments);
  read_ends(quantity, ends);
  values[0] = moments.mean;
  values[1] = ends[0].value;
  values[2] = ends[1].value;
}

static void read_quantities(Response *r)
{
  const cJSON *all = member(r->list->child, UQ_QUANTITIES), *condition;
  r->nquantities   = PetscMin(cJSON_GetArraySize(all), REPORT_QUANTITIES);
  for (int q = 0; q < r->nquantities; q++) {
    const cJSON *quantity = cJSON_GetArrayItem(all, q);
    double largest        = 0, values[3];
    ScoriaUqQuantity what;
    ScoriaUqQuantile ends[2];
    members_take(quantity, scoria_uq_quantity_members, &what);
    read_ends(quantity, ends);
    cJSON_ArrayForEach(condition, r->list)
    {
      read_values(condition, quantity->string, values);
      for (int k = 0; k < 3; k++) largest = fmax(largest, fabs(values[k]));
    }
    report_quantity(quantity->string, what.unit ? what.unit : "", largest, &r->quantity[q]);
    report_quantity_words(quantity->string, sizeof r->label[q], r->label[q]);
    r->band = 100 * (ends[1].p - ends[0].p);
  }
}

static PetscErrorCode ResponseRead(const cJSON *uq, Response *r)
{
  PetscFunctionBeginUser;
  memset(r, 0, sizeof *r);
  r->list = member(uq, UQ_CONDITIONS);
  if (!cJSON_IsArray(r->list) || !r->list->child) PetscFunctionReturn(0);
  read_axes(uq, r);
  if (r->naxes) PetscCall(Arrange(r));
  if (r->naxes) read_quantities(r);
  PetscFunctionReturn(0);
}

/* One block per quantity, a line per condition: the axes, mean, quantiles and their distance; blank lines between the
 * rows of a grid. */
static PetscErrorCode ResponseData(ReportFigures *figs, const Response *r)
{
  const int m     = r->naxes == 2 ? r->axis[1].n : 1;
  ReportText text = {0};
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(&text, "# %s, %s, mean, lowest and highest quantile, width; a block per quantity\n",
                        r->axis[0].name, r->naxes == 2 ? r->axis[1].name : "0"));
  for (int q = 0; q < r->nquantities; q++) {
    const double scale = r->quantity[q].scale;
    for (int k = 0; k < r->axis[0].n * m; k++) {
      const double x = r->axis[0].value[k / m] * r->axis[0].q.scale;
      const double y = r->naxes == 2 ? r->axis[1].value[k % m] * r->axis[1].q.scale : 0;
      double v[3];
      read_values(r->at[k], r->quantity[q].name, v);
      PetscCall(ReportPrint(&text, "%.9g %.9g %.9g %.9g %.9g %.9g\n", x, y, v[0] * scale, v[1] * scale, v[2] * scale,
                            (v[2] - v[1]) * scale));
      if (m > 1 && k % m == m - 1) PetscCall(ReportPrint(&text, "\n"));
    }
    PetscCall(ReportPrint(&text, m > 1 ? "\n" : "\n\n"));
  }
  PetscCall(ReportFiguresData(figs, "response.dat", &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------- maps, curves ---- */

/* 1, 2 or 5 times a power of ten that cuts a length into four parts at most. */
static double round_step(double length)
{
  const double least = length / 4.001, ten = pow(10, floor(log10(least))), times = least / ten;
  return ten * (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
}

static PetscErrorCode AxisCommands(ReportText *body, const Axis *axis, char which, bool labelled)
{
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(body, "set %crange [%.9g:%.9g]\n%s logscale %c\n", which, axis->value[0] * axis->q.scale,
                        axis->value[axis->n - 1] * axis->q.scale, axis->log ? "set" : "unset", which));
  if (axis->log) /* decades are too few */
    PetscCall(ReportPrint(body, "set %ctics (1,2,5,10,20,50,100,200,500,1000,.1,.2,.5,.01,.02,.05)\n", which));
  else
    PetscCall(ReportPrint(body, "set %ctics %.9g\n", which,
                          round_step((axis->value[axis->n - 1] - axis->value[0]) * axis->q.scale)));
  if (labelled)
    PetscCall(ReportPrint(body, "set %clabel '%s%s%s%s' offset %s\nset format %c '%%g'\n", which, axis->q.label,
                          *axis->q.unit ? "  [" : "", axis->q.unit, *axis->q.unit ? "]" : "",
                          which == 'y' ? "-1.5,0" : "0,0.3", which));
  else
    PetscCall(ReportPrint(body, "unset %clabel\nset format %c ''\n", which, which));
  PetscFunctionReturn(0);
}

/* Colour for the value, lines at round values, a dot at each condition; row 0: the mean, row 1: the width. */
static PetscErrorCode MapPanel(ReportText *body, const Response *r, int q, int row, int height)
{
  const double wide = REPORT_WIDTH / r->nquantities, left = q * wide + (q ? 34 : 68), right = (q + 1) * wide - 70;
  const double top = height - 34 - row * (height - 40) / 2.0, low = top - (height - 40) / 2.0 + 68;
  const int column = row ? 6 : 3;
  char what[64];
  PetscFunctionBeginUser;
  snprintf(what, sizeof what, row ? "%g %% band" : "mean", r->band);
  PetscCall(ReportPrint(body, "set lmargin at screen %.4f\nset rmargin at screen %.4f\n", left / REPORT_WIDTH,
                        right / REPORT_WIDTH));
  PetscCall(ReportPrint(body, "set bmargin at screen %.4f\nset tmargin at screen %.4f\n", low / height, top / height));
  PetscCall(AxisCommands(body, &r->axis[0], 'x', row == 1));
  PetscCall(AxisCommands(body, &r->axis[1], 'y', q == 0));
  PetscCall(ReportPrint(body, "set title '%s: %s%s%s%s' offset 0,-0.6\n", r->label[q], what,
                        *r->quantity[q].unit ? "  [" : "", r->quantity[q].unit, *r->quantity[q].unit ? "]" : ""));
  PetscCall(
      ReportPrint(body,
                  "set palette defined (%s)\nsplot 'data/response.dat' index %d using 1:2:%d with pm3d nocontour, "
                  "'' index %d using 1:2:%d with lines nosurface linewidth 1 linecolor rgb '#ffffff', "
                  "'' index %d using 1:2:%d with points nocontour pointtype 7 pointsize 0.15 linecolor rgb "
                  "'#000000'\n",
                  row ? "0 '#fff7ec', 0.35 '#fdbb84', 0.7 '#d7301f', 1 '#7f0000'"
                      : "0 '#440154', 0.25 '#3b528b', 0.5 '#21918c', 0.75 '#5ec962', 1 '#fde725'",
                  q, column, q, column, q, column));
  PetscFunctionReturn(0);
}

static PetscErrorCode DrawMaps(ReportFigures *figs, const Response *r)
{
  const int height = 600, parts = PetscMax(1, 24 / PetscMax(r->axis[0].n, r->axis[1].n));
  ReportText body = {0};
  char caption[400];
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(&body,
                        "set multiplot\nunset key\nset border 15 linewidth 0.5\nset view map\n"
                        "set pm3d interpolate %d,%d\nset contour base\nset cntrparam levels auto 8\n"
                        "set cntrlabel onecolor\nset colorbox\nset cbtics in scale 0.3\n",
                        parts, parts));
  for (int q = 0; q < r->nquantities; q++)
    for (int row = 0; row < 2; row++) PetscCall(MapPanel(&body, r, q, row, height));
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  snprintf(caption, sizeof caption,
           "Mean of each quantity (above) and width of its central %g %% band (below) over %s and %s at %d x %d "
           "conditions (dots); between these, interpolation.",
           r->band, r->axis[0].name, r->axis[1].name, r->axis[0].n, r->axis[1].n);
  PetscCall(
      ReportFiguresDraw(figs, "response", (int)REPORT_WIDTH, height, &body, "Response to the conditions", caption));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}

static PetscErrorCode DrawCurves(ReportFigures *figs, const Response *r)
{
  ReportText body = {0}, legend = {0};
  char caption[300];
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(&legend,
                        "NaN with filledcurves linecolor rgb '#A6CEE3' title 'central %g %%', NaN with lines linestyle "
                        "2 title 'mean'",
                        r->band));
  PetscCall(ReportPrint(&body, "set multiplot\n"));
  PetscCall(ReportLegend(&body, legend.s));
  PetscCall(AxisCommands(&body, &r->axis[0], 'x', true));
  for (int q = 0; q < r->nquantities; q++) {
    PetscCall(ReportRowPanel(&body, q, r->nquantities, 0.17));
    PetscCall(ReportPrint(&body, "set title '%s%s%s%s' offset 0,-0.6\n", r->label[q], *r->quantity[q].unit ? "  [" : "",
                          r->quantity[q].unit, *r->quantity[q].unit ? "]" : ""));
    PetscCall(ReportPrint(&body,
                          "plot 'data/response.dat' index %d using 1:4:5 with filledcurves linecolor rgb '#A6CEE3', '' "
                          "index %d using 1:3 with linespoints linestyle 2 pointtype 7 pointsize 0.4\n",
                          q, q));
  }
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  snprintf(caption, sizeof caption, "Mean and central %g %% band of each quantity over %s, at %d conditions (dots).",
           r->band, r->axis[0].name, r->axis[0].n);
  PetscCall(ReportFiguresDraw(figs, "response", (int)REPORT_WIDTH, 380, &body, "Response to a condition", caption));
  PetscCall(ReportTextDestroy(&body));
  PetscCall(ReportTextDestroy(&legend));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDrawResponse(ReportFigures *figs, const cJSON *uq)
{
  Response r;
  PetscFunctionBeginUser;
  PetscCall(ResponseRead(uq, &r));
  if (r.naxes) PetscCall(ResponseData(figs, &r));
  if (r.naxes == 2) PetscCall(DrawMaps(figs, &r));
  if (r.naxes == 1) PetscCall(DrawCurves(figs, &r));
  PetscCall(PetscFree(r.at));
  PetscFunctionReturn(0);
}

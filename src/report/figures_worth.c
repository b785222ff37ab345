/* Figure of compare.json's "worth": the error of estimates of quantities of interest against the time spent, for Monte
 * Carlo with the PDE and with the model, down to the model's own bias. */
#include "report_measures.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ROWS 2       /* quantities that are drawn */
#define LEAST 20     /* draws that an error of a quantile means something from */
#define MOST_PDE 1e6 /* draws of the PDE that are in sight */

/* Of up to 31 letters: three columns then, and seven entries have room above the panels. */
static const char *const legend =
    "NaN with lines linestyle 1 title 'PDE', "
    "NaN with lines linestyle 2 title 'model, already trained', "
    "NaN with filledcurves y1=0 fillcolor rgb '#56B4E9' fillstyle transparent solid 0.3 noborder title 'two standard "
    "errors of its bias', "
    "NaN with lines linestyle 3 dashtype (8,5) title 'model, with data and training', "
    "NaN with lines linestyle 3 dashtype (2,4) title 'Gaussian baseline'";
static const char *const legend_multilevel = ", NaN with lines linestyle 5 title 'multilevel, with its pilot'";
static const char *const legend_columns    = ", NaN with lines linestyle 6 title 'independent columns'";

/* A quantity and its estimates, SCORIA_NESTIMATES at most. */
typedef struct {
  ScoriaWorthQuantity is;
  int n;
  ScoriaWorthEstimate estimate[SCORIA_NESTIMATES];
} Quantity;

static void take_quantity(const cJSON *object, Quantity *q)
{
  const cJSON *one;
  q->n = 0;
  members_take(object, scoria_worth_quantity_members, &q->is);
  cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(object, COMPARE_ESTIMATES)) if (q->n < SCORIA_NESTIMATES)
      members_take(one, scoria_worth_estimate_members, &q->estimate[q->n++]);
}

/* The quantity that the problem names first, which comes third, and of the two extremes of its first field the one with
 * the larger SD: the other one is the value at a boundary, which hardly varies.  Returns how many. */
static int choose_quantities(const cJSON *quantities, Quantity chosen[ROWS])
{
  const int all = cJSON_GetArraySize(quantities);
  Quantity extreme[2];
  int n = 0;
  for (int i = 0; i < PetscMin(all, 2); i++) take_quantity(cJSON_GetArrayItem(quantities, i), &extreme[i]);
  if (all > 2) take_quantity(cJSON_GetArrayItem(quantities, 2), &chosen[n++]);
  if (all > 1) chosen[n++] = extreme[extreme[1].is.sd > extreme[0].is.sd];
  if (all == 1) chosen[n++] = extreme[0];
  while (n > 0 && !(chosen[n - 1].n && isfinite(chosen[n - 1].estimate[0].bias_upper))) n--;
  return n;
}

const char *report_estimate(const char *name)
{
  for (int e = 0; name && e < SCORIA_NESTIMATES; e++)
    if (!strcmp(name, scoria_estimate_names[e])) return scoria_estimate_titles[e];
  return "";
}

/* x is the time on one core. */
static PetscErrorCode Curves(ReportText *body, const ScoriaWorthEstimate *estimate, const ScoriaWorth *worth,
                             double invested)
{
  const double pde = worth->seconds_pde, model = worth->seconds_model, gaussian = worth->seconds_gaussian,
               b_g = estimate->gaussian_bias_floor, gain = estimate->multilevel_gain, pilot = worth->seconds_pilot,
               columns = worth->seconds_columns; /* NaN in files of releases before */
  const double se1 = estimate->error_of_one, floor = estimate->bias_floor, upper = estimate->bias_upper;
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(body, "p(x) = x < %g ? NaN : %g / sqrt(x)\n", LEAST * pde, se1 * sqrt(pde)));
  PetscCall(ReportPrint(body, "m(x,b) = x < %g ? NaN : sqrt(b * b + %g / x)\n", LEAST * model, se1 * se1 * model));
  PetscCall(ReportPrint(body,
                        "plot '+' using 1:(m($1,%g)):(m($1,%g)) with filledcurves fillcolor rgb '#56B4E9' "
                        "fillstyle transparent solid 0.3 noborder notitle, p(x) with lines linestyle 1 notitle, "
                        "m(x,%g) with lines linestyle 2 notitle",
                        floor, upper, floor));
  if (isfinite(invested))
    PetscCall(ReportPrint(body, ", x > %g ? m(x - %g,%g) : NaN with lines linestyle 3 dashtype (8,5) notitle", invested,
                          invested, floor));
  if (gaussian > 0 && isfinite(b_g))
    PetscCall(ReportPrint(body, ", (x < %g ? NaN : sqrt(%g + %g / x)) with lines linestyle 3 dashtype (2,4) notitle",
                          LEAST * gaussian, b_g * b_g, se1 * se1 * gaussian));
  if (gain > 0 && pilot >= 0)
    PetscCall(ReportPrint(body, ", (x > %g ? sqrt(%g / (x - %g)) : NaN) with lines linestyle 5 notitle", pilot,
                          se1 * se1 * pde / gain, pilot));
  if (columns > 0 && isfinite(estimate->columns_bias_floor))
    PetscCall(ReportPrint(body, ", (x < %g ? NaN : sqrt(%g + %g / x)) with lines linestyle 6 notitle", LEAST * columns,
                          pow(estimate->columns_bias_floor, 2), se1 * se1 * columns));
  PetscCall(ReportPrint(body, "\n"));
  PetscFunctionReturn(0);
}

static PetscErrorCode Panel(ReportText *body, const char *quantity, const char *estimate, int row, int rows, int column,
                            int columns)
{
  const double left = 0.075, right = 0.98, top = 0.87, bottom = rows > 1 ? 0.09 : 0.16, gap_x = 0.05, gap_y = 0.1,
               width  = (right - left - (columns - 1) * gap_x) / columns,
               height = (top - bottom - (rows - 1) * gap_y) / rows, x0 = left + column * (width + gap_x),
               y1 = top - row * (height + gap_y);
  ReportQuantity q;
  PetscFunctionBeginUser;
  report_quantity(quantity, "", 0, &q);
  PetscCall(ReportPrint(body, "set lmargin at screen %.4f\nset rmargin at screen %.4f\n", x0, x0 + width));
  PetscCall(ReportPrint(body, "set tmargin at screen %.4f\nset bmargin at screen %.4f\n", y1, y1 - height));
  PetscCall(ReportPrint(body, "set title '%s of %s' offset 0,-0.5\n", report_estimate(estimate), q.label));
  PetscCall(ReportPrint(body, "set ylabel '%s' offset 1,0\nset xlabel '%s' offset 0,0.3\n", column ? "" : "error / SD",
                        row == rows - 1 ? "time on one core  [s]" : ""));
  PetscFunctionReturn(0);
}

/* From the first estimates to where data and training are long paid, and the PDE has made MOST_PDE draws. */
static void time_range(double pde, double model, double invested, double range[2])
{
  range[0] = pow(10, floor(log10(LEAST * fmin(pde, model))));
  range[1] = pow(10, ceil(log10(fmax(MOST_PDE * pde, isfinite(invested) ? 10 * invested : 0))));
}

/* The smallest and the largest error in sight. */
static void error_range(const Quantity chosen[], int n, double pde, double longest, double range[2])
{
  range[0] = INFINITY;
  range[1] = 0;
  for (int i = 0; i < n; i++)
    for (int e = 0; e < chosen[i].n; e++) {
      const double se1 = chosen[i].estimate[e].error_of_one;
      range[0]         = fmin(range[0], se1 * sqrt(pde / longest));
      range[1]         = fmax(range[1], se1 / sqrt(LEAST));
    }
}

/* Releases before had no pilot of several fidelities, and some decks have no second fidelity. */
static bool has_multilevel(const ScoriaWorth *worth, const Quantity chosen[], int n)
{
  bool any = false;
  for (int i = 0; i < n; i++)
    for (int e = 0; e < chosen[i].n; e++) any |= chosen[i].estimate[e].multilevel_gain > 0;
  return any && worth->seconds_pilot >= 0;
}

static PetscErrorCode Caption(const ScoriaWorth *worth, bool multilevel, size_t size, char caption[])
{
  char data[64], training[64];
  PetscFunctionBeginUser;
  report_number(worth->seconds_data, sizeof data, data);
  report_number(worth->seconds_training, sizeof training, training);
  snprintf(
      caption, size,
      "Expected error of an estimate at one operating condition, in units of the quantity's SD, against the time "
      "spent on one core. PDE: the standard error of n solves. Model: that of n samples together with the bias "
      "that compare found against the PDE at held-out conditions, the sampling variance of both subtracted; below "
      "its flat end the model cannot go; likewise its conditional Gaussian without the network. %s%sData (%s s) and "
      "training (%s s) count in full in the dashed curve: asked "
      "at k conditions, only the k-th part of them falls on each.",
      multilevel ? "Multilevel: several fidelities, after a pilot, planned for this estimate alone, at the first "
                   "held-out condition; it has no bias. "
                 : "",
      worth->seconds_columns > 0
          ? "Independent columns: a solve of each by itself, with the bias that the pilot found. "
          : "",
      data, training);
  PetscFunctionReturn(0);
}

static PetscErrorCode Panels(ReportText *body, const ScoriaWorth *worth, const Quantity chosen[], int rows)
{
  const double pde = worth->seconds_pde, model = worth->seconds_model,
               invested = worth->seconds_data + worth->seconds_training;
  double time[2], error[2];
  PetscFunctionBeginUser;
  time_range(pde, model, invested, time);
  error_range(chosen, rows, pde, time[1], error);
  PetscCall(ReportPrint(body,
                        "set xrange [%g:%g]\nset yrange [%g:%g]\nset logscale xy\nset format xy '10^{%%L}'\n"
                        "set samples 800\nset grid xtics ytics linecolor rgb '#EEEEEE'\n",
                        time[0], time[1], error[0], error[1]));
  for (int row = 0; row < rows; row++)
    for (int column = 0; column < chosen[row].n; column++) {
      const ScoriaWorthEstimate *estimate = &chosen[row].estimate[column];
      PetscCall(Panel(body, chosen[row].is.name, estimate->name, row, rows, column, chosen[row].n));
      PetscCall(Curves(body, estimate, worth, invested));
    }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDrawWorth(ReportFigures *figs, const cJSON *compare)
{
  const cJSON *object = cJSON_GetObjectItemCaseSensitive(compare, COMPARE_WORTH);
  ReportText body = {0}, names = {0};
  char caption[1200];
  Quantity chosen[ROWS];
  ScoriaWorth worth;
  PetscFunctionBeginUser;
  members_take(object, scoria_worth_members, &worth);
  const int rows = choose_quantities(cJSON_GetObjectItemCaseSensitive(object, COMPARE_QUANTITIES), chosen);
  if (!rows || !(worth.seconds_pde > 0)) PetscFunctionReturn(0);
  const bool multilevel = has_multilevel(&worth, chosen, rows);
  PetscCall(ReportPrint(&body, "set multiplot\n"));
  PetscCall(ReportPrint(&names, "%s%s%s", legend, multilevel ? legend_multilevel : "",
                        worth.seconds_columns > 0 ? legend_columns : ""));
  PetscCall(ReportLegend(&body, names.s));
  PetscCall(Panels(&body, &worth, chosen, rows));
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  PetscCall(Caption(&worth, multilevel, sizeof caption, caption));
  PetscCall(ReportFiguresDraw(figs, "worth", 1180, rows > 1 ? 680 : 400, &body, "Is it worth it?", caption));
  PetscCall(ReportTextDestroy(&names));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}

/* What compare.json says of the model's use: who wins where in words, and errors of quantities of interest. */
#include "report_measures.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ----------------------------------------------------------------------------------------------------- worth ---- */

/* The fewest and the most conditions to break even at, of all estimates. */
static void break_even_range(const cJSON *worth, double range[2])
{
  const cJSON *quantity, *one;
  range[0] = INFINITY;
  range[1] = 0;
  cJSON_ArrayForEach(quantity, cJSON_GetObjectItemCaseSensitive(worth, COMPARE_QUANTITIES))
      cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(quantity, COMPARE_ESTIMATES))
  {
    ScoriaWorthEstimate estimate;
    members_take(one, scoria_worth_estimate_members, &estimate);
    range[0] = fmin(range[0], estimate.break_even_conditions);
    range[1] = fmax(range[1], estimate.break_even_conditions);
  }
}

/* As a person would say it. */
static double three_digits(double number)
{
  const double unit = number > 1000 && isfinite(number) ? pow(10, floor(log10(number)) - 2) : 1;
  return ceil(number / unit - 1e-9) * unit;
}

static PetscErrorCode PaidBack(const ScoriaWorth *w, ReportText *html)
{
  const double draws = w->break_even_samples;
  char number[64], sets[64];
  PetscFunctionBeginUser;
  report_number(three_digits(draws), sizeof number, number);
  report_number(draws / (double)w->training_rows, sizeof sets, sets);
  if (isfinite(draws))
    PetscCall(ReportPrint(html, "Data and training are paid back after %s samples, %s times the training set.", number,
                          sets));
  else if (w->seconds_model < w->seconds_pde)
    PetscCall(ReportPrint(html, "What data and training cost is not recorded in this run directory."));
  else
    PetscCall(ReportPrint(html, "Data and training are never paid back."));
  PetscFunctionReturn(0);
}

/* At how many conditions, for the estimates of the table; nothing where that is not known. */
static PetscErrorCode Conditions(const cJSON *worth, ReportText *html)
{
  char text[2][64];
  double range[2];
  PetscFunctionBeginUser;
  break_even_range(worth, range);
  if (!isfinite(range[0])) PetscFunctionReturn(0);
  for (int i = 0; i < 2; i++) report_number(three_digits(range[i]), sizeof text[i], text[i]);
  PetscCall(ReportPrint(html,
                        " For the estimates below it can be the more exact one, in the same time, only if they are "
                        "asked for at many operating conditions: at %s of them at least for the easiest estimate, at "
                        "%s for the hardest.",
                        text[0], text[1]));
  PetscFunctionReturn(0);
}

/* Who wins where. */
static PetscErrorCode Verdict(const ScoriaWorth *w, ReportText *html)
{
  const double ratio = w->seconds_pde / w->seconds_model;
  char times[64];
  PetscFunctionBeginUser;
  report_number(ratio, sizeof times, times);
  if (w->winner && !strcmp(w->winner, SCORIA_SOURCE_MODEL))
    PetscCall(
        ReportPrint(html,
                    "<b>For many samples, at errors above its own bias, the model wins</b>: a solve takes %s times as "
                    "long. For one condition, and for smaller errors, the PDE wins. ",
                    times));
  else if (ratio > 1)
    PetscCall(ReportPrint(
        html, "<b>The PDE wins</b>: a solve takes only %s times as long as a sample, and has no bias. ", times));
  else
    PetscCall(ReportPrint(html, "<b>The PDE wins</b>: a solve takes no longer than a sample, and has no bias. "));
  PetscCall(PaidBack(w, html));
  PetscFunctionReturn(0);
}

/* "104 \u00b5s", "13.4 s" */
static void seconds_text(double seconds, size_t size, char text[])
{
  const double scale = seconds >= 1 || seconds == 0 ? 1 : seconds < 1e-3 ? 1e6 : 1e3;
  char number[48];
  report_number(scale * seconds, sizeof number, number);
  snprintf(text, size, "%s %s", number, scale == 1 ? "s" : scale > 1e3 ? "\u00b5s" : "ms");
}

static PetscErrorCode WayRow(const cJSON *object, ReportText *html)
{
  char once[64] = "&ndash;", each[64] = "&ndash;";
  ScoriaWorthWay way;
  PetscFunctionBeginUser;
  members_take(object, scoria_worth_way_members, &way);
  if (isfinite(way.seconds_once)) seconds_text(way.seconds_once, sizeof once, once);
  if (isfinite(way.seconds_each)) seconds_text(way.seconds_each, sizeof each, each);
  PetscCall(ReportPrint(html,
                        "<tr><td>%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n\">%.2g</td><td>",
                        way.name ? way.name : "", once, each, way.bias));
  PetscCall(ReportEscape(html, way.bias_of ? way.bias_of : ""));
  PetscCall(ReportPrint(html, "</td></tr>\n"));
  PetscFunctionReturn(0);
}

/* What is advised for the tolerance, and the ways that were weighed; nothing in files of releases before. */
static PetscErrorCode Advice(const cJSON *worth, const ScoriaWorth *w, ReportText *html)
{
  const cJSON *way;
  PetscFunctionBeginUser;
  if (!w->sentence || !*w->sentence) PetscFunctionReturn(0);
  PetscCall(ReportPrint(html, "<p><b>%c", toupper((unsigned char)*w->sentence)));
  PetscCall(ReportEscape(html, w->sentence + 1));
  PetscCall(ReportPrint(html,
                        "</b> (mean, SD and 97.5 %% quantile of every quantity below).</p>\n<div class=\"scroll\">"
                        "<table>\n<tr><th>within %g SD by</th><th class=\"n\">once</th><th class=\"n\">at each "
                        "condition</th><th class=\"n\">bias not excluded / SD</th><th>largest in</th></tr>\n",
                        w->tolerance));
  cJSON_ArrayForEach(way, cJSON_GetObjectItemCaseSensitive(worth, COMPARE_WAYS)) PetscCall(WayRow(way, html));
  PetscCall(ReportPrint(html, "</table></div>\n"));
  PetscFunctionReturn(0);
}

static PetscErrorCode Words(const cJSON *worth, ReportText *html)
{
  ScoriaWorth w;
  char value[4][64];
  PetscFunctionBeginUser;
  members_take(worth, scoria_worth_members, &w);
  const double seconds[4] = {w.seconds_pde, w.seconds_model, w.seconds_data, w.seconds_training};
  for (int i = 0; i < 4; i++) seconds_text(seconds[i], sizeof value[i], value[i]);
  PetscCall(ReportPrint(html,
                        "<p>On one core of this machine a solve takes %s, a sample %s; the data took %s, "
                        "the training %s. ",
                        value[0], value[1], value[2], value[3]));
  PetscCall(Verdict(&w, html));
  PetscCall(Conditions(worth, html));
  PetscCall(ReportPrint(html, "</p>\n"));
  PetscCall(Advice(worth, &w, html));
  PetscFunctionReturn(0);
}

static PetscErrorCode Number(ReportText *html, double value)
{
  char text[64];
  PetscFunctionBeginUser;
  report_number(value, sizeof text, text);
  PetscCall(ReportPrint(html, "<td class=\"n\">%s</td>", text));
  PetscFunctionReturn(0);
}

static PetscErrorCode EstimateRow(const ScoriaWorthQuantity *of, const ScoriaWorthEstimate *e, ReportText *html)
{
  const double columns[] = {e->error_of_one, e->bias, e->bias_floor, e->bias_upper, ceil(e->break_even_conditions)};
  ReportQuantity q;
  PetscFunctionBeginUser;
  report_quantity(of->name, of->unit, of->sd, &q);
  PetscCall(ReportPrint(html, "<tr><td>%s of ", report_estimate(e->name)));
  PetscCall(ReportEnhanced(html, q.label));
  PetscCall(ReportPrint(html, " ["));
  PetscCall(ReportEnhanced(html, q.unit));
  PetscCall(ReportPrint(html, "]</td>"));
  PetscCall(Number(html, q.scale * of->sd));
  for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) PetscCall(Number(html, columns[i]));
  PetscCall(ReportPrint(html, "</tr>\n"));
  PetscFunctionReturn(0);
}

static PetscErrorCode QuantityRows(const cJSON *object, ReportText *html)
{
  const cJSON *one;
  ScoriaWorthQuantity quantity;
  PetscFunctionBeginUser;
  members_take(object, scoria_worth_quantity_members, &quantity);
  cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(object, COMPARE_ESTIMATES))
  {
    ScoriaWorthEstimate estimate;
    members_take(one, scoria_worth_estimate_members, &estimate);
    PetscCall(EstimateRow(&quantity, &estimate, html));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportWorthTable(const cJSON *compare, ReportText *html)
{
  const cJSON *worth = cJSON_GetObjectItemCaseSensitive(compare, COMPARE_WORTH), *quantity;
  PetscFunctionBeginUser;
  if (!cJSON_IsObject(worth)) PetscFunctionReturn(0);
  PetscCall(Words(worth, html));
  PetscCall(ReportPrint(html,
                        "<div class=\"scroll\"><table>\n<tr><th>estimate</th><th class=\"n\">SD of the quantity</th>"
                        "<th class=\"n\">error of one draw / SD</th><th class=\"n\">bias of the model / SD</th>"
                        "<th class=\"n\">rms of the bias / SD</th><th class=\"n\">rms not excluded / SD</th>"
                        "<th class=\"n\">conditions to break even</th></tr>\n"));
  cJSON_ArrayForEach(quantity, cJSON_GetObjectItemCaseSensitive(worth, COMPARE_QUANTITIES))
      PetscCall(QuantityRows(quantity, html));
  PetscCall(ReportPrint(
      html,
      "</table></div>\n<p class=\"note\">Over the held-out conditions. n draws have the error of one draw divided by "
      "&radic;n. Rms: root mean square of model minus reference, the sampling variance of both subtracted, 0 where "
      "that leaves nothing. Not excluded: the same, two of its standard errors higher; with it, conditions to break "
      "even are counted. More fields (compare.count) make it sharper.</p>\n"));
  PetscFunctionReturn(0);
}

/* What compare.json says of the model's use: who wins where in words, and errors of quantities of interest. */
#include "report.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ----------------------------------------------------------------------------------------------------- worth ---- */

/* The smallest and largest member of an array of objects in an array of objects' member `inner`. */
static void extremes(const cJSON *list, const char *inner, const char *name, double range[2])
{
  const cJSON *outer, *one;
  range[0] = INFINITY;
  range[1] = 0;
  cJSON_ArrayForEach(outer, list) cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(outer, inner))
  {
    range[0] = fmin(range[0], json_number(one, name));
    range[1] = fmax(range[1], json_number(one, name));
  }
}

static PetscErrorCode PaidBack(const cJSON *worth, ReportText *html)
{
  const double draws = json_number(worth, "break_even_samples");
  char number[64], sets[64];
  PetscFunctionBeginUser;
  report_number(draws, sizeof number, number);
  report_number(draws / json_number(worth, "training_rows"), sizeof sets, sets);
  if (isfinite(draws))
    PetscCall(ReportPrint(html, "Data and training are paid back after %s samples, %s times the training set.", number,
                          sets));
  else if (json_number(worth, "seconds_model") < json_number(worth, "seconds_pde"))
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
  extremes(cJSON_GetObjectItemCaseSensitive(worth, "quantities"), "estimates", "break_even_conditions", range);
  if (!isfinite(range[0])) PetscFunctionReturn(0);
  for (int i = 0; i < 2; i++) report_number(ceil(range[i]), sizeof text[i], text[i]);
  PetscCall(ReportPrint(html,
                        " For the estimates below it can be the more exact one, in the same time, only if they are "
                        "asked for at many operating conditions: at %s of them at least for the easiest estimate, at "
                        "%s for the hardest.",
                        text[0], text[1]));
  PetscFunctionReturn(0);
}

/* Who wins where. */
static PetscErrorCode Verdict(const cJSON *worth, ReportText *html)
{
  const char *winner = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(worth, "winner"));
  const double ratio = json_number(worth, "seconds_pde") / json_number(worth, "seconds_model");
  char times[64];
  PetscFunctionBeginUser;
  report_number(ratio, sizeof times, times);
  if (winner && !strcmp(winner, "model"))
    PetscCall(ReportPrint(html,
                          "<b>For many samples the model wins</b>: a solve takes %s times as long. For one "
                          "condition, and for an error below the model's bias, the PDE wins. ",
                          times));
  else if (ratio > 1)
    PetscCall(ReportPrint(
        html, "<b>The PDE wins</b>: a solve takes only %s times as long as a sample, and has no bias. ", times));
  else
    PetscCall(ReportPrint(html, "<b>The PDE wins</b>: a solve takes no longer than a sample, and has no bias. "));
  PetscCall(PaidBack(worth, html));
  PetscCall(Conditions(worth, html));
  PetscFunctionReturn(0);
}

static PetscErrorCode Words(const cJSON *worth, ReportText *html)
{
  static const char *const names[4] = {"seconds_pde", "seconds_model", "seconds_data", "seconds_training"};
  char value[4][64];
  PetscFunctionBeginUser;
  for (int i = 0; i < 4; i++) report_number(json_number(worth, names[i]), sizeof value[i], value[i]);
  PetscCall(ReportPrint(html,
                        "<p>On one core of this machine a solve takes %s s, a sample %s s; the data took %s s, "
                        "the training %s s. ",
                        value[0], value[1], value[2], value[3]));
  PetscCall(Verdict(worth, html));
  PetscCall(ReportPrint(html, "</p>\n"));
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

static PetscErrorCode EstimateRow(const cJSON *quantity, const cJSON *estimate, ReportText *html)
{
  static const char *const columns[] = {"error_of_one", "bias", "bias_floor", "bias_upper"};
  ReportQuantity q;
  PetscFunctionBeginUser;
  report_quantity(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(quantity, "name")),
                  cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(quantity, "unit")), json_number(quantity, "sd"),
                  &q);
  PetscCall(ReportPrint(html, "<tr><td>%s of ", report_estimate(estimate)));
  PetscCall(ReportEnhanced(html, q.label));
  PetscCall(ReportPrint(html, " ["));
  PetscCall(ReportEnhanced(html, q.unit));
  PetscCall(ReportPrint(html, "]</td>"));
  PetscCall(Number(html, q.scale * json_number(quantity, "sd")));
  for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
    PetscCall(Number(html, json_number(estimate, columns[i])));
  PetscCall(Number(html, ceil(json_number(estimate, "break_even_conditions"))));
  PetscCall(ReportPrint(html, "</tr>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportWorthTable(const cJSON *compare, ReportText *html)
{
  const cJSON *worth = cJSON_GetObjectItemCaseSensitive(compare, "worth"), *quantity, *estimate;
  PetscFunctionBeginUser;
  if (!cJSON_IsObject(worth)) PetscFunctionReturn(0);
  PetscCall(Words(worth, html));
  PetscCall(ReportPrint(html,
                        "<div class=\"scroll\"><table>\n<tr><th>estimate</th><th class=\"n\">SD of the quantity</th>"
                        "<th class=\"n\">error of one draw / SD</th><th class=\"n\">bias of the model / SD</th>"
                        "<th class=\"n\">its rms: floor</th><th class=\"n\">not excluded</th>"
                        "<th class=\"n\">conditions to break even</th></tr>\n"));
  cJSON_ArrayForEach(quantity, cJSON_GetObjectItemCaseSensitive(worth, "quantities"))
      cJSON_ArrayForEach(estimate, cJSON_GetObjectItemCaseSensitive(quantity, "estimates"))
          PetscCall(EstimateRow(quantity, estimate, html));
  PetscCall(ReportPrint(
      html,
      "</table></div>\n<p class=\"note\">Over the held-out conditions. n draws have the error of one draw divided by "
      "&radic;n. Floor: root mean square of model minus reference, the sampling variance of both subtracted, 0 where "
      "that leaves nothing. Not excluded: the same, two of its standard errors higher; with it, conditions to break "
      "even are counted. Few samples: compare -compare_count more.</p>\n"));
  PetscFunctionReturn(0);
}

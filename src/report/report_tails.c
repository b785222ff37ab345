/* How far out the tails of the model were held against the reference's, from compare.json, and what uq asks beyond it.
 */
#include "report_answers.h"
#include "report_measures.h"
#include "scoria/uq_result.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The rank that `checked` names, or the first where none agrees. */
static void checked_rank(const cJSON *tail, double checked, ScoriaTailAt *at)
{
  const cJSON *ranks = cJSON_GetObjectItemCaseSensitive(tail, COMPARE_RANKS), *one;
  members_take(cJSON_GetArrayItem(ranks, 0), scoria_tail_at_members, at);
  cJSON_ArrayForEach(one, ranks)
  {
    ScoriaTailAt rank;
    members_take(one, scoria_tail_at_members, &rank);
    if (rank.probability >= checked && rank.probability <= at->probability) *at = rank;
  }
}

static PetscErrorCode TailRow(ReportText *html, const cJSON *tail)
{
  ScoriaTailOf of;
  ScoriaTailAt at;
  PetscFunctionBeginUser;
  members_take(tail, scoria_tail_members, &of);
  checked_rank(tail, of.checked, &at);
  PetscCall(ReportPrint(html, "<tr><td><code>"));
  PetscCall(ReportEscape(html, of.quantity));
  PetscCall(ReportPrint(html, "</code></td><td>%s</td>", of.side));
  if (of.checked < 1)
    PetscCall(ReportPrint(html, "<td class=\"n\">%.2g</td>", of.checked));
  else
    PetscCall(ReportPrint(html, "<td class=\"n\">nowhere</td>"));
  PetscCall(ReportPrint(html, "<td class=\"n\">%.2g (%.2g to %.2g)</td><td class=\"n\">%.2g (%.2g to %.2g)</td></tr>\n",
                        at.probability, at.low95, at.high95, at.model, at.model_low95, at.model_high95));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportTailsTable(const cJSON *compare, ReportText *html)
{
  const cJSON *tails = cJSON_GetObjectItemCaseSensitive(compare, COMPARE_TAILS), *tail;
  ScoriaHeldOut held = {.method = ""};
  PetscFunctionBeginUser;
  members_take(cJSON_GetObjectItemCaseSensitive(compare, COMPARE_HELD_OUT), scoria_held_out_members, &held);
  const bool residuals = held.method && !strcmp(held.method, COMPARE_METHOD_RESIDUALS);
  if (cJSON_GetArraySize(tails) == 0) PetscFunctionReturn(0);
  PetscCall(ReportPrint(html, "<h3>Tails</h3>\n<div class=\"scroll\"><table>\n<tr><th>quantity</th><th>tail</th>"
                              "<th class=\"n\">agrees down to</th><th class=\"n\">probability there, reference</th>"
                              "<th class=\"n\">model</th></tr>\n"));
  cJSON_ArrayForEach(tail, tails) PetscCall(TailRow(html, tail));
  PetscCall(ReportPrint(
      html,
      "</table></div>\n<p class=\"note\">The smallest probability down to which model and reference agree, from the "
      "bulk outwards, over all held-out conditions: within a factor of %g, or their 95&nbsp;%% intervals (in brackets) "
      "meet. %s, at least %d of which lie beyond. Rarer events are the model's claim alone. More %s look farther "
      "out.</p>\n",
      SCORIA_TAIL_FACTOR,
      residuals
          ? "Thresholds are of the reference's residuals: minus the model's mean, over its SD, at the row's condition"
          : "Thresholds are values of the reference at each condition",
      SCORIA_TAIL_LEAST, residuals ? "rows that are held back" : "fields (compare.count)"));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportUqWarnings(const cJSON *uq, ReportText *html)
{
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(uq, UQ_WARNINGS), *line;
  const char *few   = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(uq, UQ_FEW));
  PetscFunctionBeginUser;
  if (few) {
    PetscCall(ReportPrint(html, "<p class=\"note\">"));
    PetscCall(ReportEscape(html, few));
    PetscCall(ReportPrint(html, ".</p>\n"));
  }
  if (cJSON_GetArraySize(list) == 0) PetscFunctionReturn(0);
  PetscCall(
      ReportPrint(html, "<p class=\"note\">What was asked of the model beyond what compare has checked:</p>\n<ul>\n"));
  cJSON_ArrayForEach(line, list)
  {
    PetscCall(ReportPrint(html, "<li>"));
    PetscCall(ReportEscape(html, cJSON_GetStringValue(line) ? cJSON_GetStringValue(line) : ""));
    PetscCall(ReportPrint(html, "</li>\n"));
  }
  PetscCall(ReportPrint(html, "</ul>\n"));
  PetscFunctionReturn(0);
}

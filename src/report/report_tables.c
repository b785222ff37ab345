/* The tables of the report: measures with their floors, conditions, cost, how the solves ended. */
#include "report_dataset.h"
#include "report_measures.h"
#include "report_words.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

void report_measure_name(const ScoriaMeasure *m, size_t size, char name[])
{
  snprintf(name, size, "%s%s", m->title, strcmp(m->unit, "SD") ? "" : " / SD");
}

void report_measure_text(const ScoriaMeasure *m, double value, size_t size, char text[])
{
  if (!strcmp(m->unit, "%") && isfinite(value))
    snprintf(text, size, "%.*f&nbsp;%%", fabs(value) < 0.1 ? 2 : 1, 100 * value);
  else
    report_number(value, size, text);
}

/* The name of a measure with W_1 set as HTML; the names hold nothing else that HTML would misread. */
static PetscErrorCode MeasureName(const ScoriaMeasure *m, ReportText *html)
{
  char name[64];
  PetscFunctionBeginUser;
  report_measure_name(m, sizeof name, name);
  const char *mark = strstr(name, "W_1");
  if (!mark)
    PetscCall(ReportEscape(html, name));
  else
    PetscCall(ReportPrint(html, "%.*sW<sub>1</sub>%s", (int)(mark - name), name, mark + 3));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- measures ---- */

PetscErrorCode ReportPooledTable(const cJSON *compare, ReportText *html)
{
  const cJSON *pooled = cJSON_GetObjectItemCaseSensitive(compare, COMPARE_POOLED);
  char value[64];
  PetscFunctionBeginUser;
  if (!cJSON_IsObject(pooled)) PetscFunctionReturn(0);
  PetscCall(ReportPrint(
      html,
      "<h3>Errors over all held-out conditions</h3>\n<div class=\"scroll\"><table>\n<thead><tr><th>measure</th>"));
  for (int s = 0; s < SCORIA_NMEASURED; s++)
    PetscCall(ReportPrint(html, "<th class=\"n\">%s</th>", report_words_of(compare)->title[scoria_measured[s]]));
  PetscCall(ReportPrint(html, "<th>what it is</th></tr></thead>\n<tbody>\n"));
  for (const ScoriaMeasure *m = scoria_measures; m->name; m++) {
    PetscCall(ReportPrint(html, "<tr><td>"));
    PetscCall(MeasureName(m, html));
    PetscCall(ReportPrint(html, "</td>"));
    for (int s = 0; s < SCORIA_NMEASURED; s++) {
      const cJSON *source = cJSON_GetObjectItemCaseSensitive(pooled, scoria_from[scoria_measured[s]].member);
      report_measure_text(m, json_number(source, m->name), sizeof value, value);
      PetscCall(ReportPrint(html, "<td class=\"n\">%s</td>", value));
    }
    PetscCall(ReportPrint(html, "<td class=\"help\">"));
    PetscCall(ReportPrintOf(report_words_of(compare), m->help, html));
    PetscCall(ReportPrint(html, "</td></tr>\n"));
  }
  PetscCall(ReportPrint(html, "</tbody>\n</table></div>\n"));
  PetscFunctionReturn(0);
}

/* The columns of the table per condition: which source, which measure. */
static const struct {
  ScoriaFrom from;
  const char *measure, *title;
} condition_columns[] = {
    {SCORIA_FROM_MODEL, "mean_error", "mean error / SD"},
    {SCORIA_FROM_PDE_AGAIN, "mean_error", "floor"},
    {SCORIA_FROM_MODEL, "sd_bias", "SD bias"},
    {SCORIA_FROM_MODEL, "band_error", "95 % band error"},
    {SCORIA_FROM_PDE_AGAIN, "band_error", "floor"},
    {SCORIA_FROM_MODEL, "coverage95", "coverage"},
    {SCORIA_FROM_MODEL, "sliced_w", "sliced W<sub>1</sub>"},
    {SCORIA_FROM_GAUSSIAN, "sliced_w", "Gaussian"},
    {SCORIA_FROM_PDE_AGAIN, "sliced_w", "floor"},
    {SCORIA_NFROM, NULL, NULL},
};

static PetscErrorCode ConditionHeader(const ScoriaSpace *space, bool imported, ReportText *html)
{
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(html, "<thead><tr><th class=\"n\">#</th>"));
  for (int i = 0; i < space->n; i++) {
    ReportQuantity q;
    char value[32];
    report_condition(&space->c[i], 0, 4, &q, sizeof value, value);
    PetscCall(ReportPrint(html, "<th class=\"n\">"));
    PetscCall(ReportEnhanced(html, q.label));
    if (*q.unit) {
      PetscCall(ReportPrint(html, " <span class=\"u\">["));
      PetscCall(ReportEnhanced(html, q.unit));
      PetscCall(ReportPrint(html, "]</span>"));
    }
    PetscCall(ReportPrint(html, "</th>"));
  }
  PetscCall(ReportPrint(html, "<th class=\"n\">%s</th>", imported ? "rows" : "failed solves"));
  for (int c = 0; condition_columns[c].measure; c++)
    PetscCall(ReportPrint(html, "<th class=\"n\">%s</th>", condition_columns[c].title));
  PetscCall(ReportPrint(html, "</tr></thead>\n<tbody>\n"));
  PetscFunctionReturn(0);
}

static PetscErrorCode ConditionRow(const cJSON *condition, const ScoriaSpace *space, bool imported, int number,
                                   ReportText *html)
{
  char value[64];
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(html, "<tr><td class=\"n\">%d</td>", number));
  for (int i = 0; i < space->n; i++) {
    ReportQuantity q;
    report_condition(&space->c[i], json_number(condition, space->c[i].name), 4, &q, sizeof value, value);
    PetscCall(ReportPrint(html, "<td class=\"n\">%s</td>", value));
  }
  PetscCall(
      ReportPrint(html, "<td class=\"n\">%.0f</td>", json_number(condition, imported ? COMPARE_ROWS : COMPARE_FAILED)));
  for (int c = 0; condition_columns[c].measure; c++) {
    const char *member = scoria_from[condition_columns[c].from].member, *measure = condition_columns[c].measure;
    const cJSON *source = cJSON_GetObjectItemCaseSensitive(condition, member);
    report_measure_text(measure_find(measure), json_number(source, measure), sizeof value, value);
    PetscCall(ReportPrint(html, "<td class=\"n\">%s</td>", value));
  }
  PetscCall(ReportPrint(html, "</tr>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportConditionTable(const cJSON *compare, const ScoriaSpace *space, ReportText *html)
{
  const cJSON *conditions = cJSON_GetObjectItemCaseSensitive(compare, COMPARE_CONDITIONS), *condition;
  const bool imported     = cJSON_HasObjectItem(compare, COMPARE_HELD_OUT);
  int k                   = 0;
  PetscFunctionBeginUser;
  if (cJSON_GetArraySize(conditions) == 0) PetscFunctionReturn(0);
  PetscCall(ReportPrint(html, "<h3>Each held-out condition</h3>\n<div class=\"scroll\"><table class=\"many\">\n"));
  PetscCall(ConditionHeader(space, imported, html));
  cJSON_ArrayForEach(condition, conditions) PetscCall(ConditionRow(condition, space, imported, ++k, html));
  PetscCall(ReportPrint(html, "</tbody>\n</table></div>\n"));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------------- cost ---- */

static PetscErrorCode CostRow(const ScoriaMember *m, const cJSON *item, ReportText *html)
{
  char value[64];
  PetscFunctionBeginUser;
  if (!item) PetscFunctionReturn(0);
  PetscCall(ReportPrint(html, "<tr><td>"));
  PetscCall(ReportEscape(html, m->title));
  PetscCall(ReportPrint(html, "</td><td class=\"n\">"));
  report_number(item->valuedouble * (m->scale > 0 ? m->scale : 1), sizeof value, value);
  PetscCall(ReportEscape(html, cJSON_IsString(item) ? item->valuestring : value));
  PetscCall(ReportPrint(html, "</td></tr>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportCostTable(const cJSON *compare, ReportText *html)
{
  const cJSON *cost = cJSON_GetObjectItemCaseSensitive(compare, COMPARE_COST);
  PetscFunctionBeginUser;
  if (cJSON_GetArraySize(cost) == 0) PetscFunctionReturn(0);
  PetscCall(ReportPrint(html, "<h3>Cost</h3>\n<div class=\"scroll\"><table>\n"));
  for (const ScoriaMember *m = scoria_field_cost_members; m->name; m++)
    PetscCall(CostRow(m, cJSON_GetObjectItemCaseSensitive(cost, m->name), html));
  PetscCall(ReportPrint(html, "</table></div>\n"));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------------ solves ---- */

/* PETSc's SNESConvergedReason, in words. */
static const char *reason_text(int reason)
{
  switch (reason) {
  case -1:
    return "outside the domain of the equations";
  case -2:
    return "too many function evaluations";
  case -3:
    return "linear solve failed";
  case -4:
    return "not a number";
  case -5:
    return "iteration limit";
  case -6:
    return "line search failed";
  case -7:
    return "inner solve failed";
  case -8:
    return "local minimum";
  case -9:
    return "diverged";
  case -10:
    return "Jacobian outside its domain";
  case -11:
    return "trust region too small";
  default:
    return "other";
  }
}

static PetscErrorCode CountRow(ReportText *html, const char *what, int64_t count, int64_t of)
{
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(html, "<tr><td>%s</td><td class=\"n\">%lld</td><td class=\"n\">%.3g&nbsp;%%</td></tr>\n", what,
                        (long long)count, of ? 100.0 * (double)count / (double)of : 0.0));
  PetscFunctionReturn(0);
}

/* Imported rows were not solved by anything of ours. */
static PetscErrorCode ImportedTable(const ReportDataset *data, ReportText *html)
{
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(html, "<p>Imported from "));
  PetscCall(ReportEscape(html, data->spec.source));
  PetscCall(ReportPrint(html,
                        ".</p>\n<div class=\"scroll\"><table>\n<tr><td>conditions \u00d7 realisations</td><td "
                        "class=\"n\">%lld \u00d7 %lld</td><td></td></tr>\n",
                        (long long)data->conditions, (long long)data->spec.realisations));
  PetscCall(CountRow(html, "usable", data->done, data->spec.rows));
  PetscCall(CountRow(html, "not finite", data->failed - data->lacking, data->spec.rows));
  PetscCall(
      CountRow(html, "not in the file, where a condition has fewer rows than another", data->lacking, data->spec.rows));
  PetscCall(ReportPrint(html, "</table></div>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportStatusTable(const ReportDataset *data, ReportText *html)
{
  char text[96];
  PetscFunctionBeginUser;
  if (!data->present) PetscFunctionReturn(0);
  if (*data->spec.source) {
    PetscCall(ImportedTable(data, html));
    PetscFunctionReturn(0);
  }
  const int64_t rows = data->spec.rows;
  PetscCall(ReportPrint(html, "<h3>How the solves ended</h3>\n<div class=\"scroll\"><table>\n"));
  PetscCall(ReportPrint(
      html, "<tr><td>conditions \u00d7 realisations</td><td class=\"n\">%lld \u00d7 %lld</td><td></td></tr>\n",
      (long long)data->conditions, (long long)data->spec.realisations));
  PetscCall(CountRow(html, "solved", data->done, rows));
  PetscCall(CountRow(html, "of these at a later attempt", data->continued, rows));
  PetscCall(CountRow(html, "failed (left out of all statistics)", data->failed, rows));
  for (int r = 0; r < REPORT_REASONS; r++) {
    if (data->reason[r] == 0) continue;
    snprintf(text, sizeof text, "&emsp;reason %d: %s", -r, reason_text(-r));
    PetscCall(CountRow(html, text, data->reason[r], rows));
  }
  if (data->missing) PetscCall(CountRow(html, "not computed", data->missing, rows));
  PetscCall(ReportPrint(html,
                        "<tr><td>Newton iterations per solve: mean, largest</td><td class=\"n\">%.2f, "
                        "%lld</td><td></td></tr>\n</table></div>\n",
                        data->done ? (double)data->newton / (double)data->done : 0.0, (long long)data->newton_max));
  PetscFunctionReturn(0);
}

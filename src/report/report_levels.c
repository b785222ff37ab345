/* What uq of several fidelities has cost and gained, and the check of a model. */
#include "report_answers.h"
#include "scoria/uq_result.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static PetscErrorCode MemberRow(ReportText *html, const cJSON *named, const cJSON *counted)
{
  ScoriaUqFidelity f;
  ScoriaUqMember m;
  PetscFunctionBeginUser;
  members_take(named, scoria_uq_fidelity_members, &f);
  members_take(counted, scoria_uq_member_members, &m);
  PetscCall(ReportPrint(html, "<tr><td><code>"));
  PetscCall(ReportEscape(html, f.name ? f.name : ""));
  PetscCall(ReportPrint(
      html, "</code></td><td class=\"n\">%.3g</td><td class=\"n\">%lld</td><td class=\"n\">%.3g</td></tr>\n", m.cost,
      (long long)m.solves, f.core_seconds));
  PetscFunctionReturn(0);
}

static PetscErrorCode Fidelities(ReportText *html, const cJSON *uq, const cJSON *levels)
{
  const cJSON *names = cJSON_GetObjectItemCaseSensitive(uq, UQ_FIDELITIES), *group;
  const cJSON *list  = cJSON_GetObjectItemCaseSensitive(levels, UQ_MEMBERS);
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(
      html, "<div class=\"scroll\"><table>\n<thead><tr><th>fidelity</th><th class=\"n\">cost of one [core s], "
            "counted</th><th class=\"n\">solves</th><th class=\"n\">measured, all conditions [core s]</th>"
            "</tr></thead>\n<tbody>\n"));
  for (int a = 0; a < cJSON_GetArraySize(list); a++)
    PetscCall(MemberRow(html, cJSON_GetArrayItem(names, a), cJSON_GetArrayItem(list, a)));
  PetscCall(ReportPrint(html, "</tbody>\n</table></div>\n<p>Draws, each solved by all that are named:"));
  cJSON_ArrayForEach(group, cJSON_GetObjectItemCaseSensitive(levels, UQ_GROUPS))
  {
    ScoriaUqGroup g;
    members_take(group, scoria_uq_group_members, &g);
    PetscCall(ReportPrint(html, " %lld of <code>", (long long)g.draws));
    PetscCall(ReportEscape(html, g.fidelities ? g.fidelities : ""));
    PetscCall(ReportPrint(html, "</code>%s", group->next ? ";" : "."));
  }
  PetscCall(ReportPrint(html, "</p>\n"));
  PetscFunctionReturn(0);
}

static PetscErrorCode Number(ReportText *html, double value)
{
  PetscFunctionBeginUser;
  if (isfinite(value))
    PetscCall(ReportPrint(html, "<td class=\"n\">%.6g</td>", value));
  else
    PetscCall(ReportPrint(html, "<td class=\"n\">&ndash;</td>"));
  PetscFunctionReturn(0);
}

static PetscErrorCode Gains(ReportText *html, const cJSON *condition, const cJSON *levels)
{
  const cJSON *quantity;
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(
      html, "<div class=\"scroll\"><table>\n<thead><tr><th>quantity</th><th class=\"n\">gain</th><th "
            "class=\"n\">error of the mean</th><th class=\"n\">bias of the grid</th><th class=\"n\">its error</th>"
            "<th class=\"n\">mean without it</th></tr></thead>\n<tbody>\n"));
  cJSON_ArrayForEach(quantity, cJSON_GetObjectItemCaseSensitive(levels, UQ_QUANTITIES))
  {
    ScoriaUqGain g;
    ScoriaUqMoments m;
    members_take(quantity, scoria_uq_gain_members, &g);
    members_take(
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(condition, UQ_QUANTITIES), quantity->string),
        scoria_uq_moment_members, &m);
    PetscCall(ReportPrint(html, "<tr><td><code>"));
    PetscCall(ReportEscape(html, quantity->string));
    PetscCall(ReportPrint(html, "</code></td>"));
    const double row[] = {g.gain, m.mean_se, g.grid_bias, g.grid_bias_se, g.richardson};
    for (int i = 0; i < 5; i++) PetscCall(Number(html, row[i]));
    PetscCall(ReportPrint(html, "</tr>\n"));
  }
  PetscCall(ReportPrint(html, "</tbody>\n</table></div>\n"));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckTable(ReportText *html, const cJSON *quantities)
{
  const cJSON *quantity;
  PetscFunctionBeginUser;
  if (!quantities || !cJSON_GetObjectItemCaseSensitive(quantities->child, UQ_CHECK)) PetscFunctionReturn(0);
  PetscCall(ReportPrint(
      html, "<h3>Check of the model</h3>\n<p>Means of the model less those of fresh solves at the first "
            "condition, with the errors of both.</p>\n<div class=\"scroll\"><table>\n<thead><tr><th>quantity"
            "</th><th class=\"n\">solves</th><th class=\"n\">mean of the PDE</th><th class=\"n\">bias of the "
            "model</th><th class=\"n\">95 %% from</th><th class=\"n\">to</th></tr></thead>\n<tbody>\n"));
  cJSON_ArrayForEach(quantity, quantities)
  {
    ScoriaUqCheck c;
    members_take(cJSON_GetObjectItemCaseSensitive(quantity, UQ_CHECK), scoria_uq_check_members, &c);
    PetscCall(ReportPrint(html, "<tr><td><code>"));
    PetscCall(ReportEscape(html, quantity->string));
    PetscCall(ReportPrint(html, "</code></td><td class=\"n\">%lld</td>", (long long)c.solves));
    const double row[] = {c.pde_mean, c.bias, c.low95, c.high95};
    for (int i = 0; i < 4; i++) PetscCall(Number(html, row[i]));
    PetscCall(ReportPrint(html, "</tr>\n"));
  }
  PetscCall(ReportPrint(html, "</tbody>\n</table></div>\n"));
  PetscFunctionReturn(0);
}

/* What source auto has weighed. */
static PetscErrorCode Choice(ReportText *html, const cJSON *chosen)
{
  const cJSON *one;
  ScoriaUqAuto what;
  PetscFunctionBeginUser;
  if (!chosen) PetscFunctionReturn(0);
  members_take(chosen, scoria_uq_auto_members, &what);
  PetscCall(ReportPrint(html, "<p>Source <code>auto</code>: "));
  PetscCall(ReportEscape(html, what.sentence ? what.sentence : ""));
  PetscCall(ReportPrint(html,
                        ".</p>\n<div class=\"scroll\"><table>\n<thead><tr><th>source</th><th class=\"n\">core s"
                        "</th><th class=\"n\">bias not excluded [SD]</th><th>not taken</th></tr></thead>\n<tbody>\n"));
  cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(chosen, UQ_WAYS))
  {
    ScoriaUqWay way;
    members_take(one, scoria_uq_way_members, &way);
    PetscCall(ReportPrint(html, "<tr><td><code>"));
    PetscCall(ReportEscape(html, way.source ? way.source : ""));
    PetscCall(ReportPrint(html, "</code></td>"));
    PetscCall(Number(html, way.core_seconds));
    PetscCall(Number(html, way.bias));
    PetscCall(ReportPrint(html, "<td>"));
    PetscCall(ReportEscape(html, way.why ? way.why : ""));
    PetscCall(ReportPrint(html, "</td></tr>\n"));
  }
  PetscCall(ReportPrint(html, "</tbody>\n</table></div>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportLevels(const cJSON *uq, const cJSON *conditions, ReportText *html)
{
  const cJSON *levels   = cJSON_GetObjectItemCaseSensitive(conditions->child, UQ_LEVELS);
  const char *estimator = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(uq, UQ_ESTIMATOR));
  ScoriaUqLevels what;
  PetscFunctionBeginUser;
  PetscCall(Choice(html, cJSON_GetObjectItemCaseSensitive(uq, UQ_AUTO)));
  PetscCall(CheckTable(html, cJSON_GetObjectItemCaseSensitive(conditions->child, UQ_QUANTITIES)));
  if (!levels) PetscFunctionReturn(0);
  members_take(levels, scoria_uq_levels_members, &what);
  PetscCall(
      ReportPrint(html,
                  "<h3>Fidelities</h3>\n<p>Combined by <code>%s</code>; at the first condition, with %lld draws of "
                  "the pilot, %.3g core s as counted. The gain is the work of plain Monte Carlo at the same error "
                  "of the mean over this.</p>\n",
                  estimator ? estimator : "", (long long)what.pilot, what.work));
  PetscCall(Fidelities(html, uq, levels));
  PetscCall(Gains(html, conditions->child, levels));
  PetscFunctionReturn(0);
}

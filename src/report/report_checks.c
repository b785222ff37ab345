/* What compare.json says of the model apart from its errors: laws that hold whatever the porosity, and whether training
 * rows come back. */
#include "report_measures.h"
#include "report_words.h"
#include <math.h>
#include <stdio.h>

static PetscErrorCode Deviation(double number, ReportText *html)
{
  char value[32];
  PetscFunctionBeginUser;
  snprintf(value, sizeof value, isfinite(number) ? "%.2g" : "&ndash;", number);
  PetscCall(ReportPrint(html, "<td class=\"n\">%s</td>", value));
  PetscFunctionReturn(0);
}

static PetscErrorCode LawRow(const cJSON *object, ReportText *html)
{
  ScoriaLawKept law;
  PetscFunctionBeginUser;
  members_take(object, scoria_law_members, &law);
  PetscCall(ReportPrint(html, "<tr><td>"));
  PetscCall(ReportEscape(html, law.help));
  PetscCall(ReportPrint(html, "</td>"));
  PetscCall(Deviation(law.model, html));
  PetscCall(Deviation(law.pde, html));
  PetscCall(ReportPrint(html, "</tr>\n"));
  PetscFunctionReturn(0);
}

static PetscErrorCode Laws(const cJSON *laws, ReportText *html)
{
  const cJSON *law;
  PetscFunctionBeginUser;
  if (cJSON_GetArraySize(laws) == 0) PetscFunctionReturn(0);
  PetscCall(ReportPrint(html, "<div class=\"scroll\"><table>\n<tr><th>whatever the porosity</th>"
                              "<th class=\"n\">model</th><th class=\"n\">PDE</th></tr>\n"));
  cJSON_ArrayForEach(law, laws) PetscCall(LawRow(law, html));
  PetscCall(ReportPrint(html, "</table></div>\n<p class=\"note\">Root mean square deviation in standard deviations of "
                              "the field. The PDE's own number is what solver and grid leave of an exact law.</p>\n"));
  PetscFunctionReturn(0);
}

static PetscErrorCode Memorisation(const cJSON *object, bool imported, ReportText *html)
{
  const char *fresh = imported ? "held-back row" : "PDE field";
  ScoriaNearestRows found;
  PetscFunctionBeginUser;
  if (!cJSON_IsObject(object)) PetscFunctionReturn(0);
  members_take(object, scoria_nearest_members, &found);
  PetscCall(ReportPrint(
      html,
      "<p>Memorisation: the training row nearest to a sample, in the coordinates that the network learns, is %.3f "
      "times as far away as that of a fresh %s (medians), and %.2f&nbsp;%% of the samples are nearer to one "
      "than nearly all %ss are (%.2f&nbsp;&plusmn;&nbsp;%.2f&nbsp;%% for a model that gives nothing back; %lld "
      "samples and %lld rows at each held-out condition).</p>\n",
      found.median_ratio, fresh, 100 * found.share_nearer, fresh, 100 * found.share_expected, 100 * found.share_se,
      (long long)found.samples, (long long)found.training_rows));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportChecks(const cJSON *compare, ReportText *html)
{
  const cJSON *laws  = cJSON_GetObjectItemCaseSensitive(compare, COMPARE_LAWS),
              *found = cJSON_GetObjectItemCaseSensitive(compare, COMPARE_MEMORISATION);
  PetscFunctionBeginUser;
  if (cJSON_GetArraySize(laws) == 0 && !cJSON_IsObject(found)) PetscFunctionReturn(0);
  PetscCall(ReportPrint(html, "<h3>What must hold</h3>\n"));
  PetscCall(Laws(laws, html));
  PetscCall(Memorisation(found, cJSON_HasObjectItem(compare, COMPARE_HELD_OUT), html));
  PetscFunctionReturn(0);
}

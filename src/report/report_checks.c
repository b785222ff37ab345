/* What compare.json says of the model apart from its errors: laws that hold whatever the porosity, and whether training
 * rows come back. */
#include "report.h"
#include <math.h>
#include <stdio.h>

static PetscErrorCode LawRow(const cJSON *law, ReportText *html)
{
  static const char *const sides[] = {"model", "pde"};
  char value[32];
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(html, "<tr><td>"));
  PetscCall(ReportEscape(html, cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(law, "help"))));
  PetscCall(ReportPrint(html, "</td>"));
  for (int s = 0; s < 2; s++) {
    const double number = json_number(law, sides[s]);
    snprintf(value, sizeof value, isfinite(number) ? "%.2g" : "&ndash;", number);
    PetscCall(ReportPrint(html, "<td class=\"n\">%s</td>", value));
  }
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

static PetscErrorCode Memorisation(const cJSON *found, ReportText *html)
{
  PetscFunctionBeginUser;
  if (!cJSON_IsObject(found)) PetscFunctionReturn(0);
  PetscCall(ReportPrint(
      html,
      "<p>Memorisation: the training row nearest to a sample, in the coordinates that the network learns, is %.3f "
      "times as far away as that of a fresh PDE field (medians), and %.2f&nbsp;%% of the samples are nearer to one "
      "than nearly all PDE fields are (%.2f&nbsp;&plusmn;&nbsp;%.2f&nbsp;%% for a model that gives nothing back; %.0f "
      "samples and %.0f rows at each held-out condition).</p>\n",
      json_number(found, "median_ratio"), 100 * json_number(found, "share_nearer"),
      100 * json_number(found, "share_expected"), 100 * json_number(found, "share_se"), json_number(found, "samples"),
      json_number(found, "training_rows")));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportChecks(const cJSON *compare, ReportText *html)
{
  const cJSON *laws  = cJSON_GetObjectItemCaseSensitive(compare, "symmetries"),
              *found = cJSON_GetObjectItemCaseSensitive(compare, "memorisation");
  PetscFunctionBeginUser;
  if (cJSON_GetArraySize(laws) == 0 && !cJSON_IsObject(found)) PetscFunctionReturn(0);
  PetscCall(ReportPrint(html, "<h2>What must hold</h2>\n"));
  PetscCall(Laws(laws, html));
  PetscCall(Memorisation(found, html));
  PetscFunctionReturn(0);
}

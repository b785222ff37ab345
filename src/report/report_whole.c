/* What compare has measured of whole fields: hot spots, spectra, lateral means, each beside its floor. */
#include "report_measures.h"
#include "report_words.h"
#include <stdio.h>

/* A row: its name, and a number of every source. */
static PetscErrorCode Row(const ReportWords *words, const char *name, const char *help, const cJSON *of,
                          const char *member, bool percent, ReportText *html)
{
  char value[64];
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(html, "<tr><td>"));
  PetscCall(ReportEscape(html, name));
  PetscCall(ReportPrint(html, "</td>"));
  for (int s = 0; s < SCORIA_NMEASURED; s++) {
    const double number =
        json_number(cJSON_GetObjectItemCaseSensitive(of, scoria_from[scoria_measured[s]].member), member);
    if (percent)
      snprintf(value, sizeof value, "%.1f&nbsp;%%", 100 * number);
    else
      report_number(number, sizeof value, value);
    PetscCall(ReportPrint(html, "<td class=\"n\">%s</td>", value));
  }
  PetscCall(ReportPrint(html, "<td class=\"help\">"));
  PetscCall(ReportPrintOf(words, help, html));
  PetscCall(ReportPrint(html, "</td></tr>\n"));
  PetscFunctionReturn(0);
}

/* The numbers of one field, which is named by its key. */
static PetscErrorCode FieldRows(const ReportWords *words, const cJSON *field, ReportText *html)
{
  static const char *const shown[] = {"max", "min", "high", "low"};
  char name[SCORIA_NAME_SIZE + 32];
  PetscFunctionBeginUser;
  for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
    const cJSON *hot = cJSON_GetObjectItemCaseSensitive(field, shown[i]);
    const char *help = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(hot, COMPARE_HOT_HELP));
    snprintf(name, sizeof name, "%s %.60s: W1 / SD", shown[i], field->string);
    PetscCall(Row(words, name, help ? help : "", hot, COMPARE_HOT_W1, false, html));
    snprintf(name, sizeof name, "%s %.60s: quantiles", shown[i], field->string);
    PetscCall(Row(words, name, "share of its .01 and .99 quantiles inside the 95 % intervals of the PDE's", hot,
                  COMPARE_HOT_INSIDE, false, html));
  }
  snprintf(name, sizeof name, "lateral spectrum of %.60s", field->string);
  PetscCall(Row(words, name, "largest relative error of the variance at the wave numbers that hold 99 % of it",
                cJSON_GetObjectItemCaseSensitive(field, COMPARE_SPECTRUM), COMPARE_SPECTRUM_ERROR, true, html));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportWholeTable(const cJSON *compare, ReportText *html)
{
  const cJSON *whole       = cJSON_GetObjectItemCaseSensitive(compare, COMPARE_WHOLE), *field;
  const ReportWords *words = report_words_of(compare);
  PetscFunctionBeginUser;
  if (!cJSON_IsObject(whole)) PetscFunctionReturn(0);
  PetscCall(ReportPrint(html,
                        "<h3>Whole fields</h3>\n<p class=\"note\">The curves and realisations on this page are of "
                        "the lateral means. Of the measures above, the sliced distance is of the whole fields, "
                        "the others are of the values through the thickness at four lateral places.</p>\n"
                        "<div class=\"scroll\"><table>\n<thead><tr><th>of whole fields</th>"));
  for (int s = 0; s < SCORIA_NMEASURED; s++)
    PetscCall(ReportPrint(html, "<th class=\"n\">%s</th>", words->title[scoria_measured[s]]));
  PetscCall(ReportPrint(html, "<th>what it is</th></tr></thead>\n<tbody>\n"));
  cJSON_ArrayForEach(field, cJSON_GetObjectItemCaseSensitive(whole, COMPARE_WHOLE_FIELDS))
      PetscCall(FieldRows(words, field, html));
  const cJSON *means = cJSON_GetObjectItemCaseSensitive(whole, COMPARE_WHOLE_MEANS);
  PetscCall(Row(words, "lateral means: mean error / SD", "rms over x of the difference of the means", means,
                "mean_error", false, html));
  PetscCall(Row(words, "lateral means: SD error", "rms over x of the relative error of the standard deviation", means,
                "sd_error", true, html));
  PetscCall(Row(words, "lateral means: sliced W1 / SD", "as for profiles", means, "sliced_w", false, html));
  PetscCall(ReportPrint(html, "</tbody>\n</table></div>\n"));
  PetscFunctionReturn(0);
}

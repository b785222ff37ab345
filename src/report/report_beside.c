/* What a run directory may hold besides the comparison of its model: two files compared, log densities of given rows.
 */
#include "report_page.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------- two files ---- */

static const struct {
  const char *member, *title;
} file_rows[] = {{"sample", "the sample"}, {"floor", "floor (reference vs reference)"}};

PetscErrorCode ReportTwoFiles(const ReportPage *page, ReportText *html)
{
  const cJSON *pooled = cJSON_GetObjectItemCaseSensitive(page->files, COMPARE_POOLED);
  const int K         = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(page->files, COMPARE_CONDITIONS));
  char name[64], value[64];
  PetscFunctionBeginUser;
  if (!cJSON_IsObject(pooled)) PetscFunctionReturn(0);
  report_number(json_number(page->files, COMPARE_RATIO), sizeof value, value);
  PetscCall(
      ReportPrint(html,
                  "<p>At the %d condition%s that both files hold, the rows of the sample are <strong>%s times the "
                  "floor</strong> away from those of the reference in sliced Wasserstein distance "
                  "(<code>compare_files.json</code>). The floor is what the two halves of the reference differ "
                  "by.</p>\n<div class=\"scroll\"><table>\n<thead><tr><th>measure</th>",
                  K, K == 1 ? "" : "s", value));
  for (int i = 0; i < 2; i++) PetscCall(ReportPrint(html, "<th class=\"n\">%s</th>", file_rows[i].title));
  PetscCall(ReportPrint(html, "</tr></thead>\n<tbody>\n"));
  for (const ScoriaMeasure *m = scoria_measures; m->name; m++) {
    report_measure_name(m, sizeof name, name);
    PetscCall(ReportPrint(html, "<tr><td>"));
    PetscCall(ReportEscape(html, name));
    PetscCall(ReportPrint(html, "</td>"));
    for (int i = 0; i < 2; i++) {
      const cJSON *of = cJSON_GetObjectItemCaseSensitive(pooled, file_rows[i].member);
      report_measure_text(m, json_number(of, m->name), sizeof value, value);
      PetscCall(ReportPrint(html, "<td class=\"n\">%s</td>", value));
    }
    PetscCall(ReportPrint(html, "</tr>\n"));
  }
  PetscCall(ReportPrint(html, "</tbody>\n</table></div>\n"));
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------- likelihood ---- */

PetscErrorCode ReportLikelihoodRead(MPI_Comm comm, const char *path, ReportLikelihood *l)
{
  ScoriaStore store;
  bool there;
  PetscFunctionBeginUser;
  *l = (ReportLikelihood){.rows = 0};
  PetscCall(ScoriaFileExists(comm, path, &there));
  if (!there) PetscFunctionReturn(0);
  PetscCall(ScoriaStoreOpen(comm, path, "likelihood", &store));
  PetscCall(ScoriaStoreHas(store, LIKELIHOOD_ROWS, &there)); /* not in files of earlier versions */
  if (there) {
    PetscCall(ScoriaStoreGetInt(store, LIKELIHOOD_ROWS, &l->rows));
    PetscCall(ScoriaStoreGetReal(store, LIKELIHOOD_MEAN, &l->mean));
    PetscCall(ScoriaStoreGetReal(store, LIKELIHOOD_MEAN_GAUSSIAN, &l->gaussian));
    PetscCall(ScoriaStoreGetReal(store, LIKELIHOOD_GAIN, &l->gain));
    PetscCall(ScoriaStoreGetReal(store, LIKELIHOOD_GAIN_ERROR, &l->error));
    PetscCall(ScoriaStoreGetText(store, LIKELIHOOD_FILE, sizeof l->file, l->file));
  }
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportLikelihoodSection(const ReportPage *page, ReportText *html)
{
  const ReportLikelihood *l = page->likelihood;
  PetscFunctionBeginUser;
  if (!l || !l->rows) PetscFunctionReturn(0);
  PetscCall(ReportPrint(html, "<p>%lld rows of ", (long long)l->rows));
  PetscCall(ReportEscape(html, l->file));
  PetscCall(ReportPrint(html,
                        ": mean log density of the whitened coordinates, in nats a row.</p>\n<div class=\"scroll\">"
                        "<table>\n<tr><td>under the model</td><td class=\"n\">%.4f</td></tr>\n<tr><td>under the "
                        "conditional Gaussian</td><td class=\"n\">%.4f</td></tr>\n<tr><td>gain</td><td class=\"n\">"
                        "%.4f",
                        l->mean, l->gaussian, l->gain));
  if (isfinite(l->error)) PetscCall(ReportPrint(html, " &plusmn; %.4f", l->error));
  PetscCall(ReportPrint(html, "</td></tr>\n</table></div>\n"));
  PetscFunctionReturn(0);
}

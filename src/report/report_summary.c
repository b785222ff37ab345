/* The head of the page: how good the model is, in numbers beside the floor that sampling sets; else what there is. */
#include "report_page.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------- headline ---- */

/* value and what are HTML; beside may be empty. */
static PetscErrorCode Card(ReportText *html, const char *value, const char *what, const char *beside)
{
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(html, "<div class=\"card\"><b>%s</b><span>%s</span>", value, what));
  if (*beside) PetscCall(ReportPrint(html, "<span>%s</span>", beside));
  PetscCall(ReportPrint(html, "</div>\n"));
  PetscFunctionReturn(0);
}

static double pooled_number(const cJSON *compare, ScoriaFrom from, const char *measure)
{
  const cJSON *pooled = cJSON_GetObjectItemCaseSensitive(compare, COMPARE_POOLED);
  return json_number(cJSON_GetObjectItemCaseSensitive(pooled, scoria_from[from].member), measure);
}

static PetscErrorCode MeasureCard(ReportText *html, const cJSON *compare, const char *key, const char *what)
{
  char value[64], floor[64], gaussian[64], beside[192];
  const ScoriaMeasure *m = measure_find(key);
  PetscFunctionBeginUser;
  const double model = pooled_number(compare, SCORIA_FROM_MODEL, key);
  if (!isfinite(model)) PetscFunctionReturn(0);
  report_measure_text(m, model, sizeof value, value);
  report_measure_text(m, pooled_number(compare, SCORIA_FROM_PDE_AGAIN, key), sizeof floor, floor);
  report_measure_text(m, pooled_number(compare, SCORIA_FROM_GAUSSIAN, key), sizeof gaussian, gaussian);
  snprintf(beside, sizeof beside, "floor %s<br>Gaussian %s", floor, gaussian);
  PetscCall(Card(html, value, what, beside));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportHeadline(const cJSON *compare, ReportText *html)
{
  char value[64];
  ScoriaFieldCost cost;
  PetscFunctionBeginUser;
  if (!compare) PetscFunctionReturn(0);
  members_take(cJSON_GetObjectItemCaseSensitive(compare, COMPARE_COST), scoria_field_cost_members, &cost);
  const double ratio = cost.seconds_pde / cost.seconds_model;
  PetscCall(ReportPrint(html, "<div class=\"cards\">\n"));
  PetscCall(MeasureCard(html, compare, "mean_error", "error of the mean, in standard deviations"));
  PetscCall(MeasureCard(html, compare, "band_error", "error of the width of the 95&nbsp;% band"));
  PetscCall(MeasureCard(html, compare, "coverage95", "of PDE values lie in the predicted 95&nbsp;% band"));
  PetscCall(MeasureCard(html, compare, "sliced_w", "distance of the joint law (sliced W<sub>1</sub>), in SD"));
  if (isfinite(ratio)) {
    report_number(fmax(ratio, 1 / ratio), sizeof value, value);
    PetscCall(Card(html, value,
                   ratio >= 1 ? "times as long for a PDE solve as for a sample of the model"
                              : "times as long for a sample of the model as for a PDE solve",
                   "both on one core"));
  }
  PetscCall(ReportPrint(html, "</div>\n"));
  PetscFunctionReturn(0);
}

/* The result in one sentence: no grades, the numbers and what to hold them against. */
static PetscErrorCode Sentence(const cJSON *compare, ReportText *html)
{
  char ratio[32], gaussian[32], p[32];
  const int K        = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(compare, COMPARE_CONDITIONS));
  const double floor = pooled_number(compare, SCORIA_FROM_PDE_AGAIN, "sliced_w");
  ScoriaFieldCost cost;
  PetscFunctionBeginUser;
  members_take(cJSON_GetObjectItemCaseSensitive(compare, COMPARE_COST), scoria_field_cost_members, &cost);
  report_number(pooled_number(compare, SCORIA_FROM_MODEL, "sliced_w") / floor, sizeof ratio, ratio);
  report_number(pooled_number(compare, SCORIA_FROM_GAUSSIAN, "sliced_w") / floor, sizeof gaussian, gaussian);
  report_number(pooled_number(compare, SCORIA_FROM_MODEL, "energy_p"), sizeof p, p);
  PetscCall(ReportPrint(html, "<p class=\"lead\">At %d held-out operating condition%s", K, K == 1 ? "" : "s"));
  if (cost.samples >= 0) PetscCall(ReportPrint(html, " with %lld fields each", (long long)cost.samples));
  PetscCall(ReportPrint(html,
                        ", the law of the model&rsquo;s fields is <strong>%s times the sampling floor</strong> away "
                        "from the PDE&rsquo;s in sliced Wasserstein distance; the Gaussian baseline, %s times.",
                        ratio, gaussian));
  if (isfinite(pooled_number(compare, SCORIA_FROM_MODEL, "energy_p")))
    PetscCall(ReportPrint(html,
                          " An energy test of the two gives p&nbsp;=&nbsp;%s in the mean "
                          "(0.5 is expected of fields of one law).",
                          p));
  PetscCall(ReportPrint(html, "</p>\n"));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------ what is there ---- */

static PetscErrorCode Missing(const ReportPage *page, const char *what, const char *command, ReportText *html)
{
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(html, "<li>%s: none yet; <code>scoria %s ", what, command));
  PetscCall(ReportShellWord(html, page->deck_path));
  PetscCall(ReportPrint(html, "</code> makes it</li>\n"));
  PetscFunctionReturn(0);
}

/* A line per command: what it left here, or how to run it. */
static PetscErrorCode Holdings(const ReportPage *page, ReportText *html)
{
  const ReportDataset *data = page->data;
  ScoriaUqCondition first;
  const cJSON *asked = cJSON_GetObjectItemCaseSensitive(page->uq, UQ_CONDITIONS);
  PetscFunctionBeginUser;
  members_take(cJSON_GetArrayItem(asked, 0), scoria_uq_condition_members, &first);
  PetscCall(ReportPrint(html, "<ul class=\"holdings\">\n"));
  if (!data->present)
    PetscCall(Missing(page, "training set", "generate", html));
  else {
    PetscCall(ReportPrint(html, "<li>training set: %lld of %lld %s", (long long)data->done, (long long)data->spec.rows,
                          *data->spec.source ? "imported rows" : "solves"));
    if (data->failed) PetscCall(ReportPrint(html, ", %lld failed", (long long)data->failed));
    PetscCall(ReportPrint(html, "</li>\n"));
  }
  if (page->train->n == 0)
    PetscCall(Missing(page, "model", "train", html));
  else
    PetscCall(ReportPrint(html, "<li>model: %.0f training steps</li>\n", page->train->step[page->train->n - 1]));
  if (!page->samples->present)
    PetscCall(Missing(page, "samples", "sample", html));
  else
    PetscCall(ReportPrint(html, "<li>samples: %lld fields</li>\n", (long long)page->samples->spec.rows));
  if (!page->compare && !*data->spec.source) PetscCall(Missing(page, "comparison with the PDE", "compare", html));
  if (!page->uq)
    PetscCall(Missing(page, "quantities of interest", "uq", html));
  else
    PetscCall(ReportPrint(html, "<li>quantities of interest: %lld fields %s%d condition%s</li>\n",
                          (long long)first.samples, cJSON_GetArraySize(asked) == 1 ? "at " : "at each of ",
                          cJSON_GetArraySize(asked), cJSON_GetArraySize(asked) == 1 ? "" : "s"));
  PetscCall(ReportPrint(html, "</ul>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportVerdict(const ReportPage *page, ReportText *html)
{
  PetscFunctionBeginUser;
  if (page->compare) {
    PetscCall(Sentence(page->compare, html));
    PetscCall(ReportHeadline(page->compare, html));
    PetscCall(ReportPrint(html, "<p class=\"note\">The floor is what two independent PDE ensembles of the same size "
                                "differ by; no model can be expected to do better. The Gaussian baseline is "
                                "the model without its network.</p>\n"));
  } else
    PetscCall(
        ReportPrint(html, "<p class=\"lead\">This directory holds no comparison of the model with the PDE.</p>\n"));
  PetscCall(Holdings(page, html));
  if (page->figures->warning[0]) {
    PetscCall(ReportPrint(html, "<p class=\"note\"><strong>Warning:</strong> "));
    PetscCall(ReportEscape(html, page->figures->warning));
    PetscCall(ReportPrint(html, "</p>\n"));
  }
  PetscFunctionReturn(0);
}

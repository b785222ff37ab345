/* The head of the page: how good the model is, in numbers beside the floor that sampling sets; else what there is. */
#include "report_page.h"
#include "report_words.h"
#include "scoria/uq_result.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
  char value[64], covered[80];
  ScoriaFieldCost cost;
  PetscFunctionBeginUser;
  if (!compare) PetscFunctionReturn(0);
  members_take(cJSON_GetObjectItemCaseSensitive(compare, COMPARE_COST), scoria_field_cost_members, &cost);
  const double ratio = cost.seconds_pde / cost.seconds_model;
  PetscCall(ReportPrint(html, "<div class=\"cards\">\n"));
  PetscCall(MeasureCard(html, compare, "mean_error", "error of the mean, in standard deviations"));
  PetscCall(MeasureCard(html, compare, "band_error", "error of the width of the 95&nbsp;% band"));
  snprintf(covered, sizeof covered, "of %s values lie in the predicted 95&nbsp;%% band", report_words_of(compare)->law);
  PetscCall(MeasureCard(html, compare, "coverage95", covered));
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

/* Where the model was compared: at held-out conditions with so many fields each, or by rows that were held back. */
static PetscErrorCode Where(const cJSON *compare, ReportText *html)
{
  const cJSON *object = cJSON_GetObjectItemCaseSensitive(compare, COMPARE_HELD_OUT);
  const int K         = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(compare, COMPARE_CONDITIONS));
  ScoriaFieldCost cost;
  ScoriaHeldOut held;
  PetscFunctionBeginUser;
  if (!object) {
    members_take(cJSON_GetObjectItemCaseSensitive(compare, COMPARE_COST), scoria_field_cost_members, &cost);
    PetscCall(ReportPrint(html, "<p class=\"lead\">At %d held-out operating condition%s", K, K == 1 ? "" : "s"));
    if (cost.samples >= 0) PetscCall(ReportPrint(html, " with %lld fields each", (long long)cost.samples));
    PetscFunctionReturn(0);
  }
  members_take(object, scoria_held_out_members, &held);
  const bool residuals = held.method && !strcmp(held.method, COMPARE_METHOD_RESIDUALS);
  PetscCall(ReportPrint(html, "<p class=\"lead\">By %lld rows at %lld condition%s that were held back from training%s",
                        (long long)held.rows, (long long)held.conditions, held.conditions == 1 ? "" : "s",
                        residuals ? ", judged together" : ""));
  PetscFunctionReturn(0);
}

/* The result in one sentence: no grades, the numbers and what to hold them against. */
static PetscErrorCode Sentence(const cJSON *compare, ReportText *html)
{
  char ratio[32], gaussian[32], p[32];
  const double floor = pooled_number(compare, SCORIA_FROM_PDE_AGAIN, "sliced_w");
  PetscFunctionBeginUser;
  report_number(pooled_number(compare, SCORIA_FROM_MODEL, "sliced_w") / floor, sizeof ratio, ratio);
  report_number(pooled_number(compare, SCORIA_FROM_GAUSSIAN, "sliced_w") / floor, sizeof gaussian, gaussian);
  report_number(pooled_number(compare, SCORIA_FROM_MODEL, "energy_p"), sizeof p, p);
  PetscCall(Where(compare, html));
  PetscCall(ReportPrint(html,
                        ", the law of the model&rsquo;s fields is <strong>%s times the sampling floor</strong> away "
                        "from the %s in sliced Wasserstein distance; the Gaussian baseline, %s times.",
                        ratio, cJSON_HasObjectItem(compare, COMPARE_HELD_OUT) ? "data&rsquo;s" : "PDE&rsquo;s",
                        gaussian));
  if (isfinite(pooled_number(compare, SCORIA_FROM_MODEL, "energy_p")))
    PetscCall(ReportPrint(html,
                          " An energy test of the two gives p&nbsp;=&nbsp;%s in the mean "
                          "(0.5 is expected of fields of one law).",
                          p));
  PetscCall(ReportPrint(html, "</p>\n"));
  PetscFunctionReturn(0);
}

/* Whether what stands for the model is its conditional Gaussian; of a PDE its samples take no evaluation then. */
static bool is_its_gaussian(const cJSON *compare)
{
  const cJSON *held = cJSON_GetObjectItemCaseSensitive(compare, COMPARE_HELD_OUT);
  ScoriaFieldCost cost;
  ScoriaHeldOut h;
  members_take(held, scoria_held_out_members, &h);
  members_take(cJSON_GetObjectItemCaseSensitive(compare, COMPARE_COST), scoria_field_cost_members, &cost);
  return held ? h.model && !strcmp(h.model, SCORIA_SOURCE_GAUSSIAN) : cost.network_evaluations == 0;
}

/* What the floor and the baseline are, and for imported data how the rows were judged. */
static PetscErrorCode Explain(const cJSON *compare, ReportText *html)
{
  const cJSON *held = cJSON_GetObjectItemCaseSensitive(compare, COMPARE_HELD_OUT);
  ScoriaHeldOut h;
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(html,
                        "<p class=\"note\">The floor is what %s differ by; no model can be expected to do better. The "
                        "Gaussian baseline is the model without its network.",
                        report_words_of(compare)->two));
  if (held) {
    members_take(held, scoria_held_out_members, &h);
    PetscCall(ReportPrint(
        html, "%s",
        h.method && !strcmp(h.method, COMPARE_METHOD_HALVES)
            ? " Half of a condition&rsquo;s rows is the reference there, the other half gives the floor."
            : " A condition has too few rows for a law to be seen there: the rows of all conditions are compared "
              "together, as residuals (field minus the model&rsquo;s mean at the row&rsquo;s condition, over its "
              "standard deviation there), with as many draws of the model; the floor is that of bootstrap samples "
              "of the residuals."));
  }
  if (is_its_gaussian(compare))
    PetscCall(ReportPrint(html, " <strong>The model is its Gaussian</strong>: its network added nothing in validation, "
                                "or the deck chose it (<code>sample.source</code>, <code>train.steps</code>). Numbers "
                                "of the two differ by their draws at most."));
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

/* No step of training is on record: there is no model, or it is the conditional Gaussian alone (train.steps: 0). */
static PetscErrorCode Untrained(const ReportPage *page, ReportText *html)
{
  char path[PETSC_MAX_PATH_LEN + 16];
  PetscFunctionBeginUser;
  snprintf(path, sizeof path, "%s/model.h5", page->run_dir);
  if (access(path, F_OK))
    PetscCall(Missing(page, "model", "train", html));
  else
    PetscCall(ReportPrint(html, "<li>model: no training step on record here</li>\n"));
  PetscFunctionReturn(0);
}

static PetscErrorCode Failed(const ReportDataset *data, ReportText *html)
{
  PetscFunctionBeginUser;
  if (data->failed) PetscCall(ReportPrint(html, ", %lld failed", (long long)data->failed));
  PetscFunctionReturn(0);
}

/* Rows of an import by what became of them: not usable by reason, held back, left to validate on, learned from. */
static PetscErrorCode LeftOut(const ReportPage *page, ReportText *html)
{
  const ReportDataset *data = page->data;
  const long long bad       = data->failed - data->lacking;
  const ReportModelRows *r  = &page->rows;
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(html, " at %lld condition%s", (long long)data->conditions, data->conditions == 1 ? "" : "s"));
  if (bad) PetscCall(ReportPrint(html, "; %lld with values that are not finite", bad));
  if (data->lacking)
    PetscCall(ReportPrint(html, "; %lld not in the file, where a condition has fewer rows than another",
                          (long long)data->lacking));
  if (r->learned < 0) PetscFunctionReturn(0);
  PetscCall(ReportPrint(html, "</li>\n<li>%s%lld were learned from, %lld left out to validate on",
                        page->history->cheap.used ? "of these and of those of a cheaper fidelity " : "of these ",
                        (long long)r->learned, (long long)r->validated));
  if (r->held_conditions)
    PetscCall(ReportPrint(html, ", those of %lld condition%s held back to compare with", (long long)r->held_conditions,
                          r->held_conditions == 1 ? "" : "s"));
  else if (r->held_rows)
    PetscCall(ReportPrint(html, ", %lld row%s of every condition held back to compare with", (long long)r->held_rows,
                          r->held_rows == 1 ? "" : "s"));
  PetscFunctionReturn(0);
}

static PetscErrorCode Cheap(const ReportHistory *history, ReportText *html)
{
  PetscFunctionBeginUser;
  if (!history->cheap.there) PetscFunctionReturn(0);
  PetscCall(ReportPrint(html,
                        "<li>rows of a cheaper fidelity: %.0f, %s; by %.0f pairs they are off the training set's by "
                        "%.3g SD as they are and by %.3g SD corrected, a correlation of %.5f</li>\n",
                        history->cheap.rows, history->cheap.used ? "learned from too" : "not used",
                        history->cheap.pairs, history->cheap.off, history->cheap.off_corrected,
                        history->cheap.correlation));
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
  if (!data->present && !data->whole)
    PetscCall(Missing(page, "training set", page->imported ? "import" : "generate", html));
  else {
    PetscCall(ReportPrint(html, "<li>training set: %lld of %lld %s%s", (long long)data->done,
                          (long long)data->spec.rows, *data->spec.source ? "imported rows" : "solves",
                          data->whole ? " of whole fields" : ""));
    PetscCall(page->imported ? LeftOut(page, html) : Failed(data, html));
    PetscCall(ReportPrint(html, "</li>\n"));
    PetscCall(Cheap(page->history, html));
  }
  if (page->train->n == 0)
    PetscCall(Untrained(page, html));
  else
    PetscCall(ReportPrint(html, "<li>model: %.0f training steps</li>\n", page->train->step[page->train->n - 1]));
  if (page->samples->whole)
    PetscCall(ReportPrint(html, "<li>samples: %lld whole fields</li>\n", (long long)page->samples->whole));
  else if (!page->samples->present)
    PetscCall(Missing(page, "samples", "sample", html));
  else
    PetscCall(ReportPrint(html, "<li>samples: %lld fields</li>\n", (long long)page->samples->spec.rows));
  if (!page->compare) PetscCall(Missing(page, report_words(page->imported)->comparison, "compare", html));
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
    PetscCall(Explain(page->compare, html));
  } else
    PetscCall(ReportPrint(html, "<p class=\"lead\">This directory holds no comparison of the model with %s.</p>\n",
                          page->imported ? "data that were held back" : "the PDE"));
  PetscCall(Holdings(page, html));
  if (page->figures->warning[0]) {
    PetscCall(ReportPrint(html, "<p class=\"note\"><strong>Warning:</strong> "));
    PetscCall(ReportEscape(html, page->figures->warning));
    PetscCall(ReportPrint(html, "</p>\n"));
  }
  PetscFunctionReturn(0);
}

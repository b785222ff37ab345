/* What the reference is called: a PDE, or data. */
#include "report_words.h"
#include <string.h>

static const ReportWords of_pde = {
    .law      = "PDE",
    .title    = {[SCORIA_FROM_PDE] = "PDE", "floor (PDE vs PDE)", "model", "Gaussian baseline"},
    .fresh    = "fresh PDE ensembles",
    .two      = "two independent PDE ensembles of the same size",
    .over     = "porosity",
    .from_one = "porosity to porosity",
    .one      = "solve",
    .some    = "Single solves of the training set: the random porosity on top and the fields that follow from it below",
    .against = "The model against the PDE",
    .comparison = "comparison with the PDE",
};

static const ReportWords of_data = {
    .law        = "data",
    .title      = {[SCORIA_FROM_PDE] = "data", "floor (data vs data)", "model", "Gaussian baseline"},
    .fresh      = "rows of the data that were held back from training",
    .two        = "two samples of the data of the same size",
    .over       = "the rows of a condition",
    .from_one   = "row to row",
    .one        = "row",
    .some       = "Single rows of the training set, all fields",
    .against    = "The model against data that were held back",
    .comparison = "comparison with data that were held back",
};

const ReportWords *report_words(bool imported)
{
  return imported ? &of_data : &of_pde;
}

const ReportWords *report_words_of(const cJSON *compare)
{
  return report_words(cJSON_HasObjectItem(compare, COMPARE_HELD_OUT));
}

PetscErrorCode ReportPrintOf(const ReportWords *words, const char *text, ReportText *html)
{
  const char *at;
  PetscFunctionBeginUser;
  for (; (at = strstr(text, "PDE")); text = at + 3)
    PetscCall(ReportPrint(html, "%.*s%s", (int)(at - text), text, words->law));
  PetscCall(ReportPrint(html, "%s", text));
  PetscFunctionReturn(0);
}

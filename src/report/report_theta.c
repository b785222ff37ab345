/* Operating conditions of an answer in words. */
#include "report_answers.h"
#include "scoria/uq_result.h"
#include <string.h>

/* Whether all conditions of the list have the same value of a member. */
static bool is_common(const cJSON *list, const cJSON *item)
{
  const cJSON *condition;
  cJSON_ArrayForEach(condition, list)
  {
    const double value = json_number(condition, item->string);
    if (value < item->valuedouble || value > item->valuedouble) return false;
  }
  return true;
}

/* One operating condition as enhanced text: "U_{0} = 0.175 V" where the space knows it, else the name and the number.
 */
static PetscErrorCode ConditionText(const ScoriaSpace *space, const cJSON *item, ReportText *text)
{
  char name[64], value[64];
  const int c = space_find(space, item->string);
  PetscFunctionBeginUser;
  if (c >= 0) {
    ReportQuantity q;
    report_condition(&space->c[c], item->valuedouble, 3, &q, sizeof value, value);
    PetscCall(ReportPrint(text, "%s = %s%s%s", q.label, value, *q.unit ? " " : "", q.unit));
  } else {
    plain_label(item->string, sizeof name, name);
    report_number(item->valuedouble, sizeof value, value);
    PetscCall(ReportPrint(text, "%s %s", name, value));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportTheta(const ScoriaSpace *space, const cJSON *list, const cJSON *condition, ReportText *text)
{
  const bool one = cJSON_GetArraySize(list) == 1;
  bool first     = true;
  PetscFunctionBeginUser;
  const char *const end = scoria_uq_condition_members[0].name;
  for (const cJSON *item = condition->child; item && strcmp(item->string, end); item = item->next) {
    if (!one && is_common(list, item)) continue;
    PetscCall(ReportPrint(text, "%s", first ? "" : ", "));
    PetscCall(ConditionText(space, item, text));
    first = false;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportHeld(const cJSON *numbers, const char *end, const cJSON *list, const ScoriaSpace *space,
                          ReportText *html)
{
  const cJSON *item = numbers ? numbers->child : NULL;
  ReportText text   = {0};
  PetscFunctionBeginUser;
  for (; item && (!end || strcmp(item->string, end)); item = item->next) {
    if (list && !is_common(list, item)) continue;
    PetscCall(ReportPrint(&text, "%s", text.n ? ", " : ""));
    PetscCall(ConditionText(space, item, &text));
  }
  if (text.n) PetscCall(ReportPrint(html, "<p>At "));
  if (text.n) PetscCall(ReportEnhanced(html, text.s));
  if (text.n) PetscCall(ReportPrint(html, " (fixed).</p>\n"));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

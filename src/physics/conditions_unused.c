/* What a deck says of conditions and nothing reads: ranges of another problem's, and fixed values beside a range. */
#include "internal.h"
#include <string.h>

static bool has_range(const ScoriaProblem *problem, const char *range)
{
  for (const ScoriaConditionRow *row = problem->conditions; row->name; row++)
    if (!strcmp(row->range, range)) return true;
  for (const ScoriaParameter *of = problem->parameters; of && of->row.name; of++)
    if (!strcmp(of->row.range, range)) return true;
  return false;
}

static PetscErrorCode CheckRange(ScoriaDeck deck, const ScoriaProblem *problem, const ScoriaConditionRow *row)
{
  bool ranged = false;
  PetscFunctionBeginUser;
  if (!has_range(problem, row->range)) PetscCall(ScoriaDeckHas(deck, row->range, &ranged));
  if (ranged)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found, but the problem %s (ensemble_problem) has no %s", row->range,
                problem->name, row->name);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSpaceOfOthers(ScoriaDeck deck)
{
  const ScoriaProblem *problem;
  PetscFunctionBeginUser;
  PetscCall(ProblemOfDeck(deck, &problem));
  for (int i = 0; scoria_problems[i]; i++) {
    for (const ScoriaConditionRow *row = scoria_problems[i]->conditions; row->name; row++)
      PetscCall(CheckRange(deck, problem, row));
    for (const ScoriaParameter *of = scoria_problems[i]->parameters; of && of->row.name; of++)
      PetscCall(CheckRange(deck, problem, &of->row));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSpaceIdle(ScoriaDeck deck, int *i, const char **fixed, const char **range)
{
  const ScoriaConditionRow *rows[SCORIA_MAX_CONDITIONS];
  const ScoriaProblem *problem;
  bool idle = false, ranged;
  int n;
  PetscFunctionBeginUser;
  PetscCall(ProblemOfDeck(deck, &problem));
  PetscCall(ConditionRows(deck, problem, &n, rows));
  for (; *i < n && !idle; ++*i) {
    if (!rows[*i]->fixed) continue;
    PetscCall(ScoriaDeckHas(deck, rows[*i]->range, &ranged));
    PetscCall(ScoriaDeckChanged(deck, rows[*i]->fixed, &idle));
    idle   = idle && ranged;
    *fixed = rows[*i]->fixed;
    *range = rows[*i]->range;
  }
  if (!idle) *fixed = NULL;
  PetscFunctionReturn(0);
}

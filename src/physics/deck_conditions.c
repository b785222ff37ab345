/* The conditions theta of a deck: the problem's own, and time in transient mode; their ranges and fixed values. */
#include "internal.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const ScoriaConditionRow time_row        = {"time", "s", "conditions_time", "ensemble_time", false, false};
/* Of the porosity's marginal law, whatever the problem. */
static const ScoriaConditionRow porosity_rows[] = {
    {"porosity_mean", "", "conditions_porosity_mean", "porosity_mean", false, true},
    {"porosity_sd", "", "conditions_porosity_sd", "porosity_sd", false, true},
};

/* row, where the deck has it as a condition. */
static PetscErrorCode AddRow(ScoriaDeck deck, const ScoriaConditionRow *row, int *n, const ScoriaConditionRow *rows[])
{
  bool ranged;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckHas(deck, row->range, &ranged));
  if (!ranged && (row->optional || !row->fixed)) PetscFunctionReturn(0);
  if (*n == SCORIA_MAX_CONDITIONS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: one condition too many, at most %d, those of fixed value among them",
                row->range, SCORIA_MAX_CONDITIONS);
  rows[(*n)++] = row;
  PetscFunctionReturn(0);
}

PetscErrorCode ConditionRows(ScoriaDeck deck, const ScoriaProblem *problem, int *n, const ScoriaConditionRow *rows[])
{
  bool transient;
  PetscFunctionBeginUser;
  *n = 0;
  for (const ScoriaConditionRow *row = problem->conditions; row->name; row++) PetscCall(AddRow(deck, row, n, rows));
  for (const ScoriaParameter *of = problem->parameters; of && of->row.name; of++)
    PetscCall(AddRow(deck, &of->row, n, rows));
  for (int i = 0; i < 2; i++) PetscCall(AddRow(deck, &porosity_rows[i], n, rows));
  PetscCall(ScoriaDeckIs(deck, "ensemble_mode", "transient", &transient));
  if (transient) PetscCall(AddRow(deck, &time_row, n, rows));
  PetscFunctionReturn(0);
}

/* A condition of every problem, such as the thickness, is within what its own key of this one allows. */
static PetscErrorCode CheckSense(ScoriaDeck deck, const ScoriaConditionRow *row, const double range[2])
{
  const ScoriaKey *key = deck_key(deck, row->fixed);
  PetscFunctionBeginUser;
  if (range[0] < key->lo || range[1] > key->hi)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found [%g, %g] %s, expected numbers from %g to %g %s, as of %s", row->range,
                range[0], range[1], row->unit, key->lo, key->hi, row->unit, row->fixed);
  PetscFunctionReturn(0);
}

PetscErrorCode ParametersOfDeck(ScoriaDeck deck, const ScoriaProblem *problem, void *p, ScoriaVaried *varied)
{
  const ScoriaConditionRow *rows[SCORIA_MAX_CONDITIONS];
  double theta[SCORIA_MAX_CONDITIONS] = {0};
  int n;
  PetscFunctionBeginUser;
  for (const ScoriaParameter *of = problem->parameters; of && of->row.name; of++)
    PetscCall(ScoriaDeckReal(deck, of->row.fixed, (double *)((char *)p + of->offset)));
  PetscCall(ConditionRows(deck, problem, &n, rows));
  varied->n = 0;
  for (int i = 0; i < n; i++)
    for (const ScoriaParameter *of = problem->parameters; of && of->row.name; of++) {
      double range[2];
      if (rows[i] != &of->row) continue;
      PetscCall(ScoriaDeckRange(deck, of->row.range, range));
      PetscCall(CheckSense(deck, &of->row, range));
      theta[i]                       = 0.5 * (range[0] + range[1]);
      varied->of[varied->n].index    = i;
      varied->of[varied->n++].offset = of->offset;
    }
  varied_set(varied, theta, p);
  PetscFunctionReturn(0);
}

void varied_set(const ScoriaVaried *varied, const double theta[], void *p)
{
  for (int i = 0; i < varied->n; i++) *(double *)((char *)p + varied->of[i].offset) = theta[varied->of[i].index];
}

void varied_get(const ScoriaVaried *varied, const void *p, double theta[])
{
  for (int i = 0; i < varied->n; i++)
    theta[varied->of[i].index] = *(const double *)((const char *)p + varied->of[i].offset);
}

bool varied_has(const ScoriaVaried *varied, size_t offset)
{
  for (int i = 0; i < varied->n; i++)
    if (varied->of[i].offset == offset) return true;
  return false;
}

PetscErrorCode ConditionName(const ScoriaConditionRow *row, ScoriaCondition *c)
{
  PetscFunctionBeginUser;
  PetscCall(PetscStrncpy(c->name, row->name, sizeof c->name));
  PetscCall(PetscStrncpy(c->unit, row->unit, sizeof c->unit));
  c->log       = row->log;
  c->thickness = !strcmp(row->range, "conditions_L"); /* of every problem */
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSnapshotTimes(ScoriaDeck deck, PetscInt *n, double times[])
{
  bool transient;
  PetscFunctionBeginUser;
  *n = 0;
  PetscCall(ScoriaDeckIs(deck, "ensemble_mode", "transient", &transient));
  if (!transient) PetscFunctionReturn(0);
  PetscCall(ScoriaDeckReals(deck, "ensemble_times", SCORIA_MAX_TIMES, n, times));
  for (PetscInt i = 1; i < *n; i++)
    if (times[i] <= times[i - 1])
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "ensemble_times: found %g after %g, expected ascending times", times[i],
                  times[i - 1]);
  PetscFunctionReturn(0);
}

/* A library has its own correlation lengths: there is none to choose, and theta holds 0 in its place. */
static PetscErrorCode LengthOfLibrary(ScoriaDeck deck, const ScoriaConditionRow *row, ScoriaCondition *c, bool *is)
{
  bool ranged;
  PetscFunctionBeginUser;
  PetscCall(ScoriaPorosityIsLibrary(deck, is));
  *is = *is && row->fixed && !strcmp(row->fixed, "porosity_ell");
  if (!*is) PetscFunctionReturn(0);
  PetscCall(ScoriaDeckHas(deck, row->range, &ranged));
  if (ranged)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found beside porosity_file, whose structure has its own correlation lengths",
                row->range);
  c->log = false;
  c->lo = c->hi = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode ConditionRange(ScoriaDeck deck, const ScoriaConditionRow *row, ScoriaCondition *c)
{
  double value = NAN, range[2] = {NAN, NAN}, times[SCORIA_MAX_TIMES];
  PetscInt ntimes = 0;
  bool library;
  PetscFunctionBeginUser;
  PetscCall(LengthOfLibrary(deck, row, c, &library));
  if (library) PetscFunctionReturn(0);
  PetscCall(ScoriaDeckRange(deck, row->range, range));
  if (row->fixed) PetscCall(ScoriaDeckReal(deck, row->fixed, &value));
  if (row == &time_row) PetscCall(ScoriaSnapshotTimes(deck, &ntimes, times));
  if (ntimes && (!isnan(range[0]) || !isnan(value)))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "ensemble_times: found beside %s; give one of them",
                isnan(range[0]) ? row->fixed : row->range);
  if (ntimes) {
    range[0] = times[0];
    range[1] = times[ntimes - 1];
  }
  if (isnan(range[0])) range[0] = range[1] = value;
  if (isnan(range[0]))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: not set; give this range [%s], or %s as a fixed value", row->range, row->unit,
                row->fixed);
  if (range[0] > range[1])
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found [%g, %g], expected [lo, hi] with lo < hi", row->range, range[0],
                range[1]);
  c->lo = range[0];
  c->hi = range[1];
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSpaceFixed(ScoriaDeck deck, const ScoriaProblem *problem, ScoriaSpace *space)
{
  const ScoriaConditionRow *rows[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  memset(space, 0, sizeof *space);
  PetscCall(ConditionRows(deck, problem, &space->n, rows));
  for (int i = 0; i < space->n; i++) {
    ScoriaCondition *c = &space->c[i];
    double range[2], value = 0;
    bool ranged;
    PetscCall(ConditionName(rows[i], c));
    PetscCall(ScoriaDeckHas(deck, rows[i]->range, &ranged));
    if (rows[i] == &time_row) { /* a state without its time would be the one at rest: no default, and snapshots count */
      PetscCall(ConditionRange(deck, rows[i], c));
      value = 0.5 * (c->lo + c->hi);
    } else if (ranged) {
      PetscCall(ScoriaDeckRange(deck, rows[i]->range, range));
      value = c->log ? sqrt(range[0] * range[1]) : 0.5 * (range[0] + range[1]);
    } else
      PetscCall(ScoriaDeckReal(deck, rows[i]->fixed, &value));
    c->lo = c->hi = value;
  }
  PetscFunctionReturn(0);
}

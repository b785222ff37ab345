/* The condition at which the deck asks for fields. */
#include "scoria/draw.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Coordinates u beyond which no sample is made: half the width of a training range (u from -1 to 1) outside of it. */
#define FARTHEST 2.0

bool condition_key(ScoriaDeck deck, const char *section, const char *name, char key[2 * SCORIA_NAME_SIZE])
{
  const ScoriaKeyType type = strcmp(section, "sample") ? SCORIA_KEY_REALS : SCORIA_KEY_REAL;
  snprintf(key, 2 * SCORIA_NAME_SIZE, "%s_%s", section, name);
  for (const ScoriaKey *const *table = deck_tables(deck); *table; table++)
    for (const ScoriaKey *row = *table; row->name; row++)
      if (!strcmp(row->name, key)) return row->type == type && !row->value && *table != scoria_score_keys;
  return false;
}

void condition_names(const ScoriaSpace *space, size_t size, char names[])
{
  names[0] = 0;
  for (int i = 0; i < space->n; i++) {
    const size_t used = strlen(names);
    snprintf(names + used, size - used, "%s%s", i ? ", " : "", space->c[i].name);
  }
}

/* Conditions by a list, [rate=1.5]. */
static PetscErrorCode SampleAt(ScoriaDeck deck, const ScoriaSpace *space, double theta[], bool *asked)
{
  const char *list = NULL;
  char name[SCORIA_NAME_SIZE], value[64], names[256], key[2 * SCORIA_NAME_SIZE];
  bool found, twice = false;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "sample_at", &list));
  for (;;) {
    PetscCall(ScoriaListPair("sample_at", &list, sizeof value, name, value, &found));
    if (!found) break;
    const int i = space_find(space, name);
    condition_names(space, sizeof names, names);
    if (i < 0)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "sample_at: found \"%s\", which is no condition of the model: expected one of %s",
                  name, names);
    if (condition_key(deck, "sample", name, key)) PetscCall(ScoriaDeckHas(deck, key, &twice));
    if (twice) SCORIA_FAIL(SCORIA_EXIT_INPUT, "sample_at: found \"%s\" beside %s; give one of them", name, key);
    PetscCall(ScoriaListNumber("sample_at", name, value, &theta[i]));
    *asked = true;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaConditionRefuseUnused(ScoriaDeck deck, const ScoriaSpace *space, const char *section)
{
  static const char ranges[] = "conditions_";
  char names[256];
  PetscFunctionBeginUser;
  for (const ScoriaKey *const *table = deck_tables(deck); *table; table++)
    for (const ScoriaKey *row = *table; row->name; row++) {
      const char *name = row->name + sizeof ranges - 1;
      char key[2 * SCORIA_NAME_SIZE];
      bool set;
      if (row->type != SCORIA_KEY_RANGE || strncmp(row->name, ranges, sizeof ranges - 1)) continue;
      if (space_find(space, name) >= 0) continue;
      PetscCall(PetscSNPrintf(key, sizeof key, "%s_%s", section, name));
      if (!deck_declares(deck, key)) continue;
      PetscCall(ScoriaDeckHas(deck, key, &set));
      condition_names(space, sizeof names, names);
      if (set)
        SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s is no condition here, and would change nothing; there are %s", key, name,
                    names);
    }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaConditionOfSamples(ScoriaDeck deck, const ScoriaSpace *space, double theta[], bool *asked)
{
  double middle[SCORIA_MAX_CONDITIONS] = {0};
  PetscFunctionBeginUser;
  PetscCall(ScoriaConditionRefuseUnused(deck, space, "sample"));
  *asked = false;
  space_from_unit(space, middle, theta);
  PetscCall(SampleAt(deck, space, theta, asked));
  for (int i = 0; i < space->n; i++) {
    char key[2 * SCORIA_NAME_SIZE];
    bool set;
    if (!condition_key(deck, "sample", space->c[i].name, key)) continue;
    PetscCall(ScoriaDeckReal(deck, key, &theta[i]));
    PetscCall(ScoriaDeckHas(deck, key, &set));
    *asked = *asked || set;
  }
  PetscFunctionReturn(0);
}

/* Snapshots of which no two that follow each other are farther apart than this tell what lies between: half-widths of
 * the range, in the coordinate that the model learns.  Measured on six, .4 apart (benchmarks/few_rows.md). */
#define SNAPSHOTS_APART 0.5

/* The largest gap between times, as the model of `space` learns condition k. */
static double largest_gap(const ScoriaSpace *space, int k, int n, const double times[])
{
  double theta[SCORIA_MAX_CONDITIONS], u[SCORIA_MAX_CONDITIONS], before = 0, largest = 0;
  for (int i = 0; i < space->n; i++) theta[i] = space->c[i].lo;
  for (int i = 0; i < n; i++) {
    theta[k] = times[i];
    space_to_learned(space, theta, u);
    if (i) largest = fmax(largest, u[k] - before);
    before = u[k];
  }
  return largest;
}

/* Between two times of few, or uneven ones, no row tells the model what happens. */
static PetscErrorCode CheckTime(ScoriaRun run, ScoriaDeck deck, const char *command, const ScoriaSpace *space, int k,
                                double time)
{
  double times[SCORIA_MAX_TIMES], before = -INFINITY, behind = INFINITY;
  PetscInt n;
  bool strict = false;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSnapshotTimes(deck, &n, times));
  for (PetscInt i = 0; i < n; i++) {
    if (fabs(times[i] - time) <= 1e-9 * time) PetscFunctionReturn(0);
    if (times[i] < time) before = PetscMax(before, times[i]);
    if (times[i] > time) behind = PetscMin(behind, times[i]);
  }
  if (!isfinite(before) || !isfinite(behind)) PetscFunctionReturn(0); /* none, or outside of them, which is told */
  if (largest_gap(space, k, (int)n, times) <= SNAPSHOTS_APART) PetscFunctionReturn(0);
  PetscCall(ScoriaDeckBool(deck, "strict", &strict));
  if (strict)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: time: found %g s, the model was trained at %g and %g s and at no time between",
                command, time, before, behind);
  PetscCall(ScoriaSay(run,
                      "  WARNING: time = %g s lies between the ensemble.times %g and %g s: these are too few, or too "
                      "uneven, to tell the model what is between, and its answer may be far off",
                      time, before, behind));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaConditionCheckRange(ScoriaRun run, ScoriaDeck deck, const char *command, const ScoriaSpace *space,
                                         const double theta[])
{
  double u[SCORIA_MAX_CONDITIONS], learned[SCORIA_MAX_CONDITIONS];
  bool strict = false;
  PetscFunctionBeginUser;
  space_to_unit(space, theta, u);
  space_to_learned(space, theta, learned);
  PetscCall(ScoriaDeckBool(deck, "strict", &strict));
  for (int i = 0; i < space->n; i++) {
    const ScoriaCondition *c = &space->c[i];
    if (!strcmp(c->name, "time")) PetscCall(CheckTime(run, deck, command, space, i, theta[i]));
    if (condition_inside(c, theta[i])) continue;
    if (strict || c->lo == c->hi)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found %g %s, the model was trained %s [%g, %g]", command, c->name,
                  theta[i], c->unit, c->lo == c->hi ? "at one value only:" : "on", c->lo, c->hi);
    if (!(fabs(u[i]) <= FARTHEST && fabs(learned[i]) <= FARTHEST))
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "%s: %s: found %g %s, the model was trained on [%g, %g]: extrapolation by more than half of that "
                  "range is refused",
                  command, c->name, theta[i], c->unit, c->lo, c->hi);
    PetscCall(ScoriaSay(run, "  WARNING: %s = %g %s is outside the training range [%g, %g]: the model extrapolates",
                        c->name, theta[i], c->unit, c->lo, c->hi));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaConditionsCheckReach(ScoriaRun run, ScoriaDeck deck, const char *command, const ScoriaSpace *space,
                                          const ScoriaReach *reach, int64_t n, const double theta[])
{
  double u[SCORIA_MAX_CONDITIONS];
  int64_t beyond = 0, farthest = 0;
  double most = 1;
  bool strict = false;
  char text[256], of[96] = "";
  PetscFunctionBeginUser;
  if (!reach) PetscFunctionReturn(0);
  for (int64_t k = 0; k < n; k++) {
    const double *at = theta + k * space->n;
    bool inside      = true;
    for (int i = 0; i < space->n; i++) inside = inside && condition_inside(&space->c[i], at[i]);
    if (!inside) continue; /* which is told of each */
    space_to_unit(space, at, u);
    const double excess = reach_excess(reach, u);
    beyond += excess > 1;
    if (excess <= most) continue;
    most     = excess;
    farthest = k;
  }
  if (!beyond) PetscFunctionReturn(0);
  space_describe(space, theta + farthest * space->n, sizeof text, text);
  PetscCall(ScoriaDeckBool(deck, "strict", &strict));
  if (strict)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: found %s, which is inside all ranges but %.2g times as far out as the training "
                "conditions, which go together",
                command, text, most);
  if (n > 1) snprintf(of, sizeof of, "%lld of %lld conditions, the farthest ", (long long)beyond, (long long)n);
  PetscCall(ScoriaSay(run,
                      "  WARNING: %s%s: inside all ranges, but %.2g times as far out as the training conditions, "
                      "which go together: the model extrapolates",
                      of, text, most));
  PetscFunctionReturn(0);
}

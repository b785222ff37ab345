/* The conditions theta of a deck: the problem's own, and time in transient mode; their ranges, and the points of its
 * design. */
#include "internal.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_TIMES 64

static const ScoriaConditionRow time_row = {"time", "s", "conditions_time", "ensemble_time", false};

/* The conditions that the deck has: those of the problem that are always there or have a range, and time. */
static PetscErrorCode ConditionRows(ScoriaDeck deck, const ScoriaProblem *problem, int *n,
                                    const ScoriaConditionRow *rows[])
{
  PetscInt mode = 0;
  PetscFunctionBeginUser;
  *n = 0;
  for (const ScoriaConditionRow *row = problem->conditions; row->name; row++) {
    bool ranged;
    PetscCall(ScoriaDeckHas(deck, row->range, &ranged));
    if (row->fixed || ranged) rows[(*n)++] = row;
  }
  PetscCall(ScoriaDeckChoice(deck, "ensemble_mode", &mode));
  if (mode == 1) rows[(*n)++] = &time_row;
  PetscFunctionReturn(0);
}

static PetscErrorCode NameCondition(const ScoriaConditionRow *row, ScoriaCondition *c)
{
  PetscFunctionBeginUser;
  PetscCall(PetscStrncpy(c->name, row->name, sizeof c->name));
  PetscCall(PetscStrncpy(c->unit, row->unit, sizeof c->unit));
  c->log = row->log;
  PetscFunctionReturn(0);
}

/* In the order of the choices of conditions_design. */
enum { DESIGN_SOBOL, DESIGN_LHS, DESIGN_RANDOM, DESIGN_FILE };

/* The table of conditions_file, read once and kept until PETSc ends: a design is asked point by point. */
static struct {
  char path[PETSC_MAX_PATH_LEN];
  int64_t rows;
  int columns;
  double *theta; /* owned, (rows, columns) */
} table;

static PetscErrorCode ForgetTable(void)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(table.theta));
  table.path[0] = 0;
  PetscFunctionReturn(0);
}

static PetscErrorCode LoadTable(ScoriaDeck deck, const ScoriaSpace *space)
{
  const char *path = NULL;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "conditions_file", &path));
  if (!path) SCORIA_FAIL(SCORIA_EXIT_INPUT, "conditions_file: not set, but conditions_design is file");
  if (!strcmp(path, table.path) && space->n == table.columns) PetscFunctionReturn(0);
  if (!table.theta) PetscCall(PetscRegisterFinalize(ForgetTable));
  PetscCall(ForgetTable());
  PetscCall(ScoriaConditionsRead(PETSC_COMM_WORLD, path, space, &table.rows, &table.theta));
  table.columns = space->n;
  PetscCall(PetscStrncpy(table.path, path, sizeof table.path));
  PetscFunctionReturn(0);
}

/* The range that the file's column spans; a range that the deck gives must hold it. */
static PetscErrorCode RangeOfColumn(ScoriaDeck deck, const ScoriaConditionRow *row, int i, ScoriaCondition *c)
{
  double lo = table.theta[i], hi = table.theta[i], given[2] = {-INFINITY, INFINITY};
  PetscFunctionBeginUser;
  for (int64_t r = 1; r < table.rows; r++) {
    lo = fmin(lo, table.theta[r * table.columns + i]);
    hi = fmax(hi, table.theta[r * table.columns + i]);
  }
  PetscCall(ScoriaDeckRange(deck, row->range, given));
  if (lo < given[0] || hi > given[1])
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "conditions_file %s: found %s from %g to %g %s, allowed from %g to %g (%s)",
                table.path, row->name, lo, hi, row->unit, given[0], given[1], row->range);
  c->lo = isfinite(given[0]) ? given[0] : lo;
  c->hi = isfinite(given[1]) ? given[1] : hi;
  PetscFunctionReturn(0);
}

/* The times that a transient deck lists, in steady mode none. */
static PetscErrorCode SnapshotTimes(ScoriaDeck deck, PetscInt *n, double times[])
{
  PetscInt mode = 0;
  PetscFunctionBeginUser;
  *n = 0;
  PetscCall(ScoriaDeckChoice(deck, "ensemble_mode", &mode));
  if (mode == 0) PetscFunctionReturn(0);
  PetscCall(ScoriaDeckReals(deck, "ensemble_times", MAX_TIMES, n, times));
  for (PetscInt i = 1; i < *n; i++)
    if (times[i] <= times[i - 1])
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "ensemble_times: found %g after %g, expected ascending times", times[i],
                  times[i - 1]);
  PetscFunctionReturn(0);
}

static PetscErrorCode RangeOfDeck(ScoriaDeck deck, const ScoriaConditionRow *row, ScoriaCondition *c)
{
  double value = NAN, range[2] = {NAN, NAN}, times[MAX_TIMES];
  PetscInt ntimes = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckRange(deck, row->range, range));
  if (row->fixed) PetscCall(ScoriaDeckReal(deck, row->fixed, &value));
  if (row == &time_row) PetscCall(SnapshotTimes(deck, &ntimes, times));
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

PetscErrorCode ScoriaSpaceFromDeck(ScoriaDeck deck, const ScoriaProblem *problem, const void *parameters,
                                   ScoriaSpace *space)
{
  const ScoriaConditionRow *rows[SCORIA_MAX_CONDITIONS];
  char all[256]   = "";
  PetscInt design = DESIGN_SOBOL;
  bool varies     = false;
  PetscFunctionBeginUser;
  memset(space, 0, sizeof *space);
  PetscCall(ConditionRows(deck, problem, &space->n, rows));
  PetscCall(ScoriaDeckChoice(deck, "conditions_design", &design));
  for (int i = 0; i < space->n; i++) PetscCall(NameCondition(rows[i], &space->c[i]));
  if (design == DESIGN_FILE) PetscCall(LoadTable(deck, space));
  for (int i = 0; i < space->n; i++) {
    ScoriaCondition *c = &space->c[i];
    if (design == DESIGN_FILE)
      PetscCall(RangeOfColumn(deck, rows[i], i, c));
    else
      PetscCall(RangeOfDeck(deck, rows[i], c));
    varies = varies || c->lo < c->hi;
    snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", rows[i]->range);
  }
  if (!varies)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "conditions: no condition varies; give at least one of %s as [lo, hi]", all);
  if (problem->check) PetscCall(problem->check(parameters, space));
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
    PetscCall(NameCondition(rows[i], c));
    PetscCall(ScoriaDeckHas(deck, rows[i]->range, &ranged));
    if (rows[i] == &time_row) { /* a state without its time would be the one at rest: no default, and snapshots count */
      PetscCall(RangeOfDeck(deck, rows[i], c));
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

PetscErrorCode ScoriaSpaceIdle(ScoriaDeck deck, int *i, const char **fixed, const char **range)
{
  const ScoriaConditionRow *rows[SCORIA_MAX_CONDITIONS];
  PetscInt problem = 0;
  bool idle        = false, ranged;
  int n;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckChoice(deck, "ensemble_problem", &problem));
  PetscCall(ConditionRows(deck, scoria_problems[problem], &n, rows));
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

/* Snapshot times go round over the conditions, each set of other conditions meeting all of them. */
static PetscErrorCode SnapshotIndex(ScoriaDeck deck, bool heldout, int64_t *index, int64_t *count, double *time)
{
  PetscInt n;
  double times[MAX_TIMES];
  PetscFunctionBeginUser;
  *time = NAN;
  PetscCall(SnapshotTimes(deck, &n, times));
  if (n == 0) PetscFunctionReturn(0);
  *time = times[*index % n];
  if (heldout) PetscFunctionReturn(0); /* independent points */
  *index /= n;
  *count = (*count + n - 1) / n;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDesignTheta(ScoriaDeck deck, const ScoriaSpace *space, bool heldout, int64_t index, int64_t count,
                                 double theta[])
{
  double u[SCORIA_MAX_CONDITIONS], time;
  PetscInt design = DESIGN_SOBOL, number = 1;
  PetscFunctionBeginUser;
  PetscCheck(index >= 0 && index < count, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "Point %lld of a design of %lld",
             (long long)index, (long long)count);
  PetscCall(ScoriaDeckChoice(deck, "conditions_design", &design));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &number));
  const uint64_t seed = (uint64_t)number;
  if (!heldout && design == DESIGN_FILE) {
    PetscCall(LoadTable(deck, space));
    if (count > table.rows)
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "conditions_file %s: found %lld conditions, expected at least %lld (ensemble_conditions)", table.path,
                  (long long)table.rows, (long long)count);
    memcpy(theta, table.theta + index * space->n, (size_t)space->n * sizeof(double));
    PetscFunctionReturn(0);
  }
  PetscCall(SnapshotIndex(deck, heldout, &index, &count, &time));
  if (heldout)
    rng_uniform(seed, SCORIA_STREAM_HELDOUT, (uint64_t)index, 0, space->n, u);
  else if (design == DESIGN_SOBOL)
    sobol_point(seed, space->n, (uint64_t)index, u);
  else if (design == DESIGN_LHS)
    lhs_point(seed, space->n, (uint64_t)index, (uint64_t)count, u);
  else
    rng_uniform(seed, SCORIA_STREAM_CONDITION, (uint64_t)index, 0, space->n, u);
  for (int i = 0; i < space->n; i++) u[i] = 2.0 * u[i] - 1.0;
  space_from_unit(space, u, theta);
  if (!isnan(time)) theta[space->n - 1] = time; /* time is the last condition */
  PetscFunctionReturn(0);
}

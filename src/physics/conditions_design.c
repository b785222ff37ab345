/* The design of a deck: its conditions one by one, read from the deck once. */
#include "internal.h"
#include "conditions_design.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* How conditions fill their ranges, by the words of conditions_design. */
typedef struct {
  const char *name;
  void (*point)(uint64_t seed, int d, uint64_t index, uint64_t count,
                double u[]); /* in (0, 1); NULL: read from a file */
} DesignRow;

struct ScoriaDesign_ {
  const DesignRow *row;
  ScoriaSpace space;
  uint64_t seed;
  PetscInt ntimes; /* snapshot times; 0: time is a condition like others, or there is none */
  double times[SCORIA_MAX_TIMES];
  const char *path;          /* borrowed from the deck; NULL without a file of conditions */
  ScoriaConditionsFile file; /* owned; NULL without */
};

/* ------------------------------------------------------------------------------------------------- designs ---- */

static void sobol(uint64_t seed, int d, uint64_t index, uint64_t count, double u[])
{
  (void)count;
  sobol_point(seed, d, index, u);
}

static void independent(uint64_t seed, int d, uint64_t index, uint64_t count, double u[])
{
  (void)count;
  rng_uniform(seed, SCORIA_STREAM_CONDITION, index, 0, d, u);
}

static const DesignRow designs[] = {
    {"sobol", sobol}, {"lhs", lhs_point}, {"random", independent}, {"file", NULL}, {NULL, NULL}};
const ScoriaChoices condition_designs = {.table = designs, .size = sizeof *designs};

/* ----------------------------------------------------------------------------------------------------- file ---- */

static PetscErrorCode OpenFile(ScoriaDeck deck, ScoriaDesign design)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "conditions_file", &design->path));
  if (!design->path) SCORIA_FAIL(SCORIA_EXIT_INPUT, "conditions_file: not set, but conditions_design is file");
  PetscCall(ScoriaConditionsOpen(PETSC_COMM_WORLD, design->path, &design->space, &design->file));
  PetscFunctionReturn(0);
}

/* The range that the file's column spans; a range that the deck gives must hold it. */
static PetscErrorCode RangeOfColumn(ScoriaDeck deck, const ScoriaConditionRow *row, int i, ScoriaDesign design)
{
  const double lo = conditions_range(design->file, i)[0], hi = conditions_range(design->file, i)[1];
  ScoriaCondition *c = &design->space.c[i];
  double given[2]    = {-INFINITY, INFINITY};
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckRange(deck, row->range, given));
  if (lo < given[0] || hi > given[1])
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "conditions_file %s: found %s from %g to %g %s, allowed from %g to %g (%s)",
                design->path, row->name, lo, hi, row->unit, given[0], given[1], row->range);
  c->lo = isfinite(given[0]) ? given[0] : lo;
  c->hi = isfinite(given[1]) ? given[1] : hi;
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ life cycle ---- */

/* Names, units and ranges of the conditions, from the deck or its file. */
static PetscErrorCode MakeSpace(ScoriaDeck deck, const ScoriaProblem *problem, ScoriaDesign design)
{
  const ScoriaConditionRow *rows[SCORIA_MAX_CONDITIONS];
  ScoriaSpace *space = &design->space;
  char all[256]      = "";
  bool varies        = false;
  PetscFunctionBeginUser;
  PetscCall(ConditionRows(deck, problem, &space->n, rows));
  for (int i = 0; i < space->n; i++) PetscCall(ConditionName(rows[i], &space->c[i]));
  if (!design->row->point) PetscCall(OpenFile(deck, design));
  for (int i = 0; i < space->n; i++) {
    if (design->file)
      PetscCall(RangeOfColumn(deck, rows[i], i, design));
    else
      PetscCall(ConditionRange(deck, rows[i], &space->c[i]));
    varies = varies || space->c[i].lo < space->c[i].hi;
    snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", rows[i]->range);
  }
  if (!varies)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "conditions: no condition varies; give at least one of %s as [lo, hi]", all);
  PetscFunctionReturn(0);
}

static PetscErrorCode Fill(ScoriaDeck deck, const ScoriaProblem *problem, const void *parameters, ScoriaDesign design)
{
  PetscInt seed = 1;
  int row       = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckRow(deck, "conditions_design", designs, sizeof *designs, &row));
  design->row = &designs[row];
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  design->seed = (uint64_t)seed;
  PetscCall(MakeSpace(deck, problem, design));
  if (problem->check) PetscCall(problem->check(parameters, &design->space));
  PetscCall(ScoriaSnapshotTimes(deck, &design->ntimes, design->times));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDesignCreate(ScoriaDeck deck, const ScoriaProblem *problem, const void *parameters,
                                  ScoriaDesign *design)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(design));
  const PetscErrorCode failed = Fill(deck, problem, parameters, *design);
  if (failed) PetscCall(ScoriaDesignDestroy(design));
  PetscFunctionReturn(failed);
}

PetscErrorCode ScoriaDesignDestroy(ScoriaDesign *design)
{
  PetscFunctionBeginUser;
  if (!*design) PetscFunctionReturn(0);
  PetscCall(ScoriaConditionsClose(&(*design)->file));
  PetscCall(PetscFree(*design));
  PetscFunctionReturn(0);
}

const ScoriaSpace *design_space(ScoriaDesign design)
{
  return &design->space;
}

/* Snapshot times go round over the conditions, each set of other conditions meeting all of them.  NaN without times. */
static double snapshot(ScoriaDesign design, bool heldout, int64_t *index, int64_t *count)
{
  const PetscInt n = design->ntimes;
  if (n == 0) return NAN;
  const double time = design->times[*index % n];
  if (heldout) return time; /* independent points */
  *index /= n;
  *count = (*count + n - 1) / n;
  return time;
}

PetscErrorCode ScoriaDesignTheta(ScoriaDesign design, bool heldout, int64_t index, int64_t count, double theta[])
{
  const ScoriaSpace *space = &design->space;
  double u[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  PetscCheck(index >= 0 && index < count, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "Point %lld of a design of %lld",
             (long long)index, (long long)count);
  if (!heldout && design->file) {
    if (count > conditions_rows(design->file))
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "conditions_file %s: found %lld conditions, expected at least %lld (ensemble_conditions)",
                  design->path, (long long)conditions_rows(design->file), (long long)count);
    PetscCall(ScoriaConditionsAt(design->file, index, theta));
    PetscFunctionReturn(0);
  }
  const double time = snapshot(design, heldout, &index, &count);
  if (heldout)
    rng_uniform(design->seed, SCORIA_STREAM_HELDOUT, (uint64_t)index, 0, space->n, u);
  else
    design->row->point(design->seed, space->n, (uint64_t)index, (uint64_t)count, u);
  for (int i = 0; i < space->n; i++) u[i] = 2.0 * u[i] - 1.0;
  space_from_unit(space, u, theta);
  if (!isnan(time)) theta[space->n - 1] = time; /* time is the last condition */
  PetscFunctionReturn(0);
}

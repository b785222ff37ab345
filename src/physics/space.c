/* The conditions theta = (U0, F_right, ell) of a deck: their ranges, and the points of its design. */
#include "internal.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
  const char *name, *unit, *range, *fixed;
  bool log;
} condition[SCORIA_NTHETA] = {
    [SCORIA_U0]      = {"U0", "V", "conditions_U0", "electrode_U0", false},
    [SCORIA_F_RIGHT] = {"F_right", "A m^-2", "conditions_F_right", "electrode_F_right", false},
    [SCORIA_ELL]     = {"ell", "m", "conditions_ell", "porosity_ell", true},
};

/* In the order of the choices of conditions_design. */
enum { DESIGN_SOBOL, DESIGN_LHS, DESIGN_RANDOM, DESIGN_FILE };

/* The table of conditions_file, read once and kept until PETSc ends: a design is asked point by point. */
static struct {
  char path[PETSC_MAX_PATH_LEN];
  int64_t rows;
  double *theta; /* owned, (rows, SCORIA_NTHETA) */
} table;

static PetscErrorCode ForgetTable(void)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(table.theta));
  table.path[0] = 0;
  PetscFunctionReturn(0);
}

static PetscErrorCode LoadTable(ScoriaDeck deck)
{
  const char *path = NULL;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "conditions_file", &path));
  if (!path) SCORIA_FAIL(SCORIA_EXIT_INPUT, "conditions_file: not set, but conditions_design is file");
  if (!strcmp(path, table.path)) PetscFunctionReturn(0);
  if (!table.theta) PetscCall(PetscRegisterFinalize(ForgetTable));
  PetscCall(ForgetTable());
  PetscCall(ScoriaConditionsRead(PETSC_COMM_WORLD, path, &table.rows, &table.theta));
  PetscCall(PetscStrncpy(table.path, path, sizeof table.path));
  PetscFunctionReturn(0);
}

/* The range that the file's column spans; a range that the deck gives must hold it. */
static PetscErrorCode RangeOfColumn(ScoriaDeck deck, int i, ScoriaCondition *c)
{
  double lo = table.theta[i], hi = table.theta[i], given[2] = {-INFINITY, INFINITY};
  PetscFunctionBeginUser;
  for (int64_t r = 1; r < table.rows; r++) {
    lo = fmin(lo, table.theta[r * SCORIA_NTHETA + i]);
    hi = fmax(hi, table.theta[r * SCORIA_NTHETA + i]);
  }
  PetscCall(ScoriaDeckRange(deck, condition[i].range, given));
  if (lo < given[0] || hi > given[1])
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "conditions_file %s: found %s from %g to %g %s, allowed from %g to %g (%s)",
                table.path, condition[i].name, lo, hi, condition[i].unit, given[0], given[1], condition[i].range);
  c->lo = isfinite(given[0]) ? given[0] : lo;
  c->hi = isfinite(given[1]) ? given[1] : hi;
  PetscFunctionReturn(0);
}

static PetscErrorCode RangeOfDeck(ScoriaDeck deck, int i, ScoriaCondition *c)
{
  double value = NAN, range[2] = {NAN, NAN};
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckRange(deck, condition[i].range, range));
  PetscCall(ScoriaDeckReal(deck, condition[i].fixed, &value));
  if (isnan(range[0])) range[0] = range[1] = value;
  if (isnan(range[0]))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: not set; give this range [%s], or %s as a fixed value", condition[i].range,
                condition[i].unit, condition[i].fixed);
  if (range[0] > range[1])
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found [%g, %g], expected [lo, hi] with lo < hi", condition[i].range, range[0],
                range[1]);
  c->lo = range[0];
  c->hi = range[1];
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckOpenCircuit(const ScoriaElectrode *el, const ScoriaCondition *c)
{
  const char *key = c->lo < c->hi ? "conditions_U0" : "electrode_U0";
  double allowed[2];
  PetscFunctionBeginUser;
  PetscCall(ScoriaElectrodeRangeU0(el, allowed));
  if (c->lo < allowed[0] || c->hi > allowed[1])
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found [%g, %g] V, allowed inside the open-circuit curve of %s, [%.4f, %.4f] V",
                key, c->lo, c->hi, scoria_ocps[el->ocp].name, allowed[0], allowed[1]);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSpaceFromDeck(ScoriaDeck deck, const ScoriaElectrode *el, ScoriaSpace *space)
{
  PetscInt design = DESIGN_SOBOL;
  bool varies     = false;
  PetscFunctionBeginUser;
  memset(space, 0, sizeof *space);
  space->n = SCORIA_NTHETA;
  PetscCall(ScoriaDeckChoice(deck, "conditions_design", &design));
  if (design == DESIGN_FILE) PetscCall(LoadTable(deck));
  for (int i = 0; i < SCORIA_NTHETA; i++) {
    ScoriaCondition *c = &space->c[i];
    PetscCall(PetscStrncpy(c->name, condition[i].name, sizeof c->name));
    PetscCall(PetscStrncpy(c->unit, condition[i].unit, sizeof c->unit));
    c->log = condition[i].log;
    if (design == DESIGN_FILE)
      PetscCall(RangeOfColumn(deck, i, c));
    else
      PetscCall(RangeOfDeck(deck, i, c));
    varies = varies || c->lo < c->hi;
  }
  if (!varies)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "conditions: no condition varies; give at least one of conditions_U0, "
                                   "conditions_F_right, conditions_ell as [lo, hi]");
  PetscCall(CheckOpenCircuit(el, &space->c[SCORIA_U0]));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDesignTheta(ScoriaDeck deck, const ScoriaSpace *space, bool heldout, int64_t index, int64_t count,
                                 double theta[])
{
  double u[SCORIA_MAX_CONDITIONS];
  PetscInt design = DESIGN_SOBOL, number = 1;
  PetscFunctionBeginUser;
  PetscCheck(index >= 0 && index < count, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "Point %lld of a design of %lld",
             (long long)index, (long long)count);
  PetscCall(ScoriaDeckChoice(deck, "conditions_design", &design));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &number));
  const uint64_t seed = (uint64_t)number;
  if (!heldout && design == DESIGN_FILE) {
    PetscCall(LoadTable(deck));
    if (count > table.rows)
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "conditions_file %s: found %lld conditions, expected at least %lld (ensemble_conditions)", table.path,
                  (long long)table.rows, (long long)count);
    memcpy(theta, table.theta + index * SCORIA_NTHETA, SCORIA_NTHETA * sizeof(double));
    PetscFunctionReturn(0);
  }
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
  PetscFunctionReturn(0);
}

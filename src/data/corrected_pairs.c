/* How rows of two fidelities belong together. */
#include "correcting.h"
#include "scoria/score.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STANDARD_LEAST 16             /* with fewer, those of all conditions together */
#define READ_BYTES ((size_t)16 << 20) /* of rows that are read at a time */

/* ------------------------------------------------------------------------------------------------ what fits ---- */

static PetscErrorCode MatchFields(Correcting *c)
{
  const ScoriaDatasetSpec *dear = &c->of_dear, *cheap = &c->of_cheap;
  char cells[2][64];
  PetscFunctionBeginUser;
  PetscCall(ScoriaFieldsAlike(dear->nfields, dear->field, "train_cheap"));
  PetscCall(ScoriaFieldsAlike(cheap->nfields, cheap->field, c->path));
  spec_cells_text(dear, sizeof cells[0], cells[0]);
  spec_cells_text(cheap, sizeof cells[1], cells[1]);
  if (memcmp(dear->shape, cheap->shape, sizeof dear->shape))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found rows of %s, expected %s, as dataset.h5 has", c->path, cells[1], cells[0]);
  for (int f = 0; f < dear->nfields; f++) {
    const ScoriaField *field = &dear->field[f];
    const int there          = field_find(cheap->nfields, cheap->field, field->name);
    if (!field_is_state(field)) continue;
    if (there < 0 || strcmp(cheap->field[there].unit, field->unit))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found %s%s, expected field %s [%s], as dataset.h5 has", c->path,
                  there < 0 ? "no such field" : "unit ", there < 0 ? "" : cheap->field[there].unit, field->name,
                  field->unit);
    c->dear_field[c->channels]    = f;
    c->cheap_field[c->channels++] = there;
  }
  c->dear_eps  = field_find(dear->nfields, dear->field, "eps");
  c->cheap_eps = field_find(cheap->nfields, cheap->field, "eps");
  PetscFunctionReturn(0);
}

static PetscErrorCode MatchSpaces(Correcting *c)
{
  const ScoriaSpace *dear = &c->of_dear.space, *cheap = &c->of_cheap.space;
  bool same = dear->n == cheap->n;
  PetscFunctionBeginUser;
  for (int k = 0; k < dear->n && same; k++) same = !strcmp(dear->c[k].name, cheap->c[k].name);
  if (!same) {
    char here[512], there[512];
    condition_names(dear, sizeof here, here);
    condition_names(cheap, sizeof there, there);
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found conditions %s, expected %s, as dataset.h5 has", c->path, there, here);
  }
  if (c->of_cheap.realisations < c->of_dear.realisations)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found %lld rows of a condition, expected at least %lld, as dataset.h5 has",
                c->path, (long long)c->of_cheap.realisations, (long long)c->of_dear.realisations);
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------- conditions ---- */

typedef struct {
  int64_t key[SCORIA_MAX_CONDITIONS]; /* unit coordinates to nine digits */
  int64_t condition;
} Place;

static int by_key(const void *a, const void *b)
{
  const Place *p = a, *q = b;
  for (int k = 0; k < SCORIA_MAX_CONDITIONS; k++)
    if (p->key[k] != q->key[k]) return p->key[k] < q->key[k] ? -1 : 1;
  return 0;
}

static int by_key_then_number(const void *a, const void *b)
{
  const Place *p = a, *q = b;
  const int order = by_key(a, b);
  return order ? order : (p->condition > q->condition) - (p->condition < q->condition);
}

/* All conditions of a dataset in the coordinates that models of dataset.h5 learn: unit (number, n), places (number).
 * Collective. */
static PetscErrorCode ReadPlaces(const ScoriaSpace *space, ScoriaDataset ds, int64_t number, double unit[],
                                 Place places[])
{
  double *theta;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(number * PetscMax(space->n, 1), &theta));
  PetscCall(ScoriaDatasetReadTheta(ds, 0, number, theta));
  for (int64_t i = 0; i < number; i++) {
    places[i] = (Place){.condition = i};
    space_to_learned(space, theta + i * space->n, unit + i * space->n);
    for (int k = 0; k < space->n; k++) {
      const double u   = space->c[k].lo < space->c[k].hi ? unit[i * space->n + k] : theta[i * space->n + k];
      places[i].key[k] = isfinite(u) && fabs(u) < 1e9 ? llrint(1e9 * u) : INT64_MAX;
    }
  }
  PetscCall(PetscFree(theta));
  PetscFunctionReturn(0);
}

static bool inside(int n, const double u[])
{
  for (int k = 0; k < n; k++)
    if (!(fabs(u[k]) <= 1 + 1e-9)) return false;
  return true;
}

/* Conditions that only the cheap rows have, within the ranges of dataset.h5: elsewhere nothing teaches the correction.
 */
static PetscErrorCode FindOthers(Correcting *c, int64_t number, const double unit[], bool taken[])
{
  const int n = c->of_dear.space.n;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(number, &c->other));
  for (int64_t i = 0; i < number; i++) {
    if (taken[i] || !inside(n, unit + i * n)) continue;
    PetscCall(PetscArraycpy(c->unit + (c->conditions + c->others) * n, unit + i * n, n));
    c->other[c->others++] = i;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode MatchConditions(Correcting *c)
{
  const int64_t number = c->of_cheap.rows / c->of_cheap.realisations;
  const int n          = c->of_dear.space.n;
  ScoriaSpace space    = c->of_dear.space;
  Place *here, *there;
  double *unit;
  bool *taken;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc4(c->conditions, &here, number, &there, number * PetscMax(n, 1), &unit, number, &taken));
  PetscCall(PetscArrayzero(taken, number));
  PetscCall(PetscMalloc1((c->conditions + number) * PetscMax(n, 1), &c->unit));
  PetscCall(PetscMalloc1(c->conditions, &c->match));
  PetscCall(ScoriaSpaceLearned(ScoriaRunComm(c->run), c->dear, &space));
  PetscCall(ReadPlaces(&space, c->dear, c->conditions, c->unit, here));
  PetscCall(ReadPlaces(&space, c->cheap, number, unit, there));
  qsort(there, (size_t)number, sizeof *there, by_key_then_number);
  for (int64_t i = 0; i < c->conditions; i++) {
    const Place *found = bsearch(&here[i], there, (size_t)number, sizeof *there, by_key);
    while (found && found > there && !by_key(found - 1, found)) found--;
    c->match[i] = found ? found->condition : -1;
    c->paired += found != NULL;
    for (; found && found < there + number && !by_key(found, &here[i]); found++) taken[found->condition] = true;
  }
  PetscCall(FindOthers(c, number, unit, taken));
  PetscCall(PetscFree4(here, there, unit, taken));
  if (!c->paired)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: none of its %lld conditions is one of dataset.h5: there are no pairs", c->path,
                (long long)number);
  PetscFunctionReturn(0);
}

PetscErrorCode CorrectingOpen(ScoriaRun run, ScoriaDeck deck, ScoriaDataset dear, ScoriaDataset cheap, const char *path,
                              const ScoriaTwin *twin, Correcting *c)
{
  const ScoriaDatasetSpec *spec;
  PetscInt seed = 0;
  PetscFunctionBeginUser;
  *c = (Correcting){.run = run, .dear = dear, .cheap = cheap, .path = path, .at = -1, .twin = twin};
  PetscCall(ScoriaDatasetInfo(dear, &spec, NULL, NULL));
  c->of_dear = *spec;
  PetscCall(ScoriaDatasetInfo(cheap, &spec, NULL, NULL));
  c->of_cheap     = *spec;
  c->conditions   = c->of_dear.rows / c->of_dear.realisations;
  c->realisations = c->of_cheap.realisations;
  c->waves        = spec_is_whole(&c->of_dear) && !*c->of_dear.source;
  c->alike        = c->waves ? c->of_dear.shape[0] : c->of_dear.cells;
  c->pooled       = !c->waves && c->realisations < STANDARD_LEAST;
  c->most = PetscClipInterval((int64_t)(READ_BYTES / ((size_t)c->of_cheap.cells * sizeof(double))), 1, CORRECTING_ROWS);
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  c->seed = (uint64_t)seed;
  PetscCall(MatchFields(c));
  PetscCall(MatchSpaces(c));
  PetscCall(ScoriaHoldoutChoose(ScoriaRunComm(run), deck, dear, &c->holdout));
  PetscCall(MatchConditions(c));
  const int width = c->channels * c->of_dear.cells;
  PetscCall(ScoriaRowsCreate(&c->of_cheap, c->most, &c->some));
  PetscCall(ScoriaRowsCreate(&c->of_dear, 1, &c->few));
  PetscCall(PetscMalloc3(c->channels * c->alike, &c->m, c->channels * c->alike, &c->s, 3 * width, &c->row));
  if (c->waves && twin && twin->ends)
    PetscCall(PetscMalloc2(c->channels, &c->near, c->channels * c->of_dear.shape[0], &c->far));
  PetscCall(CorrectingValues(c, twin));
  PetscFunctionReturn(0);
}

PetscErrorCode CorrectingClose(Correcting *c)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaHoldoutDestroy(&c->holdout));
  PetscCall(ScoriaCorrectionDestroy(&c->fit));
  PetscCall(ScoriaRowsDestroy(&c->some));
  PetscCall(ScoriaRowsDestroy(&c->few));
  PetscCall(PetscFree3(c->m, c->s, c->row));
  PetscCall(PetscFree2(c->near, c->far));
  PetscCall(PetscFree(c->match));
  PetscCall(PetscFree(c->other));
  PetscCall(PetscFree(c->unit));
  PetscCall(PetscFree(c->work));
  PetscFunctionReturn(0);
}

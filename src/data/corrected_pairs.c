/* How rows of two fidelities belong together, and the pairs that a correction is learned from. */
#include "correcting.h"
#include "scoria/score.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STANDARD_LEAST 16             /* with fewer, those of all conditions together */
#define PAIRS 8192                    /* more would not sharpen the correction */
#define PAIR_BYTES ((size_t)64 << 20) /* that they take on a rank */

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
  *c = (Correcting){.run = run, .dear = dear, .cheap = cheap, .path = path, .at = -1};
  PetscCall(ScoriaDatasetInfo(dear, &spec, NULL, NULL));
  c->of_dear = *spec;
  PetscCall(ScoriaDatasetInfo(cheap, &spec, NULL, NULL));
  c->of_cheap     = *spec;
  c->conditions   = c->of_dear.rows / c->of_dear.realisations;
  c->realisations = c->of_cheap.realisations;
  c->pooled       = c->realisations < STANDARD_LEAST;
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  c->seed = (uint64_t)seed;
  PetscCall(MatchFields(c));
  PetscCall(MatchSpaces(c));
  PetscCall(ScoriaHoldoutChoose(ScoriaRunComm(run), deck, dear, &c->holdout));
  PetscCall(MatchConditions(c));
  const int width = c->channels * c->of_dear.cells;
  PetscCall(ScoriaRowsCreate(&c->of_cheap, CORRECTING_ROWS, &c->some));
  PetscCall(ScoriaRowsCreate(&c->of_dear, 1, &c->few));
  PetscCall(PetscMalloc3(width, &c->m, width, &c->s, 3 * width, &c->row));
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
  PetscCall(PetscFree(c->match));
  PetscCall(PetscFree(c->other));
  PetscCall(PetscFree(c->unit));
  PetscCall(PetscFree(c->work));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------- standardised rows ---- */

static double value_of(const Correcting *c, const ScoriaRows *rows, const int field[], int64_t i, int w)
{
  const int cells = c->of_dear.cells;
  return correcting_value(&c->value[w / cells], rows->field[field[w / cells]][i * cells + w % cells]);
}

void correcting_standardise(const Correcting *c, const ScoriaRows *rows, const int field[], int64_t i, double z[])
{
  for (int w = 0; w < c->channels * c->of_dear.cells; w++) z[w] = (value_of(c, rows, field, i, w) - c->m[w]) / c->s[w];
}

/* SDs far below those of other cells of the channel are not resolved, and 0 divides nothing. */
static void raise_least(int cells, double s[])
{
  double most = 0;
  for (int i = 0; i < cells; i++) most = fmax(most, s[i]);
  for (int i = 0; i < cells; i++) s[i] = most > 0 ? fmax(s[i], 1e-3 * most) : 1;
}

PetscErrorCode CorrectingStandard(Correcting *c, int64_t condition)
{
  const int width = c->channels * c->of_dear.cells;
  const int64_t n = PetscMin(c->realisations, CORRECTING_ROWS);
  int64_t good    = 0;
  PetscFunctionBeginUser;
  if (c->pooled || condition == c->at) PetscFunctionReturn(0);
  PetscCall(ScoriaDatasetReadAlone(c->cheap, condition * c->realisations, n, &c->some));
  PetscCall(PetscArrayzero(c->m, width));
  PetscCall(PetscArrayzero(c->s, width));
  for (int64_t i = 0; i < n; i++) {
    if (c->some.done[i] != SCORIA_ROW_DONE) continue;
    good++;
    for (int w = 0; w < width; w++) { /* Welford */
      const double v = value_of(c, &c->some, c->cheap_field, i, w), off = v - c->m[w];
      c->m[w] += off / (double)good;
      c->s[w] += off * (v - c->m[w]);
    }
  }
  for (int w = 0; w < width; w++) c->s[w] = good > 1 ? sqrt(c->s[w] / (double)(good - 1)) : 0;
  for (int ch = 0; ch < c->channels; ch++) raise_least(c->of_dear.cells, c->s + ch * c->of_dear.cells);
  c->at = condition;
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------------- pairs ---- */

/* Owned. */
typedef struct {
  int64_t n, room;
  int64_t *condition;
  double *u, *z, *y;
} Pairs;

static PetscErrorCode CheckPorosity(const Correcting *c, int64_t dear, int64_t cheap)
{
  const int cells = c->of_dear.cells;
  PetscFunctionBeginUser;
  for (int i = 0; i < cells && c->dear_eps >= 0 && c->cheap_eps >= 0; i++)
    if (!(fabs(c->few.field[c->dear_eps][i] - c->some.field[c->cheap_eps][i]) < 1e-5))
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "%s: row %lld has another porosity than row %lld of dataset.h5, expected the same realisation",
                  c->path, (long long)cheap, (long long)dear);
  PetscFunctionReturn(0);
}

/* Row i of condition k in both, where both are solved. */
static PetscErrorCode AddPair(Correcting *c, int64_t k, int64_t i, Pairs *p)
{
  const int width = c->channels * c->of_dear.cells, n = c->of_dear.space.n;
  const int64_t dear = k * c->of_dear.realisations + i, cheap = c->match[k] * c->realisations + i;
  PetscFunctionBeginUser;
  PetscCall(CorrectingStandard(c, c->match[k]));
  PetscCall(ScoriaDatasetReadAlone(c->dear, dear, 1, &c->few));
  PetscCall(ScoriaDatasetReadAlone(c->cheap, cheap, 1, &c->some));
  if (c->few.done[0] != SCORIA_ROW_DONE || c->some.done[0] != SCORIA_ROW_DONE) PetscFunctionReturn(0);
  PetscCall(CheckPorosity(c, dear, cheap));
  double *z = p->z + p->n * width, *y = p->y + p->n * width;
  correcting_standardise(c, &c->some, c->cheap_field, 0, z);
  correcting_standardise(c, &c->few, c->dear_field, 0, y);
  for (int w = 0; w < width; w++) y[w] -= z[w];
  PetscCall(PetscArraycpy(p->u + p->n * n, c->unit + k * n, n));
  p->condition[p->n++] = k;
  PetscFunctionReturn(0);
}

/* Evenly over the conditions. */
static PetscErrorCode ReadPairs(Correcting *c, Pairs *p)
{
  const int64_t each = c->of_dear.realisations, all = c->conditions * each;
  int64_t good = 0, next = 0;
  PetscFunctionBeginUser;
  for (int64_t row = 0; row < all; row++) good += c->match[row / each] >= 0 && !holdout_has(&c->holdout, row);
  const int64_t want = PetscMin(good, p->room);
  for (int64_t row = 0, seen = 0; row < all; row++) {
    if (c->match[row / each] < 0 || holdout_has(&c->holdout, row)) continue;
    if (seen++ != next * good / want) continue;
    next++;
    PetscCall(AddPair(c, row / each, row % each, p));
  }
  PetscFunctionReturn(0);
}

/* Without a spread of their own, rows are brought to the scale on which neighbours in the conditions differ. */
static PetscErrorCode Pool(Correcting *c, Pairs *p)
{
  const int cells = c->of_dear.cells, width = c->channels * cells, n = c->of_dear.space.n;
  double *s = c->s;
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(s, width));
  for (int64_t i = 0; i < p->n; i++) {
    int64_t nearest = -1;
    double least    = INFINITY;
    for (int64_t j = 0; j < p->n; j++) {
      double sum = 0;
      for (int k = 0; k < n; k++) sum += pow(p->u[i * n + k] - p->u[j * n + k], 2);
      if (j == i || sum >= least) continue;
      least   = sum;
      nearest = j;
    }
    for (int w = 0; w < width && nearest >= 0; w++)
      s[w] += pow(p->z[i * width + w] - p->z[nearest * width + w], 2) / (2.0 * (double)p->n);
  }
  for (int ch = 0; ch < c->channels; ch++) {
    double sum = 0;
    for (int i = 0; i < cells; i++) sum += s[ch * cells + i] / cells;
    for (int i = 0; i < cells; i++) s[ch * cells + i] = sum > 0 ? sqrt(sum) : 1;
  }
  for (int64_t i = 0; i < p->n * width; i++) {
    p->z[i] /= s[i % width];
    p->y[i] /= s[i % width];
  }
  PetscFunctionReturn(0);
}

/* By rank 0. */
static PetscErrorCode FitAlone(Correcting *c)
{
  const int width = c->channels * c->of_dear.cells, n = c->of_dear.space.n;
  Pairs p = {.room = PetscClipInterval((int64_t)(PAIR_BYTES / (sizeof(double) * (size_t)width)), CORRECTION_LEAST_PAIRS,
                                       PAIRS)};
  PetscFunctionBeginUser;
  PetscCall(
      PetscMalloc4(p.room, &p.condition, p.room * PetscMax(n, 1), &p.u, p.room * width, &p.z, p.room * width, &p.y));
  for (int w = 0; w < width && c->pooled; w++) {
    c->m[w] = 0;
    c->s[w] = 1;
  }
  PetscCall(ReadPairs(c, &p));
  if (p.n < CORRECTION_LEAST_PAIRS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: found %lld pairs of rows that dataset.h5 and it have solved, expected at least %d", c->path,
                (long long)p.n, CORRECTION_LEAST_PAIRS);
  if (c->pooled) PetscCall(Pool(c, &p));
  const ScoriaCorrectionPairs pairs = {.d         = n,
                                       .channels  = c->channels,
                                       .cells     = c->of_dear.cells,
                                       .n         = p.n,
                                       .condition = p.condition,
                                       .u         = p.u,
                                       .z         = p.z,
                                       .y         = p.y};
  PetscCall(ScoriaCorrectionFit(&pairs, c->seed, &c->fit));
  PetscCall(PetscFree4(p.condition, p.u, p.z, p.y));
  PetscFunctionReturn(0);
}

PetscErrorCode CorrectingFit(Correcting *c)
{
  const int width     = c->channels * c->of_dear.cells;
  const MPI_Comm comm = ScoriaRunComm(c->run);
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(ScoriaAgreeFailed(comm, rank ? 0 : FitAlone(c)));
  PetscCall(ScoriaCorrectionShare(comm, &c->fit));
  if (c->pooled) {
    PetscCallMPI(MPI_Bcast(c->m, width, MPI_DOUBLE, 0, comm));
    PetscCallMPI(MPI_Bcast(c->s, width, MPI_DOUBLE, 0, comm));
  }
  c->pairs = correction_choice(c->fit).pairs;
  PetscCall(PetscMalloc1(correction_work(c->fit), &c->work));
  PetscFunctionReturn(0);
}

/* The values that a correction works on: as they are, or the transform that the normaliser takes too, so that no
 * corrected row leaves the bounds of a field or crosses its reference. */
#include "correcting.h"
#include <math.h>

double correcting_value(const CorrectingValue *v, double x)
{
  if (v->bounds.on) return bounds_to(&v->bounds, x);
  return v->sign ? log(v->sign * (x - v->reference)) : x;
}

/* On its side also when it is rounded to single precision. */
static double beside(const CorrectingValue *v, double y)
{
  const double x = v->reference + v->sign * exp(y);
  float rounded  = (float)x;
  if (v->sign * (rounded - v->reference) > 0) return x;
  while (!(v->sign * (rounded - v->reference) > 0)) rounded = nextafterf(rounded, (float)v->sign * INFINITY);
  return rounded;
}

double correcting_value_back(const CorrectingValue *v, double y)
{
  if (v->bounds.on) return bounds_back(&v->bounds, y);
  return v->sign ? beside(v, y) : y;
}

/* -------------------------------------------------------------------------------------------- which there are ---- */

/* Of one file; all for maxima over ranks. */
typedef struct {
  double below[SCORIA_MAX_FIELDS], above[SCORIA_MAX_FIELDS]; /* largest distances from the reference, or the bound */
  double outside[SCORIA_MAX_FIELDS];                         /* -(first row with a value outside of the bounds) */
} Seen;

static void see_row(const Correcting *c, const ScoriaRows *rows, const int field[], int64_t i, int64_t row, Seen *seen)
{
  const int cells = c->of_dear.cells;
  if (rows->done[i] != SCORIA_ROW_DONE) return;
  for (int ch = 0; ch < c->channels; ch++) {
    const double *x = rows->field[field[ch]] + i * cells, end = c->value[ch].reference;
    for (int j = 0; j < cells; j++) {
      seen->below[ch] = fmax(seen->below[ch], end - x[j]);
      seen->above[ch] = fmax(seen->above[ch], x[j] - end);
      if (c->value[ch].bounds.on && !bounds_inside(&c->value[ch].bounds, x[j]))
        seen->outside[ch] = fmax(seen->outside[ch], -(double)row);
    }
  }
}

/* Rows of condition k that are learned from or corrected. */
static PetscErrorCode SeeCondition(Correcting *c, int64_t k, Seen seen[2])
{
  const int64_t each = c->of_dear.realisations, cheap = k < c->conditions ? c->match[k] : c->other[k - c->conditions];
  PetscFunctionBeginUser;
  if (k < c->conditions && c->holdout.number && correcting_held_back(c, k, 0)) PetscFunctionReturn(0);
  for (int64_t row = k * each; k < c->conditions && row < (k + 1) * each; row++) {
    if (holdout_has(&c->holdout, row)) continue;
    PetscCall(ScoriaDatasetReadAlone(c->dear, row, 1, &c->few));
    see_row(c, &c->few, c->dear_field, 0, row, &seen[0]);
  }
  for (int64_t at = 0, n; cheap >= 0 && at < c->realisations; at += n) {
    const int64_t first = cheap * c->realisations + at;
    n                   = PetscMin(c->realisations - at, CORRECTING_ROWS);
    PetscCall(ScoriaDatasetReadAlone(c->cheap, first, n, &c->some));
    for (int64_t i = 0; i < n; i++) see_row(c, &c->some, c->cheap_field, i, first + i, &seen[1]);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode SeeAll(Correcting *c, Seen seen[2])
{
  const MPI_Comm comm = ScoriaRunComm(c->run);
  int64_t first, number;
  int rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  deal_block(c->conditions + c->others, rank, size, &first, &number);
  for (int64_t k = first; k < first + number; k++) PetscCall(SeeCondition(c, k, seen));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckInside(const Correcting *c, int ch, const Seen seen[2])
{
  const NormBounds *b = &c->value[ch].bounds;
  PetscFunctionBeginUser;
  for (int file = 0; file < 2 && b->on; file++)
    if (isfinite(seen[file].outside[ch]))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: row %.0f: field %s leaves its bounds, [%g, %g]",
                  file ? c->path : "dataset.h5", -seen[file].outside[ch], c->of_dear.field[c->dear_field[ch]].name,
                  b->lo, b->hi);
  PetscFunctionReturn(0);
}

/* 1: all values of the file lie above the reference, -1: below, 0: neither. */
static int side_of(const Seen *seen, int ch)
{
  return seen->below[ch] < 0 ? 1 : seen->above[ch] < 0 ? -1 : 0;
}

static PetscErrorCode Choose(Correcting *c, int ch, const Seen seen[2])
{
  CorrectingValue *v    = &c->value[ch];
  const int side        = side_of(&seen[0], ch);
  const char *name      = c->of_dear.field[c->dear_field[ch]].name;
  const bool imported   = *c->of_dear.source;
  const double range[2] = {fmax(seen[0].below[ch], seen[1].below[ch]), fmax(seen[0].above[ch], seen[1].above[ch])};
  PetscFunctionBeginUser;
  PetscCall(CheckInside(c, ch, seen));
  if (imported && !v->bounds.on && isfinite(v->reference) && side && side_of(&seen[1], ch) != side)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: field %s does not stay %s its reference, %g, as it does in dataset.h5", c->path,
                name, side > 0 ? "above" : "below", v->reference);
  bounds_choose(&v->bounds, v->reference, range, &v->sign);
  PetscFunctionReturn(0);
}

PetscErrorCode CorrectingValues(Correcting *c, const ScoriaTwin *twin)
{
  const MPI_Comm comm = ScoriaRunComm(c->run);
  bool any            = false;
  Seen seen[2];
  PetscFunctionBeginUser;
  for (int ch = 0; ch < c->channels; ch++) {
    CorrectingValue *v = &c->value[ch];
    bounds_of_twin(twin, ch, &v->bounds, &v->reference);
    any = any || isfinite(v->reference);
  }
  if (!any) PetscFunctionReturn(0);
  for (double *at = (double *)seen; at < (double *)(seen + 2); at++) *at = -INFINITY;
  PetscCall(ScoriaAgreeFailed(comm, SeeAll(c, seen)));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, seen, sizeof seen / (sizeof(double)), MPI_DOUBLE, MPI_MAX, comm));
  for (int ch = 0; ch < c->channels; ch++) PetscCall(Choose(c, ch, seen));
  PetscFunctionReturn(0);
}

bool correcting_held_back(const Correcting *c, int64_t condition, int64_t i)
{
  return holdout_has(&c->holdout, condition * c->of_dear.realisations + i);
}

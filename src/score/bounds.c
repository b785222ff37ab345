/* Fields that stay in an interval: the transform to a free value and back, and how near to a bound a value may come. */
#include "bounds_arrays.h"
#include <math.h>
#include <string.h>

#define LEAST 1e-6 /* of the interval, or of the largest distance from a single bound */

NormBounds bounds_of(const ScoriaTwin *twin, int channel)
{
  NormBounds b = {.on = twin && twin->bounded[channel], .lo = -INFINITY, .hi = INFINITY};
  if (!b.on) return b;
  b.lo    = twin->bounds[channel][0];
  b.hi    = twin->bounds[channel][1];
  b.least = isfinite(b.hi - b.lo) ? LEAST * (b.hi - b.lo) : 0;
  return b;
}

double bounds_end(const NormBounds *b)
{
  return isfinite(b->lo) ? b->lo : b->hi;
}

void bounds_of_twin(const ScoriaTwin *twin, int channel, NormBounds *b, double *reference)
{
  *b         = bounds_of(twin, channel);
  *reference = twin ? twin->reference[channel] : NAN;
  if (b->on && isnan(*reference)) *reference = bounds_end(b);
}

void bounds_set_least(NormBounds *b, double largest)
{
  if (!isfinite(b->hi - b->lo)) b->least = LEAST * (largest > 0 ? largest : 1);
}

/* Nothing but round-off comes near a reference that all values keep a distance from: least is half of the last place in
 * single precision. */
static void cut(NormBounds *b, double reference, bool above)
{
  if (above)
    b->lo = fmax(b->lo, reference);
  else
    b->hi = fmin(b->hi, reference);
  b->on    = isfinite(b->hi - b->lo);
  b->least = b->on ? ldexp(b->hi - b->lo, -24) : 0;
}

bool bounds_choose(NormBounds *b, double reference, const double range[2], double *sign)
{
  const bool above = range[0] < 0, below = range[1] < 0, end = b->on && reference == bounds_end(b),
             one_side = isfinite(reference) && (above || below) && !end;
  if (b->on && one_side) cut(b, reference, above);
  if (b->on) bounds_set_least(b, isfinite(b->lo) ? range[1] + (reference - b->lo) : range[0] + (b->hi - reference));
  *sign = !one_side || b->on ? 0 : above ? 1 : -1;
  return *sign != 0;
}

/* Values in single precision may have been rounded to the other side of a bound. */
bool bounds_inside(const NormBounds *b, double x)
{
  return x >= b->lo - (isfinite(b->lo) ? ldexp(fabs(b->lo), -23) : 0) &&
         x <= b->hi + (isfinite(b->hi) ? ldexp(fabs(b->hi), -23) : 0);
}

double bounds_to(const NormBounds *b, double x)
{
  const double below = fmax(x - b->lo, b->least), above = fmax(b->hi - x, b->least);
  if (!bounds_inside(b, x)) return NAN;
  return isinf(above) ? log(below) : isinf(below) ? log(above) : log(below / above);
}

double bounds_back(const NormBounds *b, double v)
{
  double x;
  if (isinf(b->hi))
    x = b->lo + exp(v);
  else if (isinf(b->lo))
    x = b->hi - exp(v);
  else
    x = v < 0 ? b->lo + (b->hi - b->lo) * (exp(v) / (1 + exp(v))) : b->hi - (b->hi - b->lo) / (1 + exp(v));
  float lo = (float)b->lo, hi = (float)b->hi; /* the nearest of these inside */
  if (lo < b->lo) lo = nextafterf(lo, INFINITY);
  if (hi > b->hi) hi = nextafterf(hi, -INFINITY);
  return x < lo ? lo : x > hi ? hi : x;
}

double bounds_rate(const NormBounds *b, double v)
{
  if (isinf(b->hi)) return exp(v);
  if (isinf(b->lo)) return -exp(v);
  return (b->hi - b->lo) / (2 + exp(v) + exp(-v));
}

void bounds_to_all(const NormBounds b[], int64_t n, int C, int L, double x[])
{
  for (int64_t k = 0; k < n * C; k++)
    for (int j = 0; j < L && b[k % C].on; j++) x[k * L + j] = bounds_to(&b[k % C], x[k * L + j]);
}

void bounds_back_all(const NormBounds b[], int64_t n, int C, int L, double v[])
{
  for (int64_t k = 0; k < n * C; k++)
    for (int j = 0; j < L && b[k % C].on; j++) v[k * L + j] = bounds_back(&b[k % C], v[k * L + j]);
}

PetscErrorCode BoundsSave(ScoriaStore store, const char *name, int C, const NormBounds b[], const char *axes)
{
  double all[SCORIA_MAX_FIELDS * 3];
  bool any = false;
  PetscFunctionBeginUser;
  for (int c = 0; c < C; c++) {
    all[3 * c]     = b[c].on ? b[c].lo : -INFINITY;
    all[3 * c + 1] = b[c].on ? b[c].hi : INFINITY;
    all[3 * c + 2] = b[c].least;
    any            = any || b[c].on;
  }
  if (!any) PetscFunctionReturn(0);
  PetscCall(ScoriaStorePutReals(store, name, 2, (const int64_t[]){C, 3}, all, "",
                                "per channel: lower and upper bound; the least distance from one"));
  PetscCall(ScoriaStorePutAxes(store, name, axes));
  PetscFunctionReturn(0);
}

PetscErrorCode BoundsLoad(ScoriaStore store, const char *name, int C, NormBounds b[])
{
  double all[SCORIA_MAX_FIELDS * 3];
  int64_t dims[4];
  int rank;
  PetscFunctionBeginUser;
  for (int c = 0; c < C; c++) b[c] = (NormBounds){.lo = -INFINITY, .hi = INFINITY};
  PetscCall(ScoriaStoreShape(store, name, 4, &rank, dims));
  if (rank < 0) PetscFunctionReturn(0);
  if (rank != 2 || dims[0] != C || dims[1] != 3)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: %s is not of %d channels", name, C);
  PetscCall(ScoriaStoreGetReals(store, name, 3 * C, all));
  for (int c = 0; c < C; c++) {
    b[c]    = (NormBounds){.lo = all[3 * c], .hi = all[3 * c + 1], .least = all[3 * c + 2]};
    b[c].on = isfinite(b[c].lo) || isfinite(b[c].hi);
    if (b[c].on && !(b[c].lo < b[c].hi && b[c].least > 0))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: %s: found [%g, %g]", name, b[c].lo, b[c].hi);
  }
  PetscFunctionReturn(0);
}

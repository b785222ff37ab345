/* uq: a word of errors that uq_count has left larger than the tolerance. */
#include "uq.h"
#include <math.h>
#include <stdio.h>

/* What the tolerance is for: several fidelities read it for themselves. */
static bool for_means(const UqQuestion *q, const UqResult *r)
{
  return r->levels.at ? r->levels.asked.means : q->means;
}

static bool is_aside(const UqQuestion *q, const UqResult *r, int j)
{
  return r->levels.at ? r->levels.asked.aside[j] : q->aside[j];
}

/* The tolerance of quantity j at condition k in its SDs: the quantity's own, or that of all; 0: there is none. */
static double tolerance_of(const UqQuestion *q, const UqResult *r, int k, int j)
{
  const double *m  = r->a.value + (size_t)k * r->a.size + r->a.moments + q->m + j;
  const double own = r->levels.at ? r->levels.asked.own[j] : 0;
  return own == 0 ? q->tolerance : (own > 0 ? own : -own * fabs(m[UQ_MEAN])) / m[UQ_SD * (size_t)r->a.columns];
}

/* The largest standard error that it is for, in SDs; 0 where the quantity does not vary. */
static double largest_error(const UqQuestion *q, const UqResult *r, int k, int j)
{
  const UqAnswer *a = &r->a;
  const double *at = a->value + (size_t)k * a->size + q->m + j, *m = at + a->moments;
  const size_t columns = (size_t)a->columns;
  const bool means     = for_means(q, r);
  const double sd      = m[UQ_SD * columns];
  double largest       = m[UQ_MEAN_SE * columns];
  if (!means) largest = PetscMax(largest, m[UQ_SD_SE * columns]);
  for (int p = 0; p < q->nprobabilities && !means; p++)
    largest = PetscMax(largest, at[a->quantiles + (2 * (size_t)p + 1) * columns]);
  return sd > 0 ? largest / sd : 0;
}

#define ROUNDING 1e-12 /* of a ratio that several fidelities have found to be 1 or less */

/* What several fidelities have warned of by themselves has another reason. */
PetscErrorCode UqSayTolerance(ScoriaRun run, const UqQuestion *q, const UqResult *r)
{
  int short_of = 0, which = 0;
  double worst = 1 + ROUNDING, largest = 0;
  char asked[64];
  PetscFunctionBeginUser;
  if (q->base) PetscFunctionReturn(0);
  for (int k = 0; k < q->conditions; k++) {
    bool reached = true;
    if (r->levels.at && !levels_kept_promise(&r->levels, k)) continue;
    for (int j = 0; j < q->nquantities; j++) {
      const double tolerance = tolerance_of(q, r, k, j), error = is_aside(q, r, j) ? 0 : largest_error(q, r, k, j);
      if (!(tolerance > 0)) continue;
      reached = reached && error <= tolerance * (1 + ROUNDING);
      if (error <= tolerance * worst) continue;
      worst   = error / tolerance;
      largest = error;
      which   = j;
    }
    short_of += !reached;
  }
  if (!short_of) PetscFunctionReturn(0);
  snprintf(asked, sizeof asked, "uq_tolerance %g", q->tolerance);
  PetscCall(ScoriaSay(run,
                      "  WARNING: %s is not reached within uq_count, %s%lld %s, at %d of %d conditions: the largest "
                      "error is %.2g SD, of %s",
                      q->tolerance > 0 ? asked : "uq_tolerance_for", r->levels.at ? "the errors of " : "",
                      (long long)q->count, r->levels.at ? "solves" : "fields", short_of, q->conditions, largest,
                      q->quantity[which].name));
  PetscFunctionReturn(0);
}

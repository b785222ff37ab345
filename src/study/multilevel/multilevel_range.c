/* uq of several fidelities: what the draws show that the pilot has not seen. */
#include "multilevel.h"
#include <math.h>

/* Least range over the scale, where that is a guess: fourth powers are summed to four digits, which errors of SDs are
 * of; squares are, and fourth powers to one. */
#define RESOLVED 0.1
#define ROUGH 0.005
#define WIDTH 4 /* scales in the range of all draws, where it is taken from that */

static void name_column(const Levels *l, int column, size_t size, char name[])
{
  const UqQuestion *q = l->q;
  if (column >= q->m)
    (void)PetscSNPrintf(name, size, "%s", q->quantity[column - q->m].name);
  else
    (void)PetscSNPrintf(name, size, "number %d of the fields", column);
}

static bool is_aside(const Levels *l, int column)
{
  return column >= l->q->m && l->o.aside[column - l->q->m];
}

/* Whether group j has the sums of a column; range: of its draws. */
static bool sums_hold(const Levels *l, int column, int j, double *range)
{
  const ScoriaCoupled sums = l->groups.sums[j];
  const bool far           = coupled_overflows(sums, column);
  *range                   = 0;
  if (!far && (l->varies[column] || l->wide[column] > 0 || coupled_count(sums) == 0)) return true;
  *range = levels_range(l, column, j);
  return !far && (*range == 0 || *range >= (is_aside(l, column) ? ROUGH : RESOLVED) * l->scale[column]);
}

bool levels_summed(const Levels *l, int column)
{
  double range;
  for (int j = 0; j < l->groups.plan.groups; j++)
    if (!sums_hold(l, column, j, &range)) return false;
  return true;
}

void levels_widen(Levels *l, int column, double scale)
{
  const int K = l->K;
  for (int a = 0; a < K; a++) {
    l->centre[a * l->columns + column] = l->centre[column];
    l->scale[a * l->columns + column]  = scale;
  }
  for (int i = 0; i < K * K; i++) l->C[(size_t)column * (size_t)(K * K) + (size_t)i] = i % (K + 1) == 0;
  l->wide[column]   = scale;
  l->varies[column] = false;
  l->lump[column]   = true;
}

static PetscErrorCode Widen(Levels *l, int column)
{
  char name[128];
  double lo = l->centre[column], hi = lo, least, largest;
  PetscFunctionBeginUser;
  for (int j = 0; j < l->groups.plan.groups; j++) {
    coupled_extremes(l->groups.sums[j], column, &least, &largest);
    lo = PetscMin(lo, least);
    hi = PetscMax(hi, largest);
  }
  const double scale = (hi - lo) / WIDTH;
  name_column(l, column, sizeof name, name);
  if (!isfinite(scale) || !(scale > l->wide[column])) /* of members beside the groups' first alone */
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "uq: pilot: %lld draws at condition %d, in which %s varied too little for a scale of sums, and the "
                "draws after it range over %.3g; more are needed",
                (long long)l->good, l->k, name, hi - lo);
  levels_widen(l, column, scale);
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsTakeRanges(Levels *l, bool *again)
{
  PetscFunctionBeginUser;
  *again = false;
  if (l->o.budget > 0) PetscFunctionReturn(0); /* it has draws for one time */
  for (int column = 0; column < l->columns; column++)
    if (!is_aside(l, column) && !levels_summed(l, column)) {
      PetscCall(Widen(l, column));
      *again = true;
    }
  PetscFunctionReturn(0);
}

/* Without a mean: the tolerance is not for it, or the budget has no draws to make again. */
static PetscErrorCode WarnOfUnsummed(const Levels *l, int i)
{
  const int column = l->q->m + i;
  PetscFunctionBeginUser;
  PetscCall(
      ScoriaSay(l->run,
                "  WARNING: condition %d: %s %s in the pilot of %lld draws, so that its mean and SD are left out; a "
                "larger uq_pilot has them",
                l->k, l->q->quantity[i].name, l->varies[column] ? "has far too small an SD" : "did not vary",
                (long long)l->good));
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsWarn(const Levels *l, const LevelsExcess *excess)
{
  const double worst = sqrt(PetscMax(excess->seen, excess->unseen));
  const bool promise = !(l->o.budget > 0) || levels_has_tolerance(l);
  double draws       = (double)l->good;
  PetscFunctionBeginUser;
  for (int j = 0; j < l->groups.plan.groups; j++) draws += (double)coupled_count(l->groups.sums[j]);
  for (int i = 0; i < l->q->nquantities; i++) {
    const char *name = l->q->quantity[i].name;
    const int column = l->q->m + i;
    if (!levels_summed(l, column))
      PetscCall(WarnOfUnsummed(l, i));
    else if (l->o.aside[i])
      continue;
    else if (l->wide[column] > 0)
      PetscCall(
          ScoriaSay(l->run,
                    "  WARNING: condition %d: %s varied too little in the pilot of %lld draws to sum those after it, "
                    "so that these were made twice, and only the deck's own solves give it; a larger uq_pilot takes "
                    "less work",
                    l->k, name, (long long)l->good));
    else if (levels_awake(l, column))
      PetscCall(
          ScoriaSay(l->run,
                    "  WARNING: condition %d: %s did not vary in the pilot of %lld draws, so that only the deck's "
                    "own solves give it; a larger uq_pilot takes less work",
                    l->k, name, (long long)l->good));
    else if (!l->varies[column] && draws < levels_plain_draws(l))
      PetscCall(ScoriaSay(l->run,
                          "  WARNING: condition %d: %s is %g in all of %.0f draws, too few to see what is rarer", l->k,
                          name, l->centre[column], draws));
  }
  if (promise) PetscCall(LevelsWarnOfErrors(l, excess));
  l->known->at[l->k].excess = promise ? worst : NAN;
  PetscFunctionReturn(0);
}

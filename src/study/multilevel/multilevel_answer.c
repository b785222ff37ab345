/* uq of several fidelities: the answer at a condition. */
#include "multilevel.h"
#include <math.h>

#define SQUARE(x) ((x) * (x))

/* A quantile in a lump is known to a bin of the histogram, which may reach beyond all values. */
static void keep_within(const Levels *l, int column, double least, double largest, double *value, double *se)
{
  const double bin = l->scale[column] * (coupled_edge(1) - coupled_edge(0));
  *value           = PetscMax(least, PetscMin(largest, *value));
  *se              = PetscMax(*se, largest > least ? bin : 0);
}

/* Returns how many quantiles are outside of the histogram. */
static int fill_column(const Levels *l, int column, double at[])
{
  int outside          = 0;
  const size_t columns = (size_t)l->columns;
  double *m            = at + l->a->moments + column;
  levels_mean(l, column, m + UQ_MEAN * columns, m + UQ_MEAN_SE * columns);
  levels_sd(l, column, m + UQ_SD * columns, m + UQ_SD_SE * columns);
  if (!levels_summed(l, column))
    m[UQ_MEAN * columns] = m[UQ_MEAN_SE * columns] = m[UQ_SD * columns] = m[UQ_SD_SE * columns] = NAN;
  m[UQ_SKEWNESS * columns] = m[UQ_SKEWNESS_SE * columns] = NAN;
  m[UQ_MIN * columns]                                    = INFINITY;
  m[UQ_MAX * columns]                                    = -INFINITY;
  for (int j = 0; j < l->groups.plan.groups; j++) {
    double least, largest;
    if (!(l->groups.plan.members[j] & 1)) continue; /* solves of the first member alone */
    coupled_extremes(l->groups.sums[j], column, &least, &largest);
    m[UQ_MIN * columns] = PetscMin(m[UQ_MIN * columns], least);
    m[UQ_MAX * columns] = PetscMax(m[UQ_MAX * columns], largest);
  }
  for (int i = 0; i < l->q->nprobabilities; i++) {
    double *value = at + l->a->quantiles + (size_t)i * 2 * columns + column;
    value[0] = value[columns] = NAN;
    if (column < l->plain) continue;
    if (!levels_quantile(l, column, l->q->probability[i], value, value + columns)) outside++;
    if (l->lump[column]) keep_within(l, column, m[UQ_MIN * columns], m[UQ_MAX * columns], value, value + columns);
  }
  return outside;
}

/* The error of the grid at coarsening h is c h^order: from the differences of the pilot's means on grids 1, h and h^2,
 * or, without the last, of second order. */
static void fill_bias(const Levels *l, int i, struct LevelsAnswer_ *to)
{
  const int column = l->q->m + i;
  int h = 0, fine = 0, coarse = 0;
  to->bias[i] = to->bias_se[i] = to->order[i] = NAN;
  for (int a = 1; a < l->K; a++) {
    const int c = fidelities_coarsening(l->all, a);
    if (c > 1 && (!h || c < h)) h = c, fine = a;
  }
  if (!h) return;
  for (int a = 1; a < l->K; a++)
    if (fidelities_coarsening(l->all, a) == h * h) coarse = a;
  const double n = (double)l->good;
  double d[2] = {0, 0}, square = 0;
  for (int64_t r = 0; r < l->good; r++) {
    const double *row = l->pilot + r * l->K * l->columns + column;
    const double one  = row[0] - row[fine * l->columns];
    d[0] += one / n;
    square += one * one / n;
    if (coarse) d[1] += (row[fine * l->columns] - row[coarse * l->columns]) / n;
  }
  double rate = (double)h * h;
  if (coarse && d[1] / d[0] >= sqrt(h) && d[1] / d[0] <= pow(h, 4)) rate = d[1] / d[0];
  to->bias[i]    = -d[0] / (rate - 1);
  to->bias_se[i] = sqrt(PetscMax(square - d[0] * d[0], 0) / (n - 1)) / (rate - 1);
  to->order[i]   = log(rate) / log(h);
}

static double drawn_with(const ScoriaPlan *plan, int member)
{
  double n = 0;
  for (int j = 0; j < plan->groups; j++)
    if (plan->members[j] >> member & 1) n += plan->draws[j];
  return n;
}

/* Solves of member a, or those that failed, in all phases. */
static int64_t tallied(const Levels *l, int a, bool failed)
{
  int64_t n = 0;
  for (int phase = 0; phase < LEVELS_PHASES; phase++)
    n += failed ? l->total[phase].failed[a] : l->total[phase].solves[a];
  return n;
}

static void fill_levels(const Levels *l, const double at[])
{
  struct LevelsAnswer_ *to = &l->known->at[l->k];
  const ScoriaPlan *plan   = &l->groups.plan;
  to->groups               = plan->groups;
  to->pilot                = (double)l->o.pilot;
  to->work                 = 0;
  for (int j = 0; j < plan->groups; j++) {
    to->members[j] = plan->members[j];
    to->draws[j]   = plan->draws[j];
  }
  for (int a = 0; a <= l->K; a++) {
    to->solves[a] = (double)tallied(l, a, false);
    to->work += to->solves[a] * to->cost[a];
    if (levels_screens(l, a)) to->solves[a] = drawn_with(plan, a); /* their solves are those of others */
    if (a < l->K) to->failed[a] = (double)tallied(l, a, true);
  }
  for (int i = 0; i < l->q->nquantities; i++) {
    const double *C = levels_covariance(l, l->q->m + i), *m = at + l->a->moments + l->q->m + i;
    const double se = m[UQ_MEAN_SE * (size_t)l->columns], sd = m[UQ_SD * (size_t)l->columns];
    const bool varies = l->varies[l->q->m + i];
    for (int a = 0; a < l->K; a++) {
      to->sd[i][a]          = varies ? l->scale[a * l->columns + l->q->m + i] * sqrt(PetscMax(C[a * l->K + a], 0)) : 0;
      const double scale    = sqrt(PetscMax(C[0] * C[a * l->K + a], 0));
      to->correlation[i][a] = varies && scale > 0 ? C[a] / scale : NAN;
    }
    to->gain[i] = se > 0 ? SQUARE(sd / se) * (to->cost[0] + to->cost[l->K]) / to->work : NAN;
    fill_bias(l, i, to);
  }
}

LevelsKept levels_kept(int K, int64_t pilot)
{
  const int sets     = (1 << K) - 1;
  const size_t means = (size_t)pilot * (size_t)K;
  return (LevelsKept){.sets = sets, .means = means, .size = means + (size_t)sets * (size_t)K};
}

static void keep_quantity(const Levels *l, int i, const LevelsKept *of, double to[])
{
  const int column = l->q->m + i, K = l->K;
  double mean[2 * LEVELS_MODELS], S[4 * LEVELS_MODELS * LEVELS_MODELS];
  int member[LEVELS_MODELS];
  for (int64_t r = 0; r < l->o.pilot * K; r++) to[r] = l->pilot[r * l->columns + column];
  for (size_t r = of->means; r < of->size; r++) to[r] = NAN;
  if (!levels_summed(l, column)) return;
  for (int j = 0; j < l->groups.plan.groups; j++) {
    const int n = levels_members(l, j, member);
    double *row = to + of->means + (size_t)(l->groups.plan.members[j] - 1) * (size_t)K;
    coupled_moments(l->groups.sums[j], column, mean, S);
    for (int a = 0; a < n; a++) {
      const int64_t place = member[a] * l->columns + column;
      row[member[a]]      = l->centre[place] + l->scale[place] * mean[a];
    }
  }
}

/* Moments and quantiles of all columns, shares beyond thresholds and histograms: the ranks share these, and each number
 * is one rank's. */
static PetscErrorCode FillShared(const Levels *l, double at[])
{
  const UqQuestion *q  = l->q;
  const MPI_Comm comm  = l->workers->all.comm;
  const size_t numbers = l->a->covariance - l->a->moments;
  double outside       = 0;
  int rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscArrayzero(at + l->a->moments, numbers));
  for (int j = rank; j < l->columns; j += size) outside += fill_column(l, j, at);
  levels_fill_exceedances(l, rank, size, at);
  for (int i = rank; i < q->nquantities; i += size)
    levels_fill_histogram(l, q->m + i, at + l->a->histograms + (size_t)i * (2 + UQ_BINS));
  PetscCall(ScoriaReduceMany(comm, MPI_BOR, (int64_t)numbers, MPI_UINT64_T, at + l->a->moments));
  PetscCallMPI(MPI_Allreduce(&outside, &at[UQ_OUTSIDE], 1, MPI_DOUBLE, MPI_SUM, comm));
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsAnswerFill(Levels *l)
{
  const UqQuestion *q = l->q;
  double *at          = l->a->value + (size_t)l->k * l->a->size;
  int64_t failed      = 0;
  char condition[UQ_CONDITION_TEXT];
  PetscFunctionBeginUser;
  at[UQ_SAMPLES] = at[UQ_OUTSIDE] = 0;
  for (int j = 0; j < l->groups.plan.groups; j++) {
    const int64_t count = coupled_count(l->groups.sums[j]);
    failed += (int64_t)l->groups.plan.draws[j] - count;
    if (l->groups.plan.members[j] & 1) at[UQ_SAMPLES] += (double)count;
    if (count >= 10) continue;
    if (!l->passing) PetscCall(LevelsSave(l));
    uq_condition(q, l->k, sizeof condition, condition);
    SCORIA_FAIL(SCORIA_EXIT_SOLVES, "uq: %s: %lld of %.0f draws succeeded, expected at least 10", condition,
                (long long)count, l->groups.plan.draws[j]);
  }
  at[UQ_FAILED] = (double)failed;
  PetscCall(FillShared(l, at));
  fill_levels(l, at);
  const LevelsKept kept = levels_kept(l->K, l->o.pilot);
  for (int i = 0; i < q->nquantities && l->known->kept; i++)
    keep_quantity(l, i, &kept, l->known->kept + (size_t)l->k * l->known->kept_size + (size_t)i * kept.size);
  PetscFunctionReturn(0);
}

/* Sequential Monte Carlo by tempering.  The next temperature is the one that leaves half of the particles effective;
 * resampling is systematic.
 *
 * A move is a preconditioned Crank-Nicolson step (Cotter et al. 2013) about a Gaussian N(m, C) instead of the prior
 * (Rudolf and Sprungk 2018): z' = m + sqrt(1 - b^2) (z - m) + b C^1/2 xi, accepted with probability min(1, r(z')/r(z)),
 * r being the target over the density of N(m, C).  m and C are the particles' own, but only along those of their
 * principal axes in which they tell themselves from the prior: elsewhere the move is the prior's, whose acceptance does
 * not fall with the dimension.  Sharp readings thus do not shorten the steps in directions that they say nothing of.
 *
 * The law at temperature 0 may be another than N(0, I), with a density over it; then the target has that factor.
 *
 * Particles are known to every rank, and moved each by one of them; what all do is done by all, on the same numbers in
 * the same order. */
#include "tempering.h"
#include "scoria/phases.h"
#include <math.h>
#include <string.h>

#define SHARE 0.5 /* of the particles, effective after reweighting */
#define STAGES 1000

/* ----------------------------------------------------------------------------------------------- reweighting ---- */

static double largest_of(int64_t n, const double x[])
{
  double most = -INFINITY;
  for (int64_t i = 0; i < n; i++) most = fmax(most, x[i]);
  return most;
}

/* weight = L^dt up to a factor, the largest being 1; the effective number; *sum of the weights. */
static double reweight(ScoriaTempering t, double most, double dt, double *sum)
{
  double squares = 0;
  *sum           = 0;
  for (int64_t i = 0; i < t->spec.particles; i++) {
    const double w = t->weight[i] = isfinite(t->l[i]) ? exp(dt * (t->l[i] - most)) : 0;
    *sum += w;
    squares += w * w;
  }
  return *sum * *sum / squares;
}

/* The step to the next temperature, by bisection; sets the weights. */
static double choose_step(ScoriaTempering t, double most, double *ess, double *sum)
{
  const double enough = SHARE * (double)t->spec.particles;
  double lo = 0, hi = 1 - t->temperature;
  *ess = reweight(t, most, hi, sum);
  if (*ess >= enough) return hi;
  for (int i = 0; i < 100 && hi - lo > 1e-6 * hi; i++) {
    const double middle = lo > 0 ? 0.5 * (lo + hi) : hi / 16;
    if (reweight(t, most, middle, sum) >= enough)
      lo = middle;
    else
      hi = middle;
  }
  *ess = reweight(t, most, hi, sum);
  return hi;
}

/* Squared coefficient of variation of the estimate of the evidence.  With moves that make the particles independent it
 * is the sum over the temperatures of 1/ess - 1/N; ancestors whose descendants have come to weigh differently show
 * where they do not (Lee and Whiteley 2018; for multinomial resampling their factor of 1 - sum would be a power of
 * N/(N-1), of which systematic resampling needs one alone). */
static void add_variance(ScoriaTempering t, double sum, double ess)
{
  const int64_t N = t->spec.particles;
  double *share = t->weight + N, squares = 0;
  memset(share, 0, (size_t)N * sizeof *share);
  for (int64_t i = 0; i < N; i++) share[t->ancestor[i]] += t->weight[i] / sum;
  for (int64_t i = 0; i < N; i++) squares += share[i] * share[i];
  t->independent += 1 / ess - 1 / (double)N;
  t->variance = fmax(t->independent, squares - 1 / (double)N);
}

static void resample(ScoriaTempering t, double sum)
{
  const int64_t N = t->spec.particles;
  const int D     = t->spec.dimension;
  double *l = t->weight + N, *base = t->weight + 2 * N, u, below = 0;
  rng_uniform(t->spec.seed, SCORIA_STREAM_RESAMPLE, (uint64_t)t->stages, 0, 1, &u);
  int64_t from = 0;
  for (int64_t i = 0; i < N; i++) {
    const double at = ((double)i + u) / (double)N * sum;
    while (from + 1 < N && below + t->weight[from] < at) below += t->weight[from++];
    memcpy(t->other + i * D, t->z + from * D, (size_t)D * sizeof(double));
    l[i]            = t->l[from];
    base[i]         = t->base[from];
    t->inherited[i] = t->ancestor[from];
  }
  memcpy(t->z, t->other, (size_t)(N * D) * sizeof(double));
  memcpy(t->l, l, (size_t)N * sizeof(double));
  memcpy(t->base, base, (size_t)N * sizeof(double));
  memcpy(t->ancestor, t->inherited, (size_t)N * sizeof(int64_t));
}

/* ---------------------------------------------------------------------------------------------------- object ---- */

/* Particles of temperature 0. */
static PetscErrorCode Start(ScoriaTempering t)
{
  const int64_t N            = t->spec.particles;
  const int D                = t->spec.dimension;
  const ScoriaTempering from = t->spec.from;
  const int known            = from ? from->spec.dimension : 0;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < N; i++) {
    tempering_normals(t, 0, i, t->z + i * D);
    if (known) memcpy(t->z + i * D + D - known, from->z + i * known, (size_t)known * sizeof(double));
    t->ancestor[i] = from ? from->ancestor[i] : i;
  }
  PetscCall(TemperingEvaluate(t, t->z + t->first * D, t->l + t->first, t->base + t->first));
  PetscCall(TemperingGather(t, 1, t->l));
  PetscCall(TemperingGather(t, 1, t->base));
  PetscFunctionReturn(0);
}

static void continue_from(ScoriaTempering t, const ScoriaTempering from)
{
  t->stages       = from->stages;
  t->log_evidence = from->log_evidence;
  t->independent  = from->independent;
  t->variance     = from->variance;
  t->first_draw   = tempering_draw(from, from->moves + 1);
}

PetscErrorCode ScoriaTemperingCreate(MPI_Comm comm, const ScoriaTemperingSpec *spec, ScoriaTempering *out)
{
  const int64_t N = spec->particles;
  const int D     = spec->dimension;
  ScoriaTempering t;
  PetscFunctionBeginUser;
  PetscCheck(N < PETSC_MPI_INT_MAX, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "%" PRId64 " particles", N);
  PetscCall(PetscNew(&t));
  t->comm = comm;
  t->spec = *spec;
  t->step = 0.5;
  PetscCallMPI(MPI_Comm_rank(comm, &t->rank));
  PetscCallMPI(MPI_Comm_size(comm, &t->size));
  tempering_block(t, t->rank, &t->first, &t->number);
  const int64_t own = t->number * D + 1;
  PetscCall(PetscCalloc5(N * D, &t->z, N, &t->l, N, &t->base, 3 * N, &t->weight, N * D, &t->other));
  PetscCall(PetscCalloc2(N, &t->ancestor, N, &t->inherited));
  PetscCall(
      PetscMalloc6(D * D, &t->axes, D * D, &t->back, D, &t->mean, D, &t->lambda, D, &t->informed, 6 * D, &t->pair));
  PetscCall(PetscMalloc6(own, &t->w, own, &t->moved, own, &t->z_moved, own, &t->w_start, t->number + 1, &t->l_moved,
                         t->number + 1, &t->base_moved));
  if (spec->from) continue_from(t, spec->from);
  if (!spec->empty) PetscCall(Start(t));
  *out = t;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaTemperingDestroy(ScoriaTempering *out)
{
  ScoriaTempering t = *out;
  PetscFunctionBeginUser;
  if (!t) PetscFunctionReturn(0);
  PetscCall(PetscFree5(t->z, t->l, t->base, t->weight, t->other));
  PetscCall(PetscFree2(t->ancestor, t->inherited));
  PetscCall(PetscFree6(t->axes, t->back, t->mean, t->lambda, t->informed, t->pair));
  PetscCall(PetscFree6(t->w, t->moved, t->z_moved, t->w_start, t->l_moved, t->base_moved));
  PetscCall(PetscFree(*out));
  PetscFunctionReturn(0);
}

/* Reweighted to the next temperature and resampled, before its moves. */
static PetscErrorCode BeginStage(ScoriaTempering t)
{
  const double most = largest_of(t->spec.particles, t->l);
  double sum, ess;
  PetscFunctionBeginUser;
  if (!isfinite(most)) SCORIA_FAIL(SCORIA_EXIT_INPUT, "no particle of the prior has a likelihood");
  if (t->stages == STAGES)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "the readings are too far from the prior: temperature %g after %d stages",
                t->temperature, STAGES);
  const double dt = choose_step(t, most, &ess, &sum);
  t->log_evidence += dt * most + log(sum / (double)t->spec.particles);
  add_variance(t, sum, ess);
  t->temperature = t->temperature + dt >= 1 - 1e-12 ? 1 : t->temperature + dt;
  PetscCall(TemperingFit(t, sum, ess));
  resample(t, sum);
  t->stages++;
  t->stage = (ScoriaTemperingStage){.temperature = t->temperature, .ess = ess, .correlation = 1};
  tempering_begin_moves(t);
  t->moving = true;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaTemperingStep(ScoriaTempering t, ScoriaTemperingStage *stage)
{
  PetscFunctionBeginUser;
  phase_begin(SCORIA_PHASE_INFER);
  if (!t->moving) PetscCall(BeginStage(t));
  PetscCall(TemperingMove(t));
  t->moving = false;
  *stage    = t->stage;
  phase_end(SCORIA_PHASE_INFER, t->rank == 0); /* a stage is counted once */
  PetscFunctionReturn(0);
}

/* Of weights e^(from l), what share would stay effective after another factor e^((to - from) l). */
static double share_after(ScoriaTempering t, double most, double from, double to, double *ess)
{
  double sum = 0, square = 0, next = 0, next_square = 0;
  for (int64_t i = 0; i < t->spec.particles; i++) {
    if (!isfinite(t->l[i])) continue;
    const double w = exp(from * (t->l[i] - most)), v = exp((to - from) * (t->l[i] - most));
    sum += w;
    square += w * w;
    next += w * v;
    next_square += w * v * v;
  }
  *ess = sum * sum / square;
  return next * next / (sum * next_square);
}

#define ENOUGH 100   /* effective particles, of which the next step can be told */
#define FARTHEST 200 /* stages: more, and the first steps tell nothing of the others */

/* The particles as they are, reweighted stage after stage as far as they can tell; then steps grow as they did. */
int tempering_stages_left(ScoriaTempering t)
{
  const double left = 1 - t->temperature, most = largest_of(t->spec.particles, t->l);
  double at = 0, step = 0, growth = 1, ess;
  int n = 0;
  while (at < left) {
    double lo = at, hi = left;
    const bool rest = share_after(t, most, at, left, &ess) >= SHARE;
    if (n > 1 && ess < ENOUGH) break;
    for (int i = 0; !rest && i < 16; i++) {
      const double middle = at + (lo > at ? 0.5 * (lo + hi) - at : (hi - at) / 4);
      if (share_after(t, most, at, middle, &ess) >= SHARE)
        lo = middle;
      else
        hi = middle;
    }
    if (rest) return n + 1;
    growth = step > 0 ? fmax(1, (hi - at) / step) : 1;
    step   = hi - at;
    at     = hi;
    n++;
  }
  const double steps = fmax(0, left - at) / step;
  const double all   = n + ceil(growth > 1.01 ? log1p(steps * (growth - 1) / growth) / log(growth) : steps);
  return all <= FARTHEST ? (int)all : -1; /* nor where it is not a number */
}

double tempering_temperature(ScoriaTempering t)
{
  return t->temperature;
}

bool tempering_finished(ScoriaTempering t)
{
  return t->temperature >= 1 && !t->moving;
}

const double *tempering_particles(ScoriaTempering t)
{
  return t->z;
}

double tempering_log_evidence(ScoriaTempering t, double *se)
{
  *se = sqrt(fmax(0, t->variance));
  return t->log_evidence;
}

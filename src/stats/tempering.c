/* Sequential Monte Carlo by tempering.  The next temperature is the one that leaves half of the particles effective;
 * resampling is systematic.
 *
 * A move is a preconditioned Crank-Nicolson step (Cotter et al. 2013) about a Gaussian N(m, C) instead of the prior
 * (Rudolf and Sprungk 2018): z' = m + sqrt(1 - b^2) (z - m) + b C^1/2 xi, accepted with probability min(1, r(z')/r(z)),
 * r being the target over the density of N(m, C).  m and C are the particles' own, but only along those of their
 * principal axes in which they tell themselves from the prior: elsewhere the move is the prior's, whose acceptance does
 * not fall with the dimension.  Sharp readings thus do not shorten the steps in directions that they say nothing of.
 *
 * Particles are known to every rank, and moved each by one of them; what all do is done by all, on the same numbers in
 * the same order. */
#include "base/linalg.h"
#include "scoria/phases.h"
#include "scoria/stats.h"
#include <math.h>
#include <string.h>

#define SHARE 0.5         /* of the particles, effective after reweighting */
#define ACCEPTANCE 0.25   /* that the step is led to */
#define LARGEST_STEP 0.95 /* beyond, a particle in the tail of N(m, C) would hardly move */
#define MORE_MOVES 5      /* times as many moves, at most, where they are short */
#define STAGES 1000

struct ScoriaTempering_ {
  MPI_Comm comm;
  ScoriaTemperingSpec spec;
  PetscMPIInt rank, size;
  int64_t first, number;                 /* this rank's particles */
  double *z;                             /* owned (particles, D) */
  double *l;                             /* owned (particles): log likelihood */
  double *weight;                        /* owned (2, particles): the second half is work */
  double *other;                         /* owned (particles, D): work */
  double *axes, *back;                   /* owned (D, D): rows are the principal axes; their transpose */
  double *mean, *lambda;                 /* owned (D): of N(m, C) along them; 0 and 1 where the prior's */
  bool *informed;                        /* owned (D): where not */
  double *w, *moved, *z_moved, *l_moved; /* owned (number, D), but l_moved (number): along the axes, less the mean */
  double temperature, step, log_evidence, variance; /* variance: of log_evidence */
  int stages;
  uint32_t moves; /* so far; 0 is the draw from the prior */
};

/* ------------------------------------------------------------------------------------------- sharing particles ---- */

static void rank_block(ScoriaTempering t, int rank, int64_t *first, int64_t *number)
{
  const int64_t N = t->spec.particles, tile = t->spec.tile, tiles = (N + tile - 1) / tile;
  deal_block(tiles, rank, t->size, first, number);
  *number = PetscMin((*first + *number) * tile, N) - *first * tile;
  *first *= tile;
  *number = PetscMax(*number, 0);
}

/* Every rank's part of x (particles, width) to every rank. */
static PetscErrorCode Gather(ScoriaTempering t, int width, double x[])
{
  PetscMPIInt *counts, *starts;
  MPI_Datatype row;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(t->size, &counts, t->size, &starts));
  PetscCallMPI(MPI_Type_contiguous(width, MPI_DOUBLE, &row)); /* particles are counted, not their numbers */
  PetscCallMPI(MPI_Type_commit(&row));
  for (int r = 0; r < t->size; r++) {
    int64_t first, number;
    rank_block(t, r, &first, &number);
    starts[r] = (PetscMPIInt)first;
    counts[r] = (PetscMPIInt)number;
  }
  PetscCallMPI(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, x, counts, starts, row, t->comm));
  PetscCallMPI(MPI_Type_free(&row));
  PetscCall(PetscFree2(counts, starts));
  PetscFunctionReturn(0);
}

/* What one rank meets alone, all fail with. */
static PetscErrorCode Evaluate(ScoriaTempering t, const double z[], double l[])
{
  PetscFunctionBeginUser;
  const PetscErrorCode bad = t->spec.evaluate(t->spec.ctx, t->first, t->number, z, l);
  if (bad && ScoriaFailureCode() == SCORIA_EXIT_OK) PetscCall(bad);
  PetscCall(ScoriaAgree(t->comm, ScoriaFailureCode(), ScoriaFailureLine()));
  for (int64_t i = 0; i < t->number; i++)
    if (!isfinite(l[i])) l[i] = -INFINITY;
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------------- numbers ---- */

static uint32_t draws_of_a_move(ScoriaTempering t)
{
  return (uint32_t)(t->spec.dimension + 1) / 2 + 1; /* normals, then the uniform number that accepts */
}

static void normals(ScoriaTempering t, int64_t i, double xi[])
{
  rng_normal(t->spec.seed, SCORIA_STREAM_PARTICLE, (uint64_t)i, t->moves * draws_of_a_move(t), t->spec.dimension, xi);
}

static double uniform(ScoriaTempering t, int64_t i)
{
  double u;
  rng_uniform(t->spec.seed, SCORIA_STREAM_PARTICLE, (uint64_t)i, (t->moves + 1) * draws_of_a_move(t) - 1, 1, &u);
  return u;
}

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

/* N(m, C) of the weighted particles, along their principal axes.  Of n draws of the prior the eigenvalues lie between
 * (1 -+ sqrt(D/n))^2 (Marchenko and Pastur 1967). */
static PetscErrorCode FitReference(ScoriaTempering t, double sum, double ess)
{
  const int D       = t->spec.dimension;
  const int64_t N   = t->spec.particles;
  const double root = sqrt(D / ess), low = root < 1 ? (1 - root) * (1 - root) : 0, high = (1 + root) * (1 + root);
  double *centre;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(D, &centre));
  for (int64_t i = 0; i < N; i++)
    for (int k = 0; k < D; k++) centre[k] += t->weight[i] / sum * t->z[i * D + k];
  for (int64_t i = 0; i < N; i++)
    for (int k = 0; k < D; k++) t->other[i * D + k] = sqrt(t->weight[i] / sum) * (t->z[i * D + k] - centre[k]);
  memset(t->axes, 0, (size_t)D * (size_t)D * sizeof(double));
  la_syrk(D, (int)N, D, t->other, t->axes);
  PetscCall(LinalgEigen(D, t->axes, t->lambda));
  for (int k = 0; k < D; k++) {
    t->mean[k] = 0;
    for (int j = 0; j < D; j++) {
      t->back[j * D + k] = t->axes[k * D + j];
      t->mean[k] += t->axes[k * D + j] * centre[j];
    }
    t->informed[k] = t->lambda[k] < low || t->lambda[k] > high || t->mean[k] * t->mean[k] * ess > 16;
    if (!t->informed[k]) t->mean[k] = 0;
    t->lambda[k] = t->informed[k] ? fmax(t->lambda[k], 1e-14) : 1;
  }
  PetscCall(PetscFree(centre));
  PetscFunctionReturn(0);
}

static void resample(ScoriaTempering t, double sum)
{
  const int64_t N = t->spec.particles;
  const int D     = t->spec.dimension;
  double *l = t->weight + N, u, below = 0;
  rng_uniform(t->spec.seed, SCORIA_STREAM_RESAMPLE, (uint64_t)t->stages, 0, 1, &u);
  int64_t from = 0;
  for (int64_t i = 0; i < N; i++) {
    const double at = ((double)i + u) / (double)N * sum;
    while (from + 1 < N && below + t->weight[from] < at) below += t->weight[from++];
    memcpy(t->other + i * D, t->z + from * D, (size_t)D * sizeof(double));
    l[i] = t->l[from];
  }
  memcpy(t->z, t->other, (size_t)(N * D) * sizeof(double));
  memcpy(t->l, l, (size_t)N * sizeof(double));
}

/* ---------------------------------------------------------------------------------------------------- moving ---- */

/* ln of the prior over the density of N(m, C) at w along the axes, less the mean; up to a constant. */
static double log_ratio(ScoriaTempering t, const double w[])
{
  double sum = 0;
  for (int k = 0; k < t->spec.dimension; k++)
    if (t->informed[k]) {
      const double z = w[k] + t->mean[k];
      sum += 0.5 * (w[k] * w[k] / t->lambda[k] - z * z);
    }
  return sum;
}

static void propose(ScoriaTempering t)
{
  const int D       = t->spec.dimension;
  const double keep = sqrt(1 - t->step * t->step);
  for (int64_t i = 0; i < t->number; i++) {
    double *to = t->moved + i * D;
    normals(t, t->first + i, to);
    for (int k = 0; k < D; k++) to[k] = keep * t->w[i * D + k] + t->step * sqrt(t->lambda[k]) * to[k];
  }
  for (int64_t i = 0; i < t->number; i++)
    for (int k = 0; k < D; k++) t->other[i * D + k] = t->moved[i * D + k] + t->mean[k];
  la_rows_product(t->number, D, D, t->other, t->axes, NULL, t->z_moved);
}

/* How many of this rank's particles go where they were proposed to go. */
static int64_t accept(ScoriaTempering t)
{
  const int D    = t->spec.dimension;
  int64_t number = 0;
  for (int64_t i = 0; i < t->number; i++) {
    const int64_t p = t->first + i;
    const double ratio =
        t->temperature * (t->l_moved[i] - t->l[p]) + log_ratio(t, t->moved + i * D) - log_ratio(t, t->w + i * D);
    if (!(log(uniform(t, p)) < ratio)) continue;
    memcpy(t->w + i * D, t->moved + i * D, (size_t)D * sizeof(double));
    memcpy(t->z + p * D, t->z_moved + i * D, (size_t)D * sizeof(double));
    t->l[p] = t->l_moved[i];
    number++;
  }
  return number;
}

/* A move that is accepted shortens what ties the particle to its place by the factor sqrt(1 - b^2); moves go on until
 * the shares of them, times b^2, add up to 1. */
static PetscErrorCode Move(ScoriaTempering t, ScoriaTemperingStage *stage)
{
  const int D = t->spec.dimension;
  PetscFunctionBeginUser;
  la_rows_product(t->number, D, D, t->z + t->first * D, t->back, NULL, t->w);
  for (int64_t i = 0; i < t->number; i++)
    for (int k = 0; k < D; k++) t->w[i * D + k] -= t->mean[k];
  for (int m = 0; m < t->spec.moves || (stage->mixing < 1 && m < MORE_MOVES * t->spec.moves); m++) {
    t->moves++;
    propose(t);
    PetscCall(Evaluate(t, t->z_moved, t->l_moved));
    int64_t accepted = accept(t);
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &accepted, 1, MPI_INT64_T, MPI_SUM, t->comm));
    const double share = (double)accepted / (double)t->spec.particles;
    stage->acceptance  = (m * stage->acceptance + share) / (m + 1);
    stage->mixing += share * t->step * t->step;
    stage->step = t->step;
    t->step     = fmin(LARGEST_STEP, t->step * exp(share - ACCEPTANCE));
  }
  PetscCall(Gather(t, D, t->z));
  PetscCall(Gather(t, 1, t->l));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- object ---- */

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
  rank_block(t, t->rank, &t->first, &t->number);
  PetscCall(PetscMalloc4(N * D, &t->z, N, &t->l, 2 * N, &t->weight, N * D, &t->other));
  PetscCall(PetscMalloc5(D * D, &t->axes, D * D, &t->back, D, &t->mean, D, &t->lambda, D, &t->informed));
  PetscCall(PetscMalloc4(t->number * D + 1, &t->w, t->number * D + 1, &t->moved, t->number * D + 1, &t->z_moved,
                         t->number + 1, &t->l_moved));
  for (int64_t i = 0; i < N; i++) normals(t, i, t->z + i * D);
  PetscCall(Evaluate(t, t->z + t->first * D, t->l + t->first));
  PetscCall(Gather(t, 1, t->l));
  *out = t;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaTemperingDestroy(ScoriaTempering *out)
{
  ScoriaTempering t = *out;
  PetscFunctionBeginUser;
  if (!t) PetscFunctionReturn(0);
  PetscCall(PetscFree4(t->z, t->l, t->weight, t->other));
  PetscCall(PetscFree5(t->axes, t->back, t->mean, t->lambda, t->informed));
  PetscCall(PetscFree4(t->w, t->moved, t->z_moved, t->l_moved));
  PetscCall(PetscFree(*out));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaTemperingStep(ScoriaTempering t, ScoriaTemperingStage *stage)
{
  const double most = largest_of(t->spec.particles, t->l);
  double sum, ess;
  PetscFunctionBeginUser;
  if (!isfinite(most)) SCORIA_FAIL(SCORIA_EXIT_INPUT, "no particle of the prior has a likelihood");
  if (t->stages == STAGES)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "the readings are too far from the prior: temperature %g after %d stages",
                t->temperature, STAGES);
  phase_begin(SCORIA_PHASE_INFER);
  const double dt = choose_step(t, most, &ess, &sum);
  t->log_evidence += dt * most + log(sum / (double)t->spec.particles);
  t->variance += 1 / ess - 1 / (double)t->spec.particles;
  t->temperature = t->temperature + dt >= 1 - 1e-12 ? 1 : t->temperature + dt;
  PetscCall(FitReference(t, sum, ess));
  resample(t, sum);
  t->stages++;
  *stage = (ScoriaTemperingStage){.temperature = t->temperature, .ess = ess};
  PetscCall(Move(t, stage));
  phase_end(SCORIA_PHASE_INFER, t->rank == 0); /* a stage is counted once */
  PetscFunctionReturn(0);
}

double tempering_temperature(ScoriaTempering t)
{
  return t->temperature;
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

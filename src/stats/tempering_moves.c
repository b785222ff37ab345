/* Tempering: the moves of the particles at one temperature (tempering.c says which), until they have forgotten where
 * they began. */
#include "scoria/linalg.h"
#include "scoria/fixed.h"
#include "tempering.h"
#include <math.h>
#include <string.h>

#define ACCEPTANCE 0.25   /* that the step is led to */
#define LARGEST_STEP 0.95 /* beyond, a particle in the tail of N(m, C) would hardly move */
#define INFLATION 1.3     /* of C: proposals with lighter tails than the target leave particles there for long */
#define FORGOTTEN 0.1     /* correlation of what a coordinate was before the moves and is after them */

/* N(m, C) of the weighted particles, along their principal axes.  Of n draws of the prior the eigenvalues lie between
 * (1 -+ sqrt(D/n))^2 (Marchenko and Pastur 1967).  C is wider than they are where it is not the prior's. */
PetscErrorCode TemperingFit(ScoriaTempering t, double sum, double ess)
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
    t->lambda[k] = t->informed[k] ? INFLATION * fmax(t->lambda[k], 1e-14) : 1;
  }
  PetscCall(PetscFree(centre));
  PetscFunctionReturn(0);
}

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
    tempering_normals(t, t->moves + 1, t->first + i, to);
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
    const int64_t p    = t->first + i;
    const double ratio = t->temperature * (t->l_moved[i] - t->l[p]) + t->base_moved[i] - t->base[p] +
                         log_ratio(t, t->moved + i * D) - log_ratio(t, t->w + i * D);
    if (!(log(tempering_uniform(t, t->moves + 1, p)) < ratio)) continue;
    memcpy(t->w + i * D, t->moved + i * D, (size_t)D * sizeof(double));
    memcpy(t->z + p * D, t->z_moved + i * D, (size_t)D * sizeof(double));
    t->l[p]    = t->l_moved[i];
    t->base[p] = t->base_moved[i];
    number++;
  }
  return number;
}

#define LARGE 0x1p19 /* in units of an SD: products stay below 2^40 */

/* The largest correlation, over the axes, of the particles' places with those before the moves.  Sums in fixed point,
 * so that the ranks do not show. */
static PetscErrorCode Correlation(ScoriaTempering t, double *largest)
{
  const int D = t->spec.dimension;
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(t->pair, 6 * D));
  for (int64_t i = 0; i < t->number; i++)
    for (int k = 0; k < D; k++) {
      const double unit = 1 / sqrt(t->lambda[k]);
      const double now  = PetscClipInterval(unit * t->w[i * D + k], -LARGE, LARGE);
      const double then = PetscClipInterval(unit * t->w_start[i * D + k], -LARGE, LARGE);
      add_fixed(t->pair + 6 * k, now * then);
      add_fixed(t->pair + 6 * k + 2, now * now);
      add_fixed(t->pair + 6 * k + 4, then * then);
    }
  PetscCall(ScoriaReduceMany(t->comm, MPI_SUM, 6 * D, MPI_INT64_T, t->pair));
  *largest = 0;
  for (int k = 0; k < D; k++) {
    const int64_t *sum = t->pair + 6 * k;
    const double both  = sqrt(get_fixed(sum + 2) * get_fixed(sum + 4));
    if (both > 0) *largest = fmax(*largest, get_fixed(sum) / both);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode MoveOnce(ScoriaTempering t, double *share)
{
  int64_t accepted;
  PetscFunctionBeginUser;
  propose(t);
  PetscCall(TemperingEvaluate(t, t->z_moved, t->l_moved, t->base_moved));
  accepted = accept(t);
  t->moves++; /* here: an evaluation that stops leaves the particles as they were before the move */
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &accepted, 1, MPI_INT64_T, MPI_SUM, t->comm));
  *share = (double)accepted / (double)t->spec.particles;
  PetscFunctionReturn(0);
}

/* Of N independent pairs the correlation is N(0, 1/N), and the largest of D such about sqrt(2 ln D / N). */
double tempering_forgotten(int64_t particles, int dimension)
{
  return FORGOTTEN + sqrt(2 * log(2 * dimension) / (double)particles);
}

int tempering_moves_of_stage(ScoriaTempering t)
{
  return PetscMax(t->spec.moves, t->last);
}

/* A correlation falls by the same factor with every move; before it is known, the stage is as the last one. */
int tempering_moves_left(ScoriaTempering t)
{
  const double forgotten = tempering_forgotten(t->spec.particles, t->spec.dimension), now = t->correlation;
  double moves = tempering_moves_of_stage(t);
  if (t->made >= t->spec.moves && now < 1) moves = t->made * PetscMax(1, log(forgotten) / log(now));
  return PetscMax(0, (int)ceil(PetscMin(moves, t->spec.most_moves)) - t->made - 1);
}

void tempering_begin_moves(ScoriaTempering t)
{
  const int D = t->spec.dimension;
  la_rows_product(t->number, D, D, t->z + t->first * D, t->back, NULL, t->w);
  for (int64_t i = 0; i < t->number; i++)
    for (int k = 0; k < D; k++) t->w[i * D + k] -= t->mean[k];
  memcpy(t->w_start, t->w, (size_t)(t->number * D) * sizeof(double));
}

/* Moves go on until the places are forgotten. */
PetscErrorCode TemperingMove(ScoriaTempering t)
{
  ScoriaTemperingStage *stage = &t->stage;
  const double forgotten      = tempering_forgotten(t->spec.particles, t->spec.dimension);
  PetscFunctionBeginUser;
  while (stage->moves < t->spec.moves || (stage->moves < t->spec.most_moves && stage->correlation > forgotten)) {
    const int m = t->made = stage->moves;
    double share;
    t->correlation = stage->correlation;
    PetscCall(MoveOnce(t, &share));
    stage->acceptance = (m * stage->acceptance + share) / (m + 1);
    stage->mixing += share * t->step * t->step;
    stage->step  = t->step;
    stage->moves = m + 1;
    t->step      = fmin(LARGEST_STEP, t->step * exp(share - ACCEPTANCE));
    if (m + 1 >= t->spec.moves) PetscCall(Correlation(t, &stage->correlation));
  }
  t->last = stage->moves;
  PetscCall(TemperingGather(t, t->spec.dimension, t->z));
  PetscCall(TemperingGather(t, 1, t->l));
  PetscCall(TemperingGather(t, 1, t->base));
  PetscFunctionReturn(0);
}

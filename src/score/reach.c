/* Where inside their ranges the conditions of a training lie.
 *
 * Conditions that a file brings may go together, as a temperature that follows the load: most of the box of their
 * ranges is then empty, and a model asked there extrapolates as one that is asked outside.  Distances are Mahalanobis'
 * (1936): in the unit conditions u, of mean m and covariance C = Q diag(w) Q^T of the conditions trained on,
 *
 *   |u - m|^2_C = sum_k (Q_k . (u - m))^2 / w_k.
 *
 * Conditions spread evenly over a box have 3 a condition at its corners.  A spread below SPREAD_LEAST, where they lie
 * on a line or a plane, counts as that: how far beside it a question may be. */
#include "reach.h"
#include "holdout.h"
#include "scoria/linalg.h"
#include <math.h>

#define BLOCK 1024        /* conditions that are summed together, whoever does it */
#define SPREAD_LEAST 0.05 /* standard deviation, in half-widths of a range */
#define CORNERS 12.0      /* squared distance a condition that is still inside: four times that of a box's corners */
#define FARTHER 2.0       /* or of the farthest condition trained on, whatever their law */
#define TOGETHER 0.95     /* correlation of two conditions that is told */
#define REACH_MEAN "/reach/mean"
#define REACH_COVARIANCE "/reach/covariance"
#define REACH_FARTHEST "reach_farthest"

/* ---------------------------------------------------------------------------------------------------- distances ----
 */

static double sd(const ScoriaReach *r, int k)
{
  return sqrt(r->covariance[k * r->d + k]);
}

/* The axes of the covariance, each over its spread. */
static PetscErrorCode SetAxes(ScoriaReach *r)
{
  double w[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(r->axis, r->covariance, r->d * r->d));
  PetscCall(LinalgEigen(r->d, r->axis, w));
  for (int k = 0; k < r->d; k++)
    for (int i = 0; i < r->d; i++) r->axis[k * r->d + i] /= fmax(sqrt(fmax(w[k], 0)), SPREAD_LEAST);
  PetscFunctionReturn(0);
}

static double distance(const ScoriaReach *r, const double u[])
{
  double sum = 0;
  for (int k = 0; k < r->d; k++) {
    double along = 0;
    for (int i = 0; i < r->d; i++) along += r->axis[k * r->d + i] * (u[i] - r->mean[i]);
    sum += along * along;
  }
  return sum;
}

double reach_excess(const ScoriaReach *r, const double u[])
{
  if (!r->d) return 0;
  return sqrt(distance(r, u) / fmax(CORNERS * r->d, FARTHER * r->farthest));
}

/* ------------------------------------------------------------------------------------------------------- finding ----
 */

typedef struct {
  const ScoriaSpace *space;
  const ScoriaHoldout *holdout;
  ScoriaReach *reach;
  int64_t conditions;
  double *sum; /* (blocks, numbers of a block): how many, sums, sums of products */
} Finding;

static int block_numbers(int d)
{
  return 1 + d + d * d;
}

static void sum_condition(const Finding *f, const double u[], double sum[])
{
  const int d = f->space->n;
  sum[0]++;
  for (int i = 0; i < d; i++) {
    sum[1 + i] += u[i];
    for (int j = 0; j < d; j++) sum[1 + d + i * d + j] += u[i] * u[j];
  }
}

/* Conditions of a block that training sees: summed, or, where sum is NULL, the farthest of them. */
static PetscErrorCode Block(const Finding *f, ScoriaDataset ds, int64_t first, int64_t number, double theta[],
                            double sum[])
{
  double u[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetReadTheta(ds, first, number, theta));
  for (int64_t i = 0; i < number; i++) {
    if (f->holdout && holdout_has_condition(f->holdout, first + i)) continue;
    space_to_unit(f->space, theta + i * f->space->n, u);
    if (sum)
      sum_condition(f, u, sum);
    else
      f->reach->farthest = fmax(f->reach->farthest, distance(f->reach, u));
  }
  PetscFunctionReturn(0);
}

/* All blocks, dealt to the ranks. */
static PetscErrorCode Walk(MPI_Comm comm, const Finding *f, ScoriaDataset ds, bool sums)
{
  const int64_t blocks = (f->conditions + BLOCK - 1) / BLOCK;
  int64_t begin, mine, most;
  int rank, size;
  double *theta;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  deal_block(blocks, rank, size, &begin, &mine);
  most = (blocks + size - 1) / size;
  PetscCall(PetscMalloc1(BLOCK * f->space->n + 1, &theta));
  for (int64_t b = 0; b < most; b++) {
    const int64_t first  = b < mine ? (begin + b) * BLOCK : 0;
    const int64_t number = b < mine ? PetscMin(BLOCK, f->conditions - first) : 0;
    PetscCall(Block(f, ds, first, number, theta, sums ? f->sum + (begin + b) * block_numbers(f->space->n) : NULL));
  }
  PetscCall(PetscFree(theta));
  PetscFunctionReturn(0);
}

/* Mean and covariance of the sums of all blocks, added in their order. */
static void take_moments(const Finding *f, int64_t blocks)
{
  ScoriaReach *r = f->reach;
  const int d = r->d, numbers = block_numbers(d);
  double *all = f->sum;
  for (int64_t b = 1; b < blocks; b++)
    for (int i = 0; i < numbers; i++) all[i] += all[b * numbers + i];
  for (int i = 0; i < d; i++) r->mean[i] = all[1 + i] / all[0];
  for (int i = 0; i < d; i++)
    for (int j = 0; j < d; j++) r->covariance[i * d + j] = all[1 + d + i * d + j] / all[0] - r->mean[i] * r->mean[j];
}

/* No model can tell what is the doing of which of two conditions that go together. */
static PetscErrorCode Warn(ScoriaRun run, const ScoriaSpace *space, const ScoriaReach *r)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < r->d; i++)
    for (int j = 0; j < i; j++) {
      const double scale = sd(r, i) * sd(r, j), together = scale > 0 ? r->covariance[i * r->d + j] / scale : 0;
      if (fabs(together) > TOGETHER)
        PetscCall(ScoriaSay(run,
                            "  WARNING: %s and %s go together in the training set (correlation %+.4f): what is the "
                            "doing of which it does not tell, and apart from each other they are extrapolation",
                            space->c[j].name, space->c[i].name, together));
    }
  PetscFunctionReturn(0);
}

PetscErrorCode ReachFind(ScoriaRun run, ScoriaDataset ds, const ScoriaHoldout *holdout, ScoriaReach *reach)
{
  const ScoriaDatasetSpec *spec;
  MPI_Comm comm = ScoriaRunComm(run);
  Finding f     = {.holdout = holdout, .reach = reach};
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  *reach               = (ScoriaReach){.d = spec->space.n};
  f.space              = &spec->space;
  f.conditions         = spec->rows / spec->realisations;
  const int64_t blocks = (f.conditions + BLOCK - 1) / BLOCK, numbers = blocks * block_numbers(reach->d);
  PetscCall(PetscCalloc1(numbers, &f.sum));
  PetscCall(Walk(comm, &f, ds, true));
  PetscCall(ScoriaReduceMany(comm, MPI_SUM, numbers, MPI_DOUBLE, f.sum)); /* of every block one rank's, and zeros */
  take_moments(&f, blocks);
  PetscCall(PetscFree(f.sum));
  PetscCall(SetAxes(reach));
  PetscCall(Walk(comm, &f, ds, false));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &reach->farthest, 1, MPI_DOUBLE, MPI_MAX, comm));
  PetscCall(Warn(run, f.space, reach));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------------ model.h5 ----
 */

PetscErrorCode ReachSave(const ScoriaReach *r, ScoriaStore store)
{
  const int64_t dims[2] = {r->d, r->d};
  PetscFunctionBeginUser;
  if (!r->d) PetscFunctionReturn(0);
  PetscCall(
      ScoriaStorePutReals(store, REACH_MEAN, 1, dims, r->mean, "", "mean of the unit conditions that were trained on"));
  PetscCall(ScoriaStorePutAxes(store, REACH_MEAN, "condition"));
  PetscCall(ScoriaStorePutReals(store, REACH_COVARIANCE, 2, dims, r->covariance, "", "their covariance"));
  PetscCall(ScoriaStorePutAxes(store, REACH_COVARIANCE, "condition other_condition"));
  PetscCall(ScoriaStorePutReal(store, REACH_FARTHEST, r->farthest));
  PetscFunctionReturn(0);
}

/* Not of numbers that no conditions have, as of a damaged file. */
static bool is_whole(const ScoriaReach *r)
{
  bool good = isfinite(r->farthest) && r->farthest >= 0;
  for (int i = 0; i < r->d; i++) good = good && isfinite(r->mean[i]);
  for (int i = 0; i < r->d * r->d; i++) good = good && isfinite(r->covariance[i]);
  return good;
}

PetscErrorCode ReachLoad(ScoriaStore store, int d, ScoriaReach *r)
{
  bool there;
  PetscFunctionBeginUser;
  *r = (ScoriaReach){0};
  PetscCall(ScoriaStoreHas(store, REACH_FARTHEST, &there));
  if (!there) PetscFunctionReturn(0);
  PetscCall(ScoriaStoreGetReal(store, REACH_FARTHEST, &r->farthest));
  PetscCall(ScoriaStoreGetReals(store, REACH_MEAN, d, r->mean));
  PetscCall(ScoriaStoreGetReals(store, REACH_COVARIANCE, d * d, r->covariance));
  r->d = d;
  if (!is_whole(r)) SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: /reach holds a value that is not finite");
  PetscCall(SetAxes(r));
  PetscFunctionReturn(0);
}

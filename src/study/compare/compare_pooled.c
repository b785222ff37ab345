/* compare: the verdict from conditions with few rows each, down to one.  No law can be seen in so few, so that the rows
 * of all held-back conditions are judged together, as residuals: field minus the mean, over the standard deviation,
 * that the model has at the row's own condition, value by value.  Residuals of the rows and of as many draws of the
 * model at the same conditions are samples of one law where the model is right, whatever that law is; a mean that is
 * wrong here and there shows as residuals that are too wide, a wrong spread and a wrong shape as they are.
 *
 * The floor is what two samples of so many residuals of the rows' own law differ by: pairs of bootstrap samples of the
 * residuals, which need no model (Bickel and Freedman 1981: the bootstrap of empirical processes). */
#include "compare.h"
#include <math.h>
#include <string.h>

enum {
  MOMENT_DRAWS = 1 << 18, /* of the model for mean and SD, over all conditions */
  LEAST_DRAWS  = 64,      /* at one: their error adds 1 / draws to the variance of every residual, of rows and model */
  MOST_DRAWS   = 1024,
  PAIRS        = 8, /* of bootstrap samples */
};

#define MOMENTS_FROM ((int64_t)1 << 32) /* numbers of their draws at a condition: beyond those that are compared */

/* The sources whose residuals are gathered. */
static const ScoriaFrom taken[]                  = {SCORIA_FROM_PDE, SCORIA_FROM_MODEL, SCORIA_FROM_GAUSSIAN};
static const ScoriaDraws number_of[SCORIA_NFROM] = {[SCORIA_FROM_PDE]      = SCORIA_DRAWS_HELDOUT,
                                                    [SCORIA_FROM_MODEL]    = SCORIA_DRAWS_COMPARED,
                                                    [SCORIA_FROM_GAUSSIAN] = SCORIA_DRAWS_GAUSSIAN};
enum { TAKEN = 3 };

typedef struct {
  const ComparePooled *asked;
  const ScoriaSource *source;
  int m;
  int64_t draws;              /* for moments, at each condition */
  double *moment, *mean, *sd; /* owned (draws, m), (m), (m) */
  double *share[TAKEN];       /* owned (this rank's conditions * each, m): residuals, failed rows left out */
  double *all[TAKEN];         /* owned, on rank 0 (all conditions * each, m) */
  int64_t good;               /* rows in share */
} Pooling;

static PetscErrorCode Create(const ComparePooled *asked, const ScoriaSource source[], int64_t conditions_here, int rank,
                             Pooling *p)
{
  const ScoriaFieldShape *shape = source_shape(source[SCORIA_FROM_MODEL]);
  PetscFunctionBeginUser;
  *p       = (Pooling){.asked = asked, .source = source, .m = shape->channels * shape->cells};
  p->draws = PetscClipInterval(MOMENT_DRAWS / asked->conditions, LEAST_DRAWS, MOST_DRAWS);
  PetscCall(PetscMalloc3(p->draws * p->m, &p->moment, p->m, &p->mean, p->m, &p->sd));
  for (int t = 0; t < TAKEN; t++) {
    PetscCall(PetscMalloc1(conditions_here * asked->each * p->m, &p->share[t]));
    if (!rank) PetscCall(PetscMalloc1(asked->conditions * asked->each * p->m, &p->all[t]));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(Pooling *p)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree3(p->moment, p->mean, p->sd));
  for (int t = 0; t < TAKEN; t++) {
    PetscCall(PetscFree(p->share[t]));
    PetscCall(PetscFree(p->all[t]));
  }
  PetscFunctionReturn(0);
}

#define RESOLUTION 1e-6 /* of what is stored in single precision, some units of it: below, a spread is rounding */

/* Residuals of a field in place.  Where the model does not vary, its value is the unit: a row that differs shows. */
static void standardise(const Pooling *p, double field[])
{
  for (int j = 0; j < p->m; j++) {
    const double unit = p->sd[j] > RESOLUTION * fabs(p->mean[j]) ? p->sd[j] : fabs(p->mean[j]);
    field[j]          = (field[j] - p->mean[j]) / (unit > 0 ? unit : 1);
  }
}

/* Residuals of one condition behind those that are there; a row that has failed in one source counts in none. */
static PetscErrorCode Take(Pooling *p, int64_t k)
{
  const ComparePooled *asked = p->asked;
  const int64_t each         = asked->each;
  const double *theta        = asked->theta + k * source_shape(p->source[SCORIA_FROM_MODEL])->space->n;
  const size_t width         = sizeof(double) * (size_t)p->m;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSourceDraw(p->source[SCORIA_FROM_MODEL], theta, draw_number(SCORIA_DRAWS_COMPARED, k, MOMENTS_FROM),
                             p->draws, p->moment));
  const int64_t finite = stats_keep_finite(p->draws, p->m, p->moment);
  for (int t = 0; t < TAKEN; t++)
    PetscCall(ScoriaSourceDraw(p->source[taken[t]], theta, draw_number(number_of[taken[t]], k, 0), each,
                               p->share[t] + p->good * p->m));
  if (finite < 2) PetscFunctionReturn(0);
  stats_moments(finite, p->m, p->moment, p->mean, p->sd);
  int64_t good = p->good;
  for (int64_t i = p->good; i < p->good + each; i++) {
    bool there = true;
    for (int t = 0; t < TAKEN; t++) there = there && isfinite(p->share[t][i * p->m]);
    if (!there) continue;
    for (int t = 0; t < TAKEN; t++) {
      memmove(p->share[t] + good * p->m, p->share[t] + i * p->m, width);
      standardise(p, p->share[t] + good * p->m);
    }
    good++;
  }
  p->good = good;
  PetscFunctionReturn(0);
}

/* All residuals to rank 0, in the order of the conditions; how many. */
static PetscErrorCode Gather(MPI_Comm comm, Pooling *p, int64_t *rows)
{
  int mine = (int)p->good, size, all = 0, *counts, *starts;
  MPI_Datatype row;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscMalloc2(size, &counts, size, &starts));
  PetscCallMPI(MPI_Type_contiguous(p->m, MPI_DOUBLE, &row));
  PetscCallMPI(MPI_Type_commit(&row));
  PetscCallMPI(MPI_Allgather(&mine, 1, MPI_INT, counts, 1, MPI_INT, comm));
  for (int r = 0; r < size; all += counts[r++]) starts[r] = all;
  for (int t = 0; t < TAKEN; t++)
    PetscCallMPI(MPI_Gatherv(p->share[t], mine, row, p->all[t], counts, starts, row, 0, comm));
  PetscCallMPI(MPI_Type_free(&row));
  PetscCall(PetscFree2(counts, starts));
  *rows = all;
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- measuring ---- */

/* A bootstrap sample (n, m) of rows. */
static void resample(uint64_t seed, uint64_t id, int64_t n, int m, const double rows[], double out[])
{
  double u[2];
  for (int64_t i = 0; i < n; i++) {
    if (i % 2 == 0) rng_uniform(seed, SCORIA_STREAM_RESAMPLE, id, (uint32_t)(i / 2), 2, u);
    const int64_t from = PetscMin((int64_t)(u[i % 2] * (double)n), n - 1);
    memcpy(out + i * m, rows + from * m, sizeof(double) * (size_t)m);
  }
}

PetscErrorCode CompareBootstrapFloor(int64_t n, int m, const double rows[], uint64_t seed, int directions,
                                     ScoriaDistance *floor)
{
  ScoriaDistance pair[PAIRS];
  double *a, *b;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(n * m, &a, n * m, &b));
  for (int i = 0; i < PAIRS; i++) {
    resample(seed, (uint64_t)(2 * i), n, m, rows, a);
    resample(seed, (uint64_t)(2 * i + 1), n, m, rows, b);
    PetscCall(ScoriaDistanceCompute(n, a, n, b, m, seed, directions, &pair[i]));
  }
  measures_pool(PAIRS, pair, floor);
  PetscCall(PetscFree2(a, b));
  PetscFunctionReturn(0);
}

static PetscErrorCode Measure(const Pooling *p, int64_t rows, Comparison *c)
{
  const ComparePooled *asked = p->asked;
  PetscFunctionBeginUser;
  for (int s = 0; s < SCORIA_NFROM; s++) c->good[s] = rows;
  for (int t = 1; t < TAKEN; t++)
    PetscCall(ScoriaDistanceCompute(rows, p->all[t], rows, p->all[0], p->m, asked->seed, asked->directions,
                                    &c->distance[taken[t]]));
  PetscCall(CompareBootstrapFloor(rows, p->m, p->all[0], asked->seed, asked->directions,
                                  &c->distance[SCORIA_FROM_PDE_AGAIN]));
  PetscFunctionReturn(0);
}

/* This rank's conditions, one a round, in which all may be asked to stop. */
static PetscErrorCode TakeAll(ScoriaRun run, Pooling *p, int64_t first, int64_t number, int size)
{
  const MPI_Comm comm = ScoriaRunComm(run);
  const int64_t most  = (p->asked->conditions + size - 1) / size;
  ScoriaProgress bar;
  bool stop = false;
  PetscFunctionBeginUser;
  PetscCall(ScoriaProgressCreate(run, "compare", "conditions", (double)p->asked->conditions, &bar));
  for (int64_t i = 0; i < most; i++) {
    PetscCall(ScoriaAgreeFailed(comm, i < number ? Take(p, first + i) : 0));
    PetscCall(ScoriaProgressUpdate(bar, (double)PetscMin((i + 1) * size, p->asked->conditions), NULL));
    PetscCall(ScoriaStopAsked(run, &stop));
    if (stop) PetscCall(ScoriaStopped(run, "the comparison restarts from the beginning"));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareMeasurePooled(ScoriaRun run, const ScoriaSource source[SCORIA_NFROM], const ComparePooled *asked,
                                    Comparison *c)
{
  const MPI_Comm comm = ScoriaRunComm(run);
  int64_t first, number, rows = 0;
  PetscErrorCode failed = 0;
  int rank, size;
  Pooling p;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  deal_block(asked->conditions, rank, size, &first, &number);
  PetscCall(Create(asked, source, number, rank, &p));
  PetscCall(TakeAll(run, &p, first, number, size));
  PetscCall(Gather(comm, &p, &rows));
  if (rows < SCORIA_HOLDOUT_LEAST)
    SCORIA_FAIL(
        SCORIA_EXIT_INPUT,
        "compare: found %lld usable rows among those that were held back from training, expected at least %d; with "
        "import.holdout: 0 none are held back, and run goes without a verdict",
        (long long)rows, SCORIA_HOLDOUT_LEAST);
  if (!rank) failed = Measure(&p, rows, c);
  PetscCall(ScoriaAgreeFailed(comm, failed));
  PetscCallMPI(MPI_Bcast(c, sizeof *c, MPI_BYTE, 0, comm));
  PetscCall(Destroy(&p));
  PetscFunctionReturn(0);
}

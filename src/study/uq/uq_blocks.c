/* uq: Sobol indices of the quantities with respect to the conditions, drawn over their ranges, and to what is not a
 * condition (UQ_UNSEEN): the porosity's realisation, or for the model the noise that its sampler starts from.
 *
 * A block is a pair of conditions A and B and for each a run of realisation numbers, all independent of every other
 * block's.  Rows of a block share the conditions, for a new condition costs a model as much as a tile of samples.
 * Freezing the realisations is using their numbers again at other conditions.  Numbers and sums as in uq_tiles.c: the
 * same bits on any number of ranks. */
#include "uq.h"
#include <math.h>
#include <string.h>

enum { SIDE_A, SIDE_B, MIXED };

int64_t uq_block_values(const Uq *u)
{
  return (int64_t)(MIXED + u->q->inputs) * u->q->draws * u->q->nquantities;
}

static void side_theta(const Uq *u, int64_t block, int side, double theta[])
{
  const ScoriaSpace *space = u->q->space;
  double v[SCORIA_MAX_CONDITIONS];
  rng_uniform(u->q->seed, SCORIA_STREAM_HELDOUT, draw_number(SCORIA_DRAWS_SOBOL_CONDITIONS, 0, block),
              (uint32_t)side * SCORIA_MAX_CONDITIONS, space->n, v);
  for (int i = 0; i < space->n; i++) v[i] = 2 * v[i] - 1;
  space_from_unit(space, v, theta);
}

/* One set of a block, A, B, or A with an input of B: its quantities (draws, nquantities). */
static PetscErrorCode DrawSet(Uq *u, int64_t block, int set, double values[])
{
  const UqQuestion *q    = u->q;
  const int input        = set < MIXED ? 0 : q->input[set - MIXED];
  const bool realisation = set >= MIXED && input == UQ_UNSEEN;
  double theta[SCORIA_MAX_CONDITIONS], other[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  side_theta(u, block, set == SIDE_B ? SIDE_B : SIDE_A, theta);
  side_theta(u, block, SIDE_B, other);
  if (set >= MIXED && !realisation) theta[input] = other[input];
  const int numbers = set == SIDE_B || realisation ? SIDE_B : SIDE_A;
  uq_at(u, theta);
  PetscCall(ScoriaSourceDraw(u->source, theta, draw_number(SCORIA_DRAWS_SOBOL, 0, (2 * block + numbers) * UQ_TILE),
                             q->draws, u->fields));
  for (int64_t i = 0; i < q->draws; i++)
    quantities_take(q->nquantities, u->quantity, q->cells, u->fields + i * q->m, values + i * q->nquantities);
  PetscFunctionReturn(0);
}

PetscErrorCode UqDrawBlock(Uq *u, int64_t block, double values[])
{
  const int64_t part = (int64_t)u->q->draws * u->q->nquantities;
  PetscFunctionBeginUser;
  for (int set = 0; set < MIXED + u->q->inputs; set++) PetscCall(DrawSet(u, block, set, values + set * part));
  PetscFunctionReturn(0);
}

/* Rows with all their sets to the front of each set, which then follow each other; returns how many.  A solve that
 * failed is NaN throughout. */
static int64_t keep_whole(const Uq *u, double values[])
{
  const int width = u->q->nquantities, sets = MIXED + u->q->inputs, draws = u->q->draws;
  int good[UQ_TILE], kept = 0;
  for (int i = 0; i < draws; i++) {
    bool whole = true;
    for (int set = 0; set < sets; set++) whole = whole && isfinite(values[(set * draws + i) * width]);
    if (whole) good[kept++] = i;
  }
  for (int set = 0; set < sets; set++)
    for (int i = 0; i < kept; i++)
      memmove(values + (set * kept + i) * width, values + (set * draws + good[i]) * width,
              (size_t)width * sizeof(double));
  return kept;
}

void uq_add_block(Uq *u, double values[])
{
  const double start = wall_seconds();
  if (!u->leads) return;
  const int64_t good = keep_whole(u, values);
  u->failed += u->q->draws - good;
  if (good) sobol_add(u->sobol, good, values);
  u->statistics += wall_seconds() - start;
}

/* The first blocks, each worker drawing a share, on every rank. */
static PetscErrorCode DrawPilot(Uq *u, int64_t n, double values[])
{
  const int64_t size    = uq_block_values(u);
  PetscErrorCode failed = 0;
  int64_t first, number;
  PetscFunctionBeginUser;
  deal_block(n, u->all.worker, u->all.workers, &first, &number);
  for (int64_t b = first; b < first + number && !failed; b++) failed = UqDrawBlock(u, b, values + b * size);
  PetscCall(ScoriaAgreeFailed(u->comm, failed));
  if (!u->leads) PetscCall(PetscArrayzero(values, n * size));
  PetscCall(ScoriaReduceMany(u->comm, MPI_BOR, n * size, MPI_UINT64_T, values));
  PetscFunctionReturn(0);
}

/* Scales from the sets A of the pilot. */
static PetscErrorCode CreateFrom(Uq *u, int64_t n, const double values[])
{
  const int64_t part = (int64_t)u->q->draws * u->q->nquantities, size = uq_block_values(u);
  double *pilot;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(n * part, &pilot));
  for (int64_t b = 0; b < n; b++) PetscCall(PetscArraycpy(pilot + b * part, values + b * size, part));
  const int64_t good = stats_keep_finite(n * u->q->draws, u->q->nquantities, pilot);
  if (good < 10)
    SCORIA_FAIL(SCORIA_EXIT_SOLVES, "uq: sobol: %lld of the first %lld solves succeeded, expected at least 10",
                (long long)good, (long long)n * u->q->draws);
  PetscCall(ScoriaSobolCreate(u->q->nquantities, u->q->inputs, good, pilot, &u->sobol));
  PetscCall(PetscFree(pilot));
  PetscFunctionReturn(0);
}

PetscErrorCode UqSobolPilot(Uq *u, bool add)
{
  const int64_t n = PetscMin(UQ_PILOT_BLOCKS, u->q->base), size = uq_block_values(u);
  double *values;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(n * size, &values));
  PetscCall(DrawPilot(u, n, values));
  PetscCall(CreateFrom(u, n, values));
  for (int64_t b = u->all.worker; b < n && add && u->leads; b += u->all.workers) uq_add_block(u, values + b * size);
  PetscCall(PetscFree(values));
  PetscFunctionReturn(0);
}

PetscErrorCode UqSobolReduce(Uq *u)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSobolReduce(u->sobol, u->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &u->failed, 1, MPI_INT64_T, MPI_SUM, u->comm));
  u->all_failed += u->failed;
  u->failed = 0;
  PetscFunctionReturn(0);
}

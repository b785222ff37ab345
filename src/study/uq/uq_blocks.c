/* uq: Sobol indices of the quantities with respect to the conditions, drawn over their ranges, and to what is not a
 * condition (UQ_NO_CONDITION): the porosity's realisation, or for the model the noise that its sampler starts from.
 *
 * A block is a pair of conditions A and B and for each a run of realisation numbers, all independent of every other
 * block's.  Rows of a block share the conditions, for a new condition costs a model as much as a tile of samples.
 * Freezing the realisations is using their numbers again at other conditions.  Numbers and sums as in uq_tiles.c: the
 * same bits on any number of ranks. */
#include "uq.h"
#include <math.h>
#include <string.h>

enum { SIDE_A, SIDE_B, MIXED };

int64_t uq_block_values(const UqQuestion *q)
{
  return (int64_t)(MIXED + q->inputs) * q->draws * q->nquantities;
}

static void side_theta(const UqQuestion *q, int64_t block, int side, double theta[])
{
  const ScoriaSpace *space = q->space;
  double v[SCORIA_MAX_CONDITIONS];
  rng_uniform(q->seed, SCORIA_STREAM_HELDOUT, draw_number(SCORIA_DRAWS_SOBOL_CONDITIONS, 0, block),
              (uint32_t)side * SCORIA_MAX_CONDITIONS, space->n, v);
  for (int i = 0; i < space->n; i++) v[i] = 2 * v[i] - 1;
  space_from_unit(space, v, theta);
}

/* One set of a block, A, B, or A with an input of B: its quantities (draws, nquantities). */
static PetscErrorCode DrawSet(UqDraws *draws, int64_t block, int set, double values[])
{
  const UqQuestion *q    = draws->q;
  const int input        = set < MIXED ? 0 : q->input[set - MIXED];
  const bool realisation = set >= MIXED && input == UQ_NO_CONDITION;
  double theta[SCORIA_MAX_CONDITIONS], other[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  side_theta(q, block, set == SIDE_B ? SIDE_B : SIDE_A, theta);
  side_theta(q, block, SIDE_B, other);
  if (set >= MIXED && !realisation) theta[input] = other[input];
  const int numbers    = set == SIDE_B || realisation ? SIDE_B : SIDE_A;
  const uint64_t first = draw_number(SCORIA_DRAWS_SOBOL, 0, (2 * block + numbers) * UQ_TILE);
  for (int at = 0; at < q->draws; at += q->tile) {
    const int part = PetscMin(q->tile, q->draws - at);
    PetscCall(UqDraw(draws, theta, first + (uint64_t)at, part));
    for (int i = 0; i < part && source_workers(draws->source)->leads; i++)
      uq_take(draws, draws->fields + (size_t)i * (size_t)q->m, values + (at + i) * q->nquantities);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode UqDrawBlock(UqDraws *draws, int64_t block, double values[])
{
  const int64_t part = (int64_t)draws->q->draws * draws->q->nquantities;
  PetscFunctionBeginUser;
  for (int set = 0; set < MIXED + draws->q->inputs; set++) PetscCall(DrawSet(draws, block, set, values + set * part));
  PetscFunctionReturn(0);
}

/* Rows with all their sets to the front of each set, which then follow each other; returns how many.  A solve that
 * failed is NaN throughout. */
static int64_t keep_whole(const UqQuestion *q, double values[])
{
  const int width = q->nquantities, sets = MIXED + q->inputs, draws = q->draws;
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

void uq_add_block(UqBlocks *b, double values[])
{
  const double start = wall_seconds();
  if (!b->leads) return;
  const int64_t good = keep_whole(b->draws->q, values);
  b->failed += b->draws->q->draws - good;
  if (good) sobol_add(b->sobol, good, values);
  b->draws->statistics += wall_seconds() - start;
}

/* The first blocks, each worker drawing a share, on every rank. */
static PetscErrorCode DrawPilot(UqBlocks *b, int64_t n, double values[])
{
  const int64_t size    = uq_block_values(b->draws->q);
  PetscErrorCode failed = 0;
  int64_t first, number;
  PetscFunctionBeginUser;
  deal_block(n, b->all.worker, b->all.workers, &first, &number);
  for (int64_t i = first; i < first + number && !failed; i++) failed = UqDrawBlock(b->draws, i, values + i * size);
  PetscCall(ScoriaAgreeFailed(b->all.comm, failed));
  PetscCall(UqCheckDefined(b->draws, b->all.comm));
  if (!b->leads) PetscCall(PetscArrayzero(values, n * size));
  PetscCall(ScoriaReduceMany(b->all.comm, MPI_BOR, n * size, MPI_UINT64_T, values));
  PetscFunctionReturn(0);
}

/* Scales from the sets A of the pilot. */
static PetscErrorCode CreateFrom(UqBlocks *b, int64_t n, const double values[])
{
  const int64_t part = (int64_t)b->draws->q->draws * b->draws->q->nquantities, size = uq_block_values(b->draws->q);
  double *pilot;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(n * part, &pilot));
  for (int64_t i = 0; i < n; i++) PetscCall(PetscArraycpy(pilot + i * part, values + i * size, part));
  const int64_t good = stats_keep_finite(n * b->draws->q->draws, b->draws->q->nquantities, pilot);
  if (good < 10)
    SCORIA_FAIL(SCORIA_EXIT_SOLVES, "uq: sobol: %lld of the first %lld solves succeeded, expected at least 10",
                (long long)good, (long long)n * b->draws->q->draws);
  PetscCall(ScoriaSobolCreate(b->draws->q->nquantities, b->draws->q->inputs, good, pilot, &b->sobol));
  PetscCall(PetscFree(pilot));
  PetscFunctionReturn(0);
}

PetscErrorCode UqSobolPilot(UqBlocks *b, bool add)
{
  const int64_t n = PetscMin(UQ_PILOT_BLOCKS, b->draws->q->base), size = uq_block_values(b->draws->q);
  double *values;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(n * size, &values));
  PetscCall(DrawPilot(b, n, values));
  PetscCall(CreateFrom(b, n, values));
  for (int64_t i = b->all.worker; i < n && add && b->leads; i += b->all.workers) uq_add_block(b, values + i * size);
  PetscCall(PetscFree(values));
  PetscFunctionReturn(0);
}

PetscErrorCode UqSobolReduce(UqBlocks *b)
{
  PetscFunctionBeginUser;
  PetscCall(UqShareFailed(b->draws, b->all.comm, &b->failed, &b->all_failed));
  PetscCall(ScoriaSobolReduce(b->sobol, b->all.comm));
  PetscFunctionReturn(0);
}

/* A source of whole fields with a known law, for tests of what stands on sources.
 *
 * Channel c of a draw is a_c + theta_0 + (1 + theta_1) s_c (z_0 + x z_1 + cos(2 pi y) z_2 + sin(2 pi z) z_3), of four
 * independent normals of the draw's number, at the middles of cells of the unit cube, periodic along y and z: Gaussian
 * of variance ((1 + theta_1) s_c)^2 (1 + x^2 + cos^2 + sin^2). */
#ifndef SCORIA_TESTS_KNOWN_WHOLE_H
#define SCORIA_TESTS_KNOWN_WHOLE_H

#include "scoria/draw.h"
#include "testing.h"
#include <math.h>

enum { WHOLE_X = 4, WHOLE_Y = 6, WHOLE_Z = 5, WHOLE_CELLS = WHOLE_X * WHOLE_Y * WHOLE_Z, WHOLE_CHANNELS = 2 };
enum { WHOLE_WIDTH = WHOLE_CHANNELS * WHOLE_CELLS, WHOLE_LATENTS = 4 };

static const double whole_mean[WHOLE_CHANNELS] = {10, -3}, whole_scale[WHOLE_CHANNELS] = {2, 0.5};

typedef struct {
  uint64_t seed;
  int64_t fail_every; /* draws whose number it divides have failed; 0: none */
  double theta[2];    /* of the last scores */
  double centres[WHOLE_X + WHOLE_Y + WHOLE_Z];
  ScoriaField field[WHOLE_CHANNELS];
  ScoriaSpace space;
} WholeLaw;

/* Weights of the normals at a place of the unit cube. */
static inline void whole_weights(double x, double y, double z, double w[WHOLE_LATENTS])
{
  w[0] = 1;
  w[1] = x;
  w[2] = cos(2 * PETSC_PI * y);
  w[3] = sin(2 * PETSC_PI * z);
}

static inline void whole_place(int cell, double at[3])
{
  at[0] = (cell % WHOLE_X + 0.5) / WHOLE_X;
  at[1] = (cell / WHOLE_X % WHOLE_Y + 0.5) / WHOLE_Y;
  at[2] = (cell / WHOLE_X / WHOLE_Y + 0.5) / WHOLE_Z;
}

static inline double whole_sd(const double theta[], int channel, int cell)
{
  double at[3], w[WHOLE_LATENTS], sum = 0;
  whole_place(cell, at);
  whole_weights(at[0], at[1], at[2], w);
  for (int k = 0; k < WHOLE_LATENTS; k++) sum += w[k] * w[k];
  return (1 + theta[1]) * whole_scale[channel] * sqrt(sum);
}

static inline void whole_fields(const double theta[], const double z[WHOLE_LATENTS], double fields[])
{
  for (int i = 0; i < WHOLE_CELLS; i++) {
    double at[3], w[WHOLE_LATENTS], sum = 0;
    whole_place(i, at);
    whole_weights(at[0], at[1], at[2], w);
    for (int k = 0; k < WHOLE_LATENTS; k++) sum += w[k] * z[k];
    for (int c = 0; c < WHOLE_CHANNELS; c++)
      fields[c * WHOLE_CELLS + i] = whole_mean[c] + theta[0] + (1 + theta[1]) * whole_scale[c] * sum;
  }
}

static inline PetscErrorCode WholeDraw(void *ctx, const double theta[], uint64_t first, int64_t n, double fields[])
{
  const WholeLaw *law = ctx;
  double z[WHOLE_LATENTS];
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++, fields += WHOLE_WIDTH) {
    const uint64_t number = first + (uint64_t)i;
    rng_normal(law->seed, SCORIA_STREAM_SAMPLE, number, 0, WHOLE_LATENTS, z);
    whole_fields(theta, z, fields);
    for (int j = 0; j < WHOLE_WIDTH && law->fail_every && number % (uint64_t)law->fail_every == 0; j++) fields[j] = NAN;
  }
  PetscFunctionReturn(0);
}

static inline PetscErrorCode WholeTransport(void *ctx, int64_t first, int64_t n, bool each, const double theta[],
                                            const double latent[], double fields[])
{
  (void)ctx;
  (void)first;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++)
    whole_fields(each ? theta + 2 * i : theta, latent + WHOLE_LATENTS * i, fields + i * WHOLE_WIDTH);
  PetscFunctionReturn(0);
}

static inline PetscErrorCode WholeLatents(void *ctx, int *number)
{
  (void)ctx;
  PetscFunctionBeginUser;
  *number = WHOLE_LATENTS;
  PetscFunctionReturn(0);
}

static inline int whole_scores_each(void *ctx)
{
  (void)ctx;
  return 1;
}

/* The sum in brackets of the law is the score. */
static inline PetscErrorCode WholeScores(void *ctx, const double theta[], int n, const int cell[], double mean[],
                                         double weight[])
{
  double at[3];
  PetscFunctionBeginUser;
  memcpy(((WholeLaw *)ctx)->theta, theta, 2 * sizeof *theta);
  for (int i = 0; i < n; i++) {
    whole_place(cell[i] % WHOLE_CELLS, at);
    whole_weights(at[0], at[1], at[2], weight + i * WHOLE_LATENTS);
    mean[i] = 0;
  }
  PetscFunctionReturn(0);
}

static inline void whole_values(void *ctx, int n, const int cell[], const double score[], double value[])
{
  const double *theta = ((const WholeLaw *)ctx)->theta;
  for (int i = 0; i < n; i++) {
    const int c = cell[i] / WHOLE_CELLS;
    value[i]    = whole_mean[c] + theta[0] + (1 + theta[1]) * whole_scale[c] * score[i];
  }
}

static inline PetscErrorCode WholeDestroy(void *ctx)
{
  (void)ctx;
  PetscFunctionBeginUser;
  PetscFunctionReturn(0);
}

/* law outlives the source; scored: whether it has scores, or latents alone. */
static inline void whole_source_of(MPI_Comm comm, uint64_t seed, bool scored, WholeLaw *law, ScoriaSource *source)
{
  static const ScoriaSourceKind kinds[2] = {{.name      = "known whole fields",
                                             .draw      = WholeDraw,
                                             .destroy   = WholeDestroy,
                                             .transport = WholeTransport,
                                             .latents   = WholeLatents},
                                            {.name        = "known whole fields",
                                             .draw        = WholeDraw,
                                             .destroy     = WholeDestroy,
                                             .transport   = WholeTransport,
                                             .latents     = WholeLatents,
                                             .scores_each = whole_scores_each,
                                             .scores      = WholeScores,
                                             .values      = whole_values}};
  ScoriaWorkers workers                  = {.all = {.comm = comm}, .own = {PETSC_COMM_SELF, 0, 1}, .leads = true};
  const int n[3]                         = {WHOLE_X, WHOLE_Y, WHOLE_Z};
  *law                                   = (WholeLaw){.seed = seed};
  for (int a = 0, at = 0; a < 3; at += n[a++])
    for (int j = 0; j < n[a]; j++) law->centres[at + j] = (j + 0.5) / n[a];
  for (int c = 0; c < WHOLE_CHANNELS; c++)
    law->field[c] = (ScoriaField){.name = {(char)('a' + c)}, .unit = "V", .description = "known"};
  law->space = (ScoriaSpace){
      .n = 2, .c = {{.name = "p", .unit = "1", .lo = 0, .hi = 4}, {.name = "q", .unit = "1", .lo = 0, .hi = 1}}};
  MPI_Comm_rank(comm, &workers.all.worker);
  MPI_Comm_size(comm, &workers.all.workers);
  const ScoriaFieldShape shape = {.channels = WHOLE_CHANNELS,
                                  .cells    = WHOLE_CELLS,
                                  .shape    = {WHOLE_X, WHOLE_Y, WHOLE_Z},
                                  .field    = law->field,
                                  .x        = law->centres,
                                  .space    = &law->space};
  CHECK(ScoriaSourceCreate(&kinds[scored], law, &shape, &workers, source));
}

static inline void whole_source(MPI_Comm comm, uint64_t seed, WholeLaw *law, ScoriaSource *source)
{
  whole_source_of(comm, seed, true, law, source);
}

#endif

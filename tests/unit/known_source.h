/* A source of fields with a known law, for tests of whatever stands on sources: with no PDE, no model and no file.
 *
 * Two channels of CELLS cells: channel c of a draw is a_c + theta_0 + (1 + theta_1) s_c (z_0 + x_j z_1), z two
 * independent normals of the draw's number; x_j from 0 to 1.  The numbers asked for are noted. */
#ifndef SCORIA_TESTS_KNOWN_SOURCE_H
#define SCORIA_TESTS_KNOWN_SOURCE_H

#include "scoria/draw.h"
#include "testing.h"

enum { KNOWN_CELLS = 5, KNOWN_CHANNELS = 2, KNOWN_WIDTH = KNOWN_CELLS * KNOWN_CHANNELS };

static const double known_mean[KNOWN_CHANNELS] = {10, -3}, known_scale[KNOWN_CHANNELS] = {2, 0.5};

typedef struct {
  uint64_t seed, first, last; /* numbers that have been asked for, on this rank */
  int64_t drawn;
  double shift; /* added to every value: a law that differs */
  double x[KNOWN_CELLS];
  ScoriaField field[KNOWN_CHANNELS];
  ScoriaSpace space;
} KnownLaw;

static inline void known_fields(const KnownLaw *law, const double theta[], const double z[2], double fields[])
{
  for (int c = 0; c < KNOWN_CHANNELS; c++)
    for (int j = 0; j < KNOWN_CELLS; j++)
      fields[c * KNOWN_CELLS + j] =
          known_mean[c] + law->shift + theta[0] + (1 + theta[1]) * known_scale[c] * (z[0] + law->x[j] * z[1]);
}

static inline PetscErrorCode KnownDraw(void *ctx, const double theta[], uint64_t first, int64_t n, double fields[])
{
  KnownLaw *law = ctx;
  double z[2];
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++) {
    const uint64_t number = first + (uint64_t)i;
    rng_normal(law->seed, SCORIA_STREAM_SAMPLE, number, 0, 2, z);
    known_fields(law, theta, z, fields + i * KNOWN_WIDTH);
    law->first = law->drawn ? PetscMin(law->first, number) : number;
    law->last  = law->drawn ? PetscMax(law->last, number) : number;
    law->drawn++;
  }
  PetscFunctionReturn(0);
}

static inline PetscErrorCode KnownTransport(void *ctx, int64_t first, int64_t n, bool each, const double theta[],
                                            const double latent[], double fields[])
{
  (void)first;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++)
    known_fields(ctx, each ? theta + 2 * i : theta, latent + 2 * i, fields + i * KNOWN_WIDTH);
  PetscFunctionReturn(0);
}

static inline PetscErrorCode KnownLatents(void *ctx, int *number)
{
  (void)ctx;
  PetscFunctionBeginUser;
  *number = 2;
  PetscFunctionReturn(0);
}

static inline PetscErrorCode KnownDestroy(void *ctx)
{
  (void)ctx;
  PetscFunctionBeginUser;
  PetscFunctionReturn(0);
}

/* law outlives the source. */
static inline void known_source(MPI_Comm comm, uint64_t seed, KnownLaw *law, ScoriaSource *source)
{
  static const ScoriaSourceKind kind = {.name      = "known",
                                        .draw      = KnownDraw,
                                        .destroy   = KnownDestroy,
                                        .transport = KnownTransport,
                                        .latents   = KnownLatents};
  ScoriaWorkers workers              = {.all = {.comm = comm}, .own = {PETSC_COMM_SELF, 0, 1}, .leads = true};
  *law                               = (KnownLaw){.seed = seed};
  for (int j = 0; j < KNOWN_CELLS; j++) law->x[j] = (double)j / (KNOWN_CELLS - 1);
  for (int c = 0; c < KNOWN_CHANNELS; c++)
    law->field[c] = (ScoriaField){.name = {(char)('a' + c)}, .unit = "1", .description = "known"};
  law->space = (ScoriaSpace){
      .n = 2, .c = {{.name = "p", .unit = "1", .lo = 0, .hi = 4}, {.name = "q", .unit = "1", .lo = 0, .hi = 1}}};
  MPI_Comm_rank(comm, &workers.all.worker);
  MPI_Comm_size(comm, &workers.all.workers);
  const ScoriaFieldShape shape = {KNOWN_CHANNELS, KNOWN_CELLS, law->field, law->x, &law->space, false};
  CHECK(ScoriaSourceCreate(&kind, law, &shape, &workers, source));
}

#endif

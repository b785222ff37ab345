/* A source of fields with a known law, for tests of whatever stands on sources: with no PDE, no model and no file.
 *
 * Two channels of CELLS cells: channel c of a draw is a_c + theta_0 + (1 + theta_1) s_c (z_0 + x_j z_1), z two
 * independent normals of the draw's number; x_j from 0 to 1.  The numbers asked for are noted.  Its mean is therefore
 * a_c + theta_0, its SD (1 + theta_1) s_c sqrt(1 + x_j^2). */
#ifndef SCORIA_TESTS_KNOWN_SOURCE_H
#define SCORIA_TESTS_KNOWN_SOURCE_H

#include "scoria/draw.h"
#include "testing.h"
#include <math.h>

enum { KNOWN_CELLS = 5, KNOWN_CHANNELS = 2, KNOWN_WIDTH = KNOWN_CELLS * KNOWN_CHANNELS };

static const double known_mean[KNOWN_CHANNELS] = {10, -3}, known_scale[KNOWN_CHANNELS] = {2, 0.5};

typedef struct {
  uint64_t seed, first, last; /* numbers that have been asked for, on this rank */
  int64_t drawn;
  int64_t transports; /* to come on this rank, of which the last fails; 0: none does */
  double shift;       /* added to every value: a law that differs */
  int64_t fail_every; /* draws whose number it divides have failed; 0: none */
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
    if (law->fail_every && number % (uint64_t)law->fail_every == 0)
      for (int j = 0; j < KNOWN_WIDTH; j++) fields[i * KNOWN_WIDTH + j] = NAN;
    law->first = law->drawn ? PetscMin(law->first, number) : number;
    law->last  = law->drawn ? PetscMax(law->last, number) : number;
    law->drawn++;
  }
  PetscFunctionReturn(0);
}

static inline PetscErrorCode KnownTransport(void *ctx, int64_t first, int64_t n, bool each, const double theta[],
                                            const double latent[], double fields[])
{
  KnownLaw *law = ctx;
  (void)first;
  PetscFunctionBeginUser;
  if (law->transports && !--law->transports) SCORIA_FAIL(SCORIA_EXIT_INPUT, "no such field");
  for (int64_t i = 0; i < n; i++)
    known_fields(law, each ? theta + 2 * i : theta, latent + 2 * i, fields + i * KNOWN_WIDTH);
  PetscFunctionReturn(0);
}

static inline PetscErrorCode KnownLatents(void *ctx, int *number)
{
  (void)ctx;
  PetscFunctionBeginUser;
  *number = 2;
  PetscFunctionReturn(0);
}

/* Of the two latents, which the ends of channel 0 tell; "gaussian": as if their SD were 2. */
static inline PetscErrorCode KnownDensity(void *ctx, const ScoriaLikelihoodOptions *opt, int64_t first, int64_t n,
                                          const uint64_t id[], const double theta[], const double fields[],
                                          const ScoriaLogDensity *out)
{
  const KnownLaw *law = ctx;
  (void)opt;
  (void)first;
  (void)id;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++) {
    const double *f = fields + i * KNOWN_WIDTH, *t = theta + 2 * i, scale = (1 + t[1]) * known_scale[0];
    const double z0 = (f[0] - known_mean[0] - law->shift - t[0]) / scale, z1 = (f[KNOWN_CELLS - 1] - f[0]) / scale;
    out->log_density[i] = -0.5 * (z0 * z0 + z1 * z1) - log(2 * PETSC_PI);
    out->gaussian[i]    = -0.125 * (z0 * z0 + z1 * z1) - log(8 * PETSC_PI);
    out->log_volume[i]  = 2 * log(scale);
  }
  PetscFunctionReturn(0);
}

static inline PetscErrorCode KnownDestroy(void *ctx)
{
  (void)ctx;
  PetscFunctionBeginUser;
  PetscFunctionReturn(0);
}

static inline double known_sd(const KnownLaw *law, const double theta[], int channel, int cell)
{
  return (1 + theta[1]) * known_scale[channel] * sqrt(1 + law->x[cell] * law->x[cell]);
}

/* law outlives the source. */
static inline void known_source(MPI_Comm comm, uint64_t seed, KnownLaw *law, ScoriaSource *source)
{
  static const ScoriaSourceKind kind = {.name      = "known",
                                        .draw      = KnownDraw,
                                        .destroy   = KnownDestroy,
                                        .transport = KnownTransport,
                                        .latents   = KnownLatents,
                                        .density   = KnownDensity};
  ScoriaWorkers workers              = {.all = {.comm = comm}, .own = {PETSC_COMM_SELF, 0, 1}, .leads = true};
  *law                               = (KnownLaw){.seed = seed};
  for (int j = 0; j < KNOWN_CELLS; j++) law->x[j] = (double)j / (KNOWN_CELLS - 1);
  for (int c = 0; c < KNOWN_CHANNELS; c++)
    law->field[c] = (ScoriaField){.name = {(char)('a' + c)}, .unit = "1", .description = "known"};
  law->space = (ScoriaSpace){
      .n = 2, .c = {{.name = "p", .unit = "1", .lo = 0, .hi = 4}, {.name = "q", .unit = "1", .lo = 0, .hi = 1}}};
  MPI_Comm_rank(comm, &workers.all.worker);
  MPI_Comm_size(comm, &workers.all.workers);
  const ScoriaFieldShape shape = {
      .channels = KNOWN_CHANNELS, .cells = KNOWN_CELLS, .field = law->field, .x = law->x, .space = &law->space};
  CHECK(ScoriaSourceCreate(&kind, law, &shape, &workers, source));
}

/* The same law as rows, as of a file: `realisations` of every condition, condition k at p = k / 10, q = k / 20. */
typedef struct {
  KnownLaw *law; /* borrowed */
  int64_t realisations;
  ScoriaRows rows; /* owned */
} KnownRows;

static inline void known_theta(int64_t condition, double theta[2])
{
  theta[0] = 0.1 * (double)condition;
  theta[1] = 0.05 * (double)condition;
}

static inline PetscErrorCode KnownRowsDraw(void *ctx, const double theta[], uint64_t first, int64_t n, double fields[])
{
  KnownRows *r = ctx;
  double at[2];
  (void)theta;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++) {
    known_theta(((int64_t)first + i) / r->realisations, at);
    PetscCall(KnownDraw(r->law, at, first + (uint64_t)i, 1, fields + i * KNOWN_WIDTH));
    for (int k = 0; k < 2; k++) r->rows.condition[k][i] = at[k];
    r->rows.done[i] = isfinite(fields[i * KNOWN_WIDTH]) ? SCORIA_ROW_DONE : SCORIA_ROW_FAILED;
  }
  r->rows.rows = n;
  PetscFunctionReturn(0);
}

static inline PetscErrorCode KnownRowsDestroy(void *ctx)
{
  KnownRows *r = ctx;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRowsDestroy(&r->rows));
  PetscFunctionReturn(0);
}

static inline const ScoriaRows *known_rows_of(void *ctx)
{
  return &((KnownRows *)ctx)->rows;
}

/* law and r outlive the source; most: rows of a draw. */
static inline void known_rows_source(MPI_Comm comm, KnownLaw *law, int64_t realisations, int64_t most, KnownRows *r,
                                     ScoriaSource *source)
{
  static const ScoriaSourceKind kind = {
      .name = "known rows", .draw = KnownRowsDraw, .destroy = KnownRowsDestroy, .rows = known_rows_of};
  ScoriaDatasetSpec spec = {.nfields      = KNOWN_CHANNELS,
                            .cells        = KNOWN_CELLS,
                            .shape        = {KNOWN_CELLS, 1, 1},
                            .rows         = most,
                            .realisations = most};
  ScoriaWorkers workers  = {.all = {.comm = comm}, .own = {comm, 0, 1}, .leads = true};
  spec.space             = law->space;
  for (int c = 0; c < KNOWN_CHANNELS; c++) spec.field[c] = law->field[c];
  *r = (KnownRows){.law = law, .realisations = realisations};
  CHECK(ScoriaRowsCreate(&spec, most, &r->rows));
  const ScoriaFieldShape shape = {
      .channels = KNOWN_CHANNELS, .cells = KNOWN_CELLS, .field = law->field, .x = law->x, .space = &law->space};
  CHECK(ScoriaSourceCreate(&kind, r, &shape, &workers, source));
}

#endif

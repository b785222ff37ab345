/* infer: particles, their fields and what the sensors read of these. */
#include "infer.h"
#include <math.h>
#include <string.h>

PetscErrorCode InferParticlesCreate(ScoriaRun run, ScoriaSource prior, const InferQuestion *q, InferAnswer *a,
                                    InferParticles *p)
{
  const int m = q->shape.channels * q->shape.cells;
  PetscFunctionBeginUser;
  *p = (InferParticles){
      .comm = ScoriaRunComm(run), .q = q, .a = a, .prior = prior, .pace = {.run = run, .step = 1, .most = 1 << 20}};
  PetscCall(ScoriaSourceLatents(prior, &p->modes));
  p->dimension = p->modes + q->nunknown;
  PetscCall(PetscMalloc5(INFER_TILE * m, &p->fields, INFER_TILE * (q->shape.space->n + 1), &p->thetas,
                         INFER_TILE * p->modes, &p->latent, INFER_TILE, &p->evidence, INFER_TILE, &p->likely));
  p->nreadings = PetscMin(INFER_PRIOR_READINGS, q->count);
  PetscCall(PetscCalloc1(p->nreadings * q->sensors.n, &p->readings));
  PetscCall(PetscArraycpy(p->quantity, q->quantity, q->nquantities));
  PetscCall(InferProgressCreate(run, q->drawn ? q->drawn : "fields", &p->progress));
  PetscFunctionReturn(0);
}

void infer_unit(int n, const double u[], double x[])
{
  for (int i = 0; i < n; i++) x[i] = erf(u[i] / sqrt(2));
}

void infer_prior_draw(const InferQuestion *q, int modes, int64_t i, double latent[], double u[])
{
  rng_normal(q->seed, SCORIA_STREAM_PRIOR, (uint64_t)i, 0, modes, latent);
  rng_normal(q->seed, SCORIA_STREAM_PRIOR, (uint64_t)i, (uint32_t)(modes + 1) / 2, q->nunknown, u);
}

void infer_take_theta(const InferQuestion *q, const double x[], double theta[])
{
  double u[SCORIA_MAX_CONDITIONS] = {0}, all[SCORIA_MAX_CONDITIONS];
  for (int i = 0; i < q->nunknown; i++) u[q->unknown[i]] = x[i];
  space_from_unit(q->shape.space, u, all);
  memcpy(theta, q->theta, (size_t)q->shape.space->n * sizeof(double));
  for (int i = 0; i < q->nunknown; i++) theta[q->unknown[i]] = all[q->unknown[i]];
}

PetscErrorCode InferTransport(InferParticles *p, int64_t first, int64_t n)
{
  const bool each = p->q->nunknown > 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSourceTransport(p->prior, first, n, each, each ? p->thetas : p->q->theta, p->latent, p->fields));
  PetscFunctionReturn(0);
}

void infer_readings(const InferQuestion *q, const double fields[], double reading[])
{
  for (int i = 0; i < q->sensors.n; i++) quantities_take(1, &q->sensors.s[i].at, q->shape.cells, fields, &reading[i]);
}

PetscErrorCode InferRounds(InferParticles *p, InferKind kind, int64_t n, int64_t most, InferTile tile, void *ctx)
{
  PetscErrorCode failed  = 0; /* on this rank alone: it goes on to meet the others */
  int64_t before_meeting = 0;
  PetscFunctionBeginUser;
  for (int64_t t = 0; t < most; t++, before_meeting--) {
    const int64_t start = t * INFER_TILE, part = PetscMax(0, PetscMin(INFER_TILE, n - start));
    if (before_meeting == 0) {
      PetscCall(p->meet(p, t == 0));
      before_meeting = p->pace.step;
    }
    if (part && !failed) failed = tile(p, start, part, ctx);
    PetscCall(InferProgressRound(&p->progress, kind, most - t - 1));
  }
  PetscCall(ScoriaAgreeFailed(p->comm, failed));
  PetscFunctionReturn(0);
}

PetscErrorCode InferShareOf(const InferParticles *p, int64_t count, InferShare *share)
{
  const int64_t tiles = (count + INFER_TILE - 1) / INFER_TILE;
  PetscMPIInt rank, size;
  int64_t number;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(p->comm, &rank));
  PetscCallMPI(MPI_Comm_size(p->comm, &size));
  deal_block(tiles, rank, size, &share->first, &number);
  share->first *= INFER_TILE;
  share->n    = PetscMin(count - share->first, number * INFER_TILE);
  share->most = (tiles + size - 1) / size;
  PetscFunctionReturn(0);
}

typedef struct {
  int64_t first;
  void (*probe)(void *ctx, int64_t i, double latent[], double x[]);
  void *ctx;
  double *readings;
} Probes;

static PetscErrorCode ProbeTile(InferParticles *p, int64_t start, int64_t n, void *ctx)
{
  const Probes *of = ctx;
  const int m = p->q->shape.channels * p->q->shape.cells, d = p->q->shape.space->n;
  double x[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++) {
    of->probe(of->ctx, of->first + start + i, p->latent + i * p->modes, x);
    infer_take_theta(p->q, x, p->thetas + i * d);
  }
  PetscCall(InferTransport(p, of->first + start, n));
  for (int64_t i = 0; i < n; i++)
    infer_readings(p->q, p->fields + i * m, of->readings + (of->first + start + i) * p->q->sensors.n);
  PetscFunctionReturn(0);
}

PetscErrorCode InferProbe(InferParticles *p, int64_t n,
                          void (*probe)(void *ctx, int64_t i, double latent[], double x[]), void *ctx, double out[])
{
  Probes of = {.probe = probe, .ctx = ctx, .readings = out};
  InferShare share;
  PetscFunctionBeginUser;
  PetscCall(InferShareOf(p, n, &share));
  of.first = share.first;
  PetscCall(PetscArrayzero(out, n * p->q->sensors.n));
  PetscCall(InferRounds(p, INFER_FIELDS, share.n, share.most, ProbeTile, &of));
  PetscCall(ScoriaReduceMany(p->comm, MPI_SUM, n * p->q->sensors.n, MPI_DOUBLE, out));
  PetscFunctionReturn(0);
}

/* Sources of fields whose posterior under readings is known: with two conditions a, b of (0, 1), and latents z of
 * which, but perhaps for the first, the fields are a linear function at given conditions,
 *     fields = mean(a, b, z_0) + F(a, b) z.
 * Readings y of some cells with normal noise then have a Gaussian law given (a, b, z_0), and the posterior of the
 * conditions is a quadrature over three numbers at most.  x are cell centres of (0, 1). */
#ifndef SCORIA_TESTS_INFERENCE_LAWS_H
#define SCORIA_TESTS_INFERENCE_LAWS_H

#include "scoria/linalg.h"
#include "scoria/draw.h"
#include "study/infer/infer.h"
#include "testing.h"
#include <math.h>

enum { LAW_CELLS = 32, LAW_WIDTH = 2 * LAW_CELLS, LAW_LATENTS = 4 * LAW_CELLS, LAW_READINGS = 6 };

typedef struct LawKind {
  const char *name;
  int channels, cells, latents;
  bool bent;    /* the mean depends on z_0 as well */
  double noise; /* of a reading */
  /* mean (channels, cells), and F (channels * cells, latents). */
  void (*mean)(const struct LawKind *kind, const double theta[2], double z0, double mean[]);
  void (*factor)(const struct LawKind *kind, const double theta[2], double F[]);
  /* F z without F, where that is cheaper; NULL: by F. */
  void (*apply)(const struct LawKind *kind, const double theta[2], const double z[], double fields[]);
} LawKind;

typedef struct {
  const LawKind *kind;
  double x[LAW_CELLS];
  ScoriaField field[2];
  ScoriaSpace space;
  int64_t transported; /* fields made so far */
} Law;

static inline double law_x(const LawKind *kind, int j)
{
  return (j + 0.5) / kind->cells;
}

/* Lower Cholesky factor (n, n) of the Matern 3/2 covariance of length .1 3^a. */
static inline void matern_factor(int n, double a, double C[])
{
  const double length = 0.1 * pow(3, a);
  double of[LAW_CELLS];
  for (int d = 0; d < n; d++) {
    const double s = sqrt(3) * d / n / length;
    of[d]          = (1 + s) * exp(-s);
  }
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) C[i * n + j] = of[abs(i - j)];
  assert_true(la_cholesky(n, C));
  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++) C[i * n + j] = 0;
}

/* ---- u = 1.5 a sin(pi x) + b x + (.6 + .8 b) (three modes) + .1 noise */

static inline void modes_mean(const LawKind *kind, const double theta[2], double z0, double mean[])
{
  (void)z0;
  for (int j = 0; j < kind->cells; j++)
    mean[j] = 1.5 * theta[0] * sin(PETSC_PI * law_x(kind, j)) + theta[1] * law_x(kind, j);
}

static inline void modes_factor(const LawKind *kind, const double theta[2], double F[])
{
  for (int j = 0; j < kind->cells; j++) {
    double *row = F + j * kind->latents;
    memset(row, 0, sizeof(double) * (size_t)kind->latents);
    for (int k = 0; k < 3; k++) row[k] = (0.6 + 0.8 * theta[1]) * cos((k + 1) * PETSC_PI * law_x(kind, j)) / (k + 1);
    row[3 + j] = 0.1;
  }
}

/* ---- one field whose correlation length is .1 3^a, all of its modes, on the slope b x */

static inline void length_mean(const LawKind *kind, const double theta[2], double z0, double mean[])
{
  (void)z0;
  for (int j = 0; j < kind->cells; j++) mean[j] = theta[1] * law_x(kind, j);
}

static inline void length_factor(const LawKind *kind, const double theta[2], double F[])
{
  matern_factor(kind->cells, theta[0], F);
}

/* ---- two fields: u = sin(2 pi x (.5 + a)) + exp(1.2 (b - .5)) (1 + .5 x) g + .1 noise,
 *                  v = b x + .5 g cos(pi a) + .3 w + .1 noise; g and w of length .1 3^a */

static inline void fields_mean(const LawKind *kind, const double theta[2], double z0, double mean[])
{
  (void)z0;
  for (int j = 0; j < kind->cells; j++) {
    mean[j]               = sin(2 * PETSC_PI * law_x(kind, j) * (0.5 + theta[0]));
    mean[kind->cells + j] = theta[1] * law_x(kind, j);
  }
}

static inline void fields_factor(const LawKind *kind, const double theta[2], double F[])
{
  const int n = kind->cells, R = kind->latents;
  double C[LAW_CELLS * LAW_CELLS];
  matern_factor(n, theta[0], C);
  memset(F, 0, sizeof(double) * (size_t)(2 * n * R));
  for (int j = 0; j < n; j++) {
    double *u = F + j * R, *v = F + (n + j) * R;
    for (int k = 0; k <= j; k++) {
      u[k]     = exp(1.2 * (theta[1] - 0.5)) * (1 + 0.5 * law_x(kind, j)) * C[j * n + k];
      v[k]     = 0.5 * cos(PETSC_PI * theta[0]) * C[j * n + k];
      v[n + k] = 0.3 * C[j * n + k];
    }
    u[2 * n + j] = v[3 * n + j] = 0.1;
  }
}

static inline void fields_apply(const LawKind *kind, const double theta[2], const double z[], double fields[])
{
  const int n = kind->cells;
  double C[LAW_CELLS * LAW_CELLS];
  matern_factor(n, theta[0], C);
  for (int j = 0; j < n; j++) {
    double g = 0, w = 0;
    for (int k = 0; k <= j; k++) {
      g += C[j * n + k] * z[k];
      w += C[j * n + k] * z[n + k];
    }
    fields[j]     = exp(1.2 * (theta[1] - 0.5)) * (1 + 0.5 * law_x(kind, j)) * g + 0.1 * z[2 * n + j];
    fields[n + j] = 0.5 * cos(PETSC_PI * theta[0]) * g + 0.3 * w + 0.1 * z[3 * n + j];
  }
}

/* ---- one field that has two values, which its first latent chooses: u = (.5 + a) tanh(6 z_0) sin(pi x) + b x + .5 (a
 * field of length .1 3^a) */

static inline void bimodal_mean(const LawKind *kind, const double theta[2], double z0, double mean[])
{
  for (int j = 0; j < kind->cells; j++)
    mean[j] = (0.5 + theta[0]) * tanh(6 * z0) * sin(PETSC_PI * law_x(kind, j)) + theta[1] * law_x(kind, j);
}

static inline void bimodal_factor(const LawKind *kind, const double theta[2], double F[])
{
  const int n = kind->cells;
  double C[LAW_CELLS * LAW_CELLS];
  matern_factor(n, theta[0], C);
  for (int j = 0; j < n; j++) {
    F[j * kind->latents] = 0;
    for (int k = 0; k < n; k++) F[j * kind->latents + 1 + k] = 0.5 * C[j * n + k];
  }
}

static const LawKind law_kinds[] = {
    {"modes", 1, 32, 35, false, 0.1, modes_mean, modes_factor, NULL},
    {"length", 1, 24, 24, false, 0.1, length_mean, length_factor, NULL},
    {"fields", 2, LAW_CELLS, LAW_LATENTS, false, 0.05, fields_mean, fields_factor, fields_apply},
    {"bimodal", 1, 24, 25, true, 0.2, bimodal_mean, bimodal_factor, NULL},
};
enum { LAW_KINDS = sizeof law_kinds / sizeof *law_kinds };

/* ------------------------------------------------------------------------------------------------ as a source ---- */

static inline void law_fields(const LawKind *kind, const double theta[2], const double z[], double fields[])
{
  const int m = kind->channels * kind->cells;
  double F[LAW_WIDTH * LAW_LATENTS], mean[LAW_WIDTH];
  kind->mean(kind, theta, z[0], mean);
  if (kind->apply)
    kind->apply(kind, theta, z, fields);
  else {
    kind->factor(kind, theta, F);
    for (int i = 0; i < m; i++) {
      fields[i] = 0;
      for (int k = 0; k < kind->latents; k++) fields[i] += F[i * kind->latents + k] * z[k];
    }
  }
  for (int i = 0; i < m; i++) fields[i] += mean[i];
}

static inline PetscErrorCode LawTransport(void *ctx, int64_t first, int64_t n, bool each, const double theta[],
                                          const double latent[], double fields[])
{
  Law *law    = ctx;
  const int m = law->kind->channels * law->kind->cells;
  (void)first;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++)
    law_fields(law->kind, each ? theta + 2 * i : theta, latent + i * law->kind->latents, fields + i * m);
  law->transported += n;
  PetscFunctionReturn(0);
}

static inline PetscErrorCode LawLatents(void *ctx, int *number)
{
  PetscFunctionBeginUser;
  *number = ((const Law *)ctx)->kind->latents;
  PetscFunctionReturn(0);
}

static inline PetscErrorCode LawDraw(void *ctx, const double theta[], uint64_t first, int64_t n, double fields[])
{
  Law *law    = ctx;
  const int m = law->kind->channels * law->kind->cells;
  double z[LAW_LATENTS];
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++) {
    rng_normal(1, SCORIA_STREAM_SAMPLE, first + (uint64_t)i, 0, law->kind->latents, z);
    law_fields(law->kind, theta, z, fields + i * m);
  }
  PetscFunctionReturn(0);
}

static inline PetscErrorCode LawDestroy(void *ctx)
{
  (void)ctx;
  PetscFunctionBeginUser;
  PetscFunctionReturn(0);
}

/* law outlives the source. */
static inline void law_source(MPI_Comm comm, const LawKind *kind, Law *law, ScoriaSource *source)
{
  static const ScoriaSourceKind of = {
      .name = "law", .draw = LawDraw, .destroy = LawDestroy, .transport = LawTransport, .latents = LawLatents};
  ScoriaWorkers workers = {.all = {.comm = comm}, .own = {PETSC_COMM_SELF, 0, 1}, .leads = true};
  *law                  = (Law){.kind = kind};
  for (int j = 0; j < kind->cells; j++) law->x[j] = law_x(kind, j);
  for (int c = 0; c < kind->channels; c++)
    law->field[c] = (ScoriaField){.name = {(char)('u' + c)}, .unit = "1", .description = "known"};
  law->space = (ScoriaSpace){
      .n = 2, .c = {{.name = "a", .unit = "1", .lo = 0, .hi = 1}, {.name = "b", .unit = "1", .lo = 0, .hi = 1}}};
  MPI_Comm_rank(comm, &workers.all.worker);
  MPI_Comm_size(comm, &workers.all.workers);
  const ScoriaFieldShape shape = {
      .channels = kind->channels, .cells = kind->cells, .field = law->field, .x = law->x, .space = &law->space};
  CHECK(ScoriaSourceCreate(&of, law, &shape, &workers, source));
}

/* -------------------------------------------------------------------------------------- a case and its answer ---- */

typedef struct {
  double truth[2];
  int cell[LAW_READINGS]; /* in (channels, cells) */
  double y[LAW_READINGS], sd;
} LawCase;

/* Case `number`: conditions of the prior, fields at them, readings of cells evenly apart. */
static inline void law_case(const LawKind *kind, uint64_t number, LawCase *c)
{
  const int per = LAW_READINGS / kind->channels;
  double z[LAW_LATENTS], e[LAW_READINGS], fields[LAW_WIDTH];
  c->sd = kind->noise;
  rng_uniform(20, SCORIA_STREAM_CONDITION, number, 0, 2, c->truth);
  rng_normal(20, SCORIA_STREAM_SAMPLE, number, 0, kind->latents, z);
  rng_normal(20, SCORIA_STREAM_PROBE, number, 0, LAW_READINGS, e);
  law_fields(kind, c->truth, z, fields);
  for (int i = 0; i < LAW_READINGS; i++) {
    const int channel = i / per;
    c->cell[i]        = channel * kind->cells + (int)((i % per + 0.5) * kind->cells / per);
    c->y[i]           = fields[c->cell[i]] + c->sd * e[i];
  }
}

/* Of the posterior: moments of the conditions, and the evidence. */
typedef struct {
  double mean[2], sd[2], log_evidence;
} LawAnswer;

enum { LAW_NODES = 80, LAW_BENDS = 400 };

/* ln N(y; mean, K) of the readings at theta, integrated over z_0 where the mean depends on it. */
static inline double law_log_likelihood(const LawKind *kind, const LawCase *c, const double theta[2])
{
  double F[LAW_WIDTH * LAW_LATENTS], mean[LAW_WIDTH], K[LAW_READINGS * LAW_READINGS], most = -INFINITY, sum = 0;
  double l[LAW_BENDS];
  const int R = kind->latents, from = kind->bent ? 1 : 0, nodes = kind->bent ? LAW_BENDS : 1;
  kind->factor(kind, theta, F);
  for (int i = 0; i < LAW_READINGS; i++)
    for (int j = 0; j <= i; j++) {
      K[i * LAW_READINGS + j] = i == j ? c->sd * c->sd : 0;
      for (int k = from; k < R; k++) K[i * LAW_READINGS + j] += F[c->cell[i] * R + k] * F[c->cell[j] * R + k];
    }
  assert_true(la_cholesky(LAW_READINGS, K));
  for (int q = 0; q < nodes; q++) {
    const double z0 = kind->bent ? -5 + 10 * (q + 0.5) / nodes : 0;
    double gap[LAW_READINGS], solved[LAW_READINGS];
    kind->mean(kind, theta, z0, mean);
    for (int i = 0; i < LAW_READINGS; i++) gap[i] = solved[i] = c->y[i] - mean[c->cell[i]];
    la_cholesky_solve(LAW_READINGS, K, 1, solved);
    l[q] = kind->bent ? -0.5 * (z0 * z0 + log(2 * PETSC_PI)) + log(10.0 / nodes) : 0;
    for (int i = 0; i < LAW_READINGS; i++)
      l[q] -= 0.5 * (gap[i] * solved[i] + log(2 * PETSC_PI)) + log(K[i * LAW_READINGS + i]);
    most = fmax(most, l[q]);
  }
  for (int q = 0; q < nodes; q++) sum += exp(l[q] - most);
  return most + log(sum);
}

/* By the midpoint rule, whose error falls fast where the posterior is not cut, and is 1 / (24 nodes^2) where it is. */
static inline void law_answer(const LawKind *kind, const LawCase *c, LawAnswer *out)
{
  static double l[LAW_NODES * LAW_NODES];
  double most = -INFINITY, sum = 0, first[2] = {0}, second[2] = {0};
  for (int i = 0; i < LAW_NODES * LAW_NODES; i++) {
    const double theta[2] = {(i / LAW_NODES + 0.5) / LAW_NODES, (i % LAW_NODES + 0.5) / LAW_NODES};
    l[i]                  = law_log_likelihood(kind, c, theta);
    most                  = fmax(most, l[i]);
  }
  for (int i = 0; i < LAW_NODES * LAW_NODES; i++) {
    const double theta[2] = {(i / LAW_NODES + 0.5) / LAW_NODES, (i % LAW_NODES + 0.5) / LAW_NODES};
    const double p        = exp(l[i] - most);
    sum += p;
    for (int k = 0; k < 2; k++) {
      first[k] += p * theta[k];
      second[k] += p * theta[k] * theta[k];
    }
  }
  for (int k = 0; k < 2; k++) {
    out->mean[k] = first[k] / sum;
    out->sd[k]   = sqrt(second[k] / sum - out->mean[k] * out->mean[k]);
  }
  out->log_evidence = most + log(sum / (LAW_NODES * LAW_NODES));
}

#endif

/* The fit of POD: mean and scale of the training rows, then a randomised range finder (Halko, Martinsson and Tropp
 * 2011) with one power iteration: p directions at random over the rows, those of the covariance applied to them, and
 * the covariance of the coefficients along these.  Memory is O(p m) on every rank, whatever the rows; sums are in fixed
 * point over tiles, so that bits do not depend on the ranks. */
#include "scoria/linalg.h"
#include "normaliser_fit.h"
#include "pod.h"
#include "tile_sum.h"
#include <math.h>
#include <string.h>

#define MOST_DIRECTIONS 160

typedef enum { DISTANCE, LARGEST, MEAN, SPREAD, RANDOM, POWER, COVARIANCE } Stage;

typedef struct {
  Pod *pod;
  Stage stage;
  int p;
  double largest[SCORIA_MAX_FIELDS];
  double *Q;    /* owned (p, m) */
  double *part; /* owned (p, m): of a tile */
  double *A;    /* owned (rows of a tile, p) */
  TileSum sum;
} Fit;

static void standardise(const Pod *pod, int64_t n, double v[])
{
  for (int64_t i = 0; i < n; i++)
    for (int j = 0; j < pod->m; j++) {
      double *x = v + i * pod->m + j;
      *x        = (*x - pod->mean[j]) / pod->scale[j / pod->L];
    }
}

/* Sums of a tile of rows x / 2^k, or of their squares about the mean. */
static void add_moments(Fit *fit, int n, const double v[])
{
  const Pod *pod = fit->pod;
  double *part   = fit->part;
  memset(part, 0, sizeof *part * (size_t)pod->m);
  for (int i = 0; i < n; i++)
    for (int j = 0; j < pod->m; j++) {
      const int c    = j / pod->L;
      const double x = v[(size_t)i * pod->m + j], d = (x - pod->mean[j]) / fit->largest[c];
      if (fit->stage == MEAN)
        part[j] += x / fit->largest[c];
      else
        part[c] += d * d;
    }
  tile_sum_add(&fit->sum, 0, fit->stage == MEAN ? pod->m : pod->C, part);
}

static PetscErrorCode visit(void *ctx, NormData *data, int t, double v[])
{
  Fit *fit       = ctx;
  const Pod *pod = fit->pod;
  const int n = data->rows[t].fitted, p = fit->p, m = pod->m;
  PetscFunctionBeginUser;
  if (fit->stage > DISTANCE) bounds_to_all(pod->bounds, n, pod->C, pod->L, v);
  pod_blank(pod, n, v);
  if (fit->stage <= LARGEST) {
    for (size_t k = 0; k < (size_t)n * m; k++) {
      const int c       = (int)(k % (size_t)m / (size_t)pod->L);
      const double from = fit->stage == DISTANCE ? bounds_end(&pod->bounds[c]) : 0;
      fit->largest[c]   = fmax(fit->largest[c], fabs(v[k] - from));
    }
    PetscFunctionReturn(0);
  }
  if (fit->stage <= SPREAD) {
    add_moments(fit, n, v);
    PetscFunctionReturn(0);
  }
  standardise(pod, n, v);
  if (fit->stage == RANDOM)
    for (int i = 0; i < n; i++)
      rng_normal(1, SCORIA_STREAM_INIT, (uint64_t)((data->first_tile + t) * data->capacity + i), 0, p,
                 fit->A + (size_t)i * p);
  else
    la_gemm(false, true, n, p, m, 1, v, m, fit->Q, m, 0, fit->A, p);
  if (fit->stage == COVARIANCE) {
    la_gemm(true, false, p, p, n, 1, fit->A, p, fit->A, p, 0, fit->part, p);
    tile_sum_add(&fit->sum, 0, p * p, fit->part);
  } else {
    la_gemm(true, false, p, m, n, 1, fit->A, p, v, m, 0, fit->part, m);
    tile_sum_add(&fit->sum, 0, p * m, fit->part);
  }
  PetscFunctionReturn(0);
}

/* One pass, its n sums in out on every rank. */
static PetscErrorCode Pass(Fit *fit, NormData *data, Stage stage, int64_t n, double out[])
{
  PetscFunctionBeginUser;
  fit->stage = stage;
  PetscCall(TileSumCreate(data->in.comm, n, &fit->sum));
  PetscCall(NormDataWalk(data, "POD", NORM_FIELDS, visit, fit));
  PetscCall(TileSumTake(&fit->sum, out));
  PetscCall(TileSumDestroy(&fit->sum));
  PetscCall(NormShare(data->in.comm, (size_t)n, out));
  PetscFunctionReturn(0);
}

/* The rows of Q (p, m) become orthonormal: their Gram matrix's eigenvectors over the roots of its eigenvalues; p falls
 * to those that there are. */
static PetscErrorCode Orthonormalise(Fit *fit, NormData *data)
{
  const int m = fit->pod->m;
  int rank, p = fit->p, kept = 0;
  double number;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(data->in.comm, &rank));
  for (int twice = 0; twice < 2 && rank == 0; twice++) { /* the second time to the last place */
    double *G, *w;
    PetscCall(PetscMalloc2((size_t)p * p, &G, p, &w));
    la_gemm(false, true, p, p, m, 1, fit->Q, m, fit->Q, m, 0, G, p);
    PetscCall(LinalgEigen(p, G, w));
    for (kept = 0; kept < p && w[p - 1 - kept] > 1e-13 * w[p - 1];) kept++;
    for (int k = 0; k < kept; k++)
      for (int i = 0; i < p; i++) G[(size_t)(p - kept + k) * p + i] /= sqrt(w[p - kept + k]);
    la_gemm(false, false, kept, m, p, 1, G + (size_t)(p - kept) * p, p, fit->Q, m, 0, fit->part, m);
    memcpy(fit->Q, fit->part, sizeof *fit->Q * (size_t)kept * m);
    PetscCall(PetscFree2(G, w));
    p = kept;
  }
  number = p;
  PetscCall(NormShare(data->in.comm, 1, &number));
  fit->p = (int)number;
  PetscCall(NormShare(data->in.comm, (size_t)fit->p * m, fit->Q));
  PetscFunctionReturn(0);
}

/* Of channels with one bound, how near to it a value counts. */
static PetscErrorCode FindLeast(Fit *fit, NormData *data)
{
  Pod *pod = fit->pod;
  double none;
  bool any = false;
  PetscFunctionBeginUser;
  for (int c = 0; c < pod->C; c++) any = any || pod->bounds[c].on;
  if (!any) PetscFunctionReturn(0);
  PetscCall(Pass(fit, data, DISTANCE, 0, &none));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, fit->largest, SCORIA_MAX_FIELDS, MPI_DOUBLE, MPI_MAX, data->in.comm));
  for (int c = 0; c < pod->C; c++)
    if (pod->bounds[c].on) bounds_set_least(&pod->bounds[c], fit->largest[c]);
  PetscCall(PetscArrayzero(fit->largest, SCORIA_MAX_FIELDS));
  PetscFunctionReturn(0);
}

static PetscErrorCode FitMoments(Fit *fit, NormData *data, double *rows)
{
  Pod *pod = fit->pod;
  double squares[SCORIA_MAX_FIELDS], none;
  PetscFunctionBeginUser;
  PetscCall(FindLeast(fit, data));
  PetscCall(Pass(fit, data, LARGEST, 0, &none));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, fit->largest, SCORIA_MAX_FIELDS, MPI_DOUBLE, MPI_MAX, data->in.comm));
  for (int c = 0; c < pod->C; c++) fit->largest[c] = binary_scale(fit->largest[c]);
  *rows = 0;
  for (int t = 0; t < data->tiles.tiles; t++) *rows += data->rows[t].fitted;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, rows, 1, MPI_DOUBLE, MPI_SUM, data->in.comm));
  if (*rows < 3) SCORIA_FAIL(SCORIA_EXIT_INPUT, "the training set has %.0f usable rows: at least 3 are needed", *rows);
  PetscCall(Pass(fit, data, MEAN, pod->m, pod->mean));
  for (int j = 0; j < pod->m; j++) pod->mean[j] *= fit->largest[j / pod->L] / *rows;
  PetscCall(Pass(fit, data, SPREAD, pod->C, squares));
  for (int c = 0; c < pod->C; c++) {
    pod->scale[c] = fit->largest[c] * sqrt(squares[c] / (*rows * pod->L));
    if (!(pod->scale[c] > 0))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "the training field %s does not vary: there is nothing to learn",
                  data->spec->field[data->in.channel[c]].name);
  }
  PetscFunctionReturn(0);
}

/* U, weight, K and kept of the covariance (p, p) of the coefficients along Q, times the rows. */
static PetscErrorCode TakeModes(Fit *fit, NormData *data, double rows, double energy, double G[])
{
  Pod *pod    = fit->pod;
  const int m = pod->m, p = fit->p;
  double *w, sum          = 0;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(p, &w));
  PetscCall(LinalgEigen(p, G, w));
  PetscCall(NormShare(data->in.comm, (size_t)p * p, G));
  PetscCall(NormShare(data->in.comm, (size_t)p, w));
  for (pod->K = 0; pod->K < p && sum < energy * m && w[p - 1 - pod->K] > 1e-12 * w[p - 1]; pod->K++)
    sum += w[p - 1 - pod->K] / rows;
  pod->kept = fmin(sum / m, 1);
  PetscCall(PetscMalloc2((size_t)pod->K * m, &pod->U, pod->K, &pod->weight));
  for (int k = 0; k < pod->K; k++) {
    la_gemm(false, false, 1, m, p, 1, G + (size_t)(p - 1 - k) * p, p, fit->Q, m, 0, pod->U + (size_t)k * m, m);
    pod->weight[k] = sqrt(w[p - 1 - k] / w[p - 1]);
  }
  PetscCall(PetscFree(w));
  PetscFunctionReturn(0);
}

/* Directions, their next ones, the sums that these come from, and the matrices that encode and decode. */
static PetscErrorCode CheckMemory(const Fit *fit, const NormInput *in)
{
  const double need = (double)fit->p * fit->pod->m * (2 * sizeof(double) + 2 * sizeof(int64_t) + 3 * sizeof(double));
  PetscFunctionBeginUser;
  if (in->run)
    PetscCall(ScoriaMemoryCheck(need, in->memory, "fewer cells", "%d modes of %d values", fit->p, fit->pod->m));
  PetscFunctionReturn(0);
}

static PetscErrorCode FitModes(Pod *pod, const NormInput *in, double energy)
{
  Fit fit                 = {.pod = pod};
  struct NormProfile_ raw = {.space = pod->space, .C = pod->C, .L = pod->L, .m = pod->m};
  double rows, *G;
  NormData data;
  int bounded = 0;
  PetscFunctionBeginUser;
  for (int c = 0; c < pod->C; c++) bounded = bounded || pod->bounds[c].on;
  PetscCall(NormDataCreate(in, &raw, false, 6 + bounded, &data));
  PetscCall(PetscMalloc1(pod->m, &fit.part));
  PetscCall(FitMoments(&fit, &data, &rows));
  PetscCall(PetscFree(fit.part));
  fit.p          = (int)PetscMin(MOST_DIRECTIONS, PetscMin(rows, pod->m));
  const size_t p = (size_t)fit.p, m = (size_t)pod->m;
  PetscCall(CheckMemory(&fit, in));
  PetscCall(
      PetscMalloc4(p * m, &fit.Q, PetscMax(p * m, p * p), &fit.part, (size_t)data.capacity * p, &fit.A, p * p, &G));
  PetscCall(Pass(&fit, &data, RANDOM, (int64_t)(p * m), fit.Q));
  PetscCall(Orthonormalise(&fit, &data));
  PetscCall(Pass(&fit, &data, POWER, (int64_t)fit.p * pod->m, fit.Q));
  PetscCall(Orthonormalise(&fit, &data));
  PetscCall(Pass(&fit, &data, COVARIANCE, (int64_t)fit.p * fit.p, G));
  PetscCall(TakeModes(&fit, &data, rows, energy, G));
  PetscCall(PodSetUp(pod));
  PetscCall(PetscFree4(fit.Q, fit.part, fit.A, G));
  PetscCall(NormDataDestroy(&data));
  PetscFunctionReturn(0);
}

static void encode_rows(void *ctx, int64_t n, const double fields[], double out[])
{
  pod_coefficients(ctx, n, fields, out);
}

PetscErrorCode PodPrepare(void *self, const NormInput *in, const NormTask *task)
{
  Pod *pod                      = self;
  ScoriaNormaliserOptions inner = *task->options;
  NormInput coefficients        = *in;
  NormTask rest                 = *task;
  PetscFunctionBeginUser;
  if (!task->known) {
    PetscCall(FitModes(pod, in, task->options->energy));
    PetscCall(ProfileCreateOf(&pod->space, 1, pod->K, &pod->inner));
    pod->inner->encoded = true;
    if (in->run)
      PetscCall(ScoriaSay(in->run, "  %d modes (POD) carry %.4f %% of the fields' variance; the rest is left out",
                          pod->K, 100 * pod->kept));
  }
  const NormEncoder encoder = {pod, pod->C, pod->weight, encode_rows};
  inner.relative            = false;
  inner.all_modes           = pod->K;
  rest.options              = &inner;
  coefficients.encoder      = &encoder;
  PetscCall(ProfilePrepare(pod->inner, &coefficients, &rest));
  PetscFunctionReturn(0);
}

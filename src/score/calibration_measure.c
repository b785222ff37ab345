/* The moments of a network's samples at many conditions, which are dealt to ranks, and polynomials through them. */
#include "calibration_fit.h"
#include "levels.h"
#include "samplers/samplers.h"
#include "scoria/linalg.h"
#include "train_rows.h"
#include <math.h>

enum {
  POINTS     = 512, /* conditions at which it is sampled */
  TILES_MOST = 4,   /* of draws at each: then the polynomials are known to .01 of a coordinate's spread */
  PER_TERM   = 8,   /* points for each term of the polynomials, at least */
  EVERY_ROW  = 2,   /* of the points, one in so many is a condition of the training set, the others are anywhere */
};
#define WORK 1e12  /* [FLOP] of the sampling, with fewer tiles where the network is large */
#define RIDGE 1e-9 /* of the mean of the diagonal: far below the noise of the moments */

/* The powers that the conditions of the training rows bear.  Collective. */
static PetscErrorCode Powers(MPI_Comm comm, int d, const TrainData *train, int powers[])
{
  int rank;
  double *u;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  const int64_t here = train->start ? train->start[rank + 1] - train->start[rank] : train->rows, start[2] = {0, here};
  const int used[1]    = {(int)here};
  const NormTiles rows = {comm, 1, start, used};
  PetscCall(PetscMalloc1(here * d + 1, &u));
  for (int64_t i = 0; i < here * d; i++) u[i] = (double)train->u[train->condition[i / d] * d + i % d];
  PetscCall(LevelsPowers(&rows, d, u, powers));
  PetscCall(PetscFree(u));
  PetscFunctionReturn(0);
}

/* The highest degree whose terms the points bear. */
static PetscErrorCode ChoosePolynomial(int d, const int powers[], NormPoly *poly)
{
  PetscFunctionBeginUser;
  for (int degree = NORM_MAX_DEGREE; degree >= 0; degree--) {
    PetscCall(NormPolyCreate(d, degree, powers, poly));
    if (poly->terms * PER_TERM <= POINTS || degree == 0) break;
    PetscCall(NormPolyDestroy(poly));
  }
  PetscFunctionReturn(0);
}

/* Unit conditions (POINTS, d): of rows of the training set, spread over it, and uniform in the ranges.  Collective. */
static PetscErrorCode PlacePoints(MPI_Comm comm, const ScoriaModel m, const TrainData *train, double u[])
{
  const ScoriaSpace *space = ScoriaModelSpace(m);
  const int d = space->n, r = m->spec.r;
  int64_t row[POINTS];
  float *of;
  PetscFunctionBeginUser;
  for (int64_t p = 0; p < POINTS; p++) row[p] = (int64_t)((double)p / POINTS * (double)train->rows);
  PetscCall(PetscMalloc1(POINTS * (r + d), &of));
  PetscCall(TrainRowsFetch(comm, train, r, d, POINTS, row, of));
  for (int p = 0; p < POINTS; p++) {
    double anywhere[SCORIA_MAX_CONDITIONS];
    rng_uniform(m->seed, SCORIA_STREAM_CALIBRATION, (uint64_t)p, 0, d, anywhere);
    for (int j = 0; j < d; j++) {
      const bool varies = space->c[j].lo < space->c[j].hi, of_row = p % EVERY_ROW == 0;
      u[p * d + j] = of_row ? (double)of[p * (r + d) + r + j] : varies ? 2 * anywhere[j] - 1 : 0;
    }
  }
  PetscCall(PetscFree(of));
  PetscFunctionReturn(0);
}

static const ScoriaSamplerOptions sampling = {
    .kind = "abm", .steps = 8, .sigma_max = 30, .sigma_min = 0.002, .power = 1};

static int tiles_of(const ScoriaModel m)
{
  const double draws = (double)POINTS * MODEL_TILE * sampler_find(sampling.kind)->evaluations(sampling.steps);
  return (int)PetscClipInterval(WORK / (draws * net_sampling_flops(m->net)), 1, TILES_MOST);
}

/* Noise (MODEL_TILE, r) of a tile, in pairs that differ in sign. */
static void antithetic_noise(uint64_t seed, int64_t tile, int r, float noise[])
{
  for (int i = 0; i < MODEL_TILE; i += 2) {
    float *first = noise + (size_t)i * (size_t)r;
    rng_normalf(seed, SCORIA_STREAM_CALIBRATION, (uint64_t)(POINTS + tile * MODEL_TILE + i), 0, r, first);
    for (int k = 0; k < r; k++) first[r + k] = -first[k];
  }
}

/* Means, then logarithms of the standard deviations, of n draws whose sums, and sums of squares, moment (2 r) holds. */
static void finish_moments(int r, int n, double moment[])
{
  for (int k = 0; k < r; k++) {
    const double mean = moment[k] / n, square = (moment[r + k] - n * mean * mean) / (n - 1);
    moment[k]     = mean;
    moment[r + k] = 0.5 * log(fmax(square, 1e-12));
  }
}

/* Buffers of one tile. */
typedef struct {
  float *noise, *y, *work; /* owned (MODEL_TILE, r), (MODEL_TILE, r), the sampler's */
} Draws;

/* moment (2 r), zeros before, at u (d) of point p. */
static void measure_point(ScoriaModel m, int64_t p, const double u[], int tiles, const Draws *draws, double moment[])
{
  const int r                   = m->spec.r;
  const uint64_t id[MODEL_TILE] = {0};
  ScoriaSamplerOptions opt      = sampling;
  ModelAt at                    = {.model = m};
  const ScoriaDenoiser den      = {r, &at, model_denoise};
  opt.process                   = m->process.row;
  opt.noise                     = draws->noise;
  for (int j = 0; j < m->spec.d; j++) at.u[j] = (float)u[j];
  for (int t = 0; t < tiles; t++) {
    antithetic_noise(m->seed, p * TILES_MOST + t, r, draws->noise);
    sampler_find(opt.kind)->run(&opt, &den, MODEL_TILE, id, draws->work, draws->y);
    for (int i = 0; i < MODEL_TILE * r; i++) {
      const double y = (double)draws->y[i];
      moment[i % r] += y;
      moment[r + i % r] += y * y;
    }
  }
  finish_moments(r, tiles * MODEL_TILE, moment);
}

/* Y (POINTS, 2 r) at the points of this rank, in rounds, after which all look whether to stop; run may be NULL. */
static PetscErrorCode MeasurePoints(MPI_Comm comm, ScoriaRun run, ScoriaModel m, const double u[], const Draws *draws,
                                    double Y[])
{
  const int width = 2 * m->spec.r, tiles = tiles_of(m);
  ScoriaPace pace    = {.run = run, .step = 1, .most = POINTS};
  ScoriaProgress bar = NULL;
  int64_t first, number, longest;
  int rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  deal_block(POINTS, 0, size, &first, &longest);
  deal_block(POINTS, rank, size, &first, &number);
  if (run) PetscCall(ScoriaProgressCreate(run, "calibrate", "conditions", POINTS, &bar));
  for (int64_t done = 0, end; done < longest; done = end) {
    if (run) PetscCall(ScoriaPaceMeet(&pace, "the training is kept at its last step"));
    end = PetscMin(done + pace.step, longest);
    for (int64_t i = done; i < PetscMin(end, number); i++) {
      measure_point(m, first + i, u + (first + i) * m->spec.d, tiles, draws, Y + (first + i) * width);
      if (run) PetscCall(ScoriaProgressUpdate(bar, (double)((i + 1) * POINTS) / (double)number, NULL));
    }
  }
  if (run) PetscCall(ScoriaProgressDestroy(&bar));
  PetscFunctionReturn(0);
}

/* Y (POINTS, 2 r): moments at the points u (POINTS, d), each from one rank. */
static PetscErrorCode Measure(MPI_Comm comm, ScoriaRun run, ScoriaModel m, const double u[], double Y[])
{
  const size_t width = 2 * (size_t)m->spec.r, tile = MODEL_TILE * (size_t)m->spec.r;
  Draws draws;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(tile, &draws.noise, tile, &draws.y, sampler_work_floats(MODEL_TILE, m->spec.r), &draws.work));
  PetscCall(PetscArrayzero(Y, POINTS * width));
  PetscCall(MeasurePoints(comm, run, m, u, &draws, Y));
  PetscCall(ScoriaReduceMany(comm, MPI_SUM, (int64_t)(POINTS * width), MPI_DOUBLE, Y));
  PetscCall(PetscFree3(draws.noise, draws.y, draws.work));
  PetscFunctionReturn(0);
}

/* c->from: least squares of Y (POINTS, 2 r) on the polynomials at u. */
static PetscErrorCode Regress(const double u[], const double Y[], Calibration *c)
{
  const int terms = c->poly.terms, width = 2 * c->r;
  double *X, *G, trace = 0;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(POINTS * terms, &X, terms * terms, &G));
  for (int p = 0; p < POINTS; p++) norm_poly_values(&c->poly, u + p * c->d, X + p * terms);
  la_gemm(true, false, terms, terms, POINTS, 1, X, terms, X, terms, 0, G, terms);
  la_gemm(true, false, terms, width, POINTS, 1, X, terms, Y, width, 0, c->from, width);
  for (int i = 0; i < terms; i++) trace += G[i * terms + i];
  for (int i = 0; i < terms; i++) G[i * terms + i] += RIDGE * trace / terms;
  PetscCheck(la_cholesky(terms, G), PETSC_COMM_SELF, PETSC_ERR_PLIB, "regression of %d terms", terms);
  la_cholesky_solve(terms, G, width, c->from);
  PetscCall(PetscFree2(X, G));
  PetscFunctionReturn(0);
}

PetscErrorCode CalibrationMeasure(MPI_Comm comm, ScoriaRun run, ScoriaModel m, const TrainData *train, Calibration *c)
{
  double *u, *Y;
  bool finite = true;
  int powers[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  PetscCall(Powers(comm, m->spec.d, train, powers));
  PetscCall(ChoosePolynomial(m->spec.d, powers, &c->poly));
  PetscCall(CalibrationSetUp(m->spec.d, m->spec.r, c));
  PetscCall(PetscMalloc2(POINTS * c->d + 1, &u, POINTS * 2 * c->r, &Y));
  PetscCall(PlacePoints(comm, m, train, u));
  PetscCall(Measure(comm, run, m, u, Y));
  for (int i = 0; i < POINTS * 2 * c->r; i++) finite = finite && isfinite(Y[i]);
  if (finite) /* the same on all ranks */
    PetscCall(Regress(u, Y, c));
  else
    PetscCall(CalibrationDestroy(c));
  PetscCall(PetscFree2(u, Y));
  PetscFunctionReturn(0);
}

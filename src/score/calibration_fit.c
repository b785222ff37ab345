/* The moments of the network's law over the ranges of the conditions, and what the training rows make of them.
 *
 * In whitened coordinates the normaliser's regressions say mean 0 and spread 1 at every condition.  They are wrong
 * where their few terms do not suffice, mostly at the ends of the ranges; the network has learned some of that, but of
 * few rows also their chance, and the averages of its samples over all conditions are off by what it was not trained
 * for and by its sampler.  These averages the rows know best.  So
 *   - the means are those of a regression of the rows with as many terms as the network's are measured with, each
 *     shrunk by what the rows say of its size (empirical Bayes), and a share of the network's difference from it;
 *   - of the variation of the spreads over the conditions that share is kept, and their average is that of the rows.
 * What the chance of n rows does to the network falls as 1 / n, what a polynomial cannot follow stays: the share with
 * the least error is n / (n + n0), and n0 is measured (benchmarks/few_rows.md).
 *
 * Of whole fields the normaliser's regressions stand: they have means with control variates, powers of waves and
 * marginal laws, none of which a network of some thousand rows knows better, and the network is there for what is left,
 * the shape of the joint law. */
#include "calibration_fit.h"
#include "model.h"
#include "samplers/samplers.h"
#include "scoria/linalg.h"
#include "scoria/phases.h"
#include "scoria/run_files.h"
#include "train_rows.h"
#include <math.h>
#include <string.h>

enum {
  POINTS     = 512, /* conditions at which the network is sampled */
  PER_TERM   = 8,   /* points for each term of the polynomials, at least */
  EVERY_ROW  = 2,   /* of the points, one in so many is a condition of the training set, the others are anywhere */
  TILES_MOST = 4,   /* of draws at each: then the polynomials are known to .01 of a coordinate's spread */
  CHUNK_ROWS = 4096 /* of the training set at a time */
};
#define WORK 1e12        /* [FLOP] of the sampling, with fewer tiles where the network is large */
#define RIDGE 1e-9       /* of the mean of the diagonal: far below the noise of the moments */
#define SHARE_ROWS 2048. /* n0: of so many rows a half is kept */

/* ------------------------------------------------------------------------------------------- what is measured ---- */

/* The highest degree whose terms the points bear. */
static PetscErrorCode ChoosePolynomial(const ScoriaSpace *space, NormPoly *poly)
{
  int levels[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  for (int j = 0; j < space->n; j++) levels[j] = space->c[j].lo < space->c[j].hi ? NORM_MAX_DEGREE + 1 : 1;
  for (int degree = NORM_MAX_DEGREE; degree >= 0; degree--) {
    PetscCall(NormPolyCreate(space->n, degree, levels, poly));
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

/* Noise (MODEL_TILE, r) in pairs that differ in sign. */
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

static const ScoriaSamplerOptions sampling = {
    .kind = "abm", .steps = 8, .sigma_max = 30, .sigma_min = 0.002, .power = 1};

static int tiles_of(const ScoriaModel m)
{
  const double draws = (double)POINTS * MODEL_TILE * sampler_find(sampling.kind)->evaluations(sampling.steps);
  return (int)PetscClipInterval(WORK / (draws * net_sampling_flops(m->net)), 1, TILES_MOST);
}

/* Buffers of one tile. */
typedef struct {
  float *noise, *y, *work; /* owned (MODEL_TILE, r), (MODEL_TILE, r), the sampler's */
} Draws;

/* moment (2 r) at u (d) of point p. */
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

/* Points of this rank in rounds, after which all look whether to stop; run may be NULL. */
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

static bool all_finite(size_t n, const double Y[])
{
  for (size_t i = 0; i < n; i++)
    if (!isfinite(Y[i])) return false;
  return true;
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

/* Least squares of Y (POINTS, 2 r) on the polynomials at u. */
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

/* ------------------------------------------------------------------------------------------- what the rows say ---- */

#define LEAST_VARIANCE -17                    /* log2 of s: 10^5 rows would not show it */
#define MOST_VARIANCE -3                      /* .35 of a coordinate's spread */
static const double decay[] = {1, 0.5, 0.25}; /* rho */

static int order_of(const NormPoly *poly, int term)
{
  int order = 0;
  for (int j = 0; j < poly->d; j++) order += poly->power[term * poly->d + j];
  return order;
}

/* A = the precision of the coefficients given the rows, as its Cholesky factor, and B (p, r) their means; what the
 * evidence has of all coordinates. */
static PetscErrorCode Posterior(const NormPoly *poly, const CalibrationSums *rows, double s, double rho, double A[],
                                double B[], double *common)
{
  const int p = rows->p;
  PetscFunctionBeginUser;
  *common = 0;
  PetscCall(PetscArraycpy(A, rows->xx, p * p));
  PetscCall(PetscArraycpy(B, rows->xy, p * rows->r));
  for (int i = 1; i < p; i++) {
    const double variance = s * pow(rho, order_of(poly, i));
    A[i * p + i] += 1 / variance;
    *common -= log(variance);
  }
  PetscCheck(la_cholesky(p, A), PETSC_COMM_SELF, PETSC_ERR_PLIB, "regression of %d terms", p);
  la_cholesky_solve(p, A, rows->r, B);
  for (int i = 0; i < p; i++) *common -= 2 * log(A[i * p + i]);
  PetscFunctionReturn(0);
}

PetscErrorCode CalibrationMeans(const NormPoly *poly, const CalibrationSums *rows, double mean[])
{
  const int p = rows->p, r = rows->r;
  double *A, *B, *best, common;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(p * p, &A, p * r, &B, r, &best));
  for (int k = 0; k < r; k++) best[k] = -INFINITY;
  for (int log2s = LEAST_VARIANCE; log2s <= MOST_VARIANCE; log2s++)
    for (size_t q = 0; q < sizeof decay / sizeof *decay; q++) {
      PetscCall(Posterior(poly, rows, ldexp(1, log2s), decay[q], A, B, &common));
      for (int k = 0; k < r; k++) {
        double evidence = common;
        for (int i = 0; i < p; i++) evidence += B[i * r + k] * rows->xy[i * r + k];
        if (!(evidence > best[k])) continue;
        best[k] = evidence;
        for (int i = 0; i < p; i++) mean[i * r + k] = B[i * r + k];
      }
    }
  PetscCall(PetscFree3(A, B, best));
  PetscFunctionReturn(0);
}

/* Average over the rows of a polynomial whose coefficients stand `stride` apart. */
static double row_average(const CalibrationSums *rows, const double coef[], int stride)
{
  double sum = 0;
  for (int i = 0; i < rows->p; i++) sum += rows->xx[i] * coef[i * stride];
  return sum / rows->n;
}

/* And of its square. */
static double row_square(const CalibrationSums *rows, const double coef[], int stride)
{
  double sum = 0;
  for (int i = 0; i < rows->p; i++)
    for (int j = 0; j < rows->p; j++) sum += coef[i * stride] * rows->xx[i * rows->p + j] * coef[j * stride];
  return sum / rows->n;
}

PetscErrorCode CalibrationTargets(const CalibrationSums *rows, Calibration *c)
{
  const int p = rows->p, r = rows->r, width = 2 * r;
  const double kept = rows->n / (rows->n + SHARE_ROWS);
  double *mean;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(p * r, &mean));
  PetscCall(CalibrationMeans(&c->poly, rows, mean));
  for (int k = 0; k < r; k++) {
    const double *mu = c->from + k, *l = c->from + r + k;
    const double off = rows->xy[k] / rows->n - row_average(rows, mu, width);
    double square    = rows->yy[k] / rows->n + row_square(rows, mean + k, r);
    for (int i = 0; i < p; i++) {
      const double own = mu[i * width] + (i ? 0 : off);
      square -= 2 * mean[i * r + k] * rows->xy[i * r + k] / rows->n;
      c->to[i * width + k]     = mean[i * r + k] + kept * (own - mean[i * r + k]);
      c->to[i * width + r + k] = kept * l[i * width];
    }
    c->to[r + k] += 0.5 * log(fmax(square, 1e-12)) - kept * row_average(rows, l, width);
  }
  PetscCall(PetscFree(mean));
  PetscFunctionReturn(0);
}

/* xx, xy and yy of n rows (n, r + d). */
static void add_rows(const NormPoly *poly, int64_t n, const float row[], double x[], CalibrationSums *sums)
{
  const int p = sums->p, r = sums->r, d = poly->d;
  for (int64_t i = 0; i < n; i++, row += r + d) {
    double u[SCORIA_MAX_CONDITIONS];
    for (int j = 0; j < d; j++) u[j] = (double)row[r + j];
    norm_poly_values(poly, u, x);
    for (int a = 0; a < p; a++)
      for (int b = 0; b < p; b++) sums->xx[a * p + b] += x[a] * x[b];
    for (int a = 0; a < p; a++)
      for (int k = 0; k < r; k++) sums->xy[a * r + k] += x[a] * (double)row[k];
    for (int k = 0; k < r; k++) sums->yy[k] += (double)row[k] * (double)row[k];
  }
  sums->n += (double)n;
}

/* Of all rows, on every rank in the same order.  Collective. */
static PetscErrorCode SumRows(MPI_Comm comm, const TrainData *train, const Calibration *c, CalibrationSums *sums)
{
  int64_t row[CHUNK_ROWS];
  float *of;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(CHUNK_ROWS * (c->r + c->d), &of));
  for (int64_t first = 0; first < train->rows; first += CHUNK_ROWS) {
    const int64_t n = PetscMin(CHUNK_ROWS, train->rows - first);
    for (int64_t i = 0; i < n; i++) row[i] = first + i;
    PetscCall(TrainRowsFetch(comm, train, c->r, c->d, n, row, of));
    add_rows(&c->poly, n, of, c->work, sums);
  }
  PetscCall(PetscFree(of));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- together ---- */

static PetscErrorCode Moves(const CalibrationSums *rows, const Calibration *c, CalibrationMoves *moves)
{
  const int width = 2 * c->r;
  double *by, square[2] = {0};
  PetscFunctionBeginUser;
  *moves = (CalibrationMoves){0};
  PetscCall(PetscMalloc1(c->poly.terms * width, &by));
  for (int i = 0; i < c->poly.terms * width; i++) by[i] = c->to[i] - c->from[i];
  for (int k = 0; k < width; k++) square[k / c->r] += row_square(rows, by + k, width) / c->r;
  for (int k = c->r; k < width; k++) moves->widened += row_average(rows, by + k, width) / c->r;
  moves->mean   = sqrt(square[0]);
  moves->spread = sqrt(square[1]);
  PetscCall(PetscFree(by));
  PetscFunctionReturn(0);
}

static PetscErrorCode Calibrate(MPI_Comm comm, const TrainData *train, Calibration *c, CalibrationMoves *moves)
{
  const int p = c->poly.terms, r = c->r;
  CalibrationSums sums = {.p = p, .r = r};
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc3(p * p, &sums.xx, p * r, &sums.xy, r, &sums.yy));
  PetscCall(SumRows(comm, train, c, &sums));
  if (train->move)
    PetscCall(PetscArrayzero(c->to, p * 2 * r));
  else
    PetscCall(CalibrationTargets(&sums, c));
  PetscCall(Moves(&sums, c, moves));
  PetscCall(PetscFree3(sums.xx, sums.xy, sums.yy));
  PetscFunctionReturn(0);
}

PetscErrorCode CalibrationFit(MPI_Comm comm, ScoriaRun run, ScoriaModel m, const TrainData *train, Calibration *c,
                              CalibrationMoves *moves)
{
  double *u, *Y;
  PetscFunctionBeginUser;
  PetscCall(ChoosePolynomial(ScoriaModelSpace(m), &c->poly));
  PetscCall(CalibrationSetUp(m->spec.d, m->spec.r, c));
  PetscCall(PetscMalloc2(POINTS * c->d + 1, &u, POINTS * 2 * c->r, &Y));
  PetscCall(PlacePoints(comm, m, train, u));
  PetscCall(Measure(comm, run, m, u, Y));
  if (all_finite(POINTS * 2 * (size_t)c->r, Y)) { /* the same on all ranks */
    PetscCall(Regress(u, Y, c));
    PetscCall(Calibrate(comm, train, c, moves));
    /* Rank 0's, so that unlike processors agree. */
    PetscCall(ScoriaBroadcastMany(comm, 0, (int64_t)c->poly.terms * 2 * c->r, MPI_DOUBLE, c->from));
    PetscCall(ScoriaBroadcastMany(comm, 0, (int64_t)c->poly.terms * 2 * c->r, MPI_DOUBLE, c->to));
  } else
    PetscCall(CalibrationDestroy(c));
  PetscCall(PetscFree2(u, Y));
  PetscFunctionReturn(0);
}

PetscErrorCode CalibrationSay(ScoriaRun run, const CalibrationMoves *moves)
{
  char body[128] = "";
  PetscFunctionBeginUser;
  PetscCall(
      ScoriaSay(run,
                "  calibrated against the training rows: means of the network's samples moved by %.3f SD, spreads "
                "by %.1f %% (rms over conditions and coordinates), %+.1f %% on average",
                moves->mean, 100 * moves->spread, 100 * moves->widened));
  json_member(sizeof body, body, LOG_MEAN_MOVED, "%.6g", moves->mean);
  json_member(sizeof body, body, LOG_SPREAD_MOVED, "%.6g", moves->spread);
  json_member(sizeof body, body, LOG_WIDENED, "%.6g", moves->widened);
  PetscCall(ScoriaLog(run, LOG_CALIBRATION, "%s", body));
  PetscFunctionReturn(0);
}

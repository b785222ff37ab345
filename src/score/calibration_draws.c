/* Samples of a network at many conditions, dealt to ranks by points, and polynomials through what is measured of them.
 */
#include "calibration_draws.h"
#include "samplers/samplers.h"
#include "scoria/linalg.h"
#include "train_rows.h"

enum {
  POINTS     = 512, /* of profiles */
  TILES_MOST = 4,   /* of draws at each: then the polynomials are known to .01 of a coordinate's spread */
  PER_TERM   = 8,   /* points for each term of the polynomials, at least */
  EVERY_ROW  = 2,   /* of the points, one in so many is a condition of the training set, the others are anywhere */
};
#define WORK 1e12       /* [FLOP] of the sampling, with fewer draws where the network is large */
#define WORK_WHOLE 8e12 /* of whole fields, whose training takes more, too */
#define RIDGE 1e-9      /* of the mean of the diagonal: far below the noise of the moments */

static const ScoriaSamplerOptions sampling = {
    .kind = "abm", .steps = 8, .sigma_max = 30, .sigma_min = 0.002, .power = 1};

static const ScoriaSamplerRow *sampler_of(const ScoriaModel m)
{
  return m->uses_tuned ? m->tuned_for : sampler_find(sampling.kind);
}

/* Of whole fields every draw has many values, and laws bend more over the conditions than so few points tell: each tile
 * is at a condition of its own. */
static void choose_numbers(const ScoriaModel m, CalibrationPoints *points)
{
  const bool whole   = m->normaliser->basis->whole;
  const double draws = (double)POINTS * MODEL_TILE * sampler_of(m)->evaluations(sampling.steps);
  const double tiles = (whole ? WORK_WHOLE : WORK) / (draws * net_sampling_flops(m->net));
  points->tiles      = (int)PetscClipInterval(tiles, 1, TILES_MOST);
  points->n          = POINTS;
  if (whole) points->n *= points->tiles, points->tiles = 1;
}

PetscErrorCode CalibrationPolynomial(const ScoriaSpace *space, int points, NormPoly *poly)
{
  int levels[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  for (int j = 0; j < space->n; j++) levels[j] = space->c[j].lo < space->c[j].hi ? NORM_MAX_DEGREE + 1 : 1;
  for (int degree = NORM_MAX_DEGREE; degree >= 0; degree--) {
    PetscCall(NormPolyCreate(space->n, degree, levels, poly));
    if (poly->terms * PER_TERM <= points || degree == 0) break;
    PetscCall(NormPolyDestroy(poly));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CalibrationPlace(MPI_Comm comm, const ScoriaModel m, const TrainData *train, CalibrationPoints *points)
{
  const ScoriaSpace *space = ScoriaModelSpace(m);
  const int d = space->n, r = m->spec.r;
  int64_t row[POINTS * TILES_MOST];
  float *of;
  PetscFunctionBeginUser;
  choose_numbers(m, points);
  PetscCall(PetscMalloc1(points->n * d + 1, &points->u));
  for (int64_t p = 0; p < points->n; p++) row[p] = (int64_t)((double)p / points->n * (double)train->rows);
  PetscCall(PetscMalloc1(points->n * (r + d), &of));
  PetscCall(TrainRowsFetch(comm, train, r, d, points->n, row, of));
  for (int p = 0; p < points->n; p++) {
    double anywhere[SCORIA_MAX_CONDITIONS];
    rng_uniform(m->seed, SCORIA_STREAM_CALIBRATION, (uint64_t)p, 0, d, anywhere);
    for (int j = 0; j < d; j++) {
      const bool varies = space->c[j].lo < space->c[j].hi, of_row = p % EVERY_ROW == 0;
      points->u[p * d + j] = of_row ? (double)of[p * (r + d) + r + j] : varies ? 2 * anywhere[j] - 1 : 0;
    }
  }
  PetscCall(PetscFree(of));
  PetscFunctionReturn(0);
}

PetscErrorCode CalibrationPointsDestroy(CalibrationPoints *points)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(points->u));
  PetscFunctionReturn(0);
}

void calibration_noise(uint64_t seed, const CalibrationPoints *points, const CalibrationTile *tile, uint32_t draw,
                       int n, float noise[])
{
  const int64_t before = points->n + (tile->point * TILES_MOST + tile->number) * MODEL_TILE;
  for (int i = 0; i < MODEL_TILE; i += 2) {
    float *first = noise + (size_t)i * (size_t)n;
    rng_normalf(seed, SCORIA_STREAM_CALIBRATION, (uint64_t)(before + i), draw, n, first);
    for (int k = 0; k < n; k++) first[n + k] = -first[k];
  }
}

/* Who sees tiles, and buffers of one. */
typedef struct {
  ScoriaModel model; /* borrowed, as are the next and ctx */
  const CalibrationPoints *points;
  CalibrationVisit visit;
  void *ctx;
  float *noise, *y, *work; /* owned (MODEL_TILE, r), (MODEL_TILE, r), the sampler's */
} Draws;

static void draw_point(const Draws *draws, int64_t p)
{
  const ScoriaModel m           = draws->model;
  const int r                   = m->spec.r;
  const double *u               = draws->points->u + p * m->spec.d;
  const uint64_t id[MODEL_TILE] = {0};
  ScoriaSamplerOptions opt      = sampling;
  ModelAt at                    = {.model = m};
  const ScoriaDenoiser den      = {r, &at, model_denoise};
  opt.kind                      = sampler_of(m)->name;
  opt.process                   = m->process.row;
  opt.noise                     = draws->noise;
  for (int j = 0; j < m->spec.d; j++) at.u[j] = (float)u[j];
  for (int t = 0; t < draws->points->tiles; t++) {
    const CalibrationTile tile = {p, t, u, draws->y};
    calibration_noise(m->seed, draws->points, &tile, 0, r, draws->noise);
    sampler_of(m)->run(&opt, &den, MODEL_TILE, id, draws->work, draws->y);
    draws->visit(draws->ctx, m, &tile);
  }
}

/* Points of this rank in rounds, after which all look whether to stop; run may be NULL. */
static PetscErrorCode DrawPoints(MPI_Comm comm, ScoriaRun run, const char *what, const Draws *draws)
{
  const int64_t points = draws->points->n;
  ScoriaPace pace      = {.run = run, .step = 1, .most = points};
  ScoriaProgress bar   = NULL;
  int64_t first, number, longest;
  int rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  deal_block(points, 0, size, &first, &longest);
  deal_block(points, rank, size, &first, &number);
  if (run) PetscCall(ScoriaProgressCreate(run, what, "conditions", points, &bar));
  for (int64_t done = 0, end; done < longest; done = end) {
    if (run) PetscCall(ScoriaPaceMeet(&pace, "the training is kept at its last step"));
    end = PetscMin(done + pace.step, longest);
    for (int64_t i = done; i < PetscMin(end, number); i++) {
      draw_point(draws, first + i);
      if (run) PetscCall(ScoriaProgressUpdate(bar, (double)((i + 1) * points) / (double)number, NULL));
    }
  }
  if (run) PetscCall(ScoriaProgressDestroy(&bar));
  PetscFunctionReturn(0);
}

PetscErrorCode CalibrationDraw(MPI_Comm comm, ScoriaRun run, ScoriaModel m, const char *what,
                               const CalibrationPoints *points, CalibrationVisit visit, void *ctx)
{
  const size_t tile = MODEL_TILE * (size_t)m->spec.r;
  Draws draws       = {.model = m, .points = points, .visit = visit, .ctx = ctx};
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(tile, &draws.noise, tile, &draws.y, sampler_work_floats(MODEL_TILE, m->spec.r), &draws.work));
  PetscCall(DrawPoints(comm, run, what, &draws));
  PetscCall(PetscFree3(draws.noise, draws.y, draws.work));
  PetscFunctionReturn(0);
}

PetscErrorCode CalibrationRegress(const NormPoly *poly, const CalibrationPoints *points, int q, const double Y[],
                                  double coef[])
{
  const int terms = poly->terms;
  double *X, *G, trace = 0;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(points->n * terms, &X, terms * terms, &G));
  for (int p = 0; p < points->n; p++) norm_poly_values(poly, points->u + p * poly->d, X + p * terms);
  la_gemm(true, false, terms, terms, points->n, 1, X, terms, X, terms, 0, G, terms);
  la_gemm(true, false, terms, q, points->n, 1, X, terms, Y, q, 0, coef, q);
  for (int i = 0; i < terms; i++) trace += G[i * terms + i];
  for (int i = 0; i < terms; i++) G[i * terms + i] += RIDGE * trace / terms;
  PetscCheck(la_cholesky(terms, G), PETSC_COMM_SELF, PETSC_ERR_PLIB, "regression of %d terms", terms);
  la_cholesky_solve(terms, G, q, coef);
  PetscCall(PetscFree2(X, G));
  PetscFunctionReturn(0);
}

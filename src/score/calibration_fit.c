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
 * the least error is n / (n + n0), and n0 is measured (benchmarks/few_rows.md). */
#include "calibration_fit.h"
#include "scoria/run_files.h"
#include "train_rows.h"
#include <math.h>
#include <string.h>

enum { CHUNK_ROWS = 4096 }; /* of the training set at a time */
#define SHARE_ROWS 2048.    /* n0: of so many rows a half is kept */

/* ------------------------------------------------------------------------------------------- what the rows say ---- */

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
  PetscCall(CalibrationTargets(&sums, c));
  PetscCall(Moves(&sums, c, moves));
  PetscCall(PetscFree3(sums.xx, sums.xy, sums.yy));
  PetscFunctionReturn(0);
}

PetscErrorCode CalibrationFit(MPI_Comm comm, ScoriaRun run, ScoriaModel m, const TrainData *train, Calibration *c,
                              CalibrationMoves *moves)
{
  PetscFunctionBeginUser;
  PetscCall(CalibrationMeasure(comm, run, m, train, c));
  if (!c->from) PetscFunctionReturn(0);
  PetscCall(Calibrate(comm, train, c, moves));
  /* Rank 0's, so that unlike processors agree. */
  PetscCall(ScoriaBroadcastMany(comm, 0, (int64_t)c->poly.terms * 2 * c->r, MPI_DOUBLE, c->from));
  PetscCall(ScoriaBroadcastMany(comm, 0, (int64_t)c->poly.terms * 2 * c->r, MPI_DOUBLE, c->to));
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

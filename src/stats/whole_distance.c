/* Laws of and distances between samples of whole fields, from the numbers of their rows. */
#include "whole.h"
#include "sort.h"
#include "distances.h"
#include <math.h>
#include <string.h>

PetscErrorCode TakeBlock(int64_t n, int size, const double rows[], int first, int width, double **out)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)n * width, out));
  for (int64_t i = 0; i < n; i++)
    memcpy(*out + (size_t)i * width, rows + (size_t)i * size + first, (size_t)width * sizeof(double));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaFeaturesMeans(ScoriaFeatures f, int64_t n, const double rows[], double **means)
{
  PetscFunctionBeginUser;
  PetscCall(TakeBlock(n, f->size, rows, f->means, f->columns, means));
  PetscFunctionReturn(0);
}

/* One number of all rows, ascending. */
static void take_sorted(ScoriaFeatures f, int64_t n, const double rows[], int at, double out[], double work[])
{
  for (int64_t i = 0; i < n; i++) out[i] = rows[(size_t)i * f->size + at];
  sort_ascending(n, out, work);
}

/* ---------------------------------------------------------------------------------------------------- laws ---- */

/* Between which order statistics quantile p lies: the normal approximation to the binomial number below it. */
static void quantile_interval(int64_t n, const double sorted[], double p, double *low, double *high)
{
  const double half = 1.96 * sqrt((double)n * p * (1 - p)), middle = (double)n * p;
  *low  = sorted[PetscClipInterval((int64_t)floor(middle - half), 0, n - 1)];
  *high = sorted[PetscClipInterval((int64_t)ceil(middle + half), 0, n - 1)];
}

static void hot_law(int64_t n, const double sorted[], ScoriaHotLaw *law)
{
  stats_moments(n, 1, sorted, &law->mean, &law->sd);
  law->q01 = stats_quantile(n, sorted, 0.01);
  law->q99 = stats_quantile(n, sorted, 0.99);
  quantile_interval(n, sorted, 0.01, &law->q01_low, &law->q01_high);
  quantile_interval(n, sorted, 0.99, &law->q99_low, &law->q99_high);
}

PetscErrorCode ScoriaWholeLawTake(ScoriaFeatures f, int64_t n, const double rows[], ScoriaWholeLaw *law)
{
  double *sorted, *work;
  PetscFunctionBeginUser;
  memset(law, 0, sizeof *law);
  PetscCall(PetscMalloc2(n, &sorted, n, &work));
  for (int c = 0; c < f->of.channels; c++) {
    for (int h = 0; h < SCORIA_NHOT; h++) {
      take_sorted(f, n, rows, f->hot + c * SCORIA_NHOT + h, sorted, work);
      hot_law(n, sorted, &law->hot[c][h]);
    }
    for (int64_t i = 0; i < n; i++)
      for (int b = 0; b < f->bins; b++)
        law->spectrum[c][b] += rows[(size_t)i * f->size + f->spectrum + c * f->bins + b] / (double)n;
  }
  PetscCall(PetscFree2(sorted, work));
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------- distances ---- */

/* SD of every (channel, x) over rows and lateral places; 0 where its spread is round-off. */
static PetscErrorCode ColumnScales(ScoriaFeatures f, int64_t n, const double rows[], double sd[])
{
  double *means, *centre;
  PetscFunctionBeginUser;
  PetscCall(TakeBlock(n, f->size, rows, f->means, f->columns, &means));
  PetscCall(PetscMalloc1(f->columns, &centre));
  stats_moments(n, f->columns, means, centre, sd);
  for (int j = 0; j < f->columns; j++) {
    double within = 0;
    for (int64_t i = 0; i < n; i++) within += rows[(size_t)i * f->size + f->spread + j] / (double)n;
    sd[j] = sqrt(sd[j] * sd[j] + within);
    if (sd[j] <= 1e-9 * fabs(centre[j])) sd[j] = 0;
  }
  PetscCall(PetscFree(means));
  PetscCall(PetscFree(centre));
  PetscFunctionReturn(0);
}

/* Projections of n rows on unit direction d of the scaled columns, ascending. */
static void project_rows(ScoriaFeatures f, int64_t n, const double rows[], int d, const double sd[], double out[],
                         double work[])
{
  double norm = 0;
  for (int j = 0; j < f->columns; j++)
    if (sd[j] > 0) norm += f->square[(size_t)d * f->columns + j];
  norm = sqrt(norm);
  for (int64_t i = 0; i < n; i++) {
    const double *p = rows + (size_t)i * f->size + f->projections + (size_t)d * f->columns;
    out[i]          = 0;
    for (int j = 0; j < f->columns; j++)
      if (sd[j] > 0) out[i] += p[j] / (sd[j] * norm);
  }
  sort_ascending(n, out, work);
}

/* Room for a sorted number of every row of both samples. */
typedef struct {
  int64_t na, nb;
  const double *a, *b;  /* borrowed (na, size), (nb, size) */
  double *x, *y, *work; /* owned (na), (nb), the longer of the two */
} Two;

static PetscErrorCode SlicedDistance(ScoriaFeatures f, const Two *t, double *distance)
{
  double *sd;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(f->columns, &sd));
  PetscCall(ColumnScales(f, t->nb, t->b, sd));
  *distance = 0;
  for (int d = 0; d < f->of.directions; d++) {
    project_rows(f, t->na, t->a, d, sd, t->x, t->work);
    project_rows(f, t->nb, t->b, d, sd, t->y, t->work);
    *distance += stats_wasserstein1(t->na, t->x, t->nb, t->y) / f->of.directions;
  }
  PetscCall(PetscFree(sd));
  PetscFunctionReturn(0);
}

static void hot_distances(ScoriaFeatures f, const Two *t, ScoriaWholeDistance *d)
{
  for (int c = 0; c < f->of.channels; c++)
    for (int h = 0; h < SCORIA_NHOT; h++) {
      double mean, sd;
      take_sorted(f, t->na, t->a, f->hot + c * SCORIA_NHOT + h, t->x, t->work);
      take_sorted(f, t->nb, t->b, f->hot + c * SCORIA_NHOT + h, t->y, t->work);
      stats_moments(t->nb, 1, t->y, &mean, &sd);
      const double w1 = stats_wasserstein1(t->na, t->x, t->nb, t->y);
      d->w1[c][h]     = scoria_hot[h].place ? w1 / f->grid[c].length[0] : w1 > 0 ? w1 / sd : 0;
    }
}

/* Over the bins of most variance that hold 99 % of it together. */
static double spectrum_error(int bins, const double a[], const double b[])
{
  bool taken[SCORIA_FEATURE_BINS] = {false};
  double all = 0, held = 0, error = 0;
  for (int k = 0; k < bins; k++) all += b[k];
  while (held < 0.99 * all) {
    int most = -1;
    for (int k = 0; k < bins; k++)
      if (!taken[k] && (most < 0 || b[k] > b[most])) most = k;
    if (most < 0) break;
    taken[most] = true;
    held += b[most];
    error = PetscMax(error, fabs(a[most] / b[most] - 1));
  }
  return error;
}

static PetscErrorCode SpectrumErrors(ScoriaFeatures f, const Two *t, ScoriaWholeDistance *d)
{
  ScoriaWholeLaw *law;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(2, &law));
  PetscCall(ScoriaWholeLawTake(f, t->na, t->a, &law[0]));
  PetscCall(ScoriaWholeLawTake(f, t->nb, t->b, &law[1]));
  for (int c = 0; c < f->of.channels; c++)
    d->spectrum[c] = spectrum_error(f->bins, law[0].spectrum[c], law[1].spectrum[c]);
  PetscCall(PetscFree(law));
  PetscFunctionReturn(0);
}

/* All distances of one block of columns. */
static PetscErrorCode BlockDistance(ScoriaFeatures f, const Two *t, int first, int width, ScoriaDistance *d)
{
  double *a, *b;
  PetscFunctionBeginUser;
  PetscCall(TakeBlock(t->na, f->size, t->a, first, width, &a));
  PetscCall(TakeBlock(t->nb, f->size, t->b, first, width, &b));
  PetscCall(ScoriaDistanceCompute(t->na, a, t->nb, b, width, f->of.seed, f->of.directions, d));
  PetscCall(PetscFree(a));
  PetscCall(PetscFree(b));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaWholeDistanceCompute(ScoriaFeatures f, int64_t na, const double a[], int64_t nb, const double b[],
                                          ScoriaWholeDistance *d)
{
  Two t = {.na = na, .nb = nb, .a = a, .b = b};
  PetscFunctionBeginUser;
  memset(d, 0, sizeof *d);
  PetscCall(PetscMalloc3(na, &t.x, nb, &t.y, PetscMax(na, nb), &t.work));
  PetscCall(BlockDistance(f, &t, 0, FEATURE_PLACES * f->columns, &d->places));
  PetscCall(BlockDistance(f, &t, f->means, f->columns, &d->means));
  PetscCall(SlicedDistance(f, &t, &d->places.sliced_w));
  hot_distances(f, &t, d);
  PetscCall(SpectrumErrors(f, &t, d));
  PetscCall(PetscFree3(t.x, t.y, t.work));
  PetscFunctionReturn(0);
}

/* How far the mean is off at conditions left out of its fit, where these are few and their rows many: then what it
 * misses is not the noise of rows, which more of them would lower, but the trend between conditions, and the spreads do
 * not have it in them.
 *
 * A tenth of the conditions is left out at a time, one where there are ten or fewer, terms being chosen anew.  Of a
 * piece of n rows with mean square S2 about its own mean, (d^2 (n - 3) / n) / S2 - 1 / n has the expected value of the
 * squared error of the mean in SD there, d being the deviation of its own mean, for normal rows. */
#include "scoria/run_files.h"
#include "normaliser_fit.h"
#include "tile_sum.h"
#include <math.h>
#include <string.h>

#define FOLDS 10
#define LEAST_SHARE 1e-6 /* of the largest variance of a channel: less does not vary */

/* Squared error of the mean in SD at a piece, deviation (m) and S2 (m), on average over the elements that vary. */
static double squared_error(const NormProfile norm, double n, const double deviation[], const double S2[])
{
  double sum = 0;
  int count  = 0;
  for (int c = 0; c < norm->C; c++) {
    double most = 0;
    for (int j = c * norm->L; j < (c + 1) * norm->L; j++) most = PetscMax(most, S2[j]);
    for (int j = c * norm->L; j < (c + 1) * norm->L; j++)
      if (S2[j] > LEAST_SHARE * most) sum += deviation[j] * deviation[j] * (n - 3) / (n * S2[j]) - 1 / n, count++;
  }
  return count ? PetscMin(sum / count, 1e9) : 0; /* what a tile's sum can take */
}

/* Adds squared errors and numbers of the pieces without weight w to a sum; coef (terms, m): of the others. */
static PetscErrorCode AddErrors(NormData *data, const NormMoments *s, const double w[], const double coef[],
                                TileSum *sum)
{
  const NormProfile norm = data->norm;
  const int m = norm->m, p = norm->mean.terms;
  double *deviation;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(m, &deviation));
  for (int t = 0; t < data->tiles.tiles; t++)
    for (int64_t i = data->start[t]; i < data->start[t] + data->fitted[t]; i++) {
      if (w[i] > 0 || !norm_knows_mean(data, i)) continue;
      for (int j = 0; j < m; j++) {
        deviation[j] = s->mean[i * m + j];
        for (int k = 0; k < p; k++) deviation[j] -= data->mean_X[i * p + k] * coef[(size_t)k * m + j];
      }
      tile_sum_add(sum, 0, 2, (const double[]){squared_error(norm, data->good[i], deviation, s->S2 + i * m), 1});
    }
  PetscCall(PetscFree(deviation));
  PetscFunctionReturn(0);
}

/* w (slots): rows of the pieces, 0 of those of a fold; any: it has one, of any rank. */
static PetscErrorCode LeaveOut(const NormData *data, int fold, double w[], bool *any)
{
  ScoriaShuffle shuffle;
  int left = 0;
  PetscFunctionBeginUser;
  rng_shuffle(0, SCORIA_STREAM_VALIDATION, UINT64_MAX - 2, data->conditions, &shuffle);
  for (int t = 0; t < data->tiles.tiles; t++)
    for (int64_t i = data->start[t]; i < data->start[t] + data->fitted[t]; i++) {
      const bool out = rng_shuffled(&shuffle, norm_condition(data, t, i)) % FOLDS == fold;
      w[i]           = out ? 0 : data->good[i];
      left           = left || out;
    }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &left, 1, MPI_INT, MPI_MAX, data->in.comm));
  *any = left;
  PetscFunctionReturn(0);
}

static PetscErrorCode Tell(const NormData *data, const int levels[])
{
  const NormProfile norm = data->norm;
  char off[32]           = "null";
  PetscFunctionBeginUser;
  if (!data->in.run) PetscFunctionReturn(0);
  if (norm->left_out >= 0) snprintf(off, sizeof off, "%.4g", norm->left_out);
  PetscCall(ScoriaLog(data->in.run, LOG_LEFT_OUT, "\"" LOG_MEAN_OFF "\":%s,\"" LOG_CONDITIONS "\":%lld", off,
                      (long long)data->n));
  if (norm->left_out > LOG_MEAN_FAR_OFF)
    PetscCall(ScoriaSay(data->in.run,
                        "  WARNING: means are off by about %.2g SD at conditions left out of their fit, ends of the "
                        "ranges among them: %lld conditions "
                        "do not tell the trend between them; further conditions would, further rows of these do not",
                        norm->left_out, (long long)data->n));
  for (int j = 0; j < norm->d && data->few; j++)
    if (levels[j] == 2)
      PetscCall(ScoriaSay(data->in.run,
                          "  WARNING: %s takes two values: that means change in proportion between them is assumed, "
                          "and nothing here tells whether they do",
                          norm->space.c[norm->vary[j]].name));
  PetscFunctionReturn(0);
}

PetscErrorCode NormLeftOut(NormData *data, const ScoriaNormaliserOptions *opt, const int levels[], NormMoments *s)
{
  double *w, total[2] = {0, 0};
  NormDesign design;
  TileSum sum;
  PetscFunctionBeginUser;
  data->norm->left_out = NAN;
  norm_design(data, data->norm->mean.terms, data->mean_X, data->norm->m, &design);
  PetscCall(TileSumCreate(data->in.comm, 2, &sum));
  PetscCall(PetscCalloc1(data->start[data->tiles.tiles] + 1, &w));
  design.w = w;
  for (int fold = 0; fold < FOLDS && data->few; fold++) {
    bool any = false;
    PetscCall(LeaveOut(data, fold, w, &any));
    if (!any) continue;
    PetscCall(NormFitMean(data, opt, &design, s->mean, s->mean_coef));
    PetscCall(AddErrors(data, s, w, s->mean_coef, &sum));
  }
  PetscCall(TileSumTake(&sum, total));
  PetscCall(NormShare(data->in.comm, 2, total));
  if (total[1] > 0) data->norm->left_out = sqrt(PetscMax(total[0] / total[1], 0));
  PetscCall(PetscFree(w));
  PetscCall(TileSumDestroy(&sum));
  PetscCall(Tell(data, levels));
  PetscFunctionReturn(0);
}

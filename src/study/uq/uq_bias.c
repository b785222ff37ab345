/* uq of a model: the biases of its estimates, as compare has found them over its own conditions.  The standard errors
 * of uq are those of its draws alone. */
#include "uq.h"
#include <math.h>
#include <stdio.h>

const ScoriaUqBias uq_no_bias = {NAN, NAN, NAN, NAN, NAN, NAN, NAN};

enum { SIGNED, UPPER, ERROR, PARTS };

/* The arrays of compare.h5, of the model and of its Gaussian. */
static const char *const paths[PARTS][2] = {[SIGNED] = {COMPARE_WORTH_SIGNED, COMPARE_WORTH_GAUSSIAN_SIGNED},
                                            [UPPER]  = {COMPARE_WORTH_BIAS, COMPARE_WORTH_GAUSSIAN_BIAS},
                                            [ERROR]  = {COMPARE_WORTH_ERROR, COMPARE_WORTH_GAUSSIAN_ERROR}};

/* Where the numbers of an estimate stand in a ScoriaUqBias; NULL: it has no place for one. */
static double *bias_at(ScoriaUqBias *bias, int estimate, int part)
{
  double *const at[SCORIA_NESTIMATES][PARTS] = {
      [SCORIA_ESTIMATE_MEAN] = {&bias->mean_bias, &bias->mean_bias_upper, &bias->mean_bias_se},
      [SCORIA_ESTIMATE_SD]   = {&bias->sd_bias, &bias->sd_bias_upper},
      [SCORIA_ESTIMATE_Q975] = {&bias->q975_bias, &bias->q975_bias_upper}};
  return at[estimate][part];
}

/* The numbers of one array of compare.h5 to those quantities of q that it knows; files before lack some. */
static PetscErrorCode Take(ScoriaStore store, int part, bool gaussian, const char *names, const UqQuestion *q,
                           UqBiases *biases)
{
  const char *path = paths[part][gaussian];
  int64_t dims[2];
  double *all;
  int rank;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreShape(store, path, 2, &rank, dims));
  if (rank != 2 || dims[1] != SCORIA_NESTIMATES || dims[0] < 1) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(dims[0] * SCORIA_NESTIMATES, &all));
  PetscCall(ScoriaStoreGetReals(store, path, dims[0] * SCORIA_NESTIMATES, all));
  for (int i = 0; i < q->nquantities; i++) {
    const int64_t row = uq_compared_find(names, &q->quantity[i]);
    for (int e = 0; row >= 0 && row < dims[0] && e < SCORIA_NESTIMATES; e++) {
      double *at = bias_at(&biases->of[i], e, part);
      if (at) *at = all[row * SCORIA_NESTIMATES + e];
    }
  }
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeAll(ScoriaStore store, const UqQuestion *q, bool gaussian, UqBiases *biases)
{
  char *names = NULL;
  bool has;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreHas(store, COMPARE_WORTH_QUANTITIES, &has));
  if (!has) {
    biases->why = "compare.h5 has none: it is of an earlier release";
    PetscFunctionReturn(0);
  }
  PetscCall(UqComparedNames(store, COMPARE_WORTH_QUANTITIES, COMPARE_WORTH_EXPRESSIONS, &names));
  for (int part = 0; part < PARTS; part++) PetscCall(Take(store, part, gaussian, names, q, biases));
  PetscCall(PetscFree(names));
  PetscFunctionReturn(0);
}

PetscErrorCode UqBiasesRead(ScoriaRun run, ScoriaDeck deck, const UqQuestion *q, bool gaussian, UqBiases **biases)
{
  ScoriaStore store;
  bool imported;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(biases));
  PetscCall(ScoriaImported(deck, &imported));
  (*biases)->whose = imported ? "data" : "PDE";
  for (int i = 0; i < UQ_MAX_QUANTITIES; i++) (*biases)->of[i] = uq_no_bias;
  PetscCall(UqComparedOpen(run, deck, q->made.model, gaussian, &store, &(*biases)->why));
  if (!store) PetscFunctionReturn(0);
  PetscCall(TakeAll(store, q, gaussian, *biases));
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

bool uq_compared_at(const UqQuestion *q, int k)
{
  for (int i = 0; i < q->space->n; i++)
    if (!condition_inside(&q->space->c[i], q->theta[k * q->space->n + i])) return false;
  return true;
}

void uq_bias_text(const ScoriaUqBias *bias, size_t size, char text[])
{
  if (isnan(bias->mean_bias_upper) && isfinite(bias->mean_bias_se))
    snprintf(text, size, "%+.2g +-%.2g", bias->mean_bias, bias->mean_bias_se);
  else if (isnan(bias->mean_bias_upper))
    snprintf(text, size, "not checked");
  else if (isnan(bias->mean_bias))
    snprintf(text, size, "(<%.2g)", bias->mean_bias_upper);
  else
    snprintf(text, size, "%+.2g (<%.2g)", bias->mean_bias, bias->mean_bias_upper);
}

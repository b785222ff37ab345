/* Biases of the estimates of the numbers that are judged, over the conditions: of the model and of its Gaussian. */
#include "compare.h"
#include <math.h>

/* Pools one estimate of one quantity, of the model or its Gaussian; false, and NaN, where the quantity does not vary.
 */
static bool pool(const ComparisonSet *set, ScoriaFrom from, int quantity, int estimate, ScoriaEstimates work[],
                 ScoriaBias *bias)
{
  ScoriaEstimates *reference = work + set->held;
  for (int k = 0; k < set->held; k++) {
    work[k]      = (from == SCORIA_FROM_GAUSSIAN ? set->c[k].gaussian : set->c[k].sample)[quantity];
    reference[k] = set->c[k].reference[quantity];
  }
  return bias_pool(set->held, work, reference, estimate, bias);
}

PetscErrorCode CompareBiasesOfConditions(const ComparisonSet *set, const CompareQuantities *quantities,
                                         CompareBiases *biases)
{
  ScoriaEstimates *work;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(2 * set->held, &work));
  for (int i = 0; i < quantities->tails; i++)
    for (int e = 0; e < SCORIA_NESTIMATES; e++) {
      CompareBias *bias = &biases->of[i][e];
      bias->varies      = pool(set, SCORIA_FROM_MODEL, i, e, work, &bias->model);
      (void)pool(set, SCORIA_FROM_GAUSSIAN, i, e, work, &bias->gaussian);
    }
  PetscCall(PetscFree(work));
  PetscFunctionReturn(0);
}

typedef enum { PART_MEAN, PART_UPPER, PART_ERROR } Part;

/* A number of every bias of the model or its Gaussian; NaN where a quantity does not vary.  Standard errors are not
 * written where there are none. */
static PetscErrorCode PutOne(ScoriaStore store, int n, const CompareBiases *biases, bool gaussian, Part part,
                             const char *path, const char *what)
{
  double all[COMPARE_MAX_TAILS][SCORIA_NESTIMATES];
  bool any = part != PART_ERROR;
  PetscFunctionBeginUser;
  for (int i = 0; i < n; i++)
    for (int e = 0; e < SCORIA_NESTIMATES; e++) {
      const ScoriaBias *bias = gaussian ? &biases->of[i][e].gaussian : &biases->of[i][e].model;
      all[i][e]              = part == PART_MEAN ? bias->bias : part == PART_UPPER ? bias->upper : bias->se;
      any                    = any || isfinite(all[i][e]);
    }
  if (!any) PetscFunctionReturn(0);
  PetscCall(ScoriaStorePutReals(store, path, 2, (const int64_t[]){n, SCORIA_NESTIMATES}, all[0], "1", what));
  PetscCall(ScoriaStorePutAxes(store, path, "judged_quantity estimate"));
  PetscFunctionReturn(0);
}

PetscErrorCode ComparePutBiases(ScoriaStore store, const CompareQuantities *quantities, const CompareBiases *biases)
{
  char names[COMPARE_MAX_TAILS * SCORIA_NAME_SIZE], own[COMPARE_MAX_OWN * sizeof(ScoriaQuantity)];
  PetscFunctionBeginUser;
  compare_quantity_names(quantities, sizeof names, names, sizeof own, own);
  PetscCall(ScoriaStorePutText(store, COMPARE_WORTH_QUANTITIES, names));
  if (*own) PetscCall(ScoriaStorePutText(store, COMPARE_WORTH_EXPRESSIONS, own));
  PetscCall(PutOne(store, quantities->tails, biases, false, PART_MEAN, COMPARE_WORTH_SIGNED,
                   "of the model's mean, SD and 97.5 % quantile of each of worth_quantities (and "
                   "worth_expressions), mean over the conditions, in SDs"));
  PetscCall(PutOne(store, quantities->tails, biases, true, PART_MEAN, COMPARE_WORTH_GAUSSIAN_SIGNED,
                   "the same of the model's Gaussian"));
  PetscCall(PutOne(store, quantities->tails, biases, false, PART_UPPER, COMPARE_WORTH_BIAS,
                   "of the model's mean, SD and 97.5 % quantile of each of worth_quantities (and "
                   "worth_expressions), rms over the conditions, which the draws do not exclude, in SDs"));
  PetscCall(PutOne(store, quantities->tails, biases, true, PART_UPPER, COMPARE_WORTH_GAUSSIAN_BIAS,
                   "the same of the model's Gaussian"));
  PetscCall(PutOne(store, quantities->tails, biases, false, PART_ERROR, COMPARE_WORTH_ERROR,
                   "standard errors of worth/bias over the conditions, where rows were judged as residuals"));
  PetscCall(PutOne(store, quantities->tails, biases, true, PART_ERROR, COMPARE_WORTH_GAUSSIAN_ERROR,
                   "the same of the model's Gaussian"));
  PetscFunctionReturn(0);
}

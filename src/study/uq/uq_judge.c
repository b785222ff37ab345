/* uq, source auto: whether a model, and its Gaussian, may answer.  Both are held to what compare has found of them in
 * the run directory: never where the bias that it does not exclude exceeds the tolerance, nor for what it has not seen.
 */
#include "uq.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define EDGE 0.025 /* probability of the outer quantile that compare judges */

/* What compare has found of the numbers of a field by one source. */
typedef struct {
  char *names; /* owned: a line of each */
  int64_t n;
  double *upper; /* owned (n, SCORIA_NESTIMATES) */
  double ratio;  /* of the times of a sample and of a solve */
} Judged;

static PetscErrorCode Destroy(Judged *j)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(j->names));
  PetscCall(PetscFree(j->upper));
  PetscFunctionReturn(0);
}

/* `bias`, `seconds`: what the source's are called in compare.h5. */
static PetscErrorCode Read(ScoriaStore store, const char *bias, const char *seconds, Judged *j, const char **why)
{
  double pde, sample;
  int64_t dims[2];
  int rank;
  bool has;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreHas(store, seconds, &has));
  *why = has ? NULL : "compare.h5 is of an earlier release; move it away and run compare again";
  if (!has) PetscFunctionReturn(0);
  PetscCall(UqComparedNames(store, COMPARE_WORTH_QUANTITIES, COMPARE_WORTH_EXPRESSIONS, &j->names));
  PetscCall(ScoriaStoreGetReal(store, COMPARE_WORTH_PDE, &pde));
  PetscCall(ScoriaStoreGetReal(store, seconds, &sample));
  j->ratio = sample / pde;
  PetscCall(ScoriaStoreShape(store, bias, 2, &rank, dims));
  if (rank != 2 || dims[1] != SCORIA_NESTIMATES || dims[0] < 1) {
    *why = "compare.h5 has no biases of its quantities";
    PetscFunctionReturn(0);
  }
  j->n = dims[0];
  PetscCall(PetscMalloc1(j->n * SCORIA_NESTIMATES, &j->upper));
  PetscCall(ScoriaStoreGetReals(store, bias, j->n * SCORIA_NESTIMATES, j->upper));
  PetscFunctionReturn(0);
}

/* The largest bias of a quantity that is not excluded, of what the tolerance is for; NAN: it was not judged. */
static double bias_of(const Judged *j, const UqQuestion *q, const ScoriaQuantity *quantity)
{
  const int64_t i = uq_compared_find(j->names, quantity);
  double bias     = NAN;
  for (int e = 0; i >= 0 && i < j->n && e < (q->means ? 1 : SCORIA_NESTIMATES); e++) {
    const double upper = j->upper[i * SCORIA_NESTIMATES + e];
    bias               = e == 0 || upper > bias || isnan(upper) ? upper : bias;
  }
  return bias;
}

static void judge_biases(const Judged *j, const UqQuestion *q, double tolerance, UqWay *way)
{
  way->bias = 0;
  for (int i = 0; i < q->nquantities && !*way->why; i++) {
    const char *name  = q->quantity[i].name;
    const double bias = bias_of(j, q, &q->quantity[i]);
    if (q->aside[i]) continue;
    if (isnan(bias)) snprintf(way->why, UQ_WHY, "compare has not checked %.40s", name);
    way->bias = bias > way->bias || isnan(bias) ? bias : way->bias;
    if (bias > tolerance)
      snprintf(way->why, UQ_WHY, "its bias in %.40s, up to %.2g SD by compare, exceeds the tolerance", name, bias);
  }
  for (int p = 0; p < q->nprobabilities && !q->means && !*way->why; p++)
    if (fmin(q->probability[p], 1 - q->probability[p]) < EDGE * (1 - 1e-9))
      snprintf(way->why, UQ_WHY, "compare checks no quantile as far out as %g", q->probability[p]);
}

/* Whether it has the fields and the conditions that are asked for. */
static void judge_shape(const UqQuestion *q, const ScoriaFieldShape *shape, UqWay *way)
{
  const ScoriaSpace *space = shape->space;
  bool same                = shape->channels == q->channels && shape->cells == q->cells && space->n == q->space->n;
  for (int a = 0; a < 3 && q->whole; a++) same = same && shape->shape[a] == q->n[a];
  if (!same) snprintf(way->why, UQ_WHY, "it has other fields or conditions than the deck's solves");
  for (int k = 0; k < q->conditions && !*way->why; k++)
    for (int i = 0; i < space->n; i++)
      if (!condition_inside(&space->c[i], q->theta[k * space->n + i]))
        snprintf(way->why, UQ_WHY, "condition %d is outside of its training ranges", k);
}

/* One of the two, by an open compare.h5. */
static PetscErrorCode JudgeOne(ScoriaStore store, const char *bias, const char *seconds, const UqQuestion *q,
                               double tolerance, UqWay *way)
{
  Judged j        = {.names = NULL};
  const char *why = NULL;
  PetscFunctionBeginUser;
  if (*way->why) PetscFunctionReturn(0);
  PetscCall(Read(store, bias, seconds, &j, &why));
  if (why)
    snprintf(way->why, UQ_WHY, "its bias is not checked: %s", why);
  else {
    way->seconds = j.ratio;
    judge_biases(&j, q, tolerance, way);
  }
  PetscCall(Destroy(&j));
  PetscFunctionReturn(0);
}

static PetscErrorCode JudgeOpened(ScoriaRun run, ScoriaDeck own, const UqQuestion *q, const ScoriaFieldShape *shape,
                                  double tolerance, UqWay *model, UqWay *gaussian)
{
  const char *why = NULL;
  ScoriaStore store;
  PetscFunctionBeginUser;
  judge_shape(q, shape, model);
  if (!*gaussian->why) judge_shape(q, shape, gaussian);
  if (*model->why && *gaussian->why) PetscFunctionReturn(0);
  PetscCall(UqComparedOpen(run, own, shape->model, false, &store, &why));
  if (store) {
    PetscCall(JudgeOne(store, COMPARE_WORTH_BIAS, COMPARE_WORTH_MODEL, q, tolerance, model));
    PetscCall(JudgeOne(store, COMPARE_WORTH_GAUSSIAN_BIAS, COMPARE_WORTH_GAUSSIAN, q, tolerance, gaussian));
    PetscCall(ScoriaStoreClose(&store));
    PetscFunctionReturn(0);
  }
  if (!*model->why) snprintf(model->why, UQ_WHY, "its bias is not checked: %s", why);
  if (!*gaussian->why) snprintf(gaussian->why, UQ_WHY, "its bias is not checked: %s", why);
  PetscFunctionReturn(0);
}

/* A model that cannot be opened is one that is not taken. */
static PetscErrorCode JudgeTrained(ScoriaRun run, ScoriaDeck own, const UqQuestion *q, UqChoice *choice)
{
  UqWay *model = &choice->way[UQ_WAY_MODEL], *gaussian = &choice->way[UQ_WAY_GAUSSIAN];
  ScoriaTrained trained       = {.model = NULL};
  ScoriaSource source         = NULL;
  const PetscErrorCode failed = ScoriaTrainedOpen(run, own, &trained);
  PetscFunctionBeginUser;
  if (failed && ScoriaFailureCode() != SCORIA_EXIT_INPUT) PetscFunctionReturn(failed);
  if (failed) {
    snprintf(model->why, UQ_WHY, "%s", ScoriaFailureLine());
    snprintf(gaussian->why, UQ_WHY, "there is no model that it is of");
    ScoriaFailureReset();
  } else {
    if (model_is_gaussian(trained.model)) snprintf(gaussian->why, UQ_WHY, "the model is the Gaussian");
    PetscCall(ScoriaSourceOfModel(ScoriaRunComm(run), &trained, false, &source));
    PetscCall(PetscStrncpy(choice->model, source_shape(source)->model, sizeof choice->model));
    PetscCall(JudgeOpened(run, own, q, source_shape(source), choice->tolerance, model, gaussian));
  }
  PetscCall(ScoriaSourceDestroy(&source));
  PetscCall(ScoriaTrainedClose(&trained));
  PetscFunctionReturn(0);
}

PetscErrorCode UqJudge(ScoriaRun run, ScoriaDeck deck, const UqQuestion *q, UqChoice *choice)
{
  UqWay *model = &choice->way[UQ_WAY_MODEL], *gaussian = &choice->way[UQ_WAY_GAUSSIAN];
  char path[PETSC_MAX_PATH_LEN];
  ScoriaDeck own;
  bool there;
  PetscFunctionBeginUser;
  *model = *gaussian = (UqWay){.seconds = NAN, .bias = NAN};
  PetscCall(ScoriaRunPath(run, "model.h5", sizeof path, path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, &there));
  if (!there) {
    snprintf(model->why, UQ_WHY, "there is no model.h5 in the run directory");
    *gaussian = *model;
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaDeckOfFile(run, deck, "model.h5", SCORIA_SAID_BY_MODEL, &own));
  PetscCall(JudgeTrained(run, own, q, choice));
  PetscCall(ScoriaDeckDestroy(&own));
  PetscFunctionReturn(0);
}

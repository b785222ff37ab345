/* uq of a model: its bias at each condition, from fresh solves there.
 *
 * Solves and samples are independent: the difference of their means is an unbiased estimate of the bias of the model's,
 * with the errors of both. */
#include "uq.h"
#include <math.h>

/* Fresh solves, and what they are asked. */
typedef struct {
  ScoriaEnsemble ens;  /* owned */
  ScoriaSource source; /* owned */
  UqDraws draws;       /* owned */
  double *
      values; /* owned (q.check, nquantities): of one condition, each row on the rank that drew it until it is shared */
} Check;

static PetscErrorCode Open(ScoriaRun run, ScoriaDeck deck, const UqQuestion *q, Check *c)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaNeedEquations(deck, "uq: check", "leave -uq_check out"));
  PetscCall(ScoriaEnsembleCreate(ScoriaRunComm(run), deck, &c->ens));
  PetscCall(ScoriaSourceOfPde(c->ens, &c->source));
  const ScoriaFieldShape *shape = source_shape(c->source);
  if (shape->channels != q->channels || shape->cells != q->cells)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: check: the deck's solves have %d fields of %d cells, the model %d of %d",
                shape->channels, shape->cells, q->channels, q->cells);
  PetscCall(UqDrawsCreate(q, c->source, &c->draws));
  PetscCall(PetscMalloc1(q->check * q->nquantities, &c->values));
  PetscFunctionReturn(0);
}

static PetscErrorCode Close(Check *c)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(c->values));
  PetscCall(UqDrawsDestroy(&c->draws));
  PetscCall(ScoriaSourceDestroy(&c->source));
  PetscCall(ScoriaEnsembleDestroy(&c->ens));
  PetscFunctionReturn(0);
}

static PetscErrorCode SolveOne(const UqQuestion *q, Check *c, int k, int64_t i)
{
  PetscFunctionBeginUser;
  PetscCall(UqDraw(&c->draws, q->theta + k * q->space->n, draw_part(SCORIA_DRAWS_UQ, k, SCORIA_DRAWS_PARTS - 1, i), 1));
  if (source_workers(c->source)->leads) uq_take(&c->draws, c->draws.fields, c->values + i * q->nquantities);
  PetscFunctionReturn(0);
}

/* The solves of condition k, dealt in turn, on every rank. */
static PetscErrorCode SolveAll(UqKeeper *keeper, const UqQuestion *q, Check *c, int k)
{
  const ScoriaTeam *all = &source_workers(c->source)->all;
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(c->values, q->check * q->nquantities));
  for (int64_t first = 0; first < q->check; first += all->workers) {
    const int64_t i       = first + all->worker;
    PetscErrorCode failed = 0;
    PetscCall(UqPause(keeper, q->conditions, q->base));
    if (all->worker < all->workers && i < q->check) failed = SolveOne(q, c, k, i);
    PetscCall(ScoriaAgreeFailed(all->comm, failed));
  }
  PetscCall(UqCheckDefined(&c->draws, all->comm));
  /* bits, of which every double has one writer */
  PetscCall(ScoriaReduceMany(all->comm, MPI_BOR, q->check * q->nquantities, MPI_UINT64_T, c->values));
  PetscFunctionReturn(0);
}

#define ROUNDING 1e-12 /* of a constant's size: what sums of equal numbers leave, as uq_sobol takes it */

static double without_rounding(double difference, double size)
{
  return fabs(difference) > ROUNDING * fabs(size) ? difference : 0;
}

/* Of a quantity that varies in neither, the bias is 0 without an error, or what it is. */
static ScoriaUqCheck judge_quantity(int64_t solves, int64_t failed, double mean, double sd, double model,
                                    double model_se)
{
  const double pde_se = without_rounding(sd / sqrt((double)solves), mean);
  const double se     = hypot(pde_se, without_rounding(model_se, model));
  const double bias   = se > 0 ? model - mean : without_rounding(model - mean, mean);
  return (ScoriaUqCheck){solves, failed, mean, pde_se, bias, se, bias - 1.959964 * se, bias + 1.959964 * se};
}

static PetscErrorCode Judge(const UqQuestion *q, const Check *c, const UqAnswer *a, int k, ScoriaUqCheck check[])
{
  const int n = q->nquantities;
  double mean[UQ_MAX_QUANTITIES], sd[UQ_MAX_QUANTITIES];
  const int64_t good   = stats_keep_finite(q->check, n, c->values);
  const double *moment = a->value + (size_t)k * a->size + a->moments + q->m;
  char condition[UQ_CONDITION_TEXT];
  PetscFunctionBeginUser;
  uq_condition(q, k, sizeof condition, condition);
  if (good < 2)
    SCORIA_FAIL(SCORIA_EXIT_SOLVES, "uq: check: %s: %lld of %lld solves succeeded, expected at least 2", condition,
                (long long)good, (long long)q->check);
  stats_moments(good, n, c->values, mean, sd);
  for (int i = 0; i < n; i++)
    check[k * n + i] = judge_quantity(good, q->check - good, mean[i], sd[i], moment[i],
                                      moment[UQ_MEAN_SE * (size_t)a->columns + (size_t)i]);
  PetscFunctionReturn(0);
}

PetscErrorCode UqCheckModel(UqKeeper *keeper, const UqQuestion *q, const UqAnswer *a, ScoriaUqCheck **check)
{
  Check c;
  PetscFunctionBeginUser;
  *check = NULL;
  if (!q->check) PetscFunctionReturn(0);
  PetscCall(Open(keeper->run, keeper->deck, q, &c));
  PetscCall(PetscCalloc1((size_t)q->conditions * (size_t)q->nquantities, check));
  for (int k = 0; k < q->conditions; k++) {
    PetscCall(SolveAll(keeper, q, &c, k));
    PetscCall(Judge(q, &c, a, k, *check));
  }
  PetscCall(Close(&c));
  PetscFunctionReturn(0);
}

/* uq: fields of this rank at a condition. */
#include "question.h"
#include <math.h>
#include <string.h>

PetscErrorCode UqDrawsCreate(const UqQuestion *q, ScoriaSource source, UqDraws *d)
{
  PetscFunctionBeginUser;
  *d = (UqDraws){.q = q, .source = source};
  PetscCall(PetscArraycpy(d->quantity, q->quantity, q->nquantities));
  PetscCall(PetscMalloc1((size_t)q->tile * (size_t)q->m, &d->fields));
  if (q->whole) PetscCall(PetscCalloc1(q->channels * q->along, &d->means));
  PetscFunctionReturn(0);
}

PetscErrorCode UqDrawsDestroy(UqDraws *d)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(d->fields));
  PetscCall(PetscFree(d->means));
  PetscFunctionReturn(0);
}

void uq_draws_at(UqDraws *d, const double theta[])
{
  for (int i = 0; i < d->q->nquantities; i++)
    if (d->q->condition[i] >= 0) d->quantity[i].offset = theta[d->q->condition[i]];
  memcpy(d->theta, theta, (size_t)d->q->space->n * sizeof *theta);
}

PetscErrorCode UqDrawTo(UqDraws *d, const double theta[], uint64_t number, int64_t n, double fields[])
{
  PetscFunctionBeginUser;
  uq_draws_at(d, theta);
  PetscCall(ScoriaSourceDraw(d->source, theta, number, n, fields));
  fields_blank(n, d->q->channels, d->q->field, d->q->cells, fields);
  PetscFunctionReturn(0);
}

PetscErrorCode UqDraw(UqDraws *d, const double theta[], uint64_t number, int64_t n)
{
  PetscFunctionBeginUser;
  PetscCall(UqDrawTo(d, theta, number, n, d->fields));
  PetscFunctionReturn(0);
}

static bool all_finite(int n, const double x[])
{
  for (int i = 0; i < n; i++)
    if (!isfinite(x[i])) return false;
  return true;
}

/* Of whole fields, places along x are asked of their lateral means, extremes of all cells. */
static void take_plain(UqDraws *d, const double fields[], double quantities[])
{
  const UqQuestion *q = d->q;
  const int plain     = q->nquantities - q->derived;
  quantities_take(plain, d->quantity, q->cells, fields, quantities);
  if (!d->means) return;
  for (int c = 0; c < q->channels; c++) {
    int n[3];
    field_shape(&q->field[c], q->n, n);
    lateral_means(1, n, fields + (size_t)c * (size_t)q->cells, d->means + (size_t)c * (size_t)q->along);
  }
  for (int i = 0; i < plain; i++)
    if (d->quantity[i].kind == SCORIA_QUANTITY_AT)
      quantities_take(1, &d->quantity[i], q->along, d->means, &quantities[i]);
}

void uq_take(UqDraws *d, const double fields[], double quantities[])
{
  const UqQuestion *q = d->q;
  take_plain(d, fields, quantities);
  if (!q->expressions) return;
  uq_evaluate(q, d->theta, fields, d->means, quantities);
  if (all_finite(q->nquantities, quantities) || !all_finite(q->m, fields))
    return; /* a solve that failed has no fields */
  for (int k = q->nquantities - q->derived; k < q->nquantities; k++) d->undefined[k] += !isfinite(quantities[k]);
}

PetscErrorCode UqCheckDefined(UqDraws *d, MPI_Comm comm)
{
  const UqQuestion *q = d->q;
  PetscFunctionBeginUser;
  if (!q->expressions) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, d->undefined, q->nquantities, MPI_INT64_T, MPI_SUM, comm));
  for (int k = q->nquantities - q->derived; k < q->nquantities; k++)
    if (d->undefined[k])
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "uq: quantities: \"%s\" is infinite or no number for %lld of the fields drawn, expected a finite one",
                  q->quantity[k].name, (long long)d->undefined[k]);
  PetscFunctionReturn(0);
}

/* uq: fields of this rank at a condition. */
#include "uq.h"

PetscErrorCode UqDrawsCreate(const UqQuestion *q, ScoriaSource source, UqDraws *d)
{
  PetscFunctionBeginUser;
  *d = (UqDraws){.q = q, .source = source};
  PetscCall(PetscArraycpy(d->quantity, q->quantity, q->nquantities));
  PetscCall(PetscMalloc1(UQ_TILE * q->m, &d->fields));
  PetscFunctionReturn(0);
}

PetscErrorCode UqDrawsDestroy(UqDraws *d)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(d->fields));
  PetscFunctionReturn(0);
}

PetscErrorCode UqDraw(UqDraws *d, const double theta[], uint64_t number, int64_t n)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < d->q->nquantities; i++)
    if (d->q->condition[i] >= 0) d->quantity[i].offset = theta[d->q->condition[i]];
  PetscCall(ScoriaSourceDraw(d->source, theta, number, n, d->fields));
  PetscFunctionReturn(0);
}

void uq_take(const UqDraws *d, int64_t i, double quantities[])
{
  quantities_take(d->q->nquantities, d->quantity, d->q->cells, d->fields + i * d->q->m, quantities);
}

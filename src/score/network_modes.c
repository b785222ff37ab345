/* Network `modes`: a residual perceptron on the whitened coordinates; a sample is one token of r channels. */
#ifndef real
#include "net.h"
#include <math.h>
#include <string.h>

PetscErrorCode PlanModes(const ScoriaNetSpec *spec, NetPlan *plan)
{
  PetscFunctionBeginUser;
  plan->channels = spec->r;
  plan->span     = 1;
  plan->taps     = 1;
  plan_embed(plan);
  plan->Win = plan_tensor(plan, "in/W", 1 / sqrt((double)spec->r), 2, (const int64_t[]){spec->r, spec->width});
  plan->bin = plan_tensor(plan, "in/b", 0.3, 1, (const int64_t[]){spec->width});
  plan_trunk(plan);
  plan->Wout = plan_tensor(plan, "out/W", 0, 2, (const int64_t[]){spec->width, spec->r});
  plan->bout = plan_tensor(plan, "out/b", 0, 1, (const int64_t[]){spec->r});
  plan->x    = plan_work(plan, (int64_t)plan->max_batch * spec->r);
  PetscFunctionReturn(0);
}

#define BODY "network_modes.c"
#include "twice.h"
#else

void K(modes_forward)(const NetPlan *plan, const real param[], const real basis[], real work[], int B, const real x[],
                      const real label[], const real u[], bool shared, real F[])
{
  const int r = plan->r, W = plan->width;
  (void)basis;
  memcpy(work + plan->x, x, sizeof(real) * (size_t)B * (size_t)r);
  layers()->K(linear_forward)(work + plan->h, x, param + plan->Win, param + plan->bin, B, r, W);
  K(trunk_forward)(plan, param, work, B, label, u, shared);
  layers()->K(linear_forward)(F, work + plan->block[plan->depth].t, param + plan->Wout, param + plan->bout, B, W, r);
}

void K(modes_backward)(const NetPlan *plan, const real transposed[], const real basis[], real grad[], real keep,
                       real work[], int B, const real dF[], real dx[])
{
  const int r = plan->r, W = plan->width;
  (void)basis;
  layers()->K(linear_backward)(work + plan->dt, false, grad + plan->Wout, keep, grad + plan->bout, dF,
                               work + plan->block[plan->depth].t, transposed + plan->Wout, B, W, r);
  K(trunk_backward)(plan, transposed, grad, keep, work, B);
  layers()->K(linear_backward)(dx, false, grad + plan->Win, keep, grad + plan->bin, work + plan->dh, work + plan->x,
                               transposed + plan->Win, B, r, W);
}
#endif

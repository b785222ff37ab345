/* Network `cnn1d`: decodes the whitened coordinates to the normalised grid, cuts it into tokens of `patch` cells (C *
 * patch channels each), applies residual 1-D convolutions, and encodes back.  With V (C L, r) the orthonormal modes and
 * k their scale, tokens = k V x and F = V^T tokens / k: what goes through unchanged comes back unchanged. */
#ifndef real
#include "net.h"
#include <math.h>
#include <string.h>

PetscErrorCode PlanCnn1d(const ScoriaNetSpec *spec, NetPlan *plan)
{
  PetscFunctionBeginUser;
  if (spec->kernel < 1 || spec->kernel % 2 == 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "train_kernel is %d: an odd number is needed", spec->kernel);
  if (spec->patch < 1 || spec->patch > spec->cells)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "train_patch is %d: 1 to %d, the number of cells, is allowed", spec->patch,
                spec->cells);
  const int64_t P = (int64_t)spec->channels * spec->patch, W = spec->width;
  plan->channels    = (int)P;
  plan->span        = (spec->cells + spec->patch - 1) / spec->patch;
  plan->taps        = spec->kernel;
  plan->gap         = (spec->kernel - 1) / 2;
  plan->basis_scale = sqrt((double)spec->channels * spec->cells / spec->r);
  plan_embed(plan);
  plan->Win = plan_tensor(plan, "in/W", 1 / sqrt((double)P), 2, (const int64_t[]){P, W});
  plan->bin = plan_tensor(plan, "in/b", 0.3, 1, &W);
  plan_trunk(plan);
  plan->Wout       = plan_tensor(plan, "out/W", 0, 2, (const int64_t[]){W, P});
  plan->bout       = plan_tensor(plan, "out/b", 0, 1, &P);
  plan->tokens_in  = plan_tall(plan, plan->channels);
  plan->tokens_out = plan_tall(plan, plan->channels);
  PetscFunctionReturn(0);
}

void cnn1d_arrange_basis(const ScoriaNetSpec *spec, const NetPlan *plan, float out[])
{
  const int p = spec->patch;
  memset(out, 0, sizeof(float) * (size_t)plan->r * (size_t)plan->span * (size_t)plan->channels);
  for (int k = 0; k < spec->r; k++, out += plan->span * plan->channels)
    for (int c = 0; c < spec->channels; c++)
      for (int i = 0; i < spec->cells; i++)
        out[(i / p) * plan->channels + c * p + i % p] =
            (float)(plan->basis_scale *
                    (double)spec
                        ->basis[((size_t)k * (size_t)spec->channels + (size_t)c) * (size_t)spec->cells + (size_t)i]);
}

#define BODY "network_cnn1d.c"
#include "twice.h"
#else

/* Gap rows lie between the samples of a tall matrix: as a matrix with a row per sample it has this stride. */
static int K(sample_stride)(const NetPlan *plan)
{
  return (plan->span + plan->gap) * plan->channels;
}

static void K(decode)(const NetPlan *plan, real tokens[], const real in[], const real basis[], int B, real factor)
{
  const int n = plan->span * plan->channels;
  K(gemm)(false, false, B, n, plan->r, factor, in, plan->r, basis, n, 0, tokens, K(sample_stride)(plan));
}

static void K(encode)(const NetPlan *plan, real out[], const real tokens[], const real basis[], int B, real factor)
{
  const int n = plan->span * plan->channels;
  K(gemm)(false, true, B, plan->r, n, factor, tokens, K(sample_stride)(plan), basis, n, 0, out, plan->r);
}

void K(cnn1d_forward)(const NetPlan *plan, const real param[], const real basis[], real work[], int B, const real x[],
                      const real label[], const real u[], bool shared, real F[])
{
  const int rows = B * (plan->span + plan->gap), P = plan->channels, W = plan->width;
  K(decode)(plan, work + plan->tokens_in, x, basis, B, 1);
  layers()->K(linear_forward)(work + plan->h, work + plan->tokens_in, param + plan->Win, param + plan->bin, rows, P, W);
  K(trunk_forward)(plan, param, work, B, label, u, shared);
  layers()->K(linear_forward)(work + plan->tokens_out, work + plan->block[plan->depth].t, param + plan->Wout,
                              param + plan->bout, rows, W, P);
  K(encode)(plan, F, work + plan->tokens_out, basis, B, (real)plan_inverse_square(plan));
}

/* tokens_out, read no more, takes its own gradient, and then that of tokens_in. */
void K(cnn1d_backward)(const NetPlan *plan, const real transposed[], const real basis[], real grad[], real keep,
                       real work[], int B, const real dF[], real dx[])
{
  const int rows = B * (plan->span + plan->gap), P = plan->channels, W = plan->width;
  real *tokens = work + plan->tokens_out;
  for (int b = 0; b < B; b++)
    memset(tokens + b * K(sample_stride)(plan) + plan->span * P, 0, sizeof(real) * (size_t)(plan->gap * P));
  K(decode)(plan, tokens, dF, basis, B, (real)plan_inverse_square(plan));
  layers()->K(linear_backward)(work + plan->dt, false, grad + plan->Wout, keep, grad + plan->bout, tokens,
                               work + plan->block[plan->depth].t, transposed + plan->Wout, rows, W, P);
  K(trunk_backward)(plan, transposed, grad, keep, work, B);
  layers()->K(linear_backward)(dx ? tokens : NULL, false, grad + plan->Win, keep, grad + plan->bin, work + plan->dh,
                               work + plan->tokens_in, transposed + plan->Win, rows, P, W);
  if (dx) K(encode)(plan, dx, tokens, basis, B, 1);
}
#endif

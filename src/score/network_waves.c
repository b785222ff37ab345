/* Network `waves`: the whitened coordinates of whole fields as white fields on a coarse lateral grid, one of each of a
 * few channels, under residual convolutions that are periodic along y and z.  With V (places channels, r) the
 * orthonormal waves and k their scale, tokens = k V x and F = V^T tokens / k, as in cnn1d. */
#ifndef real
#include "net.h"
#include <math.h>

#define WAVES_MAX_CHANNELS 256

PetscErrorCode PlanWaves(const ScoriaNetSpec *spec, NetPlan *plan)
{
  PetscFunctionBeginUser;
  if (spec->kernel < 1 || spec->kernel % 2 == 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "train_kernel is %d: an odd number is needed", spec->kernel);
  if (spec->lattice_channels > WAVES_MAX_CHANNELS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "train_modes is %d, with up to %d modes of a wave number, %d are allowed", spec->r,
                spec->lattice_channels, WAVES_MAX_CHANNELS);
  PetscCall(TokenLatticeCreate(spec->lattice[0], spec->lattice[1], spec->kernel, &plan->lattice));
  const int64_t P = spec->lattice_channels, W = spec->width, places = plan->lattice->places;
  plan->channels    = (int)P;
  plan->channels_in = (int)(2 * P);
  plan->span        = plan->lattice->tokens;
  plan->taps        = plan->lattice->taps;
  plan->basis_scale = sqrt((double)places * (double)P / spec->r);
  plan_embed(plan);
  plan->Win = plan_tensor(plan, "in/W", 1 / sqrt(2.0 * (double)P), 2, (const int64_t[]){2 * P, W});
  plan->bin = plan_tensor(plan, "in/b", 0.3, 1, &W);
  plan_trunk(plan);
  plan->Wout       = plan_tensor(plan, "out/W", 0, 2, (const int64_t[]){W, P});
  plan->bout       = plan_tensor(plan, "out/b", 0, 1, &P);
  plan->x          = plan_work(plan, plan->max_batch * places * 2 * P);
  plan->tokens_in  = plan_tall(plan, plan->channels_in);
  plan->tokens_out = plan_tall(plan, plan->channels_in); /* and the gradient of tokens_in */
  PetscFunctionReturn(0);
}

/* Deviations as they are: factors that give every channel unit variance. */
static void channel_factors(const ScoriaNetSpec *spec, int places, double factor[])
{
  const int P = spec->lattice_channels;
  for (int p = 0; p < P; p++) {
    double square = 0;
    for (int k = 0; k < spec->r; k++)
      for (int i = 0; i < places; i++)
        square += pow((double)spec->deviation[k] * (double)spec->basis[((size_t)k * places + i) * P + p], 2);
    factor[p] = square > 0 ? sqrt(places / square) : 0;
  }
}

void waves_arrange_basis(const ScoriaNetSpec *spec, const NetPlan *plan, float out[])
{
  const int P = plan->channels, places = plan->lattice->places;
  double factor[WAVES_MAX_CHANNELS];
  const float *V = spec->basis;
  float *goes    = out + (size_t)spec->r * places * plan->channels_in;
  channel_factors(spec, places, factor);
  for (int k = 0; k < spec->r; k++)
    for (int i = 0; i < places; i++, out += 2 * P, goes += P, V += P)
      for (int p = 0; p < P; p++) {
        out[p] = goes[p] = (float)(plan->basis_scale * (double)V[p]);
        out[P + p]       = (float)(factor[p] * (double)spec->deviation[k] * (double)V[p]);
      }
}

#define BODY "network_waves.c"
#include "twice.h"
#else

/* places (places, P) of coordinates by one of the two bases; and back. */
static void K(to_places)(const NetPlan *plan, real places[], const real in[], const real basis[], int P, int B,
                         real factor)
{
  const int n = plan->lattice->places * P;
  K(gemm)(false, false, B, n, plan->r, factor, in, plan->r, basis, n, 0, places, n);
}

static void K(from_places)(const NetPlan *plan, real out[], const real places[], const real basis[], int P, int B,
                           real factor)
{
  const int n = plan->lattice->places * P;
  K(gemm)(false, true, B, plan->r, n, factor, places, n, basis, n, 0, out, plan->r);
}

static const real *K(basis_out)(const NetPlan *plan, const real basis[])
{
  return basis + (size_t)plan->r * (size_t)(plan->lattice->places * plan->channels_in);
}

void K(waves_forward)(const NetPlan *plan, const real param[], const real basis[], real work[], int B, const real x[],
                      const real label[], const real u[], bool shared, real F[])
{
  const TokenLattice *l = plan->lattice;
  const int rows = B * plan->span, in = plan->channels_in, P = plan->channels, W = plan->width;
  real *places = work + plan->x, *tokens = work + plan->tokens_in;
  K(to_places)(plan, places, x, basis, in, B, 1);
  K(lattice_put)(l, B, in, places, tokens);
  K(lattice_wrap)(l, B, in, tokens);
  layers()->K(linear_forward)(work + plan->h, tokens, param + plan->Win, param + plan->bin, rows, in, W);
  K(trunk_forward)(plan, param, work, B, label, u, shared);
  tokens = work + plan->tokens_out;
  layers()->K(linear_forward)(tokens, work + plan->block[plan->depth].t, param + plan->Wout, param + plan->bout, rows,
                              W, P);
  K(lattice_take)(l, B, P, tokens, places);
  K(from_places)(plan, F, places, K(basis_out)(plan, basis), P, B, (real)plan_inverse_square(plan));
}

/* tokens_out, read no more, takes its own gradient, and then that of tokens_in. */
void K(waves_backward)(const NetPlan *plan, const real transposed[], const real basis[], real grad[], real keep,
                       real work[], int B, const real dF[], real dx[])
{
  const TokenLattice *l = plan->lattice;
  const int rows = B * plan->span, in = plan->channels_in, P = plan->channels, W = plan->width;
  real *places = work + plan->x, *tokens = work + plan->tokens_out;
  K(to_places)(plan, places, dF, K(basis_out)(plan, basis), P, B, (real)plan_inverse_square(plan));
  K(lattice_put)(l, B, P, places, tokens);
  layers()->K(linear_backward)(work + plan->dt, false, grad + plan->Wout, keep, grad + plan->bout, tokens,
                               work + plan->block[plan->depth].t, transposed + plan->Wout, rows, W, P);
  K(trunk_backward)(plan, transposed, grad, keep, work, B);
  layers()->K(linear_backward)(dx ? tokens : NULL, false, grad + plan->Win, keep, grad + plan->bin, work + plan->dh,
                               work + plan->tokens_in, transposed + plan->Win, rows, in, W);
  if (!dx) return;
  K(lattice_fold)(l, B, in, tokens);
  K(lattice_take)(l, B, in, tokens, places);
  K(from_places)(plan, dx, places, basis, in, B, 1);
}
#endif

/* The trunk that the networks share: embedding of noise level and conditions, and residual blocks with FiLM edges. */
#ifndef real
#include "packed.h"
#include "net.h"
#include <string.h>
#define BODY "net_trunk.c"
#include "twice.h"
#else

void K(net_transpose)(const NetPlan *plan, const real param[], real transposed[])
{
  for (int i = 0; i < plan->tensors; i++) {
    const NetTensor *t = &plan->tensor[i];
    if (t->rank < 2) continue;
    const int nin = (int)t->dims[t->rank - 2], nout = (int)t->dims[t->rank - 1];
    for (int64_t at = t->offset; at < t->offset + t->count; at += (int64_t)nin * nout)
      layers()->K(transpose)(transposed + at, param + at, nin, nout);
  }
}

static Tall K(tall)(const NetPlan *plan, int B)
{
  return (Tall){B, plan->span, plan->gap};
}

static Tall K(flat)(int n)
{
  return (Tall){n, 1, 0};
}

static void K(embed_forward)(const NetPlan *plan, const real param[], real work[], int n, const real label[],
                             const real u[])
{
  const int E = plan->embed;
  layers()->K(embed_features)(work + plan->features_in, label, u, n, plan->d);
  layers()->K(linear_forward)(work + plan->slope_e1, work + plan->features_in, param + plan->E1, NULL, n,
                              plan->features, E);
  layers()->K(silu_forward)(work + plan->a_e1, work + plan->slope_e1, plan->training, param + plan->e1, K(flat)(n), E);
  layers()->K(linear_forward)(work + plan->slope_e2, work + plan->a_e1, param + plan->E2, NULL, n, E, E);
  layers()->K(silu_forward)(work + plan->a_e2, work + plan->slope_e2, plan->training, param + plan->e2, K(flat)(n), E);
}

static void K(embed_backward)(const NetPlan *plan, const real transposed[], real grad[], real keep, real work[], int n)
{
  const int E = plan->embed;
  layers()->K(silu_backward)(work + plan->de, grad + plan->e2, work + plan->slope_e2, K(flat)(n), E);
  layers()->K(linear_backward)(work + plan->de1, false, grad + plan->E2, keep, NULL, work + plan->de, work + plan->a_e1,
                               transposed + plan->E2, n, E, E);
  layers()->K(silu_backward)(work + plan->de1, grad + plan->e1, work + plan->slope_e1, K(flat)(n), E);
  layers()->K(linear_backward)(NULL, false, grad + plan->E1, keep, NULL, work + plan->de1, work + plan->features_in,
                               NULL, n, plan->features, E);
}

/* A mix: a matrix per token, or a convolution over tokens. */
static void K(mix_forward)(const NetPlan *plan, real out[], bool add, const real in[], const real W[], int64_t packed,
                           int B)
{
  if (sizeof(real) == sizeof(float) && plan->packed) /* the double precision of the tests has no packed matrices */
    packed_conv1d((float *)out, add, (const float *)in, plan->packed + packed, K(tall)(plan, B), plan->taps,
                  plan->width, plan->width);
  else
    layers()->K(conv1d_forward)(out, add, in, W, K(tall)(plan, B), plan->taps, plan->width, plan->width);
}

static void K(mix_backward)(const NetPlan *plan, real din[], real dW[], real keep, real dout[], const real in[],
                            const real transposed[], int B)
{
  layers()->K(conv1d_backward)(din, dW, keep, dout, in, transposed, K(tall)(plan, B), plan->taps, plan->width,
                               plan->width);
}

static void K(edge_forward)(const NetPlan *plan, const NetBlock *block, const real param[], real work[],
                            const real bias[], int B, bool shared)
{
  const int W = plan->width;
  layers()->K(linear_forward)(work + block->film, work + plan->a_e2, param + block->Wf, param + block->bf,
                              shared ? 1 : B, plan->embed, 2 * W);
  layers()->K(norm_film_forward)(work + block->t, plan->training ? work + block->n : NULL, work + block->rrms,
                                 plan->training ? work + block->slope1 : NULL, work + plan->h, bias, work + block->film,
                                 shared ? 0 : 2 * W, K(tall)(plan, B), W);
}

/* From dt to dh (added to where add is true), and to the embedding. */
static void K(edge_backward)(const NetPlan *plan, const NetBlock *block, const real transposed[], real grad[],
                             real keep, real work[], real dbias[], bool add, int B)
{
  const int W = plan->width;
  layers()->K(norm_film_backward)(work + plan->dh, add, work + plan->dfilm, dbias, work + plan->dt, work + block->n,
                                  work + block->rrms, work + block->slope1, work + block->film, K(tall)(plan, B), W);
  layers()->K(linear_backward)(work + plan->de, add, grad + block->Wf, keep, grad + block->bf, work + plan->dfilm,
                               work + plan->a_e2, transposed + block->Wf, B, plan->embed, 2 * W);
}

void K(trunk_forward)(const NetPlan *plan, const real param[], real work[], int B, const real label[], const real u[],
                      bool shared)
{
  K(embed_forward)(plan, param, work, shared ? 1 : B, label, u);
  for (int i = 0; i < plan->depth; i++) {
    const NetBlock *block = &plan->block[i];
    K(edge_forward)(plan, block, param, work, param + block->b2, B, shared);
    K(mix_forward)(plan, work + block->slope2, false, work + block->t, param + block->W1, block->packed1, B);
    layers()->K(silu_forward)(work + block->s, work + block->slope2, plan->training, param + block->b1,
                              K(tall)(plan, B), plan->width);
    K(mix_forward)(plan, work + plan->h, true, work + block->s, param + block->W2, block->packed2, B);
  }
  K(edge_forward)(plan, &plan->block[plan->depth], param, work, NULL, B, shared);
}

void K(trunk_backward)(const NetPlan *plan, const real transposed[], real grad[], real keep, real work[], int B)
{
  K(edge_backward)(plan, &plan->block[plan->depth], transposed, grad, keep, work, NULL, false, B);
  for (int i = plan->depth - 1; i >= 0; i--) {
    const NetBlock *block = &plan->block[i];
    K(mix_backward)
    (plan, work + plan->da, grad + block->W2, keep, work + plan->dh, work + block->s, transposed + block->W2, B);
    layers()->K(silu_backward)(work + plan->da, grad + block->b1, work + block->slope2, K(tall)(plan, B), plan->width);
    K(mix_backward)
    (plan, work + plan->dt, grad + block->W1, keep, work + plan->da, work + block->t, transposed + block->W1, B);
    K(edge_backward)(plan, block, transposed, grad, keep, work, grad + block->b2, true, B);
  }
  K(embed_backward)(plan, transposed, grad, keep, work, B);
}
#endif

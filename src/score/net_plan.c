/* Shapes and offsets of a network: parameter tensors in the order of the model file, and the work arena. */
#include "packed.h"
#include "net.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

int64_t plan_tensor(NetPlan *plan, const char *name, double scale, int rank, const int64_t dims[])
{
  NetTensor *t = &plan->tensor[plan->tensors++];
  snprintf(t->name, sizeof t->name, "%s", name);
  t->rank   = rank;
  t->count  = 1;
  t->offset = plan->parameters;
  t->scale  = scale;
  for (int i = 0; i < rank; i++) {
    t->dims[i] = dims[i];
    t->count *= dims[i];
  }
  plan->parameters += t->count;
  return t->offset;
}

int64_t plan_work(NetPlan *plan, int64_t count)
{
  const int64_t offset = plan->work;
  plan->work += (count + 15) / 16 * 16;
  return offset;
}

int64_t plan_tall(NetPlan *plan, int width)
{
  const int64_t rows   = (int64_t)plan->max_batch * (plan->span + plan->gap) + 2 * plan->gap;
  const int64_t before = (int64_t)plan->gap * width, skew = (16 - before % 16) % 16;
  return plan_work(plan, rows * width + skew) + before + skew;
}

/* Standard deviation that keeps the variance of a layer with fan_in inputs. */
static double keep(int64_t fan_in)
{
  return 1 / sqrt((double)fan_in);
}

static int64_t matrix(NetPlan *plan, const char *name, double scale, int64_t in, int64_t out)
{
  return plan_tensor(plan, name, scale, 2, (const int64_t[]){in, out});
}

static int64_t vector(NetPlan *plan, const char *name, double scale, int64_t n)
{
  return plan_tensor(plan, name, scale, 1, &n);
}

void plan_embed(NetPlan *plan)
{
  const int64_t B = plan->max_batch, E = plan->embed;
  plan->features    = embed_features_count(plan->d);
  plan->E1          = matrix(plan, "embed/W1", keep(plan->features), plan->features, E);
  plan->e1          = vector(plan, "embed/b1", 0, E);
  plan->E2          = matrix(plan, "embed/W2", keep(E), E, E);
  plan->e2          = vector(plan, "embed/b2", 0, E);
  plan->features_in = plan_work(plan, B * plan->features);
  plan->slope_e1    = plan_work(plan, B * E);
  plan->a_e1        = plan_work(plan, B * E);
  plan->slope_e2    = plan_work(plan, B * E);
  plan->a_e2        = plan_work(plan, B * E);
}

static void edge_parameters(NetPlan *plan, NetBlock *block, const char *name)
{
  char full[32];
  snprintf(full, sizeof full, "%s/film/W", name);
  block->Wf = matrix(plan, full, 0, plan->embed, 2 * plan->width);
  snprintf(full, sizeof full, "%s/film/b", name);
  block->bf = vector(plan, full, 0, 2 * plan->width);
}

/* Mixes are (taps, in, out); the second starts smaller, so that depth does not raise the variance of h. */
static void mix_parameters(NetPlan *plan, NetBlock *block, int index)
{
  const int W          = plan->width;
  const int64_t dims[] = {plan->taps, W, W}, *shape = plan->taps > 1 ? dims : dims + 1;
  const int rank     = plan->taps > 1 ? 3 : 2;
  const double scale = keep((int64_t)plan->taps * W);
  char name[32];
  snprintf(name, sizeof name, "block%d/W1", index);
  block->W1 = plan_tensor(plan, name, scale, rank, shape);
  snprintf(name, sizeof name, "block%d/b1", index);
  block->b1 = vector(plan, name, 0, W);
  snprintf(name, sizeof name, "block%d/W2", index);
  block->W2 = plan_tensor(plan, name, scale * keep(plan->depth), rank, shape);
  snprintf(name, sizeof name, "block%d/b2", index);
  block->b2            = vector(plan, name, 0, W);
  const int64_t packed = (int64_t)plan->taps * (int64_t)packed_size(W, W);
  block->packed1       = 2 * index * packed;
  block->packed2       = block->packed1 + packed;
}

/* What a block leaves for the backward pass; when only sampling, all blocks use the first one's place. */
static void block_work(NetPlan *plan, NetBlock *block)
{
  const int64_t rows = (int64_t)plan->max_batch * (plan->span + plan->gap);
  block->film        = plan_work(plan, (int64_t)plan->max_batch * 2 * plan->width);
  block->n           = plan->training ? plan_tall(plan, plan->width) : 0;
  block->rrms        = plan_work(plan, rows);
  block->slope1      = plan->training ? plan_tall(plan, plan->width) : 0;
  block->t           = plan_tall(plan, plan->width);
  block->slope2      = plan_tall(plan, plan->width);
  block->s           = plan_tall(plan, plan->width);
}

static void share_work(NetBlock *block, const NetBlock *first)
{
  block->film   = first->film;
  block->n      = first->n;
  block->rrms   = first->rrms;
  block->slope1 = first->slope1;
  block->t      = first->t;
  block->slope2 = first->slope2;
  block->s      = first->s;
}

void plan_trunk(NetPlan *plan)
{
  const int64_t B = plan->max_batch;
  plan->h         = plan_tall(plan, plan->width);
  for (int i = 0; i <= plan->depth; i++) {
    NetBlock *block = &plan->block[i];
    char name[16];
    snprintf(name, sizeof name, i < plan->depth ? "block%d" : "out", i);
    edge_parameters(plan, block, name);
    if (i < plan->depth) mix_parameters(plan, block, i);
    if (i == 0 || plan->training)
      block_work(plan, block);
    else
      share_work(block, &plan->block[0]);
  }
  if (!plan->training) return;
  plan->dh    = plan_tall(plan, plan->width);
  plan->da    = plan_tall(plan, plan->width);
  plan->dt    = plan_tall(plan, plan->width);
  plan->dfilm = plan_work(plan, B * 2 * plan->width);
  plan->de    = plan_work(plan, B * plan->embed);
  plan->de1   = plan_work(plan, B * plan->embed);
}

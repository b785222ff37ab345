/* Networks: the table of kinds and the object over it.  Three arenas, parameters, gradient and work, are made here
 * once. */
#include "scoria/linalg.h"
#include "packed.h"
#include "net.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const NetworkRow scoria_networks[] = {
    {"modes", 192, 256, false, PlanModes, modes_forward_f, modes_backward_f, modes_forward_d, modes_backward_d},
    {"cnn1d", 64, 32, true, PlanCnn1d, cnn1d_forward_f, cnn1d_backward_f, cnn1d_forward_d, cnn1d_backward_d},
    {.name = NULL},
};

const NetworkRow *network_find(const char *name)
{
  for (const NetworkRow *row = scoria_networks; row->name; row++)
    if (strcmp(row->name, name) == 0) return row;
  return NULL;
}

/* The arenas start on a cache line; their zeros are relied upon (gap rows). */
static PetscErrorCode ArenaCreate(int64_t count, float **arena)
{
  void *memory = NULL;
  PetscFunctionBeginUser;
  const size_t bytes = sizeof(float) * (size_t)count;
  PetscCheck(posix_memalign(&memory, 64, bytes) == 0, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for %zu bytes", bytes);
  memset(memory, 0, bytes);
  *arena = memory;
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckSpec(const ScoriaNetSpec *s)
{
  const struct {
    const char *name;
    int value, lo, hi;
  } size[] = {{"modes", s->r, 1, 1 << 15},     {"conditions", s->d, 0, SCORIA_MAX_CONDITIONS},
              {"width", s->width, 1, 1 << 14}, {"depth", s->depth, 1, NET_MAX_DEPTH},
              {"embed", s->embed, 1, 1 << 14}, {"channels", s->channels, 1, SCORIA_MAX_FIELDS},
              {"cells", s->cells, 1, 1 << 24}};
  PetscFunctionBeginUser;
  for (size_t i = 0; i < sizeof size / sizeof size[0]; i++)
    if (size[i].value < size[i].lo || size[i].value > size[i].hi)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "network '%s': %s is %d, allowed is %d to %d", s->kind, size[i].name,
                  size[i].value, size[i].lo, size[i].hi);
  PetscFunctionReturn(0);
}

static PetscErrorCode BasisCreate(const ScoriaNetSpec *spec, ScoriaNet n)
{
  const int64_t count = (int64_t)n->plan.r * n->plan.span * n->plan.channels;
  PetscFunctionBeginUser;
  PetscCheck(spec->basis, PETSC_COMM_SELF, PETSC_ERR_ARG_NULL, "network %s needs a basis", n->row->name);
  PetscCall(ArenaCreate(count, &n->basis));
  cnn1d_arrange_basis(spec, &n->plan, n->basis);
  PetscFunctionReturn(0);
}

PetscErrorCode NetCreate(const ScoriaNetSpec *spec, int max_batch, bool training, ScoriaNet *net)
{
  ScoriaNet n;
  PetscFunctionBeginUser;
  const NetworkRow *row = network_find(spec->kind);
  if (!row) SCORIA_FAIL(SCORIA_EXIT_INPUT, "network kind '%s' is not known (modes, cnn1d)", spec->kind);
  PetscCall(CheckSpec(spec));
  PetscCall(PetscNew(&n));
  n->row  = row;
  n->plan = (NetPlan){.r         = spec->r,
                      .d         = spec->d,
                      .embed     = spec->embed,
                      .width     = spec->width,
                      .depth     = spec->depth,
                      .max_batch = max_batch,
                      .training  = training};
  (void)linalg_single_thread();
  PetscCall(row->plan(spec, &n->plan));
  PetscCall(ArenaCreate(n->plan.parameters, &n->param));
  PetscCall(ArenaCreate(n->plan.work, &n->work));
  if (training) {
    PetscCall(ArenaCreate(n->plan.parameters, &n->grad));
    PetscCall(ArenaCreate(n->plan.parameters, &n->transposed));
  }
  if (row->on_grid) PetscCall(BasisCreate(spec, n));
  *net = n;
  PetscFunctionReturn(0);
}

PetscErrorCode NetDestroy(ScoriaNet *net)
{
  PetscFunctionBeginUser;
  if (!*net) PetscFunctionReturn(0);
  free((*net)->param);
  free((*net)->grad);
  free((*net)->transposed);
  free((*net)->work);
  free((*net)->basis);
  free((*net)->packed);
  PetscCall(PetscFree(*net));
  PetscFunctionReturn(0);
}

static PetscErrorCode PackedCreate(const NetPlan *plan, uint16_t **packed)
{
  void *memory = NULL;
  const size_t bytes =
      sizeof(uint16_t) * 2 * (size_t)(plan->depth * plan->taps) * packed_size(plan->width, plan->width);
  PetscFunctionBeginUser;
  PetscCheck(posix_memalign(&memory, 64, bytes) == 0, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for %zu bytes", bytes);
  *packed = memory;
  PetscFunctionReturn(0);
}

static void pack_mix(const NetPlan *plan, uint16_t packed[], const float W[])
{
  const int width = plan->width;
  for (int k = 0; k < plan->taps; k++)
    packed_pack(packed + (size_t)k * packed_size(width, width), W + (size_t)k * (size_t)(width * width), width, width);
}

PetscErrorCode NetUseBfloat16(ScoriaNet net, bool use)
{
  NetPlan *plan = &net->plan;
  PetscFunctionBeginUser;
  PetscCheck(!plan->training, PETSC_COMM_SELF, PETSC_ERR_ARG_WRONGSTATE, "a net that trains is single precision");
  if (use && !plan->packed) {
    if (!net->packed) PetscCall(PackedCreate(plan, &net->packed));
    for (int i = 0; i < plan->depth; i++) {
      pack_mix(plan, net->packed + plan->block[i].packed1, net->param + plan->block[i].W1);
      pack_mix(plan, net->packed + plan->block[i].packed2, net->param + plan->block[i].W2);
    }
  }
  plan->packed = use ? net->packed : NULL;
  PetscFunctionReturn(0);
}

void net_initialise(ScoriaNet net, uint64_t seed)
{
  float *param = net_parameters(net);
  for (int i = 0; i < net->plan.tensors; i++) {
    const NetTensor *t = &net->plan.tensor[i];
    float *p           = param + t->offset;
    if (t->scale > 0)
      rng_normalf(seed, SCORIA_STREAM_INIT, (uint64_t)i, 0, (int)t->count, p);
    else
      memset(p, 0, sizeof(float) * (size_t)t->count);
    for (int64_t j = 0; j < t->count; j++) p[j] *= (float)t->scale;
  }
}

int64_t net_parameter_count(ScoriaNet net)
{
  return net->plan.parameters;
}

float *net_parameters(ScoriaNet net)
{
  net->transposed_valid = false; /* whoever asks may change them */
  return net->param;
}

float *net_gradient(ScoriaNet net)
{
  return net->grad;
}

/* Multiplications and additions of the matrix products that every network has, per row: twice its weights, per token
 * where they act on tokens. */
static double token_flops(const NetPlan *p)
{
  const double W = p->width, T = p->span, P = p->channels, depth = p->depth;
  return 2 * T * (2 * P * W + depth * 2 * p->taps * W * W);
}

static double layer_flops(const NetPlan *p)
{
  const double E = p->embed, W = p->width, depth = p->depth;
  return 2 * (E * (p->features + E) + (depth + 1) * E * 2 * W) + token_flops(p);
}

/* In and out. */
static double basis_flops(const ScoriaNet net)
{
  return net->basis ? 4.0 * net->plan.r * net->plan.span * net->plan.channels : 0;
}

double net_flops(ScoriaNet net)
{
  return layer_flops(&net->plan) + basis_flops(net);
}

double net_sampling_flops(const ScoriaNet net)
{
  return token_flops(&net->plan) + basis_flops(net);
}

double net_training_flops(const ScoriaNet net)
{
  const NetPlan *p     = &net->plan;
  const double no_need = 2.0 * ((double)p->features * p->embed + (double)p->span * p->channels * p->width);
  return 3 * layer_flops(p) - no_need + 1.5 * basis_flops(net);
}

bool net_tensor(ScoriaNet net, int i, const char **name, int *rank, int64_t dims[4], int64_t *offset)
{
  if (i < 0 || i >= net->plan.tensors) return false;
  const NetTensor *t = &net->plan.tensor[i];
  *name              = t->name;
  *rank              = t->rank;
  *offset            = t->offset;
  for (int k = 0; k < 4; k++) dims[k] = t->dims[k];
  return true;
}

void net_forward(ScoriaNet net, int B, const float x[], const float label[], const float u[], float F[])
{
  net->row->forward_f(&net->plan, net->param, net->basis, net->work, B, x, label, u, false, F);
}

void net_forward_shared(ScoriaNet net, int B, const float x[], float label, const float u[], float F[])
{
  net->row->forward_f(&net->plan, net->param, net->basis, net->work, B, x, &label, u, true, F);
}

void net_denoise(ScoriaNet net, int B, const float x[], double sigma, const float u[], float scaled[], float label[],
                 float D[])
{
  const double root = sqrt(1 + sigma * sigma);
  const float in = (float)(1 / root), skip = (float)(1 / (root * root)), out = (float)(sigma / root);
  const size_t numbers = (size_t)B * (size_t)net->plan.r;
  for (size_t i = 0; i < numbers; i++) scaled[i] = in * x[i];
  for (int i = 0; i < B; i++) label[i] = (float)(0.25 * log(sigma));
  net_forward(net, B, scaled, label, u, D);
  for (size_t i = 0; i < numbers; i++) D[i] = skip * x[i] + out * D[i];
}

static const float *transposed_parameters(ScoriaNet net)
{
  if (!net->transposed_valid) net_transpose_f(&net->plan, net->param, net->transposed);
  net->transposed_valid = true;
  return net->transposed;
}

void net_backward_first(ScoriaNet net, int B, const float dF[], float dx[])
{
  for (int i = 0; i < net->plan.tensors; i++) {
    const NetTensor *t = &net->plan.tensor[i];
    if (t->rank == 1) memset(net->grad + t->offset, 0, sizeof(float) * (size_t)t->count);
  }
  net->row->backward_f(&net->plan, transposed_parameters(net), net->basis, net->grad, 0, net->work, B, dF, dx);
}

void net_backward(ScoriaNet net, int B, const float dF[], float dx[])
{
  net->row->backward_f(&net->plan, transposed_parameters(net), net->basis, net->grad, 1, net->work, B, dF, dx);
}

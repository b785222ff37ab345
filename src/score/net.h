/* Networks from inside the room: the plan (shapes and offsets), the table of kinds, and the trunk that the kinds share.
 *
 *   e = MLP(features(label, u));  h = input(x);
 *   depth times: t = silu(FiLM_e(norm(h))), s = silu(mix_1 t + b_1), h += mix_2 s + b_2;
 *   F = output(silu(FiLM_e(norm(h))))
 *
 * A kind says what input, mix and output are.  FiLM and output start at zero, so F = 0. */
#ifndef SCORIA_SCORE_NET_H
#define SCORIA_SCORE_NET_H

#include "scoria/score.h"
#include "layers.h"

/* What a network is built for.  It maps x (B, r), noise label (B) and unit conditions u (B, d) to F (B, r).  Its
 * parameters are one contiguous float array, so that optimiser, allreduce and file are single loops. */
typedef struct {
  char kind[SCORIA_NAME_SIZE]; /* row of scoria_networks: "modes", "cnn1d" */
  int r, d;
  int width, depth;    /* hidden width (channels of the CNN), residual blocks */
  int embed;           /* width of the embedding of (noise, u) that FiLM reads */
  int channels, cells; /* C, L: cnn1d decodes to this grid with basis */
  int kernel, patch;   /* cnn1d: taps of a convolution, cells per token */
  const float *basis;  /* borrowed during Create; cnn1d: modes (r, C*L), the rows of V */
} ScoriaNetSpec;

typedef struct ScoriaNet_ *ScoriaNet;

/* max_batch: rows of the largest tile it will be given.  training: also makes the arenas of the backward pass. */
PetscErrorCode NetCreate(const ScoriaNetSpec *spec, int max_batch, bool training, ScoriaNet *net);
PetscErrorCode NetDestroy(ScoriaNet *net);
void net_initialise(ScoriaNet net, uint64_t seed); /* last layer and FiLM zero: F = 0 */
int64_t net_parameter_count(ScoriaNet net);
float *net_parameters(ScoriaNet net); /* (count); asked for anew before every change, which the net must know of */
float *net_gradient(ScoriaNet net);   /* (count), training only */
double net_flops(ScoriaNet net);      /* of one forward pass of one row, conditions not shared */
/* Tensor i as stored in a model file: name, shape, offset into the parameters; false past the last. */
bool net_tensor(ScoriaNet net, int i, const char **name, int *rank, int64_t dims[4], int64_t *offset);
void net_forward(ScoriaNet net, int B, const float x[], const float label[], const float u[], float F[]);
/* dF (B, r): adds to the gradient; dx (B, r) may be NULL.  Follows net_forward on the same batch. */
void net_backward(ScoriaNet net, int B, const float dF[], float dx[]);
/* Sampling: one noise label and one condition for the whole tile; FiLM is computed once. */
void net_forward_shared(ScoriaNet net, int B, const float x[], float label, const float u[], float F[]);

/* D (B, r) at x (B, r) of one sigma, row by row at u (B, d): the network between EDM's scalings with sigma_data = 1, as
 * in model.c.  scaled (B, r) and label (B) are work. */
void net_denoise(ScoriaNet net, int B, const float x[], double sigma, const float u[], float scaled[], float label[],
                 float D[]);

/* ---------------------------------------------------------------------------------------------------- plan ---- */

#define NET_MAX_DEPTH 64
#define NET_MAX_TENSORS (6 * NET_MAX_DEPTH + 10)

typedef struct {
  char name[32];
  int rank;
  int64_t dims[4], offset, count;
  double scale; /* standard deviation of the initial values; 0: zero */
} NetTensor;

/* Offsets of one FiLM edge and of the two mixes behind it: into the parameters, then into the work arena. */
typedef struct {
  int64_t Wf, bf, W1, b1, W2, b2;
  int64_t packed1, packed2; /* W1 and W2 in the arena of packed matrices */
  int64_t film, n, rrms, slope1, t, slope2, s;
} NetBlock;

typedef struct {
  int r, d, embed, features, width, depth, taps;
  int channels;  /* of a token as it comes in and goes out: r for modes, C * patch for cnn1d */
  int span, gap; /* tokens of a sample, and zero rows behind them */
  int max_batch;
  bool training;
  const uint16_t *packed; /* borrowed from the net: the mixes' matrices in bfloat16; NULL: single precision */
  double basis_scale;     /* factor on the orthonormal modes that gives tokens unit variance */
  int64_t E1, e1, E2, e2, Win, bin, Wout, bout; /* parameters */
  NetBlock block[NET_MAX_DEPTH + 1];            /* the last one has a FiLM edge only */
  int64_t x, features_in, slope_e1, a_e1, slope_e2, a_e2, h, tokens_in, tokens_out; /* work */
  int64_t dh, da, dt, dfilm, de, de1;                                               /* work of the backward pass */
  int64_t parameters, work;                                                         /* sizes */
  int tensors;
  NetTensor tensor[NET_MAX_TENSORS];
} NetPlan;

#define BODY "net_kernels.h"
#include "twice.h"

typedef struct {
  const char *name;
  int width;    /* unless the deck says otherwise */
  int tile;     /* rows that go through best at a time */
  bool on_grid; /* needs a basis */
  PetscErrorCode (*plan)(const ScoriaNetSpec *spec, NetPlan *plan);
  net_forward_fn_f *forward_f;
  net_backward_fn_f *backward_f;
  net_forward_fn_d *forward_d; /* the same in double precision, for the tests */
  net_backward_fn_d *backward_d;
} NetworkRow;

extern const NetworkRow scoria_networks[]; /* ends with a NULL name */
const NetworkRow *network_find(const char *name);

struct ScoriaNet_ {
  NetPlan plan;
  const NetworkRow *row;
  float *param, *grad, *work; /* owned; grad NULL when not training */
  float *transposed;          /* owned, NULL when not training: the matrices of param transposed */
  bool transposed_valid;      /* whether they are those of param as it is now */
  float *basis;               /* owned, NULL for modes: (r, span * channels), scaled modes by token */
  uint16_t *packed;           /* owned, NULL until net_use_bfloat16 */
};

/* Packs the weights as they are: from here on the forward pass takes the mixes, where nearly all of the work is, in
 * bfloat16 with single precision sums, or (use = false) in single precision again.  Not for a net that trains. */
PetscErrorCode NetUseBfloat16(ScoriaNet net, bool use);

/* Of the matrix products of one row forward and backward, without the gradient of the input. */
double net_training_flops(const ScoriaNet net);
/* Of one row in net_forward_shared, whose embedding is made once for a tile and not counted. */
double net_sampling_flops(const ScoriaNet net);

/* net_backward on a gradient that holds nothing yet: writes all of it. */
void net_backward_first(ScoriaNet net, int B, const float dF[], float dx[]);

PetscErrorCode PlanModes(const ScoriaNetSpec *spec, NetPlan *plan);
PetscErrorCode PlanCnn1d(const ScoriaNetSpec *spec, NetPlan *plan);

/* Building a plan.  Every size in reals; work offsets are multiples of a cache line. */
int64_t plan_tensor(NetPlan *plan, const char *name, double scale, int rank, const int64_t dims[]);
int64_t plan_work(NetPlan *plan, int64_t count);
int64_t plan_tall(NetPlan *plan, int width); /* with `gap` zero rows before and behind; offset of the first token */
/* By which what goes out is taken back to coordinates: 1 / basis_scale^2. */
static inline double plan_inverse_square(const NetPlan *plan)
{
  return 1 / (plan->basis_scale * plan->basis_scale);
}
void plan_embed(NetPlan *plan);
void plan_trunk(NetPlan *plan);

/* basis (r, C*L) to (r, span * channels), by token, channel and cell; cells beyond L are 0. */
void cnn1d_arrange_basis(const ScoriaNetSpec *spec, const NetPlan *plan, float out[]);

#endif

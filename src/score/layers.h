/* Layers of the networks: flat kernels that never allocate and cannot fail.  Matrices are row-major, one row per token.
 *
 * A tall matrix holds `groups` samples, each `span` token rows followed by `gap` rows that kernels keep at zero where a
 * convolution reads them; the caller also owns `gap` zero rows before the first.  A pointer is to the first token row.
 */
#ifndef SCORIA_SCORE_LAYERS_H
#define SCORIA_SCORE_LAYERS_H

#include "scoria/processor.h"
#include "blas.h"
#include <stddef.h>
#include <stdint.h>

typedef struct {
  int groups, span, gap;
} Tall;

static inline int tall_rows(Tall t)
{
  return t.groups * (t.span + t.gap);
}

/* Harmonics of the label and of each condition that the embedding reads, beside the values themselves. */
#define EMBED_LABEL_HARMONICS 8
#define EMBED_CONDITION_HARMONICS 3
static inline int embed_features_count(int d)
{
  return 1 + 2 * EMBED_LABEL_HARMONICS + d * (1 + 2 * EMBED_CONDITION_HARMONICS);
}

/* The kernels of one level of instructions; a name ends in _f for float, _d for double. */
#define KERNEL(name) (*ANY(name))
typedef struct {
  int vector_bytes; /* of the registers that they use */
#define BODY "layers/kernels.h"
#include "twice.h"
} Layers;
#undef KERNEL

#ifdef SCORIA_LEVEL
#define KERNEL(name) K(name)
#define BODY "layers/kernels.h"
#include "twice.h"
#undef KERNEL
#endif

/* Those of the level in use. */
const Layers *layers(void);

#endif

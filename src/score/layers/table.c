/* The table of one level's kernels. */
#include "../layers.h"

#define BOTH(name) .name##_f = LEVEL(name##_f), .name##_d = LEVEL(name##_d)

extern const Layers LEVEL(layers);
const Layers LEVEL(layers) = {
    .vector_bytes = SIMD_BYTES,
    BOTH(product),
    BOTH(product_of_tall),
    BOTH(transpose),
    BOTH(linear_forward),
    BOTH(linear_backward),
    BOTH(conv1d_forward),
    BOTH(conv1d_backward),
    BOTH(silu_forward),
    BOTH(silu_backward),
    BOTH(norm_film_forward),
    BOTH(norm_film_backward),
    BOTH(embed_features),
    BOTH(column_sums),
};

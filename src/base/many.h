/* Private to broadcasts and reductions of many items. */
#ifndef SCORIA_BASE_MANY_H
#define SCORIA_BASE_MANY_H

#include <stdint.h>

extern int64_t many_most; /* items of one call of MPI, at most; the tests make it small */

#endif

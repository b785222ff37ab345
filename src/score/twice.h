/* Compiles a body twice: `real` is float and K(name) is name_f, then double and name_d.  The single precision build is
 * the one in use; the double one lets the tests check gradients to rounding.  In a file that is compiled for one level
 * of instructions (scoria/processor.h) K(name) names that level too, and ANY(name) is the name without it.  A file of
 * kernels reads
 *
 *   #ifndef real
 *   #define BODY "the file itself, as seen from this directory"
 *   #include "twice.h"
 *   #else
 *   ... kernels ...
 *   #endif
 */
#ifndef LEVEL
#define LEVEL(name) name
#endif
#define real float
#define IN_F(a) LEVEL(a##_f)
#define K(name) IN_F(name)
#define ANY(name) name##_f
#include BODY
#undef ANY
#undef K
#undef IN_F
#undef real
#define real double
#define IN_D(a) LEVEL(a##_d)
#define K(name) IN_D(name)
#define ANY(name) name##_d
#include BODY
#undef ANY
#undef K
#undef IN_D
#undef real
#undef BODY

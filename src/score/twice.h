/* Compiles a body twice: `real` is float and K(name) is name_f, then double and name_d.  The single precision build is
 * the one in use; the double one lets the tests check gradients to rounding.  A file of kernels reads
 *
 *   #ifndef real
 *   #define BODY "the file itself, as seen from this directory"
 *   #include "twice.h"
 *   #else
 *   ... kernels ...
 *   #endif
 */
#define real float
#define IN_F(a) a##_f
#define K(name) IN_F(name)
#include BODY
#undef K
#undef IN_F
#undef real
#define real double
#define IN_D(a) a##_d
#define K(name) IN_D(name)
#include BODY
#undef K
#undef IN_D
#undef real
#undef BODY

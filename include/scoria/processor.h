/* Loops where the time goes are compiled once for every level of instructions that processors of one kind have
 * (src/cmake/Levels.cmake), and one is chosen at run time, so that a build for every processor is as fast as one for
 * this one.  A file that is compiled so defines its names as LEVEL(name); whoever calls them keeps a table:
 *
 *   typedef void RowsFunction(int n, double x[]);
 *   RowsFunction LEVELS(rows_add);                               declares rows_add_base, ...
 *   static RowsFunction *const rows_add[] = {LEVELS(rows_add)};  rows_add[processor_level()](n, x);
 *
 * Results of one level do not depend on the flags of the rest of the program: all of these files have flags of their
 * own. */
#ifndef SCORIA_PROCESSOR_H
#define SCORIA_PROCESSOR_H

#include "base.h"

#ifdef SCORIA_LEVEL /* in a file that is compiled for one level: _base, _v3, _v4 */
#define PROCESSOR_JOIN(name, level) name##level
#define PROCESSOR_NAME(name, level) PROCESSOR_JOIN(name, level)
#define LEVEL(name) PROCESSOR_NAME(name, SCORIA_LEVEL)
#if defined(__AVX512F__)
#define SIMD_BYTES 64 /* of a register */
#elif defined(__AVX__)
#define SIMD_BYTES 32
#else
#define SIMD_BYTES 16
#endif
#endif

#ifdef SCORIA_X86_LEVELS
#define LEVELS(name) name##_base, name##_v3, name##_v4
enum { PROCESSOR_LEVELS = 3 };
#else
#define LEVELS(name) name##_base
enum { PROCESSOR_LEVELS = 1 };
#endif

/* Levels from 0: what every processor of the build's target has; then, on x86-64, AVX2 with FMA, and AVX-512. */
const char *processor_level_name(int level); /* "base", "v3", "v4"; NULL beyond the last */
int processor_find(const char *name);        /* "best" or a level's name; -1 where it was not compiled */
int processor_best(void);                    /* the highest that this processor has */
int processor_level(void);                   /* the one in use: the best until another is chosen */
bool processor_use(int level);               /* false, and nothing is done, where the processor does not have it */

/* The level that the deck's run_kernels names, or the best that all ranks have; a rank whose processor has more is told
 * of.  A level that is not there is a user error.  Collective on the run's communicator. */
PetscErrorCode ProcessorChoose(ScoriaRun run, ScoriaDeck deck);

#endif

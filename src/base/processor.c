/* Which instructions the processor has, and which of the compiled levels is used. */
#include "scoria/processor.h"
#include <string.h>

static const char *const names[] = {"base", "v3", "v4"};
static int in_use                = -1; /* not yet asked for */

const char *processor_level_name(int level)
{
  return level < PROCESSOR_LEVELS ? names[level] : NULL;
}

int processor_find(const char *name)
{
  if (!strcmp(name, "best")) return processor_best();
  for (int level = 0; level < PROCESSOR_LEVELS; level++)
    if (!strcmp(name, names[level])) return level;
  return -1;
}

/* What the files of a level are compiled with, and no more (src/cmake/Levels.cmake). */
int processor_best(void)
{
#ifdef SCORIA_X86_LEVELS
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 0;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
    return 1;
  return 2;
#else
  return 0;
#endif
}

int processor_level(void)
{
  if (in_use < 0) in_use = processor_best();
  return in_use;
}

bool processor_use(int level)
{
  if (level < 0 || level > processor_best()) return false;
  in_use = level;
  return true;
}

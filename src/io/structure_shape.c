/* What every format of structures checks of a shape. */
#include "structure.h"

#define SLAB_MOST 0x1p36 /* values: 512 GiB as they are held */

void structure_check_lengths(const StructureShape *shape, ScoriaTrouble *bad)
{
  double values = 1;
  if (bad->code != SCORIA_EXIT_OK) return;
  for (int a = 0; a < shape->rank; a++)
    if (shape->dims[a] < 1 || shape->dims[a] > INT32_MAX)
      trouble_note(bad, SCORIA_EXIT_INPUT, "axis %d: found a length of %lld, expected 1 to %d", a + 1,
                   (long long)shape->dims[a], INT32_MAX);
  for (int a = 1; a < shape->rank; a++) values *= (double)shape->dims[a];
  if (values > SLAB_MOST)
    trouble_note(bad, SCORIA_EXIT_INPUT, "found %.4g values in a slice along its first axis, expected at most %.4g",
                 values, SLAB_MOST);
}

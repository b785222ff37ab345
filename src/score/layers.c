/* The layers that the instructions in use have: one table for each level (scoria/processor.h). */
#include "layers.h"

extern const Layers LEVELS(layers);

const Layers *layers(void)
{
  static const Layers *const table[] = {LEVELS(&layers)};
  return table[processor_level()];
}

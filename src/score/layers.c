#include "layers.h"

extern const Layers LEVELS(layers);

const Layers *layers(void)
{
  static const Layers *const table[] = {LEVELS(&layers)};
  return table[processor_level()];
}

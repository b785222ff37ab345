/* What a spec says of the shape of its rows: profiles along x, or whole fields. */
#include "private.h"
#include <stdio.h>

bool spec_is_whole(const ScoriaDatasetSpec *spec)
{
  return spec->shape[1] > 1 || spec->shape[2] > 1;
}

int spec_centres(const ScoriaDatasetSpec *spec)
{
  return spec_is_whole(spec) ? spec->shape[0] + spec->shape[1] + spec->shape[2] : spec->cells;
}

void spec_cells_text(const ScoriaDatasetSpec *spec, size_t size, char text[])
{
  const int *n = spec->shape;

  if (!spec_is_whole(spec))
    snprintf(text, size, "%d cells", n[0]);
  else if (n[2] == 1)
    snprintf(text, size, "%d x %d cells", n[0], n[1]);
  else
    snprintf(text, size, "%d x %d x %d cells", n[0], n[1], n[2]);
}

int field_array_shape(const ScoriaDatasetSpec *spec, int64_t dims[SCORIA_FIELD_RANK])
{
  dims[0] = spec->rows;
  if (!spec_is_whole(spec)) {
    dims[1] = spec->cells;
    return 2;
  }
  for (int a = 0; a < 3; a++) dims[1 + a] = spec->shape[2 - a];
  return SCORIA_FIELD_RANK;
}

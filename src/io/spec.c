/* What a spec says of the shape of its rows: profiles along x, or whole fields. */
#include "private.h"
#include <stdio.h>
#include <string.h>

bool spec_is_whole(const ScoriaDatasetSpec *spec)
{
  return spec->shape[1] > 1 || spec->shape[2] > 1;
}

int spec_axes(const ScoriaDatasetSpec *spec)
{
  return spec_is_whole(spec) ? 3 : 1;
}

int spec_centres(const ScoriaDatasetSpec *spec)
{
  return fields_centres(spec->nfields, spec->field, spec->shape);
}

/* "16", "16 x 32", "16 x 32 x 32". */
static void shape_of_cells(const int n[3], size_t size, char text[])
{
  if (n[1] == 1 && n[2] == 1)
    snprintf(text, size, "%d", n[0]);
  else if (n[2] == 1)
    snprintf(text, size, "%d x %d", n[0], n[1]);
  else
    snprintf(text, size, "%d x %d x %d", n[0], n[1], n[2]);
}

/* Profiles by their axes, whole fields by the first field on these cells. */
static void different_cells(const ScoriaDatasetSpec *spec, size_t size, char text[])
{
  char n[48];

  *text = 0;
  for (int f = 0; f < spec->nfields; f++) {
    const ScoriaField *field = &spec->field[f];
    const size_t used        = strlen(text);
    int like                 = 0;

    while (!field_is_beside(&spec->field[like], field)) like++;
    if (like < f) continue;
    shape_of_cells(field->n, sizeof n, n);
    snprintf(text + used, size - used, "%s%s %s %s", f ? ", " : "", n, spec_is_whole(spec) ? "of" : "along",
             spec_is_whole(spec) ? field->name : field_axis(field, 0));
  }
}

void spec_cells_text(const ScoriaDatasetSpec *spec, size_t size, char text[])
{
  char n[48];

  if (fields_differ(spec->nfields, spec->field)) {
    different_cells(spec, size, text);
  } else {
    shape_of_cells(spec->shape, sizeof n, n);
    snprintf(text, size, "%s cells", n);
  }
}

int field_array_shape(const ScoriaDatasetSpec *spec, int f, int64_t dims[SCORIA_FIELD_RANK])
{
  int n[3] = {spec->shape[0], spec->shape[1], spec->shape[2]};

  dims[0]  = spec->rows;
  if (spec->nfields) field_shape(&spec->field[f], spec->shape, n);
  if (!spec_is_whole(spec)) {
    dims[1] = n[0];
    return 2;
  }
  for (int a = 0; a < 3; a++) dims[1 + a] = n[2 - a];
  return SCORIA_FIELD_RANK;
}

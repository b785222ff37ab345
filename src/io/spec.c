/* What a spec says of the shape of its rows: profiles along x, or whole fields. */
#include "private.h"
#include "scoria/run_files.h"
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

int fields_centres(int n, const ScoriaField field[], const int shape[3])
{
  int all = shape[1] > 1 || shape[2] > 1 ? shape[0] + shape[1] + shape[2] : shape[0];
  for (int f = 0; f < n; f++) all = PetscMax(all, field[f].centre + field[f].cells);
  return all;
}

int spec_centres(const ScoriaDatasetSpec *spec)
{
  return fields_centres(spec->nfields, spec->field, spec->shape);
}

const char *field_axis(const ScoriaField *field)
{
  return *field->axis ? field->axis : scoria_file_axes[0] + 1;
}

int field_cells(const ScoriaField *field, int cells)
{
  return field->cells ? field->cells : cells;
}

void field_pad(const ScoriaField *field, int cells, double values[])
{
  const int own = field_cells(field, cells);
  for (int i = own; i < cells; i++) values[i] = values[own - 1];
}

void fields_blank(int64_t n, int channels, const ScoriaField field[], int cells, double fields[])
{
  for (int c = 0; c < channels; c++)
    for (int64_t i = 0; i < n && field[c].cells; i++)
      for (int j = field[c].cells; j < cells; j++) fields[(i * channels + c) * cells + j] = 0;
}

int fields_axes(int n, const ScoriaField field[], int first[SCORIA_MAX_FIELDS])
{
  int axes = 0;
  for (int f = 0; f < n; f++) {
    bool new = true;
    for (int a = 0; a < axes; a++) new = new &&strcmp(field_axis(&field[first[a]]), field_axis(&field[f]));
    if (new) first[axes++] = f;
  }
  return axes;
}

int fields_place_centres(int n, ScoriaField field[])
{
  int first[SCORIA_MAX_FIELDS], longest = 0;
  const int axes = fields_axes(n, field, first);
  for (int a = 1; a < axes; a++)
    if (field[first[a]].cells > field[first[longest]].cells) longest = a;
  for (int a = 0, at = field[first[longest]].cells; a < axes; a++) {
    field[first[a]].centre = a == longest ? 0 : at;
    at += a == longest ? 0 : field[first[a]].cells;
  }
  for (int f = 0; f < n; f++)
    for (int a = 0; a < axes; a++)
      if (!strcmp(field_axis(&field[f]), field_axis(&field[first[a]]))) field[f].centre = field[first[a]].centre;
  return field[first[longest]].cells;
}

bool fields_differ(int n, const ScoriaField field[])
{
  int first[SCORIA_MAX_FIELDS];
  return fields_axes(n, field, first) > 1;
}

PetscErrorCode ScoriaFieldsAlike(int n, const ScoriaField field[], const char *what)
{
  int first[SCORIA_MAX_FIELDS];
  PetscFunctionBeginUser;
  if (fields_axes(n, field, first) > 1)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s lies along %s, %s along %s: expected fields along one axis", what,
                field[first[0]].name, field_axis(&field[first[0]]), field[first[1]].name, field_axis(&field[first[1]]));
  PetscFunctionReturn(0);
}

void spec_cells_text(const ScoriaDatasetSpec *spec, size_t size, char text[])
{
  const int *n = spec->shape;
  int first[SCORIA_MAX_FIELDS];
  const int axes = fields_axes(spec->nfields, spec->field, first);

  if (axes > 1) {
    *text = 0;
    for (int a = 0; a < axes; a++) {
      const ScoriaField *field = &spec->field[first[a]];
      const size_t used        = strlen(text);
      snprintf(text + used, size - used, "%s%d along %s", a ? ", " : "", field->cells, field_axis(field));
    }
  } else if (!spec_is_whole(spec))
    snprintf(text, size, "%d cells", n[0]);
  else if (n[2] == 1)
    snprintf(text, size, "%d x %d cells", n[0], n[1]);
  else
    snprintf(text, size, "%d x %d x %d cells", n[0], n[1], n[2]);
}

int field_array_shape(const ScoriaDatasetSpec *spec, int f, int64_t dims[SCORIA_FIELD_RANK])
{
  dims[0] = spec->rows;
  if (!spec_is_whole(spec)) {
    dims[1] = spec->nfields ? field_cells(&spec->field[f], spec->cells) : spec->cells;
    return 2;
  }
  for (int a = 0; a < 3; a++) dims[1 + a] = spec->shape[2 - a];
  return SCORIA_FIELD_RANK;
}

/* On which cells the fields of a set lie: all on the same, or each on its own. */
#include "private.h"
#include "scoria/run_files.h"
#include <stdio.h>
#include <string.h>

const char *field_axis(const ScoriaField *field, int along)
{
  return *field->axis[along] ? field->axis[along] : scoria_file_axes[along] + 1;
}

int field_cells(const ScoriaField *field, int cells)
{
  return field->cells ? field->cells : cells;
}

void field_shape(const ScoriaField *field, const int shape[3], int n[3])
{
  for (int d = 0; d < 3; d++) n[d] = field->cells ? field->n[d] : shape[d];
}

const double *field_centres(const ScoriaField *field, const int shape[3], const double x[], int along)
{
  if (field->cells) return x + field->centre[along];
  for (int d = 0; d < along; d++) x += shape[d];
  return x;
}

bool field_is_beside(const ScoriaField *field, const ScoriaField *other)
{
  bool same = true;
  for (int d = 0; d < 3; d++) same = same && !strcmp(field_axis(field, d), field_axis(other, d));
  return same;
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

bool fields_differ(int n, const ScoriaField field[])
{
  bool differ = false;
  for (int f = 1; f < n; f++) differ = differ || !field_is_beside(&field[0], &field[f]);
  return differ;
}

int fields_along_x(int n, const ScoriaField field[], const int shape[3])
{
  int most = shape[0];
  for (int f = 0; f < n; f++) most = PetscMax(most, field[f].n[0]);
  return most;
}

/* Directions that arrays of fields have. */
static int directions_of(int n, const ScoriaField field[], const int shape[3])
{
  bool whole = shape[1] > 1 || shape[2] > 1;
  for (int f = 0; f < n; f++) whole = whole || field[f].n[1] > 1 || field[f].n[2] > 1;
  return whole ? 3 : 1;
}

static int find_axis(int n, const ScoriaFieldAxis axis[], const char *name)
{
  int a = 0;
  while (a < n && strcmp(axis[a].name, name)) a++;
  return a;
}

int fields_axes(int n, const ScoriaField field[], const int shape[3], ScoriaFieldAxis axis[SCORIA_MAX_AXES])
{
  const bool differ = fields_differ(n, field);
  int axes          = 0;
  for (int f = 0, at = 0; f < (differ ? n : 1); f++)
    for (int d = 0; d < directions_of(n, field, shape); d++) {
      const char *name = differ ? field_axis(&field[f], d) : scoria_file_axes[d] + 1;
      if (find_axis(axes, axis, name) < axes) continue;
      axis[axes++] = (ScoriaFieldAxis){
          .name = name, .along = d, .n = differ ? field[f].n[d] : shape[d], .centre = differ ? field[f].centre[d] : at};
      at += shape[d];
    }
  return axes;
}

int fields_centres(int n, const ScoriaField field[], const int shape[3])
{
  ScoriaFieldAxis axis[SCORIA_MAX_AXES];
  int all = 0;
  for (int a = fields_axes(n, field, shape, axis) - 1; a >= 0; a--) all += axis[a].n;
  return all;
}

/* The centres of every axis of the field that none before it has, behind the others. */
static void place_axes(ScoriaField *of, int n, ScoriaField field[], int directions, int *at)
{
  for (int d = 0; d < directions; d++) {
    bool placed = of->centre[d] >= 0;
    if (placed) continue;
    for (int f = 0; f < n; f++)
      if (!strcmp(field_axis(&field[f], d), field_axis(of, d))) field[f].centre[d] = *at;
    *at += of->n[d];
  }
}

void fields_place_centres(int n, ScoriaField field[], int shape[3])
{
  ScoriaField *most = field;
  int at            = 0;
  for (int f = 0; f < n; f++) {
    if (field[f].cells > most->cells) most = &field[f];
    for (int d = 0; d < 3; d++) field[f].centre[d] = -1;
  }
  memcpy(shape, most->n, sizeof most->n);
  const int directions = directions_of(n, field, shape);
  place_axes(most, n, field, directions, &at);
  for (int f = 0; f < n; f++) place_axes(&field[f], n, field, directions, &at);
  for (int f = 0; f < n; f++)
    for (int d = directions; d < 3; d++) field[f].centre[d] = 0; /* there are none */
}

PetscErrorCode ScoriaFieldsAlike(int n, const ScoriaField field[], const char *what)
{
  PetscFunctionBeginUser;
  for (int f = 1; f < n; f++)
    for (int d = 0; d < 3; d++)
      if (strcmp(field_axis(&field[0], d), field_axis(&field[f], d)))
        SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s lies along %s, %s along %s: expected fields along one axis", what,
                    field[0].name, field_axis(&field[0], d), field[f].name, field_axis(&field[f], d));
  PetscFunctionReturn(0);
}

void field_axes_text(const ScoriaField *field, bool whole, size_t size, char text[])
{
  if (whole)
    snprintf(text, size, "%s %s %s", field_axis(field, 2), field_axis(field, 1), field_axis(field, 0));
  else
    snprintf(text, size, "%s", field_axis(field, 0));
}

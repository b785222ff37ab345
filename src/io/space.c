/* The conditions theta as coordinates u in [-1, 1] over the training range [lo, hi]:
 *   linear       u = (2 theta - lo - hi) / (hi - lo)
 *   logarithmic  the same of ln theta, ln lo, ln hi.
 * The inverse is written as a mean weighted by (1 -+ u)/2, which gives the ends exactly where the map is linear. */
#include "private.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static double to_unit(const ScoriaCondition *c, bool logarithmic, double theta)
{
  const double lo = logarithmic ? log(c->lo) : c->lo, hi = logarithmic ? log(c->hi) : c->hi;
  const double t = logarithmic ? log(theta) : theta;
  return c->lo == c->hi ? 0.0 : (t - lo) / (hi - lo) - (hi - t) / (hi - lo);
}

void space_to_unit(const ScoriaSpace *space, const double theta[], double u[])
{
  for (int i = 0; i < space->n; i++) u[i] = to_unit(&space->c[i], space->c[i].log, theta[i]);
}

void space_to_learned(const ScoriaSpace *space, const double theta[], double u[])
{
  for (int i = 0; i < space->n; i++) u[i] = to_unit(&space->c[i], space->c[i].log || space->c[i].log_learned, theta[i]);
}

void space_from_unit(const ScoriaSpace *space, const double u[], double theta[])
{
  for (int i = 0; i < space->n; i++) {
    const ScoriaCondition *c = &space->c[i];
    const double lo = c->log ? log(c->lo) : c->lo, hi = c->log ? log(c->hi) : c->hi;
    const double t = 0.5 * ((1.0 - u[i]) * lo + (1.0 + u[i]) * hi);

    theta[i]       = c->lo == c->hi ? c->lo : (c->log ? exp(t) : t);
  }
}

bool field_is_state(const ScoriaField *field)
{
  return !field->latent;
}

bool field_is_one_value(const ScoriaField *field)
{
  const size_t length = strlen(field->description), end = strlen(SCORIA_ONE_VALUE);
  return length >= end && !strcmp(field->description + length - end, SCORIA_ONE_VALUE);
}

int spec_states(const ScoriaDatasetSpec *spec)
{
  int n = 0;
  while (n < spec->nfields && field_is_state(&spec->field[n])) n++;
  return n;
}

bool field_was_latent(const char *name)
{
  const size_t size = strlen(name);
  return !strcmp(name, "eps") || (size > 3 && !strcmp(name + size - 3, "_sd"));
}

int field_find(int n, const ScoriaField field[], const char *name)
{
  int f = n - 1;
  while (f >= 0 && strcmp(field[f].name, name)) f--;
  return f;
}

void space_describe(const ScoriaSpace *space, const double theta[], size_t size, char text[])
{
  size_t used = 0;
  *text       = 0;
  for (int i = 0; i < space->n && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, "%s%s = %g%s%s", i ? ", " : "", space->c[i].name, theta[i],
                             *space->c[i].unit ? " " : "", space->c[i].unit);
}

int space_find(const ScoriaSpace *space, const char *name)
{
  for (int i = 0; i < space->n; i++) {
    if (!strcmp(space->c[i].name, name)) return i;
  }
  return -1;
}

int space_thickness(const ScoriaSpace *space)
{
  for (int i = 0; i < space->n; i++)
    if (space->c[i].thickness) return i;
  return -1;
}

double space_length(const ScoriaSpace *space, const double theta[], double ends)
{
  const int i = space_thickness(space);
  return i < 0 ? ends : ends * theta[i];
}

const char *space_axis_unit(const ScoriaSpace *space, int axis)
{
  return space_has_shares(space, axis) ? "1" : space->lengths_unknown ? SCORIA_UNIT_UNKNOWN : "m";
}

const char *space_axis_help(const ScoriaSpace *space, int axis)
{
  return space_has_shares(space, axis) ? "cell centres, x / L" : "cell centres";
}

const char *space_place_unit(const ScoriaSpace *space, int axis)
{
  return space_has_shares(space, axis) || space->lengths_unknown ? "" : " m";
}

bool space_has_shares(const ScoriaSpace *space, int axis)
{
  return axis == 0 && space_thickness(space) >= 0;
}

const char *space_places_text(const ScoriaSpace *space)
{
  return space_has_shares(space, 0)
             ? "the thickness is a condition, and places are shares of it: expected x / L, from "
               "0 to 1"
             : "nothing said what unit x of the imported file is in, and places are its numbers: "
               "expected such a number, or import.x: {path: /x, units: um}, and the file "
               "imported anew";
}

bool space_reads_as_metres(const ScoriaSpace *space, int cells, const double ends[2], double place)
{
  const int i = space_thickness(space);
  if (i < 0) return space->lengths_unknown && place > 0 && place < 5e-4 * (ends[1] - ends[0]) / cells;
  return place > 0 && place < 0.5 / cells && place <= space->c[i].hi;
}

bool condition_inside(const ScoriaCondition *c, double value)
{
  const double slack = 1e-12 * PetscMax(PetscAbsReal(c->lo), PetscAbsReal(c->hi));
  return value >= c->lo - slack && value <= c->hi + slack;
}

/* Packed numbers: scale_factor, add_offset, _FillValue, missing_value, valid_min, valid_max, valid_range, _Unsigned and
 * units, as netCDF's Users Guide (appendix A) and the CF conventions have them, and xarray reads them. */
#include "foreign.h"
#include <float.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text of fixed or variable length, cut to its size; "" where there is none. */
static void text_of(hid_t array, const char *name, size_t size, char text[])
{
  char fixed[256] = "", *variable = NULL;
  text[0] = 0;
  if (H5Aexists(array, name) <= 0) return;
  const hid_t attribute = H5Aopen(array, name, H5P_DEFAULT);
  if (attribute < 0) return;
  const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  if (H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1) {
    if (H5Tis_variable_str(type) > 0) {
      if (H5Aread(attribute, type, &variable) >= 0 && variable) snprintf(text, size, "%s", variable);
      if (variable) H5free_memory(variable);
    } else if (H5Tget_size(type) < sizeof fixed && H5Aread(attribute, type, fixed) >= 0)
      snprintf(text, size, "%s", fixed);
  }
  H5Sclose(space);
  H5Tclose(type);
  H5Aclose(attribute);
}

/* Numbers of an attribute of the array `of`, at most `most` of them; 0 where there is none.  A text that reads as a
 * number is one, as MATLAB and others write attributes; what is neither, or is more, would change every value: trouble.
 */
static int numbers(hid_t array, const char *of, const char *name, int most, double v[], H5T_class_t *class,
                   ScoriaTrouble *bad)
{
  char text[64], *end;
  int n = 0;
  if (H5Aexists(array, name) <= 0) return 0;
  const hid_t attribute = H5Aopen(array, name, H5P_DEFAULT);
  if (attribute < 0) return 0;
  const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  const hssize_t found = H5Sget_simple_extent_npoints(space);
  *class               = H5Tget_class(type);
  if (*class == H5T_STRING) {
    text_of(array, name, sizeof text, text);
    v[0] = strtod(text, &end);
    while (isspace((unsigned char)*end)) end++;
    n      = *text && !*end;
    *class = H5T_FLOAT;
    if (*text && *end)
      trouble_note(bad, SCORIA_EXIT_INPUT, "array %s: its attribute %s is the text \"%s\", expected a number", of, name,
                   text);
  } else if (found > most || (*class != H5T_INTEGER && *class != H5T_FLOAT))
    trouble_note(bad, SCORIA_EXIT_INPUT, "array %s: its attribute %s has %lld value%s%s, expected %d number%s", of,
                 name, (long long)found, found == 1 ? "" : "s", found > most ? "" : " of another kind", most,
                 most == 1 ? "" : "s at most");
  else if (found >= 1 && H5Aread(attribute, H5T_NATIVE_DOUBLE, v) >= 0)
    n = (int)found;
  H5Sclose(space);
  H5Tclose(type);
  H5Aclose(attribute);
  return n;
}

static void say(ScoriaPacking *p, const char *what, double value)
{
  const size_t used = strlen(p->text);
  snprintf(p->text + used, sizeof p->text - used, "%s%s %.10g", used ? ", " : "", what, value);
}

static void read_missing(hid_t array, const char *of, bool single, ScoriaPacking *p, ScoriaTrouble *bad)
{
  static const char *const names[] = {"_FillValue", "missing_value"};
  H5T_class_t class;
  for (int k = 0; k < 2; k++) {
    double *to  = p->missing + p->nmissing;
    const int n = numbers(array, of, names[k], SCORIA_MISSING - p->nmissing, to, &class, bad);
    for (int i = 0; i < n; i++) {
      if (single) to[i] = (double)(float)to[i]; /* as it is in the array */
      if (p->wrap > 0 && to[i] < 0) to[i] += p->wrap;
      if (isfinite(to[i])) say(p, names[k], to[i]); /* a NaN is none without being told */
    }
    p->nmissing += n;
  }
}

/* Limits are of raw numbers, but for real ones of integers: those are of the unpacked values (netCDF Users Guide). */
static void read_valid(hid_t array, const char *of, bool integers, bool scaled, ScoriaPacking *p, ScoriaTrouble *bad)
{
  H5T_class_t class = H5T_INTEGER;
  double range[2]   = {-INFINITY, INFINITY};
  const int n       = numbers(array, of, "valid_range", 2, range, &class, bad);
  if (n == 1) trouble_note(bad, SCORIA_EXIT_INPUT, "array %s: its attribute valid_range has 1 value, expected 2", of);
  if (n != 2) {
    range[0] = -INFINITY;
    range[1] = INFINITY;
    numbers(array, of, "valid_min", 1, &range[0], &class, bad);
    numbers(array, of, "valid_max", 1, &range[1], &class, bad);
  }
  if (range[0] > range[1])
    trouble_note(bad, SCORIA_EXIT_INPUT, "array %s: valid from %g to %g by its attributes: no value is", of, range[0],
                 range[1]);
  p->lo       = range[0];
  p->hi       = range[1];
  p->unpacked = integers && scaled && class == H5T_FLOAT;
  if (isfinite(p->lo)) say(p, "valid from", p->lo);
  if (isfinite(p->hi)) say(p, "valid to", p->hi);
}

/* Where no attribute says it, the unit that stands in brackets at the end of a name, "x [um]"; not what reads as no
 * unit, "c [0]", "eps [-]". */
static void unit_of_name(const char *name, ScoriaPacking *p)
{
  const char *open = strrchr(name, '['), *close = open ? strchr(open, ']') : NULL;
  const size_t n = close ? (size_t)(close - open - 1) : 0;
  bool letters   = false;
  if (*p->unit || !n || close[1] || n >= sizeof p->unit) return;
  for (size_t i = 1; i <= n; i++) letters = letters || isalpha((unsigned char)open[i]) || open[i] == '%';
  if (!letters) return;
  snprintf(p->unit, sizeof p->unit, "%.*s", (int)n, open + 1);
  p->named = true;
}

PetscErrorCode PackingRead(hid_t array, const char *name, ScoriaPacking *packing, ScoriaTrouble *bad)
{
  char flag[8];
  H5T_class_t class;
  hid_t type;

  PetscFunctionBeginUser;
  *packing = (ScoriaPacking){.scale = 1, .lo = -INFINITY, .hi = INFINITY};
  CallH5(type = H5Dget_type(array));
  const bool integers = H5Tget_class(type) == H5T_INTEGER;
  const size_t size   = H5Tget_size(type);
  text_of(array, "_Unsigned", sizeof flag, flag);
  if (integers && size < 8 && H5Tget_sign(type) == H5T_SGN_2 && !strcmp(flag, "true")) {
    packing->wrap = ldexp(1, 8 * (int)size);
    snprintf(packing->text, sizeof packing->text, "_Unsigned");
  }
  const bool single = H5Tget_class(type) == H5T_FLOAT && size == 4;
  if (H5Tget_class(type) == H5T_ENUM) enumeration_text(type, sizeof packing->text, packing->text);
  H5Tclose(type);
  const int scale  = numbers(array, name, "scale_factor", 1, &packing->scale, &class, bad);
  const int offset = numbers(array, name, "add_offset", 1, &packing->offset, &class, bad);
  if (scale) say(packing, "scale_factor", packing->scale);
  if (offset) say(packing, "add_offset", packing->offset);
  if (!isfinite(packing->scale) || packing->scale == 0 || !isfinite(packing->offset))
    trouble_note(bad, SCORIA_EXIT_INPUT, "array %s: found scale_factor %g and add_offset %g, expected numbers, not 0",
                 name, packing->scale, packing->offset);
  read_missing(array, name, single, packing, bad);
  read_valid(array, name, integers, scale || offset, packing, bad);
  text_of(array, "units", sizeof packing->unit, packing->unit);
  unit_of_name(name, packing);
  PetscFunctionReturn(0);
}

void packing_apply(const ScoriaPacking *p, size_t n, double v[])
{
  if (!*p->text) return;
  for (size_t i = 0; i < n; i++) {
    double raw = v[i];
    if (raw < 0) raw += p->wrap;
    v[i] = raw * p->scale + p->offset;
    for (int k = 0; k < p->nmissing; k++)
      if (raw == p->missing[k]) v[i] = NAN;
    const double limited = p->unpacked ? v[i] : raw;
    if (limited < p->lo || limited > p->hi) v[i] = NAN;
  }
}

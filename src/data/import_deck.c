/* import: the deck's section. */
#include "import.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const axis_members[] = {"path", "scale", "offset", "units", NULL};

/* 0 to 2 of x, y, z, else -1. */
static int grid_axis(const char *name)
{
  int d = IMPORT_GRID - 1;
  while (d >= 0 && strcmp(name, import_grid_names[d])) d--;
  return d;
}

/* x, y, z and row are the axes of a dataset. */
static PetscErrorCode CheckName(const char *key, const char *name)
{
  bool good = isalpha((unsigned char)*name) && strcmp(name, "row") && grid_axis(name) < 0;
  PetscFunctionBeginUser;
  for (const char *at = name; *at; at++) good = good && (isalnum((unsigned char)*at) || *at == '_');
  if (!good)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: found the name \"%s\", expected a letter, then letters, digits and _, other than x, y, z and row",
                key, name);
  PetscFunctionReturn(0);
}

/* "/data/state:1", or where a number may stand for all rows, "0.5". */
static PetscErrorCode ReadPath(const char *key, const char *name, const char *value, bool channel, bool number,
                               ImportColumn *to)
{
  char *end;
  PetscFunctionBeginUser;
  *to = (ImportColumn){.array = -1, .channel = -1, .scale = 1, .cells = {-1, -1, -1}, .channels = -1};
  if (value && *value != '/' && number) {
    PetscCall(ScoriaListNumber(key, name, value, &to->value));
    PetscFunctionReturn(0);
  }
  const char *colon = channel && value ? strrchr(value, ':') : NULL;
  if (!value || *value != '/' || strlen(value) >= sizeof to->path || colon == value + 1)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found \"%s\", expected the path of an array, /group/name%s", key, name,
                value ? value : "no path", number ? ", or a number" : "");
  PetscCall(PetscStrncpy(to->path, value, sizeof to->path));
  if (!colon) PetscFunctionReturn(0);
  to->path[colon - value] = 0;
  to->channel             = strtol(colon + 1, &end, 10);
  if (end == colon + 1 || *end || to->channel < 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found \"%s\", expected a number from 0 after the colon", key, name, value);
  PetscFunctionReturn(0);
}

static PetscErrorCode SetUnit(const char *key, const char *name, const char *value, size_t size, char unit[])
{
  PetscFunctionBeginUser;
  if (strlen(value) >= size)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found \"%s\", expected at most %zu characters", key, name, value, size - 1);
  PetscCall(PetscStrncpy(unit, value, size));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetRange(const char *key, const char *name, const char *value, char between, ScoriaCondition *c)
{
  char *end = NULL;
  PetscFunctionBeginUser;
  c->lo = strtod(value, &end);
  if (*end == between) c->hi = strtod(end + 1, &end);
  if (*end || !(c->lo < c->hi) || !isfinite(c->hi - c->lo))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found \"%s\", expected low%chigh", key, name, value, between);
  PetscFunctionReturn(0);
}

static PetscErrorCode SetScale(const char *key, const char *name, const char *value, ImportColumn *to)
{
  double factor;
  PetscFunctionBeginUser;
  PetscCall(ScoriaListNumber(key, name, value, &factor));
  if (factor == 0) SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found 0, expected a factor", key, name);
  to->scale *= factor;
  to->scaled = true;
  PetscFunctionReturn(0);
}

/* Of cell centres: the length that the file's numbers are in. */
static PetscErrorCode SetLength(const char *key, const char *member, const char *unit, ImportColumn *to)
{
  PetscFunctionBeginUser;
  if (!length_in_metres(unit))
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: %s: found \"%s\", expected a length such as m, cm, mm, um or nm; or give a scale", key, member,
                unit);
  if (!to->scaled) PetscCall(SetUnit(key, member, unit, sizeof to->unit, to->unit));
  to->scale *= length_in_metres(unit);
  to->scaled = true;
  PetscFunctionReturn(0);
}

/* What a mapping says beside the path; all of it may be there for x too. */
static PetscErrorCode ReadMembers(ScoriaEntries e, int i, const char *key, const char *name, ImportColumn *to)
{
  const char *order = entries_value(e, i, "order"), *channel = entries_value(e, i, "channel");
  const char *scale = entries_value(e, i, "scale"), *offset = entries_value(e, i, "offset");
  double number;
  PetscFunctionBeginUser;
  if (order && strlen(order) >= sizeof to->order)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: order: found more than %zu characters", key, name, sizeof to->order - 1);
  if (order) PetscCall(PetscStrncpy(to->order, order, sizeof to->order));
  if (channel) {
    PetscCall(ScoriaListNumber(key, name, channel, &number));
    if (number < 0 || number != floor(number) || number > 1e9)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: channel: found \"%s\", expected an integer from 0", key, name, channel);
    to->channel = (int64_t)number;
  }
  if (scale) PetscCall(SetScale(key, name, scale, to));
  if (offset) {
    PetscCall(ScoriaListNumber(key, name, offset, &to->offset));
    to->scaled = true;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadCondition(ScoriaEntries e, int i, const char *key, ScoriaCondition *c)
{
  const char *unit = entries_value(e, i, "units"), *range = entries_value(e, i, "range");
  const char *logarithmic = entries_value(e, i, "logarithmic");
  PetscFunctionBeginUser;
  if (unit) PetscCall(SetUnit(key, c->name, unit, sizeof c->unit, c->unit));
  if (range) PetscCall(SetRange(key, c->name, range, ',', c));
  if (logarithmic && strcasecmp(logarithmic, "true") && strcasecmp(logarithmic, "false"))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: logarithmic: found \"%s\", expected true or false", key, c->name,
                logarithmic);
  c->log = logarithmic && !strcasecmp(logarithmic, "true");
  PetscFunctionReturn(0);
}

/* The axis along direction d that a field has of its own. */
static PetscErrorCode ReadOwn(ScoriaEntries e, int f, int d, const char *key, const char *name, Import *im)
{
  const char *axis = import_grid_names[d];
  char of_scale[16], of_unit[16], what[SCORIA_NAME_SIZE + 16];
  ImportColumn *to = &im->own[f][d];
  PetscFunctionBeginUser;
  snprintf(of_scale, sizeof of_scale, "%s_scale", axis);
  snprintf(of_unit, sizeof of_unit, "%s_units", axis);
  const char *path = entries_value(e, f, axis), *scale = entries_value(e, f, of_scale);
  const char *unit = entries_value(e, f, of_unit);
  if (!path && (scale || unit))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: %s without %s, the path of its own cell centres", key, name,
                scale ? of_scale : of_unit, axis);
  if (!path) PetscFunctionReturn(0);
  if (d >= im->grid)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: %s: found %s, cell centres of its own, and import_%s is not set, those of the fields that name "
                "none",
                key, name, axis, axis);
  snprintf(what, sizeof what, "%s: %s", name, axis);
  PetscCall(ReadPath(key, what, path, false, false, to));
  if (scale && unit)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found %s and %s, expected one of them", key, name, of_scale, of_unit);
  if (scale) PetscCall(SetScale(key, what, scale, to));
  snprintf(what, sizeof what, "%s: %s", name, of_unit);
  if (unit) PetscCall(SetLength(key, what, unit, to));
  PetscFunctionReturn(0);
}

/* One key, fields or conditions. */
static PetscErrorCode ReadColumns(ScoriaDeck deck, bool conditions, Import *im)
{
  const char *key = conditions ? "import_conditions" : "import_fields";
  const int most  = conditions ? SCORIA_MAX_CONDITIONS : SCORIA_MAX_FIELDS;
  int *n          = conditions ? &im->spec.space.n : &im->spec.nfields;
  ScoriaEntries e;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckEntries(deck, key, conditions ? scoria_condition_members : scoria_field_members, &e));
  if (!entries_count(e)) SCORIA_FAIL(SCORIA_EXIT_INPUT, "import: %s is not set, expected [name=/path, ...]", key);
  for (int i = 0; i < entries_count(e); i++) {
    const char *name = entries_name(e, i);
    ImportColumn *to = conditions ? &im->condition[i] : &im->field[i];
    PetscCall(CheckName(key, name));
    if (field_find(im->spec.nfields, im->spec.field, name) >= 0 || space_find(&im->spec.space, name) >= 0)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found %s twice", key, name);
    if (*n == most) SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: \"%s\" is one too many, expected at most %d", key, name, most);
    PetscCall(ReadPath(key, name, entries_value(e, i, "path"), entries_short(e, i), conditions, to));
    PetscCall(ReadMembers(e, i, key, name, to));
    PetscCall(PetscStrncpy(conditions ? im->spec.space.c[i].name : im->spec.field[i].name, name, SCORIA_NAME_SIZE));
    ++*n;
    const char *unit = entries_value(e, i, "units");
    if (conditions)
      PetscCall(ReadCondition(e, i, key, &im->spec.space.c[i]));
    else if (unit)
      PetscCall(SetUnit(key, name, unit, sizeof im->spec.field[i].unit, im->spec.field[i].unit));
    for (int d = 0; d < IMPORT_GRID && !conditions; d++) PetscCall(ReadOwn(e, i, d, key, name, im));
  }
  PetscCall(ScoriaEntriesDestroy(&e));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------- lists beside the short form
 * ---- */

/* Calls take for every entry of a list about a field (f >= 0) or a condition (k >= 0), or cell centres (both are -1).
 */
typedef PetscErrorCode (*TakeEntry)(Import *im, const char *name, int f, int k, const char *value);

static PetscErrorCode ReadEntries(ScoriaDeck deck, Import *im, const char *key, TakeEntry take)
{
  const char *list = NULL;
  char name[SCORIA_NAME_SIZE], value[64];
  bool found;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, key, &list));
  for (;;) {
    PetscCall(ScoriaListPair(key, &list, sizeof value, name, value, &found));
    if (!found) break;
    const int f = field_find(im->spec.nfields, im->spec.field, name), k = space_find(&im->spec.space, name);
    if (f < 0 && k < 0 && (grid_axis(name) < 0 || grid_axis(name) >= im->grid))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found \"%s\", which is no field or condition of the import", key, name);
    PetscCall(take(im, name, f, k, value));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeUnit(Import *im, const char *name, int f, int k, const char *value)
{
  char text[64];
  PetscFunctionBeginUser;
  if (f < 0 && k < 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "import_units: %s is in m; give a factor to m in import_scale", name);
  PetscCall(PetscStrncpy(text, value, sizeof text));
  for (char *at = text; *at; at++)
    if (*at == '*') *at = ' ';
  PetscCall(SetUnit("import_units", name, text, sizeof im->spec.field[0].unit,
                    f >= 0 ? im->spec.field[f].unit : im->spec.space.c[k].unit));
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeScale(Import *im, const char *name, int f, int k, const char *value)
{
  ImportColumn *column = f >= 0 ? &im->field[f] : k >= 0 ? &im->condition[k] : &im->centre[grid_axis(name)];
  PetscFunctionBeginUser;
  if (column->scaled) SCORIA_FAIL(SCORIA_EXIT_INPUT, "import_scale: %s: its scale or offset is set already", name);
  PetscCall(SetScale("import_scale", name, value, column));
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeRange(Import *im, const char *name, int f, int k, const char *value)
{
  PetscFunctionBeginUser;
  (void)f;
  if (k < 0) SCORIA_FAIL(SCORIA_EXIT_INPUT, "import_ranges: %s is no condition", name);
  PetscCall(SetRange("import_ranges", name, value, ':', &im->spec.space.c[k]));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadLogarithmic(ScoriaDeck deck, Import *im)
{
  const char *list = NULL;
  char name[SCORIA_NAME_SIZE];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "import_logarithmic", &list));
  while (list_next_word(&list, sizeof name, name)) {
    const int k = space_find(&im->spec.space, name);
    if (k < 0) SCORIA_FAIL(SCORIA_EXIT_INPUT, "import_logarithmic: found \"%s\", which is no condition", name);
    im->spec.space.c[k].log = true;
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------------- axes ---- */

static PetscErrorCode ReadCentre(ScoriaDeck deck, int d, ImportColumn *to)
{
  const char *name = import_grid_names[d];
  char key[16];
  ScoriaEntries e;
  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(key, sizeof key, "import_%s", name));
  PetscCall(ScoriaDeckEntries(deck, key, axis_members, &e));
  if (!entries_count(e))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "import: %s is not set, expected the path of the cell centres%s", key,
                d == 1 ? ", as import_z is"
                : d    ? ""
                       : ", or none where all fields are one value a row");
  PetscCall(ReadPath(key, name, entries_value(e, 0, "path"), false, false, to));
  PetscCall(ReadMembers(e, 0, key, name, to));
  const char *unit = entries_value(e, 0, "units");
  if (unit) PetscCall(SetLength(key, "units", unit, to));
  PetscCall(ScoriaEntriesDestroy(&e));
  PetscFunctionReturn(0);
}

/* Profiles along x, or none, of which two cells hold the values of scalars, fields in x and y, or in x, y and z. */
static PetscErrorCode ReadCentres(ScoriaDeck deck, Import *im)
{
  const char *x = NULL;
  bool y, z;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckHas(deck, "import_y", &y));
  PetscCall(ScoriaDeckHas(deck, "import_z", &z));
  im->grid = z ? 3 : y ? 2 : 1;
  PetscCall(ScoriaDeckString(deck, "import_x", &x));
  im->centre[0].scale = 1;
  if (x && !strcmp(x, "none") && im->grid == 1) PetscFunctionReturn(0);
  for (int d = 0; d < im->grid; d++) PetscCall(ReadCentre(deck, d, &im->centre[d]));
  PetscFunctionReturn(0);
}

/* The order of the axes of all fields that say none of their own. */
static PetscErrorCode ReadOrder(ScoriaDeck deck, Import *im)
{
  const char *order = NULL;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "import_order", &order));
  if (order && strlen(order) >= sizeof im->field[0].order)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "import_order: found more than %zu characters", sizeof im->field[0].order - 1);
  for (int f = 0; f < im->spec.nfields && order; f++)
    if (!*im->field[f].order) PetscCall(PetscStrncpy(im->field[f].order, order, sizeof im->field[f].order));
  PetscFunctionReturn(0);
}

PetscErrorCode ImportReadDeck(ScoriaDeck deck, Import *im)
{
  double reference[SCORIA_MAX_FIELDS];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "import_file", &im->path));
  if (!im->path) SCORIA_FAIL(SCORIA_EXIT_INPUT, "import: import_file is not set, expected an HDF5 file");
  PetscCall(ReadCentres(deck, im));
  PetscCall(ReadColumns(deck, false, im));
  PetscCall(ReadColumns(deck, true, im));
  PetscCall(ReadOrder(deck, im));
  PetscCall(ReadEntries(deck, im, "import_units", TakeUnit));
  PetscCall(ReadEntries(deck, im, "import_scale", TakeScale));
  PetscCall(ReadEntries(deck, im, "import_ranges", TakeRange));
  PetscCall(ReadLogarithmic(deck, im));
  /* What is wrong with these is told before the work, not by train. */
  for (int f = 0; f < SCORIA_MAX_FIELDS; f++) reference[f] = NAN;
  PetscCall(ScoriaImportedReferences(deck, reference));
  PetscCall(ScoriaImportedBounds(deck, im->bounded, im->bounds));
  for (int f = 0; f < im->spec.nfields; f++)
    if (im->bounded[f] && isfinite(reference[f]))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "import_fields: %s: found bounds and a reference, expected one of them",
                  im->spec.field[f].name);
  PetscCall(ScoriaDeckBool(deck, "ensemble_float64", &im->spec.float64));
  PetscFunctionReturn(0);
}

/* import: which axis of an array is which.  By their names, where the deck gives an order; else by the dimension scales
 * of the file; else by their extents, where these leave no choice.  Axes of extent 1 do not matter. */
#include "import_axes.h"
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------------ names ---- */

static int count_words(const char *list)
{
  char word[SCORIA_NAME_SIZE];
  int n = 0;
  while (list_next_word(&list, sizeof word, word)) n++;
  return n;
}

/* ImportNames of the axes by the deck, which may leave out those of extent 1; else by their scales, or "". */
static PetscErrorCode NameAxes(const Import *im, const char *what, const ImportColumn *c, ImportNames name)
{
  const ScoriaForeignAxis *scale = foreign_axes(im->file, c->array);
  const int words                = count_words(c->order);
  const char *list               = c->order;
  char expected[400];
  int matter = 0;
  PetscFunctionBeginUser;
  for (int a = 0; a < c->rank; a++) {
    PetscCall(PetscStrncpy(name[a], scale[a].name, SCORIA_NAME_SIZE));
    matter += import_matters(c, a);
  }
  if (!words) PetscFunctionReturn(0);
  snprintf(expected, sizeof expected, "the axes [%.300s] of its order", c->order);
  if (words != c->rank && words != matter) PetscCall(ImportWrongShape(im, what, c, expected));
  for (int a = 0; a < c->rank; a++) {
    name[a][0] = 0;
    if (words == c->rank || import_matters(c, a)) list_next_word(&list, SCORIA_NAME_SIZE, name[a]);
    for (int b = 0; b < a && *name[a]; b++)
      if (!strcmp(name[a], name[b]))
        SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: order: found the axis %s twice", im->path, what, name[a]);
  }
  PetscFunctionReturn(0);
}

/* The axis of channels is the last one but that of the cells, where it is not named. */
static PetscErrorCode FindChannels(const Import *im, const char *what, ImportNames name, ImportColumn *c)
{
  char expected[192];
  int others = 0;
  PetscFunctionBeginUser;
  c->channels = import_named(c, name, "channel");
  if (c->channels >= 0 && c->channel < 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: its order has an axis of channels: expected which one, channel: 0",
                im->path, what);
  if (c->channel < 0) PetscFunctionReturn(0);
  for (int a = 0; a < c->rank; a++)
    if (!import_is_cell(c, a)) {
      others++;
      if (!*c->order) c->channels = a;
    }
  snprintf(expected, sizeof expected, "(rows, channels, %d) with more than %lld channels", import_cells(im, c),
           (long long)c->channel);
  if (others < 2 || c->channels < 0 || c->channel >= c->dims[c->channels])
    PetscCall(ImportWrongShape(im, what, c, expected));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------- axes of rows ---- */

/* The axis of the import's that an array's axis is, by the names of the deck's or by scale; -1: not told. */
static int find_axis(const Import *im, const ImportColumn *c, ImportNames name, int a)
{
  const ScoriaForeignAxis *scale = foreign_axes(im->file, c->array);
  for (int i = 0; i < im->naxes; i++) {
    const bool by_name = *c->order && *im->axis[i].name && !strcmp(name[a], im->axis[i].name);
    if (by_name || (!*c->order && import_same_scale(&scale[a], &im->axis[i].scale))) return i;
  }
  return -1;
}

static bool is_of_rows(const ImportColumn *c, int a)
{
  return !import_is_cell(c, a) && a != c->channels && import_matters(c, a);
}

/* The field with most axes of rows says which there are. */
static void define_axes(Import *im, ImportColumn *c, ImportNames name)
{
  im->found = 1;
  for (int a = 0; a < c->rank; a++) {
    if (!is_of_rows(c, a)) continue;
    ImportAxis *axis = &im->axis[im->naxes];
    *axis            = (ImportAxis){.length = c->dims[a], .scale = foreign_axes(im->file, c->array)[a]};
    snprintf(axis->name, sizeof axis->name, "%s", name[a]);
    c->axis[a] = im->naxes++;
    im->found *= c->dims[a];
  }
}

/* Every axis of rows is declared, has the right length, and is another one: how many there are, or -1. */
static int match_declared(const Import *im, ImportColumn *c, ImportNames name)
{
  bool taken[SCORIA_FOREIGN_RANK] = {false};
  int n                           = 0;
  for (int a = 0; a < c->rank; a++) {
    if (!is_of_rows(c, a)) continue;
    const int i = find_axis(im, c, name, a);
    if (i < 0 || taken[i] || im->axis[i].length != c->dims[a]) return -1;
    taken[i]   = true;
    c->axis[a] = i;
    n++;
  }
  return n;
}

/* All axes of rows in their order. */
static bool match_in_order(const Import *im, ImportColumn *c)
{
  int n = 0;
  for (int a = 0; a < c->rank; a++) {
    if (!is_of_rows(c, a)) continue;
    if (n == im->naxes || im->axis[n].length != c->dims[a]) return false;
    c->axis[a] = n++;
  }
  return n == im->naxes;
}

static int64_t values_of(const ImportColumn *c, int *axes)
{
  int64_t values = 1;
  *axes          = 0;
  for (int a = 0; a < c->rank; a++)
    if (is_of_rows(c, a)) {
      values *= c->dims[a];
      ++*axes;
    }
  return values;
}

/* Rows one after the other, where one of the two has them along one axis. */
static bool match_flat(Import *im, ImportColumn *c)
{
  int axes;
  if (values_of(c, &axes) != im->found || (axes > 1 && im->naxes > 1)) return false;
  for (int a = 0; a < c->rank; a++)
    if (is_of_rows(c, a)) c->axis[a] = IMPORT_ALONE;
  im->flat = true;
  return true;
}

static void clear_axes(ImportColumn *c)
{
  for (int a = 0; a < SCORIA_FOREIGN_RANK; a++) c->axis[a] = -1;
}

/* Cells, channels, and rows of one field by itself. */
static PetscErrorCode Classify(Import *im, int f, ImportNames name, int *axes)
{
  const char *what = im->spec.field[f].name;
  ImportColumn *c  = &im->field[f];
  PetscFunctionBeginUser;
  foreign_shape(im->file, c->array, &c->rank, c->dims);
  clear_axes(c);
  PetscCall(NameAxes(im, what, c, name));
  PetscCall(ImportFindCells(im, what, name, c));
  PetscCall(FindChannels(im, what, name, c));
  values_of(c, axes);
  PetscFunctionReturn(0);
}

/* Of a field that by its extents alone seems to have some of the axes of cells: as one value a row, where it has as
 * many values as there are rows. */
static bool match_scalar(Import *im, ImportColumn *c)
{
  ImportColumn scalar = *c;
  int axes;
  for (int d = 0; d < IMPORT_GRID; d++) scalar.cells[d] = -1;
  for (int a = 0; a < SCORIA_FOREIGN_RANK; a++) scalar.step[a] = 0;
  clear_axes(&scalar);
  if (*c->order || values_of(&scalar, &axes) != im->found) return false;
  if (!match_in_order(im, &scalar)) {
    clear_axes(&scalar);
    if (!match_flat(im, &scalar)) return false;
  }
  *c = scalar;
  return true;
}

static PetscErrorCode MatchField(Import *im, int f, ImportNames name)
{
  const char *what = im->spec.field[f].name, *told = im->spec.field[im->told].name;
  ImportColumn *c = &im->field[f];
  int axes;
  PetscFunctionBeginUser;
  if (match_declared(im, c, name) == im->naxes) PetscFunctionReturn(0);
  clear_axes(c);
  if (match_in_order(im, c)) PetscFunctionReturn(0);
  clear_axes(c);
  if (match_flat(im, c) || match_scalar(im, c)) PetscFunctionReturn(0);
  const int64_t rows = values_of(c, &axes);
  if (import_lacks(im, c) >= 0) PetscCall(ImportWrongCells(im, what, c, import_lacks(im, c)));
  if (rows != im->found)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s has %lld rows, %s has %lld: expected equally many", im->path, what,
                (long long)rows, told, (long long)im->found);
  SCORIA_FAIL(SCORIA_EXIT_INPUT,
              "%s: %s: its axes of rows are not those of %s in their order: name them, as in import: fields: {%s: "
              "{path: %s, order: [realisation, condition, x]}}",
              im->path, what, told, what, c->path);
}

/* Of a field that lacks axes of cells. */
PetscErrorCode ImportSayRepeated(const Import *im, int f)
{
  const ImportColumn *c = &im->field[f];
  char along[32] = "", one[32] = "";
  PetscFunctionBeginUser;
  for (int d = 0; d < im->grid; d++) {
    char *to = import_extent(im, c, d) > 1 ? along : one;
    if (c->cells[d] < 0)
      snprintf(to + strlen(to), sizeof along - strlen(to), "%s%s", *to ? " and " : "", import_grid_names[d]);
  }
  if (*one)
    PetscCall(ScoriaSay(im->run, "  %s: lacks an axis of cells, has one cell along %s", im->spec.field[f].name, one));
  if (*along)
    PetscCall(ScoriaSay(im->run, "  %s: %s, held as the same along %s", im->spec.field[f].name,
                        import_is_scalar(im, c) ? "one value a row" : "lacks an axis of cells", along));
  PetscFunctionReturn(0);
}

/* The rows are those of a field with all axes of cells: of one without, an axis of another length might be meant.  Of
 * several that with most axes of rows, then with most rows: scalars (conditions, realisations) may have as many
 * realisations as there are cells. */
PetscErrorCode ImportPlaceFields(Import *im)
{
  ImportNames name[SCORIA_MAX_FIELDS];
  int axes, most = -1;
  int64_t rows = 0;
  PetscFunctionBeginUser;
  im->told = -1;
  for (int f = 0; f < im->spec.nfields; f++) {
    PetscCall(Classify(im, f, name[f], &axes));
    const int64_t of = values_of(&im->field[f], &axes);
    if ((import_lacks(im, &im->field[f]) >= 0 && import_has_cells(im, &im->field[f])) || axes < most ||
        (axes == most && of <= rows))
      continue;
    im->told = f;
    most     = axes;
    rows     = of;
  }
  if (im->told < 0)
    PetscCall(ImportWrongCells(im, im->spec.field[0].name, &im->field[0], import_lacks(im, &im->field[0])));
  define_axes(im, &im->field[im->told], name[im->told]);
  for (int f = 0; f < im->spec.nfields; f++)
    if (f != im->told) PetscCall(MatchField(im, f, name[f]));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------------- conditions ---- */

/* How many axes of rows have this length. */
static int axes_of_length(const Import *im, int64_t length, int *last)
{
  int n = 0;
  for (int i = 0; i < im->naxes; i++)
    if (im->axis[i].length == length) {
      *last = i;
      n++;
    }
  return n;
}

/* Of a table: the axis that is not that of rows. */
static PetscErrorCode FindColumns(const Import *im, const char *what, ImportNames name, ImportColumn *c)
{
  char expected[192];
  int ignored, fit[SCORIA_FOREIGN_RANK], fits = 0;
  PetscFunctionBeginUser;
  c->channels = import_named(c, name, "channel");
  if (c->channel < 0 && c->channels < 0) PetscFunctionReturn(0);
  snprintf(expected, sizeof expected, "(%lld, n) or (n, %lld) with n above %lld", (long long)im->found,
           (long long)im->found, (long long)PetscMax(c->channel, 0));
  if (c->channels < 0) {
    if (c->rank != 2 || *c->order) PetscCall(ImportWrongShape(im, what, c, expected));
    for (int a = 0; a < 2; a++) {
      fit[a] =
          c->dims[a] == im->found || axes_of_length(im, c->dims[a], &ignored) > 0 || find_axis(im, c, name, a) >= 0;
      fits += fit[a];
    }
    if (fits == 2) PetscCall(ImportAmbiguous(im, what, c, "rows", false));
    if (fits == 1) c->channels = fit[0];
  }
  if (c->channels < 0 || c->channel < 0 || c->channel >= c->dims[c->channels])
    PetscCall(ImportWrongShape(im, what, c, expected));
  PetscFunctionReturn(0);
}

/* By its extents: along one axis of rows, or all of them. */
static PetscErrorCode MatchExtents(Import *im, const char *what, ImportColumn *c)
{
  char expected[64];
  int axes, first = -1;
  PetscFunctionBeginUser;
  if (match_in_order(im, c)) PetscFunctionReturn(0);
  clear_axes(c);
  for (int a = 0; a < c->rank; a++)
    if (is_of_rows(c, a)) first = a;
  const int64_t values = values_of(c, &axes);
  if (axes == 1) {
    const int fit = axes_of_length(im, values, &c->axis[first]);
    if (fit > 1) PetscCall(ImportAmbiguous(im, what, c, "rows that it is given for", false));
    if (fit == 1) PetscFunctionReturn(0);
    c->axis[first] = -1;
  }
  if (match_flat(im, c)) PetscFunctionReturn(0);
  snprintf(expected, sizeof expected, "one value for each of %lld rows", (long long)im->found);
  PetscCall(ImportWrongShape(im, what, c, expected));
  PetscFunctionReturn(0);
}

PetscErrorCode ImportPlaceCondition(Import *im, int k)
{
  const char *what = im->spec.space.c[k].name;
  ImportColumn *c  = &im->condition[k];
  ImportNames name;
  int axes;
  PetscFunctionBeginUser;
  foreign_shape(im->file, c->array, &c->rank, c->dims);
  clear_axes(c);
  PetscCall(NameAxes(im, what, c, name));
  PetscCall(FindColumns(im, what, name, c));
  values_of(c, &axes);
  if (match_declared(im, c, name) < 0) {
    clear_axes(c);
    if (*c->order)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: the axes [%s] of its order are not axes of %s of these lengths", im->path,
                  what, c->order, im->spec.field[im->told].name);
    PetscCall(MatchExtents(im, what, c));
  }
  for (int a = 0; a < c->rank; a++)
    if (c->axis[a] >= 0 && c->axis[a] < IMPORT_ALONE) im->axis[c->axis[a]].conditioned = true;
  PetscFunctionReturn(0);
}

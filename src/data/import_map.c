/* import: the deck's section, and where the arrays that it names have their rows and cells. */
#include "import.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------ the section ---- */

/* x and row are the axes of a dataset. */
static PetscErrorCode CheckName(const char *key, const char *name)
{
  bool good = isalpha((unsigned char)*name) && strcmp(name, "x") && strcmp(name, "row");
  PetscFunctionBeginUser;
  for (const char *at = name; *at; at++) good = good && (isalnum((unsigned char)*at) || *at == '_');
  if (!good)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: found the name \"%s\", expected a letter, then letters, digits and _, other than x and row", key,
                name);
  PetscFunctionReturn(0);
}

/* "/data/state:1", or where a number may stand for all rows, "0.5". */
static PetscErrorCode ReadColumn(const char *key, const char *name, const char *value, bool number, ImportColumn *to)
{
  char *end;
  PetscFunctionBeginUser;
  *to = (ImportColumn){.array = -1, .component = -1, .factor = 1, .group = 1};
  if (*value != '/' && number) {
    PetscCall(ScoriaListNumber(key, name, value, &to->factor));
    PetscFunctionReturn(0);
  }
  const char *colon = strrchr(value, ':');
  if (*value != '/' || strlen(value) >= sizeof to->path || colon == value + 1)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found \"%s\", expected the path of an array, /group/name%s", key, name,
                value, number ? ", or a number" : "");
  PetscCall(PetscStrncpy(to->path, value, sizeof to->path));
  if (!colon) PetscFunctionReturn(0);
  to->path[colon - value] = 0;
  to->component           = strtol(colon + 1, &end, 10);
  if (end == colon + 1 || *end || to->component < 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found \"%s\", expected a number from 0 after the colon", key, name, value);
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadColumns(ScoriaDeck deck, Import *im)
{
  static const char *const keys[2] = {"import_fields", "import_conditions"};
  const char *list;
  char name[SCORIA_NAME_SIZE], value[512];
  bool found;
  PetscFunctionBeginUser;
  for (int k = 0; k < 2; k++) {
    const int most = k ? SCORIA_MAX_CONDITIONS : SCORIA_MAX_FIELDS;
    int *n         = k ? &im->spec.space.n : &im->spec.nfields;
    list           = NULL;
    PetscCall(ScoriaDeckString(deck, keys[k], &list));
    if (!list) SCORIA_FAIL(SCORIA_EXIT_INPUT, "import: %s is not set, expected [name=/path, ...]", keys[k]);
    for (;;) {
      PetscCall(ScoriaListPair(keys[k], &list, sizeof value, name, value, &found));
      if (!found) break;
      PetscCall(CheckName(keys[k], name));
      if (field_find(im->spec.nfields, im->spec.field, name) >= 0 || space_find(&im->spec.space, name) >= 0)
        SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found %s twice", keys[k], name);
      if (*n == most)
        SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: \"%s\" is one too many, expected at most %d", keys[k], name, most);
      PetscCall(ReadColumn(keys[k], name, value, k, k ? &im->condition[*n] : &im->field[*n]));
      PetscCall(PetscStrncpy(k ? im->spec.space.c[*n].name : im->spec.field[*n].name, name, SCORIA_NAME_SIZE));
      ++*n;
    }
  }
  PetscFunctionReturn(0);
}

/* Calls take for every entry of a list about a field (f >= 0) or a condition (k >= 0), or x (both are -1). */
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
    if (f < 0 && k < 0 && strcmp(name, "x"))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found \"%s\", which is no field or condition of the import", key, name);
    PetscCall(take(im, name, f, k, value));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeUnit(Import *im, const char *name, int f, int k, const char *value)
{
  char *unit = f >= 0 ? im->spec.field[f].unit : im->spec.space.c[PetscMax(k, 0)].unit;
  PetscFunctionBeginUser;
  if (f < 0 && k < 0) SCORIA_FAIL(SCORIA_EXIT_INPUT, "import_units: x is in m; give a factor to m in import_scale");
  if (strlen(value) >= sizeof im->spec.field[0].unit)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "import_units: %s: found \"%s\", expected at most %zu characters", name, value,
                sizeof im->spec.field[0].unit - 1);
  for (; *value; value++) *unit++ = *value == '*' ? ' ' : *value;
  *unit = 0;
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeScale(Import *im, const char *name, int f, int k, const char *value)
{
  ImportColumn *column = f >= 0 ? &im->field[f] : k >= 0 ? &im->condition[k] : &im->x;
  double factor;
  PetscFunctionBeginUser;
  PetscCall(ScoriaListNumber("import_scale", name, value, &factor));
  if (factor == 0) SCORIA_FAIL(SCORIA_EXIT_INPUT, "import_scale: %s: found 0, expected a factor", name);
  column->factor *= factor;
  PetscFunctionReturn(0);
}

/* lo = hi stands for a range that is taken from the data. */
static PetscErrorCode TakeRange(Import *im, const char *name, int f, int k, const char *value)
{
  char *end = NULL;
  PetscFunctionBeginUser;
  if (k < 0) SCORIA_FAIL(SCORIA_EXIT_INPUT, "import_ranges: %s is no condition", name);
  ScoriaCondition *c = &im->spec.space.c[k];
  c->lo              = strtod(value, &end);
  if (*end == ':') c->hi = strtod(end + 1, &end);
  if (*end || !(c->lo < c->hi) || !isfinite(c->hi - c->lo))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "import_ranges: %s: found \"%s\", expected low:high", name, value);
  (void)f;
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

/* -------------------------------------------------------------------------------------------------- the shapes ---- */

static PetscErrorCode WrongShape(const Import *im, const char *what, const ImportColumn *c, const char *expected)
{
  int64_t dims[SCORIA_FOREIGN_RANK];
  char shape[96] = "()";
  int rank;
  size_t used = 0;
  PetscFunctionBeginUser;
  foreign_shape(im->file, c->array, &rank, dims);
  for (int i = 0; i < rank; i++)
    used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%lld%s", i ? ", " : "(", (long long)dims[i],
                             i + 1 < rank ? "" : ")");
  SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: array %s has the shape %s, expected %s", im->path, what, c->path, shape,
              expected);
}

/* How many rows a field has, and how they lie. */
static PetscErrorCode PlaceField(const Import *im, const char *name, ImportColumn *c, int64_t *rows)
{
  const int64_t L = im->spec.cells;
  int64_t d[SCORIA_FOREIGN_RANK];
  char expected[192];
  int rank;
  PetscFunctionBeginUser;
  foreign_shape(im->file, c->array, &rank, d);
  *rows = rank ? d[0] : 0;
  if (rank == 3 && d[2] == L && (c->component < 0 || c->component < d[1])) {
    if (c->component < 0) {
      c->group = d[1];
      *rows *= d[1];
    }
    PetscFunctionReturn(0);
  }
  c->transposed = rank == 2 && d[1] != L;
  if (c->transposed) *rows = d[1];
  if (rank == 2 && c->component < 0 && (d[0] == L || d[1] == L)) PetscFunctionReturn(0);
  if (c->component < 0)
    snprintf(expected, sizeof expected, "(rows, %lld), (%lld, rows) or (conditions, realisations, %lld): x has %lld",
             (long long)L, (long long)L, (long long)L, (long long)L);
  else
    snprintf(expected, sizeof expected, "(rows, channels, %lld) with more than %lld channels", (long long)L,
             (long long)c->component);
  PetscCall(WrongShape(im, name, c, expected));
  PetscFunctionReturn(0);
}

static PetscErrorCode PlaceFields(Import *im)
{
  int64_t rows;
  PetscFunctionBeginUser;
  for (int f = 0; f < im->spec.nfields; f++) {
    PetscCall(PlaceField(im, im->spec.field[f].name, &im->field[f], &rows));
    if (f && rows != im->found)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s has %lld rows, %s has %lld: expected equally many", im->path,
                  im->spec.field[f].name, (long long)rows, im->spec.field[0].name, (long long)im->found);
    im->found = rows;
    snprintf(im->spec.field[f].description, sizeof im->spec.field[f].description, "imported %.100s",
             im->spec.field[f].name);
  }
  PetscFunctionReturn(0);
}

/* A condition for every row, or for each run of rows: along the axis that is not the component's. */
static PetscErrorCode PlaceCondition(const Import *im, const char *name, ImportColumn *c)
{
  const int64_t N = im->found, R = im->field[0].group;
  int64_t d[SCORIA_FOREIGN_RANK];
  char expected[192];
  int rank;
  bool good = false;
  PetscFunctionBeginUser;
  foreign_shape(im->file, c->array, &rank, d);
  if (c->component < 0 && rank >= 1 && rank <= 2) {
    const int64_t values = d[0] * (rank == 2 ? d[1] : 1);
    good                 = values == N || values * R == N;
    c->group             = good ? N / values : 1;
  } else if (c->component >= 0 && rank == 2) {
    c->transposed      = d[0] != N && d[0] * R != N;
    const int64_t rows = d[c->transposed], other = d[!c->transposed];
    good     = (rows == N || rows * R == N) && c->component < other;
    c->group = good ? N / rows : 1;
  }
  if (good) PetscFunctionReturn(0);
  if (c->component < 0)
    snprintf(expected, sizeof expected, "one value for each of %lld rows", (long long)N);
  else
    snprintf(expected, sizeof expected, "(%lld, n) or (n, %lld) with n above %lld", (long long)N, (long long)N,
             (long long)c->component);
  PetscCall(WrongShape(im, name, c, expected));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadX(Import *im)
{
  const int64_t start[SCORIA_FOREIGN_RANK] = {0};
  int64_t d[SCORIA_FOREIGN_RANK];
  int rank;
  PetscFunctionBeginUser;
  foreign_shape(im->file, im->x.array, &rank, d);
  if (rank != 1 || d[0] < 2 || d[0] > 1000000 || im->x.component >= 0)
    PetscCall(WrongShape(im, "x", &im->x, "(cells), 2 to 1000000 of them"));
  im->spec.cells = (int)d[0];
  PetscCall(PetscMalloc1(im->spec.cells, &im->centres));
  PetscCall(ScoriaForeignRead(im->file, im->x.array, start, d, im->centres));
  PetscCall(ScoriaForeignAgree(im->file));
  for (int i = 0; i < im->spec.cells; i++) {
    im->centres[i] *= im->x.factor;
    if (!isfinite(im->centres[i]) || (i && im->centres[i] <= im->centres[i - 1]))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: x: array %s: found %g m at cell %d, expected increasing numbers", im->path,
                  im->x.path, im->centres[i], i);
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------------ both ---- */

static PetscErrorCode OpenFile(Import *im)
{
  const char *names[SCORIA_MAX_FIELDS + SCORIA_MAX_CONDITIONS + 1];
  int n = 0;
  PetscFunctionBeginUser;
  names[n]    = im->x.path;
  im->x.array = n++;
  for (int f = 0; f < im->spec.nfields; f++) {
    names[n]           = im->field[f].path;
    im->field[f].array = n++;
  }
  for (int k = 0; k < im->spec.space.n; k++)
    if (*im->condition[k].path) {
      names[n]               = im->condition[k].path;
      im->condition[k].array = n++;
    }
  PetscCall(ScoriaForeignOpen(im->comm, im->path, n, names, &im->file));
  PetscCall(PetscStrncpy(im->spec.source, foreign_source(im->file), sizeof im->spec.source));
  im->spec.source_modified = foreign_modified(im->file);
  PetscFunctionReturn(0);
}

PetscErrorCode ImportMap(ScoriaRun run, ScoriaDeck deck, Import *im)
{
  const char *x = NULL;
  double ignored[SCORIA_MAX_FIELDS];
  PetscFunctionBeginUser;
  *im = (Import){.comm = ScoriaRunComm(run)};
  PetscCall(ScoriaDeckString(deck, "import_file", &im->path));
  PetscCall(ScoriaDeckString(deck, "import_x", &x));
  if (!im->path) SCORIA_FAIL(SCORIA_EXIT_INPUT, "import: import_file is not set, expected an HDF5 file");
  if (!x) SCORIA_FAIL(SCORIA_EXIT_INPUT, "import: import_x is not set, expected the path of the cell centres");
  PetscCall(ReadColumns(deck, im));
  PetscCall(ReadColumn("import_x", "x", x, false, &im->x));
  PetscCall(ReadEntries(deck, im, "import_units", TakeUnit));
  PetscCall(ReadEntries(deck, im, "import_scale", TakeScale));
  PetscCall(ReadEntries(deck, im, "import_ranges", TakeRange));
  PetscCall(ReadLogarithmic(deck, im));
  PetscCall(
      ScoriaImportedReferences(deck, ignored)); /* what is wrong with them is told before the work, not by train */
  PetscCall(ScoriaDeckBool(deck, "ensemble_float64", &im->spec.float64));
  PetscCall(OpenFile(im));
  PetscCall(ReadX(im));
  PetscCall(PlaceFields(im));
  for (int k = 0; k < im->spec.space.n; k++)
    if (im->condition[k].array >= 0) PetscCall(PlaceCondition(im, im->spec.space.c[k].name, &im->condition[k]));
  PetscFunctionReturn(0);
}

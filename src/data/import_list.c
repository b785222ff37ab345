/* import without a mapping: what is in the file, and a deck to start from.  The cells lie along the axis of an
 * increasing array of one dimension; arrays with such an axis are fields; what has a value for every row of them, or
 * for every index of one of their other axes, may be a condition. */
#include "import.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST 400 /* arrays listed */
#define CELLS 1000000

typedef struct {
  int n;
  ScoriaForeignArray *array; /* owned (MOST) */
  int x;                     /* -1: none found */
  int choices;               /* arrays that might be x */
  int field[SCORIA_MAX_FIELDS], fields, condition[SCORIA_MAX_CONDITIONS], conditions;
  char name[MOST][SCORIA_NAME_SIZE]; /* in the deck; "": not in it */
  bool doubt[MOST];                  /* a field in which more than one axis may be that of the cells */
} Found;

/* ------------------------------------------------------------------------------------------------- guessing ---- */

static int64_t values(const ScoriaForeignArray *a)
{
  int64_t n = 1;
  for (int i = 0; i < a->rank; i++) n *= a->dims[i];
  return n;
}

/* Dimensions of more than one index. */
static int dimensions(const ScoriaForeignArray *a)
{
  int n = 0;
  for (int i = 0; i < a->rank; i++) n += a->dims[i] != 1;
  return n;
}

static bool same_scale(const ScoriaForeignAxis *a, const ScoriaForeignAxis *b)
{
  return a->known && a->known == b->known && a->file == b->file;
}

/* How many axes of an array may be that of the cells of x: by their scales, else by their lengths. */
static int cell_axes(const ScoriaForeignArray *a, const ScoriaForeignArray *x)
{
  const int64_t cells = values(x);
  int by_scale = 0, by_length = 0;
  if (dimensions(a) < 2) return 0;
  for (int i = 0; i < a->rank; i++) {
    by_length += a->dims[i] == cells;
    for (int j = 0; j < x->rank; j++) by_scale += same_scale(&a->axis[i], &x->axis[j]);
  }
  return by_scale ? 1 : by_length;
}

static PetscErrorCode IsIncreasing(MPI_Comm comm, const char *path, const ScoriaForeignArray *a, bool *increasing)
{
  const int64_t n = values(a);
  double *v;
  PetscFunctionBeginUser;
  *increasing = true;
  PetscCall(PetscMalloc1(n, &v));
  PetscCall(ScoriaArrayRead(comm, path, a->path, n, v));
  for (int64_t i = 0; i < n; i++) *increasing = *increasing && isfinite(v[i]) && (!i || v[i] > v[i - 1]);
  PetscCall(PetscFree(v));
  PetscFunctionReturn(0);
}

/* Of several, one whose name begins with x, or else the only one with a unit of length. */
static bool likely(const ScoriaForeignArray *a)
{
  const char *last = strrchr(a->path, '/') + 1;
  return ((*last == 'x' || *last == 'X') && !isalnum((unsigned char)last[1])) || import_length(a->unit) > 0;
}

static PetscErrorCode FindX(MPI_Comm comm, const char *path, Found *f)
{
  int sure = 0, last = -1;
  PetscFunctionBeginUser;
  f->x = -1;
  for (int i = 0; i < f->n; i++) {
    const ScoriaForeignArray *a = &f->array[i];
    bool used                   = false, increasing;
    if (dimensions(a) != 1 || values(a) < 2 || values(a) > CELLS) continue;
    for (int j = 0; j < f->n && !used; j++) used = j != i && cell_axes(&f->array[j], a) > 0;
    if (!used) continue;
    PetscCall(IsIncreasing(comm, path, a, &increasing));
    if (!increasing) continue;
    f->choices++;
    last = i;
    if (!likely(a)) continue;
    sure++;
    f->x = i;
  }
  if (sure > 1) f->x = -1;
  if (f->choices == 1) f->x = last;
  PetscFunctionReturn(0);
}

/* A name that a deck may use, of the path's last part; unlike all before. */
static void set_name(Found *f, int i)
{
  const char *last = strrchr(f->array[i].path, '/') + 1;
  char *name       = f->name[i];
  int n            = isalpha((unsigned char)*last) ? 0 : snprintf(name, SCORIA_NAME_SIZE, "v");
  for (; *last && n < SCORIA_NAME_SIZE - 8; last++) {
    const bool good = isalnum((unsigned char)*last);
    if (good || (n && name[n - 1] != '_')) name[n++] = good ? *last : '_';
  }
  while (n > 1 && name[n - 1] == '_') n--;
  name[n] = 0;
  for (int j = 0, again = 2; j < f->n; j++)
    if (j != i && (!strcmp(f->name[j], name) || !strcmp(name, "x") || !strcmp(name, "row"))) {
      snprintf(name + n, (size_t)(SCORIA_NAME_SIZE - n), "_%d", again++);
      j = -1;
    }
}

/* Rows of a field, and whether n is that, or the length of one of its axes other than that of the cells. */
static bool of_rows(const ScoriaForeignArray *field, const ScoriaForeignArray *x, int64_t n)
{
  const int64_t cells = values(x);
  if (n == values(field) / cells) return true;
  for (int i = 0; i < field->rank; i++)
    if (field->dims[i] == n && n != cells) return true;
  return false;
}

/* Whether an array has an axis of cells, and how many rows; 0: it is no field. */
static int64_t field_rows(const Found *f, int i)
{
  const ScoriaForeignArray *x = &f->array[f->x];
  const int64_t rows          = values(&f->array[i]) / values(x);
  return i != f->x && cell_axes(&f->array[i], x) && rows > 1 ? rows : 0;
}

static bool may_be_condition(const Found *f, int i, const ScoriaForeignArray *field)
{
  const ScoriaForeignArray *a = &f->array[i];
  return i != f->x && dimensions(a) == 1 && of_rows(field, &f->array[f->x], values(a));
}

/* How many rows the fields have: as those arrays to which most conditions belong, of several the first. */
static int64_t choose_rows(const Found *f)
{
  int64_t rows = 0;
  int most     = -1;
  for (int i = 0; i < f->n; i++) {
    int n = 0;
    if (!field_rows(f, i)) continue;
    for (int j = 0; j < f->n; j++) n += may_be_condition(f, j, &f->array[i]);
    if (n <= most) continue;
    most = n;
    rows = field_rows(f, i);
  }
  return rows;
}

static void find_fields(Found *f)
{
  const int64_t rows = choose_rows(f);
  for (int i = 0; i < f->n && f->fields < SCORIA_MAX_FIELDS; i++) {
    if (!rows || field_rows(f, i) != rows) continue;
    f->doubt[i]           = cell_axes(&f->array[i], &f->array[f->x]) > 1;
    f->field[f->fields++] = i;
    set_name(f, i);
  }
}

static void find_conditions(Found *f)
{
  for (int i = 0; i < f->n && f->fields && f->conditions < SCORIA_MAX_CONDITIONS; i++) {
    if (*f->name[i] || !may_be_condition(f, i, &f->array[f->field[0]])) continue;
    f->condition[f->conditions++] = i;
    set_name(f, i);
  }
}

/* --------------------------------------------------------------------------------------------------- telling ---- */

static const char *role(const Found *f, int i)
{
  if (i == f->x) return "x";
  for (int k = 0; k < f->fields; k++)
    if (f->field[k] == i) return "field";
  for (int k = 0; k < f->conditions; k++)
    if (f->condition[k] == i) return "condition";
  return "";
}

static PetscErrorCode SayArrays(ScoriaRun run, const Found *f)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "  %-40s %-22s %-12s %s", "array of numbers", "shape", "units", "taken as"));
  for (int i = 0; i < f->n; i++) {
    const ScoriaForeignArray *a = &f->array[i];
    char shape[128]             = "(";
    for (int j = 0; j < a->rank; j++) {
      const size_t used = strlen(shape);
      snprintf(shape + used, sizeof shape - used, "%s%lld", j ? ", " : "", (long long)a->dims[j]);
      if (*a->axis[j].name) snprintf(shape + strlen(shape), sizeof shape - strlen(shape), " %s", a->axis[j].name);
    }
    snprintf(shape + strlen(shape), sizeof shape - strlen(shape), ")");
    PetscCall(ScoriaSay(run, "  %-40s %-22s %-12s %s", a->path, shape, a->unit, role(f, i)));
  }
  if (f->n == MOST) PetscCall(ScoriaSay(run, "  (the first %d)", MOST));
  PetscFunctionReturn(0);
}

/* A path between single quotes, as YAML reads it: one inside is doubled. */
static void quote(const char *path, size_t size, char text[])
{
  size_t n = 0;
  for (; *path && n + 3 < size; path++) {
    if (*path == '\'') text[n++] = '\'';
    text[n++] = *path;
  }
  text[n] = 0;
}

static void add(size_t size, char text[], const char *line, const char *name, const char *value)
{
  char quoted[2 * IMPORT_PATH + 4];
  const size_t used = strlen(text);
  quote(value, sizeof quoted, quoted);
  snprintf(text + used, size - used, line, name, quoted);
}

/* The deck, as a text; what is not found is left as a comment that says what is expected. */
static void write_deck(const Found *f, const char *path, size_t size, char text[])
{
  *text = 0;
  add(size, text, "import:%s\n  file: '%s'\n", "", path);
  if (f->x >= 0)
    add(size, text, "  x:%s {path: '%s'}\n", "", f->array[f->x].path);
  else
    add(size, text, "  # x:%s {path: %s}\n", "", "the increasing array of the cell centres; add units or scale to m");
  add(size, text, f->fields ? "  fields:%s%s\n" : "  # fields:%s {name: {path: %s}}\n", "",
      f->fields ? "" : "an array of rows and cells");
  for (int i = 0; i < f->fields; i++) {
    add(size, text, "    %s: {path: '%s'}", f->name[f->field[i]], f->array[f->field[i]].path);
    add(size, text, f->doubt[f->field[i]] ? "   # name its axes%s: order: [%s]\n" : "%s%s\n", "",
        f->doubt[f->field[i]] ? "row, x" : "");
  }
  add(size, text, f->conditions ? "  conditions:%s%s\n" : "  # conditions:%s {name: {path: %s}}\n", "",
      f->conditions ? "" : "an array with a value for every row");
  for (int i = 0; i < f->conditions; i++)
    add(size, text, "    %s: {path: '%s'}\n", f->name[f->condition[i]], f->array[f->condition[i]].path);
}

static bool is_ready(const Found *f)
{
  bool ready = f->x >= 0 && f->fields && f->conditions;
  for (int i = 0; i < f->fields; i++) ready = ready && !f->doubt[f->field[i]];
  return ready;
}

/* Line by line, since each is told by itself. */
static PetscErrorCode SayDeck(ScoriaRun run, char deck[])
{
  PetscFunctionBeginUser;
  for (char *line = deck, *end; (end = strchr(line, '\n')); line = end + 1)
    PetscCall(ScoriaSay(run, "    %.*s", (int)(end - line), line));
  PetscFunctionReturn(0);
}

PetscErrorCode ImportHasMapping(ScoriaDeck deck, bool *has)
{
  static const char *const keys[] = {"import_fields", "import_conditions", "import_x"};
  PetscFunctionBeginUser;
  *has = false;
  for (int i = 0; i < 3 && !*has; i++) PetscCall(ScoriaDeckHas(deck, keys[i], has));
  PetscFunctionReturn(0);
}

PetscErrorCode ImportList(ScoriaRun run, ScoriaDeck deck)
{
  char path[PETSC_MAX_PATH_LEN], text[(SCORIA_MAX_FIELDS + SCORIA_MAX_CONDITIONS + 4) * (IMPORT_PATH + 128)];
  const MPI_Comm comm = ScoriaRunComm(run);
  const char *file    = NULL;
  bool there;
  Found *f;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "import_file", &file));
  PetscCall(PetscNew(&f));
  PetscCall(PetscMalloc1(MOST, &f->array));
  PetscCall(ScoriaForeignList(comm, file, MOST, f->array, &f->n));
  PetscCall(FindX(comm, file, f));
  if (f->x >= 0) find_fields(f);
  find_conditions(f);
  PetscCall(SayArrays(run, f));
  if (f->x < 0)
    PetscCall(ScoriaSay(run, f->choices ? "  more than one array may be that of the cell centres"
                                        : "  no increasing array has the length of an axis of another: none can be x"));
  write_deck(f, file, sizeof text, text);
  PetscCall(ScoriaRunPath(run, "import.yaml", sizeof path, path));
  PetscCall(ScoriaFileExists(comm, path, &there));
  if (!there) PetscCall(ScoriaWriteText(comm, path, text));
  PetscCall(ScoriaSay(run, is_ready(f) ? "  a deck to start from, which can be used as it is:"
                                       : "  a deck to start from, to be completed:"));
  PetscCall(SayDeck(run, text));
  PetscCall(ScoriaSay(run,
                      there ? "  %s is there already and stays as it is"
                            : "  wrote %s; check what is a condition before it is used",
                      path));
  PetscCall(PetscFree(f->array));
  PetscCall(PetscFree(f));
  PetscFunctionReturn(0);
}

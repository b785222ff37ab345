/* import without a mapping: what is in the file, and a deck to start from. */
#include "import_guess.h"
#include <stdio.h>
#include <string.h>

static const char *role(const ImportGuess *g, int i)
{
  static const char *const of_fields[IMPORT_GRID] = {"x of fields", "y of fields", "z of fields"};
  for (int d = 0; d < g->grid; d++)
    if (g->centre[d] == i) return import_grid_names[d];
  for (int k = 0; k < g->fields; k++) {
    if (g->field[k] == i) return "field";
    for (int d = 0; d < g->grid; d++)
      if (g->own[k][d] == i) return of_fields[d];
  }
  for (int k = 0; k < g->conditions; k++)
    if (g->condition[k] == i) return "condition";
  return "";
}

static PetscErrorCode SayArrays(ScoriaRun run, const ImportGuess *g)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "  %-40s %-22s %-12s %s", "array of numbers", "shape", "units", "taken as"));
  for (int i = 0; i < g->n; i++) {
    const ScoriaForeignArray *a = &g->array[i];
    char shape[128]             = "(";
    for (int j = 0; j < a->rank; j++) {
      const size_t used = strlen(shape);
      snprintf(shape + used, sizeof shape - used, "%s%lld", j ? ", " : "", (long long)a->dims[j]);
      if (*a->axis[j].name) snprintf(shape + strlen(shape), sizeof shape - strlen(shape), " %s", a->axis[j].name);
    }
    snprintf(shape + strlen(shape), sizeof shape - strlen(shape), ")");
    PetscCall(ScoriaSay(run, "  %-40s %-22s %-12s %s", a->path, shape, a->unit, role(g, i)));
  }
  if (g->tables.n)
    PetscCall(ScoriaSay(run,
                        "  left out: %d array%s of several members each, the first %s; write each member as an array "
                        "of its own, where it is a field or a condition",
                        g->tables.n, g->tables.n > 1 ? "s" : "", g->tables.first));
  if (g->tables.unnamed)
    PetscCall(ScoriaSay(run,
                        "  left out: %d array%s with control characters in the name, or not in UTF-8: h5py's move "
                        "renames them",
                        g->tables.unnamed, g->tables.unnamed > 1 ? "s" : ""));
  if (g->n == IMPORT_LISTED) PetscCall(ScoriaSay(run, "  (the first %d)", IMPORT_LISTED));
  PetscFunctionReturn(0);
}

/* Which fields there are with each of the arrays that might be x. */
static PetscErrorCode SayChoices(ScoriaRun run, const ImportGuess *g)
{
  int field[SCORIA_MAX_FIELDS];
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(
      run, "  more than one array may be that of the cell centres; the deck takes %s:", g->array[g->centre[0]].path));
  for (int k = 0; k < g->choices; k++) {
    const int n                 = import_guess_fields(g, g->choice[k], field);
    char paths[4 * IMPORT_PATH] = "";
    for (int i = 0; i < n; i++) {
      const size_t used = strlen(paths);
      snprintf(paths + used, sizeof paths - used, "%s%s", i ? ", " : "", g->array[field[i]].path);
    }
    PetscCall(ScoriaSay(run, "    x: %s, with the fields %s", g->array[g->choice[k]].path, n ? paths : "(none)"));
  }
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

static void add_field(const ImportGuess *g, int i, size_t size, char text[])
{
  static const char *const cells[IMPORT_GRID] = {"x", "y, x", "z, y, x"};
  const int f                                 = g->field[i];
  int axes                                    = 0;
  for (int j = 0; j < g->array[f].rank; j++) axes += g->array[f].dims[j] != 1;
  add(size, text, "    %s: {path: '%s'", g->name[f], g->array[f].path);
  for (int d = 0; d < g->grid; d++)
    if (g->own[i][d] >= 0) add(size, text, ", %s: '%s'", import_grid_names[d], g->array[g->own[i][d]].path);
  add(size, text, "}%s%s", "", "");
  if (g->doubt[f])
    add(size, text, "   # name its axes, as in order: [%s, %s]", axes == g->grid + 2 ? "condition, realisation" : "row",
        cells[g->grid - 1]);
  add(size, text, g->positive[i] ? "   # all values are positive: bounds: [0, .inf]%s%s\n" : "%s%s\n", "", "");
}

/* An array as long as an axis of rows and one of cells. */
static void add_question(const ImportGuess *g, int i, size_t size, char text[])
{
  const ScoriaForeignArray *a = &g->array[i];
  char question[64]           = "";
  const int64_t n             = guess_values(a);
  for (int d = 0; d < g->grid; d++) {
    if (guess_values(&g->array[g->centre[d]]) == n && !*question)
      snprintf(question, sizeof question, "(%lld): a condition, or %s?", (long long)n, import_grid_names[d]);
  }
  add(size, text, "    # %s: {path: '%s'}", g->name[i], a->path);
  add(size, text, "   # %s%s\n", question, "");
}

/* The deck, as a text; what is not found is left as a comment that says what is expected. */
static void write_deck(const ImportGuess *g, const char *directory, const char *path, size_t size, char text[])
{
  *text = 0;
  add(size, text, "run: {dir:%s '%s'}\n", "", directory);
  add(size, text, "import:%s\n  file: '%s'\n", "", path);
  for (int d = 0; d < g->grid; d++)
    add(size, text, d || !g->unsure ? "  %s: {path: '%s'}\n" : "  %s: {path: '%s'}   # or another, see the list\n",
        import_grid_names[d], g->array[g->centre[d]].path);
  if (!g->grid)
    add(size, text, "  # x:%s {path: %s}\n", "", "the increasing array of the cell centres; add units or scale to m");
  add(size, text, g->fields ? "  fields:%s%s\n" : "  # fields:%s {name: {path: %s}}\n", "",
      g->fields ? "" : "an array of rows and cells");
  for (int i = 0; i < g->fields; i++) add_field(g, i, size, text);
  add(size, text, g->conditions ? "  conditions:%s%s\n" : "  # conditions:%s {name: {path: %s}}\n", "",
      g->conditions ? "" : "an array with a value for every row");
  for (int i = 0; i < g->conditions; i++)
    add(size, text, "    %s: {path: '%s'}\n", g->name[g->condition[i]], g->array[g->condition[i]].path);
  if (g->conditions)
    add(size, text,
        "    # take out what is none,%s such as the number of a row; an outcome, such as a voltage, belongs to the "
        "fields%s\n",
        "", "");
  for (int i = 0; i < g->questions; i++) add_question(g, g->question[i], size, text);
}

static bool is_ready(const ImportGuess *g)
{
  bool ready = g->grid && !g->unsure && g->fields && g->conditions;
  for (int i = 0; i < g->fields; i++) ready = ready && !g->doubt[g->field[i]];
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

PetscErrorCode ScoriaImportProbe(MPI_Comm comm, ScoriaDeck deck)
{
  const char *file = NULL;
  bool mapped;
  PetscFunctionBeginUser;
  PetscCall(ImportHasMapping(deck, &mapped));
  PetscCall(ScoriaDeckString(deck, "import_file", &file));
  if (file && !mapped) PetscCall(ScoriaForeignProbe(comm, file));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaImportNeedDeck(MPI_Comm comm, const char *file)
{
  static const char signature[]           = "\211HDF\r\n\032\n";
  char line[2 * PETSC_MAX_PATH_LEN + 160] = "", found[sizeof signature - 1];
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  FILE *in = rank ? NULL : fopen(file, "rb");
  if (in && fread(found, sizeof found, 1, in) == 1 && !memcmp(found, signature, sizeof found))
    snprintf(line, sizeof line,
             "%s: an HDF5 file, expected a YAML deck; \"scoria import -import_file %s\" lists what is in it and writes "
             "a deck to start from",
             file, file);
  if (in) fclose(in);
  PetscCall(ScoriaAgree(comm, *line ? SCORIA_EXIT_INPUT : SCORIA_EXIT_OK, line));
  PetscFunctionReturn(0);
}

PetscErrorCode ImportList(ScoriaRun run, ScoriaDeck deck)
{
  char path[PETSC_MAX_PATH_LEN], text[(SCORIA_MAX_FIELDS + 2 * SCORIA_MAX_CONDITIONS + 6) * (IMPORT_PATH + 192)];
  const MPI_Comm comm = ScoriaRunComm(run);
  const char *file    = NULL;
  bool there;
  ImportGuess *g;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "import_file", &file));
  PetscCall(PetscNew(&g));
  PetscCall(PetscMalloc1(IMPORT_LISTED, &g->array));
  PetscCall(ScoriaForeignList(comm, file, IMPORT_LISTED, g->array, &g->n, &g->tables));
  PetscCall(ImportGuessRoles(comm, file, g));
  PetscCall(SayArrays(run, g));
  if (g->unsure) PetscCall(SayChoices(run, g));
  if (!g->grid) PetscCall(ScoriaSay(run, "  no increasing array has the length of an axis of another: none can be x"));
  PetscCall(ScoriaRunPath(run, "", sizeof path, path));
  path[strlen(path) - 1] = 0; /* the directory alone */
  write_deck(g, path, file, sizeof text, text);
  PetscCall(ScoriaRunPath(run, "import.yaml", sizeof path, path));
  PetscCall(ScoriaFileExists(comm, path, &there));
  if (!there) PetscCall(ScoriaWriteText(comm, path, text));
  PetscCall(ScoriaSay(run, is_ready(g)
                               ? "  a deck to start from, which can be used as it is unless a condition is none:"
                               : "  a deck to start from, to be completed:"));
  PetscCall(SayDeck(run, text));
  PetscCall(ScoriaSay(run,
                      there ? "  %s is there already and stays as it is"
                            : "  wrote %s; check what is a condition before it is used",
                      path));
  PetscCall(PetscFree(g->array));
  PetscCall(PetscFree(g));
  PetscFunctionReturn(0);
}

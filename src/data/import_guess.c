/* import without a mapping: which arrays of a file are taken for cell centres, fields and conditions.  The cells lie
 * along the axes of increasing arrays of one dimension; arrays with such axes are fields; what has a value for every
 * row of them, or for every index of one of their other axes, may be a condition. */
#include "import_guess.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CELLS 1000000

static ImportFit fit_grid(const ImportGuess *g, int i)
{
  const ScoriaForeignArray *centre[IMPORT_GRID];
  for (int d = 0; d < g->grid; d++) centre[d] = &g->array[g->centre[d]];
  return guess_fit(&g->array[i], g->grid, centre);
}

static int64_t cells(const ImportGuess *g)
{
  int64_t n = 1;
  for (int d = 0; d < g->grid; d++) n *= guess_values(&g->array[g->centre[d]]);
  return n;
}

/* -------------------------------------------------------------------------------------------------- centres ---- */

static PetscErrorCode IsIncreasing(MPI_Comm comm, const char *path, const ScoriaForeignArray *a, bool *increasing)
{
  const int64_t n = guess_values(a);
  double *v;
  PetscFunctionBeginUser;
  *increasing = true;
  PetscCall(PetscMalloc1(n, &v));
  PetscCall(ScoriaArrayRead(comm, path, a->path, n, v));
  for (int64_t i = 0; i < n; i++) *increasing = *increasing && isfinite(v[i]) && (!i || v[i] > v[i - 1]);
  PetscCall(PetscFree(v));
  PetscFunctionReturn(0);
}

/* The only one of n choices that is named so, or with 0, that has a unit of length and is not named y or z; -1: none,
 * or several. */
static int only(const ImportGuess *g, int n, const int choice[], char name)
{
  int found = -1, of = 0;
  for (int k = 0; k < n; k++) {
    const ScoriaForeignArray *a = &g->array[choice[k]];
    const char of_a             = guess_letter(a);
    if (name ? of_a != name : of_a == 'y' || of_a == 'z' || !(length_in_metres(a->unit) > 0)) continue;
    found = choice[k];
    of++;
  }
  return of == 1 ? found : -1;
}

/* Whether an array has rows on the grid. */
static bool has_field(const ImportGuess *g)
{
  for (int i = 0; i < g->n; i++)
    if (fit_grid(g, i) && guess_values(&g->array[i]) > cells(g)) return true;
  return false;
}

/* y, then z; of a plane in x and z, the latter is the second axis.  They count where fields have them. */
static void find_further(ImportGuess *g, int n, const int choice[])
{
  for (const char *name = "yz"; *name && g->grid < IMPORT_GRID; name++) {
    g->centre[g->grid] = only(g, n, choice, *name);
    if (g->centre[g->grid] < 0 || g->centre[g->grid] == g->centre[0]) continue;
    g->grid++;
    if (!has_field(g)) g->grid--;
  }
}

/* ----------------------------------------------------------------------------------------- fields, conditions ---- */

/* Names of a dataset's own axes. */
static bool reserved(const char *name)
{
  bool own = !strcmp(name, "row");
  for (int d = 0; d < IMPORT_GRID; d++) own = own || !strcmp(name, import_grid_names[d]);
  return own;
}

/* A name that a deck may use, of the path's last part; unlike all before. */
static void set_name(ImportGuess *g, int i)
{
  const char *last = strrchr(g->array[i].path, '/') + 1;
  char *name       = g->name[i];
  int n            = isalpha((unsigned char)*last) ? 0 : snprintf(name, SCORIA_NAME_SIZE, "v");
  for (; *last && n < SCORIA_NAME_SIZE - 8; last++) {
    const bool good = isalnum((unsigned char)*last);
    if (good || (n && name[n - 1] != '_')) name[n++] = good ? *last : '_';
  }
  while (n > 1 && name[n - 1] == '_') n--;
  name[n] = 0;
  for (int j = 0, again = 2; j < g->n; j++)
    if (j != i && (!strcmp(g->name[j], name) || reserved(name))) {
      snprintf(name + n, (size_t)(SCORIA_NAME_SIZE - n), "_%d", again++);
      j = -1;
    }
}

/* Rows of a field, and whether n is that, or the length of one of its axes other than those of the cells. */
static bool of_rows(const ImportGuess *g, const ScoriaForeignArray *field, int64_t n)
{
  if (n == guess_values(field) / cells(g)) return true;
  for (int d = 0; d < g->grid; d++)
    if (n == guess_values(&g->array[g->centre[d]])) return false;
  for (int i = 0; i < field->rank; i++)
    if (field->dims[i] == n) return true;
  return false;
}

static bool is_centre(const ImportGuess *g, int i)
{
  for (int d = 0; d < g->grid; d++)
    if (g->centre[d] == i) return true;
  return false;
}

/* Whether an array has the axes of cells, and how many rows; 0: it is no field. */
static int64_t field_rows(const ImportGuess *g, int i)
{
  const int64_t rows = guess_values(&g->array[i]) / cells(g);
  return !is_centre(g, i) && fit_grid(g, i) && rows > 1 ? rows : 0;
}

static bool may_be_condition(const ImportGuess *g, int i, const ScoriaForeignArray *field)
{
  const ScoriaForeignArray *a = &g->array[i];
  return !is_centre(g, i) && guess_dimensions(a) == 1 && of_rows(g, field, guess_values(a));
}

/* How many rows the fields have: as those arrays to which most conditions belong, of several the first. */
static int64_t choose_rows(const ImportGuess *g)
{
  int64_t rows = 0;
  int most     = -1;
  for (int i = 0; i < g->n; i++) {
    int n = 0;
    if (!field_rows(g, i)) continue;
    for (int j = 0; j < g->n; j++) n += may_be_condition(g, j, &g->array[i]);
    if (n <= most) continue;
    most = n;
    rows = field_rows(g, i);
  }
  return rows;
}

static void find_fields(ImportGuess *g)
{
  const int64_t rows = choose_rows(g);
  for (int i = 0; i < g->n && g->fields < SCORIA_MAX_FIELDS; i++) {
    if (!rows || field_rows(g, i) != rows) continue;
    g->doubt[i] = fit_grid(g, i) == MAYBE_ON;
    for (int d = 0; d < IMPORT_GRID; d++) g->own[g->fields][d] = -1;
    g->field[g->fields++] = i;
    set_name(g, i);
  }
}

static char first_letter(const ScoriaForeignArray *a)
{
  return (char)tolower((unsigned char)strrchr(a->path, '/')[1]);
}

/* Whether array c may be the centres along direction d of a field: it is not the set's along any, nor named as these
 * are ("xf" beside x and y is no y), nor a condition. */
static bool may_be_own(const ImportGuess *g, int c, int d)
{
  const char name = first_letter(&g->array[c]), along = first_letter(&g->array[g->centre[d]]);
  bool may = !is_centre(g, c) && !may_be_condition(g, c, &g->array[g->field[0]]);
  for (int e = 0; e < g->grid; e++) may = may && (name == along || name != first_letter(&g->array[g->centre[e]]));
  return may;
}

/* Fields that have as many rows as the others, and these centres where they are not those of the set (-1). */
static void add_own(ImportGuess *g, const int own[IMPORT_GRID])
{
  const ScoriaForeignArray *centre[IMPORT_GRID], *of = &g->array[g->field[0]];
  const int64_t rows = guess_values(of) / cells(g);
  int64_t n          = 1;
  bool used          = false;
  for (int d = 0; d < g->grid; d++) {
    centre[d] = &g->array[own[d] >= 0 ? own[d] : g->centre[d]];
    n *= guess_values(centre[d]);
  }
  for (int i = 0; i < g->n && g->fields < SCORIA_MAX_FIELDS; i++) {
    const ImportFit fit = guess_fit(&g->array[i], g->grid, centre);
    bool taken          = is_centre(g, i) || *g->name[i];
    for (int c = 0; c < g->choices; c++) taken = taken || g->choice[c] == i;
    if (taken || !fit || guess_values(&g->array[i]) % n || guess_values(&g->array[i]) / n != rows) continue;
    g->doubt[i] = fit == MAYBE_ON;
    memcpy(g->own[g->fields], own, sizeof g->own[0]);
    g->field[g->fields++] = i;
    set_name(g, i);
    used = true;
  }
  for (int d = 0; d < g->grid && used; d++)
    if (own[d] >= 0 && !*g->name[own[d]]) set_name(g, own[d]); /* it is nothing else */
}

#define MOST_OWN 12 /* arrays that are tried as centres of a plane's or volume's own: 13^3 ways */

/* Arrays along other centres than the fields found so far: fewest other ones first. */
static void find_own(ImportGuess *g)
{
  const int choices = g->grid > 1 ? PetscMin(g->choices, MOST_OWN) : g->choices, first = g->fields;
  int all = 1;
  for (int d = 0; d < g->grid; d++) all *= choices + 1;
  for (int others = 1; others <= g->grid && first; others++)
    for (int code = 1; code < all; code++) {
      int own[IMPORT_GRID] = {-1, -1, -1}, rest = code, number = 0;
      bool may = true;
      for (int d = 0; d < g->grid; d++, rest /= choices + 1) {
        const int k = rest % (choices + 1) - 1;
        if (k < 0) continue;
        own[d] = g->choice[k];
        may    = may && may_be_own(g, own[d], d);
        for (int e = 0; e < d; e++) may = may && own[e] != own[d];
        number++;
      }
      if (may && number == others) add_own(g, own);
    }
}

/* Whether an array has the fields' axes of rows, all of them and nothing else: one value a row. */
static bool is_one_value(const ImportGuess *g, int i)
{
  const ScoriaForeignArray *a = &g->array[i], *field = &g->array[g->field[0]];
  bool of_cells[SCORIA_FOREIGN_RANK] = {false};
  int at                             = 0;
  for (int d = 0; d < g->grid; d++) {
    const ScoriaForeignArray *x = &g->array[g->centre[d]];
    int axis                    = guess_axis_by_scale(field, x);
    for (int j = 0; j < field->rank && axis < 0; j++)
      if (!of_cells[j] && field->dims[j] == guess_values(x)) axis = j;
    if (axis >= 0) of_cells[axis] = true;
  }
  for (int j = 0; j < field->rank; j++) {
    if (of_cells[j] || field->dims[j] == 1) continue;
    while (at < a->rank && a->dims[at] == 1) at++;
    if (at == a->rank || a->dims[at++] != field->dims[j]) return false;
  }
  while (at < a->rank && a->dims[at] == 1) at++;
  return at == a->rank;
}

/* Of several axes of rows; along one of them an array may as well be a condition. */
static void find_one_value(ImportGuess *g)
{
  for (int i = 0; i < g->n && g->fields && g->fields < SCORIA_MAX_FIELDS; i++) {
    const int first = g->field[0];
    if (*g->name[i] || is_centre(g, i) || g->doubt[first] || guess_dimensions(&g->array[i]) < 2 || !is_one_value(g, i))
      continue;
    for (int d = 0; d < IMPORT_GRID; d++) g->own[g->fields][d] = -1;
    g->field[g->fields++] = i;
    set_name(g, i);
  }
}

/* Nothing is open where every array that might be x is that of some field. */
static void settle(ImportGuess *g)
{
  bool all = true;
  for (int k = 0; k < g->choices; k++) {
    bool used = g->choice[k] == g->centre[0] || may_be_condition(g, g->choice[k], &g->array[g->field[0]]);
    for (int f = 0; f < g->fields; f++)
      for (int d = 0; d < g->grid; d++) used = used || g->own[f][d] == g->choice[k];
    all = all && used;
  }
  g->unsure = g->unsure && !all;
}

/* What the fields are where array x is that of the cell centres. */
static void guess_with(const ImportGuess *g, int x, ImportGuess *other)
{
  *other           = *g;
  other->grid      = 1;
  other->centre[0] = x;
  other->fields    = 0;
  find_fields(other);
}

int import_guess_fields(const ImportGuess *g, int x, int field[SCORIA_MAX_FIELDS])
{
  ImportGuess other;
  guess_with(g, x, &other);
  memcpy(field, other.field, (size_t)other.fields * sizeof *field);
  return other.fields;
}

/* The first of the arrays that might be x with which most conditions belong to the fields. */
static int likeliest(const ImportGuess *g)
{
  ImportGuess other;
  int found = g->choice[0], most = -1;
  for (int k = 0; k < g->choices; k++) {
    int n = 0;
    guess_with(g, g->choice[k], &other);
    for (int i = 0; i < g->n && other.fields; i++) n += may_be_condition(&other, i, &g->array[other.field[0]]);
    if (n <= most) continue;
    most  = n;
    found = g->choice[k];
  }
  return found;
}

static void find_conditions(ImportGuess *g)
{
  for (int i = 0; i < g->n && g->fields && g->conditions < SCORIA_MAX_CONDITIONS; i++) {
    if (*g->name[i] || !may_be_condition(g, i, &g->array[g->field[0]])) continue;
    g->condition[g->conditions++] = i;
    set_name(g, i);
  }
}

/* Whether a field has more axes of this length than cells have. */
static bool is_questionable(const ImportGuess *g, const ScoriaForeignArray *field, int64_t length)
{
  int of_cells = 0, there = 0;
  for (int d = 0; d < g->grid; d++) of_cells += guess_values(&g->array[g->centre[d]]) == length;
  for (int i = 0; i < field->rank; i++) there += field->dims[i] == length;
  return of_cells && there > of_cells;
}

static void find_questions(ImportGuess *g)
{
  for (int i = 0; i < g->n && g->fields && g->questions < SCORIA_MAX_CONDITIONS; i++) {
    const ScoriaForeignArray *a = &g->array[i];
    if (*g->name[i] || is_centre(g, i) || guess_dimensions(a) != 1 ||
        !is_questionable(g, &g->array[g->field[0]], guess_values(a)))
      continue;
    g->question[g->questions++] = i;
    set_name(g, i);
  }
}

/* ------------------------------------------------------------------------------------------------------ roles ---- */

static PetscErrorCode FindCentres(MPI_Comm comm, const char *path, ImportGuess *g)
{
  int *choice = g->choice;
  PetscFunctionBeginUser;
  for (int i = 0; i < g->n; i++) {
    const ScoriaForeignArray *a = &g->array[i];
    bool used                   = false, increasing;
    if (guess_dimensions(a) != 1 || guess_values(a) < 2 || guess_values(a) > CELLS) continue;
    for (int j = 0; j < g->n && !used; j++) used = j != i && guess_fit(&g->array[j], 1, &a);
    if (!used) continue;
    PetscCall(IsIncreasing(comm, path, a, &increasing));
    if (increasing) choice[g->choices++] = i;
  }
  g->centre[0] = only(g, g->choices, choice, 'x');
  if (g->centre[0] < 0) g->centre[0] = only(g, g->choices, choice, 0);
  g->unsure = g->centre[0] < 0 && g->choices > 1;
  if (g->centre[0] < 0 && g->choices) g->centre[0] = likeliest(g);
  g->grid = g->centre[0] >= 0;
  if (g->grid) find_further(g, g->choices, choice);
  PetscFunctionReturn(0);
}

PetscErrorCode ImportGuessRoles(MPI_Comm comm, const char *path, ImportGuess *g)
{
  PetscFunctionBeginUser;
  PetscCall(FindCentres(comm, path, g));
  if (g->grid) find_fields(g);
  find_own(g);
  find_one_value(g);
  if (g->fields) settle(g);
  find_conditions(g);
  find_questions(g);
  PetscCall(ImportGuessPositive(comm, path, g));
  PetscFunctionReturn(0);
}

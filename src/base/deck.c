/* The deck: YAML below, command line above, both in PETSc's options database; every key declared in a table. */
#include "deck_text.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DECK_FILE_MAX (1 << 20)

struct ScoriaDeck_ {
  const ScoriaKey *const *tables; /* borrowed */
  const ScoriaKey **key;          /* owned list of borrowed keys, in table order */
  char **value;                   /* owned; canonical text, NULL where unset */
  int count;
  char *text; /* owned; the resolved deck, made when first asked for */
};

/* Options of PETSc's own that pass through, by the start of their names. */
static const char *const petsc_prefixes[] = {"snes_",
                                             "ksp_",
                                             "pc_",
                                             "mat_",
                                             "vec_",
                                             "dm_",
                                             "da_",
                                             "ts_",
                                             "log_",
                                             "log",
                                             "malloc",
                                             "options_",
                                             "info",
                                             "on_error",
                                             "start_in_debugger",
                                             "stop_for_debugger",
                                             "no_signal_handler",
                                             "fp_trap",
                                             "mpi_",
                                             "mg_",
                                             "fieldsplit_",
                                             "redundant_",
                                             "sub_",
                                             "npc_",
                                             "memory_view",
                                             "error_output",
                                             "petsc_",
                                             "objects_",
                                             "get_total_flops",
                                             "skip_petscrc",
                                             "checkstack",
                                             "debugger_",
                                             "shared_tmp",
                                             "nox",
                                             "help",
                                             "version",
                                             "sf_",
                                             "is_",
                                             "blas_",
                                             NULL};

static bool is_petsc_option(const char *name)
{
  for (int i = 0; petsc_prefixes[i]; i++)
    if (!strncmp(name, petsc_prefixes[i], strlen(petsc_prefixes[i]))) return true;
  return false;
}

/* ------------------------------------------------------------------------------------------------ reading ---- */

/* Rank 0 reads the file, every rank gets its text. */
static PetscErrorCode ReadFile(MPI_Comm comm, const char *path, char **text, size_t *size)
{
  int rank;
  int64_t length = 0;
  char line[512] = "";
  FILE *file     = NULL;
  PetscFunctionBeginUser;
  *text = NULL;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) {
    struct stat st;
    file = fopen(path, "rb");
    if (!file || stat(path, &st))
      snprintf(line, sizeof line, "%s: cannot read the deck: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
      snprintf(line, sizeof line, "%s: not a regular file, expected a YAML deck", path);
    else if (st.st_size > DECK_FILE_MAX)
      snprintf(line, sizeof line, "%s: %lld bytes, expected a YAML deck of at most %d", path, (long long)st.st_size,
               DECK_FILE_MAX);
    else
      length = (int64_t)st.st_size;
  }
  if (*line && file) fclose(file);
  PetscCall(ScoriaAgree(comm, *line ? SCORIA_EXIT_INPUT : SCORIA_EXIT_OK, line));
  PetscCallMPI(MPI_Bcast(&length, 1, MPI_INT64_T, 0, comm));
  PetscCall(PetscCalloc1((size_t)length + 1, text));
  if (rank == 0) {
    if (fread(*text, 1, (size_t)length, file) != (size_t)length)
      snprintf(line, sizeof line, "%s: cannot be read to its end", path);
    else if (memchr(*text, 0, (size_t)length))
      snprintf(line, sizeof line, "%s: a binary file, expected a YAML deck", path);
    fclose(file);
  }
  PetscCall(ScoriaAgree(comm, *line ? SCORIA_EXIT_INPUT : SCORIA_EXIT_OK, line));
  PetscCallMPI(MPI_Bcast(*text, (int)length, MPI_CHAR, 0, comm));
  *size = (size_t)length;
  PetscFunctionReturn(0);
}

static PetscErrorCode UnknownKey(const ScoriaKey *const tables[], const char *where, const char *name, bool yaml)
{
  char said[256], near[256] = "";
  const ScoriaKey *key = deck_nearest_key(tables, name);
  PetscFunctionBeginUser;
  if (yaml)
    deck_yaml_name(name, sizeof said, said);
  else
    snprintf(said, sizeof said, "-%s", name);
  if (key && yaml)
    deck_yaml_name(key->name, sizeof near, near);
  else if (key)
    snprintf(near, sizeof near, "-%s", key->name);
  if (key)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: unknown key \"%s\"; did you mean \"%s\"? (-help lists every key)", where, said,
                near);
  SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: unknown key \"%s\" (-help lists every key)", where, said);
}

static PetscErrorCode SetValue(ScoriaDeck deck, int i, const char *where, const char *text)
{
  char canonical[DECK_VALUE_SIZE], expected[512], name[256];
  PetscFunctionBeginUser;
  if (!deck_canonical(deck->key[i], text, sizeof canonical, canonical, sizeof expected, expected)) {
    deck_yaml_name(deck->key[i]->name, sizeof name, name);
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found \"%.200s\", expected %s", where, name, text, expected);
  }
  PetscCall(PetscFree(deck->value[i]));
  PetscCall(PetscStrallocpy(canonical, &deck->value[i]));
  PetscFunctionReturn(0);
}

/* An empty deck of the tables' defaults. */
/* Two problems may declare a key of one name, such as the range of a condition that both have: the first row stands for
 * both. */
static PetscErrorCode Allocate(const ScoriaKey *const tables[], ScoriaDeck *deck)
{
  int rows = 0;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(deck));
  (*deck)->tables = tables;
  for (int t = 0; tables[t]; t++)
    for (const ScoriaKey *key = tables[t]; key->name; key++) rows++;
  PetscCall(PetscCalloc2(rows, &(*deck)->key, rows, &(*deck)->value));
  for (int t = 0; tables[t]; t++)
    for (const ScoriaKey *key = tables[t]; key->name; key++) {
      if (deck_find_key(tables, key->name) != key) continue;
      const int i     = (*deck)->count++;
      (*deck)->key[i] = key;
      if (key->value && *key->value) PetscCall(SetValue(*deck, i, "defaults", key->value));
    }
  PetscFunctionReturn(0);
}

/* Deck items go below the command line: PETSc's database keeps what is already there.  Items of the section "petsc" are
 * PETSc's own options. */
static PetscErrorCode InsertItems(const ScoriaKey *const tables[], const char *file, const DeckItems *items)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < items->count; i++) {
    const DeckItem *item = &items->item[i];
    const bool petsc     = !strncmp(item->key, "petsc_", 6);
    char where[512], option[300];
    PetscBool said;
    snprintf(where, sizeof where, "%s:%d", file, item->line);
    if (!petsc && !deck_find_key(tables, item->key)) PetscCall(UnknownKey(tables, where, item->key, true));
    snprintf(option, sizeof option, "-%s", item->key + (petsc ? 6 : 0));
    PetscCall(PetscOptionsHasName(NULL, NULL, option, &said));
    if (!said) PetscCall(PetscOptionsSetValue(NULL, option, item->value));
  }
  PetscFunctionReturn(0);
}

/* Every option that is neither a key nor PETSc's own is a mistake that would be silent otherwise. */
static PetscErrorCode RefuseUnknownOptions(const ScoriaKey *const tables[])
{
  char *all, *copy, *save = NULL;
  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetAll(NULL, &all));
  PetscCall(PetscStrallocpy(all, &copy));
  PetscCall(PetscFree(all));
  for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
    PetscBool option;
    const char *name = word + 1;
    PetscCall(PetscOptionsValidKey(word, &option));
    if (!option || deck_find_key(tables, name) || is_petsc_option(name)) continue;
    PetscBool exists; /* a word of a value may look like an option */
    PetscCall(PetscOptionsHasName(NULL, NULL, word, &exists));
    if (exists) PetscCall(UnknownKey(tables, "command line", name, false));
  }
  PetscCall(PetscFree(copy));
  PetscFunctionReturn(0);
}

static PetscErrorCode ResolveFromOptions(ScoriaDeck deck, const char *file, const DeckItems *items)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < deck->count; i++) {
    char option[300], text[DECK_VALUE_SIZE + 1] = "", where[512]; /* one more: a value that is too long shows */
    PetscBool found;
    snprintf(option, sizeof option, "-%s", deck->key[i]->name);
    PetscCall(PetscOptionsGetString(NULL, NULL, option, text, sizeof text, &found));
    if (!found) continue;
    const DeckItem *item = deck_items_find(items, deck->key[i]->name);
    if (item && !strncmp(item->value, text, sizeof text - 1))
      snprintf(where, sizeof where, "%s:%d", file, item->line);
    else
      snprintf(where, sizeof where, "command line");
    PetscCall(SetValue(deck, i, where, text));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckCreate(MPI_Comm comm, const char *file, const ScoriaKey *const tables[], ScoriaDeck *deck)
{
  DeckItems items = {0};
  char *text      = NULL;
  size_t size     = 0;
  PetscFunctionBeginUser;
  if (file) {
    PetscCall(ReadFile(comm, file, &text, &size));
    PetscCall(DeckItemsParse(file, text, size, &items));
    PetscCall(PetscFree(text));
    PetscCall(InsertItems(tables, file, &items));
  }
  PetscCall(RefuseUnknownOptions(tables));
  PetscCall(Allocate(tables, deck));
  PetscCall(ResolveFromOptions(*deck, file, &items));
  PetscCall(DeckItemsDestroy(&items));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckCreateFromText(MPI_Comm comm, const char *text, const ScoriaKey *const tables[],
                                        ScoriaDeck *deck)
{
  DeckItems items;
  PetscFunctionBeginUser;
  (void)comm;
  PetscCall(DeckItemsParse("stored deck", text, strlen(text), &items));
  PetscCall(Allocate(tables, deck));
  for (int i = 0; i < (*deck)->count; i++) {
    const DeckItem *item = deck_items_find(&items, (*deck)->key[i]->name);
    if (item) PetscCall(SetValue(*deck, i, "stored deck", item->value));
  }
  PetscCall(DeckItemsDestroy(&items));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckDestroy(ScoriaDeck *deck)
{
  PetscFunctionBeginUser;
  if (!*deck) PetscFunctionReturn(0);
  for (int i = 0; i < (*deck)->count; i++) PetscCall(PetscFree((*deck)->value[i]));
  PetscCall(PetscFree2((*deck)->key, (*deck)->value));
  PetscCall(PetscFree((*deck)->text));
  PetscCall(PetscFree(*deck));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- values ---- */

static PetscErrorCode Find(ScoriaDeck deck, const char *name, const ScoriaKey **key, const char **text)
{
  PetscFunctionBeginUser;
  *key  = NULL;
  *text = NULL;
  for (int i = 0; i < deck->count; i++) {
    if (strcmp(deck->key[i]->name, name)) continue;
    *key  = deck->key[i];
    *text = deck->value[i];
    PetscFunctionReturn(0);
  }
  SETERRQ(PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG, "no table declares the deck key %s", name);
}

static PetscErrorCode FindTyped(ScoriaDeck deck, const char *name, ScoriaKeyType type, const ScoriaKey **key,
                                const char **text)
{
  PetscFunctionBeginUser;
  PetscCall(Find(deck, name, key, text));
  PetscCheck((*key)->type == type, PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG, "the deck key %s is read with another type",
             name);
  PetscFunctionReturn(0);
}

bool deck_declares(ScoriaDeck deck, const char *name)
{
  return deck_find_key(deck->tables, name) != NULL;
}

PetscErrorCode ScoriaDeckHas(ScoriaDeck deck, const char *name, bool *set)
{
  const ScoriaKey *key;
  const char *text;
  PetscFunctionBeginUser;
  PetscCall(Find(deck, name, &key, &text));
  *set = text != NULL;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckInt(ScoriaDeck deck, const char *name, PetscInt *value)
{
  const ScoriaKey *key;
  const char *text;
  PetscFunctionBeginUser;
  PetscCall(FindTyped(deck, name, SCORIA_KEY_INT, &key, &text));
  if (!text) PetscFunctionReturn(0);
  const double number = strtod(text, NULL);
  if (number > (double)PETSC_MAX_INT || number < (double)PETSC_MIN_INT)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s does not fit an integer of this PETSc (at most %lld)", name, text,
                (long long)PETSC_MAX_INT);
  *value = (PetscInt)number;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckReal(ScoriaDeck deck, const char *name, double *value)
{
  const ScoriaKey *key;
  const char *text;
  PetscFunctionBeginUser;
  PetscCall(FindTyped(deck, name, SCORIA_KEY_REAL, &key, &text));
  if (text) *value = strtod(text, NULL);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckBool(ScoriaDeck deck, const char *name, bool *value)
{
  const ScoriaKey *key;
  const char *text;
  PetscFunctionBeginUser;
  PetscCall(FindTyped(deck, name, SCORIA_KEY_BOOL, &key, &text));
  if (text) *value = text[0] == 't';
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckString(ScoriaDeck deck, const char *name, const char **value)
{
  const ScoriaKey *key;
  const char *text;
  PetscFunctionBeginUser;
  PetscCall(Find(deck, name, &key, &text));
  PetscCheck(key->type == SCORIA_KEY_STRING || key->type == SCORIA_KEY_CHOICE || key->type == SCORIA_KEY_WORDS,
             PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG, "the deck key %s is not a text", name);
  if (text) *value = text;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckChoice(ScoriaDeck deck, const char *name, PetscInt *index)
{
  const ScoriaKey *key;
  const char *text;
  PetscFunctionBeginUser;
  PetscCall(FindTyped(deck, name, SCORIA_KEY_CHOICE, &key, &text));
  if (!text) PetscFunctionReturn(0);
  *index = 0;
  for (const char *word = key->choices; word; word = strchr(word, ' ') ? strchr(word, ' ') + 1 : NULL, (*index)++)
    if (strcspn(word, " ") == strlen(text) && !strncmp(word, text, strlen(text))) break;
  PetscFunctionReturn(0);
}

/* Numbers of a canonical list, at most max of them. */
static PetscErrorCode ReadList(const char *name, const char *text, PetscInt max, PetscInt *n, double values[])
{
  PetscFunctionBeginUser;
  *n = 0;
  for (const char *at = text; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
    if (*n == max) SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found more than %d values in \"%.100s\"", name, (int)max, text);
    values[(*n)++] = strtod(at, NULL);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckReals(ScoriaDeck deck, const char *name, PetscInt max, PetscInt *n, double values[])
{
  const ScoriaKey *key;
  const char *text;
  PetscFunctionBeginUser;
  PetscCall(FindTyped(deck, name, SCORIA_KEY_REALS, &key, &text));
  if (text) PetscCall(ReadList(name, text, max, n, values));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckInts(ScoriaDeck deck, const char *name, PetscInt max, PetscInt *n, PetscInt values[])
{
  const ScoriaKey *key;
  const char *text;
  double number[64];
  PetscFunctionBeginUser;
  PetscCall(FindTyped(deck, name, SCORIA_KEY_INTS, &key, &text));
  if (!text) PetscFunctionReturn(0);
  PetscCall(ReadList(name, text, PetscMin(max, 64), n, number));
  for (PetscInt i = 0; i < *n; i++) values[i] = (PetscInt)number[i];
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckRange(ScoriaDeck deck, const char *name, double range[2])
{
  const ScoriaKey *key;
  const char *text;
  PetscInt n;
  PetscFunctionBeginUser;
  PetscCall(FindTyped(deck, name, SCORIA_KEY_RANGE, &key, &text));
  if (text) PetscCall(ReadList(name, text, 2, &n, range));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------- as a text ---- */

static void print_quoted(FILE *out, const char *text, size_t length)
{
  fputc('\'', out);
  for (size_t i = 0; i < length; i++) fprintf(out, text[i] == '\'' ? "''" : "%c", text[i]);
  fputc('\'', out);
}

/* One "key: value" of YAML: lists in brackets, texts quoted, as YAML could read them otherwise. */
static void print_value(FILE *out, const ScoriaKey *key, const char *value)
{
  switch (key->type) {
  case SCORIA_KEY_INTS:
  case SCORIA_KEY_REALS:
  case SCORIA_KEY_RANGE:
    fprintf(out, "[%s]", value);
    break;
  case SCORIA_KEY_WORDS:
    for (char before = '['; *value; before = ',') {
      const size_t length = strcspn(value, ",");
      fputc(before, out);
      print_quoted(out, value, length);
      value += length + (value[length] == ',');
    }
    fputc(']', out);
    break;
  case SCORIA_KEY_STRING:
    print_quoted(out, value, strlen(value));
    break;
  default:
    fputs(value, out);
  }
}

PetscErrorCode ScoriaDeckText(ScoriaDeck deck, const char **yaml)
{
  PetscFunctionBeginUser;
  if (!deck->text) {
    char *text  = NULL;
    size_t size = 0;
    FILE *out   = open_memstream(&text, &size);
    PetscCheck(out, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for the resolved deck");
    size_t section   = 0;
    const char *last = "";
    for (int i = 0; i < deck->count; i++) {
      const char *name = deck->key[i]->name;
      if (!deck->value[i]) continue;
      if (!strchr(name, '_')) { /* a key without section */
        fprintf(out, "%s: ", name);
      } else {
        if (strncmp(name, last, section + 1)) {
          section = strcspn(name, "_");
          last    = name;
          fprintf(out, "%.*s:\n", (int)section, name);
        }
        fprintf(out, "  %s: ", name + section + 1);
      }
      print_value(out, deck->key[i], deck->value[i]);
      fputc('\n', out);
    }
    fclose(out);
    PetscCall(PetscStrallocpy(text, &deck->text));
    free(text);
  }
  *yaml = deck->text;
  PetscFunctionReturn(0);
}

static bool in_sections(const char *name, const char *const sections[])
{
  bool in = false;
  for (int i = 0; sections[i]; i++) {
    const size_t length = strlen(sections[i]);
    if (sections[i][0] == '-' && !strcmp(name, sections[i] + 1)) return false;
    if (!strcmp(name, sections[i])) in = true;
    if (!strchr(sections[i], '_') && !strncmp(name, sections[i], length) && name[length] == '_') in = true;
  }
  return in;
}

PetscErrorCode ScoriaDeckDifference(ScoriaDeck deck, const char *text, const char *const sections[], size_t size,
                                    char difference[])
{
  ScoriaDeck other;
  size_t used = 0;
  PetscFunctionBeginUser;
  difference[0] = 0;
  PetscCall(ScoriaDeckCreateFromText(PETSC_COMM_SELF, text, deck->tables, &other));
  for (int i = 0; i < deck->count && used < size; i++) {
    const char *here = deck->value[i], *there = other->value[i];
    if (!in_sections(deck->key[i]->name, sections)) continue;
    if ((here && there && !strcmp(here, there)) || (!here && !there)) continue;
    used += (size_t)snprintf(difference + used, size - used, "%s%s is %.100s here and %.100s there", used ? ", " : "",
                             deck->key[i]->name, here ? here : "not set", there ? there : "not set");
  }
  PetscCall(ScoriaDeckDestroy(&other));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckStoredInt(ScoriaDeck deck, const char *text, const char *key, PetscInt *value)
{
  ScoriaDeck other;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckCreateFromText(PETSC_COMM_SELF, text, deck->tables, &other));
  PetscCall(ScoriaDeckInt(other, key, value));
  PetscCall(ScoriaDeckDestroy(&other));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckHelp(MPI_Comm comm, const ScoriaKey *const tables[])
{
  int rank;
  const char *last = "";
  size_t section   = 0;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank) PetscFunctionReturn(0);
  for (int t = 0; tables[t]; t++)
    for (const ScoriaKey *key = tables[t]; key->name; key++) {
      char canonical[DECK_VALUE_SIZE], expected[512];
      if (strncmp(key->name, last, section + 1)) {
        section = strcspn(key->name, "_");
        last    = key->name;
        printf("\n%.*s:\n", (int)section, key->name);
      }
      deck_canonical(key, "", sizeof canonical, canonical, sizeof expected, expected);
      printf("  -%-28s %s\n  %-29s %s; %s%s\n", key->name, key->help, "", expected,
             key->value && *key->value ? "default " : "not set by default", key->value ? key->value : "");
    }
  PetscFunctionReturn(0);
}

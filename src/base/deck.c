/* The deck: YAML below, command line above, both in PETSc's options database; every key declared in a table.  What it
 * says is asked in deck_values.c, and written in deck_write.c. */
#include "deck_text.h"
#include <stdio.h>
#include <string.h>

#define DECK_FILE_MAX ((size_t)1 << 20)

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

/* Whether a key of the tables begins with "name_": an empty section is nothing. */
static bool is_section(const ScoriaKey *const tables[], const char *name)
{
  const size_t length = strlen(name);
  for (int t = 0; tables[t]; t++)
    for (const ScoriaKey *key = tables[t]; key->name; key++)
      if (!strncmp(key->name, name, length) && key->name[length] == '_') return true;
  return !strcmp(name, "petsc");
}

/* Deck items go below the command line: PETSc's database keeps what is already there.  Items of the section "petsc" are
 * PETSc's own options. */
static PetscErrorCode InsertItems(const ScoriaKey *const tables[], const char *file, const DeckItems *items)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < items->count; i++) {
    const DeckItem *item = &items->item[i];
    const bool petsc     = !strncmp(item->key, "petsc_", 6);
    const ScoriaKey *key = deck_find_key(tables, item->key);
    char where[512], option[300];
    PetscBool said;
    snprintf(where, sizeof where, "%s:%d", file, item->line);
    if (!petsc && !key && (item->value || !is_section(tables, item->key)))
      PetscCall(UnknownKey(tables, where, item->key, true));
    if (!item->value) continue;
    if (key && key->type == SCORIA_KEY_BOOL && !*item->value) { /* on the command line, -key alone is true */
      deck_yaml_name(item->key, sizeof option, option);
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found \"\", expected true or false", where, option);
    }
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
    if (item && item->value && !strncmp(item->value, text, sizeof text - 1))
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
  PetscFunctionBeginUser;
  if (file) {
    PetscCall(ScoriaTextRead(comm, file, DECK_FILE_MAX, "a YAML deck", &text));
    PetscCall(DeckItemsParse(file, text, strlen(text), tables, &items));
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
  PetscCall(DeckItemsParse("stored deck", text, strlen(text), tables, &items));
  PetscCall(Allocate(tables, deck));
  for (int i = 0; i < (*deck)->count; i++) {
    const DeckItem *item = deck_items_find(&items, (*deck)->key[i]->name);
    if (item && item->value) PetscCall(SetValue(*deck, i, "stored deck", item->value));
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

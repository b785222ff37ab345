/* The deck: YAML below, command line above, both in PETSc's options database; every key declared in a table.  What it
 * says is asked in deck_values.c, and written in deck_write.c. */
#include "deck_petsc.h"
#include "deck_text.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DECK_FILE_MAX ((size_t)1 << 20)
#define PETSC_OPTIONS_KEY "petsc_options"

/* A key as the user would write it. */
static void spell_key(const char *name, bool yaml, size_t size, char text[])
{
  if (yaml)
    deck_yaml_name(name, size, text);
  else
    snprintf(text, size, "-%s", name);
}

static PetscErrorCode UnknownKey(const ScoriaKey *const tables[], const ScoriaDeckMore *more, const char *where,
                                 const char *name, bool yaml)
{
  char said[256], near[256], meant[1024] = "";
  const ScoriaKey *like[DECK_EXPLAINED] = {deck_nearest_key(tables, name)};
  const int n                           = like[0] ? 1 : deck_explained_keys(tables, name, like);
  size_t used                           = 0;
  PetscFunctionBeginUser;
  spell_key(name, yaml, sizeof said, said);
  for (int i = 0; i < n && used < sizeof meant; i++) {
    spell_key(like[i]->name, yaml, sizeof near, near);
    used += (size_t)snprintf(meant + used, sizeof meant - used, "%s\"%s\"%s", i ? " or " : "; did you mean ", near,
                             i == n - 1 ? "?" : "");
  }
  SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: unknown key \"%s\"%s (-help all lists every key)%s", where, said, meant,
              more ? more->hint(name) : "");
}

/* "~/name" as a shell would have it, where none has seen it: in a deck, or in quotes. */
static PetscErrorCode ExpandHome(const char *where, const char *name, const char *text, size_t size, char expanded[])
{
  const char *home = getenv("HOME");
  PetscFunctionBeginUser;
  if (text[0] != '~' || (text[1] && text[1] != '/') || !home || !*home)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: %s: found \"%.200s\", expected ~/... with HOME set, or a path that is written out", where, name,
                text);
  if ((size_t)snprintf(expanded, size, "%s%s", home, text + 1) >= size)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: \"%.200s\" is too long with HOME before it", where, name, text);
  PetscFunctionReturn(0);
}

static PetscErrorCode SetValue(ScoriaDeck deck, int i, const char *where, const char *text)
{
  char expanded[DECK_VALUE_SIZE], canonical[DECK_VALUE_SIZE], expected[512], name[256];
  PetscFunctionBeginUser;
  if (deck->key[i]->type == SCORIA_KEY_STRING && text[0] == '~') {
    deck_yaml_name(deck->key[i]->name, sizeof name, name);
    PetscCall(ExpandHome(where, name, text, sizeof expanded, expanded));
    text = expanded;
  }
  if (!deck_canonical(deck->key[i], text, sizeof canonical, canonical, sizeof expected, expected)) {
    deck_yaml_name(deck->key[i]->name, sizeof name, name);
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found \"%.200s\", expected %s", where, name, text, expected);
  }
  PetscCall(PetscFree(deck->value[i]));
  PetscCall(PetscStrallocpy(canonical, &deck->value[i]));
  PetscFunctionReturn(0);
}

/* Whether an option unsets its key, as an empty one in a deck does: `-uq_F_right null` takes a deck's away. */
static bool unsets(const char *text)
{
  return !strcmp(text, "~") || !strcmp(text, "null");
}

/* An empty deck of the tables' defaults.  Two problems may declare a key of one name, such as the range of a condition
 * that both have: the first row stands for both. */
static PetscErrorCode Allocate(const ScoriaKey *const tables[], ScoriaDeck *deck)
{
  int rows = 0;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(deck));
  (*deck)->tables = tables;
  for (int t = 0; tables[t]; t++)
    for (const ScoriaKey *key = tables[t]; key->name; key++) rows++;
  PetscCall(PetscCalloc3(rows, &(*deck)->key, rows, &(*deck)->value, rows, &(*deck)->given));
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
static PetscErrorCode InsertItems(const ScoriaKey *const tables[], const ScoriaDeckMore *more, const char *file,
                                  const DeckItems *items)
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
      PetscCall(UnknownKey(tables, more, where, item->key, true));
    if (!item->value) continue;
    if (!strcmp(item->key, PETSC_OPTIONS_KEY)) {
      PetscCall(DeckInsertOptions(item->value));
      continue;
    }
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

typedef struct {
  MPI_Comm comm;
  const ScoriaKey *const *tables; /* borrowed, as are the others */
  const ScoriaDeckMore *more;
  const char *file;
  const DeckItems *items;
  DeckSources from;
  ScoriaDeck deck;
} Options;

/* Where an option comes from, in words; *source is -1 for the deck. */
static PetscErrorCode WhereFrom(const Options *o, const char *option, size_t size, char where[], int *source)
{
  char key[300], value[DECK_VALUE_SIZE] = "";
  PetscBool elsewhere = PETSC_FALSE;
  PetscFunctionBeginUser;
  PetscCall(DeckSourceOf(&o->from, option, source));
  snprintf(where, size, "%s", o->from.name[*source]);
  for (int i = 0; i < o->from.count && !elsewhere; i++)
    PetscCall(PetscOptionsHasName(o->from.options[i], NULL, option, &elsewhere));
  PetscCall(PetscOptionsGetString(NULL, NULL, option, value, sizeof value, NULL));
  for (int petsc = 0; petsc < 2 && !elsewhere; petsc++) {
    snprintf(key, sizeof key, "%s%s", petsc ? "petsc_" : "", option + 1);
    const DeckItem *item = deck_items_find(o->items, key);
    if (!item || !item->value || strncmp(item->value, value, sizeof value - 1)) continue;
    snprintf(where, size, "%s:%d", o->file, item->line);
    *source = -1;
  }
  PetscFunctionReturn(0);
}

/* What every line that is said begins with. */
static const char *before(const Options *o)
{
  return o->more && o->more->before ? o->more->before : "";
}

/* What the environment or a file of PETSc's sets, which the deck does not show: said, and kept for the log. */
static PetscErrorCode SayFromElsewhere(const Options *o, const char *where, int source, const char *option,
                                       const char *effect)
{
  char value[256] = "", *list = o->deck->elsewhere;
  const size_t used = strlen(list), size = sizeof o->deck->elsewhere;
  PetscFunctionBeginUser;
  if (source <= DECK_COMMAND_LINE) PetscFunctionReturn(0);
  PetscCall(PetscOptionsGetString(NULL, NULL, option, value, sizeof value, NULL));
  PetscCall(PetscPrintf(o->comm, "%s%s: %s %s %s\n", before(o), where, option, value, effect));
  snprintf(list + used, size - used, "%s%s: %s %s", used ? "; " : "", where, option, value);
  for (char *at = list + used; *at; at++)
    if (*at == '"' || *at == '\\' || iscntrl((unsigned char)*at)) *at = '?';
  PetscFunctionReturn(0);
}

/* An option that is neither a key nor PETSc's own is a mistake that would be silent otherwise; but a file of PETSc's
 * may be for other programs too. */
static PetscErrorCode CheckOption(void *ctx, const char *option)
{
  const Options *o = ctx;
  const char *name = option + 1, *why = petsc_program_sets(name);
  char where[512];
  int source;
  PetscFunctionBeginUser;
  PetscCall(WhereFrom(o, option, sizeof where, where, &source));
  if (deck_find_key(o->tables, name)) {
    PetscCall(SayFromElsewhere(o, where, source, option, "counts before the deck"));
    PetscFunctionReturn(0);
  }
  if (why) SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found %s, which cannot be chosen: %s", where, option, why);
  if (petsc_has_option(name)) {
    if (petsc_reaches_solver(name)) PetscCall(SayFromElsewhere(o, where, source, option, "reaches PETSc's solvers"));
    PetscFunctionReturn(0);
  }
  if (source >= DECK_FIRST_FILE)
    PetscCall(PetscPrintf(o->comm, "%sWARNING: %s: %s is no key and no option of PETSc's: ignored\n", before(o), where,
                          option));
  else
    PetscCall(UnknownKey(o->tables, o->more, where, name, false));
  PetscFunctionReturn(0);
}

/* What reaches a solver is part of what the deck says, wherever it comes from. */
static PetscErrorCode TakeSolverOptions(ScoriaDeck deck, int i)
{
  char text[DECK_VALUE_SIZE], said[DECK_VALUE_SIZE];
  PetscBool given;
  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetString(NULL, NULL, "-" PETSC_OPTIONS_KEY, said, sizeof said, &given));
  if (given) PetscCall(DeckInsertOptions(said));
  PetscCall(DeckSolverOptions(sizeof text, text));
  if (*text) PetscCall(SetValue(deck, i, "PETSc's options", text));
  PetscFunctionReturn(0);
}

static PetscErrorCode ResolveFromOptions(ScoriaDeck deck, const Options *o)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < deck->count; i++) {
    char option[300], text[DECK_VALUE_SIZE + 1] = "", where[512]; /* one more: a value that is too long shows */
    PetscBool found;
    int source;
    snprintf(option, sizeof option, "-%s", deck->key[i]->name);
    if (!strcmp(deck->key[i]->name, PETSC_OPTIONS_KEY)) {
      PetscCall(TakeSolverOptions(deck, i));
      continue;
    }
    PetscCall(PetscOptionsGetString(NULL, NULL, option, text, sizeof text, &found));
    if (!found) continue;
    PetscCall(WhereFrom(o, option, sizeof where, where, &source));
    if (source >= DECK_COMMAND_LINE && unsets(text)) continue; /* a deck's own, in quotes, is a text */
    PetscCall(SetValue(deck, i, where, text));
    deck->given[i] = true;
  }
  PetscFunctionReturn(0);
}

/* Items of a deck file and PETSc's database to a deck. */
static PetscErrorCode Resolve(MPI_Comm comm, const char *file, const DeckItems *items, const ScoriaKey *const tables[],
                              const ScoriaDeckMore *more, ScoriaDeck *deck)
{
  Options o = {.comm = comm, .tables = tables, .more = more, .file = file ? file : "", .items = items};
  PetscFunctionBeginUser;
  PetscCall(DeckSourcesCreate(comm, &o.from));
  PetscCall(Allocate(tables, deck));
  o.deck = *deck;
  PetscCall(ResolveFromOptions(*deck, &o));
  PetscCall(DeckEachOption(NULL, CheckOption, &o));
  PetscCall(DeckSourcesDestroy(&o.from));
  PetscFunctionReturn(0);
}

/* What the deck says by the keys that there are so far may declare others, which may stand before those of their name:
 * a value is refused when all keys are there, not here. */
static PetscErrorCode Extend(const char *file, const DeckItems *items, const ScoriaKey *const tables[],
                             const ScoriaDeckMore *more)
{
  char option[300], where[512], text[DECK_VALUE_SIZE + 1], canonical[DECK_VALUE_SIZE], expected[512];
  ScoriaDeck seen;
  PetscFunctionBeginUser;
  PetscCall(Allocate(tables, &seen));
  for (int i = 0; i < seen->count; i++) {
    const DeckItem *item = deck_items_find(items, seen->key[i]->name);
    PetscBool found;
    snprintf(option, sizeof option, "-%s", seen->key[i]->name);
    PetscCall(PetscOptionsGetString(NULL, NULL, option, text, sizeof text, &found));
    if (found ? unsets(text) : !(item && item->value)) continue;
    const char *value = found ? text : item->value;
    if (!deck_canonical(seen->key[i], value, sizeof canonical, canonical, sizeof expected, expected)) continue;
    snprintf(where, sizeof where, "%s:%d", file && item ? file : "command line", item ? item->line : 0);
    PetscCall(SetValue(seen, i, found ? "command line" : where, value));
  }
  PetscCall(more->extend(seen));
  PetscCall(ScoriaDeckDestroy(&seen));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckCreateWith(MPI_Comm comm, const char *file, const ScoriaKey *const tables[],
                                    const ScoriaDeckMore *more, ScoriaDeck *deck)
{
  DeckItems items = {0};
  char *text      = NULL;
  PetscFunctionBeginUser;
  if (file) {
    PetscCall(ScoriaTextRead(comm, file, DECK_FILE_MAX, "a YAML deck", &text));
    PetscCall(DeckItemsParse(file, text, strlen(text), tables, &items));
    PetscCall(PetscFree(text));
  }
  if (more) PetscCall(Extend(file, &items, tables, more));
  PetscCall(InsertItems(tables, more, file, &items));
  PetscCall(Resolve(comm, file, &items, tables, more, deck));
  PetscCall(DeckItemsDestroy(&items));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckCreate(MPI_Comm comm, const char *file, const ScoriaKey *const tables[], ScoriaDeck *deck)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckCreateWith(comm, file, tables, NULL, deck));
  PetscFunctionReturn(0);
}

/* Whether a text is a word that an earlier version may have had as a choice. */
static bool is_word(const char *text)
{
  const size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
  return length > 0 && length < SCORIA_NAME_SIZE && !text[length];
}

/* A choice that this version has not is kept as it is: files are read that were made with it, whatever it decided. */
static PetscErrorCode SetStored(ScoriaDeck deck, int i, const char *text)
{
  PetscFunctionBeginUser;
  if (deck->key[i]->type == SCORIA_KEY_CHOICE && !key_has_choice(deck->key[i], text) && is_word(text)) {
    PetscCall(PetscFree(deck->value[i]));
    PetscCall(PetscStrallocpy(text, &deck->value[i]));
  } else
    PetscCall(SetValue(deck, i, "stored deck", text));
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
    if (item && item->value) PetscCall(SetStored(*deck, i, item->value));
  }
  PetscCall(DeckItemsDestroy(&items));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckDestroy(ScoriaDeck *deck)
{
  PetscFunctionBeginUser;
  if (!*deck) PetscFunctionReturn(0);
  for (int i = 0; i < (*deck)->count; i++) PetscCall(PetscFree((*deck)->value[i]));
  PetscCall(PetscFree3((*deck)->key, (*deck)->value, (*deck)->given));
  PetscCall(PetscFree((*deck)->text));
  PetscCall(PetscFree(*deck));
  PetscFunctionReturn(0);
}

/* A deck as text: resolved, beside another one, and what a key takes. */
#include "deck_text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_quoted(FILE *out, const char *text, size_t length)
{
  fputc('\'', out);
  for (size_t i = 0; i < length; i++) fprintf(out, text[i] == '\'' ? "''" : "%c", text[i]);
  fputc('\'', out);
}

static void print_texts(FILE *out, const char *list)
{
  char one[DECK_VALUE_SIZE];
  for (char before = '['; list_next_text(&list, sizeof one, one); before = ',') {
    fputc(before, out);
    print_quoted(out, one, strlen(one));
  }
  fputc(']', out);
}

/* One "key: value" of YAML: lists in brackets, texts quoted, as YAML could read them otherwise. */
static void print_value(FILE *out, const ScoriaKey *key, const char *value)
{
  if (*value == '{' && (key->type == SCORIA_KEY_ENTRIES || key->type == SCORIA_KEY_ENTRY)) {
    fputs(value, out);
    return;
  }
  switch (key->type) {
  case SCORIA_KEY_INTS:
  case SCORIA_KEY_REALS:
  case SCORIA_KEY_RANGE:
    fprintf(out, "[%s]", value);
    break;
  case SCORIA_KEY_WORDS:
  case SCORIA_KEY_ENTRIES:
    for (char before = '['; *value; before = ',') {
      const size_t length = strcspn(value, ",");
      fputc(before, out);
      print_quoted(out, value, length);
      value += length + (value[length] == ',');
    }
    fputc(']', out);
    break;
  case SCORIA_KEY_TEXTS:
    print_texts(out, value);
    break;
  case SCORIA_KEY_STRING:
  case SCORIA_KEY_ENTRY:
    print_quoted(out, value, strlen(value));
    break;
  default:
    fputs(value, out);
  }
}

/* Behind a value that the user has set, of a key whose default was another one once: decks stored then name that
 * without it. */
#define SET " # set"

static const char *former_default(const ScoriaKey *key)
{
  return key->choices ? key->choices->former : NULL;
}

/* Letters of the section of a key's name; 0: it has none. */
static size_t section_length(const char *name)
{
  return strchr(name, '_') ? strcspn(name, "_") : 0;
}

/* Key i with a value, or the next one, that is of the section; deck->count: there is none. */
static int next_of_section(ScoriaDeck deck, int i, const char *section, size_t length)
{
  while (i < deck->count && (!deck->value[i] || section_length(deck->key[i]->name) != length ||
                             strncmp(deck->key[i]->name, section, length) != 0))
    i++;
  return i;
}

/* Several tables may declare keys of a section, which YAML has once: they are brought together. */
static void print_section(FILE *out, ScoriaDeck deck, int first)
{
  const char *name    = deck->key[first]->name;
  const size_t length = section_length(name);
  if (length) fprintf(out, "%.*s:\n", (int)length, name);
  for (int i = first; i < deck->count; i = next_of_section(deck, i + 1, name, length)) {
    fprintf(out, length ? "  %s: " : "%s: ", deck->key[i]->name + length + (length > 0));
    print_value(out, deck->key[i], deck->value[i]);
    fprintf(out, "%s\n", former_default(deck->key[i]) && !deck->key[i]->value ? SET : "");
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
    for (int i = 0; i < deck->count; i++) {
      const char *name = deck->key[i]->name;
      if (deck->value[i] && next_of_section(deck, 0, name, section_length(name)) == i) print_section(out, deck, i);
    }
    fclose(out);
    PetscCall(PetscStrallocpy(text, &deck->text));
    free(text);
  }
  *yaml = deck->text;
  PetscFunctionReturn(0);
}

#define DIFFERENCES_SHOWN 4 /* of another problem's deck nearly every key differs */

/* Whether the text of a stored deck says of this key, in its section, that it was set. */
static bool says_set(const ScoriaKey *key, const char *stored)
{
  const size_t section = section_length(key->name), set = strlen(SET);
  const char *name = key->name + section + (section > 0);
  bool inside      = section == 0;
  for (const char *line = stored, *end; (end = strchr(line, '\n')); line = end + 1) {
    const char *word = line + (section ? 2 : 0);
    if (section && *line != ' ') inside = !strncmp(line, key->name, section) && line[section] == ':';
    if (inside && end >= word + strlen(name) + 1 + set && !strncmp(word, name, strlen(name)) &&
        word[strlen(name)] == ':' && !strncmp(end - set, SET, set))
      return true;
  }
  return false;
}

/* Whether a stored deck has what was the key's default when it was made, and this one has what is now: neither need
 * have been asked for.  stored: its text. */
static PetscErrorCode IsFormer(ScoriaDeck deck, const ScoriaKey *key, const char *there, const char *stored,
                               bool *former)
{
  const char *was = former_default(key);
  char text[DECK_VALUE_SIZE], expected[DECK_VALUE_SIZE];
  bool changed;
  PetscFunctionBeginUser;
  *former = false;
  if (!was || !there || says_set(key, stored)) PetscFunctionReturn(0);
  PetscCall(ScoriaDeckChanged(deck, key->name, &changed));
  *former = !changed && deck_canonical(key, was, sizeof text, text, sizeof expected, expected) && !strcmp(there, text);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckDifference(ScoriaDeck deck, const char *text, unsigned results, size_t size, char difference[])
{
  ScoriaDeck other;
  size_t used = 0;
  int found   = 0;
  bool former;
  PetscFunctionBeginUser;
  difference[0] = 0;
  PetscCall(ScoriaDeckCreateFromText(PETSC_COMM_SELF, text, deck->tables, &other));
  for (int i = 0; i < deck->count; i++) {
    const char *here = deck->value[i], *there = other->value[i];
    if (!(deck->key[i]->decides & results)) continue;
    if ((here && there && !strcmp(here, there)) || (!here && !there)) continue;
    PetscCall(IsFormer(deck, deck->key[i], there, text, &former));
    if (former || ++found > DIFFERENCES_SHOWN || used >= size) continue;
    used += (size_t)snprintf(difference + used, size - used, "%s%s is %.100s here and %.100s there", used ? ", " : "",
                             deck->key[i]->name, here ? here : "not set", there ? there : "not set");
  }
  if (found > DIFFERENCES_SHOWN && used < size)
    snprintf(difference + used, size - used, ", and %d more", found - DIFFERENCES_SHOWN);
  PetscCall(ScoriaDeckDestroy(&other));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckTake(ScoriaDeck deck, const char *text, unsigned results, ScoriaDeck *own)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckCreateFromText(PETSC_COMM_SELF, text ? text : "", deck->tables, own));
  for (int i = 0; i < deck->count; i++) { /* both have the keys of the same tables */
    if (text && deck->key[i]->decides & results) continue;
    PetscCall(PetscFree((*own)->value[i]));
    if (deck->value[i]) PetscCall(PetscStrallocpy(deck->value[i], &(*own)->value[i]));
  }
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

void key_takes(const ScoriaKey *key, size_t size, char text[])
{
  char canonical[DECK_VALUE_SIZE], expected[512];
  deck_canonical(key, "", sizeof canonical, canonical, sizeof expected, expected);
  snprintf(text, size, "%s; %s%s", expected, key->value && *key->value ? "default " : "not set by default",
           key->value ? key->value : "");
}

/* What a deck says, by key and type; an unset key leaves the variable as it is. */
#include "deck_text.h"
#include <stdlib.h>
#include <string.h>

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

const ScoriaKey *deck_key(ScoriaDeck deck, const char *name)
{
  return deck_find_key(deck->tables, name);
}

bool deck_declares(ScoriaDeck deck, const char *name)
{
  return deck_key(deck, name) != NULL;
}

const ScoriaKey *const *deck_tables(ScoriaDeck deck)
{
  return deck->tables;
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

PetscErrorCode ScoriaDeckChanged(ScoriaDeck deck, const char *name, bool *changed)
{
  const ScoriaKey *key;
  const char *text;
  char usual[DECK_VALUE_SIZE], expected[DECK_VALUE_SIZE];
  PetscFunctionBeginUser;
  PetscCall(Find(deck, name, &key, &text));
  *changed = text && !(key->value && deck_canonical(key, key->value, sizeof usual, usual, sizeof expected, expected) &&
                       !strcmp(text, usual));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckGiven(ScoriaDeck deck, const char *name, bool *given)
{
  const ScoriaKey *key;
  const char *text;
  PetscFunctionBeginUser;
  PetscCall(Find(deck, name, &key, &text));
  *given = false;
  for (int i = 0; i < deck->count; i++) *given = *given || (deck->key[i] == key && deck->given[i]);
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
  PetscCheck(key->type == SCORIA_KEY_STRING || key->type == SCORIA_KEY_CHOICE || key->type == SCORIA_KEY_WORDS ||
                 key->type == SCORIA_KEY_TEXTS || key->type == SCORIA_KEY_BOOL || key->type == SCORIA_KEY_ENTRIES ||
                 key->type == SCORIA_KEY_ENTRY,
             PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG, "the deck key %s is not a text", name);
  if (text) *value = text;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckIs(ScoriaDeck deck, const char *name, const char *word, bool *is)
{
  const ScoriaKey *key;
  const char *text;
  PetscFunctionBeginUser;
  PetscCall(FindTyped(deck, name, SCORIA_KEY_CHOICE, &key, &text));
  PetscCheck(key_has_choice(key, word), PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG, "%s is no choice of the deck key %s",
             word, name);
  *is = text && !strcmp(text, word);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckRow(ScoriaDeck deck, const char *name, const void *table, size_t size, int *row)
{
  char words[SCORIA_CHOICES_SIZE];
  const ScoriaKey *key;
  const char *text;
  PetscFunctionBeginUser;
  PetscCall(FindTyped(deck, name, SCORIA_KEY_CHOICE, &key, &text));
  for (int i = 0; text; i++) {
    const char *const *at = (const void *)((const char *)table + (size_t)i * size);
    if (!*at) { /* of a stored deck */
      key_choices(key, words);
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found \"%s\", which this version has not, expected one of: %s", name, text,
                  words);
    }
    *row = i;
    if (!strcmp(*at, text)) break;
  }
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

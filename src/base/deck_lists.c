/* Lists in a deck, "U0,ell" and "c=/data/c,phi=/data/phi", word by word. */
#include "scoria/base.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool list_next_word(const char **list, size_t size, char word[])
{
  if (!*list || !**list) return false;
  const size_t length = strcspn(*list, ",");
  snprintf(word, size, "%.*s", (int)PetscMin(length, size - 1), *list);
  *list += length + ((*list)[length] == ',');
  return true;
}

/* The brackets that are open at a place of a text, innermost last. */
typedef struct {
  int n;
  char closing[32];
  bool wrong; /* one was closed by another's sign, or not opened, or too many are open */
} Brackets;

static void pass(Brackets *b, char c)
{
  if (c == '(' || c == '[') {
    b->wrong = b->wrong || b->n == (int)sizeof b->closing;
    if (!b->wrong) b->closing[b->n++] = c == '(' ? ')' : ']';
  } else if (c == ')' || c == ']') {
    b->wrong = b->wrong || b->n == 0 || b->closing[b->n - 1] != c;
    if (!b->wrong) b->n--;
  }
}

const char *text_outside(const char *from, const char *end, const char *any)
{
  Brackets b = {0};
  for (; from < end; from++) {
    if (b.n == 0 && strchr(any, *from)) return from;
    pass(&b, *from);
  }
  return NULL;
}

const char *text_closing(const char *open, const char *end)
{
  Brackets b = {0};
  for (; open < end && !b.wrong; open++) {
    pass(&b, *open);
    if (b.n == 0 && !b.wrong) return open;
  }
  return NULL;
}

bool text_brackets(const char *text)
{
  Brackets b = {0};
  for (; *text; text++) pass(&b, *text);
  return b.n == 0 && !b.wrong;
}

/* Up to a comma outside of brackets. */
static size_t text_length(const char *list)
{
  const size_t length = strlen(list);
  const char *comma   = text_outside(list, list + length, ",");
  return comma ? (size_t)(comma - list) : length;
}

bool list_next_text(const char **list, size_t size, char text[])
{
  if (!*list || !**list) return false;
  const size_t length = text_length(*list);
  const char *from = *list, *end = from + length;
  *list = end + (*end == ',');
  while (from < end && isspace((unsigned char)*from)) from++;
  while (end > from && isspace((unsigned char)end[-1])) end--;
  snprintf(text, size, "%.*s", (int)(end - from), from);
  return true;
}

PetscErrorCode ScoriaListPair(const char *key, const char **list, size_t size, char name[SCORIA_NAME_SIZE],
                              char value[], bool *found)
{
  PetscFunctionBeginUser;
  *found = *list && **list;
  if (!*found) PetscFunctionReturn(0);
  const size_t length = strcspn(*list, ","), left = strcspn(*list, "=,");
  if (left == 0 || left + 1 >= length || left >= SCORIA_NAME_SIZE || length - left - 1 >= size)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: found \"%.*s\", expected name=value (in a mapping, {name: {path: ...}}, a text may hold spaces, "
                "commas and brackets)",
                key, (int)PetscMin(length, 200), *list);
  PetscCall(PetscStrncpy(name, *list, left + 1));
  PetscCall(PetscStrncpy(value, *list + left + 1, length - left));
  *list += length + ((*list)[length] == ',');
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaListNumber(const char *key, const char *name, const char *text, double *value)
{
  char *end;
  PetscFunctionBeginUser;
  *value = strtod(text, &end);
  if (end == text || *end || !isfinite(*value))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found \"%s\", expected a number", key, name, text);
  PetscFunctionReturn(0);
}

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

/* Up to a comma outside of brackets. */
static size_t text_length(const char *list)
{
  int depth = 0;
  size_t n  = 0;
  for (; list[n] && (list[n] != ',' || depth > 0); n++) depth += !!strchr("([", list[n]) - !!strchr(")]", list[n]);
  return n;
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

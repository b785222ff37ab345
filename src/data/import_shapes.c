/* Shapes and axes of an array, and what is said of those that fit nowhere. */
#include "import_axes.h"
#include <string.h>

static void shape_of(const ImportColumn *c, size_t size, char text[])
{
  size_t used = (size_t)snprintf(text, size, "(");
  for (int i = 0; i < c->rank && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, "%s%lld", i ? ", " : "", (long long)c->dims[i]);
  if (used < size) snprintf(text + used, size - used, ")");
}

PetscErrorCode ImportWrongShape(const Import *im, const char *what, const ImportColumn *c, const char *expected)
{
  char shape[128];
  PetscFunctionBeginUser;
  shape_of(c, sizeof shape, shape);
  SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: array %s has the shape %s, expected %s", im->path, what, c->path, shape,
              expected);
}

/* A choice that the program does not take. */
PetscErrorCode ImportAmbiguous(const Import *im, const char *what, const ImportColumn *c, const char *of, bool field)
{
  char shape[128];
  PetscFunctionBeginUser;
  shape_of(c, sizeof shape, shape);
  SCORIA_FAIL(SCORIA_EXIT_INPUT,
              "%s: %s: array %s has the shape %s: more than one axis may be that of the %s; name them in the order of "
              "the file, %s",
              im->path, what, c->path, shape, of,
              field ? "as in import: order: [x, realisation, condition]"
                    : "as in import: conditions: {name: {path: /path, order: [condition]}}");
}

bool import_matters(const ImportColumn *c, int a)
{
  return c->dims[a] != 1;
}

bool import_same_scale(const ScoriaForeignAxis *a, const ScoriaForeignAxis *b)
{
  return a->known && a->known == b->known && a->file == b->file;
}

/* The axis of that name where the deck names them; -1: none. */
int import_named(const ImportColumn *c, ImportNames name, const char *wanted)
{
  for (int a = 0; a < c->rank && *c->order; a++)
    if (!strcmp(name[a], wanted)) return a;
  return -1;
}

/* uq: names in expressions, the cells of the fields they name, and what a name that nothing has may be meant for. */
#include "uq_expressions.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

const char *const uq_function_names[NFUNCTIONS] = {"min",      "max",      "mean",     "integral",
                                                   "sd",       "quantile", "argmin",   "argmin_y",
                                                   "argmin_z", "argmax",   "argmax_y", "argmax_z"};

/* Of muParser, beside these. */
static const char *const of_parser[]            = {"sin",  "cos",   "tan",   "asin",  "acos", "atan",  "sinh", "cosh",
                                                   "tanh", "asinh", "acosh", "atanh", "log2", "log10", "log",  "ln",
                                                   "exp",  "sqrt",  "sign",  "rint",  "abs",  "sum",   "avg"};
enum { OF_PARSER = sizeof of_parser / sizeof *of_parser, FUNCTIONS = OF_PARSER + NFUNCTIONS };

size_t uq_name_length(const char *text)
{
  size_t n = 0;
  if (isalpha((unsigned char)*text) || *text == '_')
    while (isalnum((unsigned char)text[n]) || text[n] == '_') n++;
  return n;
}

int uq_cells(const UqQuestion *q, int channel, int axis)
{
  int n[3];
  field_shape(&q->field[channel], q->n, n);
  return n[axis];
}

const double *uq_centres(const UqQuestion *q, int channel, int axis)
{
  return field_centres(&q->field[channel], q->n, q->x, axis);
}

void uq_condition(const UqQuestion *q, int k, size_t size, char text[])
{
  char values[UQ_CONDITION_TEXT];
  space_describe(q->space, q->theta + (size_t)k * (size_t)q->space->n, sizeof values, values);
  snprintf(text, size, "condition %d (%s)", k, values);
}

int uq_field_find(const UqQuestion *q, const char *name, size_t length)
{
  for (int c = 0; c < q->channels; c++)
    if (strlen(q->field[c].name) == length && !strncmp(q->field[c].name, name, length)) return c;
  return -1;
}

PetscErrorCode UqFindAlong(const UqQuestion *q, const char *key, const char *text, const char *argument, int *along)
{
  int found = -1;
  PetscFunctionBeginUser;
  for (const char *at = argument; *at;) {
    const size_t length = uq_name_length(at);
    const int c         = length ? uq_field_find(q, at, length) : -1;
    at += length ? length : 1;
    if (c < 0 || field_is_one_value(&q->field[c])) continue;
    for (int d = 0; found >= 0 && d < 3; d++)
      if (strcmp(field_axis(&q->field[found], d), field_axis(&q->field[c], d)))
        SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: \"%s\": %s lies along %s, %s along %s: expected fields along one axis",
                    key, text, q->field[found].name, field_axis(&q->field[found], d), q->field[c].name,
                    field_axis(&q->field[c], d));
    if (found < 0) found = c;
  }
  *along = PetscMax(found, 0);
  PetscFunctionReturn(0);
}

static void list_functions(const char *names[FUNCTIONS])
{
  for (int i = 0; i < NFUNCTIONS; i++) names[i] = uq_function_names[i];
  for (int i = 0; i < OF_PARSER; i++) names[NFUNCTIONS + i] = of_parser[i];
}

static void list_fields(const UqQuestion *q, size_t size, char list[])
{
  size_t used = (size_t)snprintf(list, size, "; fields:");
  for (int i = 0; i < q->channels && used < size; i++)
    used += (size_t)snprintf(list + used, size - used, "%s %s", i ? "," : "", q->field[i].name);
}

/* What has values is nearer than any function, unless a function is called. */
void uq_suggest(const UqQuestion *q, const char *found, bool called, size_t size, char hint[])
{
  const char *known[FUNCTIONS + SCORIA_MAX_FIELDS + SCORIA_MAX_CONDITIONS + UQ_MAX_QUANTITIES];
  char name[UQ_ITEM], fields[UQ_ITEM] = "";
  int n = 0;
  if (called) {
    list_functions(known);
    n = FUNCTIONS;
  } else
    list_fields(q, sizeof fields, fields);
  for (int i = 0; i < q->channels; i++) known[n++] = q->field[i].name;
  for (int i = 0; i < q->nquantities; i++) known[n++] = q->quantity[i].name;
  for (int i = 0; i < q->space->n; i++) known[n++] = q->space->c[i].name;
  snprintf(name, sizeof name, "%.*s", (int)uq_name_length(found), found);
  const char *nearest = *name ? text_nearest(name, n, known) : NULL;
  *hint               = 0;
  if (nearest && strcmp(nearest, name))
    snprintf(hint, size, " (did you mean \"%s\"?)%s", nearest, fields);
  else if (*name && !nearest)
    snprintf(hint, size, "%s", fields);
}

static bool is_function(const char *name, size_t length)
{
  const char *known[FUNCTIONS];
  list_functions(known);
  for (int i = 0; i < FUNCTIONS; i++)
    if (strlen(known[i]) == length && !strncmp(known[i], name, length)) return true;
  return false;
}

bool uq_unknown_function(const UqQuestion *q, const char *text, size_t size, char name[])
{
  char hint[UQ_ITEM];
  for (size_t length; *text; text += length ? length : 1) {
    length = uq_name_length(text);
    if (!length || text[length + strspn(text + length, " ")] != '(' || is_function(text, length)) continue;
    uq_suggest(q, text, true, sizeof hint, hint);
    for (int i = 0; i < q->channels; i++)
      if (strlen(q->field[i].name) == length && !strncmp(q->field[i].name, text, length))
        snprintf(hint, sizeof hint, "; a field's place stands in brackets, %.40s[0]", q->field[i].name);
    snprintf(name, size, "\"%.*s\"%s", (int)PetscMin(length, 60), text, hint);
    return true;
  }
  return false;
}

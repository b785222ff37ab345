/* Data that no equations of ours made: what the deck says of them where fields are drawn. */
#include "scoria/draw.h"
#include <math.h>
#include <string.h>

PetscErrorCode ScoriaImported(ScoriaDeck deck, bool *imported)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckHas(deck, "import_file", imported));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaNeedEquations(ScoriaDeck deck, const char *command, const char *instead)
{
  bool imported;
  PetscFunctionBeginUser;
  PetscCall(ScoriaImported(deck, &imported));
  if (imported)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: the deck's data are imported (import_file), there is no PDE behind them; %s",
                command, instead);
  PetscFunctionReturn(0);
}

const char *const scoria_field_members[]     = {"path",      "order",   "channel", "scale",   "offset",  "units",
                                                "reference", "bounds",  "x",       "x_scale", "x_units", "y",
                                                "y_scale",   "y_units", "z",       "z_scale", "z_units", NULL};
const char *const scoria_condition_members[] = {"path",  "order", "channel",     "scale", "offset",
                                                "units", "range", "logarithmic", NULL};

PetscErrorCode ScoriaImportedReferences(ScoriaDeck deck, double reference[SCORIA_MAX_FIELDS])
{
  const char *list = NULL;
  char wanted[SCORIA_NAME_SIZE], number[64];
  ScoriaEntries fields;
  bool found;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckEntries(deck, "import_fields", scoria_field_members, &fields));
  const int n = PetscMin(entries_count(fields), SCORIA_MAX_FIELDS);
  for (int f = 0; f < n; f++) {
    const char *value = entries_value(fields, f, "reference");
    if (value) PetscCall(ScoriaListNumber("import_fields: reference", entries_name(fields, f), value, &reference[f]));
  }
  PetscCall(ScoriaDeckString(deck, "import_reference", &list));
  for (;;) {
    PetscCall(ScoriaListPair("import_reference", &list, sizeof number, wanted, number, &found));
    if (!found) break;
    int f = n - 1;
    while (f >= 0 && strcmp(entries_name(fields, f), wanted)) f--;
    if (f < 0)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "import_reference: found \"%s\", which is no field of import_fields", wanted);
    PetscCall(ScoriaListNumber("import_reference", wanted, number, &reference[f]));
  }
  PetscCall(ScoriaEntriesDestroy(&fields));
  PetscFunctionReturn(0);
}

/* "0", ".inf" and "-.inf" as in YAML. */
static PetscErrorCode ReadBound(const char *name, const char *word, double *bound)
{
  PetscFunctionBeginUser;
  if (!strcmp(word, ".inf") || !strcmp(word, "inf"))
    *bound = INFINITY;
  else if (!strcmp(word, "-.inf") || !strcmp(word, "-inf"))
    *bound = -INFINITY;
  else
    PetscCall(ScoriaListNumber("import_fields: bounds", name, word, bound));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaImportedBounds(ScoriaDeck deck, bool bounded[SCORIA_MAX_FIELDS],
                                    double bounds[SCORIA_MAX_FIELDS][2])
{
  ScoriaEntries fields;
  char word[64];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckEntries(deck, "import_fields", scoria_field_members, &fields));
  for (int f = 0; f < PetscMin(entries_count(fields), SCORIA_MAX_FIELDS); f++) {
    const char *name = entries_name(fields, f), *list = entries_value(fields, f, "bounds"), *value = list;
    int n = 0;
    if (!value) continue;
    while (n < 2 && list_next_word(&list, sizeof word, word)) PetscCall(ReadBound(name, word, &bounds[f][n++]));
    if (n != 2 || *list || (isinf(bounds[f][0]) && isinf(bounds[f][1])) || !(bounds[f][0] < bounds[f][1]))
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "import_fields: bounds: %s: found [%s], expected a lower and a higher number, one of which may be "
                  "infinite, as in [0, .inf]",
                  name, value);
    bounded[f] = true;
  }
  PetscCall(ScoriaEntriesDestroy(&fields));
  PetscFunctionReturn(0);
}

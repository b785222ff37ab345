/* Data that no equations of ours made: what the deck says of them where fields are drawn. */
#include "scoria/draw.h"
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

PetscErrorCode ScoriaImportedReferences(ScoriaDeck deck, double reference[SCORIA_MAX_FIELDS])
{
  const char *fields = NULL, *list = NULL;
  char name[SCORIA_NAME_SIZE], wanted[SCORIA_NAME_SIZE], value[512], number[64];
  bool found, there;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "import_reference", &list));
  for (;;) {
    PetscCall(ScoriaListPair("import_reference", &list, sizeof number, wanted, number, &found));
    if (!found) break;
    int channel = 0;
    fields      = NULL;
    PetscCall(ScoriaDeckString(deck, "import_fields", &fields));
    PetscCall(ScoriaListPair("import_fields", &fields, sizeof value, name, value, &there));
    while (there && strcmp(name, wanted)) {
      channel += field_is_state(name);
      PetscCall(ScoriaListPair("import_fields", &fields, sizeof value, name, value, &there));
    }
    if (!there || !field_is_state(wanted))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "import_reference: found \"%s\", which is no field that a model learns", wanted);
    PetscCall(ScoriaListNumber("import_reference", wanted, number, &reference[channel]));
  }
  PetscFunctionReturn(0);
}

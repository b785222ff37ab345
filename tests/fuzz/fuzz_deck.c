/* The deck reader, with every key of the program.  A deck that is accepted must come back from its own resolved text,
 * which is what every file of ours keeps. */
#include "fuzz.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  (void)argc;
  (void)argv;
  fuzz_start();
  return 0;
}

static PetscErrorCode GetLists(ScoriaDeck deck, const ScoriaKey *key)
{
  double reals[8], range[2];
  PetscInt ints[8], n;
  PetscFunctionBeginUser;
  if (key->type == SCORIA_KEY_REALS) PetscCall(ScoriaDeckReals(deck, key->name, 8, &n, reals));
  if (key->type == SCORIA_KEY_INTS) PetscCall(ScoriaDeckInts(deck, key->name, 8, &n, ints));
  if (key->type == SCORIA_KEY_RANGE) PetscCall(ScoriaDeckRange(deck, key->name, range));
  PetscFunctionReturn(0);
}

/* Every value, as the type it is of. */
static PetscErrorCode GetAll(ScoriaDeck deck)
{
  const ScoriaKey *const *tables = cmd_tables();
  const char *text;
  double real;
  PetscInt n;
  bool yes;
  PetscFunctionBeginUser;
  for (int t = 0; tables[t]; t++)
    for (const ScoriaKey *key = tables[t]; key->name; key++) {
      if (key->type == SCORIA_KEY_INT) PetscCall(ScoriaDeckInt(deck, key->name, &n));
      if (key->type == SCORIA_KEY_REAL) PetscCall(ScoriaDeckReal(deck, key->name, &real));
      if (key->type == SCORIA_KEY_BOOL) PetscCall(ScoriaDeckBool(deck, key->name, &yes));
      if (key->type == SCORIA_KEY_CHOICE) PetscCall(ScoriaDeckString(deck, key->name, &text));
      if (key->type == SCORIA_KEY_STRING || key->type == SCORIA_KEY_TEXTS || key->type == SCORIA_KEY_WORDS ||
          key->type == SCORIA_KEY_ENTRIES || key->type == SCORIA_KEY_ENTRY)
        PetscCall(ScoriaDeckString(deck, key->name, &text));
      PetscCall(GetLists(deck, key));
    }
  PetscFunctionReturn(0);
}

static void must_come_back(const char *text)
{
  const char *again;
  ScoriaDeck deck;
  MUST(ScoriaDeckCreateFromText(PETSC_COMM_SELF, text, cmd_tables(), &deck));
  MUST(ScoriaDeckText(deck, &again));
  if (strcmp(text, again)) {
    fprintf(stderr, "FINDING: the resolved deck reads back differently:\n%s\n---\n%s\n", text, again);
    abort();
  }
  MUST(ScoriaDeckDestroy(&deck));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  const char *path = fuzz_path("deck.yaml"), *text;
  ScoriaDeck deck  = NULL;
  MUST(PetscOptionsClear(NULL));
  fuzz_write(path, data, size);
  PetscErrorCode failed = ScoriaDeckCreate(PETSC_COMM_SELF, path, cmd_tables(), &deck);
  if (!failed) {
    MUST(ScoriaDeckText(deck, &text));
    must_come_back(text);
    failed = GetAll(deck);
  }
  if (!size) MUST(failed); /* nothing is wrong with it yet */
  fuzz_verdict(failed);
  MUST(ScoriaDeckDestroy(&deck));
  return 0;
}

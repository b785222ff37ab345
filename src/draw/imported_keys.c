/* Deck keys that are not known before a deck is read: values of the conditions that it imports, by their names. */
#include "scoria/draw.h"
#include <stdio.h>
#include <string.h>

enum { MOST = 2 * SCORIA_MAX_CONDITIONS };

ScoriaKey scoria_imported_keys[MOST + 1] = {{.name = NULL}};
static char key_name[MOST][2 * SCORIA_NAME_SIZE];
static char known[SCORIA_MAX_CONDITIONS * (SCORIA_NAME_SIZE + 2) + 64]; /* "; the conditions ...": for a hint */

/* A key of that name stays what it is, unless it is the value of a problem's condition: an imported T need not be in K.
 */
static void declare(ScoriaDeck deck, int n, const char *section, const char *name)
{
  const bool sample = !strcmp(section, "sample");
  int at            = 0;
  while (scoria_imported_keys[at].name) at++;
  snprintf(key_name[n], sizeof key_name[n], "%s_%s", section, name);
  if (at == MOST) return;
  if (deck_declares(deck, key_name[n]) && !condition_key(deck, section, name, key_name[n])) return;
  scoria_imported_keys[at] =
      (ScoriaKey){.name    = key_name[n],
                  .type    = sample ? SCORIA_KEY_REAL : SCORIA_KEY_REALS,
                  .unit    = "",
                  .lo      = -SCORIA_UNBOUNDED,
                  .hi      = SCORIA_UNBOUNDED,
                  .help    = sample ? "the imported condition's value in samples" : "its values in uq",
                  .decides = sample ? SCORIA_DECIDES_AT : SCORIA_DECIDES_UQ};
}

static PetscErrorCode Extend(ScoriaDeck seen)
{
  ScoriaEntries conditions;
  PetscFunctionBeginUser;
  for (int i = 0; i <= MOST; i++) scoria_imported_keys[i] = (ScoriaKey){.name = NULL};
  known[0] = 0;
  PetscCall(ScoriaDeckEntries(seen, "import_conditions", scoria_condition_members, &conditions));
  const int n = PetscMin(entries_count(conditions), SCORIA_MAX_CONDITIONS); /* more are refused by import */
  for (int i = 0; i < n; i++) {
    const size_t used = strlen(known);
    declare(seen, 2 * i, "sample", entries_name(conditions, i));
    declare(seen, 2 * i + 1, "uq", entries_name(conditions, i));
    snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "; the conditions of the import are ",
             entries_name(conditions, i));
  }
  PetscCall(ScoriaEntriesDestroy(&conditions));
  PetscFunctionReturn(0);
}

static const char *hint(const char *name)
{
  return strncmp(name, "sample_", 7) && strncmp(name, "uq_", 3) ? "" : known;
}

const ScoriaDeckMore scoria_imported_more = {Extend, hint, NULL};

/* Keys that name things with members, "fields: {c: {path: /data/c, scale: 2}}" as deck_mapping.c keeps it, or the short
 * form "c=/data/c". */
#include "deck_text.h"
#include <stdio.h>
#include <string.h>

typedef struct {
  int entry;
  char member[SCORIA_NAME_SIZE];
  char *value; /* owned */
} Said;

struct ScoriaEntries_ {
  int n, nsaid;
  char name[SCORIA_MAX_ENTRIES][SCORIA_NAME_SIZE];
  bool bare[SCORIA_MAX_ENTRIES]; /* a text alone, no mapping of members */
  Said said[SCORIA_MAX_ENTRIES * SCORIA_MAX_MEMBERS];
};

int entries_count(ScoriaEntries entries)
{
  return entries->n;
}

const char *entries_name(ScoriaEntries entries, int i)
{
  return entries->name[i];
}

bool entries_short(ScoriaEntries entries, int i)
{
  return entries->bare[i];
}

const char *entries_value(ScoriaEntries entries, int i, const char *member)
{
  for (int k = 0; k < entries->nsaid; k++)
    if (entries->said[k].entry == i && !strcmp(entries->said[k].member, member)) return entries->said[k].value;
  return NULL;
}

static PetscErrorCode Say(ScoriaEntries e, const char *key, const char *const members[], const char *member,
                          const char *value)
{
  char known[256] = "";
  int m           = 0;
  PetscFunctionBeginUser;
  while (members[m] && strcmp(members[m], member)) m++;
  for (int i = 0; members[i]; i++) {
    PetscCall(PetscStrlcat(known, i ? ", " : "", sizeof known));
    PetscCall(PetscStrlcat(known, members[i], sizeof known));
  }
  const char *name = e->name[e->n - 1];
  if (!members[m])
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s%sfound \"%.60s\", expected one of: %s", key, name, *name ? ": " : "", member,
                known);
  if (entries_value(e, e->n - 1, member))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s%s%s is set twice", key, name, *name ? ": " : "", member);
  PetscCheck(e->nsaid < SCORIA_MAX_ENTRIES * SCORIA_MAX_MEMBERS, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "more members than %d", SCORIA_MAX_MEMBERS);
  Said *to  = &e->said[e->nsaid++];
  to->entry = e->n - 1;
  PetscCall(PetscStrncpy(to->member, member, sizeof to->member));
  PetscCall(PetscStrallocpy(value, &to->value));
  PetscFunctionReturn(0);
}

static PetscErrorCode Open(ScoriaEntries e, const char *key, const char *name)
{
  PetscFunctionBeginUser;
  if (e->n == SCORIA_MAX_ENTRIES)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: \"%.60s\" is one too many, expected at most %d", key, name, SCORIA_MAX_ENTRIES);
  if (strlen(name) >= SCORIA_NAME_SIZE)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found the name \"%.80s\", expected at most %d characters", key, name,
                SCORIA_NAME_SIZE - 1);
  PetscCall(PetscStrncpy(e->name[e->n++], name, SCORIA_NAME_SIZE));
  PetscFunctionReturn(0);
}

/* A value as text: a scalar, or a list of them as "a,b". */
static PetscErrorCode ReadValue(yaml_document_t *document, const char *key, const yaml_node_t *node,
                                char text[DECK_VALUE_SIZE])
{
  text[0] = 0;
  PetscFunctionBeginUser;
  if (node->type == YAML_MAPPING_NODE)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found a mapping too deep down, expected a value or a list", key);
  if (node->type == YAML_SCALAR_NODE) {
    PetscCall(PetscStrncpy(text, (const char *)node->data.scalar.value, DECK_VALUE_SIZE));
    PetscFunctionReturn(0);
  }
  for (const yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
    const yaml_node_t *one = yaml_document_get_node(document, *item);
    if (one->type != YAML_SCALAR_NODE)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found a list of lists or mappings, expected a list of values", key);
    if (*text) PetscCall(PetscStrlcat(text, ",", DECK_VALUE_SIZE));
    PetscCall(PetscStrlcat(text, (const char *)one->data.scalar.value, DECK_VALUE_SIZE));
  }
  PetscFunctionReturn(0);
}

/* A mapping of members; of entries, which are texts or such mappings. */
static PetscErrorCode ReadMembers(yaml_document_t *document, const yaml_node_t *mapping, const char *key,
                                  const char *const members[], bool entries, ScoriaEntries e)
{
  char text[DECK_VALUE_SIZE];
  PetscFunctionBeginUser;
  for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top;
       pair++) {
    const char *name         = (const char *)yaml_document_get_node(document, pair->key)->data.scalar.value;
    const yaml_node_t *value = yaml_document_get_node(document, pair->value);
    if (entries) PetscCall(Open(e, key, name));
    if (entries && value->type == YAML_MAPPING_NODE) {
      PetscCall(ReadMembers(document, value, key, members, false, e));
      continue;
    }
    PetscCall(ReadValue(document, key, value, text));
    if (entries) e->bare[e->n - 1] = true;
    PetscCall(Say(e, key, members, entries ? members[0] : name, text));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadShort(const char *key, const char *const members[], bool one, const char *text,
                                ScoriaEntries e)
{
  char name[SCORIA_NAME_SIZE], value[DECK_VALUE_SIZE];
  bool found;
  PetscFunctionBeginUser;
  if (one) {
    PetscCall(Open(e, key, ""));
    PetscCall(Say(e, key, members, members[0], text));
    e->bare[0] = true;
    PetscFunctionReturn(0);
  }
  for (;;) {
    PetscCall(ScoriaListPair(key, &text, sizeof value, name, value, &found));
    if (!found) break;
    PetscCall(Open(e, key, name));
    PetscCall(Say(e, key, members, members[0], value));
    e->bare[e->n - 1] = true;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckEntries(ScoriaDeck deck, const char *key, const char *const members[], ScoriaEntries *entries)
{
  const bool one   = deck_find_key(deck->tables, key)->type == SCORIA_KEY_ENTRY;
  const char *text = NULL;
  yaml_document_t document;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, key, &text));
  PetscCall(PetscNew(entries));
  if (!text) PetscFunctionReturn(0);
  if (*text != '{') {
    PetscCall(ReadShort(key, members, one, text, *entries));
    PetscFunctionReturn(0);
  }
  const yaml_node_t *root = deck_load_mapping(text, &document);
  PetscErrorCode failed   = one ? Open(*entries, key, "") : 0;
  if (root && !failed) failed = ReadMembers(&document, root, key, members, !one, *entries);
  yaml_document_delete(&document);
  PetscFunctionReturn(failed);
}

PetscErrorCode ScoriaEntriesDestroy(ScoriaEntries *entries)
{
  PetscFunctionBeginUser;
  if (!*entries) PetscFunctionReturn(0);
  for (int i = 0; i < (*entries)->nsaid; i++) PetscCall(PetscFree((*entries)->said[i].value));
  PetscCall(PetscFree(*entries));
  PetscFunctionReturn(0);
}

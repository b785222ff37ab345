/* Keys whose value may be a mapping, "fields: {c: {path: /data/c, scale: 2}}": kept as JSON on one line, which is YAML
 * too, with every scalar as a text; and read back, together with the short form "c=/data/c". */
#include "deck_text.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------------ as JSON ----
 */

typedef struct {
  char *text; /* borrowed (size) */
  size_t size, used;
  bool good; /* nothing has been left out */
} Writer;

static void put(Writer *to, const char *text)
{
  const size_t length = strlen(text);
  to->good            = to->good && to->used + length < to->size;
  if (!to->good) return;
  memcpy(to->text + to->used, text, length + 1);
  to->used += length;
}

static void put_scalar(Writer *to, const char *text)
{
  put(to, "\"");
  for (; *text; text++) {
    const char one[3] = {*text == '"' || *text == '\\' ? '\\' : *text, *text, 0};
    to->good          = to->good && !iscntrl((unsigned char)*text); /* the resolved deck is one of lines */
    put(to, one + (one[0] != '\\'));
  }
  put(to, "\"");
}

/* A plain scalar with which YAML says that nothing is set. */
static bool is_null(const yaml_event_t *event)
{
  const char *text = (const char *)event->data.scalar.value;
  return event->type == YAML_SCALAR_EVENT && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
         (!*text || !strcmp(text, "~") || !strcmp(text, "null"));
}

static bool copy_node(yaml_parser_t *parser, yaml_event_t *event, int depth, Writer *to);

/* The rest of a sequence (after its start event), or of a mapping. */
static bool copy_members(yaml_parser_t *parser, bool mapping, int depth, Writer *to)
{
  const yaml_event_type_t end = mapping ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
  yaml_event_t event;
  bool good = depth < DECK_MAPPING_DEPTH, done = false;
  put(to, mapping ? "{" : "[");
  for (int n = 0; good && !done; n++) {
    if (!yaml_parser_parse(parser, &event)) return false;
    done                = event.type == end;
    const size_t before = to->used;
    if (!done && n) put(to, mapping ? ", " : ",");
    if (done || !mapping) {
      good = done || copy_node(parser, &event, depth + 1, to);
      yaml_event_delete(&event);
      continue;
    }
    good = event.type == YAML_SCALAR_EVENT;
    if (good) put_scalar(to, (const char *)event.data.scalar.value);
    yaml_event_delete(&event);
    if (!good || !yaml_parser_parse(parser, &event)) return false;
    put(to, ": ");
    if (is_null(&event)) {
      to->used           = before;
      to->text[to->used] = 0;
      n -= 1;
    } else {
      good = copy_node(parser, &event, depth + 1, to);
    }
    yaml_event_delete(&event);
  }
  put(to, mapping ? "}" : "]");
  return good;
}

static bool copy_node(yaml_parser_t *parser, yaml_event_t *event, int depth, Writer *to)
{
  if (event->type == YAML_SCALAR_EVENT) {
    put_scalar(to, (const char *)event->data.scalar.value);
    return true;
  }
  const bool mapping = event->type == YAML_MAPPING_START_EVENT;
  return (mapping || event->type == YAML_SEQUENCE_START_EVENT) && copy_members(parser, mapping, depth, to);
}

bool deck_read_mapping(yaml_parser_t *parser, size_t size, char json[])
{
  Writer to = {json, size, 0, true};
  return copy_members(parser, true, 0, &to) && to.good;
}

/* Parses a text up to its first node's start; true where that is a mapping, whose events come next. */
static bool open_mapping(yaml_parser_t *parser, const char *text)
{
  yaml_event_t event;
  bool good = true, mapping = false;
  if (!yaml_parser_initialize(parser)) return false;
  yaml_parser_set_input_string(parser, (const unsigned char *)text, strlen(text));
  for (int i = 0; i < 3 && good; i++) { /* stream, document, node */
    good = yaml_parser_parse(parser, &event);
    if (!good) break;
    mapping = event.type == YAML_MAPPING_START_EVENT;
    yaml_event_delete(&event);
  }
  return good && mapping;
}

bool deck_canonical_mapping(const char *text, size_t size, char json[])
{
  yaml_parser_t parser = {0};
  yaml_event_t event;
  bool good = open_mapping(&parser, text) && deck_read_mapping(&parser, size, json);
  for (int i = 0; i < 2 && good; i++) { /* the document ends here, and so does the text */
    good = yaml_parser_parse(&parser, &event) && event.type == (i ? YAML_STREAM_END_EVENT : YAML_DOCUMENT_END_EVENT);
    yaml_event_delete(&event);
  }
  yaml_parser_delete(&parser);
  return good;
}

/* ----------------------------------------------------------------------------------------------------- entries ---- */

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

/* The next event of a text that has been written by deck_read_mapping, and its scalar. */
static yaml_event_type_t next(yaml_parser_t *parser, char text[DECK_VALUE_SIZE])
{
  yaml_event_t event           = {0};
  const bool good              = yaml_parser_parse(parser, &event);
  const yaml_event_type_t type = good ? event.type : YAML_NO_EVENT;
  text[0]                      = 0;
  if (type == YAML_SCALAR_EVENT) snprintf(text, DECK_VALUE_SIZE, "%s", (const char *)event.data.scalar.value);
  yaml_event_delete(&event);
  return type;
}

/* A value: a scalar, or a list of them as "a,b". */
static PetscErrorCode ReadValue(yaml_parser_t *parser, const char *key, yaml_event_type_t type,
                                char text[DECK_VALUE_SIZE])
{
  char one[DECK_VALUE_SIZE];
  bool list = type == YAML_SEQUENCE_START_EVENT;
  PetscFunctionBeginUser;
  if (type != YAML_SCALAR_EVENT && !list)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found a mapping too deep down, expected a value or a list", key);
  while (list && (type = next(parser, one)) != YAML_SEQUENCE_END_EVENT) {
    if (type != YAML_SCALAR_EVENT)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found a list of lists or mappings, expected a list of values", key);
    if (*text) PetscCall(PetscStrlcat(text, ",", DECK_VALUE_SIZE));
    PetscCall(PetscStrlcat(text, one, DECK_VALUE_SIZE));
  }
  PetscFunctionReturn(0);
}

/* The rest of a mapping of members; of one of entries, where these are yet to come. */
static PetscErrorCode ReadMembers(yaml_parser_t *parser, const char *key, const char *const members[], bool entries,
                                  ScoriaEntries e)
{
  char name[DECK_VALUE_SIZE], value[DECK_VALUE_SIZE];
  PetscFunctionBeginUser;
  while (next(parser, name) == YAML_SCALAR_EVENT) {
    const yaml_event_type_t type = next(parser, value);
    if (entries) PetscCall(Open(e, key, name));
    if (entries && type == YAML_MAPPING_START_EVENT) {
      PetscCall(ReadMembers(parser, key, members, false, e));
      continue;
    }
    PetscCall(ReadValue(parser, key, type, value));
    if (entries) e->bare[e->n - 1] = true;
    PetscCall(Say(e, key, members, entries ? members[0] : name, value));
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
  const bool one       = deck_find_key(deck->tables, key)->type == SCORIA_KEY_ENTRY;
  const char *text     = NULL;
  yaml_parser_t parser = {0};
  PetscErrorCode failed;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, key, &text));
  PetscCall(PetscNew(entries));
  if (!text) PetscFunctionReturn(0);
  if (*text != '{') {
    PetscCall(ReadShort(key, members, one, text, *entries));
    PetscFunctionReturn(0);
  }
  PetscCheck(open_mapping(&parser, text), PETSC_COMM_SELF, PETSC_ERR_PLIB, "%s: no mapping: %s", key, text);
  failed = one ? Open(*entries, key, "") : 0;
  if (!failed) failed = ReadMembers(&parser, key, members, !one, *entries);
  yaml_parser_delete(&parser);
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

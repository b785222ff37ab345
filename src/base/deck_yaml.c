/* YAML decks through libyaml's event parser, which knows the line of everything: a mapping of sections flattens to
 * section_key, a sequence to a comma-separated list. */
#include "deck_text.h"
#include <string.h>

#define MAX_DEPTH 8
#define KEY_SIZE 256

typedef struct {
  yaml_parser_t parser;
  const char *where;              /* borrowed */
  const ScoriaKey *const *tables; /* borrowed */
  DeckItems *items;               /* borrowed */
} Reader;

static PetscErrorCode AddItem(Reader *rd, const char *key, const char *value, size_t line)
{
  DeckItems *items = rd->items;
  PetscFunctionBeginUser;
  const DeckItem *twin = deck_items_find(items, key);
  if (twin) {
    char name[KEY_SIZE];
    deck_yaml_name(key, sizeof name, name);
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%zu: %s is set twice, first at line %d", rd->where, line, name, twin->line);
  }
  if (items->count == items->capacity) {
    items->capacity = items->capacity ? 2 * items->capacity : 64;
    DeckItem *grown = realloc(items->item, (size_t)items->capacity * sizeof *grown);
    PetscCheck(grown, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for the deck");
    items->item = grown;
  }
  DeckItem *item = &items->item[items->count++];
  item->line     = (int)line;
  PetscCall(PetscStrallocpy(key, &item->key));
  PetscCall(PetscStrallocpy(value, &item->value));
  PetscFunctionReturn(0);
}

static PetscErrorCode NextEvent(Reader *rd, yaml_event_t *event)
{
  PetscFunctionBeginUser;
  if (!yaml_parser_parse(&rd->parser, event))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%zu: not valid YAML: %s%s%s", rd->where, rd->parser.problem_mark.line + 1,
                rd->parser.problem ? rd->parser.problem : "unreadable", rd->parser.context ? " " : "",
                rd->parser.context ? rd->parser.context : "");
  PetscFunctionReturn(0);
}

/* The rest of a sequence, after its start event; inner sequences flatten into it. */
static PetscErrorCode ReadSequence(Reader *rd, const char *key, size_t size, char list[])
{
  yaml_event_t event;
  int depth = 1;
  PetscFunctionBeginUser;
  while (depth > 0) {
    PetscCall(NextEvent(rd, &event));
    const yaml_event_type_t type = event.type;
    if (type == YAML_SCALAR_EVENT) {
      if (list[0]) PetscCall(PetscStrlcat(list, ",", size));
      PetscCall(PetscStrlcat(list, (const char *)event.data.scalar.value, size));
    }
    const size_t line = event.start_mark.line + 1;
    yaml_event_delete(&event);
    if (type == YAML_SEQUENCE_START_EVENT) depth++;
    if (type == YAML_SEQUENCE_END_EVENT) depth--;
    if (type == YAML_MAPPING_START_EVENT)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%zu: %s: found a mapping inside a list, expected values", rd->where, line,
                  key);
  }
  if (strlen(list) + 1 >= size) SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: the list is too long", rd->where, key);
  PetscFunctionReturn(0);
}

/* A key whose value may be a mapping. */
static bool takes_mapping(const Reader *rd, const char *key)
{
  const ScoriaKey *found = deck_find_key(rd->tables, key);
  return found && (found->type == SCORIA_KEY_ENTRIES || found->type == SCORIA_KEY_ENTRY);
}

static PetscErrorCode AddMapping(Reader *rd, const char *key, size_t line)
{
  char json[DECK_VALUE_SIZE];
  PetscFunctionBeginUser;
  const bool good = deck_read_mapping(&rd->parser, sizeof json, json);
  if (rd->parser.problem)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%zu: not valid YAML: %s (a text with brackets or commas stands in quotes)",
                rd->where, rd->parser.problem_mark.line + 1, rd->parser.problem);
  if (!good)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%zu: %s: expected a mapping of names to values or mappings, of at most %d bytes",
                rd->where, line, key, DECK_VALUE_SIZE - 1);
  PetscCall(AddItem(rd, key, json, line));
  PetscFunctionReturn(0);
}

/* The rest of a mapping, after its start event; `prefix` is "" or "section". */
static PetscErrorCode ReadMapping(Reader *rd, const char *prefix, int depth)
{
  yaml_event_t event;
  char list[DECK_VALUE_SIZE];
  PetscFunctionBeginUser;
  for (;;) {
    char key[KEY_SIZE];
    PetscCall(NextEvent(rd, &event));
    if (event.type == YAML_MAPPING_END_EVENT) {
      yaml_event_delete(&event);
      PetscFunctionReturn(0);
    }
    const size_t line = event.start_mark.line + 1;
    if (event.type != YAML_SCALAR_EVENT) {
      yaml_event_delete(&event);
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%zu: expected a key, found a list or mapping", rd->where, line);
    }
    PetscCall(
        PetscSNPrintf(key, sizeof key, "%s%s%s", prefix, *prefix ? "_" : "", (const char *)event.data.scalar.value));
    yaml_event_delete(&event);
    PetscCall(NextEvent(rd, &event));
    const yaml_event_type_t type = event.type;
    if (type == YAML_SCALAR_EVENT) {
      PetscCall(AddItem(rd, key, (const char *)event.data.scalar.value, line));
      yaml_event_delete(&event);
    } else if (type == YAML_SEQUENCE_START_EVENT) {
      yaml_event_delete(&event);
      list[0] = 0;
      PetscCall(ReadSequence(rd, key, sizeof list, list));
      PetscCall(AddItem(rd, key, list, line));
    } else if (type == YAML_MAPPING_START_EVENT && takes_mapping(rd, key)) {
      yaml_event_delete(&event);
      PetscCall(AddMapping(rd, key, line));
    } else if (type == YAML_MAPPING_START_EVENT && depth < MAX_DEPTH) {
      yaml_event_delete(&event);
      PetscCall(ReadMapping(rd, key, depth + 1));
    } else {
      yaml_event_delete(&event);
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%zu: %s: found an alias or too deep a nesting, expected a value", rd->where,
                  line, key);
    }
  }
}

static PetscErrorCode ReadDocument(Reader *rd)
{
  yaml_event_t event;
  bool done = false;
  PetscFunctionBeginUser;
  while (!done) {
    PetscCall(NextEvent(rd, &event));
    const yaml_event_type_t type = event.type;
    const size_t line            = event.start_mark.line + 1;
    const bool blank             = type == YAML_SCALAR_EVENT && event.data.scalar.length == 0;
    yaml_event_delete(&event);
    if (type == YAML_MAPPING_START_EVENT)
      PetscCall(ReadMapping(rd, "", 0));
    else if ((type == YAML_SCALAR_EVENT && !blank) || type == YAML_SEQUENCE_START_EVENT || type == YAML_ALIAS_EVENT)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%zu: not a deck: expected sections such as \"porosity:\" with keys below",
                  rd->where, line);
    done = type == YAML_STREAM_END_EVENT;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode DeckItemsParse(const char *where, const char *yaml, size_t size, const ScoriaKey *const tables[],
                              DeckItems *items)
{
  Reader rd = {.where = where, .tables = tables, .items = items};
  PetscFunctionBeginUser;
  *items = (DeckItems){0};
  PetscCheck(yaml_parser_initialize(&rd.parser), PETSC_COMM_SELF, PETSC_ERR_LIB, "libyaml does not start");
  yaml_parser_set_input_string(&rd.parser, (const unsigned char *)yaml, size);
  const PetscErrorCode failed = ReadDocument(&rd);
  yaml_parser_delete(&rd.parser);
  PetscFunctionReturn(failed);
}

PetscErrorCode DeckItemsDestroy(DeckItems *items)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < items->count; i++) {
    PetscCall(PetscFree(items->item[i].key));
    PetscCall(PetscFree(items->item[i].value));
  }
  free(items->item);
  *items = (DeckItems){0};
  PetscFunctionReturn(0);
}

const DeckItem *deck_items_find(const DeckItems *items, const char *key)
{
  for (int i = 0; i < items->count; i++)
    if (!strcmp(items->item[i].key, key)) return &items->item[i];
  return NULL;
}

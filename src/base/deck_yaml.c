/* YAML decks through libyaml's composer, which knows the line of everything and puts for every alias the node that its
 * anchor names: a mapping of sections flattens to section_key, a sequence to a comma-separated list.  A value that is
 * empty, ~ or null is none: its key is not set, and such a section has no keys. */
#include "deck_text.h"
#include <stdio.h>
#include <string.h>

#define MAX_DEPTH 8 /* of mappings and lists in each other; an anchor around an alias to it would never end */
#define KEY_SIZE 256
#define MOST_VALUES 100000 /* of a deck, its aliases expanded: aliases of aliases grow as a power of their number */

typedef struct {
  yaml_document_t *document;      /* borrowed */
  const ScoriaKey *const *tables; /* borrowed */
  const char *where;              /* borrowed */
  DeckItems *items;               /* borrowed */
  int values;                     /* met so far */
  bool merging;                   /* "<<: *base": its keys yield to those that are there */
} Reader;

/* value NULL: not set. */
static PetscErrorCode AddItem(Reader *rd, const char *key, const char *value, int line)
{
  DeckItems *items = rd->items;
  PetscFunctionBeginUser;
  const DeckItem *twin = deck_items_find(items, key);
  if (twin && rd->merging) PetscFunctionReturn(0);
  if (twin) {
    char name[KEY_SIZE];
    deck_yaml_name(key, sizeof name, name);
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%d: %s is set twice, first at line %d", rd->where, line, name, twin->line);
  }
  if (items->count == items->capacity) {
    items->capacity = items->capacity ? 2 * items->capacity : 64;
    DeckItem *grown = realloc(items->item, (size_t)items->capacity * sizeof *grown);
    PetscCheck(grown, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for the deck");
    items->item = grown;
  }
  DeckItem *item = &items->item[items->count++];
  *item          = (DeckItem){.line = line};
  PetscCall(PetscStrallocpy(key, &item->key));
  if (value) PetscCall(PetscStrallocpy(value, &item->value));
  PetscFunctionReturn(0);
}

static int line_of(const yaml_node_t *node)
{
  return (int)node->start_mark.line + 1;
}

static PetscErrorCode CountValue(Reader *rd, const yaml_node_t *value)
{
  PetscFunctionBeginUser;
  if (++rd->values > MOST_VALUES)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%d: found more than %d values with all aliases expanded, which no deck has",
                rd->where, line_of(value), MOST_VALUES);
  PetscFunctionReturn(0);
}

/* Values of a sequence; inner ones flatten into it.  line: of the key. */
static PetscErrorCode ReadSequence(Reader *rd, const yaml_node_t *node, const char *key, int line, int depth,
                                   size_t size, char list[])
{
  const yaml_node_item_t *item = node->data.sequence.items.start;
  PetscFunctionBeginUser;
  if (depth == MAX_DEPTH)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%d: %s: found too deep a nesting, expected a list", rd->where, line, key);
  for (; item < node->data.sequence.items.top; item++) {
    const yaml_node_t *value = yaml_document_get_node(rd->document, *item);
    PetscCall(CountValue(rd, value));
    if (value->type == YAML_SEQUENCE_NODE)
      PetscCall(ReadSequence(rd, value, key, line, depth + 1, size, list));
    else if (value->type == YAML_MAPPING_NODE)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%d: %s: found a mapping inside a list, expected values", rd->where,
                  line_of(value), key);
    else if (deck_is_null(value))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%d: %s: found an empty value inside a list, expected values", rd->where,
                  line_of(value), key);
    else {
      const size_t used = strlen(list);
      if ((size_t)snprintf(list + used, size - used, "%s%s", used ? "," : "", value->data.scalar.value) >= size - used)
        SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%d: %s: the list is too long", rd->where, line, key);
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadMapping(Reader *rd, const yaml_node_t *node, const char *prefix, int depth);

/* A mapping that is the value of a key. */
static PetscErrorCode ReadEntries(Reader *rd, const yaml_node_t *node, const char *key, int line)
{
  char json[DECK_VALUE_SIZE];
  PetscFunctionBeginUser;
  if (!deck_mapping_json(rd->document, node, sizeof json, json))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%d: %s: expected a mapping of names to values or mappings, of at most %d bytes",
                rd->where, line, key, DECK_VALUE_SIZE - 1);
  PetscCall(AddItem(rd, key, json, line));
  PetscFunctionReturn(0);
}

static bool takes_mapping(const Reader *rd, const char *key)
{
  const ScoriaKey *found = deck_find_key(rd->tables, key);
  return found && (found->type == SCORIA_KEY_ENTRIES || found->type == SCORIA_KEY_ENTRY);
}

/* The value of a key; "section" or "section_key" is its name. */
static PetscErrorCode ReadValue(Reader *rd, const yaml_node_t *value, const char *key, int line, int depth)
{
  char list[DECK_VALUE_SIZE] = "";
  PetscFunctionBeginUser;
  if (value->type == YAML_SEQUENCE_NODE && takes_mapping(rd, key) &&
      deck_pairs_json(rd->document, value, sizeof list, list)) {
    PetscCall(AddItem(rd, key, list, line));
  } else if (value->type == YAML_SEQUENCE_NODE) {
    list[0] = 0;
    PetscCall(ReadSequence(rd, value, key, line, 0, sizeof list, list));
    PetscCall(AddItem(rd, key, list, line));
  } else if (value->type == YAML_SCALAR_NODE)
    PetscCall(AddItem(rd, key, deck_is_null(value) ? NULL : (const char *)value->data.scalar.value, line));
  else if (takes_mapping(rd, key))
    PetscCall(ReadEntries(rd, value, key, line));
  else if (depth < MAX_DEPTH)
    PetscCall(ReadMapping(rd, value, key, depth + 1));
  else
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%d: %s: found too deep a nesting, expected a value", rd->where, line, key);
  PetscFunctionReturn(0);
}

/* The mapping behind "<<:", or a list of them of which the first that has a key counts. */
static PetscErrorCode Merge(Reader *rd, const yaml_node_t *from, const char *prefix, int line, int depth)
{
  const bool before = rd->merging;
  PetscFunctionBeginUser;
  if (from->type == YAML_SEQUENCE_NODE && depth < MAX_DEPTH) {
    const yaml_node_item_t *item = from->data.sequence.items.start;
    for (; item < from->data.sequence.items.top; item++)
      PetscCall(Merge(rd, yaml_document_get_node(rd->document, *item), prefix, line, depth + 1));
    PetscFunctionReturn(0);
  }
  if (from->type != YAML_MAPPING_NODE || depth >= MAX_DEPTH)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%d: <<: found no mapping, expected the alias of a section", rd->where, line);
  rd->merging = true;
  PetscCall(ReadMapping(rd, from, prefix, depth + 1));
  rd->merging = before;
  PetscFunctionReturn(0);
}

/* The keys below `prefix`, "" or "section": first its own, then those that it merges. */
static PetscErrorCode ReadMapping(Reader *rd, const yaml_node_t *node, const char *prefix, int depth)
{
  PetscFunctionBeginUser;
  for (int merged = 0; merged < 2; merged++) {
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    for (; pair < node->data.mapping.pairs.top; pair++) {
      const yaml_node_t *name  = yaml_document_get_node(rd->document, pair->key),
                        *value = yaml_document_get_node(rd->document, pair->value);
      char key[KEY_SIZE];
      if (name->type != YAML_SCALAR_NODE)
        SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%d: expected a key, found a list or mapping", rd->where, line_of(name));
      const char *word = (const char *)name->data.scalar.value;
      PetscCall(CountValue(rd, name));
      if (merged != (strcmp(word, "<<") == 0)) continue;
      PetscCall(PetscSNPrintf(key, sizeof key, "%s%s%s", prefix, *prefix ? "_" : "", word));
      if (merged)
        PetscCall(Merge(rd, value, prefix, line_of(name), depth));
      else
        PetscCall(ReadValue(rd, value, key, line_of(name), depth));
    }
  }
  PetscFunctionReturn(0);
}

/* Whether line `number`, from 0, begins with a tab, alone or among blanks. */
static bool has_tab(const char *yaml, size_t number)
{
  for (; number && yaml; number--) {
    yaml = strchr(yaml, '\n');
    if (yaml) yaml++;
  }
  return yaml && yaml[strspn(yaml, " ")] == '\t';
}

static PetscErrorCode Invalid(const yaml_parser_t *parser, const char *yaml, const char *where)
{
  const size_t line = parser->problem_mark.line;
  PetscFunctionBeginUser;
  if (has_tab(yaml, line))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%zu: not valid YAML: found a tab before the first word, expected blanks", where,
                line + 1);
  SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s:%zu: not valid YAML: %s%s%s", where, line + 1,
              parser->problem ? parser->problem : "unreadable", parser->context ? " " : "",
              parser->context ? parser->context : "");
}

/* Every document of the text; `more` is false after the last. */
static PetscErrorCode ReadDocument(yaml_parser_t *parser, const char *yaml, const char *where,
                                   const ScoriaKey *const tables[], DeckItems *items, bool *more)
{
  yaml_document_t document;
  Reader rd             = {.document = &document, .tables = tables, .where = where, .items = items};
  PetscErrorCode failed = 0;
  PetscFunctionBeginUser;
  *more = false;
  if (!yaml_parser_load(parser, &document)) {
    PetscCall(Invalid(parser, yaml, where));
    PetscFunctionReturn(0);
  }
  const yaml_node_t *root = yaml_document_get_root_node(&document);
  *more                   = root != NULL;
  if (root && root->type == YAML_MAPPING_NODE)
    failed = ReadMapping(&rd, root, "", 0);
  else if (root && !deck_is_null(root))
    failed = ScoriaFail(SCORIA_EXIT_INPUT, "%s:%d: not a deck: expected sections such as \"porosity:\" with keys below",
                        where, line_of(root));
  yaml_document_delete(&document);
  PetscFunctionReturn(failed);
}

PetscErrorCode DeckItemsParse(const char *where, const char *yaml, size_t size, const ScoriaKey *const tables[],
                              DeckItems *items)
{
  yaml_parser_t parser;
  PetscErrorCode failed = 0;
  bool more             = true;
  PetscFunctionBeginUser;
  *items = (DeckItems){0};
  PetscCheck(yaml_parser_initialize(&parser), PETSC_COMM_SELF, PETSC_ERR_LIB, "libyaml does not start");
  yaml_parser_set_input_string(&parser, (const unsigned char *)yaml, size);
  while (more && !failed) failed = ReadDocument(&parser, yaml, where, tables, items, &more);
  yaml_parser_delete(&parser);
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

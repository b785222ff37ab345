/* Private to the deck: what it is, YAML text to a flat list of keys, and the spelling of values. */
#ifndef SCORIA_DECK_TEXT_H
#define SCORIA_DECK_TEXT_H

#include "scoria/base.h"
#include <yaml.h>

struct ScoriaDeck_ {
  const ScoriaKey *const *tables; /* borrowed */
  const ScoriaKey **key;          /* owned list of borrowed keys, in table order */
  char **value;                   /* owned; canonical text, NULL where unset */
  bool *given;                    /* owned; set by the user */
  int count;
  char *text;           /* owned; the resolved deck, made when first asked for */
  char elsewhere[1024]; /* what neither deck nor command line says: "~/.petscrc: -run_seed 5; ...", without quotes */
};

typedef struct {
  char *key;   /* owned; "porosity_sigma" */
  char *value; /* owned; a sequence is "a,b"; NULL: empty, ~ or null, which sets nothing */
  int line;    /* from 1 */
} DeckItem;

typedef struct {
  DeckItem *item; /* owned */
  int count, capacity;
} DeckItems;

/* Flattens a YAML mapping of mappings, but those that are values of a key of the tables.  What does not parse, or says
 * a key twice, is a user error naming `where`:line. */
PetscErrorCode DeckItemsParse(const char *where, const char *yaml, size_t size, const ScoriaKey *const tables[],
                              DeckItems *items);
PetscErrorCode DeckItemsDestroy(DeckItems *items);
const DeckItem *deck_items_find(const DeckItems *items, const char *key);

/* Keys of a name's section whose help has the name's word, "thickness" of conditions_L: how many; 0 where it is the
 * word of more. */
#define DECK_EXPLAINED 3
int deck_explained_keys(const ScoriaKey *const tables[], const char *name, const ScoriaKey *found[DECK_EXPLAINED]);
/* The key of the tables that is spelled most like `name`, or the only one that it explains; NULL when none comes near.
 */
const ScoriaKey *deck_nearest_key(const ScoriaKey *const tables[], const char *name);
const ScoriaKey *deck_find_key(const ScoriaKey *const tables[], const char *name);
/* "section: key" of "section_key". */
void deck_yaml_name(const char *name, size_t size, char text[]);

/* Checks `text` against the key and spells it canonically ("1e-4" and "0.0001" agree).  On failure returns false with
 * what was expected in `expected`. */
bool deck_canonical(const ScoriaKey *key, const char *text, size_t size, char canonical[], size_t expected_size,
                    char expected[]);

/* A plain scalar with which YAML says that nothing is set: "null" in quotes is a word. */
bool deck_is_null(const yaml_node_t *node);
/* A mapping, its merges in place, as JSON on one line; false where it holds controls, is nested deeper than
 * DECK_MAPPING_DEPTH, or too long. */
bool deck_mapping_json(yaml_document_t *document, const yaml_node_t *mapping, size_t size, char json[]);
/* The short form of such a key, a list of name=value, likewise as a mapping, where a value has blanks, commas or
 * brackets; else false: commas are enough. */
bool deck_pairs_json(yaml_document_t *document, const yaml_node_t *list, size_t size, char json[]);
/* The same of a text that is a mapping and nothing else. */
bool deck_canonical_mapping(const char *text, size_t size, char json[]);
/* Parses a text; its root where that is a mapping, else NULL.  The document is to be deleted in either case. */
const yaml_node_t *deck_load_mapping(const char *text, yaml_document_t *document);

#define DECK_VALUE_SIZE 4096
#define DECK_MAPPING_DEPTH 3
#define DECK_MAPPING_MERGES 8 /* of mappings into one */

bool key_has_choice(const ScoriaKey *key, const char *word);

#endif

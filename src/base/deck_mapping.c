/* Keys whose value may be a mapping, "fields: {c: {path: /data/c, scale: 2}}": kept as JSON on one line, which is YAML
 * too, with every scalar as a text (deck_entries.c reads it back). */
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

bool deck_is_null(const yaml_node_t *node)
{
  static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
  if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
  for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++)
    if (!strcmp((const char *)node->data.scalar.value, nulls[i])) return true;
  return false;
}

typedef struct {
  yaml_document_t *document; /* borrowed */
  Writer to;
} Copier;

static bool copy_node(Copier *c, const yaml_node_t *node, int depth);

static const char *key_of(const Copier *c, const yaml_node_pair_t *pair)
{
  const yaml_node_t *key = yaml_document_get_node(c->document, pair->key);
  return key->type == YAML_SCALAR_NODE ? (const char *)key->data.scalar.value : NULL;
}

static bool has_key(const Copier *c, const yaml_node_t *mapping, const char *wanted)
{
  for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top;
       pair++) {
    const char *key = key_of(c, pair);
    if (key && !strcmp(key, wanted)) return true;
  }
  return false;
}

/* Pairs of a mapping whose keys none of those before it has; then of what it merges ("<<: *base"). */
static bool copy_pairs(Copier *c, const yaml_node_t *mapping, const yaml_node_t *before[], int n, int depth)
{
  bool good = n < DECK_MAPPING_MERGES && mapping->type == YAML_MAPPING_NODE;
  for (int merged = 0; good && merged < 2; merged++) {
    if (merged) before[n++] = mapping;
    const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
    for (; good && pair < mapping->data.mapping.pairs.top; pair++) {
      const yaml_node_t *value = yaml_document_get_node(c->document, pair->value);
      const char *key          = key_of(c, pair);
      good                     = key != NULL;
      if (!good || merged != (strcmp(key, "<<") == 0)) continue;
      if (merged) {
        good = copy_pairs(c, value, before, n, depth);
        continue;
      }
      bool hidden = deck_is_null(value);
      for (int i = 0; i < n; i++) hidden = hidden || has_key(c, before[i], key);
      if (hidden) continue;
      if (c->to.text[c->to.used - 1] != '{') put(&c->to, ", ");
      put_scalar(&c->to, key);
      put(&c->to, ": ");
      good = copy_node(c, value, depth + 1);
    }
  }
  return good;
}

static bool copy_node(Copier *c, const yaml_node_t *node, int depth)
{
  const yaml_node_t *before[DECK_MAPPING_MERGES];
  if (node->type == YAML_SCALAR_NODE) {
    put_scalar(&c->to, (const char *)node->data.scalar.value);
    return true;
  }
  bool good          = depth < DECK_MAPPING_DEPTH;
  const bool mapping = node->type == YAML_MAPPING_NODE;
  put(&c->to, mapping ? "{" : "[");
  if (mapping)
    good = good && copy_pairs(c, node, before, 0, depth);
  else
    for (const yaml_node_item_t *item = node->data.sequence.items.start; good && item < node->data.sequence.items.top;
         item++) {
      if (item > node->data.sequence.items.start) put(&c->to, ",");
      good = copy_node(c, yaml_document_get_node(c->document, *item), depth + 1);
    }
  put(&c->to, mapping ? "}" : "]");
  return good;
}

bool deck_mapping_json(yaml_document_t *document, const yaml_node_t *mapping, size_t size, char json[])
{
  Copier c = {document, {json, size, 0, true}};
  return copy_node(&c, mapping, 0) && c.to.good;
}

/* Whether the short form as one text, "c=/a,d=/b", would fall apart at this item. */
static bool is_delicate(const yaml_node_t *item)
{
  return item->type == YAML_SCALAR_NODE && strchr((const char *)item->data.scalar.value, '=') &&
         strpbrk((const char *)item->data.scalar.value, " ,[](){}");
}

bool deck_pairs_json(yaml_document_t *document, const yaml_node_t *list, size_t size, char json[])
{
  Writer to     = {json, size, 0, true};
  bool delicate = false, pairs = true;
  char name[SCORIA_NAME_SIZE];
  put(&to, "{");
  for (const yaml_node_item_t *at = list->data.sequence.items.start; at < list->data.sequence.items.top; at++) {
    const yaml_node_t *item = yaml_document_get_node(document, *at);
    const char *text        = item->type == YAML_SCALAR_NODE ? (const char *)item->data.scalar.value : "";
    const size_t left       = strcspn(text, "=");
    delicate                = delicate || is_delicate(item);
    pairs = to.good && left > 0 && left < sizeof name && text[left] && text[left + 1] && !strchr(text + left + 1, '=');
    if (!pairs) break;
    snprintf(name, sizeof name, "%.*s", (int)left, text);
    if (json[to.used - 1] != '{') put(&to, ", ");
    put_scalar(&to, name);
    put(&to, ": ");
    put_scalar(&to, text + left + 1);
  }
  put(&to, "}");
  return delicate && pairs && to.good;
}

const yaml_node_t *deck_load_mapping(const char *text, yaml_document_t *document)
{
  yaml_parser_t parser;
  memset(document, 0, sizeof *document);
  if (!yaml_parser_initialize(&parser)) return NULL;
  yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
  const bool good = yaml_parser_load(&parser, document);
  yaml_parser_delete(&parser);
  const yaml_node_t *root = good ? yaml_document_get_root_node(document) : NULL;
  return root && root->type == YAML_MAPPING_NODE ? root : NULL;
}

bool deck_canonical_mapping(const char *text, size_t size, char json[])
{
  yaml_document_t document;
  const yaml_node_t *root = deck_load_mapping(text, &document);
  const bool good         = root && deck_mapping_json(&document, root, size, json);
  yaml_document_delete(&document);
  return good;
}

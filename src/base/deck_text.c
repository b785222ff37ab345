/* Spelling: canonical text of values, names of keys, and the key that a misspelt one is nearest to. */
#include "deck_text.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The name of row i of a table; NULL at its end. */
static const char *row_name(const ScoriaChoices *choices, int i)
{
  const char *const *row = choices->size ? (const void *)((const char *)choices->table + (size_t)i * choices->size)
                                         : ((const char *const *const *)choices->table)[i];
  return row ? *row : NULL;
}

void key_choices(const ScoriaKey *key, char words[SCORIA_CHOICES_SIZE])
{
  const ScoriaChoices *choices = key->choices;
  const char *name;
  *words = 0;
  if (!choices) return;
  if (choices->words) snprintf(words, SCORIA_CHOICES_SIZE, "%s", choices->words);
  for (int i = 0; choices->table && (name = row_name(choices, i)); i++)
    snprintf(words + strlen(words), SCORIA_CHOICES_SIZE - strlen(words), "%s%s", *words ? " " : "", name);
}

bool key_has_choice(const ScoriaKey *key, const char *word)
{
  const size_t length = strlen(word);
  char words[SCORIA_CHOICES_SIZE];
  key_choices(key, words);
  for (const char *at = words; *at; at += strcspn(at, " "), at += strspn(at, " "))
    if (length && strcspn(at, " ") == length && !strncmp(at, word, length)) return true;
  return false;
}

const ScoriaKey *deck_find_key(const ScoriaKey *const tables[], const char *name)
{
  for (int t = 0; tables[t]; t++)
    for (const ScoriaKey *key = tables[t]; key->name; key++)
      if (!strcmp(key->name, name)) return key;
  return NULL;
}

/* Levenshtein's distance, case folded; long names do not occur. */
static int spelling_distance(const char *a, const char *b)
{
  int row[128];
  const int n = (int)strlen(b);
  if (n >= 128) return 1000;
  for (int j = 0; j <= n; j++) row[j] = j;
  for (int i = 1; a[i - 1]; i++) {
    int diagonal = row[0];
    row[0]       = i;
    for (int j = 1; j <= n; j++) {
      const bool same      = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
      const int substitute = diagonal + (same ? 0 : 1);
      diagonal             = row[j];
      row[j]               = PetscMin(substitute, 1 + PetscMin(row[j], row[j - 1]));
    }
  }
  return row[n];
}

/* Farther than half its letters is no likeness. */
static int likeness(const char *name)
{
  return (int)strlen(name) / 2 + 1;
}

/* Whether a word stands in a text by itself. */
static bool has_word(const char *text, const char *word)
{
  const size_t length = strlen(word);
  for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
    if ((at == text || !isalnum((unsigned char)at[-1])) && !isalnum((unsigned char)at[length])) return true;
  return false;
}

int deck_explained_keys(const ScoriaKey *const tables[], const char *name, const ScoriaKey *found[DECK_EXPLAINED])
{
  const size_t section = strcspn(name, "_") + 1;
  int n                = 0;
  for (int t = 0; tables[t] && strlen(name) > section + 2; t++)
    for (const ScoriaKey *key = tables[t]; key->name; key++) {
      if (strncmp(key->name, name, section) || !has_word(key->help, name + section)) continue;
      if (deck_find_key(tables, key->name) != key) continue; /* of several problems */
      if (n == DECK_EXPLAINED) return 0;
      found[n++] = key;
    }
  return n;
}

/* What is misspelt has most of its letters; else the word may be the one that explains a key. */
const ScoriaKey *deck_nearest_key(const ScoriaKey *const tables[], const char *name)
{
  const ScoriaKey *nearest = NULL, *explained[DECK_EXPLAINED];
  const int n              = deck_explained_keys(tables, name, explained);
  const char *word         = strchr(name, '_');
  int best                 = n ? (int)strlen(word) / 3 + 1 : likeness(name);
  for (int t = 0; tables[t]; t++)
    for (const ScoriaKey *key = tables[t]; key->name; key++) {
      const int distance = spelling_distance(name, key->name);
      if (distance < best) {
        best    = distance;
        nearest = key;
      }
    }
  return nearest || n != 1 ? nearest : explained[0];
}

const char *text_nearest(const char *name, int n, const char *const names[])
{
  const char *nearest = NULL;
  int best            = likeness(name);
  for (int i = 0; i < n; i++) {
    const int distance = spelling_distance(name, names[i]);
    if (distance < best) {
      best    = distance;
      nearest = names[i];
    }
  }
  return nearest;
}

void deck_yaml_name(const char *name, size_t size, char text[])
{
  const char *cut = strchr(name, '_');
  if (cut)
    snprintf(text, size, "%.*s: %s", (int)(cut - name), name, cut + 1);
  else
    snprintf(text, size, "%s", name);
}

void number_text(double value, size_t size, char text[])
{
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, size, "%.*g", digits, value);
    if (strtod(text, NULL) == value) return;
  }
}

/* Integers in digits, as they are typed, up to the length of 2^53. */
static void spell_bound(const ScoriaKey *key, double bound, size_t size, char text[])
{
  const bool whole = key->type == SCORIA_KEY_INT || key->type == SCORIA_KEY_INTS;
  snprintf(text, size, whole && fabs(bound) < 1e16 ? "%.0f" : "%.15g", bound);
}

static void describe_bounds(const ScoriaKey *key, size_t size, char text[])
{
  const bool low = key->lo > -SCORIA_UNBOUNDED, high = key->hi < SCORIA_UNBOUNDED;
  char lo[32], hi[32];
  spell_bound(key, key->lo, sizeof lo, lo);
  spell_bound(key, key->hi, sizeof hi, hi);
  if (key->lo == SCORIA_POSITIVE && high)
    snprintf(text, size, " above 0, at most %s", hi);
  else if (key->lo == SCORIA_POSITIVE)
    snprintf(text, size, " above 0");
  else if (low && high)
    snprintf(text, size, " from %s to %s", lo, hi);
  else if (low)
    snprintf(text, size, " of at least %s", lo);
  else if (high)
    snprintf(text, size, " of at most %s", hi);
  else
    text[0] = 0;
}

static void describe(const ScoriaKey *key, size_t size, char text[])
{
  char bounds[96], words[SCORIA_CHOICES_SIZE];
  const char *unit = *key->unit ? key->unit : NULL;
  describe_bounds(key, sizeof bounds, bounds);
  switch (key->type) {
  case SCORIA_KEY_INT:
    snprintf(text, size, "an integer%s", bounds);
    break;
  case SCORIA_KEY_REAL:
    snprintf(text, size, "a number%s%s%s", bounds, unit ? " " : "", unit ? unit : "");
    break;
  case SCORIA_KEY_BOOL:
    snprintf(text, size, "true or false");
    break;
  case SCORIA_KEY_STRING:
    snprintf(text, size, "a text on one line");
    break;
  case SCORIA_KEY_CHOICE:
    key_choices(key, words);
    snprintf(text, size, "one of: %s", words);
    break;
  case SCORIA_KEY_INTS:
    snprintf(text, size, "a list of integers%s%s", *bounds ? ", each" : "", bounds);
    break;
  case SCORIA_KEY_REALS:
    snprintf(text, size, "a list of numbers%s%s", *bounds ? ", each" : "", bounds);
    break;
  case SCORIA_KEY_RANGE:
    snprintf(text, size, "[low, high] with low < high%s%s%s%s", *bounds ? ", each" : "", bounds, unit ? " " : "",
             unit ? unit : "");
    break;
  case SCORIA_KEY_WORDS:
    snprintf(text, size, "a list of words");
    break;
  case SCORIA_KEY_TEXTS:
    snprintf(text, size, "a list of texts");
    break;
  case SCORIA_KEY_ENTRIES:
    snprintf(text, size, "a list [name=text, ...] or a mapping {name: {...}, ...}");
    break;
  case SCORIA_KEY_ENTRY:
    snprintf(text, size, "a text on one line or a mapping");
    break;
  }
}

static bool read_number(const ScoriaKey *key, const char *text, bool integer, double *value)
{
  char *end;
  errno  = 0;
  *value = strtod(text, &end);
  if (end == text || errno == ERANGE || !isfinite(*value)) return false;
  while (isspace((unsigned char)*end)) end++;
  if (*end || (integer && (*value != floor(*value) || fabs(*value) > 0x1p53))) return false;
  return *value >= key->lo && *value <= key->hi;
}

static bool canonical_bool(const char *text, size_t size, char canonical[])
{
  const bool yes = !strcasecmp(text, "true") || !strcasecmp(text, "yes") || !strcmp(text, "1") || !*text;
  const bool no  = !strcasecmp(text, "false") || !strcasecmp(text, "no") || !strcmp(text, "0");
  snprintf(canonical, size, "%s", yes ? "true" : "false");
  return yes || no;
}

static bool canonical_choice(const ScoriaKey *key, const char *text, size_t size, char canonical[])
{
  snprintf(canonical, size, "%s", text);
  return key_has_choice(key, text);
}

static bool canonical_number(const ScoriaKey *key, const char *text, bool integer, size_t size, char canonical[])
{
  double value;
  if (!read_number(key, text, integer, &value)) return false;
  if (integer)
    snprintf(canonical, size, "%.0f", value);
  else
    number_text(value, size, canonical);
  return true;
}

/* The resolved deck could not give anything else back. */
static bool one_line(const char *text)
{
  for (; *text; text++)
    if (iscntrl((unsigned char)*text)) return false;
  return true;
}

static bool canonical_list(const ScoriaKey *key, const char *text, size_t size, char canonical[])
{
  char copy[DECK_VALUE_SIZE], one[DECK_VALUE_SIZE], *save = NULL;
  size_t used          = 0;
  int count            = 0;
  double first         = 0;
  const bool text_only = key->type == SCORIA_KEY_WORDS || key->type == SCORIA_KEY_ENTRIES;
  if (strlen(text) >= sizeof copy || !one_line(text)) return false;
  snprintf(copy, sizeof copy, "%s", text);
  canonical[0] = 0;
  for (char *word = strtok_r(copy, "[], ", &save); word; word = strtok_r(NULL, "[], ", &save), count++) {
    if (text_only)
      snprintf(one, sizeof one, "%s", word);
    else if (!canonical_number(key, word, key->type == SCORIA_KEY_INTS, sizeof one, one))
      return false;
    used += (size_t)snprintf(canonical + used, size - used, "%s%s", count ? "," : "", one);
    if (used >= size) return false;
    if (key->type == SCORIA_KEY_RANGE && count == 1 && strtod(one, NULL) <= first) return false;
    if (!text_only) first = strtod(one, NULL);
  }
  return key->type == SCORIA_KEY_RANGE ? count == 2 : count > 0;
}

/* Texts may hold brackets: one pair around all of them is the list's own. */
static bool canonical_texts(const char *text, size_t size, char canonical[])
{
  char copy[DECK_VALUE_SIZE], one[DECK_VALUE_SIZE];
  const char *list = copy;
  size_t used      = 0;
  int count        = 0;
  if (strlen(text) >= sizeof copy || !one_line(text)) return false;
  snprintf(copy, sizeof copy, "%s", text);
  if (*copy == '[' && copy[strlen(copy) - 1] == ']') {
    copy[strlen(copy) - 1] = 0;
    list++;
  }
  for (canonical[0] = 0; list_next_text(&list, sizeof one, one); count++) {
    if (!*one) return false;
    used += (size_t)snprintf(canonical + used, size - used, "%s%s", count ? "," : "", one);
    if (used >= size) return false;
  }
  return count > 0;
}

bool deck_canonical(const ScoriaKey *key, const char *text, size_t size, char canonical[], size_t expected_size,
                    char expected[])
{
  describe(key, expected_size, expected);
  if ((key->type == SCORIA_KEY_ENTRIES || key->type == SCORIA_KEY_ENTRY) && *text == '{')
    return deck_canonical_mapping(text, size, canonical);
  switch (key->type) {
  case SCORIA_KEY_BOOL:
    return canonical_bool(text, size, canonical);
  case SCORIA_KEY_CHOICE:
    return canonical_choice(key, text, size, canonical);
  case SCORIA_KEY_INT:
  case SCORIA_KEY_REAL:
    return canonical_number(key, text, key->type == SCORIA_KEY_INT, size, canonical);
  case SCORIA_KEY_TEXTS:
    return canonical_texts(text, size, canonical);
  case SCORIA_KEY_STRING:
  case SCORIA_KEY_ENTRY:
    snprintf(canonical, size, "%s", text);
    return *text != 0 && strlen(text) < size && one_line(text);
  default:
    return canonical_list(key, text, size, canonical);
  }
}

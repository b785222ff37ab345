/* Units as texts: spellings of one product of powers agree by themselves; everything else udunits2 (Unidata) is asked,
 * where the program was built with it. */
#include "units.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef SCORIA_UDUNITS
#include <udunits2.h>
#endif

/* -------------------------------------------------------------------------------------------------- spelling ---- */

#define MOST_FACTORS 16
#define SPELLING 128

typedef struct {
  char name[SPELLING];
  int power;
} Factor;

typedef struct {
  int n;
  Factor of[MOST_FACTORS];
} Product;

/* Characters beyond ASCII in the spelling that is parsed. */
static const char *const plain[][2] = {{"⁰", "0"}, {"¹", "1"}, {"²", "2"}, {"³", "3"},  {"⁴", "4"},
                                       {"⁵", "5"}, {"⁶", "6"}, {"⁷", "7"}, {"⁸", "8"},  {"⁹", "9"},
                                       {"⁻", "-"}, {"⁺", "+"}, {"−", "-"}, {"·", "."},  {"⋅", "."},
                                       {"×", "."}, {"µ", "u"}, {"μ", "u"}, {"**", "^"}, {"*", "."}};

/* False where it is too long. */
static bool spell_plainly(const char *text, char to[SPELLING])
{
  size_t n = 0;
  while (*text) {
    const char *from = text, *put = NULL;
    for (size_t i = 0; i < sizeof plain / sizeof *plain && !put; i++)
      if (!strncmp(text, plain[i][0], strlen(plain[i][0]))) {
        put = plain[i][1];
        text += strlen(plain[i][0]);
      }
    if (n + 2 > SPELLING) return false;
    to[n++] = put ? *put : *from;
    if (!put) text++;
  }
  to[n] = 0;
  return true;
}

static bool is_letter(char c)
{
  return isalpha((unsigned char)c) || c == '_' || c == '%' || c == '\'' || c == '"' || (c & 0x80);
}

/* A name and its power from *text on, "m^-3", "m-3", "m3"; false where there is none. */
static bool next_factor(const char **text, Factor *factor)
{
  size_t n = 0;
  while (is_letter((*text)[n])) n++;
  if (!n) return false;
  memcpy(factor->name, *text, n);
  factor->name[n] = 0;
  factor->power   = 1;
  *text += n;
  const char *number = *text + (**text == '^');
  const char *digits = number + (*number == '-' || *number == '+');
  if (!isdigit((unsigned char)*digits)) return **text != '^';
  char *end;
  factor->power = (int)strtol(number, &end, 10);
  *text         = end;
  return true;
}

static bool add_factor(Product *product, const Factor *factor)
{
  for (int i = 0; i < product->n; i++)
    if (!strcmp(product->of[i].name, factor->name)) {
      product->of[i].power += factor->power;
      return true;
    }
  if (product->n == MOST_FACTORS) return false;
  product->of[product->n++] = *factor;
  return true;
}

/* False of what is no product of powers. */
static bool parse_product(const char *text, Product *product)
{
  product->n = 0;
  for (bool first = true;; first = false) {
    const size_t between = strspn(text, " .");
    const bool per       = text[between] == '/';
    text += between;
    if (per) text += 1 + strspn(text + 1, " ");
    if (!*text) return !per;
    if (!first && !between && !per) return false;
    Factor factor;
    if (*text == '1' && !isalnum((unsigned char)text[1]) && text[1] != '.') { /* "1", "1/s" */
      text++;
      continue;
    }
    if (!next_factor(&text, &factor)) return false;
    if (per) factor.power = -factor.power;
    if (!add_factor(product, &factor)) return false;
  }
}

static int power_of(const Product *product, const char *name)
{
  for (int i = 0; i < product->n; i++)
    if (!strcmp(product->of[i].name, name)) return product->of[i].power;
  return 0;
}

static bool holds(const Product *a, const Product *b)
{
  for (int i = 0; i < a->n; i++)
    if (power_of(b, a->of[i].name) != a->of[i].power) return false;
  return true;
}

bool units_same(const char *a, const char *b)
{
  char plain_a[SPELLING], plain_b[SPELLING];
  Product of_a, of_b;
  if (!strcmp(a, b)) return true;
  if (!spell_plainly(a, plain_a) || !spell_plainly(b, plain_b)) return false;
  if (!strcmp(plain_a, plain_b)) return true;
  return parse_product(plain_a, &of_a) && parse_product(plain_b, &of_b) && holds(&of_a, &of_b) && holds(&of_b, &of_a);
}

/* ------------------------------------------------------------------------------------------------ conversion ---- */

#ifdef SCORIA_UDUNITS
/* A conversion as a line, from its values at 0 and 1; false where that at 2 does not lie on it. */
static bool is_line(const cv_converter *convert, double *scale, double *offset)
{
  const double at[3] = {cv_convert_double(convert, 0), cv_convert_double(convert, 1), cv_convert_double(convert, 2)};
  *offset            = at[0];
  *scale             = at[1] - at[0];
  return isfinite(at[0]) && isfinite(at[1]) && *scale != 0 &&
         fabs(at[2] - at[1] - *scale) <= 1e-12 * (fabs(at[0]) + fabs(at[2])); /* rounding of three values */
}

static UnitsOutcome convert(ut_unit *from, ut_unit *to, double *scale, double *offset)
{
  if (!from || !to) return UNITS_UNKNOWN;
  if (!ut_are_convertible(from, to)) return UNITS_DIFFER;
  if (!ut_compare(from, to)) return UNITS_SAME;
  cv_converter *converter = ut_get_converter(from, to);
  double line[2]          = {1, 0};
  const bool good         = converter && is_line(converter, &line[0], &line[1]);
  if (converter) cv_free(converter);
  if (!good) return UNITS_DIFFER;
  *scale  = line[0];
  *offset = line[1];
  return line[0] == 1 && line[1] == 0 ? UNITS_SAME : UNITS_CONVERT;
}

static ut_unit *parse_unit(const ut_system *system, const char *text)
{
  char trimmed[SPELLING];
  snprintf(trimmed, sizeof trimmed, "%s", text);
  return ut_parse(system, ut_trim(trimmed, UT_UTF8), UT_UTF8);
}

static UnitsOutcome ask_library(const char *from, const char *to, double *scale, double *offset)
{
  static ut_system *system; /* kept: reading it takes some milliseconds */
  ut_set_error_message_handler(ut_ignore);
  if (!system) system = ut_read_xml(NULL);
  if (!system) return UNITS_NO_LIBRARY;
  ut_unit *a = parse_unit(system, from), *b = parse_unit(system, to);
  const UnitsOutcome outcome = convert(a, b, scale, offset);
  if (a) ut_free(a);
  if (b) ut_free(b);
  return outcome;
}
#else
static UnitsOutcome ask_library(const char *from, const char *to, double *scale, double *offset)
{
  (void)from, (void)to, (void)scale, (void)offset;
  return UNITS_NO_LIBRARY;
}
#endif

UnitsOutcome units_conversion(const char *from, const char *to, double *scale, double *offset)
{
  *scale  = 1;
  *offset = 0;
  return units_same(from, to) ? UNITS_SAME : ask_library(from, to, scale, offset);
}

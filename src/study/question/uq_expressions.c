/* uq: quantities that the user defines, by muParser.
 *
 * A text is rewritten for muParser, which knows numbers only: what is taken from the fields of a row, a field's value
 * at a place, phi[0], or a number of all its cells, max(c), becomes a variable, a term.  The argument of such a
 * function may itself be an expression of the fields, max(c / mean(c)): it is evaluated cell by cell, terms inside it
 * first. */
#include "uq_expressions.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT 256

static const char *const axis_names[3] = {"x", "y", "z"};

/* ------------------------------------------------------------------------------------------------------ text ---- */

static bool is_name(const char *text)
{
  return *text && uq_name_length(text) == strlen(text);
}

static void copy_trimmed(const char *from, size_t length, size_t size, char to[])
{
  while (length && isspace((unsigned char)*from)) from++, length--;
  while (length && isspace((unsigned char)from[length - 1])) length--;
  snprintf(to, size, "%.*s", (int)length, from);
}

/* ------------------------------------------------------------------------------------------------- compiling ---- */

/* What an expression is being made of. */
typedef struct {
  UqQuestion *q;
  UqExpressions all;
  Expression *e;
  const char *key, *text; /* for errors: the deck's key and all of its item */
} Making;

static int find_function(const char *name, size_t length)
{
  for (int f = 0; f < NFUNCTIONS; f++)
    if (strlen(uq_function_names[f]) == length && !strncmp(uq_function_names[f], name, length)) return f;
  return -1;
}

static void term_name(int term, size_t size, char name[])
{
  snprintf(name, size, "_term%d", term);
}

/* Whether the deck's problem could have a field of that name, which these fields do not have. */
static bool is_derivable(const UqQuestion *q, const char *name)
{
  const char *list = q->derivable;
  char word[SCORIA_NAME_SIZE];
  while (list_next_word(&list, sizeof word, word))
    if (!strcmp(word, name)) return true;
  return false;
}

/* A parser of `rewritten`, whose variables are those of the row and, in an argument, of a cell. */
static PetscErrorCode MakeParser(const Making *m, const char *rewritten, bool argument, muParserHandle_t *parser)
{
  const UqQuestion *q      = m->q;
  const muParserHandle_t p = mupCreate(0);
  char name[32];
  PetscFunctionBeginUser;
  for (int i = 0; i < q->space->n; i++) mupDefineVar(p, q->space->c[i].name, &m->all->theta[i]);
  for (int i = 0; i < q->nquantities; i++)
    if (is_name(q->quantity[i].name)) mupDefineVar(p, q->quantity[i].name, &m->all->quantity[i]);
  for (int i = 0; i < m->e->n; i++) {
    term_name(i, sizeof name, name);
    mupDefineVar(p, name, &m->all->term[i]);
  }
  for (int c = 0; c < q->channels && argument; c++)
    if (is_name(q->field[c].name)) mupDefineVar(p, q->field[c].name, &m->all->cell[c]);
  for (int a = 0; a < (q->whole ? 3 : 1) && argument; a++)
    if (uq_field_find(q, axis_names[a], 1) < 0) mupDefineVar(p, axis_names[a], &m->all->at[a]);
  mupSetExpr(p, rewritten);
  mupEval(p); /* it is now that it is parsed */
  *parser = p;
  if (mupError(p)) {
    char found[MAX_TEXT], hint[MAX_TEXT], where[MAX_TEXT + 8] = "";
    snprintf(found, sizeof found, "%s", *mupGetErrorToken(p) ? mupGetErrorToken(p) : rewritten);
    uq_suggest(q, found, false, sizeof hint, hint);
    if (*found && !strstr(found, "_term")) snprintf(where, sizeof where, " at \"%s\"", found); /* the user's words */
    mupRelease(p);
    *parser = NULL;
    if (is_derivable(q, found))
      SCORIA_FAIL(
          SCORIA_EXIT_INPUT,
          "uq: %s: \"%s\": %s is a derived field, which these fields lack: it needs ensemble.derived: [%s] in the "
          "deck of generate and train",
          m->key, m->text, found, found);
    SCORIA_FAIL(
        SCORIA_EXIT_INPUT,
        "uq: %s: \"%s\" is not understood%s%s; expected an expression of values at places, phi[0], c[L], "
        "c[4e-5], c[40um], of min, max, mean, integral, sd, quantile, argmin, argmax of fields, and of conditions and "
        "quantities",
        m->key, m->text, where, hint);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode NewTerm(const Making *m, Term **term)
{
  PetscFunctionBeginUser;
  *term = &m->e->term[PetscMin(m->e->n, MAX_TERMS - 1)];
  if (m->e->n == MAX_TERMS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: \"%s\": more than %d terms of the fields", m->key, m->text, MAX_TERMS);
  **term = (Term){.channel = -1};
  PetscFunctionReturn(0);
}

/* One place of a list, along an axis; "L" is the end of x. */
static PetscErrorCode ReadPlace(const Making *m, int channel, int axis, const char *from, const char *to, double *place)
{
  const UqQuestion *q = m->q;
  const double *x     = uq_centres(q, channel, axis);
  const int cells     = uq_cells(q, channel, axis);
  bool unit           = false;
  char text[64];
  double ends[2];
  PetscFunctionBeginUser;
  copy_trimmed(from, (size_t)(to - from), sizeof text, text);
  cells_ends(cells, x, ends);
  const bool last    = !axis && !strcmp(text, "L");
  const bool good    = last || place_read(text, strlen(text), place, &unit);
  const double slack = 1e-4 * (ends[1] - ends[0]) / cells;
  if (last) *place = ends[1];
  if (unit) PetscCall(ScoriaPlaceCheckUnit(q->space, axis, m->key, m->text));
  if (!last && (!good || !(*place >= ends[0] - slack && *place <= ends[1] + slack)))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: \"%s\": found the place \"%s\", expected %sa number from %g to %g%s%s%s",
                m->key, m->text, text, axis ? "" : "L or ", ends[0], ends[1], space_place_unit(q->space, axis),
                q->whole ? " along " : "", q->whole ? axis_names[axis] : "");
  if (!axis && space_reads_as_metres(q->space, cells, ends, *place))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: \"%s\": found the place \"%s\", in metres; %s", m->key, m->text, text,
                space_places_text(q->space));
  m->q->placed = m->q->placed || (!last && *place != 0);
  PetscFunctionReturn(0);
}

/* "[x]" behind a field, of whole fields its lateral mean there; or "[x, y]" and "[x, y, z]". */
static PetscErrorCode AddPlace(const Making *m, int channel, const char *from, const char *to)
{
  const UqQuestion *q = m->q;
  double place[3]     = {0};
  const double *x[3];
  int n[3];
  int given = 0;
  Term *term;
  PetscFunctionBeginUser;
  field_shape(&q->field[channel], q->n, n);
  for (int a = 0; a < 3; a++) x[a] = uq_centres(q, channel, a);
  const int dimension = n[2] > 1 ? 3 : (n[1] > 1 ? 2 : 1);
  for (const char *end; from && given < dimension; given++, from = end ? end + 1 : NULL) {
    end = text_outside(from, to, ",");
    PetscCall(ReadPlace(m, channel, given, from, end ? end : to, &place[given]));
  }
  if (from || (given > 1 && given < dimension))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: \"%s\": found %s places in brackets, expected x%s", m->key, m->text,
                from ? "too many" : "too few",
                dimension == 3   ? " (of the lateral mean) or x, y, z"
                : dimension == 2 ? " (of the lateral mean) or x, y"
                                 : "");
  PetscCall(NewTerm(m, &term));
  term->at    = given > 1 ? TERM_AT_POINT : TERM_AT_X;
  term->place = (ScoriaQuantity){.channel = channel, .factor = 1};
  if (given > 1)
    point_place(&term->point, n, x, q->periodic, place);
  else
    quantity_place(&term->place, n[0], x[0], place[0]);
  m->e->n++;
  PetscFunctionReturn(0);
}

static PetscErrorCode Rewrite(const Making *m, const char *from, const char *end, bool argument, char to[MAX_TEXT]);

/* The share behind the comma of "quantile(..., p)", which *end becomes. */
static PetscErrorCode ReadShare(const Making *m, const char *from, const char **end, double *p)
{
  const char *comma = text_outside(from, *end, ",");
  char text[64], *behind = text;
  PetscFunctionBeginUser;
  copy_trimmed(comma ? comma + 1 : from, (size_t)(*end - (comma ? comma + 1 : from)), sizeof text, text);
  *p = strtod(text, &behind);
  if (!comma || !*text || *behind || !(*p > 0 && *p < 1))
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "uq: %s: \"%s\": found quantile(%.*s), expected quantile(c, 0.99): what, and a number between 0 and 1",
                m->key, m->text, (int)(*end - from), from);
  *end = comma;
  PetscFunctionReturn(0);
}

/* "(...)" behind a function of all cells. */
static PetscErrorCode AddFunction(const Making *m, TermKind kind, const char *from, const char *to)
{
  double p  = 0;
  int along = 0;
  char argument[MAX_TEXT], field[MAX_TEXT];
  muParserHandle_t parser = NULL;
  Term *term;
  PetscFunctionBeginUser;
  if (kind == TERM_QUANTILE) PetscCall(ReadShare(m, from, &to, &p));
  copy_trimmed(from, (size_t)(to - from), sizeof field, field);
  const int channel = uq_field_find(m->q, field, strlen(field));
  if (channel < 0) {
    PetscCall(Rewrite(m, from, to, true, argument)); /* adds the terms inside, which come before this one */
    PetscCall(MakeParser(m, argument, true, &parser));
    PetscCall(UqFindAlong(m->q, m->key, m->text, argument, &along));
  }
  if (channel >= 0) along = channel;
  if (kind > TERM_ARGMIN && kind != TERM_ARGMAX && uq_cells(m->q, along, ((int)kind - TERM_ARGMIN) % 3) == 1)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: \"%s\": found %s, but the fields have one cell along %s", m->key, m->text,
                uq_function_names[kind], axis_names[((int)kind - TERM_ARGMIN) % 3]);
  PetscCall(NewTerm(m, &term));
  term->kind     = kind;
  term->p        = p;
  term->channel  = channel;
  term->along    = along;
  term->argument = parser;
  m->e->n++;
  PetscFunctionReturn(0);
}

/* The term that begins with the name of `length` at `from`, if one does: *next is what follows it, else `from`. */
static PetscErrorCode TakeTerm(const Making *m, const char *from, size_t length, const char *end, bool argument,
                               const char **next)
{
  const int function = find_function(from, length);
  const char *open   = from + length + strspn(from + length, " "), *close;
  /* what is called is the function, also where a field has its name */
  const int channel  = function >= 0 && *open == '(' ? -1 : uq_field_find(m->q, from, length);
  PetscFunctionBeginUser;
  *next = from;
  if (channel < 0 && function < 0) PetscFunctionReturn(0);
  close = open < end && (*open == '[' || *open == '(') ? text_closing(open, end) : NULL;
  if (channel >= 0 && close && *open == '[' && close < end) {
    PetscCall(AddPlace(m, channel, open + 1, close));
    *next = close + 1;
  } else if (channel >= 0) {
    char hint[MAX_TEXT];
    if (!argument && uq_unknown_function(m->q, m->text, sizeof hint, hint))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: \"%s\": there is no function %s", m->key, m->text, hint);
    if (!argument)
      SCORIA_FAIL(
          SCORIA_EXIT_INPUT,
          "uq: %s: \"%s\": %s is a field, and has many values; expected %s[0], %s[L], max(%s) or another number of it",
          m->key, m->text, m->q->field[channel].name, m->q->field[channel].name, m->q->field[channel].name,
          m->q->field[channel].name);
  } else if (close && *open == '(' && close < end &&
             (function == TERM_QUANTILE || !text_outside(open + 1, close, ","))) { /* of several: muParser's own */
    PetscCall(AddFunction(m, (TermKind)function, open + 1, close));
    *next = close + 1;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Rewrite(const Making *m, const char *from, const char *end, bool argument, char to[MAX_TEXT])
{
  size_t used = 0;
  PetscFunctionBeginUser;
  while (from < end) {
    const size_t length = uq_name_length(from);
    const char *next    = from;
    char piece[MAX_TEXT];
    if (length) PetscCall(TakeTerm(m, from, length, end, argument, &next));
    if (next > from)
      term_name(m->e->n - 1, sizeof piece, piece);
    else if (length || isdigit((unsigned char)*from) || *from == '.') { /* also of a number: 1e3 holds no name */
      size_t all = length;
      if (!length) {
        char *behind;
        strtod(from, &behind);
        all = (size_t)PetscMax(behind - from, 1);
      }
      snprintf(piece, sizeof piece, "%.*s", (int)all, from);
      next = from + all;
    } else {
      piece[0] = *from;
      piece[1] = 0;
      next     = from + 1;
    }
    used += (size_t)snprintf(to + used, MAX_TEXT - used, "%s", piece);
    if (used >= MAX_TEXT)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: \"%s\" is too long, at most %d characters", m->key, m->text,
                  MAX_TEXT - 1);
    from = next;
  }
  to[used] = 0;
  PetscFunctionReturn(0);
}

/* The sign of a definition: one "=" that is not part of a comparison. */
static const char *definition(const char *text)
{
  for (const char *at = strchr(text, '='); at; at = strchr(at + 1, '=')) {
    if (at[1] == '=')
      at++;
    else if (at == text || !strchr("<>!=", at[-1]))
      return at;
  }
  return NULL;
}

/* What has the name of a definition already, NULL: nothing. */
static const char *owner_of(const UqQuestion *q, const char *name)
{
  if (find_function(name, strlen(name)) >= 0) return "a function";
  if (uq_field_find(q, name, strlen(name)) >= 0) return "a field";
  for (int a = 0; a < (q->whole ? 3 : 1); a++)
    if (!strcmp(name, axis_names[a])) return "the place of a cell";
  if (space_find(q->space, name) >= 0) return "a condition";
  for (int i = 0; i < q->nquantities; i++)
    if (!strcmp(name, q->quantity[i].name)) return "a quantity";
  return NULL;
}

/* "name [unit]" into a quantity. */
static PetscErrorCode TakeName(const Making *m, const char *end, ScoriaQuantity *quantity)
{
  char name[MAX_TEXT], unit[MAX_TEXT] = "";
  const char *open = memchr(m->text, '[', (size_t)(end - m->text)), *close = open ? text_closing(open, end) : NULL;
  PetscFunctionBeginUser;
  copy_trimmed(m->text, (size_t)((open ? open : end) - m->text), sizeof name, name);
  if (close && close < end) copy_trimmed(open + 1, (size_t)(close - open - 1), sizeof unit, unit);
  if (!is_name(name) || strlen(name) >= sizeof quantity->name || strlen(unit) >= sizeof quantity->unit ||
      (open && (!close || close > end)))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: \"%s\": expected \"name = expression\" or \"name [unit] = expression\"",
                m->key, m->text);
  if (*name == '_')
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: \"%s\": found the name %s, expected one that does not begin with _", m->key,
                m->text, name);
  const char *owner = owner_of(m->q, name);
  if (owner)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: \"%s\": %s is %s already, expected another name", m->key, m->text, name,
                owner);
  PetscCall(PetscStrncpy(quantity->name, name, sizeof quantity->name));
  PetscCall(PetscStrncpy(quantity->unit, unit, sizeof quantity->unit));
  PetscFunctionReturn(0);
}

/* An expression without a name is called by its text. */
static PetscErrorCode TakeText(const Making *m, ScoriaQuantity *quantity)
{
  PetscFunctionBeginUser;
  if (strlen(m->text) >= sizeof quantity->name)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "uq: %s: \"%s\" has more than %d characters: give it a name in uq_quantities, name = ...", m->key,
                m->text, (int)sizeof quantity->name - 1);
  for (int i = 0; i < m->q->nquantities; i++)
    if (!strcmp(m->text, m->q->quantity[i].name))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: \"%s\" is there twice", m->key, m->text);
  snprintf(quantity->name, sizeof quantity->name, "%s", m->text);
  PetscFunctionReturn(0);
}

/* The field's where an expression is one number of it and nothing else; unknown, "", else. */
static const char *unit_of(const Making *m, const char *rewritten)
{
  const Term *term = &m->e->term[0];
  char alone[MAX_TEXT], name[32];
  copy_trimmed(rewritten, strlen(rewritten), sizeof alone, alone);
  term_name(0, sizeof name, name);
  if (m->e->n != 1 || strcmp(alone, name)) return "";
  if (term->at != TERM_OF_CELLS) return m->q->field[term->place.channel].unit;
  if (term->kind >= TERM_ARGMIN) return *space_place_unit(m->q->space, ((int)term->kind - TERM_ARGMIN) % 3) ? "m" : "";
  return term->channel >= 0 && term->kind != TERM_INTEGRAL ? m->q->field[term->channel].unit : "";
}

PetscErrorCode UqExpressionAdd(UqQuestion *q, const char *key, const char *text, int *index)
{
  char rewritten[MAX_TEXT];
  const char *equals      = definition(text);
  ScoriaQuantity quantity = {.kind = SCORIA_QUANTITY_AT};
  PetscFunctionBeginUser;
  if (!q->expressions) PetscCall(UqExpressionsCreate(q, &q->expressions));
  Making m = {q, q->expressions, &q->expressions->of[q->expressions->n], key, text};
  if (equals)
    PetscCall(TakeName(&m, equals, &quantity));
  else
    PetscCall(TakeText(&m, &quantity));
  if (equals && definition(equals + 1))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: \"%s\": found a second \"=\"; to compare, write ==", key, text);
  snprintf(quantity.description, sizeof quantity.description, "%s",
           equals ? equals + 1 + strspn(equals + 1, " ") : text);
  const char *expression = equals ? equals + 1 : text;
  q->expressions->n++; /* what it holds is freed, whatever comes */
  PetscCall(Rewrite(&m, expression, expression + strlen(expression), false, rewritten));
  PetscCall(MakeParser(&m, rewritten, false, &m.e->outer));
  if (!*quantity.unit) snprintf(quantity.unit, sizeof quantity.unit, "%s", unit_of(&m, rewritten));
  PetscCall(UqAddQuantity(q, &quantity, index));
  q->derived++;
  PetscFunctionReturn(0);
}

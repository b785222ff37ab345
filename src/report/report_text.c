/* Texts that grow, and their escaping for HTML. */
#include "report_text.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for `more` characters and a closing zero. */
static PetscErrorCode TextReserve(ReportText *text, size_t more)
{
  PetscFunctionBeginUser;
  if (text->n + more + 1 > text->capacity) {
    const size_t capacity = 2 * (text->n + more + 512);
    char *s               = realloc(text->s, capacity);
    PetscCheck(s, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for %zu characters", capacity);
    text->s        = s;
    text->capacity = capacity;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportAppend(ReportText *text, const char *s, size_t n)
{
  PetscFunctionBeginUser;
  PetscCall(TextReserve(text, n));
  memcpy(text->s + text->n, s, n);
  text->n += n;
  text->s[text->n] = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode ReportPrint(ReportText *text, const char *format, ...)
{
  va_list args;
  PetscFunctionBeginUser;
  va_start(args, format);
  const int n = vsnprintf(NULL, 0, format, args);
  va_end(args);
  PetscCheck(n >= 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "format %s", format);
  PetscCall(TextReserve(text, (size_t)n));
  va_start(args, format);
  vsnprintf(text->s + text->n, (size_t)n + 1, format, args);
  va_end(args);
  text->n += (size_t)n;
  PetscFunctionReturn(0);
}

static const char *html_entity(char c)
{
  switch (c) {
  case '&':
    return "&amp;";
  case '<':
    return "&lt;";
  case '>':
    return "&gt;";
  case '"':
    return "&quot;";
  case '\'':
    return "&#39;";
  default:
    return NULL;
  }
}

PetscErrorCode ReportEscape(ReportText *text, const char *s)
{
  PetscFunctionBeginUser;
  for (; *s; s++) {
    const char *entity = html_entity(*s);
    if (entity)
      PetscCall(ReportAppend(text, entity, strlen(entity)));
    else
      PetscCall(ReportAppend(text, s, 1));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportShellWord(ReportText *html, const char *word)
{
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=+-,@%";
  PetscFunctionBeginUser;
  if (*word && strspn(word, plain) == strlen(word)) {
    PetscCall(ReportEscape(html, word));
    PetscFunctionReturn(0);
  }
  PetscCall(ReportEscape(html, "'"));
  for (; *word; word++) PetscCall(ReportEscape(html, *word == '\'' ? "'\\''" : (char[]){*word, 0}));
  PetscCall(ReportEscape(html, "'"));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportTextDestroy(ReportText *text)
{
  PetscFunctionBeginUser;
  free(text->s);
  memset(text, 0, sizeof *text);
  PetscFunctionReturn(0);
}

PetscErrorCode ReportSlurp(const char *path, ReportText *text)
{
  char block[65536];
  PetscFunctionBeginUser;
  FILE *file = fopen(path, "rb");
  if (!file) PetscFunctionReturn(0);
  for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0;) PetscCall(ReportAppend(text, block, n));
  const bool failed = ferror(file);
  fclose(file);
  if (failed) PetscCall(ReportTextDestroy(text));
  PetscFunctionReturn(0);
}

void report_number(double value, size_t size, char text[])
{
  const double magnitude = fabs(value);
  if (!isfinite(value))
    snprintf(text, size, "\u2013");
  else if (magnitude >= 1e-3 && magnitude < 1)
    snprintf(text, size, "%#.3g", value); /* with its zeros: columns of shares and errors align */
  else if (value == 0 || (magnitude >= 1 && magnitude < 1000))
    snprintf(text, size, "%.3g", value);
  else if (magnitude >= 1000 && magnitude < 1e7)
    snprintf(text, size, "%.0f", value);
  else
    snprintf(text, size, "%.2e", value);
}

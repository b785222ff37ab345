/* Private to the report: text that grows, numbers and words in it. */
#ifndef SCORIA_REPORT_TEXT_H
#define SCORIA_REPORT_TEXT_H

#include "scoria/io.h"
#include <cJSON.h>

/* A text that grows; starts as zeros. */
typedef struct {
  char *s; /* owned; NULL while empty */
  size_t n, capacity;
} ReportText;

PetscErrorCode ReportPrint(ReportText *text, const char *format, ...) PETSC_ATTRIBUTE_FORMAT(2, 3);
/* Appends s with the five characters that mean something to HTML replaced by entities. */
PetscErrorCode ReportEscape(ReportText *text, const char *s);
/* Appends word as a shell wants it, in quotes where it needs them, escaped for HTML. */
PetscErrorCode ReportShellWord(ReportText *html, const char *word);
PetscErrorCode ReportAppend(ReportText *text, const char *s, size_t n);
PetscErrorCode ReportTextDestroy(ReportText *text);
/* The whole of a file, NULL in text->s when there is none.  Local. */
PetscErrorCode ReportSlurp(const char *path, ReportText *text);
/* A number for a reader: 3 significant digits, thousands as they are; an en dash for NaN. */
void report_number(double value, size_t size, char text[]);

/* Member of an object as a number; NaN where it is absent or not a number. */
double json_number(const cJSON *object, const char *name);

#endif

/* Private to the report: words for what the model is measured against.  Of imported data nothing is said of a PDE, of
 * solves or of a porosity. */
#ifndef SCORIA_REPORT_WORDS_H
#define SCORIA_REPORT_WORDS_H

#include "report_text.h"
#include "scoria/results.h"

typedef struct {
  const char *law;                  /* the reference, in a legend or before a noun */
  const char *title[SCORIA_NFROM];  /* of the sources, in tables and legends */
  const char *fresh;                /* its fields at held-out conditions */
  const char *two;                  /* what the floor is the distance of */
  const char *over, *from_one;      /* what the spread is over; one to another of these */
  const char *one, *some;           /* a row of the training set: "One solve", "Single solves" */
  const char *against, *comparison; /* headings: the model against ..., a comparison with ... */
} ReportWords;

/* Of a PDE of ours, of imported data. */
const ReportWords *report_words(bool imported);
/* As compare.json says; NULL: of a PDE. */
const ReportWords *report_words_of(const cJSON *compare);
/* A text of a table in which "PDE" stands for the reference. */
PetscErrorCode ReportPrintOf(const ReportWords *words, const char *text, ReportText *html);

#endif

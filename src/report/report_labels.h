/* Private to the report: how quantities, conditions and measures are written. */
#ifndef SCORIA_REPORT_LABELS_H
#define SCORIA_REPORT_LABELS_H

#include "report_text.h"
#include "scoria/space.h"
#include "scoria/stats.h"

/* How a quantity is written. */
typedef struct {
  char name[SCORIA_NAME_SIZE];       /* in files */
  char label[SCORIA_NAME_SIZE + 16]; /* gnuplot's enhanced text */
  char unit[40];                     /* of the axis, enhanced text */
  char axis[SCORIA_NAME_SIZE + 64];  /* label and unit as of an axis; the label alone where it has none */
  double scale;                      /* file value times scale is in that unit */
} ReportQuantity;

/* From a name and a unit of a file, which "1" is none; lengths, potentials and the like in thousandths while the
 * largest value is below 1. */
void report_quantity(const char *name, const char *unit, double largest, ReportQuantity *q);
/* A place along axis 0, 1, 2 (x, y, z) of fields of that space: in metres, or, along x, as a share of the thickness. */
void report_axis(const ScoriaSpace *space, int axis, double largest, ReportQuantity *q);
/* The same of x, by its unit in a file. */
void report_axis_x(const char *unit, double largest, ReportQuantity *q);
/* The value of a condition as text, with so many digits of the largest value in its range. */
void report_condition(const ScoriaCondition *c, double value, int digits, ReportQuantity *q, size_t size, char text[]);
/* Letters, digits and a few marks of s: what may stand in a label whatever an imported file calls its fields. */
void plain_label(const char *s, size_t size, char label[]);
void unit_label(const char *unit, size_t size, char label[]); /* as enhanced text */
/* The name of a quantity as a label of words. */
void report_quantity_words(const char *name, size_t size, char label[]);
/* Sets the range of the axis x: from end to end of the cells of n fields with centres x (fields_centres). */
PetscErrorCode ReportRangeX(ReportText *body, const ReportQuantity *along, int n, const ScoriaField field[], int cells,
                            const double x[]);
/* Appends theta, without what does not vary, as a title "U_{0} = 0.150 V,  ..." in `lines` lines. */
PetscErrorCode ReportConditionTitle(ReportText *body, const ScoriaSpace *space, const double theta[], int lines);
/* Enhanced text as HTML. */
PetscErrorCode ReportEnhanced(ReportText *html, const char *label);
/* The condition to spread a figure's panels over: the preferred one where it varies, else the first that does, -1:
 * none. */
int shown_axis(const ScoriaSpace *space, int preferred);
#define REPORT_LOAD 1 /* the second condition of every problem is its load */

/* "mean error / SD": a measure and what it is in, plain text. */
void report_measure_name(const ScoriaMeasure *m, size_t size, char name[]);
void report_measure_text(const ScoriaMeasure *m, double value, size_t size, char text[]); /* a value, HTML */

#endif

/* Private to uq: expressions as they are compiled (uq_expressions.c) and evaluated (uq_evaluate.c). */
#ifndef SCORIA_UQ_EXPRESSIONS_H
#define SCORIA_UQ_EXPRESSIONS_H

#include "question.h"
#include <muParserDLL.h>

#define MAX_TERMS 16

typedef enum {
  TERM_MIN,
  TERM_MAX,
  TERM_MEAN,
  TERM_INTEGRAL,
  TERM_SD,
  TERM_QUANTILE,
  TERM_ARGMIN, /* and from here on places: along x, then y, z */
  TERM_ARGMIN_Y,
  TERM_ARGMIN_Z,
  TERM_ARGMAX,
  TERM_ARGMAX_Y,
  TERM_ARGMAX_Z,
  NFUNCTIONS
} TermKind;

typedef enum { TERM_OF_CELLS, TERM_AT_X, TERM_AT_POINT } TermPlace;

typedef struct {
  TermPlace at;         /* OF_CELLS: `kind` of the argument; else a value of a field */
  ScoriaQuantity place; /* AT_X: of a profile, or of lateral means; AT_POINT: its channel */
  ScoriaPoint point;
  TermKind kind;
  double p;                  /* of a quantile */
  int channel;               /* the argument is a field alone; -1: it is `argument` */
  int along;                 /* a channel that lies along the same x */
  muParserHandle_t argument; /* owned */
} Term;

typedef struct {
  muParserHandle_t outer; /* owned */
  int n;
  Term term[MAX_TERMS];
} Expression;

struct UqExpressions_ {
  int n;
  Expression of[UQ_MAX_QUANTITIES + 1]; /* one that is too many is refused once it is understood */
  /* What the parsers' variables are. */
  double theta[SCORIA_MAX_CONDITIONS], quantity[UQ_MAX_QUANTITIES], term[MAX_TERMS], cell[SCORIA_MAX_FIELDS], at[3];
  double *width;         /* owned, as q->x: shares of the lengths along the axes that the cells have */
  double *work, *sorted; /* owned (cells): an argument's values; those of a quantile */
  /* Of the row at work: */
  bool known[SCORIA_MAX_FIELDS]; /* whether a field's extremes are */
  ScoriaExtremes extremes[SCORIA_MAX_FIELDS], of_argument;
  double length[SCORIA_MAX_FIELDS]; /* along x, of every channel [m] */
};

/* Without any yet. */
PetscErrorCode UqExpressionsCreate(const UqQuestion *q, UqExpressions *all);

/* uq_names.c. */
extern const char *const uq_function_names[NFUNCTIONS];
size_t uq_name_length(const char *text); /* of the name that begins there; 0: none does */
int uq_field_find(const UqQuestion *q, const char *name, size_t length); /* -1: there is none */
/* A channel along whose cells `argument`, a part of the deck's text of a key, is to be taken: the fields in it, but for
 * those of one value, must lie along one axis. */
PetscErrorCode UqFindAlong(const UqQuestion *q, const char *key, const char *text, const char *argument, int *along);
/* ' (did you mean "phi"?)' for the name at `found` that nothing has, nothing where none is spelled like it: of
 * functions where it is called as one; else of fields, quantities and conditions, and then the fields are listed. */
void uq_suggest(const UqQuestion *q, const char *found, bool called, size_t size, char hint[]);
/* The first name in the text that is called as a function and is none, with that suggestion; false: there is none. */
bool uq_unknown_function(const UqQuestion *q, const char *text, size_t size, char name[]);

#endif

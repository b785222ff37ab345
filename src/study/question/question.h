/* Private to the question: how its lists and expressions are read, and what they come to for a row of fields. */
#ifndef SCORIA_QUESTION_H
#define SCORIA_QUESTION_H

#include "scoria/uq_question.h"

/* Quantities, those of whole fields included: further ones are left out, for the deck's own. */
#define UQ_MAX_WHOLE 48

/* Of fields of that shape the numbers that uq takes of each, and nothing else, for who takes no statistics; end: of
 * each part of them. */
typedef enum { UQ_OF_INTEREST, UQ_PROBES, UQ_OF_WHOLE, UQ_EXPRESSED, UQ_PARTS } UqPart;
PetscErrorCode UqQuestionOfNumbers(ScoriaDeck deck, const ScoriaFieldShape *shape, UqQuestion *q, int end[UQ_PARTS]);
/* uq_items.c: the items of the list uq_<key>, one after the other; one that is too long is a user error.  Local. */
typedef PetscErrorCode (*UqTakeItem)(UqQuestion *q, const char *item);
PetscErrorCode UqReadItems(ScoriaDeck deck, UqQuestion *q, const char *key, UqTakeItem take);
/* A quantity behind those that are there, and its place among them; one too many is a user error.  Local. */
PetscErrorCode UqAddQuantity(UqQuestion *q, const ScoriaQuantity *quantity, int *index);

/* uq_expressions.c.  Adds the quantity that a text defines, "name [unit] = expression" or an expression alone, which is
 * then its name; later ones may use it.  What cannot be understood is a user error that names the deck's key.  *index:
 * its place among the quantities.  Local. */
PetscErrorCode UqExpressionAdd(UqQuestion *q, const char *key, const char *text, int *index);
PetscErrorCode UqExpressionsDestroy(UqExpressions *all);
/* Values of the derived quantities, the others being there, of one row at theta; means (channels, along) over y and z
 * of whole fields, else NULL. */
void uq_evaluate(const UqQuestion *q, const double theta[], const double fields[], const double means[],
                 double quantities[]);
/* uq_whole.c: what is asked of every whole field: extremes and where along x they are, and the values that 1 % and 99 %
 * of the cells exceed; after the quantities of the deck, as far as there is room.  Nothing of profiles.  Local. */
PetscErrorCode UqAddWhole(UqQuestion *q);
/* uq_events.c: the threshold of an item of uq_exceed.  Local. */
PetscErrorCode UqAddEvent(UqQuestion *q, const char *item);

/* uq_theta.c: its conditions, listed, mapped or from a file. */
PetscErrorCode UqReadConditions(ScoriaRun run, ScoriaDeck deck, UqQuestion *q);

#endif

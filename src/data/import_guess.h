/* What import takes the arrays of a file for, where the deck maps nothing. */
#ifndef SCORIA_DATA_IMPORT_GUESS_H
#define SCORIA_DATA_IMPORT_GUESS_H

#include "import.h"

#define IMPORT_LISTED 400 /* arrays at most */

typedef struct {
  ScoriaForeignTables tables;
  int n;
  ScoriaForeignArray *array;               /* owned (IMPORT_LISTED) */
  int choice[IMPORT_LISTED], choices;      /* arrays that might be cell centres, */
  bool unsure;                             /* of which the first is x, as nothing says which of them is */
  int grid, centre[IMPORT_GRID];           /* axes of cells found, 0 to 3, and their arrays: x, y, z */
  int own[SCORIA_MAX_FIELDS][IMPORT_GRID]; /* of a field on cells of its own the arrays of their centres; else -1 */
  int field[SCORIA_MAX_FIELDS], fields, condition[SCORIA_MAX_CONDITIONS], conditions;
  int question[SCORIA_MAX_CONDITIONS], questions; /* arrays with as many values as an axis of rows and one of cells */
  bool positive[SCORIA_MAX_FIELDS];               /* fields whose values are all above 0 */
  char name[IMPORT_LISTED][SCORIA_NAME_SIZE];     /* in the deck; "": not in it */
  bool doubt[IMPORT_LISTED];                      /* a field of which more than one choice of axes may be the cells' */
} ImportGuess;

static inline int64_t guess_values(const ScoriaForeignArray *a)
{
  int64_t n = 1;
  for (int i = 0; i < a->rank; i++) n *= a->dims[i];
  return n;
}
/* import_guess_fit.c: dimensions of more than one index; the axis of an array whose scale is that of an array of one
 * dimension, -1: none; the letter that an array's name is, or begins with before what is no letter or digit ("x_um"),
 * in lower case, else 0. */
int guess_dimensions(const ScoriaForeignArray *a);
int guess_axis_by_scale(const ScoriaForeignArray *a, const ScoriaForeignArray *x);
char guess_letter(const ScoriaForeignArray *a);
typedef enum { NOT_ON, ON, MAYBE_ON } ImportFit; /* MAYBE_ON: more than one choice of axes */
/* Whether an array has axes of cells along all of n centres. */
ImportFit guess_fit(const ScoriaForeignArray *a, int n, const ScoriaForeignArray *const centre[]);
/* Of the fields, `positive`.  Collective. */
PetscErrorCode ImportGuessPositive(MPI_Comm comm, const char *path, ImportGuess *g);
/* Roles of the arrays, which n and array hold.  Collective. */
PetscErrorCode ImportGuessRoles(MPI_Comm comm, const char *path, ImportGuess *g);
/* Arrays that are fields where another is x, of profiles: how many.  Local. */
int import_guess_fields(const ImportGuess *g, int x, int field[SCORIA_MAX_FIELDS]);

#endif

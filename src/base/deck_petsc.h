/* Private to the deck: PETSc's own options, in whose database a deck lives. */
#ifndef SCORIA_DECK_PETSC_H
#define SCORIA_DECK_PETSC_H

#include "scoria/base.h"

/* The places that PETSc takes options from before the deck is read, the first being the one that counts most: the
 * command line, the environment, files. */
#define DECK_COMMAND_LINE 0
#define DECK_FIRST_FILE 2
typedef struct {
  int count;
  const char *name[5];     /* borrowed: "command line", "PETSC_OPTIONS", "~/.petscrc", ... */
  PetscOptions options[5]; /* owned */
} DeckSources;

PetscErrorCode DeckSourcesCreate(MPI_Comm comm, DeckSources *from); /* collective */
PetscErrorCode DeckSourcesDestroy(DeckSources *from);
/* Which of them an option "-name" is from; the command line where it is of none. */
PetscErrorCode DeckSourceOf(const DeckSources *from, const char *option, int *source);

/* Whether PETSc, of this version, has an option of that name, also behind the prefix of a solver inside another
 * ("mg_levels_ksp_type"). */
bool petsc_has_option(const char *name);
bool petsc_reaches_solver(const char *name); /* it may change what a solver gives; what only tells does not */
/* Why an option of PETSc's has no place in a deck, as the program sets it by itself; NULL: it has. */
const char *petsc_program_sets(const char *name);

/* Calls visit for every option "-name" in a database (NULL: PETSc's own). */
PetscErrorCode DeckEachOption(PetscOptions options, PetscErrorCode (*visit)(void *ctx, const char *option), void *ctx);
/* All options in PETSc's database that reach a solver, sorted: "-ksp_rtol 1e-9 -snes_type newtontr". */
PetscErrorCode DeckSolverOptions(size_t size, char text[]);
/* Options of such a text into PETSc's database, below those that are there. */
PetscErrorCode DeckInsertOptions(const char *text);

#endif

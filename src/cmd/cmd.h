/* Private to the commands: their table. */
#ifndef SCORIA_CMD_H
#define SCORIA_CMD_H

#include "scoria/data.h"
#include "scoria/study.h"
#include <stdio.h>

/* One command: with a deck and a run directory, or (`info`) with a file, or with a file and the deck of the command
 * line. */
typedef struct {
  const char *name, *help;
  const char *sections; /* of the deck, that it reads besides those that all do, for its help; NULL: all */
  PetscErrorCode (*with_deck)(ScoriaRun run, ScoriaDeck deck);
  PetscErrorCode (*with_file)(MPI_Comm comm, const char *path);
  PetscErrorCode (*with_both)(ScoriaDeck deck, const char *path);
  bool whole_fields; /* knows rows of whole fields, not profiles alone */
} ScoriaCommand;

extern const ScoriaCommand scoria_commands[];    /* ends with a NULL name */
const ScoriaCommand *cmd_find(const char *name); /* NULL: none */
/* The line that says so, with the command that is spelled most like it. */
void cmd_unknown(const char *name, size_t size, char line[]);
/* A command with a deck, and the manifest of what it has made.  Collective. */
PetscErrorCode CmdDo(ScoriaRun run, ScoriaDeck deck, const char *name);
/* A line where a result of the run directory is newer than its report.html.  Rank 0 looks. */
PetscErrorCode CmdSayReportIsOld(ScoriaRun run);
const ScoriaKey *const *cmd_tables(void); /* every room's and every problem's deck keys; ends with NULL */

/* Help, of the same tables as what is checked, on standard output: what there is; a command's keys, of all sections
 * where it is NULL; a page for man; a script that completes commands, keys and choices in bash.  Local. */
void cmd_print_usage(FILE *out);
void cmd_print_keys(const ScoriaCommand *command);
void cmd_print_manual(void);
void cmd_print_completion(void);

PetscErrorCode CommandSolve(ScoriaRun run, ScoriaDeck deck);
PetscErrorCode CommandGenerate(ScoriaRun run, ScoriaDeck deck);
PetscErrorCode CommandImport(ScoriaRun run, ScoriaDeck deck);
PetscErrorCode CommandMerge(ScoriaRun run, ScoriaDeck deck);
PetscErrorCode CommandTrain(ScoriaRun run, ScoriaDeck deck);
PetscErrorCode CommandSample(ScoriaRun run, ScoriaDeck deck);
PetscErrorCode CommandCompare(ScoriaRun run, ScoriaDeck deck);
PetscErrorCode CommandUq(ScoriaRun run, ScoriaDeck deck);
PetscErrorCode CommandInfer(ScoriaRun run, ScoriaDeck deck);
PetscErrorCode CommandLikelihood(ScoriaRun run, ScoriaDeck deck);
PetscErrorCode CommandRefine(ScoriaRun run, ScoriaDeck deck);
PetscErrorCode CommandDeck(ScoriaRun run, ScoriaDeck deck); /* without a run directory: run is NULL */
PetscErrorCode CommandReport(ScoriaRun run, ScoriaDeck deck);
PetscErrorCode CommandFitPorosity(ScoriaDeck deck, const char *path);
PetscErrorCode CommandRun(ScoriaRun run, ScoriaDeck deck);

/* A line, `before` it, for each of the keys known to need another that the deck sets without it, of those that the
 * command reads or that decide data.  Collective. */
PetscErrorCode CmdWarnOfIdle(const char *before, ScoriaDeck deck, const char *command);
/* cmd_deck.c: keys that contradict each other, expressions of what is not there: a user error, before any work.
 * Collective. */
PetscErrorCode CmdCheckDeck(ScoriaDeck deck);

#endif

/* scoria/run_decks.h - the decks under which the results of a run directory were made, as these tell them themselves.
 */
#ifndef SCORIA_RUN_DECKS_H
#define SCORIA_RUN_DECKS_H

#include "base.h"

#define SCORIA_RUN_RESULTS 32

/* A result, and how the deck that it was made under differs from the directory's over the keys that decide it: "" or
 * "uq_count is 1000 here and 50 there, ...". */
typedef struct {
  char name[SCORIA_NAME_SIZE]; /* of the file in the directory */
  char difference[512];
} ScoriaRunResult;

typedef struct {
  int n;
  ScoriaRunResult result[SCORIA_RUN_RESULTS];
  char asked[512]; /* how the directory's deck differs from the one at hand over what decides its results; or "" */
} ScoriaRunDecks;

/* The directory's own deck: every key as the result tells it whose it is first, dataset.h5 before model.h5 before
 * what was drawn from it; keys that decide no result that is there as `deck` has them.  Results of other names
 * (-uq_file) are listed, and decide nothing.  Files that cannot be read are passed over: whoever needs them says so.
 * The caller destroys *own; decks may be NULL.  Collective. */
PetscErrorCode ScoriaRunDecksRead(ScoriaRun run, ScoriaDeck deck, ScoriaDeck *own, ScoriaRunDecks *decks);
/* After a command that makes data: writes the directory's own deck as deck.yaml where there is none, or a result is
 * newer than it.  Collective. */
PetscErrorCode ScoriaRunKeepDeck(ScoriaRun run, ScoriaDeck deck);

#endif

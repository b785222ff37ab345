/* Private to data: what those who make datasets share. */
#ifndef SCORIA_DATA_MAKING_H
#define SCORIA_DATA_MAKING_H

#include "scoria/data.h"

/* ------------------------------------------------------------------------------------------ a dataset on its way ----
 */

/* Open for writing, with what an interrupted run of the same deck has left in it. */
typedef struct {
  ScoriaDataset ds;      /* owned */
  ScoriaIntervals there; /* owned: the rows that were there at the start, or are copied since */
} Partial;

/* Creates or continues `path`; a part file that another deck began is a user error, as far as `results` go.  Where it
 * `extends` a finished dataset of that name, it will take its place.  visit sees the rows that are there, as in
 * ScoriaDatasetSurvey.  Collective. */
PetscErrorCode PartialBegin(ScoriaRun run, ScoriaDeck deck, const char *path, bool extends,
                            const ScoriaDatasetSpec *spec, const double x[], const ScoriaProvenance *from,
                            unsigned results, void (*visit)(void *ctx, int64_t first, const ScoriaRows *rows),
                            void *ctx, Partial *out);
/* How many of rows [first, first + number) are there. */
int64_t partial_has(const Partial *out, int64_t first, int64_t number);
/* The next run of rows that are not there, at most so many: from *first on, before row `end`; number is 0 where there
 * is none. */
void partial_next(const Partial *out, int64_t end, int64_t most, int64_t *first, int64_t *number);
/* Verifies and publishes it; or leaves the part file to the next start and fails with exit code 75.  Collective. */
PetscErrorCode PartialFinish(Partial *out);
PetscErrorCode PartialStop(ScoriaRun run, Partial *out, int64_t rows);

/* Whether there are the rows that the deck chooses (ensemble_full_rows, or the first ensemble_full_fields): a user
 * error if not. */
PetscErrorCode WholeFieldsCheck(ScoriaDeck deck, int64_t rows);
/* A warning for each lateral axis of whole fields that is shorter than two of the longest correlation lengths.
 * Collective. */
PetscErrorCode WholeFieldsWarn(ScoriaRun run, ScoriaDeck deck, ScoriaEnsemble ens);

#endif

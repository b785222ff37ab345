/* scoria/draw.h - fields at a condition, wherever they come from: the condition that the deck asks for, the trained
 * model with its twin, the quantities of interest. */
#ifndef SCORIA_DRAW_H
#define SCORIA_DRAW_H

#include "physics.h"
#include "score.h"
#include "stats.h"

/* ------------------------------------------------------------------------------------------------ imported data ----
 */

/* Whether the deck's data are imported (import_file): then there are no equations behind them.  Local. */
PetscErrorCode ScoriaImported(ScoriaDeck deck, bool *imported);
/* Refuses a command that needs the equations where there are none; `instead` says what can be done.  Local. */
PetscErrorCode ScoriaNeedEquations(ScoriaDeck deck, const char *command, const char *instead);
/* import_reference of the channels of a model, in the order of the fields; those not named are left.  Local. */
PetscErrorCode ScoriaImportedReferences(ScoriaDeck deck, double reference[SCORIA_MAX_FIELDS]);

/* ---------------------------------------------------------------------------------------------------- conditions ----
 */

/* theta from sample_<condition>, or from sample_at where no key is declared for that name; the middle of the training
 * range where that is not given.  asked: whether any is. */
PetscErrorCode ScoriaConditionOfSamples(ScoriaDeck deck, const ScoriaSpace *space, double theta[], bool *asked);
/* A value of the section ("sample", "uq") for a condition that space does not have is a user error: it would change
 * nothing.  Collective. */
PetscErrorCode ScoriaConditionRefuseUnused(ScoriaDeck deck, const ScoriaSpace *space, const char *section);
/* Whether theta lies in the ranges that the model was trained on: outside, a warning, and a user error under -strict,
 * far outside, or where the model knows one value only.  `command` is named.  Collective. */
PetscErrorCode ScoriaConditionCheckRange(ScoriaRun run, ScoriaDeck deck, const char *command, const ScoriaSpace *space,
                                         const double theta[]);

/* ----------------------------------------------------------------------------------------------------- the model ----
 */

/* Deck sections that a model must share with the deck that uses it; for ScoriaDeckDifference. */
extern const char *const scoria_law_sections[];

/* model.h5 of the run directory, refused when it was trained for another law than the deck's.  Collective. */
PetscErrorCode ScoriaModelOpen(ScoriaRun run, ScoriaDeck deck, ScoriaModel *model);
/* The deterministic twin of the deck's physics; destroy `ens` when done with it.  Imported data have none, and ens is
 * NULL; their references are the deck's.  Local. */
PetscErrorCode ScoriaTwinCreate(ScoriaDeck deck, ScoriaEnsemble *ens, ScoriaTwin *twin);
/* The sampler that the deck asks for; says so where its products are bfloat16.  Collective. */
PetscErrorCode ScoriaSamplerOpen(ScoriaRun run, ScoriaDeck deck, ScoriaSamplerOptions *opt);

/* ---------------------------------------------------------------------------------------- quantities of interest ----
 */

/* The quantities of interest of the deck's problem, SCORIA_MAX_DECK_QUANTITIES at most, for fields (channels, cells) at
 * x: smallest and largest value of the first channel, then what the problem names.  condition: whose value is the
 * quantity's offset, -1: none. */
#define SCORIA_MAX_DECK_QUANTITIES (2 + SCORIA_MAX_QUANTITIES)
PetscErrorCode ScoriaQuantitiesOfDeck(ScoriaDeck deck, int channels, const ScoriaField field[], int cells,
                                      const double x[], int *n, ScoriaQuantity quantity[], int condition[]);

#endif

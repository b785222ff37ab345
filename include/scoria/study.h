/* scoria/study.h - the analyses, one room each in src/study: every one reads its question from the deck, answers it
 * from a source of fields, and writes its result into the run directory.  A result of the same deck that is there
 * already is left; one of another deck is a user error.  All are collective on the run's communicator. */
#ifndef SCORIA_STUDY_H
#define SCORIA_STUDY_H

#include "data.h"

/* The model against fresh PDE ensembles at conditions that it was not trained on -> compare.json, compare.h5. */
PetscErrorCode ScoriaCompareModel(ScoriaRun run, ScoriaDeck deck);
/* A model of imported data against the rows that were held back from its training -> compare.json, compare.h5; nothing
 * held back is a user error. */
PetscErrorCode ScoriaCompareImported(ScoriaRun run, ScoriaDeck deck);
/* Whether model.h5 holds rows back. */
PetscErrorCode ScoriaHeldBack(ScoriaRun run, bool *any);
/* The rows of a sample file against those of a reference at the conditions that both hold -> compare_output. */
PetscErrorCode ScoriaCompareFiles(ScoriaRun run, ScoriaDeck deck, const char *sample, const char *reference);
/* Streamed statistics at one or many conditions, and Sobol indices -> uq_file. */
PetscErrorCode ScoriaUq(ScoriaRun run, ScoriaDeck deck);
/* The law of the fields and of unknown conditions given readings of sensors -> infer_file. */
PetscErrorCode ScoriaInfer(ScoriaRun run, ScoriaDeck deck);
/* Log densities of given fields under the model -> likelihood_output. */
PetscErrorCode ScoriaLikelihood(ScoriaRun run, ScoriaDeck deck);
/* The porosity profiles whose solutions are nearest to given fields -> refined.h5, refine.h5. */
PetscErrorCode ScoriaRefine(ScoriaRun run, ScoriaDeck deck);

#endif

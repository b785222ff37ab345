/* Private to generate and merge: what their files share. */
#ifndef SCORIA_DATA_GENERATE_H
#define SCORIA_DATA_GENERATE_H

#include "scoria/data.h"

#define SHARD_FILE "shard.h5" /* in the run directory of a shard */

/* The design of a whole dataset, of which conditions are asked for as they are needed: there may be more of them than a
 * rank's memory or patience holds. */
typedef struct {
  ScoriaDesign of; /* borrowed */
  const ScoriaSpace *space;
  int64_t conditions, realisations;
  int64_t at; /* condition whose theta is kept, -1: none */
  double theta[SCORIA_MAX_CONDITIONS];
} GenerateDesign;

/* spec: of all rows, not of a shard.  A file of fewer conditions is a user error here, and none later. */
PetscErrorCode GenerateDesignOpen(ScoriaDesign of, const ScoriaDatasetSpec *spec, GenerateDesign *design);
/* theta (space.n) of a row of the whole dataset.  Local. */
PetscErrorCode GenerateTheta(GenerateDesign *design, int64_t row, double theta[]);
/* The same as a ScoriaGiveRow, without profiles. */
PetscErrorCode GenerateGive(void *design, int64_t row, double theta[], double eps[]);
/* A finished dataset at `path` of fewer conditions than the deck asks for, and of the same deck else, opened; NULL
 * where there is none.  Collective. */
PetscErrorCode GenerateFindSmaller(ScoriaRun run, ScoriaDeck deck, const char *path, ScoriaDataset *smaller);
/* Its rows that `out` lacks, into `out`; design as in GenerateRows.  Adds this rank's share to the tally.  Stopped on
 * the way, it fails as ScoriaStopped.  Collective. */
PetscErrorCode GenerateCopy(ScoriaRun run, ScoriaDataset smaller, GenerateDesign *design, ScoriaPartial *out,
                            ScoriaSolveTally *tally);

/* Whether rows that are done, of a dataset from row `first` on, are at the conditions that the design has for them. */
bool generate_at_design(GenerateDesign *design, const ScoriaRows *rows, int64_t first);

/* Counts rows that are done. */
void generate_tally(const ScoriaRows *rows, ScoriaSolveTally *tally);

/* Computes and writes every row that is not in `out` yet; design is of the whole dataset.  Groups draw `smallest` rows
 * at a time at least (but for the last of a round); 0: as many as the cost of a solve and of a draw ask for.  Keeps
 * account of the cost.  Adds to the tally, which is the sum over ranks afterwards.  Stopped on the way, it fails as
 * ScoriaStopped.  Collective. */
PetscErrorCode GenerateRows(ScoriaRun run, ScoriaEnsemble ens, const ScoriaDatasetSpec *spec, GenerateDesign *design,
                            int64_t smallest, ScoriaPartial *out, ScoriaCost cost, ScoriaSolveTally *tally,
                            ScoriaSolveShares *shares);

#endif

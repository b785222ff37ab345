/* Private to generate and merge: what their files share. */
#ifndef SCORIA_DATA_GENERATE_H
#define SCORIA_DATA_GENERATE_H

#include "making.h"
#include "scoria/fidelity.h"

#define SHARD_FILE "shard.h5" /* in the run directory of a shard */

/* The design of a whole dataset, of which conditions are asked for as they are needed: there may be more of them than a
 * rank's memory or patience holds. */
typedef struct {
  ScoriaDesign of; /* borrowed */
  const ScoriaSpace *space;
  int64_t conditions, realisations;
  int64_t shared; /* realisations of a condition that a dataset of so many of each has, too */
  int64_t at;     /* condition whose theta is kept, -1: none */
  double theta[SCORIA_MAX_CONDITIONS];
} GenerateDesign;

/* spec: of all rows, not of a shard.  A file of fewer conditions is a user error here, and none later. */
PetscErrorCode GenerateDesignOpen(ScoriaDesign of, const ScoriaDatasetSpec *spec, GenerateDesign *design);
/* The number of the realisation of a row of the whole dataset: the same of the first `shared` of a condition in both
 * datasets; of the others none that a dataset without them has. */
uint64_t generate_number(const GenerateDesign *design, int64_t row);
/* The relative of the deck's solve that the deck's key names, member 1 of its family, and the spec of its rows; NULL
 * where it names none but the deck's own.  Collective on the rank's group. */
PetscErrorCode GenerateRelative(ScoriaDeck deck, ScoriaEnsemble ens, const char *key, ScoriaDatasetSpec *spec,
                                ScoriaFidelities *relative);
/* From the spec of dataset.h5 to that of cheap.h5, but for its fields; and whether the deck's section for it can be
 * followed, before anything is solved. */
PetscErrorCode GenerateCheapSpec(ScoriaDeck deck, ScoriaDatasetSpec *spec);
PetscErrorCode GenerateCheapCheck(ScoriaDeck deck, ScoriaEnsemble ens, const ScoriaDatasetSpec *spec);
/* theta (space.n) of a row of the whole dataset.  Local. */
PetscErrorCode GenerateTheta(GenerateDesign *design, int64_t row, double theta[]);
/* The same as a ScoriaGiveRow, without profiles. */
PetscErrorCode GenerateGive(void *design, int64_t row, double theta[], double eps[]);
/* A finished dataset at `path` of fewer conditions than the deck asks for, and of the same deck else, as far as
 * `results` go, opened; NULL where there is none.  Collective. */
PetscErrorCode GenerateFindSmaller(ScoriaRun run, ScoriaDeck deck, const char *path, unsigned results,
                                   ScoriaDataset *smaller);
/* Its rows that `out` lacks, into `out`; design as in GenerateRows.  Adds this rank's share to the tally.  Stopped on
 * the way, it fails as ScoriaStopped.  Collective. */
PetscErrorCode GenerateCopy(ScoriaRun run, ScoriaDataset smaller, GenerateDesign *design, Partial *out,
                            ScoriaSolveTally *tally);

/* Whether rows that are done, of a dataset from row `first` on, are at the conditions that the design has for them. */
bool generate_at_design(GenerateDesign *design, const ScoriaRows *rows, int64_t first);

/* Counts rows that are done. */
void generate_tally(const ScoriaRows *rows, ScoriaSolveTally *tally);

/* Computes and writes every row that is not in `out` yet, by the deck's solve or by its relative, member 1 of that
 * family (NULL: none); design is of the whole dataset.  Groups draw `smallest` rows at a time at least (but for the
 * last of a round); 0: as many as the cost of a solve and of a draw ask for.  Keeps account of the cost.  Adds to the
 * tally, which is the sum over ranks afterwards.  Stopped on the way, it fails as ScoriaStopped.  Collective. */
PetscErrorCode GenerateRows(ScoriaRun run, ScoriaEnsemble ens, ScoriaFidelities relative, const ScoriaDatasetSpec *spec,
                            GenerateDesign *design, int64_t smallest, Partial *out, ScoriaCost cost,
                            ScoriaSolveTally *tally, ScoriaSolveShares *shares);

#endif

/* Private to generate and merge: what their files share. */
#ifndef SCORIA_CMD_GENERATE_H
#define SCORIA_CMD_GENERATE_H

#include "cmd/cmd.h"

typedef struct {
  int64_t failed, newton, retried;
} GenerateTally;

/* Where the time of the groups went, as shares of the run. */
typedef struct {
  double idle,
      idle_most; /* waiting for work or for other groups: the mean over groups, and the group that waited most */
  double io;     /* bringing rows to their writers, and writing */
  double rank_memory, group_memory; /* the most of any rank, and of the ranks of any group together [MB] */
} GenerateShares;

#define GENERATE_SHARD_FILE "shard.h5" /* in the run directory of a shard */

/* The design of a whole dataset, of which conditions are asked for as they are needed: there may be more of them than a
 * rank's memory or patience holds. */
typedef struct {
  ScoriaDeck deck; /* borrowed */
  ScoriaSpace space;
  int64_t conditions, realisations;
  int64_t at; /* condition whose theta is kept, -1: none */
  double theta[SCORIA_MAX_CONDITIONS];
} GenerateDesign;

/* spec: of all rows, not of a shard.  A file of fewer conditions is a user error here, and none later. */
PetscErrorCode GenerateDesignOpen(ScoriaDeck deck, const ScoriaDatasetSpec *spec, GenerateDesign *design);
/* theta (space.n) of a row of the whole dataset; matches CmdThetaOfRow.  Local. */
PetscErrorCode GenerateTheta(void *design, int64_t row, double theta[]);
/* Whether few enough solves of a complete dataset have failed: a user error if not; a shard is not judged. Collective.
 */
PetscErrorCode GenerateCheckComplete(ScoriaRun run, ScoriaDeck deck, const char *path);

/* A finished dataset at `path` of fewer conditions than the deck asks for, and of the same deck else, opened; NULL
 * where there is none.  Collective. */
PetscErrorCode GenerateFindSmaller(ScoriaRun run, ScoriaDeck deck, const char *path, ScoriaDataset *smaller);
/* Its rows that `out` lacks, into `out`; design as in GenerateRows.  Adds this rank's share to the tally.  Stopped on
 * the way, it fails as ScoriaStopped.  Collective. */
PetscErrorCode GenerateCopy(ScoriaRun run, ScoriaDataset smaller, GenerateDesign *design, CmdDataset *out,
                            GenerateTally *tally);

/* Whether rows that are done, of a dataset from row `first` on, are at the conditions that the design has for them. */
bool generate_at_design(GenerateDesign *design, const ScoriaRows *rows, int64_t first);

/* Counts rows that are done. */
void generate_tally(const ScoriaRows *rows, GenerateTally *tally);

/* Computes and writes every row that is not in `out` yet; design is of the whole dataset.  Keeps account of the cost.
 * Adds to the tally, which is the sum over ranks afterwards.  Stopped on the way, it fails as ScoriaStopped.
 * Collective. */
PetscErrorCode GenerateRows(ScoriaRun run, ScoriaEnsemble ens, const ScoriaDatasetSpec *spec, GenerateDesign *design,
                            CmdDataset *out, ScoriaCost cost, GenerateTally *tally, GenerateShares *shares);

#endif

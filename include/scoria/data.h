/* scoria/data.h - making datasets: generated, imported, merged of shards, or sampled; started, interrupted and resumed;
 * and the rule that nothing that is complete is made again or overwritten. */
#ifndef SCORIA_DATA_H
#define SCORIA_DATA_H

#include "draw.h"

extern const ScoriaKey scoria_import_keys[]; /* import_* */

/* ------------------------------------------------------------------------------------------------ what is complete
 * ---- */

/* A finished dataset of this deck at run_dir/name, or complete = false.  One of another deck, as far as `results` go,
 * or made from another model or dataset than stand in the run directory (ScoriaChainCheck), or from another `file` (one
 * that the deck names; may be NULL), is a user error: nothing is overwritten.  Collective. */
PetscErrorCode ScoriaCompleteDataset(ScoriaRun run, ScoriaDeck deck, const char *name, unsigned results,
                                     const char *file, bool *complete);
/* The same of a store of this kind. */
PetscErrorCode ScoriaCompleteStore(ScoriaRun run, ScoriaDeck deck, const char *name, const char *kind, unsigned results,
                                   const char *file, bool *complete);

/* Provenance of a file written by this run.  group_size: full_size of the groups that solved, 1 where none did.  Local.
 */
PetscErrorCode ScoriaProvenanceOfRun(ScoriaRun run, ScoriaDeck deck, const char *kind, int group_size,
                                     ScoriaProvenance *from);
/* A line where ranks are left over, which get no work, or where fewer share a solve than were asked for.  Collective.
 */
PetscErrorCode ScoriaWarnOfRest(ScoriaRun run, const ScoriaGroups *groups);

/* --------------------------------------------------------------------------------------------------------- places ----
 */

/* What so many of a unit are in m; 0: it is none of length. */
double length_in_metres(const char *unit);
/* A place from the first `length` characters of a text: a number, or one with a unit of length behind it, "40um", which
 * becomes metres.  False where it is neither. */
bool place_read(const char *text, size_t length, double *place, bool *with_unit);
/* A user error: a unit stands behind a place along an axis whose places are shares, or are in no known unit. */
PetscErrorCode ScoriaPlaceCheckUnit(const ScoriaSpace *space, int axis, const char *key, const char *text);
/* Warns where places are given in fields of which nothing said the unit of x; a user error under -strict.  Collective.
 */
PetscErrorCode ScoriaPlacesWarn(ScoriaRun run, ScoriaDeck deck, const ScoriaSpace *space, const char *command);

/* --------------------------------------------------------------------------------------------------- whole fields ----
 */

/* Puts theta (space.n) of a row and, unless eps is NULL, its porosity profile (nx).  Called by every rank. */
typedef PetscErrorCode (*ScoriaGiveRow)(void *ctx, int64_t row, double theta[], double eps[]);

/* Whole fields of these, computed again by the first group, into run_dir/name unless that is there: /fields/<name>
 * (chosen, nz, ny, nx); in two and three dimensions with an .xdmf file beside it.  Of the porosity that a row numbers,
 * or with_eps of the profile that is given.  Collective. */
PetscErrorCode ScoriaWholeFieldsWrite(ScoriaRun run, ScoriaDeck deck, ScoriaEnsemble ens, int64_t rows,
                                      ScoriaGiveRow give, void *ctx, bool with_eps, const char *name);

/* ------------------------------------------------------------------------------------------------ making datasets ----
 */

typedef struct {
  int64_t failed, newton, retried;
} ScoriaSolveTally;

/* Where the time of the groups went, as shares of the run. */
typedef struct {
  double idle,
      idle_most; /* waiting for work or for other groups: the mean over groups, and the group that waited most */
  double io;     /* bringing rows to their writers, and writing */
  double rank_memory, group_memory; /* the most of any rank, and of the ranks of any group together [MB] */
} ScoriaSolveShares;

/* What a command has made, for it to say. */
typedef struct {
  char path[PETSC_MAX_PATH_LEN];
  bool complete; /* it was there already; nothing below is set */
  bool listed;   /* import: the deck maps nothing, and what the file holds was told in place of an import */
  ScoriaDatasetSpec spec;
  ScoriaSolveTally tally;   /* generate */
  ScoriaSolveShares shares; /* generate */
  int shards;               /* merge */
  int64_t failed, lacking;  /* import: rows marked as failed, and of these those that the file lacks */
} ScoriaMade;

/* dataset.h5 by the deck's design, or the shard of it that run_shard asks for; a smaller one of the same design grows.
 * Collective. */
PetscErrorCode ScoriaGenerate(ScoriaRun run, ScoriaDeck deck, ScoriaMade *made);
/* Whether the deck asks for rows of a cheaper fidelity beside dataset.h5 (ensemble_cheap_*); a section that is not
 * whole, or asks for fewer rows than dataset.h5 has, is a user error.  Local. */
PetscErrorCode ScoriaCheapAsked(ScoriaDeck deck, bool *asked);
/* cheap.h5: rows of that fidelity at the conditions of dataset.h5, the first of each at the realisations that it has.
 * Collective. */
PetscErrorCode ScoriaGenerateCheap(ScoriaRun run, ScoriaDeck deck, ScoriaMade *made);
/* The file of rows of a cheaper fidelity that the deck has a model trained on, there or not; "": none.  Local. */
PetscErrorCode ScoriaCheapPath(ScoriaRun run, ScoriaDeck deck, char path[PETSC_MAX_PATH_LEN]);
/* What rows of a cheaper fidelity (train_cheap) make of dataset.h5, dear: corrected.h5 in the run directory, opened;
 * NULL where the deck names none, or where they tell too little of dear rows, which is said.  Its conditions are those
 * of dataset.h5, and then others that the cheap rows have in the same ranges; its rows are those of dataset.h5 where
 * there are any, but none that is held back, and else cheap ones brought to what dear ones would be, as pairs of rows
 * of the same realisation teach it.  No corrected value leaves its field's bounds, or the side of its reference that
 * all rows are on (twin).  A file of cheap rows that does not fit is a user error.  Collective. */
PetscErrorCode ScoriaCorrect(ScoriaRun run, ScoriaDeck deck, ScoriaDataset dear, const ScoriaTwin *twin,
                             ScoriaDataset *corrected);
/* dataset.h5 of the shards below run_dir.  Collective. */
PetscErrorCode ScoriaMerge(ScoriaRun run, ScoriaDeck deck, ScoriaMade *made);
/* Before there is a run directory: a user error where all that is wanted is a listing of import_file, and that cannot
 * be read.  Collective. */
PetscErrorCode ScoriaImportProbe(MPI_Comm comm, ScoriaDeck deck);
/* A user error where a file that is named in a deck's place is one to import.  Collective on comm. */
PetscErrorCode ScoriaImportNeedDeck(MPI_Comm comm, const char *file);
/* dataset.h5 of the rows of import_file.  Collective. */
PetscErrorCode ScoriaImport(ScoriaRun run, ScoriaDeck deck, ScoriaMade *made);
/* samples: sample_count fields of the model at the samples' condition.  Collective. */
PetscErrorCode ScoriaSample(ScoriaRun run, ScoriaDeck deck, ScoriaMade *made);

/* Whether few enough solves of a complete dataset have failed, and whether its conditions are still those of the deck's
 * file: user errors if not; failures of a shard are not judged.  Collective. */
PetscErrorCode ScoriaGeneratedCheck(ScoriaRun run, ScoriaDeck deck, const char *path);
/* Too many failed solves fail the command, also when it finds them in a file that is complete: what follows it in a run
 * or a pipeline must not start on them.  Local. */
PetscErrorCode ScoriaFailedCheck(ScoriaDeck deck, const char *path, int64_t failed, int64_t rows);

#endif

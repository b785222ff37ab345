/* Private to the commands: the table, and what several of them share. */
#ifndef SCORIA_CMD_H
#define SCORIA_CMD_H

#include "scoria/physics.h"
#include "scoria/score.h"
#include "scoria/stats.h"
#include <cJSON.h>

/* One command: with a deck and a run directory, or (`info`) with a file. */
typedef struct {
  const char *name, *help;
  PetscErrorCode (*with_deck)(ScoriaRun run, ScoriaDeck deck);
  PetscErrorCode (*with_file)(MPI_Comm comm, const char *path);
} ScoriaCommand;

extern const ScoriaCommand scoria_commands[];    /* ends with a NULL name */
const ScoriaCommand *cmd_find(const char *name); /* NULL: none */
/* A command with a deck, and the manifest of what it has made.  Collective. */
PetscErrorCode CmdDo(ScoriaRun run, ScoriaDeck deck, const char *name);
const ScoriaKey *const *cmd_tables(void);     /* every room's and every problem's deck keys; ends with NULL */
extern const ScoriaKey scoria_command_keys[]; /* solve_*, compare_*, uq_*, sensors_*, infer_*, likelihood_*, refine_* */
extern const ScoriaKey scoria_import_keys[];

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
PetscErrorCode CommandReport(ScoriaRun run, ScoriaDeck deck);
PetscErrorCode CommandRun(ScoriaRun run, ScoriaDeck deck);

/* Deck sections that decide the bytes of a dataset, a model: NULL-terminated, for ScoriaDeckDifference. */
extern const char *const cmd_dataset_sections[];
extern const char *const cmd_model_sections[];
extern const char *const cmd_law_sections[]; /* what a model must share with the deck that uses it */

/* Whether `path` is there already, made by the same deck as far as `sections` go: then `complete`.  Made by another
 * deck is a user error: nothing is overwritten.  `stored` is the deck in that file.  Collective. */
PetscErrorCode CmdCheckComplete(ScoriaDeck deck, const char *path, const char *stored, const char *const sections[]);
/* A finished dataset of this deck at run_dir/name, or complete = false.  Collective. */
PetscErrorCode CmdDatasetComplete(ScoriaRun run, ScoriaDeck deck, const char *name, const char *const sections[],
                                  bool *complete);
PetscErrorCode CmdStoreComplete(ScoriaRun run, ScoriaDeck deck, const char *name, const char *kind,
                                const char *const sections[], bool *complete);

/* Whether the deck's data are imported (import_file): then there are no equations behind them.  Local. */
PetscErrorCode CmdImported(ScoriaDeck deck, bool *imported);
/* Refuses a command that needs the equations where there are none; `instead` says what can be done.  Local. */
PetscErrorCode CmdNeedEquations(ScoriaDeck deck, const char *command, const char *instead);
/* The next entry name=value of a deck's list of words, from *list on; false at its end.  What is not such an entry is a
 * user error that names the key.  Local. */
PetscErrorCode CmdNextPair(const char *key, const char **list, size_t size, char name[SCORIA_NAME_SIZE], char value[],
                           bool *found);
PetscErrorCode CmdNumber(const char *key, const char *name, const char *text, double *value); /* a finite one */

/* A dataset on its way: open for writing, with what an interrupted run of the same deck has left in it. */
typedef struct {
  ScoriaDataset ds;      /* owned */
  ScoriaIntervals there; /* owned: the rows that were there at the start, or are copied since */
} CmdDataset;

/* Creates or continues `path`; a part file that another deck began is a user error, as far as `sections` go.  Where it
 * `extends` a finished dataset of that name, it will take its place.  visit sees the rows that are there, as in
 * ScoriaDatasetSurvey.  Collective. */
PetscErrorCode CmdDatasetBegin(ScoriaRun run, ScoriaDeck deck, const char *path, bool extends,
                               const ScoriaDatasetSpec *spec, const double x[], const ScoriaProvenance *from,
                               const char *const sections[],
                               void (*visit)(void *ctx, int64_t first, const ScoriaRows *rows), void *ctx,
                               CmdDataset *out);
/* How many of rows [first, first + number) are there. */
int64_t cmd_dataset_has(const CmdDataset *out, int64_t first, int64_t number);
/* The next run of rows that are not there, at most so many: from *first on, before row `end`; number is 0 where there
 * is none. */
void cmd_dataset_next(const CmdDataset *out, int64_t end, int64_t most, int64_t *first, int64_t *number);
/* Verifies and publishes it; or leaves the part file to the next start and fails with exit code 75.  Collective. */
PetscErrorCode CmdDatasetFinish(CmdDataset *out);
PetscErrorCode CmdDatasetStop(ScoriaRun run, CmdDataset *out, int64_t rows);

/* Puts theta (space.n) of a row. */
typedef PetscErrorCode (*CmdThetaOfRow)(void *ctx, int64_t row, double theta[]);

/* Whole fields of the rows that the deck chooses (ensemble_full_rows, or the first ensemble_full_fields) of `rows`,
 * computed again by the first group, into run_dir/name unless that is there: /fields/<name> (chosen, nz, ny, nx); in
 * two and three dimensions with an .xdmf file beside it.  Of the porosity that a row numbers, or of the profile
 * eps[row] (rows, nx) where eps is given.  Collective. */
PetscErrorCode CmdCheckFields(ScoriaDeck deck, int64_t rows); /* whether there are such rows: a user error if not */
PetscErrorCode CmdWriteFields(ScoriaRun run, ScoriaDeck deck, ScoriaEnsemble ens, int64_t rows, CmdThetaOfRow theta,
                              void *ctx, const double eps[], const char *name);

/* model.h5 of the run directory, refused when it was trained for another law than the deck's.  Collective. */
PetscErrorCode CmdLoadModel(ScoriaRun run, ScoriaDeck deck, ScoriaModel *model);
/* The deterministic twin of the deck's physics; destroy `ens` when done with it.  Imported data have none, and ens is
 * NULL; their references are the deck's.  Local. */
PetscErrorCode CmdTwinCreate(ScoriaDeck deck, ScoriaEnsemble *ens, ScoriaTwin *twin);

/* theta from sample_<condition>, or from sample_at where no key is declared for that name; the middle of the training
 * range where that is not given.  asked: whether any is. */
PetscErrorCode CmdSampleTheta(ScoriaDeck deck, const ScoriaSpace *space, double theta[], bool *asked);
/* A value of the section ("sample", "uq") for a condition that space does not have is a user error: it would change
 * nothing.  Collective. */
PetscErrorCode CmdRefuseUnused(ScoriaDeck deck, const ScoriaSpace *space, const char *section);
/* The next word of a list of a deck, "U0,ell", cut to its size; false at the end. */
bool cmd_next_word(const char **list, size_t size, char word[]);
/* root as text in a file, through ScoriaWriteText; root is destroyed.  Collective. */
PetscErrorCode CmdWriteJson(MPI_Comm comm, const char *path, cJSON *root);
/* The sampler that the deck asks for; says so where its products are bfloat16.  Collective. */
PetscErrorCode CmdSampler(ScoriaRun run, ScoriaDeck deck, ScoriaSamplerOptions *opt);
/* Whether a value lies in the range of a condition, up to rounding. */
bool cmd_inside(const ScoriaCondition *c, double value);
/* Whether theta lies in the ranges that the model was trained on: outside, a warning, and a user error under -strict,
 * far outside, or where the model knows one value only.  `command` is named.  Collective. */
PetscErrorCode CmdCheckRange(ScoriaRun run, ScoriaDeck deck, const char *command, const ScoriaSpace *space,
                             const double theta[]);

/* The quantities of interest of the deck's problem, CMD_QUANTITIES at most, for fields (channels, cells) at x: smallest
 * and largest value of the first channel, then what the problem names.  condition: whose value is the quantity's
 * offset, -1: none. */
#define CMD_QUANTITIES (2 + SCORIA_MAX_QUANTITIES)
PetscErrorCode CmdQuantities(ScoriaDeck deck, int channels, const ScoriaField field[], int cells, const double x[],
                             int *n, ScoriaQuantity quantity[], int condition[]);

/* FILE.h5 -> FILE.json, the summary beside it. */
PetscErrorCode CmdJsonPath(const char *store, size_t size, char json[]);

/* Provenance of a file written by this run.  group_size: full_size of the groups that solved, 1 where none did.  Local.
 */
PetscErrorCode CmdProvenance(ScoriaRun run, ScoriaDeck deck, const char *kind, int group_size, ScoriaProvenance *from);

/* A line where ranks are left over, which get no work, or where fewer share a solve than were asked for.  Collective.
 */
PetscErrorCode CmdWarnOfRest(ScoriaRun run, const ScoriaGroups *groups);
/* A line for each of the keys known to need another that the deck sets without it.  Collective. */
PetscErrorCode CmdWarnOfIdle(ScoriaRun run, ScoriaDeck deck);

#endif

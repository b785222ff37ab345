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
/* Members of an entry of import_fields, and of import_conditions; NULL at the end, the first is what the short form
 * gives. */
extern const char *const scoria_field_members[], *const scoria_condition_members[];
/* Keys sample_<name> and uq_<name> of the conditions that a deck imports, for ScoriaDeckCreateWith: empty before, and
 * where a key of such a name is there already, that stays what it is. */
extern ScoriaKey scoria_imported_keys[];
extern const ScoriaDeckMore scoria_imported_more;
/* import_reference of the channels of a model, in the order of the fields; those not named are left.  Local. */
PetscErrorCode ScoriaImportedReferences(ScoriaDeck deck, double reference[SCORIA_MAX_FIELDS]);
/* Member bounds of import_fields likewise: an interval that a field stays in, infinite on one side or on none. */
PetscErrorCode ScoriaImportedBounds(ScoriaDeck deck, bool bounded[SCORIA_MAX_FIELDS],
                                    double bounds[SCORIA_MAX_FIELDS][2]);

/* ---------------------------------------------------------------------------------------------------- conditions ----
 */

/* "section_name" in key, and whether that is the key of a condition's values (SCORIA_KEY_REAL for sample, _REALS for
 * uq) and not of something else. */
bool condition_key(ScoriaDeck deck, const char *section, const char *name, char key[2 * SCORIA_NAME_SIZE]);
/* The names of all conditions, "a, b". */
void condition_names(const ScoriaSpace *space, size_t size, char names[]);
/* theta from sample_<condition> or sample_at; the middle of the training range where neither is given.  asked: whether
 * any is. */
PetscErrorCode ScoriaConditionOfSamples(ScoriaDeck deck, const ScoriaSpace *space, double theta[], bool *asked);
/* A value of the section ("sample", "uq") for a condition that space does not have is a user error: it would change
 * nothing.  Collective. */
PetscErrorCode ScoriaConditionRefuseUnused(ScoriaDeck deck, const ScoriaSpace *space, const char *section);
/* Whether theta lies in the ranges that the model was trained on: outside, a warning, and a user error under -strict,
 * far outside, or where the model knows one value only.  `command` is named.  Collective. */
PetscErrorCode ScoriaConditionCheckRange(ScoriaRun run, ScoriaDeck deck, const char *command, const ScoriaSpace *space,
                                         const double theta[]);

/* Whether n conditions theta (n, space->n) that lie in these ranges are also where the training conditions do, which
 * may fill a part of the box alone: of those that are not, a warning, and a user error under -strict.  Collective. */
PetscErrorCode ScoriaConditionsCheckReach(ScoriaRun run, ScoriaDeck deck, const char *command, const ScoriaSpace *space,
                                          const ScoriaReach *reach, int64_t n, const double theta[]);

/* ----------------------------------------------------------------------------------------------------- the model ----
 */

/* Whether a file, `path`, was made from what stands in the run directory now: `made` tells the model and the dataset
 * that it was made from.  A stranger is a user error that names both; a dataset that has grown since, of which it knows
 * the beginning, is none, nor is what is not there, or does not tell (as files of earlier versions).  Collective. */
PetscErrorCode ScoriaChainCheck(ScoriaRun run, const char *path, const ScoriaMadeFrom *made);
/* The same of run_dir/name, a store of this kind, or a dataset where kind is NULL; one that is not there, or cannot be
 * read, is passed over.  Collective. */
PetscErrorCode ScoriaChainCheckResult(ScoriaRun run, const char *name, const char *kind);
/* Identity of the model in the run directory; "" where there is none, or it cannot be read, which is said.  Collective.
 */
PetscErrorCode ScoriaChainModel(ScoriaRun run, char here[SCORIA_IDENTITY_SIZE]);
/* The same of a file that the deck names, `file`: a dataset, or one that is compared byte by byte.  Collective. */
PetscErrorCode ScoriaChainCheckFile(ScoriaRun run, const char *path, const ScoriaMadeFrom *made, const char *file);
/* The same of the deck's library of porosities; one that is not there now is not asked for.  Collective. */
PetscErrorCode ScoriaChainCheckLibrary(ScoriaRun run, ScoriaDeck deck, const char *path, const ScoriaMadeFrom *made);
/* The same of run_dir/dataset.h5, where it is there.  Collective. */
PetscErrorCode ScoriaChainCheckDatasetLibrary(ScoriaRun run, ScoriaDeck deck);
/* The deck with what a file of the run directory, model.h5 or a dataset, says of itself: SCORIA_SAID_BY_MODEL, ...; a
 * copy of the deck where the file is not there or is not read.  Collective. */
PetscErrorCode ScoriaDeckOfFile(ScoriaRun run, ScoriaDeck deck, const char *name, unsigned said, ScoriaDeck *own);

/* The deterministic twin of the deck's physics; destroy `ens` when done with it.  Imported data have none, and ens is
 * NULL; their references are the deck's.  Local. */
PetscErrorCode ScoriaTwinCreate(ScoriaDeck deck, ScoriaEnsemble *ens, ScoriaTwin *twin);

/* model.h5 of a run directory, with what it needs to be drawn from. */
typedef struct {
  ScoriaModel model;  /* owned */
  ScoriaEnsemble ens; /* owned: of the twin; NULL for imported data */
  ScoriaTwin twin;
  ScoriaSamplerOptions sampler;
} ScoriaTrained;

/* Refused when the model was trained for another law than the deck's.  Says so where the sampler's products are
 * bfloat16.  Collective. */
PetscErrorCode ScoriaTrainedOpen(ScoriaRun run, ScoriaDeck deck, ScoriaTrained *trained);
PetscErrorCode ScoriaTrainedClose(ScoriaTrained *trained);

/* --------------------------------------------------------------------------------------------- realisation numbers
 * ---- */

/* Who draws: a draw is keyed by its number, and no two of these share one, so that no field of a check has the porosity
 * or the noise of a training row, of a sample, or of another check. */
typedef enum {
  SCORIA_DRAWS_ROWS,             /* row of a dataset or of a file of samples */
  SCORIA_DRAWS_SOBOL_CONDITIONS, /* uq: pair of conditions of the Sobol indices */
  SCORIA_DRAWS_UQ, /* uq: sample at a condition; its pilot is the first of them; in parts: those of several fidelities,
                      by the bits of those that solve them, 0 being their pilot, the middle one those that place outer
                      quantiles, and of the check of a model, the last */
  SCORIA_DRAWS_SOBOL,         /* uq: fields of the Sobol indices */
  SCORIA_DRAWS_HELDOUT,       /* compare: the PDE at held-out conditions */
  SCORIA_DRAWS_COMPARED,      /* compare: the model there */
  SCORIA_DRAWS_HELDOUT_AGAIN, /* compare: a second PDE ensemble there */
  SCORIA_DRAWS_GAUSSIAN,      /* compare: the conditional Gaussian there */
  SCORIA_NDRAWS
} ScoriaDraws;

/* Of SCORIA_DRAWS_ROWS: rows of a dataset have numbers below it; behind are those of a cheaper fidelity that it lacks.
 */
#define SCORIA_DRAWS_ROWS_END ((int64_t)1 << 60)
#define SCORIA_DRAWS_PER_CONDITION ((int64_t)1 << 40)
#define SCORIA_DRAWS_CONDITIONS ((int64_t)1 << 21) /* fewer of them */

/* The number of realisation i of condition `condition` (0 where numbers simply run on). */
uint64_t draw_number(ScoriaDraws of, int64_t condition, int64_t i);
/* The number of realisation i of part `part` of the draws of a condition, for who draws several independent sets there:
 * behind those that simply run on. */
#define SCORIA_DRAWS_PARTS 128
uint64_t draw_part(ScoriaDraws of, int64_t condition, int part, int64_t i);

/* ------------------------------------------------------------------------------------------------ sources of fields
 * ---- */

/* What draws fields (n, channels, cells) at a condition: a row of the kinds below. */
typedef struct ScoriaSource_ *ScoriaSource;

/* All borrowed from the source. */
typedef struct {
  int channels, cells;
  int shape[3];             /* cells along x, y, z, as of a dataset */
  const ScoriaField *field; /* (channels) */
  const double *x;          /* (spec_centres) */
  const ScoriaSpace *space;
  const ScoriaReach *reach; /* of the model behind them; NULL without one */
  const char *model;        /* its identity; NULL without one */
  const char *library;      /* that of the porosities of solves; NULL without one */
  bool float64;             /* draws are to be stored in double precision */
} ScoriaFieldShape;
/* A user error where the source is of whole fields, which `command` does not know. */
PetscErrorCode ScoriaExpectProfiles(const ScoriaFieldShape *shape, const char *command);

/* Of a file that a command is about to make from the model of a source (NULL shape->model: from none).  Local. */
PetscErrorCode ScoriaMadeFromShape(const ScoriaFieldShape *shape, ScoriaMadeFrom *made);

/* Those who share work: rank groups for the PDE, else ranks. */
typedef struct {
  MPI_Comm comm;       /* borrowed */
  int worker, workers; /* which of how many this rank is, or works for; worker is workers where it is left over */
} ScoriaTeam;

typedef struct {
  ScoriaTeam all, own; /* of the whole job; this worker alone */
  bool leads;          /* what this rank draws counts: for the PDE, the first of a group */
} ScoriaWorkers;

/* A kind of source.  draw: realisations [first, first + n) at theta; a failed one has values that are not finite. Which
 * ranks call it together, the kind says. */
typedef struct {
  const char *name;
  PetscErrorCode (*draw)(void *ctx, const double theta[], uint64_t first, int64_t n, double fields[]);
  PetscErrorCode (*destroy)(void *ctx);
  bool singly;                          /* draws of one realisation cost no more than their share of a draw of many */
  const ScoriaRows *(*rows)(void *ctx); /* the last ones; NULL: it has none */
  /* Fields of latents (n, latents), of which independent normals give draws; as ScoriaModelTransport.  NULL: none. */
  PetscErrorCode (*transport)(void *ctx, int64_t first, int64_t n, bool each, const double theta[],
                              const double latent[], double fields[]);
  PetscErrorCode (*latents)(void *ctx, int *number);
  /* Log densities of fields; as ScoriaModelLogDensity.  NULL: none. */
  PetscErrorCode (*density)(void *ctx, const ScoriaLikelihoodOptions *opt, int64_t first, int64_t n,
                            const uint64_t id[], const double theta[], const double fields[],
                            const ScoriaLogDensity *out);
  /* As model_scores_each, ScoriaModelScores and model_values.  NULL: there are none. */
  int (*scores_each)(void *ctx);
  PetscErrorCode (*scores)(void *ctx, const double theta[], int n, const int cell[], double mean[], double weight[]);
  void (*values)(void *ctx, int n, const int cell[], const double score[], double value[]);
} ScoriaSourceKind;

/* Of any kind; kind is borrowed, ctx becomes the source's own. */
PetscErrorCode ScoriaSourceCreate(const ScoriaSourceKind *kind, void *ctx, const ScoriaFieldShape *shape,
                                  const ScoriaWorkers *workers, ScoriaSource *source);
PetscErrorCode ScoriaSourceDestroy(ScoriaSource *source);
/* Fresh solves: fields of state of an ensemble, which is borrowed.  A draw is collective on the rank's group. */
PetscErrorCode ScoriaSourceOfPde(ScoriaEnsemble ens, ScoriaSource *source);
/* The model, or its conditional Gaussian, which may be what the model draws (model_is_gaussian); trained is borrowed. A
 * draw is local. */
PetscErrorCode ScoriaSourceOfModel(MPI_Comm comm, const ScoriaTrained *trained, bool gaussian, ScoriaSource *source);
/* Rows of a file: ds is borrowed; channel c is its field field[c]; first is a row, at whatever condition that is, and
 * theta is not looked at.  `most`: rows of a draw, at most.  A draw is collective on comm, n may be 0. */
PetscErrorCode ScoriaSourceOfFile(MPI_Comm comm, ScoriaDataset ds, int channels, const int field[], int64_t most,
                                  ScoriaSource *source);

/* Rows of a file that were held back from training, of condition index[k] of these, by numbers of draw_number(.., k,
 * i): the i-th of part `part` of `parts` (every parts-th row from the part-th on, so that the parts are as like as can
 * be). ds, holdout and index are borrowed, What the file lacks, or has marked as failed, is NaN. A draw is local. */
PetscErrorCode ScoriaSourceOfHeldOut(MPI_Comm comm, ScoriaDataset ds, const ScoriaHoldout *holdout,
                                     const int64_t index[], int channels, const int field[], int part, int parts,
                                     ScoriaSource *source);

const ScoriaFieldShape *source_shape(ScoriaSource source);
const ScoriaWorkers *source_workers(ScoriaSource source);
const char *source_name(ScoriaSource source);
bool source_draws_singly(ScoriaSource source);
/* While its fields are gathered, the bar (borrowed; NULL: none, as at first) goes from `from` to `from + span`. */
void source_show(ScoriaSource source, ScoriaProgress bar, double from, double span);
double source_seconds(ScoriaSource source);         /* this rank's, of all draws so far */
const ScoriaRows *source_rows(ScoriaSource source); /* the last rows of a file, with their conditions; else NULL */

/* Realisations [first, first + n) at theta into fields (n, channels, cells); the same bits whoever draws them, in
 * however many draws. */
PetscErrorCode ScoriaSourceDraw(ScoriaSource source, const double theta[], uint64_t first, int64_t n, double fields[]);
/* Fields (n, channels, cells) of latents (n, latents), for a source that has them; theta and first as in
 * ScoriaModelTransport.  Local. */
PetscErrorCode ScoriaSourceLatents(ScoriaSource source, int *number);
PetscErrorCode ScoriaSourceTransport(ScoriaSource source, int64_t first, int64_t n, bool each, const double theta[],
                                     const double latent[], double fields[]);
/* Log densities of n rows of fields at theta (n, conditions), for a source that has them; as ScoriaModelLogDensity.
 * Local. */
PetscErrorCode ScoriaSourceDensity(ScoriaSource source, const ScoriaLikelihoodOptions *opt, int64_t first, int64_t n,
                                   const uint64_t id[], const double theta[], const double fields[],
                                   const ScoriaLogDensity *out);
/* Values as functions of normal scores that are linear in the latents, for a source that has them; as
 * ScoriaModelScores.  Local. */
int source_scores_each(ScoriaSource source); /* 0: it has no scores */
PetscErrorCode ScoriaSourceScores(ScoriaSource source, const double theta[], int n, const int cell[], double mean[],
                                  double weight[]);
void source_values(ScoriaSource source, int n, const int cell[], const double score[], double value[]);
/* The same as Draw for k conditions, by all workers in shares: realisations [first[j], first[j] + n) at theta[j], in
 * the order of their numbers, into fields (n, channels, cells) on rank owner + j.  k: no more than there are workers.
 * share: room for this rank's, k times a worker's part of n, rounded up.  All meet between two rounds of
 * `pace`, where a stop that is asked for fails as ScoriaPaceMeet does; kept says what is kept then; and twice for the
 * exchange, whatever k is.  Not of files.  Collective on the comm of all. */
PetscErrorCode ScoriaSourceGather(ScoriaSource source, ScoriaPace *pace, const char *kept, int k,
                                  const double theta[][SCORIA_MAX_CONDITIONS], const uint64_t first[], int64_t n,
                                  int owner, double share[], double fields[]);

/* ---------------------------------------------------------------------------------------- quantities of interest ----
 */

/* The quantities of interest of the deck's problem, SCORIA_MAX_DECK_QUANTITIES at most, for fields (channels, cells) at
 * x: smallest and largest value of the first channel that is more than one value, then what the problem names.
 * condition: whose value is the quantity's offset, -1: none. */
#define SCORIA_MAX_DECK_QUANTITIES (2 + SCORIA_MAX_QUANTITIES)
PetscErrorCode ScoriaQuantitiesOfDeck(ScoriaDeck deck, int channels, const ScoriaField field[], int cells,
                                      const double x[], int *n, ScoriaQuantity quantity[], int condition[]);
int quantities_first(int channels, const ScoriaField field[]); /* that channel; channels: there is none */
/* Its first two, of any channel: min_<field> and max_<field>. */
void quantities_of_extremes(const ScoriaField *field, int channel, ScoriaQuantity quantity[2]);

#endif

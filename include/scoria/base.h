/* scoria/base.h - the room below all others: failures, the deck, random numbers, rank groups, the run directory,
 * progress, and the log.  Depends on MPI and PETSc's system layer only.
 *
 * Conventions of every header of this project
 *   - A CamelCase function returns PetscErrorCode and is called with PetscCall; a snake_case function cannot fail
 *     (no allocation, no MPI, no input or output).
 *   - Shapes are row-major and written (n, C, L); units are SI, in brackets.
 *   - "collective" means every rank of the named communicator calls; otherwise a function is local.
 *   - Members are tagged owned or borrowed.  Outputs come last. */
#ifndef SCORIA_BASE_H
#define SCORIA_BASE_H

#include <petscsys.h>
#include <stdbool.h>
#include <stdint.h>
#include "scoria_problems.h" /* made by CMake from src/physics/models/ */

/* ------------------------------------------------------------------------------------------------- version ---- */

const char *scoria_version(void);    /* of the release, as CMakeLists.txt says it */
const char *scoria_revision(void);   /* of the sources, as git has it; "unknown" without git */
const char *scoria_build_type(void); /* CMake's */

/* ------------------------------------------------------------------------------------------------ failures ---- */

/* What the process returns to the shell: documented in the README, relied upon by batch scripts. */
typedef enum {
  SCORIA_EXIT_OK         = 0,
  SCORIA_EXIT_INTERNAL   = 1,  /* a defect of the program */
  SCORIA_EXIT_USAGE      = 2,  /* unknown command, no deck */
  SCORIA_EXIT_INPUT      = 3,  /* a deck or a file that cannot be used */
  SCORIA_EXIT_IO         = 4,  /* a file that cannot be written */
  SCORIA_EXIT_SOLVES     = 5,  /* more solves failed than the deck allows */
  SCORIA_EXIT_DIFFERENT  = 6,  /* two files differ by more than the deck allows */
  SCORIA_EXIT_CHECKPOINT = 75, /* stopped in good order: run the same command again */
} ScoriaExit;

/* A user's error, found by every rank of the job alike (same arguments everywhere): records one line and the exit code
 * and returns a PetscErrorCode that unwinds without a stack trace.  Use as `return ScoriaFail(SCORIA_EXIT_INPUT,
 * "...")`; inside a function with PetscFunctionBegin use SCORIA_FAIL.  Rank 0 prints the line; the job ends with the
 * code. */
PetscErrorCode ScoriaFail(ScoriaExit code, const char *format, ...) PETSC_ATTRIBUTE_FORMAT(2, 3);
#define SCORIA_FAIL(...) PetscFunctionReturn(ScoriaFail(__VA_ARGS__))

/* The same, for what may go wrong on some ranks only.  Collective on comm: each rank passes its own code
 * (SCORIA_EXIT_OK where all is well) and line (may be NULL where all is well); when any rank fails, every rank fails
 * with the line of the lowest failing rank.  Call it right after a step that one rank may fail (a read, a write). */
PetscErrorCode ScoriaAgree(MPI_Comm comm, ScoriaExit code, const char *line);

/* The same for the error code of a function that each rank called on its own, or only some did (0 elsewhere), before
 * all meet again: `failed = Own(...); PetscCall(ScoriaAgreeFailed(comm, failed))`.  A defect returns at once, as it
 * ends the job.  Collective on comm. */
PetscErrorCode ScoriaAgreeFailed(MPI_Comm comm, PetscErrorCode failed);

/* What was recorded: SCORIA_EXIT_OK and "" when nothing failed.  For main and for the tests. */
ScoriaExit ScoriaFailureCode(void);
const char *ScoriaFailureLine(void);
void ScoriaFailureReset(void);

/* PETSc error handler that stays silent for recorded user errors and gives PETSc's trace for defects. */
PetscErrorCode ScoriaErrorHandler(MPI_Comm comm, int line, const char *func, const char *file, PetscErrorCode n,
                                  PetscErrorType p, const char *mess, void *ctx);

/* ---------------------------------------------------------------------------------------------------- deck ---- */

typedef enum {
  SCORIA_KEY_INT,     /* one integer */
  SCORIA_KEY_REAL,    /* one real */
  SCORIA_KEY_BOOL,    /* true or false */
  SCORIA_KEY_STRING,  /* any text */
  SCORIA_KEY_CHOICE,  /* one of a list of words */
  SCORIA_KEY_INTS,    /* a list of integers */
  SCORIA_KEY_REALS,   /* a list of reals */
  SCORIA_KEY_RANGE,   /* [lo, hi], lo < hi */
  SCORIA_KEY_WORDS,   /* a list of words: [a, b] */
  SCORIA_KEY_ENTRIES, /* a list [a=text, b=text], or a mapping {a: {member: value}, b: text} */
  SCORIA_KEY_ENTRY,   /* a text, or a mapping {member: value} */
} ScoriaKeyType;

#define SCORIA_NAME_SIZE 64 /* of names in decks and files, with the closing 0 */

/* What a key decides, from which follows what a changed deck makes stale: every key says one of these. */
typedef enum {
  SCORIA_DECIDES_NOTHING    = 1 << 0,  /* where, when and how fast, what is kept besides, what is refused */
  SCORIA_DECIDES_SEED       = 1 << 1,  /* every random number */
  SCORIA_DECIDES_LAW        = 1 << 2,  /* the law of the fields at every condition, and which conditions there are */
  SCORIA_DECIDES_IMPORT     = 1 << 3,  /* the same of data that are imported */
  SCORIA_DECIDES_SIZE       = 1 << 4,  /* how many conditions: a dataset can grow */
  SCORIA_DECIDES_ROWS       = 1 << 5,  /* the rest of a dataset */
  SCORIA_DECIDES_PRECISION  = 1 << 6,  /* bytes of a value */
  SCORIA_DECIDES_SPLIT      = 1 << 7,  /* which of its conditions are trained on */
  SCORIA_DECIDES_NORMALISER = 1 << 8,  /* what is fitted before the network is trained */
  SCORIA_DECIDES_WEIGHTS    = 1 << 9,  /* the network's */
  SCORIA_DECIDES_STEPS      = 1 << 10, /* how long it is trained: a training can be lengthened */
  SCORIA_DECIDES_DRAWS      = 1 << 11, /* the model's draws, and the condition they are at */
  SCORIA_DECIDES_SAMPLES    = 1 << 12, /* how many of them are written where */
  SCORIA_DECIDES_LIKELIHOOD = 1 << 13,
  SCORIA_DECIDES_COMPARE    = 1 << 14,
  SCORIA_DECIDES_UQ         = 1 << 15,
  SCORIA_DECIDES_INFER      = 1 << 16,
  SCORIA_DECIDES_REFINE     = 1 << 17,
  SCORIA_DECIDES_REPEATS    = 1 << 18, /* how many rows a condition has */
} ScoriaDecides;

/* The results, by all that decides them: for ScoriaDeckDifference, and for what accepts or refuses a file that is
 * there. Results stand on each other: what decides the dataset decides the model. */
enum {
  SCORIA_OF_LAW      = SCORIA_DECIDES_LAW | SCORIA_DECIDES_IMPORT, /* what datasets and models of one problem share */
  SCORIA_OF_IMPORTED = SCORIA_DECIDES_IMPORT | SCORIA_DECIDES_PRECISION,
  SCORIA_OF_GROWING =
      SCORIA_OF_LAW | SCORIA_DECIDES_SEED | SCORIA_DECIDES_REPEATS | SCORIA_DECIDES_ROWS | SCORIA_DECIDES_PRECISION,
  SCORIA_OF_DATASET    = SCORIA_OF_GROWING | SCORIA_DECIDES_SIZE,
  SCORIA_OF_SPLIT      = SCORIA_DECIDES_SEED | SCORIA_DECIDES_SPLIT,
  SCORIA_OF_NORMALISER = SCORIA_OF_DATASET | SCORIA_DECIDES_SPLIT | SCORIA_DECIDES_NORMALISER,
  SCORIA_OF_TRAINING   = SCORIA_OF_NORMALISER | SCORIA_DECIDES_WEIGHTS,
  SCORIA_OF_MODEL      = SCORIA_OF_TRAINING | SCORIA_DECIDES_STEPS,
  SCORIA_OF_LIKELIHOOD = SCORIA_OF_MODEL | SCORIA_DECIDES_LIKELIHOOD,
  SCORIA_OF_COMPARE    = SCORIA_OF_MODEL | SCORIA_DECIDES_DRAWS | SCORIA_DECIDES_COMPARE,
  SCORIA_OF_SAMPLES    = SCORIA_OF_MODEL | SCORIA_DECIDES_DRAWS | SCORIA_DECIDES_SAMPLES,
  SCORIA_OF_UQ         = SCORIA_OF_SAMPLES | SCORIA_DECIDES_UQ,
  SCORIA_OF_POSTERIOR  = SCORIA_OF_SAMPLES | SCORIA_DECIDES_INFER,
  SCORIA_OF_REFINED    = SCORIA_OF_SAMPLES | SCORIA_DECIDES_REFINE,
};

/* What files say of themselves, and a deck at hand need not know: for ScoriaDeckTake. */
enum {
  SCORIA_SAID_BY_DATASET =
      SCORIA_DECIDES_SIZE | SCORIA_DECIDES_REPEATS | SCORIA_DECIDES_ROWS | SCORIA_DECIDES_PRECISION,
  SCORIA_SAID_BY_MODEL = SCORIA_DECIDES_SIZE | SCORIA_DECIDES_REPEATS | SCORIA_DECIDES_SPLIT |
                         SCORIA_DECIDES_NORMALISER | SCORIA_DECIDES_WEIGHTS | SCORIA_DECIDES_STEPS,
  SCORIA_SAID_BY_SAMPLES = SCORIA_SAID_BY_MODEL | SCORIA_DECIDES_DRAWS | SCORIA_DECIDES_SAMPLES,
};

/* One deck key, declared once, in the room that uses it.  `name` is section_key: -porosity_sigma on the command line,
 * porosity: {sigma: ...} in the deck (a section name holds no underscore). */
typedef struct {
  const char *name;
  ScoriaKeyType type;
  const char *unit;    /* "" where it has none */
  const char *value;   /* default as text; NULL: not set unless the user sets it */
  double lo, hi;       /* inclusive bounds of every number given; ignored for texts */
  const char *choices; /* CHOICE: words separated by one space */
  const char *help;    /* one sentence */
  ScoriaDecides decides;
} ScoriaKey;

/* Bound of a key with no bound on that side. */
#define SCORIA_UNBOUNDED 1e300
#define SCORIA_POSITIVE 1e-300

/* Tables end with a key whose name is NULL. */
extern const ScoriaKey scoria_base_keys[];

typedef struct ScoriaDeck_ *ScoriaDeck;

/* The path of the deck that the user names: `name` where it has a slash or is a file here, else the installed deck of
 * that name, which is said on standard output; `name` again where there is neither.  Collective. */
PetscErrorCode ScoriaDeckFind(MPI_Comm comm, const char *name, size_t size, char path[]);
/* Reads the YAML deck `file` (NULL: defaults and command line only) into PETSc's options, below what the command line
 * says, then checks every option against the tables: unknown keys (with the nearest real one), wrong types, values out
 * of range, and duplicate keys are user errors that name file, key, what was found and what is allowed.
 * `tables` is NULL-terminated and borrowed for the life of the deck.  Collective on comm. */
PetscErrorCode ScoriaDeckCreate(MPI_Comm comm, const char *file, const ScoriaKey *const tables[], ScoriaDeck *deck);
PetscErrorCode ScoriaDeckDestroy(ScoriaDeck *deck);

/* The same from a text in memory (a deck stored in a file of ours) instead of a file, the command line left aside. */
PetscErrorCode ScoriaDeckCreateFromText(MPI_Comm comm, const char *text, const ScoriaKey *const tables[],
                                        ScoriaDeck *deck);

/* Values, by full key name.  Asking for a key that no table declares, or with the wrong type, is a defect.
 * For a key without default that the user did not set, the output is left untouched: initialise it, or ask Has. */
bool deck_declares(ScoriaDeck deck, const char *key); /* for names that come with data; local */
const ScoriaKey *const *deck_tables(ScoriaDeck deck); /* all keys that there are */
PetscErrorCode ScoriaDeckHas(ScoriaDeck deck, const char *key, bool *set);
PetscErrorCode ScoriaDeckChanged(ScoriaDeck deck, const char *key, bool *changed); /* set, and not to its default */
PetscErrorCode ScoriaDeckInt(ScoriaDeck deck, const char *key, PetscInt *value);
PetscErrorCode ScoriaDeckReal(ScoriaDeck deck, const char *key, double *value);
PetscErrorCode ScoriaDeckBool(ScoriaDeck deck, const char *key, bool *value);
PetscErrorCode ScoriaDeckString(ScoriaDeck deck, const char *key, const char **value); /* borrowed; a bool's word too */
PetscErrorCode ScoriaDeckChoice(ScoriaDeck deck, const char *key, PetscInt *index);    /* index in `choices` */
PetscErrorCode ScoriaDeckReals(ScoriaDeck deck, const char *key, PetscInt max, PetscInt *n, double values[]);
PetscErrorCode ScoriaDeckInts(ScoriaDeck deck, const char *key, PetscInt max, PetscInt *n, PetscInt values[]);
PetscErrorCode ScoriaDeckRange(ScoriaDeck deck, const char *key, double range[2]);

/* The next word of a list of a deck, "U0,ell", cut to its size; false at the end. */
bool list_next_word(const char **list, size_t size, char word[]);
/* The next entry name=value of such a list, from *list on; found is false at its end.  What is not such an entry is a
 * user error that names the key.  Local. */
PetscErrorCode ScoriaListPair(const char *key, const char **list, size_t size, char name[SCORIA_NAME_SIZE],
                              char value[], bool *found);
PetscErrorCode ScoriaListNumber(const char *key, const char *name, const char *text, double *value); /* a finite one */

/* What a key of type ENTRIES or ENTRY says, in either of its forms; of an ENTRY there is one, named "". */
#define SCORIA_MAX_ENTRIES 16
#define SCORIA_MAX_MEMBERS 16
typedef struct ScoriaEntries_ *ScoriaEntries;
/* members: those that there are, NULL-terminated; the first is what the short form sets.  Others are a user error, as
 * is one that is set twice; a key that is not set has no entries.  Local. */
PetscErrorCode ScoriaDeckEntries(ScoriaDeck deck, const char *key, const char *const members[], ScoriaEntries *entries);
PetscErrorCode ScoriaEntriesDestroy(ScoriaEntries *entries);
int entries_count(ScoriaEntries entries);
const char *entries_name(ScoriaEntries entries, int i);
bool entries_short(ScoriaEntries entries, int i); /* a text alone, as in the short form */
/* As text, a list as "a,b"; NULL where it is not set; borrowed. */
const char *entries_value(ScoriaEntries entries, int i, const char *member);

/* The resolved deck as YAML (every key with a value, defaults included), borrowed from the deck. */
PetscErrorCode ScoriaDeckText(ScoriaDeck deck, const char **yaml);

/* Compares this deck with the resolved deck text stored in a file, over the keys that decide one of `results`, such as
 * SCORIA_OF_MODEL.  `difference` gets "" or the keys that differ with both values, as many as it holds: "porosity_sigma
 * is 1.2 here and 1 there, ...". */
PetscErrorCode ScoriaDeckDifference(ScoriaDeck deck, const char *text, unsigned results, size_t size,
                                    char difference[]);
/* A deck of its own like this one, but with the keys that decide one of `results` as such a text has them (NULL: none):
 * what a file is made of is said by the thing, not by the deck that happens to be at hand. */
PetscErrorCode ScoriaDeckTake(ScoriaDeck deck, const char *text, unsigned results, ScoriaDeck *own);
/* The value of an integer key in such a text; the key's default where it is not in there. */
PetscErrorCode ScoriaDeckStoredInt(ScoriaDeck deck, const char *text, const char *key, PetscInt *value);

/* Every key with type, unit, range, default and sentence, by section, on rank 0's standard output. */
PetscErrorCode ScoriaDeckHelp(MPI_Comm comm, const ScoriaKey *const tables[]);

/* -------------------------------------------------------------------------------------------------- text files ---- */

/* A regular file of at most `most` bytes, whole and closed with a 0 that size does not count; free with PetscFree.
 * Where that is not to be had, *text is NULL and *trouble an errno: EINVAL for what is no regular file, EFBIG for a
 * longer one. */
PetscErrorCode ScoriaTextReadHere(const char *path, size_t most, char **text, size_t *size, int *trouble);
/* The same text for every rank, read by rank 0; what cannot be read, or holds zeros, is a user error that says what was
 * expected, "a YAML deck".  Collective on comm. */
PetscErrorCode ScoriaTextRead(MPI_Comm comm, const char *path, size_t most, const char *expected, char **text);

/* ---------------------------------------------------------------------------------------------- random numbers ---- */

/* Philox4x32-10 (Random123) as a pure function: key = seed, counter = (draw, id low, id high, stream).  A number
 * depends on (seed, stream, id, draw) alone, never on ranks, order or restarts. */
typedef enum {
  SCORIA_STREAM_POROSITY = 1, /* id: realisation */
  SCORIA_STREAM_CONDITION,    /* id: condition (design shift, random design) */
  SCORIA_STREAM_HELDOUT,      /* id: held-out condition */
  SCORIA_STREAM_INIT,         /* id: parameter tensor */
  SCORIA_STREAM_SHUFFLE,      /* id: epoch */
  SCORIA_STREAM_TRAIN_NOISE,  /* id: step * batch + sample index in the global batch */
  SCORIA_STREAM_TRAIN_LEVEL,  /* id: step */
  SCORIA_STREAM_VALIDATION,   /* id: row */
  SCORIA_STREAM_SAMPLE,       /* id: sample; draws: the initial noise, then each stochastic step */
  SCORIA_STREAM_REMAINDER,    /* id: sample; the Gaussian remainder outside the kept modes */
  SCORIA_STREAM_DIRECTION,    /* id: direction of the sliced Wasserstein distance */
  SCORIA_STREAM_PERMUTATION,  /* id: permutation of the energy test */
  SCORIA_STREAM_PROBE,        /* id: row; draws: the probes of its trace */
  SCORIA_STREAM_PARTICLE,     /* id: particle; draws: from the prior, then each move */
  SCORIA_STREAM_RESAMPLE,     /* id: stage of the tempering */
} ScoriaStream;

void rng_block(uint64_t seed, ScoriaStream stream, uint64_t id, uint32_t draw, uint32_t out[4]);
/* n uniforms in (0, 1) of 53 bits, two per block, from draw `first_draw` on (uses ceil(n/2) draws). */
void rng_uniform(uint64_t seed, ScoriaStream stream, uint64_t id, uint32_t first_draw, int n, double out[]);
/* n standard normals (Box-Muller, two per block, double) from draw `first_draw` on (uses ceil(n/2) draws). */
void rng_normal(uint64_t seed, ScoriaStream stream, uint64_t id, uint32_t first_draw, int n, double out[]);
/* n standard normals in single precision, four per block (uses ceil(n/4) draws): for training and sampling noise. */
void rng_normalf(uint64_t seed, ScoriaStream stream, uint64_t id, uint32_t first_draw, int n, float out[]);
/* A permutation of 0..n-1 (Fisher-Yates). */
void rng_permutation(uint64_t seed, ScoriaStream stream, uint64_t id, int64_t n, int64_t out[]);

/* A permutation of 0..n-1 of which every place is computed by itself, so that none has to be kept: place i holds
 * rng_shuffled(shuffle, i). */
typedef struct {
  int64_t n;
  uint64_t columns, rows; /* of the grid on which it is a Feistel network */
  uint64_t key;
} ScoriaShuffle;
void rng_shuffle(uint64_t seed, ScoriaStream stream, uint64_t id, int64_t n, ScoriaShuffle *shuffle); /* n > 0 */
int64_t rng_shuffled(const ScoriaShuffle *shuffle, int64_t i);

/* ------------------------------------------------------------------------------------------------- rank groups ---- */

/* The job's ranks in groups of `size` consecutive ranks; rank 0 of a group is its leader.  Ranks that are left over are
 * a smaller group that gets no work, as the last bits of a solve depend on how many ranks share it, and who solved what
 * must not show. */
typedef struct {
  MPI_Comm comm;              /* borrowed: the whole job */
  MPI_Comm group;             /* owned: this rank's group */
  int rank, size;             /* in comm */
  int group_rank, group_size; /* in this rank's group */
  int index, count;           /* which group this rank is in (count: left over), and how many have work */
  int full_size, asked_size;  /* of the groups with work; what was asked for, perhaps more than there are ranks */
} ScoriaGroups;

PetscErrorCode ScoriaGroupsCreate(MPI_Comm comm, PetscInt group_size, ScoriaGroups *groups);
PetscErrorCode ScoriaGroupsDestroy(ScoriaGroups *groups);
/* Whether this rank is the leader of a group that has work: the one that hands in the group's results. */
bool groups_leads(const ScoriaGroups *groups);

/* Part `index` of `count` nearly equal contiguous parts of n items; nothing where index is count. */
void deal_block(int64_t n, int index, int count, int64_t *first, int64_t *number);

/* Work for groups that draw it as they get free, round by round.  Which group draws what depends on timing: results
 * must not depend on it. */
typedef struct ScoriaDealer_ *ScoriaDealer;

/* `groups` is borrowed.  Collective on groups->comm. */
PetscErrorCode ScoriaDealerCreate(const ScoriaGroups *groups, ScoriaDealer *dealer);
PetscErrorCode ScoriaDealerDestroy(ScoriaDealer *dealer);
/* Starts a round over the items [first, first + number), dealt in their order, in chunks of at most `largest` items
 * that get smaller towards the end, down to `smallest`.  Same arguments on every rank.  Collective on groups->comm. */
PetscErrorCode ScoriaDealerOpen(ScoriaDealer dealer, int64_t first, int64_t number, int64_t smallest, int64_t largest);
/* The next chunk, items [start, start + count), for this rank's group; count is 0 at the end.  cut, on the leader of
 * the group (ignored elsewhere), draws nothing and ends the round for every group: what is dealt already is to be done,
 * nothing more is dealt.  Collective on groups->group. */
PetscErrorCode ScoriaDealerDraw(ScoriaDealer dealer, bool cut, int64_t *start, int64_t *count);
/* Ends a round from which every group has drawn a count of 0: items [first, first + drawn) were dealt, each once. Waits
 * for the last group.  Collective on groups->comm. */
PetscErrorCode ScoriaDealerClose(ScoriaDealer dealer, int64_t *drawn);

/* How many items the next chunk has, of `remaining` ones for `count` groups: half a group's share, at least `smallest`
 * and at most `largest`, which gives way; never more than remain. */
int64_t deal_chunk(int64_t remaining, int count, int64_t smallest, int64_t largest);
/* Share of the time that the counter may be busy: at a tenth a draw hardly ever waits for another (by M/D/1, .06 of
 * its own time). */
#define DEAL_LOAD 0.1
/* Items of a chunk, 1 to `most`, at which draws of `draw` seconds by `count` groups, of items of `item` seconds, keep
 * the counter busy for that share: below, groups would begin to wait for one another's draws. */
int64_t deal_smallest(int count, double draw, double item, int64_t most);
/* Seconds that a draw keeps the counter busy, as measured at the start; the same on every rank, 0 with one group. */
double dealer_draw_seconds(ScoriaDealer dealer);

/* ---------------------------------------------------------------------------------------- many items at once ---- */

/* MPI_Bcast and MPI_Allreduce in place of n items, however many.  Collective on comm. */
PetscErrorCode ScoriaBroadcastMany(MPI_Comm comm, int root, int64_t n, MPI_Datatype type, void *data);
PetscErrorCode ScoriaReduceMany(MPI_Comm comm, MPI_Op op, int64_t n, MPI_Datatype type, void *data);
extern int64_t many_most; /* items of one call of MPI, at most; the tests make it small */

/* -------------------------------------------------------------------------------------------- sets of rows ---- */

/* A set of row numbers as intervals [first, end), sorted, disjoint, none touching the next.  Start from {0}. */
typedef struct {
  int64_t first, end;
} ScoriaInterval;
typedef struct {
  int64_t n, room;
  ScoriaInterval *at; /* owned */
} ScoriaIntervals;

/* Adds [first, end), which may overlap what is there; nothing where it is empty. */
PetscErrorCode ScoriaIntervalsAdd(ScoriaIntervals *set, int64_t first, int64_t end);
/* Every rank gets the union of all ranks' sets.  Collective on comm. */
PetscErrorCode ScoriaIntervalsShare(MPI_Comm comm, ScoriaIntervals *set);
PetscErrorCode ScoriaIntervalsDestroy(ScoriaIntervals *set);
/* How many rows of [first, end) are in the set. */
int64_t intervals_count(const ScoriaIntervals *set, int64_t first, int64_t end);
/* The first run of rows of [*first, *end) that are not in the set, in their place; *first == *end where there is none.
 */
void intervals_gap(const ScoriaIntervals *set, int64_t *first, int64_t *end);

/* ----------------------------------------------------------------------------------------------- run directory ---- */

typedef struct ScoriaRun_ *ScoriaRun;

/* Makes run_dir (parents too), takes its lock (a second job in the same directory is a user error, at once or after
 * run_wait_minutes), writes the resolved deck as deck.yaml there, opens log.jsonl for appending.  Collective on comm.
 */
PetscErrorCode ScoriaRunCreate(MPI_Comm comm, ScoriaDeck deck, const char *command, ScoriaRun *run);
PetscErrorCode ScoriaRunDestroy(ScoriaRun *run);
/* run_shard: part shard[0], from 1, of shard[1]; 1 of 1 where it is not set.  The run of a shard has a run directory of
 * its own, of this form below run_dir. */
PetscErrorCode ScoriaDeckShard(ScoriaDeck deck, PetscInt shard[2]);
#define SCORIA_SHARD_DIRECTORY "%s/shard-%d-of-%d"
PetscErrorCode ScoriaRunPath(ScoriaRun run, const char *name, size_t size, char path[]); /* run_dir/name */
MPI_Comm ScoriaRunComm(ScoriaRun run);

/* One line on standard output by rank 0 (format as printf, no newline needed).  Collective in the sense that other
 * ranks may call it and print nothing. */
PetscErrorCode ScoriaSay(ScoriaRun run, const char *format, ...) PETSC_ATTRIBUTE_FORMAT(2, 3);
/* One JSON object in log.jsonl by rank 0: {"time":..,"event":event, <body>}; body is JSON members, e.g. "\"step\":3".
 */
PetscErrorCode ScoriaLog(ScoriaRun run, const char *event, const char *body, ...) PETSC_ATTRIBUTE_FORMAT(3, 4);

/* run_max_hours; 0: no limit. */
double run_max_hours(ScoriaRun run);

/* Whether a file exists; asked by rank 0, the same answer on every rank.  Collective on comm. */
PetscErrorCode ScoriaFileExists(MPI_Comm comm, const char *path, bool *exists);

/* ------------------------------------------------------------------------------------- stopping in good order ---- */

/* From here on USR1 and TERM ask for a stop instead of killing.  To be called before MPI_Init, where a signal may
 * already come. */
void stop_catch_signals(void);
/* Whether to stop: a signal that reached any rank, run_max_hours, or a file STOP in the run directory.  The same answer
 * on every rank; cheap enough for every training step.  Collective. */
PetscErrorCode ScoriaStopAsked(ScoriaRun run, bool *stop);
/* Whether this rank has a reason to stop, before the ranks agree on it by ScoriaStopAsked: for a rank that is to cut
 * short what lies before it.  Local. */
PetscErrorCode ScoriaStopNoticed(ScoriaRun run, bool *stop);
/* Work that ranks do side by side in rounds of `step` items each, after which they look together at whether to stop: as
 * many items as take about a second, whatever one costs, so that a stop is never far.  Start from {run, step, most}. */
typedef struct {
  ScoriaRun run;      /* borrowed */
  int64_t step, most; /* items of the next round; at most */
  double began;       /* [s] of this round; 0: none has begun */
} ScoriaPace;
/* Between two rounds, and before the first; fails as ScoriaStopped, with `kept`, where the run is to stop.  Collective
 * on the run's ranks. */
PetscErrorCode ScoriaPaceMeet(ScoriaPace *pace, const char *kept);
/* The failure with which a command returns after it has stopped (exit code 75); format says what is kept.  Removes
 * STOP. Collective. */
PetscErrorCode ScoriaStopped(ScoriaRun run, const char *format, ...) PETSC_ATTRIBUTE_FORMAT(2, 3);

/* ---------------------------------------------------------------------------------------------------- progress ---- */

typedef struct ScoriaProgress_ *ScoriaProgress;

/* A bar with rate and time left on a terminal, a line every few seconds elsewhere; rank 0 prints. */
PetscErrorCode ScoriaProgressCreate(ScoriaRun run, const char *what, const char *unit, double total,
                                    ScoriaProgress *bar);
/* `done` of the total was there before this start, and does not count as speed. */
PetscErrorCode ScoriaProgressFrom(ScoriaProgress bar, double done);
/* `note` (may be NULL) stands behind the bar: "loss 0.412".  Cheap enough to call at every step. */
PetscErrorCode ScoriaProgressUpdate(ScoriaProgress bar, double done, const char *note);
PetscErrorCode ScoriaProgressDestroy(ScoriaProgress *bar); /* closes with the elapsed time and mean rate */

double wall_seconds(void);   /* monotonic */
void utc_now(char text[32]); /* 2026-11-26T21:40:04Z */

#endif

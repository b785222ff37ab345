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
#include "deck.h"
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

/* What a rank may take by the deck [byte]; and a user error where `what`, a plural as of printf, takes more than that:
 * "run_memory: found 2 GB, but <what> take 3 GB of a rank; give that much, or <instead>".  Local. */
PetscErrorCode ScoriaMemoryOfDeck(ScoriaDeck deck, double *allowed);
PetscErrorCode ScoriaMemoryCheck(double need, double allowed, const char *instead, const char *what, ...)
    PETSC_ATTRIBUTE_FORMAT(4, 5);

/* What was recorded: SCORIA_EXIT_OK and "" when nothing failed.  For main and for the tests. */
ScoriaExit ScoriaFailureCode(void);
const char *ScoriaFailureLine(void);
void ScoriaFailureReset(void);

/* PETSc error handler that stays silent for recorded user errors and gives PETSc's trace for defects. */
PetscErrorCode ScoriaErrorHandler(MPI_Comm comm, int line, const char *func, const char *file, PetscErrorCode n,
                                  PetscErrorType p, const char *mess, void *ctx);

/* Lets `object` take its options from PETSc's database by set(object); a value that PETSc refuses is a user error with
 * PETSc's own words.  Collective as `set` is, which fails on all of its ranks or on none. */
PetscErrorCode ScoriaTakeOptions(PetscErrorCode (*set)(void *object), void *object);

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
  SCORIA_STREAM_CROP,         /* id: realisation; draws: row, place, reflections, turns of its crop */
  SCORIA_STREAM_LIBRARY,      /* id: shuffle of a library's rows */
  SCORIA_STREAM_PRIOR,        /* id: draw of the prior of an inference */
  SCORIA_STREAM_PAIR,         /* rows of two fidelities: id: condition, its fold; id: row, the residual it gets */
  SCORIA_STREAM_WHOLE,        /* id: particle of an inference of whole fields; the latents that its readings leave */
  SCORIA_STREAM_CALIBRATION,  /* id: point, its place; then, of all points, their samples */
  SCORIA_STREAM_JUDGE,        /* id: sample at a row left out, all of a row before those of the next */
  SCORIA_STREAM_SCREEN,       /* id: realisation of several fidelities; whether the deck's own solve is sampled */
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
/* The same for many places, from what its rounds look up: turns are worked out once (NULL: only counted); returns how
 * many there are, eight times the square root of n. */
int64_t rng_shuffle_turns(const ScoriaShuffle *shuffle, uint32_t turns[]);
int64_t rng_shuffled_by(const ScoriaShuffle *shuffle, const uint32_t turns[], int64_t i);

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

/* More ranks a group than there are: one group of all; fewer than one: of one each.  Collective on comm. */
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

/* MPI_Bcast, MPI_Allreduce and MPI_Reduce in place of n items, however many; the last leaves them as they were on ranks
 * other than root.  Collective on comm. */
PetscErrorCode ScoriaBroadcastMany(MPI_Comm comm, int root, int64_t n, MPI_Datatype type, void *data);
PetscErrorCode ScoriaReduceMany(MPI_Comm comm, MPI_Op op, int64_t n, MPI_Datatype type, void *data);
PetscErrorCode ScoriaReduceManyTo(MPI_Comm comm, int root, MPI_Op op, int64_t n, MPI_Datatype type, void *data);

/* Sorts n items of `size` bytes of every rank, the same n on each, over all ranks: rank 0 ends with the n first.
 * compare as qsort has it, 0 only of items that are the same.  Collective on comm. */
PetscErrorCode ScoriaSortRanks(MPI_Comm comm, int64_t n, size_t size, void *items,
                               int (*compare)(const void *, const void *));

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

/* Makes run_dir (parents too, which is said of a whole path), takes its lock (a second job in the same directory is a
 * user error, at once or after run_wait_minutes), opens log.jsonl for appending.  Collective on comm. */
PetscErrorCode ScoriaRunCreate(MPI_Comm comm, ScoriaDeck deck, const char *command, ScoriaRun *run);
PetscErrorCode ScoriaRunDestroy(ScoriaRun *run);
/* Removes the file that holds the directory where the file system has no flock; exit does so too, _exit does not. */
void run_lock_release(void);
/* After a failure: a run directory that this start has made, and that holds nothing but lock and log, is removed again,
 * with such parents.  Local, for rank 0; another's has made none. */
void run_directory_forget(void);
/* run_shard: part shard[0], from 1, of shard[1]; 1 of 1 where it is not set.  The run of a shard has a run directory of
 * its own, of this form below run_dir. */
PetscErrorCode ScoriaDeckShard(ScoriaDeck deck, PetscInt shard[2]);
#define SCORIA_SHARD_DIRECTORY "%s/shard-%d-of-%d"
PetscErrorCode ScoriaRunPath(ScoriaRun run, const char *name, size_t size, char path[]); /* run_dir/name */
MPI_Comm ScoriaRunComm(ScoriaRun run);
/* What a command has found out, for those after it in this run: in memory, under a name, the same on every rank.  A
 * name that is there already gets the new value. */
PetscErrorCode ScoriaRunNote(ScoriaRun run, const char *name, int64_t value);
bool run_noted(ScoriaRun run, const char *name, int64_t *value);

/* One line on standard output by rank 0 (format as printf, no newline needed).  Collective in the sense that other
 * ranks may call it and print nothing. */
PetscErrorCode ScoriaSay(ScoriaRun run, const char *format, ...) PETSC_ATTRIBUTE_FORMAT(2, 3);
/* One JSON object in log.jsonl by rank 0: {"time":..,"event":event, <body>}; body is JSON members, e.g. "\"step\":3".
 */
PetscErrorCode ScoriaLog(ScoriaRun run, const char *event, const char *body, ...) PETSC_ATTRIBUTE_FORMAT(3, 4);

/* Whether a file exists; asked by rank 0, the same answer on every rank.  Collective on comm. */
PetscErrorCode ScoriaFileExists(MPI_Comm comm, const char *path, bool *exists);

/* ------------------------------------------------------------------------------------- stopping in good order ---- */

/* From here on USR1 and TERM ask for a stop instead of killing.  To be called before MPI_Init, where a signal may
 * already come. */
void stop_catch_signals(void);
/* Whether to stop: a signal that reached any rank, run_max_hours, or a file STOP in the run directory.  The same answer
 * on every rank; cheap enough for every training step.  Collective. */
PetscErrorCode ScoriaStopAsked(ScoriaRun run, bool *stop);
/* From here on until stop_in_order, a stop that is asked for ends the job within two seconds from wherever it is, with
 * the line of ScoriaStopped: for what one rank or a library does alone for long, and of which nothing is to be kept.
 * Not around the opening or writing of datasets, which use the same timer.  Local, on every rank. */
PetscErrorCode ScoriaStopAtOnce(ScoriaRun run, const char *kept);
void stop_in_order(void);
/* Whether this rank has a reason to stop, before the ranks agree on it by ScoriaStopAsked: for a rank that is to cut
 * short what lies before it.  Local. */
PetscErrorCode ScoriaStopNoticed(ScoriaRun run, bool *stop);
/* Work that ranks do side by side in rounds of `step` items each, after which they look together at whether to stop: as
 * many items as take about a second, whatever one costs, so that a stop is never far.  Start from {run, step, most}. */
typedef struct {
  ScoriaRun run;      /* borrowed */
  int64_t step, most; /* items of the next round; at most */
  double began;       /* [s] of this round; 0: none has begun */
  /* What ScoriaPaceMeet calls before it stops, with ctx, borrowed; NULL: nothing.  Collective. */
  PetscErrorCode (*keep)(void *ctx);
  void *ctx;
} ScoriaPace;
/* Between two rounds, and before the first: whether the run is to stop.  Collective on the run's ranks. */
PetscErrorCode ScoriaPaceLook(ScoriaPace *pace, bool *stop);
/* The same for work that keeps nothing more: fails as ScoriaStopped, with `kept`, where the run is to stop. */
PetscErrorCode ScoriaPaceMeet(ScoriaPace *pace, const char *kept);
/* Whether run.checkpoint_minutes have passed since `saved` [s], by rank 0's clock.  Collective on the run's ranks. */
PetscErrorCode ScoriaCheckpointDue(ScoriaRun run, ScoriaDeck deck, double saved, bool *due);
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
/* For work whose amount is only estimated on its way: the total as it seems now, and the seconds that are left of it;
 * NAN where they are not known, as before the first call. */
PetscErrorCode ScoriaProgressExpect(ScoriaProgress bar, double total, double seconds);
PetscErrorCode ScoriaProgressDestroy(ScoriaProgress *bar); /* closes with the elapsed time and mean rate */

double wall_seconds(void);   /* monotonic */
void utc_now(char text[32]); /* 2026-11-26T21:40:04Z */

#endif

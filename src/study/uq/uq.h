/* Private to uq: the objects that answer a question from one source, and the results on their way to files. */
#ifndef SCORIA_UQ_H
#define SCORIA_UQ_H

#include "scoria/levels.h"

#define UQ_PILOT_BLOCKS 32 /* they fix the scales of Sobol indices, and count likewise */
#define UQ_PILOT_TILES 4   /* they fix the ranges of the histograms, and count like all others */

/* How far a tail was held against the PDE's: ScoriaTail's numbers.  checked is NaN where it was not; differs and ratio
 * are NaN where compare's fields ran out, and 0 where its file is of a release that does not say. */
typedef struct {
  double checked, differs, ratio;
} UqTail;

/* Those of each quantity, and of the number that decides each event. */
typedef struct {
  const char *why;            /* nothing was; NULL: compare has */
  const char *whose, *fields; /* "PDE", "solves": what compare has held the model against */
  UqTail quantity[UQ_MAX_QUANTITIES][SCORIA_TAILS], event[UQ_MAX_THRESHOLDS][SCORIA_TAILS];
} UqTails;

/* Of each quantity, what compare has found of the source's estimates. */
typedef struct {
  const char *why;   /* nothing; NULL: compare has */
  const char *whose; /* "PDE" */
  ScoriaUqBias of[UQ_MAX_QUANTITIES];
} UqBiases;

/* uq_choose.c: ways to the answer, of which source auto takes the cheapest. */
typedef enum { UQ_WAY_PDE, UQ_WAY_MULTILEVEL, UQ_WAY_MODEL, UQ_WAY_GAUSSIAN, UQ_NWAYS } UqWayOf;
#define UQ_WHY 160
typedef struct {
  double seconds;   /* counted, of a core, at all conditions; NAN: not known */
  double bias;      /* not excluded by compare, in SDs, the largest of all that the tolerance is for; NAN: not known */
  char why[UQ_WHY]; /* that it is not taken for, in words; "": it may be */
} UqWay;
typedef struct {
  UqWayOf chosen;
  double tolerance; /* in SDs: of the deck, or what uq_count draws have, */
  double errors;    /* and the larger of the two */
  UqWay way[UQ_NWAYS];
  char model[SCORIA_IDENTITY_SIZE]; /* that was judged, with its Gaussian; "": there was none */
} UqChoice;
extern const char *const uq_ways[UQ_NWAYS];
bool uq_way_solves(UqWayOf way); /* the others draw from the model, or from its Gaussian */

/* Sobol indices of every quantity.  The index of all conditions together is 1 less the total of what is not a
 * condition, their total 1 less its first order, each with the same error. */
typedef struct {
  int64_t blocks, failed; /* behind them; rows that failed, left out */
  double mean[UQ_MAX_QUANTITIES], sd[UQ_MAX_QUANTITIES];
  ScoriaSobolIndex index[UQ_MAX_QUANTITIES][UQ_MAX_INPUTS];
} UqSensitivity;

/* What goes into the files of an answer: its statistics, and what sources of some kinds add. */
typedef struct {
  UqAnswer a; /* owned */
  UqSensitivity sobol;
  LevelsKnown levels;     /* owned: of several fidelities */
  ScoriaUqCheck *check;   /* owned (conditions, nquantities): of a model that is checked; else NULL */
  UqTails *tails;         /* owned: of a model; else NULL */
  UqBiases *biases;       /* owned: likewise */
  const UqChoice *choice; /* borrowed: of source auto; else NULL */
} UqResult;
PetscErrorCode UqResultCreate(const UqQuestion *q, UqResult *r);
PetscErrorCode UqResultDestroy(UqResult *r);

/* uq_tiles.c: the samples of one condition, on those who share it. */
typedef struct {
  UqDraws *draws;        /* borrowed */
  ScoriaTeam team;       /* who shares the condition */
  bool leads;            /* what this rank draws counts */
  int columns, joint;    /* of the answer; channels times cells whose covariance is kept */
  double *part, *pilot;  /* owned (q->part, columns), (UQ_PILOT_TILES q->tile, columns) */
  ScoriaSummary summary; /* owned: of the condition at work; NULL between two */
  int64_t failed;        /* of this rank since the last reduction */
  int64_t all_failed;    /* of the condition up to there */
} UqTiles;

/* What the answer takes of a rank is refused where it is more than run_memory; of whole fields alone.  Local. */
PetscErrorCode UqCheckMemory(ScoriaDeck deck, const UqQuestion *q);
PetscErrorCode UqTilesCreate(UqDraws *draws, const UqAnswer *a, UqTiles *t);
PetscErrorCode UqTilesDestroy(UqTiles *t);
/* The summary of condition k and the pilot that begins it.  Collective on the team. */
PetscErrorCode UqPilot(UqTiles *t, int k);
PetscErrorCode UqReduce(UqTiles *t);
/* Failures of this rank since the last time, to those of all; and UqCheckDefined.  Collective. */
PetscErrorCode UqShareFailed(UqDraws *draws, MPI_Comm comm, int64_t *mine, int64_t *all);
/* Draws tile `tile` of condition k (or takes it from the pilot) and adds it. */
PetscErrorCode UqAddTile(UqTiles *t, int k, int64_t tile);

/* uq_blocks.c: the blocks of the Sobol indices. */
typedef struct {
  UqDraws *draws;     /* borrowed */
  ScoriaTeam all;     /* who shares the blocks */
  bool leads;         /* what this rank draws counts */
  ScoriaSobol sobol;  /* owned; NULL: none is drawn yet */
  int64_t failed;     /* of this rank since the last reduction */
  int64_t all_failed; /* up to there */
} UqBlocks;

/* Makes b->sobol from the first blocks, and adds these.  Collective. */
PetscErrorCode UqSobolPilot(UqBlocks *b, bool add);
PetscErrorCode UqSobolReduce(UqBlocks *b);
/* The quantities of a block, uq_block_values(q) of them; and these into b->sobol.  Of this worker alone. */
int64_t uq_block_values(const UqQuestion *q);
PetscErrorCode UqDrawBlock(UqDraws *draws, int64_t block, double values[]);
void uq_add_block(UqBlocks *b, double values[]);

/* uq_checkpoint.c: what is kept between two starts. */
typedef struct {
  ScoriaRun run; /* borrowed, as is all that follows */
  ScoriaDeck deck;
  UqAnswer *a; /* conditions that are finished */
  UqTiles *tiles;
  UqBlocks *blocks;
  double before[2]; /* core seconds of drawing and statistics, of all ranks in the starts before this one */
  double saved;     /* when the last checkpoint was written */
} UqKeeper;

/* From the newest checkpoint of this deck that is whole; from the beginning where there is none.  What is done:
 * conditions before k, and of k itself `done` tiles; k = q.conditions is the sensitivity, and its blocks. */
PetscErrorCode UqRestore(UqKeeper *keeper, int *k, int64_t *done);
/* Between two rounds: a checkpoint when it is time, or when the run is to stop. */
PetscErrorCode UqPause(UqKeeper *keeper, int k, int64_t done);
/* Core seconds of drawing and statistics, of all ranks and starts.  Collective. */
PetscErrorCode UqSeconds(const UqKeeper *keeper, double seconds[2]);
/* A complete answer needs no checkpoints: a run killed just after its end has left them.  Those of another question
 * stay. */
PetscErrorCode UqForgetCheckpoints(ScoriaRun run, ScoriaDeck deck);

/* uq_conditions.c: all conditions from condition k on, of which `done` tiles are done already, into the answer.
 * Collective. */
PetscErrorCode UqConditions(UqTiles *tiles, UqKeeper *keeper, UqAnswer *a, int k, int64_t done);
/* Draws of a condition until n are reached. */
double uq_draws_for(const UqQuestion *q, double n);
/* uq_check.c: the model's bias in the mean of each quantity at each condition, where it is asked for, else NULL.  A
 * stop loses the solves of it alone.  Collective. */
PetscErrorCode UqCheckModel(UqKeeper *keeper, const UqQuestion *q, const UqAnswer *a, ScoriaUqCheck **check);
/* uq_sobol.c: Sobol indices from block `done` on.  Collective. */
PetscErrorCode UqSensitivityRun(UqBlocks *blocks, UqKeeper *keeper, UqSensitivity *to, int64_t done);

/* uq_run.c: the source of fields that a question is put to, and what is behind it. */
typedef struct {
  ScoriaTrained trained; /* owned; of the model */
  ScoriaEnsemble ens;    /* owned; of the PDE */
  ScoriaSource source;   /* owned */
  ScoriaFidelities all;  /* owned; of several fidelities */
} UqOpened;
/* The source that q names (pde, multilevel, automatic), and the question of the deck.  Collective, as is the end. */
PetscErrorCode UqOpen(ScoriaRun run, ScoriaDeck deck, UqQuestion *q, UqOpened *o);
PetscErrorCode UqClose(UqQuestion *q, UqOpened *o);
/* The answer from a source, from the checkpoint on where the run directory has one.  Collective. */
PetscErrorCode UqRun(ScoriaRun run, ScoriaDeck deck, ScoriaSource source, const UqQuestion *q, UqResult *r);
/* uq_compared.c: run_dir/compare.h5, where it is of this model and, unless its Gaussian is asked for, of the sampler of
 * the deck; else NULL, and in `why` the reason.  One that cannot be read checks nothing, and is no error.  Collective.
 */
PetscErrorCode UqComparedOpen(ScoriaRun run, ScoriaDeck deck, const char *model, bool gaussian, ScoriaStore *store,
                              const char **why);

/* The names under which compare.h5 has numbers, a line of each: of the quantities in the attribute `names`, commas
 * between, and behind them of the deck's own in `own`, which may not be there.  PetscFree it. */
PetscErrorCode UqComparedNames(ScoriaStore store, const char *names, const char *own, char **lines);
/* The line that is a quantity's, by its name, or by its definition where it is the deck's own; -1: none. */
int64_t uq_compared_find(const char *lines, const ScoriaQuantity *quantity);

/* uq_tolerance.c: a warning where uq_count ended the draws before the errors were as small as is asked for. */
PetscErrorCode UqSayTolerance(ScoriaRun run, const UqQuestion *q, const UqResult *r);

/* uq_judge.c: the ways of the model and of its Gaussian, to choice->tolerance: biases, and why they are not taken;
 * seconds in units of a solve; and which model that was.  Collective. */
PetscErrorCode UqJudge(ScoriaRun run, ScoriaDeck deck, const UqQuestion *q, UqChoice *choice);

/* uq_choose.c: the cheapest way to the tolerance that is right, with its estimate of all; as an earlier start of the
 * same deck has chosen where that was not finished.  A user error where the budget allows none.  Collective. */
#define UQ_CHOICE "uq_choice.ckpt"
PetscErrorCode UqChoose(ScoriaRun run, ScoriaDeck deck, UqChoice *choice);
/* The next cheapest in place of a model whose check, in an answer, has found a bias beyond the tolerance; again: it
 * has.  Collective. */
PetscErrorCode UqChooseAgain(ScoriaRun run, ScoriaDeck deck, const UqQuestion *q, const UqAnswer *a,
                             const ScoriaUqCheck check[], UqChoice *choice, bool *again);
/* "for errors of 0.02 SD: multilevel, 3.1 core s" */
void uq_choice_sentence(const UqChoice *choice, size_t size, char text[]);
PetscErrorCode UqSayChoice(ScoriaRun run, const UqChoice *choice);
/* uq_tails.c: from compare.h5 of the run directory; PetscFree.  Collective. */
PetscErrorCode UqTailsRead(ScoriaRun run, ScoriaDeck deck, const UqQuestion *q, UqTails **tails);
/* uq_bias.c: likewise, those of the model's Gaussian where that draws; and one as text, "+0.12 (<0.15)" in SDs, "+0.12
 * +-0.08" of rows that do not tell how it changes, "not checked". */
extern const ScoriaUqBias uq_no_bias; /* not checked */
PetscErrorCode UqBiasesRead(ScoriaRun run, ScoriaDeck deck, const UqQuestion *q, bool gaussian, UqBiases **biases);
void uq_bias_text(const ScoriaUqBias *bias, size_t size, char text[]);
/* Whether condition k is among those that compare speaks of: in the trained ranges, from which it takes its own. */
bool uq_compared_at(const UqQuestion *q, int k);
/* The tail that an event of that probability lies in: its probability, and the side. */
double uq_event_tail(const UqQuestion *q, int t, double probability, int *side);
/* Line `number` of what was not checked and is asked, from 0; "" where that one has nothing to say, false at the end.
 */
bool uq_tail_warning(const UqQuestion *q, const UqAnswer *a, const UqTails *tails, int number, size_t size,
                     char line[]);

/* Whether an outermost quantile lies beyond the fields that were drawn, of the condition that has fewest: a line of it.
 */
bool uq_few_warning(const UqQuestion *q, const UqAnswer *a, size_t size, char line[]);

/* uq_sobol.c: /sobol of uq.h5; nothing where it was not asked.  Collective. */
PetscErrorCode UqPutSobol(ScoriaStore store, const UqQuestion *q, const UqSensitivity *a);
/* uq_write.c */
PetscErrorCode UqWriteStore(const UqQuestion *q, const UqResult *r, MPI_Comm comm, const char *path, const char *deck);
PetscErrorCode UqSayTable(ScoriaRun run, const UqQuestion *q, const UqResult *r);
/* uq_json.c */
PetscErrorCode UqWriteJson(const UqQuestion *q, const UqResult *r, MPI_Comm comm, const char *path);

#endif

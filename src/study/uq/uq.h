/* Private to uq: what is asked, the objects that work on it, and the results on their way to files. */
#ifndef SCORIA_UQ_H
#define SCORIA_UQ_H

#include "scoria/fidelity.h"
#include "scoria/uq_result.h"
#include "scoria/study.h"

#define UQ_MAX_QUANTITIES 64
#define UQ_MAX_WHOLE 48 /* those of whole fields included: the others are left for the deck's own */
#define UQ_MAX_THRESHOLDS 16
#define UQ_MAX_QUANTILES 32
#define UQ_MAX_VALUES 64       /* of one condition */
#define UQ_BINS 64             /* of a quantity's histogram */
#define UQ_MODES 10            /* of the covariance */
#define UQ_JOINT_CONDITIONS 16 /* covariances are kept for no more conditions than this */
#define UQ_MAX_CONDITIONS 16384
#define UQ_MAX_INPUTS (SCORIA_MAX_CONDITIONS + 1) /* of the sensitivity: conditions, and what is not one */
#define UQ_LEAST_BASE 20                          /* blocks: errors come from their spread */
#define UQ_TILE SUMMARY_TILE                      /* samples drawn at once, at most */
#define UQ_PART 256                               /* of these, rows that stay in the second-level cache */
#define UQ_TILE_BYTES (1 << 24)                   /* of the samples of a tile, but for */
#define UQ_LEAST_TILE 16                          /* so many: a pilot has four tiles */
#define UQ_PILOT_BLOCKS 32                        /* they fix the scales of Sobol indices, and count likewise */
#define UQ_PILOT_TILES 4                          /* they fix the ranges of the histograms, and count like all others */

/* Numbers that the user has defined by expressions over the fields of a row (uq_expressions.c). */
typedef struct UqExpressions_ *UqExpressions;

/* An event whose probability is asked: the text, and what of its threshold is meant by it. */
typedef struct {
  char text[112];
  int of; /* SUMMARY_ANY or SUMMARY_ALL of the cells of a field; both are the same for one number */
} UqEvent;

/* What is asked. */
typedef struct {
  bool pde;                             /* the fields are solutions */
  bool multilevel;                      /* of several fidelities */
  bool gaussian;                        /* they are those of the model's Gaussian */
  bool automatic;                       /* the program has chosen the source: what follows holds for any */
  bool means, aside[UQ_MAX_QUANTITIES]; /* the tolerance is for means alone, and not for these quantities */
  int64_t count;
  double tolerance;
  int nprobabilities;
  double probability[UQ_MAX_QUANTILES];
  int channels, cells, m;   /* m = channels * cells */
  int n[3];                 /* cells along x, y, z */
  bool whole, periodic;     /* fields of more than one dimension; y and z are periodic */
  int tile, part;           /* samples drawn at once; of these, rows taken together */
  const ScoriaField *field; /* borrowed (channels) */
  const double *x;          /* borrowed (n[0] + n[1] + n[2] of whole fields, else cells): centres along x, y, z */
  const ScoriaSpace *space; /* borrowed */
  ScoriaMadeFrom made;
  int nquantities;
  ScoriaQuantity quantity[UQ_MAX_QUANTITIES];
  int condition[UQ_MAX_QUANTITIES]; /* whose value is the quantity's offset, -1: none */
  bool place[UQ_MAX_QUANTITIES];    /* of an extreme of whole fields: one of a few numbers */
  int derived;                      /* of the quantities, the last: those of the expressions */
  char derivable[256];       /* names of fields that the deck's problem could have besides; "" of imported data */
  UqExpressions expressions; /* owned; NULL: none */
  int nthresholds;
  ScoriaThreshold threshold[UQ_MAX_THRESHOLDS];
  UqEvent event[UQ_MAX_THRESHOLDS]; /* of each threshold */
  int conditions;
  double *theta; /* owned (conditions, space->n) */
  int64_t check; /* fresh solves at each condition, for the bias of a model; 0: none */
  /* sensitivity: conditions over their ranges */
  uint64_t seed;
  int64_t base;                     /* blocks; 0: not asked */
  int draws;                        /* rows of a block */
  int inputs, input[UQ_MAX_INPUTS]; /* index of the condition; the last is UQ_UNSEEN */
} UqQuestion;

#define UQ_UNSEEN (-1)
const char *uq_input_name(const UqQuestion *q, int input);

/* Sobol indices of every quantity.  The index of all conditions together is 1 less the total of what is not a
 * condition, their total 1 less its first order, each with the same error. */
typedef struct {
  int64_t blocks, failed; /* behind them; rows that failed, left out */
  double mean[UQ_MAX_QUANTITIES], sd[UQ_MAX_QUANTITIES];
  ScoriaSobolIndex index[UQ_MAX_QUANTITIES][UQ_MAX_INPUTS];
} UqSensitivity;

/* The fidelities that are combined: the first is what is asked for. */
#define UQ_MAX_FIDELITIES SCORIA_MAX_FIDELITIES
typedef struct {
  int n;
  char name[UQ_MAX_FIDELITIES][SCORIA_FIDELITY_NAME];
  const char *estimator;
  double seconds[UQ_MAX_FIDELITIES + 1]; /* core seconds measured; the last: of drawing the porosity */
} UqFamily;

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
  double tolerance; /* in SDs: of the deck, or what uq_count draws have */
  UqWay way[UQ_NWAYS];
  char model[SCORIA_IDENTITY_SIZE]; /* that was chosen, or whose Gaussian was; "": another way was */
} UqChoice;
extern const char *const uq_ways[UQ_NWAYS];
bool uq_way_solves(UqWayOf way); /* the others draw from the model, or from its Gaussian */

/* Results, one array of doubles per condition after the other; the offsets below are within one condition. */
typedef struct {
  int columns;        /* m + nquantities */
  bool joint;         /* with covariance and modes */
  size_t size;        /* doubles per condition */
  size_t moments;     /* (SCORIA_UQ_NMOMENTS, columns) */
  size_t quantiles;   /* (nprobabilities, 2, columns): value, standard error */
  size_t exceedances; /* per threshold (UQ_NSHARES, its columns, any, all) */
  size_t histograms;  /* (nquantities, 2 + UQ_BINS): lo, hi, shares */
  size_t covariance;  /* (m, m), then UQ_MODES variances and modes (UQ_MODES, m) */
  double *value;      /* owned (conditions, size) */
  UqSensitivity sobol;
  double seconds[2];            /* core seconds: drawing, statistics */
  UqFamily family;              /* of source multilevel */
  const UqChoice *choice;       /* borrowed: of source auto; else NULL */
  UqTails *tails;               /* owned: of a model; else NULL */
  ScoriaUqCheck *check;         /* owned (conditions, nquantities): of a model that is checked; else NULL */
  struct LevelsAnswer_ *levels; /* owned (conditions): of source multilevel (study/multilevel); else NULL */
  size_t kept_size;             /* doubles per condition of what follows */
  double *kept;                 /* owned (conditions, kept_size): its pilot and the means of its groups (LevelsKept) */
} UqAnswer;

/* The first doubles of a condition. */
enum { UQ_SAMPLES, UQ_FAILED, UQ_OUTSIDE, UQ_HEAD };
/* Rows of an exceedance: ScoriaShare. */
enum { UQ_SHARE, UQ_SHARE_SE, UQ_SHARE_LOW, UQ_SHARE_HIGH, UQ_NSHARES };
/* The shares of threshold t in a condition of the answer: (UQ_NSHARES, uq_shares(q, t)). */
size_t uq_shares_at(const UqQuestion *q, const UqAnswer *a, int t);
int uq_shares(const UqQuestion *q, int t);

/* uq_draws.c: the fields that this rank draws, and their quantities. */
typedef struct {
  const UqQuestion *q; /* borrowed, as is the next */
  ScoriaSource source;
  ScoriaQuantity quantity[UQ_MAX_QUANTITIES]; /* at the condition of the last draw */
  double theta[SCORIA_MAX_CONDITIONS];        /* of the last draw */
  double *fields;                             /* owned (q->tile, m): the last draw */
  double *means;                              /* owned (channels, n[0]): of the row at work; NULL: of profiles */
  double statistics;                          /* seconds of this rank's that are not of drawing */
  int64_t undefined[UQ_MAX_QUANTITIES];       /* rows since the last reduction in which an expression had no value */
} UqDraws;

PetscErrorCode UqDrawsCreate(const UqQuestion *q, ScoriaSource source, UqDraws *d);
PetscErrorCode UqDrawsDestroy(UqDraws *d);
/* Realisations [number, number + n) at theta, n <= q->tile. */
PetscErrorCode UqDraw(UqDraws *d, const double theta[], uint64_t number, int64_t n);
/* The quantities (nquantities) of one row of fields, at the condition of the last draw, or of uq_draws_at. */
void uq_take(UqDraws *d, const double fields[], double quantities[]);
void uq_draws_at(UqDraws *d, const double theta[]);
/* A user error where an expression had no finite value for a field of any rank's.  Collective. */
PetscErrorCode UqCheckDefined(UqDraws *d, MPI_Comm comm);

/* uq_tiles.c: the samples of one condition, on those who share it. */
/* How its rows are summed up, after an answer's layout. */
ScoriaSummarySpec uq_summary_spec(const UqQuestion *q, int columns, bool joint);
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

PetscErrorCode UqTilesCreate(UqDraws *draws, const UqAnswer *a, UqTiles *t);
PetscErrorCode UqTilesDestroy(UqTiles *t);
/* The summary of condition k and the pilot that begins it.  Collective on the team. */
PetscErrorCode UqPilot(UqTiles *t, int k);
PetscErrorCode UqReduce(UqTiles *t);
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
#define UQ_CHECKPOINT "uq.ckpt"

typedef struct {
  ScoriaRun run; /* borrowed, as is all that follows */
  ScoriaDeck deck;
  UqAnswer *a; /* conditions that are finished */
  UqTiles *tiles;
  UqBlocks *blocks;
  double before[2]; /* core seconds of drawing and statistics, of all ranks in the starts before this one */
  double saved;     /* when the last checkpoint was written */
} UqKeeper;

/* int64 as two halves that doubles hold exactly. */
PetscErrorCode UqPutIntegers(ScoriaStore store, const char *name, int64_t n, const int64_t value[]);
PetscErrorCode UqGetIntegers(ScoriaStore store, const char *name, int64_t n, int64_t value[]);
/* A checkpoint of another model, or of other conditions, is a user error.  Collective. */
PetscErrorCode UqCheckMade(ScoriaRun run, ScoriaDeck deck, const char *path, ScoriaStore store);

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
/* uq_check.c: the model's bias in the mean of each quantity at each condition, where it is asked for.  A stop loses the
 * solves of it alone.  Collective. */
PetscErrorCode UqCheckModel(UqKeeper *keeper, const UqQuestion *q, UqAnswer *a);
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
PetscErrorCode UqRun(ScoriaRun run, ScoriaDeck deck, ScoriaSource source, const UqQuestion *q, UqAnswer *a);
/* The shape of the source into an empty question, and how many samples are drawn at once. */
void uq_take_shape(UqQuestion *q, const ScoriaFieldShape *shape);
/* Of fields of that shape the numbers that uq takes of each, and nothing else, for who takes no statistics; end: of
 * each part of them. */
typedef enum { UQ_OF_INTEREST, UQ_PROBES, UQ_OF_WHOLE, UQ_EXPRESSED, UQ_PARTS } UqPart;
PetscErrorCode UqQuestionOfNumbers(ScoriaDeck deck, const ScoriaFieldShape *shape, UqQuestion *q, int end[UQ_PARTS]);

/* uq_question.c: the question from the deck; every list and place is checked.  Collective. */
PetscErrorCode UqQuestionRead(ScoriaRun run, ScoriaDeck deck, UqQuestion *q);
PetscErrorCode UqQuestionDestroy(UqQuestion *q);
/* The items of the list uq_<key>, one after the other; one that is too long is a user error.  Local. */
#define UQ_ITEM 256
typedef PetscErrorCode (*UqTakeItem)(UqQuestion *q, const char *item);
PetscErrorCode UqReadItems(ScoriaDeck deck, UqQuestion *q, const char *key, UqTakeItem take);
/* A quantity behind those that are there, and its place among them; one too many is a user error.  Local. */
PetscErrorCode UqAddQuantity(UqQuestion *q, const ScoriaQuantity *quantity, int *index);

/* uq_expressions.c.  Adds the quantity that a text defines, "name [unit] = expression" or an expression alone, which is
 * then its name; later ones may use it.  What cannot be understood is a user error that names the deck's key.  *index:
 * its place among the quantities.  Local. */
PetscErrorCode UqExpressionAdd(UqQuestion *q, const char *key, const char *text, int *index);
PetscErrorCode UqExpressionsDestroy(UqExpressions *all);
/* Values of the derived quantities, the others being there, of one row at theta; means (channels, n[0]) over y and z of
 * whole fields, else NULL. */
void uq_evaluate(const UqQuestion *q, const double theta[], const double fields[], const double means[],
                 double quantities[]);
/* uq_whole.c: what is asked of every whole field: extremes and where along x they are, and the values that 1 % and 99 %
 * of the cells exceed; after the quantities of the deck, as far as there is room.  Nothing of profiles.  Local. */
PetscErrorCode UqAddWhole(UqQuestion *q);
/* What the answer takes of a rank is refused where it is more than run_memory; of whole fields alone.  Local. */
PetscErrorCode UqCheckMemory(ScoriaDeck deck, const UqQuestion *q);
/* uq_events.c: the threshold of an item of uq_exceed.  Local. */
PetscErrorCode UqAddEvent(UqQuestion *q, const char *item);

/* uq_compared.c: run_dir/compare.h5, where it is of this model and of the sampler of the deck; else NULL, and in `why`
 * the reason.  One that cannot be read checks nothing, and is no error.  Collective. */
PetscErrorCode UqComparedOpen(ScoriaRun run, ScoriaDeck deck, const char *model, ScoriaStore *store, const char **why);

/* The names under which compare.h5 has numbers, a line of each: of the quantities in the attribute `names`, commas
 * between, and behind them of the deck's own in `own`, which may not be there.  PetscFree it. */
PetscErrorCode UqComparedNames(ScoriaStore store, const char *names, const char *own, char **lines);
/* The line that is a quantity's, by its name, or by its definition where it is the deck's own; -1: none. */
int64_t uq_compared_find(const char *lines, const ScoriaQuantity *quantity);

/* uq_judge.c: the ways of the model and of its Gaussian: biases, and why they are not taken; seconds in units of a
 * solve.  Collective. */
PetscErrorCode UqJudge(ScoriaRun run, ScoriaDeck deck, const UqQuestion *q, double tolerance, UqWay *model,
                       UqWay *gaussian);

/* uq_choose.c: the cheapest way to the tolerance that is right, with its estimate of all; as an earlier start of the
 * same deck has chosen where that was not finished.  A user error where the budget allows none.  Collective. */
#define UQ_CHOICE "uq_choice.ckpt"
PetscErrorCode UqChoose(ScoriaRun run, ScoriaDeck deck, UqChoice *choice);
/* The next cheapest in place of a model whose check, in an answer, has found a bias beyond the tolerance; again: it
 * has.  Collective. */
PetscErrorCode UqChooseAgain(ScoriaRun run, ScoriaDeck deck, const UqQuestion *q, const UqAnswer *a, UqChoice *choice,
                             bool *again);
/* "for errors of 0.02 SD: multilevel, 3.1 core s" */
void uq_choice_sentence(const UqChoice *choice, size_t size, char text[]);
PetscErrorCode UqSayChoice(ScoriaRun run, const UqChoice *choice);
/* Draws of a condition until n are reached, from a source of one fidelity. */
double uq_draws_for(const UqQuestion *q, double n);

/* uq_theta.c: its conditions, listed, mapped or from a file. */
PetscErrorCode UqReadConditions(ScoriaRun run, ScoriaDeck deck, UqQuestion *q);

/* uq_answer.c: an answer without values, how they lie; and with them. */
void uq_lay_out(const UqQuestion *q, UqAnswer *a);
PetscErrorCode UqAnswerCreate(const UqQuestion *q, UqAnswer *a);
PetscErrorCode UqAnswerDestroy(UqAnswer *a);
/* Condition k of the answer from the total of a summary. */
PetscErrorCode UqAnswerFill(const UqQuestion *q, UqAnswer *a, int k, int64_t failed, ScoriaSummary summary);
/* Whether every quantity is known to the tolerance. */
bool uq_known(const UqQuestion *q, ScoriaSummary summary);

/* uq_tails.c: a->tails from compare.h5 of the run directory.  Collective. */
PetscErrorCode UqTailsRead(ScoriaRun run, ScoriaDeck deck, const UqQuestion *q, UqAnswer *a);
/* The tail that an event of that probability lies in: its probability, and the side. */
double uq_event_tail(const UqQuestion *q, int t, double probability, int *side);
/* Line `number` of what was not checked and is asked, from 0; "" where that one has nothing to say, false at the end.
 */
bool uq_tail_warning(const UqQuestion *q, const UqAnswer *a, int number, size_t size, char line[]);

/* uq_write.c.  The name of a quantity as that of a group of the store: an expression may divide. */
const char *uq_group_name(const char *quantity, size_t size, char group[]);
PetscErrorCode UqWriteStore(const UqQuestion *q, const UqAnswer *a, MPI_Comm comm, const char *path, const char *deck);
PetscErrorCode UqSayTable(ScoriaRun run, const UqQuestion *q, const UqAnswer *a);
/* uq_json.c */
PetscErrorCode UqWriteJson(const UqQuestion *q, const UqAnswer *a, MPI_Comm comm, const char *path);

#endif

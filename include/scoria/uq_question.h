/* scoria/uq_question.h - what uq is asked: numbers of fields at conditions, the draws that they are taken of, and the
 * answer's layout; for those who answer it, from one source (study/uq) or from several fidelities (study/multilevel).
 */
#ifndef SCORIA_UQ_QUESTION_H
#define SCORIA_UQ_QUESTION_H

#include "fidelity.h"
#include "study.h"
#include "uq_result.h"

#define UQ_MAX_QUANTITIES 64
#define UQ_MAX_THRESHOLDS 16
#define UQ_MAX_QUANTILES 32
#define UQ_MAX_VALUES 64       /* of one condition */
#define UQ_BINS 64             /* of a quantity's histogram */
#define UQ_MODES 10            /* of the covariance */
#define UQ_JOINT_CONDITIONS 16 /* covariances are kept for no more conditions than this */
#define UQ_ITEM 256            /* bytes of an item of a list */
#define UQ_CONDITION_TEXT 512  /* of a condition in an error */
#define UQ_MAX_CONDITIONS 16384
#define UQ_MAX_INPUTS (SCORIA_MAX_CONDITIONS + 1) /* of the sensitivity: conditions, and what is not one */
#define UQ_LEAST_BASE 20                          /* blocks: errors come from their spread */
#define UQ_TILE SUMMARY_TILE                      /* samples drawn at once, at most */
#define UQ_PART 256                               /* of these, rows that stay in the second-level cache */
#define UQ_TILE_BYTES (1 << 24)                   /* of the samples of a tile, but for */
#define UQ_LEAST_TILE 16                          /* so many: a pilot has four tiles */

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
  int n[3];                 /* cells along x, y, z, where a field has none of its own */
  int along;                /* of a profile in memory: as many cells as any field has along x */
  bool whole, periodic;     /* fields of more than one dimension; y and z are periodic */
  int tile, part;           /* samples drawn at once; of these, rows taken together */
  const ScoriaField *field; /* borrowed (channels) */
  const double *x;          /* borrowed (fields_centres): centres along x, of whole fields y and z */
  const ScoriaSpace *space; /* borrowed */
  const ScoriaReach *reach; /* borrowed: of the model; NULL without one */
  ScoriaMadeFrom made;
  bool placed; /* a place is given that is not 0 */
  int nquantities;
  ScoriaQuantity quantity[UQ_MAX_QUANTITIES];
  int condition[UQ_MAX_QUANTITIES]; /* whose value is the quantity's offset, -1: none */
  bool place[UQ_MAX_QUANTITIES];    /* of an extreme of whole fields: one of a few numbers */
  int derived;                      /* of the quantities, the last: those of the expressions */
  int left_out;                     /* numbers of whole fields for which there was no room */
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
  int inputs, input[UQ_MAX_INPUTS]; /* index of the condition; the last is UQ_NO_CONDITION */
} UqQuestion;

#define UQ_NO_CONDITION (-1)
/* Of a sensitivity's input, 0 to inputs - 1: its condition's name, or what stands for all that is none; borrowed. */
const char *uq_input_name(const UqQuestion *q, int input);

/* The statistics that any source gives, one array of doubles per condition after the other; the offsets below are
 * within one condition. */
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
  double seconds[2];  /* core seconds: drawing, statistics */
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

/* Room for draws of q's numbers from a source, both borrowed.  Local, as is UqDrawsDestroy. */
PetscErrorCode UqDrawsCreate(const UqQuestion *q, ScoriaSource source, UqDraws *d);
PetscErrorCode UqDrawsDestroy(UqDraws *d);
/* Realisations [number, number + n) at theta, n <= q->tile. */
PetscErrorCode UqDraw(UqDraws *d, const double theta[], uint64_t number, int64_t n);
/* The same into fields of the caller's. */
PetscErrorCode UqDrawTo(UqDraws *d, const double theta[], uint64_t number, int64_t n, double fields[]);
/* The quantities (nquantities) of one row of fields, at the condition of the last draw, or of uq_draws_at. */
void uq_take(UqDraws *d, const double fields[], double quantities[]);
void uq_draws_at(UqDraws *d, const double theta[]);
/* A user error where an expression had no finite value for a field of any rank's.  Collective. */
PetscErrorCode UqCheckDefined(UqDraws *d, MPI_Comm comm);

/* uq_question.c: the question from the deck; every list and place is checked.  Collective. */
PetscErrorCode UqQuestionRead(ScoriaRun run, ScoriaDeck deck, UqQuestion *q);
PetscErrorCode UqQuestionDestroy(UqQuestion *q);
/* The shape of the source into an empty question, and how many samples are drawn at once. */
void uq_take_shape(UqQuestion *q, const ScoriaFieldShape *shape);

/* uq_names.c: cells of a channel along x, y, z, and their centres; what errors call condition k, "condition 1 (F_right
 * = 20 A m^-2)", its place in uq.h5 and its values. */
int uq_cells(const UqQuestion *q, int channel, int axis);
const double *uq_centres(const UqQuestion *q, int channel, int axis);
void uq_condition(const UqQuestion *q, int k, size_t size, char text[]);

/* uq_answer.c: an answer without values, how they lie; and with them. */
void uq_lay_out(const UqQuestion *q, UqAnswer *a);
PetscErrorCode UqAnswerCreate(const UqQuestion *q, UqAnswer *a);
PetscErrorCode UqAnswerDestroy(UqAnswer *a);
/* Condition k of the answer from the total of a summary. */
PetscErrorCode UqAnswerFill(const UqQuestion *q, UqAnswer *a, int k, int64_t failed, ScoriaSummary summary);
/* Whether every quantity is known to the tolerance. */
bool uq_known(const UqQuestion *q, ScoriaSummary summary);

/* uq_kept.c.  The checkpoint of an answer, from one source or several: int64 as two halves that doubles hold exactly.
 */
#define UQ_CHECKPOINT "uq.ckpt"
PetscErrorCode UqPutIntegers(ScoriaStore store, const char *name, int64_t n, const int64_t value[]);
PetscErrorCode UqGetIntegers(ScoriaStore store, const char *name, int64_t n, int64_t value[]);
/* A checkpoint of another model, or of other conditions, is a user error.  Collective. */
PetscErrorCode UqCheckMade(ScoriaRun run, ScoriaDeck deck, const char *path, ScoriaStore store);

/* uq_items.c.  The name of a quantity as that of a group of the store: an expression may divide. */
const char *uq_group_name(const char *quantity, size_t size, char group[]);

#endif

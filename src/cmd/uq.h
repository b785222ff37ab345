/* Private to uq: what is asked, and the results on their way to files. */
#ifndef SCORIA_UQ_H
#define SCORIA_UQ_H

#include "cmd.h"
#include "scoria/stats.h"

#define UQ_MAX_QUANTITIES 32
#define UQ_MAX_THRESHOLDS 16
#define UQ_MAX_QUANTILES 32
#define UQ_MAX_VALUES 64       /* of one condition */
#define UQ_BINS 64             /* of a quantity's histogram */
#define UQ_MODES 10            /* of the covariance */
#define UQ_JOINT_CONDITIONS 16 /* covariances are kept for no more conditions than this */

/* What is asked. */
typedef struct {
  bool pde;
  int64_t count;
  double tolerance;
  int nprobabilities;
  double probability[UQ_MAX_QUANTILES];
  int channels, cells, m;   /* m = channels * cells */
  const ScoriaField *field; /* borrowed (channels) */
  const double *x;          /* borrowed (cells) */
  const ScoriaSpace *space; /* borrowed */
  int nquantities;
  ScoriaQuantity quantity[UQ_MAX_QUANTITIES];
  int condition[UQ_MAX_QUANTITIES]; /* whose value is the quantity's offset, -1: none */
  int nthresholds;
  ScoriaThreshold threshold[UQ_MAX_THRESHOLDS];
  int conditions;
  double *theta; /* owned (conditions, space->n) */
} UqQuestion;

/* Results, one array of doubles per condition after the other; the offsets below are within one condition. */
typedef struct {
  int columns;        /* m + nquantities */
  bool joint;         /* with covariance and modes */
  size_t size;        /* doubles per condition */
  size_t moments;     /* (UQ_NMOMENTS, columns) */
  size_t quantiles;   /* (nprobabilities, 2, columns): value, standard error */
  size_t exceedances; /* per threshold (2, cells + 1): probability, standard error; the last is anywhere */
  size_t histograms;  /* (nquantities, 2 + UQ_BINS): lo, hi, shares */
  size_t covariance;  /* (m, m), then UQ_MODES variances and modes (UQ_MODES, m) */
  double *value;      /* owned (conditions, size) */
  double seconds[2];  /* core seconds: drawing, statistics */
} UqAnswer;

/* The first doubles of a condition. */
enum { UQ_SAMPLES, UQ_FAILED, UQ_OUTSIDE, UQ_HEAD };
/* Rows of the moments. */
enum { UQ_MEAN, UQ_MEAN_SE, UQ_SD, UQ_SD_SE, UQ_SKEWNESS, UQ_SKEWNESS_SE, UQ_MIN, UQ_MAX, UQ_NMOMENTS };
extern const char *const uq_moment_names[UQ_NMOMENTS];

/* uq_question.c: the question from the deck; every list and place is checked.  Collective. */
PetscErrorCode UqQuestionRead(ScoriaRun run, ScoriaDeck deck, UqQuestion *q);
PetscErrorCode UqAnswerCreate(const UqQuestion *q, UqAnswer *a);
/* Condition k of the answer from the total of a summary. */
PetscErrorCode UqAnswerFill(const UqQuestion *q, UqAnswer *a, int k, int64_t failed, ScoriaSummary summary);
/* Whether every quantity is known to the tolerance. */
bool uq_known(const UqQuestion *q, ScoriaSummary summary);

/* uq_write.c */
PetscErrorCode UqWriteStore(const UqQuestion *q, const UqAnswer *a, MPI_Comm comm, const char *path, const char *deck);
PetscErrorCode UqWriteJson(const UqQuestion *q, const UqAnswer *a, MPI_Comm comm, const char *path);
PetscErrorCode UqSayTable(ScoriaRun run, const UqQuestion *q, const UqAnswer *a);

#endif

/* Private to likelihood: rows of a source, and their log densities under another. */
#ifndef SCORIA_LIKELIHOOD_H
#define SCORIA_LIKELIHOOD_H

#include "scoria/results.h"
#include "scoria/study.h"

/* What is known of every row of the list. */
enum {
  LIKELIHOOD_LOG_DENSITY,
  LIKELIHOOD_GAUSSIAN,
  LIKELIHOOD_LOG_VOLUME,
  LIKELIHOOD_ROW,    /* of the source */
  LIKELIHOOD_FAILED, /* 1: marked as failed there */
  LIKELIHOOD_COLUMNS
};

/* The first `each` rows of `conditions` conditions of a source of rows, which has `realisations` of each: evenly spaced
 * among those `asked` for.  Conditions are told by their places, so that no list of them is kept. */
typedef struct {
  int64_t conditions, each, realisations;
  int64_t asked;                        /* the first so many, or all that the split leaves out */
  const ScoriaSplit *split;             /* borrowed; NULL: none */
  int64_t place, at;                    /* where the walk over them is: asked condition `place` comes from `at` on */
  int condition[SCORIA_MAX_CONDITIONS]; /* where the law's conditions stand in its rows */
  int tile;                             /* rows that take as long as one of them, 0 and 1: none do */
} LikelihoodList;

#define LIKELIHOOD_TILE 256 /* of any network: a multiple of the rows that one takes at a time */

/* Index in the source of condition i of the list; walks on where i does not fall. */
int64_t likelihood_condition(LikelihoodList *list, int64_t i);

/* Values of rows: of a chunk on every rank, of all rows on rank 0, which writes them; elsewhere `rows` alone is set. */
typedef struct {
  int64_t conditions, rows;
  int n;                              /* conditions of the law's space */
  bool volume;                        /* LIKELIHOOD_LOG_VOLUME is wanted */
  double *column[LIKELIHOOD_COLUMNS]; /* owned (rows) each */
  double *theta;                      /* owned (rows, n) */
} LikelihoodAnswer;

/* n: conditions of the law's space. */
PetscErrorCode LikelihoodAnswerCreate(MPI_Comm comm, const LikelihoodList *list, int n, bool volume,
                                      LikelihoodAnswer *a);
PetscErrorCode LikelihoodAnswerDestroy(LikelihoodAnswer *a);

/* likelihood_kept.c: where rows that are done are kept when the evaluation is stopped, or killed. */
typedef struct {
  ScoriaRun run; /* borrowed, as are the next two */
  ScoriaDeck deck;
  const char *file; /* whose rows these are; NULL: the dataset's */
  ScoriaMadeFrom made;
  char name[PETSC_MAX_PATH_LEN]; /* of the checkpoint */
  int64_t done;                  /* rows */
  double saved;                  /* [s] */
} LikelihoodKeeper;

/* The rows that an earlier start has kept, if any.  Collective, as is the next. */
PetscErrorCode LikelihoodKept(LikelihoodKeeper *keeper, LikelihoodAnswer *a);
/* With the first `done` rows there: a checkpoint where it is time; fails as ScoriaStopped where the run is to stop,
 * behind a checkpoint.  keeper NULL: keeps nothing. */
PetscErrorCode LikelihoodMeet(LikelihoodKeeper *keeper, ScoriaPace *pace, int64_t done, const LikelihoodAnswer *a);

/* Log densities under `law`, a source that has them, of the rows of `given`, a source whose draws are rows
 * (source_rows) of the law's channels; rank 0 ends with all of them.  keeper: with what it has found; NULL: keeps
 * nothing.  Collective. */
PetscErrorCode LikelihoodEvaluate(ScoriaRun run, LikelihoodKeeper *keeper, ScoriaSource law,
                                  const ScoriaLikelihoodOptions *opt, ScoriaSource given, LikelihoodList *list,
                                  LikelihoodAnswer *a);

typedef struct {
  int64_t good; /* rows that have a density */
  double mean, error;
} LikelihoodMean;

/* Mean of x - y (y may be NULL) over the rows where x is finite, with its standard error: rows of one condition share
 * their regression's error, so where there are several conditions, these are what is independent.  For rank 0. */
LikelihoodMean likelihood_mean(const LikelihoodAnswer *a, const double x[], const double y[]);

#endif

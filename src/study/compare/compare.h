/* Private to compare: what is known of one held-out condition, and how it is written. */
#ifndef SCORIA_COMPARE_H
#define SCORIA_COMPARE_H

#include "scoria/results.h"
#include "scoria/study.h"

#define COMPARE_EXAMPLES 8

enum { COMPARE_SIDES = 2 }; /* of a law: the model, the PDE */

/* Index of the deck's sample condition: beyond every held-out one, of which there are 10^6 at most. */
#define COMPARE_SAMPLE_INDEX (1 << 20)

typedef struct {
  double theta[SCORIA_MAX_CONDITIONS];
  int64_t good[SCORIA_NFROM];            /* fields without failure */
  ScoriaDistance distance[SCORIA_NFROM]; /* to SCORIA_FROM_PDE; [SCORIA_FROM_PDE] is unused */
  ScoriaEstimates reference[SCORIA_MAX_DECK_QUANTITIES],
      sample[SCORIA_MAX_DECK_QUANTITIES];                /* of both PDE ensembles together; of the model */
  double residual[SCORIA_MAX_SYMMETRIES][COMPARE_SIDES]; /* mean squares, of the laws that one condition can break */
  ScoriaMemorisation memory;                             /* NaN where it could not be told */
  double *curve[SCORIA_NVIEWS][SCORIA_NFROM];            /* owned; (SCORIA_NCURVES, C, L) */
  double *example[SCORIA_NFROM];                         /* owned; (COMPARE_EXAMPLES, C, L) */
} Comparison;

typedef struct {
  int conditions, channels, cells;
  int first; /* index of the first condition, by which porosities and samples are drawn */
  int64_t count;
  const ScoriaField *field; /* borrowed; (channels) */
  const ScoriaSpace *space; /* borrowed */
  const double *x;          /* borrowed; (cells) */
  Comparison *c;            /* owned; (conditions) */
  int nquantities;
  ScoriaQuantity quantity[SCORIA_MAX_DECK_QUANTITIES];
  int offset[SCORIA_MAX_DECK_QUANTITIES]; /* condition whose value is the quantity's offset, -1: none */
  int nsymmetries;
  ScoriaSymmetry symmetry[SCORIA_MAX_SYMMETRIES];
  double kept[SCORIA_MAX_SYMMETRIES][COMPARE_SIDES];      /* rms deviation from each law / SD */
  int64_t memory_rows, memory_conditions, memory_samples; /* behind Comparison.memory; 0: no training set at hand */
  double seconds[SCORIA_NFROM];                           /* core seconds per field */
  double seconds_data, seconds_training;                  /* core seconds of dataset and model; NaN: not known */
  int64_t training_rows;                                  /* of the deck's dataset */
  int evaluations;                                        /* network evaluations per sample */
  const char *sampler;
  bool files; /* of two files: no baseline, no curves, no cost; count is the rows of each */
} ComparisonSet;

/* The training set, for nearest rows. */
typedef struct {
  ScoriaDataset ds; /* owned; NULL: none at hand */
  const ScoriaDatasetSpec *spec;
  int field[SCORIA_MAX_FIELDS];       /* where the model's channels stand in it */
  int r;                              /* coordinates that the network learns */
  int64_t conditions, near, each;     /* near: conditions whose rows count; each: rows of one */
  int64_t first, number;              /* this rank's block of the conditions */
  double *theta, *distance;           /* owned (number, space.n), (number) */
  ScoriaRows rows;                    /* owned: of one condition */
  double *fields, *y, *train, *draws; /* owned: of one condition; all their coordinates; learned ones */
  int64_t *order;                     /* owned (near) */
} CompareMemory;

/* What makes fields and measures them. */
typedef struct {
  MPI_Comm comm;
  int rank, size;
  ScoriaEnsemble ens;                /* owned */
  ScoriaTrained trained;             /* owned */
  ScoriaSource source[SCORIA_NFROM]; /* owned */
  ScoriaPace pace[SCORIA_NFROM];     /* rounds of draws */
  const ScoriaProblem *problem;
  void *parameters; /* owned */
  uint64_t seed;
  PetscInt directions;
  int m;                          /* C * L */
  double *share;                  /* owned (count, m); this rank's fields of one source */
  double *gathered[SCORIA_NFROM]; /* owned; (count, m), on the rank that measures a condition */
  CompareMemory memory;
} Comparer;

/* The sources of the deck: two ensembles of fresh solves, the model, its conditional Gaussian.  Collective. */
PetscErrorCode CompareOpenSources(ScoriaRun run, ScoriaDeck deck, Comparer *cmp);
PetscErrorCode CompareCloseSources(Comparer *cmp);
/* `count` fields (count, C, L) of a source at theta into all, on rank `owner`, in the order of their numbers; porosity
 * and noise of condition `condition` of the set, so that fields at several theta belong to each other row by row.
 * count: set->count at most.  Collective. */
PetscErrorCode CompareFields(Comparer *cmp, ComparisonSet *set, int condition, const double theta[], int source,
                             int64_t count, int owner, double all[]);

/* Room for conditions, and in each for curves and examples; CompareDestroyConditions frees it. */
PetscErrorCode CompareCreateConditions(ComparisonSet *set);
PetscErrorCode CompareDestroyConditions(ComparisonSet *set);
/* Curves of all views and the first few of n fields (n, C, L), which end as the last view. */
PetscErrorCode CompareFillCurves(const ComparisonSet *set, int64_t n, double fields[], int source, Comparison *c);
/* Field minus its value in the first cell, in place, of n fields (n, C, L). */
void compare_subtract_first(int64_t n, int channels, int cells, double fields[]);

/* Estimates of the quantities of interest at one condition, from its good fields of every source. */
PetscErrorCode CompareFillEstimates(const ComparisonSet *set, double *const fields[SCORIA_NFROM], Comparison *c);
/* compare.json's member "worth", and the same in two lines for people. */
PetscErrorCode CompareAddWorth(cJSON *root, const ComparisonSet *set);
PetscErrorCode CompareSayWorth(ScoriaRun run, const ComparisonSet *set);

/* compare_symmetries.c: the laws that the deck's problem has; those that the fields of one condition can break, of the
 * gathered fields; then all of them over the held-out conditions, with a few more fields for those between conditions:
 * at up to 4 conditions and 3 points, up to an eighth of set->count each, and as many solves.  Begin and the last are
 * collective. */
PetscErrorCode CompareSymmetriesBegin(ScoriaDeck deck, Comparer *cmp, ComparisonSet *set);
PetscErrorCode CompareFillResiduals(const Comparer *cmp, const ComparisonSet *set, Comparison *c);
PetscErrorCode CompareSymmetries(Comparer *cmp, ComparisonSet *set);
void compare_add_symmetries(cJSON *root, const ComparisonSet *set);
PetscErrorCode CompareSaySymmetries(ScoriaRun run, const ComparisonSet *set);

/* compare_memorisation.c: finds the training set in the run directory; measures conditions [base,
 * base + chunk), one on each of the first ranks, from the gathered fields as they came.  Where the conditions of the
 * training set are, each rank knows of a block of them.  Create and Memorise are collective. */
PetscErrorCode CompareMemoryCreate(ScoriaRun run, ScoriaDeck deck, Comparer *cmp, ComparisonSet *set);
PetscErrorCode CompareMemorise(Comparer *cmp, ComparisonSet *set, int base, int chunk);
PetscErrorCode CompareMemoryDestroy(CompareMemory *memory);
void compare_add_memorisation(cJSON *root, const ComparisonSet *set);
PetscErrorCode CompareSayMemorisation(ScoriaRun run, const ComparisonSet *set);

/* The held-out conditions, and in the group /sample those of `sample`, which may have none. */
PetscErrorCode CompareWriteStore(const ComparisonSet *set, const ComparisonSet *sample, MPI_Comm comm, const char *path,
                                 const char *deck);
PetscErrorCode CompareWriteJson(const ComparisonSet *set, MPI_Comm comm, const char *path);
PetscErrorCode CompareSayTable(ScoriaRun run, const ComparisonSet *set);
/* The measures of a source, pooled over the conditions.  Local. */
PetscErrorCode ComparePool(const ComparisonSet *set, int source, ScoriaDistance *pooled);

#endif

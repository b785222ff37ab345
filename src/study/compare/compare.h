/* Private to compare: what is asked, what is measured at each condition, and how it is written. */
#ifndef SCORIA_COMPARE_H
#define SCORIA_COMPARE_H

#include "scoria/features.h"
#include "scoria/results.h"
#include "scoria/study.h"
#include "scoria/uq_parts.h"

_Static_assert(SCORIA_FEATURE_CHANNELS >= SCORIA_MAX_FIELDS, "features of every field that a row can have");

#define COMPARE_EXAMPLES 8
#define COMPARE_MAX_OWN SCORIA_FORECAST_QUANTITIES /* of the deck's own: all that uq takes */
#define COMPARE_MAX_TAILS (SCORIA_MAX_DECK_QUANTITIES + 2 * SCORIA_MAX_FIELDS + COMPARE_MAX_OWN)
enum { COMPARE_SIDES = 2 }; /* of a law: the model, the PDE */

/* Index of the deck's sample condition: beyond every held-out one, of which there are 10^6 at most. */
#define COMPARE_SAMPLE_INDEX (1 << 20)

/* ------------------------------------------------------------------------------------------------ results ---- */

/* What is measured at one condition: values alone, which go from rank to rank as they are. */
typedef struct {
  double theta[SCORIA_MAX_CONDITIONS];
  int64_t good[SCORIA_NFROM];            /* fields without failure */
  ScoriaDistance distance[SCORIA_NFROM]; /* to SCORIA_FROM_PDE, whose own is unused */
  /* of both PDE ensembles together; of the model; of its Gaussian */
  ScoriaEstimates reference[COMPARE_MAX_TAILS], sample[COMPARE_MAX_TAILS], gaussian[COMPARE_MAX_TAILS];
  ScoriaTailCounts tail[COMPARE_MAX_TAILS];              /* likewise */
  double residual[SCORIA_MAX_SYMMETRIES][COMPARE_SIDES]; /* mean squares, of the laws that one condition can break */
  ScoriaMemorisation memory;                             /* NaN where it is not known */
} Comparison;

/* What whole fields have besides, at one condition: values alone too. */
typedef struct {
  ScoriaWholeLaw law[SCORIA_NFROM];
  ScoriaWholeDistance distance[SCORIA_NFROM]; /* to SCORIA_FROM_PDE, as in Comparison */
} CompareWhole;

typedef struct CompareMaps_ *CompareMaps;

/* Rank 0, which writes them, has all conditions; another has the one that it measures. */
typedef struct {
  int conditions, held; /* of which `held` are here */
  int first;            /* index of the first condition, by which porosities and samples are drawn */
  int64_t count;
  bool wide;     /* of whole fields: rows are their features, and shape is that of their lateral means */
  bool imported; /* the reference is data that were held back, not solves */
  ScoriaFieldShape shape;
  int channel[SCORIA_MAX_FIELDS]; /* of two files: where the channels stand in shape.field */
  ScoriaMadeFrom made;            /* of the model, and of the training set that is looked at */
  Comparison *c;                  /* owned; (held), compare_condition */
  CompareWhole *whole;            /* owned; (held), of whole fields; NULL: of profiles */
  double *profiles;               /* owned; (held) curves and examples, compare_curve and compare_example; NULL: none */
  CompareMaps maps;               /* owned; of whole fields; NULL: none */
} ComparisonSet;

/* Room for conditions without profiles, or with them; CompareDestroyConditions frees both. */
PetscErrorCode CompareCreateConditions(MPI_Comm comm, ComparisonSet *set, bool profiles);
PetscErrorCode CompareDestroyConditions(ComparisonSet *set);
PetscErrorCode CompareForget(ComparisonSet *set);                       /* what is here: zeros, as at the start */
Comparison *compare_condition(const ComparisonSet *set, int condition); /* that is here */
/* What each of the first `chunk` ranks knows of condition base + rank, to rank 0, by at most two collectives however
 * many there are.  Collective. */
PetscErrorCode CompareHandIn(MPI_Comm comm, ComparisonSet *set, int base, int chunk);
/* (C, L) of a condition; (COMPARE_EXAMPLES, C, L). */
double *compare_curve(const ComparisonSet *set, int condition, ScoriaView view, ScoriaFrom from, ScoriaCurve curve);
double *compare_example(const ComparisonSet *set, int condition, ScoriaFrom from);
/* Curves of all views and the first few of n fields (n, C, L), which end as the last view. */
PetscErrorCode CompareFillCurves(ComparisonSet *set, int condition, int64_t n, double fields[], ScoriaFrom from);
/* Field minus its value in the first cell, in place, of n fields (n, C, L). */
void compare_subtract_first(int64_t n, int channels, int cells, double fields[]);

/* compare_match.c: for each of na conditions a (na, n) of a sample, in their order, the first of the nb conditions b
 * of a reference that is the same, if there is one: match (*number, 2), room for na pairs.  In O((na + nb) log nb),
 * where few conditions lie nearer to each other than a part in a million.  Local. */
PetscErrorCode CompareMatch(const ScoriaSpace *space, int64_t na, const double a[], int64_t nb, const double b[],
                            int64_t match[], int64_t *number);

/* ------------------------------------------------------------------------------------------------- fields ---- */

typedef struct CompareKeeper_ CompareKeeper; /* compare_kept.h */

/* What draws the fields, and room for those of one condition. */
typedef struct {
  MPI_Comm comm;
  int rank, size;
  int m;                                                  /* C * L */
  ScoriaSource source[SCORIA_NFROM], timed[SCORIA_NFROM]; /* borrowed; timed: whose seconds count, or the same */
  ScoriaPace pace[SCORIA_NFROM];                          /* rounds of draws */
  CompareKeeper *keeper;                                  /* borrowed; NULL: a stop keeps nothing */
  char kept[96];                                          /* what it keeps, in words */
  double *share;                                          /* owned (count, m); this rank's fields of one source */
  double *gathered[SCORIA_NFROM];                         /* owned (count, m), on the rank that measures a condition */
} CompareDraws;

/* For `count` fields of each source, at most.  Collective. */
PetscErrorCode CompareDrawsCreate(ScoriaRun run, const ScoriaSource source[SCORIA_NFROM], int64_t count,
                                  CompareDraws *draws);
PetscErrorCode CompareDrawsDestroy(CompareDraws *draws);
extern const ScoriaDraws compare_numbers[SCORIA_NFROM]; /* who draws the fields of a source */
/* `count` fields (count, C, L) of a source at each of k conditions into all, those of theta[j] on rank j, in the order
 * of their numbers; porosity and noise of the condition of index + j, so that fields at several theta belong to each
 * other row by row.  Collective. */
PetscErrorCode CompareFields(CompareDraws *draws, int index, int k, const double theta[][SCORIA_MAX_CONDITIONS],
                             ScoriaFrom from, int64_t count, double all[]);

size_t compare_profiles_size(const ComparisonSet *set); /* doubles of one condition */

/* ----------------------------------------------------------------------------------------------- measures ---- */

/* Numbers of a field whose estimates and tails are judged: `tails` of them.  Of profiles the first n are the quantities
 * of interest, the extremes of the other fields come behind; of whole fields all that uq asks of each.  The last `own`
 * are those of uq's probes, expressions and events. */
typedef struct {
  int n, tails, own;
  bool whole; /* the numbers of a whole field, which stand behind the features of its row */
  ScoriaNumbers
      numbers; /* owned: what takes the last `own` of a profile, or all of a whole field; NULL: there are none */
  ScoriaQuantity quantity[COMPARE_MAX_TAILS];
  int offset[COMPARE_MAX_TAILS]; /* condition whose value is the quantity's offset, -1: none */
  bool place[COMPARE_MAX_TAILS]; /* one of a few values: no errors are asked of its estimates */
} CompareQuantities;

/* compare_tails.c: of the deck, for fields of that shape. */
PetscErrorCode CompareQuantitiesOfDeck(ScoriaDeck deck, const ScoriaFieldShape *shape, CompareQuantities *quantities);
PetscErrorCode CompareQuantitiesDestroy(CompareQuantities *quantities);
/* compare_numbers.c: estimates of number `at` at one condition, and counts of its tails, from n[s] values of every
 * source, which are sorted. */
PetscErrorCode CompareFillNumber(int at, const int64_t n[SCORIA_NFROM], double *const values[SCORIA_NFROM],
                                 Comparison *c);
/* Of profiles: of the deck's own numbers, from the good fields of every source. */
PetscErrorCode CompareFillOwn(const CompareQuantities *quantities, double *const fields[SCORIA_NFROM], Comparison *c);
/* Of whole fields: of all of them, which are taken from behind the features of the good rows of every source (n, size +
 * numbers); what is left are rows of features (n, size). */
PetscErrorCode CompareFillWhole(const CompareQuantities *quantities, int size, double *const rows[SCORIA_NFROM],
                                Comparison *c);
/* Their names, commas between, and lines of the deck's own, COMPARE_OWN_LINE. */
void compare_quantity_names(const CompareQuantities *quantities, size_t size, char names[], size_t own_size,
                            char own[]);
/* How far each tail of each quantity is checked, from rank 0's counts: member COMPARE_TAILS; in compare.h5; in lines
 * for people. */
PetscErrorCode CompareAddTails(cJSON *root, const ComparisonSet *set, const CompareQuantities *quantities);
PetscErrorCode ComparePutTails(ScoriaStore store, const ComparisonSet *set, const CompareQuantities *quantities);
PetscErrorCode CompareSayTails(ScoriaRun run, const ComparisonSet *set, const CompareQuantities *quantities);

/* Laws of the problem. */
typedef struct {
  const ScoriaProblem *problem;
  void *parameters; /* owned */
  int n;
  ScoriaSymmetry law[SCORIA_MAX_SYMMETRIES];
  double kept[SCORIA_MAX_SYMMETRIES][COMPARE_SIDES]; /* rms deviation from each law / SD */
} CompareLaws;

/* The training set, for nearest rows. */
typedef struct {
  ScoriaDataset ds;                   /* owned; NULL: none at hand */
  char dataset[SCORIA_IDENTITY_SIZE]; /* its rows that the model was trained on */
  const ScoriaDatasetSpec *spec;
  ScoriaSplit split;     /* which rows of it were learned from */
  ScoriaNormaliser norm; /* borrowed, as is the twin: of the model */
  const ScoriaTwin *twin;
  int64_t samples;                    /* of a condition that are measured */
  int field[SCORIA_MAX_FIELDS];       /* where the model's channels stand in it */
  int r;                              /* coordinates that the network learns */
  int64_t conditions, near, each;     /* near: conditions whose rows count; each: rows of one */
  int64_t first, number;              /* this rank's block of the conditions */
  double *theta, *distance;           /* owned (number, space.n), (number) */
  ScoriaRows rows;                    /* owned: of one condition */
  double *fields, *y, *train, *draws; /* owned: of one condition; all their coordinates; learned ones */
  int64_t *order;                     /* owned (near) */
} CompareMemory;

/* What is measured beside the distances; each may be NULL. */
typedef struct {
  uint64_t seed;  /* of the directions */
  int directions; /* of the sliced Wasserstein distance */
  const CompareQuantities *quantities;
  const CompareLaws *laws;
  CompareMemory *memory;
  ScoriaFeatures features; /* of whole fields */
  bool shown;              /* conditions are shown, not judged: too few good fields are no error */
  bool alike;              /* as many fields of every source, however many one has */
} CompareAsked;

/* compare_measure.c: draws the fields of all sources at every condition (rank 0's c[k].theta) and measures them;
 * seconds: core seconds per field of each source.  Collective. */
PetscErrorCode CompareMeasure(ScoriaRun run, CompareDraws *draws, const CompareAsked *asked, ComparisonSet *set,
                              double seconds[SCORIA_NFROM]);
/* A source of condition k that has too few good fields to compare; -1: none. */
int compare_lacking(const ComparisonSet *set, int k);

/* compare_biases.c.  The bias of an estimate over the conditions, of the model and of its Gaussian; NaN of one that has
 * none. */
typedef struct {
  bool varies; /* false: the quantity does not, and there is no bias of the model */
  ScoriaBias model, gaussian;
} CompareBias;
typedef struct {
  CompareBias of[COMPARE_MAX_TAILS][SCORIA_NESTIMATES]; /* every number that is judged */
} CompareBiases;
/* Of the conditions that are here: all of them on rank 0.  Local. */
PetscErrorCode CompareBiasesOfConditions(const ComparisonSet *set, const CompareQuantities *quantities,
                                         CompareBiases *biases);
/* In compare.h5. */
PetscErrorCode ComparePutBiases(ScoriaStore store, const CompareQuantities *quantities, const CompareBiases *biases);

/* compare_pooled.c.  Rows at many conditions, few at each, judged together. */
typedef struct {
  int64_t conditions, each; /* rows of each, at most */
  const double *theta;      /* (conditions, space.n) */
  uint64_t seed;
  int directions;
  ScoriaFeatures features;             /* of whole fields, whose sources give features; NULL: of profiles */
  const CompareQuantities *quantities; /* whose tails are counted, of whole fields behind the features; NULL: none */
  ComparisonSet *curves;               /* with profiles: rank 0 fills the residuals' as condition 0's; NULL: none */
} ComparePooled;
/* Bytes that rank 0 takes at most: for any number of rows of m values, `each` of a condition, and of `tails` numbers;
 * and for every row. */
typedef struct {
  double fixed, row;
} CompareRoom;
CompareRoom compare_pooled_room(ScoriaFeatures features, int m, int tails, int64_t each);

/* Distances between residuals of the rows (SCORIA_FROM_PDE), the model and its Gaussian; the floor is of bootstrap
 * samples of the rows, and SCORIA_FROM_PDE_AGAIN of source is not looked at.  The source of rows has none for good
 * where it has NaN.  Collective; c is known to all, biases to rank 0. */
PetscErrorCode CompareMeasurePooled(ScoriaRun run, const ScoriaSource source[SCORIA_NFROM], const ComparePooled *asked,
                                    Comparison *c, CompareBiases *biases);

/* compare_residuals.c: numbers of such rows, and of the model's draws for them. */
enum {
  COMPARE_RESIDUAL_ROWS,   /* of the rows, by the model's mean and SD */
  COMPARE_RESIDUAL_MODEL,  /* of the model's draws, by the same */
  COMPARE_RESIDUAL_BESIDE, /* of the rows, by those of the model's Gaussian */
  COMPARE_RESIDUALS
};
typedef struct {
  const CompareQuantities *quantities; /* borrowed; NULL: there are none */
  int n, m, cells, behind;             /* numbers; of a row: values, cells, place of the numbers of a whole field */
  int64_t draws, conditions;           /* at a condition; of asked */
  double condition;                    /* number of the one that rows are taken at */
  double *drawn;                       /* owned (draws, n) */
  double *mean[2], *unit[2];           /* owned (n): of the model at the condition, of its Gaussian */
  double *share[COMPARE_RESIDUALS];    /* owned (rows, n + 1): residuals here, behind them the condition's number */
  double *all[COMPARE_RESIDUALS];      /* owned: the same on rank 0 */
} CompareResiduals;

/* Of rows of that shape; with room for the draws of a condition, residuals here, and of all ranks. */
PetscErrorCode CompareResidualsCreate(const ComparePooled *asked, const ScoriaFieldShape *shape, int64_t draws,
                                      int64_t rows_here, int64_t rows, CompareResiduals *r);
PetscErrorCode CompareResidualsDestroy(CompareResiduals *r);
/* At condition k from now on, at which draws of the model, or of its Gaussian, are these (draws, m). */
void compare_residuals_at(CompareResiduals *r, int64_t k, const double theta[], bool gaussian, int64_t draws,
                          const double rows[]);
/* A row of the reference and one of the model become residuals number `at` here. */
void compare_residuals_take(CompareResiduals *r, const double theta[], int64_t at, const double row[],
                            const double model[]);
/* `mine` of this rank and all others' to rank 0, at starts[rank].  Collective. */
PetscErrorCode CompareResidualsGather(MPI_Comm comm, int mine, const int counts[], const int starts[],
                                      CompareResiduals *r);
/* On rank 0: c->tail of `rows` residuals of both, and biases of what the model and its Gaussian say of the rows. */
PetscErrorCode CompareResidualsCount(const CompareResiduals *r, int64_t rows, Comparison *c);
PetscErrorCode CompareResidualsBiases(const CompareResiduals *r, int64_t rows, CompareBiases *biases);

/* compare_worth.c.  Core seconds per field; of dataset and model, NaN: not known; rows of the deck's dataset. */
typedef struct {
  double seconds[SCORIA_NFROM];
  double seconds_data, seconds_training;
  int64_t training_rows;
  double tolerance;      /* that sources are compared at */
  ScoriaForecast levels; /* of several fidelities */
  CompareBiases biases;
} CompareCost;

/* Estimates of the quantities of interest at one condition, and counts of their tails, from its good fields (good, C,
 * L) of every source. */
PetscErrorCode CompareFillEstimates(const CompareQuantities *quantities, const ScoriaFieldShape *shape,
                                    double *const fields[SCORIA_NFROM], Comparison *c);
/* compare.json's member COMPARE_WORTH, and the same in a few lines for people. */
void compare_add_worth(cJSON *root, const CompareQuantities *quantities, const CompareCost *cost);
PetscErrorCode CompareSayWorth(ScoriaRun run, const CompareQuantities *quantities, const CompareCost *cost);
/* In compare.h5: times. */
PetscErrorCode ComparePutWorth(ScoriaStore store, const CompareCost *cost);

/* compare_symmetries.c: the laws that the deck's problem has on these conditions; those that the fields of one
 * condition can break, of its good fields; then all of them over the held-out conditions, with a few more fields for
 * those between conditions: at up to 4 conditions and 3 points, up to an eighth of set->count each, and as many solves.
 * Create and Measure are collective. */
PetscErrorCode CompareLawsCreate(ScoriaDeck deck, const ScoriaSpace *space, int dimensions, CompareLaws *laws);
PetscErrorCode CompareLawsDestroy(CompareLaws *laws);
PetscErrorCode CompareFillResiduals(const CompareLaws *laws, const ScoriaFieldShape *shape,
                                    double *const fields[SCORIA_NFROM], Comparison *c);
PetscErrorCode CompareLawsMeasure(CompareDraws *draws, const ComparisonSet *set, CompareLaws *laws);
void compare_add_laws(cJSON *root, const CompareLaws *laws);
PetscErrorCode CompareSayLaws(ScoriaRun run, const CompareLaws *laws);

/* compare_memorisation.c: finds the training set in the run directory, for `count` samples of a condition at most;
 * measures conditions [base, base + chunk), one on each of the first ranks, from the gathered fields as they came.
 * Where the conditions of the training set are, each rank knows of a block of them.  Create and Memorise are
 * collective. */
PetscErrorCode CompareMemoryCreate(ScoriaRun run, ScoriaDeck deck, const ScoriaTrained *trained,
                                   const ScoriaFieldShape *shape, int64_t count, CompareMemory *memory);
PetscErrorCode CompareMemorise(CompareDraws *draws, CompareMemory *memory, ComparisonSet *set, int base, int chunk,
                               const double theta[][SCORIA_MAX_CONDITIONS]);
PetscErrorCode CompareMemoryDestroy(CompareMemory *memory);
void compare_add_memorisation(cJSON *root, const ComparisonSet *set, const CompareMemory *memory);
PetscErrorCode CompareSayMemorisation(ScoriaRun run, const ComparisonSet *set, const CompareMemory *memory);

/* -------------------------------------------------------------------------------------------------- files ---- */

/* The sources whose distances are written, under their names; of two files there is no Gaussian, and the model is the
 * sample. */
typedef struct {
  int n;
  struct {
    ScoriaFrom from;
    const char *member, *title;
  } row[SCORIA_NMEASURED];
} CompareRows;

void compare_rows(bool files, CompareRows *rows);
/* The measures of a source, pooled over the conditions.  Local. */
PetscErrorCode ComparePool(const ComparisonSet *set, ScoriaFrom from, ScoriaDistance *pooled);
/* compare_json.c: the measures pooled and at their worst; those of each condition. */
PetscErrorCode CompareAddMeasures(cJSON *root, const ComparisonSet *set, bool files);
void compare_add_conditions(cJSON *root, const ComparisonSet *set, bool files);
/* compare_features.c: of whole fields in a set of this shape, each on its cells, as the deck asks; refused where that
 * takes more than run_memory. */
PetscErrorCode CompareFeaturesCreate(ScoriaDeck deck, int channels, const ScoriaField field[], const int shape[3],
                                     const double x[], ScoriaFeatures *features);
#define COMPARE_BATCH_BYTES ((int64_t)32 << 20) /* of whole fields, unless one row takes more */
/* Room for a few rows (rows, channels, cells) of whole fields. */
typedef struct {
  int64_t rows;
  double *buffer; /* owned */
} CompareBatch;
PetscErrorCode CompareBatchCreate(const ScoriaFieldShape *shape, CompareBatch *batch);
PetscErrorCode CompareBatchDestroy(CompareBatch *batch);
/* What is kept of a row: features, and behind them numbers, of which there may be none (NULL). */
typedef struct {
  ScoriaFeatures features; /* borrowed, both */
  ScoriaNumbers numbers;
} CompareKept;
/* That (n, kept size) of n rows of a source of whole fields, NaN where a row has failed, in as many draws as `most` >=
 * n rows take: one number on all ranks where the source's draws are collective. */
PetscErrorCode CompareDrawFeatures(ScoriaSource of, const CompareKept *kept, const CompareBatch *batch,
                                   const double theta[], uint64_t first, int64_t n, int64_t most, double rows[]);
/* A source of what is kept of the rows of a source of whole fields, borrowed: fields (n, 1, kept size). */
PetscErrorCode CompareSourceOfFeatures(ScoriaSource of, const CompareKept *kept, ScoriaSource *source);
/* compare_whole.c: measures of rows[s] (n[s], features_size) of each source, that are the distances of c too; n[s] 0:
 * none. */
PetscErrorCode CompareMeasureWhole(ScoriaFeatures features, const int64_t n[SCORIA_NFROM],
                                   const double *const rows[SCORIA_NFROM], CompareWhole *whole, Comparison *c);
/* Member COMPARE_WHOLE; the same in lines for people. */
PetscErrorCode CompareAddWhole(cJSON *root, const ComparisonSet *set, ScoriaFeatures features, bool files);
PetscErrorCode CompareSayWhole(ScoriaRun run, const ComparisonSet *set, bool files);
/* compare_maps.c: rows of every source of whole fields at the conditions, in the numbers of compare_numbers. */
typedef struct {
  int64_t conditions, each; /* rows of each, at most: fewer are taken where they are many */
  const double *theta;      /* (conditions, space.n) */
  bool paired;              /* a row that the reference lacks counts in no source: rows of many conditions */
} CompareMapped;

/* source[s] may be NULL.  Collective, as are the next two. */
PetscErrorCode CompareMapsMake(ScoriaRun run, const ScoriaSource source[SCORIA_NFROM], const CompareMapped *asked,
                               CompareMaps *maps);
PetscErrorCode CompareMapsPut(ScoriaStore store, CompareMaps maps);
PetscErrorCode CompareMapsDestroy(CompareMaps *maps);
/* compare_table.c: the pooled measures on standard output. */
PetscErrorCode CompareSayMeasures(ScoriaRun run, const ComparisonSet *set, bool files);
/* A line where the model's network is farther from the reference than the Gaussian that it starts from. */
PetscErrorCode CompareSayNearer(ScoriaRun run, const ComparisonSet *set);
/* compare_store.c: the held-out conditions, and in a group of their own those of `sample`, which may have none,
 * and of `residuals`, NULL: there are none; tails of quantities and biases of their estimates, NULL: none were looked
 * at; what they cost, NULL: there are no solves. */
PetscErrorCode CompareWriteStore(const ComparisonSet *set, const ComparisonSet *sample, const ComparisonSet *residuals,
                                 const CompareQuantities *quantities, const CompareBiases *biases,
                                 const CompareCost *cost, MPI_Comm comm, const char *path, const char *deck);

#endif

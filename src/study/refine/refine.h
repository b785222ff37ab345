/* Private to refine: the porosity profile behind a given field, by the solver. */
#ifndef SCORIA_REFINE_H
#define SCORIA_REFINE_H

#include "scoria/study.h"

#define REFINE_MOST_DIRECTIONS 64

typedef struct {
  int directions;   /* K: leading ones of the porosity's normals */
  int iterations;   /* at most */
  double tolerance; /* a step that lowers the misfit by less is the last [SD] */
  double sigma;     /* what a cell of a given field may be off [SD] */
} RefineOptions;

/* What a row ended with: numbers, for the columns of refine.h5. */
enum { REFINE_BEFORE, REFINE_AFTER, REFINE_NORM, REFINE_ITERATIONS, REFINE_STATUS, REFINE_ROW, REFINE_COLUMNS };
enum { REFINE_FAILED = 0, REFINE_CONVERGED = 1, REFINE_STOPPED = 2 };

/* From normals to a porosity profile to fields.  Both are collective on the group that refines a row. */
typedef struct {
  void *ctx;              /* borrowed */
  ScoriaDatasetSpec spec; /* of the solved rows: fields of state first */
  /* eps (cells) of independent unit normals z (cells) at theta (space.n). */
  PetscErrorCode (*profile)(void *ctx, const double theta[], const double z[], double eps[]);
  /* n rows of the profiles eps (n, cells) at theta (n, space.n); one that fails is marked as such. */
  PetscErrorCode (*solve)(void *ctx, int64_t n, const double theta[], const double eps[], ScoriaRows *rows);
} RefineForward;

/* The leading directions at one condition, and the work space. */
typedef struct Refiner_ *Refiner;

/* forward is copied.  Collective on the group, like everything here. */
PetscErrorCode RefinerCreate(const RefineForward *forward, const RefineOptions *opt, Refiner *refiner);
PetscErrorCode RefinerDestroy(Refiner *refiner);
/* Sets the condition (space.n) of the rows to come: their directions, and the solution at z = 0. */
PetscErrorCode RefinerAt(Refiner refiner, const double theta[]);
/* The profile whose solution is nearest to field (channels, cells), distances in units of sd (channels, cells), for the
 * price of |z|^2: row `row` of rows gets its solution, column (REFINE_COLUMNS) the numbers. */
PetscErrorCode RefinerRun(Refiner refiner, const double field[], const double sd[], int64_t row, ScoriaRows *rows,
                          double column[]);

/* refine_pde.c: the PDE on a file's cells, at its conditions, as what a refiner needs. */
typedef struct {
  ScoriaEnsemble ens; /* owned, as is the next */
  ScoriaPorosity por;
  const double *x;       /* borrowed (cells) [m] */
  RefineForward forward; /* whose ctx this is: not to be copied */
} RefinePde;

/* given: of the file.  Collective. */
PetscErrorCode RefinePdeOpen(ScoriaRun run, ScoriaDeck deck, const ScoriaDatasetSpec *given, RefinePde *pde);
PetscErrorCode RefinePdeClose(RefinePde *pde);

/* refine_given.c: the file whose rows are refined. */
typedef struct {
  MPI_Comm comm;
  char path[PETSC_MAX_PATH_LEN];
  bool own;            /* the samples of the run directory, not a file that was named */
  ScoriaMadeFrom made; /* what refined.h5 is made from */
  ScoriaDataset ds;    /* owned */
  const ScoriaDatasetSpec *spec;
} RefineGiven;

PetscErrorCode RefineGivenName(ScoriaRun run, ScoriaDeck deck, RefineGiven *given);
/* A user error where it is of another problem, or of a model that is no longer there.  Collective. */
PetscErrorCode RefineGivenOpen(ScoriaRun run, ScoriaDeck deck, RefineGiven *given);
PetscErrorCode RefineGivenClose(RefineGiven *given);

/* refine_chosen.c: of its rows, those that are refined: `each` of every condition chosen. */
typedef struct {
  int channels, m;                                                /* m = channels cells */
  int field[SCORIA_MAX_FIELDS], condition[SCORIA_MAX_CONDITIONS]; /* where the PDE's stand in the file; -1: fixed */
  ScoriaSpace space;                                              /* of the PDE */
  int64_t conditions, each;
  double *theta, *sd; /* owned (conditions, space.n), (conditions, m) */
} RefineChosen;

/* A user error where the file lacks what the PDE has.  Collective. */
PetscErrorCode RefineChosenRead(ScoriaDeck deck, const RefineGiven *given, const RefinePde *pde, RefineChosen *chosen);
PetscErrorCode RefineChosenDestroy(RefineChosen *chosen);
/* The fields (number, m) of the chosen rows [first, first + number), NaN where one is not good, and where they stand in
 * the file (number).  Collective: most is the largest number of any rank. */
PetscErrorCode RefineChosenFields(const RefineGiven *given, const RefineChosen *chosen, int64_t most, int64_t first,
                                  int64_t number, double fields[], double at[]);

/* refine_kept.c: rows that are done, the first of the list, and the checkpoint of those of an unfinished refinement.
 * Any rank may have made them: what a rank has not is zero bits, so that sums of the bits gather them exactly. */
typedef struct {
  ScoriaRun run; /* borrowed, as are the next three */
  ScoriaDeck deck;
  const RefineGiven *given;
  const ScoriaDatasetSpec *spec; /* of refined.h5 */
  int64_t width, done;           /* numbers of a row; rows, the same on every rank */
  double *row;                   /* owned (spec->rows, width) */
  double saved;                  /* [s] */
} RefineKept;

/* What an earlier start of this refinement has kept, or no rows.  Collective, as are the next three calls. */
PetscErrorCode RefineKeptFind(ScoriaRun run, ScoriaDeck deck, const RefineGiven *given, const ScoriaDatasetSpec *spec,
                              RefineKept *kept);
/* A checkpoint of the rows so far. */
PetscErrorCode RefineKeptSave(RefineKept *kept);
/* Every rank gets all rows. */
PetscErrorCode RefineKeptShare(RefineKept *kept);
/* All is written: the checkpoint goes. */
PetscErrorCode RefineKeptFinish(RefineKept *kept);
/* The checkpoint of a refinement that is complete goes, which a run has left that was killed at its end.  Collective.
 */
PetscErrorCode RefineKeptForget(ScoriaRun run, ScoriaDeck deck);
/* Row `at` is row `from` of rows and its column (REFINE_COLUMNS); and rows [first, first + n) of the list into rows. */
void refine_keep(RefineKept *kept, int64_t at, const ScoriaRows *rows, int64_t from, const double column[]);
void refine_take(const RefineKept *kept, int64_t first, int64_t n, ScoriaRows *rows);
/* (REFINE_COLUMNS) of row `at`. */
const double *refine_column(const RefineKept *kept, int64_t at);

/* refine_write.c.  refine.h5, what refined.h5 has no place for: column (REFINE_COLUMNS, rows), known on all ranks;
 * sample: the file whose rows were refined.  Collective. */
PetscErrorCode RefineWrite(ScoriaRun run, ScoriaDeck deck, const char *sample, const ScoriaMadeFrom *made, int64_t rows,
                           const double column[]);
/* How the rows ended, and quantiles of the columns.  Collective. */
PetscErrorCode RefineSay(ScoriaRun run, int64_t rows, int64_t conditions, const double column[]);

#endif

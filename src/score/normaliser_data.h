/* The rows behind a normaliser, dealt to the ranks: read once each, by one rank.
 *
 * A piece is the rows of one condition, or a part of them where a condition has more than fit into a tile; where some
 * rows of every condition are left out for validation, these are pieces of their own.  A tile is a run of pieces; what
 * makes a tile follows from the dataset alone.  Every rank has a block of tiles.  Whatever is summed over rows is
 * summed within tiles first, and over tiles in fixed point (tile_sum.h): the same bits on any number of ranks.  Within
 * its tile a piece has a slot, those that are fitted first; tables over pieces are in order of slots. */
#ifndef SCORIA_SCORE_NORMALISER_DATA_H
#define SCORIA_SCORE_NORMALISER_DATA_H

#include "normaliser.h"

/* Passes over rows, told as progress, which may be stopped. */
typedef struct {
  MPI_Comm comm;      /* borrowed, as is the next */
  ScoriaRun run;      /* NULL: nothing is told */
  ScoriaProgress bar; /* owned */
  double rows;        /* of a pass */
  int pass;           /* how many are done */
  double noticed;     /* when this rank noticed that it is to stop; 0: not yet */
  bool known;         /* the normaliser is fitted, and kept */
} NormPasses;

typedef PetscErrorCode (*NormTileVisit)(void *ctx, int t); /* local */
/* Visits every tile of this rank.  Stops in good order where that is asked for.  what: told beside the progress.  One
 * collective call, and one more every two seconds.  Collective. */
PetscErrorCode NormPassesWalk(NormPasses *passes, const char *what, int tiles, NormTileVisit visit, void *ctx);

/* Stages of a row on its way to the network's coordinates. */
typedef enum {
  NORM_FIELDS,      /* x (m) as in the file */
  NORM_DIFFERENCES, /* w (m): transformed, less the first cell where that is relative */
  NORM_MODES,       /* alpha (R): modes of z over their standard deviations */
} NormStage;

/* Of pieces. */
typedef enum {
  NORM_FITTED,   /* of the training set, with a usable row */
  NORM_EMPTY,    /* of the training set, without one */
  NORM_LEFT_OUT, /* for validation */
} NormKind;

/* How many rows of a tile there are: of fitted pieces, which is all of the training set, and of all. */
typedef struct {
  int fitted, all;
} NormRows;

/* Pieces with u_condition in [from, to). */
typedef struct {
  int condition;
  double from, to;
} NormLevel;

typedef struct {
  NormInput in;
  const ScoriaDatasetSpec *spec; /* borrowed from in.ds */
  NormProfile norm;              /* borrowed */
  int64_t conditions;            /* of the dataset */
  int parts, width;              /* parts of a condition, parts of a tile */
  int sides;                     /* pieces of a part: 2 where rows of it are left out, even and odd, else 1 */
  int64_t capacity;              /* rows of a tile at most */
  int64_t all_tiles, first_tile; /* of all ranks; of this one */
  NormTiles tiles;
  int64_t *start;    /* owned (tiles + 1), behind tiles */
  int *fitted;       /* owned (tiles), behind tiles: fitted pieces */
  NormRows *rows;    /* owned (tiles) */
  bool *seen;        /* owned (tiles): the slots of a tile are dealt */
  void **held;       /* owned (tiles): its rows, in the precision of the file; NULL: to be read again */
  NormStage *stage;  /* owned (tiles): of held rows */
  double room;       /* left for further ones [byte] */
  bool known;        /* the normaliser is fitted: every tile is needed once */
  int *piece;        /* owned (slots): its number within its tile */
  NormKind *kind;    /* owned (slots) */
  double *good;      /* owned (slots): usable rows */
  double *theta, *u; /* owned (slots, space.n), (slots, d) */
  double *twin;      /* owned (slots, m): the twin in w; NULL without one */
  double *mean_X;    /* owned (slots, mean.terms): polynomials, when they are chosen; likewise */
  double *scale_X, *phi_X;
  const double *mean_coef, *scale_coef; /* borrowed: m and ln s, when they are known */
  int64_t n;                            /* fitted conditions, of all ranks */
  double fitted_pieces, fitted_rows;    /* of all ranks */
  bool unrepeated;                      /* most of what is known of a spread lies between conditions, not within */
  bool few;                             /* few conditions, of many rows each */
  NormLevel *level;                     /* owned (levels): inner values of the conditions that take few */
  int levels;
  bool *mean_use, *scale_use; /* owned (m, mean.terms), (m, scale.terms): terms chosen; NULL: all */
  bool *mode_use, *mu_use;    /* owned (R, scale.terms), (R, mean.terms): of ln D and ln d, of mu; NULL: all */
  double *leverage;           /* owned (slots): of the mean's regression; NULL: too small to matter */
  double *own, *within;       /* owned (slots): see NormFindUnseen; NULL unless few */
  bool *varies;               /* owned (m): the elements of w that do, beyond rounding; set with the scales */
  double *rounding;           /* owned (m): variance of the stored values' round-off, of z; set with the scales */
  ScoriaRows buffer;          /* owned (capacity) */
  bool *usable;               /* owned (capacity): rows of the buffer */
  double *v;                  /* owned (capacity, m) */
  double *raw;                /* owned (capacity, values of a row): where there is an encoder */
  double *modes;              /* owned (capacity, R), when there are modes */
  double *project;            /* owned (R, m): modes over their standard deviations */
  double *base, *inverse_s;   /* owned (width, m): of the pieces of a tile */
  NormPasses passes;
} NormData;

/* Sees the rows of a tile in order of slots, v (rows, m) or (rows, R), and may overwrite them.  Local. */
typedef PetscErrorCode (*NormVisit)(void *ctx, NormData *data, int t, double v[]);

/* Deals the rows of in->ds for norm, of which C, L, m, d, space, twin and reference are set.  known: all of it is; the
 * polynomials' values are set as tiles are read.  Collective. */
PetscErrorCode NormDataCreate(const NormInput *in, NormProfile norm, bool known, int passes, NormData *data);
PetscErrorCode NormDataDestroy(NormData *data);
/* The first pass of a fit: usable rows, conditions and twins of every piece, the transforms of the channels; relative:
 * channels may be modelled as differences from their first cell.  Collective. */
PetscErrorCode NormDataScan(NormData *data, bool relative);
/* Values of the polynomials of norm at every piece, after the scan. */
PetscErrorCode NormDataSetPolynomials(NormData *data);
/* V and lambda of norm are known: rows can be brought to NORM_MODES. */
PetscErrorCode NormDataSetModes(NormData *data);
/* The twins, solved in the scan, become w; the transforms are chosen.  Collective. */
PetscErrorCode NormDataTransformTwins(NormData *data);
/* Shows every tile of this rank at a stage, as NormPassesWalk does. */
PetscErrorCode NormDataWalk(NormData *data, const char *what, NormStage stage, NormVisit visit, void *ctx);
/* v (rows, m) at NORM_DIFFERENCES becomes z. */
void norm_standardise(NormData *data, int t, double v[]);
/* The values of rank 0 on every rank.  Collective. */
PetscErrorCode NormShare(MPI_Comm comm, size_t n, double values[]);
int norm_pieces(const NormData *data, int t); /* of a tile */
size_t norm_tile_slots(const NormData *data); /* pieces of a tile at most */
int64_t norm_condition(const NormData *data, int t, int64_t slot);
/* The rows of tile t at a stage: borrowed, until the next ones.  Local. */
PetscErrorCode NormDataLoad(NormData *data, int t, NormStage want, double **v);

/* The design of a regression over all pieces: X (pieces, terms), weighted by their rows. */
void norm_design(const NormData *data, int terms, const double X[], int responses, NormDesign *design);

#endif

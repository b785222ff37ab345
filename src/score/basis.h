/* A basis: what stands between fields and the coordinates that a network learns.  Each is a row of a table of
 * operations behind ScoriaNormaliser; networks, samplers, likelihood and inference see the coordinates alone. */
#ifndef SCORIA_SCORE_BASIS_H
#define SCORIA_SCORE_BASIS_H

#include "train_split.h"
#include "trainer.h"

typedef struct {
  int modes;         /* r: coordinates that the network learns */
  int all_modes;     /* R >= r */
  int degree_mean;   /* total degree of the polynomial of m */
  int degree_scale;  /* of ln s, phi and ln d */
  bool relative;     /* find the relative channels; without it there are none */
  bool whitening;    /* without it y = z, and modes and all_modes are ignored */
  bool choose_mean;  /* terms of the mean by cross-validation instead of all up to degree_mean */
  bool choose_scale; /* likewise of ln s and ln D */
  double energy;     /* share of the variance that the modes of whole fields carry together */
  /* Borrowed: that of the dataset, with the coordinates that are learned (ScoriaSpaceLearned); NULL: as it is. */
  const ScoriaSpace *space;
} ScoriaNormaliserOptions;

/* What rows of fields become before a normaliser sees them: so many numbers as it has cells, their standard deviations
 * in proportion to weight. */
typedef struct {
  void *ctx;            /* borrowed, as is the next */
  int channels;         /* of the fields */
  const double *weight; /* (numbers) */
  void (*encode)(void *ctx, int64_t n, const double fields[], double out[]);
} NormEncoder;

/* What is asked of a preparation.  All borrowed. */
typedef struct {
  MPI_Comm comm;
  ScoriaRun run; /* that progress is told to and that may be stopped; NULL: neither */
  ScoriaDataset ds;
  const int *channel; /* field of ds behind each channel */
  const TrainSplit *split;
  const ScoriaTwin *twin;
  double memory;              /* of this rank for rows that would be read again otherwise [byte] */
  const NormEncoder *encoder; /* NULL: the fields themselves */
} NormInput;

/* Rows as coordinates: the first r of the usable rows, to learn from and to validate on.  Owned (TrainDataDestroy). */
typedef struct {
  TrainData train, valid;
  int64_t dropped; /* rows that failed, that the transforms cannot take, or that are held back */
} NormWhitened;

typedef struct {
  const ScoriaNormaliserOptions *options;
  bool known;                        /* the normaliser is fitted already */
  PetscErrorCode (*keep)(void *ctx); /* called when it has been fitted; NULL: nothing is */
  void *ctx;                         /* borrowed */
  NormWhitened *whitened;            /* NULL: the rows are not wanted */
} NormTask;

typedef struct {
  int channels, cells, modes, all_modes;
  int shape[3]; /* cells along x, y, z, as of a dataset */
} NormSizes;

/* Operations of a basis on an object of its own, `self`.  Local unless told. */
typedef struct {
  const char *name; /* in decks and files */
  const char *help;
  bool whole;    /* for whole fields, else for profiles */
  bool periodic; /* for fields of our own equations, periodic and homogeneous in y and z */
  /* An object that knows what it is for, and nothing else yet: of ds, the fields behind nchannels channels, whether
   * there is a twin and its references. */
  PetscErrorCode (*create)(ScoriaDataset ds, int nchannels, const ScoriaTwin *twin, const ScoriaNormaliserOptions *opt,
                           void **self);
  /* Fits it to the conditions that train_keeps says, unless it is known, and whitens all rows.  Every rank reads rows
   * of its own; the same bits on any number of ranks.  Collective. */
  PetscErrorCode (*prepare)(void *self, const NormInput *in, const NormTask *task);
  PetscErrorCode (*destroy)(void *self);
  PetscErrorCode (*save)(void *self, ScoriaStore store);  /* under /normaliser; collective */
  PetscErrorCode (*load)(ScoriaStore store, void **self); /* collective */
  void (*sizes)(void *self, NormSizes *sizes);
  const ScoriaSpace *(*space)(void *self);
  /* As ScoriaNormaliserAt, normaliser_encode, normaliser_decode. */
  PetscErrorCode (*at)(void *self, const ScoriaTwin *twin, const double theta[]);
  void (*encode)(void *self, int64_t n, const double fields[], double y[]);
  void (*decode)(void *self, int64_t n, const double y[], double fields[]);
  /* ln sqrt(det(J^T J)), J = d fields / d y (C L, R), at y (R); NaN where y is. */
  double (*log_volume)(void *self, const double y[], double work[]);
  size_t (*volume_work)(void *self); /* doubles */
  /* Modes (R, C L) of the normalised grid, borrowed, for networks that work on it; NULL: it has none. */
  const double *(*grid_modes)(void *self);
  /* Fields of Gaussian coordinates y whose values are functions of normal scores that are linear in y, so many each,
   * and increase with the first: those of value cell[i] of a field (C, L) are mean (n, each) + weight (n, each, R) y,
   * and `values` are those of scores (n, each).  NULL: the basis has none. */
  int (*scores_each)(void *self);
  void (*scores)(void *self, int n, const int cell[], double mean[], double weight[]);
  void (*values)(void *self, int n, const int cell[], const double score[], double value[]);
} NormBasis;

extern const NormBasis scoria_bases[]; /* ends with a NULL name; the first is the default */

const NormBasis *basis_for(const ScoriaDatasetSpec *spec); /* the first that suits its rows */

struct ScoriaNormaliser_ {
  const NormBasis *basis;
  void *self; /* owned */
};

PetscErrorCode NormaliserCreate(const NormBasis *basis, ScoriaDataset ds, int nchannels, const ScoriaTwin *twin,
                                const ScoriaNormaliserOptions *opt, ScoriaNormaliser *norm);
/* The same, conditions of few values by the coordinate in which these are more even, which run, where there is one, is
 * told.  Collective on comm. */
PetscErrorCode NormaliserCreateLearned(MPI_Comm comm, ScoriaRun run, const NormBasis *basis, ScoriaDataset ds,
                                       int nchannels, const ScoriaTwin *twin, const ScoriaNormaliserOptions *opt,
                                       ScoriaNormaliser *norm);
/* Fits a normaliser of the basis that suits ds to the conditions of ds for which train[condition] is true; failed rows
 * are left out. channel: field indices in ds (nchannels).  Collective. */
PetscErrorCode NormaliserFit(MPI_Comm comm, ScoriaDataset ds, int nchannels, const int channel[], const bool train[],
                             const ScoriaTwin *twin, const ScoriaNormaliserOptions *opt, ScoriaNormaliser *norm);
PetscErrorCode NormaliserPrepare(ScoriaNormaliser norm, const NormInput *in, const NormTask *task);
PetscErrorCode NormaliserDestroy(ScoriaNormaliser *norm);
PetscErrorCode NormaliserSave(ScoriaNormaliser norm, ScoriaStore store);
PetscErrorCode NormaliserLoad(ScoriaStore store, ScoriaNormaliser *norm);
void normaliser_shape(ScoriaNormaliser norm, int shape[3]); /* cells along x, y, z, as of a dataset */
/* As the operations of the same names. */
double normaliser_log_volume(ScoriaNormaliser norm, const double y[], double work[]);
size_t normaliser_volume_work(ScoriaNormaliser norm);
const double *normaliser_basis(ScoriaNormaliser norm);

const ScoriaSpace *ScoriaNormaliserSpace(ScoriaNormaliser norm);

#endif

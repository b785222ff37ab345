/* The rows behind a normaliser of whole fields: read piece by piece, a few rows at a time. */
#ifndef SCORIA_SCORE_LATERAL_FIT_H
#define SCORIA_SCORE_LATERAL_FIT_H

#include "lateral.h"
#include "normaliser_fit.h"

/* A piece is the rows of one condition, or a part of them where they do not fit into a buffer.  Every rank has a block
 * of pieces, in tiles for the regressions; what makes a piece and a tile follows from the dataset alone.  Sums over
 * rows are made within a piece first, and over pieces in fixed point (tile_sum.h): the same bits on any number of
 * ranks. */
typedef struct {
  NormInput in;
  const ScoriaDatasetSpec *spec; /* borrowed from in.ds */
  NormLateral norm;              /* borrowed */
  NormPasses passes;
  bool known; /* the normaliser is */
  int64_t conditions;
  int parts;          /* pieces of a condition */
  int64_t first, n;   /* pieces of this rank */
  NormTiles tiles;    /* of these */
  int64_t *start;     /* owned, behind tiles */
  int *used;          /* owned, behind tiles: all */
  NormKind *kind;     /* owned (n) */
  bool *reads;        /* owned (n): whether it has usable rows of either kind */
  double *good;       /* owned (n): weight of usable rows to learn from, or number of those of a condition left out */
  double *weight;     /* owned (n): weight of the usable rows of fitted pieces, else 0 */
  double *row_weight; /* owned (n, buffer.capacity): 1 each, unless by LateralCalibrate */
  double *control;    /* owned (n, buffer.capacity, LATERAL_CONTROLS): see lateral_weights.c; NULL: there are none */
  int porosity;       /* field of ds that controls are of */
  double *normals;    /* owned (N nx) */
  double *theta, *u;  /* owned (n, space.n), (n, d) */
  double *twin;       /* owned (n, E): the twin in v; NULL without one */
  double *near, *far; /* owned (n, C), (n, E): ends of channels; NULL: none is known */
  int64_t beside[SCORIA_MAX_FIELDS][LATERAL_ENDS_KINDS]; /* values of training rows and twins that do not keep these */
  bool told[SCORIA_MAX_FIELDS];                          /* whether a channel has a far end at any condition */
  double *one;                                           /* owned (n) */
  double *mean_X, *scale_X, *shape_X;                    /* owned (n, terms): polynomials, when they are chosen */
  int joint_terms;                                       /* of joint_X, mean.terms at least; 0: there is none */
  double *joint_X;         /* owned (n, joint_terms): mean_X, and controls of pieces times polynomials */
  int64_t fitted;          /* fitted conditions of all ranks */
  double fitted_rows;      /* of all ranks, by weight */
  ScoriaRows buffer;       /* owned: of a piece */
  bool *usable, *left_out; /* owned: rows of the buffer; those left out though their condition is learned from */
  bool all;                /* rows left out are shown too */
  double *v;               /* owned (m) */
} LateralData;

/* Sees a piece whose rows are in the buffer.  Local. */
typedef PetscErrorCode (*LateralVisit)(void *ctx, LateralData *data, int64_t i);

/* Deals the rows of in->ds for norm, of which the sizes, the space, twin and references are set.  passes: for the
 * progress.  Collective. */
PetscErrorCode LateralDataCreate(const NormInput *in, NormLateral norm, bool known, int passes, LateralData *data);
PetscErrorCode LateralDataDestroy(LateralData *data);
/* The first pass: usable rows, conditions, twins; where the normaliser is not known, the transforms too. */
PetscErrorCode LateralDataScan(LateralData *data, bool known);
PetscErrorCode LateralDataSetPolynomials(LateralData *data);
/* Shows every piece of this rank that has usable rows; only: of the training set alone.  Collective. */
PetscErrorCode LateralDataWalk(LateralData *data, const char *what, bool only, LateralVisit visit, void *ctx);
/* Whether row k of the buffer is usable; then its v (m). */
bool lateral_data_row(LateralData *data, int64_t k, double v[]);
/* Marginals at the condition of a piece; the scores of row k in waves.grid, and their transform in waves.spectrum,
 * false where it has none. */
void lateral_set_piece(LateralData *data, int64_t i);
bool lateral_row_scores(LateralData *data, int64_t k);
bool lateral_row_spectrum(LateralData *data, int64_t k);
/* The twin of piece i (E), NULL without one. */
const double *lateral_piece_twin(const LateralData *data, int64_t i);
/* The design of a regression over pieces, X (n, terms). */
NormDesign lateral_design(const LateralData *data, int terms, const double X[], int responses);
/* Means (q) of a table (n, q) over fitted pieces, weighted by their rows.  Collective. */
PetscErrorCode LateralPooled(const LateralData *data, int q, const double table[], double mean[]);

/* Room for the ends of pieces, where some are known; those of piece i; values x (n) of a training row of piece i, or of
 * its twin, are seen; what channels keep then: what none of these leaves.  Ends of piece i are at work after
 * lateral_set_ends.  LateralEndsChoose is collective. */
PetscErrorCode LateralEndsCreate(LateralData *data);
PetscErrorCode LateralEndsSolve(LateralData *data, int64_t i);
void lateral_ends_see(LateralData *data, int64_t i, int c, size_t n, const double x[]);
PetscErrorCode LateralEndsChoose(LateralData *data);
void lateral_set_ends(const LateralData *data, int64_t i);

#define LATERAL_CONTROLS 10 /* of a row */
/* Room for the controls of rows, where the porosity of ds is known to be of normals. */
PetscErrorCode LateralControlsCreate(LateralData *data);
/* The controls of the rows of piece i, which are in the buffer. */
void lateral_controls_take(LateralData *data, int64_t i);
/* Weights of the rows, from controls that all of them have.  Collective. */
PetscErrorCode LateralCalibrate(LateralData *data, const int powers[]);
/* The regressors of means, from the controls and weights of rows.  Collective. */
PetscErrorCode LateralJoinControls(LateralData *data, const int powers[]);
/* Least squares of means Y (n, q) of pieces: coef (mean.terms, q), what controls say of their chance taken out.
 * Collective. */
PetscErrorCode LateralMeans(LateralData *data, int q, const double Y[], double coef[]);
/* The weight of row k of piece i. */
double lateral_row_weight(const LateralData *data, int64_t i, int64_t k);

/* Marginals from their histograms (n, E, MARGINAL_BINS), shares of each piece.  unsettled: scores at edges that still
 * changed when their iteration ended, as where the rows of some conditions all lie below an edge and those of the
 * others all above, known to all ranks.  Collective. */
PetscErrorCode LateralFitMarginals(LateralData *data, const float histogram[], int64_t *unsettled);
/* What the fit of correlations takes of a rank at most, once the polynomials are there; more than run_memory is a user
 * error. */
PetscErrorCode LateralCheckCouplings(const LateralData *data);
/* The leading channel of a normaliser's channels; -1: there is none, or no other. */
int lateral_leading(const ScoriaTwin *twin, int channels);
/* The size of waves by its smooth field: from the modes.  Two passes, where there is such a channel. */
PetscErrorCode LateralFitModulation(LateralData *data);
/* The size of its own waves, in the first of these, once the filter is known.  Collective. */
PetscErrorCode LateralFitSwell(LateralData *data);
/* Correlations of modes, from D and mu.  One pass. */
PetscErrorCode LateralFitCouplings(LateralData *data);
/* Factors of waves, from all the rest.  One pass. */
PetscErrorCode LateralFitPowers(LateralData *data);
/* Everything.  Collective. */
PetscErrorCode LateralFit(LateralData *data, const ScoriaNormaliserOptions *opt);
#define LATERAL_PASSES 7 /* of a fit, but for two more of the modulation */

#endif

/* Steps of the fit that live in files of their own. */
#ifndef SCORIA_SCORE_NORMALISER_FIT_H
#define SCORIA_SCORE_NORMALISER_FIT_H

#include "normaliser_data.h"

/* Modes whose couplings phi are regressed: beyond these, variances are so small that correlations no longer show. */
#define NORM_MAX_COUPLED 64

/* Directions or modes whose regressions have terms of their own. */
#define NORM_ALONE 16

/* How often a fit walks over the rows, its scan included. */
int norm_fit_passes(const ScoriaNormaliserOptions *opt);
/* The polynomial of the largest degree <= wanted with no more than `most` coefficients; choose: of as many terms as can
 * be compared.  powers: of LevelsPowers. */
PetscErrorCode NormChooseDegree(int64_t most, int d, int wanted, bool choose, const int powers[], NormPoly *poly);
/* Fits data->norm.  Collective. */
PetscErrorCode NormFit(NormData *data, const ScoriaNormaliserOptions *opt);

/* Moments of the fitted pieces, and what is regressed on them. */
typedef struct {
  double *mean, *S2;              /* owned (slots, m) */
  double *mean_coef, *scale_coef; /* owned (terms, m) */
} NormMoments;

/* Elements of w whose spread is beyond what least squares leave of a constant, 1e-11 of it by their ridge, and a floor
 * for every channel, so that cells or conditions whose spread vanishes keep a scale; the first cell of a relative
 * channel is of another size than the rest.  A channel that never varies has scale 1: its z is zero and its mean is all
 * there is.  varies and least (m); sets data->rounding.  Collective. */
PetscErrorCode NormFindFloors(NormData *data, const NormMoments *s, double varies[], double least[]);

/* use (q, p), allocated anew: the terms, 1 among them, with which least squares of Y (pieces, q) on the design of all
 * p, those of poly and more behind them, predict conditions left out best, and data->level by others.  The first
 * `alone` columns of Y have terms of their own, the others the same; of these, so many as `cells`, one after the other,
 * have the same unit. Collective.
 */
PetscErrorCode NormChooseTerms(const NormData *data, const NormPoly *poly, const NormDesign *design, int alone,
                               int cells, const double Y[], bool **use);

/* Of directions, so many functions of the conditions that quieter ones have are offered besides the polynomials. */
#define NORM_TRENDS 8

typedef struct {
  int r;                     /* how many there are */
  double *V;                 /* owned (p, NORM_TRENDS): their coefficients, of unit length */
  double *X;                 /* owned (slots, p + r): terms of a design, and these */
  double share[NORM_TRENDS]; /* their sizes in the quieter directions, of the largest */
} NormTrends;

PetscErrorCode NormTrendsCreate(int64_t slots, int p, NormTrends *trends);
PetscErrorCode NormTrendsDestroy(NormTrends *trends);
/* The principal trends of directions [first, m), of which along (p, m) has the coefficients, `most` at most.
 * Collective. */
PetscErrorCode NormFindTrends(MPI_Comm comm, int p, int m, int first, int most, const double along[],
                              NormTrends *trends);
/* Adds them to the terms of a design, which borrows trends->X; coef (p + r) of that becomes coef (p) of the terms. */
void norm_trends_design(const NormTrends *trends, NormDesign *design);
void norm_trends_resolve(const NormTrends *trends, int p, double coef[]);

/* coef (design->p) of y (pieces; design->q is 1), of the powers of poly and behind them of trends, shrunk by what the
 * rows tell of each; and h (pieces) as NormLeverages has them.  pieces: of all ranks.  Collective. */
PetscErrorCode NormShrink(const NormDesign *design, const NormPoly *poly, const NormTrends *trends, double pieces,
                          const double y[], double coef[], double h[]);

/* The same for E S2 = exp(X B), by ln S2, whose expected value is ln E S2 and a number, that of ln chi^2_n / n (-1.27
 * for a single row), which the first term takes. */
PetscErrorCode NormChooseScaleTerms(const NormData *data, const NormDesign *design, int alone, const double S2[],
                                    bool **use);
/* Least squares of the pieces' means Y (pieces, m), with terms chosen for every direction in which they scatter: a
 * trend may take many terms across the noise, of which none needs to be paid for along it.  coef (mean.terms, m); sets
 * the leverages of data.  Collective. */
PetscErrorCode NormChooseMean(NormData *data, const NormDesign *design, const double Y[], double coef[]);
/* Factor from a mean square of a piece about the regressed mean to one without its bias; 1 after norm_as_unseen. */
double norm_unbiased(const NormData *data, int64_t slot);
/* Of few conditions what the mean misses between them must be in the spreads, and is not in their rows where the trend
 * has many terms.  So deviations of these from the regressed mean, whose regression is given (design), are made as
 * large as those at a condition that is left out are: their average within a piece is multiplied by data->own, what
 * they differ from it by by data->within (normaliser_scale.c).  Collective. */
PetscErrorCode NormFindUnseen(NormData *data, const NormDesign *design);
/* Does so to the rows v (rows, width) of a piece; nothing where conditions are many.  Local. */
void norm_as_unseen(const NormData *data, int64_t slot, int width, double v[]);
/* The mean square about the regressed mean that belongs to it, of rows with a mean and a mean square S2 about that. */
double norm_square(const NormData *data, int64_t slot, double mean, double S2);
/* Warns where means are far off there: found (C, 2), sums of squares within this rank's pieces, and of what norm_square
 * adds to these; and of conditions with two levels, which tell no curvature between them.  Collective. */
PetscErrorCode NormTellUnseen(const NormData *data, double found[]);
PetscErrorCode NormTellLevels(const NormData *data);
/* Sets data->level.  Collective. */
PetscErrorCode NormFindLevels(NormData *data);

/* An eigenvector from (m), its largest element positive. */
void norm_take_mode(int m, const double from[], double to[]);
/* D, mu, phi and d from the moments of the modes, given norm->V and norm->lambda.  Three passes. */
PetscErrorCode NormFitCouplings(NormData *data, const ScoriaNormaliserOptions *opt);

/* The modes b (rows, R) of a tile become what the couplings leave of them. */
typedef struct {
  double *D, *mu, *d; /* owned (width, R): 1 / D of alpha, mu, and d at the pieces of a tile */
  double *phi;        /* owned (K, K) */
} NormModes;
PetscErrorCode NormModesCreate(const NormData *data, NormModes *modes);
PetscErrorCode NormModesDestroy(NormModes *modes);
/* alpha (rows, R) at NORM_MODES becomes b = alpha / D - mu. */
void norm_modes_scale(const NormData *data, int t, NormModes *modes, double alpha[]);
/* phi (K, K) of a slot, its first `rows` rows. */
void norm_modes_phi(const NormData *data, int64_t slot, int rows, NormModes *modes);

#endif

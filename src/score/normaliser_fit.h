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
/* How many values each u_j takes, for NormPolyCreate; u (rows of the tiles, d).  Collective. */
PetscErrorCode NormCountLevels(const NormTiles *tiles, int d, const double u[], int levels[]);
/* The polynomial of the largest degree <= wanted with no more than `most` coefficients; choose: of as many terms as can
 * be compared. */
PetscErrorCode NormChooseDegree(int64_t most, int d, int wanted, bool choose, const int levels[], NormPoly *poly);
/* Fits data->norm.  Collective. */
PetscErrorCode NormFit(NormData *data, const ScoriaNormaliserOptions *opt);

/* Moments of the fitted pieces, and what is regressed on them. */
typedef struct {
  double *mean, *S2;              /* owned (slots, m) */
  double *mean_coef, *scale_coef; /* owned (terms, m) */
} NormMoments;

/* coef (mean.terms, m) of the pieces' means Y (pieces, m), with terms chosen where the options say so.  Collective. */
PetscErrorCode NormFitMean(NormData *data, const ScoriaNormaliserOptions *opt, const NormDesign *design,
                           const double Y[], double coef[]);
/* Sets norm->left_out, logs it, and warns of a mean that is far off there; s: means less the twin and mean squares
 * about them, its mean_coef is overwritten; levels: of NormCountLevels.  Collective. */
PetscErrorCode NormLeftOut(NormData *data, const ScoriaNormaliserOptions *opt, const int levels[], NormMoments *s);

/* Elements of w whose spread is beyond what least squares leave of a constant, 1e-11 of it by their ridge, and a floor
 * for every channel, so that cells or conditions whose spread vanishes keep a scale; the first cell of a relative
 * channel is of another size than the rest.  A channel that never varies has scale 1: its z is zero and its mean is all
 * there is.  varies and least (m); sets data->rounding.  Collective. */
PetscErrorCode NormFindFloors(NormData *data, const NormMoments *s, double varies[], double least[]);

/* use (q, p), allocated anew: the terms, 1 among them, with which least squares of Y (pieces, q) on the design of all p
 * predict conditions left out best.  The first `alone` columns of Y have terms of their own, the others the same; of
 * these, so many as `cells`, one after the other, have the same unit.  Collective. */
PetscErrorCode NormChooseTerms(const NormData *data, const NormPoly *poly, const NormDesign *design, int alone,
                               int cells, const double Y[], bool **use);

/* The same for E S2 = exp(X B), by ln S2, whose expected value is ln E S2 and a number, that of ln chi^2_n / n (-1.27
 * for a single row), which the first term takes. */
PetscErrorCode NormChooseScaleTerms(const NormData *data, const NormDesign *design, int alone, const double S2[],
                                    bool **use);
/* Least squares of the pieces' means Y (pieces, m), with terms chosen for every direction in which they scatter: a
 * trend may take many terms across the noise, of which none needs to be paid for along it.  coef (mean.terms, m); sets
 * the leverages of data.  Collective. */
PetscErrorCode NormChooseMean(NormData *data, const NormDesign *design, const double Y[], double coef[]);
/* Rows of a piece whose own mean costs no more than 7 % of the precision of its spread. */
#define NORM_OWN_MEAN 8

/* Whether spreads of a piece are taken about its own mean, so that what the regressed mean misses is not in them. */
bool norm_knows_mean(const NormData *data, int64_t slot);
/* The rows v (rows, width) of such a piece become deviations from their mean, with the variance of the rows. */
void norm_centre(const NormData *data, int64_t slot, int width, double v[]);
/* Factor from a mean square of a piece about the regressed mean, or after norm_centre, to one without its bias. */
double norm_unbiased(const NormData *data, int64_t slot);

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

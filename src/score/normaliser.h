/* The conditional normaliser from inside: polynomials in the unit coordinates, regressions, and the object itself. */
#ifndef SCORIA_SCORE_NORMALISER_H
#define SCORIA_SCORE_NORMALISER_H

#include "basis.h"
#include "bounds_arrays.h"

/* The normaliser of profiles, a row of the table of bases: its operations (basis.h). */
typedef struct NormProfile_ *NormProfile;
static inline NormProfile profile_of(ScoriaNormaliser norm)
{
  return norm->self;
}
PetscErrorCode ProfileCreate(ScoriaDataset ds, int nchannels, const ScoriaTwin *twin,
                             const ScoriaNormaliserOptions *opt, void **self);
/* One of so many channels of so many cells, whatever these are. */
PetscErrorCode ProfileCreateOf(const ScoriaSpace *space, int channels, int cells, NormProfile *norm);
PetscErrorCode ProfilePrepare(void *self, const NormInput *in, const NormTask *task);
PetscErrorCode ProfileDestroy(void *self);
PetscErrorCode ProfileSave(void *self, ScoriaStore store);
PetscErrorCode ProfileLoad(ScoriaStore store, void **self);
void profile_sizes(void *self, NormSizes *sizes);
const ScoriaSpace *profile_space(void *self);
PetscErrorCode ProfileAt(void *self, const ScoriaTwin *twin, const double theta[]);
void profile_encode(void *self, int64_t n, const double fields[], double y[]);
void profile_decode(void *self, int64_t n, const double y[], double fields[]);
double profile_log_volume(void *self, const double y[], double work[]); /* work: m + R m + R R */
size_t profile_volume_work(void *self);
const double *profile_modes(void *self);

/* ------------------------------------------------------------------------------------------------- polynomials ---- */

/* Products of Legendre polynomials sqrt(2 n + 1) P_n(u_j) of total degree <= degree: orthonormal under the uniform law
 * on
 * [-1, 1]^d, so that their Gram matrices are well conditioned.  Term 0 is 1. */
typedef struct {
  int d, degree, terms;
  int *power; /* owned (terms, d) */
} NormPoly;

/* powers[j]: the power in u_j stays below it (LevelsPowers). */
PetscErrorCode NormPolyCreate(int d, int degree, const int powers[], NormPoly *poly);
PetscErrorCode NormPolyDestroy(NormPoly *poly);
void norm_poly_values(const NormPoly *poly, const double u[], double value[]); /* (terms) */

#define NORM_MAX_DEGREE 8

/* ------------------------------------------------------------------------------------------------- regressions ---- */

/* Conditions dealt to the ranks of comm in tiles: of the rows start[t] ... start[t + 1] of a table that belong to tile
 * t of this rank, the first used[t] count.  Which conditions make a tile does not depend on the ranks. */
typedef struct {
  MPI_Comm comm;
  int tiles;
  const int64_t *start; /* borrowed (tiles + 1) */
  const int *used;      /* borrowed (tiles) */
} NormTiles;

/* p regressors X (n, p) and weights w, q responses at once: B (p, q), the same bits on any number of ranks.  n is this
 * rank's number of conditions; B is for all ranks. */
typedef struct {
  NormTiles tiles;
  int p, q;
  const double *X; /* borrowed (n, p) */
  const double *w; /* borrowed (n) */
  const bool *use; /* borrowed (q, p): regressors that a response uses, the coefficients of others are 0; NULL: all */
} NormDesign;

/* Weighted least squares of Y (n, q).  Collective. */
PetscErrorCode NormLeastSquares(const NormDesign *design, const double Y[], double B[]);
/* E S2 = exp(X B) for S2 > 0 (n, q): Gamma regression with logarithmic link (McCullagh and Nelder 1989, ch. 8) by
 * Fisher scoring.  S2 being mean squares, it is unbiased however few realisations stand behind one, unlike a regression
 * of ln S2.  Collective. */
PetscErrorCode NormGammaRegression(const NormDesign *design, const double S2[], double B[]);
/* Adds to h (n) by how much least squares reduce the variance of the residual of a row of weight 1, x^T (X^T W X)^-1 x,
 * over the regressors that each response uses (design->use is needed), weighted by its share (q).  Collective. */
PetscErrorCode NormLeverages(const NormDesign *design, const double share[], double h[]);

/* -------------------------------------------------------------------------------------------------- the object ---- */

struct NormProfile_ {
  ScoriaSpace space;
  int d, vary[SCORIA_MAX_CONDITIONS]; /* the conditions that vary */
  int C, L, m;                        /* m = C L */
  int own[SCORIA_MAX_FIELDS];     /* the cells of a channel, of axes along x of unlike lengths; v is 0 behind them */
  int r, R, K;                    /* modes learned, kept, coupled by phi */
  bool twin;                      /* made with a deterministic twin */
  bool encoded;                   /* of coefficients, not of cells */
  bool logged[SCORIA_MAX_FIELDS]; /* v = ln(sign (x - reference)), else v = x */
  double reference[SCORIA_MAX_FIELDS], sign[SCORIA_MAX_FIELDS];
  NormBounds bounds[SCORIA_MAX_FIELDS]; /* where they are on, v is their transform */
  bool derived[SCORIA_MAX_FIELDS];      /* while it is fitted: see ScoriaTwin */
  bool relative[SCORIA_MAX_FIELDS];     /* w = (v_0, v_1 - v_0, ..., v_{L-1} - v_0), else w = v */
  NormPoly mean, scale, phi;
  double *mean_coef;  /* owned (mean.terms, m): m(u), of w */
  double *scale_coef; /* owned (scale.terms, m): ln s(u) */
  double *V;          /* owned (R, m): orthonormal modes of z; without whitening, unit vectors */
  double *lambda;     /* owned (R): their variances, descending; or ones */
  double *D_coef;     /* owned (scale.terms, R): ln D(u), b_k = a_k / D_k - mu_k */
  double *mu_coef;    /* owned (mean.terms, R): mu(u) */
  double *phi_coef;   /* owned (phi.terms, K, K): phi_kl(u), l < k: y_k = (b_k - sum_l phi_kl b_l) / d_k */
  double *d_coef;     /* owned (scale.terms, R): ln d(u) */
  double total;       /* trace of the covariance of z: what share the R modes carry; without whitening, R */
  /* Set by ProfileAt. */
  double *base;   /* owned (m): v at y = 0 */
  double *encode; /* owned (m, R): v - base to y */
  double *decode; /* owned (R, m): y to v - base */
  double *tile;   /* owned (NORM_TILE, m): rows that encode works on */
  double *work;   /* owned, see ProfileSetUp */
};

/* Rows of the training set with which, where they are repeated, all terms of the wanted degrees are worth having. */
#define NORM_FEW_ROWS 65536

#define NORM_TILE 16

/* Most values of fields that can be coordinates themselves: V, encode and decode are matrices over them. */
#define NORM_MAX_ELEMENTS 1024

/* Allocates everything whose size follows from C, L, r, R, K, d and the polynomials. */
PetscErrorCode ProfileSetUp(NormProfile norm);
/* The unit coordinates of the varying conditions (d). */
void normaliser_unit(const NormProfile norm, const double theta[], double u[]);
/* v (n, C, L) of fields (n, C, L) by the transforms alone; NaN outside their domain.  May work in place. */
void normaliser_transform(const NormProfile norm, int64_t n, const double fields[], double v[]);
/* The cells of a channel, L or fewer. */
int norm_cells(const NormProfile norm, int c);
/* v (n, C, L) becomes w (n, C, L): channels that are relative, less their first cell from the second on. */
void normaliser_subtract_first(const NormProfile norm, int64_t n, double v[]);

#endif

/* The normaliser of whole fields that are periodic and homogeneous along y and z (basis `lateral`), from inside.
 *
 * Fields x (C, nz, ny, nx) in four steps, each a smooth function of the unit conditions u and the same at every lateral
 * place:
 *   v = transform(x) - transform(twin), as for profiles, the twin being a profile (C, nx), and the transform
 *       going by the condition where the equations know ends of the channel there (lateral_ends.c);
 *   z = (v - m(u)) / s(u), per channel and place along x;
 *   t = the normal score of z: at the edges of bins polynomials in u (lateral_marginal.c), standardised: z has mean 0
 *       and variance 1 where t is normal; piecewise linear, and linear beyond; times the standard deviation that the
 *       modes give it, and over the size that one smooth field gives the waves of the others there
 *       (lateral_modulation.c) and its own long waves its own (lateral_swell.c); for every wave number (kz, ky), up to
 * sign, real modes V over (channel, x) of the Fourier transform of t, times 1 / D(u), less mu(u) for the lateral mean,
 * and times the inverse of L(u), a factor of their correlations at u, all over factors by which the waves of a field
 * have the power of the rows: coordinates y, N(0, I) where t is Gaussian. Modes are those of the real covariance pooled
 * over
 * +-ky and +-kz, so that the law of a Gaussian y is invariant under shifts and reflections of y and z. */
#ifndef SCORIA_SCORE_LATERAL_H
#define SCORIA_SCORE_LATERAL_H

#include "normaliser.h"
#include "waves.h"

#define MARGINAL_BINS 82 /* of z: from -10 to 10 in steps of 1/4, and two that are open */
#define MARGINAL_EDGES (MARGINAL_BINS - 1)
#define MARGINAL_TILT 4    /* Hermite polynomials of degree 1 ... 4 */
#define MARGINAL_KNOTS 33  /* of t: from -4 to 4 in steps of 1/4 */
#define LATERAL_STEP 0.25  /* between them */
#define LATERAL_COUPLED 24 /* modes of a wave number, the first, that are coupled */
#define LATERAL_SCORES 3   /* that a value depends on, at most */

/* The law of one element of z, pooled over conditions. */
typedef struct {
  double mass[MARGINAL_BINS];
  int first, last; /* edges between which it is known: enough of it lies beyond either */
} Marginal;

/* What a channel keeps at a condition; in files by these numbers. */
typedef enum {
  LATERAL_ENDS_NONE,
  LATERAL_ENDS_ABOVE, /* above near: v = ln(x - near) */
  LATERAL_ENDS_BELOW, /* below near: v = ln(near - x) */
  LATERAL_ENDS_BOTH,  /* between near and far, on either side of it: v = ln((x - near) / (far - x)) */
  LATERAL_ENDS_KINDS
} LateralEndsKind;

#define SWELL_MOST 0.35 /* of an exponent */
enum { SWELL_MEAN, SWELL_LONG, SWELLS };

/* The size of the leading channel's own waves by its lateral mean, and of its short ones by its long ones, place by
 * place along x. */
typedef struct {
  bool on;
  double *is_long;    /* owned (classes): 1 of the long waves, the lateral mean among them; others 0 */
  double *exponent;   /* owned (SWELLS, nx): b1 and b2; 0 where waves of an element are of one size */
  double *share_coef; /* owned (shape.terms, SWELLS, nx): variance of the lateral mean, and of the long waves, of scores
                       * of variance 1 */
  Waves waves;        /* owned: of the channel */
  double *row;        /* owned (N + 1, nx): a buffer, of coordinates of long waves */
  /* Set by LateralAt. */
  double *share; /* owned (SWELLS, nx) */
  /* Set by swell_part, and whenever scores are made of coordinates. */
  double *mean, *low;              /* owned (nx), (N, nx): of standardised scores */
  double *q, *rest, *size, *level; /* owned (N, nx), (N, nx), (N + 1, nx), (nx): buffers of the way back */
} Swell;

/* The size of the waves of other channels, by the smooth part s of the leading one. */
typedef struct {
  bool on;
  Swell own;
  int channel;              /* the leading one; where either is on, and in a fit */
  Waves smooth;             /* owned: of one value at a lateral place */
  double *mode;             /* owned (nx): weights of its standardised scores in s, */
  double *filter;           /* owned (classes): of whose waves these shares are left */
  double *log_spread_coef;  /* owned (shape.terms): ln of the standard deviation of what is left */
  double *correlation_coef; /* owned (shape.terms, E): of scores with s */
  double *exponent_coef;    /* owned (shape.terms, E): waves are swell(exponent s) times as large; of the leading
                             * channel 0 */
  /* Set by LateralAt. */
  double spread;
  double *exponent, *bend; /* owned (E) each: bend is for the knots, which are of bent scores */
  double *correlation;     /* owned (E) */
  double *plain;           /* owned (E, MARGINAL_KNOTS): v at knots of a standard normal */
  double *normal;          /* owned (E, MARGINAL_KNOTS): the knots of bent scores among those of a standard normal */
  double *weight;          /* owned (nx): a buffer */
  /* Set by modulation_smooth. */
  double *s; /* owned (N): of variance 1 */
} Modulation;

typedef struct NormLateral_ *NormLateral;
struct NormLateral_ {
  ScoriaSpace space;
  int d, vary[SCORIA_MAX_CONDITIONS]; /* the conditions that vary */
  int C, nx, ny, nz;
  int E, N, m; /* elements C nx, lateral places, values E N */
  int r, R;
  bool twin, logged[SCORIA_MAX_FIELDS];
  bool standard; /* laws are standardised; those of a file of format 1 are not */
  bool coupled;  /* modes are coupled; not in files of the first formats */
  bool powers;   /* waves are scaled to the powers of the rows; not in older files */
  bool edges;    /* laws are scores at edges; those of older files are pooled laws with a tilt */
  double reference[SCORIA_MAX_FIELDS], sign[SCORIA_MAX_FIELDS];
  NormBounds bounds[SCORIA_MAX_FIELDS];    /* where they are on, v is their transform */
  LateralEndsKind ends[SCORIA_MAX_FIELDS]; /* where a channel has some, whatever else is on */
  Modulation modulation;
  double energy; /* share of the variance of t that the modes are to carry, and do */
  Waves waves;
  NormPoly mean, scale, shape;
  double *mean_coef, *scale_coef; /* owned (mean.terms, E), (scale.terms, E): m, ln s */
  Marginal *marginal;             /* owned (E) */
  double *score_coef;             /* owned (shape.terms, E, MARGINAL_EDGES): normal scores of z at edges */
  double *feature;                /* owned (E, MARGINAL_BINS, MARGINAL_TILT): what the tilt is a polynomial in */
  double *tilt_coef;              /* owned (shape.terms, E, MARGINAL_TILT) */
  int Q;                          /* modes of all classes */
  int *kept;                      /* owned (classes): modes of each */
  int *mode;                      /* owned (classes): the first mode of each */
  double *V;                      /* owned (Q, E): orthonormal within a class */
  double *lambda;                 /* owned (Q): variance of a coordinate, pooled */
  double *D_coef;                 /* owned (scale.terms, Q): ln D */
  double *mu_coef;                /* owned (mean.terms, kept[0]): mean of the lateral mean, over sqrt(lambda) */
  int *place;                     /* owned (Q): where a mode's coordinates stand in y */
  int P, *pair;                   /* couplings of all classes, owned (classes): the first of each */
  double *R_coef;     /* owned (scale.terms, P): correlations of modes i > j of a class, (1, 0), (2, 0), ... */
  double *power_coef; /* owned (shape.terms, classes, C): ln of the factors of waves, lateral_powers.c */
  int *factor;        /* owned (classes): where the factor of each is in L */
  /* Set by LateralAt. */
  bool is_here; /* what follows is of theta `here`; false once a coefficient is another */
  double here[SCORIA_MAX_CONDITIONS];
  double *near, *far;      /* owned (C), (E): ends of channels */
  double *base, *s;        /* owned (E): v at z = 0; s */
  double *score;           /* owned (E, MARGINAL_EDGES) */
  double *tilt;            /* owned (E, MARGINAL_TILT) */
  double *knot;            /* owned (E, MARGINAL_KNOTS): v at the knots of t, where they are modulated of bent ones */
  double *span;            /* owned (E, MARGINAL_KNOTS, 2): between knots, knot_spans */
  double *D, *mu;          /* owned (Q), (kept[0]) */
  double *power;           /* owned (classes, C): factors of waves */
  double *correlation, *L; /* owned (P): correlations; lower factors by rows */
  double *W;               /* owned (Q, E): t of a unit of y, D L applied to V */
  double *middle;          /* owned (E): of the lateral mean, mu applied to V */
  double *rate;            /* owned (E): knots per unit of t */
  /* Buffers. */
  double *value;   /* owned: of polynomials */
  double *profile; /* owned (E) */
  double *t;       /* owned (m) */
  double *row;     /* owned (2 WAVES_MEMBERS, E) */
};

PetscErrorCode LateralCreate(ScoriaDataset ds, int nchannels, const ScoriaTwin *twin,
                             const ScoriaNormaliserOptions *opt, void **self);
PetscErrorCode LateralPrepare(void *self, const NormInput *in, const NormTask *task);
PetscErrorCode LateralDestroy(void *self);
PetscErrorCode LateralSave(void *self, ScoriaStore store);
PetscErrorCode LateralLoad(ScoriaStore store, void **self);
void lateral_sizes(void *self, NormSizes *sizes);
const ScoriaSpace *lateral_space(void *self);
PetscErrorCode LateralAt(void *self, const ScoriaTwin *twin, const double theta[]);
void lateral_encode(void *self, int64_t n, const double fields[], double y[]);
void lateral_decode(void *self, int64_t n, const double y[], double fields[]);
double lateral_log_volume(void *self, const double y[], double work[]);
size_t lateral_volume_work(void *self);
const double *lateral_modes(void *self);
int lateral_scores_each(void *self);
void lateral_cell_scores(void *self, int n, const int cell[], double mean[], double weight[]);
void lateral_cell_values(void *self, int n, const int cell[], const double score[], double value[]);

/* What follows from C, nx, ny, nz: E, N, m, the wave numbers and buffers. */
PetscErrorCode LateralSetUp(NormLateral norm);
/* Room for the coefficients, when the polynomials are known; for the modes, when Q and kept are. */
PetscErrorCode LateralSetCoefficients(NormLateral norm);
PetscErrorCode LateralSetModes(NormLateral norm);
/* Orders coordinates by the variance of their modes; sets R and r, at most `modes` but one whole mode at least. */
PetscErrorCode LateralOrder(NormLateral norm, int modes);
void lateral_unit(const NormLateral norm, const double theta[], double u[]);
bool lateral_any_ends(const NormLateral norm);
/* The ends at theta, which lateral_transform and lateral_values_back go by. */
PetscErrorCode LateralEnds(NormLateral norm, const ScoriaTwin *twin, const double theta[]);
/* Of element e, of a channel that has ends: v of x, NaN where it is not between them; x of exp(v); |dx / dv|. */
double ends_to(const NormLateral norm, int e, double x);
double ends_back(const NormLateral norm, int e, double exponential);
double ends_rate(const NormLateral norm, int e, double v);
/* At unit conditions u, one after the other: base and s, with the twin (E) in v where there is one; the knots, for t of
 * variance 1; D and mu; these, L, W and t of their variance. */
void lateral_set_scale(NormLateral norm, const double u[], const double twin[]);
void lateral_set_knots(NormLateral norm, const double u[]);
void lateral_set_deviations(NormLateral norm, const double u[]);
void lateral_set_modes(NormLateral norm, const double u[]);
/* Room for the modulation, once the polynomials are known. */
PetscErrorCode ModulationCreate(NormLateral norm);
PetscErrorCode ModulationDestroy(NormLateral norm);
/* At unit conditions u: its parameters. */
void modulation_set(NormLateral norm, const double u[]);
/* The knots, of bent scores, from plain. */
void modulation_bend(NormLateral norm);
/* s from the scores t (m) of a field. */
void modulation_smooth(NormLateral norm, const double t[]);
/* Bent scores t (m) of a field become those without modulation, once s is known. */
void modulation_take_out(const NormLateral norm, double t[]);
/* Where element e with these scores (LATERAL_SCORES) stands among the knots, whose middle is 0; its derivatives by
 * them.  Scores are t and, of the leading channel where it swells, the standardised long waves and lateral mean, of
 * another channel s. */
double modulation_position(const NormLateral norm, int e, const double score[], double slope[]);
/* What t (E) at wave numbers of class c are in s. */
double modulation_share(const NormLateral norm, int c, const double t[]);
/* Whether knots are of bent scores. */
bool modulation_bends(const NormLateral norm);
/* Whether element e is of the leading channel and that swells. */
bool swell_has(const NormLateral norm, int e);
/* At the condition that the coefficients' terms are of: its parameters, and bend and normal of its elements. */
void swell_set(NormLateral norm, const double terms[]);
/* Its own mean and low of scores t (N, nx) of the leading channel; of those whose transform is in waves.spectrum. */
void swell_part(NormLateral norm, const double t[]);
void swell_part_of_spectrum(NormLateral norm);
/* Scores of the leading channel, whose mean and low are set, become swollen ones; bent swollen ones become scores, NaN
 * where there are none. */
void swell_apply(NormLateral norm, double t[]);
void swell_take_out(NormLateral norm, double t[]);
/* As modulation_position, before it is bent. */
double swell_position(const NormLateral norm, int e, const double score[], double slope[]);
/* What waves of class c of element e are larger than those of scores, on average of their squares. */
double swell_power(const NormLateral norm, int c, int e);
/* Scores (m) from coordinates y (R), in waves.grid; about_mean: their deviation from the mean alone. */
void lateral_scores_of(const NormLateral norm, const double y[], bool about_mean);
/* The modes of a class that are coupled. */
int lateral_coupled(const NormLateral norm, int c);
/* v (C, places, nx) of fields, NaN outside their domain; may work in place. */
void lateral_transform(const NormLateral norm, int places, const double fields[], double v[]);
/* n values v, of element e and from there on along x, place by place, become those of its field. */
void lateral_values_back(const NormLateral norm, int e, int64_t n, double v[]);
/* v (m) of a field becomes t (m). */
void lateral_scores(const NormLateral norm, double v[]);
/* Shifts and reflections by draw (4) of the first r coordinates of a field; self is a NormLateral. */
void lateral_move(void *self, const double draw[4], float y[]);
/* Coordinates y (R) from the transform of scores in waves.spectrum. */
void lateral_coordinates(const NormLateral norm, double y[]);

/* ------------------------------------------------------------------------------------------------ marginals ---- */

int marginal_bin(double z);
double marginal_edge(int k); /* between bins k and k + 1 */
double marginal_knot(int k); /* of t */
/* A table over knots (MARGINAL_KNOTS) at a place among them, whose middle is 0, or on the line through the outer ones;
 * its slope, per knot. */
double marginal_between(const double table[], double place, double *slope);
/* Sets first and last from mass, and brings what lies beyond into the next bins; `least` is mass enough to lie there.
 */
void marginal_set_range(Marginal *marginal, double least);
/* Normalised Hermite polynomials (MARGINAL_BINS, MARGINAL_TILT) of the mean pooled scores of the bins. */
void marginal_features(const Marginal *marginal, double feature[]);
/* Shifts and scales z (MARGINAL_KNOTS) to mean 0 and variance 1 where t is normal. */
void marginal_standardise(double z[]);
/* Scores (MARGINAL_EDGES) at the edges of the law with the tilt, where it is known; they increase. */
void marginal_scores(const Marginal *marginal, const double feature[], const double tilt[], double score[]);
/* Makes scores (MARGINAL_EDGES) at edges increase, where the law is known. */
void marginal_order(const Marginal *marginal, double score[]);
/* z (MARGINAL_KNOTS) at the knots of t, increasing, by scores (MARGINAL_EDGES) at edges that increase. */
void marginal_knots(const Marginal *marginal, const double score[], double z[]);

#endif

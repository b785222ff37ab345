/* scoria/stats.h - statistics of fields, used by both sides.  Everything here is local and cannot fail unless it says
 * so. */
#ifndef SCORIA_STATS_H
#define SCORIA_STATS_H

#include "base.h"

/* Mean and standard deviation (n - 1) over rows, per column.  x (n, m) row-major; mean, sd (m). */
void stats_moments(int64_t n, int m, const double x[], double mean[], double sd[]);

/* Moves the rows (n, m) whose first value is finite (failed ones are NaN throughout) to the front; returns how many. */
int64_t stats_keep_finite(int64_t n, int m, double rows[]);

/* n values into ascending order, none of them NaN; as quick where many are equal. */
void stats_sort(int64_t n, double values[]);
/* Quantile p of n ascending values, linear interpolation between order statistics (Hyndman and Fan's type 7). */
double stats_quantile(int64_t n, const double sorted[], double p);
/* Of n values the places of the smallest and of the largest, the first of equal ones; where one is not finite, nothing
 * but that. */
typedef struct {
  bool finite;
  int64_t least, most;
} ScoriaExtremes;
ScoriaExtremes stats_extremes(int64_t n, const double values[]);
/* Quantile p, likewise, of n values in any order; work (n) is a buffer. */
double stats_quantile_select(int64_t n, const double values[], double p, double work[]);
/* What a residual is counted in: the SD, or, where it is rounding, the value itself: one that differs shows. */
double stats_unit(double mean, double sd);
/* (x - mean) / unit; 0 where the unit is the value itself and the difference is rounding. */
double stats_residual(double x, double mean, double unit);

/* Distances between a sample a (na, m) and a reference b (nb, m), columns being the coordinates of one field vector
 * (all cells of all fields).  SD means the reference's standard deviation of that column; columns whose reference SD is
 * below sd_floor times the largest SD of ... are left to the caller: it passes only columns that count. */
typedef struct {
  double mean_error;       /* rms over columns of (mean_a - mean_b) / SD */
  double sd_error;         /* rms over columns of SD_a / SD_b - 1 */
  double sd_bias;          /* mean over columns of SD_a / SD_b - 1: the sign of the error */
  double band_error;       /* rms over columns of (width of the central 95 % of a) / (of b) - 1 */
  double coverage95;       /* share of b's values inside a's central 95 % band, mean over columns */
  double w1;               /* mean over columns of W1(a, b) / SD */
  double ks;               /* Kolmogorov-Smirnov distance, the largest of a column */
  double roughness;        /* SD of the difference of neighbouring columns in a, over that in b: median over columns */
  double sliced_w;         /* mean over random unit directions of W1 of the projections of SD-scaled columns */
  double covariance_error; /* || corr-scaled C_a - C_b ||_F / || C_b ||_F, columns scaled by the reference SD */
  double energy_p;         /* p value of the energy distance's permutation test, at most 1000 rows of each */
} ScoriaDistance;

/* directions: how many for sliced_w (128 is usual); their normals come from the stream SCORIA_STREAM_DIRECTION of
 * `seed`. Allocates; na and nb may differ. */
PetscErrorCode ScoriaDistanceCompute(int64_t na, const double a[], int64_t nb, const double b[], int m, uint64_t seed,
                                     int directions, ScoriaDistance *d);

/* A member of ScoriaDistance as files, tables and figures have it: a row of the table, in their order. */
typedef enum { SCORIA_POOL_MEAN, SCORIA_POOL_RMS } ScoriaPooling; /* over conditions */
/* Which of several values is the worst: the one farthest from the ideal; or, of a p value, whose ideal is a mean, the
 * least. */
typedef enum { SCORIA_WORST_FARTHEST, SCORIA_WORST_LEAST } ScoriaWorst;

typedef struct {
  const char *name; /* in files */
  size_t offset;    /* in ScoriaDistance */
  ScoriaPooling pooling;
  ScoriaWorst worst;
  double ideal;       /* expected of two samples of one law, of any number of rows */
  bool sign;          /* errors of both signs, which may cancel */
  const char *unit;   /* "SD": in standard deviations; "%": shown as per cent; "": neither */
  const char *title;  /* plain text; W_1 has an index */
  const char *column; /* heading on standard output; NULL: not shown there */
  const char *help;   /* plain text */
} ScoriaMeasure;

extern const ScoriaMeasure scoria_measures[];                                /* ends with a NULL name */
const ScoriaMeasure *measure_find(const char *name);                         /* NULL: none of that name */
double measure_value(const ScoriaMeasure *measure, const ScoriaDistance *d); /* of one distance */
/* All measures of n > 0 distances, each pooled as its row says. */
void measures_pool(int64_t n, const ScoriaDistance d[], ScoriaDistance *pooled);
double measure_worst(const ScoriaMeasure *measure, int64_t n, const ScoriaDistance d[]);

/* --------------------------------------------------------------------------------------- streamed statistics ---- */

/* A probability from how often something was so: its estimate, the standard error of that, and the 95 % interval of
 * Wilson (1927), which is never empty: of what was never so in n draws it ends at 3.84 / (n + 3.84).  Of what was so
 * one to three times it begins where a Poisson variable is as large with a probability of 5 % (Brown, Cai and DasGupta,
 * Statist. Sci. 16, 101 (2001), the modified Wilson interval); likewise of what was not so as often. */
typedef struct {
  double value, se, low, high;
} ScoriaShare;
ScoriaShare stats_share(int64_t count, int64_t n);

/* Statistics of any number of rows in fixed memory: moments, histograms, covariance, exceedances.  All that is summed
 * over rows is kept in integers (fixed point where it is real), so that sums are associative: the same bits whatever
 * rank took which tile of rows, in whatever order, over however many starts.  A tile itself is summed in floating
 * point, part by part: callers must cut the rows into the same tiles, and these into the same parts, every time. */
typedef struct ScoriaSummary_ *ScoriaSummary;

/* Values above `value`, or below it, are counted in columns [first, first + number): column by column, rows in which
 * any is, and rows in which all are. */
typedef struct {
  int first, number;
  double value;
  bool below;
} ScoriaThreshold;

typedef struct {
  int columns;
  int joint; /* the covariance of columns [0, joint) is kept */
  int nthresholds;
  const ScoriaThreshold *threshold; /* borrowed during Create */
  int coarse; /* columns [0, coarse) have coarse histograms, of a thirtieth of the memory: those of many cells */
  int tile;   /* rows of a tile, at most SUMMARY_TILE; 0: that */
} ScoriaSummarySpec;

double summary_bytes(const ScoriaSummarySpec *spec); /* of a rank, without the covariance and the thresholds */
/* pilot (n, columns), n >= 2: fixes centre, scale and the range of the histograms of every column, nothing else; it is
 * not added. The same pilot makes the same summary. */
PetscErrorCode ScoriaSummaryCreate(const ScoriaSummarySpec *spec, int64_t n, const double pilot[],
                                   ScoriaSummary *summary);
PetscErrorCode ScoriaSummaryDestroy(ScoriaSummary *summary);
#define SUMMARY_TILE 1024 /* rows of a tile at most */
/* Rows (n, columns), finite, of one tile to what this rank has added.  A tile is best given in parts that stay in the
 * caches: all its rows, in order, then its end, before the next tile or a reduction. */
void summary_add(ScoriaSummary summary, int64_t n, const double rows[]);
void summary_end_tile(ScoriaSummary summary);
/* What all ranks have added since the last call goes into the total, which all ranks then have.  Collective. */
PetscErrorCode ScoriaSummaryReduce(ScoriaSummary summary, MPI_Comm comm);

/* Of the total. */
int64_t summary_count(ScoriaSummary summary);
typedef struct {
  double mean, sd, skewness;
  double mean_se, sd_se, skewness_se; /* Monte Carlo standard errors, from the moments up to the sixth */
  double min, max;
} ScoriaMoments;
void summary_moments(ScoriaSummary summary, int column, ScoriaMoments *moments);
/* Quantile p and its standard error; false when it falls outside the histogram, and so between its edge and the extreme
 * value. */
bool summary_quantile(ScoriaSummary summary, int column, double p, double *quantile, double *se);
/* Probability of a value beyond threshold t in its column c (of that threshold's own), in any or in all of them. */
enum { SUMMARY_ANY = -1, SUMMARY_ALL = -2 };
ScoriaShare summary_exceedance(ScoriaSummary summary, int t, int c);
/* Covariance of the joint columns, full (joint, joint). */
void summary_covariance(ScoriaSummary summary, double covariance[]);
/* Histogram of a column: shares of `bins` equal parts of [lo, hi], the range of the middle of the law. */
void summary_histogram(ScoriaSummary summary, int column, int bins, double *lo, double *hi, double share[]);

/* The total as integers and extremes, for checkpoints: borrowed arrays of their own sizes. */
void summary_state(ScoriaSummary summary, int64_t *nsums, int64_t **sums, int64_t *nextremes, double **extremes);

/* --------------------------------------------------------------------------------------------- sensitivity ---- */

/* Sobol indices of quantities y = f(x_1 .. x_k) of independent inputs, streamed as above, from pick-freeze samples: the
 * sets A and B, drawn independently, and A_B^i, which is A with input i taken from B.
 *
 *   first order  S_i = Var E[y | x_i] / Var y,   total  T_i = E Var[y | all but x_i] / Var y
 *
 * by the estimators of Saltelli et al. (2010) and of Jansen (1999), weighted for the least variance.  A block of the
 * sets has n rows that may depend on each other (they share some of their inputs, so that dear ones are drawn once);
 * blocks are independent.  Errors are those of means over blocks, to first order. */
typedef struct ScoriaSobol_ *ScoriaSobol;

/* pilot (n, quantities), n >= 2: fixes centre and scale, nothing else; it is not added. */
PetscErrorCode ScoriaSobolCreate(int quantities, int inputs, int64_t n, const double pilot[], ScoriaSobol *sobol);
PetscErrorCode ScoriaSobolDestroy(ScoriaSobol *sobol);
/* One block to what this rank has added: values (2 + inputs, n, quantities), finite, of A, B, A_B^0, A_B^1 ...; n > 0.
 */
void sobol_add(ScoriaSobol sobol, int64_t n, const double values[]);
/* What all ranks have added since the last call goes into the total, which all ranks then have.  Collective. */
PetscErrorCode ScoriaSobolReduce(ScoriaSobol sobol, MPI_Comm comm);

/* Of the total; NaN for a quantity that does not vary. */
int64_t sobol_blocks(ScoriaSobol sobol);
typedef struct {
  double first, first_se, total, total_se;
} ScoriaSobolIndex;
void sobol_index(ScoriaSobol sobol, int quantity, int input, ScoriaSobolIndex *index);
/* Mean and SD of a quantity over all inputs. */
void sobol_moments(ScoriaSobol sobol, int quantity, double *mean, double *sd);
/* The total as integers, for checkpoints: borrowed. */
void sobol_state(ScoriaSobol sobol, int64_t *nsums, int64_t **sums);

/* ----------------------------------------------------------------------------------------- quantities of interest ----
 */

/* A number taken from the fields (C, cells) of one row: the smallest or largest value of a channel, or offset + factor
 * times its value at a place, linear between cell centres and beyond the outer ones. */
typedef enum { SCORIA_QUANTITY_AT, SCORIA_QUANTITY_MIN, SCORIA_QUANTITY_MAX } ScoriaQuantityKind;

typedef struct {
  char name[64], unit[16], description[256]; /* description: the whole text of an expression */
  ScoriaQuantityKind kind;
  int channel;
  int cells;             /* MIN, MAX: of the channel, the first ones; 0: all */
  int cell;              /* AT: between this cell and the next */
  double weight;         /* AT: of the next */
  double offset, factor; /* AT */
} ScoriaQuantity;

/* Where the cells with centres x (cells), ascending, begin and end [m]: half the way to the neighbour beyond the
 * centres at the ends; a first point at 0 is that end itself, and the last one the other. */
void cells_ends(int cells, const double x[], double end[2]);
/* Makes q the value at position [m]; x (cells) are the centres, ascending. */
void quantity_place(ScoriaQuantity *q, int cells, const double x[], double position);
/* values (nq) of one row of fields (C, cells). */
void quantities_take(int nq, const ScoriaQuantity q[], int cells, const double fields[], double values[]);

/* A place in a field of up to three dimensions: weights of the cells around it, for a value that is linear between
 * centres along every axis. */
typedef struct {
  int n; /* cells */
  int cell[8];
  double weight[8];
} ScoriaPoint;
/* The place at [m] in fields (nz, ny, nx) of n cells along x, y, z with these centres; along y and z
 * periodic or, as along x, extrapolated beyond the outer centres.  Axes of one cell have no place. */
void point_place(ScoriaPoint *p, const int n[3], const double *const centres[3], bool periodic, const double at[3]);
double point_value(const ScoriaPoint *p, const double field[]);
/* Means (channels, nx) over y and z of fields (channels, nz, ny, nx). */
void lateral_means(int channels, const int n[3], const double fields[], double means[]);

/* ------------------------------------------------------------------------------------------------------- tails ---- */

/* How far out a sampler's law of a number has been held against a reference's, of which there are draws at several
 * conditions.  At each, the reference's own 2^k-th outermost value is a threshold; counted is what of both lies there
 * or beyond. */
enum { SCORIA_TAIL_LOW, SCORIA_TAIL_HIGH, SCORIA_TAILS };
#define SCORIA_TAIL_RANKS 16
#define SCORIA_TAIL_FACTOR 1.25 /* probabilities so near agree: many draws see a bias that matters to no tail */
#define SCORIA_TAIL_LEAST 10    /* of the reference's draws beyond: fewer do not tell a factor of 2 */

typedef struct {
  int64_t reference, sample; /* draws */
  struct {
    int64_t reference, sample;
  } beyond[SCORIA_TAILS][SCORIA_TAIL_RANKS]; /* zeros beyond half of the reference */
} ScoriaTailCounts;

/* Of values in ascending order; zeros where the reference has fewer than 2 or does not vary. */
void tails_count(int64_t nr, const double reference[], int64_t n, const double sample[], ScoriaTailCounts *counts);

typedef struct {
  ScoriaShare reference, sample; /* probabilities beyond the threshold, conditions together */
  bool agrees;                   /* their 95 % intervals meet, or the two are within SCORIA_TAIL_FACTOR */
} ScoriaTailRank;

/* checked: the smallest probability down to which the two agree at every rank, from the bulk outwards; 1: they do not
 * at the first; NaN: there is none.  differs: the reference's probability at the first rank where they do not, and
 * ratio: the sample's over it; both NaN where they agree as far as there are draws. */
typedef struct {
  double checked, differs, ratio;
  int n;
  ScoriaTailRank rank[SCORIA_TAIL_RANKS]; /* from the bulk outwards, those with SCORIA_TAIL_LEAST draws beyond */
} ScoriaTail;

/* The tail on a side, SCORIA_TAIL_LOW or _HIGH, of a number whose draws were counted at so many conditions.  Local. */
void tails_pool(int conditions, const ScoriaTailCounts counts[], int side, ScoriaTail *tail);

/* ---------------------------------------------------------------------------------------- laws between conditions ----
 *
 * Of fields (n, channels, cells) whose rows belong to each other, in units of scale (channels * cells); NaN where no
 * row or no column counts. */

/* rms over rows and columns of b - a - shift[channel]. */
double shift_deviation(int64_t n, int channels, int cells, const double a[], const double b[], const double shift[],
                       const double scale[]);
/* rms over columns of the mean over rows of middle - (lo + hi) / 2; m columns. */
double affine_deviation(int64_t n, int m, const double lo[], const double middle[], const double hi[],
                        const double scale[]);

/* --------------------------------------------------------------------------------------------------- inference ---- */

/* The posterior of latents z (dimension) that are N(0, I) beforehand, given their likelihood L(z): sequential Monte
 * Carlo (Del Moral, Doucet and Jasra 2006).  Particles of the prior are reweighted and resampled from one temperature t
 * to the next, the laws being N(0, I) L^t, and moved by Metropolis steps that leave each of them invariant; the last is
 * at t = 1.  No gradient is needed, and the evidence, the integral of L over the prior, comes with it. */
typedef struct ScoriaTempering_ *ScoriaTempering;

typedef struct {
  int64_t particles;
  int dimension;
  int tile;       /* ranks are dealt parts of so many particles */
  int moves;      /* of every particle at each temperature, at least */
  int most_moves; /* as many at most, where particles still remember their places */
  uint64_t seed;
  /* Borrowed; NULL: the particles of temperature 0 are N(0, I).  Otherwise the last of their coordinates are the
   * particles of this one, as many, at temperature 1, and the others N(0, I); evidence and ancestors go on from it. */
  ScoriaTempering from;
  bool empty; /* neither drawn nor evaluated: ScoriaTemperingPieces is to fill it next; `from` is not needed then */
  void *ctx;  /* borrowed */
  /* log_likelihood (n) of particles first + i at z (n, dimension); what is not finite has no likelihood.  log_base (n),
   * which comes as zeros: ln of the density of the law at temperature 0 over that of N(0, I), up to a constant.  Local;
   * n may be 0. */
  PetscErrorCode (*evaluate)(void *ctx, int64_t first, int64_t n, const double z[], double log_likelihood[],
                             double log_base[]);
} ScoriaTemperingSpec;

typedef struct {
  double temperature;
  double ess;         /* effective number of the particles as reweighted, before they are resampled */
  double acceptance;  /* share of the moves that were accepted */
  double step;        /* b of the last move: 1 forgets where the particle was */
  double mixing;      /* sum over the moves of their acceptance times step^2 */
  double correlation; /* the largest, over the principal axes, of places before and after the moves: 0 forgets them */
  int moves;
} ScoriaTemperingStage;

/* Draws the particles from the prior and evaluates them; `spec` is copied.  The same bits on any number of ranks.
 * Collective on comm. */
PetscErrorCode ScoriaTemperingCreate(MPI_Comm comm, const ScoriaTemperingSpec *spec, ScoriaTempering *t);
PetscErrorCode ScoriaTemperingDestroy(ScoriaTempering *t);
/* One temperature on.  Likelihoods that no particle has are a user error.  Collective. */
PetscErrorCode ScoriaTemperingStep(ScoriaTempering t, ScoriaTemperingStage *stage);
/* The state, for a checkpoint: calls `piece` for one array after another, the same on every rank, with a name of its
 * own and its length, to be kept, or to be filled with what was kept of a tempering of the same spec, whose bits then
 * go on.  Also from within evaluate of a move, which is then not part of the state.  Collective, as piece may be. */
typedef PetscErrorCode (*ScoriaPiece)(void *ctx, const char *name, int64_t n, double value[]);
PetscErrorCode ScoriaTemperingPieces(ScoriaTempering t, ScoriaPiece piece, void *ctx);
double tempering_temperature(ScoriaTempering t); /* 1: the particles are the posterior's, of equal weight */
bool tempering_finished(ScoriaTempering t);      /* they are, and all moves of that stage made */
int tempering_stages_left(ScoriaTempering t);    /* as it seems from the particles' likelihoods; -1: not known */
/* Moves of the stage at work that are expected after the one at work, by how its correlation has fallen so far, and
 * those of a stage to come: as many as the last one had. */
int tempering_moves_left(ScoriaTempering t);
int tempering_moves_of_stage(ScoriaTempering t);
const double *tempering_particles(ScoriaTempering t); /* (particles, dimension), on every rank; borrowed */
/* ln of the evidence up to this temperature, and its standard error: the larger of what independent particles would
 * have, whose variance is the sum over temperatures of 1/ess - 1/particles, and of what the weights of the ancestors
 * show. */
double tempering_log_evidence(ScoriaTempering t, double *se);
/* The correlation of a stage up to which places count as forgotten, of so many particles. */
double tempering_forgotten(int64_t particles, int dimension);

/* ------------------------------------------------------------------------------------------------ memorisation ---- */

/* The k smallest of the values of all ranks, at most as many as there are, of which this rank has those of items
 * [first, first + n): on `root` their items, in the order of the values, equal ones in that of the items.  Memory is k.
 * Collective on comm. */
PetscErrorCode ScoriaSmallest(MPI_Comm comm, int64_t first, int64_t n, const double value[], int k, int root,
                              int64_t item[]);
/* nearest (n): Euclidean distance of each row of a (n, d) to the nearest of t (N, d), N > 0.  Exact to the square root
 * of rounding, in units of the rows' norm.  Takes 256 N doubles. */
PetscErrorCode ScoriaNearest(int64_t n, const double a[], int64_t N, const double t[], int d, double nearest[]);

/* Distances of n samples to the nearest row that was learned, against those of nr new draws of the law.  The limit of
 * "nearer" is where a share of SCORIA_NEAR_SHARE of the law lies below on average; of fewer than 99 draws the least,
 * with 1 / (nr + 1) below. */
#define SCORIA_NEAR_SHARE 0.01
typedef struct {
  double median_ratio; /* median of the samples over that of the new draws: 1 */
  double share_nearer; /* of the samples: share_expected on average where no row was memorised */
  double share_expected;
} ScoriaMemorisation;
/* Both end in ascending order.  n, nr > 0.  Allocates. */
PetscErrorCode ScoriaMemorisationTake(int64_t n, double sample[], int64_t nr, double reference[],
                                      ScoriaMemorisation *found);

#endif

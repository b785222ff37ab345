/* scoria/features.h - what is compared of whole fields: of every row a list of numbers that is much shorter than the
 * row, so that any number of rows fits into memory, and distances between two samples of such lists.  y and z are taken
 * as lateral: standard deviations and scales depend on the channel and on x alone. */
#ifndef SCORIA_FEATURES_H
#define SCORIA_FEATURES_H

#include "stats.h"

#define SCORIA_FEATURE_CHANNELS 16
#define SCORIA_FEATURE_BINS 64 /* of wave numbers, at most */

/* The cells of a channel. */
typedef struct {
  int n[3];         /* along x, y, z */
  double length[3]; /* of the axes, from the first cell's face to the last one's [m]; of one cell 0 will do */
  const double *x;  /* (n[0]): centres along x [m], copied */
} ScoriaFeaturesGrid;

typedef struct {
  int channels;
  ScoriaFeaturesGrid grid;       /* of all channels, or with own of the largest */
  const ScoriaFeaturesGrid *own; /* (channels), copied: of channels on different cells; else NULL */
  int directions;                /* of the sliced Wasserstein distance */
  uint64_t seed;                 /* of their normals */
} ScoriaFeaturesSpec;

typedef struct ScoriaFeatures_ *ScoriaFeatures;
/* Keeps a float for every direction and value of a row. */
PetscErrorCode ScoriaFeaturesCreate(const ScoriaFeaturesSpec *spec, ScoriaFeatures *features);
PetscErrorCode ScoriaFeaturesDestroy(ScoriaFeatures *features);
int features_size(ScoriaFeatures features); /* numbers of a row */
/* Those of one row of fields (channels, cells of `grid`), finite, of which each begins with its own (nz, ny, nx). */
void features_take(ScoriaFeatures features, const double fields[], double out[]);

/* Numbers that a row has one of for each channel: where questions about places are answered. */
typedef enum {
  SCORIA_HOT_MAX,
  SCORIA_HOT_MIN,
  SCORIA_HOT_HIGH, /* the value that 1 % of the cells exceed */
  SCORIA_HOT_LOW,
  SCORIA_HOT_MAX_X, /* where along x the largest value is [m] */
  SCORIA_HOT_MIN_X,
  SCORIA_NHOT
} ScoriaHot;
typedef struct {
  const char *name, *help; /* "max", followed by the channel's name in files */
  bool place;              /* a length */
} ScoriaHotRow;
extern const ScoriaHotRow scoria_hot[SCORIA_NHOT];

/* The law of one of them over the rows of a sample; 95 % intervals of quantiles are those between order statistics. */
typedef struct {
  double mean, sd;
  double q01, q01_low, q01_high, q99, q99_low, q99_high;
} ScoriaHotLaw;

/* Of one sample. */
typedef struct {
  ScoriaHotLaw hot[SCORIA_FEATURE_CHANNELS][SCORIA_NHOT];
  double spectrum[SCORIA_FEATURE_CHANNELS][SCORIA_FEATURE_BINS]; /* lateral variance, mean over x, by wave number */
} ScoriaWholeLaw;

/* Of a sample and a reference. */
typedef struct {
  ScoriaDistance places; /* over x at four lateral places; sliced_w is of the whole fields */
  ScoriaDistance means;  /* of the lateral means */
  /* Over the reference's SD, 0 where both are one and the same value; of a place over the extent along x. */
  double w1[SCORIA_FEATURE_CHANNELS][SCORIA_NHOT];
  double spectrum[SCORIA_FEATURE_CHANNELS]; /* largest relative error where the reference has 99 % of its variance */
} ScoriaWholeDistance;

/* The lateral means (n, channels, nx) of n rows of features (n, size); PetscFree them. */
PetscErrorCode ScoriaFeaturesMeans(ScoriaFeatures features, int64_t n, const double rows[], double **means);
/* Wave numbers [1/m] at the middle of the bins; how many bins there are. */
int features_wave_numbers(ScoriaFeatures features, double number[SCORIA_FEATURE_BINS]);
/* Of n >= 2 rows of features (n, size). */
PetscErrorCode ScoriaWholeLawTake(ScoriaFeatures features, int64_t n, const double rows[], ScoriaWholeLaw *law);
/* Between na rows of a sample and nb of a reference, at least two of each. */
PetscErrorCode ScoriaWholeDistanceCompute(ScoriaFeatures features, int64_t na, const double a[], int64_t nb,
                                          const double b[], ScoriaWholeDistance *d);

/* Residuals of rows: minus the mean, in units of the SD, that features have at the row's own condition.  Units in place
 * of the SD of many rows there: of every number its own (stats_unit), but of a projection that of its (channel, x) over
 * rows and lateral places. */
void features_units(ScoriaFeatures features, const double mean[], double sd[]);
/* Of a row of such numbers: those at the four places, and the projections of the whole field on unit directions. */
int features_residual_size(ScoriaFeatures features);
int features_places_size(ScoriaFeatures features); /* how many of them are at places: they come first */
void features_residual(ScoriaFeatures features, const double row[], double out[]);
/* Between na and nb >= 2 rows of residuals (n, features_residual_size): at the four places; sliced_w is of the whole
 * fields, in units of the rms SD of the reference's projections. */
PetscErrorCode ScoriaResidualDistanceCompute(ScoriaFeatures features, int64_t na, const double a[], int64_t nb,
                                             const double b[], ScoriaDistance *d);

#endif

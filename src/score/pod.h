/* The basis of whole fields that are neither periodic nor homogeneous, as imported ones: modes of the sample covariance
 * (proper orthogonal decomposition), and the normaliser of profiles on the coefficients of these modes.  Fields are
 * x = mean + scale U^T a, U (K, m) orthonormal rows, scale one number for each channel. */
#ifndef SCORIA_SCORE_POD_H
#define SCORIA_SCORE_POD_H

#include "normaliser.h"

typedef struct {
  ScoriaSpace space;
  int C, L, m, K; /* m = C L; K: modes */
  int shape[3];
  int own[SCORIA_MAX_FIELDS];           /* cells of a channel, where they differ, else 0: behind them modes are 0 */
  double *mean;                         /* owned (m) */
  double *scale;                        /* owned (C) */
  NormBounds bounds[SCORIA_MAX_FIELDS]; /* where they are on, x is their transform of the field */
  double *U;                            /* owned (K, m) */
  double *weight;                       /* owned (K): standard deviations of the coefficients over the largest */
  double kept;                          /* share of the variance that the K modes carry */
  /* For encode and decode, from these. */
  double *to;        /* owned (m, K): fields less the mean to coefficients */
  double *from;      /* owned (K, m): back */
  double *gram;      /* owned (K, K): of the rows of `from` */
  double *tile;      /* owned (NORM_TILE, m) */
  double *coefs;     /* owned (NORM_TILE, K) */
  NormProfile inner; /* owned: of the coefficients, as one channel of K cells */
} Pod;

PetscErrorCode PodCreate(ScoriaDataset ds, int nchannels, const ScoriaTwin *twin, const ScoriaNormaliserOptions *opt,
                         void **self);
PetscErrorCode PodPrepare(void *self, const NormInput *in, const NormTask *task);
PetscErrorCode PodDestroy(void *self);
PetscErrorCode PodSave(void *self, ScoriaStore store);
PetscErrorCode PodLoad(ScoriaStore store, void **self);
void pod_sizes(void *self, NormSizes *sizes);
const ScoriaSpace *pod_space(void *self);
PetscErrorCode PodAt(void *self, const ScoriaTwin *twin, const double theta[]);
void pod_encode(void *self, int64_t n, const double fields[], double y[]);
void pod_decode(void *self, int64_t n, const double y[], double fields[]);
double pod_log_volume(void *self, const double y[], double work[]);
size_t pod_volume_work(void *self);
const double *pod_modes(void *self);

/* From inside: the values behind a channel's own cells, which are 0 in training; and the tables of encode and decode.
 */
void pod_blank(const Pod *pod, int64_t n, double v[]);
PetscErrorCode PodSetUp(Pod *pod);
void pod_coefficients(const Pod *pod, int64_t n, const double fields[], double out[]); /* (n, K) */

#endif

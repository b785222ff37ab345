/* Steps of the fit that live in files of their own. */
#ifndef SCORIA_SCORE_NORMALISER_FIT_H
#define SCORIA_SCORE_NORMALISER_FIT_H

#include "normaliser_data.h"

/* Modes whose couplings phi are regressed: beyond these, variances are so small that correlations no longer show. */
#define NORM_MAX_COUPLED 64

/* How often a fit walks over the rows, its scan included. */
int norm_fit_passes(const ScoriaNormaliserOptions *opt);
/* A normaliser that knows what it is for, and nothing else yet. */
PetscErrorCode NormCreate(ScoriaDataset ds, int nchannels, const ScoriaTwin *twin, const ScoriaNormaliserOptions *opt,
                          ScoriaNormaliser *norm);
/* Fits data->norm.  Collective. */
PetscErrorCode NormFit(NormData *data, const ScoriaNormaliserOptions *opt);

/* D, mu, phi and d from the moments of the modes, given norm->V and norm->lambda.  Three passes. */
PetscErrorCode NormFitCouplings(NormData *data);

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

/* The training rows as the fit walks over them, condition by condition. */
#ifndef SCORIA_SCORE_NORMALISER_DATA_H
#define SCORIA_SCORE_NORMALISER_DATA_H

#include "normaliser.h"

typedef struct {
  MPI_Comm comm;
  ScoriaDataset ds;               /* borrowed */
  const ScoriaDatasetSpec *spec;  /* borrowed from ds */
  ScoriaNormaliser norm;          /* borrowed: its sizes and transforms */
  int channel[SCORIA_MAX_FIELDS]; /* field of ds behind each channel */
  int n;                          /* conditions in use */
  int64_t *condition;             /* owned (n): their index in ds */
  double *good;                   /* owned (n): rows of each that can be used */
  double *theta;                  /* owned (n, space.n) */
  double *u;                      /* owned (n, d) */
  double *base;                   /* owned (n, m): the twin in w; then twin + m(u) */
  bool *varies; /* owned (m): the elements of w that do, beyond rounding; the same on every rank, set with the scales */
  int64_t capacity; /* rows read at a time */
  ScoriaRows rows;  /* owned (capacity) */
  double *v;        /* owned (capacity, m): w of the rows */
} NormData;

/* Sees w (n, m) of rows of condition i; may overwrite it. */
typedef PetscErrorCode (*NormVisit)(void *ctx, NormData *data, int i, int n, double v[]);

/* Lists the training conditions, chooses the transforms from the rows, and solves the twins; relative: channels may be
 * modelled as differences from their first cell.  Collective. */
PetscErrorCode NormDataCreate(MPI_Comm comm, ScoriaDataset ds, const int channel[], const bool train[],
                              const ScoriaTwin *twin, bool relative, ScoriaNormaliser norm, NormData *data);
PetscErrorCode NormDataDestroy(NormData *data);
/* Reads every condition in use, in parts of at most `capacity` rows, and shows what is usable of them.  Collective. */
PetscErrorCode NormDataWalk(NormData *data, NormVisit visit, void *ctx);

#endif

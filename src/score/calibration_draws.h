/* The network's samples all over the ranges of the conditions, which its calibration is fitted to. */
#ifndef SCORIA_SCORE_CALIBRATION_DRAWS_H
#define SCORIA_SCORE_CALIBRATION_DRAWS_H

#include "model.h"
#include "trainer.h"

/* Where it is sampled. */
typedef struct {
  int n, tiles; /* conditions; tiles of draws at each */
  double *u;    /* owned (n, d): unit conditions */
} CalibrationPoints;

/* A tile of draws at one point. */
typedef struct {
  int64_t point;
  int number;      /* of those of its point */
  const double *u; /* borrowed (d): the point's unit conditions */
  float *y;        /* borrowed (MODEL_TILE, r): learned coordinates, in pairs whose noise differs in sign */
} CalibrationTile;

/* Sees a tile; may change y.  Local. */
typedef void (*CalibrationVisit)(void *ctx, ScoriaModel m, const CalibrationTile *tile);

/* Points of rows of the training set, spread over it, and uniform in the ranges; many of whole fields, of which every
 * draw has many values, fewer where the network is large.  Collective. */
PetscErrorCode CalibrationPlace(MPI_Comm comm, const ScoriaModel m, const TrainData *train, CalibrationPoints *points);
PetscErrorCode CalibrationPointsDestroy(CalibrationPoints *points);
/* The polynomial of the highest degree whose terms so many points bear. */
PetscErrorCode CalibrationPolynomial(const ScoriaSpace *space, int points, NormPoly *poly);
/* Noise (MODEL_TILE, n) of a tile in such pairs, from draw `first` of its stream on. */
void calibration_noise(uint64_t seed, const CalibrationPoints *points, const CalibrationTile *tile, uint32_t first,
                       int n, float noise[]);
/* Shows the tiles of every point to one rank, those of a point one after the other; run, for progress under the name
 * `what` and stops, may be NULL, else comm is its.  Fails as ScoriaStopped where the run is to stop.  Collective. */
PetscErrorCode CalibrationDraw(MPI_Comm comm, ScoriaRun run, ScoriaModel m, const char *what,
                               const CalibrationPoints *points, CalibrationVisit visit, void *ctx);
/* Least squares of Y (points, q) on the terms of poly at them: coef (terms, q).  Local. */
PetscErrorCode CalibrationRegress(const NormPoly *poly, const CalibrationPoints *points, int q, const double Y[],
                                  double coef[]);

#endif

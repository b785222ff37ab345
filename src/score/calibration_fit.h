/* Fitting a calibration to a network. */
#ifndef SCORIA_SCORE_CALIBRATION_FIT_H
#define SCORIA_SCORE_CALIBRATION_FIT_H

#include "model.h"
#include "trainer.h"

/* Of n rows y (r) at unit conditions, with the terms x (p) of a polynomial there: what regressions need of them. */
typedef struct {
  int p, r;
  double n;
  double *xx, *xy, *yy; /* (p, p), (p, r), (r): sums of x x^T, x y^T, y^2; term 0 is 1 */
} CalibrationSums;

/* mean (p, r): coefficients of the mean of y, whose variance at a condition is near 1 and whose mean near 0.  The
 * constant is free; the others have a normal prior of variance s rho^order, s and rho of each coordinate where the rows
 * are likeliest (type II maximum likelihood: MacKay, Neural Computation 4 (1992) 415).  Local. */
PetscErrorCode CalibrationMeans(const NormPoly *poly, const CalibrationSums *rows, double mean[]);
/* c->to from c->from and the rows.  Local. */
PetscErrorCode CalibrationTargets(const CalibrationSums *rows, Calibration *c);

/* By how much a calibration moves samples, over the rows' conditions and the coordinates: rms of the means and of the
 * logarithms of the spreads, and the average of the latter. */
typedef struct {
  double mean, spread, widened;
} CalibrationMoves;

/* Makes c, with what samples of the network of m say (from) and nothing yet of what they should be; otherwise as
 * CalibrationFit, whose first half it is. */
PetscErrorCode CalibrationMeasure(MPI_Comm comm, ScoriaRun run, ScoriaModel m, const TrainData *train, Calibration *c);
/* Measures the network of m (its averaged weights in place) and calibrates it against the training rows; run, for
 * progress and stops, may be NULL, else comm is its.  Of a network with samples that are not finite there is none
 * (c->from is NULL).  Fails as ScoriaStopped where the run is to stop.  The same bits on any number of ranks.
 * Collective. */
PetscErrorCode CalibrationFit(MPI_Comm comm, ScoriaRun run, ScoriaModel m, const TrainData *train, Calibration *c,
                              CalibrationMoves *moves);
/* On the screen and in the log.  Collective. */
PetscErrorCode CalibrationSay(ScoriaRun run, const CalibrationMoves *moves);

#endif

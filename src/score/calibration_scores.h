/* Fitting the map of a network's scores. */
#ifndef SCORIA_SCORE_CALIBRATION_SCORES_H
#define SCORIA_SCORE_CALIBRATION_SCORES_H

#include "calibration_draws.h"

/* Adds the map to the calibration of m, which is fitted, from samples at the points, where its basis has
 * scores; otherwise as CalibrationFit.  Collective. */
PetscErrorCode CalibrationScores(MPI_Comm comm, ScoriaRun run, ScoriaModel m, const CalibrationPoints *points);

#endif

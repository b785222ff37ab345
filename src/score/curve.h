/* The course of a training as a file of JSON lines in the run directory, one object a line, beginning with its step. */
#ifndef SCORIA_SCORE_CURVE_H
#define SCORIA_SCORE_CURVE_H

#include "scoria/score.h"
#include <stdio.h>

typedef struct {
  ScoriaRun run; /* borrowed */
  MPI_Comm comm;
  const char *name; /* of the file, borrowed */
  FILE *file;       /* rank 0 only */
  bool bad;         /* a line could not be written */
} Curve;

/* Opens it for lines after `step`: those up to there are kept, others were written by an interrupted run and will be
 * written again.  Collective. */
PetscErrorCode CurveOpen(ScoriaRun run, const char *name, int64_t step, Curve *curve);
/* One line: body is JSON members, "\"step\":3,...". */
void curve_add(Curve *curve, const char *body);
/* Collective; says where a line was not written. */
PetscErrorCode CurveClose(Curve *curve);

#endif

/* Private to compare: what is measured of the first conditions of a set, for a stop or a kill; the conditions at work,
 * and what comes after them all, begin anew. */
#ifndef SCORIA_COMPARE_KEPT_H
#define SCORIA_COMPARE_KEPT_H

#include "compare.h"

struct CompareKeeper_ {
  ScoriaRun run; /* borrowed, as are the next three */
  ScoriaDeck deck;
  ComparisonSet *set;
  CompareDraws *draws;
  int done;                   /* conditions */
  double saved;               /* [s] */
  double began[SCORIA_NFROM]; /* seconds of the sources on this rank when it began; */
  double spent[SCORIA_NFROM]; /* for the conditions that are done, those of earlier starts on rank 0 */
  double before[SCORIA_NFROM];
};

/* Takes what an earlier start has kept of the set, if any, and keeps what is done with these draws from here on.  A
 * user error where that is of another deck or model.  Collective, as are the next two. */
PetscErrorCode CompareKeep(ScoriaRun run, ScoriaDeck deck, CompareDraws *draws, ComparisonSet *set,
                           CompareKeeper *keeper);
/* Behind the conditions: a checkpoint where it is time; fails as ScoriaStopped where the run is to stop. */
PetscErrorCode CompareKeepDone(CompareKeeper *keeper, int done);
/* The checkpoint of a comparison that is complete goes; own: that this start has made. */
PetscErrorCode CompareKeepForget(ScoriaRun run, ScoriaDeck deck, bool own);

#endif

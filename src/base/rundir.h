/* Private to base: what a run directory knows of the time that it has. */
#ifndef SCORIA_BASE_RUNDIR_H
#define SCORIA_BASE_RUNDIR_H

#include "scoria/base.h"

/* run_max_hours; 0: no limit. */
double run_max_hours(ScoriaRun run);

#endif

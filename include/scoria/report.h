/* scoria/report.h - what a run directory holds, as figures (drawn by gnuplot) and one self-contained page.
 *
 * Everything is read collectively (the files are ours, and every rank can check its part); rank 0 alone then draws and
 * writes.  A file that the directory does not hold leaves its sections out. */
#ifndef SCORIA_REPORT_H
#define SCORIA_REPORT_H

#include "base.h"

/* Writes figures/ and report.html into the run directory.  Without gnuplot: a warning, and a page without figures.
 * Collective on the run's communicator. */
PetscErrorCode ScoriaReportWrite(ScoriaRun run, ScoriaDeck deck);

#endif

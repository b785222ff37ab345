/* Private to the phases: the rows of their table, and what is counted. */
#ifndef SCORIA_BASE_PHASE_ROWS_H
#define SCORIA_BASE_PHASE_ROWS_H

#include "scoria/phases.h"

/* model says how the time of a phase is expected to depend on the number of ranks, roof what limits its rate: products
 * of matrices in single or double precision, and memory beside them; the file system; or nothing that is counted
 * (benchmarks/scaling/README.md). */
typedef struct {
  const char *name;  /* in the log, and behind "scoria_" in PETSc's */
  const char *unit;  /* of the items that it handles: "rows" */
  const char *model; /* parallel, replicated, serial, deal, alltoall, gather, allreduce or file */
  const char *roof;  /* single, double, write, read or none */
  const char *help;  /* one line */
} ScoriaPhaseRow;

/* What a rank has spent in a phase. */
typedef struct {
  double seconds, calls, items, bytes, flops; /* flops: those of PETSc's log */
} ScoriaPhaseCount;
ScoriaPhaseCount phase_count(ScoriaPhase phase);

#endif

/* scoria/phases.h - where the time of a command goes: one table of phases, each an event of PETSc's log (-log_view), in
 * a stage named after its command, and lines of log.jsonl at the command's end.
 *
 * Seconds are exclusive: a phase that begins inside another stops the other's clock, so that the phases of a command
 * add up to its elapsed time, "other" being what lies in none.  Begin and end read a clock and take no part in
 * communication; they may stand around a single solve. */
#ifndef SCORIA_PHASES_H
#define SCORIA_PHASES_H

#include "base.h"

typedef enum {
  SCORIA_PHASE_OTHER = 0, /* what lies in no phase */
  SCORIA_PHASE_DRAW,
  SCORIA_PHASE_SOLVE,
  SCORIA_PHASE_DEAL,
  SCORIA_PHASE_EXCHANGE,
  SCORIA_PHASE_WRITE,
  SCORIA_PHASE_READ,
  SCORIA_PHASE_NORMALISER,
  SCORIA_PHASE_WHITEN,
  SCORIA_PHASE_STEP,
  SCORIA_PHASE_ALLREDUCE,
  SCORIA_PHASE_UPDATE,
  SCORIA_PHASE_VALIDATE,
  SCORIA_PHASE_CHECKPOINT,
  SCORIA_PHASE_SAMPLE,
  SCORIA_PHASE_STATISTICS,
  SCORIA_PHASE_REDUCE,
  SCORIA_PHASE_GATHER,
  SCORIA_PHASE_MEASURE,
  SCORIA_PHASE_COMPARE,
  SCORIA_PHASE_LIKELIHOOD,
  SCORIA_PHASE_INFER,
  SCORIA_PHASE_REFINE,
  SCORIA_PHASE_REPORT,
  SCORIA_PHASES,
} ScoriaPhase;

/* Phases nest.  end names the phase that began last, and how many items of its unit this rank
 * has handled in it.  Local. */
void phase_begin(ScoriaPhase phase);
void phase_end(ScoriaPhase phase, double items);
/* Least traffic [byte] of memory, file or network that the phase in progress has caused on this rank.  Local. */
void phase_bytes(double bytes);

/* A command begins: all counts are zero, its stage of PETSc's log is entered.  Local. */
PetscErrorCode ScoriaPhasesBegin(const char *command);
/* It ends: phases still in progress end, as does the stage.  Local. */
PetscErrorCode ScoriaPhasesEnd(void);
/* One line of log.jsonl for each phase that took place on any rank, and one for all together, "elapsed": seconds of
 * the slowest rank, their mean and least, and the sums of the counts.  After ScoriaPhasesEnd.  Collective on the run's
 * communicator. */
PetscErrorCode ScoriaPhasesLog(ScoriaRun run, const char *command);

#endif

/* The level of instructions that all ranks of a job use. */
#include "scoria/processor.h"
#include <string.h>

/* Ranks of one job must compute alike: its results would depend on which rank has which row. */
PetscErrorCode ProcessorChoose(ScoriaRun run, ScoriaDeck deck)
{
  const char *asked;
  int best[2] = {processor_best(), -processor_best()};
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "run_kernels", &asked));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, best, 2, MPI_INT, MPI_MIN, ScoriaRunComm(run)));
  const int least = best[0], most = -best[1], found = processor_find(asked);
  const int level = strcmp(asked, "best") ? found : least;
  if (level < 0 || level > least)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "run_kernels: found %s, expected %s or less, the most that %s", asked,
                processor_level_name(least), found < 0 ? "this build has" : "every rank's processor has");
  if (least != most)
    PetscCall(ScoriaSay(run,
                        "  WARNING: the ranks' processors differ (kernels %s to %s); all use %s, but BLAS chooses its "
                        "own on each, so bits may depend on the number of ranks",
                        processor_level_name(least), processor_level_name(most), processor_level_name(level)));
  processor_use(level);
  PetscCall(ScoriaLog(run, "kernels", "\"level\":\"%s\",\"best\":\"%s\"", processor_level_name(level),
                      processor_level_name(least)));
  PetscFunctionReturn(0);
}

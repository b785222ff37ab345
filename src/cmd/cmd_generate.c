/* generate: the PDE ensemble, as a dataset, or a shard of it. */
#include "cmd.h"
#include <stdio.h>

/* What was generated: "512 conditions x 128 realisations", "shard: rows 0 to 99 of 300". */
static void describe_rows(const ScoriaDatasetSpec *spec, size_t size, char text[])
{
  if (spec->whole)
    snprintf(text, size, "shard: rows %lld to %lld of %lld", (long long)spec->first,
             (long long)(spec->first + spec->rows - 1), (long long)spec->whole);
  else
    snprintf(text, size, "%lld condition%s x %lld realisations", (long long)(spec->rows / spec->realisations),
             spec->rows == spec->realisations ? "" : "s", (long long)spec->realisations);
}

static PetscErrorCode ReportTally(ScoriaRun run, ScoriaDeck deck, const ScoriaMade *made)
{
  const ScoriaDatasetSpec *spec   = &made->spec;
  const ScoriaSolveTally *tally   = &made->tally;
  const ScoriaSolveShares *shares = &made->shares;
  char what[128];
  PetscFunctionBeginUser;
  describe_rows(spec, sizeof what, what);
  PetscCall(ScoriaSay(run, "  %s; %.2f Newton iterations a solve; %lld by continuation; %lld failed", what,
                      (double)tally->newton / (double)spec->rows, (long long)tally->retried, (long long)tally->failed));
  PetscCall(ScoriaSay(
      run,
      "  groups idle %.1f %% of the time, the last one %.1f %%; writing %.1f %%; memory %.0f MB a rank, "
      "%.0f MB a group",
      100 * shares->idle, 100 * shares->idle_most, 100 * shares->io, shares->rank_memory, shares->group_memory));
  PetscCall(ScoriaSay(run, "  wrote %s", made->path));
  PetscCall(ScoriaLog(run, "generate",
                      "\"rows\":%lld,\"failed\":%lld,\"retried\":%lld,\"newton\":%lld,\"idle\":%.4f,"
                      "\"idle_most\":%.4f,\"io\":%.4f,\"memory_rank\":%.1f,\"memory_group\":%.1f",
                      (long long)spec->rows, (long long)tally->failed, (long long)tally->retried,
                      (long long)tally->newton, shares->idle, shares->idle_most, shares->io, shares->rank_memory,
                      shares->group_memory));
  if (!spec->whole)
    PetscCall(ScoriaFailedCheck(deck, made->path, tally->failed, spec->rows)); /* a shard is not judged */
  PetscFunctionReturn(0);
}

PetscErrorCode CommandGenerate(ScoriaRun run, ScoriaDeck deck)
{
  ScoriaMade made;
  bool cheap, shard;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "generate"));
  PetscCall(ScoriaNeedEquations(deck, "generate", "import makes dataset.h5 of them"));
  PetscCall(ScoriaCheapAsked(deck, &cheap));
  PetscCall(ScoriaDeckHas(deck, "run_shard", &shard));
  PetscCall(ScoriaGenerate(run, deck, &made));
  if (!made.complete) PetscCall(ReportTally(run, deck, &made));
  if (!cheap || shard) PetscFunctionReturn(0); /* of a deck in shards, it is made once, by generate after merge */
  PetscCall(ScoriaGenerateCheap(run, deck, &made));
  if (!made.complete) PetscCall(ReportTally(run, deck, &made));
  PetscFunctionReturn(0);
}

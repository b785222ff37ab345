/* Keys that a deck sets and that are ignored beside its other choices: they are told, not refused, as the command
 * line must be able to overrule a deck in either. */
#include "cmd.h"
#include <string.h>

/* A key and the choice that it needs. */
static const struct {
  const char *key, *selector, *wanted;
} needs[] = {
    {"ensemble_time", "ensemble_mode", "transient"},   {"ensemble_times", "ensemble_mode", "transient"},
    {"conditions_time", "ensemble_mode", "transient"}, {"ensemble_time_tolerance", "ensemble_mode", "transient"},
    {"conditions_file", "conditions_design", "file"},  {"train_kernel", "train_network", "cnn1d"},
    {"train_patch", "train_network", "cnn1d"},         {"train_P_mean", "train_process", "edm"},
    {"train_P_std", "train_process", "edm"},           {"train_modes", "train_whitening", "true"},
    {"train_all_modes", "train_whitening", "true"},    {"sample_snr", "sample_sampler", "pc"},
};

static PetscErrorCode WarnOfNeeds(ScoriaRun run, ScoriaDeck deck)
{
  PetscFunctionBeginUser;
  for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
    const char *chosen;
    bool changed;
    PetscCall(ScoriaDeckChanged(deck, needs[i].key, &changed));
    PetscCall(ScoriaDeckString(deck, needs[i].selector, &chosen));
    if (changed && strcmp(chosen, needs[i].wanted))
      PetscCall(ScoriaSay(run, "  WARNING: %s is ignored: %s is %s, not %s", needs[i].key, needs[i].selector, chosen,
                          needs[i].wanted));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CmdWarnOfIdle(ScoriaRun run, ScoriaDeck deck)
{
  const char *fixed, *range;
  bool imported;
  PetscFunctionBeginUser;
  PetscCall(WarnOfNeeds(run, deck));
  PetscCall(ScoriaImported(deck, &imported));
  if (imported) PetscFunctionReturn(0);
  for (int i = 0;;) {
    PetscCall(ScoriaSpaceIdle(deck, &i, &fixed, &range));
    if (!fixed) break;
    PetscCall(ScoriaSay(run, "  WARNING: %s is ignored beside %s", fixed, range));
  }
  PetscFunctionReturn(0);
}

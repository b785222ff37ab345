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

/* What draws porosities: a structure, or a Gaussian process. */
static PetscErrorCode WarnOfPorosity(ScoriaRun run, ScoriaDeck deck)
{
  static const char *const of_library[] = {
      "porosity_array", "porosity_pores",  "porosity_axes",    "porosity_voxel",       "porosity_threshold",
      "porosity_phase", "porosity_window", "porosity_reflect", "porosity_replacement", "porosity_holdout"};
  static const char *const of_gaussian[] = {"porosity_kernel",     "porosity_min",   "porosity_max",
                                            "porosity_logit_mean", "porosity_sigma", "porosity_anisotropy",
                                            "porosity_mean",       "porosity_sd",    "porosity_ell"};
  bool library, changed;
  PetscFunctionBeginUser;
  PetscCall(ScoriaPorosityIsLibrary(deck, &library));
  const size_t n = library ? sizeof of_gaussian / sizeof *of_gaussian : sizeof of_library / sizeof *of_library;
  for (size_t i = 0; i < n; i++) {
    const char *key = library ? of_gaussian[i] : of_library[i];
    PetscCall(ScoriaDeckChanged(deck, key, &changed));
    if (changed)
      PetscCall(ScoriaSay(run, "  WARNING: %s is ignored: porosity_file is %sset", key, library ? "" : "not "));
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
  PetscCall(ScoriaSpaceOfOthers(deck));
  PetscCall(WarnOfPorosity(run, deck));
  for (int i = 0;;) {
    PetscCall(ScoriaSpaceIdle(deck, &i, &fixed, &range));
    if (!fixed) break;
    PetscCall(ScoriaSay(run, "  WARNING: %s is ignored beside %s", fixed, range));
  }
  PetscFunctionReturn(0);
}

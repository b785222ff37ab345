/* Keys that a deck sets and that are ignored beside its other choices: they are told, not refused, as the command
 * line must be able to overrule a deck in either. */
#include "cmd.h"
#include <string.h>

/* A key and the choice that it needs, or one of several, with a blank between. */
typedef struct {
  const char *key, *selector, *wanted;
} Need;

static const Need needs[] = {
    {"ensemble_time", "ensemble_mode", "transient"},
    {"ensemble_times", "ensemble_mode", "transient"},
    {"conditions_time", "ensemble_mode", "transient"},
    {"ensemble_time_tolerance", "ensemble_mode", "transient"},
    {"conditions_file", "conditions_design", "file"},
    {"train_kernel", "train_network", "cnn1d"},
    {"train_patch", "train_network", "cnn1d"},
    {"train_P_mean", "train_process", "edm"},
    {"train_P_std", "train_process", "edm"},
    {"train_modes", "train_whitening", "true"},
    {"train_all_modes", "train_whitening", "true"},
    {"sample_snr", "sample_sampler", "pc"},
    {"sample_steps", "sample_sampler", "abm ab2 heun dpmpp2m em pc consistency"},
};

/* Of the command uq alone: its source is often chosen on the command line. */
static const Need needs_of_uq[] = {
    {"uq_fidelities", "uq_source", "multilevel auto"},    {"uq_estimator", "uq_source", "multilevel auto"},
    {"uq_budget", "uq_source", "multilevel auto"},        {"uq_pilot", "uq_source", "multilevel auto"},
    {"uq_costs", "uq_source", "multilevel auto"},         {"uq_tolerance_of", "uq_source", "multilevel auto"},
    {"uq_tolerance_for", "uq_source", "multilevel auto"}, {"uq_screen", "uq_source", "multilevel auto"},
};

static bool is_word(const char *list, const char *word)
{
  const size_t length = strlen(word);
  for (; *list; list += strcspn(list, " "), list += *list == ' ')
    if (!strncmp(list, word, length) && (!list[length] || list[length] == ' ')) return true;
  return false;
}

static PetscErrorCode WarnOfNeeds(const char *before, ScoriaDeck deck, size_t n, const Need need[])
{
  PetscFunctionBeginUser;
  for (size_t i = 0; i < n; i++) {
    const char *chosen;
    bool changed;
    PetscCall(ScoriaDeckChanged(deck, need[i].key, &changed));
    PetscCall(ScoriaDeckString(deck, need[i].selector, &chosen));
    if (changed && !is_word(need[i].wanted, chosen))
      PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%sWARNING: %s is ignored: %s is %s, not %.*s\n", before, need[i].key,
                            need[i].selector, chosen, (int)strcspn(need[i].wanted, " "), need[i].wanted));
  }
  PetscFunctionReturn(0);
}

/* What draws porosities: a structure, or a Gaussian process. */
static PetscErrorCode WarnOfPorosity(const char *before, ScoriaDeck deck)
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
      PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%sWARNING: %s is ignored: porosity_file is %sset\n", before, key,
                            library ? "" : "not "));
  }
  PetscFunctionReturn(0);
}

/* Crops that are not mirrored, and a basis whose covariances by wave number cannot tell it. */
static PetscErrorCode WarnOfReflections(const char *before, ScoriaDeck deck)
{
  bool library, whole;
  const char *list;
  PetscFunctionBeginUser;
  PetscCall(ScoriaPorosityIsLibrary(deck, &library));
  PetscCall(ScoriaDeckBool(deck, "ensemble_whole_fields", &whole));
  PetscCall(ScoriaDeckString(deck, "porosity_reflect", &list));
  if (library && whole && !(strchr(list, 'y') && strchr(list, 'z')))
    PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                          "%sWARNING: porosity_reflect is %s, but the model of whole fields takes mirror images along "
                          "y and along z as equally likely\n",
                          before, list));
  PetscFunctionReturn(0);
}

/* A moment of eps in place of what is inside the logistic function; values other than its default are refused. */
static PetscErrorCode WarnOfMoments(const char *before, ScoriaDeck deck)
{
  static const char *const keys[][2] = {{"porosity_mean", "porosity_logit_mean"}, {"porosity_sd", "porosity_sigma"}};
  PetscFunctionBeginUser;
  for (int i = 0; i < 2; i++) {
    bool moment, given, changed;
    PetscCall(ScoriaDeckHas(deck, keys[i][0], &moment));
    PetscCall(ScoriaDeckGiven(deck, keys[i][1], &given));
    PetscCall(ScoriaDeckChanged(deck, keys[i][1], &changed));
    if (moment && given && !changed)
      PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%sWARNING: %s is ignored: %s is set\n", before, keys[i][1], keys[i][0]));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CmdWarnOfIdle(const char *before, ScoriaDeck deck, const char *command)
{
  const char *fixed, *range;
  bool imported;
  PetscFunctionBeginUser;
  PetscCall(WarnOfNeeds(before, deck, sizeof needs / sizeof *needs, needs));
  if (!strcmp(command, "uq"))
    PetscCall(WarnOfNeeds(before, deck, sizeof needs_of_uq / sizeof *needs_of_uq, needs_of_uq));
  PetscCall(ScoriaImported(deck, &imported));
  if (imported) PetscFunctionReturn(0);
  PetscCall(ScoriaSpaceOfOthers(deck));
  PetscCall(WarnOfPorosity(before, deck));
  PetscCall(WarnOfReflections(before, deck));
  PetscCall(WarnOfMoments(before, deck));
  for (int i = 0;;) {
    PetscCall(ScoriaSpaceIdle(deck, &i, &fixed, &range));
    if (!fixed) break;
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%sWARNING: %s is ignored beside %s\n", before, fixed, range));
  }
  PetscFunctionReturn(0);
}

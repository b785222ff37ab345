/* Datasets of a cheaper fidelity: dataset.h5 itself (ensemble_fidelity), or cheap.h5 beside it (ensemble_cheap_*). */
#include "generate.h"
#include "scoria/correction.h"
#include <stdlib.h>
#include <string.h>

/* Whether both are of one kind, "grid:4" and "grid:2", and a is at least as fine as b. */
static bool as_fine(const char *a, const char *b)
{
  const size_t length = strcspn(a, ":");
  if (!a[length] || strncmp(a, b, length + 1)) return false;
  return atoi(a + length + 1) <= atoi(b + length + 1);
}

PetscErrorCode ScoriaCheapAsked(ScoriaDeck deck, bool *asked)
{
  const char *dear = NULL, *cheap = NULL;
  PetscInt few = 0, many = 0;
  bool counted;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckHas(deck, "ensemble_cheap_fidelity", asked));
  PetscCall(ScoriaDeckHas(deck, "ensemble_cheap_realisations", &counted));
  if (!*asked && counted)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "ensemble_cheap_realisations is set, but ensemble_cheap_fidelity names no fidelity");
  if (!*asked) PetscFunctionReturn(0);
  PetscCall(ScoriaDeckString(deck, "ensemble_fidelity", &dear));
  PetscCall(ScoriaDeckString(deck, "ensemble_cheap_fidelity", &cheap));
  PetscCall(ScoriaDeckInt(deck, "ensemble_realisations", &few));
  PetscCall(ScoriaDeckInt(deck, "ensemble_cheap_realisations", &many));
  PetscCall(ScoriaFidelityCheckName("ensemble_cheap_fidelity", cheap));
  if (!strcmp(cheap, dear) || !strcmp(cheap, "fine") || as_fine(cheap, dear))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "ensemble_cheap_fidelity: found %s, expected one cheaper than ensemble_fidelity, %s",
                cheap, dear);
  if (many <= few)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "ensemble_cheap_realisations: found %d, expected more than ensemble_realisations, %d", (int)many,
                (int)few);
  PetscFunctionReturn(0);
}

PetscErrorCode GenerateRelative(ScoriaDeck deck, ScoriaEnsemble ens, const char *key, ScoriaDatasetSpec *spec,
                                ScoriaFidelities *relative)
{
  const char *name = NULL;
  PetscFunctionBeginUser;
  *relative = NULL;
  PetscCall(ScoriaDeckString(deck, key, &name));
  if (!name || !strcmp(name, "fine")) PetscFunctionReturn(0);
  if (spec_is_whole(spec))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: ensemble_whole_fields is true, but fidelities are of profiles along x", key);
  PetscCall(ScoriaFidelitiesOfPde(deck, ens, key, name, relative));
  if (fidelities_number(*relative) != 2)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found \"%s\", expected one fidelity", key, name);
  fidelities_spec(spec);
  PetscFunctionReturn(0);
}

/* The pairs that train corrects by are known before anything is solved: the rows of dataset.h5 (spec). */
static PetscErrorCode CheckPairs(const ScoriaDatasetSpec *spec)
{
  PetscFunctionBeginUser;
  if (spec->rows < CORRECTION_LEAST_PAIRS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "found %lld conditions x %lld realisations, too few to correct ensemble_cheap_fidelity: at least %d "
                "pairs are needed; give more ensemble_conditions or ensemble_realisations",
                (long long)(spec->rows / spec->realisations), (long long)spec->realisations, CORRECTION_LEAST_PAIRS);
  PetscFunctionReturn(0);
}

PetscErrorCode GenerateCheapSpec(ScoriaDeck deck, ScoriaDatasetSpec *spec)
{
  PetscInt many = 0;
  PetscFunctionBeginUser;
  PetscCall(CheckPairs(spec));
  PetscCall(ScoriaDeckInt(deck, "ensemble_cheap_realisations", &many));
  spec->rows         = spec->rows / spec->realisations * many;
  spec->realisations = many;
  PetscFunctionReturn(0);
}

/* Of the other kinds it is the cells that tell cheap from dear: of N times larger time steps there are as many. */
static PetscErrorCode CheckCheaper(ScoriaFidelities dear, ScoriaFidelities cheap)
{
  const int64_t few = fidelities_cells(cheap, 1), many = fidelities_cells(dear, 1);
  PetscFunctionBeginUser;
  if (few > many && strncmp(fidelities_name(cheap, 1), "steps:", strlen("steps:")))
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "ensemble_cheap_fidelity: found %s, which solves on %lld cells, expected one cheaper than "
                "ensemble_fidelity, %s, which solves on %lld",
                fidelities_name(cheap, 1), (long long)few, fidelities_name(dear, 1), (long long)many);
  PetscFunctionReturn(0);
}

PetscErrorCode GenerateCheapCheck(ScoriaDeck deck, ScoriaEnsemble ens, const ScoriaDatasetSpec *spec)
{
  ScoriaDatasetSpec rows = *spec;
  ScoriaFidelities dear, cheap;
  bool asked;
  PetscFunctionBeginUser;
  PetscCall(ScoriaCheapAsked(deck, &asked));
  if (!asked) PetscFunctionReturn(0);
  PetscCall(CheckPairs(spec));
  PetscCall(GenerateRelative(deck, ens, "ensemble_cheap_fidelity", &rows, &cheap));
  PetscCall(GenerateRelative(deck, ens, "ensemble_fidelity", &rows, &dear));
  if (dear) PetscCall(CheckCheaper(dear, cheap));
  PetscCall(ScoriaFidelitiesDestroy(&dear));
  PetscCall(ScoriaFidelitiesDestroy(&cheap));
  PetscFunctionReturn(0);
}

/* The model of a run directory, and what it needs of the deck to draw from it. */
#include "scoria/draw.h"
#include <math.h>

/* A dataset beside the model is to be the one that it was trained on, and the deck's structure that of its porosities:
 * the fields are offsets from a twin with its mean. */
static PetscErrorCode CheckMade(ScoriaRun run, ScoriaDeck deck, ScoriaModel model, const char *path)
{
  ScoriaMadeFrom made = {.model = ""};
  PetscFunctionBeginUser;
  PetscCall(PetscStrncpy(made.dataset, model_dataset(model), sizeof made.dataset));
  PetscCall(PetscStrncpy(made.library, model_library(model), sizeof made.library));
  PetscCall(ScoriaChainCheck(run, path, &made));
  PetscCall(ScoriaChainCheckLibrary(run, deck, path, &made));
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenModel(ScoriaRun run, ScoriaDeck deck, ScoriaModel *model)
{
  char path[PETSC_MAX_PATH_LEN], difference[512];
  const char *stored;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, "model.h5", sizeof path, path));
  PetscCall(ScoriaModelLoad(ScoriaRunComm(run), path, model));
  PetscCall(ScoriaModelDeck(*model, &stored));
  PetscCall(ScoriaDeckDifference(deck, stored, SCORIA_OF_LAW, sizeof difference, difference));
  if (*difference) SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: trained for another problem (%s)", path, difference);
  PetscCall(CheckMade(run, deck, *model, path));
  PetscCall(ScoriaModelChoose(*model, deck, path));
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenSampler(ScoriaRun run, ScoriaDeck deck, ScoriaSamplerOptions *opt)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSamplerFromDeck(deck, opt));
  if (opt->bfloat16)
    PetscCall(ScoriaSay(run, "  the network's products in bfloat16, %s",
                        sampler_bfloat16_is_fast() ? "by the processor's instructions"
                                                   : "without bfloat16 hardware: float32 would be faster"));
  PetscFunctionReturn(0);
}

/* What is drawn is not always what its file's name says. */
static PetscErrorCode SaySource(ScoriaRun run, ScoriaDeck deck, ScoriaModel model)
{
  bool best, network;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckIs(deck, "sample_source", "network", &network));
  if (network && !model_has_network(model))
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "sample_source: found network, but model.h5 has none: it was made with train_steps 0");
  PetscCall(ScoriaDeckIs(deck, "sample_source", "best", &best));
  if (best && model_is_gaussian(model) && model_has_network(model))
    PetscCall(ScoriaSay(run, "  of the model's conditional Gaussian: its network added nothing in validation "
                             "(-sample_source network overrules)"));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaTwinCreate(ScoriaDeck deck, ScoriaEnsemble *ens, ScoriaTwin *twin)
{
  ScoriaDatasetSpec spec;
  const double *x;
  bool imported;
  PetscFunctionBeginUser;
  *ens  = NULL;
  *twin = (ScoriaTwin){.solve = NULL};
  for (int i = 0; i < SCORIA_MAX_FIELDS; i++) twin->reference[i] = NAN;
  PetscCall(ScoriaImported(deck, &imported));
  if (imported) {
    PetscCall(ScoriaImportedReferences(deck, twin->reference));
    PetscCall(ScoriaImportedBounds(deck, twin->bounded, twin->bounds));
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaEnsembleCreate(PETSC_COMM_SELF, deck, ens)); /* every rank evaluates its own */
  PetscCall(ScoriaEnsembleSpec(*ens, &spec, &x));
  twin->solve   = ScoriaEnsembleTwin;
  twin->normals = ensemble_normals;
  twin->ends    = ScoriaEnsembleEnds;
  twin->ctx     = *ens;
  for (int f = 0; f < spec_states(&spec); f++) {
    twin->reference[f] = ensemble_reference(*ens, f);
    twin->bounded[f]   = ensemble_bounds(*ens, f, twin->bounds[f]);
    twin->derived[f]   = ensemble_derives(*ens, f);
    twin->leading[f]   = ensemble_leads(*ens, f);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaTrainedOpen(ScoriaRun run, ScoriaDeck deck, ScoriaTrained *trained)
{
  PetscFunctionBeginUser;
  PetscCall(OpenModel(run, deck, &trained->model));
  PetscCall(ScoriaChainCheckDatasetLibrary(run, deck));
  PetscCall(ScoriaTwinCreate(deck, &trained->ens, &trained->twin));
  PetscCall(OpenSampler(run, deck, &trained->sampler));
  PetscCall(SaySource(run, deck, trained->model));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaTrainedClose(ScoriaTrained *trained)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaModelDestroy(&trained->model));
  PetscCall(ScoriaEnsembleDestroy(&trained->ens));
  PetscFunctionReturn(0);
}

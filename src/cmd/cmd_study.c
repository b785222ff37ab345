/* compare, uq, infer, likelihood, refine: the analyses of src/study. */
#include "cmd.h"
#include <stdio.h>
#include <string.h>

/* A study of what a file of the run directory holds, with the settings that this file tells of itself. */
static PetscErrorCode Study(ScoriaRun run, ScoriaDeck deck, const char *of, unsigned said,
                            PetscErrorCode (*study)(ScoriaRun run, ScoriaDeck deck))
{
  ScoriaDeck own;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckOfFile(run, deck, of, said, &own));
  PetscCall(study(run, own));
  PetscCall(ScoriaDeckDestroy(&own));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandCompare(ScoriaRun run, ScoriaDeck deck)
{
  const char *sample = NULL, *reference = NULL;
  bool imported;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "compare"));
  PetscCall(ScoriaDeckString(deck, "compare_sample", &sample));
  PetscCall(ScoriaDeckString(deck, "compare_reference", &reference));
  if (!sample != !reference)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "compare: %s is not set, expected both compare_sample and compare_reference, or neither",
                sample ? "compare_reference" : "compare_sample");
  if (sample) {
    PetscCall(ScoriaCompareFiles(run, deck, sample, reference));
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaImported(deck, &imported));
  PetscCall(Study(run, deck, "model.h5", SCORIA_SAID_BY_MODEL, imported ? ScoriaCompareImported : ScoriaCompareModel));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandUq(ScoriaRun run, ScoriaDeck deck)
{
  const char *source = NULL;
  char what[64];
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "uq"));
  PetscCall(ScoriaDeckString(deck, "uq_source", &source));
  snprintf(what, sizeof what, "uq: source %s", source);
  if (strcmp(source, "model")) { /* of the PDE: there is no model in it */
    PetscCall(ScoriaNeedEquations(deck, what, "give -uq_source model"));
    PetscCall(ScoriaUq(run, deck));
  } else
    PetscCall(Study(run, deck, "model.h5", SCORIA_SAID_BY_MODEL, ScoriaUq));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandInfer(ScoriaRun run, ScoriaDeck deck)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "infer"));
  PetscCall(Study(run, deck, "model.h5", SCORIA_SAID_BY_MODEL, ScoriaInfer));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandLikelihood(ScoriaRun run, ScoriaDeck deck)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "likelihood"));
  PetscCall(Study(run, deck, "model.h5", SCORIA_SAID_BY_MODEL, ScoriaLikelihood));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandRefine(ScoriaRun run, ScoriaDeck deck)
{
  const char *name = NULL;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "refine"));
  PetscCall(ScoriaNeedEquations(deck, "refine", "there is nothing to refine with"));
  PetscCall(ScoriaDeckString(deck, "refine_sample", &name));
  if (name)
    PetscCall(ScoriaRefine(run, deck));
  else {
    PetscCall(ScoriaDeckString(deck, "sample_file", &name));
    PetscCall(Study(run, deck, name, SCORIA_SAID_BY_SAMPLES, ScoriaRefine));
  }
  PetscFunctionReturn(0);
}

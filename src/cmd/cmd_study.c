/* compare, uq, infer, likelihood, refine: the analyses of src/study. */
#include "cmd.h"

PetscErrorCode CommandCompare(ScoriaRun run, ScoriaDeck deck)
{
  const char *sample = NULL, *reference = NULL;
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
  PetscCall(ScoriaNeedEquations(deck, "compare",
                                "compare two files instead, rows that the model was not trained on with samples of "
                                "it: -compare_sample F -compare_reference F"));
  PetscCall(ScoriaCompareModel(run, deck));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandUq(ScoriaRun run, ScoriaDeck deck)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "uq"));
  PetscCall(ScoriaUq(run, deck));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandInfer(ScoriaRun run, ScoriaDeck deck)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "infer"));
  PetscCall(ScoriaInfer(run, deck));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandLikelihood(ScoriaRun run, ScoriaDeck deck)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "likelihood"));
  PetscCall(ScoriaLikelihood(run, deck));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandRefine(ScoriaRun run, ScoriaDeck deck)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "refine"));
  PetscCall(ScoriaNeedEquations(deck, "refine", "there is nothing to refine with"));
  PetscCall(ScoriaRefine(run, deck));
  PetscFunctionReturn(0);
}

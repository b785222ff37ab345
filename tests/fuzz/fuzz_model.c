/* The model loader, and a few rows through what it has loaded. */
#include "fuzz.h"
#include "score/model.h"
#include <math.h>

static const ScoriaTwin no_twin = {.reference = {NAN, NAN}};
static FuzzBase base;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  ScoriaDataset ds;
  ScoriaDeck deck;
  ScoriaRun run;
  ScoriaModel model;
  const char *text;
  (void)argc;
  (void)argv;
  fuzz_start();
  fuzz_make_dataset(fuzz_path("dataset.h5"));
  fuzz_training_deck(&deck);
  MUST(ScoriaRunCreate(PETSC_COMM_WORLD, deck, "train", &run));
  MUST(ScoriaDatasetOpen(PETSC_COMM_WORLD, fuzz_path("dataset.h5"), &ds));
  MUST(ScoriaModelTrain(run, deck, ds, NULL, &no_twin, &model));
  MUST(ScoriaDeckText(deck, &text));
  MUST(ScoriaModelSave(model, PETSC_COMM_WORLD, fuzz_path("base.h5"), text));
  base = fuzz_base_read(fuzz_path("base.h5"));
  MUST(ScoriaModelDestroy(&model));
  MUST(ScoriaDatasetClose(&ds));
  MUST(ScoriaRunDestroy(&run));
  MUST(ScoriaDeckDestroy(&deck));
  return 0;
}

/* At the middle of the ranges. */
static PetscErrorCode UseModel(ScoriaModel model)
{
  ScoriaNormaliser norm    = ScoriaModelNormaliser(model);
  const ScoriaSpace *space = ScoriaModelSpace(model);
  double theta[SCORIA_MAX_CONDITIONS], u[SCORIA_MAX_CONDITIONS] = {0}, *y, *fields;
  float *x, *D;
  int channels, cells, modes, all;
  ModelAt at;
  PetscFunctionBeginUser;
  space_from_unit(space, u, theta);
  PetscCall(ScoriaNormaliserSizes(norm, &channels, &cells, &modes, &all));
  PetscCall(PetscCalloc4(all, &y, channels * cells, &fields, modes, &x, modes, &D));
  model_at(model, theta, &at);
  model_denoise(&at, 1, x, 0.7, D);
  const PetscErrorCode failed = ScoriaNormaliserAt(norm, &no_twin, theta);
  if (!failed) {
    normaliser_decode(norm, 1, y, fields);
    normaliser_encode(norm, 1, fields, y);
  }
  PetscCall(PetscFree4(y, fields, x, D));
  PetscFunctionReturn(failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  const char *path  = fuzz_path("model.h5");
  ScoriaModel model = NULL;
  fuzz_write_edited(base, path, data, size);
  PetscErrorCode failed = ScoriaModelLoad(PETSC_COMM_SELF, path, &model);
  if (!failed) failed = UseModel(model);
  if (!size) MUST(failed); /* nothing is wrong with it yet */
  fuzz_verdict(failed);
  MUST(ScoriaModelDestroy(&model));
  /* It forks, which is slow under the sanitizers: for some of the inputs. */
  if (size % 16 == 0) fuzz_verdict(ScoriaDescribeFile(PETSC_COMM_SELF, path));
  return 0;
}

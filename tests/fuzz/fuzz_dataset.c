/* The dataset reader: opens, reads and checks every row, as generate, train, compare and report do. */
#include "fuzz.h"

static FuzzBase base;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  (void)argc;
  (void)argv;
  fuzz_start();
  fuzz_make_dataset(fuzz_path("base.h5"));
  base = fuzz_base_read(fuzz_path("base.h5"));
  return 0;
}

static PetscErrorCode ReadRows(ScoriaDataset ds)
{
  const ScoriaDatasetSpec *spec;
  ScoriaRows rows;
  int64_t failures;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  PetscCall(ScoriaRowsCreate(spec, spec->realisations, &rows));
  for (int64_t first = 0; first + spec->realisations <= spec->rows; first += spec->realisations)
    PetscCall(ScoriaDatasetRead(ds, first, spec->realisations, &rows));
  PetscCall(ScoriaDatasetCountFailed(ds, &failures));
  PetscCall(ScoriaRowsDestroy(&rows));
  PetscFunctionReturn(0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  const char *path = fuzz_path("dataset.h5");
  ScoriaDataset ds = NULL;
  fuzz_write_edited(base, path, data, size);
  PetscErrorCode failed = ScoriaDatasetOpen(PETSC_COMM_SELF, path, &ds);
  if (!failed) failed = ReadRows(ds);
  if (!size) MUST(failed); /* nothing is wrong with it yet */
  fuzz_verdict(failed);
  MUST(ScoriaDatasetClose(&ds));
  /* It forks, which is slow under the sanitizers: for some of the inputs. */
  if (size % 16 == 0) fuzz_verdict(ScoriaDescribeFile(PETSC_COMM_SELF, path));
  return 0;
}

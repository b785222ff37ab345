/* A normaliser from a dataset: what it is for, and the fit as a whole. */
#include "normaliser_fit.h"
#include <math.h>

static void describe_space(const ScoriaSpace *space, ScoriaNormaliser norm)
{
  norm->space = *space;
  for (int j = 0; j < space->n; j++)
    if (space->c[j].lo < space->c[j].hi) norm->vary[norm->d++] = j;
}

PetscErrorCode NormCreate(ScoriaDataset ds, int nchannels, const ScoriaTwin *twin, const ScoriaNormaliserOptions *opt,
                          ScoriaNormaliser *norm)
{
  const ScoriaDatasetSpec *spec;
  ScoriaNormaliser made;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  PetscCheck(nchannels > 0 && nchannels <= spec->nfields && opt->modes > 0, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "%d channels, %d modes", nchannels, opt->modes);
  if (!opt->whitening && nchannels * spec->cells > NORM_MAX_ELEMENTS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "train_whitening is false and the fields have %d values together: at most %d can be learned one by one",
                nchannels * spec->cells, NORM_MAX_ELEMENTS);
  PetscCall(PetscNew(&made));
  describe_space(&spec->space, made);
  made->C    = nchannels;
  made->L    = spec->cells;
  made->m    = nchannels * spec->cells;
  made->twin = twin && twin->solve;
  for (int c = 0; c < nchannels; c++) made->reference[c] = twin ? twin->reference[c] : NAN;
  *norm = made;
  PetscFunctionReturn(0);
}

PetscErrorCode NormaliserFit(MPI_Comm comm, ScoriaDataset ds, int nchannels, const int channel[], const bool train[],
                             const ScoriaTwin *twin, const ScoriaNormaliserOptions *opt, ScoriaNormaliser *norm)
{
  const TrainSplit split = {.list = train};
  const NormInput in     = {.comm = comm, .ds = ds, .channel = channel, .split = &split, .twin = twin};
  NormData data;
  PetscFunctionBeginUser;
  PetscCall(NormCreate(ds, nchannels, twin, opt, norm));
  PetscCall(NormDataCreate(&in, *norm, false, norm_fit_passes(opt), &data));
  PetscCall(NormFit(&data, opt));
  PetscCall(NormDataDestroy(&data));
  PetscFunctionReturn(0);
}

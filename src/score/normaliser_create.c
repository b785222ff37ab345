/* A normaliser of profiles from a dataset: what it is for, and the preparation as a whole. */
#include "normaliser_fit.h"
#include "scoria/phases.h"
#include "train_data.h"
#include <math.h>

static void describe_space(const ScoriaSpace *space, NormProfile norm)
{
  norm->space = *space;
  for (int j = 0; j < space->n; j++)
    if (space->c[j].lo < space->c[j].hi) norm->vary[norm->d++] = j;
}

PetscErrorCode ProfileCreateOf(const ScoriaSpace *space, int channels, int cells, NormProfile *norm)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(norm));
  describe_space(space, *norm);
  (*norm)->C = channels;
  (*norm)->L = cells;
  (*norm)->m = channels * cells;
  for (int c = 0; c < channels; c++) (*norm)->reference[c] = NAN;
  PetscFunctionReturn(0);
}

PetscErrorCode ProfileCreate(ScoriaDataset ds, int nchannels, const ScoriaTwin *twin,
                             const ScoriaNormaliserOptions *opt, void **self)
{
  const ScoriaDatasetSpec *spec;
  NormProfile made;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  PetscCheck(nchannels > 0 && nchannels <= spec->nfields && opt->modes > 0, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "%d channels, %d modes", nchannels, opt->modes);
  if (!opt->whitening && nchannels * spec->cells > NORM_MAX_ELEMENTS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "train_whitening is false and the fields have %d values together: at most %d can be learned one by one",
                nchannels * spec->cells, NORM_MAX_ELEMENTS);
  PetscCall(ProfileCreateOf(opt->space ? opt->space : &spec->space, nchannels, spec->cells, &made));
  made->twin = twin && twin->solve;
  for (int c = 0; c < nchannels; c++) bounds_of_twin(twin, c, &made->bounds[c], &made->reference[c]);
  if (fields_differ(spec->nfields, spec->field))
    for (int c = 0; c < nchannels; c++) made->own[c] = spec->field[c].cells;
  for (int c = 0; c < nchannels && twin; c++) made->derived[c] = twin->derived[c];
  *self = made;
  PetscFunctionReturn(0);
}

static PetscErrorCode Fit(NormData *data, const NormTask *task)
{
  const NormProfile norm = data->norm;
  PetscFunctionBeginUser;
  PetscCall(NormFit(data, task->options));
  for (int c = 0; c < norm->C && data->in.run; c++)
    if (norm->relative[c])
      PetscCall(ScoriaSay(data->in.run, "  %s is learned as its value in the first cell and the differences from it",
                          data->spec->field[data->in.channel[c]].name));
  if (task->keep) PetscCall(task->keep(task->ctx));
  data->known = true;
  PetscFunctionReturn(0);
}

PetscErrorCode ProfilePrepare(void *self, const NormInput *in, const NormTask *task)
{
  const int passes       = (task->known ? 0 : norm_fit_passes(task->options)) + (task->whitened ? 1 : 0);
  NormWhitened *whitened = task->whitened;
  NormData data;
  int size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(in->comm, &size));
  PetscCall(NormDataCreate(in, self, task->known, passes, &data));
  phase_begin(SCORIA_PHASE_NORMALISER);
  if (!task->known) PetscCall(Fit(&data, task));
  phase_end(SCORIA_PHASE_NORMALISER, task->known ? 0 : (double)data.spec->rows / size);
  if (whitened) {
    phase_begin(SCORIA_PHASE_WHITEN);
    PetscCall(TrainDataCreate(&data, &whitened->train, &whitened->valid, &whitened->dropped));
    phase_end(SCORIA_PHASE_WHITEN, (double)(whitened->train.rows + whitened->valid.rows) / size);
  }
  PetscCall(NormDataDestroy(&data));
  PetscFunctionReturn(0);
}

/* ScoriaNormaliser: a row of the table of bases and its object. */
#include "basis.h"
#include "lateral.h"
#include "levels.h"
#include "normaliser.h"
#include "pod.h"
#include <string.h>

const NormBasis scoria_bases[] = {
    {.name        = "profile",
     .help        = "polynomials in the conditions for mean and scale of every cell, whitened modes over all cells",
     .create      = ProfileCreate,
     .prepare     = ProfilePrepare,
     .destroy     = ProfileDestroy,
     .save        = ProfileSave,
     .load        = ProfileLoad,
     .sizes       = profile_sizes,
     .space       = profile_space,
     .at          = ProfileAt,
     .encode      = profile_encode,
     .decode      = profile_decode,
     .log_volume  = profile_log_volume,
     .volume_work = profile_volume_work,
     .grid_modes  = profile_modes},
    {.name       = "lateral",
     .help       = "whole fields: marginal transforms, then whitened modes through the thickness for every wave number",
     .whole      = true,
     .periodic   = true,
     .create     = LateralCreate,
     .prepare    = LateralPrepare,
     .destroy    = LateralDestroy,
     .save       = LateralSave,
     .load       = LateralLoad,
     .sizes      = lateral_sizes,
     .space      = lateral_space,
     .at         = LateralAt,
     .encode     = lateral_encode,
     .decode     = lateral_decode,
     .log_volume = lateral_log_volume,
     .volume_work = lateral_volume_work,
     .grid_modes  = lateral_modes,
     .scores_each = lateral_scores_each,
     .scores      = lateral_cell_scores,
     .values      = lateral_cell_values},
    {.name        = "pod",
     .help        = "whole fields of any kind: modes of the sample covariance, then as profiles on their coefficients",
     .whole       = true,
     .create      = PodCreate,
     .prepare     = PodPrepare,
     .destroy     = PodDestroy,
     .save        = PodSave,
     .load        = PodLoad,
     .sizes       = pod_sizes,
     .space       = pod_space,
     .at          = PodAt,
     .encode      = pod_encode,
     .decode      = pod_decode,
     .log_volume  = pod_log_volume,
     .volume_work = pod_volume_work,
     .grid_modes  = pod_modes},
    {.name = NULL},
};

const NormBasis *basis_for(const ScoriaDatasetSpec *spec)
{
  const NormBasis *basis = scoria_bases;
  while (basis->whole != spec_is_whole(spec) || (basis->periodic && *spec->source)) basis++;
  return basis;
}

static PetscErrorCode Wrap(const NormBasis *basis, void *self, ScoriaNormaliser *norm)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(norm));
  **norm = (struct ScoriaNormaliser_){.basis = basis, .self = self};
  PetscFunctionReturn(0);
}

PetscErrorCode NormaliserCreate(const NormBasis *basis, ScoriaDataset ds, int nchannels, const ScoriaTwin *twin,
                                const ScoriaNormaliserOptions *opt, ScoriaNormaliser *norm)
{
  void *self = NULL;
  PetscFunctionBeginUser;
  PetscCall(basis->create(ds, nchannels, twin, opt, &self));
  PetscCall(Wrap(basis, self, norm));
  PetscFunctionReturn(0);
}

PetscErrorCode NormaliserCreateLearned(MPI_Comm comm, ScoriaRun run, const NormBasis *basis, ScoriaDataset ds,
                                       int nchannels, const ScoriaTwin *twin, const ScoriaNormaliserOptions *opt,
                                       ScoriaNormaliser *norm)
{
  ScoriaNormaliserOptions axes = *opt;
  const ScoriaDatasetSpec *spec;
  ScoriaSpace space;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  space      = spec->space;
  axes.space = &space;
  PetscCall(ScoriaSpaceLearned(comm, ds, &space));
  for (int j = 0; j < space.n && run; j++)
    if (space.c[j].log_learned)
      PetscCall(ScoriaSay(run, "  %s takes few values, which are more even in its logarithm: it is learned by that",
                          space.c[j].name));
  PetscCall(NormaliserCreate(basis, ds, nchannels, twin, &axes, norm));
  PetscFunctionReturn(0);
}

PetscErrorCode NormaliserFit(MPI_Comm comm, ScoriaDataset ds, int nchannels, const int channel[], const bool train[],
                             const ScoriaTwin *twin, const ScoriaNormaliserOptions *opt, ScoriaNormaliser *norm)
{
  const TrainSplit split = {.list = train};
  const NormInput in     = {.comm = comm, .ds = ds, .channel = channel, .split = &split, .twin = twin};
  const NormTask task    = {.options = opt};
  const ScoriaDatasetSpec *spec;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  PetscCall(NormaliserCreateLearned(comm, NULL, basis_for(spec), ds, nchannels, twin, opt, norm));
  PetscCall(NormaliserPrepare(*norm, &in, &task));
  PetscFunctionReturn(0);
}

PetscErrorCode NormaliserPrepare(ScoriaNormaliser norm, const NormInput *in, const NormTask *task)
{
  PetscFunctionBeginUser;
  PetscCall(norm->basis->prepare(norm->self, in, task));
  PetscFunctionReturn(0);
}

PetscErrorCode NormaliserDestroy(ScoriaNormaliser *norm)
{
  PetscFunctionBeginUser;
  if (!*norm) PetscFunctionReturn(0);
  PetscCall((*norm)->basis->destroy((*norm)->self));
  PetscCall(PetscFree(*norm));
  PetscFunctionReturn(0);
}

/* Files of the first basis do not name it. */
PetscErrorCode NormaliserSave(ScoriaNormaliser norm, ScoriaStore store)
{
  PetscFunctionBeginUser;
  if (norm->basis != &scoria_bases[0]) PetscCall(ScoriaStorePutText(store, "basis", norm->basis->name));
  PetscCall(norm->basis->save(norm->self, store));
  PetscFunctionReturn(0);
}

PetscErrorCode NormaliserLoad(ScoriaStore store, ScoriaNormaliser *norm)
{
  const NormBasis *basis = scoria_bases;
  char name[SCORIA_NAME_SIZE];
  void *self = NULL;
  bool named;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreHas(store, "basis", &named));
  if (named) {
    PetscCall(ScoriaStoreGetText(store, "basis", sizeof name, name));
    while (basis->name && strcmp(basis->name, name)) basis++;
    if (!basis->name)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "model file: its basis is '%s', which this version does not know", name);
  }
  PetscCall(basis->load(store, &self));
  PetscCall(Wrap(basis, self, norm));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaNormaliserSizes(ScoriaNormaliser norm, int *channels, int *cells, int *modes, int *all_modes)
{
  NormSizes sizes;
  PetscFunctionBeginUser;
  norm->basis->sizes(norm->self, &sizes);
  if (channels) *channels = sizes.channels;
  if (cells) *cells = sizes.cells;
  if (modes) *modes = sizes.modes;
  if (all_modes) *all_modes = sizes.all_modes;
  PetscFunctionReturn(0);
}

void normaliser_shape(ScoriaNormaliser norm, int shape[3])
{
  NormSizes sizes;
  norm->basis->sizes(norm->self, &sizes);
  memcpy(shape, sizes.shape, sizeof sizes.shape);
}

const ScoriaSpace *ScoriaNormaliserSpace(ScoriaNormaliser norm)
{
  return norm->basis->space(norm->self);
}

PetscErrorCode ScoriaNormaliserAt(ScoriaNormaliser norm, const ScoriaTwin *twin, const double theta[])
{
  PetscFunctionBeginUser;
  PetscCall(norm->basis->at(norm->self, twin, theta));
  PetscFunctionReturn(0);
}

void normaliser_encode(ScoriaNormaliser norm, int64_t n, const double fields[], double y[])
{
  norm->basis->encode(norm->self, n, fields, y);
}

void normaliser_decode(ScoriaNormaliser norm, int64_t n, const double y[], double fields[])
{
  norm->basis->decode(norm->self, n, y, fields);
}

double normaliser_log_volume(ScoriaNormaliser norm, const double y[], double work[])
{
  return norm->basis->log_volume(norm->self, y, work);
}

size_t normaliser_volume_work(ScoriaNormaliser norm)
{
  return norm->basis->volume_work(norm->self);
}

const double *normaliser_basis(ScoriaNormaliser norm)
{
  return norm->basis->grid_modes(norm->self);
}

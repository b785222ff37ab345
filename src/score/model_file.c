/* The model file: whatever rebuilds the network in any HDF5 reader.  Root attributes hold the sizes of the network, the
 * process and the training; /network/<tensor> the weights, matrices as (in, out), convolutions as (taps, in, out);
 * /consistency/<tensor> or /distilled/<tensor> those for the sampler of that name, where there are any; /calibration
 * (calibration.h) what samples are mapped by; /averages, where two lengths were trained, what other lengths are made
 * from; /normaliser, /conditions, /x and field0, field1, ... the rest. */
#include "model.h"
#include "net.h"
#include <math.h>
#include "processes.h"
#include "reach.h"
#include "samplers/samplers.h"
#include "scoria/run_files.h"
#include <stdio.h>
#include <string.h>

/* With the tensors, all that another program needs. */
static const char formula[] =
    "f = (v, sin(k pi v/2), cos(k pi v/2), k = 1..8 for v = ln(sigma)/4, then k = 1..3 for each v = u_j); "
    "e = silu(silu(f embed/W1 + b1) embed/W2 + b2); h = x in/W + in/b; "
    "film(h, e) = (1 + gamma) h/sqrt(mean(h^2) + 1e-6) + beta, (gamma, beta) = e film/W + film/b; each block: "
    "h += silu(silu(film(h, e)) W1 + b1) W2 + b2; F = silu(film(h, e)) out/W + out/b; "
    "D = y/(1 + sigma^2) + sigma/sqrt(1 + sigma^2) F, x = y/sqrt(1 + sigma^2). cnn1d: x and F are tokens of the grid, "
    "row t holding "
    "cells t*patch.. of each channel, tokens = k V^T x, F = V tokens/k, k = sqrt(C*L/modes), V = /normaliser modes; W1 "
    "and W2 "
    "convolve over tokens, zero outside, tap (taps-1)/2 being the centre. "
    "/distilled, if there: sample = z + pi/2 F at x = z, which is normal, and v = 0. "
    "/calibration, if there: of samples of the flow of D and of /distilled y_k becomes mu'_k + exp(l'_k - l_k) (y_k - "
    "mu_k), (mu, l) = p from, (mu', l') = p to, p the products of sqrt(2 n + 1) P_n(u_j), n = powers, P_n Legendre, u "
    "between -1 and 1.";

/* The integers of a network's spec under the names they have in a file. */
static int *spec_number(ScoriaNetSpec *s, int i, const char **name)
{
  static const char *const names[] = {"network_modes", "network_conditions", "network_width",
                                      "network_depth", "network_embed",      "network_channels",
                                      "network_cells", "network_kernel",     "network_patch"};
  int *const numbers[]             = {&s->r,        &s->d,     &s->width,  &s->depth, &s->embed,
                                      &s->channels, &s->cells, &s->kernel, &s->patch};
  if (i >= (int)(sizeof names / sizeof names[0])) return NULL;
  *name = names[i];
  return numbers[i];
}

static double *model_real(ScoriaModel m, int i, const char **name)
{
  static const char *const names[] = {"process_P_mean", "process_P_std", "train_loss", "train_validation_loss",
                                      "train_baseline_loss"};
  double *const numbers[]          = {&m->process.P_mean, &m->process.P_std, &m->loss, &m->validation, &m->baseline};
  if (i >= (int)(sizeof names / sizeof names[0])) return NULL;
  *name = names[i];
  return numbers[i];
}

static PetscErrorCode GetFields(ScoriaModel m, ScoriaStore store, const char *path)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreGetFields(store, &m->nchannels, m->field));
  if (m->nchannels != m->spec.channels)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: names %d fields, its network has %d", path, m->nchannels, m->spec.channels);
  for (int f = 0; f < m->nchannels && fields_differ(m->nchannels, m->field); f++)
    if (m->field[f].cells > m->cells)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: field %s has %d cells, its network %d", path, m->field[f].name,
                  m->field[f].cells, m->cells);
  PetscFunctionReturn(0);
}

/* Layers differ in their widths, and an axis has one length in a file: "in38 out16", of a convolution "tap in64 out64".
 */
static PetscErrorCode PutTensorAxes(ScoriaStore store, const char *path, int rank, const int64_t dims[])
{
  char axes[64] = "";
  PetscFunctionBeginUser;
  if (rank > 2) snprintf(axes, sizeof axes, "tap ");
  if (rank > 1) snprintf(axes + strlen(axes), sizeof axes - strlen(axes), "in%d ", (int)dims[rank - 2]);
  snprintf(axes + strlen(axes), sizeof axes - strlen(axes), "out%d", (int)dims[rank - 1]);
  PetscCall(ScoriaStorePutAxes(store, path, axes));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutTensors(ScoriaModel m, ScoriaStore store, const char *group, const float weights[],
                                 const char *description)
{
  const char *name;
  char path[64];
  int rank;
  int64_t dims[4], offset;
  PetscFunctionBeginUser;
  for (int i = 0; net_tensor(m->net, i, &name, &rank, dims, &offset); i++) {
    snprintf(path, sizeof path, "/%s/%s", group, name);
    PetscCall(ScoriaStorePutFloats(store, path, rank, dims, weights + offset, "", description));
    PetscCall(PutTensorAxes(store, path, rank, dims));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode PutNetwork(ScoriaModel m, ScoriaStore store)
{
  const char *name;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStorePutText(store, "network_kind", m->spec.kind));
  PetscCall(ScoriaStorePutText(store, "network_formula", formula));
  for (int i = 0, *number; (number = spec_number(&m->spec, i, &name)); i++)
    PetscCall(ScoriaStorePutInt(store, name, *number));
  PetscCall(PutTensors(m, store, "network", net_parameters(m->net), "averaged weights"));
  if (m->tuned)
    PetscCall(PutTensors(m, store, m->tuned_for->name, m->tuned, "averaged weights, for the sampler of this name"));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutCentres(ScoriaModel m, ScoriaStore store)
{
  int shape[3];
  PetscFunctionBeginUser;
  model_shape(m, shape);
  PetscCall(ScoriaStorePutCentres(store, m->nchannels, m->field, shape, ScoriaModelSpace(m), m->x));
  PetscFunctionReturn(0);
}

static PetscErrorCode GetCentres(ScoriaModel m, ScoriaStore store)
{
  int shape[3];
  PetscFunctionBeginUser;
  model_shape(m, shape);
  PetscCall(PetscMalloc1(model_centres(m), &m->x));
  PetscCall(ScoriaStoreGetCentres(store, m->nchannels, m->field, shape, m->x));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaModelSave(ScoriaModel model, MPI_Comm comm, const char *path, const char *deck)
{
  const char *name;
  double *number;
  ScoriaStore store;
  PetscFunctionBeginUser;
  ScoriaMadeFrom from = {.dataset = ""};
  PetscCall(ScoriaStoreCreate(comm, path, "model", deck, &store));
  PetscCall(PetscStrncpy(from.dataset, model->dataset, sizeof from.dataset));
  PetscCall(PetscStrncpy(from.library, model->library, sizeof from.library));
  PetscCall(PetscStrncpy(from.file, model->cheap, sizeof from.file));
  from.correlation = model->cheap_correlation;
  PetscCall(ScoriaStorePutMadeFrom(store, &from));
  PetscCall(PutNetwork(model, store));
  PetscCall(EmaSetSave(&model->averages, store, "/averages"));
  PetscCall(ScoriaStorePutFields(store, model->nchannels, model->field));
  for (int i = 0; (number = model_real(model, i, &name)); i++) PetscCall(ScoriaStorePutReal(store, name, *number));
  if (model->process.row) PetscCall(ScoriaStorePutText(store, "process", model->process.row->name));
  PetscCall(ScoriaStorePutInt(store, "train_steps", model->steps));
  PetscCall(ScoriaStorePutInt(store, "train_kept_step", model->kept));
  PetscCall(ScoriaStorePutInt(store, "train_lengthened_at", model->lengthened));
  PetscCall(ScoriaStorePutReal(store, "train_ema_width", model->width));
  PetscCall(ScoriaStorePutInt(store, "train_seed", (int64_t)model->seed));
  PetscCall(ScoriaStorePutInt(store, "float64", model->float64));
  PetscCall(ScoriaStorePutInt(store, MODEL_ROWS, model->rows[0]));
  PetscCall(ScoriaStorePutInt(store, MODEL_VALIDATION_ROWS, model->rows[1]));
  PetscCall(ScoriaStorePutText(store, "adopted", model->gaussian ? "gaussian" : "network"));
  PetscCall(HoldoutSave(&model->holdout, store));
  PetscCall(ReachSave(&model->reach, store));
  PetscCall(CalibrationSave(&model->calibration, store));
  PetscCall(PutCentres(model, store));
  PetscCall(NormaliserSave(model->normaliser, store));
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

/* Sizes must agree between the network and the normaliser before anything is made from them. */
static PetscErrorCode GetSpec(ScoriaModel m, ScoriaStore store, const char *path)
{
  const char *name;
  int channels, cells, modes;
  int64_t value;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreGetText(store, "network_kind", sizeof m->spec.kind, m->spec.kind));
  if (!strcmp(m->spec.kind, "waves"))
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: its network is 'waves', which this version has not, as no network did as well: train from its "
                "dataset again, in another -run_dir, with -train_steps 0 or -train_network modes",
                path);
  for (int i = 0, *number; (number = spec_number(&m->spec, i, &name)); i++) {
    PetscCall(ScoriaStoreGetInt(store, name, &value));
    if (value < 0 || value > INT32_MAX)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s is %lld, which no network has", path, name, (long long)value);
    *number = (int)value;
  }
  PetscCall(ScoriaNormaliserSizes(m->normaliser, &channels, &cells, &modes, NULL));
  if (channels != m->spec.channels || cells != m->spec.cells || modes != m->spec.r)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: the network is for %d fields of %d cells and %d modes, the normaliser for %d, %d and %d", path,
                m->spec.channels, m->spec.cells, m->spec.r, channels, cells, modes);
  if (m->spec.d != ScoriaModelSpace(m)->n)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: the network is for %d conditions, the file names %d", path, m->spec.d,
                ScoriaModelSpace(m)->n);
  m->cells = cells;
  PetscFunctionReturn(0);
}

/* Every tensor that this program's network of that kind has, with its shape. */
static PetscErrorCode GetTensors(ScoriaModel m, ScoriaStore store, const char *group, float weights[], const char *path)
{
  const char *name;
  char full[64];
  int rank, stored_rank;
  int64_t dims[4], stored[4] = {0}, offset;
  PetscFunctionBeginUser;
  for (int i = 0; net_tensor(m->net, i, &name, &rank, dims, &offset); i++) {
    int64_t count = 1;
    snprintf(full, sizeof full, "/%s/%s", group, name);
    PetscCall(ScoriaStoreShape(store, full, 4, &stored_rank, stored));
    bool same = stored_rank == rank;
    for (int k = 0; k < rank; k++) {
      count *= dims[k];
      same = same && stored[k] == dims[k];
    }
    if (!same)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s is missing or has another shape than its network asks for", path, full);
    PetscCall(ScoriaStoreGetFloats(store, full, count, weights + offset));
  }
  PetscFunctionReturn(0);
}

/* Files made when edm was the only process do not name it. */
static PetscErrorCode GetProcess(ScoriaModel m, ScoriaStore store, const char *path)
{
  char name[SCORIA_NAME_SIZE];
  bool named;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreHas(store, "process", &named));
  if (!named) PetscFunctionReturn(0);
  PetscCall(ScoriaStoreGetText(store, "process", sizeof name, name));
  m->process.row = process_find(name);
  if (!m->process.row) SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: process is '%s', expected edm, vp or ve", path, name);
  PetscFunctionReturn(0);
}

/* Weights for a sampler of few evaluations, where there are any. */
static PetscErrorCode GetTuned(ScoriaModel m, ScoriaStore store, const char *path)
{
  char name[64];
  int rank;
  int64_t dims[4];
  PetscFunctionBeginUser;
  for (const ScoriaSamplerRow *row = scoria_samplers; row->name && !m->tuned; row++) {
    if (!sampler_is_tuned(row)) continue;
    snprintf(name, sizeof name, "/%s/in/W", row->name);
    PetscCall(ScoriaStoreShape(store, name, 4, &rank, dims));
    if (rank < 0) continue;
    m->tuned_for = row;
    PetscCall(PetscMalloc1(net_parameter_count(m->net), &m->tuned));
    PetscCall(GetTensors(m, store, row->name, m->tuned, path));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode GetNetwork(ScoriaModel m, ScoriaStore store, const char *path)
{
  PetscFunctionBeginUser;
  PetscCall(ModelNetCreate(m));
  PetscCall(GetTensors(m, store, "network", net_parameters(m->net), path));
  PetscCall(GetTuned(m, store, path));
  PetscFunctionReturn(0);
}

/* Files of earlier versions did not choose: there it is the network. */
static PetscErrorCode GetAdopted(ScoriaModel m, ScoriaStore store)
{
  char adopted[SCORIA_NAME_SIZE];
  bool stored;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreHas(store, "adopted", &stored));
  if (!stored) PetscFunctionReturn(0);
  PetscCall(ScoriaStoreGetText(store, "adopted", sizeof adopted, adopted));
  m->gaussian = !strcmp(adopted, "gaussian");
  PetscCall(ScoriaStoreGetInt(store, MODEL_ROWS, &m->rows[0]));
  PetscCall(ScoriaStoreGetInt(store, MODEL_VALIDATION_ROWS, &m->rows[1]));
  PetscFunctionReturn(0);
}

/* Where the training ended up, for one that goes on from here; not in files of earlier versions. */
static PetscErrorCode GetKept(ScoriaModel m, ScoriaStore store)
{
  bool stored;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreHas(store, "train_kept_step", &stored));
  if (stored) PetscCall(ScoriaStoreGetInt(store, "train_kept_step", &m->kept));
  PetscCall(ScoriaStoreHas(store, "train_lengthened_at", &stored));
  if (stored) PetscCall(ScoriaStoreGetInt(store, "train_lengthened_at", &m->lengthened));
  PetscCall(ScoriaStoreHas(store, "train_ema_width", &stored));
  if (stored) PetscCall(ScoriaStoreGetReal(store, "train_ema_width", &m->width));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaModelLoad(MPI_Comm comm, const char *path, ScoriaModel *model)
{
  const char *name, *deck;
  double *number;
  int64_t seed, float64 = 0;
  bool stored;
  ScoriaStore store;
  ScoriaModel m;
  ScoriaMadeFrom from;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreOpen(comm, path, "model", &store));
  PetscCall(PetscNew(&m));
  PetscCall(ScoriaStoreMadeFrom(store, &from));
  PetscCall(ScoriaStoreIdentity(store, m->identity));
  PetscCall(PetscStrncpy(m->dataset, from.dataset, sizeof m->dataset));
  PetscCall(PetscStrncpy(m->library, from.library, sizeof m->library));
  PetscCall(PetscStrncpy(m->cheap, from.file, sizeof m->cheap));
  m->cheap_correlation = from.correlation;
  PetscCall(NormaliserLoad(store, &m->normaliser));
  PetscCall(GetSpec(m, store, path));
  PetscCall(GetFields(m, store, path));
  for (int i = 0; (number = model_real(m, i, &name)); i++) PetscCall(ScoriaStoreGetReal(store, name, number));
  PetscCall(GetProcess(m, store, path));
  PetscCall(ScoriaStoreGetInt(store, "train_steps", &m->steps));
  PetscCall(ScoriaStoreGetInt(store, "train_seed", &seed));
  PetscCall(ScoriaStoreHas(store, "float64", &stored)); /* not by the first release */
  if (stored) PetscCall(ScoriaStoreGetInt(store, "float64", &float64));
  m->float64 = float64 != 0;
  m->seed    = (uint64_t)seed;
  PetscCall(GetAdopted(m, store));
  PetscCall(GetKept(m, store));
  PetscCall(HoldoutLoad(store, path, m->seed, &m->holdout));
  PetscCall(ReachLoad(store, m->spec.d, &m->reach));
  PetscCall(GetCentres(m, store));
  PetscCall(ScoriaStoreDeck(store, &deck));
  PetscCall(PetscStrallocpy(deck, &m->deck));
  PetscCall(GetNetwork(m, store, path));
  PetscCall(CalibrationLoad(store, m->spec.d, m->spec.r, &m->calibration));
  PetscCall(EmaSetLoad(store, "/averages", net_parameter_count(m->net), &m->averages));
  PetscCall(ScoriaStoreClose(&store));
  *model = m;
  PetscFunctionReturn(0);
}

/* The model: its network with the averaged weights, the denoiser over it, and the file.
 *
 * D = c_skip x + c_out F(c_in x; ln(sigma)/4, u), with sigma_data = 1: c_skip = 1/(1 + sigma^2), c_out = sigma/sqrt(1 +
 * sigma^2), c_in = 1/sqrt(1 + sigma^2) (Karras et al. 2022). */
#include "model.h"
#include "net.h"
#include "basis.h"
#include "holdout.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PROFILE_ERROR 0.1 /* of an average that is rebuilt, relative, at most */

PetscErrorCode ModelBasis(ScoriaNormaliser norm, ScoriaNetSpec *spec, float **basis)
{
  const NetworkRow *row = network_find(spec->kind);
  PetscFunctionBeginUser;
  *basis      = NULL;
  spec->basis = NULL;
  if (!row || !row->on_grid) PetscFunctionReturn(0);
  const size_t count = (size_t)spec->r * (size_t)spec->channels * (size_t)spec->cells;
  const double *V    = normaliser_basis(norm);
  if (!V)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "train_network is %s, which works on profiles, but the model is of whole fields",
                spec->kind);
  PetscCall(PetscMalloc1(count, basis));
  for (size_t i = 0; i < count; i++) (*basis)[i] = (float)V[i];
  spec->basis = *basis;
  PetscFunctionReturn(0);
}

PetscErrorCode ModelNetCreate(ScoriaModel model)
{
  ScoriaNetSpec spec = model->spec;
  float *basis;
  PetscFunctionBeginUser;
  PetscCall(ModelBasis(model->normaliser, &spec, &basis));
  PetscCall(NetCreate(&spec, MODEL_TILE, false, &model->net));
  PetscCall(PetscFree(basis));
  PetscCall(PetscMalloc1(2 * MODEL_TILE * spec.r, &model->tile));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaModelDestroy(ScoriaModel *model)
{
  ScoriaModel m = *model;
  PetscFunctionBeginUser;
  if (!m) PetscFunctionReturn(0);
  PetscCall(NormaliserDestroy(&m->normaliser));
  PetscCall(NetDestroy(&m->net));
  PetscCall(EmaSetDestroy(&m->averages));
  PetscCall(ScoriaHoldoutDestroy(&m->holdout));
  PetscCall(CalibrationDestroy(&m->calibration));
  PetscCall(PetscFree(m->tuned));
  PetscCall(PetscFree(m->tile));
  PetscCall(PetscFree(m->x));
  PetscCall(PetscFree(m->deck));
  PetscCall(PetscFree(*model));
  PetscFunctionReturn(0);
}

const char *model_identity(ScoriaModel model)
{
  return model->identity;
}

const char *model_dataset(ScoriaModel model)
{
  return model->dataset;
}

const char *model_library(ScoriaModel model)
{
  return model->library;
}

bool model_is_gaussian(ScoriaModel model)
{
  return model->gaussian;
}

bool model_has_network(ScoriaModel model)
{
  return model->steps > 0;
}

const ScoriaHoldout *model_holdout(ScoriaModel model)
{
  return &model->holdout;
}

const ScoriaReach *model_reach(ScoriaModel model)
{
  return &model->reach;
}

PetscErrorCode ScoriaModelDeck(ScoriaModel model, const char **deck)
{
  PetscFunctionBeginUser;
  *deck = model->deck;
  PetscFunctionReturn(0);
}

ScoriaNormaliser ScoriaModelNormaliser(ScoriaModel model)
{
  return model->normaliser;
}

const ScoriaSpace *ScoriaModelSpace(ScoriaModel model)
{
  return ScoriaNormaliserSpace(model->normaliser);
}

bool ScoriaModelFloat64(ScoriaModel model)
{
  return model->float64;
}

void model_shape(ScoriaModel model, int shape[3])
{
  normaliser_shape(model->normaliser, shape);
}

int model_centres(ScoriaModel model)
{
  int shape[3];
  model_shape(model, shape);
  return fields_centres(model->nchannels, model->field, shape);
}

PetscErrorCode ScoriaModelFields(ScoriaModel model, int *nchannels, const ScoriaField **field, int *cells,
                                 const double **x)
{
  PetscFunctionBeginUser;
  if (nchannels) *nchannels = model->nchannels;
  if (field) *field = model->field;
  if (cells) *cells = model->cells;
  if (x) *x = model->x;
  PetscFunctionReturn(0);
}

bool model_serves(ScoriaModel model, const ScoriaSamplerRow *sampler)
{
  return model->uses_tuned ? model->tuned_for == sampler : !sampler_is_tuned(sampler);
}

static PetscErrorCode ChooseTuned(ScoriaModel m, const ScoriaSamplerRow *sampler, bool width, const char *path)
{
  PetscFunctionBeginUser;
  if (!m->tuned || m->tuned_for != sampler)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: holds no weights for sampler %s; %s with train_%s_steps", path, sampler->name,
                m->tuned ? "but for another: train anew" : "train adds them", sampler->name);
  if (width) SCORIA_FAIL(SCORIA_EXIT_INPUT, "sample_ema is set, but sampler %s has weights of its own", sampler->name);
  PetscCall(PetscArraycpy(net_parameters(m->net), m->tuned, net_parameter_count(m->net)));
  /* A distilled network carries noise to where the denoiser's flow does, and its samples are mapped as those. */
  if (sampler->stochastic) PetscCall(CalibrationDestroy(&m->calibration));
  m->uses_tuned = true;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaModelChoose(ScoriaModel m, ScoriaDeck deck, const char *path)
{
  const char *sampler, *source;
  bool asked;
  double width = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "sample_source", &source));
  if (strcmp(source, "best")) m->gaussian = !strcmp(source, "gaussian");
  PetscCall(ScoriaDeckHas(deck, "sample_ema", &asked));
  PetscCall(ScoriaDeckString(deck, "sample_sampler", &sampler));
  if (sampler_is_tuned(sampler_find(sampler))) {
    PetscCall(ChooseTuned(m, sampler_find(sampler), asked, path));
    PetscFunctionReturn(0);
  }
  if (!asked) PetscFunctionReturn(0);
  PetscCall(ScoriaDeckReal(deck, "sample_ema", &width));
  if (m->averages.n < 2)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: holds one average of the weights only; sample_ema is for models trained with two, "
                "train_ema: [0.05, 0.10]",
                path);
  const double error = ema_rebuild(&m->averages, width, net_parameters(m->net));
  if (error > PROFILE_ERROR)
    SCORIA_FAIL(
        SCORIA_EXIT_INPUT,
        "%s: the averages there rebuild one of relative width %g (sample_ema) with an error of %.0f %%, more than "
        "%.0f %%: ask for one nearer to %.3g or %.3g",
        path, width, 100 * error, 100 * PROFILE_ERROR, ema_width(m->averages.profile[0].exponent),
        ema_width(m->averages.profile[1].exponent));
  PetscCall(CalibrationDestroy(&m->calibration));
  m->width = width;
  PetscFunctionReturn(0);
}

void model_at(ScoriaModel model, const double theta[], ModelAt *at)
{
  const ScoriaSpace *space = ScoriaModelSpace(model);
  double u[SCORIA_MAX_CONDITIONS];
  at->model = model;
  space_to_learned(space, theta, u);
  for (int k = 0; k < space->n; k++) at->u[k] = (float)u[k];
}

void model_calibrate(ScoriaModel model, const float u[], int n, float y[])
{
  const Calibration *c = &model->calibration;
  double unit[SCORIA_MAX_CONDITIONS];
  if (!c->from) return;
  for (int j = 0; j < c->d; j++) unit[j] = (double)u[j];
  calibration_at(c, unit);
  for (int i = 0; i < n; i++)
    for (int k = 0; k < c->r; k++) {
      float *value = y + (size_t)i * (size_t)c->r + (size_t)k;
      *value       = (float)(c->scale[k] * (double)*value + c->shift[k]);
    }
}

void model_denoise(void *ctx, int n, const float x[], double sigma, float D[])
{
  const ModelAt *at   = ctx;
  const ScoriaModel m = at->model;
  const int r         = m->spec.r;
  const double root   = sqrt(1 + sigma * sigma);
  const float in = (float)(1 / root), skip = (float)(1 / (root * root)), out = (float)(sigma / root);
  float *scaled = m->tile, *F = m->tile + MODEL_TILE * r;
  for (int first = 0; first < n; first += MODEL_TILE) {
    const int rows       = n - first < MODEL_TILE ? n - first : MODEL_TILE;
    const float *from    = x + (size_t)first * (size_t)r;
    float *to            = D + (size_t)first * (size_t)r;
    const size_t numbers = (size_t)rows * (size_t)r, all = (size_t)MODEL_TILE * (size_t)r;
    for (size_t i = 0; i < numbers; i++) scaled[i] = in * from[i];
    memset(scaled + numbers, 0, sizeof(float) * (all - numbers));
    net_forward_shared(m->net, MODEL_TILE, scaled, (float)(0.25 * log(sigma)), at->u, F);
    for (size_t i = 0; i < numbers; i++) to[i] = skip * from[i] + out * F[i];
  }
}

/* Fields of given latents: the deterministic samplers as a map from N(0, I) to the model's law, for inference.
 *
 * Tiles are those of sample.c.  Where rows have conditions of their own, the network is given them row by row, and the
 * normaliser decodes them one by one. */
#include "basis.h"
#include "model.h"
#include "net.h"
#include "scoria/phases.h"
#include "samplers/samplers.h"
#include <string.h>

/* The ctx of denoise_each.  Floats (MODEL_TILE, r), but u (MODEL_TILE, d), label (MODEL_TILE). */
typedef struct {
  ScoriaModel model; /* borrowed */
  float *u, *label;
} Each;

/* As model_denoise, for the MODEL_TILE rows of one tile. */
static void denoise_each(void *ctx, int n, const float x[], double sigma, float D[])
{
  const Each *each = ctx;
  net_denoise(each->model->net, n, x, sigma, each->u, each->model->tile, each->label, D);
}

/* Buffers of one tile. */
typedef struct {
  int r, R;
  uint64_t id[MODEL_TILE];
  float *noise, *learned, *work, *u, *label;
  double *y;
} Tile;

static PetscErrorCode TileCreate(ScoriaModel model, Tile *tile)
{
  int C, L;
  PetscFunctionBeginUser;
  memset(tile, 0, sizeof *tile);
  PetscCall(ScoriaNormaliserSizes(model->normaliser, &C, &L, &tile->r, &tile->R));
  const size_t numbers = (size_t)MODEL_TILE * (size_t)tile->r;
  PetscCall(PetscCalloc6(numbers, &tile->noise, numbers, &tile->learned, sampler_work_floats(MODEL_TILE, tile->r),
                         &tile->work, MODEL_TILE * (model->spec.d + 1), &tile->u, MODEL_TILE, &tile->label,
                         (size_t)MODEL_TILE * (size_t)tile->R, &tile->y));
  PetscFunctionReturn(0);
}

static PetscErrorCode TileDestroy(Tile *tile)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree6(tile->noise, tile->learned, tile->work, tile->u, tile->label, tile->y));
  PetscFunctionReturn(0);
}

/* tile->y of n rows that stand from row `at` on; the others are zeros. */
static void carry(ScoriaModel model, const ScoriaSamplerOptions *asked, const ScoriaDenoiser *den, int at, int n,
                  const double latent[], Tile *tile)
{
  const int r = tile->r, R = tile->R;
  ScoriaSamplerOptions opt = *asked;
  opt.noise                = tile->noise;
  memset(tile->noise, 0, (size_t)MODEL_TILE * (size_t)r * sizeof(float));
  for (int i = 0; i < n; i++)
    for (int k = 0; k < r; k++) tile->noise[(at + i) * r + k] = (float)latent[(size_t)i * (size_t)R + (size_t)k];
  if (den) {
    sampler_find(opt.kind)->run(&opt, den, MODEL_TILE, tile->id, tile->work, tile->learned);
    for (int i = at; i < at + n; i++)
      model_calibrate(model, tile->u + i * model->spec.d, 1, tile->learned + (size_t)i * (size_t)r);
  }
  memcpy(tile->y, latent, (size_t)n * (size_t)R * sizeof(double));
  for (int i = 0; i < n && den; i++)
    for (int k = 0; k < r; k++) tile->y[(size_t)i * (size_t)R + (size_t)k] = tile->learned[(at + i) * r + k];
}

/* Rows of one tile, each at its own condition. */
static PetscErrorCode DecodeEach(ScoriaModel model, const ScoriaTwin *twin, int n, const double theta[],
                                 const double y[], double fields[])
{
  int C, L, r, R;
  PetscFunctionBeginUser;
  PetscCall(ScoriaNormaliserSizes(model->normaliser, &C, &L, &r, &R));
  for (int i = 0; i < n; i++) {
    PetscCall(ScoriaNormaliserAt(model->normaliser, twin, theta + i * ScoriaModelSpace(model)->n));
    normaliser_decode(model->normaliser, 1, y + (size_t)i * (size_t)R, fields + (size_t)i * (size_t)(C * L));
  }
  PetscFunctionReturn(0);
}

/* Unit conditions of n rows from row `at` on: of every row, or the same of all. */
static void set_units(ScoriaModel model, int at, int n, bool each, const double theta[], Tile *tile)
{
  const ScoriaSpace *space = ScoriaModelSpace(model);
  const int d              = model->spec.d;
  double unit[SCORIA_MAX_CONDITIONS];
  memset(tile->u, 0, sizeof(float) * (size_t)(MODEL_TILE * d));
  for (int i = 0; i < n; i++) {
    space_to_learned(space, theta + (each ? i * space->n : 0), unit);
    for (int k = 0; k < d; k++) tile->u[(at + i) * d + k] = (float)unit[k];
  }
}

PetscErrorCode ScoriaModelTransport(ScoriaModel model, const ScoriaTwin *twin, const ScoriaSamplerOptions *asked,
                                    bool gaussian, int64_t first, int64_t n, bool each, const double theta[],
                                    const double latent[], double fields[])
{
  const ScoriaSamplerRow *sampler = sampler_find(asked->kind);
  const int64_t width             = ScoriaModelSpace(model)->n;
  ScoriaSamplerOptions opt        = *asked;
  ModelAt at;
  Tile tile;
  PetscFunctionBeginUser;
  PetscCheck(sampler && !sampler->stochastic && opt.steps > 0, PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG,
             "sampler '%s', %d steps: no map of the initial noise", opt.kind, opt.steps);
  PetscCheck(gaussian || model_serves(model, sampler), PETSC_COMM_SELF, PETSC_ERR_ARG_WRONGSTATE,
             "sampler '%s' on the weights of another (ScoriaModelChoose)", asked->kind);
  phase_begin(SCORIA_PHASE_SAMPLE);
  if (!opt.process) opt.process = model->process.row;
  PetscCall(TileCreate(model, &tile));
  PetscCall(NetUseBfloat16(model->net, opt.bfloat16));
  if (!each) {
    PetscCall(ScoriaNormaliserAt(model->normaliser, twin, theta));
    model_at(model, theta, &at);
  }
  Each rows                = {model, tile.u, tile.label};
  const ScoriaDenoiser den = {tile.r, each ? (void *)&rows : (void *)&at, each ? denoise_each : model_denoise};
  const int64_t m          = (int64_t)model->nchannels * model->cells;
  for (int64_t start = 0, part; start < n; start += part) {
    const int place = (int)((first + start) % MODEL_TILE);
    part            = PetscMin(MODEL_TILE - place, n - start);
    set_units(model, place, (int)part, each, theta + (each ? start * width : 0), &tile);
    carry(model, &opt, gaussian ? NULL : &den, place, (int)part, latent + start * tile.R, &tile);
    if (each)
      PetscCall(DecodeEach(model, twin, (int)part, theta + start * width, tile.y, fields + start * m));
    else
      normaliser_decode(model->normaliser, part, tile.y, fields + start * m);
  }
  PetscCall(TileDestroy(&tile));
  const double evaluations = gaussian ? 0 : sampler->evaluations(opt.steps);
  const double each_flops  = each ? net_flops(model->net) : net_sampling_flops(model->net);
  PetscCall(PetscLogFlops((double)n * (evaluations * each_flops + 2.0 * tile.R * (double)m)));
  phase_end(SCORIA_PHASE_SAMPLE, (double)n);
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------------- scores ---- */

int model_scores_each(ScoriaModel model)
{
  const ScoriaNormaliser norm = model->normaliser;
  return norm->basis->scores_each ? norm->basis->scores_each(norm->self) : 0;
}

PetscErrorCode ScoriaModelScores(ScoriaModel model, const ScoriaTwin *twin, const double theta[], int n,
                                 const int cell[], double mean[], double weight[])
{
  const ScoriaNormaliser norm = model->normaliser;
  PetscFunctionBeginUser;
  PetscCall(ScoriaNormaliserAt(norm, twin, theta));
  norm->basis->scores(norm->self, n, cell, mean, weight);
  PetscFunctionReturn(0);
}

void model_values(ScoriaModel model, int n, const int cell[], const double score[], double value[])
{
  model->normaliser->basis->values(model->normaliser->self, n, cell, score, value);
}

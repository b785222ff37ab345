/* Samples of the model at a condition: whitened coordinates by a diffusion sampler, the Gaussian remainder, the
 * decoder.
 *
 * Samples are drawn in tiles of MODEL_TILE, sample `id` always standing in row id modulo MODEL_TILE: whatever a matrix
 * product does with a row's position, a sample has the same bits however many were asked for and whoever drew them. */
#include "packed.h"
#include "model.h"
#include "net.h"
#include "scoria/phases.h"
#include "samplers/samplers.h"
#include "processes.h"
#include <string.h>

PetscErrorCode ScoriaSamplerFromDeck(ScoriaDeck deck, ScoriaSamplerOptions *opt)
{
  const char *kind, *precision, *process;
  PetscInt steps, seed;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "sample_sampler", &kind));
  const ScoriaSamplerRow *row = sampler_find(kind);
  PetscCheck(row, PETSC_COMM_SELF, PETSC_ERR_PLIB, "no sampler '%s', though the deck allows it", kind);
  opt->kind = row->name;
  PetscCall(ScoriaDeckInt(deck, "sample_steps", &steps));
  PetscCall(ScoriaDeckString(deck, "sample_precision", &precision));
  opt->bfloat16 = !strcmp(precision, "bfloat16");
  PetscCall(ScoriaDeckReal(deck, "sample_sigma_max", &opt->sigma_max));
  PetscCall(ScoriaDeckReal(deck, "sample_sigma_min", &opt->sigma_min));
  PetscCall(ScoriaDeckReal(deck, "sample_power", &opt->power));
  PetscCall(ScoriaDeckReal(deck, "sample_snr", &opt->snr));
  PetscCall(ScoriaDeckString(deck, "sample_process", &process));
  opt->process = process_find(process); /* NULL for "trained" */
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  if (!(opt->sigma_min < opt->sigma_max))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "sample_sigma_min (%g) must be below sample_sigma_max (%g)", opt->sigma_min,
                opt->sigma_max);
  opt->noise = NULL;
  opt->steps = (int)steps;
  opt->seed  = (uint64_t)seed;
  PetscFunctionReturn(0);
}

bool sampler_bfloat16_is_fast(void)
{
  return packed_is_fast();
}

#define TOGETHER 8192 /* numbers of samples that are decoded together: they stay in the cache */

/* Buffers of one tile. */
typedef struct {
  int r, R;
  int rows; /* samples that are decoded together */
  uint64_t id[MODEL_TILE];
  float *learned;   /* (MODEL_TILE, r), without a network (rows, r) */
  float *remainder; /* (R - r) */
  float *work;      /* the sampler's; NULL without a network */
  double *y;        /* (rows, R) */
} Tile;

static PetscErrorCode TileCreate(bool network, int r, int R, Tile *tile)
{
  const int rows = PetscClipInterval(TOGETHER / R, 1, MODEL_TILE), learned = network ? MODEL_TILE : rows;
  PetscFunctionBeginUser;
  *tile = (Tile){.r = r, .R = R, .rows = rows};
  PetscCall(PetscMalloc4((size_t)learned * r, &tile->learned, R - r + 1, &tile->remainder,
                         network ? sampler_work_floats(MODEL_TILE, r) : 0, &tile->work, (size_t)rows * R, &tile->y));
  PetscFunctionReturn(0);
}

static PetscErrorCode TileDestroy(Tile *tile)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree4(tile->learned, tile->remainder, tile->work, tile->y));
  PetscFunctionReturn(0);
}

/* y of a sample: its learned coordinates, then the Gaussian remainder. */
static void set_sample(const ScoriaSamplerOptions *opt, uint64_t id, const float learned[], Tile *tile, double y[])
{
  const int r = tile->r, R = tile->R;
  rng_normalf(opt->seed, SCORIA_STREAM_REMAINDER, id, 0, R - r, tile->remainder);
  for (int k = 0; k < r; k++) y[k] = learned[k];
  for (int k = r; k < R; k++) y[k] = tile->remainder[k - r];
}

/* Samples [lo, hi) of the tile, fields of `width` values: den is NULL for the conditional Gaussian, of which no sample
 * needs the others. */
static void draw_tile(const ScoriaSamplerOptions *opt, const ScoriaSamplerRow *sampler, const ScoriaDenoiser *den,
                      const ModelAt *at, int lo, int hi, Tile *tile, size_t width, double fields[])
{
  const int r = tile->r;
  if (den) {
    sampler->run(opt, den, MODEL_TILE, tile->id, tile->work, tile->learned);
    model_calibrate(at->model, at->u, MODEL_TILE, tile->learned);
  }
  for (int first = lo, n; first < hi; first += n, fields += (size_t)n * width) {
    n = PetscMin(tile->rows, hi - first);
    if (!den) sampler_noise(opt, 1, n, r, tile->id + first, tile->learned);
    const float *learned = tile->learned + (den ? (size_t)first * r : 0);
    for (int i = 0; i < n; i++)
      set_sample(opt, tile->id[first + i], learned + (size_t)i * r, tile, tile->y + (size_t)i * tile->R);
    normaliser_decode(at->model->normaliser, n, tile->y, fields);
  }
}

PetscErrorCode ScoriaModelSample(ScoriaModel model, const ScoriaTwin *twin, const ScoriaSamplerOptions *asked,
                                 const double theta[], uint64_t first_id, int64_t n, bool gaussian, double fields[])
{
  ScoriaSamplerOptions resolved   = *asked;
  const ScoriaSamplerOptions *opt = &resolved;
  ScoriaNormaliser norm           = model->normaliser;
  const ScoriaSamplerRow *sampler = sampler_find(opt->kind);
  const uint64_t end              = first_id + (uint64_t)n;
  int C, L, r, R;
  ModelAt at;
  Tile tile;
  PetscFunctionBeginUser;
  if (!resolved.process) resolved.process = model->process.row;
  PetscCheck(sampler && opt->steps > 0, PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG, "sampler '%s', %d steps", opt->kind,
             opt->steps);
  PetscCheck(gaussian || model_serves(model, sampler), PETSC_COMM_SELF, PETSC_ERR_ARG_WRONGSTATE,
             "sampler '%s' on the weights of another (ScoriaModelChoose)", opt->kind);
  phase_begin(SCORIA_PHASE_SAMPLE);
  PetscCall(ScoriaNormaliserAt(norm, twin, theta));
  PetscCall(ScoriaNormaliserSizes(norm, &C, &L, &r, &R));
  PetscCall(TileCreate(!gaussian, r, R, &tile));
  PetscCall(NetUseBfloat16(model->net, opt->bfloat16));
  model_at(model, theta, &at);
  const ScoriaDenoiser den = {r, &at, model_denoise};
  for (uint64_t start = first_id - first_id % MODEL_TILE; start < end; start += MODEL_TILE) {
    const uint64_t lo = PetscMax(start, first_id), hi = PetscMin(start + MODEL_TILE, end);
    for (int i = 0; i < MODEL_TILE; i++) tile.id[i] = start + (uint64_t)i;
    draw_tile(opt, sampler, gaussian ? NULL : &den, &at, (int)(lo - start), (int)(hi - start), &tile, (size_t)C * L,
              fields + (size_t)(lo - first_id) * C * L);
  }
  PetscCall(TileDestroy(&tile));
  const double evaluations = gaussian ? 0 : sampler->evaluations(opt->steps);
  PetscCall(PetscLogFlops((double)n * (evaluations * net_sampling_flops(model->net) + 2.0 * R * C * L)));
  phase_end(SCORIA_PHASE_SAMPLE, (double)n);
  PetscFunctionReturn(0);
}

/* Fields per second of the model on one core, drawn from its source as the commands do; the normaliser's fit and
 * encoding.
 *
 * The network has the shape of a trained one and random weights (the cost does not depend on their values); the
 * normaliser is fitted to a synthetic ensemble written to bench_sample.h5 in the working directory and removed at the
 * end.
 *
 *   bench_sample [-sampler abm] [-steps 8] [-count 2048] [-width 192] [-depth 1] [-embed 128] [-modes 12]
 *                [-all_modes 80] [-conditions 128] [-realisations 64] [-cells 128] [-network modes] [-bfloat16 false]
 *                [-kernels best|base|v3|v4] */
#include "scoria/draw.h"
#include "scoria/processor.h"
#include "score/model.h"
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#define CHANNELS 2
#define FILE_NAME "bench_sample.h5"

typedef struct {
  PetscInt steps, count, width, depth, embed, modes, all_modes, conditions, realisations, cells;
  PetscBool bfloat16;
  char sampler[32], network[32];
} Options;

static PetscErrorCode ReadOptions(Options *o)
{
  char kernels[16] = "best";
  PetscFunctionBeginUser;
  *o = (Options){8, 2048, 192, 1, 128, 12, 80, 128, 64, 128, PETSC_FALSE, "abm", "modes"};
  PetscCall(PetscOptionsGetString(NULL, NULL, "-kernels", kernels, sizeof kernels, NULL));
  PetscCheck(processor_use(processor_find(kernels)), PETSC_COMM_WORLD, PETSC_ERR_USER, "no kernels '%s' here", kernels);
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-steps", &o->steps, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-count", &o->count, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-width", &o->width, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-depth", &o->depth, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-embed", &o->embed, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-modes", &o->modes, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-all_modes", &o->all_modes, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-conditions", &o->conditions, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-realisations", &o->realisations, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-cells", &o->cells, NULL));
  PetscCall(PetscOptionsGetBool(NULL, NULL, "-bfloat16", &o->bfloat16, NULL));
  PetscCall(PetscOptionsGetString(NULL, NULL, "-sampler", o->sampler, sizeof o->sampler, NULL));
  PetscCall(PetscOptionsGetString(NULL, NULL, "-network", o->network, sizeof o->network, NULL));
  PetscFunctionReturn(0);
}

/* Rough fields of the two channels: first-order autoregressive along x, c below 1000. */
static void fill_rows(const Options *o, int64_t first, ScoriaRows *rows)
{
  for (int64_t i = 0; i < rows->rows; i++) {
    const int64_t row = first + i, condition = row / o->realisations;
    double u[3], level[CHANNELS]             = {0};
    rng_uniform(1, SCORIA_STREAM_CONDITION, (uint64_t)condition, 0, 3, u);
    for (int j = 0; j < 3; j++) rows->condition[j][i] = u[j];
    for (int k = 0; k < o->cells; k++) {
      double z[CHANNELS];
      rng_normal(1, SCORIA_STREAM_POROSITY, (uint64_t)row, (uint32_t)k, CHANNELS, z);
      for (int c = 0; c < CHANNELS; c++) level[c] = 0.9 * level[c] + (0.5 + 0.5 * u[c]) * z[c];
      rows->field[0][i * o->cells + k] = 1000 - 50 * exp(0.2 * level[0] + u[0]);
      rows->field[1][i * o->cells + k] = 0.01 * level[1] + u[1] + 0.1 * u[2] * k / o->cells;
    }
    rows->done[i] = SCORIA_ROW_DONE;
  }
}

static PetscErrorCode WriteEnsemble(const Options *o)
{
  ScoriaDatasetSpec spec      = {.rows         = (int64_t)o->conditions * o->realisations,
                                 .cells        = (int)o->cells,
                                 .shape        = {(int)o->cells, 1, 1},
                                 .nfields      = CHANNELS,
                                 .realisations = o->realisations,
                                 .field        = {{"c", "mol m^-3", "concentration"}, {"phi", "V", "potential"}},
                                 .space = {3, {{"p", "", 0, 1, false}, {"q", "", 0, 1, false}, {"s", "", 0, 1, false}}}};
  const ScoriaProvenance from = {"dataset", "run: {seed: 1}\n", 1, 1, 1, {.model = ""}};
  double *x;
  ScoriaDataset ds;
  ScoriaRows rows;
  PetscFunctionBeginUser;
  (void)unlink(FILE_NAME);
  PetscCall(PetscCalloc1(o->cells, &x));
  for (int k = 0; k < o->cells; k++) x[k] = k + 0.5;
  PetscCall(ScoriaDatasetCreate(PETSC_COMM_WORLD, FILE_NAME, &spec, x, &from, &ds));
  PetscCall(ScoriaRowsCreate(&spec, o->realisations, &rows));
  rows.rows = o->realisations;
  for (int64_t first = 0; first < spec.rows; first += o->realisations) {
    fill_rows(o, first, &rows);
    PetscCall(ScoriaDatasetWrite(ds, first, &rows));
  }
  PetscCall(ScoriaDatasetFinish(&ds));
  PetscCall(ScoriaRowsDestroy(&rows));
  PetscCall(PetscFree(x));
  PetscFunctionReturn(0);
}

static PetscErrorCode FitNormaliser(const Options *o, const ScoriaTwin *twin, ScoriaNormaliser *norm)
{
  const ScoriaNormaliserOptions opt = {.modes        = (int)o->modes,
                                       .all_modes    = (int)o->all_modes,
                                       .degree_mean  = 3,
                                       .degree_scale = 2,
                                       .relative     = true,
                                       .whitening    = true};
  const int channel[CHANNELS]       = {0, 1};
  bool *train;
  ScoriaDataset ds;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(o->conditions, &train));
  for (int i = 0; i < o->conditions; i++) train[i] = true;
  PetscCall(ScoriaDatasetOpen(PETSC_COMM_WORLD, FILE_NAME, &ds));
  const double start = wall_seconds();
  PetscCall(NormaliserFit(PETSC_COMM_WORLD, ds, CHANNELS, channel, train, twin, &opt, norm));
  printf("fit of the normaliser: %.2f s for %d rows of %d numbers\n", wall_seconds() - start,
         (int)(o->conditions * o->realisations), (int)(CHANNELS * o->cells));
  PetscCall(ScoriaDatasetClose(&ds));
  PetscCall(PetscFree(train));
  PetscFunctionReturn(0);
}

/* A model around the normaliser, to be destroyed with ScoriaModelDestroy. */
static PetscErrorCode MakeModel(const Options *o, ScoriaNormaliser norm, ScoriaModel *model)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(model));
  ScoriaModel m = *model;
  m->normaliser = norm;
  m->nchannels  = CHANNELS;
  m->cells      = (int)o->cells;
  m->spec       = (ScoriaNetSpec){.r        = (int)o->modes,
                                  .d        = 3,
                                  .width    = (int)o->width,
                                  .depth    = (int)o->depth,
                                  .embed    = (int)o->embed,
                                  .channels = CHANNELS,
                                  .cells    = (int)o->cells,
                                  .kernel   = 5,
                                  .patch    = 4};
  PetscCall(PetscStrncpy(m->spec.kind, o->network, sizeof m->spec.kind));
  PetscCall(ModelNetCreate(m));
  net_initialise(m->net, 1);
  PetscFunctionReturn(0);
}

/* Nanoseconds per field of encoding and decoding alone. */
static PetscErrorCode TimeNormaliser(const Options *o, ScoriaNormaliser norm, const double fields[])
{
  double *y, *back;
  int R;
  PetscFunctionBeginUser;
  PetscCall(ScoriaNormaliserSizes(norm, NULL, NULL, NULL, &R));
  PetscCall(PetscMalloc2((size_t)o->count * R, &y, (size_t)o->count * CHANNELS * o->cells, &back));
  double start = wall_seconds();
  normaliser_encode(norm, o->count, fields, y);
  const double encode = wall_seconds() - start;
  start               = wall_seconds();
  normaliser_decode(norm, o->count, y, back);
  printf("encode %.2f us, decode %.2f us per field\n", 1e6 * encode / (double)o->count,
         1e6 * (wall_seconds() - start) / (double)o->count);
  PetscCall(PetscFree2(y, back));
  PetscFunctionReturn(0);
}

/* Fields per second of the source, the best of three rounds. */
static PetscErrorCode TimeDraws(const Options *o, const ScoriaTrained *trained, bool gaussian, double fields[])
{
  const double theta[3] = {0.5, 0.5, 0.5};
  const ScoriaNet net   = trained->model->net;
  const uint64_t first  = draw_number(SCORIA_DRAWS_ROWS, 0, 0);
  double best           = 1e300;
  ScoriaSource source;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSourceOfModel(PETSC_COMM_SELF, trained, gaussian, &source));
  for (int round = 0; round < 3; round++) {
    const double start = wall_seconds();
    PetscCall(ScoriaSourceDraw(source, theta, first, o->count, fields));
    best = fmin(best, wall_seconds() - start);
  }
  printf("%-28s %9.0f fields/s", gaussian ? "conditional Gaussian" : o->sampler, (double)o->count / best);
  if (!gaussian)
    printf(", %d steps, %s, %lld parameters: %.1f GFLOP/s in all", (int)o->steps, o->network,
           (long long)net_parameter_count(net),
           1e-9 * net_flops(net) * sampler_find(o->sampler)->evaluations((int)o->steps) * (double)o->count / best);
  printf("\n");
  PetscCall(ScoriaSourceDestroy(&source));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(const Options *o)
{
  ScoriaTrained trained = {.twin    = {.reference = {1000, NAN}},
                           .sampler = {o->sampler, (int)o->steps, 30, 0.002, 1, 1, o->bfloat16, NULL, 0.16, NULL}};
  ScoriaNormaliser norm;
  double *fields;
  PetscFunctionBeginUser;
  PetscCall(WriteEnsemble(o));
  PetscCall(FitNormaliser(o, &trained.twin, &norm));
  (void)unlink(FILE_NAME);
  PetscCall(MakeModel(o, norm, &trained.model));
  trained.model->tuned_for  = sampler_find(o->sampler); /* weights of any kind take the same time */
  trained.model->uses_tuned = sampler_is_tuned(trained.model->tuned_for);
  PetscCall(PetscMalloc1((size_t)o->count * CHANNELS * o->cells, &fields));
  PetscCall(TimeDraws(o, &trained, true, fields));
  PetscCall(TimeDraws(o, &trained, false, fields));
  PetscCall(TimeNormaliser(o, norm, fields));
  PetscCall(PetscFree(fields));
  PetscCall(ScoriaTrainedClose(&trained));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  Options o;
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCall(ReadOptions(&o));
  PetscCheck(sampler_find(o.sampler), PETSC_COMM_WORLD, PETSC_ERR_USER, "no sampler '%s'", o.sampler);
  PetscCall(Run(&o));
  return PetscFinalize() != 0;
}

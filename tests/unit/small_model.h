/* A small ensemble in SMALL_MODEL_FILE, which the test that includes this names, a normaliser fitted to it, and a
 * network that was never trained. */
#ifndef SCORIA_SMALL_MODEL_H
#define SCORIA_SMALL_MODEL_H

#include "score/model.h"
#include "testing.h"
#include <math.h>
#include <unistd.h>

enum { C = 2, L = 10, M = C * L, CONDITIONS = 30, REALISATIONS = 40, MODES = 4, ALL_MODES = 9 };

static const ScoriaTwin twin = {.reference = {5, NAN}};

/* Autoregressive fields around a mean that moves with the condition; channel 0 stays below 5. */
static void fill_rows(ScoriaRows *rows)
{
  rows->rows = CONDITIONS * REALISATIONS;
  for (int i = 0; i < rows->rows; i++) {
    const double u  = -1 + 2.0 * (i / REALISATIONS) / (CONDITIONS - 1);
    double level[C] = {0}, z[C];
    for (int j = 0; j < L; j++) {
      rng_normal(1, SCORIA_STREAM_POROSITY, (uint64_t)i, (uint32_t)j, C, z);
      for (int c = 0; c < C; c++) level[c] = 0.8 * level[c] + z[c];
      rows->field[0][i * L + j] = 5 - exp(0.2 * level[0] + u);
      rows->field[1][i * L + j] = 0.1 * exp(0.3 * u) * (level[1] + 0.5 * level[0]) + u * u;
    }
    rows->condition[0][i] = u;
    rows->done[i]         = SCORIA_ROW_DONE;
  }
}

static void fit_normaliser(ScoriaNormaliser *norm)
{
  const ScoriaDatasetSpec spec      = {.rows         = CONDITIONS * REALISATIONS,
                                       .cells        = L,
                                       .shape        = {L, 1, 1},
                                       .nfields      = C,
                                       .realisations = REALISATIONS,
                                       .float64      = true,
                                       .field        = {{"c", "", "", false}, {"phi", "", "", false}},
                                       .space        = {1, {{"p", "", -1, 1, false}}}};
  const ScoriaProvenance from       = {"dataset", "run: {seed: 1}\n", 1, 1, 1, {.model = ""}};
  const ScoriaNormaliserOptions opt = {MODES, ALL_MODES, 2, 2, true, true, false, false, 0};
  const int channel[C]              = {0, 1};
  const double x[L]                 = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  bool train[CONDITIONS];
  ScoriaDataset ds;
  ScoriaRows rows;
  int rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (rank == 0) (void)unlink(SMALL_MODEL_FILE);
  MPI_Barrier(PETSC_COMM_WORLD);
  for (int i = 0; i < CONDITIONS; i++) train[i] = true;
  CHECK(ScoriaRowsCreate(&spec, spec.rows, &rows));
  if (rank == 0) fill_rows(&rows);
  CHECK(ScoriaDatasetCreate(PETSC_COMM_WORLD, SMALL_MODEL_FILE, &spec, x, &from, &ds));
  CHECK(ScoriaDatasetWrite(ds, 0, &rows));
  CHECK(ScoriaDatasetFinish(&ds));
  CHECK(ScoriaRowsDestroy(&rows));
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, SMALL_MODEL_FILE, &ds));
  CHECK(NormaliserFit(PETSC_COMM_WORLD, ds, C, channel, train, &twin, &opt, norm));
  CHECK(ScoriaDatasetClose(&ds));
}

/* Of a kind, silent or with random weights. */
static void make_model_of(const char *kind, bool random_weights, ScoriaModel *model)
{
  CHECK(PetscNew(model));
  ScoriaModel m = *model;
  fit_normaliser(&m->normaliser);
  m->nchannels = C;
  m->cells     = L;
  m->spec      = (ScoriaNetSpec){
           .r = MODES, .d = 1, .width = 32, .depth = 2, .embed = 16, .channels = C, .cells = L, .kernel = 5, .patch = 1};
  snprintf(m->spec.kind, sizeof m->spec.kind, "%s", kind);
  CHECK(ModelNetCreate(m));
  net_initialise(m->net, 1);
  if (!random_weights) return;
  const int n  = (int)net_parameter_count(m->net);
  float *noise = NULL;
  CHECK(PetscMalloc1(n, &noise));
  rng_normalf(3, SCORIA_STREAM_INIT, 1000, 0, n, noise);
  for (int i = 0; i < n; i++) net_parameters(m->net)[i] += 0.05f * noise[i];
  CHECK(PetscFree(noise));
}

#endif

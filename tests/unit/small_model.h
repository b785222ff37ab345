/* A small ensemble in SMALL_MODEL_FILE, which the test that includes this names, a normaliser fitted to it, and a
 * network that was never trained. */
#ifndef SCORIA_SMALL_MODEL_H
#define SCORIA_SMALL_MODEL_H

#include "score/model.h"
#include "row_dataset.h"
#include "testing.h"
#include <math.h>
#include <unistd.h>

enum { C = 2, L = 10, M = C * L, CONDITIONS = 30, REALISATIONS = 40, MODES = 4, ALL_MODES = 9 };

static const ScoriaTwin twin = {.reference = {5, NAN}};

static void fill_rows(const void *ctx, ScoriaRows *rows)
{
  (void)ctx;
  for (int64_t i = 0; i < rows->rows; i++) autoregressive_row(rows, i, L, unit_of(i / REALISATIONS, CONDITIONS));
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
  const ScoriaNormaliserOptions opt = {MODES, ALL_MODES, 2, 2, true, true, false, false, 0, NULL};
  const int channel[C]              = {0, 1};
  bool train[CONDITIONS];
  ScoriaDataset ds;
  for (int i = 0; i < CONDITIONS; i++) train[i] = true;
  write_row_dataset(SMALL_MODEL_FILE, &spec, fill_rows, NULL);
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

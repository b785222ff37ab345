/* The law of the electrode's fields, exactly: latents are the normals behind the porosity in each cell, and fields
 * those of the solver.  Posteriors under it have no closed form; what is known is that the truth's rank among their
 * particles is uniform. */
#ifndef SCORIA_TESTS_ELECTRODE_LAW_H
#define SCORIA_TESTS_ELECTRODE_LAW_H

#include "inference_laws.h"
#include "scoria/physics.h"

enum { ELECTRODE_CELLS = 24, ELECTRODE_CHANNELS = 2, ELECTRODE_UNKNOWN = 2 };

typedef struct {
  ScoriaEnsemble ens; /* owned */
  ScoriaDatasetSpec spec;
  const double *x;
  ScoriaRows rows; /* owned: one */
  int unknown[ELECTRODE_UNKNOWN];
  int64_t transported;
} ElectrodeLaw;

/* c and phi at theta of the porosity that normals z (cells) give. */
static inline PetscErrorCode ElectrodeFields(ElectrodeLaw *law, const double theta[], const double z[], double fields[])
{
  const ScoriaPorosity por = ensemble_porosity(law->ens);
  double eps[ELECTRODE_CELLS];
  PetscFunctionBeginUser;
  assert_true(porosity_set(por, &law->spec.space, theta));
  PetscCall(ScoriaPorosityFrom(por, theta[space_find(&law->spec.space, "ell")], z, eps));
  PetscCall(ScoriaEnsembleCompute(law->ens, 1, theta, NULL, eps, &law->rows));
  rows_pack(&law->rows, 0, 1, ELECTRODE_CHANNELS, NULL, ELECTRODE_CELLS, fields);
  PetscFunctionReturn(0);
}

static inline PetscErrorCode ElectrodeTransport(void *ctx, int64_t first, int64_t n, bool each, const double theta[],
                                                const double latent[], double fields[])
{
  ElectrodeLaw *law = ctx;
  const int width   = law->spec.space.n;
  (void)first;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++)
    PetscCall(ElectrodeFields(law, each ? theta + width * i : theta, latent + i * ELECTRODE_CELLS,
                              fields + i * ELECTRODE_CHANNELS * ELECTRODE_CELLS));
  law->transported += n;
  PetscFunctionReturn(0);
}

static inline PetscErrorCode ElectrodeLatents(void *ctx, int *number)
{
  (void)ctx;
  PetscFunctionBeginUser;
  *number = ELECTRODE_CELLS;
  PetscFunctionReturn(0);
}

static inline PetscErrorCode ElectrodeDraw(void *ctx, const double theta[], uint64_t first, int64_t n, double fields[])
{
  double z[ELECTRODE_CELLS];
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++) {
    rng_normal(1, SCORIA_STREAM_SAMPLE, first + (uint64_t)i, 0, ELECTRODE_CELLS, z);
    PetscCall(ElectrodeFields(ctx, theta, z, fields + i * ELECTRODE_CHANNELS * ELECTRODE_CELLS));
  }
  PetscFunctionReturn(0);
}

/* Every rank has an ensemble of its own.  law outlives the source. */
static inline void electrode_law_open(ElectrodeLaw *law, ScoriaSource *source)
{
  static const char text[]               = "electrode: {set: article, U0: 0.1}\nporosity: {}\n"
                                           "conditions: {F_right: [5, 20], ell: [5e-6, 4e-5]}\nensemble: {cells: [24]}\n";
  static const ScoriaSourceKind of       = {.name      = "electrode",
                                            .draw      = ElectrodeDraw,
                                            .destroy   = LawDestroy,
                                            .transport = ElectrodeTransport,
                                            .latents   = ElectrodeLatents};
  static const ScoriaKey *tables[16 + 1] = {scoria_base_keys, scoria_physics_keys};
  ScoriaWorkers workers = {.all = {.comm = PETSC_COMM_WORLD}, .own = {PETSC_COMM_SELF, 0, 1}, .leads = true};
  ScoriaDeck deck;
  tables[2 + problem_key_tables(14, tables + 2)] = NULL;
  *law                                           = (ElectrodeLaw){.transported = 0};
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, text, tables, &deck));
  CHECK(ScoriaEnsembleCreate(PETSC_COMM_SELF, deck, &law->ens));
  CHECK(ScoriaDeckDestroy(&deck));
  CHECK(ScoriaEnsembleSpec(law->ens, &law->spec, &law->x));
  CHECK(ScoriaRowsCreate(&law->spec, 1, &law->rows));
  law->unknown[0] = space_find(&law->spec.space, "F_right");
  law->unknown[1] = space_find(&law->spec.space, "ell");
  MPI_Comm_rank(PETSC_COMM_WORLD, &workers.all.worker);
  MPI_Comm_size(PETSC_COMM_WORLD, &workers.all.workers);
  const ScoriaFieldShape shape = {.channels = ELECTRODE_CHANNELS,
                                  .cells    = ELECTRODE_CELLS,
                                  .field    = law->spec.field,
                                  .x        = law->x,
                                  .space    = &law->spec.space};
  CHECK(ScoriaSourceCreate(&of, law, &shape, &workers, source));
}

static inline void electrode_law_close(ElectrodeLaw *law, ScoriaSource *source)
{
  CHECK(ScoriaSourceDestroy(source));
  CHECK(ScoriaRowsDestroy(&law->rows));
  CHECK(ScoriaEnsembleDestroy(&law->ens));
}

/* Case `number`: conditions theta of the prior, uniform over what they are learned on (ell logarithmically), and
 * readings of c and of phi, three each, with noise of the size of what the porosity does to them. */
static inline void electrode_case(ElectrodeLaw *law, uint64_t number, double theta[], InferSensors *sensors)
{
  static const int cells[3]                  = {3, 11, 19};
  static const double sd[ELECTRODE_CHANNELS] = {20, 0.01};
  double u[SCORIA_MAX_CONDITIONS]            = {0}, share[ELECTRODE_UNKNOWN], z[ELECTRODE_CELLS], e[LAW_READINGS];
  double fields[ELECTRODE_CHANNELS * ELECTRODE_CELLS];
  rng_uniform(20, SCORIA_STREAM_CONDITION, number, 0, ELECTRODE_UNKNOWN, share);
  rng_normal(20, SCORIA_STREAM_SAMPLE, number, 0, ELECTRODE_CELLS, z);
  rng_normal(20, SCORIA_STREAM_PROBE, number, 0, LAW_READINGS, e);
  for (int k = 0; k < ELECTRODE_UNKNOWN; k++) u[law->unknown[k]] = 2 * share[k] - 1;
  space_from_unit(&law->spec.space, u, theta);
  CHECK(ElectrodeFields(law, theta, z, fields));
  *sensors = (InferSensors){.n = LAW_READINGS, .places = 1};
  for (int i = 0; i < LAW_READINGS; i++) {
    const int channel = i / 3, cell = cells[i % 3];
    InferSensor *s = &sensors->s[i];
    *s             = (InferSensor){.places = 1,
                                   .x      = law->x[cell],
                                   .value  = fields[channel * ELECTRODE_CELLS + cell] + sd[channel] * e[i],
                                   .sd     = sd[channel]};
    snprintf(s->field, sizeof s->field, "%s", law->spec.field[channel].name);
  }
}

#endif

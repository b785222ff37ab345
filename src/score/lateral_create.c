/* A normaliser of whole fields from a dataset: what it is for, what it takes, and the preparation as a whole. */
#include "lateral_fit.h"
#include "scoria/phases.h"
#include "train_data.h"
#include <math.h>

PetscErrorCode LateralCreate(ScoriaDataset ds, int nchannels, const ScoriaTwin *twin,
                             const ScoriaNormaliserOptions *opt, void **self)
{
  const ScoriaDatasetSpec *spec;
  NormLateral norm;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  if (!opt->whitening)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "train_whitening is false, but whole fields are learned by whitened modes only");
  PetscCall(PetscNew(&norm));
  norm->space = opt->space ? *opt->space : spec->space;
  for (int j = 0; j < norm->space.n; j++)
    if (norm->space.c[j].lo < norm->space.c[j].hi) norm->vary[norm->d++] = j;
  norm->C        = nchannels;
  norm->nx       = spec->shape[0];
  norm->ny       = spec->shape[1];
  norm->nz       = spec->shape[2];
  norm->twin     = twin && twin->solve;
  norm->energy   = opt->energy;
  norm->standard = true;
  norm->coupled  = true;
  norm->edges    = true;
  for (int c = 0; c < nchannels; c++) bounds_of_twin(twin, c, &norm->bounds[c], &norm->reference[c]);
  PetscCall(LateralSetUp(norm));
  *self = norm;
  PetscFunctionReturn(0);
}

/* What a fit takes of a rank at most, beside the rows that it reads: sums of the covariances and their eigenvectors,
 * and the histograms of its conditions. */
static PetscErrorCode CheckMemory(const LateralData *data)
{
  const NormLateral norm = data->norm;
  const double square = (double)norm->E * norm->E * norm->waves.classes, pairs = 2 * sizeof(int64_t),
               value = sizeof(double), rows = (double)data->n * norm->E * MARGINAL_BINS;
  double need[2] = {square * (pairs / 2 + value / 2 + 2 * value), rows * (2 * value + sizeof(float))};
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, need, 2, MPI_DOUBLE, MPI_MAX, data->in.comm));
  if (data->in.run)
    PetscCall(ScoriaMemoryCheck(PetscMax(need[0], need[1]), data->in.memory, "fewer cells",
                                "the modes of %d fields of %d x %d x %d cells (%d wave numbers of %d x %d covariances: "
                                "%.3g GB; %lld conditions of %d histograms: %.3g GB)",
                                norm->C, norm->nx, norm->ny, norm->nz, norm->waves.classes, norm->E, norm->E,
                                need[0] * 1e-9, (long long)data->n, norm->E, need[1] * 1e-9));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- whitening ---- */

typedef struct {
  Gathered set[2]; /* owned: to learn from, to validate on */
  double *y;       /* owned (R) */
} Encoder;

static PetscErrorCode encode_piece(void *ctx, LateralData *data, int64_t i)
{
  const NormLateral norm = data->norm;
  Encoder *e             = ctx;
  PetscFunctionBeginUser;
  lateral_set_piece(data, i);
  lateral_set_modes(norm, data->u + i * norm->d);
  for (int64_t k = 0; k < data->buffer.rows; k++) {
    Gathered *set = &e->set[data->kind[i] == NORM_LEFT_OUT || data->left_out[k]];
    PetscCall(GatheredGrow(set, norm->r, 1));
    float *to = set->y + set->rows * norm->r;
    bool good = lateral_row_spectrum(data, k);
    if (!good) continue;
    lateral_coordinates(norm, e->y);
    for (int q = 0; q < norm->r; q++) {
      to[q] = (float)e->y[q];
      good  = good && isfinite(to[q]);
    }
    set->condition[set->rows] = (int32_t)i;
    set->rows += good;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Whiten(LateralData *data, NormWhitened *whitened)
{
  TrainData *const to[2] = {&whitened->train, &whitened->valid};
  Encoder e              = {.y = NULL};
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(data->norm->R, &e.y));
  PetscCall(LateralDataWalk(data, "whitening", false, encode_piece, &e));
  PetscCall(PetscFree(e.y));
  for (int k = 0; k < 2; k++) {
    float *u;
    PetscCall(UnitConditions(&data->norm->space, data->n, data->theta, &u));
    PetscCall(GatheredPublish(data->in.comm, &e.set[k], u, to[k]));
  }
  whitened->train.move = lateral_move;
  whitened->train.ctx  = data->norm;
  whitened->dropped    = data->spec->rows - whitened->train.rows - whitened->valid.rows;
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------- all of it ---- */

static PetscErrorCode Fit(LateralData *data, const NormTask *task)
{
  const NormLateral norm = data->norm;
  PetscFunctionBeginUser;
  PetscCall(LateralFit(data, task->options));
  if (data->in.run)
    PetscCall(ScoriaSay(data->in.run, "  %d modes at %d wave numbers carry %.4f %% of the variance of normal scores",
                        norm->Q, norm->waves.classes, 100 * norm->energy));
  if (task->keep) PetscCall(task->keep(task->ctx));
  data->passes.known = true;
  PetscFunctionReturn(0);
}

PetscErrorCode LateralPrepare(void *self, const NormInput *in, const NormTask *task)
{
  const NormLateral norm = self;
  const int of_fit       = LATERAL_PASSES + (lateral_leading(in->twin, norm->C) >= 0 ? 2 : 0);
  const int passes       = (task->known ? 1 : of_fit) + (task->whitened ? 1 : 0);
  LateralData data;
  int size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(in->comm, &size));
  PetscCall(LateralDataCreate(in, self, task->known, passes, &data));
  if (!task->known) PetscCall(CheckMemory(&data));
  phase_begin(SCORIA_PHASE_NORMALISER);
  PetscCall(LateralDataScan(&data, task->known));
  if (!task->known) PetscCall(Fit(&data, task));
  phase_end(SCORIA_PHASE_NORMALISER, task->known ? 0 : (double)data.spec->rows / size);
  if (task->whitened) {
    phase_begin(SCORIA_PHASE_WHITEN);
    PetscCall(Whiten(&data, task->whitened));
    phase_end(SCORIA_PHASE_WHITEN, (double)(task->whitened->train.rows + task->whitened->valid.rows) / size);
  }
  PetscCall(LateralDataDestroy(&data));
  PetscFunctionReturn(0);
}

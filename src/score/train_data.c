/* Rows of a dataset as whitened coordinates: y_k = (b_k - sum_{l<k} phi_kl b_l) / d_k of the modes b, the last stage of
 * the normaliser, so that rows go straight from the fit to the training. */
#include "train_data.h"
#include "normaliser_fit.h"
#include <math.h>
#include <string.h>

void train_channels(const ScoriaDatasetSpec *spec, int *nchannels, int channel[])
{
  *nchannels = 0;
  for (int i = 0; i < spec->nfields; i++)
    if (field_is_state(&spec->field[i])) channel[(*nchannels)++] = i;
}

typedef struct {
  NormModes modes; /* owned */
  Gathered set[2]; /* owned: to learn from, to validate on */
} Encoder;

PetscErrorCode GatheredGrow(Gathered *set, int r, int64_t more)
{
  PetscFunctionBeginUser;
  if (set->rows + more <= set->room) PetscFunctionReturn(0);
  set->room = PetscMax(set->rows + more, set->room + set->room / 4);
  PetscCall(PetscRealloc((size_t)set->room * (size_t)r * sizeof(float), &set->y));
  PetscCall(PetscRealloc((size_t)set->room * sizeof(int32_t), &set->condition));
  PetscFunctionReturn(0);
}

/* Appends the row of modes b where its coordinates are numbers. */
static void append_row(const NormProfile norm, const NormModes *modes, const double d[], const double b[], int64_t slot,
                       Gathered *set)
{
  float *y  = set->y + set->rows * norm->r;
  bool good = true;
  for (int k = 0; k < norm->r; k++) {
    double left = b[k];
    for (int l = 0; l < k && k < norm->K; l++) left -= modes->phi[(size_t)k * norm->K + l] * b[l];
    y[k] = (float)(left / d[k]);
    good = good && isfinite(y[k]);
  }
  set->condition[set->rows] = (int32_t)slot;
  set->rows += good;
}

static PetscErrorCode encode_visit(void *ctx, NormData *data, int t, double alpha[])
{
  const NormProfile norm = data->norm;
  Encoder *e             = ctx;
  const double *b        = alpha;
  PetscFunctionBeginUser;
  norm_modes_scale(data, t, &e->modes, alpha);
  for (int64_t i = data->start[t]; i < data->start[t + 1]; i++) {
    Gathered *set   = &e->set[data->kind[i] == NORM_LEFT_OUT];
    const double *d = e->modes.d + (size_t)(i - data->start[t]) * norm->R;
    norm_modes_phi(data, i, PetscMin(norm->r, norm->K), &e->modes);
    PetscCall(GatheredGrow(set, norm->r, (int64_t)data->good[i]));
    for (int k = 0; k < (int)data->good[i]; k++, b += norm->R) append_row(norm, &e->modes, d, b, i, set);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode UnitConditions(const ScoriaSpace *space, int64_t n, const double theta[], float **u)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(n * space->n + 1, u));
  for (int64_t i = 0; i < n; i++) {
    double unit[SCORIA_MAX_CONDITIONS];
    space_to_learned(space, theta + i * space->n, unit);
    for (int k = 0; k < space->n; k++) (*u)[i * space->n + k] = (float)unit[k];
  }
  PetscFunctionReturn(0);
}

PetscErrorCode GatheredPublish(MPI_Comm comm, Gathered *from, const float *u, TrainData *to)
{
  int64_t *start;
  int size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscCalloc1(size + 1, &start));
  PetscCallMPI(MPI_Allgather(&from->rows, 1, MPI_INT64_T, start + 1, 1, MPI_INT64_T, comm));
  for (int k = 0; k < size; k++) start[k + 1] += start[k];
  *to = (TrainData){.rows = start[size], .y = from->y, .condition = from->condition, .u = u, .start = start};
  PetscFunctionReturn(0);
}

/* The rows of this rank among those of all. */
static PetscErrorCode Publish(const NormData *data, Gathered *from, TrainData *to)
{
  float *u;
  PetscFunctionBeginUser;
  PetscCall(UnitConditions(&data->norm->space, data->start[data->tiles.tiles], data->theta, &u));
  PetscCall(GatheredPublish(data->in.comm, from, u, to));
  PetscFunctionReturn(0);
}

PetscErrorCode TrainDataCreate(NormData *data, TrainData *train, TrainData *valid, int64_t *dropped)
{
  Encoder e = {0};
  PetscFunctionBeginUser;
  PetscCall(NormModesCreate(data, &e.modes));
  PetscCall(NormDataWalk(data, "whitening", NORM_MODES, encode_visit, &e));
  PetscCall(NormModesDestroy(&e.modes));
  PetscCall(Publish(data, &e.set[0], train));
  PetscCall(Publish(data, &e.set[1], valid));
  *dropped = data->spec->rows - train->rows - valid->rows;
  PetscFunctionReturn(0);
}

PetscErrorCode TrainDataDestroy(TrainData *data)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(data->y));
  PetscCall(PetscFree(data->condition));
  PetscCall(PetscFree(data->u));
  PetscCall(PetscFree(data->start));
  PetscFunctionReturn(0);
}

PetscErrorCode TrainDataDigest(MPI_Comm comm, const TrainData *data, int r, int d, uint32_t *digest)
{
  const size_t row = (size_t)r * sizeof *data->y, unit = (size_t)d * sizeof *data->u;
  uint32_t own = 0, *all;
  int rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  const int64_t rows = data->start ? data->start[rank + 1] - data->start[rank] : data->rows;
  for (int64_t i = 0; i < rows; i++) {
    own = crc32c(own, data->y + i * r, row);
    if (d) own = crc32c(own, data->u + (int64_t)data->condition[i] * d, unit);
  }
  *digest = own;
  if (!data->start) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(size, &all));
  PetscCallMPI(MPI_Allgather(&own, 1, MPI_UINT32_T, all, 1, MPI_UINT32_T, comm));
  *digest = 0;
  for (int k = 0; k < size; k++)
    *digest = crc32c_join(*digest, all[k], (data->start[k + 1] - data->start[k]) * (int64_t)(row + unit));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/* Rows of a dataset as whitened coordinates in memory, condition by condition. */
#include "train_data.h"
#include <math.h>
#include <string.h>

#define ROWS_AT_A_TIME 1024

void train_channels(const ScoriaDatasetSpec *spec, int *nchannels, int channel[])
{
  *nchannels = 0;
  for (int i = 0; i < spec->nfields; i++)
    if (field_is_state(spec->field[i].name)) channel[(*nchannels)++] = i;
}

PetscErrorCode TrainSplit(int64_t conditions, double share, uint64_t seed, bool train[], int64_t *left_out)
{
  int64_t *order;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(conditions, &order));
  rng_permutation(seed, SCORIA_STREAM_VALIDATION, UINT64_MAX - 1, conditions, order);
  *left_out = PetscMin((int64_t)llround(share * (double)conditions), conditions - 1);
  for (int64_t i = 0; i < conditions; i++) train[order[i]] = i >= *left_out;
  PetscCall(PetscFree(order));
  PetscFunctionReturn(0);
}

/* What the encoding of a dataset works with. */
typedef struct {
  ScoriaDataset ds;
  const ScoriaDatasetSpec *spec;
  ScoriaNormaliser norm;
  const ScoriaTwin *twin;
  int nchannels, channel[SCORIA_MAX_FIELDS], r, R;
  ScoriaRows rows;
  double *fields, *y; /* owned: (ROWS_AT_A_TIME, C, L), (ROWS_AT_A_TIME, R) */
} Encoder;

static PetscErrorCode EncoderCreate(ScoriaDataset ds, ScoriaNormaliser norm, const ScoriaTwin *twin, Encoder *e)
{
  PetscFunctionBeginUser;
  *e = (Encoder){.ds = ds, .norm = norm, .twin = twin};
  PetscCall(ScoriaDatasetInfo(ds, &e->spec, NULL, NULL));
  train_channels(e->spec, &e->nchannels, e->channel);
  PetscCall(ScoriaNormaliserSizes(norm, NULL, NULL, &e->r, &e->R));
  PetscCall(ScoriaRowsCreate(e->spec, ROWS_AT_A_TIME, &e->rows));
  PetscCall(PetscMalloc2(ROWS_AT_A_TIME * e->nchannels * e->spec->cells, &e->fields, ROWS_AT_A_TIME * e->R, &e->y));
  PetscFunctionReturn(0);
}

static PetscErrorCode EncoderDestroy(Encoder *e)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaRowsDestroy(&e->rows));
  PetscCall(PetscFree2(e->fields, e->y));
  PetscFunctionReturn(0);
}

/* The good rows of e->rows side by side as (n, C, L). */
static int64_t gather_fields(Encoder *e)
{
  const size_t L = (size_t)e->spec->cells;
  int64_t n      = 0;
  for (int64_t i = 0; i < e->rows.rows; i++) {
    if (e->rows.done[i] != SCORIA_ROW_DONE) continue;
    for (int c = 0; c < e->nchannels; c++)
      memcpy(e->fields + ((size_t)n * (size_t)e->nchannels + (size_t)c) * L,
             e->rows.field[e->channel[c]] + (size_t)i * L, sizeof(double) * L);
    n++;
  }
  return n;
}

/* Appends the first r coordinates of n encoded rows to the data, those that are numbers. */
static void append_rows(const Encoder *e, int64_t n, int32_t condition, float y[], int32_t conditions[], int64_t *rows)
{
  for (int64_t i = 0; i < n; i++) {
    const double *from = e->y + i * e->R;
    float *to          = y + *rows * e->r;
    bool good          = true;
    for (int k = 0; k < e->r; k++) {
      to[k] = (float)from[k];
      good  = good && isfinite(to[k]);
    }
    if (good) conditions[(*rows)++] = condition;
  }
}

/* theta and its unit coordinates for a condition, from its first row. */
static PetscErrorCode SetCondition(Encoder *e, int64_t condition, float u[])
{
  const ScoriaSpace *space = &e->spec->space;
  double theta[SCORIA_MAX_CONDITIONS], unit[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  for (int k = 0; k < space->n; k++) theta[k] = e->rows.condition[k][0];
  space_to_unit(space, theta, unit);
  for (int k = 0; k < space->n; k++) u[condition * space->n + k] = (float)unit[k];
  PetscCall(ScoriaNormaliserAt(e->norm, e->twin, theta));
  PetscFunctionReturn(0);
}

static PetscErrorCode EncodeCondition(Encoder *e, int64_t condition, float y[], int32_t conditions[], float u[],
                                      int64_t *rows)
{
  const int64_t number = e->spec->realisations, first = condition * number;
  PetscFunctionBeginUser;
  for (int64_t at = 0; at < number; at += ROWS_AT_A_TIME) {
    PetscCall(ScoriaDatasetRead(e->ds, first + at, PetscMin(ROWS_AT_A_TIME, number - at), &e->rows));
    if (at == 0) PetscCall(SetCondition(e, condition, u));
    const int64_t n = gather_fields(e);
    normaliser_encode(e->norm, n, e->fields, e->y);
    append_rows(e, n, (int32_t)condition, y, conditions, rows);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode TrainDataCreate(ScoriaDataset ds, ScoriaNormaliser norm, const ScoriaTwin *twin, const bool train[],
                               bool which, TrainData *data, int64_t *dropped)
{
  Encoder e;
  float *y, *u;
  int32_t *conditions;
  int64_t count = 0, rows = 0;
  PetscFunctionBeginUser;
  PetscCall(EncoderCreate(ds, norm, twin, &e));
  const int64_t all = e.spec->rows / e.spec->realisations;
  for (int64_t i = 0; i < all; i++) count += train[i] == which;
  const int64_t most = count * e.spec->realisations;
  PetscCall(PetscMalloc1(PetscMax(most, 1) * e.r, &y));
  PetscCall(PetscMalloc1(PetscMax(most, 1), &conditions));
  PetscCall(PetscCalloc1(PetscMax(all * e.spec->space.n, 1), &u));
  for (int64_t i = 0; i < all; i++)
    if (train[i] == which) PetscCall(EncodeCondition(&e, i, y, conditions, u, &rows));
  *data    = (TrainData){.rows = rows, .y = y, .condition = conditions, .u = u};
  *dropped = most - rows;
  PetscCall(EncoderDestroy(&e));
  PetscFunctionReturn(0);
}

PetscErrorCode TrainDataDestroy(TrainData *data)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(data->y));
  PetscCall(PetscFree(data->condition));
  PetscCall(PetscFree(data->u));
  PetscFunctionReturn(0);
}

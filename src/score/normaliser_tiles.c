/* Tiles: how rows are dealt, read and brought from stage to stage.  A row is rounded to the precision of the file at
 * every stage, whether its tile is held in memory or read again, so that its bits are the same. */
#include "scoria/linalg.h"
#include "normaliser_fit.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TILE_ROWS 2048
#define TILE_BYTES ((int64_t)16 << 20) /* of a tile as it is read */

/* ------------------------------------------------------------------------------------------------- dealing ---- */

static int64_t row_bytes(const ScoriaDatasetSpec *spec)
{
  return (int64_t)sizeof(double) * spec->cells * (spec->nfields + 1);
}

/* parts, width, capacity and this rank's block of tiles. */
static PetscErrorCode Deal(NormData *data)
{
  const int64_t each = data->spec->realisations;
  const int64_t most = PetscClipInterval(TILE_BYTES / row_bytes(data->spec), 16, TILE_ROWS);
  int64_t number;
  int rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(data->in.comm, &rank));
  PetscCallMPI(MPI_Comm_size(data->in.comm, &size));
  data->conditions    = data->spec->rows / each;
  data->parts         = (int)((each + most - 1) / most);
  const int64_t piece = (each + data->parts - 1) / data->parts;
  data->width         = (int)PetscMax(most / piece, 1);
  data->capacity      = data->width * piece;
  data->all_tiles     = (data->conditions * data->parts + data->width - 1) / data->width;
  data->sides         = data->in.split->rows > 0 ? 2 : 1;
  deal_block(data->all_tiles, rank, size, &data->first_tile, &number);
  data->tiles = (NormTiles){.comm = data->in.comm, .tiles = (int)number};
  PetscFunctionReturn(0);
}

/* Condition and rows [first, first + number) among which those of piece k of tile t are. */
static int64_t piece_rows(const NormData *data, int t, int k, int64_t *first, int64_t *number)
{
  const int64_t piece     = (data->first_tile + t) * data->width + k / data->sides;
  const int64_t condition = piece / data->parts;
  deal_block(data->spec->realisations, (int)(piece % data->parts), data->parts, first, number);
  *first += condition * data->spec->realisations;
  return condition;
}

static PetscErrorCode CreateTables(NormData *data)
{
  const NormProfile norm = data->norm;
  const int64_t all      = data->conditions * data->parts;
  const int tiles        = data->tiles.tiles;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc6(tiles + 1, &data->start, tiles, &data->fitted, tiles, &data->rows, tiles, &data->seen, tiles,
                         &data->held, tiles, &data->stage));
  for (int t = 0; t <= tiles; t++)
    data->start[t] = data->sides * (PetscMin((data->first_tile + t) * data->width, all) -
                                    PetscMin(data->first_tile * data->width, all));
  for (int t = 0; t < tiles; t++) data->seen[t] = false, data->held[t] = NULL, data->fitted[t] = 0;
  data->tiles.start   = data->start;
  data->tiles.used    = data->fitted;
  const int64_t slots = data->start[tiles] + 1; /* never nothing */
  PetscCall(PetscMalloc5(slots, &data->piece, slots, &data->kind, slots, &data->good, slots * (norm->space.n + 1),
                         &data->theta, slots * (norm->d + 1), &data->u));
  if (norm->twin) PetscCall(PetscMalloc1(slots * norm->m, &data->twin));
  PetscCall(ScoriaRowsCreate(data->spec, data->capacity, &data->buffer));
  PetscCall(PetscCalloc1(norm->m, &data->rounding));
  if (data->in.encoder)
    PetscCall(PetscMalloc1(data->capacity * data->in.encoder->channels * data->spec->cells, &data->raw));
  PetscCall(PetscMalloc5(data->capacity, &data->usable, data->capacity * norm->m, &data->v, norm->m, &data->varies,
                         norm_tile_slots(data) * norm->m, &data->base, norm_tile_slots(data) * norm->m,
                         &data->inverse_s));
  PetscFunctionReturn(0);
}

PetscErrorCode NormDataCreate(const NormInput *in, NormProfile norm, bool known, int passes, NormData *data)
{
  PetscFunctionBeginUser;
  *data        = (NormData){.in = *in, .norm = norm, .known = known, .room = in->memory};
  data->passes = (NormPasses){.comm = in->comm, .run = in->run};
  PetscCall(ScoriaDatasetInfo(in->ds, &data->spec, NULL, NULL));
  PetscCall(Deal(data));
  PetscCall(CreateTables(data));
  data->passes.rows = (double)data->spec->rows;
  if (in->run)
    PetscCall(ScoriaProgressCreate(in->run, "prepare", "rows", passes * data->passes.rows, &data->passes.bar));
  if (known) {
    data->mean_coef  = norm->mean_coef;
    data->scale_coef = norm->scale_coef;
    PetscCall(NormDataSetPolynomials(data));
    PetscCall(NormDataSetModes(data));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode NormDataDestroy(NormData *data)
{
  PetscFunctionBeginUser;
  for (int t = 0; t < data->tiles.tiles; t++) free(data->held[t]);
  PetscCall(PetscFree6(data->start, data->fitted, data->rows, data->seen, data->held, data->stage));
  PetscCall(PetscFree5(data->piece, data->kind, data->good, data->theta, data->u));
  PetscCall(PetscFree(data->twin));
  PetscCall(ScoriaRowsDestroy(&data->buffer));
  PetscCall(PetscFree5(data->usable, data->v, data->varies, data->base, data->inverse_s));
  PetscCall(PetscFree(data->rounding));
  PetscCall(PetscFree(data->raw));
  PetscCall(PetscFree3(data->mean_X, data->scale_X, data->phi_X));
  PetscCall(PetscFree(data->level));
  PetscCall(PetscFree(data->mean_use));
  PetscCall(PetscFree(data->scale_use));
  PetscCall(PetscFree(data->mode_use));
  PetscCall(PetscFree(data->mu_use));
  PetscCall(PetscFree(data->leverage));
  PetscCall(PetscFree2(data->own, data->within));
  PetscCall(PetscFree2(data->modes, data->project));
  PetscCall(ScoriaProgressDestroy(&data->passes.bar));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- reading ---- */

#define EXPONENT UINT64_C(0x7ff0000000000000)

static int channels_of(const NormData *data)
{
  return data->in.encoder ? data->in.encoder->channels : data->norm->C;
}

static bool row_usable(const NormData *data, int64_t i)
{
  const int L = data->spec->cells;
  if (data->buffer.done[i] != SCORIA_ROW_DONE) return false;
  for (int c = 0; c < channels_of(data); c++) {
    const double *x = data->buffer.field[data->in.channel[c]] + (size_t)i * L;
    uint64_t bad    = 0; /* exponents of ones alone: infinity and NaN */
    for (int j = 0; j < L; j++) {
      uint64_t bits;
      memcpy(&bits, x + j, sizeof bits);
      bad |= (bits & EXPONENT) == EXPONENT;
    }
    if (bad) return false;
  }
  return true;
}

/* theta and u of a slot, from the first row of its piece; with the twin, which must be a field that can be transformed.
 */
static PetscErrorCode SetCondition(NormData *data, int64_t slot, int64_t condition, int64_t row)
{
  const NormProfile norm = data->norm;
  double *theta          = data->theta + slot * norm->space.n;
  PetscFunctionBeginUser;
  for (int j = 0; j < norm->space.n; j++) theta[j] = data->buffer.condition[j][row];
  normaliser_unit(norm, theta, data->u + slot * norm->d);
  if (!norm->twin) PetscFunctionReturn(0);
  double *fields = data->twin + slot * norm->m;
  PetscCall(data->in.twin->solve(data->in.twin->ctx, theta, fields));
  for (int j = 0; j < norm->m; j++)
    if (!isfinite(fields[j]))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "condition %lld: the equations have no solution at a homogeneous porosity there",
                  (long long)condition);
  PetscFunctionReturn(0);
}

/* Whether row i of the buffer, whose rows are from `first` on, is a usable one of piece k. */
static bool in_piece(const NormData *data, int k, int64_t first, int64_t i)
{
  return data->usable[i] && train_leaves_row(data->in.split, first + i) == (k % data->sides > 0);
}

/* Deals the slots of a tile whose rows, from `first` on, are in the buffer: fitted pieces first. */
static PetscErrorCode DealSlots(NormData *data, int t, int64_t first)
{
  const int pieces = norm_pieces(data, t);
  NormRows *rows   = &data->rows[t];
  int64_t slot     = data->start[t];
  PetscFunctionBeginUser;
  *rows = (NormRows){0, 0};
  for (NormKind kind = NORM_FITTED; kind <= NORM_LEFT_OUT; kind++)
    for (int k = 0; k < pieces; k++) {
      int64_t from, number;
      int good                = 0;
      const int64_t condition = piece_rows(data, t, k, &from, &number);
      for (int64_t i = from - first; i < from - first + number; i++) good += in_piece(data, k, first, i);
      const bool left_out = k % data->sides > 0 || !train_keeps(data->in.split, condition);
      const NormKind its  = left_out ? NORM_LEFT_OUT : good > 0 ? NORM_FITTED : NORM_EMPTY;
      if (its != kind) continue;
      data->piece[slot] = k;
      data->kind[slot]  = kind;
      data->good[slot]  = good;
      rows->all += good;
      if (kind == NORM_FITTED) rows->fitted += good;
      data->fitted[t] += kind == NORM_FITTED;
      PetscCall(SetCondition(data, slot++, condition, from - first));
    }
  data->seen[t] = true;
  PetscFunctionReturn(0);
}

/* The usable rows of the buffer side by side in data->v, slot by slot. */
static void pack(NormData *data, int t, int64_t first)
{
  const int L = data->spec->cells, C = channels_of(data);
  double *to = data->in.encoder ? data->raw : data->v;
  for (int64_t slot = data->start[t]; slot < data->start[t + 1]; slot++) {
    int64_t from, number;
    (void)piece_rows(data, t, data->piece[slot], &from, &number);
    for (int64_t i = from - first; i < from - first + number; i++) {
      if (!in_piece(data, data->piece[slot], first, i)) continue;
      for (int c = 0; c < C; c++, to += L)
        memcpy(to, data->buffer.field[data->in.channel[c]] + (size_t)i * L, (size_t)L * sizeof(double));
    }
  }
  if (data->in.encoder) data->in.encoder->encode(data->in.encoder->ctx, data->rows[t].all, data->raw, data->v);
}

static void tile_polynomials(NormData *data, int t)
{
  const NormProfile norm = data->norm;
  for (int64_t i = data->start[t]; i < data->start[t + 1]; i++) {
    const double *u = data->u + i * norm->d;
    norm_poly_values(&norm->mean, u, data->mean_X + i * norm->mean.terms);
    norm_poly_values(&norm->scale, u, data->scale_X + i * norm->scale.terms);
    norm_poly_values(&norm->phi, u, data->phi_X + i * norm->phi.terms);
  }
}

/* The twins of a tile become w. */
static PetscErrorCode TransformTwins(NormData *data, int t)
{
  const NormProfile norm = data->norm;
  const int pieces       = norm_pieces(data, t);
  double *twin           = data->twin + data->start[t] * norm->m;
  PetscFunctionBeginUser;
  normaliser_transform(norm, pieces, twin, twin);
  normaliser_subtract_first(norm, pieces, twin);
  for (size_t j = 0; j < (size_t)pieces * norm->m; j++)
    if (!isfinite(twin[j])) {
      const double *theta = data->theta + (data->start[t] + (int64_t)(j / (size_t)norm->m)) * norm->space.n;
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "no baseline at this condition (%s = %g, ...): it lies outside what the model can represent",
                  norm->space.n > 0 ? norm->space.c[0].name : "", norm->space.n > 0 ? theta[0] : 0.0);
    }
  PetscFunctionReturn(0);
}

static PetscErrorCode Read(NormData *data, int t)
{
  int64_t first, last, number;
  PetscFunctionBeginUser;
  (void)piece_rows(data, t, 0, &first, &number);
  (void)piece_rows(data, t, norm_pieces(data, t) - 1, &last, &number);
  PetscCall(ScoriaDatasetReadAlone(data->in.ds, first, last + number - first, &data->buffer));
  for (int64_t i = 0; i < data->buffer.rows; i++)
    data->usable[i] = row_usable(data, i) && !train_hides(data->in.split, first + i);
  if (!data->seen[t]) {
    PetscCall(DealSlots(data, t, first));
    if (data->known) tile_polynomials(data, t);
    if (data->known && data->norm->twin) PetscCall(TransformTwins(data, t));
  }
  pack(data, t, first);
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- stages ---- */

static int stage_width(const NormData *data, NormStage stage)
{
  return stage == NORM_MODES ? data->norm->R : data->norm->m;
}

static size_t value_size(const NormData *data)
{
  return data->spec->float64 ? sizeof(double) : sizeof(float);
}

static void round_values(const NormData *data, size_t n, double v[])
{
  if (data->spec->float64) return;
  for (size_t i = 0; i < n; i++) v[i] = (double)(float)v[i];
}

static void to_held(const NormData *data, size_t n, const double v[], void *held)
{
  float *single = held;
  if (data->spec->float64)
    memcpy(held, v, n * sizeof *v);
  else
    for (size_t i = 0; i < n; i++) single[i] = (float)v[i];
}

static void from_held(const NormData *data, size_t n, const void *held, double v[])
{
  const float *single = held;
  if (data->spec->float64)
    memcpy(v, held, n * sizeof *v);
  else
    for (size_t i = 0; i < n; i++) v[i] = (double)single[i];
}

/* Memory for the rows of a tile that has been read, where it is allowed and there is some. */
static void try_to_hold(NormData *data, int t)
{
  const size_t bytes = (size_t)data->rows[t].all * data->norm->m * value_size(data);
  if (data->known || (double)bytes > data->room) return;
  data->held[t] = malloc(bytes + 1);
  if (!data->held[t]) return;
  data->room -= (double)bytes;
  data->stage[t] = NORM_FIELDS;
}

PetscErrorCode NormDataLoad(NormData *data, int t, NormStage want, double **v)
{
  const NormProfile norm = data->norm;
  NormStage at           = NORM_FIELDS;
  bool fresh             = false;
  PetscFunctionBeginUser;
  if (data->held[t]) {
    at = data->stage[t];
    from_held(data, (size_t)data->rows[t].all * stage_width(data, at), data->held[t],
              at == NORM_MODES ? data->modes : data->v);
  } else {
    PetscCall(Read(data, t));
    try_to_hold(data, t);
    fresh = data->held[t] != NULL;
  }
  const int n            = data->rows[t].all;
  const NormStage before = at;
  if (at == NORM_FIELDS && want > at) {
    normaliser_transform(norm, n, data->v, data->v);
    normaliser_subtract_first(norm, n, data->v);
    round_values(data, (size_t)n * norm->m, data->v);
    at = NORM_DIFFERENCES;
  }
  if (at == NORM_DIFFERENCES && want > at) {
    norm_standardise(data, t, data->v);
    la_gemm(false, true, n, norm->R, norm->m, 1, data->v, norm->m, data->project, norm->m, 0, data->modes, norm->R);
    round_values(data, (size_t)n * norm->R, data->modes);
    at = NORM_MODES;
  }
  *v = at == NORM_MODES ? data->modes : data->v;
  if (data->held[t] && (fresh || at > before)) {
    to_held(data, (size_t)n * stage_width(data, at), *v, data->held[t]);
    data->stage[t] = at;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode NormDataSetPolynomials(NormData *data)
{
  const NormProfile norm = data->norm;
  const int64_t slots    = data->start[data->tiles.tiles] + 1;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(slots * norm->mean.terms, &data->mean_X, slots * norm->scale.terms, &data->scale_X,
                         slots * norm->phi.terms, &data->phi_X));
  for (int t = 0; t < data->tiles.tiles; t++)
    if (data->seen[t]) tile_polynomials(data, t);
  PetscFunctionReturn(0);
}

PetscErrorCode NormDataTransformTwins(NormData *data)
{
  PetscErrorCode failed = 0;
  PetscFunctionBeginUser;
  for (int t = 0; t < data->tiles.tiles && !failed; t++) failed = TransformTwins(data, t);
  PetscCall(ScoriaAgreeFailed(data->in.comm, failed));
  PetscFunctionReturn(0);
}

/* Rows of whole fields, dealt and read by pieces. */
#include "lateral_fit.h"
#include <math.h>
#include <string.h>

#define PIECE_BYTES ((int64_t)16 << 20) /* of a piece as it is read */
#define PIECE_ROWS 1024
#define TILE_PIECES 32

/* parts, this rank's pieces, and tiles of these: a tile is with one rank. */
static PetscErrorCode Deal(LateralData *data)
{
  const int64_t row  = (int64_t)sizeof(double) * data->spec->cells * data->spec->nfields;
  const int64_t most = PetscClipInterval(PIECE_BYTES / row, 1, PIECE_ROWS), each = data->spec->realisations;
  int64_t first, number;
  int rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(data->in.comm, &rank));
  PetscCallMPI(MPI_Comm_size(data->in.comm, &size));
  data->conditions  = data->spec->rows / each;
  data->parts       = (int)((each + most - 1) / most);
  const int64_t all = data->conditions * data->parts;
  deal_block((all + TILE_PIECES - 1) / TILE_PIECES, rank, size, &first, &number);
  data->first = PetscMin(first * TILE_PIECES, all);
  data->n     = PetscMin((first + number) * TILE_PIECES, all) - data->first;
  PetscCall(PetscMalloc2(number + 1, &data->start, number + 1, &data->used));
  for (int64_t t = 0; t <= number; t++) data->start[t] = PetscMin(t * TILE_PIECES, data->n);
  for (int64_t t = 0; t < number; t++) data->used[t] = (int)(data->start[t + 1] - data->start[t]);
  data->tiles = (NormTiles){data->in.comm, (int)number, data->start, data->used};
  PetscCall(ScoriaRowsCreate(data->spec, (each + data->parts - 1) / data->parts, &data->buffer));
  PetscCall(PetscMalloc2(data->buffer.capacity, &data->usable, data->buffer.capacity, &data->left_out));
  PetscFunctionReturn(0);
}

PetscErrorCode LateralDataCreate(const NormInput *in, NormLateral norm, bool known, int passes, LateralData *data)
{
  PetscFunctionBeginUser;
  *data        = (LateralData){.in = *in, .norm = norm, .known = known};
  data->passes = (NormPasses){.comm = in->comm, .run = in->run, .known = known};
  PetscCall(ScoriaDatasetInfo(in->ds, &data->spec, NULL, NULL));
  PetscCall(Deal(data));
  const int64_t n = data->n + 1;
  PetscCall(PetscCalloc1(n, &data->reads));
  PetscCall(PetscCalloc7(n, &data->kind, n, &data->good, n, &data->weight, n * (norm->space.n + 1), &data->theta,
                         n * (norm->d + 1), &data->u, n, &data->one, norm->m, &data->v));
  for (int64_t i = 0; i < n; i++) data->one[i] = 1;
  PetscCall(PetscMalloc1(n * data->buffer.capacity, &data->row_weight));
  for (int64_t k = 0; k < n * data->buffer.capacity; k++) data->row_weight[k] = 1;
  if (!known) PetscCall(LateralControlsCreate(data));
  if (norm->twin) PetscCall(PetscCalloc1(n * norm->E, &data->twin));
  PetscCall(LateralEndsCreate(data));
  data->passes.rows = (double)data->spec->rows;
  if (in->run)
    PetscCall(ScoriaProgressCreate(in->run, "prepare", "rows", passes * data->passes.rows, &data->passes.bar));
  PetscFunctionReturn(0);
}

PetscErrorCode LateralDataDestroy(LateralData *data)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(data->start, data->used));
  PetscCall(PetscFree2(data->usable, data->left_out));
  PetscCall(PetscFree7(data->kind, data->good, data->weight, data->theta, data->u, data->one, data->v));
  PetscCall(PetscFree(data->reads));
  PetscCall(PetscFree(data->row_weight));
  PetscCall(PetscFree2(data->control, data->normals));
  PetscCall(PetscFree(data->twin));
  PetscCall(PetscFree2(data->near, data->far));
  PetscCall(PetscFree3(data->mean_X, data->scale_X, data->shape_X));
  PetscCall(PetscFree(data->joint_X));
  PetscCall(ScoriaRowsDestroy(&data->buffer));
  PetscCall(ScoriaProgressDestroy(&data->passes.bar));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------------- reading ---- */

static int64_t piece_condition(const LateralData *data, int64_t i)
{
  return (data->first + i) / data->parts;
}

static bool row_usable(const LateralData *data, int64_t k)
{
  const size_t cells = (size_t)data->spec->cells;
  if (data->buffer.done[k] != SCORIA_ROW_DONE) return false;
  for (int c = 0; c < data->norm->C; c++) {
    const double *x = data->buffer.field[data->in.channel[c]] + (size_t)k * cells;
    double bad      = 0; /* NaN where any is not finite */
    for (size_t j = 0; j < cells; j++) bad += 0 * x[j];
    if (bad != 0) return false;
  }
  return true;
}

static PetscErrorCode ReadPiece(LateralData *data, int64_t i)
{
  const int64_t each = data->spec->realisations;
  int64_t first, number;
  PetscFunctionBeginUser;
  deal_block(each, (int)((data->first + i) % data->parts), data->parts, &first, &number);
  first += piece_condition(data, i) * each;
  PetscCall(ScoriaDatasetReadAlone(data->in.ds, first, number, &data->buffer));
  for (int64_t k = 0; k < number; k++) {
    data->usable[k]   = row_usable(data, k) && !train_hides(data->in.split, first + k);
    data->left_out[k] = train_leaves_row(data->in.split, first + k);
  }
  PetscFunctionReturn(0);
}

bool lateral_data_row(LateralData *data, int64_t k, double v[])
{
  const size_t cells = (size_t)data->spec->cells;
  if (!data->usable[k] || (data->left_out[k] && !data->all)) return false;
  for (int c = 0; c < data->norm->C; c++)
    memcpy(v + c * cells, data->buffer.field[data->in.channel[c]] + (size_t)k * cells, cells * sizeof *v);
  lateral_transform(data->norm, data->norm->N, v, v);
  return true;
}

double lateral_row_weight(const LateralData *data, int64_t i, int64_t k)
{
  return data->row_weight[i * data->buffer.capacity + k];
}

/* The ctx of see_piece.  All borrowed. */
typedef struct {
  LateralData *data;
  bool only;
  LateralVisit visit;
  void *ctx;
} Seeing;

static PetscErrorCode see_tile(void *ctx, int t)
{
  const Seeing *s   = ctx;
  LateralData *data = s->data;
  PetscFunctionBeginUser;
  for (int64_t i = data->start[t]; i < data->start[t + 1]; i++) {
    if (s->only ? data->kind[i] != NORM_FITTED : !data->reads[i]) continue;
    PetscCall(ReadPiece(data, i));
    lateral_set_ends(data, i);
    PetscCall(s->visit(s->ctx, data, i));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode LateralDataWalk(LateralData *data, const char *what, bool only, LateralVisit visit, void *ctx)
{
  Seeing seeing = {data, only, visit, ctx};
  PetscFunctionBeginUser;
  data->all = !only;
  PetscCall(NormPassesWalk(&data->passes, what, data->tiles.tiles, see_tile, &seeing));
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------------- scan ---- */

/* Range of x - reference over training rows and twins, per channel, the least with the opposite sign. */
typedef struct {
  double range[2 * SCORIA_MAX_FIELDS];
} Scan;

static void extend(const NormLateral norm, int c, size_t n, const double x[], Scan *scan)
{
  double lo = x[0], hi = x[0];
  for (size_t j = 1; j < n; j++) {
    lo = x[j] < lo ? x[j] : lo;
    hi = x[j] > hi ? x[j] : hi;
  }
  scan->range[2 * c]     = PetscMax(scan->range[2 * c], norm->reference[c] - lo);
  scan->range[2 * c + 1] = PetscMax(scan->range[2 * c + 1], hi - norm->reference[c]);
}

static PetscErrorCode SolveTwin(LateralData *data, int64_t i)
{
  const ScoriaTwin *twin = data->in.twin;
  double *fields         = data->twin + i * data->norm->E;
  PetscFunctionBeginUser;
  PetscCall(twin->solve(twin->ctx, data->theta + i * data->norm->space.n, fields));
  for (int e = 0; e < data->norm->E; e++)
    if (!isfinite(fields[e]))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "condition %lld: the equations have no solution at a homogeneous porosity there",
                  (long long)piece_condition(data, i));
  PetscFunctionReturn(0);
}

static PetscErrorCode scan_piece(void *ctx, LateralData *data, int64_t i)
{
  const NormLateral norm = data->norm;
  const size_t cells     = (size_t)data->spec->cells;
  Scan *scan             = ctx;
  PetscFunctionBeginUser;
  const bool kept = train_keeps(data->in.split, piece_condition(data, i));
  data->good[i]   = 0;
  data->reads[i]  = false;
  for (int64_t k = 0; k < data->buffer.rows; k++) {
    data->good[i] += data->usable[k] && !(kept && data->left_out[k]);
    data->reads[i] = data->reads[i] || data->usable[k];
  }
  data->kind[i]   = !kept ? NORM_LEFT_OUT : data->good[i] > 0 ? NORM_FITTED : NORM_EMPTY;
  data->weight[i] = data->kind[i] == NORM_FITTED ? data->good[i] : 0;
  for (int j = 0; j < norm->space.n; j++) data->theta[i * norm->space.n + j] = data->buffer.condition[j][0];
  lateral_unit(norm, data->theta + i * norm->space.n, data->u + i * norm->d);
  if (norm->twin) PetscCall(SolveTwin(data, i));
  PetscCall(LateralEndsSolve(data, i));
  if (data->kind[i] != NORM_FITTED) PetscFunctionReturn(0);
  lateral_controls_take(data, i);
  for (int c = 0; c < norm->C; c++) {
    for (int64_t k = 0; k < data->buffer.rows; k++) {
      const double *x = data->buffer.field[data->in.channel[c]] + (size_t)k * cells;
      if (!data->usable[k] || data->left_out[k]) continue;
      extend(norm, c, cells, x, scan);
      lateral_ends_see(data, i, c, cells, x);
    }
    if (!norm->twin) continue;
    extend(norm, c, (size_t)norm->nx, data->twin + i * norm->E + c * norm->nx, scan);
    lateral_ends_see(data, i, c, (size_t)norm->nx, data->twin + i * norm->E + c * norm->nx);
  }
  PetscFunctionReturn(0);
}

/* As for profiles. */
static PetscErrorCode ChooseTransforms(LateralData *data, Scan *scan)
{
  NormLateral norm = data->norm;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, scan->range, 2 * SCORIA_MAX_FIELDS, MPI_DOUBLE, MPI_MAX, data->in.comm));
  for (int c = 0; c < norm->C; c++)
    norm->logged[c] = bounds_choose(&norm->bounds[c], norm->reference[c], &scan->range[2 * c], &norm->sign[c]);
  PetscCall(LateralEndsChoose(data));
  PetscFunctionReturn(0);
}

static PetscErrorCode CountConditions(LateralData *data)
{
  int64_t count[2] = {0, 0};
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < data->n; i++) {
    count[0] += data->kind[i] == NORM_FITTED;
    count[1] += (int64_t)data->weight[i];
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, count, 2, MPI_INT64_T, MPI_SUM, data->in.comm));
  data->fitted      = (count[0] + data->parts - 1) / data->parts;
  data->fitted_rows = (double)count[1];
  const int least   = data->norm->d > 0 ? 3 : 1;
  if (data->fitted < least)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "the training set has %lld usable conditions, but %d conditions vary: at least %d are needed",
                (long long)data->fitted, data->norm->d, least);
  PetscFunctionReturn(0);
}

static PetscErrorCode TransformTwins(LateralData *data)
{
  const NormLateral norm = data->norm;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < data->n; i++) {
    double *twin = data->twin + i * norm->E;
    lateral_set_ends(data, i);
    lateral_transform(norm, 1, twin, twin);
    for (int e = 0; e < norm->E; e++)
      if (!isfinite(twin[e]))
        SCORIA_FAIL(SCORIA_EXIT_INPUT,
                    "condition %lld: no baseline there: it lies outside what the model can represent",
                    (long long)piece_condition(data, i));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode LateralDataScan(LateralData *data, bool known)
{
  PetscErrorCode failed;
  Scan scan;
  PetscFunctionBeginUser;
  for (int c = 0; c < 2 * SCORIA_MAX_FIELDS; c++) scan.range[c] = -INFINITY;
  for (int64_t i = 0; i < data->n; i++) data->reads[i] = true;
  PetscCall(LateralDataWalk(data, "reading", false, scan_piece, &scan));
  PetscCall(CountConditions(data));
  if (!known) PetscCall(ChooseTransforms(data, &scan));
  failed = data->norm->twin ? TransformTwins(data) : 0;
  PetscCall(ScoriaAgreeFailed(data->in.comm, failed));
  PetscFunctionReturn(0);
}

PetscErrorCode LateralDataSetPolynomials(LateralData *data)
{
  const NormLateral norm = data->norm;
  const int64_t n        = data->n + 1;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc3(n * norm->mean.terms, &data->mean_X, n * norm->scale.terms, &data->scale_X,
                         n * norm->shape.terms, &data->shape_X));
  for (int64_t i = 0; i < data->n; i++) {
    const double *u = data->u + i * norm->d;
    norm_poly_values(&norm->mean, u, data->mean_X + i * norm->mean.terms);
    norm_poly_values(&norm->scale, u, data->scale_X + i * norm->scale.terms);
    norm_poly_values(&norm->shape, u, data->shape_X + i * norm->shape.terms);
  }
  PetscFunctionReturn(0);
}

NormDesign lateral_design(const LateralData *data, int terms, const double X[], int responses)
{
  return (NormDesign){data->tiles, terms, responses, X, data->weight, NULL};
}

PetscErrorCode LateralPooled(const LateralData *data, int q, const double table[], double mean[])
{
  const NormDesign design = lateral_design(data, 1, data->one, q);
  PetscFunctionBeginUser;
  PetscCall(NormLeastSquares(&design, table, mean));
  PetscFunctionReturn(0);
}

const double *lateral_piece_twin(const LateralData *data, int64_t i)
{
  return data->twin ? data->twin + i * data->norm->E : NULL;
}

bool lateral_row_scores(LateralData *data, int64_t k)
{
  const NormLateral norm = data->norm;
  if (!lateral_data_row(data, k, norm->waves.grid)) return false;
  lateral_scores(norm, norm->waves.grid);
  for (int i = 0; i < norm->m; i++)
    if (!isfinite(norm->waves.grid[i])) return false;
  return true;
}

bool lateral_row_spectrum(LateralData *data, int64_t k)
{
  if (!lateral_row_scores(data, k)) return false;
  fftw_execute(data->norm->waves.forward);
  return true;
}

void lateral_set_piece(LateralData *data, int64_t i)
{
  lateral_set_scale(data->norm, data->u + i * data->norm->d, lateral_piece_twin(data, i));
  lateral_set_knots(data->norm, data->u + i * data->norm->d);
}

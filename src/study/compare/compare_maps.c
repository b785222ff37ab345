/* compare of whole fields: maps for the report.  Of a plane through the fields, mean, standard deviation, and how often
 * a value is exceeded, of every source; a few draws; and the law of a draw's largest and smallest value.  Rows are
 * drawn again, by the numbers that the measures have been taken of, and all planes of a source are on rank 0 at a time,
 * where they are added up in their order: the same bits on any number of ranks. */
#include "compare.h"
#include "scoria/maps.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_ALONG 128                 /* cells of a map along an axis: of more, every second, or third, ... */
#define MOST_ROWS 512                  /* of a source */
#define MOST_BYTES ((int64_t)64 << 20) /* of these on rank 0 */
#define LEVEL 0.95                     /* of the reference's values are below the value whose exceedance is shown */
#define SORTED 100000                  /* values that it is found of */

enum { ALL = SCORIA_MAP_DRAWN + SCORIA_MAP_DRAWS };

typedef struct {
  int n[2], step[2]; /* cells along x, y; how many of the field's each stands for */
} MapGrid;

typedef struct CompareMaps_ {
  ScoriaFieldShape shape;
  MapGrid grid[SCORIA_MAX_FIELDS]; /* of each channel */
  int plane, width;                /* the largest; what is kept of a row */
  bool drawn[SCORIA_NFROM];
  int64_t conditions, rows[SCORIA_NFROM]; /* rows: on rank 0 */
  double theta[SCORIA_MAX_CONDITIONS];    /* of one condition */
  double *level;                          /* owned (channels) */
  double *row;                            /* owned (rows, width): of a source, on rank 0 */
  double *map[SCORIA_NFROM];              /* owned (channels, ALL, plane), rank 0 */
  double *extreme[SCORIA_NFROM]; /* owned (channels, 2, SCORIA_MAP_QUANTILES): of the largest and smallest, rank 0 */
} Maps;

/* ------------------------------------------------------------------------------------------ source of planes ---- */

typedef struct {
  ScoriaSource of; /* borrowed, as are the maps */
  const Maps *maps;
  CompareBatch batch; /* owned */
} Planes;

/* Cells of a channel's map. */
static int cells_of(const Maps *maps, int c)
{
  return maps->grid[c].n[0] * maps->grid[c].n[1];
}

/* The plane in the middle of z, then the largest and the smallest value of every channel; a failed row is NaN. */
static void take_plane(const Maps *maps, const double whole[], double out[])
{
  const ScoriaFieldShape *shape = &maps->shape;
  for (int k = 0; k < maps->width && !isfinite(whole[0]); k++) out[k] = NAN;
  for (int c = 0; c < shape->channels && isfinite(whole[0]); c++) {
    const MapGrid *grid = &maps->grid[c];
    int n[3];
    field_shape(&shape->field[c], shape->shape, n);
    const double *field = whole + (size_t)c * shape->cells, *middle = field + (size_t)(n[2] / 2) * n[0] * n[1];
    double *plane = out + (size_t)c * maps->plane, *extreme = out + (size_t)shape->channels * maps->plane + 2 * c;
    for (int j = 0; j < grid->n[1]; j++)
      for (int i = 0; i < grid->n[0]; i++)
        plane[j * grid->n[0] + i] = middle[(size_t)(j * grid->step[1]) * n[0] + i * grid->step[0]];
    for (int i = grid->n[0] * grid->n[1]; i < maps->plane; i++) plane[i] = plane[0]; /* not looked at */
    extreme[0] = extreme[1] = field[0];
    for (int i = 1; i < field_cells(&shape->field[c], shape->cells); i++) {
      extreme[0] = fmax(extreme[0], field[i]);
      extreme[1] = fmin(extreme[1], field[i]);
    }
  }
}

static PetscErrorCode DrawPlanes(void *ctx, const double theta[], uint64_t first, int64_t n, double out[])
{
  Planes *p           = ctx;
  const size_t values = (size_t)p->maps->shape.channels * p->maps->shape.cells;
  PetscFunctionBeginUser;
  for (int64_t at = 0; at < n; at += p->batch.rows) {
    const int64_t number = PetscMin(p->batch.rows, n - at);
    PetscCall(ScoriaSourceDraw(p->of, theta, first + (uint64_t)at, number, p->batch.buffer));
    for (int64_t i = 0; i < number && source_workers(p->of)->leads; i++)
      take_plane(p->maps, p->batch.buffer + (size_t)i * values, out + (at + i) * p->maps->width);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode DestroyPlanes(void *ctx)
{
  Planes *p = ctx;
  PetscFunctionBeginUser;
  PetscCall(CompareBatchDestroy(&p->batch));
  PetscCall(PetscFree(p));
  PetscFunctionReturn(0);
}

static const ScoriaSourceKind source_planes = {.name = "planes", .draw = DrawPlanes, .destroy = DestroyPlanes};

static PetscErrorCode SourceOfPlanes(ScoriaSource of, const Maps *maps, ScoriaSource *source)
{
  ScoriaFieldShape shape = *source_shape(of);
  Planes *p;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&p));
  *p = (Planes){.of = of, .maps = maps};
  PetscCall(CompareBatchCreate(&shape, &p->batch));
  shape.channels = 1;
  shape.cells = shape.shape[0] = maps->width;
  shape.shape[1] = shape.shape[2] = 1;
  PetscCall(ScoriaSourceCreate(&source_planes, p, &shape, source_workers(of), source));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- maps ---- */

/* Conditions and rows of each that are drawn. */
typedef struct {
  int64_t conditions, each;
} Taken;

static Taken choose_rows(const Maps *maps, const CompareMapped *asked)
{
  const int64_t most = PetscClipInterval(MOST_BYTES / ((int64_t)sizeof(double) * maps->width), 1, MOST_ROWS);
  const int64_t each = PetscMin(asked->each, most);
  return (Taken){PetscClipInterval(most / each, 1, asked->conditions), each};
}

/* The rows of a source, on rank 0: of conditions evenly spaced in the list. */
static PetscErrorCode Gather(ScoriaRun run, ScoriaSource of, ScoriaFrom from, const CompareMapped *asked, Taken taken,
                             Maps *maps)
{
  const bool solves = from == SCORIA_FROM_PDE || from == SCORIA_FROM_PDE_AGAIN;
  ScoriaPace pace   = {.run = run, .step = solves ? 1 : 16, .most = solves ? 1024 : 1 << 16};
  const int n       = maps->shape.space->n;
  double theta[1][SCORIA_MAX_CONDITIONS], *share;
  ScoriaSource planes;
  PetscFunctionBeginUser;
  PetscCall(SourceOfPlanes(of, maps, &planes));
  PetscCall(PetscMalloc1(taken.each * maps->width, &share));
  for (int64_t j = 0; j < taken.conditions; j++) {
    const int64_t k      = j * asked->conditions / taken.conditions;
    const uint64_t first = draw_number(compare_numbers[from], k, 0);
    for (int i = 0; i < n; i++) theta[0][i] = asked->theta[k * n + i];
    PetscCall(ScoriaSourceGather(planes, &pace, "the comparison goes on from its last checkpoint, if there is one", 1,
                                 theta, &first, taken.each, 0, share, maps->row + j * taken.each * maps->width));
  }
  PetscCall(PetscFree(share));
  PetscCall(ScoriaSourceDestroy(&planes));
  PetscFunctionReturn(0);
}

/* The values that are exceeded, of the reference's rows. */
static PetscErrorCode FindLevels(Maps *maps, int64_t rows)
{
  PetscReal *some;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(PetscMin(rows * maps->plane, SORTED) + 1, &some));
  for (int c = 0; c < maps->shape.channels; c++) {
    const int64_t plane = cells_of(maps, c), all = rows * plane, step = all / SORTED + 1;
    PetscInt n = 0;
    for (int64_t i = 0; i < all; i += step)
      some[n++] = maps->row[i / plane * maps->width + (int64_t)c * maps->plane + i % plane];
    stats_sort(n, some);
    maps->level[c] = n ? stats_quantile(n, some, LEVEL) : NAN;
  }
  PetscCall(PetscFree(some));
  PetscFunctionReturn(0);
}

static void fill_maps(const Maps *maps, int64_t rows, int c, double map[])
{
  const int64_t w    = maps->width;
  const size_t plane = (size_t)cells_of(maps, c);
  for (size_t j = 0; j < plane; j++) {
    const double *v = maps->row + (size_t)c * (size_t)maps->plane + j;
    double mean = 0, square = 0, above = 0;
    for (int64_t i = 0; i < rows; i++) mean += v[i * w] / (double)rows;
    for (int64_t i = 0; i < rows; i++) {
      square += (v[i * w] - mean) * (v[i * w] - mean);
      above += v[i * w] > maps->level[c];
    }
    map[SCORIA_MAP_MEAN * plane + j]   = rows ? mean : NAN;
    map[SCORIA_MAP_SD * plane + j]     = rows > 1 ? sqrt(square / (double)(rows - 1)) : NAN;
    map[SCORIA_MAP_EXCEED * plane + j] = rows ? above / (double)rows : NAN;
    for (int d = 0; d < SCORIA_MAP_DRAWS; d++)
      map[(SCORIA_MAP_DRAWN + d) * plane + j] = rows ? v[d * rows / SCORIA_MAP_DRAWS * w] : NAN;
  }
}

static PetscErrorCode FillExtremes(const Maps *maps, int64_t rows, int c, double out[])
{
  PetscReal *sorted;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(rows + 1, &sorted));
  for (int e = 0; e < 2; e++) {
    for (int64_t i = 0; i < rows; i++)
      sorted[i] = maps->row[(i + 1) * maps->width - 2 * (maps->shape.channels - c) + e];
    stats_sort(rows, sorted);
    for (int q = 0; q < SCORIA_MAP_QUANTILES; q++)
      out[e * SCORIA_MAP_QUANTILES + q] = rows ? stats_quantile(rows, sorted, map_probability(q)) : NAN;
  }
  PetscCall(PetscFree(sorted));
  PetscFunctionReturn(0);
}

/* Leaves out rows that have failed, and where sources are paired, those whose reference has. */
static int64_t keep_rows(Maps *maps, int64_t rows, const bool lost[])
{
  int64_t kept = 0;
  for (int64_t i = 0; i < rows; i++) {
    const double *row = maps->row + i * maps->width;
    if (!isfinite(row[0]) || (lost && lost[i])) continue;
    memmove(maps->row + kept++ * maps->width, row, sizeof *row * (size_t)maps->width);
  }
  return kept;
}

static PetscErrorCode Fill(Maps *maps, ScoriaFrom s, int64_t rows)
{
  const int C = maps->shape.channels;
  PetscFunctionBeginUser;
  PetscCall(
      PetscMalloc2((size_t)C * ALL * maps->plane, &maps->map[s], C * 2 * SCORIA_MAP_QUANTILES, &maps->extreme[s]));
  if (s == SCORIA_FROM_PDE) PetscCall(FindLevels(maps, rows));
  for (int c = 0; c < C; c++) {
    fill_maps(maps, rows, c, maps->map[s] + (size_t)c * ALL * maps->plane);
    PetscCall(FillExtremes(maps, rows, c, maps->extreme[s] + c * 2 * SCORIA_MAP_QUANTILES));
  }
  maps->rows[s] = rows;
  PetscFunctionReturn(0);
}

static void set_shape(const ScoriaFieldShape *shape, const CompareMapped *asked, Maps *maps)
{
  *maps = (Maps){.shape = *shape, .conditions = asked->conditions};
  for (int c = 0; c < shape->channels; c++) {
    MapGrid *grid = &maps->grid[c];
    int n[3];
    field_shape(&shape->field[c], shape->shape, n);
    for (int a = 0; a < 2; a++) {
      grid->step[a] = (n[a] + MOST_ALONG - 1) / MOST_ALONG;
      grid->n[a]    = (n[a] + grid->step[a] - 1) / grid->step[a];
    }
    maps->plane = PetscMax(maps->plane, cells_of(maps, c));
  }
  maps->width = shape->channels * (maps->plane + 2);
  for (int i = 0; i < shape->space->n; i++) maps->theta[i] = asked->theta[i];
}

PetscErrorCode CompareMapsMake(ScoriaRun run, const ScoriaSource source[SCORIA_NFROM], const CompareMapped *asked,
                               CompareMaps *out)
{
  Maps *maps;
  bool *lost;
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(ScoriaRunComm(run), &rank));
  PetscCall(PetscNew(&maps));
  set_shape(source_shape(source[SCORIA_FROM_MODEL]), asked, maps);
  const Taken taken  = choose_rows(maps, asked);
  const int64_t rows = taken.conditions * taken.each;
  PetscCall(PetscCalloc1(maps->shape.channels, &maps->level));
  PetscCall(PetscMalloc2(rank ? 1 : rows * maps->width, &maps->row, rows, &lost));
  for (int s = 0; s < SCORIA_NFROM; s++) { /* the reference first */
    if (!source[s]) continue;
    PetscCall(Gather(run, source[s], s, asked, taken, maps));
    maps->drawn[s] = true;
    if (rank) continue;
    for (int64_t i = 0; i < rows && s == SCORIA_FROM_PDE; i++)
      lost[i] = asked->paired && !isfinite(maps->row[i * maps->width]);
    PetscCall(Fill(maps, s, keep_rows(maps, rows, asked->paired ? lost : NULL)));
  }
  PetscCall(PetscFree2(maps->row, lost));
  *out = maps;
  PetscFunctionReturn(0);
}

PetscErrorCode CompareMapsDestroy(CompareMaps *maps)
{
  PetscFunctionBeginUser;
  if (!*maps) PetscFunctionReturn(0);
  for (int s = 0; s < SCORIA_NFROM; s++) PetscCall(PetscFree2((*maps)->map[s], (*maps)->extreme[s]));
  PetscCall(PetscFree((*maps)->level));
  PetscCall(PetscFree(*maps));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- store ---- */

/* Whether every field's maps have axes by its name. */
static bool on_own_cells(const Maps *maps)
{
  return fields_differ(maps->shape.channels, maps->shape.field);
}

/* Arrays of one field of one source: maps, draws, quantiles of its extremes. */
static PetscErrorCode PutField(ScoriaStore store, const Maps *maps, ScoriaFrom s, int c)
{
  const ScoriaField *field = &maps->shape.field[c];
  const int *n             = maps->grid[c].n;
  const int64_t dims[3] = {SCORIA_MAP_DRAWS, n[1], n[0]}, quantiles = SCORIA_MAP_QUANTILES, plane = cells_of(maps, c);
  const char *axes[2] = {"map_y map_x", "map_draw map_y map_x"};
  char own[2][2 * SCORIA_NAME_SIZE + 32];
  const double *map     = maps->map[s] ? maps->map[s] + (size_t)c * ALL * maps->plane : NULL;
  const double *extreme = maps->extreme[s] ? maps->extreme[s] + c * 2 * quantiles : NULL;
  char name[128];
  PetscFunctionBeginUser;
  for (int d = 0; d < 2 && on_own_cells(maps); d++) {
    snprintf(own[d], sizeof own[d], "%smap_y_%s map_x_%s", d ? "map_draw " : "", field->name, field->name);
    axes[d] = own[d];
  }
  for (int m = 0; m < SCORIA_NMAPS; m++) {
    const bool draws = m == SCORIA_MAP_DRAWN;
    compare_map_path(s, field->name, scoria_maps[m].name, sizeof name, name);
    PetscCall(ScoriaStorePutReals(store, name, draws ? 3 : 2, draws ? dims : dims + 1, map ? map + m * plane : NULL,
                                  m == SCORIA_MAP_EXCEED ? "" : field->unit, scoria_maps[m].what));
    PetscCall(ScoriaStorePutAxes(store, name, axes[draws]));
  }
  for (int e = 0; e < 2; e++) {
    compare_map_path(s, field->name, scoria_map_extremes[e], sizeof name, name);
    PetscCall(ScoriaStorePutReals(store, name, 1, &quantiles, extreme ? extreme + e * quantiles : NULL, field->unit,
                                  e ? "quantiles of the smallest value of a field (/maps/probability)"
                                    : "quantiles of the largest value of a field (/maps/probability)"));
    PetscCall(ScoriaStorePutAxes(store, name, "map_probability"));
  }
  PetscFunctionReturn(0);
}

/* Those of the maps of a field; own: under its name. */
static PetscErrorCode PutCentres(ScoriaStore store, const Maps *maps, int c, bool own)
{
  static const char *const name[2] = {MAPS_X, MAPS_Y};
  const ScoriaFieldShape *shape    = &maps->shape;
  const ScoriaField *field         = &shape->field[c];
  const MapGrid *grid              = &maps->grid[c];
  char path[SCORIA_NAME_SIZE + 32], axis[SCORIA_NAME_SIZE + 32];
  double *centre;
  int n3[3];
  PetscFunctionBeginUser;
  for (int a = 0; a < 2; a++) {
    const double *x = field_centres(field, shape->shape, shape->x, a);
    const int64_t n = grid->n[a];
    compare_map_centres(name[a], own ? field->name : NULL, sizeof path, path);
    snprintf(axis, sizeof axis, "map_%s", path + strlen("/maps/"));
    PetscCall(PetscMalloc1(n, &centre));
    for (int i = 0; i < n; i++) centre[i] = x[i * grid->step[a]];
    PetscCall(
        ScoriaStorePutReals(store, path, 1, &n, centre, space_axis_unit(shape->space, a), "cell centres of the maps"));
    PetscCall(ScoriaStorePutAxes(store, path, axis));
    PetscCall(PetscFree(centre));
  }
  field_shape(field, shape->shape, n3);
  compare_map_centres(MAPS_PLANES, own ? field->name : NULL, sizeof path, path);
  PetscCall(ScoriaStorePutInt(store, path, n3[2]));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareMapsPut(ScoriaStore store, CompareMaps maps)
{
  const int64_t C = maps->shape.channels, n = maps->shape.space->n, sources = SCORIA_NFROM,
                quantiles = SCORIA_MAP_QUANTILES;
  double rows[SCORIA_NFROM], probability[SCORIA_MAP_QUANTILES];
  PetscFunctionBeginUser;
  for (int s = 0; s < SCORIA_NFROM; s++) rows[s] = (double)maps->rows[s];
  for (int q = 0; q < SCORIA_MAP_QUANTILES; q++) probability[q] = map_probability(q);
  for (int c = 0; c < (on_own_cells(maps) ? C : 1); c++) PetscCall(PutCentres(store, maps, c, on_own_cells(maps)));
  PetscCall(ScoriaStorePutReals(store, MAPS_ROWS, 1, &sources, rows, "", "rows behind the maps of every source"));
  PetscCall(ScoriaStorePutAxes(store, MAPS_ROWS, "source"));
  PetscCall(ScoriaStorePutReals(store, "/maps/probability", 1, &quantiles, probability, "", "of the extremes"));
  PetscCall(ScoriaStorePutAxes(store, "/maps/probability", "map_probability"));
  PetscCall(ScoriaStorePutReals(store, MAPS_LEVEL, 1, &C, maps->level, "",
                                "value of each field that 5 % of the reference's values exceed, whose exceedance is "
                                "mapped; in the field's unit"));
  PetscCall(ScoriaStorePutAxes(store, MAPS_LEVEL, "map_field"));
  PetscCall(ScoriaStorePutInt(store, MAPS_CONDITIONS, maps->conditions));
  PetscCall(ScoriaStorePutReals(store, MAPS_THETA, 1, &n, maps->theta, "",
                                "condition of the maps, the first where there are several"));
  PetscCall(ScoriaStorePutAxes(store, MAPS_THETA, "column"));
  for (int s = 0; s < SCORIA_NFROM; s++)
    for (int c = 0; c < C && maps->drawn[s]; c++) PetscCall(PutField(store, maps, s, c));
  PetscFunctionReturn(0);
}

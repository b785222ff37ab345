/* Realisations of a measured structure.  Number id gives, by Philox: a row; an offset of whole windows along each axis;
 * which axes are reflected; by how many cells the crop is turned round laterally, so that the seam where its periodic
 * ends meet lies anywhere.  Cells are the means of the windows that they overlap, weighted by the overlap. */
#include "local_porosity.h"
#include <math.h>
#include <string.h>

#define NEAR 1e-6       /* of a window: an overlap that is none, or a window that fits */
#define HELD_OUT_ROWS 0 /* id of the shuffle that deals rows to the two parts */
#define PASS_ONE 1      /* ids of those in which rows are drawn without replacement: a pass over them each */

typedef struct {
  int cells;   /* of the grid; 1 beyond its axes */
  int windows; /* that a crop spans */
  bool lateral, reflected;
  int *first, *count; /* owned (cells): windows of a cell, from the crop's beginning */
  double *weight;     /* owned (cells, most): of each of them */
  int most;
} CropAxis;

/* What crops are taken of: rows of the shuffle, windows along each axis. */
typedef struct {
  int64_t row, rows;
  int from[3], to[3];
} CropPart;

struct Crops_ {
  const LocalPorosity *local; /* released with the crops */
  int dim;
  uint64_t seed;
  bool replacement;
  CropAxis axis[3];
  CropPart part[2]; /* for training, held out */
  int of;
  ScoriaShuffle deal; /* row of the structure by row of a part */
  bool summed;        /* effective is crops_effective at exponent: a sum over the whole structure */
  double exponent, effective;
};

/* ---------------------------------------------------------------------------------------------------- axes ---- */

static double overlap(double a, double b, double c, double d)
{
  return PetscMax(0, PetscMin(b, d) - PetscMax(a, c));
}

/* cell: its extent in windows. */
static PetscErrorCode AxisCreate(int cells, double cell, CropAxis *axis)
{
  PetscFunctionBeginUser;
  axis->cells   = cells;
  axis->windows = (int)ceil(cells * cell - NEAR);
  axis->most    = (int)ceil(cell) + 1;
  PetscCall(PetscCalloc3(cells, &axis->first, cells, &axis->count, (size_t)cells * (size_t)axis->most, &axis->weight));
  for (int c = 0; c < cells; c++) {
    const double begin = c * cell, end = (c + 1) * cell;
    double sum     = 0;
    axis->first[c] = (int)floor(begin + NEAR);
    axis->count[c] = (int)PetscMin(axis->most, ceil(end - NEAR) - axis->first[c]);
    for (int k = 0; k < axis->count[c]; k++) {
      const double w                   = overlap(begin, end, axis->first[c] + k, axis->first[c] + k + 1);
      axis->weight[c * axis->most + k] = w;
      sum += w;
    }
    for (int k = 0; k < axis->count[c]; k++) axis->weight[c * axis->most + k] /= sum;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadReflect(ScoriaDeck deck, Crops crops)
{
  static const char *const names[3] = {"x", "y", "z"};
  const char *list                  = NULL;
  char word[16];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "porosity_reflect", &list));
  while (list && list_next_word(&list, sizeof word, word)) {
    int a = 0;
    while (a < 3 && strcmp(word, names[a])) a++;
    if (a < 3)
      crops->axis[a].reflected = true;
    else if (strcmp(word, "none"))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "porosity_reflect: found %s, allowed are x, y, z, none", word);
  }
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- parts ---- */

/* "8e-05 x 4e-05 x 4e-05 m" of so many windows along each axis. */
static void describe_extent(const LocalPorosity *local, const double windows[3], size_t size, char text[])
{
  snprintf(text, size, "%g x %g x %g m", windows[0] * local->window[0], windows[1] * local->window[1],
           windows[2] * local->window[2]);
}

/* Before there are axes: a crop may be of more windows than an int counts. */
static PetscErrorCode CheckSize(const LocalPorosity *local, const double crop[3], const char *path)
{
  const double all[3] = {local->n[0], local->n[1], local->n[2]};
  char has[96], needs[96];
  bool fits = true;
  PetscFunctionBeginUser;
  for (int a = 0; a < 3; a++) fits = fits && ceil(crop[a] - NEAR) <= all[a];
  if (fits) PetscFunctionReturn(0);
  describe_extent(local, all, sizeof has, has);
  describe_extent(local, crop, sizeof needs, needs);
  SCORIA_FAIL(SCORIA_EXIT_INPUT,
              "porosity_file %s: has %s (x, y, z) in whole windows, too small for crops of %s, the grid's extents",
              path, has, needs);
}

/* The axis along which the structure holds most crops: lateral ones first, as what lies along x may not be the same
 * everywhere. */
static int split_axis(const Crops crops)
{
  static const int order[3] = {AXIS_Z, AXIS_Y, AXIS_X};
  int best                  = order[0];
  for (int i = 1; i < 3; i++) {
    const int a = order[i];
    if ((double)crops->local->n[a] / crops->axis[a].windows > (double)crops->local->n[best] / crops->axis[best].windows)
      best = a;
  }
  return best;
}

/* Rows where there are several, else a slice of the structure is held out: no window is in both parts. */
static PetscErrorCode MakeParts(ScoriaDeck deck, Crops crops, const char *path)
{
  const LocalPorosity *local = crops->local;
  CropPart all = {.rows = local->rows, .to = {local->n[0], local->n[1], local->n[2]}}, *part = crops->part;
  double share = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckReal(deck, "porosity_holdout", &share));
  part[0] = part[1] = all;
  if (share == 0) PetscFunctionReturn(0);
  if (local->rows > 1) {
    part[1].rows = (int64_t)PetscClipInterval(floor(share * (double)local->rows + 0.5), 1, (double)local->rows - 1);
    part[0].rows = part[1].row = local->rows - part[1].rows;
    PetscFunctionReturn(0);
  }
  const int a = split_axis(crops), least = crops->axis[a].windows;
  if (local->n[a] < 2 * least)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "porosity_file %s: has %g m along %c, crops have %g m: no two that are disjoint, for a part that is "
                "held out; porosity_holdout 0 compares with crops of the same part",
                path, local->n[a] * local->window[a], "xyz"[a], least * local -> window[a]);
  const int held = (int)PetscClipInterval(floor(share * local->n[a] + 0.5), least, local->n[a] - least);
  part[0].to[a] = part[1].from[a] = local->n[a] - held;
  PetscFunctionReturn(0);
}

static PetscErrorCode Fill(ScoriaDeck deck, const ScoriaGrid *grid, Crops crops)
{
  const LocalPorosity *local = crops->local;
  const char *path           = "";
  double cell[3], crop[3];
  PetscInt seed = 1;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  PetscCall(ScoriaDeckBool(deck, "porosity_replacement", &crops->replacement));
  PetscCall(ScoriaDeckString(deck, "porosity_file", &path));
  crops->seed = (uint64_t)seed;
  crops->dim  = grid->dim;
  for (int a = 0; a < 3; a++) {
    cell[a] = a < grid->dim ? grid->length[a] / grid->n[a] / local->window[a] : 1;
    crop[a] = a < grid->dim ? grid->n[a] * cell[a] : 1;
  }
  PetscCall(CheckSize(local, crop, path));
  for (int a = 0; a < 3; a++) {
    PetscCall(AxisCreate(a < grid->dim ? grid->n[a] : 1, cell[a], &crops->axis[a]));
    crops->axis[a].lateral = a > 0 && a < grid->dim;
  }
  PetscCall(ReadReflect(deck, crops));
  PetscCall(MakeParts(deck, crops, path));
  rng_shuffle(crops->seed, SCORIA_STREAM_LIBRARY, HELD_OUT_ROWS, local->rows, &crops->deal);
  PetscFunctionReturn(0);
}

PetscErrorCode CropsCreate(ScoriaDeck deck, const ScoriaGrid *grid, const LocalPorosity *local, Crops *crops)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(crops));
  (*crops)->local             = local;
  const PetscErrorCode failed = Fill(deck, grid, *crops);
  if (failed) PetscCall(CropsDestroy(crops));
  PetscFunctionReturn(failed);
}

PetscErrorCode CropsDestroy(Crops *crops)
{
  PetscFunctionBeginUser;
  if (!*crops) PetscFunctionReturn(0);
  for (int a = 0; a < 3; a++)
    PetscCall(PetscFree3((*crops)->axis[a].first, (*crops)->axis[a].count, (*crops)->axis[a].weight));
  local_porosity_release((*crops)->local);
  PetscCall(PetscFree(*crops));
  PetscFunctionReturn(0);
}

void crops_hold_out(Crops crops, bool held_out)
{
  crops->of = held_out;
}

/* --------------------------------------------------------------------------------------------------- draws ---- */

/* A row and a place; turn and reflected of the cells. */
typedef struct {
  int64_t row;
  int from[3], turn[3];
  bool reflected[3];
} Crop;

/* floor(u n), u in (0, 1): rounding may make the product n itself. */
static int64_t choose(double u, int64_t n)
{
  return PetscMin((int64_t)(u * (double)n), n - 1);
}

/* Without replacement, every pass over the rows is a permutation of its own. */
static int64_t choose_row(const Crops crops, const CropPart *part, uint64_t id, double u)
{
  ScoriaShuffle pass;
  if (crops->replacement || part->rows == 1) return choose(u, part->rows);
  rng_shuffle(crops->seed, SCORIA_STREAM_LIBRARY, PASS_ONE + id / (uint64_t)part->rows, part->rows, &pass);
  return rng_shuffled(&pass, (int64_t)(id % (uint64_t)part->rows));
}

static void choose_crop(const Crops crops, uint64_t id, Crop *crop)
{
  const CropPart *part = &crops->part[crops->of];
  double u[10];
  rng_uniform(crops->seed, SCORIA_STREAM_CROP, id, 0, 10, u);
  crop->row = rng_shuffled(&crops->deal, part->row + choose_row(crops, part, id, u[0]));
  for (int a = 0; a < 3; a++) {
    const CropAxis *axis = &crops->axis[a];
    crop->from[a]        = part->from[a] + (int)choose(u[1 + a], part->to[a] - part->from[a] - axis->windows + 1);
    crop->reflected[a]   = axis->reflected && u[4 + a] < 0.5;
    crop->turn[a]        = axis->lateral ? (int)choose(u[7 + a], axis->cells) : 0;
  }
}

/* Cell c of the grid along axis a is this cell of the crop. */
static int cell_of(const Crops crops, const Crop *crop, int a, int c)
{
  const int n = crops->axis[a].cells, turned = (c + crop->turn[a]) % n;
  return crop->reflected[a] ? n - 1 - turned : turned;
}

/* The mean over the windows that cell (of the crop) overlaps. */
static double cell_mean(const Crops crops, int64_t row, const int from[3], const int cell[3])
{
  const LocalPorosity *local = crops->local;
  const CropAxis *axis       = crops->axis;
  const double *weight[3];
  int first[3], count[3];
  double sum = 0;
  for (int a = 0; a < 3; a++) {
    first[a]  = from[a] + axis[a].first[cell[a]];
    count[a]  = axis[a].count[cell[a]];
    weight[a] = axis[a].weight + (size_t)cell[a] * (size_t)axis[a].most;
  }
  for (int z = 0; z < count[2]; z++)
    for (int y = 0; y < count[1]; y++) {
      const double *line =
          local->eps + ((row * local->n[2] + first[2] + z) * local->n[1] + first[1] + y) * local->n[0] + first[0];
      double part = 0;
      for (int x = 0; x < count[0]; x++) part += weight[0][x] * line[x];
      sum += weight[2][z] * weight[1][y] * part;
    }
  return sum;
}

void crops_draw(Crops crops, uint64_t id, int first, int number, double eps[])
{
  int begin[3] = {0, 0, 0}, end[3];
  int64_t i    = 0;
  Crop crop;
  for (int a = 0; a < 3; a++) end[a] = crops->axis[a].cells;
  begin[crops->dim - 1] = first;
  end[crops->dim - 1]   = first + number;
  choose_crop(crops, id, &crop);
  for (int z = begin[2]; z < end[2]; z++)
    for (int y = begin[1]; y < end[1]; y++)
      for (int x = begin[0]; x < end[0]; x++) {
        const int cell[3] = {cell_of(crops, &crop, 0, x), cell_of(crops, &crop, 1, y), cell_of(crops, &crop, 2, z)};
        eps[i++]          = cell_mean(crops, crop.row, crop.from, cell);
      }
}

static double sum_effective(const Crops crops, double b)
{
  const CropPart *part = &crops->part[0];
  const CropAxis *axis = crops->axis;
  double sum           = 0;
  int64_t cells        = 0;
  for (int64_t r = 0; r < part->rows; r++)
    for (int Z = part->from[2]; Z + axis[2].windows <= part->to[2]; Z += axis[2].windows)
      for (int Y = part->from[1]; Y + axis[1].windows <= part->to[1]; Y += axis[1].windows)
        for (int X = part->from[0]; X + axis[0].windows <= part->to[0]; X += axis[0].windows) {
          const int from[3] = {X, Y, Z};
          int c[3];
          for (c[2] = 0; c[2] < axis[2].cells; c[2]++)
            for (c[1] = 0; c[1] < axis[1].cells; c[1]++)
              for (c[0] = 0; c[0] < axis[0].cells; c[0]++, cells++) {
                const double eps = cell_mean(crops, rng_shuffled(&crops->deal, part->row + r), from, c);
                sum += b == 0 ? eps : pow(eps, -b);
              }
        }
  return b == 0 ? sum / (double)cells : pow(sum / (double)cells, -1.0 / b);
}

double crops_effective(Crops crops, double b)
{
  if (!crops->summed || crops->exponent != b) crops->effective = sum_effective(crops, b);
  crops->summed   = true;
  crops->exponent = b;
  return crops->effective;
}

void crops_describe(Crops crops, size_t size, char text[])
{
  const LocalPorosity *local = crops->local;
  const CropPart *held       = &crops->part[1];
  const double bytes         = 8.0 * (double)local->rows * local->n[0] * local->n[1] * local->n[2];
  const double one[3]        = {1, 1, 1};
  char window[96], rows[32] = "", part[64] = "nothing";
  describe_extent(local, one, sizeof window, window);
  if (local->rows > 1) snprintf(rows, sizeof rows, "%lld rows of ", (long long)local->rows);
  if (local->rows > 1 && held->row) snprintf(part, sizeof part, "%lld rows", (long long)held->rows);
  for (int a = 0; a < 3; a++)
    if (held->from[a] > 0) snprintf(part, sizeof part, "%d windows along %c", held->to[a] - held->from[a], "xyz"[a]);
  snprintf(text, size, "%s%d x %d x %d windows of %s, %.1f MB a node; held out for compare: %s", rows, local->n[0],
           local->n[1], local->n[2], window, 1e-6 * bytes, part);
}

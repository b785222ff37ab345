/* From a measured structure to local porosity: gray values or phases become porosities voxel by voxel, which are
 * averaged over windows of whole voxels.
 *
 * Rank 0 reads the file slab by slab and holds the sums, a number a window.  One rank sums in one order: the same bits
 * for any number of ranks. */
#include "local_porosity.h"
#include "scoria/foreign_files.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READING_SECONDS 5.0 /* between lines about a long file */

static const char *const axis_names[AXES] = {"x", "y", "z", "row"};

/* ------------------------------------------------------------------------------------------------- options ---- */

static PetscErrorCode ReadLengths(ScoriaDeck deck, const char *key, int *n, double length[3])
{
  PetscInt found = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckReals(deck, key, 3, &found, length));
  if (found == 1) length[1] = length[2] = length[0];
  if (found == 2)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found 2 lengths, expected one for all axes, or three for x, y, z", key);
  *n = (int)found;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadText(ScoriaDeck deck, const char *key, size_t size, char text[])
{
  const char *value = NULL;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, key, &value));
  PetscCall(PetscStrncpy(text, value ? value : "", size));
  PetscFunctionReturn(0);
}

PetscErrorCode LocalPorosityOptionsRead(ScoriaDeck deck, const ScoriaGrid *grid, LocalPorosityOptions *opt)
{
  PetscFunctionBeginUser;
  memset(opt, 0, sizeof *opt); /* options are compared byte by byte */
  opt->threshold = NAN;
  opt->grid      = *grid;
  PetscCall(ReadText(deck, "porosity_file", sizeof opt->path, opt->path));
  PetscCall(ReadText(deck, "porosity_array", sizeof opt->array, opt->array));
  PetscCall(ReadText(deck, "porosity_axes", sizeof opt->axes, opt->axes));
  PetscCall(ReadText(deck, "porosity_phase", sizeof opt->phases, opt->phases));
  PetscCall(ScoriaDeckReal(deck, "porosity_threshold", &opt->threshold));
  PetscCall(ScoriaDeckIs(deck, "porosity_pores", "above", &opt->pores_above));
  PetscCall(ReadLengths(deck, "porosity_voxel", &opt->voxels, opt->voxel));
  PetscCall(ReadLengths(deck, "porosity_window", &opt->windows, opt->window));
  if (*opt->phases && !isnan(opt->threshold))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "porosity_phase: found beside porosity_threshold; give one of them");
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------------- voxels ---- */

#define PHASES 16

/* What porosity a value is. */
typedef struct {
  int phases; /* 0: none are given */
  double value[PHASES], porosity[PHASES];
  double threshold;
  bool above;
} Meaning;

static PetscErrorCode ReadMeaning(const LocalPorosityOptions *opt, Meaning *m)
{
  const char *list = opt->phases;
  char word[64];
  PetscFunctionBeginUser;
  *m = (Meaning){.threshold = opt->threshold, .above = opt->pores_above};
  while (list_next_word(&list, sizeof word, word)) {
    char *equals = strchr(word, '=');
    if (m->phases == PHASES) SCORIA_FAIL(SCORIA_EXIT_INPUT, "porosity_phase: found more than %d phases", PHASES);
    m->porosity[m->phases] = 1;
    if (equals) {
      *equals = 0;
      PetscCall(ScoriaListNumber("porosity_phase", word, equals + 1, &m->porosity[m->phases]));
    }
    PetscCall(ScoriaListNumber("porosity_phase", word, word, &m->value[m->phases]));
    if (!(m->porosity[m->phases] >= 0 && m->porosity[m->phases] <= 1))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "porosity_phase: %s: found %g, allowed is a porosity from 0 to 1", word,
                  m->porosity[m->phases]);
    m->phases++;
  }
  PetscFunctionReturn(0);
}

static bool meaning_is_porosity(const Meaning *m)
{
  return !m->phases && isnan(m->threshold);
}

static double porosity_of(const Meaning *m, double value)
{
  if (isnan(value)) return value;
  for (int p = 0; p < m->phases; p++)
    if (value == m->value[p]) return m->porosity[p];
  if (m->phases) return 0;
  if (isnan(m->threshold)) return value;
  return m->above ? value > m->threshold : value < m->threshold;
}

/* ---------------------------------------------------------------------------------------------------- axes ---- */

/* How the axes of a file lie: which is which, and how their indices add up to a window's. */
typedef struct {
  int rank;
  int64_t dims[SCORIA_STRUCTURE_RANK];
  int axis[SCORIA_STRUCTURE_RANK];    /* AXIS_... of each axis of the file */
  int voxels[3];                      /* of a window, along x, y, z */
  int64_t *to[SCORIA_STRUCTURE_RANK]; /* owned: index along it -> part of the window's place, -1: left over */
} Layout;

static const char *default_axes(int rank, bool images, const int64_t dims[])
{
  if (images && dims[0] == 1) return "row,y,x";
  if (rank == 2) return "row,x";
  return rank == 3 ? "z,y,x" : "row,z,y,x";
}

/* The words of porosity_axes; a file with one axis more, of length 1, has that in front. */
static PetscErrorCode NameAxes(const LocalPorosityOptions *opt, bool images, Layout *l)
{
  const char *list = *opt->axes ? opt->axes : default_axes(l->rank, images, l->dims);
  char word[64];
  int n            = 0, named[SCORIA_STRUCTURE_RANK];
  bool there[AXES] = {false};
  PetscFunctionBeginUser;
  while (list_next_word(&list, sizeof word, word)) {
    int axis = 0;
    while (axis < AXES && strcmp(word, axis_names[axis])) axis++;
    if (axis == AXES || there[axis] || n == SCORIA_STRUCTURE_RANK)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "porosity_axes: found %s%s, expected each of row, x, y, z once at most", word,
                  axis < AXES && there[axis] ? " twice" : "");
    there[axis] = true;
    named[n++]  = axis;
  }
  const int lacking = l->rank - n;
  if (lacking && !(lacking == 1 && l->dims[0] == 1))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "porosity_axes: found %d, but %s has %d axes", n, opt->path, l->rank);
  if (!there[AXIS_X]) SCORIA_FAIL(SCORIA_EXIT_INPUT, "porosity_axes: found no x, the axis through the electrode");
  if (lacking) {
    l->axis[0] = 0;
    while (there[l->axis[0]]) l->axis[0]++; /* of length 1, so that it does not matter which */
    if (!there[AXIS_ROW]) l->axis[0] = AXIS_ROW;
  }
  for (int a = 0; a < n; a++) l->axis[lacking + a] = named[a];
  PetscFunctionReturn(0);
}

/* Voxels that span the grid where their size is not given: of profiles and fields of whole electrodes. */
static PetscErrorCode FindVoxel(const LocalPorosityOptions *opt, const int64_t length[AXES], LocalPorosity *local)
{
  const bool whole = length[AXIS_ROW] > 1 || (length[AXIS_Y] == 1 && length[AXIS_Z] == 1);
  PetscFunctionBeginUser;
  if (!opt->voxels && !whole)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "porosity_voxel: not set; a plane or volume, %s, needs the size of its voxels [m]",
                opt->path);
  if (opt->voxels && opt->grid.length[AXIS_X] > 0 && opt->voxel[AXIS_X] > opt->grid.length[AXIS_X])
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "porosity_voxel: found %g m along x, allowed up to the electrode's length, %g m",
                opt->voxel[AXIS_X], opt->grid.length[AXIS_X]);
  for (int a = 0; a < 3; a++) {
    const double extent = opt->grid.length[a];
    local->voxel[a]     = opt->voxels ? opt->voxel[a] : extent > 0 ? extent / (double)length[a] : 1;
  }
  PetscFunctionReturn(0);
}

/* Windows: as given; a cell of the grid for what is to become a porosity; a voxel for what is one. */
static void find_windows(const LocalPorosityOptions *opt, const Meaning *m, const int64_t length[AXES], Layout *l,
                         LocalPorosity *local)
{
  for (int a = 0; a < 3; a++) {
    const double cell = a < opt->grid.dim ? opt->grid.length[a] / opt->grid.n[a] : opt->grid.length[a];
    double window     = opt->windows ? opt->window[a] : meaning_is_porosity(m) ? local->voxel[a] : cell;
    l->voxels[a]      = (int)PetscClipInterval(floor(window / local->voxel[a] + 0.5), 1, (double)length[a]);
    local->window[a]  = l->voxels[a] * local->voxel[a];
    local->n[a]       = (int)(length[a] / l->voxels[a]);
  }
  local->rows = length[AXIS_ROW];
}

/* Tables from an index along an axis of the file to its part of a window's place. */
static PetscErrorCode MakeTables(const LocalPorosity *local, Layout *l)
{
  const int64_t stride[AXES] = {1, local->n[0], (int64_t)local->n[0] * local->n[1],
                                (int64_t)local->n[0] * local->n[1] * local->n[2]};
  PetscFunctionBeginUser;
  for (int a = 0; a < l->rank; a++) {
    const int axis = l->axis[a];
    PetscCall(PetscMalloc1(l->dims[a], &l->to[a]));
    for (int64_t i = 0; i < l->dims[a]; i++) {
      const int64_t window = axis == AXIS_ROW ? i : i / l->voxels[axis];
      l->to[a][i]          = axis == AXIS_ROW || window < local->n[axis] ? window * stride[axis] : -1;
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode MakeLayout(const LocalPorosityOptions *opt, const Meaning *m, ScoriaStructure s, Layout *l,
                                 LocalPorosity *local)
{
  int64_t length[AXES] = {1, 1, 1, 1};
  PetscFunctionBeginUser;
  structure_shape(s, &l->rank, l->dims);
  PetscCall(NameAxes(opt, structure_images(s), l));
  for (int a = 0; a < l->rank; a++) length[l->axis[a]] = l->dims[a];
  PetscCall(FindVoxel(opt, length, local));
  find_windows(opt, m, length, l, local);
  PetscCall(MakeTables(local, l));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- sums ---- */

/* Adds a slab, (dims[1], dims[2], dims[3]), of which axes beyond the rank have length 1. */
static void add_slab(const Layout *l, const Meaning *m, int64_t at, const double values[], double sum[])
{
  static const int64_t zero = 0;
  const int64_t *to[SCORIA_STRUCTURE_RANK], *n = l->dims;
  int64_t length[SCORIA_STRUCTURE_RANK], i     = 0;
  for (int a = 1; a < SCORIA_STRUCTURE_RANK; a++) {
    const int own = a - (SCORIA_STRUCTURE_RANK - l->rank); /* the last axis is innermost */
    to[a]         = own > 0 ? l->to[own] : &zero;
    length[a]     = own > 0 ? n[own] : 1;
  }
  for (int64_t a = 0; a < length[1]; a++)
    for (int64_t b = 0; b < length[2]; b++)
      for (int64_t c = 0; c < length[3]; c++, i++)
        if (to[1][a] >= 0 && to[2][b] >= 0 && to[3][c] >= 0)
          sum[at + to[1][a] + to[2][b] + to[3][c]] += porosity_of(m, values[i]);
}

/* A large scan takes a minute, by the only rank that reads it: beside what the command writes on standard output, which
 * may be a section of a deck. */
static void show_reading(const char *path, int64_t done, int64_t all, double *shown)
{
  const double now = wall_seconds();
  if (now - *shown < READING_SECONDS) return;
  *shown = now;
  fprintf(stderr, "  reading %s: %5.1f %%  %lld/%lld slabs\n", path, 100.0 * (double)done / (double)all,
          (long long)done, (long long)all);
}

static PetscErrorCode SumSlabs(const char *path, const Layout *l, const Meaning *m, ScoriaStructure s, double sum[])
{
  double shown   = wall_seconds();
  int64_t values = 1;
  double *slab;
  PetscFunctionBeginUser;
  for (int a = 1; a < l->rank; a++) values *= l->dims[a];
  PetscCall(PetscMalloc1(values, &slab));
  for (int64_t i = 0; i < l->dims[0]; i++) {
    if (l->to[0][i] < 0) continue;
    PetscCall(ScoriaStructureSlab(s, i, slab));
    add_slab(l, m, l->to[0][i], slab, sum);
    show_reading(path, i + 1, l->dims[0], &shown);
  }
  PetscCall(PetscFree(slab));
  PetscFunctionReturn(0);
}

/* A porosity of 0 or 1 conducts nothing, or holds no particles: no equation has a solution there. */
static PetscErrorCode CheckWindows(const LocalPorosityOptions *opt, const Meaning *m, const LocalPorosity *local,
                                   const double eps[])
{
  const int64_t n = window_count(local);
  int64_t bad = 0, first = 0;
  PetscFunctionBeginUser;
  for (int64_t i = n - 1; i >= 0; i--)
    if (!(eps[i] > 0 && eps[i] < 1)) {
      bad++;
      first = i;
    }
  if (!bad) PetscFunctionReturn(0);
  const int64_t x = first % local->n[0], y = first / local->n[0] % local->n[1],
                z = first / local->n[0] / local->n[1] % local->n[2], row = first / (n / local->rows);
  SCORIA_FAIL(SCORIA_EXIT_INPUT,
              "%s: window %lld, %lld, %lld (x, y, z) of row %lld: found %g, expected a porosity between 0 and 1; so in "
              "%lld of %lld windows of %g x %g x %g m%s",
              opt->path, (long long)x, (long long)y, (long long)z, (long long)row, eps[first], (long long)bad,
              (long long)n, local->window[0], local->window[1], local->window[2],
              isnan(eps[first])        ? ": it holds values that are no numbers"
              : meaning_is_porosity(m) ? ": gray values or phases need porosity_threshold or porosity_phase"
              : m->phases              ? ": choose a larger porosity_window, or other values in porosity_phase"
                                       : ": choose a larger porosity_window, or another porosity_threshold");
}

static PetscErrorCode ReadOpened(const LocalPorosityOptions *opt, ScoriaStructure s, LocalPorosity *local, double **eps)
{
  Layout l = {.rank = 0};
  Meaning m;
  PetscFunctionBeginUser;
  PetscCall(ReadMeaning(opt, &m));
  PetscErrorCode failed = MakeLayout(opt, &m, s, &l, local);
  if (!failed) {
    const double voxels = (double)l.voxels[0] * l.voxels[1] * l.voxels[2];
    PetscCall(PetscCalloc1(window_count(local), eps));
    failed = SumSlabs(opt->path, &l, &m, s, *eps);
    for (int64_t i = 0; i < window_count(local); i++) (*eps)[i] /= voxels;
  }
  for (int a = 0; a < SCORIA_STRUCTURE_RANK; a++) PetscCall(PetscFree(l.to[a]));
  if (!failed) failed = CheckWindows(opt, &m, local, *eps);
  if (failed) PetscCall(PetscFree(*eps));
  PetscFunctionReturn(failed);
}

PetscErrorCode LocalPorosityRead(const LocalPorosityOptions *opt, LocalPorosity *local, double **eps)
{
  ScoriaStructure s;
  PetscFunctionBeginUser;
  *eps = NULL;
  PetscCall(ScoriaStructureOpen(opt->path, opt->array, &s));
  const PetscErrorCode failed = ReadOpened(opt, s, local, eps);
  PetscCall(ScoriaStructureClose(&s));
  PetscFunctionReturn(failed);
}

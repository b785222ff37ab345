/* Random porosity:
 *
 *   eps = min + (max - min) sigmoid(logit_mean + sigma g),   g ~ GP(0, k(|x - x'|; ell)) at the cell centres,
 *
 * drawn in one dimension by porosity_line.c from standard normals z keyed by the realisation, in two and three by
 * porosity_field.c.  Or crops of a measured structure (local_porosity.c, crops.c). */
#include "internal.h"
#include "local_porosity.h"
#include "porosity_field.h"
#include "porosity_law.h"
#include "porosity_line.h"
#include "porosity.h"
#include <math.h>
#include <string.h>

struct ScoriaPorosity_ {
  double min, max;
  PorosityLaw law; /* at work: by logit_mean and sigma of the deck, or of the moments that are asked for */
  double given[2]; /* porosity_mean and porosity_sd of the deck, NaN where it has none */
  double usual[2]; /* moments of the deck's logit_mean and sigma as shares of the way between the bounds, */
  double share[2]; /* and those of the law at work where they are asked for */
  uint64_t seed;
  const FieldKernel *kernel;
  int first, number; /* this rank's planes of the last axis */
  size_t own;        /* this rank's cells */

  GaussianLine line;   /* owned: one dimension */
  double *z;           /* owned: its normals */
  GaussianField field; /* owned: two and three */

  Crops crops; /* owned: of a measured structure; NULL: there is none */
  bool sized;  /* in metres, and so a crop of another extent is another crop */
  char library[SCORIA_SOURCE_SIZE];
};

/* porosity_mean and porosity_sd, each in place of another key. */
static PetscErrorCode ReadMoments(ScoriaDeck deck, ScoriaPorosity p)
{
  static const char *const keys[2][2] = {{"porosity_mean", "porosity_logit_mean"}, {"porosity_sd", "porosity_sigma"}};
  PetscFunctionBeginUser;
  for (int i = 0; i < 2; i++) {
    bool other, own;
    p->given[i] = p->share[i] = NAN;
    PetscCall(ScoriaDeckReal(deck, keys[i][0], &p->given[i]));
    PetscCall(ScoriaDeckHas(deck, keys[i][0], &own));
    PetscCall(ScoriaDeckChanged(deck, keys[i][1], &other));
    if (own && other) SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found beside %s; give one of them", keys[i][0], keys[i][1]);
  }
  law_moments(&p->law, p->usual);
  PetscFunctionReturn(0);
}

/* Mean and standard deviation, as shares of the way between the bounds; NaN: the deck's. */
static void wanted_shares(const ScoriaPorosity p, double mean, double sd, double share[2])
{
  const double width = p->max - p->min, wanted[2] = {isnan(mean) ? p->given[0] : mean, isnan(sd) ? p->given[1] : sd};
  share[0] = isnan(wanted[0]) ? p->usual[0] : (wanted[0] - p->min) / width;
  share[1] = isnan(wanted[1]) ? p->usual[1] : wanted[1] / width;
}

static bool set_moments(ScoriaPorosity p, double mean, double sd)
{
  double share[2];
  if (isnan(mean) && isnan(sd) && isnan(p->given[0]) && isnan(p->given[1])) return true;
  wanted_shares(p, mean, sd, share);
  if (share[0] == p->share[0] && share[1] == p->share[1]) return true;
  if (!law_from_moments(share, &p->law)) return false;
  memcpy(p->share, share, sizeof share);
  return true;
}

static double condition_of(const ScoriaSpace *space, const char *name, const double theta[])
{
  const int i = space_find(space, name);
  return i < 0 ? NAN : theta[i];
}

static void set_length(ScoriaPorosity p, double length)
{
  if (p->line) gaussian_line_set_length(p->line, length);
  if (p->field) gaussian_field_set_length(p->field, length);
}

bool porosity_set(ScoriaPorosity p, const ScoriaSpace *space, const double theta[])
{
  const int thickness = space_thickness(space);
  if (p->crops) return true;
  if (thickness >= 0) set_length(p, theta[thickness]);
  return set_moments(p, condition_of(space, "porosity_mean", theta), condition_of(space, "porosity_sd", theta));
}

static PetscErrorCode CheckMoments(ScoriaPorosity p, const char *mean_key, const char *sd_key, double mean, double sd)
{
  const double width = p->max - p->min;
  double shares[2];
  PetscFunctionBeginUser;
  if (set_moments(p, mean, sd)) PetscFunctionReturn(0);
  wanted_shares(p, mean, sd, shares);
  const double at = p->min + width * shares[0];
  if (!(shares[0] > 0 && shares[0] < 1))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found %g, allowed inside the bounds of the porosity, %g to %g", mean_key, at,
                p->min, p->max);
  SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found %g, allowed above 0 and below %.4f at a mean of %g (bounds %g and %g)",
              sd_key, width * shares[1], width * law_largest_sd(shares[0]), at, p->min, p->max);
}

/* What a mean allows for the SD is concave in it: the ends of both ranges are the worst. */
PetscErrorCode ScoriaPorosityCheck(ScoriaPorosity p, const ScoriaSpace *space)
{
  const int m = space_find(space, "porosity_mean"), s = space_find(space, "porosity_sd");
  PetscFunctionBeginUser;
  if (p->crops && (m >= 0 || s >= 0))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found with porosity_file, whose crops have the moments that they have",
                m >= 0 ? "conditions_porosity_mean" : "conditions_porosity_sd");
  if (p->crops && p->sized && space_thickness(space) >= 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "conditions_L: found with porosity_file, whose crops are of one thickness; a library of "
                "whole electrodes, without porosity_voxel and porosity_window, fits every one");
  if (p->crops) PetscFunctionReturn(0);
  for (int i = 0; i < 4; i++) {
    const double mean = m < 0 ? NAN : (i & 1 ? space->c[m].hi : space->c[m].lo),
                 sd   = s < 0 ? NAN : (i & 2 ? space->c[s].hi : space->c[s].lo);
    PetscCall(CheckMoments(p, m < 0 ? "porosity_mean" : "conditions_porosity_mean",
                           s < 0 ? "porosity_sd" : "conditions_porosity_sd", mean, sd));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadKeys(ScoriaDeck deck, ScoriaPorosity p)
{
  PetscInt seed = 1;
  int kernel    = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckRow(deck, "porosity_kernel", field_kernels, sizeof *field_kernels, &kernel));
  PetscCall(ScoriaDeckReal(deck, "porosity_min", &p->min));
  PetscCall(ScoriaDeckReal(deck, "porosity_max", &p->max));
  PetscCall(ScoriaDeckReal(deck, "porosity_logit_mean", &p->law.mean));
  PetscCall(ScoriaDeckReal(deck, "porosity_sigma", &p->law.sigma));
  PetscCall(ReadMoments(deck, p));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  if (p->min > p->max)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "porosity_min: found %g, allowed up to porosity_max = %g", p->min, p->max);
  p->kernel = &field_kernels[kernel];
  p->seed   = (uint64_t)seed;
  set_moments(p, NAN, NAN);
  PetscFunctionReturn(0);
}

/* The longest correlation of the deck, 0 where it names none, and the shortest extent along x. */
static PetscErrorCode Longest(ScoriaDeck deck, double *ell, double *length)
{
  double range[2] = {0, 0}, extent[2] = {*length, *length};
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckRange(deck, "conditions_L", extent));
  *length = extent[0];
  PetscCall(ScoriaDeckReal(deck, "porosity_ell", &range[1]));
  PetscCall(ScoriaDeckRange(deck, "conditions_ell", range));
  *ell = range[1];
  PetscFunctionReturn(0);
}

/* Of longer correlations a layer of porous material has one porosity throughout, as of this already: what lies beyond
 * is another unit, or a share of the thickness. */
#define MOST_THICKNESSES 100

static PetscErrorCode CheckLength(ScoriaDeck deck, const ScoriaGrid *grid)
{
  double longest = 0, shortest = grid->length[0];
  bool ranged;
  PetscFunctionBeginUser;
  PetscCall(Longest(deck, &longest, &shortest));
  PetscCall(ScoriaDeckHas(deck, "conditions_ell", &ranged));
  if (longest > MOST_THICKNESSES * shortest)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: found %g m beside a thickness of %g m, expected a length (no share of the thickness), at most "
                "%g m",
                ranged ? "conditions_ell" : "porosity_ell", longest, shortest, MOST_THICKNESSES * shortest);
  PetscFunctionReturn(0);
}

/* A correlation too long for the grid must stop every group alike, before any of them draws: hence the longest first.
 */
static PetscErrorCode CreateField(ScoriaDeck deck, MPI_Comm group, const ScoriaGrid *grid, ScoriaPorosity p)
{
  double anisotropy[2] = {1, 1}, longest = 0, shortest = grid->length[0];
  PetscInt n = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckReals(deck, "porosity_anisotropy", 2, &n, anisotropy));
  if (n < grid->dim - 1)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "porosity_anisotropy: found %d number, expected one for each of the lateral axes y, z", (int)n);
  PetscCall(GaussianFieldCreate(group, grid, p->kernel, anisotropy, p->seed, &p->field));
  PetscCall(Longest(deck, &longest, &shortest));
  gaussian_field_set_length(p->field, shortest);
  if (longest > 0) PetscCall(GaussianFieldPrepare(p->field, longest));
  gaussian_field_set_length(p->field, grid->length[0]);
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateCrops(ScoriaDeck deck, const ScoriaGrid *grid, ScoriaPorosity p)
{
  LocalPorosityOptions opt;
  const LocalPorosity *local;
  bool voxel, window;
  PetscFunctionBeginUser;
  PetscCall(LocalPorosityOptionsRead(deck, grid, &opt));
  PetscCall(LocalPorosityGet(&opt, &local));
  PetscCall(PetscStrncpy(p->library, local->source, sizeof p->library));
  PetscCall(CropsCreate(deck, grid, local, &p->crops));
  PetscCall(ScoriaDeckHas(deck, "porosity_voxel", &voxel));
  PetscCall(ScoriaDeckHas(deck, "porosity_window", &window));
  p->sized = voxel || window;
  PetscFunctionReturn(0);
}

static PetscErrorCode Create(ScoriaDeck deck, MPI_Comm group, const ScoriaGrid *grid, bool library, ScoriaPorosity *por)
{
  int rank, size;
  ScoriaPorosity p;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&p));
  PetscCall(ReadKeys(deck, p));
  PetscCallMPI(MPI_Comm_rank(group, &rank));
  PetscCallMPI(MPI_Comm_size(group, &size));
  grid_slab(grid, rank, size, &p->first, &p->number);
  p->own = (size_t)p->number;
  for (int axis = 0; axis < grid->dim - 1; axis++) p->own *= (size_t)grid->n[axis];
  if (!library) PetscCall(CheckLength(deck, grid));
  if (library) {
    PetscCall(CreateCrops(deck, grid, p));
  } else if (grid->dim > 1) {
    PetscCall(CreateField(deck, group, grid, p));
  } else {
    PetscCall(GaussianLineCreate(grid, p->kernel, p->first, p->number, &p->line));
    PetscCall(PetscMalloc1(grid->n[0], &p->z));
  }
  *por = p;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaPorosityCreate(ScoriaDeck deck, MPI_Comm group, const ScoriaGrid *grid, ScoriaPorosity *por)
{
  PetscFunctionBeginUser;
  PetscCall(Create(deck, group, grid, false, por));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaPorosityOfLibrary(ScoriaDeck deck, MPI_Comm group, const ScoriaGrid *grid, ScoriaPorosity *por)
{
  PetscFunctionBeginUser;
  PetscCall(Create(deck, group, grid, true, por));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaPorosityDestroy(ScoriaPorosity *por)
{
  ScoriaPorosity p = *por;
  PetscFunctionBeginUser;
  if (!p) PetscFunctionReturn(0);
  PetscCall(GaussianLineDestroy(&p->line));
  PetscCall(PetscFree(p->z));
  PetscCall(GaussianFieldDestroy(&p->field));
  PetscCall(CropsDestroy(&p->crops));
  PetscCall(PetscFree(*por));
  PetscFunctionReturn(0);
}

static double sigmoid_porosity(const ScoriaPorosity p, double g)
{
  return p->min + (p->max - p->min) / (1.0 + exp(-(p->law.mean + p->law.sigma * g)));
}

PetscErrorCode ScoriaPorosityDraw(ScoriaPorosity p, double ell, uint64_t id, double eps[])
{
  PetscFunctionBeginUser;
  if (p->crops) {
    crops_draw(p->crops, id, p->first, p->number, eps);
    PetscFunctionReturn(0);
  }
  if (p->field) {
    PetscCall(GaussianFieldDraw(p->field, ell, id, eps));
  } else {
    rng_normal(p->seed, SCORIA_STREAM_POROSITY, id, 0, gaussian_line_cells(p->line), p->z);
    PetscCall(GaussianLineFrom(p->line, ell, p->z, eps));
  }
  for (size_t i = 0; i < p->own; i++) eps[i] = sigmoid_porosity(p, eps[i]);
  PetscFunctionReturn(0);
}

/* With odds u / (1 - u) = exp(mean + sigma g), those of -g are exp(2 mean) over these. */
void porosity_mirror(ScoriaPorosity p, int n, const double eps[], double mirrored[])
{
  const double even = exp(2 * p->law.mean), width = p->max - p->min;
  for (int i = 0; i < n; i++) {
    const double u = width > 0 ? (eps[i] - p->min) / width : 0;
    mirrored[i]    = p->min + width * even * (1 - u) / (even * (1 - u) + u);
  }
}

/* A porosity that rounding, as of a file in single precision, brought to a bound is taken for one just inside. */
#define NEAR_BOUND 1e-7

bool porosity_normals(ScoriaPorosity p, int64_t n, const double eps[], double g[])
{
  const double width = p->max - p->min;
  if (p->crops || !(width > 0) || !(p->law.sigma > 0)) return false;
  for (int64_t i = 0; i < n; i++) {
    const double share = PetscClipInterval((eps[i] - p->min) / width, NEAR_BOUND, 1 - NEAR_BOUND);
    g[i]               = (log(share / (1 - share)) - p->law.mean) / p->law.sigma;
  }
  return true;
}

double porosity_least(ScoriaPorosity p)
{
  return p->crops ? NAN : p->min;
}

PetscErrorCode ScoriaPorosityFrom(ScoriaPorosity p, double ell, const double z[], double eps[])
{
  PetscFunctionBeginUser;
  PetscCheck(p->line, PETSC_COMM_SELF, PETSC_ERR_SUP,
             "normals of one profile make no field of two or three dimensions");
  PetscCall(GaussianLineFrom(p->line, ell, z, eps));
  for (size_t i = 0; i < p->own; i++) eps[i] = sigmoid_porosity(p, eps[i]);
  PetscFunctionReturn(0);
}

/* E[eps^-b] over the marginal g ~ N(0, 1) by the trapezoidal rule, which converges geometrically for such integrands.
 */
PetscErrorCode ScoriaPorosityEffective(ScoriaPorosity p, double b, double *eps)
{
  double sum = 0, weights = 0;
  PetscFunctionBeginUser;
  if (p->crops) {
    *eps = crops_effective(p->crops, b);
    PetscFunctionReturn(0);
  }
  for (int i = -800; i <= 800; i++) {
    const double g = 0.0125 * i, weight = exp(-0.5 * g * g);
    weights += weight;
    sum += weight * pow(sigmoid_porosity(p, g), -b);
  }
  *eps = b == 0 ? sigmoid_porosity(p, 0) : pow(sum / weights, -1.0 / b);
  PetscFunctionReturn(0);
}

void porosity_hold_out(ScoriaPorosity p, bool held_out)
{
  if (p->crops) crops_hold_out(p->crops, held_out);
}

const char *porosity_library(ScoriaPorosity p)
{
  return p->library;
}

PetscErrorCode ScoriaPorosityIsLibrary(ScoriaDeck deck, bool *is)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckHas(deck, "porosity_file", is));
  PetscFunctionReturn(0);
}

void porosity_describe(ScoriaPorosity p, size_t size, char text[])
{
  *text = 0;
  if (p->crops) crops_describe(p->crops, size, text);
}

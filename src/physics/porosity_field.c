/* Unit Gaussian fields by circulant embedding (Wood and Chan 1994; Dietrich and Newsam 1997):
 *
 *   g = F^-1 sqrt(lambda) F w,   lambda = F C,
 *
 * w white noise on a grid of M cells along x and the grid's own along y and z; C(dx, dy, dz) the covariance with dx the
 * shorter way round M, summed over the periods of y and z.  It is exact on the first M / 2 cells where no lambda is
 * negative, which a long enough M reaches; y and z are periodic and need no padding.
 *
 * The last axis is dealt to the ranks (grid_slab).  A transform is: each plane of that axis on its own, a
 * transposition, then lines along the axis.  FFTW's own distributed transforms would round differently for each number
 * of ranks, and where lambda is at rounding level, sqrt(lambda) makes 1e-8 of 1e-16.  Here every plane and every line
 * goes through the same plan whichever rank has it, and the bits are the same. */
#include "porosity_field.h"
#include <fftw3-mpi.h>
#include <math.h>
#include <string.h>

#define SPECTRA 4 /* correlation lengths kept */
#define LEVELS 13 /* M / nx from 2 to 29, in steps of a quarter */
/* Least lambda allowed, relative to the largest.  What is below 0 is set to 0, and the variance grows by less than this
 * times the correlated volume in cells: 1e-4 where that is 1e5. */
#define NEGATIVE 1e-9
#define MAX_PERIODS 256.0      /* lateral periods that a correlation may span before it is negligible */
#define PLANNING FFTW_ESTIMATE /* measures nothing: the same plan, and the same bits, at every start */

/* Transforms at one padded size, made when first asked for. */
typedef struct {
  int M;                       /* 0: not made */
  int half;                    /* M / 2 + 1 wave numbers along x */
  int lines, strides;          /* after the transposition: `lines` sets of `strides` neighbouring lines */
  size_t room;                 /* doubles in each of the two buffers */
  fftw_plan plane[2], line[2]; /* owned: forward, backward */
  fftw_plan transposition[2];  /* owned */
} Transform;

typedef struct {
  double ell, length; /* along x; ell 0: empty */
  uint64_t used;
  int level;
  double *amplitude; /* owned: sqrt(lambda) over the number of cells, (lines, last, strides) */
} Spectrum;

struct GaussianField_ {
  MPI_Comm group; /* borrowed */
  ScoriaGrid grid;
  const FieldKernel *kernel; /* borrowed */
  double anisotropy[3];      /* along x: 1 */
  double reach;              /* distance in correlation lengths where the kernel becomes negligible */
  uint64_t seed, clock;
  int last;          /* cells of the last axis */
  int first, number; /* of which this rank has these */
  int middle;        /* rows in a plane of the last axis: ny in three dimensions, 1 in two */
  Transform transform[LEVELS];
  Spectrum spectrum[SPECTRA];
  size_t room;
  double *a, *b; /* owned: (room), before and after the transposition */
};

/* The smallest even number >= n with no prime factor above 7. */
static int friendly_size(double n)
{
  for (int size = 2 * (int)ceil(n / 2);; size += 2) {
    int rest = size;
    for (int prime = 2; prime <= 7; prime++)
      while (rest % prime == 0) rest /= prime;
    if (rest == 1) return size;
  }
}

static int level_size(const GaussianField f, int level)
{
  return friendly_size(2.0 * f->grid.n[0] * pow(1.25, level));
}

/* Whether the numbers of the draws of one field, a row of M normals each, fit their 32 bits. */
static bool level_fits(const GaussianField f, int level)
{
  return (double)f->last * f->middle * level_size(f, level) / 2 <= (double)UINT32_MAX;
}

PetscErrorCode GaussianFieldCreate(MPI_Comm group, const ScoriaGrid *grid, const FieldKernel *kernel,
                                   const double anisotropy[2], uint64_t seed, GaussianField *field)
{
  static bool started = false;
  int rank, size;
  GaussianField f;
  PetscFunctionBeginUser;
  if (!started) fftw_mpi_init();
  started = true;
  PetscCall(PetscNew(&f));
  PetscCallMPI(MPI_Comm_rank(group, &rank));
  PetscCallMPI(MPI_Comm_size(group, &size));
  f->group         = group;
  f->grid          = *grid;
  f->kernel        = kernel;
  f->seed          = seed;
  f->anisotropy[0] = 1;
  f->anisotropy[1] = anisotropy[0];
  f->anisotropy[2] = anisotropy[1];
  f->last          = grid->n[grid->dim - 1];
  f->middle        = grid->dim == 3 ? grid->n[1] : 1;
  grid_slab(grid, rank, size, &f->first, &f->number);
  f->reach = kernel_reach(kernel);
  *field   = f;
  PetscFunctionReturn(0);
}

PetscErrorCode GaussianFieldDestroy(GaussianField *field)
{
  GaussianField f = *field;
  PetscFunctionBeginUser;
  if (!f) PetscFunctionReturn(0);
  for (int level = 0; level < LEVELS; level++) {
    Transform *t = &f->transform[level];
    if (!t->M) continue;
    for (int way = 0; way < 2; way++) {
      fftw_destroy_plan(t->plane[way]);
      fftw_destroy_plan(t->line[way]);
      fftw_destroy_plan(t->transposition[way]);
    }
  }
  for (int i = 0; i < SPECTRA; i++) PetscCall(PetscFree(f->spectrum[i].amplitude));
  fftw_free(f->a);
  fftw_free(f->b);
  PetscCall(PetscFree(*field));
  PetscFunctionReturn(0);
}

void gaussian_field_set_length(GaussianField f, double length)
{
  f->grid.length[0] = length;
}

/* ------------------------------------------------------------------------------------------------- transforms ---- */

static PetscErrorCode Reserve(GaussianField f, size_t room)
{
  PetscFunctionBeginUser;
  if (room <= f->room) PetscFunctionReturn(0);
  fftw_free(f->a);
  fftw_free(f->b);
  f->a    = fftw_alloc_real(room);
  f->b    = fftw_alloc_real(room);
  f->room = room;
  PetscCheck(f->a && f->b, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for two buffers of %zu numbers", room);
  PetscFunctionReturn(0);
}

/* The plans are made on the buffers of today and run on those of the day: all of fftw_alloc_real, so aligned alike. */
static PetscErrorCode MakePlans(GaussianField f, ptrdiff_t sets, Transform *t)
{
  const int plane[2] = {f->grid.dim == 3 ? f->middle : t->M, t->M}, rank = f->grid.dim - 1;
  const ptrdiff_t tuple = 2 * t->strides; /* doubles */
  fftw_complex *a = (fftw_complex *)f->a, *b = (fftw_complex *)f->b;
  PetscFunctionBeginUser;
  t->plane[0] = fftw_plan_dft_r2c(rank, plane, f->a, a, PLANNING);
  t->plane[1] = fftw_plan_dft_c2r(rank, plane, a, f->a, PLANNING);
  for (int way = 0; way < 2; way++)
    t->line[way] = fftw_plan_many_dft(1, &f->last, t->strides, b, NULL, t->strides, 1, b, NULL, t->strides, 1,
                                      way ? FFTW_BACKWARD : FFTW_FORWARD, PLANNING);
  t->transposition[0] = fftw_mpi_plan_many_transpose(f->last, sets, tuple, FFTW_MPI_DEFAULT_BLOCK,
                                                     FFTW_MPI_DEFAULT_BLOCK, f->a, f->b, f->group, PLANNING);
  t->transposition[1] = fftw_mpi_plan_many_transpose(sets, f->last, tuple, FFTW_MPI_DEFAULT_BLOCK,
                                                     FFTW_MPI_DEFAULT_BLOCK, f->b, f->a, f->group, PLANNING);
  for (int way = 0; way < 2; way++)
    PetscCheck(t->plane[way] && t->line[way] && t->transposition[way], PETSC_COMM_SELF, PETSC_ERR_LIB,
               "FFTW has no plan for %d cells along x", t->M);
  PetscFunctionReturn(0);
}

/* In three dimensions the transposition swaps y and z, and moves runs of wave numbers along x; in two it swaps x and y.
 */
static PetscErrorCode GetTransform(GaussianField f, int level, Transform **transform)
{
  Transform *t = &f->transform[level];
  ptrdiff_t number, first, lines, begin;
  PetscFunctionBeginUser;
  *transform = t;
  if (t->M) PetscFunctionReturn(0);
  t->M                     = level_size(f, level);
  t->half                  = t->M / 2 + 1;
  t->strides               = f->grid.dim == 3 ? t->half : 1;
  const ptrdiff_t shape[2] = {f->last, f->grid.dim == 3 ? f->middle : t->half};
  t->room =
      (size_t)fftw_mpi_local_size_many_transposed(2, shape, 2 * t->strides, FFTW_MPI_DEFAULT_BLOCK,
                                                  FFTW_MPI_DEFAULT_BLOCK, f->group, &number, &first, &lines, &begin);
  t->lines = (int)lines;
  PetscCheck(number == f->number && (!number || first == f->first), PETSC_COMM_SELF, PETSC_ERR_LIB,
             "FFTW gives this rank planes %td + %td, the grid %d + %d", first, number, f->first, f->number);
  PetscCall(Reserve(f, t->room));
  PetscCall(MakePlans(f, shape[1], t));
  PetscFunctionReturn(0);
}

/* a, rows of 2 half doubles of which M count, to b, (lines, last, strides) wave numbers. */
static void transform_forward(GaussianField f, const Transform *t)
{
  const size_t plane = 2 * (size_t)t->half * (size_t)f->middle, set = (size_t)f->last * (size_t)t->strides;
  for (int k = 0; k < f->number; k++) {
    double *at = f->a + (size_t)k * plane;
    fftw_execute_dft_r2c(t->plane[0], at, (fftw_complex *)at);
  }
  fftw_mpi_execute_r2r(t->transposition[0], f->a, f->b);
  for (int k = 0; k < t->lines; k++) {
    fftw_complex *at = (fftw_complex *)f->b + (size_t)k * set;
    fftw_execute_dft(t->line[0], at, at);
  }
}

static void transform_backward(GaussianField f, const Transform *t)
{
  const size_t plane = 2 * (size_t)t->half * (size_t)f->middle, set = (size_t)f->last * (size_t)t->strides;
  for (int k = 0; k < t->lines; k++) {
    fftw_complex *at = (fftw_complex *)f->b + (size_t)k * set;
    fftw_execute_dft(t->line[1], at, at);
  }
  fftw_mpi_execute_r2r(t->transposition[1], f->b, f->a);
  for (int k = 0; k < f->number; k++) {
    double *at = f->a + (size_t)k * plane;
    fftw_execute_dft_c2r(t->plane[1], (fftw_complex *)at, at);
  }
}

/* ------------------------------------------------------------------------------------------------- covariance ---- */

/* Rows of this rank: row = z_local * middle + y. */
static size_t own_rows(const GaussianField f)
{
  return (size_t)f->number * (size_t)f->middle;
}

/* Covariances at lags known .. lags - 1 along x, of this rank's rows: table (lags, rows), grown.  Of two rows that
 * mirror each other the nearer one is computed, whichever rank has it: the sums are the same to the last bit. */
static PetscErrorCode ExtendCovariance(GaussianField f, double ell, int lags, int *known, double **table)
{
  const int last = f->grid.dim - 1, n[2] = {f->middle, f->last};
  const double zero[2] = {0, 0}, h = f->grid.length[0] / f->grid.n[0] / ell;
  /* in two dimensions the middle axis has one row and no images */
  const double period[2] = {f->grid.dim == 3 ? f->grid.length[1] / (f->anisotropy[1] * ell) : SCORIA_UNBOUNDED,
                            f->grid.length[last] / (f->anisotropy[last] * ell)};
  const size_t rows = own_rows(f);
  const double unit = kernel_periodised(f->kernel, f->reach, 0, zero, period);
  PetscFunctionBeginUser;
  PetscCall(PetscRealloc(((size_t)lags * rows + 1) * sizeof **table, table));
  for (; *known < lags; ++*known) {
    double *c = *table + (size_t)*known * rows;
    for (size_t row = 0; row < rows; row++) {
      const int y = (int)(row % (size_t)n[0]), z = (int)(row / (size_t)n[0]) + f->first;
      const int y1 = PetscMin(y, n[0] - y), z1 = PetscMin(z, n[1] - z);
      const size_t mirror = (size_t)((z1 < f->first ? z : z1) - f->first) * (size_t)n[0] + (size_t)y1;
      const double d[2]   = {y1 * period[0] / n[0], z1 * period[1] / n[1]};
      c[row] = mirror < row ? c[mirror] : kernel_periodised(f->kernel, f->reach, *known * h, d, period) / unit;
    }
  }
  PetscFunctionReturn(0);
}

/* The eigenvalues, as the real parts in b, and the extremes over all ranks. */
static PetscErrorCode Eigenvalues(GaussianField f, const Transform *t, const double table[], double *min, double *max)
{
  const size_t rows = own_rows(f), count = (size_t)t->lines * (size_t)f->last * (size_t)t->strides;
  double extreme[2] = {-PETSC_MAX_REAL, -PETSC_MAX_REAL};
  PetscFunctionBeginUser;
  for (size_t row = 0; row < rows; row++)
    for (int x = 0; x < t->M; x++)
      f->a[row * 2 * (size_t)t->half + (size_t)x] = table[(size_t)PetscMin(x, t->M - x) * rows + row];
  transform_forward(f, t);
  for (size_t i = 0; i < count; i++) {
    extreme[0] = fmax(extreme[0], -f->b[2 * i]);
    extreme[1] = fmax(extreme[1], f->b[2 * i]);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, extreme, 2, MPI_DOUBLE, MPI_MAX, f->group));
  *min = -extreme[0];
  *max = extreme[1];
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- spectra ---- */

static PetscErrorCode KeepSpectrum(GaussianField f, const Transform *t, Spectrum *s)
{
  const size_t count = (size_t)t->lines * (size_t)f->last * (size_t)t->strides;
  const double cells = (double)f->last * f->middle * t->M;
  PetscFunctionBeginUser;
  PetscCall(PetscFree(s->amplitude));
  PetscCall(PetscMalloc1(count, &s->amplitude));
  for (size_t i = 0; i < count; i++) s->amplitude[i] = sqrt(fmax(0, f->b[2 * i])) / cells;
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckPeriods(const GaussianField f, double ell)
{
  PetscFunctionBeginUser;
  for (int axis = 1; axis < f->grid.dim; axis++)
    if (f->reach * f->anisotropy[axis] * ell > MAX_PERIODS * f->grid.length[axis])
      SCORIA_FAIL(
          SCORIA_EXIT_INPUT,
          "porosity_ell: found %g m, for kernel %s and the period %g m along %c (anisotropy %g) allowed up to %g m",
          ell, f->kernel->name, f->grid.length[axis], "xyz"[axis], f -> anisotropy[axis],
          MAX_PERIODS * f -> grid.length[axis] / (f->reach * f->anisotropy[axis]));
  PetscFunctionReturn(0);
}

/* Pads x until no eigenvalue is negative. */
static PetscErrorCode MakeSpectrum(GaussianField f, double ell, Spectrum *s)
{
  Transform *t  = NULL;
  double *table = NULL, min = -1, max = 0;
  int known = 0, level;
  PetscFunctionBeginUser;
  PetscCall(CheckPeriods(f, ell));
  s->ell = 0;
  for (level = 0; level < LEVELS && level_fits(f, level); level++) {
    PetscCall(GetTransform(f, level, &t));
    PetscCall(ExtendCovariance(f, ell, t->half, &known, &table));
    PetscCall(Eigenvalues(f, t, table, &min, &max));
    if (min >= -NEGATIVE * max) break;
  }
  PetscCall(PetscFree(table));
  if (min < -NEGATIVE * max)
    SCORIA_FAIL(
        SCORIA_EXIT_INPUT,
        "porosity_ell: found %g m, too long for kernel %s along x: %d cells on %g m have no periodic extension of "
        "up to %d cells with this covariance",
        ell, f->kernel->name, f->grid.n[0], f->grid.length[0], t ? t->M : 0);
  PetscCall(KeepSpectrum(f, t, s));
  s->ell    = ell;
  s->length = f->grid.length[0];
  s->level  = level;
  PetscFunctionReturn(0);
}

static bool is_spectrum(const GaussianField f, double ell, const Spectrum *s)
{
  return s->ell == ell && s->length == f->grid.length[0];
}

/* The spectrum at ell: kept, or made in the place of the one used longest ago. */
static PetscErrorCode GetSpectrum(GaussianField f, double ell, Spectrum **spectrum)
{
  Spectrum *s = &f->spectrum[0];
  PetscFunctionBeginUser;
  for (int i = 0; i < SPECTRA && !is_spectrum(f, ell, s); i++)
    if (is_spectrum(f, ell, &f->spectrum[i]) || f->spectrum[i].used < s->used) s = &f->spectrum[i];
  if (!is_spectrum(f, ell, s)) PetscCall(MakeSpectrum(f, ell, s));
  s->used   = ++f->clock;
  *spectrum = s;
  PetscFunctionReturn(0);
}

PetscErrorCode GaussianFieldPrepare(GaussianField f, double ell)
{
  Spectrum *s;
  PetscFunctionBeginUser;
  PetscCall(GetSpectrum(f, ell, &s));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------------ draws ---- */

/* Row by row of the whole padded grid, so that every rank can start at its own. */
static void white_noise(GaussianField f, const Transform *t, uint64_t id)
{
  const size_t rows = own_rows(f), before = (size_t)f->first * (size_t)f->middle;
  for (size_t row = 0; row < rows; row++)
    rng_normal(f->seed, SCORIA_STREAM_POROSITY, id, (uint32_t)((before + row) * (size_t)(t->M / 2)), t->M,
               f->a + row * 2 * (size_t)t->half);
}

PetscErrorCode GaussianFieldDraw(GaussianField f, double ell, uint64_t id, double g[])
{
  const size_t nx = (size_t)f->grid.n[0];
  Spectrum *s     = NULL;
  PetscFunctionBeginUser;
  PetscCall(GetSpectrum(f, ell, &s));
  const Transform *t = &f->transform[s->level];
  const size_t count = (size_t)t->lines * (size_t)f->last * (size_t)t->strides;
  white_noise(f, t, id);
  transform_forward(f, t);
  for (size_t i = 0; i < count; i++) {
    f->b[2 * i] *= s->amplitude[i];
    f->b[2 * i + 1] *= s->amplitude[i];
  }
  transform_backward(f, t);
  for (size_t row = 0; row < own_rows(f); row++) memcpy(g + row * nx, f->a + row * 2 * (size_t)t->half, nx * sizeof *g);
  PetscFunctionReturn(0);
}

/* A complex number of FFTW is two doubles, real and imaginary part.
 *
 * Spectra of fields have no waves beyond some ky, and FFTW's transforms to real numbers along y take one of them at a
 * time where complex ones take several, so that the way back is in two steps: along z what waves there are, and then,
 * plane by plane, along y two neighbours along x as one complex number, a + i b.  It takes a third of the time. */
#include "waves.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PLANNING FFTW_ESTIMATE /* measures nothing: the same plan, and the same bits, at every start */

/* Where (kz, ky) stands, 0 <= ky <= ny / 2, kz of either sign. */
static int wave_at(const Waves *w, int kz, int ky)
{
  return (kz + w->nz) % w->nz * (w->ny / 2 + 1) + ky;
}

static void set_class(const Waves *w, int kz, int ky, WaveClass *c)
{
  const bool edge_y = ky == 0 || 2 * ky == w->ny, edge_z = kz == 0 || 2 * kz == w->nz;
  *c              = (WaveClass){.kz = kz, .ky = ky, .members = edge_y || edge_z ? 1 : 2, .real = edge_y && edge_z};
  c->at[0]        = wave_at(w, kz, ky);
  c->at[1]        = wave_at(w, -kz, ky);
  c->conjugate[0] = edge_y && !edge_z ? wave_at(w, -kz, ky) : -1; /* others are not stored */
  c->conjugate[1] = -1;
}

static int by_length(const void *a, const void *b)
{
  const WaveClass *p = a, *q = b;
  const int p2 = p->kz * p->kz + p->ky * p->ky, q2 = q->kz * q->kz + q->ky * q->ky;
  return p2 != q2 ? (p2 > q2) - (p2 < q2) : (p->kz > q->kz) - (p->kz < q->kz);
}

static void make_steps(Waves *w)
{
  const int pairs = w->nx / 2, line = (w->ny / 2 + 1) * w->nx;
  const fftw_iodim64 z[1] = {{w->nz, line, line}}, of_z[1] = {{w->nx, 1, 1}};
  const fftw_iodim64 y[1] = {{w->ny, pairs, pairs}}, of_y[1] = {{pairs, 1, 1}};
  fftw_complex *plane = (fftw_complex *)w->grid;
  w->along_z          = fftw_plan_guru64_dft(1, z, 1, of_z, w->spectrum, w->spectrum, FFTW_BACKWARD, PLANNING);
  w->along_y          = fftw_plan_guru64_dft(1, y, 1, of_y, plane, plane, FFTW_BACKWARD, PLANNING);
}

static PetscErrorCode MakePlans(Waves *w)
{
  const int n[2] = {w->nz, w->ny}, plane = w->nz * w->ny * w->nx, half = w->half * w->nx;
  const fftw_iodim64 dims[2]    = {{n[0], (ptrdiff_t)w->ny * w->nx, (ptrdiff_t)(w->ny / 2 + 1) * w->nx},
                                   {n[1], w->nx, w->nx}};
  const fftw_iodim64 inverse[2] = {{n[0], dims[0].os, dims[0].is}, dims[1]};
  const fftw_iodim64 many[2]    = {{w->C, plane, half}, {w->nx, 1, 1}};
  const fftw_iodim64 back[2]    = {{w->C, half, plane}, {w->nx, 1, 1}};
  PetscFunctionBeginUser;
  w->forward = fftw_plan_guru64_dft_r2c(2, dims, 2, many, w->grid, w->spectrum, PLANNING | FFTW_DESTROY_INPUT);
  if (w->nx % 2)
    w->back = fftw_plan_guru64_dft_c2r(2, inverse, 2, back, w->spectrum, w->grid, PLANNING | FFTW_DESTROY_INPUT);
  else
    make_steps(w);
  PetscCheck(w->forward && (w->back || (w->along_z && w->along_y)), PETSC_COMM_SELF, PETSC_ERR_LIB,
             "FFTW has no plan for %d x %d", w->nz, w->ny);
  PetscFunctionReturn(0);
}

PetscErrorCode WavesCreate(int C, int nx, int ny, int nz, Waves *waves)
{
  PetscFunctionBeginUser;
  *waves = (Waves){.C = C, .nx = nx, .ny = ny, .nz = nz, .half = nz * (ny / 2 + 1)};
  PetscCall(PetscMalloc1((size_t)(nz / 2 + 1) * (size_t)(ny / 2 + 1), &waves->class));
  for (int kz = 0; kz <= nz / 2; kz++)
    for (int ky = 0; ky <= ny / 2; ky++) set_class(waves, kz, ky, &waves->class[waves->classes++]);
  qsort(waves->class, (size_t)waves->classes, sizeof *waves->class, by_length);
  waves->spectrum = fftw_alloc_complex((size_t)C * (size_t)waves->half * (size_t)nx);
  waves->grid     = fftw_alloc_real((size_t)C * (size_t)nz * (size_t)ny * (size_t)nx);
  PetscCheck(waves->spectrum && waves->grid, PETSC_COMM_SELF, PETSC_ERR_MEM, "transforms over %d x %d", nz, ny);
  PetscCall(MakePlans(waves));
  PetscFunctionReturn(0);
}

PetscErrorCode WavesDestroy(Waves *waves)
{
  PetscFunctionBeginUser;
  if (waves->forward) fftw_destroy_plan(waves->forward);
  if (waves->back) fftw_destroy_plan(waves->back);
  if (waves->along_z) fftw_destroy_plan(waves->along_z);
  if (waves->along_y) fftw_destroy_plan(waves->along_y);
  fftw_free(waves->spectrum);
  fftw_free(waves->grid);
  PetscCall(PetscFree(waves->class));
  PetscFunctionReturn(0);
}

void waves_clear(const Waves *w, int most)
{
  const size_t line = (size_t)(w->ny / 2 + 1) * (size_t)w->nx, used = w->nx % 2 ? line : (size_t)(most + 1) * w->nx;
  for (int i = 0; i < w->C * w->nz; i++) memset(w->spectrum + i * line, 0, used * sizeof *w->spectrum);
}

/* Waves ky of n elements, n even, to those of pairs of them: those of a + i b at ky, and at -ky, where those of a and
 * of b are conjugated. */
static void put_pairs(int n, const double *restrict from, double *restrict plus, double *restrict minus)
{
  for (int x = 0; x < n; x += 2) {
    const double *a = from + 2 * x, *b = a + 2;
    plus[x]      = a[0] - b[1];
    plus[x + 1]  = a[1] + b[0];
    minus[x]     = a[0] + b[1];
    minus[x + 1] = b[0] - a[1];
  }
}

/* A plane (ny, nx) of pairs from its half spectrum along y; waves that are their own negatives are real. */
static void pair_plane(const Waves *w, int most, const fftw_complex *line, double plane[])
{
  const int nx = w->nx, ny = w->ny, empty = ny - 1 - 2 * most;
  if (empty > 0) memset(plane + (size_t)(most + 1) * nx, 0, sizeof *plane * (size_t)empty * nx);
  for (int ky = 0; ky <= most; ky++, line += nx) {
    const double *from = (const double *)line;
    double *plus       = plane + (size_t)ky * nx;
    if (ky && 2 * ky != ny)
      put_pairs(nx, from, plus, plane + (size_t)(ny - ky) * nx);
    else
      for (int x = 0; x < nx; x++) plus[x] = from[2 * x];
  }
}

void waves_back(const Waves *w, int most)
{
  const size_t line = (size_t)(w->ny / 2 + 1) * (size_t)w->nx, plane = (size_t)w->ny * (size_t)w->nx;
  if (w->back) {
    fftw_execute(w->back);
    return;
  }
  for (int i = 0; i < w->C; i++)
    for (int ky = 0; ky <= most; ky++) {
      fftw_complex *of = w->spectrum + (size_t)i * w->half * w->nx + (size_t)ky * w->nx;
      fftw_execute_dft(w->along_z, of, of);
    }
  for (int i = 0; i < w->C * w->nz; i++) {
    double *to = w->grid + i * plane;
    pair_plane(w, most, w->spectrum + i * line, to);
    fftw_execute_dft(w->along_y, (fftw_complex *)to, (fftw_complex *)to);
  }
}

int wave_coordinates(const WaveClass *c)
{
  return c->members * (c->real ? 1 : 2);
}

/* A pair (k, -k) of an orthonormal transform is worth sqrt(2) times the real and the imaginary part of one of them. */
static double wave_norm(const Waves *w, const WaveClass *c)
{
  return sqrt((c->real ? 1.0 : 2.0) / ((double)w->ny * w->nz));
}

void waves_take(const Waves *w, const WaveClass *c, double rows[])
{
  const int E = w->C * w->nx, parts = c->real ? 1 : 2;
  const double norm = wave_norm(w, c);
  for (int k = 0; k < c->members; k++)
    for (int i = 0; i < w->C; i++) {
      const double *from = (const double *)(w->spectrum + ((size_t)i * w->half + c->at[k]) * w->nx);
      for (int p = 0; p < parts; p++) {
        double *to = rows + (size_t)(k * parts + p) * E + (size_t)i * w->nx;
        for (int x = 0; x < w->nx; x++) to[x] = norm * from[2 * x + p];
      }
    }
}

double wave_value(const Waves *w, const WaveClass *c, int j, int y, int z)
{
  const int parts = c->real ? 1 : 2, kz = j / parts ? -c->kz : c->kz;
  const double phase = 2 * M_PI * ((double)c->ky * y / w->ny + (double)kz * z / w->nz);
  return wave_norm(w, c) * (j % parts ? -sin(phase) : cos(phase));
}

void waves_put(const Waves *w, const WaveClass *c, const double rows[])
{
  const int E = w->C * w->nx, parts = c->real ? 1 : 2;
  const double norm = 1 / (wave_norm(w, c) * w->ny * w->nz);
  for (int k = 0; k < c->members; k++)
    for (int i = 0; i < w->C; i++) {
      double *to         = (double *)(w->spectrum + ((size_t)i * w->half + c->at[k]) * w->nx);
      const double *real = rows + (size_t)(k * parts) * E + (size_t)i * w->nx;
      for (int x = 0; x < w->nx; x++) to[2 * x] = norm * real[x], to[2 * x + 1] = parts == 2 ? norm * real[E + x] : 0;
      if (c->conjugate[k] < 0) continue;
      double *other = (double *)(w->spectrum + ((size_t)i * w->half + c->conjugate[k]) * w->nx);
      for (int x = 0; x < w->nx; x++) other[2 * x] = to[2 * x], other[2 * x + 1] = -to[2 * x + 1];
    }
}

void waves_put_power(const Waves *w, const WaveClass *c, const double power[])
{
  const double share = 1 / ((double)w->ny * w->nz);
  for (int k = 0; k < c->members; k++)
    for (int side = 0; side < 2; side++) {
      const int at = side ? c->conjugate[k] : c->at[k];
      for (int i = 0; i < w->C && at >= 0; i++) {
        double *to = (double *)(w->spectrum + ((size_t)i * w->half + at) * w->nx);
        for (int x = 0; x < w->nx; x++) to[2 * x] = share * power[i * w->nx + x], to[2 * x + 1] = 0;
      }
    }
}

void waves_take_power(const Waves *w, const WaveClass *c, double power[])
{
  for (int i = 0; i < w->C; i++) {
    const double *from = (const double *)(w->spectrum + ((size_t)i * w->half + c->at[0]) * w->nx);
    for (int x = 0; x < w->nx; x++) power[i * w->nx + x] = from[2 * x];
  }
}

/* The member whose coordinates the mirrored one has, and whether they are conjugated: along y, (kz, ky) takes those of
 * (kz, -ky), the negative of (-kz, ky). */
static void mirrored(const WaveClass *c, bool mirror_y, bool mirror_z, int k, int *from, bool *conjugated)
{
  *conjugated = mirror_y;
  *from       = k;
  if (c->members == 2 && mirror_y != mirror_z) *from = 1 - k;
  if (c->members == 1) { /* one of kz and ky is its own negative */
    const bool along_y = c->conjugate[0] < 0;
    *conjugated        = along_y ? mirror_y : mirror_z;
  }
}

void waves_move(const Waves *w, const WaveClass *c, int sy, int sz, bool mirror_y, bool mirror_z, float y[])
{
  const int parts = c->real ? 1 : 2;
  float old[2 * WAVES_MEMBERS];
  memcpy(old, y, sizeof *y * (size_t)(c->members * parts));
  for (int k = 0; k < c->members; k++) {
    const double kz = k ? -c->kz : c->kz, turn = -2 * M_PI * (c->ky * (double)sy / w->ny + kz * sz / w->nz);
    bool conjugated;
    int from;
    mirrored(c, mirror_y, mirror_z, k, &from, &conjugated);
    const double re = old[from * parts], im = parts == 2 ? (conjugated ? -1 : 1) * old[from * parts + 1] : 0;
    y[k * parts] = (float)(re * cos(turn) - im * sin(turn));
    if (parts == 2) y[k * parts + 1] = (float)(re * sin(turn) + im * cos(turn));
  }
}

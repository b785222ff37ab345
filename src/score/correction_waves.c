/* A correction of whole fields, wave number by wave number, once it is fitted (correction_waves_fit.c): shared with all
 * ranks, and applied.
 *
 * Rows are homogeneous along y and z, and so is what a coarser grid makes of them: the best linear correction of a
 * field is a filter, a matrix through the thickness for every lateral wave number, real as fields are symmetric under
 * reflections.  What it leaves of a pair is again homogeneous, and serves at any shift, mirrored or not. */
#include "correction.h"
#include "scoria/linalg.h"
#include <string.h>

PetscErrorCode CorrectionWavesCreate(int channels, const int shape[3], CorrectionWaves **waves)
{
  CorrectionWaves *w;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(waves));
  w    = *waves;
  w->E = channels * shape[0];
  PetscCall(WavesCreate(channels, shape[0], shape[1], shape[2], &w->waves));
  const int n = w->waves.classes;
  PetscCall(PetscCalloc4(n, &w->modes, n, &w->degree, n, &w->crossed, n, &w->terms));
  PetscCall(PetscMalloc2(n, &w->V_at, n, &w->B_at));
  PetscFunctionReturn(0);
}

PetscErrorCode CorrectionWavesSetUp(const Correction *c, CorrectionWaves *w)
{
  const size_t E = (size_t)w->E;
  PetscFunctionBeginUser;
  w->V_all = w->B_all = 0;
  for (int k = 0; k < w->waves.classes; k++) {
    w->terms[k] = w->modes[k] * (w->crossed[k] ? 1 + c->d : 1);
    for (int t = 0; t < c->poly.terms && w->degree[k] >= 0; t++)
      w->terms[k] += correction_power(&c->poly, t) <= w->degree[k];
    w->V_at[k] = w->V_all;
    w->B_at[k] = w->B_all;
    w->V_all += E * (size_t)w->modes[k];
    w->B_all += E * (size_t)w->terms[k];
  }
  PetscCall(PetscCalloc1(w->V_all + 1, &w->V));
  PetscCall(PetscCalloc1(w->B_all + 1, &w->B));
  PetscFunctionReturn(0);
}

PetscErrorCode CorrectionWavesDestroy(CorrectionWaves **waves)
{
  CorrectionWaves *w = *waves;
  PetscFunctionBeginUser;
  if (!w) PetscFunctionReturn(0);
  PetscCall(WavesDestroy(&w->waves));
  PetscCall(PetscFree4(w->modes, w->degree, w->crossed, w->terms));
  PetscCall(PetscFree2(w->V_at, w->B_at));
  PetscCall(PetscFree(w->V));
  PetscCall(PetscFree(w->B));
  PetscCall(PetscFree(w->rest));
  PetscCall(PetscFree(*waves));
  PetscFunctionReturn(0);
}

PetscErrorCode CorrectionWavesShare(MPI_Comm comm, Correction *c)
{
  int rank, shape[4] = {0};
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) {
    const Waves *own = &c->of_waves->waves;
    const int of[4]  = {own->nx, own->ny, own->nz, own->C};
    memcpy(shape, of, sizeof shape);
  }
  PetscCallMPI(MPI_Bcast(shape, 4, MPI_INT, 0, comm));
  if (rank) PetscCall(CorrectionWavesCreate(shape[3], shape, &c->of_waves));
  CorrectionWaves *w = c->of_waves;
  PetscCallMPI(MPI_Bcast(w->modes, w->waves.classes, MPI_INT, 0, comm));
  PetscCallMPI(MPI_Bcast(w->degree, w->waves.classes, MPI_INT, 0, comm));
  PetscCallMPI(MPI_Bcast(w->crossed, w->waves.classes, MPI_C_BOOL, 0, comm));
  if (rank) PetscCall(CorrectionWavesSetUp(c, w));
  if (rank) PetscCall(PetscMalloc1(c->kept * c->width, &w->rest));
  PetscCall(ScoriaBroadcastMany(comm, 0, (int64_t)w->V_all, MPI_DOUBLE, w->V));
  PetscCall(ScoriaBroadcastMany(comm, 0, (int64_t)w->B_all, MPI_DOUBLE, w->B));
  PetscCall(ScoriaBroadcastMany(comm, 0, c->kept * c->width, MPI_FLOAT, w->rest));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- transforms ---- */

void correction_waves_to(const CorrectionWaves *w, const double field[], double rows[])
{
  const Waves *waves = &w->waves;
  memcpy(waves->grid, field, sizeof *field * (size_t)w->E * (size_t)waves->ny * (size_t)waves->nz);
  fftw_execute(waves->forward);
  for (int k = 0; k < waves->classes; k++) {
    waves_take(waves, &waves->class[k], rows);
    rows += wave_coordinates(&waves->class[k]) * w->E;
  }
}

void correction_waves_back(const CorrectionWaves *w, const double rows[], double field[])
{
  const Waves *waves = &w->waves;
  for (int k = 0; k < waves->classes; k++) {
    waves_put(waves, &waves->class[k], rows);
    rows += wave_coordinates(&waves->class[k]) * w->E;
  }
  fftw_execute(waves->back);
  memcpy(field, waves->grid, sizeof *field * (size_t)w->E * (size_t)waves->ny * (size_t)waves->nz);
}

/* --------------------------------------------------------------------------------------------------- a row ---- */

/* Of a class: x and a, of all its coordinates. */
static int class_work(const Correction *c)
{
  int most = 0;
  for (int k = 0; k < c->of_waves->waves.classes; k++)
    most = PetscMax(most, c->of_waves->terms[k] + c->of_waves->modes[k]);
  return 2 * WAVES_MEMBERS * most;
}

int correction_waves_work(const Correction *c)
{
  return 2 * c->width + c->poly.terms + class_work(c);
}

void correction_waves_class(const Correction *c, int k, const double u[], const double value[], const double z[],
                            double work[], double y[])
{
  const CorrectionWaves *w = c->of_waves;
  const int width = wave_coordinates(&w->waves.class[k]), modes = w->modes[k], terms = w->terms[k];
  double *a = work, *x = a + width * modes;
  if (modes) la_rows_product(width, w->E, modes, z, w->V + w->V_at[k], NULL, a);
  for (int j = 0; j < width; j++, a += modes) {
    double *to = x + j * terms;
    for (int t = 0; t < c->poly.terms && w->degree[k] >= 0; t++)
      if (correction_power(&c->poly, t) <= w->degree[k]) *to++ = value[t];
    for (int i = 0; i < modes; i++) *to++ = a[i];
    for (int i = 0; i < modes && w->crossed[k]; i++)
      for (int l = 0; l < c->d; l++) *to++ = a[i] * u[l];
  }
  if (terms)
    la_rows_product(width, terms, w->E, x, w->B + w->B_at[k], NULL, y);
  else
    memset(y, 0, sizeof *y * (size_t)width * (size_t)w->E);
}

/* Adds a residual (C, nz, ny, nx), mirrored where asked, then shifted. */
static void add_rest(const Waves *w, const float rest[], int sy, int sz, bool mirror_y, bool mirror_z, double y[])
{
  for (int c = 0; c < w->C; c++)
    for (int k = 0; k < w->nz; k++)
      for (int j = 0; j < w->ny; j++, y += w->nx) {
        const int from_z  = ((mirror_z ? w->nz - k : k) + sz) % w->nz,
                  from_y  = ((mirror_y ? w->ny - j : j) + sy) % w->ny;
        const float *from = rest + (((size_t)c * w->nz + from_z) * w->ny + from_y) * w->nx;
        for (int i = 0; i < w->nx; i++) y[i] += from[i];
      }
}

void correction_waves_apply(const Correction *c, const double u[], const float rest[], const uint32_t bits[4],
                            const double z[], double work[], double y[])
{
  const CorrectionWaves *w = c->of_waves;
  double *of_z = work, *of_y = of_z + c->width, *value = of_y + c->width, *scratch = value + c->poly.terms;
  correction_waves_to(w, z, of_z);
  norm_poly_values(&c->poly, u, value);
  for (int k = 0; k < w->waves.classes; k++) {
    const int rows = wave_coordinates(&w->waves.class[k]) * w->E;
    correction_waves_class(c, k, u, value, of_z, scratch, of_y);
    of_z += rows;
    of_y += rows;
  }
  correction_waves_back(w, work + c->width, y);
  add_rest(&w->waves, rest, (int)(bits[1] % (uint32_t)w->waves.ny), (int)(bits[2] % (uint32_t)w->waves.nz), bits[3] & 1,
           bits[3] & 2, y);
}

/* The leading coordinates of whole fields as white fields on a coarse lateral grid, for a network that convolves there.
 *
 * A mode has coordinates at wave numbers of one class, so that modes of all classes, taken together as a channel, are a
 * field over the lateral places; of independent coordinates it is white.  What channel a mode belongs to follows from
 * its shape: the modes V_c of a class are turned by the rotation that brings them nearest to those of the class with
 * the most, M (M^T M)^-1/2 with M = V_ref V_c^T.  Rotations keep the coordinates independent, and the rows orthonormal.
 */
#include "lateral.h"
#include "scoria/linalg.h"
#include <math.h>

#define SAME_PLACE 0.05 /* added to what modes of the same number have in common: decides where shapes do not */

static int modes_learned(const NormLateral norm, int c)
{
  int n = 0;
  while (n < norm->kept[c] && norm->place[norm->mode[c] + n] < norm->r) n++;
  return n;
}

static int largest_class(const NormLateral norm)
{
  int best = 0;
  for (int c = 1; c < norm->waves.classes; c++)
    if (modes_learned(norm, c) > modes_learned(norm, best)) best = c;
  return best;
}

/* Places along an axis that tell the wave numbers up to the largest that is learned. */
static void set_places(const NormLateral norm, NormLattice *lattice)
{
  int ky = 0, kz = 0;
  for (int c = 0; c < norm->waves.classes; c++)
    if (modes_learned(norm, c) > 0) {
      ky = PetscMax(ky, norm->waves.class[c].ky);
      kz = PetscMax(kz, norm->waves.class[c].kz);
    }
  lattice->ny = PetscMin(2 * ky + 1, norm->ny);
  lattice->nz = PetscMin(2 * kz + 1, norm->nz);
}

/* turn (channels, n): of the n modes learned of class c. */
static PetscErrorCode Turn(const NormLateral norm, int ref, int channels, int c, int n, double turn[])
{
  const double *of_ref = norm->V + (size_t)norm->mode[ref] * norm->E, *own = norm->V + (size_t)norm->mode[c] * norm->E;
  double *M, *gram, *root, *w;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc4(channels * n, &M, n * n, &gram, n * n, &root, n, &w));
  la_gemm(false, true, channels, n, norm->E, 1, of_ref, norm->E, own, norm->E, 0, M, n);
  for (int k = 0; k < n; k++) M[k * n + k] += SAME_PLACE;
  la_gemm(true, false, n, n, channels, 1, M, n, M, n, 0, gram, n);
  PetscCall(LinalgEigen(n, gram, w));
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      root[i * n + j] = 0;
      for (int k = 0; k < n; k++) root[i * n + j] += gram[k * n + i] * gram[k * n + j] / sqrt(w[k]);
    }
  la_gemm(false, false, channels, n, n, 1, M, n, root, n, 0, turn, n);
  PetscCall(PetscFree4(M, gram, root, w));
  PetscFunctionReturn(0);
}

/* Row (nz, ny, channels) of coordinate j of mode k of class c. */
static void fill_row(const WaveClass *c, int j, int n, int k, const double turn[], const NormLattice *lattice,
                     float row[])
{
  for (int z = 0; z < lattice->nz; z++)
    for (int y = 0; y < lattice->ny; y++) {
      const double value = wave_value(c, j, y, lattice->ny, z, lattice->nz);
      for (int p = 0; p < lattice->channels; p++) *row++ = (float)(value * turn[p * n + k]);
    }
}

void lateral_lattice_size(void *self, NormLattice *lattice)
{
  const NormLateral norm = self;
  *lattice               = (NormLattice){.channels = modes_learned(norm, largest_class(norm))};
  set_places(norm, lattice);
}

PetscErrorCode LateralLattice(void *self, NormLattice *lattice)
{
  const NormLateral norm = self;
  const Waves *w         = &norm->waves;
  const int ref          = largest_class(norm);
  double *turn;
  PetscFunctionBeginUser;
  lateral_lattice_size(self, lattice);
  const size_t row = (size_t)lattice->ny * (size_t)lattice->nz * (size_t)lattice->channels;
  PetscCall(PetscMalloc1((size_t)norm->r * (row + 1), &lattice->modes));
  lattice->deviation = lattice->modes + (size_t)norm->r * row;
  PetscCall(PetscMalloc1(lattice->channels * lattice->channels, &turn));
  for (int c = 0; c < w->classes; c++) {
    const int n = modes_learned(norm, c);
    if (n) PetscCall(Turn(norm, ref, lattice->channels, c, n, turn));
    for (int k = 0; k < n; k++)
      for (int j = 0; j < wave_coordinates(&w->class[c]); j++) {
        const int q = norm->mode[c] + k, at = norm->place[q] + j;
        fill_row(&w->class[c], j, n, k, turn, lattice, lattice -> modes + (size_t)at * row);
        lattice->deviation[at] = (float)sqrt(norm->lambda[q]);
      }
  }
  PetscCall(PetscFree(turn));
  PetscFunctionReturn(0);
}

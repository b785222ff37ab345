/* See token_lattice.h. */
#ifndef real
#include "token_lattice.h"
#include "packed.h"
#include <string.h>

/* A place beyond an end is one at the other. */
static int periodic(int at, int n)
{
  return (at % n + n) % n;
}

PetscErrorCode TokenLatticeCreate(int ny, int nz, int kernel, TokenLattice **lattice)
{
  const int ry = ny > 1 ? kernel / 2 : 0, rz = nz > 1 ? kernel / 2 : 0, wide = ny + 2 * ry;
  TokenLattice *l;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&l));
  l->tokens = wide * (nz + 2 * rz);
  l->places = ny * nz;
  l->taps   = (2 * ry + 1) * (2 * rz + 1);
  l->margin = rz * wide + ry;
  PetscCall(PetscMalloc4(l->places, &l->place, l->tokens, &l->to, l->tokens, &l->from, l->taps, &l->shift));
  for (int z = 0; z < nz; z++)
    for (int y = 0; y < ny; y++) l->place[z * ny + y] = (z + rz) * wide + y + ry;
  for (int t = 0; t < l->tokens; t++) {
    const int y = t % wide - ry, z = t / wide - rz;
    if (y >= 0 && y < ny && z >= 0 && z < nz) continue;
    l->to[l->halo]     = t;
    l->from[l->halo++] = l->place[periodic(z, nz) * ny + periodic(y, ny)];
  }
  for (int k = 0; k < l->taps; k++) l->shift[k] = (k / (2 * ry + 1) - rz) * wide + k % (2 * ry + 1) - ry;
  *lattice = l;
  PetscFunctionReturn(0);
}

PetscErrorCode TokenLatticeDestroy(TokenLattice **lattice)
{
  PetscFunctionBeginUser;
  if (*lattice) PetscCall(PetscFree4((*lattice)->place, (*lattice)->to, (*lattice)->from, (*lattice)->shift));
  PetscCall(PetscFree(*lattice));
  PetscFunctionReturn(0);
}

#define BODY "token_lattice.c"
#include "twice.h"
#else

static void K(copy_row)(int width, const real from[], real to[])
{
  memcpy(to, from, sizeof(real) * (size_t)width);
}

void K(lattice_wrap)(const TokenLattice *l, int B, int width, real rows[])
{
  for (int b = 0; b < B; b++, rows += l->tokens * width)
    for (int i = 0; i < l->halo; i++) K(copy_row)(width, rows + l->from[i] * width, rows + l->to[i] * width);
}

void K(lattice_fold)(const TokenLattice *l, int B, int width, real rows[])
{
  for (int b = 0; b < B; b++, rows += l->tokens * width)
    for (int i = 0; i < l->halo; i++) {
      real *halo = rows + l->to[i] * width, *place = rows + l->from[i] * width;
      for (int j = 0; j < width; j++) place[j] += halo[j];
      memset(halo, 0, sizeof(real) * (size_t)width);
    }
}

void K(lattice_put)(const TokenLattice *l, int B, int width, const real places[], real rows[])
{
  memset(rows, 0, sizeof(real) * (size_t)(B * l->tokens) * (size_t)width);
  for (int b = 0; b < B; b++, rows += l->tokens * width)
    for (int i = 0; i < l->places; i++, places += width) K(copy_row)(width, places, rows + l->place[i] * width);
}

void K(lattice_take)(const TokenLattice *l, int B, int width, const real rows[], real places[])
{
  for (int b = 0; b < B; b++, rows += l->tokens * width)
    for (int i = 0; i < l->places; i++, places += width) K(copy_row)(width, rows + l->place[i] * width, places);
}

/* Rows whose neighbours lie within the matrix: the first and the last are of halos. */
static int K(conv_rows)(const TokenLattice *l, int B)
{
  return B * l->tokens - 2 * l->margin;
}

void K(lattice_conv_forward)(const TokenLattice *l, real out[], bool add, const real in[], const real W[],
                             const uint16_t packed[], int B, int width)
{
  const int rows = K(conv_rows)(l, B);
  for (int k = 0; k < l->taps; k++) {
    const real *from = in + (l->margin + l->shift[k]) * width;
    real *to         = out + l->margin * width;
    if (sizeof(real) == sizeof(float) && packed)
      packed_product((float *)to, add || k > 0, (const float *)from, packed + (size_t)k * packed_size(width, width),
                     rows, width, width);
    else
      layers()->K(product)(to, add || k > 0, from, W + (size_t)k * (size_t)(width * width), rows, width, width);
  }
  K(lattice_wrap)(l, B, width, out);
}

void K(lattice_conv_backward)(const TokenLattice *l, real din[], real dW[], real keep, real dout[], const real in[],
                              const real transposed[], int B, int width)
{
  const int rows = K(conv_rows)(l, B);
  K(lattice_fold)(l, B, width, dout);
  memset(din, 0, sizeof(real) * (size_t)(B * l->tokens) * (size_t)width);
  for (int k = 0; k < l->taps; k++) {
    const int at     = (l->margin + l->shift[k]) * width;
    const size_t tap = (size_t)k * (size_t)(width * width);
    layers()->K(product)(din + at, true, dout + l->margin * width, transposed + tap, rows, width, width);
    layers()->K(product_of_tall)(dW + tap, keep, in + at, dout + l->margin * width, rows, width, width);
  }
}
#endif

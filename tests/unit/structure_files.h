/* A small structure of gray values, and files of it in every format that is read. */
#ifndef SCORIA_TESTS_STRUCTURE_FILES_H
#define SCORIA_TESTS_STRUCTURE_FILES_H

#include "verify/verify_electrode.h"
#include <hdf5.h>
#include <sys/stat.h>
#include <tiffio.h>
#include <unistd.h>

enum { NX = 24, NY = 18, NZ = 12, VOXELS = NX * NY * NZ };
#define VOXEL 1e-6

static unsigned char gray[NZ][NY][NX]; /* of a structure with correlations of some voxels */

static void make_structure(void)
{
  double noise[NZ + 4][NY + 4][NX + 4];
  for (int z = 0; z < NZ + 4; z++)
    for (int y = 0; y < NY + 4; y++)
      rng_uniform(5, SCORIA_STREAM_PROBE, (uint64_t)(z * 100 + y), 0, NX + 4, noise[z][y]);
  for (int z = 0; z < NZ; z++)
    for (int y = 0; y < NY; y++)
      for (int x = 0; x < NX; x++) {
        double sum = 0;
        for (int k = 0; k < 125; k++) sum += noise[z + k / 25][y + k / 5 % 5][x + k % 5] / 125;
        gray[z][y][x] = (unsigned char)(255 * (0.5 + 2 * (sum - 0.5) + 0.4 * (noise[z][y][x] - 0.5)));
      }
}

static void write_npy(const char *path, const char *type, size_t size, const void *numbers, size_t n, const char *shape)
{
  char header[128];
  FILE *out = fopen(path, "wb");
  assert_non_null(out);
  const int length =
      snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type, shape);
  const unsigned char head[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)length, 0};
  fwrite(head, 1, 10, out);
  fwrite(header, 1, (size_t)length, out);
  assert_int_equal(fwrite(numbers, size, n, out), n);
  fclose(out);
}

static void write_image(const char *path, const char *mode, int z, bool tiled)
{
  TIFF *tiff = TIFFOpen(path, mode);
  assert_non_null(tiff);
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, NX);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, NY);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 16);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_LZW);
  uint16_t tile[16 * 16];
  if (tiled) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, 16);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, 16);
    for (int y0 = 0; y0 < NY; y0 += 16)
      for (int x0 = 0; x0 < NX; x0 += 16) {
        for (int i = 0; i < 256; i++) {
          const int x = x0 + i % 16, y = y0 + i / 16;
          tile[i] = x < NX && y < NY ? gray[z][y][x] : 0;
        }
        TIFFWriteTile(tiff, tile, (uint32_t)x0, (uint32_t)y0, 0, 0);
      }
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 5);
    for (int y = 0; y < NY; y++) {
      uint16_t line[NX];
      for (int x = 0; x < NX; x++) line[x] = gray[z][y][x];
      TIFFWriteScanline(tiff, line, (uint32_t)y, 0);
    }
  }
  TIFFWriteDirectory(tiff);
  TIFFClose(tiff);
}

/* A header alone, of a page of 8 bits. */
static void write_claim(const char *path, uint32_t width, uint32_t height)
{
  static const uint16_t tag[] = {256, 257, 258, 259, 262, 273, 277, 278, 279};
  const uint32_t value[]      = {width, height, 8, 1, 1, 8, 1, height, 8};
  TIFF *tiff                  = TIFFOpen(path, "w"); /* for the byte order of this machine */
  assert_non_null(tiff);
  TIFFClose(tiff);
  FILE *out = fopen(path, "rb+");
  assert_non_null(out);
  const uint32_t first = 8, next = 0, one = 1;
  const uint16_t tags = 9, type = 4;
  fseek(out, 4, SEEK_SET);
  fwrite(&first, 4, 1, out);
  fwrite(&tags, 2, 1, out);
  for (int i = 0; i < 9; i++) {
    fwrite(&tag[i], 2, 1, out);
    fwrite(&type, 2, 1, out);
    fwrite(&one, 4, 1, out);
    fwrite(&value[i], 4, 1, out);
  }
  fwrite(&next, 4, 1, out);
  fclose(out);
}

static void write_hdf5(const char *path)
{
  static float numbers[NX][NZ][NY]; /* another order, and type */
  const hsize_t dims[3] = {NX, NZ, NY};
  for (int z = 0; z < NZ; z++)
    for (int y = 0; y < NY; y++)
      for (int x = 0; x < NX; x++) numbers[x][z][y] = gray[z][y][x];
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), space = H5Screate_simple(3, dims, NULL);
  const hid_t set = H5Dcreate2(file, "scan", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) >= 0);
  H5Dclose(set);
  H5Sclose(space);
  H5Fclose(file);
}

/* By rank 0; the others wait. */
static void write_all(void)
{
  int rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  make_structure();
  if (!rank) {
    char path[64];
    write_npy("scan.npy", "|u1", 1, gray, VOXELS, "12, 18, 24");
    write_hdf5("scan.h5");
    (void)mkdir("slices", 0777);
    (void)unlink("pages.tif");
    for (int z = 0; z < NZ; z++) {
      snprintf(path, sizeof path, "slices/slice%d.tif", z); /* 10 and 11 come last */
      write_image(path, "w", z, false);
      write_image("pages.tif", z ? "a" : "w", z, true);
    }
    (void)mkdir("several", 0777);
    for (int i = 0; i < 4; i++) write_image(i / 2 ? "several/2.tif" : "several/1.tif", i % 2 ? "a" : "w", i, false);
    write_npy("negative.npy", "|u1", 1, gray, VOXELS, "-12, -18, 24");
    write_claim("claim.tif", INT32_MAX, 1 << 30);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
}

#endif

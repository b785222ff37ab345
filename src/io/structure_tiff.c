/* TIFF images by libtiff: the pages of a file, or the files of a directory in the order of their names.  Samples are
 * taken as they are: integers or reals, one a pixel. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strverscmp */
#endif
#include "structure.h"
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

typedef struct {
  int files;
  char **path; /* owned: of the images, or of the one file that holds them as its pages */
  TIFF *open;  /* owned: that of `at` */
  int at;
  int64_t page; /* of a file of several */
  uint16_t bits, format;
  unsigned char *line; /* owned: scanlines, or a tile */
  tmsize_t room;
} Tiff;

static char tiff_said[200]; /* the library's reason of the last trouble */

static void keep_reason(const char *module, const char *format, va_list args)
{
  (void)module;
  vsnprintf(tiff_said, sizeof tiff_said, format, args);
}

/* ----------------------------------------------------------------------------------------------- stacks ---- */

static bool is_tiff_name(const char *name)
{
  const char *dot = strrchr(name, '.');
  return dot && *name != '.' && (!strcasecmp(dot, ".tif") || !strcasecmp(dot, ".tiff"));
}

static int choose(const struct dirent *entry)
{
  return is_tiff_name(entry->d_name);
}

/* slice9 before slice10 */
static int by_name(const struct dirent **a, const struct dirent **b)
{
  return strverscmp((*a)->d_name, (*b)->d_name);
}

PetscErrorCode StackList(const char *directory, int *n, char ***paths)
{
  struct dirent **entry = NULL;
  PetscFunctionBeginUser;
  *n     = scandir(directory, &entry, choose, by_name);
  *n     = PetscMax(*n, 0);
  *paths = NULL;
  PetscCall(PetscCalloc1(PetscMax(*n, 1), paths));
  for (int i = 0; i < *n; i++) {
    char path[PETSC_MAX_PATH_LEN];
    PetscCall(PetscSNPrintf(path, sizeof path, "%s/%s", directory, entry[i]->d_name));
    PetscCall(PetscStrallocpy(path, &(*paths)[i]));
    free(entry[i]);
  }
  free(entry);
  PetscFunctionReturn(0);
}

PetscErrorCode StackFree(int n, char ***paths)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < n; i++) PetscCall(PetscFree((*paths)[i]));
  PetscCall(PetscFree(*paths));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ images ---- */

static bool is_tiff(const unsigned char head[], size_t n)
{
  static const char magic[][4] = {{'I', 'I', 42, 0}, {'M', 'M', 0, 42}, {'I', 'I', 43, 0}, {'M', 'M', 0, 43}};
  for (size_t i = 0; i < sizeof magic / sizeof *magic; i++)
    if (n >= 4 && !memcmp(head, magic[i], 4)) return true;
  return false;
}

/* Image `index` of the stack is the current one of t->open. */
static bool go_to(Tiff *t, int64_t index)
{
  const int file = t->files > 1 ? (int)index : 0;
  tiff_said[0]   = 0;
  if (!t->open || t->at != file) {
    if (t->open) TIFFClose(t->open);
    t->open = TIFFOpen(t->path[file], "r");
    t->at   = file;
    t->page = 0;
  }
  if (!t->open) return false;
  if (t->files > 1 || t->page == index) return true;
  const bool there = index == t->page + 1 ? TIFFReadDirectory(t->open) : TIFFSetDirectory(t->open, (tdir_t)index);
  t->page          = index;
  return there;
}

/* Width and height of the current image, of samples that are read; false where they are not. */
static bool current_shape(Tiff *t, int64_t *width, int64_t *height)
{
  uint32_t w = 0, h = 0;
  uint16_t samples = 1;
  TIFFGetField(t->open, TIFFTAG_IMAGEWIDTH, &w);
  TIFFGetField(t->open, TIFFTAG_IMAGELENGTH, &h);
  TIFFGetFieldDefaulted(t->open, TIFFTAG_BITSPERSAMPLE, &t->bits);
  TIFFGetFieldDefaulted(t->open, TIFFTAG_SAMPLESPERPIXEL, &samples);
  if (!TIFFGetField(t->open, TIFFTAG_SAMPLEFORMAT, &t->format)) t->format = SAMPLEFORMAT_UINT;
  *width  = w;
  *height = h;
  if (samples != 1 || w == 0 || h == 0) return false;
  if (t->format == SAMPLEFORMAT_IEEEFP) return t->bits == 32 || t->bits == 64;
  return (t->format == SAMPLEFORMAT_UINT || t->format == SAMPLEFORMAT_INT) &&
         (t->bits == 1 || t->bits == 8 || t->bits == 16 || t->bits == 32);
}

static void note_image(const Tiff *t, int64_t index, const char *what, ScoriaTrouble *bad)
{
  trouble_note(bad, SCORIA_EXIT_INPUT, "image %lld (%s): %s%s%s", (long long)index + 1, t->path[t->at], what,
               *tiff_said ? ": " : "", tiff_said);
}

static PetscErrorCode CloseTiff(void *ctx)
{
  Tiff *t = ctx;
  PetscFunctionBeginUser;
  if (t->open) TIFFClose(t->open);
  PetscCall(PetscFree(t->line));
  PetscCall(StackFree(t->files, &t->path));
  PetscCall(PetscFree(t));
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenTiff(const char *path, const char *array, StructureShape *shape, void **ctx,
                               ScoriaTrouble *bad)
{
  int64_t width = 0, height = 0;
  Tiff *t;
  PetscFunctionBeginUser;
  (void)array;
  PetscCall(PetscNew(&t));
  *ctx = t;
  TIFFSetErrorHandler(keep_reason);
  TIFFSetWarningHandler(NULL);
  PetscCall(StackList(path, &t->files, &t->path));
  if (t->files == 0) { /* no directory, or one without images */
    PetscCall(StackFree(0, &t->path));
    PetscCall(PetscCalloc1(1, &t->path));
    PetscCall(PetscStrallocpy(path, &t->path[0]));
    t->files = 1;
  }
  if (!go_to(t, 0))
    trouble_note(bad, SCORIA_EXIT_INPUT, "holds no TIFF image that can be read%s%s", *tiff_said ? ": " : "", tiff_said);
  else if (!current_shape(t, &width, &height))
    note_image(t, 0, "of samples that are not read, expected one integer or real a pixel", bad);
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  tiff_said[0]        = 0;
  const int64_t pages = t->files > 1 ? t->files : (int64_t)TIFFNumberOfDirectories(t->open);
  if (*tiff_said) /* it counts as far as it can read */
    trouble_note(bad, SCORIA_EXIT_INPUT, "cut short or damaged behind image %lld: %s", (long long)pages, tiff_said);
  else if (t->files == 1 && !TIFFSetDirectory(t->open, 0))
    note_image(t, 0, "cannot be read", bad);
  *shape = (StructureShape){.rank = 3, .dims = {pages, height, width}, .images = true};
  PetscFunctionReturn(0);
}

#define SAMPLE(type)                                                                                                   \
  do {                                                                                                                 \
    type value_;                                                                                                       \
    memcpy(&value_, line + i * sizeof value_, sizeof value_);                                                          \
    return (double)value_;                                                                                             \
  } while (0)

/* Sample i of a line, in the machine's byte order as libtiff gives it. */
static double sample(const Tiff *t, const unsigned char *line, size_t i)
{
  const bool is_signed = t->format == SAMPLEFORMAT_INT;
  if (t->format == SAMPLEFORMAT_IEEEFP) {
    if (t->bits == 32) SAMPLE(float);
    SAMPLE(double);
  }
  switch (t->bits) {
  case 1:
    return line[i / 8] >> (7 - i % 8) & 1;
  case 8:
    return is_signed ? (double)(int8_t)line[i] : line[i];
  case 16:
    if (is_signed) SAMPLE(int16_t);
    SAMPLE(uint16_t);
  default:
    if (is_signed) SAMPLE(int32_t);
    SAMPLE(uint32_t);
  }
}

static PetscErrorCode Reserve(Tiff *t, tmsize_t room)
{
  PetscFunctionBeginUser;
  if (room <= t->room) PetscFunctionReturn(0);
  PetscCall(PetscFree(t->line));
  PetscCall(PetscMalloc1(room, &t->line));
  t->room = room;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadLines(Tiff *t, int64_t width, int64_t height, double values[], bool *read)
{
  PetscFunctionBeginUser;
  PetscCall(Reserve(t, TIFFScanlineSize(t->open)));
  for (int64_t y = 0; y < height && *read; y++) {
    *read = TIFFReadScanline(t->open, t->line, (uint32_t)y, 0) == 1;
    for (int64_t x = 0; x < width && *read; x++) values[y * width + x] = sample(t, t->line, (size_t)x);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadTiles(Tiff *t, int64_t width, int64_t height, double values[], bool *read)
{
  uint32_t across = 1, down = 1;
  PetscFunctionBeginUser;
  TIFFGetField(t->open, TIFFTAG_TILEWIDTH, &across);
  TIFFGetField(t->open, TIFFTAG_TILELENGTH, &down);
  PetscCall(Reserve(t, TIFFTileSize(t->open)));
  const tmsize_t row = TIFFTileRowSize(t->open);
  for (int64_t y0 = 0; y0 < height && *read; y0 += down)
    for (int64_t x0 = 0; x0 < width && *read; x0 += across) {
      *read = TIFFReadTile(t->open, t->line, (uint32_t)x0, (uint32_t)y0, 0, 0) > 0;
      for (int64_t y = y0; y < PetscMin(height, y0 + down) && *read; y++)
        for (int64_t x = x0; x < PetscMin(width, x0 + across); x++)
          values[y * width + x] = sample(t, t->line + (y - y0) * row, (size_t)(x - x0));
    }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadImage(Tiff *t, int64_t index, int64_t width, int64_t height, double values[],
                                ScoriaTrouble *bad)
{
  int64_t w = 0, h = 0;
  bool read = true;
  PetscFunctionBeginUser;
  if (!go_to(t, index)) {
    note_image(t, index, "cannot be read", bad);
    PetscFunctionReturn(0);
  }
  if (t->files > 1 && !TIFFLastDirectory(t->open)) {
    note_image(t, index, "holds more than one image, expected one in each file of a directory", bad);
    PetscFunctionReturn(0);
  }
  if (!current_shape(t, &w, &h) || w != width || h != height) {
    char line[160];
    snprintf(line, sizeof line, "found %lld x %lld pixels, expected %lld x %lld of one sample", (long long)w,
             (long long)h, (long long)width, (long long)height);
    note_image(t, index, line, bad);
    PetscFunctionReturn(0);
  }
  if (TIFFIsTiled(t->open))
    PetscCall(ReadTiles(t, width, height, values, &read));
  else
    PetscCall(ReadLines(t, width, height, values, &read));
  if (!read) note_image(t, index, "cannot be read", bad);
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadTiff(void *ctx, const StructureShape *shape, int64_t index, double values[],
                               ScoriaTrouble *bad)
{
  PetscFunctionBeginUser;
  PetscCall(ReadImage(ctx, index, shape->dims[2], shape->dims[1], values, bad));
  PetscFunctionReturn(0);
}

const StructureFormat structure_tiff = {"TIFF", is_tiff, OpenTiff, ReadTiff, CloseTiff};

/* Arrays of NumPy's format, version 1 to 3: magic \x93NUMPY, version, length of the header, the header (a Python
 * dictionary of descr, fortran_order and shape), the numbers. */
#include "structure.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_MOST 4096 /* bytes: four lengths take a hundred */

typedef struct {
  FILE *in;      /* owned */
  int64_t begin; /* of the numbers in the file */
  char kind;     /* b u i f */
  int size;      /* bytes of a number */
  bool swap;
  unsigned char *bytes; /* owned: of a slab */
} Npy;

static bool is_npy(const unsigned char head[], size_t n)
{
  return n >= 6 && !memcmp(head, "\x93NUMPY", 6);
}

/* What follows a key of the dictionary; NULL: it is not there. */
static const char *value_of(const char *header, const char *key)
{
  const char *at = strstr(header, key);
  if (!at) return NULL;
  at += strlen(key);
  while (*at && (isspace((unsigned char)*at) || *at == ':')) at++;
  return at;
}

/* "<f8", "|u1" */
static bool read_type(const char *at, Npy *npy)
{
  const uint16_t one = 1;
  const bool little  = *(const unsigned char *)&one == 1;
  if (!at || (*at != '\'' && *at != '"')) return false;
  const char order = at[1];
  npy->kind        = at[2];
  npy->size        = atoi(at + 3);
  npy->swap        = npy->size > 1 && (order == '>' ? little : order == '<' ? !little : false);
  if (npy->kind == 'f') return npy->size == 4 || npy->size == 8;
  if (npy->kind == 'b') return npy->size == 1;
  return (npy->kind == 'u' || npy->kind == 'i') &&
         (npy->size == 1 || npy->size == 2 || npy->size == 4 || npy->size == 8);
}

/* "(3, 4)" */
static bool read_shape(const char *at, StructureShape *shape)
{
  if (!at || *at++ != '(') return false;
  for (shape->rank = 0;;) {
    char *end;
    while (isspace((unsigned char)*at) || *at == ',') at++;
    if (*at == ')') return shape->rank > 0;
    if (shape->rank == SCORIA_STRUCTURE_RANK) return false;
    shape->dims[shape->rank++] = strtoll(at, &end, 10);
    if (end == at) return false;
    at = end;
  }
}

static void read_header(const char *header, StructureShape *shape, Npy *npy, ScoriaTrouble *bad)
{
  const char *order = value_of(header, "'fortran_order'");
  if (!read_type(value_of(header, "'descr'"), npy))
    trouble_note(bad, SCORIA_EXIT_INPUT,
                 "numbers of a type that is not read, expected integers or reals of 8 to 64 "
                 "bits (header: %.120s)",
                 header);
  else if (!order || strncmp(order, "False", 5))
    trouble_note(bad, SCORIA_EXIT_INPUT, "in Fortran's order, expected C's: save numpy.ascontiguousarray of it");
  else if (!read_shape(value_of(header, "'shape'"), shape))
    trouble_note(bad, SCORIA_EXIT_INPUT, "has a shape that is not read, expected 1 to %d axes (header: %.120s)",
                 SCORIA_STRUCTURE_RANK, header);
}

/* The header, and where the numbers begin. */
static void find_header(Npy *npy, size_t size, char header[], ScoriaTrouble *bad)
{
  unsigned char head[12];
  size_t length = 0;
  header[0]     = 0;
  if (fread(head, 1, 10, npy->in) == 10) {
    length     = head[8] + 256u * head[9];
    npy->begin = 10;
    if (head[6] > 1) {
      if (fread(head + 10, 1, 2, npy->in) != 2) length = 0;
      length += 65536u * head[10] + 16777216u * head[11];
      npy->begin = 12;
    }
  }
  if (length == 0 || length >= size || fread(header, 1, length, npy->in) != length)
    trouble_note(bad, SCORIA_EXIT_INPUT, "its header is damaged or cut short");
  else
    header[length] = 0;
  npy->begin += (int64_t)length;
}

/* The lengths of a header are the file's own claim. */
static void check_length(const StructureShape *shape, const Npy *npy, int64_t size, ScoriaTrouble *bad)
{
  double values = 1;
  structure_check_lengths(shape, bad);
  if (bad->code != SCORIA_EXIT_OK) return;
  for (int a = 0; a < shape->rank; a++) values *= (double)shape->dims[a];
  if ((double)(size - npy->begin) < values * npy->size)
    trouble_note(bad, SCORIA_EXIT_INPUT, "has %lld bytes, expected %.0f numbers of %d bytes behind a header of %lld",
                 (long long)size, values, npy->size, (long long)npy->begin);
}

static PetscErrorCode CloseNpy(void *ctx)
{
  Npy *npy = ctx;
  PetscFunctionBeginUser;
  if (npy->in) fclose(npy->in);
  PetscCall(PetscFree(npy->bytes));
  PetscCall(PetscFree(npy));
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenNpy(const char *path, const char *array, StructureShape *shape, void **ctx,
                              ScoriaTrouble *bad)
{
  char header[HEADER_MOST];
  int64_t size;
  Npy *npy;
  PetscFunctionBeginUser;
  (void)array;
  PetscCall(PetscNew(&npy));
  *ctx = npy;
  PetscCall(FileProbe(path, "a NumPy array", &size, bad));
  npy->in = fopen(path, "rb");
  if (!npy->in) trouble_note(bad, SCORIA_EXIT_INPUT, "cannot be read: %s", strerror(errno));
  if (bad->code == SCORIA_EXIT_OK) find_header(npy, sizeof header, header, bad);
  if (bad->code == SCORIA_EXIT_OK) read_header(header, shape, npy, bad);
  check_length(shape, npy, size, bad);
  if (bad->code == SCORIA_EXIT_OK) {
    const int64_t values = shape->rank > 1 ? slab_values(shape) : shape->dims[0];
    PetscCall(PetscMalloc1((size_t)values * (size_t)npy->size, &npy->bytes));
  }
  PetscFunctionReturn(0);
}

#define DECODE(type)                                                                                                   \
  do {                                                                                                                 \
    type value_;                                                                                                       \
    memcpy(&value_, at, sizeof value_);                                                                                \
    return (double)value_;                                                                                             \
  } while (0)

/* A number of the machine's own byte order. */
static double decode(const Npy *npy, const unsigned char *at)
{
  switch (npy->kind * 16 + npy->size) {
  case 'f' * 16 + 4:
    DECODE(float);
  case 'f' * 16 + 8:
    DECODE(double);
  case 'i' * 16 + 1:
    DECODE(int8_t);
  case 'i' * 16 + 2:
    DECODE(int16_t);
  case 'i' * 16 + 4:
    DECODE(int32_t);
  case 'i' * 16 + 8:
    DECODE(int64_t);
  case 'u' * 16 + 2:
    DECODE(uint16_t);
  case 'u' * 16 + 4:
    DECODE(uint32_t);
  case 'u' * 16 + 8:
    DECODE(uint64_t);
  default: /* a byte, or a truth value */
    return *at;
  }
}

static PetscErrorCode ReadNpy(void *ctx, const StructureShape *shape, int64_t index, double values[],
                              ScoriaTrouble *bad)
{
  Npy *npy           = ctx;
  const int64_t n    = slab_values(shape);
  const size_t bytes = (size_t)n * (size_t)npy->size;
  PetscFunctionBeginUser;
  if (fseeko(npy->in, (off_t)(npy->begin + index * (int64_t)bytes), SEEK_SET) ||
      fread(npy->bytes, 1, bytes, npy->in) != bytes) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "cannot be read from slab %lld on", (long long)index);
    PetscFunctionReturn(0);
  }
  for (int64_t i = 0; i < n; i++) {
    unsigned char *at = npy->bytes + i * npy->size;
    for (int b = 0; npy->swap && b < npy->size / 2; b++) {
      const unsigned char kept = at[b];
      at[b]                    = at[npy->size - 1 - b];
      at[npy->size - 1 - b]    = kept;
    }
    values[i] = decode(npy, at);
  }
  PetscFunctionReturn(0);
}

const StructureFormat structure_npy = {"NPY", is_npy, OpenNpy, ReadNpy, CloseNpy};

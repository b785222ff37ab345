/* Edits of a file of ours.  An input is read as a sequence of edits, one byte for what to do and the next ones for what
 * to do it with; bytes that are missing are zeros.  Whatever is written goes through HDF5, which keeps its own
 * checksums, and an array's CRC32C is set right; flipped bytes come last, and no checksum knows of them. */
#include "fuzz.h"
#include "io/private.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAMES = 128, MAX_EDITS = 12, MAX_FLIPS = 8, MOST_STORED = 4096, ATTRIBUTE_BYTES = 4096 };

typedef struct {
  char object[64], attribute[64]; /* of an array, attribute is empty */
} Name;

struct FuzzBase_ {
  unsigned char *bytes;
  size_t size;
  Name array[MAX_NAMES], attribute[MAX_NAMES];
  int arrays, attributes;
};

/* --------------------------------------------------------------------------------------------------- the base ---- */

static herr_t note_attribute(hid_t object, const char *name, const H5A_info_t *info, void *ctx)
{
  FuzzBase base = ctx;
  (void)info;
  if (base->attributes == MAX_NAMES) return 1;
  Name *to = &base->attribute[base->attributes++];
  H5Iget_name(object, to->object, sizeof to->object);
  snprintf(to->attribute, sizeof to->attribute, "%s", name);
  return 0;
}

static herr_t note_object(hid_t file, const char *name, const H5O_info_t *info, void *ctx)
{
  FuzzBase base      = ctx;
  const hid_t object = H5Oopen(file, name, H5P_DEFAULT);
  if (info->type == H5O_TYPE_DATASET && base->arrays < MAX_NAMES)
    snprintf(base->array[base->arrays++].object, sizeof base->array[0].object, "/%s", name);
  H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, note_attribute, base);
  H5Oclose(object);
  return 0;
}

FuzzBase fuzz_base_read(const char *path)
{
  FuzzBase base    = calloc(1, sizeof *base);
  FILE *in         = fopen(path, "rb");
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (!base || !in || file < 0) abort();
  H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, note_object, base);
  H5Fclose(file);
  fseek(in, 0, SEEK_END);
  base->size  = (size_t)ftell(in);
  base->bytes = malloc(base->size);
  rewind(in);
  if (!base->arrays || !base->attributes || fread(base->bytes, 1, base->size, in) != base->size) abort();
  fclose(in);
  return base;
}

/* -------------------------------------------------------------------------------------------------- the input ---- */

typedef struct {
  const uint8_t *at;
  size_t left;
} Input;

static uint64_t take(Input *in, size_t bytes)
{
  uint64_t value = 0;
  for (size_t i = 0; i < bytes && in->left; i++, in->at++, in->left--) value |= (uint64_t)*in->at << (8 * i);
  return value;
}

/* A dimension in one byte: small, or a power of two up to 2^62. */
static hsize_t take_dimension(Input *in)
{
  const unsigned b = (unsigned)take(in, 1);
  return b < 192 ? b : (hsize_t)1 << (b - 192);
}

/* ------------------------------------------------------------------------------------------------- attributes ---- */

static void put_attribute(hid_t object, const char *name, hid_t type, hid_t space, const void *value)
{
  if (H5Aexists(object, name) > 0) H5Adelete(object, name);
  const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute >= 0) {
    H5Awrite(attribute, type, value);
    H5Aclose(attribute);
  }
}

static void put_scalar(hid_t object, const char *name, hid_t type, const void *value)
{
  const hid_t space = H5Screate(H5S_SCALAR);
  put_attribute(object, name, type, space, value);
  H5Sclose(space);
}

static void edit_text(hid_t object, const char *name, Input *in)
{
  char text[256]      = "";
  const size_t length = (size_t)take(in, 1);
  const hid_t type    = H5Tcopy(H5T_C_S1);
  for (size_t i = 0; i < length; i++) text[i] = (char)take(in, 1);
  H5Tset_size(type, length ? length : 1);
  put_scalar(object, name, type, text);
  H5Tclose(type);
}

typedef enum { PUT_INT, PUT_REAL, PUT_TEXT, PUT_LIST, DROP } AttributeEdit;

static void edit_attribute(FuzzBase base, hid_t file, AttributeEdit what, Input *in)
{
  const Name *name      = &base->attribute[take(in, 1) % (unsigned)base->attributes];
  const hid_t object    = H5Oopen(file, name->object, H5P_DEFAULT);
  const hsize_t some    = 3;
  const int64_t list[3] = {1, 2, 3};
  if (object < 0) return; /* an edit before has taken it away */
  if (what == PUT_TEXT) {
    edit_text(object, name->attribute, in);
  } else if (what == PUT_LIST) {
    const hid_t space = H5Screate_simple(1, &some, NULL);
    put_attribute(object, name->attribute, H5T_STD_I64LE, space, list);
    H5Sclose(space);
  } else if (what == DROP) {
    H5Adelete(object, name->attribute);
  } else {
    const uint64_t value = take(in, 8);
    put_scalar(object, name->attribute, what == PUT_INT ? H5T_STD_I64LE : H5T_IEEE_F64LE, &value);
  }
  H5Oclose(object);
}

/* ----------------------------------------------------------------------------------------------------- arrays ---- */

static herr_t copy_attribute(hid_t from, const char *name, const H5A_info_t *info, void *ctx)
{
  const hid_t to = *(hid_t *)ctx, attribute = H5Aopen(from, name, H5P_DEFAULT);
  const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  static unsigned char value[ATTRIBUTE_BYTES];
  if (info->data_size <= sizeof value && H5Aread(attribute, type, value) >= 0)
    put_attribute(to, name, type, space, value);
  H5Sclose(space);
  H5Tclose(type);
  H5Aclose(attribute);
  return 0;
}

/* Puts an array of other shape and type, of zeros, in the place of one.  What is too large to be stored is chunked,
 * with no chunk written: such a file is small and may say any size. */
static void reshape(hid_t file, const char *name, Input *in)
{
  const hid_t type   = type_of((ScoriaType)(take(in, 1) % (IO_F8 + 1)));
  const int rank     = (int)(take(in, 1) % 5);
  const hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
  const hid_t old    = H5Dopen2(file, name, H5P_DEFAULT);
  hsize_t dims[4], chunk[4] = {1, 1, 1, 1};
  double count = 1;
  static const unsigned char zeros[8 * MOST_STORED];
  for (int i = 0; i < rank; i++) count *= (double)(dims[i] = take_dimension(in));
  if (count > MOST_STORED) H5Pset_chunk(layout, rank, chunk);
  const hid_t space = H5Screate_simple(rank, dims, NULL);
  hid_t made        = H5Dcreate2(file, "/new", type, space, H5P_DEFAULT, layout, H5P_DEFAULT);
  if (made >= 0 && old >= 0) {
    const uint32_t crc = count > MOST_STORED ? 0 : crc32c(0, zeros, (size_t)count * H5Tget_size(type));
    H5Aiterate2(old, H5_INDEX_NAME, H5_ITER_INC, NULL, copy_attribute, &made);
    if (count <= MOST_STORED) H5Dwrite(made, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros);
    put_scalar(made, "crc32c", H5T_STD_U32LE, &crc);
    H5Ldelete(file, name, H5P_DEFAULT);
    H5Lmove(file, "/new", file, name, H5P_DEFAULT, H5P_DEFAULT);
  }
  if (made >= 0) H5Dclose(made);
  if (old >= 0) H5Dclose(old);
  H5Sclose(space);
  H5Pclose(layout);
}

/* Gives one element other bytes, and the array its CRC. */
static void edit_element(hid_t file, const char *name, Input *in)
{
  static unsigned char data[8 * MOST_STORED];
  const uint64_t element = take(in, 2), value = take(in, 8);
  const hid_t array = H5Dopen2(file, name, H5P_DEFAULT);
  if (array < 0) return;
  const hid_t type = H5Dget_type(array), space = H5Dget_space(array);
  const size_t size = H5Tget_size(type), count = (size_t)H5Sget_simple_extent_npoints(space);
  if (count && count <= MOST_STORED && size <= 8 && H5Dread(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0) {
    memcpy(data + element % count * size, &value, size);
    H5Dwrite(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    const uint32_t crc = crc32c(0, data, count * size);
    if (H5Aexists(array, "crc32c") > 0) put_scalar(array, "crc32c", H5T_STD_U32LE, &crc);
  }
  H5Sclose(space);
  H5Tclose(type);
  H5Dclose(array);
}

typedef enum { RESHAPE, ELEMENT, REMOVE, TO_GROUP } ArrayEdit;

static void edit_array(FuzzBase base, hid_t file, ArrayEdit what, Input *in)
{
  const char *name = base->array[take(in, 1) % (unsigned)base->arrays].object;
  if (H5Oexists_by_name(file, name, H5P_DEFAULT) <= 0) return;
  if (what == RESHAPE) reshape(file, name, in);
  if (what == ELEMENT) edit_element(file, name, in);
  if (what == REMOVE || what == TO_GROUP) H5Ldelete(file, name, H5P_DEFAULT);
  if (what == TO_GROUP) H5Gclose(H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
}

/* ---------------------------------------------------------------------------------------------------- the file ---- */

typedef struct {
  size_t at;
  unsigned char mask;
} Flip;

static void flip_bytes(const char *path, int flips, const Flip flip[])
{
  FILE *file = fopen(path, "r+b");
  if (!file) abort();
  for (int i = 0; i < flips; i++) {
    fseek(file, (long)flip[i].at, SEEK_SET);
    const int byte = fgetc(file);
    fseek(file, (long)flip[i].at, SEEK_SET);
    if (byte != EOF) fputc(byte ^ flip[i].mask, file);
  }
  if (fclose(file)) abort();
}

/* A loader that fails leaves its file open, to a program that is about to end; this one goes on. */
static void close_left_open(void)
{
  hid_t file[16];
  const ssize_t n = H5Fget_obj_ids((hid_t)H5F_OBJ_ALL, H5F_OBJ_FILE, 16, file);
  for (ssize_t i = 0; i < n && i < 16; i++) H5Fclose(file[i]);
}

void fuzz_write_edited(FuzzBase base, const char *path, const uint8_t *data, size_t size)
{
  Flip flip[MAX_FLIPS];
  int flips = 0;
  Input in  = {data, size};
  hid_t access;
  close_left_open();
  fuzz_write(path, base->bytes, base->size);
  if (!size) return;
  MUST(FileAccess(MPI_COMM_NULL, &access));
  const hid_t file = H5Fopen(path, H5F_ACC_RDWR, access);
  if (file < 0) abort();
  for (int i = 0; i < MAX_EDITS && in.left; i++) {
    const unsigned what = (unsigned)take(&in, 1) % 10;
    if (what <= DROP)
      edit_attribute(base, file, (AttributeEdit)what, &in);
    else if (what < 9)
      edit_array(base, file, (ArrayEdit)(what - DROP - 1), &in);
    else if (flips < MAX_FLIPS)
      flip[flips++] = (Flip){(size_t)take(&in, 3) % base->size, (unsigned char)take(&in, 1)};
  }
  H5Fclose(file);
  H5Pclose(access);
  if (flips) flip_bytes(path, flips, flip);
}

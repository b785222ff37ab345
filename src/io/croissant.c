/* croissant.json: what a run directory holds, as a Croissant 1.1 description (JSON-LD, mlcommons.org/croissant).  The
 * files are those of the manifest; their arrays are described by what the files say of themselves.  Checksums stay in
 * the manifest: Croissant has SHA-256 and MD5 only, which cannot be joined from shares of a file, but leaves them out
 * of a live data set, and a run directory is one, since every command adds to it. */
#include "private.h"
#include "scoria/run_files.h"
#include <cJSON.h>
#include <ctype.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFORMS_TO "http://mlcommons.org/croissant/1.1"

/* The context that the specification asks for, word for word. */
static const char context_text[] =
    "{\"@language\":\"en\",\"@vocab\":\"https://schema.org/"
    "\",\"arrayShape\":\"cr:arrayShape\",\"citeAs\":\"cr:citeAs\","
    "\"column\":\"cr:column\",\"conformsTo\":\"dct:conformsTo\",\"containedIn\":\"cr:containedIn\","
    "\"cr\":\"http://mlcommons.org/croissant/\",\"rai\":\"http://mlcommons.org/croissant/RAI/\","
    "\"data\":{\"@id\":\"cr:data\",\"@type\":\"@json\"},\"dataType\":{\"@id\":\"cr:dataType\",\"@type\":\"@vocab\"},"
    "\"dct\":\"http://purl.org/dc/terms/\",\"description\":{\"@container\":\"@language\"},"
    "\"equivalentProperty\":\"cr:equivalentProperty\",\"examples\":{\"@id\":\"cr:examples\",\"@type\":\"@json\"},"
    "\"extract\":\"cr:extract\",\"field\":\"cr:field\",\"fileProperty\":\"cr:fileProperty\","
    "\"fileObject\":\"cr:fileObject\",\"fileSet\":\"cr:fileSet\",\"format\":\"cr:format\",\"includes\":\"cr:includes\","
    "\"isArray\":\"cr:isArray\",\"isLiveDataset\":\"cr:isLiveDataset\",\"jsonPath\":\"cr:jsonPath\",\"key\":\"cr:key\","
    "\"md5\":\"cr:md5\",\"name\":{\"@container\":\"@language\"},\"parentField\":\"cr:parentField\",\"path\":\"cr:"
    "path\","
    "\"recordSet\":\"cr:recordSet\",\"references\":\"cr:references\",\"regex\":\"cr:regex\",\"repeated\":\"cr:"
    "repeated\","
    "\"replace\":\"cr:replace\",\"samplingRate\":\"cr:samplingRate\",\"sc\":\"https://schema.org/\","
    "\"separator\":\"cr:separator\",\"source\":\"cr:source\",\"subField\":\"cr:subField\",\"transform\":\"cr:"
    "transform\"}";

static const char described[] =
    "Fields over random porosities and operating conditions, with the models and statistics made of them, by scoria; "
    "deck, seed and versions are in every HDF5 file, lengths and checksums in manifest.json.";

/* ----------------------------------------------------------------------------------------------------- arrays ---- */

#define MARKED_SIZE (3 * PETSC_MAX_PATH_LEN)

/* A name of a file with all bytes but letters, digits and "._-/" in hexadecimal after a mark: '%' makes a URL of it.
 * In an identifier, the format's readers refuse spaces that are written so, too; '~' makes one. */
static const char *marked(const char *name, char mark, char text[MARKED_SIZE])
{
  size_t n = 0;

  for (const unsigned char *c = (const unsigned char *)name; *c && n + 4 <= MARKED_SIZE; c++) {
    if ((*c < 128 && isalnum(*c)) || strchr("._-/", *c))
      text[n++] = (char)*c;
    else
      n += (size_t)snprintf(text + n, MARKED_SIZE - n, "%c%02X", mark, *c);
  }
  text[n] = 0;
  return text;
}

/* What the visit of a file's arrays gathers. */
typedef struct {
  const char *file; /* its identifier */
  ScoriaTrouble *bad;
  PetscErrorCode failed; /* a defect met during the visit */
  cJSON *sets;           /* array of the file's record sets, one for each first axis */
} Visit;

static cJSON *new_node(const char *type, const char *id, const char *name)
{
  cJSON *node = cJSON_CreateObject();

  cJSON_AddStringToObject(node, "@type", type);
  cJSON_AddStringToObject(node, "@id", id);
  cJSON_AddStringToObject(node, "name", name);
  return node;
}

/* The fields of the record set of an axis, which is made where it is not there yet. */
static cJSON *fields_along(cJSON *sets, const char *file, const char *axis)
{
  char id[MARKED_SIZE + SCORIA_LIST_SIZE + 2], text[SCORIA_LIST_SIZE + 64];
  cJSON *set;

  snprintf(id, sizeof id, "%s/%s", file, axis);
  cJSON_ArrayForEach(set, sets)
  {
    if (!strcmp(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(set, "@id")), id))
      return cJSON_GetObjectItemCaseSensitive(set, "field");
  }
  set = new_node("cr:RecordSet", id, id);
  snprintf(text, sizeof text, "Arrays along %s, one record for each of it", axis);
  cJSON_AddStringToObject(set, "description", text);
  cJSON_AddItemToArray(sets, set);
  return cJSON_AddArrayToObject(set, "field");
}

/* The values of one record: a number, or an array of the further dimensions. */
static void add_type(cJSON *field, int rank, const int64_t dims[], ScoriaType type)
{
  static const char *const names[] = {
      [IO_U1] = "cr:UInt8",  [IO_I4] = "cr:Int32",   [IO_U4] = "cr:UInt32", [IO_I8] = "cr:Int64",
      [IO_U8] = "cr:UInt64", [IO_F4] = "cr:Float32", [IO_F8] = "cr:Float64"};
  char shape[24 * H5S_MAX_RANK] = "";

  cJSON_AddStringToObject(field, "dataType", names[type]);
  if (rank < 2) return;
  for (int i = 1; i < rank; i++) {
    const size_t n = strlen(shape);
    snprintf(shape + n, sizeof shape - n, "%s%lld", i > 1 ? "," : "", (long long)dims[i]);
  }
  cJSON_AddBoolToObject(field, "isArray", true);
  cJSON_AddStringToObject(field, "arrayShape", shape);
}

/* Where a field's values are: the array by its path, which stands for a table's column. */
static void add_source(cJSON *field, const char *file, const char *array)
{
  char path[SCORIA_PATH_SIZE + 2];
  cJSON *source = cJSON_AddObjectToObject(field, "source");

  snprintf(path, sizeof path, "/%s", array);
  cJSON_AddStringToObject(cJSON_AddObjectToObject(source, "fileObject"), "@id", file);
  cJSON_AddStringToObject(cJSON_AddObjectToObject(source, "extract"), "column", path);
}

/* An array with names of axes, or the coordinates along one. */
static PetscErrorCode AddArray(hid_t file, const char *name, bool is_scale, Visit *visit)
{
  char axes[SCORIA_LIST_SIZE], unit[64], description[256], text[384];
  char id[MARKED_SIZE + SCORIA_LIST_SIZE + SCORIA_PATH_SIZE + 4];
  int64_t dims[H5S_MAX_RANK];
  ScoriaType type = IO_F8;
  hid_t array;
  int rank;

  PetscFunctionBeginUser;
  PetscCall(ShapeOf(file, name, H5S_MAX_RANK, &rank, dims, &type, visit->bad));
  if (visit->bad->code != SCORIA_EXIT_OK || rank < 1) PetscFunctionReturn(0);
  CallH5(array = H5Dopen2(file, name, H5P_DEFAULT));
  PetscCall(GetShortText(array, "units", sizeof unit, unit, visit->bad));
  PetscCall(GetShortText(array, "description", sizeof description, description, visit->bad));
  if (is_scale)
    PetscCall(PetscStrncpy(axes, name, sizeof axes));
  else
    PetscCall(GetShortText(array, "axes", sizeof axes, axes, visit->bad));
  H5Dclose(array);
  if (visit->bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  axes[strcspn(axes, " ")] = 0;
  snprintf(id, sizeof id, "%s/%s/%s", visit->file, axes, name);
  snprintf(text, sizeof text, "%s [%s]", description, *unit ? unit : "1");
  cJSON *field = new_node("cr:Field", id, name);
  cJSON_AddStringToObject(field, "description", text);
  cJSON_AddStringToObject(field, "unitText", *unit ? unit : "1");
  add_type(field, rank, dims, type);
  add_source(field, visit->file, name);
  cJSON_AddItemToArray(fields_along(visit->sets, visit->file, axes), field);
  PetscFunctionReturn(0);
}

/* Arrays without axes (a model's weights) are no records, and place holders of axes have no unit. */
static herr_t visit_object(hid_t file, const char *name, const H5O_info_t *info, void *context)
{
  Visit *visit = context;

  if (info->type != H5O_TYPE_DATASET || H5Aexists_by_name(file, name, "units", H5P_DEFAULT) <= 0) return 0;
  const bool is_scale = H5Aexists_by_name(file, name, "CLASS", H5P_DEFAULT) > 0;
  if (!is_scale && H5Aexists_by_name(file, name, "axes", H5P_DEFAULT) <= 0) return 0;
  visit->failed = AddArray(file, name, is_scale, visit);
  return visit->failed || visit->bad->code != SCORIA_EXIT_OK;
}

/* The record sets of a file; none of one that is not ours any more, or not readable: it is listed all the same. */
static PetscErrorCode AddRecords(const char *dir, const char *name, cJSON *records)
{
  char path[2 * PETSC_MAX_PATH_LEN], format[SCORIA_NAME_SIZE], kind[SCORIA_NAME_SIZE], id[MARKED_SIZE];
  ScoriaTrouble bad = {.path = path};
  Visit visit       = {.file = marked(name, '~', id), .bad = &bad, .sets = cJSON_CreateArray()};
  int64_t size;
  hid_t file;

  PetscFunctionBeginUser;
  snprintf(path, sizeof path, "%s/%s", dir, name);
  PetscCall(OpenOurs(path, "a file of scoria's", &size, &file, format, kind, &bad));
  const bool whole =
      bad.code == SCORIA_EXIT_OK && H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, visit_object, &visit) == 0;
  if (file >= 0) H5Fclose(file);
  while (whole && cJSON_GetArraySize(visit.sets))
    cJSON_AddItemToArray(records, cJSON_DetachItemFromArray(visit.sets, 0));
  cJSON_Delete(visit.sets);
  PetscFunctionReturn(visit.failed);
}

/* ------------------------------------------------------------------------------------------------------ files ---- */

static const char *media_type(const char *name)
{
  static const char *const types[][2] = {{".h5", "application/x-hdf5"}, {".json", "application/json"},
                                         {".html", "text/html"},        {".xdmf", "application/xml"},
                                         {".xml", "application/xml"},   {".svg", "image/svg+xml"},
                                         {".png", "image/png"}};
  const char *dot                     = strrchr(name, '.');

  for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
    if (!strcmp(dot, types[i][0])) return types[i][1];
  return "application/octet-stream";
}

/* entry: of the manifest, or NULL for the manifest itself. */
static cJSON *new_file(const char *name, const cJSON *entry)
{
  const char *crc     = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "crc32c"));
  const char *command = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "command"));
  const cJSON *bytes  = cJSON_GetObjectItemCaseSensitive(entry, "bytes");
  char text[MARKED_SIZE];
  cJSON *file = new_node("cr:FileObject", marked(name, '~', text), name);

  cJSON_AddStringToObject(file, "contentUrl", marked(name, '%', text));
  snprintf(text, sizeof text, "Lengths and CRC-32Cs of all other files");
  if (crc && command) snprintf(text, sizeof text, "Made by scoria %s; CRC-32C %s", command, crc);
  cJSON_AddStringToObject(file, "description", text);
  if (cJSON_IsNumber(bytes)) {
    snprintf(text, sizeof text, "%.0f B", bytes->valuedouble);
    cJSON_AddStringToObject(file, "contentSize", text);
  }
  cJSON_AddStringToObject(file, "encodingFormat", media_type(name));
  return file;
}

/* -------------------------------------------------------------------------------------------------- the whole -- */

/* What is there already, which may have additions of the user's; else a new one with the name of the directory. */
static PetscErrorCode Before(ScoriaRun run, const char *dir, cJSON **root)
{
  char path[2 * PETSC_MAX_PATH_LEN], *whole;

  PetscFunctionBeginUser;
  snprintf(path, sizeof path, "%s/%s", dir, SCORIA_CROISSANT);
  PetscCall(ScoriaReadJson(path, (size_t)1 << 24, root));
  if (*root) PetscFunctionReturn(0);
  if (!access(path, F_OK)) PetscCall(ScoriaSay(run, "  WARNING: %s cannot be read; a new one takes its place", path));
  whole = realpath(dir, NULL);
  *root = cJSON_CreateObject();
  cJSON_AddStringToObject(*root, "name", whole ? basename(whole) : dir);
  cJSON_AddStringToObject(*root, "description", described);
  free(whole);
  PetscFunctionReturn(0);
}

static void put(cJSON *root, const char *key, cJSON *value)
{
  cJSON_DeleteItemFromObjectCaseSensitive(root, key);
  cJSON_AddItemToObject(root, key, value);
}

PetscErrorCode CroissantCreate(ScoriaRun run, const char *dir, const cJSON *files, cJSON **root)
{
  cJSON *distribution = cJSON_CreateArray(), *records = cJSON_CreateArray();
  const cJSON *entry;
  char now[32];

  PetscFunctionBeginUser;
  PetscCall(Before(run, dir, root));
  cJSON_AddItemToArray(distribution, new_file(MANIFEST_FILE, NULL));
  cJSON_ArrayForEach(entry, files)
  {
    cJSON_AddItemToArray(distribution, new_file(entry->string, entry));
    if (!strcmp(media_type(entry->string), "application/x-hdf5")) PetscCall(AddRecords(dir, entry->string, records));
  }
  utc_now(now);
  put(*root, "@context", cJSON_Parse(context_text));
  put(*root, "@type", cJSON_CreateString("sc:Dataset"));
  put(*root, "conformsTo", cJSON_CreateString(CONFORMS_TO));
  put(*root, "isLiveDataset", cJSON_CreateTrue());
  put(*root, "dateModified", cJSON_CreateString(now));
  put(*root, "distribution", distribution);
  put(*root, "recordSet", records);
  PetscFunctionReturn(0);
}

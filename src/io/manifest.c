/* manifest.json: the results of a run directory with their lengths and CRC-32Cs, as they were when the program had just
 * finished them.  Nothing else ever changes an entry, so that whatever happens to the bytes later shows. */
#include "private.h"
#include "scoria/run_files.h"
#include <cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT "scoria-manifest"

/* ------------------------------------------------------------------------------------------------------ sums ---- */

/* A file of a directory as it is: failed is 0, or what hinders its reading. */
typedef struct {
  char name[PETSC_MAX_PATH_LEN]; /* as seen from the directory */
  int64_t size;
  uint32_t crc;
  int failed;
  bool known; /* the CRC: it was read when the file was finished */
} File;

/* Size and CRC of the file that rank 0 names; of one that this run has finished and read back, as it was then.
 * Collective. */
static PetscErrorCode ReadFile(MPI_Comm comm, ScoriaRun run, const char *dir, File *f)
{
  char path[2 * PETSC_MAX_PATH_LEN];
  struct stat st;
  int rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank) {
    snprintf(path, sizeof path, "%s/%s", dir, f->name);
    f->failed               = stat(path, &st) ? errno : S_ISREG(st.st_mode) ? 0 : EINVAL;
    f->size                 = f->failed ? -1 : (int64_t)st.st_size;
    const ScoriaFileSum sum = files_published_sum_of(path);
    f->known                = run && sum.known && sum.size == f->size;
    f->crc                  = sum.crc;
  }
  PetscCallMPI(MPI_Bcast(f, (int)sizeof *f, MPI_BYTE, 0, comm));
  if (f->failed || f->known) PetscFunctionReturn(0);
  snprintf(path, sizeof path, "%s/%s", dir, f->name);
  PetscCall(FileCrc(comm, run, path, f->size, &f->crc, &f->failed));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- listing ---- */

/* The manifest of a directory, of rank 0: NULL where there is none, or none that can be read. */
static PetscErrorCode ReadManifest(const char *dir, cJSON **root)
{
  char path[2 * PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  snprintf(path, sizeof path, "%s/%s", dir, MANIFEST_FILE);
  PetscCall(ScoriaReadJson(path, MANIFEST_MOST, root));
  const char *format = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(*root, "format"));
  if (format && !strcmp(format, FORMAT) && cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(*root, MANIFEST_FILES)))
    PetscFunctionReturn(0);
  cJSON_Delete(*root);
  *root = NULL;
  PetscFunctionReturn(0);
}

/* The list before, or an empty one; one that cannot be read is told and replaced.  Rank 0. */
static PetscErrorCode Before(ScoriaRun run, const char *dir, cJSON **root)
{
  char path[2 * PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  snprintf(path, sizeof path, "%s/%s", dir, MANIFEST_FILE);
  PetscCall(ReadManifest(dir, root));
  if (*root) PetscFunctionReturn(0);
  if (!access(path, F_OK)) PetscCall(ScoriaSay(run, "  WARNING: %s cannot be read; a new one takes its place", path));
  *root = cJSON_CreateObject();
  cJSON_AddStringToObject(*root, "format", FORMAT);
  cJSON_AddObjectToObject(*root, MANIFEST_FILES);
  PetscFunctionReturn(0);
}

static bool has_end(const char *name, const char *end)
{
  const size_t n = strlen(name), m = strlen(end);
  return n >= m && !strcmp(name + n - m, end);
}

/* The name in the directory of a published path that is a result, else NULL: not unfinished files, checkpoints and
 * logs, nor the accounts that every start writes to. */
static const char *result_name(const char *dir, const char *path)
{
  static const char *const passing[]  = {".part", ".next", ".previous", ".ckpt", ".jsonl"};
  static const char *const accounts[] = {MANIFEST_FILE, SCORIA_CROISSANT, "cost.json", "deck.yaml"};
  const size_t n                      = strlen(dir);

  if (strncmp(path, dir, n) || path[n] != '/') return NULL;
  for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
    if (has_end(path, passing[i])) return NULL;
  const char *name = path + n + 1;
  for (size_t i = 0; i < sizeof accounts / sizeof *accounts; i++)
    if (!strcmp(name, accounts[i])) return NULL;
  return name;
}

static cJSON *new_entry(const File *f, const char *command)
{
  cJSON *entry = cJSON_CreateObject();
  char text[32];

  cJSON_AddNumberToObject(entry, MANIFEST_BYTES, (double)f->size);
  snprintf(text, sizeof text, "%08x", f->crc);
  cJSON_AddStringToObject(entry, MANIFEST_CRC, text);
  cJSON_AddStringToObject(entry, MANIFEST_COMMAND, command);
  utc_now(text);
  cJSON_AddStringToObject(entry, "date", text);
  return entry;
}

/* Reads the file that rank 0 names and lists it.  Collective. */
static PetscErrorCode ListFile(ScoriaRun run, const char *dir, const char *name, const char *command, cJSON *files)
{
  File f = {.size = -1};

  PetscFunctionBeginUser;
  if (name) snprintf(f.name, sizeof f.name, "%s", name);
  PetscCall(ReadFile(ScoriaRunComm(run), run, dir, &f));
  if (!files) PetscFunctionReturn(0);
  cJSON_DeleteItemFromObjectCaseSensitive(files, f.name);
  if (f.failed)
    PetscCall(ScoriaSay(run, "  WARNING: %s/%s cannot be read and is not in %s: %s", dir, f.name, MANIFEST_FILE,
                        strerror(f.failed)));
  else
    cJSON_AddItemToObject(files, f.name, new_entry(&f, command));
  PetscFunctionReturn(0);
}

/* The last change of a file of the directory [s]; before all others where there is none. */
static double changed(const char *dir, const char *name, const char *end)
{
  char path[2 * PETSC_MAX_PATH_LEN + 8];
  struct stat st;

  snprintf(path, sizeof path, "%s/%s%s", dir, name, end);
  return stat(path, &st) ? -INFINITY : (double)st.st_mtim.tv_sec + 1e-9 * (double)st.st_mtim.tv_nsec;
}

/* Whether a start before was killed while it wrote the list, so that what it had made since may be listed as it was
 * before that. */
static bool was_cut(const char *dir)
{
  return isfinite(changed(dir, MANIFEST_FILE, ".part")) || isfinite(changed(dir, SCORIA_CROISSANT, ".part"));
}

/* The names to be listed, NULL-terminated: those published, then those of this command that are there and not listed,
 * or listed as they were, as a start before may have finished them.  Rank 0. */
static PetscErrorCode Names(const char *dir, const char *command, const cJSON *files, const char ***names)
{
  const double cut = was_cut(dir) ? changed(dir, MANIFEST_FILE, "") : INFINITY;
  int n            = 0;

  PetscFunctionBeginUser;
  for (const ScoriaRunFile *f = scoria_run_files; f->name; f++) n++;
  PetscCall(PetscCalloc1(files_published() + n + 1, names));
  n = 0;
  for (int i = 0; i < files_published(); i++) {
    const char *name = result_name(dir, files_published_path(i));
    if (name) (*names)[n++] = name;
  }
  const int new = n;
  for (const ScoriaRunFile *f = scoria_run_files; f->name; f++) {
    char path[2 * PETSC_MAX_PATH_LEN];
    if (!(f->is & SCORIA_FILE_LISTED) || strcmp(f->command, command)) continue;
    bool known = cJSON_GetObjectItemCaseSensitive(files, f->name) && changed(dir, f->name, "") <= cut;

    for (int k = 0; k < new; k++) known = known || !strcmp((*names)[k], f->name);
    snprintf(path, sizeof path, "%s/%s", dir, f->name);
    if (!known && !access(path, F_OK)) (*names)[n++] = f->name;
  }
  PetscFunctionReturn(0);
}

/* Writes rank 0's object to a file of the run directory, and deletes it.  Collective. */
static PetscErrorCode WriteObject(ScoriaRun run, const char *name, cJSON *root)
{
  char path[PETSC_MAX_PATH_LEN], *text = NULL;

  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  if (root) {
    text = cJSON_Print(root);
    cJSON_Delete(root);
    PetscCheck(text, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for %s", path);
  }
  const PetscErrorCode failed = ScoriaWriteText(ScoriaRunComm(run), path, text);
  cJSON_free(text);
  PetscFunctionReturn(failed);
}

PetscErrorCode ScoriaManifestUpdate(ScoriaRun run, const char *command)
{
  MPI_Comm comm = ScoriaRunComm(run);
  char dir[PETSC_MAX_PATH_LEN];
  const char **names = NULL;
  cJSON *root = NULL, *files = NULL, *croissant = NULL;
  int rank, n = 0;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(ScoriaRunPath(run, "", sizeof dir, dir));
  for (size_t end = strlen(dir); end > 1 && dir[end - 1] == '/'; end--) dir[end - 1] = 0;
  if (!rank) {
    PetscCall(Before(run, dir, &root));
    files = cJSON_GetObjectItemCaseSensitive(root, MANIFEST_FILES);
    PetscCall(Names(dir, command, files, &names));
    while (names[n]) n++;
  }
  PetscCallMPI(MPI_Bcast(&n, 1, MPI_INT, 0, comm));
  for (int i = 0; i < n; i++) PetscCall(ListFile(run, dir, names ? names[i] : NULL, command, files));
  PetscCall(PetscFree(names));
  PetscCall(FilesForgetPublished());
  if (n == 0) {
    cJSON_Delete(root);
    PetscFunctionReturn(0);
  }
  if (!rank) PetscCall(CroissantCreate(run, dir, files, &croissant));
  /* The manifest last: where either is not written, the next start still finds results that are not listed, and writes
   * both. */
  PetscCall(WriteObject(run, SCORIA_CROISSANT, croissant));
  PetscCall(WriteObject(run, MANIFEST_FILE, root));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------------- verifying ---- */

static const char *entry_text(const cJSON *entry, const char *key)
{
  const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, key));
  return text ? text : "";
}

static double entry_size(const cJSON *entry)
{
  const cJSON *size = cJSON_GetObjectItemCaseSensitive(entry, MANIFEST_BYTES);
  return cJSON_IsNumber(size) ? size->valuedouble : -1;
}

/* One listed file: prints what is found; the first that is not as listed becomes trouble. */
static PetscErrorCode VerifyFile(MPI_Comm comm, const char *dir, const cJSON *entry, ScoriaTrouble *bad)
{
  char found[16], verdict[128] = "as listed";
  File f = {.size = -1};
  int rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank) snprintf(f.name, sizeof f.name, "%s", entry->string);
  PetscCall(ReadFile(comm, NULL, dir, &f));
  if (rank) PetscFunctionReturn(0);
  const char *kept = entry_text(entry, MANIFEST_CRC);
  snprintf(found, sizeof found, "%08x", f.crc);
  if (f.failed == ENOENT)
    snprintf(verdict, sizeof verdict, "is missing");
  else if (f.failed)
    snprintf(verdict, sizeof verdict, "cannot be read: %s", strerror(f.failed));
  else if ((double)f.size != entry_size(entry))
    snprintf(verdict, sizeof verdict, "has %lld bytes, expected %.0f", (long long)f.size, entry_size(entry));
  else if (strcmp(found, kept))
    snprintf(verdict, sizeof verdict, "differs: its CRC-32C is %s, expected %s", found, kept);
  printf("  %-20s %14.0f  %-8s  %-10s  %s\n", f.name, entry_size(entry), kept, entry_text(entry, MANIFEST_COMMAND),
         verdict);
  if (strcmp(verdict, "as listed")) trouble_note(bad, SCORIA_EXIT_INPUT, "%s %s", f.name, verdict);
  PetscFunctionReturn(0);
}

PetscErrorCode ManifestVerify(MPI_Comm comm, const char *dir)
{
  ScoriaTrouble bad  = {.path = dir};
  cJSON *root        = NULL;
  const cJSON *entry = NULL;
  int rank, n = 0;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank) {
    PetscCall(ReadManifest(dir, &root));
    entry = cJSON_GetObjectItemCaseSensitive(root, MANIFEST_FILES);
    n     = cJSON_GetArraySize(entry);
    if (!root)
      trouble_note(&bad, SCORIA_EXIT_INPUT, "it is a directory without a readable %s, so no run directory",
                   MANIFEST_FILE);
    else
      printf("%s\n  %-20s %14s  %-8s  %-10s\n", dir, "file", MANIFEST_BYTES, "CRC-32C", "command");
    entry = entry ? entry->child : NULL;
  }
  PetscCallMPI(MPI_Bcast(&n, 1, MPI_INT, 0, comm));
  for (int i = 0; i < n; i++) {
    PetscCall(VerifyFile(comm, dir, entry, &bad));
    if (!rank) entry = entry->next;
  }
  if (!rank) fflush(stdout);
  cJSON_Delete(root);
  PetscCall(ScoriaAgree(comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}

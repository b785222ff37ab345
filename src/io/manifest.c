/* manifest.json: the finished files of a run directory with their lengths and CRC-32Cs, so that a copy of the directory
 * can be told from the original.  A file is read again only when its length or its time of change is another than
 * listed: what happens to its bytes behind the program's back shows.  Every rank reads a share of a file, and the sums
 * of the shares are joined. */
#include "private.h"
#include <cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MANIFEST "manifest.json"
#define FORMAT "scoria-manifest"
#define PIECE ((size_t)4 << 20) /* read at once [byte] */

/* ------------------------------------------------------------------------------------------------- directory ---- */

/* Results: what a command has finished.  Not the deck, the log and the accounts, which every start writes to. */
static int is_listed(const struct dirent *entry)
{
  static const char *const ends[]   = {".h5", ".json", ".jsonl", ".html", ".xdmf"};
  static const char *const others[] = {MANIFEST, "log.jsonl", "cost.json"};
  const char *name = entry->d_name, *end = strrchr(name, '.');

  if (name[0] == '.' || !end) return 0;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (!strcmp(name, others[i])) return 0;
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (!strcmp(end, ends[i])) return 1;
  return 0;
}

static void time_text(const struct timespec *when, size_t size, char text[])
{
  struct tm utc;
  char seconds[32];

  strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", gmtime_r(&when->tv_sec, &utc));
  snprintf(text, size, "%s.%09ldZ", seconds, when->tv_nsec);
}

/* The file's length and time of change; false where it is no regular file. */
static bool file_state(const char *dir, const char *name, int64_t *size, size_t length, char changed[])
{
  char path[2 * PETSC_MAX_PATH_LEN];
  struct stat st;

  snprintf(path, sizeof path, "%s/%s", dir, name);
  if (stat(path, &st) || !S_ISREG(st.st_mode)) return false;
  *size = (int64_t)st.st_size;
  time_text(&st.st_mtim, length, changed);
  return true;
}

/* ------------------------------------------------------------------------------------------------------ sums ---- */

/* CRC of bytes [first, first + number). */
static bool crc_of_range(const char *path, int64_t first, int64_t number, uint32_t *crc)
{
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  char *piece  = malloc(PIECE);
  bool good    = fd >= 0 && piece;

  *crc         = 0;
  while (good && number > 0) {
    const ssize_t n = pread(fd, piece, number < (int64_t)PIECE ? (size_t)number : PIECE, (off_t)first);

    if (n < 0 && errno == EINTR) continue;
    if (n == 0) errno = EIO; /* shorter than a moment ago */
    good = n > 0;
    if (!good) break;
    *crc = crc32c(*crc, piece, (size_t)n);
    first += n;
    number -= n;
  }
  free(piece);
  if (fd >= 0) close(fd);
  return good;
}

/* CRC of a whole file, each rank reading a share.  Collective. */
static PetscErrorCode FileCrc(MPI_Comm comm, const char *path, int64_t size, uint32_t *crc)
{
  ScoriaTrouble bad = {.path = path};
  uint32_t mine, *all;
  int64_t first, number;
  int rank, ranks;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  PetscCall(PetscMalloc1(ranks, &all));
  deal_block(size, rank, ranks, &first, &number);
  if (!crc_of_range(path, first, number, &mine))
    trouble_note(&bad, SCORIA_EXIT_INPUT, "it cannot be read: %s", strerror(errno));
  PetscCallMPI(MPI_Allgather(&mine, 1, MPI_UINT32_T, all, 1, MPI_UINT32_T, comm));
  *crc = 0;
  for (int r = 0; r < ranks; r++) {
    deal_block(size, r, ranks, &first, &number);
    *crc = crc32c_join(*crc, all[r], number);
  }
  PetscCall(PetscFree(all));
  PetscCall(ScoriaAgree(comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- listing ---- */

/* The manifest of a directory, of rank 0: NULL where there is none, or none that can be read. */
static cJSON *read_manifest(const char *dir)
{
  char path[2 * PETSC_MAX_PATH_LEN];
  struct stat st;
  char *text  = NULL;
  cJSON *root = NULL;

  snprintf(path, sizeof path, "%s/%s", dir, MANIFEST);
  FILE *in = fopen(path, "r");
  if (in && !fstat(fileno(in), &st) && st.st_size < (1 << 24) && (text = malloc((size_t)st.st_size + 1))) {
    text[fread(text, 1, (size_t)st.st_size, in)] = 0;
    root                                         = cJSON_Parse(text);
  }
  free(text);
  if (in) fclose(in);
  const char *format = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "format"));
  if (format && !strcmp(format, FORMAT) && cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(root, "files"))) return root;
  cJSON_Delete(root);
  return NULL;
}

static const char *entry_text(const cJSON *entry, const char *key)
{
  const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, key));
  return text ? text : "";
}

static double entry_size(const cJSON *entry)
{
  const cJSON *size = cJSON_GetObjectItemCaseSensitive(entry, "bytes");
  return cJSON_IsNumber(size) ? size->valuedouble : -1;
}

/* What ranks must know of the next file: its name, empty at the end, its length, and whether it is to be read. */
typedef struct {
  char name[256], changed[64];
  int64_t size;
  int read;
} File;

/* Takes the listed entry of file f out of `old`; f is to be read where there is none that still holds. */
static cJSON *take_entry(cJSON *old, File *f)
{
  cJSON *entry = cJSON_DetachItemFromObjectCaseSensitive(old, f->name);

  f->read      = !entry || entry_size(entry) != (double)f->size || strcmp(entry_text(entry, "changed"), f->changed);
  return entry;
}

/* A new entry in place of `was`; bytes that are the same, in a copy, are still the work of the command that was. */
static cJSON *new_entry(const File *f, uint32_t crc, const char *command, cJSON *was)
{
  cJSON *entry = cJSON_CreateObject();
  char text[16];

  snprintf(text, sizeof text, "%08x", crc);
  if (entry_size(was) == (double)f->size && !strcmp(entry_text(was, "crc32c"), text))
    command = entry_text(was, "command");
  cJSON_AddNumberToObject(entry, "bytes", (double)f->size);
  cJSON_AddStringToObject(entry, "crc32c", text);
  cJSON_AddStringToObject(entry, "command", command);
  cJSON_AddStringToObject(entry, "changed", f->changed);
  cJSON_Delete(was);
  return entry;
}

/* File f of rank 0 in the manifest; `old` is the list before.  Collective. */
static PetscErrorCode ListFile(ScoriaRun run, const char *dir, File *f, const char *command, cJSON *old, cJSON *files)
{
  char path[2 * PETSC_MAX_PATH_LEN];
  cJSON *entry = NULL;
  uint32_t crc = 0;
  int rank, there = 0;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(ScoriaRunComm(run), &rank));
  if (!rank && (there = file_state(dir, f->name, &f->size, sizeof f->changed, f->changed))) entry = take_entry(old, f);
  PetscCallMPI(MPI_Bcast(f, (int)sizeof *f, MPI_BYTE, 0, ScoriaRunComm(run)));
  if (f->read) {
    snprintf(path, sizeof path, "%s/%s", dir, f->name);
    PetscCall(FileCrc(ScoriaRunComm(run), path, f->size, &crc));
  }
  if (!rank && there) cJSON_AddItemToObject(files, f->name, f->read ? new_entry(f, crc, command, entry) : entry);
  PetscFunctionReturn(0);
}

/* The list before, on rank 0; one that cannot be read is told and replaced. */
static PetscErrorCode Before(ScoriaRun run, const char *dir, cJSON **before)
{
  char path[2 * PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  *before = read_manifest(dir);
  snprintf(path, sizeof path, "%s/%s", dir, MANIFEST);
  if (!*before && !access(path, F_OK))
    PetscCall(ScoriaSay(run, "  WARNING: %s cannot be read; a new one takes its place", path));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaManifestUpdate(ScoriaRun run, const char *command)
{
  MPI_Comm comm = ScoriaRunComm(run);
  char dir[PETSC_MAX_PATH_LEN], path[PETSC_MAX_PATH_LEN], *text = NULL;
  struct dirent **name = NULL;
  cJSON *root = NULL, *files = NULL, *before = NULL;
  int rank, n = 0;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(ScoriaRunPath(run, ".", sizeof dir, dir));
  PetscCall(ScoriaRunPath(run, MANIFEST, sizeof path, path));
  if (!rank) {
    n = scandir(dir, &name, is_listed, alphasort);
    PetscCall(Before(run, dir, &before));
    root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "format", FORMAT);
    files = cJSON_AddObjectToObject(root, "files");
  }
  PetscCallMPI(MPI_Bcast(&n, 1, MPI_INT, 0, comm));
  for (int i = 0; i < n; i++) {
    File f = {.size = -1};

    if (!rank) snprintf(f.name, sizeof f.name, "%s", name[i]->d_name);
    PetscCall(ListFile(run, dir, &f, command, cJSON_GetObjectItemCaseSensitive(before, "files"), files));
    if (!rank) free(name[i]);
  }
  if (!rank) {
    free(name);
    text = cJSON_Print(root);
    PetscCheck(text, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for %s", path);
  }
  cJSON_Delete(before);
  cJSON_Delete(root);
  const PetscErrorCode failed = ScoriaWriteText(comm, path, text);
  cJSON_free(text);
  PetscFunctionReturn(failed);
}

/* -------------------------------------------------------------------------------------------------- verifying ---- */

/* One listed file: prints what is found; the first that is not as listed becomes trouble. */
static PetscErrorCode VerifyFile(MPI_Comm comm, const char *dir, const cJSON *entry, ScoriaTrouble *bad)
{
  char path[2 * PETSC_MAX_PATH_LEN], found[16] = "", verdict[96] = "as listed";
  File f = {.size = -1};
  uint32_t crc;
  int rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank) {
    snprintf(f.name, sizeof f.name, "%s", entry->string);
    f.read = file_state(dir, f.name, &f.size, sizeof f.changed, f.changed);
  }
  PetscCallMPI(MPI_Bcast(&f, (int)sizeof f, MPI_BYTE, 0, comm));
  if (f.read) {
    snprintf(path, sizeof path, "%s/%s", dir, f.name);
    PetscCall(FileCrc(comm, path, f.size, &crc));
    snprintf(found, sizeof found, "%08x", crc);
  }
  if (rank) PetscFunctionReturn(0);
  const char *kept = entry_text(entry, "crc32c");
  if (!f.read)
    snprintf(verdict, sizeof verdict, "is missing");
  else if ((double)f.size != entry_size(entry))
    snprintf(verdict, sizeof verdict, "has %lld bytes, expected %.0f", (long long)f.size, entry_size(entry));
  else if (strcmp(found, kept))
    snprintf(verdict, sizeof verdict, "differs: its CRC-32C is %s, expected %s", found, kept);
  printf("  %-20s %14.0f  %-8s  %-10s  %s\n", f.name, entry_size(entry), kept, entry_text(entry, "command"), verdict);
  if (strcmp(verdict, "as listed")) trouble_note(bad, SCORIA_EXIT_INPUT, "%s %s", f.name, verdict);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaManifestVerify(MPI_Comm comm, const char *dir)
{
  ScoriaTrouble bad  = {.path = dir};
  cJSON *root        = NULL;
  const cJSON *entry = NULL;
  int rank, n = 0;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank) {
    root  = read_manifest(dir);
    entry = cJSON_GetObjectItemCaseSensitive(root, "files");
    n     = cJSON_GetArraySize(entry);
    if (!root)
      trouble_note(&bad, SCORIA_EXIT_INPUT, "it is a directory without a readable %s, so no run directory", MANIFEST);
    else
      printf("%s\n  %-20s %14s  %-8s  %-10s\n", dir, "file", "bytes", "CRC-32C", "command");
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

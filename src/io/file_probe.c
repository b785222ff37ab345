/* A look at a file before HDF5 sees it, on the rank that calls.  The probe reads the superblock itself (HDF5 file
 * format, versions 2 and 3: signature 8, version 1, sizes of offsets and lengths 1 + 1, flags 1, base address 8,
 * extension 8, end of file 8, ...), so that a file cut short is told with its length and the one expected. */
#include "private.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t superblock_end(const unsigned char head[48])
{
  uint64_t end;

  memcpy(&end, head + 28, sizeof end);
  return end;
}

/* What is wrong with the first bytes of a file of `size` bytes, of which n were read. */
static void superblock_check(const unsigned char head[48], size_t n, int64_t size, const char *expected,
                             ScoriaTrouble *bad)
{
  static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

  if (n < sizeof signature || memcmp(head, signature, sizeof signature)) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "not an HDF5 file (%lld bytes), expected %s", (long long)size, expected);
  } else if (n < 48) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "truncated to %lld bytes, expected %s", (long long)size, expected);
  } else if (head[8] >= 2 && head[9] == 8) {
    if ((uint64_t)size < superblock_end(head))
      trouble_note(bad, SCORIA_EXIT_INPUT, "truncated: it has %lld bytes, expected %llu", (long long)size,
                   (unsigned long long)superblock_end(head));
  }
}

/* What makes a file of that name in a run directory, as it goes on in a message; "" of other names. */
static const char *maker_of(const char *path)
{
  static const char *const made[][2] = {
      {"dataset.h5", "; scoria generate makes it, or scoria import from data of other programs"},
      {"model.h5", "; scoria train makes it from dataset.h5"},
      {"samples.h5", "; scoria sample makes it from model.h5"},
      {"cheap.h5", "; scoria generate makes it with ensemble_cheap_fidelity"},
  };
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

  for (size_t i = 0; i < sizeof made / sizeof *made; i++)
    if (!strcmp(name, made[i][0])) return made[i][1];
  return "";
}

PetscErrorCode FileProbe(const char *path, const char *expected, int64_t *size, ScoriaTrouble *bad)
{
  char part[PETSC_MAX_PATH_LEN + 8];
  struct stat st;

  PetscFunctionBeginUser;
  *size = 0;
  if (stat(path, &st)) {
    const int why = errno;

    snprintf(part, sizeof part, "%s.part", path);
    if (why == ENOENT && !stat(part, &st))
      trouble_note(bad, SCORIA_EXIT_INPUT, "no such file, but %s is there: the run that writes it has not finished",
                   part);
    else
      trouble_note(bad, SCORIA_EXIT_INPUT, "cannot be read: %s (expected %s%s)", strerror(why), expected,
                   why == ENOENT ? maker_of(path) : "");
    PetscFunctionReturn(0);
  }
  if (!S_ISREG(st.st_mode)) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "%s, expected %s", S_ISDIR(st.st_mode) ? "a directory" : "not a regular file",
                 expected);
    PetscFunctionReturn(0);
  }
  if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS)) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "cannot be read: %s (expected %s)", strerror(errno), expected);
    PetscFunctionReturn(0);
  }
  *size = st.st_size;
  if (!st.st_size) trouble_note(bad, SCORIA_EXIT_INPUT, "empty (0 bytes), expected %s", expected);
  PetscFunctionReturn(0);
}

PetscErrorCode SuperblockProbe(const char *path, const char *expected, int64_t size, ScoriaTrouble *bad)
{
  unsigned char head[48];
  FILE *in;

  PetscFunctionBeginUser;
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  in = fopen(path, "rb");
  if (!in) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "cannot be read: %s", strerror(errno));
  } else {
    superblock_check(head, fread(head, 1, sizeof head, in), size, expected, bad);
    fclose(in);
  }
  PetscFunctionReturn(0);
}

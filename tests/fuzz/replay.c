/* A fuzz target without a fuzzer: gives it every file of a directory, then an empty input. */
#include "fuzz.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST_BYTES (1 << 20)
#define SECONDS_EACH 60 /* an input takes milliseconds: this one never ends */

static void replay(const char *path)
{
  uint8_t *bytes = malloc(MOST_BYTES);
  FILE *in       = fopen(path, "rb");
  if (!in || !bytes) {
    perror(path);
    exit(1);
  }
  fprintf(stderr, "%s\n", path);
  const size_t size = fread(bytes, 1, MOST_BYTES, in);
  fclose(in);
  alarm(SECONDS_EACH);
  LLVMFuzzerTestOneInput(bytes, size);
  alarm(0);
  free(bytes);
}

int main(int argc, char **argv)
{
  char path[PETSC_MAX_PATH_LEN];
  struct dirent *entry;
  int count = 0;
  DIR *dir  = argc == 2 ? opendir(argv[1]) : NULL;
  if (!dir) {
    fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
    return 2;
  }
  LLVMFuzzerInitialize(&argc, &argv);
  while ((entry = readdir(dir))) {
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
    replay(path);
    count++;
  }
  closedir(dir);
  LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
  fprintf(stderr, "%d inputs\n", count);
  return PetscFinalize() || !count;
}

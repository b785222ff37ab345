/* Arrays of any HDF5 file, also one that others wrote.  libhdf5 may crash or hang on a malformed file, so a file is
 * first read in a child process with limits on time and memory, which takes the fall; only then by the job itself. */
#include "private.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIAL_SECONDS 300
#define TRIAL_BYTES (1ULL << 30) /* beyond what the process has, and what the array needs */

/* Opens path and an array of numbers in it; -1 and no note where the file is fine but has none of that name. */
static PetscErrorCode OpenNumbers(const char *path, const char *name, hid_t *file, hid_t *array, ScoriaTrouble *bad)
{
  H5T_class_t class;
  hid_t access, type;
  H5O_info_t info;

  PetscFunctionBeginUser;
  *file = *array = H5I_INVALID_HID;
  PetscCall(ScoriaFileAccess(MPI_COMM_NULL, &access));
  if (H5Fis_hdf5(path) <= 0)
    trouble_note(bad, SCORIA_EXIT_INPUT, "not an HDF5 file, or truncated before its end");
  else if ((*file = H5Fopen(path, H5F_ACC_RDONLY, access)) < 0)
    trouble_hdf5(bad, SCORIA_EXIT_INPUT, "damaged or truncated");
  H5Pclose(access);
  if (*file < 0 || H5Oget_info_by_name(*file, name, &info, H5P_DEFAULT) < 0) PetscFunctionReturn(0);
  *array = info.type == H5O_TYPE_DATASET ? H5Dopen2(*file, name, H5P_DEFAULT) : H5I_INVALID_HID;
  if (*array < 0) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "%s is not an array that can be opened", name);
    PetscFunctionReturn(0);
  }
  type  = H5Dget_type(*array);
  class = H5Tget_class(type);
  if (class != H5T_INTEGER && class != H5T_FLOAT)
    trouble_note(bad, SCORIA_EXIT_INPUT, "array %s is not of numbers", name);
  H5Tclose(type);
  PetscFunctionReturn(0);
}

static void numbers_close(hid_t file, hid_t array)
{
  if (array >= 0) H5Dclose(array);
  if (file >= 0) H5Fclose(file);
}

static PetscErrorCode LocalShape(const char *path, const char *name, int max_rank, int *rank, int64_t dims[],
                                 ScoriaTrouble *bad)
{
  hsize_t extent[H5S_MAX_RANK];
  hid_t file, array, space;

  PetscFunctionBeginUser;
  *rank = -1;
  PetscCall(OpenNumbers(path, name, &file, &array, bad));
  if (array >= 0 && bad->code == SCORIA_EXIT_OK) {
    ScoriaCallH5(space = H5Dget_space(array));
    *rank = H5Sget_simple_extent_ndims(space);
    if (*rank > max_rank)
      trouble_note(bad, SCORIA_EXIT_INPUT, "array %s has %d dimensions, expected at most %d", name, *rank, max_rank);
    else if (H5Sget_simple_extent_dims(space, extent, NULL) >= 0)
      for (int i = 0; i < *rank; i++) dims[i] = (int64_t)extent[i];
    H5Sclose(space);
  }
  numbers_close(file, array);
  PetscFunctionReturn(0);
}

static PetscErrorCode LocalRead(const char *path, const char *name, int64_t count, double data[], ScoriaTrouble *bad)
{
  hid_t file, array, space;

  PetscFunctionBeginUser;
  PetscCall(OpenNumbers(path, name, &file, &array, bad));
  if (array < 0) trouble_note(bad, SCORIA_EXIT_INPUT, "no array %s", name);
  if (bad->code == SCORIA_EXIT_OK) {
    ScoriaCallH5(space = H5Dget_space(array));
    const int64_t found = (int64_t)H5Sget_simple_extent_npoints(space);

    H5Sclose(space);
    if (found != count)
      trouble_note(bad, SCORIA_EXIT_INPUT, "array %s has %lld values, expected %lld", name, (long long)found,
                   (long long)count);
    else if (count && H5Dread(array, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
      trouble_hdf5(bad, SCORIA_EXIT_INPUT, "array %s cannot be read", name);
  }
  numbers_close(file, array);
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- trial ---- */

/* In the child: no handler of the job's may run, and nothing may grow or last without end. */
static void trial_limits(uint64_t bytes)
{
  static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGALRM, SIGTERM, SIGINT, SIGXCPU};
  unsigned long long pages   = 0;
  FILE *statm                = fopen("/proc/self/statm", "r");
  struct rlimit limit        = {TRIAL_SECONDS, TRIAL_SECONDS};

  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) signal(signals[i], SIG_DFL);
  setrlimit(RLIMIT_CPU, &limit);
  if (statm) {
    if (fscanf(statm, "%llu", &pages) == 1) {
      limit.rlim_cur = limit.rlim_max = (rlim_t)(pages * (uint64_t)sysconf(_SC_PAGESIZE) + bytes);
      setrlimit(RLIMIT_AS, &limit);
    }
    fclose(statm);
  }
  limit.rlim_cur = limit.rlim_max = 0;
  setrlimit(RLIMIT_CORE, &limit);
  alarm(TRIAL_SECONDS);
}

/* What the child does: the whole of what the job is about to do.  Failures that HDF5 reports are the job's to tell. */
static void trial_read(const char *path, const char *name, int64_t count)
{
  ScoriaTrouble bad = {.path = path};
  int64_t dims[H5S_MAX_RANK];
  double *data;
  int rank;

  if (count < 0) {
    (void)LocalShape(path, name, H5S_MAX_RANK, &rank, dims, &bad);
    return;
  }
  data = malloc((size_t)count * sizeof(double) + 1);
  if (data) (void)LocalRead(path, name, count, data, &bad);
  free(data);
}

/* count: values to read; -1 for the shape alone. */
static PetscErrorCode Trial(const char *path, const char *name, int64_t count, ScoriaTrouble *bad)
{
  const uint64_t need = count > 0 ? 2 * 8 * (uint64_t)count : 0;
  int status          = 0;
  int64_t size;
  pid_t child;

  PetscFunctionBeginUser;
  PetscCall(ScoriaFileProbe(path, "an HDF5 file", &size, bad));
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  child = fork();
  if (child == 0) {
    trial_limits(TRIAL_BYTES + need);
    trial_read(path, name, count);
    _exit(0);
  }
  PetscCheck(child > 0, PETSC_COMM_SELF, PETSC_ERR_SYS, "fork: %s", strerror(errno));
  while (waitpid(child, &status, 0) < 0) PetscCheck(errno == EINTR, PETSC_COMM_SELF, PETSC_ERR_SYS, "waitpid");
  if (WIFSIGNALED(status))
    trouble_note(bad, SCORIA_EXIT_INPUT, "malformed: reading %s crashes or never ends (%s), so it is not read", name,
                 strsignal(WTERMSIG(status)));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaArrayShape(MPI_Comm comm, const char *path, const char *name, int max_rank, int *rank,
                                int64_t dims[])
{
  ScoriaTrouble bad = {.path = path};
  int me;

  PetscFunctionBeginUser;
  *rank = -1;
  PetscCallMPI(MPI_Comm_rank(comm, &me));
  if (!me) {
    PetscCall(Trial(path, name, -1, &bad));
    if (bad.code == SCORIA_EXIT_OK) PetscCall(LocalShape(path, name, max_rank, rank, dims, &bad));
  }
  PetscCall(ScoriaAgree(comm, bad.code, bad.line));
  PetscCallMPI(MPI_Bcast(rank, 1, MPI_INT, 0, comm));
  if (*rank > 0) PetscCallMPI(MPI_Bcast(dims, *rank, MPI_INT64_T, 0, comm));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaArrayRead(MPI_Comm comm, const char *path, const char *name, int64_t count, double data[])
{
  const int64_t most = INT_MAX / 8;
  ScoriaTrouble bad  = {.path = path};
  int me;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &me));
  if (!me) {
    PetscCall(Trial(path, name, count, &bad));
    if (bad.code == SCORIA_EXIT_OK) PetscCall(LocalRead(path, name, count, data, &bad));
  }
  PetscCall(ScoriaAgree(comm, bad.code, bad.line));
  for (int64_t at = 0; at < count; at += most)
    PetscCallMPI(MPI_Bcast(data + at, (int)(count - at < most ? count - at : most), MPI_DOUBLE, 0, comm));
  PetscFunctionReturn(0);
}

/* Files that others may have made: arrays of any HDF5 file, and files said to be ours.  libhdf5 may crash or hang on a
 * malformed file, so a file is first read in a child process with limits on time and memory, which takes the fall; only
 * then by the job itself. */
#include "foreign.h"
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define NETCDF_3 "netCDF-3, nccopy -k nc4 makes it netCDF-4, which is HDF5"

static bool is_text(const char head[], size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (iscntrl((unsigned char)head[i]) && !isspace((unsigned char)head[i])) return false;
  return n > 0;
}

void not_hdf5_note(const char *path, ScoriaTrouble *bad)
{
  static const struct {
    const char *head, *what;
  } known[] = {
      {"CDF\1", NETCDF_3},
      {"CDF\2", NETCDF_3},
      {"CDF\5", NETCDF_3},
      {"MATLAB 5.0", "MATLAB 5, save it with -v7.3"},
      {"\x1f\x8b", "packed by gzip, gunzip unpacks it"},
      {"BZh", "packed by bzip2, bunzip2 unpacks it"},
      {"\x28\xb5\x2f\xfd", "packed by zstd, unzstd unpacks it"},
      {"PK\3\4", "a ZIP archive, as .npz and .xlsx are; h5py makes an HDF5 file of its arrays"},
      {"\x93NUMPY", "NumPy's .npy, h5py makes an array of an HDF5 file of it"},
      {"PAR1", "Parquet, h5py makes arrays of its columns"},
  };
  char head[64];
  FILE *file     = fopen(path, "rb");
  const size_t n = file ? fread(head, 1, sizeof head, file) : 0;
  const char *is = is_text(head, n) ? "text, h5py or MATLAB's h5write make arrays of its columns" : NULL;
  if (file) fclose(file);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (n >= strlen(known[i].head) && !memcmp(head, known[i].head, strlen(known[i].head))) is = known[i].what;
  if (is)
    trouble_note(bad, SCORIA_EXIT_INPUT, "not an HDF5 file (it is %s)", is);
  else
    trouble_note(bad, SCORIA_EXIT_INPUT, "not an HDF5 file, or truncated before its end");
}

PetscErrorCode OpenNumbers(const char *path, const char *name, hid_t *file, hid_t *array, ScoriaTrouble *bad)
{
  hid_t access, type;
  H5O_info_t info;

  PetscFunctionBeginUser;
  *file = *array = H5I_INVALID_HID;
  PetscCall(FileAccess(MPI_COMM_NULL, &access));
  if (H5Fis_hdf5(path) <= 0)
    not_hdf5_note(path, bad);
  else if ((*file = H5Fopen(path, H5F_ACC_RDONLY, access)) < 0)
    trouble_hdf5(bad, SCORIA_EXIT_INPUT, "damaged or truncated");
  H5Pclose(access);
  if (*file < 0 || H5Oget_info_by_name(*file, name, &info, H5P_DEFAULT) < 0) PetscFunctionReturn(0);
  *array = info.type == H5O_TYPE_DATASET ? H5Dopen2(*file, name, H5P_DEFAULT) : H5I_INVALID_HID;
  if (*array < 0) {
    trouble_note(bad, SCORIA_EXIT_INPUT, "%s is not an array that can be opened", name);
    PetscFunctionReturn(0);
  }
  type = H5Dget_type(*array);
  if (!type_is_number(type)) note_not_numbers(type, name, bad);
  H5Tclose(type);
  PetscFunctionReturn(0);
}

void numbers_close(hid_t file, hid_t array)
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
    CallH5(space = H5Dget_space(array));
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
    CallH5(space = H5Dget_space(array));
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
static void trial_limits(const ScoriaTrialLimits *limits)
{
  static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGALRM, SIGINT, SIGXCPU};
  unsigned long long pages   = 0;
  FILE *statm                = fopen("/proc/self/statm", "r");
  const unsigned cpu         = limits->cpu ? limits->cpu : limits->seconds;
  struct rlimit limit        = {cpu, cpu};

  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) signal(signals[i], SIG_DFL);
  signal(SIGTERM, SIG_IGN); /* a stop of the job is the job's to see, and no fault of the file's */
  signal(SIGUSR1, SIG_IGN);
  setrlimit(RLIMIT_CPU, &limit);
  if (statm) {
    if (fscanf(statm, "%llu", &pages) == 1) {
      limit.rlim_cur = limit.rlim_max = (rlim_t)(pages * (uint64_t)sysconf(_SC_PAGESIZE) + limits->bytes);
      setrlimit(RLIMIT_AS, &limit);
    }
    fclose(statm);
  }
  limit.rlim_cur = limit.rlim_max = 0;
  setrlimit(RLIMIT_CORE, &limit);
  alarm(limits->seconds);
}

/* What the child notes is in memory shared with the job: the job does not try again what failed within the limits. */
PetscErrorCode TrialRun(const char *path, const ScoriaTrialLimits *limits,
                        PetscErrorCode (*read)(void *ctx, ScoriaTrouble *bad), void *ctx, ScoriaTrouble *bad)
{
  int status = 0;
  ScoriaTrouble *noted;
  pid_t child;

  PetscFunctionBeginUser;
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  noted = mmap(NULL, sizeof *noted, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  PetscCheck(noted != MAP_FAILED, PETSC_COMM_SELF, PETSC_ERR_SYS, "mmap: %s", strerror(errno));
  noted->path = path;
  child       = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a job that has ended is not to go on reading, with its lock */
    trial_limits(limits);
    PetscPushErrorHandler(PetscReturnErrorHandler, NULL);
    if (read(ctx, noted)) trouble_note(noted, SCORIA_EXIT_INPUT, "malformed: HDF5 cannot read it");
    _exit(0);
  }
  PetscCheck(child > 0, PETSC_COMM_SELF, PETSC_ERR_SYS, "fork: %s", strerror(errno));
  while (waitpid(child, &status, 0) < 0) PetscCheck(errno == EINTR, PETSC_COMM_SELF, PETSC_ERR_SYS, "waitpid");
  if (!WIFEXITED(status) || WEXITSTATUS(status))
    trouble_note(bad, SCORIA_EXIT_INPUT, "malformed: reading it crashes or never ends (%s), so it is not read",
                 WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "it ends the program");
  else if (noted->code != SCORIA_EXIT_OK)
    *bad = *noted;
  munmap(noted, sizeof *noted);
  PetscFunctionReturn(0);
}

typedef struct {
  const char *path, *name;
  int64_t count; /* values to read; -1 for the shape alone */
} ArrayTrial;

/* The whole of what the job is about to do. */
static PetscErrorCode TryArray(void *ctx, ScoriaTrouble *bad)
{
  const ArrayTrial *t = ctx;
  int64_t dims[H5S_MAX_RANK];
  double *data;
  int rank;

  PetscFunctionBeginUser;
  if (t->count < 0) {
    PetscCall(LocalShape(t->path, t->name, H5S_MAX_RANK, &rank, dims, bad));
    PetscFunctionReturn(0);
  }
  data = malloc((size_t)t->count * sizeof(double) + 1);
  if (data)
    PetscCall(LocalRead(t->path, t->name, t->count, data, bad));
  else
    trouble_note(bad, SCORIA_EXIT_INPUT, "no memory for the %lld values of %s", (long long)t->count, t->name);
  free(data);
  PetscFunctionReturn(0);
}

static PetscErrorCode Trial(const char *path, const char *name, int64_t count, ScoriaTrouble *bad)
{
  const ScoriaTrialLimits limits = {SCORIA_TRIAL_SECONDS,
                                    SCORIA_TRIAL_BYTES + (count > 0 ? 2 * 8 * (uint64_t)count : 0), 0};
  ArrayTrial array               = {path, name, count};
  int64_t size;

  PetscFunctionBeginUser;
  PetscCall(FileProbe(path, "an HDF5 file", &size, bad));
  PetscCall(TrialRun(path, &limits, TryArray, &array, bad));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------- files said to be ours ---- */

static herr_t try_attribute(hid_t object, const char *name, const H5A_info_t *info, void *bad)
{
  const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(attribute);
  void *value = malloc(info->data_size + 1);

  if (!value || H5Aread(attribute, type, value) < 0)
    trouble_hdf5(bad, SCORIA_EXIT_INPUT, "attribute '%s' cannot be read", name);
  free(value);
  H5Tclose(type);
  H5Aclose(attribute);
  return 0;
}

/* Whether an array is as it should be is not asked here: a user may have added one of any kind. */
static herr_t try_object(hid_t file, const char *name, const H5O_info_t *info, void *bad)
{
  const hid_t object     = H5Oopen(file, name, H5P_DEFAULT);
  ScoriaTrouble unwanted = {.path = name};
  ScoriaType type;
  int64_t dims[H5S_MAX_RANK];
  int rank;

  if (H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, try_attribute, bad) < 0)
    trouble_hdf5(bad, SCORIA_EXIT_INPUT, "attributes of %s cannot be read", name);
  H5Oclose(object);
  if (info->type != H5O_TYPE_DATASET) return 0;
  return ShapeOf(file, name, H5S_MAX_RANK, &rank, dims, &type, &unwanted) ? -1 : 0;
}

static PetscErrorCode TryStructure(void *ctx, ScoriaTrouble *bad)
{
  char format[SCORIA_NAME_SIZE], kind[SCORIA_NAME_SIZE];
  int64_t size;
  hid_t file;

  PetscFunctionBeginUser;
  PetscCall(OpenOurs(ctx, "a file of scoria's", &size, &file, format, kind, bad));
  if (bad->code == SCORIA_EXIT_OK && H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, try_object, bad) < 0)
    trouble_hdf5(bad, SCORIA_EXIT_INPUT, "damaged");
  if (file >= 0) H5Fclose(file);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaFileTrial(MPI_Comm comm, const char *path)
{
  /* Structure and attributes are milliseconds of work: HDF5 that goes in circles shows soon. */
  const ScoriaTrialLimits limits = {SCORIA_TRIAL_SECONDS, SCORIA_TRIAL_BYTES, 5};
  char name[PETSC_MAX_PATH_LEN];
  ScoriaTrouble bad = {.path = path};
  int rank;

  PetscFunctionBeginUser;
  PetscCall(PetscStrncpy(name, path, sizeof name));
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank) PetscCall(TrialRun(path, &limits, TryStructure, name, &bad));
  PetscCall(ScoriaAgree(comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------------- arrays ---- */

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
  ScoriaTrouble bad = {.path = path};
  int me;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &me));
  if (!me) {
    PetscCall(Trial(path, name, count, &bad));
    if (bad.code == SCORIA_EXIT_OK) PetscCall(LocalRead(path, name, count, data, &bad));
  }
  PetscCall(ScoriaAgree(comm, bad.code, bad.line));
  PetscCall(ScoriaBroadcastMany(comm, 0, count, MPI_DOUBLE, data));
  PetscFunctionReturn(0);
}

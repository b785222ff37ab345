/* The CRC of a whole file, however long: its blocks are read by all ranks, piece by piece. */
#include "private.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHARED_FROM ((int64_t)64 << 20) /* a shorter file is read by rank 0 alone [byte] */
#define PIECE ((int64_t)256 << 20)      /* of a rank between two looks at whether to stop */

int file_crc(const char *path, int64_t size, int64_t first, int64_t number, uint32_t *crc)
{
  const size_t most = (size_t)4 << 20; /* read at once [byte] */
  struct stat st;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  char *piece  = malloc(most);
  int failed   = fd < 0 ? errno : !piece ? ENOMEM : fstat(fd, &st) ? errno : st.st_size != size ? ESTALE : 0;

  *crc         = 0;
  while (!failed && number > 0) {
    const ssize_t n = pread(fd, piece, number < (int64_t)most ? (size_t)number : most, (off_t)first);

    if (n < 0 && errno == EINTR) continue;
    failed = n < 0 ? errno : n == 0 ? ESTALE : 0;
    if (failed) break;
    *crc = crc32c(*crc, piece, (size_t)n);
    first += n;
    number -= n;
  }
  free(piece);
  if (fd >= 0) close(fd);
  return failed;
}

/* This rank's block, in as many pieces as the longest. */
static PetscErrorCode ReadBlock(MPI_Comm comm, ScoriaRun run, const char *path, int64_t size, int rank, int ranks,
                                uint32_t *crc, int *failed)
{
  const int64_t most = (size + ranks - 1) / ranks;
  int64_t first, number;
  bool stop = false;

  PetscFunctionBeginUser;
  *crc    = 0;
  *failed = 0;
  deal_block(size, rank, ranks, &first, &number);
  for (int64_t at = 0; at < most; at += PIECE) {
    const int64_t n = PetscMax(0, PetscMin(PIECE, number - at));
    uint32_t piece  = 0;

    if (!*failed) *failed = file_crc(path, size, first + PetscMin(at, number), n, &piece);
    *crc = crc32c_join(*crc, piece, n);
    if (run && at + PIECE < most) PetscCall(ScoriaStopAsked(run, &stop));
    if (stop) PetscCall(ScoriaStopped(run, "%s is finished, but not in the manifest yet", path));
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, failed, 1, MPI_INT, MPI_MAX, comm));
  PetscFunctionReturn(0);
}

PetscErrorCode FileCrc(MPI_Comm comm, ScoriaRun run, const char *path, int64_t size, uint32_t *crc, int *failed)
{
  uint32_t mine, *all;
  int64_t first, number;
  int rank, ranks;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  *crc    = 0;
  *failed = 1;
  if (size >= SHARED_FROM) {
    PetscCall(PetscMalloc1(ranks, &all));
    PetscCall(ReadBlock(comm, run, path, size, rank, ranks, &mine, failed));
    PetscCallMPI(MPI_Allgather(&mine, 1, MPI_UINT32_T, all, 1, MPI_UINT32_T, comm));
    for (int r = 0; r < ranks; r++) {
      deal_block(size, r, ranks, &first, &number);
      *crc = crc32c_join(*crc, all[r], number);
    }
    PetscCall(PetscFree(all));
  }
  if (*failed) { /* short, or not to be read by every rank */
    if (!rank) *failed = file_crc(path, size, 0, size, crc);
    PetscCallMPI(MPI_Bcast(failed, 1, MPI_INT, 0, comm));
    PetscCallMPI(MPI_Bcast(crc, 1, MPI_UINT32_T, 0, comm));
  }
  PetscFunctionReturn(0);
}

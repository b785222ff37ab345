/* What the cores, the network and the file system of a job can give: the roofs and the latencies that the phases of
 * scoria are held against (benchmarks/scaling/README.md).  All ranks measure at the same time, the best of several
 * rounds counts, and one line of JSON says it in SI units, sums over ranks:
 *
 *   triad                 memory traffic of a = b + 3 c on arrays beyond the caches [byte s^-1] (McCalpin's STREAM)
 *   single, double        products of square matrices, N = 512 [flop s^-1]
 *   latency, bandwidth    a and b of the allreduce of n bytes over P ranks taken as
 *                         2 ceil(log2 P) a + 2 (P - 1)/P n/b [s, byte s^-1]; 0 on one rank
 *   ticket                a draw from the counter of the dealer, all ranks drawing [s]
 *   write, read           a file shared by all ranks, written and synchronised, dropped from the cache and read back
 *                         [byte s^-1]
 *
 *   mpirun -n 2 bench_machine [-bytes 33554432] [-weights 200000] [-file_bytes 16777216] [-rounds 5] [-dir .] */
#include "score/blas.h"
#include "scoria/base.h"
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define GEMM 512
#define TICKETS 2000 /* a rank */

typedef struct {
  PetscInt bytes, weights, file_bytes, rounds; /* of an array; of an allreduce [8 byte]; of a file, a rank */
  char dir[PETSC_MAX_PATH_LEN];
} Options;

typedef struct {
  double triad, single, twice, latency, bandwidth, ticket, write, read;
} Machine;

static PetscErrorCode ReadOptions(Options *o)
{
  PetscFunctionBeginUser;
  *o = (Options){32 << 20, 200000, 16 << 20, 5, "."};
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bytes", &o->bytes, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-weights", &o->weights, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-file_bytes", &o->file_bytes, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-rounds", &o->rounds, NULL));
  PetscCall(PetscOptionsGetString(NULL, NULL, "-dir", o->dir, sizeof o->dir, NULL));
  PetscFunctionReturn(0);
}

/* All ranks start together; the slowest one's seconds, the least of all rounds, go to *best. */
static PetscErrorCode Start(double *began)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  *began = wall_seconds();
  PetscFunctionReturn(0);
}

static PetscErrorCode Stop(double began, double *best)
{
  double seconds = wall_seconds() - began;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD));
  *best = fmin(*best, seconds);
  PetscFunctionReturn(0);
}

/* Counted as STREAM does: two reads and a write; the read of a line that is written comes on top. */
static PetscErrorCode Triad(const Options *o, int ranks, Machine *m)
{
  const int64_t n = o->bytes / (PetscInt)sizeof(double);
  double *a, *b, *c, began, best = INFINITY;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(n, &a, n, &b, n, &c));
  for (int64_t i = 0; i < n; i++) {
    a[i] = 0;
    b[i] = (double)i;
    c[i] = 1;
  }
  for (int round = 0; round < o->rounds; round++) {
    PetscCall(Start(&began));
    for (int64_t i = 0; i < n; i++) a[i] = b[i] + 3 * c[i];
    PetscCall(Stop(began, &best));
  }
  PetscCheck(a[n - 1] == b[n - 1] + 3, PETSC_COMM_SELF, PETSC_ERR_PLIB, "the triad is wrong");
  m->triad = 3.0 * sizeof(double) * (double)n * ranks / best;
  PetscCall(PetscFree3(a, b, c));
  PetscFunctionReturn(0);
}

static PetscErrorCode Products(const Options *o, int ranks, Machine *m)
{
  const int n        = GEMM;
  const double flops = 2.0 * n * n * n * ranks;
  float *f;
  double *d, began, single = INFINITY, twice = INFINITY;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(3 * n * n, &f, 3 * n * n, &d));
  for (int i = 0; i < 3 * n * n; i++) f[i] = (float)(d[i] = 1e-3 * (i % 17));
  for (int round = 0; round < 4 * o->rounds; round++) {
    PetscCall(Start(&began));
    gemm_f(false, false, n, n, n, 1, f, n, f + n * n, n, 0, f + 2 * n * n, n);
    PetscCall(Stop(began, &single));
    PetscCall(Start(&began));
    gemm_d(false, false, n, n, n, 1, d, n, d + n * n, n, 0, d + 2 * n * n, n);
    PetscCall(Stop(began, &twice));
  }
  m->single = flops / single;
  m->twice  = flops / twice;
  PetscCall(PetscFree2(f, d));
  PetscFunctionReturn(0);
}

/* Rabenseifner's allreduce: a reduction that is scattered, then gathered. */
static PetscErrorCode Allreduce(const Options *o, int ranks, Machine *m)
{
  int64_t *sum;
  double began, small = INFINITY, large = INFINITY;
  PetscFunctionBeginUser;
  m->latency = m->bandwidth = 0;
  if (ranks == 1) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1(o->weights, &sum));
  for (int round = 0; round < 20 * o->rounds; round++) {
    PetscCall(Start(&began));
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 1, MPI_INT64_T, MPI_SUM, PETSC_COMM_WORLD));
    PetscCall(Stop(began, &small));
    PetscCall(Start(&began));
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, (PetscMPIInt)o->weights, MPI_INT64_T, MPI_SUM, PETSC_COMM_WORLD));
    PetscCall(Stop(began, &large));
  }
  m->latency   = small / (2 * ceil(log2(ranks)));
  m->bandwidth = 2.0 * (ranks - 1) / ranks * sizeof *sum * o->weights / fmax(large - small, 1e-9);
  PetscCall(PetscFree(sum));
  PetscFunctionReturn(0);
}

static PetscErrorCode Tickets(int ranks, Machine *m)
{
  ScoriaGroups groups;
  ScoriaDealer dealer;
  double began, best   = INFINITY;
  int64_t start, count = 1, drawn;
  PetscFunctionBeginUser;
  PetscCall(ScoriaGroupsCreate(PETSC_COMM_WORLD, 1, &groups));
  PetscCall(ScoriaDealerCreate(&groups, &dealer));
  PetscCall(ScoriaDealerOpen(dealer, 0, (int64_t)TICKETS * ranks, 1, 1));
  PetscCall(Start(&began));
  while (count) PetscCall(ScoriaDealerDraw(dealer, false, &start, &count));
  PetscCall(Stop(began, &best));
  PetscCall(ScoriaDealerClose(dealer, &drawn));
  m->ticket = best / (double)drawn;
  PetscCall(ScoriaDealerDestroy(&dealer));
  PetscCall(ScoriaGroupsDestroy(&groups));
  PetscFunctionReturn(0);
}

/* This rank's part of the file, written and on the disk, or read after it has left the cache; false: it failed. */
static bool transfer(const char *path, bool writes, off_t at, size_t size, char *buffer)
{
  const int fd = open(path, writes ? O_WRONLY | O_CREAT | O_CLOEXEC : O_RDONLY | O_CLOEXEC, 0666);
  bool good    = fd >= 0;
  if (good && !writes) posix_fadvise(fd, at, (off_t)size, POSIX_FADV_DONTNEED);
  for (size_t done = 0; good && done < size;) {
    const ssize_t n = writes ? pwrite(fd, buffer + done, size - done, at + (off_t)done)
                             : pread(fd, buffer + done, size - done, at + (off_t)done);
    good            = n > 0;
    done += good ? (size_t)n : 0;
  }
  if (good && writes) good = fsync(fd) == 0;
  if (fd >= 0) close(fd);
  return good;
}

static PetscErrorCode File(const Options *o, int rank, int ranks, Machine *m)
{
  const size_t size = (size_t)o->file_bytes;
  char path[PETSC_MAX_PATH_LEN + 32], line[PETSC_MAX_PATH_LEN + 96], *buffer;
  double began, write = INFINITY, read = INFINITY;
  bool good = true;
  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(path, sizeof path, "%s/bench_machine.tmp", o->dir));
  PetscCall(PetscCalloc1(size, &buffer));
  for (int round = 0; round < 2; round++) {
    PetscCall(Start(&began));
    good = good && transfer(path, true, (off_t)size * rank, size, buffer);
    PetscCall(Stop(began, &write));
    PetscCall(Start(&began));
    good = good && transfer(path, false, (off_t)size * rank, size, buffer);
    PetscCall(Stop(began, &read));
  }
  if (rank == 0) unlink(path);
  PetscCall(PetscFree(buffer));
  snprintf(line, sizeof line, "%s: cannot be written and read back (-dir)", path);
  PetscCall(ScoriaAgree(PETSC_COMM_WORLD, good ? SCORIA_EXIT_OK : SCORIA_EXIT_IO, line));
  m->write = (double)size * ranks / write;
  m->read  = (double)size * ranks / read;
  PetscFunctionReturn(0);
}

static PetscErrorCode Measure(void)
{
  Options o;
  Machine m = {0};
  int rank, ranks;
  PetscFunctionBeginUser;
  PetscCall(ReadOptions(&o));
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &ranks));
  PetscCall(Triad(&o, ranks, &m));
  PetscCall(Products(&o, ranks, &m));
  PetscCall(Allreduce(&o, ranks, &m));
  PetscCall(Tickets(ranks, &m));
  PetscCall(File(&o, rank, ranks, &m));
  if (rank == 0)
    printf("{\"event\":\"machine\",\"ranks\":%d,\"triad\":%.4g,\"single\":%.4g,\"double\":%.4g,\"latency\":%.4g,"
           "\"bandwidth\":%.4g,\"ticket\":%.4g,\"write\":%.4g,\"read\":%.4g}\n",
           ranks, m.triad, m.single, m.twice, m.latency, m.bandwidth, m.ticket, m.write, m.read);
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCall(PetscPushErrorHandler(ScoriaErrorHandler, NULL));
  const PetscErrorCode failed = Measure();
  int rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (failed && rank == 0) fprintf(stderr, "bench_machine: %s\n", ScoriaFailureLine());
  if (PetscFinalize()) return SCORIA_EXIT_INTERNAL;
  return failed ? (int)ScoriaFailureCode() : SCORIA_EXIT_OK;
}

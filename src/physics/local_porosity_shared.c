/* Local porosities in use: rank 0 reads them, then each node holds one copy, in memory that its ranks share. */
#include "local_porosity.h"
#include "scoria/foreign_files.h"
#include <string.h>

/* A structure in use, or the one that was read last. */
typedef struct Kept_ {
  LocalPorosity local;
  LocalPorosityOptions opt;
  MPI_Comm node; /* owned */
  MPI_Win win;   /* owned: holds the numbers */
  int users;     /* on this rank */
  struct Kept_ *next;
} Kept;

static Kept *kept; /* the same ones in the same order on every rank */

/* One copy on every node, from rank 0's. */
static PetscErrorCode Share(const double eps[], Kept *k)
{
  const int64_t n = window_count(&k->local);
  MPI_Comm leaders;
  MPI_Aint bytes;
  double *shared;
  int rank, on_node, unit;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_split_type(PETSC_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &k->node));
  PetscCallMPI(MPI_Comm_rank(k->node, &on_node));
  PetscCallMPI(MPI_Win_allocate_shared(on_node ? 0 : (MPI_Aint)sizeof(double) * n, sizeof(double), MPI_INFO_NULL,
                                       k->node, &shared, &k->win));
  PetscCallMPI(MPI_Win_shared_query(k->win, 0, &bytes, &unit, &shared));
  PetscCallMPI(MPI_Win_fence(0, k->win));
  PetscCallMPI(MPI_Comm_split(PETSC_COMM_WORLD, on_node ? MPI_UNDEFINED : 0, rank, &leaders));
  if (!rank) PetscCall(PetscArraycpy(shared, eps, n));
  if (leaders != MPI_COMM_NULL) {
    PetscCall(ScoriaBroadcastMany(leaders, 0, n, MPI_DOUBLE, shared));
    PetscCallMPI(MPI_Comm_free(&leaders));
  }
  PetscCallMPI(MPI_Win_fence(0, k->win));
  k->local.eps = shared;
  PetscFunctionReturn(0);
}

/* Those that no rank uses, or all. */
static PetscErrorCode Forget(bool all)
{
  PetscFunctionBeginUser;
  for (Kept **at = &kept; *at;) {
    Kept *k   = *at;
    int users = k->users;
    if (!all) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &users, 1, MPI_INT, MPI_MAX, PETSC_COMM_WORLD));
    if (!all && users) {
      at = &k->next;
      continue;
    }
    *at = k->next;
    PetscCallMPI(MPI_Win_free(&k->win));
    PetscCallMPI(MPI_Comm_free(&k->node));
    PetscCall(PetscFree(k));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ForgetAll(void)
{
  PetscFunctionBeginUser;
  PetscCall(Forget(true));
  PetscFunctionReturn(0);
}

/* Into k, of which source is set. */
static PetscErrorCode ReadShared(const LocalPorosityOptions *opt, Kept *k)
{
  char now[SCORIA_SOURCE_SIZE];
  double *eps = NULL;
  int rank;
  PetscFunctionBeginUser;
  PetscCall(PetscStrncpy(now, k->local.source, sizeof now));
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  const PetscErrorCode failed = rank ? 0 : LocalPorosityRead(opt, &k->local, &eps);
  PetscCall(ScoriaAgreeFailed(PETSC_COMM_WORLD, failed));
  PetscCallMPI(MPI_Bcast(&k->local, (int)sizeof k->local, MPI_BYTE, 0, PETSC_COMM_WORLD));
  PetscCall(PetscStrncpy(k->local.source, now, sizeof k->local.source));
  k->opt = *opt;
  PetscCall(Share(eps, k));
  PetscCall(PetscFree(eps));
  PetscFunctionReturn(0);
}

PetscErrorCode LocalPorosityGet(const LocalPorosityOptions *opt, const LocalPorosity **local)
{
  static bool registered = false;
  char now[SCORIA_SOURCE_SIZE];
  Kept *k;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStructureNow(PETSC_COMM_WORLD, opt->path, now));
  for (k = kept; k && (memcmp(&k->opt, opt, sizeof *opt) || strcmp(k->local.source, now)); k = k->next)
    ;
  if (!k) {
    PetscCall(Forget(false));
    PetscCall(PetscNew(&k));
    PetscCall(PetscStrncpy(k->local.source, now, sizeof k->local.source));
    const PetscErrorCode failed = ReadShared(opt, k);
    if (failed) PetscCall(PetscFree(k));
    PetscCall(failed);
    k->next = kept;
    kept    = k;
    if (!registered) PetscCall(PetscRegisterFinalize(ForgetAll));
    registered = true;
  }
  k->users++;
  *local = &k->local;
  PetscFunctionReturn(0);
}

void local_porosity_release(const LocalPorosity *local)
{
  for (Kept *k = kept; k; k = k->next) k->users -= &k->local == local;
}

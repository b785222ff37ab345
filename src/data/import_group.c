/* import: which rows belong to which condition, and where each stands in the dataset. */
#include "import.h"
#include <string.h>

PetscErrorCode ImportSort(Import *im, int (*compare)(const void *, const void *))
{
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(im->comm, &rank));
  PetscCall(ScoriaSortRanks(im->comm, im->block, sizeof *im->row, im->row, compare));
  im->rows = PetscMin(im->block, PetscMax(0, im->found - rank * im->block)); /* the others are behind them */
  PetscFunctionReturn(0);
}

static int by_theta(const void *a, const void *b)
{
  const ImportRow *p = a, *q = b;
  const bool none = p->row == IMPORT_NO_ROW || q->row == IMPORT_NO_ROW;
  for (int k = 0; k < SCORIA_MAX_CONDITIONS && !none; k++)
    if (p->theta[k] != q->theta[k]) return p->theta[k] < q->theta[k] ? -1 : 1;
  return (p->row > q->row) - (p->row < q->row);
}

/* Conditions in the order in which the file brings them, each with its rows in the file's order. */
static int by_place(const void *a, const void *b)
{
  const ImportRow *p = a, *q = b;
  const bool none = p->row == IMPORT_NO_ROW || q->row == IMPORT_NO_ROW;
  if (!none && p->first != q->first) return p->first < q->first ? -1 : 1;
  return (p->row > q->row) - (p->row < q->row);
}

static bool same_theta(const ImportRow *p, const ImportRow *q)
{
  bool same = true;
  for (int k = 0; k < SCORIA_MAX_CONDITIONS; k++) same = same && p->theta[k] == q->theta[k];
  return same;
}

/* The first row of each row's condition, and its index there, of rows sorted by conditions: how many conditions there
 * are, and how many rows one of them has at most.  One rank after the other. */
static PetscErrorCode Count(Import *im, int64_t *groups, int64_t *most)
{
  ImportRow last = {.row = IMPORT_NO_ROW};
  int rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(im->comm, &rank));
  PetscCallMPI(MPI_Comm_size(im->comm, &size));
  *groups = *most = 0;
  if (rank) PetscCallMPI(MPI_Recv(&last, sizeof last, MPI_BYTE, rank - 1, 0, im->comm, MPI_STATUS_IGNORE));
  for (int64_t i = 0; i < im->rows; i++) {
    ImportRow *row   = &im->row[i];
    const bool first = last.row == IMPORT_NO_ROW || !same_theta(&last, row);
    row->first       = first ? row->row : last.first;
    row->at          = first ? 0 : last.at + 1;
    last             = *row;
    *groups += first;
    *most = PetscMax(*most, row->at + 1);
  }
  if (rank + 1 < size) PetscCallMPI(MPI_Send(&last, sizeof last, MPI_BYTE, rank + 1, 0, im->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, groups, 1, MPI_INT64_T, MPI_SUM, im->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, most, 1, MPI_INT64_T, MPI_MAX, im->comm));
  PetscFunctionReturn(0);
}

#define FILLING (1LL << 30) /* bytes that rows which are not there may take, or twice those of the rows that are */

/* Filling up could make a few rows many: any mixture will do, as long as the file stays of a size that it is worth. */
static PetscErrorCode CheckGroups(const Import *im, int64_t groups, int64_t most)
{
  const double width  = (im->spec.float64 ? 8.0 : 4.0) * im->spec.cells * im->spec.nfields + 64;
  const double lacked = ((double)groups * (double)most - (double)im->found) * width;
  PetscFunctionBeginUser;
  if (lacked > PetscMax((double)FILLING, 2 * width * (double)im->found))
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: %lld rows at %lld conditions, but %lld at one of them: a dataset has as many of each, and would "
                "hold %.1f GB of rows that are not there; leave rows of the most repeated conditions out",
                im->path, (long long)im->found, (long long)groups, (long long)most, 1e-9 * lacked);
  PetscFunctionReturn(0);
}

/* From the index among the rows of a condition to the row of the dataset; and which of these are this rank's. */
static PetscErrorCode Place(Import *im)
{
  const int64_t most = im->spec.realisations;
  int64_t firsts = 0, before = 0;
  int rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(im->comm, &rank));
  PetscCallMPI(MPI_Comm_size(im->comm, &size));
  for (int64_t i = 0; i < im->rows; i++) firsts += im->row[i].at == 0;
  PetscCallMPI(MPI_Exscan(&firsts, &before, 1, MPI_INT64_T, MPI_SUM, im->comm));
  if (!rank) before = 0; /* which Exscan leaves as it was */
  for (int64_t i = 0; i < im->rows; i++) {
    before += im->row[i].at == 0;
    im->row[i].at += (before - 1) * most;
  }
  im->begin = im->rows ? im->row[0].at : im->spec.rows;
  im->end   = im->spec.rows;
  PetscCallMPI(MPI_Sendrecv(&im->begin, 1, MPI_INT64_T, rank ? rank - 1 : MPI_PROC_NULL, 0, &im->end, 1, MPI_INT64_T,
                            rank + 1 < size ? rank + 1 : MPI_PROC_NULL, 0, im->comm, MPI_STATUS_IGNORE));
  PetscFunctionReturn(0);
}

/* A condition that has fewer rows than another is filled up with rows that are marked as failed, since a dataset has
 * equally many of each: they lie behind its last row, and are written by the rank that has that. */
PetscErrorCode ImportGroup(Import *im)
{
  int64_t groups, most;
  PetscFunctionBeginUser;
  PetscCall(ImportSort(im, by_theta));
  PetscCall(Count(im, &groups, &most));
  PetscCall(CheckGroups(im, groups, most));
  im->spec.realisations = most;
  im->spec.rows         = groups * most;
  im->lacking           = im->spec.rows - im->found;
  PetscCall(ImportSort(im, by_place));
  PetscCall(Place(im));
  PetscFunctionReturn(0);
}

int64_t import_find(const Import *im, int64_t place)
{
  int64_t lo = 0, hi = im->rows;
  while (hi - lo > 1) *(im->row[(lo + hi) / 2].at <= place ? &lo : &hi) = (lo + hi) / 2;
  return lo;
}

PetscErrorCode ImportDestroy(Import *im)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaForeignClose(&im->file));
  PetscCall(PetscFree(im->centres));
  PetscCall(PetscFree(im->row));
  PetscFunctionReturn(0);
}

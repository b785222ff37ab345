/* Rows from the ranks that computed them to the ranks that write them, whole rows in one exchange: a record holds the
 * row's number, then one item of every column, fields in the precision of the file, to which they are rounded anyhow.
 * Rows that stay on their rank are copied once. */
#include "private.h"
#include "scoria/phases.h"
#include <string.h>

#define MAX_COLUMNS (SCORIA_MAX_FIELDS + SCORIA_MAX_CONDITIONS + SCORIA_STATUS_COLUMNS)

/* Where row i of a column lies: base + i * size.  Of `single` reals, when it is not 0, a record holds floats. */
typedef struct {
  char *base;
  size_t size;
  int single;
} Column;

static int list_columns(const ScoriaDatasetSpec *spec, const ScoriaRows *rows, Column column[MAX_COLUMNS])
{
  int n = 0;

  for (int f = 0; f < spec->nfields; f++)
    column[n++] =
        (Column){(char *)rows->field[f], (size_t)spec->cells * sizeof(double), spec->float64 ? 0 : spec->cells};
  for (int c = 0; c < spec->space.n; c++) column[n++] = (Column){(char *)rows->condition[c], sizeof(double), 0};
  for (int i = 0; i < SCORIA_STATUS_COLUMNS; i++)
    column[n++] = (Column){rows_status(rows, i), type_size(scoria_status[i].type), 0};
  return n;
}

static size_t item_size(const Column *column)
{
  return column->single ? (size_t)column->single * sizeof(float) : column->size;
}

/* In whole words, of which MPI can count more than of bytes. */
static size_t record_size(int n, const Column column[])
{
  size_t size = sizeof(int64_t);

  for (int i = 0; i < n; i++) size += item_size(&column[i]);
  return (size + sizeof(uint64_t) - 1) / sizeof(uint64_t) * sizeof(uint64_t);
}

/* What one exchange needs; counts and starts (ranks) are in records. */
typedef struct {
  int ranks, rank;
  int64_t first, number; /* the range of rows */
  int kept;              /* rows that stay here, in none of the counts below */
  int *sent, *sent_at, *received, *received_at;
  char *out, *in; /* records */
  size_t size;    /* of a record [byte] */
} Exchange;

/* The rank whose block of the range holds a row: deal_block the other way round. */
static int owner(const Exchange *x, int64_t row)
{
  const int64_t share = x->number / x->ranks, more = x->number % x->ranks, at = row - x->first;

  return (int)(at < more * (share + 1) ? at / (share + 1) : more + (at - more * (share + 1)) / share);
}

static int accumulate(int n, const int count[], int start[])
{
  int sum = 0;

  for (int r = 0; r < n; r++) {
    start[r] = sum;
    sum += count[r];
  }
  return sum;
}

/* Counts what goes where, and tells the receivers. */
static PetscErrorCode Plan(MPI_Comm comm, const ScoriaRows *from, const int64_t where[], Exchange *x)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(comm, &x->ranks));
  PetscCall(PetscCalloc4(x->ranks, &x->sent, x->ranks, &x->sent_at, x->ranks, &x->received, x->ranks, &x->received_at));
  for (int64_t i = 0; i < from->rows; i++) x->sent[owner(x, where[i])]++;
  PetscCallMPI(MPI_Comm_rank(comm, &x->rank));
  PetscCallMPI(MPI_Alltoall(x->sent, 1, MPI_INT, x->received, 1, MPI_INT, comm));
  x->kept          = x->sent[x->rank];
  x->sent[x->rank] = x->received[x->rank] = 0;
  PetscCall(PetscMalloc2((size_t)accumulate(x->ranks, x->sent, x->sent_at) * x->size, &x->out,
                         (size_t)accumulate(x->ranks, x->received, x->received_at) * x->size, &x->in));
  PetscFunctionReturn(0);
}

/* Row i of a source to row `to` of a target. */
static void copy_row(int n, const Column source[], int64_t i, const Column target[], int64_t to)
{
  for (int c = 0; c < n; c++)
    memcpy(target[c].base + (size_t)to * target[c].size, source[c].base + (size_t)i * source[c].size, source[c].size);
}

static void pack_item(const Column *column, const char *item, char *packed)
{
  const double *wide = (const double *)item;
  if (!column->single) memcpy(packed, item, column->size);
  for (int k = 0; k < column->single; k++) {
    const float rounded = (float)wide[k];
    memcpy(packed + (size_t)k * sizeof rounded, &rounded, sizeof rounded);
  }
}

static void unpack_item(const Column *column, const char *packed, char *item)
{
  double *wide = (double *)item;
  if (!column->single) memcpy(item, packed, column->size);
  for (int k = 0; k < column->single; k++) {
    float rounded;
    memcpy(&rounded, packed + (size_t)k * sizeof rounded, sizeof rounded);
    wide[k] = rounded;
  }
}

static void pack_row(int n, const Column source[], int64_t i, int64_t row, char *record)
{
  memcpy(record, &row, sizeof row);
  record += sizeof row;
  for (int c = 0; c < n; record += item_size(&source[c++]))
    pack_item(&source[c], source[c].base + (size_t)i * source[c].size, record);
}

/* Records in the order of the ranks they go to; what stays goes straight to its place, rows from `at` on. */
static PetscErrorCode Pack(const ScoriaRows *from, const int64_t where[], int n, const Column source[],
                           const Column target[], int64_t at, const Exchange *x)
{
  int *next;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(x->ranks, &next));
  PetscCall(PetscArraycpy(next, x->sent_at, x->ranks));
  for (int64_t i = 0; i < from->rows; i++) {
    const int to = owner(x, where[i]);

    if (to == x->rank)
      copy_row(n, source, i, target, where[i] - at);
    else
      pack_row(n, source, i, where[i], x->out + (size_t)next[to]++ * x->size);
  }
  PetscCall(PetscFree(next));
  PetscFunctionReturn(0);
}

static PetscErrorCode Send(MPI_Comm comm, const Exchange *x)
{
  MPI_Datatype record;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Type_contiguous((int)(x->size / sizeof(uint64_t)), MPI_UINT64_T, &record));
  PetscCallMPI(MPI_Type_commit(&record));
  PetscCallMPI(MPI_Alltoallv(x->out, x->sent, x->sent_at, record, x->in, x->received, x->received_at, record, comm));
  PetscCallMPI(MPI_Type_free(&record));
  PetscFunctionReturn(0);
}

/* Puts every record in its place among the rows from `at` on. */
static void unpack(const Exchange *x, int64_t at, int n, const Column column[], int64_t count)
{
  for (int64_t i = 0; i < count; i++) {
    const char *record = x->in + (size_t)i * x->size;
    int64_t row;

    memcpy(&row, record, sizeof row);
    record += sizeof row;
    for (int c = 0; c < n; record += item_size(&column[c++]))
      unpack_item(&column[c], record, column[c].base + (size_t)(row - at) * column[c].size);
  }
}

PetscErrorCode ScoriaRowsExchange(MPI_Comm comm, const ScoriaDatasetSpec *spec, const ScoriaRows *from,
                                  const int64_t where[], int64_t first, int64_t number, int64_t *at, ScoriaRows *to)
{
  Exchange x = {.first = first, .number = number};
  Column source[MAX_COLUMNS], target[MAX_COLUMNS];
  const int n = list_columns(spec, from, source);
  int64_t came;

  PetscFunctionBeginUser;
  phase_begin(SCORIA_PHASE_EXCHANGE);
  list_columns(spec, to, target);
  x.size = record_size(n, source);
  PetscCall(Plan(comm, from, where, &x));
  came = x.received_at[x.ranks - 1] + x.received[x.ranks - 1];
  deal_block(number, x.rank, x.ranks, at, &to->rows);
  *at += first;
  PetscCheck(to->rows <= to->capacity, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ, "%lld rows, room for %lld",
             (long long)to->rows, (long long)to->capacity);
  PetscCheck(came + x.kept == to->rows, PETSC_COMM_SELF, PETSC_ERR_PLIB,
             "%lld rows came and %d stayed where %lld are to be written", (long long)came, x.kept, (long long)to->rows);
  PetscCall(Pack(from, where, n, source, target, *at, &x));
  PetscCall(Send(comm, &x));
  unpack(&x, *at, n, target, came);
  phase_bytes((double)came * (double)x.size);
  PetscCall(PetscFree2(x.out, x.in));
  PetscCall(PetscFree4(x.sent, x.sent_at, x.received, x.received_at));
  phase_end(SCORIA_PHASE_EXCHANGE, (double)to->rows);
  PetscFunctionReturn(0);
}

/* refine: the rows that are done, and their checkpoint, which makes a stop or a kill cost the rows at work alone.
 *
 * A row is a sequence of numbers: its fields, conditions, status and what the search ended with. */
#include "refine.h"

#define CHECKPOINT "refine.ckpt"

enum { DONE, REASON, NEWTON, ATTEMPTS, RESIDUAL, STATUS }; /* of a row, behind its fields and conditions */

static int64_t at_status(const RefineKept *kept)
{
  return (int64_t)kept->spec->nfields * kept->spec->cells + kept->spec->space.n;
}

void refine_keep(RefineKept *kept, int64_t at, const ScoriaRows *rows, int64_t from, const double column[])
{
  const int64_t L = kept->spec->cells;
  double *to      = kept->row + at * kept->width;
  for (int c = 0; c < kept->spec->nfields; c++, to += L)
    for (int64_t i = 0; i < L; i++) to[i] = rows->field[c][from * L + i];
  for (int k = 0; k < kept->spec->space.n; k++) *to++ = rows->condition[k][from];
  to[DONE]     = rows->done[from];
  to[REASON]   = rows->reason[from];
  to[NEWTON]   = rows->newton[from];
  to[ATTEMPTS] = rows->attempts[from];
  to[RESIDUAL] = rows->residual[from];
  for (int c = 0; c < REFINE_COLUMNS; c++) to[STATUS + c] = column[c];
}

void refine_take(const RefineKept *kept, int64_t first, int64_t n, ScoriaRows *rows)
{
  const int64_t L = kept->spec->cells;
  for (int64_t at = 0; at < n; at++) {
    const double *from = kept->row + (first + at) * kept->width;
    for (int c = 0; c < kept->spec->nfields; c++, from += L)
      for (int64_t i = 0; i < L; i++) rows->field[c][at * L + i] = from[i];
    for (int k = 0; k < kept->spec->space.n; k++) rows->condition[k][at] = *from++;
    rows->done[at]     = (uint8_t)from[DONE];
    rows->reason[at]   = (int32_t)from[REASON];
    rows->newton[at]   = (int32_t)from[NEWTON];
    rows->attempts[at] = (uint8_t)from[ATTEMPTS];
    rows->residual[at] = from[RESIDUAL];
  }
  rows->rows = n;
}

const double *refine_column(const RefineKept *kept, int64_t at)
{
  return kept->row + at * kept->width + at_status(kept) + STATUS;
}

PetscErrorCode RefineKeptShare(RefineKept *kept)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaReduceMany(kept->given->comm, MPI_SUM, kept->done * kept->width, MPI_INT64_T, kept->row));
  PetscFunctionReturn(0);
}

PetscErrorCode RefineKeptSave(RefineKept *kept)
{
  const int64_t size[2] = {kept->done, kept->width}, numbers = size[0] * size[1];
  PetscMPIInt rank;
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(kept->given->comm, &rank));
  PetscCall(ScoriaReduceManyTo(kept->given->comm, 0, MPI_SUM, numbers, MPI_INT64_T, kept->row));
  PetscCall(ScoriaCheckpointBegin(kept->run, kept->deck, CHECKPOINT, &store));
  PetscCall(ScoriaStorePutMadeFrom(store, &kept->given->made));
  PetscCall(ScoriaStorePutInt(store, "done", kept->done));
  PetscCall(ScoriaStorePutReals(store, "/rows", 2, size, kept->row, "", "fields, conditions and numbers of a row"));
  PetscCall(ScoriaCheckpointEnd(kept->run, CHECKPOINT, &store));
  if (rank) PetscCall(PetscArrayzero(kept->row, numbers)); /* rank 0 has them now */
  kept->saved = wall_seconds();
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- reading ---- */

static PetscErrorCode CheckMade(void *ctx, const char *path, ScoriaStore store)
{
  const RefineKept *kept = ctx;
  ScoriaMadeFrom made;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreMadeFrom(store, &made));
  PetscCall(ScoriaChainCheck(kept->run, path, &made));
  PetscCall(ScoriaChainCheckFile(kept->run, path, &made, kept->given->path));
  PetscFunctionReturn(0);
}

static PetscErrorCode Clear(void *ctx)
{
  RefineKept *kept = ctx;
  PetscFunctionBeginUser;
  kept->done = 0;
  PetscCall(PetscArrayzero(kept->row, kept->spec->rows * kept->width));
  PetscFunctionReturn(0);
}

static PetscErrorCode Read(void *ctx, ScoriaStore store)
{
  RefineKept *kept = ctx;
  PetscMPIInt rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(kept->given->comm, &rank));
  PetscCall(ScoriaStoreGetInt(store, "done", &kept->done));
  if (kept->done < 0 || kept->done > kept->spec->rows)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, CHECKPOINT ": found %lld rows, expected %lld at most", (long long)kept->done,
                (long long)kept->spec->rows);
  PetscCall(ScoriaStoreGetReals(store, "/rows", kept->done * kept->width, kept->row));
  if (rank) PetscCall(PetscArrayzero(kept->row, kept->done * kept->width));
  PetscFunctionReturn(0);
}

PetscErrorCode RefineKeptFind(ScoriaRun run, ScoriaDeck deck, const RefineGiven *given, const ScoriaDatasetSpec *spec,
                              RefineKept *kept)
{
  const ScoriaCheckpointReader reader = {
      .results = SCORIA_OF_REFINED, .ctx = kept, .check = CheckMade, .read = Read, .clear = Clear};
  ScoriaCheckpointFound file;
  PetscFunctionBeginUser;
  *kept       = (RefineKept){.run = run, .deck = deck, .given = given, .spec = spec, .saved = wall_seconds()};
  kept->width = at_status(kept) + STATUS + REFINE_COLUMNS;
  PetscCall(PetscCalloc1(spec->rows * kept->width, &kept->row));
  PetscCall(ScoriaCheckpointFind(run, deck, CHECKPOINT, &reader, &file));
  if (file.whole)
    PetscCall(ScoriaSay(run, "  %s: resuming at field %lld of %lld", file.path, (long long)kept->done + 1,
                        (long long)spec->rows));
  PetscFunctionReturn(0);
}

PetscErrorCode RefineKeptFinish(RefineKept *kept)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaCheckpointRemove(kept->run, CHECKPOINT));
  PetscCall(PetscFree(kept->row));
  PetscFunctionReturn(0);
}

PetscErrorCode RefineKeptForget(ScoriaRun run, ScoriaDeck deck)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaCheckpointForget(run, deck, CHECKPOINT, SCORIA_OF_REFINED));
  PetscFunctionReturn(0);
}

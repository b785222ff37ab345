/* A dataset that grows: a finished one of fewer conditions of the same design is the beginning of the one that the deck
 * asks for.  Its rows are copied, not computed again, into the part file of the larger one; it stays what it is until
 * that is whole and takes its place. */
#include "generate.h"
#include <string.h>

#define COPY_BYTES ((size_t)16 << 20) /* of rows that a rank holds at a time */

PetscErrorCode GenerateFindSmaller(ScoriaRun run, ScoriaDeck deck, const char *path, unsigned results,
                                   ScoriaDataset *smaller)
{
  const ScoriaDatasetSpec *spec;
  const char *stored;
  char difference[512];
  const char *design;
  PetscInt here = 0, there = 0;
  bool exists;
  PetscFunctionBeginUser;
  *smaller = NULL;
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, &exists));
  if (!exists) PetscFunctionReturn(0);
  PetscCall(ScoriaDatasetOpen(ScoriaRunComm(run), path, smaller));
  PetscCall(ScoriaDatasetInfo(*smaller, &spec, NULL, &stored));
  PetscCall(ScoriaDeckDifference(deck, stored, results, sizeof difference, difference));
  PetscCall(ScoriaDeckInt(deck, "ensemble_conditions", &here));
  PetscCall(ScoriaDeckStoredInt(deck, stored, "ensemble_conditions", &there));
  PetscCall(ScoriaDeckString(deck, "conditions_design", &design));
  if (*difference || here <= there) {
    PetscCall(ScoriaDatasetClose(smaller));
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaChainCheckLibrary(run, deck, path, dataset_made_from(*smaller)));
  if (!strcmp(design, "lhs"))
    SCORIA_FAIL(
        SCORIA_EXIT_INPUT,
        "%s: has %d conditions of a Latin hypercube, %d are asked for: no condition of the larger one is in the "
        "smaller; other designs (sobol, random) can grow",
        path, (int)there, (int)here);
  PetscCall(ScoriaSay(run, "  %s grows from %d to %d conditions", path, (int)there, (int)here));
  PetscCall(ScoriaLog(run, "grow", "\"from\":%d,\"to\":%d", (int)there, (int)here));
  PetscFunctionReturn(0);
}

/* Rows [first, first + number), shared among the ranks. */
static PetscErrorCode CopyRun(ScoriaRun run, ScoriaDataset smaller, GenerateDesign *design, int64_t first,
                              int64_t number, Partial *out, ScoriaRows *rows, ScoriaSolveTally *tally)
{
  const MPI_Comm comm = ScoriaRunComm(run);
  char line[160]      = "";
  int rank, size;
  int64_t at, mine;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  deal_block(number, rank, size, &at, &mine);
  PetscCall(ScoriaDatasetRead(smaller, first + at, mine, rows));
  const bool same = generate_at_design(design, rows, first + at);
  if (!same) snprintf(line, sizeof line, "the smaller dataset: its conditions are not the first of the deck's design");
  PetscCall(ScoriaAgree(comm, same ? SCORIA_EXIT_OK : SCORIA_EXIT_INPUT, line));
  PetscCall(ScoriaDatasetWrite(out->ds, first + at, rows));
  generate_tally(rows, tally);
  PetscCall(ScoriaIntervalsAdd(&out->there, first, first + number));
  PetscFunctionReturn(0);
}

PetscErrorCode GenerateCopy(ScoriaRun run, ScoriaDataset smaller, GenerateDesign *design, Partial *out,
                            ScoriaSolveTally *tally)
{
  const ScoriaDatasetSpec *spec;
  ScoriaRows rows;
  int64_t first = 0, number;
  int size;
  bool stop = false;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(ScoriaRunComm(run), &size));
  PetscCall(ScoriaDatasetInfo(smaller, &spec, NULL, NULL));
  const size_t row    = sizeof(double) * (size_t)spec->cells * (size_t)spec->nfields;
  const int64_t batch = PetscMax((int64_t)(COPY_BYTES / row), 1);
  PetscCall(ScoriaRowsCreate(spec, batch, &rows));
  for (;;) {
    partial_next(out, spec->rows, batch * size, &first, &number);
    if (!number || stop) break;
    PetscCall(CopyRun(run, smaller, design, first, number, out, &rows, tally));
    PetscCall(ScoriaStopAsked(run, &stop));
  }
  PetscCall(ScoriaRowsDestroy(&rows));
  if (number) PetscCall(PartialStop(run, out, partial_has(out, 0, INT64_MAX)));
  PetscFunctionReturn(0);
}

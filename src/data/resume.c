/* A dataset that outlives its run: what is done is kept, and the next start of the same command resumes from there. */
#include "making.h"
#include <stdio.h>
#include <string.h>

/* The part file is this deck's, of what stands in the run directory, and as large as this deck asks for. */
static PetscErrorCode CheckBegun(ScoriaRun run, ScoriaDeck deck, const char *path, const ScoriaDatasetSpec *spec,
                                 unsigned results, ScoriaDataset ds)
{
  const ScoriaDatasetSpec *begun;
  const char *stored;
  char part[PETSC_MAX_PATH_LEN + 8], difference[512], cells[2][64];
  PetscFunctionBeginUser;
  snprintf(part, sizeof part, "%s.part", path);
  PetscCall(ScoriaChainCheck(run, part, dataset_made_from(ds)));
  PetscCall(ScoriaChainCheckLibrary(run, deck, part, dataset_made_from(ds)));
  PetscCall(ScoriaDatasetInfo(ds, &begun, NULL, &stored));
  PetscCall(ScoriaDeckDifference(deck, stored, results, sizeof difference, difference));
  if (*difference)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: begun by another deck (%s); nothing is overwritten: choose another -run_dir or move the file away",
                part, difference);
  if (begun->rows != spec->rows || begun->first != spec->first ||
      memcmp(begun->shape, spec->shape, sizeof begun->shape) || begun->float64 != spec->float64 ||
      memcmp(&begun->space, &spec->space, sizeof begun->space)) {
    spec_cells_text(begun, sizeof cells[0], cells[0]);
    spec_cells_text(spec, sizeof cells[1], cells[1]);
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: begun with %lld rows of %s or with other conditions, expected %lld rows of %s; choose another "
                "-run_dir or move the file away",
                part, (long long)begun->rows, cells[0], (long long)spec->rows, cells[1]);
  }
  if (strcmp(begun->source, spec->source))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: begun from %s, found %s; choose another -run_dir or move the file away", part,
                begun->source, spec->source);
  PetscFunctionReturn(0);
}

static PetscErrorCode Continue(ScoriaRun run, const char *path, int64_t rows,
                               void (*visit)(void *ctx, int64_t first, const ScoriaRows *rows), void *ctx, Partial *out)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetWatch(out->ds, run));
  PetscCall(ScoriaDatasetSurvey(out->ds, &out->there, visit, ctx));
  const long long there = partial_has(out, 0, rows);
  PetscCall(ScoriaSay(run, "  %s.part: %lld of %lld rows done; resuming", path, there, (long long)rows));
  PetscCall(ScoriaLog(run, "resume", "\"rows\":%lld,\"there\":%lld", (long long)rows, there));
  PetscFunctionReturn(0);
}

PetscErrorCode PartialBegin(ScoriaRun run, ScoriaDeck deck, const char *path, bool extends,
                            const ScoriaDatasetSpec *spec, const double x[], const ScoriaProvenance *from,
                            unsigned results, void (*visit)(void *ctx, int64_t first, const ScoriaRows *rows),
                            void *ctx, Partial *out)
{
  PetscFunctionBeginUser;
  *out = (Partial){0};
  PetscCall(ScoriaDatasetResume(ScoriaRunComm(run), path, extends, &out->ds));
  if (out->ds) PetscCall(CheckBegun(run, deck, path, spec, results, out->ds));
  if (out->ds)
    PetscCall(Continue(run, path, spec->rows, visit, ctx, out));
  else if (extends)
    PetscCall(ScoriaDatasetExtend(ScoriaRunComm(run), path, spec, x, from, &out->ds));
  else
    PetscCall(ScoriaDatasetCreate(ScoriaRunComm(run), path, spec, x, from, &out->ds));
  PetscCall(ScoriaDatasetWatch(out->ds, run));
  PetscFunctionReturn(0);
}

int64_t partial_has(const Partial *out, int64_t first, int64_t number)
{
  return intervals_count(&out->there, first, first + number);
}

void partial_next(const Partial *out, int64_t end, int64_t most, int64_t *first, int64_t *number)
{
  intervals_gap(&out->there, first, &end);
  *number = PetscMin(end - *first, most);
}

PetscErrorCode PartialFinish(Partial *out)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetFinish(&out->ds));
  PetscCall(ScoriaIntervalsDestroy(&out->there));
  PetscFunctionReturn(0);
}

PetscErrorCode PartialStop(ScoriaRun run, Partial *out, int64_t rows)
{
  const ScoriaDatasetSpec *spec;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetInfo(out->ds, &spec, NULL, NULL));
  const int64_t all = spec->rows;
  PetscCall(ScoriaDatasetClose(&out->ds));
  PetscCall(ScoriaIntervalsDestroy(&out->there));
  PetscCall(ScoriaStopped(run, "%lld of %lld rows are kept", (long long)rows, (long long)all));
  PetscFunctionReturn(0);
}

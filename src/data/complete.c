/* Files that are complete, and whose they are: nothing is made twice or overwritten. */
#include "scoria/data.h"

/* What gives a result of the same directory another name. */
static const char *other_name(unsigned results)
{
  if (results & SCORIA_DECIDES_UQ) return "-uq_file";
  if (results & SCORIA_DECIDES_INFER) return "-infer_file";
  return "-run_dir";
}

static PetscErrorCode Check(ScoriaDeck deck, const char *path, const char *stored, unsigned results)
{
  char difference[512];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckDifference(deck, stored, results, sizeof difference, difference));
  if (*difference)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: made by another deck (%s); nothing is overwritten: choose another %s or move the file away", path,
                difference, other_name(results));
  PetscFunctionReturn(0);
}

/* A finished file is made from what stands beside it: asked first, as the deck that it is compared with takes settings
 * from there. */
static PetscErrorCode CheckMade(ScoriaRun run, ScoriaDeck deck, const char *path, const ScoriaMadeFrom *made,
                                const char *file)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaChainCheck(run, path, made));
  PetscCall(ScoriaChainCheckLibrary(run, deck, path, made));
  if (file) PetscCall(ScoriaChainCheckFile(run, path, made, file));
  PetscFunctionReturn(0);
}

/* A file that is there: of this chain and this deck, or a user error. */
static PetscErrorCode Accept(ScoriaRun run, ScoriaDeck deck, const char *path, const ScoriaMadeFrom *made,
                             const char *stored, unsigned results, const char *file)
{
  PetscFunctionBeginUser;
  PetscCall(CheckMade(run, deck, path, made, file));
  PetscCall(Check(deck, path, stored, results));
  PetscCall(ScoriaSay(run, "  %s is complete", path));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCompleteDataset(ScoriaRun run, ScoriaDeck deck, const char *name, unsigned results,
                                     const char *file, bool *complete)
{
  char path[PETSC_MAX_PATH_LEN];
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, complete));
  if (*complete) {
    ScoriaDataset ds;
    const char *stored;
    PetscCall(ScoriaDatasetOpen(ScoriaRunComm(run), path, &ds));
    PetscCall(ScoriaDatasetInfo(ds, NULL, NULL, &stored));
    PetscCall(Accept(run, deck, path, dataset_made_from(ds), stored, results, file));
    PetscCall(ScoriaDatasetClose(&ds));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCompleteStore(ScoriaRun run, ScoriaDeck deck, const char *name, const char *kind, unsigned results,
                                   const char *file, bool *complete)
{
  char path[PETSC_MAX_PATH_LEN];
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, complete));
  if (*complete) {
    ScoriaStore store;
    ScoriaMadeFrom made;
    const char *stored;
    PetscCall(ScoriaStoreOpen(ScoriaRunComm(run), path, kind, &store));
    PetscCall(ScoriaStoreMadeFrom(store, &made));
    PetscCall(ScoriaStoreDeck(store, &stored));
    PetscCall(Accept(run, deck, path, &made, stored, results, file));
    PetscCall(ScoriaStoreClose(&store));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaProvenanceOfRun(ScoriaRun run, ScoriaDeck deck, const char *kind, int group_size,
                                     ScoriaProvenance *from)
{
  PetscInt seed = 0;
  int ranks;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(ScoriaRunComm(run), &ranks));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  *from = (ScoriaProvenance){.kind = kind, .seed = (uint64_t)seed, .ranks = ranks, .group_size = group_size};
  PetscCall(ScoriaDeckText(deck, &from->deck));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaWarnOfRest(ScoriaRun run, const ScoriaGroups *groups)
{
  const int rest = groups->size % groups->full_size;
  PetscFunctionBeginUser;
  if (groups->asked_size > groups->size)
    PetscCall(ScoriaSay(run, "  WARNING: ensemble: group_size is %d, but there are %d ranks, which share one solve",
                        groups->asked_size, groups->size));
  if (rest)
    PetscCall(ScoriaSay(run, "  WARNING: %d ranks make %d groups of ensemble: group_size %d; %d of them stay idle",
                        groups->size, groups->count, groups->full_size, rest));
  PetscFunctionReturn(0);
}

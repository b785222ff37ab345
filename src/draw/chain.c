/* The chain from a dataset over its model to results: what a file of the run directory was made from, held against what
 * stands there now. */
#include "scoria/draw.h"
#include "scoria/foreign_files.h"
#include <string.h>

/* A file that cannot be read is not what the command is about: said, and not compared. */
static PetscErrorCode PassOver(ScoriaRun run, PetscErrorCode failed)
{
  PetscFunctionBeginUser;
  if (ScoriaFailureCode() != SCORIA_EXIT_INPUT) PetscFunctionReturn(failed);
  PetscCall(ScoriaSay(run, "  WARNING: %s; nothing is compared with it", ScoriaFailureLine()));
  ScoriaFailureReset();
  PetscFunctionReturn(0);
}

/* Identity of model.h5; "" where there is none. */
static PetscErrorCode ModelHere(ScoriaRun run, const char *path, char here[SCORIA_IDENTITY_SIZE])
{
  ScoriaStore store;
  bool there;
  PetscFunctionBeginUser;
  *here = 0;
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, &there));
  if (!there) PetscFunctionReturn(0);
  const PetscErrorCode failed = ScoriaStoreOpen(ScoriaRunComm(run), path, "model", &store);
  if (failed) {
    PetscCall(PassOver(run, failed));
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaStoreIdentity(store, here));
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaChainModel(ScoriaRun run, char here[SCORIA_IDENTITY_SIZE])
{
  char path[PETSC_MAX_PATH_LEN];
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, "model.h5", sizeof path, path));
  PetscCall(ModelHere(run, path, here));
  PetscFunctionReturn(0);
}

/* Identity of a dataset file; "" where there is none.  grown, may be NULL: whether `made` is that of its first rows,
 * and then it is `here` too, without a look at the others. */
static PetscErrorCode DatasetHere(ScoriaRun run, const char *path, const char *made, char here[SCORIA_IDENTITY_SIZE],
                                  bool *grown)
{
  const int64_t rows = identity_rows(made);
  ScoriaDataset ds;
  bool there;
  PetscFunctionBeginUser;
  *here = 0;
  if (grown) *grown = false;
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, &there));
  if (!there) PetscFunctionReturn(0);
  const PetscErrorCode failed = ScoriaDatasetOpen(ScoriaRunComm(run), path, &ds);
  if (failed) {
    PetscCall(PassOver(run, failed));
    PetscFunctionReturn(0);
  }
  if (grown && rows && rows < dataset_rows(ds)) {
    PetscCall(ScoriaDatasetIdentity(run, ds, rows, here));
    *grown = !strcmp(here, made);
  }
  if (!grown || !*grown) PetscCall(ScoriaDatasetIdentity(run, ds, dataset_rows(ds), here));
  PetscCall(ScoriaDatasetClose(&ds));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaChainCheck(ScoriaRun run, const char *path, const ScoriaMadeFrom *made)
{
  static const char line[] = "%s: made from a %s of %s, but %s has %s; nothing is overwritten: move one of the two "
                             "away, or choose another -run_dir";
  char other[PETSC_MAX_PATH_LEN], here[SCORIA_IDENTITY_SIZE];
  bool grown;
  PetscFunctionBeginUser;
  if (*made->model) {
    PetscCall(ScoriaRunPath(run, "model.h5", sizeof other, other));
    PetscCall(ModelHere(run, other, here));
    if (*here && strcmp(here, made->model))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, line, path, "model", made->model, other, here);
  }
  if (*made->dataset) {
    PetscCall(ScoriaRunPath(run, "dataset.h5", sizeof other, other));
    PetscCall(DatasetHere(run, other, made->dataset, here, &grown));
    if (*here && strcmp(here, made->dataset))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, line, path, "dataset", made->dataset, other, here);
    if (grown) PetscCall(ScoriaSay(run, "  %s: made from the first rows of %s, which has grown since", path, other));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode MadeFromOf(MPI_Comm comm, const char *path, const char *kind, ScoriaMadeFrom *made)
{
  ScoriaStore store;
  ScoriaDataset ds;
  PetscFunctionBeginUser;
  if (kind) {
    PetscCall(ScoriaStoreOpen(comm, path, kind, &store));
    PetscCall(ScoriaStoreMadeFrom(store, made));
    PetscCall(ScoriaStoreClose(&store));
  } else {
    PetscCall(ScoriaDatasetOpen(comm, path, &ds));
    *made = *dataset_made_from(ds);
    PetscCall(ScoriaDatasetClose(&ds));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaChainCheckResult(ScoriaRun run, const char *name, const char *kind)
{
  char path[PETSC_MAX_PATH_LEN];
  ScoriaMadeFrom made = {.model = ""};
  bool there;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, &there));
  if (!there) PetscFunctionReturn(0);
  const PetscErrorCode failed = MadeFromOf(ScoriaRunComm(run), path, kind, &made);
  if (failed)
    PetscCall(PassOver(run, failed));
  else
    PetscCall(ScoriaChainCheck(run, path, &made));
  PetscFunctionReturn(0);
}

/* Identity of a file that the deck names: of its rows where `made`, what is compared, is of rows, else of its bytes. */
static PetscErrorCode FileHere(ScoriaRun run, const char *path, const char *made, char here[SCORIA_SOURCE_SIZE])
{
  PetscFunctionBeginUser;
  if (identity_rows(made))
    PetscCall(DatasetHere(run, path, made, here, NULL));
  else
    PetscCall(ScoriaSourceNow(ScoriaRunComm(run), path, NULL, 0, here));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaChainCheckFile(ScoriaRun run, const char *path, const ScoriaMadeFrom *made, const char *file)
{
  char here[SCORIA_SOURCE_SIZE];
  PetscFunctionBeginUser;
  if (!*made->file) PetscFunctionReturn(0);
  PetscCall(FileHere(run, file, made->file, here));
  if (*here && strcmp(here, made->file))
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: made from %s when that was %s; it is %s now; nothing is overwritten: move the old result away, or "
                "choose another -run_dir",
                path, file, made->file, here);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaChainCheckLibrary(ScoriaRun run, ScoriaDeck deck, const char *path, const ScoriaMadeFrom *made)
{
  char here[SCORIA_SOURCE_SIZE];
  const char *file = NULL;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "porosity_file", &file));
  if (!file || !*made->library) PetscFunctionReturn(0);
  PetscCall(ScoriaStructureNow(ScoriaRunComm(run), file, here));
  if (*here && strcmp(here, made->library))
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: made from porosities of %s; porosity_file %s is %s now; nothing is overwritten: move the old "
                "result away, or choose another -run_dir",
                path, made->library, file, here);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaChainCheckDatasetLibrary(ScoriaRun run, ScoriaDeck deck)
{
  char path[PETSC_MAX_PATH_LEN];
  ScoriaMadeFrom made;
  bool library, there;
  PetscFunctionBeginUser;
  PetscCall(ScoriaPorosityIsLibrary(deck, &library));
  if (!library) PetscFunctionReturn(0);
  PetscCall(ScoriaRunPath(run, "dataset.h5", sizeof path, path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, &there));
  if (!there) PetscFunctionReturn(0);
  PetscCall(MadeFromOf(ScoriaRunComm(run), path, NULL, &made));
  PetscCall(ScoriaChainCheckLibrary(run, deck, path, &made));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaMadeFromShape(const ScoriaFieldShape *shape, ScoriaMadeFrom *made)
{
  PetscFunctionBeginUser;
  *made = (ScoriaMadeFrom){.model = ""};
  if (shape->model) PetscCall(PetscStrncpy(made->model, shape->model, sizeof made->model));
  if (shape->library) PetscCall(PetscStrncpy(made->library, shape->library, sizeof made->library));
  PetscFunctionReturn(0);
}

/* The stored deck of a dataset or of a model; NULL where it is neither. */
static PetscErrorCode StoredDeck(MPI_Comm comm, const char *path, const char *name, char **text)
{
  const char *stored;
  ScoriaStore store;
  ScoriaDataset ds;
  PetscFunctionBeginUser;
  *text = NULL;
  if (!strcmp(name, "model.h5")) {
    PetscCall(ScoriaStoreOpen(comm, path, "model", &store));
    PetscCall(ScoriaStoreDeck(store, &stored));
    PetscCall(PetscStrallocpy(stored, text));
    PetscCall(ScoriaStoreClose(&store));
  } else {
    PetscCall(ScoriaDatasetOpen(comm, path, &ds));
    PetscCall(ScoriaDatasetInfo(ds, NULL, NULL, &stored));
    PetscCall(PetscStrallocpy(stored, text));
    PetscCall(ScoriaDatasetClose(&ds));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDeckOfFile(ScoriaRun run, ScoriaDeck deck, const char *name, unsigned said, ScoriaDeck *own)
{
  char path[PETSC_MAX_PATH_LEN], *text = NULL;
  bool there;
  PetscFunctionBeginUser;
  if (strchr(name, '/'))
    PetscCall(PetscStrncpy(path, name, sizeof path));
  else
    PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, &there));
  if (there) {
    const PetscErrorCode failed = StoredDeck(ScoriaRunComm(run), path, name, &text);
    if (failed && ScoriaFailureCode() != SCORIA_EXIT_INPUT) PetscFunctionReturn(failed);
    ScoriaFailureReset(); /* the command will meet it again, and say so */
  }
  PetscCall(ScoriaDeckTake(deck, text, said, own));
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}

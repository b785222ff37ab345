/* Checkpoints of work that outlives its run: a store of the run directory in generations, the one to come (.next), the
 * one that counts, and the one before it (.previous).  At any instant one of them is whole. */
#include "private.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* The names of the other generations. */
typedef struct {
  char next[PETSC_MAX_PATH_LEN + 16], previous[PETSC_MAX_PATH_LEN + 16];
} Generations;

static void name_generations(const char *path, Generations *names)
{
  snprintf(names->next, sizeof names->next, "%s.next", path);
  snprintf(names->previous, sizeof names->previous, "%s.previous", path);
}

/* `path` becomes the previous, the next becomes `path`; the directory is synced. */
static PetscErrorCode Rotate(MPI_Comm comm, const char *path)
{
  ScoriaTrouble bad = {.path = path};
  Generations names;
  int rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  name_generations(path, &names);
  if (!rank) {
    if (rename(path, names.previous) && errno != ENOENT)
      trouble_note(&bad, SCORIA_EXIT_IO, "cannot be renamed to %s: %s", names.previous, strerror(errno));
    PetscCall(ScoriaFilePublish(names.next, path, &bad));
  }
  PetscCall(ScoriaAgree(comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaFileRemove(MPI_Comm comm, const char *path)
{
  ScoriaTrouble bad = {.path = path};
  int rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank && unlink(path) && errno != ENOENT)
    trouble_note(&bad, SCORIA_EXIT_IO, "cannot be removed: %s", strerror(errno));
  PetscCall(ScoriaAgree(comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaFileForget(MPI_Comm comm, const char *path)
{
  Generations names;

  PetscFunctionBeginUser;
  name_generations(path, &names);
  PetscCall(ScoriaFileRemove(comm, names.next));
  PetscCall(ScoriaFileRemove(comm, names.previous));
  PetscCall(ScoriaFileRemove(comm, path));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCheckpointBegin(ScoriaRun run, ScoriaDeck deck, const char *name, ScoriaStore *store)
{
  char path[PETSC_MAX_PATH_LEN];
  Generations names;
  const char *text;

  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  name_generations(path, &names);
  PetscCall(ScoriaDeckText(deck, &text));
  PetscCall(ScoriaFileRemove(ScoriaRunComm(run), names.next)); /* left by a run killed between writing and renaming */
  PetscCall(ScoriaStoreCreate(ScoriaRunComm(run), names.next, "checkpoint", text, store));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCheckpointEnd(ScoriaRun run, const char *name, ScoriaStore *store)
{
  char path[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(ScoriaStoreClose(store));
  PetscCall(Rotate(ScoriaRunComm(run), path));
  PetscFunctionReturn(0);
}

/* A user error where its deck differs. */
static PetscErrorCode CheckDeck(ScoriaDeck deck, const char *path, ScoriaStore store, unsigned results)
{
  char difference[512];
  const char *stored;

  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreDeck(store, &stored));
  PetscCall(ScoriaDeckDifference(deck, stored, results, sizeof difference, difference));
  if (*difference)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: of another deck (%s); choose another -run_dir or move the file away", path,
                difference);
  PetscFunctionReturn(0);
}

/* One generation; damaged where it cannot be used, whose line is then told. */
static PetscErrorCode ReadGeneration(ScoriaRun run, ScoriaDeck deck, const char *path,
                                     const ScoriaCheckpointReader *reader, bool *damaged)
{
  ScoriaStore store = NULL;
  bool outdated     = false;

  PetscFunctionBeginUser;
  PetscErrorCode failed = ScoriaStoreOpen(ScoriaRunComm(run), path, "checkpoint", &store);
  if (!failed) {
    if (reader->check) PetscCall(reader->check(reader->ctx, path, store)); /* first: another model has another deck */
    PetscCall(CheckDeck(deck, path, store, reader->results));
    if (reader->outdated) failed = reader->outdated(store, &outdated);
    if (!failed && outdated)
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "%s: written by an earlier version of scoria, which cannot be resumed; move it away to start from "
                  "the beginning",
                  path);
    if (!failed) failed = reader->read(reader->ctx, store);
  }
  *damaged = failed && ScoriaFailureCode() == SCORIA_EXIT_INPUT;
  if (failed && !*damaged) PetscFunctionReturn(failed);
  PetscCall(ScoriaStoreClose(&store));
  if (*damaged) {
    PetscCall(ScoriaSay(run, "  WARNING: %s; the checkpoint before it is used if there is one", ScoriaFailureLine()));
    ScoriaFailureReset();
    PetscCall(reader->clear(reader->ctx));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCheckpointFind(ScoriaRun run, ScoriaDeck deck, const char *name,
                                    const ScoriaCheckpointReader *reader, ScoriaCheckpointFound *found)
{
  char path[PETSC_MAX_PATH_LEN];
  Generations names;

  PetscFunctionBeginUser;
  *found = (ScoriaCheckpointFound){.whole = false};
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  name_generations(path, &names);
  const char *const generation[] = {path, names.previous};
  for (int i = 0; i < 2 && !found->whole; i++) {
    bool there, damaged = false;

    PetscCall(ScoriaFileExists(ScoriaRunComm(run), generation[i], &there));
    if (!there) continue;
    PetscCall(ReadGeneration(run, deck, generation[i], reader, &damaged));
    found->whole = !damaged;
    found->damaged += damaged;
    PetscCall(PetscStrncpy(found->path, generation[damaged ? 0 : i], sizeof found->path));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCheckpointForget(ScoriaRun run, ScoriaDeck deck, const char *name, unsigned results)
{
  char path[PETSC_MAX_PATH_LEN], difference[512] = "";
  const char *stored;
  ScoriaStore store;
  bool there;

  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, &there));
  if (!there) PetscFunctionReturn(0);
  if (ScoriaStoreOpen(ScoriaRunComm(run), path, "checkpoint", &store)) {
    ScoriaFailureReset(); /* whose it was is not known */
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaStoreDeck(store, &stored));
  PetscCall(ScoriaDeckDifference(deck, stored, results, sizeof difference, difference));
  PetscCall(ScoriaStoreClose(&store));
  if (!*difference) PetscCall(ScoriaFileForget(ScoriaRunComm(run), path));
  PetscFunctionReturn(0);
}

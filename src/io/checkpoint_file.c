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
    PetscCall(FilePublish(names.next, path, &bad));
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

PetscErrorCode ScoriaFileReplace(MPI_Comm comm, const char *from, const char *path)
{
  ScoriaTrouble bad = {.path = path};
  int rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank) PetscCall(FilePublish(from, path, &bad));
  PetscCall(ScoriaAgree(comm, bad.code, bad.line));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCheckpointRemove(ScoriaRun run, const char *name)
{
  const MPI_Comm comm = ScoriaRunComm(run);
  char path[PETSC_MAX_PATH_LEN];
  Generations names;

  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
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
static PetscErrorCode CheckDeck(ScoriaDeck deck, const char *path, ScoriaStore store,
                                const ScoriaCheckpointReader *reader)
{
  char difference[512];
  const char *stored;

  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreDeck(store, &stored));
  PetscCall(ScoriaDeckDifference(deck, stored, reader->results, sizeof difference, difference));
  if (*difference)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: of another deck (%s)%s", path, difference,
                reader->otherwise ? "" : "; choose another -run_dir or move the file away");
  PetscFunctionReturn(0);
}

/* What comes of one generation. */
typedef enum { READ, FOREIGN, DAMAGED } Outcome;

/* Of another deck, or of what the reader does not accept: a user error, unless there is something else to do. */
static PetscErrorCode CheckOwn(ScoriaDeck deck, const char *path, ScoriaStore store,
                               const ScoriaCheckpointReader *reader, Outcome *outcome)
{
  PetscErrorCode failed = 0;

  PetscFunctionBeginUser;
  if (reader->check) failed = reader->check(reader->ctx, path, store); /* first: another model has another deck */
  if (!failed) failed = CheckDeck(deck, path, store, reader);
  if (failed && reader->otherwise && ScoriaFailureCode() == SCORIA_EXIT_INPUT) *outcome = FOREIGN;
  PetscFunctionReturn(*outcome == FOREIGN ? 0 : failed);
}

/* *unreadable: the failure of one that is damaged. */
static PetscErrorCode ReadOwn(const char *path, ScoriaStore store, const ScoriaCheckpointReader *reader,
                              PetscErrorCode *unreadable)
{
  bool outdated = false;

  PetscFunctionBeginUser;
  if (reader->outdated) *unreadable = reader->outdated(store, &outdated);
  if (!*unreadable && outdated)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: written by an earlier version of scoria, which cannot be resumed; move it away to start from "
                "the beginning",
                path);
  if (!*unreadable) *unreadable = reader->read(reader->ctx, store);
  PetscFunctionReturn(0);
}

/* One generation; the line of one that cannot be used is told. */
static PetscErrorCode ReadGeneration(ScoriaRun run, ScoriaDeck deck, const char *path,
                                     const ScoriaCheckpointReader *reader, Outcome *outcome)
{
  const char *const otherwise =
      reader->otherwise ? reader->otherwise : "the checkpoint before it is used if there is one";
  ScoriaStore store = NULL;

  PetscFunctionBeginUser;
  *outcome              = READ;
  PetscErrorCode failed = ScoriaStoreOpen(ScoriaRunComm(run), path, "checkpoint", &store);
  if (!failed) {
    PetscCall(CheckOwn(deck, path, store, reader, outcome));
    if (*outcome == READ) PetscCall(ReadOwn(path, store, reader, &failed));
  }
  if (failed && ScoriaFailureCode() != SCORIA_EXIT_INPUT) PetscFunctionReturn(failed);
  if (failed) *outcome = DAMAGED;
  PetscCall(ScoriaStoreClose(&store));
  if (*outcome == READ) PetscFunctionReturn(0);
  PetscCall(ScoriaSay(run, "  %s%s; %s", failed ? "WARNING: " : "", ScoriaFailureLine(), otherwise));
  ScoriaFailureReset();
  if (failed) PetscCall(reader->clear(reader->ctx));
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
    Outcome outcome;
    bool there;

    PetscCall(ScoriaFileExists(ScoriaRunComm(run), generation[i], &there));
    if (!there) continue;
    PetscCall(ReadGeneration(run, deck, generation[i], reader, &outcome));
    found->whole = outcome == READ;
    found->damaged += outcome == DAMAGED;
    PetscCall(PetscStrncpy(found->path, generation[found->whole ? i : 0], sizeof found->path));
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
  if (!*difference) PetscCall(ScoriaCheckpointRemove(run, name));
  PetscFunctionReturn(0);
}

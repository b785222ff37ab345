/* The decks of a run directory: what its results were made under, and deck.yaml, which says it of all together. */
#include "private.h"
#include "scoria/run_decks.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DECK_FILE "deck.yaml"

/* By file and, of further names, by kind; what stands on others comes first, so that these have the last word. */
typedef struct {
  const char *file, *kind;
  unsigned results;
} Usual;

static const Usual usual[] = {
    {"refined.h5", NULL, SCORIA_OF_REFINED},
    {"likelihood.h5", "likelihood", SCORIA_OF_LIKELIHOOD},
    {"posterior.h5", "posterior", SCORIA_OF_POSTERIOR},
    {"uq.h5", "uq", SCORIA_OF_UQ},
    {"compare.h5", "compare", SCORIA_OF_COMPARE},
    {"samples.h5", "samples", SCORIA_OF_SAMPLES},
    {"model.h5", NULL, SCORIA_OF_MODEL},
    {"dataset.h5", NULL, SCORIA_OF_DATASET},
};
#define USUAL ((int)(sizeof usual / sizeof *usual))

/* A result that was read: its row, and the text of its deck. */
typedef struct {
  char name[SCORIA_NAME_SIZE];
  int row, usual, length; /* usual: by its file; length of the text with its closing 0 */
  char *text;             /* owned */
} Found;

typedef struct {
  int n;
  Found at[SCORIA_RUN_RESULTS];
} List;

/* --------------------------------------------------------------------------------------------- rank 0: a look ---- */

static int row_of(const char *name, const char *kind, int *by_file)
{
  for (int i = 0; i < USUAL; i++)
    if (!strcmp(usual[i].file, name)) {
      *by_file = 1;
      return i;
    }
  *by_file = 0;
  for (int i = 0; i < USUAL; i++)
    if (usual[i].kind && !strcmp(usual[i].kind, kind)) return i;
  return -1;
}

static PetscErrorCode Look(const char *path, const char *name, List *list)
{
  char format[SCORIA_NAME_SIZE], kind[SCORIA_NAME_SIZE], *text = NULL;
  ScoriaTrouble bad = {.path = path};
  int64_t size;
  hid_t file;
  PetscFunctionBeginUser;
  PetscCall(OpenOurs(path, "a result", &size, &file, format, kind, &bad));
  PetscCall(GetText(file, "deck", &text, &bad));
  if (file >= 0) H5Fclose(file);
  Found *found = &list->at[list->n];
  found->row   = bad.code == SCORIA_EXIT_OK ? row_of(name, kind, &found->usual) : -1;
  if (found->row < 0) {
    PetscCall(PetscFree(text));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscStrncpy(found->name, name, sizeof found->name));
  found->text   = text;
  found->length = (int)strlen(text) + 1;
  list->n++;
  PetscFunctionReturn(0);
}

static int is_store(const struct dirent *entry)
{
  const size_t n = strlen(entry->d_name);
  return entry->d_name[0] != '.' && n > 3 && n < SCORIA_NAME_SIZE && !strcmp(entry->d_name + n - 3, ".h5");
}

static int compare_found(const void *a, const void *b)
{
  const Found *x = a, *y = b;
  return x->row != y->row ? x->row - y->row : strcmp(x->name, y->name);
}

static bool is_usual(const char *name)
{
  for (int i = 0; i < USUAL; i++)
    if (!strcmp(usual[i].file, name)) return true;
  return false;
}

/* Those by their usual names first: of many others some find no room. */
static PetscErrorCode LookAll(const char *dir, List *list)
{
  struct dirent **entry = NULL;
  char path[2 * PETSC_MAX_PATH_LEN];
  PetscFunctionBeginUser;
  const int n = scandir(dir, &entry, is_store, alphasort);
  for (int pass = 0; pass < 2; pass++)
    for (int i = 0; i < n && list->n < SCORIA_RUN_RESULTS; i++) {
      if (is_usual(entry[i]->d_name) != (pass == 0)) continue;
      PetscCall(PetscSNPrintf(path, sizeof path, "%s%s", dir, entry[i]->d_name));
      PetscCall(Look(path, entry[i]->d_name, list));
    }
  for (int i = 0; i < n; i++) free(entry[i]);
  free(entry);
  qsort(list->at, (size_t)list->n, sizeof *list->at, compare_found);
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- all ranks ---- */

/* What the results say.  Collective. */
static PetscErrorCode ListRead(ScoriaRun run, List *list)
{
  const MPI_Comm comm = ScoriaRunComm(run);
  char dir[PETSC_MAX_PATH_LEN];
  int rank;
  PetscFunctionBeginUser;
  *list = (List){.n = 0};
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(ScoriaRunPath(run, "", sizeof dir, dir));
  if (!rank) PetscCall(LookAll(dir, list));
  PetscCallMPI(MPI_Bcast(&list->n, 1, MPI_INT, 0, comm));
  for (int i = 0; i < list->n; i++) {
    Found *found = &list->at[i];
    char *text   = found->text;
    PetscCallMPI(MPI_Bcast(found, (int)sizeof *found, MPI_BYTE, 0, comm));
    if (rank) PetscCall(PetscMalloc1(found->length, &text));
    found->text = text;
    PetscCallMPI(MPI_Bcast(found->text, found->length, MPI_CHAR, 0, comm));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ListDestroy(List *list)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < list->n; i++) PetscCall(PetscFree(list->at[i].text));
  PetscFunctionReturn(0);
}

/* A deck that this version cannot read is as none. */
static PetscErrorCode PassOver(PetscErrorCode failed)
{
  PetscFunctionBeginUser;
  if (failed && ScoriaFailureCode() != SCORIA_EXIT_INPUT) PetscFunctionReturn(failed);
  ScoriaFailureReset();
  PetscFunctionReturn(0);
}

/* `deck` with what the results by their usual names tell of themselves. */
static PetscErrorCode Compose(ScoriaDeck deck, const List *list, ScoriaDeck *own)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckTake(deck, NULL, 0, own));
  for (int i = 0; i < list->n; i++) {
    ScoriaDeck next = NULL;
    if (!list->at[i].usual) continue;
    const PetscErrorCode failed = ScoriaDeckTake(*own, list->at[i].text, usual[list->at[i].row].results, &next);
    PetscCall(PassOver(failed));
    if (failed) continue;
    PetscCall(ScoriaDeckDestroy(own));
    *own = next;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Differences(ScoriaDeck deck, ScoriaDeck own, const List *list, ScoriaRunDecks *decks)
{
  unsigned results = 0;
  const char *text;
  PetscFunctionBeginUser;
  *decks = (ScoriaRunDecks){.n = list->n};
  for (int i = 0; i < list->n; i++) {
    const Found *found      = &list->at[i];
    ScoriaRunResult *result = &decks->result[list->n - 1 - i]; /* the dataset first */
    PetscCall(PetscStrncpy(result->name, found->name, sizeof result->name));
    PetscCall(PassOver(ScoriaDeckDifference(own, found->text, usual[found->row].results, sizeof result->difference,
                                            result->difference)));
    if (found->usual) results |= usual[found->row].results;
  }
  PetscCall(ScoriaDeckText(own, &text));
  PetscCall(ScoriaDeckDifference(deck, text, results, sizeof decks->asked, decks->asked));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaRunDecksRead(ScoriaRun run, ScoriaDeck deck, ScoriaDeck *own, ScoriaRunDecks *decks)
{
  List list;
  PetscFunctionBeginUser;
  PetscCall(ListRead(run, &list));
  PetscCall(Compose(deck, &list, own));
  if (decks) PetscCall(Differences(deck, *own, &list, decks));
  PetscCall(ListDestroy(&list));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- deck.yaml ---- */

static bool is_older(const struct stat *a, const struct stat *b)
{
  return a->st_mtim.tv_sec != b->st_mtim.tv_sec ? a->st_mtim.tv_sec < b->st_mtim.tv_sec
                                                : a->st_mtim.tv_nsec < b->st_mtim.tv_nsec;
}

/* Rank 0's part: whether there is no deck.yaml, or one that a result is newer than. */
static int is_outdated(const char *dir)
{
  char path[2 * PETSC_MAX_PATH_LEN];
  struct stat kept, made;
  (void)PetscSNPrintf(path, sizeof path, "%s%s", dir, DECK_FILE);
  if (stat(path, &kept)) return 1;
  for (int i = 0; i < USUAL; i++) {
    (void)PetscSNPrintf(path, sizeof path, "%s%s", dir, usual[i].file);
    if (!stat(path, &made) && is_older(&kept, &made)) return 1;
  }
  return 0;
}

static PetscErrorCode Keep(ScoriaRun run, ScoriaDeck deck)
{
  const MPI_Comm comm = ScoriaRunComm(run);
  char path[PETSC_MAX_PATH_LEN];
  const char *text;
  ScoriaDeck own;
  int rank, outdated = 0;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(ScoriaRunPath(run, "", sizeof path, path));
  if (!rank) outdated = is_outdated(path);
  PetscCallMPI(MPI_Bcast(&outdated, 1, MPI_INT, 0, comm));
  if (!outdated) PetscFunctionReturn(0);
  PetscCall(ScoriaRunDecksRead(run, deck, &own, NULL));
  PetscCall(ScoriaDeckText(own, &text));
  PetscCall(ScoriaRunPath(run, DECK_FILE, sizeof path, path));
  PetscCall(ScoriaWriteText(comm, path, text));
  PetscCall(ScoriaDeckDestroy(&own));
  PetscFunctionReturn(0);
}

/* The command may have ended with a failure of its own, such as a stop, which stays the one that is told. */
PetscErrorCode ScoriaRunKeepDeck(ScoriaRun run, ScoriaDeck deck)
{
  const ScoriaExit before = ScoriaFailureCode();
  char line[1024];
  PetscFunctionBeginUser;
  PetscCall(PetscStrncpy(line, ScoriaFailureLine(), sizeof line));
  ScoriaFailureReset();
  PetscCall(Keep(run, deck));
  if (before != SCORIA_EXIT_OK) (void)ScoriaFail(before, "%s", line);
  PetscFunctionReturn(0);
}

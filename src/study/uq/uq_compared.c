/* uq of a model: what compare has found of it, where its result in the run directory is of this model, drawn by this
 * sampler. */
#include "uq.h"
#include <stdio.h>
#include <string.h>

PetscErrorCode UqComparedNames(ScoriaStore store, const char *names, const char *own, char **lines)
{
  const size_t size = (size_t)1 << 16; /* of an attribute */
  size_t used;
  bool has;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(size, lines));
  PetscCall(ScoriaStoreGetText(store, names, size, *lines));
  PetscCall(ScoriaStoreHas(store, own, &has));
  for (char *at = strchr(*lines, ','); at; at = strchr(at, ',')) *at = '\n';
  used = strlen(*lines);
  if (used + 2 < size) (*lines)[used++] = '\n', (*lines)[used] = 0;
  if (has) PetscCall(ScoriaStoreGetText(store, own, size - used, *lines + used));
  PetscFunctionReturn(0);
}

static int64_t find_line(const char *lines, const char *wanted)
{
  const char *line = lines, *end;
  int64_t found    = -1;
  for (int64_t i = 0; (end = strchr(line, '\n')); i++, line = end + 1)
    if (strlen(wanted) == (size_t)(end - line) && !strncmp(line, wanted, (size_t)(end - line))) found = i;
  return found;
}

int64_t uq_compared_find(const char *lines, const ScoriaQuantity *q)
{
  char line[sizeof *q];
  snprintf(line, sizeof line, COMPARE_OWN_LINE, q->name, q->description);
  const int64_t own = find_line(lines, line);
  return own >= 0 ? own : find_line(lines, q->name);
}

/* A Gaussian has no sampler. */
static PetscErrorCode Fits(ScoriaDeck deck, const char *model, bool gaussian, ScoriaStore store, const char **why)
{
  ScoriaMadeFrom made;
  char difference[128];
  const char *stored;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreMadeFrom(store, &made));
  PetscCall(ScoriaStoreDeck(store, &stored));
  PetscCall(ScoriaDeckDifference(deck, stored, SCORIA_DECIDES_DRAWS, sizeof difference, difference));
  if (!*made.model || strcmp(made.model, model))
    *why = "compare.h5 is of another model";
  else if (*difference && !gaussian)
    *why = "compare.h5 has other settings of the sampler";
  PetscFunctionReturn(0);
}

PetscErrorCode UqComparedOpen(ScoriaRun run, ScoriaDeck deck, const char *model, bool gaussian, ScoriaStore *store,
                              const char **why)
{
  char path[PETSC_MAX_PATH_LEN];
  bool there;
  PetscFunctionBeginUser;
  *store = NULL;
  PetscCall(ScoriaRunPath(run, "compare.h5", sizeof path, path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, &there));
  *why = there ? NULL : "there is no compare.h5 in the run directory";
  if (!there) PetscFunctionReturn(0);
  const PetscErrorCode failed = ScoriaStoreOpen(ScoriaRunComm(run), path, "compare", store);
  if (failed && ScoriaFailureCode() != SCORIA_EXIT_INPUT) PetscFunctionReturn(failed);
  if (failed) {
    ScoriaFailureReset();
    *store = NULL;
    *why   = "compare.h5 cannot be read";
    PetscFunctionReturn(0);
  }
  PetscCall(Fits(deck, model, gaussian, *store, why));
  if (*why) PetscCall(ScoriaStoreClose(store));
  PetscFunctionReturn(0);
}

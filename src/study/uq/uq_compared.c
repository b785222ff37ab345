/* uq of a model: what compare has found of it, where its result in the run directory is of this model, drawn by this
 * sampler. */
#include "uq.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Whether this deck draws as the one of a stored text does, conditions aside. */
static PetscErrorCode SameSampler(ScoriaDeck deck, const char *stored, bool *same)
{
  ScoriaSamplerOptions sampler[2];
  const char *source[2];
  double ema[2] = {-1, -1};
  ScoriaDeck of[2];
  PetscFunctionBeginUser;
  of[0] = deck;
  PetscCall(ScoriaDeckTake(deck, stored, SCORIA_DECIDES_DRAWS, &of[1]));
  for (int i = 0; i < 2; i++) {
    PetscCall(ScoriaSamplerFromDeck(of[i], &sampler[i]));
    PetscCall(ScoriaDeckString(of[i], "sample_source", &source[i]));
    PetscCall(ScoriaDeckReal(of[i], "sample_ema", &ema[i]));
  }
  const ScoriaSamplerOptions *a = &sampler[0], *b = &sampler[1];
  const double here[]  = {a->sigma_max, a->sigma_min, a->power, a->snr, ema[0]},
               there[] = {b->sigma_max, b->sigma_min, b->power, b->snr, ema[1]};
  *same = !strcmp(a->kind, b->kind) && a->steps == b->steps && a->bfloat16 == b->bfloat16 && a->process == b->process &&
          !strcmp(source[0], source[1]);
  for (size_t i = 0; i < sizeof here / sizeof *here; i++)
    *same = *same && fabs(here[i] - there[i]) <= DBL_EPSILON * fabs(here[i]);
  PetscCall(ScoriaDeckDestroy(&of[1]));
  PetscFunctionReturn(0);
}

PetscErrorCode UqComparedNames(ScoriaStore store, const char *names, const char *own, char **lines)
{
  const size_t size = (size_t)1 << 14;
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

static PetscErrorCode Fits(ScoriaDeck deck, const char *model, ScoriaStore store, const char **why)
{
  ScoriaMadeFrom made;
  const char *stored;
  bool same = false;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreMadeFrom(store, &made));
  PetscCall(ScoriaStoreDeck(store, &stored));
  PetscCall(SameSampler(deck, stored, &same));
  if (!*made.model || strcmp(made.model, model))
    *why = "compare.h5 is of another model";
  else if (!same)
    *why = "compare.h5 has other settings of the sampler";
  PetscFunctionReturn(0);
}

PetscErrorCode UqComparedOpen(ScoriaRun run, ScoriaDeck deck, const char *model, ScoriaStore *store, const char **why)
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
  PetscCall(Fits(deck, model, *store, why));
  if (*why) PetscCall(ScoriaStoreClose(store));
  PetscFunctionReturn(0);
}

/* Results under other names than the usual ones, by the manifest of the run directory: further answers of uq and infer.
 */
#include "report_page.h"
#include "scoria/run_files.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool ends_with(const char *name, const char *end)
{
  const size_t n = strlen(name), m = strlen(end);
  return n > m && !strcmp(name + n - m, end);
}

/* The manifest keeps what its user has taken away. */
static bool is_there(ScoriaRun run, const char *name)
{
  char path[PETSC_MAX_PATH_LEN];
  return !ScoriaRunPath(run, name, sizeof path, path) && !access(path, F_OK);
}

/* Rank 0: names of the stores that `uq` and `infer` have made, but the usual ones. */
static void find_others(ScoriaRun run, const cJSON *files, ReportOthers *others)
{
  const cJSON *entry;
  cJSON_ArrayForEach(entry, files)
  {
    const char *command = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, MANIFEST_COMMAND));
    const bool uq = command && !strcmp(command, "uq"), infer = command && !strcmp(command, "infer");
    if ((!uq && !infer) || !ends_with(entry->string, ".h5")) continue;
    if (run_file_find(entry->string, command) || !is_there(run, entry->string)) continue;
    if (others->n == REPORT_OTHERS || strlen(entry->string) >= sizeof others->of[0].name) {
      others->left++;
      continue;
    }
    ReportOther *other = &others->of[others->n++];
    other->infer       = infer;
    snprintf(other->name, sizeof other->name, "%s", entry->string);
  }
}

PetscErrorCode ReportOthersRead(ScoriaRun run, PetscErrorCode (*json)(MPI_Comm, const char *, cJSON **),
                                ReportOthers *others)
{
  const MPI_Comm comm = ScoriaRunComm(run);
  char path[PETSC_MAX_PATH_LEN], beside[PETSC_MAX_PATH_LEN];
  cJSON *manifest = NULL;
  int rank;
  PetscFunctionBeginUser;
  memset(others, 0, sizeof *others);
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(ScoriaRunPath(run, MANIFEST_FILE, sizeof path, path));
  if (!rank) PetscCall(ScoriaReadJson(path, MANIFEST_MOST, &manifest));
  if (!rank) find_others(run, cJSON_GetObjectItemCaseSensitive(manifest, MANIFEST_FILES), others);
  cJSON_Delete(manifest);
  PetscCallMPI(MPI_Bcast(others, (int)sizeof *others, MPI_BYTE, 0, comm)); /* no more than names yet */
  for (int i = 0; i < others->n; i++) {
    ReportOther *other = &others->of[i];
    PetscCall(ScoriaRunPath(run, other->name, sizeof path, path));
    PetscCall(ScoriaJsonPath(path, sizeof beside, beside));
    PetscCall(json(comm, beside, &other->json));
    if (other->infer) PetscCall(ReportPosteriorRead(comm, path, &other->posterior));
    snprintf(other->suffix, sizeof other->suffix, "_%c", (char)('2' + i));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportOthersDestroy(ReportOthers *others)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < others->n; i++) {
    cJSON_Delete(others->of[i].json);
    PetscCall(ReportPosteriorDestroy(&others->of[i].posterior));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportOthersDraw(ReportFigures *figs, const ReportOthers *others, const ScoriaSpace *space)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < others->n; i++) {
    const ReportOther *other = &others->of[i];
    snprintf(figs->suffix, sizeof figs->suffix, "%s", other->suffix);
    if (other->infer) {
      PetscCall(ReportDrawPosterior(figs, &other->posterior));
    } else {
      PetscCall(ReportDrawUq(figs, other->json, space));
      PetscCall(ReportDrawResponse(figs, other->json));
      PetscCall(ReportDrawSobol(figs, other->json));
    }
  }
  figs->suffix[0] = 0;
  PetscFunctionReturn(0);
}

/* A figure of this result. */
static PetscErrorCode Figure(const ReportPage *page, const ReportOther *other, const char *name, ReportText *html)
{
  char full[40];
  PetscFunctionBeginUser;
  snprintf(full, sizeof full, "%.24s%s", name, other->suffix);
  PetscCall(ReportPageFigure(page, full, html));
  PetscFunctionReturn(0);
}

static PetscErrorCode One(const ReportPage *page, const ReportOther *other, ReportText *html)
{
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(html, "<h3>In <code>"));
  PetscCall(ReportEscape(html, other->name));
  PetscCall(ReportPrint(html, "</code></h3>\n"));
  PetscCall(ReportOtherDeck(page, other->name, html));
  if (other->infer) {
    PetscCall(Figure(page, other, "posterior", html));
    PetscCall(ReportPosteriorTable(other->json, page->space, html));
  } else {
    PetscCall(ReportUqTable(other->json, page->space, html));
    PetscCall(Figure(page, other, "quantities", html));
    PetscCall(Figure(page, other, "response", html));
    PetscCall(Figure(page, other, "sobol", html));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportOthersPrint(const ReportPage *page, bool infer, ReportText *html)
{
  PetscFunctionBeginUser;
  if (!page->others) PetscFunctionReturn(0);
  for (int i = 0; i < page->others->n; i++)
    if (page->others->of[i].infer == infer && (infer || page->others->of[i].json)) /* of uq all is in its JSON */
      PetscCall(One(page, &page->others->of[i], html));
  if (page->others->left && !infer)
    PetscCall(ReportPrint(html, "<p class=\"note\">Of uq and infer %d more in the run directory: not shown.</p>\n",
                          page->others->left));
  PetscFunctionReturn(0);
}

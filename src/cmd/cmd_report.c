/* report: figures and one self-contained page of whatever the run directory holds. */
#include "cmd.h"
#include "scoria/report.h"
#include "scoria/phases.h"
#include "scoria/run_files.h"
#include <cJSON.h>
#include <string.h>
#include <sys/stat.h>

/* One page is of one chain: what stands in the run directory was made from one another. */
static PetscErrorCode CheckChain(ScoriaRun run)
{
  PetscFunctionBeginUser;
  for (const ScoriaRunFile *f = scoria_run_files; f->name; f++)
    if (f->is & SCORIA_FILE_MADE) PetscCall(ScoriaChainCheckResult(run, f->name, f->kind));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandReport(ScoriaRun run, ScoriaDeck deck)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "report"));
  PetscCall(CheckChain(run));
  phase_begin(SCORIA_PHASE_REPORT);
  PetscCall(ScoriaReportWrite(run, deck));
  phase_end(SCORIA_PHASE_REPORT, 0);
  PetscFunctionReturn(0);
}

static bool is_newer(const struct stat *a, const struct stat *b)
{
  return a->st_mtim.tv_sec != b->st_mtim.tv_sec ? a->st_mtim.tv_sec > b->st_mtim.tv_sec
                                                : a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

/* Rank 0's part: the newest of the results that the manifest lists, and whether the page that is there is older. */
static bool has_older_page(const char *dir, const cJSON *results, size_t size, char newest[])
{
  struct stat page, last = {0}, file;
  char path[PETSC_MAX_PATH_LEN];
  const cJSON *entry;
  (void)PetscSNPrintf(path, sizeof path, "%s/report.html", dir);
  if (stat(path, &page)) return false;
  cJSON_ArrayForEach(entry, results)
  {
    const char *dot = strrchr(entry->string, '.');
    (void)PetscSNPrintf(path, sizeof path, "%s/%s", dir, entry->string);
    if (!dot || strcmp(dot, ".h5") || stat(path, &file) || !is_newer(&file, &last)) continue;
    last = file;
    (void)PetscStrncpy(newest, entry->string, size);
  }
  return is_newer(&last, &page);
}

PetscErrorCode CmdSayReportIsOld(ScoriaRun run)
{
  char dir[PETSC_MAX_PATH_LEN], path[PETSC_MAX_PATH_LEN], newest[PETSC_MAX_PATH_LEN] = "";
  cJSON *manifest = NULL;
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(ScoriaRunComm(run), &rank));
  PetscCall(ScoriaRunPath(run, "", sizeof dir, dir));
  PetscCall(ScoriaRunPath(run, MANIFEST_FILE, sizeof path, path));
  if (!rank) PetscCall(ScoriaReadJson(path, MANIFEST_MOST, &manifest));
  if (has_older_page(dir, cJSON_GetObjectItemCaseSensitive(manifest, MANIFEST_FILES), sizeof newest, newest))
    PetscCall(ScoriaSay(run, "  report.html does not show %s yet: scoria report DECK renews it", newest));
  cJSON_Delete(manifest);
  PetscFunctionReturn(0);
}

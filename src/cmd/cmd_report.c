/* report: figures and one self-contained page of whatever the run directory holds. */
#include "cmd.h"
#include "scoria/report.h"
#include "scoria/phases.h"
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

/* One page is of one chain: what stands in the run directory was made from one another. */
static PetscErrorCode CheckChain(ScoriaRun run)
{
  static const struct {
    const char *name, *kind; /* kind NULL: a dataset */
  } results[] = {{"model.h5", "model"}, {"samples.h5", NULL},          {"compare.h5", "compare"},
                 {"uq.h5", "uq"},       {"posterior.h5", "posterior"}, {"likelihood.h5", "likelihood"},
                 {"refined.h5", NULL}};
  PetscFunctionBeginUser;
  for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
    PetscCall(ScoriaChainCheckResult(run, results[i].name, results[i].kind));
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

/* Rank 0's part: the newest file of results in a run directory, and whether the page that is there is older. */
static bool has_older_page(const char *dir, size_t size, char newest[])
{
  struct stat page, last = {0}, file;
  char path[PETSC_MAX_PATH_LEN];
  (void)PetscSNPrintf(path, sizeof path, "%s/report.html", dir);
  DIR *list = stat(path, &page) ? NULL : opendir(dir);
  if (!list) return false;
  for (struct dirent *entry = readdir(list); entry; entry = readdir(list)) {
    const char *dot = strrchr(entry->d_name, '.');
    (void)PetscSNPrintf(path, sizeof path, "%s/%s", dir, entry->d_name);
    if (!dot || strcmp(dot, ".h5") || stat(path, &file) || !is_newer(&file, &last)) continue;
    last = file;
    (void)PetscStrncpy(newest, entry->d_name, size);
  }
  closedir(list);
  return is_newer(&last, &page);
}

PetscErrorCode CmdSayReportIsOld(ScoriaRun run)
{
  char dir[PETSC_MAX_PATH_LEN], newest[PETSC_MAX_PATH_LEN] = "";
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(ScoriaRunComm(run), &rank));
  PetscCall(ScoriaRunPath(run, "", sizeof dir, dir));
  if (!rank && has_older_page(dir, sizeof newest, newest))
    PetscCall(ScoriaSay(run, "  report.html does not show %s yet: scoria report DECK renews it", newest));
  PetscFunctionReturn(0);
}

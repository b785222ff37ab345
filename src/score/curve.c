/* The file of a training curve: opened at a step, written line by line, closed with an eye on what did not reach the
 * disk.
 */
#include "curve.h"
#include "scoria/run_files.h"
#include <string.h>

/* The lines of a curve up to a step, in a text of its own; never the one that says what was kept. */
static PetscErrorCode KeptLines(const char *path, int64_t step, char **kept)
{
  char line[4096];
  long size  = 0;
  FILE *file = fopen(path, "r");
  PetscFunctionBeginUser;
  if (file && !fseek(file, 0, SEEK_END)) size = ftell(file);
  PetscCall(PetscCalloc1(size + 1, kept));
  if (!file) PetscFunctionReturn(0);
  rewind(file);
  for (char *at = *kept; fgets(line, sizeof line, file);) {
    long long number;
    if (sscanf(line, "{\"" TRAIN_STEP "\":%lld", &number) != 1 || number > step || !strchr(line, '\n')) break;
    if (strstr(line, "\"" TRAIN_KEPT_STEP "\":")) break;
    at = stpcpy(at, line);
  }
  fclose(file);
  PetscFunctionReturn(0);
}

PetscErrorCode CurveOpen(ScoriaRun run, const char *name, int64_t step, Curve *curve)
{
  char path[PETSC_MAX_PATH_LEN], line[PETSC_MAX_PATH_LEN + 64], *kept = NULL;
  PetscMPIInt rank;
  PetscFunctionBeginUser;
  *curve = (Curve){.run = run, .comm = ScoriaRunComm(run), .name = name};
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCallMPI(MPI_Comm_rank(curve->comm, &rank));
  if (rank == 0) PetscCall(KeptLines(path, step, &kept));
  PetscCall(ScoriaWriteText(curve->comm, path, kept ? kept : ""));
  PetscCall(PetscFree(kept));
  if (rank == 0) curve->file = fopen(path, "a");
  snprintf(line, sizeof line, "%s: cannot be written", path);
  PetscCall(ScoriaAgree(curve->comm, rank == 0 && !curve->file ? SCORIA_EXIT_IO : SCORIA_EXIT_OK, line));
  PetscFunctionReturn(0);
}

void curve_add(Curve *curve, const char *body)
{
  if (curve->file) curve->bad = fprintf(curve->file, "{%s}\n", body) < 0 || fflush(curve->file) != 0 || curve->bad;
}

PetscErrorCode CurveClose(Curve *curve)
{
  bool bad = curve->bad;
  char path[PETSC_MAX_PATH_LEN], line[PETSC_MAX_PATH_LEN + 64];
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(curve->run, curve->name, sizeof path, path));
  if (curve->file) bad = fclose(curve->file) != 0 || bad;
  curve->file = NULL;
  snprintf(line, sizeof line, "%s: a line could not be written (disk full?)", path);
  PetscCall(ScoriaAgree(curve->comm, bad ? SCORIA_EXIT_IO : SCORIA_EXIT_OK, line));
  PetscFunctionReturn(0);
}

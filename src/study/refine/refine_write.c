/* refine: what became of the rows, in refine.h5 and on the terminal. */
#include "refine.h"
#include <math.h>

PetscErrorCode RefineWrite(ScoriaRun run, ScoriaDeck deck, const char *sample, const ScoriaMadeFrom *made, int64_t rows,
                           const double column[])
{
  static const struct {
    const char *name, *unit, *description;
  } columns[REFINE_COLUMNS] = {
      {"/misfit_before", "1", "rms distance of the field to the solution at the median porosity, in SD of the cell"},
      {"/misfit_after", "1", "rms distance of the field to its refinement, in SD of the cell"},
      {"/z_norm", "1", "length of the profile's normals: the square root of their number is typical of a draw"},
      {"/iterations", "1", "steps of Gauss and Newton's method"},
      {"/status", "1", "1 converged, 2 stopped after refine_iterations, 0 failed: no solution, or no field"},
      {"/given_row", "1", "row of the file that was refined"}};
  char path[PETSC_MAX_PATH_LEN];
  const char *text;
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, "refine.h5", sizeof path, path));
  PetscCall(ScoriaFileRemove(ScoriaRunComm(run), path)); /* of a run that was killed before refined.h5 was complete */
  PetscCall(ScoriaDeckText(deck, &text));
  PetscCall(ScoriaStoreCreate(ScoriaRunComm(run), path, "refine", text, &store));
  PetscCall(ScoriaStorePutMadeFrom(store, made));
  PetscCall(ScoriaStorePutText(store, "sample", sample));
  for (int c = 0; c < REFINE_COLUMNS; c++) {
    PetscCall(ScoriaStorePutReals(store, columns[c].name, 1, &rows, column + c * rows, columns[c].unit,
                                  columns[c].description));
    PetscCall(ScoriaStorePutAxes(store, columns[c].name, "row"));
  }
  PetscCall(ScoriaStoreClose(&store));
  PetscCall(ScoriaSay(run, "  wrote %s", path));
  PetscFunctionReturn(0);
}

/* The quantile p of a column over the rows that did not fail. */
static PetscErrorCode Quantile(int64_t N, const double column[], int c, double p, double *value)
{
  double *sorted;
  int64_t n = 0;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(N, &sorted));
  for (int64_t i = 0; i < N; i++)
    if (column[REFINE_STATUS * N + i] != REFINE_FAILED) sorted[n++] = column[c * N + i];
  stats_sort(n, sorted);
  *value = n ? sorted[(int64_t)(p * (double)(n - 1) + 0.5)] : NAN;
  PetscCall(PetscFree(sorted));
  PetscFunctionReturn(0);
}

PetscErrorCode RefineSay(ScoriaRun run, int64_t rows, int64_t conditions, const double column[])
{
  static const char *const names[]  = {"misfit at z = 0", "misfit refined", "|z|", "iterations"};
  static const double probability[] = {0.05, 0.5, 0.95};
  int64_t ended[3]                  = {0};
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < rows; i++) ended[(int)column[REFINE_STATUS * rows + i]]++;
  PetscCall(ScoriaSay(run, "  %lld fields at %lld condition%s: %lld converged, %lld stopped, %lld failed",
                      (long long)rows, (long long)conditions, conditions == 1 ? "" : "s",
                      (long long)ended[REFINE_CONVERGED], (long long)ended[REFINE_STOPPED],
                      (long long)ended[REFINE_FAILED]));
  PetscCall(ScoriaSay(run, "  %-22s %9s %9s %9s", "", "5 %", "median", "95 %"));
  for (int c = 0; c < REFINE_STATUS; c++) {
    double q[3];
    for (int i = 0; i < 3; i++) PetscCall(Quantile(rows, column, c, probability[i], &q[i]));
    PetscCall(
        ScoriaSay(run, "  %-22s %9.4f %9.4f %9.4f%s", names[c], q[0], q[1], q[2], c <= REFINE_AFTER ? "  SD" : ""));
    PetscCall(ScoriaLog(run, "refine", "\"column\":\"%s\",\"median\":%.6g", names[c], q[1]));
  }
  PetscFunctionReturn(0);
}

/* The page's section of refine: how far given fields are from solutions of the PDE, and how these were found. */
#include "report_page.h"
#include <math.h>

PetscErrorCode ReportRefineRead(MPI_Comm comm, const char *path, ReportRefine *r)
{
  static const char *const names[REPORT_REFINE_COLUMNS] = {"/misfit_before", "/misfit_after", "/z_norm", "/iterations",
                                                           "/status"};
  ScoriaStore store;
  int64_t dims[1];
  int rank;
  bool there;
  PetscFunctionBeginUser;
  *r = (ReportRefine){.rows = 0};
  PetscCall(ScoriaFileExists(comm, path, &there));
  if (!there) PetscFunctionReturn(0);
  PetscCall(ScoriaStoreOpen(comm, path, "refine", &store));
  PetscCall(ScoriaStoreGetText(store, "sample", sizeof r->file, r->file));
  PetscCall(ScoriaStoreShape(store, names[0], 1, &rank, dims));
  r->rows = dims[0];
  for (int c = 0; c < REPORT_REFINE_COLUMNS; c++) {
    PetscCall(PetscMalloc1(r->rows, &r->column[c]));
    PetscCall(ScoriaStoreGetReals(store, names[c], r->rows, r->column[c]));
  }
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportRefineDestroy(ReportRefine *r)
{
  PetscFunctionBeginUser;
  for (int c = 0; c < REPORT_REFINE_COLUMNS; c++) PetscCall(PetscFree(r->column[c]));
  PetscFunctionReturn(0);
}

/* Rows that ended so: 0 failed, 1 converged, 2 stopped. */
static int64_t ended(const ReportRefine *r, int status)
{
  int64_t n = 0;
  for (int64_t i = 0; i < r->rows; i++) n += (int)r->column[REPORT_REFINE_STATUS][i] == status;
  return n;
}

/* 5 % quantile, median, 95 % quantile and the largest value of a column, over the rows that did not fail. */
static PetscErrorCode Row(const ReportRefine *r, int c, const char *name, const char *what, ReportText *html)
{
  static const double probability[] = {0.05, 0.5, 0.95, 1};
  double *sorted;
  PetscInt n = 0;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(r->rows, &sorted));
  for (int64_t i = 0; i < r->rows; i++)
    if (r->column[REPORT_REFINE_STATUS][i] != 0) sorted[n++] = r->column[c][i];
  PetscCall(PetscSortReal(n, sorted));
  PetscCall(ReportPrint(html, "<tr><td>%s</td>", name));
  for (int i = 0; i < 4; i++)
    PetscCall(ReportPrint(html, "<td class=\"n\">%.3g</td>", sorted[(PetscInt)(probability[i] * (n - 1) + 0.5)]));
  PetscCall(ReportPrint(html, "<td>%s</td></tr>\n", what));
  PetscCall(PetscFree(sorted));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportRefineSection(const ReportPage *page, ReportText *html)
{
  const ReportRefine *r = page->refine;
  PetscFunctionBeginUser;
  if (!r || !r->rows) PetscFunctionReturn(0);
  const int64_t failed = ended(r, 0), stopped = ended(r, 2);
  PetscCall(ReportPrint(html, "<p>%lld rows of ", (long long)r->rows));
  PetscCall(ReportEscape(html, r->file));
  PetscCall(ReportPrint(html,
                        ": the porosity profile was sought whose solution is nearest. %lld searches converged, %lld "
                        "were stopped at <code>refine_iterations</code>, %lld failed.</p>\n",
                        (long long)(r->rows - failed - stopped), (long long)stopped, (long long)failed));
  if (failed == r->rows) PetscFunctionReturn(0);
  PetscCall(ReportPrint(html,
                        "<div class=\"scroll\"><table>\n<thead><tr><th></th><th class=\"n\">5 %%</th><th class=\"n\">"
                        "median</th><th class=\"n\">95 %%</th><th class=\"n\">largest</th><th>what it is</th></tr>"
                        "</thead>\n<tbody>\n"));
  PetscCall(Row(r, REPORT_REFINE_BEFORE, "distance before / SD",
                "rms over cells, from the solution at the median porosity, where the search begins", html));
  PetscCall(Row(r, REPORT_REFINE_AFTER, "distance after / SD",
                "from the nearest solution found: how far the field had to move to be one", html));
  PetscCall(Row(r, REPORT_REFINE_NORM, "|z|",
                "length of that porosity's normals: how far it is from the median one; the square root of their number "
                "is that of a draw",
                html));
  PetscCall(Row(r, REPORT_REFINE_ITERATIONS, "iterations", "of Gauss and Newton's method", html));
  PetscCall(ReportPrint(html, "</tbody>\n</table></div>\n<p class=\"note\">A field of the PDE itself is found again: "
                              "its distance after is that of the directions which the search leaves out "
                              "(<code>refine_directions</code>). refined.h5 has the solutions and their porosities."
                              "</p>\n"));
  PetscFunctionReturn(0);
}

/* compare: the pooled measures on standard output. */
#include "compare.h"
#include <stdio.h>
#include <string.h>

/* A line of the table; the heading where d is NULL. */
static PetscErrorCode SayMeasures(ScoriaRun run, const char *name, const ScoriaDistance *d)
{
  char line[256];
  int n = snprintf(line, sizeof line, "  %-12s", name);
  PetscFunctionBeginUser;
  for (const ScoriaMeasure *m = scoria_measures; m->name; m++) {
    if (!m->column) continue;
    const double value = d ? measure_value(m, d) : 0;
    if (!d)
      n += snprintf(line + n, sizeof line - (size_t)n, "%9s ", m->column);
    else if (!strcmp(m->unit, "%"))
      n += snprintf(line + n, sizeof line - (size_t)n, m->sign ? "%+8.2f%% " : "%8.2f%% ", 100 * value);
    else
      n += snprintf(line + n, sizeof line - (size_t)n, "%9.4f ", value);
  }
  line[n - 1] = 0;
  PetscCall(ScoriaSay(run, "%s", line));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareSayMeasures(ScoriaRun run, const ComparisonSet *set, bool files)
{
  CompareRows rows;
  bool same = false;
  PetscFunctionBeginUser;
  if (files)
    PetscCall(ScoriaSay(
        run, "  pooled over %d condition%s, %lld rows of the sample, of one and of the other half of the reference",
        set->conditions, set->conditions == 1 ? "" : "s", (long long)set->count));
  else if (!set->imported)
    PetscCall(ScoriaSay(run, "  pooled over %d held-out condition%s, %lld fields each (PDE again: the sampling floor)",
                        set->conditions, set->conditions == 1 ? "" : "s", (long long)set->count));
  PetscCall(SayMeasures(run, "", NULL));
  compare_rows(files, &rows);
  for (int i = 0; i < rows.n; i++) {
    ScoriaDistance d;
    PetscCall(ComparePool(set, rows.row[i].from, &d));
    const bool again = set->imported && rows.row[i].from == SCORIA_FROM_PDE_AGAIN;
    PetscCall(SayMeasures(run, again ? "data again" : rows.row[i].title, &d));
    same = same || (files && !i && d.sliced_w == 0 && d.w1 == 0);
  }
  if (same)
    PetscCall(ScoriaSay(run, "  the rows of the sample are those of the reference, as draws of one seed and the same "
                             "numbers are: a distance of 0 says nothing of their laws"));
  PetscFunctionReturn(0);
}

#define CHANCE (1 / 3.0) /* of the floor: what the distances of two samples of one law differ by with few rows */

PetscErrorCode CompareSayNearer(ScoriaRun run, const ComparisonSet *set)
{
  ScoriaDistance network, gaussian, again;
  PetscFunctionBeginUser;
  PetscCall(ComparePool(set, SCORIA_FROM_MODEL, &network));
  PetscCall(ComparePool(set, SCORIA_FROM_GAUSSIAN, &gaussian));
  PetscCall(ComparePool(set, SCORIA_FROM_PDE_AGAIN, &again));
  if (network.sliced_w > gaussian.sliced_w + CHANCE * again.sliced_w)
    PetscCall(ScoriaSay(run,
                        "  the conditional Gaussian is nearer than the network (sliced W %.4f, %.4f): "
                        "-sample_source gaussian draws it",
                        gaussian.sliced_w, network.sliced_w));
  PetscFunctionReturn(0);
}

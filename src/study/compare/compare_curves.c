/* The curves of a condition: moments and quantiles along x, of the fields and of the fields minus their first cell. */
#include "compare.h"
#include <math.h>
#include <string.h>

/* Doubles of one condition: curves (views, sources, curves, C, L), then examples (sources, COMPARE_EXAMPLES, C, L). */
size_t compare_profiles_size(const ComparisonSet *set)
{
  return (size_t)(SCORIA_NFROM * (SCORIA_NVIEWS * SCORIA_NCURVES + COMPARE_EXAMPLES)) *
         (size_t)(set->shape.channels * set->shape.cells);
}

double *compare_curve(const ComparisonSet *set, int condition, ScoriaView view, ScoriaFrom from, ScoriaCurve curve)
{
  const size_t m = (size_t)(set->shape.channels * set->shape.cells);
  return set->profiles + (size_t)(condition % set->held) * compare_profiles_size(set) +
         ((size_t)((view * SCORIA_NFROM + from) * SCORIA_NCURVES) + curve) * m;
}

double *compare_example(const ComparisonSet *set, int condition, ScoriaFrom from)
{
  const size_t m = (size_t)(set->shape.channels * set->shape.cells);
  return compare_curve(set, condition, SCORIA_NVIEWS, 0, 0) + (size_t)(from * COMPARE_EXAMPLES) * m;
}

Comparison *compare_condition(const ComparisonSet *set, int condition)
{
  return &set->c[condition % set->held];
}

PetscErrorCode CompareCreateConditions(MPI_Comm comm, ComparisonSet *set, bool profiles)
{
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  set->held = rank ? 1 : PetscMax(set->conditions, 1);
  PetscCall(PetscCalloc1(set->held, &set->c));
  if (set->wide) PetscCall(PetscCalloc1(set->held, &set->whole));
  if (profiles) PetscCall(PetscCalloc1((size_t)set->held * compare_profiles_size(set), &set->profiles));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareForget(ComparisonSet *set)
{
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(set->c, set->held));
  if (set->whole) PetscCall(PetscArrayzero(set->whole, set->held));
  if (set->profiles) PetscCall(PetscArrayzero(set->profiles, (size_t)set->held * compare_profiles_size(set)));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareDestroyConditions(ComparisonSet *set)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(set->c));
  PetscCall(PetscFree(set->whole));
  PetscCall(PetscFree(set->profiles));
  PetscCall(CompareMapsDestroy(&set->maps));
  PetscFunctionReturn(0);
}

/* `each` items of a type of each of the first `number` ranks to rank 0, one after the other; its own are in place. */
static PetscErrorCode HandInBlocks(MPI_Comm comm, int number, MPI_Datatype type, size_t each, void *items)
{
  int rank, size, *counts, *starts;
  MPI_Datatype block;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscMalloc2(size, &counts, size, &starts));
  for (int r = 0; r < size; r++) {
    counts[r] = r < number;
    starts[r] = PetscMin(r, number);
  }
  PetscCallMPI(MPI_Type_contiguous((int)each, type, &block));
  PetscCallMPI(MPI_Type_commit(&block));
  PetscCallMPI(MPI_Gatherv(rank ? items : MPI_IN_PLACE, counts[rank], block, items, counts, starts, block, 0, comm));
  PetscCallMPI(MPI_Type_free(&block));
  PetscCall(PetscFree2(counts, starts));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareHandIn(MPI_Comm comm, ComparisonSet *set, int base, int chunk)
{
  PetscFunctionBeginUser;
  PetscCall(HandInBlocks(comm, chunk, MPI_BYTE, sizeof *set->c, compare_condition(set, base)));
  if (set->whole) PetscCall(HandInBlocks(comm, chunk, MPI_BYTE, sizeof *set->whole, &set->whole[base % set->held]));
  if (set->profiles)
    PetscCall(HandInBlocks(comm, chunk, MPI_DOUBLE, compare_profiles_size(set), compare_curve(set, base, 0, 0, 0)));
  PetscFunctionReturn(0);
}

/* Mean, SD and quantiles (SCORIA_NCURVES, m); column is (n) scratch. */
static void fill_curves(int64_t n, int m, const double fields[], double column[], double curve[])
{
  stats_moments(n, m, fields, curve + SCORIA_CURVE_MEAN * m, curve + SCORIA_CURVE_SD * m);
  for (int j = 0; j < m; j++) {
    for (int64_t i = 0; i < n; i++) column[i] = fields[i * m + j];
    stats_sort(n, column);
    for (int q = 0; q < SCORIA_NCURVES; q++)
      if (!isnan(scoria_curves[q].probability))
        curve[q * m + j] = stats_quantile(n, column, scoria_curves[q].probability);
  }
}

void compare_subtract_first(int64_t n, int channels, int cells, double fields[])
{
  for (int64_t i = 0; i < n * channels; i++) {
    double *field      = fields + i * cells;
    const double first = field[0];
    for (int j = 0; j < cells; j++) field[j] -= first;
  }
}

PetscErrorCode CompareFillCurves(ComparisonSet *set, int condition, int64_t n, double fields[], ScoriaFrom from)
{
  const int m     = set->shape.channels * set->shape.cells;
  double *example = compare_example(set, condition, from), *column;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(n, &column));
  for (int e = 0; e < COMPARE_EXAMPLES; e++) memcpy(example + e * m, fields + (e % n) * m, (size_t)m * sizeof(double));
  fill_curves(n, m, fields, column, compare_curve(set, condition, SCORIA_VIEW_FIELD, from, 0));
  compare_subtract_first(n, set->shape.channels, set->shape.cells, fields);
  fill_curves(n, m, fields, column, compare_curve(set, condition, SCORIA_VIEW_RELATIVE, from, 0));
  PetscCall(PetscFree(column));
  PetscFunctionReturn(0);
}

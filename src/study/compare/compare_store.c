/* compare.h5: the curves behind the figures. */
#include "compare.h"
#include "scoria/run_files.h"
#include <stdio.h>
#include <string.h>

/* Name of the axis over conditions of a group: "condition", "sample_condition", "all_conditions". */
static const char *condition_axis(const char *group)
{
  if (!strcmp(group, SCORIA_COMPARE_RESIDUALS)) return "all_conditions";
  return *group ? "sample_condition" : "condition";
}

/* One array of one channel: of every condition k, `rows` profiles that begin at start[k], channels * cells apart. */
static PetscErrorCode PutProfiles(ScoriaStore store, const ComparisonSet *set, const char *group, const char *name,
                                  int channel, int rows, const double *const start[], const char *what)
{
  double *block;
  char axes[SCORIA_NAME_SIZE + 64];
  const ScoriaField *field = &set->shape.field[channel];
  const int64_t K = set->conditions, L = field_cells(field, set->shape.cells), dims3[3] = {K, rows, L},
                dims2[2] = {K, L};
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)(set->held * rows * L), &block)); /* rank 0's counts, here and below */
  for (int64_t k = 0; k < set->held; k++)
    for (int64_t r = 0; r < rows; r++)
      memcpy(block + (k * rows + r) * L, start[k] + (r * set->shape.channels + channel) * set->shape.cells,
             (size_t)L * sizeof(double));
  PetscCall(ScoriaStorePutReals(store, name, rows == 1 ? 2 : 3, rows == 1 ? dims2 : dims3, block,
                                strcmp(group, SCORIA_COMPARE_RESIDUALS) ? field->unit : "1", what));
  snprintf(axes, sizeof axes, "%s%s %s", condition_axis(group), rows == 1 ? "" : " example", field_axis(field, 0));
  PetscCall(ScoriaStorePutAxes(store, name, axes));
  PetscCall(PetscFree(block));
  PetscFunctionReturn(0);
}

/* Curves of all views and examples of one channel of one source. */
static PetscErrorCode PutChannel(ScoriaStore store, const ComparisonSet *set, const char *group, ScoriaFrom from,
                                 int channel)
{
  const char *field = set->shape.field[channel].name;
  const double **start;
  char name[128], what[64];
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(set->held, &start));
  for (int v = 0; v < SCORIA_NVIEWS; v++)
    for (int q = 0; q < SCORIA_NCURVES; q++) {
      for (int k = 0; k < set->held; k++) start[k] = compare_curve(set, k, v, from, q);
      compare_curve_path(group, v, from, field, q, sizeof name, name);
      snprintf(what, sizeof what, "%s%s", scoria_curves[q].name, scoria_views[v].what);
      PetscCall(PutProfiles(store, set, group, name, channel, 1, start, what));
    }
  for (int k = 0; k < set->held; k++) start[k] = compare_example(set, k, from);
  compare_examples_path(group, from, field, sizeof name, name);
  PetscCall(PutProfiles(store, set, group, name, channel, COMPARE_EXAMPLES, start, "examples"));
  PetscCall(PetscFree(start));
  PetscFunctionReturn(0);
}

/* theta of the conditions, and how many fields of each source are behind their curves. */
static PetscErrorCode PutConditions(ScoriaStore store, const ComparisonSet *set, const char *group, const char *what)
{
  const int64_t K = set->conditions, n = set->shape.space->n, dims[2] = {K, n}, good_dims[2] = {K, SCORIA_NFROM};
  double *theta, *good;
  char name[32], axes[64], what_good[128];
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(set->held * n, &theta, set->held * SCORIA_NFROM, &good));
  for (int64_t k = 0; k < set->held; k++) {
    for (int64_t i = 0; i < n; i++) theta[k * n + i] = set->c[k].theta[i];
    for (int f = 0; f < SCORIA_NFROM; f++) good[k * SCORIA_NFROM + f] = (double)set->c[k].good[f];
  }
  compare_theta_path(group, sizeof name, name);
  PetscCall(ScoriaStorePutReals(store, name, 2, dims, theta, "", what));
  snprintf(axes, sizeof axes, "%s column", condition_axis(group));
  PetscCall(ScoriaStorePutAxes(store, name, axes));
  compare_good_path(group, sizeof name, name);
  int length = snprintf(what_good, sizeof what_good, "fields without failure, of ");
  for (int f = 0; f < SCORIA_NFROM; f++)
    length +=
        snprintf(what_good + length, sizeof what_good - (size_t)length, "%s%s", f ? ", " : "", scoria_from[f].group);
  PetscCall(ScoriaStorePutReals(store, name, 2, good_dims, good, "", what_good));
  snprintf(axes, sizeof axes, "%s source", condition_axis(group));
  PetscCall(ScoriaStorePutAxes(store, name, axes));
  PetscCall(PetscFree2(theta, good));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutSet(ScoriaStore store, const ComparisonSet *set, const char *group, const char *what)
{
  PetscFunctionBeginUser;
  if (!set->conditions) PetscFunctionReturn(0);
  PetscCall(PutConditions(store, set, group, what));
  for (int from = 0; from < SCORIA_NFROM; from++)
    for (int c = 0; c < set->shape.channels; c++) PetscCall(PutChannel(store, set, group, from, c));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareWriteStore(const ComparisonSet *set, const ComparisonSet *sample, const ComparisonSet *residuals,
                                 const CompareQuantities *quantities, const CompareBiases *biases,
                                 const CompareCost *cost, MPI_Comm comm, const char *path, const char *deck)
{
  /* Of whole fields curves are of lateral means, along x. */
  const int along[3] = {set->maps ? set->shape.shape[0] : set->shape.cells, 1, 1};
  const bool own     = set->maps && fields_differ(set->shape.channels, set->shape.field); /* of which there are maps */
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreCreate(comm, path, "compare", deck, &store));
  PetscCall(ScoriaStorePutMadeFrom(store, &set->made));
  PetscCall(ScoriaStorePutSpace(store, set->shape.space));
  PetscCall(ScoriaStorePutFields(store, set->shape.channels, set->shape.field));
  PetscCall(ScoriaStorePutCentres(store, set->shape.channels, set->shape.field, own ? set->shape.shape : along,
                                  set->shape.space, set->shape.x));
  PetscCall(PutSet(store, set, SCORIA_COMPARE_HELDOUT, "held-out conditions, columns as in /conditions"));
  PetscCall(PutSet(store, sample, SCORIA_COMPARE_SAMPLE, "sample condition of the deck, columns as in /conditions"));
  if (residuals) PetscCall(PutSet(store, residuals, SCORIA_COMPARE_RESIDUALS, "NaN: rows of all held-back conditions"));
  if (set->maps) PetscCall(CompareMapsPut(store, set->maps));
  if (quantities) PetscCall(ComparePutTails(store, set, quantities));
  if (quantities) PetscCall(ComparePutBiases(store, quantities, biases));
  if (cost) PetscCall(ComparePutWorth(store, cost));
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

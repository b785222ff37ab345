/* compare: the model against fresh PDE ensembles at conditions that it was not trained on, with a second PDE ensemble
 * as the sampling floor and the conditional Gaussian as the baseline. */
#include "compare.h"
#include <math.h>
#include <string.h>

#define CHUNK_ROWS 1024

typedef struct {
  MPI_Comm comm;
  int rank, size;
  ScoriaEnsemble ens, twin_ens; /* owned */
  ScoriaTwin twin;
  ScoriaModel model; /* owned */
  ScoriaSamplerOptions sampler;
  uint64_t seed;
  PetscInt directions;
  int m;                      /* C * L */
  double *share;              /* owned; this rank's fields of one source */
  double *gathered[NSOURCES]; /* owned; (count, m), on the rank that measures a condition */
  ScoriaRows rows;
  MPI_Datatype row_type;
} Comparer;

/* ---------------------------------------------------------------------------------------------- sources ---- */

/* Fields [first, first + number) of a PDE ensemble at theta into out (number, C, L); failed rows are NaN. */
static PetscErrorCode SolveShare(Comparer *cmp, const ComparisonSet *set, int condition, int again,
                                 const double theta[], int64_t first, int64_t number, double out[])
{
  const int width = set->space->n;
  double thetas[CHUNK_ROWS * SCORIA_MAX_CONDITIONS];
  uint64_t id[CHUNK_ROWS];
  PetscFunctionBeginUser;
  for (int64_t base = 0; base < number; base += CHUNK_ROWS) {
    const int64_t n = PetscMin(CHUNK_ROWS, number - base);
    for (int64_t i = 0; i < n; i++) {
      memcpy(thetas + i * width, theta, (size_t)width * sizeof(double));
      id[i] = ensemble_heldout_id(condition, again, first + base + i);
    }
    PetscCall(ScoriaEnsembleCompute(cmp->ens, n, thetas, id, NULL, &cmp->rows));
    for (int64_t i = 0; i < n; i++)
      for (int c = 0; c < set->channels; c++)
        memcpy(out + ((base + i) * set->channels + c) * set->cells, cmp->rows.field[c] + i * set->cells,
               (size_t)set->cells * sizeof(double));
  }
  PetscFunctionReturn(0);
}

/* This rank's share of a source.  PDE fields are dealt to groups, samples to ranks. */
static PetscErrorCode FillShare(Comparer *cmp, ComparisonSet *set, int condition, int source, int64_t *number)
{
  const ScoriaGroups *groups = ScoriaEnsembleGroups(cmp->ens);
  const double *theta        = set->c[condition].theta;
  const bool pde             = source == FROM_PDE || source == FROM_PDE_AGAIN;
  const double start         = wall_seconds();
  int64_t first;
  PetscFunctionBeginUser;
  deal_block(set->count, pde ? groups->index : cmp->rank, pde ? groups->count : cmp->size, &first, number);
  if (pde)
    PetscCall(SolveShare(cmp, set, condition, source == FROM_PDE_AGAIN, theta, first, *number, cmp->share));
  else {
    const uint64_t id = (uint64_t)condition * (uint64_t)set->count + (uint64_t)first;
    PetscCall(ScoriaModelSample(cmp->model, &cmp->twin, &cmp->sampler, theta, id, *number, source == FROM_GAUSSIAN,
                                cmp->share));
  }
  set->seconds[source] += wall_seconds() - start;
  if (pde && groups->group_rank) *number = 0; /* the leader hands in its group's fields */
  PetscFunctionReturn(0);
}

/* The owner of a condition gets all its fields, in row order, whoever made them. */
static PetscErrorCode GatherShare(Comparer *cmp, int owner, int64_t number, double all[])
{
  int mine = (int)number, *counts, *starts;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(cmp->size, &counts, cmp->size, &starts));
  PetscCallMPI(MPI_Allgather(&mine, 1, MPI_INT, counts, 1, MPI_INT, cmp->comm));
  for (int r = 0, at = 0; r < cmp->size; at += counts[r++]) starts[r] = at;
  PetscCallMPI(MPI_Gatherv(cmp->share, mine, cmp->row_type, all, counts, starts, cmp->row_type, owner, cmp->comm));
  PetscCall(PetscFree2(counts, starts));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------- measures ---- */

static int ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Mean, SD, quantiles and the first few fields; column is (n) scratch. */
static void fill_curves(int64_t n, int m, const double fields[], double column[], double curve[])
{
  stats_moments(n, m, fields, curve + CURVE_MEAN * m, curve + CURVE_SD * m);
  for (int j = 0; j < m; j++) {
    for (int64_t i = 0; i < n; i++) column[i] = fields[i * m + j];
    qsort(column, (size_t)n, sizeof *column, ascending);
    curve[CURVE_Q025 * m + j] = stats_quantile(n, column, 0.025);
    curve[CURVE_Q500 * m + j] = stats_quantile(n, column, 0.5);
    curve[CURVE_Q975 * m + j] = stats_quantile(n, column, 0.975);
  }
  for (int e = 0; e < COMPARE_EXAMPLES; e++)
    memcpy(curve + (NCURVES + e) * m, fields + (e % n) * m, (size_t)m * sizeof(double));
}

/* On the owner: everything that is said of one condition. */
static PetscErrorCode Measure(Comparer *cmp, ComparisonSet *set, int condition)
{
  Comparison *c = &set->c[condition];
  double *column;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(set->count, &column));
  for (int s = 0; s < NSOURCES; s++) {
    c->good[s] = stats_keep_finite(set->count, cmp->m, cmp->gathered[s]);
    if (c->good[s] < 2) continue;
    fill_curves(c->good[s], cmp->m, cmp->gathered[s], column, c->curve[s]);
    if (s != FROM_PDE && c->good[FROM_PDE] >= 2)
      PetscCall(ScoriaDistanceCompute(c->good[s], cmp->gathered[s], c->good[FROM_PDE], cmp->gathered[FROM_PDE], cmp->m,
                                      cmp->seed, (int)cmp->directions, &c->distance[s]));
  }
  PetscCall(PetscFree(column));
  PetscFunctionReturn(0);
}

static PetscErrorCode ShareMeasures(Comparer *cmp, ComparisonSet *set, int condition, int owner)
{
  Comparison *c = &set->c[condition];
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Bcast(c->good, NSOURCES, MPI_INT64_T, owner, cmp->comm));
  PetscCallMPI(MPI_Bcast(c->distance, (int)sizeof c->distance, MPI_BYTE, owner, cmp->comm));
  for (int s = 0; s < NSOURCES; s++) {
    PetscCallMPI(MPI_Bcast(c->curve[s], (NCURVES + COMPARE_EXAMPLES) * cmp->m, MPI_DOUBLE, owner, cmp->comm));
    if (c->good[s] < 2)
      SCORIA_FAIL(SCORIA_EXIT_SOLVES,
                  "compare: held-out condition %d (%s %g %s): found %lld good fields of %lld, expected at least 2",
                  condition, set->space->c[0].name, c->theta[0], set->space->c[0].unit, (long long)c->good[s],
                  (long long)set->count);
  }
  PetscFunctionReturn(0);
}

/* Conditions go round in chunks of one per rank: all make the fields of each, then every owner measures its own. */
static PetscErrorCode CompareAll(ScoriaRun run, Comparer *cmp, ComparisonSet *set)
{
  ScoriaProgress bar;
  bool stop = false;
  PetscFunctionBeginUser;
  PetscCall(ScoriaProgressCreate(run, "compare", "conditions", set->conditions, &bar));
  for (int base = 0; base < set->conditions; base += cmp->size) {
    const int chunk = PetscMin(cmp->size, set->conditions - base);
    for (int owner = 0; owner < chunk; owner++)
      for (int s = 0; s < NSOURCES; s++) {
        int64_t number;
        PetscCall(FillShare(cmp, set, base + owner, s, &number));
        PetscCall(GatherShare(cmp, owner, number, cmp->gathered[s]));
      }
    if (cmp->rank < chunk) PetscCall(Measure(cmp, set, base + cmp->rank));
    for (int owner = 0; owner < chunk; owner++) PetscCall(ShareMeasures(cmp, set, base + owner, owner));
    PetscCall(ScoriaProgressUpdate(bar, base + chunk, NULL));
    PetscCall(ScoriaStopAsked(run, &stop));
    if (stop && base + chunk < set->conditions) PetscCall(ScoriaStopped(run, "the comparison will begin anew"));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, set->seconds, NSOURCES, MPI_DOUBLE, MPI_SUM, cmp->comm));
  for (int s = 0; s < NSOURCES; s++) set->seconds[s] /= (double)set->count * set->conditions;
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ set-up ---- */

static PetscErrorCode CreateComparer(ScoriaRun run, ScoriaDeck deck, Comparer *cmp, ComparisonSet *set)
{
  PetscInt conditions = 0, count = 0, seed = 0;
  PetscFunctionBeginUser;
  memset(cmp, 0, sizeof *cmp);
  memset(set, 0, sizeof *set);
  cmp->comm = ScoriaRunComm(run);
  PetscCallMPI(MPI_Comm_rank(cmp->comm, &cmp->rank));
  PetscCallMPI(MPI_Comm_size(cmp->comm, &cmp->size));
  PetscCall(ScoriaDeckInt(deck, "compare_conditions", &conditions));
  PetscCall(ScoriaDeckInt(deck, "compare_count", &count));
  PetscCall(ScoriaDeckInt(deck, "compare_directions", &cmp->directions));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  cmp->seed = (uint64_t)seed;
  PetscCall(CmdLoadModel(run, deck, &cmp->model));
  PetscCall(CmdTwinCreate(deck, &cmp->twin_ens, &cmp->twin));
  PetscCall(ScoriaEnsembleCreate(cmp->comm, deck, &cmp->ens));
  PetscCall(ScoriaSamplerFromDeck(deck, &cmp->sampler));
  PetscCall(ScoriaModelFields(cmp->model, &set->channels, &set->field, &set->cells, &set->x));
  set->space       = ScoriaModelSpace(cmp->model);
  set->conditions  = (int)conditions;
  set->count       = count;
  set->sampler     = cmp->sampler.kind;
  set->evaluations = sampler_find(cmp->sampler.kind)->evaluations(cmp->sampler.steps);
  cmp->m           = set->channels * set->cells;
  PetscFunctionReturn(0);
}

static PetscErrorCode AllocateFields(ScoriaDeck deck, Comparer *cmp, ComparisonSet *set)
{
  ScoriaDatasetSpec spec;
  const double *x;
  const size_t m = (size_t)cmp->m, all = (size_t)set->count * m;
  PetscFunctionBeginUser;
  PetscCall(ScoriaEnsembleSpec(cmp->ens, &spec, &x));
  PetscCall(ScoriaRowsCreate(&spec, CHUNK_ROWS, &cmp->rows));
  PetscCall(PetscMalloc1(all, &cmp->share)); /* a group of one rank may have to make them all */
  for (int s = 0; s < NSOURCES; s++) PetscCall(PetscMalloc1(all, &cmp->gathered[s]));
  PetscCall(PetscCalloc1(set->conditions, &set->c));
  for (int k = 0; k < set->conditions; k++) {
    PetscCall(ScoriaDesignTheta(deck, &spec.space, true, k, set->conditions, set->c[k].theta));
    for (int s = 0; s < NSOURCES; s++) PetscCall(PetscCalloc1((NCURVES + COMPARE_EXAMPLES) * m, &set->c[k].curve[s]));
  }
  PetscCallMPI(MPI_Type_contiguous(cmp->m, MPI_DOUBLE, &cmp->row_type));
  PetscCallMPI(MPI_Type_commit(&cmp->row_type));
  PetscFunctionReturn(0);
}

static PetscErrorCode DestroyComparer(Comparer *cmp, ComparisonSet *set)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Type_free(&cmp->row_type));
  for (int k = 0; k < set->conditions; k++)
    for (int s = 0; s < NSOURCES; s++) PetscCall(PetscFree(set->c[k].curve[s]));
  PetscCall(PetscFree(set->c));
  for (int s = 0; s < NSOURCES; s++) PetscCall(PetscFree(cmp->gathered[s]));
  PetscCall(PetscFree(cmp->share));
  PetscCall(ScoriaRowsDestroy(&cmp->rows));
  PetscCall(ScoriaEnsembleDestroy(&cmp->ens));
  PetscCall(ScoriaEnsembleDestroy(&cmp->twin_ens));
  PetscCall(ScoriaModelDestroy(&cmp->model));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ report ---- */

PetscErrorCode CompareSayTable(ScoriaRun run, const ComparisonSet *set)
{
  const struct {
    int source;
    const char *name;
  } rows[] = {{FROM_MODEL, set->files ? "sample" : "model"},
              {FROM_GAUSSIAN, "gaussian"},
              {FROM_PDE_AGAIN, set->files ? "floor" : "PDE again"}};
  PetscFunctionBeginUser;
  if (set->files)
    PetscCall(ScoriaSay(
        run, "  pooled over %d conditions, %lld rows of the sample, of one and of the other half of the reference",
        set->conditions, (long long)set->count));
  else
    PetscCall(ScoriaSay(run, "  pooled over %d held-out conditions, %lld fields each (PDE again: the sampling floor)",
                        set->conditions, (long long)set->count));
  PetscCall(ScoriaSay(run, "  %-10s %10s %9s %9s %9s %9s %9s %9s", "", "mean/SD", "SD", "bias SD", "band", "cover95",
                      "W1/SD", "sliced W"));
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    ScoriaDistance d;
    if (set->files && rows[i].source == FROM_GAUSSIAN) continue;
    compare_pool(set, rows[i].source, &d);
    PetscCall(ScoriaSay(run, "  %-10s %10.4f %8.2f%% %+8.2f%% %8.2f%% %8.2f%% %9.4f %9.4f", rows[i].name, d.mean_error,
                        100 * d.sd_error, 100 * d.sd_bias, 100 * d.band_error, 100 * d.coverage95, d.w1, d.sliced_w));
  }
  if (!set->files)
    PetscCall(ScoriaSay(run, "  one field on one core: PDE %.1f us, model %.1f us (%s, %d evaluations)",
                        1e6 * set->seconds[FROM_PDE], 1e6 * set->seconds[FROM_MODEL], set->sampler, set->evaluations));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandCompare(ScoriaRun run, ScoriaDeck deck)
{
  static const char *const sections[] = {"run_seed",
                                         SCORIA_PROBLEM_SECTIONS "porosity",
                                         "conditions",
                                         SCORIA_ENSEMBLE_KEYS,
                                         "train",
                                         "sample_sampler",
                                         "sample_steps",
                                         "sample_sigma_max",
                                         "sample_sigma_min",
                                         "sample_power",
                                         "compare",
                                         NULL};
  char store[PETSC_MAX_PATH_LEN], json[PETSC_MAX_PATH_LEN];
  const char *text;
  Comparer cmp;
  ComparisonSet set;
  bool complete;
  PetscFunctionBeginUser;
  const char *sample = NULL, *reference = NULL;
  PetscCall(ScoriaSay(run, "compare"));
  PetscCall(ScoriaDeckString(deck, "compare_sample", &sample));
  PetscCall(ScoriaDeckString(deck, "compare_reference", &reference));
  if (!sample != !reference)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "compare: %s is not set, expected both compare_sample and compare_reference, or neither",
                sample ? "compare_reference" : "compare_sample");
  if (sample) {
    PetscCall(CompareFiles(run, deck, sample, reference));
    PetscFunctionReturn(0);
  }
  PetscCall(CmdStoreComplete(run, deck, "compare.h5", "compare", sections, &complete));
  if (complete) PetscFunctionReturn(0);
  PetscCall(CreateComparer(run, deck, &cmp, &set));
  PetscCall(AllocateFields(deck, &cmp, &set));
  PetscCall(CompareAll(run, &cmp, &set));
  PetscCall(CompareSayTable(run, &set));
  PetscCall(ScoriaDeckText(deck, &text));
  PetscCall(ScoriaRunPath(run, "compare.json", sizeof json, json));
  PetscCall(CompareWriteJson(&set, cmp.comm, json));
  PetscCall(ScoriaRunPath(run, "compare.h5", sizeof store, store));
  PetscCall(CompareWriteStore(&set, cmp.comm, store, text)); /* last: it marks the comparison as complete */
  PetscCall(ScoriaSay(run, "  wrote %s and %s", store, json));
  PetscCall(DestroyComparer(&cmp, &set));
  PetscFunctionReturn(0);
}

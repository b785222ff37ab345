/* compare: the model against fresh PDE ensembles at conditions that it was not trained on, with a second PDE ensemble
 * as the sampling floor and the conditional Gaussian as the baseline. */
#include "compare.h"
#include "scoria/phases.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------- measures ---- */

/* On the owner: everything that is said of one condition.  The curves come last: they change the fields. */
static PetscErrorCode Measure(Comparer *cmp, ComparisonSet *set, int condition)
{
  Comparison *c = &set->c[condition];
  PetscFunctionBeginUser;
  for (int s = 0; s < SCORIA_NFROM; s++) {
    c->good[s] = stats_keep_finite(set->count, cmp->m, cmp->gathered[s]);
    if (s != SCORIA_FROM_PDE && c->good[s] >= 2 && c->good[SCORIA_FROM_PDE] >= 2)
      PetscCall(ScoriaDistanceCompute(c->good[s], cmp->gathered[s], c->good[SCORIA_FROM_PDE],
                                      cmp->gathered[SCORIA_FROM_PDE], cmp->m, cmp->seed, (int)cmp->directions,
                                      &c->distance[s]));
  }
  PetscCall(CompareFillEstimates(set, cmp->gathered, c));
  if (c->good[SCORIA_FROM_PDE] >= 2 && c->good[SCORIA_FROM_MODEL] >= 2) PetscCall(CompareFillResiduals(cmp, set, c));
  for (int s = 0; s < SCORIA_NFROM; s++)
    if (c->good[s] >= 2) PetscCall(CompareFillCurves(set, c->good[s], cmp->gathered[s], s, c));
  PetscFunctionReturn(0);
}

static PetscErrorCode ShareMeasures(Comparer *cmp, ComparisonSet *set, int condition, int owner)
{
  Comparison *c = &set->c[condition];
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Bcast(c->good, SCORIA_NFROM, MPI_INT64_T, owner, cmp->comm));
  PetscCallMPI(MPI_Bcast(c->distance, (int)sizeof c->distance, MPI_BYTE, owner, cmp->comm));
  PetscCallMPI(MPI_Bcast(c->reference, (int)sizeof c->reference, MPI_BYTE, owner, cmp->comm));
  PetscCallMPI(MPI_Bcast(c->residual, (int)sizeof c->residual, MPI_BYTE, owner, cmp->comm));
  PetscCallMPI(MPI_Bcast(&c->memory, (int)sizeof c->memory, MPI_BYTE, owner, cmp->comm));
  PetscCallMPI(MPI_Bcast(c->sample, (int)sizeof c->sample, MPI_BYTE, owner, cmp->comm));
  for (int s = 0; s < SCORIA_NFROM; s++) {
    for (int v = 0; v < SCORIA_NVIEWS; v++)
      PetscCallMPI(MPI_Bcast(c->curve[v][s], SCORIA_NCURVES * cmp->m, MPI_DOUBLE, owner, cmp->comm));
    PetscCallMPI(MPI_Bcast(c->example[s], COMPARE_EXAMPLES * cmp->m, MPI_DOUBLE, owner, cmp->comm));
  }
  PetscFunctionReturn(0);
}

/* A source of condition k that has too few good fields to compare; -1: none. */
static int lacking_source(const ComparisonSet *set, int k)
{
  for (int s = 0; s < SCORIA_NFROM; s++)
    if (set->c[k].good[s] < 2) return s;
  return -1;
}

static PetscErrorCode CheckGood(const ComparisonSet *set, int k)
{
  const Comparison *c = &set->c[k];
  const int s         = lacking_source(set, k);
  PetscFunctionBeginUser;
  if (s >= 0)
    SCORIA_FAIL(SCORIA_EXIT_SOLVES,
                "compare: held-out condition %d (%s %g %s): found %lld good fields of %lld, expected at least 2", k,
                set->space->c[0].name, c->theta[0], set->space->c[0].unit, (long long)c->good[s],
                (long long)set->count);
  PetscFunctionReturn(0);
}

/* Conditions go round in chunks of one per rank: all make the fields of each, then every owner measures its own. */
static PetscErrorCode CompareAll(ScoriaRun run, Comparer *cmp, ComparisonSet *set)
{
  ScoriaProgress bar;
  bool stop = false;
  PetscFunctionBeginUser;
  for (int s = 0; s < SCORIA_NFROM; s++) set->seconds[s] = -source_seconds(cmp->source[s]);
  PetscCall(
      ScoriaProgressCreate(run, "compare", set->first ? "sample condition" : "conditions", set->conditions, &bar));
  for (int base = 0; base < set->conditions; base += cmp->size) {
    const int chunk = PetscMin(cmp->size, set->conditions - base);
    for (int owner = 0; owner < chunk; owner++)
      for (int s = 0; s < SCORIA_NFROM; s++)
        PetscCall(
            CompareFields(cmp, set, base + owner, set->c[base + owner].theta, s, set->count, owner, cmp->gathered[s]));
    if (!set->first) PetscCall(CompareMemorise(cmp, set, base, chunk));
    PetscErrorCode failed = 0;
    phase_begin(SCORIA_PHASE_COMPARE);
    if (cmp->rank < chunk) failed = Measure(cmp, set, base + cmp->rank);
    phase_end(SCORIA_PHASE_COMPARE, cmp->rank < chunk);
    phase_begin(SCORIA_PHASE_GATHER);
    PetscCall(ScoriaAgreeFailed(cmp->comm, failed));
    phase_end(SCORIA_PHASE_GATHER, 0);
    for (int owner = 0; owner < chunk; owner++) {
      PetscCall(ShareMeasures(cmp, set, base + owner, owner));
      if (!set->first) PetscCall(CheckGood(set, base + owner)); /* at once: the others may take hours */
    }
    PetscCall(ScoriaProgressUpdate(bar, base + chunk, NULL));
    PetscCall(ScoriaStopAsked(run, &stop));
    if (stop && base + chunk < set->conditions) PetscCall(ScoriaStopped(run, "the comparison will begin anew"));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  for (int s = 0; s < SCORIA_NFROM; s++) set->seconds[s] += source_seconds(cmp->source[s]);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, set->seconds, SCORIA_NFROM, MPI_DOUBLE, MPI_SUM, cmp->comm));
  for (int s = 0; s < SCORIA_NFROM; s++) set->seconds[s] /= (double)set->count * set->conditions;
  PetscFunctionReturn(0);
}

/* The sample condition is shown, not judged: without good fields it is left out. */
static PetscErrorCode CompareSample(ScoriaRun run, Comparer *cmp, ComparisonSet *sample)
{
  PetscFunctionBeginUser;
  if (!sample->conditions) PetscFunctionReturn(0);
  PetscCall(CompareAll(run, cmp, sample));
  if (lacking_source(sample, 0) < 0) PetscFunctionReturn(0);
  PetscCall(ScoriaSay(run, "  the sample condition has fewer than 2 good fields: left out"));
  PetscCall(CompareDestroyConditions(sample));
  sample->conditions = 0;
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ set-up ---- */

static void take_shape(const ScoriaFieldShape *shape, ComparisonSet *set)
{
  set->channels = shape->channels;
  set->cells    = shape->cells;
  set->field    = shape->field;
  set->x        = shape->x;
  set->space    = shape->space;
}

static PetscErrorCode CreateComparer(ScoriaRun run, ScoriaDeck deck, Comparer *cmp, ComparisonSet *set)
{
  PetscInt conditions = 0, count = 0, seed = 0;
  PetscFunctionBeginUser;
  memset(cmp, 0, sizeof *cmp);
  memset(set, 0, sizeof *set);
  cmp->comm = ScoriaRunComm(run);
  for (int s = 0; s < SCORIA_NFROM; s++)
    cmp->pace[s] = s == SCORIA_FROM_PDE || s == SCORIA_FROM_PDE_AGAIN
                       ? (ScoriaPace){.run = run, .step = 1, .most = 1024}
                       : (ScoriaPace){.run = run, .step = 256, .most = 1 << 16};
  PetscCallMPI(MPI_Comm_rank(cmp->comm, &cmp->rank));
  PetscCallMPI(MPI_Comm_size(cmp->comm, &cmp->size));
  PetscCall(ScoriaDeckInt(deck, "compare_conditions", &conditions));
  PetscCall(ScoriaDeckInt(deck, "compare_count", &count));
  PetscCall(ScoriaDeckInt(deck, "compare_directions", &cmp->directions));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  cmp->seed = (uint64_t)seed;
  PetscCall(CompareOpenSources(run, deck, cmp));
  take_shape(source_shape(cmp->source[SCORIA_FROM_MODEL]), set);
  PetscCall(CompareSymmetriesBegin(deck, cmp, set));
  set->conditions  = (int)conditions;
  set->count       = count;
  set->sampler     = cmp->trained.sampler.kind;
  set->evaluations = sampler_find(cmp->trained.sampler.kind)->evaluations(cmp->trained.sampler.steps);
  cmp->m           = set->channels * set->cells;
  PetscCall(ScoriaQuantitiesOfDeck(deck, set->channels, set->field, set->cells, set->x, &set->nquantities,
                                   set->quantity, set->offset));
  PetscCall(ScoriaCostRead(run, "dataset.h5", &set->seconds_data));
  PetscCall(ScoriaCostRead(run, "model.h5", &set->seconds_training));
  PetscFunctionReturn(0);
}

static PetscErrorCode AllocateFields(Comparer *cmp, ComparisonSet *set)
{
  ScoriaDatasetSpec spec;
  const double *x;
  const size_t m = (size_t)cmp->m, all = (size_t)set->count * m;
  PetscFunctionBeginUser;
  PetscCall(ScoriaEnsembleSpec(cmp->ens, &spec, &x));
  set->training_rows = spec.rows;
  PetscCall(PetscMalloc1(all, &cmp->share)); /* a group of one rank may have to make them all */
  for (int s = 0; s < SCORIA_NFROM; s++) PetscCall(PetscMalloc1(all, &cmp->gathered[s]));
  PetscCall(CompareCreateConditions(set));
  for (int k = 0; k < set->conditions; k++)
    PetscCall(ScoriaDesignTheta(ScoriaEnsembleDesign(cmp->ens), true, k, set->conditions, set->c[k].theta));
  PetscFunctionReturn(0);
}

/* The deck's own sample condition, apart from the held-out ones: none where it is not asked for, or where the model was
 * not trained. */
static PetscErrorCode CreateSample(ScoriaRun run, ScoriaDeck deck, const ComparisonSet *set, ComparisonSet *sample)
{
  double theta[SCORIA_MAX_CONDITIONS];
  bool asked, inside = true;
  PetscFunctionBeginUser;
  *sample       = *set;
  sample->first = COMPARE_SAMPLE_INDEX;
  PetscCall(ScoriaConditionOfSamples(deck, set->space, theta, &asked));
  for (int i = 0; i < set->space->n; i++) inside = inside && condition_inside(&set->space->c[i], theta[i]);
  if (asked && !inside) PetscCall(ScoriaSay(run, "  the sample condition is outside the training ranges: left out"));
  sample->conditions = asked && inside;
  PetscCall(CompareCreateConditions(sample));
  if (sample->conditions) memcpy(sample->c[0].theta, theta, sizeof theta);
  PetscFunctionReturn(0);
}

static PetscErrorCode DestroyComparer(Comparer *cmp, ComparisonSet *set, ComparisonSet *sample)
{
  PetscFunctionBeginUser;
  PetscCall(CompareDestroyConditions(set));
  PetscCall(CompareDestroyConditions(sample));
  for (int s = 0; s < SCORIA_NFROM; s++) PetscCall(PetscFree(cmp->gathered[s]));
  PetscCall(PetscFree(cmp->share));
  PetscCall(PetscFree(cmp->parameters));
  PetscCall(CompareMemoryDestroy(&cmp->memory));
  PetscCall(CompareCloseSources(cmp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ report ---- */

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

PetscErrorCode CompareSayTable(ScoriaRun run, const ComparisonSet *set)
{
  PetscFunctionBeginUser;
  if (set->files)
    PetscCall(ScoriaSay(
        run, "  pooled over %d conditions, %lld rows of the sample, of one and of the other half of the reference",
        set->conditions, (long long)set->count));
  else
    PetscCall(ScoriaSay(run, "  pooled over %d held-out conditions, %lld fields each (PDE again: the sampling floor)",
                        set->conditions, (long long)set->count));
  PetscCall(SayMeasures(run, "", NULL));
  for (int i = 0; i < SCORIA_NMEASURED; i++) {
    const ScoriaFrom from  = scoria_measured[i];
    const char *of_files[] = {[SCORIA_FROM_MODEL] = "sample", [SCORIA_FROM_PDE_AGAIN] = "floor"};
    ScoriaDistance d;
    if (set->files && from == SCORIA_FROM_GAUSSIAN) continue;
    PetscCall(ComparePool(set, from, &d));
    PetscCall(SayMeasures(run, set->files ? of_files[from] : scoria_from[from].row, &d));
  }
  if (set->files) PetscFunctionReturn(0);
  PetscCall(ScoriaSay(run, "  one field on one core: PDE %.1f us, model %.1f us (%s, %d evaluations)",
                      1e6 * set->seconds[SCORIA_FROM_PDE], 1e6 * set->seconds[SCORIA_FROM_MODEL], set->sampler,
                      set->evaluations));
  PetscCall(CompareSayWorth(run, set));
  PetscCall(CompareSaySymmetries(run, set));
  PetscCall(CompareSayMemorisation(run, set));
  PetscFunctionReturn(0);
}

/* compare.h5 comes last: it marks the comparison as complete. */
static PetscErrorCode WriteComparison(ScoriaRun run, ScoriaDeck deck, const ComparisonSet *set,
                                      const ComparisonSet *sample)
{
  char store[PETSC_MAX_PATH_LEN], json[PETSC_MAX_PATH_LEN];
  const char *text;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckText(deck, &text));
  PetscCall(ScoriaRunPath(run, "compare.json", sizeof json, json));
  PetscCall(CompareWriteJson(set, ScoriaRunComm(run), json));
  PetscCall(ScoriaRunPath(run, "compare.h5", sizeof store, store));
  PetscCall(CompareWriteStore(set, sample, ScoriaRunComm(run), store, text));
  PetscCall(ScoriaSay(run, "  wrote %s and %s", store, json));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCompareModel(ScoriaRun run, ScoriaDeck deck)
{
  Comparer cmp;
  ComparisonSet set, sample;
  bool complete;
  PetscFunctionBeginUser;
  PetscCall(ScoriaCompleteStore(run, deck, "compare.h5", "compare", SCORIA_OF_COMPARE, &complete));
  if (complete) PetscFunctionReturn(0);
  PetscCall(CreateComparer(run, deck, &cmp, &set));
  PetscCall(AllocateFields(&cmp, &set));
  PetscCall(CompareMemoryCreate(run, deck, &cmp, &set));
  PetscCall(CreateSample(run, deck, &set, &sample));
  PetscCall(CompareAll(run, &cmp, &set));
  PetscCall(CompareSymmetries(&cmp, &set));
  PetscCall(CompareSample(run, &cmp, &sample));
  PetscCall(CompareSayTable(run, &set));
  PetscCall(WriteComparison(run, deck, &set, &sample));
  PetscCall(DestroyComparer(&cmp, &set, &sample));
  PetscFunctionReturn(0);
}

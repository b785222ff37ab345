/* compare: the fields of every condition drawn, gathered and measured. */
#include "compare_kept.h"
#include "scoria/phases.h"

/* On the owner, of whole fields: the gathered rows are features, and the curves are of the lateral means. */
static PetscErrorCode MeasureWhole(const CompareDraws *draws, const CompareAsked *asked, ComparisonSet *set,
                                   int condition)
{
  Comparison *c = compare_condition(set, condition);
  const double *rows[SCORIA_NFROM];
  double *means;
  PetscFunctionBeginUser;
  for (int s = 0; s < SCORIA_NFROM; s++) {
    rows[s]    = draws->gathered[s];
    c->good[s] = stats_keep_finite(set->count, draws->m, draws->gathered[s]);
  }
  if (asked->quantities)
    PetscCall(CompareFillWhole(asked->quantities, features_size(asked->features), draws->gathered, c));
  PetscCall(CompareMeasureWhole(asked->features, c->good, rows, &set->whole[condition % set->held], c));
  for (int s = 0; s < SCORIA_NFROM; s++) {
    if (c->good[s] < 2) continue;
    PetscCall(ScoriaFeaturesMeans(asked->features, c->good[s], rows[s], &means));
    PetscCall(CompareFillCurves(set, condition, c->good[s], means, s));
    PetscCall(PetscFree(means));
  }
  PetscFunctionReturn(0);
}

/* On the owner: everything that is said of one condition.  The curves come last: they change the fields. */
static PetscErrorCode Measure(const CompareDraws *draws, const CompareAsked *asked, ComparisonSet *set, int condition)
{
  Comparison *c           = compare_condition(set, condition);
  double *const *fields   = draws->gathered;
  const double *reference = fields[SCORIA_FROM_PDE];
  int64_t least           = set->count;
  PetscFunctionBeginUser;
  for (int s = 0; s < SCORIA_NFROM; s++) {
    c->good[s] = stats_keep_finite(set->count, draws->m, fields[s]);
    fields_blank(c->good[s], set->shape.channels, set->shape.field, set->shape.cells, fields[s]);
  }
  for (int s = 0; s < SCORIA_NFROM && asked->alike; s++) least = PetscMin(least, c->good[s]);
  for (int s = 0; s < SCORIA_NFROM; s++) c->good[s] = PetscMin(c->good[s], least);
  for (int s = 0; s < SCORIA_NFROM; s++) {
    if (s != SCORIA_FROM_PDE && c->good[s] >= 2 && c->good[SCORIA_FROM_PDE] >= 2)
      PetscCall(ScoriaDistanceCompute(c->good[s], fields[s], c->good[SCORIA_FROM_PDE], reference, draws->m, asked->seed,
                                      asked->directions, &c->distance[s]));
  }
  if (asked->quantities) PetscCall(CompareFillEstimates(asked->quantities, &set->shape, fields, c));
  if (asked->laws && c->good[SCORIA_FROM_PDE] >= 2 && c->good[SCORIA_FROM_MODEL] >= 2)
    PetscCall(CompareFillResiduals(asked->laws, &set->shape, fields, c));
  for (int s = 0; s < SCORIA_NFROM; s++)
    if (c->good[s] >= 2) PetscCall(CompareFillCurves(set, condition, c->good[s], fields[s], s));
  PetscFunctionReturn(0);
}

int compare_lacking(const ComparisonSet *set, int k)
{
  for (int s = 0; s < SCORIA_NFROM; s++)
    if (compare_condition(set, k)->good[s] < 2) return s;
  return -1;
}

static PetscErrorCode CheckGood(const ComparisonSet *set, int k)
{
  const Comparison *c          = compare_condition(set, k);
  const int s                  = compare_lacking(set, k);
  const ScoriaCondition *first = &set->shape.space->c[0];
  PetscFunctionBeginUser;
  if (s >= 0)
    SCORIA_FAIL(SCORIA_EXIT_SOLVES,
                "compare: held-out condition %d (%s %g %s): found %lld good fields of %lld, expected at least 2", k,
                first->name, c->theta[0], first->unit, (long long)c->good[s], (long long)set->count);
  PetscFunctionReturn(0);
}

/* theta of conditions [base, base + chunk), which rank 0 knows; each of the first ranks keeps its own. */
static PetscErrorCode TellConditions(const CompareDraws *draws, ComparisonSet *set, int base, int chunk,
                                     double theta[][SCORIA_MAX_CONDITIONS])
{
  PetscFunctionBeginUser;
  for (int k = 0; k < chunk && !draws->rank; k++)
    PetscCall(PetscArraycpy(theta[k], compare_condition(set, base + k)->theta, SCORIA_MAX_CONDITIONS));
  PetscCallMPI(MPI_Bcast(theta, chunk * SCORIA_MAX_CONDITIONS, MPI_DOUBLE, 0, draws->comm));
  if (draws->rank && draws->rank < chunk) {
    PetscCall(CompareForget(set));
    PetscCall(PetscArraycpy(set->c[0].theta, theta[draws->rank], SCORIA_MAX_CONDITIONS));
  }
  PetscFunctionReturn(0);
}

/* The fields of a chunk of conditions by every source.  The bar counts each of them by what it has taken of the time so
 * far; at first as if solves took it all. */
static PetscErrorCode DrawChunk(CompareDraws *draws, ComparisonSet *set, int base, int chunk,
                                const double theta[][SCORIA_MAX_CONDITIONS], ScoriaProgress bar)
{
  double seconds[SCORIA_NFROM], all = 0, from = base;
  PetscFunctionBeginUser;
  for (int s = 0; s < SCORIA_NFROM; s++) all += seconds[s] = source_seconds(draws->source[s]);
  for (int s = 0; s < SCORIA_NFROM; s++) {
    const bool solves = s == SCORIA_FROM_PDE || s == SCORIA_FROM_PDE_AGAIN;
    const double span = chunk * (all > 0 ? seconds[s] / all : solves ? 0.5 : 0);
    source_show(draws->source[s], bar, from, span);
    PetscCall(CompareFields(draws, set->first + base, chunk, theta, s, set->count, draws->gathered[s]));
    source_show(draws->source[s], NULL, 0, 0);
    from += span;
  }
  PetscFunctionReturn(0);
}

/* Conditions [base, base + chunk), one of each of the first ranks: all make the fields of each, then every owner
 * measures its own. */
static PetscErrorCode MeasureChunk(CompareDraws *draws, const CompareAsked *asked, ComparisonSet *set, int base,
                                   int chunk, ScoriaProgress bar)
{
  const bool mine       = draws->rank < chunk;
  PetscErrorCode failed = 0;
  double(*theta)[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(chunk, &theta));
  PetscCall(TellConditions(draws, set, base, chunk, theta));
  PetscCall(DrawChunk(draws, set, base, chunk, theta, bar));
  if (asked->memory) PetscCall(CompareMemorise(draws, asked->memory, set, base, chunk, theta));
  PetscCall(PetscFree(theta));
  phase_begin(SCORIA_PHASE_COMPARE);
  if (mine) failed = (set->wide ? MeasureWhole : Measure)(draws, asked, set, base + draws->rank);
  phase_end(SCORIA_PHASE_COMPARE, mine);
  if (mine && !failed && !asked->shown)
    failed = CheckGood(set, base + draws->rank); /* at once: others may take hours */
  phase_begin(SCORIA_PHASE_GATHER);
  PetscCall(ScoriaAgreeFailed(draws->comm, failed));
  phase_end(SCORIA_PHASE_GATHER, 0);
  PetscCall(CompareHandIn(draws->comm, set, base, chunk));
  PetscFunctionReturn(0);
}

/* Between two chunks, `done` conditions being measured. */
static PetscErrorCode Meet(ScoriaRun run, const CompareDraws *draws, CompareKeeper *keeper, const ComparisonSet *set,
                           int done)
{
  bool stop = false;
  PetscFunctionBeginUser;
  if (keeper) {
    PetscCall(CompareKeepDone(keeper, done));
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaStopAsked(run, &stop));
  if (stop && done < set->conditions) PetscCall(ScoriaStopped(run, "%s", draws->kept));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareMeasure(ScoriaRun run, CompareDraws *draws, const CompareAsked *asked, ComparisonSet *set,
                              double seconds[SCORIA_NFROM])
{
  CompareKeeper *keeper = draws->keeper && draws->keeper->set == set ? draws->keeper : NULL;
  ScoriaProgress bar;
  PetscFunctionBeginUser;
  for (int s = 0; s < SCORIA_NFROM; s++)
    seconds[s] = (keeper ? keeper->before[s] : 0) - source_seconds(draws->timed[s]);
  PetscCall(
      ScoriaProgressCreate(run, "compare", asked->shown ? "sample condition" : "conditions", set->conditions, &bar));
  if (keeper) PetscCall(ScoriaProgressFrom(bar, keeper->done));
  for (int base = keeper ? keeper->done : 0; base < set->conditions; base += draws->size) {
    const int chunk = PetscMin(draws->size, set->conditions - base);
    PetscCall(MeasureChunk(draws, asked, set, base, chunk, bar));
    PetscCall(ScoriaProgressUpdate(bar, base + chunk, NULL));
    PetscCall(Meet(run, draws, keeper, set, base + chunk));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  for (int s = 0; s < SCORIA_NFROM; s++) seconds[s] += source_seconds(draws->timed[s]);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, seconds, SCORIA_NFROM, MPI_DOUBLE, MPI_SUM, draws->comm));
  for (int s = 0; s < SCORIA_NFROM; s++) seconds[s] /= (double)set->count * set->conditions;
  PetscFunctionReturn(0);
}

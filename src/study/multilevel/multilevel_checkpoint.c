/* uq of several fidelities: checkpoints, written between two rounds of tiles. */
#include "multilevel.h"
#include <string.h>

#define OWN_SUMS "/own_sums/%d" /* of members with centres of their own; earlier versions had one, and */
#define FORMER_SUMS "/sums/0"
#define PLACED "/placed"
#define PLACING_TALLY "/placing"
#define WIDE "/wide" /* scales by the range of the draws, where there are any */
/* What the numbers of a condition are: 5: errors of means and SDs are widened for the skewness of their laws; 4, where
 * there is a screened member: it is sampled; 3: errors of quantiles are those of the smoothed F; 2: of F at one place,
 * errors of means and SDs being widened by Student's quantile; before it was not written. */
#define ANSWERS "answers"
#define ANSWERS_ARE 5
#define SCREENED_ARE 4
#define NTALLY ((int64_t)sizeof(LevelsTally) / 8) /* of integers of 64 bits */
#define NANSWER ((int64_t)(sizeof(struct LevelsAnswer_) / sizeof(double)))

PetscErrorCode LevelsSeconds(const Levels *l, double seconds[])
{
  PetscFunctionBeginUser;
  for (int a = 0; a <= l->K; a++) seconds[a] = levels_spent(l, a).seconds;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, seconds, l->K + 1, MPI_DOUBLE, MPI_SUM, ScoriaRunComm(l->run)));
  for (int a = 0; a <= l->K; a++) seconds[a] += l->before[a];
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsGroupsCreate(Levels *l)
{
  LevelsGroups *g = &l->groups;
  PetscFunctionBeginUser;
  for (int j = 0; j < g->plan.groups; j++) {
    const double *centre[LEVELS_MODELS], *scale[LEVELS_MODELS], *limit[LEVELS_MODELS];
    int member[LEVELS_MODELS];
    const int models             = levels_members(l, j, member);
    const ScoriaCoupledSpec spec = {.models      = models,
                                    .columns     = l->columns,
                                    .plain       = l->plain,
                                    .centre      = centre,
                                    .scale       = scale,
                                    .nthresholds = l->q->nthresholds,
                                    .threshold   = l->q->threshold,
                                    .limit       = limit,
                                    .sampled     = levels_screens(l, member[models - 1]) ? models : 0};
    for (int a = 0; a < models; a++) {
      centre[a] = l->centre + member[a] * l->columns;
      scale[a]  = l->scale + member[a] * l->columns;
      limit[a]  = l->limit + member[a] * l->cells;
    }
    PetscCall(ScoriaCoupledCreate(&spec, &g->sums[j]));
    g->done[j] = 0;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsGroupsRenew(Levels *l)
{
  PetscFunctionBeginUser;
  for (int j = 0; j < l->groups.plan.groups; j++) PetscCall(ScoriaCoupledDestroy(&l->groups.sums[j]));
  PetscCall(LevelsGroupsCreate(l));
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsGroupsDestroy(Levels *l)
{
  LevelsGroups *g = &l->groups;
  PetscFunctionBeginUser;
  for (int j = 0; j < g->plan.groups; j++) PetscCall(ScoriaCoupledDestroy(&g->sums[j]));
  *g = (LevelsGroups){.top_ups = 0};
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ writing ---- */

static PetscErrorCode PutReals(ScoriaStore store, const char *name, int64_t n, const double value[])
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaStorePutReals(store, name, 1, &n, value, "", ""));
  PetscFunctionReturn(0);
}

/* The plan as numbers: members, draws, tiles and what is done of each group, and its order. */
static PetscErrorCode PutPlan(ScoriaStore store, const LevelsGroups *g)
{
  double all[4 * PLAN_GROUPS], order[PLAN_MODELS];
  PetscFunctionBeginUser;
  for (int j = 0; j < g->plan.groups; j++) {
    const double of[4] = {g->plan.members[j], g->plan.draws[j], (double)g->tile[j], (double)g->done[j]};
    memcpy(all + 4 * j, of, sizeof of);
  }
  for (int i = 0; i < PLAN_MODELS; i++) order[i] = g->plan.order[i];
  PetscCall(ScoriaStorePutInt(store, "groups", g->plan.groups));
  PetscCall(ScoriaStorePutInt(store, "models", g->plan.models));
  PetscCall(ScoriaStorePutInt(store, "top_ups", g->top_ups));
  PetscCall(PutReals(store, "/plan", (int64_t)4 * g->plan.groups, all));
  PetscCall(PutReals(store, "/order", PLAN_MODELS, order));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutGroups(ScoriaStore store, Levels *l)
{
  LevelsGroups *g = &l->groups;
  char name[32];
  bool wide = false;
  PetscFunctionBeginUser;
  PetscCall(PutPlan(store, g));
  for (int column = 0; column < l->columns; column++) wide = wide || l->wide[column] > 0;
  if (wide) PetscCall(PutReals(store, WIDE, l->columns, l->wide));
  for (int j = 0; j < g->plan.groups; j++) {
    int64_t nsums, *sums, nextremes;
    double *extremes;
    coupled_state(g->sums[j], &nsums, &sums, &nextremes, &extremes);
    PetscCall(PetscSNPrintf(name, sizeof name, OWN_SUMS, j));
    PetscCall(UqPutIntegers(store, name, nsums, sums));
    PetscCall(PetscSNPrintf(name, sizeof name, "/extremes/%d", j));
    PetscCall(PutReals(store, name, nextremes, extremes));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode PutPlaced(ScoriaStore store, const Levels *l)
{
  PetscFunctionBeginUser;
  PetscCall(PutReals(store, PLACED, l->to_place * l->q->nquantities, l->placed));
  PetscCall(UqPutIntegers(store, PLACING_TALLY, NTALLY, (const int64_t *)&l->total[LEVELS_PLACING]));
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsSave(Levels *l)
{
  const UqQuestion *q = l->q;
  double seconds[LEVELS_MODELS + 1];
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(LevelsSeconds(l, seconds));
  PetscCall(LevelsShareTallies(l));
  PetscCall(LevelsPilotShare(l));
  for (int j = 0; j < l->groups.plan.groups; j++)
    PetscCall(ScoriaCoupledReduce(l->groups.sums[j], l->workers->all.comm));
  PetscCall(ScoriaCheckpointBegin(l->run, l->deck, UQ_CHECKPOINT, &store));
  PetscCall(ScoriaStorePutMadeFrom(store, &q->made));
  PetscCall(ScoriaStorePutInt(store, ANSWERS, ANSWERS_ARE));
  PetscCall(ScoriaStorePutInt(store, "condition", l->k));
  PetscCall(ScoriaStorePutInt(store, "pilot_done", l->pilot_done));
  PetscCall(ScoriaStorePutInt(store, "pilot_complete", l->groups.plan.groups > 0));
  PetscCall(PutReals(store, "/seconds", l->K + 1, seconds));
  PetscCall(PutReals(store, "/answer", (int64_t)l->a->size * q->conditions, l->a->value));
  PetscCall(PutReals(store, "/levels", NANSWER * q->conditions, (const double *)l->known->at));
  if (l->known->kept) PetscCall(PutReals(store, "/kept", (int64_t)l->known->kept_size * q->conditions, l->known->kept));
  PetscCall(PutReals(store, "/pilot", l->o.pilot * l->K * l->columns, l->pilot));
  PetscCall(UqPutIntegers(store, "/tallies", NTALLY * LEVELS_PLACING, (const int64_t *)l->total));
  if (l->groups.plan.groups > 0 && l->o.screen > 0) PetscCall(PutPlaced(store, l));
  if (l->groups.plan.groups > 0) PetscCall(PutGroups(store, l));
  PetscCall(ScoriaCheckpointEnd(l->run, UQ_CHECKPOINT, &store));
  l->saved = wall_seconds();
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ reading ---- */

static PetscErrorCode GetPlan(ScoriaStore store, const Levels *l, LevelsGroups *g)
{
  double all[4 * PLAN_GROUPS], order[PLAN_MODELS];
  int64_t groups, models, top_ups;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreGetInt(store, "groups", &groups));
  PetscCall(ScoriaStoreGetInt(store, "models", &models));
  PetscCall(ScoriaStoreGetInt(store, "top_ups", &top_ups));
  if (groups < 1 || groups > PLAN_GROUPS || models < 1 || models > PLAN_MODELS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: damaged: %lld groups of %lld fidelities", UQ_CHECKPOINT, (long long)groups,
                (long long)models);
  PetscCall(ScoriaStoreGetReals(store, "/plan", 4 * groups, all));
  PetscCall(ScoriaStoreGetReals(store, "/order", PLAN_MODELS, order));
  g->plan    = (ScoriaPlan){.groups = (int)groups, .models = (int)models};
  g->top_ups = (int)top_ups;
  for (int j = 0; j < groups; j++) {
    g->plan.members[j] = (unsigned)all[4 * j];
    g->plan.draws[j]   = all[4 * j + 1];
    g->tile[j]         = (int64_t)all[4 * j + 2];
  }
  for (int i = 0; i < PLAN_MODELS; i++) g->plan.order[i] = (int)order[i];
  for (int a = 0; a < l->K; a++) g->plan.same[a] = levels_same(l, a);
  PetscFunctionReturn(0);
}

static PetscErrorCode GetWide(ScoriaStore store, Levels *l)
{
  int axes;
  int64_t dims[1];
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreShape(store, WIDE, 1, &axes, dims));
  if (axes < 0) PetscFunctionReturn(0);
  PetscCall(ScoriaStoreGetReals(store, WIDE, l->columns, l->wide));
  for (int column = 0; column < l->columns; column++)
    if (l->wide[column] > 0) levels_widen(l, column, l->wide[column]);
  PetscFunctionReturn(0);
}

/* The sums; what is done is taken last, as creating the sums clears it. */
static PetscErrorCode GetGroups(ScoriaStore store, Levels *l)
{
  LevelsGroups *g = &l->groups;
  double all[4 * PLAN_GROUPS];
  char name[32];
  PetscFunctionBeginUser;
  PetscCall(GetPlan(store, l, g));
  PetscCall(GetWide(store, l));
  PetscCall(LevelsGroupsCreate(l));
  PetscCall(ScoriaStoreGetReals(store, "/plan", (int64_t)4 * g->plan.groups, all));
  for (int j = 0; j < g->plan.groups; j++) {
    int64_t nsums, *sums, nextremes;
    double *extremes;
    g->done[j] = (int64_t)all[4 * j + 3];
    coupled_state(g->sums[j], &nsums, &sums, &nextremes, &extremes);
    PetscCall(PetscSNPrintf(name, sizeof name, OWN_SUMS, j));
    PetscCall(UqGetIntegers(store, name, nsums, sums));
    PetscCall(PetscSNPrintf(name, sizeof name, "/extremes/%d", j));
    PetscCall(ScoriaStoreGetReals(store, name, nextremes, extremes));
  }
  PetscFunctionReturn(0);
}

/* The draws that place outer quantiles; as many as the pilot asks for. */
static PetscErrorCode GetPlaced(ScoriaStore store, Levels *l)
{
  PetscFunctionBeginUser;
  PetscCall(LevelsToPlace(l));
  PetscCall(ScoriaStoreGetReals(store, PLACED, l->to_place * l->q->nquantities, l->placed));
  PetscCall(UqGetIntegers(store, PLACING_TALLY, NTALLY, (int64_t *)&l->total[LEVELS_PLACING]));
  PetscCall(LevelsPilotScreen(l));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadAll(void *ctx, ScoriaStore store)
{
  Levels *l = ctx;
  int64_t k, complete;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreGetInt(store, "condition", &k));
  PetscCall(ScoriaStoreGetInt(store, "pilot_done", &l->pilot_done));
  PetscCall(ScoriaStoreGetInt(store, "pilot_complete", &complete));
  PetscCall(ScoriaStoreGetReals(store, "/seconds", l->K + 1, l->before));
  PetscCall(ScoriaStoreGetReals(store, "/answer", (int64_t)l->a->size * l->q->conditions, l->a->value));
  PetscCall(ScoriaStoreGetReals(store, "/levels", NANSWER * l->q->conditions, (double *)l->known->at));
  if (l->known->kept)
    PetscCall(ScoriaStoreGetReals(store, "/kept", (int64_t)l->known->kept_size * l->q->conditions, l->known->kept));
  PetscCall(ScoriaStoreGetReals(store, "/pilot", l->o.pilot * l->K * l->columns, l->pilot));
  PetscCall(UqGetIntegers(store, "/tallies", NTALLY * LEVELS_PLACING, (int64_t *)l->total));
  l->k = (int)k;
  if (!complete) PetscFunctionReturn(0);
  PetscCall(LevelsPilotStatistics(l));
  if (l->o.screen > 0) PetscCall(GetPlaced(store, l));
  PetscCall(GetGroups(store, l));
  PetscFunctionReturn(0);
}

/* With sums of members about one centre, or with other numbers of a condition that is answered. */
static PetscErrorCode IsOutdated(ScoriaStore store, bool *outdated)
{
  int sums, levels;
  int64_t dims[1], answered, are = 0;
  bool has;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreShape(store, FORMER_SUMS, 1, &sums, dims));
  PetscCall(ScoriaStoreShape(store, "/levels", 1, &levels, dims));
  PetscCall(ScoriaStoreHas(store, ANSWERS, &has));
  if (has) PetscCall(ScoriaStoreGetInt(store, ANSWERS, &are));
  PetscCall(ScoriaStoreGetInt(store, "condition", &answered));
  *outdated = sums >= 0 || (levels == 1 && dims[0] % NANSWER) || (answered > 0 && are < ANSWERS_ARE);
  PetscFunctionReturn(0);
}

/* A screened member of earlier versions is another one. */
static PetscErrorCode CheckScreened(const char *path, ScoriaStore store)
{
  int64_t are = 0;
  bool has;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreHas(store, ANSWERS, &has));
  if (has) PetscCall(ScoriaStoreGetInt(store, ANSWERS, &are));
  if (are < SCREENED_ARE)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: written by an earlier version of scoria, which chose draws of uq_screen in another way; move it "
                "away to start from the beginning",
                path);
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckMade(void *ctx, const char *path, ScoriaStore store)
{
  const Levels *l = ctx;
  PetscFunctionBeginUser;
  PetscCall(UqCheckMade(l->run, l->deck, path, store));
  if (l->o.screen > 0) PetscCall(CheckScreened(path, store));
  PetscFunctionReturn(0);
}

static PetscErrorCode Clear(void *ctx)
{
  Levels *l = ctx;
  PetscFunctionBeginUser;
  PetscCall(LevelsGroupsDestroy(l));
  l->k = 0;
  PetscCall(LevelsPilotForget(l));
  PetscCall(PetscMemzero(l->before, sizeof l->before));
  PetscFunctionReturn(0);
}

static bool any_drawn(const LevelsGroups *g)
{
  for (int j = 0; j < g->plan.groups; j++)
    if (g->done[j] > 0) return true;
  return false;
}

PetscErrorCode LevelsRestore(Levels *l)
{
  const ScoriaCheckpointReader reader = {
      .results = SCORIA_OF_UQ, .ctx = l, .check = CheckMade, .outdated = IsOutdated, .read = ReadAll, .clear = Clear};
  ScoriaCheckpointFound file;
  PetscFunctionBeginUser;
  PetscCall(Clear(l));
  PetscCall(ScoriaCheckpointFind(l->run, l->deck, UQ_CHECKPOINT, &reader, &file));
  if (!file.whole) PetscFunctionReturn(0);
  if (l->q->automatic && l->k == 0 && l->good >= 0 && !any_drawn(&l->groups))
    PetscCall(ScoriaSay(l->run, "  %s: goes on with the pilot that sources were weighed by", file.path));
  else
    PetscCall(ScoriaSay(l->run, "  %s: resuming at condition %d of %d, %s", file.path, l->k + 1, l->q->conditions,
                        l->good < 0 ? "in its pilot" : "after its pilot"));
  PetscFunctionReturn(0);
}

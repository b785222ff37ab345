/* uq of several fidelities: at every condition a pilot, a plan, and the plan's draws.
 *
 * A draw depends on its number alone, tiles are cut by the plan, sums are associative, and the plan is made from the
 * pilot's numbers and counted costs: the answer is the same bits on any number of ranks and after any number of starts.
 */
#include "multilevel.h"
#include <stdio.h>
#include <math.h>

#define ROUND_SHORT 0.5 /* [s]: rounds shorter than this are lengthened, */
#define ROUND_LONG 2.0  /* and longer than this shortened, so that a stop is never far */
#define ROUND_MOST 4096 /* tiles of a worker */
#define TOP_UPS 6       /* times that the plan is lengthened where it falls short of the tolerance */

/* ------------------------------------------------------------------------------------------------ rounds ---- */

PetscErrorCode LevelsPause(Levels *l)
{
  bool due, stop;
  PetscFunctionBeginUser;
  PetscCall(ScoriaCheckpointDue(l->run, l->deck, l->saved, &due));
  PetscCall(ScoriaStopAsked(l->run, &stop));
  if (stop && l->passing) PetscCall(ScoriaStopped(l->run, "the pilot is drawn again by the next start"));
  if ((due || stop) && !l->passing) PetscCall(LevelsSave(l));
  if (stop)
    PetscCall(ScoriaStopped(l->run, "%s of condition %d of %d are kept",
                            l->good < 0 ? "the pilot's draws" : "the draws", l->k + 1, l->q->conditions));
  PetscFunctionReturn(0);
}

#define OF_PILOT (-1)
#define OF_PLACING (-2)

/* A tile of group j, or a draw of the pilot or of those that place outer quantiles. */
static PetscErrorCode DoTile(Levels *l, int j, int64_t tile)
{
  PetscFunctionBeginUser;
  if (j == OF_PLACING)
    PetscCall(LevelsPlacingDraw(l, tile));
  else if (j == OF_PILOT)
    PetscCall(LevelsPilotDraw(l, tile));
  else
    PetscCall(LevelsAddTile(l, j, tile));
  PetscFunctionReturn(0);
}

/* Core seconds of a tile of group j, as the pilot has counted them. */
static double tile_work(const Levels *l, int j)
{
  double work = 0;
  for (int a = 0; a <= l->K; a++)
    if (a == l->K || l->groups.plan.members[j] >> a & 1) work += levels_counted(l, a);
  return work * (double)l->groups.tile[j];
}

/* Tiles of a worker in the first round: those of ROUND_SHORT, as ranks that meet more often wait more often.  The pilot
 * begins with one. */
static int64_t first_step(const Levels *l, int j)
{
  if (j < 0) return 1;
  return (int64_t)PetscClipInterval(ROUND_SHORT / PetscMax(tile_work(l, j), 1e-9), 1, ROUND_MOST);
}

/* What of the condition's work is done: by the plan, once the pilot is complete, which counts as done; before, 0. */
static double share_done(const Levels *l)
{
  const LevelsGroups *g = &l->groups;
  double done           = 0, all;
  for (int a = 0; a <= l->K; a++) done += 1e-9 * (double)l->total[LEVELS_PILOT].work[a];
  all = done;
  for (int j = 0; j < g->plan.groups; j++) {
    const int64_t tiles = (int64_t)g->plan.draws[j] / g->tile[j];
    done += (double)PetscMin(g->done[j], tiles) * tile_work(l, j);
    all += (double)tiles * tile_work(l, j);
  }
  return all > 0 ? done / all : 0;
}

static PetscErrorCode ShowProgress(const Levels *l, int j)
{
  char note[64] = "";
  PetscFunctionBeginUser;
  if (!l->bar) PetscFunctionReturn(0);
  if (l->forecast) {
    PetscCall(ScoriaProgressUpdate(l->bar, (double)l->pilot_done, NULL));
    PetscFunctionReturn(0);
  }
  if (j < 0)
    snprintf(note, sizeof note, "pilot, %lld of %lld draws", (long long)l->pilot_done, (long long)l->o.pilot);
  else
    snprintf(note, sizeof note, "group %d of %d", j + 1, l->groups.plan.groups);
  PetscCall(ScoriaProgressUpdate(l->bar, l->k + (j < 0 ? 0 : share_done(l)), note));
  PetscFunctionReturn(0);
}

/* Tiles from *done to end, dealt in turn; ranks meet between rounds. */
static PetscErrorCode Rounds(Levels *l, int j, int64_t *done, int64_t end)
{
  const ScoriaTeam *team = &l->workers->all;
  PetscFunctionBeginUser;
  l->step = first_step(l, j);
  while (*done < end) {
    PetscErrorCode failed = 0; /* what one worker meets alone, all fail with */
    PetscCall(LevelsPause(l));
    const double start = wall_seconds();
    for (int64_t i = 0; i < l->step && !failed; i++) {
      const int64_t tile = *done + i * team->workers + team->worker;
      if (team->worker < team->workers && tile < end) failed = DoTile(l, j, tile);
    }
    PetscCall(ScoriaAgreeFailed(team->comm, failed));
    *done          = PetscMin(end, *done + l->step * team->workers);
    double seconds = wall_seconds() - start;
    PetscCallMPI(MPI_Bcast(&seconds, 1, MPI_DOUBLE, 0, team->comm));
    if (seconds < ROUND_SHORT) l->step = PetscMin(2 * l->step, ROUND_MOST);
    if (seconds > ROUND_LONG) l->step = PetscMax(l->step / 2, 1);
    PetscCall(ShowProgress(l, j));
  }
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------- a condition ---- */

/* The conditions before are kept; the next start draws this pilot again. */
static PetscErrorCode TooFewSolved(Levels *l)
{
  const int64_t good = l->good;
  char condition[UQ_CONDITION_TEXT];
  PetscFunctionBeginUser;
  uq_condition(l->q, l->k, sizeof condition, condition);
  if (!l->passing) {
    PetscCall(LevelsPilotForget(l));
    PetscCall(LevelsSave(l));
  }
  SCORIA_FAIL(SCORIA_EXIT_SOLVES,
              "uq: %s: all fidelities solved %lld of the %lld draws of the pilot, expected at least %d%s", condition,
              (long long)good, (long long)l->o.pilot, levels_least(l),
              l->k > 0 ? "; the answers at the conditions before are kept" : "");
}

PetscErrorCode LevelsPilot(Levels *l)
{
  PetscFunctionBeginUser;
  if (l->good >= 0) PetscFunctionReturn(0);
  PetscCall(Rounds(l, OF_PILOT, &l->pilot_done, l->o.pilot));
  PetscCall(LevelsShareTallies(l));
  PetscCall(LevelsPilotStatistics(l));
  if (l->good < levels_least(l)) PetscCall(TooFewSolved(l));
  if (l->o.screen > 0) {
    PetscCall(LevelsToPlace(l));
    PetscCall(Rounds(l, OF_PLACING, &l->placed_done, l->to_place));
    PetscCall(LevelsShareTallies(l));
    PetscCall(LevelsPlacingShare(l));
    PetscCall(LevelsPilotScreen(l));
  }
  PetscCall(LevelsPlan(l));
  PetscCall(LevelsGroupsCreate(l));
  PetscFunctionReturn(0);
}

static PetscErrorCode DrawOnce(Levels *l)
{
  LevelsGroups *g = &l->groups;
  PetscFunctionBeginUser;
  for (int j = 0; j < g->plan.groups; j++) {
    const int64_t tiles = (int64_t)g->plan.draws[j] / g->tile[j];
    PetscCall(Rounds(l, j, &g->done[j], tiles));
    PetscCall(ScoriaCoupledReduce(g->sums[j], l->workers->all.comm));
  }
  PetscCall(UqCheckDefined(l->draws, l->workers->all.comm));
  PetscFunctionReturn(0);
}

/* All draws of the plan; where the pilot has misled the sums, once more. */
static PetscErrorCode DrawGroups(Levels *l)
{
  bool again;
  PetscFunctionBeginUser;
  PetscCall(DrawOnce(l));
  PetscCall(LevelsTakeRanges(l, &again));
  while (again) {
    PetscCall(LevelsGroupsRenew(l));
    PetscCall(DrawOnce(l));
    PetscCall(LevelsTakeRanges(l, &again));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Condition(Levels *l)
{
  const bool promised = !(l->o.budget > 0) || levels_has_tolerance(l); /* a budget alone promises no error */
  PetscFunctionBeginUser;
  uq_draws_at(l->draws, l->q->theta + l->k * l->q->space->n);
  PetscCall(LevelsPilot(l));
  PetscCall(DrawGroups(l));
  LevelsExcess excess = levels_excess(l);
  while (PetscMax(excess.seen, excess.unseen) > 1 && promised && l->groups.top_ups < TOP_UPS) {
    if (!levels_lengthen(l, &excess)) break;
    l->groups.top_ups++;
    PetscCall(DrawGroups(l));
    excess = levels_excess(l);
  }
  PetscCall(LevelsWarn(l, &excess));
  PetscCall(LevelsShareTallies(l));
  PetscCall(LevelsAnswerFill(l));
  PetscFunctionReturn(0);
}

static PetscErrorCode NextCondition(Levels *l)
{
  PetscFunctionBeginUser;
  PetscCall(LevelsGroupsDestroy(l));
  PetscCall(LevelsPilotForget(l));
  l->k++;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------- all of them ---- */

/* What a rank holds of whole fields: a tile of every member, the pilot and what follows from it, and the sums of as
 * many groups as there are members, each of all members: more than the estimators' nested groups take. */
static PetscErrorCode CheckMemory(const Levels *l)
{
  const ScoriaCoupledSpec group = {.models = l->K, .columns = l->columns, .plain = l->plain};
  const double solved           = fidelities_number(l->all) * (double)l->q->m,
               rows             = (l->K + (l->o.screen > 0)) * (double)l->columns;
  const double tiles = l->most * (solved + rows), pilot = l->K * (double)l->columns * (l->o.pilot + 2 + l->K),
               need = (tiles + pilot) * (double)sizeof(double) + l->K * coupled_bytes(&group);
  double allowed;
  PetscFunctionBeginUser;
  if (!l->q->whole) PetscFunctionReturn(0);
  PetscCall(ScoriaMemoryOfDeck(l->deck, &allowed));
  PetscCall(ScoriaMemoryCheck(need, allowed, "a smaller uq_pilot or fewer uq_fidelities",
                              "sums of whole fields of %d values by %d fidelities (a pilot of %lld draws: %.3g GB)",
                              l->q->m, l->K, (long long)l->o.pilot, 1e-9 * pilot * sizeof(double)));
  PetscFunctionReturn(0);
}

static PetscErrorCode Create(Levels *l)
{
  PetscFunctionBeginUser;
  PetscCall(CheckMemory(l));
  for (int a = 0; a < l->K; a++)
    PetscCall(PetscMalloc2(levels_screens(l, a) ? 0 : (size_t)l->most * (size_t)l->q->m, &l->fields[a],
                           l->most * l->columns, &l->rows[a]));
  const bool screen = l->o.screen > 0;
  PetscCall(PetscMalloc4(l->most, &l->times, screen ? l->most * l->columns : 0, &l->in_place,
                         screen ? 2 * l->o.pilot : 0, &l->pairs, screen ? l->o.pilot : 0, &l->pilot_times));
  l->cells = 0;
  for (int t = 0; t < l->q->nthresholds; t++) l->cells += l->q->threshold[t].number + 2;
  PetscCall(PetscCalloc7(l->o.pilot * l->K * l->columns, &l->pilot, l->K * l->columns, &l->centre, l->K * l->columns,
                         &l->scale, l->K * l->cells, &l->limit, l->columns * l->K * l->K, &l->C, l->columns, &l->varies,
                         l->columns, &l->lump));
  PetscCall(PetscCalloc1(l->columns, &l->wide));
  PetscFunctionReturn(0);
}

/* Room for what is known of the conditions. */
static PetscErrorCode CreateKnown(const Levels *l)
{
  const UqQuestion *q = l->q;
  LevelsKnown *known  = l->known;
  PetscFunctionBeginUser;
  *known = (LevelsKnown){.n         = l->K,
                         .estimator = l->o.estimator->name,
                         .asked     = l->o,
                         .kept_size = (size_t)q->nquantities * levels_kept(l->K, l->o.pilot).size};
  PetscCall(PetscCalloc1(q->conditions, &known->at));
  if (q->conditions <= UQ_JOINT_CONDITIONS) PetscCall(PetscCalloc1(q->conditions * known->kept_size, &known->kept));
  for (int k = 0; k < l->K; k++)
    PetscCall(PetscStrncpy(known->name[k], levels_screens(l, k) ? "screened" : fidelities_name(l->all, k),
                           SCORIA_FIDELITY_NAME));
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsOpen(const LevelsAsked *of, const LevelsOptions *o, const UqQuestion *q, UqAnswer *a,
                          LevelsKnown *known, UqDraws *draws, Levels *l)
{
  PetscFunctionBeginUser;
  *l = (Levels){.run     = of->run,
                .deck    = of->deck,
                .q       = q,
                .a       = a,
                .known   = known,
                .draws   = draws,
                .all     = of->all,
                .workers = source_workers(of->source),
                .passing = of->passing,
                .o       = *o,
                .K       = fidelities_number(of->all) + (o->screen > 0),
                .columns = a->columns,
                .plain   = q->whole ? q->m : 0,
                .most    = q->whole ? PetscClipInterval(LEVELS_TILE_VALUES / q->m, LEVELS_TILE_LEAST, LEVELS_TILE)
                                    : LEVELS_TILE,
                .good    = -1,
                .saved   = wall_seconds()};
  PetscCall(CreateKnown(l));
  PetscCall(UqDrawsCreate(q, of->source, draws));
  PetscCall(Create(l));
  PetscFunctionReturn(0);
}

bool levels_kept_promise(const LevelsKnown *known, int k)
{
  return !(known->at[k].excess > 1);
}

PetscErrorCode LevelsKnownDestroy(LevelsKnown *known)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(known->at));
  PetscCall(PetscFree(known->kept));
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsClose(Levels *l)
{
  PetscFunctionBeginUser;
  PetscCall(LevelsGroupsDestroy(l));
  for (int a = 0; a < l->K; a++) PetscCall(PetscFree2(l->fields[a], l->rows[a]));
  PetscCall(PetscFree4(l->times, l->in_place, l->pairs, l->pilot_times));
  PetscCall(PetscFree(l->placed));
  PetscCall(PetscFree(l->wide));
  PetscCall(PetscFree7(l->pilot, l->centre, l->scale, l->limit, l->C, l->varies, l->lump));
  PetscCall(UqDrawsDestroy(l->draws));
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsRun(const LevelsAsked *of, const UqQuestion *q, UqAnswer *a, LevelsKnown *known)
{
  LevelsOptions o;
  PetscFunctionBeginUser;
  PetscCall(LevelsOptionsRead(of->deck, of->all, q, &o));
  PetscCall(LevelsRunWith(of, &o, q, a, known));
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsRunWith(const LevelsAsked *of, const LevelsOptions *o, const UqQuestion *q, UqAnswer *a,
                             LevelsKnown *known)
{
  UqDraws draws;
  Levels l;
  double seconds[LEVELS_MODELS + 1];
  ScoriaProgress bar;
  PetscFunctionBeginUser;
  PetscCall(LevelsOpen(of, o, q, a, known, &draws, &l));
  PetscCall(LevelsRestore(&l));
  PetscCall(ScoriaProgressCreate(of->run, "uq", "conditions", q->conditions, &bar));
  PetscCall(ScoriaProgressFrom(bar, l.k));
  l.bar = bar;
  while (l.k < q->conditions) {
    PetscCall(Condition(&l));
    PetscCall(NextCondition(&l));
    PetscCall(ScoriaProgressUpdate(bar, l.k, NULL));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  PetscCall(LevelsSeconds(&l, seconds));
  PetscCallMPI(MPI_Allreduce(&draws.statistics, &a->seconds[1], 1, MPI_DOUBLE, MPI_SUM, ScoriaRunComm(of->run)));
  a->seconds[0] = 0;
  for (int k = 0; k <= l.K; k++) {
    known->seconds[k] = seconds[k];
    a->seconds[0] += seconds[k];
  }
  PetscCall(LevelsClose(&l));
  PetscFunctionReturn(0);
}

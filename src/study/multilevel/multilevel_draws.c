/* uq of several fidelities: draws, and what they cost. */
#include "multilevel.h"
#include <math.h>

int levels_members(const Levels *l, int j, int member[])
{
  int n = 0;
  for (int a = 0; a < l->K; a++)
    if (l->groups.plan.members[j] >> a & 1) member[n++] = a;
  return n;
}

ScoriaFidelityCost levels_spent(const Levels *l, int a)
{
  const int n = fidelities_number(l->all);
  return levels_screens(l, a) ? (ScoriaFidelityCost){0} : fidelities_cost(l->all)[PetscMin(a, n)];
}

double levels_counted(const Levels *l, int a)
{
  const LevelsTally *pilot = &l->total[LEVELS_PILOT];
  if (levels_screens(l, a))
    return levels_counted(l, l->o.screen) + l->near * (levels_counted(l, 0) + levels_counted(l, l->K));
  return 1e-9 * (double)pilot->work[a] / (double)PetscMax(pilot->solves[a], 1);
}

void levels_costs(const Levels *l, double cost[])
{
  for (int a = 0; a <= l->K; a++) {
    cost[a] = levels_counted(l, a);
    if (l->o.ncosts) cost[a] = a < l->K ? l->o.cost[a] : 0;
  }
  if (l->o.screen > 0) cost[l->K - 1] = cost[l->o.screen] + l->near * (cost[0] + cost[l->K]);
}

PetscErrorCode LevelsDraw(Levels *l, LevelsPhase phase, unsigned members, uint64_t first, int64_t n, int64_t at)
{
  ScoriaFidelityCost before[LEVELS_MODELS + 1];
  double *to_fields[LEVELS_MODELS];
  LevelsTally *to = &l->here[phase];
  PetscFunctionBeginUser;
  for (int a = 0; a <= l->K; a++) before[a] = levels_spent(l, a);
  for (int a = 0; a < fidelities_number(l->all); a++) to_fields[a] = l->fields[a] + at * l->q->m;
  PetscCall(ScoriaFidelitiesDraw(l->all, l->q->theta + l->k * l->q->space->n, members, first, n, to_fields));
  for (int a = 0; a <= l->K; a++) {
    const ScoriaFidelityCost now = levels_spent(l, a);
    to->work[a] += now.work - before[a].work;
    to->solves[a] += now.solves - before[a].solves;
    to->failed[a] += now.failed - before[a].failed;
  }
  PetscFunctionReturn(0);
}

/* Of the screened member: those of its base, and of the first where they are sampled. */
PetscErrorCode LevelsDrawGroup(Levels *l, unsigned members, uint64_t first, int64_t n)
{
  const int screened = l->K - 1, base = l->o.screen, m = l->q->m;
  const bool asked = levels_screens(l, screened) && members >> screened & 1;
  double *row      = l->rows[screened];
  PetscFunctionBeginUser;
  PetscCall(LevelsDraw(l, LEVELS_GROUPS, asked ? (members & ~(1u << screened)) | 1u << base : members, first, n, 0));
  if (!asked) PetscFunctionReturn(0);
  for (int64_t k = 0; k < n; k++) {
    const uint64_t draw = first + (uint64_t)k;
    int times           = 0;
    if (l->workers->leads) {
      uq_take(l->draws, l->fields[base] + k * m, row);
      times = levels_sampled(l, draw, levels_times(l, row));
    }
    PetscCallMPI(MPI_Bcast(&times, 1, MPI_INT, 0, l->workers->own.comm));
    l->times[k] = times;
    if (times > 0 && !(members & 1)) PetscCall(LevelsDraw(l, LEVELS_GROUPS, 1, draw, 1, k));
  }
  PetscFunctionReturn(0);
}

/* A row (columns) from a field of the deck's cells; whether all of it is finite. */
static bool make_row(const Levels *l, const double field[], bool brought, double to[])
{
  const int m = l->q->m;
  bool whole  = true;
  for (int j = 0; j < m; j++) to[j] = field[j];
  uq_take(l->draws, field, to + m);
  if (brought) levels_bring(l, to + m);
  for (int j = 0; j < l->columns; j++) whole = whole && isfinite(to[j]);
  return whole;
}

/* Rows of group j from the fields that were drawn, without those that a solve failed of; returns how many. */
static int64_t make_rows(Levels *l, unsigned members, int64_t n)
{
  const int m  = l->q->m;
  int64_t good = 0;
  for (int64_t i = 0; i < n; i++) {
    bool whole = true;
    for (int a = 0; a < l->K; a++) {
      if (!(members >> a & 1)) continue;
      const bool screens = levels_screens(l, a);
      const double *from = l->fields[screens ? l->o.screen : a] + i * m;
      whole              = make_row(l, from, screens, l->rows[a] + good * l->columns) && whole;
      if (!screens) continue;
      l->times[good] = l->times[i];
      if (l->times[i] > 0) whole = make_row(l, l->fields[0] + i * m, false, l->in_place + good * l->columns) && whole;
    }
    good += whole;
  }
  return good;
}

PetscErrorCode LevelsAddTile(Levels *l, int j, int64_t tile)
{
  LevelsGroups *g        = &l->groups;
  const unsigned members = g->plan.members[j];
  const int64_t first = tile * g->tile[j], n = g->tile[j];
  const double *rows[LEVELS_MODELS];
  int of = 0;
  PetscFunctionBeginUser;
  PetscCall(LevelsDrawGroup(l, members, draw_part(SCORIA_DRAWS_UQ, l->k, (int)members, first), n));
  if (!l->workers->leads) PetscFunctionReturn(0);
  const double start = wall_seconds();
  const int64_t good = make_rows(l, members, n);
  for (int a = 0; a < l->K; a++)
    if (members >> a & 1) rows[of++] = l->rows[a];
  coupled_add(g->sums[j], good, rows, l->in_place, l->times);
  l->draws->statistics += wall_seconds() - start;
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsShareTallies(Levels *l)
{
  const int n = (int)(sizeof l->here / 8); /* integers of 64 bits */
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, l->here, n, MPI_INT64_T, MPI_SUM, l->workers->all.comm));
  for (int i = 0; i < n; i++) ((int64_t *)l->total)[i] += ((int64_t *)l->here)[i];
  PetscCall(PetscMemzero(l->here, sizeof l->here));
  PetscFunctionReturn(0);
}

/* Which lines the levels of the preconditioner have, how they lie to each other, and who has them. */
#include "multigrid_levels.h"
#include <math.h>

#define CLOSE 1.5         /* both axes are coarsened where their distances differ by less than this factor */
#define GATHER_CELLS 2048 /* a coarser level of no more cells is gathered: too little work to share */

static bool is_shared(const Level *l)
{
  return l->v->shared >= 0;
}

static int least_share(const ScoriaMultigrid mg, const int share[])
{
  int least = share[0];
  for (int r = 1; r < mg->size; r++) least = share[r] < least ? share[r] : least;
  return least;
}

static int joined(int lines, bool halved)
{
  return halved ? lines / 2 : lines;
}

/* The axes along which f's lines are joined; none where f must be gathered first. */
static void choose_axes(const ScoriaMultigrid mg, const Level *f, bool halved[2])
{
  double closest = INFINITY;
  for (int a = 0; a < 2; a++)
    if (f->N[a] > 1) closest = fmin(closest, f->h[a]);
  for (int a = 0; a < 2; a++) halved[a] = f->N[a] > 1 && f->h[a] < CLOSE * closest;
  if (is_shared(f) && halved[mg->axis] && least_share(mg, f->share) < 2) halved[0] = halved[1] = false;
}

/* ------------------------------------------------------------------------------------------------- one axis ---- */

/* Of which line of c each of f's is a part. */
static void find_parents(const ScoriaMultigrid mg, const Level *f, const Level *c, int a, int parent[])
{
  const bool divided = is_shared(f) && a == mg->axis;
  int at = 0, base = 0;
  for (int r = 0; r < (divided ? mg->size : 1); r++) {
    const int fine = divided ? f->share[r] : f->N[a], coarse = joined(fine, c->halved[a]);
    for (int j = 0; j < fine; j++, at++) {
      const int own = c->halved[a] ? j / 2 : j;
      parent[at]    = base + (own < coarse ? own : coarse - 1);
    }
    base += coarse;
  }
}

static void set_widths(const Level *f, Level *c, int a, const int parent[])
{
  for (int j = 0; j < f->N[a]; j++) c->width[a][parent[j]] += f->width[a][j];
  for (int j = 0; j < f->N[a] && c->N[a] > 1; j++) {
    const int before = (j + f->N[a] - 1) % f->N[a], J = parent[j], K = parent[before];
    if (J != K) c->ratio[a][J] = (float)((f->width[a][before] + f->width[a][j]) / (c->width[a][K] + c->width[a][J]));
  }
  c->ratio[a][c->N[a]] = c->ratio[a][0];
}

/* A correction is linear between the middles of c's lines: the neighbour of line J that counts is the one on the side
 * of f's line j, before it for the first of those joined, after it for the others. */
static void set_weights(const Level *f, Level *c, int a, const int parent[])
{
  const int half = (f->v->n[0] + 1) / 2;
  double end = 0, coarse_end = 0; /* of line j, and of line J */
  for (int j = 0, last = -1; j < f->N[a]; j++) {
    const int J = parent[j], own = j - (is_shared(f) ? f->first[a] : 0);
    const bool before = J != last;
    const int other   = (J + (before ? c->N[a] - 1 : 1)) % c->N[a];
    if (before) coarse_end += c->width[a][J];
    last = J;
    end += f->width[a][j];
    if (own < 0 || own >= f->v->n[a] || c->N[a] == 1) continue;
    const double offset = (end - 0.5 * f->width[a][j]) - (coarse_end - 0.5 * c->width[a][J]);
    const double weight = (before ? -2.0 : 2.0) * offset / (c->width[a][J] + c->width[a][other]);
    c->weight[a][a ? own : own % 2 * half + own / 2] = (float)weight;
  }
}

/* Along an axis, lines of one colour are neighbours where their number is odd: across the period, or between ranks. */
static bool has_odd(const ScoriaMultigrid mg, const Level *l, int a)
{
  bool odd = l->N[a] > 1 && l->N[a] % 2;
  for (int r = 0; r < mg->size && is_shared(l) && a == mg->axis; r++) odd = odd || l->share[r] % 2;
  return odd;
}

static PetscErrorCode JoinAxis(ScoriaMultigrid mg, const Level *f, Level *c, int a)
{
  int *parent;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(c->N[a], &c->width[a]));
  PetscCall(PetscCalloc1(c->N[a] + 1, &c->ratio[a]));
  PetscCall(PetscCalloc1(f->v->n[a] + 1, &c->weight[a]));
  PetscCall(PetscMalloc1(f->N[a], &parent));
  find_parents(mg, f, c, a, parent);
  set_widths(f, c, a, parent);
  set_weights(f, c, a, parent);
  c->h[a] = f->h[a] * f->N[a] / c->N[a];
  PetscCall(PetscFree(parent));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- levels ---- */

static PetscErrorCode CreateLines(ScoriaMultigrid mg, const Level *l, const int n[2], bool shared, ScoriaLines **v)
{
  PetscFunctionBeginUser;
  PetscCall(LinesCreate(mg->group, mg->m, mg->nx, n, l->N[1] > 1 ? 4 : 2, shared ? mg->axis : -1, v));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateFinest(ScoriaMultigrid mg, Level *l)
{
  const ScoriaDiscrete *d = mg->d;
  const int n[2]          = {d->own[1], d->own[2]};
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(mg->size, &l->share));
  for (int r = 0; r < mg->size; r++) {
    int first;
    grid_slab(&d->grid, r, mg->size, &first, &l->share[r]);
  }
  l->first[mg->axis] = d->first;
  for (int a = 0; a < 2; a++) {
    l->N[a] = d->grid.n[1 + a];
    l->h[a] = d->grid.length[1 + a] / l->N[a];
    PetscCall(PetscMalloc1(l->N[a], &l->width[a]));
    for (int j = 0; j < l->N[a]; j++) l->width[a][j] = 1;
  }
  PetscCall(CreateLines(mg, l, n, mg->size > 1, &l->v));
  l->part  = l->v;
  l->mixed = has_odd(mg, l, 0) || has_odd(mg, l, 1);
  PetscFunctionReturn(0);
}

/* Lines of c, and who has them. */
static PetscErrorCode Share(ScoriaMultigrid mg, const Level *f, Level *c)
{
  int rank, own[2];
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(mg->group, &rank));
  for (int a = 0; a < 2; a++) {
    own[a]  = joined(f->v->n[a], c->halved[a]);
    c->N[a] = joined(f->N[a], c->halved[a]);
  }
  if (!is_shared(f)) {
    PetscCall(CreateLines(mg, c, c->N, false, &c->v));
    c->part = c->v;
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc1(mg->size, &c->share));
  c->N[mg->axis] = 0;
  for (int r = 0; r < mg->size; r++) {
    c->share[r] = joined(f->share[r], c->halved[mg->axis]);
    if (r < rank) c->first[mg->axis] += c->share[r];
    c->N[mg->axis] += c->share[r];
  }
  PetscCall(CreateLines(mg, c, own, true, &c->part));
  c->v                = c->part;
  const int64_t cells = (int64_t)mg->nx * c->N[0] * c->N[1];
  if ((c->halved[0] || c->halved[1]) && least_share(mg, c->share) > 1 && cells > GATHER_CELLS) PetscFunctionReturn(0);
  PetscCall(CreateLines(mg, c, c->N, false, &c->v));
  PetscCall(PetscMalloc3((size_t)c->N[0] * c->N[1] * mg->nx * LINE_BLOCKS * mg->m * mg->m, &mg->gathered, mg->size,
                         &mg->number, mg->size, &mg->displacement));
  PetscFunctionReturn(0);
}

static PetscErrorCode Join(ScoriaMultigrid mg, const Level *f, Level *c)
{
  PetscFunctionBeginUser;
  choose_axes(mg, f, c->halved);
  PetscCall(Share(mg, f, c));
  for (int a = 0; a < 2; a++) {
    PetscCall(JoinAxis(mg, f, c, a));
    c->mixed = c->mixed || has_odd(mg, c, a);
  }
  PetscFunctionReturn(0);
}

static bool is_last(const Level *l)
{
  return !is_shared(l) && l->N[0] == 1 && l->N[1] == 1;
}

PetscErrorCode LevelsCreate(ScoriaMultigrid mg)
{
  PetscFunctionBeginUser;
  PetscCall(CreateFinest(mg, &mg->level[0]));
  for (mg->levels = 1; mg->levels < MAX_LEVELS && !is_last(&mg->level[mg->levels - 1]); mg->levels++)
    PetscCall(Join(mg, &mg->level[mg->levels - 1], &mg->level[mg->levels]));
  const size_t entries = (size_t)(mg->m * PetscMax(mg->nx, 3 * mg->m));
  PetscCall(PetscMalloc1(entries * (size_t)(mg->level[0].N[0] + 2), &mg->row));
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsDestroy(ScoriaMultigrid mg)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < mg->levels; i++) {
    Level *l = &mg->level[i];
    if (l->part != l->v) PetscCall(LinesDestroy(&l->part));
    PetscCall(LinesDestroy(&l->v));
    PetscCall(PetscFree(l->share));
    for (int a = 0; a < 2; a++) {
      PetscCall(PetscFree(l->width[a]));
      PetscCall(PetscFree(l->ratio[a]));
      PetscCall(PetscFree(l->weight[a]));
    }
  }
  PetscCall(PetscFree3(mg->gathered, mg->number, mg->displacement));
  PetscCall(PetscFree(mg->row));
  PetscFunctionReturn(0);
}

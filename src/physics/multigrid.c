/* Multigrid for the Jacobian in two and three dimensions: line relaxation along x (lines.c) with coarsening of y and z
 * alone, which together do not mind how flat or tall the cells are.
 *
 * A coarser level joins lines in pairs, three at the end where their number is odd, along the lateral axis whose lines
 * are closest, or along both; the coarsest is a single line and solved exactly.  Its balances are the sums of those of
 * the lines that it joins, and so are its couplings along x; those with the lines beside are the sums over the faces
 * between, times the ratio of the distances, and the diagonal makes it do to a laterally constant state what the finer
 * level does.  So all levels follow from the blocks of the Jacobian.  Corrections are interpolated linearly, residuals
 * summed (restrict_row); one sweep over both colours before, one after.
 *
 * Ranks of a group share the lines of the last axis; a coarser level of few cells is gathered, and the same from there
 * on for all of them.
 *
 * Schaffer, SIAM J. Sci. Comput. 20 (1998), for line relaxation with semi-coarsening; Wesseling, An Introduction to
 * Multigrid Methods (1992), for cell-centred transfers. */
#include "multigrid_levels.h"
#include <string.h>

/* ---------------------------------------------------------------------------------------------------- cycle ---- */

/* Adds the residuals of a row of f to n lines of c, `entries` rows in natural order with a neighbour at each end,
 * `step` apart.  Each goes to the lines on both sides by the weights of its correction: lines of one colour are on one
 * side of the middle of the line that they are part of.  Not where planes are joined too, of which each has the other
 * side. */
static void restrict_row(const Level *f, const Level *c, int parity, int entries, int n, int step, float sum[])
{
  const int count = lines_in_row(f->v, parity), pairs = PetscMin(count, n), H = f->v->half;
  const float *weight = c->weight[0] + parity * H, *r = f->v->residual;
  const bool both = c->halved[0] && !c->halved[1];
  for (int e = 0; e < entries; e++, r += H, sum += step) {
    float *near = sum + 1, *far = parity ? near + 1 : near - 1;
    for (int l = 0; l < count && !c->halved[0]; l++) near[2 * l + parity] += r[l];
    for (int l = 0; l < pairs && c->halved[0]; l++) near[l] += r[l];
    for (int l = 0; l < pairs && both; l++) near[l] -= weight[l] * r[l];
    for (int l = 0; l < pairs && both; l++) far[l] += weight[l] * r[l];
    if (c->halved[0] && pairs < count) near[pairs - 1] += r[pairs];
  }
}

/* Sums of the residuals, which the first sweep has left in the lines of colour 0 alone. */
static PetscErrorCode Restrict(ScoriaMultigrid mg, const Level *f, const Level *c)
{
  const int entries = mg->nx * mg->m, n = c->part->n[0], step = n + 2;
  const bool wraps = f->v->shared != 0;
  PetscFunctionBeginUser;
  for (int k = 0; k < c->part->n[1]; k++) {
    int first, end;
    level_planes(f, c, k, &first, &end);
    memset(mg->row, 0, (size_t)(entries * step) * sizeof *mg->row);
    for (int plane = first; plane < end; plane++) {
      lines_residual(f->v, plane, plane % 2);
      restrict_row(f, c, plane % 2, entries, n, step, mg->row);
    }
    float *even = lines_vector(c->part, c->part->b, k, 0), *odd = lines_vector(c->part, c->part->b, k, 1);
    for (int e = 0; e < entries; e++) { /* beyond the ends: across the period, or, another rank's, left here */
      float *row = mg->row + e * step;
      row[wraps ? n : 1] += row[0];
      row[wraps ? 1 : n] += row[n + 1];
      level_deal_rows(1, n, row + 1, 0, even + e * c->part->row, odd + e * c->part->row);
    }
  }
  if (c->part != c->v) PetscCall(LevelGather(mg, c, c->part->b + 1, c->part->row, c->v->b + 1, c->v->row, entries));
  PetscFunctionReturn(0);
}

/* Of which line of c, among those that its v has, line j of f's share is a part; *far: which neighbour counts. */
static int parent_of(const Level *c, int a, int j, int *far)
{
  const int base = c->part == c->v ? 0 : c->first[a], own = c->halved[a] ? PetscMin(j / 2, c->part->n[a] - 1) : j;
  *far = base + own + (!c->halved[a] || j == 2 * own ? -1 : 1);
  return base + own;
}

/* Entry e of the lines of c, and their neighbours, where finer plane k lies, in natural order. */
static void interpolate_plane(const Level *c, int k, int e, float row[])
{
  const ScoriaLines *v = c->v;
  int far;
  const int near     = parent_of(c, 1, k, &far);
  const float by_far = c->weight[1][k];
  for (int parity = 0; parity < 2; parity++) {
    const float *a = lines_vector(v, v->x, near, parity) + (ptrdiff_t)e * v->row - parity,
                *b = lines_vector(v, v->x, far, parity) + (ptrdiff_t)e * v->row - parity;
    float *to      = row + 1 - parity;
    const int end  = (v->n[0] + parity) / 2;
    if (by_far == 0)
      for (int l = 0; l <= end; l++) to[2 * l] = a[l];
    else
      for (int l = 0; l <= end; l++) to[2 * l] = a[l] + by_far * (b[l] - a[l]);
  }
}

/* Adds the corrections in row, in natural order with their neighbours, to the lines x of a row of f. */
static void interpolate_row(const Level *f, const Level *c, int parity, const float row[], float x[])
{
  const int count = lines_in_row(f->v, parity), pairs = PetscMin(count, c->part->n[0]);
  const float *weight = c->weight[0] + parity * f->v->half;
  int far;
  const float *from = row + 1 + parent_of(c, 0, 0, &far), *beside = parity ? from + 1 : from - 1;
  if (!c->halved[0]) {
    for (int l = 0; l < count; l++) x[l] += from[2 * l + parity];
    return;
  }
  for (int l = 0; l < pairs; l++) x[l] += from[l] + weight[l] * (beside[l] - from[l]);
  if (pairs < count) x[pairs] += from[pairs - 1] + weight[pairs] * (from[pairs] - from[pairs - 1]);
}

/* Adds the correction to the lines of a colour. */
static void correct(ScoriaMultigrid mg, const Level *f, const Level *c, int colour)
{
  for (int k = 0; k < f->v->n[1]; k++) {
    const int parity = (k + colour) % 2;
    float *x         = lines_vector(f->v, f->v->x, k, parity);
    for (int e = 0; e < mg->nx * mg->m; e++, x += f->v->row) {
      interpolate_plane(c, k, e, mg->row);
      interpolate_row(f, c, parity, mg->row, x);
    }
    lines_wrap(f->v, k, parity);
  }
}

static PetscErrorCode Cycle(ScoriaMultigrid mg, int l)
{
  const Level *f = &mg->level[l], *c = f + 1;
  ScoriaLines *v = f->v;
  PetscFunctionBeginUser;
  lines_clear(v);
  lines_relax(v, 0, true);
  if (l + 1 == mg->levels) PetscFunctionReturn(0);
  PetscCall(LinesExchange(v));
  lines_relax(v, 1, false);
  PetscCall(LinesExchange(v));
  PetscCall(Restrict(mg, f, c));
  PetscCall(Cycle(mg, l + 1));
  correct(mg, f, c, 1);
  if (f->mixed) correct(mg, f, c, 0); /* else relaxed next from the others alone */
  for (int colour = 0; colour < 2; colour++) {
    PetscCall(LinesExchange(v));
    lines_relax(v, colour, false);
  }
  PetscCall(LinesExchange(v));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- finest ---- */

/* From or to a global vector, whose cells are ordered x, y, z. */
static void copy_cells(ScoriaMultigrid mg, float *a, bool out, PetscScalar cells[])
{
  const ScoriaLines *v = mg->level[0].v;
  const int entries    = mg->nx * mg->m;
  for (int k = 0; k < v->n[1]; k++)
    for (int j = 0; j < v->n[0]; j++, cells += entries) {
      float *line = lines_vector(v, a, k, j % 2) + j / 2;
      for (int e = 0; e < entries && out; e++) cells[e] = line[e * v->row];
      for (int e = 0; e < entries && !out; e++) line[e * v->row] = (float)cells[e];
    }
}

static PetscErrorCode Apply(PC pc, Vec r, Vec x)
{
  ScoriaMultigrid mg;
  const PetscScalar *from;
  PetscScalar *to;
  PetscFunctionBeginUser;
  PetscCall(PCShellGetContext(pc, &mg));
  PetscCall(VecGetArrayRead(r, &from));
  copy_cells(mg, mg->level[0].v->b, false, (PetscScalar *)from);
  PetscCall(VecRestoreArrayRead(r, &from));
  PetscCall(Cycle(mg, 0));
  PetscCall(VecGetArrayWrite(x, &to));
  copy_cells(mg, mg->level[0].v->x, true, to);
  PetscCall(VecRestoreArrayWrite(x, &to));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- life time ---- */

PetscErrorCode MultigridCreate(ScoriaDiscrete *d, ScoriaMultigrid *out)
{
  ScoriaMultigrid mg;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&mg));
  mg->d     = d;
  mg->group = PetscObjectComm((PetscObject)d->dm);
  mg->size  = d->size;
  mg->m     = d->shape.unknowns;
  mg->nx    = d->grid.n[0];
  mg->axis  = d->grid.dim - 2;
  PetscCall(LevelsCreate(mg));
  *out = mg;
  PetscFunctionReturn(0);
}

PetscErrorCode MultigridDestroy(ScoriaMultigrid *mg)
{
  PetscFunctionBeginUser;
  if (!*mg) PetscFunctionReturn(0);
  PetscCall(LevelsDestroy(*mg));
  PetscCall(PetscFree(*mg));
  PetscFunctionReturn(0);
}

PetscErrorCode MultigridConfigure(ScoriaMultigrid mg, PC pc)
{
  PetscFunctionBeginUser;
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetContext(pc, mg));
  PetscCall(PCShellSetApply(pc, Apply));
  PetscCall(PCShellSetName(pc, "multigrid with line relaxation"));
  PetscFunctionReturn(0);
}

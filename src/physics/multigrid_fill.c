/* The operators of the multigrid preconditioner: the finest level's from the blocks of the Jacobian, every other one's
 * from the finer level: see multigrid.c. */
#include "multigrid_levels.h"
#include <string.h>

/* ------------------------------------------------------------------------------------------------- gathering ---- */

/* `entries` numbers of every line, `step` apart in rows from a on, to (out) or from lines of `buffer`. */
static void copy_lines(const ScoriaLines *v, float *a, int entries, int step, bool out, float *buffer)
{
  for (int k = 0; k < v->n[1]; k++)
    for (int j = 0; j < v->n[0]; j++, buffer += entries) {
      float *at = a + lines_row(v, k, j % 2) * entries * step + j / 2;
      for (int e = 0; e < entries && out; e++) buffer[e] = at[(ptrdiff_t)e * step];
      for (int e = 0; e < entries && !out; e++) at[(ptrdiff_t)e * step] = buffer[e];
    }
}

PetscErrorCode LevelGather(ScoriaMultigrid mg, const Level *l, float *from, int from_step, float *to, int to_step,
                           int entries)
{
  const int across = l->N[1 - mg->axis] * entries;
  int rank, sum = 0;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(mg->group, &rank));
  for (int r = 0; r < mg->size; r++) {
    mg->number[r]       = l->share[r] * across;
    mg->displacement[r] = sum;
    sum += mg->number[r];
  }
  copy_lines(l->part, from, entries, from_step, true, mg->gathered + mg->displacement[rank]);
  PetscCallMPI(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, mg->gathered, mg->number, mg->displacement, MPI_FLOAT,
                              mg->group));
  copy_lines(l->v, to, entries, to_step, false, mg->gathered);
  PetscFunctionReturn(0);
}

void level_planes(const Level *f, const Level *c, int k, int *first, int *end)
{
  const bool last = k + 1 == c->part->n[1];
  *first          = c->halved[1] ? 2 * k : k;
  *end            = !c->halved[1] ? k + 1 : last ? f->v->n[1] : 2 * k + 2;
}

void level_deal_rows(int entries, int n, const float row[], int step, float even[], float odd[])
{
  for (int e = 0; e < entries; e++, row += n, even += step, odd += step) {
    for (int j = 0; 2 * j < n; j++) even[j] = row[2 * j];
    for (int j = 0; 2 * j + 1 < n; j++) odd[j] = row[2 * j + 1];
  }
}

/* --------------------------------------------------------------------------------------------------- joining ---- */

typedef enum { ALL, FIRST, LAST } Children;

/* Adds `entries` numbers of each line of a row, v->half apart, to the n lines that they are joined to, in natural
 * order.
 */
static void join_row(const ScoriaLines *f, int parity, bool halved, Children which, int entries, const float row[],
                     int n, float sum[])
{
  const int count = lines_in_row(f, parity), H = f->half;
  const bool three = f->n[0] % 2;                                       /* are joined to the last line: */
  const int pairs  = which == LAST && three && parity == 1 ? n - 1 : n; /* the third is even */
  if (!halved) {
    for (int e = 0; e < entries; e++)
      for (int l = 0; l < count; l++) sum[e * n + 2 * l + parity] += row[e * H + l];
    return;
  }
  if (which == ALL || (which == FIRST) == (parity == 0)) {
    if (n == H)
      for (int l = 0; l < entries * n; l++) sum[l] += row[l];
    else
      for (int e = 0; e < entries; e++)
        for (int l = 0; l < pairs; l++) sum[e * n + l] += row[e * H + l];
  }
  for (int e = 0; e < entries && three && parity == 0 && which != FIRST; e++) sum[e * n + n - 1] += row[e * H + n];
}

/* Blocks of cells i of plane k: couplings with lines beside from the lines at that end, else sums over all. */
static void join_block(ScoriaMultigrid mg, const Level *f, const Level *c, int k, int i, int block, float sum[])
{
  const int n = c->part->n[0], mm = mg->m * mg->m, side = block - LINE_Y0;
  const Children y = block == LINE_Y0 ? FIRST : block == LINE_Y1 ? LAST : ALL;
  int first, end;
  level_planes(f, c, k, &first, &end);
  if (block == LINE_Z0) end = first + 1;
  if (block == LINE_Z1) first = end - 1;
  for (int plane = first; plane < end; plane++)
    for (int parity = 0; parity < 2; parity++)
      join_row(f->v, parity, c->halved[0], y, mm, lines_block(f->v, f->v->A, LINE_BLOCKS, plane, parity, i, block), n,
               sum);
  if (side >= 2)
    for (int l = 0; l < mm * n; l++) sum[l] *= c->ratio[1][c->first[1] + k + side - 2];
  else if (side >= 0)
    for (int l = 0; l < mm * n; l++) sum[l] *= c->ratio[0][c->first[0] + l % n + side];
}

/* Sums of the couplings above, and of what all couplings but those along x do to a laterally constant state. */
static void join_cells(ScoriaMultigrid mg, const Level *f, const Level *c, int k, int i, float self[], float above[])
{
  const int n = c->part->n[0], mm = mg->m * mg->m;
  int first, end;
  level_planes(f, c, k, &first, &end);
  for (int plane = first; plane < end; plane++)
    for (int parity = 0; parity < 2; parity++) {
      const float *cell = lines_block(f->v, f->v->cell, CELL_BLOCKS, plane, parity, i, 0),
                  *A    = lines_block(f->v, f->v->A, LINE_BLOCKS, plane, parity, i, LINE_Y0);
      const int step    = mm * f->v->half;
      join_row(f->v, parity, c->halved[0], ALL, mm, cell + CELL_SELF * step, n, self);
      join_row(f->v, parity, c->halved[0], ALL, mm, cell + CELL_ABOVE * step, n, above);
      for (int s = 0; s < f->v->sides; s++) join_row(f->v, parity, c->halved[0], ALL, mm, A + s * step, n, self);
    }
}

static void join_operator(ScoriaMultigrid mg, const Level *f, const Level *c)
{
  const ScoriaLines *v = c->part;
  const int mm = mg->m * mg->m, number = mm * v->n[0];
  float *self = mg->row, *above = self + number, *sum = above + number;
  for (int k = 0; k < v->n[1]; k++)
    for (int i = 0; i < mg->nx; i++) {
      float *A[2], *cell[2];
      for (int parity = 0; parity < 2; parity++) {
        A[parity]    = lines_block(v, v->A, LINE_BLOCKS, k, parity, i, 0);
        cell[parity] = lines_block(v, v->cell, CELL_BLOCKS, k, parity, i, 0);
      }
      memset(self, 0, 2 * (size_t)number * sizeof *self);
      join_cells(mg, f, c, k, i, self, above);
      for (int block = LINE_BELOW; block < LINE_Y0 + v->sides; block = block == LINE_BELOW ? LINE_Y0 : block + 1) {
        const ptrdiff_t at = (ptrdiff_t)block * mm * v->half;
        memset(sum, 0, (size_t)number * sizeof *sum);
        join_block(mg, f, c, k, i, block, sum);
        for (int l = 0; l < number && block >= LINE_Y0; l++) self[l] -= sum[l];
        level_deal_rows(mm, v->n[0], sum, v->half, A[0] + at, A[1] + at);
      }
      level_deal_rows(mm, v->n[0], self, v->half, cell[0] + CELL_SELF * mm * v->half,
                      cell[1] + CELL_SELF * mm * v->half);
      level_deal_rows(mm, v->n[0], above, v->half, cell[0] + CELL_ABOVE * mm * v->half,
                      cell[1] + CELL_ABOVE * mm * v->half);
    }
}

/* -------------------------------------------------------------------------------------------------- finest ---- */

/* Where the blocks of a cell go, in the order of sides; NULL: there is no such neighbour. */
static void block_places(ScoriaMultigrid mg, int k, int parity, int i, float *to[SIDES])
{
  static const int which[SIDES] = {
      [SIDE_X0] = LINE_BELOW, [SIDE_Y0] = LINE_Y0,     [SIDE_Y1] = LINE_Y1,   [SIDE_Z0] = LINE_Z0,
      [SIDE_Z1] = LINE_Z1,    [SIDE_SELF] = CELL_SELF, [SIDE_X1] = CELL_ABOVE};
  const ScoriaLines *v = mg->level[0].v;
  for (int side = 0; side < SIDES; side++) {
    const bool own = side == SIDE_SELF || side == SIDE_X1;
    to[side]       = own ? lines_block(v, v->cell, CELL_BLOCKS, k, parity, i, which[side])
                         : lines_block(v, v->A, LINE_BLOCKS, k, parity, i, which[side]);
    if (!discrete_neighbour(mg->d, i, parity, k, side)) to[side] = NULL;
  }
}

/* The blocks of cells of n lines, the cells `step` apart in at, from those of the Jacobian, which are by columns. */
static inline void load_row(int n, int H, const int at[], ptrdiff_t step, const double *value, const double *beside,
                            float *const to[SIDES], const int m)
{
  for (int l = 0; l < n; l++)
    for (int side = 0; side < SIDES; side++) {
      const ptrdiff_t place = at[l * step + side];
      const double *block   = place >= 0 ? value + place * m * m : beside + (-1 - place) * m * m;
      for (int c = 0; c < m && to[side]; c++)
        for (int e = 0; e < m; e++) to[side][(c * m + e) * H + l] = (float)block[e * m + c];
    }
}

static void load_rows(ScoriaMultigrid mg, const ScoriaBlocks *J, const double *value, const double *beside, int k,
                      int parity, int i)
{
  const ScoriaLines *v = mg->level[0].v;
  const int n = lines_in_row(v, parity), H = v->half;
  const int *at = J->at + (((ptrdiff_t)k * v->n[0] + parity) * mg->nx + i) * SIDES;
  float *to[SIDES];
  block_places(mg, k, parity, i, to);
  const ptrdiff_t step = 2 * (ptrdiff_t)mg->nx * SIDES;
  if (mg->m == 1)
    load_row(n, H, at, step, value, beside, to, 1);
  else if (mg->m == 2)
    load_row(n, H, at, step, value, beside, to, 2);
  else
    load_row(n, H, at, step, value, beside, to, 3);
}

static PetscErrorCode LoadJacobian(ScoriaMultigrid mg, const ScoriaBlocks *J)
{
  const ScoriaLines *v = mg->level[0].v;
  PetscScalar *value = NULL, *beside = NULL;
  PetscFunctionBeginUser;
  PetscCall(MatSeqBAIJGetArray(J->own, &value));
  if (J->other) PetscCall(MatSeqBAIJGetArray(J->other, &beside));
  for (int k = 0; k < v->n[1]; k++)
    for (int parity = 0; parity < 2; parity++)
      for (int i = 0; i < mg->nx; i++) load_rows(mg, J, value, beside, k, parity, i);
  if (J->other) PetscCall(MatSeqBAIJRestoreArray(J->other, &beside));
  PetscCall(MatSeqBAIJRestoreArray(J->own, &value));
  PetscFunctionReturn(0);
}

PetscErrorCode MultigridFill(ScoriaMultigrid mg, const ScoriaBlocks *J)
{
  const int mm = mg->m * mg->m;
  PetscFunctionBeginUser;
  PetscCall(LoadJacobian(mg, J));
  lines_factor(mg->level[0].v);
  for (int l = 1; l < mg->levels; l++) {
    const Level *c = &mg->level[l];
    join_operator(mg, c - 1, c);
    if (c->part != c->v) {
      PetscCall(LevelGather(mg, c, c->part->A, c->part->half, c->v->A, c->v->half, mg->nx * LINE_BLOCKS * mm));
      PetscCall(LevelGather(mg, c, c->part->cell, c->part->half, c->v->cell, c->v->half, mg->nx * CELL_BLOCKS * mm));
    }
    lines_factor(c->v);
  }
  PetscFunctionReturn(0);
}

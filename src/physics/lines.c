/* Relaxation by lines along x, in two colours.
 *
 * Where cells are wider than they are long the couplings along x are the strong ones, and solving along x leaves
 * nothing of them to be smoothed.  A line is solved by elimination without pivoting (the block Thomas algorithm).  All
 * lines of a colour are independent: the recursion along x runs through many of them at once, in loops that compilers
 * vectorise.  Single precision is enough for a preconditioner, and moves half the memory. */
#include "lines.h"
#include <string.h>

/* ------------------------------------------------------------------------------------------------- create ---- */

PetscErrorCode LinesCreate(MPI_Comm group, int m, int nx, const int n[2], int sides, int shared, ScoriaLines **out)
{
  ScoriaLines *v;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&v));
  *v                 = (ScoriaLines){.m      = m,
                                     .nx     = nx,
                                     .n      = {n[0], n[1]},
                                     .half   = (n[0] + 1) / 2,
                                     .row    = (n[0] + 1) / 2 + 2,
                                     .shared = shared,
                                     .sides  = sides,
                                     .group  = group};
  const size_t cells = 2 * (size_t)nx * (size_t)(n[1] + (shared == 1 ? 2 : 0)), mm = (size_t)(m * m);
  const size_t vector = cells * (size_t)(m * v->row), block = cells * mm * (size_t)v->half;
  const size_t rest = (size_t)(nx * m * v->half), none = (size_t)(m * v->row), edge = 4 * (size_t)(nx * m);
  PetscCall(PetscCalloc1(2 * vector + (LINE_BLOCKS + CELL_BLOCKS) * block + rest + none + edge, &v->arena));
  v->b        = v->arena;
  v->x        = v->b + vector;
  v->A        = v->x + vector;
  v->cell     = v->A + LINE_BLOCKS * block;
  v->residual = v->cell + CELL_BLOCKS * block;
  v->edge     = v->residual + rest;
  v->none     = v->edge + edge + 1;
  *out        = v;
  PetscFunctionReturn(0);
}

PetscErrorCode LinesDestroy(ScoriaLines **v)
{
  PetscFunctionBeginUser;
  if (!*v) PetscFunctionReturn(0);
  PetscCall(PetscFree((*v)->arena));
  PetscCall(PetscFree(*v));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------- loops over lines ----
 *
 * n lines; entries of a vector are R apart, of blocks H.  m, sides: constants where these are inlined. */

#define INLINE static inline __attribute__((always_inline))

/* t -= block x */
#define SUBTRACT(block, x)                                                                                             \
  for (int c = 0; c < m; c++)                                                                                          \
    for (int e = 0; e < m; e++) t[c] -= a[((block)*m * m + c * m + e) * H + l] * (x)[e * R + l];

INLINE void eliminate(int n, int R, int H, const float *restrict a, const float *restrict b,
                      const float *restrict before, const float *const beside[4], float *restrict x, const int m,
                      const int sides)
{
  const float *restrict y0 = beside[0], *restrict y1 = beside[1], *restrict z0 = beside[2], *restrict z1 = beside[3];
  for (int l = 0; l < n; l++) {
    float t[MAX_UNKNOWNS];
    for (int c = 0; c < m; c++) t[c] = b[c * R + l];
    if (sides > 0) {
      SUBTRACT(LINE_Y0, y0)
      SUBTRACT(LINE_Y1, y1)
    }
    if (sides > 2) {
      SUBTRACT(LINE_Z0, z0)
      SUBTRACT(LINE_Z1, z1)
    }
    SUBTRACT(LINE_BELOW, before)
    for (int c = 0; c < m; c++) {
      float sum = 0;
      for (int e = 0; e < m; e++) sum += a[(LINE_INVERSE * m * m + c * m + e) * H + l] * t[e];
      x[c * R + l] = sum;
    }
  }
}

INLINE void substitute(int n, int R, int H, const float *restrict a, const float *restrict after, float *restrict x,
                       const int m)
{
  for (int l = 0; l < n; l++) {
    float t[MAX_UNKNOWNS];
    for (int c = 0; c < m; c++) t[c] = x[c * R + l];
    SUBTRACT(LINE_BACK, after)
    for (int c = 0; c < m; c++) x[c * R + l] = t[c];
  }
}

INLINE void beside_only(int n, int R, int H, const float *restrict a, const float *const beside[4], float *restrict r,
                        const int m, const int sides)
{
  const float *restrict y0 = beside[0], *restrict y1 = beside[1], *restrict z0 = beside[2], *restrict z1 = beside[3];
  for (int l = 0; l < n; l++) {
    float t[MAX_UNKNOWNS] = {0};
    SUBTRACT(LINE_Y0, y0)
    SUBTRACT(LINE_Y1, y1)
    if (sides > 2) {
      SUBTRACT(LINE_Z0, z0)
      SUBTRACT(LINE_Z1, z1)
    }
    for (int c = 0; c < m; c++) r[c * H + l] = t[c];
  }
}

/* The inverse of an m by m block. */
INLINE void invert(const float d[MAX_UNKNOWNS * MAX_UNKNOWNS], float inverse[MAX_UNKNOWNS * MAX_UNKNOWNS], const int m)
{
  if (m == 1) {
    inverse[0] = 1.0f / d[0];
  } else if (m == 2) {
    const float by = 1.0f / (d[0] * d[3] - d[1] * d[2]);
    inverse[0]     = by * d[3];
    inverse[1]     = -by * d[1];
    inverse[2]     = -by * d[2];
    inverse[3]     = by * d[0];
  } else {
    const float c0 = d[4] * d[8] - d[5] * d[7], c1 = d[5] * d[6] - d[3] * d[8], c2 = d[3] * d[7] - d[4] * d[6];
    const float by = 1.0f / (d[0] * c0 + d[1] * c1 + d[2] * c2);
    inverse[0]     = by * c0;
    inverse[1]     = by * (d[2] * d[7] - d[1] * d[8]);
    inverse[2]     = by * (d[1] * d[5] - d[2] * d[4]);
    inverse[3]     = by * c1;
    inverse[4]     = by * (d[0] * d[8] - d[2] * d[6]);
    inverse[5]     = by * (d[2] * d[3] - d[0] * d[5]);
    inverse[6]     = by * c2;
    inverse[7]     = by * (d[1] * d[6] - d[0] * d[7]);
    inverse[8]     = by * (d[0] * d[4] - d[1] * d[3]);
  }
}

/* One cell of each line; back: LINE_BACK of the cells before. */
INLINE void factor(int n, int H, const float *restrict cell, const float *restrict back, float *restrict a, const int m)
{
  for (int l = 0; l < n; l++) {
    float d[MAX_UNKNOWNS * MAX_UNKNOWNS], inverse[MAX_UNKNOWNS * MAX_UNKNOWNS];
    for (int c = 0; c < m; c++)
      for (int e = 0; e < m; e++) {
        float sum = cell[(CELL_SELF * m * m + c * m + e) * H + l];
        for (int f = 0; f < m; f++) sum -= a[(LINE_BELOW * m * m + c * m + f) * H + l] * back[(f * m + e) * H + l];
        d[c * m + e] = sum;
      }
    invert(d, inverse, m);
    for (int c = 0; c < m; c++)
      for (int e = 0; e < m; e++) {
        float sum = 0;
        for (int f = 0; f < m; f++) sum += inverse[c * m + f] * cell[(CELL_ABOVE * m * m + f * m + e) * H + l];
        a[(LINE_INVERSE * m * m + c * m + e) * H + l] = inverse[c * m + e];
        a[(LINE_BACK * m * m + c * m + e) * H + l]    = sum;
      }
  }
}

/* -------------------------------------------------------------------------------------------------- rows ---- */

/* Vector entries of the lines beside those of row (k, parity). */
static void beside_row(const ScoriaLines *v, int k, int parity, const float *beside[4])
{
  const float *other = lines_vector(v, v->x, k, 1 - parity);
  beside[0]          = parity ? other : other - 1;
  beside[1]          = parity ? other + 1 : other;
  beside[2]          = lines_vector(v, v->x, k - 1, parity);
  beside[3]          = lines_vector(v, v->x, k + 1, parity);
}

INLINE void relax_row(ScoriaLines *v, int k, int parity, const int m, const int sides)
{
  const int n = lines_in_row(v, parity), R = v->row, H = v->half, step = m * R, blocks = LINE_BLOCKS * m * m * H;
  const float *a = lines_block(v, v->A, LINE_BLOCKS, k, parity, 0, 0), *before = v->none, *at[4];
  const float *b = lines_vector(v, v->b, k, parity);
  float *x       = lines_vector(v, v->x, k, parity);
  beside_row(v, k, parity, at);
  for (int i = 0; i < v->nx; i++) {
    eliminate(n, R, H, a, b, before, at, x, m, sides);
    before = x;
    a += blocks;
    b += step;
    x += step;
    for (int side = 0; side < 4; side++) at[side] += step;
  }
  for (int i = v->nx - 2; i >= 0; i--) {
    a -= blocks;
    x -= step;
    substitute(n, R, H, a - blocks, x, x - step, m);
  }
}

INLINE void residual_row(ScoriaLines *v, int k, int parity, const int m, const int sides)
{
  const int n = lines_in_row(v, parity), R = v->row, H = v->half;
  const float *a = lines_block(v, v->A, LINE_BLOCKS, k, parity, 0, 0), *at[4];
  float *r       = v->residual;
  beside_row(v, k, parity, at);
  for (int i = 0; i < v->nx; i++) {
    beside_only(n, R, H, a, at, r, m, sides);
    a += LINE_BLOCKS * m * m * H;
    r += m * H;
    for (int side = 0; side < 4; side++) at[side] += m * R;
  }
}

INLINE void factor_row(ScoriaLines *v, int k, int parity, const int m)
{
  const float *back = v->none; /* below the first cell nothing is coupled */
  for (int i = 0; i < v->nx; i++) {
    float *a = lines_block(v, v->A, LINE_BLOCKS, k, parity, i, 0);
    if (i == 0) back = a + LINE_BELOW * m * m * v->half;
    factor(lines_in_row(v, parity), v->half, lines_block(v, v->cell, CELL_BLOCKS, k, parity, i, 0), back, a, m);
    back = a + LINE_BACK * m * m * v->half;
  }
}

void lines_wrap(ScoriaLines *v, int k, int parity)
{
  const int n = v->n[0], count = lines_in_row(v, parity), entries = v->nx * v->m, R = v->row;
  float *own = lines_vector(v, v->x, k, parity), *low = lines_vector(v, v->x, k, 1), /* line -1 is odd */
                                                     *high = lines_vector(v, v->x, k, n % 2) + n / 2;
  if (v->shared == 0) return;
  if (parity == 0)
    for (int i = 0; i < entries; i++) high[i * R] = own[i * R];
  if (parity == (n - 1) % 2)
    for (int i = 0; i < entries; i++) low[i * R - 1] = own[i * R + count - 1];
}

/* --------------------------------------------------------------------------------------------- whole level ---- */

#define EACH_SIZE(m, call)                                                                                             \
  switch (m) {                                                                                                         \
  case 1:                                                                                                              \
    call(1);                                                                                                           \
    break;                                                                                                             \
  case 2:                                                                                                              \
    call(2);                                                                                                           \
    break;                                                                                                             \
  default:                                                                                                             \
    call(3);                                                                                                           \
  }

void lines_clear(ScoriaLines *v)
{
  memset(v->x, 0, (size_t)(v->A - v->x) * sizeof *v->x);
}

void lines_factor(ScoriaLines *v)
{
  for (int k = 0; k < v->n[1]; k++)
    for (int parity = 0; parity < 2; parity++) {
#define FACTOR(m) factor_row(v, k, parity, m)
      EACH_SIZE(v->m, FACTOR)
#undef FACTOR
    }
}

void lines_relax(ScoriaLines *v, int colour, bool alone)
{
  for (int k = 0; k < v->n[1]; k++) {
    const int parity = (k + colour) % 2;
#define ALONE(m) relax_row(v, k, parity, m, 0)
#define PLANE(m) relax_row(v, k, parity, m, 2)
#define SPACE(m) relax_row(v, k, parity, m, 4)
    if (alone) {
      EACH_SIZE(v->m, ALONE)
    } else if (v->sides == 2) {
      EACH_SIZE(v->m, PLANE)
    } else {
      EACH_SIZE(v->m, SPACE)
    }
    lines_wrap(v, k, parity);
  }
}

void lines_residual(ScoriaLines *v, int k, int parity)
{
#define BESIDE_PLANE(m) residual_row(v, k, parity, m, 2)
#define BESIDE_SPACE(m) residual_row(v, k, parity, m, 4)
  if (v->sides == 2) {
    EACH_SIZE(v->m, BESIDE_PLANE)
  } else {
    EACH_SIZE(v->m, BESIDE_SPACE)
  }
}

/* Entries of line j of the only plane. */
static void copy_line(const ScoriaLines *v, int j, bool out, float *buffer)
{
  const int parity = j < 0 || j % 2;
  float *x         = lines_vector(v, v->x, 0, parity) + (j - parity) / 2;
  for (int i = 0; i < v->nx * v->m; i++) {
    if (out)
      buffer[i] = x[i * v->row];
    else
      x[i * v->row] = buffer[i];
  }
}

PetscErrorCode LinesExchange(ScoriaLines *v)
{
  int rank, size, number = v->nx * v->m;
  float *first = v->edge, *last = first + number, *before = last + number, *after = before + number;
  PetscFunctionBeginUser;
  if (v->shared < 0) PetscFunctionReturn(0);
  if (v->shared == 0) {
    copy_line(v, 0, true, first);
    copy_line(v, v->n[0] - 1, true, last);
  } else {
    number *= 2 * v->row;
    before = v->x;
    first  = before + number;
    last   = before + (ptrdiff_t)v->n[1] * number;
    after  = last + number;
  }
  PetscCallMPI(MPI_Comm_rank(v->group, &rank));
  PetscCallMPI(MPI_Comm_size(v->group, &size));
  const int down = (rank + size - 1) % size, up = (rank + 1) % size;
  PetscCallMPI(
      MPI_Sendrecv(first, number, MPI_FLOAT, down, 0, after, number, MPI_FLOAT, up, 0, v->group, MPI_STATUS_IGNORE));
  PetscCallMPI(
      MPI_Sendrecv(last, number, MPI_FLOAT, up, 1, before, number, MPI_FLOAT, down, 1, v->group, MPI_STATUS_IGNORE));
  if (v->shared == 1) PetscFunctionReturn(0);
  copy_line(v, -1, false, before);
  copy_line(v, v->n[0], false, after);
  PetscFunctionReturn(0);
}

/* Fluxes, sources, residuals and Jacobians of a discrete problem at the state that it holds, pencil by pencil: see
 * discrete.c for the balances. */
#include "discrete.h"

/* -------------------------------------------------------------------------------------------- pencil loops ---- */

static void offset_state(const ScoriaDiscrete *d, ptrdiff_t at, const double *s[])
{
  for (int c = 0; c < d->shape.unknowns + d->shape.derived; c++) s[c] = d->s[c] + at;
}

static void offset_each(int number, double *const from[], ptrdiff_t by, double *to[])
{
  for (int c = 0; c < number; c++) to[c] = from[c] + by;
}

/* One end of a pencil: F and its derivatives by the cell beside it, which is b at x = 0 and a at x = L. */
static void pencil_end(ScoriaDiscrete *d, int side, int face, ptrdiff_t cell, const double *const g[], bool derivatives)
{
  const int m = d->shape.unknowns;
  double s[MAX_STATE], here[MAX_COEFFICIENTS], F[MAX_UNKNOWNS], dF[MAX_UNKNOWNS * MAX_UNKNOWNS] = {0};
  for (int c = 0; c < m + d->shape.derived; c++) s[c] = d->s[c][cell];
  for (int c = 0; c < d->shape.coefficients; c++) here[c] = g[c][face];
  d->problem->boundary(d->p, side, s, here, F, derivatives ? dF : NULL);
  for (int c = 0; c < m; c++) d->F[c][face] = F[c];
  if (!derivatives) return;
  for (int c = 0; c < m * m; c++) {
    d->F_a[c][face] = side ? dF[c] : 0;
    d->F_b[c][face] = side ? 0 : dF[c];
  }
}

/* Fluxes through the own[0] + 1 faces of pencil (j, k). */
static void flux_along(ScoriaDiscrete *d, int j, int k, bool derivatives)
{
  const int n = d->own[0], m = d->shape.unknowns, first = d->collector ? 1 : 0, last = d->separator ? n - 1 : n;
  const ptrdiff_t cell = pencil_at(d, j, k);
  const size_t row     = (size_t)(k * d->own[1] + j) * (size_t)(n + 1);
  const double *a[MAX_STATE], *b[MAX_STATE];
  double *g[MAX_COEFFICIENTS], *F[MAX_UNKNOWNS], *F_a[MAX_UNKNOWNS * MAX_UNKNOWNS], *F_b[MAX_UNKNOWNS * MAX_UNKNOWNS];
  offset_state(d, cell + first - 1, a);
  offset_state(d, cell + first, b);
  offset_each(d->shape.coefficients, d->g[0], (ptrdiff_t)row + first, g);
  offset_each(m, d->F, first, F);
  offset_each(m * m, d->F_a, first, F_a);
  offset_each(m * m, d->F_b, first, F_b);
  d->problem->flux(d->p, last - first + 1, a, b, (const double *const *)g, F, derivatives ? F_a : NULL,
                   derivatives ? F_b : NULL, d->work);
  offset_each(d->shape.coefficients, d->g[0], (ptrdiff_t)row, g);
  if (d->collector) pencil_end(d, 0, 0, cell, (const double *const *)g, derivatives);
  if (d->separator) pencil_end(d, 1, n, cell + n - 1, (const double *const *)g, derivatives);
}

/* Fluxes from pencil (j, k) - 1 to (j, k) along a lateral axis: own[0] of them. */
static void flux_across(ScoriaDiscrete *d, int axis, int j, int k, bool derivatives)
{
  const ptrdiff_t cell = pencil_at(d, j, k);
  const size_t row     = (size_t)(k * (d->own[1] + (axis == 1)) + j) * (size_t)d->own[0];
  const double *a[MAX_STATE], *b[MAX_STATE];
  double *g[MAX_COEFFICIENTS];
  offset_state(d, cell - d->stride[axis], a);
  offset_state(d, cell, b);
  offset_each(d->shape.coefficients, d->g[axis], (ptrdiff_t)row, g);
  d->problem->flux(d->p, d->own[0], a, b, (const double *const *)g, d->F, derivatives ? d->F_a : NULL,
                   derivatives ? d->F_b : NULL, d->work);
}

static void source_of(ScoriaDiscrete *d, int j, int k, bool derivatives)
{
  const double *s[MAX_STATE], *local[MAX_LOCALS];
  const size_t own = (size_t)(k * d->own[1] + j) * (size_t)d->own[0];
  offset_state(d, pencil_at(d, j, k), s);
  for (int c = 0; c < d->shape.locals; c++) local[c] = d->a[c] + own;
  d->problem->source(d->p, d->own[0], local, s, d->S, derivatives ? d->S_s : NULL, d->work);
}

void discrete_pencil(ScoriaDiscrete *d)
{
  flux_along(d, 0, 0, true);
  source_of(d, 0, 0, true);
  d->derivatives = true;
}

/* Lateral fluxes are per area of their own face: this makes them per lateral area of a cell. */
static double aspect(const ScoriaDiscrete *d, int axis)
{
  return d->grid.length[0] / d->grid.n[0] * d->grid.n[axis] / d->grid.length[axis];
}

/* ---------------------------------------------------------------------------------------------- residual ---- */

static void residual_along(ScoriaDiscrete *d, int j, int k, double R[])
{
  const int n = d->own[0], m = d->shape.unknowns;
  const bool keep = d->grid.dim == 1; /* Newton asks for the Jacobian at this state next */
  flux_along(d, j, k, keep);
  source_of(d, j, k, keep);
  d->derivatives = keep;
  for (int c = 0; c < m; c++)
    for (int i = 0; i < n; i++) R[i * m + c] = d->F[c][i + 1] - d->F[c][i] - d->S[c][i];
}

static void residual_across(ScoriaDiscrete *d, int axis, double R[])
{
  const int n = d->own[0], m = d->shape.unknowns;
  const double weight  = aspect(d, axis);
  const ptrdiff_t down = axis == 1 ? n : (ptrdiff_t)n * d->own[1];
  for (int k = 0; k < d->own[2] + (axis == 2); k++)
    for (int j = 0; j < d->own[1] + (axis == 1); j++) {
      const int here = axis == 1 ? j : k;
      double *above = R + ((ptrdiff_t)k * d->own[1] + j) * n * m, *below = above - down * m;
      flux_across(d, axis, j, k, false);
      for (int c = 0; c < m; c++) {
        if (here > 0)
          for (int i = 0; i < n; i++) below[i * m + c] += weight * d->F[c][i];
        if (here < d->own[axis])
          for (int i = 0; i < n; i++) above[i * m + c] -= weight * d->F[c][i];
      }
    }
}

void discrete_residual(ScoriaDiscrete *d, const double rate[], double R[])
{
  const int n = d->own[0], m = d->shape.unknowns;
  for (int k = 0; k < d->own[2]; k++)
    for (int j = 0; j < d->own[1]; j++) residual_along(d, j, k, R + (ptrdiff_t)(k * d->own[1] + j) * n * m);
  for (int axis = 1; axis < d->grid.dim; axis++) residual_across(d, axis, R);
  for (int c = 0; c < m; c++) {
    if (d->added[c])
      for (int i = 0; i < d->cells; i++) R[i * m + c] -= d->added[c][i];
    if (rate)
      for (int i = 0; i < d->cells; i++) R[i * m + c] += d->capacity[c][i] * rate[i * m + c];
  }
}

/* ---------------------------------------------------------------------------------------------- Jacobian ---- */

bool discrete_neighbour(const ScoriaDiscrete *d, int i, int j, int k, int side)
{
  (void)j;
  (void)k;
  const int x = i + (d->grid.dim == 1 ? d->first : 0);
  switch (side) {
  case SIDE_SELF:
    return true;
  case SIDE_X0:
    return x > 0;
  case SIDE_X1:
    return x + 1 < d->grid.n[0];
  case SIDE_Y0:
  case SIDE_Y1:
    return d->grid.dim > 1;
  default:
    return d->grid.dim > 2;
  }
}

typedef struct {
  int m;
  const int *at;
  double *value, *beside;
} Blocks;

static inline double *block(const Blocks *b, ptrdiff_t cell, int side)
{
  const ptrdiff_t at = b->at[cell * SIDES + side];
  return at >= 0 ? b->value + at * b->m * b->m : b->beside + (-1 - at) * b->m * b->m;
}

/* The blocks of the cells of pencil (j, k), the diagonal ones without lateral faces; m a constant where this is
 * inlined. */
static inline void pencil_blocks(const ScoriaDiscrete *d, const int m, ptrdiff_t row, const Blocks *b)
{
  const int n     = d->own[0];
  const bool low  = d->collector; /* whether the first cell has no neighbour below, */
  const bool high = d->separator; /* the last one none above */
  for (int i = 0; i < n; i++) {
    double *self  = block(b, row + i, SIDE_SELF);
    double *below = i == 0 && low ? NULL : block(b, row + i, SIDE_X0);
    double *above = i == n - 1 && high ? NULL : block(b, row + i, SIDE_X1);
    for (int c = 0; c < m; c++)
      for (int e = 0; e < m; e++) {
        const int from = c * m + e, to = e * m + c;
        self[to] = d->F_a[from][i + 1] - d->F_b[from][i] - d->S_s[from][i];
        if (below) below[to] = -d->F_a[from][i];
        if (above) above[to] = d->F_b[from][i + 1];
      }
  }
}

static void jacobian_along(ScoriaDiscrete *d, int j, int k, const Blocks *b)
{
  const ptrdiff_t row = (ptrdiff_t)(k * d->own[1] + j) * d->own[0];
  if (!(d->grid.dim == 1 && d->derivatives)) {
    flux_along(d, j, k, true);
    source_of(d, j, k, true);
  }
  switch (b->m) {
  case 1:
    pencil_blocks(d, 1, row, b);
    break;
  case 2:
    pencil_blocks(d, 2, row, b);
    break;
  default:
    pencil_blocks(d, b->m, row, b);
  }
}

static void jacobian_across(ScoriaDiscrete *d, int axis, const Blocks *b)
{
  const int n = d->own[0], m = d->shape.unknowns, up = axis == 1 ? SIDE_Y1 : SIDE_Z1,
            down         = axis == 1 ? SIDE_Y0 : SIDE_Z0;
  const double weight    = aspect(d, axis);
  const ptrdiff_t before = axis == 1 ? n : (ptrdiff_t)n * d->own[1];
  for (int k = 0; k < d->own[2] + (axis == 2); k++)
    for (int j = 0; j < d->own[1] + (axis == 1); j++) {
      const int here        = axis == 1 ? j : k;
      const ptrdiff_t above = ((ptrdiff_t)k * d->own[1] + j) * n, below = above - before;
      flux_across(d, axis, j, k, true);
      for (int i = 0; i < n; i++) {
        double *a_self = here > 0 ? block(b, below + i, SIDE_SELF) : NULL,
               *a_up   = here > 0 ? block(b, below + i, up) : NULL;
        double *b_self = here < d->own[axis] ? block(b, above + i, SIDE_SELF) : NULL,
               *b_down = here < d->own[axis] ? block(b, above + i, down) : NULL;
        for (int c = 0; c < m; c++)
          for (int e = 0; e < m; e++) {
            const int to      = e * m + c;
            const double by_a = weight * d->F_a[c * m + e][i], by_b = weight * d->F_b[c * m + e][i];
            if (a_self) {
              a_self[to] += by_a;
              a_up[to] = by_b;
            }
            if (b_self) {
              b_self[to] -= by_b;
              b_down[to] = -by_a;
            }
          }
      }
    }
}

void discrete_jacobian(ScoriaDiscrete *d, const int at[], double value[], double beside[])
{
  const Blocks b = {d->shape.unknowns, at, value, beside};
  const int m    = b.m;
  for (int k = 0; k < d->own[2]; k++)
    for (int j = 0; j < d->own[1]; j++) jacobian_along(d, j, k, &b);
  for (int axis = 1; axis < d->grid.dim; axis++) jacobian_across(d, axis, &b);
  if (!d->timed || d->shift == 0) return;
  for (int i = 0; i < d->cells; i++)
    for (int c = 0; c < m; c++) block(&b, i, SIDE_SELF)[c * m + c] += d->shift * d->capacity[c][i];
}

/* ------------------------------------------------------------------------------------------------ totals ---- */

void discrete_totals(ScoriaDiscrete *d, const double rate[], double outflow[], double production[])
{
  const int n = d->own[0], m = d->shape.unknowns;
  for (int c = 0; c < m; c++) outflow[c] = production[c] = 0;
  for (int k = 0; k < d->own[2]; k++)
    for (int j = 0; j < d->own[1]; j++) {
      const ptrdiff_t row = (ptrdiff_t)(k * d->own[1] + j) * n;
      flux_along(d, j, k, false);
      source_of(d, j, k, false);
      for (int c = 0; c < m; c++) {
        if (d->separator) outflow[c] += d->F[c][n];
        if (d->collector) outflow[c] -= d->F[c][0];
        for (int i = 0; i < n; i++) production[c] += d->S[c][i] + (d->added[c] ? d->added[c][row + i] : 0);
        for (int i = 0; i < n && rate; i++) production[c] -= d->capacity[c][row + i] * rate[(row + i) * m + c];
      }
    }
  d->derivatives = false;
}

/* ---------------------------------------------------------------------------------------- derived fields ---- */

void discrete_derived(ScoriaDiscrete *d, int k, double own[])
{
  const int n = d->own[0];
  const double *s[MAX_STATE], *local[MAX_LOCALS];
  const ScoriaPencil pencil = {.n     = n,
                               .h     = d->grid.length[0] / d->grid.n[0],
                               .local = local,
                               .s     = s,
                               .S     = (const double *const *)d->S,
                               .F     = (const double *const *)d->F};
  for (int row = 0; row < d->own[1] * d->own[2]; row++) {
    flux_along(d, row % d->own[1], row / d->own[1], false);
    source_of(d, row % d->own[1], row / d->own[1], false);
    offset_state(d, pencil_at(d, row % d->own[1], row / d->own[1]), s);
    for (int c = 0; c < d->shape.locals; c++) local[c] = d->a[c] + (size_t)row * (size_t)n;
    d->problem->derive_field(d->p, k, &pencil, own + (size_t)row * (size_t)n);
  }
  d->derivatives = false;
}
